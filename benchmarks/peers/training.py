"""Our training beside RecTools' and RePlay's: sequences a second, and the time to RecTools' best figure.

`python -m benchmarks.peers.training --data FOLDER` (`make bench-training-speed`). FOLDER holds MovieLens 1M. The
histories of some of its people, less the last film and of those before it at most the last `LENGTH` + 1, are trained on
by all three for whole epochs in turn, with models of the same dimensions, heads, blocks and width, batches of as many
histories and the softmax over all films. Each has as many threads; the first epoch of each does not count.
RecTools' default SASRec is then trained on histories of at most `BEST_LENGTH` films until our evaluator finds no better
NDCG@10 of the last films in it, and the recipe `ml-1m`, at that length, until it is as good.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import torch

from benchmarks import figures
from benchmarks.ml_1m import changed
from benchmarks.starter import say
from training.datasets import Dataset, Ratings, load
from training.evaluate import TOP, Answers, ndcg, rank_of
from training.fit import Progress, fit
from training.recipe import Recipe, read
from training.sequences import Question, Vocabulary, last_question, without_last

COMMAND = "make bench-training-speed DATA=…"
ENVIRONMENTS = Path("checkpoints/peers")
SCRIPTS = Path(__file__).parent
PEOPLE, ROUNDS = 2000, 3
LENGTH, BEST_LENGTH = 200, 50
PATIENCE, MOST_EPOCHS = 15, 200
SEED = 0
SIZE: Mapping[str, int] = {"dimensions": 64, "heads": 2, "blocks": 2}
DROPOUT, BATCH_SIZE, LEARNING_RATE = 0.2, 128, 1e-3
LAYERS = {"rectools": "pre-norm", "replay": ""}

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Work:
    """What a library is to train: the shape of the model, `length` films of a history, so many histories in a batch."""

    dimensions: int
    heads: int
    blocks: int
    length: int
    batch_size: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One epoch: what it took by the clock and of the processor, in seconds."""

    seconds: float
    cpu_seconds: float


