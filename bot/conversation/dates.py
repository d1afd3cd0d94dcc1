"""Dates as people say them → a day and how exactly it is known: `day_of`.

Common words come from the phrases; everything else goes to dateparser, which is imported when it is first needed (it
takes a third of a second) and always told the language. Knows no titles: they are out of the text before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.conversation.grammar import plain, tokenize
from bot.conversation.phrases import Phrases, is_month_and_day, key_of

_YEAR = re.compile(r"(?:\D*\s)?(\d{4})")
_FIGURES = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")


class Exactness(StrEnum):
    """How exactly a day is known; the values are storage's."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class When:
    """A day (None: not known) and how exactly it is known."""

    day: date | None
    exactness: Exactness
    in_future: bool = False
    """It was a day, but one still to come."""


UNKNOWN = When(None, Exactness.UNKNOWN)


def day_of(words: str, moment: datetime, phrases: Phrases, language: str) -> When:
    """The day that words mean when they are said at `moment` (in the person's zone), never in the future.

    What can't be read, or lies in the future, is not known.
    """
    key = key_of(words)
    lead, _, others = key.partition(" ")
    known = phrases.days.get(key) or (phrases.days.get(others) if lead in phrases.date_words.instead else None)
    if known:
        if known.months is not None:
            years, month = divmod(moment.year * 12 + moment.month - 1 - known.months, 12)
            return When(date(years, month + 1, 1), Exactness(known.precision))
        if known.on is not None:
            last = _last_time(*known.on, moment).day or moment.date()
            return When(last if known.precision == "day" else last.replace(day=1), Exactness(known.precision))
        if known.ago is None:
            return UNKNOWN
        return When(moment.date() - timedelta(days=known.ago), Exactness(known.precision))
    if beside := max((said for said in phrases.days_beside if key.startswith(f"{said} ")), key=len, default=""):
        other = day_of(" ".join(words.split()[len(beside.split()) :]), moment, phrases, language)
        if other.day is None or other.exactness is not Exactness.DAY:
            return UNKNOWN
        return _not_future(replace(other, day=other.day + timedelta(days=phrases.days_beside[beside])), moment)
    if (earlier := _weeks_back(key, moment, phrases, language)) is not None:
        return earlier
    if is_month_and_day(words.split()[-1] if words.split() else ""):
        month, day = sorted(map(int, words.split()[-1].split("/")))
        return _last_time(month, day, moment)
    plain_words = [token.word for token in tokenize(words) if not token.is_mark]
    months = [phrases.months[word] for word in plain_words if word in phrases.months]
    figures = [word for word in plain_words if word[:1].isdigit() or word in phrases.ordinals]  # also “18th”, “third”
    if len(months) == 1 and all(len(figure) == 4 and figure.isdigit() for figure in figures):
        return _not_future(_month(months[0], int(figures[0]) if figures else None, moment), moment)
    if (year := _YEAR.fullmatch(" ".join(plain_words))) and len(plain_words) <= 4:
        first = _date(int(year.group(1)), 1, 1)
        return _not_future(When(first, Exactness.YEAR) if first else UNKNOWN, moment)
    return _not_future(_parsed(words, plain_words, moment, phrases, language), moment)


def _weeks_back(key: str, moment: datetime, phrases: Phrases, language: str) -> When | None:
    """The day of “tuesday of last week” and “the tuesday before last”; None when nothing of the kind is said."""
    said = phrases.date_words
    for beside in (*said.last_week, *said.week_before):
        if key.startswith(f"{beside} ") or key.endswith(f" {beside}"):
            day = day_of(key.replace(beside, "", 1).strip(), moment, phrases, language).day
            this_week = day is not None and day.isocalendar()[:2] == moment.isocalendar()[:2]
            back = timedelta(weeks=beside in said.week_before or this_week)
            return When(day - back, Exactness.DAY) if day else None
    return None


def _last_time(month: int, day: int, moment: datetime) -> When:
    """The last time that it was that day of a month; not known when there is none such this year or last."""
    for year in (moment.year, moment.year - 1):
        found = _date(year, month, day)
        if found and found <= moment.date():
            return When(found, Exactness.DAY)
    return UNKNOWN


def _month(month: int, year: int | None, moment: datetime) -> When:
    if year is None:
        year = moment.year if month <= moment.month else moment.year - 1
    first = _date(year, month, 1)
    return When(first, Exactness.MONTH) if first else UNKNOWN


def _parsed(words: str, plain_words: list[str], moment: datetime, phrases: Phrases, language: str) -> When:
    # dateparser knows no "on", "last friday night" or "on a friday", and few numbers in words.
    import dateparser

    text = " ".join(filter(None, (_told(word, phrases) for word in words.casefold().split())))
    settings: Any = {
        "RELATIVE_BASE": moment.replace(tzinfo=None),
        "PREFER_DATES_FROM": "past",
        "PREFER_DAY_OF_MONTH": "first",
        "RETURN_AS_TIMEZONE_AWARE": False,
        "DATE_ORDER": "YMD" if re.match(r"\d{4}", text) else "DMY",
    }
    found = dateparser.parse(text[:60], languages=[language], settings=settings)
    if found is None:
        return UNKNOWN
    units, said = set(plain_words), phrases.date_words
    if _FIGURES.search(text):
        exactness = Exactness.DAY
    elif units & said.year:
        exactness = Exactness.YEAR
    elif units & said.month or (units & said.week and found.date() < moment.date() - timedelta(days=20)):
        exactness = Exactness.MONTH
    else:
        exactness = Exactness.DAY
    return When(found.date(), exactness)


def _told(word: str, phrases: Phrases) -> str:
    """A word as dateparser is told it."""
    said = plain(word)
    number = phrases.numbers.get(said) or (phrases.ordinals.get(said) if said.isalpha() else None)
    if number == -1:
        number = None
    return phrases.date_words.instead.get(said, word if number is None else str(number))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _not_future(when: When, moment: datetime) -> When:
    return When(None, Exactness.UNKNOWN, in_future=True) if when.day and when.day > moment.date() else when
