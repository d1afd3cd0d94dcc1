"""MovieLens 1M, leave-last-out: the recipe `ml-1m` beside popularity, item-kNN and EASE.

`python -m benchmarks.ml_1m --data FOLDER`. The last film of each of the 6,040 people is the target, the one before it
is what the epoch is chosen on, the rest is trained on; all films are ranked, less those seen before, equal scores at
their worst. Each seed is trained, exported, and its graphs are asked through the engine. `--ablation` instead trains
the recipe for a few epochs, and again with one thing changed at a time; `--candidates` trains recipes that may take its
place, each for as long as it needs. Neither looks at a target.

The figures are written after every seed; stopped and started again, it goes on where it was, and seeds that were
finished earlier with the same recipe and data count. What it trains stays among the checkpoints: the terms of
MovieLens 1M do not let it be shipped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import figures
from benchmarks.starter import baselines, reporter, say
from engine import bundle
from training.datasets import Dataset, load
from training.errors import TrainingError
from training.evaluate import Answers, ask_baseline, ask_bundle, hit, ndcg, reciprocal, standard_error
from training.fit import fit
from training.publish import publish
from training.recipe import Recipe, read
from training.sequences import Question, Vocabulary, last_question, without_last

RECIPE = "ml-1m"
COMMAND = "make bench-ml-1m DATA=…"
ABLATION_COMMAND = "make bench-ml-1m-ablation DATA=…"
CANDIDATES_COMMAND = "make bench-ml-1m-candidates DATA=…"
SEEDS = (0, 1, 2)

SHORT = 2
"""Epochs of a variant: enough to tell large differences apart, not small ones."""
VARIANTS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "the recipe": {},
    "no convolution, learned positions": {"model": {"convolution": 0, "positions": "learned"}},
    "a table that starts from noise": {"training": {"start": "random"}},
    "16,384 films a batch": {"training": {"batch_films": 16384}},
    "plain blocks": {"model": {"block": "plain"}},
    "learned positions beside the convolution": {"model": {"positions": "learned"}},
    "a learning rate that does not fall": {"training": {"decay": False}},
    "no average of weights": {"training": {"average": 0.0}},
    "dot products": {"model": {"similarity": "dot"}},
    "full softmax": {"training": {"negatives": 0}},
    "64 dimensions": {"model": {"dimensions": 64, "heads": 2}},
}
"""What is changed of the recipe, by name: sections with the settings that differ."""


CANDIDATES: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "the recipe": {},
    "narrower, less dropout": {
        "model": {"dimensions": 64, "heads": 2, "dropout": 0.3},
        "training": {"negatives": 512, "epochs": 40},
    },
}
"""What may become the recipe, by name: what it changes of it."""


@dataclass(frozen=True, slots=True)
class Split:
    """Leave-last-out: `learning` is the data without anybody's last film, `questions` ask for it, `films` int64[F] are
    those that anybody watched."""

    learning: Dataset
    questions: list[Question]
    films: int


@dataclass(frozen=True, slots=True)
class Seed:
    """What one seed's model answered, the epoch that was kept and its NDCG@10 for the films before the last."""

    answers: Answers
    epoch: int
    validation: float


