"""Events that are written down before they are acknowledged, so that a process that is killed in between loses none.

For platforms that do not deliver again what was acknowledged. An event is written down once, whoever receives it and
however often; whoever answers it holds a lease, which runs out when the process is gone, and then another takes it up.
What was said goes as soon as it is answered. Knows no platform: an event is a key and JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Database
from storage.ids import event_hash, new_id
from storage.records import MessageKey
from storage.retention import REDELIVERED_WITHIN
from storage.tables import inbox

LEASE: Final = timedelta(seconds=15)
"""For how long an event is left to whoever began to answer it without a sign of life."""
MAX_ATTEMPTS: Final = 4
"""Times that answering an event is begun; one that ends the process each time is given up."""
TAKEN_AT_ONCE: Final = 50

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Received:
    """An event that is written down, and the receipt by which one holds it."""

    hash: str
    body: Mapping[str, Any]
    received_at: datetime
    receipt: int


class Inbox:
    """The events of one database. Safe to use from many tasks, and beside other processes.

    What is written down and ticked off while a commit is under way goes into the next one together: an acknowledgement
    waits for two commits at most, however many events come at once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Callable[[Connection], bool], asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write_down(self, key: MessageKey, body: Mapping[str, Any] | None, moment: datetime) -> Received | None:
        """Keep an event, to be answered by whoever calls this; None when it is known. When this returns, it is kept.

        Without a body there is nothing to answer: it is only to be recognised. Raises StorageError.
        """
        new = Received(event_hash(key), body or {}, moment, new_id())
        values = {
            "event_hash": new.hash,
            "body": body,
            "received_at": moment,
            "receipt": new.receipt,
            "attempts": 1,
            "lease_until": moment + LEASE,
            "expires_at": moment + REDELIVERED_WITHIN,
        }

        def keep(connection: Connection) -> bool:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            connection.execute(dialect.insert(inbox).values(values).on_conflict_do_nothing())
            # The work may be done again after a commit that got no answer: then it is there by this very receipt.
            kept = connection.scalar(select(inbox.c.receipt).where(inbox.c.event_hash == new.hash))
            return bool(kept == new.receipt)

        return new if await self._with_others(keep) else None

    async def answered(self, received: Received) -> None:
        """What was said is not needed any more; that it was delivered is known for a day."""
        mine = (inbox.c.event_hash == received.hash, inbox.c.receipt == received.receipt)

        def empty(connection: Connection) -> bool:
            return connection.execute(update(inbox).where(*mine).values(body=None)).rowcount > 0

        await self._with_others(empty)

    async def _with_others(self, work: Callable[[Connection], bool]) -> bool:
        """Do some writing in a transaction that it may share; when this returns, it is kept."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []

            def all_of_it(
                connection: Connection, batch: Sequence[tuple[Callable[[Connection], bool], object]] = tuple(batch)
            ) -> list[bool]:
                return [work(connection) for work, _ in batch]

            try:
                results = await self._database.write(all_of_it)
            except Exception as error:  # noqa: BLE001 - it is theirs who wait, each of them
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for (_, done), result in zip(batch, results, strict=True):
                    if not done.done():
                        done.set_result(result)
        self._writing = None

    async def forget(self, received: Received) -> None:
        """It was not taken in after all: it may be delivered again."""

        def forget(connection: Connection) -> None:
            connection.execute(
                delete(inbox).where(inbox.c.event_hash == received.hash, inbox.c.receipt == received.receipt)
            )

        await self._database.write(forget)

    async def renew(self, held: Collection[Received], moment: datetime) -> None:
        """A sign of life: these are still being answered."""
        receipts = [received.receipt for received in held]

        def prolong(connection: Connection) -> None:
            connection.execute(update(inbox).where(inbox.c.receipt.in_(receipts)).values(lease_until=moment + LEASE))

        if receipts:
            await self._database.write(prolong)

    async def take_up(self, moment: datetime) -> list[Received]:
        """Events that nobody answers any more, oldest first, now held by whoever calls this.

        One that was begun too often is given up, which the log says, and what it said is emptied.
        """

        def waiting(connection: Connection) -> bool:
            return connection.execute(select(inbox.c.receipt).where(*_left(moment)).limit(1)).first() is not None

        def take(connection: Connection) -> tuple[int, list[Received]]:
            too_often = (*_left(moment), inbox.c.attempts >= MAX_ATTEMPTS)
            given_up = connection.execute(update(inbox).where(*too_often).values(body=None)).rowcount
            rows = connection.execute(
                select(inbox)
                .where(*_left(moment))
                .order_by(inbox.c.received_at)
                .limit(TAKEN_AT_ONCE)
                .with_for_update(skip_locked=True)
            ).all()
            taken = []
            for row in rows:
                received = Received(row.event_hash, row.body, row.received_at, new_id())
                connection.execute(
                    update(inbox)
                    .where(inbox.c.event_hash == row.event_hash)
                    .values(receipt=received.receipt, attempts=row.attempts + 1, lease_until=moment + LEASE)
                )
                taken.append(received)
            return given_up, taken

        # Looked for without the write lock: as a rule there is nothing.
        if not await self._database.read(waiting):
            return []
        given_up, taken = await self._database.write(take)
        if given_up:
            _log.error("gave up events that could not be answered", events=given_up, attempts=MAX_ATTEMPTS)
        return taken


def _left(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return inbox.c.body.is_not(None), inbox.c.lease_until <= moment
