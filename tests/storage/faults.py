"""What becomes of what was confirmed while something breaks, as figures: each scenario breaks it and counts after.

A confirmed watch is film n, told by event n, whose delivery returned. Lost is one that is not in the history, doubled
one that is there more than once. Each scenario takes a database to itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Pool, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from storage.changes import RateWatch
from storage.errors import ConflictError, StorageError
from storage.ids import new_id
from storage.records import MessageId
from storage.store import Store
from tests.servers import PostgresServer
from tests.storage.writer import WHERE, WHO, deliver, key

WRITER = Path(__file__).with_name("writer.py")
REDELIVERED = 3
"""How many of the last events come again after a kill, besides the one that was under way."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the confirmed watches."""

    confirmed: int
    lost: int
    doubled: int

    @classmethod
    async def of(cls, store: Store, confirmed: Iterable[int]) -> Self:
        """Count them in the history."""
        expected = set(confirmed)
        snapshot = await store.read(WHO, WHERE, key(-1), datetime.now(UTC))
        films = Counter(watch.film_id for watch in snapshot.history)
        return cls(len(expected), len(expected - set(films)), sum(count > 1 for count in films.values()))


@dataclass(frozen=True, slots=True)
class Kills:
    """What `kill_writers` found."""

    kills: int
    kept: Kept
    unasked: int
    """Watches that were logged but not confirmed, as the kill came between: one a kill at most."""


class Nursery:
    """Writers that start within milliseconds and are killed."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, WRITER, "--nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run_and_kill(self, url: str, first: int, output: Path, after: float) -> list[int]:
        """Let a writer begin at an event and kill it after some seconds; the events that it confirmed."""
        output.unlink(missing_ok=True)
        self._process.stdin.write(json.dumps([url, first, 1_000_000, str(output)]) + "\n")
        self._process.stdin.flush()
        process = int(self._process.stdout.readline())
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
        assert self._process.stdout.readline() == "gone\n"
        said = output.read_text() if output.exists() else ""
        return [int(line.split()[0]) for line in said.splitlines(keepends=True) if line.endswith("\n")]


async def kill_writers(url: str, folder: Path, kills: int, seed: int = 5) -> Kills:
    """Kill a writer (SIGKILL) at random moments, from its start on; each time, look at all that was ever confirmed."""
    chance = random.Random(seed)
    confirmed: set[int] = set()
    lost = doubled = unasked = 0
    store = await Store.open(url)
    try:
        with Nursery() as nursery:
            for _ in range(kills):
                first = max(0, len(confirmed) - REDELIVERED)
                before = len(confirmed)
                said = await asyncio.to_thread(
                    nursery.run_and_kill, url, first, folder / "said", chance.uniform(0.0, 0.35)
                )
                confirmed |= set(said)
                kept = await Kept.of(store, confirmed)
                lost, doubled = max(lost, kept.lost), max(doubled, kept.doubled)
                snapshot = await store.read(WHO, WHERE, key(-1), datetime.now(UTC))
                extra = {watch.film_id for watch in snapshot.history} - confirmed
                assert len(extra) <= 1, f"{extra} were never confirmed ({before} before)"
                unasked += len(extra)
    finally:
        await store.close()
    return Kills(kills, Kept(len(confirmed), lost, doubled), unasked)


@dataclass(frozen=True, slots=True)
class Syncs:
    """What `count_syncs` found."""

    confirmed: int
    syncs: int
    """fdatasync and fsync calls of the whole process."""
    unsynced: int
    """Confirmations that no such call came before since the last one."""


async def count_syncs(url: str, folder: Path, count: int) -> Syncs:
    """Trace a writer on an SQLite file: is each confirmation preceded by the disk's own?"""
    trace = folder / "trace"
    command = ["strace", "-f", "-e", "trace=fdatasync,fsync,write", "-o", str(trace)]
    command += [sys.executable, str(WRITER), url, "0", str(count)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, env=environment)
    assert await process.wait() == 0
    confirmed = syncs = unsynced = 0
    since = 0
    for line in trace.read_text().splitlines():
        # A call that others come between is told in two lines; what counts is that it was done.
        if re.search(r"\b(fdatasync|fsync)(\(\d+\)| resumed>\)?).*= 0$", line):
            syncs += 1
            since += 1
        elif re.search(r'\bwrite\(1, "\d+ new', line):
            confirmed += 1
            unsynced += since == 0
            since = 0
    return Syncs(confirmed, syncs, unsynced)


