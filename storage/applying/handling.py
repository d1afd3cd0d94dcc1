"""The message being applied, and small helpers over its connection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, true

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


def among(column: ColumnElement[Any], values: Collection[object]) -> ColumnElement[bool]:
    """Whether a column has one of some values, which narrows down rows of one person; of too many, it may have any.

    For thousands everything is read once: PostgreSQL, which does not know at first how many rows are new, would read it
    anew for every few hundred, and took a minute for a file of 40,000 entries that was run again.
    """
    return column.in_(values) if len(values) <= _CHUNK else true()


def chunks(items: Iterable[_Item], size: int = _CHUNK) -> Iterator[Sequence[_Item]]:
    """The items in runs that fit into one statement."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
