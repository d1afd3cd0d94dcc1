"""A cache that is only ever quicker: nothing fails or waits because of it, and who is forgotten is nowhere in it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from storage.cache import FAR_BYTES, FAR_FIELDS, FAR_SECONDS, NEAR_ENTRIES, Cache
from storage.redis import FAILURES, RedisState, WrongRedisUrlError
from tests.servers import RedisServer
from tests.storage import redis_faults
from tests.storage.redis_faults import Detour, Figures

pytestmark = pytest.mark.alone

ADA, BEN = 7_001, 7_002
PASSWORD = "hunter2"

HOSTILE = [
    "",
    "\r\n*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\ny\r\n",
    "nextreel:slates:7002",
    "'; DROP TABLE people; --",
    "\x00\x01\xff",
    "\ud800 lone surrogate",
    "<b>&amp;</b> @everyone ‮",
    "x" * 100_000,
]


class Maker:
    """Makes values and counts how often it was asked."""

    def __init__(self, value: bytes = b"slate", *, seconds: float = 0.0) -> None:
        self.value = value
        self.seconds = seconds
        self.made = 0

    async def __call__(self) -> bytes:
        self.made += 1
        await asyncio.sleep(self.seconds)
        return self.value


async def get(cache: Cache, make: Callable[[], Awaitable[bytes]], key: str = "key", owner: int = ADA, seconds=60.0):
    return await cache.get_or_make(owner, key, make, encode=bytes, decode=bytes, seconds=seconds)


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(0.01)


def field(key: str = "key") -> bytes:
    return hashlib.sha256(key.encode()).digest()


@pytest.fixture
def server(redis_server: RedisServer) -> RedisServer:
    """A Redis that runs and is empty."""
    redis_faults.mend(redis_server)
    return redis_server


@pytest.fixture
async def raw(server: RedisServer) -> AsyncIterator[Redis]:
    """What is really in it."""
    client = Redis.from_url(server.url)
    yield client
    await client.aclose()


@contextlib.asynccontextmanager
async def opened(url: str | None) -> AsyncIterator[Cache]:
    cache = Cache.open(url)
    try:
        yield cache
    finally:
        await cache.close()


async def hearing(raw: Redis, instances: int, channel: bytes = b"nextreel:0:forgotten") -> None:
    """Wait until so many caches hear what the others say."""

    async def heard() -> bool:
        return dict(await raw.pubsub_numsub(channel))[channel] == instances

    await until(heard)
    await asyncio.sleep(0.02)


@pytest.fixture
async def alone() -> AsyncIterator[Cache]:
    """A cache without Redis."""
    async with opened(None) as cache:
        yield cache


@pytest.fixture
async def cache(server: RedisServer, raw: Redis) -> AsyncIterator[Cache]:
    """A cache in front of Redis, which hears the others."""
    async with opened(server.url) as cache:
        await get(cache, Maker(), "warm up", owner=1)
        await hearing(raw, 1)
        yield cache


@pytest.fixture
async def other(server: RedisServer, raw: Redis, cache: Cache) -> AsyncIterator[Cache]:
    """Another process's cache in front of the same Redis."""
    async with opened(server.url) as other:
        await get(other, Maker(), "warm up", owner=1)
        await hearing(raw, 2)
        yield other


async def shared(raw: Redis, key: str = "key", owner: int = ADA) -> None:
    """Wait until a value has come to Redis."""

    async def there() -> bool:
        return bool(await raw.hexists(f"nextreel:slates:{owner}", field(key)))

    await until(there)


# In this process, with Redis or without


async def test_a_value_is_made_once(alone: Cache) -> None:
    maker = Maker()
    assert [await get(alone, maker) for _ in range(3)] == [b"slate"] * 3
    assert maker.made == 1


async def test_people_and_keys_are_apart(alone: Cache) -> None:
    ours, theirs, another = Maker(b"ours"), Maker(b"theirs"), Maker(b"another")
    for _ in range(2):
        assert await get(alone, ours) == b"ours"
        assert await get(alone, theirs, owner=BEN) == b"theirs"
        assert await get(alone, another, "another key") == b"another"
    assert ours.made == theirs.made == another.made == 1


