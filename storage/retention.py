"""What is deleted: people who ask for it or have not been seen for long, and what need not be kept any longer.

A person goes as a whole, with everything that names them. What only grows old goes a little at a time, each time in a
transaction of its own with a pause after it, so that nobody who writes waits for it. Every step looks again whether
what it deletes is still to be deleted: it may be broken off, run again, and run twice at once. Whoever erases leaves a
mark in the same transaction that the files are still to be wiped; it goes once they are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, Table, delete, func, insert, select, update

from storage.applying.handling import chunks
from storage.database import Database
from storage.errors import BusyError, StorageError
from storage.ids import event_hash, new_id
from storage.records import MessageKey, PersonId
from storage.tables import contexts, erased_events, inbox, link_codes, messages, people, slates

REDELIVERED_WITHIN: Final = timedelta(days=1)
"""How late a platform may deliver an event again, at most."""

ROWS_AT_ONCE: Final = 100
"""Rows (of slates, with their films) that one transaction deletes."""
PEOPLE_AT_ONCE: Final = 1
"""People that one transaction erases."""
READ_AT_ONCE: Final = 5_000
"""Rows that are looked through in one go."""

_SHORTEST_PAUSE: Final = 0.01
_WIPING_PAUSES: Final = (1.0, 5.0, 15.0)
"""Seconds before each further try to wipe the files of what was deleted, while others keep that from being done."""
WIPED_AT_ONCE: Final = 64 * 2**20
"""Bytes of the largest files that are wiped while the person waits: a second, on a slow disk."""

_TRACES: Final = "traces-"
"""How a mark in `erased_events` begins, before a random number: an event's hash never does."""
_FOR_EVER: Final = datetime(9999, 12, 31, tzinfo=UTC)

