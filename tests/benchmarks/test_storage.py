"""The made-up people of the storage benchmark are what the store would have made, and its arithmetic is right."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Row, select

from benchmarks import figures
from benchmarks.people import MOST_ACTIVE, PLACE, Population, show, tell
from benchmarks.storage import WARM, Scale, each, measure, percentiles
from storage.store import Store
from storage.tables import metadata
from tests.servers import PostgresServer, RedisServer

FILMS = range(1, 500)
DRAWN = ("person_id", "watch_id")


@pytest.fixture
def population() -> Population:
    return Population.of(people=12, watches=150, longest=70, film_ids=FILMS)


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Two databases of a kind."""
    if request.param == "sqlite":
        return [f"sqlite:///{tmp_path / name}" for name in ("one.db", "two.db")]
    postgres: PostgresServer = request.getfixturevalue("postgres")
    return [postgres.new_database() for _ in range(2)]


async def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything in a database; ids that the store draws at random are numbered by where they first appear."""
    store = await Store.open(url)
    numbers: dict[tuple[str, int], int] = {}

    def said(row: Row[Any]) -> dict[str, Any]:
        return {name: value for name, value in row._mapping.items() if name not in DRAWN}

    def drawn(row: Row[Any]) -> dict[str, Any]:
        ids = {name: value for name, value in row._mapping.items() if name in DRAWN}
        return {name: numbers.setdefault((name, value), len(numbers)) for name, value in ids.items()}

    def read(connection: Connection) -> dict[str, list[dict[str, Any]]]:
        found = {table: connection.execute(select(table)).all() for table in metadata.tables.values()}
        in_order = sorted(found, key=lambda table: table.name != "identities")
        return {
            table.name: [said(row) | drawn(row) for row in sorted(found[table], key=lambda row: str(said(row)))]
            for table in in_order
        }

    try:
        return await store.database.read(read)
    finally:
        await store.close()


async def test_people_are_filled_in_as_the_store_would_have(population: Population, urls: list[str]) -> None:
    at_once, in_turn = urls
    await tell(at_once, population)
    await show(at_once, population)
    store = await Store.open(in_turn)
    for message in chain(population.told(), population.shown()):
        applied = await store.apply(
            population.identity(message.person),
            PLACE,
            population.key(message),
            message.message_id,
            message.changes,
            message.reply,
            message.moment,
            expected_version=None,
        )
        assert applied.done
    await store.close()
    expected, found = await rows(in_turn), await rows(at_once)
    assert len(expected["watches"]) == 150
    for table, lines in expected.items():
        assert found[table] == lines, table


def test_histories_are_as_long_as_asked_for_and_heavy_tailed() -> None:
    population = Population.of(people=2_000, watches=100_000, longest=5_000, film_ids=FILMS)
    assert population.lengths.sum() == 100_000
    assert len(population.lengths) == 2_000
    assert population.lengths.min() >= 1
    assert population.lengths.max() == population.lengths[MOST_ACTIVE] == 5_000
    assert np.percentile(population.lengths, 99) > 10 * np.median(population.lengths)
    again = Population.of(people=2_000, watches=100_000, longest=5_000, film_ids=FILMS)
    assert (population.lengths == again.lengths).all()


def test_nobody_tells_a_film_twice(population: Population) -> None:
    told: dict[int, list[int]] = {}
    for message in population.told():
        told.setdefault(message.person, []).append(message.film_id)
    assert {person: len(films) for person, films in told.items()} == dict(enumerate(population.lengths.tolist()))
    for person, films in told.items():
        assert films == population.films(person).tolist()
        assert len(set(films)) == len(films)


async def test_the_first_rounds_do_not_count() -> None:
    done = []

    async def work(number: int) -> None:
        done.append(number)

    times = await each(range(WARM + 3), work)
    assert len(done) == WARM + 3
    assert len(times) == 3


def test_percentiles_stand_beside_their_limits() -> None:
    p50, p99 = percentiles("sqlite/read", [float(number) for number in range(1, 101)], p99=5.0)
    assert (p50.name, p50.value, p50.limit, p50.holds) == ("sqlite/read_p50_ms", 50.5, None, True)
    assert (p99.name, p99.limit, p99.holds) == ("sqlite/read_p99_ms", 5.0, False)
    assert 99 <= p99.value <= 100


def test_a_tiny_run_measures_everything(postgres: PostgresServer, redis_server: RedisServer) -> None:
    tiny = Scale(people=30, watches=300, longest=100, reads=8, confirmed=4, asked=8, conversations=1)
    settings, found = measure(tiny, postgres, redis_server)
    metrics = figures.flat(found)
    assert settings["watches of a person"]["most"] == 100
    assert metrics["slate/from_this_process_p50_ms"] < metrics["slate/computed_p50_ms"]
    assert {name for name in metrics if "_limit_" in name} == {
        f"{kind}/{step}"
        for kind in ("sqlite", "postgresql")
        for step in ("history_read_p99_limit_ms", "confirmed_watch_p99_limit_ms", "export_limit_s")
    } | {
        f"{set_up}/message_{percentile}_limit_ms"
        for set_up in ("sqlite", "sqlite_redis", "postgresql_redis")
        for percentile in ("p50", "p99")
    }
    assert all(value > 0 for name, value in metrics.items() if name != "slate/late_in_redis_times")
