"""Whole conversations, on a real store and the model that ships: what is replied, and what is kept."""

import asyncio
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text as sql

from bot.conversation.action import Action, Verb
from bot.conversation.dialogue import Dialogue
from bot.conversation.message import Identity, Origin, Place, Text
from bot.conversation.reply import File, Reply, Visibility, from_json, to_json
from engine.recommender import Recommender
from storage.errors import BusyError, ConflictError
from storage.store import Store
from tests.conversation.person import MOMENT, Person, action_of

HERE = Path(__file__).parent
SCENARIOS: list[dict[str, Any]] = tomllib.loads((HERE / "scenarios.toml").read_text(encoding="utf-8"))["scenario"]
NOTHING_LOGGED: list[str] = tomllib.loads((HERE / "nothing_logged.toml").read_text(encoding="utf-8"))["say"]


def shown(reply: Reply) -> str:
    return f"{reply.text}\n{reply.footer}"


def titles(reply: Reply) -> list[str]:
    return [f"{card.title} ({card.year})" for card in reply.cards]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
async def test_scenario(scenario: dict[str, Any], ada: Person) -> None:
    for line in scenario["lines"]:
        reply = await ada.say(line["say"])
        for part in line.get("reply", ()):
            assert part in shown(reply)
        for part in line.get("reply_not", ()):
            assert part not in shown(reply)
        if "choices" in line:
            assert [choice.label for choice in reply.choices] == line["choices"]
        if "cards" in line:
            assert len(reply.cards) == line["cards"]
        assert not set(titles(reply)) & set(line.get("cards_not", ()))
    if "history" in scenario:
        assert await ada.history() == scenario["history"]
    if "watchlist" in scenario:
        assert await ada.watchlist() == scenario["watchlist"]


async def test_what_is_not_a_watch_is_not_logged(ada: Person) -> None:
    for said in NOTHING_LOGGED:
        reply = await ada.say(said)
        assert reply.text, said
        assert await ada.history() == [], said
        ada.name += "'"  # the next one is said by somebody else, in no context


# Slates


async def test_each_card_says_why_and_what_can_be_done(ada: Person) -> None:
    await ada.say("watched Alien and Blade Runner")
    reply = await ada.say("what next?")
    for number, card in enumerate(reply.cards, 1):
        assert card.number == number
        assert card.reason
        verbs = [choice.action.verb for choice in card.choices]
        assert verbs == [Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.WHY, Verb.LIKE]
        assert all(url.startswith("https://") for _, url in card.links)
        assert card.links


async def test_more_shows_none_of_the_films_shown_before(ada: Person) -> None:
    await ada.say("watched Alien")
    first, second, third = [titles(await ada.say(said)) for said in ("5 horror films", "more", "more")]
    assert len({*first, *second, *third}) == 15


async def test_a_surprise_is_another_for_each_and_every_time(ada: Person, bob: Person) -> None:
    first, again, bobs = [titles(await one.say("surprise me")) for one in (ada, ada, bob)]
    assert len(first) == len(again) == len(bobs) == 5
    assert not set(first) & set(again)
    assert set(first) != set(bobs)
    assert not set(again) & set(titles(await ada.say("more")))


async def test_a_wish_holds_for_every_card_and_for_more(ada: Person) -> None:
    for said in ("3 westerns from the 60s", "more"):
        for card in (await ada.say(said)).cards:
            assert "Western" in card.genres
            assert card.year is not None
            assert 1960 <= card.year <= 1969


async def test_what_was_dismissed_or_seen_is_not_shown_again(ada: Person) -> None:
    await ada.say("watched Alien")
    first = await ada.say("what next?")
    await ada.say("not interested in 1")
    await ada.say("seen 2")
    assert not set(titles(first)[:2]) & set(titles(await ada.say("recommend me 20 films")))


async def test_the_slate_shown_is_kept_with_its_request(ada: Person) -> None:
    reply = await ada.say("3 horror films from the 70s")
    kept = (await ada.snapshot()).last_slate
    assert kept is not None
    assert [pick.film_id for pick in kept.picks] == [card.film_id for card in reply.cards]
    assert kept.request["genres"] == ["Horror"]
    assert kept.request["years"] == [1970, 1979]


# Buttons


