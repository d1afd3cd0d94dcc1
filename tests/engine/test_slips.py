"""Names with slips in them are found around one of their words, and other words are not taken for names."""

import pytest

from engine.recommender import Recommender
from engine.titles import TitleIndex


@pytest.fixture
def titles(shipped: Recommender) -> TitleIndex:
    return shipped.titles


@pytest.mark.parametrize(
    ("said", "word", "name"),
    [
        ("something like mulholand drive please", "mulholand", "mulholand drive"),
        ("a thriller like silense of the lambs", "silense", "silense of the lambs"),
        ("finally saw inseption on sunday", "inseption", "inseption"),
        ("kung foo hustle was great", "hustle", "kung foo hustle"),
    ],
)
def test_a_name_with_slips_is_found(titles: TitleIndex, said: str, word: str, name: str) -> None:
    words = said.split()
    span = titles.slip_around(words, words.index(word))
    assert span is not None
    assert " ".join(words[slice(*span)]) == name


@pytest.mark.parametrize(("said", "word"), [("my plumber swore for an hour", "plumber"), ("a heron on it", "heron")])
def test_other_words_are_no_names(titles: TitleIndex, said: str, word: str) -> None:
    words = said.split()
    assert titles.slip_around(words, words.index(word)) is None
