"""The baselines, against what can be computed by hand, and the protocol's published table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.baselines import ease, ease_weights, interactions, item_knn, popularity
from training.datasets import load
from training.evaluate import ask_baseline, ndcg
from training.recipe import Films, SequenceSettings, read
from training.sequences import Vocabulary, protocol, question, selected

LIKED = [np.array([1, 2]), np.array([1, 2, 3]), np.array([1, 0]), np.array([3, 3])]
"""Four people, three films; index 0 is outside the vocabulary."""


def test_interactions_are_ones_without_what_is_outside() -> None:
    assert interactions(LIKED, 3).toarray().tolist() == [[1, 1, 0], [1, 1, 1], [1, 0, 0], [0, 0, 1]]


def test_popularity_is_how_many_liked_a_film() -> None:
    assert popularity(interactions(LIKED, 3))(np.array([1])).tolist() == [3, 2, 2]


def test_item_knn_is_the_shrunk_cosine() -> None:
    scores = item_knn(interactions(LIKED, 3), shrink=20.0)(np.array([1]))
    assert scores.tolist() == pytest.approx([0, 2 / (np.sqrt(6) + 20), 1 / (np.sqrt(6) + 20)])


@pytest.mark.parametrize("people", [4, 2], ids=["fewer films", "fewer people"])
def test_ease_is_the_ridge_regression_of_each_film_on_the_others(people: int) -> None:
    matrix = interactions(LIKED[:people], 3)
    dense, ridge = matrix.toarray(), 2.0
    weights = ease_weights(matrix, ridge)
    for film in range(3):
        others = [i for i in range(3) if i != film]
        x = dense[:, others]
        solved = np.linalg.solve(x.T @ x + ridge * np.eye(2), x.T @ dense[:, film])
        np.testing.assert_allclose(weights[others, film], solved, rtol=1e-4)
        assert weights[film, film] == 0
    np.testing.assert_allclose(ease(matrix, ridge=ridge)(np.array([1, 2, 0])), weights[0] + weights[1], rtol=1e-5)


def test_the_protocols_figures_come_out_on_the_first_fold(movielens: Path) -> None:
    dataset = load(movielens, read("starter").data.sources)
    ratings, split, settings = dataset.ratings, protocol(dataset.ratings), SequenceSettings()
    learning, tested = np.flatnonzero(split.fold != 0), np.flatnonzero(split.fold == 0)
    vocabulary = Vocabulary.of(ratings, learning, 3, dataset.catalog.film_ids)
    liked = []
    for person in learning:
        rows = ratings.rows(int(person))
        liked.append(vocabulary.indices(ratings.films[rows])[selected(ratings.stars[rows], Films.LIKED, settings)])
    matrix = interactions(liked, len(vocabulary))
    asked = [question(ratings, int(p), int(split.before[p]), int(split.target[p]), settings) for p in tested]
    # The table is over five folds: one of them lies within three of its standard errors, each about √5 as wide.
    for baseline, expected, error in ((popularity(matrix), 0.0287, 0.0027), (item_knn(matrix), 0.0486, 0.0036)):
        found = ndcg(ask_baseline(baseline, vocabulary, asked).ranks).mean()
        assert found == pytest.approx(expected, abs=3 * error * np.sqrt(5))
