"""What is confirmed is kept, once: under concurrency, from several processes, and while something breaks."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
import traceback
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from storage import database as databases_in_general
from storage import postgres
from storage.changes import LogWatch
from storage.database import open_database
from storage.errors import AwayError, BusyError, StorageError, UnsureError
from storage.ids import new_id
from storage.records import IdentityKey, MessageId, MessageKey, PlaceKey
from storage.store import Store
from storage.tables import messages
from tests.servers import Proxy
from tests.storage import faults
from tests.storage.faults import Kept
from tests.storage.writer import deliver

pytestmark = pytest.mark.alone

KILLS = int(os.environ.get("KILLS", "20"))
"""How often a writer is killed, on each kind of database."""


class TestConcurrency:
    async def test_sixty_concurrent_messages_that_read_first_all_land(self, url) -> None:
        assert (await faults.race(url, 60)).landed == 60

    async def test_sixty_concurrent_deliveries_of_one_message_log_once(self, ada) -> None:
        key = ada.key()
        applied = await asyncio.gather(
            *(ada.deliver(key, MessageId(new_id()), [LogWatch(n)], f"Logged {n}.") for n in range(60))
        )
        (film,) = await ada.films()
        assert Counter(one.done for one in applied) == {True: 1, False: 59}
        assert {one.earlier_reply for one in applied if not one.done} == {f"Logged {film}."}

    async def test_a_message_that_is_broken_off_is_done_or_not_and_others_go_on(self, ada) -> None:
        await ada.say(LogWatch(0))
        chance = random.Random(7)
        for number in range(1, 40):
            films = [LogWatch(number * 10), LogWatch(number * 10 + 1)]
            key = ada.key()
            task = asyncio.create_task(ada.deliver(key, MessageId(new_id()), films, "Logged."))
            await asyncio.sleep(chance.uniform(0, 0.006))
            task.cancel()
            try:
                confirmed = (await task).done
            except asyncio.CancelledError:
                confirmed = False
            kept = [film in await ada.films() for film in (number * 10, number * 10 + 1)]
            assert kept in ([True, True], [False, False])
            assert kept[0] or not confirmed
            again = await ada.deliver(key, MessageId(new_id()), films, "Logged.")
            assert again.done is not kept[0]

    async def test_three_processes_with_the_same_messages_log_each_once(self, empty_url) -> None:
        crowd = await faults.crowd(empty_url, writers=3, count=40)
        assert crowd.kept == Kept(confirmed=40, lost=0, doubled=0)
        assert crowd.said_new == 40


class TestKills:
    async def test_a_killed_process_leaves_every_confirmed_watch_exactly_once(self, url, tmp_path) -> None:
        kills = await faults.kill_writers(url, tmp_path, KILLS)
        assert (kills.kept.lost, kills.kept.doubled) == (0, 0)
        assert kills.kept.confirmed > kills.kills

    async def test_what_is_confirmed_is_on_the_disk(self, url, path, tmp_path) -> None:
        if shutil.which("strace") is None:
            message = "strace is not installed; on Debian and Ubuntu: apt-get install strace"
            pytest.fail(message) if os.environ.get("REQUIRE_SERVERS") == "1" else pytest.skip(message)
        syncs = await faults.count_syncs(url, tmp_path, 50)
        assert syncs.confirmed == 50
        assert syncs.unsynced == 0
        assert syncs.syncs >= 50


class TestDisk:
    async def test_a_full_disk_is_said_and_nothing_confirmed_is_lost(self, tmp_path) -> None:
        full = await faults.fill_disk(tmp_path / "disk")
        assert full.before > 10
        assert list(full.refusals) == ["The disk is full, so nothing can be kept until there is room again."]
        assert full.kept == Kept(confirmed=full.before + full.after, lost=0, doubled=0)

    async def test_a_full_disk_that_sqlite_only_believes_to_be_full(self, tmp_path) -> None:
        with faults.FewPages(tmp_path) as room:
            store = await Store.open(room.path)
            room.take()
            with pytest.raises(StorageError, match="The disk is full"):  # noqa: PT012 (which one fails is open)
                for number in range(2000):
                    await deliver(store, number)
            await room.make(store)
            await deliver(store, 5000)
            await store.close()

    async def test_a_disk_that_can_only_be_read_is_said(self, tmp_path) -> None:
        try:
            with faults.SmallDisk(tmp_path / "disk") as disk:
                await (await Store.open(disk.path)).close()
                disk.make_read_only()
                with pytest.raises(StorageError, match=r"^The database can( only be read|'t be opened)"):
                    await Store.open(disk.path)
        except PermissionError as error:
            pytest.skip(str(error))


class TestPostgres:
    async def test_a_server_that_breaks_off_loses_nothing_and_is_waited_for(self, databases) -> None:
        url = databases.new()
        restarts = await faults.restart_under_load(databases.server, url, restarts=2)
        assert (restarts.kept.lost, restarts.kept.doubled) == (0, 0)
        assert restarts.kept.confirmed > 50
        assert set(restarts.refusals) <= {AwayError.sentence}  # where starting takes longer than we wait
        assert restarts.back_seconds < 10

    async def test_a_server_that_stays_away_is_said_to_and_comes_back(self, databases, monkeypatch) -> None:
        monkeypatch.setattr(databases_in_general, "BUSY_SECONDS", 0.5)
        store = await Store.open(databases.new())
        try:
            await deliver(store, 1)
            databases.server.stop("immediate")
            start = time.monotonic()
            with pytest.raises(AwayError, match=r"can't be reached.*try again"):
                await deliver(store, 2)
            assert 0.5 < time.monotonic() - start < 2.5
            databases.server.start()
            assert await deliver(store, 2)
            assert await Kept.of(store, {1, 2}) == Kept(2, 0, 0)
        finally:
            if not databases.server.runs():
                databases.server.start()
            await store.close()

    async def test_a_server_that_hangs_is_said_to_and_comes_back(self, databases, monkeypatch) -> None:
        monkeypatch.setattr(databases_in_general, "BUSY_SECONDS", 0.5)
        monkeypatch.setattr(postgres, "STATEMENT_SECONDS", 0.5)
        monkeypatch.setattr(postgres, "CONNECT_SECONDS", 0.5)
        store = await Store.open(databases.new())
        confirmed = set(range(3))
        for number in confirmed:
            await deliver(store, number)
        databases.server.pause()
        try:
            start = time.monotonic()
            refused = await asyncio.gather(*(deliver(store, number) for number in range(3, 20)), return_exceptions=True)
            assert time.monotonic() - start < 5
            assert {type(error) for error in refused} <= {AwayError, BusyError}
            assert all("try again" in str(error) for error in refused)
        finally:
            databases.server.resume()
        assert await deliver(store, 20)
        assert await Kept.of(store, confirmed | {20}) == Kept(4, 0, 0)
        await store.close()

    @pytest.mark.parametrize("heard", [True, False], ids=["done", "not done"])
    async def test_a_commit_whose_answer_is_lost_is_done_once(self, databases, heard) -> None:
        url = databases.new()
        await (await Store.open(url)).close()
        proxy = Proxy(databases.server.port, cut_at=b"COMMIT;", heard=heard)
        store = await Store.open(url.replace(f":{databases.server.port}/", f":{proxy.port}/"))
        try:
            assert await deliver(store, 7) is not heard  # done before it was done again, if the server heard of it
            assert proxy.has_cut
            assert await Kept.of(store, {7}) == Kept(1, 0, 0)
        finally:
            await store.close()
            proxy.close()

    async def test_a_commit_that_nobody_can_be_asked_about_is_said_to_be_unsure(self, databases, monkeypatch) -> None:
        monkeypatch.setattr(databases_in_general, "BUSY_SECONDS", 0.5)
        url = databases.new()
        await (await Store.open(url)).close()
        proxy = Proxy(databases.server.port, cut_at=b"COMMIT;", for_good=True)
        store = await Store.open(url.replace(f":{databases.server.port}/", f":{proxy.port}/"))
        with pytest.raises(UnsureError, match="look whether"):
            await deliver(store, 7)
        await store.close()
        store = await Store.open(url)
        assert not await deliver(store, 7)
        await store.close()


LONE_SURROGATE, NUL, HUGE = "\ud800", "a\0b", 2**63


class TestWhatCannotBeKept:
    @pytest.mark.parametrize("text", [LONE_SURROGATE, NUL], ids=["surrogate", "nul"])
    @pytest.mark.parametrize("where", ["platform", "workspace", "user", "channel", "event", "reply"])
    async def test_a_text_is_refused_in_words_and_others_go_on(self, store, where, text) -> None:
        said = {name: text if name == where else "" for name in ("platform", "workspace", "user", "channel", "event")}
        with pytest.raises((ValueError, StorageError)) as refused:
            await store.apply(
                IdentityKey(said["platform"], said["workspace"], said["user"]),
                PlaceKey(said["platform"], said["workspace"], said["channel"], ""),
                MessageKey(said["platform"], said["workspace"], said["event"]),
                MessageId(new_id()),
                [LogWatch(1)],
                text if where == "reply" else "Logged.",
                datetime.now(UTC),
                expected_version=None,
            )
        assert not isinstance(refused.value, UnicodeError)
        assert await deliver(store, 1)

    @pytest.mark.parametrize("number", [HUGE, -HUGE - 1])
    async def test_a_number_is_refused_in_words(self, store, ada, number) -> None:
        with pytest.raises((ValueError, StorageError)):
            await ada.deliver(ada.key(), MessageId(number), [], "Logged.")
        with pytest.raises((ValueError, StorageError)):
            await ada.say(LogWatch(number))
        assert await deliver(store, 1)

    @pytest.mark.parametrize("value", [LONE_SURROGATE, HUGE], ids=["text", "number"])
    async def test_a_query_with_it_is_an_error_of_ours(self, url, value) -> None:
        column = messages.c.event_id if isinstance(value, str) else messages.c.message_id
        database = await open_database(url)
        try:
            with pytest.raises(StorageError, match="can't be kept") as refused:
                await database.read(lambda connection: connection.execute(select(column).where(column == value)))
        finally:
            await database.close()
        assert str(value) not in "".join(traceback.format_exception(refused.value)) + refused.value.detail
