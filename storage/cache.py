"""What may be lost: values that can be made again, kept in this process and, where there is one, in Redis.

Knows neither what is kept nor what it costs to make; everything here may vanish at any moment and nothing is missed.
A value is kept under a person and a key that says all it depends on, so it is never out of date, only unused.

In Redis a person is one hash, `nextreel:slates:<person>`, of values by the SHA-256 of their key, so that one UNLINK
erases the person. Each value begins with the moment it runs out, and the hash runs out with the youngest.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import re
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog
from cachetools import TLRUCache

from storage.redis import OptionalRedis, RedisState, RedisUnavailableError, end_tasks

if TYPE_CHECKING:
    from redis.asyncio import Redis

_log = structlog.get_logger(__name__)
_Value = TypeVar("_Value")

NEAR_ENTRIES: Final = 1000
NEAR_SECONDS: Final = 60.0
"""How long this process keeps a value at most: where Redis is away, it may not hear that a person was erased."""

FAR_SECONDS: Final = 3600.0
"""How long Redis keeps a value at most, also of a person who was erased while Redis was away for good."""

FAR_FIELDS: Final = 64
"""A person's hash is begun anew when it holds so many values: most are of a history that has moved on."""

FAR_BYTES: Final = 65_536
"""A larger value is kept in the process alone."""

FORGOTTEN_SECONDS: Final = 60
"""How long Redis remembers that a person was forgotten: no value takes longer to make."""

_NEWS_WAITING: Final = 100
_AGAIN_SECONDS: Final = 1.0

_NEWS: Final = "news"
_FORGOTTEN: Final = "forgotten"

_MARK: Final = b"n1"
_HEADER: Final = struct.Struct(">2sQ")  # the mark and the moment it runs out, in milliseconds since 1970

_SHARE: Final = """
if redis.call('EXISTS', KEYS[2]) == 1 then
    return 0
end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and (kind ~= 'hash' or redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4])) then
    redis.call('UNLINK', KEYS[1])
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
"""
"""Keep a value (field, value, milliseconds, most fields) of a person (the hash) unless forgotten (the mark of it)."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value is kept: whose it is, and the digest of its key."""

    owner: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Held:
    value: Any
    until: float  # by the monotonic clock


@dataclass(eq=False, slots=True)
class _Flight:
    """A value on its way; many may wait for it. It is kept only while it is among the flights."""

    task: asyncio.Task[Any]
    waiting: int = 0


