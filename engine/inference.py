"""The two graphs in onnxruntime: histories in, user vectors and the best films out.

Knows indices, vectors, biases, providers and batches. Knows no films, no people and no requests, and does not know
where the graphs came from (`engine.bundle`).

The graphs hold no film vectors: they get them by `SessionOptions.add_initializer`. Scoring one person must read the
whole table once, and onnxruntime does that at the speed of memory only when the table is stored by dimension and not
prepacked (87k films × 128 on one core: 1.5 ms; by film 3.5 ms, prepacked 3.1 ms and twice the memory). Encoding needs a
few dozen rows, which are contiguous only when it is stored by film. So the scorer has the one copy that is resident,
`film_columns` float32[D, V+1], and the encoder's `film_table` float32[V+1, D] is the mapped file, of which only the
pages of watched films are ever in memory.
"""

from __future__ import annotations

import logging
import mmap
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

Provider = Literal["auto", "cpu", "cuda"]
"""Where to compute: `auto` takes CUDA when it is there and the CPU otherwise."""

Ids = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

MAX_BATCH_ROWS = 128
"""Rows that one run takes at most when requests are waiting; a single request may have more."""

_INPUTS = {"encoder": {"history", "added"}, "scorer": {"user", "bias", "added", "k"}}
_OUTPUTS = {"encoder": ["user"], "scorer": ["scores", "indices"]}
_TRANSPOSED_AT_ONCE = 512

Task = TypeVar("Task")
Answer = TypeVar("Answer")

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


