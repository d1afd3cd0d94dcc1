"""A person's own bar, the vocabulary, windows and questions; and the protocol on the real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.datasets import Dataset, Ratings, load
from training.recipe import Films, SequenceSettings, read
from training.sequences import (
    NEWCOMER_FILMS,
    Vocabulary,
    Watched,
    bar,
    last_liked,
    last_question,
    newcomer_windows,
    protocol,
    question,
    selected,
    training_sequences,
    windows,
    without_last,
)  # fmt: skip


def watched(ids: list[int], asked: list[bool] | None = None) -> Watched:
    return Watched(0, np.array(ids), np.array(asked or [True] * len(ids)), np.array(ids))


def test_the_bar_is_the_persons_own_and_the_lower_rating_between_two() -> None:
    assert bar(np.array([1.0, 2.0, 3.0, 4.0]), 0.7) == 3.0
    assert bar(np.array([5.0, 5.0, 5.0]), 0.7) == 5.0


def test_who_rates_everything_alike_likes_everything() -> None:
    assert selected(np.array([3.0, 3.0]), Films.LIKED, SequenceSettings()).all()


def test_liked_films_are_among_most_films() -> None:
    stars = np.array([0.5, 2.0, 3.0, 3.5, 4.0, 5.0])
    liked, most = (selected(stars, films, SequenceSettings()) for films in (Films.LIKED, Films.MOST))
    assert (most | ~liked).all()
    assert most.sum() > liked.sum()


def test_the_vocabulary_holds_films_of_the_catalogue_with_enough_ratings(dataset: Dataset) -> None:
    people = range(len(dataset.ratings.people))
    films, counts = np.unique(dataset.ratings.films, return_counts=True)
    vocabulary = Vocabulary.of(dataset.ratings, people, 40, dataset.catalog.film_ids[1:])
    assert vocabulary.films.tolist() == [f for f, n in zip(films, counts, strict=True) if n >= 40 and f != 1]
    first = int(vocabulary.films[0])
    assert vocabulary.indices(np.array([first, 1, 999_999])).tolist() == [1, 0, 0]


def test_people_with_too_few_targets_are_left_out(dataset: Dataset) -> None:
    people = range(len(dataset.ratings.people))
    vocabulary = Vocabulary.of(dataset.ratings, people, 1, dataset.catalog.film_ids)
    settings = SequenceSettings(inputs="liked", targets="liked", min_targets=8)
    made = training_sequences(dataset.ratings, people, vocabulary, settings)
    assert 0 < len(made) < len(people)
    assert all(sequence.asked.all() and len(sequence.ids) >= 8 for sequence in made)


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(1, 20), st.integers(0, 1000))
def test_windows_ask_for_every_film_but_the_first_exactly_once(films: int, length: int, seed: int) -> None:
    made = list(windows([watched(list(range(1, films + 1)))], length, np.random.default_rng(seed)))
    asked = [film for window in made for film in window.ids[1:][window.asked[1:]].tolist()]
    assert asked == list(range(2, films + 1))
    assert all(2 <= len(window.ids) <= length + 1 for window in made)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_windows_keep_the_order_unless_they_are_shuffled(seed: int) -> None:
    sequence = [watched(list(range(1, 30)))]
    for window in windows(sequence, 10, np.random.default_rng(seed), drop_inputs=0.9):
        assert (np.diff(window.ids) > 0).all()
    every = [i for w in windows(sequence, 40, np.random.default_rng(seed), shuffle=1.0) for i in w.ids.tolist()]
    assert sorted(every) == list(range(1, 30))


def test_a_window_that_asks_for_nothing_is_not_made() -> None:
    assert not list(windows([watched([1, 2, 3], [True, False, False])], 5, np.random.default_rng(0)))


def test_newcomers_tell_a_few_liked_films() -> None:
    made = list(newcomer_windows([watched(list(range(1, 40))), watched([7])], 50, np.random.default_rng(0), 2))
    assert [len(window.ids) for window in made] == [NEWCOMER_FILMS + 1] * 2
    assert all(len(set(window.ids.tolist())) == len(window.ids) for window in made)


def test_a_question_looks_at_nothing_after_the_target(dataset: Dataset) -> None:
    settings = SequenceSettings(inputs="liked")
    ratings = dataset.ratings
    rows = ratings.rows(0)
    [(before, target)] = last_liked(ratings, 0, settings)
    asked = question(ratings, 0, before, target, settings)
    assert asked.seen.tolist() == ratings.films[rows][:before].tolist()
    stars = ratings.stars[rows][:before]
    assert asked.fed.tolist() == asked.liked.tolist() == asked.seen[stars >= bar(stars, 0.7)].tolist()
    assert target == ratings.films[rows][before]


def test_without_its_last_film_a_history_is_what_the_question_about_it_has_seen(dataset: Dataset) -> None:
    ratings, shorter = dataset.ratings, without_last(dataset.ratings)
    assert shorter.people.tolist() == ratings.people.tolist()
    for person in range(len(ratings.people)):
        asked = last_question(ratings, person, SequenceSettings(inputs="all"))
        assert asked.fed.tolist() == asked.seen.tolist() == shorter.films[shorter.rows(person)].tolist()
        assert [*asked.seen, asked.target] == ratings.films[ratings.rows(person)].tolist()
        assert shorter.times[shorter.rows(person)].tolist() == ratings.times[ratings.rows(person)][:-1].tolist()


def test_who_watched_one_film_keeps_it() -> None:
    films = np.array([7, 1, 2, 3])
    short = Ratings(np.array(["a", "b"]), np.array([0, 1, 4]), films, np.full(4, 5.0), np.arange(4))
    assert without_last(short).films.tolist() == [7, 1, 2]
    assert without_last(short).starts.tolist() == [0, 1, 3]


def test_the_protocol_of_the_starter_data_is_reproduced(movielens: Path) -> None:
    path = movielens / "protocol" / "people.parquet"
    if not path.is_file():
        pytest.skip("the protocol's people are not here")
    sources = read("starter").data.sources
    dataset = load(movielens, sources)
    assert len(dataset.ratings.people) == 2752
    assert len(dataset.ratings.films) == 306_796
    assert len(dataset.catalog) == 86_537
    expected = pyarrow.parquet.read_table(path).sort_by("person")
    found = protocol(dataset.ratings)
    assert dataset.ratings.people.tolist() == expected["person"].to_pylist()
    for name in ("fold", "before", "target"):
        np.testing.assert_array_equal(getattr(found, name), expected[name].to_numpy())
