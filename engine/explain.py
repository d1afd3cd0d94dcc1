"""Reasons, each with its evidence: what a watch did for a film's score, what films share, what a film is.

Knows the model's space and the catalogue's facts. Knows nothing of how a slate was chosen and of words: it hands out
`Reason` values, and every one is true. An influence is measured, not guessed: the watch is left out of the history, the
history is encoded again, and the film's standing is seen to fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.facts import Facts, Rows
from engine.films import Film
from engine.inference import Floats
from engine.requests import Reason, ReasonKind
from engine.space import Indices, Space

MOST_WATCHES_TRIED = 16
"""Watches left out in turn for one slate; a longer history would take longer than an answer may."""

LATEST_TRIED = 8
"""So many of them are the last ones watched, shared among the members of a group."""

MATERIAL_FALL = 0.1
"""An influence is named when the film's standing falls by at least this many standard deviations without the watch …"""

MATERIAL_SHARE = 0.04
"""… and by at least this share of the standing."""

SECOND_SHARE = 0.5
"""A second watch is named beside the first when its fall is at least this share of the first's."""

NEAR = 3.0
"""A film is near a named one when their cosine is this many standard deviations above that film's mean cosine."""

FEW_RATINGS = 20
"""Nearness to a film with fewer ratings is not called that unless the catalogue bears it out: its vector is a guess."""

FAME_TELLS = 0.03
"""Likeness that one standard deviation of fame makes up for, when a film to compare with is chosen."""

WELL_KNOWN = 300
"""Places by number of ratings that count as popular."""


@dataclass(frozen=True, slots=True)
class Influence:
    """How far the standings of a slate's films fall without a watched film: `falls` float32[films], > 0 is a fall."""

    index: int
    falls: Floats


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found for a slate: influences, and each film's highest standing with a member, float32[films]."""

    standings: Floats
    influences: tuple[Influence, ...]


def influences(
    space: Space, histories: Sequence[Indices], slate: Indices, most: int | None = MOST_WATCHES_TRIED
) -> Measured:
    """Measure what the watches in `histories` (indices, oldest first; one a person) do for the films of `slate`.

    All of a film's watches are left out together. At most `most` films are tried: the last ones watched, on which the
    encoder leans most, and those nearest the slate's films, each film of the slate having its nearest tried in turn;
    None tries all that the encoder reads. One batch in all. In a group a film that several watched counts for the one
    for whom it matters most.
    """
    length = space.model.max_length
    tried = _tried(space, [history[-length:] for history in histories], slate, most)
    users = [history for history in histories if len(history)]
    left_out = [(histories[person], index) for person, index in tried]
    if not left_out or not len(slate):
        return Measured(np.zeros(len(slate), np.float32), ())
    encoded = space.encode([*users, *(history[history != index] for history, index in left_out)])
    standings = space.standings(encoded, slate)
    whole = {id(history): standings[i] for i, history in enumerate(users)}
    best: dict[int, Floats] = {}
    for (history, index), without in zip(left_out, standings[len(users) :], strict=True):
        if len(history) == np.count_nonzero(history == index):
            without = np.zeros_like(without)  # nothing is left: no film stands above any other
        falls = whole[id(history)] - without
        best[index] = np.maximum(best[index], falls) if index in best else falls
    highest = standings[: len(users)].max(axis=0)
    return Measured(highest, tuple(Influence(index, falls) for index, falls in best.items()))


def _tried(space: Space, watched: Sequence[Indices], slate: Indices, most: int | None) -> list[tuple[int, int]]:
    """(person, index) of the watched films to try: the latest of each person, then the slate's films take turns to name
    their nearest."""
    latest_first = [dict.fromkeys(indices[::-1].tolist()) for indices in watched]
    pairs = [(person, index) for person, indices in enumerate(latest_first) for index in indices]
    if most is None or len(pairs) <= most:
        return pairs
    share = LATEST_TRIED // len(watched)
    latest = [(person, index) for person, indices in enumerate(latest_first) for index in list(indices)[:share]]
    cosines = space.units(np.array([index for _, index in pairs])) @ space.units(slate).T
    # Places by (rank in the film's own order), film after film, without repetition.
    turns = np.argsort(-cosines, axis=0, kind="stable").ravel()
    return list(dict.fromkeys([*latest, *(pairs[place] for place in turns.tolist())]))[:most]


