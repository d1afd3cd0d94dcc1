"""The two graphs answer as torch does, at every length, in any batch, with films added; one that does not is caught."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from engine.inference import Model
from training.export import ExportError, check, encoder_graph, film_table, graphs, scorer_graph, untrained
from training.model import Convolution, SASRec
from training.recipe import Blocks, ModelSettings, Positions, Similarity

SHAPES = [
    ModelSettings(dimensions=16, heads=4, blocks=1, length=9, similarity=Similarity.COSINE, fame=0.5),
    ModelSettings(dimensions=24, heads=3, blocks=3, length=21, similarity=Similarity.COSINE),
    ModelSettings(dimensions=16, heads=2, blocks=2, length=14, similarity=Similarity.DOT, fame=0.3),
    ModelSettings(dimensions=128, heads=8, blocks=2, length=50),
    ModelSettings(
        dimensions=16, heads=2, blocks=2, length=14, block=Blocks.GATED, convolution=4, positions=Positions.NONE
    ),
    ModelSettings(dimensions=16, heads=2, blocks=1, length=9, convolution=3, similarity=Similarity.COSINE, fame=0.5),
]


def stirred(settings: ModelSettings, vocabulary: int = 200) -> SASRec:
    """A model whose norms and biases are not those of an untrained one, which would hide a missing term."""
    torch.manual_seed(1)
    model = SASRec(vocabulary, settings, torch.randint(1, 500, (vocabulary,))).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
        for module in model.modules():
            if isinstance(module, Convolution):
                module.weight.add_(0.3 * torch.randn_like(module.weight))
    return model


@pytest.mark.parametrize("settings", SHAPES)
def test_the_graphs_answer_as_torch_does_at_every_length(settings: ModelSettings) -> None:
    model = stirred(settings)
    assert check(model, *graphs(model)) <= 1e-4


def test_a_graph_that_answers_otherwise_is_refused() -> None:
    model = stirred(SHAPES[0])
    encoder, scorer = graphs(model)
    with torch.no_grad():
        model.norm.bias += 0.1
    with pytest.raises(ExportError, match="differ from the model"):
        check(model, encoder, scorer)


def test_padding_never_changes_what_the_graph_answers(tmp_path: Path) -> None:
    model = stirred(SHAPES[0])
    write(model, tmp_path)
    paths = tmp_path / "encoder.onnx", tmp_path / "scorer.onnx"
    engine = Model(*paths, film_table(model), max_length=model.settings.length, provider="cpu")
    history = np.array([[5, 9, 3]], np.int32)
    padded = np.array([[0, 0, 0, 0, 5, 9, 3]], np.int32)
    np.testing.assert_allclose(engine.encode(padded), engine.encode(history), atol=1e-5)


def test_nothing_of_the_table_is_in_the_graphs() -> None:
    model = stirred(SHAPES[0], vocabulary=20_000)
    encoder, scorer = encoder_graph(model), scorer_graph(20_000, 17)
    assert len(encoder) + len(scorer) < 100_000 < film_table(model).nbytes


def test_an_added_film_is_read_and_scored_as_if_it_were_in_the_table(tmp_path: Path) -> None:
    model = stirred(SHAPES[0])
    table = film_table(model)
    write(model, tmp_path)
    rows, columns = (ort.OrtValue.ortvalue_from_numpy(array) for array in (table, np.ascontiguousarray(table.T)))
    encoder = session(tmp_path / "encoder.onnx", "film_table", rows)
    scorer = session(tmp_path / "scorer.onnx", "film_columns", columns)
    added, top = table[[7, 8]], len(table) - 1
    known = encoder.run(None, {"history": np.array([[3, 7, 8]], np.int32), "added": added[:0]})[0]
    with_added = encoder.run(None, {"history": np.array([[3, top + 1, top + 2]], np.int32), "added": added})[0]
    np.testing.assert_allclose(with_added, known, atol=1e-6)
    bias = np.zeros((1, len(table) + 2), np.float32)
    bias[0, 0] = -np.inf
    feeds = {"user": known, "bias": bias, "added": added, "k": np.array([len(table) + 1], np.int64)}
    scores, indices = (array[0] for array in scorer.run(None, feeds))
    by_index = dict(zip(indices.tolist(), scores.tolist(), strict=True))
    assert by_index[top + 1] == pytest.approx(by_index[7], abs=1e-4)
    assert by_index[top + 2] == pytest.approx(by_index[8], abs=1e-4)


def test_an_untrained_model_is_the_same_for_the_same_seed_and_leaves_the_generator_alone() -> None:
    before = torch.get_rng_state()
    one, other = untrained(50, SHAPES[0], seed=3), untrained(50, SHAPES[0], seed=3)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.films.weight, other.films.weight)


def write(model: SASRec, folder: Path) -> None:
    table = film_table(model)
    np.save(folder / "film_table.npy", table)
    (folder / "encoder.onnx").write_bytes(encoder_graph(model))
    (folder / "scorer.onnx").write_bytes(scorer_graph(len(table) - 1, table.shape[1]))


def session(path: Path, name: str, table: ort.OrtValue) -> ort.InferenceSession:
    """`table` must live as long as the session: it is not copied."""
    options = ort.SessionOptions()
    options.add_initializer(name, table)
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
