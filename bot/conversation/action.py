"""What a button does, as at most 100 characters, the same on every platform: `seen:296:2571`.

A button must work after a restart and on another process, so everything it needs is in its text: a verb and whole
numbers, the first of which names a slate or a message of the person who may press it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

MAX_LENGTH = 100
MAX_NUMBER = 2**63 - 1
"""What a database's BIGINT holds."""
_FORM = re.compile(r"([a-z]+(?:-[a-z]+)*)((?::\d{1,19})*)", re.ASCII)


class Verb(StrEnum):
    """What can be pressed, with its numbers."""

    PICK = "pick"
    """message id, place in the choices: an answer to the question that the message's reply asked."""
    SEEN = "seen"
    """slate id, film id"""
    DISMISS = "dismiss"
    """slate id, film id"""
    LIKE = "like"
    """slate id, film id: more like this one"""
    WHY = "why"
    """slate id, film id"""
    SAVE = "save"
    """slate id, film id: put it on the watchlist"""
    MORE = "more"
    """slate id"""
    BOLDER = "bolder"
    """slate id: the same, but less known"""
    VOTE = "vote"
    """slate id, film id: for a group to watch"""
    CLOSE = "close"
    """slate id: end the vote on it"""
    JOIN = "join"
    """slate id: to be, or not any more, one of the people whom it will be for"""
    START = "start"
    """slate id: choose its films, for those who joined"""
    UNDO = "undo"
    """message id: take back what that message changed; and the slate whose button changed it, if one did"""
    UNLOG = "unlog"
    """message id, film id: take back that film of that message"""
    SWAP = "swap"
    """message id, film id logged, film id meant: “not the 1953 one?”"""
    WATCHED = "watched"
    """message id, film id: seen, of the watchlist that the message showed"""
    UNSAVE = "unsave"
    """message id, film id: take it off the watchlist that the message showed"""
    FORGET = "forget"
    """message id: yes, erase everything"""
    KEEP = "keep"
    """message id: no, erase nothing"""


class UnknownActionError(ValueError):
    """The text is no action of ours."""


@dataclass(frozen=True, slots=True)
class Action:
    """A verb and its numbers; `encode` and `decode` are each other's inverse."""

    verb: Verb
    numbers: tuple[int, ...] = ()

    def encode(self) -> str:
        """`verb:n:n`, ASCII. ValueError when a number is negative or over `MAX_NUMBER`, or the text is too long."""
        text = ":".join((self.verb.value, *map(str, self.numbers)))
        if len(text) > MAX_LENGTH or not _FORM.fullmatch(text) or max(self.numbers, default=0) > MAX_NUMBER:
            raise ValueError(f"an action holds whole numbers and {MAX_LENGTH} characters at most: {text[:MAX_LENGTH]}")
        return text

    @classmethod
    def decode(cls, text: str) -> Action:
        """The action of a text that `encode` made; UnknownActionError for any other."""
        found = _FORM.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if not found:
            raise UnknownActionError("no action of ours")
        try:
            verb = Verb(found.group(1))
        except ValueError:
            raise UnknownActionError("no verb of ours") from None
        numbers = tuple(int(n) for n in found.group(2).split(":")[1:])
        if max(numbers, default=0) > MAX_NUMBER:
            raise UnknownActionError("no number of ours")
        return cls(verb, numbers)
