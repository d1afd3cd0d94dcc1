"""What a person is made of: settings, films of their own, and the accounts that are linked to one person."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, insert, select, update

from storage.applying.handling import Handling
from storage.applying.watches import Version, day_of, revise
from storage.changes import OfferLink, SetPreference
from storage.errors import ConflictError
from storage.ids import code_hash, new_id
from storage.records import AddedFilm, PersonId, WatchState
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
    at.connection.execute(
        insert(preferences).values(
            person_id=at.person, name=change.name, value=change.value, message_id=at.message_id, live=True
        )
    )
    return True


def add_film(at: Handling, film: AddedFilm) -> None:
    """Keep a film of the person's own, unless its id is known."""
    known = at.connection.scalar(select(added_films.c.person_id).where(added_films.c.film_id == film.film_id))
    if known is not None:
        if known != at.person:
            raise ConflictError(detail="the id of the added film belongs to another person's")
        return
    at.connection.execute(
        insert(added_films).values(
            film_id=film.film_id, person_id=at.person, title=film.title, year=film.year, message_id=at.message_id
        )
    )


def offer_link(at: Handling, change: OfferLink) -> None:
    """Keep the hash of a code; an earlier one of the person ends."""
    at.connection.execute(delete(link_codes).where(link_codes.c.person_id == at.person))
    at.connection.execute(
        insert(link_codes).values(person_id=at.person, code_hash=code_hash(change.code), expires_at=change.expires_at)
    )


def join(at: Handling, code: str) -> None:
    """Take over everything of the person who was given the code, without doubles. ConflictError when it is over."""
    other = at.connection.scalar(
        select(link_codes.c.person_id).where(
            link_codes.c.code_hash == code_hash(code), link_codes.c.expires_at > at.moment
        )
    )
    if other is None or other == at.person:
        raise ConflictError(detail="no such code, or one's own")
    both = (at.person, other)
    # Whoever writes for the other person now waits, and then finds them gone.
    versions = at.connection.execute(
        select(people.c.version).where(people.c.person_id.in_(both)).order_by(people.c.person_id).with_for_update()
    ).scalars()
    version = sum(versions)
    _give_way(at, PersonId(other))
    at.connection.execute(delete(contexts).where(contexts.c.person_id.in_(both)))
    at.connection.execute(delete(link_codes).where(link_codes.c.person_id.in_(both)))
    for table in _MOVED_ON_JOINING:
        at.connection.execute(update(table).where(table.c.person_id == other).values(person_id=at.person))
    at.connection.execute(delete(people).where(people.c.person_id == other))
    at.connection.execute(update(people).where(people.c.person_id == at.person).values(version=version))
    _number_messages(at, version)


def leave(at: Handling) -> PersonId:
    """Make the account that says so a person of its own, who has told nothing yet."""
    accounts = at.connection.scalar(
        select(func.count()).select_from(identities).where(identities.c.person_id == at.person)
    )
    if not accounts or accounts < 2:
        raise ConflictError(detail="it is the person's only account")
    alone = PersonId(new_id())
    at.connection.execute(insert(people).values(person_id=alone, version=1, history_version=1, created_at=at.moment))
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


def _give_way(at: Handling, other: PersonId) -> None:
    """Of watches that both have, keep one, with what was said of either."""
    ours, theirs = _live(at, at.person), _live(at, other)
    days = {day_of(row): row for row in ours if row.state is not WatchState.REWATCH}
    entries = {(row.source, row.source_key): row for row in ours if row.source_key is not None}
    doubles = []
    for row in theirs:
        same = days.get(day_of(row)) if row.state is not WatchState.REWATCH else None
        same = same or entries.get((row.source, row.source_key))
        if same is None:
            continue
        doubles.append({"which": row.row_id})
        revise(at, same, _lacking(same, row))
    if doubles:
        at.connection.execute(
            update(watches).where(watches.c.row_id == bindparam("which")).values(live=False, removed_by=at.message_id),
            doubles,
        )


def _live(at: Handling, person: PersonId) -> list[Version]:
    return list(at.connection.execute(select(watches).where(watches.c.person_id == person, watches.c.live.is_(True))))


def _lacking(kept: Version, other: Version) -> dict[str, object]:
    return {name: other._mapping[name] for name in ("rating", "reaction") if kept._mapping[name] is None}


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
