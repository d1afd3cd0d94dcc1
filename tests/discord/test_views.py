"""How replies look: whatever a reply holds, the message is within Discord's limits, and nothing in it is markup."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversation.action import Action, Verb
from bot.conversation.reply import Audience, AudienceKind, Card, Choice, File, Reply, Visibility
from bot.discord.views import escaped, film_choices, rendered, within
from bot.rendering import cut, may_press, placed, with_fewer_choices
from engine.films import FilmId
from tests.discord import schema
from tests.discord.world import labels_of, text_of

WORDS = st.text(st.characters(codec="utf-8"), max_size=400)
LONG = st.one_of(
    WORDS, st.builds(lambda word, times: word * times, st.text(min_size=1, max_size=9), st.integers(0, 900))
)
VERBS = st.sampled_from([Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.WHY, Verb.LIKE, Verb.VOTE])


def card(number: int, title: str, reason: str, verbs: list[Verb], genres: tuple[str, ...] = ("Drama",)) -> Card:
    choices = tuple(Choice(verb.value, Action(verb, (2**61, number))) for verb in dict.fromkeys(verbs))
    links = (("IMDb", "https://www.imdb.com/title/tt0000001/"),)
    return Card(FilmId(number), title, 1999, genres, reason, number, links, choices)


CARDS = st.lists(st.builds(card, st.integers(1, 99), LONG, LONG, st.lists(VERBS, max_size=6)), max_size=20)
CHOICES = st.lists(
    st.builds(Choice, LONG, st.builds(Action, st.just(Verb.PICK), st.tuples(st.just(5), st.integers(1, 40)))),
    max_size=30,
)


class Message:
    """What was rendered, as tests read messages."""

    def __init__(self, reply: Reply, *, layout: bool = False) -> None:
        made = rendered(reply, layout=layout)
        shown = made.layout or made.view
        self.content = made.content or ""
        self.components = shown.to_components() if shown else []
        self.body = {"content": made.content, "components": self.components, "flags": (1 << 15) if made.layout else 0}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=LONG, footer=LONG, cards=CARDS, choices=CHOICES, layout=st.booleans())
def test_whatever_a_reply_holds_discord_takes_the_message(text, footer, cards, choices, layout) -> None:
    reply = Reply(text, tuple(cards), tuple(choices), footer)

    async def render() -> dict:
        return Message(reply, layout=layout).body

    body = asyncio.run(render())
    assert not list(schema.over_limits(body))
    assert body["content"] or body["components"]
    if schema.file() is not None:
        assert schema.complaint("POST", "/channels/1/messages", body) is None


@settings(deadline=None)
@given(WORDS)
def test_nothing_that_is_said_is_markup_or_a_mention(text: str) -> None:
    shown = escaped(text)
    unescaped = re.sub(r"\\[\\*_~|`<>\[\]#+-]", "", shown)
    assert not re.search(r"[*_~|`<>\[\]]", unescaped)
    assert not re.search(r"^#", unescaped, re.MULTILINE) or "\\#" not in shown
    assert "@everyone" not in shown
    assert "@here" not in shown
    assert "://" not in shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("*Alien* [x](https://e.x)", "\\*Alien\\* \\[x\\](https:\u200b//e.x)"),
        ("# Alien", "\\# Alien"),
        ("settings:\n  Language: en", "settings:\n- Language: en"),
        ("“/export” gives you all, “/forget” erases it", "“/privacy export” gives you all, “/privacy erase” erases it"),
        ("<@1> @everyone", "\\<@1\\> @\u200beveryone"),
    ],
)
def test_what_is_said_is_shown_as_it_is(said: str, shown: str) -> None:
    assert escaped(said) == shown


async def test_as_much_as_there_can_be_is_within_the_components() -> None:
    verbs = [Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.VOTE]
    cards = tuple(card(n, f"Film {n}", "because", verbs) for n in range(1, 21))
    choices = tuple(Choice(str(n), Action(Verb.PICK, (5, n))) for n in range(30))
    body = Message(Reply("For you:", cards, choices, "small")).body
    assert not list(schema.over_limits(body))


async def test_five_films_have_their_buttons_and_say_why() -> None:
    verbs = [Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.WHY, Verb.LIKE]
    reply = Reply("For you:", tuple(card(n, f"Film {n}", "because", verbs) for n in range(1, 6)), footer="small")
    more = tuple(Choice(v.value, Action(v, (1,))) for v in (Verb.MORE, Verb.BOLDER, Verb.UNDO))
    message = Message(Reply(reply.text, reply.cards, more, reply.footer))
    labels = labels_of(message)
    assert [labels.count(v.value) for v in verbs] == [5, 5, 5, 5, 0]  # no room for the last, which words can say
    assert labels[-3:] == ["more", "bolder", "undo"]
    assert "**3. Film 3 (1999)**" in text_of(message)
    assert "-# Drama · [IMDb](https://www.imdb.com/title/tt0000001/)" in text_of(message)


async def test_ten_films_stand_apart_with_a_menu_for_each_thing_to_do() -> None:
    verbs = [Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.WHY]
    cards = tuple(card(n, "A " * 60 + "title", "because", verbs) for n in range(1, 11))
    message = Message(Reply("For you:", cards, (Choice("more", Action(Verb.MORE, (1,))),)))
    (box,) = message.components
    kinds = [part["type"] for part in box["components"]]
    assert kinds == [10] * 11 + [1] * 4 + [14, 1]
    menu = box["components"][11]["components"][0]
    assert menu["placeholder"] == "seen …"
    assert all(len(option["label"]) <= 100 and option["label"].endswith("… (1999)") for option in menu["options"])


def test_a_file_that_is_too_big_comes_in_parts_and_one_that_is_far_too_big_stays() -> None:
    content = bytes(range(256)) * 10
    reply = Reply("Here", files=(File("all.zip", "application/zip", content),), footer="small")
    assert within(reply, len(content), "en") == reply
    parts = within(reply, 1000, "en")
    assert [file.name for file in parts.files] == ["all.zip.01", "all.zip.02", "all.zip.03"]
    assert b"".join(file.content for file in parts.files) == content
    assert "cat all.zip.* > all.zip" in parts.footer
    assert parts.footer.endswith("small")
    left = within(reply, 100, "de")
    assert left.files == ()
    assert "nichts davon ist verloren" in left.text


async def test_commands_are_named_as_whoever_reads_it_sees_them() -> None:
    reply = Reply("Sag „/export“ noch einmal.", footer="„/settings“ zeigt es.")
    german, other = (rendered(reply, locale=locale).content for locale in ("de", "fr"))
    assert german == "Sag „/datenschutz mitnehmen“ noch einmal.\n-# „/einstellungen“ zeigt es."
    assert other == "Sag „/privacy export“ noch einmal.\n-# „/settings“ zeigt es."


async def test_a_file_goes_along() -> None:
    made = rendered(Reply("Here", files=(File("all.zip", "application/zip", b"123"),)))
    (file,) = made.sending()["files"]
    assert (file.filename, file.fp.read()) == ("all.zip", b"123")


def test_films_of_one_name_and_year_are_told_apart_while_typing() -> None:
    reply = Reply("", (card(1, "Same", "", [], ("Drama",)), card(2, "Same", "", [], ("Horror",))))
    cards = tuple(Card(c.film_id, c.title, c.year, c.genres) for c in reply.cards)
    assert [choice.name for choice in film_choices(Reply("", cards))] == ["Same (1999) – Drama", "Same (1999) – Horror"]
    many = tuple(Card(FilmId(n), f"{n} " + "x" * 200, 1999, ()) for n in range(40))
    choices = film_choices(Reply("", many))
    assert len(choices) == 25
    assert all(len(choice.name) <= 100 and choice.name.endswith("… (1999)") for choice in choices)


class TestRendering:
    """What is the same on every platform with buttons."""

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
    def test_what_is_private_never_takes_the_place_of_what_others_see(self, visibility, held_by, in_place) -> None:
        reply = Reply("new", visibility=visibility, replaces="m1")
        where = placed(reply, held_by)
        assert (where.in_place is reply, where.beside is reply) == (in_place, not in_place)
        listed = Reply("said", visibility=visibility, updated=Reply("list"))
        assert placed(listed, held_by).in_place == (Reply("list") if in_place else None)

    def test_a_reply_beside_stays_beside(self) -> None:
        assert placed(Reply("more"), Visibility.PUBLIC).in_place is None

    def test_who_may_press(self) -> None:
        assert may_press(Audience(), "ada", "ada")
        assert not may_press(Audience(), "bob", "ada")
        assert may_press(Audience(AudienceKind.NAMED, ("bob",)), "bob", "ada")
        assert not may_press(Audience(AudienceKind.NAMED, ("bob",)), "ada", "ada")
        assert may_press(Audience(AudienceKind.ANYONE), "eve", "ada")

    @settings(deadline=None)
    @given(WORDS, st.integers(2, 300))
    def test_a_text_is_cut_to_its_room(self, text: str, room: int) -> None:
        assert len(cut(text, room)) <= room
        assert cut(text, len(text) + 2) == text

    def test_what_is_least_wanted_is_left_out_first(self) -> None:
        cards = [card(n, "x", "", [Verb.SEEN, Verb.WHY, Verb.LIKE]) for n in range(4)]
        kept = with_fewer_choices(cards, 8)
        assert kept is not None
        assert {choice.action.verb for one in kept for choice in one.choices} == {Verb.SEEN, Verb.WHY}
        assert with_fewer_choices(cards, 3) is None
