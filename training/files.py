"""The files of a MovieLens folder as checked tables: every form in which GroupLens has published ratings.

| set | files |
|---|---|
| 100k | `u.data`, `u.item`, `u.genre` |
| 1M, 10M | `ratings.dat`, `movies.dat`, `tags.dat` |
| 20M, 25M, 32M, latest, latest-small | `ratings.csv`, `movies.csv`, `tags.csv`, `links.csv` |
| any | Parquet files of the same names and columns; `interactions_ordered.parquet`, which knows the order alone |

Knows files, their columns, their ranges and what is wrong with them: the first bad value is named with its line. Knows
nothing of what becomes of the tables (`training.preparation`, `training.datasets`).

A file is read once with typed columns and looked over in one pass; only where that finds something wrong it is read
again as text, to say which line it is. So a good file of 32 million lines costs no more than its reading.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import ibis
import ibis.expr.types as ir
from duckdb import Error as DuckDBError
from ibis.backends.duckdb import Backend
from ibis.util import gen_name

from training.errors import TrainingError

NO_GENRES = "(no genres listed)"
"""What MovieLens writes for a film of no genre."""
ALL_ALIKE = 5.0
"""What stands for every rating where only the order is known: whoever rates all films alike likes them all."""


class Name(StrEnum):
    """What a file of a folder is about."""

    RATINGS = "ratings"
    MOVIES = "movies"
    TAGS = "tags"
    LINKS = "links"


_COLUMNS: Mapping[Name, Mapping[str, str]] = {
    Name.RATINGS: {"userId": "int64", "movieId": "int64", "rating": "float64", "timestamp": "int64"},
    Name.MOVIES: {"movieId": "int64", "title": "string", "genres": "string"},
    Name.TAGS: {"userId": "int64", "movieId": "int64", "tag": "string"},
    Name.LINKS: {"movieId": "int64", "imdbId": "int64", "tmdbId": "int64"},
}
_SUFFIXES = (".csv", ".parquet", ".dat")
_ORDER_FILE = "interactions_ordered.parquet"
_ORDER_COLUMNS: Mapping[str, str] = {"userId": "int64", "movieId": "int64", "pos": "int64"}
_GENRE_FLAG = "genre_{}"
_ITEM_COLUMNS = {"movieId": "int64", "title": "string", "released": "string", "video": "string", "url": "string"}
"""Of `u.item`; one column a genre of `u.genre` follows."""

HEADLESS = {".dat": "::", ".data": "\t", ".item": "|"}
"""Files without a header row or quotation marks, and what parts their columns."""
_MORE_COLUMNS = {"tags.dat": ("timestamp",)}
"""Columns at the end of a headless file that are of no use."""

_MAY_BE_EMPTY = frozenset({"imdbId", "tmdbId", "tag", "released", "video", "url"})
_EXPECTED = {"int64": "a whole number", "float64": "a number", "string": "text"}
_LONGEST_HEADER = 4096
_HIGHEST_FILM_ID = 2**31 - 1
_HIGHEST_STARS = 5.0
_ERROR_LINE = re.compile(r"Line: (\d+)")


class DataError(TrainingError):
    """Data that cannot be used. `str(error)` names the file, the line where there is one, and what was expected."""

    def __init__(self, sentence: str, *, file: Path, line: int | None = None) -> None:
        super().__init__(sentence)
        self.file = file
        self.line = line


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a file holds: its `kind`, how many places are `empty`, and for numbers the range."""

    kind: str
    empty: int
    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True, slots=True)
class FileReport:
    """What a file holds, as found before anything was made of it."""

    file: str
    rows: int
    columns: Mapping[str, Column]


class Reader(Protocol):
    """What reads the rows of a ratings file in place of DuckDB: Spark in `training.spark`."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What it raises, then or when the table is used, where a file cannot be read."""

    def numbers(self, path: Path, columns: Mapping[str, str], header: Sequence[str] | None) -> ir.Table:
        """`columns` as float64 and `row`, the place in the file (ascending, not without gaps); `header` are all
        columns of a text file, None for Parquet."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one MovieLens folder. Without `timed`, its timestamps are only places in a history."""

    timed: bool
    ratings: ir.Table
    movies: ir.Table
    tags: ir.Table | None
    links: ir.Table | None
    paths: Mapping[Name, Path]
    reports: tuple[FileReport, ...]


