"""What need not be kept any longer goes, and nothing else; it may be broken off, run again, and run twice at once."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime, timedelta

from sqlalchemy import Table, func, select

from storage import database, retention, tables
from storage.changes import LogWatch, OfferLink, SetContext, ShowSlate
from storage.errors import BusyError
from storage.ids import new_code, new_id
from storage.records import IdentityKey, MessageId, ShownPick, ShownSlate, SlateId
from storage.retention import Tidied
from storage.store import Store
from tests.storage.conftest import NOON, Talker

DAY = timedelta(days=1)


async def count(store: Store, table: Table) -> int:
    """The rows of a table."""
    found = await store.database.read(lambda connection: connection.scalar(select(func.count()).select_from(table)))
    return found or 0


async def show(talker: Talker, films: int = 2) -> ShownSlate:
    """A slate, answered to a message."""
    message_id = MessageId(new_id())
    picks = tuple(ShownPick(rank, rank, 1.0, {"kind": "facts"}) for rank in range(1, films + 1))
    slate = ShownSlate(
        SlateId(new_id()), message_id, "starter-1", {"count": 2}, picks, talker.moment + timedelta(minutes=1)
    )
    await talker.deliver(talker.key(), message_id, [ShowSlate(slate)], "Here.")
    return slate


class TestSlates:
    async def test_old_ones_and_the_texts_of_old_answers_go(self, ada) -> None:
        old_key = ada.key()
        await ada.deliver(old_key, MessageId(new_id()), [LogWatch(1)], "Logged.")
        old = await show(ada)
        ada.moment += 10 * DAY
        young_key = ada.key()
        await ada.deliver(young_key, MessageId(new_id()), [LogWatch(2)], "Logged too.")
        young = await show(ada)
        tidied = await ada.store.tidy(NOON + 11 * DAY, slates_days=5, inactive_days=None)
        assert tidied == Tidied(1, ())
        assert await ada.store.slate(old.slate_id) is None
        assert await ada.store.slate(young.slate_id) is not None
        assert await count(ada.store, tables.slate_picks) == 2
        assert (await ada.read(old_key)).earlier_reply == ""  # it was handled; what was answered is gone
        assert (await ada.read(young_key)).earlier_reply == "Logged too."
        assert await ada.films() == [1, 2]

    async def test_they_go_when_they_are_older_than_so_many_days(self, ada) -> None:
        slate = await show(ada)
        await ada.store.tidy(slate.shown_at + 5 * DAY, slates_days=5, inactive_days=None)
        assert await ada.store.slate(slate.slate_id) is not None
        await ada.store.tidy(slate.shown_at + 5 * DAY + timedelta(seconds=1), slates_days=5, inactive_days=None)
        assert await ada.store.slate(slate.slate_id) is None

    async def test_without_a_number_of_days_they_stay(self, ada) -> None:
        slate = await show(ada)
        assert await ada.store.tidy(NOON + 9999 * DAY, slates_days=None, inactive_days=None) == Tidied(0, ())
        assert await ada.store.slate(slate.slate_id) is not None

    async def test_again_changes_nothing(self, ada) -> None:
        await show(ada)
        await ada.say(LogWatch(1))
        assert (await ada.store.tidy(NOON + 9 * DAY, slates_days=5, inactive_days=None)).slates == 1
        everything = await ada.store.everything(ada.identity)
        assert await ada.store.tidy(NOON + 9 * DAY, slates_days=5, inactive_days=None) == Tidied(0, ())
        assert await ada.store.everything(ada.identity) == everything

    async def test_a_transaction_deletes_no_more_than_a_few(self, ada, monkeypatch) -> None:
        monkeypatch.setattr(retention, "ROWS_AT_ONCE", 3)
        monkeypatch.setattr(retention, "READ_AT_ONCE", 4)
        monkeypatch.setattr(retention, "_SHORTEST_PAUSE", 0.0)
        for _ in range(10):
            await show(ada)
        left = []
        writing = ada.store.database.write

        async def write(work):
            result = await writing(work)
            left.append((await count(ada.store, tables.slates), await _answers(ada.store)))
            return result

        monkeypatch.setattr(ada.store.database, "write", write)
        assert (await ada.store.tidy(NOON + 9 * DAY, slates_days=5, inactive_days=None)).slates == 10
        slates, answers = [10, *(pair[0] for pair in left)], [10, *(pair[1] for pair in left)]
        for several in (slates, answers):
            assert several[-1] == 0
            assert max(before - after for before, after in itertools.pairwise(several)) == 3


async def _answers(store: Store) -> int:
    query = select(func.count()).where(tables.messages.c.reply != "")
    return await store.database.read(lambda connection: connection.scalar(query)) or 0


class TestWhatHasRunOut:
    async def test_contexts_codes_and_erased_events_go_when_they_have_run_out(self, ada, ben) -> None:
        await ada.say(SetContext({"a": 1}, NOON + DAY), OfferLink(new_code(), NOON + DAY))
        await ben.say(SetContext({"b": 1}, NOON + 3 * DAY), OfferLink(new_code(), NOON + 3 * DAY))
        cid = Talker(ada.store, identity=IdentityKey("terminal", "", "cid"))
        await cid.say(LogWatch(1))
        await ada.store.erase(cid.identity, None, cid.moment)
        watched = (tables.contexts, tables.link_codes, tables.erased_events)
        assert [await count(ada.store, table) for table in watched] == [
            2,
            2,
            2,
        ]  # the event, and that files are to be wiped
        assert await ada.store.tidy(NOON + 2 * DAY, slates_days=None, inactive_days=None) == Tidied(0, ())
        assert [await count(ada.store, table) for table in watched] == [1, 1, 0]
        assert (await ben.read(moment=NOON + 2 * DAY)).context == {"b": 1}

    async def test_a_message_of_somebody_erased_is_known_for_a_day(self, ada) -> None:
        key = ada.key()
        await ada.deliver(key, MessageId(new_id()), [LogWatch(1)], "Logged.")
        await ada.store.erase(ada.identity, None, ada.moment)
        await ada.store.tidy(ada.moment + DAY - timedelta(minutes=1), slates_days=0, inactive_days=0)
        assert (await ada.read(key)).earlier_reply == ""
        await ada.store.tidy(ada.moment + DAY + timedelta(seconds=1), slates_days=0, inactive_days=0)
        assert (await ada.read(key)).earlier_reply is None


class TestInactivePeople:
    async def test_they_are_erased_with_everything(self, ada, ben) -> None:
        await ada.say(LogWatch(1))
        await show(ada)
        person = (await ada.read()).person
        ben.moment += 10 * DAY
        await ben.say(LogWatch(2))
        tidied = await ada.store.tidy(NOON + 12 * DAY, slates_days=None, inactive_days=5)
        assert tidied == Tidied(0, (person,))
        assert (await ada.read()).person is None
        assert await ben.films() == [2]
        everything = await ben.store.everything(ben.identity)
        for table in tables.metadata.sorted_tables:
            assert await count(ada.store, table) == len(everything.rows.get(table.name, ())), table.name

    async def test_who_said_something_since_stays(self, ada) -> None:
        await ada.say(LogWatch(1))
        ada.moment += 10 * DAY
        await ada.say(LogWatch(2))
        assert await ada.store.tidy(NOON + 12 * DAY, slates_days=None, inactive_days=5) == Tidied(0, ())
        assert await ada.films() == [1, 2]

    async def test_who_comes_back_at_that_moment_stays(self, ada, url, monkeypatch) -> None:
        await ada.say(LogWatch(1))
        tidying = await Store.open(url)
        looked: list[object] = []
        reading = tidying.database.read

        async def read(work):
            found = await reading(work)
            if found:  # nobody was asked for but those to be erased: found inactive, and there again before that
                looked.append(found)
                ada.moment += 10 * DAY
                await ada.say(LogWatch(2))
            return found

        monkeypatch.setattr(tidying.database, "read", read)
        assert await tidying.tidy(NOON + 12 * DAY, slates_days=None, inactive_days=5) == Tidied(0, ())
        assert looked == [[(await ada.read()).person]]
        assert await ada.films() == [1, 2]
        await tidying.close()

    async def test_without_a_number_of_days_they_stay(self, ada) -> None:
        await ada.say(LogWatch(1))
        assert (await ada.store.tidy(NOON + 9999 * DAY, slates_days=1, inactive_days=None)).people == ()
        assert await ada.films() == [1]

    async def test_very_many_are_all_found(self, store, monkeypatch) -> None:
        monkeypatch.setattr(retention, "READ_AT_ONCE", 3)
        monkeypatch.setattr(retention, "_SHORTEST_PAUSE", 0.0)
        talkers = [Talker(store, identity=IdentityKey("terminal", "", str(number))) for number in range(11)]
        for number, talker in enumerate(talkers):
            talker.moment += (number % 2) * 10 * DAY
            await talker.say(LogWatch(number))
        tidied = await store.tidy(NOON + 12 * DAY, slates_days=None, inactive_days=5)
        assert len(set(tidied.people)) == len(tidied.people) == 6
        assert [await talker.films() for talker in talkers] == [[n] if n % 2 else [] for n in range(11)]

    async def test_no_byte_of_them_is_left_in_the_files(self, ada, ben, path) -> None:
        await ada.say(LogWatch(1, reaction="zebra-in-the-attic"), reply="zebra-in-the-attic")
        ben.moment += 10 * DAY
        await ben.say(LogWatch(2))
        await ada.store.tidy(NOON + 12 * DAY, slates_days=None, inactive_days=5)
        for file in path.parent.iterdir():
            assert b"zebra" not in file.read_bytes(), file.name

    async def test_files_are_wiped_once_and_only_for_people(self, ada, ben, monkeypatch) -> None:
        wiped: list[datetime] = []
        wiping = ada.store.database.forget_deleted

        async def wipe() -> None:
            wiped.append(NOON)
            await wiping()

        monkeypatch.setattr(ada.store.database, "forget_deleted", wipe)
        await ada.say(LogWatch(1))
        await ben.say(LogWatch(2))
        await show(ben)
        await ada.store.tidy(NOON + 12 * DAY, slates_days=5, inactive_days=None)
        assert wiped == []
        assert len((await ada.store.tidy(NOON + 12 * DAY, slates_days=5, inactive_days=5)).people) == 2
        assert wiped == [NOON]

    async def test_files_in_use_are_wiped_a_little_later(self, ada, monkeypatch) -> None:
        monkeypatch.setattr(retention, "_WIPING_PAUSES", (0.0, 0.0))
        failures = [BusyError(), BusyError()]

        async def wipe() -> None:
            if failures:
                raise failures.pop()

        monkeypatch.setattr(ada.store.database, "forget_deleted", wipe)
        await ada.say(LogWatch(1))
        tidied = await ada.store.tidy(NOON + 12 * DAY, slates_days=None, inactive_days=5)
        assert (len(tidied.people), tidied.wiped) == (1, True)
        await ada.say(LogWatch(1))
        failures += [BusyError(), BusyError(), BusyError()]
        tidied = await ada.store.tidy(NOON + 12 * DAY, slates_days=None, inactive_days=5)
        assert (len(tidied.people), tidied.wiped) == (1, False)  # they are told to caches all the same
        assert (await ada.store.tidy(NOON + 12 * DAY, slates_days=None, inactive_days=None)).wiped
        assert await count(ada.store, tables.erased_events) == 0


class TestTogether:
    async def test_two_at_once_delete_everything_once(self, store, url, monkeypatch) -> None:
        monkeypatch.setattr(retention, "ROWS_AT_ONCE", 5)
        other = await Store.open(url)
        talkers = [Talker(store, identity=IdentityKey("terminal", "", str(number))) for number in range(8)]
        for talker in talkers:
            for _ in range(5):
                await show(talker)
        done = await asyncio.gather(
            *(one.tidy(NOON + 9 * DAY, slates_days=5, inactive_days=5) for one in (store, other, store))
        )
        assert sum(tidied.slates for tidied in done) == 40
        gone = [person for tidied in done for person in tidied.people]
        assert len(gone) == len(set(gone)) == 8
        assert await count(store, tables.people) == 0
        await other.close()

    async def test_those_who_write_meanwhile_are_not_kept_from_it(self, store, url, monkeypatch) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", 2.0)
        writer = Talker(await Store.open(url), identity=IdentityKey("terminal", "", "writer"), moment=NOON + 300 * DAY)
        ada = Talker(store)
        for _ in range(120):
            await show(ada, films=10)
        tidying = asyncio.create_task(store.tidy(NOON + 300 * DAY, slates_days=5, inactive_days=None))
        written = 0
        while not tidying.done():
            await writer.say(LogWatch(written))
            written += 1
        assert (await tidying).slates == 120
        assert await writer.films() == list(range(written))
        await writer.store.close()
