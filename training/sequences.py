"""From ratings to what is trained on and what is asked: a person's own bar, vocabulary, windows, questions.

Knows people, their ratings in time order and the recipe's sequence settings. Knows no files and no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.datasets import Ratings
from training.recipe import Films, SequenceSettings

Flags = npt.NDArray[np.bool_]
Ids = npt.NDArray[np.int64]

MIN_BEFORE = 10
"""Watches that must precede a target for a person to be tested on it."""


def bar(stars: npt.NDArray[np.float64], quantile: float) -> float:
    """The rating at that quantile of a person's ratings, the lower one where it falls between two."""
    return float(np.quantile(stars, quantile, method="lower"))


def selected(stars: npt.NDArray[np.float64], films: Films, settings: SequenceSettings) -> Flags:
    """Which of a person's ratings are meant: bool[n]. Nothing is, where there is nothing."""
    if films is Films.ALL or not len(stars):
        return np.ones(len(stars), np.bool_)
    quantile = settings.liked_quantile if films is Films.LIKED else settings.most_quantile
    return stars >= bar(stars, quantile)


NEWCOMER_FILMS = 10
"""A newcomer has told at most this many films."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The films the model is trained on: `films` int32[V], ascending; index 1…V, 0 is padding."""

    films: npt.NDArray[np.int32]

    @classmethod
    def of(
        cls, ratings: Ratings, people: Sequence[int] | Ids, min_ratings: int, catalog: npt.NDArray[np.int32]
    ) -> Vocabulary:
        """Films of the catalogue with at least `min_ratings` ratings by those people."""
        rated = [ratings.films[ratings.rows(int(person))] for person in people]
        films, counts = np.unique(np.concatenate(rated) if rated else ratings.films[:0], return_counts=True)
        return cls(np.intersect1d(films[counts >= min_ratings], catalog).astype(np.int32))

    def __len__(self) -> int:
        return len(self.films)

    def indices(self, films: npt.NDArray[np.integer]) -> Ids:
        """Index 1…V of each film, 0 for films outside."""
        places = np.minimum(np.searchsorted(self.films, films), len(self.films) - 1)
        found: Ids = np.where(self.films[places] == films, places + 1, 0)
        return found


@dataclass(frozen=True, slots=True)
class Watched:
    """What is trained on of one person: `ids` int64[n], the vocabulary indices that are fed, oldest first; `asked`
    bool[n], which of them the loss asks for; `liked` int64[m], the indices of the liked ones."""

    person: int
    ids: Ids
    asked: Flags
    liked: Ids


@dataclass(frozen=True, slots=True)
class Window:
    """A piece that is fed at once, at most L + 1 films: each with `asked` is asked for after those before it."""

    ids: Ids
    asked: Flags


def training_sequences(
    ratings: Ratings, people: Sequence[int] | Ids, vocabulary: Vocabulary, settings: SequenceSettings
) -> list[Watched]:
    """One a person, for people with at least `min_targets` targets and one film before the last."""
    made = []
    for person in map(int, people):
        rows = ratings.rows(person)
        stars, ids = ratings.stars[rows], vocabulary.indices(ratings.films[rows])
        asked = selected(stars, settings.targets, settings)
        if asked.sum() < settings.min_targets:
            continue
        fed = selected(stars, settings.inputs, settings) & (ids > 0)
        if fed.sum() >= 2 and (asked & fed)[1:].any():
            liked = ids[selected(stars, Films.LIKED, settings) & (ids > 0)]
            made.append(Watched(person, ids[fed], asked[fed], liked))
    return made


def windows(
    sequences: Sequence[Watched],
    length: int,
    rng: np.random.Generator,
    *,
    drop_inputs: float = 0.0,
    shuffle: float = 0.0,
) -> Iterator[Window]:
    """Pieces of at most `length` + 1 films that cover every sequence; neighbours share one film.

    The first cut of a long sequence is drawn anew, a share of the films (from 0 to `drop_inputs`) is left out, and a
    share `shuffle` of the sequences loses its order.
    """
    for sequence in sequences:
        ids, asked = sequence.ids, sequence.asked
        if drop_inputs:
            kept = rng.random(len(ids)) >= rng.random() * drop_inputs
            ids, asked = ids[kept], asked[kept]
        if shuffle and rng.random() < shuffle:
            order = rng.permutation(len(ids))
            ids, asked = ids[order], asked[order]
        first = int(rng.integers(1, length + 1)) if len(ids) > length + 1 else 0
        cuts = [0, *range(first, len(ids), length)] if first else [0]
        for start, end in zip(cuts, [*cuts[1:], len(ids)], strict=True):
            piece = slice(start, end + 1)
            if asked[piece][1:].any():
                yield Window(ids[piece], asked[piece])


