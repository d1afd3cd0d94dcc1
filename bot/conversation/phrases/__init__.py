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
from itertools import product
from typing import Any

from bot.conversation.grammar import Grammar, Predicate, Token, plain, spellings
from bot.conversation.phrases.words import Around, People, Places, Pointing, Signs, Wishing, words_in
from engine.titles import Telling

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Era:
    """Years said in one word: from and to (inclusive), or so many years back from the newest film."""

    first: int | None = None
    last: int | None = None
    recent: int | None = None


@dataclass(frozen=True, slots=True)
class DayPhrase:
    """A date said without a calendar, so many days or months ago, or the last time that it was that month and day; all
    are None when it says nothing about the day."""

    ago: int | None
    months: int | None
    precision: str
    on: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class DateWords:
    """How dateparser is helped: what it is told instead of words that it does not know (nothing: they are left out).

    `year`, `month` and `week` are the words for those, in all their forms; `last_week` those beside a day of it,
    `week_before` those beside one a week before the last of its name.
    """

    instead: Mapping[str, str]
    year: frozenset[str]
    month: frozenset[str]
    week: frozenset[str]
    last_week: frozenset[str]
    week_before: frozenset[str]


class Say:
    """What the bot says: sentences with named gaps, by key. A missing key is an error of ours (KeyError)."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self.sentences = sentences

    def __call__(self, key: str, /, **gaps: object) -> str:
        """The sentence of a key, its gaps filled."""
        return self.sentences[key].format(**gaps)

    def has(self, key: str) -> bool:
        """Whether there is such a sentence."""
        return key in self.sentences

    def listed(self, items: Sequence[str]) -> str:
        """“a, b and c”."""
        if len(items) < 2:
            return "".join(items)
        return self("list-last", before=self("list-comma").join(items[:-1]), last=items[-1])


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language: the two grammars and the tables that turn words into values."""

    language: str
    sentences: Grammar
    wishes: Grammar
    around: Around
    people: People
    pointing: Pointing
    places: Places
    wishing: Wishing
    signs: Signs
    begins: frozenset[str]
    joins: frozenset[str]
    negations: frozenset[str]
    every: Mapping[str, frozenset[str]]
    """By group of templates, the words that mean all films of a list."""
    watched: str
    """The word that `/watched` stands for."""
    films: str
    """The word for films behind a number."""
    asks_by_mark: bool
    """Whether “I have seen Alien” becomes a question by its mark alone."""
    numbers: Mapping[str, int]
    ordinals: Mapping[str, int]
    decades: Mapping[str, int]
    months: Mapping[str, int]
    days_beside: Mapping[str, int]
    """Days that are told by the one named before, and how far from it they are: “the day after” is 1."""
    days: Mapping[str, DayPhrase]
    date_words: DateWords
    genres: Mapping[str, tuple[str, ...]]
    described: Mapping[str, tuple[str, ...]]
    """By word that describes a film, what tags say as much."""
    compared: Mapping[str, str]
    """Words that compare, and what they compare by: “funnier” is “funny”."""
    refining: Mapping[str, frozenset[str]]
    """What makes a wish one that changes the wish before it; the file says what each list is."""
    eras: Mapping[str, Era]
    adventurousness: Mapping[str, float]
    watchlist_words: Mapping[str, str]
    setting_words: Mapping[str, str]
    languages: Mapping[str, str]
    cues: Grammar
    """What is said wherever it stands."""
    around_titles: frozenset[str]
    """All words that may stand beside the films of a list without saying anything of their own."""
    persons: frozenset[str]
    """Words for oneself and for others."""
    openers: frozenset[str]
    """What may stand before all that a message says: “ok so”, “omg”."""
    pointing_back: Mapping[str, int]
    """Words for one of the films named before, and which; -1 is the last."""
    no_days: frozenset[str]
    """What may be a day in a template, and is none in any sentence."""
    half: str
    setting_cues: Mapping[str, frozenset[str]]
    usual: frozenset[str]
    """All words that phrases are made of."""
    telling: Telling
    """Words around titles and in answers to “which one?”, beside those that the engine knows."""


