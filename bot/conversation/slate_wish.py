"""What a slate was asked to be, as it is kept with it: `SlateWish`, `to_kept`, `from_kept`.

“More”, “why?” and wishes that change the last one begin with it. Knows the engine's request and JSON; acts on nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.films import FilmId
from engine.people import Person, Role
from engine.requests import MAX_COUNT, Request


@dataclass(frozen=True, slots=True)
class SlateWish:
    """A request; the films shown before for the same wish; what its unwanted tags are called in people's words."""

    request: Request
    earlier: tuple[int, ...] = ()
    left_out: tuple[str, ...] = ()


def to_kept(wish: SlateWish) -> Mapping[str, object]:
    """The wish as JSON values; `from_kept` is its inverse but for reasons and seen films, which no wish is about."""
    request = wish.request
    return {
        "count": request.count,
        "like": [int(film_id) for film_id in request.like],
        "genres": sorted(request.genres),
        "without_genres": sorted(request.without_genres),
        "years": list(request.years),
        "without_years": [year for span in request.without_years for year in span],
        "tags": list(request.tags),
        "people": people_kept(request.people),
        "without_people": people_kept(request.without_people),
        "without_tags": list(request.without_tags),
        "without": sorted(int(film_id) for film_id in request.without),
        "adventurousness": request.adventurousness,
        "diversity": request.diversity,
        "earlier": list(wish.earlier),
        "left_out": list(wish.left_out),
    }


def people_kept(people: Sequence[Person]) -> list[list[str]]:
    """People as JSON values; `people_known` is its inverse."""
    return [[person.name, person.role.value] for person in people]


def people_known(kept: object) -> tuple[Person, ...]:
    """The people that were kept; none when there were none yet."""
    return tuple(Person(str(name), Role(role)) for name, role in kept) if isinstance(kept, list) else ()


def from_kept(kept: Mapping[str, object]) -> SlateWish:
    """The wish of a slate that was shown, by any version of this program."""

    def numbers(name: str) -> list[int]:
        listed = kept.get(name)
        return [int(n) for n in listed] if isinstance(listed, list) else []

    def texts(name: str) -> tuple[str, ...]:
        listed = kept.get(name)
        return tuple(str(text) for text in listed) if isinstance(listed, list) else ()

    def number(name: str, default: float) -> float:
        value = kept.get(name)
        return float(value) if isinstance(value, (int, float)) else default

    years = kept.get("years")
    first, last = years if isinstance(years, list) and len(years) == 2 else (None, None)
    spans = numbers("without_years")
    request = Request(
        count=min(max(int(number("count", 5)), 1), MAX_COUNT),
        like=tuple(map(FilmId, numbers("like"))),
        genres=frozenset(texts("genres")),
        without_genres=frozenset(texts("without_genres")),
        years=(first, last),
        without_years=tuple(zip(spans[::2], spans[1::2], strict=False)),
        tags=texts("tags"),
        people=people_known(kept.get("people")),
        without_people=people_known(kept.get("without_people")),
        without_tags=texts("without_tags"),
        without=frozenset(map(FilmId, numbers("without"))),
        adventurousness=number("adventurousness", 0.3),
        diversity=number("diversity", 0.3),
    )
    return SlateWish(request, tuple(numbers("earlier")), texts("left_out"))
