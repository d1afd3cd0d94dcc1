"""What is pressed: it does what it says, for whom it is, also after a restart, and the message shows it."""

from __future__ import annotations

import simcord
from simcord.actors import MemberActor

from bot.conversation.action import Action, Verb
from bot.discord.bot import Bot
from tests.discord.world import World, id_of, labels_of, options_of, text_of


async def shown(world: World, ada: MemberActor, **options):
    """A slate."""
    return (await ada.slash(world.films, "next", **options)).response


async def test_seen_saved_and_not_wanted_show_on_the_slate_and_can_be_undone(world: World, ada: MemberActor) -> None:
    slate = await shown(world, ada)
    seen = await ada.click(slate, custom_id=id_of(slate, "Seen it", 0))
    assert seen.response.id == slate.id
    assert " · Seen" in text_of(seen.response)
    assert "Marked as seen" in text_of(seen.response)
    assert labels_of(seen.response).count("Seen it") == 4
    saved = await ada.click(seen.response, custom_id=id_of(seen.response, "Save", 0))
    assert " · Saved" in text_of(saved.response)
    assert len(await world.watchlist(ada)) == 1
    away = await ada.click(saved.response, custom_id=id_of(saved.response, "Not for me", 2))
    assert " · Not for you" in text_of(away.response)
    assert labels_of(away.response)[-3:] == ["More", "More adventurous", "Undo"]
    assert "More like this" not in labels_of(away.response)  # nothing takes the room of what went
    back = await ada.click(away.response, label="Undo")
    assert back.response.id == slate.id
    assert " · Not for you" not in text_of(back.response)
    assert " · Seen" in text_of(back.response)
    assert labels_of(back.response)[-1] == "More adventurous"
    assert len(await world.history(ada)) == 1


async def test_why_more_and_more_adventurous_stand_beside_the_slate(world: World, ada: MemberActor) -> None:
    slate = await shown(world, ada)
    before = text_of(slate)
    why = await ada.click(slate, custom_id=id_of(slate, "Why?", 1))
    assert why.response.id != slate.id
    more = await ada.click(slate, label="More")
    assert text_of(more.response).startswith("More")
    bolder = await ada.click(slate, label="More adventurous")
    assert len(set(labels_of(bolder.response)) & {"Seen it", "Save"}) == 2
    assert text_of(slate) == before
    first = {line for line in before.split("\n") if line.startswith("**")}
    for other in (more, bolder):
        assert not {line[4:] for line in first} & {line[4:] for line in text_of(other.response).split("\n")}


async def test_a_stranger_is_told_so_in_private_and_nothing_happens(
    world: World, ada: MemberActor, bob: MemberActor
) -> None:
    slate = await shown(world, ada)
    logged = await ada.slash(world.films, "watched", film="Heat")
    asked = await ada.slash(world.films, "watched", film="Suspiria")
    for message, code in (
        (slate, id_of(slate, "Seen it")),
        (slate, id_of(slate, "More")),
        (logged.response, id_of(logged.response, "Undo")),
        (asked.response, id_of(asked.response, labels_of(asked.response)[0])),
    ):
        before = text_of(message)
        refused = await bob.click(message, custom_id=code)
        assert refused.ephemeral
        assert "someone else" in text_of(refused.response)
        assert text_of(message) == before
    assert await world.history(ada) == ["Heat (1995)"]
    assert await world.history(bob) == []


async def test_buttons_work_after_a_restart(world: World, ada: MemberActor, dialogue, store) -> None:
    slate = await shown(world, ada)
    asked = await ada.slash(world.films, "watched", film="Suspiria")
    again = Bot(dialogue, store)
    again.shard_count = 1
    await world.env.restart_bot(again)
    saved = await ada.click(slate, custom_id=id_of(slate, "Save"))
    assert " · Saved" in text_of(saved.response)
    label = next(label for label in labels_of(asked.response) if "1977" in label)
    await ada.click(asked.response, label=label)
    assert await world.history(ada) == ["Suspiria (1977)"]


async def test_the_watchlist_shows_what_became_of_it(world: World, ada: MemberActor) -> None:
    await ada.send_dm("add Alien, Heat and Jaws to my watchlist")
    listed = (await ada.slash(world.films, "watchlist")).response
    seen = await ada.click(listed, custom_id=id_of(listed, "Seen it", 1))
    assert "There are 2 films on your watchlist" in text_of(seen.response)
    assert len(await world.watchlist(ada)) == 2
    off = await ada.click(seen.response, custom_id=id_of(seen.response, "Take off"))
    assert "There is one film" in text_of(off.response)


async def test_many_films_have_a_menu_for_each_thing_to_do(world: World, ada: MemberActor) -> None:
    await ada.send_dm("15 films")
    slate = ada.user.dm_channel.last_message
    assert text_of(slate).count("**") == 30
    seen = options_of(slate, "seen")
    assert len(seen) == 15
    await ada.user.select(slate, [seen[11]], custom_id="menu-of-seen")
    assert len(await world.history(ada)) == 1
    assert len(options_of(ada.user.dm_channel.last_message, "seen")) == 14


async def test_an_id_of_another_program_is_answered(world: World, ada: MemberActor, simcord_env: simcord.Env) -> None:
    slate = await shown(world, ada)
    stored = simcord_env.backend.get_message(slate.channel_id, slate.id)
    old = id_of(slate, "More")
    for strange in ("teleport:1", Action(Verb.UNDO, (1, 2)).encode(), "seen:1"):
        text = str(stored.components).replace(old, strange)
        stored.components = eval(text)
        answered = await ada.click(slate, custom_id=strange)
        assert "too old" in text_of(answered.response)
        old = strange


async def test_more_like_one_of_few_films_and_the_other_film_of_a_name(world: World, ada: MemberActor) -> None:
    await ada.send(world.films, f"{world.mention} 2 horror films")
    slate = world.films.last_message
    first = text_of(slate).partition("1. ")[2].partition("**")[0]
    more = await ada.click(slate, custom_id=id_of(slate, "More like this"))
    assert f"Like {first}" in text_of(more.response)
    logged = await ada.slash(world.films, "watched", film="The Thing")
    assert labels_of(logged.response) == ["I meant The Thing (2011)", "Undo"]
    swapped = await ada.click(logged.response, label="I meant The Thing (2011)")
    assert swapped.response.id == logged.response.id
    assert await world.history(ada) == ["The Thing (2011)"]


async def test_no_and_none_of_these(world: World, ada: MemberActor) -> None:
    asked = await ada.slash(world.films, "watched", film="Suspiria")
    none = await ada.click(asked.response, label="None of these")
    assert "not logged" in text_of(none.response)
    asked = await ada.slash(world.films, "watched", film="Zorglub the unfindable")
    added = await ada.click(asked.response, label="Log it anyway as “Zorglub the unfindable”")
    assert "Logged: Zorglub the unfindable" in text_of(added.response)
    kept = await ada.click((await ada.slash(world.films, "privacy erase")).response, label="No, keep it")
    assert "nothing was erased" in text_of(kept.response)
    assert len(await world.history(ada)) == 1
