"""What settings do: the day that “yesterday” is, the language, the usual dial, who sees replies."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversation.action import Verb
from bot.conversation.reply import Visibility
from storage.records import Visibility as AnswersSeen
from tests.conversation.person import Person, action_of

ONE_AT_NIGHT = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


async def day_of_yesterday(ada: Person, **told: str) -> str:
    ada.moment = ONE_AT_NIGHT
    await ada.say("watched Jaws yesterday", **told)
    (watch,) = (await ada.snapshot()).history
    return str(watch.watched_on)


async def test_yesterday_is_that_of_the_persons_own_zone(ada: Person) -> None:
    await ada.say("/settings time zone Los Angeles")  # where it is still the 19th
    assert await day_of_yesterday(ada) == "2026-11-18"


async def test_the_platforms_zone_comes_first(ada: Person) -> None:
    await ada.say("/settings time zone Los Angeles")
    assert await day_of_yesterday(ada, time_zone="Asia/Tokyo") == "2026-11-19"
    told = await ada.say("settings", time_zone="Asia/Tokyo")
    assert "Asia/Tokyo, as your profile here says; where none is told, America/Los_Angeles." in told.text


async def test_the_persons_zone_counts_where_the_platforms_is_none(ada: Person) -> None:
    await ada.say("/settings time zone Los Angeles")
    assert await day_of_yesterday(ada, time_zone="Mars/Olympus") == "2026-11-18"


async def test_the_servers_zone_comes_last(ada: Person) -> None:
    assert await day_of_yesterday(ada) == "2026-11-19"


async def test_an_undated_watch_is_told_on_the_persons_day(ada: Person) -> None:
    await ada.say("/settings time zone Los Angeles")
    ada.moment = ONE_AT_NIGHT
    await ada.say("watched Jaws")
    assert str((await ada.snapshot()).history[0].sorted_on) == "2026-11-19"


async def test_adventurousness_is_what_is_asked_of_the_engine(ada: Person) -> None:
    async def asked(said: str) -> object:
        await ada.say(said)
        slate = (await ada.snapshot()).last_slate
        assert slate is not None
        return slate.request["adventurousness"]

    assert await asked("what next?") == 0.3
    await ada.say("/settings adventurousness 0.85")
    assert await asked("what next?") == 0.85
    assert await asked("something well known") == 0.0
    assert await asked("what next?") == 0.85
    await ada.say("/settings adventurousness default")
    assert await asked("what next?") == 0.3


async def test_whoever_is_private_gets_every_reply_in_private(ada: Person) -> None:
    slate = await ada.say("what next?")
    assert slate.visibility is Visibility.PUBLIC
    set_ = await ada.say("answer privately")
    assert (await ada.snapshot()).preferences.visibility is AnswersSeen.PRIVATE
    for said in ("what next?", "watched Suspiria", "hi", "asdf", "why 1"):
        assert (await ada.say(said)).visibility is Visibility.PRIVATE, said
    assert (await ada.press(action_of(slate, Verb.WHY))).visibility is Visibility.PRIVATE
    assert (await ada.press(action_of(set_, Verb.UNDO))).visibility is Visibility.PRIVATE
    assert (await ada.say("what next?")).visibility is Visibility.PUBLIC


async def test_public_again(ada: Person) -> None:
    await ada.say("/settings private")
    assert (await ada.say("/settings public")).visibility is Visibility.PRIVATE
    assert (await ada.say("what next?")).visibility is Visibility.PUBLIC
    assert (await ada.say("settings")).visibility is Visibility.PRIVATE


async def test_a_language_that_is_set_comes_before_the_apps(ada: Person) -> None:
    await ada.say("/settings language en-GB")
    assert (await ada.snapshot()).preferences.locale == "en-GB"
    assert (await ada.say("hi", locale="de-DE")).text.startswith("Hello!")


@pytest.mark.parametrize("said", ["/settings private", "/settings time zone Berlin", "be more adventurous"])
async def test_a_setting_delivered_twice_is_set_once(ada: Person, said: str) -> None:
    first = await ada.say(said, event_id="set")
    kept = (await ada.snapshot()).preferences
    assert await ada.say(said, event_id="set") == first
    assert (await ada.snapshot()).preferences == kept


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("BERLIN", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("UTC", "UTC"),
        ("Etc/GMT+3", "Etc/GMT+3"),
        ("../../etc/passwd", None),
        ("/etc/localtime", None),
        ("Factory", None),
        ("", None),
    ],
)
async def test_a_zone_by_its_name_or_its_place(ada: Person, typed: str, zone: str | None) -> None:
    await ada.command("settings", setting="time zone", value=typed)
    assert (await ada.snapshot()).preferences.time_zone == zone


@pytest.mark.parametrize(
    ("typed", "locale"),
    [("de", "de"), ("DE_at", "de-at"), ("Deutsch", "de"), ("no", "no"), ("norwegian", "no"), ("x" * 300, None)],
)
async def test_a_language_by_its_name_or_code(ada: Person, typed: str, locale: str | None) -> None:
    await ada.command("settings", setting="language", value=typed)
    assert (await ada.snapshot()).preferences.locale == locale


@given(st.sampled_from(["time zone", "language", "adventurousness", "visibility", "group", ""]), st.text(max_size=80))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_value_gets_a_sentence(ada: Person, setting: str, value: str) -> None:
    reply = await ada.command("settings", setting=setting, value=value)
    assert reply.text
    assert "went wrong" not in reply.text
    assert all(c.isprintable() or c == "\n" for c in reply.text)
