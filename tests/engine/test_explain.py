"""Every reason is true, and an influence was measured."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bundle import Bundle
from engine.explain import MATERIAL_FALL, MOST_WATCHES_TRIED, influences
from engine.films import GENRES, FilmId
from engine.recommender import Recommender
from engine.requests import Event, Member, Reason, ReasonKind, Request
from engine.space import Space
from tests.engine.small_bundle import KNOWN, MAX_LENGTH, film_id

numbers = st.lists(st.integers(0, KNOWN - 1), min_size=1, max_size=2 * MAX_LENGTH)


@pytest.fixture(scope="module")
def space(small: Bundle) -> Space:
    return Space(small.model("cpu"), small.film_table)


def watched(*given_numbers: int) -> Member:
    return Member(tuple(Event(FilmId(film_id(n))) for n in given_numbers))


def standing(space: Space, history: np.ndarray, index: int) -> float:
    """How far the film stands above this person's mean, from the scores of all films, the long way round."""
    if not len(history):
        return 0.0
    scores = np.asarray(space.encode([history]) @ space._table[1:].T)[0]
    return float((scores[index - 1] - scores.mean()) / scores.std())


@settings(max_examples=60, deadline=None)
@given(numbers)
def test_leaving_the_named_watch_out_lowers_the_film_by_as_much_as_is_said(
    recommender: Recommender, space: Space, given_numbers: list[int]
) -> None:
    history = np.array(given_numbers) + 1
    for pick in recommender.recommend([watched(*given_numbers)], Request(count=8)).picks:
        if pick.reason.kind is not ReasonKind.BECAUSE_WATCHED:
            continue
        index = (pick.film.film_id - 7) // 3 + 1
        evidence = pick.reason.evidence or {}
        for film, key in zip(pick.reason.films, ("fall", "second_fall"), strict=False):
            named = (film.film_id - 7) // 3 + 1
            assert named in history[-MAX_LENGTH:]
            fall = standing(space, history, index) - standing(space, history[history != named], index)
            assert fall >= MATERIAL_FALL - 1e-3
            assert fall == pytest.approx(evidence[key], abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=3), st.lists(st.integers(1, KNOWN), min_size=1, max_size=5, unique=True))
def test_a_fall_is_the_difference_that_the_watch_makes(
    space: Space, given_histories: list[list[int]], slate: list[int]
) -> None:
    histories = [np.array(history) + 1 for history in given_histories]
    for influence in influences(space, histories, np.array(slate), most=None).influences:
        possible = [
            [standing(space, h, film) - standing(space, h[h != influence.index], film) for film in slate]
            for h in histories
            if influence.index in h[-MAX_LENGTH:]
        ]
        np.testing.assert_allclose(influence.falls, np.max(possible, axis=0), atol=1e-3)


def test_no_more_watches_are_tried_than_there_is_time_for(space: Space) -> None:
    histories = [np.arange(1 + 12 * n, 13 + 12 * n) for n in range(3)]
    slate = np.array([100, 101, 102])
    assert len(influences(space, histories, slate).influences) == MOST_WATCHES_TRIED
    assert len(influences(space, histories, slate, most=None).influences) == 36


def test_a_film_watched_twice_is_left_out_twice(space: Space) -> None:
    history = np.array([1, 6, 1, 11, 1])
    found = {
        influence.index: influence.falls[0] for influence in influences(space, [history], np.array([16])).influences
    }
    assert set(found) == {1, 6, 11}
    expected = standing(space, history, 16) - standing(space, np.array([6, 11]), 16)
    assert found[1] == pytest.approx(expected, abs=1e-3)


def holds(reason: Reason, film_genres: tuple[str, ...], year: int | None, tags: tuple[str, ...]) -> bool:
    def one(fact: str) -> bool:
        if fact in GENRES:
            return fact in film_genres
        if fact.endswith("0s"):
            return year is not None and f"{year // 10 * 10}s" == fact
        return fact in tags

    return all(map(one, reason.facts))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 299), max_size=15), st.lists(st.integers(0, 299), max_size=2))
def test_facts_hold_for_the_film_and_for_the_films_it_shares_them_with(
    recommender: Recommender, given_numbers: list[int], like: list[int]
) -> None:
    request = Request(count=6, like=tuple(FilmId(film_id(n)) for n in like))
    for pick in recommender.recommend([watched(*given_numbers)], request).picks:
        for reason in (pick.reason, *recommender.why([watched(*given_numbers)], pick.film.film_id, request)):
            for film in (pick.film, *reason.films[:1]):
                assert holds(reason, film.genres, film.year, film.tags)


def test_without_a_history_there_are_only_facts(recommender: Recommender) -> None:
    for pick in recommender.recommend([Member()], Request(count=20)).picks:
        assert pick.reason.kind in (ReasonKind.FACTS, ReasonKind.POPULAR)
        assert not pick.reason.films


def test_why_starts_with_the_strongest_reason_and_ends_with_what_the_film_is(recommender: Recommender) -> None:
    member = watched(3, 8, 13)
    pick = recommender.recommend([member], Request()).picks[0]
    reasons = recommender.why([member], pick.film.film_id, Request())
    assert reasons[0] == pick.reason
    assert reasons[-1].kind is ReasonKind.FACTS


def test_popular_films_are_ranked_by_their_ratings(recommender: Recommender) -> None:
    pick = recommender.recommend([Member()], Request(count=1)).picks[0]
    evidence = pick.reason.evidence or {}
    more = sum(film.rating_count > pick.film.rating_count for film in recommender.catalog)
    assert evidence["rank"] == 1 + more


def test_without_reasons_asked_for_a_pick_still_says_what_it_is(recommender: Recommender) -> None:
    for pick in recommender.recommend([watched(0)], Request(reasons=False)).picks:
        assert pick.reason.kind is ReasonKind.FACTS
