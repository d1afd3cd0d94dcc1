"""Two processes together learn what one alone does, and a device that is not there is said."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import bundle
from training.crew import ALONE, DeviceError, device

RECIPE = """
name = "together"
version = "1"
[sequences]
inputs = "all"
targets = "all"
[model]
dimensions = 16
heads = 2
blocks = 1
length = 12
dropout = 0
similarity = "cosine"
[training]
epochs = 3
patience = 3
batch_size = 16
"""


def train(folder: Path, recipe: Path, into: Path, processes: int) -> list[float]:
    """The losses of the epochs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    arguments = ["train", str(recipe), "--data", str(folder), "--out", str(into / "bundle"), "--device", "cpu"]
    started = []
    for rank in range(processes):
        place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)}
        environment = os.environ | place | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "bot", *arguments, "--checkpoints", str(into / "kept")]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment))
    said = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0] * processes, said
    assert all("epoch" not in silent for silent in said[1:])
    lines = [line for line in said[0].splitlines() if line.startswith("epoch")]
    return [float(line.partition("loss ")[2].partition(",")[0]) for line in lines]


def test_two_processes_learn_what_one_does(folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "together.toml"
    recipe.write_text(RECIPE)
    alone = train(folder, recipe, tmp_path / "alone", 1)
    together = train(folder, recipe, tmp_path / "together", 2)
    assert len(alone) == 3
    assert together == pytest.approx(alone, abs=2e-3)
    tables = [
        np.asarray(bundle.load(tmp_path / name / "bundle", provider="cpu").film_table) for name in ("alone", "together")
    ]
    assert np.abs(tables[0] - tables[1]).max() < 0.02


def test_a_process_alone_shares_nothing() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    weight.sum().backward()
    ALONE.add_gradients([weight])
    assert weight.grad is not None
    assert weight.grad.tolist() == [1, 1, 1]
    assert ALONE.share([1, 2, 3]) == [1, 2, 3]
    assert ALONE.total(2.5) == 2.5


def test_a_gpu_that_is_not_there_is_said() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(
        DeviceError, match=r"^There is no GPU to train on \(.+\); leave out --device to train on the processor\.$"
    ):
        device("cuda")
    assert device("auto") == device("cpu") == torch.device("cpu")