def open_folder(connection: Backend, folder: Path, ratings_reader: Reader | None = None) -> Folder:
    """The folder's checked tables, each with `row` and its columns by the names of MovieLens' CSV files.

    `ratings` has `userId`, `movieId`, `rating`, `timestamp`. `ratings_reader` reads that file in place of DuckDB, which
    reads the others in any case. Raises DataError for what is missing or wrong.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.", file=folder)
    paths = {name: path for name in Name if (path := _find(folder, name)) is not None}
    timed = Name.RATINGS in paths
    if not timed and (folder / _ORDER_FILE).is_file():
        paths[Name.RATINGS] = folder / _ORDER_FILE
    paths = {name: paths[name] for name in Name if name in paths}  # their order is part of the data's hash
    for name in (Name.RATINGS, Name.MOVIES):
        if name not in paths:
            raise DataError(f"{folder} holds no {name}.csv and no {name}.parquet.", file=folder / f"{name}.csv")
    tables, reports = dict[Name, ir.Table](), []
    for name, path in paths.items():
        columns = _columns(name, path)
        reader = ratings_reader if name is Name.RATINGS else None
        tables[name], report = _read(connection, path, columns, reader)
        reports.append(report)
    ratings, movies = tables[Name.RATINGS], tables[Name.MOVIES]
    if not timed:
        # One whose place is unknown (-1) is left out.
        ratings = ratings.filter(ratings.pos >= 0).mutate(rating=ibis.literal(ALL_ALIKE), timestamp=ibis._.pos)
    if paths[Name.MOVIES].suffix == ".item":
        movies = _with_genres(movies, _genres(paths[Name.MOVIES].with_name("u.genre")))
    return Folder(timed, ratings, movies, tables.get(Name.TAGS), tables.get(Name.LINKS), paths, tuple(reports))


def _find(folder: Path, name: Name) -> Path | None:
    hundred = {Name.RATINGS: "u.data", Name.MOVIES: "u.item"}
    named = [f"{name}{suffix}" for suffix in _SUFFIXES] + ([hundred[name]] if name in hundred else [])
    return next((folder / file for file in named if (folder / file).is_file()), None)


def _columns(name: Name, path: Path) -> Mapping[str, str]:
    if path.name == _ORDER_FILE:
        return _ORDER_COLUMNS
    if path.suffix == ".item":
        flags = {_GENRE_FLAG.format(place): "int64" for place in range(len(_genres(path.with_name("u.genre"))))}
        return {**_ITEM_COLUMNS, **flags}
    return _COLUMNS[name]


def _genres(path: Path) -> list[str]:
    """The genres of MovieLens 100k, in the order of `u.item`'s last columns."""
    try:
        lines = [line for line in path.read_text(encoding="latin-1").splitlines() if line.strip()]
    except OSError as error:
        raise DataError(f"{path.parent} holds no {path.name}, which names the genres of u.item.", file=path) from error
    return [line.rpartition("|")[0] for line in lines]


def _with_genres(items: ir.Table, genres: Sequence[str]) -> ir.Table:
    """`u.item` as movies.csv has it: the names of the genres that are flagged, parted by bars."""
    named = ibis.literal("")
    for place, genre in enumerate(genres):
        if genre != "unknown":
            named = named + ibis.ifelse(items[_GENRE_FLAG.format(place)] == 1, f"|{genre}", "")
    return items.select("row", "movieId", "title", genres=ibis.ifelse(named == "", NO_GENRES, named.substr(1)))


def _read(
    connection: Backend, path: Path, columns: Mapping[str, str], reader: Reader | None
) -> tuple[ir.Table, FileReport]:
    """A checked table with `columns` and `row`, its place in the file, and what was found in it."""
    header = _header(path, columns)
    unreadable: tuple[type[Exception], ...] = (DuckDBError, *reader.errors) if reader else (DuckDBError,)
    try:
        if reader is None:
            table = _loaded(connection, path, columns, header, typed=True)
        else:
            table = reader.numbers(path, columns, header)
        report = _report(path, table, columns)
        sound = _is_sound(report, table, columns)
    except unreadable:
        sound = False
    if not sound:
        try:
            table = _loaded(connection, path, columns, header, typed=False)
        except DuckDBError as error:
            raise _unreadable(path, error) from error
        _check(path, table, columns)
        cast = table.select("row", **{name: _cast(table[name], kind) for name, kind in columns.items()})
        table = connection.create_table(gen_name("file"), cast)
        report = _report(path, table, columns)
    return table.select("row", **{name: _cast(table[name], kind) for name, kind in columns.items()}), report


def _cast(column: ir.Value, kind: str) -> ir.Value:
    return column if str(column.type()) == kind else column.try_cast(kind)


