"""The watchlist by buttons, twice delivered, and across processes; what is said of it is in `scenarios.toml`."""

import asyncio

import pytest

from bot.conversation.action import Action, Verb
from bot.conversation.reply import Reply, Visibility
from bot.conversation.wanting import PAGE
from engine.requests import Event, Member
from storage.records import FeedbackKind
from tests.conversation.person import Person, action_of


def label(reply: Reply, place: int) -> str:
    card = reply.cards[place - 1]
    return f"{card.title} ({card.year})"


async def test_save_by_button_and_undo(ada: Person) -> None:
    slate = await ada.say("what next?")
    saved = await ada.press(action_of(slate, Verb.SAVE))
    assert saved.text == f"On your watchlist: {label(slate, 1)}."
    assert saved.replaces is None
    assert await ada.watchlist() == [label(slate, 1)]
    again = await ada.press(action_of(slate, Verb.SAVE))
    assert again.text == f"Already on your watchlist: {label(slate, 1)}."
    undone = await ada.press(action_of(saved, Verb.UNDO))
    assert undone.text == f"Undone: {label(slate, 1)} is off your watchlist."
    assert await ada.watchlist() == []


async def test_a_film_that_was_not_on_the_slate_is_not_saved(ada: Person) -> None:
    slate_id = action_of(await ada.say("what next?"), Verb.SAVE).numbers[0]
    refused = await ada.press(Action(Verb.SAVE, (slate_id, 10**9 + 5)))
    assert "too old" in refused.text
    assert await ada.watchlist() == []


async def test_saving_delivered_twice_is_done_once(ada: Person) -> None:
    action = action_of(await ada.say("what next?"), Verb.SAVE)
    first = await ada.press(action, event_id="save")
    assert await ada.press(action, event_id="save") == first
    assert len(await ada.watchlist()) == 1
    typed = await ada.say("add Heat to my watchlist", event_id="want")
    assert await ada.say("add Heat to my watchlist", event_id="want") == typed
    off = await ada.say("remove Heat from my watchlist", event_id="unwant")
    assert await ada.say("remove Heat from my watchlist", event_id="unwant") == off
    assert len(await ada.watchlist()) == 1


async def test_a_button_pressed_twice_at_once_saves_once(ada: Person) -> None:
    action = action_of(await ada.say("what next?"), Verb.SAVE)
    replies = await asyncio.gather(ada.press(action), ada.press(action))
    assert sorted(reply.text.split(":")[0] for reply in replies) == ["Already on your watchlist", "On your watchlist"]
    assert len(await ada.watchlist()) == 1


async def test_the_watchlist_is_private_and_its_buttons_are_its_owners(ada: Person, bob: Person) -> None:
    await ada.say("add Heat and Alien to my watchlist")
    await bob.say("add Heat to my watchlist")
    shown = await ada.say("my watchlist")
    assert shown.visibility is Visibility.PRIVATE
    assert [[choice.action.verb for choice in card.choices] for card in shown.cards] == [
        [Verb.WATCHED, Verb.UNSAVE]
    ] * 2
    for verb in (Verb.WATCHED, Verb.UNSAVE):
        refused = await bob.press(action_of(shown, verb))
        assert "someone else" in refused.text
        assert refused.visibility is Visibility.PRIVATE
    assert await bob.watchlist() == ["Heat (1995)"]
    assert await bob.history() == []


async def test_buttons_of_the_watchlist(ada: Person) -> None:
    await ada.say("add Heat and Alien to my watchlist")
    shown = await ada.say("my watchlist")
    heat, alien = shown.cards
    seen = await ada.press(heat.choices[0].action)
    assert seen.text == "Marked as seen: Heat (1995)."
    assert seen.replaces is None
    assert "Not on your watchlist" in (await ada.press(heat.choices[0].action)).text
    off = await ada.press(alien.choices[1].action)
    assert off.text == "Off your watchlist: Alien (1979)."
    assert (await ada.history(), await ada.watchlist()) == (["Heat (1995)"], [])
    assert "Alien (1979) is back on your watchlist" in (await ada.press(action_of(off, Verb.UNDO))).text
    assert "Heat (1995) is back on your watchlist" in (await ada.press(action_of(seen, Verb.UNDO))).text
    assert (await ada.history(), await ada.watchlist()) == ([], ["Heat (1995)", "Alien (1979)"])