class _Waiting(Generic[Task, Answer]):
    """A caller's task in the queue, and how the caller learns what became of it."""

    __slots__ = ("answer", "error", "leads", "ready", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.ready = threading.Event()
        self.leads = False
        self.answer: Answer | None = None
        self.error: Exception | None = None


class Coalescer(Generic[Task, Answer]):
    """Runs tasks of concurrent callers together: the batch is whatever is waiting, and nobody waits for it to grow.

    There is no thread of its own. A caller who finds it idle runs at once; who comes meanwhile queues up, and when the
    run ends the first in the queue runs for all of them. An error is met by running the tasks of that batch one by one,
    so that it reaches only the caller whose task raises it.
    """

    def __init__(self, run: Callable[[Sequence[Task]], Sequence[Answer]], rows: Callable[[Task], int]) -> None:
        """`run` answers several tasks in their order; `rows` says how much of `MAX_BATCH_ROWS` one takes."""
        self._run = run
        self._rows = rows
        self._lock = threading.Lock()
        self._queue: deque[_Waiting[Task, Answer]] = deque()
        self._busy = False

    def __call__(self, task: Task) -> Answer:
        """The answer to `task`; raises what running it raised."""
        with self._lock:
            if lone := not self._busy:
                self._busy = True
            else:
                waiting = _Waiting[Task, Answer](task)
                self._queue.append(waiting)
        if lone:
            try:
                return self._run([task])[0]
            finally:
                self._pass_on()
        try:
            waiting.ready.wait()
        except BaseException:  # an interrupt while waiting: nobody may be left waiting for this caller to lead
            with self._lock:
                if waiting in self._queue:
                    self._queue.remove(waiting)
            if waiting.leads:
                self._pass_on()
            raise
        if waiting.leads:
            try:
                self._lead(waiting)
            finally:
                self._pass_on()
        if waiting.error is not None:
            raise waiting.error
        return waiting.answer  # type: ignore[return-value]  # no error, so it was answered; None may be an answer

    def _lead(self, first: _Waiting[Task, Answer]) -> None:
        batch, rows = [first], self._rows(first.task)
        with self._lock:
            while self._queue and rows + self._rows(self._queue[0].task) <= MAX_BATCH_ROWS:
                rows += self._rows(self._queue[0].task)
                batch.append(self._queue.popleft())
        try:
            try:
                for waiting, answer in zip(batch, self._run([w.task for w in batch]), strict=True):
                    waiting.answer = answer
            except Exception:  # noqa: BLE001 - whatever the graph raised: find out whose task it is
                for waiting in batch:
                    try:
                        waiting.answer = self._run([waiting.task])[0]
                    except Exception as error:  # noqa: BLE001 - handed to its caller, who raises it
                        waiting.error = error
        except BaseException as stop:
            for waiting in batch[1:]:
                waiting.error = RuntimeError(f"the batch was interrupted by {type(stop).__name__}")
            raise
        finally:
            for waiting in batch[1:]:
                waiting.ready.set()

    def _pass_on(self) -> None:
        with self._lock:
            if self._queue:
                following = self._queue.popleft()
                following.leads = True
                following.ready.set()
            else:
                self._busy = False


class Model:
    """An encoder and a scorer over one film table; thread-safe, concurrent calls are run together.

    | graph | inputs | outputs | external initializer |
    |---|---|---|---|
    | encoder | history int32[B, L'], added float32[M, D] | user float32[B, D] | film_table float32[V+1, D] |
    | scorer | user float32[B, D], bias float32[B, V+1+M], added float32[M, D], k int64[1]
             | scores float32[B, k], indices int64[B, k] | film_columns float32[D, V+1] |

    A history is left-padded with 0 and 1 ≤ L' ≤ L; a score is `user · film + bias`, best first. M is 0 here: this
    version of the engine adds no films while it runs.
    """

    def __init__(
        self, encoder: Path, scorer: Path, film_table: Floats, *, max_length: int, provider: Provider = "auto"
    ) -> None:
        """Raises GraphError when a graph does not load, or takes or gives other arrays than it should."""
        self.max_length = max_length
        self.provider, reason = choose_provider(provider)
        log.info("inference on %s: %s", self.provider.upper(), reason)
        self._no_added = np.zeros((0, film_table.shape[1]), np.float32)
        # Kept for as long as the sessions, which only point to them.
        self._rows = self._placed(film_table)
        self._columns = self._placed(_by_dimension(film_table))
        self._encoder = self._session("encoder", encoder, "film_table", self._rows)
        self._scorer = self._session("scorer", scorer, "film_columns", self._columns)
        self._encode = Coalescer(self._encode_together, len)
        self._score = Coalescer(self._score_together, lambda task: len(task[0]))

    def encode(self, ids: Ids) -> Floats:
        """User vectors float32[B, D] of left-padded histories int32[B, L'], 1 ≤ L' ≤ L."""
        return self._encode(ids)

    def score(self, users: Floats, bias: Floats, k: int) -> tuple[Floats, Indices]:
        """The k best of `user · film + bias` a row: scores float32[B, k] and indices int64[B, k], best first.

        `users` is float32[B, D] and `bias` float32[B, V+1]; −inf excludes.
        """
        return self._score((users, bias, k))

    def _placed(self, array: Floats) -> ort.OrtValue:
        device = "cuda" if self.provider == "cuda" else "cpu"
        return ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array), device, 0)

    def _session(self, name: str, path: Path, table_name: str, table: ort.OrtValue) -> ort.InferenceSession:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        if name == "scorer":
            options.add_session_config_entry("session.disable_prepacking", "1")
        options.add_initializer(table_name, table)
        cpu = "CPUExecutionProvider"
        # TF32 would round every score to three digits; the canary and ties between films need all of them.
        providers = [("CUDAExecutionProvider", {"use_tf32": "0"}), cpu] if self.provider == "cuda" else [cpu]
        try:
            session = ort.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # onnxruntime raises a dozen unrelated types for a bad graph
            raise GraphError(f"{path.name} is not a graph that onnxruntime can run.", str(error)) from error
        inputs = {node.name for node in session.get_inputs()}
        outputs = [node.name for node in session.get_outputs()]
        if inputs != _INPUTS[name] or outputs != _OUTPUTS[name]:
            sentence = f"{path.name} does not take and give what a {name} should."
            raise GraphError(sentence, f"takes {sorted(inputs)}, gives {outputs}")
        return session

    def _encode_together(self, tasks: Sequence[Ids]) -> Sequence[Floats]:
        if len(tasks) == 1:
            return [self._run_encoder(tasks[0])]
        length = max(ids.shape[1] for ids in tasks)
        together = np.zeros((sum(map(len, tasks)), length), np.int32)
        ends = np.cumsum([len(ids) for ids in tasks])
        for ids, end in zip(tasks, ends, strict=True):
            together[end - len(ids) : end, length - ids.shape[1] :] = ids
        return np.split(self._run_encoder(together), ends[:-1])

    def _run_encoder(self, ids: Ids) -> Floats:
        return np.asarray(self._encoder.run(None, {"history": ids, "added": self._no_added})[0])

    def _score_together(self, tasks: Sequence[tuple[Floats, Floats, int]]) -> Sequence[tuple[Floats, Indices]]:
        if len(tasks) == 1:
            return [self._run_scorer(*tasks[0])]
        users, biases, ks = zip(*tasks, strict=True)
        ends = np.cumsum([len(user) for user in users])[:-1]
        scores, indices = self._run_scorer(np.concatenate(users), np.concatenate(biases), max(ks))
        # A task with a smaller k gets a copy, so that it does not keep the whole batch's answer alive.
        parts = zip(np.split(scores, ends), np.split(indices, ends), ks, strict=True)
        return [(score[:, :k].copy(), index[:, :k].copy()) for score, index, k in parts]

    def _run_scorer(self, users: Floats, bias: Floats, k: int) -> tuple[Floats, Indices]:
        feeds = {"user": users, "bias": bias, "added": self._no_added, "k": np.array([k], np.int64)}
        scores, indices = self._scorer.run(None, feeds)
        return np.asarray(scores), np.asarray(indices)


def choose_provider(wanted: Provider) -> tuple[Literal["cpu", "cuda"], str]:
    """The provider to use and why. Raises GraphError when CUDA was asked for and cannot be used."""
    if wanted == "cpu":
        return "cpu", "as asked"
    reason = detail = "this onnxruntime is built without CUDA"
    if "CUDAExecutionProvider" in ort.get_available_providers():
        try:
            ort.OrtValue.ortvalue_from_numpy(np.zeros(1, np.float32), "cuda", 0)
        except Exception as error:  # noqa: BLE001 - no driver, no device, no memory: told apart only in the text
            reason, detail = "CUDA is installed but no device answers", str(error)
        else:
            return "cuda", "as asked" if wanted == "cuda" else "a device answers"
    if wanted == "cuda":
        raise GraphError(f"CUDA was asked for, but {reason}.", detail)
    return "cpu", reason


def _by_dimension(film_table: Floats) -> Floats:
    """The table transposed and contiguous, float32[D, V+1]; the pages of a mapped table are given back."""
    columns = np.empty(film_table.shape[::-1], np.float32)
    for start in range(0, len(film_table), _TRANSPOSED_AT_ONCE):  # in strips that stay in the cache: twice as fast
        columns[:, start : start + _TRANSPOSED_AT_ONCE] = film_table[start : start + _TRANSPOSED_AT_ONCE].T
    mapped = getattr(film_table, "_mmap", None)
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
    return columns