async def test_a_value_runs_out(alone: Cache) -> None:
    maker = Maker()
    await get(alone, maker, seconds=0.05)
    await asyncio.sleep(0.06)
    await get(alone, maker, seconds=0.05)
    assert maker.made == 2


async def test_so_many_values_are_kept_and_no_more(alone: Cache) -> None:
    first = Maker()
    await get(alone, first, "first")
    for number in range(NEAR_ENTRIES):
        await get(alone, Maker(), str(number))
    await get(alone, first, "first")
    assert first.made == 2


async def test_a_hundred_who_ask_at_once_share_one_making(alone: Cache, cache: Cache) -> None:
    for each in (alone, cache):
        maker = Maker(seconds=0.05)
        assert await asyncio.gather(*(get(each, maker) for _ in range(100))) == [b"slate"] * 100
        assert maker.made == 1


async def test_what_making_raises_reaches_all_and_is_not_kept(alone: Cache) -> None:
    asked = 0

    async def fail() -> bytes:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        raise LookupError("no bundle")

    outcomes = await asyncio.gather(*(get(alone, fail) for _ in range(10)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [LookupError] * 10
    assert asked == 1
    assert await get(alone, Maker()) == b"slate"


async def test_one_who_goes_away_does_not_break_it_for_the_others(alone: Cache) -> None:
    maker = Maker(seconds=0.05)
    first, second = asyncio.create_task(get(alone, maker)), asyncio.create_task(get(alone, maker))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second == b"slate"
    assert first.cancelled()
    assert maker.made == 1


async def test_when_all_have_gone_away_the_next_begins_anew(alone: Cache) -> None:
    stuck = asyncio.Event()
    ended = False

    async def never() -> bytes:
        nonlocal ended
        try:
            await stuck.wait()
        finally:
            ended = True
        return b""

    waiting = [asyncio.create_task(get(alone, never)) for _ in range(3)]
    await asyncio.sleep(0.01)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await asyncio.wait_for(get(alone, Maker()), 1) == b"slate"
    assert ended


async def test_who_is_forgotten_is_made_anew_and_nobody_else(alone: Cache) -> None:
    ada, ben = Maker(), Maker()
    await get(alone, ada), await get(alone, ben, owner=BEN)
    await alone.forget(ADA)
    await get(alone, ada), await get(alone, ben, owner=BEN)
    assert (ada.made, ben.made) == (2, 1)


async def test_what_has_run_out_is_forgotten_too(alone: Cache) -> None:
    await get(alone, Maker(b"private"), seconds=0.01)
    await asyncio.sleep(0.02)
    await alone.forget(ADA)
    assert not vars(alone._near)["_Cache__data"]  # to ask the cache itself would make it look for what has run out


async def test_what_was_being_made_for_someone_forgotten_is_not_kept(alone: Cache) -> None:
    slow, anew = Maker(b"before", seconds=0.05), Maker(b"after")
    before = asyncio.create_task(get(alone, slow))
    await asyncio.sleep(0.01)
    await alone.forget(ADA)
    assert await get(alone, anew) == b"after"  # does not join what began before
    assert await before == b"before"
    assert await get(alone, anew) == b"after"
    assert anew.made == 1


async def test_without_redis_nobody_hears_and_nothing_is_missing(alone: Cache) -> None:
    assert await alone.announce("v2") is None
    assert [message async for message in alone.announcements()] == []
    assert alone.state is RedisState.NONE
    assert alone.state == "none"


async def test_after_close_values_can_still_be_made(server: RedisServer) -> None:
    cache = Cache.open(server.url)
    await get(cache, Maker())
    await cache.close()
    assert await get(cache, Maker(b"made"), "another") == b"made"
    await cache.forget(ADA)
    assert not await cache.announce("v2")
    await cache.close()


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_close_leaves_nothing_running_whatever_redis_does(fault: str, server: RedisServer) -> None:
    others = asyncio.all_tasks()
    async with opened(server.url) as cache:
        heard = asyncio.ensure_future(anext(cache.announcements(), "the end"))
        await get(cache, Maker())
        getattr(server, fault)()
        for number in range(20):
            await get(cache, Maker(), str(number))
        await cache.forget(ADA)
        began = time.monotonic()
        await cache.close()
        assert time.monotonic() - began < 2
    assert await heard == "the end"
    assert asyncio.all_tasks() == others


def test_without_redis_its_packages_are_not_loaded() -> None:
    code = (
        "import asyncio, sys\n"
        "from storage.cache import Cache\n"
        "from storage.limits import RateLimits\n"
        "from storage.records import IdentityKey, PlaceKey\n"
        "limits = RateLimits(Cache.open(None).redis, person_per_minute=5, place_per_minute=5)\n"
        "asyncio.run(limits.wait_for(IdentityKey('a', 'b', 'c'), PlaceKey('a', 'b', 'c', '')))\n"
        "print(*{'redis', 'purgatory', 'limits'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


# In Redis, for all processes


async def test_another_process_finds_what_was_made(cache: Cache, other: Cache, raw: Redis) -> None:
    await get(cache, Maker())
    await shared(raw)
    theirs = Maker(b"made again")
    assert await get(other, theirs) == b"slate"
    assert theirs.made == 0


async def test_another_process_hears_what_is_announced(cache: Cache, other: Cache, raw: Redis) -> None:
    heard = other.announcements()
    first = asyncio.ensure_future(anext(heard))
    await hearing(raw, 1, b"nextreel:0:news")
    assert await cache.announce("bundle 2026-05 is live") == 1
    assert await asyncio.wait_for(first, 5) == "bundle 2026-05 is live"
    second = asyncio.ensure_future(anext(heard, "the end"))
    await asyncio.sleep(0)
    await other.close()
    assert await asyncio.wait_for(second, 5) == "the end"


async def test_who_reads_no_announcements_is_not_counted(cache: Cache, other: Cache) -> None:
    assert await cache.announce("v2") == 0  # though both hear whom the other forgets


async def test_announcements_nobody_reads_do_not_pile_up(cache: Cache, other: Cache, raw: Redis) -> None:
    heard = other.announcements()
    first = asyncio.ensure_future(anext(heard))
    await hearing(raw, 1, b"nextreel:0:news")
    for number in range(300):
        await cache.announce(str(number))
    assert await asyncio.wait_for(first, 5) == "0"
    await asyncio.sleep(0.05)
    assert await asyncio.wait_for(anext(heard), 5) == "200"


async def test_values_run_out_in_redis_at_different_moments_never_later(cache: Cache, raw: Redis) -> None:
    for owner in range(100, 150):
        await get(cache, Maker(), owner=owner, seconds=100)
        await shared(raw, owner=owner)
    lives = [(await raw.pttl(f"nextreel:slates:{owner}")) / 1000 for owner in range(100, 150)]
    assert 75 < min(lives) < 90 < max(lives) <= 100


async def test_nothing_is_kept_for_longer_than_its_longest(cache: Cache, raw: Redis) -> None:
    await get(cache, Maker(), seconds=1e9)
    await shared(raw)
    assert 0 < await raw.ttl(f"nextreel:slates:{ADA}") <= FAR_SECONDS


async def test_a_value_runs_out_though_its_person_has_younger_ones(cache: Cache, other: Cache, raw: Redis) -> None:
    await get(cache, Maker(), "old", seconds=0.2)
    await get(cache, Maker(), "young", seconds=60)
    await shared(raw, "old")
    await shared(raw, "young")
    assert await raw.ttl(f"nextreel:slates:{ADA}") > 40
    await asyncio.sleep(0.2)
    old, young = Maker(), Maker()
    await get(other, old, "old"), await get(other, young, "young")
    assert (old.made, young.made) == (1, 0)


async def test_a_person_has_so_many_values_and_no_more(cache: Cache, raw: Redis) -> None:
    for number in range(FAR_FIELDS + 5):
        await get(cache, Maker(), str(number))
        await shared(raw, str(number))
    assert 0 < await raw.hlen(f"nextreel:slates:{ADA}") <= FAR_FIELDS


async def test_a_large_value_stays_in_the_process(cache: Cache, raw: Redis) -> None:
    large, fitting = Maker(bytes(FAR_BYTES + 1)), Maker(bytes(FAR_BYTES))
    assert await get(cache, large, "large") == await get(cache, large, "large") == large.value
    await get(cache, fitting, "fitting")
    await shared(raw, "fitting")
    assert not await raw.hexists(f"nextreel:slates:{ADA}", field("large"))
    assert large.made == 1


@pytest.mark.parametrize("key", HOSTILE, ids=lambda key: ascii(key[:12]))
async def test_a_hostile_key_or_value_is_only_data(key: str, cache: Cache, other: Cache, raw: Redis) -> None:
    value = key.encode("utf-8", "surrogatepass")[:FAR_BYTES]
    assert await get(cache, Maker(value), key) == value

    async def there() -> bool:
        return await raw.hlen(f"nextreel:slates:{ADA}") == 1

    await until(there)
    assert await get(other, Maker(b"made again"), key) == value
    assert set(await raw.keys()) - {b"nextreel:slates:1"} == {b"nextreel:slates:7001"}
    assert [len(name) for name in await raw.hkeys(f"nextreel:slates:{ADA}")] == [32]


async def test_a_person_is_a_number_and_nothing_else(cache: Cache) -> None:
    with pytest.raises(ValueError, match="format code 'd'"):
        await get(cache, Maker(), owner="7 nextreel:slates:8")


def header(mark: bytes = b"n1", seconds: float = 60) -> bytes:
    return mark + struct.pack(">Q", int(1000 * (time.time() + seconds)))


@pytest.mark.parametrize(
    "foreign",
    [b"", b"n1", b"hello", bytes(10), header(b"n0") + b"slate", header(seconds=-1) + b"slate", header() + b"poison"],
    ids=["empty", "short", "text", "zeros", "another mark", "run out", "what decode refuses"],
)
async def test_a_foreign_value_is_replaced(foreign: bytes, cache: Cache, other: Cache, raw: Redis) -> None:
    def decode(payload: bytes) -> bytes:
        if payload == b"poison":
            raise RecursionError
        return payload

    async def ask(whom: Cache, maker: Maker) -> bytes:
        return await whom.get_or_make(ADA, "key", maker, encode=bytes, decode=decode, seconds=60)

    await raw.hset(f"nextreel:slates:{ADA}", field(), foreign)
    assert await ask(cache, Maker()) == b"slate"

    async def replaced() -> bool:
        return (await raw.hget(f"nextreel:slates:{ADA}", field())).endswith(b"slate")

    await until(replaced)
    theirs = Maker(b"made again")
    assert await ask(other, theirs) == b"slate"
    assert await raw.ttl(f"nextreel:slates:{ADA}") > 0


async def test_a_foreign_kind_of_key_is_replaced(cache: Cache, raw: Redis) -> None:
    await raw.rpush(f"nextreel:slates:{ADA}", b"a", b"list")
    assert await get(cache, Maker()) == b"slate"

    async def replaced() -> bool:
        return await raw.type(f"nextreel:slates:{ADA}") == b"hash"

    await until(replaced)


@pytest.mark.parametrize("said", [b"", b"all", b"7001\r\nFLUSHALL", b"9" * 5000, b"\xff\xfe", "٧٠٠١".encode()])
async def test_what_is_no_person_is_not_forgotten(said: bytes, cache: Cache, raw: Redis) -> None:
    maker = Maker()
    await get(cache, maker)
    await raw.publish("nextreel:0:forgotten", said)
    await raw.publish("nextreel:0:forgotten", str(BEN))
    await asyncio.sleep(0.05)
    await get(cache, maker)
    assert maker.made == 1


# Forgotten everywhere


async def test_who_is_forgotten_is_gone_from_redis_and_from_other_processes(
    cache: Cache, other: Cache, raw: Redis
) -> None:
    await get(cache, Maker())
    await shared(raw)
    assert await get(other, Maker(b"made again")) == b"slate"
    await cache.forget(ADA)
    assert not await raw.exists(f"nextreel:slates:{ADA}")
    await asyncio.sleep(0.05)
    assert await get(other, Maker(b"made again")) == b"made again"


async def test_what_another_process_was_making_for_someone_forgotten_is_kept_nowhere(
    cache: Cache, other: Cache, raw: Redis
) -> None:
    slow = asyncio.create_task(get(other, Maker(b"before", seconds=0.1)))
    await asyncio.sleep(0.03)
    await cache.forget(ADA)
    assert await slow == b"before"
    await asyncio.sleep(0.1)
    assert not await raw.exists(f"nextreel:slates:{ADA}")
    assert await get(other, Maker(b"after")) == b"after"


async def test_one_who_does_not_hear_cannot_bring_back_the_forgotten(
    server: RedisServer, cache: Cache, raw: Redis
) -> None:
    """Redis itself refuses what comes after: a message may be lost on its way."""
    async with opened(server.url) as deaf:
        deaf._hearing = asyncio.create_task(asyncio.sleep(0))
        slow = asyncio.create_task(get(deaf, Maker(b"before", seconds=0.1)))
        await asyncio.sleep(0.03)
        await cache.forget(ADA)
        await slow
        await asyncio.sleep(0.1)
        assert not await raw.exists(f"nextreel:slates:{ADA}")


async def test_who_heard_nothing_for_a_while_drops_everything(server: RedisServer, cache: Cache, raw: Redis) -> None:
    await get(cache, Maker(b"before"))
    assert await get(cache, Maker(b"made again")) == b"before"
    await raw.client_kill_filter(_type="pubsub")
    await raw.delete(f"nextreel:slates:{ADA}")  # as another process would while nobody hears it
    await asyncio.sleep(0.05)
    await hearing(raw, 1)
    assert await get(cache, Maker(b"after")) == b"after"


async def test_what_was_made_when_we_began_to_hear_is_given_to_redis_and_not_kept_here(
    server: RedisServer, raw: Redis
) -> None:
    async with opened(server.url) as cache:
        making = asyncio.create_task(get(cache, Maker(seconds=0.2)))
        await hearing(raw, 1)
        await making
        await shared(raw)
        await raw.delete(f"nextreel:slates:{ADA}")  # as another process did before we heard it
        assert await get(cache, Maker(b"after")) == b"after"


async def test_who_was_forgotten_while_redis_was_away_is_gone_when_it_is_back(
    server: RedisServer, cache: Cache, raw: Redis
) -> None:
    await get(cache, Maker())
    await shared(raw)
    server.pause()
    try:
        began = time.monotonic()
        await cache.forget(ADA)
        assert time.monotonic() - began < 1.5
    finally:
        server.resume()

    async def gone() -> bool:
        return not await raw.exists(f"nextreel:slates:{ADA}")

    await until(gone)


async def test_a_redis_that_only_reads_is_asked_again_to_forget(cache: Cache, raw: Redis) -> None:
    await get(cache, Maker())
    await shared(raw)
    await raw.replicaof("127.0.0.1", "1")
    try:
        await cache.forget(ADA)
        assert await raw.exists(f"nextreel:slates:{ADA}")
    finally:
        await raw.replicaof("NO", "ONE")

    async def gone() -> bool:
        return not await raw.exists(f"nextreel:slates:{ADA}")

    await until(gone)


async def test_forgetting_goes_on_when_who_asked_for_it_has_gone(cache: Cache, raw: Redis) -> None:
    await get(cache, Maker())
    await shared(raw)
    asked = asyncio.create_task(cache.forget(ADA))
    await asyncio.sleep(0)
    asked.cancel()

    async def gone() -> bool:
        return not await raw.exists(f"nextreel:slates:{ADA}")

    await until(gone)


async def test_a_full_redis_forgets_all_the_same(cache: Cache, raw: Redis) -> None:
    await get(cache, Maker())
    await shared(raw)
    await raw.config_set("maxmemory", 1)
    try:
        await cache.forget(ADA)
        assert not await raw.exists(f"nextreel:slates:{ADA}")
    finally:
        await raw.config_set("maxmemory", 0)


# When things go wrong


def assert_unnoticed(figures: Figures) -> None:
    """Nothing failed, and nobody waited for long."""
    assert figures.failed == 0
    assert figures.messages > 400
    assert figures.p99 - figures.calm_p50 <= 150, figures
    assert figures.seconds_to_recover <= 10


async def test_nobody_notices_that_redis_is_killed(server: RedisServer) -> None:
    assert_unnoticed(await redis_faults.killed(server))


async def test_nobody_notices_that_redis_is_paused(server: RedisServer) -> None:
    assert_unnoticed(await redis_faults.paused(server))


async def test_nobody_notices_that_redis_is_restarted(server: RedisServer) -> None:
    assert_unnoticed(await redis_faults.restarted(server))


@pytest.mark.parametrize("answers_after", [0.02, 0.05, 0.3])
async def test_nobody_notices_that_redis_is_slow(server: RedisServer, answers_after: float) -> None:
    assert_unnoticed(await redis_faults.slow(server, answers_after=answers_after))


async def test_nobody_notices_that_redis_stutters(server: RedisServer) -> None:
    assert_unnoticed(await redis_faults.stuttering(server))


async def test_redis_is_used_again_when_it_is_back(server: RedisServer, cache: Cache) -> None:
    with capture_logs() as lines:
        server.kill()
        for number in range(20):
            await get(cache, Maker(), str(number))
        assert cache.state is RedisState.AWAY
        server.start()

        async def back() -> bool:
            return cache.state is RedisState.UP

        await until(back)
    raw = Redis.from_url(server.url)
    try:
        await hearing(raw, 1)
        await get(cache, Maker(), "after")
        await shared(raw, "after")
    finally:
        await raw.aclose()
    said = [line["event"] for line in lines if line["log_level"] != "debug"]
    assert said == ["redis is away", "redis is back"]


async def test_announcements_are_heard_after_a_restart_of_redis(
    server: RedisServer, cache: Cache, other: Cache
) -> None:
    heard = other.announcements()
    first = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    deadline = time.monotonic() + 10
    while not first.done():
        await cache.announce("again")
        await asyncio.wait({first}, timeout=0.05)
        assert time.monotonic() < deadline
    assert first.result() == "again"


async def test_while_redis_is_away_nobody_waits_for_it(server: RedisServer, cache: Cache) -> None:
    server.pause()
    try:
        for number in range(FAILURES):
            await get(cache, Maker(), f"first {number}")
            await asyncio.sleep(1.1)  # until nothing is overdue
        assert cache.state is RedisState.AWAY
        began = time.monotonic()
        for number in range(50):
            await get(cache, Maker(), str(number))
        assert time.monotonic() - began < 0.08
        assert not await cache.announce("v2")
    finally:
        server.resume()


async def test_a_bot_starts_without_its_redis(server: RedisServer) -> None:
    server.kill()
    try:
        async with opened(server.url) as cache:
            maker = Maker()
            assert [await get(cache, maker, str(number // 2)) for number in range(10)] == [b"slate"] * 10
            assert maker.made == 5
            assert await cache.redis.complaint() == (
                f"Redis at {cache.redis.label} can't be reached (ConnectionError)."
            )
    finally:
        server.start()


async def test_one_who_goes_away_while_redis_is_late_does_not_open_the_breaker(
    server: RedisServer, cache: Cache
) -> None:
    async with Detour(server.url) as detour, opened(detour.url) as slow:
        await get(slow, Maker(), "warm up")
        detour.delay = 0.03
        for number in range(2 * FAILURES):
            task = asyncio.create_task(get(slow, Maker(), str(number)))
            await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.sleep(0.05)
        assert slow.state is RedisState.UP


async def test_a_wrong_password_is_logged_once_without_it(server: RedisServer, raw: Redis) -> None:
    await raw.config_set("requirepass", "another")
    try:
        address = f"127.0.0.1:{server.port}"
        with capture_logs() as lines:
            async with opened(f"redis://:{PASSWORD}@{address}") as cache:
                for number in range(20):
                    assert await get(cache, Maker(), str(number)) == b"slate"
                assert cache.state is RedisState.AWAY
                complaint = await cache.redis.complaint()
        assert complaint == f"Redis at {address} does not accept the password."
        assert [line["error"] for line in lines if line["event"] == "redis is away"] == ["AuthenticationError"]
        assert PASSWORD not in str(lines)
    finally:
        await raw.execute_command("AUTH", "another")
        await raw.config_set("requirepass", "")


@pytest.mark.parametrize(
    ("refuse", "relent", "code"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0"), "OutOfMemoryError"),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"), "ReadOnlyError"),
        (("ACL", "SETUSER", "default", "-@all", "+acl"), ("ACL", "SETUSER", "default", "+@all"), "NoPermissionError"),
    ],
    ids=["full", "read only", "no permission"],
)
async def test_a_redis_that_refuses_is_done_without(
    refuse: tuple[str, ...], relent: tuple[str, ...], code: str, cache: Cache, raw: Redis
) -> None:
    await raw.ping()
    with capture_logs() as lines:
        await raw.execute_command(*refuse)
        try:
            for number in range(10):
                assert await get(cache, Maker(), str(number)) == b"slate"
            await asyncio.sleep(0.05)
            assert cache.state is RedisState.REFUSING
            complaint = await cache.redis.complaint()
        finally:
            await raw.execute_command(*relent)
    assert complaint == f"Redis at {cache.redis.label} answers, but keeps nothing ({code})."
    assert [line["code"] for line in lines if line["event"] == "redis refuses"] == [code]
    await get(cache, Maker(), "after")
    await shared(raw, "after")
    assert await cache.redis.complaint() is None


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b":abc\r\n", b"*1\r\n" * 5000, b"$-5\r\n", b"\xff" * 100, b""],
    ids=["http", "no number", "nested", "negative", "noise", "nothing"],
)
async def test_a_server_that_is_no_redis_breaks_nothing(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(1000):
                writer.write(answer)
                await writer.drain()
                if not answer:
                    break
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server, opened(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}") as cache:
        for number in range(10):
            assert await get(cache, Maker(), str(number)) == b"slate"
        assert not await cache.announce("v2")
        await cache.forget(ADA)
        assert await cache.redis.complaint() is not None


@pytest.mark.parametrize(
    "url",
    [
        "",
        PASSWORD,
        f"http://:{PASSWORD}@localhost",
        f"redis://:{PASSWORD}@localhost:port",
        f"redis://:{PASSWORD}@localhost:99999",
        f"redis://:{PASSWORD}@[::1",
        f"redis://:{PASSWORD}@localhost?nonsense=1",
        f"redis://:{PASSWORD}@localhost?db=one",
        f"rediss://:{PASSWORD}@localhost?ssl_cert_reqs=perhaps",
        f"redis://localhost:6379/{PASSWORD}",
        f"redis://:1234/{PASSWORD}@localhost",
        f"redis://:1234?{PASSWORD}@localhost",
        f"redis://:1234#{PASSWORD}@localhost",
        f"unix://:{PASSWORD}@",
    ],
)
def test_a_wrong_url_is_one_sentence_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(WrongRedisUrlError, match=r"^The Redis URL is wrong: it should .*\.$") as caught:
        Cache.open(url)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_url_cannot_change_how_long_we_wait(server: RedisServer, raw: Redis) -> None:
    query = "socket_timeout=60&decode_responses=true&protocol=3&max_connections=1&health_check_interval=1"
    async with opened(f"{server.url}?{query}") as cache:
        binary = Maker(b"\xff\x00")
        await get(cache, Maker(), "warm up")
        await hearing(raw, 1)
        await get(cache, binary)
        await shared(raw)
        cache._near.clear()
        assert await get(cache, binary) == b"\xff\x00"
        assert binary.made == 1
        server.pause()
        try:
            began = time.monotonic()
            await get(cache, Maker(), "late")
            assert time.monotonic() - began < 0.5
        finally:
            server.resume()


async def test_what_nobody_hurries_for_waits_for_a_slow_connection(server: RedisServer) -> None:
    async with Detour(server.url) as detour, opened(detour.url) as cache:
        detour.delay = 0.15
        assert await cache.announce("v2") == 0  # said, though nobody reads it


async def test_two_databases_of_one_redis_do_not_hear_each_other(server: RedisServer, cache: Cache, raw: Redis) -> None:
    async with opened(server.url.removesuffix("0") + "1") as second:
        await get(second, Maker())
        heard = second.announcements()
        first = asyncio.ensure_future(anext(heard))

        async def hears() -> bool:
            return dict(await raw.pubsub_numsub("nextreel:1:news"))[b"nextreel:1:news"] == 1

        await until(hears)
        assert await cache.announce("for database 0") == 0
        assert await second.announce("for database 1") == 1
        assert await asyncio.wait_for(first, 5) == "for database 1"
