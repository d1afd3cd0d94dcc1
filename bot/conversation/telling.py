"""Facts in words: days, marks, watches, reasons and wishes, as one language says them.

Pure functions of values and a `Say`. Knows no store and no platform, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from bot.conversation.context import Details
from bot.conversation.dates import Exactness
from bot.conversation.intents import State
from bot.conversation.phrases import Say
from engine.films import GENRES, Film
from engine.people import Person, Role
from engine.requests import Reason, ReasonKind, Request
from storage.records import IdentityKey

MAX_SHARED = 2
"""Genres (or a decade) and tags that two films share, of each so many are said."""
WATCHERS = "watchers"
"""The part of a reason's evidence that says how many of a group watched the first film that it names."""
MAX_TITLE = 60
"""Characters of a typed title that are shown."""


def shown_title(typed: str) -> str:
    """What somebody typed, as it is shown back: one line, without control characters, cut to `MAX_TITLE`."""
    line = " ".join("".join(c if c.isprintable() else " " for c in typed).split())
    return line if len(line) <= MAX_TITLE else f"{line[: MAX_TITLE - 1].rstrip()}…"


def either(say: Say, items: Sequence[str]) -> str:
    """“a, b or c”."""
    if len(items) < 2:
        return "".join(items)
    return say("list-or", before=say("list-comma").join(items[:-1]), last=items[-1])


def labels(say: Say, films: Iterable[Film]) -> str:
    """“Alien (1979) and Heat (1995)”."""
    return say.listed([film.label for film in films])


def day_in_words(say: Say, day: date | None, exactness: Exactness, today: date) -> str:
    """“today”, “3 May”, “May 2019”, “1999”, “some day”."""
    if day is None or exactness is Exactness.UNKNOWN:
        return say("when-unknown")
    month = say("months").split()[day.month - 1]
    if exactness is Exactness.YEAR:
        return say("when-year", year=day.year)
    if exactness is Exactness.MONTH:
        return say("when-month", month=month, year=day.year)
    if day == today:
        return say("when-today")
    if day == today - timedelta(days=1):
        return say("when-yesterday")
    return say("when-day" if day.year == today.year else "when-day-year", day=day.day, month=month, year=day.year)


def stars_in_words(rating: float) -> str:
    """“4”, “4.5”."""
    return f"{rating:.1f}".removesuffix(".0")


def opinion_in_words(say: Say, details: Details) -> list[str]:
    """What was thought of a film: the mark and the reaction."""
    said = []
    if details.rating is not None:
        said.append(say("detail-rating", stars=stars_in_words(details.rating)))
    if details.reaction is not None:
        said.append(say(f"detail-{details.reaction.value}"))
    return said


def details_in_words(say: Say, details: Details, today: date) -> str:
    """What was said about a watch, to go behind its film: “, yesterday, 4 of 5 stars”; empty when nothing was."""
    said = []
    if details.day is not None:
        said.append(day_in_words(say, details.day, details.exactness, today))
    if details.state is not State.FINISHED:
        said.append(say(f"detail-{details.state.value}"))
    return "".join(f", {part}" for part in said + opinion_in_words(say, details))


def accounts_in_words(say: Say, accounts: Iterable[IdentityKey]) -> str:
    """“Discord (123) and the terminal (ada)”."""
    said = []
    for account in accounts:
        key = f"platform-{account.platform}"
        platform = say(key) if say.has(key) else shown_title(account.platform.capitalize())
        said.append(say("account", platform=platform, user=shown_title(account.user)))
    return say.listed(said)


def genres_in_words(say: Say, genres: Iterable[str]) -> str:
    """“horror and sci-fi”, in the order of the catalogue."""
    wanted = set(genres)
    return say.listed([say(f"genre-{genre}") for genre in GENRES if genre in wanted])


def reason_in_words(say: Say, reason: Reason, *, with_shared: bool = False) -> str:
    """One reason, without a full stop; `with_shared` adds what the film has in common with the one it is due to, and
    those of the people asked for whose film it is."""
    told = _reason(say, reason, with_shared=with_shared)
    if with_shared and reason.people:
        return say("reason-people", people=people_in_words(say, reason.people), reason=told)
    return told


def people_in_words(say: Say, people: Iterable[Person]) -> str:
    """“directed by Alfred Hitchcock”, “with Meg Ryan and Tom Hanks”; of both, one after the other."""
    said = []
    for role in Role:
        names = [person.name for person in people if person.role is role]
        said += [say(f"people-{role.value}", names=say.listed(names))] if names else []
    return say("list-comma").join(said)


