"""Slates for several people, votes on them, what is set for a whole server, and which commands a platform was told."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.changes import (
    MAX_MEMBERS,
    CloseVote,
    GiveFeedback,
    JoinPerson,
    LogWatch,
    OfferLink,
    SetPlace,
    SetPreference,
    ShowSlate,
    TakePart,
    UndoMessage,
    Vote,
)
from storage.errors import ConflictError
from storage.ids import code_hash, new_id
from storage.records import (
    Ballot,
    FeedbackKind,
    MessageId,
    PersonId,
    PlaceKey,
    PlaceSettings,
    Preference,
    ShownPick,
    ShownSlate,
    SlateId,
)
from tests.storage.conftest import Talker

ALIEN, HEAT, JAWS = 1, 2, 3


async def person(talker: Talker) -> PersonId:
    """Who somebody is, once they have said something."""
    found = (await talker.read()).person
    assert found is not None
    return found


async def show(talker: Talker, *members: PersonId) -> SlateId:
    """A slate of two films that may be voted on."""
    message_id, slate_id = MessageId(new_id()), SlateId(new_id())
    picks = (ShownPick(1, ALIEN, 2.0, {}), ShownPick(2, HEAT, 1.0, {}))
    shown = ShownSlate(slate_id, message_id, "b", {}, picks, talker.moment, members, open_to_votes=True)
    await talker.deliver(talker.key(), message_id, [ShowSlate(shown)], "Shown.")
    return slate_id


async def wait(talker: Talker) -> SlateId:
    """A slate that waits for its people."""
    message_id, slate_id = MessageId(new_id()), SlateId(new_id())
    shown = ShownSlate(slate_id, message_id, "", {}, (), talker.moment, open_to_votes=True)
    await talker.deliver(talker.key(), message_id, [ShowSlate(shown)], "Who is in?")
    return slate_id


async def vote_on(talker: Talker, slate_id: SlateId) -> Ballot:
    """How the vote stands."""
    ballot = await talker.store.ballot(slate_id)
    assert ballot is not None
    return ballot


@pytest.fixture
async def both(ada: Talker, ben: Talker) -> tuple[PersonId, PersonId]:
    await ada.say(LogWatch(JAWS))
    await ben.say(LogWatch(JAWS), SetPreference(Preference.GROUP_OPT_IN, True))
    return await person(ada), await person(ben)


class TestVoting:
    async def test_members_vote_and_the_last_one_closes_it(self, ada, ben, both) -> None:
        slate = await show(ada, *both)
        await ben.say(Vote(slate, HEAT))
        assert (await vote_on(ada, slate)).votes == {both[0]: None, both[1]: HEAT}
        await ben.say(Vote(slate, ALIEN))
        await ada.say(Vote(slate, ALIEN))
        ballot = await vote_on(ada, slate)
        assert ballot.votes == dict.fromkeys(both, ALIEN)
        assert ballot.slate.open_to_votes is False
        assert ballot.asker == both[0]
        assert {account.user for account in ballot.accounts} == {"ada", "ben"}

    async def test_a_stranger_a_late_one_and_a_film_that_is_not_on_it_are_refused(self, ada, ben, both) -> None:
        alone = await show(ada, both[0])
        slate = await show(ada, *both)
        for talker, change in ((ben, Vote(alone, HEAT)), (ben, Vote(slate, JAWS))):
            with pytest.raises(ConflictError):
                await talker.say(change)
        await ben.say(CloseVote(slate))  # not theirs to close
        assert (await vote_on(ada, slate)).slate.open_to_votes is True
        await ada.say(CloseVote(slate))
        with pytest.raises(ConflictError):
            await ben.say(Vote(slate, HEAT))

    async def test_two_who_vote_last_at_once_close_it_once(self, ada, ben, both) -> None:
        for _ in range(5):
            slate = await show(ada, *both)
            await asyncio.gather(ada.say(Vote(slate, HEAT)), ben.say(Vote(slate, HEAT)))
            ballot = await vote_on(ada, slate)
            assert ballot.votes == dict.fromkeys(both, HEAT)
            assert ballot.slate.open_to_votes is False

    async def test_whoever_is_erased_is_no_member_any_more(self, ada, ben, both) -> None:
        slate = await show(ada, *both)
        await ben.say(Vote(slate, HEAT))
        await ben.store.erase(ben.identity, None, ben.moment)
        assert (await vote_on(ada, slate)).votes == {both[0]: None}
        await ada.store.erase(ada.identity, None, ada.moment)
        assert await ada.store.ballot(slate) is None

    async def test_a_slate_that_was_not_voted_on_has_no_vote(self, ada) -> None:
        assert await ada.store.ballot(SlateId(1)) is None

    async def test_two_who_join_have_one_vote(self, ada, ben, both) -> None:
        slate = await show(ada, *both)
        await ben.say(Vote(slate, HEAT))
        other = await show(ben, both[1])
        await ben.say(OfferLink("ABCD", ben.moment + timedelta(hours=1)))
        await ada.say(JoinPerson(code_hash("ABCD")))
        assert (await vote_on(ada, slate)).votes == {both[0]: None}
        assert (await vote_on(ada, other)).votes == {both[0]: None}

    async def test_a_member_who_vanished_meanwhile_is_left_out(self, ada, both) -> None:
        slate = await show(ada, both[0], PersonId(77))
        assert set((await vote_on(ada, slate)).votes) == {both[0]}


class TestWhoIsIn:
    """A slate that waits for its people: it has no films yet."""

    async def test_people_come_and_go_until_it_ends(self, ada, ben, both) -> None:
        lobby = await wait(ada)
        assert (await vote_on(ada, lobby)).votes == {both[0]: None}
        await ben.say(TakePart(lobby))
        await ben.say(TakePart(lobby))
        assert (await vote_on(ada, lobby)).votes == dict.fromkeys(both)
        await ben.say(TakePart(lobby, is_in=False))
        assert (await vote_on(ada, lobby)).votes == {both[0]: None}
        await ada.say(CloseVote(lobby))
        with pytest.raises(ConflictError):
            await ben.say(TakePart(lobby))

    async def test_nobody_joins_a_slate_with_films_nor_votes_on_one_without(self, ada, ben, both) -> None:
        slate, lobby = await show(ada, both[0]), await wait(ada)
        for change in (TakePart(slate), TakePart(SlateId(1)), Vote(lobby, HEAT)):
            with pytest.raises(ConflictError):
                await ben.say(change)

    async def test_there_is_room_for_so_many_and_two_at_once_do_not_both_get_the_last_place(self, ada, both) -> None:
        lobby = await wait(ada)
        people = [
            Talker(ada.store, replace(ada.identity, user=f"p{number}"), events=itertools.count(100))
            for number in range(MAX_MEMBERS + 4)
        ]
        answers = await asyncio.gather(*(one.say(TakePart(lobby)) for one in people), return_exceptions=True)
        assert sum(isinstance(answer, ConflictError) for answer in answers) == 5
        assert len((await vote_on(ada, lobby)).votes) == MAX_MEMBERS

    async def test_it_is_no_slate_that_was_shown(self, ada, both) -> None:
        slate = await show(ada, both[0])
        await wait(ada)
        last = (await ada.read()).last_slate
        assert last is not None
        assert last.slate_id == slate


class TestCompanions:
    async def test_nothing_is_read_of_one_who_has_not_opted_in(self, ada, ben, both) -> None:
        await ben.say(GiveFeedback(HEAT, FeedbackKind.DISMISSED))
        alone, willing = await ada.store.companions([ada.identity, ben.identity])
        assert (alone.opted_in, alone.person, alone.history) == (False, None, ())
        assert (willing.opted_in, willing.person) == (True, both[1])
        assert [watch.film_id for watch in willing.history] == [JAWS]
        assert willing.dismissed == {HEAT}

    async def test_whom_a_slate_was_for_is_asked_anew(self, ada, ben, both) -> None:
        found = await ada.store.slate(await show(ada, *both))
        assert found is not None
        assert [one.opted_in for one in await ada.store.companions_of(found[1], both[0])] == [True]
        await ben.say(SetPreference(Preference.GROUP_OPT_IN, None))
        assert [one.opted_in for one in await ada.store.companions_of(found[1], both[0])] == [False]


class TestPlaces:
    async def test_what_is_set_holds_for_all_who_are_there_and_nowhere_else(self, ada, ben) -> None:
        server = PlaceKey("discord", "1", "2", "")
        ada.place = server
        kept = PlaceSettings({"2": "films"}, 0.7)
        message = await ada.say(SetPlace(kept))
        ben.place = PlaceKey("discord", "1", "9", "")
        assert (await ben.read()).place == kept
        assert await ada.store.place_settings("discord", "2") == PlaceSettings()
        await ada.say(UndoMessage(message))  # it is the server's, not theirs to undo in passing
        assert (await ben.read()).place == kept
        await ada.store.forget_place("discord", "1")
        assert (await ben.read()).place == PlaceSettings()

    async def test_it_stays_when_whoever_set_it_is_erased(self, ada, ben) -> None:
        ada.place = ben.place = PlaceKey("discord", "1", "2", "")
        await ada.say(SetPlace(PlaceSettings(adventurousness=0.7)))
        await ada.store.erase(ada.identity, None, ada.moment)
        assert (await ben.read()).place.adventurousness == 0.7
        await ben.say(SetPlace(PlaceSettings()))
        assert (await ben.read()).place == PlaceSettings()

    @pytest.mark.parametrize("wrong", [{"adventurousness": 2.0}, {"channels": {str(n): "" for n in range(101)}}])
    def test_what_can_not_be_kept_is_refused(self, wrong) -> None:
        with pytest.raises(ValueError, match=r"at most|runs from"):
            PlaceSettings(**wrong)


async def test_a_platform_is_told_of_commands_once(ada) -> None:
    assert await ada.store.registered("discord", "1") is None
    await ada.store.register("discord", "1", "abc")
    await ada.store.register("discord", "1", "def")
    assert await ada.store.registered("discord", "1") == "def"
    assert await ada.store.registered("discord", "2") is None
