"""The store: read a person's snapshot, apply one message's changes in one transaction, erase a person.

Every promise about keeping is kept here and in `changes`: all or nothing, once, and confirmed only after the commit.
Knows no models and no platforms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, delete, insert, or_, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.changes import Handling, make, new_id
from storage.database import BEGIN, NO_TRANSACTION, READING, open_engine
from storage.errors import BusyError, ConflictError, translated
from storage.records import (
    Applied,
    Change,
    FeedbackKind,
    GiveFeedback,
    IdentityKey,
    MessageChanges,
    MessageId,
    MessageKey,
    PersonId,
    PlaceKey,
    ShownPick,
    ShownSlate,
    ShowSlate,
    SlateId,
    Snapshot,
    TakeBackFeedback,
    Watch,
)
from storage.tables import contexts, feedback, identities, messages, people, slate_picks, slates, watches

__all__ = ["Store", "new_id"]

_Result = TypeVar("_Result")

_WATCH = [watches.c[name] for name in Watch.__dataclass_fields__]


class Store:
    """An open database. `close` it: its connections live in threads. Safe to use from many tasks and processes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(**{BEGIN: READING})
        self._bare = engine.execution_options(**{BEGIN: NO_TRANSACTION})
        # SQLite has one writer at a time and lets the others poll; a queue within the process is fair and quicker.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, where: str | Path, *, create: bool = True) -> Store:
        """The store at an SQLAlchemy URL or in an SQLite file, brought to the newest schema.

        A file that is not there yet is made, for its owner alone, unless `create` is False. Raises StorageError with
        the reason: an unwritable folder, a file that is no database of ours, a database of a newer program.
        """
        return cls(await open_engine(where, create=create))

    async def close(self) -> None:
        """Give the connections back."""
        await self._engine.dispose()

    async def damage(self) -> tuple[str, ...]:
        """What the database's own check finds wrong with its file; empty when it is whole. Reads all of it."""
        found = await self._read(lambda connection: connection.exec_driver_sql("PRAGMA quick_check").scalars().all())
        return () if found == ["ok"] else tuple(str(line) for line in found)

    async def read(self, identity: IdentityKey, place: PlaceKey, message: MessageKey, moment: datetime) -> Snapshot:
        """What is known about a person, as of one moment; of the context only what has not run out at `moment`."""
        return await self._read(lambda connection: _read_snapshot(connection, identity, place, message, moment))

    async def apply(
        self,
        identity: IdentityKey,
        place: PlaceKey,
        message: MessageKey,
        message_id: MessageId,
        changes: Sequence[Change],
        reply: str,
        moment: datetime,
        *,
        expected_version: int | None,
    ) -> Applied:
        """Make all changes of a message and keep its reply, in one transaction; when this returns, they are kept.

        A message handled before changes nothing; its earlier reply comes back. The person is created when new. An
        undated watch counts as told on the day of `moment` in its own time zone. Raises ConflictError when the person's
        version is not `expected_version` or a change names what is not there any more, BusyError when the database is
        in use for too long, and StorageError; each leaves everything as it was.
        """
        for change in changes:
            if isinstance(change, ShowSlate) and change.slate.message_id != message_id:
                raise ValueError("a slate is shown by the message that keeps it")

        def handle(connection: Connection) -> Applied:
            earlier = _earlier_reply(connection, message)
            if earlier is not None:
                return Applied(done=False, earlier_reply=earlier)
            person, version = _next_version(connection, identity, moment, expected_version)
            connection.execute(
                insert(messages).values(
                    message_id=message_id,
                    person_id=person,
                    platform=message.platform,
                    workspace=message.workspace,
                    event_id=message.event_id,
                    reply=reply,
                    handled_at=moment,
                    version=version,
                    undoable=False,
                    in_force=True,
                )
            )
            if make(Handling(connection, person, place, message_id, moment), changes):
                connection.execute(update(messages).where(messages.c.message_id == message_id).values(undoable=True))
            return Applied(done=True)

        return await self._write(handle)

    async def slate(self, slate_id: SlateId) -> tuple[PersonId, ShownSlate] | None:
        """A slate that was shown, and to whom."""
        return await self._read(lambda connection: _read_slate(connection, slates.c.slate_id == slate_id))

    async def message_changes(self, message_id: MessageId) -> MessageChanges | None:
        """What a handled message changed, whose it was and what it was answered; None when it is unknown."""
        return await self._read(lambda connection: _read_changes(connection, message_id))

    async def last_undoable(self, person: PersonId) -> MessageId | None:
        """The person's last message whose changes are in force, not counting undos; so undoing twice goes back two."""
        newest = (
            select(messages.c.message_id)
            .where(messages.c.person_id == person, messages.c.undoable.is_(True), messages.c.in_force.is_(True))
            .order_by(messages.c.version.desc())
            .limit(1)
        )
        found = await self._read(lambda connection: connection.scalar(newest))
        return None if found is None else MessageId(found)

    async def erase(self, identity: IdentityKey) -> None:
        """Remove everything about a person and leave no trace of it in the file; nothing happens for a stranger.

        `secure_delete` alone leaves copies behind where SQLite has split a page, so the file is also rebuilt, and its
        log emptied. Raises BusyError when that could not be finished; erasing again then finishes it.
        """
        erasing = delete(people).where(people.c.person_id == _person_of(identity).scalar_subquery())
        await self._write(lambda connection: connection.execute(erasing))
        await _to_its_end(self._rebuild())

    async def _rebuild(self) -> None:
        async with self._turn, self._bare.connect() as connection:
            await connection.execute(text("VACUUM"))
            busy, _, _ = (await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))).one()
        if busy:
            raise BusyError(detail="others read on, so the write-ahead log could not be emptied")

    async def _read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do some reading in a transaction of its own, which sees one state."""

        async def transaction() -> _Result:
            async with self._reading.connect() as connection:
                return await connection.run_sync(work)

        return await _to_its_end(transaction())

    async def _write(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do some reading and writing in a transaction of its own, and commit it."""

        async def transaction() -> _Result:
            async with self._turn, self._engine.begin() as connection:
                return await connection.run_sync(work)

        return await _to_its_end(transaction())


