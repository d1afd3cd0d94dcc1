"""What is said of watching, wherever it stands in a message: `Cue`, `Cues`.

That somebody watched, that somebody did not, days, marks, what was thought: each is a few words that a template of the
language knows. Knows no films and no intents; whom and which film a cue is about is for others to say. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.conversation.grammar import Match, Token, cover
from bot.conversation.intents import Reaction
from bot.conversation.phrases import Phrases
from bot.conversation.ratings import stars_said

REACTIONS = {reaction.value: reaction for reaction in Reaction}
STRONG = frozenset(".!?\n;…")
"""Marks that end a sentence."""
_GAP_WORD = 1.2


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that say something of watching: `tokens[start:end]`, and what (`label`)."""

    label: str
    start: int
    end: int
    match: Match


class Cues:
    """The cues of a message, in their order."""

    def __init__(self, said: str, tokens: Sequence[Token], phrases: Phrases) -> None:
        self._said, self._tokens, self._phrases = said, tuple(tokens), phrases
        self._cues = tuple(self._found())

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
            every = dict.fromkeys(range(1, len(clause)), True)
            for part in cover(clause, self._phrases.cues, every, lambda _label: True, gap_word=_GAP_WORD):
                if isinstance(part, Match) and not self._is_vague(clause[part.start : part.end]):
                    moved = {n: tuple((start + a, start + b) for a, b in of) for n, of in part.captures.items()}
                    first, last = start + part.start, start + part.end
                    yield Cue(part.label, first, last, replace(part, start=first, end=last, captures=moved))
            start = end + 1

    def _is_vague(self, words: Sequence[Token]) -> bool:
        """“Before December's even started” is no day."""
        return len(words) == 1 and (
            words[0].word in self._phrases.no_days or (words[0].raw[:1].isupper() and words[0].mistyped is not None)
        )

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
        """Whether it is said by or of somebody else: “Kevin loved it”."""
        if cue.label not in REACTIONS or cue.start == 0:
            return False
        before = self._tokens[cue.start - 1]
        return any(other.label == "others" and other.end == cue.start for other in self._cues) or (
            before.word in self._phrases.third_persons
        )

    def is_denied(self, cue: Cue) -> bool:
        """Whether a “not” stands before it: “wednesday, not tuesday”."""
        before = self._tokens[max(0, cue.start - 2) : cue.start]
        return any(token.word in self._phrases.negations for token in before)

    def day(self, cue: Cue) -> str | None:
        """The words of the day that it tells, typing errors corrected."""
        spans = cue.match.captures.get("when") or cue.match.captures.get("just")
        if not spans:
            return None
        return " ".join(token.mistyped or token.raw for token in self._tokens[slice(*spans[0])])

    def rating(self, cue: Cue) -> float | None:
        """The mark that it tells, 0 to 5 stars."""
        spans = cue.match.captures.get("rating")
        if not spans or spans[0][0] >= spans[0][1]:
            return None
        start, end = spans[0]
        typed = self._said[self._tokens[start].start : self._tokens[end - 1].end]
        return stars_said(typed, self._phrases.numbers, self._phrases.half)
