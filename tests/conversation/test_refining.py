"""Wishes that change the one before: which they are, what they come to, and the films shown for them."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.conversation.intents import Age, Asked, Intent, More, Recommend, Refining, Situation, Wish
from bot.conversation.phrases import phrases_for
from bot.conversation.refining import REFINED_FOR, refined_wish, years_of_age
from bot.conversation.reply import Reply
from bot.conversation.slate_wish import SlateWish
from bot.conversation.spotting import Known
from bot.conversation.tagging import compact_tags_of
from bot.conversation.understand import understand
from engine.recommender import Recommender
from engine.requests import Request
from tests.conversation.person import Person


def understood(
    recommender: Recommender, said: str, language: str = "en", **situation: int | Asked
) -> tuple[Intent, ...]:
    known = Known(recommender.titles, compact_tags_of(recommender.catalog))
    return understand(said, Situation(**({"shown": 5} | situation)), language, known)


@pytest.mark.parametrize(
    ("said", "part", "value"),
    [
        ("something older", "age", Age.OLDER),
        ("older", "age", Age.OLDER),
        ("show me something older", "age", Age.OLDER),
        ("more recent ones", "age", Age.NEWER),
        ("anything newer?", "age", Age.NEWER),
        ("not so old", "age", Age.NEWER),
        ("those are too old", "age", Age.NEWER),
        ("I've seen all of these, something newer", "age", Age.NEWER),
        ("less scary", "softer", ("scary",)),
        ("too scary", "softer", ("scary",)),
        ("hmm, less gory please", "unwanted", ("gory",)),
        ("something else but less gory", "unwanted", ("gory",)),
        ("too slow", "unwanted", ("slow",)),
        ("and not too gory", "unwanted", ("gory",)),
        ("no zombies", "unwanted", ("zombies",)),
        ("funnier", "genres", ("Comedy",)),
        ("could they be funnier?", "genres", ("Comedy",)),
        ("darker", "words", ("dark",)),
        ("but not horror", "without_genres", ("Horror",)),
        ("only from the 80s", "years", (1980, 1989)),
        ("same but from the 70s", "years", (1970, 1979)),
        ("from the 80s", "years", (1980, 1989)),
        ("not from the 90s", "without_years", ((1990, 1999),)),
        ("more like the second", "like_places", (2,)),
        ("more obscure", "adventurousness", 0.95),
        ("a comedy instead", "genres", ("Comedy",)),
        ("same but animated", "genres", ("Animation",)),
    ],
)
def test_these_change_the_wish_before(recommender: Recommender, said: str, part: str, value: object) -> None:
    (wish,) = [intent for intent in understood(recommender, said) if isinstance(intent, Recommend)]
    assert wish.refines is not None
    assert getattr(wish.wish, part) == value


@pytest.mark.parametrize(
    "said",
    [
        "a 90s comedy", "recommend me a western", "what next?", "horror", "something like Alien", "films by Kubrick",
        "what should I watch from the 80s", "horror but not from the 80s", "recommend a movie", "like Alien but older",
        "a less violent thriller", "a scary film from 1977",
    ],
)  # fmt: skip
def test_these_are_wishes_of_their_own(recommender: Recommender, said: str) -> None:
    (wish,) = understood(recommender, said)
    assert isinstance(wish, Recommend)
    assert wish.refines is None


@pytest.mark.parametrize("said", ["something older", "less gory please", "but not horror", "only from the 80s"])
def test_nothing_is_changed_where_nothing_is_shown_or_something_is_asked(recommender: Recommender, said: str) -> None:
    for situation in ({"shown": 0}, {"asked": Asked.WHICH_FILM, "choices": 3}):
        intents = understood(recommender, said, **situation)
        assert all(not isinstance(intent, Recommend) or intent.refines is None for intent in intents)


@pytest.mark.parametrize("said", ["more", "watched Older", "thanks", "no", "why the second?", "Just Mercy", "5 more"])
def test_what_means_something_else_still_does(recommender: Recommender, said: str) -> None:
    intents = understood(recommender, said)
    assert not any(isinstance(intent, Recommend) for intent in intents)
    assert said not in {"more", "5 more"} or isinstance(intents[0], More)


@pytest.mark.parametrize(
    ("said", "language", "part"),
    [
        ("etwas älteres", "de", "age"),
        ("neuere bitte", "de", "age"),
        ("weniger brutal", "de", "unwanted"),
        ("lieber eine Komödie", "de", "genres"),
        ("nicht aus den 90ern", "de", "without_years"),
        ("algo más antiguo", "es", "age"),
        ("más recientes", "es", "age"),
        ("menos violenta", "es", "unwanted"),
        ("pero no de terror", "es", "without_genres"),
    ],
)
def test_other_languages_have_their_words(recommender: Recommender, said: str, language: str, part: str) -> None:
    (wish,) = understood(recommender, said, language)
    assert isinstance(wish, Recommend)
    assert wish.refines is not None
    assert getattr(wish.wish, part)


@pytest.mark.parametrize(
    ("age", "asked", "shown", "years"),
    [
        (Age.OLDER, (1990, 1999), (), (None, 1989)),
        (Age.NEWER, (1970, 1979), (), (1980, None)),
        (Age.OLDER, (None, None), (1994, 1999, 2008), (None, 1998)),
        (Age.NEWER, (None, None), (1994, 1999, 2008), (2000, None)),
        (Age.OLDER, (None, 1989), (1970, 1975, 1988), (None, 1974)),
        (Age.NEWER, (1980, None), (1990, 2001, 2003), (2002, None)),
        (Age.OLDER, (1980, None), (1990, 2001, 2003), (1980, 2000)),
        (Age.NEWER, (None, 1989), (1970, 1975, 1988), (1976, 1989)),
        (Age.NEWER, (2015, 2023), (2016, 2019), (2017, 2023)),
        (Age.NEWER, (None, None), (2022, 2023), (2023, None)),
        (Age.OLDER, (None, None), (), (None, 2012)),
    ],
)
def test_older_and_newer_than_what(
    age: Age, asked: tuple[int | None, int | None], shown: Sequence[int], years: tuple[int | None, int | None]
) -> None:
    assert years_of_age(age, Request(years=asked), shown, 2023) == years


def test_what_was_said_takes_the_place_of_what_it_contradicts(recommender: Recommender) -> None:
    before = SlateWish(
        Request(genres=frozenset({"Comedy"}), tags=("funny",), without_genres=frozenset({"War"}), years=(1990, 1999)),
        left_out=("gory",),
    )
    wish = Wish(genres=("War",))
    said = SlateWish(Request(genres=frozenset({"War"})))

    def changed(refining: Refining) -> Request:
        phrases, catalog = phrases_for("en"), recommender.catalog
        return refined_wish(before, wish, said, refining, (1990, 1999), phrases, catalog).request

    added, replaced = changed(Refining.ADDING), changed(Refining.REPLACING)
    assert (added.genres, replaced.genres) == ({"Comedy", "War"}, {"War"})
    assert (added.tags, replaced.tags) == (("funny",), ())
    assert added.without_genres == replaced.without_genres == frozenset()
    assert added.years == (1990, 1999)
    assert "gore" in added.without_tags


def ids(reply: Reply) -> set[int]:
    return {card.film_id for card in reply.cards}


async def test_a_conversation_goes_on_from_wish_to_wish(ada: Person) -> None:
    await ada.say("watched Heat (1995), Alien (1979) and Fargo (1996)")
    shown: set[int] = set()
    for said, opening in (
        ("a 90s comedy", "Comedy, 1990s:"),
        ("something older", "Comedy, until 1989:"),
        ("but not romantic", "Comedy, no romance, until 1989:"),
        ("only from the 80s", "Comedy, no romance, 1980s:"),
        ("less scary", "Comedy, no horror and romance, 1980s:"),
        ("a thriller instead", "Thriller, no horror and romance, 1980s:"),
        ("nothing too violent", "Thriller, no horror and romance, 1980s, leaving out “violent”:"),
        ("more", "More (Thriller, no horror and romance, 1980s, leaving out “violent”):"),
    ):
        reply = await ada.say(said)
        assert reply.text == opening
        assert len(reply.cards) == 5
        assert not shown & ids(reply), said
        shown |= ids(reply)
    assert (await ada.say("a 90s comedy")).text == "Comedy, 1990s:"


async def test_horror_may_be_less_scary_and_then_no_horror_at_all(ada: Person) -> None:
    await ada.say("70s horror")
    assert (await ada.say("less scary")).text == "Horror, 1970s, leaving out “scary”:"
    assert (await ada.say("scarier")).text == "Horror, 1970s, tagged scary:"
    assert (await ada.say("but not horror")).text == "No horror, 1970s:"
    assert (await ada.say("horror, but not too scary")).text == "Horror, leaving out “scary”:"


async def test_more_like_one_of_the_list_keeps_the_rest_of_the_wish(ada: Person) -> None:
    slate = await ada.say("an 80s comedy")
    second = slate.cards[1]
    reply = await ada.say("more like the second")
    assert reply.text == f"Comedy, 1980s, like {second.title} ({second.year}):"
    assert not ids(slate) & ids(reply)


async def test_what_the_data_does_not_hold_is_said_and_nothing_else_changes(ada: Person) -> None:
    await ada.say("70s horror")
    assert "How long films run" in (await ada.say("shorter")).text
    assert (await ada.say("more")).text == "More (Horror, 1970s):"


async def test_an_old_list_is_not_gone_on_with(ada: Person) -> None:
    await ada.say("70s horror")
    ada.moment += REFINED_FOR + timedelta(minutes=1)
    assert (await ada.say("something older")).text == "Until 1999:"


async def test_a_watchlist_shown_last_is_no_wish_to_change(ada: Person) -> None:
    await ada.say("70s horror")
    await ada.say("add Heat and Fargo to my watchlist")
    await ada.say("show my watchlist")
    assert (await ada.say("something older")).text == "Until 1999:"