_log = structlog.get_logger(__name__)

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was deleted: how many slates, and who was erased, so that what caches have of them goes too.

    Not `wiped` when traces of erased people are left in the files, for the next time.
    """

    slates: int
    people: tuple[PersonId, ...]
    wiped: bool = True


def erase(
    connection: Connection, persons: Sequence[PersonId], moment: datetime, asked_by: Iterable[MessageKey] = ()
) -> None:
    """Delete some people with all that is theirs, but the hashes of the events that may still be delivered again.

    Whoever calls this holds their rows, and wipes the files afterwards.
    """
    if persons:
        mark = {"event_hash": f"{_TRACES}{new_id()}", "expires_at": _FOR_EVER}
        connection.execute(insert(erased_events).values(mark))
    for some in chunks(persons):
        recent = connection.execute(
            select(messages.c.platform, messages.c.workspace, messages.c.event_id).where(
                messages.c.person_id.in_(some), messages.c.handled_at > moment - REDELIVERED_WITHIN
            )
        )
        hashes = {event_hash(MessageKey(*row)) for row in recent} | {event_hash(key) for key in asked_by}
        connection.execute(delete(people).where(people.c.person_id.in_(some)))
        until = moment + REDELIVERED_WITHIN
        for some_hashes in chunks(hashes):
            ours = erased_events.c.event_hash.in_(some_hashes)
            connection.execute(delete(erased_events).where(ours))
            rows = [{"event_hash": one, "expires_at": until} for one in some_hashes]
            connection.execute(insert(erased_events), rows)


async def tidy(database: Database, moment: datetime, *, slates_days: int | None, inactive_days: int | None) -> Tidied:
    """Delete what is too old at `moment`, for as long as that takes; None keeps it for ever.

    Slates, and the texts of answers, go after `slates_days`; people of whom nothing was kept for `inactive_days` are
    erased as if they had asked for it; what has run out goes anyway. The files are still to be wiped of them.
    """
    deleted = 0
    if slates_days is not None:
        before = moment - timedelta(days=slates_days)
        deleted = await _delete(database, slates, slates.c.slate_id, slates.c.shown_at, before)
        await _empty_replies(database, before)
    for table, key in (
        (contexts, contexts.c.person_id),
        (link_codes, link_codes.c.person_id),
        (erased_events, erased_events.c.event_hash),
        (inbox, inbox.c.event_hash),
    ):
        await _delete(database, table, key, table.c.expires_at, moment)
    gone: list[PersonId] = []
    if inactive_days is not None:
        gone += [p async for p in _erase_inactive(database, moment, moment - timedelta(days=inactive_days))]
    return Tidied(deleted, tuple(gone))


async def _delete(
    database: Database, table: Table, key: ColumnElement[Any], dated: Column[datetime], before: datetime
) -> int:
    """Delete the rows that are dated before a moment, oldest first; how many rows of that key there were."""
    deleted = 0
    since: datetime | None = None
    while True:
        rows = await _unhurried(database, partial(_delete_some, table, key, dated, before, since))
        if not rows:
            return deleted
        deleted += len(rows)
        since = rows[-1][1]


def _delete_some(
    table: Table,
    key: ColumnElement[Any],
    dated: Column[datetime],
    before: datetime,
    since: datetime | None,
    connection: Connection,
) -> Sequence[Row[*tuple[Any, ...]]]:
    # Without `since`, PostgreSQL would look at every row deleted before each time. What another process is about to
    # delete is left to it.
    oldest = select(key, dated).where(dated < before).order_by(dated).limit(ROWS_AT_ONCE)
    if since is not None:
        oldest = oldest.where(dated >= since)
    rows = connection.execute(oldest.with_for_update(skip_locked=True)).all()
    connection.execute(delete(table).where(key.in_([row[0] for row in rows]), dated < before))
    return rows


async def _empty_replies(database: Database, before: datetime) -> None:
    """Forget what was answered to messages before a moment; that they were handled is still known."""
    async for stretch in _stretches(database, messages.c.message_id):
        answered = select(messages.c.message_id).where(stretch, messages.c.handled_at < before, messages.c.reply != "")
        for some in chunks(await database.read(partial(_numbers, answered)), ROWS_AT_ONCE):
            await _unhurried(database, partial(_empty, some))


def _empty(some: Sequence[int], connection: Connection) -> None:
    connection.execute(update(messages).where(messages.c.message_id.in_(some)).values(reply=""))


async def _erase_inactive(database: Database, moment: datetime, before: datetime) -> AsyncIterator[PersonId]:
    """Erase the people of whom nothing was kept since a moment; who they were."""
    last_seen = (
        select(messages.c.handled_at)
        .where(messages.c.person_id == people.c.person_id)
        .order_by(messages.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    inactive = func.coalesce(last_seen, people.c.created_at) < before

    def erase_some(some: Sequence[int], connection: Connection) -> Sequence[int]:
        theirs = people.c.person_id.in_(some)
        # Locked first: whoever comes back at this moment is seen to be there again, or begins anew.
        locked = select(people.c.person_id).where(theirs).with_for_update(skip_locked=True)
        held = connection.scalars(locked).all()
        still = connection.scalars(select(people.c.person_id).where(people.c.person_id.in_(held), inactive)).all()
        erase(connection, [PersonId(person) for person in still], moment)
        return still

    async for stretch in _stretches(database, people.c.person_id):
        found = await database.read(partial(_numbers, select(people.c.person_id).where(stretch, inactive)))
        for some in chunks(found, PEOPLE_AT_ONCE):
            for person in await _unhurried(database, partial(erase_some, some)):
                yield PersonId(person)


async def _stretches(database: Database, key: ColumnElement[int]) -> AsyncIterator[ColumnElement[bool]]:
    """Conditions that lead through a table by its key, so many rows at a time."""
    last = -1
    while True:
        further = select(key).where(key > last).order_by(key)
        ends = await database.read(partial(_numbers, further.offset(READ_AT_ONCE - 1).limit(1)))
        if not ends:
            yield key > last
            return
        yield key.between(last + 1, ends[0])
        last = ends[0]


async def _unhurried(database: Database, work: Callable[[Connection], _Result]) -> _Result:
    """One transaction, and a pause as long as it took: others, of other processes too, get their turn."""
    begun = time.monotonic()
    result = await database.write(work)
    await asyncio.sleep(max(_SHORTEST_PAUSE, time.monotonic() - begun))
    return result


async def wipe(database: Database, turn: asyncio.Lock, *, most: int | None = None) -> bool:
    """Leave no trace in the files of all who were erased until now; False when that is still to be done.

    Who waits for the `turn` may find it done. With `most`, it is put off where more bytes than that would be written
    anew. Whatever goes wrong is for the log.
    """
    try:
        if most is not None and await database.bytes_to_wipe() > most:
            return not await _marks(database)
        await _wipe(database, turn)
    except StorageError as error:
        _log.warning("files not wiped yet", error=type(error).__name__, detail=error.detail)
        return False
    return True


async def wipe_patiently(database: Database, turn: asyncio.Lock) -> bool:
    """Wipe the files, however large, and try again for a while when others are in the way."""
    for pause in _WIPING_PAUSES:
        try:
            await _wipe(database, turn)
        except BusyError:
            await asyncio.sleep(pause)
        except StorageError:
            break
        else:
            return True
    return await wipe(database, turn)


async def _wipe(database: Database, turn: asyncio.Lock) -> None:
    async with turn:
        # Only the marks that were there before go: who is erased meanwhile may have been too late for it.
        if marks := await _marks(database):
            await database.forget_deleted()
            for some in chunks(marks):
                await database.write(partial(_take_away, some))


async def _marks(database: Database) -> Sequence[str]:
    marked = select(erased_events.c.event_hash).where(erased_events.c.event_hash.startswith(_TRACES))
    return await database.read(lambda connection: connection.scalars(marked).all())


def _take_away(marks: Sequence[str], connection: Connection) -> None:
    connection.execute(delete(erased_events).where(erased_events.c.event_hash.in_(marks)))


def _numbers(query: Select[Any], connection: Connection) -> Sequence[int]:
    return connection.scalars(query).all()
