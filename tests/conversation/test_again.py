"""The list shown last as it stands, for pages that are looked at often: `next` with `again`."""

from datetime import timedelta

from bot.conversation.action import Verb
from bot.conversation.message import Command
from bot.conversation.reply import Reply
from tests.conversation.person import Person, action_of


def slate_in(reply: Reply) -> int:
    return action_of(reply, Verb.SEEN).numbers[0]


async def again(person: Person) -> Reply:
    person.moment += timedelta(minutes=1)
    return await person.command("next", again="yes")


async def test_it_is_the_same_list_without_anything_being_kept_anew(ada: Person) -> None:
    await ada.say("I watched Alien")
    first = await again(ada)
    version = (await ada.snapshot()).version
    second = await again(ada)
    assert slate_in(first) == slate_in(second)
    assert [card.title for card in first.cards] == [card.title for card in second.cards]
    assert (await ada.snapshot()).version == version


async def test_it_shows_what_became_of_its_films(ada: Person) -> None:
    first = await again(ada)
    await ada.press(action_of(first, Verb.SAVE))
    dismiss = next(c.action for c in first.cards[1].choices if c.action.verb is Verb.DISMISS)
    await ada.press(dismiss)
    await ada.press(next(c.action for c in first.cards[2].choices if c.action.verb is Verb.SEEN))
    second = await again(ada)
    assert slate_in(second) == slate_in(first)
    assert [bool(card.note) for card in second.cards] == [True, True, True, False, False]
    assert dismiss not in [choice.action for card in second.cards for choice in card.choices]


async def test_a_watch_of_something_else_or_another_day_makes_it_anew(ada: Person) -> None:
    first = await again(ada)
    await ada.say("I watched Heat")
    second = await again(ada)
    assert slate_in(second) != slate_in(first)
    assert "Heat" not in [card.title for card in second.cards]
    ada.moment += timedelta(days=1)
    assert slate_in(await again(ada)) != slate_in(second)


async def test_more_of_it_is_the_list_then(ada: Person) -> None:
    first = await again(ada)
    more = await ada.press(action_of(first, Verb.MORE))
    shown = await again(ada)
    assert [card.film_id for card in shown.cards] == [card.film_id for card in more.cards]


async def test_what_a_page_asks_for_leaves_the_open_question_open(ada: Person) -> None:
    await ada.say("I watched Suspiria")
    for name, arguments in (("history", {}), ("next", {"again": "yes"}), ("settings", {})):
        await ada.dialogue.handle(Command(ada.origin(), name, arguments, aside=True))
    assert "Logged: Suspiria (1977)" in (await ada.say("1977")).text
    await ada.say("forget everything about me")
    await ada.dialogue.handle(Command(ada.origin(), "history", {}, aside=True))
    assert "erased" in (await ada.say("yes")).text
