"""What is said of watching, wherever it stands in a message: `Cue`, `Cues`.

That somebody watched, that somebody did not, days, marks, what was thought: each is a few words that a template of the
language knows. Knows no films and no intents; whom and which film a cue is about is for others to say. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.conversation.gist import opinions_for
from bot.conversation.grammar import Match, Token, cover
from bot.conversation.intents import Reaction
from bot.conversation.phrases import Phrases, number_of, word_key
from bot.conversation.ratings import stars_said

REACTIONS = {reaction.value: reaction for reaction in Reaction}
STRONG = frozenset(".!?\n;…")
"""Marks that end a sentence."""
_GAP_WORD = 1.2
_OPINION_SURE = 0.8
"""Probability from which a clause says what was thought, when no template does."""


_ENDED = frozenset({"abandoned", "rating", "disliked", "hated"})
"""Cues behind which what was begun was watched."""
_CHANGES = {"raised": 1.0, "lowered": -1.0}
"""Cues that change a mark."""
_FIRST_NUMBER = re.compile(r"\d+(?:[.,]\d+)?|\w+")
_NO_OPINIONS = frozenset({"when", "rating", "saw", "again", "rewatched", "company"})
_NOT_THOUGHT = frozenset({"others", "unreal", "passing", "nofilm", "not"})
"""Cues beside which nothing is said of what this person thought."""


Covered = tuple[Match | tuple[int, int], ...]


@dataclass(slots=True)
class Clauses:
    """What was found in clauses of one message already, by their tokens: its parts have clauses in common, and it has
    most of them in common with itself once more films are seen in it."""

    covered: dict[tuple[Token, ...], Covered] = field(default_factory=dict)
    thought: dict[tuple[Token, ...], str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that say something of watching: `tokens[start:end]`, and what (`label`)."""

    label: str
    start: int
    end: int
    match: Match


