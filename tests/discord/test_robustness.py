"""What goes wrong between Discord and the bot: slow answers, tokens that are over, messages that are gone, the same
event twice, an end in the middle."""

from __future__ import annotations

import asyncio
import re

import pytest
from simcord.actors import MemberActor

from bot.conversation.dialogue import Dialogue
from bot.conversation.message import Complete, Message
from bot.conversation.reply import Reply
from bot.discord import answering
from bot.discord.bot import Bot
from tests.discord.world import World, id_of, text_of

CALLBACK = "/interactions/*/*/callback"


class Slow:
    """The conversation, which waits before it answers once it is slowed `down`."""

    def __init__(self, dialogue: Dialogue, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dialogue = dialogue
        self.monkeypatch = monkeypatch
        self.seconds = 0.0
        self.broken = False

    def down(self) -> None:
        """From now on no answer comes before it has to be acknowledged."""
        self.seconds = 0.5
        self.monkeypatch.setattr(answering, "GRACE", 0.1)

    async def handle(self, message: Message) -> Reply:
        if self.broken:
            raise RuntimeError("a secret of somebody's")
        if not isinstance(message, Complete):
            await asyncio.sleep(self.seconds)
        return await self.dialogue.handle(message)


@pytest.fixture
def slow(dialogue: Dialogue, monkeypatch: pytest.MonkeyPatch) -> Slow:
    return Slow(dialogue, monkeypatch)


@pytest.fixture
def simcord_bot(slow: Slow, store) -> Bot:
    bot = Bot(slow, store)
    bot.shard_count = 1
    return bot


class TestSlowAnswers:
    @pytest.mark.parametrize(("name", "private"), [("next", False), ("history", True), ("settings", True)])
    async def test_they_are_acknowledged_first(
        self, world: World, ada: MemberActor, slow: Slow, name: str, private: bool
    ) -> None:
        slow.down()
        done = await ada.slash(world.films, name)
        kinds = [e.json.get("type") for e in world.env.http_requests if e.path.endswith("/callback")]
        assert kinds[-1] == 5
        assert text_of(done.response)
        assert done.ephemeral is private

    async def test_a_wrong_guess_of_who_may_see_it_is_made_good(
        self, world: World, ada: MemberActor, slow: Slow
    ) -> None:
        await ada.slash(world.films, "settings", answers="private")
        slow.down()
        done = await ada.slash(world.films, "next")
        assert done.response is None
        assert [answer.ephemeral for answer in done.followups] == [True]
        assert "first choice" in text_of(done.followups[0])

    async def test_what_is_private_is_not_sent_when_the_guess_can_not_be_made_good(
        self, world: World, ada: MemberActor, slow: Slow
    ) -> None:
        await ada.slash(world.films, "settings", answers="private")
        slow.down()
        world.env.inject_error("PATCH", "/webhooks/*/*/messages/@original", status=403, code=50001, times=9)
        before = len(world.films.history())
        await ada.slash(world.films, "next")
        shown = world.films.history()[before:]
        assert all("first choice" not in text_of(message) for message in shown)

    async def test_a_button_is_acknowledged_without_a_message(self, world: World, ada: MemberActor, slow: Slow) -> None:
        slate = (await ada.slash(world.films, "next")).response
        slow.down()
        seen = await ada.click(slate, custom_id=id_of(slate, "Seen it"))
        assert [e.json["type"] for e in world.env.http_requests if e.path.endswith("/callback")][-1] == 6
        assert " · Seen" in text_of(seen.response)
        more = await ada.click(slate, label="More")
        assert text_of(more.followups[0]).startswith("More")


class TestDiscordRefuses:
    async def test_an_answer_that_comes_too_late_is_given_in_the_channel(self, world: World, ada: MemberActor) -> None:
        world.env.inject_error("POST", CALLBACK, status=404, code=10062, message="Unknown interaction")
        await ada.slash(world.films, "watched", film="Alien")
        assert "Logged: Alien (1979)" in text_of(world.films.last_message)
        assert await world.history(ada) == ["Alien (1979)"]

    async def test_a_private_answer_that_comes_too_late_is_given_in_a_direct_message(
        self, world: World, ada: MemberActor
    ) -> None:
        world.env.inject_error("POST", CALLBACK, status=404, code=10062, message="Unknown interaction")
        await ada.slash(world.films, "settings")
        assert "Your settings" in text_of(ada.user.dm_channel.last_message)
        assert world.films.last_message is None

    async def test_a_token_that_is_over_is_no_end(self, world: World, ada: MemberActor, slow: Slow) -> None:
        slow.down()
        world.env.inject_error(
            "PATCH", "/webhooks/*/*/messages/@original", status=401, code=50027, message="Invalid Webhook Token"
        )
        await ada.slash(world.films, "watched", film="Alien")
        assert "Logged: Alien (1979)" in text_of(world.films.last_message)

    @pytest.mark.parametrize("refused", ["POST " + CALLBACK, "PATCH /webhooks/*/*/messages/@original"])
    async def test_an_answer_that_can_not_be_put_where_it_belongs_is_given_all_the_same(
        self, world: World, ada: MemberActor, slow: Slow, refused: str
    ) -> None:
        slow.down()
        method, path = refused.split()
        # Discord is out of order for a moment; somebody deletes “is thinking”.
        status, code = (403, 0) if method == "POST" else (404, 10008)
        world.env.inject_error(method, path, status=status, code=code)
        done = await ada.slash(world.films, "watched", film="Alien")
        assert "Logged: Alien (1979)" in text_of(world.films.last_message)
        assert await world.history(ada) == ["Alien (1979)"]
        assert not done.followups

    async def test_a_message_that_is_gone_is_answered_beside(self, world: World, ada: MemberActor) -> None:
        slate = (await ada.slash(world.films, "next")).response
        world.env.inject_error("POST", CALLBACK, status=404, code=10008, message="Unknown Message")
        seen = await ada.click(slate, custom_id=id_of(slate, "Seen it"))
        assert "Marked as seen" in text_of(seen.response)

    async def test_a_channel_that_may_not_be_written_to_is_answered_in_private(
        self, world: World, ada: MemberActor
    ) -> None:
        path = f"/channels/{world.films.id}/messages"
        world.env.inject_error("POST", path, status=403, code=50013, message="Missing Permissions")
        await ada.send(world.films, f"{world.mention} watched Alien")
        assert "Logged: Alien" in text_of(ada.user.dm_channel.last_message)

    async def test_what_another_process_answered_is_left_alone(self, world: World, ada: MemberActor) -> None:
        world.env.inject_error("POST", CALLBACK, status=400, code=40060, message="already")
        await ada.slash(world.films, "watched", film="Alien")
        assert world.films.last_message is None
        assert world.env.errors == []

    async def test_what_was_acknowledged_by_whomever_is_answered_in_its_place(
        self, world: World, ada: MemberActor, slow: Slow
    ) -> None:
        slow.down()
        # Discord says of the answer that it was acknowledged, and it was: by this process, which can't know.
        world.env.inject_error("POST", CALLBACK, status=403, code=0)
        world.env.inject_error("POST", CALLBACK, status=400, code=40060, message="already")
        await ada.slash(world.films, "watched", film="Alien")
        assert any(e.method == "PATCH" and e.path.endswith("@original") for e in world.env.http_requests)
        assert "Logged: Alien (1979)" in text_of(world.films.last_message)

    async def test_a_file_that_is_refused_is_told_of(self, world: World, ada: MemberActor) -> None:
        await ada.slash(world.films, "watched", film="Alien")
        original = "/webhooks/*/*/messages/@original"
        world.env.inject_error("PATCH", original, status=413, code=40005, message="Request entity too large")
        told = await ada.slash(world.films, "privacy export")
        assert told.response.attachments == []
        assert "nothing of it is lost" in text_of(told.response)
        assert told.ephemeral


class TestErrors:
    async def test_there_is_a_sentence_with_an_id_and_the_log_has_it_too(
        self, world: World, ada: MemberActor, slow: Slow, capsys: pytest.CaptureFixture[str]
    ) -> None:
        slate = (await ada.slash(world.films, "next")).response
        slow.broken = True
        shown = [
            (await ada.slash(world.films, "next")).response,
            (await ada.click(slate, custom_id=id_of(slate, "Seen it"))).response,
        ]
        await ada.send(world.films, f"{world.mention} what next?")
        said = [text_of(message) for message in (*shown, world.films.last_message)]
        log = capsys.readouterr().out
        for sentence in said:
            found = re.search(r"Something went wrong on my side.*\(([0-9a-f]{6})\)", sentence)
            assert found
            assert found[1] in log
            assert "secret" not in sentence
        assert "secret" not in log
        assert all(message.ephemeral for message in shown)

    async def test_a_command_that_is_gone_is_said_to_be(self, world: World, ada: MemberActor) -> None:
        world.env.bot.tree.remove_command("undo")
        gone = await ada.slash(world.films, "undo")
        assert "not there any more" in text_of(gone.response)
        assert gone.ephemeral
        assert [type(error).__name__ for error in world.env.errors] == ["CommandNotFound"]


class TestTwice:
    async def test_an_interaction_that_comes_twice_is_answered_once(self, world: World, ada: MemberActor) -> None:
        seen: list[dict] = []
        emit = world.env.backend.emit

        def watched(name: str, payload: dict, *more: object, **options: object) -> object:
            if name == "INTERACTION_CREATE":
                seen.append(payload)
            return emit(name, payload, *more, **options)

        world.env.backend.emit = watched
        await ada.slash(world.films, "watched", film="Alien")
        emit("INTERACTION_CREATE", seen[0])
        await world.env.settle()
        assert await world.history(ada) == ["Alien (1979)"]
        assert len(world.films.history()) == 1

    async def test_one_that_comes_again_after_a_restart_changes_nothing(
        self, world: World, ada: MemberActor, slow: Slow, store
    ) -> None:
        seen: list[dict] = []
        emit = world.env.backend.emit
        world.env.backend.emit = lambda name, payload, *more, **options: (
            seen.append(payload) if name == "INTERACTION_CREATE" else None,
            emit(name, payload, *more, **options),
        )
        await ada.slash(world.films, "watched", film="Alien")
        again = Bot(slow, store)
        again.shard_count = 1
        await world.env.restart_bot(again)
        emit("INTERACTION_CREATE", seen[0])
        await world.env.settle()
        assert await world.history(ada) == ["Alien (1979)"]
        assert len(world.films.history()) == 1


class TestCommands:
    async def test_discord_is_told_once(self, world: World, slow: Slow, store) -> None:
        def told() -> int:
            return sum(e.method == "PUT" and e.path.endswith("/commands") for e in world.env.http_requests)

        assert told() == 1
        again = Bot(slow, store)
        again.shard_count = 1
        await world.env.restart_bot(again)
        assert told() == 1
        fewer = Bot(slow, store)
        fewer.shard_count = 1
        fewer.tree.remove_command("undo")
        await world.env.restart_bot(fewer)
        assert told() == 2

    async def test_a_server_that_the_bot_leaves_is_forgotten(self, world: World, guild, store) -> None:
        owner = MemberActor(world.env, guild, guild.owner)
        await owner.slash(world.films, "server", adventurousness=0.7)
        assert (await store.place_settings("discord", str(guild.id))).adventurousness == 0.7
        world.env.backend.emit("GUILD_DELETE", {"id": str(guild.id)})
        await world.env.settle()
        assert (await store.place_settings("discord", str(guild.id))).adventurousness is None


class TestTheEnd:
    async def test_what_was_begun_is_finished_and_nothing_new_is_begun(self) -> None:
        done: list[str] = []
        ending = answering.Answering(None, None)  # type: ignore[arg-type] - nothing is asked here

        async def work() -> None:
            await asyncio.sleep(0.1)
            done.append("finished")

        begun = asyncio.create_task(ending._tracked(work()))
        await asyncio.sleep(0)
        await ending.finish(5)
        assert done == ["finished"]
        await begun

    async def test_what_hangs_is_not_waited_for_longer_than_that(self) -> None:
        ending = answering.Answering(None, None)  # type: ignore[arg-type] - nothing is asked here
        begun = [asyncio.create_task(ending._tracked(asyncio.sleep(seconds))) for seconds in (0.1, 3.0, 600.0)]
        await asyncio.sleep(0)
        waited = asyncio.create_task(ending.finish(1.6))
        await asyncio.wait_for(waited, 60)
        assert [task.done() for task in begun] == [True, False, False]
        for task in ending._under_way:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)

    async def test_a_command_that_comes_while_it_ends_is_told_so(self, world: World, ada: MemberActor) -> None:
        await world.env.bot.answering.finish(1)
        told = await ada.slash(world.films, "watched", film="Alien")
        assert "being restarted" in text_of(told.response)
        await ada.send(world.films, f"{world.mention} watched Alien")
        assert "being restarted" in text_of(world.films.last_message)
        assert await world.history(ada) == []
