"""How a database is opened: its file, the promises of every connection, its migrations, and what can be wrong."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event

from storage import database, tables
from storage.changes import LogWatch
from storage.database import REVISION, open_database
from storage.errors import BusyError, StorageError
from storage.migrations import configuration
from storage.store import Store


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def refusal(url: str, **options: bool) -> str:
    with pytest.raises(StorageError) as refused:
        await Store.open(url, **options)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def spoil(path: Path) -> None:
    """Write rubbish over a page in the middle."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\x55" * 4096
    path.write_bytes(content)


class TestFile:
    async def test_it_is_its_owners_alone(self, ada, path) -> None:
        await ada.say(LogWatch(1))
        assert permissions(path.parent) == 0o700
        for name in ("nextreel.db", "nextreel.db-wal", "nextreel.db-shm"):
            assert permissions(path.with_name(name)) == 0o600, name

    async def test_a_folder_that_was_there_keeps_its_permissions(self, tmp_path) -> None:
        tmp_path.chmod(0o755)
        store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'nextreel.db'}")
        await store.close()
        assert permissions(tmp_path) == 0o755

    async def test_it_is_not_made_when_it_must_not_be(self, url, path) -> None:
        assert "no database" in await refusal(url, create=False)
        assert not path.parent.exists()

    async def test_an_empty_file_becomes_a_database(self, url, path) -> None:
        path.parent.mkdir()
        path.touch()
        await (await Store.open(url, create=False)).close()


class TestConnections:
    async def test_every_one_keeps_the_promises(self, url) -> None:
        database = await open_database(url)
        wanted = {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "secure_delete": 1,
            "busy_timeout": 5000,
        }
        seen = set()

        def look(connection: Connection) -> dict[str, object]:
            seen.add(connection.connection.dbapi_connection)
            return {pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in wanted}

        try:
            assert await asyncio.gather(*(database.read(look) for _ in range(4))) == [wanted] * 4
            assert len(seen) == 4
        finally:
            await database.close()

    async def test_a_write_holds_the_lock_from_its_first_moment(self, url, path) -> None:
        database = await open_database(url)
        other = sqlite3.connect(path, isolation_level=None, timeout=0)

        def try_the_lock(_: Connection) -> None:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")

        try:
            await database.write(try_the_lock)
        finally:
            other.close()
            await database.close()

    async def test_a_busy_database_is_waited_for(self, ada, path) -> None:
        await ada.say(LogWatch(1))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(ada.say(LogWatch(2)))
        await asyncio.sleep(0.2)
        assert await ada.films() == [1]  # reading goes on
        other.execute("COMMIT")
        other.close()
        await writing
        assert await ada.films() == [1, 2]

    async def test_a_database_busy_for_too_long_is_said_to_be(self, url, path, ada, monkeypatch) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
        ada.store = await Store.open(url)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError, match="busy"):
            await ada.say(LogWatch(1))
        other.close()
        await ada.say(LogWatch(2))
        assert await ada.films() == [2]
        await ada.store.close()


class TestDamage:
    async def test_a_whole_database_has_none(self, ada) -> None:
        await ada.say(LogWatch(1))
        assert await ada.store.database.damage() == ()
        assert await ada.store.database.damage(deep=True) == ()

    async def test_a_page_of_rubbish_is_found_at_the_start(self, ada, url, path) -> None:
        await ada.say(*(LogWatch(film, reaction="x" * 500) for film in range(100)))
        await ada.store.close()
        spoil(path)
        assert "is damaged" in await refusal(url)

    async def test_who_opens_it_as_it_is_can_look_at_the_damage(self, ada, url, path) -> None:
        await ada.say(*(LogWatch(film, reaction="x" * 500) for film in range(100)))
        await ada.store.close()
        spoil(path)
        database = await open_database(url, migrate=False)
        try:
            assert await database.damage()
            assert await database.damage(deep=True)
        finally:
            await database.close()


class TestMigrations:
    def test_the_program_knows_the_newest_one(self) -> None:
        assert ScriptDirectory.from_config(configuration()).get_current_head() == REVISION

    async def test_they_lead_to_the_schema_of_the_tables(self, url, path) -> None:
        await (await Store.open(url)).close()
        engine = create_engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, tables.metadata) == []
        engine.dispose()

    def test_a_foreign_key_has_an_index_that_begins_with_it(self) -> None:
        for table in tables.metadata.tables.values():
            keys = [table.primary_key.columns, *(index.columns for index in table.indexes)]
            leading = {next(iter(columns)).name for columns in keys}
            for key in table.foreign_keys:
                assert key.parent.name in leading, f"{table.name}.{key.parent.name}"

    async def test_eight_at_once_make_one_database(self, url) -> None:
        stores = await asyncio.gather(*(Store.open(url) for _ in range(8)))
        for store in stores:
            await store.close()

    async def test_one_that_breaks_off_leaves_nothing_and_can_be_done_again(self, url, path) -> None:
        class PowerCut(BaseException):
            """Something that nobody catches."""

        def break_off(connection, cursor, statement, *_) -> None:
            if "CREATE TABLE slates" in statement:
                raise PowerCut

        event.listen(Engine, "before_cursor_execute", break_off)
        try:
            with pytest.raises(PowerCut):
                await Store.open(url)
        finally:
            event.remove(Engine, "before_cursor_execute", break_off)
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
        connection.close()
        await (await Store.open(url)).close()


class TestRefusals:
    async def test_a_newer_database(self, url, path) -> None:
        await (await Store.open(url)).close()
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        assert "newer Nextreel" in await refusal(url)

    async def test_a_file_that_is_no_database(self, url, path) -> None:
        path.parent.mkdir()
        path.write_text("Dear diary, today I watched Alien.\n" * 100)
        assert "not a database" in await refusal(url)
        assert path.read_text().startswith("Dear diary")

    async def test_a_database_of_another_program(self, url, path) -> None:
        path.parent.mkdir()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.close()
        assert "another program" in await refusal(url)

    async def test_a_folder_that_is_a_file(self, url, path) -> None:
        path.parent.write_text("")
        assert "is a file" in await refusal(url)

    async def test_a_database_that_is_a_folder(self, url, path) -> None:
        path.mkdir(parents=True)
        assert "not a file" in await refusal(url)

    async def test_a_folder_that_can_not_be_written(self, tmp_path) -> None:
        tmp_path.chmod(0o500)
        # The administrator may write anywhere but into the kernel's own folders.
        folder = Path("/proc") if os.geteuid() == 0 else tmp_path
        if not folder.exists():
            pytest.skip("this system has no folder that an administrator can't write")
        assert "can't be made" in await refusal(f"sqlite+aiosqlite:///{folder / 'nextreel' / 'nextreel.db'}")

    @pytest.mark.parametrize(
        "wrong", ["", "nonsense", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:", "mysql://ann:secret@host/db"]
    )
    async def test_a_url_that_is_none_of_ours_is_not_repeated(self, wrong) -> None:
        assert "secret" not in await refusal(wrong)


async def test_a_folder_of_any_name_holds_a_database(tmp_path: Path) -> None:
    file = tmp_path / "what? a=1 & b#2 %20 é" / "nextreel.db"
    store = await Store.open(file)
    await store.close()
    assert file.stat().st_size > 0
