"""What people say and what the bot says, per language, as data: `Phrases`, `phrases_for`.

Knows the form of the TOML files in this folder (`en.toml`: what people say; `en.say.toml`: what the bot says) and how
to compile them, once, when they are first needed. Knows no meaning: that is `bot.conversation.understand`'s.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from bot.conversation.grammar import Grammar, Predicate, Token, plain

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Era:
    """Years said in one word: from and to (inclusive), or so many years back from the newest film."""

    first: int | None = None
    last: int | None = None
    recent: int | None = None


@dataclass(frozen=True, slots=True)
class DayPhrase:
    """A date said without a calendar, so many days or months ago; both are None when it says nothing about the day."""

    ago: int | None
    months: int | None
    precision: str


class Say:
    """What the bot says: sentences with named gaps, by key. A missing key is an error of ours (KeyError)."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self._sentences = sentences

    def __call__(self, key: str, /, **gaps: object) -> str:
        """The sentence of a key, its gaps filled."""
        return self._sentences[key].format(**gaps)

    def has(self, key: str) -> bool:
        """Whether there is such a sentence."""
        return key in self._sentences

    def listed(self, items: Sequence[str]) -> str:
        """“a, b and c”."""
        if len(items) < 2:
            return "".join(items)
        return self("list-last", before=self("list-comma").join(items[:-1]), last=items[-1])


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language: the two grammars and the tables that turn words into values."""

    sentences: Grammar
    wishes: Grammar
    begins: frozenset[str]
    joins: frozenset[str]
    everyday: frozenset[str]
    place_words: frozenset[str]
    pointers: frozenset[str]
    negations: frozenset[str]
    before_count: frozenset[str]
    pointing: frozenset[str]
    statement: frozenset[str]
    film_words: frozenset[str]
    watched: str
    """The word that `/watched` stands for."""
    numbers: Mapping[str, int]
    ordinals: Mapping[str, int]
    decades: Mapping[str, int]
    months: Mapping[str, int]
    days: Mapping[str, DayPhrase]
    genres: Mapping[str, tuple[str, ...]]
    eras: Mapping[str, Era]
    adventurousness: Mapping[str, float]
    watchlist_words: Mapping[str, str]
    setting_words: Mapping[str, str]
    languages: Mapping[str, str]


_DECADE = re.compile(r"'?((?:18|19|20)?\d0)s")
_SCORE = re.compile(
    r"\d+(?:[.,]\d+)?(?:/(?:4|5|6|10|20|100)(?:[.,]0)?|%)|[★☆⭐½]+|[abcdf]\+?|\d+[.,]\d+", re.IGNORECASE
)
_DATE = re.compile(r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})")
_NUMBERED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")


def number_of(word: str, numbers: Mapping[str, int]) -> int | None:
    """The number of a word: “5”, “five”; None for any other, and above 999."""
    if word.isascii() and word.isdigit():
        return int(word) if len(word) <= 3 else None
    return numbers.get(word)


def ordinal_of(word: str, ordinals: Mapping[str, int], numbers: Mapping[str, int]) -> int | None:
    """The place of a word: “2”, “2nd”, “second”, “two”; -1 is the last."""
    found = _NUMBERED.fullmatch(word)
    if found:
        return int(found.group(1)) or None
    return ordinals.get(word) or numbers.get(word)


def decade_of(word: str, decades: Mapping[str, int]) -> int | None:
    """The first year of a decade: “70s”, “1970s”, “seventies”."""
    found = _DECADE.fullmatch(word)
    if not found:
        return decades.get(word)
    start = int(found.group(1))
    return start if start >= 100 else start + (2000 if start < 30 else 1900)


def _types(data: Mapping[str, Any]) -> dict[str, Predicate]:
    numbers, ordinals, decades = data["numbers"], data["ordinals"], data["decades"]
    return {
        "number": lambda token: number_of(token.word, numbers) is not None,
        "ordinal": lambda token: ordinal_of(token.word, ordinals, numbers) is not None,
        "year": lambda token: len(token.word) == 4 and token.word.isdigit() and 1880 <= int(token.word) <= 2099,
        "decade": lambda token: decade_of(token.word, decades) is not None,
        "score": lambda token: _SCORE.fullmatch(token.raw) is not None and token.raw not in {"a", "A"},
        "date": lambda token: _DATE.fullmatch(token.raw) is not None,
        "day": lambda token: (found := _NUMBERED.fullmatch(token.word)) is not None and 1 <= int(found.group(1)) <= 31,
        "word": lambda token: not token.is_mark,
    }


def _flat(templates: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, Sequence[str]]:
    return {f"{group}.{name}": listed for group, names in templates.items() for name, listed in names.items()}


def _any_of(phrases: Iterable[str]) -> str:
    return "|".join(phrases)


def _by_plain(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key_of(phrase): value for phrase, value in table.items()}


def key_of(phrase: str) -> str:
    """A phrase as tables hold it: its words plain, one space between them."""
    return " ".join(plain(word) for word in phrase.split())


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def phrases_for(language: str) -> Phrases:
    """The phrases of a language, compiled at the first call; FileNotFoundError when there are none."""
    data = _read(f"{language}.toml")
    genres = {phrase: (genre,) for genre, listed in data["genres"].items() for phrase in listed}
    genres |= {phrase: tuple(both) for phrase, both in data["both_genres"].items()}
    rules = dict(data["rules"]) | dict(data["reactions"])
    rules["genre"] = _any_of(genres)
    rules["era"] = _any_of(data["eras"])
    rules["adventurousness"] = _any_of(data["adventurousness"])
    rules["language"] = _any_of(data["languages"])
    rules["filler"] = _any_of(data["fillers"]["words"].split())
    types = _types(data)
    return Phrases(
        sentences=Grammar(
            _flat(data["templates"]), rules=rules, types=types, before=data["before"], after=data["after"]
        ),
        wishes=Grammar(data["wish"], rules=rules, types=types),
        begins=frozenset(data["begins"]),
        joins=frozenset(data["joins"]),
        everyday=frozenset(map(key_of, data["everyday"])),
        place_words=frozenset(data["place_words"]),
        pointers=frozenset(data["pointers"]),
        negations=frozenset(data["negations"]),
        before_count=frozenset(data["before_count"]),
        pointing=frozenset(data["pointing"]),
        statement=frozenset(data["statement"]),
        film_words=frozenset(data["film_words"]),
        watched=data["watched"],
        numbers=data["numbers"],
        ordinals=data["ordinals"],
        decades=data["decades"],
        months=data["months"],
        days={
            key_of(said): DayPhrase(of.get("ago"), of.get("months"), of["precision"])
            for said, of in data["days"].items()
        },
        genres=_by_plain(genres),
        eras={key_of(said): Era(of.get("from"), of.get("to"), of.get("recent")) for said, of in data["eras"].items()},
        adventurousness=_by_plain(data["adventurousness"]),
        watchlist_words=data["watchlist_words"],
        setting_words=_by_plain(data["setting_words"]),
        languages=data["languages"],
    )


@lru_cache(maxsize=8)
def say_for(language: str) -> Say:
    """What the bot says in a language, in English what it can't say there; FileNotFoundError when it has none."""
    return Say({**_read(f"{DEFAULT_LANGUAGE}.say.toml"), **_read(f"{language}.say.toml")})


def language_of(locale: str) -> str:
    """The language spoken to a locale: its own when there are phrases for it, else the default."""
    language = re.split(r"[-_]", locale, maxsplit=1)[0].lower()
    return language if f"{language}.toml" in _languages() else DEFAULT_LANGUAGE


def is_spoken(locale: str) -> bool:
    """Whether there are phrases for the language of a locale."""
    return re.split(r"[-_]", locale, maxsplit=1)[0].lower() == language_of(locale)


@lru_cache(maxsize=1)
def _languages() -> frozenset[str]:
    return frozenset(file.name for file in files(__package__).iterdir())


def word_key(tokens: Sequence[Token]) -> str:
    """Words as tables hold them, typing errors corrected, marks left out."""
    return " ".join(token.meant for token in tokens if not token.is_mark)
