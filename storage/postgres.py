"""PostgreSQL: its URL, the settings of every connection, and trying again.

Knows timeouts, isolation and SQLSTATEs, and nothing of what is kept; copies are `dumps`'. A database there is
Nextreel's alone, on a server of version 13 or newer.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # it brings no types
from sqlalchemy import URL, Connection, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from storage import database, dumps
from storage.copies import refuse_newer
from storage.database import VERSIONS, Database, Result, check_not_newer, to_its_end
from storage.errors import (
    DRIVER_ERRORS,
    AwayError,
    BusyError,
    StorageError,
    UnsureError,
    WrongUrlError,
    translated,
)

CONNECT_SECONDS: Final = 5.0
STATEMENT_SECONDS: Final = 10.0
"""No statement of a conversation takes near as long; one that does waits for what will not come."""
IDLE_SECONDS: Final = 30.0
"""After this the server lets go of what a machine held that went away in the middle of a transaction."""
UNHURRIED_SECONDS: Final = 60.0
"""How long a migration or a restore waits until others let go of the tables."""
CONNECTIONS: Final = 10
"""At most, a process; a server has 100 unless it is told otherwise."""

_RACES: Final = frozenset({"40001", "40P01", "23505", "0A000"})
"""Serialization, deadlock, something unique that another made meanwhile, a plan from before a migration."""
_MOST_RACES: Final = 5
_STARTING: Final = "57P03"
_MIGRATING: Final = 0x4E455854
"""The number of the advisory lock that one migration holds at a time."""


class PostgresDatabase(Database):
    """A database of a PostgreSQL server."""

    def __init__(self, url: URL) -> None:
        host = url.host or url.query.get("host", "localhost")
        super().__init__(f"{host}{f':{url.port}' if url.port else ''}/{url.database}")
        self._address = dumps.Address.of(url)
        self._engine = self._open_engine(
            STATEMENT_SECONDS,
            database.BUSY_SECONDS,
            pool_size=CONNECTIONS // 2,  # the others are closed when they are not needed
            max_overflow=CONNECTIONS - CONNECTIONS // 2,
            pool_timeout=database.BUSY_SECONDS,
        )
        self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._unhurried = self._open_engine(0, UNHURRIED_SECONDS, poolclass=NullPool)
        self._has_schema = False

    @classmethod
    async def open(cls, url: URL) -> PostgresDatabase:
        """The database of a URL as it is. AwayError when nobody answers there; StorageError with what is wrong."""
        _check(url)
        opened = cls(url)
        try:
            await opened._connect()
        except BaseException:
            await opened.close()
            raise
        return opened

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        def see_one_state(connection: Connection) -> Result:
            # Who waits for a table that is replaced meanwhile finds it empty, unless it waits before it sees anything
            # (https://www.postgresql.org/docs/current/mvcc-caveats.html). Who replaces tables takes this lock first.
            if self._has_schema:
                connection.exec_driver_sql(f"LOCK TABLE {VERSIONS} IN ACCESS SHARE MODE")
            return work(connection)

        return await _persistently(lambda: to_its_end(_read(self._reading, see_one_state)))

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        return await _persistently(lambda: to_its_end(_write(self._engine, work)))

    async def close(self) -> None:
        await self._engine.dispose()
        await self._unhurried.dispose()

    async def forget_deleted(self) -> None:
        """Nothing: a deleted row stays in the server's files until it makes room, and in its log and replicas longer.

        When that happens is the server's to decide (autovacuum, the age of its write-ahead log).
        """

    async def revision(self) -> str | None:
        found = await super().revision()
        self._has_schema = found is not None
        return found

    async def upgrade(self) -> None:
        from storage.migrations import upgrade

        def migrate(connection: Connection) -> None:
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
            if inspect(connection).has_table(VERSIONS):
                connection.exec_driver_sql(f"LOCK TABLE {VERSIONS} IN ACCESS EXCLUSIVE MODE")
            upgrade(connection, self.label)

        await _persistently(lambda: to_its_end(_write(self._unhurried, migrate)))
        self._has_schema = True

    async def damage(self, *, deep: bool = False) -> tuple[str, ...]:
        found = await self.read(_broken_promises)
        if not deep:
            return found
        tables = await self.read(lambda connection: inspect(connection).get_table_names())
        return (*found, *[line for table in tables for line in await self._unreadable(table)])

    async def _unreadable(self, table: str) -> tuple[str, ...]:
        """What keeps a table from being read from its first to its last row."""

        def read_all(connection: Connection) -> None:
            quoted = connection.dialect.identifier_preparer.quote(table)
            connection.exec_driver_sql(f"SELECT sum(length(CAST(t AS text))) FROM {quoted} AS t")  # noqa: S608 (quoted)

        try:
            await to_its_end(_read(self._unhurried, read_all))
        except AwayError:
            raise
        except StorageError as error:
            return (f"the table {table} can't be read to its end ({error.detail})",)
        return ()

    async def _copy_out(self, target: Path) -> None:
        await to_its_end(asyncio.to_thread(dumps.dump, self._address, target))

    async def _copy_in(self, source: Path) -> None:
        found = await to_its_end(asyncio.to_thread(dumps.revision, source))
        refuse_newer(found, source)
        check_not_newer(await self.revision() or "", self.label)

        def put_in() -> None:
            dumps.restore(self._address, source, lock_seconds=UNHURRIED_SECONDS)

        await _persistently(lambda: to_its_end(asyncio.to_thread(put_in)))

    async def _connect(self) -> None:
        """Make the first connection. Only a server that is just starting is waited for."""
        deadline = time.monotonic() + database.BUSY_SECONDS
        while True:
            try:
                await to_its_end(_read(self._reading, _check_version))
                return
            except AwayError as error:
                if not error.state:  # nobody answered
                    sentence = (
                        f"The database {self.label} can't be reached; see that its server runs, and that this is where."
                    )
                    raise AwayError(sentence, detail=error.detail) from None
                if error.state != _STARTING or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)

    def _open_engine(self, statement_seconds: float, lock_seconds: float, **pool: Any) -> AsyncEngine:
        settings = {
            "application_name": "nextreel",
            "statement_timeout": f"{statement_seconds}s",
            "lock_timeout": f"{lock_seconds}s",
            "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
            "jit": "off",  # it takes longer than any of our statements
        }

        async def connect() -> Any:
            try:
                return await asyncpg.connect(
                    self._address.url,
                    password=self._address.password,
                    timeout=CONNECT_SECONDS,
                    # The server breaks off before that; this is for one that does not answer any more.
                    command_timeout=statement_seconds * 1.2 or None,
                    server_settings=settings,
                )
            except (asyncpg.ClientConfigurationError, asyncpg.UndefinedObjectError, ValueError):
                raise WrongUrlError("end in no options but PostgreSQL's (sslmode, sslrootcert and so on)") from None

        return create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connect,
            isolation_level="READ COMMITTED",
            hide_parameters=True,
            **pool,
        )


async def _read(engine: AsyncEngine, work: Callable[[Connection], Result]) -> Result:
    async with engine.connect() as connection:
        return await connection.run_sync(work)


async def _write(engine: AsyncEngine, work: Callable[[Connection], Result]) -> Result:
    committing = False
    try:
        async with engine.connect() as connection:
            result = await connection.run_sync(work)
            committing = True
            await connection.commit()
    except DRIVER_ERRORS as error:
        lost = translated(error)
        if committing and isinstance(lost, AwayError):
            raise UnsureError(detail=lost.detail) from None
        raise
    return result


async def _persistently(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Try again what others came between, a few times, and what found no server, for as long as we wait.

    When a commit got no answer, it is done again as well: the server can't be asked about it for certain, since after a
    crash it gives the numbers of transactions that were lost to others. Who does it again finds it done.
    """
    deadline = time.monotonic() + database.BUSY_SECONDS
    pause, races, unsure = 0.02, 0, False
    while True:
        try:
            return await attempt()
        except StorageError as error:
            races += error.state in _RACES
            unsure |= isinstance(error, UnsureError)
            away = isinstance(error, AwayError | UnsureError) and time.monotonic() < deadline
            raced = error.state in _RACES and races <= _MOST_RACES
            if not away and not raced:
                if unsure and isinstance(error, BusyError):
                    raise UnsureError(detail=error.detail) from None
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 (so that two do not meet again)
        pause = min(pause * 2, 0.25)


