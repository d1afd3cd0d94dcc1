"""Who made films and who plays in them: `People`.

Knows facts by film id, as arrays that ship beside the engine (`credits/`, written by `training.people`), and how people
write names: in full, by surname, with a slip. Knows no titles, no person who watches and no sentence. The arrays are
mapped when they are first asked for. A fact holds for a film of a catalogue whose id and year are those it was written
for; a catalogue with numbers of its own has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA

from engine.films import Catalog, FilmId
from engine.names import key_hash, words

SHIPPED = Path(__file__).with_name("credits")
"""The arrays that ship."""

MAX_NAME_WORDS = 5
"""Words of the longest name that is looked for in a text."""

_SLIPS = ((6, 0), (10, 1), (40, 2))
"""Slips that a name of fewer letters may have. What is longer is no name."""
_BETTER_KNOWN = 4
"""Somebody is meant by a surname who is this many times as well known as the next of that name."""
_OTHER_ROLE = 20
"""A role that was not asked for counts as so much less well known."""
_SLIPS_FROM = 100
"""Ratings from which somebody is looked for by a name with a slip."""
_SHORT = 4
"""Letters up to which a surname alone is too short to be looked for among other words."""
_WELL_KNOWN_DIRECTOR = 300
"""Ratings of the films that somebody directed from which the surname alone is looked for among other words."""
_FIRST = "^"
"""What stands before a key that is a first name."""
_FAME_FROM = 30
"""Ratings of their films, all together, from which somebody is meant by a surname alone."""


class Role(StrEnum):
    """What somebody did for a film."""

    DIRECTOR = "director"
    CAST = "cast"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of whom films are asked: the name, as it is written here, and what they did for those films."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Credits:
    """Who directed a film and who plays in it, each in the order of the credits; other words that tell it from films of
    its name."""

    film_id: int
    year: int
    directors: tuple[str, ...]
    cast: tuple[str, ...]
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spotted:
    """A name in a text: the words `start` to `end` (not included), and the rows of those whose film it is."""

    start: int
    end: int
    rows: frozenset[int]


@lru_cache(maxsize=8192)
def _spelled(name: str) -> tuple[str, ...]:
    plain = name.isascii() and name.replace(" ", "").isalpha()
    return tuple(name.casefold().split() if plain else words(name))


def _slips(letters: int) -> int:
    return next((slips for length, slips in _SLIPS if letters < length), 0)


class People:
    """Facts of F films about P people.

    Arrays: `film_ids` int32[F] ascending and `years` uint16[F]; `offsets` uint32[F+1] into `credited` (numbers of
    people: a film's directors, of whom there are `directed` uint8[F], then its cast); `name_bytes` and `name_offsets`
    hold the names by number; `keys` uint64[K] ascending and `bearers` say who bears a name, whose name ends with it
    and whose first name it is; `fame` uint32[P, 2], the ratings of the films that each directed and plays in; `told`
    uint8[F] is which line of `told_bytes` holds the words that tell a film.
    """

    _ARRAYS = (
        "film_ids", "years", "offsets", "credited", "directed", "name_bytes", "name_offsets", "keys", "bearers", "fame",
        "told", "told_bytes",
    )  # fmt: skip

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """`arrays` as `save` wrote them; ValueError when they do not fit together."""
        self._arrays = {name: np.asarray(arrays[name]) for name in self._ARRAYS}
        self.film_ids: npt.NDArray[np.int32] = self._arrays["film_ids"]
        self._years: npt.NDArray[np.uint16] = self._arrays["years"]
        self._offsets: npt.NDArray[np.uint32] = self._arrays["offsets"]
        self._credited: npt.NDArray[np.unsignedinteger] = self._arrays["credited"]
        self.directed: npt.NDArray[np.uint8] = self._arrays["directed"]
        """uint8[F]: how many directors are known."""
        self._name_offsets: npt.NDArray[np.uint32] = self._arrays["name_offsets"]
        self._keys: npt.NDArray[np.uint64] = self._arrays["keys"]
        self._bearers: npt.NDArray[np.unsignedinteger] = self._arrays["bearers"]
        self._fame: npt.NDArray[np.uint32] = self._arrays["fame"]
        if (
            not len(self.film_ids) == len(self._years) == len(self.directed) == len(self._arrays["told"])
            or len(self._offsets) != len(self.film_ids) + 1
            or int(self._offsets[-1]) != len(self._credited)
            or len(self._keys) != len(self._bearers)
            or len(self._fame) != len(self._name_offsets) - 1
        ):
            raise ValueError("the arrays of people do not fit together")

    @classmethod
    def build(cls, known: Iterable[Credits], ratings: Mapping[int, int]) -> People:
        """Pack facts; `ratings` by film id tell how well known people are. Spellings of one name are one person."""
        films = sorted(known, key=lambda one: one.film_id)
        spellings: dict[str, dict[str, int]] = {}
        for film in films:
            for name in (*film.directors, *film.cast):
                of_name = spellings.setdefault("".join(words(name)), {})
                of_name[name] = of_name.get(name, 0) + 1
        keys = sorted(spellings)
        number_of = {key: number for number, key in enumerate(keys)}
        names = [min(spellings[key], key=lambda name: (-spellings[key][name], name)) for key in keys]
        fame = np.zeros((len(names), 2), np.uint32)
        credited: list[int] = []
        offsets, directed = [0], []
        for film in films:
            directors, cast = (
                dict.fromkeys(number_of["".join(words(name))] for name in listed)
                for listed in (film.directors, film.cast)
            )
            credited += [*directors, *cast]
            offsets.append(len(credited))
            directed.append(len(directors))
            for column, people in enumerate((directors, cast)):
                fame[list(people), column] += ratings.get(film.film_id, 0)
        spoken: list[tuple[int, int]] = []
        for number, name in enumerate(names):
            read = words(name)
            ends = {"".join(read[start:]) for start in range(len(read)) if len(read) - start <= 2 or start == 0}
            spoken += [(key_hash(key), number) for key in ends]
            if len(read) > 1:
                spoken.append((key_hash(_FIRST + read[0]), number))
        spoken.sort()
        encoded = [name.encode() for name in names]
        lines = sorted({"; ".join(film.told) for film in films})
        numbers = np.uint16 if len(names) < 2**16 else np.uint32
        return cls(
            {
                "film_ids": np.array([film.film_id for film in films], np.int32),
                "years": np.array([film.year for film in films], np.uint16),
                "offsets": np.array(offsets, np.uint32),
                "credited": np.array(credited, numbers),
                "directed": np.array(directed, np.uint8),
                "name_bytes": np.frombuffer(b"".join(encoded), np.uint8),
                "name_offsets": np.cumsum([0, *map(len, encoded)]).astype(np.uint32),
                "keys": np.array([key for key, _ in spoken], np.uint64),
                "bearers": np.array([number for _, number in spoken], numbers),
                "fame": fame,
                "told": np.array([lines.index("; ".join(film.told)) for film in films], np.uint8),
                "told_bytes": np.frombuffer("\n".join(lines).encode(), np.uint8),
            }
        )

    def save(self, folder: Path) -> None:
        """Write one `.npy` an array into `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self._arrays.items():
            np.save(folder / f"{name}.npy", array)

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> People:
        """Map what `save` wrote; FileNotFoundError or ValueError when it is not there or not of this form."""
        return cls({name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in cls._ARRAYS})

    @classmethod
    def nobody(cls) -> People:
        """No facts at all."""
        return cls.build((), {})

    def __len__(self) -> int:
        return len(self._fame)

    @property
    def played(self) -> npt.NDArray[np.int64]:
        """int64[F]: how many of the cast are known."""
        listed = self._offsets.astype(np.int64)
        played: npt.NDArray[np.int64] = listed[1:] - listed[:-1] - self.directed
        return played

    def name(self, number: int) -> str:
        """The name of a person, 0 ≤ number < P."""
        start, end = int(self._name_offsets[number]), int(self._name_offsets[number + 1])
        return bytes(self._arrays["name_bytes"][start:end]).decode()

    # Of a film

    def of(self, film_id: int, year: int) -> Credits | None:
        """What is known of a film whose year is (0: not stated) the one that the facts were written for."""
        found = self._numbers(film_id, year)
        if found is None:
            return None
        directors, cast = (tuple(map(self.name, numbers)) for numbers in found)
        return Credits(film_id, year, directors, cast, self.told(film_id, year))

    def told(self, film_id: int, year: int) -> tuple[str, ...]:
        """Other words that tell a film from those of its name: “soviet”, “black and white”."""
        place = self._place(film_id, year)
        return () if place is None else self._lines[int(self._arrays["told"][place])]

    @cached_property
    def _lines(self) -> list[tuple[str, ...]]:
        lines = bytes(self._arrays["told_bytes"]).decode().split("\n")
        return [tuple(line.split("; ")) if line else () for line in lines]

    def _place(self, film_id: int, year: int) -> int | None:
        place = int(np.searchsorted(self.film_ids, film_id))
        known = place < len(self.film_ids) and self.film_ids[place] == film_id and self._years[place] == year
        return place if known else None

    def _numbers(self, film_id: int, year: int) -> tuple[list[int], list[int]] | None:
        place = self._place(film_id, year)
        if place is None:
            return None
        listed = self._credited[int(self._offsets[place]) : int(self._offsets[place + 1])].tolist()
        directors = int(self.directed[place])
        return listed[:directors], listed[directors:]

    # Names in a text

    def spotted(self, read: Sequence[str], films: Mapping[int, tuple[int, int]], rare: Sequence[bool]) -> list[Spotted]:
        """Names in a text of people of some films, the longest first; names do not overlap.

        `read` are the words of the text as `engine.names.words` reads them, `films` (film id, year) by row, `rare` says
        of each word whether it may be a surname that stands alone. A first name alone is nobody.
        """
        by_name: dict[tuple[str, ...], set[int]] = {}
        for row, (film_id, year) in films.items():
            for number in (n for listed in self._numbers(film_id, year) or () for n in listed):
                name = _spelled(self.name(number))
                for start in range(len(name)):
                    by_name.setdefault(name[start:], set()).add(row)
        found: list[Spotted] = []
        for size in range(min(MAX_NAME_WORDS, len(read)), 0, -1):
            for start in range(len(read) - size + 1):
                end = start + size
                taken = any(one.start < end and start < one.end for one in found)
                if taken or (size == 1 and not rare[start]):
                    continue
                if rows := self._bearing(read[start:end], by_name):
                    found.append(Spotted(start, end, frozenset(rows)))
        return sorted(found, key=lambda one: one.start)

    @staticmethod
    def _bearing(said: Sequence[str], by_name: Mapping[tuple[str, ...], set[int]]) -> set[int]:
        """The rows of those who bear a name (“the Coens”), or one that is a slip away."""
        if exact := by_name.get(tuple(said)) or by_name.get((*said[:-1], said[-1].removesuffix("s"))):
            return exact
        run = "".join(said)
        slips = _slips(len(run))
        if not slips or run.isdigit():
            return set()
        near: set[int] = set()
        for name, rows in by_name.items():
            if abs(len(name) - len(said)) <= 1 and name[-1][0] == said[-1][0]:
                spelled = "".join(name)
                if OSA.distance(run, spelled, score_cutoff=slips) <= slips:
                    near |= rows
        return near

    def is_somebody(self, name: str) -> bool:
        """Whether anybody bears just this name, or this surname; or several, who direct together."""
        read = words(name)
        return bool(read) and bool(self._bearers_of("".join(read)) or self._together(read))

    def known_names(self) -> Iterator[str]:
        """The names of those who are well known, in full; of directors also the surname alone."""
        for number, name in self._well_known:
            yield " ".join(name)
            if len(name) > 1 and len(name[-1]) > _SHORT and self._fame[number, 0] >= _WELL_KNOWN_DIRECTOR:
                yield name[-1]

    # Films of somebody

    def find(self, name: str, role: Role | None = None) -> tuple[Person, ...]:
        """Who is meant by a name: in full, by a surname that one bears who is far better known than others, or by a
        name that is a slip away; those who direct together by their surname (“the Coens”); nobody when it is not clear.

        `role` prefers those known for it; without one it is what they are best known for.
        """
        read = words(name)
        run = "".join(read)
        if not run or len(read) > MAX_NAME_WORDS:
            return ()
        bearers = self._bearers_of(run)
        if not bearers and (team := self._together(read)):
            return tuple(Person(self.name(number), Role.DIRECTOR) for number in team)
        bearers = bearers or self._nearly(run, len(read))
        if not bearers:
            return ()
        weighed = sorted(((self._weight(number, role), number) for number in bearers), reverse=True)
        most, best = weighed[0]
        if len(read) == 1 and "".join(_spelled(self.name(best))) != run:
            others = [weight for weight, number in weighed[1:] if not self._works_with(number, best)]
            # A first name that many better known people have is nobody's surname.
            others += [self._weight(number, None) / _BETTER_KNOWN for number in self._bearers_of(_FIRST + run)]
            if most < max(_FAME_FROM, *(_BETTER_KNOWN * weight for weight in others), 0):
                return ()
        roles = [known for known in Role if len(self._places(best, known))]
        if role not in roles:
            directs, plays = self._fame[best]
            role = roles[0] if len(roles) == 1 or directs >= plays else roles[-1]
        return (Person(self.name(best), role),)

    def _bearers_of(self, run: str) -> list[int]:
        wanted = np.uint64(key_hash(run))
        first, last = np.searchsorted(self._keys, wanted), np.searchsorted(self._keys, wanted, side="right")
        return [int(number) for number in self._bearers[int(first) : int(last)]]

    def _together(self, read: Sequence[str]) -> list[int]:
        """Those of one surname who direct together: “the Coens”, “the Coen brothers”."""
        surname = read[0].removesuffix("s") if len(read) == 1 else "".join(read[:-1])
        bearers = self._bearers_of(surname)
        teams = [one for one in bearers if any(one != other and self._works_with(one, other) for other in bearers)]
        return teams if len(teams) > 1 else []

    def _works_with(self, number: int, other: int) -> bool:
        """Whether all that somebody directed another directed too: the Coens are asked for as one."""
        films = self._places(number, Role.DIRECTOR)
        return len(films) > 0 and bool(np.isin(films, self._places(other, Role.DIRECTOR)).all())

    def _nearly(self, run: str, said: int) -> list[int]:
        """Those whose name in full, or surname, is a slip away from a long enough name."""
        slips = _slips(len(run))
        if not slips:
            return []
        nearest: dict[int, int] = {}
        for number, name in self._well_known:
            spelled = "".join(name) if said > 1 else name[-1]
            if abs(len(spelled) - len(run)) <= slips and spelled[0] == run[0]:
                distance = OSA.distance(run, spelled, score_cutoff=slips)
                if distance <= slips:
                    nearest[number] = distance
        least = min(nearest.values(), default=0)
        return [number for number, distance in nearest.items() if distance == least]

    @cached_property
    def _well_known(self) -> list[tuple[int, tuple[str, ...]]]:
        """Those who may be meant by a name with a slip, with the words of their names."""
        known = np.flatnonzero(self._fame.max(axis=1) >= _SLIPS_FROM) if len(self) else ()
        return [(int(number), name) for number in known if (name := _spelled(self.name(int(number))))]

    def _weight(self, number: int, role: Role | None) -> float:
        directs, plays = (float(count) for count in self._fame[number])
        if role is Role.DIRECTOR:
            plays /= _OTHER_ROLE
        elif role is Role.CAST:
            directs /= _OTHER_ROLE
        return max(directs, plays)

    def _places(self, number: int, role: Role) -> npt.NDArray[np.intp]:
        """The places of the films that somebody directed, or that they play in."""
        entries = np.flatnonzero(self._credited == number)
        places = np.searchsorted(self._offsets, entries, side="right") - 1
        directs = entries - self._offsets[places] < self.directed[places]
        found: npt.NDArray[np.intp] = places[directs == (role is Role.DIRECTOR)]
        return found

    def _films(self, person: Person) -> npt.NDArray[np.intp]:
        """The places of the films that somebody directed or plays in."""
        run = "".join(words(person.name))
        numbers = [number for number in self._bearers_of(run) if "".join(_spelled(self.name(number))) == run]
        return np.concatenate([self._places(number, person.role) for number in numbers] or [np.zeros(0, np.intp)])

    def films_of(self, person: Person) -> list[FilmId]:
        """The films that somebody directed or plays in."""
        return [FilmId(film_id) for film_id in self.film_ids[self._films(person)].tolist()]

    def rows_of(self, person: Person, catalog: Catalog) -> npt.NDArray[np.intp]:
        """The rows of somebody's films in a catalogue."""
        places = self._films(person)
        rows = np.searchsorted(catalog.film_ids, self.film_ids[places])
        rows = np.minimum(rows, max(0, len(catalog) - 1))
        there = catalog.film_ids[rows] == self.film_ids[places] if len(catalog) else np.zeros(len(rows), np.bool_)
        rows, places = rows[there], places[there]
        found: npt.NDArray[np.intp] = rows[catalog.years[rows] == self._years[places]]
        return found


@lru_cache(maxsize=1)
def shipped() -> People:
    """The facts that ship, mapped once; none where they were not installed."""
    try:
        return People.load()
    except (OSError, ValueError):
        return People.nobody()
