"""Ratings, films, tags and links from one MovieLens folder or from several, as arrays that fit in memory.

Knows how sources are joined, which tags say nothing of a film, and what is odd about the data. Files and their forms
are `training.files`, the order of histories is `training.preparation`, what a recipe makes of a history is
`training.sequences`.

The work is done by DuckDB in a file of its own in the temporary folder, so that what does not fit in memory lies there;
32 million ratings become 0.8 GB of arrays.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet
from duckdb import Error as DuckDBError
from ibis.backends.duckdb import Backend
from pydantic import JsonValue

from engine.films import Catalog, FilmRecord
from training.errors import TrainingError
from training.files import DataError, FileReport, Folder, Name, Reader, open_folder
from training.preparation import Rated, joined, long_table, people
from training.recipe import Source

MEMORY = "1500MB"
"""What DuckDB may hold in memory; the rest lies on disk."""

_CHUNK_ROWS = 1_000_000
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


@dataclass(frozen=True, slots=True)
class Ratings:
    """All ratings, person by person (in the order of their names), each person's by time, ties in file order.

    `people` str[P]; `starts` int64[P+1]: person p has rows starts[p]:starts[p+1] of `films` int64[N] (film ids),
    `stars` float64[N] and `times` int64[N] (seconds since 1970). Where only the order is known, all stars are
    `files.ALL_ALIKE` and the times are places in the history, from 0.
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
class DataReport:
    """What was found before training: each file's columns with types and ranges, and over all sources

    `people`, `films` and `rows` that are left when doubles between sources are dropped; `doubles`: how often somebody
    rated a film that they had rated before; `future`: ratings later than now; `unlisted`: ratings of films that no
    source lists.
    """

    files: tuple[FileReport, ...]
    rows: int
    people: int
    films: int
    doubles: int
    future: int
    unlisted: int

    def problems(self) -> list[str]:
        """One sentence for each thing that is odd but can be trained on."""
        found = (
            (self.doubles, "somebody rated a film again", "every one counts as a watch"),
            (
                self.future,
                "a rating is from the future",
                "a clock is wrong, theirs or this one",
            ),
            (self.unlisted, "a rated film is not listed among the films", "such films are not trained on"),
        )
        return [f"{_times(count)} {what}: {then}." for count, what, then in found if count]

    def stored(self) -> dict[str, JsonValue]:
        """As it goes into a bundle's manifest."""
        found: dict[str, JsonValue] = json.loads(json.dumps(asdict(self)))
        return found


def _times(count: int) -> str:
    return "Once" if count == 1 else f"{count:,} times"


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a recipe's sources hold: `ratings`, the `catalog` with counts, tags and links, a hash of the files, and what
    was found in them."""

    ratings: Ratings
    catalog: Catalog
    data_hash: str
    report: DataReport


def load(data: Path, sources: Sequence[Source], ratings_reader: Reader | None = None) -> Dataset:
    """Read and join `sources` under the folder `data`; `ratings_reader` in place of DuckDB, such as Spark's.

    Raises DataError with a sentence for data that cannot be used, TrainingError when the disk is full.
    """
    with _scratch() as (connection, scratch):
        folders = [_Source(source, open_folder(connection, data / source.folder, ratings_reader)) for source in sources]
        timed = all(opened.folder.timed for opened in folders)
        ratings = _ratings(folders, scratch)
        catalog = _catalog(folders, ratings)
        report = DataReport(
            files=tuple(report for opened in folders for report in opened.folder.reports),
            rows=len(ratings.films),
            people=len(ratings.people),
            films=len(np.unique(ratings.films)),
            doubles=_doubles(ratings),
            future=int((ratings.times > time.time()).sum()) if timed else 0,
            unlisted=int((~np.isin(ratings.films, catalog.film_ids)).sum()),
        )
        paths = [path for opened in folders for path in opened.folder.paths.values()]
        return Dataset(ratings, catalog, _hash(paths), report)


@dataclass(frozen=True, slots=True)
class _Source:
    """A source of the recipe and its opened folder."""

    source: Source
    folder: Folder

    def rated(self) -> Rated:
        return Rated(self.folder.ratings, self.folder.timed, self.source.name, self.source.drop_last_person)


@contextmanager
def _scratch() -> Iterator[tuple[Backend, Path]]:
    """A database of its own on disk and the folder that it lies in, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="nextreel-", ignore_cleanup_errors=True) as folder:
        connection = ibis.duckdb.connect(
            Path(folder) / "preparation.duckdb",
            memory_limit=MEMORY,
            temp_directory=str(Path(folder) / "spilled"),
            threads=os.cpu_count() or 1,
        )
        try:
            yield connection, Path(folder)
        except DuckDBError as error:
            if "No space left" in str(error) or "could not write" in str(error).lower():
                raise TrainingError(
                    f"The disk of {tempfile.gettempdir()} is full; set TMPDIR to a folder with more room."
                ) from error
            raise
        finally:
            connection.disconnect()


