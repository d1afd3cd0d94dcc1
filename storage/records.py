"""What the store gives: plain values about people, watches and slates; what it takes is in `changes`.

Knows no SQL, no models and no platforms. Film ids are plain numbers here; what they mean is the engine's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

PersonId = NewType("PersonId", int)
MessageId = NewType("MessageId", int)
SlateId = NewType("SlateId", int)
WatchId = NewType("WatchId", int)

FIRST_ADDED_FILM = 1_000_000_000
"""Films that people add have ids from here on; a catalogue's are below."""
OWN_ENTRY = re.compile(r"nextreel:(\d{1,19})")
"""The `source_key` that an export gives a watch that was told: the number is its id."""
MAX_KEY_BYTES = 2400
"""Bytes, in UTF-8, of all texts of a key: an index of PostgreSQL takes 2,704, with what else is in it."""
MAX_CHANNELS = 100
"""Channels that are set for one server."""
MAX_TITLE = 300
"""Characters of an added film's title."""


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """How a platform names a person. ValueError for a text that can't be kept."""

    platform: str
    workspace: str
    user: str

    def __post_init__(self) -> None:
        check_key(self.platform, self.workspace, self.user)


@dataclass(frozen=True, slots=True)
class PlaceKey:
    """Where something is said; `channel` and `thread` may be empty. ValueError for a text that can't be kept."""

    platform: str
    workspace: str
    channel: str
    thread: str

    def __post_init__(self) -> None:
        check_key(self.platform, self.workspace, self.channel, self.thread)


@dataclass(frozen=True, slots=True)
class MessageKey:
    """A platform's own id of an event: what is delivered twice carries the same key twice. ValueError for a text that
    can't be kept."""

    platform: str
    workspace: str
    event_id: str

    def __post_init__(self) -> None:
        check_key(self.platform, self.workspace, self.event_id)


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
    WANTED = "wanted"
    """On the watchlist."""


class Visibility(StrEnum):
    """Who sees the bot's answers where others are present."""

    PRIVATE = "private"
    PUBLIC = "public"


class Preference(StrEnum):
    """A setting of a person's own."""

    TIME_ZONE = "time_zone"
    LOCALE = "locale"
    ADVENTUROUSNESS = "adventurousness"
    VISIBILITY = "visibility"
    GROUP_OPT_IN = "group_opt_in"


@dataclass(frozen=True, slots=True)
class Preferences:
    """A person's settings; None where they said nothing and the platform's or the server's hold."""

    time_zone: str | None = None
    """IANA name."""
    locale: str | None = None
    """As BCP 47 has it: en, de-AT."""
    adventurousness: float | None = None
    """0 prefers well-known films, 1 those under the radar."""
    visibility: Visibility | None = None
    group_opt_in: bool = False
    """Whether their history may be used when others ask for a group."""


@dataclass(frozen=True, slots=True)
class AddedFilm:
    """A film that the catalogue lacks. ValueError for an id of the catalogue's and for a title that can't be kept."""

    film_id: int
    title: str
    year: int | None = None

    def __post_init__(self) -> None:
        check_film(self.film_id)
        if self.film_id < FIRST_ADDED_FILM:
            raise ValueError(f"added films have ids from {FIRST_ADDED_FILM}")
        if not self.title.strip() or len(self.title) > MAX_TITLE:
            raise ValueError(f"a title has 1 to {MAX_TITLE} characters")
        if self.year is not None and not 1800 <= self.year <= 2200:
            raise ValueError(f"a film's year is not {self.year}")
        check_texts(self.title)


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
    """A slate as it was shown; `request` is JSON, `bundle` names the model that made it. ValueError for a text that
    can't be kept."""

    slate_id: SlateId
    message_id: MessageId
    bundle: str
    request: Mapping[str, object]
    picks: tuple[ShownPick, ...]
    shown_at: datetime
    members: tuple[PersonId, ...] = ()
    """Whom it was for, when it was for several; the person who asked is one of them."""
    open_to_votes: bool | None = None
    """Whether the members vote on it now, or, while it has no films, may still become members; None when that was
    never asked."""

    def __post_init__(self) -> None:
        check_texts(self.bundle)


