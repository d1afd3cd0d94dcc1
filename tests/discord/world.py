"""What the tests look at: what a message says, what can be pressed on it, and what the store keeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import discord
import simcord
from simcord.builders import ChannelHandle

from engine.films import FilmId
from engine.recommender import Recommender
from storage.records import IdentityKey, MessageKey, PlaceKey, Snapshot
from storage.store import Store


def text_of(message: Any) -> str:
    """All that a message says, in components or not."""
    parts = [message.content, *(part.get("content", "") for part in _walk(_raw(message)))]
    return "\n".join(part.removeprefix("### ") for part in parts if part).replace("\\", "")


def labels_of(message: Any) -> list[str]:
    """The labels of its buttons."""
    return [part["label"] for part in _walk(_raw(message)) if part.get("label")]


def id_of(message: Any, label: str, place: int = 0) -> str:
    """The id of the button of that label; of several, of the one at a place."""
    return [str(part["custom_id"]) for part in _walk(_raw(message)) if part.get("label") == label][place]


def options_of(message: Any, verb: str) -> list[str]:
    """What the menu for a verb offers."""
    menu = next(part for part in _walk(_raw(message)) if part.get("custom_id") == f"menu-of-{verb}")
    return [option["value"] for option in menu["options"]]


def _raw(message: Any) -> list[dict[str, Any]]:
    return [one if isinstance(one, dict) else one.to_dict() for one in message.components]


def _walk(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for component in components:
        yield component
        yield from _walk(component.get("components") or [])


@dataclass
class World:
    """The server, its channel and what is kept."""

    env: simcord.Env
    store: Store
    recommender: Recommender
    films: ChannelHandle

    @property
    def mention(self) -> str:
        """How the bot is addressed."""
        assert self.env.bot.user is not None
        return self.env.bot.user.mention

    async def films_thread(self, message: Any) -> ChannelHandle:
        """A thread on a message."""
        channel = self.env.bot.get_channel(self.films.id)
        assert isinstance(channel, discord.TextChannel)
        thread = await channel.create_thread(name="about it", message=message)
        await self.env.settle()
        return next(one for one in self.films.threads if one.id == thread.id)

    async def snapshot(self, person: Any) -> Snapshot:
        """What is known about somebody."""
        place = PlaceKey("discord", "", "", "")
        key = MessageKey("discord", "", "none")
        return await self.store.read(IdentityKey("discord", "", str(person.id)), place, key, self.env.now())

    async def history(self, person: Any) -> list[str]:
        """What somebody watched, oldest first."""
        return [self._label(watch.film_id) for watch in (await self.snapshot(person)).history]

    async def watchlist(self, person: Any) -> list[str]:
        """What is on somebody's watchlist."""
        return [self._label(film_id) for film_id in (await self.snapshot(person)).wanted]

    def _label(self, film_id: int) -> str:
        film = self.recommender.catalog.film(FilmId(film_id))
        return film.label if film else str(film_id)
