"""What measurements of many people at once have in common, whatever the platform: the real bot as a process, an even
pace, and how long those waited that waited longest.

Knows `nextreel run` and its database; no platform.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