def _reason(say: Say, reason: Reason, *, with_shared: bool) -> str:
    films = labels(say, reason.films)
    if watchers := round((reason.evidence or {}).get(WATCHERS, 0)):
        if len(reason.films) > 1:
            return say("reason-group-between", films=films)
        return say("reason-group" if watchers > 1 else "reason-group-one", films=films, count=watchers)
    match reason.kind:
        case ReasonKind.BECAUSE_WATCHED | ReasonKind.LIKE:
            said = say(f"reason-{reason.kind.value}", films=films)
            shared = _telling_facts(reason.facts) if with_shared and len(reason.films) == 1 else ()
            return say("reason-both", reason=said, facts=facts_in_words(say, shared)) if shared else said
        case ReasonKind.SHARED:
            return say("reason-shared", films=films, facts=facts_in_words(say, reason.facts))
        case ReasonKind.POPULAR:
            return say("reason-popular", rank=round((reason.evidence or {}).get("rank", 0)))
        case ReasonKind.FACTS:
            return say("reason-facts", facts=facts_in_words(say, reason.facts))


def _telling_facts(facts: Sequence[str]) -> tuple[str, ...]:
    """The shared facts that are worth saying, a few: not a genre or a decade alone, which half of all films share."""
    plain = [fact for fact in facts if fact in GENRES or fact[:1].isdigit()]
    tags = [fact for fact in facts if fact not in plain][:MAX_SHARED]
    return (*plain[:MAX_SHARED], *tags) if tags or len(plain) > 1 else ()


def facts_in_words(say: Say, facts: Sequence[str]) -> str:
    """Facts of the catalogue, put together: “1970s horror, tagged italian and giallo”."""
    if not facts:
        return say("reason-facts-none")
    decades = [fact for fact in facts if fact[:1].isdigit() and fact.endswith("s") and fact[:-1].isdigit()]
    tags = [fact for fact in facts if fact not in decades and fact not in GENRES]
    genres = say("list-comma").join(say(f"genre-{fact}") for fact in facts if fact in GENRES)
    decade = say("list-comma").join(say("facts-decade", first=fact[:-1]) for fact in decades)
    what = say("facts-genres-decade", decade=decade, genres=genres) if decade and genres else decade or genres
    if tags and what:
        return say("reason-facts-tagged", what=what, tags=say.listed(tags))
    return say("reason-facts-tagged", what="", tags=say.listed(tags)).removeprefix(", ") if tags else what


def wish_in_words(say: Say, request: Request, liked: Sequence[Film], usual: float, left_out: Sequence[str] = ()) -> str:
    """What a slate was asked to be, capitalised; empty when nothing special was asked.

    `usual` is the usual dial, `left_out` the words for the unwanted tags.
    """
    said = []
    if request.genres:
        said.append(say("wish-genres", genres=genres_in_words(say, request.genres)))
    if request.without_genres:
        said.append(say("wish-without", genres=genres_in_words(say, request.without_genres)))
    first, last = request.years
    if first is not None and last is not None:
        if first == last:
            said.append(say("wish-year", first=first))
        elif first % 10 == 0 and last == first + 9:
            said.append(say("wish-decade", first=first))
        else:
            said.append(say("wish-years", first=first, last=last))
    elif first is not None:
        said.append(say("wish-since", first=first))
    elif last is not None:
        said.append(say("wish-until", last=last))
    for begin, end in request.without_years:
        decade = begin % 10 == 0 and end == begin + 9
        said.append(say("wish-not-decade" if decade else "wish-not-year", first=begin, last=end))
    if request.people:
        said.append(people_in_words(say, request.people))
    if request.without_people:
        names = [person.name for person in request.without_people]
        said.append(say("wish-without-people", names=either(say, names)))
    if liked:
        said.append(say("wish-like", films=labels(say, liked)))
    if request.tags:
        said.append(say("wish-tags", tags=say.listed(request.tags)))
    if left_out:
        said.append(say("wish-left-out", words=either(say, [say("quoted", words=word) for word in left_out])))
    if request.adventurousness >= max(0.7, usual + 0.2):
        said.append(say("wish-radar"))
    elif request.adventurousness <= min(0.15, usual - 0.1):
        said.append(say("wish-famous"))
    text = say("list-comma").join(said)
    return text[:1].upper() + text[1:]
