"""The platform-free answer: `Reply`, its cards and choices, and its JSON, in which the store keeps it.

Platforms render replies within their limits and decide nothing. All text is plain: no markup, no mentions; a platform
escapes it by its own rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import ConfigDict, TypeAdapter

from bot.conversation.action import Action
from engine.films import FilmId


class Visibility(StrEnum):
    """Who may see a reply where others are present."""

    PRIVATE = "private"
    PUBLIC = "public"


class AudienceKind(StrEnum):
    """Who may press a choice."""

    ASKER = "asker"
    NAMED = "named"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may press a choice; `users` are platform user ids, for `NAMED` only."""

    kind: AudienceKind = AudienceKind.ASKER
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to press or to type the number of. `label` has at most 75 characters."""

    label: str
    action: Action
    audience: Audience = Audience()


@dataclass(frozen=True, slots=True)
class Card:
    """A film shown: what it is, why it is there, and what can be done with it."""

    film_id: FilmId
    title: str
    year: int | None
    genres: tuple[str, ...]
    reason: str = ""
    number: int | None = None
    links: tuple[tuple[str, str], ...] = ()
    """(name, URL) pairs."""
    choices: tuple[Choice, ...] = ()
    note: str = ""
    """What became of it: seen, saved, how many voted for it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to hand over. In JSON its bytes are base64."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `text` comes first, then the cards, the choices, and `footer` (a hint, in smaller print)."""

    text: str
    cards: tuple[Card, ...] = ()
    choices: tuple[Choice, ...] = ()
    footer: str = ""
    files: tuple[File, ...] = ()
    picture: File | None = None
    visibility: Visibility = Visibility.PUBLIC
    replaces: str | None = None
    """The platform's id of an earlier reply that this one edits."""
    updated: Reply | None = None
    """The list whose button was pressed as it is now, this reply's sentence in its footer. A platform that can edit
    what it sent shows it in the list's place, and nothing else; any other shows this reply."""

    @property
    def is_silent(self) -> bool:
        """Whether it says nothing: to what was typed then, a platform sends nothing."""
        return not (self.text or self.cards or self.choices or self.footer or self.files or self.picture)


_JSON: TypeAdapter[Reply] = TypeAdapter(Reply)


def to_json(reply: Reply) -> str:
    """The reply as JSON text; `from_json` is its inverse."""
    return _JSON.dump_json(reply).decode()


def from_json(text: str) -> Reply:
    """The reply of `to_json`'s text; ValueError for anything else."""
    return _JSON.validate_json(text)
