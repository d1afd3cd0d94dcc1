"""A start for the film table: which films the same people watch, in D numbers a film.

Positive pointwise mutual information of films in people's histories, each shrunk by how little it rests on, and its
leading factors (Levy and Goldberg 2014). With few people this is most of what there is to learn of a film, and a
SASRec that starts from it needs fewer epochs and ends higher than one that starts from noise.

Knows a matrix of who watched what. Knows no model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

SHRINK = 5.0
"""A pair of films that n people share counts n / (n + SHRINK) of its mutual information."""

_NOISE = 0.02
_SPARE = 64
_ITERATIONS = 8


def film_factors(matrix: scipy.sparse.csr_matrix, dimensions: int, seed: int) -> npt.NDArray[np.float32]:
    """Unit vectors with a little noise, float32[V, D], from who watched what, float32[P, V] of ones.

    Films that share nothing with others get noise alone. Where there are fewer factors than dimensions, the rest is
    noise.
    """
    rng = np.random.default_rng(seed)
    people, films = matrix.shape
    counts = np.asarray(matrix.sum(0)).ravel() + 1
    pairs = (matrix.T @ matrix).tocoo()
    information = np.log(np.maximum(pairs.data * people / (counts[pairs.row] * counts[pairs.col]), 1.0))
    shrunk = information * pairs.data / (pairs.data + SHRINK)
    mutual = scipy.sparse.csr_matrix((shrunk, (pairs.row, pairs.col)), (films, films))
    found = np.zeros((films, dimensions))
    values, vectors = _leading(mutual, min(dimensions, films), rng)
    found[:, : len(values)] = vectors * np.sqrt(np.abs(values))
    long = np.linalg.norm(found, axis=1, keepdims=True)
    units = found / np.maximum(long, 1e-6)
    noisy: npt.NDArray[np.float32] = (units + _NOISE * rng.standard_normal(found.shape)).astype(np.float32)
    return noisy


def _leading(
    matrix: scipy.sparse.csr_matrix, count: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The `count` eigenvalues of a symmetric matrix that are largest in size, and their vectors float64[V, count].

    By subspace iteration (Halko, Martinsson and Tropp 2011): ARPACK would need its own random numbers when it restarts,
    and the same seed must give the same start.
    """
    width = min(matrix.shape[0], count + _SPARE)
    basis = rng.standard_normal((matrix.shape[0], width))
    for _ in range(_ITERATIONS):
        basis, _ = np.linalg.qr(matrix @ basis)
    values, turned = np.linalg.eigh(basis.T @ (matrix @ basis))
    largest = np.argsort(-np.abs(values), kind="stable")[:count]
    return values[largest], basis @ turned[:, largest]
