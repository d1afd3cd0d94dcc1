"""The dial, groups and variety keep their promises whatever the scores."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.rerank import (
    LEAST_KNOWN,
    NEUTRAL,
    best_known,
    cosines_as_likeness,
    dial,
    first_scores,
    for_group,
    relevance,
    varied,
)

numbers = st.integers(2, 60)
settings_of_a_dial = st.floats(0, 1)


def scores(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(count).astype(np.float32)


def units(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(numbers, st.integers(0, 99))
def test_relevance_keeps_the_order_of_scores(count: int, seed: int) -> None:
    standings = 10 * scores(count, seed)
    np.testing.assert_array_equal(
        np.argsort(relevance(standings, standings), kind="stable"), np.argsort(standings, kind="stable")
    )


def test_relevance_is_one_for_the_best_and_nought_for_the_hundredth() -> None:
    standings = np.concatenate([np.full(5, 40.0), np.linspace(20, 1, 95)]).astype(np.float32)
    scaled = relevance(standings, standings)
    np.testing.assert_allclose(scaled[[0, 4, 99]], [1, 1, 0], atol=1e-5)


def test_the_dial_is_still_in_its_neutral_place() -> None:
    assert not dial(scores(50), NEUTRAL).any()


@given(settings_of_a_dial, settings_of_a_dial)
def test_turning_the_dial_up_never_favours_the_better_known(one: float, other: float) -> None:
    popularity = np.linspace(-2, 4, 30).astype(np.float32)
    low, high = dial(popularity, min(one, other)), dial(popularity, max(one, other))
    assert (np.diff(high - low) <= 1e-5).all()


@given(st.floats(0, 1), st.floats(0, 1))
def test_turned_up_the_dial_leaves_out_the_best_known_films(one: float, other: float) -> None:
    assert best_known(max(one, other)) <= best_known(min(one, other))
    assert best_known(NEUTRAL) == float("inf")
    assert best_known(1) == LEAST_KNOWN


def test_of_unknown_people_the_best_known_films_come_first_and_lesser_ones_as_the_dial_turns() -> None:
    popularity = np.linspace(-2, 4, 601).astype(np.float32)
    best = [float(popularity[np.argmax(first_scores(popularity, dial))]) for dial in (0, 0.3, 0.6, 1)]
    assert best[0] == best[1] == 4
    assert best[1] > best[2] > best[3] > 0


def test_a_group_prefers_what_suits_all_to_what_one_loves_and_another_does_not() -> None:
    everyone_likes, one_loves = for_group(np.array([[0.7, 1.0], [0.7, 0.4]], np.float32))
    assert everyone_likes > one_loves


@given(numbers, st.integers(1, 50), settings_of_a_dial)
def test_a_varied_choice_has_no_film_twice_and_the_best_first(count: int, wanted: int, diversity: float) -> None:
    values = scores(count)
    places = varied(values, cosines_as_likeness(units(count)), wanted, diversity)
    assert len(set(places.tolist())) == len(places) == min(count, wanted)
    assert (np.diff(values[places]) <= 0).all()
    assert places[0] == np.argmax(values)


@given(numbers, st.integers(1, 20))
def test_without_diversity_the_best_scores_win(count: int, wanted: int) -> None:
    values = scores(count)
    chosen = varied(values, cosines_as_likeness(units(count)), wanted, 0.0)
    np.testing.assert_array_equal(chosen, np.argsort(-values, kind="stable")[:wanted])


def test_a_series_does_not_fill_a_slate() -> None:
    series = np.ones((4, 4), np.float32)
    likeness = np.block([[series, np.zeros((4, 4))], [np.zeros((4, 4)), np.eye(4)]]).astype(np.float32)
    values = np.array([1.0, 0.99, 0.98, 0.97, 0.6, 0.55, 0.5, 0.45], np.float32)
    assert np.count_nonzero(varied(values, likeness, 5, 0.0) < 4) == 4
    assert np.count_nonzero(varied(values, likeness, 5, 0.7) < 4) <= 2


@given(numbers)
def test_likeness_runs_from_nought_to_one_and_is_mutual(count: int) -> None:
    likeness = cosines_as_likeness(units(count))
    assert ((likeness >= 0) & (likeness <= 1)).all()
    np.testing.assert_allclose(likeness, likeness.T, atol=1e-5)
    np.testing.assert_allclose(np.diag(likeness), 1)
