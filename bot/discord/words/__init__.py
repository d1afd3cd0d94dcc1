"""What Discord alone needs words for: names and descriptions of commands, and sentences; a TOML file a language."""

from __future__ import annotations

from collections.abc import Mapping

from bot import wording
from bot.wording import ENGLISH, language_of

__all__ = ["ENGLISH", "language_of", "sentence", "word", "words_in"]


def words_in(language: str) -> Mapping[str, str]:
    """All words of a language by their keys (`watched.film.description`); none when there is no such language."""
    return wording.words_in(__name__, language)


def word(key: str, locale: str = ENGLISH) -> str | None:
    """The words of a key in the language of a locale; None when it has none."""
    return wording.word(__name__, key, locale)


def sentence(key: str, locale: str, **gaps: str) -> str:
    """A sentence of Discord's own, in the language of a locale or else in English."""
    return wording.sentence(__name__, f"sentences.{key}", locale, **gaps)
