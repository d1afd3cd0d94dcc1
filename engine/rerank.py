"""From scores to a slate: the popularity dial, variety, and what is best for several people at once.

Pure functions of arrays. Knows no graphs, no catalogue and no requests; `engine.recommender` puts them together.
Scores are in standard deviations of a person's scores over the vocabulary, so that the weights here mean the same for
everyone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

NEUTRAL = 0.3
"""The setting of the dial that leaves the model's scores as they are."""

TOWARDS_KNOWN = 0.6
"""Standard deviations of score that one of log-popularity is worth with the dial at 0."""

TOWARDS_UNKNOWN = 0.9
"""The same, taken away, with the dial at 1."""

LEAST_KNOWN = -1.0
"""Films are not rewarded for being less known than this (standardised): their vectors rest on a handful of ratings."""

VARIETY = 2.5
"""Standard deviations of score that being just like a film already chosen costs at diversity 1."""

LEFT_OUT = 0.4
"""How much of a group's score is that of the member it pleases least; the rest is the mean."""


def dial(popularity: Floats, adventurousness: float) -> Floats:
    """What the dial adds to each film's score. `popularity` is standardised log-popularity."""
    if adventurousness <= NEUTRAL:
        return popularity * np.float32(TOWARDS_KNOWN * (1 - adventurousness / NEUTRAL))
    strength = np.float32(TOWARDS_UNKNOWN * (adventurousness - NEUTRAL) / (1 - NEUTRAL))
    return -strength * np.maximum(popularity, np.float32(LEAST_KNOWN))


def first_scores(popularity: Floats, adventurousness: float) -> Floats:
    """Scores for people of whom nothing is known: by fame, or by nearness to a lesser fame as the dial turns up."""
    turned = max(0.0, adventurousness - NEUTRAL) / (1 - NEUTRAL)
    if turned == 0:
        return popularity
    most = float(popularity.max(initial=0.0))
    aim = most * (1 - 0.75 * turned)
    nearness: Floats = -np.abs(popularity - np.float32(aim))
    return nearness


def for_group(standings: Floats) -> Floats:
    """One score a film from float32[people, films]: the mean, drawn down to the member least pleased."""
    blended: Floats = (1 - LEFT_OUT) * standings.mean(axis=0) + LEFT_OUT * standings.min(axis=0)
    return blended


def varied(scores: Floats, likeness: Floats, count: int, diversity: float) -> Places:
    """The places of `count` films, best score first, chosen for score and for being unlike each other.

    `scores` float32[C], `likeness` float32[C, C] from 0 to 1. Maximal marginal relevance (Carbonell and Goldstein,
    SIGIR 1998): each next film is the one with the best score minus its likeness to the nearest one already chosen.
    """
    count = min(count, len(scores))
    weight = np.float32(VARIETY * diversity)
    chosen: list[int] = []
    nearest = np.zeros(len(scores), np.float32)
    left = scores.astype(np.float32, copy=True)
    for _ in range(count):
        best = int(np.argmax(left - weight * nearest))
        chosen.append(best)
        left[best] = -np.inf
        np.maximum(nearest, likeness[best], out=nearest)
    places = np.array(chosen, np.intp)
    return places[np.argsort(-scores[places], kind="stable")]
