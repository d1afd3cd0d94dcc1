"""How often a person, and everybody in one place, may ask: counted over the last minute.

Counted in Redis for all processes where there is one, by the moving window of `limits`; in this process otherwise, and
while Redis is away. Knows nothing of what is asked. People and places are counted under a digest of their names, which
is gone when the minute is. `limits` is loaded when there is something to count in Redis.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from cachetools import TTLCache

from storage.records import IdentityKey, PlaceKey
from storage.redis import OptionalRedis, RedisUnavailableError

if TYPE_CHECKING:
    from redis.asyncio import Redis

WINDOW_SECONDS: Final = 60
_EPSILON_SECONDS: Final = 0.001  # the moment a window has room is still too early by the digits Redis keeps

_NAMES: Final = 10_000
"""So many are counted in this process; more are only there when somebody makes them up."""


class RateLimits:
    """Lets a person say so many messages a minute, and a place hear so many; 0 is no limit."""

    def __init__(self, redis: OptionalRedis | None, *, person_per_minute: int, place_per_minute: int) -> None:
        self._person_limit = person_per_minute
        self._place_limit = place_per_minute
        self._near = _NearWindows()
        self._far = _FarWindows(redis) if redis and (person_per_minute or place_per_minute) else None

    async def wait_for(self, person: IdentityKey, place: PlaceKey) -> float:
        """Count a message: 0.0 when it may be handled, else in how many seconds the next one may.

        A place is a channel with all its threads; where there are no channels, nobody shares one. A message over the
        person's limit does not count for the place, and none counts where it is over the limit.
        """
        asked = []
        if self._person_limit > 0:
            asked.append((_digest("person", person.platform, person.workspace, person.user), self._person_limit))
        if self._place_limit > 0 and place.channel:
            asked.append((_digest("place", place.platform, place.workspace, place.channel), self._place_limit))
        if asked and self._far is not None:
            try:
                return await self._far.wait_for(asked)
            except RedisUnavailableError:
                pass
        return self._near.wait_for(asked)


class _NearWindows:
    """The moments of the last minute, in this process.

    The in-memory storage of `limits` looks through all of its windows after each message, in a thread for each: a
    thousand people at 200 messages a second took it a whole core.
    """

    def __init__(self) -> None:
        self._windows: TTLCache[str, deque[float]] = TTLCache(_NAMES, WINDOW_SECONDS)

    def wait_for(self, asked: Sequence[tuple[str, int]]) -> float:
        """Count in each window until one is full; the seconds until that one has room."""
        now = time.monotonic()
        for name, limit in asked:
            window = self._windows.get(name)
            if window is None:
                window = deque()
            while window and window[0] <= now - WINDOW_SECONDS:
                window.popleft()
            if len(window) >= limit:
                return window[0] + WINDOW_SECONDS - now
            window.append(now)
            self._windows[name] = window  # anew, so that it is there for a minute from now
        return 0.0


class _FarWindows:
    """The moments of the last minute, in Redis."""

    def __init__(self, redis: OptionalRedis) -> None:
        from limits import RateLimitItemPerSecond
        from limits.aio.storage import RedisStorage
        from limits.aio.strategies import MovingWindowRateLimiter

        ours: dict[str, Any] = {"connection_pool": redis.client.connection_pool}
        storage = RedisStorage("async+redis://", implementation="redispy", key_prefix="nextreel:limits", **ours)
        self._redis = redis
        self._limiter = MovingWindowRateLimiter(storage)
        self._item = RateLimitItemPerSecond

    async def wait_for(self, asked: Sequence[tuple[str, int]]) -> float:
        """As in this process; RedisUnavailableError when Redis can't say."""

        async def hit(_: Redis) -> float:
            for name, limit in asked:
                item = self._item(limit, WINDOW_SECONDS)
                if not await self._limiter.hit(item, name):
                    full = await self._limiter.get_window_stats(item, name)
                    return max(0.0, full.reset_time - time.time()) + _EPSILON_SECONDS
            return 0.0

        return await self._redis.call(hit)


def _digest(*names: str) -> str:
    """One name for several, whatever they hold; nobody reads a person's id in Redis."""
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()
