"""What Discord alone needs words for: names and descriptions of commands, and a few sentences; a TOML file a language.

English holds everything; another language may lack some of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

ENGLISH = "en"


@lru_cache(maxsize=8)
def words_in(language: str) -> Mapping[str, str]:
    """All words of a language by their keys (`watched.film.description`); none when there is no such language."""
    file = files(__package__).joinpath(f"{language}.toml")
    if not file.is_file():
        return {}
    return dict(_flat("", tomllib.loads(file.read_text(encoding="utf-8"))))


def _flat(prefix: str, table: Mapping[str, object]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(f"{prefix}{name}.", value)
        else:
            found.append((f"{prefix}{name}", str(value)))
    return found


def language_of(locale: str) -> str:
    """The language of a locale: “de” of “de-AT”."""
    return re.split(r"[-_]", locale, maxsplit=1)[0].lower()


def word(key: str, locale: str = ENGLISH) -> str | None:
    """The words of a key in the language of a locale; None when it has none."""
    return words_in(language_of(locale)).get(key)


def sentence(key: str, locale: str, **gaps: str) -> str:
    """A sentence of Discord's own, in the language of a locale or else in English."""
    return (word(f"sentences.{key}", locale) or words_in(ENGLISH)[f"sentences.{key}"]).format(**gaps)
