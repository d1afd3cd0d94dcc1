"""What a recommendation should be like, in words → `Wish`. Knows the wish phrases; knows no films and no catalogue."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.conversation.grammar import Match, Token, cover
from bot.conversation.intents import Wish
from bot.conversation.phrases import Phrases, decade_of, number_of, word_key
from bot.conversation.wish_words import as_typed, clauses, compact, forms, is_aside, wished_words

MAX_WORDS = 60
"""Words of one wish that are read."""

_UNREAD_WORD = 1.6
"""What a word costs that no wish phrase reads: less than as part of a title two words longer, more than a filler."""

_NAMED_IN = 3
"""Words up to which what nobody knows may be something that is not wanted."""

_BRACKET_YEAR = re.compile(r"\s*[(\[]\s*(\d{4})\s*[)\]]")

_OVERHEARD = frozenset({"disliked", "runtime", "language", "service", "group"})
"""What of a wish may be said in a clause about something else: “she hates violence”."""
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
    wish = _Wish(said, phrases, tags)
    if tags is None:
        wish.read(wish.counted(words), negated=negated)
        return wish.made()
    spoken = [list(clause) for clause in clauses(wished_words(words, said, phrases, tags), phrases)]
    asides = [is_aside(clause, phrases) for clause in spoken]
    for clause, aside in zip(spoken, asides, strict=True):
        if aside and not all(asides):
            wish.overhear(clause)
        else:
            negated = wish.read(wish.counted(clause), negated=negated)
    return wish.made()


def _any(_label: str) -> bool:
    return True


def _is_unwanted(label: str) -> bool:
    return label in _OVERHEARD


class _Wish:
    """A wish being read."""

    def __init__(self, said: str, phrases: Phrases, tags: frozenset[str] | None) -> None:
        self._said, self._phrases, self._tags = said, phrases, tags
        self._tokens: Sequence[Token] = ()
        self._count: int | None = None
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

    def counted(self, words: Sequence[Token]) -> Sequence[Token]:
        """The words behind the number that they begin with, if they do (“me 5 horror films”), which is kept."""
        before = self._phrases.wishing.before_count
        place = next((place for place, one in enumerate(words) if one.word not in before), len(words))
        if self._count is not None or (number := self._number(words, place)) is None:
            return words
        self._count = number
        return words[place + 1 :]

    def _number(self, words: Sequence[Token], place: int) -> int | None:
        """The number of films that a word is: not that of people (“four of us”) or minutes."""
        token = words[place] if place < len(words) else None
        number = number_of(token.word, self._phrases.numbers) if token else None
        if token is None or number is None or token.raw.casefold() != token.word:  # “3.5” is no 35
            return None
        following = [one.word for one in words[place + 1 : place + 3]]
        of_people = any(word in self._phrases.people.oneself for word in following[1:])
        uncounted = self._phrases.around.units | self._phrases.wishing.being
        uncounted |= self._phrases.around.before_year if of_people else frozenset()
        return None if uncounted & set(following[:1]) else number

    def read(self, words: Sequence[Token], *, negated: bool) -> bool:
        """Read words of the wish; returns whether a “not” that was said still waits for its word."""
        self._tokens = words
        ends = dict.fromkeys(range(1, len(words)), True)
        for part in cover(words, self._phrases.wishes, ends, _any, gap_word=_UNREAD_WORD):
            if isinstance(part, Match):
                negated = self.take(part, negated=negated)
            else:
                self.leave(*part, negated=negated)
        return negated

    def overhear(self, words: Sequence[Token]) -> None:
        """Take what matters to the wish from words that are about something else."""
        self._tokens = words
        ends = dict.fromkeys(range(1, len(words)), True)
        for part in cover(words, self._phrases.wishes, ends, _is_unwanted):
            if isinstance(part, Match):
                self.take(part, negated=False)

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
        while place < end:
            token = self._tokens[place]
            if token.is_film and not self._names_more(place, end):
                self._like.append(self._raw(place, place + 1))
            elif size := self._described(place, end):
                if (size > 1 or " " in token.word or self._is_told(place)) and not forms(token.word) & set(self._words):
                    kept.append(as_typed(self._tokens[place : place + size]))
                place += size - 1
            elif self._count is None and (number := self._number(self._tokens, place)) and self._is_counted(place + 1):
                self._count = number
            elif self._must_describe(place):
                kept.append(as_typed([token]))  # what it asks for is said to be unknown
            place += 1
        return kept

    def _described(self, place: int, end: int) -> int:
        """How many words from here on are something that films are described by, or somebody; 0 when none is."""
        for size in range(min(3, end - place), 0, -1):
            inside = self._tokens[place : place + size]
            words = word_key(inside)
            known = forms(words) & (self._tags or frozenset()) or words in self._phrases.described
            if words and known and not any(one.is_mark for one in inside):
                return size
        return 0

    def _is_counted(self, place: int) -> bool:
        """Whether films stand behind a number: “6 obscure sci-fi films”."""
        word = self._tokens[place].word if place < len(self._tokens) else ""
        listed = self._phrases.genres, self._phrases.adventurousness, self._phrases.eras, self._phrases.described
        return word in self._phrases.wishing.film_words or any(word in words for words in listed)

    def _must_describe(self, place: int) -> bool:
        """Whether an unknown word can only say what films shall be like: “something zany”, “a zany film”."""
        token, wishing = self._tokens[place], self._phrases.wishing
        if token.is_mark or token.is_film or token.word in self._phrases.usual or token.mistyped is not None:
            return False
        following = self._tokens[place + 1] if place + 1 < len(self._tokens) else None
        if following and (following.word in wishing.film_words or following.word in self._phrases.genres):
            return True
        first = place
        while first and self._tokens[first - 1].word in wishing.degrees:
            first -= 1
        before = self._tokens[first - 1].word if first else ""
        ends = not following or following.is_mark or following.word in self._phrases.joins | wishing.after_described
        return before in wishing.about or (before in wishing.things and ends)

    def _names_more(self, place: int, end: int) -> bool:
        """Whether a film's name begins what is known as something else: “Jack Nicholson”, “alien invasion”."""
        longer = (word_key(self._tokens[place : place + size]) for size in (2, 3) if place + size <= end)
        return any(compact(words) in (self._tags or ()) for words in longer if " " in words)

    def _is_told(self, place: int) -> bool:
        """Whether a word that is said in any sentence describes a film here: “about food”."""
        before = self._tokens[place - 1].word if place else ""
        usual = self._phrases.wishing.usual | self._phrases.people.third_persons
        return self._tokens[place].word not in usual or before in self._phrases.wishing.about

    def take(self, part: Match, *, negated: bool) -> bool:
        """Take one reading; returns whether a “not” that came before still waits for its word."""
        match part.label:
            case "filler" | "surprise":
                return negated
            case "genre" if self._means_people(part):
                return negated
            case "genre" | "without_genre":
                without = negated or part.label == "without_genre"
                for start, end in part.captures["genre"]:
                    self._take_genre(word_key(self._tokens[start:end]), without=without)
                return negated and self._goes_on(part.end)
            case "swapped":
                said, other = (word_key(self._tokens[start:end]) for start, end in part.captures["genre"])
                self._take_genre(said, without=True)
                self._take_genre(other, without=False)
            case "compared":
                self._take_compared(self._phrases.compared[self._key(part, "compared")])
            case "like" | "without_film" | "disliked" if self._tags is not None and not self._names_film(part):
                self._take_loosely(part)
            case "director" | "cast" if self._tags is not None and not negated:
                self.leave(self._take_people(part), part.captures["name"][0][1], negated=False)
            case "like" | "without_film" | "disliked" if self._tags is not None:
                start, end = part.captures["films"][0]
                places = [place for place in range(start, end) if self._tokens[place].is_film]
                unlike = negated or part.label != "like"
                (self._without_films if unlike else self._like).extend(self._with_year(p, p + 1) for p in places)
                self.leave(places[-1] + 1, end, negated=False)
            case "like" if not negated and len(apart := self._films_apart(*part.captures["films"][0])) > 1:
                self._like += apart
            case "like" | "without_film" | "disliked":
                films = self._with_year(*part.captures["films"][0])
                (self._without_films if negated or part.label != "like" else self._like).append(films)
            case "era":
                era = self._phrases.eras[self._key(part, "era")]
                self._recent = self._recent if era.recent is None else era.recent
                self._within(era.first, era.last)
            case "without_era":
                era = self._phrases.eras[self._key(part, "era")]
                self._within(None if era.last is None else era.last + 1, None if era.first is None else era.first - 1)
            case "without_years":
                self._without_years.append(self._span(part))
            case "decade" if negated:
                self._without_years.append(self._span(part))
            case "decade":
                self._within(*self._span(part))
            case "in_year" if part.captures["year"][0][0] == self._year_of_film:
                pass
            case "since" | "until" | "through" | "between" | "in_year":
                self._years(part)
            case "adventurousness" | "unadventurousness":
                value = self._phrases.adventurousness[self._key(part, "adventurousness")]
                turned = negated != (part.label == "unadventurousness")
                self._adventurousness = round(1.0 - value, 2) if turned else value
            case "count":
                self._count = self._counted(part) or self._count
            case "without_person" | "director" | "cast" if negated or part.label == "without_person":
                self._unwanted.append(self._raw(*part.captures["name"][0]))
            case "director" | "cast":
                name = self._raw(*part.captures["name"][0])
                self._names.append(name)
                self._players += [name] if part.label == "cast" else []
            case "mood" if number := self._number([self._tokens[part.captures["tag"][0][0]]], 0):
                self._count = number
            case "unmood" | "mood" if described := self._phrases.genres.get(self._key(part, "tag")):
                (self._without_genres if part.label == "unmood" else self._genres).extend(described)
                self._compare(self._key(part, "tag"), without=part.label == "unmood")
            case "unmood" if self._tags is not None and not self._tells(self._key(part, "tag")):
                return negated
            case "unmood":
                self._unwanted.append(self._key(part, "tag"))
            case "mood" if self._tags is not None:
                self.leave(*part.captures["tag"][0], negated=False)
            case "mood":
                self._words.append(self._key(part, "tag"))
            case other:
                self._unanswerable.append(_UNANSWERABLE[other])
        return False

    def _counted(self, part: Match) -> int | None:
        """How many films are counted; “the one” counts none."""
        if "count" not in part.captures:
            return 1
        place, end = part.captures["count"][0]
        number = number_of(word_key(self._tokens[place:end]), self._phrases.numbers)
        return None if number == 1 and all(one.is_mark for one in self._tokens[end : end + 1]) else number

    def _goes_on(self, place: int) -> bool:
        """Whether an “or” stands there, behind which what was said before holds still."""
        return place < len(self._tokens) and self._tokens[place].word in self._phrases.wishing.alternatives

    def _take_genre(self, said: str, *, without: bool) -> None:
        (self._without_genres if without else self._genres).extend(self._phrases.genres[said])
        self._compare(said, without=without)

    def _means_people(self, part: Match) -> bool:
        """Whether a genre is somebody: “the kids are in bed”."""
        start, end = part.captures["genre"][0]
        before = self._tokens[start - 1].word if start else ""
        following = next((token.word for token in self._tokens[end : end + 2] if not token.is_mark), "")
        people, articles = self._phrases.people, self._phrases.around.articles
        somebody = word_key(self._tokens[start:end]) in people.third_persons
        of_films = following in self._phrases.wishing.film_words or following in self._phrases.genres
        return self._tags is not None and somebody and before in people.others_begin | articles and not of_films

    def _tells(self, word: str) -> bool:
        """Whether a word can be what films are like: “too many” says nothing of them."""
        known = forms(word) & (self._tags or frozenset()) or word in self._phrases.described
        return bool(known) or word not in self._phrases.usual

    def _take_people(self, part: Match) -> int:
        """Take the people named where some must stand; returns the place behind them."""
        place, end = part.captures["name"][0]
        while place < end:
            sizes = range(min(3, end - place), 0, -1)
            size = next((size for size in sizes if self._names_person(place, place + size)), 0)
            if not size:
                break
            name = self._raw(place, place + size)
            self._names.append(name)
            self._players += [name] if part.label == "cast" else []
            place += size
            while place < end and self._tokens[place].word in self._phrases.joins | self._phrases.wishing.alternatives:
                place += 1
        return place

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
        elif self._tags is None or compact(word) in self._tags or word in self._phrases.described:
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
        return any(token.is_film for token in self._tokens[start:end])

    def _names_person(self, start: int, end: int) -> bool:
        """Whether words are a name, with capitals."""
        names = self._tokens[start:end]
        capitals = all(one.raw[:1].isupper() and not one.is_film for one in names)
        return capitals and not all(one.word in self._phrases.usual for one in names)

    def _take_loosely(self, part: Match) -> None:
        """“No jump scares”, “like really weird”: words, not films, unless nothing says what they are."""
        start, end = part.captures["films"][0]
        if part.label != "like":
            self._take_unwanted(start, end)
        elif strange := self._strange(start, end):
            self._like += strange
        else:
            self.leave(start, end, negated=False)

    def _strange(self, start: int, end: int) -> list[str]:
        """The names that words must be, since they are nothing else: “coherence or primer”."""
        while end > start and (self._tokens[end - 1].is_mark or self._tokens[end - 1].word in self._phrases.usual):
            end -= 1
        parting = self._phrases.joins | self._phrases.wishing.alternatives | {","}
        names = [place for place in range(start, end) if self._tokens[place].word not in parting]
        if any(self._tokens[place].word in self._phrases.usual or self._described(place, end) for place in names):
            return []
        return [self._raw(place, place + 1) for place in names]

    def _take_unwanted(self, start: int, end: int) -> None:
        """Words of a list of what is not wanted; behind a comma only as long as the list goes on to an “or”."""
        parting = self._phrases.joins | self._phrases.wishing.alternatives
        last = max((place for place in range(start, end) if self._tokens[place].word in parting), default=start)
        stop = next((place for place in range(last, end) if self._tokens[place].is_mark), end)
        self.leave(stop, end, negated=False)
        place, found = start, False
        while place < stop:
            said = (word_key(self._tokens[place : place + size]) for size in (3, 2, 1) if place + size <= stop)
            if genre := next((words for words in said if words in self._phrases.genres), ""):
                self._take_genre(genre, without=True)
                size = len(genre.split())
            elif size := self._described(place, stop):
                self._unwanted.append(as_typed(self._tokens[place : place + size]))
            place += size or 1
            found = found or bool(size)
        while stop > start and self._tokens[stop - 1].word in self._phrases.usual:
            stop -= 1
        if not found and 0 < stop - start <= _NAMED_IN:
            self._unwanted.append(as_typed(self._tokens[start:stop]))

    def _years(self, part: Match) -> None:
        first, last = self._span(part)
        if part.label == "since":
            self._within(first, None)
        elif part.label == "until":
            self._within(None, first - 1)
        elif part.label == "through":
            self._within(None, last)
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
