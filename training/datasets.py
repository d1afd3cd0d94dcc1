"""Ratings, films, tags and links as MovieLens publishes them, from one folder or from several: CSV, Parquet, or the
`.dat` files of MovieLens 1M. A folder may also hold nothing but the order in which people watched.

Knows files, their columns and what is wrong with them; people who are in two sets; which tags say nothing of a film.
Knows nothing of what a recipe makes of a history (`training.sequences`) or of models.

The preparation is written in Ibis and runs on DuckDB; numpy arrays come out of it.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
from duckdb import Error as DuckDBError
from ibis.backends.duckdb import Backend
from ibis.util import gen_name

from engine.films import Catalog, FilmRecord
from training.errors import TrainingError
from training.recipe import Source

MIN_DOUBLE_PAIRS = 10
"""Two people of two sets who share this many (film, second) pairs are one person; the later set's copy is dropped."""

_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "ratings": {"userId": "int64", "movieId": "int64", "rating": "float64", "timestamp": "int64"},
    "movies": {"movieId": "int64", "title": "string", "genres": "string"},
    "tags": {"userId": "int64", "movieId": "int64", "tag": "string"},
    "links": {"movieId": "int64", "imdbId": "int64", "tmdbId": "int64"},
}
_SUFFIXES = (".csv", ".parquet", ".dat")
_DAT_DELIMITER = "::"
"""MovieLens 1M parts the columns of its `.dat` files so; they have no header and no quotation marks."""

_ORDER_FILE = "interactions_ordered.parquet"
_ORDER_COLUMNS: Mapping[str, str] = {"userId": "int64", "movieId": "int64", "pos": "int64"}
ALL_ALIKE = 5.0
"""What stands for every rating where only the order is known: whoever rates all films alike likes them all."""

_MAY_BE_EMPTY = frozenset({"imdbId", "tmdbId", "tag"})
_EXPECTED = {"int64": "a whole number", "float64": "a number", "string": "text"}
_LONGEST_HEADER = 4096
_HIGHEST_FILM_ID = 2**31 - 1
_ERROR_LINE = re.compile(r"Line: (\d+)")

_SHELF_MARKS = re.compile(
    r"\b(netflix|dvd|dvr|vhs|blu-?ray|bd-r|redbox|library|shopping list|my computer|quickpick|owned?|queue|rented|seen"
    r"|watched|to see|must see|watch ?list|favou?rites?|viu|viram|movies|my|i|imdb|afi|rotten tomatoes|golden raspberry"
    r"|easily confused|disambiguation)\b|\.(fi|com)\b|nudity|fuck|shit|boring|overrated|stupid|bad |worst"
    r"|not funny|too long"
)
"""Tags that say where a copy lies, who saw it, or only that it is bad: true of a person, not of a film."""
_LONGEST_TAG = 32
_SHORTEST_TAG = 3
_PERSONAL_TAG_FILMS = 60
"""A tag that one person alone gave to more films than this is that person's shelf."""


class DataError(TrainingError):
    """Data that cannot be used. `str(error)` names the file, the line where there is one, and what was expected."""

    def __init__(self, sentence: str, *, file: Path, line: int | None = None) -> None:
        super().__init__(sentence)
        self.file = file
        self.line = line


@dataclass(frozen=True, slots=True)
class Ratings:
    """All ratings, person by person (in the order of their names), each person's by time, ties in file order.

    `people` str[P]; `starts` int64[P+1]: person p has rows starts[p]:starts[p+1] of `films` int64[N] (film ids),
    `stars` float64[N] and `times` int64[N] (seconds since 1970). Where only the order is known, all stars are
    `ALL_ALIKE` and the times are places in the history, from 0.
    """

    people: npt.NDArray[np.str_]
    starts: npt.NDArray[np.int64]
    films: npt.NDArray[np.int64]
    stars: npt.NDArray[np.float64]
    times: npt.NDArray[np.int64]

    def rows(self, person: int) -> slice:
        """Where that person's ratings lie."""
        return slice(int(self.starts[person]), int(self.starts[person + 1]))


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a recipe's sources hold: `ratings`, the `catalog` with counts, tags and links, and a hash of the files."""

    ratings: Ratings
    catalog: Catalog
    data_hash: str


