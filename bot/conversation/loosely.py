"""Messages that no phrase reads as a whole: `read_loosely` tells what they are about at large and what they hold.

The model of `gist` says what each part of a message is about, and for each of those there is one way to find what it
needs: films, places on the list, days, a wish, a value. What is not sure is asked about (`doubtful`) or left alone, so
that nothing is logged that was not said. Pure functions; knows films only as names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.conversation.evidence import Evidence
from bot.conversation.gist import Gist
from bot.conversation.intents import (
    Adjust,
    Answer,
    AnswerKind,
    Asked,
    BareTitle,
    Dismiss,
    Export,
    Forget,
    Help,
    History,
    Import,
    Intent,
    LinkAccounts,
    LogWatches,
    Meant,
    More,
    NotAWatch,
    NotUnderstood,
    NotWatched,
    Pleasantry,
    Privacy,
    React,
    Reaction,
    Recommend,
    Remove,
    Seen,
    Setting,
    Settings,
    Situation,
    State,
    Thanks,
    Undo,
    UnlinkAccount,
    Unwant,
    Want,
    Watchlist,
    Why,
    Wish,
)
from bot.conversation.phrases import Phrases, number_of, ordinal_of, places_in
from bot.conversation.spotting import Known
from bot.conversation.wish_words import in_words
from bot.conversation.wishes import read_wish
from bot.conversation.zones import place_in

SURE = 0.98
"""Probability from which watches are logged without a question."""
FIRMLY_SURE = 0.4
"""The same where a verb or a day stands right beside the film."""
_PART_SURE, _ASKED_SURE = 0.8, 0.6
"""Probability from which a part of a message is about something of its own; and from which a question is."""
_BREAK_SURE = 0.8
"""The same for parts that only a comma or an “and” parts."""
_OPEN = frozenset({Asked.WHICH_FILM, Asked.WHICH_SHOWN})
"""Questions that are answered in many words."""
_ANSWER_WORDS = 12
_FEW_ASKED = 3
"""Words and marks of a question that may only finish what was said before: “exactly?”."""
_TELLING_WORDS = 3
"""Words of a name that is one although nothing else in the message is about films."""
_LIKELY_ANSWER, _LIKELY_ABOUT_IT, _HARDLY_ABOUT_IT = 3.0, 1.5, 0.3
_LIKELY_ALIKE = 2.0
"""How much likelier an answer, a reaction or a correction is where there is something to answer or to react to."""
_ASKING_NOTHING = frozenset({"react", "chat", "answer", "mention", "title", "unclear"})
_MUCH_ALIKE = (
    frozenset({"recommend", "more"}),
    frozenset({"log", "react", "seen"}),
    frozenset({"save", "unsave", "watchlist"}),
)
"""What need not be told apart to know that a part of a message asks for something of its own."""
_NAMING = frozenset({"mention", "title", "unclear"})
"""What a message may be taken for because of the names in it."""
_IN_WORDS = 0.6
"""Probability from which it is a wish when those names are words."""
_STRONG = frozenset(".!?\n;…—–")
_FOND = frozenset({Reaction.LOVED, Reaction.LIKED})
_OF_A_FILM = frozenset({"dismiss", "save", "unsave"})
"""What is asked for about one film."""
_WISHING = frozenset({"recommend", "more"})
_CODE = re.compile(r"[A-Z0-9]{4}(?:-[A-Z0-9]{4})+|[A-Z0-9]{8,}")


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a message: token range, what it is about, and how surely."""

    start: int
    end: int
    about: str
    sure: float


def read_loosely(
    said: str, evidence: Evidence, phrases: Phrases, situation: Situation, known: Known, gist: Gist
) -> tuple[Intent, ...]:
    """What a message means, in the order said; never empty. `evidence`: what all of it holds."""
    reader = _Loose(said, evidence, phrases, situation, known, gist)
    if only_corrects(evidence, situation):
        return (reader.correction(),)
    found: list[Intent] = []
    for part in reader.parts():
        found += [intent for intent in reader.meaning(part) if intent not in found]
    return tuple(found) or (NotUnderstood(said),)


