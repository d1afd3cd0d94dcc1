"""Facts are read off the catalogue, and tags that say little are not."""

import numpy as np
import pytest

from engine.facts import Facts, eligible
from engine.films import Catalog, FilmRecord


@pytest.fixture(scope="module")
def facts() -> Facts:
    shared = {"giallo": 3, "overrated": 9, "atmospheric": 8, "horror": 7, "sci fi": 2, "1970s": 2}
    return Facts(
        Catalog.build(
            [
                FilmRecord(n, f"Film {n} (197{n})", "Horror|Mystery" if n < 5 else "Comedy", 10 * n, shared)
                for n in range(1, 9)
            ]
            + [FilmRecord(9, "Nothing known", "(no genres listed)", 0, {"one person's word": 1})]
        )
    )


def test_facts_are_the_decade_telling_tags_and_genres(facts: Facts) -> None:
    assert facts.facts(0) == ("1970s", "giallo", "Horror", "Mystery")
    assert facts.facts(8) == ()


def test_a_tag_that_only_says_the_title_again_is_no_fact(facts: Facts) -> None:
    films = [
        FilmRecord(n, f"{'Halloween' if n < 2 else 'Carrie'} (197{n})", "Horror", 1, {"halloween": 5}) for n in range(6)
    ]
    named = Facts(Catalog.build(films))
    assert named.facts(0) == ("1970s", "Horror")
    assert named.facts(3) == ("1970s", "halloween", "Horror")


def test_shared_facts_are_those_of_both(facts: Facts) -> None:
    assert facts.shared(0, 1) == ("1970s", "giallo", "Horror", "Mystery")
    assert facts.shared(0, 6) == ("1970s", "giallo")
    assert facts.shared(0, 8) == ()


def test_likeness_is_greatest_for_the_film_itself_and_falls_with_what_differs(facts: Facts) -> None:
    alike = facts.likeness(0, np.arange(9))
    assert alike.argmax() == 0
    assert alike[1] > alike[6] > alike[8]


def test_a_tag_is_found_whatever_its_case_and_only_whole(facts: Facts) -> None:
    assert facts.carries(["GIALLO"]).tolist() == [1] * 8 + [0]
    assert not facts.carries(["gial"]).any()
    assert facts.carries(["giallo", "nothing"]).max() == 0.5


def test_a_year_that_is_not_stated_is_in_no_range(facts: Facts) -> None:
    films = facts.genre_bits, facts.years
    assert eligible(*films, (), (), (None, None)).all()
    assert not eligible(*films, (), (), (None, 3000))[8]
    assert eligible(*films, ["Horror"], (), (1972, 1973)).nonzero()[0].tolist() == [1, 2]
    assert not eligible(*films, ["Horror"], ["Horror"], (None, None)).any()


def test_ranks_count_the_films_with_more_ratings(facts: Facts) -> None:
    assert [facts.fame_rank(row) for row in (7, 6, 0, 8)] == [1, 2, 8, 9]
