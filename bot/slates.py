"""Slates that were computed for the same history and wish before, by this process or another, are not computed again.

Knows what a slate depends on and how it is written down; what is kept may vanish at any moment (`storage.cache`).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

from engine.films import Catalog, Film, FilmId
from engine.people import Person, Role
from engine.recommender import Recommender
from engine.requests import Member, Pick, Reason, ReasonKind, Request, Slate
from storage.cache import Cache
from storage.records import PersonId

KEPT_SECONDS = 900.0
"""A slate is asked for again within minutes or hardly ever."""


class Slates:
    """Asks one recommender, or what it answered before."""

    def __init__(self, recommender: Recommender, cache: Cache) -> None:
        self._recommender = recommender
        self._cache = cache

    async def recommend(self, person: PersonId, history_version: int, member: Member, request: Request) -> Slate:
        """The slate for a person whose history is as it was kept at that version."""

        async def make() -> Slate:
            return await asyncio.to_thread(self._recommender.recommend, [member], request)

        return await self._cache.get_or_make(
            person,
            self._key(history_version, request),
            make,
            encode=encode,
            decode=lambda kept: decode(kept, self._recommender.catalog),
            seconds=KEPT_SECONDS,
        )

    async def forget(self, person: PersonId) -> None:
        """Drop what is kept for a person."""
        await self._cache.forget(person)

    def _key(self, history_version: int, request: Request) -> str:
        asked = {
            name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(request).items()
        }
        return json.dumps(["slate", self._recommender.bundle.manifest.checksum, history_version, asked])


def encode(slate: Slate) -> bytes:
    """The slate as JSON; `decode` is its inverse."""
    picks = [
        [
            int(pick.film.film_id),
            float(pick.score),
            pick.reason.kind.value,
            [int(film.film_id) for film in pick.reason.films],
            list(pick.reason.facts),
            None if pick.reason.evidence is None else {k: float(v) for k, v in pick.reason.evidence.items()},
            [[person.name, person.role.value] for person in pick.reason.people],
        ]
        for pick in slate.picks
    ]
    return json.dumps([slate.bundle, picks]).encode()


def decode(kept: bytes, catalog: Catalog) -> Slate:
    """The slate that was written down; ValueError when it is none, or of another catalogue."""

    def film(film_id: int) -> Film:
        found = catalog.film(FilmId(film_id))
        if found is None:
            raise ValueError("a film of another catalogue")
        return found

    bundle, picks = json.loads(kept)
    return Slate(
        tuple(
            Pick(
                film(film_id),
                score,
                Reason(
                    ReasonKind(kind),
                    tuple(map(film, films)),
                    tuple(facts),
                    evidence,
                    tuple(Person(name, Role(role)) for name, role in people),
                ),
            )
            for film_id, score, kind, films, facts, evidence, people in picks
        ),
        bundle,
    )
