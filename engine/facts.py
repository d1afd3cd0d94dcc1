"""What can be said of films from the catalogue alone: genres, decades, tags, how well known, and what two films share.

Knows the catalogue's arrays, by row. Knows no model and no person: `engine.explain` makes reasons of these facts, and
`engine.recommender` falls back on them for films that the model has never met.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.films import GENRES, MAX_TAGS, Catalog

Rows = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

MIN_FILMS_OF_A_TAG = 4
"""A tag that fewer films carry is one person's word, not a kind of film."""

_OPINIONS = re.compile(
    r"\b(?:good|great|best|bad|better|excellent|amazing|awesome|perfect|masterpiece|brilliant|superb|classic|favou?rite"
    r"|dull|tedious"
    r"|predictable|overrated|underrated|boring|disappointing|slow|slow paced|too long|long|short|pretentious|confusing"
    r"|interesting|entertaining|beautiful|unique|original|fun|funny|hilarious|silly|stupid|ridiculous|pointless|cliche|unrealistic"
    r"|historically inaccurate|plot|plot holes|story|storyline|storytelling|acting|dialogue|script|screenplay"
    r"|screenwriting|ending|cinematography|photography|soundtrack|performances?|directorial debut|oscar|academy award"
    r"|golden raspberry|afi|imdb|top 250|criterion|bechdel|seen|watched|ok|okay|meh|weak|fine|cool|wow|rare"
    r"|life|love|death|women|plot twist|twist|twist ending|surprise ending|usa|highly quotable|quotable|not|sequel"
    r"|remake|franchise|easily confused|rape|incest|masturbation|unsimulated sex|sex|sex scenes|nudity"
    r"|beautiful woman|atmospheric|visually appealing|touching)\b"
)
"""Tags that praise, blame, give away or say little: true of somebody's evening, not a reason to see a film."""
_TELLING = re.compile(r"[a-z0-9][a-z0-9' .&-]{2,27}")
_SAME_AS_GENRE = {
    "sci fi", "science fiction", "scifi", "animated", "cartoon", "kids", "family", "children's", "documentary film",
    "noir", "film noir", "war movie", "scary", "romantic", "comedic", "musicals", "westerns", "historical",
}  # fmt: skip
_DECADE_TAG = re.compile(r"(?:19|20)\d0s?")


