"""What slates are like, by cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine.films import Catalog, FilmRecord
from training.beyond import coverage, diversity, fame, genre_marks, novelty

TOP = np.array([[1, 2, 0], [3, 0, 0], [0, 0, 0]])
COUNTS = np.array([8, 4, 0, 1])


def test_novelty_is_the_bits_of_surprise() -> None:
    assert novelty(TOP, COUNTS, people=8).tolist() == [0.5, 3.0, 0.0]


def test_fame_is_the_mean_of_ratings() -> None:
    assert fame(TOP, COUNTS).tolist() == [6.0, 0.0, 0.0]


def test_coverage_counts_each_film_once() -> None:
    assert coverage(np.array([[1, 2], [2, 0]]), films=8) == 0.25


def test_diversity_counts_genres_in_which_pairs_differ() -> None:
    records = [(1, "Horror"), (2, "Horror|Comedy"), (3, "Drama"), (4, "(no genres listed)")]
    catalog = Catalog.build(FilmRecord(film_id=i, raw_title=f"F{i} (2000)", genres=g) for i, g in records)
    marks = genre_marks(catalog, [1, 2, 3, 4])
    assert marks.sum(1).tolist() == [0, 1, 2, 1, 0]
    # 1 and 2 differ in comedy; 1 and 3 in two, 2 and 3 in three.
    assert diversity(np.array([[1, 2], [3, 0]]), marks).tolist() == [1.0, 0.0]
    assert diversity(np.array([[1, 2, 3]]), marks).tolist() == pytest.approx([2.0])


def test_diversity_is_the_mean_over_all_pairs() -> None:
    rng = np.random.default_rng(0)
    marks = np.vstack([np.zeros(6, np.bool_), rng.random((30, 6)) < 0.4])
    slate = rng.permutation(30)[:10] + 1
    pairs = [(marks[a] != marks[b]).sum() for i, a in enumerate(slate) for b in slate[i + 1 :]]
    assert diversity(slate[None, :], marks)[0] == pytest.approx(np.mean(pairs))
