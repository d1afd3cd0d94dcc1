"""Opening a database: the file, the promises of every connection, and the migrations.

Knows the schema's revision and SQLite's settings; what is read and written is `store`'s and `changes`'.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import URL, Connection, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from storage.errors import BusyError, NoDatabaseError, StorageError, WrongUrlError, translated

REVISION: Final = "0001"
"""The newest migration. It is written here too, so that a start with nothing to migrate need not import Alembic."""

BUSY_SECONDS = 5.0
"""How long a connection waits for the others before `BusyError`."""

BEGIN: Final = "nextreel_begin"
"""The execution option that says how a transaction begins on SQLite; without it, for writing."""
READING: Final = "BEGIN"
NO_TRANSACTION: Final = ""
_WRITING: Final = "BEGIN IMMEDIATE"

_Result = TypeVar("_Result")


async def open_engine(where: str | Path, *, create: bool) -> AsyncEngine:
    """An engine on a database of the newest schema, by URL or file.

    StorageError says why there is none: WrongUrlError, NoDatabaseError without `create`, or what else is in the way.
    """
    # A path is never made a URL by hand: it may hold a question mark.
    parsed = URL.create("sqlite+aiosqlite", database=str(where)) if isinstance(where, Path) else _parsed(where)
    path = Path(parsed.database or "")
    await asyncio.to_thread(_prepare_file, path, create=create)
    engine = create_async_engine(parsed, connect_args={"isolation_level": None}, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin)
    try:
        await _patiently(lambda: _migrate(engine, path))
    except BaseException:
        await engine.dispose()
        raise
    return engine


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
        cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")  # first: the next may have to wait
        cursor.execute("PRAGMA journal_mode = WAL")
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    # The driver's own BEGIN is deferred: two that read and then write would overwrite each other or fail at once.
    begin = connection.get_execution_options().get(BEGIN, _WRITING)
    if begin:
        connection.exec_driver_sql(begin)


async def _patiently(step: Callable[[], Awaitable[_Result]]) -> _Result:
    """Repeat a step that others keep from its turn: going over to WAL does not wait by `busy_timeout`."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return await step()
        except SQLAlchemyError as error:
            ours = translated(error)
            if not isinstance(ours, BusyError) or time.monotonic() > deadline:
                raise ours from error
        await asyncio.sleep(0.05)


async def _migrate(engine: AsyncEngine, path: Path) -> None:
    async with engine.execution_options(**{BEGIN: READING}).connect() as connection:
        revision = await _revision(connection, path)
    if revision == REVISION:
        return
    from storage.migrations import upgrade

    async with engine.begin() as connection:
        await connection.run_sync(upgrade, path)


async def _revision(connection: AsyncConnection, path: Path) -> str | None:
    """The revision of the database; None for an empty one."""
    names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    if "alembic_version" in names:
        revision: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision
    if names:
        raise StorageError(f"The database {path} belongs to another program.")
    return None