def _check(url: URL) -> None:
    """Raise WrongUrlError for what we would not take as it was meant."""
    if not url.database:
        raise WrongUrlError("name a database, as postgresql+asyncpg://user:password@host/nextreel does")
    if "@" in f"{url.host}{url.database}":
        raise WrongUrlError("have %40 for @, %2F for / and %3A for : in its password")
    if {"password", "sslpassword", "passfile", "service"} & set(url.query):
        raise WrongUrlError("have its password before the host, as postgresql+asyncpg://user:password@host/nextreel")


def _check_version(connection: Connection) -> None:
    version = connection.dialect.server_version_info or ()
    if version < (13,):
        raise StorageError("The server of the database is too old; PostgreSQL 13 or newer is needed.")


def _broken_promises(connection: Connection) -> tuple[str, ...]:
    kept = connection.execute(
        text(
            "SELECT name FROM pg_settings WHERE setting = 'off'"
            " AND name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name"
        )
    )
    unsafe = [f"{name} is off, so what was confirmed may be lost in a power cut" for name in kept.scalars()]
    failures = connection.scalar(
        text("SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()")
    )
    rotten = [f"{failures} pages did not have what was written to them"] if failures else []
    invalid = connection.scalars(text("SELECT CAST(indexrelid AS regclass)::text FROM pg_index WHERE NOT indisvalid"))
    return (*unsafe, *rotten, *(f"the index {name} is not valid" for name in invalid))
