"""`nextreel train`, `nextreel evaluate` and `nextreel data`: arguments in, sentences and exit codes out.

Knows the other modules of training by name only and imports them when a command runs: `--help` works, and the rest of
the program starts, where torch is not installed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from training.errors import TrainingError

if TYPE_CHECKING:
    import torch

    from engine.bundle import Bundle
    from training.crew import Crew
    from training.datasets import Dataset
    from training.files import Reader
    from training.fit import Progress
    from training.recipe import Recipe

BAD_BUNDLE = 65
"""A bundle that cannot be used for this (EX_DATAERR); other errors of training bring their own code."""
NOT_INSTALLED = 69
"""The libraries for training are not there (EX_UNAVAILABLE)."""
CANNOT_WRITE = 73
INTERRUPTED = 130

_SPARK = frozenset({"pyspark", "py4j"})
_EXTRA = frozenset({"duckdb", "httpx", "ibis", "onnx", "onnxruntime", "pyarrow", "scipy", "torch"})


class Engine(StrEnum):
    """What prepares the ratings."""

    DUCKDB = "duckdb"
    SPARK = "spark"


class Device(StrEnum):
    """What trains."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def train(
    recipe: Annotated[
        str, typer.Argument(help="A recipe that ships (starter, inspiration, ml-1m, ml-20m, ml-32m), or a file.")
    ],
    data: Annotated[Path, typer.Option(help="The folder with the MovieLens files that the recipe names.")],
    out: Annotated[Path, typer.Option(help="Where the bundle goes; a bundle that is there is replaced.")],
    fold: Annotated[
        int | None, typer.Option(min=0, max=4, help="Keep this fold's people out, so that evaluate can ask them.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Train on everybody for so many epochs, without validation people.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, data and machine give the same bundle.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, not where a stopped run was.")] = False,
    checkpoints: Annotated[Path, typer.Option(help="Where a run that is stopped keeps its state.")] = Path(
        "checkpoints"
    ),
    engine: Annotated[Engine, typer.Option(help="What puts the ratings in order.")] = Engine.DUCKDB,
    device: Annotated[Device, typer.Option(help="What trains; auto: a GPU where there is one.")] = Device.AUTO,
    tracking: Annotated[
        str,
        typer.Option(help="The MLflow store that keeps the run; auto: a file beside the checkpoints; off: none."),
    ] = "auto",
) -> None:
    """Train a bundle from MovieLens ratings. Ctrl-C keeps what was done; the same command goes on from there.

    Under torchrun, its processes train the bundle together.
    """
    same = "the same command without --fresh" if fresh else "the same command"
    with _sentences(f"Stopped. Every finished epoch is kept; {same} goes on from there."):
        from training import crew
        from training.recipe import read

        settings, on = read(recipe), crew.device(device)
        with crew.crew(on) as together:
            _train(settings, data, out, fold, epochs, seed, fresh, checkpoints, engine, on, together, tracking)


