"""What a training run was and how it went, in MLflow: parameters, a curve an epoch, the manifest and the card.

Knows MLflow alone, and imports it only when a run is tracked. Nothing is sent anywhere: its telemetry is off, and the
default is an SQLite file beside the checkpoints.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import TrainingError

if TYPE_CHECKING:
    from training.fit import Epoch, Progress
    from training.recipe import Recipe

OFF, AUTO = "off", "auto"
"""No store, and the usual one: an SQLite file beside the checkpoints, where MLflow is installed."""
EXPERIMENT = "nextreel"

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}


class TrackingError(TrainingError):
    """A store that cannot be written."""

    exit_code = 73


class Tracked:
    """One run in the store: epochs are written as they end, the bundle at the end."""

    def __init__(self, written: int = 0) -> None:
        self._written = written

    def report(self, progress: Progress) -> None:
        """Write the epochs that have ended since."""
        import mlflow

        for epoch in progress.done[self._written :]:
            mlflow.log_metrics(_curve(epoch), step=epoch.number)
        self._written = max(self._written, len(progress.done))

    def bundle(self, folder: Path, metrics: Mapping[str, float]) -> None:
        """Write the bundle's figures, its manifest and its card; not its weights."""
        import mlflow

        mlflow.log_metrics({_name(name): value for name, value in metrics.items() if math.isfinite(value)})
        for file in ("manifest.json", "MODEL_CARD.md"):
            mlflow.log_artifact(str(folder / file))


@contextmanager
def tracked(store: str, recipe: Recipe, decided: Mapping[str, str | int], *, beside: Path) -> Iterator[Tracked | None]:
    """A run in the MLflow store at that URI, such as `sqlite:///mlflow.db`; None where it is `OFF`. With `AUTO` the
    store is `beside/mlflow.db`, or none where MLflow is not installed.

    `decided` is what beside the recipe made the run, such as seed and data. A run that ends by an error is marked so.
    Raises TrackingError when the store cannot be written, ModuleNotFoundError where MLflow is not installed.
    """
    if store == AUTO:
        installed = importlib.util.find_spec("mlflow") is not None
        store = f"sqlite:///{beside.resolve() / 'mlflow.db'}" if installed else OFF
    if store == OFF:
        yield None
        return
    os.environ.update(_QUIET)
    import mlflow
    from mlflow.exceptions import MlflowException

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        mlflow.set_tracking_uri(store)
        if store.startswith("sqlite:///") and mlflow.get_experiment_by_name(EXPERIMENT) is None:
            files = Path(store.removeprefix("sqlite:///")).resolve().with_suffix(".files")
            mlflow.create_experiment(EXPERIMENT, artifact_location=files.as_uri())
        mlflow.set_experiment(EXPERIMENT)
        run = mlflow.start_run(run_name=f"{recipe.name} {recipe.version}")
    except (MlflowException, OSError) as error:
        raise TrackingError(f"Runs cannot be kept in {store}; --tracking {OFF} trains without.") from error
    with run:
        mlflow.log_params({**_flat(recipe.model_dump(mode="json")), "recipe_hash": recipe.fingerprint(), **decided})
        yield Tracked()


def both(one: Callable[[Progress], None], other: Tracked | None) -> Callable[[Progress], None]:
    """A report that goes to the screen and into the store."""
    if other is None:
        return one

    def report(progress: Progress) -> None:
        one(progress)
        if progress.batch == progress.batches:
            other.report(progress)

    return report


def _curve(epoch: Epoch) -> dict[str, float]:
    found = {"loss": epoch.loss, "validation/ndcg_10": epoch.ndcg}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _name(metric: str) -> str:
    """MLflow allows no “@” in a name."""
    return metric.replace("@", "_")


def _flat(settings: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    made: dict[str, object] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            made |= _flat(value, f"{prefix}{name}.")
        else:
            made[f"{prefix}{name}"] = value
    return made
