"""Names of well-known films with slips in them or only in part, found around a word of any sentence: `Slips`.

One word that is near enough to one of a name's words, by its letters or by its sound, leads to the names that hold it,
and those are compared with the words around it: two orders of magnitude less work than looking each span up. Knows the
catalogue's names; pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache

import numpy as np
from rapidfuzz import process
from rapidfuzz.fuzz import ratio

from engine.films import Catalog
from engine.names import loose_words, words

NEAR_WORD, NEAR_NAME, NEAR_ALONE = 72, 0.82, 0.86
"""Similarity from which a word leads to a name (of 100), and from which some words, or one, are a name."""
LONG_ALONE, LONG_SOUND = 7, 6
"""Letters from which one word may be a name with slips, and one that sounds like the name."""
SAME_SOUND, _LEAST_SOUND, _SOUNDED = 0.95, 0.7, 5
"""Similarity of names that sound alike, the similarity by letters that they need for it, and their letters at least."""
_LEAST_LETTERS = 4
_LONGER = 0.05
"""What each word of a name is worth beside its similarity, “Kung Fu Hustle” rather than “Hustle”; and what one more or
less than it has costs."""
_WORDS, _NAMES = 3, 80
"""Words of names that are looked at, and names of each, the most rated first."""
MAX_SHORT, _LONG_PART = 6, 9
"""Words that a part of a name has at most, and letters of one that is told by its sound."""

_INITIALS = (4, 8)
"""Words of a name that is called by its initials."""

_SOUNDS = tuple(
    (re.compile(letters), sound)
    for letters, sound in (
        (r"^(?:kn|gn)", "n"), ("^wr", "r"), ("^ps", "s"), ("^wh", "w"), ("ph", "f"), ("gh(?=$|[^aeiouyh])", ""),
        (r"sch", "sh"), (r"c(?=[eiy])", "s"), (r"ch(?=[lr])|ck|c(?!h)|qu?", "k"), ("z", "s"), ("x", "ks"),
        (r"(?<=[aeiouyr])h", ""), (r"dg(?=[eiy])", "j"), (r"n(?=[bp])", "m"), (r"([^\W\d_])\1+", r"\1"),
        (r"(?<=[^aeiouy])e$", ""), (r"[aeiouy]+", "a"),
    )
)  # fmt: skip
"""What is written in several ways and sounds the same, to one of them; vowels are any vowel."""


@lru_cache(maxsize=20_000)
def sound_of(word: str) -> str:
    """How a word sounds, roughly: “zodiak” and “zodiac” are one, “taylor” and “tailor” too."""
    for letters, sound in _SOUNDS:
        word = letters.sub(sound, word)
    return word


def sounds_alike(typed: str, name: str) -> bool:
    """Whether two names sound the same, word by word."""
    return len(typed) >= _SOUNDED and sound_of(typed[:1]) == sound_of(name[:1]) and _sounds(typed) == _sounds(name)


def _sounds(words: str) -> list[str]:
    return [sound_of(word) for word in words.split()]


def alike(typed: str, name: str) -> float:
    """How alike two names in plain words are, 0 to 1; those that sound the same are more so than by their letters."""
    by_letters = ratio(typed, name) / 100
    if _LEAST_SOUND <= by_letters < SAME_SOUND and sounds_alike(typed, name):
        return SAME_SOUND
    return by_letters


class Slips:
    """The names of the films that at least `known_from` people rated, by their words."""

    def __init__(
        self,
        catalog: Catalog,
        known_from: int,
        others: Iterable[tuple[str, int]] = (),
        small: frozenset[str] = frozenset(),
    ) -> None:
        """`others`: further names of films, in plain words with spaces, and their rows; `small`: words that no part of
        a name begins or ends with."""
        counts = catalog.rating_counts
        rows = np.flatnonzero(counts >= known_from)
        further: dict[int, list[str]] = {}
        for other, row in others:
            further.setdefault(row, []).append(other)
        self._catalog, self._small = catalog, small
        self._names: list[tuple[str, ...]] = []
        self._rows: list[int] = []
        self._by_word: dict[str, list[int]] = {}
        for row in map(int, rows[np.argsort(-counts[rows], kind="stable")]):
            for name in (*map(loose_words, catalog.names_at(row)), *(name.split() for name in further.get(row, ()))):
                for word in {word for word in name if len(word) >= _LEAST_LETTERS}:
                    self._by_word.setdefault(word, []).append(len(self._names))
                self._names.append(tuple(name))
                self._rows.append(row)
        self._words = list(self._by_word)

    def around(self, said: Sequence[str], place: int) -> tuple[int, int] | None:
        """The span of `said` (plain, lower case) that holds the one at `place` and is nearest to a name, or sounds like
        some words of one; None when none is near enough."""
        best: tuple[float, tuple[int, int]] | None = None
        for word in self._leading(said[place]):
            for number in self._by_word[word][:_NAMES]:
                name = self._names[number]
                for start, end in _spans(len(name), place - name.index(word), len(said)):
                    if not start <= place < end:
                        continue
                    near = alike(" ".join(said[start:end]), " ".join(name))
                    alone = end - start == 1
                    long = LONG_SOUND if near >= SAME_SOUND else LONG_ALONE
                    if near < (NEAR_ALONE if alone else NEAR_NAME) or (alone and len(said[start]) < long):
                        continue
                    weight = near + _LONGER * (len(name) - abs(end - start - len(name)))
                    if best is None or weight > best[0]:
                        best = weight, (start, end)
        return best[1] if best else self._part_around(said, place) or self._split_around(said, place)

    def _part_around(self, said: Sequence[str], place: int) -> tuple[int, int] | None:
        """The longest span around a word that sounds like a part of a name."""
        for size in range(MAX_SHORT, 1, -1):
            for start in range(max(0, place - size + 1), min(place, len(said) - size) + 1):
                if self.sounding(said[start : start + size]):
                    return start, start + size
        return None

    def _split_around(self, said: Sequence[str], place: int) -> tuple[int, int] | None:
        """A word and the one beside it that are a name of one word with slips: “Good Felas”."""
        for start in (place - 1, place):
            if start >= 0 and start + 2 <= len(said):
                run = "".join(said[start : start + 2])
                names = [self._names[number] for word in self._leading(run) for number in self._by_word[word][:_NAMES]]
                if len(run) >= LONG_ALONE and any(
                    len(name) == 1 and alike(run, name[0]) >= NEAR_ALONE for name in names
                ):
                    return start, start + 2
        return None

    def _leading(self, word: str) -> list[str]:
        """The words of names that a word may be: those that sound the same, and those with nearly the same letters."""
        near = process.extract(word, self._words, scorer=ratio, score_cutoff=NEAR_WORD, limit=_WORDS)
        return list(dict.fromkeys([*(found for found, _, _ in near), *self._by_sound.get(sound_of(word), ())[:_WORDS]]))

    @cached_property
    def _by_sound(self) -> dict[str, list[str]]:
        """The words of names by how they sound."""
        found: dict[str, list[str]] = {}
        for word in self._words:
            found.setdefault(sound_of(word), []).append(word)
        return found

    @cached_property
    def _parts(self) -> dict[str, list[int]]:
        """The rows of films by words in a row of their names, run together; the most rated first."""
        found: dict[str, list[int]] = {}
        for name, start, end, row in self._runs():
            _add(found, "".join(name[start:end]), row)
        return found

    @cached_property
    def _parts_by_sound(self) -> dict[str, list[int]]:
        """The same by how several words sound."""
        found: dict[str, list[int]] = {}
        for name, start, end, row in self._runs():
            if end - start > 1:
                _add(found, "".join(map(sound_of, name[start:end])), row)
        return found

    @cached_property
    def _initials(self) -> dict[str, list[int]]:
        """The rows of films by the first letters of their names' words, with a leading article and without."""
        found: dict[str, list[int]] = {}
        for row in dict.fromkeys(self._rows):
            for name in self._catalog.names_at(row):
                read = words(name)
                for start in range(2 if read[:1] == ["the"] else 1):
                    if _INITIALS[0] <= len(read) - start <= _INITIALS[1]:
                        _add(found, "".join(word[0] for word in read[start:]), row)
        return found

    def initials(self, word: str) -> Sequence[int]:
        """The rows of the films with a name of which these are the first letters: “EEAAO”."""
        return self._initials.get(word, ())

    def _runs(self) -> Iterator[tuple[tuple[str, ...], int, int, int]]:
        """The words in a row that are a part of a name: the name, where they begin and end, and the row."""
        for name, row in zip(self._names, self._rows, strict=True):
            ends = [len(word) > 1 and word not in self._small for word in name]
            for start in range(len(name)):
                for end in range(start + 1, min(len(name), start + MAX_SHORT) + 1):
                    if ends[start] and ends[end - 1] and end - start < len(name):
                        yield name, start, end, row

    def holding(self, run: str) -> Sequence[int]:
        """The rows of the films with a name of more words that has these (run together) in a row, the most rated
        first."""
        return self._parts.get(run, ())

    def sounding(self, said: Sequence[str]) -> Sequence[int]:
        """The rows of the films with a name of more words of which some in a row sound like these."""
        alike = self._parts_by_sound.get("".join(map(sound_of, said)), ())
        return alike if len(said) > 1 and len("".join(said)) >= _LONG_PART else ()


def _add(found: dict[str, list[int]], key: str, row: int) -> None:
    rows = found.setdefault(key, [])
    if row not in rows:
        rows.append(row)


def _spans(size: int, start: int, most: int) -> list[tuple[int, int]]:
    """Where a name of so many words may lie, a word more or less."""
    found = [(start + shift, start + size + longer) for shift in (0, -1, 1) for longer in (0, -1, 1)]
    return [(max(0, a), min(most, b)) for a, b in found if a < most and b > 0 and a < b]
