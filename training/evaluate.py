"""How good a bundle is: the exported graphs, asked about people that they have not seen.

Knows questions, ranks, and the figures that come of them with their uncertainty. The bundle is asked through the
engine, as the bot does; a baseline by its scores. Knows no torch.

Ranking is over the whole catalogue, less what the person rated before: films outside the vocabulary come last, so a
target among them is a miss. Of films with the same score the target counts as the last.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.bundle import Bundle
from engine.inference import left_padded_ids
from training import beyond
from training.baselines import Baseline
from training.datasets import Dataset, Ratings
from training.recipe import Films, SequenceSettings
from training.sequences import MIN_BEFORE, Question, Vocabulary, question, selected

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MISS = 0
"""The rank of a target that can never be found."""
TOP = 10
TOLD = (1, 3, 5, 10)
"""How many liked films a newcomer has told, in the figures for newcomers."""

_BATCH = 128
_HISTORY_SLICES = ((10, 30), (30, 100), (100, None))
_POPULARITY_SLICES = ((0, 10), (10, 100), (100, None))
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered to N questions: `ranks` int64[N] from 1 (`MISS`: not to be found) and `top` int64[N, 10], the
    vocabulary indices of the first ten (0 where there are fewer)."""

    ranks: Ids
    top: Ids

    @classmethod
    def join(cls, parts: Sequence[Answers]) -> Answers:
        return cls(np.concatenate([part.ranks for part in parts]), np.concatenate([part.top for part in parts]))


def rank_of(scores: npt.NDArray[np.floating], target: int, seen: Ids) -> int:
    """The place of index `target` among `scores` (float[V+1]; index 0 is none) without `seen`; ties at their worst.

    `MISS` when the target is outside the vocabulary (0) or among `seen`.
    """
    allowed = np.ones(len(scores), np.bool_)
    allowed[seen] = False
    allowed[0] = False
    if not allowed[target]:
        return MISS
    return int((scores[allowed] >= scores[target]).sum())


def hit(ranks: Ids, top: int) -> Floats:
    """1 where the target is among the first `top`, else 0."""
    found: Floats = ((ranks != MISS) & (ranks <= top)).astype(np.float64)
    return found


def ndcg(ranks: Ids, top: int = TOP) -> Floats:
    """1 / log2(rank + 1) where the target is among the first `top`, else 0: there is one relevant film."""
    gain: Floats = hit(ranks, top) / np.log2(np.maximum(ranks, 1) + 1)
    return gain


def reciprocal(ranks: Ids) -> Floats:
    """1 / rank, 0 for a miss."""
    return np.where(ranks == MISS, 0.0, 1.0 / np.maximum(ranks, 1))


def ask_bundle(bundle: Bundle, questions: Sequence[Question]) -> Answers:
    """The bundle's answers, through the engine's CPU sessions."""
    vocabulary = Vocabulary(np.asarray(bundle.vocabulary))
    size, length = len(vocabulary), bundle.manifest.max_length
    model = bundle.model("cpu")
    ranks, tops = [], []
    for start in range(0, len(questions), _BATCH):
        batch = questions[start : start + _BATCH]
        fed = [_known(vocabulary, one.fed) for one in batch]
        bias = np.zeros((len(batch), size + 1), np.float32)
        for row, one in zip(bias, batch, strict=True):
            row[vocabulary.indices(one.seen)] = -np.inf
            row[0] = -np.inf
        found, indices = model.score(model.encode(left_padded_ids(fed, length)), bias, size)
        for scores, places, row, one in zip(found, indices, bias, batch, strict=True):
            unsorted = np.full(size + 1, -np.inf, np.float32)
            unsorted[places] = scores
            ranks.append(rank_of(unsorted, _index(vocabulary, one.target), np.flatnonzero(np.isneginf(row))))
            tops.append(_padded(places[:TOP][np.isfinite(scores[:TOP])]))
    return Answers(np.array(ranks, np.int64), np.array(tops, np.int64).reshape(-1, TOP))


