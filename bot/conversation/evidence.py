"""What a message holds wherever it stands in it, for messages that no phrase reads as a whole.

`Evidence` finds the cues of a language in any sentence (that somebody watched, that somebody did not, days, marks, what
was thought), says of each film whether this person watched it, and puts the watches together. What a message is about
at large is decided before, by `gist`. Pure functions; knows films only as names that the title index knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bot.conversation.cues import REACTIONS, STRONG, Clauses, Cue, Cues
from bot.conversation.details import Description, NamedFilm
from bot.conversation.gist import THIS, features_around, watched_for
from bot.conversation.grammar import Token, plain
from bot.conversation.intents import LogWatches, NotWatched, React, State
from bot.conversation.phrases import Phrases, number_of
from bot.conversation.spotting import Titles, as_films, is_no_name, spotted
from bot.conversation.zones import place_in
from engine.names import Standing, loose_key
from engine.titles import Certainty, Named

_MAX_OBJECT = 9
"""Words behind a verb that may be one title."""
_POINTING_WORDS = 3
"""Words that mean a film named before: “the whole thing”."""
_MAX_LINKS = 4
"""Titles that are compared letter by letter in one message."""
_SEVERAL, _SURE_OF_SEVERAL = 3, 0.7
"""Words of a longer name that are enough to mean it, and the similarity that they have at least."""
_EXACT = 0.98
_MOST_PARTS = 5
"""Number of a part up to which a figure behind a name is one rather than a mark."""
_MAX_PERSON = 3
"""Words of somebody's name beside a film."""
_MOST_STRANGE, _STRANGE_LENGTH, _AROUND = 3, 4, 5
"""Words that are looked at for slips, the letters that they have at least, and the words on either side that may belong
to the same name."""
_LONG = 4
"""Words from which a name of everyday words is one."""
_SURE, _LONGER = 0.86, 0.05
"""Similarity from which a misspelt name is one, and what each of its words is worth beside it."""
_QUOTES = frozenset("\"“”„«»'‘’")
_WEAK = frozenset(',:—–-()/"“”+=&')
_ENDING = frozenset(".!?…")
"""Marks that stand in no list of films."""
_PARTING = frozenset(",&+():/")
"""Marks that part a list."""
_POSITIVE = frozenset({"saw", "rewatched", "abandoned", "loved", "liked", "fine", "disliked", "hated"})
_VERBS = frozenset({"saw", "rewatched", "abandoned"})
"""Cues behind which a film is named."""
_EVEN = 0.5
_DOUBTED, _LIKELY = 0.3, 0.9
"""Odds that this person watched a film below which a watch that cues tell is asked about, and from which one is told
that no verb leads to."""
_DETAILS = frozenset({"when", "rating", "again", "rewatched", "abandoned", *REACTIONS})
_NEGATIVE = frozenset({"not", "others", "unreal", "passing", "nofilm"})
_KINDS = {
    "unreal": NotWatched.HYPOTHETICAL,
    "others": NotWatched.OTHERS,
    "not": NotWatched.NEGATION,
}


def read_films(
    said: str, tokens: Sequence[Token], phrases: Phrases, titles: Titles
) -> tuple[tuple[Token, ...], Evidence]:
    """The tokens with the films in them as one each, those of everyday words too where a verb leads to them; and what
    the message holds."""
    named = spotted(tokens, phrases, titles)
    evidence = Evidence(said, named, phrases, titles)
    for found in (Evidence.behind_verbs, Evidence.misspelt):
        if spans := found(evidence):
            named = as_films(named, spans)
            evidence = Evidence(said, named, phrases, titles, evidence.clauses)
    return named, evidence


