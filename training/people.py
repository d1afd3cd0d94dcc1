"""Who made and who plays in films: `python -m training.people --data … --out engine/credits` writes `engine.people`.

Joins three sources with the catalogue of a bundle: the facts written down in `training/people.tsv`, the casts of
American films from Wikipedia (`wikipedia-films/films.parquet` under the data folder, by title and year), and the
catalogue's own tags where they are the name of somebody who directs. Only what is sure is kept: two films of one name
and year tell nothing, and neither does a tag of somebody who plays as well. The same data gives the same arrays.
"""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import bundle
from engine.films import Catalog
from engine.names import exact_key, loose_key
from engine.people import Credits, People
from training.files import DataError

FACTS = Path(__file__).with_name("people.tsv")
"""By tabs: `film_id`, title and year as the catalogue has them, directors, cast, and other words that tell the film
from those of its name (“soviet”, “black and white”); names and words by semicolons."""
CASTS = Path("wikipedia-films") / "films.parquet"

HOME = "american"
"""What the films of Wikipedia's lists are told by."""
MAX_CAST = 12
"""Players kept a film, in the order of the credits."""
MIN_DIRECTED = 3
"""Films that somebody directs by the facts before a tag of the name says so of another."""

_NAME = re.compile(r"[^\W\d_][^\W_]*['’.-]?(?:[ '’.-]+[^\W_]+['’.]?){0,4}(?:, (?:Jr|Sr)\.?)?")
_JUNIOR = re.compile(r"^(?:Jr|Sr)\.?$")
_NO_NAMES = frozenset({"and", "with", "the", "cast", "voices", "narrator", "nominee", "screenwriter", "various"})
_GENRES = {
    "Science Fiction": "Sci-Fi", "Noir": "Film-Noir", "Animated": "Animation", "Suspense": "Thriller",
    "Slasher": "Horror", "Family": "Children", "Superhero": "Action", "Martial Arts": "Action",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the facts: a film, its label in the catalogue, directors, cast, and words that tell it."""

    film_id: int
    label: str
    directors: tuple[str, ...]
    cast: tuple[str, ...]
    told: tuple[str, ...] = ()


def read_facts(file: Path = FACTS) -> list[Fact]:
    """The facts that are written down. DataError names the first line that is not of their form."""
    facts: list[Fact] = []
    known: set[int] = set()
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("\t")]
        if not (3 <= len(fields) <= 5 and fields[0].isdigit() and int(fields[0]) not in known):
            raise DataError(
                f"{file.name}, line {number}: expected a film id not seen before, a title, directors and cast,"
                " parted by tabs.", file=file, line=number
            )  # fmt: skip
        known.add(int(fields[0]))
        directors, cast, told = (_listed(field) for field in (*fields[2:], "", "")[:3])
        facts.append(Fact(int(fields[0]), fields[1], directors, cast, told))
    return facts


def _listed(field: str) -> tuple[str, ...]:
    return tuple(name for part in field.split(";") if (name := part.strip()))


@dataclass(frozen=True, slots=True)
class Cast:
    """A film of Wikipedia's lists."""

    title: str
    year: int
    names: tuple[str, ...]
    genres: frozenset[str]


def read_casts(file: Path) -> list[Cast]:
    """The films of Wikipedia's lists that name who plays in them. DataError when the file is not there."""
    import pyarrow.parquet as parquet

    if not file.is_file():
        raise DataError(f"There is no {file}.", file=file)
    casts = []
    for film in parquet.read_table(file).to_pylist():
        names = tuple(_names(film["cast"] or ()))
        genres = frozenset(_GENRES.get(genre, genre) for genre in film["genres"] or ())
        casts.append(Cast(film["title"], film["year"], names, genres))
    return casts


def _names(listed: Iterable[str]) -> Iterator[str]:
    """Those of some strings that are names, with a “Jr.” that was parted from its name."""
    names: list[str] = []
    for text in listed:
        name = " ".join(text.replace("“", '"').split()).strip(" .,;") + ("." if text.strip().endswith("r.") else "")
        if _JUNIOR.match(name) and names:
            names[-1] += f", {name}"
        elif _NAME.fullmatch(name) and name.casefold() not in _NO_NAMES and name[0].isupper():
            names.append(name)
    yield from dict.fromkeys(names)


def joined(catalog: Catalog, casts: Sequence[Cast]) -> dict[int, tuple[str, ...]]:
    """By row the cast of those films that are surely one of the lists: the only ones of a name within a year.

    With the same year, the name has to be the only one of that year on both sides; a year apart, the only one of three
    years, with a genre in common.
    """
    films: dict[tuple[str, int], set[int]] = defaultdict(set)
    for row in range(len(catalog)):
        for name in catalog.names_at(row):
            for key in {exact_key(name), loose_key(name)}:
                films[key, int(catalog.years[row])].add(row)
    listed: dict[tuple[str, int], set[int]] = defaultdict(set)
    for number, cast in enumerate(casts):
        for key in {exact_key(cast.title), loose_key(cast.title)}:
            listed[key, cast.year].add(number)

    def around(of: Mapping[tuple[str, int], set[int]], key: str, year: int) -> set[int]:
        return set().union(*(of.get((key, near), set()) for near in (year - 1, year, year + 1)))

    found: dict[int, tuple[str, ...]] = {}
    claimed: dict[int, int] = {}
    for exactly in (True, False):
        for number, cast in enumerate(casts):
            key = exact_key(cast.title)
            if not cast.names or number in claimed:
                continue
            if exactly:
                rows, rivals = films.get((key, cast.year), set()), listed[key, cast.year]
            else:
                rows, rivals = around(films, key, cast.year), around(listed, key, cast.year)
            if len(rows) != 1 or len(rivals) != 1:
                continue
            row = next(iter(rows))
            alike = not exactly and cast.genres.isdisjoint(catalog.genres_at(row))
            if row in found or alike:
                continue
            found[row], claimed[number] = cast.names, row
    return found


def credited(catalog: Catalog, facts: Sequence[Fact], casts: Mapping[int, tuple[str, ...]]) -> Iterator[Credits]:
    """What is known of each film, by film id. DataError when the facts are about another catalogue's films."""
    directed: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    stated: dict[int, Fact] = {}
    for fact in facts:
        row = catalog.row_of(fact.film_id)
        if row is None or catalog.film_at(row).label != fact.label:
            raise DataError(f"{FACTS.name}: film {fact.film_id} is not “{fact.label}” in the catalogue.", file=FACTS)
        stated[row] = fact
        directed.update(exact_key(name) for name in fact.directors)
        spelled |= {exact_key(name): name for name in fact.directors}
    playing = {exact_key(name) for names in casts.values() for name in names}
    playing |= {exact_key(name) for fact in facts for name in fact.cast}
    only_direct = {key for key, films in directed.items() if films >= MIN_DIRECTED and key not in playing}
    for row in range(len(catalog)):
        written = stated.get(row)
        directors, cast = (written.directors, written.cast) if written else ((), ())
        if not directors:
            tags = (exact_key(tag) for tag in catalog.tags_at(row))
            directors = tuple(spelled[key] for key in tags if key in only_direct)
            directors = directors if len(directors) == 1 else ()
        cast = tuple(dict.fromkeys((*cast, *casts.get(row, ()))))[:MAX_CAST]
        told = (*(written.told if written else ()), *([HOME] if row in casts else []))
        if directors or cast or told:
            yield Credits(int(catalog.film_ids[row]), int(catalog.years[row]), directors, cast, told)


def build(data: Path, catalog: Catalog) -> People:
    """All that is known of the films of a catalogue. Raises DataError."""
    known = list(credited(catalog, read_facts(), joined(catalog, read_casts(data / CASTS))))
    fame = {int(film): int(count) for film, count in zip(catalog.film_ids, catalog.rating_counts, strict=True)}
    return People.build(known, fame)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the arrays and say how much they hold."""
    parser = ArgumentParser(prog="python -m training.people", description="Write who made and plays in films.")
    parser.add_argument("--data", type=Path, required=True, help="the folder with wikipedia-films")
    parser.add_argument("--out", type=Path, required=True, help="where the arrays go")
    options = parser.parse_args(arguments)
    catalog = bundle.load(bundle.STARTER).catalog
    try:
        people = build(options.data, catalog)
    except DataError as error:
        sys.exit(str(error))
    people.save(options.out)
    known = catalog.rating_counts >= 20
    rows = catalog.rows_of(people.film_ids)
    directed = np.zeros(len(catalog), bool)
    directed[rows[people.directed > 0]] = True
    played = np.zeros(len(catalog), bool)
    played[rows[people.played > 0]] = True
    print(f"{len(people)} people; {directed.sum()} films with directors, {played.sum()} with cast")
    print(f"of {known.sum()} films with 20 ratings: {(known & directed).sum()} and {(known & played).sum()}")


if __name__ == "__main__":
    main()
