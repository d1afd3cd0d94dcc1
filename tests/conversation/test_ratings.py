"""Marks on any common scale become stars from 0 to 5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.ratings import stars


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("8/10", 4.0), ("4 / 5", 4.0), ("4.5/5", 4.5), ("4,5/5", 4.5), ("9 out of 10", 4.5), ("3 of 4", 3.8),
        ("80%", 4.0), ("★★★★", 4.0), ("★★★½", 3.5), ("⭐⭐⭐", 3.0), ("B+", 4.2), ("a", 4.8), ("F", 0.5),
        ("4 stars", 4.0), ("4.5", 4.5), ("9", 4.5), ("75", 3.8), ("0/10", 0.0),
        ("11/10", None), ("9/0", None), ("250", None), ("great", None), ("", None), ("6 stars of 5", 3.0),
    ],
)  # fmt: skip
def test_a_mark(words: str, expected: float | None) -> None:
    assert stars(words) == pytest.approx(expected, abs=0.051) if expected is not None else stars(words) is None


@given(st.text(max_size=30))
def test_stars_run_from_0_to_5(words: str) -> None:
    given_stars = stars(words)
    assert given_stars is None or 0.0 <= given_stars <= 5.0
