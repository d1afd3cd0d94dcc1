"""What was typed → intents: `understand`, a pure function.

Knows the phrases and what each of them means; knows no films (a title is any words here), no person and no clock. What
is not surely said is not made up: words that no phrase reads become `BareTitle` or `NotUnderstood`, and things that are
not watches (plans, questions, negations, what others saw) become `NotAWatch`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from bot.conversation.afterwards import about_told
from bot.conversation.arguments import by_name
from bot.conversation.commands import ALIASES, Name, taken_apart
from bot.conversation.comparing import refined
from bot.conversation.cues import REACTIONS
from bot.conversation.evidence import Evidence, read_films
from bot.conversation.gist import gist_for
from bot.conversation.grammar import SPEAKING, Match, Token, cover, plain, tokenize
from bot.conversation.intents import (
    Adjust,
    AdjustPlace,
    Answer,
    AnswerKind,
    Asked,
    BareTitle,
    Dismiss,
    Export,
    Forget,
    Greeting,
    Help,
    History,
    Import,
    Intent,
    LinkAccounts,
    LogFound,
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
    Together,
    Undo,
    UnlinkAccount,
    Unwant,
    Want,
    Watchlist,
    Why,
    Wish,
)
from bot.conversation.loosely import DOING, only_corrects, read_loosely, with_named
from bot.conversation.namesakes import settled
from bot.conversation.phrases import (
    Phrases,
    number_of,
    ordinal_of,
    phrases_for,
    places_in,
    spoken_languages,
    word_key,
)
from bot.conversation.ratings import stars_said
from bot.conversation.spotting import Known, spotted
from bot.conversation.wish_words import compact
from bot.conversation.wishes import read_wish
from engine.names import loose_key
from engine.titles import Certainty

MAX_TEXT = 2_000
"""Characters of a message that are read; a list of a hundred films is shorter."""

MAX_PLACES = 50
"""Places that may be named when no list was shown, to be told that there is none."""

_VARIANTS = frozenset("\ufe0e\ufe0f\u200d")
"""Signs that only say how the picture before them is drawn."""
_FEW_WORDS = 4
_FEW_WISHED = 6

MAX_BARE_TITLE = 20
"""Words up to which an unread message may be a title."""

_EXACT = 0.98
"""Similarity from which a name is as good as written out."""
_STRAY = (Dismiss, NotAWatch, Want, Undo, History, BareTitle)
"""What phrases read out of sentences that go on about one film: “watched Alien. Not for me, that.”"""
_SURELY_ONE = 0.85
"""Probability from which a message is about one thing, though phrases read several."""
_FEW_ANSWERED = 12
"""Words and marks up to which what stands first may answer a question."""
_FEW_UNKNOWN = 8
"""Words that may be a misspelt or unknown title."""
_CONTRADICTED = 0.5
"""Probability that a film is only mentioned from which phrases alone log none."""
_BEST_MARK, _MOST_STARS = 10, 5
_NUMBERED = re.compile(r"(\d{1,3})[.)]\s+")
"""“1. ”, before an item of a list."""
_NUMERAL = re.compile(r"[ivx]{1,4}|\d{1,2}")
_SEPARATORS = frozenset(".!?;,\n—–-…/")
_BEGINNING = frozenset("\n¿¡")
"""Marks behind which something new begins."""
_LOOKS = "want.looks"
"""What saves a film only where nothing else is said."""
_REMARKS = frozenset({"thanks", "greeting"})
_STATES = {"log.abandoned": State.ABANDONED, "log.rewatched": State.REWATCH}
_ASIDES = {NotWatched.OTHERS, NotWatched.PASSING, NotWatched.HYPOTHETICAL}
"""What is passed over beside something to do: “watched Alien with the kids, they loved it”."""
_ANSWERS = {
    Asked.WHICH_FILM: {"place", "none", "cancel", "yes", "all", "watched"},
    Asked.WHICH_SHOWN: {"place", "none", "cancel", "yes", "all"},
    Asked.WATCHED_OR_LIKE: {"place", "none", "cancel", "yes", "watched", "similar"},
    Asked.ADD_FILM: {"place", "none", "cancel", "yes", "watched", "anyway"},
    Asked.LINK: {"place", "none", "cancel", "yes"},
    Asked.UNLINK: {"place", "none", "cancel", "yes"},
    Asked.FORGET: {"none", "cancel", "yes"},
}
"""How each kind of question may be answered, beside words of its own."""
_REACTIONS = {
    "log.loved": Reaction.LOVED,
    "log.liked": Reaction.LIKED,
    "log.disliked": Reaction.DISLIKED,
    "log.hated": Reaction.HATED,
}


def cleaned(text: str) -> str:
    """At most `MAX_TEXT` characters, without control and invisible ones; line ends stay."""
    kept = "".join(
        c
        if c == "\n" or (c.isprintable() and c not in _VARIANTS)
        else " "
        if c.isspace() or unicodedata.category(c) == "Cc"
        else ""
        for c in text[:MAX_TEXT]
    )
    return "\n".join(" ".join(line.split()) for line in kept.split("\n") if line.strip())


def _without_numbers(said: str) -> str:
    """Lines that are numbered in turn without their numbers: “1. Heat”, “2. Ronin”."""
    lines = said.split("\n")
    numbers = [_NUMBERED.match(line) for line in lines]
    counted = [int(number[1]) for number in numbers if number]
    if len(counted) < 2 or any(after != before + 1 for before, after in pairwise(counted)):
        return said
    return "\n".join(line[number.end() :] if number else line for line, number in zip(lines, numbers, strict=True))


def _only_a_mark(tokens: Sequence[Token], situation: Situation) -> React | None:
    """The mark that a number is when a film was just logged and no list has that place: “8” of ten, “4” of five."""
    if len(tokens) != 1 or not situation.just_logged or situation.asked is not None or not tokens[0].raw.isdecimal():
        return None
    number = int(tokens[0].raw)
    if not situation.shown < number <= _BEST_MARK or not number:
        return None
    return React(rating=float(number) if number <= _MOST_STARS else number / 2)


def understand(text: str, situation: Situation, language: str = "en", known: Known | None = None) -> tuple[Intent, ...]:
    """What a message means, in the order said; never empty, and bounded in time whatever is typed.

    What no phrase reads as a whole is read for what it is about and what it holds, where the names of films are `known`
    and the language has a model; else by the phrases alone.
    """
    said = _without_numbers(cleaned(text))
    phrases = phrases_for(language)
    if typed := taken_apart(said):
        name, rest = typed
        return _command(name, rest, situation, language) if name else (NotUnderstood(said),)
    tokens = phrases.sentences.correct(tokenize(said))
    if not any(not token.is_mark for token in tokens):
        return (Help(),) if said.strip() in {"?", "??", "???"} else (NotUnderstood(empty=True),)
    gist = gist_for(language)
    if known is None or gist is None:
        return refined(_Reading(said, tokens, phrases, situation).intents(), said, tokens, phrases, situation, known)
    if mark := _only_a_mark(tokens, situation):
        return (mark,)
    tokens, evidence = read_films(said, tokens, phrases, known.titles)
    reading = _Reading(said, tokens, phrases, situation, evidence)
    corrects = only_corrects(evidence, situation)
    whole = None if corrects else reading.whole(known) or reading.title(known)
    logged = [intent for intent in whole or () if isinstance(intent, LogWatches)]
    denied = bool(logged) and evidence.vetoes()
    # “Alien? We saw it” is about the film that is named.
    pointed = evidence.films and any(plain(intent.films) in phrases.pointing.pointers for intent in logged)
    if whole is None or denied or pointed or _contradicted(whole, gist.of(tokens, evidence.skeleton), situation):
        whole = read_loosely(said, evidence, phrases, situation, known, gist)
    whole = _merged(with_named(whole, situation))
    whole = _gone_on(_pointed_back(whole, phrases), tokens, phrases, situation)
    whole = about_told(whole, evidence, situation)
    return settled(refined(whole, said, tokens, phrases, situation, known), said, phrases, known.titles)


def spoken(text: str, situation: Situation, language: str, known: Known) -> str:
    """The language that a message is in: the person's own, unless phrases of another read all of it, and more of its
    words are of that one alone, or all of them are of it."""
    said = cleaned(text)
    tokens = tokenize(said)
    words = {token.word for token in tokens if token.word.isalpha()}
    own = phrases_for(language)
    if not words or taken_apart(said):
        return language
    for other in sorted(spoken_languages() - {language}):
        phrases = phrases_for(other)
        more = len(words & phrases.usual) - len(words & own.usual)
        if more < 0 or (not more and not words <= phrases.usual):
            continue
        if _read_by(phrases, said, tokens, situation, known).whole(known):
            mine = _read_by(own, said, tokens, situation, known)
            if not (mine.whole(known) or mine.title(known)):
                return other
    return language


def _read_by(phrases: Phrases, said: str, tokens: Sequence[Token], situation: Situation, known: Known) -> _Reading:
    """A message as the phrases of a language read it."""
    return _Reading(said, spotted(phrases.sentences.correct(tokens), phrases, known.titles), phrases, situation)


def _pointed_back(intents: tuple[Intent, ...], phrases: Phrases) -> tuple[Intent, ...]:
    """“Loved Drive My Car! Watched it yesterday” is one watch, of the film that was named before."""
    out: list[Intent] = []
    for intent in intents:
        before = out[-1] if out else None
        again = isinstance(intent, LogWatches) and intent.films.casefold() in phrases.pointing.pointers
        seen = isinstance(intent, Seen) and not (intent.places or intent.every)
        if isinstance(before, BareTitle) and (again or seen):
            before = LogWatches(before.text, before.text)
        if isinstance(before, LogWatches) and isinstance(intent, (LogWatches, Seen)) and (again or seen):
            rating = before.rating if intent.rating is None else intent.rating
            reaction = intent.reaction or before.reaction
            out[-1] = replace(before, when=before.when or intent.when, rating=rating, reaction=reaction)
        else:
            out.append(intent)
    return tuple(out)


def _gone_on(
    intents: tuple[Intent, ...], tokens: Sequence[Token], phrases: Phrases, situation: Situation
) -> tuple[Intent, ...]:
    """“And Cape Fear, the De Niro one” right after a watch was logged is one more, neither a correction nor a title."""
    film = next((place for place, token in enumerate(tokens) if token.is_film), 0)
    between = phrases.around.list_joins | phrases.around_titles
    if not situation.just_logged or situation.asked is not None or tokens[0].word not in phrases.around.list_joins:
        return intents
    if len(intents) != 1 or not film or any(token.word not in between for token in tokens[:film]):
        return intents
    match intents[0]:
        case Meant(text=str(text)) | BareTitle(text=text) if text:
            asking = tokens[-1].raw == "?"
            watch = LogWatches(text, text, doubtful=asking, questioned=asking)
            if isinstance(intents[0], Meant):
                watch = replace(watch, when=intents[0].when, rating=intents[0].rating, reaction=intents[0].reaction)
            return (watch,)
        case Recommend(wish=Wish(like=(text,))) if all(token.is_mark for token in tokens[film + 1 :]):
            return (LogWatches(text, text),)
    return intents


def _contradicted(intents: Sequence[Intent], odds: Mapping[str, float], situation: Situation) -> bool:
    """Whether phrases read out of a message what it is surely not about: “Roger Ebert hated Jaws” is no watch."""
    logs = any(isinstance(intent, LogWatches) for intent in intents)
    if logs and not situation.shown and any(isinstance(intent, Seen) and intent.places for intent in intents):
        return True  # “watched Alien and Aliens, loved the second” points at no list
    if any(isinstance(intent, LogWatches) for intent in intents) and odds["mention"] > _CONTRADICTED:
        return True
    about = max(odds, key=lambda name: odds[name])
    surely = odds[about] > _SURELY_ONE
    if all(isinstance(intent, NotAWatch) for intent in intents) and about in DOING | {"unclear"} and surely:
        return True
    several = len(intents) > 1 and any(isinstance(intent, _STRAY) for intent in intents)
    return several and about in {"log", "mention", "correct"} and surely


def understand_command(
    name: str, arguments: Mapping[str, str], situation: Situation, language: str = "en"
) -> tuple[Intent, ...]:
    """What a command with named arguments means; the same intents as talk."""
    known = ALIASES.get(name.lower().removeprefix("/"))
    given = {argument: cleaned(value) for argument, value in arguments.items() if value.strip()}
    if known is None:
        return (NotUnderstood(cleaned(name)),)
    if (intents := by_name(known, given, phrases_for(language))) is not None:
        return intents
    if known is Name.NEXT and "count" in given:
        films = phrases_for(language).films
        return _command(known, f"{given['count']} {films} {given.get('wish', '')}", situation, language)
    return _command(known, " ".join(given.values()), situation, language)


def _command(name: Name, rest: str, situation: Situation, language: str) -> tuple[Intent, ...]:
    """A command and the words after it."""
    phrases = phrases_for(language)
    tokens = phrases.sentences.correct(tokenize(rest))
    places = _listed_places(tokens, phrases, situation)
    number = next((found for t in tokens if (found := number_of(t.word, phrases.numbers))), None)
    match name:
        case Name.WATCHED:
            return _logged(rest, situation, phrases)
        case Name.NEXT:
            bare = len(tokens) == 1 and number
            return (Recommend(Wish(count=number) if bare else read_wish(tokens, rest, phrases)),)
        case Name.LIKE:
            return (
                Recommend(Wish(like_places=places) if places else Wish(like=(rest,)) if rest else Wish(like_it=True)),
            )
        case Name.WHY:
            return (Why(places, None if places else rest or None),)
        case Name.SEEN:
            return (Seen(places),) if places or not rest else _logged(rest, situation, phrases)
        case Name.DISMISS:
            return (Dismiss(places, None if places else rest or None),)
        case Name.MORE:
            return (More(number),)
        case Name.UNDO:
            return (Undo(),)
        case Name.HISTORY:
            return (History(rest or None),)
        case Name.REMOVE:
            return (Remove(rest),)
        case Name.WATCHLIST:
            return _watchlist(rest, situation, phrases)
        case Name.WANT:
            return (Want(places, None if places else rest or None),)
        case Name.UNWANT:
            return (Unwant(places, None if places else rest or None),)
        case Name.SETTINGS:
            return _setting(rest, situation, phrases)
        case Name.PRIVACY:
            return (Privacy(),)
        case Name.EXPORT:
            return (Export(),)
        case Name.IMPORT:
            return (Import(),)
        case Name.LINK:
            return (LinkAccounts(rest),)
        case Name.UNLINK:
            return (UnlinkAccount(),)
        case Name.FORGET:
            return (Forget(),)
        case Name.HELP:
            return (Help(),)
        case Name.NIGHT:
            return (Together(read_wish(tokens, rest, phrases), vote=True),)
        case Name.SERVER:
            return (AdjustPlace(),)
        case Name.FOUND:
            return (LogFound(rest),)


def _logged(rest: str, situation: Situation, phrases: Phrases) -> tuple[Intent, ...]:
    """The films, date and mark after `/watched`, read as after the word “watched”."""
    said = f"{phrases.watched} {rest}"
    tokens = phrases.sentences.correct(tokenize(said))
    reading = _Reading(said, tokens, phrases, situation)
    whole = cover(tokens, phrases.sentences, {}, lambda label: label.startswith("log."))
    if rest and len(whole) == 1 and isinstance(whole[0], Match):
        return (reading.watched(whole[0]),)
    return (LogWatches(rest, rest),)


def _watchlist(rest: str, situation: Situation, phrases: Phrases) -> tuple[Intent, ...]:
    """What is to be done with the watchlist after `/watchlist`; nothing said: show it."""
    tokens = tokenize(rest)
    does = phrases.watchlist_words.get(tokens[0].word) if tokens else "show"
    others = rest[tokens[0].end :].strip() if does and tokens else rest
    places = _listed_places(tokenize(others), phrases, situation)
    film = None if places else others or None
    match does:
        case "unwant":
            return (Unwant(places, film),)
        case "clear" if not others:
            return (Unwant(clear=True),)
        case "best" | "show" if not others:
            return (Watchlist(best=does == "best"),)
        case "want" | None:
            return (Want(places, film),)
    return (Want(film=rest),)


def _setting(rest: str, situation: Situation, phrases: Phrases) -> tuple[Intent, ...]:
    """The setting and its value after `/settings`."""
    if not rest:
        return (Settings(),)
    tokens = phrases.sentences.correct(tokenize(rest))
    whole = cover(tokens, phrases.sentences, {}, lambda label: label.startswith(("set.", "setting.")))
    if len(whole) == 1 and isinstance(whole[0], Match):
        meaning = MEANINGS[whole[0].label](_Reading(rest, tokens, phrases, situation), whole[0])
        return meaning if isinstance(meaning, tuple) else (meaning,)
    return (Settings(strange=rest),)


def _listed_places(tokens: Sequence[Token], phrases: Phrases, situation: Situation) -> tuple[int, ...]:
    """The places that words list: “2”, “the second”, “1 and 3”; none when there is any other word."""
    places: list[int] = []
    for token in tokens:
        place = None if token.is_mark else ordinal_of(token.word, phrases.ordinals, phrases.numbers)
        if place is not None and abs(place) <= (situation.shown or MAX_PLACES):
            places.append(situation.shown if place == -1 else place)
        elif not token.is_mark and token.word not in phrases.places.around:
            return ()
    return tuple(dict.fromkeys(places))


class _Reading:
    """One message being read."""

    def __init__(
        self,
        said: str,
        tokens: Sequence[Token],
        phrases: Phrases,
        situation: Situation,
        evidence: Evidence | None = None,
    ) -> None:
        self.said, self.tokens, self.phrases, self.situation = said, tokens, phrases, situation
        self.evidence = evidence

    @cached_property
    def _parts(self) -> tuple[Match | tuple[int, int], ...]:
        """What phrases read of the message, and what they do not."""
        return cover(self.tokens, self.phrases.sentences, self._points(), self._allowed)

    def intents(self) -> tuple[Intent, ...]:
        parts = self._parts
        found: list[Intent] = []
        gaps: list[tuple[int, int]] = []
        remarked = self._only_remarks_on_looks()
        for part in parts:
            if isinstance(part, Match) and part.label == _LOOKS and remarked:
                continue  # “the last one looks cool, what's similar to it”
            if isinstance(part, Match):
                meaning = MEANINGS[part.label](self, part)
                found.extend(meaning if isinstance(meaning, tuple) else (meaning,))
            elif wish := self._bare_wish(*part):
                found.append(Recommend(wish, bare=self.raw(*part)))
            else:
                gaps.append(part)
        if all(isinstance(intent, (Greeting, Thanks)) for intent in found) and gaps:
            return (*found, *self._unread(gaps)) if not found else self._unread(gaps)
        first = parts[0]
        if self.situation.asked is not None and gaps and isinstance(first, tuple) and not self._only_opens(*first):
            return (Answer(AnswerKind.WORDS, text=self.raw(*first)), *_merged(found))
        return _merged(found)

    def _only_opens(self, start: int, end: int) -> bool:
        """Whether words only begin what follows them: “actually, …”."""
        return all(token.is_mark or token.word in self.phrases.openers for token in self.tokens[start:end])

    def whole(self, known: Known) -> tuple[Intent, ...] | None:
        """What the phrases mean that read all of the message, when films stand where they must; else None."""
        read = all(self._is_read(part, known) for part in self._parts) and not self._only_remarks_on_looks()
        return self.intents() if read and not self._goes_on_about_a_wish() else None

    def _goes_on_about_a_wish(self) -> bool:
        """Whether what stands beside a wish may belong to it: “what should I watch? My mum hates violence”."""
        labels = [part.label.partition(".")[0] for part in self._parts if isinstance(part, Match)]
        return "recommend" in labels and "not" in labels and not any(token.is_film for token in self.tokens)

    def _only_remarks_on_looks(self) -> bool:
        """Whether “the last one looks cool” stands beside something to do, and says only which."""
        labels = [part.label if isinstance(part, Match) else "" for part in self._parts]
        beside = [label for label in labels if label != _LOOKS and label.partition(".")[0] not in _REMARKS]
        return _LOOKS in labels and bool(beside)

    def title(self, known: Known) -> tuple[Intent, ...] | None:
        """The title that a message of a few words is, if it is one just as it stands."""
        alone = self.situation.asked is None and self.is_short and self._is_exact(self.said, known)
        if self.evidence and (
            self.evidence.has("rating") or (self.situation.film_in_mind and self.evidence.has(*REACTIONS))
        ):
            return None  # “high and low ★★★★”, “a masterpiece”
        return self.intents() if alone else None

    def _is_read(self, part: Match | tuple[int, int], known: Known) -> bool:
        """Whether a part of the message is read by phrases: a bare wish is, and what answers the bot's question."""
        if isinstance(part, Match):
            return self._is_tight(part, known)
        if self.situation.asked is not None and part[0] == 0 and part[1] - part[0] <= _FEW_ANSWERED:
            return True
        return bool(self._bare_wish(*part)) and self._is_tight_wish(*part, known)

    def _is_tight(self, match: Match, known: Known) -> bool:
        """Whether what is captured as films is films, and nothing else; or a few words that nothing else explains."""
        for start, end in match.captures.get("films", ()):
            words = self.tokens[start:end]
            strange = [t for t in words if not (t.is_film or t.is_mark or self._is_beside_titles(t))]
            if not any(token.is_film for token in words) or strange:
                names = (self.raw(start, end), self.raw(start, match.end))
                if any(token.raw in SPEAKING for token in words):
                    return False
                if len(words) > 1 and words[1].is_mark and words[0].word in self.phrases.pointing.pointers:
                    return False  # “loved it, USA USA”
                if word_key(words) in self.phrases.pointing.pointers or any(
                    self._is_exact(name, known) for name in names
                ):
                    continue
                if match.label.startswith("log.") and len(words) > 1 and compact(word_key(words)) in known.tags:
                    return False  # “saw Timothée Chalamet”
                if match.label.startswith("log.") and self.evidence and self.evidence.passes(start, end):
                    return False  # “binged the whole second season of Severance”
                if match.label.startswith("log.") and self.evidence and self.evidence.tells_more(start, end):
                    return False
                if any(token.word in self.phrases.joins for token in words) and any(
                    token.word in self.phrases.wishing.statement for token in strange
                ):
                    return False  # “old and it was old and boring”
                if self.situation.shown and places_in(words, self.phrases, self.situation.shown):
                    return False  # “never suggest the second one again”
                plainly = [t for t in strange if t.word in self.phrases.usual and len(t.word) > 1 and t.word.isalpha()]
                beside = [t for t in plainly if not self._is_beside_titles(t)]
                size = 1 if any(token.is_film for token in words) else sum(not token.is_mark for token in words)
                named = len(strange) <= _FEW_UNKNOWN and 2 * len(beside) < size
                if named or (match.label.startswith("log.") and word_key(words) in self.phrases.around.everyday):
                    continue
                return False
        wishes = (*match.captures.get("without", ()), *match.captures.get("spared", ()))
        wanted = [(self._wished_from(match), end) for _, end in match.captures.get("wish", ())]
        return all(self._is_tight_wish(*span, known) for span in (*wanted, *wishes))

    def _wished_from(self, match: Match) -> int:
        """Where a wish begins: the word that calls for it may belong to it (“not Aliens”, “no horror”)."""
        start, end = match.captures["wish"][0]
        if self.tokens[end - 1].word in self.phrases.pointing.ones:
            return start  # “King Kong, not the Peter Jackson one”
        return next((i for i in range(match.start, start) if self.tokens[i].word in self.phrases.negations), start)

    def _is_beside_titles(self, token: Token) -> bool:
        """Whether a word may stand beside titles without saying anything of its own: “Rocky II and III”."""
        return token.word in self.phrases.around_titles or _NUMERAL.fullmatch(token.word) is not None

    def _is_exact(self, text: str, known: Known) -> bool:
        if " " in text.strip() and not known.titles.is_name(text):
            return False
        link = known.titles.link(text)
        return any(loose_key(match.name) == loose_key(text) for match in link.matches) or (
            link.certainty is Certainty.CLEAR and link.matches[0].similarity >= _EXACT and " " not in text.strip()
        )

    def _is_tight_wish(self, start: int, end: int, known: Known) -> bool:
        """Whether a wish has no words but those that a wish is made of."""
        strict = read_wish(self.tokens[start:end], self.said, self.phrases)
        loose = read_wish(self.tokens[start:end], self.said, self.phrases, tags=known.tags)
        named = " ".join((*strict.like, *strict.names, *strict.without_films))
        bare = replace(strict, like=(), names=(), players=(), without_films=())
        if bare != replace(loose, like=(), names=(), players=(), without_films=()):
            return False
        both = ((strict.like, loose.like), (strict.names, loose.names), (strict.without_films, loose.without_films))
        if any(bool(said) != bool(found) for said, found in both):
            return False  # “by the sea” is no name
        films = " ".join(token.raw for token in self.tokens[start:end] if token.is_film).casefold()
        unknown = [plain(word) for word in named.split() if word.strip("(),.!?").casefold() not in films]
        beside = self.phrases.around_titles | self.phrases.wishing.alternatives
        named_so = films or any(word not in self.phrases.usual for word in unknown)  # “like the second one” names none
        return strict == loose or bool(
            named_so and all(word not in self.phrases.usual or word in beside for word in unknown)
        )

    @property
    def is_short(self) -> bool:
        """Whether the message is a few words, which a list of places would be."""
        return sum(not token.is_mark for token in self.tokens) <= _FEW_WORDS

    def _allowed(self, label: str) -> bool:
        """Whether a phrase can be meant now: answers only to a question of their kind, places only of a list."""
        group, _, name = label.partition(".")
        if group == "answer":
            return self.situation.asked is not None and name in _ANSWERS[self.situation.asked]
        if group == "set":
            return False  # these stand after the command alone
        if label == _LOOKS and self.situation.asked is not None:
            return False
        if group == "listed":
            return self.situation.watchlist
        return group != "place" or (self.situation.shown > 0 and self.situation.asked is None and self.is_short)

    def _points(self) -> dict[int, bool]:
        """Where something new may begin: after marks, before joining words (shown), and before question words (not)."""
        points: dict[int, bool] = {}
        for place in range(1, len(self.tokens)):
            token, before = self.tokens[place], self.tokens[place - 1]
            if token.is_mark:
                continue
            parted = before.raw in _BEGINNING or (before.raw in _SEPARATORS and before.end < token.start)
            if parted or token.word in self.phrases.joins:
                points[place] = True
            elif (
                token.word in self.phrases.begins and before.word not in self.phrases.around.saw and not before.is_mark
            ):
                points[place] = False
        return points

    # Words of the message

    def raw(self, start: int, end: int) -> str:
        """What was typed from one word to another, with brackets and marks that belong to it."""
        if start >= end:
            return ""
        first, last = self.tokens[start].start, self.tokens[end - 1].end
        while last < len(self.said) and self.said[last] in ")]'’\"”":
            last += 1
        while first > 0 and self.said[first - 1] in '(["“¡¿':
            first -= 1
        return self.said[first:last]

    def captured(self, match: Match, name: str) -> str | None:
        """The words of the first capture of a slot, as typed."""
        spans = match.captures.get(name)
        return self.raw(*spans[0]) if spans else None

    def key(self, match: Match, name: str) -> str | None:
        """The words of a slot as tables hold them."""
        spans = match.captures.get(name)
        return word_key(self.tokens[spans[0][0] : spans[0][1]]) if spans else None

    def places(self, match: Match) -> tuple[int, ...]:
        """The places on a list that a match names; -1 is the last."""
        places: list[int] = []
        for start, end in match.captures.get("ordinal", ()):
            if self.tokens[start - 1].word in self.phrases.ordinals and self.tokens[start].word in self.phrases.numbers:
                return places_in(
                    self.tokens[match.start : match.end], self.phrases, self.situation.shown
                )  # “the last two”
            for token in self.tokens[start:end]:
                place = ordinal_of(token.meant, self.phrases.ordinals, self.phrases.numbers)
                if place is not None:
                    places.append(self.situation.shown if place == -1 and self.situation.shown else place)
        return tuple(dict.fromkeys(places))

    def says_every(self, match: Match) -> bool:
        """Whether all films of the list are meant."""
        every = self.phrases.every.get(match.label.partition(".")[0], frozenset())
        return any(token.word in every for token in self.tokens[match.start : match.end])

    # What phrases mean

    def watched(self, match: Match) -> Intent:
        start, end = match.captures["films"][0]
        while end > start + 1 and (self.tokens[end - 1].raw == "," or self._joins_lists(end - 1)):
            end -= 1  # “Heat, also last night”
        reaction, rating = self._judgement(match)
        films = self.raw(start, end)
        if match.label == "log.watched" and self.phrases.asks_by_mark and self._ends_with_question(match):
            return History(self.raw(start, end))
        if word_key(self.tokens[start:end]) in self.phrases.pointing.pointers and (
            self.situation.film_in_mind or match.label != "log.watched"
        ):
            state = _STATES.get(match.label)
            felt = _REACTIONS.get(match.label, reaction)
            if match.label == "log.watched" or self._when(match):
                return Seen(when=self._when(match), reaction=felt, rating=rating, state=state)
            return React(felt, rating, state)
        named = start  # “the film Moon” is Moon, unless a film is called that
        while named > match.start and self.tokens[named - 1].word in self.phrases.places.around:
            named -= 1
        return LogWatches(
            films=films,
            whole=self.raw(named, match.end).rstrip(",;. \n¿¡"),
            when=self._when(match),
            state=_STATES.get(match.label, State.FINISHED),
            rating=rating,
            reaction=reaction or _REACTIONS.get(match.label),
            opinion=match.label in _REACTIONS or match.label == "log.rated",
            doubtful=self._everyday(start, end),
            questioned=self._ends_with_question(match),
        )

    def _joins_lists(self, place: int) -> bool:
        """Whether a word joins films, behind a comma."""
        token = self.tokens[place]
        return token.word in self.phrases.around.list_joins and self.tokens[place - 1].raw == ","

    def twice(self, match: Match) -> tuple[Intent, ...]:
        """“Watched Alien yesterday and Aliens today”."""
        days = [self.raw(*span) for span in match.captures["when"]]
        films = [self.raw(*span) for span in match.captures["films"]]
        return tuple(LogWatches(film, film, when=day) for film, day in zip(films, days[-2:], strict=True))

    def fond(self, match: Match) -> Intent:
        start, end = match.captures["films"][0]
        wish = read_wish(self.tokens[start:end], self.said, self.phrases)
        if wish.says_something and not wish.words and not wish.unwanted and not wish.names:
            return Recommend(wish)
        return BareTitle(self.raw(start, end), fond=True, whole=self.raw(start, match.end))

    def react(self, match: Match) -> Intent:
        reaction, rating = self._judgement(match)
        return React(reaction, rating)

    def state(self, match: Match) -> Intent:
        return React(state=State(match.label.removeprefix("state.")))

    def not_watched(self, match: Match) -> Intent:
        spans = match.captures.get("films", ())
        kind = NotWatched(match.label.removeprefix("not."))
        if not spans:
            return NotAWatch(kind, "", self._watch_after_all(match))
        start, end = spans[0]
        named = any(token.is_film for token in self.tokens[start:end])
        if kind is NotWatched.PLAN or (kind is NotWatched.QUESTION and not named):
            wish = read_wish(self.tokens[start:end], self.said, self.phrases)
            generic = not wish.words and not wish.unwanted and not wish.names
            if generic and (kind is NotWatched.PLAN or wish.genres):  # “how about a western?”
                return Recommend(wish)
        pointed = word_key(self.tokens[start:end]) in self.phrases.pointing.pointers
        otherwise = self._watch_after_all(match) if kind is NotWatched.PASSING else None
        return NotAWatch(kind, "" if pointed else self.raw(start, end), otherwise)

    def _watch_after_all(self, match: Match) -> LogWatches | None:
        """The watch that words are if they name a film: “saw How to Train Your Dragon”, “watched The Book Thief”."""
        tokens = self.tokens[match.start : match.end]
        parts = cover(tokens, self.phrases.sentences, {}, lambda label: label == "log.watched")
        if len(parts) != 1 or not isinstance(parts[0], Match):
            return None
        watched = _Reading(self.said, tokens, self.phrases, self.situation).watched(parts[0])
        return watched if isinstance(watched, LogWatches) else None

    def next(self, match: Match) -> Intent:
        count = self._number(match, "count")
        if self.situation.shown and match.end - match.start == 1:
            return More(count)
        return Recommend(Wish(count=count))

    def wish(self, match: Match) -> Intent:
        if without := match.captures.get("without"):
            return Recommend(read_wish(self.tokens[slice(*without[0])], self.said, self.phrases, negated=True))
        if spared := match.captures.get("spared"):  # “anything but horror” is read whole
            return Recommend(read_wish(self.tokens[match.start : spared[0][1]], self.said, self.phrases))
        words = self.tokens[self._wished_from(match) : match.captures["wish"][0][1]]
        return Recommend(read_wish(words, self.said, self.phrases))

    def weak_wish(self, match: Match) -> Intent:
        """“More horror” is a wish; “not too gory” is one beside another."""
        found = self.wish(match)
        wish = found.wish if isinstance(found, Recommend) else Wish()
        weak = wish == Wish(words=wish.words, unwanted=wish.unwanted)
        return Recommend(wish, bare=self.raw(match.start, match.end), weak=weak)

    def another_like(self, match: Match) -> Intent:
        places = self.places(match)
        return Recommend(Wish(like_places=places) if places else Wish(like_it=True))

    def place(self, match: Match) -> Intent:
        places = self.places(match)
        if all(1 <= place <= self.situation.shown for place in places):
            return Why(places)
        return BareTitle(self.raw(match.start, match.end))

    def why(self, match: Match) -> Intent:
        return Why(self.places(match), self.captured(match, "films"))

    def seen(self, match: Match) -> Intent:
        reaction = _REACTIONS.get(match.label.replace("seen.", "log."))
        when, places = self._when(match), self.places(match)
        if when and not places and self.situation.just_logged:
            return Meant(when=when, reaction=reaction)  # “no, I watched it on Monday”
        return Seen(places, self.says_every(match), when, reaction)

    def dismiss(self, match: Match) -> Intent:
        for start, end in match.captures.get("films", ()):
            wish = read_wish(self.tokens[start:end], self.said, self.phrases, negated=True)
            if wish.without_genres and not wish.words and not wish.unwanted:
                return Recommend(wish)
        every = self.says_every(match)
        off, instead = match.label == "dismiss.off", match.label == "dismiss.instead"
        return Dismiss(self.places(match), self.captured(match, "films"), every, off=off, instead=instead)

    def more(self, match: Match) -> Intent:
        return More(self._number(match, "count"))

    def only(self, match: Match) -> Intent:
        """“Just one”: so many more of what was shown, or so many films."""
        count = self._number(match, "count")
        return More(count) if self.situation.shown else Recommend(Wish(count=count))

    def history_all(self, match: Match) -> Intent:
        return History(when=self.captured(match, "when"))

    def history(self, match: Match) -> Intent:
        films = self.captured(match, "films") or ""
        it = films in self.phrases.pointing.pointers
        return History(None if it else films or None, it=it)

    def remove(self, match: Match) -> Intent:
        return Remove(self.captured(match, "films") or "")

    def want(self, match: Match) -> Intent:
        films = self.captured(match, "films")
        rest = bool(self.situation.shown and films) and self._is_rest(match)
        return Want(
            self.places(match),
            None if rest else films,
            rest or self.says_every(match),
            self.raw(match.start, match.end),
        )

    def _is_rest(self, match: Match) -> bool:
        """Whether what stands for films is “the rest” of a list."""
        start, end = match.captures["films"][0]
        words = {token.word for token in self.tokens[start:end]} - self.phrases.around.articles
        return bool(words) and words <= self.phrases.pointing.other_ones

    def wanted(self, match: Match) -> Intent:
        return Watchlist(search=self.captured(match, "films"))

    def unwant(self, match: Match) -> Intent:
        return Unwant(self.places(match), self.captured(match, "films"), self.says_every(match))

    def adjust(self, match: Match) -> Intent:
        """A setting and its value: all that was typed there, marks too (“-1”)."""
        start, end = match.captures["value"][0]
        while start > match.start and self.tokens[start - 1].is_mark:
            start -= 1
        value = self.said[self.tokens[start].start : self.tokens[end - 1].end].strip(" :=\"'“”‘’")
        return Adjust(Setting(match.label.partition(".")[2]), value)

    def grouped(self, match: Match) -> Intent:
        return Adjust(Setting.GROUP_OPT_IN, match.label.removeprefix("setting.group_"))

    def code(self, match: Match) -> Intent:
        return LinkAccounts(self.captured(match, "code") or "")

    def meant(self, match: Match) -> Intent:
        named = self.captured(match, "films") or ""
        if named and (judged := self._mark(*match.captures["films"][0])):
            return Meant(rating=judged.rating, reaction=judged.reaction)
        return Meant(named)

    def _mark(self, start: int, end: int) -> React | None:
        """The mark that words are and nothing else: “3 stars”, whatever film is called so; None when they are none."""
        tokens = self.tokens[start:end]
        parts = cover(tokens, self.phrases.sentences, {}, lambda label: label == "react.react")
        if len(parts) != 1 or not isinstance(parts[0], Match):
            return None
        reaction, rating = _Reading(self.said, tokens, self.phrases, self.situation)._judgement(parts[0])
        return React(reaction, rating) if rating is not None else None

    def answer(self, match: Match) -> Intent:
        kind = AnswerKind(match.label.removeprefix("answer."))
        if kind is not AnswerKind.PLACE:
            return Answer(kind, text=self.raw(match.start, match.end), when=self._when(match))
        start, _ = match.captures["ordinal"][0]
        place = ordinal_of(self.tokens[start].meant, self.phrases.ordinals, self.phrases.numbers) or 0
        if place == -1:
            place = self.situation.choices
        if not 1 <= place <= self.situation.choices + 1 and len(self.tokens[start].word) >= 2:
            return Answer(AnswerKind.WORDS, text=self.raw(match.start, match.end))
        return Answer(AnswerKind.PLACE, place)

    # Parts of a match

    def _when(self, match: Match) -> str | None:
        if match.captures.get("just") and not match.captures.get("when"):
            return "just"
        spans = match.captures.get("when")
        return " ".join(token.mistyped or token.raw for token in self.tokens[slice(*spans[0])]) if spans else None

    def _number(self, match: Match, name: str) -> int | None:
        key = self.key(match, name)
        return number_of(key.split()[-1], self.phrases.numbers) if key else None

    def _judgement(self, match: Match) -> tuple[Reaction | None, float | None]:
        reaction = next((r for r in Reaction if r.value in match.captures), None)
        rating = self.captured(match, "rating")
        if rating is None:
            return reaction, None
        return reaction, stars_said(rating, self.phrases.numbers, self.phrases.half)

    def _everyday(self, start: int, end: int) -> bool:
        typed = self.tokens[start:end]
        return word_key(typed) in self.phrases.around.everyday and all(t.raw == t.raw.lower() for t in typed)

    def _ends_with_question(self, match: Match) -> bool:
        following = self.tokens[match.end - 1 : match.end + 1]
        return any(token.raw == "?" for token in following)

    # What no phrase reads

    def _bare_wish(self, start: int, end: int) -> Wish | None:
        """The wish that words are without any phrase that calls for one: “90s horror”, but not “the 1977 one”."""
        words = [token for token in self.tokens[start:end] if not token.is_mark]
        if words[-1].word in self.phrases.pointing.ones or any(
            word.word in self.phrases.wishing.statement for word in words
        ):
            return None
        wish = read_wish(self.tokens[start:end], self.said, self.phrases)
        parts = sum((bool(wish.genres), wish.years != (None, None), wish.adventurousness is not None))
        if wish.years != (None, None) and parts == 1 and len(words) == 1:
            return None
        if self.situation.asked is not None and not (wish.like or wish.genres or wish.adventurousness):
            return None  # “1977” or “the one with the cat” is about the question
        telling = (
            wish.like
            or parts > 1
            or (len(words) <= _FEW_WISHED and any(word.word in self.phrases.wishing.film_words for word in words))
        )
        strange = (wish.words or wish.unwanted) and not telling
        return wish if wish.says_something and not strange else None

    def _unread(self, gaps: Sequence[tuple[int, int]]) -> tuple[Intent, ...]:
        start, end = gaps[0][0], gaps[-1][1]
        words = sum(not token.is_mark for token in self.tokens[start:end])
        text = self.raw(start, end)
        if self.situation.asked is not None and words <= MAX_BARE_TITLE:
            return (Answer(AnswerKind.WORDS, text=text),)
        return (BareTitle(text) if words <= MAX_BARE_TITLE else NotUnderstood(text),)


