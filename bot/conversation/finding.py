"""Acting on somebody's text that names films: log those that it names, as watched by the person who asks for it.

What the text says of them (who watched what, when) is another's to say and not taken over. What is not surely a film's
name is passed over; a name that two films share is asked about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.conversation.context import Details, Question
from bot.conversation.intents import Asked, BareTitle, LogFound, LogWatches, NotAWatch, Recommend, Situation, Want
from bot.conversation.recommending import EXACT
from bot.conversation.turn import Turn
from bot.conversation.understand import cleaned, understand
from bot.conversation.watching import log_films
from engine.titles import Certainty

MAX_FOUND = 20
"""Films of one text that are logged."""
MAX_ASKED = 5
"""Names of one text that are asked about."""
_LINES = 40
_QUOTED = re.compile(r"[\"“”„«»*_]+([^\"“”„«»*_\n]{1,100})[\"“”„«»*_]+")
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s*")


def log_found(turn: Turn, intent: LogFound) -> None:
    """Log the films that a text names."""
    turn.private = True
    sure: list[int] = []
    asked: set[str] = set()
    for name in dict.fromkeys(_names(turn, cleaned(intent.text))):
        for link in turn.link_all(name):
            if not link.matches or link.matches[0].similarity < EXACT or link.certainty is Certainty.UNKNOWN:
                continue
            if link.certainty is Certainty.CLEAR and len(sure) < MAX_FOUND:
                sure.append(int(link.matches[0].film_id))
            elif link.certainty is Certainty.AMBIGUOUS and link.text not in asked and len(asked) < MAX_ASKED:
                asked.add(link.text)
                ordered = turn.engine.order(turn.member, [match.film_id for match in link.matches])
                turn.ask(Question(Asked.WHICH_FILM, link.text, tuple(map(int, ordered)), Details()))
    log_films(turn, list(dict.fromkeys(sure)), Details())
    if not sure and not asked:
        turn.tell("found-none")


def _names(turn: Turn, text: str) -> Iterator[str]:
    """What in a text may be names of films: what it says of watching and wishing, what stands in quotation marks, and
    lines that are nothing but a name."""
    for intent in understand(text, Situation(), turn.language):
        match intent:
            case LogWatches():
                yield intent.films
            case NotAWatch():
                yield intent.film
            case Recommend():
                yield from intent.wish.like
            case Want(film=str(film)):
                yield film
            case BareTitle():
                yield intent.text
    yield from _QUOTED.findall(text)
    for line in text.split("\n")[:_LINES]:
        bare = _BULLET.sub("", line).strip(" .!")
        if 0 < len(bare) <= 100:
            link = turn.link(bare)
            if link.certainty is not Certainty.UNKNOWN and link.matches[0].similarity >= EXACT:
                yield bare
