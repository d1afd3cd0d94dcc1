"""Words → the catalogue's tags: what is wished for by a tag, and what is to be left out by one.

Knows the tags and how many films carry each, and the words of a language that stand for some; no person, no request.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from bot.conversation.grammar import plain
from bot.conversation.people import films_of_tags
from bot.conversation.phrases import Phrases
from bot.conversation.wish_words import compact
from engine.films import Catalog
from engine.titles import same_word

_FILMS_OF_A_NAME = 3
"""Films that carry a tag of several words before its last word is taken for a surname."""
_SAYING_AS_MUCH = 2
"""Tags that a word which is none stands for."""
_LONGEST = 4
"""Words that a tag may have to be looked for in others."""
_TAKES_BACK = frozenset({"no", "not", "non", "anti", "without", "isn't", "lacks", "free"})
"""What in a tag, which is English, says that something is not so."""


@lru_cache(maxsize=2)
def tags_of(catalog: Catalog) -> frozenset[str]:
    """All tags of a catalogue, without case."""
    return frozenset(catalog.tag(number).casefold() for number in range(catalog.tag_count))


@lru_cache(maxsize=2)
def compact_tags_of(catalog: Catalog) -> frozenset[str]:
    """The same without spaces and hyphens, for words that are parted in many ways: “feel-good”."""
    return frozenset(compact(tag) for tag in tags_of(catalog))


@lru_cache(maxsize=2)
def surnames_of(catalog: Catalog) -> Mapping[str, str]:
    """By last word, the tags of two or three words that at least `_FILMS_OF_A_NAME` films carry, when there is one such
    tag: “kubrick” is “stanley kubrick”. Which of them are people the data does not say."""
    by_last: dict[str, list[str]] = {}
    for tag, films in films_of_tags(catalog).items():
        words = tag.split()
        if films >= _FILMS_OF_A_NAME and 2 <= len(words) <= 3:
            by_last.setdefault(words[-1], []).append(" ".join(words))
    return {last: tags[0] for last, tags in by_last.items() if len(tags) == 1}


# Wanted


def tags_said(words: str, phrases: Phrases, catalog: Catalog) -> tuple[str, ...]:
    """The tags that words are: in the singular or plural, and the one whose last word they are, as directors are
    called; else the best known of those that say as much in the language."""
    known = tags_of(catalog)
    spelt = next((form for form in (words, words.removesuffix("s"), f"{words}s") if form in known), None)
    said = tuple(tag for tag in (surnames_of(catalog).get(words), spelt) if tag)
    if said:
        return said
    meant = [tag for tag in phrases.described.get(plain(words), ()) if tag in known]
    films = films_of_tags(catalog)
    return tuple(sorted(meant, key=lambda tag: -films[tag])[:_SAYING_AS_MUCH])


def split_tags(words: str, phrases: Phrases, catalog: Catalog) -> tuple[list[str], str]:
    """The longest tags that words hold, and the words that are none."""
    left = words.split()
    tags: list[str] = []
    lost: list[str] = []
    while left:
        sizes = range(min(_LONGEST, len(left)), 0, -1)
        spans = ((size, tags_said(" ".join(left[:size]), phrases, catalog)) for size in sizes)
        size, said = next(((size, said) for size, said in spans if said), (1, ()))
        tags += said
        lost += [] if said else left[:1]
        left = left[size:]
    return tags, " ".join(lost)


# Unwanted


def unwanted_tags(words: str, phrases: Phrases, catalog: Catalog) -> tuple[str, ...]:
    """All tags that say what is not wanted: “gory” is “gore” and “bloody” too, “zombies” also “zombie apocalypse”.

    They are the words themselves, alone or beside others, words of the same stem, and what the language says they mean
    in tags; none when no tag knows them.
    """
    said = words.casefold().strip()
    if not said:
        return ()
    forms = {said, f"{said}s", said.removesuffix("s")}
    meant = {tag for form in forms for tag in phrases.described.get(form, ())}
    return tuple(tag for tag in sorted(tags_of(catalog)) if tag in meant or _says(tag, forms))


def _says(tag: str, forms: Collection[str]) -> bool:
    """Whether a tag says one of some forms of a word, and does not take it back (“anti-war”)."""
    of_tag = tag.replace("-", " ")
    if len(of_tag.split()) == 1:
        return any(of_tag == form or same_word(form, of_tag) for form in forms)
    beside = f" {of_tag} "
    return any(f" {form} " in beside for form in forms) and _TAKES_BACK.isdisjoint(of_tag.split())


def parted(words: str, phrases: Phrases) -> list[str]:
    """“Zombies, vampires or ghosts” → the three."""
    parting = phrases.wishing.alternatives | phrases.joins | {","}
    parts: list[list[str]] = [[]]
    for word in words.replace(",", " , ").split():
        if word.casefold() in parting:
            parts.append([])
        else:
            parts[-1].append(word)
    return [" ".join(part) for part in parts if part]
