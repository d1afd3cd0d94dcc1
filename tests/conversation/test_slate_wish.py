"""The wish that a slate was shown for: kept as JSON, read again as it was, by later versions too."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.slate_wish import SlateWish, from_kept, to_kept
from engine.films import GENRES, FilmId
from engine.people import Person, Role
from engine.requests import MAX_COUNT, Request

films = st.integers(1, 10**9).map(FilmId)
words = st.lists(st.text(max_size=12), max_size=3).map(tuple)
genres = st.frozensets(st.sampled_from(GENRES), max_size=3)
people = st.lists(st.builds(Person, st.text(max_size=12), st.sampled_from(Role)), max_size=2).map(tuple)
wishes = st.builds(
    SlateWish,
    st.builds(
        Request,
        count=st.integers(1, MAX_COUNT),
        like=st.lists(films, max_size=3).map(tuple),
        genres=genres,
        without_genres=genres,
        years=st.tuples(st.none() | st.integers(1900, 2030), st.none() | st.integers(1900, 2030)),
        tags=words,
        people=people,
        without_people=people,
        without_tags=words,
        without=st.frozensets(films, max_size=5),
        adventurousness=st.floats(0, 1),
        diversity=st.floats(0, 1),
    ),
    st.lists(st.integers(1, 10**9), max_size=5).map(tuple),
    words,
)


@given(wishes)
def test_what_is_kept_is_read_again(wish: SlateWish) -> None:
    assert from_kept(json.loads(json.dumps(to_kept(wish)))) == wish


def test_what_was_kept_before_there_were_unwanted_tags_is_read() -> None:
    assert from_kept({"count": 3, "genres": ["Horror"], "earlier": [7]}) == SlateWish(
        Request(count=3, genres=frozenset({"Horror"})), (7,)
    )


def test_nonsense_is_a_wish_for_anything() -> None:
    assert from_kept({"count": 9999, "years": 7, "genres": "Horror"}) == SlateWish(Request(count=MAX_COUNT))
