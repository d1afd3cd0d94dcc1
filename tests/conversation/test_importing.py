"""Everything out as a file and in again: the same history, counted, once, and never more than a file may do."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from bot.conversation.action import Verb
from bot.conversation.dialogue import Dialogue
from bot.conversation.message import Command
from bot.conversation.reply import File, Reply, Visibility
from storage.errors import StorageError
from storage.portable.exporting import Everything
from storage.records import FIRST_ADDED_FILM
from storage.store import Store
from tests.conversation.person import Person, action_of


async def exported(person: Person) -> File:
    reply = await person.say("export my data")
    assert reply.visibility is Visibility.PRIVATE
    (file,) = reply.files
    return file


def edited(file: File, edit: Callable[[dict[str, Any]], None]) -> File:
    """The file with its `nextreel.json` changed."""
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        document = json.loads(archive.read("nextreel.json"))
    edit(document)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("nextreel.json", json.dumps(document))
    return replace(file, content=buffer.getvalue())


async def full(person: Person) -> None:
    """Tell a bit of everything."""
    for said in (
        "watched Alien last night, 9/10",
        "rewatched Jaws in March 2020, loved it",
        "gave up on Heat",
        "watched Qwertzuiop (1999)",
        "yes",
        "add Tootsie and Stalker to my watchlist",
        "not interested in Titanic (1997)",
        "/settings time zone Berlin",
        "/settings group on",
    ):
        await person.say(said)


def told(person_history: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [
        (w.film_id, w.watched_on, w.precision, w.state, w.rating, w.reaction, w.sorted_on, w.told_at)
        for w in person_history
    ]


async def test_the_round_trip_gives_the_same_history(ada: Person, bob: Person) -> None:
    await full(ada)
    file = await exported(ada)
    assert (file.name, file.media_type) == ("nextreel-2026-11-20.zip", "application/zip")
    before = await ada.snapshot()
    await ada.say("forget me")
    await ada.say("yes")
    bob.moment = ada.moment
    reply = await bob.hand_over(file)
    assert reply.visibility is Visibility.PRIVATE
    assert reply.text.startswith("4 watches, all new. Also new: 2 films for your watchlist, ")
    assert reply.text.endswith("one film not to be shown and one setting.")
    after = await bob.snapshot()
    assert told(after.history) == told(before.history)
    assert (after.wanted, after.dismissed) == (before.wanted, before.dismissed)
    assert [(film.title, film.year) for film in after.added_films] == [("Qwertzuiop", 1999)]
    assert after.preferences.time_zone == "Europe/Berlin"
    assert "Qwertzuiop (1999)" in (await bob.say("history")).text


async def test_a_file_gives_no_consent_and_overrules_no_setting(ada: Person, bob: Person) -> None:
    await full(ada)
    file = await exported(ada)
    await bob.say("/settings time zone Tokyo")
    reply = await bob.hand_over(file)
    assert "/settings group on" in reply.footer
    preferences = (await bob.snapshot()).preferences
    assert (preferences.time_zone, preferences.group_opt_in) == ("Asia/Tokyo", False)


async def test_importing_twice_changes_nothing(ada: Person, bob: Person) -> None:
    await full(ada)
    file = await exported(ada)
    own = await ada.hand_over(file)
    assert own.text == "4 watches: I knew them all."
    assert own.choices == ()
    await bob.hand_over(file)
    before = await bob.snapshot()
    again = await bob.hand_over(file)
    assert again.text == "4 watches: I knew them all."
    after = await bob.snapshot()
    assert (after.history, after.wanted, after.added_films) == (before.history, before.wanted, before.added_films)


async def test_some_new_and_some_known(ada: Person, bob: Person) -> None:
    await full(ada)
    await bob.hand_over(await exported(ada))
    await ada.say("watched Casablanca and Psycho (1960)")
    assert (await bob.hand_over(await exported(ada))).text == "6 watches: 2 new, 4 that I knew."


async def test_a_watch_that_was_taken_out_does_not_come_back_and_is_not_called_new(ada: Person, bob: Person) -> None:
    await ada.say("watched Alien and Jaws")
    file = await exported(ada)
    await bob.hand_over(file)
    await bob.say("remove Alien from my history")
    assert (await bob.hand_over(file)).text == "2 watches: I knew them all."
    assert await bob.history() == ["Jaws (1975)"]


async def test_an_import_is_undone_as_one(ada: Person, bob: Person) -> None:
    await full(ada)
    await bob.say("watched Casablanca")
    imported = await bob.hand_over(await exported(ada))
    undone = await bob.press(action_of(imported, Verb.UNDO))
    assert "no longer logged" in undone.text
    assert "Tootsie (1982) and Stalker (1979) are off your watchlist" in undone.text
    snapshot = await bob.snapshot()
    assert await bob.history() == ["Casablanca (1942)"]
    assert (snapshot.wanted, snapshot.dismissed, snapshot.preferences.time_zone) == ((), frozenset(), None)


async def test_many_are_undone_with_a_number_instead_of_names(ada: Person, bob: Person) -> None:
    await ada.say("recommend me 12 films")
    await ada.say("seen all of them")
    imported = await bob.hand_over(await exported(ada))
    assert imported.text == "12 watches, all new."
    assert (await bob.say("undo")).text == "Undone: 12 films are no longer logged."


async def test_an_import_delivered_twice_is_done_once(ada: Person, bob: Person) -> None:
    await full(ada)
    file = await exported(ada)
    assert "all new" in (await bob.hand_over(file, event_id="import")).text
    again = await bob.hand_over(file, event_id="import")
    assert again.text.startswith("I took that file in: 4 watches.")
    assert len(await bob.history()) == 4


async def test_a_film_of_ones_own_is_not_had_twice(ada: Person, bob: Person) -> None:
    await full(ada)
    file = await exported(ada)
    await bob.say("watched Qwertzuiop (1999) in 2001")
    await bob.say("yes")
    await bob.hand_over(file)
    assert len((await bob.snapshot()).added_films) == 1
    assert (await bob.history()).count("Qwertzuiop (1999)") == 2


async def test_a_command_of_a_platform_and_a_file_without_words(ada: Person, bob: Person) -> None:
    await full(ada)
    file = await exported(ada)
    reply = await bob.dialogue.handle(Command(bob.origin(), "import", {}, (file,)))
    assert "4 watches, all new." in reply.text
    assert (await bob.hand_over(file, text="")).text == "4 watches: I knew them all."
    assert "Logged: Casablanca" in (await bob.hand_over(file, text="watched Casablanca")).text


async def test_entries_that_cannot_be_read_are_named_by_their_place(ada: Person, bob: Person) -> None:
    await full(ada)

    def spoil(document: dict[str, Any]) -> None:
        document["watches"][1]["rating"] = "good"
        document["watches"] += [{"film_id": "x"}] * 7

    reply = await bob.hand_over(edited(await exported(ada), spoil))
    assert "3 watches, all new." in reply.text
    lines = reply.text.split("\n")
    place = lines.index("Not everything could be read:")
    assert len(lines[place + 1 : -1]) == 5
    assert "2" in lines[place + 1]
    assert lines[-1].strip() == "… and 3 more."
    assert len(await bob.history()) == 3


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("cat.jpg", b"\xff\xd8\xff\xe0", "cat.jpg is no file that I can take in"),
        ("empty", b"", "empty is no file that I can take in"),
        ("broken.zip", b"PK\x03\x04 and no more", "broken.zip: That file is no export of Nextreel"),
        ("\x1b[31m@everyone\u202e.zip", b"PK", "no export of Nextreel"),
        ("big.zip", b"PK" + b"x" * (64 * 2**20), "big.zip is too big"),
    ],
)
async def test_a_file_that_is_none_of_ours_is_one_sentence(
    ada: Person, name: str, content: bytes, sentence: str
) -> None:
    reply = await ada.hand_over(File(name, "application/zip", content))
    assert sentence in reply.text
    assert len(reply.text.split("\n")) == 1
    assert reply.text.isprintable()
    assert (await ada.snapshot()).person is None


async def test_a_hostile_file_does_no_harm(ada: Person, bob: Person) -> None:
    await full(ada)
    mine = (await ada.snapshot()).added_films[0]

    def hostile(document: dict[str, Any]) -> None:
        document["added_films"] = [
            {"film_id": mine.film_id, "title": "'; DROP TABLE watches; --\u202e\x1b[31m @everyone <b>", "year": None}
        ]
        document["watches"] = [
            {**document["watches"][0], "film_id": mine.film_id, "reaction": "\x1b]0;x\x07" * 9, "source_key": "a"},
            {**document["watches"][0], "film_id": FIRST_ADDED_FILM + 1, "source_key": "b"},
            {**document["watches"][0], "film_id": 10**30, "source_key": "c"},
        ]

    await bob.hand_over(edited(await exported(ada), hostile))
    for said in ("history", "my watchlist", "have I seen DROP TABLE?", "what next?", "export my data", "undo"):
        reply = await bob.say(said)
        assert "went wrong" not in reply.text, said
        assert "Qwertzuiop" not in reply.text
        assert all(c.isprintable() or c == "\n" for c in reply.text), said
    assert [(film.film_id, film.title) for film in (await ada.snapshot()).added_films] == [(mine.film_id, "Qwertzuiop")]


# The export


async def test_the_export_is_not_kept_with_the_replies(ada: Person) -> None:
    await ada.say("watched Suspiria")  # a question, which the export leaves open
    file = await exported(ada)
    both = await ada.say("watched Heat. export my data", event_id="both")
    assert both.files
    with zipfile.ZipFile(io.BytesIO(both.files[0].content)) as archive:
        assert "Heat" in archive.read("watches.csv").decode()
    again = await ada.say("watched Heat. export my data", event_id="both")
    assert again.files == ()
    assert "Say “/export” once more" in again.text
    everything = await ada.store.everything(ada.identity)
    assert everything is not None
    assert file.content.hex()[:200] not in str(everything.rows)
    assert all(len(str(row["reply"])) < 3000 for row in everything.rows["messages"])


async def test_exporting_keeps_nothing_and_may_be_said_again(ada: Person) -> None:
    await ada.say("watched Heat")
    version = (await ada.snapshot()).version
    first = await ada.say("/export", event_id="export")
    again = await ada.say("/export", event_id="export")
    assert first.files[0].name == again.files[0].name
    assert (await ada.snapshot()).version == version


async def test_a_stranger_has_nothing_to_export(ada: Person) -> None:
    reply = await ada.say("/export")
    assert (reply.files, (await ada.snapshot()).person) == ((), None)


async def test_what_is_kept_is_confirmed_though_the_export_fails(ada: Person) -> None:
    class Failing(Store):
        async def everything(self, *args: Any, **kwargs: Any) -> Everything | None:
            raise StorageError("The disk of the database can't be read or written.")

    ada.dialogue = Dialogue(Failing(ada.store.database), ada.recommender, zone=UTC)
    reply = await ada.say("watched Heat. export my data")
    assert "Logged: Heat (1995)." in reply.text
    assert "could not put your data together" in reply.text
    assert await ada.history() == ["Heat (1995)"]
    alone: Reply = await ada.say("export my data")
    assert "can't be read or written" in alone.text
