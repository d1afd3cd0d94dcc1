"""Acting on titles that no film has: offer to keep them as films of the person's own.

Knows what a title of one's own may be; the film itself is `own_films`'.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversation.context import Details, Question
from bot.conversation.intents import Asked
from bot.conversation.own_films import MAX_OWN_TITLE, title_and_year
from bot.conversation.telling import shown_title
from bot.conversation.turn import Turn

MAX_OFFERED = 5
"""Titles of one message up to which each is offered to be kept; more are no list of films."""


def ask_to_add(turn: Turn, titles: Sequence[str], details: Details | None = None, *, wants: bool = False) -> None:
    """Say that no films of those titles are known, and ask about each whether to keep it all the same."""
    if not titles:
        return
    if len(titles) == 1:
        turn.tell("unknown", title=shown_title(titles[0]))
    else:
        shown = [f"“{shown_title(title)}”" for title in titles[:MAX_OFFERED]]
        turn.tell("unknown-many", titles=turn.say.listed(shown))
    if len(titles) <= MAX_OFFERED:
        for title in titles:
            offer_to_add(turn, title, details, wants=wants)


def offer_to_add(turn: Turn, title: str, details: Details | None = None, *, wants: bool = False) -> None:
    """Ask whether to keep a title as a film of the person's own."""
    if may_be_added(title):
        turn.ask(Question(Asked.ADD_FILM, title, details=details or Details(), wants=wants))


def may_be_added(typed: str) -> bool:
    """Whether what was typed may be the title of a film: not too long, and more than marks."""
    title, _ = title_and_year(typed)
    return len(title) <= MAX_OWN_TITLE and any(c.isalnum() for c in title)


def added(turn: Turn, question: Question) -> int:
    """The film that a question offered to keep: the person's own of that title, added when they have none."""
    title, year = title_and_year(question.typed)
    return turn.own_film(title, year)
