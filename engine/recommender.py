"""`Recommender`: histories and a request in, a ranked slate out.

Knows films, indices, the model and the catalogue. Knows no people (a member is a history) and no platforms, stores
nothing, and asks no network. Every number here is a setting of taste; the arithmetic is in `engine.rerank`,
`engine.space` and `engine.explain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from engine.bundle import Bundle
from engine.explain import Explainer
from engine.facts import Facts, Mask, Rows, eligible
from engine.films import Catalog, FilmId
from engine.inference import Floats, Provider
from engine.people import People, Role, shipped
from engine.requests import EventKind, Member, Pick, Reason, Request, Slate
from engine.rerank import NEUTRAL, best_known, cosines_as_likeness, dial, first_scores, for_group, relevance, varied
from engine.space import Indices, Space
from engine.titles import TitleIndex

CANDIDATES = 300
"""Films the graph hands over for each person: as far as the dial may reach without leaving what is relevant."""

VARIED_AMONG = 150
"""Of these the best, dial and tags counted, are what variety chooses from."""

UNLIKED = frozenset({EventKind.DISLIKED, EventKind.ABANDONED})
"""Watches that say nothing of what a person wants next: seen, but not told to the model."""

LIKED_FILMS = 0.55
LIKED_NEXT = 0.3
LIKED_PERSON = 0.25
"""With films to be like: how much they themselves, what people watch after them, and the person's history count."""

TAG_BONUS = 1.5
"""Relevance that carrying all wanted tags, rather than some, is worth."""

SHUNNED = 0.4
"""Relevance that a film loses by each standard deviation that it is nearer than one to films of an unwanted tag: few
films carry a tag that would fit them, and people who watch the ones watch the others."""

SHUNNED_FROM = 5
"""Films of unwanted tags that are needed to say where such films lie."""

KINSHIP = 1.5
"""Relevance that being just like a named film is worth, by genres, tags and year, when nobody has rated that film …"""

KINSHIP_HALVED = 10
"""… and half of that when this many have: what people watch with a film says more, once there are enough of them."""

RECENT = 3
"""The last films of a history that count by what they are, beside what the model makes of them …"""

RECENT_KINSHIP = 0.6
"""… with this much relevance for being just like them, halved by two watches, gone by a dozen."""

KINDRED = 100
"""Films most like a little known film that are candidates whatever the model says."""

STAND_INS = 12
"""Films of the vocabulary that stand for a film outside it, those most alike by genres, tags and year."""

TALKED_ABOUT = 0.6
"""Standard deviations of fame that having as many tags as are kept makes up for, among lesser known first films."""

FIRST_DIVERSITY = 0.9
"""Least variety for people of whom nothing is known."""