async def test_buttons_work_though_the_same_watchlist_was_shown_twice(ada: Person) -> None:
    await ada.say("add Heat to my watchlist")
    for _ in range(2):
        shown = await ada.say("my watchlist")
    assert "Off your watchlist" in (await ada.press(action_of(shown, Verb.UNSAVE))).text


async def test_taking_back_one_film_of_a_message_puts_it_back_on_the_watchlist(ada: Person) -> None:
    await ada.say("add Heat and Jaws to my watchlist")
    logged = await ada.say("watched Heat and Jaws")
    message = action_of(logged, Verb.UNDO).numbers[0]
    await ada.say("watched Alien")  # so that nothing of it is in mind any more
    jaws = ada.recommender.titles.link("Jaws").matches[0].film_id
    await ada.press(Action(Verb.UNLOG, (message, jaws)))
    assert await ada.history() == ["Heat (1995)", "Alien (1979)"]
    assert await ada.watchlist() == ["Jaws (1975)"]


async def test_swapping_by_button_puts_the_wrong_film_back(ada: Person) -> None:
    await ada.say("add The Thing (1982) to my watchlist")
    logged = await ada.say("watched The Thing")
    await ada.say("watched Alien")
    await ada.press(action_of(logged, Verb.SWAP))
    assert await ada.watchlist() == ["The Thing (1982)"]


async def test_a_long_watchlist_is_shown_in_pages_with_numbers_that_go_on(ada: Person) -> None:
    slate = await ada.say("recommend me 15 films")
    await ada.say("save all of them")
    first, second, end = [await ada.say(said) for said in ("my watchlist", "more", "more")]
    assert [card.number for card in first.cards] == list(range(1, PAGE + 1))
    assert "5 more" in first.footer
    assert [card.number for card in second.cards] == list(range(PAGE + 1, 16))
    assert end.text == "That is all of your watchlist."
    assert [label(slate, place) for place in range(1, 16)] == await ada.watchlist()
    seen = await ada.say("seen 12")
    assert seen.text == f"Marked as seen: {label(slate, 12)}."


async def test_what_of_the_watchlist_to_watch_is_the_engines_order(ada: Person) -> None:
    await ada.say("watched Alien, Aliens and The Thing (1982)")
    await ada.say("add Notting Hill, Halloween (1978) and Casablanca to my watchlist")
    shown = await ada.say("what should I watch from my watchlist?")
    link = ada.recommender.titles.link
    listed = [link(title).matches[0].film_id for title in ("Notting Hill", "Halloween (1978)", "Casablanca")]
    watched = [link(title).matches[0].film_id for title in ("Alien", "Aliens", "The Thing (1982)")]
    member = Member(tuple(Event(film_id) for film_id in watched))
    assert tuple(card.film_id for card in shown.cards) == ada.recommender.order(member, listed)


@pytest.mark.parametrize("said", ["watched Heat", "seen 1", "rewatched Heat yesterday", "gave up on Heat halfway"])
async def test_whatever_says_that_a_film_was_watched_takes_it_off(ada: Person, said: str) -> None:
    await ada.say("add Heat to my watchlist")
    await ada.say("my watchlist")
    await ada.say(said)
    assert (await ada.history(), await ada.watchlist()) == (["Heat (1995)"], [])
    await ada.say("undo")
    assert (await ada.history(), await ada.watchlist()) == ([], ["Heat (1995)"])


async def test_wanting_and_watching_are_one_transaction_with_what_was_said(ada: Person) -> None:
    await ada.say("watched Jaws and save it")
    snapshot = await ada.snapshot()
    (watch,) = snapshot.history
    changes = await ada.store.message_changes(watch.message_id)
    assert changes is not None
    assert [given.kind for given in changes.feedback] == [FeedbackKind.WANTED]
