"""What both kinds of database promise: migrations, transactions, copies, and refusals in one sentence."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, func, select, text

from storage import tables
from storage.changes import LogWatch
from storage.database import REVISION, Database, open_database
from storage.errors import (
    DamagedError,
    ForeignDatabaseError,
    NewerDatabaseError,
    StorageError,
    WrongUrlError,
)
from storage.migrations import configuration
from storage.store import Store
from tests.storage.conftest import Talker, refusal, run

OLDEST = "0001"


async def make_oldest(url: str) -> None:
    """A database of the first schema, in which Ada has told of two films, one of them from a file."""
    await run(url, lambda connection: command.upgrade(configuration(connection), OLDEST))

    def fill(connection: Connection) -> None:
        now = datetime(2024, 5, 10, 12, tzinfo=UTC)
        moment = now.replace(tzinfo=None) if connection.dialect.name == "sqlite" else now
        watch = "INSERT INTO watches VALUES (:row, :id, 1, :film, NULL, 'unknown', '2024-05-10', :now, 0, 'finished',"
        for statement, values in (
            ("INSERT INTO people VALUES (1, 2, :now)", {}),
            ("INSERT INTO identities VALUES ('terminal', '', 'ada', 1)", {}),
            ("INSERT INTO messages VALUES (11, 1, 'terminal', '', 'e1', 'Kept.', :now, 1, true, true, NULL)", {}),
            ("INSERT INTO messages VALUES (12, 1, 'terminal', '', 'e2', 'Kept.', :now, 2, true, true, NULL)", {}),
            (f"{watch} 4.5, 'good', 'told', NULL, 11, 11, NULL, true)", {"row": 1, "id": 101, "film": 7}),
            (f"{watch} NULL, NULL, 'file', 'entry-8', 12, 12, NULL, true)", {"row": 2, "id": 102, "film": 8}),
        ):
            given = values | ({"now": moment} if ":now" in statement else {})
            connection.execute(text(statement), given)

    await run(url, fill)


class TestMigrations:
    def test_the_program_knows_the_newest_one(self) -> None:
        assert ScriptDirectory.from_config(configuration()).get_current_head() == REVISION

    async def test_they_lead_to_the_schema_of_the_tables(self, store) -> None:
        def differences(connection: Connection) -> object:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            return compare_metadata(context, tables.metadata)

        assert await store.database.read(differences) == []

    def test_a_foreign_key_has_an_index_that_begins_with_it(self) -> None:
        for table in tables.metadata.tables.values():
            keys = [table.primary_key.columns, *(index.columns for index in table.indexes)]
            leading = {next(iter(columns)).name for columns in keys}
            for key in table.foreign_keys:
                assert key.parent.name in leading, f"{table.name}.{key.parent.name}"

    async def test_a_database_of_the_first_schema_keeps_everything(self, empty_url) -> None:
        await make_oldest(empty_url)
        ada = Talker(await Store.open(empty_url))
        try:
            assert [(watch.film_id, watch.rating) for watch in (await ada.read()).history] == [(7, 4.5), (8, None)]
            await ada.say(LogWatch(8, source="file", source_key="entry-8"))
            await ada.say(LogWatch(9))
            assert await ada.films() == [7, 8, 9]
            assert await ada.store.database.damage(deep=True) == ()
        finally:
            await ada.store.close()

    async def test_eight_at_once_make_one_database(self, empty_url) -> None:
        stores = await asyncio.gather(*(Store.open(empty_url) for _ in range(8)))
        for store in stores:
            await store.close()

    async def test_one_that_breaks_off_leaves_nothing_and_can_be_done_again(self, empty_url) -> None:
        class PowerCut(BaseException):
            """Something that nobody catches."""

        def break_off(connection, cursor, statement, *_) -> None:
            if "CREATE TABLE slates" in statement:
                raise PowerCut

        event.listen(Engine, "before_cursor_execute", break_off)
        try:
            with pytest.raises(PowerCut):
                await Store.open(empty_url)
        finally:
            event.remove(Engine, "before_cursor_execute", break_off)
        database = await open_database(empty_url, migrate=False)
        assert await database.revision() is None
        await database.close()
        await (await Store.open(empty_url)).close()

    def test_a_start_with_nothing_to_migrate_does_not_load_alembic(self, url) -> None:
        code = (
            "import asyncio, sys\n"
            "from storage.store import Store\n"
            f"async def start(): await (await Store.open({url!r})).close()\n"
            "asyncio.run(start())\n"
            "sys.exit('alembic' in sys.modules)"
        )
        asyncio.run(migrate(url))
        subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


async def migrate(url: str) -> None:
    await (await Store.open(url)).close()


class TestTransactions:
    async def test_a_reader_sees_one_state(self, ada, url) -> None:
        await ada.say(LogWatch(1))
        other = Talker(await Store.open(url), events=itertools.count(100))
        count = select(func.count()).select_from(tables.watches)
        between = asyncio.Event()

        def look_twice(connection: Connection) -> tuple[int | None, int | None]:
            first = connection.scalar(count)
            between.set()
            for _ in range(50):  # each gives the others a turn
                connection.execute(select(tables.people))
            return first, connection.scalar(count)

        async def write_between() -> None:
            await between.wait()
            await other.say(LogWatch(2))

        try:
            (first, second), _ = await asyncio.gather(ada.store.database.read(look_twice), write_between())
            assert (first, second) == (1, 1)
            assert sorted(await ada.films()) == [1, 2]
        finally:
            await other.store.close()

    async def test_nothing_is_left_of_work_that_fails(self, ada) -> None:
        def fail(connection: Connection) -> None:
            connection.execute(tables.people.delete())
            raise LookupError("no")

        await ada.say(LogWatch(1))
        with pytest.raises(LookupError):
            await ada.store.database.write(fail)
        assert await ada.films() == [1]


async def copy_of(database: Database, folder: Path, name: str = "copy") -> Path:
    await database.backup(folder / name)
    return folder / name


class TestCopies:
    async def test_what_was_there_is_there_again(self, ada, ben, tmp_path) -> None:
        await ada.say(LogWatch(1, reaction="żółć 🎬 '; --"))
        before = await ada.read()
        copy = await copy_of(ada.store.database, tmp_path)
        await ada.say(LogWatch(2))
        await ben.say(LogWatch(3))
        await ada.store.database.restore(copy)
        assert await ada.read() == before
        assert (await ben.read()).person is None
        await ada.say(LogWatch(4))
        assert await ada.films() == [1, 4]
        assert await ada.store.database.damage(deep=True) == ()

    async def test_it_is_its_owners_alone_and_in_one_file(self, ada, tmp_path) -> None:
        await ada.say(LogWatch(1))
        folder = tmp_path / "copies"
        folder.mkdir()
        copy = await copy_of(ada.store.database, folder)
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert list(folder.iterdir()) == [copy]

    async def test_no_file_is_written_over(self, ada, tmp_path) -> None:
        (tmp_path / "copy").write_text("mine")
        with pytest.raises(StorageError, match="never written over"):
            await ada.store.database.backup(tmp_path / "copy")
        assert (tmp_path / "copy").read_text() == "mine"

    async def test_a_folder_that_is_not_there_is_said(self, store, tmp_path) -> None:
        with pytest.raises(StorageError, match="can't be made: no such file"):
            await store.database.backup(tmp_path / "none" / "copy")

    async def test_it_is_made_while_others_write_and_holds_one_state(self, ada, url, tmp_path) -> None:
        over = False

        async def keep_writing() -> None:
            while not over:
                await ada.say(LogWatch(1), LogWatch(2), LogWatch(3))

        await ada.say(LogWatch(1), LogWatch(2), LogWatch(3))
        writing = asyncio.create_task(keep_writing())
        copies = [await copy_of(ada.store.database, tmp_path, f"copy{number}") for number in range(3)]
        over = True
        await writing
        assert (await ada.read()).version > 3
        for copy in copies:
            await ada.store.database.restore(copy)
            messages, version = await ada.store.database.read(
                lambda connection: connection.execute(
                    select(select(func.count()).select_from(tables.messages).scalar_subquery(), tables.people.c.version)
                ).one()
            )
            assert messages == version

    async def test_readers_see_the_old_or_the_new_and_never_a_mixture(self, ada, ben, url, tmp_path) -> None:
        for film in range(60):
            await ada.say(LogWatch(film, reaction="x" * 2000))
        copy = await copy_of(ada.store.database, tmp_path)
        for film in range(60, 90):
            await ada.say(LogWatch(film))
        other = Talker(await Store.open(url))
        seen = set()
        over = False

        async def keep_reading() -> None:
            while not over:
                snapshot = await other.read()
                seen.add((snapshot.version, len(snapshot.history)))

        reading = asyncio.create_task(keep_reading())
        await asyncio.sleep(0.05)
        await ada.store.database.restore(copy)
        await asyncio.sleep(0.05)
        over = True
        await reading
        await other.store.close()
        assert seen == {(90, 90), (60, 60)}

    async def test_writers_go_on_while_it_is_put_back(self, ada, url, tmp_path) -> None:
        for film in range(5):
            await ada.say(LogWatch(film))
        copy = await copy_of(ada.store.database, tmp_path)
        over = False

        async def keep_writing() -> None:
            while not over:
                await ada.say(LogWatch(100 + (await ada.read()).version))

        writing = [asyncio.create_task(keep_writing()) for _ in range(4)]
        for _ in range(3):
            await asyncio.sleep(0.1)
            await ada.store.database.restore(copy)
        over = True
        await asyncio.gather(*writing)
        assert (await ada.films())[:5] == [0, 1, 2, 3, 4]
        assert await ada.store.database.damage(deep=True) == ()

    async def test_one_of_the_first_schema_is_brought_to_the_newest(self, empty_url, tmp_path) -> None:
        await make_oldest(empty_url)
        database = await open_database(empty_url, migrate=False)
        copy = await copy_of(database, tmp_path)
        await database.upgrade()
        ada = Talker(Store(database))
        await ada.say(LogWatch(9))
        await database.restore(copy)
        assert await database.revision() == REVISION
        assert await ada.films() == [7, 8]
        await database.close()

    async def test_an_empty_database_takes_one(self, ada, empty_url, tmp_path, kind) -> None:
        await ada.say(LogWatch(1))
        copy = await copy_of(ada.store.database, tmp_path)
        where = empty_url if kind == "postgres" else tmp_path / "other" / "nextreel.db"
        database = await open_database(where, migrate=False)
        await database.restore(copy)
        assert await Talker(Store(database)).films() == [1]
        await database.close()

    async def test_one_of_a_newer_program_is_refused(self, ada, tmp_path, set_revision) -> None:
        await ada.say(LogWatch(1))
        await set_revision("9999")
        copy = await copy_of(ada.store.database, tmp_path)
        await set_revision(REVISION)
        await self._is_refused(ada, copy, NewerDatabaseError)

    @pytest.mark.parametrize("harm", ["cut", "rubbish"])
    async def test_one_that_is_damaged_is_refused(self, ada, tmp_path, harm) -> None:
        await ada.say(*(LogWatch(film, reaction="x" * 500) for film in range(200)))
        copy = await copy_of(ada.store.database, tmp_path)
        content = copy.read_bytes()
        middle = len(content) // 2
        copy.write_bytes(content[:middle] + (b"" if harm == "cut" else b"\x55" * 4096 + content[middle + 4096 :]))
        await self._is_refused(ada, copy, DamagedError)

    async def test_a_file_that_is_none_is_refused(self, ada, tmp_path) -> None:
        (tmp_path / "copy").write_text("Dear diary, today I watched Alien.\n" * 100)
        await self._is_refused(ada, tmp_path / "copy", ForeignDatabaseError)
        await self._is_refused(ada, tmp_path / "none", StorageError)

    async def test_one_of_another_program_is_refused(self, ada, empty_url, kind, tmp_path) -> None:
        await ada.say(LogWatch(1))
        if kind == "postgres":
            await run(empty_url, lambda connection: connection.exec_driver_sql("CREATE TABLE bookmarks (url TEXT)"))
            command = ["pg_dump", "-Fc", f"--file={tmp_path / 'copy'}", empty_url.replace("+asyncpg", "")]
            await asyncio.to_thread(subprocess.run, command, check=True)
        else:
            with sqlite3.connect(tmp_path / "copy") as connection:
                connection.execute("CREATE TABLE bookmarks (url TEXT)")
            connection.close()
        await self._is_refused(ada, tmp_path / "copy", ForeignDatabaseError)

    async def test_another_programs_database_is_not_written_over(self, ada, tmp_path, kind, empty_url) -> None:
        copy = await copy_of(ada.store.database, tmp_path)
        where = empty_url if kind == "postgres" else f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"
        await run(where, lambda connection: connection.exec_driver_sql("CREATE TABLE bookmarks (url TEXT)"))
        database = await open_database(where, migrate=False)
        with pytest.raises(ForeignDatabaseError):
            await database.restore(copy)
        await database.close()

    async def test_an_empty_database_gives_none(self, empty_url, tmp_path) -> None:
        database = await open_database(empty_url, migrate=False)
        with pytest.raises(StorageError, match="nothing to copy"):
            await database.backup(tmp_path / "copy")
        await database.close()
        assert not (tmp_path / "copy").exists()

    async def _is_refused(self, ada: Talker, copy: Path, error: type[StorageError]) -> None:
        films = await ada.films()
        with pytest.raises(error) as refused:
            await ada.store.database.restore(copy)
        assert str(refused.value).endswith(".")
        assert await ada.films() == films


class TestRefusals:
    async def test_a_newer_database(self, store, url, set_revision) -> None:
        await set_revision("9999")
        assert "newer Nextreel" in await refusal(url)

    @pytest.mark.parametrize("revision", ["3f2a9c1b7d10", "v1"])
    async def test_a_database_of_another_program_that_uses_alembic(self, store, url, set_revision, revision) -> None:
        await set_revision(revision)
        assert "another program" in await refusal(url)

    async def test_a_database_of_another_program(self, empty_url) -> None:
        await run(empty_url, lambda connection: connection.exec_driver_sql("CREATE TABLE bookmarks (url TEXT)"))
        assert "another program" in await refusal(empty_url)

    @pytest.mark.parametrize(
        "wrong",
        [
            "",
            "nonsense",
            "sqlite+aiosqlite://",
            "sqlite+aiosqlite:///:memory:",
            "sqlite://",
            "sqlite+pysqlcipher:///file.db",
            "mysql://ann:secret@host/db",
            "postgresql+psycopg://ann:secret@host/db",
            "postgresql://ann:se@secret@host/db",
            "postgresql://ann:secret@host:port/db",
            "postgresql://ann:secret@host",
            "postgresql://ann@host/db?password=secret",
        ],
    )
    async def test_a_url_that_is_none_of_ours_is_not_repeated(self, wrong) -> None:
        with pytest.raises(WrongUrlError):
            await Store.open(wrong)
        assert "secret" not in await refusal(wrong)

    async def test_both_forms_of_a_url_are_named(self) -> None:
        sentence = await refusal("mysql://host/db")
        assert "sqlite:///" in sentence
        assert "postgresql+asyncpg://" in sentence

    def test_a_driver_that_is_missing_is_named_with_what_to_install(self) -> None:
        code = (
            "import asyncio, sys\n"
            "sys.modules['asyncpg'] = None\n"
            "from storage.errors import WrongUrlError\n"
            "from storage.store import Store\n"
            "try:\n"
            "    asyncio.run(Store.open('postgresql://ann:secret@host/db'))\n"
            "except WrongUrlError as error:\n"
            "    print(error)"
        )
        environment = {"PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True)
        assert "pip install 'nextreel[postgres]'" in done.stdout
        assert "secret" not in done.stdout
