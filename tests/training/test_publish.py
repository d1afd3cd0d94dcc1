"""From a trained model to a bundle that the engine trusts."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from engine import bundle
from engine.inference import left_padded_ids
from training.datasets import Dataset
from training.evaluate import ask_bundle, examine, fingerprints, rank_of, top_accuracy
from training.fit import Fitted, fit
from training.publish import publish, trained_people
from training.recipe import Recipe, from_manifest
from training.sequences import last_liked_questions, protocol


@pytest.fixture(scope="module")
def fitted(dataset: Dataset, recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """Trained without the people of fold 0."""
    people = np.flatnonzero(protocol(dataset.ratings).fold != 0)
    return fit(dataset, recipe, people, seed=0, checkpoints=tmp_path_factory.mktemp("checkpoints"), epochs=3)


@pytest.fixture(scope="module")
def opened(fitted: Fitted, dataset: Dataset, recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> bundle.Bundle:
    folder = tmp_path_factory.mktemp("published") / "bundle"
    publish(folder, fitted, dataset, recipe, metrics={"ndcg@10": 0.1})
    return bundle.load(folder, provider="cpu")


def test_a_published_bundle_is_trusted_and_says_how_it_was_made(
    opened: bundle.Bundle, dataset: Dataset, recipe: Recipe
) -> None:
    manifest = opened.manifest
    assert (manifest.name, manifest.version, manifest.max_length) == ("tiny", "1", recipe.model.length)
    assert manifest.dimension == recipe.model.dimensions + 1  # the last column is fame
    assert manifest.data_hash == dataset.data_hash
    assert from_manifest(manifest.recipe) == recipe
    assert "Harper" in (opened.folder / "NOTICE").read_text(encoding="utf-8")


def test_the_bundle_answers_as_the_model_does(opened: bundle.Bundle, fitted: Fitted, dataset: Dataset) -> None:
    ratings, split = dataset.ratings, protocol(dataset.ratings)
    people = np.flatnonzero(split.fold == 0)
    settings = from_manifest(opened.manifest.recipe).sequences
    asked = last_liked_questions(ratings, split, people, settings)
    fed = [fitted.vocabulary.indices(one.fed) for one in asked]
    ids = left_padded_ids([found[found > 0] for found in fed], fitted.model.settings.length)
    with torch.no_grad():
        users = fitted.model(torch.from_numpy(ids.astype(np.int64)))[:, -1]
        scores = (users @ fitted.model.film_vectors().T + fitted.model.fame()).numpy()
    targets = [int(fitted.vocabulary.indices(np.array([one.target]))[0]) for one in asked]
    seen = [fitted.vocabulary.indices(one.seen) for one in asked]
    expected = [rank_of(*case) for case in zip(scores, targets, seen, strict=True)]
    assert ask_bundle(opened, asked).ranks.tolist() == expected
    among_all = [rank_of(row, target, np.zeros(0, np.int64)) for row, target in zip(scores, targets, strict=True)]
    known = [rank for rank, target in zip(among_all, targets, strict=True) if target]
    assert top_accuracy(opened, asked).tolist() == [float(rank <= 5) for rank in known]


def test_nothing_that_was_seen_is_answered(opened: bundle.Bundle, dataset: Dataset, recipe: Recipe) -> None:
    split = protocol(dataset.ratings)
    people = np.flatnonzero(split.fold == 0)
    asked = last_liked_questions(dataset.ratings, split, people, recipe.sequences)
    for one, top in zip(asked, ask_bundle(opened, asked).top, strict=True):
        assert not set(opened.vocabulary[top[top > 0] - 1].tolist()) & set(one.seen.tolist())


def test_the_manifest_knows_whom_it_was_trained_on(opened: bundle.Bundle, fitted: Fitted, dataset: Dataset) -> None:
    marks = trained_people(opened)
    assert opened.manifest.people_hash == hashlib.sha256(marks.astype("<u8").tobytes()).hexdigest()
    inside = np.isin(fingerprints(dataset.ratings, range(len(dataset.ratings.people))), marks)
    assert np.flatnonzero(inside).tolist() == fitted.people.tolist()


def test_the_figures_are_over_the_people_asked(opened: bundle.Bundle, dataset: Dataset, recipe: Recipe) -> None:
    split = protocol(dataset.ratings)
    people = np.flatnonzero(split.fold == 0)
    found = examine(opened, dataset, last_liked_questions(dataset.ratings, split, people, recipe.sequences), 60)
    assert found["people"] == len(people)
    assert 0 <= found["ndcg@10"] <= found["hr@10"] <= found["hr@50"] <= 1
    assert found["hr@5"] <= found["hr@10"]
    assert 0 <= found["top-5-accuracy"] <= 1
    assert found["novelty@10"] > 0
    assert found["diversity@10"] == 0  # the made-up films are all of the same genres