class Evidence:
    """A message read for what it holds."""

    def __init__(
        self,
        said: str,
        tokens: Sequence[Token],
        phrases: Phrases,
        titles: Titles,
        clauses: Clauses | None = None,
        within: tuple[Evidence, int] | None = None,
    ) -> None:
        """`clauses`: those that this message and its parts have in common. `within`: the message that these tokens are
        a part of, and the place where it begins."""
        self._said, self._phrases, self._titles = said, phrases, titles
        self._within, self._odds = within, dict[tuple[int, int], float]()
        self._around, self._pointing, self._people, self._signs = (
            phrases.around,
            phrases.pointing,
            phrases.people,
            phrases.signs,
        )
        self.tokens = tuple(tokens)
        self.clauses = clauses or Clauses()
        self._cues = Cues(said, tokens, phrases, self.clauses)
        self._sentence = self._sentences()

    def _sentences(self) -> list[int]:
        """By token, the number of its sentence."""
        numbers, number = [], 0
        for place, token in enumerate(self.tokens):
            numbers.append(number)
            shortened = place > 0 and not self._around.shortened.isdisjoint(self.tokens[place - 1].word.split()[-1:])
            number += token.raw in STRONG and not (token.raw == "." and shortened)
        return numbers

    @property
    def skeleton(self) -> list[str]:
        """The cues, films and marks of the message in their order."""
        return self._skeleton()

    def _skeleton(self, this: tuple[int, int] = (-1, -1)) -> list[str]:
        """The same, with the film that stands there told from others."""
        begun = {cue.start: cue.label for cue in self._cues}
        within = {place for cue in self._cues for place in range(cue.start + 1, cue.end)}
        within |= set(range(this[0] + 1, this[1]))
        bones: list[str] = []
        for place, token in enumerate(self.tokens):
            if place == this[0]:
                bones.append(THIS)
            elif place in begun:
                bones.append(begun[place])
            elif token.is_film and place not in within:
                bones.append("film")
            elif token.raw in "?\n:":
                bones.append(token.raw)
            elif token.raw in STRONG:
                bones.append(".")
            elif token.is_mark and token.raw in '"“”':
                bones.append("quote")
            elif place not in within and (not bones or bones[-1] != "…"):
                bones.append("…")
        return bones

    def part(self, start: int, end: int) -> Evidence:
        """What some of the words hold."""
        tokens = self.tokens[start:end]
        return Evidence(self._said, tokens, self._phrases, self._titles, self.clauses, within=(self, start))

    def features(self, start: int, end: int) -> npt.NDArray[np.intp]:
        """What is seen of the film that stands there when it is judged whether this person watched it."""
        tokens = as_films(self.tokens, [(start, end)])
        everyday = all(word in self._phrases.usual for word in tokens[start].word.split())
        return features_around(tokens, start, self._skeleton((start, end)), everyday=everyday)

    def odds(self, start: int, end: int) -> float:
        """How likely it is that this person watched the film that stands there, all of the message read; even where
        the language has no model of it."""
        if self._within is not None:
            whole, first = self._within
            return whole.odds(first + start, first + end)
        model = watched_for(self._phrases.language)
        if (start, end) not in self._odds:
            self._odds[start, end] = model.of_rows(self.features(start, end))["yes"] if model else _EVEN
        return self._odds[start, end]

    def has(self, *labels: str) -> bool:
        """Whether any of these cues is there."""
        return self._cues.has(*labels)

    def is_told(self, place: int) -> bool:
        """Whether a word belongs to a cue."""
        return self._cues.at(place) is not None

    def tells_of_watching(self) -> bool:
        """Whether anything is said of watching, or of what was thought."""
        return self.has(*_POSITIVE, *_DETAILS)

    @property
    def films(self) -> list[Token]:
        """The films that are named as such."""
        return [token for token in self.tokens if token.is_film]

    def judgement(self, *, last: bool = False) -> React:
        """What was thought, the marks given and how it was watched, whatever it is about; said twice, the first holds,
        or the last. “Not 7” is no mark."""
        told = React()
        for cue in self._cues if not last else reversed(self._cues):
            if last and self._cues.is_denied(cue):
                continue
            if cue.label in REACTIONS and told.reaction is None and not self._cues.is_of_others(cue):
                told = replace(told, reaction=REACTIONS[cue.label])
            elif cue.label == "rating" and told.rating is None:
                told = replace(told, rating=self._cues.rating(cue))
            elif cue.label == "abandoned":
                told = replace(told, state=State.ABANDONED)
            elif cue.label in {"again", "rewatched"} and told.state is None:
                told = replace(told, state=State.REWATCH)
        return told

    def change(self) -> float | None:
        """The stars by which a mark is to be raised or lowered."""
        return next((by for cue in self._cues if (by := self._cues.change(cue)) is not None), None)

    def only_tells(self) -> bool:
        """Whether nothing is said but which film it was: “the Carpenter one”."""
        telling = self.telling_words()
        left = [t.word for t in self.tokens if not t.is_mark and t.word not in self._signs.correcting]
        return bool(telling) and all(word in plain(telling).split() for word in left)

    def told_by(self, label: str) -> set[int]:
        """The places of the words of cues of a kind."""
        return {place for cue in self._cues if cue.label == label for place in range(cue.start, cue.end)}

    def only_corrects(self, told: set[int]) -> bool:
        """Whether there is nothing beside the words at some places but what says that something is corrected."""
        return bool(told) and all(
            place in told or token.is_mark or token.word in self._signs.correcting
            for place, token in enumerate(self.tokens)
        )

    def when(self, *, last: bool = False) -> str | None:
        """The first day that is said, or the last."""
        days = [day for cue in self._cues if not (last and self._cues.is_denied(cue)) and (day := self._cues.day(cue))]
        return (days[-1] if last else days[0]) if days else None

    def bare_day(self) -> str | None:
        """The day of a month that stands alone: “the 6th, sorry”."""
        said = [token for token in self.tokens if not (token.is_mark or token.word in self._signs.correcting)]
        days = [token for token in said if token.word[:1].isdigit() and token.word in self._phrases.ordinals]
        return days[0].raw if days and len(said) == 1 else None

    def why_not(self) -> NotWatched:
        """Why films that are named were not watched by this person."""
        labels = [cue.label for cue in self._cues]
        first = next((token.word for token in self.tokens if token.word not in self._phrases.openers), "")
        if any(token.raw == "?" for token in self.tokens) or first in self._signs.questions:
            return NotWatched.QUESTION
        for label, kind in _KINDS.items():
            if label in labels:
                return kind
        return NotWatched.PASSING

    def meant(self) -> str:
        """The words of a correction that tell a film: “no, the remake”, “I meant Aliens”; none when it is about a
        day or a mark."""
        films = [place for place, token in enumerate(self.tokens) if token.is_film]
        if films:
            film = NamedFilm(films[-1], films[-1] + 1)
            self._widen(film)
            return film.text or self._raw(film.start, film.end)
        if self.has("when", "rating", "abandoned", "rewatched", *REACTIONS) and not self.telling_words():
            return ""
        return self.telling_words() or self._left()

    def telling_words(self) -> str:
        """“The 1953 one”, “the remake”; empty when nothing of the kind is said."""
        for place in range(len(self.tokens)):
            if self.tokens[place].word in self._around.articles:
                for stop in range(place + 1, min(place + 6, len(self.tokens))):
                    if self.tokens[stop].word in self._around.ends_telling:
                        if stop > place + 1 or self.tokens[stop].word in self._around.tells_apart:
                            return self._raw(place, stop + 1)
                        break
        return ""

    def _left(self) -> str:
        """The words behind those that only say that something is to be corrected."""
        places = [
            place
            for place, token in enumerate(self.tokens)
            if not token.is_mark and token.word not in self._signs.correcting
        ]
        return self._raw(places[0], places[-1] + 1) if places else ""

    def unspotted(self, *, exactly: bool = False) -> str | None:
        """Words that may be a film's name: those that no phrase is made of, in a row; `exactly`: only if a film is
        called so."""
        runs: list[tuple[int, int]] = []
        start = None
        for place in range(len(self.tokens) + 1):
            inside = (
                place < len(self.tokens)
                and not self.tokens[place].is_mark
                and (self.tokens[place].word not in self._phrases.usual and self.tokens[place].mistyped is None)
            )
            if inside and start is None:
                start = place
            elif not inside and start is not None:
                runs.append((start, place))
                start = None
        names = self._titles.named_in([token.raw for token in self.tokens])
        exact = [named for named in names if named.ratings and named.standing < Standing.PART]
        exact = [
            named
            for named in exact
            if not self.tokens[named.start].is_mark and self.tokens[named.start].word not in self._phrases.usual
        ]
        if exact:
            best = max(exact, key=lambda named: (named.end - named.start, named.ratings))
            return self._raw(best.start, best.end)
        if exactly or not runs:
            return None
        return self._raw(*max(runs, key=lambda run: run[1] - run[0]))

    def object_of_question(self) -> str | None:
        """The film of “have I seen Up”: a name at the end of the question that is no day."""
        last = len(self.tokens)
        while last and self.tokens[last - 1].is_mark:
            last -= 1
        for named in sorted(
            self._titles.named_in([token.raw for token in self.tokens[:last]]), key=lambda one: one.start
        ):
            ends = named.end == last and named.start > 0 and named.standing < Standing.PART
            pointer = self.tokens[named.start].word in self._pointing.pointers and named.end == named.start + 1
            if pointer and self.tokens[named.start].raw.islower():
                continue
            if ends and self._titles.is_known(named.ratings) and not self._cues.cover(named.start, named.end):
                before = self.tokens[named.start - 1].word
                if before in self._around.saw:
                    return self._raw(named.start, named.end)
        return None

    def unknown_object(self) -> LogWatches | None:
        """The watch of a film that no title is near: “saw The Brutalist yesterday”, written as a name right behind a
        verb."""
        for verb in self._cues:
            end = verb.end
            while end < len(self.tokens) and self._may_belong(end) and self.tokens[end].word not in self._phrases.joins:
                end += 1
            words = self.tokens[verb.end : end]
            written = bool(words) and words[0].raw[:1].isupper() and words[-1].raw[:1].isupper()
            if verb.label in _VERBS and self._is_own(verb) and written:
                film = NamedFilm(verb.end, end)
                self.describe([film])
                return next(iter(self._as_intents([film], set())))
        return None

    def object_of_denial(self) -> str:
        """The film of “gonna watch sorcerer with my dad”: a name right behind words that say that it was not watched;
        empty when there is none."""
        ends = [cue.end for cue in self._cues if cue.label == "not"]
        found = [film for end in ends for film in self._at(end, set(), roughly=False) if not self._is_everyday(film)]
        return self._raw(found[0].start, found[0].end) if found else ""

    def of_others(self) -> bool:
        """Whether it begins with somebody else: “my sister would only give it 2 stars”."""
        openers = self._phrases.openers
        first = next((token.word for token in self.tokens if not (token.is_mark or token.word in openers)), "")
        judged = [cue for cue in self._cues if cue.label in REACTIONS or cue.label == "rating"]
        if any(self._sentence[cue.start] for cue in judged):
            return False  # “Nobody warned me about the trousers. 4 stars.”
        return first in self._people.others_begin or first in self._people.third_persons

    def vetoes(self) -> bool:
        """Whether all that is said of the films speaks against a watch of this person's."""
        films = [NamedFilm(place, place + 1) for place, token in enumerate(self.tokens) if token.is_film]
        told = [self._told(film) for film in films]
        if told:
            return not any(one is not False for one in told)
        return self.has(*_NEGATIVE) and not self.has(*_POSITIVE)

    def has_own_verb(self) -> bool:
        """Whether this person says that they watched something."""
        return any(cue.label in _VERBS | {"done"} and self._is_own(cue) for cue in self._cues)

    def points_back(self) -> bool:
        """Whether a verb of this person's leads to words for the film named before: “too late, watched it”."""
        verbs = [cue for cue in self._cues if cue.label in _VERBS and self._is_own(cue)]
        return any(self._points_back(verb.end) for verb in verbs)

    def behind_verbs(self) -> list[tuple[int, int]]:
        """The words of films that this person's verbs lead to and that are no films yet: everyday words in lower
        case."""
        found: list[NamedFilm] = []
        for verb in self._cues:
            if verb.label in _VERBS and self._is_own(verb):
                found += self._at(verb.end, {one.start for one in found}, roughly=False)
        found = [film for film in found if not self._is_everyday(film)] + self._leading()
        spans = sorted((film.start, film.end) for film in found if not self.tokens[film.start].is_film)
        return [span for number, span in enumerate(spans) if not number or span[0] >= spans[number - 1][1]]

    def misspelt(self) -> list[tuple[int, int]]:
        """The words of known films' names that have a slip in them, around words that nothing explains."""
        spans: list[tuple[int, int]] = []
        strange = [place for place in range(len(self.tokens)) if self._is_strange(place)]
        for place in strange[:_MOST_STRANGE]:
            if spans and place < spans[-1][1]:
                continue
            if span := self._misspelt_at(place, spans[-1][1] if spans else 0):
                spans.append(span)
        return spans

    def _is_strange(self, place: int) -> bool:
        """Whether a word is none that phrases are made of, nor a part of anything that was understood."""
        token = self.tokens[place]
        plain = (
            not (token.is_mark or token.is_film) and token.mistyped is None and not any(map(str.isdigit, token.word))
        )
        known = token.word in self._phrases.usual or token.word in self._people.third_persons
        return plain and len(token.word) >= _STRANGE_LENGTH and not known and self._may_belong(place)

    def _misspelt_at(self, place: int, least: int) -> tuple[int, int] | None:
        """The span of a misspelt name that holds a word."""
        start, end = place, place + 1
        while start > least and place - start < _AROUND and self._may_belong(start - 1):
            start -= 1
        while end < len(self.tokens) and end - place <= _AROUND and self._may_belong(end):
            end += 1
        words = [(word, owner) for owner in range(start, end) for word in self.tokens[owner].word.split()]
        at = next(number for number, (_, owner) in enumerate(words) if owner == place)
        span = self._titles.slip_around([word for word, _ in words], at)
        if span is None:
            return None
        first, last = words[span[0]][1], words[span[1] - 1][1] + 1
        link = self._titles.link(self._raw(first, last))
        # One word that has no slip was left alone before, for it may be anybody's.
        slip = last - first > 1 or not link.matches or link.matches[0].similarity < _EXACT
        return (first, last) if slip and link.certainty is not Certainty.UNKNOWN else None

    def _may_belong(self, place: int) -> bool:
        cue = self._cues.at(place)
        opinion = cue is not None and cue.label in REACTIONS and self._is_written_as_name(place)  # “Good Felas”
        return not self.tokens[place].is_mark and (cue is None or opinion)

    def _is_written_as_name(self, place: int) -> bool:
        """Whether a word has a capital that no sentence gives it."""
        token = self.tokens[place]
        return token.raw[:1].isupper() and not token.raw.isupper() and not self._begins(place)

    def _is_everyday(self, film: NamedFilm) -> bool:
        """Whether a name is a word like “us” in lower case, which is asked about."""
        typed = self._raw(film.start, film.end)
        return typed.islower() and typed in self._around.everyday

    def _leading(self) -> list[NamedFilm]:
        """The name that the message begins with, when a mark or a day stands right behind it: “high and low ★★★★”."""
        begin = next((n for n, t in enumerate(self.tokens) if t.word not in self._phrases.openers), len(self.tokens))
        behind = next((cue for cue in self._cues if cue.start >= begin), None)
        stop = behind.start if behind else begin
        while stop > begin and self.tokens[stop - 1].raw in ",-–—:":
            stop -= 1
        words = self.tokens[begin:stop]
        if behind is None or behind.label not in {"when", "rating"} or not words or any(t.is_film for t in words):
            return []
        several = len(words) > 1 or behind.label == "rating" or words[0].raw[:1].isupper()
        return [NamedFilm(begin, stop)] if several and self._is_name(begin, stop) else []

    def tells_more(self, start: int, end: int) -> bool:
        """Whether words are more than a name: a day, a mark or an opinion is among them, or the end of a sentence."""
        inside = [cue for cue in self._cues if start <= cue.start and cue.end <= end]
        marks = [token for token in self.tokens[start : end - 1] if token.raw in _ENDING]
        return bool(marks) or any(cue.label in _DETAILS for cue in inside)

    def passes(self, start: int, end: int) -> bool:
        """Whether words tell something that is no film: a trailer, a season."""
        return any(cue.label == "passing" and start <= cue.start and cue.end <= end for cue in self._cues)

    def _is_firm(self, film: NamedFilm) -> bool:
        """Whether a watch of this person's is told plainly: a verb of theirs leads to the film, or a day, a mark or an
        “again” stands right behind it, and nothing in its sentence speaks against it; or a later verb points back at
        it, or it is to be logged. What was learned must not differ widely, and is enough where cues tell nothing."""
        odds = self.odds(film.start, film.end)
        named = self.tokens[film.start].is_film and not (self._is_one_word(film) and self._is_lower(film))
        if odds >= _LIKELY and named and self._told(film) is not False:
            return True
        told = self._is_told_by_verb(film) or self._is_told_by_detail(film)
        later = self._is_told_later(film) and not self._is_of_everyday_words(film)
        return (odds >= _DOUBTED and told) or later or self._is_to_be_logged(film)

    def _is_to_be_logged(self, film: NamedFilm) -> bool:
        """Whether nothing else is asked for: “can you mark Heat as watched?”, “add Heat to my diary”."""
        here = self._sentence[film.start]
        asked = any(
            cue.label == "logged" and cue.start >= film.end and self._sentence[cue.start] == here for cue in self._cues
        )
        return asked and all(
            token.is_film or self._is_small(token) or token.word in self._signs.logging
            for place, token in enumerate(self.tokens[: film.start])
            if self._sentence[place] == here
        )

    def _is_told_by_verb(self, film: NamedFilm) -> bool:
        here = self._sentence[film.start]
        before = [cue for cue in self._cues if self._sentence[cue.start] == here and cue.end <= film.start]
        verb = next((cue for cue in reversed(before) if cue.label in _VERBS), None)
        if verb is None or self._speaks_against(film) or not self._is_own(verb):
            return False
        if any(cue.label in _NEGATIVE for cue in before):
            return False
        leading = self.tokens[verb.start : film.start]
        if any(t.word in self._around.before_year for t in leading) and place_in([self._raw(film.start, film.end)]):
            return False  # “just back from Casablanca”
        begin = self._behind_announcement(verb.end, film.start)
        return all(
            self._is_small(self.tokens[place]) or self.tokens[place].is_film or self._is_beside(self._cues.at(place))
            for place in range(begin, film.start)
        )

    def _behind_announcement(self, start: int, stop: int) -> int:
        """Where a list begins that is announced behind a verb: “saw 2 films today: …”."""
        colon = next((place for place in range(start, stop) if self.tokens[place].raw == ":"), None)
        announced = colon is not None and all(
            token.word in self._phrases.wishing.film_words
            or number_of(token.word, self._phrases.numbers)
            or self._is_small(token)
            or self._is_beside(self._cues.at(start + place))
            for place, token in enumerate(self.tokens[start:colon])
        )
        return colon + 1 if announced and colon is not None else start

    @staticmethod
    def _is_beside(cue: Cue | None) -> bool:
        """Whether a cue may stand between a verb and its film: “seen with my wife the film Amour”."""
        return cue is not None and cue.label in {"company", "when", "again", "first"}

    def _is_own(self, verb: Cue) -> bool:
        """Whether nobody else stands before a verb: “Ebert watched …”."""
        if verb.start == 0 or any(token.word in self._people.oneself for token in self.tokens[verb.start : verb.end]):
            return True
        before = self.tokens[verb.start - 1]
        told = self._cues.at(verb.start - 1)
        return (
            before.is_mark
            or before.word in self._phrases.joins | self._phrases.openers
            or (told is not None and told.label in {"when", "again"})
        )

    def _is_anothers(self, verb: Cue) -> bool:
        """Whether somebody else stands before a verb in its clause: “everyone at work watched …”."""
        if self._is_own(verb):
            return False
        place = verb.start - 1
        before = self.tokens[place]
        if before.raw[:1].isupper() and before.word not in self._phrases.usual and not before.is_film:
            return True  # “Clara saw …”
        while place >= 0 and not (self.tokens[place].is_mark or self.tokens[place].word in self._phrases.joins):
            if self.tokens[place].word in self._people.third_persons:
                return True
            place -= 1
        return False

    def _is_told_by_detail(self, film: NamedFilm) -> bool:
        """“Gone Girl then Zodiac yesterday”, “uncut gems 8/10”: films first, a day or a mark right behind them."""
        here = self._sentence[film.start]
        lead = [
            place
            for place in range(film.start)
            if self._sentence[place] == here and not (self._is_small(self.tokens[place]) or self.tokens[place].is_film)
        ]
        openers = [place for place in lead if self.tokens[place].word not in self._phrases.openers]
        told = [self._cues.at(place) for place in openers]
        if any(cue is None or cue.label not in _DETAILS for cue in told) or self._speaks_against(film):
            return False
        place = film.end
        while place < len(self.tokens) and (
            self.tokens[place].is_film
            or self.tokens[place].raw in ",&+-–—(:"
            or self._is_small(self.tokens[place])
            or ((cue := self._cues.at(place)) is not None and cue.label == "company")
        ):
            place += 1
        behind = self._cues.at(place) or self._cues.at(place + 1)
        if behind is None or behind.label not in {"when", "rating", "again", "rewatched", "abandoned"}:
            return False
        listed = place > film.end + 1
        words = [word for token in self.tokens[film.start : film.end] for word in token.word.split()]
        telling = len([word for word in words if word not in self._around.articles]) > 1
        typed = self._raw(film.start, film.end)
        return behind.label != "when" or listed or telling or typed[:1].isupper() or typed.isdigit()

    def _speaks_against(self, film: NamedFilm) -> bool:
        """Whether a film is quoted or in a question, or its clause says that it was not watched."""
        here = self._sentence[film.start]
        ends = [place for place in range(film.start, len(self.tokens)) if self._sentence[place] == here]
        if self.tokens[ends[-1]].raw == "?" or self._is_quoted(film) or self._is_cancelled(film):
            return True
        inside = [cue for cue in self._cues if self._sentence[cue.start] == here]
        clause_end = next((place for place in ends if self._ends_clause(place)), ends[-1] + 1)
        return self._is_in_passing(film, inside) or any(
            cue.label == "unreal" or (cue.label in _NEGATIVE and film.end <= cue.start < clause_end) for cue in inside
        )

    def _ends_clause(self, place: int) -> bool:
        """Whether a mark stands there, or a word that joins something else than a film: “… and the worms looked …”."""
        joins = self.tokens[place].word in self._phrases.joins
        return self.tokens[place].is_mark or (
            joins and place + 1 < len(self.tokens) and not self.tokens[place + 1].is_film
        )

    def _is_cancelled(self, film: NamedFilm) -> bool:
        """Whether it is said behind a film that nothing came of it: “… on Tuesday. sold out.”"""
        return any(cue.label == "cancelled" and cue.start >= film.end for cue in self._cues)

    # Watches

    def watches(self) -> tuple[LogWatches, ...]:
        """The watches that are told, films with the same details as one; none when no film can be made out."""
        films = [
            NamedFilm(place, place + 1)
            for place, token in enumerate(self.tokens)
            if token.is_film and not self._within_cue(place)
        ]
        told = [film for film in films if self._told(film) is not False]
        positive = self._direct(told)
        if not positive:
            positive = self._objects() or told
        elif found := self._objects(beside=films):
            positive = sorted([*positive, *found], key=lambda film: film.start)
        if not positive:
            return ()
        firm = {film.start for film in positive if self._is_firm(film)}
        for film in positive:
            self._widen(film)
        firm |= {film.start for film in positive if self._is_firm(film)}
        positive = self._joined([*positive, *self._listed(positive, films)])
        self.describe(positive)
        return self._as_intents(positive, {film.start for film in positive if self._begins_firmly(film, firm)})

    def describe(self, films: Sequence[NamedFilm]) -> None:
        """Give each of some films what is said of it."""
        self._description(films).give()

    def points_at_some(self, films: Sequence[NamedFilm]) -> bool:
        """Whether words point at some of them: “the second one”."""
        return self._description(films).points_at_some()

    def _description(self, films: Sequence[NamedFilm]) -> Description:
        return Description(films, self._cues, self.tokens, self._sentence, self._phrases, self._is_small)

    def _direct(self, positive: Sequence[NamedFilm]) -> list[NamedFilm]:
        """Without single words that stand nowhere near a verb or another film: “The Room with Tommy Wiseau” is one."""
        sure = [film for film in positive if not self._is_one_word(film)]
        starts = {film.start for film in positive}
        sure += [
            film
            for film in positive
            if self._is_one_word(film)
            and (self._leads_to(film, starts) or self._is_listed(film, starts) or self._is_told_until(film))
        ]
        return sorted(sure, key=lambda film: film.start)

    def _is_one_word(self, film: NamedFilm) -> bool:
        words = self.tokens[film.start].word.split()
        return len([word for word in words if word not in self._around.articles]) == 1

    def _leads_to(self, film: NamedFilm, starts: set[int]) -> bool:
        """Whether what stands before a film leads to it: a verb, another film of a list, a sentence's beginning."""
        if self._is_to_be_logged(film):
            return True
        place = film.start - 1
        while place >= 0:
            token = self.tokens[place]
            here = next((cue for cue in self._cues if cue.start <= place < cue.end), None)
            if token.raw in STRONG | {":", "="} or (here is not None and here.label in _POSITIVE | {"when"}):
                return True
            if token.is_film:
                return place in starts
            if here is None and not self._is_small(token):
                return False
            place = here.start - 1 if here is not None else place - 1
        return True

    def _is_listed(self, film: NamedFilm, starts: set[int]) -> bool:
        """Whether a list of films goes on behind a film."""
        place = film.end
        while place < len(self.tokens) and (
            self.tokens[place].raw in ",&+"
            or self.tokens[place].word in self._around.list_joins | self._around.articles
        ):
            place += 1
        return place > film.end and place in starts

    def _is_small(self, token: Token) -> bool:
        return (
            (token.is_mark and token.raw in _WEAK)
            or (token.word.isdigit() and len(token.word) == 4)
            or token.word in self._around.before_title
            or token.word in self._around.telling_joins
            or token.word in self._around.tells_apart
            or token.raw.endswith(("'s", "’s"))
        )

    def _within_cue(self, place: int) -> bool:
        return any(cue.start <= place < cue.end for cue in self._cues)

    def _told(self, film: NamedFilm) -> bool | None:
        """Whether a film was watched by this person, as far as cues tell."""
        here = self._sentence[film.start]
        inside = [cue for cue in self._cues if self._sentence[cue.start] == here]
        if self._is_resumed(film):
            return True
        if self._is_quoted(film) or self._is_cancelled(film) or self._is_in_passing(film, inside):
            return False
        if self._is_to_be_logged(film):
            return True
        if any(cue.label == "unreal" and cue.start < film.start for cue in inside):
            return False
        verbs = [cue for cue in inside if cue.label in _POSITIVE | {"not", "others"}]
        if any(cue.label in _VERBS and cue.end <= film.start and self._is_anothers(cue) for cue in verbs):
            return False
        verbs = [cue for cue in verbs if cue.label not in _VERBS or self._is_own(cue)]
        before = [
            cue for cue in verbs if cue.end <= film.start and not (cue.label in REACTIONS and self._films_before(cue))
        ]
        after = [cue for cue in verbs if cue.start >= film.end]
        governing = before[-1] if before else after[0] if after else None
        if governing is None:
            following = [cue for cue in self._cues if self._sentence[cue.start] == here + 1]
            governing = next((cue for cue in following if cue.label in _POSITIVE | {"not", "others"}), None)
            if governing is not None and self._names_its_own(governing):
                governing = None
        if governing is None:
            return None
        until = before and any(cue.label == "until" and cue.start >= film.end for cue in inside)
        return governing.label in _POSITIVE or bool(governing.label == "not" and until)

    def _is_in_passing(self, film: NamedFilm, inside: Sequence[Cue]) -> bool:
        """Whether it is not the film that its sentence is about: “the trailer for Alien”, “Akira, the comic”."""
        for cue in inside:
            near = 0 <= film.start - cue.end <= 2 or 0 <= cue.start - film.end <= 1
            alone = cue.start > film.end and self._is_bare(cue.start - 1) and self._is_bare(cue.end)
            if cue.label == "nofilm" or (cue.label == "passing" and (near or alone)):
                return True
        return False

    def _is_bare(self, place: int) -> bool:
        """Whether no word stands there."""
        return place >= len(self.tokens) or self.tokens[place].is_mark

    def _is_told_later(self, film: NamedFilm) -> bool:
        """Whether what follows says that this person watched it after all."""
        return self._is_told_until(film) or (self._is_resumed(film) and self._told(film) is True)

    def _is_told_until(self, film: NamedFilm) -> bool:
        """“I hadn't seen Chinatown until last night”."""
        later = any(cue.label == "until" and cue.start >= film.end for cue in self._cues)
        return later and self._told(film) is True

    def _is_resumed(self, film: NamedFilm) -> bool:
        """Whether it is said later that this person watched the film that was named last: “… so I gave in and watched
        it”; not if what was watched is about it: “watched the trailer for Alien, and watched it again”."""
        about = self.tokens[max(0, film.start - 3) : film.start]
        if any(token.word in self._around.watchable for token in about):
            return False
        for cue in self._cues:
            between = any(token.is_film for token in self.tokens[film.end : cue.start])
            if cue.start < film.end or between or cue.label not in _VERBS | {"done"} or not self._is_by_oneself(cue):
                continue
            here = [other for other in self._cues if self._sentence[other.start] == self._sentence[cue.start]]
            doubtful = any(
                other.label == "unreal" or (other.label == "not" and other.end == cue.start) for other in here
            )
            follows = self._cues.at(cue.end)
            ends = self._is_bare(cue.end) or (follows is not None and follows.label in {"when", "again", "company"})
            ends = ends and not self._names_its_own(cue)  # “what we watched last night was Tampopo”
            if not doubtful and (ends or self._points_back(cue.end)) and not self._is_asked(cue.start):
                return True
        return False

    def _points_back(self, place: int) -> bool:
        """Whether words there mean the film named before: “it”, “the whole thing”."""
        said = [token.word for token in self.tokens[place : place + _POINTING_WORDS]]
        return any(" ".join(said[:count]) in self._pointing.pointers for count in range(1, len(said) + 1))

    def _is_asked(self, place: int) -> bool:
        """Whether a sentence is a question."""
        here = [token for at, token in enumerate(self.tokens) if self._sentence[at] == self._sentence[place]]
        return here[-1].raw == "?"

    def _is_by_oneself(self, verb: Cue) -> bool:
        """Whether the person named last in its sentence, if any is, is oneself: “mum and I stayed and watched it”."""
        for place in range(verb.end - 1, -1, -1):
            if self._sentence[place] != self._sentence[verb.start]:
                break
            if self.tokens[place].word in self._people.oneself:
                return True
            if self.tokens[place].word in self._people.third_persons:
                return False
        return self._is_own(verb)

    def _is_quoted(self, film: NamedFilm) -> bool:
        """Whether somebody is quoted who says so: a verb stands in the quotation marks too, and words outside."""
        marks = [place for place, token in enumerate(self.tokens) if token.raw in _QUOTES]
        for first, last in zip(marks[::2], marks[1::2], strict=False):
            if first < film.start < last and (first > 2 or last < len(self.tokens) - 3):
                return any(cue.label in _VERBS and first < cue.start < last for cue in self._cues)
        return False

    def _films_before(self, cue: Cue) -> bool:
        """Whether a reaction is to a film that was named before it in its sentence."""
        return any(
            self.tokens[place].is_film and self._sentence[place] == self._sentence[cue.start]
            for place in range(cue.start)
        )

    def _names_its_own(self, cue: Cue) -> bool:
        rest = [
            place for place in range(cue.end, len(self.tokens)) if self._sentence[place] == self._sentence[cue.start]
        ]
        return any(self.tokens[place].is_film for place in rest)

    # Films that are no name at first sight

    def _objects(self, beside: Sequence[NamedFilm] = ()) -> list[NamedFilm]:
        """Films right behind a verb, or at the beginning of a sentence: everyday words, misspelt names."""
        taken = {film.start for film in beside}
        found: list[NamedFilm] = []
        for place in [cue.end for cue in self._cues if cue.label in _VERBS]:
            found += self._at(place, taken | {film.start for film in found}, roughly=not beside)
        if found or beside:
            return found
        announced = [place + 1 for place, token in enumerate(self.tokens) if token.raw == ":"]
        begins = [place + 1 for place, token in enumerate(self.tokens) if token.raw in STRONG]
        begins += [cue.end for cue in self._cues if cue.label == "when" and cue.start == 0]
        for place in (*announced[:1], 0, *begins[:3]):
            if self._only_opens(place):
                continue
            if found := self._at(place, set(), roughly=True):
                return found
        return self._anywhere()

    def _only_opens(self, place: int) -> bool:
        """Whether a word stands alone that others begin with: “well. …”."""
        words = self.tokens[place : place + 2]
        return len(words) == 2 and words[0].word in self._phrases.openers and words[1].is_mark

    def _anywhere(self) -> list[NamedFilm]:
        """A known film's name of one word that is no everyday word, wherever it stands."""
        for named in self._titles.named_in([token.raw for token in self.tokens]):
            word = self.tokens[named.start]
            plain = named.end == named.start + 1 and word.word not in self._phrases.usual and not word.word.isdigit()
            if named.start and self.tokens[named.start - 1].word in self._around.before_people:
                continue  # “with amanda seyfried”
            if plain and named.standing < Standing.PART and self._titles.is_known(named.ratings):
                return [NamedFilm(named.start, named.end)]
        return []

    def _at(self, place: int, taken: set[int], *, roughly: bool) -> list[NamedFilm]:
        """The films that are named from there on, if any is."""
        begin = self._past_small_words(place)
        whole = begin > place and self._points_back(place)
        if (
            whole
            or begin >= len(self.tokens)
            or begin in taken
            or any(cue.start <= begin < cue.end for cue in self._cues)
        ):
            return []
        if self._is_counted(self.tokens[begin : begin + 1], begin + 1):
            return []
        pointing = self._pointing.pointers | self._phrases.pointing_back.keys() | self._pointing.other_ones
        rough = roughly and self.tokens[begin].word not in pointing | self._people.oneself
        found = self._exactly(begin) or (self._roughly(begin) if rough else [])
        return [film for film in found if film.start not in taken]

    def _listed(self, positive: Sequence[NamedFilm], films: Sequence[NamedFilm]) -> list[NamedFilm]:
        """Names of everyday words that stand in a list beside films: “clueless, mean girls and up”."""
        found: list[NamedFilm] = []
        items = self._items()
        holds = [any(start <= film.start < end for film in positive) for start, end in items]
        for number in (*range(len(items)), *reversed(range(len(items)))):
            start, end = items[number]
            begin = self._past_small_words(start)
            beside = [holds[near] for near in (number - 1, number + 1) if 0 <= near < len(items)]
            free = not any(film.start < end and film.end > begin for film in (*positive, *films, *found))
            stop = min([end, *(cue.start for cue in self._cues if cue.start < end and cue.end > begin)])
            if not (free and any(beside) and begin < stop <= begin + _MAX_OBJECT):
                continue
            bracket = stop < len(self.tokens) and self.tokens[stop].raw in "(:"
            told = self._is_detail(stop + bracket)
            typed = self.tokens[begin]
            near = [items[at] for at in (number - 1, number + 1) if 0 <= at < len(items) and holds[at]]
            same = any(self._sentence[one] == self._sentence[begin] for one, _ in near)
            rare = same and typed.word not in self._phrases.usual
            surely = told or all(beside) or stop - begin > 1 or typed.raw[:1].isupper() or rare
            cue = self._cues.at(stop + bracket)
            judged = cue is not None and cue.label in REACTIONS and not bracket
            if (told or stop == end) and surely and self._is_name(begin, stop, known=not (told and rare) or judged):
                found.append(NamedFilm(begin, stop))
                holds[number] = True
        return found

    def _is_detail(self, place: int) -> bool:
        """Whether a word tells a day, a mark, an opinion or the like."""
        cue = self._cues.at(place)
        return cue is not None and cue.label in _DETAILS

    def _items(self) -> list[tuple[int, int]]:
        """The parts of lists: words between commas, joining words, brackets and the ends of sentences, without those
        that are all details."""
        items: list[tuple[int, int]] = []
        start = 0
        for place in range(len(self.tokens) + 1):
            token = self.tokens[place] if place < len(self.tokens) else None
            if token is None or token.raw in STRONG | _PARTING or token.word in self._around.list_joins:
                if not all(self._is_detail(within) for within in range(start, place)):
                    items.append((start, place))
                start = place + 1
        return items

    def _is_name(self, start: int, end: int, *, known: bool = True) -> bool:
        """Whether words are just the name of a film; `known`: one that people know."""
        typed = self._raw(start, end)
        if typed.casefold() in self._around.everyday and not typed[:1].isupper():
            return False
        link = self._titles.link(typed)
        exact = [match for match in link.matches if loose_key(match.name) == loose_key(typed)]
        part = end - start >= _SEVERAL and link.certainty is Certainty.CLEAR and link.matches[0].similarity >= _EXACT
        named = self._titles.named_in([token.raw for token in self.tokens[start:end]]) if exact or part else []
        named = [one for one in named if one.end - one.start == end - start]
        return any(self._titles.is_known(one.ratings) or (one.ratings and not known) for one in named)

    def _past_small_words(self, place: int) -> int:
        while place < len(self.tokens) and (
            self.tokens[place].raw in _WEAK or self.tokens[place].word in self._around.before_title
        ):
            place += 1
        return place

    def _exactly(self, begin: int) -> list[NamedFilm]:
        """Names, however everyday their words, that begin right here and go on as a list."""
        end = min(len(self.tokens), begin + 40)
        names: dict[int, tuple[int, float]] = {}
        for named in self._titles.named_in([token.raw for token in self.tokens[begin:end]]):
            if named.standing >= Standing.PART or not named.ratings:
                continue
            start, stop = begin + named.start, begin + named.end
            words = [token for token in self.tokens[start:stop] if not token.is_mark]
            if self._cues.cover(start, stop) or is_no_name(self.tokens[start:stop], self._phrases):
                continue
            if (len(words) == 1 and not self._may_be_name(words[0], named)) or self._is_counted(words, stop):
                continue
            weight = stop - start + (0.5 if self._titles.is_known(named.ratings) else 0.0)
            if start not in names or names[start][1] < weight:
                names[start] = stop, weight
        films: list[NamedFilm] = []
        place = begin
        while place < end:
            if place in names:
                films.append(NamedFilm(place, names[place][0]))
                place = names[place][0]
            elif self.tokens[place].is_film:
                films.append(NamedFilm(place, place + 1))
                place += 1
            else:
                break
            joined = place
            while joined < end and (
                self.tokens[joined].raw in ",&+" or self.tokens[joined].word in self._around.telling_joins
            ):
                joined += 1
            if joined == place:
                break  # “watched them drive off” is no list
            place = joined
        return [film for film in films if not self.tokens[film.start].is_film] if films else []

    def _is_counted(self, words: Sequence[Token], stop: int) -> bool:
        """Whether the last word counts what follows: “saw it two weeks ago” is no “It: Chapter Two”, “watched two
        tragedies” no “Two”."""
        last = words[-1].word
        if not (last.isdigit() or last in self._phrases.numbers) or stop >= len(self.tokens):
            return False
        counted = self.tokens[stop]
        strange = not (counted.is_mark or counted.is_film or counted.word in self._phrases.usual)
        spelled = len(words) == 1 and not last.isdigit()
        return counted.word in self._around.units or (spelled and strange and self._cues.at(stop) is None)

    def _may_be_name(self, word: Token, named: Named) -> bool:
        """Whether one word behind a verb may be a film: not “it” and no hardly known film of an everyday word."""
        at = self.tokens.index(word)
        if word.word in self._people.oneself and self._begins(at):
            return False
        if word.word in self._pointing.pointers | self._people.oneself:
            dated = [token.raw for token in self.tokens[at + 1 : at + 4]]
            if dated[:1] == ["("] and dated[-1:] == [")"] and dated[1].isdigit():
                return True  # “it (2017)”
            return word.raw[:1].isupper() and len(word.raw) > 1 and not word.raw.isupper()
        if word.word in self._phrases.usual:
            return self._titles.is_known(named.ratings) and not self._begins(at) and self._ends_there(at + 1)
        return True

    def _ends_there(self, place: int) -> bool:
        """Whether what goes on behind a name is something else: “watched up with the kids”, not “saw big crowds”."""
        if place >= len(self.tokens):
            return True
        token = self.tokens[place]
        around = self._around
        small = around.before_people | around.telling_joins | around.before_days | self._phrases.joins
        return token.is_mark or token.word in small or self._cues.at(place) is not None

    def _begins(self, place: int) -> bool:
        """Whether a sentence begins there."""
        return place == 0 or self.tokens[place - 1].raw in STRONG

    def _roughly(self, begin: int) -> list[NamedFilm]:
        """The misspelt name that begins right here, if one is near enough."""
        stop = begin
        cue_starts = {cue.start for cue in self._cues}
        while stop < len(self.tokens) and stop - begin < _MAX_OBJECT:
            token = self.tokens[stop]
            if token.raw in STRONG or (stop > begin and stop in cue_starts):
                break
            stop += 1
        ends = [stop, *(place for place in range(stop - 1, begin, -1) if not self.tokens[place].is_mark)]
        best: tuple[float, int] | None = None
        for end in [e for e in ends if e > begin][:_MAX_LINKS]:
            if end == begin + 1 and self.tokens[begin].word in self._people.oneself:
                continue
            link = self._titles.link(self._raw(begin, end))
            words = end - begin >= _SEVERAL and link.certainty is Certainty.CLEAR
            least = _SURE_OF_SEVERAL if words else _SURE
            if link.matches and link.matches[0].similarity >= least and link.certainty is not Certainty.UNKNOWN:
                weight = link.matches[0].similarity + _LONGER * (end - begin)
                if best is None or weight > best[0]:
                    best = weight, end
        return [NamedFilm(begin, best[1])] if best else []

    # The words that tell which film

    def _widen(self, film: NamedFilm) -> None:
        """Take in a year, a number, or words that tell films of a name apart, before and behind."""
        plain = self._titles.link(self._raw(film.start, film.end))
        end = film.end
        # “(2018)”, “from 1933”, “2”
        following = self.tokens[end : end + 3]
        if following and following[0].raw == "(":
            close = next(
                (place for place in range(end, min(end + 8, len(self.tokens))) if self.tokens[place].raw == ")"), None
            )
            if close is not None:
                self._try(film, film.start, close + 1, plain.certainty)
        elif following and following[0].word.isdigit() and not self._cues.cover(end, end + 1):
            self._try(film, film.start, end + 1, plain.certainty)
            counts = len(following) > 1 and following[1].word in self._around.units
            if 1 < int(following[0].word) <= _MOST_PARTS and not counts:
                film.end = max(film.end, end + 1)  # a part that is not known is not the first one
        elif (
            len(following) > 1
            and following[1].word.isdigit()
            and len(following[1].word) == 4
            and following[0].word in self._around.before_year
        ):
            self._try(film, film.start, end + 2, plain.certainty)
        if plain.certainty is not Certainty.CLEAR and film.end == end:
            for more in (2, 1):
                words = self.tokens[end : end + more]
                if not (self._cues.cover(end, end + 1) or any(t.is_mark or t.is_film for t in words)):
                    self._try(film, film.start, min(end + more, len(self.tokens)), Certainty.CLEAR)
        self._widen_by_numbers(film)
        self._widen_by_sequel(film)
        self._widen_by_people(film)
        self._widen_by_capitals(film)
        for back in (2, 1):
            begin = film.start - back
            if begin < 0 or any(token.is_mark or token.is_film for token in self.tokens[begin : film.start]):
                continue
            first = self.tokens[begin]
            telling = (
                first.word in self._around.tells_apart
                or first.raw.endswith(("'s", "’s"))
                or (first.word.isdigit() and len(first.word) == 4)
            )
            if telling or (back == 2 and self.tokens[begin + 1].raw.endswith(("'s", "’s"))):
                self._try(film, begin, film.end, plain.certainty)
                break
        self._widen_by_tail(film, plain.certainty)

    def _widen_by_tail(self, film: NamedFilm, plain: Certainty) -> None:
        """“Civil War, the Captain America one”: words behind a name that tell which film of that name."""
        tail = self._telling_tail(film.end)
        if not tail or not (plain is Certainty.AMBIGUOUS or any(t.is_film for t in self.tokens[slice(*tail)])):
            return
        name, words = self._raw(film.start, film.end), self.tokens[slice(*tail)]
        told = [token.raw for token in words if self._tells(token)]
        inner = [token.raw for token in words[:-1] if token.word not in self._around.articles]
        for spoken in (self._raw(*tail), " ".join(told), " ".join(inner)):
            text = f"{spoken} {name}" if spoken else name
            if self._titles.link(text).certainty is Certainty.CLEAR:
                film.text, film.end = text, tail[1]
                break

    def _widen_by_sequel(self, film: NamedFilm) -> None:
        """“The Fly and its sequel”."""
        place = film.end
        while place < len(self.tokens) and self.tokens[place].word in self._around.telling_joins | self._around.its:
            place += 1
        if place > film.end and place < len(self.tokens) and self.tokens[place].word in self._around.sequel:
            film.text, film.end = f"{self._raw(film.start, film.end)} 1 & 2", place + 1

    def _widen_by_people(self, film: NamedFilm) -> None:
        """“Crash by David Cronenberg”, “the Peter Jackson King Kong”: with people of the film beside its name."""
        end, start = film.end, film.start
        if end < len(self.tokens) and self.tokens[end].word in self._around.before_people and not self._cues.at(end):
            for stop in range(min(len(self.tokens), end + _MAX_PERSON + 1), end + 1, -1):
                words = self.tokens[end + 1 : stop]
                if self._are_plain(words, end + 1) and self._tells_clearly(film.start, stop):
                    film.end = stop
                    return
        for begin in range(max(0, start - _MAX_PERSON), start):
            if self._are_plain(self.tokens[begin:start], begin) and self._tells_clearly(begin, end):
                film.start = begin
                return

    def _are_plain(self, words: Sequence[Token], place: int) -> bool:
        """Whether words may be somebody's name: no marks, films or cues, and none that phrases are made of at their
        ends."""
        free = all(not (t.is_mark or t.is_film or self._cues.at(place + n)) for n, t in enumerate(words))
        return free and not any(t.word in self._phrases.usual for t in (words[0], words[-1]))

    def _tells_clearly(self, start: int, end: int) -> bool:
        link = self._titles.link(self._raw(start, end))
        return link.certainty is Certainty.CLEAR and link.matches[0].similarity >= _SURE

    def _widen_by_capitals(self, film: NamedFilm) -> None:
        """Words with capitals right behind a name belong to another, longer one: “Aliens Stole My Grandmother”."""
        if not self.tokens[film.start].raw[:1].isupper():
            return
        end = film.end
        while end < len(self.tokens) and self._goes_on(end):
            end += 1
        film.end = end

    def _goes_on(self, place: int) -> bool:
        token = self.tokens[place]
        cue = any(cue.start <= place < cue.end for cue in self._cues)
        return token.raw[:1].isupper() and len(token.raw) > 1 and not (token.is_mark or token.is_film or cue)

    def _widen_by_numbers(self, film: NamedFilm) -> None:
        """“Back to the Future 2 and 3”."""
        last = self.tokens[film.end - 1].word.split()[-1:] if film.end else []
        while last and last[0].isdigit() and film.end + 1 < len(self.tokens):
            joined = self.tokens[film.end].word in self._around.telling_joins or self.tokens[film.end].raw in ",&+"
            number = self.tokens[film.end + 1]
            if not (joined and number.word.isdigit() and len(number.word) < 3):
                return
            film.end += 2

    def _tells(self, token: Token) -> bool:
        return token.word in self._around.tells_apart or (token.word.isdigit() and len(token.word) == 4)

    def _telling_tail(self, end: int) -> tuple[int, int] | None:
        """“, the De Niro one”: from its first word to its last."""
        place = end
        while place < len(self.tokens) and self.tokens[place].raw in ",(–—-":
            place += 1
        for stop in range(place, min(place + 7, len(self.tokens))):
            if self.tokens[stop].is_mark or self._cues.at(stop) is not None:
                break
            if self.tokens[stop].word in self._around.ends_telling and stop > place:
                return place, stop + 1
        return None

    def _try(self, film: NamedFilm, start: int, end: int, plain: Certainty) -> None:
        """Widen to these words if they name a film no less surely."""
        link = self._titles.link(self._raw(start, end))
        order = [Certainty.UNKNOWN, Certainty.AMBIGUOUS, Certainty.CLEAR]
        if link.matches and order.index(link.certainty) >= order.index(plain):
            film.start, film.end = start, end

    @staticmethod
    def _joined(films: Sequence[NamedFilm]) -> list[NamedFilm]:
        """Without those that lie within another."""
        kept: list[NamedFilm] = []
        for film in sorted(films, key=lambda one: (one.start, -one.end)):
            if not kept or film.start >= kept[-1].end:
                kept.append(film)
        return kept

    # As intents

    def _begins_firmly(self, film: NamedFilm, firm: set[int]) -> bool:
        return any(film.start <= start < film.end for start in firm)

    def _as_intents(self, films: Sequence[NamedFilm], firm: set[int]) -> tuple[LogWatches, ...]:
        """One intent for films in a row with the same details."""
        out: list[LogWatches] = []
        films = self._without_doubles(films)
        for film in films:
            here = self._sentence[film.start]
            ends = [token for place, token in enumerate(self.tokens) if self._sentence[place] == here]
            doubtful = any(token.raw == "?" for token in ends[-2:]) and not self._is_to_be_logged(film)
            text = film.text or self._raw(film.start, film.end)
            one = LogWatches(
                text, text, when=film.when, state=film.state or State.FINISHED, rating=film.rating,
                reaction=film.reaction, questioned=doubtful, firm=film.start in firm,
                doubtful=film.start not in firm and self._is_doubtful(film, alone=len(films) == 1),
            )  # fmt: skip
            if out and replace(out[-1], films="", whole="") == replace(one, films="", whole=""):
                both = f"{out[-1].films}\n{text}"
                out[-1] = replace(one, films=both, whole=both)
            else:
                out.append(one)
        return tuple(out)

    def _is_doubtful(self, film: NamedFilm, *, alone: bool) -> bool:
        """Whether a watch is to be asked about: neither its name nor its verb tells surely."""
        return (alone and self._is_of_everyday_words(film)) or self._is_by_somebody(film)

    def _is_of_everyday_words(self, film: NamedFilm) -> bool:
        """Whether a name may be just words: “big fish in the canal”."""
        words = plain(self._raw(film.start, film.end)).split()
        return self._is_lower(film) and len(words) < _LONG and all(word in self._phrases.usual for word in words)

    def _is_lower(self, film: NamedFilm) -> bool:
        return self._raw(film.start, film.end).islower()

    def _is_by_somebody(self, film: NamedFilm) -> bool:
        """Whether the verb that leads to a film may be anybody's: “hubby finished Gladiator”."""
        here = [cue for cue in self._cues if self._sentence[cue.start] == self._sentence[film.start]]
        before = [cue for cue in here if cue.label in _VERBS and cue.end <= film.start]
        return bool(before) and not self._is_own(before[-1])

    def _without_doubles(self, films: Sequence[NamedFilm]) -> list[NamedFilm]:
        """A film that is named twice once, with all that is said of it."""
        by_name: dict[str, NamedFilm] = {}
        for film in films:
            known = by_name.setdefault(self._raw(film.start, film.end).casefold().removeprefix("the "), film)
            for name in ("when", "rating", "reaction", "state"):
                if getattr(known, name) is None:
                    setattr(known, name, getattr(film, name))
        return list(by_name.values())

    def _raw(self, start: int, end: int) -> str:
        """What was typed from one word to another."""
        return self._said[self.tokens[start].start : self.tokens[end - 1].end] if start < end else ""
