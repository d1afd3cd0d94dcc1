"""The bundle that ships: examined by the protocol on five folds, then trained on everybody and written.

`python -m benchmarks.starter --data FOLDER`. For each fold the recipe is trained without the fold's people, exported,
and its graphs are asked about them through the engine, as are popularity, item-kNN and EASE by their scores. Then the
recipe is trained on everybody for as many epochs as the folds needed, and the bundle goes to `engine/starter` with the
figures in its manifest and its model card. Stopped and started again, it goes on where it was.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from benchmarks import figures
from engine import bundle
from training import evaluate
from training.baselines import Baseline, ease, interactions, item_knn, popularity
from training.datasets import Dataset, load
from training.errors import TrainingError
from training.evaluate import Answers, ask_baseline, ask_bundle, hit, ndcg, newcomers, told_figures
from training.fit import Fitted, Progress, fit
from training.publish import publish, trained_people
from training.recipe import Films, Recipe, read
from training.sequences import People, Question, Vocabulary, last_liked_questions, protocol, selected

RECIPE = "starter"
COMMAND = "make train-starter DATA=…"
FOLDS = 5
SEED = 0
BASELINES = ("popularity", "item-knn", "ease")
MANIFEST_FIGURES = ("hr@10", "hr@10-se", "ndcg@10", "ndcg@10-se", "hr@50", "mrr", "coverage@10", "people")


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What one fold's model and baselines answered; `told` and `baseline_told` by how many films were told."""

    best: int
    vocabulary: Vocabulary
    counts: npt.NDArray[np.int64]
    questions: list[Question]
    answers: Answers
    told: dict[int, Answers]
    baselines: dict[str, Answers]
    baselines_told: dict[str, dict[int, Answers]]


def main() -> None:
    """Run it all; prints where it stands on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder with ml-latest-small and ml-latest-2023-head"
    )
    parser.add_argument("--out", type=Path, default=bundle.STARTER, help="where the bundle goes")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="where states are kept")
    parser.add_argument("--results", type=Path, default=figures.RESULTS, help="where starter.json goes")
    asked = parser.parse_args()

    try:
        run(asked.data, asked.out, asked.checkpoints, asked.results)
    except (TrainingError, bundle.BundleError) as error:
        say(str(error))
        sys.exit(TrainingError.exit_code)


def run(data: Path, out: Path, checkpoints: Path, results_folder: Path) -> None:
    """Examine, train, publish, and write the figures."""
    began = time.monotonic()
    recipe = read(RECIPE)
    dataset = load(data, recipe.data.sources)
    split = protocol(dataset.ratings)
    # A run a process with one thread each: on few cores that is faster than more threads on one run after another. The
    # last fold need not be waited for to know how long to train on everybody, so no core idles beside it.
    workers = min(FOLDS, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        folds = [pool.submit(examine_fold, dataset, split, recipe, fold, checkpoints) for fold in range(FOLDS)]
        epochs = round(statistics.median(fold.result().best for fold in folds[:-1]))
        everybody = pool.submit(_fill_checkpoint, dataset, recipe, checkpoints, epochs)
        results = [fold.result() for fold in folds]
        everybody.result()
    metrics = joined(results, len(dataset.catalog))
    metrics["epochs"] = float(epochs)

    fitted = train_everybody(dataset, recipe, checkpoints, epochs)  # taken up where it was left: done
    chosen = {name: metrics[name] for name in MANIFEST_FIGURES}
    publish(out, fitted, dataset, recipe, metrics=chosen, model_card=model_card(recipe, fitted, metrics))
    metrics["size-mb"] = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
    say(f"{(time.monotonic() - began) / 60:.1f} minutes")
    settings = {"recipe": recipe.model_dump(mode="json"), "folds": FOLDS, "seed": SEED, "data_hash": dataset.data_hash}
    figures.write("starter", command=COMMAND, settings=settings, metrics=metrics, folder=results_folder)


def train_everybody(dataset: Dataset, recipe: Recipe, checkpoints: Path, epochs: int) -> Fitted:
    """Train on all people for so many epochs."""
    people = np.arange(len(dataset.ratings.people))
    report = reporter("everybody")
    return fit(dataset, recipe, people, seed=SEED, checkpoints=checkpoints, epochs=epochs, report=report)


def _fill_checkpoint(dataset: Dataset, recipe: Recipe, checkpoints: Path, epochs: int) -> None:
    """`train_everybody` for another process: the weights come back through the checkpoint."""
    train_everybody(dataset, recipe, checkpoints, epochs)


def examine_fold(dataset: Dataset, split: People, recipe: Recipe, fold: int, checkpoints: Path) -> FoldResult:
    """Train without the fold's people and ask about them, and ask the baselines the same."""
    ratings = dataset.ratings
    learning, tested = np.flatnonzero(split.fold != fold), np.flatnonzero(split.fold == fold)
    fitted = fit(dataset, recipe, learning, seed=SEED, checkpoints=checkpoints, report=reporter(f"fold {fold}"))
    folder = checkpoints / f"{recipe.name}-fold-{fold}"
    validation = fitted.epochs[fitted.best - 1].ndcg
    publish(
        folder,
        fitted,
        dataset,
        recipe,
        metrics={"validation/ndcg@10": validation},
        version=f"{recipe.version}-fold-{fold}",
    )
    opened = bundle.load(folder, provider="cpu")
    if np.isin(evaluate.fingerprints(ratings, tested), trained_people(opened)).any():
        raise AssertionError("a person of the fold had a part in training")

    asked = last_liked_questions(ratings, split, tested, recipe.sequences)
    strangers = newcomers(ratings, tested, recipe.sequences)
    answers = ask_bundle(opened, asked)
    told = {count: ask_bundle(opened, questions) for count, questions in strangers.items()}

    # The baselines learn from the fold's validation people too: they choose nothing on them.
    vocabulary = Vocabulary.of(ratings, learning, recipe.data.min_ratings, dataset.catalog.film_ids)
    baseline_answers, baseline_told = {}, {}
    for name, baseline in baselines(dataset, learning, vocabulary, recipe):
        baseline_answers[name] = ask_baseline(baseline, vocabulary, asked)
        baseline_told[name] = {count: ask_baseline(baseline, vocabulary, q) for count, q in strangers.items()}
    line = ", ".join(f"{name} {ndcg(found.ranks).mean():.4f}" for name, found in baseline_answers.items())
    say(f"fold {fold}: epoch {fitted.best}, NDCG@10 {ndcg(answers.ranks).mean():.4f} ({line})")
    return FoldResult(
        fitted.best, fitted.vocabulary, fitted.counts, asked, answers, told, baseline_answers, baseline_told
    )