def _train(
    settings: Recipe,
    data: Path,
    out: Path,
    fold: int | None,
    epochs: int | None,
    seed: int,
    fresh: bool,
    checkpoints: Path,
    engine: Engine,
    device: torch.device,
    together: Crew,
    tracking: str,
) -> None:
    """One process's part in training; the first one speaks and writes the bundle."""
    import numpy as np

    from engine.bundle import refuse_to_replace
    from training.datasets import load
    from training.fit import fit
    from training.publish import publish
    from training.sequences import before, protocol
    from training.tracking import OFF, both, tracked

    say = _say if together.first else _silent
    # Now, not after an hour of training.
    refuse_to_replace(out)
    for folder in (out.resolve().parent, checkpoints):
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    say(f"Reading {data} …")
    with ratings_reader(engine) as reader:
        dataset = load(data, settings.data.sources, reader)
    tested = np.zeros(len(dataset.ratings.people), np.bool_) if fold is None else protocol(dataset.ratings).fold == fold
    if (until := settings.data.until_time) is not None:
        dataset = replace(dataset, ratings=before(dataset.ratings, until), data_hash=f"{dataset.data_hash}-{until}")
    ratings = dataset.ratings
    people = np.flatnonzero((np.diff(ratings.starts) > 0) & ~tested)
    if not len(people):
        raise TrainingError(f"Nobody rated anything before {settings.data.until}: there is nothing to learn from.")
    say(f"{len(ratings.films):,} ratings by {len(ratings.people):,} people; training on {len(people):,} of them.")
    for problem in dataset.report.problems():
        say(problem)
    decided: dict[str, str | int] = {"seed": seed, "data_hash": dataset.data_hash, "people": len(people)}
    with tracked(tracking if together.first else OFF, settings, decided, beside=checkpoints) as run:
        with _progress() as report:
            fitted = fit(
                dataset,
                settings,
                people,
                seed=seed,
                checkpoints=checkpoints,
                fresh=fresh,
                epochs=epochs,
                device=device,
                crew=together,
                report=both(report, run),
            )
        if not together.first:
            return
        metrics = {} if epochs else {"validation/ndcg@10": fitted.epochs[fitted.best - 1].ndcg}
        say("Exporting, and checking the graphs against the model …")
        publish(out, fitted, dataset, settings, metrics=metrics)
        if run is not None:
            run.bundle(out, metrics)
    say(f"{out} is ready.")


def evaluate(
    bundle: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    data: Annotated[Path, typer.Option(help="The folder with the MovieLens files that its recipe names.")],
) -> None:
    """Ask a bundle, by its exported graphs, about people it was not trained on; prints the figures as JSON.

    A bundle whose recipe sets `until` is asked about what people liked from that day on instead.
    """
    with _sentences("Stopped."):
        import numpy as np

        from engine.bundle import load as open_bundle
        from training.datasets import load
        from training.evaluate import ask_bundle, examine, fingerprints, newcomers, told_figures
        from training.publish import trained_people
        from training.recipe import from_manifest
        from training.sequences import last_liked_questions, protocol

        opened = open_bundle(bundle, provider="cpu")
        settings = from_manifest(opened.manifest.recipe)
        _say(f"Reading {data} …")
        dataset = load(data, settings.data.sources)
        trained = trained_people(opened)
        if not len(trained):
            _end(f"{opened.label} does not say whom it was trained on, so nobody can be asked about it.", BAD_BUNDLE)
        if settings.data.until is not None:
            found = _after(opened, dataset, settings, len(trained))
        else:
            split = protocol(dataset.ratings)
            tested = np.flatnonzero(split.fold >= 0)
            strangers = tested[~np.isin(fingerprints(dataset.ratings, tested), trained)]
            if not len(strangers):
                _end(
                    f"{opened.label} was trained on all {len(tested):,} people who could be asked, so its figures "
                    "would mean nothing. Train with --fold to keep some of them out.",
                    BAD_BUNDLE,
                )
            if left := len(tested) - len(strangers):
                _say(f"{left:,} people had a part in training and are not asked.")
            asked = last_liked_questions(dataset.ratings, split, strangers, settings.sequences)
            found = examine(opened, dataset, asked, len(trained))
            told = newcomers(dataset.ratings, strangers, settings.sequences)
            found |= told_figures({count: ask_bundle(opened, questions) for count, questions in told.items()})
        typer.echo(json.dumps({name: round(value, 6) for name, value in found.items()}, indent=2))


def _after(opened: Bundle, dataset: Dataset, settings: Recipe, trained: int) -> dict[str, float]:
    """The figures of a bundle that was trained on what came before a day, for what came after it; beside it what is
    popular at the moment, under `recent-popularity/`."""
    import numpy as np

    from training.evaluate import examine, hit, ndcg, questions_after, recent_popularity
    from training.sequences import Vocabulary

    until = settings.data.until_time
    assert until is not None  # noqa: S101 - the caller asks for bundles that have one
    asked = questions_after(dataset.ratings, until, settings.sequences)
    if not asked:
        _end(f"Nobody liked a film from {settings.data.until} on, so nothing can be asked.", BAD_BUNDLE)
    found = examine(opened, dataset, asked, trained)
    recent = recent_popularity(dataset.ratings, asked, Vocabulary(np.asarray(opened.vocabulary)))
    found["recent-popularity/hr@10"] = float(hit(recent.ranks, 10).mean())
    found["recent-popularity/ndcg@10"] = float(ndcg(recent.ranks).mean())
    return found


