"""What people say is understood as the cases beside this file say; adding a case touches no code."""

import dataclasses
import time
import tomllib
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation.intents import Asked, Intent, LogWatches, NotUnderstood, Recommend, Situation, Wish
from bot.conversation.phrases import phrases_for
from bot.conversation.understand import MAX_TEXT, MEANINGS, cleaned, understand, understand_command

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = tomllib.loads((HERE / "utterances.toml").read_text(encoding="utf-8"))["case"]
PASSED_ON = {"whole", "bare", "otherwise", "weak"}  # words handed on for the linker, not meaning


def fields_of(intent: Intent) -> dict[str, Any]:
    """The intent as a case writes it: its name, and the fields that differ from their defaults."""
    told: dict[str, Any] = {"intent": type(intent).__name__}
    for name in (f.name for f in dataclasses.fields(intent)):
        value = getattr(intent, name)
        if isinstance(value, Wish):
            plain = Wish()
            told |= {
                f.name: written(getattr(value, f.name))
                for f in dataclasses.fields(value)
                if getattr(value, f.name) != getattr(plain, f.name)
            }
        elif name not in PASSED_ON and value not in (None, (), "", False) and value != "finished":
            told[name] = written(value)
    return told


def written(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return ["" if item is None else written(item) for item in value]
    return value


def expected(means: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in means.items() if value not in ("", "finished")}


@pytest.mark.parametrize("case", CASES, ids=[case["say"] for case in CASES])
def test_says(case: dict[str, Any]) -> None:
    situation = Situation(
        asked=Asked(case["asked"]) if "asked" in case else None,
        choices=case.get("choices", 0),
        shown=case.get("shown", 0),
    )
    assert [fields_of(intent) for intent in understand(case["say"], situation)] == [expected(m) for m in case["means"]]


def test_a_command_with_named_arguments_means_what_talk_means() -> None:
    watched = understand_command("watched", {"film": "Alien", "date": "yesterday", "rating": "8/10"}, Situation())
    assert watched == (LogWatches("Alien", "Alien", when="yesterday", rating=4.0),)
    assert understand_command("next", {"wish": "70s horror", "count": "3"}, Situation()) == (
        Recommend(Wish(count=3, genres=("Horror",), years=(1970, 1979))),
    )
    assert understand_command("watched", {"film": "Alien"}, Situation()) == understand("/watched Alien", Situation())


def test_a_command_that_there_is_not_is_not_understood() -> None:
    assert understand_command("dance", {}, Situation()) == (NotUnderstood("dance"),)


def test_a_quoted_sentence_of_somebody_is_no_watch() -> None:
    said = understand('She told me, "I watched Alien"', Situation())
    assert not any(isinstance(intent, LogWatches) for intent in said)


def test_control_characters_and_surplus_spaces_are_dropped() -> None:
    assert cleaned("a\x00b\x1b[31m  c\u202e\r\nd") == "a b [31m c\nd"


def test_a_very_long_text_is_cut() -> None:
    assert len(cleaned("x" * 1_000_000)) == MAX_TEXT


@pytest.mark.parametrize(
    "hostile",
    ["watched " * 125_000, "watched a, " * 90_000, "(" * 1_000_000, "a" * 1_000_000, "like like " * 100_000,
     "what next? " * 90_000, "not " * 250_000, "\n" * 1_000_000, "8/10 " * 200_000],
)  # fmt: skip
def test_a_megabyte_of_anything_is_read_in_bounded_time(hostile: str) -> None:
    understand("hello", Situation())
    started = time.thread_time()
    assert understand(hostile, Situation(shown=5))
    assert time.thread_time() - started < 10  # a bound that only a runaway breaks, not a measurement


@given(st.text(max_size=300), st.sampled_from([None, *Asked]), st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_any_text_means_something(text: str, asked: Asked | None, choices: int, shown: int) -> None:
    assert understand(text, Situation(asked, choices, shown))


WORDS = [word for case in CASES for word in case["say"].split()]


@given(st.lists(st.sampled_from(WORDS), max_size=25))
@settings(max_examples=300, deadline=None)
def test_any_mix_of_known_words_means_something(words: list[str]) -> None:
    assert understand(" ".join(words), Situation(shown=5))


def test_every_group_of_phrases_has_a_meaning() -> None:
    assert phrases_for("en").sentences.labels == set(MEANINGS)