class Cache:
    """Values in this process and, where there is one, in Redis in front of all processes. `close` it."""

    def __init__(self, redis: OptionalRedis | None = None) -> None:
        self.redis = redis
        self._share_script = None if redis is None else redis.client.register_script(_SHARE)
        self._near: TLRUCache[_Place, _Held] = TLRUCache(NEAR_ENTRIES, lambda _place, held, _now: held.until)
        self._flights: dict[_Place, _Flight] = {}
        self._times_begun_to_hear = 0
        self._owed: dict[int, float] = {}
        self._queues: set[asyncio.Queue[str | None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._hearing: asyncio.Task[None] | None = None
        self._hearing_news: asyncio.Task[None] | None = None
        self._paying: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    def open(cls, redis_url: str | None, *, timeout_seconds: float = 0.08) -> Cache:
        """A cache in front of the Redis at that URL, connected when first used; for None, in this process alone.

        Raises WrongRedisUrlError, and nothing because Redis is away.
        """
        return cls(None if redis_url is None else OptionalRedis(redis_url, timeout_seconds=timeout_seconds))

    @property
    def state(self) -> RedisState:
        """How it stands with Redis."""
        return RedisState.NONE if self.redis is None else self.redis.state

    async def get_or_make(
        self,
        owner: int,
        key: str,
        make: Callable[[], Awaitable[_Value]],
        *,
        encode: Callable[[_Value], bytes],
        decode: Callable[[bytes], _Value],
        seconds: float,
    ) -> _Value:
        """The value of a person's key, for at most so many seconds after it was made; all who wait share one `make`.

        `key` says all that the value depends on, and its kind. The value is shared: nobody may change it. What `decode`
        raises makes a miss; what `make` raises reaches all who wait, and is not kept.
        """
        place = _Place(owner, hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest())
        held = self._near.get(place)
        if held is not None:
            value: _Value = held.value
            return value
        flight = self._flights.get(place)
        if flight is None:
            self._listen()
            task = asyncio.create_task(self._fly(place, make, encode, decode, _jittered(seconds)))
            flight = self._flights[place] = _Flight(task)
        landed: _Value = await self._landing(place, flight)
        return landed

    async def forget(self, owner: int) -> None:
        """Drop everything of a person, here, in Redis, and in the other processes; what is being made is not kept.

        Where Redis is away, it is told when it is back; until then what it has runs out, at last after `FAR_SECONDS`.
        """
        self._drop(owner)
        redis = self.redis
        if redis is None or self._closed:
            return
        self._owed[owner] = time.monotonic() + FAR_SECONDS
        await asyncio.wait({self._keep(self._pay(redis, owner))})  # which goes on when we are cancelled
        if self._owed and (self._paying is None or self._paying.done()):
            self._paying = self._keep(self._pay_later(redis))

    async def announce(self, message: str) -> int | None:
        """Say it to every process that reads `announcements` now; how many these are, this one too if it does.

        None when there is no Redis to say it through.
        """
        redis = self.redis
        if redis is None:
            return None

        async def publish(client: Redis) -> int:
            return int(await client.publish(_channel(redis, _NEWS), message.encode()))

        try:
            return await redis.call(publish, patient=True)
        except RedisUnavailableError:
            return None

    async def announcements(self) -> AsyncIterator[str]:
        """What is announced from now on, by this process too, until `close`; without Redis, nothing.

        What is said while Redis is away is lost.
        """
        if self.redis is None or self._closed:
            return
        # Not before somebody reads them: who only listens would be counted among those who heard.
        if self._hearing_news is None:
            self._hearing_news = self._keep(self._hear_news(self.redis))
        queue: asyncio.Queue[str | None] = asyncio.Queue(_NEWS_WAITING)
        self._queues.add(queue)
        try:
            while (message := await queue.get()) is not None:
                yield message
        finally:
            self._queues.discard(queue)

    async def close(self) -> None:
        """Give the connections back. Values can still be made, and nothing is told to others any more."""
        self._closed = True
        for queue in self._queues:
            _offer(queue, None)
        await end_tasks(self._tasks)
        if self.redis is not None:
            await self.redis.close()

    async def _fly(
        self,
        place: _Place,
        make: Callable[[], Awaitable[_Value]],
        encode: Callable[[_Value], bytes],
        decode: Callable[[bytes], _Value],
        seconds: float,
    ) -> _Value:
        """Fetch a value or make it, and keep it unless the person is forgotten meanwhile."""
        hearing = self._times_begun_to_hear
        try:
            fetched = await self._fetch(place, decode)
            if fetched is None:
                value = await make()
                if self._wanted(place) and self.state not in (RedisState.NONE, RedisState.AWAY):
                    self._share(place, encode(value), seconds)
            else:
                value, seconds = fetched
            if self._wanted(place) and hearing == self._times_begun_to_hear:
                self._near[place] = _Held(value, time.monotonic() + min(seconds, _jittered(NEAR_SECONDS)))
            return value
        finally:
            if self._wanted(place):
                del self._flights[place]

    def _wanted(self, place: _Place) -> bool:
        """Whether the task that asks still brings this value; after `forget` it does not."""
        flight = self._flights.get(place)
        return flight is not None and flight.task is asyncio.current_task()

    async def _landing(self, place: _Place, flight: _Flight) -> Any:
        """Wait for a value among others; when the last of them goes, nobody needs it any more."""
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.task.done():
                flight.task.cancel()
                if self._flights.get(place) is flight:
                    del self._flights[place]

    async def _fetch(self, place: _Place, decode: Callable[[bytes], _Value]) -> tuple[_Value, float] | None:
        """A value of Redis and the seconds it has left."""
        if self.redis is None:
            return None
        name = _hash(place.owner)
        try:
            found = await self.redis.call(lambda client: client.hget(name, place.digest))
        except RedisUnavailableError:
            return None
        if not isinstance(found, bytes) or len(found) < _HEADER.size:
            return None
        mark, until = _HEADER.unpack_from(found)
        left = until / 1000 - time.time()
        if mark != _MARK or left <= 0:
            return None
        try:
            return decode(found[_HEADER.size :]), left
        except Exception as error:  # noqa: BLE001 -- whatever lies in Redis, it is not worth a reply
            _log.warning("value in redis can't be read", error=type(error).__name__)
            return None

    def _share(self, place: _Place, payload: bytes, seconds: float) -> None:
        """Give a value to Redis, with nobody waiting for it."""
        redis, script = self.redis, self._share_script
        if redis is None or script is None or self._closed or len(payload) > FAR_BYTES:
            return
        value = _HEADER.pack(_MARK, int(1000 * (time.time() + seconds))) + payload

        async def put(client: Redis) -> None:
            await script(
                keys=[_hash(place.owner), _forgotten(place.owner)],
                args=[place.digest, value, int(1000 * seconds), FAR_FIELDS],
                client=client,
            )

        async def share() -> None:
            with contextlib.suppress(RedisUnavailableError):
                await redis.call(put)

        self._keep(share())

    async def _pay(self, redis: OptionalRedis, owner: int) -> None:
        """Have Redis and the other processes forget a person."""

        async def unlink(client: Redis) -> None:
            steps = client.pipeline(transaction=False)
            steps.set(_forgotten(owner), b"", ex=FORGOTTEN_SECONDS)  # first: nothing is kept after the UNLINK
            steps.unlink(_hash(owner))
            steps.publish(_channel(redis, _FORGOTTEN), str(owner))
            # A full Redis refuses the mark, but then it refuses new values too.
            _, unlinked, _ = await steps.execute(raise_on_error=False)
            if isinstance(unlinked, Exception):
                raise unlinked

        with contextlib.suppress(RedisUnavailableError):
            await redis.call(unlink, patient=True)
            self._owed.pop(owner, None)

    async def _pay_later(self, redis: OptionalRedis) -> None:
        while self._owed:
            await asyncio.sleep(_AGAIN_SECONDS)
            for owner, until in tuple(self._owed.items()):
                if time.monotonic() > until:
                    del self._owed[owner]  # by now all of it has run out
                else:
                    await self._pay(redis, owner)

    def _listen(self) -> None:
        """Begin to hear whom the other processes forget, if not begun."""
        if self.redis is not None and self._hearing is None and not self._closed:
            self._hearing = self._keep(self._hear(self.redis))

    async def _hear(self, redis: OptionalRedis) -> None:
        async for said in redis.listen(_channel(redis, _FORGOTTEN)):
            if said is None:
                # Somebody may have been forgotten while we heard nothing; Redis remembers that by itself.
                self._near.clear()
                self._times_begun_to_hear += 1
            elif re.fullmatch(rb"-?[0-9]{1,20}", said[1]):
                self._drop(int(said[1]))

    async def _hear_news(self, redis: OptionalRedis) -> None:
        async for said in redis.listen(_channel(redis, _NEWS)):
            if said is not None:
                text = said[1].decode(errors="replace")
                for queue in self._queues:
                    _offer(queue, text)

    def _drop(self, owner: int) -> None:
        self._near.expire()  # what has run out is not iterated over, but still there
        for place in [place for place in self._near if place.owner == owner]:
            self._near.pop(place, None)
        for place in [place for place in self._flights if place.owner == owner]:
            del self._flights[place]

    def _keep(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """A task that lives until it ends or we close."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _jittered(seconds: float) -> float:
    """At most so many seconds, so that what was made together does not run out together."""
    return min(seconds, FAR_SECONDS) * random.uniform(0.8, 1.0)  # noqa: S311 -- guards nothing


def _offer(queue: asyncio.Queue[str | None], text: str | None) -> None:
    """Put it into a queue; when nobody reads it, the oldest goes."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(text)


def _hash(owner: int) -> str:
    return f"nextreel:slates:{owner:d}"


def _forgotten(owner: int) -> str:
    return f"nextreel:forgotten:{owner:d}"


def _channel(redis: OptionalRedis, name: str) -> str:
    # Unlike keys, channels are the same in all databases of a Redis.
    return f"nextreel:{redis.database}:{name}"
