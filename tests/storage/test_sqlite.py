"""SQLite's file: who may read it, what every connection to it promises, its copies, and what can be wrong with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection

from storage import database, migrations, sqlite
from storage.changes import LogWatch
from storage.database import open_database
from storage.errors import BusyError, DamagedError, StorageError
from storage.store import Store
from tests.storage.conftest import Talker, refusal
from tests.storage.faults import SmallDisk


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


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
        store = await Store.open(f"sqlite:///{tmp_path / 'nextreel.db'}")
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
    async def test_every_one_keeps_the_promises(self, url, path) -> None:
        database = await open_database(url)
        wanted = {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "secure_delete": 1,
            "busy_timeout": 5000,
        }
        seen = set()
        all_at_once = threading.Barrier(4)

        def look(connection: Connection) -> dict[str, object]:
            seen.add(connection.connection.dbapi_connection)
            all_at_once.wait(10)
            return {pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() for pragma in wanted}

        try:
            assert await asyncio.gather(*(database.read(look) for _ in range(4))) == [wanted] * 4
            assert len(seen) == 4
        finally:
            await database.close()

    async def test_a_write_holds_the_lock_from_its_first_moment(self, url, path) -> None:
        database = await open_database(url)
        other = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)

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

    async def test_a_promise_that_is_not_kept_is_an_error(self, url, path, monkeypatch) -> None:
        monkeypatch.setitem(sqlite.PROMISES, "journal_mode", ("MEMORY", "wal"))
        assert "SQLite refuses journal_mode" in await refusal(url)

    async def test_a_table_that_is_made_anew_keeps_what_refers_to_it(self, ada, path, monkeypatch) -> None:
        def make_people_anew(connection: Connection, label: str) -> None:
            for statement in (
                "CREATE TABLE new_people AS SELECT * FROM people",
                "DROP TABLE people",
                "CREATE TABLE people (person_id INTEGER PRIMARY KEY, version INT, created_at TEXT, history_version)",
                "INSERT INTO people SELECT * FROM new_people",
                "DROP TABLE new_people",
            ):
                connection.exec_driver_sql(statement)

        await ada.say(LogWatch(1))
        monkeypatch.setattr(migrations, "upgrade", make_people_anew)
        await ada.store.database.upgrade()
        await ada.say(LogWatch(2))
        assert await ada.films() == [1, 2]

    async def test_a_migration_that_leaves_a_loose_end_is_taken_back(self, ada, path, monkeypatch) -> None:
        def lose_people(connection: Connection, label: str) -> None:
            connection.exec_driver_sql("DELETE FROM people")

        await ada.say(LogWatch(1))
        monkeypatch.setattr(migrations, "upgrade", lose_people)
        with pytest.raises(DamagedError):
            await ada.store.database.upgrade()
        assert await ada.films() == [1]
        await ada.store.erase(ada.identity, None, ada.moment)  # with foreign keys again
        assert await ada.store.database.damage(deep=True) == ()


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

    async def test_a_large_file_is_not_read_at_the_start(self, ada, url, path, monkeypatch) -> None:
        await ada.say(*(LogWatch(film, reaction="x" * 500) for film in range(100)))
        await ada.store.close()
        spoil(path)
        monkeypatch.setattr(sqlite, "CHECKED_AT_START", path.stat().st_size - 1)
        await (await Store.open(url)).close()

    async def test_a_damaged_database_takes_a_copy(self, ada, url, path, tmp_path) -> None:
        await ada.say(*(LogWatch(film, reaction="x" * 500) for film in range(100)))
        await ada.store.database.backup(tmp_path / "copy")
        await ada.store.close()
        spoil(path)
        database = await open_database(url, migrate=False)
        await database.restore(tmp_path / "copy")
        await database.close()
        ada.store = await Store.open(url)
        assert await ada.films() == list(range(100))
        await ada.store.close()


class TestCopies:
    async def test_a_plain_copy_of_the_files_will_do(self, ada, path, tmp_path) -> None:
        await ada.say(LogWatch(1))
        for name in ("nextreel.db", "nextreel.db-wal"):
            shutil.copy(path.with_name(name), tmp_path / name)
        await ada.say(LogWatch(2))
        await ada.store.database.restore(tmp_path / "nextreel.db")
        assert await ada.films() == [1]

    async def test_one_in_a_folder_that_can_only_be_read_will_do(self, ada, path, tmp_path) -> None:
        with SmallDisk(tmp_path / "disk") as disk:
            store = await Store.open(disk.path)
            await Talker(store).say(LogWatch(5))
            await store.close()
            disk.make_read_only()
            await ada.store.database.restore(disk.path)
        assert await ada.films() == [5]

    async def test_the_database_itself_is_none(self, ada, path) -> None:
        await ada.say(LogWatch(1))
        with pytest.raises(StorageError, match="the database itself"):
            await ada.store.database.restore(path)
        assert await ada.films() == [1]

    async def test_a_writer_is_waited_for_and_not_for_ever(self, ada, path, tmp_path, monkeypatch) -> None:
        await ada.say(LogWatch(1))
        await ada.store.database.backup(tmp_path / "copy")
        await ada.say(LogWatch(2))
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.3)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError):
            await ada.store.database.restore(tmp_path / "copy")
        other.close()
        assert await ada.films() == [1, 2]
        await ada.store.database.restore(tmp_path / "copy")
        assert await ada.films() == [1]

    async def test_nothing_of_what_it_replaced_is_left_in_the_files(self, ada, path, tmp_path) -> None:
        await ada.store.database.backup(tmp_path / "copy")
        await ada.say(LogWatch(1, reaction="zebra-in-the-attic"))
        await ada.store.database.restore(tmp_path / "copy")
        assert not [file for file in path.parent.iterdir() if b"zebra-in-the-attic" in file.read_bytes()]


class TestRefusals:
    async def test_a_file_that_is_no_database(self, url, path) -> None:
        path.parent.mkdir()
        path.write_text("Dear diary, today I watched Alien.\n" * 100)
        assert "not a database" in await refusal(url)
        assert path.read_text().startswith("Dear diary")

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
        assert "can't be made" in await refusal(f"sqlite:///{folder / 'nextreel' / 'nextreel.db'}")


async def test_a_folder_of_any_name_holds_a_database(tmp_path: Path) -> None:
    file = tmp_path / "what? a=1 & b#2 %20 é" / "nextreel.db"
    store = await Store.open(file)
    await store.close()
    assert file.stat().st_size > 0
