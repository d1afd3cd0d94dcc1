"""Which film of a message each day, mark and reaction is about: `NamedFilm`, `Description`.

People say it before a film (“Monday: Dune”), behind it (“Dune (loved it)”), for all of a list at once, in the same
order (“4 and 5 stars”), or by pointing back (“the first one”, “the latter”, “Piku I loved”). Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.conversation.cues import REACTIONS, Cue, Cues
from bot.conversation.grammar import Token
from bot.conversation.intents import Reaction, State
from bot.conversation.phrases import Phrases, number_of

_LEADING = frozenset({"abandoned", "rewatched"})
"""Verbs that are about the film right behind them: “gave up on Troy”."""
_NEAR = 3
"""Words between a film and an “again” that is about it."""
_FIELDS = ("when", "rating", "reaction", "state")
_FIELD_OF = {
    "when": "when",
    "rating": "rating",
    "again": "state",
    "rewatched": "state",
    "abandoned": "state",
    **dict.fromkeys(REACTIONS, "reaction"),
}
"""What each kind of cue tells."""


@dataclass(slots=True)
class NamedFilm:
    """A film in the message: its words, from the first to the last that tell which it is, and what is said of it."""

    start: int
    end: int
    text: str = ""
    """What it is called, where that is not just these words."""
    when: str | None = None
    rating: float | None = None
    reaction: Reaction | None = None
    state: State | None = None


class Description:
    """The films of one message being given what is said of each."""

    def __init__(
        self,
        films: Sequence[NamedFilm],
        cues: Cues,
        tokens: Sequence[Token],
        sentences: Sequence[int],
        phrases: Phrases,
        is_small: Callable[[Token], bool],
    ) -> None:
        """`sentences`: the number of each token's sentence; `is_small`: whether a word may stand in a list of films
        without saying anything."""
        self._films = sorted(films, key=lambda film: film.start)
        self._cues, self._tokens, self._sentences = cues, tokens, sentences
        self._phrases, self._pointing, self._is_small = phrases, phrases.pointing, is_small
        self._telling = [
            cue
            for cue in cues
            if (cue.label in _FIELD_OF or self._cues.day(cue))
            and not cues.is_of_others(cue)
            and not any(film.start <= cue.start < film.end for film in films)
            and not self._is_beforehand(cue)
        ]

    def give(self) -> None:
        """Direct ones first, then what holds for several, then what is left for those of whom nothing was said."""
        later: list[tuple[Sequence[NamedFilm], Cue]] = []
        before: list[tuple[NamedFilm, Cue]] = []
        behind: list[tuple[NamedFilm, Cue]] = []
        in_turn = self._in_turn()
        topic: tuple[Sequence[NamedFilm], int] = ((), 0)
        dated = False
        for cue in [cue for cue in self._telling if cue not in in_turn]:
            if pointed := self._pointed_at(cue) or self._goes_on(cue, *topic):
                for film in pointed:
                    self._note(film, cue, again=True)
                topic, dated = (pointed, cue.end), dated or cue.label == "when"
                continue
            owner = self._owner(cue)
            if owner is None:
                later.append((self._nearest(cue), cue))
                continue
            self._note(owner, cue)
            (before if owner.start >= cue.end else behind).append((owner, cue))
        self._carry(before, behind)
        for group, cue in later:
            for film in group:
                if getattr(film, _FIELD_OF.get(cue.label, "when")) is None:
                    self._note(film, cue)
        days = {film.when for film in self._films if film.when is not None}
        if len(days) == 1 and not dated:  # a day told once holds for the whole message
            for film in self._films:
                film.when = film.when or min(days)

    def _is_beforehand(self, cue: Cue) -> bool:
        """Whether it judges something else before any film is named: “I was in a terrible mood. Then I put on …”."""
        if cue.label not in REACTIONS or not self._films or self._sentences[cue.start] >= self._first_sentence():
            return False
        start, end = self._clause(cue)
        said = {token.word for token in (*self._tokens[start : cue.start], *self._tokens[cue.end : end])}
        return not said <= self._phrases.openers | self._phrases.people.oneself | self._pointing.pointers

    def _first_sentence(self) -> int:
        return self._sentences[self._films[0].start]

    def _goes_on(self, cue: Cue, pointed: Sequence[NamedFilm], end: int) -> Sequence[NamedFilm]:
        """The films pointed at before that it goes on about in the same sentence: “the first was better, 4 stars”."""
        if not pointed or len(pointed) == len(self._films) or self._sentences[end - 1] != self._sentences[cue.start]:
            return ()
        return () if any(end <= film.start < self._clause(cue)[1] for film in self._films) else pointed

    def points_at_some(self) -> bool:
        """Whether anything is said of some of the films that words point at."""
        return any(0 < len(self._pointed_at(cue)) < len(self._films) for cue in self._telling)

    # Whose a cue is

    def _here(self, cue: Cue) -> list[NamedFilm]:
        """The films of its sentence."""
        return [film for film in self._films if self._sentences[film.start] == self._sentences[cue.start]]

    def _owner(self, cue: Cue) -> NamedFilm | None:
        """The one film that it stands beside; None when it may be about several."""
        here = self._here(cue)
        before = [film for film in here if film.end <= cue.start]
        following = [film for film in here if film.start >= cue.end]
        if before and self._is_bracketed(cue, before[-1]):
            return before[-1]
        if following and self._leads(cue, following[0]):
            return following[0]
        return before[-1] if before else None

    def _leads(self, cue: Cue, film: NamedFilm) -> bool:
        """Whether it stands right before a film and is about it: “loved Moonstruck”; “monday: Dune” where each day has
        its own."""
        between = self._tokens[cue.end : film.start]
        near = all((self._is_small(t) or t.word in self._pointing.given_to) and not t.is_mark for t in between)
        if cue.label in _LEADING:
            return near
        if cue.label in REACTIONS or (
            cue.label == "rating" and any(t.word in self._pointing.given_to for t in between)
        ):
            start, _ = self._clause(cue)
            return near and not any(start <= one.start < cue.start for one in self._films)
        days = [one for one in self._telling if one.label == "when"]
        each = len(days) > 1 and len(self._films) > 1 and days[0].end <= self._films[0].start
        return (
            cue.label == "when"
            and each
            and not any(other.start >= cue.end and other.end <= film.start and other.label == "when" for other in days)
        )

    def _is_bracketed(self, cue: Cue, film: NamedFilm) -> bool:
        """Whether it stands in brackets right behind a film."""
        opened = [place for place in range(film.end, cue.start) if self._tokens[place].raw == "("]
        return bool(opened) and not any(self._tokens[place].raw == ")" for place in range(opened[-1], cue.start))

    def _nearest(self, cue: Cue) -> Sequence[NamedFilm]:
        """The films that it may be about when none stands before it in its sentence: all of that sentence, or of the
        last one that has any."""
        if here := self._here(cue):
            days = [one for one in self._telling if one.label == "when" and one.start > cue.start]
            if cue.label == "when" and days and self._here(days[0]) == here:
                return [film for film in here if film.end <= days[0].start] or here
            return here
        earlier = {self._sentences[film.start] for film in self._films if film.end <= cue.start}
        if not earlier:
            return self._films
        return [film for film in self._films if self._sentences[film.start] == max(earlier)]

    # Pointing back

    def _pointed_at(self, cue: Cue) -> list[NamedFilm]:
        """The films that words beside it point at: “the first one”, “the latter”, “both”, “the rest”, a part of a
        name; none when none do."""
        if len(self._films) < 2:
            return []
        start, end = self._clause(cue)
        words = self._tokens[start:end]
        if any(film.start < end and film.end > start for film in self._films):
            # “Alien was the better one”: a film of its own stands there; only “both” reaches further.
            return list(self._films) if self._says_all(cue) else []
        if self._says_all(cue):
            return [film for film in self._films if film.end <= cue.start] or list(self._films)
        if any(token.word in self._pointing.other_ones for token in words):
            field = _FIELD_OF.get(cue.label, "when")
            return [film for film in self._films if getattr(film, field) is None]
        for place in (*range(cue.start - 1, start - 1, -1), *range(cue.start, end)):
            token = self._tokens[place]
            number = self._phrases.pointing_back.get(token.word)
            if number is not None and self._cues.at(place) in (None, cue) and self._follows_well(place, end):
                counted = place + 1 < end and self._cues.at(place + 1) is None
                return self._films_at(number, self._tokens[place + 1] if counted else None)
        named = [film for film in self._films if self._part_of_name(film, words)]
        return named if len(named) == 1 else []

    def _films_at(self, number: int, following: Token | None) -> list[NamedFilm]:
        """The film at a place of those that were named, from the end when it is below 0; “the first two” are two."""
        count = number_of(following.word, self._phrases.numbers) if following else None
        if count and count > 1 and number in {1, -1}:
            return self._films[:count] if number == 1 else self._films[-count:]
        number = len(self._films) + number if number < 0 else number - 1
        return [self._films[number]] if 0 <= number < len(self._films) else []

    def _clause(self, cue: Cue) -> tuple[int, int]:
        """The words around it up to the next marks, joining words and cues of its kind."""
        start, end = cue.start, cue.end
        while start and not self._ends_clause(start - 1, cue):
            start -= 1
        while end < len(self._tokens) and not self._ends_clause(end, cue):
            end += 1
        return start, end

    def _ends_clause(self, place: int, cue: Cue) -> bool:
        token = self._tokens[place]
        other = self._cues.at(place)
        same = other is not None and _FIELD_OF.get(other.label) == _FIELD_OF.get(cue.label)
        return (token.is_mark and token.raw not in "'’:-") or token.word in self._phrases.joins or same

    def _says_all(self, cue: Cue) -> bool:
        """Whether it is said of all of them: “loved both”, “all great”."""
        start, end = self._clause(cue)
        named = any(film.start < end and film.end > start for film in self._films)
        near = self._tokens[max(0, cue.start - 2) : cue.end + 1] if named else self._tokens[start:end]
        return any(token.word in self._pointing.each_of for token in near)

    def _follows_well(self, place: int, end: int) -> bool:
        """Whether an ordinal stands for a film: “the first was”, “the second one”, but not “the first time”."""
        following = self._tokens[place + 1] if place + 1 < end else None
        return (
            following is None
            or following.is_mark
            or following.word in self._pointing.after_pointing
            or (self._cues.at(place + 1) is not None)
        )

    def _part_of_name(self, film: NamedFilm, words: Iterable[Token]) -> bool:
        """Whether words are a part of a film's name that is no everyday word: “NIMH: B+”."""
        name = {word for token in self._tokens[film.start : film.end] for word in token.word.split()}
        said = {token.word for token in words if not token.is_mark}
        return any(word in name and word not in self._phrases.usual and len(word) > 2 for word in said)

    # Several at once

    def _in_turn(self) -> list[Cue]:
        """Marks that stand behind a list of films, as many as there are: each film gets its own. Those that were
        given."""
        cues = [cue for cue in self._telling if cue.label == "rating"]
        if len(self._films) < 2 or not cues or any(self._pointed_at(cue) for cue in cues):
            return []
        marks = [mark for cue in cues for mark in (*self._before_mark(cue), self._cues.rating(cue))]
        if len(marks) != len(self._films) or cues[0].start < self._films[-1].end:
            return []
        for film, mark in zip(self._films, marks, strict=True):
            film.rating = mark
        return cues

    def _before_mark(self, cue: Cue) -> list[float | None]:
        """The marks before a mark that leave its scale to it: “4, 3 and 5 stars”."""
        marks: list[float | None] = []
        for place in range(cue.start - 1, -1, -1):
            token = self._tokens[place]
            if token.word in self._phrases.numbers or token.word.isdigit():
                marks.insert(0, self._cues.rating(cue, token.word))
            elif not (token.raw == "," or token.word in self._phrases.joins | self._phrases.around.articles):
                break
        return marks

    def _carry(self, before: Sequence[tuple[NamedFilm, Cue]], behind: Sequence[tuple[NamedFilm, Cue]]) -> None:
        """The day, the mark and the manner behind the last film of a list hold for those that it is joined to, of whom
        nothing is said; the day, the reaction and the manner before its first for those behind it."""
        joined = [(one, other) for one, other in pairwise(self._films) if self._are_joined(one, other)]
        empty = [film for film in self._films if all(getattr(film, field) is None for field in _FIELDS)]
        for film, cue in behind:
            for one, other in reversed(joined):
                if other is film and one in empty and cue.label not in REACTIONS:
                    self._note(one, cue)
                    film = one
        for film, cue in before:
            for one, other in joined:
                if one is film and cue.label != "rating" and getattr(other, _FIELD_OF[cue.label]) is None:
                    self._note(other, cue)
                    film = other

    def _are_joined(self, before: NamedFilm, film: NamedFilm) -> bool:
        between = self._tokens[before.end : film.start]
        same = self._sentences[before.start] == self._sentences[film.start]
        return same and all(self._is_small(token) and token.raw not in "()" for token in between)

    # Noting

    def _note(self, film: NamedFilm, cue: Cue, *, again: bool = False) -> None:
        if film.when is None or (again and cue.label == "when"):
            film.when = self._cues.day(cue) or film.when
        if cue.label == "rating":
            rating = self._cues.rating(cue)
            film.rating = rating if rating is not None else film.rating
        elif cue.label in REACTIONS:
            film.reaction = REACTIONS[cue.label]
        elif cue.label in {"again", "rewatched"} and film.state is None:
            near = cue.label == "rewatched" or (
                min(abs(cue.start - film.end), abs(film.start - cue.end)) <= _NEAR
                and not any(other.label == "not" and film.end <= other.start < cue.start for other in self._cues)
            )
            film.state = State.REWATCH if near else None
        elif cue.label == "abandoned":
            film.state = State.ABANDONED