class Explainer:
    """Makes reasons for films of the vocabulary and outside it. `rows` is the catalogue row of each index, 0…V."""

    def __init__(self, space: Space, facts: Facts, rows: npt.NDArray[np.intp]) -> None:
        self._space = space
        self._facts = facts
        self._rows = rows

    def because_watched(
        self, histories: Sequence[Indices], slate: Indices, most: int | None = MOST_WATCHES_TRIED
    ) -> list[Reason | None]:
        """For each film of the slate the one or two watches that raised it most, or None when none did materially."""
        measured = influences(self._space, histories, slate, most)
        if not measured.influences:
            return [None] * len(slate)
        falls = np.stack([influence.falls for influence in measured.influences])  # (watches, films)
        reasons: list[Reason | None] = []
        for index, column, standing in zip(slate, falls.T, measured.standings, strict=True):
            order = np.argsort(-column, kind="stable")
            least = max(MATERIAL_FALL, MATERIAL_SHARE * float(standing))
            if column[order[0]] < least:
                reasons.append(None)
                continue
            named = [i for i in order[:2] if column[i] >= max(least, SECOND_SHARE * column[order[0]])]
            evidence = {"standing": float(standing), "fall": float(column[named[0]])}
            if len(named) > 1:
                evidence["second_fall"] = float(column[named[1]])
            watched = [int(self._rows[measured.influences[i].index]) for i in named]
            films = tuple(self._film(row) for row in watched)
            shared = self._facts.shared(int(self._rows[index]), watched[0])
            reasons.append(Reason(ReasonKind.BECAUSE_WATCHED, films=films, facts=shared, evidence=evidence))
        return reasons

    def like(self, row: int, index: int, liked: Sequence[tuple[int, int]]) -> Reason | None:
        """Near, in the model, to a named film, or None; they are (row, index), index 0 is outside the vocabulary."""
        known = [(other, place) for other, place in liked if place]
        if not known or not index:
            return None
        measured = [self._space.nearness(place, np.array([index])) for _, place in known]
        best = max(range(len(known)), key=lambda i: float(measured[i][1][0]))
        cosine, deviations = (float(part[0]) for part in measured[best])
        if deviations < NEAR:
            return None
        other = known[best][0]
        shared = self._facts.shared(row, other)
        if not shared and self._facts.catalog.rating_counts[other] < FEW_RATINGS:
            return None
        return Reason(
            ReasonKind.LIKE,
            films=(self._film(other),),
            facts=shared,
            evidence={"cosine": cosine, "deviations": deviations},
        )

    def shared(self, row: int, others: Rows) -> Reason | None:
        """Shares genres and more with a film watched or named: the one it shares most with; None when that is little.

        Little is: neither a tag, nor two genres, nor a genre and the decade.
        """
        if not len(others):
            return None
        alike = self._facts.likeness(row, others)
        # Of films that are about as much alike, the best known says most.
        other = int(others[int(np.argmax(alike + np.float32(FAME_TELLS) * self._facts.fame[others]))])
        shared = self._facts.shared(row, other)
        tags = set(self._facts.telling_tags(row)) & set(shared)
        if not tags and len(shared) < 2:
            return None
        evidence = {"alike": float(alike[others == other][0])}
        return Reason(ReasonKind.SHARED, films=(self._film(other),), facts=shared, evidence=evidence)

    def popular(self, row: int) -> Reason | None:
        """Among the most rated films of the catalogue, or None."""
        rank = self._facts.fame_rank(row)
        if rank > WELL_KNOWN:
            return None
        return Reason(ReasonKind.POPULAR, facts=self._facts.facts(row), evidence={"rank": float(rank)})

    def facts(self, row: int) -> Reason:
        """What the film is."""
        return Reason(ReasonKind.FACTS, facts=self._facts.facts(row))

    def _film(self, row: int) -> Film:
        return self._facts.catalog.film_at(row)
