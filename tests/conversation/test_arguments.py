"""Commands with named arguments, films by their ids, films in another's text, and settings of a whole server."""

from __future__ import annotations

import pytest

from bot.conversation.action import Verb
from bot.conversation.arguments import by_name
from bot.conversation.commands import Name, film_of, film_value
from bot.conversation.intents import Adjust, LogWatches, Recommend, Setting, State, Together, Unread, Wish
from bot.conversation.message import Command, Place
from bot.conversation.phrases import phrases_for
from bot.conversation.reply import Reply, Visibility
from storage.records import MessageKey, PlaceKey, PlaceSettings
from tests.conversation.person import Person, action_of

ENGLISH = phrases_for("en")


@pytest.mark.parametrize(
    ("name", "given", "intents"),
    [
        (Name.WATCHED, {"film": "film:6"}, (LogWatches("film:6", "film:6"),)),
        (
            Name.WATCHED,
            {"film": "Heat", "when": "yesterday", "rating": "8/10", "finished": "no"},
            (LogWatches("Heat", "Heat", when="yesterday", rating=4.0, state=State.ABANDONED),),
        ),
        (Name.WATCHED, {"film": "Heat", "rating": "?"}, (Unread("rating", "?"), LogWatches("Heat", "Heat"))),
        (Name.NEXT, {"genre": "Sci-Fi"}, (Recommend(Wish(genres=("Sci-Fi",))),)),
        (Name.NEXT, {"genre": "no horror"}, (Recommend(Wish(without_genres=("Horror",))),)),
        (Name.NEXT, {"years": "1990 - 1999"}, (Recommend(Wish(years=(1990, 1999))),)),
        (Name.NEXT, {"years": "1994"}, (Recommend(Wish(years=(1994, 1994))),)),
        (Name.NEXT, {"years": "since 2010"}, (Recommend(Wish(years=(2010, None))),)),
        (Name.NEXT, {"years": "soon"}, (Unread("years", "soon"), Recommend(Wish()))),
        (Name.NEXT, {"adventure": "0,9"}, (Recommend(Wish(adventurousness=0.9)),)),
        (Name.NEXT, {"adventure": "2"}, (Unread("adventure", "2"), Recommend(Wish()))),
        (Name.NIGHT, {"like": "film:6"}, (Together(Wish(like=("film:6",)), vote=True),)),
        (Name.SETTINGS, {"groups": "on", "language": "de"},
         (Adjust(Setting.LOCALE, "de"), Adjust(Setting.GROUP_OPT_IN, "on"))),
        (Name.WATCHED, {"film": "Heat and Jaws"}, None),
        (Name.NEXT, {"wish": "horror"}, None),
    ],
)  # fmt: skip
def test_what_named_arguments_mean(name: Name, given: dict[str, str], intents: object) -> None:
    assert by_name(name, given, ENGLISH) == intents


def test_a_film_as_a_value_comes_back() -> None:
    assert film_of(film_value(296)) == 296
    for other in ("296", "film:", "film:x", "film:²", "film:" + "9" * 19, "film:1 2"):
        assert film_of(other) is None


@pytest.mark.parametrize(
    ("name", "arguments", "part"),
    [
        ("watched", {"film": "film:1214"}, "Logged: Alien (1979)"),
        ("like", {"film": "film:1214"}, "Like Alien (1979)"),
        ("why", {"film": "film:1214"}, "What speaks for it"),
        ("history", {"film": "film:1214"}, "No, Alien (1979) is not"),
        ("remove", {"film": "film:1214"}, "Alien (1979) is not in your history"),
        ("dismiss", {"film": "film:1214"}, "not suggest Alien (1979)"),
        ("want", {"film": "film:1214"}, "On your watchlist: Alien (1979)"),
        ("watchlist", {"add": "film:1214"}, "On your watchlist: Alien (1979)"),
        ("watched", {"film": "film:999999999"}, "I know no film called"),
    ],
)
async def test_a_film_is_named_by_its_id(ada: Person, name: str, arguments: dict[str, str], part: str) -> None:
    assert part in (await ada.command(name, **arguments)).text


async def test_more_adventurous_turns_the_dial_and_repeats_nothing(ada: Person) -> None:
    first = await ada.say("5 horror films")
    bolder = await ada.press(action_of(first, Verb.BOLDER))
    kept = (await ada.snapshot()).last_slate
    assert kept is not None
    assert kept.request["adventurousness"] == 0.6
    assert kept.request["genres"] == ["Horror"]
    assert not {card.film_id for card in first.cards} & {card.film_id for card in bolder.cards}
    boldest = await ada.press(action_of(await ada.press(action_of(bolder, Verb.BOLDER)), Verb.BOLDER))
    assert Verb.BOLDER not in {choice.action.verb for choice in boldest.choices}


