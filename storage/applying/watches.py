"""Watches logged, rated and removed. A file of thousands takes a handful of statements, as one watch does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from enum import IntFlag
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from storage.applying.handling import Handling, among, chunks
from storage.changes import LogWatch, RateWatch
from storage.errors import ConflictError
from storage.ids import new_id
from storage.records import OWN_ENTRY, Precision, WatchId, WatchState
from storage.tables import imports, messages, watches

Version = Row[Any]
"""A row of `watches`."""

Day = tuple[int, Precision, date]
"""Film, precision and day: what makes two watches, neither a rewatch, one."""

_Entry = tuple[str, str]
"""Source and key of an import's entry."""

_KEPT = [column.name for column in watches.c if column is not watches.c.row_id]
"""What a version is made of."""


class Says(IntFlag):
    """What a version of a watch says by itself; the rest of it is from before."""

    STATE = 1
    RATING = 2
    REACTION = 4


_SAID = {flag: str(flag.name).lower() for flag in Says}


class Revisions:
    """New watches and new versions of watches, written together."""

    def __init__(self, at: Handling) -> None:
        self._connection = at.connection
        self._new: list[dict[str, Any]] = []
        self._superseded: list[int] = []

    def add(self, first: dict[str, Any]) -> None:
        """A new watch, by its first version."""
        self._new.append(first)

    def revise(self, live: dict[str, Any], said: Mapping[str, object], by: int) -> dict[str, Any]:
        """The version that is live when a message said that (None: nothing) of a watch."""
        newly = {name: value for name, value in said.items() if value is not None and value != live[name]}
        if not newly:
            return live
        if "row_id" in live:
            self._superseded.append(live["row_id"])
        elif live["version_by"] == by:
            live.update(newly, says=live["says"] | _flags(newly))
            return live
        else:
            live["live"] = False
        new = {**revised(live, by), **newly, "says": _flags(newly), "live": True}
        self._new.append(new)
        return new

    def write(self) -> bool:
        """Write them; whether there was any."""
        for some in chunks(self._superseded):
            self._connection.execute(update(watches).where(watches.c.row_id.in_(some)).values(live=False))
        if self._new:
            self._connection.execute(insert(watches), self._new)
        return bool(self._new)


def log(at: Handling, changes: Sequence[tuple[int, LogWatch]]) -> bool:
    """Keep some watches, each with its place in the message; whether anything is new."""
    taken = _entries_taken(at, [entry for _, change in changes if (entry := _entry(change))])
    known: dict[Day, dict[str, Any]] = {
        day_of(version): dict(version._mapping) for version in _live(at, {change.film_id for _, change in changes})
    }
    revisions = Revisions(at)
    entries: list[_Entry] = []
    for position, change in changes:
        entry = _entry(change)
        if entry is not None:
            if entry in taken:
                continue
            taken.add(entry)
            entries.append(entry)
        day = (change.film_id, change.precision, change.sorted_on(at.moment))
        there = None if change.state is WatchState.REWATCH else known.get(day)
        if there is None:
            version = _first_version(at, change, position)
            revisions.add(version)
            if change.state is not WatchState.REWATCH:
                known[day] = version
        else:
            known[day] = revisions.revise(there, _said(there, change), at.message_id)
    new = revisions.write()
    if entries:
        whose = {"person_id": at.person, "message_id": at.message_id}
        at.connection.execute(
            insert(imports), [{**whose, "source": source, "source_key": key} for source, key in entries]
        )
    return new


def rate(at: Handling, change: RateWatch) -> bool:
    """Add a version of a watch with what was said; False when that is what it says already."""
    revisions = Revisions(at)
    version = dict(_live_version(at, change.watch_id)._mapping)
    revisions.revise(version, {"rating": change.rating, "reaction": change.reaction}, at.message_id)
    return revisions.write()


def remove(at: Handling, watch_id: WatchId) -> None:
    """Take a watch away."""
    take_away(at, [(_live_version(at, watch_id), at.message_id)])


def take_away(at: Handling, removals: Sequence[tuple[Version, int]]) -> None:
    """Have messages remove watches, each given by the version that is live or would be.

    A version names one message that removed its watch. Where that is an earlier one, which was undone but may come into
    force again, the next that removes it makes a version of its own to say so.
    """
    if not removals:
        return
    this = update(watches).where(watches.c.row_id == bindparam("which"))
    by = func.coalesce(watches.c.removed_by, bindparam("by"))
    at.connection.execute(
        this.values(live=False, removed_by=by), [{"which": version.row_id, "by": by} for version, by in removals]
    )
    again = [
        {**revised(dict(version._mapping), by), "removed_by": by, "live": False}
        for version, by in removals
        if version.removed_by not in (None, by)
    ]
    if again:
        at.connection.execute(insert(watches), again)


