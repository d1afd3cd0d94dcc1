"""The words of a message as a wish reads them: clause by clause, without what tells of something else than films.

Pure functions of words. A name that is only a word here is a word again (“set in space”), and those of a tag are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from bot.conversation.grammar import Token, tokenize
from bot.conversation.phrases import Phrases, word_key

_TELLING_LENGTH = 3
_STRONG = frozenset(".!?;\n…—–")
_WEAK = frozenset({",", ":", "-"})
_SHORTENED = ("'s", "’s")
_NAMED_IN = 3
"""Words up to which a name may be but words."""


def compact(words: str) -> str:
    """Words without what parts them."""
    return words.replace(" ", "").replace("-", "").replace("'", "")


def as_typed(tokens: Sequence[Token]) -> str:
    """Words as they were typed, without case; typing errors corrected."""
    return " ".join((token.mistyped or token.raw).casefold() for token in tokens if not token.is_mark)


def forms(word: str) -> frozenset[str]:
    """A word without what parts it, in the singular and the plural."""
    run = compact(word)
    return frozenset({run, run.removesuffix("s"), f"{run}s"})


def wished_words(words: Sequence[Token], said: str, phrases: Phrases, tags: frozenset[str]) -> tuple[Token, ...]:
    """The tokens, as far as they are names only where films are named, and with each tag of several words as one."""
    return _with_tags(in_words(words, said, phrases, tags), phrases, tags)


def in_words(words: Sequence[Token], said: str, phrases: Phrases, tags: frozenset[str]) -> tuple[Token, ...]:
    """The tokens, with names that are typed like words, and may describe films, as those words."""
    plain: list[Token] = []
    for place, token in enumerate(words):
        if token.is_film and not _is_compared_with(words, place, phrases):
            inside = _inside(token, said)
            plain += inside if _are_words(token, inside, said, phrases, tags) else [token]
        else:
            known = token.mistyped and (forms(token.word) & tags or token.word in phrases.described)
            plain.append(replace(token, mistyped=None) if known else token)
    return tuple(plain)


def _inside(token: Token, said: str) -> list[Token]:
    """The words of a name, as they were before they were put together."""
    found = tokenize(said[token.start : token.end])
    return [replace(one, start=one.start + token.start, end=one.end + token.start) for one in found]


def _is_compared_with(words: Sequence[Token], place: int, phrases: Phrases) -> bool:
    """Whether what stands around a film says that it is one: “like Heat or Cars”, “Cars meets Up”."""
    between = phrases.around.list_joins | phrases.wishing.alternatives | phrases.around.before_title
    following = words[place + 1].word if place + 1 < len(words) else ""
    if following in phrases.wishing.likened:
        return True
    before = place - 1
    while before >= 0 and (words[before].is_film or words[before].is_mark or words[before].word in between):
        before -= 1
    return before >= 0 and words[before].word in phrases.wishing.likened


def _are_words(token: Token, inside: Sequence[Token], said: str, phrases: Phrases, tags: frozenset[str]) -> bool:
    """Whether a name is typed like words, and they are such as films are described by."""
    typed = said[token.start : token.end]
    begins = not token.start or said[: token.start].rstrip()[-1:] in _STRONG
    if len(inside) > _NAMED_IN or (typed != typed.lower() and not (begins and typed[1:] == typed[1:].lower())):
        return False
    telling = [one.word for one in inside if one.word not in phrases.usual]
    known = [word for word in telling if forms(word) & tags or word in phrases.described]
    return len(known) == len(telling) > 0 or bool(forms(token.word) & tags)


# Clauses


def clauses(words: Sequence[Token], phrases: Phrases) -> Iterator[Sequence[Token]]:
    """The words parted where something new is said: “a western, i love those”, “horror. my heart can take it”."""
    start = 0
    for place in range(1, len(words)):
        if _breaks(words, place, phrases):
            yield words[start:place]
            start = place
    yield words[start:]


def _breaks(words: Sequence[Token], place: int, phrases: Phrases) -> bool:
    before, token = words[place - 1], words[place]
    if token.is_mark or before.raw in _STRONG:
        return not token.is_mark
    if token.word in phrases.wishing.breaks:
        return True
    if before.raw not in _WEAK and (before.word not in phrases.joins or _is_company(words[:place], phrases)):
        return False
    following = words[place + 1 : place + 2] if phrases.sentences.is_filler(token) else ()
    return any(one.word in phrases.wishing.subjects for one in (token, *following))


def _is_company(words: Sequence[Token], phrases: Phrases) -> bool:
    """Whether what stands before an “and” is somebody: “my sister and I”, “@mia and I”, “me and my sister”."""
    before = words[-4:-1]
    return any(one.word in phrases.people.oneself for one in before[-1:]) or any(
        one.raw.startswith("@") or one.word in phrases.people.others_begin for one in before
    )


def is_aside(clause: Sequence[Token], phrases: Phrases) -> bool:
    """Whether a clause tells of something else than the films that are wished for: “the baby is asleep”."""
    words = [token for token in clause if not token.is_mark]
    asks = phrases.wishing.asks
    pairs = (f"{one.word} {following.word}" for one, following in pairwise(words))
    if any(token.meant in asks or token.is_film for token in words) or any(pair in asks for pair in pairs):
        return False
    return any(
        token.word in phrases.wishing.tells
        or (place and token.word in phrases.wishing.being)
        or token.raw.endswith(_SHORTENED)
        for place, token in enumerate(words)
    )


# Tags of several words


def _with_tags(words: tuple[Token, ...], phrases: Phrases, tags: frozenset[str]) -> tuple[Token, ...]:
    """The tokens, with the words of a tag of several words as one: “cold war” is no war film by itself."""
    out: list[Token] = []
    place = 0
    while place < len(words):
        size = next((n for n in (3, 2) if _is_one_tag(words[place : place + n], n, phrases, tags)), 1)
        inside = words[place : place + size]
        first = inside[0]
        if size > 1:
            said = " ".join(token.raw for token in inside)
            first = replace(first, raw=said, word=word_key(inside), end=inside[-1].end, mistyped=None)
        out.append(first)
        place += size
    return tuple(out)


def _is_one_tag(words: Sequence[Token], size: int, phrases: Phrases, tags: frozenset[str]) -> bool:
    """Whether words are one tag, and each says more than words around a wish do; “too slow” asks for none."""
    if len(words) < size or any(token.is_mark or token.is_film for token in words):
        return False
    if words[0].word in phrases.refining.get("less", frozenset()):
        return False
    key = word_key(words)
    telling = [t for t in words if not (phrases.wishes.is_filler(t) or t.word in phrases.wishing.film_words)]
    known = key in phrases.genres or key in phrases.eras or key in phrases.adventurousness
    ends = words[0] in telling and words[-1] in telling
    # “Teen comedy” is a comedy for teens, but “cold war” no war film that is cold.
    others = [
        token for token in words if token.meant not in phrases.genres and token.word not in phrases.wishing.film_words
    ]
    of_genre = len(others) < len(words) and all(compact(t.meant) in tags or t.meant in phrases.eras for t in others)
    small = any(len(token.word) < _TELLING_LENGTH for token in (words[0], words[-1]))
    usual = key in phrases.wishing.usual or small
    return compact(key) in tags and ends and not (known or of_genre or usual)
