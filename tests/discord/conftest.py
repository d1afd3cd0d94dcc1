"""The real bot on a simulated Discord, with a real store and the model that ships; whatever it sends is examined."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC
from pathlib import Path

import pytest
import pytest_asyncio
import simcord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle

from bot.conversation.dialogue import Dialogue
from bot.discord import answering
from bot.discord.bot import Bot
from engine import bundle
from engine.recommender import Recommender
from storage.store import Store
from tests.discord import schema
from tests.discord.world import World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A busy machine may take longer than the five seconds for which simcord waits for the bot."""
    for item in items:
        if "simcord_env" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.simcord(settle_timeout=60.0))


@pytest.fixture(scope="session")
def recommender() -> Recommender:
    return Recommender(bundle.load(bundle.STARTER), provider="cpu")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the newest schema with nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "watches.db"

    async def make() -> None:
        await (await Store.open(f"sqlite:///{path}")).close()

    asyncio.run(make())
    return path


@pytest_asyncio.fixture
async def store(tmp_path: Path, empty_database: Path) -> AsyncIterator[Store]:
    shutil.copy(empty_database, tmp_path / "watches.db")
    opened = await Store.open(f"sqlite:///{tmp_path / 'watches.db'}")
    yield opened
    await opened.close()


@pytest.fixture
def dialogue(store: Store, recommender: Recommender) -> Iterator[Dialogue]:
    made = Dialogue(store, recommender, zone=UTC)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, an answer is not put off: tests of slow answers say so (`test_robustness.Slow`)."""
    monkeypatch.setattr(answering, "GRACE", 60.0)


@pytest.fixture
def simcord_bot(dialogue: Dialogue, store: Store) -> Bot:
    bot = Bot(dialogue, store)
    bot.shard_count = 1
    return bot


@pytest.fixture
def guild(simcord_env: simcord.Env) -> GuildHandle:
    return simcord_env.create_guild("Film Club")


@pytest.fixture
def films(guild: GuildHandle) -> ChannelHandle:
    return guild.create_text_channel("films")


@pytest.fixture
def ada(simcord_env: simcord.Env, guild: GuildHandle) -> MemberActor:
    return guild.add_member(simcord_env.create_user("ada"))


@pytest.fixture
def bob(simcord_env: simcord.Env, guild: GuildHandle) -> MemberActor:
    return guild.add_member(simcord_env.create_user("bob"))


@pytest.fixture
def world(simcord_env: simcord.Env, store: Store, recommender: Recommender, films: ChannelHandle) -> World:
    return World(simcord_env, store, recommender, films)


@pytest.fixture(autouse=True)
def examined(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test: no request of it is over a limit, or may ping anybody, and Discord's schema takes them all."""
    if "simcord_env" not in request.fixturenames:
        yield
        return
    env: simcord.Env = request.getfixturevalue("simcord_env")
    yield
    bodies = [(entry.method, entry.path, entry.json) for entry in env.http_requests if entry.json is not None]
    assert bodies
    for method, path, body in bodies:
        assert not list(schema.over_limits(body)), f"{method} {path}"
        if "/commands" not in path:
            assert not list(schema.pings(body)), f"{method} {path} {body}"
    if schema.file() is None:
        return  # `test_schema.py` says that it is not there
    for method, path, body in bodies:
        assert schema.complaint(method, path, body) is None, schema.complaint(method, path, body)
