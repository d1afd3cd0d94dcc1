"""The two graphs in onnxruntime: histories in, user vectors and the best films out.

Knows indices, vectors, biases, providers and batches. Knows no films, no people and no requests, and does not know
where the graphs came from (`engine.bundle`).

The film table is one array for both sessions: each gets it by `SessionOptions.add_initializer`, so that it is in memory
once, and mapped from the file where the provider is the CPU.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

Provider = Literal["auto", "cpu", "cuda"]
"""Where to compute: `auto` takes CUDA when it is there and the CPU otherwise."""

Ids = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

_INPUTS = {"encoder": ["history", "added"], "scorer": ["user", "bias", "added", "k"]}
_OUTPUTS = {"encoder": ["user"], "scorer": ["scores", "indices"]}

log = logging.getLogger(__name__)


class GraphError(Exception):
    """A graph that cannot be run. `str(error)` is one sentence; `detail` is what onnxruntime said, for the log."""

    def __init__(self, sentence: str, detail: str | None = None) -> None:
        super().__init__(sentence)
        self.detail = detail


def left_padded_ids(histories: Sequence[Sequence[int] | npt.NDArray[np.integer]], max_length: int) -> Ids:
    """Vocabulary indices as int32[B, L'], left-padded with 0: L' is the longest history, at least 1 and at most L.

    Of a longer history the last `max_length` are kept.
    """
    length = max(1, min(max_length, max((len(history) for history in histories), default=1)))
    ids = np.zeros((len(histories), length), np.int32)
    for row, history in zip(ids, histories, strict=True):
        if kept := len(history[-length:]):
            row[-kept:] = history[-length:]
    return ids


class Model:
    """An encoder and a scorer over one film table.

    `encode(ids)` is int32[B, L'] → float32[B, D]; `score(users, bias, k)` is float32[B, D], float32[B, V+1+M] → the k
    best scores float32[B, k] and their indices int64[B, k], best first. Thread-safe.
    """

    def __init__(
        self,
        encoder: Path,
        scorer: Path,
        film_table: Floats,
        *,
        max_length: int,
        provider: Provider = "auto",
    ) -> None:
        """Raises GraphError when a graph does not load, or takes or gives other arrays than it should."""
        self.max_length = max_length
        self.dimension = int(film_table.shape[1])
        self.provider, reason = choose_provider(provider)
        log.info("inference on %s: %s", self.provider, reason)
        self._table = _table_on(film_table, self.provider)
        self._encoder = self._session("encoder", encoder)
        self._scorer = self._session("scorer", scorer)
        self._no_added = np.zeros((0, self.dimension), np.float32)

    def _session(self, name: str, path: Path) -> ort.InferenceSession:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        options.add_initializer("film_table", self._table)
        try:
            session = ort.InferenceSession(str(path), options, providers=_providers(self.provider))
        except Exception as error:  # onnxruntime raises a dozen unrelated types for a bad graph
            raise GraphError(f"{path.name} is not a graph that onnxruntime can run.", str(error)) from error
        found = [node.name for node in session.get_inputs()], [node.name for node in session.get_outputs()]
        if sorted(found[0]) != sorted(_INPUTS[name]) or found[1] != _OUTPUTS[name]:
            raise GraphError(f"{path.name} does not take and give what a Nextreel {name} should.", f"{found}")
        return session

    def encode(self, ids: Ids, added: Floats | None = None) -> Floats:
        """User vectors float32[B, D] of left-padded histories int32[B, L'], 1 ≤ L' ≤ L."""
        feeds = {"history": ids, "added": self._no_added if added is None else added}
        return np.asarray(self._encoder.run(None, feeds)[0])

    def score(self, users: Floats, bias: Floats, k: int, added: Floats | None = None) -> tuple[Floats, Indices]:
        """The k best of `user · film + bias` a row: scores float32[B, k] and indices int64[B, k], best first."""
        feeds = {
            "user": users,
            "bias": bias,
            "added": self._no_added if added is None else added,
            "k": np.array([k], np.int64),
        }
        scores, indices = self._scorer.run(None, feeds)
        return np.asarray(scores), np.asarray(indices)


def choose_provider(wanted: Provider) -> tuple[Literal["cpu", "cuda"], str]:
    """The provider to use and why. Raises GraphError when CUDA was asked for and is not there."""
    has_cuda = "CUDAExecutionProvider" in ort.get_available_providers()
    if wanted == "cpu":
        return "cpu", "asked for"
    if wanted == "cuda":
        if not has_cuda:
            raise GraphError(
                "CUDA was asked for, but this onnxruntime does not have it.", str(ort.get_available_providers())
            )
        return "cuda", "asked for"
    return ("cuda", "CUDA is there") if has_cuda else ("cpu", "this onnxruntime has no CUDA")


def _table_on(film_table: Floats, provider: str) -> ort.OrtValue:
    if provider == "cuda":
        return ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(film_table), "cuda", 0)
    return ort.OrtValue.ortvalue_from_numpy(film_table)


def _providers(provider: str) -> list[str | tuple[str, dict[str, str]]]:
    # TF32 would round every score to three digits; the canary and ties between films need all of them.
    return (
        [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"]
        if provider == "cuda"
        else ["CPUExecutionProvider"]
    )