def baselines(
    dataset: Dataset, people: npt.NDArray[np.int64], vocabulary: Vocabulary, recipe: Recipe
) -> Iterator[tuple[str, Baseline]]:
    """One after another, because each holds a matrix of films × films."""
    ratings = dataset.ratings
    liked = []
    for person in people:
        rows = ratings.rows(int(person))
        liked.append(
            vocabulary.indices(ratings.films[rows])[selected(ratings.stars[rows], Films.LIKED, recipe.sequences)]
        )
    matrix = interactions(liked, len(vocabulary))
    yield "popularity", popularity(matrix)
    yield "item-knn", item_knn(matrix)
    yield "ease", ease(matrix)


def joined(results: list[FoldResult], catalog_size: int) -> dict[str, float]:
    """The figures over all folds: the model's own, each baseline's, and the ratios with their intervals."""
    questions = [q for result in results for q in result.questions]
    answers = Answers.join([result.answers for result in results])
    metrics = evaluate.figures(
        answers,
        questions,
        [result.vocabulary for result in results for _ in result.questions],
        [result.counts for result in results for _ in result.questions],
        catalog_size,
    )
    metrics["seeds"] = 1.0
    counts = results[0].told
    metrics |= told_figures({count: Answers.join([result.told[count] for result in results]) for count in counts})
    own = {"hr@10": hit(answers.ranks, 10), "ndcg@10": ndcg(answers.ranks)}
    for name in BASELINES:
        ranks = np.concatenate([result.baselines[name].ranks for result in results])
        theirs = {"hr@10": hit(ranks, 10), "ndcg@10": ndcg(ranks)}
        metrics[f"{name}/hr@50"] = float(hit(ranks, 50).mean())
        for figure, values in theirs.items():
            metrics[f"{name}/{figure}"], metrics[f"{name}/{figure}-se"] = (
                float(values.mean()),
                evaluate.standard_error(values),
            )
            middle, low, high = evaluate.ratio(own[figure], values)
            metrics[f"ratio/{name}/{figure}"] = middle
            metrics[f"ratio/{name}/{figure}-low"], metrics[f"ratio/{name}/{figure}-high"] = low, high
        told = {count: Answers.join([result.baselines_told[name][count] for result in results]) for count in counts}
        metrics |= {f"{name}/{figure}": value for figure, value in told_figures(told).items() if "people" not in figure}
    return metrics


