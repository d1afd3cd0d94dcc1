"""Made-up people with made-up histories, put into a database as the store would have, but many at a time.

Knows what `Store.apply` makes of a message that logs a film and of one that shows a slate; a test holds the two
together. The same numbers always make the same people.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Table, select, update

from storage.changes import Change, LogWatch, SetContext, ShowSlate
from storage.records import (
    IdentityKey,
    MessageId,
    MessageKey,
    PersonId,
    PlaceKey,
    Precision,
    ShownPick,
    ShownSlate,
    SlateId,
    WatchState,
)
from storage.store import Store
from storage.tables import contexts, identities, messages, people, slate_picks, slates, watches

SEED = 3
SPREAD = 1.3
"""Standard deviation of the logarithm of how much people watched: most some dozens, some hundreds, a few thousands."""
MOST_ACTIVE = 0
"""The person with the longest history."""

PLATFORM, GUILD, CHANNEL = "discord", "1001", "2002"
PLACE = PlaceKey(PLATFORM, GUILD, CHANNEL, "")
BEGAN, ENDED = datetime(2022, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)

# What the conversation keeps, in its form and length.
_MESSAGE = 884678449636594303
CONTEXT: dict[str, object] = {
    "questions": [
        {
            "asked": "which-film",
            "typed": "Suspiria",
            "choices": [4437, 176801],
            "details": {"day": None, "exactness": "unknown", "state": "finished", "rating": None, "reaction": None},
            "logs": True,
        }
    ],
    "asked_by": _MESSAGE,
    "in_mind": [1214],
    "swaps": [],
    "logged_by": _MESSAGE,
}
_REQUEST: dict[str, object] = {
    "count": 5,
    "like": [],
    "genres": ["Horror"],
    "without_genres": [],
    "years": [1970, 1979],
    "tags": [],
    "without": [],
    "adventurousness": 0.3,
    "diversity": 0.3,
    "earlier": [],
}
_REASON: dict[str, object] = {
    "kind": "because-watched",
    "films": [1214],
    "facts": ["space", "Horror", "Sci-Fi"],
    "evidence": {"standing": 5.394309043884277, "fall": 5.394309043884277},
}


def _choice(label: str, verb: str, *numbers: int) -> dict[str, object]:
    action = {"verb": verb, "numbers": numbers}
    return {"label": label, "action": action, "audience": {"kind": "asker", "users": []}}


def _card(number: int, film_id: int) -> dict[str, object]:
    verbs = {"Seen it": "seen", "Save": "save", "Not for me": "dismiss", "Why?": "why", "More like this": "like"}
    return {
        "film_id": film_id,
        "title": f"The Film with the Number {film_id}",
        "year": 1970 + number,
        "genres": ["Horror", "Sci-Fi"],
        "reason": "because you watched Alien (1979): both horror, sci-fi, tagged space",
        "number": number,
        "links": [["IMDb", f"https://www.imdb.com/title/tt00{film_id}/"]],
        "choices": [_choice(label, verb, _MESSAGE, film_id) for label, verb in verbs.items()],
    }


_REPLY_LOGGED = json.dumps(
    {"text": "Logged: Alien (1979), today.", "cards": [], "choices": [_choice("Undo", "undo", 1)]}
)
_REPLY_SLATE = json.dumps({"text": "For you:", "cards": [_card(number, 977 * number) for number in range(1, 6)]})

_BATCH = 5_000

Ints = npt.NDArray[np.int64]
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Told:
    """A message that logs one film."""

    person: int
    number: int
    """Its place among the messages of the person, from 1."""
    moment: datetime
    message_id: MessageId
    watch_id: int
    film_id: int
    watched_on: date | None
    reaction: str | None

    reply = _REPLY_LOGGED

    @property
    def event_id(self) -> str:
        return f"{self.person}-{self.number}"

    @property
    def precision(self) -> Precision:
        return Precision.UNKNOWN if self.watched_on is None else Precision.DAY

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the store is asked for."""
        return (LogWatch(self.film_id, self.watched_on, self.precision, reaction=self.reaction), _context(self.moment))


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that is answered with a slate."""

    person: int
    number: int
    moment: datetime
    slate: ShownSlate

    reply = _REPLY_SLATE

    @property
    def event_id(self) -> str:
        return f"{self.person}-{self.number}"

    @property
    def message_id(self) -> MessageId:
        return self.slate.message_id

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the store is asked for."""
        return (ShowSlate(self.slate), _context(self.moment))


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """People by number from 0: how long the history of each is, and from which films it is taken."""

    lengths: Ints
    person_ids: Ints
    film_ids: Ints

    @classmethod
    def of(cls, people: int, watches: int, longest: int, film_ids: Iterable[int]) -> Self:
        """So many people with so many watches altogether: lognormal, but for the longest history, which is given."""
        chance = np.random.default_rng(SEED)
        activity = chance.lognormal(sigma=SPREAD, size=people - 1)
        spare = watches - longest - (people - 1)
        ends = np.rint(spare * np.cumsum(activity) / activity.sum()).astype(np.int64)
        lengths = np.concatenate([[longest], 1 + np.diff(ends, prepend=0)])
        if lengths.max() > longest:
            raise ValueError("the longest history is not")
        return cls(lengths, _ids(chance, people), np.fromiter(film_ids, np.int64))

    def identity(self, person: int) -> IdentityKey:
        """The account of a person."""
        return IdentityKey(PLATFORM, GUILD, str(10_000_000 + person))

    def key(self, message: Told | Shown) -> MessageKey:
        """The key of a message."""
        return MessageKey(PLATFORM, GUILD, message.event_id)

    def person_id(self, person: int) -> PersonId:
        """The id of a person in a database that was filled."""
        return PersonId(int(self.person_ids[person]))

    def films(self, person: int) -> Ints:
        """What the person told, in that order; no film twice."""
        places: Ints = (977 * person + 7919 * np.arange(self.lengths[person])) % len(self.film_ids)
        return self.film_ids[places]

    def told(self) -> Iterator[Told]:
        """Everything that was told, in the order of time: the watches of a person lie far from one another."""
        chance = np.random.default_rng(SEED + 1)
        who = self._who()
        step = (ENDED - BEGAN) / len(who)
        films = [iter(self.films(person).tolist()) for person in range(len(self.lengths))]
        numbers = [0] * len(self.lengths)
        ids = zip(_ids(chance, len(who)).tolist(), _ids(chance, len(who)).tolist(), strict=True)
        for place, (person, (message_id, watch_id)) in enumerate(zip(who.tolist(), ids, strict=True)):
            numbers[person] += 1
            moment = BEGAN + place * step
            yield Told(
                person,
                numbers[person],
                moment,
                MessageId(message_id),
                watch_id,
                next(films[person]),
                moment.date() - timedelta(days=1) if place % 3 == 0 else None,
                "loved" if place % 5 == 0 else None,
            )

    def shown(self) -> Iterator[Shown]:
        """A slate for each, after all that was told."""
        chance = np.random.default_rng(SEED + 2)
        ids = zip(_ids(chance, len(self.lengths)).tolist(), _ids(chance, len(self.lengths)).tolist(), strict=True)
        picks = tuple(ShownPick(rank, int(self.film_ids[rank]), 1.5 / rank, _REASON) for rank in range(1, 6))
        for person, (message_id, slate_id) in enumerate(ids):
            moment = ENDED + timedelta(seconds=person)
            slate = ShownSlate(SlateId(slate_id), MessageId(message_id), "starter 1", _REQUEST, picks, moment)
            yield Shown(person, int(self.lengths[person]) + 1, moment, slate)

    def began(self) -> list[datetime]:
        """When each first told something."""
        who = self._who()
        _, firsts = np.unique(who, return_index=True)
        return [BEGAN + int(place) * ((ENDED - BEGAN) / len(who)) for place in firsts]

    def _who(self) -> Ints:
        """Who told each watch, in the order of time."""
        everyone = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return np.random.default_rng(SEED + 3).permutation(everyone)


