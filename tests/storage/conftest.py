"""A store on a real SQLite file, and a person who talks to it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.changes import Change
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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database lies, in a folder that is not there yet."""
    return tmp_path / "data" / "nextreel.db"


@pytest.fixture
def url(path: Path) -> str:
    """The URL of that database."""
    return f"sqlite+aiosqlite:///{path}"


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
