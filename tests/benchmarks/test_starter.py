"""The starter's examination, on a small made-up data set: every fold, every figure, and a card made of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from benchmarks.starter import BASELINES, COMMAND, examine_fold, joined, model_card
from training.datasets import load
from training.fit import fit
from training.recipe import ModelSettings, Recipe, SequenceSettings, Similarity, Source, TrainingSettings
from training.sequences import protocol

RECIPE = Recipe(
    name="tiny",
    version="1",
    sequences=SequenceSettings(inputs="all", targets="all"),
    model=ModelSettings(dimensions=8, heads=2, blocks=1, length=10, similarity=Similarity.COSINE, fame=0.5),
    training=TrainingSettings(epochs=1, negatives=10),
)
FOLDS = 5


def folder(path: Path) -> Path:
    rng = np.random.default_rng(0)
    ratings = ["userId,movieId,rating,timestamp"]
    for person in range(60):
        for place, film in enumerate(rng.permutation(30)[:22]):
            ratings.append(f"{person},{film + 1},{rng.choice([2, 3, 4, 5])},{place}")
    (path / "ratings.csv").write_text("\n".join(ratings) + "\n", encoding="utf-8")
    movies = ["movieId,title,genres", *(f"{film},Film {film} (2000),Drama" for film in range(1, 31))]
    (path / "movies.csv").write_text("\n".join(movies) + "\n", encoding="utf-8")
    return path


def test_every_person_is_asked_once_and_the_card_is_made_of_the_figures(tmp_path: Path) -> None:
    dataset = load(folder(tmp_path), [Source()])
    split = protocol(dataset.ratings)
    results = [examine_fold(dataset, split, RECIPE, fold, tmp_path / "kept") for fold in range(FOLDS)]
    metrics = joined(results, len(dataset.catalog))
    assert metrics["people"] == (split.fold >= 0).sum()
    assert metrics["seeds"] == 1
    assert all(math.isfinite(value) for value in metrics.values())
    for name in BASELINES:
        assert metrics[f"ratio/{name}/ndcg@10"] == metrics["ndcg@10"] / metrics[f"{name}/ndcg@10"]
        assert metrics[f"ratio/{name}/ndcg@10-low"] <= metrics[f"ratio/{name}/ndcg@10-high"]

    metrics["epochs"] = 1.0
    people = np.arange(len(dataset.ratings.people))
    fitted = fit(dataset, RECIPE, people, seed=0, checkpoints=tmp_path / "kept", epochs=1)
    card = model_card(RECIPE, fitted, metrics)
    for figure in ("ndcg@10", "hr@10", "ease/ndcg@10", "item-knn/ndcg@10", "mrr"):
        assert f"{metrics[figure]:.4f}" in card
    assert COMMAND in card
    assert "{" not in card
