"""What measurements of many people at once have in common, whatever the platform: the real bot as a process, an even
pace, and how long those waited that waited longest.

Knows `nextreel run` and its database; no platform.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure

FILMS = ("Alien", "Heat", "Jaws", "Fargo", "Casablanca", "Amadeus", "Rocky", "Ghostbusters", "Chinatown", "Gladiator")
"""Titles that are told; each is one film and no other."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many events, in how many seconds."""

    events: int = 200
    seconds: float = 5.0


QUICK = Scale(events=40, seconds=2.0)
"""To see whether the benchmark itself works, and as a test."""


@contextlib.asynccontextmanager
async def bot(settings: Mapping[str, str], folder: Path, connected: asyncio.Event) -> AsyncIterator[None]:
    """The bot with a database of its own, connected; it is ended in order."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEXTREEL_")}
    own = {"NEXTREEL_DATA_DIR": str(folder), "NEXTREEL_PLACE_MESSAGES_PER_MINUTE": "0"}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", env={**kept, **settings, **own}, stdout=log, stderr=log
        )
    try:
        await asyncio.wait_for(connected.wait(), 60)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)


async def evenly(scale: Scale) -> AsyncIterator[int]:
    """The number of each event, when it is its turn."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(scale.events):
        await asyncio.sleep(max(0.0, begun + number * scale.seconds / scale.events - loop.time()))
        yield number


def watches(folder: Path) -> int:
    """How many watches the database holds."""
    with contextlib.closing(sqlite3.connect(folder / "nextreel.db")) as database:
        (count,) = database.execute("SELECT COUNT(*) FROM watches WHERE live IS 1").fetchone()
    return int(count)


def percentile(values: Sequence[float], share: float) -> float:
    """What that share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def waits(
    acknowledged: Sequence[float], answered: Sequence[float], typed: Sequence[float], most: float
) -> list[Figure]:
    """How long people waited, in milliseconds; acknowledgements and type-ahead may take `most`."""
    return [
        Figure("acknowledged_p50_ms", percentile(acknowledged, 0.5)),
        Figure("acknowledged_p99_ms", percentile(acknowledged, 0.99), most),
        Figure("acknowledged_longest_ms", max(acknowledged)),
        Figure("answered_p50_ms", percentile(answered, 0.5)),
        Figure("answered_p99_ms", percentile(answered, 0.99)),
        Figure("typeahead_p99_ms", percentile(typed, 0.99), most),
    ]


def main(
    name: str, described: str, measured: Callable[[Scale, Path], Awaitable[list[Figure]]], settings: Mapping[str, str]
) -> None:
    """Run the benchmark of a platform, print and write; exit code 1 when something does not hold."""
    command = f"python -m benchmarks.{name}"
    parser = argparse.ArgumentParser(prog=command, description=described)
    parser.add_argument("--quick", action="store_true", help="fewer of everything, and no file: does it work at all?")
    quick = parser.parse_args().quick
    scale = QUICK if quick else Scale()
    began_at = figures.commit()

    async def measure() -> list[Figure]:
        with tempfile.TemporaryDirectory() as folder:
            return await measured(scale, Path(folder))

    found = asyncio.run(measure())
    print(figures.table(found))
    if not quick:
        path = figures.write(
            name,
            command=command,
            settings={"seconds": scale.seconds, **settings},
            metrics=figures.flat(found),
            measured_at=began_at,
        )
        figures.say_where(path)
    figures.exit_unless_held(found)
