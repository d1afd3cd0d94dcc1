"""What a message can change, and what it did change: plain values, refused with ValueError when they can't be kept.

Knows no SQL and nothing of how changes are made (`applying`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from storage.records import (
    AddedFilm,
    FeedbackKind,
    MessageId,
    PersonId,
    PlaceSettings,
    Precision,
    Preference,
    ShownSlate,
    SlateId,
    Visibility,
    Watch,
    WatchId,
    WatchState,
    check_film,
    check_key,
    check_texts,
)

MAX_RATING = 5.0
MAX_MEMBERS = 11
"""People whom one slate is for at most, the person who asks counted."""
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class LogWatch:
    """Keep a watch, unless it is known already.

    The same film with the same date and precision is one watch (undated ones: told on the same day), unless it is a
    rewatch; what is said anew about it (rating, reaction, state) is then added to the one that is there. A `source_key`
    is one watch of its source for ever, whether it was kept, met one that was there, or was taken out since: an import
    run twice changes nothing. It only fills in what a watch lacks.

    `told_at` and `told_on` (the day it then was, for an undated watch) are for watches that were told before, as an
    export has them; without them it is told now.

    Raises ValueError when date and precision disagree, the rating is not 0 to 5, or something can't be kept.
    """

    film_id: int
    watched_on: date | None = None
    precision: Precision = Precision.UNKNOWN
    state: WatchState = WatchState.FINISHED
    rating: float | None = None
    reaction: str | None = None
    source: str = "told"
    source_key: str | None = None
    told_at: datetime | None = None
    told_on: date | None = None

    def __post_init__(self) -> None:
        if (self.watched_on is None) != (self.precision is Precision.UNKNOWN):
            raise ValueError("a watch has a date exactly when its precision is known")
        if self.told_at is not None and self.told_at.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        check_film(self.film_id)
        _check_rating(self.rating)
        check_texts(self.reaction)
        check_key(self.source, self.source_key)

    def starts_on(self) -> date | None:
        """The first day of the period in which it was watched."""
        return None if self.watched_on is None else self.precision.start(self.watched_on)

    def sorted_on(self, moment: datetime) -> date:
        """The day that places it in a history when it is told at `moment`."""
        return self.starts_on() or self.told_on or (self.told_at or moment).date()

    def known_in(self, history: Iterable[Watch], moment: datetime) -> Watch | None:
        """The watch of a history that this, told at `moment`, would be the same as; None when it would be a new one."""
        if self.state is WatchState.REWATCH:
            return None
        same = (self.film_id, self.precision, self.sorted_on(moment))
        for watch in history:
            if (watch.film_id, watch.precision, watch.sorted_on) == same and watch.state is not WatchState.REWATCH:
                return watch
        return None


@dataclass(frozen=True, slots=True)
class RemoveWatch:
    """Take a watch away."""

    watch_id: WatchId


@dataclass(frozen=True, slots=True)
class RateWatch:
    """Say what one thought of a watch; None leaves what was said before. ValueError as for `LogWatch`."""

    watch_id: WatchId
    rating: float | None = None
    reaction: str | None = None

    def __post_init__(self) -> None:
        _check_rating(self.rating)
        check_texts(self.reaction)


@dataclass(frozen=True, slots=True)
class GiveFeedback:
    """Keep what was said about a film; nothing happens when that is known."""

    film_id: int
    kind: FeedbackKind

    def __post_init__(self) -> None:
        check_film(self.film_id)


@dataclass(frozen=True, slots=True)
class TakeBackFeedback:
    """Forget what was said about a film; nothing happens when nothing was."""

    film_id: int
    kind: FeedbackKind

    def __post_init__(self) -> None:
        check_film(self.film_id)


@dataclass(frozen=True, slots=True)
class SetPreference:
    """Keep a setting; None goes back to what holds without it. ValueError when the setting can't have that value."""

    name: Preference
    value: str | float | bool | None

    def __post_init__(self) -> None:
        value = self.value
        match self.name:
            case _ if value is None:
                fits = True
            case Preference.TIME_ZONE:
                fits = isinstance(value, str) and _is_zone(value)
            case Preference.LOCALE:
                fits = isinstance(value, str) and _LOCALE.fullmatch(value) is not None
            case Preference.ADVENTUROUSNESS:
                fits = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
            case Preference.VISIBILITY:
                fits = value in set(Visibility)
            case Preference.GROUP_OPT_IN:
                fits = isinstance(value, bool)
        if not fits:
            raise ValueError(f"{self.name} can't have that value")


