"""Training: it learns, it stops, it goes on where it was, and it says when it cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.datasets import Dataset
from training.errors import TrainingError
from training.fit import Fitted, Progress, fit
from training.model import SASRec
from training.recipe import (
    Blocks,
    ModelSettings,
    Positions,
    Recipe,
    SequenceSettings,
    Start,
    TrainingSettings,
    Validation,
)
from training.sequences import protocol


def everybody(dataset: Dataset) -> np.ndarray:
    return np.arange(len(dataset.ratings.people))


def changed(recipe: Recipe, section: str, **values: object) -> Recipe:
    return recipe.model_copy(update={section: getattr(recipe, section).model_copy(update=values)})


def same(one: Fitted, other: Fitted) -> bool:
    weights = other.model.state_dict()
    return all(torch.equal(value, weights[name]) for name, value in one.model.state_dict().items())


def test_the_loss_falls_and_validation_rises(dataset: Dataset, recipe: Recipe, tmp_path: Path) -> None:
    longer = changed(recipe, "training", epochs=12, patience=12)
    fitted = fit(dataset, longer, everybody(dataset), seed=0, checkpoints=tmp_path)
    assert fitted.epochs[-1].loss < fitted.epochs[0].loss
    assert fitted.epochs[fitted.best - 1].ndcg > fitted.epochs[0].ndcg


def test_the_best_epochs_weights_are_kept_and_patience_ends_it(
    dataset: Dataset, recipe: Recipe, tmp_path: Path
) -> None:
    impatient = changed(recipe, "training", epochs=30, patience=1)
    fitted = fit(dataset, impatient, everybody(dataset), seed=0, checkpoints=tmp_path)
    assert len(fitted.epochs) == fitted.best + 1 or len(fitted.epochs) == 30
    assert fitted.epochs[fitted.best - 1].ndcg == max(epoch.ndcg for epoch in fitted.epochs)


def test_with_a_number_of_epochs_everybody_is_trained_on(dataset: Dataset, recipe: Recipe, tmp_path: Path) -> None:
    fitted = fit(dataset, recipe, everybody(dataset), seed=0, checkpoints=tmp_path, epochs=2)
    assert fitted.best == len(fitted.epochs) == 2
    assert fitted.counts.sum() == len(dataset.ratings.films)


def test_nothing_of_people_who_are_left_out_reaches_the_model(dataset: Dataset, recipe: Recipe, tmp_path: Path) -> None:
    """Not the weights, the vocabulary, the popularity, the start of the table or the epoch that is kept."""
    ratings, fold = dataset.ratings, protocol(dataset.ratings).fold
    films, stars = ratings.films.copy(), ratings.stars.copy()
    for person in np.flatnonzero(fold == 0):
        rows = ratings.rows(int(person))
        films[rows], stars[rows] = films[rows][::-1] % 7 + 1, 5.5 - stars[rows]
    other = replace(dataset, ratings=replace(ratings, films=films, stars=stars))
    learning = np.flatnonzero(fold != 0)
    one = fit(dataset, recipe, learning, seed=0, checkpoints=tmp_path / "one")
    two = fit(other, recipe, learning, seed=0, checkpoints=tmp_path / "other")
    assert one.epochs == two.epochs
    assert one.vocabulary.films.tolist() == two.vocabulary.films.tolist()
    assert one.counts.tolist() == two.counts.tolist()
    assert same(one, two)


def last_out(recipe: Recipe) -> Recipe:
    """The recipe by leave-last-out, with everything that the recipe for MovieLens 1M uses."""
    shaped = changed(recipe, "model", block=Blocks.GATED, convolution=3, positions=Positions.NONE)
    return changed(shaped, "training", validation=Validation.LAST, batch_films=60, decay=True, start=Start.RANDOM)


def test_leave_last_out_trains_on_everything_but_everybodys_last_film(
    dataset: Dataset, recipe: Recipe, tmp_path: Path
) -> None:
    ratings, people = dataset.ratings, everybody(dataset)
    films = ratings.films.copy()
    last = ratings.starts[1:] - 1
    films[last] = films[last] % 40 + 1
    one = fit(dataset, last_out(recipe), people, seed=0, checkpoints=tmp_path / "one")
    other = replace(dataset, ratings=replace(ratings, films=films))
    two = fit(other, last_out(recipe), people, seed=0, checkpoints=tmp_path / "two")
    assert one.counts.sum() == len(films) - len(people)
    assert [epoch.loss for epoch in one.epochs] == [epoch.loss for epoch in two.epochs]
    assert [epoch.ndcg for epoch in one.epochs] != [epoch.ndcg for epoch in two.epochs]


def test_every_step_learns_from_as_many_films_where_the_recipe_says_so(
    dataset: Dataset, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, int]] = []
    after_each = SASRec.after_each

    def watched(model: SASRec, films_first: torch.Tensor, vectors: torch.Tensor | None = None) -> torch.Tensor:
        if model.training:
            shapes.append(tuple(films_first.shape))
        return after_each(model, films_first, vectors)

    monkeypatch.setattr(SASRec, "after_each", watched)
    even = changed(recipe, "training", batch_films=60, newcomers=0, drop_inputs=0.0)
    fit(dataset, even, everybody(dataset), seed=0, checkpoints=tmp_path, epochs=1)
    films = [windows * length for windows, length in shapes]
    assert max(films) <= 60
    assert np.mean(films) > 45


def test_the_learning_rate_falls_to_nothing_where_the_recipe_says_so(
    dataset: Dataset, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    step = torch.optim.AdamW.step

    def watched(optimizer: torch.optim.AdamW) -> None:
        rates.append(optimizer.param_groups[0]["lr"])
        step(optimizer)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    falling = changed(recipe, "training", decay=True, warmup_steps=0, batch_size=4)
    fit(dataset, falling, everybody(dataset), seed=0, checkpoints=tmp_path, epochs=2)
    # Epochs have about as many batches as each other, not exactly.
    assert rates == pytest.approx(np.linspace(1e-3, 0, len(rates), endpoint=False), abs=5e-5)
    assert rates[-1] < 5e-5


@pytest.mark.parametrize("way", [*Start, "last-out"])
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    dataset: Dataset, recipe: Recipe, tmp_path: Path, way: Start | str
) -> None:
    started = changed(recipe, "training", start=way) if isinstance(way, Start) else last_out(recipe)
    people = everybody(dataset)
    whole = fit(dataset, started, people, seed=1, checkpoints=tmp_path / "whole")

    def stop(progress: Progress) -> None:
        if (progress.epoch, progress.batch) == (3, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(dataset, started, people, seed=1, checkpoints=tmp_path / "stopped", report=stop)
    torch.manual_seed(12345)  # another process has another generator
    resumed = fit(dataset, started, people, seed=1, checkpoints=tmp_path / "stopped")
    assert resumed.epochs == whole.epochs
    assert same(resumed, whole)


def test_a_run_that_is_done_is_not_run_again_unless_fresh(dataset: Dataset, recipe: Recipe, tmp_path: Path) -> None:
    people = everybody(dataset)
    first = fit(dataset, recipe, people, seed=0, checkpoints=tmp_path)
    reports: list[Progress] = []
    again = fit(dataset, recipe, people, seed=0, checkpoints=tmp_path, report=reports.append)
    assert not reports
    assert same(first, again)
    fit(dataset, recipe, people, seed=0, checkpoints=tmp_path, fresh=True, report=reports.append)
    assert reports


def test_another_seed_recipe_or_people_is_another_run(dataset: Dataset, recipe: Recipe, tmp_path: Path) -> None:
    people = everybody(dataset)
    for seed, used, trained in ((0, recipe, people), (1, recipe, people), (0, recipe, people[:-1])):
        fit(dataset, used, trained, seed=seed, checkpoints=tmp_path, epochs=1)
    fit(dataset, changed(recipe, "model", dropout=0.2), people, seed=0, checkpoints=tmp_path, epochs=1)
    assert len(list(tmp_path.glob("*.pt"))) == 4


def test_a_broken_checkpoint_is_said(dataset: Dataset, recipe: Recipe, tmp_path: Path) -> None:
    fit(dataset, recipe, everybody(dataset), seed=0, checkpoints=tmp_path, epochs=1)
    [kept] = tmp_path.glob("*.pt")
    kept.write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match=r"cannot be read; start anew with --fresh\.$"):
        fit(dataset, recipe, everybody(dataset), seed=0, checkpoints=tmp_path, epochs=1)


def test_a_loss_that_is_no_number_is_said(dataset: Dataset, recipe: Recipe, tmp_path: Path) -> None:
    wild = Recipe(
        name="wild",
        version="1",
        model=ModelSettings(dimensions=16, heads=2, length=12),
        training=TrainingSettings(learning_rate=1e30, warmup_steps=0, epochs=5),
    )
    with pytest.raises(TrainingError, match=r"^The loss is no longer a number .*learning rate"):
        fit(dataset, wild, everybody(dataset), seed=0, checkpoints=tmp_path)


@pytest.mark.parametrize(
    ("section", "values", "sentence"),
    [
        ("data", {"min_ratings": 10_000}, "No two films have 10000 ratings"),
        ("sequences", {"min_targets": 1000}, "Nobody has 1000 films to ask for"),
    ],
)
def test_data_that_teaches_nothing_is_said(
    dataset: Dataset, recipe: Recipe, tmp_path: Path, section: str, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(TrainingError, match=sentence):
        fit(dataset, changed(recipe, section, **values), everybody(dataset), seed=0, checkpoints=tmp_path)


def test_the_inspirations_way_trains_too(dataset: Dataset, tmp_path: Path) -> None:
    """Liked films alone, dot products, noise to start from, full softmax."""
    inspired = Recipe(
        name="inspired",
        version="1",
        sequences=SequenceSettings(inputs="liked", targets="liked", min_targets=5),
        model=ModelSettings(dimensions=16, heads=8, blocks=2, length=12, dropout=0.2),
        training=TrainingSettings(epochs=2),
    )
    fitted = fit(dataset, inspired, everybody(dataset), seed=0, checkpoints=tmp_path)
    assert np.isfinite([epoch.loss for epoch in fitted.epochs]).all()
