"""Reading MovieLens folders: what is understood, what is refused and how that is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from training.datasets import Dataset, load
from training.files import ALL_ALIKE, DataError
from training.recipe import Source

RATINGS = "userId,movieId,rating,timestamp\n"
MOVIES = 'movieId,title,genres\n1,Toy Story (1995),Animation|Comedy\n2,"Ring, The (2002)",Horror\n3,Heat (1995),Crime\n'


def written(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ({"ratings": RATINGS + "1,1,4.0,100\n1,2,3.5,90\n", "movies": MOVIES} | files).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_a_persons_ratings_are_in_time_order_and_ties_in_file_order(tmp_path: Path) -> None:
    found = load(written(tmp_path, ratings=RATINGS + "1,3,4,50\n1,2,4,40\n1,1,5,50\n"), [Source()]).ratings
    assert found.films.tolist() == [2, 3, 1]
    assert found.stars.tolist() == [4.0, 4.0, 5.0]


def test_people_of_several_sources_are_named_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        written(tmp_path / name)
    found = load(tmp_path, [Source(folder="a", name="one"), Source(folder="b", name="two")]).ratings
    assert found.people.tolist() == ["one:1", "two:1"]


def test_parquet_reads_as_csv_does(tmp_path: Path, folder: Path) -> None:
    for name in ("ratings", "movies"):
        pyarrow.parquet.write_table(pyarrow.csv.read_csv(folder / f"{name}.csv"), tmp_path / f"{name}.parquet")
    one, other = load(folder, [Source()]), load(tmp_path, [Source()])
    assert one.ratings.films.tolist() == other.ratings.films.tolist()
    assert one.ratings.people.tolist() == other.ratings.people.tolist()
    assert [film.label for film in one.catalog] == [film.label for film in other.catalog]


def ordered(folder: Path, rows: list[tuple[int, int, int]]) -> Path:
    """A folder that knows only (person, film, place in the person's history)."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = dict(zip(("userId", "movieId", "pos"), zip(*rows, strict=True), strict=True))
    pyarrow.parquet.write_table(pa.table(columns), folder / "interactions_ordered.parquet")
    films = sorted({film for _, film, _ in rows})
    (folder / "movies.dat").write_text("".join(f"{film}::Film {film} (2000)::Drama\n" for film in films))
    return folder


def test_an_order_is_read_without_what_has_no_place_in_it(tmp_path: Path) -> None:
    found = load(ordered(tmp_path, [(1, 5, 1), (2, 6, 0), (1, 7, -1), (1, 8, 0)]), [Source()]).ratings
    assert found.people.tolist() == ["1", "2"]
    assert found.films.tolist() == [8, 5, 6]
    assert found.times.tolist() == [0, 1, 0]
    assert set(found.stars.tolist()) == {ALL_ALIKE}


def test_places_in_a_history_are_no_times_by_which_somebody_is_known_again(tmp_path: Path) -> None:
    rows = [(1, film, film - 1) for film in range(1, 21)]
    ordered(tmp_path / "a", rows)
    ordered(tmp_path / "b", rows)
    found = load(tmp_path, [Source(folder="a", name="a"), Source(folder="b", name="b")]).ratings
    assert found.people.tolist() == ["a:1", "b:1"]


def million(folder: Path, ratings: str) -> Path:
    """A folder in the form of MovieLens 1M, titles in Latin-1."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ratings.dat").write_text(ratings)
    (folder / "movies.dat").write_bytes(
        '2::"Am\xe9lie", the Best: 1 (2001)::Comedy|Romance\n3::Heat::Crime\n'.encode("latin-1")
    )
    return folder


def test_movielens_1m_reads_as_it_is_published(tmp_path: Path) -> None:
    found = load(million(tmp_path, "1::3::5::978300761\n1::2::4::978300760\n"), [Source()])
    assert found.ratings.films.tolist() == [2, 3]
    assert found.ratings.stars.tolist() == [4, 5]
    film = found.catalog.film(2)
    assert film is not None
    assert (film.label, film.genres) == ('"Amélie", the Best: 1 (2001)', ("Comedy", "Romance"))


@pytest.mark.parametrize(
    ("ratings", "sentence"),
    [
        ("1::3::5::9\n1::2::4\n", "ratings.dat, line 2: expected 4 columns, found 3."),
        ("1::3::9::9\n", "ratings.dat, line 1: expected a number from 0 to 5 for rating, found '9'."),
        ("", "ratings.dat holds no ratings."),
    ],
)
def test_a_malformed_line_of_movielens_1m_is_named(tmp_path: Path, ratings: str, sentence: str) -> None:
    with pytest.raises(DataError) as raised:
        load(million(tmp_path, ratings), [Source()])
    assert str(raised.value) == sentence


def test_movielens_1m_by_order_is_the_data_that_the_published_figures_are_of(movielens: Path) -> None:
    folder = movielens / "ml-1m"
    if not (folder / "interactions_ordered.parquet").is_file():
        pytest.skip("MovieLens 1M is not here")
    found = load(folder, [Source()])
    assert len(found.ratings.people) == 6040
    assert len(found.ratings.films) == 999_611
    assert len(set(found.ratings.films.tolist())) == 3416


def test_the_catalogue_has_counts_links_and_tags_by_how_many_gave_them(tmp_path: Path) -> None:
    tags = "userId,movieId,tag,timestamp\n1,1,Pixar,1\n2,1, pixar ,1\n2,1,toys,1\n3,1,seen in 1999,1\n3,1,:-),1\n"
    links = "movieId,imdbId,tmdbId\n1,0114709,862\n2,0298130,\n"
    catalog = load(written(tmp_path, tags=tags, links=links), [Source()]).catalog
    film = catalog.film(1)
    assert film is not None
    assert (film.rating_count, film.imdb_id, film.tmdb_id) == (1, "tt0114709", 862)
    assert film.tags == ("pixar", "toys")
    assert [film.label for film in catalog] == ["Toy Story (1995)", "The Ring (2002)", "Heat (1995)"]


def test_a_source_may_leave_its_film_list_out(tmp_path: Path) -> None:
    written(tmp_path / "a")
    written(tmp_path / "b", movies="movieId,title,genres\n1,Toy Story (1995),Animation\n")
    catalog = load(tmp_path, [Source(folder="a", name="a", list_films=False), Source(folder="b", name="b")]).catalog
    assert catalog.film_ids.tolist() == [1]


def test_the_last_person_of_a_cut_file_is_dropped(tmp_path: Path) -> None:
    written(tmp_path, ratings=RATINGS + "1,1,4,1\n10,1,4,1\n9,2,4,1\n")
    assert load(tmp_path, [Source(drop_last_person=True)]).ratings.people.tolist() == ["1", "9"]


@pytest.mark.parametrize(("shared", "people"), [(9, ["a:1", "b:7"]), (10, ["a:1"])])
def test_who_is_in_two_sources_is_kept_once(tmp_path: Path, shared: int, people: list[str]) -> None:
    movies = "movieId,title,genres\n" + "".join(f"{film},Film {film} (2000),Drama\n" for film in range(1, 31))
    same = [f"{film},4,{film}" for film in range(1, shared + 1)]
    for name, user, first in (("a", 1, 11), ("b", 7, 21)):
        own = [f"{film},4,{film + first}" for film in range(first, first + 5)]
        rows = "".join(f"{user},{row}\n" for row in same + own)
        written(tmp_path / name, ratings=RATINGS + rows, movies=movies)
    assert (
        load(tmp_path, [Source(folder="a", name="a"), Source(folder="b", name="b")]).ratings.people.tolist() == people
    )


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"ratings": RATINGS + "1,1,4,1\n1,2,abc,2\n"},
         "ratings.csv, line 3: expected a number from 0 to 5 for rating, found 'abc'."),
        ({"ratings": RATINGS + "1,1,9,1\n"},
         "ratings.csv, line 2: expected a number from 0 to 5 for rating, found '9'."),
        ({"ratings": RATINGS + "1,1,nan,1\n"},
         "ratings.csv, line 2: expected a number from 0 to 5 for rating, found 'nan'."),
        ({"ratings": RATINGS + "1,1.5,4,1\n"},
         "ratings.csv, line 2: expected a whole number from 1 for movieId, found '1.5'."),
        ({"ratings": RATINGS + "1,,4,1\n"},
         "ratings.csv, line 2: expected a whole number from 1 for movieId, found nothing."),
        ({"ratings": RATINGS + "1,3000000000,4,1\n"},
         "ratings.csv, line 2: expected a whole number from 1 for movieId, found '3000000000'."),
        ({"ratings": RATINGS + "1,1,4,soon\n"},
         "ratings.csv, line 2: expected a whole number for timestamp, found 'soon'."),
        ({"ratings": RATINGS + "1,1,4,1\n1,2,4\n"}, "ratings.csv, line 3: expected 4 columns, found 3."),
        ({"ratings": RATINGS + "1,1,4,1,5\n"}, "ratings.csv, line 2: expected 4 columns, found 5."),
        ({"ratings": RATINGS}, "ratings.csv holds no ratings."),
        ({"ratings": "user,film\n1,2\n"},
         "ratings.csv, line 1: expected the columns userId, movieId, rating, timestamp, found 'user,film'."),
        ({"ratings": ""}, "ratings.csv, line 1: expected the columns userId, movieId, rating, timestamp, found ''."),
        ({"movies": 'movieId,title,genres\n1,"Toy Story,x\n'},
         "movies.csv, line 2: expected a closing quotation mark."),
        ({"movies": "movieId,title,genres\n1,A,x\n1,B,x\n"}, "movies.csv: film 1 is listed twice."),
        ({"links": "movieId,imdbId,tmdbId\n1,tt1,2\n"},
         "links.csv, line 2: expected a whole number for imdbId, found 'tt1'."),
    ],
)  # fmt: skip
def test_a_malformed_file_is_named_with_its_line(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    with pytest.raises(DataError) as raised:
        load(written(tmp_path, **files), [Source()])
    assert str(raised.value) == sentence


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "movies.csv").write_bytes(b"movieId,title,genres\n1,Am\xe9lie,Comedy\n")
    with pytest.raises(DataError, match=r"^movies\.csv, line 2: expected UTF-8 text\.$"):
        load(tmp_path, [Source()])


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^There is no folder .*nowhere\.$"):
        load(tmp_path, [Source(folder="nowhere")])
    written(tmp_path)
    (tmp_path / "movies.csv").unlink()
    with pytest.raises(DataError, match=r"holds no movies\.csv and no movies\.parquet\.$"):
        load(tmp_path, [Source()])


def test_lines_may_end_as_on_windows_and_begin_with_a_mark(tmp_path: Path) -> None:
    written(tmp_path)
    text = (tmp_path / "ratings.csv").read_text(encoding="utf-8").replace("\n", "\r\n")
    (tmp_path / "ratings.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load(tmp_path, [Source()]).ratings.films.tolist() == [2, 1]


def test_a_file_that_is_no_parquet_is_said(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "ratings.csv").unlink()
    (tmp_path / "ratings.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match=r"^ratings\.parquet cannot be read as Parquet\.$"):
        load(tmp_path, [Source()])


def test_the_hash_follows_the_content(tmp_path: Path, folder: Path, dataset: Dataset) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert load(copy, [Source()]).data_hash == dataset.data_hash
    with (copy / "ratings.csv").open("a") as file:
        file.write("500,1,4,1\n")
    assert load(copy, [Source()]).data_hash != dataset.data_hash