@dataclass(frozen=True, slots=True)
class AddFilm:
    """Keep a film that the catalogue lacks; nothing happens when its id is known."""

    film: AddedFilm


@dataclass(frozen=True, slots=True)
class OfferLink:
    """Let another account join this person by `code` until `expires_at`; an earlier code ends."""

    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class JoinPerson:
    """Become one person with the one who was given `code`: one history, without doubles, and all accounts.

    The code is used up; of it this has what `ids.code_hash` makes of it, so that nothing needs keep the code itself.
    Where both set the same, what was set last counts; but joining widens no consent: only two who both let groups see
    what they watched still do, and answers are private when they were to either.
    """

    code_hash: str


@dataclass(frozen=True, slots=True)
class LeavePerson:
    """Unlink the account that says so: it begins anew, and the history stays with the person's other accounts."""


@dataclass(frozen=True, slots=True)
class ShowSlate:
    """Keep the slate that this message's reply shows."""

    slate: ShownSlate


@dataclass(frozen=True, slots=True)
class Vote:
    """Vote for a film of a slate that this person is a member of, instead of what they voted for before.

    The last member to vote closes the vote. ConflictError when it is closed, or not theirs to vote on.
    """

    slate_id: SlateId
    film_id: int

    def __post_init__(self) -> None:
        check_film(self.film_id)


@dataclass(frozen=True, slots=True)
class TakePart:
    """Become a member of a slate whose films are still to be chosen, or (`is_in`: False) none any more.

    ConflictError when its films are chosen, or it has `MAX_MEMBERS`.
    """

    slate_id: SlateId
    is_in: bool = True


@dataclass(frozen=True, slots=True)
class CloseVote:
    """End the vote on a slate that this person asked for, or the wait for its members; nothing happens when it has
    ended."""

    slate_id: SlateId


@dataclass(frozen=True, slots=True)
class SetPlace:
    """Keep what holds for all in the server or workspace where it is said."""

    settings: PlaceSettings


@dataclass(frozen=True, slots=True)
class SetContext:
    """Keep what the conversation of this person in this place is about, until `expires_at`; None forgets it."""

    payload: Mapping[str, object] | None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.payload is None) != (self.expires_at is None):
            raise ValueError("a context has an expiry, and no context has none")


@dataclass(frozen=True, slots=True)
class UndoMessage:
    """Take back everything that a message of this person changed; undoing that message in turn brings it back."""

    message_id: MessageId


Change = (
    LogWatch
    | RemoveWatch
    | RateWatch
    | GiveFeedback
    | TakeBackFeedback
    | SetPreference
    | AddFilm
    | ShowSlate
    | Vote
    | TakePart
    | CloseVote
    | SetPlace
    | SetContext
    | UndoMessage
    | OfferLink
    | JoinPerson
    | LeavePerson
)


@dataclass(frozen=True, slots=True)
class MessageChanges:
    """What one handled message did, as it did it, and whether that still holds (`undone`)."""

    message_id: MessageId
    person: PersonId
    reply: str
    undone: bool
    logged: tuple[Watch, ...]
    rated: tuple[Watch, ...]
    """Watches known before, with what was newly said about them."""
    removed: tuple[Watch, ...]
    feedback: tuple[GiveFeedback, ...]
    feedback_taken_back: tuple[TakeBackFeedback, ...]
    preferences: tuple[SetPreference, ...]
    undid: tuple[MessageId, ...]
    """The messages that it took back."""


def _check_rating(rating: float | None) -> None:
    if rating is not None and not 0.0 <= rating <= MAX_RATING:
        raise ValueError(f"a rating runs from 0 to 5, not {rating}")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # KeyError: there is no such zone
        return False
    return True
