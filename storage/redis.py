"""A Redis that may be away: every call ends soon, a breaker spares the next ones the wait, and the log says it once.

Knows the connection and nothing of what is kept there. The driver and the breaker are imported when there is a Redis:
without one nobody waits for them to load.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import structlog

from storage.errors import StorageError

if TYPE_CHECKING:
    from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker
    from redis.asyncio import Redis

_log = structlog.get_logger(__name__)
_Result = TypeVar("_Result")

FAILURES: Final = 3
"""After so many calls in a row that failed or were late, nobody waits for Redis until it is seen to be back."""

LINGER_SECONDS: Final = 1.0
"""What nobody waits for any more may still end in this time: a slow connection is there for the next call then."""

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 8.0
_STEADY_SECONDS: Final = 30.0
_SILENCE_SECONDS: Final = 10.0
_CONNECTIONS: Final = 32
_REFUSAL_SECONDS: Final = 60.0

_CLOSED: Final = "closed"


class RedisState(StrEnum):
    """How it stands with Redis, as far as the last calls showed."""

    NONE = "none"
    """There is none in the settings."""
    UP = "up"
    REFUSING = "refusing"
    """It answers, and within the last minute it answered that it won't: it is full, or may only be read."""
    AWAY = "away"


class WrongRedisUrlError(StorageError):
    """The URL of Redis is none that we can use; `expected` says what it should do, never what it is."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"The Redis URL is wrong: it should {expected}.")
        self.expected = expected


class RedisUnavailableError(Exception):
    """Redis is away, late, or refuses: do without it, now."""


class OptionalRedis:
    """A Redis at a URL. Connects when first called; `close` it. For one event loop, safe to use from many tasks.

    Raises WrongRedisUrlError, and nothing because it is away.
    """

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        from purgatory import AsyncCircuitBreakerFactory
        from redis.exceptions import ResponseError

        self._timeout = timeout_seconds
        self.client = _client(url)
        """For the work of `call`, never to be called outside of it."""
        settings = self.client.connection_pool.connection_kwargs
        self.database = int(settings.get("db") or 0)
        self.label = str(settings.get("path") or f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}")
        """How it may be named to a person and in a log."""
        # What is refused was answered, and at once: that is no reason to stay away from it.
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=FAILURES, default_ttl=_FIRST_PAUSE / 4, exclude=[ResponseError]
        )
        self._breakers.add_listener(lambda _name, _kind, _event: self._breaker_changed())
        self._breaker: AsyncCircuitBreaker | None = None
        self._tasks: set[asyncio.Task[object]] = set()
        self._overdue = 0
        self._last_failure = ""
        self._refused_at = float("-inf")
        self._away_since: float | None = None
        self._back_since = float("-inf")
        self._pause = _FIRST_PAUSE
        self._closed = False

    @property
    def state(self) -> RedisState:
        """How it stands, as far as the last calls showed; nothing is tried for it."""
        if self._away_since is not None:
            return RedisState.AWAY
        return RedisState.REFUSING if time.monotonic() < self._refused_at + _REFUSAL_SECONDS else RedisState.UP

    async def call(self, work: Callable[[Redis], Awaitable[_Result]], *, patient: bool = False) -> _Result:
        """What the work gets from Redis, soon; RedisUnavailableError when there is nothing to get.

        The work goes on for a while when it is late or we are cancelled, so that no connection is broken in the middle
        of an answer; it must not matter whether it was done after all. While a late answer is still to come nobody else
        waits: a message that calls twice is late once. What is `patient` waits for as long as the work may take.
        """
        if self._closed or self._away_since is not None or (self._overdue and not patient):
            raise RedisUnavailableError
        if self._breaker is None:
            self._breaker = await self._breakers.get_breaker("redis")

        async def lingering() -> _Result:
            async with asyncio.timeout(LINGER_SECONDS):
                return await work(self.client)

        task = asyncio.create_task(lingering())
        self._keep(task)
        done, _ = await asyncio.wait({task}, timeout=None if patient else self._timeout)
        if not done:
            self._overdue += 1
            task.add_done_callback(self._came_after_all)
        return await self._outcome(self._breaker, task if done else None)

    async def complaint(self) -> str | None:
        """Try it, patiently: one sentence about what is wrong with it, None when it keeps what it is given."""
        from redis.exceptions import AuthenticationError, ResponseError

        try:
            async with asyncio.timeout(LINGER_SECONDS):
                await self.client.set("nextreel:trial", b"", px=1000)
        except AuthenticationError:
            return f"Redis at {self.label} does not accept the password."
        except ResponseError as error:
            return f"Redis at {self.label} answers, but keeps nothing ({_code(error)})."
        except Exception as error:  # noqa: BLE001 -- whatever a server that is no Redis makes the driver raise
            return f"Redis at {self.label} can't be reached ({type(error).__name__})."
        return None

    async def listen(self, *channels: str) -> AsyncIterator[tuple[str, bytes] | None]:
        """What is said in these channels, from now until `close`; it connects again by itself.

        None comes whenever it begins to hear: what was said before that is not known.
        """
        pause = _FIRST_PAUSE
        while not self._closed:
            try:
                async with self.client.pubsub() as ears:
                    async with asyncio.timeout(LINGER_SECONDS):
                        await ears.subscribe(*channels)
                    missing, asked = len(channels), False
                    while not self._closed:
                        said = await ears.get_message(timeout=_SILENCE_SECONDS)
                        if said is None:
                            if asked:
                                raise TimeoutError
                            asked = True
                            async with asyncio.timeout(LINGER_SECONDS):
                                await ears.ping()
                            continue
                        asked = False
                        if said["type"] == "subscribe":
                            missing -= 1
                            if missing == 0:
                                pause = _FIRST_PAUSE
                                yield None
                        elif said["type"] == "message":
                            yield said["channel"].decode(), said["data"]
            except Exception as error:  # noqa: BLE001 -- whatever the driver raises, we try again
                _log.debug("not listening to redis", error=type(error).__name__)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- spreads load, guards nothing
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def close(self) -> None:
        """End everything that is under way and give the connections back."""
        self._closed = True
        await end_tasks(self._tasks)
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                await self.client.aclose()
        except Exception as error:  # noqa: BLE001 -- a connection that ends badly has ended
            _log.debug("redis connections ended badly", error=type(error).__name__)

    async def _outcome(self, breaker: AsyncCircuitBreaker, task: asyncio.Task[_Result] | None) -> _Result:
        """The result of a call, made known to the breaker; None for a call that is late."""
        from redis.exceptions import ResponseError

        try:
            # An open breaker would raise an error of its own; a call that began before it opened tells it nothing new.
            if breaker.context.state != _CLOSED:
                return _result(task)
            async with breaker:
                try:
                    return _result(task)
                except Exception as error:
                    self._last_failure = type(error).__name__
                    raise
        except ResponseError as error:
            self._refused(_code(error))
            raise RedisUnavailableError from error
        except Exception as error:
            raise RedisUnavailableError from error

    def _breaker_changed(self) -> None:
        if self._breaker is None or self._closed:
            return
        state = self._breaker.context.state
        if state == _CLOSED and self._away_since is not None:
            self._back_since = time.monotonic()
            seconds = round(self._back_since - self._away_since, 1)
            self._away_since = None
            _log.info("redis is back", redis=self.label, seconds=seconds)
        elif state != _CLOSED and self._away_since is None:
            self._away_since = time.monotonic()
            if self._away_since > self._back_since + _STEADY_SECONDS:
                self._pause = _FIRST_PAUSE  # else it comes and goes, and is tried less and less
            _log.warning("redis is away", redis=self.label, error=self._last_failure)
            self._keep(asyncio.create_task(self._until_back(self._breaker)))

    async def _until_back(self, breaker: AsyncCircuitBreaker) -> None:
        """Try now and then, with nobody waiting for it."""
        from redis.exceptions import ResponseError

        while breaker.context.state != _CLOSED:
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))  # noqa: S311 -- spreads load, guards nothing
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            try:
                async with breaker:
                    try:
                        async with asyncio.timeout(LINGER_SECONDS):
                            await self.client.ping()  # connecting may take longer than a call may
                        async with asyncio.timeout(self._timeout):
                            await self.client.ping()
                    except ResponseError:
                        pass  # an answer is all that is asked for
            except Exception as error:  # noqa: BLE001 -- whatever it is, Redis is not back
                self._last_failure = type(error).__name__

    def _came_after_all(self, _: asyncio.Task[_Result]) -> None:
        self._overdue -= 1

    def _refused(self, code: str) -> None:
        now = time.monotonic()
        if now >= self._refused_at + _REFUSAL_SECONDS:
            self._refused_at = now
            _log.warning("redis refuses", redis=self.label, code=code)

    def _keep(self, task: asyncio.Task[_Result]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[_Result]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it: who would hear it has gone


async def end_tasks(tasks: set[asyncio.Task[_Result]]) -> None:
    """Cancel tasks until they have ended, and been taken out of the set: the driver may lose a cancellation."""
    while tasks:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=0.1)
        await asyncio.sleep(0)  # for what is done when a task is done


def _result(task: asyncio.Task[_Result] | None) -> _Result:
    if task is None or task.cancelled():
        raise TimeoutError
    return task.result()


def _code(error: Exception) -> str:
    """What kind of error it is: the driver's word for it, or Redis's own; the rest may repeat what was sent."""
    first = str(error).partition(" ")[0]
    return first if first.isascii() and first.isalpha() and first.isupper() else type(error).__name__


def _check(url: str) -> None:
    """ValueError for what the driver would read as something else: a database that is none, half of a password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        if parts.path in ("", "/"):
            raise ValueError("no socket")
    elif not re.fullmatch("/?[0-9]*/?", parts.path) or "@" in parts.query + parts.fragment:
        raise ValueError("no database")


def _client(url: str) -> Redis:
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.connection import parse_url
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError

    ours: dict[str, Any] = {
        "max_connections": _CONNECTIONS,
        "timeout": LINGER_SECONDS,  # for a connection to become free
        "socket_timeout": None,  # all waiting ends by ours; with the driver's, a cancellation may be lost on its way
        "socket_connect_timeout": None,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "decode_responses": False,
    }
    try:
        _check(url)
        pool = BlockingConnectionPool(**{**parse_url(url), **ours})
        pool.connection_class(**pool.connection_kwargs)  # what the URL sets is looked at only now; nothing is connected
    except (ValueError, TypeError, AttributeError, RedisError):
        # The text itself is not repeated: it may hold a password.
        raise WrongRedisUrlError(
            "look like redis://:password@host:6379/0, rediss://… or unix:///a/socket, with %40 for an @ in the password"
        ) from None
    return Redis.from_pool(pool)
