"""Commands whose arguments have names → intents: what platforms with fields for them (film, when, years) send.

Knows the names of the arguments and what their values may look like; what has no field of its own is read as after a
typed command, by `bot.conversation.understand`. A value that can't be read is an intent too: it is said, not dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bot.conversation.commands import Name, film_of
from bot.conversation.grammar import tokenize
from bot.conversation.intents import (
    Adjust,
    AdjustPlace,
    Dismiss,
    History,
    Intent,
    LogFound,
    LogWatches,
    Recommend,
    Remove,
    Setting,
    State,
    Together,
    Unread,
    Unwant,
    Want,
    Why,
    Wish,
)
from bot.conversation.phrases import Phrases, key_of
from bot.conversation.ratings import stars
from bot.conversation.wishes import read_wish
from engine.films import GENRES

_NO = frozenset({"no", "false", "0"})
_WISHES = {"like", "genre", "years", "adventure"}
_SETTINGS = {
    "time_zone": Setting.TIME_ZONE,
    "language": Setting.LOCALE,
    "adventurousness": Setting.ADVENTUROUSNESS,
    "answers": Setting.VISIBILITY,
    "groups": Setting.GROUP_OPT_IN,
}
_PLACES = {"allow", "allow_name", "disallow", "everywhere", "adventurousness"}
_YEARS = re.compile(r"((?:18|19|20)\d\d)(?:\s*(?:-|–|—|\.\.|to)\s*((?:18|19|20)\d\d))?")


def by_name(name: Name, given: Mapping[str, str], phrases: Phrases) -> tuple[Intent, ...] | None:
    """What a command means by its named arguments; None when it has none but words."""
    film = given.get("film", "")
    is_id = film_of(film) is not None
    match name:
        case Name.WATCHED if film and (is_id or given.keys() & {"date", "when", "rating", "finished"}):
            return _watched(film, given)
        case Name.NEXT if "again" in given:
            return (Recommend(again=True),)
        case Name.NEXT if given.keys() & _WISHES:
            wish, unread = _wish(given, phrases)
            return (*unread, Recommend(wish))
        case Name.NIGHT:
            wish, unread = _wish(given, phrases)
            return (*unread, Together(wish, vote=True))
        case Name.LIKE if is_id:
            return (Recommend(Wish(like=(film,))),)
        case Name.WHY if is_id:
            return (Why((), film),)
        case Name.HISTORY if is_id:
            return (History(film),)
        case Name.REMOVE if is_id:
            return (Remove(film),)
        case Name.DISMISS if is_id:
            return (Dismiss((), film),)
        case Name.WATCHLIST if "add" in given:
            return (Want((), given["add"], quiet=True),)
        case Name.WATCHLIST if "remove" in given:
            return (Unwant((), given["remove"], quiet=True),)
        case Name.WANT if is_id:
            return (Want((), film),)
        case Name.UNWANT if is_id:
            return (Unwant((), film),)
        case Name.SETTINGS if set(given) & set(_SETTINGS):
            return tuple(Adjust(setting, given[key]) for key, setting in _SETTINGS.items() if key in given)
        case Name.SERVER:
            return (AdjustPlace(**{key: value for key, value in given.items() if key in _PLACES}),)
        case Name.FOUND:
            return (LogFound(given.get("text", "")),)
        case _:
            return None


def _watched(film: str, given: Mapping[str, str]) -> tuple[Intent, ...]:
    rating = stars(given["rating"]) if "rating" in given else None
    state = State.ABANDONED if given.get("finished", "").casefold() in _NO else State.FINISHED
    watch = LogWatches(film, film, when=given.get("when", given.get("date")), rating=rating, state=state)
    unread = (Unread("rating", given["rating"]),) if "rating" in given and rating is None else ()
    return (*unread, watch)


def _wish(given: Mapping[str, str], phrases: Phrases) -> tuple[Wish, tuple[Unread, ...]]:
    """The wish of `wish`, `like`, `genre`, `years` and `adventure`, and what of it can't be read."""
    wish = _read(given.get("wish", ""), phrases)
    unread: list[Unread] = []
    if like := given.get("like"):
        wish = replace(wish, like=(*wish.like, like))
    if genre := given.get("genre"):
        named = next((known for known in GENRES if known.casefold() == genre.casefold()), None)
        said = Wish(genres=(named,)) if named else _read(genre, phrases)
        wish = replace(
            wish,
            genres=tuple(dict.fromkeys((*wish.genres, *said.genres))),
            without_genres=tuple(dict.fromkeys((*wish.without_genres, *said.without_genres))),
            words=(*wish.words, *said.words),
        )
    if years := given.get("years"):
        said = _years(years, phrases)
        if said.years == (None, None) and said.recent is None:
            unread.append(Unread("years", years))
        wish = replace(wish, years=said.years, recent=said.recent)
    if adventure := given.get("adventure"):
        value = _dial(adventure, phrases)
        if value is None:
            unread.append(Unread("adventure", adventure))
        wish = replace(wish, adventurousness=value)
    return wish, tuple(unread)


def _read(words: str, phrases: Phrases) -> Wish:
    tokens = phrases.sentences.correct(tokenize(words))
    return read_wish(tokens, words, phrases) if words else Wish()


def _years(words: str, phrases: Phrases) -> Wish:
    if found := _YEARS.fullmatch(words.strip()):
        first = int(found[1])
        return Wish(years=(first, int(found[2] or first)))
    return _read(words, phrases)


def _dial(words: str, phrases: Phrases) -> float | None:
    """From 0 to 1, as a number or in the words of a wish: “0.8”, “under the radar”."""
    try:
        value = float(words.replace(",", "."))
    except ValueError:
        return phrases.adventurousness.get(key_of(words))
    return value if 0 <= value <= 1 else None
