"""What all platforms with buttons do with replies: what takes the place of what, who may press, what is cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation.action import Action, Verb
from bot.conversation.message import Place
from bot.conversation.reply import Audience, AudienceKind, Card, Reply, Visibility
from bot.rendering import action_of, cut, heard_in, may_press, placed, told_apart, with_commands, with_fewer_choices
from engine.films import FilmId
from storage.records import PlaceSettings
from tests.replies import WORDS, card


@pytest.mark.parametrize("code", ["", "dance:1", "seen:x", "menu:more:1"])
def test_a_button_of_another_program_does_nothing(code: str) -> None:
    assert action_of(code) == Action(Verb.MORE)
    assert action_of("more:7") == Action(Verb.MORE, (7,))


@pytest.mark.parametrize(
    ("visibility", "held_by", "in_place"),
    [
        (Visibility.PUBLIC, Visibility.PUBLIC, True),
        (Visibility.PRIVATE, Visibility.PRIVATE, True),
        (Visibility.PUBLIC, Visibility.PRIVATE, True),
        (Visibility.PRIVATE, Visibility.PUBLIC, False),
        (Visibility.PUBLIC, None, False),
    ],
)
def test_what_is_private_never_takes_the_place_of_what_others_see(visibility, held_by, in_place) -> None:
    reply = Reply("new", visibility=visibility, replaces="m1")
    where = placed(reply, held_by)
    assert (where.in_place is reply, where.beside is reply) == (in_place, not in_place)
    listed = Reply("said", visibility=visibility, updated=Reply("list"))
    assert placed(listed, held_by).in_place == (Reply("list") if in_place else None)


def test_a_reply_beside_stays_beside() -> None:
    assert placed(Reply("more"), Visibility.PUBLIC).in_place is None


def test_who_may_press() -> None:
    assert may_press(Audience(), "ada", "ada")
    assert not may_press(Audience(), "bob", "ada")
    assert may_press(Audience(AudienceKind.NAMED, ("bob",)), "bob", "ada")
    assert not may_press(Audience(AudienceKind.NAMED, ("bob",)), "ada", "ada")
    assert may_press(Audience(AudienceKind.ANYONE), "eve", "ada")


@settings(deadline=None)
@given(WORDS, st.integers(2, 300))
def test_a_text_is_cut_to_its_room(text: str, room: int) -> None:
    assert len(cut(text, room)) <= room
    assert cut(text, len(text) + 2) == text


def test_what_is_least_wanted_is_left_out_first() -> None:
    cards = [card(n, "x", "", [Verb.SEEN, Verb.WHY, Verb.LIKE]) for n in range(4)]
    kept = with_fewer_choices(cards, 8)
    assert kept is not None
    assert {choice.action.verb for one in kept for choice in one.choices} == {Verb.SEEN, Verb.WHY}
    assert with_fewer_choices(cards, 3) is None


def test_where_channels_are_set_the_bot_answers_in_those_alone() -> None:
    here, thread, there = Place("p", "w", "c1"), Place("p", "w", "c2", "c1"), Place("p", "w", "c2")
    assert all(heard_in(place, PlaceSettings()) for place in (here, thread, there))
    set_to_one = PlaceSettings(channels={"c1": "films"})
    assert [heard_in(place, set_to_one) for place in (here, thread, there)] == [True, True, False]


def test_commands_are_called_as_they_are_called_there() -> None:
    said = "“/export” gives you all, »/export« too; and/export is none, nor “/exporter”."
    assert with_commands(said, {"export": "privacy export"}) == (
        "“/privacy export” gives you all, »/export« too; and/export is none, nor “/exporter”."
    )


def test_films_of_one_name_and_year_are_told_apart_by_genres() -> None:
    films = [
        Card(FilmId(1), "Same", 1999, ("Drama",)),
        Card(FilmId(2), "Same", 1999, ()),
        Card(FilmId(3), "Other", 1999, ()),
    ]
    assert [name for _, name in told_apart(films)] == ["Same (1999) – Drama", "Same (1999)", "Other (1999)"]
