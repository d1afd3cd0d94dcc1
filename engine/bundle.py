"""A model on disk: what a bundle holds, how it is written, and why it may be trusted.

Knows the folder's layout, its manifest and how to verify it (schema, hashes, shapes, a canary inference). Knows nothing
of histories, requests or how scores are used (`engine.recommender`), and nothing of how a model is trained.

A bundle is never half there: `write` fills a temporary folder beside the place and renames it. `load` maps the arrays,
so that a model of hundreds of megabytes opens in milliseconds and several processes share its pages.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from engine.films import Catalog
from engine.inference import GraphError, Model, Provider, left_padded_ids
from engine.names import READING

if TYPE_CHECKING:
    from engine.titles import TitleIndex

Scalar = TypeVar("Scalar", bound=np.generic)

SCHEMA = 1
"""The layout this file reads and writes."""

KNOWN_INPUTS = frozenset({"history"})
"""Optional encoder inputs that this engine can fill; a bundle that declares another is refused."""

STARTER = Path(__file__).parent / "starter"
"""The bundle that ships with the program."""

REQUIRED = (
    "NOTICE", "MODEL_CARD.md", "encoder.onnx", "scorer.onnx", "film_table.npy", "vocabulary.npy", "popularity.npy",
    "canary.npz",
)  # fmt: skip
"""Files every bundle has, beside `manifest.json` and the folders `catalog/` and `titles/`."""

CANARY_TOLERANCE = 5e-3
"""Scores of the canary may differ by this much, relative to their spread: another processor adds in another order."""

_NO_CHECKSUM = "0" * 64
_CANARY_COUNT = 10
_MAX_MANIFEST_BYTES = 64 * 2**20


class BundleError(Exception):
    """A bundle that cannot be used. `str(error)` is one sentence for a person; the fields are for the log."""

    def __init__(self, sentence: str, *, folder: Path, file: str | None = None, detail: str | None = None) -> None:
        super().__init__(sentence)
        self.folder = folder
        self.file = file
        self.detail = detail


def _inside(path: str) -> str:
    """A relative POSIX path that stays in its folder; ValueError otherwise."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ".." in parts:
        raise ValueError("a file of a bundle lies inside its folder")
    return path