def _constant(intent: Intent) -> Callable[[_Reading, Match], Intent]:
    return lambda _reading, _match: intent


MEANINGS: Mapping[str, Callable[[_Reading, Match], Intent | tuple[Intent, ...]]] = {
    **dict.fromkeys(("log.watched", "log.rated", *_STATES, *_REACTIONS), _Reading.watched),
    **dict.fromkeys(("seen.loved", "seen.liked", "seen.disliked", "seen.hated"), _Reading.seen),
    "log.twice": _Reading.twice,
    "fond.fond": _Reading.fond,
    "react.react": _Reading.react,
    "state.abandoned": _Reading.state,
    **{f"not.{kind.value}": _Reading.not_watched for kind in NotWatched},
    "recommend.next": _Reading.next,
    "recommend.surprise": _constant(Recommend(surprise=True)),
    "recommend.wish": _Reading.wish,
    "recommend.weak": _Reading.weak_wish,
    "recommend.another_like": _Reading.another_like,
    "place.place": _Reading.place,
    "why.why": _Reading.why,
    "seen.seen": _Reading.seen,
    "dismiss.dismiss": _Reading.dismiss,
    "dismiss.off": _Reading.dismiss,
    "dismiss.instead": _Reading.dismiss,
    "more.more": _Reading.more,
    "more.only": _Reading.only,
    "undo.undo": _constant(Undo()),
    "undo.that": _constant(Undo(that=True)),
    "history.all": _Reading.history_all,
    "history.search": _Reading.history,
    "remove.remove": _Reading.remove,
    "want.want": _Reading.want,
    "want.looks": _Reading.want,
    "unwant.unwant": _Reading.unwant,
    "unwant.all": _constant(Unwant(clear=True)),
    "watchlist.all": _constant(Watchlist()),
    "watchlist.search": _Reading.wanted,
    "watchlist.best": _constant(Watchlist(best=True)),
    "listed.best": _constant(Watchlist(best=True)),
    "listed.search": _Reading.wanted,
    "listed.clear": _constant(Unwant(clear=True)),
    "setting.show": _constant(Settings()),
    **{f"setting.{setting.value}": _Reading.adjust for setting in Setting if setting is not Setting.GROUP_OPT_IN},
    **{f"set.{setting.value}": _Reading.adjust for setting in Setting},
    "setting.group_on": _Reading.grouped,
    "setting.group_off": _Reading.grouped,
    "privacy.show": _constant(Privacy()),
    "privacy.export": _constant(Export()),
    "privacy.import": _constant(Import()),
    "account.link": _constant(LinkAccounts()),
    "account.code": _Reading.code,
    "account.unlink": _constant(UnlinkAccount()),
    "meant.meant": _Reading.meant,
    "forget.forget": _constant(Forget()),
    "help.help": _constant(Help()),
    "help.who": _constant(Help(who=True)),
    "greeting.greeting": _constant(Greeting()),
    **{f"thanks.{said.value}": _constant(Thanks(said)) for said in Pleasantry if said is not Pleasantry.SMALL_TALK},
    **{f"answer.{kind.value}": _Reading.answer for kind in AnswerKind if kind is not AnswerKind.WORDS},
}
"""What each group of templates means. A new phrase joins a group in the data; a new group is a new meaning."""