def only_corrects(evidence: Evidence, situation: Situation) -> bool:
    """Whether nothing is said but days, how much better it was, or which one, of a film just logged: “not sunday,
    saturday”, “knock half a star off”."""
    if not situation.film_in_mind or situation.asked is not None:
        return False
    if evidence.change() is not None and not evidence.films:
        return True
    told = evidence.only_tells() and not situation.shown
    dated = evidence.only_corrects(evidence.told_by("when")) or bool(evidence.bare_day())
    return told or dated


def with_named(intents: Sequence[Intent], situation: Situation) -> tuple[Intent, ...]:
    """The intents, those that name no film with what was named before: “I never saw Tag, delete it”. Without what is
    about a list that was not shown, beside others: “a western. I've seen the big ones”."""
    out: list[Intent] = []
    for intent in intents:
        before = out[-1] if out else None
        of_list = isinstance(intent, (Seen, Why)) and not (intent.places or _film_of(intent))
        if isinstance(before, NotAWatch) and before.film and intent == Undo():
            out[-1] = Remove(before.film)
        elif isinstance(before, NotAWatch) and before.film and isinstance(intent, Want) and not intent.film:
            out[-1] = replace(intent, film=before.film) if not intent.places else intent
        elif of_list and isinstance(intent, Why) and isinstance(before, Why):
            pass  # “2? why tho”
        elif of_list and isinstance(intent, Why) and isinstance(before, (Want, Seen, Dismiss)):
            out.append(replace(intent, places=before.places, film=None if before.places else _film_of(before)))
        elif of_list and before and not situation.shown and (isinstance(intent, Why) or isinstance(before, Recommend)):
            pass
        elif isinstance(intent, Recommend) and before == Dismiss():
            out[-1] = intent  # “nah, something funnier”
        else:
            out.append(intent)
    return tuple(out)


def _film_of(intent: Want | Seen | Dismiss | Why) -> str | None:
    return None if isinstance(intent, Seen) else intent.film


