"""Films named anywhere in a message: `spotted` puts the words of each name together as one token.

What is a name is for the catalogue to say, and whether the words mean the film here for how they were typed: in quotes,
with capitals, or so that they are nothing else. A name of everyday words in lower case (“heat”, “up”, “the end”) is
left as it is: only where a film must stand it means one, and that is for those who read the sentence. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.conversation.grammar import Token
from bot.conversation.phrases import Phrases, number_of
from engine.names import Standing
from engine.titles import Link, Named

MAX_FILMS = 60
"""Names that are put together in one message."""
_FIGURES = re.compile(r"\d+[-/.]\d+(?:[-/.]\d+)?|\d+%|[★☆⭐½]+")
"""Days and marks in figures, which are no names."""
_QUOTES = frozenset("\"“”„«»‘’'*_")
_ENDS = frozenset(".!?\n:;—–-(")
_LONG = 4
"""Words from which a name is one though all of its words are everyday ones: “ten things i hate about you”."""
_WRITTEN = 3
"""Words with capitals that are the name of a film even when nobody has rated it."""
_NAMED_FROM = 20
"""Ratings from which a word with a capital may be the name of a film."""
_SHOUTED = 0.6
"""Share of letters in capitals from which capitals tell nothing."""


class Titles(Protocol):
    """What is needed of the catalogue's title index."""

    def named_in(self, pieces: Sequence[str]) -> list[Named]:
        """Every name of a film in some pieces of a text."""

    def is_known(self, ratings: int) -> bool:
        """Whether a film rated so often is known to people."""

    def slip_around(self, words: Sequence[str], place: int) -> tuple[int, int] | None:
        """The span of some words, around one of them, that is a well-known film's name with slips in it."""

    def is_famous(self, ratings: int) -> bool:
        """Whether nearly everybody knows it."""

    def link(self, text: str, *, year: int | None = None) -> Link:
        """The film that a text names."""

    def is_name(self, text: str) -> bool:
        """Whether a text is a name just as it stands, or part of one."""

    def told_elsewhere(self, title: str, names: str, pointing: str) -> str | None:
        """The film of an ambiguous name, as its title with its year, that is told by people named in a text, else by
        words that point at it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What of the catalogue one must know to understand: its names, and the words of wishes: its tags and well-known
    people (without case, spaces and hyphens)."""

    titles: Titles
    tags: frozenset[str]


def spotted(tokens: Sequence[Token], phrases: Phrases, titles: Titles) -> tuple[Token, ...]:
    """The tokens, with the words of each film's name as one."""
    said = _Said(tokens, phrases, titles)
    chosen = _apart((said.weight(named), named.start, named.end) for named in said.names())
    return as_films(tokens, [_with_part(span, tokens, phrases) for span in chosen[:MAX_FILMS]])


def _with_part(span: tuple[int, int], tokens: Sequence[Token], phrases: Phrases) -> tuple[int, int]:
    """A name with the number of a part that no film of that name has: “Dune part two”, “the second Dune” are not
    *Dune*."""
    start, end = span
    before, following = [
        [token.word for token in near] for near in (tokens[max(0, start - 2) : start], tokens[end : end + 2])
    ]
    if len(following) == 2 and following[0] in phrases.around.parts and number_of(following[1], phrases.numbers):
        return start, end + 2
    if len(before) == 2 and before[0] in phrases.around.articles and phrases.ordinals.get(before[1], 0) > 1:
        return start - 1, end
    return span


def as_films(tokens: Sequence[Token], spans: Iterable[tuple[int, int]]) -> tuple[Token, ...]:
    """The tokens, with the words of each span as one that is a film. Spans are in order and do not overlap."""
    out: list[Token] = []
    place = 0
    for start, end in spans:
        out += tokens[place:start]
        inside = tokens[start:end]
        word = " ".join(token.word for token in inside if not token.is_mark)
        first, last = inside[0], inside[-1]
        out.append(
            replace(first, raw="".join(t.raw for t in inside), word=word, end=last.end, mistyped=None, is_film=True)
        )
        place = end
    return (*out, *tokens[place:])


