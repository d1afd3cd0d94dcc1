"""A process that logs film n as event n, for n = 0, 1, …, and says each number once it is confirmed.

    python writer.py URL COUNT

A line is `n new` when this process logged it, `n known` when it had been handled before.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from storage.changes import LogWatch
from storage.errors import BusyError
from storage.ids import new_id
from storage.records import IdentityKey, MessageId, MessageKey, PlaceKey
from storage.store import Store


async def main(url: str, count: int) -> None:
    """Deliver the events in turn."""
    store = await Store.open(url)
    for number in range(count):
        while True:
            try:
                applied = await store.apply(
                    IdentityKey("terminal", "", "ada"),
                    PlaceKey("terminal", "", "", ""),
                    MessageKey("terminal", "", f"event-{number}"),
                    MessageId(new_id()),
                    [LogWatch(number)],
                    f"Logged {number}.",
                    datetime.now(UTC),
                    expected_version=None,
                )
                break
            except BusyError:
                continue
        print(number, "new" if applied.done else "known", flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
