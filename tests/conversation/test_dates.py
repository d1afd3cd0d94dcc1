"""Days as people say them, seen from Friday 20 November 2026, 20:00."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation.dates import Exactness, day_of
from bot.conversation.phrases import phrases_for

MOMENT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "day", "exactness"),
    [
        ("today", date(2026, 11, 20), "day"),
        ("just", date(2026, 11, 20), "day"),
        ("Last night", date(2026, 11, 19), "day"),
        ("the day before yesterday", date(2026, 11, 18), "day"),
        ("on Monday", date(2026, 11, 16), "day"),
        ("last tuesday night", date(2026, 11, 17), "day"),
        ("3 days ago", date(2026, 11, 17), "day"),
        ("on 2019-05-03", date(2019, 5, 3), "day"),
        ("3 May 2019", date(2019, 5, 3), "day"),
        ("on the 3rd of May", date(2026, 5, 3), "day"),
        ("May 3", date(2026, 5, 3), "day"),
        ("in December", date(2025, 12, 1), "month"),
        ("in March 2020", date(2020, 3, 1), "month"),
        ("last week", date(2026, 11, 13), "month"),
        ("in 1999", date(1999, 1, 1), "year"),
        ("back in 1999", date(1999, 1, 1), "year"),
        ("tuesday of last week", date(2026, 11, 10), "day"),
        ("sunday of last week", date(2026, 11, 15), "day"),
        ("the thursday before last", date(2026, 11, 12), "day"),
        ("monday just gone", date(2026, 11, 16), "day"),
        ("the night after on Tuesday", date(2026, 11, 18), "day"),
        ("the day before that yesterday", date(2026, 11, 18), "day"),
        ("the night before last", date(2026, 11, 18), "day"),
        ("two days later 2026-11-15", date(2026, 11, 17), "day"),
        ("the day after", None, "unknown"),
        ("the day after last week", None, "unknown"),
        ("recently", None, "unknown"),
        ("a while ago", None, "unknown"),
        ("on the twelfth of never", None, "unknown"),
    ],
)
def test_a_day(words: str, day: date | None, exactness: str) -> None:
    said = day_of(words, MOMENT, phrases_for("en"), "en")
    assert (said.day, said.exactness.value) == (day, exactness)
    assert not said.in_future


@pytest.mark.parametrize(
    ("words", "now", "day"),
    [
        ("last month", date(2026, 10, 31), date(2026, 9, 1)),
        ("a month ago", date(2026, 3, 31), date(2026, 2, 1)),
        ("last month", date(2026, 1, 15), date(2025, 12, 1)),
    ],
)
def test_last_month_is_the_calendars(words: str, now: date, day: date) -> None:
    moment = datetime(now.year, now.month, now.day, 20, 0, tzinfo=UTC)
    said = day_of(words, moment, phrases_for("en"), "en")
    assert (said.day, said.exactness) == (day, Exactness.MONTH)


def test_last_year_is_the_calendars_on_the_last_day_of_a_leap_year() -> None:
    said = day_of("last year", datetime(2028, 12, 31, 20, 0, tzinfo=UTC), phrases_for("en"), "en")
    assert said.day is not None
    assert (said.day.year, said.exactness) == (2027, Exactness.YEAR)


@pytest.mark.parametrize("words", ["tomorrow", "in 2031", "on 2031-05-03", "in May 2030", "the day after today"])
def test_a_day_to_come_is_not_known(words: str) -> None:
    said = day_of(words, MOMENT, phrases_for("en"), "en")
    assert said.day is None
    assert said.exactness is Exactness.UNKNOWN
    assert said.in_future


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_words_break_it_or_lead_into_the_future(words: str) -> None:
    said = day_of(words, MOMENT, phrases_for("en"), "en")
    assert said.day is None or said.day <= MOMENT.date()
