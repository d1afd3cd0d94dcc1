"""The message being applied, and small helpers over its connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection

from storage.records import IdentityKey, MessageId, PersonId, PlaceKey

_Item = TypeVar("_Item")

_CHUNK = 500
"""Values in one `IN (…)`: far below what any database's driver binds at most."""


@dataclass(frozen=True, slots=True)
class Handling:
    """The message whose changes are made: whose, where, when, and the transaction they are made in."""

    connection: Connection
    person: PersonId
    identity: IdentityKey
    place: PlaceKey
    message_id: MessageId
    moment: datetime


def chunks(items: Iterable[_Item], size: int = _CHUNK) -> Iterator[Sequence[_Item]]:
    """The items in runs that fit into one statement."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
