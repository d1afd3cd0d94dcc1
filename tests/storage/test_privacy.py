"""Erasing leaves nothing; and whatever people say comes back as they said it, and is never run."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import database, tables
from storage.changes import (
    GiveFeedback,
    LogWatch,
    SetContext,
    ShowSlate,
    UndoMessage,
)
from storage.errors import BusyError, StorageError
from storage.ids import new_id
from storage.records import (
    FeedbackKind,
    IdentityKey,
    MessageId,
    MessageKey,
    PlaceKey,
    ShownPick,
    ShownSlate,
    SlateId,
)
from storage.store import Store

NOON = datetime(2024, 5, 10, 12, tzinfo=UTC)
MARK = "zebra-in-the-attic"


def traces(path: Path, mark: str) -> dict[str, int]:
    return {file.name: count for file in path.parent.iterdir() if (count := file.read_bytes().count(mark.encode()))}


async def say_everything(talker, mark: str, film: int) -> SlateId:
    """One message with the mark in every text that is kept."""
    message_id, slate_id = MessageId(new_id()), SlateId(new_id())
    slate = ShownSlate(slate_id, message_id, mark, {"q": mark}, (ShownPick(1, film, 1.0, {"r": mark}),), talker.moment)
    changes = [
        LogWatch(film, reaction=mark, source=mark, source_key=f"{mark}{film}"),
        GiveFeedback(film, FeedbackKind.DISMISSED),
        ShowSlate(slate),
        SetContext({"c": mark}, talker.moment + timedelta(hours=1)),
    ]
    await talker.deliver(talker.key(), message_id, changes, mark)
    return slate_id


class TestErasing:
    async def test_nothing_of_a_person_is_left(self, ada) -> None:
        key = ada.key()
        await ada.deliver(key, MessageId(new_id()), [LogWatch(7)], "Logged.")
        slate = await say_everything(ada, MARK, 1)
        message = await ada.say(LogWatch(2))
        await ada.say(UndoMessage(message))
        await ada.store.erase(ada.identity, None, ada.moment)
        snapshot = await ada.read(key)
        assert snapshot.person is None
        assert snapshot.earlier_reply == ""  # it was handled; what was answered is gone
        assert await ada.store.slate(slate) is None
        assert await ada.store.message_changes(message) is None

    async def test_no_byte_of_it_is_left_in_the_files(self, ada, ben, path) -> None:
        # Keys of two people in turn: where SQLite splits a page of them, `secure_delete` alone leaves copies behind.
        chance = random.Random(2)
        await say_everything(ada, MARK, 1)
        await say_everything(ben, "otter", 1)
        for _ in range(250):
            talker, mark = chance.choice([(ada, MARK), (ben, "otter")])
            event = MessageKey("terminal", "", f"{chance.random()}{mark}{'x' * chance.randrange(600)}")
            await talker.deliver(event, MessageId(new_id()), [], "")
        assert traces(path, MARK)
        kept = await ben.read()
        await ada.store.erase(ada.identity, None, ada.moment)
        assert traces(path, MARK) == {}
        assert traces(path, "ada-") == {}
        assert await ben.read() == kept

    async def test_what_a_reader_kept_from_being_finished_is_finished_by_erasing_again(
        self, ada, url, path, monkeypatch
    ) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
        ada.store = await Store.open(url)
        await say_everything(ada, MARK, 1)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM people").fetchone()
        with pytest.raises(BusyError):
            await ada.store.erase(ada.identity, None, ada.moment)
        assert (await ada.read()).person is None
        reader.close()
        await ada.store.erase(ada.identity, None, ada.moment)
        assert traces(path, MARK) == {}
        await ada.store.close()

    async def test_others_keep_everything(self, ada, ben) -> None:
        await say_everything(ada, MARK, 1)
        await say_everything(ben, MARK, 1)
        before = await ben.read()
        await ada.store.erase(ada.identity, None, ada.moment)
        assert await ben.read() == before

    async def test_erasing_a_stranger_or_twice_is_no_harm(self, ada, ben) -> None:
        await ben.say(LogWatch(1))
        await ada.store.erase(ada.identity, None, ada.moment)
        await ada.store.erase(ada.identity, None, ada.moment)
        assert await ben.films() == [1]

    async def test_one_begins_anew_afterwards(self, ada) -> None:
        await ada.say(LogWatch(1))
        await ada.store.erase(ada.identity, None, ada.moment)
        await ada.say(LogWatch(2))
        snapshot = await ada.read()
        assert ([w.film_id for w in snapshot.history], snapshot.version) == ([2], 1)

    def test_every_table_goes_with_its_person(self) -> None:
        reached = {"people"}
        for table in tables.metadata.sorted_tables:
            if any(key.column.table.name in reached and key.ondelete == "CASCADE" for key in table.foreign_keys):
                reached.add(table.name)
        assert reached | {"erased_events"} == set(tables.metadata.tables)  # which names nobody


PAYLOADS = [
    "'; DROP TABLE watches; --",
    '" OR 1=1 --',
    "Robert'); DELETE FROM people;--",
    ":name %s %(name)s ? $1 {0} \\",
    "<script>alert(1)</script> <@123> @everyone *bold* [a](javascript:b)",
    "\x1b[31m\x07\r\n\t\x7f",
    "żółć 🎬 \u202e rtl \u0301",
    "",
    "x" * 100_000,
]


async def check_round_trip(store: Store, text: str) -> None:
    """Put a text into every field that takes one, and read it back."""
    identity, place = IdentityKey(text, text, text), PlaceKey(text, text, text, text)
    key, message_id = MessageKey(text, text, text), MessageId(new_id())
    watch = LogWatch(1, reaction=text, source=text, source_key=text)
    slate = ShownSlate(
        SlateId(new_id()), message_id, text, {"q": text, text: 1}, (ShownPick(1, 1, 1.0, {"r": text}),), NOON
    )
    changes = [watch, ShowSlate(slate), SetContext({"c": text, text: 2}, NOON + timedelta(hours=1))]
    await store.apply(identity, place, key, message_id, changes, text, NOON, expected_version=None)
    snapshot = await store.read(identity, place, key, NOON)
    (kept,) = snapshot.history
    assert (kept.reaction, kept.source, kept.source_key) == (text, text, text)
    assert (snapshot.earlier_reply, snapshot.last_slate) == (text, slate)
    assert snapshot.context == {"c": text, text: 2}
    await store.erase(identity, None, NOON)
    assert (await store.read(identity, place, key, NOON)).person is None


@pytest.mark.parametrize("text", PAYLOADS, ids=range(len(PAYLOADS)))
async def test_a_hostile_text_comes_back_unchanged(store, ben, text) -> None:
    await ben.say(LogWatch(1))
    await check_round_trip(store, text)
    assert await ben.films() == [1]


def test_any_text_comes_back_unchanged(tmp_path) -> None:
    with asyncio.Runner() as runner:
        store = runner.run(Store.open(f"sqlite+aiosqlite:///{tmp_path / 'nextreel.db'}"))

        @settings(max_examples=40, deadline=None)
        @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
        def law(text: str) -> None:
            runner.run(check_round_trip(store, text))

        try:
            law()
        finally:
            runner.run(store.close())


async def test_an_error_tells_nothing_of_what_was_said(ada) -> None:
    await say_everything(ada, MARK, 1)
    message_id = (await ada.read()).history[0].message_id
    with pytest.raises(StorageError) as failed:  # an id that is taken already
        await ada.deliver(ada.key(), message_id, [LogWatch(2, reaction=MARK)], MARK)
    told = "".join(traceback.format_exception(failed.value))
    assert MARK not in told + failed.value.detail