def _merged(found: Sequence[Intent]) -> tuple[Intent, ...]:
    """Without pleasantries beside something to do, and with what was thought of a film joined to its watch."""
    intents: list[Intent] = []
    if sum(isinstance(intent, Recommend) for intent in found) == 1:
        alone = [_alone(intent) for intent in found]
        found = [intent for intent in alone if len(alone) == 1 or not isinstance(intent, BareTitle)] or alone
    for intent in found:
        joined = _with_more(intents[-1], intent) if intents else None
        told = next((place for place, one in enumerate(intents) if _is_told_again(one, intent)), None)
        if joined is not None:
            intents[-1] = joined
        elif told is not None and isinstance(intent, LogWatches):
            intents[told] = _with_more(intents[told], React(intent.reaction, intent.rating)) or intents[told]
        elif intent not in intents:
            intents.append(intent)
    serious = [intent for intent in intents if not isinstance(intent, (Greeting, Thanks))]
    doing = [intent for intent in serious if not (isinstance(intent, NotAWatch) and intent.kind in _ASIDES)]
    return tuple(doing or serious or intents[:1] or [NotUnderstood()])


def _is_told_again(before: Intent, intent: Intent) -> bool:
    """Whether an opinion is of a film whose watch was told before: “watched Network on Tuesday … Network was great”."""
    if not (isinstance(before, LogWatches) and isinstance(intent, LogWatches) and intent.opinion and not intent.when):
        return False
    return loose_key(before.films) == loose_key(intent.films)


