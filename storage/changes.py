"""One message's changes, inside one transaction: watches, feedback, slates, context and undo.

Plain functions over a connection that holds the write lock; they neither begin nor commit. Knows nothing of how a
transaction is begun or retried (`store`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, assert_never

from sqlalchemy import Connection, Row, Select, and_, delete, false, func, insert, not_, or_, select, update

from storage.errors import ConflictError
from storage.records import (
    Change,
    FeedbackKind,
    GiveFeedback,
    LogWatch,
    MessageId,
    PersonId,
    PlaceKey,
    Precision,
    RateWatch,
    RemoveWatch,
    SetContext,
    ShownSlate,
    ShowSlate,
    TakeBackFeedback,
    UndoMessage,
    WatchId,
    WatchState,
)
from storage.tables import contexts, feedback, messages, slate_picks, slates, watches

_Version = Row[Any]
"""A row of `watches`."""


def new_id() -> int:
    """A random id of 62 bits: it fits every database's BIGINT and, in decimal, a button."""
    return secrets.randbits(62)


@dataclass(frozen=True, slots=True)
class Handling:
    """The message whose changes are made: whose, where, when, and the transaction they are made in."""

    connection: Connection
    person: PersonId
    place: PlaceKey
    message_id: MessageId
    moment: datetime


def make(at: Handling, changes: Iterable[Change]) -> bool:
    """Make the changes in their order; whether any of them can be undone by undoing the message.

    Raises ConflictError when a change names what is not there (any more).
    """
    undoable = False
    for position, change in enumerate(changes):
        match change:
            case LogWatch():
                undoable |= _log(at, change, position)
            case RemoveWatch():
                _remove(at, change.watch_id)
                undoable = True
            case RateWatch():
                watch = _live_version(at, change.watch_id)
                undoable |= _revise(at, watch, {"rating": change.rating, "reaction": change.reaction})
            case GiveFeedback():
                _give_feedback(at, change.film_id, change.kind)
                undoable = True
            case TakeBackFeedback():
                undoable |= _take_back_feedback(at, change.film_id, change.kind)
            case ShowSlate():
                _keep_slate(at, change.slate)
            case SetContext():
                _set_context(at, change)
            case UndoMessage():
                _undo(at, change.message_id)
            case _:
                assert_never(change)
    return undoable


def _log(at: Handling, change: LogWatch, position: int) -> bool:
    if change.source_key is not None and _was_imported(at, change.source, change.source_key):
        return False
    day = change.starts_on() or at.moment.date()
    known = None
    if change.state is not WatchState.REWATCH:
        known = _same_day(at, change.film_id, change.precision, day)
    if known is not None:
        said = {"rating": change.rating, "reaction": change.reaction}
        if change.source_key is not None:
            # What a person said counts for more than what a file says.
            return _revise(at, known, {name: value for name, value in said.items() if known._mapping[name] is None})
        return _revise(at, known, {**said, "state": change.state})
    at.connection.execute(
        insert(watches).values(
            watch_id=new_id(),
            person_id=at.person,
            film_id=change.film_id,
            watched_on=change.starts_on(),
            precision=change.precision,
            sorted_on=day,
            told_at=at.moment,
            position=position,
            state=change.state,
            rating=change.rating,
            reaction=change.reaction,
            source=change.source,
            source_key=change.source_key,
            message_id=at.message_id,
            version_by=at.message_id,
            removed_by=None,
            live=True,
        )
    )
    return True


def _was_imported(at: Handling, source: str, source_key: str) -> bool:
    """Whether that entry of that source was logged, by an import that was not undone; removing it does not count."""
    return _exists(
        at,
        select(watches.c.row_id)
        .join(messages, messages.c.message_id == watches.c.message_id)
        .where(
            watches.c.person_id == at.person,
            watches.c.source == source,
            watches.c.source_key == source_key,
            messages.c.in_force.is_(True),
        ),
    )


