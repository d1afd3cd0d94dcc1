"""PostgreSQL: what every connection is told, whom it waits for, the programs that copy it, and what can be wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
import traceback
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import Connection, select, update

from storage import database as settings
from storage.changes import LogWatch
from storage.database import Database, open_database
from storage.errors import BusyError, StorageError, WrongUrlError
from storage.records import IdentityKey
from storage.store import Store
from storage.tables import people
from tests.servers import PASSWORD, free_port
from tests.storage.conftest import Databases, Talker, refusal

QUICKLY = 4.0


@pytest.fixture
def url(databases: Databases) -> str:
    """The URL of a database for one test alone."""
    return databases.new()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """That database, open."""
    opened = await open_database(url)
    yield opened
    await opened.close()


@pytest.fixture
async def ada(database: Database) -> Talker:
    """A person in it."""
    return Talker(Store(database))


def setting(name: str):
    return lambda connection: connection.exec_driver_sql(f"SHOW {name}").scalar()


class TestConnections:
    async def test_what_each_is_told(self, database) -> None:
        wanted = {
            "application_name": "nextreel",
            "lock_timeout": "5s",
            "statement_timeout": "10s",
            "idle_in_transaction_session_timeout": "30s",
        }
        assert {name: await database.read(setting(name)) for name in wanted} == wanted

    async def test_reading_sees_one_state_and_writing_the_newest(self, database) -> None:
        assert await database.read(setting("transaction_isolation")) == "repeatable read"
        assert await database.read(setting("transaction_read_only")) == "on"
        assert await database.write(setting("transaction_isolation")) == "read committed"
        assert await database.write(setting("transaction_read_only")) == "off"

    async def test_a_process_takes_no_more_than_its_share(self, database, url, postgres) -> None:
        name = url.rpartition("/")[2]
        reading = asyncio.gather(
            *(database.read(lambda connection: connection.exec_driver_sql("SELECT pg_sleep(0.3)")) for _ in range(20))
        )
        most = 0
        while not reading.done():
            counting = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"
            ((count,),) = await asyncio.to_thread(postgres.execute, counting)
            most = max(most, count)
        await reading
        assert most == 10

    @pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "postgresql", "postgres"])
    @pytest.mark.parametrize("options", ["", "?sslmode=prefer", "?ssl=disable", "?application_name=other"])
    async def test_a_url_in_every_form(self, url, scheme, options) -> None:
        opened = await open_database(url.replace("postgresql+asyncpg", scheme) + options)
        assert PASSWORD not in opened.label
        assert opened.label == url.rpartition("@")[2]
        await opened.close()

    @pytest.mark.parametrize("options", ["?sslmode=nonsense", "?nonsense=1"])
    async def test_options_that_are_none_are_said(self, url, options) -> None:
        with pytest.raises(WrongUrlError):
            await open_database(url + options)


class TestRefusals:
    @pytest.fixture(autouse=True)
    def quickly(self):
        """Each is one sentence, said before anybody gives up waiting."""
        start = time.monotonic()
        yield
        assert time.monotonic() - start < QUICKLY

    async def test_a_wrong_password(self, url, postgres) -> None:
        name = url.rpartition("/")[2]
        assert "user and password" in await refusal(postgres.url(name, password="wrong"))

    async def test_an_unknown_user(self, url, postgres) -> None:
        name = url.rpartition("/")[2]
        assert "user and password" in await refusal(postgres.url(name, user="nobody"))

    async def test_an_unknown_database(self, postgres) -> None:
        assert "no such database" in await refusal(postgres.url("none"))

    async def test_a_port_where_nobody_listens(self) -> None:
        sentence = await refusal(f"postgresql://ann:secret@127.0.0.1:{free_port()}/db")
        assert "can't be reached" in sentence
        assert "secret" not in sentence

    async def test_a_host_that_does_not_exist(self) -> None:
        sentence = await refusal("postgresql://ann:secret@nextreel.invalid/db")
        assert "nextreel.invalid/db can't be reached" in sentence
        assert "secret" not in sentence

    async def test_a_user_without_a_connection_left(self, url, postgres) -> None:
        postgres.execute("CREATE ROLE crowded LOGIN PASSWORD 'x' CONNECTION LIMIT 0")
        assert "no connection left" in await refusal(postgres.url(url.rpartition("/")[2], user="crowded", password="x"))

    async def test_a_user_who_may_not_make_tables(self, postgres) -> None:
        empty = postgres.new_database()
        postgres.execute("CREATE ROLE guest LOGIN PASSWORD 'x'")
        assert "must own" in await refusal(postgres.url(empty.rpartition("/")[2], user="guest", password="x"))

    async def test_no_error_tells_the_password(self, url, postgres) -> None:
        for wrong in (postgres.url("none"), url.replace(str(postgres.port), str(free_port()))):
            with pytest.raises(StorageError) as refused:
                await open_database(wrong)
            told = "".join(traceback.format_exception(refused.value)) + refused.value.detail
            assert PASSWORD not in told
            assert "%61" not in told


class TestWaiting:
    async def test_a_person_whom_another_writes_about_is_waited_for(self, ada, url) -> None:
        await ada.say(LogWatch(1))
        async with holding_people(url):
            writing = asyncio.create_task(ada.say(LogWatch(2)))
            await asyncio.sleep(0.2)
            assert await ada.films() == [1]  # reading goes on
        await writing
        assert await ada.films() == [1, 2]

    async def test_and_not_for_ever(self, url, monkeypatch) -> None:
        monkeypatch.setattr(settings, "BUSY_SECONDS", 0.3)
        ada = Talker(await Store.open(url))
        await ada.say(LogWatch(1))
        async with holding_people(url):
            with pytest.raises(BusyError, match="busy"):
                await ada.say(LogWatch(2))
        await ada.say(LogWatch(3))
        assert await ada.films() == [1, 3]
        await ada.store.close()

    async def test_two_in_each_others_way_both_end(self, ada, database) -> None:
        ben = Talker(ada.store, identity=IdentityKey("terminal", "", "ben"))
        await ada.say(LogWatch(1))
        await ben.say(LogWatch(1))
        persons = [(await talker.read()).person for talker in (ada, ben)]
        runs = 0

        def touch(first: int, second: int):
            def work(connection: Connection) -> None:
                nonlocal runs
                runs += 1
                for person in (first, second):
                    connection.execute(update(people).where(people.c.person_id == person).values(version=runs))
                    connection.exec_driver_sql("SELECT pg_sleep(0.1)")

            return work

        await asyncio.gather(*(database.write(touch(*order)) for order in (persons, persons[::-1])))
        assert runs == 3

    async def test_a_stranger_who_says_many_things_at_once_is_one_person(self, ada) -> None:
        await asyncio.gather(*(ada.say(LogWatch(film)) for film in range(20)))
        assert sorted(await ada.films()) == list(range(20))
        counted = await ada.store.database.read(lambda connection: len(connection.execute(select(people)).all()))
        assert counted == 1

    async def test_a_database_that_can_only_be_read_is_said_to_be(self, ada, url, postgres) -> None:
        await ada.say(LogWatch(1))
        postgres.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
        reader = Talker(await Store.open(url))
        assert await reader.films() == [1]
        with pytest.raises(StorageError, match="only be read"):
            await reader.say(LogWatch(2))
        await reader.store.close()

    async def test_a_connection_that_was_cut_is_not_noticed(self, ada, url, postgres) -> None:
        await ada.say(LogWatch(1))
        name = url.rpartition("/")[2]
        for film in range(2, 6):
            await asyncio.to_thread(
                postgres.execute, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            )
            await ada.say(LogWatch(film))
        assert await ada.films() == [1, 2, 3, 4, 5]


@contextlib.asynccontextmanager
async def holding_people(url: str) -> AsyncIterator[None]:
    """Meanwhile another program holds every row of `people`."""
    other = await asyncpg.connect(url.replace("+asyncpg", ""))
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT * FROM people FOR UPDATE")
    try:
        yield
    finally:
        await transaction.rollback()
        await other.close()


class TestDamage:
    async def test_promises_that_are_switched_off_are_reported(self, database, postgres) -> None:
        assert await database.damage() == ()
        promises = ("fsync", "full_page_writes", "synchronous_commit")
        try:
            for promise in promises:
                postgres.execute(f"ALTER SYSTEM SET {promise} = off")
            postgres.execute("SELECT pg_reload_conf(), pg_sleep(0.2)")
            assert [line.split()[0] for line in await database.damage()] == list(promises)
        finally:
            postgres.execute("ALTER SYSTEM RESET ALL")
            postgres.execute("SELECT pg_reload_conf(), pg_sleep(0.2)")
        assert await database.damage() == ()

    async def test_an_index_that_is_not_valid_is_reported(self, database, url, postgres) -> None:
        name = url.rpartition("/")[2]
        postgres.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_watches_watch_id'::regclass", name
        )
        assert await database.damage() == ("the index ix_watches_watch_id is not valid",)

    async def test_a_page_of_rubbish_is_found_by_looking_deep(self, ada, url, postgres) -> None:
        await ada.say(*(LogWatch(film, reaction="x" * 500) for film in range(200)))
        name = url.rpartition("/")[2]
        ((place,),) = postgres.execute("SELECT pg_relation_filepath('watches')", name)
        postgres.execute("CHECKPOINT")
        postgres.stop()
        with postgres.data_file(place).open("r+b") as file:
            file.seek(8192)
            file.write(b"\x55" * 8192)
        postgres.start()
        assert await ada.store.database.damage() == ()
        (found,) = await ada.store.database.damage(deep=True)
        assert found.startswith("the table watches can't be read to its end")


class TestPrograms:
    @pytest.fixture
    def recorded(self, tmp_path, monkeypatch):
        """Programs before PostgreSQL's own that write down what they are given, and go on as those."""
        folder = tmp_path / "programs"
        folder.mkdir()
        for name in ("pg_dump", "pg_restore", "psql"):
            real = shutil.which(name)
            assert real is not None
            script = folder / name
            script.write_text(f'#!/bin/sh\necho "{name} $*" >> {folder}/said\nexec {real} "$@"\n')
            script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return folder / "said"

    async def test_the_password_is_no_argument(self, ada, tmp_path, recorded) -> None:
        await ada.say(LogWatch(1))
        await ada.store.database.backup(tmp_path / "copy")
        await ada.store.database.restore(tmp_path / "copy")
        said = recorded.read_text()
        assert {line.split()[0] for line in said.splitlines()} == {"pg_dump", "pg_restore", "psql"}
        assert PASSWORD not in said
        assert "%61" not in said

    async def test_that_they_are_missing_is_said_with_what_to_install(self, database, tmp_path, monkeypatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(StorageError, match=r"pg_dump is missing; install .*postgresql-client"):
            await database.backup(tmp_path / "copy")
        assert not (tmp_path / "copy").exists()

    async def test_that_they_are_too_old_is_said(self, database, tmp_path, monkeypatch) -> None:
        (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'aborting because of server version mismatch' >&2\nexit 1\n")
        (tmp_path / "pg_dump").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(StorageError, match="older than the server"):
            await database.backup(tmp_path / "copy")

    async def test_a_restore_that_is_broken_off_changes_nothing(self, ada, tmp_path, monkeypatch) -> None:
        await ada.say(LogWatch(1))
        await ada.store.database.backup(tmp_path / "copy")
        await ada.say(LogWatch(2))
        real = shutil.which("pg_restore")
        folder = tmp_path / "programs"
        folder.mkdir()
        # It gives half of what there is to restore, as if it were killed then.
        (folder / "pg_restore").write_text(
            f'#!/bin/sh\ncase "$*" in *--clean*) {real} "$@" | head -c 9000; exit 1;; esac\nexec {real} "$@"\n'
        )
        (folder / "pg_restore").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(StorageError):
            await ada.store.database.restore(tmp_path / "copy")
        assert await ada.films() == [1, 2]

    async def test_a_table_that_others_hold_is_not_waited_for_for_ever(self, ada, url, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr("storage.postgres.UNHURRIED_SECONDS", 0.3)
        await ada.say(LogWatch(1))
        await ada.store.database.backup(tmp_path / "copy")
        async with holding_people(url):
            with pytest.raises(BusyError) as refused:
                await ada.store.database.restore(tmp_path / "copy")
        assert refused.value.state == "55P03"
        assert await ada.films() == [1]
