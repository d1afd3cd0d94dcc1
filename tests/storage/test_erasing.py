"""Erasing that something comes between: somebody who writes at the same moment, a reader, a full disk, the end."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from storage import database, tables
from storage import store as stores
from storage.changes import JoinPerson, LeavePerson, LogWatch, OfferLink
from storage.errors import StorageError
from storage.ids import code_hash, new_code, new_id
from storage.records import IdentityKey, MessageId
from storage.store import Store
from tests.storage.conftest import NOON, Talker

MARK = b"zebra-in-the-attic"
LATER = NOON + timedelta(days=2)


@pytest.fixture
async def beside(url: str) -> AsyncIterator[Store]:
    """The same database, opened by another process."""
    opened = await Store.open(url)
    yield opened
    await opened.close()


def has_traces(path: Path) -> bool:
    return any(MARK in file.read_bytes() for file in path.parent.iterdir())


async def say_much(talker: Talker) -> None:
    """So much that traces are left where SQLite split a page."""
    for film in range(60):
        await talker.say(LogWatch(film, reaction=MARK.decode()), reply=MARK.decode() * 9)


async def people(store: Store) -> int:
    rows = await store.database.read(lambda connection: connection.execute(select(tables.people)).all())
    return len(rows)


async def offer(talker: Talker) -> str:
    code = new_code()
    await talker.say(OfferLink(code, talker.moment + timedelta(hours=1)))
    return code


class TestTraces:
    async def test_what_a_reader_kept_from_being_wiped_is_wiped_at_the_next_tidying(
        self, ada, url, path, monkeypatch
    ) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
        ada.store = await Store.open(url)
        await say_much(ada)
        person = (await ada.read()).person
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM people").fetchone()
        assert await ada.store.erase(ada.identity, None, ada.moment) == person
        assert not await ada.store.wipe()
        assert (await ada.read()).person is None
        assert has_traces(path)
        reader.close()
        await ada.store.close()
        ada.store = await Store.open(url)
        assert (await ada.store.tidy(LATER, slates_days=None, inactive_days=None)).wiped
        assert not has_traces(path)
        await ada.store.close()

    async def test_what_a_full_disk_kept_from_being_wiped_is_wiped_by_the_next_who_erases(
        self, ada, ben, path, monkeypatch
    ) -> None:
        async def fail() -> None:
            raise StorageError("The disk is full.")

        await say_much(ada)
        await ben.say(LogWatch(1))
        await ada.store.erase(ada.identity, None, ada.moment)
        with monkeypatch.context() as patched:
            patched.setattr(ada.store.database, "forget_deleted", fail)
            assert not await ada.store.wipe()
        await ben.store.erase(ben.identity, None, ben.moment)
        assert await ben.store.wipe()
        assert not has_traces(path)

    async def test_a_large_file_is_left_to_tidying(self, ada, path, monkeypatch) -> None:
        monkeypatch.setattr(stores, "WIPED_AT_ONCE", 1000)
        await say_much(ada)
        assert await ada.store.wipe()  # nobody was erased
        await ada.store.erase(ada.identity, None, ada.moment)
        assert not await ada.store.wipe()
        assert (await ada.store.tidy(LATER, slates_days=None, inactive_days=None)).wiped
        assert await ada.store.wipe()
        assert not has_traces(path)

    async def test_many_who_are_erased_at_once_share_the_wiping(self, store, path, monkeypatch) -> None:
        wiped = 0
        wiping = store.database.forget_deleted

        async def wipe() -> None:
            nonlocal wiped
            wiped += 1
            await wiping()

        monkeypatch.setattr(store.database, "forget_deleted", wipe)
        talkers = [Talker(store, identity=IdentityKey("terminal", "", str(number))) for number in range(9)]
        for talker in talkers:
            await talker.say(LogWatch(1, reaction=MARK.decode()))

        async def forget(talker: Talker) -> bool:
            await talker.store.erase(talker.identity, None, talker.moment)
            return await talker.store.wipe()

        assert all(await asyncio.gather(*map(forget, talkers)))
        assert 1 <= wiped <= 3
        assert not has_traces(path)

    async def test_who_is_erased_during_a_wiping_is_wiped_by_another(self, ada, ben, path, monkeypatch) -> None:
        wiping = ada.store.database.forget_deleted

        async def wipe_too_early() -> None:
            await wiping()
            await ben.store.erase(ben.identity, None, ben.moment)

        await ada.say(LogWatch(1))
        await say_much(ben)
        await ada.store.erase(ada.identity, None, ada.moment)
        with monkeypatch.context() as patched:
            patched.setattr(ada.store.database, "forget_deleted", wipe_too_early)
            assert await ada.store.wipe()
        assert (await ada.store.tidy(NOON, slates_days=None, inactive_days=None)).wiped
        assert not has_traces(path)


class TestMeanwhile:
    """Each change holds its locks, uncommitted, until the erasing waits for it: on PostgreSQL they truly meet."""

    async def _while(self, talker: Talker, change: Callable[[], Awaitable[object]], erasing: Awaitable[object]) -> None:
        writing = talker.store.database.write
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def write(work: Callable[[Connection], object]) -> object:
            def slowly(connection: Connection) -> object:
                done = work(connection)
                loop.call_soon_threadsafe(begun.set)
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql("SELECT pg_sleep(0.3)")
                return done

            return await writing(slowly)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(talker.store.database, "write", write)
            changing = asyncio.ensure_future(change())
            await begun.wait()
            await asyncio.gather(changing, erasing)

    async def test_who_joins_while_their_other_account_erases_is_erased(self, ada, ben, beside) -> None:
        await ada.say(LogWatch(1))
        await ben.say(LogWatch(2))
        code = await offer(ada)
        erasing = beside.erase(ada.identity, None, ada.moment)
        await self._while(ben, lambda: ben.say(JoinPerson(code_hash(code))), erasing)
        assert await people(beside) == 0
        assert (await ada.films(), await ben.films()) == ([], [])

    async def test_what_is_told_while_erasing_is_erased_and_not_done_again(self, ada, beside) -> None:
        await ada.say(LogWatch(1))
        key = ada.key()
        erasing = beside.erase(ada.identity, None, ada.moment + timedelta(minutes=2))
        telling = lambda: ada.deliver(key, MessageId(new_id()), [LogWatch(2)], "Logged.")  # noqa: E731 (a name for it)
        await self._while(ada, telling, erasing)
        assert await people(beside) == 0
        assert (await ada.read(key)).earlier_reply == ""

    async def test_who_leaves_while_erasing_leaves_the_others_alone(self, ada, ben, beside) -> None:
        await ada.say(LogWatch(1))
        code = await offer(ada)
        await ben.say(JoinPerson(code_hash(code)))
        await self._while(ben, lambda: ben.say(LeavePerson()), beside.erase(ben.identity, None, ben.moment))
        assert (await ben.read()).person is None
        assert await ada.films() == [1]

    async def test_of_many_that_meet_none_leaves_anything_behind(self, ada, ben, beside) -> None:
        for _ in range(5):
            await ada.say(LogWatch(1))
            await ben.say(LogWatch(2))
            code = await offer(ada)
            joining = asyncio.ensure_future(ben.say(JoinPerson(code_hash(code))))
            erased = await beside.erase(ada.identity, None, ada.moment)
            await asyncio.wait([joining])
            assert erased is not None
            assert (await ada.read()).person is None
            assert 1 not in await ben.films()
            await beside.erase(ben.identity, None, ben.moment)

    async def test_who_it_was_is_known_when_the_commit_got_no_answer(self, ada, monkeypatch) -> None:
        await ada.say(LogWatch(1))
        person = (await ada.read()).person
        writing = ada.store.database.write
        again = [False, True]

        async def write_twice(work: Callable[[Connection], object]) -> None:
            for begins_anew in again:
                await writing(work)
                if begins_anew:
                    monkeypatch.setattr(ada.store.database, "write", writing)
                    await ada.say(LogWatch(2))
            await writing(work)

        key = ada.key()
        monkeypatch.setattr(ada.store.database, "write", write_twice)
        assert await ada.store.erase(ada.identity, key, ada.moment) == person
        assert await ada.films() == [2]  # what they told after it stays