class Peer:
    """Another library's training in its own process, which waits between epochs (see `benchmarks.peers.turns`)."""

    def __init__(
        self, python: Path, script: Path, settings: Mapping[str, object], trained: Sequence[Ids], asked: Sequence[Ids]
    ) -> None:
        """`python` is that of the library's environment, `settings` what the script reads beside the histories."""
        self._folder = tempfile.TemporaryDirectory(prefix="nextreel-")
        folder = Path(self._folder.name)
        (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        starts, asked_starts = (np.cumsum([0, *map(len, histories)]) for histories in (trained, asked))
        np.savez(
            folder / "histories.npz",
            ids=np.concatenate(trained),
            starts=starts,
            asked=np.concatenate(asked),
            asked_starts=asked_starts,
        )
        self._vectors = folder / "vectors.npz"
        self._process = subprocess.Popen(
            [python, script, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.parameters = self._answer()["parameters"]

    def epoch(self) -> Turn:
        """Train one."""
        return self._turn("")

    def epoch_and_vectors(self) -> tuple[Turn, npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Train one; then users float32[A, D] after the histories that are asked about, and films float32[V', D] by
        index, at least as far as any that was trained on."""
        turn = self._turn(str(self._vectors))
        with np.load(self._vectors) as found:
            return turn, found["users"], found["films"]

    def _turn(self, target: str) -> Turn:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{target}\n")
        self._process.stdin.flush()
        found = self._answer()
        return Turn(found["seconds"], found["cpu_seconds"])

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        found: dict[str, float] = json.loads(self._process.stdout.readline())
        return found

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()


def start(name: str, layers: str, work: Work, trained: Sequence[Ids], asked: Sequence[Ids], environments: Path) -> Peer:
    """The library of that name, training `trained` and asked for vectors after `asked`."""
    settings = {**asdict(work), "dropout": DROPOUT, "learning_rate": LEARNING_RATE, "seed": SEED}
    settings |= {"layers": layers, "hidden": 4 * work.dimensions}
    python, script = environments / name / "bin" / "python", SCRIPTS / f"{name}_training.py"
    return Peer(python, script, settings, trained, asked)


def main() -> None:
    """Measure, and write `training-speed.json` after each part; what an earlier run found of the other part stays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of MovieLens 1M")
    parser.add_argument(
        "--parts", nargs="+", choices=("speed", "best"), default=("speed", "best"), help="what to measure"
    )
    parser.add_argument("--people", type=int, default=PEOPLE, help="so many of its people, drawn at random")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, help="histories in a batch")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of each trainer")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="epochs of each that count")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, help="where `make peers` put them")
    parser.add_argument("--results", type=Path, default=figures.RESULTS, help="where the figures go")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)  # for the others
    recipe = read("ml-1m")
    dataset = some_people(load(asked.data, recipe.data.sources), asked.people)
    learning = replace(dataset, ratings=without_last(dataset.ratings), data_hash=f"{dataset.data_hash}-without-last")
    for part in asked.parts:
        commit, load_before = figures.commit(), os.getloadavg()[0]
        settings: dict[str, object] = {"people": asked.people, "batch_size": asked.batch_size, "seed": SEED}
        settings |= {"rectools": "0.19.0", "threads": asked.threads}
        if part == "speed":
            same = same_work(recipe, asked.batch_size)
            settings |= {
                "length": LENGTH,
                "recipe": same.model_dump(mode="json"),
                "rectools_layers": LAYERS["rectools"],
            }
            settings["replay"] = "0.22.0"
            metrics = speed(shortened(learning, LENGTH + 1), same, asked.rounds, asked.environments)
        else:
            own = changed(recipe, {"model": {"length": BEST_LENGTH}})
            settings |= {"length": BEST_LENGTH, "recipe": own.model_dump(mode="json"), "rectools_layers": "sasrec"}
            settings["patience"] = PATIENCE
            metrics = to_best(
                learning, own, Work(**SIZE, length=BEST_LENGTH, batch_size=asked.batch_size), asked.environments
            )
        write(asked.results, part, settings, {**metrics, f"{part}/other-load": load_before}, commit)


def write(results: Path, part: str, settings: Mapping[str, object], metrics: Mapping[str, float], commit: str) -> None:
    """One part's figures beside those that the file has of the other."""
    path = results / "training-speed.json"
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"settings": {}, "metrics": {}}
    figures.write(
        "training-speed",
        command=COMMAND,
        settings={**earlier["settings"], part: settings},
        metrics={**earlier["metrics"], **metrics},
        measured_at=commit,
        folder=results,
    )


def same_work(recipe: Recipe, batch_size: int = BATCH_SIZE) -> Recipe:
    """What our trainer does of the same: the plain model of the peers, their batches, their loss."""
    model = {**SIZE, "length": LENGTH, "dropout": DROPOUT, "block": "plain", "convolution": 0, "positions": "learned"}
    model |= {"similarity": "dot", "attention_dropout": False}
    training = {"batch_films": 0, "batch_size": batch_size, "learning_rate": LEARNING_RATE, "decay": False}
    training |= {"negatives": 0, "start": "random", "average": 0.0}
    return changed(recipe, {"model": model, "training": training}).model_copy(update={"name": "same-work"})


def some_people(dataset: Dataset, count: int) -> Dataset:
    """The dataset of so many people, drawn at random."""
    ratings = dataset.ratings
    drawn = np.sort(np.random.default_rng(SEED).permutation(len(ratings.people))[:count])
    return _of_rows(dataset, drawn, [ratings.rows(int(person)) for person in drawn], f"{count}-people")


def shortened(dataset: Dataset, length: int) -> Dataset:
    """Each history's last `length` films."""
    ratings = dataset.ratings
    rows = [ratings.rows(person) for person in range(len(ratings.people))]
    last = [slice(max(r.start, r.stop - length), r.stop) for r in rows]
    return _of_rows(dataset, np.arange(len(rows)), last, f"last-{length}")


def _of_rows(dataset: Dataset, people: Ids, rows: Sequence[slice], name: str) -> Dataset:
    ratings = dataset.ratings
    kept = np.concatenate([np.arange(r.start, r.stop) for r in rows])
    starts = np.cumsum([0, *(r.stop - r.start for r in rows)]).astype(np.int64)
    fewer = Ratings(ratings.people[people], starts, ratings.films[kept], ratings.stars[kept], ratings.times[kept])
    return replace(dataset, ratings=fewer, data_hash=f"{dataset.data_hash}-{name}")


def histories(ratings: Ratings, vocabulary: Vocabulary) -> list[Ids]:
    """Everybody's films as vocabulary indices, int64[n] each."""
    return [vocabulary.indices(ratings.films[ratings.rows(person)]) for person in range(len(ratings.people))]


def speed(dataset: Dataset, recipe: Recipe, rounds: int, environments: Path) -> dict[str, float]:
    """Epochs in turn: `vs-…` is the middle one of what a peer's epoch takes in units of ours beside it, by the clock;
    `vs-…-cpu` is the same by the processor's time, which other programs disturb less."""
    everybody = np.arange(len(dataset.ratings.people))
    vocabulary = Vocabulary.of(dataset.ratings, everybody, 1, dataset.catalog.film_ids)
    trained = histories(dataset.ratings, vocabulary)
    taken: dict[str, list[Turn]] = {"ours": [], **{name: [] for name in LAYERS}}
    work = Work(**SIZE, length=recipe.model.length, batch_size=recipe.training.batch_size)
    peers = {name: start(name, layers, work, trained, trained[:1], environments) for name, layers in LAYERS.items()}
    try:
        metrics = {f"parameters/{name}": peer.parameters for name, peer in peers.items()}
        began = [time.perf_counter(), time.process_time()]

        def others(progress: Progress) -> None:
            if progress.batch < progress.batches:
                return
            taken["ours"].append(Turn(time.perf_counter() - began[0], time.process_time() - began[1]))
            for name, peer in peers.items():
                taken[name].append(peer.epoch())
            say(", ".join(f"{name} {turns[-1].seconds:.1f} s" for name, turns in taken.items()))
            began[:] = time.perf_counter(), time.process_time()

        with tempfile.TemporaryDirectory(prefix="nextreel-") as folder:
            kept = Path(folder)
            fitted = fit(dataset, recipe, everybody, seed=SEED, checkpoints=kept, epochs=rounds + 1, report=others)
    finally:
        for peer in peers.values():
            peer.__exit__(None, None, None)
    metrics["parameters/ours"] = float(sum(parameter.numel() for parameter in fitted.model.parameters()))
    counted = {name: turns[1:] for name, turns in taken.items()}
    for name, turns in counted.items():
        metrics[f"{name}/sequences-per-second"] = len(trained) / statistics.median(turn.seconds for turn in turns)
        metrics[f"{name}/cpu-seconds"] = statistics.median(turn.cpu_seconds for turn in turns)
        if name in peers:
            beside = list(zip(turns, counted["ours"], strict=True))
            metrics[f"vs-{name}"] = statistics.median(theirs.seconds / own.seconds for theirs, own in beside)
            metrics[f"vs-{name}-cpu"] = statistics.median(
                theirs.cpu_seconds / own.cpu_seconds for theirs, own in beside
            )
    return metrics | {"rounds": float(rounds)}


class _GoodEnoughError(Exception):
    """Training has reached what it was to reach."""


def to_best(dataset: Dataset, recipe: Recipe, work: Work, environments: Path) -> dict[str, float]:
    """How long RecTools trains to its best NDCG@10 for everybody's last film, and ours to the same; less validation."""
    everybody = np.arange(len(dataset.ratings.people))
    learning = without_last(dataset.ratings)
    vocabulary = Vocabulary.of(learning, everybody, 1, dataset.catalog.film_ids)
    trained = histories(learning, vocabulary)
    questions = [last_question(dataset.ratings, int(person), recipe.sequences) for person in everybody]
    theirs: list[tuple[float, float]] = []  # NDCG@10, seconds until then
    with start("rectools", "sasrec", work, trained, trained, environments) as peer:
        while len(theirs) < MOST_EPOCHS and len(theirs) - _best(theirs) <= PATIENCE:
            turn, users, films = peer.epoch_and_vectors()
            theirs.append(
                (
                    float(ndcg(answers(users, films, vocabulary, questions).ranks).mean()),
                    turn.seconds + sum(s for _, s in theirs[-1:]),
                )
            )
            say(f"RecTools: epoch {len(theirs)}, NDCG@10 {theirs[-1][0]:.4f} after {theirs[-1][1]:.0f} s")
    wanted, their_seconds = theirs[_best(theirs) - 1]
    reached: list[tuple[float, float]] = []

    def report(progress: Progress) -> None:
        if progress.batch == progress.batches:
            seconds = sum(epoch.seconds for epoch in progress.done)
            reached.append((progress.done[-1].ndcg, seconds))
            say(f"ours: epoch {len(reached)}, NDCG@10 {reached[-1][0]:.4f} after {seconds:.0f} s")
            if reached[-1][0] >= wanted:
                raise _GoodEnoughError

    with tempfile.TemporaryDirectory(prefix="nextreel-") as folder:
        try:
            fit(dataset, recipe, everybody, seed=SEED, checkpoints=Path(folder), report=report)
        except _GoodEnoughError:
            pass
        else:
            raise SystemExit(f"Our training ended at {max(reached)[0]:.4f} and never reached RecTools' {wanted:.4f}.")
    return {
        "rectools-seconds-to-best": their_seconds,
        "rectools-best/ndcg@10": wanted,
        "rectools-best/epoch": float(_best(theirs)),
        "seconds-to-rectools-best": reached[-1][1],
        "ours/ndcg@10": reached[-1][0],
        "ours/epoch": float(len(reached)),
    }


def _best(epochs: Sequence[tuple[float, float]]) -> int:
    """The number of the epoch with the best figure, 0 when there is none."""
    return 1 + max(range(len(epochs)), key=lambda i: epochs[i][0]) if epochs else 0


def answers(
    users: npt.NDArray[np.float32],
    films: npt.NDArray[np.float32],
    vocabulary: Vocabulary,
    questions: Sequence[Question],
) -> Answers:
    """What `users` float32[N, D] · `films` float32[V', D] answer to N questions, seen films left out; films beyond
    `films`, which were in nobody's training, come last."""
    ranks, tops = [], []
    for user, one in zip(users, questions, strict=True):
        scores = np.full(len(vocabulary) + 1, -np.inf, np.float32)
        scores[: len(films)] = films @ user
        target, seen = int(vocabulary.indices(np.array([one.target]))[0]), vocabulary.indices(one.seen)
        ranks.append(rank_of(scores, target, seen))
        scores[seen] = scores[0] = -np.inf
        tops.append(np.argsort(-scores, kind="stable")[:TOP])
    return Answers(np.array(ranks, np.int64), np.array(tops, np.int64).reshape(-1, TOP))


if __name__ == "__main__":
    main()
