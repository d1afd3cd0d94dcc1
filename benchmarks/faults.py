"""What becomes of confirmed watches and of replies while things break: `python -m benchmarks.faults` (or `make
bench-faults`).

Runs the scenarios of the tests (`tests/storage/faults.py`, `tests/storage/redis_faults.py`) at length, on an SQLite
file, and on a PostgreSQL and a Redis of its own. Prints every count beside what must hold and writes
`benchmarks/results/faults.json`. The exit code is 1 when something does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from benchmarks import figures
from benchmarks.figures import Figure
from tests.servers import MissingServerError, PostgresServer, RedisServer
from tests.storage import faults, redis_faults

COMMAND = "python -m benchmarks.faults"

SQLITE, POSTGRESQL = "sqlite", "postgresql"
PROCESSES = {SQLITE: 2, POSTGRESQL: 3}
"""How many handle the same messages at once."""
ADDED_MS = 150.0
"""The most that a Redis that fails may add to a message, at the 99th percentile."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How often, and for how long, each thing happens."""

    kills: int = 200
    synced: int = 500
    concurrent: int = 60
    delivered: int = 300
    restarts: int = 10
    seconds: float = 4.0
    per_second: float = 200


QUICK = Scale(kills=5, synced=20, delivered=30, restarts=1, seconds=1.0, per_second=50)
"""To see whether the benchmark itself works."""


def kept(name: str, found: faults.Kept) -> list[Figure]:
    """How many were confirmed, and that each is there once. RuntimeError when none was: then nothing was tried."""
    if not found.confirmed:
        raise RuntimeError(f"nothing was confirmed: {name}")
    return [
        Figure(f"{name}_confirmed_watches", found.confirmed),
        Figure(f"{name}_lost_watches", found.lost, 0),
        Figure(f"{name}_doubled_watches", found.doubled, 0),
    ]


async def killed(kind: str, url: str, folder: Path, scale: Scale) -> list[Figure]:
    """A process that writes, killed again and again."""
    found = await faults.kill_writers(url, folder, scale.kills)
    return [Figure(f"{kind}/killed_times", found.kills), *kept(f"{kind}/killed", found.kept)]


async def synced(url: str, folder: Path, scale: Scale) -> list[Figure]:
    """Whether the disk has each watch before it is confirmed, which a killed process alone does not show."""
    found = await faults.count_syncs(url, folder, scale.synced)
    return [
        Figure("sqlite/traced_watches", found.confirmed),
        Figure("sqlite/traced_syncs_per_watch", found.syncs / found.confirmed),
        Figure("sqlite/traced_unsynced_watches", found.unsynced, 0),
    ]


async def raced(kind: str, url: str, scale: Scale) -> list[Figure]:
    """Many messages that each change what they read."""
    found = await faults.race(url, scale.concurrent)
    return [
        Figure(f"{kind}/raced_messages", found.tasks),
        Figure(f"{kind}/raced_lost_messages", abs(found.tasks - found.landed), 0),
        Figure(f"{kind}/raced_again_times", found.conflicts),
        Figure(f"{kind}/raced_s", found.seconds),
    ]


async def crowded(kind: str, url: str, scale: Scale) -> list[Figure]:
    """Several processes with the same messages at once."""
    found = await faults.crowd(url, PROCESSES[kind], scale.delivered)
    return [
        Figure(f"{kind}/crowded_processes", found.writers),
        *kept(f"{kind}/crowded", found.kept),
        Figure(f"{kind}/crowded_claimed_twice_watches", abs(found.said_new - found.kept.confirmed), 0),
        Figure(f"{kind}/crowded_s", found.seconds),
    ]


async def restarted(server: PostgresServer, url: str, scale: Scale, said: dict[str, str]) -> list[Figure]:
    """PostgreSQL broken off and started again while many write."""
    found = await faults.restart_under_load(server, url, restarts=scale.restarts)
    said["PostgreSQL restarted"] = "; ".join(found.refusals)
    return [
        Figure("postgresql/restarted_times", found.restarts),
        *kept("postgresql/restarted", found.kept),
        Figure("postgresql/restarted_refused_messages", sum(found.refusals.values())),
        Figure("postgresql/restarted_longest_s", found.longest_seconds),
        Figure("postgresql/restarted_back_s", found.back_seconds),
    ]


