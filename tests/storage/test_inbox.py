"""Events that are written down before they are acknowledged: once, for as long as they are not answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from storage import tables
from storage.errors import BusyError
from storage.inbox import LEASE, MAX_ATTEMPTS, Inbox
from storage.records import MessageKey

NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)
BODY = {"event": {"text": "I watched Alien", "ts": "1.5"}, "odd": "\x00 \ud800"}


def key(number: int = 1) -> MessageKey:
    return MessageKey("slack", "T1", f"Ev{number}")


@pytest.fixture
def inbox(store) -> Inbox:
    return Inbox(store.database)


async def test_one_that_is_not_answered_is_taken_up_when_its_lease_is_over(inbox) -> None:
    received = await inbox.write_down(key(), BODY, NOON)
    assert received is not None
    assert await inbox.take_up(NOON + LEASE / 2) == []
    (taken,) = await inbox.take_up(NOON + LEASE)
    assert (taken.body, taken.received_at) == (BODY, NOON)
    assert taken.receipt != received.receipt
    assert await inbox.take_up(NOON + LEASE) == []


async def test_a_sign_of_life_keeps_it(inbox) -> None:
    received = await inbox.write_down(key(), BODY, NOON)
    await inbox.renew([received], NOON + LEASE / 2)
    assert await inbox.take_up(NOON + LEASE) == []
    assert len(await inbox.take_up(NOON + 2 * LEASE)) == 1


async def test_whoever_lost_it_does_not_end_it_for_others(inbox) -> None:
    lost = await inbox.write_down(key(), BODY, NOON)
    await inbox.take_up(NOON + LEASE)
    await inbox.answered(lost)
    assert len(await inbox.take_up(NOON + 3 * LEASE)) == 1


async def test_it_is_written_down_once_whoever_receives_it(inbox, store) -> None:
    there = await asyncio.gather(*(Inbox(store.database).write_down(key(), BODY, NOON) for _ in range(8)))
    assert sum(received is not None for received in there) == 1
    assert await inbox.write_down(key(2), BODY, NOON) is not None


async def test_once_it_is_answered_nothing_of_it_is_kept_but_that_it_was(inbox, store) -> None:
    received = await inbox.write_down(key(), BODY, NOON)
    await inbox.answered(received)
    assert await inbox.take_up(NOON + timedelta(hours=1)) == []
    assert await inbox.write_down(key(), BODY, NOON) is None

    def kept(connection):
        return repr(connection.execute(select(tables.inbox)).all())

    rows = await store.database.read(kept)
    assert "Alien" not in rows
    assert "Ev1" not in rows
    await store.tidy(NOON + timedelta(days=2), slates_days=None, inactive_days=None)
    assert await store.database.read(kept) == "[]"


async def test_what_was_not_taken_in_may_come_again(inbox) -> None:
    received = await inbox.write_down(key(), None, NOON)
    await inbox.forget(received)
    assert await inbox.write_down(key(), None, NOON) is not None


async def test_one_that_ends_the_process_each_time_is_given_up(inbox, capsys) -> None:
    await inbox.write_down(key(), BODY, NOON)
    begun = 1
    moment = NOON
    while taken := await inbox.take_up(moment := moment + LEASE):
        begun += len(taken)
    assert begun == MAX_ATTEMPTS
    assert "gave up events" in capsys.readouterr().out
    assert await inbox.write_down(key(), BODY, moment) is None


async def test_the_oldest_is_taken_up_first(inbox) -> None:
    for number in (3, 1, 2):
        await inbox.write_down(key(number), {"number": number}, NOON + timedelta(seconds=number))
    taken = await inbox.take_up(NOON + 2 * LEASE)
    assert [received.body["number"] for received in taken] == [1, 2, 3]


async def test_many_at_once_are_each_written_down_or_known(inbox) -> None:
    there = await asyncio.gather(*(inbox.write_down(key(number % 30), BODY, NOON) for number in range(60)))
    kept = [received for received in there if received is not None]
    assert len({received.hash for received in kept}) == len(kept) == 30
    await asyncio.gather(*(inbox.answered(received) for received in kept[:10]))
    assert len(await inbox.take_up(NOON + LEASE)) == 20


async def test_what_can_not_be_kept_is_said_to_each_of_those_who_wait(store) -> None:
    class Full(type(store.database)):
        """A database that takes nothing."""

        def __init__(self) -> None:
            pass

        async def write(self, work):
            await asyncio.sleep(0)
            raise BusyError(detail="full")

    inbox = Inbox(Full())
    there = await asyncio.gather(*(inbox.write_down(key(n), BODY, NOON) for n in range(3)), return_exceptions=True)
    assert [type(error) for error in there] == [BusyError] * 3