def main() -> None:
    """Run it; prints where it stands on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of MovieLens 1M")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="what to train now")
    parser.add_argument("--ablation", action="store_true", help="compare variants of the recipe instead")
    parser.add_argument("--candidates", action="store_true", help="train what may become the recipe instead")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints/ml-1m"), help="where states are kept")
    parser.add_argument("--results", type=Path, default=figures.RESULTS, help="where the figures go")
    asked = parser.parse_args()
    recipe = read(RECIPE)
    try:
        split = leave_last_out(load(asked.data, recipe.data.sources), recipe)
        if asked.ablation:
            ablate(split, recipe, VARIANTS, asked.checkpoints, asked.results)
        elif asked.candidates:
            compare(split, recipe, CANDIDATES, asked.checkpoints, asked.results)
        else:
            run(split, recipe, asked.seeds, asked.checkpoints, asked.results)
    except (TrainingError, bundle.BundleError) as error:
        say(str(error))
        sys.exit(TrainingError.exit_code)


def leave_last_out(dataset: Dataset, recipe: Recipe) -> Split:
    """The split; its `learning` has a hash of its own, so that no state of a model that saw the targets is taken up."""
    ratings = dataset.ratings
    questions = [last_question(ratings, person, recipe.sequences) for person in range(len(ratings.people))]
    learning = replace(dataset, ratings=without_last(ratings), data_hash=f"{dataset.data_hash}-without-last")
    return Split(learning, questions, len(np.unique(ratings.films)))


def run(split: Split, recipe: Recipe, seeds: Sequence[int], checkpoints: Path, results: Path) -> None:
    """Train and examine the seeds, and write the figures after each."""
    commit = figures.commit()
    compared = ask_baselines(split, recipe)
    for seed in seeds:
        train_and_ask(split, recipe, seed, checkpoints)
        finished = finished_seeds(split, recipe, checkpoints)
        metrics = joined(split, finished, compared)
        settings = {
            "recipe": recipe.model_dump(mode="json"),
            "recipe_hash": recipe.fingerprint(),
            "data_hash": split.learning.data_hash,
            "seeds": sorted(finished),
        }
        figures.write("ml-1m", command=COMMAND, settings=settings, metrics=metrics, measured_at=commit, folder=results)
        say(
            f"{len(finished)} of {len(set(seeds) | set(finished))} seeds: HR@10 {metrics['hr@10']:.4f}, "
            f"NDCG@10 {metrics['ndcg@10']:.4f}"
        )


def _kept(split: Split, recipe: Recipe, checkpoints: Path, seed: int | str) -> Path:
    return checkpoints / f"answers-{recipe.fingerprint()}-{split.learning.data_hash[:12]}-seed-{seed}.npz"


def train_and_ask(split: Split, recipe: Recipe, seed: int, checkpoints: Path) -> None:
    """Train the recipe, export it, ask its graphs for everybody's last film and keep the answers; if not yet done."""
    kept = _kept(split, recipe, checkpoints, seed)
    if kept.is_file():
        return
    everybody = np.arange(len(split.learning.ratings.people))
    report = reporter(f"seed {seed}")
    fitted = fit(split.learning, recipe, everybody, seed=seed, checkpoints=checkpoints, report=report)
    validation = fitted.epochs[fitted.best - 1].ndcg
    folder = checkpoints / f"{recipe.name}-seed-{seed}"
    publish(folder, fitted, split.learning, recipe, metrics={"validation/ndcg@10": validation})
    answers = ask_bundle(bundle.load(folder, provider="cpu"), split.questions)
    fresh = kept.with_suffix(".fresh.npz")
    np.savez(fresh, ranks=answers.ranks, top=answers.top, epoch=fitted.best, validation=validation)
    fresh.replace(kept)


def finished_seeds(split: Split, recipe: Recipe, checkpoints: Path) -> dict[int, Seed]:
    """Every seed of this recipe and data whose answers are kept."""
    found = {}
    for path in checkpoints.glob(_kept(split, recipe, checkpoints, "*").name):
        number = path.stem.rpartition("-")[2]
        if number.isdecimal():
            with np.load(path, allow_pickle=False) as kept:
                answers = Answers(kept["ranks"], kept["top"])
                found[int(number)] = Seed(answers, int(kept["epoch"]), float(kept["validation"]))
    return dict(sorted(found.items()))


def ask_baselines(split: Split, recipe: Recipe) -> dict[str, Answers]:
    """The baselines' answers. They choose no epoch, so they learn from the films before the last as well."""
    ratings = split.learning.ratings
    everybody = np.arange(len(ratings.people))
    vocabulary = Vocabulary.of(ratings, everybody, recipe.data.min_ratings, split.learning.catalog.film_ids)
    answered = {}
    for name, baseline in baselines(split.learning, everybody, vocabulary, recipe):
        answered[name] = ask_baseline(baseline, vocabulary, split.questions)
        say(
            f"{name}: HR@10 {hit(answered[name].ranks, 10).mean():.4f}, NDCG@10 {ndcg(answered[name].ranks).mean():.4f}"
        )
    return answered