async def filled(folder: Path, said: dict[str, str]) -> list[Figure]:
    """A disk without room, and then with room again."""
    found = await faults.fill_disk(folder)
    said["disk full"] = "; ".join(found.refusals)
    return [
        *kept("sqlite/filled", found.kept),
        Figure("sqlite/filled_refused_messages", sum(found.refusals.values())),
        Figure("sqlite/filled_after_watches", found.after),
    ]


def redis_scenarios(
    server: RedisServer, scale: Scale
) -> Mapping[str, Callable[[], Coroutine[None, None, redis_faults.Figures]]]:
    """What happens to Redis, by name."""
    load = {"seconds": scale.seconds, "per_second": scale.per_second}
    return {
        "redis_killed": lambda: redis_faults.killed(server, **load),
        "redis_paused": lambda: redis_faults.paused(server, **load),
        "redis_restarted": lambda: redis_faults.restarted(server, **load),
        "redis_slow_20": lambda: redis_faults.slow(server, answers_after=0.02, **load),
        "redis_slow_50": lambda: redis_faults.slow(server, answers_after=0.05, **load),
        "redis_slow_300": lambda: redis_faults.slow(server, answers_after=0.3, **load),
        "redis_stuttering": lambda: redis_faults.stuttering(server, **load),
    }


def redis_figures(name: str, found: redis_faults.Figures) -> list[Figure]:
    """Whether anybody noticed."""
    return [
        Figure(f"{name}/messages", found.messages),
        Figure(f"{name}/failed_replies", found.failed, 0),
        Figure(f"{name}/added_p99_ms", found.p99 - found.calm_p50, ADDED_MS),
        Figure(f"{name}/added_longest_ms", found.longest - found.calm_p50),
        Figure(f"{name}/back_s", found.seconds_to_recover),
    ]


def measure(scale: Scale) -> tuple[list[Figure], dict[str, str]]:
    """The figures, and what was said instead of a confirmation. MissingServerError when something is not installed."""
    if shutil.which("strace") is None:
        raise MissingServerError("strace is not installed; on Debian and Ubuntu: apt-get install strace")
    found: list[Figure] = []
    said: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, PostgresServer() as postgres, RedisServer() as redis:
        folder = Path(name)

        def new(kind: str, scenario: str) -> str:
            return postgres.new_database() if kind == POSTGRESQL else f"sqlite:///{folder / scenario}.db"

        for kind in (SQLITE, POSTGRESQL):
            found += asyncio.run(killed(kind, new(kind, "killed"), folder, scale))
            found += asyncio.run(raced(kind, new(kind, "raced"), scale))
            found += asyncio.run(crowded(kind, new(kind, "crowded"), scale))
        found += asyncio.run(synced(new(SQLITE, "synced"), folder, scale))
        found += asyncio.run(filled(folder / "disk", said))
        found += asyncio.run(restarted(postgres, new(POSTGRESQL, ""), scale, said))
        for fault, scenario in redis_scenarios(redis, scale).items():
            redis_faults.mend(redis)
            found += redis_figures(fault, asyncio.run(scenario()))
    return found, said


def main() -> None:
    """Break things, count, print and write; exit code 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few of everything, and no file: does it work at all?")
    arguments = parser.parse_args()
    # That Redis is away is what is tried here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    scale = QUICK if arguments.quick else Scale()
    began_at = figures.commit()
    try:
        found, said = measure(scale)
    except MissingServerError as error:
        sys.exit(str(error))
    print(figures.table(found))
    for when, sentence in said.items():
        print(f"{when}: {sentence or 'nobody was refused'}")
    if not arguments.quick:
        path = figures.write(
            "faults",
            command=COMMAND,
            settings={
                "messages a second": scale.per_second,
                "seconds of each Redis fault": scale.seconds,
                "said": said,
            },
            metrics=figures.flat(found),
            measured_at=began_at,
        )
        figures.say_where(path)
    figures.exit_unless_held(found)


if __name__ == "__main__":
    main()
