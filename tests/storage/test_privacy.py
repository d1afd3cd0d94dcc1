"""Everything about a person is in their export, and erasing leaves nothing: in no table, file or log."""

from __future__ import annotations

import io
import os
import random
import re
import traceback
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Enum,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
)

from storage import tables
from storage.changes import (
    GiveFeedback,
    LogWatch,
    SetContext,
    ShowSlate,
    UndoMessage,
)
from storage.errors import StorageError
from storage.ids import new_film_id, new_id
from storage.portable.exporting import LEFT_OUT, about, table_of, to_zip
from storage.records import (
    FeedbackKind,
    IdentityKey,
    MessageId,
    MessageKey,
    PersonId,
    ShownPick,
    ShownSlate,
    SlateId,
)
from storage.store import Store
from tests.e2e.command import run_in

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
        assert await ada.store.wipe()
        assert traces(path, MARK) == {}
        assert traces(path, "ada-") == {}
        assert await ben.read() == kept

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
        assert reached | ABOUT_NOBODY == set(tables.metadata.tables)


ABOUT_NOBODY = {
    *("erased_events", "place_settings", "registrations"),
    *("inbox", "slack_bots", "slack_oauth_states"),
}
"""Tables that name nobody; whoever adds one here has looked at each of its columns."""
OF_THE_BOT = {"enterprise_name", "team_name", "bot_user_id"}
"""Columns with names, but of organisations, and of the bot itself."""


def everything_about(person: PersonId, mark: str) -> tuple[IdentityKey, dict[Table, dict[str, object]]]:
    """A row in every table of a person, with the mark, the table and the column in each text that it can hold."""
    rows: dict[Table, dict[str, object]] = {}
    for table in about(person, tables.metadata):
        row: dict[str, object] = {}
        for column in table.columns:
            key = next(iter(column.foreign_keys), None)
            if table is tables.people and column.primary_key:
                row[column.name] = person
            elif key is not None and key.column.table is not table:
                row[column.name] = rows[table_of(key)][key.column.name]
            elif key is None and not (
                column.primary_key and column.autoincrement is not False and column.name == "row_id"
            ):
                row[column.name] = _filled(column, f"{mark}-{table.name}-{column.name}")
        rows[table] = row
    account = rows[tables.identities]
    return IdentityKey(*(str(account[name]) for name in ("platform", "workspace", "user_id"))), rows


def _filled(column: Column[Any], mark: str) -> object:
    """A value for a column; the mark, where it can hold one."""
    match column.type:
        case Enum(enums=[first, *_]):
            return first
        case JSON():
            return {"is": mark}
        case String():
            return mark
        case Boolean():
            return True
        case Date():
            return NOON.date()
        case tables.UtcDateTime():
            return NOON
        case Float():
            return 1.5
        case BigInteger():
            return new_film_id()
        case Integer():
            return 1999  # also a year
    raise TypeError(f"{column} is of a type that this test can't fill; teach it to")


def marks(table: Table, mark: str) -> set[str]:
    """The marks that a table's row holds."""
    return {
        f"{mark}-{table.name}-{column.name}"
        for column in table.columns
        if isinstance(column.type, String | JSON) and not isinstance(column.type, Enum) and not column.foreign_keys
    }


async def keep(store: Store, rows: Mapping[Table, Mapping[str, object]]) -> None:
    """Put rows into their tables."""

    def put(connection: Connection) -> None:
        for table, row in rows.items():
            connection.execute(insert(table).values(**row))

    await store.database.write(put)


async def all_rows(store: Store) -> str:
    """Everything in every table of the database, also those that are not ours to name."""

    def read(connection: Connection) -> str:
        schema = MetaData()
        schema.reflect(connection)
        return "".join(repr(connection.execute(select(table)).all()) for table in schema.sorted_tables)

    return await store.database.read(read)