class Cues:
    """The cues of a message, in their order."""

    def __init__(self, said: str, tokens: Sequence[Token], phrases: Phrases, clauses: Clauses | None = None) -> None:
        """What is found in clauses is added to `clauses`."""
        self._said, self._tokens, self._phrases = said, tuple(tokens), phrases
        self._known = clauses or Clauses()
        found = _without_names(self._settled(list(self._found())), self._tokens)
        self._cues = tuple(sorted([*found, *self._opinions(found)], key=lambda cue: cue.start))

    def __iter__(self) -> Iterator[Cue]:
        return iter(self._cues)

    def __reversed__(self) -> Iterator[Cue]:
        return reversed(self._cues)

    def _found(self) -> Iterator[Cue]:
        """The cues of each clause: none reaches over a mark."""
        start = 0
        for end in range(len(self._tokens) + 1):
            if end < len(self._tokens) and not self._tokens[end].is_mark:
                continue
            clause = self._tokens[start:end]
            for part in self._covered(clause):
                opens = isinstance(part, Match) and start + part.start == 0 and not self._is_film(part.end)
                if isinstance(part, Match) and not self._is_vague(clause[part.start : part.end], opens=opens):
                    moved = {n: tuple((start + a, start + b) for a, b in of) for n, of in part.captures.items()}
                    first, last = start + part.start, start + part.end
                    yield Cue(part.label, first, last, replace(part, start=first, end=last, captures=moved))
            start = end + 1

    @staticmethod
    def _settled(found: Sequence[Cue]) -> list[Cue]:
        """The cues, those whose meaning others tell as what they mean: “started Troy, gave up” and “never seen it
        before” beside “watched”."""
        saw = any(cue.label == "saw" for cue in found)
        out: list[Cue] = []
        for number, cue in enumerate(found):
            label = cue.label
            if label == "begun":
                others = [other.label for other in found[number + 1 :]]
                ends = (place for place, other in enumerate(others) if other in {"saw", "begun"})
                label = "not" if _ENDED.isdisjoint(others[: next(ends, None)]) else "saw"
            elif label == "unseen":
                label = "company" if saw else "not"
            out.append(replace(cue, label=label))
        return out

    def _is_film(self, place: int) -> bool:
        """Whether a film stands there: “log Heat”."""
        return place < len(self._tokens) and self._tokens[place].is_film

    def _covered(self, clause: tuple[Token, ...]) -> Covered:
        if not clause:
            return ()
        known = self._known.covered
        if clause not in known:
            every = dict.fromkeys(range(1, len(clause)), True)
            known[clause] = cover(clause, self._phrases.cues, every, lambda _label: True, gap_word=_GAP_WORD)
        return known[clause]

    def _opinions(self, found: Sequence[Cue]) -> Iterator[Cue]:
        """What the clauses say was thought in which no template finds anything of the kind."""
        model = opinions_for(self._phrases.language)
        if model is None:
            return
        for said in self.clauses(found):
            words = tuple(self._tokens[place] for place in said)
            if words not in self._known.thought:
                odds = model.of(words)
                best = max(odds, key=lambda name: odds[name])
                self._known.thought[words] = best if best in REACTIONS and odds[best] >= _OPINION_SURE else None
            if thought := self._known.thought[words]:
                plain = [place for place in said if not self._tokens[place].is_film]
                yield Cue(thought, plain[0], plain[-1] + 1, Match(thought, plain[0], plain[-1] + 1, 0.0))

    def clauses(self, found: Sequence[Cue] | None = None) -> Iterator[list[int]]:
        """The words that may say what was thought, clause by clause: those of no cue, where there is none that tells
        it already."""
        found = self._cues if found is None else found
        for start, end in self._clauses():
            inside = [cue for cue in found if cue.start < end and cue.end > start]
            if start == 0 and end < len(self._tokens) and self._opens(self._tokens[:end]):
                continue
            if any(cue.label in REACTIONS or cue.label in _NOT_THOUGHT for cue in inside):
                continue
            told = {place for cue in inside if cue.label in _NO_OPINIONS for place in range(cue.start, cue.end)}
            places = [place for place in range(start, end) if place not in told]
            opens = start == 0 and all(self._tokens[place].word in self._phrases.openers for place in places)
            if not opens and any(self._may_judge(self._tokens[place]) for place in places):
                yield places

    def _may_judge(self, token: Token) -> bool:
        figure = token.word in self._phrases.numbers or token.word.isdigit()
        return not (token.is_film or figure or token.word in self._phrases.around.articles)

    def _clauses(self) -> Iterator[tuple[int, int]]:
        """The words between marks and joining words."""
        start = 0
        for end in range(len(self._tokens) + 1):
            token = self._tokens[end] if end < len(self._tokens) else None
            if token is None or token.is_mark or token.word in self._phrases.joins:
                if end > start:
                    yield start, end
                start = end + 1

    def _is_vague(self, words: Sequence[Token], *, opens: bool) -> bool:
        """“Before December's even started” is no day, and “ok so …” no opinion."""
        if opens and self._opens(words):
            return True
        mistyped = len(words) == 1 and words[0].raw[:1].isupper() and words[0].mistyped is not None
        return word_key(words) in self._phrases.no_days or mistyped

    def _opens(self, words: Sequence[Token]) -> bool:
        """Whether words only begin a message: “ok so”, “well”."""
        return all(token.word in self._phrases.openers for token in words)

    def has(self, *labels: str) -> bool:
        """Whether any of these is there."""
        return any(cue.label in labels for cue in self._cues)

    def at(self, place: int) -> Cue | None:
        """The cue that a word belongs to."""
        return next((cue for cue in self._cues if cue.start <= place < cue.end), None)

    def cover(self, start: int, stop: int) -> bool:
        """Whether words lie within one cue."""
        return any(cue.start <= start and stop <= cue.end for cue in self._cues)

    def is_of_others(self, cue: Cue) -> bool:
        """Whether it is said by somebody else or of something else: “Kevin loved it”."""
        if cue.label not in REACTIONS and cue.label not in {"rating", "abandoned"}:
            return False
        if any(other.label == "others" and other.end == cue.start for other in self._cues):
            return True
        place = cue.start
        while place and not (self._tokens[place - 1].is_mark or self._tokens[place - 1].word in self._phrases.joins):
            place -= 1
        told = (other.end for other in self._cues if other.label == "passing" and place <= other.start < cue.start)
        if any(not any(token.is_film for token in self._tokens[end : cue.start]) for end in told):
            return True  # “the trailer made it look awful”
        words = [token.word for token in self._tokens[place : cue.start + 1]]
        every = self._phrases.pointing.each_of  # “all liked it” is of others, “liked all of them” is not
        subjects = words[:1] + [word for word in words[1:] if word not in every]
        subject = next((word for word in subjects if word in self._phrases.persons), "")
        return subject in self._phrases.people.third_persons

    def is_denied(self, cue: Cue) -> bool:
        """Whether a “not” stands before it: “wednesday, not tuesday”."""
        for token in reversed(self._tokens[max(0, cue.start - 2) : cue.start]):
            if token.is_mark:
                return False
            if token.word in self._phrases.negations:
                return True
        return False

    def day(self, cue: Cue) -> str | None:
        """The words of the day that it tells, typing errors corrected; behind “the day after”, those of the day told
        before."""
        spans = cue.match.captures.get("when") or cue.match.captures.get("just")  # “just back from”
        if not spans:
            return None
        words = " ".join(token.mistyped or token.raw for token in self._tokens[slice(*spans[0])])
        if word_key(self._tokens[slice(*spans[0])]) not in self._phrases.days_beside:
            return words
        earlier = [day for other in self._cues if other.start < cue.start and (day := self.day(other))]
        return f"{words} {earlier[-1]}" if earlier else words

    def change(self, cue: Cue) -> float | None:
        """The stars by which it raises or lowers a mark."""
        spans = cue.match.captures.get("amount")
        if not spans or cue.label not in _CHANGES:
            return None
        told = [token.word for token in self._tokens[slice(*spans[0])]]
        return _CHANGES[cue.label] * (
            0.5 if self._phrases.half in told else number_of(told[0], self._phrases.numbers) or 1
        )

    def rating(self, cue: Cue, number: str = "") -> float | None:
        """The mark that it tells, 0 to 5 stars; or that of a number on its scale."""
        spans = cue.match.captures.get("rating")
        if not spans or spans[0][0] >= spans[0][1]:
            return None
        start, end = spans[0]
        typed = self._said[self._tokens[start].start : self._tokens[end - 1].end]
        if number:
            typed = _FIRST_NUMBER.sub(number, typed, count=1)
        return stars_said(typed, self._phrases.numbers, self._phrases.half)


def _without_names(found: Sequence[Cue], tokens: Sequence[Token]) -> list[Cue]:
    """Without days that are films: “yesterday I watched Yesterday” tells a day already."""
    verbs = {cue.end for cue in found if cue.label == "saw"}
    days = sum(cue.label == "when" for cue in found)
    return [
        cue
        for cue in found
        if not (cue.label == "when" and days > 1 and cue.start in verbs and tokens[cue.start].raw[:1].isupper())
    ]
