"""What a person is made of: settings, films of their own, and the accounts that are linked to one person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from storage.applying.handling import Handling, chunks
from storage.applying.watches import Day, Revisions, Version, day_of, said, take_away
from storage.changes import OfferLink, SetPreference
from storage.errors import ConflictError
from storage.ids import code_hash, new_film_id, new_id, other_film_ids
from storage.reading import preferences_of
from storage.records import OWN_ENTRY, AddedFilm, PersonId, Preference, Preferences, Visibility, WatchState
from storage.tables import (
    added_films,
    contexts,
    feedback,
    identities,
    imports,
    link_codes,
    messages,
    people,
    preferences,
    slate_members,
    slates,
    watches,
)

_MOVED_ON_JOINING = (messages, watches, imports, feedback, preferences, added_films, slates, identities)
"""Every table of a person's but those that end with joining: contexts and codes."""


def set_preference(at: Handling, change: SetPreference) -> bool:
    """Keep a setting; False when that is what holds."""
    held = at.connection.execute(
        select(preferences.c.value)
        .where(preferences.c.person_id == at.person, preferences.c.name == change.name, preferences.c.live.is_(True))
        .order_by(preferences.c.row_id.desc())
        .limit(1)
    ).first()
    if (held.value if held else None) == change.value:
        return False
    _keep_preference(at, change)
    return True


def _keep_preference(at: Handling, change: SetPreference) -> None:
    at.connection.execute(
        insert(preferences).values(
            person_id=at.person, name=change.name, value=change.value, message_id=at.message_id, live=True
        )
    )


def add_films(at: Handling, films: Sequence[AddedFilm]) -> dict[int, int]:
    """Keep films of the person's own, unless they are known; the id that each has.

    That is another one where the film's is somebody else's, whose export was imported: always the same one, so that an
    import run twice adds nothing.
    """
    mine = _own(at)
    ids = {film.film_id: film.film_id for film in films}
    for film_id in ids:
        ids[film_id] = next((one for one in (film_id, *other_film_ids(film_id)) if one in mine), film_id)
    looking = {film_id: other_film_ids(film_id) for film_id, one in ids.items() if one not in mine}
    while taken := _taken(at, {ids[film_id] for film_id in looking}):
        looking = {film_id: others for film_id, others in looking.items() if ids[film_id] in taken}
        for film_id, others in looking.items():
            ids[film_id] = next(others, 0) or new_film_id()
    new = {ids[film.film_id]: film for film in reversed(films) if ids[film.film_id] not in mine}
    if new:
        whose = {"person_id": at.person, "message_id": at.message_id}
        rows = [{**whose, "film_id": one, "title": film.title, "year": film.year} for one, film in new.items()]
        at.connection.execute(insert(added_films), rows)
    # What comes back after its adding was undone is this message's from now on.
    for some in chunks(one for one in ids.values() if not mine.get(one, True)):
        moved = update(added_films).where(added_films.c.film_id.in_(some))
        at.connection.execute(moved.values(message_id=at.message_id))
    return ids


def offer_link(at: Handling, change: OfferLink) -> None:
    """Keep the hash of a code; an earlier one of the person ends, and so do all that are over."""
    over = or_(link_codes.c.person_id == at.person, link_codes.c.expires_at <= at.moment)
    at.connection.execute(delete(link_codes).where(over))
    hashed = code_hash(change.code)
    if _offered_by(at, hashed) is not None:
        raise ConflictError(detail="the code was given to somebody else")
    at.connection.execute(
        insert(link_codes).values(person_id=at.person, code_hash=hashed, expires_at=change.expires_at)
    )


def join(at: Handling, hashed: str) -> None:
    """Take over everything of the person who was given the code of that hash, without doubles.

    ConflictError when the code is over.
    """
    other = _offered_by(at, hashed)
    if other is None or other == at.person:
        raise ConflictError(detail="no such code, or one's own")
    both = (at.person, other)
    # Whoever writes for the other person now waits, and then finds them gone.
    persons = at.connection.execute(
        select(people).where(people.c.person_id.in_(both)).order_by(people.c.person_id).with_for_update()
    ).all()
    # Until they were locked, somebody else may have joined them, or they taken another code.
    if _offered_by(at, hashed) != other:
        raise ConflictError(detail="the code was used or replaced just now")
    version = sum(person.version for person in persons)
    _give_way(at, other)
    more_private = _more_private(preferences_of(at.connection, at.person), preferences_of(at.connection, other))
    at.connection.execute(delete(contexts).where(contexts.c.person_id.in_(both)))
    at.connection.execute(delete(link_codes).where(link_codes.c.person_id.in_(both)))
    _join_members(at, other)
    for table in _MOVED_ON_JOINING:
        at.connection.execute(update(table).where(table.c.person_id == other).values(person_id=at.person))
    at.connection.execute(delete(people).where(people.c.person_id == other))
    at.connection.execute(
        update(people)
        .where(people.c.person_id == at.person)
        .values(version=version, created_at=min(person.created_at for person in persons))
    )
    _number_messages(at, version)
    for setting in more_private:
        _keep_preference(at, setting)


def _join_members(at: Handling, other: PersonId) -> None:
    """Be a member of what the other was a member of; where both were, our vote counts."""
    ours = select(slate_members.c.slate_id).where(slate_members.c.person_id == at.person)
    theirs = slate_members.c.person_id == other
    at.connection.execute(delete(slate_members).where(theirs, slate_members.c.slate_id.in_(ours)))
    at.connection.execute(update(slate_members).where(theirs).values(person_id=at.person))


