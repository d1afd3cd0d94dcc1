"""What people type → films, with a margin: `TitleIndex`.

Knows every name of the catalogue's films, how often each film was rated, and what makes a name clear. Knows no person,
no history and no sentence: someone else cuts the title out of what was said and asks about what is not clear.

The way of a text: the exact key first (as written, then without articles and with numerals in digits, then as a part of
a longer name), then a name with a word that tells films apart, then the films that share its trigrams, compared by
rapidfuzz. Popularity breaks ties and never makes a match.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import ratio, token_sort_ratio
from rapidfuzz.process import extract

from engine.films import Catalog, FilmId
from engine.names import (
    MAX_NAME,
    Form,
    Standing,
    exact_key,
    forms,
    key_hash,
    loose_key,
    loose_run,
    loose_words,
    symbol,
    trigrams_of,
    words,
)
from engine.people import People, shipped
from engine.slips import SAME_SOUND, Slips, sounds_alike

WORDS_FILE = Path(__file__).with_name("titles.toml")
"""Aliases, abbreviations and the words that tell films of one name apart."""

MAX_CHOICES = 5
"""Films that one question offers."""

MAX_TYPED = 400
"""Characters of one title that are read."""

MAX_LIST = 4_000
"""Characters of a list of titles that are read."""

MAX_LISTED = 60
"""Films of one list that are read."""

_CLEAR_RATIO = 10
"""A film with this many times the ratings of the others of its name is meant; DESIGN, “The conversation”."""
_COMMON_FROM = 21
"""A word in the names of so many films tells nothing alone."""
_KNOWN_FILMS, _FAMOUS_FILMS = 4_000, 1_500
"""The films rated most. Only a known film is clear by a misspelt name or by some words of its name; only a famous one
is asked about for one word of its name or for everyday words."""
_CANDIDATES = 48
_REMEMBERED = 256
"""Films that are compared letter by letter."""
_SHARED = 0.3
"""Least share of the typed trigrams, by weight, that a candidate's names have."""
_JUMBLED_TO = 12
"""Letters up to which two swapped ones are looked for."""
_MAX_NAMED_PIECES = 14
"""Words and marks that a name in a text may have."""
_ARTICLES_LAST = frozenset({"the", "a", "an"})
_PARTING = frozenset(",.!?")
_MARKS_IN_NAMES = frozenset(",:-–—'’.!?/&…")
_SHORT = 4
"""Letters up to which only an exact name counts."""
_CUT_OFFS = ((7, 0.88), (11, 0.86), (MAX_NAME, 0.84))
"""Least similarity by letters typed: stricter as titles shorten."""
_NEAR = 0.75
"""Least similarity of a near miss."""
_LEAST_RATIO = 45.0
"""Ratio, of 100, below which two names can't be near misses."""
_LEAST_SOUNDED = 0.7
"""Similarity by letters of names that sound the same, from which they are taken for one."""
_SHORT_NAME, _CARRIERS, _FEW_CARRIERS = 5, 2, 3
"""Letters of one word that is short for a name, and the names that it is in at most; the same for one that is the end
of a famous name and an obscure film's."""
_NAMED_WITHIN = 0.8
"""Similarity of the films whose name is within what was typed, among words that nothing explains."""
_LESS = 0.03
"""How much less a part of a name is like what was typed than a name."""
_UNRATED, _UNRATED_FROM = 0.04, 10
"""What a film that nobody rated needs on top, and the letters from which it is looked at."""
_COMPLETED = 100
"""Films, by popularity, whose names are read to complete what is typed."""
_TELLING_SHARE = 0.65
"""Similarity from which some words of a name, one of them rare, are enough to mean it."""
_STRANGE = 2
"""Pieces of a list that may be no names for misspelt titles of two pieces to be looked for."""
_LONGEST = 6
"""Pieces of a list that one title may have."""
_MARGIN, _MARGIN_OVER_RARE = 0.08, 0.03
"""How far ahead a misspelt name must be of other names; the second where those have under a tenth of the ratings."""

_OBSCURE = 0.2
"""What a piece of a list costs that is a hardly known film's name or a part of a name."""
_COSTS: dict[str, float] = {"clear": 0.3, "ambiguous": 0.5, "unknown": 1.0}
"""What a piece of a list costs that is no name but is taken for a film, asked about or not understood."""
_SIMILARITY = {
    Standing.NAME: 1.0, Standing.LOOSE: 0.98, Standing.PART: 0.9, Standing.SUBTITLE: 0.9, Standing.SHORT: 0.9,
}  # fmt: skip

_A_YEAR = r"((?:18|19|20)\d\d)"
_BRACKET_YEAR = re.compile(rf"^(.*?)[\s,]*[(\[]\s*{_A_YEAR}\s*[)\]]\s*(.*)$")
_YEAR_SAID = re.compile(rf"(?<![\w'’])(?:{_A_YEAR}|['’]?(\d\d))(?:['’]?(s))?(?!\w)")
_NUMERAL = r"(?:part\s+)?(?:\d|10|[ivx]{1,4})"
_PART = re.compile(_NUMERAL, re.IGNORECASE)
_FIRST_OF = re.compile(r"^(?P<of>.*?[^\W\d_].*?)\s+(?:part\s+)?(?:1|i|one)$", re.IGNORECASE)
_NUMBERED = re.compile(r"([a-z]+)(\d{1,2})")
_POSSESSIVE = re.compile(r"['’]s\b")
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+", re.MULTILINE)


class Certainty(StrEnum):
    """What a link is worth: one film; one of a few, to be asked; none that is known."""

    CLEAR = "clear"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """One candidate: the catalogue's name that matched and how alike it is, 0 to 1."""

    film_id: FilmId
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Link:
    """What a typed title means. `matches`, best first: CLEAR: the first is the film; AMBIGUOUS: the choices, at most
    `MAX_CHOICES`; UNKNOWN: near misses, possibly none. `runner_up` is set when a film is clear only because it has ten
    times the ratings of the others of its name: the strongest of those, to be shown."""

    text: str
    certainty: Certainty
    matches: tuple[Match, ...] = ()
    runner_up: FilmId | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A film's name that stands in a text, in the pieces `start` to `end` (not included). `standing` and `ratings` are
    those of the best rated film of that name; `rare`: a word of it is in few names, so that it tells something."""

    start: int
    end: int
    standing: Standing
    ratings: int
    rare: bool


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that people use for a film and the catalogue does not, in words with spaces."""

    spaced: str
    film_id: FilmId


@dataclass(frozen=True)
class Telling:
    """Words of a language around titles and in answers to “which one?”; `titles.toml` says what each list is."""

    not_titles: frozenset[str]
    newest: frozenset[str]
    oldest: frozenset[str]
    nothing: frozenset[str]
    film_words: frozenset[str]
    joining: frozenset[str]
    leading: frozenset[str]
    before_year: frozenset[str]
    before_people: frozenset[str]
    sequel: frozenset[str]
    behind_year: frozenset[str]
    decades: Mapping[str, int]
    ordinals: Mapping[str, int]

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Telling:
        """The words of a table of the form of `[telling]`; a list that it lacks is empty."""
        tables = {name: table.get(name, {}) for name in ("decades", "ordinals")}
        listed = {name: frozenset(table.get(name, ())) for name in cls.__dataclass_fields__ if name not in tables}
        return cls(**listed, decades=tables["decades"], ordinals=tables["ordinals"])

    def tells(self, word: str) -> bool:
        """Whether a word says something, or nothing, of any film: “new”, “seventies”, “the”."""
        return any(word in listed for listed in (self.newest, self.oldest, self.nothing, self.decades, self.ordinals))

    def with_words(self, other: Telling) -> dict[str, Any]:
        """All fields, with the words of both."""
        return {name: getattr(self, name) | getattr(other, name) for name in Telling.__dataclass_fields__}


