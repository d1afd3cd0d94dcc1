"""The composition root: the only place that builds everything.

Knows which settings go to which part; holds no logic of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.conversation.dialogue import Dialogue
from config.settings import Settings
from engine import bundle
from engine.recommender import Recommender
from storage.store import Store


@dataclass(frozen=True, slots=True)
class App:
    """Everything that runs."""

    store: Store
    recommender: Recommender
    dialogue: Dialogue

    @classmethod
    async def open(cls, settings: Settings) -> App:
        """Open everything, the bundle and the database side by side.

        Raises `engine.bundle.BundleError` and `storage.errors.StorageError`, each one sentence for a person.
        """
        loading = asyncio.create_task(asyncio.to_thread(load_recommender, settings))
        try:
            store = await Store.open(settings.database)
        except BaseException:
            await asyncio.gather(loading, return_exceptions=True)
            raise
        try:
            recommender = await loading
        except BaseException:
            await store.close()
            raise
        dialogue = Dialogue(
            store,
            recommender,
            zone=settings.zone,
            slate_size=settings.slate_size,
            adventurousness=settings.adventurousness,
            diversity=settings.diversity,
            context_minutes=settings.context_minutes,
        )
        return cls(store, recommender, dialogue)

    async def close(self) -> None:
        """Close what was opened."""
        await self.store.close()


def load_recommender(settings: Settings) -> Recommender:
    """The recommender on the bundle of the settings. Raises `engine.bundle.BundleError`."""
    loaded = bundle.load(settings.bundle or bundle.STARTER, provider=settings.provider.value)
    return Recommender(loaded, provider=settings.provider.value)
