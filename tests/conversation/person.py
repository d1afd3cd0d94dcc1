"""Somebody who talks to the bot, for tests: `Person`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.conversation.action import Action, Verb
from bot.conversation.dialogue import Dialogue
from bot.conversation.message import Command, Complete, Identity, Origin, Place, Press, Text
from bot.conversation.reply import File, Reply
from engine.films import Film, FilmId
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
    platform: str = "test"
    moment: datetime = MOMENT
    last: Reply = field(default_factory=lambda: Reply(""))

    @property
    def identity(self) -> IdentityKey:
        return IdentityKey(self.platform, "", self.name)

    def origin(self, **more: Any) -> Origin:
        identity, place = Identity(self.platform, "", self.name), Place(self.platform, "", "here")
        return replace(Origin(identity, place, uuid.uuid4().hex, self.moment), **more)

    async def say(self, text: str, **more: Any) -> Reply:
        self.moment += timedelta(seconds=1)
        self.last = await self.dialogue.handle(Text(self.origin(**more), text))
        return self.last

    async def command(self, name: str, **arguments: str) -> Reply:
        self.last = await self.dialogue.handle(Command(self.origin(), name, arguments))
        return self.last

    async def hand_over(self, *files: File, text: str = "/import", **more: Any) -> Reply:
        self.moment += timedelta(seconds=1)
        self.last = await self.dialogue.handle(Text(self.origin(**more), text, files))
        return self.last

    async def press(self, action: Action, reply_id: str | None = None, **more: Any) -> Reply:
        self.moment += timedelta(seconds=1)
        return await self.dialogue.handle(Press(self.origin(**more), action, reply_id))

    async def complete(self, typed: str) -> Reply:
        return await self.dialogue.handle(Complete(self.origin(), "film", typed))

    async def snapshot(self) -> Snapshot:
        return await self.store.read(
            self.identity,
            PlaceKey(self.platform, "", "here", ""),
            MessageKey(self.platform, "", uuid.uuid4().hex),
            self.moment,
        )

    async def history(self) -> list[str]:
        """The labels of what was watched, oldest first."""
        snapshot = await self.snapshot()
        return self._labels(snapshot, [watch.film_id for watch in snapshot.history])

    async def watchlist(self) -> list[str]:
        """The labels of what is on the watchlist, in the order in which it was put there."""
        snapshot = await self.snapshot()
        return self._labels(snapshot, snapshot.wanted)

    def _labels(self, snapshot: Snapshot, film_ids: Sequence[int]) -> list[str]:
        own = {film.film_id: Film(FilmId(film.film_id), film.title, film.year) for film in snapshot.added_films}
        films = [self.recommender.catalog.film(film_id) or own[film_id] for film_id in film_ids]
        return [film.label for film in films]


def action_of(reply: Reply, verb: Verb) -> Action:
    """The first choice of a reply, or of its cards, that does `verb`."""
    choices = [*reply.choices, *(choice for card in reply.cards for choice in card.choices)]
    return next(choice.action for choice in choices if choice.action.verb is verb)
