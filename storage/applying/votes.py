"""Who a slate for several people is for, and their votes on it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, exists, insert, select, update

from storage.applying.handling import Handling, among
from storage.changes import MAX_MEMBERS, TakePart, Vote
from storage.errors import ConflictError
from storage.records import PersonId, SlateId
from storage.tables import people, slate_members, slate_picks, slates


def there(at: Handling, members: Sequence[PersonId]) -> list[PersonId]:
    """Those of some people who are still known, and the person who asks: one may be erased at this very moment."""
    found = at.connection.scalars(select(people.c.person_id).where(among(people.c.person_id, members)))
    known = {*found, at.person}
    return [person for person in dict.fromkeys((at.person, *members)) if person in known]


def vote(at: Handling, change: Vote) -> None:
    """Keep a vote; the last one to vote closes it."""
    # Locked, so that of two who vote last at the same moment one sees the other's vote.
    still_open = at.connection.scalar(
        select(slates.c.open_to_votes).where(slates.c.slate_id == change.slate_id).with_for_update()
    )
    mine = (slate_members.c.slate_id == change.slate_id, slate_members.c.person_id == at.person)
    member = at.connection.scalar(select(exists().where(*mine)))
    on_it = exists().where(slate_picks.c.slate_id == change.slate_id, slate_picks.c.film_id == change.film_id)
    if not still_open or not member or not at.connection.scalar(select(on_it)):
        raise ConflictError(detail="the vote is over, or not theirs")
    at.connection.execute(update(slate_members).where(*mine).values(vote=change.film_id))
    missing = exists().where(slate_members.c.slate_id == change.slate_id, slate_members.c.vote.is_(None))
    if not at.connection.scalar(select(missing)):
        at.connection.execute(update(slates).where(slates.c.slate_id == change.slate_id).values(open_to_votes=False))


def take_part(at: Handling, change: TakePart) -> None:
    """Add the person to those whom a slate will be for, or take them away, as long as it has no films."""
    this = slate_members.c.slate_id == change.slate_id
    # Locked, so that nobody joins while its films are chosen, nor two in the last place.
    waiting = at.connection.scalar(
        select(slates.c.open_to_votes).where(slates.c.slate_id == change.slate_id).with_for_update()
    )
    chosen = at.connection.scalar(select(exists().where(slate_picks.c.slate_id == change.slate_id)))
    members = set(at.connection.scalars(select(slate_members.c.person_id).where(this)))
    if not waiting or chosen or (change.is_in and len(members) >= MAX_MEMBERS and at.person not in members):
        raise ConflictError(detail="nobody joins any more")
    if not change.is_in:
        at.connection.execute(delete(slate_members).where(this, slate_members.c.person_id == at.person))
    elif at.person not in members:
        at.connection.execute(insert(slate_members).values(slate_id=change.slate_id, person_id=at.person))


def close(at: Handling, slate_id: SlateId) -> None:
    """End the vote on a slate of the person's, or the wait for its members."""
    theirs = (slates.c.slate_id == slate_id, slates.c.person_id == at.person, slates.c.open_to_votes.is_(True))
    at.connection.execute(update(slates).where(*theirs).values(open_to_votes=False))