async def test_a_choice_answers_the_question(ada: Person) -> None:
    asked = await ada.say("I just watched Suspiria")
    answered = await ada.press(asked.choices[1].action, reply_id="m1")
    assert "Suspiria (2017)" in answered.text
    assert answered.replaces == "m1"
    assert await ada.history() == ["Suspiria (2017)"]


async def test_a_question_is_answered_once(ada: Person) -> None:
    asked = await ada.say("I just watched Suspiria")
    await ada.press(asked.choices[0].action)
    again = await ada.press(asked.choices[1].action)
    assert "settled" in again.text
    assert await ada.history() == ["Suspiria (1977)"]


@pytest.mark.parametrize("verb", [Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.WHY, Verb.LIKE, Verb.MORE])
async def test_a_slate_is_only_its_owners(ada: Person, bob: Person, verb: Verb) -> None:
    action = action_of(await ada.say("what next?"), verb)
    await bob.say("watched Jaws")
    refused = await bob.press(action)
    assert "someone else" in refused.text
    assert refused.visibility is Visibility.PRIVATE
    assert await bob.history() == ["Jaws (1975)"]
    assert "someone else" not in (await ada.press(action)).text


@pytest.mark.parametrize("verb", [Verb.UNDO, Verb.SWAP])
async def test_a_change_is_taken_back_by_its_owner_alone(ada: Person, bob: Person, verb: Verb) -> None:
    action = action_of(await ada.say("watched The Thing"), verb)
    await bob.say("hi")
    assert "someone else" in (await bob.press(action)).text
    assert await ada.history() == ["The Thing (1982)"]
    await ada.press(action)
    assert await ada.history() != ["The Thing (1982)"]


async def test_a_question_is_answered_by_the_one_who_was_asked(ada: Person, bob: Person) -> None:
    asked = await ada.say("I just watched Suspiria")
    assert "someone else" in (await bob.press(asked.choices[0].action)).text
    assert await bob.history() == []


async def test_undo_by_button_takes_back_that_message_alone(ada: Person) -> None:
    first = await ada.say("watched Jaws")
    await ada.say("watched Heat")
    undone = await ada.press(action_of(first, Verb.UNDO))
    assert "Jaws" in undone.text
    assert await ada.history() == ["Heat (1995)"]
    assert "already" in (await ada.press(action_of(first, Verb.UNDO))).text


async def test_one_film_of_several_is_taken_back(ada: Person) -> None:
    reply = await ada.say("watched Jaws and Heat")
    message = action_of(reply, Verb.UNDO).numbers[0]
    jaws = ada.recommender.titles.link("Jaws").matches[0].film_id
    await ada.press(Action(Verb.UNLOG, (message, jaws)))
    assert await ada.history() == ["Heat (1995)"]


async def test_erasing_takes_a_second_press(ada: Person) -> None:
    await ada.say("watched Jaws")
    asked = await ada.say("forget me")
    assert asked.visibility is Visibility.PRIVATE
    assert await ada.history() == ["Jaws (1975)"]
    assert "erased" in (await ada.press(action_of(asked, Verb.FORGET))).text
    assert await ada.history() == []
    assert (await ada.snapshot()).person is None


async def test_keeping_keeps(ada: Person) -> None:
    await ada.say("watched Jaws")
    asked = await ada.say("forget me")
    assert "nothing was erased" in (await ada.press(action_of(asked, Verb.KEEP))).text
    assert await ada.history() == ["Jaws (1975)"]


@given(
    verb=st.sampled_from(Verb), numbers=st.lists(st.integers(0, 2**62), max_size=4).map(tuple)
)  # fmt: skip
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_button_that_was_never_shown_does_nothing(
    recommender: Recommender, tmp_path: Path, verb: Verb, numbers: tuple[int, ...]
) -> None:
    async def press() -> None:
        store = await Store.open(f"sqlite:///{tmp_path / 'forged.db'}")
        ada = Person(Dialogue(store, recommender, zone=UTC), store, recommender)
        reply = await ada.press(Action(verb, numbers))
        assert reply.text
        assert "went wrong" not in reply.text
        assert await ada.history() == []
        await store.close()

    asyncio.run(press())


# Commands, type-ahead


async def test_a_command_with_named_arguments(ada: Person) -> None:
    reply = await ada.command("watched", film="Suspiria (1977)", date="yesterday", rating="9/10")
    assert reply.text == "Logged: Suspiria (1977), yesterday, 4.5 of 5 stars."
    assert len((await ada.command("next", wish="horror", count="2")).cards) == 2


