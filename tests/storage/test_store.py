"""What the store promises about one message and about a person's history."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from storage.changes import (
    GiveFeedback,
    LogWatch,
    RateWatch,
    RemoveWatch,
    SetContext,
    ShowSlate,
    TakeBackFeedback,
    UndoMessage,
)
from storage.errors import ConflictError
from storage.ids import new_id
from storage.records import (
    FeedbackKind,
    MessageId,
    PlaceKey,
    Precision,
    ShownPick,
    ShownSlate,
    SlateId,
    WatchId,
    WatchState,
)
from storage.store import Store

ALIEN, ALIENS, HEAT, JAWS = 1214, 1200, 6, 1387
MAY_2 = date(2024, 5, 2)


def on(film: int, day: date, **more: object) -> LogWatch:
    return LogWatch(film, day, Precision.DAY, **more)  # type: ignore[arg-type]  # keywords of LogWatch


def slate_of(message_id: MessageId, moment: datetime, *films: int) -> ShownSlate:
    picks = tuple(ShownPick(rank, film, 9.5 - rank, {"kind": "facts"}) for rank, film in enumerate(films, 1))
    return ShownSlate(SlateId(new_id()), message_id, "starter-1", {"count": len(films)}, picks, moment)


async def show(talker, *films: int) -> ShownSlate:
    message_id = MessageId(new_id())
    slate = slate_of(message_id, talker.moment, *films)
    assert (await talker.deliver(talker.key(), message_id, [ShowSlate(slate)], "Here.")).done
    return slate


class TestReading:
    async def test_a_stranger_has_nothing_and_reading_makes_nobody(self, ada) -> None:
        snapshot = await ada.read()
        assert (snapshot.person, snapshot.version, snapshot.history, snapshot.context) == (None, 0, (), None)
        assert (await ada.read()).person is None

    async def test_a_watch_comes_back_as_it_was_told(self, ada) -> None:
        message = await ada.say(on(ALIEN, MAY_2, state=WatchState.ABANDONED, rating=3.5, reaction="too dark"))
        (watch,) = (await ada.read()).history
        assert (watch.film_id, watch.watched_on, watch.precision) == (ALIEN, MAY_2, Precision.DAY)
        assert (watch.state, watch.rating, watch.reaction) == (WatchState.ABANDONED, 3.5, "too dark")
        assert (watch.source, watch.source_key, watch.message_id) == ("told", None, message)
        assert watch.told_at == ada.moment
        assert watch.told_at.utcoffset() == timedelta(0)

    async def test_people_do_not_see_each_other(self, ada, ben) -> None:
        await ada.say(LogWatch(ALIEN))
        await ben.say(LogWatch(HEAT))
        assert await ada.films() == [ALIEN]
        assert await ben.films() == [HEAT]

    async def test_everything_is_there_after_opening_again(self, ada, url) -> None:
        await ada.say(LogWatch(ALIEN))
        await ada.store.close()
        ada.store = await Store.open(url)
        assert await ada.films() == [ALIEN]
        await ada.store.close()


class TestOrder:
    async def test_a_history_is_ordered_by_date_and_not_by_telling(self, ada) -> None:
        await ada.say(on(ALIEN, date(2024, 5, 2)))
        await ada.say(on(HEAT, date(2023, 1, 1)))
        assert await ada.films() == [HEAT, ALIEN]

    async def test_films_of_one_day_are_ordered_by_when_they_were_told(self, ada) -> None:
        await ada.say(on(HEAT, MAY_2))
        await ada.say(on(ALIEN, MAY_2))
        assert await ada.films() == [HEAT, ALIEN]

    async def test_films_of_one_message_keep_its_order(self, ada) -> None:
        films = [ALIENS, HEAT, ALIEN, JAWS]
        await ada.say(*(on(film, MAY_2) for film in films))
        assert await ada.films() == films

    async def test_undated_watches_stand_on_the_day_they_were_told(self, ada) -> None:
        today = ada.moment.date()
        await ada.say(on(ALIENS, today + timedelta(days=1)))
        await ada.say(LogWatch(ALIEN))
        await ada.say(on(HEAT, today - timedelta(days=1)))
        assert await ada.films() == [HEAT, ALIEN, ALIENS]

    async def test_a_month_and_a_year_stand_at_their_start(self, ada) -> None:
        await ada.say(on(ALIEN, date(2020, 5, 2)))
        await ada.say(LogWatch(HEAT, date(2020, 5, 20), Precision.MONTH))
        await ada.say(LogWatch(JAWS, date(2020, 7, 7), Precision.YEAR))
        assert [(w.film_id, w.watched_on) for w in (await ada.read()).history] == [
            (JAWS, date(2020, 1, 1)),
            (HEAT, date(2020, 5, 1)),
            (ALIEN, date(2020, 5, 2)),
        ]

    async def test_what_was_told_before_stands_where_it_was_told(self, ada) -> None:
        await ada.say(LogWatch(HEAT))
        long_ago = datetime(2020, 1, 1, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
        await ada.say(
            LogWatch(JAWS, told_at=long_ago),
            LogWatch(ALIEN, told_at=long_ago, told_on=date(2019, 12, 31)),
            on(ALIENS, date(2020, 1, 1), told_at=long_ago - timedelta(hours=1)),
        )
        history = (await ada.read()).history
        assert [watch.film_id for watch in history] == [ALIEN, ALIENS, JAWS, HEAT]
        assert [watch.sorted_on for watch in history[:3]] == [date(2019, 12, 31), *[date(2020, 1, 1)] * 2]
        assert history[2].told_at == long_ago

    async def test_the_day_of_telling_is_the_persons_own(self, ada) -> None:
        ada.moment = datetime(2024, 5, 11, 1, tzinfo=timezone(timedelta(hours=9)))  # still 10 May in UTC
        await ada.say(LogWatch(ALIEN))
        assert (await ada.read()).history[0].sorted_on == date(2024, 5, 11)


class TestOneWatchADay:
    async def test_the_same_film_on_the_same_day_is_one_watch(self, ada) -> None:
        await ada.say(on(ALIEN, MAY_2), on(ALIEN, MAY_2))
        await ada.say(on(ALIEN, MAY_2))
        assert await ada.films() == [ALIEN]

    async def test_an_undated_film_told_twice_on_a_day_is_one_watch(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        await ada.say(LogWatch(ALIEN))
        ada.moment += timedelta(days=1)
        await ada.say(LogWatch(ALIEN))
        assert await ada.films() == [ALIEN, ALIEN]

    async def test_a_rewatch_is_another(self, ada) -> None:
        await ada.say(on(ALIEN, MAY_2))
        await ada.say(on(ALIEN, MAY_2, state=WatchState.REWATCH))
        assert await ada.films() == [ALIEN, ALIEN]

    async def test_what_is_said_anew_is_added_to_the_one_that_is_there(self, ada) -> None:
        await ada.say(on(ALIEN, MAY_2, reaction="scary"))
        again = await ada.say(on(ALIEN, MAY_2, rating=4.0))
        (watch,) = (await ada.read()).history
        assert (watch.rating, watch.reaction) == (4.0, "scary")
        await ada.say(UndoMessage(again))
        (watch,) = (await ada.read()).history
        assert (watch.rating, watch.reaction) == (None, "scary")

    async def test_the_snapshot_knows_it_before(self, ada) -> None:
        await ada.say(on(ALIEN, MAY_2))
        snapshot = await ada.read()
        assert on(ALIEN, MAY_2).known_in(snapshot.history, ada.moment) == snapshot.history[0]
        assert on(ALIEN, MAY_2, state=WatchState.REWATCH).known_in(snapshot.history, ada.moment) is None
        assert LogWatch(ALIEN).known_in(snapshot.history, ada.moment) is None

    async def test_an_entry_of_a_source_counts_once_whatever_else_it_says(self, ada) -> None:
        await ada.say(on(ALIEN, MAY_2, source="letterboxd", source_key="a1"))
        await ada.say(on(ALIEN, date(2024, 5, 3), source="letterboxd", source_key="a1"))
        await ada.say(on(ALIEN, date(2024, 5, 3), source="trakt", source_key="a1"))
        assert len(await ada.films()) == 2

    async def test_an_import_run_again_does_not_bring_back_what_was_removed(self, ada) -> None:
        entry = on(ALIEN, MAY_2, source="letterboxd", source_key="a1")
        await ada.say(entry)
        await ada.say(RemoveWatch((await ada.read()).history[0].watch_id))
        await ada.say(entry)
        assert await ada.films() == []

    async def test_an_import_that_was_undone_can_be_run_again_and_both_are_one(self, ada) -> None:
        entry = LogWatch(ALIEN, source="letterboxd", source_key="a1")
        undo = await ada.say(UndoMessage(await ada.say(entry)))
        ada.moment += timedelta(days=1)
        await ada.say(entry)
        assert await ada.films() == [ALIEN]
        await ada.say(UndoMessage(undo))
        assert await ada.films() == [ALIEN]

    async def test_an_import_does_not_overrule_what_a_person_said(self, ada) -> None:
        await ada.say(on(ALIEN, MAY_2, rating=5.0))
        await ada.say(on(ALIEN, MAY_2, rating=2.0, reaction="fine", source="letterboxd", source_key="a1"))
        (watch,) = (await ada.read()).history
        assert (watch.rating, watch.reaction) == (5.0, "fine")


class TestChanging:
    async def test_a_rating_keeps_the_watch_and_its_place(self, ada) -> None:
        message = await ada.say(on(ALIEN, MAY_2), on(HEAT, MAY_2))
        before = (await ada.read()).history
        await ada.say(RateWatch(before[0].watch_id, 4.5, "a classic"))
        after = (await ada.read()).history
        assert [w.watch_id for w in after] == [w.watch_id for w in before]
        assert (after[0].rating, after[0].reaction, after[0].message_id) == (4.5, "a classic", message)

    async def test_rating_again_keeps_the_reaction(self, ada) -> None:
        await ada.say(on(ALIEN, MAY_2, reaction="scary"))
        (watch,) = (await ada.read()).history
        await ada.say(RateWatch(watch.watch_id, 4.0))
        await ada.say(RateWatch(watch.watch_id, 2.0))
        (watch,) = (await ada.read()).history
        assert (watch.rating, watch.reaction) == (2.0, "scary")

    async def test_a_watch_that_is_not_there_can_be_neither_rated_nor_removed(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        (watch,) = (await ada.read()).history
        await ada.say(RemoveWatch(watch.watch_id))
        for change in (RateWatch(watch.watch_id, 4.0), RemoveWatch(watch.watch_id), RemoveWatch(WatchId(1))):
            with pytest.raises(ConflictError):
                await ada.say(change)

    async def test_nobody_changes_what_is_somebody_elses(self, ada, ben) -> None:
        message = await ada.say(LogWatch(ALIEN))
        (watch,) = (await ada.read()).history
        for change in (RateWatch(watch.watch_id, 0.5), RemoveWatch(watch.watch_id), UndoMessage(message)):
            with pytest.raises(ConflictError):
                await ben.say(change)
        assert (await ada.read()).history == (watch,)

    async def test_the_watchlist_keeps_the_order_in_which_films_were_put_on_it(self, ada) -> None:
        films = [JAWS, ALIEN, HEAT]
        for film in films:
            await ada.say(GiveFeedback(film, FeedbackKind.WANTED))
        await ada.say(GiveFeedback(JAWS, FeedbackKind.WANTED), GiveFeedback(ALIENS, FeedbackKind.WANTED))
        assert (await ada.read()).wanted == (*films, ALIENS)
        await ada.say(TakeBackFeedback(JAWS, FeedbackKind.WANTED))
        await ada.say(GiveFeedback(JAWS, FeedbackKind.WANTED))
        assert (await ada.read()).wanted == (ALIEN, HEAT, ALIENS, JAWS)

    async def test_a_film_is_on_the_watchlist_once_though_taking_it_off_was_undone(self, ada) -> None:
        wanted = GiveFeedback(ALIEN, FeedbackKind.WANTED)
        await ada.say(wanted, GiveFeedback(HEAT, FeedbackKind.WANTED))
        taken = await ada.say(TakeBackFeedback(ALIEN, FeedbackKind.WANTED))
        again = await ada.say(wanted)
        await ada.say(UndoMessage(taken))
        assert (await ada.read()).wanted == (ALIEN, HEAT)
        await ada.say(UndoMessage(again))
        assert (await ada.read()).wanted == (ALIEN, HEAT)
        await ada.say(TakeBackFeedback(ALIEN, FeedbackKind.WANTED))
        assert (await ada.read()).wanted == (HEAT,)

    async def test_a_film_can_be_wanted_and_dismissed(self, ada) -> None:
        await ada.say(*(GiveFeedback(ALIEN, kind) for kind in FeedbackKind))
        await ada.say(TakeBackFeedback(ALIEN, FeedbackKind.WANTED))
        assert ((await ada.read()).wanted, (await ada.read()).dismissed) == ((), {ALIEN})

    async def test_given_and_taken_back_in_one_message_it_never_was(self, ada) -> None:
        give, take = GiveFeedback(ALIEN, FeedbackKind.WANTED), TakeBackFeedback(ALIEN, FeedbackKind.WANTED)
        nothing = await ada.say(give, take)
        assert (await ada.read()).wanted == ()
        given = await ada.say(give, take, give)
        assert (await ada.read()).wanted == (ALIEN,)
        for message in (nothing, given):
            undo = await ada.say(UndoMessage(message))
            await ada.say(UndoMessage(undo))
            assert (await ada.read()).wanted == (ALIEN,)

    async def test_dismissed_until_taken_back(self, ada) -> None:
        give = GiveFeedback(HEAT, FeedbackKind.DISMISSED)
        await ada.say(give, give, GiveFeedback(JAWS, FeedbackKind.DISMISSED))
        assert (await ada.read()).dismissed == {HEAT, JAWS}
        taken = await ada.say(TakeBackFeedback(HEAT, FeedbackKind.DISMISSED))
        assert (await ada.read()).dismissed == {JAWS}
        await ada.say(UndoMessage(taken))
        assert (await ada.read()).dismissed == {HEAT, JAWS}


class TestOneTransactionAMessage:
    async def test_a_change_that_fails_takes_the_others_with_it(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        before = await ada.read()
        with pytest.raises(ConflictError):
            await ada.say(
                LogWatch(HEAT),
                GiveFeedback(JAWS, FeedbackKind.DISMISSED),
                SetContext({"asked": 1}, ada.moment + timedelta(hours=1)),
                RemoveWatch(WatchId(1)),
            )
        assert await ada.read() == before

    async def test_a_failed_first_message_leaves_no_person(self, ada) -> None:
        with pytest.raises(ConflictError):
            await ada.say(LogWatch(HEAT), RemoveWatch(WatchId(1)))
        assert (await ada.read()).person is None

    async def test_a_message_delivered_twice_is_handled_once_and_answered_alike(self, ada) -> None:
        key = ada.key()
        first = await ada.deliver(key, MessageId(new_id()), [LogWatch(ALIEN)], "Logged Alien.")
        second = await ada.deliver(key, MessageId(new_id()), [LogWatch(HEAT)], "Logged Heat.")
        assert first.done
        assert (second.done, second.earlier_reply) == (False, "Logged Alien.")
        assert await ada.films() == [ALIEN]
        assert (await ada.read(key)).earlier_reply == "Logged Alien."
        assert (await ada.read()).earlier_reply is None

    async def test_the_same_event_id_elsewhere_is_another_message(self, ada, ben) -> None:
        ben.identity = type(ben.identity)("slack", "T1", "ben")
        await ada.deliver(key := ada.key(), MessageId(new_id()), [LogWatch(ALIEN)], "")
        other = type(key)("slack", "T1", key.event_id)
        assert (await ben.deliver(other, MessageId(new_id()), [LogWatch(HEAT)], "")).done

    async def test_the_version_counts_and_guards(self, ada) -> None:
        assert (await ada.deliver(ada.key(), MessageId(new_id()), [LogWatch(ALIEN)], "", expected=0)).done
        assert (await ada.read()).version == 1
        with pytest.raises(ConflictError):
            await ada.deliver(ada.key(), MessageId(new_id()), [LogWatch(HEAT)], "", expected=0)
        assert (await ada.deliver(ada.key(), MessageId(new_id()), [LogWatch(HEAT)], "", expected=1)).done
        assert await ada.films() == [ALIEN, HEAT]

    async def test_a_slate_belongs_to_the_message_that_shows_it(self, ada) -> None:
        with pytest.raises(ValueError, match="slate"):
            await ada.say(ShowSlate(slate_of(MessageId(1), ada.moment, ALIEN)))


class TestUndo:
    async def test_undoing_takes_back_everything_of_a_message(self, ada) -> None:
        await ada.say(LogWatch(JAWS), GiveFeedback(7, FeedbackKind.DISMISSED))
        before = await ada.read()
        jaws = before.history[0].watch_id
        message = await ada.say(
            LogWatch(ALIEN),
            RemoveWatch(jaws),
            LogWatch(HEAT, rating=3.0),
            GiveFeedback(8, FeedbackKind.DISMISSED),
            TakeBackFeedback(7, FeedbackKind.DISMISSED),
        )
        changed = await ada.read()
        undo = await ada.say(UndoMessage(message))
        after = await ada.read()
        assert (after.history, after.dismissed) == (before.history, before.dismissed)
        await ada.say(UndoMessage(undo))
        again = await ada.read()
        assert (again.history, again.dismissed) == (changed.history, changed.dismissed)

    async def test_an_undo_can_be_undone_again_and_again(self, ada) -> None:
        last = await ada.say(LogWatch(ALIEN))
        for expected in ([], [ALIEN], [], [ALIEN]):
            last = await ada.say(UndoMessage(last))
            assert await ada.films() == expected

    async def test_what_was_undone_can_not_be_undone_once_more(self, ada) -> None:
        message = await ada.say(LogWatch(ALIEN))
        await ada.say(UndoMessage(message))
        with pytest.raises(ConflictError):
            await ada.say(UndoMessage(message))

    async def test_undoing_a_rating_brings_the_former_one_back(self, ada) -> None:
        await ada.say(LogWatch(ALIEN, rating=2.0))
        (watch,) = (await ada.read()).history
        first = await ada.say(RateWatch(watch.watch_id, 3.0))
        second = await ada.say(RateWatch(watch.watch_id, 4.0))
        await ada.say(UndoMessage(second))
        assert (await ada.read()).history[0].rating == 3.0
        await ada.say(UndoMessage(first))
        assert (await ada.read()).history[0].rating == 2.0

    async def test_undoing_an_older_rating_leaves_the_newer(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        (watch,) = (await ada.read()).history
        older = await ada.say(RateWatch(watch.watch_id, 3.0))
        await ada.say(RateWatch(watch.watch_id, 4.0))
        await ada.say(UndoMessage(older))
        assert [w.rating for w in (await ada.read()).history] == [4.0]

    async def test_undoing_a_rating_leaves_what_else_was_said_since_and_no_more(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        (watch,) = (await ada.read()).history
        rating = await ada.say(RateWatch(watch.watch_id, 3.0))
        await ada.say(RateWatch(watch.watch_id, reaction="scary"))
        undo = await ada.say(UndoMessage(rating))
        assert [(w.rating, w.reaction) for w in (await ada.read()).history] == [(None, "scary")]
        await ada.say(UndoMessage(undo))
        assert [(w.rating, w.reaction) for w in (await ada.read()).history] == [(3.0, "scary")]

    async def test_undoing_the_logging_takes_a_rated_watch_away(self, ada) -> None:
        message = await ada.say(LogWatch(ALIEN))
        (watch,) = (await ada.read()).history
        await ada.say(RateWatch(watch.watch_id, 4.0))
        undo = await ada.say(UndoMessage(message))
        assert await ada.films() == []
        await ada.say(UndoMessage(undo))
        assert [w.rating for w in (await ada.read()).history] == [4.0]

    async def test_what_comes_back_gives_way_to_what_was_logged_anew(self, ada) -> None:
        undo = await ada.say(UndoMessage(await ada.say(on(ALIEN, MAY_2))))
        await ada.say(on(ALIEN, MAY_2, rating=4.0))
        await ada.say(UndoMessage(undo))
        assert [w.rating for w in (await ada.read()).history] == [4.0]

    async def test_what_was_removed_twice_is_there_when_neither_removal_holds(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        (watch,) = (await ada.read()).history
        first = await ada.say(RemoveWatch(watch.watch_id))
        undo = await ada.say(UndoMessage(first))
        await ada.say(RateWatch(watch.watch_id, 4.0))
        second = await ada.say(RemoveWatch(watch.watch_id))
        await ada.say(UndoMessage(second))
        assert [w.rating for w in (await ada.read()).history] == [4.0]
        redo = await ada.say(UndoMessage(undo))
        assert await ada.films() == []
        for message, rating in ((first, None), (second, 4.0)):
            (removed,) = (await ada.store.message_changes(message)).removed
            assert (removed.watch_id, removed.rating) == (watch.watch_id, rating)
        await ada.say(UndoMessage(redo))
        assert [w.rating for w in (await ada.read()).history] == [4.0]

    async def test_what_was_taken_back_twice_is_there_when_neither_holds(self, ada) -> None:
        given = await ada.say(GiveFeedback(ALIEN, FeedbackKind.WANTED), GiveFeedback(HEAT, FeedbackKind.WANTED))
        taken = TakeBackFeedback(ALIEN, FeedbackKind.WANTED)
        first = await ada.say(taken)
        undo = await ada.say(UndoMessage(first))
        second = await ada.say(taken)
        await ada.say(UndoMessage(second))
        assert (await ada.read()).wanted == (ALIEN, HEAT)
        redo = await ada.say(UndoMessage(undo))
        assert (await ada.read()).wanted == (HEAT,)
        for message in (first, second):
            assert (await ada.store.message_changes(message)).feedback_taken_back == (taken,)
        assert len((await ada.store.message_changes(given)).feedback) == 2
        await ada.say(UndoMessage(redo))
        assert (await ada.read()).wanted == (ALIEN, HEAT)

    async def test_what_gave_way_does_not_come_back_when_its_own_removal_holds_again(self, ada) -> None:
        await ada.say(on(ALIEN, MAY_2))
        removal = await ada.say(RemoveWatch((await ada.read()).history[0].watch_id))
        anew = await ada.say(on(ALIEN, MAY_2, rating=4.0))
        undo = await ada.say(UndoMessage(removal))
        assert [w.rating for w in (await ada.read()).history] == [4.0]
        await ada.say(UndoMessage(anew))
        await ada.say(UndoMessage(undo))
        assert await ada.films() == []

    async def test_undoing_twice_goes_back_two_messages(self, ada) -> None:
        first = await ada.say(LogWatch(ALIEN))
        await show(ada, JAWS)
        second = await ada.say(LogWatch(HEAT))
        person = (await ada.read()).person
        assert await ada.store.last_undoable(person) == second
        undo = await ada.say(UndoMessage(second))
        assert await ada.store.last_undoable(person) == first
        await ada.say(UndoMessage(first))
        assert await ada.store.last_undoable(person) is None
        await ada.say(UndoMessage(undo))
        assert await ada.store.last_undoable(person) == second

    async def test_a_message_that_changed_nothing_is_not_the_one_to_undo(self, ada) -> None:
        message = await ada.say(on(ALIEN, MAY_2))
        await ada.say(on(ALIEN, MAY_2))
        await ada.say(TakeBackFeedback(HEAT, FeedbackKind.DISMISSED))
        assert await ada.store.last_undoable((await ada.read()).person) == message


class TestSlatesAndContext:
    async def test_a_slate_is_found_by_its_id_with_its_owner(self, ada, ben) -> None:
        slate = await show(ada, ALIEN, HEAT)
        assert await ben.store.slate(slate.slate_id) == ((await ada.read()).person, slate)
        assert await ben.store.slate(SlateId(1)) is None

    async def test_the_last_slate_is_the_places_and_the_persons(self, ada, ben) -> None:
        await show(ada, ALIEN)
        last = await show(ada, HEAT)
        await show(ben, JAWS)
        assert (await ada.read()).last_slate == last
        ada.place = PlaceKey("terminal", "", "elsewhere", "")
        assert (await ada.read()).last_slate is None
        elsewhere = await show(ada, JAWS)
        assert (await ada.read()).last_slate == elsewhere

    async def test_an_empty_slate_is_kept_too(self, ada) -> None:
        slate = await show(ada)
        assert (await ada.read()).last_slate == slate

    async def test_a_context_is_kept_until_it_runs_out(self, ada) -> None:
        ends = ada.moment + timedelta(hours=1)
        await ada.say(SetContext({"choices": [1, 2], "text": "süß"}, ends))
        assert (await ada.read(moment=ends - timedelta(seconds=1))).context == {"choices": [1, 2], "text": "süß"}
        assert (await ada.read(moment=ends)).context is None

    async def test_a_context_is_replaced_and_forgotten(self, ada) -> None:
        ends = ada.moment + timedelta(hours=1)
        await ada.say(SetContext({"n": 1}, ends))
        await ada.say(SetContext({"n": 2}, ends))
        assert (await ada.read()).context == {"n": 2}
        await ada.say(SetContext(None))
        assert (await ada.read()).context is None

    async def test_a_context_is_the_persons_in_that_place(self, ada, ben) -> None:
        await ada.say(SetContext({"n": 1}, ada.moment + timedelta(hours=1)))
        await ben.say(LogWatch(ALIEN))
        assert (await ben.read()).context is None
        ada.place = PlaceKey("terminal", "", "", "thread")
        assert (await ada.read()).context is None


class TestWhatAMessageDid:
    async def test_it_is_told_with_its_owner_and_reply(self, ada) -> None:
        await ada.say(LogWatch(JAWS), GiveFeedback(7, FeedbackKind.DISMISSED), LogWatch(5))
        (jaws, five) = (await ada.read()).history
        message = await ada.say(
            LogWatch(ALIEN),
            LogWatch(ALIEN, rating=4.0),
            RemoveWatch(jaws.watch_id),
            RateWatch(five.watch_id, 1.0),
            GiveFeedback(8, FeedbackKind.DISMISSED),
            TakeBackFeedback(7, FeedbackKind.DISMISSED),
            reply="So be it.",
        )
        changes = await ada.store.message_changes(message)
        assert (changes.person, changes.reply, changes.undone) == ((await ada.read()).person, "So be it.", False)
        assert [(w.film_id, w.rating) for w in changes.logged] == [(ALIEN, 4.0)]
        assert changes.removed == (jaws,)
        assert [(w.watch_id, w.rating) for w in changes.rated] == [(five.watch_id, 1.0)]
        assert changes.feedback == (GiveFeedback(8, FeedbackKind.DISMISSED),)
        assert changes.feedback_taken_back == (TakeBackFeedback(7, FeedbackKind.DISMISSED),)
        undo = await ada.say(UndoMessage(message))
        assert (await ada.store.message_changes(message)).undone
        assert (await ada.store.message_changes(undo)).undid == (message,)

    async def test_a_watch_that_was_rated_and_removed_at_once_was_removed(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        (watch,) = (await ada.read()).history
        message = await ada.say(RateWatch(watch.watch_id, 4.0), RemoveWatch(watch.watch_id))
        changes = await ada.store.message_changes(message)
        assert (changes.rated, [w.rating for w in changes.removed]) == ((), [4.0])

    async def test_a_removal_is_told_once_whatever_came_after_it(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        (watch,) = (await ada.read()).history
        removal = await ada.say(RemoveWatch(watch.watch_id))
        await ada.say(UndoMessage(removal))
        await ada.say(RateWatch(watch.watch_id, 4.0))
        assert (await ada.store.message_changes(removal)).removed == (watch,)

    async def test_nothing_is_known_of_an_unknown_message(self, store) -> None:
        assert await store.message_changes(MessageId(1)) is None


def test_ids_fit_a_bigint_and_differ() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(0 <= one < 2**62 for one in ids)


@pytest.mark.parametrize(
    "wrong",
    [
        {"watched_on": MAY_2},
        {"precision": Precision.DAY},
        {"rating": 5.5},
        {"rating": float("nan")},
        {"reaction": "a\0b"},
        {"source_key": "\ud800"},
        {"told_at": datetime(2024, 5, 2)},  # noqa: DTZ001 (that is what is refused)
        {"rating": -0.5},
    ],
)
def test_a_watch_that_makes_no_sense_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"watch|rating|text|moment"):
        LogWatch(ALIEN, **wrong)
