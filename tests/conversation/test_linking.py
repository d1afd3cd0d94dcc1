"""Two accounts become one person by a code, and one of them leaves again."""

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from bot.conversation.linking import CODE_MINUTES
from bot.conversation.reply import Reply, Visibility
from tests.conversation.person import Person

CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b")


async def code_of(person: Person) -> str:
    reply = await person.say("link my accounts")
    assert reply.visibility is Visibility.PRIVATE
    assert "never type one that somebody else sent you" in reply.text
    (code,) = set(CODE.findall(reply.text))
    return str(code)


async def linked(one: Person, other: Person) -> Reply:
    """Link the account of `one` to the person of `other`."""
    await one.say(f"/link {await code_of(other)}")
    return await one.say("yes")


async def test_two_accounts_become_one_person(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("watched Alien and Jaws yesterday")
    await ada_elsewhere.say("watched Heat")
    await ada_elsewhere.say("watched Jaws yesterday, 9/10")
    code = await code_of(ada)
    asked = await ada_elsewhere.say(f"/link {code.lower()}")
    assert asked.visibility is Visibility.PRIVATE
    assert "This joins this account's 2 watches with Test (ada), which made the code." in asked.text
    assert "Only do it if you made the code yourself" in asked.text
    assert [choice.label for choice in asked.choices] == ["Yes, I made it: join them", "No"]
    assert len(await ada_elsewhere.history()) == 2
    done = await ada_elsewhere.press(asked.choices[0].action, reply_id="m1")
    assert done.text == "Joined: this account and Test (ada) share one history now."
    assert (done.visibility, done.replaces) == (Visibility.PRIVATE, "m1")
    both = ["Jaws (1975)", "Alien (1979)", "Heat (1995)"]
    assert await ada.history() == await ada_elsewhere.history()
    assert sorted(await ada.history()) == sorted(both)
    assert "4.5 of 5 stars" in (await ada.say("history")).text
    assert "Your accounts: Discord (4711) and Test (ada)." in (await ada.say("/privacy")).text


async def test_no_is_no(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("watched Alien")
    for no in ("no", "2", "what next?", "watched Heat", "hm, no idea about that at all"):
        await ada_elsewhere.say(f"/link {await code_of(ada)}")
        await ada_elsewhere.say(no)
        await ada_elsewhere.say("yes")  # which is the answer to nothing
        assert "Alien (1979)" not in await ada_elsewhere.history(), no
    await ada_elsewhere.say(f"/link {await code_of(ada)}")
    answered = await ada_elsewhere.press(ada_elsewhere.last.choices[1].action)
    assert answered.text == "All right, nothing was joined."
    assert await ada.history() == ["Alien (1979)"]


async def test_a_code_works_once_and_for_some_minutes(ada: Person, ada_elsewhere: Person, bob: Person) -> None:
    await ada.say("watched Alien")
    first = await code_of(ada)
    second = await code_of(ada)
    assert "does not work" in (await bob.say(f"/link {first}")).text  # the later code ended it
    bob.moment = ada.moment + timedelta(minutes=CODE_MINUTES, seconds=10)
    assert "does not work" in (await bob.say(f"/link {second}")).text
    await ada_elsewhere.say(f"/link {second}")
    assert "Joined" in (await ada_elsewhere.say("yes")).text
    bob.moment = ada.moment
    assert "does not work" in (await bob.say(f"/link {second}")).text
    assert await bob.history() == []


async def test_a_code_that_ends_before_the_yes_joins_nobody(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("watched Alien")
    await ada_elsewhere.say(f"/link {await code_of(ada)}")
    ada_elsewhere.moment += timedelta(minutes=CODE_MINUTES, seconds=10)
    assert "does not work" in (await ada_elsewhere.say("yes")).text
    assert await ada_elsewhere.history() == []


async def test_ones_own_code(ada: Person, ada_elsewhere: Person) -> None:
    assert "You made that code with this account" in (await ada.say(f"/link {await code_of(ada)}")).text
    await linked(ada_elsewhere, ada)
    assert "linked already" in (await ada_elsewhere.say(f"/link {await code_of(ada)}")).text


async def test_nobody_answers_for_another(ada: Person, ada_elsewhere: Person, bob: Person) -> None:
    await ada.say("watched Alien")
    asked = await ada_elsewhere.say(f"/link {await code_of(ada)}")
    for stranger in (bob, ada):
        refused = await stranger.press(asked.choices[0].action)
        assert "someone else" in refused.text
        assert refused.visibility is Visibility.PRIVATE
    assert await bob.history() == []
    assert await ada_elsewhere.history() == []


async def test_linking_delivered_twice_is_done_once(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("watched Alien")
    offered = await ada.say("/link", event_id="offer")
    again = await ada.say("/link", event_id="offer")
    assert again.text == "A code was made; it is shown once. “/link” makes a new one."
    assert again.visibility is Visibility.PRIVATE
    code = CODE.findall(offered.text)[0]
    asked = await ada_elsewhere.say(f"/link {code}", event_id="ask")
    assert await ada_elsewhere.say(f"/link {code}", event_id="ask") == asked
    yes = asked.choices[0].action
    done = await ada_elsewhere.press(yes, event_id="yes")
    assert await ada_elsewhere.press(yes, event_id="yes") == done
    assert "settled" in (await ada_elsewhere.press(yes)).text
    assert await ada_elsewhere.history() == ["Alien (1979)"]


async def test_a_code_is_kept_nowhere(ada: Person, ada_elsewhere: Person, tmp_path: Path) -> None:
    await ada.say("watched Alien")
    both = await ada.say("/link")
    await ada_elsewhere.say("watched Heat")
    codes = [await code_of(ada), *CODE.findall(both.text)]
    assert len(set(codes)) == 2
    await ada_elsewhere.say(f"/link {codes[0]}")
    for answered in (False, True):
        if answered:
            assert "Joined" in (await ada_elsewhere.say("yes")).text
        kept = [(tmp_path / name).read_bytes() for name in ("watches.db", "watches.db-wal")]
        assert any(b"Joined" in content for content in kept) is answered
        for person in (ada, ada_elsewhere) if answered else (ada,):  # anything else ends the question
            (file,) = (await person.say("export my data")).files
            with ZipFile(BytesIO(file.content)) as exported:
                kept += [exported.read(name) for name in exported.namelist()]
        assert any(b"A code was made" in content for content in kept)
        for code in codes:
            for written in (code, code.replace("-", "")):
                assert not any(written.encode() in content for content in kept)
                assert not any(written.lower().encode() in content.lower() for content in kept)


async def test_a_message_of_another_with_the_same_number_is_not_answered_with_ones_reply(
    ada: Person, bob: Person
) -> None:
    await ada.say("watched Alien", event_id="same")
    for _ in range(2):
        reply = await bob.say("watched Heat", event_id="same")
        assert reply.text == "I answered that already; nothing was done again."
        assert reply.visibility is Visibility.PRIVATE
        await bob.say("watched Jaws")  # who was a stranger
    assert "Alien (1979)" in (await ada.say("watched Heat", event_id="same")).text


async def test_joining_widens_no_consent(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("/settings answers private")
    ada_elsewhere.moment = ada.moment + timedelta(minutes=1)
    await ada_elsewhere.say("/settings answers public")
    ada.moment = ada_elsewhere.moment
    await linked(ada_elsewhere, ada)
    for person in (ada, ada_elsewhere):
        assert (await person.say("history")).visibility is Visibility.PRIVATE


async def test_undo_goes_back_through_both_accounts(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("watched Alien")
    ada_elsewhere.moment = ada.moment + timedelta(minutes=1)
    await ada_elsewhere.say("watched Heat")
    await linked(ada_elsewhere, ada)
    ada.moment = ada_elsewhere.moment
    assert "Heat (1995) is no longer logged" in (await ada.say("undo")).text
    assert "Alien (1979) is no longer logged" in (await ada.say("undo")).text
    assert await ada_elsewhere.history() == []


async def test_settings_and_watchlists_are_joined(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("add Alien to my watchlist")
    await ada.say("/settings time zone Tokyo")
    await ada_elsewhere.say("add Heat to my watchlist")
    await linked(ada_elsewhere, ada)
    assert sorted(await ada_elsewhere.watchlist()) == ["Alien (1979)", "Heat (1995)"]
    assert "Time zone: Asia/Tokyo." in (await ada_elsewhere.say("settings")).text


async def test_unlinking_asks_first_and_begins_anew(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("watched Alien")
    await linked(ada_elsewhere, ada)
    asked = await ada_elsewhere.say("unlink this account")
    assert asked.visibility is Visibility.PRIVATE
    assert "your history stays with Test (ada)" in asked.text
    assert "stays linked" in (await ada_elsewhere.say("no")).text
    await ada_elsewhere.say("/unlink")
    done = await ada_elsewhere.say("yes", event_id="yes")
    assert done.text == "Unlinked: this account begins anew. Your history stays with Test (ada)."
    assert await ada_elsewhere.history() == []
    assert await ada.history() == ["Alien (1979)"]
    assert await ada_elsewhere.say("yes", event_id="yes") == done
    assert "your only account" in (await ada_elsewhere.say("/unlink")).text
    assert "your only account" in (await ada.say("/unlink")).text


async def test_another_account_of_the_person_does_not_answer_whether_to_unlink(ada: Person, bob: Person) -> None:
    await linked(bob, ada)  # in the same place
    await bob.say("/unlink")
    assert (await ada.say("yes")).text == "All right."
    await bob.say("/unlink")
    assert "Unlinked" in (await bob.say("yes")).text
    assert (await ada.say("yes")).text == "All right."
    assert "Test (ada)" in (await ada.say("/privacy")).text


async def test_what_is_said_beside_the_yes_is_not_done_for_the_wrong_person(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("watched Alien")
    await ada_elsewhere.say(f"/link {await code_of(ada)}")
    done = await ada_elsewhere.say("do it. watched Heat")
    assert "Joined" in done.text
    assert "The rest I have not done" in done.text
    assert await ada_elsewhere.history() == ["Alien (1979)"]


async def test_one_erases_for_all(ada: Person, ada_elsewhere: Person) -> None:
    await ada.say("watched Alien")
    await linked(ada_elsewhere, ada)
    asked = await ada_elsewhere.say("forget me")
    assert "It holds for all your accounts: Discord (4711) and Test (ada)." in asked.text
    await ada_elsewhere.say("yes")
    assert (await ada.snapshot()).person is None


@pytest.mark.parametrize(
    "code", ["", " ", "'; DROP TABLE link_codes; --", "\x00", "ABCD-EFGH" * 300, "\ud800", "0", "%s"]
)
async def test_any_code_gets_a_sentence(ada: Person, code: str) -> None:
    await ada.say("watched Alien")
    reply = await ada.command("link", code=code)
    assert reply.text
    assert "went wrong" not in reply.text
    assert await ada.history() == ["Alien (1979)"]


async def test_a_hostile_account_name_is_shown_as_plain_text(ada: Person, bob: Person) -> None:
    bob.name = "\x1b[31m@everyone\u202e" + "x" * 300
    asked = await ada.say(f"/link {await code_of(bob)}")
    assert all(c.isprintable() or c == "\n" for c in asked.text)
    assert len(asked.text) < 400