def _header(path: Path, columns: Mapping[str, str]) -> list[str] | None:
    """All columns of a text file; None for Parquet."""
    if path.suffix == ".parquet":
        return None
    if path.suffix in HEADLESS:
        return [*columns, *_MORE_COLUMNS.get(path.name, ())]
    try:
        with path.open("rb") as file:
            first = file.readline(_LONGEST_HEADER).decode("utf-8-sig")
        header = next(csv.reader([first]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name}, line 1: expected UTF-8 text with a header row.", file=path, line=1) from error
    if any(column not in header for column in columns):
        raise DataError(
            f"{path.name}, line 1: expected the columns {', '.join(columns)}, found {_shown(','.join(header))}.",
            file=path,
            line=1,
        )
    return header


def _loaded(
    connection: Backend, path: Path, columns: Mapping[str, str], header: Sequence[str] | None, *, typed: bool
) -> ir.Table:
    """The columns of a file with `row`, stored: every later step would read and parse the file again.

    With `typed`, numbers are float64, whole ones too: DuckDB would round “3.5” to 4. Without, all of a text file is
    text.
    """
    if header is None:
        try:
            read = connection.read_parquet(path)
        except DuckDBError as error:
            raise DataError(f"{path.name} cannot be read as Parquet.", file=path) from error
        if missing := [column for column in columns if column not in read.columns]:
            raise DataError(
                f"{path.name}: expected the columns {', '.join(columns)}, found no {missing[0]}.", file=path
            )
    else:
        numbers = {name for name, kind in columns.items() if kind != "string"} if typed else set()
        kinds = {name: "DOUBLE" if name in numbers else "VARCHAR" for name in header}
        form = {"header": True, "delim": ",", "quote": '"', "escape": '"'}
        if path.suffix in HEADLESS:
            form = {"header": False, "delim": HEADLESS[path.suffix], "quote": "", "escape": ""}
            form["encoding"] = _encoding(path)
        read = connection.read_csv(path, auto_detect=False, columns=kinds, **form)
    stored = connection.create_table(gen_name("file"), read.select(*columns))
    return stored.mutate(row=stored.rowid())


def _encoding(path: Path) -> str:
    """Film titles are UTF-8 or, as GroupLens publishes MovieLens 100k and 1M, Latin-1; ratings are ASCII."""
    if path.stem in ("ratings", "u") and path.suffix != ".item":
        return "utf-8"
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _report(path: Path, table: ir.Table, columns: Mapping[str, str]) -> FileReport:
    """One pass over the table: rows, empty places, and the range of numbers."""
    asked: dict[str, ir.Value] = {"rows": table.count()}
    for place, (name, kind) in enumerate(columns.items()):
        column = table[name]
        asked[f"empty_{place}"] = column.isnull().sum()
        if kind != "string" and column.type().is_numeric():
            asked[f"low_{place}"], asked[f"high_{place}"] = column.min(), column.max()
    found = table.aggregate(**asked).to_pyarrow().to_pylist()[0]
    described = {}
    for place, (name, kind) in enumerate(columns.items()):
        low, high = _number(found.get(f"low_{place}")), _number(found.get(f"high_{place}"))
        described[name] = Column(kind, int(found[f"empty_{place}"] or 0), low, high)
    return FileReport(path.name, int(found["rows"]), described)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _is_sound(report: FileReport, table: ir.Table, columns: Mapping[str, str]) -> bool:
    """Whether nothing in the file can be wrong, as far as types, ranges and empty places tell."""
    fractions = []
    for name, kind in columns.items():
        found = report.columns[name]
        if kind == "string":
            if not table[name].type().is_string() or (name not in _MAY_BE_EMPTY and found.empty):
                return False
            continue
        if not table[name].type().is_numeric() or (found.empty and name not in _MAY_BE_EMPTY):
            return False
        if kind == "int64" and not table[name].type().is_integer():
            fractions.append((table[name] != table[name].floor()).any())
        # Not a number is above all numbers to DuckDB, and below none to Spark.
        low, high = found.lowest, found.highest
        bounds = {"rating": (0.0, _HIGHEST_STARS), "movieId": (1, _HIGHEST_FILM_ID)}.get(name, (-(2.0**53), 2.0**53))
        if low is not None and high is not None and not (bounds[0] <= low and high <= bounds[1]):
            return False
    if fractions:
        found_any = table.aggregate(**{f"any_{i}": one for i, one in enumerate(fractions)}).to_pyarrow().to_pylist()[0]
        return not any(found_any.values())
    return True


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
        wrong = wrong | cast.isnan() | ~cast.between(0.0, _HIGHEST_STARS)
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
        delimiter = HEADLESS.get(path.suffix, ",")
        why = f"expected {'comma' if delimiter == ',' else repr(delimiter)}-separated values"
    where = f"{path.name}, line {line}" if line else path.name
    return DataError(f"{where}: {why}.", file=path, line=line)