def top_accuracy(bundle: Bundle, questions: Sequence[Question], top: int = 5) -> Floats:
    """1 for each person whose target is among the first `top` of the *whole* vocabulary, else 0, float64[N'].

    As the first inspiration counts it: films that the person has seen are not left out, and whose target is outside the
    vocabulary is not asked.
    """
    vocabulary = Vocabulary(np.asarray(bundle.vocabulary))
    known = [one for one in questions if _index(vocabulary, one.target)]
    found = np.zeros(len(known))
    model = bundle.model("cpu")
    for start in range(0, len(known), _BATCH):
        batch = known[start : start + _BATCH]
        bias = np.zeros((len(batch), len(vocabulary) + 1), np.float32)
        bias[:, 0] = -np.inf
        ids = left_padded_ids([_known(vocabulary, one.fed) for one in batch], bundle.manifest.max_length)
        _, first = model.score(model.encode(ids), bias, min(top, len(vocabulary)))
        targets = np.array([_index(vocabulary, one.target) for one in batch])
        found[start : start + len(batch)] = (first == targets[:, None]).any(1)
    return found


def ask_baseline(baseline: Baseline, vocabulary: Vocabulary, questions: Sequence[Question]) -> Answers:
    """A baseline's answers; it is fed the liked films."""
    ranks, tops = [], []
    for one in questions:
        scores = np.concatenate([[-np.inf], baseline(_known(vocabulary, one.liked))]).astype(np.float32)
        seen = vocabulary.indices(one.seen)
        ranks.append(rank_of(scores, _index(vocabulary, one.target), seen))
        scores[seen] = -np.inf
        best = np.argsort(-scores, kind="stable")[:TOP]
        tops.append(_padded(best[np.isfinite(scores[best])]))
    return Answers(np.array(ranks, np.int64), np.array(tops, np.int64).reshape(-1, TOP))


def _known(vocabulary: Vocabulary, films: Ids) -> Ids:
    indices = vocabulary.indices(films)
    return indices[indices > 0]


def _index(vocabulary: Vocabulary, film: int) -> int:
    return int(vocabulary.indices(np.array([film]))[0])


def _padded(top: npt.NDArray[np.integer]) -> Ids:
    full = np.zeros(TOP, np.int64)
    full[: len(top)] = top
    return full


def told(ratings: Ratings, person: int, settings: SequenceSettings) -> Iterator[tuple[int, Question]]:
    """(k, question) for a newcomer who has told k of the person's liked films in random order, for another of them.

    Nothing for people with too few liked films. The order is drawn from the person's name.
    """
    rows = ratings.rows(person)
    liked = np.unique(ratings.films[rows][selected(ratings.stars[rows], Films.LIKED, settings)])
    if len(liked) <= max(TOLD):
        return
    seed = int.from_bytes(hashlib.blake2b(str(ratings.people[person]).encode(), digest_size=8).digest(), "big")
    order = np.random.default_rng(seed).permutation(liked)
    for count in TOLD:
        yield count, Question(person, order[:count], order[:count], order[:count], int(order[max(TOLD)]))


