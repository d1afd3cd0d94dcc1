"""Copies of a PostgreSQL database, by its own programs: pg_dump, pg_restore and psql.

Knows their options, and how a password reaches them: by the environment, as arguments are for all to see.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryFile
from typing import IO, Self, cast

from sqlalchemy import URL

from storage.copies import POSTGRESQL, check_kind, check_revision
from storage.database import VERSIONS, make_new_file
from storage.errors import DamagedError, StorageError, from_state
from storage.tables import metadata


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, as asyncpg and PostgreSQL's programs take it."""

    url: str
    password: str | None = field(repr=False)

    @classmethod
    def of(cls, url: URL) -> Self:
        """The address in an SQLAlchemy URL, whose `ssl` is `sslmode` for all others."""
        options = {("sslmode" if name == "ssl" else name): value for name, value in url.query.items()}
        named = url.set(drivername="postgresql", password=None, query=options)
        return cls(named.render_as_string(hide_password=False), url.password)

    def environment(self) -> dict[str, str]:
        """The environment of a program that connects there."""
        return os.environ | {"PGAPPNAME": "nextreel"} | ({"PGPASSWORD": self.password} if self.password else {})


def dump(address: Address, target: Path) -> None:
    """Write a copy of a database to a new file, for its owner alone, and read it again to its end."""
    make_new_file(target)
    try:
        with _running(
            "pg_dump", "--format=custom", f"--file={target}", address.url, at=address, stderr=PIPE
        ) as dumping:
            _, said = dumping.communicate()
        if b"version mismatch" in said:
            raise StorageError("pg_dump is older than the server of the database; install the one of its version.")
        if dumping.returncode:
            raise StorageError("pg_dump could not copy the database.", detail=f"it ended with {dumping.returncode}")
        revision(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def revision(copy: Path) -> str:
    """The revision in a copy, which is read to its end. StorageError when it is damaged or no copy at all."""
    check_kind(copy, POSTGRESQL)
    _content(copy, f"--file={os.devnull}")
    rows = _content(copy, "--data-only", f"--table={VERSIONS}", "--file=-")
    found = re.search(rb"^COPY [^\n]*\n([^\\\s]+)$", rows, re.MULTILINE)
    return check_revision(found and found[1].decode(), copy)


def _content(copy: Path, *options: str) -> bytes:
    with _running("pg_restore", *options, str(copy.absolute())) as reading:
        rows, _ = reading.communicate()
    if reading.returncode:
        raise _damaged(copy, reading)
    return rows


def restore(address: Address, copy: Path, *, lock_seconds: float) -> None:
    """Put a copy in the place of everything in a database, in one transaction.

    Readers wait for the first lock before they see anything. psql is told to commit when pg_restore has given it all.
    """
    # Tables that are younger than the copy refer to those in it, and would keep them from being dropped.
    tables = ", ".join([*metadata.tables, VERSIONS])
    begin = (
        f"BEGIN; SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '{lock_seconds}s';"
        f" CREATE TABLE IF NOT EXISTS {VERSIONS} (); LOCK TABLE {VERSIONS} IN ACCESS EXCLUSIVE MODE;"
        f" DROP TABLE IF EXISTS {tables} CASCADE;\n"
    )
    wanted = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--file=-", str(copy.absolute()))
    # Of an error it says no more than the SQLSTATE: the rest may hold what people said.
    options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate", "--output=/dev/null")
    with (
        TemporaryFile() as said,
        _running("psql", *options, address.url, at=address, stdin=PIPE, stderr=said) as writing,
        _running("pg_restore", *wanted) as reading,
    ):
        script, rows = cast(IO[bytes], writing.stdin), cast(IO[bytes], reading.stdout)
        with suppress(BrokenPipeError):  # psql ended before; why, it has said
            script.write(begin.encode())
            shutil.copyfileobj(rows, script)
            if reading.wait() == 0:
                script.write(b"\nCOMMIT;\n")
        with suppress(BrokenPipeError):
            script.close()
        rows.close()
        if writing.wait() != 0:
            said.seek(0)
            found = re.search(rb"ERROR:\s+([0-9A-Z]{5})", said.read())
            raise from_state(found[1].decode() if found else "", f"psql ended with {writing.returncode}")
        if reading.wait() != 0:
            raise _damaged(copy, reading)


def _damaged(copy: Path, program: Popen[bytes]) -> DamagedError:
    return DamagedError(f"The file {copy}", detail=f"pg_restore ended with {program.returncode}")


@contextmanager
def _running(
    *command: str, at: Address | None = None, stdin: int = DEVNULL, stderr: int | IO[bytes] = DEVNULL
) -> Iterator[Popen[bytes]]:
    """A program that is started, and ended when something goes wrong here."""
    environment = os.environ if at is None else at.environment()
    try:
        program = Popen(command, env=environment, stdin=stdin, stdout=PIPE, stderr=stderr)  # noqa: S603 (no shell)
    except OSError:
        raise StorageError(
            f"{command[0]} is missing; install PostgreSQL's client programs (postgresql-client on Debian and Ubuntu)."
        ) from None
    with program:
        try:
            yield program
        except BaseException:
            program.kill()
            raise
