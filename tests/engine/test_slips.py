"""Names with slips in them are found around one of their words, and other words are not taken for names."""

import pytest

from engine.recommender import Recommender
from engine.slips import sounds_alike
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
        ("zodiak on tuesday", "zodiak", "zodiak"),
        ("then good felas and heat", "felas", "good felas"),
        ("add tinker taylor please", "taylor", "tinker taylor"),
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


@pytest.mark.parametrize(
    ("said", "name"),
    [("zodiak", "zodiac"), ("fite club", "fight club"), ("brasil", "brazil"), ("rashoman", "rashomon")],
)
def test_names_that_sound_the_same_are_alike(said: str, name: str) -> None:
    assert sounds_alike(said, name)


@pytest.mark.parametrize(("said", "name"), [("crash", "cash"), ("fight club", "flight club"), ("heat", "heart")])
def test_names_that_sound_otherwise_are_not(said: str, name: str) -> None:
    assert not sounds_alike(said, name)
