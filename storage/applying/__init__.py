"""One message's changes, inside one transaction.

`make` takes them in their order; `watches`, `opinions`, `undo`, `votes` and `accounts` hold what each does. Plain
functions over a connection that holds the person's lock; they neither begin nor commit, and know nothing of how that is
done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import assert_never

from sqlalchemy import and_, delete, insert, or_

from storage.applying import accounts, opinions, undo, votes, watches
from storage.applying.handling import Handling
from storage.changes import (
    AddFilm,
    Change,
    CloseVote,
    GiveFeedback,
    JoinPerson,
    LeavePerson,
    LogWatch,
    OfferLink,
    RateWatch,
    RemoveWatch,
    SetContext,
    SetPlace,
    SetPreference,
    ShowSlate,
    TakeBackFeedback,
    TakePart,
    UndoMessage,
    Vote,
)
from storage.records import ShownSlate
from storage.tables import contexts, place_settings, slate_members, slate_picks, slates

__all__ = ["Handling", "Made", "make"]


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a message's changes: whether undoing it would do anything, and whether the history or the feedback
    are others now."""

    undoable: bool = False
    history: bool = False

    def __or__(self, other: Made) -> Made:
        return Made(self.undoable or other.undoable, self.history or other.history)


def make(at: Handling, changes: Sequence[Change]) -> Made:
    """Make the changes in their order. ConflictError when one names what is not there (any more).

    ValueError for leaving a person after something was said as that person: the message goes with the account.
    """
    if any(isinstance(change, LeavePerson) for change in changes[1:]):
        raise ValueError("an account leaves a person before anything else is done")
    made, left = Made(), False
    own_ids: dict[int, int] = {}
    # A file is thousands of the same kind in a row, and takes a handful of statements.
    for kind, run in groupby(enumerate(changes), lambda numbered: type(numbered[1])):
        several = [(position, _renamed(change, own_ids)) for position, change in run]
        if kind is LogWatch:
            new = watches.log(at, [(position, log) for position, log in several if isinstance(log, LogWatch)])
            made |= Made(undoable=new, history=new)
        elif kind is GiveFeedback:
            new = opinions.give(at, [change for _, change in several if isinstance(change, GiveFeedback)])
            made |= Made(undoable=new, history=new)
        elif kind is AddFilm:
            own_ids |= accounts.add_films(at, [change.film for _, change in several if isinstance(change, AddFilm)])
        else:
            for _, change in several:
                made |= _make(at, change)
                if isinstance(change, LeavePerson):
                    at = replace(at, person=accounts.leave(at))
                    left = True
    if left and made.history:  # theirs who left; of those who stay it is what it was
        accounts.note_new_history(at)
    return replace(made, history=made.history and not left)


def _renamed(change: Change, own_ids: Mapping[int, int]) -> Change:
    """The same about the film as the person has it, where this message added it and it got another id."""
    if isinstance(change, LogWatch | GiveFeedback | TakeBackFeedback) and change.film_id in own_ids:
        return replace(change, film_id=own_ids[change.film_id])
    return change


def _make(at: Handling, change: Change) -> Made:
    match change:
        case RemoveWatch():
            watches.remove(at, change.watch_id)
            return Made(undoable=True, history=True)
        case RateWatch():
            new = watches.rate(at, change)
            return Made(undoable=new, history=new)
        case TakeBackFeedback():
            new = opinions.take_back(at, change.film_id, change.kind)
            return Made(undoable=new, history=new)
        case SetPreference():
            return Made(undoable=accounts.set_preference(at, change))
        case ShowSlate():
            _keep_slate(at, change.slate)
        case Vote():
            votes.vote(at, change)
        case TakePart():
            votes.take_part(at, change)
        case CloseVote():
            votes.close(at, change.slate_id)
        case SetPlace():
            _set_place(at, change)
        case SetContext():
            _set_context(at, change)
        case UndoMessage():
            return Made(history=undo.undo(at, change.message_id))
        case OfferLink():
            accounts.offer_link(at, change)
        case JoinPerson():
            accounts.join(at, change.code_hash)
            return Made(history=True)
        case LeavePerson():
            pass  # done by `make`, which goes on as the new person
        case LogWatch() | GiveFeedback() | AddFilm():
            raise TypeError("these are made in runs")
        case _:
            assert_never(change)
    return Made()


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
            open_to_votes=slate.open_to_votes,
        )
    )
    if slate.members or slate.open_to_votes:
        members = [{"slate_id": slate.slate_id, "person_id": person} for person in votes.there(at, slate.members)]
        at.connection.execute(insert(slate_members), members)
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


def _set_place(at: Handling, change: SetPlace) -> None:
    here = {"platform": at.place.platform, "workspace": at.place.workspace}
    at.connection.execute(
        delete(place_settings).where(*(place_settings.c[name] == value for name, value in here.items()))
    )
    settings = change.settings
    if settings.channels or settings.adventurousness is not None:
        at.connection.execute(
            insert(place_settings).values(
                **here, channels=dict(settings.channels), adventurousness=settings.adventurousness
            )
        )


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
