"""The Home tab and modals: within Slack's limits in every language, and what is entered is what commands take."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversation.arguments import by_name
from bot.conversation.commands import Name
from bot.conversation.intents import Adjust, LogWatches, Recommend, Unread
from bot.conversation.phrases import phrases_for
from bot.conversation.reply import Reply
from bot.slack.events import Where
from bot.slack.pages import COMMAND_OF, Form, Home, entered, form, home, own_of
from bot.wording import words_in
from tests.replies import CARDS, CHOICES, LONG
from tests.slack import limits
from tests.slack.wire import codes_of, shown

LOCALES = ["en-US", "de-DE", "es-ES", "ja-JP"]
WHERE = Where("T1", "C1", "U1", thread="5.0", response_url="https://hooks.slack.com/commands/T1/1/secret")
REPLIES = st.builds(
    lambda text, cards, choices: Reply(text, tuple(cards), tuple(choices), text[:99]), LONG, CARDS, CHOICES
)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("which", Form)
def test_slack_takes_every_form_in_every_language(which: Form, locale: str) -> None:
    assert not list(limits.view(form(which, locale, WHERE, shown=Reply("Your settings:\n  one\n  two"))))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REPLIES, REPLIES, REPLIES, st.none() | REPLIES, st.sampled_from(LOCALES))
def test_slack_takes_the_home_tab_whatever_it_shows(history, slate, kept, notice, locale) -> None:
    assert not list(limits.view(home(Home(history, slate, kept, notice), locale)))


def test_the_home_tab_has_its_parts_and_what_came_of_a_button_on_top() -> None:
    page = home(Home(Reply("one\n  today: Alien"), Reply("For you"), Reply("Set"), Reply("Saved.")), "en")
    text = shown(page["blocks"])
    parts = ["Saved.", "Recently watched", "today: Alien", "What next", "For you", "Settings", "Privacy"]
    assert sorted(parts, key=text.index) == parts
    own = [own_of(code) for code in codes_of(page["blocks"])]
    assert all(own)
    assert ("ask", "forget") in own


def test_what_is_none_of_our_own_buttons() -> None:
    for code in ("seen:1:2", "open:nonsense", "ask:", "", "more:1"):
        assert own_of(code) is None


class TestEntered:
    def sent(self, which: Form, **fields: object) -> dict:
        view = form(which, "en", WHERE, from_home=True)
        return {"view": {**view, "state": {"values": {name: {name: value} for name, value in fields.items()}}}}

    def test_a_watch(self) -> None:
        form = entered(
            self.sent(
                Form.LOG,
                film={"type": "external_select", "selected_option": {"value": "film:1214"}},
                when={"type": "datepicker", "selected_date": "2020-05-01"},
                rating={"type": "static_select", "selected_option": {"value": "4.5"}},
                finished={"type": "checkboxes", "selected_options": [{"value": "no"}]},
            )
        )
        assert form.given == {"film": "film:1214", "when": "2020-05-01", "rating": "4.5", "finished": "no"}
        assert (form.where, form.from_home) == (WHERE, True)
        (watch,) = by_name(COMMAND_OF[form.form], form.given, phrases_for("en"))
        assert isinstance(watch, LogWatches)
        assert (watch.rating, watch.when) == (4.5, "2020-05-01")

    def test_what_is_left_empty_is_not_given(self) -> None:
        empty = {"type": "static_select", "selected_option": None}
        assert entered(self.sent(Form.WISH, genre=empty, years={"type": "plain_text_input", "value": None})).given == {}

    def test_what_somebody_else_made_up_belongs_nowhere(self) -> None:
        body = self.sent(Form.LOG)
        for private in ("", "no JSON", '{"where": 1}', '{"where": {"x": 1}, "home": 1}', "[]"):
            body["view"]["private_metadata"] = private
            assert entered(body).where is None

    @pytest.mark.parametrize("which", [Form.WISH, Form.SETTINGS])
    def test_every_entry_of_every_menu_is_understood(self, which: Form) -> None:
        for block in form(which, "en", WHERE)["blocks"]:
            for option in block["element"].get("options", ()):
                given = {block["block_id"]: option["value"]}
                intents = by_name(COMMAND_OF[which], given, phrases_for("en"))
                assert intents
                assert not any(isinstance(intent, Unread) for intent in intents)
                assert all(isinstance(intent, Recommend | Adjust) for intent in intents)


class TestWords:
    @pytest.mark.parametrize("language", ["de", "es"])
    def test_every_language_has_all_of_them_with_the_same_gaps(self, language: str) -> None:
        english, other = words_in("bot.slack.words", "en"), words_in("bot.slack.words", language)
        assert set(other) == set(english)
        for key, words in other.items():
            assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", english[key])), key

    def test_there_are_none_that_nothing_says(self) -> None:
        source = "".join(
            file.read_text(encoding="utf-8") for file in files("bot.slack").iterdir() if file.name.endswith(".py")
        )
        for key in words_in("bot.slack.words", "en"):
            part, _, name = key.partition(".")
            said = f'"{key}"' in source or f'"{name}"' in source or f'f"{part}.' in source
            assert said, key

    def test_every_command_that_is_named_is_one(self) -> None:
        for language in ("en", "de", "es"):
            named = re.findall(r"[“„«]/(\w+)", " ".join(words_in("bot.slack.words", language).values()))
            assert set(named) <= {"watched", "next", "nextreel"}
            assert Name.WATCHED in named
