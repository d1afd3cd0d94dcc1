"""Every budget of the design beside what it is here: `python -m benchmarks.engine` (or `make bench`).

Measures the starter bundle and an untrained one of 86,537 films × 128, on one core. A limit that depends on the machine
(reading the film table once, the bare matrix products) is measured in the same run, in turn with what it limits. Prints
a table and writes `benchmarks/results/engine.json`. A budget that is missed is said, and the exit code stays 0.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import structlog
from onnx import TensorProto, helper, numpy_helper

from benchmarks import figures
from bot.conversation.dialogue import Dialogue
from bot.conversation.message import Identity, Origin, Place, Text
from engine import bundle
from engine.bundle import STARTER, Bundle
from engine.explain import influences
from engine.films import FilmId
from engine.recommender import Recommender
from engine.requests import Event, Member, Request
from engine.space import Space
from storage.store import Store

COMMAND = "python -m benchmarks.engine"
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Budgets are for one core, whatever the machine has; numpy reads these when it is imported."""
LENGTH = 50
ROUNDS = 40
TITLES = (
    "Suspiria (1977)", "the godfather part 2", "Amélie", "shawshank redemtion", "Star Wars", "alien", "lotr 3",
    "The Good, the Bad and the Ugly", "spirited awya", "a film that nobody made", "12 monkeys", "Se7en",
    "Les Misérables", "terminator two", "Harry Potter and the Prisoner of Azkaban", "x",
    "the one with the shark and the boat in it",
)  # fmt: skip
MESSAGES = (
    "I just watched Alien (1979)", "what next?", "why the second one?", "I watched Suspiria", "1977", "undo",
    "something like Blade Runner (1982)", "recommend me 5 horror films from the 70s", "more", "what have I watched?",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, its limit, and how to show both."""

    name: str
    step: str
    value: float
    limit: float
    unit: str = "ms"


def in_turn(*functions: Callable[[], object], rounds: int = ROUNDS) -> list[npt.NDArray[np.float64]]:
    """Milliseconds of each function, `rounds` times in turn, after two rounds that do not count."""
    times = np.zeros((len(functions), rounds))
    for turn in range(-2, rounds):
        for number, function in enumerate(functions):
            start = time.perf_counter()
            function()
            if turn >= 0:
                times[number, turn] = 1000 * (time.perf_counter() - start)
    return list(times)


def synthetic(folder: Path) -> Bundle:
    """An untrained bundle whose vocabulary is the whole catalogue of the starter bundle, 128 dimensions."""
    from training.export import encoder_graph, film_table, scorer_graph, untrained
    from training.recipe import ModelSettings

    starter = bundle.load(STARTER, provider="cpu")
    films = len(starter.catalog)
    model = untrained(films, ModelSettings(dimensions=128, heads=8, blocks=2, length=LENGTH))
    bundle.write(
        folder,
        name="synthetic",
        version="1",
        recipe={},
        data_hash="none",
        people_hash="none",
        max_length=LENGTH,
        encoder=encoder_graph(model),
        scorer=scorer_graph(films, 128),
        film_table=film_table(model),
        vocabulary=np.asarray(starter.catalog.film_ids, np.int32),
        popularity=np.log1p(starter.catalog.rating_counts).astype(np.float32),
        catalog=starter.catalog,
        titles=starter.titles,
        metrics={},
        licence="MIT",
        notice="Random numbers.\n",
        model_card="Random numbers.\n",
    )
    return bundle.load(folder, provider="cpu")


# The graphs


def graph_rows(name: str, opened: Bundle) -> list[Row]:
    """One request and a batch of 32 through both graphs, beside reading the table and the bare matrix products."""
    model, rng = opened.model("cpu"), np.random.default_rng(0)
    v, length = opened.manifest.vocabulary, min(LENGTH, opened.manifest.max_length)
    table = np.array(opened.film_table).ravel()
    ids = rng.integers(1, v + 1, (32, length)).astype(np.int32)
    bias = np.zeros((32, v + 1), np.float32)
    bias[:, 0] = -np.inf

    def both(batch: int) -> Callable[[], object]:
        return lambda: model.score(model.encode(ids[:batch]), bias[:batch], 100)

    one, read = in_turn(both(1), lambda: table.dot(table))
    limit = 1.2 * float(np.median(read)) + 0.8
    rows = [Row(f"{name}/one_request_ms", "encode + score + top-100, one request", float(np.median(one)), limit)]
    encoder_products = products(opened.folder / "encoder.onnx", "film_table", opened.film_table, ids)
    users = model.encode(ids)
    columns = np.ascontiguousarray(opened.film_table.T)
    scorings = [product_session([(users, columns)], prepack) for prepack in (False, True)]
    batch, encoding, plain, packed = in_turn(both(32), encoder_products, *scorings, rounds=15)
    # The limit is the same products laid out as here; packed ones are faster, at twice the memory, and shown beside it.
    alone, alone_packed = (float(np.median(encoding) + np.median(scoring)) for scoring in (plain, packed))
    taken = float(np.median(batch))
    rows.append(Row(f"{name}/batch_32_ms", "the same, batch of 32", taken, 1.5 * alone))
    rows.append(Row(f"{name}/batch_32_against_packed_ms", "   against packed products", taken, 1.5 * alone_packed))
    return rows


def products(
    path: Path, table_name: str, table: npt.NDArray[np.float32], ids: npt.NDArray[np.int32]
) -> Callable[[], object]:
    """The matrix products of an encoder and nothing else, with the shapes that these ids give them."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.enable_profiling = True
    options.add_session_config_entry("session.disable_prepacking", "1")  # a profile does not show packed weights
    placed = ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(table))  # the session does not keep it alive
    options.add_initializer(table_name, placed)
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        session.run(None, {"history": ids, "added": np.zeros((0, table.shape[1]), np.float32)})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    rng = np.random.default_rng(0)
    pairs = []
    for event in events:
        if event.get("args", {}).get("op_name") in ("MatMul", "Gemm", "FusedMatMul", "MatMulAdd"):
            shapes = [tuple(next(iter(s.values()))) for s in event["args"]["input_type_shape"][:2]]
            pairs.append(tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes))
    return product_session(pairs, True)


