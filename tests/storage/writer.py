"""A process that logs film n as event n, for n = FIRST, FIRST + 1, …, and says each number once it is confirmed.

    python writer.py URL FIRST COUNT
    python writer.py --nursery

A line is `n new` when this process logged it, `n known` when it had been handled before. A nursery reads such arguments
and a file for what is said, one process a line, and forks: Python and all of ours are loaded but once. It says the
process's id, and, for an empty line, that the last one has gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime

from sqlalchemy import URL

from storage import postgres, sqlite  # noqa: F401 (loaded before a nursery forks)
from storage.changes import LogWatch
from storage.errors import BusyError
from storage.ids import new_id
from storage.records import IdentityKey, MessageId, MessageKey, PlaceKey
from storage.store import Store

WHO = IdentityKey("terminal", "", "ada")
WHERE = PlaceKey("terminal", "", "", "")


def key(number: int) -> MessageKey:
    """The key of an event."""
    return MessageKey("terminal", "", f"event-{number}")


async def deliver(store: Store, number: int) -> bool:
    """Handle an event; whether it is new."""
    applied = await store.apply(
        WHO,
        WHERE,
        key(number),
        MessageId(new_id()),
        [LogWatch(number)],
        f"Logged {number}.",
        datetime.now(UTC),
        expected_version=None,
    )
    return applied.done


async def write(url: str, first: int, count: int, output: int) -> None:
    """Deliver the events in turn."""
    store = await Store.open(url)
    for number in range(first, first + count):
        while True:
            try:
                new = await deliver(store, number)
                break
            except BusyError:
                continue
        os.write(output, f"{number} {'new' if new else 'known'}\n".encode())
    await store.close()


def nursery() -> None:
    """Fork a writer for each line."""
    for driver in ("sqlite", "postgresql+asyncpg"):
        URL.create(driver).get_dialect().import_dbapi()
    for line in sys.stdin:
        url, first, count, output = json.loads(line)
        process = os.fork()
        if process == 0:
            said = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            asyncio.run(write(url, first, count, said))
            os._exit(0)
        print(process, flush=True)
        os.waitpid(process, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--nursery"]:
        nursery()
    else:
        asyncio.run(write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.stdout.fileno()))