@dataclass(frozen=True, slots=True)
class Ballot:
    """A slate that is voted on, or was: who asked for it, and for which film each member voted (None: not yet)."""

    asker: PersonId
    slate: ShownSlate
    votes: Mapping[PersonId, int | None]
    accounts: tuple[IdentityKey, ...]
    """The members' accounts: who may vote."""


@dataclass(frozen=True, slots=True)
class Companion:
    """Somebody whom a recommendation is to be for, besides the person who asks.

    Nothing is read of somebody who has not opted in.
    """

    account: IdentityKey
    person: PersonId | None = None
    opted_in: bool = False
    history: tuple[Watch, ...] = ()
    dismissed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PlaceSettings:
    """What holds for all in a server or workspace. ValueError for what can't be kept."""

    channels: Mapping[str, str] = field(default_factory=dict)
    """The channels in which the bot answers without a command, by number, with their names; none: in all."""
    adventurousness: float | None = None

    def __post_init__(self) -> None:
        if len(self.channels) > MAX_CHANNELS:
            raise ValueError(f"at most {MAX_CHANNELS} channels are set")
        if self.adventurousness is not None and not 0 <= self.adventurousness <= 1:
            raise ValueError("adventurousness runs from 0 to 1")
        check_texts(*self.channels, *self.channels.values())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known about a person at one moment, in one place. A stranger has no `person` and version 0."""

    person: PersonId | None
    version: int
    """Counts the messages of the person that were kept; `Store.apply` may insist on it."""
    history: tuple[Watch, ...] = ()
    """Oldest first: by date, then by when they were told; undated ones by the day they were told."""
    history_version: int = 0
    """The message that last changed the history or the feedback, 0 before any: part of the key of what is computed from
    them. It is no count, so that no older state that is put back has the version of a newer one."""
    dismissed: frozenset[int] = frozenset()
    wanted: tuple[int, ...] = ()
    """The watchlist, in the order in which films were put on it."""
    preferences: Preferences = Preferences()
    added_films: tuple[AddedFilm, ...] = ()
    """Those that count: their adding is in force, or something that holds is about them."""
    undone_films: tuple[AddedFilm, ...] = ()
    """Those that do not, to name them when undoing brings them back."""
    context: Mapping[str, object] | None = None
    last_slate: ShownSlate | None = None
    """The last one shown to the person in this place."""
    place: PlaceSettings = field(default_factory=PlaceSettings)
    """What is set for all who are there."""
    earlier_reply: str | None = None
    """The reply to this very message, when it was handled before; empty when it is not kept any more, and when it
    was somebody else's."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Whether the changes were made now; if not, the message was handled before and `earlier_reply` was its reply."""

    done: bool
    earlier_reply: str | None = None


@dataclass(frozen=True, slots=True)
class LinkOffer:
    """Whom a code lets one join."""

    person: PersonId
    identities: tuple[IdentityKey, ...]


def check_film(film_id: int) -> None:
    """ValueError when no database of ours can keep that id."""
    if not 0 <= film_id < 2**63:
        raise ValueError("a film's id is a number of 63 bits")


def check_key(*texts: str | None) -> None:
    """ValueError when no database of ours can find something by those texts."""
    check_texts(*texts)
    if sum(len(text.encode()) for text in texts if text is not None) > MAX_KEY_BYTES:
        raise ValueError(f"a key has at most {MAX_KEY_BYTES} bytes")


def check_texts(*texts: str | None) -> None:
    """ValueError when no database of ours can keep one of the texts."""
    # PostgreSQL keeps no NUL, and half a surrogate pair is no Unicode text in any database.
    for text in texts:
        if text is not None and ("\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text)):
            raise ValueError("a text holds no NUL and no lone surrogate")
