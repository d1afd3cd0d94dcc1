"""What the store promises about accounts that are linked to one person, and about a person's settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

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
    SetContext,
    SetPreference,
    ShowSlate,
    TakeBackFeedback,
    UndoMessage,
)
from storage.errors import ConflictError
from storage.ids import code_hash, new_code, new_film_id, new_id
from storage.records import (
    AddedFilm,
    FeedbackKind,
    IdentityKey,
    LinkOffer,
    MessageId,
    MessageKey,
    Precision,
    Preference,
    Preferences,
    ShownSlate,
    SlateId,
    Snapshot,
    Visibility,
    WatchId,
    WatchState,
)
from storage.store import Store
from storage.tables import link_codes, people
from tests.storage.conftest import Talker

ALIEN, ALIENS, HEAT, JAWS = 1214, 1200, 6, 1387
MAY_2, MAY_3, MAY_4 = (date(2024, 5, day) for day in (2, 3, 4))
WANTED, DISMISSED = FeedbackKind.WANTED, FeedbackKind.DISMISSED


def on(film: int, day: date, **more: object) -> LogWatch:
    return LogWatch(film, day, Precision.DAY, **more)  # type: ignore[arg-type]  # keywords of LogWatch


def entry(film: int, day: date, key: str, **more: object) -> LogWatch:
    return on(film, day, source="letterboxd", source_key=key, **more)


@pytest.fixture
def cy(store: Store) -> Talker:
    """A third account."""
    return Talker(store, identity=IdentityKey("slack", "T1", "cy"))


@pytest.fixture
async def beside(url: str, store: Store) -> AsyncIterator[Store]:
    """The same database, opened once more as another process does."""
    opened = await Store.open(url)
    yield opened
    await opened.close()


async def offer(talker: Talker) -> str:
    code = new_code()
    await talker.say(OfferLink(code, talker.moment + timedelta(hours=1)))
    return code


async def link(joining: Talker, offering: Talker) -> MessageId:
    """Both are the person who joins from now on; the message that did it."""
    later = max(joining.moment, offering.moment)
    joining.moment = offering.moment = later
    code = await offer(offering)
    joining.moment = offering.moment
    message_id = await joining.say(JoinPerson(code_hash(code)))
    offering.moment = joining.moment
    return message_id


async def show(talker: Talker) -> ShownSlate:
    message_id = MessageId(new_id())
    slate = ShownSlate(SlateId(new_id()), message_id, "starter-1", {}, (), talker.moment)
    assert (await talker.deliver(talker.key(), message_id, [ShowSlate(slate)], "")).done
    return slate


def seen(snapshot: Snapshot) -> tuple[object, ...]:
    """What recommendations are computed from."""
    return (snapshot.history, snapshot.dismissed, snapshot.wanted)


async def moving(talker: Talker, change: Change) -> MessageId:
    """Say what makes the history or the feedback others, and the history version with them."""
    before = await talker.read()
    message_id = await talker.say(change)
    after = await talker.read()
    assert seen(after) != seen(before)
    assert after.history_version == message_id != before.history_version
    return message_id


class TestLinking:
    async def test_both_accounts_are_one_person_with_one_history(self, ada, ben) -> None:
        await ada.say(on(ALIEN, MAY_2))
        await ben.say(on(HEAT, MAY_3))
        joining = (await ben.read()).person
        await link(ben, ada)
        assert await ada.films() == await ben.films() == [ALIEN, HEAT]
        assert (await ada.read()).person == (await ben.read()).person == joining
        assert await ada.store.accounts(joining) == (ada.identity, ben.identity)

    async def test_what_either_says_from_then_on_both_know(self, ada, ben) -> None:
        await link(ben, ada)
        await ada.say(on(ALIEN, MAY_2))
        await ben.say(on(HEAT, MAY_3))
        assert await ada.films() == await ben.films() == [ALIEN, HEAT]

    async def test_who_was_unknown_so_far_gets_everything(self, ada, ben) -> None:
        await ada.say(on(ALIEN, MAY_2))
        await link(ben, ada)
        assert await ben.films() == [ALIEN]

    async def test_who_offers_may_have_said_nothing_so_far(self, ada, ben) -> None:
        await ben.say(on(ALIEN, MAY_2))
        await link(ben, ada)
        assert await ada.films() == [ALIEN]

    async def test_a_code_says_whom_it_lets_one_join(self, ada, ben) -> None:
        code = await offer(ada)
        expected = LinkOffer((await ada.read()).person, (ada.identity,))
        assert await ben.store.link_offer(code_hash(code), ben.moment) == expected
        assert await ben.store.link_offer(code_hash(code), ada.moment + timedelta(hours=1)) is None
        await ben.say(JoinPerson(code_hash(code)))
        assert await ben.store.link_offer(code_hash(code), ben.moment) is None

    @pytest.mark.parametrize("written", ["abcd-efgh", "ABCD EFGH", " abcdefgh\n", "ab-cd ef-gh"])
    async def test_a_code_may_be_written_as_it_is_read_aloud(self, ada, ben, written) -> None:
        await ada.say(on(ALIEN, MAY_2), OfferLink("ABCDEFGH", ada.moment + timedelta(hours=1)))
        assert await ben.store.link_offer(code_hash(written), ben.moment) is not None
        await ben.say(JoinPerson(code_hash(written)))
        assert await ben.films() == [ALIEN]

    async def test_a_code_is_not_kept(self, ada) -> None:
        code = await offer(ada)
        (row,) = await ada.store.database.read(lambda connection: connection.execute(select(link_codes)).all())
        assert code not in str(row)

    async def test_several_accounts_come_along_with_the_one_that_offered(self, ada, ben, cy) -> None:
        await ada.say(on(ALIEN, MAY_2))
        await ben.say(on(HEAT, MAY_3))
        await cy.say(on(JAWS, MAY_4))
        await link(ben, ada)
        await link(cy, ben)
        assert await ada.films() == await ben.films() == await cy.films() == [ALIEN, HEAT, JAWS]
        assert len(await cy.store.accounts((await ada.read()).person)) == 3

    async def test_a_person_can_join_again_and_again(self, ada, ben, cy) -> None:
        await ada.say(on(ALIEN, MAY_2))
        await ben.say(on(HEAT, MAY_3))
        await cy.say(on(JAWS, MAY_4))
        await link(ben, ada)
        await link(ben, cy)
        assert await ada.films() == await cy.films() == [ALIEN, HEAT, JAWS]

    async def test_somebody_is_known_since_the_first_of_both(self, ada, ben) -> None:
        await ada.say()
        first = ada.moment
        ben.moment += timedelta(days=1)
        await ben.say()
        await link(ben, ada)
        created = select(people.c.created_at)
        assert await ada.store.database.read(lambda connection: connection.scalars(created).all()) == [first]

    async def test_the_join_delivered_again_changes_nothing(self, ada, ben) -> None:
        code = await offer(ada)
        key = ben.key()
        assert (await ben.deliver(key, MessageId(new_id()), [JoinPerson(code_hash(code))], "Linked.")).done
        await ben.say(LogWatch(ALIEN))
        before = await ben.read()
        again = await ben.deliver(key, MessageId(new_id()), [JoinPerson(code_hash(code))], "?")
        assert (again.done, again.earlier_reply) == (False, "Linked.")
        assert await ben.read() == before

    async def test_what_was_said_before_and_is_delivered_again_stays_handled(self, ada, ben) -> None:
        key = ada.key()
        await ada.deliver(key, MessageId(new_id()), [LogWatch(ALIEN)], "Logged.")
        await link(ben, ada)
        for talker in (ada, ben):
            assert (await talker.deliver(key, MessageId(new_id()), [LogWatch(HEAT)], "")).earlier_reply == "Logged."
        assert await ada.films() == [ALIEN]

    async def test_the_version_counts_the_messages_of_both(self, ada, ben) -> None:
        await ada.say()
        await ben.say()
        await ben.say()
        stale = (await ada.read()).version
        await link(ben, ada)  # two messages more
        assert (await ada.read()).version == 5
        with pytest.raises(ConflictError):
            await ada.deliver(ada.key(), MessageId(new_id()), [LogWatch(ALIEN)], "", expected=stale)
        assert (await ada.deliver(ada.key(), MessageId(new_id()), [LogWatch(ALIEN)], "", expected=5)).done


class TestCodesThatDoNotWork:
    @pytest.fixture
    async def refused(self, ada, ben, cy):
        """Sees a code refused, with nothing changed for anybody."""

        async def check(talker: Talker, code: str) -> None:
            before = [await each.read() for each in (ada, ben, cy)]
            with pytest.raises(ConflictError):
                await talker.say(LogWatch(JAWS), JoinPerson(code_hash(code)))
            assert [await each.read() for each in (ada, ben, cy)] == before

        await ada.say(on(ALIEN, MAY_2))
        await ben.say(on(HEAT, MAY_2))
        return check

    async def test_a_wrong_one(self, ada, ben, refused) -> None:
        await offer(ada)
        await refused(ben, "WRONGONE")
        await refused(ben, "")

    async def test_one_that_is_over(self, ada, ben, refused) -> None:
        await ada.say(OfferLink("ABCDEFGH", ben.moment + timedelta(minutes=1)))
        await refused(ben, "ABCDEFGH")  # a minute later

    async def test_one_that_was_used(self, ada, ben, cy, refused) -> None:
        code = await offer(ada)
        await ben.say(JoinPerson(code_hash(code)))
        await refused(cy, code)
        await refused(ben, code)

    async def test_ones_own(self, ada, ben, refused) -> None:
        await refused(ada, await offer(ada))
        await link(ben, ada)
        await refused(ben, await offer(ada))

    async def test_an_older_one(self, ada, ben, refused) -> None:
        older, newer = await offer(ada), await offer(ada)
        await refused(ben, older)
        await ben.say(JoinPerson(code_hash(newer)))

    async def test_one_of_somebody_who_joined_meanwhile(self, ada, ben, cy, refused) -> None:
        code = await offer(ada)
        await ada.say(JoinPerson(code_hash(await offer(cy))))
        await refused(ben, code)

    async def test_one_of_somebody_who_was_erased(self, ada, ben, refused) -> None:
        code = await offer(ada)
        await ada.store.erase(ada.identity, None, ada.moment)
        await refused(ben, code)

    async def test_one_of_the_person_who_joined(self, ada, ben, cy, refused) -> None:
        code = await offer(ben)
        await ben.say(JoinPerson(code_hash(await offer(ada))))
        await refused(cy, code)

    async def test_one_of_an_account_that_left(self, ada, ben, cy, refused) -> None:
        await link(ben, ada)
        code = await offer(ada)
        await ada.say(LeavePerson())
        await refused(cy, code)

    async def test_one_that_somebody_else_was_given_can_not_be_offered(self, ada, ben) -> None:
        code = await offer(ada)
        with pytest.raises(ConflictError):
            await ben.say(OfferLink(code, ben.moment + timedelta(hours=1)))
        ben.moment += timedelta(days=1)
        await ben.say(OfferLink(code, ben.moment + timedelta(hours=1)))  # the other is over


class TestOneHistoryOfTwo:
    async def test_what_both_watched_on_a_day_is_there_once(self, ada, ben) -> None:
        for talker in (ada, ben):
            await talker.say(
                on(ALIEN, MAY_2),
                LogWatch(HEAT, MAY_2, Precision.MONTH),
                LogWatch(JAWS, MAY_2, Precision.YEAR),
                LogWatch(ALIENS),
            )
        await link(ben, ada)
        assert sorted(await ada.films()) == sorted([ALIEN, HEAT, JAWS, ALIENS])

    async def test_another_day_or_precision_is_another_watch(self, ada, ben) -> None:
        await ada.say(on(ALIEN, MAY_2))
        await ben.say(on(ALIEN, MAY_3), LogWatch(ALIEN, MAY_2, Precision.MONTH))
        await link(ben, ada)
        assert await ada.films() == [ALIEN, ALIEN, ALIEN]

    async def test_a_rewatch_is_a_watch_of_its_own(self, ada, ben) -> None:
        await ada.say(on(ALIEN, MAY_2, state=WatchState.REWATCH))
        await ben.say(on(ALIEN, MAY_2), on(ALIEN, MAY_2, state=WatchState.REWATCH))
        await link(ben, ada)
        assert await ada.films() == [ALIEN, ALIEN, ALIEN]

    async def test_an_entry_of_one_file_is_one_watch_whatever_its_day(self, ada, ben) -> None:
        await ada.say(entry(ALIEN, MAY_2, "a1", state=WatchState.REWATCH))
        await ben.say(entry(ALIEN, MAY_3, "a1", state=WatchState.REWATCH))
        await link(ben, ada)
        assert [(w.film_id, w.watched_on) for w in (await ada.read()).history] == [(ALIEN, MAY_3)]

    @pytest.mark.parametrize("joining", ["original", "copy"])
    async def test_a_watch_and_its_copy_from_an_export_are_one(self, ada, ben, joining) -> None:
        await ada.say(on(ALIEN, MAY_2, state=WatchState.REWATCH))
        (watch,) = (await ada.read()).history
        exported = f"nextreel:{watch.watch_id}"
        await ben.say(on(ALIEN, MAY_2, state=WatchState.REWATCH, source_key=exported))
        await (link(ada, ben) if joining == "original" else link(ben, ada))
        assert await ada.films() == [ALIEN]

    async def test_ones_own_rating_counts_and_what_it_lacks_is_filled_in(self, ada, ben) -> None:
        await ada.say(on(ALIEN, MAY_2, rating=2.0, reaction="scary"), on(HEAT, MAY_2, rating=0.0))
        await ben.say(on(ALIEN, MAY_2, rating=5.0), on(HEAT, MAY_2))
        kept = {watch.watch_id for watch in (await ben.read()).history}
        await link(ben, ada)
        history = (await ada.read()).history
        assert [(w.film_id, w.rating, w.reaction) for w in history] == [(ALIEN, 5.0, "scary"), (HEAT, 0.0, None)]
        assert {watch.watch_id for watch in history} == kept

    async def test_two_of_theirs_may_be_the_same_as_one_of_ours(self, ada, ben) -> None:
        await ada.say(on(ALIEN, MAY_2, rating=3.0))
        await ada.say(entry(ALIEN, MAY_3, "a1", reaction="scary"))
        await ben.say(entry(ALIEN, MAY_2, "a1"))
        await link(ben, ada)
        assert [(w.watched_on, w.rating, w.reaction) for w in (await ada.read()).history] == [(MAY_2, 3.0, "scary")]

    async def test_undoing_what_one_told_leaves_what_the_other_told(self, ada, ben) -> None:
        hers = await ada.say(on(ALIEN, MAY_2, rating=2.0))
        his = await ben.say(on(ALIEN, MAY_2))
        await link(ben, ada)
        undo = await ben.say(UndoMessage(his))
        assert [(w.message_id, w.rating) for w in (await ada.read()).history] == [(hers, 2.0)]
        await ben.say(UndoMessage(undo))
        assert [(w.message_id, w.rating) for w in (await ada.read()).history] == [(his, 2.0)]
        await ada.say(UndoMessage(hers))
        assert [(w.message_id, w.rating) for w in (await ada.read()).history] == [(his, None)]

    async def test_undoing_a_rating_takes_it_from_the_watch_that_was_kept(self, ada, ben) -> None:
        await ada.say(on(ALIEN, MAY_2))
        (watch,) = (await ada.read()).history
        first = await ada.say(RateWatch(watch.watch_id, 2.0))
        second = await ada.say(RateWatch(watch.watch_id, 4.0))
        await ben.say(on(ALIEN, MAY_2))
        await link(ben, ada)
        ratings = [(await ada.read()).history[0].rating]
        for rated in (second, first):
            await ben.say(UndoMessage(rated))
            ratings.append((await ada.read()).history[0].rating)
        assert ratings == [4.0, 2.0, None]

    async def test_what_was_removed_is_removed_of_both(self, ada, ben) -> None:
        await ada.say(on(ALIEN, MAY_2))
        await ben.say(on(ALIEN, MAY_2))
        await link(ben, ada)
        removal = await ada.say(RemoveWatch((await ada.read()).history[0].watch_id))
        assert await ben.films() == []
        await ben.say(UndoMessage(removal))
        assert await ada.films() == [ALIEN]

    async def test_a_film_that_both_wanted_is_on_the_watchlist_once(self, ada, ben) -> None:
        await ada.say(GiveFeedback(ALIEN, WANTED), GiveFeedback(JAWS, DISMISSED))
        await ben.say(GiveFeedback(HEAT, WANTED), GiveFeedback(ALIEN, WANTED), GiveFeedback(JAWS, DISMISSED))
        await link(ben, ada)
        assert (await ada.read()).wanted == (ALIEN, HEAT)  # in the order in which they were put on it
        assert (await ada.read()).dismissed == {JAWS}
        await ada.say(TakeBackFeedback(ALIEN, WANTED), TakeBackFeedback(JAWS, DISMISSED))
        assert (await ben.read()).wanted == (HEAT,)
        assert (await ben.read()).dismissed == frozenset()

    async def test_of_settings_that_both_made_the_last_counts(self, ada, ben) -> None:
        await ben.say(SetPreference(Preference.LOCALE, "de"), SetPreference(Preference.ADVENTUROUSNESS, 0.5))
        await ada.say(SetPreference(Preference.LOCALE, "fr"), SetPreference(Preference.TIME_ZONE, "Europe/Paris"))
        await ben.say(SetPreference(Preference.TIME_ZONE, "Europe/Berlin"))
        await link(ben, ada)
        preferences = (await ada.read()).preferences
        assert (preferences.locale, preferences.time_zone) == ("fr", "Europe/Berlin")
        assert preferences.adventurousness == 0.5

    @pytest.mark.parametrize("last", ["ada", "ben"])
    @pytest.mark.parametrize("joining", ["ada", "ben"])
    async def test_joining_widens_no_consent(self, ada, ben, last, joining) -> None:
        closed = [(Preference.GROUP_OPT_IN, False), (Preference.VISIBILITY, Visibility.PRIVATE)]
        opened = [(Preference.GROUP_OPT_IN, True), (Preference.VISIBILITY, Visibility.PUBLIC)]
        said = [(ada, closed), (ben, opened)]
        messages = [
            await talker.say(*(SetPreference(name, value) for name, value in values))
            for talker, values in (said if last == "ben" else said[::-1])
        ]
        await (link(ada, ben) if joining == "ada" else link(ben, ada))
        private = Preferences(visibility=Visibility.PRIVATE)
        assert (await ada.read()).preferences == (await ben.read()).preferences == private
        for message in messages:
            await ben.say(UndoMessage(message))
            assert (await ben.read()).preferences == private
        await ben.say(*(SetPreference(name, value) for name, value in opened))
        assert (await ada.read()).preferences == Preferences(visibility=Visibility.PUBLIC, group_opt_in=True)

    async def test_who_said_nothing_of_groups_did_not_agree(self, ada, ben) -> None:
        await ada.say(SetPreference(Preference.GROUP_OPT_IN, True))
        joined = await link(ben, ada)
        assert not (await ada.read()).preferences.group_opt_in
        assert await ada.store.last_undoable((await ada.read()).person) != joined

    async def test_what_both_agreed_to_holds(self, ada, ben) -> None:
        for talker in (ada, ben):
            await talker.say(
                SetPreference(Preference.GROUP_OPT_IN, True), SetPreference(Preference.VISIBILITY, Visibility.PUBLIC)
            )
        await link(ben, ada)
        assert (await ada.read()).preferences == Preferences(visibility=Visibility.PUBLIC, group_opt_in=True)

    async def test_films_of_ones_own_belong_to_both(self, ada, ben) -> None:
        films = [AddedFilm(new_film_id(), title, 2024) for title in ("Hers", "His")]
        await ada.say(AddFilm(films[0]))
        await ben.say(AddFilm(films[1]))
        await link(ben, ada)
        assert set((await ada.read()).added_films) == set(films)

    async def test_a_file_that_one_imported_need_not_be_imported_by_the_other(self, ada, ben) -> None:
        file = [entry(ALIEN, MAY_2, "a1"), entry(HEAT, MAY_2, "a2")]
        await ada.say(*file)
        await ada.say(RemoveWatch((await ada.read()).history[0].watch_id))
        await link(ben, ada)
        await ben.say(*file)
        assert await ben.films() == [HEAT]

    async def test_the_last_slate_of_a_place_is_that_of_either(self, ada, ben) -> None:
        await show(ben)
        ada.moment += timedelta(hours=1)
        last = await show(ada)
        await link(ben, ada)
        assert (await ben.read()).last_slate == last
        assert (await ben.store.slate(last.slate_id)) == ((await ben.read()).person, last)

    async def test_open_questions_of_both_end(self, ada, ben) -> None:
        for talker in (ada, ben):
            await talker.say(SetContext({"asked": 1}, talker.moment + timedelta(days=1)))
        await link(ben, ada)
        assert [(await talker.read()).context for talker in (ada, ben)] == [None, None]

    async def test_a_question_asked_while_joining_stays(self, ada, ben) -> None:
        code = await offer(ada)
        await ben.say(JoinPerson(code_hash(code)), SetContext({"asked": 1}, ben.moment + timedelta(days=1)))
        assert (await ben.read()).context == {"asked": 1}


class TestUndoAfterLinking:
    async def test_it_goes_back_by_when_things_were_said(self, ada, ben) -> None:
        said = []
        for hours, (talker, film) in enumerate([(ben, ALIEN), (ada, HEAT), (ben, JAWS), (ada, ALIENS)]):
            talker.moment = datetime(2024, 5, 10, 12 + hours, tzinfo=talker.moment.tzinfo)
            said.append(await talker.say(LogWatch(film)))
        await link(ben, ada)
        person = (await ada.read()).person
        for expected in reversed(said):
            assert await ada.store.last_undoable(person) == expected
            await ada.say(UndoMessage(expected))
        assert await ada.store.last_undoable(person) is None
        assert await ben.films() == []

    async def test_either_account_undoes_what_the_other_said(self, ada, ben) -> None:
        message = await ada.say(LogWatch(ALIEN))
        await link(ben, ada)
        undo = await ben.say(UndoMessage(message))
        assert await ada.films() == []
        await ada.say(UndoMessage(undo))
        assert await ben.films() == [ALIEN]

    async def test_what_was_undone_stays_so(self, ada, ben) -> None:
        undo = await ada.say(UndoMessage(await ada.say(LogWatch(ALIEN))))
        await link(ben, ada)
        assert await ben.films() == []
        await ben.say(UndoMessage(undo))
        assert await ben.films() == [ALIEN]

    async def test_joining_is_not_undone(self, ada, ben) -> None:
        for talker in (ada, ben):
            await talker.say(on(ALIEN, MAY_2, rating=3.0))
        await ada.say(on(ALIEN, MAY_2, reaction="scary"))
        joined = await link(ben, ada)
        before = await ada.read()
        assert await ada.store.last_undoable(before.person) != joined
        await ben.say(UndoMessage(joined))
        after = await ada.read()
        assert (after.person, after.history) == (before.person, before.history)


class TestUnlinking:
    @pytest.fixture
    async def both(self, ada, ben) -> None:
        """Two accounts of one person who has told of a film, rated a slate, set something, and imported a file."""
        await ada.say(
            on(ALIEN, MAY_2),
            entry(HEAT, MAY_3, "a1"),
            GiveFeedback(JAWS, WANTED),
            SetPreference(Preference.LOCALE, "de"),
            AddFilm(AddedFilm(new_film_id(), "Hers", 2024)),
        )
        await link(ben, ada)
        await show(ben)

    async def test_the_account_begins_anew(self, ben, both) -> None:
        person = (await ben.read()).person
        await ben.say(LeavePerson())
        after = await ben.read()
        assert after.person not in (None, person)
        assert (after.history, after.wanted, after.preferences) == ((), (), Preferences())
        assert (after.added_films, after.last_slate, after.context) == ((), None, None)
        assert await ben.store.accounts(after.person) == (ben.identity,)
        assert await ben.store.last_undoable(after.person) is None
        await ben.say(entry(HEAT, MAY_2, "a1"))
        assert await ben.films() == [HEAT]

    async def test_the_others_keep_everything(self, ada, ben, both) -> None:
        before = await ada.read()
        await ben.say(LeavePerson())
        after = await ada.read()
        assert (after.person, after.history, after.wanted) == (before.person, before.history, before.wanted)
        assert (after.added_films, after.last_slate) == (before.added_films, before.last_slate)
        assert (after.preferences, after.history_version) == (before.preferences, before.history_version)
        assert await ada.store.accounts(after.person) == (ada.identity,)

    async def test_what_is_said_after_leaving_is_ones_own(self, ada, ben, both) -> None:
        await ben.say(LeavePerson(), LogWatch(JAWS), GiveFeedback(ALIENS, WANTED))
        assert (await ben.films(), (await ben.read()).wanted) == ([JAWS], (ALIENS,))
        assert (await ada.films(), (await ada.read()).wanted) == ([ALIEN, HEAT], (JAWS,))
        (told,) = (await ben.read()).history
        assert (await ben.read()).history_version == told.message_id
        await ben.say(UndoMessage(told.message_id))
        assert await ben.films() == []

    async def test_an_account_leaves_before_it_says_anything_else(self, ben, both) -> None:
        before = await ben.read()
        with pytest.raises(ValueError, match="leaves"):
            await ben.say(LogWatch(JAWS), LeavePerson())
        assert await ben.read() == before

    async def test_the_only_account_can_not_leave(self, ada, ben, both) -> None:
        await ben.say(LeavePerson())
        for talker in (ada, ben):
            before = await talker.read()
            with pytest.raises(ConflictError):
                await talker.say(LeavePerson())
            assert await talker.read() == before

    async def test_a_stranger_can_not_leave(self, cy) -> None:
        with pytest.raises(ConflictError):
            await cy.say(LeavePerson())
        assert (await cy.read()).person is None

    async def test_leaving_delivered_again_changes_nothing(self, ada, ben, both) -> None:
        key = ben.key()
        assert (await ben.deliver(key, MessageId(new_id()), [LeavePerson()], "Unlinked.")).done
        await link(ben, ada)
        again = await ben.deliver(key, MessageId(new_id()), [LeavePerson()], "")
        assert (again.done, again.earlier_reply) == (False, "Unlinked.")
        assert await ben.films() == [ALIEN, HEAT]

    async def test_what_was_said_before_leaving_stays_handled(self, ada, ben, both) -> None:
        key = ben.key()
        await ben.deliver(key, MessageId(new_id()), [LogWatch(JAWS)], "Logged.")
        await ben.say(LeavePerson())
        again = await ben.deliver(key, MessageId(new_id()), [LogWatch(JAWS)], "")
        assert (again.done, again.earlier_reply) == (False, "")  # what was answered is the others' now
        assert await ben.films() == []
        assert JAWS in await ada.films()

    async def test_who_left_can_not_undo_what_the_others_have(self, ada, ben, both) -> None:
        message = await ben.say(LogWatch(JAWS))
        await ben.say(LeavePerson())
        with pytest.raises(ConflictError):
            await ben.say(UndoMessage(message))
        await ada.say(UndoMessage(message))
        assert JAWS not in await ada.films()

    async def test_who_left_can_come_back(self, ada, ben, both) -> None:
        await ben.say(LeavePerson())
        await ben.say(on(ALIEN, MAY_2), on(JAWS, MAY_4))
        await link(ben, ada)
        assert await ada.films() == await ben.films() == [ALIEN, HEAT, JAWS]

    @pytest.mark.parametrize("erased", ["who left", "who stayed"])
    async def test_either_can_be_erased_without_the_other(self, ada, ben, both, erased) -> None:
        await ben.say(LeavePerson(), LogWatch(JAWS))
        one, other = (ben, ada) if erased == "who left" else (ada, ben)
        left = await other.films()
        await one.store.erase(one.identity, None, one.moment)
        assert (await one.read()).person is None
        assert await other.films() == left != []

    async def test_erasing_one_account_erases_all_that_are_linked(self, ada, ben, both) -> None:
        person = (await ben.read()).person
        assert await ben.store.erase(ben.identity, None, ben.moment) == person
        assert (await ada.read()).person is None
        assert await ada.store.accounts(person) == ()


class TestAtTheSameMoment:
    async def test_a_code_is_used_once(self, ada, ben, cy, beside) -> None:
        for _ in range(5):
            await ada.say(on(ALIEN, MAY_2))
            cy.store = beside
            code = await offer(ada)
            joining = [asyncio.ensure_future(talker.say(JoinPerson(code_hash(code)))) for talker in (ben, cy)]
            await asyncio.wait(joining)
            errors = [task.exception() for task in joining]
            assert sorted(type(error) for error in errors if error) == [ConflictError]
            joined, refused = (ben, cy) if errors[0] is None else (cy, ben)
            assert await joined.films() == await ada.films() == [ALIEN]
            assert (await refused.read()).person is None
            await ada.store.erase(ada.identity, None, ada.moment)

    async def test_two_who_join_each_other_are_one_person(self, ada, ben, beside) -> None:
        ben.store = beside
        for _ in range(2):
            await ada.say(on(ALIEN, MAY_2))
            await ben.say(on(HEAT, MAY_3))
            codes = await offer(ada), await offer(ben)
            joining = [
                asyncio.ensure_future(one.say(JoinPerson(code_hash(code))))
                for one, code in ((ben, codes[0]), (ada, codes[1]))
            ]
            await asyncio.wait(joining)
            assert sorted(type(error) for task in joining if (error := task.exception())) == [ConflictError]
            assert await ada.films() == await ben.films() == [ALIEN, HEAT]
            await ada.store.erase(ada.identity, None, ada.moment)

    async def test_nothing_that_is_told_while_joining_is_lost(self, ada, ben, beside) -> None:
        ben.store = beside
        await ada.say(LogWatch(1))
        await ben.say(LogWatch(2))
        code = await offer(ada)
        films = [*range(10, 30)]
        await asyncio.gather(
            *(ada.say(on(film, MAY_2)) for film in films[::2]),
            ben.say(JoinPerson(code_hash(code))),
            *(ben.say(on(film, MAY_2)) for film in films[1::2]),
        )
        assert sorted(await ada.films()) == sorted(await ben.films()) == [1, 2, *films]
        assert (await ada.read()).version == 2 + 2 + len(films)

    async def test_nothing_that_is_told_while_leaving_is_lost(self, ada, ben, beside) -> None:
        await link(ben, ada)
        other = Talker(beside, identity=ben.identity)
        await asyncio.gather(
            *(
                other.deliver(MessageKey("t", "", str(film)), MessageId(new_id()), [on(film, MAY_2)], "")
                for film in range(9)
            ),
            ben.say(LeavePerson()),
        )
        assert sorted([*await ada.films(), *await ben.films()]) == [*range(9)]

    async def test_a_join_delivered_to_two_processes_is_done_once(self, ada, ben, beside) -> None:
        await ada.say(on(ALIEN, MAY_2))
        code = await offer(ada)
        key = ben.key()
        other = Talker(beside, identity=ben.identity)
        both = await asyncio.gather(
            *(one.deliver(key, MessageId(new_id()), [JoinPerson(code_hash(code))], "Linked.") for one in (ben, other))
        )
        assert sorted((applied.done, applied.earlier_reply) for applied in both) == [(False, "Linked."), (True, None)]
        assert await ben.films() == [ALIEN]


class TestSettings:
    async def test_at_first_nothing_is_set(self, ada) -> None:
        await ada.say()
        assert (await ada.read()).preferences == Preferences()

    async def test_each_comes_back_as_it_was_set(self, ada) -> None:
        wanted = Preferences("America/Argentina/Ushuaia", "de-AT", 0.25, Visibility.PUBLIC, True)
        await ada.say(*(SetPreference(name, getattr(wanted, name.value)) for name in Preference))
        assert (await ada.read()).preferences == wanted
        assert type((await ada.read()).preferences.visibility) is Visibility

    async def test_the_last_value_counts_and_none_goes_back(self, ada) -> None:
        for value in (0.0, 1.0, 0.5):
            await ada.say(SetPreference(Preference.ADVENTUROUSNESS, value))
            assert (await ada.read()).preferences.adventurousness == value
        await ada.say(SetPreference(Preference.ADVENTUROUSNESS, None))
        assert (await ada.read()).preferences.adventurousness is None

    async def test_undo_brings_the_former_value_back(self, ada) -> None:
        await ada.say(SetPreference(Preference.LOCALE, "de"))
        messages = [await ada.say(SetPreference(Preference.LOCALE, value)) for value in ("fr", None)]
        assert (await ada.read()).preferences.locale is None
        undo = await ada.say(UndoMessage(messages[1]))
        assert (await ada.read()).preferences.locale == "fr"
        await ada.say(UndoMessage(messages[0]))
        assert (await ada.read()).preferences.locale == "de"
        await ada.say(UndoMessage(undo))
        assert (await ada.read()).preferences.locale is None

    async def test_undoing_an_older_value_leaves_the_newer(self, ada) -> None:
        older = await ada.say(SetPreference(Preference.LOCALE, "de"))
        await ada.say(SetPreference(Preference.LOCALE, "fr"))
        await ada.say(UndoMessage(older))
        assert (await ada.read()).preferences.locale == "fr"

    async def test_what_holds_already_is_not_the_thing_to_undo(self, ada) -> None:
        message = await ada.say(SetPreference(Preference.LOCALE, "de"))
        await ada.say(SetPreference(Preference.LOCALE, "de"))
        assert await ada.store.last_undoable((await ada.read()).person) == message

    async def test_a_message_says_what_it_set(self, ada) -> None:
        changes = (SetPreference(Preference.LOCALE, "de"), SetPreference(Preference.GROUP_OPT_IN, True))
        assert (await ada.store.message_changes(await ada.say(*changes))).preferences == changes

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            (Preference.TIME_ZONE, "Mars/Olympus"),
            (Preference.TIME_ZONE, ""),
            (Preference.TIME_ZONE, "../etc/passwd"),
            (Preference.TIME_ZONE, "/etc/localtime"),
            (Preference.TIME_ZONE, "Europe"),
            (Preference.TIME_ZONE, "Europe/Vienna\0"),
            (Preference.TIME_ZONE, "\ud800"),
            (Preference.TIME_ZONE, 1.0),
            (Preference.LOCALE, ""),
            (Preference.LOCALE, "e"),
            (Preference.LOCALE, "english please"),
            (Preference.LOCALE, "de-"),
            (Preference.LOCALE, "de\n"),
            (Preference.LOCALE, "dé"),
            (Preference.LOCALE, True),
            (Preference.ADVENTUROUSNESS, -0.01),
            (Preference.ADVENTUROUSNESS, 1.01),
            (Preference.ADVENTUROUSNESS, float("nan")),
            (Preference.ADVENTUROUSNESS, float("inf")),
            (Preference.ADVENTUROUSNESS, True),
            (Preference.ADVENTUROUSNESS, "0.5"),
            (Preference.VISIBILITY, "secret"),
            (Preference.VISIBILITY, True),
            (Preference.GROUP_OPT_IN, 1),
            (Preference.GROUP_OPT_IN, "yes"),
        ],
    )
    def test_a_value_that_makes_no_sense_is_refused(self, name, value) -> None:
        with pytest.raises(ValueError, match=name.value):
            SetPreference(name, value)


class TestTheHistoryVersion:
    @pytest.fixture
    async def watch_id(self, ada) -> WatchId:
        """The watch that Ada told of; she rejected one film, too, and wants another."""
        await ada.say(on(ALIEN, MAY_2, rating=3.0), GiveFeedback(HEAT, DISMISSED), GiveFeedback(JAWS, WANTED))
        return (await ada.read()).history[0].watch_id

    async def test_it_is_the_version_when_history_or_feedback_change(self, ada, watch_id) -> None:
        for change in (
            LogWatch(HEAT),
            on(ALIEN, MAY_2, reaction="good"),
            entry(HEAT, MAY_2, "a1"),
            entry(HEAT, MAY_2, "a2", rating=3.0),
            RateWatch(watch_id, 4.0),
            GiveFeedback(ALIENS, WANTED),
            TakeBackFeedback(HEAT, DISMISSED),
            RemoveWatch(watch_id),
        ):
            undo = await moving(ada, UndoMessage(await moving(ada, change)))
            await moving(ada, UndoMessage(undo))

    async def test_it_stays_when_they_are_what_they_were(self, ada, watch_id) -> None:
        setting = await ada.say(SetPreference(Preference.LOCALE, "de"))
        nothing = await ada.say(on(ALIEN, MAY_2))
        before = await ada.read()
        for change in (
            on(ALIEN, MAY_2),
            on(ALIEN, MAY_2, rating=3.0),
            entry(ALIEN, MAY_2, "a1", rating=5.0),
            entry(ALIEN, MAY_2, "a1", reaction="good"),
            RateWatch(watch_id, 3.0),
            RateWatch(watch_id),
            GiveFeedback(HEAT, DISMISSED),
            TakeBackFeedback(ALIENS, DISMISSED),
            UndoMessage(setting),
            UndoMessage(nothing),
            SetPreference(Preference.LOCALE, "fr"),
            AddFilm(AddedFilm(new_film_id(), "Mine")),
            SetContext({}, ada.moment + timedelta(days=1)),
            OfferLink("ABCDEFGH", ada.moment + timedelta(days=1)),
        ):
            await ada.say(change)
        await show(ada)
        after = await ada.read()
        assert seen(after) == seen(before)
        assert after.history_version == before.history_version

    async def test_of_a_stranger_it_is_nothing(self, ada) -> None:
        assert (await ada.read()).history_version == 0
        await ada.say()
        assert (await ada.read()).history_version == 0

    async def test_joining_moves_it_for_both(self, ada, ben, watch_id) -> None:
        await ben.say(LogWatch(JAWS))
        before = (await ada.read()).history_version, (await ben.read()).history_version
        await link(ben, ada)
        after = {(await talker.read()).history_version for talker in (ada, ben)}
        assert len(after) == 1
        assert after.isdisjoint(before)


class TestFilmsOfOnesOwn:
    FILM = AddedFilm(new_film_id(), "Mistyped", 2024)

    async def check(self, talker: Talker, *, counts: bool) -> None:
        snapshot = await talker.read()
        known = await talker.store.everything(talker.identity)
        assert known is not None
        assert snapshot.added_films == known.added_films == ((self.FILM,) if counts else ())
        assert snapshot.undone_films == (() if counts else (self.FILM,))

    async def test_one_counts_while_its_adding_does(self, ada) -> None:
        undone = await ada.say(AddFilm(self.FILM), LogWatch(self.FILM.film_id))
        await self.check(ada, counts=True)
        for counts in (False, True, False, True):
            undone = await ada.say(UndoMessage(undone))
            await self.check(ada, counts=counts)

    @pytest.mark.parametrize(
        "about", [LogWatch(FILM.film_id, MAY_2, Precision.DAY), GiveFeedback(FILM.film_id, WANTED)]
    )
    async def test_or_while_something_else_that_holds_is_about_it(self, ada, about) -> None:
        added = await ada.say(AddFilm(self.FILM), on(self.FILM.film_id, MAY_3))
        later = await ada.say(about)
        await ada.say(UndoMessage(added))
        await self.check(ada, counts=True)
        undo = await ada.say(UndoMessage(later))
        await self.check(ada, counts=False)
        await ada.say(UndoMessage(undo))
        await self.check(ada, counts=True)

    async def test_one_whose_watch_was_removed_counts(self, ada) -> None:
        await ada.say(AddFilm(self.FILM), LogWatch(self.FILM.film_id))
        await ada.say(RemoveWatch((await ada.read()).history[0].watch_id))
        await self.check(ada, counts=True)

    async def test_one_that_is_added_again_counts_again(self, ada) -> None:
        await ada.say(UndoMessage(await ada.say(AddFilm(self.FILM))))
        again = await ada.say(AddFilm(self.FILM))
        await self.check(ada, counts=True)
        await ada.say(UndoMessage(again))
        await self.check(ada, counts=False)

    async def test_of_others_nothing_counts_for_it(self, ada, ben) -> None:
        await ben.say(LogWatch(self.FILM.film_id), GiveFeedback(self.FILM.film_id, WANTED))
        await ada.say(UndoMessage(await ada.say(AddFilm(self.FILM))))
        await self.check(ada, counts=False)


class TestOneEventOfTwo:
    @pytest.mark.parametrize("known", [False, True])
    async def test_the_reply_is_only_given_to_the_person_whose_message_it_was(self, ada, ben, known) -> None:
        key = ada.key()
        await ada.deliver(key, MessageId(new_id()), [LogWatch(ALIEN)], "Logged Alien, which you hated.")
        if known:
            await ben.say()
        before = await ben.read()
        again = await ben.deliver(key, MessageId(new_id()), [LogWatch(HEAT)], "")
        assert (again.done, again.earlier_reply) == (False, "")
        assert (await ben.read(key)).earlier_reply == ""
        assert await ben.read() == before
        assert (await ada.read(key)).earlier_reply == "Logged Alien, which you hated."

    async def test_linked_accounts_are_one_person(self, ada, ben) -> None:
        key = ada.key()
        await ada.deliver(key, MessageId(new_id()), [LogWatch(ALIEN)], "Logged.")
        await link(ben, ada)
        assert (await ben.read(key)).earlier_reply == "Logged."