@dataclass(frozen=True, slots=True)
class Race:
    """What `race` found."""

    tasks: int
    landed: int
    conflicts: int
    seconds: float


async def race(url: str, tasks: int) -> Race:
    """Let many at once read one watch and add to its rating what they read it was."""
    store = await Store.open(url)
    await deliver(store, 0)
    step = 5 / (tasks + 1)
    conflicts = 0

    async def add(number: int) -> None:
        nonlocal conflicts
        event, message_id = key(number), MessageId(new_id())
        while True:
            snapshot = await store.read(WHO, WHERE, event, datetime.now(UTC))
            (watch,) = snapshot.history
            change = RateWatch(watch.watch_id, ((watch.rating or 0) / step + 1) * step)
            try:
                await store.apply(
                    WHO, WHERE, event, message_id, [change], "", datetime.now(UTC), expected_version=snapshot.version
                )
            except ConflictError:
                conflicts += 1
                await asyncio.sleep(random.uniform(0, 0.5))
            else:
                return

    try:
        start = time.monotonic()
        await asyncio.gather(*(add(number) for number in range(1, tasks + 1)))
        seconds = time.monotonic() - start
        (watch,) = (await store.read(WHO, WHERE, key(-1), datetime.now(UTC))).history
    finally:
        await store.close()
    return Race(tasks, round((watch.rating or 0) / step), conflicts, seconds)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What `crowd` found."""

    writers: int
    kept: Kept
    said_new: int
    """How often a process said that it was the one to log an event: once for each."""
    seconds: float


async def crowd(url: str, writers: int, count: int) -> Crowd:
    """Let several processes make the database, if there is none, and deliver the same events at once."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    start = time.monotonic()
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, WRITER, url, "0", str(count), stdout=subprocess.PIPE, env=environment
        )
        for _ in range(writers)
    ]
    said = await asyncio.gather(*(process.communicate() for process in processes))
    seconds = time.monotonic() - start
    assert [process.returncode for process in processes] == [0] * writers
    lines = [line for output, _ in said for line in output.decode().splitlines()]
    store = await Store.open(url)
    try:
        kept = await Kept.of(store, (int(line.split()[0]) for line in lines))
    finally:
        await store.close()
    return Crowd(writers, kept, sum(line.endswith("new") for line in lines), seconds)


@dataclass(frozen=True, slots=True)
class Restarts:
    """What `restart_under_load` found."""

    restarts: int
    kept: Kept
    refusals: dict[str, int]
    """How often each sentence was said instead of a confirmation."""
    longest_seconds: float
    """The longest that anybody waited for either."""
    back_seconds: float
    """The longest from the server's return to the next confirmation."""


