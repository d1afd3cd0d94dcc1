"""Slates and questions as cards and choices. Pure functions; knows no store and no platform, and decides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote_plus

from bot.conversation.action import Action, Verb
from bot.conversation.phrases import Say
from bot.conversation.reply import Audience, Card, Choice
from bot.conversation.telling import reason_in_words
from engine.films import Film
from engine.requests import Pick

MAX_LABEL = 75
"""Characters of a choice's label; what the strictest platform allows."""


_YEAR = re.compile(r" \(\d{4}\)[”»“]?$")


def links_of(film: Film) -> tuple[tuple[str, str], ...]:
    """Where to read about a film: by its ids, else a search by its name."""
    links = []
    if film.imdb_id:
        links.append(("IMDb", f"https://www.imdb.com/title/{film.imdb_id}/"))
    if film.tmdb_id:
        links.append(("TMDB", f"https://www.themoviedb.org/movie/{film.tmdb_id}"))
    if not links:
        links.append(("Letterboxd", f"https://letterboxd.com/search/{quote_plus(film.label)}/"))
    return tuple(links)


def film_card(film: Film) -> Card:
    """A film by itself, for type-ahead."""
    return Card(film.film_id, film.title, film.year, film.genres)


@dataclass(frozen=True, slots=True)
class Standing:
    """Which films of a list were watched, are on the watchlist and are not wanted."""

    watched: frozenset[int] = frozenset()
    wanted: frozenset[int] = frozenset()
    dismissed: frozenset[int] = frozenset()

    def done(self, film_id: int) -> tuple[str | None, frozenset[Verb]]:
        """What became of a film, as a key of what is said, and what need not be offered any more."""
        if film_id in self.watched:
            return "note-seen", frozenset({Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.WATCHED, Verb.UNSAVE})
        if film_id in self.dismissed:
            return "note-dismissed", frozenset({Verb.DISMISS})
        if film_id in self.wanted:
            return "note-saved", frozenset({Verb.SAVE})
        return None, frozenset()


def as_it_stands(say: Say, cards: Sequence[Card], standing: Standing) -> tuple[Card, ...]:
    """The cards of a list with what became of each film, and without the buttons that would do it again."""
    stood = []
    for card in cards:
        key, done = standing.done(card.film_id)
        left = tuple(choice for choice in card.choices if choice.action.verb not in done)
        stood.append(replace(card, note=say(key) if key else card.note, choices=left))
    return tuple(stood)


def ballot_cards(
    say: Say, picks: Sequence[Pick], slate_id: int, votes: Mapping[int, int], voters: Audience, *, still_open: bool
) -> tuple[Card, ...]:
    """A card for each film that a group votes on, with its votes, and a button for those who may vote."""
    cards = []
    for card in slate_cards(say, picks, slate_id):
        count = votes.get(card.film_id, 0)
        note = votes_in_words(say, count) if count else ""
        button = Choice(say("vote-choice"), Action(Verb.VOTE, (slate_id, card.film_id)), voters)
        cards.append(replace(card, note=note, choices=(button,) if still_open else ()))
    return tuple(cards)


def votes_in_words(say: Say, count: int) -> str:
    """“2 votes”."""
    return say("votes" if count > 1 else "votes-one", count=count)


def slate_cards(say: Say, picks: Sequence[Pick], slate_id: int) -> tuple[Card, ...]:
    """A card for each pick, numbered from 1, with what can be done with it."""
    return tuple(
        Card(
            film_id=pick.film.film_id,
            title=pick.film.title,
            year=pick.film.year,
            genres=pick.film.genres,
            reason=reason_in_words(say, pick.reason, with_shared=True),
            number=number,
            links=links_of(pick.film),
            choices=tuple(
                Choice(say(key), Action(verb, (slate_id, pick.film.film_id)))
                for key, verb in (
                    ("seen-choice", Verb.SEEN),
                    ("save-choice", Verb.SAVE),
                    ("dismiss-choice", Verb.DISMISS),
                    ("why-choice", Verb.WHY),
                    ("like-choice", Verb.LIKE),
                )
            ),
        )
        for number, pick in enumerate(picks, 1)
    )


def wanted_cards(say: Say, films: Sequence[Film], first: int, message_id: int) -> tuple[Card, ...]:
    """A card for each film of the watchlist, numbered from `first`, as the message shows it."""
    return tuple(
        Card(
            film_id=film.film_id,
            title=film.title,
            year=film.year,
            genres=film.genres,
            number=number,
            links=links_of(film),
            choices=tuple(
                Choice(say(key), Action(verb, (message_id, film.film_id)))
                for key, verb in (("seen-choice", Verb.WATCHED), ("unsave-choice", Verb.UNSAVE))
            ),
        )
        for number, film in enumerate(films, first)
    )


def picking(labels: Sequence[str], message_id: int) -> tuple[Choice, ...]:
    """The choices of a question that a message asks, to be answered by place, from 1."""
    return tuple(Choice(_cut(label), Action(Verb.PICK, (message_id, place))) for place, label in enumerate(labels, 1))


def choice(label: str, verb: Verb, *numbers: int) -> Choice:
    """One choice; a label that is too long is cut."""
    return Choice(_cut(label), Action(verb, numbers))


def told_apart(films: Sequence[Film]) -> list[str]:
    """A label for each film, with genres or tags where title and year are the same."""
    counts: dict[str, int] = {}
    for film in films:
        counts[film.label] = counts.get(film.label, 0) + 1
    return [
        film.label
        if counts[film.label] == 1
        else f"{film.label} – {', '.join((*film.genres, *film.tags)[:3]) or film.film_id}"
        for film in films
    ]


def short(label: str, limit: int) -> str:
    """A film's label in so many characters: of a long one the title is cut, never the year."""
    if len(label) <= limit:
        return label
    year = _YEAR.search(label)
    end = year[0] if year else ""
    return f"{label[: limit - 1 - len(end)].rstrip()}…{end}"


def _cut(label: str) -> str:
    return short(label, MAX_LABEL)