@dataclass(frozen=True)
class Words(Telling):
    """What `titles.toml` holds: also names not in the catalogue, and abbreviations."""

    aliases: tuple[Alias, ...]
    abbreviations: Mapping[str, str]
    spoken: Mapping[str, str]
    everyday: frozenset[str]

    @classmethod
    def read(cls, file: Path = WORDS_FILE) -> Words:
        """Read a file of the form of `titles.toml`; KeyError or TOMLDecodeError when it is not of that form."""
        data: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return cls(
            **vars(Telling.of(data["telling"])),
            aliases=tuple(
                Alias(" ".join(loose_words(name)), FilmId(alias["film_id"]))
                for alias in data["alias"]
                for name in alias["names"]
            ),
            abbreviations=data["abbreviations"],
            spoken=data["spoken"],
            everyday=frozenset(data["everyday"]),
        )


@dataclass(frozen=True, slots=True)
class _Patterns:
    """What parts a list and finds the year of a title, in some words."""

    year_last: re.Pattern[str]
    year_first: re.Pattern[str]
    short_year_last: re.Pattern[str]
    separator: re.Pattern[str]
    series: re.Pattern[str]
    tail: re.Pattern[str]
    lead: re.Pattern[str]


def _any(words_: frozenset[str]) -> str:
    """A pattern of any of some words, the longer ones first."""
    return "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(words_, key=lambda w: (-len(w), w)))


@lru_cache(maxsize=16)
def _patterns(
    joining: frozenset[str], leading: frozenset[str], before_year: frozenset[str], behind_year: frozenset[str]
) -> _Patterns:
    and_, lead, before, behind = map(_any, (joining, leading, before_year, behind_year))
    between = rf"(?:\s*,\s*(?:(?:{and_})\s+|&\s*)?|\s+(?:{and_})\s+|\s*[&+]\s*)"

    def compiled(pattern: str) -> re.Pattern[str]:
        return re.compile(pattern, re.IGNORECASE)

    return _Patterns(
        year_last=compiled(rf"^(.+?)[\s,]+(?:(?:{before})\s+){{0,4}}{_A_YEAR}(?:\s+(?:{behind}))?$"),
        year_first=compiled(
            rf"^(?:(?:{before})\s+)?{_A_YEAR}(?:['’]s)?\s+(?:(?:{behind})\s+(?:(?:{before})\s+)?)?(.+)$"
        ),
        short_year_last=compiled(rf"^(.+?)[\s,]+(?:(?:{before})\s+){{0,4}}['’](\d\d)$"),
        separator=compiled(rf"\s*(?:(?P<strong>[\n;]|\s/\s)|,(?:\s+(?:{and_}|&)\s)?|\s(?:{and_}|&|\+)\s)\s*"),
        series=compiled(rf"^(?P<of>.*[^\W\d_].*?)\s+(?P<parts>{_NUMERAL}(?:{between}{_NUMERAL})+)$"),
        tail=compiled(rf"(?:\s*,|\s+(?:{and_}|&))+\s*$"),
        lead=compiled(rf"(?:(?:{lead})\s+)+(?=\S)"),
    )


def _clean(text: str, limit: int) -> str:
    """Text without control characters and surplus spaces, cut to `limit` characters; line ends stay."""
    composed = unicodedata.normalize("NFKC", text[: 2 * limit])
    kept = "".join(c if c.isprintable() or c == "\n" else " " for c in composed)
    return "\n".join(" ".join(line.split()) for line in kept.split("\n") if line.strip())[:limit].strip(
        " \"“”„«»'‘’`*_~"
    )


def _cut_off(letters: int) -> float:
    return next(least for length, least in _CUT_OFFS if letters <= length)


def similarity(typed: str, name: str) -> float:
    """How alike two names in words with spaces are, 0 to 1.

    The mean of `ratio` and `token_sort_ratio` (one forgives letters, the other order), or the ratio without spaces when
    that is higher; names that sound the same are alike. Two neighbouring letters in the wrong order count as one slip.
    Names with different numbers are 0.
    """
    if [w for w in typed.split() if w.isdigit()] != [w for w in name.split() if w.isdigit()]:
        return 0.0
    run_typed, run_name = typed.replace(" ", ""), name.replace(" ", "")
    score = max((ratio(typed, name) + token_sort_ratio(typed, name)) / 2, ratio(run_typed, run_name)) / 100
    if _LEAST_SOUNDED <= score < SAME_SOUND and sounds_alike(typed, name):
        return SAME_SOUND
    jumbled = len(run_typed) == len(run_name) and OSA.distance(run_typed, run_name, score_cutoff=1) == 1
    if jumbled and sorted(run_typed) == sorted(run_name):
        return max(score, 1 - 0.5 / len(run_name))
    return score


