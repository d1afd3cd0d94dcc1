"""Sentence templates and what they match: `tokenize`, `Grammar`.

Knows words, templates and costs, and nothing about films, intents or any language: those come as data. A template is
written with `[optional]`, `(this|that)`, `<rule>`, `{slot}`, `{slot:type}`, `{slot:<rule>}`, and `*` or `+` after a
bracket. A slot without a type holds any words; with `~` behind its name they cost less, for phrases that pass over
much, and with `!` more, for phrases that have little but the slot.

Every template of a grammar becomes part of one automaton, run over the words as Pike's virtual machine does, so that
the time is bounded by words × states whatever is typed; there are no regular expressions over what people wrote beyond
the tokenizer's. Of all readings the one with the least free text wins: in “watched Alien last night” the film is one
word, because the other two are a date that some template knows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

MAX_TOKENS = 300
"""Words and marks looked at in one message; far more than anyone types to a bot."""

_FREE, _PASSED_OVER = 1.0, 0.4
_OF_SIGN = {"": _FREE, "~": _PASSED_OVER, "!": 1.8}
"""What a word costs in a slot without a type, by the sign behind its name."""
_TYPED, _ANY_WORD, _MISTYPED, _FILLER = 0.05, 0.6, 0.5, 0.05
_MISTYPED_LENGTH = 5
_ANY = frozenset({"word", "other"})
"""Types of slots that hold about any word."""

_TOKEN = re.compile(
    r"""
      \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?!\w)                # a date in figures
    | \d{1,4}(?:[.,]\d{1,3})?/\d{1,4}(?!\w)                # 8/10, 4.5/5
    | \d{1,9}[.,]\d{1,9}%? | \d{1,9}%                      # 4.5, 80%
    | (?:[^\W\d_]\.){2,8}[^\W\d_]?(?!\w)                   # E.T.
    | [★☆⭐½]{1,12}
    | [A-Fa-f][+\-−](?!\w) | \d{1,2}\*                       # school grades: A-, B+; 5*
    | '\d0s(?!\w)                                          # '70s
    | [^\W_]+(?:['’\-&·][^\W_]+)*\+?                       # words, also isn't, sci-fi, B+
    | \n | \S
    """,
    re.VERBOSE,
)
SPEAKING = frozenset("★☆⭐½👍👎❤😍🔥💩")
"""Signs that say something as words do."""
_LONE_WORD = re.compile(r"\s*([^\s|()\[\]{}<>*]+)\s*(?=[|)\]]|$)")
_INNER_MARKS = str.maketrans("", "", "'’-.&·")


def plain(word: str) -> str:
    """A word as templates compare it: no case, no accents, no apostrophes or hyphens (“Isn't” → “isnt”)."""
    if word.isascii():
        return word.lower().translate(_INNER_MARKS)
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_INNER_MARKS)


def spellings(word: str, respelled: Mapping[str, str]) -> set[str]:
    """A word in plain form, and as it is with letters written in another way (“für” → “fur”, “fuer”)."""
    other = word.casefold()
    for letter, written in respelled.items():
        other = other.replace(letter, written)
    return {plain(word), plain(other)}


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark: what was typed (`text[start:end]`), its plain form, the phrase word it was mistyped from."""

    raw: str
    word: str
    start: int
    end: int
    is_mark: bool
    mistyped: str | None = None
    is_film: bool = False
    """All these words are the name of a film, put together as one by `spotting`."""

    @property
    def meant(self) -> str:
        """The plain form, with a typing error corrected."""
        return self.mistyped or self.word


def tokenize(text: str) -> tuple[Token, ...]:
    """At most `MAX_TOKENS` words and marks of a text."""
    tokens: list[Token] = []
    for found in _TOKEN.finditer(text):
        if len(tokens) == MAX_TOKENS:
            break
        raw = found.group()
        is_mark = not any(c.isalnum() or c in SPEAKING for c in raw)
        tokens.append(Token(raw, raw if is_mark else plain(raw) or raw, found.start(), found.end(), is_mark))
    return tuple(tokens)


@dataclass(frozen=True, slots=True)
class Match:
    """One template's reading of `tokens[start:end]`; captures are token ranges without marks at their ends."""

    label: str
    start: int
    end: int
    cost: float
    captures: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


class TemplateError(ValueError):
    """A template is not well formed; the sentence names it."""


Predicate = Callable[[Token], bool]
_Events = tuple["_Events", str, bool, int] | None  # (earlier events, slot, opened or closed, place)


def _is_word(token: Token) -> bool:
    return not token.is_mark


def _one_of(words: frozenset[str]) -> Predicate:
    return lambda token: token.word in words


@dataclass(slots=True)
class _State:
    """One state: at most one symbol to step over, or silent moves (with a slot that opens or closes on the way).

    A state with `rule` goes through that rule's automaton first and then on to `target`; a rule's last state returns.
    """

    symbol: frozenset[str] | Predicate | None = None
    cost: float = 0.0
    target: int = -1
    rule: str = ""
    returns: bool = False
    moves: list[tuple[int, str, bool]] = field(default_factory=list)  # (target, slot or "", opens)


_Stack = tuple[int, "_Stack"] | tuple[()]
"""Where to go on when the rules that one is inside of end; innermost first."""
_Passed = tuple[tuple[str, bool], ...]
"""Slots that open (True) or close on a way."""
_Reached = tuple[tuple[int, _Passed, frozenset[str] | Predicate | None], ...]
"""Where silent moves lead, each with the slots that open and close on the way."""


def _parts_of(template: str) -> list[str]:
    """A template cut where it stands outside of all brackets at a space; whole when it is alternatives there."""
    parts, start, depth = [], 0, 0
    for place, sign in enumerate(template):
        depth += (sign in "([{<") - (sign in ")]}>")
        if depth == 0 and sign == "|":
            return [template]
        if depth == 0 and sign.isspace():
            parts.append(template[start:place])
            start = place + 1
    return [part for part in (*parts, template[start:]) if part]


class Grammar:
    """Templates by label, compiled to one automaton.

    `rules` are named sub-templates; `types` the typed slots (`{year}`); `before` and `after` are words that may stand
    around any template; `respelled` are letters that people also write in another way (“ü” as “ue”), `no_slips` words
    that are never mistyped ones of the templates. Earlier templates win ties. Rules are compiled once each; what a
    state inside a rule leads to is worked out when a reading first gets there.
    """

    def __init__(
        self,
        templates: Mapping[str, Sequence[str]],
        *,
        rules: Mapping[str, str],
        types: Mapping[str, Predicate],
        before: Iterable[str] = (),
        after: Iterable[str] = (),
        respelled: Mapping[str, str] | None = None,
        no_slips: Iterable[str] = (),
    ) -> None:
        """Compile; TemplateError names a template that is not well formed."""
        self._respelled = respelled or {}
        self._no_slips = frozenset(map(plain, no_slips))
        self._written_rules, self._types = rules, types
        self._rules: dict[str, int] = {}
        self.labels = frozenset(templates)
        self._before = self._spelt(before)
        trailing = self._spelt(after)
        self._states: list[_State] = []
        self._accepting: dict[int, str] = {}
        self._places: list[tuple[int, _Stack]] = []
        self._numbers: dict[tuple[int, _Stack], int] = {}
        self.symbols: list[frozenset[str] | Predicate | None] = []
        """By place, what must stand there."""
        self.ends: list[str | None] = []
        """By place, the label of the template that ends there."""
        self._reached: dict[int, _Reached] = {}
        self.vocabulary: set[str] = set(self._before | trailing)
        begin = self._new()
        shared: dict[tuple[int, str], int] = {}
        for label, written in templates.items():
            for template in written:
                end = begin
                for part in _parts_of(template):  # templates that begin alike share their states
                    if (end, part) not in shared:
                        start = self._new()
                        self._silently(end, start)
                        shared[end, part] = self._whole(part, start)
                    end = shared[end, part]
                accept = self._new()
                self._accepting[accept] = label
                self._silently(end, accept)
                if trailing:
                    loop = self._new(_one_of(trailing), cost=_FILLER)
                    self._states[loop].target = accept
                    self._silently(accept, loop)
        self._long_words = tuple(w for w in sorted(self.vocabulary) if len(w) >= _MISTYPED_LENGTH)
        self._by_first_word: dict[str, list[tuple[int, _Passed]]] = {}
        self._by_first_type: dict[Predicate, list[tuple[int, _Passed]]] = {}
        for place, passed, symbol in self._from(begin, ()):
            if isinstance(symbol, frozenset):
                for word in symbol:
                    self._by_first_word.setdefault(word, []).append((place, passed))
            elif symbol is not None:
                self._by_first_type.setdefault(symbol, []).append((place, passed))

    # Compiling

    def _new(self, symbol: frozenset[str] | Predicate | None = None, *, cost: float = 0.0) -> int:
        self._states.append(_State(symbol, cost))
        return len(self._states) - 1

    def _silently(self, state: int, target: int, slot: str = "", *, opens: bool = False) -> None:
        self._states[state].moves.append((target, slot, opens))

    def _whole(self, template: str, start: int) -> int:
        place, end = self._alternatives(template, 0, start)
        if place != len(template):
            raise TemplateError(f"“{template}” has a bracket that was never opened")
        return end

    def _alternatives(self, template: str, place: int, start: int) -> tuple[int, int]:
        """Compile `a|b|c` up to a closing bracket or the end; returns the place there and the state they all reach."""
        end = self._new()
        lone: set[str] = set()  # alternatives of one word share a state
        while True:
            if word := _LONE_WORD.match(template, place):
                lone |= self._spelt([word.group(1)])
                place = word.end()
            else:
                place, reached = self._sequence(template, place, start)
                self._silently(reached, end)
            if place < len(template) and template[place] == "|":
                place += 1
                continue
            if lone:
                self._silently(self._words(frozenset(lone), start), end)
            return place, end

    def _sequence(self, template: str, place: int, current: int) -> tuple[int, int]:
        while place < len(template) and template[place] not in "|)]":
            sign = template[place]
            if sign.isspace():
                place += 1
            elif sign in "([":
                place, current = self._bracket(template, place, current)
            elif sign == "{":
                close = self._close(template, place)
                current = self._slot(template[place + 1 : close], current)
                place = close + 1
            elif sign == "<":
                close = self._find(template, ">", place)
                current = self._rule(template[place + 1 : close], current)
                place = close + 1
            else:
                stop = place
                while stop < len(template) and template[stop] not in " |()[]{}<>*":
                    stop += 1
                if stop == place:
                    raise TemplateError(f"“{template}” has a sign that means nothing there: {sign}")
                current = self._words(self._spelt([template[place:stop]]), current)
                place = stop
        return place, current

    @staticmethod
    def _close(template: str, place: int) -> int:
        """The end of the slot that begins there; a slot may hold others: `{when:<month> {year}}`."""
        depth = 0
        for at in range(place, len(template)):
            depth += (template[at] == "{") - (template[at] == "}")
            if depth == 0:
                return at
        raise TemplateError(f"“{template}” has a bracket that was never closed")

    @staticmethod
    def _find(template: str, sign: str, place: int) -> int:
        found = template.find(sign, place)
        if found < 0:
            raise TemplateError(f"“{template}” has a bracket that was never closed")
        return found

    def _bracket(self, template: str, place: int, current: int) -> tuple[int, int]:
        optional = template[place] == "["
        inside = self._new()
        self._silently(current, inside)
        place, end = self._alternatives(template, place + 1, inside)
        if place >= len(template) or template[place] != ("]" if optional else ")"):
            raise TemplateError(f"“{template}” has a bracket that was never closed")
        place += 1
        repeat = template[place] if place < len(template) and template[place] in "*+" else ""
        if repeat:
            place += 1
            self._silently(end, inside)
        if optional or repeat == "*":
            self._silently(current, end)
        return place, end

    def _spelt(self, words: Iterable[str]) -> frozenset[str]:
        return frozenset(form for word in words for form in spellings(word, self._respelled))

    def _words(self, words: frozenset[str], current: int) -> int:
        if "" in words:
            raise TemplateError("a template has a word of nothing but marks")
        self.vocabulary |= words
        return self._step(current, words)

    def _step(self, current: int, symbol: frozenset[str] | Predicate, *, cost: float = 0.0) -> int:
        state, target = self._new(symbol, cost=cost), self._new()
        self._states[state].target = target
        self._silently(current, state)
        return target

    def _slot(self, written: str, current: int) -> int:
        name, _, kind = written.partition(":")
        sign = name[-1:] if name.endswith(("~", "!")) else ""
        name, cost = name.removesuffix(sign), _OF_SIGN[sign]
        opened, closed = self._new(), self._new()
        self._silently(current, opened, name, opens=True)
        if (kind or name) in self._types:
            cost = _ANY_WORD if (kind or name) in _ANY else _TYPED
            reached = self._step(opened, self._types[kind or name], cost=cost)
        elif kind:
            reached = self._whole(kind, opened)
        else:
            reached = self._step(opened, _is_word, cost=cost)
            again = self._new(_is_word, cost=cost)
            self._states[again].target = reached
            self._silently(reached, again)
        self._silently(reached, closed, name)
        return closed

    def _rule(self, name: str, current: int) -> int:
        if name not in self._written_rules:
            raise TemplateError(f"there is no rule “{name}”")
        if name not in self._rules:
            self._rules[name] = start = self._new()
            self._states[self._whole(self._written_rules[name], start)].returns = True
        call, after = self._new(), self._new()
        self._silently(current, call)
        self._states[call].rule, self._states[call].target = name, after
        return after

    # Where silent moves lead

    def _number(self, state: int, stack: _Stack) -> int:
        """The number of a state inside the rules of a stack; each such place is one state of the whole automaton."""
        number = self._numbers.get((state, stack))
        if number is None:
            number = self._numbers[state, stack] = len(self._places)
            self._places.append((state, stack))
            self.symbols.append(self._states[state].symbol)
            self.ends.append(self._accepting.get(state))
        return number

    def cost(self, place: int) -> float:
        """What it costs to step over the symbol of a place."""
        return self._states[self._places[place][0]].cost

    def after(self, place: int) -> _Reached:
        """Where stepping over the symbol of a place leads: places, what is passed on the way, and their symbols."""
        known = self._reached.get(place)
        if known is None:
            state, stack = self._places[place]
            known = self._reached[place] = self._from(self._states[state].target, stack)
        return known

    def _from(self, state: int, stack: _Stack) -> _Reached:
        """The places with a symbol, and the accepting ones, that silent moves reach; earlier templates first."""
        reached: list[tuple[int, _Passed, frozenset[str] | Predicate | None]] = []
        seen = {(state, stack)}
        todo: list[tuple[int, _Stack, _Passed]] = [(state, stack, ())]
        while todo:
            number, inside, passed = todo.pop()
            here = self._states[number]
            if here.symbol is not None:
                reached.append((self._number(number, inside), passed, here.symbol))
                continue
            if number in self._accepting:
                reached.append((self._number(number, inside), passed, None))
            onward: list[tuple[int, _Stack, _Passed]] = []
            if here.rule:
                onward.append((self._rules[here.rule], (here.target, inside), passed))
            if here.returns and inside:
                onward.append((inside[0], inside[1], passed))
            onward += [(to, inside, (*passed, (slot, opens)) if slot else passed) for to, slot, opens in here.moves]
            for item in reversed(onward):
                if item[:2] not in seen:
                    seen.add(item[:2])
                    todo.append(item)
        return tuple(reached)

    # Matching

    def correct(self, tokens: Sequence[Token]) -> tuple[Token, ...]:
        """The tokens, with words one slip away from a word of the templates marked as such (“recomend”)."""
        return tuple(self._corrected(token) for token in tokens)

    def _corrected(self, token: Token) -> Token:
        meant = None
        if (
            not token.is_mark
            and _MISTYPED_LENGTH <= len(token.word) <= 20
            and token.word not in self.vocabulary
            and token.word not in self._no_slips
        ):
            near = process.extractOne(token.word, self._long_words, scorer=OSA.distance, score_cutoff=1)
            meant = near[0] if near and near[0][0] == token.word[0] else None
        return token if meant == token.mistyped else replace(token, mistyped=meant)

    def begun(self, token: Token) -> Iterator[tuple[int, float, _Passed]]:
        """The places whose symbol a first word fits, with what that costs and the slots that open before it."""
        for place, passed in self._by_first_word.get(token.word, ()):
            yield place, 0.0, passed
        if token.mistyped:
            for place, passed in self._by_first_word.get(token.mistyped, ()):
                yield place, _MISTYPED, passed
        for fits, places in self._by_first_type.items():
            if fits(token):
                for place, passed in places:
                    yield place, self.cost(place), passed

    def rank(self, place: int) -> int:
        """Ascending with the order of the templates that end at places."""
        return self._places[place][0]

    def is_filler(self, token: Token) -> bool:
        """Whether a word may stand before any template."""
        return token.word in self._before


_GAP_START, _GAP_WORD = 1.0, 4.0
_READING, _UNMARKED_SPLIT = 0.3, 1.5


def cover(
    tokens: Sequence[Token],
    grammar: Grammar,
    points: Mapping[int, bool],
    labels: Callable[[str], bool],
    *,
    gap_word: float = _GAP_WORD,
) -> tuple[Match | tuple[int, int], ...]:
    """Read a whole text as readings and gaps (token ranges), at the least cost.

    `points` are the places where a reading may begin; the value says whether a mark or a joining word shows it (a split
    that nothing shows costs more). Only templates whose label `labels` allows are read. `gap_word` is the cost of a
    word that nothing reads. One pass over the words, whatever the points: readings that began at different places and
    have come to the same state of the automaton go on as the cheapest of them.
    """
    return _Cover(tokens, grammar, points, labels, gap_word).parts()


class _Cover:
    """One text being covered. `_best`: by place the least cost to there, the place before, and the reading between;
    `_after`: the threads behind the word stepped over, of those that the `_next` word (marks left out) fits; `_fits`:
    whether it is of a type."""

    def __init__(
        self,
        tokens: Sequence[Token],
        grammar: Grammar,
        points: Mapping[int, bool],
        labels: Callable[[str], bool],
        gap_word: float,
    ) -> None:
        self._tokens, self._grammar, self._points, self._labels = tokens, grammar, points, labels
        self._gap_word = gap_word
        self._best: dict[int, tuple[float, int, Match | None]] = {0: (0.0, -1, None)}
        self._after: dict[int, tuple[float, _Events]] = {}
        self._ended: tuple[float, int, str, _Events] | None = None
        self._next: Token | None = None
        self._fits: dict[Predicate, bool] = {}

    def parts(self) -> tuple[Match | tuple[int, int], ...]:
        size = len(self._tokens)
        places = sorted({0, *(p for p in self._points if 0 < p < size)})
        following = dict(zip(places, [*places[1:], size], strict=True))
        behind = self._words_behind()
        threads: dict[int, tuple[float, _Events]] = {}
        beginning: tuple[float, int] | None = None  # cost, with fillers, and place where a reading may have begun
        for place, token in enumerate(self._tokens):
            if place in following:
                beginning = self._begin(place, following[place], beginning)
            if not token.is_mark:  # marks may stand between any two words, and after the last
                self._after, self._ended, self._next, self._fits = {}, None, behind[place], {}
                if beginning is not None:
                    cost, start = beginning
                    begun: _Events = (None, "", True, start)
                    for state, more, passed in self._grammar.begun(token):
                        self._advance(state, cost + more, _passed(begun, passed, place), place)
                    beginning = (cost + _FILLER, start) if self._grammar.is_filler(token) else None
                self._step(threads, token, place)
                threads = self._after
            if self._ended is not None and (place + 1 == size or place + 1 in following):
                cost, _, label, events = self._ended
                match = self._match(place + 1, cost, label, events)
                self._offer(place + 1, cost, match.start, match)
        return self._traced(size)

    def _words_behind(self) -> list[Token | None]:
        """By token the first word behind it."""
        behind: list[Token | None] = []
        following: Token | None = None
        for token in reversed(self._tokens):
            behind.append(following)
            following = following if token.is_mark else token
        behind.reverse()
        return behind

    def _begin(self, place: int, following: int, beginning: tuple[float, int] | None) -> tuple[float, int] | None:
        """A reading may begin at a place, or a gap that reaches to the following one."""
        if place not in self._best:
            return beginning
        base, _, reading = self._best[place]
        words = sum(not token.is_mark for token in self._tokens[place:following])
        gap = _GAP_START if place == 0 or reading is not None else 0.0
        self._offer(following, base + gap + words * self._gap_word, place, None)
        split = 0.0 if place == 0 or self._points[place] else _UNMARKED_SPLIT
        fresh = (base + _READING + split, place)
        return fresh if beginning is None or fresh[0] < beginning[0] else beginning

    def _offer(self, place: int, cost: float, earlier: int, match: Match | None) -> None:
        if place not in self._best or cost < self._best[place][0]:
            self._best[place] = (cost, earlier, match)

    def _step(self, threads: Mapping[int, tuple[float, _Events]], token: Token, place: int) -> None:
        """Step over a word in every thread; those that it does not fit were left behind a word before."""
        symbols, word = self._grammar.symbols, token.word
        for state, (cost, events) in threads.items():
            symbol = symbols[state]
            if isinstance(symbol, frozenset):
                self._advance(state, cost if word in symbol else cost + _MISTYPED, events, place)
            else:
                self._advance(state, cost + self._grammar.cost(state), events, place)

    def _advance(self, state: int, cost: float, events: _Events, place: int) -> None:
        """Step over the symbol of a state: to all places that the next word fits, and to where a template ends."""
        after, token, fits = self._after, self._next, self._fits
        word, mistyped = (token.word, token.mistyped) if token else (None, None)
        for target, passed, symbol in self._grammar.after(state):
            if symbol is None:
                self._end(target, cost, _passed(events, passed, place + 1) if passed else events)
                continue
            if token is None:
                continue
            if isinstance(symbol, frozenset):
                if word not in symbol and mistyped not in symbol:
                    continue
            else:
                fit = fits.get(symbol)
                if fit is None:
                    fit = fits[symbol] = symbol(token)
                if not fit:
                    continue
            known = after.get(target)
            if known is None or cost < known[0]:
                after[target] = (cost, _passed(events, passed, place + 1) if passed else events)

    def _end(self, state: int, cost: float, events: _Events) -> None:
        label = self._grammar.ends[state]
        if label is not None and self._labels(label):
            rank = self._grammar.rank(state)
            if self._ended is None or (cost, rank) < self._ended[:2]:
                self._ended = (cost, rank, label, events)

    def _match(self, end: int, cost: float, label: str, events: _Events) -> Match:
        passed: list[tuple[str, bool, int]] = []
        while events is not None:
            events, slot, opens, place = events
            passed.append((slot, opens, place))
        start = passed.pop()[2]
        opened: dict[str, int] = {}
        captures: dict[str, tuple[tuple[int, int], ...]] = {}
        for slot, opens, place in reversed(passed):
            if opens:
                opened[slot] = place
                continue
            first, last = opened.pop(slot, place), place
            while first < last and self._tokens[first].is_mark:
                first += 1
            while last > first and self._tokens[last - 1].is_mark:
                last -= 1
            if first < last:
                captures[slot] = (*captures.get(slot, ()), (first, last))
        return Match(label, start, end, cost, captures)

    def _traced(self, size: int) -> tuple[Match | tuple[int, int], ...]:
        """The parts of the cheapest way to the end; neighbouring gaps are one."""
        parts: list[Match | tuple[int, int]] = []
        place = size
        while place > 0:
            _, earlier, reading = self._best[place]
            if reading is not None:
                parts.append(reading)
            elif parts and isinstance(parts[-1], tuple):
                parts[-1] = (earlier, parts[-1][1])
            else:
                parts.append((earlier, place))
            place = earlier
        return tuple(reversed(parts))


def _passed(events: _Events, passed: _Passed, place: int) -> _Events:
    for slot, opens in passed:
        events = (events, slot, opens, place)
    return events
