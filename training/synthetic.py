"""Ratings of made-up people, as many as are wanted, that are spread as real ones are.

Knows how long real histories are and how well known real films are, and draws from that. The order means nothing: this
is for measuring time and memory, not for measuring taste.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from training.datasets import Ratings

_SOME, _ROUNDS = 300, 200

Ids = npt.NDArray[np.int64]

_PEOPLE_AT_ONCE = 10_000
_LONG = 20
"""A history of more than one in so many films is long."""
_FIRST_DAY, _LAST_DAY = 9_600, 19_600  # days since 1970: 1996 to 2023
_SAME_SECOND = 0.3
"""Share of ratings that come in the same second as the one before, as with lists of films to tick off."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How much there is to be."""

    people: int
    films: int
    rows: int


def lengths(real: Ratings, shape: Shape, rng: np.random.Generator) -> Ids:
    """How many films each person rates, int64[people], `shape.rows` in all: real lengths drawn anew, stretched alike.

    Nobody rates less than one film or more than half of them.
    """
    drawn = rng.choice(np.diff(real.starts), shape.people).astype(np.float64)
    most = max(1, shape.films // 2)
    stretched = np.clip(np.rint(drawn * shape.rows / drawn.sum()), 1, most).astype(np.int64)
    while missing := shape.rows - int(stretched.sum()):
        able = np.flatnonzero(stretched < most if missing > 0 else stretched > 1)
        if not len(able):
            raise ValueError(f"{shape.people} people cannot rate {shape.rows} films of {shape.films}")
        some = rng.choice(able, min(abs(missing), len(able)), replace=False)
        stretched[some] += np.sign(missing)
    return np.asarray(stretched, np.int64)


def popularity(real: Ratings, films: int) -> npt.NDArray[np.float64]:
    """The share of all ratings that goes to each film, float64[films], the best known first: the real curve of shares
    over ranks, stretched to so many films."""
    counts = np.sort(np.unique(real.films, return_counts=True)[1])[::-1].astype(np.float64)
    real_ranks = np.log((np.arange(len(counts)) + 0.5) / len(counts))
    ranks = np.log((np.arange(films) + 0.5) / films)
    curve = np.exp(np.interp(ranks, real_ranks, np.log(counts)))
    return np.asarray(curve / curve.sum(), np.float64)


def _odds(share: npt.NDArray[np.float64], counts: Ids) -> npt.NDArray[np.float64]:
    """With which odds to draw films so that each has its `share` of all ratings, float64[films].

    Nobody rates a film twice, so a long history takes fewer of the best-known films than their odds say. Drawing m
    times, film f is in a history with probability 1 − exp(−m · odds[f]): the odds are raised where that gives too
    little. Reckoned on some films and some lengths, each standing for those about it.
    """
    some = np.unique(np.geomspace(1, len(share), _SOME).astype(np.int64)) - 1
    stand_for = np.diff(np.append(some, len(share))).astype(np.float64)
    wanted = np.minimum(np.add.reduceat(share, some) / stand_for * counts.sum(), 0.95 * len(counts))
    long = np.quantile(counts, (np.arange(_SOME) + 0.5) / _SOME)
    odds = wanted / (wanted * stand_for).sum()
    draws = long.copy()
    for _ in range(_ROUNDS):
        chances = 1 - np.exp(-draws[:, None] * odds)  # (lengths, films)
        draws *= long / (chances * stand_for).sum(1)
        odds *= wanted / (chances.mean(0) * len(counts))
        odds /= (odds * stand_for).sum()
    spread = np.exp(np.interp(np.arange(len(share)), some, np.log(odds)))
    return np.asarray(spread / spread.sum(), np.float64)


def histories(real: Ratings, shape: Shape, *, seed: int = 0) -> Iterator[tuple[Ids, Ids]]:
    """Some people at a time: the person (from 1) and the film (from 1) of each row, int64[n] each, person after person,
    no film twice, in an order without meaning."""
    rng = np.random.default_rng(seed)
    counts = lengths(real, shape, rng)
    odds = _odds(popularity(real, shape.films), counts)
    share = np.cumsum(odds)
    names = rng.permutation(shape.films) + 1  # a film's number says nothing of how well known it is
    for first in range(0, shape.people, _PEOPLE_AT_ONCE):
        wanted = counts[first : first + _PEOPLE_AT_ONCE]
        long = np.flatnonzero(wanted > shape.films // _LONG)
        taken = np.concatenate([np.zeros(0, np.int64), *(_race(odds, wanted[p], rng) + p * shape.films for p in long)])
        while (left := wanted - np.bincount(taken // shape.films, minlength=len(wanted))).any():
            people = np.repeat(np.arange(len(wanted)), left)
            films = np.searchsorted(share, rng.random(len(people)), side="right")
            taken = np.union1d(taken, people * shape.films + np.minimum(films, shape.films - 1))
        order = np.lexsort((rng.random(len(taken)), taken // shape.films))
        taken = taken[order]
        yield taken // shape.films + first + 1, names[taken % shape.films].astype(np.int64)


def _race(odds: npt.NDArray[np.float64], count: int, rng: np.random.Generator) -> Ids:
    """`count` films drawn by their odds without putting any back, int64[count]: those that come first when each comes
    at a random time, at the rate of its odds. Drawing anew what is a double takes forever for half of all films."""
    return np.argpartition(rng.exponential(size=len(odds)) / odds, count - 1)[:count].astype(np.int64)


def write(folder: Path, real: Ratings, shape: Shape, *, seed: int = 0) -> None:
    """`ratings.csv` and `movies.csv` as MovieLens publishes them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng((seed, 1))
    stars, odds = np.unique(real.stars, return_counts=True)
    schema = pa.schema(
        [("userId", pa.int64()), ("movieId", pa.int64()), ("rating", pa.float64()), ("timestamp", pa.int64())]
    )
    with pa.csv.CSVWriter(folder / "ratings.csv", schema) as ratings:
        for people, films in histories(real, shape, seed=seed):
            start = rng.integers(_FIRST_DAY * 86_400, _LAST_DAY * 86_400, int(people[-1] - people[0]) + 1)
            gaps = np.where(rng.random(len(people)) < _SAME_SECOND, 0, rng.integers(1, 90, len(people)))
            since = np.cumsum(gaps)
            begins = np.flatnonzero(np.diff(people, prepend=people[0] - 1))
            times = (
                start[people - people[0]] + since - np.repeat(since[begins], np.diff(np.append(begins, len(people))))
            )
            given = rng.choice(stars, len(people), p=odds / odds.sum())
            ratings.write_table(pa.table([people, films, given, times], schema=schema))
    ids = np.arange(1, shape.films + 1)
    titles = [f"Film {film} ({1920 + film % 104})" for film in ids]
    movies = pa.table({"movieId": ids, "title": titles, "genres": ["Drama"] * shape.films})
    pa.csv.write_csv(movies, folder / "movies.csv")
