"""What is said of films that earlier messages told: “the second one was better”, “Jaws was Tuesday”.

`Situation` says which films those are; nothing here is a new watch. Pure functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.conversation.details import NamedFilm
from bot.conversation.evidence import Evidence
from bot.conversation.grammar import Token
from bot.conversation.intents import (
    BareTitle,
    Dismiss,
    Intent,
    LogWatches,
    Meant,
    NotAWatch,
    NotUnderstood,
    React,
    Seen,
    Situation,
    Thanks,
)
from engine.names import loose_words

_ABOUT_FILMS = (BareTitle, Dismiss, LogWatches, Meant, NotAWatch, NotUnderstood, React, Seen, Thanks)
"""What a message may have been taken for that is about films told before."""


def about_told(intents: tuple[Intent, ...], evidence: Evidence, situation: Situation) -> tuple[Intent, ...]:
    """The intents, or what the message says of each film told before that it names or points at."""
    listed = situation.shown and not situation.just_logged
    told = evidence.has_own_verb() or evidence.vetoes() or evidence.tokens[-1].raw == "?"
    free = not (situation.asked or listed or told)
    if not (free and situation.recent and all(isinstance(intent, _ABOUT_FILMS) for intent in intents)):
        return intents
    films = _named(evidence.tokens, situation.recent)
    if any(token.is_film and not any(film.start <= place < film.end for film in films.values())
           for place, token in enumerate(evidence.tokens)):  # fmt: skip
        return intents
    corrects = any(isinstance(intent, Meant) for intent in intents)
    if not films:
        films = {title: NamedFilm(0, 0) for title in situation.recent[::-1][: situation.told][::-1]}
        if not evidence.points_at_some(list(films.values())):
            return intents
    elif all(isinstance(intent, LogWatches) for intent in intents) and (len(films) == 1 or evidence.has("when")):
        names = {place for film in films.values() for place in range(film.start, film.end)}
        if not evidence.only_corrects(names | evidence.told_by("when")):
            return intents
        corrects = True
    evidence.describe(list(films.values()))
    said = [replace(_said(film, corrects=corrects), of=title) for title, film in films.items() if _is_told(film)]
    return tuple(said) or intents


def _is_told(film: NamedFilm) -> bool:
    return any(told is not None for told in (film.when, film.rating, film.reaction, film.state))


def _said(film: NamedFilm, *, corrects: bool) -> Meant | React:
    if corrects or film.when:
        return Meant(when=film.when, rating=film.rating, reaction=film.reaction, state=film.state)
    return React(film.reaction, film.rating, film.state)


def _named(tokens: Sequence[Token], recent: Sequence[str]) -> dict[str, NamedFilm]:
    """The films told before that are named, in the order in which they are."""
    found: dict[str, NamedFilm] = {}
    for title in recent:
        name = loose_words(title)
        for first in range(len(tokens)):
            for end in range(first + 1, min(first + len(name), len(tokens)) + 1):
                if loose_words(" ".join(token.word for token in tokens[first:end])) == name:
                    found[title] = NamedFilm(first, end)
    return dict(sorted(found.items(), key=lambda one: one[1].start))