class FileEntry(BaseModel):
    """What a file of the bundle must be: its SHA-256 (hex) and its size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Manifest(BaseModel):
    """`manifest.json`: everything that can be known of a bundle without opening its arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = Field(alias="schema")
    name: str = Field(min_length=1)
    version: str = Field(min_length=1)
    created: AwareDatetime
    recipe: dict[str, JsonValue]
    data_hash: str
    data_report: dict[str, JsonValue] = {}
    """What was found in the data before training; empty in bundles that were made before anybody looked."""
    people_hash: str
    max_length: int = Field(ge=1, le=4096)
    dimension: int = Field(ge=1, le=8192)
    vocabulary: int = Field(ge=1, lt=2**31)
    inputs: tuple[str, ...]
    reading: int = Field(ge=1)
    """How names were read for the title index: `engine.names.READING`."""
    metrics: dict[str, float]
    licence: str
    files: dict[Annotated[str, AfterValidator(_inside)], FileEntry]
    checksum: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of `manifest.json` itself, with zeros in this place."""


@dataclass(frozen=True, slots=True)
class Canary:
    """Histories and what the model must answer: `ids` int32[C, L], `indices` int64[C, k], `scores` float32[C, k]."""

    ids: npt.NDArray[np.int32]
    indices: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Bundle:
    """An opened bundle. The arrays are mapped, read only; sessions, catalogue and titles are made when asked for.

    `film_table` float32[V+1, D] (row 0: padding), `vocabulary` int32[V] (the film id of index 1…V), `popularity`
    float32[V] (log(1 + interactions) of index 1…V).
    """

    folder: Path
    manifest: Manifest
    film_table: npt.NDArray[np.float32]
    vocabulary: npt.NDArray[np.int32]
    popularity: npt.NDArray[np.float32]
    canary: Canary
    verified: bool
    _models: dict[Provider, Model] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def label(self) -> str:
        """Name and version, as stored with every slate."""
        return f"{self.manifest.name} {self.manifest.version}"

    def model(self, provider: Provider = "auto") -> Model:
        """The sessions on that provider, built on the first call and then shared.

        In a bundle that is verified they have passed the canary. Raises BundleError when a graph does not load, lacks
        an input or an output, or answers the canary otherwise than stored.
        """
        if provider not in self._models:
            try:
                model = Model(
                    self.folder / "encoder.onnx",
                    self.folder / "scorer.onnx",
                    self.film_table,
                    max_length=self.manifest.max_length,
                    provider=provider,
                )
                if self.verified:
                    _check_canary(self, model)
            except GraphError as error:
                raise BundleError(
                    f"The model in {self.folder} cannot be run: {error}", folder=self.folder, detail=error.detail
                ) from error
            self._models[provider] = model
        return self._models[provider]

    @cached_property
    def catalog(self) -> Catalog:
        """The films of this bundle. Raises BundleError when the arrays are not there or not readable."""
        try:
            return Catalog.load(self.folder / "catalog")
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise _broken(self.folder, "catalog", error) from error

    @cached_property
    def titles(self) -> TitleIndex:
        """The title index over the catalogue. Raises BundleError when the arrays are not there or not readable."""
        # Imported here: writing a bundle for an experiment, or encoding, needs no fuzzy matching.
        from engine.titles import TitleIndex

        try:
            return TitleIndex.load(self.folder / "titles", self.catalog)
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise _broken(self.folder, "titles", error) from error


def write(
    folder: Path,
    *,
    name: str,
    version: str,
    recipe: Mapping[str, JsonValue],
    data_hash: str,
    people_hash: str,
    max_length: int,
    encoder: bytes,
    scorer: bytes,
    film_table: npt.NDArray[np.float32],
    vocabulary: npt.NDArray[np.int32],
    popularity: npt.NDArray[np.float32],
    catalog: Catalog,
    titles: TitleIndex,
    metrics: Mapping[str, float],
    licence: str,
    notice: str,
    model_card: str,
    data_report: Mapping[str, JsonValue] | None = None,
    inputs: Sequence[str] = ("history",),
    extra: Mapping[str, bytes] | None = None,
    created: datetime | None = None,
) -> Manifest:
    """Write a bundle to `folder`, whole or not at all, and load and verify it before it takes its place.

    `encoder` and `scorer` are serialised ONNX models that declare their film vectors as external data; names, shapes,
    inputs and outputs are those of `engine.inference.Model`. Arrays are as in `Bundle`. `extra` holds further files by
    relative path (hashed too, ignored by the engine). The canary is made here: histories of several lengths, drawn with
    a fixed seed and answered by these very graphs on the CPU. A bundle that was in `folder` before is replaced.

    Raises BundleError when `folder` holds something else or what was written does not verify, OSError when the disk
    does not take it.
    """
    folder = folder.resolve()
    refuse_to_replace(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-", ignore_cleanup_errors=True) as made:
        # The temporary folder itself is private (0700); the bundle inside it gets ordinary rights.
        fresh = Path(made) / "bundle"
        fresh.mkdir()
        (fresh / "NOTICE").write_text(notice, encoding="utf-8")
        (fresh / "MODEL_CARD.md").write_text(model_card, encoding="utf-8")
        (fresh / "encoder.onnx").write_bytes(encoder)
        (fresh / "scorer.onnx").write_bytes(scorer)
        np.save(fresh / "film_table.npy", np.ascontiguousarray(film_table, np.float32))
        np.save(fresh / "vocabulary.npy", np.ascontiguousarray(vocabulary, np.int32))
        np.save(fresh / "popularity.npy", np.ascontiguousarray(popularity, np.float32))
        catalog.save(fresh / "catalog")
        titles.save(fresh / "titles")
        for path, content in (extra or {}).items():
            target = fresh / _inside(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        try:
            model = Model(
                fresh / "encoder.onnx", fresh / "scorer.onnx", film_table, max_length=max_length, provider="cpu"
            )
            canary = _make_canary(model, len(vocabulary), max_length)
        except GraphError as error:
            raise BundleError(f"These graphs cannot be run: {error}", folder=folder, detail=error.detail) from error
        np.savez(fresh / "canary.npz", ids=canary.ids, indices=canary.indices, scores=canary.scores)
        manifest = Manifest(
            schema=SCHEMA,
            name=name,
            version=version,
            created=created or datetime.now(UTC).replace(microsecond=0),
            recipe=dict(recipe),
            data_hash=data_hash,
            data_report=dict(data_report or {}),
            people_hash=people_hash,
            max_length=max_length,
            dimension=int(film_table.shape[1]),
            vocabulary=len(vocabulary),
            inputs=tuple(inputs),
            reading=READING,
            metrics=dict(metrics),
            licence=licence,
            files={
                path.relative_to(fresh).as_posix(): FileEntry(sha256=_sha256(path), bytes=path.stat().st_size)
                for path in sorted(fresh.rglob("*"))
                if path.is_file()
            },
            checksum=_NO_CHECKSUM,
        )
        manifest = manifest.model_copy(update={"checksum": hashlib.sha256(_text(manifest)).hexdigest()})
        (fresh / "manifest.json").write_bytes(_text(manifest))
        load(fresh, provider="cpu")
        before = Path(made) / "before"
        if folder.exists():
            folder.rename(before)
        try:
            fresh.rename(folder)
        except OSError:
            if before.exists():
                before.rename(folder)
            raise
    return manifest


def refuse_to_replace(folder: Path) -> None:
    """BundleError when `write` would not put a bundle there: replacing deletes, and that is only done to a bundle."""
    if folder.exists() and not (folder / "manifest.json").is_file() and (folder.is_file() or any(folder.iterdir())):
        raise BundleError(f"{folder} holds something other than a bundle, so it is not replaced.", folder=folder)


def load(folder: Path, *, verify: bool = True, provider: Provider = "auto") -> Bundle:
    """Open a bundle and, unless `verify` is off, check all of it before it is trusted.

    Always checked: the schema version, that every file of the manifest is there with its size, the declared inputs,
    shapes and dtypes. With `verify` also: the SHA-256 of every file, the catalogue's and the titles' arrays, and the
    canary on `provider`. Raises BundleError with one sentence that says what is wrong.
    """
    manifest = _read_manifest(folder, verify)
    for name in manifest.inputs:
        if name not in KNOWN_INPUTS:
            raise BundleError(
                f"The model in {folder} asks for “{name}”, which this version of Nextreel does not know.",
                folder=folder,
                file="manifest.json",
            )
    if "history" not in manifest.inputs:
        raise BundleError(f"The model in {folder} takes no history.", folder=folder, file="manifest.json")
    _check_files(folder, manifest, verify)
    v, d = manifest.vocabulary, manifest.dimension
    bundle = Bundle(
        folder=folder,
        manifest=manifest,
        film_table=_map(folder, "film_table.npy", (v + 1, d), np.float32),
        vocabulary=_map(folder, "vocabulary.npy", (v,), np.int32),
        popularity=_map(folder, "popularity.npy", (v,), np.float32),
        canary=_read_canary(folder),
        verified=verify,
    )
    if verify:
        if len(bundle.catalog.rows_of(bundle.vocabulary)) != v:
            raise BundleError(
                f"The model in {folder} knows films that its catalogue does not hold.",
                folder=folder,
                file="vocabulary.npy",
            )
        # Opened here, so that what does not fit is refused now and not in the middle of a conversation.
        _ = bundle.titles
        bundle.model(provider)
    return bundle


def _text(manifest: Manifest) -> bytes:
    text = json.dumps(manifest.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)
    return (text + "\n").encode()


def _read_manifest(folder: Path, verify: bool) -> Manifest:
    path = folder / "manifest.json"
    try:
        if path.stat().st_size > _MAX_MANIFEST_BYTES:
            raise ValueError("the manifest is too large to be one")
        written = path.read_bytes()
        content = json.loads(written)
        if not isinstance(content, dict):
            raise TypeError("the manifest is not a JSON object")
    except FileNotFoundError as error:
        missing = "There is no bundle" if folder.is_dir() else "There is no folder"
        raise BundleError(f"{missing} at {folder}.", folder=folder, file="manifest.json") from error
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise _broken(folder, "manifest.json", error) from error
    schema = content.get("schema")
    if isinstance(schema, int) and not isinstance(schema, bool) and schema > SCHEMA:
        raise BundleError(
            f"The bundle in {folder} was made for a newer Nextreel (its schema is {schema}, this one reads {SCHEMA}).",
            folder=folder,
            file="manifest.json",
        )
    try:
        manifest = Manifest.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BundleError(
            f"The folder {folder} does not hold a Nextreel bundle: in manifest.json, “{where}” is not as it should be.",
            folder=folder,
            file="manifest.json",
            detail=str(error),
        ) from error
    if manifest.reading != READING:
        raise BundleError(
            f"The title index in {folder} was built by another version of Nextreel; make the bundle anew.",
            folder=folder,
            file="manifest.json",
        )
    unsigned = written.replace(manifest.checksum.encode(), _NO_CHECKSUM.encode(), 1)
    if verify and hashlib.sha256(unsigned).hexdigest() != manifest.checksum:
        sentence = f"manifest.json in {folder} was changed after the bundle was made."
        raise BundleError(sentence, folder=folder, file="manifest.json")
    return manifest


def _check_files(folder: Path, manifest: Manifest, verify: bool) -> None:
    for name in REQUIRED:
        if name not in manifest.files:
            sentence = f"The bundle in {folder} is incomplete: its manifest does not list {name}."
            raise BundleError(sentence, folder=folder, file=name)
    for name, entry in manifest.files.items():
        path = folder / name
        try:
            size = path.stat().st_size
            if size != entry.bytes:
                state = "cut short" if size < entry.bytes else "longer than it was"
                raise BundleError(
                    f"{name} in {folder} is {state}: {size} bytes instead of {entry.bytes}.", folder=folder, file=name
                )
            if verify and _sha256(path) != entry.sha256:
                sentence = f"{name} in {folder} was changed after the bundle was made."
                raise BundleError(sentence, folder=folder, file=name)
        except FileNotFoundError as error:
            raise BundleError(
                f"The bundle in {folder} is incomplete: {name} is missing.", folder=folder, file=name
            ) from error
        except OSError as error:
            raise _broken(folder, name, error) from error


def _read_canary(folder: Path) -> Canary:
    try:
        with np.load(folder / "canary.npz", allow_pickle=False) as stored:
            canary = Canary(stored["ids"], stored["indices"], stored["scores"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise _broken(folder, "canary.npz", error) from error
    ids, indices, scores = canary.ids, canary.indices, canary.scores
    alike = ids.ndim == scores.ndim == 2 and indices.shape == scores.shape and len(ids) == len(scores)
    if not (alike and scores.size) or [a.dtype.name for a in (ids, indices, scores)] != ["int32", "int64", "float32"]:
        raise _broken(folder, "canary.npz", ValueError("its arrays do not fit together"))
    return canary


def _make_canary(model: Model, vocabulary: int, max_length: int) -> Canary:
    """Histories of 1, 2, 3, half of L and L films, and the answers to them."""
    rng = np.random.default_rng(0)
    lengths = sorted({1, min(2, max_length), min(3, max_length), max(1, max_length // 2), max_length})
    ids = left_padded_ids([rng.integers(1, vocabulary + 1, n, np.int32) for n in lengths], max_length)
    scores, indices = _answer(model, ids, vocabulary, min(_CANARY_COUNT, vocabulary))
    return Canary(ids, indices, scores)


def _answer(
    model: Model, ids: npt.NDArray[np.int32], vocabulary: int, k: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    bias = np.zeros((len(ids), vocabulary + 1), np.float32)
    bias[:, 0] = -np.inf
    return model.score(model.encode(ids), bias, k)


def _check_canary(bundle: Bundle, model: Model) -> None:
    canary = bundle.canary
    try:
        scores, indices = _answer(model, canary.ids, bundle.manifest.vocabulary, canary.scores.shape[1])
    except Exception as error:  # onnxruntime raises a dozen unrelated types where graph and arrays do not fit
        raise GraphError("it breaks off over its canary.", str(error)) from error
    tolerance = CANARY_TOLERANCE * max(1.0, float(np.ptp(canary.scores)))
    # Films whose scores are this close may change places; the scores themselves may not move.
    same = indices == canary.indices
    close = np.abs(scores - canary.scores) <= tolerance
    if not (close.all() and same.mean() >= 0.8):
        raise BundleError(
            f"The model in {bundle.folder} does not answer as it did when it was made, so it is not used.",
            folder=bundle.folder,
            file="canary.npz",
            detail=f"scores differ by {float(np.abs(scores - canary.scores).max()):.2g}, same films {same.mean():.0%}",
        )


def _map(folder: Path, name: str, shape: tuple[int, ...], dtype: type[Scalar]) -> npt.NDArray[Scalar]:
    """The array of that file, mapped; BundleError when it is another than the manifest says."""
    try:
        mapped: npt.NDArray[Scalar] = np.load(folder / name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _broken(folder, name, error) from error
    if mapped.shape != shape or mapped.dtype != dtype:
        raise BundleError(
            f"{name} in {folder} holds {mapped.dtype}{list(mapped.shape)}, but its manifest says "
            f"{np.dtype(dtype)}{list(shape)}.",
            folder=folder,
            file=name,
        )
    return mapped


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _broken(folder: Path, name: str, error: Exception) -> BundleError:
    return BundleError(
        f"{name} in {folder} cannot be read; the bundle is damaged or not one of Nextreel's.",
        folder=folder,
        file=name,
        detail=f"{type(error).__name__}: {error}",
    )