def joined(split: Split, seeds: Mapping[int, Seed], compared: Mapping[str, Answers]) -> dict[str, float]:
    """The figures: the mean over seeds with its standard error over people (`-se`) and, of two seeds or more, their
    standard deviation (`-sd`); each seed's own under `seed-N/`, each baseline's under its name."""
    metrics = {"people": float(len(split.questions)), "films": float(split.films), "seeds": float(len(seeds))}
    each = [values(seed.answers) for seed in seeds.values()]
    for name in each[0]:
        by_seed = np.stack([found[name] for found in each])  # (seeds, people)
        metrics[name], metrics[f"{name}-se"] = float(by_seed.mean()), standard_error(by_seed.mean(0))
        if len(each) > 1:
            metrics[f"{name}-sd"] = float(by_seed.mean(1).std(ddof=1))
    metrics["coverage@10"] = float(np.mean([coverage(seed.answers, split.films) for seed in seeds.values()]))
    for number, seed in seeds.items():
        own = {name: float(value.mean()) for name, value in values(seed.answers).items()}
        own |= {"epoch": float(seed.epoch), "validation/ndcg@10": seed.validation}
        metrics |= {f"seed-{number}/{name}": value for name, value in own.items()}
    for baseline, answers in compared.items():
        for name, value in values(answers).items():
            metrics[f"{baseline}/{name}"] = float(value.mean())
            metrics[f"{baseline}/{name}-se"] = standard_error(value)
        metrics[f"{baseline}/coverage@10"] = coverage(answers, split.films)
    return metrics


def values(answers: Answers) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """What each person's answer is worth, float64[N] a figure."""
    ranks = answers.ranks
    hits = {f"hr@{top}": hit(ranks, top) for top in (5, 10, 50)}
    return hits | {"ndcg@10": ndcg(ranks), "mrr": reciprocal(ranks)}


def coverage(answers: Answers, films: int) -> float:
    """The share of the films that are on somebody's first ten."""
    return len(np.unique(answers.top[answers.top > 0])) / films


def ablate(
    split: Split,
    recipe: Recipe,
    variants: Mapping[str, Mapping[str, Mapping[str, object]]],
    checkpoints: Path,
    results: Path,
) -> None:
    """Train every variant for `SHORT` epochs and write its NDCG@10 for the films before the last, after each."""
    commit, metrics = figures.commit(), dict[str, float]()
    everybody = np.arange(len(split.learning.ratings.people))
    for name, changes in variants.items():
        tried = variant(recipe, changes)
        fitted = fit(split.learning, tried, everybody, seed=0, checkpoints=checkpoints, report=reporter(name))
        metrics[f"{name}/validation-ndcg@10"] = fitted.epochs[fitted.best - 1].ndcg
        metrics[f"{name}/loss"] = fitted.epochs[-1].loss
        settings = {"recipe": recipe.model_dump(mode="json"), "epochs": SHORT, "seed": 0, "variants": variants}
        figures.write(
            "ml-1m-ablation",
            command=ABLATION_COMMAND,
            settings=settings,
            metrics=metrics,
            measured_at=commit,
            folder=results,
        )


def compare(
    split: Split,
    recipe: Recipe,
    candidates: Mapping[str, Mapping[str, Mapping[str, object]]],
    checkpoints: Path,
    results: Path,
) -> None:
    """Train every candidate as long as it needs and write its best NDCG@10 for the films before the last, after each.

    The states are those that the recipe itself would leave, so that a candidate that becomes the recipe is not trained
    again.
    """
    commit, metrics = figures.commit(), dict[str, float]()
    everybody = np.arange(len(split.learning.ratings.people))
    for name, changes in candidates.items():
        tried = changed(recipe, changes)
        fitted = fit(split.learning, tried, everybody, seed=0, checkpoints=checkpoints, report=reporter(name))
        metrics[f"{name}/validation-ndcg@10"] = fitted.epochs[fitted.best - 1].ndcg
        metrics[f"{name}/epoch"] = float(fitted.best)
        metrics[f"{name}/epochs"] = float(len(fitted.epochs))
        figures.write(
            "ml-1m-candidates",
            command=CANDIDATES_COMMAND,
            settings={"recipe": recipe.model_dump(mode="json"), "seed": 0, "candidates": candidates},
            metrics=metrics,
            measured_at=commit,
            folder=results,
        )


def changed(recipe: Recipe, changes: Mapping[str, Mapping[str, object]]) -> Recipe:
    """The recipe with some settings changed; checked as a file would be."""
    stored = recipe.model_dump(mode="json")
    for section, settings in changes.items():
        stored[section] |= settings
    return Recipe.model_validate_json(json.dumps(stored))


def variant(recipe: Recipe, changes: Mapping[str, Mapping[str, object]]) -> Recipe:
    """The recipe for `SHORT` epochs with some settings changed."""
    short = changed(recipe, {"training": {"epochs": SHORT}}).model_copy(update={"name": f"{recipe.name}-short"})
    return changed(short, changes)


if __name__ == "__main__":
    main()