def newcomer_windows(
    sequences: Sequence[Watched], length: int, rng: np.random.Generator, times: int
) -> Iterator[Window]:
    """Up to `NEWCOMER_FILMS` + 1 liked films of a person in random order, so many times each; all are asked for."""
    for sequence in sequences:
        for _ in range(times if len(sequence.liked) >= 2 else 0):
            ids = rng.permutation(sequence.liked)[: min(NEWCOMER_FILMS, length) + 1]
            yield Window(ids, np.ones(len(ids), np.bool_))


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked: `fed` and `liked` are the films of the recipe's input and the liked ones among those
    before, `seen` all of them, oldest first; `target` is the film that came next. Film ids."""

    person: int
    fed: Ids
    liked: Ids
    seen: Ids
    target: int


def question(ratings: Ratings, person: int, before: int, target: int, settings: SequenceSettings) -> Question:
    """Ask for `target` after the person's first `before` ratings; their bars come from those ratings alone."""
    rows = ratings.rows(person)
    films, stars = ratings.films[rows][:before], ratings.stars[rows][:before]
    fed, liked = selected(stars, settings.inputs, settings), selected(stars, Films.LIKED, settings)
    return Question(person, films[fed], films[liked], films, target)


def last_liked(ratings: Ratings, person: int, settings: SequenceSettings, count: int = 1) -> list[tuple[int, int]]:
    """(before, target film) of the person's last `count` liked films with `MIN_BEFORE` watches before them.

    What “liked” is comes from all ratings of the person, as in the protocol.
    """
    rows = ratings.rows(person)
    places = np.flatnonzero(selected(ratings.stars[rows], Films.LIKED, settings))[-count:]
    return [(int(place), int(ratings.films[rows][place])) for place in places if place >= MIN_BEFORE]


def without_last(ratings: Ratings) -> Ratings:
    """The ratings less the last of everybody who has two or more."""
    counts = np.diff(ratings.starts)
    kept = np.ones(len(ratings.films), np.bool_)
    kept[ratings.starts[1:][counts >= 2] - 1] = False
    starts = np.concatenate([[0], np.cumsum(np.where(counts >= 2, counts - 1, counts))]).astype(np.int64)
    return Ratings(ratings.people, starts, ratings.films[kept], ratings.stars[kept], ratings.times[kept])


def before(ratings: Ratings, until: int) -> Ratings:
    """The ratings before that moment (seconds since 1970); people who have none stay, without any."""
    kept = ratings.times < until
    starts = np.concatenate([[0], np.cumsum(kept)])[ratings.starts].astype(np.int64)
    return Ratings(ratings.people, starts, ratings.films[kept], ratings.stars[kept], ratings.times[kept])


def last_question(ratings: Ratings, person: int, settings: SequenceSettings) -> Question:
    """Ask for the last film of a person's ratings after all before it (leave-last-out)."""
    rows = ratings.rows(person)
    return question(ratings, person, rows.stop - rows.start - 1, int(ratings.films[rows][-1]), settings)


@dataclass(frozen=True, slots=True)
class People:
    """The protocol's split. `fold` int8[P]: 0…folds-1, -1 = never tested; `before` and `target` of each person."""

    fold: npt.NDArray[np.int8]
    before: Ids
    target: Ids


def protocol(ratings: Ratings, *, folds: int = 5, seed: int = 20261120) -> People:
    """Who is tested on what: each person's last liked film (70th percentile), in folds drawn over the people in the
    order of their names who have `MIN_BEFORE` watches before it. Fixed outside every recipe."""
    fixed = SequenceSettings(liked_quantile=0.7)
    before, target = np.zeros(len(ratings.people), np.int64), np.zeros(len(ratings.people), np.int64)
    for person in range(len(ratings.people)):
        rows = ratings.rows(person)
        before[person] = np.flatnonzero(selected(ratings.stars[rows], Films.LIKED, fixed))[-1]
        target[person] = ratings.films[rows][before[person]]
    fold = np.full(len(before), -1, np.int8)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(before >= MIN_BEFORE))
    fold[order] = np.arange(len(order)) % folds
    return People(fold, before, target)


def last_liked_questions(
    ratings: Ratings, split: People, people: Sequence[int] | Ids, settings: SequenceSettings
) -> list[Question]:
    """The protocol's question to each of those people: their last liked film, after everything before it."""
    return [question(ratings, int(p), int(split.before[p]), int(split.target[p]), settings) for p in people]
