"""What is said in words: with a mention, in a direct message, in a reply; without the privileged intent."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor

from bot.conversation.dialogue import Dialogue
from bot.discord.bot import INTENTS
from bot.discord.events import is_for
from storage.limits import RateLimits
from tests.discord.world import World, labels_of, text_of


def test_no_intent_is_privileged() -> None:
    for privileged in ("message_content", "members", "presences"):
        assert not getattr(INTENTS, privileged)


async def test_a_mention_is_answered_where_it_is_said(world: World, ada: MemberActor) -> None:
    said = await ada.send(world.films, f"{world.mention} I just watched Alien, loved it")
    answer = world.films.last_message
    assert "Logged: Alien (1979), today, loved it" in text_of(answer)
    assert answer.reference.message_id == said.id
    assert await world.history(ada) == ["Alien (1979)"]


async def test_what_is_not_said_to_the_bot_is_left_alone(world: World, ada: MemberActor, bob: MemberActor) -> None:
    before = len(world.films.history())
    for text in ("I just watched Alien", "@everyone I watched Alien", f"{bob.mention} I watched Alien"):
        await ada.send(world.films, text)
    assert len(world.films.history()) == before + 3
    assert await world.history(ada) == []


async def test_a_direct_message_needs_no_mention(world: World, ada: MemberActor) -> None:
    await ada.send_dm("watched Suspiria (1977) yesterday")
    assert "Logged: Suspiria (1977), yesterday" in text_of(ada.user.dm_channel.last_message)
    await ada.send_dm("what have I watched?")
    assert "yesterday: Suspiria (1977)" in text_of(ada.user.dm_channel.last_message)


async def test_a_reply_to_the_bot_goes_on_with_it(world: World, ada: MemberActor) -> None:
    await ada.send(world.films, f"{world.mention} I just watched Suspiria")
    asked = world.films.last_message
    assert any("1977" in label for label in labels_of(asked))
    await ada.send(world.films, f"{world.mention} the 1977 one", reply_to=asked)
    assert await world.history(ada) == ["Suspiria (1977)"]


async def test_what_is_private_goes_into_a_direct_message(world: World, ada: MemberActor) -> None:
    await ada.send(world.films, f"{world.mention} watched Alien")
    await ada.send(world.films, f"{world.mention} what have I watched?")
    assert "Alien" not in text_of(world.films.last_message)
    assert "direct message" in text_of(world.films.last_message)
    assert "Alien (1979)" in text_of(ada.user.dm_channel.last_message)


async def test_a_server_that_is_not_loaded_is_no_direct_message(world: World, ada: MemberActor, guild) -> None:
    await ada.send(world.films, f"{world.mention} watched Alien")
    before = len(world.films.history())
    world.env.bot._connection._remove_guild(world.env.bot.get_guild(guild.id))
    await ada.send(world.films, "what have I watched?")
    assert len(world.films.history()) == before + 1
    await ada.send(world.films, f"{world.mention} what have I watched?")
    assert "Alien" not in text_of(world.films.last_message)
    assert "Alien (1979)" in text_of(ada.user.dm_channel.last_message)


async def test_where_no_direct_message_is_taken_nothing_private_is_said(world: World, ada: MemberActor) -> None:
    await ada.send(world.films, f"{world.mention} watched Alien")
    world.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, message="Cannot send messages")
    await ada.send(world.films, f"{world.mention} my history")
    assert "Alien" not in text_of(world.films.last_message)
    assert "with a command" in text_of(world.films.last_message)


async def test_whoever_set_answers_to_private_gets_slates_in_private(world: World, ada: MemberActor) -> None:
    await ada.slash(world.films, "settings", answers="private")
    await ada.send(world.films, f"{world.mention} what next?")
    assert "direct message" in text_of(world.films.last_message)
    assert "first choice" in text_of(ada.user.dm_channel.last_message)


async def test_a_thread_is_a_place_of_its_own(world: World, ada: MemberActor, store) -> None:
    asked = await ada.send(world.films, f"{world.mention} I just watched Suspiria")
    thread = await world.films_thread(asked)
    await ada.send(thread, f"{world.mention} the 1977 one")
    assert await world.history(ada) == []  # nothing is asked there
    await ada.send(thread, f"{world.mention} watched Heat")
    assert await world.history(ada) == ["Heat (1995)"]


@pytest.mark.parametrize(
    "title", ["*bold* [click](https://evil.example)", "@everyone <@&1> <#2>", "# big `code` ||x||"]
)
async def test_what_people_type_is_never_markup_nor_a_mention(world: World, ada: MemberActor, title: str) -> None:
    await ada.send(world.films, f"{world.mention} I watched “{title}”")
    (shown,) = [m.content for m in world.films.history() if m.author.id == world.env.bot.user.id]
    assert shown
    for sign in ("*bold*", "[click](", "https://", "@everyone", "<@&1>", "<#2>", "`code`", "||x||"):
        assert sign not in shown.replace("\\" + sign[0], "")


async def test_films_for_those_who_are_mentioned(world: World, ada: MemberActor, bob: MemberActor) -> None:
    await bob.slash(world.films, "settings", groups="on")
    await bob.slash(world.films, "watched", film="Alien")
    await ada.send(world.films, f"{world.mention} what next? with {bob.mention}")
    assert "For the 2 of you" in text_of(world.films.last_message)


async def test_other_bots_are_not_answered(world: World, guild) -> None:
    robot = guild.add_member(world.env.create_user("robot", bot=True))
    said = await robot.send(world.films, f"{world.mention} what next?")
    assert not is_for(said, world.env.bot.user)
    assert world.films.last_message.id == said.id


async def test_a_flood_is_answered_once_and_where_it_comes_from(
    world: World, ada: MemberActor, dialogue: Dialogue
) -> None:
    dialogue._limits = RateLimits(None, person_per_minute=1, place_per_minute=0)
    await ada.send(world.films, f"{world.mention} hello")
    before = len(world.films.history())
    for _ in range(4):
        await ada.send(world.films, f"{world.mention} what next?")
    said = [message for message in world.films.history()[before:] if message.author.id != ada.id]
    assert len(said) == 1
    assert "wait" in text_of(said[0])
    assert not ada.user.dm_channel.history()
    for _ in range(2):  # an interaction that is not answered looks broken, and only they see it
        told = await ada.slash(world.films, "next")
        assert told.ephemeral
        assert "wait" in text_of(told.response)
