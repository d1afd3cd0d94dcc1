"""What a message is about at large is learned from examples, the same for the same examples."""

import numpy as np
import pytest

from bot.conversation.gist import BUCKETS, THIS, Gist, features, features_around, gist_for, to_arrays
from bot.conversation.grammar import tokenize
from bot.conversation.loosely import INTENTS
from bot.evaluating.cases import CaseError
from bot.evaluating.teaching import Example, examples_of, learned, parsed, read
from engine.recommender import Recommender


def test_the_model_knows_every_intent_of_its_examples() -> None:
    gist = gist_for("en")
    assert gist is not None
    assert set(gist.classes) == {example.about for example in examples_of("en")} <= INTENTS


def test_a_language_without_examples_has_no_model() -> None:
    assert gist_for("de") is None


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("got anything funny and short for tonight", "recommend"), ("my dad loved Jaws when it came out", "mention"),
        ("spent the evening with Gladiator, 8/10", "log"), ("wipe every trace of me", "forget"),
        ("stick Heat on my watchlist", "save"), ("lol you're funny", "chat"),
    ],
)  # fmt: skip
def test_sentences_that_no_phrase_reads(said: str, about: str, recommender: Recommender) -> None:
    gist = gist_for("en")
    assert gist is not None
    odds = gist.of(*read(said, recommender.titles, "en"))
    assert max(odds, key=lambda name: odds[name]) == about
    assert sum(odds.values()) == pytest.approx(1.0, abs=1e-5)


def test_learning_tells_examples_apart_and_is_repeatable(recommender: Recommender) -> None:
    examples = [Example("help", f"how does this work {n}") for n in range(4)]
    examples += [Example("chat", f"thanks a lot {n}") for n in range(4)]
    first, second = (learned(examples, recommender.titles, "en") for _ in range(2))
    assert np.array_equal(first.weights, second.weights)
    odds = first.of(*read("how does this work", recommender.titles, "en"))
    assert odds["help"] > 0.8


def test_what_is_kept_is_what_was_learned(recommender: Recommender) -> None:
    gist = learned([Example("help", "what can you do"), Example("chat", "hello there")], recommender.titles, "en")
    kept = to_arrays(gist)
    weights = np.zeros((BUCKETS + 1, 2), np.float32)
    weights[kept["rows"]] = np.asarray(kept["weights"], np.float32) * float(kept["scale"])
    again = Gist(gist.classes, weights)
    said = read("what can you do", recommender.titles, "en")
    assert again.of(*said)["help"] == pytest.approx(gist.of(*said)["help"], abs=0.02)


def test_any_message_has_features() -> None:
    assert len(features(tokenize(""), [])) > 0
    assert len(features(tokenize("a " * 5000), [])) < 1000


def test_a_line_that_is_no_example_is_named() -> None:
    with pytest.raises(CaseError, match="line 2"):
        parsed("help\twhat can you do\ndance\tla la\n")


def test_what_is_seen_of_a_film_is_not_what_it_is_called() -> None:
    one, other = (
        features_around(tokenize(f"we watched {name} again"), 2, ["saw", THIS, "again"], everyday=False)
        for name in ("Zodiac", "Fargo")
    )
    assert np.array_equal(one, other)
    long = tokenize("a " * 5000)
    assert len(features_around(long, len(long) // 2, [THIS], everyday=True)) < 1000
