"""How replies look: whatever a reply holds, the message is within Slack's limits, and nothing in it is markup."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from bot.conversation.action import Action, Verb
from bot.conversation.commands import film_of
from bot.conversation.reply import Card, Choice, File, Reply
from bot.slack.views import escaped, film_options, rendered
from engine.films import FilmId
from tests.replies import CARDS, CHOICES, LONG, card
from tests.slack import limits
from tests.slack.wire import codes_of, elements_of, shown

VERBS = [Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.WHY, Verb.LIKE]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=LONG, footer=LONG, cards=CARDS, choices=CHOICES)
def test_whatever_a_reply_holds_slack_takes_the_message(text, footer, cards, choices) -> None:
    message = rendered(Reply(text, tuple(cards), tuple(choices), footer))
    assert not list(limits.message(message.sending()))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LONG)
def test_what_is_said_stands_where_slack_reads_no_markup(text: str) -> None:
    message = rendered(Reply(text, (card(1, text, text, VERBS),)))
    for block in message.blocks:
        assert '"mrkdwn"' not in str(block)
    assert "<" not in message.text
    assert ">" not in message.text


@pytest.mark.parametrize(
    ("said", "beside"),
    [
        ("*Alien* & <@U1> <!channel>", "*Alien* &amp; &lt;@U1&gt; &lt;!channel&gt;"),
        ("“/export” gives you all, “/watched” keeps one", "“/nextreel export” gives you all, “/watched” keeps one"),
        ("and/or “/nonsense”", "and/or “/nonsense”"),
    ],
)
def test_what_is_said_is_shown_as_it_is(said: str, beside: str) -> None:
    message = rendered(Reply(said))
    assert message.text == beside
    assert shown(message.blocks).strip() == beside.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_lines_that_are_set_in_are_a_list() -> None:
    (block,) = rendered(Reply("Your settings:\n  Language: en\n  Groups: off\nThat is all.")).blocks
    kinds = [element["type"] for element in block["elements"]]
    assert kinds == ["rich_text_section", "rich_text_list", "rich_text_section"]


@pytest.mark.parametrize("said", ["  one\n\n  two", "\n  one", "  one\n ", "\n\n", "a\n\n\n  one\n\n\nb"])
def test_between_lists_nothing_is_no_text(said: str) -> None:
    message = rendered(Reply(said))
    assert not list(limits.message(message.sending()))


def test_five_films_have_what_can_be_done_with_them() -> None:
    cards = tuple(card(n, f"Film {n}", "because", VERBS) for n in range(1, 6))
    further = tuple(Choice(v.value, Action(v, (1,))) for v in (Verb.MORE, Verb.BOLDER))
    message = rendered(Reply("For you:", cards, further, "small"))
    labels = list(codes_of(message.blocks).values())
    assert [labels.count(v.value) for v in VERBS] == [5, 5, 5, 5, 5]
    assert labels[-2:] == ["more", "bolder"]
    assert sum(element["type"] == "overflow" for element in elements_of(message.blocks)) == 5
    assert "3. Film 3 (1999)\nbecause\nDrama · IMDb" in shown(message.blocks)
    assert "3. Film 3 (1999) · because" in message.text


def test_films_look_alike_when_something_became_of_one_of_them() -> None:
    cards = (card(1, "Film 1", "because", VERBS), card(2, "Film 2", "because", VERBS[1:]))
    kinds = [[one["type"] for one in block["elements"]] for block in rendered(Reply("For you:", cards)).blocks
             if block["type"] == "actions"]  # fmt: skip
    assert kinds == [["button", "button", "button", "overflow"], ["button", "button", "overflow"]]


def test_as_many_films_as_there_can_be_fit_with_menus_of_them() -> None:
    cards = tuple(card(n, f"Film {n}", "because", VERBS) for n in range(1, 31))
    choices = tuple(Choice(str(n), Action(Verb.PICK, (5, n))) for n in range(30))
    message = rendered(Reply("For you:", cards, choices, "small"))
    assert not list(limits.message(message.sending()))
    menus = [element for element in elements_of(message.blocks) if element["type"] == "static_select"]
    assert len(menus) == len(VERBS)
    assert [len(menu["options"]) for menu in menus] == [30] * len(VERBS)
    for number in range(1, 31):
        assert f"{number}. Film {number} (1999)" in shown(message.blocks)


def test_a_long_text_is_cut_where_words_end() -> None:
    text = "\n".join(f"Line {number} of many" for number in range(2000))
    message = rendered(Reply(text))
    assert not list(limits.message(message.sending()))
    assert shown(message.blocks).strip().endswith("…")


def test_files_go_along() -> None:
    picture = File("a.png", "image/png", b"1")
    assert (
        rendered(Reply("Here", files=(File("all.zip", "application/zip", b"2"),), picture=picture)).files[1] == picture
    )


def test_escaping_can_be_taken_back() -> None:
    assert escaped("a & b < c > d &amp;") == "a &amp; b &lt; c &gt; d &amp;amp;"


class TestTypeAhead:
    def test_films_of_one_name_and_year_are_told_apart(self) -> None:
        cards = (Card(FilmId(1), "Same", 1999, ("Drama",)), Card(FilmId(2), "Same", 1999, ("Horror",)))
        options = film_options(Reply("", cards), "same", "en")
        assert [one["text"]["text"] for one in options] == ["Same (1999) – Drama", "Same (1999) – Horror"]
        assert [film_of(one["value"]) for one in options] == [1, 2]

    def test_what_no_film_is_called_can_be_entered_as_it_is(self) -> None:
        (option,) = film_options(Reply(""), "  Zzyzx Qwfpgj " + "x" * 300, "de")
        assert option["value"].startswith("Zzyzx Qwfpgj")
        assert len(option["value"]) <= 75
        assert len(option["text"]["text"]) <= 75
        assert film_options(Reply(""), "  ", "en") == []

    def test_there_are_as_many_as_slack_takes(self) -> None:
        many = tuple(Card(FilmId(n), "x" * 200, 1999, ()) for n in range(140))
        options = film_options(Reply("", many), "x", "en")
        assert len(options) == 100
        assert all(len(one["text"]["text"]) <= 75 for one in options)