def revised(version: Mapping[str, Any], by: int) -> dict[str, Any]:
    """A version like another, made by a message; nobody has removed it yet."""
    # Which message removed the watch before, and was undone, is what the former version says.
    return {name: version[name] for name in _KEPT} | {"version_by": by, "removed_by": None, "says": 0}


def said(version: Version) -> dict[str, object]:
    """What a version says by itself."""
    return {name: version._mapping[name] for flag, name in _SAID.items() if version.says & flag}


def _flags(said: Mapping[str, object]) -> int:
    return int(sum(flag for flag, name in _SAID.items() if name in said))


def day_of(version: Row[*tuple[Any, ...]]) -> Day:
    """What a version shares with every other that is the same watch."""
    return (version.film_id, version.precision, version.sorted_on)


def _entry(change: LogWatch) -> _Entry | None:
    return None if change.source_key is None else (change.source, change.source_key)


def _entries_taken(at: Handling, entries: Iterable[_Entry]) -> set[_Entry]:
    """Those that were taken in by a message that was not undone, whatever became of the watch since."""
    keys: dict[str, list[str]] = {}
    for source, key in entries:
        keys.setdefault(source, []).append(key)
    taken: set[_Entry] = set()
    for source, several in keys.items():
        found = at.connection.scalars(
            select(imports.c.source_key)
            .join(messages, messages.c.message_id == imports.c.message_id)
            .where(
                imports.c.person_id == at.person,
                imports.c.source == source,
                among(imports.c.source_key, several),
                messages.c.in_force.is_(True),
            )
        )
        taken |= {(source, key) for key in {*found, *_own_entries(at, several)}}
    return taken


def _own_entries(at: Handling, keys: Sequence[str]) -> set[str]:
    """Those keys that an export gave to watches of this very person."""
    numbers = {key: int(found[1]) for key in keys if (found := OWN_ENTRY.fullmatch(key)) and int(found[1]) < 2**63}
    if not numbers:
        return set()
    there = set(
        at.connection.scalars(
            select(watches.c.watch_id)
            .join(messages, messages.c.message_id == watches.c.message_id)
            .where(
                watches.c.person_id == at.person,
                among(watches.c.watch_id, set(numbers.values())),
                messages.c.in_force.is_(True),
            )
        )
    )
    return {key for key, number in numbers.items() if number in there}


def _live(at: Handling, film_ids: Collection[int]) -> Iterable[Version]:
    """The live watches of some films, rewatches apart."""
    return at.connection.execute(
        select(watches).where(
            watches.c.person_id == at.person,
            among(watches.c.film_id, film_ids),
            watches.c.live.is_(True),
            watches.c.state != WatchState.REWATCH,
        )
    )


def _live_version(at: Handling, watch_id: WatchId) -> Version:
    found = at.connection.execute(
        select(watches).where(
            watches.c.watch_id == watch_id, watches.c.person_id == at.person, watches.c.live.is_(True)
        )
    ).first()
    if found is None:
        raise ConflictError(detail="the watch is not there")
    return found


def _first_version(at: Handling, change: LogWatch, position: int) -> dict[str, Any]:
    return {
        "watch_id": new_id(),
        "person_id": at.person,
        "film_id": change.film_id,
        "watched_on": change.starts_on(),
        "precision": change.precision,
        "sorted_on": change.sorted_on(at.moment),
        "told_at": change.told_at or at.moment,
        "position": position,
        "state": change.state,
        "rating": change.rating,
        "reaction": change.reaction,
        "source": change.source,
        "source_key": change.source_key,
        "message_id": at.message_id,
        "version_by": at.message_id,
        "says": int(~Says(0)),
        "removed_by": None,
        "live": True,
    }


def _said(there: Mapping[str, object], change: LogWatch) -> dict[str, object]:
    """What a watch that is told again adds; what a person said counts for more than what a file says."""
    said: dict[str, object] = {"rating": change.rating, "reaction": change.reaction}
    if change.source_key is None:
        return {**said, "state": change.state}
    return {name: value for name, value in said.items() if there[name] is None}
