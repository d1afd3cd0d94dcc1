"""So many messages a minute and no more, for all processes together where there is a Redis; none is lost to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from storage import limits as limits_module
from storage.limits import RateLimits
from storage.records import IdentityKey, PlaceKey
from storage.redis import OptionalRedis, RedisState
from tests.servers import RedisServer
from tests.storage import redis_faults

pytestmark = pytest.mark.alone

ADA = IdentityKey("discord", "guild", "ada")
BEN = IdentityKey("discord", "guild", "ben")
FILMS = PlaceKey("discord", "guild", "films", "")
MUSIC = PlaceKey("discord", "guild", "music", "")
NOWHERE = PlaceKey("terminal", "", "", "")


@pytest.fixture
def server(redis_server: RedisServer) -> RedisServer:
    """A Redis that runs and is empty."""
    redis_faults.mend(redis_server)
    return redis_server


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[OptionalRedis]:
    """A process's way to it."""
    redis = OptionalRedis(server.url, timeout_seconds=0.08)
    yield redis
    await redis.close()


@pytest.fixture
async def another(server: RedisServer) -> AsyncIterator[OptionalRedis]:
    """Another process's way to it."""
    redis = OptionalRedis(server.url, timeout_seconds=0.08)
    yield redis
    await redis.close()


@pytest.fixture(params=["process", "redis"])
def where(request: pytest.FixtureRequest) -> OptionalRedis | None:
    """Where it is counted: both count alike."""
    return request.getfixturevalue("redis") if request.param == "redis" else None


@pytest.fixture
def short_minute(monkeypatch: pytest.MonkeyPatch) -> float:
    """A window of two seconds instead of a minute."""
    monkeypatch.setattr(limits_module, "WINDOW_SECONDS", 2)
    return 2.0


async def let_through(limits: RateLimits, person: IdentityKey, place: PlaceKey, count: int) -> int:
    """How many of so many messages may be handled."""
    return [await limits.wait_for(person, place) for _ in range(count)].count(0.0)


async def test_a_burst_up_to_the_limit_is_let_through_and_no_more(where: OptionalRedis | None) -> None:
    limits = RateLimits(where, person_per_minute=7, place_per_minute=0)
    assert await let_through(limits, ADA, FILMS, 7) == 7
    assert 59 < await limits.wait_for(ADA, FILMS) <= 60.1
    assert await let_through(limits, ADA, MUSIC, 3) == 0
    assert await let_through(limits, BEN, FILMS, 7) == 7


async def test_a_burst_that_comes_at_once_is_counted_too(where: OptionalRedis | None) -> None:
    limits = RateLimits(where, person_per_minute=7, place_per_minute=0)
    waits = await asyncio.gather(*(limits.wait_for(ADA, FILMS) for _ in range(30)))
    assert waits.count(0.0) == 7


async def test_after_the_wait_that_was_told_the_next_is_let_through(
    where: OptionalRedis | None, short_minute: float
) -> None:
    limits = RateLimits(where, person_per_minute=3, place_per_minute=0)
    assert await let_through(limits, ADA, FILMS, 2) == 2
    await asyncio.sleep(0.5)
    assert await let_through(limits, ADA, FILMS, 1) == 1
    wait = await limits.wait_for(ADA, FILMS)
    assert 1.0 < wait < short_minute - 0.45
    await asyncio.sleep(wait - 0.2)
    assert await limits.wait_for(ADA, FILMS) > 0
    await asyncio.sleep(0.2)
    assert await limits.wait_for(ADA, FILMS) == 0.0
    await asyncio.sleep(0.1)
    assert await let_through(limits, ADA, FILMS, 5) == 1  # the second of the beginning; the third is still counted


async def test_who_goes_on_asking_does_not_wait_longer(where: OptionalRedis | None, short_minute: float) -> None:
    limits = RateLimits(where, person_per_minute=1, place_per_minute=0)
    began = time.monotonic()
    assert await limits.wait_for(ADA, FILMS) == 0.0
    for _ in range(100):
        wait = await limits.wait_for(ADA, FILMS)
        if wait == 0.0:
            break
        await asyncio.sleep(min(wait, 0.05))
    assert short_minute <= time.monotonic() - began < short_minute + 0.5


async def test_a_place_is_shared_by_all_in_it_and_its_threads(where: OptionalRedis | None) -> None:
    limits = RateLimits(where, person_per_minute=0, place_per_minute=4)
    thread = PlaceKey("discord", "guild", "films", "a thread")
    assert await let_through(limits, ADA, FILMS, 2) == 2
    assert await let_through(limits, BEN, thread, 3) == 2
    assert await limits.wait_for(ADA, FILMS) > 0
    assert await limits.wait_for(ADA, MUSIC) == 0.0


async def test_one_person_over_the_limit_does_not_fill_the_place(where: OptionalRedis | None) -> None:
    limits = RateLimits(where, person_per_minute=2, place_per_minute=5)
    assert await let_through(limits, ADA, FILMS, 20) == 2
    assert await let_through(limits, BEN, FILMS, 20) == 2


