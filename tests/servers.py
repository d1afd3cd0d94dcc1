"""Real servers for tests and benchmarks: a PostgreSQL and a Redis of their own, on free ports, in temporary folders.

Knows the installed programs and nothing of ours. Each can be broken: stopped in the middle, paused, slowed down.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg

PASSWORD = "a password with @, : and /"  # what a URL has to write otherwise


class MissingServerError(Exception):
    """A server's program is not installed; the text says what to install."""


class Server:
    """Something that runs in a folder of its own until it is closed."""

    def __init__(self, prefix: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        self.port = free_port()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        raise NotImplementedError

    def end(self) -> None:
        """End it at once, if it runs."""
        raise NotImplementedError

    def close(self) -> None:
        """End it and take away its folder."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class PostgresServer(Server):
    """A PostgreSQL that asks for a password and keeps its promises (`fsync` and all)."""

    def __init__(self) -> None:
        self._programs = _postgres_programs()
        super().__init__("nextreel-postgres-")
        # PostgreSQL refuses to run as the administrator.
        self._user = _somebody_else() if os.geteuid() == 0 else None
        self._data = self.folder / "data"
        self._names = (f"test_{number}" for number in itertools.count())
        self._made = False

    def start(self) -> None:
        if not self._made:
            self._make()
        # `-w` waits until it answers; only its own log is written to, or it would keep the pipes of a test open.
        self._control("start", "-w", "-l", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends what runs in order, `immediate` is as if the power went."""
        self._control("stop", "-w", "-m", mode)

    def pause(self) -> None:
        """Stop all of it in the middle of whatever it does: it takes connections and answers none."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def runs(self) -> bool:
        """Whether it is not stopped."""
        return (self._data / "postmaster.pid").exists()

    def end(self) -> None:
        if self.runs():
            self.stop("immediate")

    def url(self, database: str, *, user: str = "nextreel", password: str = PASSWORD) -> str:
        """The URL of a database on it."""
        quoted = "".join(f"%{byte:02X}" for byte in password.encode())
        return f"postgresql+asyncpg://{user}:{quoted}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str | None = None) -> str:
        """The URL of a new database: an empty one, or a copy of another's, to which nobody is connected."""
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name} TEMPLATE {_name_in(template) if template else 'template0'}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Take a database away, with whoever is connected to it."""
        self.execute(f"DROP DATABASE {_name_in(url)} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement as the administrator of the server; its rows."""

        async def run() -> list[Any]:
            connection = await asyncpg.connect(
                host="127.0.0.1", port=self.port, user="nextreel", password=PASSWORD, database=database
            )
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()

        return _in_a_thread(run())

    def data_file(self, place: str) -> Path:
        """A file of its data, by the place that the server gives; touch it only while it is stopped."""
        return self._data / place

    def _signal(self, number: int) -> None:
        main = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(main, number)  # first, or it would take them for dead
        for process in Path(f"/proc/{main}/task/{main}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):  # it may have ended meanwhile
                os.kill(int(process), number)

    def _make(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if self._user:
            shutil.chown(self.folder, self._user)
            shutil.chown(password, self._user)
        options = ("--username=nextreel", f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8")
        self._run("initdb", "--pgdata", str(self._data), "--no-sync", "--no-locale", *options)
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n"
                "max_connections = 60\nshared_buffers = 32MB\nautovacuum = off\n"
            )
        self._made = True

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--pgdata", str(self._data), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        said = self.folder / "said"
        with said.open("wb") as output:
            done = subprocess.run(
                [self._programs / program, *arguments],
                user=self._user,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {said.read_text()}")


class RedisServer(Server):
    """A Redis that keeps nothing on disk."""

    def __init__(self) -> None:
        self._program = shutil.which("redis-server")
        if self._program is None:
            raise MissingServerError(
                "redis-server is not installed; on Debian and Ubuntu: apt-get install redis-server"
            )
        super().__init__("nextreel-redis-")
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start it, and wait until it answers; `options` are those of `redis-server`."""
        assert self._program is not None
        place = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "")
        self._process = subprocess.Popen([self._program, *place, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("redis-server did not start")
            time.sleep(0.01)

    def pause(self) -> None:
        """Stop it in the middle of whatever it does: it takes connections and answers none."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def slow(self, milliseconds: int) -> Proxy:
        """A started proxy before it that holds each answer back so long; close it."""
        return Proxy(self.port, delay=milliseconds / 1000)

    def end(self) -> None:
        self.kill()

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as asking:
            asking.sendall(b"PING\r\n")
            return asking.recv(16).startswith((b"+PONG", b"-NOAUTH"))
        return False


class Proxy:
    """A way to a server that delays what it answers, or cuts a connection when something certain is said.

    `cut_at` is what a client says, once. With `heard` the server gets it, but
    its answer does not come back; else it is lost on the way. With `for_good` nobody gets through after a cut.
    """

    def __init__(
        self, port: int, *, delay: float = 0.0, cut_at: bytes = b"", heard: bool = True, for_good: bool = False
    ) -> None:
        self._target = port
        self._delay = delay
        self._cut_at = cut_at
        self._heard = heard
        self._for_good = for_good
        self.has_cut = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut every connection and take no more."""
        _cut(self._listening)
        for one in self._open:
            _cut(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [client, server]
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := client.recv(65536):
                if self._cut_at and self._cut_at in said and not self.has_cut:
                    self.has_cut = True
                    if self._for_good:
                        _cut(self._listening)
                    _cut(client)
                    if self._heard:
                        server.sendall(said)
                        time.sleep(0.2)  # or the server would find nobody there before it has read
                    break
                server.sendall(said)
        _cut(client)
        _cut(server)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := server.recv(65536):
                time.sleep(self._delay)
                client.sendall(said)
        _cut(client)
        _cut(server)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        port: int = asking.getsockname()[1]
        return port


def _cut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def _name_in(url: str) -> str:
    return url.rpartition("/")[2]


def _postgres_programs() -> Path:
    """The folder of `initdb` and `pg_ctl`: Debian keeps them out of the way of users."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: _version(folder), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise MissingServerError("PostgreSQL is not installed; on Debian and Ubuntu: apt-get install postgresql")


def _version(programs: Path) -> int:
    name = programs.parent.name
    return int(name) if name.isdigit() else 0


def _somebody_else() -> str:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise MissingServerError("PostgreSQL does not run as the administrator, and there is no user postgres or nobody")


def _in_a_thread(work: Coroutine[Any, Any, list[Any]]) -> list[Any]:
    """Run a coroutine to its end from anywhere, also where a loop runs already."""
    results: list[list[Any]] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(work))
        except BaseException as error:  # noqa: BLE001 (raised again below)
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
