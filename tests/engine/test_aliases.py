"""Names of an operator's own: what a file may say, and the sentence when it says something else."""

from pathlib import Path

import pytest

from engine.aliases import AliasError, read_aliases
from engine.bundle import STARTER
from engine.films import Catalog, FilmId
from engine.titles import Certainty, TitleIndex

EXAMPLE = Path(__file__).parent.parent.parent / "docs" / "aliases.toml"
MATRIX = FilmId(2571)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load(STARTER / "catalog")


@pytest.fixture(scope="module")
def titles(catalog: Catalog) -> TitleIndex:
    return TitleIndex.load(STARTER / "titles", catalog)


@pytest.fixture
def read(tmp_path: Path, catalog: Catalog, titles: TitleIndex):
    """Reads aliases from text, and gives the index that knows them."""

    def read(text: str | bytes) -> TitleIndex:
        file = tmp_path / "aliases.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return titles.with_aliases(read_aliases(file, titles, catalog))

    return read


@pytest.mark.parametrize("named", ["film_id = 2571", 'film = "The Matrix (1999)"', 'film = "Matrix, The (1999)"'])
def test_a_film_is_named_by_its_number_or_its_title_and_year(read, named: str) -> None:
    link = read(f'[[alias]]\nnames = ["The One", "Neo\'s film"]\n{named}\n').link("neos film")
    assert (link.certainty, link.matches[0].film_id) == (Certainty.CLEAR, MATRIX)


def test_the_form_of_the_file_that_ships_is_read_too(read) -> None:
    index = read('alias = [{ names = ["Neo\'s film"], film_id = 2571, film = "The Matrix (1999)" }]')
    assert index.link("Neo's film").matches[0].film_id == MATRIX


def test_a_name_is_found_misspelt_completed_and_within_a_sentence(read) -> None:
    index = read('[[alias]]\nnames = ["bullet time dodging"]\nfilm_id = 2571\n')
    assert index.link("bulet time dodgin").matches[0].film_id == MATRIX
    assert MATRIX in index.complete("bullet time dod")
    named = index.named_in(["i", "saw", "bullet", "time", "dodging", "again"])
    assert (2, 5) in {(found.start, found.end) for found in named}


def test_a_name_that_another_film_has_too_is_asked_about(read) -> None:
    link = read('[[alias]]\nnames = ["Heat"]\nfilm_id = 2571\n').link("Heat")
    assert link.certainty is Certainty.AMBIGUOUS
    assert MATRIX in {match.film_id for match in link.matches}


def test_the_index_it_came_from_does_not_know_the_names(read, titles: TitleIndex) -> None:
    index = read('[[alias]]\nnames = ["bullet time dodging"]\nfilm_id = 2571\n')
    assert index.alias_count == titles.alias_count + 1
    assert titles.link("bullet time dodging").certainty is Certainty.UNKNOWN


def test_no_alias_at_all_is_a_file_of_none(read, titles: TitleIndex) -> None:
    assert read("").alias_count == titles.alias_count


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[alias]\n", "not valid TOML"),
        (b"names = '\xe9'", "not a text file in UTF-8"),
        ("[[aliases]]\n", "“aliases” is no “[[alias]]”"),
        ('alias = ["x"]', "not a list of tables"),
        ('alias = "x"', "not a list of tables"),
        ("[[alias]]\nfilm_id = 2571\n", "alias 1 has no “names”"),
        ('[[alias]]\nnames = "Neo"\nfilm_id = 2571\n', "alias 1 has no “names”"),
        ("[[alias]]\nnames = [1]\nfilm_id = 2571\n", "alias 1 has no “names”"),
        ('[[alias]]\nnames = ["Neo"]\n', "alias 1 names no film"),
        ('[[alias]]\nnames = ["Neo"]\nfilm_id = "2571"\n', "no whole number"),
        ('[[alias]]\nnames = ["Neo"]\nfilm_id = true\n', "no whole number"),
        ('[[alias]]\nnames = ["Neo"]\nfilm_id = 99999999999999999999\n', "which the catalogue does not have"),
        (
            '[[alias]]\nnames = ["Neo"]\nfilm_id = 2571\n[[alias]]\nnames = ["x9"]\nfilm_id = 5\nfilms = 1',
            "alias 2 has",
        ),
        ('[[alias]]\nnames = ["Neo"]\nfilm = "The Matricks (1999)"\n', "which the catalogue does not have"),
        ('[[alias]]\nnames = ["Neo"]\nfilm = "The Matrix (1977)"\n', "which the catalogue does not have"),
        ('[[alias]]\nnames = ["Neo"]\nfilm = "The Matrix"\n', "it has “The Matrix (1999)”"),
        ('[[alias]]\nnames = ["Neo"]\nfilm = 1999\n', "“film” that is no text"),
        ('[[alias]]\nnames = ["Neo"]\nfilm_id = 1214\nfilm = "The Matrix (1999)"\n', "which is Alien (1979), and"),
        ('[[alias]]\nnames = ["!!"]\nfilm_id = 2571\n', "which nobody can type"),
        (f'[[alias]]\nnames = ["{"x" * 300}"]\nfilm_id = 2571\n', "which nobody can type"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_that_names_the_file(read, text: str | bytes, words: str) -> None:
    with pytest.raises(AliasError) as caught:
        read(text)
    assert words in str(caught.value)
    assert "aliases.toml" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_file_that_is_not_there_is_named(tmp_path: Path, catalog: Catalog, titles: TitleIndex) -> None:
    with pytest.raises(AliasError, match=r"none\.toml can't be read: No such file"):
        read_aliases(tmp_path / "none.toml", titles, catalog)


def test_the_example_of_the_documents_is_good(catalog: Catalog, titles: TitleIndex) -> None:
    index = titles.with_aliases(read_aliases(EXAMPLE, titles, catalog))
    assert index.link("Vernons favourite").matches[0].film_id == 1214
    assert index.link("the keanu one").matches[0].film_id == MATRIX
