"""What slates are like beside being right: how much of the catalogue they show, how well known and how unlike it is.

Knows slates as vocabulary indices, how many people rated each film, and genres. Knows no targets (`training.evaluate`).
The formulas are those of `rectools.metrics` (RecTools 0.19), against which `benchmarks/peers` checks them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.films import Catalog

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def novelty(top: Ids, counts: npt.NDArray[np.integer], people: int) -> Floats:
    """How surprising each person's slate is, in bits, float64[N]: the mean of −log2 of the share of `people` who rated
    a film that is shown (“mean inverse user frequency”).

    `top` int64[N, K]: vocabulary indices, 0 = none; `counts` int[V]: how many of the `people` rated each film. A film
    that nobody rated counts as if one person had.
    """
    bits = -np.log2(np.maximum(np.concatenate([[1], counts]), 1) / people)
    return _mean_shown(bits, top)


def fame(top: Ids, counts: npt.NDArray[np.integer]) -> Floats:
    """How well known each person's slate is, float64[N]: the mean of how many rated a film that is shown (“average
    recommendation popularity”)."""
    return _mean_shown(np.concatenate([[0], counts]).astype(np.float64), top)


def diversity(top: Ids, genres: npt.NDArray[np.bool_]) -> Floats:
    """How unlike each other the films of each slate are, float64[N]: in how many genres two of them differ, on average
    over all pairs (“intra-list diversity” by Hamming distance). `genres` bool[V+1, G]; 0 for slates of one film."""
    found = np.zeros(len(top))
    for row, slate in enumerate(top):
        marks = genres[slate[slate > 0]].astype(np.float64)
        pairs = len(marks) * (len(marks) - 1) / 2
        if pairs:
            with_genre = marks.sum(0)
            found[row] = float((with_genre * (len(marks) - with_genre)).sum() / pairs)
    return found


def coverage(top: Ids, films: int) -> float:
    """The share of `films` that are on somebody's slate."""
    return len(np.unique(top[top > 0])) / films


def genre_marks(catalog: Catalog, films: Sequence[int] | npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Which genres each film has, bool[V+1, G], row 0 for no film."""
    found = [catalog.film(int(film)) for film in films]
    of_each = [set(film.genres) if film is not None else set[str]() for film in found]
    names = sorted(set().union(*of_each))
    return np.array([[False] * len(names), *([name in own for name in names] for own in of_each)], np.bool_)


def _mean_shown(values: Floats, top: Ids) -> Floats:
    """The mean of `values` float64[V+1] over the films of each slate; 0 for an empty one."""
    shown = top > 0
    total: Floats = (values[top] * shown).sum(1) / np.maximum(shown.sum(1), 1)
    return total