_GENRES_COUNT, _DECADE_COUNTS = 0.35, 0.1
_FIRST_GENRES_COUNT, _FIRST_DECADE_COUNTS = 0.4, 0.35


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request against this catalogue: what the members told the model, what may not be shown, what to be like."""

    histories: tuple[Indices, ...]
    hidden: Rows
    liked: tuple[tuple[int, int], ...]
    request: Request


class Recommender:
    """Answers requests from one bundle; thread-safe, and concurrent requests are computed together."""

    def __init__(self, bundle: Bundle, *, provider: Provider = "auto", titles: TitleIndex | None = None) -> None:
        """`titles` are the bundle's unless others are given. Raises BundleError when its parts cannot be used."""
        self.bundle = bundle
        self._titles = titles
        self.catalog: Catalog = bundle.catalog
        self._space = Space(bundle.model(provider), bundle.film_table)
        self._facts = Facts(self.catalog)
        v = len(bundle.vocabulary)
        self._rows = np.zeros(v + 1, np.intp)
        self._rows[1:] = np.searchsorted(self.catalog.film_ids, bundle.vocabulary)
        self._index_of_row = np.zeros(len(self.catalog), np.int64)
        self._index_of_row[self._rows[1:]] = np.arange(1, v + 1)
        self._genre_bits, self._years = self._facts.genre_bits[self._rows], self._facts.years[self._rows]
        popularity = np.asarray(bundle.popularity, np.float32)
        self._popularity = np.zeros(v + 1, np.float32)
        self._popularity[1:] = (popularity - popularity.mean()) / max(float(popularity.std()), 1e-6)
        self._explainer = Explainer(self._space, self._facts, self._rows)

    @property
    def titles(self) -> TitleIndex:
        """What people type → films of this bundle's catalogue."""
        return self.bundle.titles if self._titles is None else self._titles

    def recommend(self, members: Sequence[Member], request: Request) -> Slate:
        """The best films for one person, or for several together, that none of them has seen or dismissed.

        Films that a request names (`like`, `without`) and dismissed ones are never on the slate; `include_seen` lets
        seen ones back in. Genres, years, people and unwanted tags hold for every film. When the vocabulary has too few
        such films, the rest of the catalogue follows, by kinship and fame; films with a wanted tag come before all
        others. The slate is shorter than asked only when everything runs out. The same members and request give the
        same slate.
        """
        asked = self._asked(members, request)
        picks = self._picks(asked)
        rows = [row for row, _ in picks]
        reasons = self._reasons(asked, rows) if request.reasons else [self._explainer.facts(row) for row in rows]
        reasons = self._with_people(request, rows, reasons)
        return Slate(
            tuple(
                Pick(self.catalog.film_at(row), score, reason)
                for (row, score), reason in zip(picks, reasons, strict=True)
            ),
            self.bundle.label,
        )

    def similar(self, film_id: FilmId, count: int = 5, member: Member | None = None) -> Slate:
        """Films like one film, for anyone or for one person; empty when the catalogue does not hold the film."""
        if self.catalog.row_of(film_id) is None:
            return Slate((), self.bundle.label)
        return self.recommend([member or Member()], Request(count=count, like=(film_id,)))

    def why(self, members: Sequence[Member], film_id: FilmId, request: Request) -> tuple[Reason, ...]:
        """All true reasons for a film, strongest first; the last is what the film is. Empty for a film unknown here."""
        row = self.catalog.row_of(film_id)
        if row is None:
            return ()
        asked = self._asked(members, request)
        reasons = self._all_reasons(asked, [row])[0]
        told = [reason for reason in reasons if reason is not None]
        return tuple(self._with_people(request, [row] * len(told), told))

    def order(self, member: Member, film_ids: Sequence[FilmId]) -> tuple[FilmId, ...]:
        """The same films, those this person most likely means first: by the model and by how well known each is."""
        rows = {film_id: row for film_id in film_ids if (row := self.catalog.row_of(film_id)) is not None}
        weight = {
            film_id: 0.0 if film_id not in rows else float(self._facts.fame[rows[film_id]]) for film_id in film_ids
        }
        history = self._history(member)
        places = {film_id: int(self._index_of_row[row]) for film_id, row in rows.items() if self._index_of_row[row]}
        if len(history) and places:
            users = self._space.encode([history])
            standings = self._space.standings(users, np.array(list(places.values())))[0]
            for film_id, standing in zip(places, standings, strict=True):
                weight[film_id] += float(np.arcsinh(standing))
        return tuple(sorted(film_ids, key=lambda film_id: -weight[film_id]))

    # What is asked

    def _asked(self, members: Sequence[Member], request: Request) -> _Asked:
        hidden = {*request.without, *request.like}
        for member in members:
            hidden |= member.dismissed
            if not request.include_seen:
                hidden.update(event.film_id for event in member.history)
        liked = self._rows_of(request.like)
        return _Asked(
            histories=tuple(self._history(member) for member in members),
            hidden=self._rows_of(hidden),
            liked=tuple((int(row), int(self._index_of_row[row])) for row in liked),
            request=request,
        )

    def _rows_of(self, film_ids: Iterable[FilmId]) -> Rows:
        return self.catalog.rows_of(np.fromiter(film_ids, np.int64))

    def _history(self, member: Member) -> Indices:
        """The indices of what the person watched and did not dislike, oldest first; unknown films are skipped."""
        rows = self._rows_of(event.film_id for event in member.history if event.kind not in UNLIKED)
        indices = self._index_of_row[rows]
        return indices[indices > 0]

    def _users(self, asked: _Asked) -> Floats:
        """One scaled vector float32[P, D] for each member with a history, moved towards the films to be like.

        With no history at all but films to be like, one vector of those; with neither, no vector.
        """
        told = [history for history in asked.histories if len(history)]
        people = self._space.scaled(self._space.encode(told)) if told else np.zeros((0, 0), np.float32)
        if not asked.liked:
            return people
        places = self._liked_places(asked.liked)
        films = self._space.scaled(self._space.direction(places))
        following = self._space.scaled(self._space.encode([places]))
        like = LIKED_FILMS * films + LIKED_NEXT * following
        return self._space.scaled(like + LIKED_PERSON * people if told else like)

    def _liked_places(self, liked: Sequence[tuple[int, int]]) -> Indices:
        """The indices of the named films; for those outside the vocabulary, of their stand-ins."""
        places: list[int] = []
        for row, index in liked:
            if index:
                places.append(index)
            else:
                alike = self._facts.likeness(row, self._rows[1:]) + 0.02 * self._popularity[1:]
                places += (1 + np.argsort(-alike, kind="stable")[:STAND_INS]).tolist()
                places += self._namesakes(row)
        return np.array(places, np.int64)

    def _namesakes(self, row: int) -> list[int]:
        """Indices of films of the vocabulary that go by the same name: what was remade is the nearest kin there is."""
        title = self.catalog.names_at(row)[0]
        same = [match.film_id for match in self.titles.link(title).matches if match.name == title]
        return [index for other in self._rows_of(same) if (index := int(self._index_of_row[other]))]

    # Who comes first

    def _picks(self, asked: _Asked) -> list[tuple[int, float]]:
        """(row, score) of at most `request.count` films, best first: from the vocabulary, else from the rest.

        Where tags are wanted, films that carry none of them only follow when those that do have run out.
        """
        request, users = asked.request, self._users(asked)
        carried = self._facts.carries(request.tags)
        allowed = self._facts.carries(request.without_tags) == 0
        for first, last in request.without_years:
            allowed &= (self._facts.years < first) | (self._facts.years > last)
        tiers: list[Mask] = [allowed & (carried > 0), allowed & (carried == 0)] if request.tags else [allowed]
        if request.people or request.without_people:
            theirs = self._share_of_people(request)
            tiers = [tier & (theirs > 0) for tier in tiers]
            carried = carried + theirs
        picks: list[tuple[int, float]] = []
        for tier in tiers:
            for take in (partial(self._from_vocabulary, asked, users), partial(self._from_the_rest, asked)):
                if missing := request.count - len(picks):
                    found = take(tier, carried, missing)
                    lower = min(0.0, picks[-1][1] - 1 - found[0][1]) if picks and found else 0.0
                    picks += [(row, score + lower) for row, score in found]
        return picks

    # People

    @cached_property
    def people(self) -> People:
        """Who made films and who plays in them."""
        return shipped()

    def _share_of_people(self, request: Request) -> Floats:
        """Which share of the people asked for each film has, float32[N]; 0 for films of those who are not wanted."""
        share = np.zeros(len(self.catalog), np.float32) if request.people else np.ones(len(self.catalog), np.float32)
        for person in request.people:
            share[self.people.rows_of(person, self.catalog)] += 1 / len(request.people)
        for person in request.without_people:
            for role in Role:
                share[self.people.rows_of(replace(person, role=role), self.catalog)] = 0
            share[self._facts.carries((person.name,)) > 0] = 0  # credits that are not known, but a tag names them
        return share

    def _with_people(self, request: Request, rows: Sequence[int], reasons: Sequence[Reason]) -> list[Reason]:
        """The reasons, each with those of the people asked for whose film it is."""
        if not request.people:
            return list(reasons)
        theirs = {person: set(self.people.rows_of(person, self.catalog).tolist()) for person in request.people}
        return [
            replace(reason, people=tuple(person for person, films in theirs.items() if row in films))
            for row, reason in zip(rows, reasons, strict=True)
        ]

    # Films the model knows

    def _from_vocabulary(
        self, asked: _Asked, users: Floats, among: Mask, carried: Floats, wanted: int
    ) -> list[tuple[int, float]]:
        """(row, relevance) of at most `wanted` films of the vocabulary, best first.

        `among` bool[N] says which films of the catalogue may be taken, `carried` float32[N] which share of the wanted
        tags each carries.
        """
        request = asked.request
        allowed = eligible(self._genre_bits, self._years, request.genres, request.without_genres, request.years)
        allowed &= among[self._rows]
        allowed[0] = False
        allowed[self._index_of_row[asked.hidden]] = False
        unsung = allowed & (self._popularity <= best_known(request.adventurousness))
        if np.count_nonzero(unsung) >= wanted:
            allowed = unsung
        count = int(np.count_nonzero(allowed))
        if count == 0:
            return []
        if len(users):
            bias = np.where(allowed, np.float32(0), np.float32(-np.inf))
            kin = [self._kindred(row, allowed) for row, _ in asked.liked]
            found, scores = self._relevant(users, bias, count, kin)
            scores *= np.float32(self._trust(asked.liked))
            scores += dial(self._popularity[found], request.adventurousness)
        else:
            found = np.flatnonzero(allowed)
            scores = first_scores(self._popularity[found], request.adventurousness)
            if request.adventurousness > NEUTRAL:
                scores += np.float32(TALKED_ABOUT) * self._facts.tagged_share[self._rows[found]]
            scores = relevance(scores, scores)
        scores += np.float32(TAG_BONUS) * carried[self._rows[found]]
        scores -= self._shunned(request.without_tags, found)
        for row, _ in asked.liked:
            scores += np.float32(KINSHIP * self._unknown(row)) * self._facts.likeness(row, self._rows[found])
        if len(users) and not asked.liked:
            scores += self._recent_kinship(asked.histories, found)
        best = np.argsort(-scores, kind="stable")[:VARIED_AMONG]
        found, scores = found[best], scores[best]
        if len(users):
            diversity, genres, decades = request.diversity, _GENRES_COUNT, _DECADE_COUNTS
        else:
            diversity = max(request.diversity, FIRST_DIVERSITY)
            genres, decades = _FIRST_GENRES_COUNT, _FIRST_DECADE_COUNTS
        places = varied(scores, self._likeness(found, genres, decades), wanted, diversity)
        return [(int(self._rows[found[place]]), float(scores[place])) for place in places]

    def _shunned(self, tags: Sequence[str], found: Indices) -> Floats:
        """What films `found` lose by lying, in the model, where films of unwanted tags lie; float32[len(found)]."""
        carriers = self._index_of_row[np.flatnonzero(self._facts.carries(tags))] if tags else np.zeros(0, np.int64)
        carriers = carriers[carriers > 0]
        if len(carriers) < SHUNNED_FROM:
            return np.zeros(len(found), np.float32)
        standings = self._space.standings(self._space.direction(carriers), found)[0]
        lost: Floats = np.float32(SHUNNED) * np.maximum(standings - 1, np.float32(0))
        return lost

    def _unknown(self, row: int) -> float:
        """1 for a film that nobody rated, towards 0 for one whose vector rests on many."""
        return KINSHIP_HALVED / (KINSHIP_HALVED + int(self.catalog.rating_counts[row]))

    def _trust(self, liked: Sequence[tuple[int, int]]) -> float:
        """How much relevance counts when it is relevance to these films: less where little is known of them."""
        return 1.0 - 0.6 * float(np.mean([self._unknown(row) for row, _ in liked])) if liked else 1.0

    def _kindred(self, row: int, allowed: Mask) -> Indices:
        """Allowed films most alike a little known one, as candidates beside the model's; none if it is well known."""
        if self._unknown(row) < 0.2:
            return np.zeros(0, np.int64)
        places = np.flatnonzero(allowed)
        return places[np.argsort(-self._facts.likeness(row, self._rows[places]), kind="stable")[:KINDRED]]

    def _relevant(self, users: Floats, bias: Floats, count: int, others: Sequence[Indices]) -> tuple[Indices, Floats]:
        """The films most relevant to each of some people under one bias float32[V+1], and `others`; their relevance."""
        k = min(CANDIDATES, count)
        _, found = self._space.model.score(users, bias[None].repeat(len(users), axis=0), k)
        together = np.unique(np.concatenate([found.ravel(), *others]))
        standings = self._space.standings(users, together)
        own = np.searchsorted(together, found)
        relevances = [relevance(s, s[places]) for s, places in zip(standings, own, strict=True)]
        return together, for_group(np.stack(relevances))

    def _recent_kinship(self, histories: Sequence[Indices], found: Indices) -> Floats:
        """What likeness to the last films watched adds for films `found`: the model knows little of a short history."""
        total = np.zeros(len(found), np.float32)
        told = [history for history in histories if len(history)]
        for history in told:
            weight = RECENT_KINSHIP * 2 / (2 + len(history)) if len(history) < 12 else 0.0
            last = dict.fromkeys(history[-RECENT:].tolist()) if weight else {}
            for index in last:
                alike = self._facts.likeness(int(self._rows[index]), self._rows[found])
                total += np.float32(weight / len(last) / len(told)) * alike
        return total

    def _likeness(self, indices: Indices, genres: float, decades: float) -> Floats:
        """How alike films are, float32[C, C] from 0 to 1: in the model, by genres and by decade."""
        rows = self._rows[indices]
        kinds = self._facts.genre_vectors[rows]
        decade = self._facts.years[rows] // 10
        alike: Floats = (1 - genres - decades) * cosines_as_likeness(self._space.units(indices))
        alike += np.float32(genres) * (kinds @ kinds.T)
        alike += np.float32(decades) * (decade[:, None] == decade[None, :])
        return alike

    # Films it has never met

    def _from_the_rest(self, asked: _Asked, among: Mask, carried: Floats, wanted: int) -> list[tuple[int, float]]:
        """(row, score) of at most `wanted` films outside the vocabulary, best first; `among` and `carried` as above."""
        request = asked.request
        bits, years = self._facts.genre_bits, self._facts.years
        allowed = eligible(bits, years, request.genres, request.without_genres, request.years)
        allowed &= among
        allowed &= self._index_of_row == 0
        allowed[asked.hidden] = False
        rows = np.flatnonzero(allowed)
        scores = first_scores(self._facts.fame[rows], request.adventurousness)
        scores = scores + np.float32(2 * TAG_BONUS) * carried[rows]
        for kin in self._kin(asked):
            scores = scores + np.float32(2 * KINSHIP) * self._facts.likeness(kin, rows)
        best = np.argsort(-scores, kind="stable")[:wanted]
        return [(int(rows[i]), float(scores[i])) for i in best]

    def _kin(self, asked: _Asked) -> list[int]:
        """Rows that a film outside the vocabulary is compared with: films to be like, else the last few watched."""
        if asked.liked:
            return [row for row, _ in asked.liked]
        return [int(self._rows[index]) for history in asked.histories for index in history[-3:]]

    # Reasons

    def _reasons(self, asked: _Asked, rows: Sequence[int]) -> list[Reason]:
        """The strongest reason for each film of a slate."""
        return [next(reason for reason in reasons if reason is not None) for reasons in self._all_reasons(asked, rows)]

    def _all_reasons(self, asked: _Asked, rows: Sequence[int]) -> list[list[Reason | None]]:
        """For each film its possible reasons, strongest first; the last one always holds."""
        indices = self._index_of_row[np.array(rows, np.intp)]
        watched: list[Reason | None] = [None] * len(rows)
        known = np.flatnonzero(indices)
        if any(map(len, asked.histories)) and len(known):
            for place, reason in zip(
                known, self._explainer.because_watched(asked.histories, indices[known]), strict=True
            ):
                watched[place] = reason
        seen = self._rows[np.unique(np.concatenate(asked.histories))] if asked.histories else np.zeros(0, np.intp)
        named = np.array([row for row, _ in asked.liked], np.intp)
        explain, every = self._explainer, []
        for row, index, because in zip(rows, indices, watched, strict=True):
            like = explain.like(row, int(index), asked.liked) if asked.liked else None
            if asked.liked:
                every.append([like, explain.shared(row, named) if like is None else None, because])
            else:
                every.append([because, explain.shared(row, seen)])
            every[-1] += [explain.popular(row), explain.facts(row)]
        return every
