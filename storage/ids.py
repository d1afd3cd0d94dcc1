"""Ids and one-time codes: random, so that no two processes need ask each other."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator

from storage.records import FIRST_ADDED_FILM, MessageKey

_CODE_SIGNS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""What a code is made of: nothing that is read as something else."""
_CODE_LENGTH = 8
_OTHER_IDS = 100
"""So many people of one database may import the same added film and each have one of their own."""


def new_id() -> int:
    """A random id of 62 bits: it fits every database's BIGINT and, in decimal, a button."""
    return secrets.randbits(62)


def new_film_id() -> int:
    """An id for an added film: random, and small enough for a JSON number to hold it exactly."""
    return FIRST_ADDED_FILM + secrets.randbits(52)


def other_film_ids(film_id: int) -> Iterator[int]:
    """Ids for an added film whose own is taken: the same ones in the same order, whoever asks."""
    for number in range(1, _OTHER_IDS + 1):
        digest = hashlib.sha256(f"{film_id}/{number}".encode()).digest()
        yield FIRST_ADDED_FILM + (int.from_bytes(digest[:8], "big") >> 12)


def new_code() -> str:
    """A one-time code for linking accounts: 39 bits, easy to read aloud."""
    return "".join(secrets.choice(_CODE_SIGNS) for _ in range(_CODE_LENGTH))


def code_hash(code: str) -> str:
    """What is kept of a code; spaces, hyphens and case do not matter."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).upper().encode("utf-8", "replace")).hexdigest()


def event_hash(message: MessageKey) -> str:
    """What is kept of an event's number when the person it was about is erased."""
    parts = (message.platform, message.workspace, message.event_id)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