def product_session(pairs: Sequence[tuple[npt.NDArray[np.float32], ...]], prepack: bool) -> Callable[[], object]:
    """Runs those products; a right side of two dimensions is a weight, as in the model, and may be prepacked."""
    nodes, constants, inputs, feeds = [], [], [], {}
    for number, (left, right) in enumerate(pairs):
        a, b = f"a{number}", f"b{number}"
        # A product is transposed as the graph has it; only its size matters here.
        right = right if left.shape[-1] == right.shape[-2] else np.swapaxes(right, -1, -2).copy()
        feeds[a] = left
        inputs.append(helper.make_tensor_value_info(a, TensorProto.FLOAT, left.shape))
        if right.ndim == 2:
            constants.append(numpy_helper.from_array(right, b))
        else:
            feeds[b] = right
            inputs.append(helper.make_tensor_value_info(b, TensorProto.FLOAT, right.shape))
        nodes.append(helper.make_node("MatMul", [a, b], [f"c{number}"]))
    outputs = [helper.make_tensor_value_info(f"c{n}", TensorProto.FLOAT, None) for n in range(len(pairs))]
    graph = helper.make_graph(nodes, "products", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.disable_prepacking", "0" if prepack else "1")
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, feeds)


# The recommender


def walks(recommender: Recommender, count: int, length: int) -> list[Member]:
    """Made-up people: from one film, again and again to one of ten films that the model would have next."""
    rng = np.random.default_rng(0)
    vocabulary = recommender.bundle.vocabulary
    weights = np.exp(recommender.bundle.popularity.astype(np.float64))
    people = []
    for _ in range(count):
        history = [FilmId(int(rng.choice(vocabulary, p=weights / weights.sum())))]
        while len(history) < length:
            member = Member(tuple(Event(film) for film in history))
            picks = recommender.recommend([member], Request(count=10, reasons=False)).picks
            history += [picks[int(i)].film.film_id for i in rng.permutation(len(picks))[:3]]
        people.append(Member(tuple(Event(film) for film in history[:length])))
    return people


