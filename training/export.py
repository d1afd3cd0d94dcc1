"""From a trained model to the two graphs of a bundle, checked against torch before they are trusted.

Writes ONNX (opset 20, standard operators only): the arithmetic of `training.model`, with what serving never needs left
out. The last block works for the last position alone, which is all that is asked (see `encoder_graph`). Knows no people
and no training; the folder's layout is `engine.bundle`'s.

Neither graph holds the film table: the encoder declares `film_table` float32[V+1, D] and the scorer `film_columns`
float32[D, V+1] as external data, which the engine hands to both sessions.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from engine.inference import Model
from training.errors import TrainingError
from training.model import NORM_EPSILON, Block, Convolution, SASRec
from training.recipe import ModelSettings, Similarity

OPSET = 20
IR_VERSION = 9
TOLERANCE = 1e-4
"""Largest difference allowed between a score of the graphs and the same from torch."""

TABLE_FILE = "film_table.npy"
_TABLE_HEADER = 128
"""Bytes before the numbers in a `.npy` of two dimensions, as numpy writes it."""

_FAME_UNIT = 0.01
"""A film's log(ratings) times this is the table's last column: too small to matter to a cosine of two films."""

_BATCHES = (1, 3, 32)
_CHECKED_FILMS = 10


class ExportError(TrainingError):
    """Graphs that do not answer as the model does."""


class _Graph:
    """Collects nodes and constants: `op` adds a node and returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        output = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=f"node_{output}", **attributes))
        return output

    def constant(self, value: npt.NDArray[np.generic]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def weight(self, tensor: torch.Tensor) -> str:
        return self.constant(tensor.detach().to(torch.float32).numpy())

    def linear(self, x: str, layer: torch.nn.Linear) -> str:
        return self.op("Add", self.op("MatMul", x, self.weight(layer.weight.T)), self.weight(layer.bias))

    def norm(self, x: str, layer: torch.nn.LayerNorm) -> str:
        scale, shift = self.weight(layer.weight), self.weight(layer.bias)
        return self.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=NORM_EPSILON)

    def gated(self, added: str, x: str, block: Block, place: int) -> str:
        """What a block adds to `x`, times its gate `place` where it has gates."""
        if block.gates is None:
            return added
        gate = block.gates[place]
        assert isinstance(gate, torch.nn.Linear)  # noqa: S101 - a ModuleList does not say what it holds
        return self.op("Mul", added, self.op("Sigmoid", self.linear(x, gate)))

    def convolution(self, x: str, layer: Convolution) -> str:
        """`x` float32[B, L', D] → the same: a Conv over the places, one group a dimension, padded in front."""
        width, dimensions = layer.weight.shape
        kernel = self.weight(layer.weight.flip(0).T[:, None])  # [D, 1, K], the place itself last
        columns = self.op("Transpose", x, perm=(0, 2, 1))
        mixed = self.op("Conv", columns, kernel, group=dimensions, kernel_shape=(width,), pads=(width - 1, 0))
        return self.op("Transpose", mixed, perm=(0, 2, 1))

    def finish(
        self,
        title: str,
        inputs: Mapping[str, tuple[int, Sequence[str | int]]],
        outputs: Mapping[str, tuple[int, Sequence[str | int]]],
        table: tuple[str, Sequence[int]],
    ) -> bytes:
        """The model, serialised; `table` is the name and shape of the external initializer."""
        external = TensorProto(
            name=table[0], data_type=TensorProto.FLOAT, dims=table[1], data_location=TensorProto.EXTERNAL
        )
        # onnxruntime wants the named file to be there, though the engine gives every session its table.
        external.external_data.add(key="location", value=TABLE_FILE)
        external.external_data.add(key="offset", value=str(_TABLE_HEADER))
        graph = helper.make_graph(
            self.nodes,
            title,
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
            [*self.constants, external],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="nextreel"
        )
        serialised: bytes = model.SerializeToString()
        return serialised


