"""A reply survives being kept as JSON, files and all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.action import Action, Verb
from bot.conversation.reply import Audience, AudienceKind, Card, Choice, File, Reply, Visibility, from_json, to_json
from engine.films import FilmId

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
FILES = st.builds(File, TEXTS, TEXTS, st.binary(max_size=60))
ACTIONS = st.builds(Action, st.sampled_from(Verb), st.lists(st.integers(0, 2**62), max_size=3).map(tuple))
AUDIENCES = st.builds(Audience, st.sampled_from(AudienceKind), st.lists(TEXTS, max_size=2).map(tuple))
CHOICES = st.builds(Choice, TEXTS, ACTIONS, AUDIENCES)
CARDS = st.builds(
    Card,
    film_id=st.integers(1, 10**9).map(FilmId),
    title=TEXTS,
    year=st.none() | st.integers(1880, 2030),
    genres=st.lists(TEXTS, max_size=3).map(tuple),
    reason=TEXTS,
    number=st.none() | st.integers(1, 20),
    links=st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
    choices=st.lists(CHOICES, max_size=2).map(tuple),
    note=TEXTS,
)
REPLIES = st.builds(
    Reply,
    text=TEXTS,
    cards=st.lists(CARDS, max_size=2).map(tuple),
    choices=st.lists(CHOICES, max_size=2).map(tuple),
    footer=TEXTS,
    files=st.lists(FILES, max_size=2).map(tuple),
    picture=st.none() | FILES,
    visibility=st.sampled_from(Visibility),
    replaces=st.none() | TEXTS,
    updated=st.none() | st.builds(Reply, text=TEXTS, cards=st.lists(CARDS, max_size=1).map(tuple)),
)


@given(REPLIES)
def test_json_keeps_all_of_a_reply(reply: Reply) -> None:
    assert from_json(to_json(reply)) == reply


def test_a_files_bytes_may_be_anything() -> None:
    reply = Reply("here", files=(File("all.bin", "application/octet-stream", bytes(range(256))),))
    assert from_json(to_json(reply)).files[0].content == bytes(range(256))


@pytest.mark.parametrize("text", ["", "{}", "nonsense", '{"text": 3}'])
def test_another_text_is_no_reply(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        from_json(text)
