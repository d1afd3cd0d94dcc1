"""Which film of a name is meant, where a message names somebody who made it or plays in it.

“Saw Crash yesterday. The Cronenberg one.” names the director in another sentence than the film: `settled` reads the
whole message for people of the films of that name. Pure functions; knows films and people only as the title index does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
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
    Want: ("film", "whole"),
    Unwant: ("film",),
    Remove: ("film",),
    Dismiss: ("film",),
    Why: ("film",),
    History: ("search",),
    Watchlist: ("search",),
}
"""By intent, the film that it is about, and the longer text that may be its title."""
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
            out.append(replace(intent, **whole))
            told = True
        elif not (told and _points(intent, phrases)):
            out.append(intent)
    return tuple(out)


def _told(title: str, said: str, phrases: Phrases, titles: Titles) -> str:
    """A title, or several on lines, each with the name of those who tell which film it is."""
    lines = title.split("\n")
    for place, line in enumerate(lines):
        around = _WORD.sub(lambda word: _unless_everyday(word.group(), phrases), _without(line, said[:_MAX_SAID]))
        if label := titles.told_by_people(line, around):
            lines[place] = label
    return "\n".join(lines)


def _without(title: str, said: str) -> str:
    """What was said without a title: “Emma” is not Emma Stone."""
    return re.sub(re.escape(title), ",", said, flags=re.IGNORECASE)


def _unless_everyday(word: str, phrases: Phrases) -> str:
    """A word that may be of a name; one in lower case that phrases are made of is not."""
    return "," if word.islower() and word.casefold() in phrases.usual else word


def _points(intent: Intent, phrases: Phrases) -> bool:
    """Whether an intent is only to say which film: “the Cronenberg one”."""
    match intent:
        case Meant(text=text, when=None, rating=None, reaction=None) if text:
            return text.casefold().split()[-1] in phrases.ends_telling
        case Answer(kind=AnswerKind.WORDS, text=text) | BareTitle(text=text) if text:
            return text.casefold().split()[-1] in phrases.ends_telling
    return False