async def _to_its_end(work: Coroutine[None, None, _Result]) -> _Result:
    """Await some work; when we are cancelled, let it end first.

    A driver's call that is broken off goes on in its thread, and would leave a transaction open on a connection that
    others are given next. Errors of the database become ours.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except SQLAlchemyError as error:
        raise translated(error) from error
    finally:
        if not task.done():
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # retrieved, so that asyncio does not report it: who would hear it has gone


def _person_of(identity: IdentityKey) -> Select[int]:
    return select(identities.c.person_id).where(
        identities.c.platform == identity.platform,
        identities.c.workspace == identity.workspace,
        identities.c.user_id == identity.user,
    )


def _earlier_reply(connection: Connection, message: MessageKey) -> str | None:
    reply: str | None = connection.scalar(
        select(messages.c.reply).where(
            messages.c.platform == message.platform,
            messages.c.workspace == message.workspace,
            messages.c.event_id == message.event_id,
        )
    )
    return reply


def _next_version(
    connection: Connection, identity: IdentityKey, moment: datetime, expected: int | None
) -> tuple[PersonId, int]:
    """The person, made when new, and their version after this message."""
    found = connection.execute(
        select(people.c.person_id, people.c.version).where(people.c.person_id == _person_of(identity).scalar_subquery())
    ).first()
    person, version = (PersonId(new_id()), 0) if found is None else (PersonId(found.person_id), int(found.version))
    if expected is not None and version != expected:
        raise ConflictError(detail=f"the person is at version {version}, not {expected}")
    if found is None:
        connection.execute(insert(people).values(person_id=person, version=1, created_at=moment))
        connection.execute(
            insert(identities).values(
                platform=identity.platform, workspace=identity.workspace, user_id=identity.user, person_id=person
            )
        )
        return person, 1
    # The condition matters where writers do not wait for each other from the start, as they do on SQLite.
    moved = connection.execute(
        update(people).where(people.c.person_id == person, people.c.version == version).values(version=version + 1)
    )
    if moved.rowcount != 1:
        raise ConflictError(detail="the person's version changed meanwhile")
    return person, version + 1


def _read_snapshot(
    connection: Connection, identity: IdentityKey, place: PlaceKey, message: MessageKey, moment: datetime
) -> Snapshot:
    earlier = _earlier_reply(connection, message)
    found = connection.execute(
        select(people.c.person_id, people.c.version).where(people.c.person_id == _person_of(identity).scalar_subquery())
    ).first()
    if found is None:
        return Snapshot(None, 0, (), frozenset(), None, None, earlier)
    history = connection.execute(
        select(*_WATCH)
        .where(watches.c.person_id == found.person_id, watches.c.live.is_(True))
        .order_by(watches.c.sorted_on, watches.c.told_at, watches.c.position, watches.c.watch_id)
    )
    dismissed = connection.scalars(
        select(feedback.c.film_id).where(
            feedback.c.person_id == found.person_id,
            feedback.c.kind == FeedbackKind.DISMISSED,
            feedback.c.live.is_(True),
        )
    )
    context = connection.scalar(
        select(contexts.c.payload).where(_in_place(contexts, found.person_id, place), contexts.c.expires_at > moment)
    )
    shown = _read_slate(connection, _in_place(slates, found.person_id, place))
    return Snapshot(
        person=PersonId(found.person_id),
        version=found.version,
        history=tuple(Watch(*row) for row in history),
        dismissed=frozenset(dismissed),
        context=context,
        last_slate=None if shown is None else shown[1],
        earlier_reply=earlier,
    )


def _in_place(table: Table, person: int, place: PlaceKey) -> ColumnElement[bool]:
    return and_(
        table.c.person_id == person,
        table.c.platform == place.platform,
        table.c.workspace == place.workspace,
        table.c.channel == place.channel,
        table.c.thread == place.thread,
    )


def _read_slate(connection: Connection, which: ColumnElement[bool]) -> tuple[PersonId, ShownSlate] | None:
    """The last shown of those slates, and to whom."""
    found = connection.execute(
        select(slates)
        .join(messages, messages.c.message_id == slates.c.message_id)
        .where(which)
        .order_by(slates.c.shown_at.desc(), messages.c.version.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    picks = connection.execute(
        select(slate_picks.c.rank, slate_picks.c.film_id, slate_picks.c.score, slate_picks.c.reason)
        .where(slate_picks.c.slate_id == found.slate_id)
        .order_by(slate_picks.c.rank)
    )
    return PersonId(found.person_id), ShownSlate(
        slate_id=SlateId(found.slate_id),
        message_id=MessageId(found.message_id),
        bundle=found.bundle,
        request=found.request,
        picks=tuple(ShownPick(*pick) for pick in picks),
        shown_at=found.shown_at,
    )


def _read_changes(connection: Connection, message_id: MessageId) -> MessageChanges | None:
    message = connection.execute(select(messages).where(messages.c.message_id == message_id)).first()
    if message is None:
        return None
    touched = connection.execute(
        select(watches)
        .where(or_(watches.c.version_by == message_id, watches.c.removed_by == message_id))
        .order_by(watches.c.row_id)
    ).all()
    # Of several versions of a watch that one message made, the last is what it said.
    said = {row.watch_id: row for row in touched if row.version_by == message_id}.values()
    opinions = connection.execute(
        select(feedback)
        .where(or_(feedback.c.message_id == message_id, feedback.c.removed_by == message_id))
        .order_by(feedback.c.row_id)
    ).all()
    undid = connection.scalars(
        select(messages.c.message_id).where(messages.c.undone_by == message_id).order_by(messages.c.version)
    )
    return MessageChanges(
        message_id=message_id,
        person=PersonId(message.person_id),
        reply=message.reply,
        undone=not message.in_force,
        logged=tuple(_watch(row) for row in said if row.message_id == message_id),
        rated=tuple(_watch(row) for row in said if row.message_id != message_id),
        removed=tuple(_watch(row) for row in touched if row.removed_by == message_id),
        feedback=tuple(GiveFeedback(row.film_id, row.kind) for row in opinions if row.message_id == message_id),
        feedback_taken_back=tuple(
            TakeBackFeedback(row.film_id, row.kind) for row in opinions if row.removed_by == message_id
        ),
        undid=tuple(MessageId(undone) for undone in undid),
    )


def _watch(row: Row[Any]) -> Watch:
    return Watch(*(row._mapping[column] for column in _WATCH))
