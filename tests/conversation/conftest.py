"""A real store, the real recommender on the bundle that ships, and people who talk to them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
import pytest_asyncio

from bot.conversation.dialogue import Dialogue
from engine import bundle
from engine.recommender import Recommender
from storage.store import Store
from tests.conversation.person import Person


@pytest.fixture(scope="session")
def recommender() -> Recommender:
    return Recommender(bundle.load(bundle.STARTER), provider="cpu")


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'watches.db'}")
    yield opened
    await opened.close()


@pytest.fixture
def ada(store: Store, recommender: Recommender) -> Person:
    return Person(Dialogue(store, recommender, zone=UTC), store, recommender)


@pytest.fixture
def ada_elsewhere(ada: Person) -> Person:
    """The same person on another platform, which the bot does not know yet."""
    return replace(ada, platform="discord", name="4711")


@pytest.fixture
def bob(ada: Person) -> Person:
    return replace(ada, name="bob")
