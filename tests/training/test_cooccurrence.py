"""Film factors: films that the same people watch lie near each other."""

from __future__ import annotations

import numpy as np

from training.baselines import interactions
from training.cooccurrence import film_factors

PEOPLE = [np.array([1, 2, 3])] * 20 + [np.array([4, 5, 6])] * 20
"""Two groups that share no film; film 7 is watched by nobody."""


def test_films_of_one_crowd_are_near_and_of_two_are_not() -> None:
    films = film_factors(interactions(PEOPLE, 7), 4, seed=0)
    assert films.shape == (7, 4)
    cosines = films @ films.T / np.outer(np.linalg.norm(films, axis=1), np.linalg.norm(films, axis=1))
    assert cosines[0, 1] > 0.9
    assert abs(cosines[0, 3]) < 0.5


def test_the_same_seed_gives_the_same_factors() -> None:
    matrix = interactions(PEOPLE, 7)
    np.testing.assert_array_equal(film_factors(matrix, 4, seed=0), film_factors(matrix, 4, seed=0))


def test_more_dimensions_than_films_is_no_error() -> None:
    films = film_factors(interactions(PEOPLE, 7), 16, seed=0)
    assert films.shape == (7, 16)
    assert np.isfinite(films).all()
