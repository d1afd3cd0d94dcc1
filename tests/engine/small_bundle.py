"""A small bundle with real graphs: five kinds of films, an encoder whose answers can be worked out by hand.

The user vector is the mean of the history's film vectors, each watch counting 0.9 of the one after it; films of a kind
lie together. Nothing is random but for fixed seeds, so the same call writes the same bundle.
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from engine import bundle
from engine.bundle import Manifest
from engine.films import Catalog, FilmRecord
from engine.titles import TitleIndex

DIMENSION = 16
MAX_LENGTH = 12
KINDS = ("Horror", "Comedy|Romance", "Sci-Fi|Action", "Western", "Drama|War")
TAGS = ("giallo", "screwball", "space travel", "gunfight", "trenches")
FILMS = 300
KNOWN = 240
"""The films that the model knows, those of the lowest numbers; the rest are only in the catalogue."""


def film_id(number: int) -> int:
    """Ids have gaps, as MovieLens' have."""
    return 3 * number + 7


def records() -> list[FilmRecord]:
    """Film n is of kind n % 5, from a year between 1930 and 2019, the less known the higher its number."""
    return [
        FilmRecord(
            film_id=film_id(n),
            raw_title=f"{TAGS[n % 5].title()} Story {n} ({1930 + (n * 7) % 90})",
            genres=KINDS[n % 5],
            rating_count=1 + 2000 // (n + 1),
            tags={TAGS[n % 5]: 3} if n % 2 == 0 else None,
        )
        for n in range(FILMS)
    ]


def film_table() -> np.ndarray:
    """float32[V+1, D] at length 1: a centre for each kind, a little of the film's own."""
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((5, DIMENSION))
    vectors = centres[np.arange(KNOWN) % 5] + 0.6 * rng.standard_normal((KNOWN, DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.vstack([np.zeros((1, DIMENSION)), vectors]).astype(np.float32)


def _graph(name, nodes, inputs, outputs, constants, table) -> bytes:
    external = TensorProto(
        name=table[0], data_type=TensorProto.FLOAT, dims=table[1], data_location=TensorProto.EXTERNAL
    )
    external.external_data.add(key="location", value="film_table.npy")
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(*i) for i in inputs],
        [helper.make_tensor_value_info(*o) for o in outputs],
        [*constants, external],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return model.SerializeToString()


def encoder(vocabulary: int = KNOWN, decay: float = 0.9, scale: float = 10.0) -> bytes:
    """`scale` times the mean of the film vectors, weighted by `decay` to the power of the place from the end."""
    node, kind = helper.make_node, TensorProto.FLOAT
    nodes = [
        node("Gather", ["film_table", "history"], ["films"]),
        node("Shape", ["history"], ["shape"], start=1),
        node("Squeeze", ["shape"], ["length"]),
        node("Range", ["start", "length", "step"], ["place"]),
        node("Sub", ["length", "place"], ["back"]),
        node("Cast", ["back"], ["power"], to=kind),
        node("Pow", ["decay", "power"], ["weight"]),
        node("Greater", ["history", "padding"], ["is_film"]),
        node("Cast", ["is_film"], ["film"], to=kind),
        node("Mul", ["film", "weight"], ["weights"]),
        node("Unsqueeze", ["weights", "last"], ["column"]),
        node("Mul", ["films", "column"], ["weighted"]),
        node("ReduceSum", ["weighted", "along"], ["total"], keepdims=0),
        node("ReduceSum", ["weights", "along"], ["sum"], keepdims=1),
        node("Max", ["sum", "tiny"], ["divisor"]),
        node("Div", ["total", "divisor"], ["mean"]),
        node("ReduceSum", ["added", "first"], ["of_added"], keepdims=0),
        node("Mul", ["of_added", "zero"], ["nothing"]),
        node("Add", ["mean", "nothing"], ["vector"]),
        node("Mul", ["vector", "scale"], ["user"]),
    ]
    constants = {
        "start": np.int64(0),
        "step": np.int64(1),
        "decay": np.float32(decay),
        "padding": np.int32(0),
        "first": np.array([0]),
        "last": np.array([2]),
        "along": np.array([1]),
        "tiny": np.float32(1e-6),
        "zero": np.float32(0),
        "scale": np.float32(scale),
    }
    return _graph(
        "encoder",
        nodes,
        [("history", TensorProto.INT32, ["B", "L"]), ("added", kind, ["M", DIMENSION])],
        [("user", kind, ["B", DIMENSION])],
        constants,
        ("film_table", [vocabulary + 1, DIMENSION]),
    )


def scorer(vocabulary: int = KNOWN) -> bytes:
    """`user · film + bias` and its k best."""
    node, kind = helper.make_node, TensorProto.FLOAT
    nodes = [
        node("MatMul", ["user", "film_columns"], ["of_known"]),
        node("Transpose", ["added"], ["columns"], perm=[1, 0]),
        node("MatMul", ["user", "columns"], ["of_added"]),
        node("Concat", ["of_known", "of_added"], ["of_all"], axis=1),
        node("Add", ["of_all", "bias"], ["biased"]),
        node("TopK", ["biased", "k"], ["scores", "indices"], axis=1),
    ]
    return _graph(
        "scorer",
        nodes,
        [
            ("user", kind, ["B", DIMENSION]),
            ("bias", kind, ["B", "N"]),
            ("added", kind, ["M", DIMENSION]),
            ("k", TensorProto.INT64, [1]),
        ],
        [("scores", kind, ["B", "K"]), ("indices", TensorProto.INT64, ["B", "K"])],
        {},
        ("film_columns", [DIMENSION, vocabulary + 1]),
    )


def write_small_bundle(folder: Path, **changed: object) -> Manifest:
    """Write the bundle to `folder`; `changed` replaces arguments of `engine.bundle.write`."""
    catalog = Catalog.build(records())
    arguments = {
        "name": "small",
        "version": "1",
        "recipe": {"name": "small"},
        "data_hash": "none",
        "people_hash": "none",
        "max_length": MAX_LENGTH,
        "encoder": encoder(),
        "scorer": scorer(),
        "film_table": film_table(),
        "vocabulary": np.array([film_id(n) for n in range(KNOWN)], np.int32),
        "popularity": np.log1p([1 + 2000 // (n + 1) for n in range(KNOWN)]).astype(np.float32),
        "catalog": catalog,
        "titles": TitleIndex.build(catalog),
        "metrics": {"ndcg@10": 0.1},
        "licence": "MIT",
        "notice": "Made up.\n",
        "model_card": "# Made up\n",
    }
    return bundle.write(folder, **{**arguments, **changed})