def figures(
    answers: Answers,
    questions: Sequence[Question],
    vocabulary: Sequence[Vocabulary],
    counts: Sequence[npt.NDArray[np.int64]],
    catalog_size: int,
) -> dict[str, float]:
    """HR@5, HR@10, HR@50, NDCG@10 and MRR with standard errors (`-se`) and 95% intervals by a bootstrap over people
    (`-low`, `-high`), coverage, popularity, and slices.

    `vocabulary` and `counts` (ratings in training) are those of each question's model. `coverage@10`: films of the
    catalogue that are on somebody's first ten. `popularity-percentile`: mean over all films shown of the share of the
    vocabulary that is rated at most as often. Slices: `ndcg@10/history-A-B` by watches before the target and
    `ndcg@10/target-A-B` by ratings of the target in training, with how many people are in each.
    """
    ranks = answers.ranks
    values = {f"hr@{top}": hit(ranks, top) for top in (5, 10, 50)} | {"ndcg@10": ndcg(ranks), "mrr": reciprocal(ranks)}
    made = {"people": float(len(ranks))}
    for name, value in values.items():
        made[name], made[f"{name}-se"] = float(value.mean()), standard_error(value)
        made[f"{name}-low"], made[f"{name}-high"] = interval(value)
    shown: set[int] = set()
    percentiles: list[float] = []
    percentile = {id(count): np.searchsorted(np.sort(count), count, side="right") / len(count) for count in counts}
    target_counts = np.zeros(len(ranks), np.int64)
    for i, one in enumerate(questions):
        top = answers.top[i][answers.top[i] > 0]
        shown.update(vocabulary[i].films[top - 1].tolist())
        percentiles.extend(percentile[id(counts[i])][top - 1].tolist())
        index = _index(vocabulary[i], one.target)
        target_counts[i] = counts[i][index - 1] if index else 0
    made["coverage@10"] = len(shown) / catalog_size
    made["popularity-percentile"] = float(np.mean(percentiles)) if percentiles else math.nan
    before = np.array([len(one.seen) for one in questions])
    for by, measured, slices in (
        ("history", before, _HISTORY_SLICES),
        ("target", target_counts, _POPULARITY_SLICES),
    ):
        for low, high in slices:
            inside = (measured >= low) & (measured < (high or np.inf))
            name = f"{by}-{low}-{high - 1}" if high else f"{by}-{low}-up"
            made[f"people/{name}"] = float(inside.sum())
            if inside.any():
                made[f"ndcg@10/{name}"] = float(values["ndcg@10"][inside].mean())
                made[f"ndcg@10/{name}-se"] = standard_error(values["ndcg@10"][inside])
    return made


def interval(values: Floats, *, seed: int = 0) -> tuple[float, float]:
    """The 95% interval of the mean of `values` by a bootstrap over people."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=_RESAMPLES)
    low, high = np.quantile(drawn @ values / len(values), (0.025, 0.975))
    return float(low), float(high)


def standard_error(values: Floats) -> float:
    """Of the mean; 0 where one value says nothing about spread."""
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def ratio(values: Floats, baseline: Floats, *, seed: int = 0) -> tuple[float, float, float]:
    """Mean of `values` over mean of `baseline`, and its 95% interval by a paired bootstrap over people.

    Not a number where the baseline is 0.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=_RESAMPLES)
    above, below = drawn @ values, drawn @ baseline
    ratios = np.divide(above, below, out=np.full(_RESAMPLES, np.nan), where=below > 0)
    if not baseline.sum() or np.isnan(ratios).all():
        return math.nan, math.nan, math.nan
    low, high = np.nanquantile(ratios, (0.025, 0.975))
    return float(values.mean() / baseline.mean()), float(low), float(high)


def fingerprints(ratings: Ratings, people: Sequence[int] | Ids) -> npt.NDArray[np.uint64]:
    """One number a person, uint64[len(people)], made from their first `MIN_BEFORE` ratings: the same whatever they are
    called, in whatever set, and however much they rated since. It cannot be turned back into ratings."""
    found = np.zeros(len(people), np.uint64)
    for i, person in enumerate(people):
        rows = range(*ratings.rows(int(person)).indices(len(ratings.films)))[:MIN_BEFORE]
        content = np.stack([ratings.times[rows], ratings.films[rows]]).astype("<i8").tobytes()
        digest = hashlib.blake2b(content, digest_size=8, person=b"nextreel").digest()
        found[i] = int.from_bytes(digest, "little")
    return found


def told_figures(answers: Mapping[int, Answers]) -> dict[str, float]:
    """`told-K/ndcg@10` and its standard error, for each K that was asked."""
    made = {}
    for count, answered in answers.items():
        value = ndcg(answered.ranks)
        if len(value):
            made[f"told-{count}/ndcg@10"], made[f"told-{count}/ndcg@10-se"] = float(value.mean()), standard_error(value)
            made[f"told-{count}/people"] = float(len(value))
    return made


