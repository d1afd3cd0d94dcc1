"""What keeping and reading costs with a million watches: `python -m benchmarks.storage` (or `make bench-storage`).

Fills an SQLite file and a PostgreSQL of its own with made-up people (`people`), then measures the store, the
conversation on top of it, and what Redis gains where it could be used, side by side. Prints every figure beside its
limit and writes `benchmarks/results/storage.json`. A limit that is missed is said, and the exit code stays 0.

The files lie in the folder for temporary files (TMPDIR): it must be on a real disk, or a commit costs nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog
from redis import Redis
from sqlalchemy import Connection, select

from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.people import CHANNEL, CONTEXT, ENDED, GUILD, MOST_ACTIVE, PLACE, PLATFORM, Population, show, tell
from bot.app import App
from bot.conversation.message import Identity, Origin, Place, Text
from bot.slates import Slates, encode
from config.settings import Provider, Settings
from engine import bundle
from engine.films import Catalog, FilmId
from engine.recommender import Recommender
from engine.requests import Event, Member, Request, Slate
from storage import reading
from storage.cache import Cache
from storage.changes import Change, LogWatch, SetContext, UndoMessage
from storage.ids import new_id
from storage.limits import RateLimits
from storage.portable.exporting import FilmName, to_zip
from storage.portable.importing import from_zip
from storage.records import IdentityKey, MessageId, MessageKey, PersonId, Snapshot
from storage.store import Store
from storage.tables import contexts
from tests.servers import MissingServerError, PostgresServer, RedisServer

COMMAND = "python -m benchmarks.storage"
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""As for the other budgets; numpy reads these when it is imported."""

NEWCOMER = IdentityKey(PLATFORM, GUILD, "newcomer")
SQLITE, POSTGRESQL = "sqlite", "postgresql"
HISTORY = 60
"""Films of the history whose slate is asked for."""
WARM = 5
"""Rounds that do not count."""
MESSAGES = (
    "I just watched Alien (1979)", "what next?", "why the second one?", "I watched Suspiria", "1977", "undo",
    "something like Blade Runner (1982)", "recommend me 5 horror films from the 70s", "more", "what have I watched?",
)  # fmt: skip

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    people: int = 20_000
    watches: int = 1_000_000
    longest: int = 5_000
    reads: int = 2_000
    confirmed: int = 500
    asked: int = 500
    conversations: int = 20


QUICK = Scale(people=400, watches=12_000, longest=2_000, reads=50, confirmed=30, asked=30, conversations=2)
"""To see whether the benchmark itself works."""


def percentiles(
    name: str, milliseconds: Sequence[float], p50: float | None = None, p99: float | None = None
) -> list[Figure]:
    """The median and the 99th percentile, each with its limit."""
    return [
        Figure(f"{name}_p50_ms", float(np.percentile(milliseconds, 50)), p50),
        Figure(f"{name}_p99_ms", float(np.percentile(milliseconds, 99)), p99),
    ]


async def timed(work: Awaitable[object]) -> float:
    """How many milliseconds it takes."""
    start = time.perf_counter()
    await work
    return 1000 * (time.perf_counter() - start)


async def each(items: Iterable[_Item], work: Callable[[_Item], Awaitable[object]]) -> list[float]:
    """The milliseconds of some work for each item, but the first few."""
    return [await timed(work(item)) for item in items][WARM:]


# The store


def size_figures(
    wheres: Mapping[str, str], population: Population, sizes: Mapping[str, Callable[[], int]]
) -> list[Figure]:
    """Fill the databases; how many bytes each watch and each slate takes, the messages and their replies included."""

    async def make() -> None:
        for where in wheres.values():
            async with opened(where):
                pass

    async def fill(step: Callable[[str, Population], Awaitable[None]]) -> None:
        await asyncio.gather(*(step(where, population) for where in wheres.values()))

    asyncio.run(make())
    empty = {kind: size() for kind, size in sizes.items()}
    asyncio.run(fill(tell))
    told = {kind: size() for kind, size in sizes.items()}
    asyncio.run(fill(show))
    return [
        figure
        for kind, size in sizes.items()
        for figure in (
            Figure(f"{kind}/watch_bytes", (told[kind] - empty[kind]) / float(population.lengths.sum())),
            Figure(f"{kind}/slate_bytes", (size() - told[kind]) / len(population.lengths)),
        )
    ]