_SCORE = re.compile(
    r"\d+(?:[.,]\d+)?(?:/(?:4|5|6|10|20|100)(?:[.,]0)?|%)|[★☆⭐½]+|[abcdf][+\-−]?|\d\*|\d+[.,]\d+", re.IGNORECASE
)
_DATE = re.compile(r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})")
_FULL_MARKS = frozenset({4, 5, 6, 10})
"""“10/10” is a mark."""
_MONTH_AND_DAY = re.compile(r"(\d{1,2})/(\d{1,2})")
_NUMBERED_TO = 999


def number_of(word: str, numbers: Mapping[str, int]) -> int | None:
    """The number of a word: “5”, “five”; None for any other, and above 999."""
    if word.isascii() and word.isdigit():
        return int(word) if len(word) <= 3 else None
    return numbers.get(word)


def ordinal_of(word: str, ordinals: Mapping[str, int], numbers: Mapping[str, int]) -> int | None:
    """The place of a word: “2”, “2nd”, “second”, “two”; -1 is the last."""
    if word.isascii() and word.isdigit():
        return int(word) or None if len(word) <= 2 else None
    return ordinals.get(word) or numbers.get(word)


def places_in(tokens: Sequence[Token], phrases: Phrases, shown: int) -> tuple[int, ...]:
    """The places on a list of `shown` films that words name: “2”, “the second”, “the last two”, “number four”, “the
    second to last”, “all but the third”, “not the second, the third”."""
    places: list[int] = []
    unmeant: list[int] = []
    for at, token in enumerate(tokens):
        if token.is_mark or token.is_film:
            continue
        words = [one.meant for one in tokens[max(0, at - 1) : at + 3]]
        before, following = (words[0] if at else ""), [*words[1 if at else 0 :], "", "", ""]
        if token.word in phrases.places.middle and shown:
            named = [(shown + 1) // 2]
        else:
            named = _places_of(token, following, phrases, shown, before)
        denied = any(one.word in phrases.negations for one in tokens[max(0, at - 2) : at])
        (unmeant if denied else places).extend(named)
    all_but = next((n for n, one in enumerate(tokens) if one.word in phrases.places.excepting and n), 0)
    if all_but and shown and any(one.word in phrases.places.all for one in tokens[:all_but]):
        left_out = {*places, *unmeant}
        return tuple(place for place in range(1, shown + 1) if place not in left_out) if left_out else ()
    return tuple(dict.fromkeys(places)) or tuple(dict.fromkeys(unmeant))


def _places_of(token: Token, following: Sequence[str], phrases: Phrases, shown: int, before: str) -> list[int]:
    """The places that one word names, with those behind it: `following[0]` is the word itself."""
    place = ordinal_of(token.meant, phrases.ordinals, phrases.numbers)
    if place is None or (token.word in phrases.numbers and before in phrases.ordinals):
        return []
    if token.word in phrases.places.none and before not in phrases.places.before:
        return []
    if place == -1 and before in phrases.places.from_end:
        return []
    from_end = following[1] in phrases.places.from_end and phrases.ordinals.get(following[2]) == -1
    if from_end and place > 0 and shown:
        return [max(1, shown - place + 1)]
    count = number_of(following[1], phrases.numbers) if token.word in phrases.ordinals and place in {1, -1} else None
    if count:
        return list(range(1, count + 1) if place == 1 else range(max(1, shown - count + 1), shown + 1))
    return [shown if place == -1 and shown else place]


def decade_of(word: str, decades: Mapping[str, int]) -> int | None:
    """The first year of a decade: “70s”, “1970s”, “seventies”."""
    return decades.get(word)


def _day_of_month(word: str, ordinals: Mapping[str, int]) -> bool:
    """Whether a word is a day of a month in figures: “3”, “3rd”."""
    day = int(word) if word.isascii() and word.isdigit() and len(word) <= 2 else ordinals.get(word, 0)
    return word[:1].isdigit() and 1 <= day <= 31


def is_month_and_day(word: str) -> bool:
    """Whether figures can only be a month and a day, whichever stands first: “10/31”, “11/11”, but not “3/11”."""
    if not (found := _MONTH_AND_DAY.fullmatch(word)):
        return False
    first, second = sorted(map(int, found.groups()))
    return 1 <= first <= 12 and (12 < second <= 31 or (first == second and first not in _FULL_MARKS))


def _decades_in_figures(endings: Iterable[str]) -> dict[str, int]:
    """“70s” and “1970s” → 1970, with any of the endings; up to the 20s two figures are of this century."""
    starts = [*range(1800, 2100, 10)]
    full = {f"{start}{ending}": start for start in starts for ending in endings}
    return full | {f"{start % 100:02}{ending}": start for start in range(1930, 2030, 10) for ending in endings}


def _types(
    numbers: Mapping[str, int], ordinals: Mapping[str, int], decades: Mapping[str, int], oneself: frozenset[str]
) -> dict[str, Predicate]:
    return {
        "number": lambda token: number_of(token.word, numbers) is not None,
        "ordinal": lambda token: ordinal_of(token.word, ordinals, numbers) is not None,
        "year": lambda token: len(token.word) == 4 and token.word.isdigit() and 1880 <= int(token.word) <= 2099,
        "decade": lambda token: decade_of(token.word, decades) is not None,
        "score": lambda token: _SCORE.fullmatch(token.raw) is not None and token.raw not in {"a", "A"},
        "date": lambda token: _DATE.fullmatch(token.raw) is not None,
        "monthday": lambda token: is_month_and_day(token.raw),
        "day": lambda token: _day_of_month(token.word, ordinals),
        "word": lambda token: not token.is_mark,
        "other": lambda token: not token.is_mark and token.word not in oneself,
    }


def _flat(templates: Mapping[str, Mapping[str, Sequence[str]]]) -> dict[str, Sequence[str]]:
    return {f"{group}.{name}": listed for group, names in templates.items() for name, listed in names.items()}


def _any_of(phrases: Iterable[str]) -> str:
    return "|".join(phrases)


def key_of(phrase: str) -> str:
    """A phrase as tables hold it: its words plain, one space between them."""
    return " ".join(plain(word) for word in phrase.split())


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def phrases_for(language: str) -> Phrases:
    """The phrases of a language, compiled at the first call; FileNotFoundError when there are none.

    A language may lack groups of templates and tables: then nothing is understood by them.
    """
    data = _read(f"{language}.toml")
    respelled: Mapping[str, str] = data.get("respelled", {})

    def table(name: str) -> dict[str, Any]:
        """A table by its phrases in plain form, however they are spelt."""
        listed = data.get(name, {}).items()
        return {" ".join(form): value for said, value in listed for form in _spellings(said, respelled)}

    def spelt(listed: Iterable[str]) -> frozenset[str]:
        return frozenset(" ".join(form) for said in listed for form in _spellings(said, respelled))

    def words(name: str) -> frozenset[str]:
        return spelt(data.get(name, ()))

    around, people = words_in(Around, data, spelt), words_in(People, data, spelt)

    genres = {said: (genre,) for genre, listed in data.get("genres", {}).items() for said in listed}
    genres |= {said: tuple(both) for said, both in data.get("both_genres", {}).items()}
    data["genres"] = genres
    rules = {
        **data["rules"],
        **data.get("reactions", {}),
        "genre": _any_of(genres),
        "era": _any_of(data.get("eras", ())),
        "adventurousness": _any_of(data.get("adventurousness", ())),
        "beside": _any_of(data.get("days_beside", ())),
        "compared": _any_of(data.get("compared", ())),
        "language": _any_of(data.get("languages", ())),
        "filler": _any_of(data["fillers"]["words"].split()),
    }
    numbers = table("numbers")
    ordinals = table("ordinals") | {
        f"{number}{ending}": number for number in range(1, _NUMBERED_TO + 1) for ending in data["ordinal_endings"]
    }
    decades = table("decades") | _decades_in_figures(data["decade_endings"])
    types = _types(numbers, ordinals, decades, people.oneself)
    dates = data["date_words"]
    described = [said for group in data.get("described", ()) for said in (*group["words"], *group["tags"])]
    no_slips = {*words("no_slips"), *numbers, *ordinals, *decades, *" ".join(described).split()}
    sentences = Grammar(
        _flat(data["templates"]),
        rules=rules,
        types=types,
        before=data["before"],
        after=data["after"],
        respelled=respelled,
        no_slips=no_slips,
    )
    wishes = Grammar(data["wish"], rules=rules, types=types, respelled=respelled, no_slips=no_slips)
    return Phrases(
        language=language,
        sentences=sentences,
        wishes=wishes,
        cues=Grammar(data.get("cues", {}), rules=rules, types=types, respelled=respelled),
        around_titles=around.articles | around.telling_joins | around.tells_apart | around.ends_telling,
        persons=people.third_persons | people.oneself,
        openers=frozenset(map(plain, data["before"])) | around.openers,
        pointing_back=table("pointing_back"),
        no_days=words("no_days"),
        half=data.get("half", ""),
        setting_cues={name: frozenset(listed) for name, listed in data.get("setting_cues", {}).items()},
        usual=frozenset(sentences.vocabulary | wishes.vocabulary | numbers.keys() | ordinals.keys()),
        around=around,
        people=people,
        pointing=words_in(Pointing, data, spelt),
        places=words_in(Places, data, spelt),
        wishing=words_in(Wishing, data, spelt),
        signs=words_in(Signs, data, spelt),
        begins=words("begins"),
        joins=words("joins"),
        negations=words("negations"),
        every={group: frozenset(map(plain, listed)) for group, listed in data.get("every", {}).items()},
        watched=data["watched"],
        films=data["films"],
        asks_by_mark=data.get("asks_by_mark", False),
        numbers=numbers,
        ordinals=ordinals,
        decades=decades,
        months=table("months"),
        days={
            said: DayPhrase(of.get("ago"), of.get("months"), of["precision"], of.get("on"))
            for said, of in table("days").items()
        },
        days_beside=table("days_beside"),
        date_words=DateWords(
            instead={form: told for said, told in dates["instead"].items() for form in spellings(said, respelled)},
            year=frozenset(map(plain, dates["year"])),
            month=frozenset(map(plain, dates["month"])),
            week=frozenset(map(plain, dates["week"])),
            last_week=frozenset(map(key_of, dates.get("last_week", ()))),
            week_before=frozenset(map(key_of, dates.get("week_before", ()))),
        ),
        genres=table("genres"),
        compared=table("compared"),
        refining={name: spelt(listed) for name, listed in data.get("refining", {}).items()},
        described={
            said: tuple(group["tags"])
            for group in data.get("described", ())
            for word in group["words"]
            for said in map(" ".join, _spellings(word, respelled))
        },
        eras={said: Era(of.get("from"), of.get("to"), of.get("recent")) for said, of in table("eras").items()},
        adventurousness=table("adventurousness"),
        watchlist_words=table("watchlist_words"),
        setting_words=table("setting_words"),
        languages=data.get("languages", {}) | table("languages"),
        telling=Telling.of(data.get("telling", {})),
    )


def _spellings(phrase: str, respelled: Mapping[str, str]) -> Iterable[tuple[str, ...]]:
    """The ways to write a phrase, word by word."""
    return product(*(sorted(spellings(word, respelled)) for word in phrase.split()))


@lru_cache(maxsize=8)
def say_for(language: str) -> Say:
    """What the bot says in a language, in English what it can't say there; FileNotFoundError when it has none."""
    return Say({**_read(f"{DEFAULT_LANGUAGE}.say.toml"), **_read(f"{language}.say.toml")})


def language_of(locale: str) -> str:
    """The language spoken to a locale: its own when there are phrases for it, else the default."""
    language = re.split(r"[-_]", locale, maxsplit=1)[0].lower()
    return language if language in spoken_languages() else DEFAULT_LANGUAGE


def is_spoken(locale: str) -> bool:
    """Whether there are phrases for the language of a locale."""
    return re.split(r"[-_]", locale, maxsplit=1)[0].lower() == language_of(locale)


@lru_cache(maxsize=1)
def spoken_languages() -> frozenset[str]:
    """The languages that have both files in this folder."""
    names = {file.name for file in files(__package__).iterdir()}
    said = {name.removesuffix(".say.toml") for name in names if name.endswith(".say.toml")}
    return frozenset(language for language in said if f"{language}.toml" in names)


def word_key(tokens: Sequence[Token]) -> str:
    """Words as tables hold them, typing errors corrected, marks left out."""
    return " ".join(token.meant for token in tokens if not token.is_mark)