def real_people(recommender: Recommender, folder: Path) -> list[Member]:
    """The last 50 known films rated 3.5 or better, of the first hundred people of a ratings.csv who have as many."""
    known = set(recommender.bundle.vocabulary.tolist())
    histories: dict[str, list[tuple[int, int]]] = {}
    with (folder / "ratings.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            if float(line["rating"]) >= 3.5 and int(line["movieId"]) in known:
                histories.setdefault(line["userId"], []).append((int(line["timestamp"]), int(line["movieId"])))
    return [
        Member(tuple(Event(FilmId(film)) for _, film in sorted(history)[-LENGTH:]))
        for history in histories.values()
        if len(history) >= LENGTH
    ][:100]


def recommender_rows(name: str, recommender: Recommender, people: Sequence[Member]) -> list[Row]:
    """A slate with filters and variety for histories of 50 films, without and with reasons."""
    rows = []
    for reasons, limit in ((False, 6.0), (True, 20.0)):
        request = Request(
            genres=frozenset({"Drama"}), without_genres=frozenset({"Musical"}), years=(1960, 2020), reasons=reasons
        )
        times = np.concatenate(
            in_turn(*[lambda m=member, r=request: recommender.recommend([m], r) for member in people], rounds=8)
        )
        step = f"recommend, filters and variety, {'with' if reasons else 'no'} reasons"
        key = f"{name}/recommend{'_with_reasons' if reasons else ''}"
        rows.append(Row(f"{key}_ms", step, float(np.median(times)), limit))
        rows.append(Row(f"{key}_p99_ms", "   its 99th percentile", float(np.percentile(times, 99)), limit))
    return rows


def agreement(recommender: Recommender, people: Sequence[Member]) -> dict[str, float]:
    """How often the watch that 16 tries find strongest is the strongest of all, over the films of a slate of five."""
    space = Space(recommender.bundle.model("cpu"), recommender.bundle.film_table)
    index = {int(film): i + 1 for i, film in enumerate(recommender.bundle.vocabulary)}
    same = total = close = 0
    for member in people:
        history = np.array([index[event.film_id] for event in member.history])
        picks = recommender.recommend([member], Request(reasons=False)).picks
        slate = np.array([index[pick.film.film_id] for pick in picks])
        tried = influences(space, [history], slate).influences
        every = influences(space, [history], slate, most=None).influences
        for film in range(len(slate)):
            best = max(every, key=lambda influence: influence.falls[film])
            found = max(tried, key=lambda influence: influence.falls[film])
            same += best.index == found.index
            close += found.falls[film] >= 0.8 * best.falls[film]
            total += 1
    return {"reasons/same_watch_as_full_search": same / total, "reasons/at_least_80_percent_of_its_fall": close / total}


# The rest of the house


def load_row() -> Row:
    """Loading and verifying the starter bundle, in a fresh process whose imports do not count."""
    code = (
        "import time; from engine import bundle; start = time.perf_counter(); bundle.load(bundle.STARTER);"
        "print(1000 * (time.perf_counter() - start))"
    )
    times = [float(subprocess.check_output([sys.executable, "-c", code], text=True)) for _ in range(5)]
    return Row("starter/load_and_verify_ms", "load and verify the starter bundle", float(np.median(times)), 250.0)


def title_rows(opened: Bundle) -> list[Row]:
    """Linking what people type against all films, text by text."""
    times = in_turn(*[lambda t=text: opened.titles.link(t) for text in TITLES], rounds=10)
    medians = [float(np.median(t)) for t in times]
    return [
        Row("titles/link_ms", "link a title, median of the texts", float(np.median(medians)), 5.0),
        Row("titles/link_slowest_ms", "   the slowest text", max(medians), 5.0),
    ]


def message_rows(recommender: Recommender) -> list[Row]:
    """Messages through the conversation, commit included, on a new SQLite file; each to somebody with a history."""
    times = np.array(asyncio.run(_converse(recommender)))
    return [
        Row("conversation/message_p50_ms", "a message, commit included, p50", float(np.percentile(times, 50)), 40.0),
        Row("conversation/message_p99_ms", "a message, commit included, p99", float(np.percentile(times, 99)), 120.0),
    ]


async def _converse(recommender: Recommender, rounds: int = 30) -> list[float]:
    times = []
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite:///{folder}/bench.db")
        dialogue = Dialogue(recommender=recommender, store=store)
        try:
            for turn in range(-1, rounds):
                place = Place("bench", "", f"channel {turn}")
                for text in MESSAGES:
                    origin = Origin(
                        Identity("bench", "", f"person {turn // 10}"), place, uuid.uuid4().hex, datetime.now(UTC)
                    )
                    start = time.perf_counter()
                    reply = await dialogue.handle(Text(origin, text))
                    if turn >= 0:
                        times.append(1000 * (time.perf_counter() - start))
                if "Alien" not in reply.text:
                    raise RuntimeError(f"the conversation does not work: {reply.text}")
        finally:
            await store.close()
    return times


# A process counts the memory of the one that started it as its own largest, so a small one stands between.
_LARGEST = """
import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def command_rows() -> list[Row]:
    """`nextreel chat` as a process: start to prompt, and its largest memory over a conversation."""
    command = [str(Path(sys.executable).with_name("nextreel")), "chat"]
    starts, memory = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NEXTREEL_DATA_DIR": folder}
        for typed in ("", *[""] * 4, "\n".join(MESSAGES) + "\n"):
            answer = subprocess.run(
                [sys.executable, "-c", _LARGEST, *command], input=typed, text=True, env=environment, capture_output=True
            )
            if answer.returncode:
                raise RuntimeError(f"nextreel chat ended with code {answer.returncode}: {answer.stderr}")
            seconds, largest = (float(number) for number in answer.stdout.split()[-2:])
            if not typed:
                starts.append(seconds)
            # Kilobytes on Linux, bytes on macOS.
            memory = max(memory, largest / (2**20 if sys.platform == "darwin" else 2**10))
    return [
        Row("chat/start_s", "nextreel chat, start to prompt and out", float(np.median(starts[1:])), 1.5, "s"),
        Row("chat/memory_mb", "memory of the running bot, largest", memory, 400.0, "MB"),
    ]


def table_memory(folder: Path, table_bytes: int) -> dict[str, float]:
    """How often the film table is in memory once both sessions have run, in a fresh process."""
    code = f"""
import sys; from pathlib import Path; import numpy as np
from benchmarks.engine import resident
from engine import bundle; from engine.inference import Model
opened = bundle.load(Path({str(folder)!r}), verify=False, provider="cpu"); before = resident()
model = opened.model("cpu"); bias = np.zeros((1, len(opened.film_table)), np.float32)
model.score(model.encode(np.ones((1, 50), np.int32)), bias, 100); print(resident() - before)
"""
    if not Path("/proc/self/status").exists():
        return {}
    added = int(subprocess.check_output([sys.executable, "-c", code], text=True))
    return {"synthetic/resident_per_table": added / table_bytes}


def resident() -> int:
    """Bytes of this process in memory, mapped files included (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--people", type=int, default=20, help="made-up histories of 50 films for slates and reasons")
    # The bot's own log at its usual level: lines on a terminal are not what is measured.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parser.add_argument(
        "--data", type=Path, help="a MovieLens folder: reasons are then measured on its people's histories"
    )
    arguments = parser.parse_args()
    people_count: int = arguments.people
    if any(os.environ.get(name) != value for name, value in ONE_CORE.items()):
        os.execve(
            sys.executable, [sys.executable, "-m", "benchmarks.engine", *sys.argv[1:]], {**os.environ, **ONE_CORE}
        )
    rows: list[Row] = []
    metrics: dict[str, float] = {}
    starter = bundle.load(STARTER, provider="cpu")
    recommender = Recommender(starter, provider="cpu")
    with tempfile.TemporaryDirectory() as folder:
        large = synthetic(Path(folder) / "synthetic")
        for name, opened in (("starter", starter), ("synthetic", large)):
            rows += graph_rows(name, opened)
            served = Recommender(opened, provider="cpu")
            people = walks(served, people_count, LENGTH)
            rows += recommender_rows(name, served, people)
            if name == "starter":
                metrics |= agreement(served, real_people(served, arguments.data) if arguments.data else people)
        metrics |= table_memory(large.folder, large.film_table.nbytes)
    rows += [load_row(), *title_rows(starter), *message_rows(recommender), *command_rows()]
    print(f"{'':58}{'here':>10}{'limit':>10}")
    for name, value in metrics.items():
        print(f"{name:58}{value:>7.2f}")
    for row in rows:
        verdict = "within" if row.value <= row.limit else "OVER"
        name, unit = f"{row.name.split('/')[0]}: {row.step}", row.unit
        print(f"{name:58}{row.value:>7.2f} {unit:2}{row.limit:>7.2f} {unit:2}  {verdict}")
        metrics[row.name] = row.value
        metrics[row.name.replace(f"_{row.unit.lower()}", f"_limit_{row.unit.lower()}")] = row.limit
    path = figures.write(
        "engine",
        command=f"{COMMAND} --data {arguments.data.name}" if arguments.data else COMMAND,
        settings={
            "threads": 1,
            "history": LENGTH,
            "people": people_count,
            "reasons": "MovieLens histories" if arguments.data else "made-up histories",
            "starter": f"{starter.label}, {starter.manifest.vocabulary} × {starter.manifest.dimension}",
            "synthetic": f"{len(starter.catalog)} × 128",
            "onnxruntime": ort.__version__,
        },
        metrics=metrics,
    )
    print(f"\n{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
