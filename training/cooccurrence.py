"""A start for the film table: the factors of EASE's item weights, and the same without each group of people.

EASE is the strongest of the baselines where people are few, and its weights have good low-rank factors: with W the leading
right singular vectors of (who liked what) · weights, `sum over a history of W[film] · Λ · W[other]` ranks nearly as EASE
does (reduced-rank regression). A SASRec that starts there has the set of films right and learns what their order and
place add.

Training on the very people whose ratings made the table would teach the model to trust it far too much: it has seen
their next films. So people are dealt into groups, and each group is trained on with a table made without it, turned onto
the whole one (orthogonal Procrustes) so that all of them mean the same to the encoder.

Knows matrices of who liked what. Knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg

from training.baselines import ease_weights

Table = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cooccurrence:
    """`films` float32[V+1, D] (row 0: padding, the others about one long on average), `sum_map` float32[D, D] such that
    `films[history].sum() @ sum_map @ films.T` is near EASE's scores, `groups` one such table a group."""

    films: Table
    sum_map: Table
    groups: tuple[Table, ...]


def factors(
    matrix: scipy.sparse.csr_matrix, group: npt.NDArray[np.int64], groups: int, dimensions: int, ridge: float, seed: int
) -> Cooccurrence:
    """Factors of all people of `matrix` float32[P, V], and without each group; `group` int64[P] says who is in which."""
    weights = ease_weights(matrix, ridge)
    whole = _basis(matrix, weights, dimensions, seed)
    seen = np.asarray(matrix @ whole)
    # λ scaled so that the map exists even where a dimension is barely used.
    small = 1e-3 * np.eye(whole.shape[1])
    sum_map = np.linalg.solve(seen.T @ seen + small, seen.T @ np.asarray(matrix @ (weights @ whole)))
    del weights
    scale = 1 / np.sqrt((whole**2).sum(1).mean())
    tables = []
    for left_out in range(groups):
        others = matrix[group != left_out]
        rest = _basis(others, ease_weights(others, ridge * (1 - 1 / groups)), dimensions, seed)
        turn, _ = scipy.linalg.orthogonal_procrustes(rest, whole)
        tables.append(_table(rest @ turn * scale))
    return Cooccurrence(_table(whole * scale), (sum_map / scale**2).astype(np.float32), tuple(tables))


def _basis(matrix: scipy.sparse.csr_matrix, weights: Table, dimensions: int, seed: int) -> Table:
    """The leading right singular vectors of `matrix · weights`, float32[V, D]; zeros where there are fewer."""
    product = matrix @ weights
    count = min(dimensions, min(product.shape) - 1)
    start = np.random.default_rng(seed).standard_normal(min(product.shape)).astype(np.float32)
    _, _, right = scipy.sparse.linalg.svds(product, k=count, v0=start)
    basis: Table = np.zeros((matrix.shape[1], dimensions), np.float32)
    basis[:, :count] = right[::-1].T
    return basis


def _table(films: Table) -> Table:
    return np.vstack([np.zeros((1, films.shape[1]), np.float32), films]).astype(np.float32)
