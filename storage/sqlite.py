"""SQLite: its file, the promises of every connection, its one writer at a time, and copies of the file.

Knows pragmas, permissions and locks, and nothing of what is kept.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from storage import database
from storage.copies import SQLITE, check_kind, check_revision, refuse_newer
from storage.database import (
    VERSIONS,
    Database,
    Result,
    make_new_file,
    to_its_end,
)
from storage.errors import (
    BusyError,
    DamagedError,
    ForeignCopyError,
    ForeignDatabaseError,
    NoDatabaseError,
    StorageError,
    WrongUrlError,
)

PROMISES: dict[str, tuple[str, str | int]] = {
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "foreign_keys": ("ON", 1),
    "secure_delete": ("ON", 1),
}
"""What every connection sets, and what it must find set then."""

CHECKED_AT_START: Final = 16 * 2**20
"""Bytes of the largest file that is checked at every start: it takes some 2 ms a megabyte."""

THREADS: Final = 8
"""Transactions at the same time, all but one of them reading."""

# The execution option that says how a transaction begins; without it, for writing.
_BEGIN: Final = "nextreel_begin"
_READING: Final = "BEGIN"
_WRITING: Final = "BEGIN IMMEDIATE"
_BY_HAND: Final = ""


class SqliteDatabase(Database):
    """A database in an SQLite file.

    A transaction is done in a thread, as a whole: handing each statement over to a thread, as an asyncio driver does,
    took longer than SQLite did.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sqlite")
        self._engine = engine
        self._reading = engine.execution_options(**{_BEGIN: _READING})
        self._bare = engine.execution_options(**{_BEGIN: _BY_HAND})
        # SQLite has one writer at a time and lets the others poll; a queue within the process is fair and quicker.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, url: URL, *, create: bool) -> SqliteDatabase:
        """The database of a URL as it is; an empty one is made when there is none and `create`."""
        if url.database in (None, "", ":memory:"):
            raise WrongUrlError("name a file, as sqlite:///folder/nextreel.db does")
        if url.query:
            raise WrongUrlError("end with the name of the file, without options, as sqlite:///folder/nextreel.db does")
        path = Path(url.database)
        await asyncio.to_thread(_prepare_file, path, create=create)
        engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            connect_args={"isolation_level": None, "check_same_thread": False},
            pool_size=THREADS,
            max_overflow=0,
            hide_parameters=True,
        )
        event.listen(engine, "connect", _promise)
        event.listen(engine, "begin", _begin)
        opened = cls(engine, path)
        try:
            await opened._connect()
        except BaseException:
            await opened.close()
            raise
        return opened

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        def transaction() -> Result:
            with self._reading.connect() as connection:
                return work(connection)

        return await to_its_end(self._in_a_thread(transaction))

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        def transaction() -> Result:
            with self._engine.begin() as connection:
                return work(connection)

        return await to_its_end(self._in_turn(transaction))

    async def close(self) -> None:
        await asyncio.to_thread(self._engine.dispose)
        self._threads.shutdown()

    async def forget_deleted(self) -> None:
        """Leave no trace in the files of what was deleted. BusyError when others kept it from being finished.

        `secure_delete` alone leaves copies behind where SQLite has split a page, so the file is rebuilt, and its log
        emptied. That takes as much room again as the file, and others wait meanwhile: some 15 s a gigabyte.
        """

        def rebuild() -> None:
            with self._bare.connect() as connection:
                connection.execute(text("VACUUM"))
                busy, _, _ = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
            if busy:
                raise BusyError(detail="others read on, so the write-ahead log could not be emptied")

        await to_its_end(self._in_turn(rebuild))

    async def bytes_to_wipe(self) -> int:
        size = text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return await self.read(lambda connection: connection.execute(size).scalar_one())

    async def upgrade(self) -> None:
        """Bring the schema to the newest revision.

        Without foreign keys meanwhile, or dropping a table that is made anew would delete what refers to it; they are
        checked before the commit (https://www.sqlite.org/lang_altertable.html#otheralter).
        """
        from storage.migrations import upgrade

        def migrate() -> None:
            with self._bare.connect() as connection:
                try:
                    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                    connection.exec_driver_sql(_WRITING)
                    upgrade(connection, self.label)
                    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                        raise DamagedError(f"The database {self.label}", detail="foreign_key_check")
                    connection.commit()
                finally:
                    connection.invalidate()  # nobody else is given a connection without foreign keys

        await to_its_end(self._in_turn(migrate))

    async def check_at_start(self) -> None:
        if self._path.stat().st_size <= CHECKED_AT_START and (found := await self._check("quick_check(1)")):
            raise DamagedError(f"The database {self.label}", detail="; ".join(found))

    async def damage(self, *, deep: bool = False) -> tuple[str, ...]:
        found = await self._check("integrity_check" if deep else "quick_check")
        return found or (await self._check("foreign_key_check") if deep else ())

    async def _check(self, check: str) -> tuple[str, ...]:
        try:
            rows = await self.read(lambda connection: connection.exec_driver_sql(f"PRAGMA {check}").all())
        except DamagedError as error:
            return (error.detail,)
        return tuple(" ".join(map(str, row)) for row in rows if tuple(row) != ("ok",))

    async def _copy_out(self, target: Path) -> None:
        await to_its_end(self._in_a_thread(lambda: _copy_out(self._path, target)))

    async def _copy_in(self, source: Path) -> None:
        await to_its_end(self._in_turn(lambda: _copy_in(source, self._path)))

    async def _in_a_thread(self, transaction: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, transaction)

    async def _in_turn(self, transaction: Callable[[], Result]) -> Result:
        async with self._turn:
            return await self._in_a_thread(transaction)

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


