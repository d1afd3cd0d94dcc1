"""RecTools' and RePlay's models on the starter bundle's protocol: trained without a fold's people, asked about them.

`python -m benchmarks.peers.starter --data FOLDER` (`make bench-starter-peers`). FOLDER holds what the recipe `starter`
names. Each model is trained on the films that the recipe feeds, at the recipe's dimensions, heads, blocks and length,
until our evaluator finds nothing better for a tenth of the people; the best epoch is asked the protocol's questions and
its answers are kept, so a fold that is finished is not trained again. The figures of all finished folds go into
`starter.json`, beside those of `benchmarks.starter`, which must have been there before.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import figures
from benchmarks.peers.training import BATCH_SIZE, ENVIRONMENTS, Work, answers, start
from benchmarks.starter import FOLDS, RECIPE, SEED, say
from training.datasets import Dataset, load
from training.evaluate import Answers, hit, ndcg, standard_error
from training.recipe import Recipe, read
from training.sequences import (
    People,
    Question,
    Vocabulary,
    last_liked,
    last_liked_questions,
    protocol,
    question,
    training_sequences,
)

COMMAND = "make bench-starter-peers DATA=…"
MODELS: Mapping[str, tuple[str, str]] = {
    "rectools-sasrec": ("rectools", "sasrec"),
    "rectools-esasrec": ("rectools", "ligr"),
    "replay-sasrec": ("replay", ""),
}
"""Each model's environment and layers (see `rectools_training`)."""
PATIENCE, MOST_EPOCHS = 6, 80
VALIDATION_SHARE = 0.1

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold for another library: the histories of everybody who is trained on, as vocabulary indices int64[n] each,
    the questions that choose the epoch and those of the protocol."""

    number: int
    vocabulary: Vocabulary
    trained: list[Ids]
    validation: list[Question]
    questions: list[Question]


def main() -> None:
    """Train what is not finished, then write the figures of all that is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the recipe's folders")
    parser.add_argument("--folds", type=int, nargs="+", default=range(FOLDS), help="which folds are trained now")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=tuple(MODELS), help="which models are")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, help="where `make peers` put them")
    parser.add_argument("--checkpoints", type=Path, default=ENVIRONMENTS / "starter", help="where answers are kept")
    parser.add_argument("--results", type=Path, default=figures.RESULTS, help="where starter.json is")
    asked = parser.parse_args()
    recipe = read(RECIPE)
    dataset = load(asked.data, recipe.data.sources)
    split = protocol(dataset.ratings)
    for number in asked.folds:
        fold = fold_of(dataset, split, recipe, number)
        for model in asked.models:
            examine(fold, model, recipe, kept(asked.checkpoints, dataset, model, number), asked.environments)
            add(asked.results, asked.checkpoints, dataset)


def kept(checkpoints: Path, dataset: Dataset, model: str, fold: int | str) -> Path:
    """The file of a fold's answers."""
    return checkpoints / f"{model}-{dataset.data_hash[:12]}-fold-{fold}.npz"


def fold_of(dataset: Dataset, split: People, recipe: Recipe, number: int) -> Fold:
    """The fold's people are asked the protocol's questions; of the others, some choose the epoch."""
    ratings = dataset.ratings
    learning = np.flatnonzero(split.fold != number)
    able = np.array([person for person in learning if last_liked(ratings, person, recipe.sequences)], np.int64)
    validated = np.random.default_rng(SEED).permutation(able)[: round(len(learning) * VALIDATION_SHARE)]
    trained = np.setdiff1d(learning, validated)
    vocabulary = Vocabulary.of(ratings, trained, recipe.data.min_ratings, dataset.catalog.film_ids)
    asked = [(person, *last_liked(ratings, person, recipe.sequences)[0]) for person in validated]
    return Fold(
        number,
        vocabulary,
        [watched.ids for watched in training_sequences(ratings, trained, vocabulary, recipe.sequences)],
        [question(ratings, int(person), before, target, recipe.sequences) for person, before, target in asked],
        last_liked_questions(ratings, split, np.flatnonzero(split.fold == number), recipe.sequences),
    )


def examine(fold: Fold, model: str, recipe: Recipe, target: Path, environments: Path) -> None:
    """Train a model, ask its best epoch and keep the answers; if not yet done."""
    if target.is_file():
        return
    shape = recipe.model
    work = Work(shape.dimensions, shape.heads, shape.blocks, shape.length, BATCH_SIZE)
    questions = [*fold.validation, *fold.questions]
    fed = [known[known > 0] for known in (fold.vocabulary.indices(one.fed) for one in questions)]
    name, layers = MODELS[model]
    best, found, best_epoch, epoch = -1.0, None, 0, 0
    with start(name, layers, work, fold.trained, fed, environments) as peer:
        while epoch < MOST_EPOCHS and epoch - best_epoch < PATIENCE:
            epoch += 1
            _, users, films = peer.epoch_and_vectors()
            chosen = answers(users[: len(fold.validation)], films, fold.vocabulary, fold.validation)
            value = float(ndcg(chosen.ranks).mean())
            say(f"fold {fold.number}, {model}: epoch {epoch}, validation NDCG@10 {value:.4f}")
            if value > best:
                best, best_epoch = value, epoch
                found = answers(users[len(fold.validation) :], films, fold.vocabulary, fold.questions)
    assert found is not None
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".fresh.npz")
    np.savez(fresh, ranks=found.ranks, top=found.top, epoch=best_epoch, validation=best)
    fresh.replace(target)


def add(results: Path, checkpoints: Path, dataset: Dataset) -> None:
    """Put the figures of every finished fold into `starter.json`, whose other figures stay."""
    path = results / "starter.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    done: dict[str, list[int]] = {}
    for model in MODELS:
        files = {n: kept(checkpoints, dataset, model, n) for n in range(FOLDS)}
        files = {number: file for number, file in files.items() if file.is_file()}
        if not files:
            continue
        done[model] = sorted(files)
        parts = []
        for file in files.values():
            with np.load(file) as found:
                parts.append(Answers(found["ranks"], found["top"]))
        ranks = Answers.join(parts).ranks
        for name, values in {"hr@10": hit(ranks, 10), "hr@50": hit(ranks, 50), "ndcg@10": ndcg(ranks)}.items():
            written["metrics"][f"{model}/{name}"] = float(f"{values.mean():.6g}")
            written["metrics"][f"{model}/{name}-se"] = float(f"{standard_error(values):.6g}")
        written["metrics"][f"{model}/people"] = len(ranks)
    written["settings"]["peers"] = {"command": COMMAND, "commit": figures.commit(), "folds": done}
    written["settings"]["peers"] |= {"rectools": "0.19.0", "replay": "0.22.0", "machine": figures.machine()}
    fresh = path.with_suffix(".json.part")
    fresh.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)


if __name__ == "__main__":
    main()