def load(data: Path, sources: Sequence[Source]) -> Dataset:
    """Read and join `sources` under the folder `data`. Raises DataError with a sentence."""
    connection = ibis.duckdb.connect()
    try:
        tables = [_Tables.open(connection, data, source) for source in sources]
        ratings = _ratings(tables)
        return Dataset(ratings, _catalog(tables, ratings), _hash([path for t in tables for path in t.paths]))
    finally:
        connection.disconnect()


@dataclass(frozen=True, slots=True)
class _Tables:
    """One source. Without `timed`, its timestamps are only places in a history."""

    source: Source
    timed: bool
    ratings: ir.Table
    movies: ir.Table
    tags: ir.Table | None
    links: ir.Table | None
    paths: tuple[Path, ...]

    @classmethod
    def open(cls, connection: Backend, data: Path, source: Source) -> _Tables:
        folder = data / source.folder
        if not folder.is_dir():
            raise DataError(f"There is no folder {folder}.", file=folder)
        paths = {name: _find(folder, name) for name in _COLUMNS}
        timed = paths["ratings"] is not None
        if not timed and (folder / _ORDER_FILE).is_file():
            paths["ratings"] = folder / _ORDER_FILE
        for name in ("ratings", "movies"):
            if paths[name] is None:
                raise DataError(f"{folder} holds no {name}.csv and no {name}.parquet.", file=folder / f"{name}.csv")
        tables = {
            name: _read(connection, path, _ORDER_COLUMNS if path.name == _ORDER_FILE else _COLUMNS[name])
            for name, path in paths.items()
            if path is not None
        }
        ratings = tables["ratings"] if timed else _in_order(tables["ratings"])
        if source.drop_last_person:
            ratings = ratings.filter(ratings.userId < ratings.userId.max().as_scalar())
        prefix = f"{source.name}:" if source.name else ""
        ratings = ratings.mutate(person=ibis.literal(prefix) + ratings.userId.cast("string"))
        tags = tables.get("tags")
        if tags is not None:
            tags = tags.mutate(person=ibis.literal(prefix) + tags.userId.cast("string"))
        found = tuple(path for path in paths.values() if path is not None)
        return cls(source, timed, ratings, tables["movies"], tags, tables.get("links"), found)


def _in_order(watched: ir.Table) -> ir.Table:
    """Ratings made of an order: the place in the history is the time; one whose place is unknown (-1) is left out."""
    placed = watched.filter(watched.pos >= 0)
    return placed.mutate(rating=ibis.literal(ALL_ALIKE), timestamp=placed.pos)


def _find(folder: Path, name: str) -> Path | None:
    for suffix in _SUFFIXES:
        if (path := folder / f"{name}{suffix}").is_file():
            return path
    return None


def _read(connection: Backend, path: Path, columns: Mapping[str, str]) -> ir.Table:
    """A checked table with `columns` and `row`, its place in the file (from 0)."""
    if path.suffix == ".csv":
        table = _read_csv(connection, path, columns)
    elif path.suffix == ".dat":
        table = _read_dat(connection, path, columns)
    else:
        try:
            table = connection.read_parquet(path)
            missing = [column for column in columns if column not in table.columns]
        except DuckDBError as error:
            raise DataError(f"{path.name} cannot be read as Parquet.", file=path) from error
        if missing:
            raise DataError(
                f"{path.name}: expected the columns {', '.join(columns)}, found no {missing[0]}.", file=path
            )
        table = table.select(*columns)
    table = table.mutate(row=ibis.row_number())
    # Held in memory once: every later step would read and parse the file again.
    try:
        table = connection.create_table(gen_name("file"), table, temp=True)
    except DuckDBError as error:
        raise _unreadable(path, error) from error
    _check(path, table, columns)
    return table.select("row", **{column: table[column].try_cast(kind) for column, kind in columns.items()})


