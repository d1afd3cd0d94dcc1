"""A small made-up MovieLens folder with a pattern in it, and the real data where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from training.datasets import Dataset, load
from training.recipe import ModelSettings, Recipe, SequenceSettings, Similarity, Source, Start, TrainingSettings

PEOPLE, FILMS, KINDS = 90, 40, 4

torch.set_num_threads(1)
"""The models here are so small that threads only wait for each other, the longer the busier the machine is."""


def write_folder(folder: Path, people: int = PEOPLE, seed: int = 0) -> Path:
    """Everybody has a kind of film that they watch first and rate higher; film n is of kind n % KINDS."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["userId,movieId,rating,timestamp"]
    for person in range(1, people + 1):
        kind = person % KINDS
        order = sorted(range(1, FILMS + 1), key=lambda film: (film % KINDS != kind) * 15 + rng.normal() * 8)
        for place, film in enumerate(order[: int(rng.integers(16, 30))]):
            stars = rng.choice([4.0, 4.5, 5.0]) if film % KINDS == kind else rng.choice([1.0, 2.0, 3.0, 3.5])
            lines.append(f"{person},{film},{stars},{1_000_000_000 + person * 10_000 + place}")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    titles = [f'{film},"Film {film}, The ({1950 + film})",Drama|Comedy' for film in range(1, FILMS + 6)]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *titles]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("movielens"))


@pytest.fixture(scope="session")
def dataset(folder: Path) -> Dataset:
    return load(folder, [Source()])


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Small enough to train in a second."""
    return Recipe(
        name="tiny",
        version="1",
        sequences=SequenceSettings(inputs="all", targets="all"),
        model=ModelSettings(
            dimensions=16, heads=2, blocks=2, length=12, dropout=0.1, similarity=Similarity.COSINE, fame=0.5
        ),
        training=TrainingSettings(
            epochs=4, patience=3, batch_size=16, negatives=20, start=Start.COOCCURRENCE, average=0.9, newcomers=1,
            drop_inputs=0.2, shuffle=0.1, warmup_steps=5,
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def movielens() -> Path:
    """The folder with `ml-latest-small` and `ml-latest-2023-head`."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    found = Path(os.environ.get("MOVIELENS_DATA", beside))
    if not (found / "ml-latest-small" / "ratings.csv").is_file():
        pytest.skip("the MovieLens folders are not here; MOVIELENS_DATA says where they are")
    return found
