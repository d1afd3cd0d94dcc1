"""What is said about films without watching them: not interested, the watchlist."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, false, func, insert, or_, select, update

from storage.applying.handling import Handling, among, chunks
from storage.changes import GiveFeedback
from storage.reading import opinions_of
from storage.records import FeedbackKind
from storage.tables import feedback, messages


def give(at: Handling, opinions: Sequence[GiveFeedback]) -> bool:
    """Keep some opinions but those that are known; whether any is new."""
    known = {(row.film_id, row.kind) for row in _live(at, {opinion.film_id for opinion in opinions})}
    new = [one for one in dict.fromkeys((given.film_id, given.kind) for given in opinions) if one not in known]
    if new:
        given = {"person_id": at.person, "message_id": at.message_id, "removed_by": None, "live": True}
        at.connection.execute(insert(feedback), [{**given, "film_id": film_id, "kind": kind} for film_id, kind in new])
    return bool(new)


def take_back(at: Handling, film_id: int, kind: FeedbackKind) -> bool:
    """Forget an opinion, whoever of a person's messages gave it; False when there was none.

    A row names one message that took it back. Where that is an earlier one, which was undone but may come into force
    again, this message makes a row of its own to say so.
    """
    there = [row for row in _live(at, [film_id]) if row.kind is kind]
    at.connection.execute(
        update(feedback)
        .where(feedback.c.row_id.in_([row.row_id for row in there]))
        .values(live=False, removed_by=func.coalesce(feedback.c.removed_by, at.message_id))
    )
    for row in there:
        if row.removed_by is not None:
            given = {name: row._mapping[name] for name in ("person_id", "film_id", "kind", "message_id")}
            at.connection.execute(insert(feedback).values(**given, removed_by=at.message_id, live=False))
    return bool(there)


def settle(at: Handling, flipped: Sequence[int]) -> bool:
    """Make live what follows from the messages in force, now that the force of some changed; whether anything is new.

    An opinion is there when the message that gave it is in force and none that took it back is.
    """
    before = opinions_of(at.connection, at.person)
    given: dict[tuple[int, int, FeedbackKind], list[Row[Any]]] = {}
    for row in at.connection.execute(_with_forces(at, flipped)):
        if row.removed_by != row.message_id:  # what a message gave and took back never was there
            given.setdefault((row.message_id, row.film_id, row.kind), []).append(row)
    # Of the rows of an opinion at most the first is live.
    holding = {
        rows[0].row_id
        for rows in given.values()
        if rows[0].given_in_force and not any(row.removed_in_force for row in rows)
    }
    changing = [row for rows in given.values() for row in rows if row.live is not (row.row_id in holding)]
    for live in (False, True):
        for some in chunks([row.row_id for row in changing if row.live is not live]):
            at.connection.execute(update(feedback).where(feedback.c.row_id.in_(some)).values(live=live))
    return before != opinions_of(at.connection, at.person)


def _live(at: Handling, film_ids: Collection[int]) -> Sequence[Row[Any]]:
    return at.connection.execute(
        select(feedback)
        .where(feedback.c.person_id == at.person, among(feedback.c.film_id, film_ids), feedback.c.live.is_(True))
        .order_by(feedback.c.row_id)
    ).all()


def _with_forces(at: Handling, flipped: Sequence[int]) -> Select[Any]:
    """All rows about the films that some messages gave or took back, oldest first, with whether those behind each row
    are in force."""
    touched = select(feedback.c.film_id).where(
        feedback.c.person_id == at.person, or_(feedback.c.message_id.in_(flipped), feedback.c.removed_by.in_(flipped))
    )
    given, removed = messages.alias("given"), messages.alias("removed")
    return (
        select(
            feedback,
            given.c.in_force.label("given_in_force"),
            func.coalesce(removed.c.in_force, false()).label("removed_in_force"),
        )
        .join(given, given.c.message_id == feedback.c.message_id)
        .outerjoin(removed, removed.c.message_id == feedback.c.removed_by)
        .where(feedback.c.person_id == at.person, feedback.c.film_id.in_(touched))
        .order_by(feedback.c.row_id)
    )
