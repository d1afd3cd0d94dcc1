"""Films are found anywhere in a message, and only where words mean them."""

import pytest

from bot.conversation.grammar import tokenize
from bot.conversation.phrases import phrases_for
from bot.conversation.spotting import spotted
from engine.recommender import Recommender


def films_in(said: str, recommender: Recommender) -> list[str]:
    tokens = spotted(tokenize(said), phrases_for("en"), recommender.titles)
    return [said[token.start : token.end] for token in tokens if token.is_film]


@pytest.mark.parametrize(
    ("said", "films"),
    [
        ("omg we watched ten things i hate about you last nite", ["ten things i hate about you"]),
        ("Planes, Trains and Automobiles and then Jaws", ["Planes, Trains and Automobiles", "Jaws"]),
        ("my boyfriend made me see gladiator", ["gladiator"]),
        ("LOTR: Return of the King on Sunday", ["LOTR: Return of the King"]),
        ('the film was "Up"', ["Up"]),
        ("saw 3 Idiots with my cousins", ["3 Idiots"]),
        ("Jaws two years ago", ["Jaws"]),
        ("my brother wont stop quoting holy grail", ["holy grail"]),
        ("lebowski last night, man", ["lebowski"]),
        ("on sunday the third die hard with dad", ["third die hard"]),
        ("saw dune part two with emma stone", ["dune part two"]),
        ("watched toy story three yesterday", ["toy story three"]),
    ],
)  # fmt: skip
def test_a_film_is_found_where_it_stands(said: str, films: list[str], recommender: Recommender) -> None:
    assert films_in(said, recommender) == films


@pytest.mark.parametrize(
    "said",
    [
        "he saw us and waved", "what next?", "up to you", "it was the end of the day",
        "we sat there, alone, in the dark",
        "on halloween we stayed in", "the one i meant",
        "in the mood for a feel good film", "our dog howls", "something with time travel in it", "seen the second one",
    ],
)  # fmt: skip
def test_everyday_words_are_no_films(said: str, recommender: Recommender) -> None:
    assert films_in(said, recommender) == []


def test_a_small_word_is_not_taken_into_a_name(recommender: Recommender) -> None:
    assert "juno on" not in [film.lower() for film in films_in("watched juno on sunday", recommender)]


def test_nothing_is_lost_or_moved(recommender: Recommender) -> None:
    said = "Yesterday: Paddington & Paddington 2. Today: Babe."
    tokens = spotted(tokenize(said), phrases_for("en"), recommender.titles)
    assert [token.start for token in tokens] == sorted({token.start for token in tokens})
    assert "".join(said[token.start : token.end] for token in tokens).replace(" ", "") == said.replace(" ", "")
