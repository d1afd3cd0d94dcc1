"""What a film is, and all of them: `Film` and `Catalog`.

Knows MovieLens' way of writing titles and the arrays a bundle keeps the catalogue in. Knows nothing of models, of what
people type (see `engine.titles`) or of who watched what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NewType

import numpy as np
import numpy.typing as npt

FilmId = NewType("FilmId", int)
"""MovieLens' `movieId`; films added by hand start at 1,000,000,000."""

GENRES: tuple[str, ...] = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Film-Noir",
    "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
"""MovieLens' genres, in order of their bits. `IMAX` is a format and `(no genres listed)` is none: neither is here."""

MAX_TAGS = 8
"""Tags kept a film, those given by most people first."""

_YEAR = re.compile(r"\s*\((\d{4})(?:[-–]\s?\d{0,4})?\)*$")
_ALSO_KNOWN_AS = re.compile(r"^a\.?k\.?a\.?:?\s+", re.IGNORECASE)
_UNFINISHED = re.compile(r"\Wor$", re.IGNORECASE)
_OF_A_SERIES = re.compile(r"(?:part|vol\.?|volume|chapter|episode)\b", re.IGNORECASE)
_ARTICLES = (
    "The", "A", "An", "La", "Le", "Les", "L'", "Un", "Une", "Das", "Der", "Die", "Ein", "Eine", "El", "Los", "Las",
    "Una", "Il", "Lo", "Gli", "I", "Den", "Det", "De", "Het", "O", "Os", "As", "En", "Ett", "Da", "Ha-",
)  # fmt: skip
_TRAILING_ARTICLE = re.compile(rf"^(.*), ({'|'.join(map(re.escape, _ARTICLES))})(?=$|[:(]| [-–(])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TitleParts:
    """A MovieLens title taken apart: the name people use, other names it was given, and the year (None: not stated)."""

    title: str
    alternatives: tuple[str, ...]
    year: int | None


def article_first(name: str) -> str:
    """“Godfather: Part II, The” → “The Godfather: Part II”; a name without a trailing article is returned as it is."""
    moved = _TRAILING_ARTICLE.match(name)
    if not moved:
        return name
    article, rest = moved.group(2), name[moved.end() :]
    joint = "" if article.endswith(("'", "-")) else " "
    return f"{article}{joint}{moved.group(1)}{rest}"


def _last_bracket(text: str) -> int | None:
    """Where the bracket that ends a text opens, brackets within it counted; None when no word of its own ends it."""
    if not text.endswith(")"):
        return None
    depth = 0
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] == ")") - (text[place] == "(")
        if depth == 0:
            return place if place > 0 and text[place - 1] == " " else None
    return None


def parse_title(raw: str) -> TitleParts:
    """Undo MovieLens' form: “City of Lost Children, The (Cité des enfants perdus, La) (1995)”.

    Brackets at the end are the year (four digits, or a span of years: its first) and alternative titles, with “a.k.a.”
    taken off. A bracket stays when it belongs to a word (“Bébé(s)”), says which part it is (“Ah Boys to Men (Part 1)”),
    is what an “or” waits for (“Birdman: Or (…)”) or is all there is.
    """
    rest = " ".join(raw.split())
    year: int | None = None
    alternatives: list[str] = []
    while rest:
        if (stated := _YEAR.search(rest)) and stated.start() > 0:
            year, rest = year or int(stated.group(1)), rest[: stated.start()]
            continue
        rest = article_first(rest)
        opened = _last_bracket(rest)
        if opened is None or _UNFINISHED.search(rest[:opened].rstrip()):
            break
        inner = _ALSO_KNOWN_AS.sub("", rest[opened + 1 : -1].strip())
        if _OF_A_SERIES.match(inner):
            break
        rest = rest[:opened].rstrip()
        if any(c.isalnum() for c in inner):
            alternatives.insert(0, article_first(inner))
    return TitleParts(rest, tuple(alternatives), year)


@dataclass(frozen=True, slots=True)
class Film:
    """One entry of the catalogue. `rating_count` is how many people of the training data rated it."""

    film_id: FilmId
    title: str
    year: int | None
    alternatives: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rating_count: int = 0
    imdb_id: str | None = None
    tmdb_id: int | None = None

    @property
    def label(self) -> str:
        """Title and year, as shown everywhere: “Suspiria (1977)”."""
        return self.title if self.year is None else f"{self.title} ({self.year})"


