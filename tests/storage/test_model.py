"""The store against a plain model of it (`model`), on both databases: any run of messages leaves both knowing the same.

The runs are the same each time. For others, and more: `STEPS=20000 python -m pytest tests/storage/test_model.py`.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from storage.changes import (
    AddFilm,
    Change,
    GiveFeedback,
    JoinPerson,
    LeavePerson,
    LogWatch,
    OfferLink,
    RateWatch,
    RemoveWatch,
    SetPreference,
    TakeBackFeedback,
    UndoMessage,
)
from storage.errors import ConflictError
from storage.ids import code_hash, new_code, new_film_id, new_id
from storage.records import (
    AddedFilm,
    FeedbackKind,
    IdentityKey,
    MessageId,
    MessageKey,
    PlaceKey,
    Precision,
    Preference,
    Preferences,
    Snapshot,
    Visibility,
    Watch,
    WatchId,
    WatchState,
)
from storage.store import Store
from tests.storage.model import Person, Seen, Told, World

STEPS = int(os.environ.get("STEPS", "0"))
"""How many messages at least, on each database, others each time; 0 for the same `USUAL`."""
USUAL = 2000
STEPS_A_RUN = 50

Step = tuple[Callable[..., None], Callable[[Any], object], dict[str, Any]]
"""A rule, when it can be followed, and with what."""

HERE = PlaceKey("test", "", "", "")
START = datetime(2024, 5, 10, 12, tzinfo=UTC)
ACCOUNTS = ("ada", "ben", "cy")

names = st.sampled_from(["ada", "ada", "ben", "cy"])
which = st.integers(0, 9)
further = st.integers(1, 2)
films = st.integers(1, 2)
days = st.sampled_from([date(2024, 5, 1), date(2024, 5, 12)])
dates = st.one_of(
    st.just((None, Precision.UNKNOWN)),
    st.tuples(days, st.sampled_from([Precision.DAY, Precision.DAY, Precision.DAY, Precision.MONTH])),
)
states = st.sampled_from([WatchState.FINISHED, WatchState.FINISHED, WatchState.ABANDONED, WatchState.REWATCH])
ratings = st.sampled_from([None, None, 0.0, 3.0, 5.0])
reactions = st.sampled_from([None, None, "good", "bad"])


def log(film: int, when: tuple[date | None, Precision], state: WatchState, rating: float | None, reaction: str | None):
    return LogWatch(film, *when, state, rating, reaction)


def entry(log: LogWatch, key: str, told_at: datetime | None, told_on: date | None) -> LogWatch:
    told_on = None if log.watched_on else told_on
    return replace(log, source="file", source_key=key, told_at=told_at, told_on=told_on)


logs = st.builds(log, films, dates, states, ratings, reactions)
moments = st.sampled_from([None, START - timedelta(days=1), START + timedelta(days=1)])
entries = st.builds(entry, logs, st.sampled_from(["k1", "k2", "k3"]), moments, st.none() | days)
kinds = st.sampled_from(FeedbackKind)
opinions = st.builds(GiveFeedback, films, kinds) | st.builds(TakeBackFeedback, films, kinds)
preferences = st.sampled_from(
    [
        SetPreference(Preference.TIME_ZONE, "Europe/Vienna"),
        SetPreference(Preference.TIME_ZONE, None),
        SetPreference(Preference.ADVENTUROUSNESS, 0.25),
        SetPreference(Preference.ADVENTUROUSNESS, 1),
        SetPreference(Preference.VISIBILITY, Visibility.PRIVATE),
        SetPreference(Preference.VISIBILITY, Visibility.PUBLIC),
        SetPreference(Preference.GROUP_OPT_IN, True),
        SetPreference(Preference.GROUP_OPT_IN, False),
    ]
)


def step(when: Callable[[Any], object] = bool, **drawn: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """A rule for when it can be followed; a run writes down which it did."""

    def decorate(function: Callable[..., None]) -> Any:
        @precondition(when)
        @rule(**drawn)
        @functools.wraps(function)
        def written_down(self: StoreAgainstModel, **values: Any) -> None:
            self.steps.append((function, when, values))
            function(self, **values)

        return written_down

    return decorate


class StoreAgainstModel(RuleBasedStateMachine):
    """Three accounts; every rule is a message or two, handled by the store and by the model."""

    store: Store
    runner: asyncio.Runner
    runs = itertools.count()
    """Each run has people of its own in the one database."""
    latest: StoreAgainstModel
    handled = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).latest = self
        self.steps: list[Step] = []
        self.workspace = f"run {next(self.runs)}"
        self.world = World(ACCOUNTS)
        self.moment = START
        self.spoke = ACCOUNTS[0]
        self.sent: list[MessageKey] = []
        self.files: list[list[LogWatch]] = []

    # What is said and asked

    def identity(self, name: str) -> IdentityKey:
        return IdentityKey("test", self.workspace, name)

    def new_key(self) -> MessageKey:
        return MessageKey("test", self.workspace, str(len(self.sent)))

    def say(self, name: str, *changes: Change, key: MessageKey | None = None) -> Told:
        """Have a message that nobody has handled yet handled by both."""
        self.moment += timedelta(hours=5)
        key = key or self.new_key()
        told = Told(MessageId(new_id()), key, f"{name} {len(self.sent)}", self.moment)
        self.sent.append(key)
        assert self.apply(name, told, changes)
        self.world.tell(name, told, changes)
        self.check_what_it_did(told)
        return told

    def apply(self, name: str, told: Told, changes: Sequence[Change], *, ahead: int = 0) -> bool:
        """Whether the store handled it now; if not, it answered as it did before."""
        type(self).handled += 1
        self.spoke = name
        person = self.world.persons[name]
        version = (person.version if person else 0) + ahead
        earlier = self.world.earlier_reply(told.key, name)
        applied = self.runner.run(
            self.store.apply(
                self.identity(name),
                HERE,
                told.key,
                told.message_id,
                changes,
                told.reply,
                told.moment,
                expected_version=version,
            )
        )
        assert applied.earlier_reply == earlier
        assert applied.done == (earlier is None)
        return applied.done

    def refuse(self, name: str, *changes: Change, ahead: int = 0) -> None:
        """Have the store refuse a message; the model never hears of it."""
        told = Told(MessageId(new_id()), MessageKey("test", self.workspace, "refused"), "", self.moment)
        with pytest.raises(ConflictError):
            self.apply(name, told, changes, ahead=ahead)

    def read(self, name: str) -> Snapshot:
        return self.runner.run(
            self.store.read(self.identity(name), HERE, MessageKey("test", self.workspace, "none"), self.moment)
        )

    def person(self, name: str) -> Person:
        return self.world.persons[name] or Person()

    def someone(self, name: str, able: Callable[[Person], object]) -> str:
        """The one named, or else another of whom that is so."""
        return next(one for one in (name, *ACCOUNTS) if able(self.person(one)))

    def watch(self, name: str, which: int) -> Seen:
        history = self.person(name).history()
        return history[which % len(history)]

    def anyone(self, able: Callable[[Person], object]) -> bool:
        return any(able(person) for person in self.world.everybody())

    # The rules

    @step(name=names, changes=st.lists(logs, min_size=1, max_size=3))
    def log(self, name, changes) -> None:
        self.say(name, *changes)

    @step(name=names, changes=st.lists(entries, min_size=1, max_size=4))
    def import_file(self, name, changes) -> None:
        self.files.append(changes)
        self.say(name, *changes)

    @step(when=lambda self: self.files, name=names, which=which)
    def import_again(self, name, which) -> None:
        changes = self.files[which % len(self.files)]
        self.say(name, *changes)
        shown = self.person(name).shown()
        self.say(name, *changes)
        assert self.person(name).shown() == shown

    @step(when=lambda self: self.anyone(Person.history), name=names, into=names)
    def import_an_export(self, name, into) -> None:
        name = self.someone(name, Person.history)
        exported = [exported_watch(watch) for watch in self.read(name).history]
        shown = self.person(into).shown()
        self.say(into, *exported)
        assert self.world.persons[into] is not self.world.persons[name] or self.person(into).shown() == shown

    @step(when=lambda self: self.anyone(Person.history), name=names, which=which, rating=ratings, reaction=reactions)
    def rate(self, name, which, rating, reaction) -> None:
        name = self.someone(name, Person.history)
        self.say(name, RateWatch(self.watch(name, which).watch_id, rating, reaction))

    @step(when=lambda self: self.anyone(Person.history), name=names, which=which, instead=st.lists(logs, max_size=1))
    def remove_or_swap(self, name, which, instead) -> None:
        name = self.someone(name, Person.history)
        self.say(name, RemoveWatch(self.watch(name, which).watch_id), *instead)

    @step(name=names, changes=st.lists(opinions, min_size=1, max_size=3))
    def opine(self, name, changes) -> None:
        self.say(name, *changes)

    @step(when=lambda self: self.anyone(Person.history), name=names, which=which, kind=kinds)
    def change_ones_mind(self, name, which, kind) -> None:
        name = self.someone(name, Person.history)
        opinions = [TakeBackFeedback(film, kind) for film in self.person(name).about(kind)[:1]]
        told = self.say(name, RemoveWatch(self.watch(name, which).watch_id), *opinions)
        self.say(name, UndoMessage(told.message_id))

    @step(name=names, first=logs | entries, second=logs | entries)
    def begin_again(self, name, first, second) -> None:
        told = self.say(name, first)
        undo = self.say(name, UndoMessage(told.message_id))
        self.say(name, replace(second, source=first.source, source_key=first.source_key))
        self.say(name, UndoMessage(undo.message_id))

    @step(name=names, change=preferences | st.just(AddFilm))
    def set_or_add(self, name, change) -> None:
        if change is AddFilm:
            film = AddedFilm(new_film_id(), "A film of one's own", 2024)
            self.say(name, AddFilm(film), LogWatch(film.film_id))
        else:
            self.say(name, change)

    @step(
        when=lambda self: self.anyone(attrgetter("films")),
        name=names,
        which=which,
        how=st.sampled_from(["added", "wanted", "undone", "brought back"]),
    )
    def have_a_film_of_ones_own(self, name, which, how) -> None:
        name = self.someone(name, attrgetter("films"))
        films = sorted(self.person(name).films)
        film_id = films[which % len(films)]
        added = self.person(name).films[film_id]
        if how in ("undone", "brought back"):
            if added.in_force == (how == "undone"):
                self.undo(name, added if added.in_force else added.undone_by)
            return
        wanted = [GiveFeedback(film_id, FeedbackKind.WANTED)] if how == "wanted" else []
        self.say(name, AddFilm(AddedFilm(film_id, "A film of one's own", 2024)), *wanted)

    @step(
        when=lambda self: self.anyone(Person.history),
        name=names,
        before=st.lists(logs | opinions, max_size=2),
        after=st.lists(opinions | entries, max_size=3),
    )
    def say_much_at_once(self, name, before, after) -> None:
        name = self.someone(name, Person.history)
        rated = RateWatch(self.watch(name, 0).watch_id, 4.0)
        self.say(name, *before, rated, SetPreference(Preference.LOCALE, "de"), *after)

    @step(when=lambda self: self.anyone(Person.last_undoable), name=names)
    def undo_the_last(self, name) -> None:
        name = self.someone(name, Person.last_undoable)
        self.undo(name, self.person(name).last_undoable())

    @step(when=lambda self: self.anyone(attrgetter("messages")), name=names, which=which)
    def undo_one(self, name, which) -> None:
        name = self.someone(name, attrgetter("messages"))
        messages = self.person(name).messages
        self.undo(name, messages[-1 - which % len(messages)])

    @step(when=lambda self: self.anyone(Person.undoing), name=names, which=which)
    def undo_an_undo(self, name, which) -> None:
        name = self.someone(name, Person.undoing)
        undoing = self.person(name).undoing()
        self.undo(name, undoing[-1 - which % len(undoing)])

    def undo(self, name: str, target: Told) -> None:
        if target.in_force:
            self.say(name, UndoMessage(target.message_id))
        else:
            self.refuse(name, UndoMessage(target.message_id))

    @step(name=names, further=further, then=st.lists(logs, max_size=1))
    def link_or_leave(self, name, further, then) -> None:
        other = another(name, further)
        if self.world.persons[name] is self.world.persons[other] is not None:
            self.say(name, LeavePerson(), *then)
            return
        code = new_code()
        self.say(other, OfferLink(code, self.moment + timedelta(hours=11)))
        self.refuse(other, JoinPerson(code_hash(code)))
        self.say(name, JoinPerson(code_hash(code)), *then)
        self.refuse(another(name, 3 - further), JoinPerson(code_hash(code)))

    @step(name=names, further=further, change=logs)
    def do_what_can_not_be_done(self, name, further, change) -> None:
        other = another(name, further)
        self.refuse(name, change, ahead=-1 if self.world.persons[name] else 1)
        if len(self.world.accounts(self.person(name))) < 2:
            self.refuse(name, LeavePerson())
        code = new_code()
        self.say(other, OfferLink(code, self.moment + timedelta(hours=5)))
        self.refuse(name, JoinPerson(code_hash(code)))  # too late
        if self.world.persons[name] is not self.world.persons[other]:
            for told in self.person(other).messages[-1:]:
                self.refuse(name, change, UndoMessage(told.message_id))
            for seen in self.person(other).history()[-1:]:
                self.refuse(name, change, RateWatch(seen.watch_id, 1.0))
                self.refuse(name, RemoveWatch(seen.watch_id))

    @step(when=lambda self: self.sent, name=names, which=st.integers(0, 30), change=logs)
    def deliver_again(self, name, which, change) -> None:
        key = self.sent[-1 - which % len(self.sent)]
        if self.world.earlier_reply(key, name) is None:  # of somebody who was erased, and too long ago
            self.say(name, change, key=key)
            return
        again = Told(MessageId(new_id()), key, "Something else.", self.moment)
        assert not self.apply(name, again, [change])

    @step(when=lambda self: len(self.sent) > 15, name=names)
    def erase(self, name) -> None:
        type(self).handled += 1
        self.spoke = name
        key = self.new_key()
        self.sent.append(key)
        self.runner.run(self.store.erase(self.identity(name), key, self.moment))
        self.world.erase(name, key, self.moment)

    # What must hold

    def check_what_it_did(self, told: Told) -> None:
        """Both say the same of what a message did; the model hears what the store calls its watches."""
        real = self.runner.run(self.store.message_changes(told.message_id))
        did = self.world.did(told)
        for seen, watch in zip(did.logged, real.logged, strict=True):
            assert seen.watch_id in (None, watch.watch_id)
            seen.watch_id = watch.watch_id
        assert (real.reply, real.undone) == (told.reply, not told.in_force)
        assert ids_of(real.rated) == {seen.watch_id for seen in did.rated}
        assert ids_of(real.removed) == {seen.watch_id for seen in did.removed}
        assert [(one.film_id, one.kind) for one in real.feedback] == did.given
        assert {(one.film_id, one.kind) for one in real.feedback_taken_back} == set(did.taken_back)
        assert [(one.name, one.value) for one in real.preferences] == did.settings
        assert set(real.undid) == set(did.undid)

    @invariant()
    def both_know_the_same(self) -> None:
        # Reading takes the most time by far: about whoever spoke after every other step, now and then about everybody.
        if len(self.steps) % 10 == 0:
            self.teardown()
        elif len(self.steps) % 2 == 0:
            self.check_what_is_known(self.spoke)

    def teardown(self) -> None:
        for name in ACCOUNTS:
            self.check_what_is_known(name)
            self.check_what_is_linked(name)
            for told in self.person(name).messages[-1:1:-5]:
                self.check_what_it_did(told)

    def check_what_is_known(self, name: str) -> None:
        snapshot, person = self.read(name), self.world.persons[name]
        if person is None:
            assert snapshot == Snapshot(None, 0)
            return
        assert [shown(watch) for watch in snapshot.history] == [seen.shown() for seen in person.history()]
        assert snapshot.dismissed == set(person.about(FeedbackKind.DISMISSED))
        assert list(snapshot.wanted) == person.about(FeedbackKind.WANTED)
        assert snapshot.preferences == Preferences(
            **{name.value: value for name, value in person.preferences().items() if value is not None}
        )
        assert {film.film_id for film in snapshot.added_films} == person.added()
        assert {film.film_id for film in snapshot.undone_films} == person.films.keys() - person.added()
        assert (snapshot.version, snapshot.history_version) == (person.version, person.history_version)

    def check_what_is_linked(self, name: str) -> None:
        if (person := self.world.persons[name]) is None:
            return
        known = self.read(name).person
        last = self.runner.run(self.store.last_undoable(known))
        assert last == (told.message_id if (told := person.last_undoable()) else None)
        accounts = self.runner.run(self.store.accounts(known))
        assert {account.user for account in accounts} == set(self.world.accounts(person))


def another(name: str, further: int) -> str:
    """The account that comes so much later."""
    return ACCOUNTS[(ACCOUNTS.index(name) + further) % len(ACCOUNTS)]


def ids_of(watches: Sequence[Watch]) -> set[WatchId]:
    """Their ids, each of which is there once."""
    assert len({watch.watch_id for watch in watches}) == len(watches)
    return {watch.watch_id for watch in watches}


def shown(watch: Watch) -> tuple[object, ...]:
    """A watch as the model shows it."""
    return (
        watch.watch_id,
        watch.film_id,
        watch.watched_on,
        watch.precision,
        watch.state,
        watch.rating,
        watch.reaction,
        watch.source,
        watch.source_key,
        watch.told_at,
        watch.message_id,
        watch.sorted_on,
    )


def exported_watch(watch: Watch) -> LogWatch:
    """What an export has of a watch."""
    return LogWatch(
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


def outcome(steps: Sequence[Step]) -> Exception | None:
    """How a run of these steps fails."""
    run = StoreAgainstModel()
    try:
        for function, when, values in steps:
            if when(run):
                function(run, **values)
                run.both_know_the_same()
        run.teardown()
    except Exception as error:  # noqa: BLE001 (whatever it is)
        return error
    return None


def shortened(steps: Sequence[Step]) -> Sequence[Step]:
    """Those that it fails without are left out. Hypothesis would make their values simpler too, and take minutes."""
    size = len(steps) // 2
    while size:
        for start in reversed(range(0, len(steps), size)):
            fewer = [*steps[:start], *steps[start + size :]]
            if outcome(fewer):
                steps = fewer
        size //= 2
    return steps


def test_the_store_never_differs_from_the_model(url) -> None:
    with asyncio.Runner() as runner:
        StoreAgainstModel.runner = runner
        StoreAgainstModel.store = runner.run(Store.open(url))
        StoreAgainstModel.handled = 0
        try:
            run_state_machine_as_test(
                StoreAgainstModel,
                settings=settings(
                    max_examples=(STEPS or USUAL) // 50,  # a step is a message or two
                    stateful_step_count=STEPS_A_RUN,
                    derandomize=not STEPS,
                    phases=[Phase.generate],
                    verbosity=Verbosity.quiet,
                    database=None,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception:
            steps = shortened(StoreAgainstModel.latest.steps)
            error = outcome(steps)
            if error is None:  # it fails only now and then
                raise
            for function, _, values in steps:
                error.add_note(f"{function.__name__}: {values}")
            raise error from None
        finally:
            runner.run(StoreAgainstModel.store.close())
    assert StoreAgainstModel.handled >= (STEPS or USUAL)