data = typer.Typer(name="data", help="Get the data that bundles are trained on.", no_args_is_help=True)


@data.callback()
def _data() -> None:
    """Get the data that bundles are trained on."""


@data.command("get")
def get_data(
    name: Annotated[str, typer.Argument(help="A published set, such as ml-32m or ml-latest-small.")],
    to: Annotated[Path, typer.Option(help="Where its folder goes.")] = Path("data"),
    site: Annotated[str, typer.Option(help="The site, or a mirror of it.")] = (
        "https://files.grouplens.org/datasets/movielens"
    ),
) -> None:
    """Fetch a MovieLens set from GroupLens, verify and unpack it; prints its folder.

    What was received when it stops is kept; the same command goes on from there.
    """
    with _sentences("Stopped. What was received is kept; the same command goes on from there."):
        from training.download import get

        with _bytes_bar(name) as report:
            folder = get(name, to, site=site, report=report)
        typer.echo(folder)


@contextmanager
def ratings_reader(engine: Engine) -> Iterator[Reader | None]:
    """What reads the ratings; None: DuckDB does."""
    if engine is Engine.DUCKDB:
        yield None
        return
    from training.spark import spark

    with spark() as reader:
        yield reader


@contextmanager
def _bytes_bar(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error; nothing where it is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total)


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _silent(line: str) -> None:
    """Another process of the crew says it."""


def _end(sentence: str, code: int) -> NoReturn:
    _say(sentence)
    raise typer.Exit(code)


@contextmanager
def _sentences(stopped: str) -> Iterator[None]:
    """Every known error as one sentence on standard error and its exit code; `stopped` is the one for Ctrl-C."""
    try:
        with _bundle_sentences():
            yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _SPARK:
            _end("Spark is not installed: pip install 'nextreel[cpu,train,spark]'.", NOT_INSTALLED)
        if (error.name or "").partition(".")[0] == "mlflow":
            _end("MLflow is not installed: pip install 'nextreel[cpu,train,tracking]'.", NOT_INSTALLED)
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        _end(f"Training needs more than the bot does ({error.name}): pip install 'nextreel[cpu,train]'.", NOT_INSTALLED)
    except TrainingError as error:
        _end(str(error), error.exit_code)
    except OSError as error:
        _end(f"{error.filename or 'A file'} cannot be read or written: {error.strerror or error}.", CANNOT_WRITE)
    except KeyboardInterrupt:
        _end(f"\n{stopped}", INTERRUPTED)


@contextmanager
def _bundle_sentences() -> Iterator[None]:
    # In a function of its own, because this import already needs onnxruntime.
    from engine.bundle import BundleError

    try:
        yield
    except BundleError as error:
        _end(str(error), BAD_BUNDLE)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """A bar on standard error that `fit` reports to, an epoch at a time; a line an epoch where it is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _report_in_lines
        return
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TimeElapsedColumn()
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("epoch 1")

        def report(progress: Progress) -> None:
            best = max((epoch.ndcg for epoch in progress.done), default=0.0)
            known = f", best NDCG@10 {best:.4f}" if best > 0 else ""
            bar.update(
                task,
                description=f"epoch {progress.epoch}{known}",
                completed=progress.batch,
                total=progress.batches,
            )

        yield report


def _report_in_lines(progress: Progress) -> None:
    if progress.batch == progress.batches:
        epoch = progress.done[-1]
        found = "" if math.isnan(epoch.ndcg) else f", validation NDCG@10 {epoch.ndcg:.4f}"
        _say(f"epoch {epoch.number}: loss {epoch.loss:.4f}{found}")