class TitleIndex:
    """All names of a catalogue's films.

    Arrays (K keys, T trigrams, N films in blocks of 65,536, P postings): `hashes` uint64[K] ascending and `entries`
    uint32[K] (row · 4 + standing); `trigrams` uint32[T] ascending, `offsets` uint32[blocks · T + 1] and `postings`
    uint16[P], the rows within a block that carry the trigram; `sizes` uint8[N], trigrams of a film's shortest name;
    `common` uint64[C] ascending, hashes of the words that many names carry.
    """

    _ARRAYS = ("hashes", "entries", "trigrams", "offsets", "postings", "sizes", "common")

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], catalog: Catalog, spoken: Words) -> None:
        """`arrays` as `save` wrote them, built from `catalog`; ValueError when they belong to another one."""
        # A plain view of a mapped array: slices of `np.memmap` itself cost ten times as much.
        self._arrays = {name: np.asarray(arrays[name]) for name in self._ARRAYS}
        self._catalog = catalog
        counts = np.sort(catalog.rating_counts)[::-1]
        self._known_from, self._famous_from = (
            max(1, int(counts[min(films, len(counts)) - 1])) if len(counts) else 1
            for films in (_KNOWN_FILMS, _FAMOUS_FILMS)
        )
        self._speak(spoken)
        self._alias(spoken.aliases)
        self._hashes: npt.NDArray[np.uint64] = self._arrays["hashes"]
        self._entries: npt.NDArray[np.uint32] = self._arrays["entries"]
        self._trigrams: npt.NDArray[np.uint32] = self._arrays["trigrams"]
        self._offsets: npt.NDArray[np.uint32] = self._arrays["offsets"]
        self._postings: npt.NDArray[np.uint16] = self._arrays["postings"]
        self._sizes: npt.NDArray[np.uint8] = self._arrays["sizes"]
        self._common: npt.NDArray[np.uint64] = self._arrays["common"]
        if len(self._sizes) != len(catalog):
            raise ValueError(f"the title index is of {len(self._sizes)} films, the catalogue has {len(catalog)}")
        self._blocks = max(1, (len(catalog) + 0xFFFF) >> 16)
        if (
            len(self._entries) != len(self._hashes)
            or len(self._offsets) != self._blocks * len(self._trigrams) + 1
            or int(self._offsets[-1]) != len(self._postings)
        ):
            raise ValueError("the arrays of the title index do not fit together")
        lengths = np.diff(self._offsets.astype(np.int64)).reshape(self._blocks, -1).sum(axis=0)
        self._weights = np.log1p(len(catalog) / np.maximum(lengths, 1)).astype(np.float32)
        self._forms = lru_cache(maxsize=4096)(partial(self._forms_of, catalog))
        self._carriers = lru_cache(maxsize=4096)(self._carriers_of)
        self._people: Callable[[], People] = shipped

    def _speak(self, spoken: Words) -> None:
        self._words = spoken
        self._said = _patterns(spoken.joining, spoken.leading, spoken.before_year, spoken.behind_year)
        self._remember()

    def _alias(self, aliases: Iterable[Alias]) -> None:
        """Go by these names too; those of films that the catalogue lacks are left out."""
        known = [(alias.spaced, row) for alias in aliases if (row := self._catalog.row_of(alias.film_id)) is not None]
        self._alias_names, self._alias_rows = [name for name, _ in known], [row for _, row in known]
        self._aliases: dict[str, list[int]] = {}
        for name, row in dict.fromkeys(known):
            self._aliases.setdefault(name.replace(" ", ""), []).append(row)
        self._slips = lru_cache(maxsize=1)(partial(Slips, self._catalog, self._known_from, known, self._words.nothing))
        self._remember()

    def _remember(self) -> None:
        """Keep the last links: a name is looked up several times while a message is read and answered."""
        self._linked = lru_cache(maxsize=_REMEMBERED)(self._link)

    def with_aliases(self, aliases: Iterable[Alias]) -> TitleIndex:
        """The same index, whose films go by these names too; all arrays are shared."""
        other = copy(self)
        other._words = replace(self._words, aliases=(*self._words.aliases, *aliases))
        other._alias(other._words.aliases)
        return other

    @property
    def alias_count(self) -> int:
        """How many names it knows that the catalogue does not."""
        return len(self._alias_names)

    def told_by(self, words_: Telling) -> TitleIndex:
        """The same index for people who use these words beside those of `titles.toml`; all arrays are shared."""
        if not any(vars(words_).values()):
            return self
        other = copy(self)
        other._speak(replace(self._words, **self._words.with_words(words_)))
        return other

    # Building, saving, loading

    @classmethod
    def build(cls, catalog: Catalog) -> TitleIndex:
        """Index every name of the catalogue: about five seconds for 87,000 films."""
        hashes: list[int] = []
        entries: list[int] = []
        sizes = np.zeros(len(catalog), np.uint8)
        carriers: dict[int, list[int]] = {}
        films_of_word: dict[str, int] = {}
        for row in range(len(catalog)):
            of_film = cls._forms_of(catalog, row)
            hashes += [key_hash(form.key) for form in of_film]
            entries += [row << 2 | form.standing for form in of_film]
            whole = [form.spaced for form in of_film if form.standing is Standing.NAME]
            grams = [trigrams_of(f" {spaced} ") for spaced in whole]
            sizes[row] = min(255, min(map(len, grams)))
            for gram in set().union(*grams):
                carriers.setdefault(gram, []).append(row)
            for word in {word for spaced in whole for word in spaced.split()}:
                films_of_word[word] = films_of_word.get(word, 0) + 1
        order = np.argsort(np.array(hashes, np.uint64), kind="stable")
        codes = sorted(carriers)
        blocks = max(1, (len(catalog) + 0xFFFF) >> 16)
        split: list[npt.NDArray[np.uint16]] = []
        for block in range(blocks):
            for code in codes:
                rows = np.array(carriers[code], np.uint32)
                split.append((rows[rows >> 16 == block] & 0xFFFF).astype(np.uint16))
        offsets = np.zeros(len(split) + 1, np.uint32)
        np.cumsum([len(rows) for rows in split], out=offsets[1:])
        common = [key_hash(word) for word, films in films_of_word.items() if films >= _COMMON_FROM]
        return cls(
            {
                "hashes": np.array(hashes, np.uint64)[order],
                "entries": np.array(entries, np.uint32)[order],
                "trigrams": np.array(codes, np.uint32),
                "offsets": offsets,
                "postings": np.concatenate(split) if split else np.zeros(0, np.uint16),
                "sizes": sizes,
                "common": np.array(sorted(common), np.uint64),
            },
            catalog,
            Words.read(),
        )

    @staticmethod
    def _forms_of(catalog: Catalog, row: int) -> tuple[Form, ...]:
        """The forms of a film's names; only a film that somebody rated goes by parts of its name."""
        return forms(catalog.names_at(row), with_parts=bool(catalog.rating_counts[row]))

    def save(self, folder: Path) -> None:
        """Write one `.npy` an array into `folder`, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in self._arrays.items():
            np.save(folder / f"{name}.npy", array)

    @classmethod
    def load(cls, folder: Path, catalog: Catalog) -> TitleIndex:
        """Map what `save` wrote; FileNotFoundError or ValueError when it is not there or not of this catalogue."""
        return cls(
            {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in cls._ARRAYS}, catalog, Words.read()
        )

    # One title

    def link(self, text: str, *, year: int | None = None) -> Link:
        """The film that `text` names, or the choices, or near misses.

        A year (given, or in the text: “Suspiria (1977)”, “the 1977 Suspiria”, “suspiria '77”) chooses among the films
        that match, one year off counting as right; when it fits none of them the films are choices. A word that tells
        films of one name apart does the same (“the Argento Suspiria”, “the new Dune”).
        """
        return self._linked(text, year)

    def is_name(self, text: str) -> bool:
        """Whether a text is a name just as it stands, or part of one, but for articles and the way of its numbers."""
        return bool(self._exact(text))

    def _link(self, text: str, year: int | None) -> Link:
        typed = _clean(text, MAX_TYPED).replace("\n", " ")
        if not typed or typed in self._words.not_titles:
            return Link(typed, Certainty.UNKNOWN)
        for name, said in self._readings(typed, year):
            link = self._by_name(typed, name, said)
            if link:
                return link
        for whole in filter(None, (typed, self._expanded(typed))):
            series = None if self._exact(whole) else _FIRST_OF.match(whole)
            if series and self._exact(f"{series['of']} 2"):
                return replace(self.link(self._first_of(series["of"]) or series["of"], year=year), text=typed)
        if (part := self._part_of_series(typed)) and (link := self.link(part)).certainty is Certainty.CLEAR:
            return replace(link, text=typed)
        near: list[Link] = []
        for name, said in self._readings(typed, year):
            expanded = self._expanded(name)
            if expanded and (link := self._by_name(typed, expanded, said)):
                return link
            for way in (self._by_part, self._told_apart, self._with_people, self._by_likeness, self._by_sound):
                link = way(typed, expanded or name if way == self._by_likeness else name, said)
                if link and link.certainty is not Certainty.UNKNOWN:
                    return link
                near += [link] if link else []
        return max(near, key=lambda link: link.matches[0].similarity if link.matches else 0.0)

    def _part_of_series(self, typed: str) -> str | None:
        """“The second Godfather” as “Godfather 2”; the first of a series by its name and its year."""
        said = [word for word in typed.split() if word.casefold() != "the"]
        number = self._words.ordinals.get(said[0].casefold()) if len(said) > 1 else None
        if len(said) > 2 and said[0].casefold() in self._words.sequel and said[1].casefold() in self._words.nothing:
            said, number = said[1:], 2  # “the sequel to Sicario”
        if number is None:
            return None
        if len(said) > 2 and said[-1].casefold() in self._words.film_words:
            said.pop()
        name = " ".join(said[1:])
        if all(word in self._words.nothing or word.isdigit() for word in loose_words(name)):
            return None  # “the second one”, “the first two”
        whole = f"{name} {number}"
        if number > 1:
            return whole if self._exact(whole) else None
        if not (self._exact(whole) or self._exact(f"{name} 2")):
            return None
        return self._first_of(name) or whole

    def _first_of(self, name: str) -> str | None:
        """A name of a series with the year of its first film: of several of that name, the last before the second part;
        the oldest where they have other names too. None when none of the best known has the name, or none is so old."""
        found = self._exact(name)
        strongest = max(map(self._ratings, found), default=0)
        known = [row for row in found if self._ratings(row) * _CLEAR_RATIO >= strongest > 0]
        best = min((found[row] for row in known), default=Standing.SUBTITLE)
        if best >= Standing.SUBTITLE:
            return None
        years = [int(self._catalog.years[row]) for row in known if found[row] is best]
        second = self._exact(f"{name} 2")
        if best is Standing.PART or not second:
            return f"{name} {min(years)}"
        after = int(self._catalog.years[max(second, key=self._ratings)])
        before = [year for year in years if year < after]
        return f"{name} {max(before)}" if before else None

    def _readings(self, typed: str, year: int | None) -> Iterator[tuple[str, int | None]]:
        """The ways to read a text as a name and a year, the likeliest first: “Blade Runner 2049” is a name as well."""
        if bracket := _BRACKET_YEAR.match(typed):
            name = f"{bracket.group(1)} {bracket.group(3)}".strip()
            if name:
                yield name, int(bracket.group(2))
            else:
                yield typed, year
            return
        yield typed, year
        if year is not None:
            return
        if last := self._said.year_last.match(typed):
            yield last.group(1), int(last.group(2))
        if first := self._said.year_first.match(typed):
            yield first.group(2), int(first.group(1))
        if short := self._said.short_year_last.match(typed):
            yield short.group(1), 1900 + int(short.group(2)) + (100 if int(short.group(2)) < 30 else 0)

    def _entries_of(self, key: str) -> Iterator[tuple[int, Standing]]:
        wanted = np.uint64(key_hash(key))
        place = int(np.searchsorted(self._hashes, wanted))
        while place < len(self._hashes) and self._hashes[place] == wanted:
            entry = int(self._entries[place])
            yield entry >> 2, Standing(entry & 3)
            place += 1

    def _exact(self, name: str) -> dict[int, Standing]:
        """The rows that a name means exactly, each with the best standing."""
        written, loose = exact_key(name), loose_key(name)
        found = dict(self._entries_of(written))
        if loose != written:
            for row, standing in self._entries_of(loose):
                found[row] = min(found.get(row, Standing.SUBTITLE), max(standing, Standing.LOOSE))
        for row in self._aliases.get(loose, ()):
            found[row] = Standing.NAME
        return found

    def named_in(self, pieces: Sequence[str]) -> list[Named]:
        """Every name of a film that some pieces of a text in a row are, word by word; names may overlap.

        Pieces are words and marks. Only names as they are written, loosely: misspelt ones are for `link`.
        """
        plain = [words(piece) for piece in pieces]
        written = [self._written_out(piece) for piece in plain]
        spoken = [self._written_out(piece, figures=True) for piece in plain]
        found: dict[tuple[int, int], Named] = {}
        for read in (plain, *(other for other in (written, spoken) if other != plain)):
            for named in self._named(pieces, read):
                known = found.get((named.start, named.end))
                if known is None or known.ratings < named.ratings:
                    found[named.start, named.end] = named
        return list(found.values())

    def _named(self, pieces: Sequence[str], read: Sequence[list[str]]) -> Iterator[Named]:
        """The names that pieces read in one way are."""
        spans: list[tuple[int, int, list[str]]] = []
        keys: list[str] = []
        for start, first in enumerate(read):
            if not first:
                continue
            run: list[str] = []
            for end in range(start, min(len(read), start + _MAX_NAMED_PIECES)):
                if not read[end]:
                    if pieces[end] not in _MARKS_IN_NAMES:
                        break
                    continue
                run = [*run, *read[end]]
                if run[-1] in _ARTICLES_LAST and len(run) > 1:
                    continue  # “28 days, the zombie one”
                for key in {"".join(run), loose_run(run)}:
                    spans.append((start, end + 1, run))
                    keys.append(key)
        wanted = np.array([key_hash(key) for key in keys], np.uint64)
        yield from self._in_order(pieces, read)
        there = self._hashes[np.minimum(np.searchsorted(self._hashes, wanted), len(self._hashes) - 1)] == wanted
        for number, (start, end, run) in enumerate(spans):
            rows = dict(self._entries_of(keys[number])) if there[number] else {}
            rows |= dict.fromkeys(self._aliases.get(keys[number], ()), Standing.NAME)
            if not rows and not (rows := self._short(keys[number], run)):
                continue
            best = max(rows, key=self._ratings)
            if not self._has_marks(best, pieces[start:end]) or self._runs_into(best, run):
                continue
            yield Named(start, end, rows[best], self._ratings(best), any(map(self._rare, run)))

    def _in_order(self, pieces: Sequence[str], read: Sequence[list[str]]) -> Iterator[Named]:
        """The films of series that are named by their place: “third Die Hard”."""
        for start, first in enumerate(read):
            if len(first) != 1 or first[0] not in self._words.ordinals.keys() | self._words.sequel:
                continue
            for end in range(start + 2, min(len(read), start + 1 + _LONGEST) + 1):
                if not read[end - 1]:
                    break
                part = self._part_of_series(" ".join(pieces[start:end]))
                for name, year in self._readings(part, None) if part else ():
                    rows = [row for row in self._exact(name) if year is None or self._catalog.years[row] == year]
                    if rows:
                        best = max(rows, key=self._ratings)
                        yield Named(start, end, Standing.NAME, self._ratings(best), rare=True)
                        break

    def _has_marks(self, row: int, pieces: Sequence[str]) -> bool:
        """Whether a film's names have the marks that part sentences where they stand in what was typed: “alone, in the
        dark” is not *Alone in the Dark*."""
        parting = {piece for piece in pieces if piece in _PARTING}
        return not parting or any(parting <= set(name) for name in self._catalog.names_at(row))

    def _runs_into(self, row: int, run: Sequence[str]) -> bool:
        """Whether a name is only found because a small word was taken into it: “Juno on” is not *Junoon*."""
        small = run[-1] in self._words.nothing or run[0] in self._words.nothing
        return small and all(
            len(form.spaced.split()) < len(run) and run[-1] != form.spaced.split()[-1] for form in self._forms(row)
        )

    def _written_out(self, read: list[str], *, figures: bool = False) -> list[str]:
        """Words with their abbreviations written out, those with a number behind them too, “HP4”; with `figures` also
        those that stand for a word: “catch me if u can”."""
        long = self._words.spoken.get if figures else self._long
        return [out for word in read for out in (long(word) or word).split()]

    def _long(self, word: str) -> str:
        """What an abbreviation is short for; any other word as it is."""
        numbered = _NUMBERED.fullmatch(word)
        short, number = (numbered[1], f" {numbered[2]}") if numbered else (word, "")
        meant = self._words.abbreviations.get(short)
        return f"{meant}{number}" if meant else word

    def is_known(self, ratings: int) -> bool:
        """Whether a film that was rated so often is one of those that people know."""
        return ratings >= self._known_from

    def slip_around(self, words: Sequence[str], place: int) -> tuple[int, int] | None:
        """The span of some words, around one of them, that is a well-known film's name with slips in it."""
        return self._slips().around(words, place)

    def is_famous(self, ratings: int) -> bool:
        """Whether a film that was rated so often is one of those that nearly everybody knows."""
        return ratings >= self._famous_from

    def _by_name(self, typed: str, name: str, year: int | None) -> Link | None:
        """A link by whole names (and, when a year is told, by parts of names that it fits); None: no such name."""
        found = self._exact(name)
        if not found or (year is None and min(found.values()) >= Standing.PART):
            return None
        if year is not None:
            return self._with_year(typed, found, year)
        best = min(found.values())
        same = [row for row, standing in found.items() if standing is best]
        strongest = max(self._ratings(row) for row in same)
        # Whoever types no article or numeral may mean a name with one; whoever types one mostly means it.
        plain = exact_key(name) == loose_key(name)
        many = _CLEAR_RATIO * strongest
        least = {Standing.LOOSE: 0.5 * strongest, Standing.PART: many, Standing.SUBTITLE: many}
        if not plain:
            least[Standing.LOOSE] = float("inf") if strongest >= self._known_from else max(many, self._famous_from)
        rivals = [row for row, of in found.items() if of is not best and self._ratings(row) >= max(1, least[of])]
        if rivals:
            meant = {row: found[row] for row in (*same, *rivals)}
            informal = name == name.lower() and self._tells(loose_words(name))
            famous = informal and strongest < self._known_from and any(map(self._famous, rivals))
            return self._among(typed, meant) if famous else self._choices(typed, meant)
        named = {row: found[row] for row in same}
        if strongest >= self._known_from:
            return self._among(typed, named)
        doubtful = self._everyday(name, best) or self._precedes_series(name, named)
        link = self._choices(typed, named) if doubtful else self._among(typed, named)
        if link.certainty is Certainty.CLEAR and best is Standing.NAME:
            return link
        return self._with_famous(typed, name, named) or link

    def _with_famous(self, typed: str, name: str, named: Mapping[int, Standing]) -> Link | None:
        """Obscure films of a name beside the famous ones that may be meant as well: “the dark night”, “Django”."""
        read = loose_words(name)
        spaced = " ".join(read)
        if sum(c.isalpha() for c in spaced) <= _SHORT:
            return None
        rows = [row for row in self._candidates(spaced) if row not in named and self._famous(row)]
        alike = {row: max(similarity(spaced, form.spaced) for form in self._forms(row)) for row in rows}
        meant: dict[int, Standing | float] = {row: of for row, of in alike.items() if of >= _CUT_OFFS[0][1]}
        meant |= self._holding(read, rows) | self._shortened(read)
        return self._choices(typed, {**named, **meant}) if meant else None

    def _precedes_series(self, name: str, named: Iterable[int]) -> bool:
        """Whether obscure films with the number of a sequel are older than the famous film that it would follow: by
        *Inside Out 2* nobody means one of 1992."""
        *of, number = loose_words(name) or [""]
        firsts = [row for row in self._exact(" ".join(of)) if self._famous(row)] if of and number.isdigit() else []
        years = [int(self._catalog.years[row]) for row in firsts]
        return bool(years) and all(int(self._catalog.years[row]) < min(years) for row in named)

    def _everyday(self, name: str, standing: Standing) -> bool:
        """Whether an obscure film's name may be no name: one word without a capital that many names carry or that has
        another article (“football”, “a concert”)."""
        read = loose_words(name)
        if len(read) != 1 or not read[0].isalpha() or name != name.lower():
            return False
        return standing is Standing.LOOSE or not self._rare(read[0])

    def _tells(self, read: Sequence[str]) -> bool:
        """Whether words are several, or one that is in hardly a name."""
        return len(read) > 1 or self._carriers(read[0]) <= _FEW_CARRIERS

    def _ratings(self, row: int) -> int:
        return int(self._catalog.rating_counts[row])

    def _match(self, row: int, alike: float) -> Match:
        return Match(FilmId(int(self._catalog.film_ids[row])), self._catalog.names_at(row)[0], round(alike, 4))

    def _ranked(self, rows: Mapping[int, float]) -> tuple[Match, ...]:
        order = sorted(rows, key=lambda row: (-round(rows[row], 1), -self._ratings(row), row))
        return tuple(self._match(row, rows[row]) for row in order[:MAX_CHOICES])

    def _choices(self, typed: str, found: Mapping[int, Standing | float]) -> Link:
        return Link(typed, Certainty.AMBIGUOUS, self._ranked({row: _alike(of) for row, of in found.items()}))

    def _among(self, typed: str, found: Mapping[int, Standing | float]) -> Link:
        """Films of one name: the only one, the one with ten times the ratings of any other, or a question."""
        order = sorted(found, key=lambda row: (-self._ratings(row), row))
        first = self._match(order[0], _alike(found[order[0]]))
        label = self._label(order[0])
        order = [order[0], *(row for row in order[1:] if self._label(row) != label)]  # some films are listed twice
        if len(order) == 1:
            return Link(typed, Certainty.CLEAR, (first,))
        if self._ratings(order[1]) * _CLEAR_RATIO < self._ratings(order[0]):
            return Link(typed, Certainty.CLEAR, (first,), FilmId(int(self._catalog.film_ids[order[1]])))
        return self._choices(typed, found)

    def _label(self, row: int) -> tuple[str, int]:
        return self._catalog.names_at(row)[0], int(self._catalog.years[row])

    def _with_year(self, typed: str, found: Mapping[int, Standing | float], year: int) -> Link:
        """The films of `found` that a stated year fits; a year that fits none makes all of them choices."""
        years = {row: int(self._catalog.years[row]) for row in found}
        exact = [row for row in found if years[row] == year]
        off_by_one = [row for row in found if abs(years[row] - year) == 1]
        undated = [row for row in found if not years[row]]
        fitting = exact or off_by_one
        if not fitting:
            only = len(found) == len(undated) == 1 and _alike(found[undated[0]]) >= _SIMILARITY[Standing.LOOSE]
            return self._among(typed, found) if only else self._choices(typed, found)
        best = max(_alike(found[row]) for row in fitting)
        same = {row: found[row] for row in fitting if _alike(found[row]) == best}
        link = self._among(typed, same)
        known = max(map(self._ratings, off_by_one), default=0)
        if exact and known > _CLEAR_RATIO * max(map(self._ratings, exact)):
            return self._choices(typed, {row: found[row] for row in (*exact, *off_by_one)})
        return link

    def _rare(self, word: str) -> bool:
        """Whether few films carry a word in their names, so that it tells something alone."""
        wanted = np.uint64(key_hash(word))
        place = int(np.searchsorted(self._common, wanted))
        return len(word) > 1 and (place == len(self._common) or self._common[place] != wanted)

    def _known(self, row: int) -> bool:
        return self._ratings(row) >= self._known_from

    def _famous(self, row: int) -> bool:
        return self._ratings(row) >= self._famous_from

    def _by_part(self, typed: str, name: str, year: int | None) -> Link | None:
        """A link by parts of names: “The Empire Strikes Back”. One everyday word is no part of a name."""
        read = loose_words(name)
        found = self._exact(name)
        if not found:
            return self._by_short(typed, self._shortened(read), year)
        if year is not None:
            return self._with_year(typed, found, year)
        rare = any(map(self._rare, read)) or any(word.isdigit() and len(word) == 4 for word in read)
        known = self._known(max(found, key=self._ratings))
        if len(read) < 2 and (not rare or min(found.values()) is Standing.SUBTITLE):
            return self._choices(typed, found) if rare and known else None
        link = self._among(typed, found)
        sure = rare or (known and (len(read) > 2 or self._famous(max(found, key=self._ratings))))
        return link if sure or link.certainty is Certainty.AMBIGUOUS else self._choices(typed, found)

    def _by_sound(self, typed: str, name: str, year: int | None) -> Link | None:
        """A link by words that sound like a part of a name: “Tinker Taylor”."""
        return self._by_short(typed, self._shortened(loose_words(name), by_sound=True), year)

    def _by_short(self, typed: str, found: Mapping[int, Standing | float], year: int | None) -> Link | None:
        if not found:
            return None
        return self._among(typed, found) if year is None else self._with_year(typed, found, year)

    def _shortened(self, read: Sequence[str], *, by_sound: bool = False) -> dict[int, Standing | float]:
        """The known films whose names hold some words in a row that tell something: “Spotless Mind”, “Lebowski”; or
        words that sound like them.

        One word has to be a famous film's, in hardly another name, and no everyday word.
        """
        slips, run = self._slips(), "".join(read)
        rows = slips.sounding(read) if by_sound else slips.holding(run) or slips.initials(run)
        if not rows:
            return {}
        if len(read) > 1:
            telling = any(map(self._rare, read)) or (self._famous(rows[0]) and not by_sound)
            return dict.fromkeys(rows, Standing.SHORT) if telling else {}
        alone = len(run) >= _SHORT_NAME and run not in self._words.everyday and self._famous(rows[0])
        return dict.fromkeys(rows, _NAMED_WITHIN) if alone and self._carriers(run) <= _CARRIERS else {}

    def _short(self, key: str, run: Sequence[str]) -> dict[int, Standing]:
        """The one film that words in a text, and run together as a key, are short for."""
        slips = self._slips()
        if not (slips.holding(key) or (len(run) == 1 and slips.initials(key))):
            return {}
        found = self._shortened([key] if len(run) == 1 else loose_words(" ".join(run)))
        order = sorted(found, key=self._ratings, reverse=True)
        clear = order and self._ratings(order[0]) > _CLEAR_RATIO * max(map(self._ratings, order[1:]), default=0)
        return {order[0]: Standing.SHORT} if clear else {}

    def _carriers_of(self, word: str) -> int:
        """How many films carry a word in their names."""
        rows = map(int, self._rows_with(f"{word} "))
        return sum(any(word in form.spaced.split() for form in self._forms(row)) for row in rows)

    def _expanded(self, name: str) -> str | None:
        """The name with its abbreviations written out, or None when it has none."""
        read = words(name)
        written = self._written_out(read)
        written = self._written_out(read, figures=True) if written == read else written
        return " ".join(written) if written != read else None

    def _told_apart(self, typed: str, name: str, year: int | None) -> Link | None:
        """A name with words before or behind it that choose among its films: “the Argento Suspiria”, “Dune remake”.

        When they choose nothing (“Dune Villeneuve”) the films of the name are near misses.
        """
        said = name.split()
        if year is not None or len(said) < 2:
            return None
        near: Link | None = None
        for length in range(len(said) - 1, max(0, len(said) - 5), -1):
            for start in range(len(said) - length + 1):
                of_name = re.sub(r"['’]s$", "", " ".join(said[start : start + length]))
                exact = self._exact(of_name)
                rest = " ".join((*said[:start], *said[start + length :]))
                edition = set(words(rest)) <= self._words.film_words
                found = {row: of for row, of in exact.items() if of < Standing.PART} or (exact if edition else {})
                if not found or not any(len(w) > 2 and w not in self._words.nothing for w in loose_words(of_name)):
                    continue
                strongest = max(map(self._ratings, found))
                rivals = [row for row in found if self._ratings(row) * _CLEAR_RATIO >= strongest]
                chosen, by_age = self._narrowed(list(found), rest)
                if by_age:  # “the first Halloween” is none that hardly anybody knows
                    chosen, by_age = self._narrowed(rivals, rest)
                known = any(map(self._known, found))
                if edition:
                    # “the movie Alien” is Alien; “the big movie” may be no title.
                    return self._among(typed, found) if known and len(of_name) > _SHORT else self._choices(typed, found)
                if chosen and not (by_age and len(found) == 1):
                    told = {row: found[row] for row in chosen}
                    return self._among(typed, told) if known or not by_age else self._choices(typed, told)
                if near is None and known and len(of_name) >= _SHORT:
                    # “Spielberg's Dune” is one of those of the name; of other words nobody knows what they are.
                    left = _left_over(rest, self._words.nothing)
                    named = len(found) > 1 and not left.isdigit() and self._people().is_somebody(left)
                    certainty = Certainty.AMBIGUOUS if named else Certainty.UNKNOWN
                    near = Link(typed, certainty, self._ranked(dict.fromkeys(found, _NAMED_WITHIN)))
        return near

    def _with_people(self, typed: str, name: str, year: int | None) -> Link | None:
        """A name and people of the film behind it: “Nope with Daniel Kaluuya and Keke Palmer”."""
        said = name.split()
        for place in range(len(said) - 1, 0, -1):
            if year is not None or said[place].casefold() not in self._words.before_people:
                continue
            of_name, tail = " ".join(said[:place]).strip(" ,"), " ".join(said[place + 1 :])
            link = self.link(of_name)
            if link.certainty is Certainty.UNKNOWN:
                continue
            rows = {
                row: match.similarity
                for match in link.matches
                if (row := self._catalog.row_of(match.film_id)) is not None
            }
            found = {**rows, **{row: _alike(of) for row, of in self._exact(of_name).items() if of < Standing.PART}}
            kept, _, named = self._by_people(list(found), tail, alone=True)
            if named and kept:
                return self._among(typed, {row: found[row] for row in kept})
        return None

    def told_elsewhere(self, title: str, names: str, pointing: str = "") -> str | None:
        """The film of a name, as its title with its year, that is told by people named in a text (of *Crash*, “the
        Cronenberg one”), else by words that point at it (“the old one”).

        None when no other film has the name, when nothing is told, or when several are.
        """
        typed = _clean(title, MAX_TYPED).replace("\n", " ")
        found: dict[int, Standing | float] = {row: of for row, of in self._exact(typed).items() if of < Standing.PART}
        if not found and typed:
            found = {
                row: match.similarity
                for match in self.link(typed).matches
                if (row := self._catalog.row_of(match.film_id)) is not None
            }
        if not found:
            return None
        kept, _, named = self._by_people(list(found), _POSSESSIVE.sub(" ", names), alone=False)
        if not named and pointing:
            strongest = max(map(self._ratings, found))
            rivals = [row for row in found if self._ratings(row) * _CLEAR_RATIO >= strongest]
            kept, by_age = self._narrowed(list(found), pointing)
            kept = self._narrowed(rivals, pointing)[0] if by_age and len(rivals) > 1 else [] if by_age else kept
        elif not named:
            return None
        if len(found) < 2 and not named:
            return None
        if not any(map(self._ratings, kept)):
            return None
        link = self._among(typed, {row: found[row] for row in kept})
        film = self._catalog.film(link.matches[0].film_id)
        return film.label if film and film.year and link.certainty is Certainty.CLEAR else None

    # Misspelt titles

    def _scores(self, grams: Iterable[int]) -> tuple[npt.NDArray[np.float32], float]:
        """float32[N]: the weight of the trigrams that each film's names share with `grams`; and the weight of all."""
        scores = np.zeros(len(self._catalog), np.float32)
        total = 0.0
        known = len(self._trigrams)
        unknown_weight = float(np.log1p(len(self._catalog)))
        for gram in grams:
            place = int(np.searchsorted(self._trigrams, gram))
            if place == known or self._trigrams[place] != gram:
                total += unknown_weight
                continue
            weight = self._weights[place]
            total += float(weight)
            for block in range(self._blocks):
                at = block * known + place
                rows = self._postings[self._offsets[at] : self._offsets[at + 1]]
                scores[block << 16 : (block + 1) << 16][rows] += weight
        return scores, total

    def _candidates(self, spaced: str) -> list[int]:
        """The rows whose names share most of the typed trigrams; of two alike, the one with the shorter name."""
        grams = trigrams_of(f" {spaced} ")
        scores, total = self._scores(grams)
        rows = np.flatnonzero(scores > _SHARED * total)
        longer = np.minimum(1.0, np.abs(self._sizes[rows].astype(np.float32) - len(grams)) / len(grams))
        order = np.argsort(0.1 * total * longer - scores[rows], kind="stable")
        return [int(row) for row in rows[order[:_CANDIDATES]]]

    def _by_likeness(self, typed: str, name: str, year: int | None) -> Link:
        """A link by spelling: a misspelt name, else a few words of a longer one."""
        read = loose_words(name)
        spaced = " ".join(read)
        letters = sum(c.isalpha() for c in spaced)
        if letters <= _SHORT:
            return Link(typed, Certainty.UNKNOWN)
        spelled = " ".join(loose_words(name, spelled=True))
        rows = self._candidates(spaced)
        near: dict[int, tuple[float, str]] = {}
        for row in (*rows, *self._jumbled(spaced.replace(" ", ""))):
            for form in self._forms(row):
                part = form.standing >= Standing.PART
                if len(form.spaced) <= _SHORT or (part and " " not in form.spaced):
                    continue
                alike = similarity(spaced, form.spaced)
                if spelled != spaced or form.spelled != form.spaced:
                    alike = max(alike, similarity(spelled, form.spelled))
                if alike - _LESS * part > near.get(row, (0.0, ""))[0]:
                    near[row] = (alike - _LESS * part, form.spaced)
        for alias, _, place in extract(spaced, self._alias_names, scorer=ratio, score_cutoff=_LEAST_RATIO, limit=None):
            alike = similarity(spaced, alias)
            aliased = self._alias_rows[place]
            if len(alias) > _SHORT and alike > near.get(aliased, (0.0, ""))[0]:
                near[aliased] = (alike, alias)
        least = _cut_off(letters)
        alike_enough = {
            row: of for row, of in near.items() if of[0] >= least and self._worth_asking(row, letters, of[0])
        }
        if alike_enough:
            return self._of_alike(typed, spaced, alike_enough, year)
        if link := self._by_words(typed, read, rows, year):
            return link
        misses = {row: of[0] for row, of in near.items() if of[0] >= _NEAR and self._ratings(row)}
        return Link(typed, Certainty.UNKNOWN, self._ranked(misses))

    def _worth_asking(self, row: int, letters: int, alike: float) -> bool:
        """Whether a misspelt name may mean this film: one that nobody rated is not asked about for a short word."""
        return self._ratings(row) > 0 or (letters >= _UNRATED_FROM and alike >= _cut_off(letters) + _UNRATED)

    def _of_alike(self, typed: str, spaced: str, near: Mapping[int, tuple[float, str]], year: int | None) -> Link:
        """The films of the name that is most alike, when no other name is nearly as much; else a question."""
        alike = {row: of[0] for row, of in near.items()}
        if year is not None:
            return self._with_year(typed, alike, year)
        best = min(near, key=lambda row: (-near[row][0], -self._ratings(row), row))
        same = {row: of[0] for row, of in near.items() if of[1] == near[best][1]}
        strongest = max(map(self._ratings, same))
        ahead = all(
            near[best][0] - of[0] >= (_MARGIN_OVER_RARE if self._ratings(row) * _CLEAR_RATIO < strongest else _MARGIN)
            for row, of in near.items()
            if row not in same
        )
        sure = ahead and strongest >= self._known_from and not self._adds_words(spaced, near[best][1])
        return self._among(typed, same) if sure else self._choices(typed, alike)

    def _adds_words(self, typed: str, name: str) -> bool:
        """Whether one of two names is the other, a short one, with more words: “my neighbors” is no slip."""
        if min(len(typed.split()), len(name.split())) > 2:
            return False
        more, less = set(typed.split()) - set(name.split()), set(name.split()) - set(typed.split())
        return not (more and less) and any(word not in self._words.nothing for word in more | less)

    def _jumbled(self, run: str) -> set[int]:
        """The rows of names that have two neighbouring letters in another order: such a slip leaves few trigrams."""
        if len(run) > _JUMBLED_TO:
            return set()
        swaps = (f"{run[:i]}{run[i + 1]}{run[i]}{run[i + 2 :]}" for i in range(len(run) - 1))
        return {row for swap in swaps for row, standing in self._entries_of(swap) if standing < Standing.PART}

    def _by_words(self, typed: str, read: Sequence[str], rows: Sequence[int], year: int | None) -> Link | None:
        """The films whose names hold all the words that were typed: “LOTR fellowship”, “Harry Potter”, “Shawshank”.

        Everyday words alone, or one word, ask at most about films that are well known, and the words must begin the
        name unless one is rare.
        """
        found = self._holding(read, rows)
        sure = len(set(read)) > 1 and any(map(self._rare, read))
        if not any(map(self._known if sure else self._famous, found)):
            return None
        if year is not None:
            return self._with_year(typed, found, year)
        link = self._among(typed, found)
        sure = sure and link.certainty is Certainty.CLEAR and link.matches[0].similarity >= _TELLING_SHARE
        return link if sure else self._choices_known(typed, found)

    def _holding(self, read: Sequence[str], rows: Iterable[int]) -> dict[int, float]:
        """Those of some rows whose names hold all the words, each with how alike that makes it."""
        wanted, start = set(read), " ".join(read)
        rare = any(map(self._rare, wanted))
        found: dict[int, float] = {}
        if len(wanted) < 2 and not (rare and len(start) > 5):
            return found
        for row in rows:
            for form in self._forms(row):
                holds = wanted <= set(form.spaced.split()) if rare else f"{form.spaced} ".startswith(f"{start} ")
                if form.standing < Standing.PART and holds:
                    found[row] = max(found.get(row, 0.0), 0.5 + 0.4 * len(start) / len(form.spaced))
        return found

    def _choices_known(self, typed: str, found: Mapping[int, float]) -> Link:
        """Choices among films that hold the typed words: those rated most, as all of them do."""
        order = sorted(found, key=lambda row: (-self._ratings(row), row))
        matches = tuple(self._match(row, found[row]) for row in order[:MAX_CHOICES])
        return Link(typed, Certainty.AMBIGUOUS, matches)

    # Several titles

    def link_all(self, text: str) -> tuple[Link, ...]:
        """The films of a list, in its order: commas, lines, “and” and “&” part them, unless a name has them itself.

        Of all ways to part the text the one is taken whose pieces are names, then the one with the fewest pieces. Parts
        of one series may be named by their numbers: “Toy Story 1 and 2”.
        """
        typed = self._said.tail.sub("", _clean(_BULLET.sub("", text[:MAX_LIST]), MAX_LIST))
        if series := self._series(typed):
            return series
        spans, bounds = self._pieces(typed)
        for place, (first, last) in enumerate(spans):
            lead = self._said.lead.match(typed, first, last)
            if lead and self._cost_of_name(typed[first:last], 1) is None:
                spans[place] = (lead.end(), last)
        links: dict[tuple[int, int], Link] = {}

        def piece(start: int, end: int) -> str:
            return typed[spans[start][0] : spans[end - 1][1]]

        def linked(span: tuple[int, int]) -> Link:
            if span not in links:
                links[span] = self.link(piece(*span))
            return links[span]

        count = len(spans)
        one_title = [
            (start, end)
            for start in range(count)
            for end in range(start + 1, min(start + _LONGEST, count) + 1)
            if not any(bounds[start + 1 : end])
        ]
        costs = {
            span: cost
            for span in one_title
            if (cost := self._cost_of_name(piece(*span), span[1] - span[0])) is not None
        }
        if count <= 1:
            return (self.link(piece(0, 1) if spans else typed),)
        parted = _cheapest(count, costs)
        strange = [span for span in parted if costs.get(span, 1.0) >= _OBSCURE]
        for start, _ in strange:
            beside = ((start, start + 2), (start - 1, start + 1)) if len(strange) <= _STRANGE else ()
            for span in ((start, start + 1), *beside, (0, count)):
                if span in one_title and span not in costs:
                    # A title over several pieces has to be better than they are for themselves.
                    costs[span] = _COSTS[linked(span).certainty] * (0.8 + 0.2 * (span[1] - span[0]))
        return tuple(linked(span) for span in (_cheapest(count, costs) if strange else parted))

    def _series(self, typed: str) -> tuple[Link, ...]:
        """The films of “Rocky II and III”; none when the text does not end so, or a part is not clearly a film."""
        found = self._said.series.match(typed) if len(typed) <= MAX_NAME else None
        if not found or self._exact(typed):
            return ()
        parts = [re.sub(r"^part\s+", "", part, flags=re.IGNORECASE) for part in _PART.findall(found["parts"])]
        links = tuple(self.link(f"{found['of']} {part}") for part in parts)
        return links if all(link.certainty is not Certainty.UNKNOWN for link in links) else ()

    def _pieces(self, typed: str) -> tuple[list[tuple[int, int]], list[bool]]:
        """Where the pieces of a list stand in it, and for each whether no title reaches over what is before it."""
        spans: list[tuple[int, int]] = []
        bounds: list[bool] = []
        start, bound = 0, True
        for separator in self._said.separator.finditer(typed):
            if separator.start() > start:
                spans.append((start, separator.start()))
                bounds.append(bound)
                bound = False
            bound = bound or separator.group("strong") is not None
            start = separator.end()
            if len(spans) == MAX_LISTED:
                return spans, bounds
        if start < len(typed):
            spans.append((start, len(typed)))
            bounds.append(bound)
        return spans, bounds

    def _cost_of_name(self, piece: str, pieces: int) -> float | None:
        """What a piece of a list, or some in a row, cost that are a name, with a year or without; None: it is none.

        A part of a name costs something, and a hardly known film's name of one piece, as the piece may belong to
        another. So does a name over a comma that it does not have: “Alien, Predator” is not the film “Alien Predator”.
        """
        for name, _ in self._readings(piece, None):
            found = self._exact(name)
            if not found:
                continue
            best = min(found.values())
            rows = [row for row, of in found.items() if of is best]
            if best >= Standing.PART or (pieces == 1 and not any(map(self._known, rows))):
                return _OBSCURE
            has_comma = any("," in of for row in rows for of in self._catalog.names_at(row))
            return 0.1 if pieces > 1 and "," in name and not has_comma else 0.0
        return None

    # Answers to a question

    def narrow(self, choices: Sequence[FilmId], text: str) -> tuple[FilmId, ...]:
        """The choices that an answer means, in their order: by somebody who made or plays in it, by year, decade, age,
        genre, tag or a word of the title. Words that say nothing of any choice are passed over beside one that does.

        Empty when the answer says nothing about them or fits none; one film when it settles the question.
        """
        rows = [row for film_id in choices if (row := self._catalog.row_of(film_id)) is not None]
        typed = _clean(text, MAX_TYPED)
        kept, _ = self._narrowed(rows, typed, alone=True)
        if not kept and not self._exact(typed):  # “The New World” is another film, not the new one of these
            kept, _ = self._narrowed(rows, typed, alone=True, passing=True)
        return tuple(film_id for film_id in choices if self._catalog.row_of(film_id) in kept)

    def _narrowed(
        self, rows: Sequence[int], text: str, *, alone: bool = False, passing: bool = False
    ) -> tuple[list[int], bool]:
        """The rows that a text tells, and whether by age alone; no row when it tells nothing or a word fits none.

        `alone`: a surname may be all that is said; `passing`: words that fit none of the rows are passed over, where
        another tells something.
        """
        kept, told = list(rows), False
        for said in _YEAR_SAID.finditer(text):
            kept, told = self._of_year(kept, said), True
        rest = _POSSESSIVE.sub(" ", _YEAR_SAID.sub(" ", text))
        kept, read, named = self._by_people(kept, rest, alone=alone)
        told = told or named
        newest = oldest = False
        for word in read:
            if word in self._words.newest:
                newest = True
            elif word in self._words.oldest:
                oldest = True
            elif (decade := self._words.decades.get(word)) is not None:
                kept, told = [row for row in kept if int(self._catalog.years[row]) // 10 * 10 == decade], True
            else:
                fitting = [row for row in kept if self._fits(word, row, rows)]
                if passing and not any(self._fits(word, row, rows) for row in rows):
                    continue
                kept, told = fitting, True
        dated = [row for row in kept if int(self._catalog.years[row])]
        if newest == oldest or not dated:
            return (kept if told and newest == oldest else []), False
        extreme = (max if newest else min)(int(self._catalog.years[row]) for row in dated)
        return [row for row in dated if int(self._catalog.years[row]) == extreme], not told

    def _by_people(self, rows: Sequence[int], text: str, *, alone: bool) -> tuple[list[int], list[str], bool]:
        """The rows of films of those who are named in a text, its other telling words, and whether anybody is named.

        A surname that is an everyday word is one with a capital only or, where it may stand `alone`, when nothing else
        is said. A tag with the name tells as much.
        """
        read = words(text)
        capital = {word for piece in text.split() if piece[:1].isupper() for word in words(piece)}
        saying = {word for word in read if word not in self._words.nothing}
        only = alone and len(saying) == 1
        rare = [word in capital or ((only or self._rare(word)) and not self._words.tells(word)) for word in read]
        films = {row: (int(self._catalog.film_ids[row]), int(self._catalog.years[row])) for row in rows}
        kept, taken = list(rows), set[int]()
        for one in self._people().spotted(read, films, rare):
            said = set(read[one.start : one.end])
            kept = [row for row in kept if row in one.rows or said <= self._told_by(row, rows)]
            taken.update(range(one.start, one.end))
        left = [word for place, word in enumerate(read) if place not in taken and word not in self._words.nothing]
        return kept, left, bool(taken)

    def _of_year(self, rows: Sequence[int], said: re.Match[str]) -> list[int]:
        """The rows of a year (one off when none is right), of a two-digit year, or of a decade (“70s”)."""
        full, short, decade = said.groups()
        years = {row: int(self._catalog.years[row]) for row in rows}
        if decade:
            start = int(full or short)
            return [row for row in rows if (years[row] // 10 * 10) % (10_000 if full else 100) == start]
        wanted, round_ = int(full or short), 10_000 if full else 100
        right = [row for row in rows if years[row] and years[row] % round_ == wanted]
        return right or [row for row in rows if years[row] and abs(years[row] % round_ - wanted) == 1]

    def _fits(self, word: str, row: int, rows: Sequence[int]) -> bool:
        """Whether a film may be told by a word among others."""
        return any(same_word(word, of) for of in self._told_by(row, rows))

    def _told_by(self, row: int, rows: Sequence[int]) -> set[str]:
        """The words that a film may be told by among others: its names', genres' and tags'; where there are others of
        its name, also those that were written down (“soviet”)."""
        texts = (*self._catalog.names_at(row), *self._catalog.genres_at(row), *self._catalog.tags_at(row))
        if len(rows) > 1:
            texts += self._people().told(int(self._catalog.film_ids[row]), int(self._catalog.years[row]))
        return {word for text in texts for word in words(text)}

    # Type-ahead

    def complete(self, typed: str, limit: int = 25) -> tuple[FilmId, ...]:
        """Films with a name that goes on from what is typed: from its start, then from the start of a later word."""
        read = loose_words(_clean(typed, MAX_TYPED))
        if not read or limit < 1:
            return ()
        start = " ".join(read)
        rows = self._rows_with(start)
        by_ratings = rows[np.argsort(-self._catalog.rating_counts[rows], kind="stable")][: max(_COMPLETED, 4 * limit)]
        spoken = {
            int(row): [f.spaced for f in self._forms(int(row)) if f.standing < Standing.PART] for row in by_ratings
        }
        for alias, row in zip(self._alias_names, self._alias_rows, strict=True):
            if f" {start}" in f" {alias}":
                spoken[row] = [*spoken.get(row, []), alias]
        ranked = [
            (min(_place(start, name) for name in names), -self._ratings(row), row) for row, names in spoken.items()
        ]
        order = [row for place, _, row in sorted(ranked) if place < _NOWHERE]
        return tuple(FilmId(int(self._catalog.film_ids[row])) for row in order[:limit])

    def _rows_with(self, start: str) -> npt.NDArray[np.intp]:
        """The rows with all trigrams of the beginning of a word; for one letter those with a word that begins so."""
        if len(start) > 1:
            scores, total = self._scores(trigrams_of(f" {start}"))
            return np.flatnonzero(scores > total - 0.01)
        lowest = symbol(" ") << 14 | symbol(start) << 7
        first, last = np.searchsorted(self._trigrams, (lowest, lowest + 128))
        scores, _ = self._scores(int(gram) for gram in self._trigrams[first:last])
        return np.flatnonzero(scores)


_NOWHERE = 3


def _place(start: str, name: str) -> int:
    """Where a name goes on from what is typed: 0 it is that, 1 from its start, 2 from a later word, `_NOWHERE`."""
    if name == start:
        return 0
    return 1 if name.startswith(start) else 2 if f" {start}" in name else _NOWHERE


def _left_over(text: str, nothing: frozenset[str]) -> str:
    """The words of a text without those that say nothing at its ends."""
    read = words(_POSSESSIVE.sub(" ", text))
    telling = [place for place, word in enumerate(read) if word not in nothing]
    return " ".join(read[telling[0] : telling[-1] + 1]) if telling else ""


def _alike(of: Standing | float) -> float:
    return _SIMILARITY[of] if isinstance(of, Standing) else of


def _cheapest(count: int, costs: Mapping[tuple[int, int], float]) -> list[tuple[int, int]]:
    """The cheapest way to part `count` pieces into spans; one piece without a cost costs 1, every span 0.01."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, count + 1):
        starts = range(max(0, end - _LONGEST), end)
        ways = [
            (best[start][0] + 0.01 + costs.get((start, end), 1.0), start)
            for start in starts
            if (start, end) in costs or end - start == 1
        ]
        best.append(min(ways))
    spans: list[tuple[int, int]] = []
    end = count
    while end:
        spans.insert(0, (best[end][1], end))
        end = best[end][1]
    return spans


def same_word(said: str, of: str) -> bool:
    """Whether two words are one, endings aside: “animated” and “animation”, not “new” and “newton”."""
    if said == of:
        return True
    shared = next((i for i, (a, b) in enumerate(zip(said, of, strict=False)) if a != b), min(len(said), len(of)))
    return shared >= 5 and shared * 10 >= 6 * max(len(said), len(of))
