"""Which film of a name is meant, where a message says so elsewhere: by somebody who made it or plays in it, or by what
points at it and says no more.

“Saw Crash yesterday. The Cronenberg one.” names the director in another sentence than the film: `settled` reads the
whole message for people of the films of that name, and for “the Soviet one”. Pure functions; knows films and people
only as the title index does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from bot.conversation.intents import (
    Answer,
    AnswerKind,
    BareTitle,
    Dismiss,
    History,
    Intent,
    LogWatches,
    Meant,
    Recommend,
    Remove,
    Unwant,
    Want,
    Watchlist,
    Why,
)
from bot.conversation.phrases import Phrases
from bot.conversation.spotting import Titles

_MAX_SAID = 600
"""Characters of a message that are read for people."""
_FIELDS: dict[type, tuple[str, ...]] = {
    LogWatches: ("films", "whole"),
    BareTitle: ("text", "whole"),
    Want: ("film",),
    Unwant: ("film",),
    Remove: ("film",),
    Dismiss: ("film",),
    Why: ("film",),
    History: ("search",),
    Watchlist: ("search",),
}
"""By intent, the film that it is about, and the longer text that may be its title."""
_MAX_POINTING = 6
"""Words of “the black and white one”."""
_MARK = re.compile(r"([.,;:!?()\n–—]|\s-\s)")
_WORD = re.compile(r"[^\W_][\w'’.-]*")


def settled(intents: Sequence[Intent], said: str, phrases: Phrases, titles: Titles) -> tuple[Intent, ...]:
    """The intents, each film of an ambiguous name as the one whose people the message names, where it names any.

    What points at nothing but that film beside it (“the Cronenberg one”) has been done then.
    """
    out: list[Intent] = []
    told = False
    for intent in intents:
        fields = _FIELDS.get(type(intent))
        title = getattr(intent, fields[0]) if fields else None
        if fields and title and (films := _told(title, said, phrases, titles)) != title:
            whole: dict[str, Any] = dict.fromkeys(fields, films)
            if isinstance(intent, LogWatches) and title in phrases.around.everyday:
                whole["doubtful"] = False  # “watched us yesterday, the Jordan Peele one”
            out.append(replace(intent, **whole))
            told = True
        elif not ((told or out) and _points(intent, phrases, told=told)):
            out.append(intent)
    return tuple(out)


def _told(title: str, said: str, phrases: Phrases, titles: Titles) -> str:
    """A title, or several on lines, each as the one film that the rest of the message tells, if it tells one."""
    lines = title.split("\n")
    for place, line in enumerate(lines):
        around = _affirmed(_without(line, said[:_MAX_SAID]), phrases)
        names = _WORD.sub(lambda word: _unless_everyday(word.group(), phrases), around)
        pointing = _pointing(around, phrases) if len(lines) == 1 else ""
        if label := titles.told_elsewhere(line, names, pointing):
            lines[place] = label
    return "\n".join(lines)


def _affirmed(said: str, phrases: Phrases) -> str:
    """What was said, without what is denied: “not the Rob Zombie one”."""
    parts = _MARK.split(said)
    return "".join(_denied(phrases).sub("", part) for part in parts)


def _denied(phrases: Phrases) -> re.Pattern[str]:
    """A word that denies, and all behind it."""
    words = "|".join(re.escape(word) for word in sorted(phrases.negations))
    return re.compile(rf"(?<!\w)(?:{words})\s.*", re.IGNORECASE | re.DOTALL)


def _pointing(said: str, phrases: Phrases) -> str:
    """Words between marks that only point at a film of the name: “The Soviet version.”, “the 1981 one with Adjani”, not
    “A classic film.”"""
    ends = phrases.around.ends_telling - phrases.wishing.film_words
    for part in _MARK.split(said):
        words = part.split()
        stop = next((n for n, word in enumerate(words, 1) if word.casefold() in ends), 0)
        all_said = stop == len(words) or words[stop].casefold() in phrases.pointing.after_ones
        if 1 < stop <= _MAX_POINTING and all_said and words[0].casefold() in phrases.around.articles:
            return " ".join(words[:stop])
    return ""


def _without(title: str, said: str) -> str:
    """What was said without a title: “Emma” is not Emma Stone."""
    return re.sub(re.escape(title), ",", said, flags=re.IGNORECASE)


def _unless_everyday(word: str, phrases: Phrases) -> str:
    """A word that may be of a name; one in lower case that phrases are made of is not."""
    return "," if word.islower() and word.casefold() in phrases.usual else word


def _points(intent: Intent, phrases: Phrases, *, told: bool) -> bool:
    """Whether an intent is only to say which film: “the Cronenberg one”, “not the Rob Zombie one”."""
    match intent:
        case Meant(text=text, when=None, rating=None, reaction=None) if text and told:
            pass
        case Answer(kind=AnswerKind.WORDS, text=text) | BareTitle(text=text) | LogWatches(films=text) if text and told:
            pass
        case Recommend(bare=text) if text and text.casefold().split()[0] in phrases.negations:
            pass
        case _:
            return False
    words = _WORD.findall(text.casefold())
    pointed = {word for word, after in pairwise(words) if after in phrases.pointing.after_ones}
    return not phrases.around.ends_telling.isdisjoint({*words[-1:], *pointed})
