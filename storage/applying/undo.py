"""A message undone: what holds then follows from which messages are in force, for watches, feedback and settings."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, bindparam, false, func, or_, select, update

from storage.applying import opinions
from storage.applying.handling import Handling, among, chunks
from storage.applying.watches import Version, day_of, said, take_away
from storage.errors import ConflictError
from storage.records import MessageId, WatchState
from storage.tables import messages, preferences, watches


def undo(at: Handling, message_id: MessageId) -> bool:
    """Take back what a message changed; whether the history or the feedback are others then.

    ConflictError when it is unknown or was undone.
    """
    in_force = at.connection.scalar(
        select(messages.c.in_force).where(messages.c.message_id == message_id, messages.c.person_id == at.person)
    )
    if not in_force or message_id == at.message_id:
        raise ConflictError(detail="the message to undo is unknown or was undone")
    at.connection.execute(update(messages).where(messages.c.message_id == message_id).values(undone_by=at.message_id))
    flipped = _put_out_of_force(at, message_id)
    changed = False
    for some in chunks(flipped):
        changed |= _settle_watches(at, some)
        changed |= opinions.settle(at, some)
        _settle_preferences(at, some)
    return changed


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


def _settle_watches(at: Handling, flipped: Sequence[int]) -> bool:
    """Make live what follows from the messages in force; whether anything is new.

    A watch is there when the message that told of it is in force and none that removed it is; its live version is then
    the last whose message is in force, and holds of each thing what was said last. One that comes back while the same
    was logged anew gives way to that: this message removes it.
    """
    touched = select(watches.c.watch_id).where(
        watches.c.person_id == at.person, or_(watches.c.version_by.in_(flipped), watches.c.removed_by.in_(flipped))
    )
    versions: dict[int, list[Version]] = {}
    for row in at.connection.execute(_with_forces(touched)):
        versions.setdefault(row.watch_id, []).append(row)
    if not versions:
        return False
    at.connection.execute(update(watches).where(watches.c.watch_id.in_(touched)).values(live=False))
    days, entries = _there(at, [several[0] for several in versions.values()])
    coming: list[tuple[Version, dict[str, object]]] = []
    giving_way: list[Version] = []
    # What was there all along is not the one to give way.
    for several in sorted(versions.values(), key=lambda several: not any(row.live for row in several)):
        if not several[0].told_in_force or any(row.removed_in_force for row in several):
            continue
        in_force = [row for row in several if row.version_in_force]
        last = in_force[-1]
        day = None if last.state is WatchState.REWATCH else day_of(last)
        entry = None if last.source_key is None else (last.source, last.source_key)
        if (day and day in days) or (entry and entry in entries):
            giving_way.append(last)
        else:
            coming.append((last, {name: value for row in in_force for name, value in said(row).items()}))
            days.add(day)
            entries.add(entry)
    for some in chunks(coming):
        rows = [last.row_id for last, _ in some]
        at.connection.execute(update(watches).where(watches.c.row_id.in_(rows)).values(live=True))
    # What a version holds from before it may have been said by a message that is not in force any more, or is again.
    outdated = [
        {"which": last.row_id, **holds} for last, holds in coming if any(last._mapping[n] != holds[n] for n in holds)
    ]
    if outdated:
        at.connection.execute(update(watches).where(watches.c.row_id == bindparam("which")), outdated)
    take_away(at, [(version, at.message_id) for version in giving_way])
    before = {row.watch_id: row._mapping for several in versions.values() for row in several if row.live}
    after = {last.watch_id: holds for last, holds in coming}
    return before.keys() != after.keys() or any(
        before[watch_id][name] != value for watch_id, holds in after.items() for name, value in holds.items()
    )


def _with_forces(touched: Select[int]) -> Select[int]:
    """All versions of some watches, oldest first, with whether the messages behind them are in force."""
    told, versioned, removed = messages.alias("told"), messages.alias("versioned"), messages.alias("removed")
    return (
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
    )


def _there(at: Handling, coming: Sequence[Version]) -> tuple[set[object], set[object]]:
    """The days (rewatches apart) and the entries of files of live watches that may be the same as those coming."""
    same_film = among(watches.c.film_id, {version.film_id for version in coming})
    same_entry = among(watches.c.source_key, {version.source_key for version in coming} - {None})
    live = at.connection.execute(
        select(
            watches.c.film_id,
            watches.c.precision,
            watches.c.sorted_on,
            watches.c.state,
            watches.c.source,
            watches.c.source_key,
        ).where(watches.c.person_id == at.person, watches.c.live.is_(True), or_(same_film, same_entry))
    ).all()
    days: set[object] = {day_of(row) for row in live if row.state is not WatchState.REWATCH}
    entries: set[object] = {(row.source, row.source_key) for row in live if row.source_key is not None}
    return days, entries


def _settle_preferences(at: Handling, flipped: Sequence[int]) -> None:
    setting = messages.alias("setting")
    in_force = select(setting.c.in_force).where(setting.c.message_id == preferences.c.message_id).scalar_subquery()
    at.connection.execute(
        update(preferences)
        .where(preferences.c.person_id == at.person, preferences.c.message_id.in_(flipped))
        .values(live=in_force)
    )
