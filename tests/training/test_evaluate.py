"""Ranks, figures and their uncertainty, against cases worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.datasets import Dataset, Ratings
from training.evaluate import (
    MISS,
    TOLD,
    Answers,
    figures,
    fingerprints,
    hit,
    interval,
    ndcg,
    questions_after,
    rank_of,
    ratio,
    recent_popularity,
    reciprocal,
    standard_error,
    told,
    told_figures,
)  # fmt: skip
from training.recipe import SequenceSettings
from training.sequences import Question, Vocabulary, before

NOTHING = np.zeros(0, np.int64)


def asked(seen: int, target: int) -> Question:
    films = np.arange(1, seen + 1)
    return Question(0, films, films, films, target)


def test_a_tie_counts_at_its_worst() -> None:
    scores = np.array([9.0, 1.0, 2.0, 2.0, 2.0, 3.0])
    assert rank_of(scores, 3, NOTHING) == 4
    assert rank_of(scores, 5, NOTHING) == 1


def test_seen_films_and_padding_do_not_count() -> None:
    scores = np.array([9.0, 8.0, 7.0, 6.0])
    assert rank_of(scores, 3, np.array([1])) == 2
    assert rank_of(scores, 3, np.array([1, 2, 0])) == 1


def test_a_target_outside_the_vocabulary_is_a_miss() -> None:
    assert rank_of(np.array([9.0, 8.0]), 0, NOTHING) == MISS


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=2, max_size=30), st.data())
def test_a_rank_lies_between_the_films_above_and_all_films(values: list[int], data: st.DataObject) -> None:
    scores = np.array([math.inf, *values], np.float32)
    target = data.draw(st.integers(1, len(values)))
    rank = rank_of(scores, target, NOTHING)
    assert (scores[1:] > scores[target]).sum() < rank <= len(values)


def test_gains_are_those_of_one_relevant_film() -> None:
    ranks = np.array([1, 3, 10, 11, MISS])
    assert hit(ranks, 10).tolist() == [1, 1, 1, 0, 0]
    assert ndcg(ranks).tolist() == pytest.approx([1, 0.5, 1 / math.log2(11), 0, 0])
    assert reciprocal(ranks).tolist() == pytest.approx([1, 1 / 3, 1 / 10, 1 / 11, 0])


def test_figures_of_four_people() -> None:
    vocabulary = Vocabulary(np.array([10, 20, 30, 40], np.int32))
    counts = np.array([100, 50, 5, 5])
    top = np.zeros((4, 10), np.int64)
    top[:, 0] = [1, 1, 2, 1]
    answers = Answers(np.array([1, 3, MISS, 20]), top)
    questions = [asked(10, 10), asked(10, 20), asked(40, 999), asked(200, 30)]
    found = figures(answers, questions, [vocabulary] * 4, [counts] * 4, catalog_size=8)
    assert found["people"] == 4
    assert found["hr@10"] == 0.5
    assert found["hr@50"] == 0.75
    assert found["ndcg@10"] == pytest.approx(1.5 / 4)
    assert found["ndcg@10-se"] == pytest.approx(np.std([1, 0.5, 0, 0], ddof=1) / 2)
    assert found["mrr"] == pytest.approx((1 + 1 / 3 + 0 + 1 / 20) / 4)
    assert found["coverage@10"] == 2 / 8
    assert found["popularity-percentile"] == pytest.approx((1 + 1 + 0.75 + 1) / 4)
    assert found["people/history-10-29"] == 2
    assert found["ndcg@10/history-10-29"] == pytest.approx(0.75)
    assert found["people/target-0-9"] == 2
    assert found["people/target-100-up"] == 1


def test_a_bootstrap_interval_holds_the_mean_and_narrows_with_more_people() -> None:
    few, many = np.array([0.0, 1.0] * 20), np.array([0.0, 1.0] * 2000)
    (low, high), (closer_low, closer_high) = interval(few), interval(many)
    assert low < closer_low < 0.5 < closer_high < high
    assert high - low == pytest.approx(2 * 1.96 * standard_error(few), rel=0.15)
    assert interval(np.ones(5)) == (1.0, 1.0)


def three_people() -> Ratings:
    """Two who have watched for long and one who is new; 100 seconds, days and films apart."""
    day, old = 86_400, np.arange(12)
    films = np.concatenate([old + 1, [50, 60, 61], old + 1, [50], [60, 50]])
    stars = np.concatenate([np.full(12, 3.0), [1, 5, 5], np.full(12, 3.0), [5], [5, 5]]).astype(np.float64)
    times = np.concatenate([old, [100 * day, 101 * day, 102 * day], old, [100 * day + 5], [99 * day, 99 * day + 1]])
    return Ratings(np.array(["a", "b", "c"]), np.array([0, 15, 28, 30]), films, stars, times.astype(np.int64))


def test_a_time_split_asks_for_the_first_liked_film_after_it_of_those_who_had_watched_before() -> None:
    asked = questions_after(three_people(), 100 * 86_400, SequenceSettings())
    assert [(one.person, one.target, len(one.seen)) for one in asked] == [(0, 60, 13), (1, 50, 12)]
    assert asked[0].seen[-1] == 50  # what was watched since is known to whoever answers
    assert questions_after(three_people(), 200 * 86_400, SequenceSettings()) == []


def test_nothing_from_a_day_on_is_trained_on() -> None:
    cut = before(three_people(), 99 * 86_400 + 1)
    assert np.diff(cut.starts).tolist() == [12, 12, 1]
    assert cut.times.max() == 99 * 86_400


def test_recent_popularity_counts_the_last_days_alone() -> None:
    ratings = three_people()
    vocabulary = Vocabulary(np.array([*range(1, 13), 50, 60, 61], np.int32))
    asked = questions_after(ratings, 100 * 86_400, SequenceSettings())
    found = recent_popularity(ratings, asked, vocabulary)
    # Of the week before: 50 and 60 once by the newcomer, 50 once more by the first person, who has seen it.
    assert found.ranks.tolist() == [1, 1]
    assert vocabulary.films[found.top[1][0] - 1] == 50


def test_one_value_has_no_spread() -> None:
    assert standard_error(np.array([0.3])) == 0.0


def test_the_ratio_of_a_thing_to_itself_is_one_without_doubt() -> None:
    values = np.array([0.0, 1.0, 0.5, 0.2] * 10)
    assert ratio(values, values) == (1.0, 1.0, 1.0)


def test_the_ratios_interval_holds_it_and_is_paired() -> None:
    rng = np.random.default_rng(0)
    baseline = rng.random(500)
    middle, low, high = ratio(baseline * 1.2, baseline)
    assert low == pytest.approx(1.2)
    assert high == pytest.approx(1.2)
    unpaired = ratio(rng.permutation(baseline) * 1.2, baseline)
    assert unpaired[1] < middle < unpaired[2]


def test_a_ratio_to_nothing_is_not_a_number() -> None:
    assert math.isnan(ratio(np.ones(3), np.zeros(3))[0])


def test_a_newcomer_tells_more_and_more_of_the_same_films(dataset: Dataset) -> None:
    settings = SequenceSettings(liked_quantile=0.3)
    people = [p for p in range(len(dataset.ratings.people)) if list(told(dataset.ratings, p, settings))]
    assert people
    for person in people:
        made = dict(told(dataset.ratings, person, settings))
        assert list(made) == list(TOLD)
        assert all(made[k].fed.tolist() == made[10].fed[:k].tolist() for k in TOLD)
        assert len({made[k].target for k in TOLD}) == 1
        assert made[1].target not in made[10].fed


def test_told_figures_name_how_many_were_told() -> None:
    found = told_figures({3: Answers(np.array([1, MISS]), np.zeros((2, 10), np.int64))})
    assert found == {"told-3/ndcg@10": 0.5, "told-3/ndcg@10-se": pytest.approx(0.5), "told-3/people": 2.0}


def test_a_fingerprint_knows_a_person_by_what_they_rated(dataset: Dataset) -> None:
    people = range(len(dataset.ratings.people))
    marks = fingerprints(dataset.ratings, people)
    assert len(set(marks.tolist())) == len(people)
    assert fingerprints(dataset.ratings, [5]).tolist() == [marks[5]]