def _read_csv(connection: Backend, path: Path, columns: Mapping[str, str]) -> ir.Table:
    try:
        with path.open("rb") as file:
            first = file.readline(_LONGEST_HEADER).decode("utf-8-sig")
        header = next(csv.reader([first]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name}, line 1: expected UTF-8 text with a header row.", file=path, line=1) from error
    missing = [column for column in columns if column not in header]
    if missing:
        raise DataError(
            f"{path.name}, line 1: expected the columns {', '.join(columns)}, found {_shown(','.join(header))}.",
            file=path,
            line=1,
        )
    try:
        table = connection.read_csv(
            path, header=True, auto_detect=False, delim=",", quote='"', escape='"',
            columns=dict.fromkeys(header, "VARCHAR"),
        )  # fmt: skip
    except DuckDBError as error:
        raise _unreadable(path, error) from error
    return table.select(*columns)


def _read_dat(connection: Backend, path: Path, columns: Mapping[str, str]) -> ir.Table:
    try:
        path.read_text(encoding="utf-8")
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = "latin-1"  # as GroupLens publishes movies.dat
    try:
        return connection.read_csv(
            path, header=False, auto_detect=False, delim=_DAT_DELIMITER, quote="", escape="", encoding=encoding,
            columns=dict.fromkeys(columns, "VARCHAR"),
        )  # fmt: skip
    except DuckDBError as error:
        raise _unreadable(path, error) from error


def _check(path: Path, table: ir.Table, columns: Mapping[str, str]) -> None:
    """Raise DataError for the first value that is not what its column needs."""
    marked = table.mutate(**{f"wrong_{name}": _is_wrong(table[name], name, kind) for name, kind in columns.items()})
    first = marked.filter(ibis.or_(*(marked[f"wrong_{name}"] for name in columns))).order_by("row").limit(1)
    for row in first.to_pyarrow().to_pylist():
        column = next(name for name in columns if row[f"wrong_{name}"])
        place, offset = ("row" if path.suffix == ".parquet" else "line"), (2 if path.suffix == ".csv" else 1)
        line = int(row["row"]) + offset
        found = "nothing" if row[column] in (None, "") else _shown(str(row[column]))
        raise DataError(
            f"{path.name}, {place} {line}: expected {_expected(column, columns)} for {column}, found {found}.",
            file=path,
            line=line,
        )


def _is_wrong(raw: ir.Value, column: str, kind: str) -> ir.BooleanValue:
    cast = raw.try_cast(kind)
    empty = raw.isnull() | (raw.cast("string") == "")
    wrong = cast.isnull() & ~empty
    if column not in _MAY_BE_EMPTY:
        wrong = wrong | empty
    if kind == "int64":
        # The cast alone would round “3.5” to 4.
        wrong = wrong | (~empty & (raw.try_cast("float64") != cast.cast("float64")))
    if column == "rating":
        wrong = wrong | cast.isnan() | ~cast.between(0.0, 5.0)
    if column == "movieId":
        wrong = wrong | ~cast.between(1, _HIGHEST_FILM_ID)
    return wrong.fill_null(True)


def _expected(column: str, columns: Mapping[str, str]) -> str:
    if column == "rating":
        return "a number from 0 to 5"
    return "a whole number from 1" if column == "movieId" else _EXPECTED[columns[column]]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _unreadable(path: Path, error: DuckDBError) -> DataError:
    message = str(error)
    line = int(found.group(1)) if (found := _ERROR_LINE.search(message)) else None
    if counts := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message):
        why = f"expected {counts.group(1)} columns, found {counts.group(2)}"
    elif "unterminated quote" in message:
        why = "expected a closing quotation mark"
    elif "unicode" in message:
        why = "expected UTF-8 text"
    else:
        parted = "comma-separated" if path.suffix == ".csv" else f"{_DAT_DELIMITER}-separated"
        why = f"expected {parted} values"
    where = f"{path.name}, line {line}" if line else path.name
    return DataError(f"{where}: {why}.", file=path, line=line)