async def tell(where: str, population: Population) -> None:
    """Put everything that was told into an empty database."""

    def work(connection: Connection) -> None:
        began = population.began()
        for some in _several(range(len(population.lengths))):
            ids = [population.person_id(person) for person in some]
            lengths = population.lengths[list(some)].tolist()
            _insert(connection, people, ids, lengths, lengths, [began[person] for person in some])
            users = [population.identity(person).user for person in some]
            _insert(connection, identities, PLATFORM, GUILD, users, ids)
        for told in _several(population.told()):
            _insert_messages(connection, population, told, undoable=True)
            message_ids = [each.message_id for each in told]
            _insert(
                connection,
                watches,
                [each.watch_id for each in told],
                [population.person_id(each.person) for each in told],
                [each.film_id for each in told],
                [each.watched_on for each in told],
                [each.precision for each in told],
                [each.watched_on or each.moment.date() for each in told],
                [each.moment for each in told],
                0,
                WatchState.FINISHED,
                None,
                [each.reaction for each in told],
                "told",
                None,
                message_ids,
                message_ids,
                7,
                None,
                True,
            )
        theirs = select(messages.c.message_id).where(messages.c.person_id == people.c.person_id)
        last = theirs.order_by(messages.c.version.desc()).limit(1).scalar_subquery()
        connection.execute(update(people).values(history_version=last))

    await _write(where, work)