class Facts:
    """The catalogue in bulk, by row, N in all: `genre_bits` uint32[N] and `years` int32[N] (0: not stated)."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.genre_bits: npt.NDArray[np.uint32] = np.ascontiguousarray(catalog.genre_bits, np.uint32)
        self.years = np.ascontiguousarray(catalog.years, np.int32)

    @cached_property
    def genre_vectors(self) -> Floats:
        """Unit vectors float32[N, 18] over the genres; zeros for a film without any."""
        has = (self.genre_bits[:, None] >> np.arange(len(GENRES), dtype=np.uint32)) & 1
        lengths = np.sqrt(np.maximum(1, has.sum(axis=1, keepdims=True)))
        vectors: Floats = (has / lengths).astype(np.float32)
        return vectors

    @cached_property
    def fame(self) -> Floats:
        """log(1 + ratings) of each film, standardised over the films that were rated at all; float32[N]."""
        known = np.log1p(self.catalog.rating_counts.astype(np.float32))
        rated = known[known > 0]
        if not len(rated) or rated.std() == 0:
            return known
        standardised: Floats = (known - rated.mean()) / rated.std()
        return standardised

    @cached_property
    def _counts_descending(self) -> npt.NDArray[np.int32]:
        return -np.sort(-self.catalog.rating_counts)

    @cached_property
    def tagged_share(self) -> Floats:
        """How many tags a film has, of those that are kept at most; float32[N] from 0 to 1. Loved films gather tags."""
        share: Floats = (np.diff(self.catalog.film_tag_offsets) / MAX_TAGS).astype(np.float32)
        return share

    def fame_rank(self, row: int) -> int:
        """The film's place by number of ratings, 1 is the most rated."""
        return 1 + int(np.searchsorted(-self._counts_descending, -int(self.catalog.rating_counts[row])))

    # Tags

    @cached_property
    def _tag_words(self) -> dict[str, int]:
        return {self.catalog.tag(number).casefold(): number for number in range(self.catalog.tag_count)}

    @cached_property
    def _tagged_rows(self) -> Rows:
        """The row of each entry of `film_tags`."""
        return np.repeat(np.arange(len(self.catalog)), np.diff(self.catalog.film_tag_offsets).astype(np.int64))

    @cached_property
    def _telling(self) -> Mask:
        """By tag number: whether the tag describes a film, in words that several films share."""
        films = np.bincount(self.catalog.film_tags, minlength=self.catalog.tag_count)
        telling = films >= MIN_FILMS_OF_A_TAG
        for number in np.flatnonzero(telling):
            words = self.catalog.tag(int(number)).casefold()
            telling[number] = (
                _TELLING.fullmatch(words) is not None
                and _OPINIONS.search(words) is None
                and _DECADE_TAG.fullmatch(words) is None
                and words not in _SAME_AS_GENRE
                and words not in _GENRE_WORDS
            )
        return telling

    def carries(self, tags: Sequence[str]) -> Floats:
        """Which share of these tags each film carries, float32[N]; a tag is matched whole, whatever its case."""
        numbers = [number for tag in tags if (number := self._tag_words.get(tag.casefold().strip())) is not None]
        entries = np.flatnonzero(np.isin(self.catalog.film_tags, numbers))
        counts = np.bincount(self._tagged_rows[entries], minlength=len(self.catalog))
        share: Floats = (counts / max(1, len(tags))).astype(np.float32)
        return share

    def telling_tags(self, row: int) -> tuple[str, ...]:
        """The film's tags that describe it and do not say its title or another tag again, the most given first."""
        start, end = (int(offset) for offset in self.catalog.film_tag_offsets[row : row + 2])
        title = self.catalog.names_at(row)[0].casefold()
        tags: list[str] = []
        for number in self.catalog.film_tags[start:end]:
            tag = self.catalog.tag(int(number))
            said = (title, *(other.casefold() for other in tags))
            if self._telling[number] and not any(tag.casefold() in words for words in said):
                tags.append(tag)
        return tuple(tags)

    # Facts as people read them

    def decade(self, row: int) -> str | None:
        """“1970s”, or None when the year is not stated."""
        year = int(self.years[row])
        return f"{year // 10 * 10}s" if year else None

    def facts(self, row: int, tags: int = 2) -> tuple[str, ...]:
        """What the film is: its decade, at most `tags` telling tags, its genres."""
        decade = self.decade(row)
        return (*([decade] if decade else []), *self.telling_tags(row)[:tags], *self.catalog.genres_at(row))

    def shared(self, row: int, other: int) -> tuple[str, ...]:
        """What two films share: the decade, telling tags and genres, in that order; possibly nothing."""
        ours = set(self.facts(other, tags=8))
        return tuple(fact for fact in self.facts(row, tags=8) if fact in ours)

    def likeness(self, row: int, rows: Rows) -> Floats:
        """How alike a film is to each of `rows` by genres, tags and year, float32[len(rows)] from 0 to 1."""
        genres = self.genre_vectors[rows] @ self.genre_vectors[row]
        tags = np.zeros(len(rows), np.float32)
        if own := self.telling_tags(row):
            tags = self.carries(own)[rows]
        near = np.zeros(len(rows), np.float32)
        if self.years[row]:
            apart = np.abs(self.years[rows] - self.years[row])
            near = np.where(self.years[rows] > 0, np.exp(-apart / 10), 0).astype(np.float32)
        alike: Floats = 0.5 * genres + 0.25 * tags + 0.25 * near
        return alike


_GENRE_WORDS = {genre.casefold().replace("-", " ") for genre in GENRES} | {genre.casefold() for genre in GENRES}


def _bits(genres: Collection[str]) -> np.uint32:
    """The bits of these genres; KeyError for a name that is none."""
    place = {genre: i for i, genre in enumerate(GENRES)}
    return np.uint32(sum(1 << place[genre] for genre in set(genres)))


def eligible(
    genre_bits: npt.NDArray[np.uint32],
    years: npt.NDArray[np.int32],
    genres: Collection[str],
    without_genres: Collection[str],
    between: tuple[int | None, int | None],
) -> Mask:
    """Which films have all of `genres`, none of `without_genres` and a year in `between` (inclusive, None is open).

    `genre_bits` and `years` are by film, in any order; a film whose year is not stated lies in no range.
    """
    wanted, unwanted = _bits(genres), _bits(without_genres)
    allowed: Mask = (genre_bits & (wanted | unwanted)) == wanted
    first, last = between
    if first is not None or last is not None:
        allowed &= (years > 0) & (years >= (first or 0)) & (years <= (9999 if last is None else last))
    if wanted & unwanted:
        allowed[:] = False
    return allowed