class TestEveryTable:
    """What fails when a table with a person in it is not exported and erased."""

    def test_every_table_leads_to_people_or_names_nobody(self) -> None:
        led = {table.name for table in about(PersonId(1), tables.metadata)}
        assert led | ABOUT_NOBODY == set(tables.metadata.tables)
        for name in ABOUT_NOBODY:
            for column in tables.metadata.tables[name].columns:
                assert column.name in OF_THE_BOT or not re.search(
                    "person|people|user|member|account|identity|author|name|text|title", column.name
                )

    def test_every_table_says_what_it_is_about(self) -> None:
        for table in tables.metadata.tables.values():
            assert table.info["about"], table.name
            assert table.info["kept"], table.name
            for column in table.columns:
                assert column.doc, column

    async def test_every_text_is_in_the_export_and_none_is_left_after_erasing(self, store, ben) -> None:
        person = PersonId(new_id())
        identity, rows = everything_about(person, MARK)
        other, others = everything_about(PersonId(new_id()), "otter")
        await keep(store, rows)
        await keep(store, others)
        everything = await store.everything(identity)
        content = to_zip(everything, lambda _: None, NOON)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            exported = "".join(archive.read(name).decode() for name in archive.namelist())
        left_out = {f"{MARK}-{column.table.name}-{column.name}" for column in LEFT_OUT}
        for table in rows:
            for mark in marks(table, MARK) - left_out:
                assert mark in exported
            assert len(everything.rows[table.name]) == 1
        assert not [mark for mark in left_out if mark in exported]
        assert "otter" not in exported
        assert await store.erase(identity, None, NOON) == person
        left = await all_rows(store)
        assert MARK not in left
        assert str(person) not in left
        for table in others:
            for mark in marks(table, "otter"):
                assert mark in left
        assert await store.erase(other, None, NOON)
        assert "otter" not in await all_rows(store)

    async def test_no_byte_of_any_text_is_left_in_the_files(self, store, path) -> None:
        identity, rows = everything_about(PersonId(new_id()), MARK)
        await keep(store, rows)
        written = traces(path, MARK)
        assert sum(written.values()) >= sum(len(marks(table, MARK)) for table in rows)
        assert set(written) <= {path.name, f"{path.name}-wal"}
        await store.erase(identity, None, NOON)
        assert await store.wipe()
        assert traces(path, MARK) == {}

    async def test_a_table_that_is_forgotten_would_be_found(self) -> None:
        schema = MetaData()
        Table("people", schema, Column("person_id", Integer, primary_key=True))
        Table("diary", schema, Column("user_name", Text), Column("text", Text))
        assert "diary" not in {table.name for table in about(PersonId(1), schema)}


async def test_the_log_tells_nothing_and_erasing_leaves_nothing_in_the_folder(tmp_path) -> None:
    """The real command at its most talkative, with a name, titles and a settings file's folder to be found again."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEXTREEL_")}
    environment = {
        **kept,
        "NEXTREEL_DATA_DIR": str(tmp_path / "data"),
        "NEXTREEL_LOG_LEVEL": "DEBUG",
        "HOME": str(tmp_path),
        "USER": "otterly",
        "LOGNAME": "otterly",
    }
    said = [
        "I watched zebra in the attic",
        "yes",
        "I watched Alien (1979), loved it",
        "what next?",
        "zebra zebra",
        "undo",
    ]
    first = run_in(tmp_path, environment, "chat", typed="\n".join(said) + "\n")
    assert first.code == 0
    folder = tmp_path / "data"
    files = {file.name: file.read_bytes().lower() for file in folder.iterdir()}
    assert b"otterly" in files["nextreel.db"]
    assert b"zebra" in files["nextreel.db"]
    assert b"answered" in files["nextreel.log"]
    for name in (b"otterly", b"zebra", b"alien"):
        assert name not in files["nextreel.log"]
    assert run_in(tmp_path, environment, "chat", typed="forget everything about me\nyes\n").code == 0
    for file in folder.iterdir():
        for name in (b"otterly", b"zebra", b"alien"):
            assert name not in file.read_bytes().lower(), file.name


async def test_an_error_tells_nothing_of_what_was_said(ada) -> None:
    await say_everything(ada, MARK, 1)
    message_id = (await ada.read()).history[0].message_id
    with pytest.raises(StorageError) as failed:  # an id that is taken already
        await ada.deliver(ada.key(), message_id, [LogWatch(2, reaction=MARK)], MARK)
    told = "".join(traceback.format_exception(failed.value))
    assert MARK not in told + failed.value.detail
