"""A movie night: whom it is for, what is shown, who may vote, and what comes of it."""

from __future__ import annotations

import pytest
from simcord.actors import MemberActor

from bot.discord.bot import Bot
from tests.discord.world import World, id_of, labels_of, text_of


@pytest.fixture
async def willing(world: World, ada: MemberActor, bob: MemberActor) -> None:
    """Bob has allowed groups to use his history; both have watched something."""
    await ada.slash(world.films, "watched", film="Alien")
    await bob.slash(world.films, "settings", groups="on")
    await bob.slash(world.films, "watched", film="Blade Runner")


async def test_both_vote_and_the_result_takes_the_place_of_the_vote(
    world: World, ada: MemberActor, bob: MemberActor, willing: None
) -> None:
    night = await ada.slash(world.films, "movienight", **{"with": bob})
    assert "Movie night for 2" in text_of(night.response)
    assert labels_of(night.response) == ["Vote"] * 5 + ["End the vote"]
    assert "Alien (1979)**" not in text_of(night.response)
    assert "Blade Runner (1982)**" not in text_of(night.response)
    first, second = id_of(night.response, "Vote", 0), id_of(night.response, "Vote", 1)
    voted = await bob.click(night.response, custom_id=second)
    assert voted.response.id == night.response.id
    assert "1 of 2 have voted" in text_of(voted.response)
    changed = await bob.click(night.response, custom_id=first)
    assert "1 of 2 have voted" in text_of(changed.response)
    result = await ada.click(night.response, custom_id=first)
    assert text_of(result.response).startswith("Tonight: ")
    assert "2 of 2 votes" in text_of(result.response)
    assert labels_of(result.response) == []


async def test_a_stranger_may_not_vote_and_only_the_asker_ends_it(
    world: World, ada: MemberActor, bob: MemberActor, guild, willing: None
) -> None:
    eve = guild.add_member(world.env.create_user("eve"))
    night = (await ada.slash(world.films, "movienight", **{"with": bob})).response
    for person, label in ((eve, "Vote"), (eve, "End the vote"), (bob, "End the vote")):
        refused = await person.click(night, custom_id=id_of(night, label))
        assert refused.ephemeral
        assert "0 of 2 have voted" in text_of(night)
    ended = await ada.click(night, label="End the vote")
    assert "Nobody voted" in text_of(ended.response)


async def test_whoever_has_not_allowed_it_is_left_out_and_named(
    world: World, ada: MemberActor, bob: MemberActor, guild, willing: None
) -> None:
    eve = guild.add_member(world.env.create_user("eve"))
    night = await ada.slash(world.films, "movienight", **{"with": bob, "with2": eve})
    assert "Not counted, as groups may not use their history: eve" in text_of(night.response)
    assert "Movie night for 2" in text_of(night.response)
    alone = await ada.slash(world.films, "movienight", **{"with": eve})
    assert labels_of(alone.response) == ["I'm in", "Pick films"]


async def test_whoever_wants_is_in_and_all_of_it_works_after_a_restart(
    world: World, ada: MemberActor, bob: MemberActor, guild, dialogue, store
) -> None:
    await ada.slash(world.films, "watched", film="Alien")
    await bob.slash(world.films, "watched", film="Blade Runner")
    eve = guild.add_member(world.env.create_user("eve"))

    async def restart() -> None:
        again = Bot(dialogue, store)
        again.shard_count = 1
        await world.env.restart_bot(again)

    for options in ({}, {"with": ada}):
        night = await ada.slash(world.films, "movienight", **options)
        assert not night.response.ephemeral
        assert labels_of(night.response) == ["I'm in", "Pick films"]
        assert "Nobody else is in yet" in text_of(night.response)
    await restart()
    early = await ada.click(night.response, label="Pick films")
    assert early.ephemeral
    joined = await bob.click(night.response, label="I'm in")
    assert joined.response.id == night.response.id
    assert "1 more is in" in text_of(joined.response)
    await restart()
    refused = await bob.click(night.response, label="Pick films")
    assert refused.ephemeral
    picked = await ada.click(night.response, label="Pick films")
    assert picked.response.id == night.response.id
    assert "Movie night for 2" in text_of(picked.response)
    for seen in ("Alien (1979)**", "Blade Runner (1982)**"):
        assert seen not in text_of(picked.response)
    await restart()
    assert (await eve.click(picked.response, custom_id=id_of(picked.response, "Vote"))).ephemeral
    await ada.click(picked.response, custom_id=id_of(picked.response, "Vote", 2))
    await restart()
    result = await bob.click(picked.response, custom_id=id_of(picked.response, "Vote", 1))
    assert "It was a tie" in text_of(result.response)
    assert labels_of(result.response) == []


async def test_in_a_direct_message_it_is_asked_for_whom(world: World, ada: MemberActor) -> None:
    await ada.send_dm("/movienight")
    assert "For whom?" in text_of(ada.user.dm_channel.last_message)


async def test_next_with_somebody_is_for_both_and_so_is_more(
    world: World, ada: MemberActor, bob: MemberActor, willing: None
) -> None:
    slate = await ada.slash(world.films, "next", **{"with": bob})
    assert "For the 2 of you" in text_of(slate.response)
    more = await ada.click(slate.response, label="More")
    assert "Blade Runner (1982)**" not in text_of(more.response)


async def test_a_vote_is_public_whatever_its_people_set(
    world: World, ada: MemberActor, bob: MemberActor, willing: None
) -> None:
    for person in (ada, bob):
        await person.slash(world.films, "settings", answers="private")
    night = await ada.slash(world.films, "movienight", **{"with": bob})
    assert not night.response.ephemeral
    voted = await bob.click(night.response, custom_id=id_of(night.response, "Vote"))
    assert voted.response.id == night.response.id
