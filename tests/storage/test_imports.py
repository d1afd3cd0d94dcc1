"""What the store promises about files of watches: thousands in a message, run again, undone; and how they are read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from storage.changes import AddFilm, GiveFeedback, LogWatch, RateWatch, RemoveWatch, TakeBackFeedback, UndoMessage
from storage.ids import new_film_id, new_id
from storage.records import AddedFilm, FeedbackKind, IdentityKey, MessageId, Precision, WatchState
from storage.store import Store
from tests.storage.conftest import Talker

ALIEN, HEAT, JAWS = 1214, 6, 1387
MAY_2, MAY_3 = date(2024, 5, 2), date(2024, 5, 3)
LAST_YEAR = datetime(2023, 2, 3, 4, 5, 6, 789, tzinfo=UTC)


def entry(film: int, key: str, day: date | None = MAY_2, **more: Any) -> LogWatch:
    precision = Precision.UNKNOWN if day is None else Precision.DAY
    return LogWatch(film, day, precision, source="letterboxd", source_key=key, **more)


def file_of(count: int, *, rating: float | None = None) -> list[LogWatch]:
    """A file of so many entries, of many films and days."""
    start = date(2000, 1, 1)
    return [
        entry(number % 3000, f"entry {number}", start + timedelta(days=number // 3), rating=rating)
        for number in range(count)
    ]


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is sent to a database meanwhile, with its parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Connection, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
async def beside(url: str, store: Store) -> AsyncIterator[Store]:
    """The same database, opened once more as another process does."""
    opened = await Store.open(url)
    yield opened
    await opened.close()


class TestAFile:
    async def test_it_is_taken_in_as_it_is(self, ada) -> None:
        await ada.say(
            entry(ALIEN, "a1", MAY_2, rating=4.5, reaction="scary", told_at=LAST_YEAR),
            entry(HEAT, "a2", None, told_at=LAST_YEAR, told_on=date(2023, 2, 2), state=WatchState.ABANDONED),
        )
        heat, alien = (await ada.read()).history
        assert (alien.film_id, alien.watched_on, alien.rating, alien.reaction) == (ALIEN, MAY_2, 4.5, "scary")
        assert (alien.source, alien.source_key, alien.told_at) == ("letterboxd", "a1", LAST_YEAR)
        assert (heat.watched_on, heat.sorted_on, heat.state) == (None, date(2023, 2, 2), WatchState.ABANDONED)

    async def test_run_twice_it_changes_nothing(self, ada) -> None:
        file = [entry(ALIEN, "a1", rating=4.0), entry(HEAT, "a2"), entry(JAWS, "a3", None)]
        first = await ada.say(*file)
        before = await ada.read()
        ada.moment += timedelta(days=400)
        second = await ada.say(*file)
        after = await ada.read()
        assert (after.history, after.history_version) == (before.history, before.history_version)
        assert await ada.store.last_undoable(after.person) == first
        did = await ada.store.message_changes(second)
        assert (did.logged, did.rated, did.removed) == ((), (), ())

    async def test_an_entry_that_was_corrected_in_the_file_is_still_the_same(self, ada) -> None:
        await ada.say(entry(ALIEN, "a1", MAY_2))
        await ada.say(entry(ALIEN, "a1", MAY_3, rating=4.0), entry(HEAT, "a1"))
        assert [(w.film_id, w.watched_on, w.rating) for w in (await ada.read()).history] == [(ALIEN, MAY_2, None)]

    async def test_the_same_key_of_another_source_is_another_entry(self, ada) -> None:
        await ada.say(entry(ALIEN, "a1"))
        await ada.say(replace(entry(HEAT, "a1"), source="trakt"))
        assert len(await ada.films()) == 2

    async def test_the_same_key_of_another_person_is_another_entry(self, ada, ben) -> None:
        for talker in (ada, ben):
            await talker.say(entry(ALIEN, "a1"))
        assert await ada.films() == await ben.films() == [ALIEN]

    async def test_a_key_twice_in_one_file_counts_once(self, ada) -> None:
        await ada.say(entry(ALIEN, "a1"), entry(HEAT, "a1"), entry(ALIEN, "a1", MAY_3))
        assert await ada.films() == [ALIEN]

    async def test_two_entries_of_one_film_and_day_are_one_watch(self, ada) -> None:
        file = [entry(ALIEN, "a1"), entry(ALIEN, "a2", rating=4.0), entry(ALIEN, "a3", reaction="scary")]
        await ada.say(*file)
        (watch,) = (await ada.read()).history
        assert (watch.source_key, watch.rating, watch.reaction) == ("a1", 4.0, "scary")
        await ada.say(RemoveWatch(watch.watch_id))
        await ada.say(*file)
        assert await ada.films() == []

    async def test_what_was_removed_does_not_come_back(self, ada) -> None:
        file = [entry(ALIEN, "a1"), entry(HEAT, "a2")]
        await ada.say(*file)
        await ada.say(RemoveWatch((await ada.read()).history[0].watch_id))
        left = await ada.films()
        await ada.say(*file)
        assert await ada.films() == left == [HEAT]

    async def test_a_longer_file_adds_what_is_new(self, ada) -> None:
        await ada.say(*file_of(10))
        await ada.say(*file_of(20))
        assert len(await ada.films()) == 20

    async def test_nothing_of_a_file_is_kept_when_one_change_can_not_be_made(self, ada) -> None:
        message = await ada.say(LogWatch(ALIEN))
        await ada.say(UndoMessage(message))
        before = await ada.read()
        with pytest.raises(Exception, match="try that again"):
            await ada.say(*file_of(1000), UndoMessage(message))
        assert await ada.read() == before
        await ada.say(*file_of(1000))
        assert len(await ada.films()) == 1000


class TestMeetingWhatWasTold:
    async def test_the_entry_fills_in_what_the_watch_lacks(self, ada) -> None:
        told = await ada.say(LogWatch(ALIEN, MAY_2, Precision.DAY, rating=5.0))
        imported = await ada.say(entry(ALIEN, "a1", rating=2.0, reaction="fine", state=WatchState.ABANDONED))
        (watch,) = (await ada.read()).history
        assert (watch.rating, watch.reaction, watch.state) == (5.0, "fine", WatchState.FINISHED)
        assert (watch.message_id, watch.source, watch.source_key) == (told, "told", None)
        did = await ada.store.message_changes(imported)
        assert (did.logged, [w.watch_id for w in did.rated]) == ((), [watch.watch_id])

    async def test_the_entry_is_known_from_then_on(self, ada) -> None:
        await ada.say(LogWatch(ALIEN, MAY_2, Precision.DAY))
        await ada.say(entry(ALIEN, "a1"))
        await ada.say(RemoveWatch((await ada.read()).history[0].watch_id))
        await ada.say(entry(ALIEN, "a1"))
        assert await ada.films() == []

    async def test_what_is_told_afterwards_counts_for_more(self, ada) -> None:
        await ada.say(entry(ALIEN, "a1", rating=2.0, reaction="fine"))
        await ada.say(LogWatch(ALIEN, MAY_2, Precision.DAY, rating=5.0))
        (watch,) = (await ada.read()).history
        assert (watch.rating, watch.reaction, watch.source_key) == (5.0, "fine", "a1")

    async def test_undoing_the_file_leaves_what_was_told(self, ada) -> None:
        told = await ada.say(LogWatch(ALIEN, MAY_2, Precision.DAY))
        imported = await ada.say(entry(ALIEN, "a1", rating=2.0), entry(HEAT, "a2"))
        await ada.say(UndoMessage(imported))
        assert [(w.message_id, w.rating) for w in (await ada.read()).history] == [(told, None)]


class TestUndo:
    async def test_a_file_goes_as_one_and_comes_back_as_one(self, ada) -> None:
        await ada.say(LogWatch(JAWS))
        imported = await ada.say(entry(ALIEN, "a1"), entry(HEAT, "a2"))
        before = await ada.read()
        undo = await ada.say(UndoMessage(imported))
        assert await ada.films() == [JAWS]
        await ada.say(UndoMessage(undo))
        assert (await ada.read()).history == before.history

    async def test_undone_it_can_be_run_again(self, ada) -> None:
        file = [entry(ALIEN, "a1"), entry(HEAT, "a2")]
        for _ in range(3):
            imported = await ada.say(*file)
            assert await ada.films() == [ALIEN, HEAT]
            await ada.say(UndoMessage(imported))
            assert await ada.films() == []

    async def test_undone_run_again_and_brought_back_it_is_there_once(self, ada) -> None:
        file = [entry(ALIEN, "a1"), entry(HEAT, "a2"), entry(JAWS, "a3", state=WatchState.REWATCH)]
        undo = await ada.say(UndoMessage(await ada.say(*file)))
        second = await ada.say(*file)
        redo = await ada.say(UndoMessage(undo))
        assert [(w.film_id, w.message_id) for w in (await ada.read()).history] == [
            (film, second) for film in (ALIEN, HEAT, JAWS)
        ]
        assert len((await ada.store.message_changes(redo)).removed) == 3

    async def test_what_was_corrected_since_is_corrected_when_it_comes_back(self, ada) -> None:
        imported = await ada.say(entry(ALIEN, "a1", rating=2.0), entry(HEAT, "a2"))
        alien, heat = (await ada.read()).history
        await ada.say(RateWatch(alien.watch_id, 4.0))
        await ada.say(RemoveWatch(heat.watch_id))
        undo = await ada.say(UndoMessage(imported))
        assert await ada.films() == []
        await ada.say(UndoMessage(undo))
        assert [(w.film_id, w.rating) for w in (await ada.read()).history] == [(ALIEN, 4.0)]


class TestOnesOwnExport:
    async def exported(self, talker: Talker) -> list[LogWatch]:
        """What an export has of a history."""
        return [
            LogWatch(
                watch.film_id,
                watch.watched_on,
                watch.precision,
                watch.state,
                watch.rating,
                watch.reaction,
                watch.source,
                watch.source_key or f"nextreel:{watch.watch_id}",
                watch.told_at,
                watch.sorted_on,
            )
            for watch in (await talker.read()).history
        ]

    @pytest.fixture
    async def told(self, ada) -> None:
        """Ada has told of films in every way."""
        await ada.say(LogWatch(ALIEN, rating=3.0), LogWatch(ALIEN, state=WatchState.REWATCH, reaction="good"))
        await ada.say(LogWatch(HEAT, MAY_2, Precision.YEAR), entry(JAWS, "a1"))
        ada.moment += timedelta(days=40)

    async def test_where_it_came_from_it_changes_nothing(self, ada, told) -> None:
        before = await ada.read()
        file = await self.exported(ada)
        for _ in range(2):
            await ada.say(*file)
            assert (await ada.read()).history == before.history

    async def test_what_was_removed_since_does_not_come_back(self, ada, told) -> None:
        file = await self.exported(ada)
        for watch in (await ada.read()).history:
            await ada.say(RemoveWatch(watch.watch_id))
        await ada.say(*file)
        assert await ada.films() == []

    async def test_what_was_undone_since_does_come_back(self, ada) -> None:
        message = await ada.say(LogWatch(ALIEN))
        file = await self.exported(ada)
        undo = await ada.say(UndoMessage(message))
        await ada.say(*file)
        assert await ada.films() == [ALIEN]
        await ada.say(UndoMessage(undo))
        assert await ada.films() == [ALIEN]

    async def test_elsewhere_it_is_the_same_history(self, ada, ben, told) -> None:
        file = await self.exported(ada)
        for _ in range(2):
            await ben.say(*file)
            assert [self.but_ids(watch) for watch in (await ben.read()).history] == [
                self.but_ids(watch) for watch in (await ada.read()).history
            ]

    def but_ids(self, watch) -> tuple[object, ...]:
        when = (watch.watched_on, watch.precision, watch.told_at, watch.sorted_on)
        return (watch.film_id, *when, watch.state, watch.rating, watch.reaction, watch.source)

    async def test_a_key_that_only_looks_like_ones_own_is_an_entry_as_any(self, ada) -> None:
        keys = ["nextreel:", "nextreel:1", f"nextreel:{2**63}", f"nextreel:{10**18}", "nextreel:1x"]
        file = [entry(film, key) for film, key in enumerate(keys)]
        for _ in range(2):
            await ada.say(*file)
            assert len(await ada.films()) == len(keys)


class TestThousands:
    """What a message sends to the database grows by a statement for every 500 entries, if at all."""

    COUNT = 5000

    def few(self, entries: int) -> int:
        return 20 + entries // 500

    async def test_a_file_takes_few_statements(self, ada) -> None:
        file = file_of(self.COUNT)
        for described in ("new", "known", "half known"):
            if described == "half known":
                file = file[: self.COUNT // 2] + [replace(one, source="trakt") for one in file[self.COUNT // 2 :]]
            with statements() as sent:
                await ada.say(*file)
            assert len(sent) <= self.few(self.COUNT), described
        assert len(await ada.films()) == self.COUNT

    async def test_filling_in_thousands_takes_few_statements(self, ada) -> None:
        await ada.say(*(replace(one, source="told", source_key=None) for one in file_of(self.COUNT)))
        with statements() as sent:
            await ada.say(*file_of(self.COUNT, rating=3.5))
        assert len(sent) <= self.few(self.COUNT)
        assert {watch.rating for watch in (await ada.read()).history} == {3.5}

    async def test_an_export_of_thousands_takes_few_statements(self, ada, ben) -> None:
        await ada.say(*file_of(self.COUNT))
        history = (await ada.read()).history
        file = [replace(entry(w.film_id, f"nextreel:{w.watch_id}", w.watched_on), source="told") for w in history]
        for talker in (ada, ben):
            with statements() as sent:
                await talker.say(*file)
            assert len(sent) <= self.few(self.COUNT)
            assert len(await talker.films()) == self.COUNT

    async def test_undo_takes_few_statements(self, ada) -> None:
        last = await ada.say(*file_of(self.COUNT))
        history = (await ada.read()).history
        for expected in ((), history):
            with statements() as sent:
                last = await ada.say(UndoMessage(last))
            assert len(sent) <= self.few(self.COUNT)
            assert (await ada.read()).history == expected

    async def test_there_may_be_more_entries_than_a_statement_has_values(self, ada) -> None:
        file = file_of(33_000)  # both drivers bind 32,767 at most
        message = await ada.say(*file)
        assert len(await ada.films()) == len(file)
        await ada.say(*file)
        await ada.say(UndoMessage(message))
        assert await ada.films() == []

    async def test_giving_way_takes_few_statements(self, ada) -> None:
        file = file_of(self.COUNT)
        undo = await ada.say(UndoMessage(await ada.say(*file)))
        await ada.say(*file)
        before = (await ada.read()).history
        for _ in range(3):
            with statements() as sent:
                undo = await ada.say(UndoMessage(undo))
            assert len(sent) <= self.few(self.COUNT)
            assert (await ada.read()).history == before

    async def test_joining_takes_few_statements(self, ada, ben) -> None:
        from tests.storage.test_accounts import link

        await ada.say(*file_of(self.COUNT, rating=3.5))
        await ben.say(*(replace(one, source="told", source_key=None) for one in file_of(self.COUNT)))
        with statements() as sent:
            await link(ben, ada)
        assert len(sent) <= 60 + self.COUNT // 500
        history = (await ada.read()).history
        assert (len(history), {watch.rating for watch in history}) == (self.COUNT, {3.5})

    async def test_opinions_and_films_of_ones_own_take_few_statements_too(self, ada) -> None:
        films = [AddedFilm(new_film_id(), f"Film {number}") for number in range(1000)]
        opinions = [GiveFeedback(film.film_id, FeedbackKind.WANTED) for film in films]
        file = [*map(AddFilm, films), *opinions, *(entry(film.film_id, str(film.film_id)) for film in films)]
        for _ in range(2):
            with statements() as sent:
                message = await ada.say(*file)
            assert len(sent) <= self.few(len(file))
        snapshot = await ada.read()
        assert len(snapshot.history) == len(snapshot.wanted) == len(snapshot.added_films) == 1000
        assert message != snapshot.history[0].message_id

    async def test_undoing_opinions_takes_few_statements(self, ada) -> None:
        wanted = FeedbackKind.WANTED
        message = await ada.say(*(GiveFeedback(film, wanted) for film in range(2000)))
        for expected in (0, 2000):
            with statements() as sent:
                message = await ada.say(UndoMessage(message))
            assert len(sent) <= self.few(2000)
            assert len((await ada.read()).wanted) == expected
        await ada.say(TakeBackFeedback(7, wanted))
        assert len((await ada.read()).wanted) == 1999


class TestAtTheSameMoment:
    async def test_two_processes_import_one_file_once(self, ada, beside) -> None:
        file = file_of(700)
        other = Talker(beside, events=iter(range(1000, 2000)))  # other messages of the same account
        for _ in range(2):
            await asyncio.gather(ada.say(*file), other.say(*file))
            assert len(await ada.films()) == 700

    async def test_a_file_delivered_to_two_processes_is_imported_once(self, ada, beside) -> None:
        key = ada.key()
        both = [ada, Talker(beside)]
        done = await asyncio.gather(*(one.deliver(key, MessageId(new_id()), file_of(300), "Imported.") for one in both))
        assert sorted((applied.done, applied.earlier_reply) for applied in done) == [(False, "Imported."), (True, None)]
        assert len(await ada.films()) == 300


class TestReadingAHistory:
    async def test_it_is_one_statement_by_one_index(self, store, ada, kind) -> None:
        file = file_of(200)
        for number in range(40):
            await Talker(store, identity=IdentityKey("test", "", str(number))).say(*file)
        await ada.say(*file)
        # Some of everything that a history leaves out or has to sort.
        await ada.say(UndoMessage(await ada.say(*(LogWatch(film) for film in range(50)))))
        for watch in (await ada.read()).history[:20]:
            await ada.say(RateWatch(watch.watch_id, 3.0))
        with statements() as sent:
            history = (await ada.read()).history
        assert len(history) == 200
        (reading,) = [(statement, values) for statement, values in sent if statement.startswith("SELECT watches.")]
        plan = await self.plan(store, *reading)
        assert "ix_watches_history" in plan
        # For so few rows PostgreSQL sorts what the index finds, and so visits each page once.
        assert not [slow for slow in ("B-TREE", "SCAN watches", "Seq Scan") if slow in plan]

    async def plan(self, store: Store, statement: str, values: Any) -> str:
        def explain(connection: Connection) -> str:
            if connection.dialect.name == "sqlite":
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            else:
                rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values).all()
            return "\n".join(str(row[-1]) for row in rows)

        def analyse(connection: Connection) -> None:
            connection.exec_driver_sql("ANALYZE")

        await store.database.write(analyse)
        return await store.database.read(explain)