class _Loose:
    """One message."""

    def __init__(
        self, said: str, evidence: Evidence, phrases: Phrases, situation: Situation, known: Known, gist: Gist
    ) -> None:
        self._said, self._tokens, self._phrases = said, evidence.tokens, phrases
        self._pointing, self._signs = phrases.pointing, phrases.signs
        self._situation, self._known, self._gist = situation, known, gist
        self._whole = evidence
        self._found = {(0, len(evidence.tokens)): evidence}
        """What was found in parts of the message already, by their first word and the one behind the last."""

    # What it is about

    def about(self, start: int, end: int) -> dict[str, float]:
        """What some words are about, given what the conversation was about before."""
        tokens = self._tokens[start:end]
        odds = self._gist.of(tokens, self._evidence(start, end).skeleton)
        asked = self._situation.asked in _OPEN
        odds["answer"] *= _LIKELY_ANSWER if asked else 0.0
        if asked and self._is_short(start, end):
            odds["answer"] += sum(odds[name] for name in ("unclear", "title", "mention", "chat", "correct"))
        for name in ("react", "correct"):
            odds[name] *= _LIKELY_ABOUT_IT if self._situation.film_in_mind else _HARDLY_ABOUT_IT
        if any(token.is_film for token in tokens) and any(token.word in self._signs.like for token in tokens):
            odds["recommend"] *= _LIKELY_ALIKE
        if not self._situation.shown:
            odds["more"] *= 0.5
        if not any(token.is_film for token in tokens):
            odds["title"] *= 0.5
        whole = sum(odds.values())
        return {name: share / whole for name, share in odds.items()}

    def _wished(self, start: int, end: int) -> float:
        """How likely a wish is where all names are typed like words that may describe films: “a heist film”."""
        tokens = self._tokens[start:end]
        plain = in_words(tokens, self._said, self._phrases, self._known.tags)
        if not any(token.is_film for token in tokens) or any(token.is_film for token in plain):
            return 0.0
        evidence = Evidence(self._said, plain, self._phrases, self._known.titles)
        return self._gist.of(plain, evidence.skeleton)["recommend"]

    def _is_short(self, start: int, end: int) -> bool:
        return sum(not token.is_mark for token in self._tokens[start:end]) <= _ANSWER_WORDS

    def parts(self) -> tuple[_Part, ...]:
        """The message as a whole, or, where parts of it surely ask for different things, those."""
        whole = self._part(0, len(self._tokens))
        spans = list(self._sentences())
        asked = self._apart([self._part(*span) for span in spans], _PART_SURE) if len(spans) > 1 else ()
        parts = asked if len(asked) > 1 else (whole,)
        return tuple(smaller for part in parts for smaller in self._broken(part) or (part,))

    def _part(self, start: int, end: int) -> _Part:
        odds = self.about(start, end)
        best = max(odds, key=lambda name: odds[name])
        if best in _NAMING and (wished := self._wished(start, end)) > _IN_WORDS:
            return _Part(start, end, "recommend", wished)
        alike = next((names for names in _MUCH_ALIKE if best in names), (best,))
        return _Part(start, end, best, sum(odds[name] for name in alike))

    def _sentences(self) -> Iterator[tuple[int, int]]:
        start = 0
        for place, token in enumerate(self._tokens):
            if token.raw in _STRONG and place > start:
                yield start, place + 1
                start = place + 1
        if start < len(self._tokens):
            yield start, len(self._tokens)

    def _apart(self, parts: Sequence[_Part], least: float) -> tuple[_Part, ...]:
        """The parts that ask for something, neighbours about the same as one; only those that surely do."""
        doing: list[_Part] = []
        for part in parts:
            about = self._at_large(part.about)
            asked = self._tokens[part.end - 1].raw == "?" and part.end - part.start > _FEW_ASKED
            behind = part.start > 0 and self._tokens[part.start - 1].raw in _STRONG
            asked = asked or (behind and self._tokens[part.start].word in self._signs.asking)
            enough = part.sure >= (min(_ASKED_SURE, least) if asked or self._is_plain(part) else least)
            beside = {self._at_large(other.about) for other in parts} & {"log"}
            if about in _WISHING and beside and not self._asks(part, behind=bool(doing)):
                enough = False
            if doing and (about == self._at_large(doing[-1].about) or about not in DOING or not enough):
                doing[-1] = replace(doing[-1], end=part.end)
            elif about in DOING and enough:
                doing.append(part if doing else replace(part, start=parts[0].start))
        return tuple(doing) if len({part.about for part in doing}) > 1 else ()

    def _is_plain(self, part: _Part) -> bool:
        """Whether a sentence asks for something in words of its own, a setting or something of a film that it names,
        and tells nothing of watching."""
        evidence = self._evidence(part.start, part.end)
        ends = part.end == len(self._tokens) or self._tokens[part.end - 1].raw in _STRONG
        begins = part.start == 0 or self._tokens[part.start - 1].raw in _STRONG
        named = part.about == "set" or (part.about in _OF_A_FILM and bool(evidence.films))
        return begins and ends and named and not evidence.tells_of_watching()

    def _at_large(self, about: str) -> str:
        """What a part is about, where what was thought and “saw both” go on about a watch."""
        return "log" if about == "react" or (about == "seen" and not self._situation.shown) else about

    def _broken(self, whole: _Part) -> tuple[_Part, ...]:
        """The message broken at a comma or a joining word into two that ask for different things."""
        best: tuple[float, tuple[_Part, ...]] = (0.0, ())
        for place in range(whole.start + 2, whole.end - 1):
            token = self._tokens[place]
            if not (token.raw in ",:-" or token.word in self._phrases.joins or token.word in self._phrases.begins):
                continue
            if not self._says_more(place, whole.end):
                continue
            first, second = self._part(whole.start, place), self._part(place, whole.end)
            split = self._apart((first, second), _BREAK_SURE)
            sure = first.sure * second.sure
            if len(split) > 1 and sure > best[0] and {first.about, second.about} != {whole.about}:
                best = sure, split
        return best[1]

    def _says_more(self, start: int, end: int) -> bool:
        """Whether words are more than places that go on a list: “1 and 4”."""
        beside = self._phrases.joins | self._phrases.places.around
        numbers, ordinals = self._phrases.numbers, self._phrases.ordinals
        words = [token for token in self._tokens[start:end] if not token.is_mark and token.word not in beside]
        return any(ordinal_of(token.word, ordinals, numbers) is None for token in words)

    def _asks(self, part: _Part, *, behind: bool) -> bool:
        """Whether a part that may be a wish asks for films; before a watch “quick one before bed” does not, nor behind
        one “need a cold shower”."""
        cues = self._evidence(part.start, part.end)
        asking = self._signs.asking | self._signs.asking_on if behind else self._signs.asking
        free = [token for place, token in enumerate(self._tokens[part.start : part.end]) if not cues.is_told(place)]
        if any(token.raw == "?" or token.word in asking for token in free):
            return True
        wish = read_wish(self._tokens[part.start : part.end], self._said, self._phrases)
        return behind and bool(wish.genres or wish.names or wish.years != (None, None))

    def correction(self) -> Intent:
        """All of the message as a correction of what was logged last."""
        return self.correct(_Part(0, len(self._tokens), "correct", 1.0))

    # What it holds

    def _evidence(self, start: int, end: int) -> Evidence:
        known = self._found.get((start, end))
        if known is None:
            known = self._found[start, end] = self._whole.part(start, end)
        return known

    def meaning(self, part: _Part) -> tuple[Intent, ...]:
        """The intents of a part."""
        found = _MEANINGS[part.about](self, part)
        return found if isinstance(found, tuple) else (found,)

    def raw(self, start: int, end: int) -> str:
        """What was typed from one word to another."""
        return self._said[self._tokens[start].start : self._tokens[end - 1].end] if start < end else ""

    def films(self, part: _Part) -> list[str]:
        """The names of films in a part, as typed."""
        tokens = self._tokens[part.start : part.end]
        return [self._said[token.start : token.end] for token in tokens if token.is_film]

    def film(self, part: _Part) -> str | None:
        """The films, or the words that may be one because nothing else is left of the part."""
        films = [*self.films(part), *self._joined(part)]
        if films:
            return "\n".join(films)
        pointed = self._situation.film_in_mind and self.says(part, self._pointing.pointers)
        return self._evidence(part.start, part.end).unspotted(exactly=pointed)

    def _joined(self, part: _Part) -> Iterator[str]:
        """Words that are names because a list of films goes on to them: “Memories of Murder and Ikiru to my list”."""
        for place in range(part.start, part.end - 1):
            after_film = self._tokens[place - 1].is_film if place > part.start else False
            if after_film and self._tokens[place].word in {",", *self._phrases.around.list_joins}:
                end = next((e for e in range(place + 1, part.end) if self._ends_name(e)), part.end)
                if place + 1 < end <= place + 1 + _TELLING_WORDS and not self._tokens[place + 1].is_film:
                    yield self.raw(place + 1, end)

    def _ends_name(self, place: int) -> bool:
        token = self._tokens[place]
        return token.is_mark or token.is_film or (token.word in self._phrases.usual and token.raw.islower())

    def places(self, part: _Part) -> tuple[int, ...]:
        """The places on the list that a part names."""
        found = places_in(self._tokens[part.start : part.end], self._phrases, self._situation.shown)
        return tuple(place for place in found if 1 <= place <= max(self._situation.shown, 1))

    def every(self, part: _Part) -> bool:
        """Whether all of the list is meant."""
        return any(token.word in self._phrases.places.all for token in self._tokens[part.start : part.end])

    def says(self, part: _Part, words: frozenset[str]) -> bool:
        """Whether any of these words is there."""
        return any(token.meant in words or token.word in words for token in self._tokens[part.start : part.end])

    def _is_question(self, part: _Part) -> bool:
        """Whether a part begins as questions do: “is the second one scary”."""
        words = [token.word for token in self._tokens[part.start : part.end] if token.word not in self._phrases.openers]
        return bool(words) and words[0] in self._signs.questions

    def count(self, part: _Part) -> int | None:
        """A number that stands alone."""
        for token in self._tokens[part.start : part.end]:
            if not token.is_film and (number := number_of(token.meant, self._phrases.numbers)):
                return number if number > 1 else None
        return None

    # Meanings

    def log(self, part: _Part) -> Intent | tuple[Intent, ...]:
        evidence = self._evidence(part.start, part.end)
        watches = evidence.watches()
        if self._situation.film_in_mind and not evidence.films and evidence.points_back():
            return self.seen(part)
        if not watches and (unknown := evidence.unknown_object()):
            return replace(unknown, doubtful=True)
        if not watches:
            return (
                self.seen(part)
                if self._situation.film_in_mind or self.places(part)
                else NotUnderstood(self.raw(part.start, part.end))
            )
        if evidence.vetoes():
            watches = tuple(watch for watch in watches if watch.firm)
        return self._as_sure(watches, part) or self._not_watched(part)

    @staticmethod
    def _as_sure(watches: Sequence[LogWatches], part: _Part) -> tuple[LogWatches, ...]:
        """The watches, doubtful where it is not sure enough that any are told."""
        return tuple(
            replace(watch, doubtful=watch.doubtful or part.sure < (FIRMLY_SURE if watch.firm else SURE))
            for watch in watches
        )

    def react(self, part: _Part) -> Intent | tuple[Intent, ...]:
        evidence = self._evidence(part.start, part.end)
        if evidence.films and not evidence.vetoes():
            watches = tuple(replace(watch, opinion=True) for watch in evidence.watches())
            return self._as_sure(watches, part) or self.mention(part)
        if (by := evidence.change()) is not None:
            return Meant(by=by)
        judged = evidence.judgement()
        if evidence.of_others():
            return NotAWatch(NotWatched.OTHERS, "")
        if judged == React():
            return Thanks(Pleasantry.HEARD) if not self._situation.film_in_mind else judged
        return judged

    def mention(self, part: _Part) -> Intent | tuple[Intent, ...]:
        evidence = self._evidence(part.start, part.end)
        if part.sure < SURE and (firm := [watch for watch in evidence.watches() if watch.firm]):
            return tuple(replace(watch, doubtful=True) for watch in firm)
        return self._not_watched(part)

    def title(self, part: _Part) -> Intent:
        films = self.films(part)
        fond = len(self._tokens[part.start : part.end]) > len(films) + 1
        return BareTitle("\n".join(films) if films else self.raw(part.start, part.end), fond=fond and bool(films))

    def recommend(self, part: _Part) -> Intent:
        wish = read_wish(self._tokens[part.start : part.end], self._said, self._phrases, tags=self._known.tags)
        marked = self._situation.film_in_mind and self._evidence(part.start, part.end).judgement().rating is not None
        if marked and not self._situation.shown and not replace(wish, count=None).says_something:
            return self.correct(part)  # “make it 3.5”
        places = self.places(part) if self.says(part, self._signs.like) and self._situation.shown else ()
        if places and not wish.like:
            wish = replace(wish, like_places=places, count=None)
        elif not wish.like and self.says(part, self._signs.like) and self.says(part, self._pointing.pointers):
            wish = replace(wish, like_it=True)
        return Recommend(wish)

    def more(self, part: _Part) -> Intent:
        wish = read_wish(self._tokens[part.start : part.end], self._said, self._phrases, tags=self._known.tags)
        if replace(wish, count=None).says_something:
            return Recommend(wish)
        return More(self.count(part))

    def why(self, part: _Part) -> Intent:
        places = self.places(part)
        films = self.films(part)
        return Why(places, None if places or not films else films[0])

    def seen(self, part: _Part) -> Intent | tuple[Intent, ...]:
        evidence = self._evidence(part.start, part.end)
        judged = evidence.judgement()
        if evidence.vetoes() and (evidence.films or not self._situation.shown):
            return self.mention(part)
        if evidence.films and (watches := evidence.watches()):
            return self._as_sure(watches, part)
        if (evidence.of_others() or evidence.has("others")) and not evidence.has_own_verb():
            return NotAWatch(NotWatched.OTHERS, "")
        places = self.places(part)
        if places and self._is_question(part) and not evidence.has_own_verb():
            return Why(places)
        every = not places and self.every(part)
        going_on = self._situation.just_logged and not (places or every or evidence.when())
        if going_on and (judged.reaction or judged.state is State.ABANDONED):
            return judged
        return Seen(places, every, evidence.when(), judged.reaction, judged.rating, judged.state)

    def dismiss(self, part: _Part) -> Intent:
        films, places = self.films(part), self.places(part)
        judged = self._evidence(part.start, part.end).judgement().reaction
        fond = judged in _FOND or (judged is None and not self.says(part, self._signs.refusing))
        if places and not films and fond:
            return Want(places)  # “the third one looks right”
        return Dismiss(
            places, films[0] if films and not places else None, every=not films and not places and self.every(part)
        )

    def save(self, part: _Part) -> Intent:
        places = self.places(part) if self._situation.shown else ()
        return Want(places, None if places else self.film(part), every=not places and self.every(part))

    def unsave(self, part: _Part) -> Intent:
        places, film = self.places(part), self.film(part)
        clear = not places and not self.films(part) and (self.every(part) or self.says(part, self._signs.clearing))
        return Unwant(places if self._situation.shown else (), None if places or clear else film, clear=clear)

    def watchlist(self, part: _Part) -> Intent:
        films = self.films(part)
        if films:
            return Watchlist(search=films[0])
        return Watchlist(best=self.says(part, self._signs.picking))

    def history(self, part: _Part) -> Intent:
        film = "\n".join(self.films(part)) or self._evidence(part.start, part.end).object_of_question()
        it = not film and self._situation.film_in_mind and self.says(part, self._pointing.pointers)
        if film or it:
            return History(film or None, it=it)
        when = self._evidence(part.start, part.end).when()
        wish = read_wish(self._tokens[part.start : part.end], self._said, self._phrases, tags=self._known.tags)
        of = Wish(genres=wish.genres, years=(None, None) if when else wish.years)
        return History(when=when, of=of if of.says_something else None)

    def remove(self, part: _Part) -> Intent:
        film = self.film(part)
        return Remove(film) if film else Undo()

    def undo(self, part: _Part) -> Intent:
        films = self.films(part)
        return Remove(films[0]) if films and not self._situation.film_in_mind else Undo()

    def correct(self, part: _Part) -> Intent:
        evidence = self._evidence(part.start, part.end)
        if (by := evidence.change()) is not None:
            return Meant(by=by)
        judged = evidence.judgement(last=True)
        if evidence.of_others() and judged != React():
            return NotAWatch(NotWatched.OTHERS, "")
        day = evidence.bare_day()
        return Meant("" if day else evidence.meant(), when=day or evidence.when(last=True), **judged.details())

    def answer(self, part: _Part) -> Intent:
        evidence = self._evidence(part.start, part.end)
        judged, when = evidence.judgement(), evidence.when()
        text = self.raw(part.start, part.end)
        if self.says(part, self._signs.none):
            return Answer(AnswerKind.NONE)
        if self.every(part) and not self.films(part):  # “all three Lord of the Rings” are films of their own
            return Answer(AnswerKind.ALL, when=when, **judged.details())
        return Answer(AnswerKind.WORDS, text=evidence.telling_words() or text, when=when, **judged.details())

    def set(self, part: _Part) -> Intent | tuple[Intent, ...]:
        found = tuple(self._settings(part))
        return found or Settings(strange=self.raw(part.start, part.end))

    def _settings(self, part: _Part) -> Iterator[Intent]:
        tokens = [token for token in self._tokens[part.start : part.end] if not token.is_mark]
        words = [token.meant for token in tokens]
        turned = sum(word in self._signs.turning for word in words) % 2 == 1
        said = self._phrases.setting_cues
        if any(word in said["group"] for word in words):
            yield Adjust(Setting.GROUP_OPT_IN, "off" if turned else "on")
        elif any(word in said["private"] | said["public"] for word in words):
            private = any(word in said["private"] for word in words)
            yield Adjust(Setting.VISIBILITY, "private" if private or turned else "public")
        if place := place_in([token.raw for token in tokens]):
            yield Adjust(Setting.TIME_ZONE, place)
        language = next((word for word in words if word in self._phrases.languages), None)
        if language and not place:
            yield Adjust(Setting.LOCALE, language)
        more, less = (any(word in said[name] for word in words) for name in ("more", "less"))
        if (more or less) and not language and not place:
            yield Adjust(Setting.ADVENTUROUSNESS, "more" if (more and not less) != turned else "less")

    def link(self, part: _Part) -> Intent:
        code = _CODE.search(self.raw(part.start, part.end))
        return LinkAccounts(code.group() if code else "")

    def chat(self, part: _Part) -> Intent:
        tokens = [token for token in self._tokens[part.start : part.end] if not token.is_mark]
        strange = all(token.word not in self._phrases.usual for token in tokens)
        if strange and part.sure < SURE:
            return NotUnderstood(self.raw(part.start, part.end))
        return Thanks(Pleasantry.SMALL_TALK)

    def _not_watched(self, part: _Part) -> Intent:
        """The films of a part as named only."""
        evidence = self._evidence(part.start, part.end)
        film = next(iter(self.films(part)), None) or evidence.object_of_denial()
        return NotAWatch(evidence.why_not(), film)

    def unclear(self, part: _Part) -> Intent | tuple[Intent, ...]:
        evidence = self._evidence(part.start, part.end)
        if evidence.has_own_verb() and not evidence.vetoes():
            watches = [watch for watch in evidence.watches() if len(watch.films.split()) >= _TELLING_WORDS]
            if watches:
                return tuple(replace(watch, doubtful=True) for watch in watches)
        return NotUnderstood(self.raw(part.start, part.end))


def _always(intent: Intent) -> Callable[[_Loose, _Part], Intent]:
    return lambda _reader, _part: intent


_MEANINGS: Mapping[str, Callable[[_Loose, _Part], Intent | tuple[Intent, ...]]] = {
    **{
        name: getattr(_Loose, name)
        for name in (
            "log", "react", "mention", "title", "recommend", "more", "why", "seen", "dismiss", "save", "unsave",
            "watchlist", "history", "remove", "undo", "correct", "answer", "set", "link", "chat", "unclear",
        )
    },
    "settings": _always(Settings()),
    "privacy": _always(Privacy()),
    "export": _always(Export()),
    "import": _always(Import()),
    "forget": _always(Forget()),
    "unlink": _always(UnlinkAccount()),
    "help": _always(Help()),
}  # fmt: skip
"""What a part that is about something means."""

INTENTS = frozenset(_MEANINGS)
"""All that a message may be about."""
DOING = INTENTS - _ASKING_NOTHING
"""What asks for something to be done."""
