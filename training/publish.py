"""From a trained model to a bundle folder: graphs, catalogue, titles, notice and model card together.

Knows what belongs in a bundle beside the weights, and says where the data came from. The folder's layout is
`engine.bundle`'s, the graphs are `training.export`'s.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine import bundle
from engine.titles import TitleIndex
from training.curve import curve
from training.datasets import Dataset
from training.evaluate import fingerprints
from training.export import film_table, graphs
from training.fit import Fitted
from training.recipe import Recipe

PEOPLE_FILE = "people.npy"
"""Fingerprints of everybody whose ratings had a part in training, uint64[P], ascending (`evaluate.fingerprints`)."""

CURVE_FILE = "training.svg"
"""The picture of the training run, which the card shows."""

NOTICE = """\
This folder holds a model and a catalogue of films made from MovieLens data.

MovieLens ratings, film titles, genres, tags and links were collected by GroupLens Research at the University of
Minnesota. Its terms apply to this folder and to whatever is made from it:

- Credit the source, and do not suggest that the University of Minnesota or GroupLens endorses what you make.
- No commercial use without permission from GroupLens Research.
- Whoever passes this folder on, changed or not, does so under these same terms.
- It comes without any warranty.

To cite the data:

    F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context.
    ACM Transactions on Interactive Intelligent Systems (TiiS) 5, 4: 19:1-19:19. https://doi.org/10.1145/2827872

What was changed: ratings became histories in time order, from which the model was trained; titles were put in reading
order; tags were lower-cased, counted, and those that do not describe a film left out. No person's ratings are in this
folder. Nextreel's program code is not covered by this notice; it has its own licence.
"""


_CURVE = f"""
## Training

![Loss and validation over the epochs]({CURVE_FILE})
"""


def publish(
    folder: Path,
    fitted: Fitted,
    dataset: Dataset,
    recipe: Recipe,
    *,
    metrics: Mapping[str, float],
    model_card: str | None = None,
    version: str | None = None,
) -> bundle.Manifest:
    """Write the bundle, whole or not at all.

    Raises `training.export.ExportError` when the graphs do not answer as the model does, `engine.bundle.BundleError`
    when the folder does not verify, OSError when it cannot be written.
    """
    encoder, scorer = graphs(fitted.model)
    table = film_table(fitted.model)
    people = np.sort(fingerprints(dataset.ratings, fitted.people))
    return bundle.write(
        folder,
        name=recipe.name,
        version=version or recipe.version,
        recipe=recipe.model_dump(mode="json"),
        data_hash=dataset.data_hash,
        data_report=dataset.report.stored(),
        people_hash=hashlib.sha256(people.astype("<u8").tobytes()).hexdigest(),
        max_length=recipe.model.length,
        encoder=encoder,
        scorer=scorer,
        film_table=table,
        vocabulary=fitted.vocabulary.films,
        popularity=np.log1p(fitted.counts).astype(np.float32),
        catalog=dataset.catalog,
        titles=TitleIndex.build(dataset.catalog),
        metrics=metrics,
        licence=recipe.data.licence,
        notice=NOTICE,
        model_card=(model_card or _plain_card(fitted, recipe, metrics)) + _CURVE,
        extra={PEOPLE_FILE: _npy(people), CURVE_FILE: curve(fitted.epochs, fitted.best).encode()},
    )


def trained_people(opened: bundle.Bundle) -> npt.NDArray[np.uint64]:
    """The fingerprints that a bundle carries; none when it says nothing of whom it was trained on."""
    if PEOPLE_FILE not in opened.manifest.files:
        return np.zeros(0, np.uint64)
    found: npt.NDArray[np.uint64] = np.load(opened.folder / PEOPLE_FILE, allow_pickle=False)
    return found


def _npy(array: npt.NDArray[np.generic]) -> bytes:
    written = io.BytesIO()
    np.save(written, array)
    return written.getvalue()


def _plain_card(fitted: Fitted, recipe: Recipe, metrics: Mapping[str, float]) -> str:
    figures = "".join(f"| {name} | {value:.4f} |\n" for name, value in metrics.items())
    return (
        f"# {recipe.name} {recipe.version}\n\n"
        f"A SASRec with {recipe.model.dimensions} dimensions, {recipe.model.heads} heads and {recipe.model.blocks} "
        f"blocks, which reads the last {recipe.model.length} films of a history. Trained on {len(fitted.people):,} "
        f"people and {len(fitted.vocabulary):,} films; epoch {fitted.best} of {len(fitted.epochs)} was kept.\n\n"
        "The whole recipe is in `manifest.json`, the terms of the data are in `NOTICE`.\n\n"
        "| figure | value |\n|---|---|\n" + figures
    )
