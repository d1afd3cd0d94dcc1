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
import typer
from typer.testing import CliRunner

from engine import bundle
from training.cli import train
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


def losses(said: str) -> list[float]:
    lines = [line for line in said.splitlines() if line.startswith("epoch")]
    return [float(line.partition("loss ")[2].partition(",")[0]) for line in lines]


def command(folder: Path, recipe: Path, into: Path) -> list[str]:
    places = ["--out", str(into / "bundle"), "--checkpoints", str(into / "kept"), "--device", "cpu"]
    return [str(recipe), "--data", str(folder), *places]


def together(arguments: list[str], processes: int) -> list[str]:
    """What each process said, started as `torchrun` does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = []
    for rank in range(processes):
        place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)}
        environment = os.environ | place | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
        run = [sys.executable, "-m", "bot", "train", *arguments]
        started.append(subprocess.Popen(run, stderr=subprocess.PIPE, text=True, env=environment))
    said = [process.communicate(timeout=300)[1] for process in started]
    assert [process.returncode for process in started] == [0] * processes, said
    return said


def test_two_processes_learn_what_one_does(folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "two.toml"
    recipe.write_text(RECIPE)
    app = typer.Typer()
    app.command()(train)
    alone = CliRunner().invoke(app, command(folder, recipe, tmp_path / "alone"))
    first, second = together(command(folder, recipe, tmp_path / "two"), 2)
    assert len(losses(alone.stderr)) == 3
    assert losses(first) == pytest.approx(losses(alone.stderr), abs=2e-3)
    assert second == ""
    tables = [
        np.asarray(bundle.load(tmp_path / name / "bundle", provider="cpu").film_table) for name in ("alone", "two")
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
