"""Words of one language that say something by standing where they do, by what they are used for: one class for each
table of `en.toml` that is nothing but lists of words. Knows no language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class Around:
    """Words around titles in sentences that no template reads."""

    articles: frozenset[str]
    before_title: frozenset[str]
    """What may stand before a title."""
    everyday: frozenset[str]
    """Titles that are everyday words: in lower case they are asked about."""
    watchable: frozenset[str]
    """What of a film is watched that is not the film."""
    saw: frozenset[str]
    """Forms of “watch”."""
    list_joins: frozenset[str]
    """Words that join the films of a list."""
    openers: frozenset[str]
    """What may stand before all that a message says: “ok so”, “omg”."""
    before_year: frozenset[str]
    """What comes before a year that tells a film from its namesakes."""
    before_people: frozenset[str]
    """What people of a film are named behind."""
    its: frozenset[str]
    """What a sequel belongs to: “its”, “the”."""
    sequel: frozenset[str]
    """Words for the film that follows another."""
    parts: frozenset[str]
    """What stands before the number of a sequel."""
    tells_apart: frozenset[str]
    """What tells films of one name apart: “the original”."""
    telling_joins: frozenset[str]
    """What joins words that tell films apart to their title."""
    ends_telling: frozenset[str]
    """What ends words that tell films apart: “the new one”."""
    units: frozenset[str]
    """What is counted: “two years ago”."""
    day_names: frozenset[str]
    """Names of days and months, which are seldom films."""
    festivals: frozenset[str]
    """Days that films are called after."""
    shortened: frozenset[str]
    """Words that a full stop may belong to: “Sherlock Jr.”"""
    before_days: frozenset[str]
    """What stands before a day that is meant as one."""


@dataclass(frozen=True, slots=True)
class People:
    """Words for people."""

    oneself: frozenset[str]
    third_persons: frozenset[str]
    others_begin: frozenset[str]
    """What somebody else begins with: “my brother”."""


@dataclass(frozen=True, slots=True)
class Pointing:
    """Words that mean a film named before."""

    pointers: frozenset[str]
    """What means the film just talked about."""
    ones: frozenset[str]
    """What ends words that point at a film rather than wish for one: “the 1977 one”."""
    after_ones: frozenset[str]
    """What goes on to tell which: “the one with Adjani”."""
    given_to: frozenset[str]
    """What stands between a mark and the film it is given to."""
    after_pointing: frozenset[str]
    """Words behind “first” where it stands for a film."""
    other_ones: frozenset[str]
    """Words for all films that are left."""
    each_of: frozenset[str]
    """Words for every one of them."""


@dataclass(frozen=True, slots=True)
class Places:
    """Words for places on a list that is shown."""

    around: frozenset[str]
    """What may stand around a place: “the second one”."""
    before: frozenset[str]
    """What makes a place of a number that is none by itself."""
    none: frozenset[str]
    """Numbers that are no places by themselves."""
    from_end: frozenset[str]
    """Words between a place and “last”, from where it is counted: “second to last”."""
    middle: frozenset[str]
    """Words for the place in the middle of a list."""
    excepting: frozenset[str]
    """Words before what is left out of all: “all but the last”."""
    all: frozenset[str]
    """Words for the whole list."""


@dataclass(frozen=True, slots=True)
class Wishing:
    """Words of wishes."""

    film_words: frozenset[str]
    """What makes words a wish though some of them are strange: “movies about sharks”."""
    statement: frozenset[str]
    """What makes a statement of what would be a wish: “its really funny”."""
    before_count: frozenset[str]
    """What may stand before the number that a wish begins with: “me 5 horror films”."""
    alternatives: frozenset[str]
    """Words between things of which either will do."""
    about: frozenset[str]
    """What comes before what a film is about."""
    likened: frozenset[str]
    """What stands before a film that others shall be like."""
    things: frozenset[str]
    """What stands for a film before a word that describes it: “something zany”."""
    degrees: frozenset[str]
    """What may stand between: “something really zany”."""
    after_described: frozenset[str]
    """What goes on behind a word that describes films: “something zany for tonight”."""
    breaks: frozenset[str]
    """Words that begin a clause wherever they stand."""
    subjects: frozenset[str]
    """Words that begin a clause behind a comma or a joining word."""
    tells: frozenset[str]
    """Words of clauses that tell something of people."""
    being: frozenset[str]
    """The same where they are not the first word: “the baby is asleep”."""
    asks: frozenset[str]
    """Words of clauses that say what is wished for."""
    usual: frozenset[str]
    """Tags that are said of films in any sentence, and describe none."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What in a message read loosely says more about what is to be done."""

    like: frozenset[str]
    """Asks for something alike."""
    clearing: frozenset[str]
    """Empties a list."""
    picking: frozenset[str]
    """Picks from a list."""
    refusing: frozenset[str]
    """Refuses a film of a list."""
    none: frozenset[str]
    """Refuses all choices."""
    asking: frozenset[str]
    """Asks for films, wherever it stands."""
    asking_on: frozenset[str]
    """The same behind what was watched."""
    turning: frozenset[str]
    """Turns a setting round."""
    correcting: frozenset[str]
    """Says no more than that something is to be corrected."""
    questions: frozenset[str]
    """What questions begin with."""
    logging: frozenset[str]
    """Asks for what is named next to be put somewhere."""


_Words = TypeVar("_Words", Around, People, Pointing, Places, Wishing, Signs)


def words_in(
    kind: type[_Words], data: Mapping[str, Mapping[str, Iterable[str]]], read: Callable[[Iterable[str]], frozenset[str]]
) -> _Words:
    """The words of a file's table of that name, each list through `read`; lists that it lacks are empty. TypeError when
    it has one that nothing reads."""
    listed = data.get(kind.__name__.lower(), {})
    empty: dict[str, frozenset[str]] = {field.name: frozenset() for field in fields(kind)}
    return kind(**empty | {name: read(said) for name, said in listed.items()})