def _same_day(at: Handling, film_id: int, precision: Precision, day: date) -> _Version | None:
    """The live watch of a film, no rewatch, with that date and precision."""
    return at.connection.execute(
        select(watches).where(
            watches.c.person_id == at.person,
            watches.c.film_id == film_id,
            watches.c.precision == precision,
            watches.c.sorted_on == day,
            watches.c.live.is_(True),
            watches.c.state != WatchState.REWATCH,
        )
    ).first()


def _live_version(at: Handling, watch_id: WatchId) -> _Version:
    found = at.connection.execute(
        select(watches).where(
            watches.c.watch_id == watch_id, watches.c.person_id == at.person, watches.c.live.is_(True)
        )
    ).first()
    if found is None:
        raise ConflictError(detail="the watch is not there")
    return found


def _revise(at: Handling, version: _Version, said: Mapping[str, object]) -> bool:
    """Add a version of a watch with what was said (None: nothing); False when that is what it says already."""
    old = version._mapping
    new = {name: value for name, value in said.items() if value is not None and value != old[name]}
    if not new:
        return False
    at.connection.execute(update(watches).where(watches.c.row_id == version.row_id).values(live=False))
    kept = {name: value for name, value in old.items() if name != "row_id"}
    at.connection.execute(insert(watches).values({**kept, **new, "version_by": at.message_id}))
    return True


def _remove(at: Handling, watch_id: WatchId) -> None:
    version = _live_version(at, watch_id)
    at.connection.execute(
        update(watches).where(watches.c.row_id == version.row_id).values(live=False, removed_by=at.message_id)
    )


def _give_feedback(at: Handling, film_id: int, kind: FeedbackKind) -> None:
    at.connection.execute(
        insert(feedback).values(
            person_id=at.person, film_id=film_id, kind=kind, message_id=at.message_id, removed_by=None, live=True
        )
    )


def _take_back_feedback(at: Handling, film_id: int, kind: FeedbackKind) -> bool:
    taken = at.connection.execute(
        update(feedback)
        .where(
            feedback.c.person_id == at.person,
            feedback.c.film_id == film_id,
            feedback.c.kind == kind,
            feedback.c.live.is_(True),
        )
        .values(live=False, removed_by=at.message_id)
    )
    return taken.rowcount > 0


def _keep_slate(at: Handling, slate: ShownSlate) -> None:
    at.connection.execute(
        insert(slates).values(
            slate_id=slate.slate_id,
            person_id=at.person,
            message_id=slate.message_id,
            platform=at.place.platform,
            workspace=at.place.workspace,
            channel=at.place.channel,
            thread=at.place.thread,
            bundle=slate.bundle,
            request=dict(slate.request),
            shown_at=slate.shown_at,
        )
    )
    picks = [
        {
            "slate_id": slate.slate_id,
            "rank": pick.rank,
            "film_id": pick.film_id,
            "score": pick.score,
            "reason": dict(pick.reason),
        }
        for pick in slate.picks
    ]
    if picks:
        at.connection.execute(insert(slate_picks), picks)


def _set_context(at: Handling, change: SetContext) -> None:
    place = {
        "platform": at.place.platform,
        "workspace": at.place.workspace,
        "channel": at.place.channel,
        "thread": at.place.thread,
    }
    here = and_(*(contexts.c[name] == value for name, value in place.items()))
    at.connection.execute(
        # Those of other places that have run out go with it: nobody will ask for them.
        delete(contexts).where(contexts.c.person_id == at.person, or_(here, contexts.c.expires_at <= at.moment))
    )
    if change.payload is not None:
        at.connection.execute(
            insert(contexts).values(
                person_id=at.person, **place, payload=dict(change.payload), expires_at=change.expires_at
            )
        )


def _undo(at: Handling, message_id: MessageId) -> None:
    in_force = at.connection.scalar(
        select(messages.c.in_force).where(messages.c.message_id == message_id, messages.c.person_id == at.person)
    )
    if not in_force or message_id == at.message_id:
        raise ConflictError(detail="the message to undo is unknown or was undone")
    at.connection.execute(update(messages).where(messages.c.message_id == message_id).values(undone_by=at.message_id))
    flipped = _put_out_of_force(at, message_id)
    _settle_watches(at, flipped)
    _settle_feedback(at, flipped)


