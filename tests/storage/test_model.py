"""The store against a plain model of it: any run of messages leaves both knowing the same.

The model keeps every message and works everything out anew each time: a message is in force unless the one that undid
it is; a watch is there when the message that told of it is in force and the one that removed it is not.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from storage.changes import (
    Change,
    GiveFeedback,
    LogWatch,
    RateWatch,
    RemoveWatch,
    TakeBackFeedback,
    UndoMessage,
)
from storage.ids import new_id
from storage.records import (
    FeedbackKind,
    IdentityKey,
    MessageId,
    MessageKey,
    PlaceKey,
    Precision,
    WatchState,
)
from storage.store import Store

HERE = PlaceKey("terminal", "", "", "")
START = datetime(2024, 5, 10, 12, tzinfo=UTC)
DISMISSED = FeedbackKind.DISMISSED

films = st.integers(1, 4)
days = st.sampled_from([date(2024, 5, 9), date(2024, 5, 10), date(2023, 12, 31)])
dates = st.one_of(
    st.just((None, Precision.UNKNOWN)),
    st.tuples(days, st.sampled_from([Precision.DAY, Precision.MONTH, Precision.YEAR])),
)
ratings = st.sampled_from([None, 0.5, 3.0, 5.0])
reactions = st.sampled_from([None, "good", "bad"])


@dataclass(eq=False)
class Told:
    """A message of the model."""

    message_id: MessageId
    key: MessageKey
    reply: str
    undone_by: Told | None = None
    undoable: bool = False

    @property
    def in_force(self) -> bool:
        return self.undone_by is None or not self.undone_by.in_force


@dataclass(eq=False)
class Seen:
    """A watch of the model, with all that was ever said about it."""

    told: Told
    film_id: int
    watched_on: date | None
    precision: Precision
    sorted_on: date
    order: tuple[datetime, int]
    source_key: str | None
    said: list[tuple[Told, WatchState, float | None, str | None]]
    removed_by: Told | None = None

    @property
    def there(self) -> bool:
        return self.told.in_force and not (self.removed_by and self.removed_by.in_force)

    @property
    def now(self) -> tuple[WatchState, float | None, str | None]:
        return [said[1:] for said in self.said if said[0].in_force][-1]

    def is_same_day(self, film_id: int, precision: Precision, day: date) -> bool:
        here = (self.film_id, self.precision, self.sorted_on)
        return self.there and self.now[0] is not WatchState.REWATCH and here == (film_id, precision, day)


@dataclass
class Person:
    """What the model knows of somebody."""

    messages: list[Told] = field(default_factory=list)
    watches: list[Seen] = field(default_factory=list)
    feedback: list[tuple[int, Told, list[Told]]] = field(default_factory=list)

    def history(self) -> list[Seen]:
        return sorted((w for w in self.watches if w.there), key=lambda w: (w.sorted_on, *w.order))

    def dismissed(self) -> set[int]:
        return {film for film, given, taken in self.feedback if given.in_force and not (taken and taken[-1].in_force)}

    def last_undoable(self) -> MessageId | None:
        return next((m.message_id for m in reversed(self.messages) if m.undoable and m.in_force), None)

    def log(self, message: Told, change: LogWatch, moment: datetime, position: int) -> None:
        key = change.source_key
        if key is not None and any(w.source_key == key and w.told.in_force for w in self.watches):
            return
        day = change.starts_on() or moment.date()
        if change.state is not WatchState.REWATCH:
            for watch in self.watches:
                if watch.is_same_day(change.film_id, change.precision, day):
                    state, rating, reaction = watch.now
                    if key is None:
                        self.say(message, watch, change.state, change.rating, change.reaction)
                    else:
                        self.say(message, watch, state, rating or change.rating, reaction or change.reaction)
                    return
        said = [(message, change.state, change.rating, change.reaction)]
        self.watches.append(
            Seen(
                message,
                change.film_id,
                change.starts_on(),
                change.precision,
                day,
                (moment, position),
                key,
                said,
            )
        )
        message.undoable = True

    def say(self, message: Told, watch: Seen, state: WatchState, rating: float | None, reaction: str | None) -> None:
        before = watch.now
        after = (state, before[1] if rating is None else rating, before[2] if reaction is None else reaction)
        if after != before:
            watch.said.append((message, *after))
            message.undoable = True

    def undo(self, message: Told, target: Told) -> None:
        before = {id(watch) for watch in self.watches if watch.there}
        target.undone_by = message
        back = [watch for watch in self.watches if watch.there and id(watch) not in before]
        there = [watch for watch in self.watches if watch.there and id(watch) in before]
        for watch in back:
            same_day = watch.now[0] is not WatchState.REWATCH and any(
                other.is_same_day(watch.film_id, watch.precision, watch.sorted_on) for other in there
            )
            if same_day or any(watch.source_key is not None and watch.source_key == w.source_key for w in there):
                watch.removed_by = message
            else:
                there.append(watch)


class StoreAgainstModel(RuleBasedStateMachine):
    """Two people; every rule is one message, handled by the store and by the model."""

    empty: Path

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.empty, self.folder / "nextreel.db")
        self.store = self.runner.run(Store.open(f"sqlite+aiosqlite:///{self.folder / 'nextreel.db'}"))
        self.people = {name: Person() for name in ("ada", "ben")}
        self.moment = START

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.runner.run(self.store.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    def deliver(self, name: str, message: Told, changes: list[Change]) -> bool:
        applied = self.runner.run(
            self.store.apply(
                IdentityKey("terminal", "", name),
                HERE,
                message.key,
                message.message_id,
                changes,
                message.reply,
                self.moment,
                expected_version=None,
            )
        )
        assert applied.done or applied.earlier_reply is not None
        return applied.done

    def say(self, name: str, *changes: Change) -> Told:
        self.moment += timedelta(hours=5)
        message_id = MessageId(new_id())
        message = Told(message_id, MessageKey("terminal", "", str(message_id)), f"{name} {message_id}")
        assert self.deliver(name, message, list(changes))
        self.people[name].messages.append(message)
        return message

    def real_history(self, name: str):
        key = MessageKey("terminal", "", "none")
        return self.runner.run(self.store.read(IdentityKey("terminal", "", name), HERE, key, self.moment))

    names = st.sampled_from(["ada", "ada", "ada", "ben"])
    logs = st.builds(
        lambda film, when, state, rating, reaction, key: LogWatch(
            film, *when, state, rating, reaction, "told" if key is None else "file", key
        ),
        films,
        dates,
        st.sampled_from([WatchState.FINISHED, WatchState.FINISHED, WatchState.ABANDONED, WatchState.REWATCH]),
        ratings,
        reactions,
        st.sampled_from([None, None, None, "k1", "k2"]),
    )

    @rule(name=names, changes=st.lists(logs, min_size=1, max_size=3))
    def log(self, name, changes) -> None:
        message = self.say(name, *changes)
        for position, change in enumerate(changes):
            self.people[name].log(message, change, self.moment, position)

    @rule(name=names, which=st.integers(0), instead=st.none() | logs)
    def remove_or_swap(self, name, which, instead) -> None:
        history = self.people[name].history()
        if not history:
            return
        place = which % len(history)
        real = self.real_history(name).history[place]
        message = self.say(name, RemoveWatch(real.watch_id), *([instead] if instead else []))
        history[place].removed_by = message
        message.undoable = True
        if instead:
            self.people[name].log(message, instead, self.moment, 1)

    @rule(name=names, which=st.integers(0), rating=ratings, reaction=reactions)
    def rate(self, name, which, rating, reaction) -> None:
        history = self.people[name].history()
        if not history:
            return
        place = which % len(history)
        message = self.say(name, RateWatch(self.real_history(name).history[place].watch_id, rating, reaction))
        self.people[name].say(message, history[place], history[place].now[0], rating, reaction)

    @rule(name=names, film=films, give=st.booleans())
    def feedback(self, name, film, give) -> None:
        person = self.people[name]
        if give:
            message = self.say(name, GiveFeedback(film, DISMISSED))
            person.feedback.append((film, message, []))
            message.undoable = True
            return
        live = [row for row in person.feedback if row[0] == film and film in person.dismissed()]
        live = [row for row in live if row[1].in_force and not (row[2] and row[2][-1].in_force)]
        message = self.say(name, TakeBackFeedback(film, DISMISSED))
        for row in live:
            row[2].append(message)
        message.undoable = bool(live)

    @rule(name=names)
    def undo_the_last(self, name) -> None:
        person = self.people[name]
        target = next((m for m in reversed(person.messages) if m.undoable and m.in_force), None)
        if target is not None:
            person.undo(self.say(name, UndoMessage(target.message_id)), target)

    @rule(name=names, which=st.integers(0))
    def undo_any(self, name, which) -> None:
        person = self.people[name]
        in_force = [message for message in person.messages if message.in_force]
        if in_force:
            target = in_force[which % len(in_force)]
            person.undo(self.say(name, UndoMessage(target.message_id)), target)

    @rule(name=names, which=st.integers(0), change=logs)
    def deliver_again(self, name, which, change) -> None:
        messages = self.people[name].messages
        if messages:
            earlier = messages[which % len(messages)]
            again = Told(MessageId(new_id()), earlier.key, "Something else.")
            assert not self.deliver(name, again, [change])

    @precondition(lambda self: sum(len(person.messages) for person in self.people.values()) > 8)
    @rule(name=names)
    def erase(self, name) -> None:
        self.runner.run(self.store.erase(IdentityKey("terminal", "", name), None, self.moment))
        self.people[name] = Person()

    @invariant()
    def both_know_the_same(self) -> None:
        if not hasattr(self, "store"):
            return
        for name, person in self.people.items():
            snapshot = self.real_history(name)
            assert snapshot.version == len(person.messages)
            assert [
                (w.film_id, w.watched_on, w.precision, w.state, w.rating, w.reaction, w.source_key, w.message_id)
                for w in snapshot.history
            ] == [
                (w.film_id, w.watched_on, w.precision, *w.now, w.source_key, w.told.message_id)
                for w in person.history()
            ]
            assert snapshot.dismissed == person.dismissed()
            if snapshot.person is not None:
                last = self.runner.run(self.store.last_undoable(snapshot.person))
                assert last == person.last_undoable()


def test_the_store_never_differs_from_the_model(tmp_path) -> None:
    async def make_empty() -> None:
        await (await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")).close()

    asyncio.run(make_empty())
    StoreAgainstModel.empty = tmp_path / "empty.db"
    run_state_machine_as_test(
        StoreAgainstModel,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