@dataclass(frozen=True, slots=True)
class FilmRecord:
    """A film as it comes out of the data files, before it is packed: `tags` by how many people gave each."""

    film_id: int
    raw_title: str
    genres: str
    rating_count: int = 0
    tags: Mapping[str, int] | None = None
    imdb_id: int | None = None
    tmdb_id: int | None = None


class _Strings:
    """A packed list of strings: UTF-8 bytes and offsets, decoded one at a time."""

    def __init__(self, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.uint32]) -> None:
        self.data, self.offsets = data, offsets

    @classmethod
    def pack(cls, strings: Iterable[str]) -> _Strings:
        encoded = [s.encode() for s in strings]
        offsets = np.zeros(len(encoded) + 1, np.uint32)
        np.cumsum([len(e) for e in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> str:
        return self.data[self.offsets[i] : self.offsets[i + 1]].tobytes().decode()


def _check_lengths(arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """ValueError names the first array of a catalogue that has not the length that the others ask for."""
    films = arrays["film_ids"].size
    by_row = ("film_ids", "years", "genre_bits", "rating_counts", "imdb_ids", "tmdb_ids")
    lengths = dict.fromkeys(by_row, films) | {"title_offsets": films + 1, "film_tag_offsets": films + 1}
    for offsets, packed in (
        ("title_offsets", "title_bytes"),
        ("film_tag_offsets", "film_tags"),
        ("tag_offsets", "tag_bytes"),
    ):
        lengths[packed] = int(arrays[offsets].flat[-1]) if arrays[offsets].size else -1
    for name, length in lengths.items():
        if arrays[name].shape != (length,):
            raise ValueError(f"{name} has the shape {arrays[name].shape}, not ({length},)")


class Catalog:
    """All films, by row 0…N-1 in the order of `film_ids` (ascending); `Film` objects are made when they are asked for.

    Arrays by row: `film_ids` int32[N], `years` uint16[N] (0: not stated), `genre_bits` uint32[N] (bit i = `GENRES[i]`),
    `rating_counts` int32[N]. Tags by number: those of row r are
    `film_tags[film_tag_offsets[r] : film_tag_offsets[r + 1]]`, those given by most people first; `tag` has their words.
    """

    _ARRAYS = (
        "film_ids", "years", "genre_bits", "rating_counts", "imdb_ids", "tmdb_ids",
        "title_bytes", "title_offsets", "tag_bytes", "tag_offsets", "film_tag_offsets", "film_tags",
    )  # fmt: skip

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """`arrays` as `save` wrote them; KeyError names one that is missing, ValueError one that does not fit."""
        # A plain view of a mapped array: slices of `np.memmap` itself cost ten times as much.
        arrays = {name: np.asarray(arrays[name]) for name in self._ARRAYS}
        _check_lengths(arrays)
        self._arrays = arrays
        self.film_ids: npt.NDArray[np.int32] = arrays["film_ids"]
        self.years: npt.NDArray[np.uint16] = arrays["years"]
        self.genre_bits: npt.NDArray[np.uint32] = arrays["genre_bits"]
        self.rating_counts: npt.NDArray[np.int32] = arrays["rating_counts"]
        self.film_tag_offsets: npt.NDArray[np.uint32] = arrays["film_tag_offsets"]
        self.film_tags: npt.NDArray[np.unsignedinteger] = arrays["film_tags"]
        self._titles = _Strings(arrays["title_bytes"], arrays["title_offsets"])
        self._tags = _Strings(arrays["tag_bytes"], arrays["tag_offsets"])

    @classmethod
    def build(cls, records: Iterable[FilmRecord]) -> Catalog:
        """Pack records; they are sorted by film id. ValueError if an id is there twice."""
        films = sorted(records, key=lambda r: r.film_id)
        ids = np.array([f.film_id for f in films], np.int32)
        if len(np.unique(ids)) != len(ids):
            raise ValueError("a film id is in the catalogue twice")
        parts = [parse_title(f.raw_title) for f in films]
        bit = {genre: 1 << i for i, genre in enumerate(GENRES)}
        tag_rows: dict[str, int] = {}
        film_tags: list[int] = []
        film_tag_offsets = [0]
        for film in films:
            tags = sorted((film.tags or {}).items(), key=lambda item: (-item[1], item[0]))[:MAX_TAGS]
            film_tags += [tag_rows.setdefault(tag, len(tag_rows)) for tag, _ in tags]
            film_tag_offsets.append(len(film_tags))
        titles = _Strings.pack("\n".join((p.title, *p.alternatives)) for p in parts)
        tags_packed = _Strings.pack(tag_rows)
        return cls(
            {
                "film_ids": ids,
                "years": np.array([p.year or 0 for p in parts], np.uint16),
                "genre_bits": np.array(
                    [sum(bit.get(g, 0) for g in set(f.genres.split("|"))) for f in films], np.uint32
                ),
                "rating_counts": np.array([f.rating_count for f in films], np.int32),
                "imdb_ids": np.array([f.imdb_id or 0 for f in films], np.int32),
                "tmdb_ids": np.array([f.tmdb_id or 0 for f in films], np.int32),
                "title_bytes": titles.data,
                "title_offsets": titles.offsets,
                "tag_bytes": tags_packed.data,
                "tag_offsets": tags_packed.offsets,
                "film_tag_offsets": np.array(film_tag_offsets, np.uint32),
                "film_tags": np.array(film_tags, np.uint16 if len(tag_rows) < 2**16 else np.uint32),
            }
        )

    def save(self, folder: Path) -> None:
        """Write one `.npy` an array into `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self._arrays.items():
            np.save(folder / f"{name}.npy", array)

    @classmethod
    def load(cls, folder: Path) -> Catalog:
        """Map what `save` wrote; FileNotFoundError or ValueError when it is not there or not an array."""
        return cls({name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in cls._ARRAYS})

    def __len__(self) -> int:
        return len(self.film_ids)

    def __iter__(self) -> Iterator[Film]:
        return (self.film_at(row) for row in range(len(self)))

    def row_of(self, film_id: int) -> int | None:
        """The row of a film id, or None when the catalogue does not hold it."""
        row = int(np.searchsorted(self.film_ids, film_id))
        return row if row < len(self) and self.film_ids[row] == film_id else None

    def rows_of(self, film_ids: Sequence[int] | npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
        """The rows of those ids that the catalogue holds, in their order; the others are left out."""
        wanted = np.asarray(film_ids, np.int64)
        rows = np.searchsorted(self.film_ids, wanted)
        inside = rows < len(self)
        found: npt.NDArray[np.intp] = rows[inside][self.film_ids[rows[inside]] == wanted[inside]]
        return found

    def film(self, film_id: int) -> Film | None:
        """The film of an id, or None when the catalogue does not hold it."""
        row = self.row_of(film_id)
        return None if row is None else self.film_at(row)

    def names_at(self, row: int) -> tuple[str, ...]:
        """The title and then the alternative titles of a row."""
        return tuple(self._titles[row].split("\n"))

    def genres_at(self, row: int) -> tuple[str, ...]:
        """The genres of a row, in the order of `GENRES`."""
        bits = int(self.genre_bits[row])
        return tuple(genre for i, genre in enumerate(GENRES) if bits >> i & 1)

    def tags_at(self, row: int) -> tuple[str, ...]:
        """The tags of a row, those given by most people first, at most `MAX_TAGS`."""
        offsets = self.film_tag_offsets
        return tuple(self._tags[int(t)] for t in self.film_tags[int(offsets[row]) : int(offsets[row + 1])])

    def tag(self, number: int) -> str:
        """The words of a tag, 0 ≤ number < `tag_count`."""
        return self._tags[number]

    @property
    def tag_count(self) -> int:
        """How many different tags there are."""
        return len(self._tags)

    def film_at(self, row: int) -> Film:
        """The film of a row; IndexError when there is no such row."""
        title, *alternatives = self.names_at(row)
        imdb, tmdb = int(self._arrays["imdb_ids"][row]), int(self._arrays["tmdb_ids"][row])
        return Film(
            film_id=FilmId(int(self.film_ids[row])),
            title=title,
            year=int(self.years[row]) or None,
            alternatives=tuple(alternatives),
            genres=self.genres_at(row),
            tags=self.tags_at(row),
            rating_count=int(self.rating_counts[row]),
            imdb_id=f"tt{imdb:07d}" if imdb else None,
            tmdb_id=tmdb or None,
        )
