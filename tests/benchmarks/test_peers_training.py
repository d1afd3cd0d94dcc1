"""Epochs in turn with another library, which a small script stands for: it answers as theirs do."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import starter, training
from engine.films import Catalog, FilmRecord
from training.datasets import DataReport, Dataset, Ratings
from training.recipe import Recipe, TrainingSettings, Validation
from training.sequences import Vocabulary, last_question, protocol

PEOPLE, FILMS, WATCHED = 30, 25, 12
TOY = """
import numpy as np
from turns import Turns, answer, given, left_padded

settings, trained, asked = given()
assert left_padded(trained, 4).shape == (len(trained), 4)
turns, films = Turns(), 1 + max(int(ids.max()) for ids in trained)
answer(parameters=settings["dimensions"])
print("what a library says is no answer")
while turns.before():
    turns.after(lambda: (np.zeros((len(asked), 2), np.float32), np.zeros((films, 2), np.float32)))
"""


@pytest.fixture
def environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    shutil.copy(training.SCRIPTS / "turns.py", scripts)
    for name in training.LAYERS:
        (scripts / f"{name}_training.py").write_text(TOY, encoding="utf-8")
        python = tmp_path / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
    monkeypatch.setattr(training, "SCRIPTS", scripts)
    return tmp_path


@pytest.fixture
def dataset() -> Dataset:
    rng = np.random.default_rng(0)
    films = np.concatenate([rng.permutation(FILMS)[:WATCHED] + 1 for _ in range(PEOPLE)]).astype(np.int32)
    names, starts = np.array([f"{person:03d}" for person in range(PEOPLE)]), np.arange(PEOPLE + 1) * WATCHED
    ratings = Ratings(names, starts, films, np.full(len(films), 5.0), np.arange(len(films)))
    catalog = Catalog.build(
        FilmRecord(film_id=film, raw_title=f"Film {film}", genres="Drama") for film in range(1, FILMS + 1)
    )
    return Dataset(ratings, catalog, "made-up", DataReport((), len(films), PEOPLE, FILMS, 0, 0, 0))


@pytest.fixture
def recipe() -> Recipe:
    settings = TrainingSettings(epochs=3, validation=Validation.LAST)
    tiny = Recipe(name="tiny", version="1", training=settings)
    return training.changed(tiny, {"sequences": {"inputs": "all", "targets": "all"}, "data": {"min_ratings": 1}})


def test_every_epoch_of_ours_has_one_of_each_peer_beside_it(
    dataset: Dataset, recipe: Recipe, environments: Path
) -> None:
    found = training.speed(dataset, training.same_work(recipe), 2, environments)
    assert found["rounds"] == 2
    assert found["parameters/rectools"] == 64
    assert found["parameters/ours"] > 64 * FILMS
    assert 0 < found["vs-rectools"] < 1  # the script does nothing
    assert found["ours/sequences-per-second"] > 0


def test_ours_trains_until_it_is_as_good_as_their_best(dataset: Dataset, recipe: Recipe, environments: Path) -> None:
    found = training.to_best(dataset, recipe, training.Work(8, 2, 1, 10, 8), environments)
    assert found["rectools-best/ndcg@10"] == 0  # equal scores count at their worst
    assert found["rectools-best/epoch"] == found["ours/epoch"] == 1
    assert found["seconds-to-rectools-best"] > 0


def test_another_librarys_vectors_are_examined_as_ours_are(dataset: Dataset, recipe: Recipe) -> None:
    vocabulary = Vocabulary(np.arange(1, FILMS + 1, dtype=np.int32))
    one = last_question(dataset.ratings, 0, recipe.sequences)
    users, films = np.ones((1, 1), np.float32), np.zeros((FILMS + 1, 1), np.float32)
    films[one.target] = 1
    found = training.answers(users, films, vocabulary, [one])
    assert found.ranks.tolist() == [1]
    assert found.top[0, 0] == one.target
    assert not np.isin(one.seen, found.top).any()
    films[:] = 1
    assert training.answers(users, films, vocabulary, [one]).ranks.tolist() == [FILMS - len(one.seen)]
    # What was not among the films that the library was trained on comes after all others.
    assert training.answers(users, films[: one.target], vocabulary, [one]).ranks.tolist() == [FILMS - len(one.seen)]


def test_some_people_and_the_ends_of_their_histories(dataset: Dataset) -> None:
    some = training.shortened(training.some_people(dataset, 5), 3)
    assert len(some.ratings.people) == 5
    for person, name in enumerate(some.ratings.people):
        whole = dataset.ratings.films[dataset.ratings.rows(int(name))]
        assert some.ratings.films[some.ratings.rows(person)].tolist() == whole[-3:].tolist()
    assert some.data_hash != dataset.data_hash


def test_a_part_that_is_not_measured_keeps_its_figures(tmp_path: Path) -> None:
    training.write(tmp_path, "speed", {"people": 1}, {"vs-rectools": 3.0}, "one")
    training.write(tmp_path, "best", {"people": 2}, {"seconds-to-rectools-best": 9.0}, "other")
    kept = json.loads((tmp_path / "training-speed.json").read_text(encoding="utf-8"))
    assert kept["settings"] == {"speed": {"people": 1}, "best": {"people": 2}}
    assert kept["metrics"] == {"vs-rectools": 3, "seconds-to-rectools-best": 9}


def test_a_fold_of_the_starters_protocol_is_asked_once_and_its_figures_join_the_others(
    dataset: Dataset, recipe: Recipe, environments: Path, tmp_path: Path
) -> None:
    fold = starter.fold_of(dataset, protocol(dataset.ratings), recipe, 0)
    target = starter.kept(tmp_path, dataset, "rectools-sasrec", 0)
    starter.examine(fold, "rectools-sasrec", recipe, target, environments)
    before = target.stat()
    starter.examine(fold, "rectools-sasrec", recipe, target, environments)
    assert target.stat() == before
    earlier = {"benchmark": "starter", "settings": {"folds": 5}, "metrics": {"ndcg@10": 0.1}}
    (tmp_path / "starter.json").write_text(json.dumps(earlier), encoding="utf-8")
    starter.add(tmp_path, tmp_path, dataset)
    written = json.loads((tmp_path / "starter.json").read_text(encoding="utf-8"))
    assert written["settings"]["peers"]["folds"] == {"rectools-sasrec": [0]}
    assert written["metrics"]["ndcg@10"] == 0.1
    assert written["metrics"]["rectools-sasrec/ndcg@10"] == 0  # equal scores count at their worst
    assert written["metrics"]["rectools-sasrec/people"] == len(fold.questions) > 0


def test_nobody_of_the_fold_and_nobody_who_chooses_the_epoch_is_trained_on(dataset: Dataset, recipe: Recipe) -> None:
    split = protocol(dataset.ratings)
    fold = starter.fold_of(dataset, split, recipe, 1)
    left_out = {one.person for one in (*fold.validation, *fold.questions)}
    assert len(fold.trained) == PEOPLE - len(left_out)
    assert {one.person for one in fold.questions} == set(np.flatnonzero(split.fold == 1).tolist())
    assert fold.validation
