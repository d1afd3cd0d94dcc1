"""Slack's payloads as messages: who, where, by what an event is known, and what a text says without marks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.conversation.commands import Name
from bot.slack.events import (
    Asked,
    Profile,
    arguments_of,
    asked_in,
    identity_of,
    is_for_us,
    key_of,
    mentioned_in,
    origin_of,
    team_of,
    text_of,
    where_of,
)
from tests.slack.wire import BOT_USER, CHANNEL, TEAM, Wire

NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)


@pytest.fixture
def wire() -> Wire:
    """Payloads alone; nothing listens."""
    return Wire()


class TestWhichEvent:
    def test_a_message_that_comes_by_two_routes_is_one(self, wire: Wire) -> None:
        mention = wire.message("U1", "hello")
        twin = wire.event({**mention["event"], "type": "message", "channel_type": "channel"})
        assert mention["event_id"] != twin["event_id"]
        assert key_of(mention) == key_of(twin)
        assert key_of(mention) != key_of(wire.message("U1", "hello"))

    def test_other_events_are_known_by_their_numbers(self, wire: Wire) -> None:
        opened = wire.event({"type": "app_home_opened", "user": "U1", "tab": "home"})
        assert key_of(opened).event_id == opened["event_id"]
        assert key_of(opened).workspace == TEAM

    def test_two_interactions_are_two(self, wire: Wire) -> None:
        first, second = (wire.interaction("block_actions", "U1", actions=[]) for _ in range(2))
        assert key_of(first) == key_of(dict(first))
        assert key_of(first) != key_of(second)

    @pytest.mark.parametrize(
        ("more", "answered"),
        [
            ({}, True),
            ({"bot_id": "B1"}, False),
            ({"subtype": "bot_message"}, False),
            ({"subtype": "message_changed"}, False),
            ({"subtype": "message_deleted"}, False),
            ({"subtype": "file_share"}, True),
            ({"channel_type": "channel"}, False),
        ],
    )
    def test_only_what_people_say_to_the_bot_is_answered(self, wire: Wire, more: dict, answered: bool) -> None:
        assert is_for_us(wire.message("U1", "hello", kind="message", channel="D1", **more)) is answered

    def test_the_messages_tab_is_no_home(self, wire: Wire) -> None:
        assert is_for_us(wire.event({"type": "app_home_opened", "user": "U1", "tab": "home"}))
        assert not is_for_us(wire.event({"type": "app_home_opened", "user": "U1", "tab": "messages"}))


class TestWhere:
    def test_a_mention_is_answered_in_its_thread(self, wire: Wire) -> None:
        body = wire.message("U1", "hello")
        where = where_of(body)
        assert (where.channel, where.thread, where.spoken) == (CHANNEL, body["event"]["ts"], False)
        within = where_of(wire.message("U1", "hello", thread_ts="5.0"))
        assert (within.thread, within.spoken) == ("5.0", True)

    def test_a_direct_message_is_answered_beside_it_and_in_a_thread_there(self, wire: Wire) -> None:
        assert where_of(wire.message("U1", "hello", kind="message", channel="D1")).thread == ""
        assert where_of(wire.message("U1", "hello", kind="message", channel="D1", thread_ts="5.0")).thread == "5.0"

    def test_a_channel_is_one_conversation_and_a_thread_of_the_assistant_is_one(self, wire: Wire) -> None:
        def place(body: dict) -> tuple[str, str]:
            place = origin_of(body, Profile(), NOON, where_of(body)).place
            return place.channel, place.thread

        assert place(wire.message("U1", "a")) == place(wire.message("U1", "b", thread_ts="5.0")) == (CHANNEL, "")
        direct = wire.message("U1", "a", kind="message", channel="D1", thread_ts="5.0")
        assert place(direct) == ("D1", "5.0")

    def test_somebody_from_another_workspace_is_known_as_there(self, wire: Wire) -> None:
        body = wire.message("U1", "hello", user_team="T0OTHER")
        assert (identity_of(body).workspace, team_of(body)) == ("T0OTHER", TEAM)
        pressed = wire.interaction("block_actions", "U1", actions=[])
        pressed["user"]["team_id"] = "T0OTHER"
        assert (identity_of(pressed).workspace, team_of(pressed)) == ("T0OTHER", TEAM)

    def test_what_slack_knows_of_a_person_goes_along(self, wire: Wire) -> None:
        body = wire.message("U1", "hello")
        origin = origin_of(body, Profile("Ada", "Asia/Tokyo", "de-DE", administers=True), NOON, where_of(body))
        assert (origin.time_zone, origin.locale, origin.administers) == ("Asia/Tokyo", "de-DE", True)
        assert origin.event_id == key_of(body).event_id
        assert origin_of(body, Profile(), NOON, where_of(body), part="x").event_id != origin.event_id


class TestTexts:
    @pytest.mark.parametrize(
        ("said", "read"),
        [
            (f"<@{BOT_USER}> I watched Alien", "I watched Alien"),
            ("Q&amp;A &lt;3 <https://e.x/a|the page> <https://e.x/b>", "Q&A <3 the page https://e.x/b"),
            ("with <@U2> in <#C1|films> and <#C2>", "with Bob in #films and #C2"),
            ("<!here> <!subteam^S1|@club> <!date^1^{date}|May 3>", "here @club May 3"),
            ("with <@U9|carol>", "with carol"),
            ("&amp;lt; stays", "&lt; stays"),
        ],
    )
    def test_what_is_said_is_read_without_marks(self, said: str, read: str) -> None:
        assert text_of(said, BOT_USER, lambda user: {"U2": "Bob"}.get(user, "")) == read

    def test_who_is_mentioned(self) -> None:
        assert mentioned_in("<@U2> and <@U3|x> and <@U2>") == ("U2", "U3")


class TestCommands:
    @pytest.mark.parametrize(
        ("command", "text", "asked"),
        [
            ("/watched", " Alien yesterday ", Asked(Name.WATCHED, "Alien yesterday")),
            ("/next", "90s horror", Asked(Name.NEXT, "90s horror")),
            ("/nextreel", "", Asked(Name.HELP, "")),
            ("/nextreel", "why 2", Asked(Name.WHY, "2")),
            ("/nextreel", "/Undo", Asked(Name.UNDO, "")),
            ("/nextreel", "what have I watched?", Asked(None, "what have I watched?")),
        ],
    )
    def test_what_is_asked(self, command: str, text: str, asked: Asked) -> None:
        assert asked_in(command, text) == asked

    @pytest.mark.parametrize(
        ("rest", "given"),
        [
            ("allow <#C1|films>", {"allow": "C1", "allow_name": "films"}),
            ("disallow <#C1|films>", {"disallow": "C1"}),
            ("everywhere", {"everywhere": "yes"}),
            ("adventurousness 0.7", {"adventurousness": "0.7"}),
            ("nonsense", {}),
        ],
    )
    def test_settings_of_the_workspace(self, rest: str, given: dict) -> None:
        assert arguments_of(Asked(Name.SERVER, rest)) == given