def _more_private(ours: Preferences, theirs: Preferences) -> list[SetPreference]:
    """The settings in which two differ of whom the more private one holds for both, whoever set theirs last.

    They are set by the message that joins them: undoing what one of them set does not bring the other's back.
    """
    settings: list[SetPreference] = []
    if ours.group_opt_in != theirs.group_opt_in:
        settings.append(SetPreference(Preference.GROUP_OPT_IN, False))
    if (ours.visibility is Visibility.PRIVATE) != (theirs.visibility is Visibility.PRIVATE):
        settings.append(SetPreference(Preference.VISIBILITY, Visibility.PRIVATE))
    return settings


def _offered_by(at: Handling, hashed: str) -> PersonId | None:
    person = at.connection.scalar(
        select(link_codes.c.person_id).where(link_codes.c.code_hash == hashed, link_codes.c.expires_at > at.moment)
    )
    return None if person is None else PersonId(person)


def leave(at: Handling) -> PersonId:
    """Make the account that says so a person of its own, who has told nothing yet."""
    accounts = at.connection.scalar(
        select(func.count()).select_from(identities).where(identities.c.person_id == at.person)
    )
    if not accounts or accounts < 2:
        raise ConflictError(detail="it is the person's only account")
    # Whoever was shown a code of this account's would join the others.
    at.connection.execute(delete(link_codes).where(link_codes.c.person_id == at.person))
    alone = PersonId(new_id())
    at.connection.execute(insert(people).values(person_id=alone, version=1, history_version=0, created_at=at.moment))
    at.connection.execute(
        update(identities)
        .where(
            identities.c.platform == at.identity.platform,
            identities.c.workspace == at.identity.workspace,
            identities.c.user_id == at.identity.user,
        )
        .values(person_id=alone)
    )
    at.connection.execute(
        update(messages).where(messages.c.message_id == at.message_id).values(person_id=alone, version=1)
    )
    return alone


def note_new_history(at: Handling) -> None:
    """Have this message be the one that last changed the history of the person."""
    at.connection.execute(update(people).where(people.c.person_id == at.person).values(history_version=at.message_id))


def _own(at: Handling) -> dict[int, bool]:
    """The films that the person ever added, with whether the message that did so is in force."""
    rows = at.connection.execute(
        select(added_films.c.film_id, messages.c.in_force)
        .join(messages, messages.c.message_id == added_films.c.message_id)
        .where(added_films.c.person_id == at.person)
    )
    return {row.film_id: row.in_force for row in rows}


def _taken(at: Handling, film_ids: Iterable[int]) -> set[int]:
    taken: set[int] = set()
    for some in chunks(film_ids):
        taken |= set(at.connection.scalars(select(added_films.c.film_id).where(added_films.c.film_id.in_(some))))
    return taken


def _give_way(at: Handling, other: PersonId) -> None:
    """Of watches that both have, keep ours, with what was said of either.

    Joining is never undone, so this is laid to the messages that told of them: without that of ours theirs is there
    again, and without theirs what it said of ours is not.
    """
    days: dict[Day, int] = {}
    entries: dict[object, int] = {}
    live: dict[int, dict[str, Any]] = {}
    for row in _live(at, at.person):
        live[row.watch_id] = dict(row._mapping)
        if row.state is not WatchState.REWATCH:
            days[day_of(row)] = row.watch_id
        entries |= dict.fromkeys(_entries(row), row.watch_id)
    revisions = Revisions(at)
    doubles: list[tuple[Version, int]] = []
    for versions in _versions_in_force(at, other):
        (theirs,) = [version for version in versions if version.live]
        same = None if theirs.state is WatchState.REWATCH else days.get(day_of(theirs))
        same = same or next((entries[entry] for entry in _entries(theirs) if entry in entries), None)
        if same is None:
            continue
        doubles.append((theirs, live[same]["message_id"]))
        lacking = [name for name in ("rating", "reaction") if live[same][name] is None]
        for version in versions:
            filling = {name: value for name, value in said(version).items() if name in lacking}
            live[same] = revisions.revise(live[same], filling, version.version_by)
    revisions.write()
    take_away(at, doubles)


def _entries(version: Version) -> list[object]:
    """How files name a watch: by the entry that it came from, and by its own number once it was exported."""
    if version.source_key is None:
        return [version.watch_id]
    exported = OWN_ENTRY.fullmatch(version.source_key)
    return [version.watch_id, int(exported[1]) if exported else (version.source, version.source_key)]


def _live(at: Handling, person: PersonId) -> Iterable[Version]:
    return at.connection.execute(select(watches).where(watches.c.person_id == person, watches.c.live.is_(True)))


def _versions_in_force(at: Handling, person: PersonId) -> Iterable[list[Version]]:
    """Of each watch of a person its versions that are in force, oldest first; the last one is live."""
    there = select(watches.c.watch_id).where(watches.c.person_id == person, watches.c.live.is_(True))
    found = at.connection.execute(
        select(watches)
        .join(messages, messages.c.message_id == watches.c.version_by)
        .where(watches.c.watch_id.in_(there), messages.c.in_force.is_(True))
        .order_by(watches.c.row_id)
    )
    versions: dict[int, list[Version]] = {}
    for version in found:
        versions.setdefault(version.watch_id, []).append(version)
    return versions.values()


def _number_messages(at: Handling, last: int) -> None:
    """Number the messages of both persons by when they were said, this one last, so that undoing goes back in time."""
    in_order = at.connection.scalars(
        select(messages.c.message_id)
        .where(messages.c.person_id == at.person, messages.c.message_id != at.message_id)
        .order_by(messages.c.handled_at, messages.c.version)
    ).all()
    numbered = [{"which": message_id, "number": number} for number, message_id in enumerate(in_order, 1)]
    numbered.append({"which": at.message_id, "number": last})
    at.connection.execute(
        update(messages).where(messages.c.message_id == bindparam("which")).values(version=bindparam("number")),
        numbered,
    )
