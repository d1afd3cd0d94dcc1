"""Made-up ratings: as many as asked for, spread as real ones are, and read like any others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.datasets import Ratings, load
from training.recipe import Source
from training.synthetic import Shape, histories, lengths, popularity, write


@pytest.fixture(scope="module")
def real() -> Ratings:
    """3,000 people with lengths and fame as uneven as in MovieLens."""
    rng = np.random.default_rng(5)
    counts = np.clip(rng.lognormal(4, 1, 3000), 20, 1000).astype(np.int64)
    odds = 1 / (np.arange(2000) + 20) ** 1.3
    each = [np.unique(rng.choice(2000, count, p=odds / odds.sum()) + 1) for count in counts]
    starts = np.concatenate([[0], np.cumsum([len(films) for films in each])])
    films = np.concatenate(each)
    stars = rng.choice([3.0, 4.0, 5.0], len(films))
    return Ratings(np.array([str(i) for i in range(3000)]), starts, films, stars, np.arange(len(films)))


SHAPE = Shape(people=6000, films=5000, rows=400_000)


def test_there_are_as_many_as_asked_for_and_no_film_twice(real: Ratings) -> None:
    made = list(histories(real, SHAPE))
    people, films = (np.concatenate(part) for part in zip(*made, strict=True))
    assert len(people) == SHAPE.rows
    assert len(np.unique(people)) == SHAPE.people
    assert films.min() >= 1
    assert films.max() <= SHAPE.films
    assert len(np.unique(people * 10_000 + films)) == SHAPE.rows


def test_histories_are_as_uneven_as_real_ones(real: Ratings) -> None:
    made, were = lengths(real, SHAPE, np.random.default_rng(0)), np.diff(real.starts)
    quantiles = [0.1, 0.25, 0.5, 0.75, 0.9]
    relative = np.quantile(made, quantiles) / made.mean()
    assert relative == pytest.approx(np.quantile(were, quantiles) / were.mean(), rel=0.1)


def test_films_are_as_unevenly_known_as_real_ones(real: Ratings) -> None:
    """The share of ratings that the best-known 1%, 5%, 20% and 50% of the films have."""
    _, films = (np.concatenate(part) for part in zip(*histories(real, SHAPE), strict=True))
    tops = np.array([0.01, 0.05, 0.2, 0.5])

    def shares(watched: np.ndarray, size: int) -> np.ndarray:
        counts = np.zeros(size)
        found = np.sort(np.unique(watched, return_counts=True)[1])[::-1]
        counts[: len(found)] = found
        return np.cumsum(counts)[(tops * size).astype(int) - 1] / counts.sum()

    assert shares(films, SHAPE.films) == pytest.approx(shares(real.films, 2000), abs=0.03)
    assert popularity(real, 50).sum() == pytest.approx(1)


def test_they_are_read_as_movielens_is(real: Ratings, tmp_path: Path) -> None:
    small = Shape(people=50, films=300, rows=2000)
    write(tmp_path, real, small)
    found = load(tmp_path, [Source()])
    assert (found.report.rows, found.report.people) == (2000, 50)
    assert found.report.problems() == []
    again = tmp_path / "again"
    write(again, real, small)
    assert load(again, [Source()]).data_hash == found.data_hash


def test_more_than_there_can_be_is_refused(real: Ratings) -> None:
    with pytest.raises(ValueError, match="cannot rate"):
        lengths(real, Shape(people=2, films=10, rows=100), np.random.default_rng(0))
