"""From scores to a slate: relevance, the popularity dial, what is best for several people at once, and variety.

Pure functions of arrays. Knows no graphs, no catalogue and no requests; `engine.recommender` puts them together.
Everything is measured against one yardstick, **relevance**: 1 is as good as the best five films for that person, 0 as
good as the hundredth. So the weights here mean the same for every person and every model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

NEUTRAL = 0.3
"""The setting of the dial that leaves relevance as it is."""

TOWARDS_KNOWN = 0.3
"""Relevance that one standard deviation of log-popularity is worth with the dial at 0."""

TOWARDS_UNKNOWN = 0.7
"""The same, taken away, with the dial at 1."""

LEAST_KNOWN = 0.25
"""Films are not rewarded for being less known than this (standardised): their vectors rest on a handful of ratings."""

BEST_KNOWN = 4.0
"""Standard deviations of log-popularity above `LEAST_KNOWN` that a film may have with the dial just above neutral."""

VARIETY = 0.9
"""Relevance that being just like a film already chosen costs at diversity 1."""

CROWDING = 0.3
"""How much of its likeness to the other chosen films counts, beside that to the nearest one."""

LEFT_OUT = 0.4
"""How much of a group's relevance is that of the member it pleases least; the rest is the mean."""

_BEST, _HUNDREDTH = 5, 100
_LEAST_RANGE = 0.25
_SAME_KIND = 0.98


def relevance(standings: Floats, among: Floats) -> Floats:
    """Standings of films, float32[C], as relevance, given the standings of the person's best films in any order.

    Standings are compared on a logarithmic scale (asinh): the tail of some models is far longer than that of others.
    """
    best = -np.sort(-np.arcsinh(among))
    top, low = best[:_BEST].mean(), best[min(_HUNDREDTH, len(best)) - 1]
    scaled: Floats = ((np.arcsinh(standings) - low) / max(float(top - low), _LEAST_RANGE)).astype(np.float32)
    return scaled


def best_known(adventurousness: float) -> float:
    """The most popular that a film may be: standardised log-popularity, falling from neutral to 1; infinite below."""
    if adventurousness <= NEUTRAL:
        return float("inf")
    return LEAST_KNOWN + BEST_KNOWN * (1 - adventurousness) / (1 - NEUTRAL)


def dial(popularity: Floats, adventurousness: float) -> Floats:
    """What the dial adds to the relevance of each film. `popularity` is standardised log-popularity."""
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


def for_group(relevances: Floats) -> Floats:
    """One relevance a film from float32[people, films]: the mean, drawn down to the member least pleased."""
    blended: Floats = (1 - LEFT_OUT) * relevances.mean(axis=0) + LEFT_OUT * relevances.min(axis=0)
    return blended


def cosines_as_likeness(units: Floats) -> Floats:
    """Likeness float32[C, C] from 0 to 1 of unit vectors: 1 from the cosine that only one pair in fifty reaches.

    Among the best films for one person cosines run from 0.1 to 0.5 in one model and from 0.7 to 0.9 in another.
    """
    cosines = units @ units.T
    if len(units) < 2:
        return np.ones_like(cosines)
    pairs = cosines[np.triu_indices(len(units), 1)]
    low, high = np.quantile(pairs[:: max(1, len(pairs) // 4000)], (0.25, _SAME_KIND))
    likeness: Floats = np.clip((cosines - low) / max(float(high - low), 1e-6), 0, 1).astype(np.float32)
    return likeness


def varied(scores: Floats, likeness: Floats, count: int, diversity: float) -> Places:
    """The places of `count` films, best score first, chosen for score and for being unlike each other.

    `scores` float32[C], `likeness` float32[C, C] from 0 to 1. Maximal marginal relevance (Carbonell and Goldstein,
    SIGIR 1998), where not only the nearest of the chosen films counts: a third film of a series is worse than a second.
    """
    count = min(count, len(scores))
    weight = np.float32(VARIETY * diversity)
    chosen: list[int] = []
    nearest = np.zeros(len(scores), np.float32)
    together = np.zeros(len(scores), np.float32)
    left = scores.astype(np.float32, copy=True)
    for _ in range(count):
        crowded = nearest + np.float32(CROWDING) * (together - nearest)
        best = int(np.argmax(left - weight * crowded))
        chosen.append(best)
        left[best] = -np.inf
        np.maximum(nearest, likeness[best], out=nearest)
        together += likeness[best]
    places = np.array(chosen, np.intp)
    return places[np.argsort(-scores[places], kind="stable")]
