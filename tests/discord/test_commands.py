"""Every slash command and the message command, as somebody uses them on a server."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle

from storage.records import PlaceSettings, Precision, WatchState
from tests.discord.world import World, id_of, labels_of, text_of


async def test_watched_takes_a_film_a_day_a_rating_and_whether_it_was_finished(world: World, ada: MemberActor) -> None:
    done = await ada.slash(world.films, "watched", film="Alien", when="yesterday", rating="8/10")
    assert "Logged: Alien (1979), yesterday, 4 of 5 stars." in text_of(done.response)
    assert labels_of(done.response) == ["Undo"]
    given_up = await ada.slash(world.films, "watched", film="film:541", finished=False)
    assert "Blade Runner (1982), not finished" in text_of(given_up.response)
    watches = (await world.snapshot(ada)).history
    assert [(watch.rating, watch.precision, watch.state) for watch in watches] == [
        (4.0, Precision.DAY, WatchState.FINISHED),
        (None, Precision.UNKNOWN, WatchState.ABANDONED),
    ]


async def test_a_rating_that_can_not_be_read_is_said_and_the_film_kept(world: World, ada: MemberActor) -> None:
    done = await ada.slash(world.films, "watched", film="Alien", rating="so so")
    assert "“so so”" in text_of(done.response)
    assert await world.history(ada) == ["Alien (1979)"]


async def test_a_name_that_films_share_is_asked_about_in_place(world: World, ada: MemberActor) -> None:
    asked = await ada.slash(world.films, "watched", film="Suspiria")
    assert labels_of(asked.response) == ["Suspiria (1977)", "Suspiria (2017)", "None of these"]
    assert await world.history(ada) == []
    pressed = await ada.click(asked.response, label="Suspiria (1977)")
    assert pressed.response is not None
    assert pressed.response.id == asked.response.id
    assert "Logged: Suspiria (1977)" in text_of(pressed.response)
    assert labels_of(pressed.response) == ["Undo"]
    assert await world.history(ada) == ["Suspiria (1977)"]


async def test_typing_a_film_completes_it_from_the_whole_catalogue(world: World, ada: MemberActor) -> None:
    choices = await ada.autocomplete(world.films, "watched", "film", "suspir")
    assert [choice["name"] for choice in choices][:2] == ["Suspiria (1977)", "Suspiria (2017)"]
    for typed in ("a", "the", "zz", "ö", "(", "x" * 200, ""):
        offered = await ada.autocomplete(world.films, "similar", "film", typed)
        assert len(offered) <= 25
        assert all(re.fullmatch(r"film:\d+", choice["value"]) for choice in offered)


async def test_what_is_chosen_while_typing_is_that_very_film(world: World, ada: MemberActor) -> None:
    choices = await ada.autocomplete(world.films, "watched", "film", "the thing")
    for choice in choices[:3]:
        await ada.slash(world.films, "watched", film=choice["value"])
    assert await world.history(ada) == [choice["name"].partition(" – ")[0] for choice in choices[:3]]


async def test_next_shows_films_with_reasons_links_and_buttons(world: World, ada: MemberActor) -> None:
    await ada.slash(world.films, "watched", film="Alien")
    shown = await ada.slash(world.films, "next", genre="Horror", years="1980-1989")
    said = text_of(shown.response)
    assert "Horror" in said
    assert len(re.findall(r"\*\*\d\. .* \(198\d\)\*\*", said)) == 5
    assert "because you watched Alien (1979)" in said
    assert "https://www.imdb.com/title/tt" in said
    labels = labels_of(shown.response)
    assert [labels.count(label) for label in ("Seen it", "Save", "Not for me", "Why?")] == [5] * 4
    assert labels[-2:] == ["More", "More adventurous"]
    assert not shown.response.ephemeral


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"like": "film:1214"}, "Like Alien (1979)"),
        ({"years": "80s"}, "1980s"),
        ({"years": "whenever"}, "“whenever”"),
        ({"adventure": "0.9"}, "Under the radar"),
        ({"genre": "Western", "adventure": "0"}, "Western, well known"),
    ],
)
async def test_next_takes_what_it_should_be_like(world: World, ada: MemberActor, options, part: str) -> None:
    assert part in text_of((await ada.slash(world.films, "next", **options)).response)


async def test_similar_and_why(world: World, ada: MemberActor) -> None:
    await ada.slash(world.films, "watched", film="Heat")
    shown = await ada.slash(world.films, "similar", film="film:1214")
    assert "Like Alien (1979)" in text_of(shown.response)
    assert "near Alien (1979)" in text_of((await ada.slash(world.films, "why")).response)
    assert "near Alien (1979)" in text_of((await ada.slash(world.films, "why", film="1")).response)


async def test_history_watchlist_settings_and_privacy_are_only_for_oneself(world: World, ada: MemberActor) -> None:
    await ada.slash(world.films, "watched", film="Alien")
    await ada.slash(world.films, "settings", answers="public")
    for name, options, part in (
        ("history", {}, "Alien (1979)"),
        ("history", {"search": "film:1214"}, "Yes: Alien (1979)"),
        ("history", {"search": "Heat"}, "No, "),
        ("watchlist", {"add": "film:6"}, "On your watchlist: Heat (1995)"),
        ("watchlist", {}, "Heat (1995)"),
        ("watchlist", {"remove": "Heat"}, "Off your watchlist"),
        ("settings", {}, "Your settings"),
        ("privacy see", {}, "One watch"),
        ("account link", {}, "Your code is"),
        ("account unlink", {}, "only account"),
    ):
        shown = await ada.slash(world.films, name, **options)
        assert part in text_of(shown.response), name
        assert shown.ephemeral, name


async def test_settings_change_several_at_once(world: World, ada: MemberActor) -> None:
    set_ = await ada.slash(
        world.films, "settings", time_zone="Berlin", adventurousness=0.8, answers="private", groups="on", language="en"
    )
    assert text_of(set_.response).count("Set.") == 5
    kept = (await world.snapshot(ada)).preferences
    assert (kept.time_zone, kept.adventurousness, kept.visibility, kept.group_opt_in, kept.locale) == (
        "Europe/Berlin",
        0.8,
        "private",
        True,
        "en",
    )
    assert (await ada.slash(world.films, "next")).ephemeral


async def test_undo(world: World, ada: MemberActor) -> None:
    await ada.slash(world.films, "watched", film="Alien")
    assert "no longer logged" in text_of((await ada.slash(world.films, "undo")).response)
    assert await world.history(ada) == []


async def test_privacy_exports_everything_as_a_file_and_takes_it_in(
    world: World, ada: MemberActor, bob: MemberActor
) -> None:
    await ada.slash(world.films, "watched", film="Alien")
    exported = await ada.slash(world.films, "privacy export")
    assert exported.ephemeral
    (attachment,) = exported.response.attachments
    content = await attachment.read()
    assert "nextreel.json" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    taken = await bob.slash(world.films, "privacy import", file=(attachment.filename, content))
    assert "One watch, a new one" in text_of(taken.response)
    assert await world.history(bob) == ["Alien (1979)"]


async def test_privacy_erases_after_asking(world: World, ada: MemberActor) -> None:
    await ada.slash(world.films, "watched", film="Alien")
    asked = await ada.slash(world.films, "privacy erase")
    assert asked.ephemeral
    kept = await ada.click(asked.response, custom_id=id_of(asked.response, "No, keep it"))
    assert "nothing was erased" in text_of(kept.response)
    asked = await ada.slash(world.films, "privacy erase")
    erased = await ada.click(asked.response, label="Yes, erase everything")
    assert erased.response.id == asked.response.id
    assert "erased" in text_of(erased.response)
    assert (await world.snapshot(ada)).person is None


async def test_help(world: World, ada: MemberActor) -> None:
    assert "what next?" in text_of((await ada.slash(world.films, "help")).response)


async def test_the_films_that_a_message_names_are_logged(world: World, ada: MemberActor, bob: MemberActor) -> None:
    said = await bob.send(world.films, "I watched Alien and Heat last night\nthen we talked\n- Jaws (1975)")
    logged = await ada.context_menu(world.films, "Log films in this message", said)
    assert logged.ephemeral
    assert sorted(await world.history(ada)) == ["Alien (1979)", "Heat (1995)", "Jaws (1975)"]
    assert await world.history(bob) == []
    await ada.click(logged.response, label="Undo")
    assert await world.history(ada) == []
    said = await bob.send(world.films, "lunch at noon?")
    none = await ada.context_menu(world.films, "Log films in this message", said)
    assert "no film's name" in text_of(none.response)


class TestServer:
    async def test_only_those_who_manage_it_may_set_it(self, world: World, ada: MemberActor, guild) -> None:
        assert "server" not in ada.available_commands(world.films)
        owner = (
            guild.add_member(guild.owner)
            if guild.owner.id not in guild.member_ids()
            else MemberActor(world.env, guild, guild.owner)
        )
        shown = await owner.slash(world.films, "server")
        assert shown.ephemeral
        assert "in every channel" in text_of(shown.response)

    async def test_mentions_are_answered_in_the_channels_that_are_set(
        self, world: World, ada: MemberActor, guild, store
    ) -> None:
        owner = MemberActor(world.env, guild, guild.owner)
        set_ = await owner.slash(world.films, "server", allow=world.films, adventurousness=0.7)
        assert "in #films" in text_of(set_.response)
        assert await store.place_settings("discord", str(guild.id)) == PlaceSettings(
            {str(world.films.id): "films"}, 0.7
        )
        elsewhere: ChannelHandle = guild.create_text_channel("general")
        await ada.send(elsewhere, f"{world.mention} what next?")
        assert elsewhere.last_message.author.id == ada.id
        await ada.send(world.films, f"{world.mention} what next?")
        assert "first choice" in text_of(world.films.last_message)
        await owner.slash(world.films, "server", everywhere=True)
        await ada.send(elsewhere, f"{world.mention} hello")
        assert elsewhere.last_message.author.id != ada.id