def examine(bundle: Bundle, dataset: Dataset, questions: Sequence[Question], trained: int) -> dict[str, float]:
    """All figures of a bundle for those questions: `figures`, and beside them `top-5-accuracy` (see `top_accuracy`),
    `novelty@10` in bits, `fame@10` in ratings and `diversity@10` in genres (see `training.beyond`).

    `trained` is how many people the bundle was trained on; 0: it does not say, and novelty is left out.
    """
    vocabulary = Vocabulary(np.asarray(bundle.vocabulary))
    counts = np.rint(np.expm1(np.asarray(bundle.popularity, np.float64))).astype(np.int64)
    answers = ask_bundle(bundle, questions)
    size = len(dataset.catalog)
    found = figures(answers, questions, [vocabulary] * len(questions), [counts] * len(questions), size)
    found["fame@10"] = float(beyond.fame(answers.top, counts).mean())
    genres = beyond.genre_marks(dataset.catalog, vocabulary.films)
    found["diversity@10"] = float(beyond.diversity(answers.top, genres).mean())
    if trained:
        found["novelty@10"] = float(beyond.novelty(answers.top, counts, trained).mean())
    accuracy = top_accuracy(bundle, questions)
    if len(accuracy):
        found["top-5-accuracy"], found["top-5-accuracy-se"] = float(accuracy.mean()), standard_error(accuracy)
    return found


def questions_after(ratings: Ratings, until: int, settings: SequenceSettings) -> list[Question]:
    """A global time split: everybody's first liked film at or after `until` (seconds since 1970) that has `MIN_BEFORE`
    watches before it, asked for after all of those. What was watched after `until` is known to a bot that runs on, but
    nothing of it was known in training."""
    asked = []
    for person in range(len(ratings.people)):
        rows = ratings.rows(person)
        liked = selected(ratings.stars[rows], Films.LIKED, settings) & (ratings.times[rows] >= until)
        places = np.flatnonzero(liked)
        places = places[places >= MIN_BEFORE]
        if len(places):
            before = int(places[0])
            asked.append(question(ratings, person, before, int(ratings.films[rows][before]), settings))
    return asked


def recent_popularity(
    ratings: Ratings, questions: Sequence[Question], vocabulary: Vocabulary, *, days: int = 7
) -> Answers:
    """What the films that were rated most in the `days` before each target answer: under a time split, the baseline
    that most models lose to. Ties by rating counts of all time before."""
    order = np.argsort(ratings.times, kind="stable")
    times, films = ratings.times[order], vocabulary.indices(ratings.films[order])
    ranks, tops = [], []
    for one in questions:
        now = int(ratings.times[ratings.rows(one.person)][len(one.seen)])
        start, end = np.searchsorted(times, (now - days * 86_400, now))
        size = len(vocabulary) + 1
        recent = np.bincount(films[start:end], minlength=size) + np.bincount(films[:end], minlength=size) / (end + 1.0)
        seen = vocabulary.indices(one.seen)
        recent[0] = -np.inf
        ranks.append(rank_of(recent, _index(vocabulary, one.target), seen))
        recent[seen] = -np.inf
        best = np.argsort(-recent, kind="stable")[:TOP]
        tops.append(_padded(best[np.isfinite(recent[best])]))
    return Answers(np.array(ranks, np.int64), np.array(tops, np.int64).reshape(-1, TOP))


def newcomers(ratings: Ratings, people: Sequence[int] | Ids, settings: SequenceSettings) -> dict[int, list[Question]]:
    """The questions of `told`, for all those people, by how many films were told."""
    asked: dict[int, list[Question]] = {count: [] for count in TOLD}
    for person in people:
        for count, one in told(ratings, int(person), settings):
            asked[count].append(one)
    return {count: questions for count, questions in asked.items() if questions}
