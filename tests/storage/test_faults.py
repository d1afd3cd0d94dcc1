"""What is confirmed is kept, once: under concurrency, from two processes, and when a process is killed."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path

from storage.changes import LogWatch, RateWatch
from storage.errors import ConflictError
from storage.ids import new_id
from storage.records import MessageId
from storage.store import Store

WRITER = Path(__file__).with_name("writer.py")


async def start_writer(url: str, count: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, WRITER, url, str(count), stdout=asyncio.subprocess.PIPE)


async def test_sixty_concurrent_messages_that_read_first_all_land(ada) -> None:
    await ada.say(LogWatch(0, rating=0.0))

    async def add_a_tenth() -> None:
        key, message_id = ada.key(), MessageId(new_id())
        while True:
            snapshot = await ada.read(key)
            (watch,) = snapshot.history
            change = RateWatch(watch.watch_id, round(watch.rating * 15 + 1) / 15)
            try:
                applied = await ada.deliver(key, message_id, [change], "", expected=snapshot.version)
            except ConflictError:
                await asyncio.sleep(random.uniform(0, 0.5))
                continue
            assert applied.done
            return

    await asyncio.gather(*(add_a_tenth() for _ in range(60)))
    snapshot = await ada.read()
    assert snapshot.version == 61
    assert round(snapshot.history[0].rating * 15) == 60


async def test_sixty_concurrent_deliveries_of_one_message_log_once(ada) -> None:
    key = ada.key()
    applied = await asyncio.gather(
        *(ada.deliver(key, MessageId(new_id()), [LogWatch(n)], f"Logged {n}.") for n in range(60))
    )
    (film,) = await ada.films()
    assert Counter(one.done for one in applied) == {True: 1, False: 59}
    assert {one.earlier_reply for one in applied if not one.done} == {f"Logged {film}."}


async def test_a_message_that_is_broken_off_is_done_or_not_and_others_go_on(ada) -> None:
    await ada.say(LogWatch(0))
    chance = random.Random(7)
    for number in range(1, 40):
        films = [LogWatch(number * 10), LogWatch(number * 10 + 1)]
        key = ada.key()
        task = asyncio.create_task(ada.deliver(key, MessageId(new_id()), films, "Logged."))
        await asyncio.sleep(chance.uniform(0, 0.006))
        task.cancel()
        try:
            confirmed = (await task).done
        except asyncio.CancelledError:
            confirmed = False
        kept = [film in await ada.films() for film in (number * 10, number * 10 + 1)]
        assert kept in ([True, True], [False, False])
        assert kept[0] or not confirmed
        again = await ada.deliver(key, MessageId(new_id()), films, "Logged.")
        assert again.done is not kept[0]


async def test_two_processes_with_the_same_messages_log_each_once(ada, url) -> None:
    count = 40
    writers = [await start_writer(url, count) for _ in range(2)]
    said = [(await writer.communicate())[0].decode().splitlines() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(await ada.films()) == list(range(count))
    new = [line.split()[0] for lines in said for line in lines if line.endswith("new")]
    assert sorted(map(int, new)) == list(range(count))


async def test_a_killed_process_leaves_every_confirmed_watch_exactly_once(ada, url) -> None:
    chance = random.Random(5)
    for kill in range(1, 6):
        writer = await start_writer(url, 100_000)
        confirmed = -1
        # The first run is killed early, each later one some way behind the events of the former, which come again.
        last = kill * 12 + chance.randrange(10)
        while confirmed < last:
            confirmed = int((await writer.stdout.readline()).split()[0])
        writer.kill()
        rest = (await writer.communicate())[0].decode().splitlines(keepends=True)
        confirmed = max([confirmed, *(int(line.split()[0]) for line in rest if line.endswith("\n"))])
        store = await Store.open(url)
        films = await ada.films()
        await store.close()
        assert sorted(films) in (list(range(confirmed + 1)), list(range(confirmed + 2)))