def _put_out_of_force(at: Handling, message_id: MessageId) -> list[int]:
    """Every message whose force changes: the one undone, those that it had undone (again in force), and so on."""
    changed: list[int] = []
    waiting = [(int(message_id), False)]
    while waiting:
        current, in_force = waiting.pop()
        changed.append(current)
        at.connection.execute(update(messages).where(messages.c.message_id == current).values(in_force=in_force))
        undone = at.connection.scalars(select(messages.c.message_id).where(messages.c.undone_by == current))
        waiting += [(target, not in_force) for target in undone]
    return changed


def _settle_watches(at: Handling, flipped: list[int]) -> None:
    """Make live what follows from the messages in force.

    A watch is there when the message that told of it is in force and the one that removed it is not; its live version
    is then the last whose message is in force. One that comes back while the same was logged anew gives way to that:
    this message removes it.
    """
    told, versioned, removed = messages.alias("told"), messages.alias("versioned"), messages.alias("removed")
    touched = (
        select(watches.c.watch_id)
        .where(watches.c.person_id == at.person)
        .where(or_(watches.c.version_by.in_(flipped), watches.c.removed_by.in_(flipped)))
    )
    rows = at.connection.execute(
        select(
            watches,
            told.c.in_force.label("told_in_force"),
            versioned.c.in_force.label("version_in_force"),
            func.coalesce(removed.c.in_force, false()).label("removed_in_force"),
        )
        .join(told, told.c.message_id == watches.c.message_id)
        .join(versioned, versioned.c.message_id == watches.c.version_by)
        .outerjoin(removed, removed.c.message_id == watches.c.removed_by)
        .where(watches.c.watch_id.in_(touched))
        .order_by(watches.c.row_id)
    ).all()
    at.connection.execute(
        update(watches).where(watches.c.row_id.in_([row.row_id for row in rows if row.live])).values(live=False)
    )
    versions: dict[int, list[_Version]] = {}
    for row in rows:
        versions.setdefault(row.watch_id, []).append(row)
    # What was there all along is not the one to give way.
    for several in sorted(versions.values(), key=lambda several: not any(row.live for row in several)):
        if not several[0].told_in_force or any(row.removed_in_force for row in several):
            continue
        last = [row for row in several if row.version_in_force][-1]
        at.connection.execute(
            update(watches)
            .where(watches.c.row_id == last.row_id)
            .values({"removed_by": at.message_id} if _is_there_anew(at, last) else {"live": True})
        )


def _is_there_anew(at: Handling, version: _Version) -> bool:
    """Whether another live watch is the same by its day or by its source's key."""
    if version.state is not WatchState.REWATCH and _same_day(at, version.film_id, version.precision, version.sorted_on):
        return True
    if version.source_key is None:
        return False
    return _exists(
        at,
        select(watches.c.row_id).where(
            watches.c.person_id == at.person,
            watches.c.source == version.source,
            watches.c.source_key == version.source_key,
            watches.c.live.is_(True),
        ),
    )


def _exists(at: Handling, rows: Select[int]) -> bool:
    return at.connection.execute(rows.limit(1)).first() is not None


def _settle_feedback(at: Handling, flipped: list[int]) -> None:
    given, removed = messages.alias("given"), messages.alias("removed")
    still_given = select(given.c.in_force).where(given.c.message_id == feedback.c.message_id).scalar_subquery()
    taken_back = select(removed.c.in_force).where(removed.c.message_id == feedback.c.removed_by).scalar_subquery()
    at.connection.execute(
        update(feedback)
        .where(feedback.c.person_id == at.person)
        .where(or_(feedback.c.message_id.in_(flipped), feedback.c.removed_by.in_(flipped)))
        .values(live=and_(still_given, not_(func.coalesce(taken_back, false()))))
    )
