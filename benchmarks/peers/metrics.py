"""Our figures beside RecTools', for the same made-up slates.

`python -m benchmarks.peers.metrics --python checkpoints/peers/rectools/bin/python` (`make peers` makes that
environment). Ends with exit code 1 when a figure differs by more than a rounding.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import figures
from training.beyond import coverage, diversity, fame, novelty
from training.evaluate import MISS, hit, ndcg, reciprocal

COMMAND = "make bench-metrics"
PEOPLE, FILMS, GENRES = 400, 3000, 7
TOLERANCE = 1e-9
THEIRS = Path(__file__).with_name("rectools_metrics.py")


def main() -> None:
    """Compare, write `metrics.json`, print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--python", type=Path, default=Path("checkpoints/peers/rectools/bin/python"), help="of the peers"
    )
    parser.add_argument("--results", type=Path, default=figures.RESULTS, help="where metrics.json goes")
    asked = parser.parse_args()
    made = made_up(np.random.default_rng(0))
    own, theirs = ours(made), rectools(made, asked.python)
    metrics = {f"{name}/ours": value for name, value in own.items()}
    metrics |= {f"{name}/rectools": theirs[name] for name in own}
    settings = {"people": PEOPLE, "films": FILMS, "tolerance": TOLERANCE, "rectools": "0.19.0"}
    figures.write("metrics", command=COMMAND, settings=settings, metrics=metrics, folder=asked.results)
    apart = [name for name, value in own.items() if abs(value - theirs[name]) > TOLERANCE]
    for name, value in own.items():
        print(f"{name:14}{value:.9f}  {theirs[name]:.9f}{'  DIFFERENT' if name in apart else ''}")
    sys.exit(1 if apart else 0)


Made = dict[str, object]


def made_up(rng: np.random.Generator) -> Made:
    """Slates of ten for everybody, one target each, what was watched earlier (every film at least once), and genres."""
    odds = 1 / (np.arange(FILMS) + 5.0)
    odds /= odds.sum()
    top = [(rng.choice(FILMS, 10, replace=False, p=odds) + 1).tolist() for _ in range(PEOPLE)]
    earlier = {(int(rng.integers(PEOPLE)), film) for film in range(1, FILMS + 1)}
    for person in range(PEOPLE):
        earlier |= {(person, int(film) + 1) for film in rng.choice(FILMS, 15, replace=False, p=odds)}
    return {
        "top": top,
        "targets": (rng.choice(FILMS, PEOPLE, p=odds) + 1).tolist(),
        "earlier": sorted(earlier),
        "genres": {"films": list(range(1, FILMS + 1)), "marks": (rng.random((FILMS, GENRES)) < 0.3).tolist()},
    }


def ours(made: Made) -> dict[str, float]:
    """The figures by our formulas."""
    top, targets = np.array(made["top"]), np.array(made["targets"])
    genres = made["genres"]
    assert isinstance(genres, dict)
    marks = np.vstack([np.zeros(GENRES, np.bool_), np.array(genres["marks"], np.bool_)])
    earlier = np.array(made["earlier"])
    counts = np.bincount(earlier[:, 1], minlength=FILMS + 1)[1:]
    places = top == targets[:, None]
    ranks = np.where(places.any(1), places.argmax(1) + 1, MISS)
    return {
        "hr@5": float(hit(ranks, 5).mean()),
        "hr@10": float(hit(ranks, 10).mean()),
        "ndcg@10": float(ndcg(ranks).mean()),
        "mrr@10": float(reciprocal(ranks).mean()),
        "coverage@10": coverage(top, FILMS),
        "novelty@10": float(novelty(top, counts, len(np.unique(earlier[:, 0]))).mean()),
        "fame@10": float(fame(top, counts).mean()),
        "diversity@10": float(diversity(top, marks).mean()),
    }


def rectools(made: Made, python: Path) -> dict[str, float]:
    """The figures by RecTools, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.json"
        path.write_text(json.dumps(made), encoding="utf-8")
        done = subprocess.run([python, THEIRS, path], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
