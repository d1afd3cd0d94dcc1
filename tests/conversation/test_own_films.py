"""Films of a person's own: what is read as one, who sees it, and that the engine goes on without knowing it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.action import Action, Verb
from bot.conversation.message import Place, Press
from bot.conversation.own_films import meant_by, one_line, title_and_year, with_own
from engine.films import Film, FilmId
from engine.recommender import Recommender
from engine.requests import Event, Member, Request
from engine.titles import Certainty, Link, Match
from storage.records import FIRST_ADDED_FILM, MAX_TITLE, AddedFilm
from tests.conversation.person import Person, action_of

ID = FIRST_ADDED_FILM + 7
GRUE = Film(FilmId(ID), "The Grue: Part II", 1999)
UNDATED = Film(FilmId(ID + 1), "Zork & Co.", None)


@pytest.mark.parametrize(
    ("typed", "title", "year"),
    [
        ("Zork", "Zork", None),
        ("Zork (1999)", "Zork", 1999),
        ("Zork[2001]", "Zork", 2001),
        ("Zork 1999", "Zork 1999", None),
        ("(1999)", "(1999)", None),
        ("Zork (3000)", "Zork (3000)", None),
        ("  Zork\n\tII \u202e ", "Zork II", None),
    ],
)
def test_a_title_and_its_year(typed: str, title: str, year: int | None) -> None:
    assert title_and_year(typed) == (title, year)


@given(st.text(max_size=MAX_TITLE))
def test_what_is_read_as_a_title_can_be_kept(typed: str) -> None:
    title, year = title_and_year(typed)
    assert title == one_line(title)
    if title:
        AddedFilm(ID, title, year)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("the grue part 2", [GRUE]),
        ("Grue: Part II", [GRUE]),
        ("The Grue Part II (1999)", [GRUE]),
        ("the grue part ii 1999", [GRUE]),
        ("The Grue: Part II (2005)", []),
        ("The Grue", []),
        ("zork and co", [UNDATED]),
        ("Zork & Co. (1980)", [UNDATED]),
        ("", []),
    ],
)
def test_exact_titles_as_the_engine_reads_names(typed: str, found: list[Film]) -> None:
    assert meant_by(typed, [GRUE, UNDATED]) == found


def test_a_film_of_ones_own_is_never_guessed_over_a_clear_one() -> None:
    match = Match(FilmId(1), "Zork & Co.", 1.0)
    clear = with_own(Link("Zork & Co.", Certainty.CLEAR, (match,)), [UNDATED])
    assert (clear.certainty, [m.film_id for m in clear.matches]) == (Certainty.AMBIGUOUS, [UNDATED.film_id, 1])
    asked = with_own(Link("Zork & Co.", Certainty.AMBIGUOUS, (match,)), [UNDATED])
    assert (asked.certainty, asked.matches[0].film_id, asked.runner_up) == (Certainty.CLEAR, UNDATED.film_id, 1)
    of_a_year = Link("Zork & Co. (1980)", Certainty.CLEAR, (match,))
    assert with_own(of_a_year, [UNDATED]) == of_a_year


# The engine


@pytest.mark.parametrize("film_id", [FIRST_ADDED_FILM, FIRST_ADDED_FILM + 2**52, 2**62])
def test_the_engine_passes_over_what_it_does_not_know(recommender: Recommender, film_id: int) -> None:
    alien = recommender.titles.link("Alien (1979)").matches[0].film_id
    known, strange = Event(alien), Event(FilmId(film_id))
    request = Request(count=5)
    assert recommender.recommend([Member((strange, known, strange))], request) == recommender.recommend(
        [Member((known,))], request
    )
    assert recommender.recommend([Member((strange,))], request) == recommender.recommend([Member()], request)
    dismissing = Member((known,), frozenset({FilmId(film_id)}))
    assert recommender.recommend([dismissing], request) == recommender.recommend([Member((known,))], request)
    assert recommender.why([Member((known,))], FilmId(film_id), request) == ()
    assert recommender.order(Member((known,)), [FilmId(film_id), alien]) == (alien, FilmId(film_id))
    assert recommender.similar(FilmId(film_id)).picks == ()


# In the conversation


async def test_the_film_and_its_watch_are_one_message(ada: Person) -> None:
    asked = await ada.say("watched Zork und so weiter (1999) last night, 9/10")
    assert [choice.label for choice in asked.choices] == ["Log it anyway as “Zork und so weiter (1999)”", "No"]
    logged = await ada.press(asked.choices[0].action, event_id="yes")
    assert "Logged: Zork und so weiter (1999), yesterday, 4.5 of 5 stars." in logged.text
    snapshot = await ada.snapshot()
    (film,), (watch,) = snapshot.added_films, snapshot.history
    assert (film.title, film.year, watch.film_id) == ("Zork und so weiter", 1999, film.film_id)
    assert film.film_id >= FIRST_ADDED_FILM
    assert await ada.press(asked.choices[0].action, event_id="yes") == logged
    assert "settled" in (await ada.press(asked.choices[0].action)).text
    assert len((await ada.snapshot()).history) == 1
    undone = await ada.press(action_of(logged, Verb.UNDO))
    assert undone.text == "Undone: Zork und so weiter (1999) is no longer logged."
    assert await ada.history() == []
    assert (await ada.snapshot()).added_films == ()


async def last_message(person: Person) -> int:
    """The number of their last message."""
    known = await person.store.everything(person.identity)
    assert known is not None
    return int(str(max(known.rows["messages"], key=lambda row: int(str(row["version"])))["message_id"]))


async def test_undo_takes_a_mistyped_title_back(ada: Person) -> None:
    await ada.say("watched Zork und so weiterr")
    mistyped = await ada.say("yes")
    assert "that you added" in (await ada.say("/privacy")).text
    await ada.press(action_of(mistyped, Verb.UNDO))
    assert "that you added" not in (await ada.say("/privacy")).text
    await ada.press(Action(Verb.UNDO, (await last_message(ada),)))
    assert "that you added" in (await ada.say("/privacy")).text
    assert await ada.history() == ["Zork und so weiterr"]
    assert (await ada.say("rewatched zork und so weiterr")).text.startswith("Logged: Zork und so weiterr")
    await ada.say("undo")
    await ada.say("undo")
    assert (await ada.say("watched zork und so weiterr")).text.startswith("I know no film called")


async def test_one_that_was_undone_elsewhere_still_has_a_name(ada: Person) -> None:
    await ada.say("watched Qwertzuiop")
    logged = await ada.say("yes")
    elsewhere = replace(ada.origin(), place=Place("test", "", "elsewhere"), event_id="elsewhere")
    await ada.dialogue.handle(Press(elsewhere, action_of(logged, Verb.UNDO), None))
    assert "film 1" not in (await ada.say("loved it")).text


async def test_a_film_that_something_else_is_about_stays(ada: Person) -> None:
    await ada.say("watched Qwertzuiop yesterday")
    first = await ada.say("yes")
    await ada.say("watched Qwertzuiop today")
    await ada.press(action_of(first, Verb.UNDO))
    assert await ada.history() == ["Qwertzuiop"]
    assert len((await ada.snapshot()).added_films) == 1
    await ada.say("undo")
    assert (await ada.snapshot()).added_films == ()


async def test_one_that_comes_back_beside_itself_is_no_question(ada: Person) -> None:
    await ada.say("watched Qwertzuiop yesterday")
    await ada.press(action_of(await ada.say("yes"), Verb.UNDO))
    undo = await last_message(ada)
    await ada.say("watched Qwertzuiop today")
    await ada.say("yes")
    await ada.press(Action(Verb.UNDO, (undo,)))
    assert await ada.history() == ["Qwertzuiop", "Qwertzuiop"]
    assert (await ada.say("watched Qwertzuiop last month")).text.startswith("Logged: Qwertzuiop")


async def test_nobody_else_sees_it(ada: Person, bob: Person) -> None:
    asked = await ada.say("watched Qwertzuiop")
    assert "someone else" in (await bob.press(asked.choices[0].action)).text
    logged = await ada.press(asked.choices[0].action)
    (film,) = (await ada.snapshot()).added_films
    assert "I know no film called “Qwertzuiop”" in (await bob.say("watched Qwertzuiop")).text
    message, thing, _ = action_of(await bob.say("watched The Thing"), Verb.SWAP).numbers
    assert "too old" in (await bob.press(Action(Verb.SWAP, (message, thing, film.film_id)))).text
    assert "someone else" in (await bob.press(action_of(logged, Verb.UNDO))).text
    assert await bob.history() == ["The Thing (1982)"]
    assert (await bob.snapshot()).added_films == ()


async def test_it_is_never_recommended(ada: Person) -> None:
    await ada.say("watched Qwertzuiop, loved it")
    await ada.say("yes")
    for said in ("recommend me 20 films", "20 obscure films", "more"):
        reply = await ada.say(said)
        assert len(reply.cards) == 20
        assert all(card.film_id < FIRST_ADDED_FILM for card in reply.cards)
    assert ada.last.text.startswith("More")


async def test_by_the_film_of_another_name_that_was_near(ada: Person) -> None:
    asked = await ada.say("watched Aliens Stole My Grandmother")
    assert asked.choices[-1].label in {"None of these", "No"}
    if asked.choices[-1].label == "None of these":
        asked = await ada.say("none of these")
    assert asked.choices[0].label == "Log it anyway as “Aliens Stole My Grandmother”"


@pytest.mark.parametrize(
    "title",
    [
        "'; DROP TABLE added_films; --Qwertz",
        "<script>alert(1)</script> Qwertz",
        "@everyone <@123> *Qwertz* [a](javascript:b)",
        "\x1b[31mQwertzuiop\x07\x00",
        "Qwertzuiop\u202e\u2066 rtl",
        "{Qwertz} {0} %s %(x)s",
        "żółć Qwertz 🎬",
        "-1 OR 1=1 Qwertzu",
    ],
)
async def test_a_hostile_title_is_a_title(ada: Person, title: str) -> None:
    await ada.say(f"watched “{title}”")
    for _ in range(6):
        if ada.last.choices and ada.last.choices[0].label.startswith("Log it anyway"):
            break
        await ada.say("none of these")
    logged = await ada.say("1")
    assert "Logged: " in logged.text
    (film,) = (await ada.snapshot()).added_films
    assert film.title.isprintable()
    for said in ("history", "undo", "undo", "/privacy", "export my data"):
        reply = await ada.say(said)
        assert "went wrong" not in reply.text
        assert all(c.isprintable() or c == "\n" for c in reply.text)