def is_no_name(tokens: Sequence[Token], phrases: Phrases) -> bool:
    """Whether words are plainly something else than a film: figures of a day or a mark, somebody's uncle."""
    if any(_FIGURES.fullmatch(token.raw) for token in tokens):
        return True
    words = [token for token in tokens if not token.is_mark]
    return len(words) == 2 and words[0].word in phrases.people.others_begin and words[0].raw.islower()


def _apart(weighed: Iterable[tuple[float, int, int]]) -> list[tuple[int, int]]:
    """The spans that do not overlap, the weightiest first, in their order; those that weigh nothing are left out."""
    taken: list[tuple[int, int]] = []
    for weight, start, end in sorted(weighed, key=lambda one: (-one[0], one[1])):
        if weight > 0 and all(end <= other or start >= stop for other, stop in taken):
            taken.append((start, end))
    return sorted(taken)


class _Said:
    """One message, and how its words were typed."""

    def __init__(self, tokens: Sequence[Token], phrases: Phrases, titles: Titles) -> None:
        self._tokens, self._phrases, self._titles = tokens, phrases, titles
        self._around = phrases.around
        letters = [c for token in tokens for c in token.raw if c.isalpha()]
        self._shouts = sum(c.isupper() for c in letters) > _SHOUTED * max(1, len(letters))

    def names(self) -> list[Named]:
        """All names, those before an “'s” too: “Fargo's the one”."""
        pieces = [token.raw for token in self._tokens]
        found = self._titles.named_in(pieces)
        bare = [piece[:-2] if piece[-2:].casefold() in {"'s", "’s"} else piece for piece in pieces]
        if bare != pieces:
            known = {(one.start, one.end) for one in found}
            ends = {place + 1 for place, piece in enumerate(pieces) if bare[place] != piece}
            found += [
                one for one in self._titles.named_in(bare) if one.end in ends and (one.start, one.end) not in known
            ]
        return found

    def weight(self, named: Named) -> float:
        """How surely the words mean the film; 0: they may mean anything."""
        words = [token for token in self._tokens[named.start : named.end] if not token.is_mark]
        size = len(words)
        if is_no_name(self._tokens[named.start : named.end], self._phrases):
            return 0.0
        known = self._titles.is_known(named.ratings)
        part = named.standing >= Standing.PART
        if self._quoted(named):
            return 2.0 * size + 1 if named.ratings and (known or not part) else 0.0
        before = self._tokens[named.start - 1].word if named.start else ""
        if before in self._around.before_days and " ".join(w.word for w in words) in self._around.festivals:
            return 0.0
        after = self._tokens[named.end].word if named.end < len(self._tokens) else ""
        last = words[-1].word
        if after in self._around.units and size > 1 and (last.isdigit() or last in self._phrases.numbers):
            return 0.0  # “Jaws two years ago”
        capitals = self._capitals(named, words)
        usual = all(self._is_usual(word) for word in words)
        if words[0].word in self._around.saw and size > 1 and before not in self._around.saw:
            return 0.0  # “saw 3 Idiots”
        if named.standing is Standing.SHORT:
            return self._weight_of_short(named, words)
        if {word.word for word in words} <= self._around.sequel | self._around.articles:
            return 0.0
        if size == 1:
            return self._weight_of_word(named, words[0], capitals=capitals, usual=usual)
        if usual and size < _LONG:
            return float(size) if (capitals or self._is_watched(named, words)) and known and not part else 0.0
        if part:
            telling = named.rare or size > 2 or self._titles.is_famous(named.ratings)
            return float(size) - 0.2 if known and telling else 0.0
        if known:
            return float(size)
        written = capitals and size >= _WRITTEN and not part
        return float(size) - 0.5 if written or (named.ratings and (capitals or size > 3)) else 0.0

    def _weight_of_short(self, named: Named, words: Sequence[Token]) -> float:
        """The same for words out of a longer name: those at its ends have to tell something, and one alone has to stand
        where a name does."""
        last = words[-1].word
        if self._is_usual(words[0]) or (self._is_usual(words[-1]) and last not in self._around.day_names):
            return 0.0
        if last in self._around.units:
            return 0.0
        if len(words) > 1:
            famous = len(words) > 2 or self._titles.is_famous(named.ratings)
            return len(words) - 0.5 if famous else 0.0
        before = next((t for t in reversed(self._tokens[: named.start]) if t.word not in self._around.articles), None)
        leads = before is None or before.raw in _ENDS or before.word in self._around.saw
        return 0.8 if leads and words[0].mistyped is None else 0.0

    def _weight_of_word(self, named: Named, word: Token, *, capitals: bool, usual: bool) -> float:
        """The same for a name of one word, which may be anybody's word."""
        if word.word.isdigit() or len(word.word) < 2 or word.word in self._around.everyday | self._around.day_names:
            return 0.0
        if self._is_somebody(named):
            return 0.0
        if capitals and named.standing < Standing.PART and named.ratings >= _NAMED_FROM:
            return 1.0
        plain = not usual and word.mistyped is None and self._titles.is_famous(named.ratings)
        if not usual and self._is_alone(named) and named.standing is Standing.NAME:
            return 0.9 if self._titles.is_known(named.ratings) else 0.0  # “RRR!!!!”
        return 0.9 if plain and (named.rare or named.standing is Standing.NAME) else 0.0

    def _is_watched(self, named: Named, words: Sequence[Token]) -> bool:
        """Whether a verb leads to a famous name of several everyday words: “watched toy story three”."""
        before = self._tokens[named.start - 1].word if named.start else ""
        several = sum(word.word not in self._around.articles for word in words) > 1
        return several and before in self._around.saw and self._titles.is_famous(named.ratings)

    def _is_somebody(self, named: Named) -> bool:
        """Whether a word is a first name: “with amanda seyfried”."""
        before, after = self._tokens[named.start - 1 : named.start], self._tokens[named.end : named.end + 1]
        people = bool(before) and before[0].word in self._around.before_people
        return people and bool(after) and not (after[0].is_mark or self._is_usual(after[0]))

    def _quoted(self, named: Named) -> bool:
        before = self._tokens[named.start - 1].raw if named.start else ""
        after = self._tokens[named.end].raw if named.end < len(self._tokens) else ""
        return bool(before and after) and before in _QUOTES and after in _QUOTES

    def _capitals(self, named: Named, words: Sequence[Token]) -> bool:
        """Whether the words are written as a name; the first word of a sentence always is."""
        if self._shouts:
            return False
        big = [word.raw[:1].isupper() or word.raw[:1].isdigit() for word in words]
        if len(words) > 1:
            return big[0] and big[-1] and any(word.raw[:1].isupper() for word in words)
        begins = named.start == 0 or self._tokens[named.start - 1].raw in _ENDS
        beside = [self._tokens[place] for place in (named.start - 1, named.end) if 0 <= place < len(self._tokens)]
        shouted = words[0].raw.isupper() and any(t.raw.isupper() and len(t.raw) > 1 for t in beside)
        return big[0] and not begins and not shouted

    def _is_alone(self, named: Named) -> bool:
        """Whether a name is a whole sentence."""
        begins = named.start == 0 or self._tokens[named.start - 1].raw in _ENDS
        return begins and named.end < len(self._tokens) and self._tokens[named.end].raw in _ENDS

    def _is_usual(self, word: Token) -> bool:
        """Whether a word is one that phrases are made of."""
        return word.word in self._phrases.usual