async def store_figures(kind: str, where: str, population: Population, catalog: Catalog, scale: Scale) -> list[Figure]:
    """Everything about one database that was filled."""
    async with opened(where) as store:
        await check(store, population)
        return [
            *await read_figures(kind, store, population, scale),
            *await confirm_figures(kind, store, population, scale),
            *await portable_figures(kind, store, population, catalog),
        ]


async def check(store: Store, population: Population) -> None:
    """Raise RuntimeError unless the store finds what was filled in."""
    for person in {MOST_ACTIVE, *range(1, len(population.lengths), len(population.lengths) // 20)}:
        snapshot = await snapshot_of(store, population, person)
        length = int(population.lengths[person])
        last = await store.last_undoable(population.person_id(person))
        changes = await store.message_changes(last or MessageId(0))
        whole = (
            snapshot.person == population.person_id(person)
            and sorted(watch.film_id for watch in snapshot.history) == sorted(population.films(person))
            and snapshot.version == length + 1
            and snapshot.context == CONTEXT
            and snapshot.last_slate is not None
            and changes is not None
            and [watch.film_id for watch in changes.logged] == [population.films(person)[-1]]
        )
        if not whole:
            raise RuntimeError(f"person {person} is not in the database as filled in")


async def snapshot_of(store: Store, population: Population, person: int) -> Snapshot:
    """What a message of the person reads first."""
    message = MessageKey(PLATFORM, GUILD, "a new message")
    return await store.read(population.identity(person), PLACE, message, ENDED)


async def read_figures(kind: str, store: Store, population: Population, scale: Scale) -> list[Figure]:
    """Reading what is known about people: about any of them, and about those who are there most."""
    chance = np.random.default_rng(0)
    anyone = chance.integers(0, len(population.lengths), scale.reads + WARM).tolist()
    shares = population.lengths / population.lengths.sum()
    active = chance.choice(len(population.lengths), scale.reads // 4 + WARM, p=shares).tolist()

    async def alone(person: int) -> None:
        await store.database.read(lambda connection: reading.history(connection, population.person_id(person)))

    async def whole(person: int) -> None:
        await snapshot_of(store, population, person)

    return [
        *percentiles(f"{kind}/history_read", await each(anyone, whole), p99=5.0),
        *percentiles(f"{kind}/history_read_by_activity", await each(active, whole)),
        *percentiles(f"{kind}/history_alone", await each(anyone, alone)),
        Figure(f"{kind}/longest_history_read_ms", float(np.median(await each([MOST_ACTIVE] * (WARM + 5), whole)))),
    ]


async def confirm_figures(kind: str, store: Store, population: Population, scale: Scale) -> list[Figure]:
    """A watch of anybody, kept."""
    chance = np.random.default_rng(1)
    moment = ENDED + timedelta(days=1)
    films = iter(chance.permutation(population.film_ids).tolist())

    async def confirm(person: int) -> None:
        changes: list[Change] = [LogWatch(next(films)), SetContext(CONTEXT, moment + timedelta(hours=1))]
        message_id = MessageId(new_id())
        key = MessageKey(PLATFORM, GUILD, f"confirmed {message_id}")
        applied = await store.apply(
            population.identity(person), PLACE, key, message_id, changes, "Logged.", moment, expected_version=None
        )
        if not applied.done:
            raise RuntimeError("a watch was not confirmed")

    anyone = chance.integers(0, len(population.lengths), scale.confirmed + WARM).tolist()
    return percentiles(f"{kind}/confirmed_watch", await each(anyone, confirm), p99=20.0)


async def portable_figures(kind: str, store: Store, population: Population, catalog: Catalog) -> list[Figure]:
    """Everything about the person with the longest history as a zip, taken in by a newcomer, and that undone."""

    def name(film_id: int) -> FilmName | None:
        film = catalog.film(FilmId(film_id))
        return None if film is None else FilmName(film.title, film.year, film.imdb_id, film.tmdb_id)

    async def export() -> bytes:
        everything = await store.everything(population.identity(MOST_ACTIVE))
        if everything is None:
            raise RuntimeError("there is nobody to export")
        return await asyncio.to_thread(to_zip, everything, name, ENDED)

    async def take_in(content: bytes, message_id: MessageId) -> None:
        taken = await asyncio.to_thread(from_zip, content)
        await store.apply(
            NEWCOMER, PLACE, _new_key(), message_id, taken.changes, "Imported.", ENDED, expected_version=None
        )

    async def undo(message_id: MessageId) -> None:
        change = UndoMessage(message_id)
        await store.apply(
            NEWCOMER, PLACE, _new_key(), MessageId(new_id()), [change], "Undone.", ENDED, expected_version=None
        )

    async def films() -> list[int]:
        snapshot = await store.read(NEWCOMER, PLACE, _new_key(), ENDED)
        return [watch.film_id for watch in snapshot.history]

    there = await snapshot_of(store, population, MOST_ACTIVE)
    exporting = [await timed(export()) for _ in range(3)]
    content = await export()
    message_id = MessageId(new_id())
    importing = await timed(take_in(content, message_id))
    if await films() != [watch.film_id for watch in there.history]:
        raise RuntimeError("what was imported is not what was exported")
    undoing = await timed(undo(message_id))
    if await films():
        raise RuntimeError("an import that was undone is still there")
    return [
        Figure(f"{kind}/export_s", max(exporting) / 1000, 2.0),
        Figure(f"{kind}/export_bytes", len(content)),
        Figure(f"{kind}/import_s", importing / 1000),
        Figure(f"{kind}/undo_of_import_s", undoing / 1000),
    ]


def _new_key() -> MessageKey:
    return MessageKey(PLATFORM, GUILD, f"message {new_id()}")


async def erase_figures(kind: str, where: str) -> list[Figure]:
    """Somebody erased, and then the files wiped: on SQLite that writes the whole file anew."""
    async with opened(where) as store:
        erasing = await timed(store.erase(NEWCOMER, None, ENDED))
        wiping = await timed(store.database.forget_deleted())
    return [Figure(f"{kind}/erase_s", erasing / 1000), Figure(f"{kind}/wipe_s", wiping / 1000)]


@contextlib.asynccontextmanager
async def opened(where: str) -> AsyncIterator[Store]:
    """A store, closed afterwards."""
    store = await Store.open(where)
    try:
        yield store
    finally:
        await store.close()


# What Redis gains


class Counting(Recommender):
    """Counts how often it had to compute."""

    asked = 0

    def recommend(self, members: Sequence[Member], request: Request) -> Slate:
        self.asked += 1
        return super().recommend(members, request)


async def slate_figures(redis_url: str, recommender: Counting, scale: Scale) -> list[Figure]:
    """A slate that is computed, kept in this process, and kept in Redis by another one."""
    counts = recommender.bundle.catalog.rating_counts
    famous = recommender.bundle.catalog.film_ids[np.argsort(-counts, kind="stable")[:HISTORY]]
    member, request = Member(tuple(Event(FilmId(int(film))) for film in famous)), Request()
    caches = [Cache.open(None), Cache.open(redis_url), Cache.open(redis_url)]
    alone, first, second = (Slates(recommender, cache) for cache in caches)
    computed, given, near, far = ([] for _ in range(4))
    late = 0
    with Redis.from_url(redis_url) as raw:
        for number in range(scale.asked + WARM):
            person = PersonId(number)
            computed.append(await timed(alone.recommend(person, 1, member, request)))
            near.append(await timed(alone.recommend(person, 1, member, request)))
            given.append(await timed(first.recommend(person, 1, member, request)))
            await until(partial(raw.exists, f"nextreel:slates:{number}"))
            before = recommender.asked
            taken = await timed(second.recommend(person, 1, member, request))
            if recommender.asked == before:
                far.append(taken)
            else:
                late += 1
    slate = await alone.recommend(person, 1, member, request)
    for cache in caches:
        await cache.close()
    return [
        *percentiles("slate/computed", computed[WARM:]),
        *percentiles("slate/computed_and_given_to_redis", given[WARM:]),
        *percentiles("slate/from_this_process", near[WARM:]),
        *percentiles("slate/from_redis", far[WARM:]),
        Figure("slate/late_in_redis_times", late),
        Figure("slate/kept_bytes", len(encode(slate))),
    ]


async def until(there: Callable[[], object]) -> None:
    """Wait for something that nobody tells of, a second at most."""
    deadline = time.monotonic() + 1
    while not there() and time.monotonic() < deadline:  # noqa: ASYNC110 (nobody tells of it)
        await asyncio.sleep(0.001)


async def context_figures(
    wheres: Mapping[str, str], redis_url: str, population: Population, scale: Scale
) -> list[Figure]:
    """What the context costs in the transaction that reads everything else, and what it would cost in Redis."""
    some = 10
    kept = json.dumps(CONTEXT)
    times: dict[str, list[float]] = {}
    cache = Cache.open(redis_url)
    redis = cache.redis
    assert redis is not None
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(cache.close)
        stores = {kind: await stack.enter_async_context(opened(where)) for kind, where in wheres.items()}
        for first in range(0, scale.asked + WARM, some):
            people = [population.person_id(number % len(population.lengths)) for number in range(first, first + some)]
            for kind, store in stores.items():
                found = await store.database.read(partial(_contexts, people=people))
                times.setdefault(f"context/{kind}", []).extend(found)
            for _ in people:
                giving = redis.call(lambda client: client.set("nextreel:bench", kept, ex=3600))
                times.setdefault("context/given_to_redis", []).append(await timed(giving))
                asking = redis.call(lambda client: client.get("nextreel:bench"))
                times.setdefault("context/from_redis", []).append(await timed(asking))
    return [figure for name, taken in times.items() for figure in percentiles(name, taken[WARM:])]


def _contexts(connection: Connection, people: Iterable[PersonId]) -> list[float]:
    """The milliseconds that the context of each takes, as a snapshot reads it."""
    times = []
    for person in people:
        start = time.perf_counter()
        found = connection.scalar(
            select(contexts.c.payload).where(
                contexts.c.person_id == person,
                contexts.c.platform == PLACE.platform,
                contexts.c.workspace == PLACE.workspace,
                contexts.c.channel == PLACE.channel,
                contexts.c.thread == PLACE.thread,
                contexts.c.expires_at > ENDED,
            )
        )
        times.append(1000 * (time.perf_counter() - start))
        if found is None:
            raise RuntimeError("there is no context")
    return times


async def limit_figures(redis_url: str, population: Population, scale: Scale) -> list[Figure]:
    """A message counted for its person and its place, in this process and in Redis."""
    cache = Cache.open(redis_url)
    found = []
    for name, redis in (("in_this_process", None), ("in_redis", cache.redis)):
        limits = RateLimits(redis, person_per_minute=60, place_per_minute=1_000_000)
        people = [population.identity(number % len(population.lengths)) for number in range(scale.asked + WARM)]
        times = await each(people, partial(limits.wait_for, place=PLACE))
        found += percentiles(f"limits/{name}", times)
    await cache.close()
    return found


# The conversation


async def message_figures(
    wheres: Mapping[str, str], redis_url: str, population: Population, scale: Scale
) -> list[Figure]:
    """Messages of people with a history, commit included, on each set-up in turn, each from people of its own."""
    set_ups = {
        SQLITE: Settings(database_url=wheres[SQLITE], provider=Provider.CPU),
        f"{SQLITE}_redis": Settings(database_url=wheres[SQLITE], redis_url=redis_url, provider=Provider.CPU),
        f"{POSTGRESQL}_redis": Settings(database_url=wheres[POSTGRESQL], redis_url=redis_url, provider=Provider.CPU),
    }
    by_length = np.argsort(population.lengths, kind="stable").tolist()
    alike = np.random.default_rng(2).permutation(len(by_length) // len(set_ups))[: scale.conversations + 1].tolist()
    apps = {name: await App.open(settings) for name, settings in set_ups.items()}
    times: dict[str, list[float]] = {name: [] for name in apps}
    try:
        for turn, rank in enumerate(alike):
            for place, (name, app) in enumerate(apps.items()):
                taken = await _converse(app, population.identity(by_length[rank * len(apps) + place]).user)
                if turn:
                    times[name] += taken
    finally:
        for app in apps.values():
            await app.close()
    return [figure for name, taken in times.items() for figure in percentiles(f"{name}/message", taken, 40.0, 120.0)]


async def _converse(app: App, user: str) -> list[float]:
    times = []
    for number, text in enumerate(MESSAGES):
        origin = Origin(
            Identity(PLATFORM, GUILD, user), Place(PLATFORM, GUILD, CHANNEL), f"{user} {number}", datetime.now(UTC)
        )
        start = time.perf_counter()
        reply = await app.dialogue.handle(Text(origin, text))
        times.append(1000 * (time.perf_counter() - start))
        if not number and "Logged: Alien" not in reply.text:
            raise RuntimeError(f"the conversation does not work: {reply.text}")
    if "Alien (1979)" not in reply.text:
        raise RuntimeError(f"what was logged is not there: {reply.text}")
    return times


# The rest of the house


def disk_figures(folder: Path, rounds: int) -> list[Figure]:
    """What the disk itself takes to keep a page: no commit can be quicker."""
    times = []
    with (folder / "page").open("wb", buffering=0) as file:
        for _ in range(rounds + WARM):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append(1000 * (time.perf_counter() - start))
    return percentiles("disk/page_kept", times[WARM:])


def file_system(folder: Path) -> str:
    """The kind of file system of a folder, “unknown” where it can't be told (Linux tells it)."""
    with contextlib.suppress(OSError):
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
        around = [(len(place), kind) for place, kind in mounts if folder.resolve().is_relative_to(place)]
        return max(around)[1]
    return "unknown"


def measure(scale: Scale, postgres: PostgresServer, redis: RedisServer) -> tuple[dict[str, object], list[Figure]]:
    """What decides the figures, and the figures."""
    loaded = bundle.load(bundle.STARTER, provider="cpu")
    population = Population.of(scale.people, scale.watches, scale.longest, loaded.catalog.film_ids.tolist())
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "nextreel.db"
        wheres = {SQLITE: f"sqlite:///{file}", POSTGRESQL: postgres.new_database()}
        database = wheres[POSTGRESQL].rpartition("/")[2]

        def postgres_size() -> int:
            # What a server does by itself, now and then.
            postgres.execute("VACUUM (ANALYZE)", database)
            return int(postgres.execute("SELECT pg_database_size(current_database())", database)[0][0])

        def sqlite_size() -> int:
            return file.stat().st_size

        found += disk_figures(folder, scale.asked)
        found += size_figures(wheres, population, {SQLITE: sqlite_size, POSTGRESQL: postgres_size})
        for kind, where in wheres.items():
            found += asyncio.run(store_figures(kind, where, population, loaded.catalog, scale))
        found += asyncio.run(slate_figures(redis.url, Counting(loaded, provider="cpu"), scale))
        found += asyncio.run(context_figures(wheres, redis.url, population, scale))
        found += asyncio.run(limit_figures(redis.url, population, scale))
        found += asyncio.run(message_figures(wheres, redis.url, population, scale))
        for kind, where in wheres.items():
            found += asyncio.run(erase_figures(kind, where))
        with Redis.from_url(redis.url) as asked:
            redis_version = asked.info("server")["redis_version"]
        settings = {
            "people": scale.people,
            "watches": scale.watches,
            "watches of a person": {
                "median": float(np.median(population.lengths)),
                "p99": float(np.percentile(population.lengths, 99)),
                "most": int(population.lengths.max()),
            },
            "read": scale.reads,
            "confirmed": scale.confirmed,
            "asked of caches": scale.asked,
            "messages": scale.conversations * len(MESSAGES),
            "file system": file_system(folder),
            "sqlite": sqlite3.sqlite_version,
            "postgresql": postgres.execute("SHOW server_version")[0][0],
            "redis": redis_version,
            "threads": 1,
        }
    return settings, found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few of everything, and no file: does it work at all?")
    arguments = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_CORE.items()):
        os.execve(
            sys.executable, [sys.executable, "-m", "benchmarks.storage", *sys.argv[1:]], {**os.environ, **ONE_CORE}
        )
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    began_at = figures.commit()
    try:
        with PostgresServer() as postgres, RedisServer() as redis:
            settings, found = measure(QUICK if arguments.quick else Scale(), postgres, redis)
    except MissingServerError as error:
        sys.exit(str(error))
    print(figures.table(found))
    if settings["file system"] == "tmpfs":
        print("\nThe files lay in memory, not on a disk: set TMPDIR to a folder that does.", file=sys.stderr)
    if not arguments.quick:
        path = figures.write(
            "storage", command=COMMAND, settings=settings, metrics=figures.flat(found), measured_at=began_at
        )
        print(f"\n{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
