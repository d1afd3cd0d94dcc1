"""Films: MovieLens' titles are taken apart, and the packed catalogue gives back what was put in."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.films import MAX_TAGS, Catalog, Film, FilmId, FilmRecord, TitleParts, article_first, parse_title


@pytest.mark.parametrize(
    ("raw", "title", "alternatives", "year"),
    [
        ("Toy Story (1995)", "Toy Story", (), 1995),
        ("City of Lost Children, The (Cité des enfants perdus, La) (1995)", "The City of Lost Children",
         ("La Cité des enfants perdus",), 1995),
        ("Seven (a.k.a. Se7en) (1995)", "Seven", ("Se7en",), 1995),
        ("Clink of Ice, The (a.k.a.: Sound of Ice Cubes, The) (Le bruit des glaçons) (2010)", "The Clink of Ice",
         ("The Sound of Ice Cubes", "Le bruit des glaçons"), 2010),
        ("Enfer, L' (1994)", "L'Enfer", (), 1994),
        ("Sodot, Ha- (2007)", "Ha-Sodot", (), 2007),
        ("Gamers, The: Dorkness Rising (2008)", "The Gamers: Dorkness Rising", (), 2008),
        ("Human Centipede II (Full Sequence), The (2011)", "The Human Centipede II", ("Full Sequence",), 2011),
        ("Monsters, Inc. (2001)", "Monsters, Inc.", (), 2001),
        ("Die, Monster, Die! (1965)", "Die, Monster, Die!", (), 1965),
    ],
)  # fmt: skip
def test_articles_and_alternatives_are_put_in_their_place(
    raw: str, title: str, alternatives: tuple[str, ...], year: int
) -> None:
    assert parse_title(raw) == TitleParts(title, alternatives, year)


@pytest.mark.parametrize(
    ("raw", "title", "alternatives", "year"),
    [
        ("Babies (Bébé(s)) (2010)", "Babies", ("Bébé(s)",), 2010),
        ("Every Man for Himself (Slow Motion) (Sauve qui peut (la vie)) (1980)", "Every Man for Himself",
         ("Slow Motion", "Sauve qui peut (la vie)"), 1980),
        ("Assassin(s) (1997)", "Assassin(s)", (), 1997),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", (), 2009),
        ("(Untitled) (2009)", "(Untitled)", (), 2009),
        ("[REC]² (2009)", "[REC]²", (), 2009),
        ("Birdman: Or (The Unexpected Virtue of Ignorance) (2014)",
         "Birdman: Or (The Unexpected Virtue of Ignorance)", (), 2014),
        ("Or (a.k.a. My Treasure) (2004)", "Or", ("My Treasure",), 2004),
        ("Ah Boys To Men (Part 1) (2012)", "Ah Boys To Men (Part 1)", (), 2012),
        ("Hope You Die Next Time :-) (2018)", "Hope You Die Next Time :-)", (), 2018),
        ("() (2003)", "()", (), 2003),
    ],
)  # fmt: skip
def test_brackets_that_belong_to_a_title_stay(raw: str, title: str, alternatives: tuple[str, ...], year: int) -> None:
    assert parse_title(raw) == TitleParts(title, alternatives, year)


@pytest.mark.parametrize(
    ("raw", "title", "year"),
    [
        ("Nocturnal Animals", "Nocturnal Animals", None),
        ("Deadly Advice(1994)", "Deadly Advice", 1994),
        ("Don Quixote (1973) (1973)", "Don Quixote", 1973),
        ("The Naked Truth (1957) (Your Past Is Showing)", "The Naked Truth", 1957),
        ("Mona (Mona ja palava) (1983))", "Mona", 1983),
        ("Fawlty Towers (1975-1979)", "Fawlty Towers", 1975),
        ("The Expanse (2015–)", "The Expanse", 2015),
        ("Blade Runner 2049 (2017)", "Blade Runner 2049", 2017),
        ("Eminem AKA (2004) ", "Eminem AKA", 2004),
        ("1984", "1984", None),
        (" (2019)", "(2019)", None),
        ("", "", None),
    ],
)
def test_a_year_is_found_wherever_movielens_puts_it(raw: str, title: str, year: int | None) -> None:
    parts = parse_title(raw)
    assert (parts.title, parts.year) == (title, year)


_plain = st.from_regex(r"[A-Z][a-z]{1,8}( [A-Z][a-z]{3,8}){0,3}", fullmatch=True)


@given(title=_plain, alternative=_plain, year=st.integers(1874, 2030), article=st.sampled_from(["The", "La", "Der"]))
def test_taking_apart_undoes_putting_together(title: str, alternative: str, year: int, article: str) -> None:
    raw = f"{title}, {article} ({alternative}, {article}) ({year})"
    assert parse_title(raw) == TitleParts(f"{article} {title}", (f"{article} {alternative}",), year)


@given(st.text(max_size=200))
def test_any_text_can_be_taken_apart(raw: str) -> None:
    parts = parse_title(raw)
    assert parts.title or not raw.split()


def test_an_article_is_moved_only_from_the_end() -> None:
    assert article_first("Godfather: Part II, The") == "The Godfather: Part II"
    assert article_first("Good Morning, Vietnam") == "Good Morning, Vietnam"


RECORDS = [
    FilmRecord(30, "Suspiria (1977)", "Horror", 22, {"italian": 2, "giallo": 5, "witch": 2}, 76786, 11906),
    FilmRecord(10, "Haine, La (Hate) (1995)", "Crime|Drama", 29),
    FilmRecord(20, "Untitled", "(no genres listed)"),
]


def test_a_catalogue_gives_back_what_was_put_in() -> None:
    catalog = Catalog.build(RECORDS)
    assert catalog.film(30) == Film(
        film_id=FilmId(30), title="Suspiria", year=1977, genres=("Horror",), tags=("giallo", "italian", "witch"),
        rating_count=22, imdb_id="tt0076786", tmdb_id=11906,
    )  # fmt: skip
    assert [film.label for film in catalog] == ["La Haine (1995)", "Untitled", "Suspiria (1977)"]
    assert catalog.names_at(0) == ("La Haine", "Hate")


def test_a_catalogue_is_the_same_after_saving_and_loading(tmp_path: Path) -> None:
    built = Catalog.build(RECORDS)
    built.save(tmp_path)
    assert list(Catalog.load(tmp_path)) == list(built)


def test_rows_are_found_by_film_id_and_unknown_ids_have_none() -> None:
    catalog = Catalog.build(RECORDS)
    assert [catalog.row_of(i) for i in (10, 20, 30, 25, 99)] == [0, 1, 2, None, None]
    assert catalog.rows_of([30, 99, 10]).tolist() == [2, 0]
    assert catalog.film(25) is None


def test_only_the_tags_most_people_gave_are_kept() -> None:
    tags = {f"tag {i:02}": i for i in range(MAX_TAGS + 5)}
    film = Catalog.build([FilmRecord(1, "A (2000)", "Drama", 0, tags)]).film(1)
    assert film is not None
    assert film.tags == tuple(f"tag {i:02}" for i in reversed(range(5, MAX_TAGS + 5)))


def test_a_film_id_may_not_be_there_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        Catalog.build([FilmRecord(1, "A", ""), FilmRecord(1, "B", "")])


def test_an_empty_catalogue_knows_no_film() -> None:
    catalog = Catalog.build([])
    assert len(catalog) == 0
    assert catalog.row_of(1) is None
    assert catalog.rows_of(np.array([1, 2])).tolist() == []


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    Catalog.build(RECORDS).save(tmp_path)
    (tmp_path / "years.npy").unlink()
    with pytest.raises(FileNotFoundError, match="years"):
        Catalog.load(tmp_path)
