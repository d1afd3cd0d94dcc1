"""SQLite: its file, the promises of every connection, and its one writer at a time.

Knows pragmas, permissions and locks, and nothing of what is kept.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from storage import database
from storage.database import Database, Result, to_its_end
from storage.errors import BusyError, NoDatabaseError, StorageError, WrongUrlError

# The execution option that says how a transaction begins; without it, for writing.
_BEGIN: Final = "nextreel_begin"
_READING: Final = "BEGIN"
_WRITING: Final = "BEGIN IMMEDIATE"
_NO_TRANSACTION: Final = ""


class SqliteDatabase(Database):
    """A database in an SQLite file; its connections live in threads."""

    def __init__(self, engine: AsyncEngine, path: Path) -> None:
        super().__init__(str(path))
        self._engine = engine
        self._reading = engine.execution_options(**{_BEGIN: _READING})
        self._bare = engine.execution_options(**{_BEGIN: _NO_TRANSACTION})
        # SQLite has one writer at a time and lets the others poll; a queue within the process is fair and quicker.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, where: str | Path, *, create: bool) -> SqliteDatabase:
        """The database of a URL or a file as it is; an empty one is made when there is none and `create`."""
        # A path is never made a URL by hand: it may hold a question mark.
        parsed = URL.create("sqlite+aiosqlite", database=str(where)) if isinstance(where, Path) else _parsed(where)
        path = Path(parsed.database or "")
        await asyncio.to_thread(_prepare_file, path, create=create)
        engine = create_async_engine(parsed, connect_args={"isolation_level": None}, hide_parameters=True)
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        event.listen(engine.sync_engine, "begin", _begin)
        opened = cls(engine, path)
        try:
            await opened._connect()
        except BaseException:
            await opened.close()
            raise
        return opened

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        async def transaction() -> Result:
            async with self._reading.connect() as connection:
                return await connection.run_sync(work)

        return await to_its_end(transaction())

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        async def transaction() -> Result:
            async with self._turn, self._engine.begin() as connection:
                return await connection.run_sync(work)

        return await to_its_end(transaction())

    async def close(self) -> None:
        await self._engine.dispose()

    async def forget_deleted(self) -> None:
        """Leave no trace in the files of what was deleted. BusyError when others kept it from being finished.

        `secure_delete` alone leaves copies behind where SQLite has split a page, so the file is rebuilt, and its log
        emptied.
        """

        async def rebuild() -> None:
            async with self._turn, self._bare.connect() as connection:
                await connection.execute(text("VACUUM"))
                busy, _, _ = (await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))).one()
            if busy:
                raise BusyError(detail="others read on, so the write-ahead log could not be emptied")

        await to_its_end(rebuild())

    async def damage(self, *, deep: bool = False) -> tuple[str, ...]:
        check = "integrity_check" if deep else "quick_check"
        found = await self.read(lambda connection: connection.exec_driver_sql(f"PRAGMA {check}").scalars().all())
        return () if found == ["ok"] else tuple(str(line) for line in found)

    async def _connect(self) -> None:
        """Make the first connection; going over to WAL does not wait for others by `busy_timeout`."""
        deadline = time.monotonic() + database.BUSY_SECONDS
        while True:
            try:
                await self.read(lambda _: None)
                return
            except BusyError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.05)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        # The text itself is not repeated: it may hold a password.
        raise WrongUrlError("begin with sqlite+aiosqlite:///") from None
    if parsed.drivername != "sqlite+aiosqlite" or parsed.database in (None, "", ":memory:"):
        raise WrongUrlError("name a file, as sqlite+aiosqlite:///folder/nextreel.db does")
    return parsed


def _prepare_file(path: Path, *, create: bool) -> None:
    """Make the file, for its owner alone; SQLite gives `-wal` and `-shm` the same permissions."""
    try:
        if path.exists():
            if not path.is_file():
                raise StorageError(f"The database {path} is not a file.")
            return
        if not create:
            raise NoDatabaseError(f"There is no database at {path} yet.")
        if path.parent.exists() and not path.parent.is_dir():
            raise StorageError(f"The folder of the database, {path.parent}, is a file.")
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(
            f"The database {path} can't be made: {(error.strerror or 'unknown reason').lower()}.", detail=repr(error)
        ) from error


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {int(database.BUSY_SECONDS * 1000)}")  # first: the next may have to wait
        cursor.execute("PRAGMA journal_mode = WAL")
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    # The driver's own BEGIN is deferred: two that read and then write would overwrite each other or fail at once.
    begin = connection.get_execution_options().get(_BEGIN, _WRITING)
    if begin:
        connection.exec_driver_sql(begin)
