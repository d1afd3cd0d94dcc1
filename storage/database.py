"""What a database promises, of whichever kind: transactions, migrations, copies, and a look at its own health.

Begin here, then `sqlite` or `postgres` for how each kind keeps the promises. Knows the schema's revision; what is read
and written is `store`'s.
"""

from __future__ import annotations

import asyncio
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import URL, Connection, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from storage.errors import (
    DRIVER_ERRORS,
    ForeignDatabaseError,
    NewerDatabaseError,
    StorageError,
    WrongUrlError,
    translated,
)

REVISION: Final = "0004"
"""The newest migration. It is written here too, so that a start with nothing to migrate need not import Alembic."""

VERSIONS: Final = "alembic_version"
"""The table in which Alembic keeps the revision."""

BUSY_SECONDS = 5.0
"""How long others, or a server that is away, are waited for before `BusyError`."""

_FORMS: Final = "begin with sqlite:/// or postgresql+asyncpg://"

Result = TypeVar("Result")


class Database(ABC):
    """An open database. `close` it. Safe to use from many tasks, and beside other processes.

    Whatever it raises is a StorageError, or comes from the work that it was given.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        """How it may be named to a person and in a log; never holds a password."""

    @abstractmethod
    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Do some reading in a transaction of its own, which sees one state."""

    @abstractmethod
    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Do some reading and writing in a transaction of its own, and commit it: when this returns, it is kept.

        A transaction goes on to its end when the caller is cancelled. `work` may be run again in a new one: when others
        came between, when the connection was lost, even when a commit got no answer and was done after all. So it
        changes nothing but the database, and looks first whether it was done. UnsureError when that could not be
        found out; after any other error nothing is changed.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give the connections back."""

    @abstractmethod
    async def forget_deleted(self) -> None:
        """Leave no trace in the files of what was deleted, as far as this kind of database can promise that."""

    async def bytes_to_wipe(self) -> int:
        """How much `forget_deleted` would write anew, while others wait."""
        return 0

    @abstractmethod
    async def damage(self, *, deep: bool = False) -> tuple[str, ...]:
        """What its own check finds wrong, and promises that it does not keep; empty when all is well.

        With `deep`, everything is read and compared that can be, however long that takes.
        """

    async def backup(self, target: Path) -> None:
        """Write a copy to a new file, for its owner alone, while others go on; StorageError when it is not whole."""
        if await self.revision() is None:
            raise StorageError(f"The database {self.label} is empty; there is nothing to copy.")
        await self._copy_out(target)

    async def restore(self, source: Path) -> None:
        """Put a copy in the place of everything, at one moment for all who read, and bring it to the newest schema.

        StorageError, and nothing is changed, when the copy is damaged, not ours, or of a newer program.
        """
        await self._copy_in(source)
        if await self.revision() != REVISION:
            await self.upgrade()

    async def check_at_start(self) -> None:
        """Raise StorageError for what is seen quickly to be wrong."""
        return

    async def revision(self) -> str | None:
        """The revision of the schema; None for an empty database. ForeignDatabaseError for another program's."""
        return await self.read(self._revision)

    @abstractmethod
    async def upgrade(self) -> None:
        """Bring the schema to the newest revision. NewerDatabaseError when it is newer than this program."""

    @abstractmethod
    async def _copy_out(self, target: Path) -> None:
        """Write a copy, and look whether it is whole."""

    @abstractmethod
    async def _copy_in(self, source: Path) -> None:
        """Put a copy in the place of everything, once it is known to be whole, ours and not newer."""

    def _revision(self, connection: Connection) -> str | None:
        names = inspect(connection).get_table_names()
        if VERSIONS in names:
            return known_revision(connection.scalar(text(f"SELECT version_num FROM {VERSIONS}")), self.label)  # noqa: S608
        if names:
            raise ForeignDatabaseError(self.label)
        return None


async def open_database(where: str | Path, *, create: bool = True, migrate: bool = True) -> Database:
    """The database at a URL or in an SQLite file, brought to the newest schema.

    A file that is not there yet is made, for its owner alone, or is a NoDatabaseError without `create`. Without
    `migrate` it is opened as it is, unchecked, for those who look at it or put it right. Raises StorageError with the
    reason why there is none, WrongUrlError among them.
    """
    database = await _of_its_kind(_parsed(where), create=create)
    if not migrate:
        return database
    try:
        await database.check_at_start()
        if await database.revision() != REVISION:
            await database.upgrade()
    except BaseException:
        await database.close()
        raise
    return database


def _parsed(where: str | Path) -> URL:
    # A path is never made a URL by hand: it may hold a question mark.
    if isinstance(where, Path):
        return URL.create("sqlite", database=str(where))
    try:
        return make_url(where)
    except (ArgumentError, ValueError):
        # The text itself is not repeated: it may hold a password.
        raise WrongUrlError(_FORMS) from None


async def _of_its_kind(url: URL, *, create: bool) -> Database:
    match url.drivername:
        case "sqlite" | "sqlite+aiosqlite" | "sqlite+pysqlite":
            from storage.sqlite import SqliteDatabase

            return await SqliteDatabase.open(url, create=create)
        case "postgresql+asyncpg" | "postgresql" | "postgres":
            try:
                from storage.postgres import PostgresDatabase
            except ModuleNotFoundError as error:
                if error.name != "asyncpg":
                    raise
                raise WrongUrlError(
                    "name an SQLite file, or PostgreSQL's driver must be installed: pip install 'nextreel[postgres]'"
                ) from None
            return await PostgresDatabase.open(url)
        case _:
            raise WrongUrlError(_FORMS)


def known_revision(found: object, label: str) -> str:
    """A revision that one of our programs can have written. ForeignDatabaseError when it is none."""
    if isinstance(found, str) and re.fullmatch(r"\d{4}", found):
        return found
    raise ForeignDatabaseError(label)


def check_not_newer(revision: str, label: str) -> None:
    """Raise NewerDatabaseError for a revision that this program does not know yet."""
    if revision > REVISION:
        raise NewerDatabaseError(label)


def make_new_file(path: Path) -> None:
    """Make an empty file, for its owner alone. StorageError when there is one already, or it can't be made."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise StorageError(f"There is a file {path} already; it is never written over.") from None
    except OSError as error:
        raise StorageError(f"The file {path} can't be made: {_reason(error)}.", detail=repr(error)) from error


def first_bytes(path: Path, count: int) -> bytes:
    """How a file begins, which says what it is. StorageError when there is none or it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except FileNotFoundError:
        raise StorageError(f"There is no file {path}.") from None
    except OSError as error:
        raise StorageError(f"The file {path} can't be read: {_reason(error)}.", detail=repr(error)) from error


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()


async def to_its_end(work: Coroutine[None, None, Result]) -> Result:
    """Await some work; when we are cancelled, let it end first.

    A driver's call that is broken off goes on in its thread, and would leave a transaction open on a connection that
    others are given next. Errors of the database become ours.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except DRIVER_ERRORS as error:
        # Without the cause, whose text may hold what people said, but with the place where it arose.
        raise translated(error).with_traceback(error.__traceback__) from None
    finally:
        if not task.done():
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio does not report it: who would hear it has gone
