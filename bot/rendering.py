"""What all platforms that show buttons do with a `Reply`: where an answer goes, who may press, what is cut when it is
too long.

Pure functions. Knows replies, no platform and none of their limits but as numbers that are handed in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.conversation.action import Action, UnknownActionError, Verb
from bot.conversation.message import Place
from bot.conversation.reply import Audience, AudienceKind, Card, Choice, Reply, Visibility
from storage.records import PlaceSettings

LEAST_WANTED = (Verb.LIKE, Verb.WHY)
"""What a card's buttons do without first where there is no room for all of them: it can be said in words."""
_QUOTED_COMMAND = re.compile(r"(?<=[“„\"«]/)[a-z]+")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a reply goes: in the place of the message whose button was pressed, and beside it; one of the two."""

    in_place: Reply | None
    beside: Reply | None


def placed(reply: Reply, held_by: Visibility | None) -> Placed:
    """Where the answer to a button goes whose message is seen as `held_by` (None: no button was pressed).

    What is private never takes the place of what others see.
    """
    fits = held_by is not None and (reply.visibility is Visibility.PUBLIC or held_by is Visibility.PRIVATE)
    if fits and reply.updated is not None:
        return Placed(reply.updated, None)
    if fits and reply.replaces is not None:
        return Placed(reply, None)
    return Placed(None, reply)


def may_press(audience: Audience, user: str, asker: str) -> bool:
    """Whether somebody may press a choice of a reply to `asker`: for platforms that can hide it from others. The
    conversation decides again when it is pressed."""
    match audience.kind:
        case AudienceKind.ASKER:
            return user == asker
        case AudienceKind.NAMED:
            return user in audience.users
        case AudienceKind.ANYONE:
            return True


def action_of(code: str) -> Action:
    """What a button of ours does. Of a program that knew other actions: one without its numbers, which the conversation
    finds too old."""
    try:
        return Action.decode(code)
    except UnknownActionError:
        return Action(Verb.MORE)


def heard_in(place: Place, settings: PlaceSettings) -> bool:
    """Whether the bot answers there without a command, by what is set for the whole server or workspace."""
    return not settings.channels or bool({place.channel, place.thread} & set(settings.channels))


def with_commands(text: str, commands: Mapping[str, str]) -> str:
    """What is said with the commands that it quotes (“/export”) called as they are called on a platform."""
    return _QUOTED_COMMAND.sub(lambda found: commands.get(found[0], found[0]), text)


def heading(card: Card) -> str:
    """“1. Alien (1979)”."""
    title = card.title if card.year is None else f"{card.title} ({card.year})"
    return title if card.number is None else f"{card.number}. {title}"


def told_apart(cards: Sequence[Card]) -> list[tuple[Card, str]]:
    """Films with their headings, and with genres where title and year are the same: for lists to choose from."""
    names = [heading(card) for card in cards]
    return [
        (card, name if names.count(name) == 1 or not card.genres else f"{name} – {', '.join(card.genres[:2])}")
        for card, name in zip(cards, names, strict=True)
    ]


def cut(text: str, limit: int) -> str:
    """The text, or as many of its lines, then words, as fit into `limit` characters, with “…” at the end."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    for end in ("\n", " "):
        kept = head.rpartition(end)[0]
        if len(kept) > limit // 2:
            return f"{kept}…"
    return f"{head}…"


def with_fewer_choices(cards: Sequence[Card], room: int) -> tuple[Card, ...] | None:
    """The cards with as many choices as there is room for in all, the least wanted ones left out on every card; None
    when that is not enough."""
    kept = tuple(cards)
    for verb in (None, *LEAST_WANTED):
        kept = without(kept, verb)
        if sum(len(card.choices) for card in kept) <= room:
            return kept
    return None


def without(cards: Sequence[Card], verb: Verb | None) -> tuple[Card, ...]:
    """The cards without one of the things that can be done with them."""
    return tuple(replace(card, choices=tuple(c for c in card.choices if c.action.verb is not verb)) for card in cards)


def by_verb(cards: Sequence[Card]) -> dict[Verb, list[tuple[Card, Choice]]]:
    """What can be done with the cards, by what it is: for menus in the place of too many buttons."""
    found: dict[Verb, list[tuple[Card, Choice]]] = {}
    for card in cards:
        for choice in card.choices:
            found.setdefault(choice.action.verb, []).append((card, choice))
    return found
