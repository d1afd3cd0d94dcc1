"""The real `nextreel run` as a process, for tests of platforms, and what it keeps."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from tests.e2e.command import NEXTREEL


@contextlib.asynccontextmanager
async def running(
    connected: asyncio.Event, environment: dict[str, str], folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The bot, until it is told to end; what it wrote is in `log`."""
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            NEXTREEL, "run", env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            await asyncio.wait_for(connected.wait(), 90)
            yield process
        finally:
            killed = process.returncode is not None
            if not killed:
                process.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(process.wait(), 60)
            assert killed or code == 0, (folder / "log").read_text()


def watches(environment: dict[str, str]) -> list[int]:
    """The films that are kept as watched."""
    database = Path(environment["NEXTREEL_DATA_DIR"]) / "nextreel.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT film_id FROM watches WHERE live IS 1 ORDER BY row_id")]
