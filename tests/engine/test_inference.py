"""The graphs answer the same alone and together, and an error reaches only its caller."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bundle import Bundle
from engine.inference import Coalescer, GraphError, Model, choose_provider, left_padded_ids
from tests.engine.small_bundle import DIMENSION, KNOWN, MAX_LENGTH

histories = st.lists(st.lists(st.integers(1, KNOWN), max_size=2 * MAX_LENGTH), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def model(small: Bundle) -> Model:
    return small.model("cpu")


@given(histories)
def test_ids_hold_the_last_films_to_the_right_of_zeros(given_histories: list[list[int]]) -> None:
    ids = left_padded_ids(given_histories, MAX_LENGTH)
    assert ids.dtype == np.int32
    assert ids.shape == (len(given_histories), max(1, min(MAX_LENGTH, max(map(len, given_histories)))))
    for row, history in zip(ids, given_histories, strict=True):
        kept = history[-MAX_LENGTH:]
        assert row.tolist() == [0] * (ids.shape[1] - len(kept)) + kept


@settings(deadline=None)
@given(histories)
def test_a_batch_answers_as_each_alone(model: Model, given_histories: list[list[int]]) -> None:
    together = model.encode(left_padded_ids(given_histories, MAX_LENGTH))
    for user, history in zip(together, given_histories, strict=True):
        np.testing.assert_allclose(user, model.encode(left_padded_ids([history], MAX_LENGTH))[0], atol=1e-5)


@settings(deadline=None)
@given(st.lists(st.integers(1, KNOWN), min_size=1, max_size=MAX_LENGTH), st.integers(0, 20))
def test_padding_changes_no_answer(model: Model, history: list[int], more: int) -> None:
    padded = np.array([[0] * min(more, MAX_LENGTH - len(history)) + history], np.int32)
    np.testing.assert_allclose(model.encode(padded), model.encode(np.array([history], np.int32)), atol=1e-5)


def test_scores_are_products_plus_bias_best_first_without_what_is_barred(model: Model, small: Bundle) -> None:
    rng = np.random.default_rng(0)
    users = rng.standard_normal((3, DIMENSION)).astype(np.float32)
    bias = rng.standard_normal((3, KNOWN + 1)).astype(np.float32)
    bias[:, rng.integers(0, KNOWN, 50)] = -np.inf
    scores, indices = model.score(users, bias, 20)
    expected = users @ np.asarray(small.film_table).T + bias
    np.testing.assert_array_equal(indices, np.argsort(-expected, axis=1)[:, :20])
    np.testing.assert_allclose(scores, np.take_along_axis(expected, indices, 1), atol=1e-5)


def test_concurrent_callers_get_what_they_would_get_alone(model: Model) -> None:
    rng = np.random.default_rng(0)
    asked = [rng.integers(1, KNOWN + 1, (1, 1 + i % MAX_LENGTH)).astype(np.int32) for i in range(200)]
    bias = np.zeros((1, KNOWN + 1), np.float32)
    bias[:, 0] = -np.inf

    def answer(ids: np.ndarray) -> np.ndarray:
        return model.score(model.encode(ids), bias, 1 + ids.shape[1])[1]

    alone = [answer(ids) for ids in asked]
    with ThreadPoolExecutor(16) as threads:
        for one, other in zip(alone, threads.map(answer, asked), strict=True):
            np.testing.assert_array_equal(one, other)


class Gate:
    """A run that can be held, so that who waits is known and nothing depends on time."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, tasks: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(tasks))
        if tasks[0] == 0:
            self.entered.set()
            self.open.wait()
        if any(task < 0 for task in tasks):
            raise ValueError(f"cannot run {tasks}")
        return [10 * task for task in tasks]


def held(gate: Gate, coalescer: Coalescer[int, int], tasks: Sequence[int]) -> Callable[[], list[object]]:
    """Start task 0, hold it, and queue the others behind it in their order; returns what lets go and gathers."""
    pool = ThreadPoolExecutor(len(tasks) + 1)
    running = [pool.submit(coalescer, 0)]
    gate.entered.wait()
    for number, task in enumerate(tasks):
        running.append(pool.submit(coalescer, task))
        while len(coalescer._queue) <= number:
            threading.Event().wait(0.001)

    def let_go() -> list[object]:
        gate.open.set()
        answers = [future.exception() or future.result() for future in running]
        pool.shutdown()
        return answers

    return let_go


def test_whatever_waits_is_the_next_batch() -> None:
    gate = Gate()
    let_go = held(gate, Coalescer(gate, lambda _: 1), [1, 2, 3])
    assert let_go() == [0, 10, 20, 30]
    assert gate.batches == [[0], [1, 2, 3]]


def test_a_batch_takes_no_more_rows_than_it_should() -> None:
    gate = Gate()
    let_go = held(gate, Coalescer(gate, lambda _: 50), [1, 2, 3, 4, 5])
    assert let_go() == [0, 10, 20, 30, 40, 50]
    assert gate.batches == [[0], [1, 2], [3, 4], [5]]


def test_an_error_reaches_only_the_caller_whose_task_raises_it() -> None:
    gate = Gate()
    first, *others = held(gate, Coalescer(gate, lambda _: 1), [1, -2, 3])()
    assert (first, others[0], others[2]) == (0, 10, 30)
    assert str(others[1]) == "cannot run [-2]"


def test_after_an_error_the_next_caller_is_served() -> None:
    gate = Gate()
    coalescer = Coalescer(gate, lambda _: 1)
    with pytest.raises(ValueError, match="cannot run"):
        coalescer(-1)
    assert coalescer(4) == 40


def test_a_caller_alone_runs_at_once_in_its_own_thread() -> None:
    threads: list[int] = []
    Coalescer(lambda tasks: [threads.append(threading.get_ident()) for _ in tasks], lambda _: 1)(1)
    assert threads == [threading.get_ident()]


def test_the_processor_is_always_there_and_cuda_is_refused_when_it_is_not() -> None:
    assert choose_provider("cpu") == ("cpu", "as asked")
    provider, reason = choose_provider("auto")
    assert reason
    if provider == "cpu":
        with pytest.raises(GraphError, match="CUDA was asked for, but"):
            choose_provider("cuda")
