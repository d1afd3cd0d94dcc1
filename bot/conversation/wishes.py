"""What a recommendation should be like, in words → `Wish`. Knows the wish phrases; knows no films and no catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.conversation.grammar import Match, Token, cover
from bot.conversation.intents import Wish
from bot.conversation.phrases import Phrases, decade_of, number_of, word_key

MAX_WORDS = 60
"""Words of one wish that are read."""

_TELLING_LENGTH = 3
_UNREAD_WORD = 1.6
"""What a word costs that no wish phrase reads: less than as part of a title two words longer, more than a filler."""

_BRACKET_YEAR = re.compile(r"\s*[(\[]\s*(\d{4})\s*[)\]]")

_UNANSWERABLE = {"runtime": "runtime", "language": "language", "service": "service", "group": "group"}


def read_wish(
    tokens: Sequence[Token],
    said: str,
    phrases: Phrases,
    *,
    negated: bool = False,
    tags: frozenset[str] | None = None,
) -> Wish:
    """Read the words of a wish. `negated`: a “no” or “not” came before them, which holds for the first thing named.

    With the catalogue's `tags` they are words of a sentence that says more than the wish: those that describe no film
    are passed over.
    """
    words = phrases.wishes.correct(tokens[:MAX_WORDS])
    count, words = _leading_count(words, phrases)
    if tags is not None:
        words = _with_tags(words, phrases, tags)
    parts = cover(words, phrases.wishes, dict.fromkeys(range(1, len(words)), True), _any, gap_word=_UNREAD_WORD)
    wish = _Wish(words, said, phrases, count, tags)
    for part in parts:
        if isinstance(part, Match):
            negated = wish.take(part, negated=negated)
        else:
            wish.leave(*part, negated=negated)
    return wish.made()


def _leading_count(words: tuple[Token, ...], phrases: Phrases) -> tuple[int | None, tuple[Token, ...]]:
    """The number that a wish begins with (“me 5 horror films”), and the words after it."""
    place = next((i for i, token in enumerate(words) if token.word not in phrases.wishing.before_count), len(words))
    number = number_of(words[place].word, phrases.numbers) if place < len(words) else None
    if number is not None and words[place].raw.casefold() != words[place].word:
        number = None  # “3.5” is no 35
    return (None, words) if number is None else (number, words[place + 1 :])


def compact(words: str) -> str:
    """Words without what parts them."""
    return words.replace(" ", "").replace("-", "").replace("'", "")


def as_typed(tokens: Sequence[Token]) -> str:
    """Words as they were typed, without case; typing errors corrected."""
    return " ".join((token.mistyped or token.raw).casefold() for token in tokens if not token.is_mark)


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


def _any(_label: str) -> bool:
    return True


class _Wish:
    """A wish being read."""

    def __init__(
        self,
        tokens: Sequence[Token],
        said: str,
        phrases: Phrases,
        count: int | None,
        tags: frozenset[str] | None = None,
    ) -> None:
        self._tokens, self._said, self._phrases, self._tags = tokens, said, phrases, tags
        self._count = count
        self._first: int | None = None
        self._last: int | None = None
        self._without_years: list[tuple[int, int]] = []
        self._recent: int | None = None
        self._adventurousness: float | None = None
        self._year_of_film: int | None = None
        """The place of a year that belongs to the film before it: “like Suspiria (1977)”."""
        self._like: list[str] = []
        self._without_films: list[str] = []
        self._genres: list[str] = []
        self._without_genres: list[str] = []
        self._names: list[str] = []
        self._players: list[str] = []
        self._words: list[str] = []
        self._unwanted: list[str] = []
        self._unanswerable: list[str] = []
        self._compared: list[str] = []
        self._softer: list[str] = []

    def made(self) -> Wish:
        """The wish as read so far."""
        return Wish(
            count=self._count,
            like=tuple(self._like),
            without_films=tuple(self._without_films),
            genres=tuple(dict.fromkeys(self._genres)),
            without_genres=tuple(dict.fromkeys(self._without_genres)),
            years=(self._first, self._last),
            without_years=tuple(dict.fromkeys(self._without_years)),
            recent=self._recent,
            adventurousness=self._adventurousness,
            names=tuple(self._names),
            players=tuple(self._players),
            words=tuple(dict.fromkeys(self._words)),
            unwanted=tuple(dict.fromkeys(self._unwanted)),
            unanswerable=tuple(dict.fromkeys(self._unanswerable)),
            compared=tuple(dict.fromkeys(self._compared)),
            softer=tuple(dict.fromkeys(self._softer)),
        )

    def leave(self, start: int, end: int, *, negated: bool) -> None:
        """Keep words that no phrase reads: neighbours together, for tags of two words."""
        words = word_key(self._tokens[start:end])
        if self._tags is not None:
            words = " ".join(self._describing(start, end))
        if words:
            (self._unwanted if negated else self._words).append(words)

    def _describing(self, start: int, end: int) -> list[str]:
        """The words that a tag is made of; a film's name that stands alone is one to be like."""
        kept: list[str] = []
        place = start
        tags = self._tags or frozenset()
        while place < end:
            token = self._tokens[place]
            if token.is_film and not self._names_more(place, end):
                self._like.append(self._raw(place, place + 1))
                place += 1
                continue
            for size in (3, 2, 1):
                inside = self._tokens[place : min(place + size, end)]
                words = word_key(inside)
                run = compact(words)
                marks = any(one.is_mark for one in inside)
                known = {run, run.removesuffix("s"), f"{run}s"} & tags or words in self._phrases.described
                if words and not marks and place + size <= end and known:
                    if size > 1 or " " in words or self._is_told(place, words):
                        kept.append(as_typed(inside))
                        place += size - 1
                    break
            else:
                following = self._tokens[place + 1].word if place + 1 < len(self._tokens) else ""
                before = self._tokens[place - 1].word if place else ""
                strange = not token.is_mark and token.word not in self._phrases.usual and token.mistyped is None
                describes = following in self._phrases.wishing.film_words or following in self._phrases.genres
                if strange and (describes or before in self._phrases.wishing.about):
                    kept.append(as_typed([token]))  # what it asks for is said to be unknown
            place += 1
        return kept

    def _names_more(self, place: int, end: int) -> bool:
        """Whether a film's name begins what is known as something else: “Jack Nicholson”, “alien invasion”."""
        longer = (word_key(self._tokens[place : place + size]) for size in (2, 3) if place + size <= end)
        return any(compact(words) in (self._tags or ()) for words in longer if " " in words)

    def _is_told(self, place: int, words: str) -> bool:
        """Whether a word that is said in any sentence describes a film here: “about food”."""
        before = self._tokens[place - 1].word if place else ""
        return words not in self._phrases.wishing.usual or before in self._phrases.wishing.about

    def take(self, part: Match, *, negated: bool) -> bool:
        """Take one reading; returns whether a “not” that came before still waits for its word."""
        match part.label:
            case "filler" | "surprise":
                return negated
            case "genre" | "without_genre":
                said = self._key(part, "genre")
                without = negated or part.label == "without_genre"
                (self._without_genres if without else self._genres).extend(self._phrases.genres[said])
                self._compare(said, without=without)
            case "compared":
                self._take_compared(self._phrases.compared[self._key(part, "compared")])
            case "like" | "without_film" if self._tags is not None and not self._names_film(part):
                self._take_loosely(part)
            case "director" | "cast" if self._tags is not None and not self._names_person(part):
                self.leave(*part.captures["name"][0], negated=negated)
            case "like" | "without_film" if self._tags is not None:
                start, end = part.captures["films"][0]
                places = [place for place in range(start, end) if self._tokens[place].is_film]
                unlike = negated or part.label == "without_film"
                (self._without_films if unlike else self._like).extend(self._with_year(p, p + 1) for p in places)
                self.leave(places[-1] + 1, end, negated=False)
            case "like" if not negated and len(apart := self._films_apart(*part.captures["films"][0])) > 1:
                self._like += apart
            case "like" | "without_film":
                films = self._with_year(*part.captures["films"][0])
                (self._without_films if negated or part.label == "without_film" else self._like).append(films)
            case "era":
                era = self._phrases.eras[self._key(part, "era")]
                self._recent = era.recent or self._recent
                self._within(era.first, era.last)
            case "without_years":
                self._without_years.append(self._span(part))
            case "decade" if negated:
                self._without_years.append(self._span(part))
            case "decade":
                self._within(*self._span(part))
            case "in_year" if part.captures["year"][0][0] == self._year_of_film:
                pass
            case "since" | "until" | "between" | "in_year":
                self._years(part)
            case "adventurousness":
                value = self._phrases.adventurousness[self._key(part, "adventurousness")]
                self._adventurousness = round(1.0 - value, 2) if negated else value
            case "count":
                number = number_of(self._key(part, "count"), self._phrases.numbers) if "count" in part.captures else 1
                self._count = number or self._count
            case "without_person" | "director" | "cast" if negated or part.label == "without_person":
                self._unwanted.append(self._raw(*part.captures["name"][0]))
            case "director" | "cast":
                name = self._raw(*part.captures["name"][0])
                self._names.append(name)
                self._players += [name] if part.label == "cast" else []
            case "unmood" | "mood" if described := self._phrases.genres.get(self._key(part, "tag")):
                (self._without_genres if part.label == "unmood" else self._genres).extend(described)
                self._compare(self._key(part, "tag"), without=part.label == "unmood")
            case "unmood":
                self._unwanted.append(self._key(part, "tag"))
            case "mood" if self._tags is not None:
                self.leave(*part.captures["tag"][0], negated=False)
            case "mood":
                self._words.append(self._key(part, "tag"))
            case other:
                self._unanswerable.append(_UNANSWERABLE[other])
        return False

    def _compare(self, said: str, *, without: bool) -> None:
        """Keep the word that means a genre if it describes films: “not too scary”, “funnier”."""
        word = self._phrases.compared.get(said, said)
        if without and word in self._phrases.described:
            self._softer.append(word)
        elif said in self._phrases.compared:
            self._compared.append(word)

    def _take_compared(self, word: str) -> None:
        """“Funnier” is a wish for comedies, “darker” for what is tagged dark; nothing where no tag says so."""
        self._compared.append(word)
        if genres := self._phrases.genres.get(word):
            self._genres.extend(genres)
        elif self._tags is None or compact(word) in self._tags:
            self._words.append(word)

    def _films_apart(self, start: int, end: int) -> list[str]:
        """The films of some words, where nothing but joining words stands between them: “Heat meets Up”."""
        between = self._phrases.around.list_joins | self._phrases.wishing.alternatives
        places = [place for place in range(start, end) if self._tokens[place].is_film]
        others = [token for token in self._tokens[start:end] if not (token.is_film or token.is_mark)]
        return [self._with_year(p, p + 1) for p in places] if all(t.word in between for t in others) else []

    def _names_film(self, part: Match) -> bool:
        """Whether a film stands where one must; “no aliens” names none."""
        start, end = part.captures["films"][0]
        films = [token for token in self._tokens[start:end] if token.is_film]
        described = part.label == "without_film" and all(
            token.raw.islower()
            and {compact(token.word), compact(token.word).removesuffix("s")} & (self._tags or frozenset())
            for token in films
        )
        return bool(films) and not described

    def _names_person(self, part: Match) -> bool:
        """Whether a name stands where one must, with capitals."""
        start, end = part.captures["name"][0]
        return end - start <= 3 and all(self._tokens[place].raw[:1].isupper() for place in range(start, end))

    def _take_loosely(self, part: Match) -> None:
        """“No jump scares”, “like really weird”: words, not films."""
        start, end = part.captures["films"][0]
        if part.label == "without_film":
            words = self._describing(start, end)
            self._unwanted += [" ".join(words)] if words else []
        else:
            self.leave(start, end, negated=False)

    def _years(self, part: Match) -> None:
        first, last = self._span(part)
        if part.label == "since":
            self._within(first, None)
        elif part.label == "until":
            self._within(None, first - 1)
        else:
            self._within(first, last)

    def _span(self, part: Match) -> tuple[int, int]:
        """The first and the last year that are named."""
        if "decade" in part.captures:
            start = self._decade(part)
            return start, start + 9
        years = [int(self._tokens[start].word) for start, _ in part.captures["year"]]
        return min(years), max(years)

    def _within(self, first: int | None, last: int | None) -> None:
        """Widen to another decade that was named (“70s or 80s”), or set the years."""
        if first is not None and last is not None and self._first is not None and self._last is not None:
            first, last = min(first, self._first), max(last, self._last)
        self._first = first if first is not None else self._first
        self._last = last if last is not None else self._last

    def _decade(self, part: Match) -> int:
        start, _ = part.captures["decade"][0]
        decade = decade_of(self._tokens[start].word, self._phrases.decades)
        if decade is None:  # the slot's type allows decades alone
            raise AssertionError(f"not a decade: {self._tokens[start].word}")
        return decade

    def _key(self, part: Match, name: str) -> str:
        start, end = part.captures[name][0]
        return word_key(self._tokens[start:end])

    def _with_year(self, start: int, end: int) -> str:
        """The films of those words, with the year in brackets that follows them."""
        films = self._raw(start, end)
        if found := _BRACKET_YEAR.match(self._said, self._tokens[end - 1].end):
            after = (place for place in range(end, len(self._tokens)) if self._tokens[place].start == found.start(1))
            self._year_of_film = next(after, None)
            return f"{films} ({found.group(1)})"
        return films

    def _raw(self, start: int, end: int) -> str:
        first, last = self._tokens[start].start, self._tokens[end - 1].end
        while last < len(self._said) and self._said[last] in ")]!'’\"”":
            last += 1
        while first > 0 and self._said[first - 1] in '(["“':
            first -= 1
        return self._said[first:last]
