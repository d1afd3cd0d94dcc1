"""Films of a person's own, which the catalogue lacks: found again by their titles, and named by what was typed.

Knows titles and years, and reads names as the engine does; knows no store. A film of one's own is its title and no
more: it is shown to its owner alone, and the engine, which does not know its id, never recommends it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from engine.films import Film
from engine.names import exact_key, loose_key
from engine.titles import MAX_CHOICES, Certainty, Link, Match

MAX_OWN_TITLE = 150
"""Characters up to which what was typed may be kept as a title."""
_WITH_YEAR = re.compile(r"(?P<title>.*\S)\s*[(\[]\s*(?P<year>(?:18|19|20)\d\d)\s*[)\]]")
_YEAR_LAST = re.compile(r"(?P<title>.*[^\s,])[\s,]+(?P<year>(?:18|19|20)\d\d)")


def title_and_year(typed: str) -> tuple[str, int | None]:
    """The title and the year of “Title (1999)”, on one line; the year is None where no bracket tells it."""
    line = one_line(typed)
    found = _WITH_YEAR.fullmatch(line)
    return (found["title"], int(found["year"])) if found else (line, None)


def one_line(text: str) -> str:
    """A text as it can be shown: on one line, without control and invisible characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def meant_by(typed: str, films: Sequence[Film], *, known_year: bool = False) -> list[Film]:
    """The films that are called just what was typed, a year in it counted.

    A film without a year goes with any year that was typed, unless a film of the catalogue has it (`known_year`).
    """
    line = one_line(typed)
    named: list[Film] = []
    for title, year in _readings(line):
        keys = {exact_key(title), loose_key(title)}
        for film in films:
            fits = year is None or film.year == year or (film.year is None and not known_year)
            if fits and film not in named and not keys.isdisjoint((exact_key(film.title), loose_key(film.title))):
                named.append(film)
    return named


def _readings(line: str) -> list[tuple[str, int | None]]:
    found = _WITH_YEAR.fullmatch(line)
    if found:
        return [(found["title"], int(found["year"]))]
    last = _YEAR_LAST.fullmatch(line)
    return [(line, None), *([(last["title"], int(last["year"]))] if last else [])]


def with_own(link: Link, films: Sequence[Film]) -> Link:
    """What a typed title means, films of one's own counted: they are what an exact title means, unless a film of the
    catalogue is clear too."""
    named = meant_by(link.text, films, known_year=link.certainty is not Certainty.UNKNOWN)
    # One that came back while it had been added anew is there twice, and called the same.
    own = list({film.label: film for film in reversed(named)}.values())[::-1]
    if not own:
        return link
    matches = tuple(Match(film.film_id, film.title, 1.0) for film in own)
    if link.certainty is Certainty.CLEAR or len(own) > 1:
        others = link.matches[:1] if link.certainty is Certainty.CLEAR else ()
        return Link(link.text, Certainty.AMBIGUOUS, (*matches, *others)[:MAX_CHOICES])
    runner_up = link.matches[0].film_id if link.certainty is Certainty.AMBIGUOUS else None
    return replace(link, certainty=Certainty.CLEAR, matches=matches, runner_up=runner_up)
