"""What reaches the conversation: who says what, where and when. Knows no platform; platforms build these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.conversation.action import Action
from bot.conversation.reply import File

MAX_FILE = 64 * 2**20
"""Bytes of a file that is taken in; an export of tens of thousands of watches is far smaller."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How one platform names a person. `workspace` is empty where a platform has none."""

    platform: str
    workspace: str
    user: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was said; `channel` and `thread` are empty where a platform has none."""

    platform: str
    workspace: str
    channel: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What every message carries. `event_id` is the platform's own id: the same id twice is the same message."""

    identity: Identity
    place: Place
    event_id: str
    moment: datetime
    """When it was said, with a time zone."""
    locale: str = "en"
    time_zone: str | None = None
    """The person's IANA zone where the platform tells it; None means the server's."""
    administers: bool = False
    """Whether the person may set what holds for the whole server or workspace."""
    shows_buttons: bool = False
    """Whether the platform shows buttons and lists its commands, so that people need not be told what to type."""


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody whom a message names, besides the person who says it, and how the platform calls them."""

    identity: Identity
    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """Something typed, with the files that came with it."""

    origin: Origin
    text: str
    files: tuple[File, ...] = ()
    people: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command with named arguments, as a platform parsed them: `Command(origin, "watched", {"film": "Alien"})`, and
    the files that came with it."""

    origin: Origin
    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    people: tuple[Named, ...] = ()
    aside: bool = False
    """Asked by the platform for a page that it shows, not said by the person: what the conversation is about stays."""


@dataclass(frozen=True, slots=True)
class Press:
    """A button or menu entry that `origin.identity` pressed; the conversation decides whether they may."""

    origin: Origin
    action: Action
    reply_id: str | None = None
    """The platform's id of the reply that held it, for `Reply.replaces`."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Type-ahead: what is typed so far into a field (`film`). Answered without touching the person's data."""

    origin: Origin
    field: str
    typed: str


Message = Text | Command | Press | Complete