async def restart_under_load(
    server: PostgresServer, url: str, *, restarts: int, tasks: int = 8, away_seconds: float = 0.5
) -> Restarts:
    """Break off the server (as if its power went) while many write, start it again, and go on."""
    store = await Store.open(url)
    confirmed: dict[int, float] = {}
    refusals: Counter[str] = Counter()
    longest = 0.0
    over = False

    async def keep_writing(first: int) -> None:
        nonlocal longest
        number = first
        while not over:
            start = time.monotonic()
            try:
                await deliver(store, number)
            except StorageError as error:
                refusals[str(error)] += 1
            else:
                confirmed[number] = time.monotonic()
                number += tasks
            longest = max(longest, time.monotonic() - start)

    back = 0.0
    try:
        writing = [asyncio.create_task(keep_writing(first)) for first in range(tasks)]
        for _ in range(restarts):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.stop, "immediate")
            await asyncio.sleep(away_seconds)
            await asyncio.to_thread(server.start)
            started = time.monotonic()
            while max(confirmed.values(), default=0.0) < started:
                assert time.monotonic() < started + 30, "nothing was confirmed after the server came back"
                await asyncio.sleep(0.01)
            back = max(back, time.monotonic() - started)
        await asyncio.sleep(0.3)
        over = True
        await asyncio.gather(*writing)
        kept = await Kept.of(store, confirmed)
    finally:
        over = True
        await store.close()
    return Restarts(restarts, kept, dict(refusals), longest, back)


@dataclass(frozen=True, slots=True)
class FullDisk:
    """What `fill_disk` found."""

    before: int
    """Watches that were confirmed before it was full."""
    refusals: dict[str, int]
    after: int
    """Watches that were confirmed once there was room again."""
    kept: Kept


async def fill_disk(folder: Path) -> FullDisk:
    """Write until there is no room left, go on, make room, and go on with the same store."""
    with ExitStack() as stack:
        try:
            room: Room = stack.enter_context(SmallDisk(folder))
        except PermissionError:
            room = stack.enter_context(FewPages(folder))
        confirmed: list[int] = []
        refusals: Counter[str] = Counter()
        store = await Store.open(room.path)
        try:
            room.take()
            number = before = 0
            while sum(refusals.values()) < 20:
                try:
                    await deliver(store, number)
                    confirmed.append(number)
                except StorageError as error:
                    before = before or len(confirmed)
                    refusals[str(error)] += 1
                number += 1
            await room.make(store)
            for later in range(number, number + 50):
                await deliver(store, later)
                confirmed.append(later)
            await store.close()
            store = await Store.open(room.path)
            kept = await Kept.of(store, confirmed)
            snapshot = await store.read(WHO, WHERE, key(-1), datetime.now(UTC))
            assert {watch.film_id for watch in snapshot.history} == set(confirmed), "something refused was kept"
        finally:
            await store.close()
    return FullDisk(before, dict(refusals), 50, kept)


class Room(ABC):
    """A place for a database where room can be taken and made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "data" / "nextreel.db"

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *_: object) -> None: ...

    @abstractmethod
    def take(self) -> None:
        """Leave little room."""

    @abstractmethod
    async def make(self, store: Store) -> None:
        """Leave enough."""


class SmallDisk(Room):
    """A disk of its own, of 16 megabytes. PermissionError where none can be mounted."""

    def __enter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        if shutil.which("mount") is None or self._mount("size=16M"):
            raise PermissionError("no disk can be mounted here")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)

    def take(self) -> None:
        free = shutil.disk_usage(self.folder).free
        (self.folder / "ballast").write_bytes(b"x" * (free - 1_000_000))

    async def make(self, store: Store) -> None:
        (self.folder / "ballast").unlink()

    def make_read_only(self) -> None:
        """Let nothing be written any more."""
        assert not self._mount("remount,ro")

    def _mount(self, options: str) -> int:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode


class FewPages(Room):
    """A database that SQLite is told not to let grow: to the program it is the same as a full disk."""

    def __enter__(self) -> Self:
        self._pages = 0
        event.listen(Pool, "checkout", self._limit)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Pool, "checkout", self._limit)

    def take(self) -> None:
        self._pages = self.path.stat().st_size // 4096 + 20

    async def make(self, store: Store) -> None:
        self._pages = 2**30

    def _limit(self, connection: DBAPIConnection, *_: object) -> None:
        if self._pages:
            connection.cursor().execute(f"PRAGMA max_page_count = {self._pages}")