async def test_where_there_are_no_channels_nobody_shares_one(where: OptionalRedis | None) -> None:
    limits = RateLimits(where, person_per_minute=2, place_per_minute=1)
    assert await let_through(limits, ADA, NOWHERE, 3) == 2
    assert await let_through(limits, BEN, NOWHERE, 3) == 2


async def test_zero_is_no_limit(where: OptionalRedis | None) -> None:
    limits = RateLimits(where, person_per_minute=0, place_per_minute=0)
    assert await let_through(limits, ADA, FILMS, 500) == 500


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (IdentityKey("a", "b", "c"), IdentityKey("a", "bc", "")),
        (IdentityKey("a", "b/c", "d"), IdentityKey("a", "b", "c/d")),
        (IdentityKey("a", "b", 'c", "d'), IdentityKey("a", 'b", "c', "d")),
        (IdentityKey("a", "b", "c\x01"), IdentityKey("a", "b", "c")),
        (IdentityKey("a", "b", "\r\nDEL x\r\n"), IdentityKey("a", "b", "\u202e")),
        (IdentityKey("a", "b", "*"), IdentityKey("a", "b", "anybody")),
        (IdentityKey("discord", "guild", "films"), IdentityKey("discord", "guild", "x" * 2_000)),
    ],
)
async def test_whatever_names_hold_they_stay_apart(
    one: IdentityKey, other: IdentityKey, where: OptionalRedis | None
) -> None:
    limits = RateLimits(where, person_per_minute=3, place_per_minute=20)
    assert await let_through(limits, one, FILMS, 5) == 3
    assert await let_through(limits, other, FILMS, 5) == 3


async def test_two_processes_count_together(redis: OptionalRedis, another: OptionalRedis) -> None:
    one = RateLimits(redis, person_per_minute=6, place_per_minute=0)
    two = RateLimits(another, person_per_minute=6, place_per_minute=0)
    waits = await asyncio.gather(*((one, two)[number % 2].wait_for(ADA, FILMS) for number in range(20)))
    assert waits.count(0.0) == 6


async def test_redis_does_not_learn_who_or_where(redis: OptionalRedis) -> None:
    limits = RateLimits(redis, person_per_minute=6, place_per_minute=6)
    await limits.wait_for(
        IdentityKey("discord", "my guild", "ada lovelace"), PlaceKey("discord", "my guild", "den", "")
    )
    keys = await redis.client.keys()
    assert len(keys) == 2
    for key in keys:
        assert key.startswith(b"nextreel:limits:")
        assert not [word for word in (b"lovelace", b"guild", b"den", b"discord") if word in key]
        assert 0 < await redis.client.ttl(key) <= 60


async def test_without_redis_it_is_counted_in_the_process_and_again_together_when_it_is_back(
    server: RedisServer, redis: OptionalRedis
) -> None:
    limits = RateLimits(redis, person_per_minute=5, place_per_minute=50)
    assert await let_through(limits, ADA, FILMS, 2) == 2
    server.kill()
    assert await let_through(limits, ADA, FILMS, 20) == 5
    assert redis.state is RedisState.AWAY
    server.start()
    deadline = time.monotonic() + 10
    while redis.state is RedisState.AWAY:
        await asyncio.sleep(0.01)
        assert time.monotonic() < deadline
    assert await let_through(limits, ADA, FILMS, 20) == 5
    assert len(await redis.client.keys()) == 2


async def test_a_redis_that_does_not_answer_holds_up_one_message_at_most_so_long(
    server: RedisServer, redis: OptionalRedis
) -> None:
    limits = RateLimits(redis, person_per_minute=100, place_per_minute=100)
    await limits.wait_for(ADA, FILMS)
    server.pause()
    try:
        began = time.monotonic()
        assert await let_through(limits, ADA, FILMS, 20) == 20
        assert 0.05 < time.monotonic() - began < 0.15
    finally:
        server.resume()


async def test_a_full_redis_is_done_without(server: RedisServer, redis: OptionalRedis) -> None:
    limits = RateLimits(redis, person_per_minute=5, place_per_minute=0)
    raw = Redis.from_url(server.url)
    await raw.config_set("maxmemory", 1)
    try:
        assert await let_through(limits, ADA, FILMS, 20) == 5
    finally:
        await raw.config_set("maxmemory", 0)
        await raw.aclose()


async def test_a_foreign_key_in_the_way_is_done_without(redis: OptionalRedis) -> None:
    limits = RateLimits(redis, person_per_minute=5, place_per_minute=0)
    await limits.wait_for(ADA, FILMS)
    (key,) = await redis.client.keys()
    await redis.client.set(key, b"no list")
    assert await let_through(limits, ADA, FILMS, 20) == 5


async def test_so_many_people_are_counted_in_a_process_and_no_more() -> None:
    limits = RateLimits(None, person_per_minute=1, place_per_minute=0)
    for number in range(limits_module._NAMES + 100):
        assert await limits.wait_for(IdentityKey("a", "b", str(number)), FILMS) == 0.0
    assert len(limits._near._windows) == limits_module._NAMES
    assert await limits.wait_for(IdentityKey("a", "b", str(number)), FILMS) > 0
