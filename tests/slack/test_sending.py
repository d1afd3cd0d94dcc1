"""Where replies go: who sees them, and what happens where Slack refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.conversation.reply import File, Reply, Visibility
from bot.slack.events import Where
from bot.slack.sending import NotSentError, Sending
from bot.slack.workspaces import Api, Workspace
from tests.slack.wire import BOT, BOT_TOKEN, BOT_USER, CHANNEL, TEAM, Wire

PUBLIC, PRIVATE = Reply("for all"), Reply("for one", visibility=Visibility.PRIVATE)


@dataclass
class World:
    """A Slack that listens, and what sends to it."""

    wire: Wire
    sending: Sending
    workspace: Workspace

    async def beside(self, where: Where, reply: Reply, **more: bool) -> list[str]:
        """Send a reply; the calls that it took."""
        before = len(self.wire.requests)
        await self.sending.beside(self.workspace, where, reply, "en", **more)
        return [one.method for one in self.wire.requests[before:]]

    async def address(self) -> str:
        """A new address for answers."""
        payload = self.wire.command_payload("U1", "/next")
        self.wire.expect(payload)
        return str(payload["response_url"])


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with Wire() as wire:
        api = Api(f"{wire.address}/api/")
        yield World(wire, Sending(api), Workspace(TEAM, BOT_USER, BOT, api.client(BOT_TOKEN)))
        await api.close()


def mention(**more: object) -> Where:
    return Where(TEAM, CHANNEL, "U1", **{"thread": "5.0", **more})  # type: ignore[arg-type]


async def test_a_mention_is_answered_in_its_thread(world: World) -> None:
    assert await world.beside(mention(), PUBLIC) == ["chat.postMessage"]
    (sent,) = world.wire.called("chat.postMessage")
    assert (sent.body["channel"], sent.body["thread_ts"]) == (CHANNEL, "5.0")
    assert sent.body["unfurl_links"] in {False, "0", "False", "false"}


async def test_what_is_private_is_seen_by_one_alone_and_in_a_thread_only_where_there_is_one(world: World) -> None:
    assert await world.beside(mention(), PRIVATE) == ["chat.postEphemeral"]
    assert await world.beside(mention(spoken=True), PRIVATE) == ["chat.postEphemeral"]
    first, second = world.wire.called("chat.postEphemeral")
    assert (first.body["user"], first.body.get("thread_ts")) == ("U1", None)
    assert second.body["thread_ts"] == "5.0"


async def test_what_is_private_is_never_sent_where_others_see_it(world: World) -> None:
    world.wire.refused["chat.postEphemeral"] = "not_in_channel"
    await world.beside(mention(), PRIVATE)
    (sent,) = world.wire.called("chat.postMessage")
    assert sent.body["channel"] == "U1"


async def test_a_channel_that_may_not_be_written_to_is_answered_in_private(world: World) -> None:
    world.wire.refused["chat.postMessage"] = "not_in_channel"
    with pytest.raises(NotSentError):
        await world.beside(mention(), PUBLIC)
    assert [one.body["channel"] for one in world.wire.called("chat.postMessage")] == [CHANNEL, "U1"]


async def test_a_direct_message_is_private_already(world: World) -> None:
    assert await world.beside(Where(TEAM, "D1", "U1", direct=True), PRIVATE) == ["chat.postMessage"]


async def test_two_peoples_direct_messages_are_not_the_bots(world: World) -> None:
    where = Where(TEAM, "D0OTHERS", "U1", response_url=await world.address())
    assert await world.beside(where, PRIVATE, by_address=True) == ["answer"]
    assert world.wire.called("answer")[0].body["response_type"] == "ephemeral"


@pytest.mark.parametrize(("reply", "seen"), [(PUBLIC, "in_channel"), (PRIVATE, "ephemeral")])
async def test_a_command_is_answered_by_its_address_which_reaches_every_channel(
    world: World, reply: Reply, seen: str
) -> None:
    where = Where(TEAM, CHANNEL, "U1", response_url=await world.address())
    assert await world.beside(where, reply, by_address=True) == ["answer"]
    (sent,) = world.wire.called("answer")
    assert (sent.body["response_type"], sent.body["replace_original"]) == (seen, False)


async def test_an_address_is_used_five_times_and_then_the_channel(world: World) -> None:
    where = Where(TEAM, CHANNEL, "U1", response_url=await world.address())
    calls = [await world.beside(where, PUBLIC, by_address=True) for _ in range(6)]
    assert calls == [["answer"]] * 5 + [["chat.postMessage"]]


async def test_an_address_that_has_run_out_is_no_end(world: World) -> None:
    where = Where(TEAM, CHANNEL, "U1", response_url=f"{world.wire.address}/answers/nobodys")
    assert await world.beside(where, PUBLIC, by_address=True) == ["answer", "chat.postMessage"]
    assert await world.beside(where, PRIVATE, by_address=True) == ["answer", "chat.postEphemeral"]


class TestInPlace:
    async def test_a_message_is_updated(self, world: World) -> None:
        assert await world.sending.in_place(world.workspace, mention(held="7.0"), PUBLIC)
        (sent,) = world.wire.called("chat.update")
        assert (sent.body["channel"], sent.body["ts"]) == (CHANNEL, "7.0")

    async def test_what_one_alone_sees_is_replaced_by_its_address(self, world: World) -> None:
        where = mention(held="7.0", held_is_private=True, response_url=await world.address())
        assert await world.sending.in_place(world.workspace, where, PRIVATE)
        assert not world.wire.called("chat.update")
        (sent,) = world.wire.called("answer")
        assert (sent.body["replace_original"], sent.body["response_type"]) == (True, "ephemeral")

    async def test_a_message_that_is_gone_is_said(self, world: World) -> None:
        world.wire.refused["chat.update"] = "message_not_found"
        assert not await world.sending.in_place(world.workspace, mention(held="7.0"), PUBLIC)


class TestFiles:
    FILE = File("nextreel.zip", "application/zip", b"PK")

    async def test_what_is_private_goes_to_the_direct_messages(self, world: World) -> None:
        await world.beside(mention(), Reply("Here", files=(self.FILE,), visibility=Visibility.PRIVATE))
        (done,) = world.wire.called("files.completeUploadExternal")
        assert done.body["channel_id"] == "D1"
        assert list(world.wire.files.values()) == [b"PK"]
        assert [one.body["text"] for one in world.wire.called("chat.postEphemeral")] == [
            "Here",
            "The file is in our direct messages.",
        ]

    async def test_where_it_can_not_be_sent_that_is_said(self, world: World) -> None:
        world.wire.refused["files.getUploadURLExternal"] = "missing_scope"
        await world.beside(Where(TEAM, "D1", "U1", direct=True), Reply("Here", files=(self.FILE,)))
        assert "could not send you the file" in world.wire.called("chat.postMessage")[-1].body["text"]


async def test_a_token_is_shown_to_slack_alone(world: World) -> None:
    api = Api(None)
    try:
        assert api.is_slacks("https://files.slack.com/files-pri/T1-F1/a.zip")
        for other in (
            "https://files.slack.com.evil.example/x",
            "http://files.slack.com/x",
            "https://evil.example/",
            "",
        ):
            assert not api.is_slacks(other)
    finally:
        await api.close()
