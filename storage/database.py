"""What a database promises, of whichever kind: transactions, migrations, copies, and a look at its own health.

Begin here, then `sqlite` or `postgres` for how each kind keeps the promises. Knows the schema's revision; what is read
and written is `store`'s and `changes`'.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from storage.errors import StorageError, translated

REVISION: Final = "0002"
"""The newest migration. It is written here too, so that a start with nothing to migrate need not import Alembic."""

BUSY_SECONDS = 5.0
"""How long a connection waits for the others before `BusyError`."""

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

        It goes on to its end when the caller is cancelled. `work` may be run again, in a new transaction, when others
        came between or the connection was lost; so it changes nothing but the database.
        """

    @abstractmethod
    async def close(self) -> None:
        """Give the connections back."""

    @abstractmethod
    async def forget_deleted(self) -> None:
        """Leave no trace in the files of what was deleted, as far as this kind of database can promise that."""

    @abstractmethod
    async def damage(self, *, deep: bool = False) -> tuple[str, ...]:
        """What its own check finds wrong, and promises that it does not keep; empty when all is well.

        With `deep`, everything is read and compared that can be, however long that takes.
        """

    async def check_at_start(self) -> None:
        """Raise StorageError for what is seen quickly to be wrong."""
        return

    async def revision(self) -> str | None:
        """The revision of the schema; None for an empty database. StorageError when it belongs to another program."""
        return await self.read(self._revision)

    async def upgrade(self) -> None:
        """Bring the schema to the newest revision. StorageError when it is newer than this program."""
        from storage.migrations import upgrade

        await self.write(lambda connection: upgrade(connection, self.label))

    def _revision(self, connection: Connection) -> str | None:
        names = inspect(connection).get_table_names()
        if "alembic_version" in names:
            revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return revision
        if names:
            raise StorageError(f"The database {self.label} belongs to another program.")
        return None


async def open_database(where: str | Path, *, create: bool = True, migrate: bool = True) -> Database:
    """The database at a URL or in an SQLite file, brought to the newest schema.

    A file that is not there yet is made, for its owner alone, or is a NoDatabaseError without `create`. Without
    `migrate` it is opened as it is, unchecked, for those who look at it or put it right. Raises StorageError with the
    reason why there is none, WrongUrlError among them.
    """
    from storage.sqlite import SqliteDatabase

    database = await SqliteDatabase.open(where, create=create)
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


async def to_its_end(work: Coroutine[None, None, Result]) -> Result:
    """Await some work; when we are cancelled, let it end first.

    A driver's call that is broken off goes on in its thread, and would leave a transaction open on a connection that
    others are given next. Errors of the database become ours.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except SQLAlchemyError as error:
        raise translated(error) from error
    finally:
        if not task.done():
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio does not report it: who would hear it has gone
