"""Events that are written down are answered: in order, once, with a sentence when something breaks, again when a reply
could not be sent; and by the real conversation, votes and settings of a workspace included."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.dialogue import Dialogue
from bot.conversation.message import Message
from bot.conversation.reply import Reply
from bot.slack import answering
from bot.slack.answering import MAX_NAMED, Answering, Conversation
from bot.slack.workspaces import Api, BotToken, Workspaces
from engine import bundle
from engine.recommender import Recommender
from storage.inbox import LEASE, Inbox
from storage.store import Store
from tests.slack.wire import BOT, BOT_TOKEN, BOT_USER, CHANNEL, TEAM, Wire, code_of, shown

ADA, BOB = "U0ADA", "U0BOB"


class Installed:
    """The app in one workspace, by a token that may change."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def token_of(self, enterprise: str | None, team: str) -> BotToken | None:
        return BotToken(self.token, BOT_USER, BOT, TEAM)

    async def forget(self, enterprise: str | None, team: str) -> None:
        """It stays."""


class World:
    """A Slack that listens, and a bot without a door: events are handed in."""

    def __init__(
        self, wire: Wire, api: Api, store: Store, conversation: Conversation, *, token: str = BOT_TOKEN
    ) -> None:
        self.wire = wire
        self.inbox = Inbox(store.database)
        self.installed = Installed(token)
        self.answering = Answering(conversation, self.inbox, store, Workspaces(api, self.installed), api)

    async def done(self, *payloads: dict[str, Any]) -> None:
        """Take events in, and answer them."""
        for payload in payloads:
            self.wire.expect(payload)
            if received := await self.answering.accept(payload):
                self.answering.begin(received)
        await self.answering.finish(30)

    def said(self, method: str = "answer") -> str:
        """What was sent last in that way."""
        return shown(Wire.decoded(self.wire.called(method)[-1].body)["blocks"])


@pytest.fixture
async def made(path: Path, store: Store) -> AsyncIterator[Callable[[Conversation], World]]:
    async with Wire() as wire:
        api = Api(f"{wire.address}/api/")
        yield lambda conversation: World(wire, api, store, conversation)
        await api.close()