def _promise(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Set what is promised, and look whether it is so: a file system without shared memory, for one, has no WAL."""
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {int(database.BUSY_SECONDS * 1000)}")  # first: the next may have to wait
        for pragma, (wanted, expected) in PROMISES.items():
            cursor.execute(f"PRAGMA {pragma} = {wanted}")
            cursor.execute(f"PRAGMA {pragma}")
            if (found := cursor.fetchone()) != (expected,):
                raise StorageError(
                    f"The database can't be kept safe where it lies (SQLite refuses {pragma} = {wanted}); "
                    "put it on a disk of this machine.",
                    detail=f"{pragma} is {found}",
                )
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    # The driver's own BEGIN is deferred: two that read and then write would overwrite each other or fail at once.
    begin = connection.get_execution_options().get(_BEGIN, _WRITING)
    if begin:
        connection.exec_driver_sql(begin)


def _copy_out(live: Path, target: Path) -> None:
    make_new_file(target)
    try:
        with closing(_open_to_read(live)) as source, closing(sqlite3.connect(target)) as copy:
            _copy(source, copy)
            # Of itself it would ask for a log beside it, as the live one has.
            copy.execute("PRAGMA journal_mode = DELETE")
            _verify(copy, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


async def check_copy(source: Path) -> None:
    """Raise StorageError unless the file is a copy that is whole, ours and not newer; reads it to its end."""

    def look() -> None:
        check_kind(source, SQLITE)
        with closing(_open_copy(source)) as copy:
            refuse_newer(_verify(copy, source), source)

    await to_its_end(asyncio.to_thread(look))


def _copy_in(source: Path, live: Path) -> None:
    check_kind(source, SQLITE)
    if source.samefile(live):
        raise StorageError(f"The file {source} is the database itself.")
    with closing(_open_copy(source)) as copy:
        copy.execute("BEGIN")
        refuse_newer(_verify(copy, source), source)
        with closing(sqlite3.connect(live, timeout=database.BUSY_SECONDS)) as target:
            _refuse_foreign(target, live)
            _copy(copy, target)
            # What was there before is still in the log; others that read on keep it until they are done.
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _open_copy(path: Path) -> sqlite3.Connection:
    try:
        return _open_to_read(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise DamagedError(f"The file {path}", detail=str(error)) from None


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy all pages in one transaction, so that nobody sees a mixture."""
    deadline = time.monotonic() + database.BUSY_SECONDS

    def give_up_in_time(status: int, remaining: int, total: int) -> None:  # noqa: ARG001 (sqlite3's signature)
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise BusyError(detail="others kept the database from being copied")

    source.backup(target, progress=give_up_in_time, sleep=0.05)


def _verify(connection: sqlite3.Connection, path: Path) -> str:
    """The revision of a copy. StorageError when it is damaged or not ours."""
    try:
        found = connection.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.DatabaseError as error:
        found = [(str(error),)]
    if found != [("ok",)]:
        raise DamagedError(f"The file {path}", detail=str(found))
    if not _has_versions(connection):
        raise ForeignCopyError(path)
    row = connection.execute(f"SELECT version_num FROM {VERSIONS}").fetchone()  # noqa: S608 (a name of our own)
    return check_revision(row and row[0], path)


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ForeignDatabaseError for what is another program's for certain; a damaged one may be ours."""
    try:
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        ours = empty or _has_versions(connection)
    except sqlite3.DatabaseError:
        return
    if not ours:
        raise ForeignDatabaseError(str(path))


def _has_versions(connection: sqlite3.Connection) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return connection.execute(query, (VERSIONS,)).fetchone() is not None


def _open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing; also to a file in a folder that can't be written."""
    address = path.absolute().as_uri()
    connection = sqlite3.connect(f"{address}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        # A database in WAL needs a file beside it, even to be read; alone, and with nobody writing, it does not.
        if path.with_name(f"{path.name}-wal").exists():
            raise
        connection = sqlite3.connect(f"{address}?immutable=1", uri=True, isolation_level=None)
    return connection
