"""Replies of every shape and size, for tests of how platforms show them."""

from __future__ import annotations

from hypothesis import strategies as st

from bot.conversation.action import Action, Verb
from bot.conversation.reply import Card, Choice
from engine.films import FilmId

WORDS = st.text(st.characters(codec="utf-8"), max_size=400)
LONG = st.one_of(
    WORDS, st.builds(lambda word, times: word * times, st.text(min_size=1, max_size=9), st.integers(0, 900))
)
VERBS = st.sampled_from([Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.WHY, Verb.LIKE, Verb.VOTE])


def card(number: int, title: str, reason: str, verbs: list[Verb], genres: tuple[str, ...] = ("Drama",)) -> Card:
    """A film with what can be done with it."""
    choices = tuple(Choice(verb.value, Action(verb, (2**61, number))) for verb in dict.fromkeys(verbs))
    links = (("IMDb", "https://www.imdb.com/title/tt0000001/"),)
    return Card(FilmId(number), title, 1999, genres, reason, number, links, choices)


CARDS = st.lists(st.builds(card, st.integers(1, 99), LONG, LONG, st.lists(VERBS, max_size=6)), max_size=20)
CHOICES = st.lists(
    st.builds(Choice, LONG, st.builds(Action, st.just(Verb.PICK), st.tuples(st.just(5), st.integers(1, 40)))),
    max_size=30,
)
