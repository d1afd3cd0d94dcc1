"""The facts that are written down, and casts joined with the catalogue by title and year."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from engine.bundle import STARTER
from engine.films import Catalog, FilmRecord
from engine.names import exact_key
from engine.people import shipped
from training.datasets import DataError
from training.people import Cast, Fact, build, credited, joined, read_casts, read_facts


def film(film_id: int, title: str, genres: str = "Drama", **more: object) -> FilmRecord:
    return FilmRecord(film_id, title, genres, **more)  # type: ignore[arg-type]


CATALOG = Catalog.build(
    [
        film(1, "Heat (1995)", "Crime"),
        film(2, "Heat (1986)"),
        film(3, "Dune (1984)", "Sci-Fi"),
        film(4, "Dune (1985)", "Drama"),
        film(5, "Suspiria (2017)", "Horror"),
        film(6, "City of Lost Children, The (Cité des enfants perdus, La) (1995)", "Fantasy"),
        film(7, "Alone (2001)"),
        film(8, "Somebody's (2003)", tags={"jane doe": 3}),
    ]
)


def cast(title: str, year: int, *names: str, genres: tuple[str, ...] = ("Drama",)) -> Cast:
    return Cast(title, year, names, frozenset(genres))


# The facts


def test_every_line_of_the_facts_is_of_their_form() -> None:
    facts = read_facts()
    assert len(facts) > 3000
    assert [fact.film_id for fact in facts] == sorted(fact.film_id for fact in facts)
    for fact in facts:
        assert fact.directors or fact.cast or fact.told
        assert all(word == word.lower() and word.replace(" ", "").isalpha() for word in fact.told)
        for name in (*fact.directors, *fact.cast):
            assert name == " ".join(name.split())
            assert name[0].isalpha()
            assert not set(name) & set(',;|()"0123456789')
        assert len(set(fact.directors)) == len(fact.directors)


def test_every_fact_is_about_the_film_that_its_label_says() -> None:
    catalog = Catalog.load(STARTER / "catalog")
    for fact in read_facts():
        found = catalog.film(fact.film_id)
        assert found is not None
        assert found.label == fact.label


def test_what_ships_holds_the_facts() -> None:
    catalog = Catalog.load(STARTER / "catalog")
    for fact in read_facts():
        found = catalog.film(fact.film_id)
        assert found is not None
        held = shipped().of(fact.film_id, found.year or 0)
        assert held is not None
        for known, written in ((held.directors, fact.directors), (held.cast, fact.cast)):
            assert list(map(exact_key, known[: len(written)])) == list(map(exact_key, written))


@pytest.mark.parametrize(
    "line", ["Heat", "x\tHeat (1995)\tMichael Mann", "1\tHeat (1995)", "1\tHeat (1995)\tMichael Mann\ta\tb\tc"]
)
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "people.tsv"
    file.write_text(f"# what it is\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"people\.tsv, line 2"):
        read_facts(file)


def test_a_film_stands_in_the_facts_once(tmp_path: Path) -> None:
    file = tmp_path / "people.tsv"
    file.write_text("1\tHeat (1995)\tMichael Mann\n1\tHeat (1995)\tMichael Mann\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 2"):
        read_facts(file)


def test_facts_about_another_film_are_refused() -> None:
    with pytest.raises(DataError, match="film 1 is not “Alien"):
        list(credited(CATALOG, [Fact(1, "Alien (1979)", ("Ridley Scott",), ())], {}))


# Casts


@pytest.mark.parametrize(
    ("listed", "rows"),
    [
        ([cast("Heat", 1995, "Al Pacino")], {0}),
        ([cast("HEAT!", 1995, "Al Pacino")], {0}),
        ([cast("The City of Lost Children", 1995, "Ron Perlman")], {5}),
        ([cast("Suspiria", 2018, "Dakota Johnson", genres=("Horror",))], {4}),
        ([cast("Suspiria", 2018, "Dakota Johnson", genres=("Western",))], set()),
        ([cast("Suspiria", 2019, "Somebody", genres=("Horror",))], set()),
        ([cast("Dune", 1986, "Somebody", genres=("Drama",))], {3}),
        ([cast("Alone", 2001, "A B"), cast("Alone", 2001, "C D")], set()),
        ([cast("Alone", 2001)], set()),
        ([cast("Nothing of the Kind", 1995, "Al Pacino")], set()),
    ],
)
def test_only_what_is_surely_the_same_film_is_joined(listed: list[Cast], rows: set[int]) -> None:
    assert set(joined(CATALOG, listed)) == rows


def test_the_same_year_goes_before_a_year_apart() -> None:
    found = joined(CATALOG, [cast("Dune", 1984, "A B"), cast("Dune", 1985, "C D")])
    assert found == {2: ("A B",), 3: ("C D",)}


def test_the_lists_are_cleaned(tmp_path: Path) -> None:
    names = ["Sammy Davis", "Jr.", "and", "(voices)", "Cher", "Robert  De Niro", "Cher", "50 Cent", "nominee)"]
    table = pa.table({"title": ["X"], "year": [1990], "cast": [names], "genres": [["Noir"]]})
    (tmp_path / "wikipedia-films").mkdir()
    pa.parquet.write_table(table, tmp_path / "wikipedia-films" / "films.parquet")
    (found,) = read_casts(tmp_path / "wikipedia-films" / "films.parquet")
    assert found.names == ("Sammy Davis, Jr.", "Cher", "Robert De Niro")
    assert found.genres == {"Film-Noir"}


def test_without_the_lists_a_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no"):
        build(tmp_path, CATALOG)


# Tags


def directing(times: int) -> list[Fact]:
    labels = {1: "Heat (1995)", 3: "Dune (1984)", 5: "Suspiria (2017)"}
    return [Fact(film_id, labels[film_id], ("Jane Doe",), ()) for film_id in list(labels)[:times]]


def test_a_tag_of_somebody_who_directs_is_a_director() -> None:
    found = {one.film_id: one.directors for one in credited(CATALOG, directing(3), {})}
    assert found[8] == ("Jane Doe",)


def test_a_tag_of_somebody_who_hardly_directs_or_plays_too_is_none() -> None:
    assert 8 not in {one.film_id for one in credited(CATALOG, directing(2), {})}
    playing = {6: ("Jane Doe",)}
    assert 8 not in {one.film_id for one in credited(CATALOG, directing(3), playing)}