async def test_type_ahead_offers_films_and_keeps_nothing(ada: Person) -> None:
    reply = await ada.complete("susp")
    assert "Suspiria" in {card.title for card in reply.cards}
    assert len(reply.cards) <= 25
    assert (await ada.complete("")).cards == ()
    assert (await ada.snapshot()).person is None


# Dates


@pytest.mark.parametrize(
    ("said", "day", "precision"),
    [
        ("watched Jaws", None, "unknown"),
        ("just watched Jaws", "2026-11-20", "day"),
        ("watched Jaws last night", "2026-11-19", "day"),
        ("watched Jaws on Monday", "2026-11-16", "day"),
        ("watched Jaws 3 days ago", "2026-11-17", "day"),
        ("watched Jaws on May 3", "2026-05-03", "day"),
        ("watched Jaws on 3 May 2019", "2019-05-03", "day"),
        ("watched Jaws in December", "2025-12-01", "month"),
        ("watched Jaws in 1999", "1999-01-01", "year"),
        ("watched Jaws two years ago", "2024-01-01", "year"),
        ("watched Jaws ages ago", None, "unknown"),
    ],
)
async def test_a_date_is_kept_with_its_precision(ada: Person, said: str, day: str | None, precision: str) -> None:
    await ada.say(said)
    (watch,) = (await ada.snapshot()).history
    assert (str(watch.watched_on) if watch.watched_on else None, watch.precision.value) == (day, precision)


async def test_yesterday_is_the_persons(ada: Person) -> None:
    ada.moment = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    await ada.say("watched Jaws yesterday", time_zone="America/Los_Angeles")  # where it is still the 19th
    (watch,) = (await ada.snapshot()).history
    assert str(watch.watched_on) == "2026-11-18"


async def test_an_unknown_time_zone_is_no_error(ada: Person) -> None:
    assert "Logged" in (await ada.say("watched Jaws yesterday", time_zone="Mars/Olympus")).text


# Promises


async def test_the_same_event_is_handled_once(ada: Person) -> None:
    first = await ada.say("watched Jaws", event_id="e1")
    second = await ada.say("watched Jaws", event_id="e1")
    assert first == second
    assert await ada.history() == ["Jaws (1975)"]


async def test_sixty_messages_at_once_are_all_kept(ada: Person) -> None:
    replies = await asyncio.gather(*(ada.say(f"watched Jaws in {year}") for year in range(1940, 2000)))
    assert all("Logged" in reply.text for reply in replies)
    assert len(await ada.history()) == 60


async def test_two_processes_keep_what_both_confirm(ada: Person, tmp_path: Path) -> None:
    other = await Store.open(f"sqlite:///{tmp_path / 'watches.db'}")
    ada_there = replace(ada, store=other, dialogue=Dialogue(other, ada.recommender, zone=UTC))
    await ada.say("hi, I watched Heat")
    replies = await asyncio.gather(
        *(who.say(f"watched Jaws in {year}") for year in range(1990, 1996) for who in (ada, ada_there))
    )
    confirmed = {reply.text for reply in replies if "Logged" in reply.text}
    assert len(await ada.history()) == 1 + len(confirmed)
    await other.close()


async def test_a_context_runs_out(ada: Person) -> None:
    await ada.say("I just watched Suspiria")
    ada.moment += timedelta(hours=2)
    await ada.say("the first")
    assert await ada.history() == []


async def test_a_question_survives_a_restart(ada: Person, tmp_path: Path) -> None:
    await ada.say("I just watched Suspiria")
    reopened = await Store.open(f"sqlite:///{tmp_path / 'watches.db'}")
    again = replace(ada, store=reopened, dialogue=Dialogue(reopened, ada.recommender, zone=UTC))
    assert "Logged: Suspiria (1977)" in (await again.say("1977")).text
    await reopened.close()


async def test_people_and_places_are_apart(ada: Person, bob: Person) -> None:
    await ada.say("I just watched Suspiria")
    assert "Logged" not in (await bob.say("the first")).text
    elsewhere = Origin(Identity("test", "", "ada"), Place("test", "", "there"), "x1", MOMENT)
    assert "Logged" not in (await ada.dialogue.handle(Text(elsewhere, "the first"))).text


