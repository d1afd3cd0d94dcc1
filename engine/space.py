"""The vocabulary as the model sees it: film vectors, user vectors, and how far a film stands above the rest.

Knows indices, vectors and the model that makes user vectors. Knows no requests; films only as indices 1…V.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.inference import Floats, Model, left_padded_ids

Indices = npt.NDArray[np.int64]

_SAMPLED_ROWS = 16_384
_ROWS_TOGETHER = 16


class Space:
    """User and film vectors of one model, and standings in it.

    A person's scores are known up to a shift and a scale that say nothing about any film. So scores of different
    people, or of one person with and without a watch, are compared as **standings**: how many standard deviations of
    that person's scores over the vocabulary a film stands above the mean. Mean and spread come from the mean and
    covariance of the film vectors (of a sample of 16,384 in a large vocabulary), without scoring all films.
    """

    def __init__(self, model: Model, film_table: Floats) -> None:
        """`film_table` float32[V+1, D] is the table `model` was built with; row 0 is padding and does not count."""
        self.model = model
        self.dimension = int(film_table.shape[1])
        self._table = np.asarray(film_table)  # a view without what np.memmap does at every index
        sample = _sample(film_table[1:])
        self._centre, self._covariance = _moments(sample)
        self._unit_centre, self._unit_covariance = _moments(_units(sample))

    def encode(self, histories: Sequence[Indices]) -> Floats:
        """User vectors float32[B, D] of histories of indices, oldest first, of any length."""
        return self.model.encode(left_padded_ids(histories, self.model.max_length))

    def scaled(self, vectors: Floats) -> Floats:
        """The same directions float32[B, D], with a standard deviation of 1 over the vocabulary's scores."""
        spread = np.sqrt(np.maximum(np.einsum("bd,de,be->b", vectors, self._covariance, vectors), 1e-12))
        scaled: Floats = (vectors / spread[:, None]).astype(np.float32)
        return scaled

    def standings(self, users: Floats, indices: Indices) -> Floats:
        """How far films stand above the mean of each user, in standard deviations; float32[B, len(indices)]."""
        standings: Floats = self.scaled(users) @ (self._table[indices] - self._centre).T
        return standings

    def units(self, indices: Indices) -> Floats:
        """Film vectors at length 1, float32[len(indices), D]."""
        return _units(self._table[indices])

    def nearness(self, index: int, others: Indices) -> tuple[Floats, Floats]:
        """Cosines of a film and others, and how many standard deviations that is above its mean cosine to all films."""
        unit = self.units(np.array([index]))[0]
        cosines = self.units(others) @ unit
        spread = float(np.sqrt(max(unit @ self._unit_covariance @ unit, 1e-12)))
        return cosines, (cosines - float(self._unit_centre @ unit)) / np.float32(spread)

    def direction(self, indices: Indices) -> Floats:
        """Where those films lie together, as a user vector float32[1, D]: their unit vectors' mean, off centre."""
        centre = self._centre / max(float(np.linalg.norm(self._centre)), 1e-12)
        mean = self.units(indices).mean(axis=0, keepdims=True)
        # What all films share is popularity more than kind; half of it stays, or the nearest are films nobody saw.
        direction: Floats = (mean - 0.5 * (mean @ centre)[:, None] * centre).astype(np.float32)
        return direction


def _units(vectors: Floats) -> Floats:
    units: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return units


def _moments(vectors: Floats) -> tuple[Floats, Floats]:
    """Mean float32[D] and covariance float32[D, D]."""
    centre = vectors.mean(axis=0)
    off = vectors - centre
    return centre, (off.T @ off / len(vectors)).astype(np.float32)


def _sample(films: Floats) -> Floats:
    """At most 16,384 rows, in groups of neighbours all over the table: few pages of a mapped one are read."""
    if len(films) <= _SAMPLED_ROWS:
        return np.asarray(films)
    starts = np.linspace(0, len(films) - _ROWS_TOGETHER, _SAMPLED_ROWS // _ROWS_TOGETHER).astype(np.int64)
    return np.asarray(films[(starts[:, None] + np.arange(_ROWS_TOGETHER)).ravel()])