class TestUpdatedLists:
    async def test_a_slate_shows_what_became_of_its_films(self, ada: Person) -> None:
        slate = await ada.say("what next?")
        seen = await ada.press(action_of(slate, Verb.SEEN), "m1")
        assert seen.replaces is None
        assert seen.updated is not None
        assert [card.note for card in seen.updated.cards] == ["Seen", "", "", "", ""]
        assert [card.film_id for card in seen.updated.cards] == [card.film_id for card in slate.cards]
        assert [card.reason for card in seen.updated.cards] == [card.reason for card in slate.cards]
        undone = await ada.press(action_of(seen, Verb.UNDO), "m1")
        assert undone.updated is not None
        assert [card.note for card in undone.updated.cards] == [""] * 5
        assert undone.updated.cards == slate.cards

    async def test_undoing_something_else_later_shows_what_is_left(self, ada: Person) -> None:
        slate = await ada.say("what next?")
        saved = await ada.press(action_of(slate, Verb.SAVE))
        away = await ada.press(slate.cards[1].choices[2].action)
        undone = await ada.press(action_of(saved, Verb.UNDO))
        assert away.updated is not None
        assert undone.updated is not None
        assert [card.note for card in away.updated.cards[:2]] == ["Saved", "Not for you"]
        assert [card.note for card in undone.updated.cards[:2]] == ["", "Not for you"]

    async def test_a_refusal_takes_the_place_of_nothing(self, ada: Person, bob: Person) -> None:
        asked = await ada.say("I just watched Suspiria")
        logged = await ada.say("watched Heat")
        for action in (asked.choices[0].action, action_of(logged, Verb.UNDO)):
            refused = await bob.press(action, "m1")
            assert (refused.replaces, refused.updated) == (None, None)


class TestFound:
    async def found(self, person: Person, text: str) -> Reply:
        return await person.command("found", text=text)

    @pytest.mark.parametrize(
        ("text", "films"),
        [
            ("I watched Alien and Heat yesterday", {"Alien (1979)", "Heat (1995)"}),
            ("Has anyone seen “Blade Runner”?", {"Blade Runner (1982)"}),
            ("My list:\n1. Jaws (1975)\n2. Fargo\n- Casablanca", {"Jaws (1975)", "Fargo (1996)", "Casablanca (1942)"}),
            ("see you at noon, bring crisps", set()),
            ("", set()),
        ],
    )
    async def test_films_that_a_text_names_are_logged_without_what_it_says_of_them(
        self, ada: Person, text: str, films: set[str]
    ) -> None:
        reply = await self.found(ada, text)
        assert set(await ada.history()) == films
        assert reply.visibility is Visibility.PRIVATE
        assert all(watch.watched_on is None for watch in (await ada.snapshot()).history)

    async def test_a_name_that_films_share_is_asked_about(self, ada: Person) -> None:
        assert "Which Suspiria?" in (await self.found(ada, "watched Suspiria tonight")).text
        assert await ada.history() == []


class TestServer:
    async def set(self, person: Person, *, administers: bool = True, workspace: str = "1", **arguments: str) -> Reply:
        origin = person.origin(administers=administers, place=Place("test", workspace, "c"))
        return await person.dialogue.handle(Command(origin, "server", arguments))

    async def test_who_manages_it_sets_it_for_all(self, ada: Person, bob: Person) -> None:
        set_ = await self.set(ada, allow="7", allow_name="films", adventurousness="0.8")
        assert "#films" in set_.text
        assert set_.visibility is Visibility.PRIVATE
        assert await ada.store.place_settings("test", "1") == PlaceSettings({"7": "films"}, 0.8)
        slate = await bob.say("what next?", place=Place("test", "1", "c"))
        assert slate.cards
        there, event = PlaceKey("test", "1", "c", ""), MessageKey("test", "", "none")
        kept = (await bob.store.read(bob.identity, there, event, bob.moment)).last_slate
        assert kept is not None
        assert kept.request["adventurousness"] == 0.8
        assert "everywhere" not in (await self.set(ada, disallow="7")).text
        assert (await ada.store.place_settings("test", "1")).channels == {}

    async def test_others_and_other_places_are_refused(self, ada: Person) -> None:
        assert "manage this server" in (await self.set(ada, administers=False, adventurousness="1")).text
        assert "for servers" in (await self.set(ada, workspace="", adventurousness="1")).text
        assert "can't read “much”" in (await self.set(ada, adventurousness="much")).text
        assert await ada.store.place_settings("test", "1") == PlaceSettings()
