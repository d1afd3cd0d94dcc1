"""Names in wishes → people whose films are asked for: “something with Tom Hanks”, “a Hitchcock thriller”.

Knows the engine's people and the catalogue's tags. A word that is a tag is one, unless it is the name of somebody with
more films than carry the tag. What is nobody's name is left in the wish for others to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from bot.conversation.intents import Wish
from bot.conversation.phrases import Phrases
from bot.conversation.wish_words import compact
from engine.films import Catalog
from engine.people import People, Person, Role

_LONGEST = 4
"""Words of a name in a wish."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked for and who is not wanted, the wish without them, and the words of it that were their names."""

    people: tuple[Person, ...]
    without: tuple[Person, ...]
    wish: Wish
    names: tuple[str, ...] = ()


@lru_cache(maxsize=2)
def films_of_tags(catalog: Catalog) -> Mapping[str, int]:
    """How many films carry each tag, by the tag without case."""
    films = np.bincount(catalog.film_tags, minlength=catalog.tag_count)
    return {catalog.tag(number).casefold(): int(count) for number, count in enumerate(films)}


@lru_cache(maxsize=2)
def words_of_wishes(tags: frozenset[str], people: People) -> frozenset[str]:
    """What the words of a wish may be, without case, spaces and hyphens: tags, and the names of well-known people."""
    return tags | {compact(name) for name in people.known_names()}


def people_of(wish: Wish, people: People, catalog: Catalog, phrases: Phrases) -> Asked:
    """The people whom a wish names; names and words that are nobody stay in it."""
    wanted: list[Person] = []
    unwanted: list[Person] = []
    names: list[str] = []
    for name in wish.names:
        role = Role.CAST if name in wish.players else Role.DIRECTOR
        found = _listed(name, role, people, phrases)
        wanted += found
        names += [] if found else [name]
    words: list[str] = []
    spoken: list[str] = []
    for said in wish.words:
        found, left = _among_words(said, people, catalog)
        wanted += found
        spoken += [word for word in said.split() if word not in left.split()]
        words += [left] if left else []

    def spared(listed: Sequence[str]) -> tuple[str, ...]:
        """What of the unwanted is nobody; the others are kept."""
        left: list[str] = []
        for said in listed:
            found = _somebody(_without_role(said, phrases), people, catalog)
            unwanted.extend(found)
            left += [] if found else [said]
        return tuple(left)

    rest = replace(
        wish,
        names=tuple(names),
        words=tuple(words),
        without_films=spared(wish.without_films),
        unwanted=spared(wish.unwanted),
    )
    return Asked(tuple(dict.fromkeys(wanted)), tuple(dict.fromkeys(unwanted)), rest, tuple(spoken))


def _listed(name: str, role: Role, people: People, phrases: Phrases) -> list[Person]:
    """Those whom a name, or several in a list, mean; none when any of them is nobody."""
    if found := people.find(_trimmed(name, phrases), role):
        return list(found)
    parts: list[list[str]] = [[]]
    for word in name.replace(",", " , ").split():
        if word in {",", "&"} or word.casefold() in phrases.wishing.alternatives | phrases.around.list_joins:
            parts.append([])
        else:
            parts[-1].append(word)
    each = [people.find(_trimmed(" ".join(part), phrases), role) for part in parts if part]
    return [person for found in each for person in found] if all(each) else []


def _trimmed(name: str, phrases: Phrases) -> str:
    """A name without everyday words behind it: “Kubrick please”, “Tom Hanks movies”."""
    said = [word for word in name.split() if word.casefold() not in phrases.around.articles]
    while len(said) > 1 and said[-1].casefold().strip(".,!?") in phrases.usual:
        said.pop()
    return " ".join(said)


def _without_role(said: str, phrases: Phrases) -> str:
    """“With Adam Sandler” as “Adam Sandler”."""
    words = said.split()
    while len(words) > 1 and words[0].casefold() in phrases.usual:
        words = words[1:]
    return " ".join(words)


def _somebody(words: str, people: People, catalog: Catalog) -> tuple[Person, ...]:
    """Who is meant by just these words, when they are no tag that says more."""
    found = people.find(words) if people.is_somebody(words) else ()
    if not found or " " in words:
        return found
    carrying = films_of_tags(catalog).get(words.casefold(), 0)
    return found if len(people.rows_of(found[0], catalog)) > carrying else ()


def _among_words(said: str, people: People, catalog: Catalog) -> tuple[list[Person], str]:
    """Those who are named in some words, the longest names first, and the words that are left."""
    found: list[Person] = []
    left: list[str] = []
    words = said.split()
    while words:
        sizes = range(min(_LONGEST, len(words)), 0, -1)
        named = ((size, _somebody(" ".join(words[:size]), people, catalog)) for size in sizes)
        size, persons = next(((size, persons) for size, persons in named if persons), (1, ()))
        tag = next((n for n in sizes if n > size and " ".join(words[:n]).casefold() in films_of_tags(catalog)), 0)
        if tag:  # “black and white” is no film with Jack Black
            size, persons = tag, ()
        found += persons
        left += [] if persons else words[:size]
        words = words[size:]
    return found, " ".join(left)