def encoder_graph(model: SASRec) -> bytes:
    """`history` int32[B, L'], `added` float32[M, D] → `user` float32[B, D], the model's vector after the last film.

    Of the last block only the last position is computed: its keys and values are needed everywhere, but one query, one
    mixing and one feed-forward row, which is where most of the time would go.
    """
    settings = model.settings
    dimensions, heads = settings.dimensions, settings.heads
    vocabulary = model.films.num_embeddings - 1
    g = _Graph()
    one, last, after = g.ints(1), g.ints(-1), g.ints(np.iinfo(np.int64).max)
    columns = dimensions + bool(settings.fame)

    history = g.op("Cast", "history", to=TensorProto.INT64)
    length = g.op("Shape", "history", start=1, end=2)  # [L']
    films = _film_vectors(g, history, vocabulary, columns)
    if settings.fame:
        films = g.op("Slice", films, g.ints(0), g.ints(dimensions), g.ints(2))
    x = g.op("Mul", films, g.constant(np.array(model.input_scale, np.float32)))
    if model.positions is not None:
        scaled_positions = g.weight(model.positions * model.input_scale)
        x = g.op("Add", x, g.op("Slice", scaled_positions, g.op("Neg", length), after, g.ints(0)))

    places = g.op(
        "Range", g.constant(np.array(0, np.int64)), g.op("Squeeze", length), g.constant(np.array(1, np.int64))
    )
    row, column = g.op("Unsqueeze", places, g.ints(1)), g.op("Unsqueeze", places, g.ints(0))
    is_film = g.op("Greater", history, g.constant(np.array(0, np.int64)))
    present = g.op("Unsqueeze", is_film, g.ints(1, 2))
    itself = g.op("Equal", row, column)
    allowed = g.op("Or", g.op("And", g.op("GreaterOrEqual", row, column), present), itself)  # (B, 1, L', L')
    # A large number and not −inf: a position that sees nothing must not become not-a-number.
    shut, open_ = g.constant(np.array(-1e9, np.float32)), g.constant(np.array(0, np.float32))
    mask = g.op("Where", allowed, open_, shut)

    split = g.ints(0, 0, heads, dimensions // heads)
    for number, block in enumerate(model.blocks):
        assert isinstance(block, Block)  # noqa: S101 - a ModuleList does not say what it holds
        is_last = number == len(model.blocks) - 1
        normed = g.norm(x, block.norm_1)
        if block.convolution is not None:
            counted = g.op("Unsqueeze", g.op("Cast", is_film, to=TensorProto.FLOAT), g.ints(2))
            normed = g.convolution(g.op("Mul", normed, counted), block.convolution)
        asking = normed
        if is_last:
            x, asking = g.op("Slice", x, last, after, one), g.op("Slice", normed, last, after, one)
            mask = g.op("Slice", mask, last, after, g.ints(2))
        query_weight, key_weight, value_weight = block.query_key_value.weight.chunk(3)
        query_bias, key_bias, value_bias = block.query_key_value.bias.chunk(3)
        # 1/√(D/H) belongs to the product of query and key; in the query's weights it costs nothing.
        shrink = (dimensions // heads) ** -0.5
        query = g.op("MatMul", asking, g.weight(query_weight.T * shrink))
        query = g.op("Add", query, g.weight(query_bias * shrink))
        key = g.op("Add", g.op("MatMul", normed, g.weight(key_weight.T)), g.weight(key_bias))
        value = g.op("Add", g.op("MatMul", normed, g.weight(value_weight.T)), g.weight(value_bias))
        query = g.op("Transpose", g.op("Reshape", query, split), perm=(0, 2, 1, 3))
        key = g.op("Transpose", g.op("Reshape", key, split), perm=(0, 2, 3, 1))
        value = g.op("Transpose", g.op("Reshape", value, split), perm=(0, 2, 1, 3))
        weights = g.op("Softmax", g.op("Add", g.op("MatMul", query, key), mask), axis=-1)
        seen = g.op("Transpose", g.op("MatMul", weights, value), perm=(0, 2, 1, 3))
        seen = g.op("Reshape", seen, g.ints(0, 0, dimensions))
        x = g.op("Add", x, g.gated(g.linear(seen, block.mixed), x, block, 0))
        wide = g.linear(g.norm(x, block.norm_2), block.wide)
        if block.gates is None:
            wide = g.op("Gelu", wide)
        else:
            half = g.ints(2 * dimensions)
            opening = g.op("Slice", wide, g.ints(0), half, g.ints(2))
            content = g.op("Slice", wide, half, after, g.ints(2))
            wide = g.op("Mul", g.op("Mul", opening, g.op("Sigmoid", opening)), content)
        x = g.op("Add", x, g.gated(g.linear(wide, block.narrow), x, block, 1))

    user = g.op("Squeeze", g.linear(g.norm(x, model.norm), model.out), one)
    if settings.similarity is Similarity.COSINE:
        long = g.op("Max", g.op("ReduceL2", user, last, keepdims=1), g.constant(np.array(1e-6, np.float32)))
        user = g.op("Div", user, g.op("Mul", long, g.constant(np.array(settings.temperature, np.float32))))
    if settings.fame:
        row = g.op("Concat", g.op("Shape", "history", start=0, end=1), one, axis=0)  # [B, 1]
        user = g.op("Concat", user, g.op("Expand", g.constant(_fame_factor(settings)), row), axis=1)
    g.op("Identity", user, name="user")
    return g.finish(
        "encoder",
        {"history": (TensorProto.INT32, ("B", "L")), "added": (TensorProto.FLOAT, ("M", columns))},
        {"user": (TensorProto.FLOAT, ("B", columns))},
        ("film_table", (vocabulary + 1, columns)),
    )


def _film_vectors(g: _Graph, history: str, vocabulary: int, dimensions: int) -> str:
    """Vectors of `history`, float32[B, L', D]: from the table up to V, from `added` above.

    The two are gathered apart and chosen from: joining them first would copy the table at every request.
    """
    top, zero = g.constant(np.array(vocabulary, np.int64)), g.constant(np.array(0, np.int64))
    known = g.op("Gather", "film_table", g.op("Min", history, top), axis=0)
    none_first = g.op("Concat", g.constant(np.zeros((1, dimensions), np.float32)), "added", axis=0)
    added = g.op("Gather", none_first, g.op("Max", g.op("Sub", history, top), zero), axis=0)
    is_added = g.op("Unsqueeze", g.op("Greater", history, top), g.ints(2))
    return g.op("Where", is_added, added, known)


def scorer_graph(vocabulary: int, dimensions: int) -> bytes:
    """`user` float32[B, D], `bias` float32[B, V+1+M], `added` float32[M, D], `k` int64[1] → `scores`, `indices` [B, k].

    Added films are scored apart and only the scores are joined, so that the table is read once and never copied.
    """
    g = _Graph()
    known = g.op("MatMul", "user", "film_columns")
    added = g.op("MatMul", "user", g.op("Transpose", "added", perm=(1, 0)))
    scores = g.op("Add", g.op("Concat", known, added, axis=1), "bias")
    g.nodes.append(helper.make_node("TopK", [scores, "k"], ["scores", "indices"], name="node_top", axis=1, sorted=1))
    return g.finish(
        "scorer",
        {
            "user": (TensorProto.FLOAT, ("B", dimensions)),
            "bias": (TensorProto.FLOAT, ("B", "N")),
            "added": (TensorProto.FLOAT, ("M", dimensions)),
            "k": (TensorProto.INT64, (1,)),
        },
        {"scores": (TensorProto.FLOAT, ("B", "K")), "indices": (TensorProto.INT64, ("B", "K"))},
        ("film_columns", (dimensions, vocabulary + 1)),
    )


def _fame_factor(settings: ModelSettings) -> npt.NDArray[np.float32]:
    """The user vector's last number, [[x]]: times a film's last column it is what fame adds to the score."""
    return np.array([[settings.fame / _FAME_UNIT]], np.float32)


def film_table(model: SASRec) -> npt.NDArray[np.float32]:
    """The table that both graphs use, float32[V+1, D]; row 0 is zeros. Where the recipe counts fame, D is one more than
    the model's dimensions and the last column holds it."""
    vectors = model.film_vectors().detach().numpy()
    if model.settings.fame:
        vectors = np.hstack([vectors, _FAME_UNIT * model.log_counts.numpy()[:, None]])
    return np.ascontiguousarray(vectors, np.float32)


def graphs(model: SASRec) -> tuple[bytes, bytes]:
    """The encoder and the scorer of a model, serialised and checked. Raises ExportError when they differ from torch."""
    model.eval()
    encoder = encoder_graph(model)
    scorer = scorer_graph(model.films.num_embeddings - 1, film_table(model).shape[1])
    check(model, encoder, scorer)
    return encoder, scorer


def check(model: SASRec, encoder: bytes, scorer: bytes) -> float:
    """The largest difference in score between the graphs and torch, over random histories of every length and several
    batch sizes, half of each batch left-padded. Raises ExportError above `TOLERANCE` or when the first ten differ."""
    table = film_table(model)
    vocabulary, rng, largest = len(table) - 1, np.random.default_rng(0), 0.0
    count = min(_CHECKED_FILMS, vocabulary)
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "encoder.onnx", Path(folder) / "scorer.onnx"
        for path, content in zip(paths, (encoder, scorer), strict=True):
            path.write_bytes(content)
        np.save(Path(folder) / TABLE_FILE, table)
        engine = Model(*paths, table, max_length=model.settings.length, provider="cpu")
        for length in range(1, model.settings.length + 1):
            for batch in _BATCHES if length % 10 in (0, 1) else (2,):
                ids = rng.integers(1, vocabulary + 1, (batch, length)).astype(np.int32)
                for padded in range(1, batch, 2):
                    ids[padded, : rng.integers(0, length)] = 0
                difference = _difference(model, engine, ids, count)
                largest = max(largest, difference)
                if not difference <= TOLERANCE:
                    raise ExportError(
                        f"The exported graphs differ from the model by {difference:.1e} for {batch} histories of "
                        f"{length} films; at most {TOLERANCE:.0e} is allowed."
                    )
    return largest


def _difference(model: SASRec, engine: Model, ids: npt.NDArray[np.int32], count: int) -> float:
    with torch.no_grad():
        users = model(torch.from_numpy(ids.astype(np.int64)))[:, -1]
        expected = (users @ model.film_vectors().T + model.fame()).numpy()
    expected[:, 0] = -np.inf
    bias = np.zeros(expected.shape, np.float32)
    bias[:, 0] = -np.inf
    scores, indices = engine.score(engine.encode(ids), bias, count)
    wanted = -np.sort(-expected, axis=1)[:, :count]
    found = np.take_along_axis(expected, indices, 1)
    # Films that torch scores the same within the tolerance may change places; any other exchange shows here.
    return float(max(np.abs(scores - wanted).max(), np.abs(found - wanted).max()))


def untrained(vocabulary: int, settings: ModelSettings, *, seed: int = 0) -> SASRec:
    """A model of a given shape with random weights, for benchmarks: it costs what a trained one costs."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SASRec(vocabulary, settings).eval()
