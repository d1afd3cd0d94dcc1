"""What is asked of the engine and what it answers: `Member` and `Request` in, `Slate` out.

Plain values; knows nothing of people's names, platforms or how an answer is computed (`engine.recommender`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.films import GENRES, Film, FilmId
from engine.people import Person

MAX_COUNT = 50
"""Most films one slate may hold."""


class EventKind(StrEnum):
    """What a person made of a film, as the model may be told. Bundles that know no kinds see only the first three."""

    WATCHED = "watched"
    LIKED = "liked"
    REWATCHED = "rewatched"
    DISLIKED = "disliked"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Event:
    """One watch as the engine sees it."""

    film_id: FilmId
    kind: EventKind = EventKind.WATCHED


@dataclass(frozen=True, slots=True)
class Member:
    """One person an answer is for: `history` oldest first, and the films that were dismissed or waved off."""

    history: tuple[Event, ...] = ()
    dismissed: frozenset[FilmId] = frozenset()


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `genres` must all be there, none of `without_genres` may be; `years` is inclusive, None is open.

    Years within one of `without_years`, each from and to, are left out. `people`: a film must have one of them, those
    with more come first; `without_people`: none of them, whatever they did. `tags` prefers films that carry them (it
    never empties a slate). Films that carry one of `without_tags` are left out, and films much like those come later.
    `adventurousness` runs from 0 (well-known films) to 1 (under the radar), `diversity` from 0 (the best scores) to 1
    (as varied as can be). `without` is never shown: films already on an earlier slate of the same question, say.
    """

    count: int = 5
    like: tuple[FilmId, ...] = ()
    genres: frozenset[str] = frozenset()
    without_genres: frozenset[str] = frozenset()
    years: tuple[int | None, int | None] = (None, None)
    without_years: tuple[tuple[int, int], ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    without_people: tuple[Person, ...] = ()
    without: frozenset[FilmId] = frozenset()
    include_seen: bool = False
    adventurousness: float = 0.3
    diversity: float = 0.3
    reasons: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_COUNT:
            raise ValueError(f"a slate holds 1 to {MAX_COUNT} films, not {self.count}")
        for name in ("adventurousness", "diversity"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} runs from 0 to 1, not {getattr(self, name)}")
        if unknown := sorted((self.genres | self.without_genres) - set(GENRES)):
            raise ValueError(f"“{unknown[0]}” is none of MovieLens' genres")


class ReasonKind(StrEnum):
    """Where a reason comes from: a measured influence, a film that was named, or a fact of the catalogue."""

    BECAUSE_WATCHED = "because-watched"
    """Leaving these watches out lowers the film's score; `evidence` says by how much, `facts` what it shares with the
    first of them (possibly nothing)."""
    LIKE = "like"
    """Near, in the model, to a film that the request named; `evidence` holds the cosine, `facts` what they share."""
    SHARED = "shared"
    """Shares genres, decade or tags (`facts`) with films that the person watched or named (`films`)."""
    FACTS = "facts"
    """What the film is: `facts` alone, e.g. decade and genres."""
    POPULAR = "popular"
    """Among the most rated films of the catalogue; `evidence["rank"]` is its place."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a film is on the slate, with its evidence. The words are the conversation's; everything in here is true."""

    kind: ReasonKind
    films: tuple[Film, ...] = ()
    facts: tuple[str, ...] = ()
    evidence: Mapping[str, float] | None = None
    people: tuple[Person, ...] = ()
    """Those of the people asked for who directed the film or play in it."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One film of a slate: its score (higher is better, comparable within the slate) and why it is there."""

    film: Film
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Slate:
    """The ranked answer, best first. It may be shorter than asked, or empty, when the filters leave too little."""

    picks: tuple[Pick, ...]
    bundle: str
    """Name and version of the bundle that made it."""