def _with_more(before: Intent, intent: Intent) -> Intent | None:
    """The intent before with what is said right after it of the same thing; None when it is another."""
    match before, intent:
        case ((React(of=of) | Meant(of=of)), React(of=other)) if of != other:
            return None
        case ((LogWatches() | React() | Seen() | Meant()), React()):
            state = intent.state or before.state
            rating = before.rating if intent.rating is None else intent.rating
            reaction = intent.reaction or before.reaction
            if isinstance(before, LogWatches):
                return replace(before, reaction=reaction, rating=rating, state=state or State.FINISHED)
            return replace(before, reaction=reaction, rating=rating, state=state)
        case LogWatches(when=None), Seen(places=(), every=False):
            return replace(before, when=intent.when, reaction=intent.reaction or before.reaction)
        case LogWatches(), Meant(text=""):  # “…, it was a rewatch”
            state, rating = intent.state or before.state, intent.rating or before.rating
            when, reaction = intent.when or before.when, intent.reaction or before.reaction
            return replace(before, when=when, state=state, rating=rating, reaction=reaction)
        case LogWatches(reaction=None), Dismiss(places=(), film=None, every=False, off=False):
            return replace(before, reaction=Reaction.DISLIKED)  # “watched Eraserhead. Not for me.”
        case (Undo(), Meant()) | (More(), Recommend()):
            return intent
        case Recommend(), More():
            return before
        case Recommend(), Recommend():
            return Recommend(_joined(before.wish, intent.wish))
    return None


