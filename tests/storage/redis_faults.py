"""What happens to messages while Redis fails, as figures: each scenario breaks it, mends it, and counts all along.

A message here is what the bot does with Redis for each: ask the rate limits, then get a slate or make it.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from storage.cache import Cache
from storage.limits import RateLimits
from storage.records import IdentityKey, PlaceKey
from storage.redis import RedisState
from tests.servers import RedisServer

MAKING_SECONDS = 0.005
SLATE = b"\x00slate\r\n" * 250


@dataclass(frozen=True)
class Figures:
    """What Redis added to the messages before and during a fault, in milliseconds, and how long it stayed unused after.

    `messages` and `failed` count them all: before, during and after.
    """

    messages: int
    failed: int
    calm_p50: float
    p50: float
    p99: float
    longest: float
    seconds_to_recover: float

    @classmethod
    def of(cls, calm: Iterable[float], added: Iterable[float], messages: int, failed: int, seconds: float) -> Figures:
        """From the seconds that were added before and during the fault."""
        in_order = sorted(1000 * each for each in added)
        return cls(
            messages=messages,
            failed=failed,
            calm_p50=1000 * statistics.median(calm),
            p50=statistics.median(in_order),
            p99=in_order[min(len(in_order) - 1, int(0.99 * len(in_order)))],
            longest=in_order[-1],
            seconds_to_recover=seconds,
        )


class Load:
    """Messages that come at a steady rate, whatever becomes of the ones before."""

    def __init__(self, cache: Cache, limits: RateLimits) -> None:
        self.cache = cache
        self.limits = limits
        self.added: list[float] = []
        self.failed = 0
        self.count = 0

    async def handle(self, number: int) -> None:
        """One message of one of fifty people; every fourth asks what was asked before."""
        made = 0.0

        async def make() -> bytes:
            nonlocal made
            began = time.perf_counter()
            await asyncio.sleep(MAKING_SECONDS)
            made = time.perf_counter() - began
            return SLATE

        began = time.perf_counter()
        try:
            await self.limits.wait_for(
                IdentityKey("discord", "guild", f"person {number % 50}"), PlaceKey("discord", "guild", "films", "")
            )
            slate = await self.cache.get_or_make(
                number % 50, f"{number - number % 4}", make, encode=bytes, decode=bytes, seconds=60
            )
        except Exception:
            self.failed += 1
            raise
        assert slate == SLATE
        self.added.append(time.perf_counter() - began - made)

    async def run(self, seconds: float, per_second: float) -> list[float]:
        """Handle messages for a while; the seconds that each took beside the making."""
        first = len(self.added)
        loop = asyncio.get_running_loop()
        began = loop.time()
        tasks = []
        for number in range(int(seconds * per_second)):
            await asyncio.sleep(max(0.0, began + number / per_second - loop.time()))
            self.count += 1
            tasks.append(asyncio.create_task(self.handle(self.count)))
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.added[first:]


@contextlib.asynccontextmanager
async def loaded(url: str) -> AsyncIterator[Load]:
    """A load on a Redis, through limits that nobody reaches."""
    cache = Cache.open(url)
    try:
        yield Load(cache, RateLimits(cache.redis, person_per_minute=1_000_000, place_per_minute=1_000_000))
    finally:
        await cache.close()


async def through(
    url: str,
    fault: Callable[[], Awaitable[None]],
    mend: Callable[[], Awaitable[None]],
    *,
    seconds: float,
    per_second: float,
) -> Figures:
    """Load before, during and after a fault, each for so many seconds."""
    async with loaded(url) as load:
        calm = await load.run(seconds, per_second)
        during = asyncio.create_task(load.run(seconds, per_second))
        await asyncio.sleep(seconds / 10)
        await fault()
        added = await during
        await mend()
        mended = time.monotonic()
        after = asyncio.create_task(load.run(seconds, per_second))
        while load.cache.state is RedisState.AWAY:
            await asyncio.sleep(0.01)
            assert time.monotonic() < mended + 30, "it stays away"
        recovered = time.monotonic() - mended
        await after
        return Figures.of(calm, added, load.count, load.failed, recovered)


async def killed(server: RedisServer, *, seconds: float = 1.5, per_second: float = 100) -> Figures:
    """It is killed, and started again later."""
    return await through(server.url, _soon(server.kill), _soon(server.start), seconds=seconds, per_second=per_second)


async def paused(server: RedisServer, *, seconds: float = 1.5, per_second: float = 100) -> Figures:
    """It stops answering and keeps its connections."""
    return await through(server.url, _soon(server.pause), _soon(server.resume), seconds=seconds, per_second=per_second)


async def restarted(server: RedisServer, *, seconds: float = 1.5, per_second: float = 100) -> Figures:
    """It is killed and is back at once, empty: all connections are stale, and no script is known."""

    def restart() -> None:
        server.kill()
        server.start()

    return await through(server.url, _soon(restart), _soon(lambda: None), seconds=seconds, per_second=per_second)


async def slow(server: RedisServer, *, answers_after: float, seconds: float = 1.5, per_second: float = 100) -> Figures:
    """Its answers come late: within what a call waits, or not."""
    async with Detour(server.url) as detour:

        async def slow_down() -> None:
            detour.delay = answers_after

        async def speed_up() -> None:
            detour.delay = 0.0

        return await through(detour.url, slow_down, speed_up, seconds=seconds, per_second=per_second)


async def stuttering(server: RedisServer, *, seconds: float = 1.5, per_second: float = 100) -> Figures:
    """Every other moment it does not answer in time: failures that do not come in a row."""
    async with Detour(server.url) as detour:
        stutter: asyncio.Task[None] | None = None

        async def back_and_forth() -> None:
            while True:
                detour.delay = 0.2
                await asyncio.sleep(0.05)
                detour.delay = 0.0
                await asyncio.sleep(0.05)

        async def begin() -> None:
            nonlocal stutter
            stutter = asyncio.create_task(back_and_forth())

        async def end() -> None:
            assert stutter is not None
            stutter.cancel()
            detour.delay = 0.0

        return await through(detour.url, begin, end, seconds=seconds, per_second=per_second)


class Detour:
    """A way to a server on which its answers can be held back."""

    def __init__(self, url: str) -> None:
        self._to = int(url.rsplit(":", 1)[1].partition("/")[0])
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""
        self.delay = 0.0

    async def __aenter__(self) -> Detour:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            await asyncio.gather(_pump(reader, back, lambda: 0.0), _pump(there, writer, lambda: self.delay))
        finally:
            writer.close()
            back.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: Callable[[], float]) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            await asyncio.sleep(delay())
            writer.write(data)
            await writer.drain()
    writer.close()


def mend(server: RedisServer) -> None:
    """Make it run, answer, and hold nothing, whatever was done to it."""
    with contextlib.suppress(RedisError), Redis.from_url(server.url, socket_timeout=0.5, retry=None) as client:
        client.flushall()
        return
    server.kill()
    server.start()


def _soon(step: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    """The step beside the event loop: starting a server takes its time."""

    async def run() -> None:
        await asyncio.to_thread(step)

    return run
