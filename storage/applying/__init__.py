"""One message's changes, inside one transaction.

`make` takes them in their order; `watches`, `undo` and `accounts` hold what each does. Plain functions over a
connection that holds the person's lock; they neither begin nor commit, and know nothing of how that is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import assert_never

from sqlalchemy import and_, delete, insert, or_, select, update

from storage.applying import accounts, undo, watches
from storage.applying.handling import Handling
from storage.changes import (
    AddFilm,
    Change,
    GiveFeedback,
    JoinPerson,
    LeavePerson,
    LogWatch,
    OfferLink,
    RateWatch,
    RemoveWatch,
    SetContext,
    SetPreference,
    ShowSlate,
    TakeBackFeedback,
    UndoMessage,
)
from storage.records import FeedbackKind, ShownSlate
from storage.tables import contexts, feedback, slate_picks, slates

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
    """Make the changes in their order. ConflictError when one names what is not there (any more)."""
    made = Made()
    for is_log, run in groupby(enumerate(changes), lambda numbered: isinstance(numbered[1], LogWatch)):
        if is_log:
            logs = [(position, change) for position, change in run if isinstance(change, LogWatch)]
            new = watches.log(at, logs)
            made |= Made(undoable=new, history=new)
            continue
        for _, change in run:
            made |= _make(at, change)
            if isinstance(change, LeavePerson):
                at = replace(at, person=accounts.leave(at))
    return made


def _make(at: Handling, change: Change) -> Made:
    match change:
        case RemoveWatch():
            watches.remove(at, change.watch_id)
            return Made(undoable=True, history=True)
        case RateWatch():
            new = watches.rate(at, change)
            return Made(undoable=new, history=new)
        case GiveFeedback():
            new = _give_feedback(at, change.film_id, change.kind)
            return Made(undoable=new, history=new)
        case TakeBackFeedback():
            new = _take_back_feedback(at, change.film_id, change.kind)
            return Made(undoable=new, history=new)
        case SetPreference():
            return Made(undoable=accounts.set_preference(at, change))
        case AddFilm():
            accounts.add_film(at, change.film)
        case ShowSlate():
            _keep_slate(at, change.slate)
        case SetContext():
            _set_context(at, change)
        case UndoMessage():
            undo.undo(at, change.message_id)
            return Made(history=True)
        case OfferLink():
            accounts.offer_link(at, change)
        case JoinPerson():
            accounts.join(at, change.code)
            return Made(history=True)
        case LeavePerson():
            return Made(history=True)  # done by `make`, which goes on as the new person
        case LogWatch():
            raise TypeError("watches are logged in runs")
        case _:
            assert_never(change)
    return Made()


def _give_feedback(at: Handling, film_id: int, kind: FeedbackKind) -> bool:
    known = select(feedback.c.row_id).where(
        feedback.c.person_id == at.person,
        feedback.c.film_id == film_id,
        feedback.c.kind == kind,
        feedback.c.live.is_(True),
    )
    if at.connection.execute(known.limit(1)).first() is not None:
        return False
    at.connection.execute(
        insert(feedback).values(
            person_id=at.person, film_id=film_id, kind=kind, message_id=at.message_id, removed_by=None, live=True
        )
    )
    return True


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
