"""What a conversation is about right now: the open questions, the films in mind; and its JSON, which the store keeps.

Knows film ids and what was said about them; knows no store, no engine and no words of the bot's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import TypeAdapter, ValidationError

from bot.conversation.dates import Exactness
from bot.conversation.intents import Asked, Reaction, State


@dataclass(frozen=True, slots=True)
class Details:
    """What was said about a watch, apart from its film."""

    day: date | None = None
    exactness: Exactness = Exactness.UNKNOWN
    state: State = State.FINISHED
    rating: float | None = None
    reaction: Reaction | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the bot's. `typed` is what the person wrote (LINK: the hash of the code); `choices` are film ids,
    in the order shown."""

    asked: Asked
    typed: str = ""
    choices: tuple[int, ...] = ()
    details: Details = Details()
    logs: bool = True
    """WHICH_FILM: whether the answer is a watch; else it is asked on what to do with the film."""
    near: bool = False
    """The choices are near misses."""
    wants: bool = False
    """The film is for the watchlist, not a watch."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A film that was logged, and the one that may have been meant instead; 0 when there is none. `wanted`: logging it
    took it off the watchlist."""

    film_id: int
    other_id: int = 0
    wanted: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """`questions`, of which the first is open and was asked by message `asked_by`; `in_mind`: the films “it” means;
    `logged_by`: the message that logged the films of `swaps`; `listed`: the films of the watchlist as it was shown by
    message `listed_by`, when it was shown after the last slate."""

    questions: tuple[Question, ...] = ()
    asked_by: int = 0
    in_mind: tuple[int, ...] = ()
    swaps: tuple[Swap, ...] = ()
    logged_by: int = 0
    listed: tuple[int, ...] = ()
    listed_by: int = 0


_JSON: TypeAdapter[Context] = TypeAdapter(Context)


def to_payload(context: Context) -> dict[str, object]:
    """The context as the store keeps it."""
    payload: dict[str, object] = _JSON.dump_python(context, mode="json")
    return payload


def from_payload(payload: object) -> Context:
    """The context of what the store kept; an empty one for None and for the form of an older program."""
    if payload is None:
        return Context()
    try:
        return _JSON.validate_python(payload)
    except ValidationError:
        return Context()
