"""Preparing 32 million ratings: time and memory.

`python -m benchmarks.data --data FOLDER`. FOLDER holds `ml-latest-2023-head`, whose lengths of histories and fame of
films are stretched to the size of MovieLens 32M. The made-up CSV files are then read, checked, ordered and counted
(`training.datasets.load`) in a process of its own whose peak memory the system reports. `--rows` makes it smaller,
`--engine spark` prepares it by Spark (its Java process is not counted in the memory).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import figures
from training.cli import Engine, ratings_reader
from training.datasets import load
from training.recipe import Source
from training.synthetic import Shape, write

COMMAND = "make bench-data DATA=…"
MODEL = Source(folder="ml-latest-2023-head", drop_last_person=True)
FULL = Shape(people=200_948, films=87_585, rows=32_000_204)
"""As many as MovieLens 32M has."""
BUDGET = {"minutes": 3.0, "peak-gb": 4.0}
GIB = 2**30


def main() -> None:
    """Make the files, prepare them, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with ml-latest-2023-head")
    parser.add_argument("--rows", type=int, default=FULL.rows, help="how many ratings")
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.DUCKDB)
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--results", type=Path, default=figures.RESULTS, help="where data.json goes")
    asked = parser.parse_args()
    if asked.prepare:
        print(json.dumps(prepare(asked.prepare, asked.engine)))
        return
    commit = figures.commit()
    share = asked.rows / FULL.rows
    shape = Shape(max(1, round(FULL.people * share)), max(100, round(FULL.films * share**0.5)), asked.rows)
    with tempfile.TemporaryDirectory(prefix="nextreel-") as folder:
        say(f"Making {shape.rows:,} ratings by {shape.people:,} people of {shape.films:,} films …")
        write(Path(folder), load(asked.data, [MODEL]).ratings, shape)
        megabytes = (Path(folder) / "ratings.csv").stat().st_size / 10**6
        say(f"Preparing {megabytes:,.0f} MB of CSV …")
        command = [
            sys.executable,
            "-m",
            "benchmarks.data",
            "--data",
            ".",
            "--engine",
            asked.engine,
            "--prepare",
            folder,
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    metrics = json.loads(done.stdout) | {"csv-mb": megabytes}
    settings = {"shape": {"people": shape.people, "films": shape.films, "rows": shape.rows}, "engine": asked.engine}
    settings["budget"] = BUDGET
    figures.write("data", command=COMMAND, settings=settings, metrics=metrics, measured_at=commit, folder=asked.results)
    say(f"{metrics['rows']:,.0f} rows in {metrics['minutes']:.2f} minutes, at most {metrics['peak-gb']:.2f} GB.")


def prepare(folder: Path, engine: Engine) -> dict[str, float]:
    """Read and prepare the folder here, and what that took."""
    start, load_before = time.perf_counter(), os.getloadavg()[0]
    with ratings_reader(engine) as reader:
        dataset = load(folder, [Source()], reader)
    minutes = (time.perf_counter() - start) / 60
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": float(dataset.report.rows),
        "people": float(dataset.report.people),
        "films": float(dataset.report.films),
        "minutes": minutes,
        "cpu-minutes": (used.ru_utime + used.ru_stime) / 60,
        "other-load": load_before,
        "peak-gb": used.ru_maxrss * 1024 / GIB,
    }


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