def _ratings(folders: Sequence[_Source], scratch: Path) -> Ratings:
    every = joined([opened.rated() for opened in folders])
    everybody = people(every).to_pyarrow()
    rows = int(everybody["rows"].to_numpy().sum()) if everybody.num_rows else 0
    if not rows:
        file = folders[0].folder.paths[Name.RATINGS]
        raise DataError(f"{file.name} holds no ratings.", file=file)
    films, stars, times = np.empty(rows, np.int64), np.empty(rows, np.float64), np.empty(rows, np.int64)
    start = 0
    for batch in _batches(long_table(every), scratch / "ordered.parquet"):
        piece = slice(start, start + batch.num_rows)
        columns = (batch[name].to_numpy(zero_copy_only=False) for name in ("film", "stars", "time"))
        films[piece], stars[piece], times[piece] = columns
        start = piece.stop
    starts = np.concatenate([[0], np.cumsum(everybody["rows"].to_numpy())]).astype(np.int64)
    names = everybody["person"].to_numpy(zero_copy_only=False).astype(np.str_)
    return Ratings(names, starts, films, stars, times)


def _batches(table: ir.Table, path: Path) -> Iterator[pa.RecordBatch]:
    """The table's rows in its order, some at a time, by way of Parquet at `path`: DuckDB writes one file, Spark a
    folder of parts whose names are in order, and neither holds the whole in memory."""
    table.to_parquet(path)
    for part in sorted(path.glob("*.parquet")) if path.is_dir() else [path]:
        with pyarrow.parquet.ParquetFile(part) as file:
            yield from file.iter_batches(_CHUNK_ROWS)


def _doubles(ratings: Ratings) -> int:
    """How many ratings are of a film that the same person has another rating of."""
    keys = np.repeat(np.arange(len(ratings.people), dtype=np.int64) << 32, np.diff(ratings.starts))
    keys |= ratings.films
    keys.sort()
    return int((keys[1:] == keys[:-1]).sum())


def _catalog(folders: Sequence[_Source], ratings: Ratings) -> Catalog:
    """All films of the sources that list theirs; of a film that several list, the last one's title and genres."""
    movies: dict[int, tuple[str, str]] = {}
    for opened in folders:
        if opened.source.list_films:
            listed, listed_here = opened.folder.movies.order_by("row").to_pyarrow(), set[int]()
            for film, title, genres in zip(
                *(listed[c].to_pylist() for c in ("movieId", "title", "genres")), strict=True
            ):
                if film in listed_here:
                    path = opened.folder.paths[Name.MOVIES]
                    raise DataError(f"{path.name}: film {film} is listed twice.", file=path)
                listed_here.add(film)
                movies[film] = (title, genres)
    links: dict[int, tuple[int | None, int | None]] = {}
    for opened in folders:
        if opened.folder.links is not None:
            linked = opened.folder.links.order_by("row").to_pyarrow()
            for film, imdb, tmdb in zip(*(linked[c].to_pylist() for c in ("movieId", "imdbId", "tmdbId")), strict=True):
                links[film] = (imdb, tmdb)
    counted, counts = np.unique(ratings.films, return_counts=True)
    rated = dict(zip(counted.tolist(), counts.tolist(), strict=True))
    tags = _tags(folders)
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


def _tags(folders: Sequence[_Source]) -> dict[int, dict[str, int]]:
    """For each film its tags, lower-cased, with the number of people who gave each; without what is no description."""
    given = [
        own.select("movieId", "tag", person=ibis.literal(f"{opened.source.name}:") + own.userId.cast("string"))
        for opened in folders
        if (own := opened.folder.tags) is not None
    ]
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
    for film, tag, givers in zip(*(found[c].to_pylist() for c in ("movieId", "tag", "people")), strict=True):
        if not _SHELF_MARKS.search(tag):
            tags.setdefault(film, {})[tag] = givers
    return tags


def _hash(paths: Sequence[Path]) -> str:
    """SHA-256 (hex) over the files' names and contents, in the order of the sources."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
