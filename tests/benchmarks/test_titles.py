"""The titles benchmark on a few titles: the law that it counts by, and what counts as kept."""

from __future__ import annotations

import random

import pytest

from benchmarks import titles
from benchmarks.titles import LEAST, LINKED, Came, came_of, unique_titles
from bot.conversation.people import words_of_wishes
from bot.conversation.spotting import Known
from bot.conversation.tagging import compact_tags_of
from engine import bundle
from engine.films import Catalog, FilmRecord
from engine.recommender import Recommender


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    return Recommender(bundle.load(bundle.STARTER, provider="cpu"), provider="cpu")


@pytest.fixture(scope="module")
def known(recommender: Recommender) -> Known:
    return Known(recommender.titles, words_of_wishes(compact_tags_of(recommender.catalog), recommender.people))


def test_a_name_is_unique_when_no_film_goes_by_it() -> None:
    catalog = Catalog.build(
        [FilmRecord(1, "Fire (1999)", ""), FilmRecord(2, "The Fire (2001)", ""), FilmRecord(3, "Water (2003)", "")]
    )
    assert [catalog.film_at(row).title for row in unique_titles(catalog)] == ["Water"]


def test_a_sample_of_all_titles_keeps_the_law(recommender: Recommender, known: Known) -> None:
    catalog = recommender.catalog
    rows = random.Random(1895).sample(unique_titles(catalog), 400)
    came = [came_of(catalog.film_at(row), recommender, known) for row in rows]
    assert sum(one in LINKED for one in came) / len(came) >= LEAST
    assert came.count(Came.OTHER_LOGGED) <= 2


@pytest.mark.parametrize(("label", "came"), [("Suspiria (1977)", Came.ASKED), ("Jurassic Park (1993)", Came.LOGGED)])
def test_what_comes_of_a_title(recommender: Recommender, known: Known, label: str, came: Came) -> None:
    film = recommender.catalog.film(recommender.titles.link(label).matches[0].film_id)
    assert film is not None
    assert film.label == label
    assert came_of(film, recommender, known) is came


def test_a_slip_swaps_two_letters() -> None:
    assert sorted(titles._with_slip("Suspiria")) == sorted("Suspiria")
    assert titles._with_slip("Suspiria") != "Suspiria"
