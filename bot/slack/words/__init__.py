"""What Slack alone needs words for: modals, the Home tab, its commands and a few sentences; a TOML file a language."""

from __future__ import annotations

from bot import wording

ENGLISH = wording.ENGLISH


def words(key: str, locale: str = ENGLISH, **gaps: str) -> str:
    """The words of a key in the language of a locale or else in English."""
    return wording.sentence(__name__, key, locale, **gaps)
