"""An epoch of training at the shape of MovieLens 32M: time and memory.

`python -m benchmarks.ml_32m_shape --data FOLDER`. FOLDER holds `ml-latest-2023-head`, whose lengths of histories and
fame of films are stretched to 80,000 people, 30,000 films and 6 million events; an epoch of the recipe `ml-32m`
(histories of 50, 128 dimensions, negatives shared by the batch) is then trained in this process, one thread a core.
`--share` makes it smaller. What it learns means nothing: the order of made-up histories has no sense.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import figures
from engine.films import Catalog, FilmRecord
from training.datasets import DataReport, Dataset, Ratings, load
from training.fit import Progress, fit
from training.recipe import Films, Source, read
from training.sequences import training_sequences
from training.synthetic import Shape, histories

COMMAND = "make bench-ml-32m-shape DATA=…"
FULL = Shape(people=80_000, films=30_000, rows=6_000_000)
BUDGET = {"epoch-minutes": 20.0, "peak-gb": 6.0}
GIB = 2**30
_LINE_EVERY = 60.0


def main() -> None:
    """Make the people, train an epoch, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with ml-latest-2023-head")
    parser.add_argument("--share", type=float, default=1.0, help="of the people and events, for a quick look")
    parser.add_argument("--results", type=Path, default=figures.RESULTS, help="where the figures go")
    asked = parser.parse_args()
    commit, load_before = figures.commit(), os.getloadavg()[0]
    shape = Shape(round(FULL.people * asked.share), FULL.films, round(FULL.rows * asked.share))
    dataset = made_up(asked.data, shape)
    recipe = read("ml-32m")
    sequences = recipe.sequences.model_copy(update={"inputs": Films.ALL, "targets": Films.ALL})
    recipe = recipe.model_copy(update={"sequences": sequences})
    everybody = np.arange(shape.people)
    say(f"Training on {shape.rows:,} events of {shape.people:,} people …")
    moments: list[float] = []
    """The first batch, and then one a minute."""

    def report(progress: Progress) -> None:
        now = time.perf_counter()
        if not moments or now - moments[-1] > _LINE_EVERY:
            moments.append(now)
            say(f"batch {progress.batch} of {progress.batches}, {(now - moments[0]) / 60:.1f} minutes")

    with tempfile.TemporaryDirectory(prefix="nextreel-") as folder:
        before = resource.getrusage(resource.RUSAGE_SELF)
        fitted = fit(dataset, recipe, everybody, seed=0, checkpoints=Path(folder), epochs=1, report=report)
        minutes = fitted.epochs[0].seconds / 60
    used = resource.getrusage(resource.RUSAGE_SELF)
    learned = training_sequences(dataset.ratings, everybody, fitted.vocabulary, sequences)
    targets = sum(len(one.ids) - 1 for one in learned)
    metrics = {
        "epoch-minutes": minutes,
        "events-per-second": targets / minutes / 60,
        "cpu-minutes": (used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime) / 60,
        "other-load": load_before,
        "peak-gb": used.ru_maxrss * 1024 / GIB,
        "events": float(shape.rows),
        "films": float(len(fitted.vocabulary)),
    }
    settings = {"shape": {"people": shape.people, "films": shape.films, "rows": shape.rows}, "budget": BUDGET}
    settings["recipe"] = recipe.model_dump(mode="json")
    figures.write(
        "ml-32m-shape", command=COMMAND, settings=settings, metrics=metrics, measured_at=commit, folder=asked.results
    )
    say(f"{minutes:.1f} minutes an epoch, at most {metrics['peak-gb']:.2f} GB.")


def made_up(data: Path, shape: Shape) -> Dataset:
    """Made-up people as a dataset, spread as those of MovieLens latest."""
    real = load(data, [Source(folder="ml-latest-2023-head", drop_last_person=True)]).ratings
    parts = list(histories(real, shape))
    people, films = (np.concatenate(part) for part in zip(*parts, strict=True))
    starts = np.searchsorted(people, np.arange(1, shape.people + 2)).astype(np.int64)
    names = np.array([f"{person:06d}" for person in range(shape.people)])
    ratings = Ratings(names, starts, films, np.full(shape.rows, 5.0), np.arange(shape.rows, dtype=np.int64))
    listed = (FilmRecord(film_id=film, raw_title=f"Film {film}", genres="Drama") for film in range(1, shape.films + 1))
    catalog = Catalog.build(listed)
    report = DataReport((), shape.rows, shape.people, shape.films, 0, 0, 0)
    return Dataset(ratings, catalog, f"made-up-{shape.people}-{shape.films}-{shape.rows}", report)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