CARD = """\
# The starter bundle, version {recipe.version}

A SASRec that reads the last {model.length} films of a history and ranks {films:,} films: {model.dimensions}
dimensions, {model.heads} heads, {model.blocks} blocks, cosine similarity at temperature {model.temperature:g} plus
{model.fame:g} times the logarithm of a film's ratings. Its film table starts from which films the same people watch.

Trained on {people:,} people of MovieLens latest-small (2018) and of the first part of MovieLens latest (2023), for
{m[epochs]:.0f} epochs, the median of what the folds needed. The whole recipe and the hash of the data are in
`manifest.json`; the terms and the citation are in `NOTICE`.

## Meant for

Suggesting films to people who say what they watched, without commercial use. It knows films up to 2023 and the taste of
people who rated films on MovieLens, in English. A film with fewer than {recipe.data.min_ratings} ratings in the data is
not in its vocabulary.

## Figures

`{command}` measures them: {m[people]:.0f} people in {folds} folds, nothing of a fold's people trained on, and no
epoch chosen on them. (Settings of the recipe were compared on the people of fold 0, which may flatter that fold; the
others were not looked at.) The target is the last film that a person liked, ranked among the whole catalogue less what
the person rated before; films with equal scores count at their worst. One seed. ± is the standard error over people.

| | HR@10 | NDCG@10 | HR@50 | NDCG@10, ours over theirs (95%) |
|---|---|---|---|---|
{peers}

MRR {mrr}. {m[coverage@10]:.1%} of the catalogue is on somebody's first ten; on average a film shown is rated at least
as often as {m[popularity-percentile]:.0%} of the vocabulary.

| people | how many | NDCG@10 |
|---|---|---|
{slices}

Newcomers, who have told some films that they like, in random order, and are asked for another of them:

| films told | NDCG@10 | EASE | popularity |
|---|---|---|---|
{told}

## Limits

{newcomers}Most people of the data typed their films in within a day, so its order
is partly the order in which the site showed them. The people are few; figures by slice are rough. Well-known films are
shown more than others. There are no directors, languages or running times in the data, and the model knows nothing of a
film beside who watched it.
"""


def model_card(recipe: Recipe, fitted: Fitted, m: dict[str, float]) -> str:
    """MODEL_CARD.md, every number of it from the metrics `m` or the recipe."""

    def plus_minus(name: str) -> str:
        return f"{m[name]:.4f} ± {m[f'{name}-se']:.4f}"

    peers = [f"| **this model** | {plus_minus('hr@10')} | {plus_minus('ndcg@10')} | {m['hr@50']:.4f} | |"]
    for name, label in (("popularity", "popularity"), ("item-knn", "item-kNN"), ("ease", "EASE")):
        r = f"ratio/{name}/ndcg@10"
        peers.append(
            f"| {label} | {plus_minus(f'{name}/hr@10')} | {plus_minus(f'{name}/ndcg@10')} | {m[f'{name}/hr@50']:.4f} "
            f"| {m[r]:.2f} ({m[f'{r}-low']:.2f} to {m[f'{r}-high']:.2f}) |"
        )
    slices = []
    for key in (k for k in m if k.startswith("ndcg@10/") and not k.endswith("-se")):
        by = key.removeprefix("ndcg@10/")
        kind, low, high = by.split("-")
        what = "watches before the target" if kind == "history" else "ratings of the target in training"
        span = f"{low} or more" if high == "up" else f"{low} to {high}"
        slices.append(f"| {span} {what} | {m[f'people/{by}']:.0f} | {plus_minus(key)} |")
    told = []
    for key in (k for k in m if k.startswith("told-") and k.endswith("/ndcg@10")):
        count = key.removeprefix("told-").removesuffix("/ndcg@10")
        told.append(f"| {count} | {plus_minus(key)} | {m[f'ease/{key}']:.4f} | {m[f'popularity/{key}']:.4f} |")
    behind = [count for count in evaluate.TOLD if m[f"told-{count}/ndcg@10"] < m[f"ease/told-{count}/ndcg@10"]]
    said = ""
    if behind:
        said = (
            f"To somebody who has told {spoken(behind)} films that they like, in no order, EASE suggests better: "
            "this model\nreads an order. "
        )
    return CARD.format(
        recipe=recipe,
        model=recipe.model,
        films=len(fitted.vocabulary),
        people=len(fitted.people),
        command=COMMAND,
        folds=FOLDS,
        m=m,
        mrr=plus_minus("mrr"),
        peers="\n".join(peers),
        slices="\n".join(slices),
        told="\n".join(told),
        newcomers=said,
    )


def spoken(numbers: list[int]) -> str:
    """“1, 3 or 5”."""
    *first, last = map(str, numbers)
    return f"{', '.join(first)} or {last}" if first else last


def reporter(label: str) -> Callable[[Progress], None]:
    """One line an epoch on standard error."""

    def report(progress: Progress) -> None:
        if progress.batch == progress.batches:
            epoch = progress.done[-1]
            found = "" if math.isnan(epoch.ndcg) else f", validation NDCG@10 {epoch.ndcg:.4f}"
            say(f"{label}: epoch {epoch.number}, loss {epoch.loss:.4f}{found}")

    return report


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
