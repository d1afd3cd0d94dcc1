"""Names of well-known films with slips in them, found around a word of any sentence: `Slips`.

One word that is near enough to one of a name's words leads to the names that hold it, and those are compared with the
words around it: two orders of magnitude less work than looking each span up. Knows the catalogue's names; pure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.fuzz import ratio

from engine.films import Catalog
from engine.names import loose_words

NEAR_WORD, NEAR_NAME, NEAR_ALONE = 72, 0.82, 0.86
"""Similarity from which a word leads to a name (of 100), and from which some words, or one, are a name."""
LONG_ALONE = 7
"""Letters from which one word may be a name with slips."""
_LEAST_LETTERS = 4
_LONGER = 0.05
"""What each word of a span is worth beside its similarity: “Kung Fu Hustle” rather than “Hustle”."""
_WORDS, _NAMES = 3, 80
"""Words of names that are looked at, and names of each, the most rated first."""


class Slips:
    """The names of the films that at least `known_from` people rated, by their words."""

    def __init__(self, catalog: Catalog, known_from: int) -> None:
        counts = catalog.rating_counts
        rows = np.flatnonzero(counts >= known_from)
        self._names: list[tuple[str, ...]] = []
        self._by_word: dict[str, list[int]] = {}
        for row in rows[np.argsort(-counts[rows], kind="stable")]:
            for name in catalog.names_at(int(row)):
                words = tuple(loose_words(name))
                for word in {word for word in words if len(word) >= _LEAST_LETTERS}:
                    self._by_word.setdefault(word, []).append(len(self._names))
                self._names.append(words)
        self._words = list(self._by_word)

    def around(self, words: Sequence[str], place: int) -> tuple[int, int] | None:
        """The span of `words` (plain, lower case) that holds the one at `place` and is nearest to a name; None when
        none is near enough."""
        leading = process.extract(words[place], self._words, scorer=ratio, score_cutoff=NEAR_WORD, limit=_WORDS)
        best: tuple[float, tuple[int, int]] | None = None
        for word, _, _ in leading:
            for number in self._by_word[word][:_NAMES]:
                name = self._names[number]
                for start, end in _spans(len(name), place - name.index(word), len(words)):
                    if not start <= place < end:
                        continue
                    alike = ratio(" ".join(words[start:end]), " ".join(name)) / 100
                    alone = end - start == 1
                    near = alike >= (NEAR_ALONE if alone else NEAR_NAME)
                    if not near or (alone and len(words[start]) < LONG_ALONE):
                        continue
                    weight = alike + _LONGER * (end - start)
                    if best is None or weight > best[0]:
                        best = weight, (start, end)
        return best[1] if best else None


def _spans(size: int, start: int, most: int) -> list[tuple[int, int]]:
    """Where a name of so many words may lie, a word more or less."""
    found = [(start + shift, start + size + longer) for shift in (0, -1, 1) for longer in (0, -1, 1)]
    return [(max(0, a), min(most, b)) for a, b in found if a < most and b > 0 and a < b]
