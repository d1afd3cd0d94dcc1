"""The bot connects, whatever comes in between, and ends when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.conversation.message import Message
from bot.conversation.reply import Reply
from bot.slack import bot
from bot.slack.bot import Bot
from config.settings import Settings
from storage.store import Store
from tests.slack.wire import APP_TOKEN, BOT_TOKEN, Wire


class Echo:
    """A conversation that says “done”."""

    async def handle(self, message: Message) -> Reply:
        return Reply("done")


@contextlib.asynccontextmanager
async def running(wire: Wire, store: Store) -> AsyncIterator[Bot]:
    """The bot, which ends within seconds."""
    settings = Settings(slack_bot_token=BOT_TOKEN, slack_app_token=APP_TOKEN, slack_api_url=f"{wire.address}/api/")
    made = Bot(Echo(), store, settings)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        await made.close()
        await asyncio.wait_for(task, 10)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot, "PING_SECONDS", 0.1)
    monkeypatch.setattr(bot, "ADDRESS_SECONDS", 0.2)


async def test_an_address_that_is_good_no_more_is_not_tried_for_ever(path: Path, store: Store) -> None:
    async with Wire() as wire:
        wire.turns_away = 1
        async with running(wire, store):
            await asyncio.wait_for(wire.connected.wait(), 10)
            sent = await wire.command("U0ADA", "/next")
            await wire.until(lambda: sent.answered_at, 10)
        assert len(wire.called("apps.connections.open")) > 1


async def test_it_ends_also_while_it_can_not_connect(path: Path, store: Store) -> None:
    async with Wire() as wire:
        wire.turns_away = 1_000
        async with running(wire, store):
            await wire.until(lambda: wire.turns_away < 1_000, 10)
        assert not wire.connected.is_set()


async def test_what_other_bots_are_told_is_not_taken_for_its_own(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BOT_TOKEN", "APP_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "SIGNING_SECRET"):
        monkeypatch.setenv(f"SLACK_{name}", "another bot's")
    async with Wire() as wire, running(wire, store):
        await asyncio.wait_for(wire.connected.wait(), 10)
        sent = await wire.command("U0ADA", "/next")
        await wire.until(lambda: sent.answered_at, 10)
