"""What a platform alone needs words for: a TOML file a language, in a package of the platform's.

English holds everything; another language may lack some of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

ENGLISH = "en"


@cache
def words_in(package: str, language: str) -> Mapping[str, str]:
    """All words of a language by their keys (`watched.film.description`); none when there is no such language."""
    file = files(package).joinpath(f"{language}.toml")
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


def word(package: str, key: str, locale: str = ENGLISH) -> str | None:
    """The words of a key in the language of a locale; None when it has none."""
    language = language_of(locale)
    return words_in(package, language).get(key) if re.fullmatch("[a-z]{2,3}", language) else None


def sentence(package: str, key: str, locale: str, **gaps: str) -> str:
    """The words of a key in the language of a locale or else in English, with their gaps filled."""
    return (word(package, key, locale) or words_in(package, ENGLISH)[key]).format(**gaps)