async def show(where: str, population: Population) -> None:
    """Put the slates into it, after what was told."""

    def work(connection: Connection) -> None:
        for shown in _several(population.shown()):
            _insert_messages(connection, population, shown, undoable=False)
            person_ids = [population.person_id(each.person) for each in shown]
            _insert(
                connection,
                slates,
                [each.slate.slate_id for each in shown],
                person_ids,
                [each.message_id for each in shown],
                *(PLACE.platform, PLACE.workspace, PLACE.channel, PLACE.thread),
                [each.slate.bundle for each in shown],
                [each.slate.request for each in shown],
                [each.moment for each in shown],
                None,  # never voted on
            )
            picks = [(each.slate.slate_id, pick) for each in shown for pick in each.slate.picks]
            _insert(
                connection,
                slate_picks,
                [slate_id for slate_id, _ in picks],
                [pick.rank for _, pick in picks],
                [pick.film_id for _, pick in picks],
                [pick.score for _, pick in picks],
                [pick.reason for _, pick in picks],
            )
            _insert(
                connection,
                contexts,
                person_ids,
                *(PLACE.platform, PLACE.workspace, PLACE.channel, PLACE.thread),
                [CONTEXT] * len(shown),
                [_context(each.moment).expires_at for each in shown],
            )
        connection.execute(update(people).values(version=people.c.version + 1))

    await _write(where, work)


async def _write(where: str, work: Callable[[Connection], None]) -> None:
    def with_room(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":
            # Two gigabytes of pages in memory: each is written once, not whenever a row falls on it.
            connection.exec_driver_sql("PRAGMA cache_size = -2000000")
        else:
            # Without looking for what each foreign key refers to.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        work(connection)

    store = await Store.open(where)
    try:
        await store.database.write(with_room)
    finally:
        await store.close()


def _insert_messages(
    connection: Connection, population: Population, several: Sequence[Told | Shown], *, undoable: bool
) -> None:
    _insert(
        connection,
        messages,
        [each.message_id for each in several],
        [population.person_id(each.person) for each in several],
        *(PLATFORM, GUILD, [each.event_id for each in several]),
        [each.reply for each in several],
        [each.moment for each in several],
        [each.number for each in several],
        undoable,
        True,
        None,
    )


def _insert(connection: Connection, table: Table, *values: object) -> None:
    """Insert rows, given column by column in the table's order; what is no list is the same in all.

    Converts as SQLAlchemy would, but a column at a time: for a million rows its own way takes a minute.
    """
    dialect = connection.dialect
    columns = [column for column in table.columns if column.name != "row_id"]
    rows = max(len(some) for some in values if isinstance(some, list))
    converted = []
    for column, some in zip(columns, values, strict=True):
        convert = column.type.dialect_impl(dialect).bind_processor(dialect)
        several = some if isinstance(some, list) else [some] * rows
        converted.append(several if convert is None else [convert(value) for value in several])
    signs = "?" * len(columns) if dialect.name == "sqlite" else [f"${place}" for place in range(1, len(columns) + 1)]
    names = ", ".join(dialect.identifier_preparer.quote(column.name) for column in columns)
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) VALUES ({', '.join(signs)})",
        list(zip(*converted, strict=True)),
    )


def _context(moment: datetime) -> SetContext:
    return SetContext(CONTEXT, moment + timedelta(hours=1))


def _ids(chance: np.random.Generator, count: int) -> Ints:
    """Random ids, as the store's are."""
    return chance.integers(0, 2**62, count)


def _several(items: Iterable[_Item]) -> Iterator[Sequence[_Item]]:
    left = iter(items)
    while some := list(islice(left, _BATCH)):
        yield some