async def test_small_talk_of_a_stranger_keeps_nothing(ada: Person) -> None:
    for said in ("hi", "help", "thanks", "asdf qwer"):
        await ada.say(said)
    assert (await ada.snapshot()).person is None


class Broken(Store):
    """A store whose keeping fails as its promises allow."""

    error: Exception

    async def apply(self, *args: Any, **kwargs: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (BusyError(detail="locked"), "database is busy"),
        (ConflictError(detail="version"), "changed at the same moment"),
        (RuntimeError("secret inner workings"), "went wrong on my side"),
    ],
)
async def test_an_error_is_one_sentence_with_the_id_of_its_log_line(
    ada: Person, error: Exception, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Broken(ada.store.database)
    broken.error = error
    ada.dialogue = Dialogue(broken, ada.recommender, zone=UTC)
    reply = await ada.say("watched Jaws")
    assert sentence in reply.text
    assert "secret" not in reply.text
    number = reply.text.rsplit("(", 1)[1].rstrip(")")
    logged = capsys.readouterr().out
    assert number in logged
    assert "Jaws" not in logged
    assert "secret" not in logged
    assert await ada.history() == []


async def test_nothing_that_was_typed_is_logged(ada: Person, capsys: pytest.CaptureFixture[str]) -> None:
    for said in (
        "watched Zebrafinch Qwfpgj", "1", "add Zebrafinch to my watchlist", "/link zebrafinch", "my code is zebrafinch",
        "/settings time zone Zebrafinch", "/settings zebrafinch", "set my language to zebrafinch", "Zebrafinch",
        "export my data", "/zebrafinch",
    ):  # fmt: skip
        await ada.say(said)
    await ada.hand_over(File("zebrafinch.zip", "application/zip", b"PK zebrafinch"))
    logged = capsys.readouterr()
    assert "answered" in logged.out
    assert "zebrafinch" not in (logged.out + logged.err).casefold()


async def test_a_lost_race_is_run_again(ada: Person) -> None:
    class Racing(Store):
        lost = 0

        async def apply(self, *args: Any, **kwargs: Any) -> Any:
            if self.lost < 2:
                self.lost += 1
                raise ConflictError(detail="version")
            return await super().apply(*args, **kwargs)

    ada.dialogue = Dialogue(Racing(ada.store.database), ada.recommender, zone=UTC)
    assert "Logged" in (await ada.say("watched Jaws")).text
    assert await ada.history() == ["Jaws (1975)"]


# Anything at all


SAID = [line["say"] for scenario in SCENARIOS for line in scenario["lines"]]


@given(st.lists(st.one_of(st.text(max_size=200), st.sampled_from(SAID)), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_gets_a_reply(recommender: Recommender, tmp_path: Path, lines: list[str]) -> None:
    async def talk() -> None:
        store = await Store.open(f"sqlite:///{tmp_path / 'any.db'}")
        ada = Person(Dialogue(store, recommender, zone=UTC), store, recommender)
        for line in lines:
            reply = await ada.say(line)
            assert reply.text
            assert "went wrong" not in reply.text
            assert all(c.isprintable() or c == "\n" for c in shown(reply))
            assert all(len(choice.label) <= 75 for choice in reply.choices)
            assert from_json(to_json(reply)) == reply
        await store.close()

    asyncio.run(talk())


async def test_log_then_undo_is_nothing(ada: Person) -> None:
    await ada.say("watched Heat")
    before = await ada.snapshot()
    await ada.say("rewatched Alien and Jaws yesterday, 9/10")
    await ada.say("undo")
    assert (await ada.snapshot()).history == before.history


async def test_a_megabyte_gets_an_answer(ada: Person) -> None:
    for hostile in ("x" * 1_000_000, "watched " * 125_000, "\x00\x1b" * 500_000, "😀" * 250_000):
        assert (await ada.say(hostile)).text


async def test_nothing_that_was_typed_is_kept_after_erasing(ada: Person, tmp_path: Path) -> None:
    await ada.say("watched Quetzalcoatlus Rex")
    await ada.say("watched Suspiria")
    await ada.say("forget me")
    await ada.say("yes")
    kept = await ada.store.database.read(lambda connection: connection.scalar(sql("select count(*) from messages")))
    assert kept == 0
    assert b"Quetzalcoatlus" not in (tmp_path / "watches.db").read_bytes()
