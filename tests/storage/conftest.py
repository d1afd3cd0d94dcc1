"""Stores on real databases of both kinds, and people who talk to them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from storage import tables
from storage.changes import Change
from storage.database import REVISION, open_database
from storage.errors import StorageError
from storage.ids import new_id
from storage.records import (
    Applied,
    IdentityKey,
    MessageId,
    MessageKey,
    PlaceKey,
    Snapshot,
)
from storage.store import Store
from tests.servers import PostgresServer

NOON = datetime(2024, 5, 10, 12, tzinfo=UTC)
ADA = IdentityKey("terminal", "", "ada")
HERE = PlaceKey("terminal", "", "", "")


@dataclass
class Talker:
    """Somebody in one place; every message comes a minute after the last."""

    store: Store
    identity: IdentityKey = ADA
    place: PlaceKey = HERE
    moment: datetime = NOON
    events: itertools.count[int] = field(default_factory=itertools.count)

    def key(self) -> MessageKey:
        """The key of a new message."""
        return MessageKey(self.identity.platform, self.identity.workspace, f"{self.identity.user}-{next(self.events)}")

    async def say(self, *changes: Change, reply: str = "Done.") -> MessageId:
        """Handle a new message with these changes; its id."""
        message_id = MessageId(new_id())
        assert (await self.deliver(self.key(), message_id, changes, reply)).done
        return message_id

    async def deliver(
        self, key: MessageKey, message_id: MessageId, changes: Sequence[Change], reply: str, expected: int | None = None
    ) -> Applied:
        """Handle a message of that key."""
        self.moment += timedelta(minutes=1)
        return await self.store.apply(
            self.identity, self.place, key, message_id, changes, reply, self.moment, expected_version=expected
        )

    async def read(self, key: MessageKey | None = None, moment: datetime | None = None) -> Snapshot:
        """What the store knows now."""
        return await self.store.read(self.identity, self.place, key or self.key(), moment or self.moment)

    async def films(self) -> list[int]:
        """The films of the history, oldest first."""
        return [watch.film_id for watch in (await self.read()).history]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a database on each kind; what asks for `path` is about SQLite's file."""
    if "kind" in metafunc.fixturenames:
        kinds = ["sqlite"] if "path" in metafunc.fixturenames else ["sqlite", "postgres"]
        metafunc.parametrize("kind", kinds)


async def refusal(url: str, **options: bool) -> str:
    """The sentence with which a database is not opened."""
    with pytest.raises(StorageError) as refused:
        await Store.open(url, **options)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


async def run(url: str, work: Callable[[Connection], object]) -> None:
    """Do something to a database as it is."""
    database = await open_database(url, migrate=False)
    try:
        await database.write(work)
    finally:
        await database.close()


class Databases:
    """PostgreSQL databases of the newest schema for one test after another: one that nobody harmed is used again."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.newest = server.new_database()
        asyncio.run(self._migrate())
        self._free: list[str] = []

    async def _migrate(self) -> None:
        await (await open_database(self.newest)).close()

    def new(self) -> str:
        """The URL of a new one with nothing in it."""
        return self.server.new_database(self.newest)

    def borrow(self) -> str:
        """The URL of one with nothing in it; give it back."""
        return self._free.pop() if self._free else self.new()

    def give_back(self, url: str) -> None:
        """Empty it: quicker by far than a new one."""
        name = url.rpartition("/")[2]
        deletes = "".join(f"DELETE FROM {table}; " for table in tables.metadata.tables)
        self.server.execute(
            "DO $$ BEGIN SET LOCAL session_replication_role = replica; "  # without checking foreign keys row by row
            f"PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' "
            f"AND pid != pg_backend_pid() AND backend_type = 'client backend'; {deletes} END $$",
            name,
        )
        self._free.append(url)


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer) -> Databases:
    """PostgreSQL databases for tests."""
    return Databases(postgres)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where SQLite's file lies, in a folder that is not there yet."""
    return tmp_path / "data" / "nextreel.db"


@pytest.fixture
def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'nextreel.db'}"
        return
    databases: Databases = request.getfixturevalue("databases")
    borrowed = databases.borrow()
    yield borrowed
    databases.give_back(borrowed)


@pytest.fixture
def empty_url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without any tables; there is no file of it yet."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'nextreel.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    made = server.new_database()
    yield made
    server.drop_database(made)


@pytest.fixture
async def set_revision(url: str) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Say, until the end of the test, that the database has another schema than it has."""

    async def change(revision: str) -> None:
        statement = f"UPDATE alembic_version SET version_num = '{revision}'"
        await run(url, lambda connection: connection.exec_driver_sql(statement))

    yield change
    await change(REVISION)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An empty store."""
    opened = await Store.open(url)
    yield opened
    await opened.close()


@pytest.fixture
def ada(store: Store) -> Talker:
    """A person."""
    return Talker(store)


@pytest.fixture
def ben(store: Store) -> Talker:
    """Somebody else."""
    return Talker(store, identity=IdentityKey("terminal", "", "ben"))