class Told:
    """A conversation that says what it was told, or breaks."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.broken = self.silent = False

    async def handle(self, message: Message) -> Reply:
        if self.broken:
            raise RuntimeError("a secret of somebody's")
        await asyncio.sleep(0.05 if not self.heard else 0)
        self.heard.append(message)
        return Reply("" if self.silent else getattr(message, "text", "done"))


async def test_what_one_person_says_is_answered_in_its_order(made) -> None:
    told = Told()
    world = made(told)
    await world.done(*(world.wire.message(ADA, f"say {number}") for number in range(5)))
    assert [message.text for message in told.heard] == [f"say {number}" for number in range(5)]
    assert {message.origin.time_zone for message in told.heard} == {"America/New_York"}
    assert len(world.wire.called("users.info")) == 1


async def test_a_second_delivery_is_not_answered(made) -> None:
    told = Told()
    world = made(told)
    body = world.wire.message(ADA, "hello")
    await world.done(body, dict(body))
    await world.done(dict(body))
    assert len(told.heard) == 1


async def test_what_breaks_is_a_sentence_with_an_id_that_the_log_has_too(made, capsys) -> None:
    told = Told()
    told.broken = True
    world = made(told)
    await world.done(world.wire.message(ADA, "hello"), world.wire.command_payload(ADA, "/next"))
    said = [world.said("chat.postEphemeral"), world.said("answer")]
    log = capsys.readouterr().out
    for sentence in said:
        found = re.search(r"Something went wrong on my side.*\(([0-9a-f]{6})\)", sentence)
        assert found
        assert found[1] in log
        assert "secret" not in sentence
    assert "a secret of somebody" not in log


async def test_what_breaks_is_told_in_ones_own_language(made) -> None:
    told = Told()
    told.broken = True
    world = made(told)
    world.wire.users[ADA] = {"locale": "de-DE"}
    await world.done(world.wire.message(ADA, "hello"))
    assert "Bei mir ist etwas schiefgegangen" in world.said("chat.postEphemeral")


async def test_in_the_assistant_nothing_stays_that_says_it_is_at_work(made) -> None:
    told = Told()
    world = made(told)

    def message() -> dict[str, Any]:
        said: dict[str, Any] = world.wire.message(ADA, "hello", kind="message", channel="D0ADA", thread_ts="5.0")
        return said

    def statuses() -> list[str]:
        return [asked.body["status"] for asked in world.wire.called("assistant.threads.setStatus")]

    await world.done(message())  # a message ends it
    assert len(statuses()) == 1
    told.silent = True
    await world.done(message())
    assert statuses()[2:] == [""]
    told.broken = True
    await world.done(message())
    assert world.wire.requests[-1].method == "chat.postMessage"


async def test_of_many_who_are_named_slack_is_not_asked_for_each(made) -> None:
    told = Told()
    world = made(told)
    named = [f"<@U{number:04}>" for number in range(MAX_NAMED + 20)]
    await world.done(world.wire.message(ADA, f"a film for {' '.join(named)}"))
    assert len(told.heard[0].people) == MAX_NAMED
    assert len(world.wire.called("users.info")) == MAX_NAMED + 1


async def test_what_comes_at_the_end_is_left_to_the_next_start(made) -> None:
    told = Told()
    world = made(told)
    world.answering.take_nothing_new()
    await world.done(world.wire.message(ADA, "hello"))
    assert not told.heard
    assert len(await world.inbox.take_up(datetime.now(UTC) + LEASE)) == 1


async def test_a_reply_that_could_not_be_sent_is_sent_later(made) -> None:
    told = Told()
    world = made(told)
    world.wire.refused["chat.postMessage"] = "fatal_error"
    await world.done(world.wire.message(ADA, "hello"))
    del world.wire.refused["chat.postMessage"]
    (left,) = await world.inbox.take_up(datetime.now(UTC) + LEASE)
    world.answering.begin(left)
    await world.answering.finish(30)
    assert world.said("chat.postMessage").strip() == "hello"
    assert await world.inbox.take_up(datetime.now(UTC) + 3 * LEASE) == []


async def test_where_the_app_was_installed_anew_the_new_token_is_taken(path: Path, store: Store) -> None:
    async with Wire() as wire:
        api = Api(f"{wire.address}/api/")
        world = World(wire, api, store, Told(), token="xoxb-revoked")
        await world.done(wire.message(ADA, "hello"))
        world.installed.token = BOT_TOKEN
        (left,) = await world.inbox.take_up(datetime.now(UTC) + LEASE)
        world.answering.begin(left)
        await world.answering.finish(30)
        assert await world.inbox.take_up(datetime.now(UTC) + 3 * LEASE) == []
        await api.close()


async def test_what_is_answered_with_nothing_is_answered_with_nothing(made) -> None:
    told = Told()
    told.silent = True
    world = made(told)
    await world.done(world.wire.command_payload(ADA, "/nextreel", "what next?"), world.wire.message(ADA, "what next?"))
    assert len(told.heard) == 2
    assert {asked.method for asked in world.wire.requests} == {"users.info"}


async def test_who_somebody_is_is_not_needed_to_answer_them(made) -> None:
    told = Told()
    world = made(told)
    world.wire.refused["users.info"] = "missing_scope"
    await world.done(world.wire.message(ADA, "with <@U0BOB>"))
    (message,) = told.heard
    assert (message.origin.time_zone, message.origin.locale) == (None, "en")
    assert [person.identity.user for person in message.people] == [BOB]


async def test_a_form_for_which_there_is_no_time_any_more_is_said_in_words(made) -> None:
    told = Told()
    world = made(told)
    world.wire.refused["views.open"] = "expired_trigger_id"
    await world.done(world.wire.command_payload(ADA, "/watched"))
    assert [message.name for message in told.heard] == ["watched"]
    pressed = world.wire.interaction(
        "block_actions", ADA, container={"type": "message", "message_ts": "1.0", "channel_id": CHANNEL},
        channel={"id": CHANNEL}, actions=[{"type": "button", "action_id": "open:log", "value": "open:log"}],
    )  # fmt: skip
    await world.done(pressed)
    assert "could not open a form" in world.said("chat.postEphemeral")
    await world.done(world.wire.interaction("shortcut", ADA, callback_id="log"))
    assert "could not open a form" in world.said("chat.postMessage")


async def test_a_form_does_not_wait_for_slack_to_say_who_somebody_is(made, monkeypatch) -> None:
    monkeypatch.setattr(answering, "PROFILE_FOR_A_FORM", 0.05)
    world = made(Told())
    world.wire.limited.append("users.info")
    await world.done(world.wire.command_payload(ADA, "/watched"))
    assert world.wire.called("views.open")
    assert len(world.wire.called("users.info")) == 1  # and told to come a second later


async def test_what_is_typed_into_a_field_is_answered_in_ones_own_language(made) -> None:
    world = made(Told())
    world.wire.users[ADA] = {"locale": "de-DE"}
    await world.done(world.wire.command_payload(ADA, "/watched"))
    typing = world.wire.interaction("block_suggestion", ADA, action_id="film", block_id="film", value="qwertz")
    assert (await world.answering.complete(typing))[0]["text"]["text"] == "„qwertz“, wie getippt"


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    return Recommender(bundle.load(bundle.STARTER), provider="cpu")


class TestTheRealConversation:
    async def test_what_is_private_stays_so_in_two_peoples_direct_messages(self, world: World) -> None:
        await world.done(world.wire.message(ADA, "add Heat to my watchlist", kind="message", channel="D0ADA"))
        await world.done(world.wire.command_payload(ADA, "/nextreel", "watchlist", channel="D0OTHERS"))
        shown_there = {**world.wire.called("answer")[-1].body, "ts": "9.0"}
        assert shown_there["response_type"] == "ephemeral"
        await world.done(world.wire.command_payload(ADA, "/nextreel", "watchlist", channel="D0ADA"))
        kept = {**world.wire.called("answer")[-1].body, "ts": "9.5"}
        assert kept["response_type"] == "in_channel"
        await world.done(world.wire.press_payload(ADA, code_of(kept["blocks"], "Seen it"), kept, "D0ADA"))
        assert "Seen" in world.said("chat.update")
        public = {**kept, "ts": "9.7"}
        await world.done(world.wire.press_payload(ADA, code_of(kept["blocks"], "Take off"), public, "D0OTHERS"))
        assert len(world.wire.called("chat.update")) == 1

    @pytest.fixture
    async def world(self, made, store: Store, recommender: Recommender) -> AsyncIterator[World]:
        dialogue = Dialogue(store, recommender, zone=UTC)
        yield made(dialogue)
        dialogue.close()

    async def test_a_movie_night_is_voted_on(self, world: World) -> None:
        await world.done(world.wire.command_payload(BOB, "/nextreel", "settings group on"))
        await world.done(world.wire.command_payload(ADA, "/nextreel", "movienight <@U0BOB|bob> 90s horror"))
        ballot = {**world.wire.called("answer")[-1].body, "ts": "9.0"}
        assert "Movie night for 2" in shown(ballot["blocks"])
        await world.done(world.wire.press_payload(BOB, code_of(ballot["blocks"], "Vote"), ballot))
        assert "1 vote" in world.said("chat.update")
        await world.done(world.wire.press_payload("U0EVE", code_of(ballot["blocks"], "Vote"), ballot))
        assert "That vote is for the people it was asked for" in world.said("chat.postEphemeral")

    async def test_channels_are_set_by_those_who_administer_the_workspace(self, world: World) -> None:
        command = "server allow <#C0OTHER|other>"
        await world.done(world.wire.command_payload(BOB, "/nextreel", command))
        assert "Only those who manage" in world.said()
        world.wire.users[ADA] = {"is_admin": True}
        await world.done(world.wire.command_payload(ADA, "/nextreel", command))
        assert "#other" in world.said()
        world.wire.users["U0EVE"] = {"is_admin": True, "team_id": "T0OTHERS"}  # in a channel that is shared
        await world.done(world.wire.command_payload("U0EVE", "/nextreel", "server everywhere"))
        assert "Only those who manage" in world.said()
        await world.done(world.wire.message(BOB, "I watched Alien"))
        assert not world.wire.called("chat.postMessage")
        await world.done(world.wire.message(BOB, "I watched Alien", channel="C0OTHER"))
        assert "Logged: Alien" in world.said("chat.postMessage")
        await world.done(world.wire.event({"type": "app_uninstalled"}))
        await world.done(world.wire.message(BOB, "I watched Heat"))
        assert "Logged: Heat" in world.said("chat.postMessage")

    async def test_somebody_can_be_forgotten_from_the_home_tab(self, world: World) -> None:
        await world.done(world.wire.message(ADA, "I watched Alien"))

        async def press(code: str, blocks: Any) -> dict[str, Any]:
            action = {"type": "button", "action_id": code, "value": code}
            view = {"type": "home", "id": "V1", "blocks": blocks}
            await world.done(
                world.wire.interaction("block_actions", ADA, container={"type": "view"}, view=view, actions=[action])
            )
            shown: dict[str, Any] = Wire.decoded_view(world.wire.called("views.publish")[-1].body)
            return shown

        asked = await press("ask:forget", [])
        assert "Erase everything I know about you" in shown(asked["blocks"])
        done = await press(code_of(asked["blocks"], "Yes, erase everything"), asked["blocks"])
        assert "Everything about you is erased" in shown(done["blocks"])
        assert "Alien" not in shown(done["blocks"][:3])

    async def test_help_names_the_commands_of_slack(self, world: World) -> None:
        await world.done(world.wire.command_payload(ADA, "/nextreel", "help"))
        assert "“/watched Alien yesterday”" in world.said()
        await world.done(world.wire.command_payload(ADA, "/nextreel", "privacy"))
        assert "“/nextreel export”" in world.said()
