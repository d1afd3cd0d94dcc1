"""Every form in which MovieLens was published reads as the same films and ratings, and what is odd is reported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from engine import bundle
from training.datasets import load
from training.files import DataError
from training.fit import fit
from training.publish import publish
from training.recipe import Recipe, Source
from training.sequences import protocol

RATINGS = [(1, 2, 4, 880_000_010), (1, 1, 5, 880_000_000), (2, 3, 3, 880_000_005), (2, 1, 1, 880_000_006)]
FILMS = [(1, "Toy Story (1995)", ("Animation", "Comedy")), (2, "Amélie (2001)", ("Romance",)), (3, "Nobody (1999)", ())]
GENRES = ("unknown", "Action", "Animation", "Comedy", "Romance")


def hundred_thousand(folder: Path) -> None:
    """MovieLens 100k: tabs, bars, Latin-1, a flag a genre."""
    rows = "".join(f"{person}\t{film}\t{stars}\t{when}\n" for person, film, stars, when in RATINGS)
    (folder / "u.data").write_text(rows)
    (folder / "u.genre").write_text("".join(f"{genre}|{place}\n" for place, genre in enumerate(GENRES)) + "\n")
    lines = []
    for film, title, genres in FILMS:
        flags = "|".join(str(int(genre in (genres or ("unknown",)))) for genre in GENRES)
        lines.append(f"{film}|{title}|01-Jan-1995||http://us.imdb.com/{film}|{flags}\n")
    (folder / "u.item").write_bytes("".join(lines).encode("latin-1"))


def dat(folder: Path, encoding: str) -> None:
    rows = "".join(f"{person}::{film}::{stars}::{when}\n" for person, film, stars, when in RATINGS)
    (folder / "ratings.dat").write_text(rows)
    lines = [f"{film}::{title}::{'|'.join(genres) or '(no genres listed)'}\n" for film, title, genres in FILMS]
    (folder / "movies.dat").write_bytes("".join(lines).encode(encoding))


def million(folder: Path) -> None:
    """MovieLens 1M: double colons, Latin-1."""
    dat(folder, "latin-1")


def ten_million(folder: Path) -> None:
    """MovieLens 10M: as 1M, but UTF-8 and with tags."""
    dat(folder, "utf-8")
    (folder / "tags.dat").write_text("1::1::pixar::1215184630\n2::1::Pixar::1215184631\n")


def csv(folder: Path) -> None:
    """MovieLens 20M, 25M, 32M, latest and latest-small."""
    rows = "".join(f"{person},{film},{stars}.0,{when}\n" for person, film, stars, when in RATINGS)
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + rows)
    lines = [f"{film},{title},{'|'.join(genres) or '(no genres listed)'}\n" for film, title, genres in FILMS]
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "".join(lines), encoding="utf-8")
    (folder / "tags.csv").write_text("userId,movieId,tag,timestamp\n1,1,pixar,1\n2,1,Pixar,1\n")
    (folder / "links.csv").write_text("movieId,imdbId,tmdbId\n1,0114709,862\n2,0211915,\n3,0000001,1\n")
    (folder / "genome-tags.csv").write_text("tagId,tag\n1,pixar\n")


@pytest.mark.parametrize("write", [hundred_thousand, million, ten_million, csv])
def test_every_published_form_reads_the_same(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path)
    found = load(tmp_path, [Source()])
    assert found.ratings.people.tolist() == ["1", "2"]
    assert found.ratings.films.tolist() == [1, 2, 3, 1]
    assert found.ratings.stars.tolist() == [5, 4, 3, 1]
    assert found.ratings.times.tolist() == [880_000_000, 880_000_010, 880_000_005, 880_000_006]
    assert [film.label for film in found.catalog] == ["Toy Story (1995)", "Amélie (2001)", "Nobody (1999)"]
    assert [film.genres for film in found.catalog] == [genres for _, _, genres in FILMS]
    assert found.report.problems() == []


@pytest.mark.parametrize("write", [ten_million, csv])
def test_tags_are_read_where_a_set_has_them(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path)
    film = load(tmp_path, [Source()]).catalog.film(1)
    assert film is not None
    assert film.tags == ("pixar",)


def test_items_without_the_names_of_their_genres_are_refused(tmp_path: Path) -> None:
    hundred_thousand(tmp_path)
    (tmp_path / "u.genre").unlink()
    with pytest.raises(DataError, match=r"holds no u\.genre, which names the genres of u\.item\.$"):
        load(tmp_path, [Source()])


def test_a_malformed_line_of_movielens_100k_is_named(tmp_path: Path) -> None:
    hundred_thousand(tmp_path)
    (tmp_path / "u.data").write_text("1\t2\t4\t5\n1\tx\t4\t5\n")
    with pytest.raises(DataError, match=r"^u\.data, line 2: expected a whole number from 1 for movieId, found 'x'\.$"):
        load(tmp_path, [Source()])


def test_numbers_that_parquet_holds_as_text_are_read_and_checked(tmp_path: Path) -> None:
    csv(tmp_path)
    (tmp_path / "ratings.csv").unlink()
    columns = {
        name: [str(row[i]) for row in RATINGS] for i, name in enumerate(("userId", "movieId", "rating", "timestamp"))
    }
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "ratings.parquet")
    assert load(tmp_path, [Source()]).ratings.films.tolist() == [1, 2, 3, 1]
    columns["rating"][1] = "good"
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "ratings.parquet")
    with pytest.raises(DataError, match=r"^ratings\.parquet, row 2: expected a number from 0 to 5"):
        load(tmp_path, [Source()])


def test_what_is_odd_is_counted_and_said(tmp_path: Path) -> None:
    csv(tmp_path)
    with (tmp_path / "ratings.csv").open("a") as file:
        file.write("1,1,2.0,880000020\n2,99,4.0,880000021\n2,2,4.0,99000000000\n")
    report = load(tmp_path, [Source()]).report
    assert (report.rows, report.people, report.films) == (7, 2, 4)
    assert (report.doubles, report.future, report.unlisted) == (1, 1, 1)
    assert report.problems() == [
        "Once somebody rated a film again: every one counts as a watch.",
        "Once a rating is from the future: a clock is wrong, theirs or this one.",
        "Once a rated film is not listed among the films: such films are not trained on.",
    ]
    ratings = next(one for one in report.files if one.file == "ratings.csv")
    assert ratings.rows == 7
    assert (ratings.columns["rating"].lowest, ratings.columns["rating"].highest) == (1.0, 5.0)
    links = next(one for one in report.files if one.file == "links.csv")
    assert links.columns["tmdbId"].empty == 1


def test_the_report_goes_into_the_bundle(folder: Path, recipe: Recipe, tmp_path: Path) -> None:
    dataset = load(folder, [Source()])
    people = (protocol(dataset.ratings).fold >= -1).nonzero()[0]
    fitted = fit(dataset, recipe, people, seed=0, checkpoints=tmp_path, epochs=1)
    publish(tmp_path / "bundle", fitted, dataset, recipe, metrics={})
    stored = bundle.load(tmp_path / "bundle", provider="cpu").manifest.data_report
    assert stored == dataset.report.stored()
    assert stored["people"] == len(dataset.ratings.people)