def _alone(intent: Intent) -> Intent:
    """A wish that is none by itself is words, perhaps a title."""
    return BareTitle(intent.bare) if isinstance(intent, Recommend) and intent.weak else intent


def _joined(first: Wish, second: Wish) -> Wish:
    """Two wishes said one after the other, as one: “a horror film. From the 70s.”"""
    return Wish(
        count=second.count or first.count,
        like=(*first.like, *second.like),
        like_places=(*first.like_places, *second.like_places),
        like_it=first.like_it or second.like_it,
        without_films=(*first.without_films, *second.without_films),
        genres=tuple(dict.fromkeys((*first.genres, *second.genres))),
        without_genres=tuple(dict.fromkeys((*first.without_genres, *second.without_genres))),
        years=second.years if second.years != (None, None) else first.years,
        without_years=tuple(dict.fromkeys((*first.without_years, *second.without_years))),
        recent=second.recent or first.recent,
        adventurousness=first.adventurousness if second.adventurousness is None else second.adventurousness,
        names=(*first.names, *second.names),
        players=(*first.players, *second.players),
        words=(*first.words, *second.words),
        unwanted=(*first.unwanted, *second.unwanted),
        unanswerable=tuple(dict.fromkeys((*first.unanswerable, *second.unanswerable))),
        compared=tuple(dict.fromkeys((*first.compared, *second.compared))),
        softer=tuple(dict.fromkeys((*first.softer, *second.softer))),
    )
