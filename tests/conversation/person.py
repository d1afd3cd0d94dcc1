"""Somebody who talks to the bot, for tests: `Person`."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.conversation.action import Action, Verb
from bot.conversation.dialogue import Dialogue
from bot.conversation.message import Command, Complete, Identity, Origin, Place, Press, Text
from bot.conversation.reply import Reply
from engine.recommender import Recommender
from storage.records import IdentityKey, MessageKey, PlaceKey, Snapshot
from storage.store import Store

MOMENT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
"""A Friday."""


@dataclass
class Person:
    """Somebody at the other end; `say` types, `press` presses."""

    dialogue: Dialogue
    store: Store
    recommender: Recommender
    name: str = "ada"
    moment: datetime = MOMENT
    last: Reply = field(default_factory=lambda: Reply(""))

    def origin(self, **more: Any) -> Origin:
        identity, place = Identity("test", "", self.name), Place("test", "", "here")
        return replace(Origin(identity, place, uuid.uuid4().hex, self.moment), **more)

    async def say(self, text: str, **more: Any) -> Reply:
        self.moment += timedelta(seconds=1)
        self.last = await self.dialogue.handle(Text(self.origin(**more), text))
        return self.last

    async def command(self, name: str, **arguments: str) -> Reply:
        self.last = await self.dialogue.handle(Command(self.origin(), name, arguments))
        return self.last

    async def press(self, action: Action, reply_id: str | None = None) -> Reply:
        return await self.dialogue.handle(Press(self.origin(), action, reply_id))

    async def complete(self, typed: str) -> Reply:
        return await self.dialogue.handle(Complete(self.origin(), "film", typed))

    async def snapshot(self) -> Snapshot:
        return await self.store.read(
            IdentityKey("test", "", self.name),
            PlaceKey("test", "", "here", ""),
            MessageKey("test", "", uuid.uuid4().hex),
            self.moment,
        )

    async def history(self) -> list[str]:
        """The labels of what was watched, oldest first."""
        labels = []
        for watch in (await self.snapshot()).history:
            film = self.recommender.catalog.film(watch.film_id)
            assert film is not None
            labels.append(film.label)
        return labels


def action_of(reply: Reply, verb: Verb) -> Action:
    """The first choice of a reply, or of its cards, that does `verb`."""
    choices = [*reply.choices, *(choice for card in reply.cards for choice in card.choices)]
    return next(choice.action for choice in choices if choice.action.verb is verb)
