"""Marks as people give them → stars from 0 to 5. Knows the common scales and no grammar."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.conversation.grammar import plain

MAX_STARS = 5.0

_OF = re.compile(
    r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:/|(?<!\w)(?:[^\W\d_]{1,5}|[^\W\d_]{1,3}\s[^\W\d_]{1,2})(?!\w))\s*(\d{1,3})"
)
_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)\s*%")
_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?")
_SCHOOL = {
    "a+": 5.0, "a": 4.75, "a-": 4.5, "b+": 4.25, "b": 4.0, "b-": 3.75, "c+": 3.5, "c": 3.0, "c-": 2.75,
    "d+": 2.5, "d": 2.0, "d-": 1.5, "f": 0.5,
}  # fmt: skip


def stars(words: str) -> float | None:
    """The stars of a mark: “8/10”, “4 out of 5”, “80%”, “★★★½”, “B+”, “4.5 stars”; None when it is none.

    A bare number up to 5 is stars, up to 10 of ten, up to 100 of a hundred. Rounded to a tenth of a star.
    """
    text = words.strip()
    full = sum(text.count(sign) for sign in "★⭐")
    if full or ("½" in text and not text[0].isdigit()):
        return _within(full + 0.5 * text.count("½"), MAX_STARS)
    if of := _OF.search(text):
        return _within(_value(of.group(1)), float(of.group(2)))
    if percent := _PERCENT.search(text):
        return _within(_value(percent.group(1)), 100.0)
    if (grade := _SCHOOL.get(text.casefold().replace("−", "-"))) is not None:
        return grade
    if number := _NUMBER.search(text):
        value = _value(number.group())
        return _within(value, next((scale for scale in (5.0, 10.0, 100.0) if value <= scale), 0.0))
    return None


def stars_said(words: str, numbers: Mapping[str, int], half: str = "") -> float | None:
    """The stars of a mark in words: “five stars”, “seven out of ten”, “3 and a half stars”."""
    said = [plain(word) for word in words.split()]
    figures = " ".join(
        str(numbers[word]) if word in numbers else raw for word, raw in zip(said, words.split(), strict=True)
    )
    mark = stars(figures)
    return mark + 0.5 if mark is not None and half in said and mark <= MAX_STARS - 0.5 else mark


def _value(digits: str) -> float:
    return float(digits.replace(",", "."))


def _within(value: float, scale: float) -> float | None:
    return round(MAX_STARS * value / scale, 1) if scale and 0 <= value <= scale else None
