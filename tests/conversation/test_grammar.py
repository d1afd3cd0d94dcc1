"""Templates match what they say, prefer the reading with the least free text, and take bounded time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.grammar import Grammar, Match, TemplateError, cover, plain, tokenize

TYPES = {"number": lambda token: token.word.isdigit(), "word": lambda token: not token.is_mark}


def grammar(*templates: str, **rules: str) -> Grammar:
    return Grammar({"x": templates}, rules=rules, types=TYPES, before=["and"], after=["please"])


def reading(of: Grammar, text: str) -> dict[str, str] | None:
    """The captured words of the reading of a whole text, or None."""
    tokens = of.correct(tokenize(text))
    parts = cover(tokens, of, {}, lambda _: True)
    if not parts or not isinstance(parts[0], Match):
        return None
    spans = {name: listed[0] for name, listed in parts[0].captures.items()}
    return {name: text[tokens[start].start : tokens[end - 1].end] for name, (start, end) in spans.items()}


@pytest.mark.parametrize(
    ("template", "text", "captured"),
    [
        ("i watched {film}", "I watched Alien", {"film": "Alien"}),
        ("i watched {film}", "i've watched Alien", None),
        ("[i] (watched|saw) {film}", "saw The Thing", {"film": "The Thing"}),
        ("why [did you]* {n:number}", "why did you did you 3", {"n": "3"}),
        ("why {n:number}", "why three", None),
        ("(a|b c)+ d", "a b c a d", {}),
        ("(a|b c)+ d", "d", None),
        ("saw {who:my (brother|sister)}", "saw my sister", {"who": "my sister"}),
        ("isnt {film}", "ISN'T Alién", {"film": "Alién"}),
    ],
)
def test_a_template(template: str, text: str, captured: dict[str, str] | None) -> None:
    assert reading(grammar(template), text) == captured


def test_the_reading_with_the_least_free_text_wins() -> None:
    both = grammar("watched {film}", "watched {film} <day>", day="last night|yesterday")
    assert reading(both, "watched Alien last night") == {"film": "Alien"}
    assert reading(both, "watched last night") == {"film": "last night"}


def test_a_mistyped_word_is_forgiven_but_a_right_one_wins() -> None:
    slips = grammar("recommend {a}", "recommended {b}")
    assert reading(slips, "recomend x") == {"a": "x"}
    assert reading(slips, "recommended x") == {"b": "x"}
    assert reading(slips, "rcmd x") is None


def test_marks_stand_anywhere_and_end_no_capture() -> None:
    assert reading(grammar("watched {film} now"), "watched: “Alien”, now!!!") == {"film": "Alien"}


def test_fillers_stand_before_and_after() -> None:
    assert reading(grammar("undo"), "and undo, please") == {}


@pytest.mark.parametrize("wrong", ["(a", "a)", "[a", "{a", "<nowhere>", "a*", "'"])
def test_a_template_that_is_not_well_formed_is_refused(wrong: str) -> None:
    with pytest.raises(TemplateError):
        grammar(wrong)


def test_a_text_is_covered_by_several_readings() -> None:
    of = grammar("watched {film}", "what next")
    tokens = tokenize("mumble mumble, watched Alien, what next")
    parts = cover(tokens, of, {3: True, 6: True}, lambda _: True)
    assert [part if isinstance(part, tuple) else (part.start, part.end) for part in parts] == [(0, 3), (3, 6), (6, 8)]


def test_a_joining_word_inside_a_title_does_not_split_it() -> None:
    of = grammar("watched {film}", "what next")
    tokens = tokenize("watched Kramer vs Kramer and what else")
    parts = cover(tokens, of, {4: True}, lambda _: True)
    assert len(parts) == 1


@pytest.mark.parametrize(
    ("typed", "as_compared"), [("Isn’t", "isnt"), ("SCI-FI", "scifi"), ("Amélie", "amelie"), ("E.T.", "et")]
)
def test_words_are_compared_plain(typed: str, as_compared: str) -> None:
    assert plain(typed) == as_compared


@given(st.text(max_size=400))
def test_tokens_are_parts_of_the_text_in_order(text: str) -> None:
    end = 0
    for token in tokenize(text):
        assert end <= token.start < token.end
        assert text[token.start : token.end] == token.raw
        end = token.end


@given(st.text(max_size=60))
def test_a_free_slot_holds_whatever_is_said(text: str) -> None:
    said = f"watched {text} end"
    if any(not token.is_mark for token in tokenize(text)):
        assert reading(grammar("watched {film} end"), said) is not None
