"""What is said about what is known, and messages of which the answer is known no more."""

from datetime import UTC, timedelta

import pytest
from sqlalchemy import update

from bot.conversation.dialogue import Dialogue
from bot.conversation.reply import Visibility
from bot.conversation.turn import Kept
from bot.slates import Slates
from storage.cache import Cache
from storage.errors import BusyError
from storage.records import PersonId
from storage.tables import messages
from tests.conversation.person import Person


async def test_the_summary_counts_what_is_there(ada: Person) -> None:
    await ada.say("watched Alien and Heat")
    await ada.say("watched Qwertzuiop")
    await ada.say("yes")
    await ada.say("add Jaws and Tootsie to my watchlist")
    await ada.say("not interested in Titanic (1997)")
    await ada.say("what next?")
    ada.moment += timedelta(days=3)
    reply = await ada.say("what do you know about me?")
    assert reply.visibility is Visibility.PRIVATE
    lines = [line.strip() for line in reply.text.split("\n")]
    assert lines[0] == "This I know about you, since 20 November:"
    assert "Your account: Test (ada)." in lines
    assert "3 watches, with dates and what you thought of the films." in lines
    assert "2 films on your watchlist." in lines
    assert "One film that you do not want to be shown." in lines
    assert "One film that you added." in lines
    assert "One list of films that I showed you." in lines
    assert any(line.endswith("answers to messages that changed something.") for line in lines)
    assert "Time zone: UTC, as it is where I run." in lines
    assert "/export" in reply.footer


async def test_how_long_things_are_kept_is_said(ada: Person) -> None:
    assert "kept until you erase them" in (await ada.say("/privacy")).text
    ada.dialogue = Dialogue(ada.store, ada.recommender, zone=UTC, kept=Kept(slates_days=90, inactive_days=700))
    told = (await ada.say("/privacy")).text
    assert "deleted after 90 days" in told
    assert "If 700 days go by without your telling me anything" in told


async def test_asking_keeps_nothing(ada: Person) -> None:
    await ada.say("/privacy")
    assert (await ada.snapshot()).person is None


async def test_a_message_whose_answer_is_gone_is_not_done_again(ada: Person) -> None:
    await ada.say("watched Jaws", event_id="e1")
    await ada.store.database.write(lambda connection: connection.execute(update(messages).values(reply="")) and None)
    reply = await ada.say("watched Jaws", event_id="e1")
    assert reply.text == "I answered that already; nothing was done again."
    assert reply.visibility is Visibility.PRIVATE
    assert await ada.history() == ["Jaws (1975)"]


async def test_a_message_of_somebody_erased_is_not_done_again(ada: Person) -> None:
    await ada.say("watched Jaws", event_id="e1")
    await ada.say("forget me")
    await ada.say("yes", event_id="e2")
    for event_id, said in (("e1", "watched Jaws"), ("e2", "yes")):
        assert (await ada.say(said, event_id=event_id)).text == "I answered that already; nothing was done again."
    assert (await ada.snapshot()).person is None


async def test_what_is_still_to_be_wiped_is_said_and_everything_else_is_done(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        assert forgotten  # before, so that whatever happens here keeps nothing from it
        raise BusyError

    class Forgetful(Slates):
        async def forget(self, person: PersonId) -> None:
            forgotten.append(person)

    forgotten: list[PersonId] = []
    ada.dialogue.use(ada.recommender, Forgetful(ada.recommender, Cache.open(None)))
    await ada.say("watched Jaws")
    person = (await ada.snapshot()).person
    await ada.say("forget me")
    with monkeypatch.context() as patched:
        patched.setattr(ada.store.database, "forget_deleted", fail)
        told = (await ada.say("yes")).text
    assert "Everything about you is erased." in told
    assert "still to be wiped" in told
    assert forgotten == [person]
    assert "I know nothing about you" in (await ada.say("/forget")).text
    assert (await ada.store.tidy(ada.moment, slates_days=None, inactive_days=None)).wiped


async def test_who_is_wiped_at_once_is_told_nothing_more(ada: Person) -> None:
    await ada.say("watched Jaws")
    await ada.say("forget me")
    assert (await ada.say("yes")).text == "Everything about you is erased."
