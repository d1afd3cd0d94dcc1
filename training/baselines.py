"""What a model must be measured against: popularity, item-kNN and EASE, a few lines of algebra each.

Knows a matrix of who liked what and the film indices of a history. Knows no ratings, no files and no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse

Scores = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

LAST_FILMS = 20
"""Item-kNN reads only this many of the last liked films."""


class Baseline(Protocol):
    """Scores all films after a history of vocabulary indices (1…V, oldest first): float32[V]."""

    def __call__(self, liked: Ids) -> Scores: ...


def interactions(liked: Iterable[Ids], vocabulary: int) -> scipy.sparse.csr_matrix:
    """Who liked what, float32[P, V] of ones, from each person's vocabulary indices; index 0 is left out."""
    rows = [np.unique(ids[ids > 0]) - 1 for ids in liked]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    columns = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    return scipy.sparse.csr_matrix((np.ones(len(columns), np.float32), columns, starts), (len(rows), vocabulary))


def popularity(matrix: scipy.sparse.csr_matrix) -> Baseline:
    """How many liked the film."""
    counts = np.asarray(matrix.sum(0), np.float32).ravel()
    return lambda liked: counts  # noqa: ARG005 - the same for everybody


def item_knn(matrix: scipy.sparse.csr_matrix, *, shrink: float = 20.0) -> Baseline:
    """Sum of cosines to the last `LAST_FILMS` films, each shrunk towards 0 as if `shrink` more people were in it."""
    together = (matrix.T @ matrix).toarray().astype(np.float32)
    long = np.sqrt(np.diag(together))
    similar = together / (long[:, None] * long[None, :] + shrink)
    np.fill_diagonal(similar, 0)
    return lambda liked: _summed(similar, liked[-LAST_FILMS:])


def ease_weights(matrix: scipy.sparse.csr_matrix, ridge: float) -> Scores:
    """EASE's item weights float32[V, V] (Steck 2019): the ridge regression of each film on the others.

    Inverts films × films or, where there are fewer people, people × people (Woodbury).
    """
    people, films = matrix.shape
    if films <= people:
        inverse = np.linalg.inv((matrix.T @ matrix).toarray().astype(np.float64) + ridge * np.eye(films))
        return _without_themselves(inverse)
    inner = (matrix @ matrix.T).toarray().astype(np.float64) + ridge * np.eye(people)
    inverse = (np.eye(films, dtype=np.float32) - (matrix.T @ np.linalg.inv(inner).astype(np.float32)) @ matrix) / ridge
    return _without_themselves(inverse)


def _without_themselves(inverse: npt.NDArray[np.floating]) -> Scores:
    """The weights that the inverse of (films × films + ridge) gives; no film speaks for itself."""
    weights: Scores = (-inverse / np.diag(inverse)[None, :]).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights


def ease(matrix: scipy.sparse.csr_matrix, *, ridge: float = 300.0) -> Baseline:
    """Sum of the weights from every liked film."""
    weights = ease_weights(matrix, ridge)
    return lambda liked: _summed(weights, liked)


def _summed(weights: Scores, liked: Sequence[int] | Ids) -> Scores:
    rows = np.asarray(liked, np.int64)
    total: Scores = weights[rows[rows > 0] - 1].sum(0)
    return total
