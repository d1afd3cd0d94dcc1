"""What the store takes and gives: plain values about people, watches, slates and changes.

Knows no SQL, no models and no platforms. Film ids are plain numbers here; what they mean is the engine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

PersonId = NewType("PersonId", int)
MessageId = NewType("MessageId", int)
SlateId = NewType("SlateId", int)
WatchId = NewType("WatchId", int)

MAX_RATING = 5.0


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """How a platform names a person."""

    platform: str
    workspace: str
    user: str


@dataclass(frozen=True, slots=True)
class PlaceKey:
    """Where something is said; `channel` and `thread` may be empty."""

    platform: str
    workspace: str
    channel: str
    thread: str


@dataclass(frozen=True, slots=True)
class MessageKey:
    """A platform's own id of an event: what is delivered twice carries the same key twice."""

    platform: str
    workspace: str
    event_id: str


class Precision(StrEnum):
    """How exactly it is known when a film was watched."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    UNKNOWN = "unknown"

    def start(self, day: date) -> date:
        """The first day of the period that `day` lies in."""
        if self is Precision.YEAR:
            return day.replace(month=1, day=1)
        return day.replace(day=1) if self is Precision.MONTH else day


class WatchState(StrEnum):
    """How a film was watched."""

    FINISHED = "finished"
    ABANDONED = "abandoned"
    REWATCH = "rewatch"


class FeedbackKind(StrEnum):
    """What was said about a film without watching it."""

    DISMISSED = "dismissed"
    """Not interested."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One watch. `watched_on` is the first day of its period (a month, a year), None when unknown.

    `sorted_on` is the day that places it in a history: `watched_on`, or else the day on which it was told.
    `message_id` is the message that told of it; a later change of its rating keeps that and `told_at`.
    """

    watch_id: WatchId
    film_id: int
    watched_on: date | None
    precision: Precision
    state: WatchState
    rating: float | None
    """0 to 5 stars."""
    reaction: str | None
    source: str
    source_key: str | None
    told_at: datetime
    message_id: MessageId
    sorted_on: date


@dataclass(frozen=True, slots=True)
class ShownPick:
    """One film of a slate as it was shown; `rank` counts from 1, `reason` is JSON."""

    rank: int
    film_id: int
    score: float
    reason: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ShownSlate:
    """A slate as it was shown; `request` is JSON, `bundle` names the model that made it."""

    slate_id: SlateId
    message_id: MessageId
    bundle: str
    request: Mapping[str, object]
    picks: tuple[ShownPick, ...]
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class LogWatch:
    """Keep a watch, unless it is known already.

    The same film with the same date and precision is one watch (undated ones: told on the same day), unless it is a
    rewatch; what is said anew about it (rating, reaction, state) is then added to the one that is there. A `source_key`
    is one watch of its source for ever: an import run twice changes nothing, and only fills in what a watch lacks.

    Raises ValueError when date and precision disagree, the rating is not 0 to 5, or a text can't be kept.
    """

    film_id: int
    watched_on: date | None = None
    precision: Precision = Precision.UNKNOWN
    state: WatchState = WatchState.FINISHED
    rating: float | None = None
    reaction: str | None = None
    source: str = "told"
    source_key: str | None = None

    def __post_init__(self) -> None:
        if (self.watched_on is None) != (self.precision is Precision.UNKNOWN):
            raise ValueError("a watch has a date exactly when its precision is known")
        _check_rating(self.rating)
        for text in (self.reaction, self.source, self.source_key):
            _check_text(text)

    def starts_on(self) -> date | None:
        """The first day of the period in which it was watched."""
        return None if self.watched_on is None else self.precision.start(self.watched_on)


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
        _check_text(self.reaction)


@dataclass(frozen=True, slots=True)
class GiveFeedback:
    """Keep what was said about a film."""

    film_id: int
    kind: FeedbackKind


@dataclass(frozen=True, slots=True)
class TakeBackFeedback:
    """Forget what was said about a film; nothing happens when nothing was."""

    film_id: int
    kind: FeedbackKind


@dataclass(frozen=True, slots=True)
class ShowSlate:
    """Keep the slate that this message's reply shows."""

    slate: ShownSlate


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


Change = LogWatch | RemoveWatch | RateWatch | GiveFeedback | TakeBackFeedback | ShowSlate | SetContext | UndoMessage


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known about a person at one moment, in one place. A stranger has no `person` and version 0."""

    person: PersonId | None
    version: int
    """Counts the messages of the person that were handled; `Store.apply` may insist on it."""
    history: tuple[Watch, ...]
    """Oldest first: by date, then by when they were told; undated ones by the day they were told."""
    dismissed: frozenset[int]
    context: Mapping[str, object] | None
    last_slate: ShownSlate | None
    """The last one shown to the person in this place."""
    earlier_reply: str | None
    """The reply to this very message, when it was handled before."""

    def known(self, change: LogWatch, moment: datetime) -> Watch | None:
        """The watch that `change`, told at `moment`, would be the same as; None when it would be a new one."""
        if change.state is WatchState.REWATCH:
            return None
        same = (change.film_id, change.precision, change.starts_on() or moment.date())
        for watch in self.history:
            if (watch.film_id, watch.precision, watch.sorted_on) == same and watch.state is not WatchState.REWATCH:
                return watch
        return None


@dataclass(frozen=True, slots=True)
class Applied:
    """Whether the changes were made now; if not, the message was handled before and `earlier_reply` was its reply."""

    done: bool
    earlier_reply: str | None = None


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
    undid: tuple[MessageId, ...]
    """The messages that it took back."""


def _check_rating(rating: float | None) -> None:
    if rating is not None and not 0.0 <= rating <= MAX_RATING:
        raise ValueError(f"a rating runs from 0 to 5, not {rating}")


def _check_text(text: str | None) -> None:
    # PostgreSQL keeps no NUL, and half a surrogate pair is no Unicode text in any database.
    if text is not None and ("\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text)):
        raise ValueError("a text holds no NUL and no lone surrogate")
