"""Kept slates: the same slate as the engine computes, for the same history and wish only, gone with the person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.slates import Slates, decode, encode
from engine import bundle
from engine.films import FilmId
from engine.recommender import Recommender
from engine.requests import Event, Member, Request, Slate
from storage.cache import Cache
from storage.records import PersonId
from tests.engine.small_bundle import film_id, write_small_bundle
from tests.servers import RedisServer

ADA, BEN = PersonId(7), PersonId(8)
HORROR = Member(tuple(Event(FilmId(film_id(n))) for n in (0, 5, 10)))
WESTERN = Member(tuple(Event(FilmId(film_id(n))) for n in (3, 8, 13)))


class Counting(Recommender):
    """The real recommender, counting how often it computes."""

    computed = 0

    def recommend(self, *arguments: object, **named: object) -> Slate:
        self.computed += 1
        return super().recommend(*arguments, **named)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("slates") / "bundle"
    write_small_bundle(place)
    return place


@pytest.fixture
def recommender(folder: Path) -> Counting:
    return Counting(bundle.load(folder), provider="cpu")


@pytest.fixture
async def cache() -> AsyncIterator[Cache]:
    opened = Cache.open(None)
    yield opened
    await opened.close()


@pytest.mark.parametrize("request_", [Request(), Request(like=(FilmId(film_id(4)),), count=9), Request(reasons=False)])
def test_what_is_written_down_reads_as_the_same_slate(recommender: Counting, request_: Request) -> None:
    slate = recommender.recommend([HORROR], request_)
    assert slate.picks
    assert decode(encode(slate), recommender.catalog) == slate


@pytest.mark.parametrize(
    "kept",
    [b"", b"nonsense", b"[]", b'["small 1", [[999999, 1.0, "facts", [], [], null]]]', b'["x", [[7, 1, "guess"]]]'],
)
def test_what_is_no_slate_of_this_catalogue_is_refused(recommender: Counting, kept: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        decode(kept, recommender.catalog)


async def test_the_same_is_computed_once_and_anything_else_anew(recommender: Counting, cache: Cache) -> None:
    slates = Slates(recommender, cache)
    first = await slates.recommend(ADA, 1, HORROR, Request())
    assert await slates.recommend(ADA, 1, HORROR, Request()) == first
    assert recommender.computed == 1
    assert first == Recommender.recommend(recommender, [HORROR], Request())
    recommender.computed = 0
    others = [
        (ADA, 2, WESTERN, Request()),
        (BEN, 1, WESTERN, Request()),
        (ADA, 1, HORROR, Request(count=6)),
        (ADA, 1, HORROR, Request(adventurousness=0.9)),
        (ADA, 1, HORROR, Request(without=frozenset({first.picks[0].film.film_id}))),
        (ADA, 1, HORROR, Request(genres=frozenset({"Western"}))),
    ]
    for asked in others:
        assert await slates.recommend(*asked) == Recommender.recommend(recommender, [asked[2]], asked[3])
    assert recommender.computed == len(others)


async def test_another_bundle_answers_for_itself(recommender: Counting, cache: Cache, tmp_path: Path) -> None:
    await Slates(recommender, cache).recommend(ADA, 1, HORROR, Request())
    write_small_bundle(tmp_path / "next", recipe={"name": "other"})
    other = Counting(bundle.load(tmp_path / "next"), provider="cpu")
    await Slates(other, cache).recommend(ADA, 1, HORROR, Request())
    assert other.computed == 1


async def test_nothing_is_kept_of_a_person_who_is_forgotten(recommender: Counting, cache: Cache) -> None:
    slates = Slates(recommender, cache)
    await slates.recommend(ADA, 1, HORROR, Request())
    await slates.recommend(BEN, 1, HORROR, Request())
    await slates.forget(ADA)
    await slates.recommend(BEN, 1, HORROR, Request())
    assert recommender.computed == 2
    await slates.recommend(ADA, 1, HORROR, Request())
    assert recommender.computed == 3


async def test_other_processes_find_it_in_redis(recommender: Counting, redis_server: RedisServer) -> None:
    here = Cache.open(redis_server.url)
    first = await Slates(recommender, here).recommend(ADA, 1, HORROR, Request())
    for _ in range(50):  # it is shared a moment after it is answered
        computed = recommender.computed
        there = Cache.open(redis_server.url)
        assert await Slates(recommender, there).recommend(ADA, 1, HORROR, Request()) == first
        await there.close()
        if recommender.computed == computed:
            break
        await asyncio.sleep(0.02)
    else:
        pytest.fail("each process computed it anew")
    await here.close()


def test_scores_survive_to_the_last_digit(recommender: Counting) -> None:
    slate = recommender.recommend([HORROR], Request())
    scores = [row[1] for row in json.loads(encode(slate))[1]]
    assert scores == [pick.score for pick in slate.picks]
