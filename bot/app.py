"""The composition root: the only place that builds everything.

Knows which settings go to which part, and what goes on beside the conversation: tidying, and taking over a new bundle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from bot.conversation.dialogue import Dialogue
from bot.conversation.turn import Kept
from bot.slates import Slates
from config.settings import Settings
from engine import bundle
from engine.aliases import AliasError, read_aliases
from engine.bundle import BundleError
from engine.recommender import Recommender
from storage.cache import Cache
from storage.errors import StorageError
from storage.limits import RateLimits
from storage.store import Store

TIDIED_EVERY = 24 * 3600.0
"""Seconds between two looks for what need not be kept any longer."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class App:
    """Everything that runs. `close` it."""

    settings: Settings
    store: Store
    cache: Cache
    dialogue: Dialogue
    beside: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    async def open(cls, settings: Settings, *, limited: bool = True) -> App:
        """Open everything, the bundle and the database side by side; `limited` counts how much people say.

        Raises `engine.bundle.BundleError`, `engine.aliases.AliasError` and `storage.errors.StorageError`, each one
        sentence for a person.
        """
        loading = asyncio.create_task(asyncio.to_thread(load_recommender, settings))
        try:
            cache = open_cache(settings)
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
            slates=Slates(recommender, cache),
            limits=_limits(settings, cache) if limited else None,
            zone=settings.zone,
            slate_size=settings.slate_size,
            adventurousness=settings.adventurousness,
            diversity=settings.diversity,
            context_minutes=settings.context_minutes,
            kept=Kept(settings.keep_slates_days or None, settings.keep_inactive_days or None),
        )
        return cls(settings, store, cache, dialogue)

    def go_on(self) -> None:
        """Begin what goes on beside the conversation, for as long as the app is open.

        For a bot whose loop runs all the time; the terminal's runs only while a message is answered.
        """
        self.beside += [asyncio.create_task(self._tidying()), asyncio.create_task(self._taking_over())]

    async def tidy(self) -> None:
        """Delete what the settings say need not be kept any longer; what goes wrong with it is for the log alone."""
        try:
            tidied = await self.store.tidy(
                datetime.now(UTC),
                slates_days=self.settings.keep_slates_days or None,
                inactive_days=self.settings.keep_inactive_days or None,
            )
        except StorageError as error:
            _log.warning("not tidied", error=type(error).__name__, detail=error.detail)
            return
        for person in tidied.people:
            await self.cache.forget(person)
        if tidied.slates or tidied.people:
            _log.info("tidied", slates=tidied.slates, people=len(tidied.people))

    async def take_over(self) -> bool:
        """Load the bundle of the settings beside the one in use, and answer with it from the next message on.

        False when it is bad: the one in use goes on.
        """
        try:
            recommender = await asyncio.to_thread(load_recommender, self.settings)
        except (BundleError, AliasError) as error:
            _log.error("the new bundle is refused, the old one goes on", reason=str(error))
            return False
        self.dialogue.use(recommender, Slates(recommender, self.cache))
        _log.info("answers with a new bundle", bundle=recommender.bundle.label)
        return True

    async def close(self) -> None:
        """Close what was opened."""
        for task in self.beside:
            task.cancel()
        await asyncio.gather(*self.beside, return_exceptions=True)
        self.dialogue.close()
        await self.cache.close()
        await self.store.close()

    async def _tidying(self) -> None:
        while True:
            with _going_on("tidying"):
                await self.tidy()
            await asyncio.sleep(TIDIED_EVERY)

    async def _taking_over(self) -> None:
        async for label in self.cache.announcements():
            _log.info("a new bundle is announced", bundle=label[:100])
            with _going_on("taking over a new bundle"):
                await self.take_over()


@contextmanager
def _going_on(work: str) -> Iterator[None]:
    """What breaks in work beside the conversation is logged, and the next time it is tried again."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 -- whatever it is, nobody else would hear of it
        # The type alone: the text may hold what people said.
        _log.error("broke, and goes on", work=work, error=type(error).__name__)


def load_recommender(settings: Settings) -> Recommender:
    """The recommender on the bundle of the settings, with its aliases.

    Raises `engine.bundle.BundleError`, and AliasError when the aliases are not of its films.
    """
    loaded = bundle.load(settings.bundle or bundle.STARTER, provider=settings.provider.value)
    titles = None
    if settings.aliases:
        titles = loaded.titles.with_aliases(read_aliases(settings.aliases, loaded.titles, loaded.catalog))
    return Recommender(loaded, provider=settings.provider.value, titles=titles)


@dataclass(frozen=True, slots=True)
class Announced:
    """Which bundle was announced, and how many processes heard it."""

    label: str
    processes: int


async def announce_bundle(settings: Settings) -> Announced:
    """Tell the running bots to take over the bundle of the settings, if it is good.

    Raises `engine.bundle.BundleError`, AliasError, `storage.redis.WrongRedisUrlError`, and StorageError with what is
    wrong with Redis.
    """
    label = load_recommender(settings).bundle.label
    cache = open_cache(settings)
    try:
        heard = await cache.announce(label)
        if heard is None:
            complaint = await cache.redis.complaint() if cache.redis else "There is no Redis."
            raise StorageError(f"{(complaint or 'Redis refuses announcements').removesuffix('.')}; so nobody was told.")
        return Announced(label, heard)
    finally:
        await cache.close()


def open_cache(settings: Settings) -> Cache:
    """The cache, with the Redis of the settings where there is one. Raises `storage.redis.WrongRedisUrlError`."""
    return Cache.open(settings.redis_url.get_secret_value() if settings.redis_url else None)


def _limits(settings: Settings, cache: Cache) -> RateLimits:
    return RateLimits(
        cache.redis,
        person_per_minute=settings.messages_per_minute,
        place_per_minute=settings.place_messages_per_minute,
    )