def _ratings(tables: Sequence[_Tables]) -> Ratings:
    frames: list[ir.Table] = []
    timed: list[ir.Table] = []
    for place, table in enumerate(tables):
        frame = table.ratings.select("person", "movieId", "rating", "timestamp", "row").mutate(source=place)
        for earlier in timed if table.timed else ():
            pairs = earlier.join(frame, ["movieId", "timestamp"]).group_by(["person", "person_right"])
            doubles = pairs.agg(pairs=ibis._.count()).filter(ibis._.pairs >= MIN_DOUBLE_PAIRS)
            frame = frame.anti_join(doubles, frame.person == doubles.person_right)
        frames.append(frame)
        if table.timed:
            timed.append(frame)
    every = ibis.union(*frames) if len(frames) > 1 else frames[0]
    found = every.order_by("person", "timestamp", "source", "row").to_pyarrow()
    if not found.num_rows:
        file = tables[0].paths[0]
        raise DataError(f"{file.name} holds no ratings.", file=file)
    people, starts = np.unique(found["person"].to_numpy().astype(np.str_), return_index=True)
    return Ratings(
        people=people,
        starts=np.append(starts, found.num_rows).astype(np.int64),
        films=found["movieId"].to_numpy(),
        stars=found["rating"].to_numpy(),
        times=found["timestamp"].to_numpy(),
    )


def _catalog(tables: Sequence[_Tables], ratings: Ratings) -> Catalog:
    """All films of the sources that list theirs; of a film that several list, the last one's title and genres."""
    movies: dict[int, tuple[str, str]] = {}
    for table in tables:
        if table.source.list_films:
            listed, listed_here = table.movies.order_by("row").to_pyarrow(), set[int]()
            for film, title, genres in zip(
                *(listed[c].to_pylist() for c in ("movieId", "title", "genres")), strict=True
            ):
                if film in listed_here:
                    raise DataError(f"{table.paths[1].name}: film {film} is listed twice.", file=table.paths[1])
                listed_here.add(film)
                movies[film] = (title, genres)
    links: dict[int, tuple[int | None, int | None]] = {}
    for table in tables:
        if table.links is not None:
            linked = table.links.order_by("row").to_pyarrow()
            for film, imdb, tmdb in zip(*(linked[c].to_pylist() for c in ("movieId", "imdbId", "tmdbId")), strict=True):
                links[film] = (imdb, tmdb)
    counted, counts = np.unique(ratings.films, return_counts=True)
    rated = dict(zip(counted.tolist(), counts.tolist(), strict=True))
    tags = _tags(tables)
    return Catalog.build(
        FilmRecord(
            film_id=film,
            raw_title=title,
            genres=genres,
            rating_count=rated.get(film, 0),
            tags=tags.get(film),
            imdb_id=links.get(film, (None, None))[0],
            tmdb_id=links.get(film, (None, None))[1],
        )
        for film, (title, genres) in movies.items()
    )


def _tags(tables: Sequence[_Tables]) -> dict[int, dict[str, int]]:
    """For each film its tags, lower-cased, with the number of people who gave each; without what is no description."""
    given = [t.tags.select("person", "movieId", "tag") for t in tables if t.tags is not None]
    if not given:
        return {}
    every = ibis.union(*given, distinct=False) if len(given) > 1 else given[0]
    every = every.mutate(tag=every.tag.lower().re_replace(r"\s+", " ").strip())
    every = every.filter(every.tag.length().between(_SHORTEST_TAG, _LONGEST_TAG) & every.tag.re_search("[a-z]"))
    spread = every.group_by("tag").agg(people=every.person.nunique(), films=every.movieId.nunique())
    shelves = spread.filter((spread.people == 1) & (spread.films > _PERSONAL_TAG_FILMS))
    counted = every.anti_join(shelves, "tag").group_by(["movieId", "tag"]).agg(people=ibis._.person.nunique())
    found = counted.order_by("movieId", "tag").to_pyarrow()
    tags: dict[int, dict[str, int]] = {}
    for film, tag, people in zip(*(found[c].to_pylist() for c in ("movieId", "tag", "people")), strict=True):
        if not _SHELF_MARKS.search(tag):
            tags.setdefault(film, {})[tag] = people
    return tags


def _hash(paths: Sequence[Path]) -> str:
    """SHA-256 (hex) over the files' names and contents, in the order of the sources."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
