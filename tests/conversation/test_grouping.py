"""Films for several people and the vote on them: whose history counts, who may vote, what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.conversation.action import Action, Verb
from bot.conversation.grouping import MAX_TOGETHER
from bot.conversation.message import Command, Identity, Named, Place, Text
from bot.conversation.reply import Audience, AudienceKind, Reply, Visibility
from tests.conversation.person import Person, action_of

SERVER = Place("test", "server", "films")


def named(*people: Person) -> tuple[Named, ...]:
    return tuple(Named(Identity(one.platform, "", one.name), one.name.capitalize()) for one in people)


async def ask(person: Person, name: str, *people: Person, **arguments: str) -> Reply:
    return await person.dialogue.handle(Command(person.origin(), name, arguments, people=named(*people)))


@pytest.fixture
async def willing(ada: Person, bob: Person) -> None:
    await ada.say("watched Alien")
    await bob.say("/settings group on")
    await bob.say("watched Blade Runner and The Shining")


async def test_films_for_two_are_new_to_both_and_say_for_how_many_a_reason_holds(
    ada: Person, bob: Person, willing: None
) -> None:
    reply = await ask(ada, "next", bob)
    assert "For the 2 of you" in reply.text
    titles = {card.title for card in reply.cards}
    assert not titles & {"Alien", "Blade Runner", "Shining, The", "The Shining"}
    assert any("one of you watched" in card.reason or "2 of you watched" in card.reason for card in reply.cards)
    assert all("because you watched" not in card.reason for card in reply.cards)


async def test_nobody_is_counted_who_has_not_allowed_it(ada: Person, bob: Person) -> None:
    await bob.say("watched Blade Runner")
    reply = await ask(ada, "next", bob)
    assert "may not use their history: Bob" in reply.text
    assert reply.cards == ()
    await bob.say("/settings group on")
    assert (await ask(ada, "next", bob)).cards
    await bob.say("/settings group off")
    assert not (await ask(ada, "next", bob)).cards


async def test_a_wish_in_words_is_for_those_who_are_named(ada: Person, bob: Person, willing: None) -> None:
    said = await ada.dialogue.handle(Text(ada.origin(), "what next?", people=named(bob)))
    assert "For the 2 of you" in said.text


async def test_more_is_for_those_who_still_allow_it(ada: Person, bob: Person, willing: None) -> None:
    slate = await ask(ada, "next", bob)
    await bob.say("watched 2001: A Space Odyssey")
    more = await ada.press(action_of(slate, Verb.MORE))
    assert "2001: A Space Odyssey" not in {card.title for card in more.cards}
    kept = (await ada.snapshot()).last_slate
    assert kept is not None
    assert len(kept.members) == 2
    await bob.say("/settings group off")
    await ada.press(action_of(more, Verb.MORE))
    alone = (await ada.snapshot()).last_slate
    assert alone is not None
    assert alone.members == ()


async def test_the_watchers_are_counted_and_never_named(ada: Person, bob: Person, willing: None) -> None:
    await bob.say("watched Alien")
    reply = await ask(ada, "movienight", bob)
    said = " ".join([reply.text, reply.footer, *(card.reason for card in reply.cards)])
    assert "Bob" not in said
    assert "bob" not in said


class TestVoting:
    async def test_every_film_has_a_button_for_those_who_may_vote(
        self, ada: Person, bob: Person, willing: None
    ) -> None:
        night = await ask(ada, "movienight", bob)
        assert night.visibility is Visibility.PUBLIC
        for card in night.cards:
            (button,) = card.choices
            assert button.audience == Audience(AudienceKind.NAMED, ("ada", "bob"))
        assert [choice.action.verb for choice in night.choices] == [Verb.CLOSE]

    async def test_the_film_with_most_votes_is_it(self, ada: Person, bob: Person, willing: None) -> None:
        night = await ask(ada, "movienight", bob)
        second = night.cards[1]
        first_vote = await bob.press(second.choices[0].action, "m1")
        assert first_vote.replaces == "m1"
        assert [card.note for card in first_vote.cards] == ["", "1 vote", "", "", ""]
        assert [card.reason for card in first_vote.cards] == [card.reason for card in night.cards]
        result = await ada.press(second.choices[0].action, "m1")
        assert result.text.startswith(f"Tonight: {second.title}")
        assert [card.film_id for card in result.cards] == [second.film_id]
        assert not [choice for card in result.cards for choice in card.choices]

    async def test_two_at_once_are_both_counted(self, ada: Person, bob: Person, willing: None) -> None:
        night = await ask(ada, "movienight", bob)
        votes = await asyncio.gather(
            ada.press(night.cards[0].choices[0].action, "m1"), bob.press(night.cards[0].choices[0].action, "m1")
        )
        assert any(vote.text.startswith("Tonight") and "2 of 2" in vote.text for vote in votes)

    async def test_a_tie_goes_to_the_film_that_suits_all_best(self, ada: Person, bob: Person, willing: None) -> None:
        night = await ask(ada, "movienight", bob)
        await ada.press(night.cards[3].choices[0].action)
        result = await bob.press(night.cards[1].choices[0].action)
        assert f"It was a tie with {night.cards[3].title}" in result.text
        assert result.footer.count("1 vote") == 2
        assert night.cards[1].title in result.text

    async def test_others_may_not_and_it_ends_once(self, ada: Person, bob: Person, willing: None) -> None:
        night = await ask(ada, "movienight", bob)
        vote, close = night.cards[0].choices[0].action, night.choices[0].action
        eve = replace(ada, name="eve")
        for person, action in (
            (eve, vote),
            (eve, close),
            (bob, close),
            (ada, Action(Verb.VOTE, (close.numbers[0], 5))),
        ):
            refused = await person.press(action, "m1")
            assert refused.visibility is Visibility.PRIVATE
            assert refused.replaces is None
        assert "Nobody voted" in (await ada.press(close, "m1")).text
        assert "over" in (await ada.press(close)).text
        assert "over" in (await bob.press(vote)).text
        assert "too old" in (await bob.press(Action(Verb.VOTE, (77, 5)))).text

    async def test_whoever_erases_themselves_votes_no_more(self, ada: Person, bob: Person, willing: None) -> None:
        night = await ask(ada, "movienight", bob)
        await bob.press(night.cards[0].choices[0].action)
        await bob.say("forget everything about me")
        await bob.say("yes")
        result = await ada.press(night.cards[1].choices[0].action)
        assert "1 of 1" in result.text

    async def test_nobody_is_named(self, ada: Person) -> None:
        reply = await ask(ada, "movienight")
        assert "For whom" in reply.text
        assert reply.visibility is Visibility.PRIVATE


class TestWhoIsIn:
    """A movie night on a server, for which nobody was named."""

    @pytest.fixture
    def night(self, ada: Person) -> Callable[..., Awaitable[Reply]]:
        async def begin(*people: Person, **arguments: str) -> Reply:
            origin = ada.origin(place=SERVER)
            return await ada.dialogue.handle(Command(origin, "movienight", arguments, people=named(*people)))

        return begin

    async def test_whoever_presses_is_in_and_lets_groups_use_their_history(
        self, ada: Person, bob: Person, night
    ) -> None:
        await bob.say("watched Blade Runner")
        asked = await night(genre="Horror")
        assert asked.visibility is Visibility.PUBLIC
        assert asked.text == "Movie night! Horror. Who is in?\nNobody else is in yet."
        join, start = asked.choices
        assert (join.action.verb, join.audience.kind) == (Verb.JOIN, AudienceKind.ANYONE)
        assert (start.action.verb, start.audience.kind) == (Verb.START, AudienceKind.ASKER)
        joined = await bob.press(join.action, "m1", place=SERVER)
        assert (joined.replaces, joined.footer, joined.choices) == ("m1", asked.footer, asked.choices)
        assert joined.text == "Movie night! Horror. Who is in?\n1 more is in."
        assert "/settings" in joined.footer
        assert (await bob.snapshot()).preferences.group_opt_in
        begun = await ada.press(start.action, "m1", place=SERVER)
        assert begun.replaces == "m1"
        assert "Movie night for 2" in begun.text
        assert all("Horror" in card.genres for card in begun.cards)
        assert "Blade Runner" not in {card.title for card in begun.cards}
        assert begun.cards[0].choices[0].audience.users == ("ada", "bob")
        result = await bob.press(begun.cards[1].choices[0].action, "m1", place=SERVER)
        assert "1 of 2" in result.footer

    async def test_pressing_again_is_to_be_out_and_nobody_is_in_who_forbade_it_since(
        self, ada: Person, bob: Person, night
    ) -> None:
        join, start = (choice.action for choice in (await night()).choices)
        await bob.press(join, "m1", place=SERVER)
        left = await bob.press(join, "m1", place=SERVER)
        assert left.text.endswith("Nobody else is in yet.")
        alone = await ada.press(start, "m1", place=SERVER)
        assert (alone.visibility, alone.replaces) == (Visibility.PRIVATE, None)
        assert "Nobody else is in yet" in alone.text
        await bob.press(join, "m1", place=SERVER)
        await bob.say("/settings group off")
        assert "Nobody else is in yet" in (await ada.press(start, "m1", place=SERVER)).text

    async def test_only_who_asked_has_films_picked_and_only_once(self, ada: Person, bob: Person, night) -> None:
        join, start = (choice.action for choice in (await night()).choices)
        assert "you are in" in (await ada.press(join, "m1", place=SERVER)).text
        await bob.press(join, "m1", place=SERVER)
        refused = await bob.press(start, "m1", place=SERVER)
        assert refused.visibility is Visibility.PRIVATE
        assert "Only the person who asked" in refused.text
        assert (await ada.press(start, "m1", place=SERVER)).cards
        for person, action in ((ada, start), (bob, join)):
            late = await person.press(action, "m1", place=SERVER)
            assert late.visibility is Visibility.PRIVATE
            assert "chosen already" in late.text

    async def test_a_wish_that_no_film_fits_leaves_the_question_there(self, ada: Person, bob: Person, night) -> None:
        join, start = (choice.action for choice in (await night(genre="Film-Noir", years="2016-2016")).choices)
        await bob.press(join, "m1", place=SERVER)
        for person in (ada, bob):
            for film in ("Alien", "Heat"):
                await person.say(f"watched {film}")
        none = await ada.press(start, "m1", place=SERVER)
        if none.cards:
            pytest.skip("the catalogue has such films")
        assert (none.visibility, none.replaces) == (Visibility.PRIVATE, None)
        assert (await bob.press(join, "m1", place=SERVER)).replaces == "m1"

    async def test_there_is_room_for_so_many(self, ada: Person, night) -> None:
        join, _ = (choice.action for choice in (await night()).choices)
        people = [replace(ada, name=f"p{number}") for number in range(MAX_TOGETHER + 1)]
        answers = [await one.press(join, "m1", place=SERVER) for one in people]
        assert all(answer.replaces == "m1" for answer in answers[:-1])
        assert "room for 11" in answers[-1].text

    async def test_those_who_were_named_and_have_not_allowed_it_can_be_in_too(
        self, ada: Person, bob: Person, night
    ) -> None:
        asked = await night(bob)
        assert "may not use their history: Bob" in asked.text
        assert [choice.action.verb for choice in asked.choices] == [Verb.JOIN, Verb.START]

    async def test_a_question_who_is_in_is_no_list_that_was_shown(self, ada: Person, night) -> None:
        slate = await ada.say("what next?", place=SERVER)
        await night()
        assert slate.cards[1].title in (await ada.say("why the second one?", place=SERVER)).text
