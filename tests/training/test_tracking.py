"""A run in a real MLflow store, on SQLite."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tests.training.test_crew import RECIPE
from training.cli import train

mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed: it needs the extra `tracking`")


def run(folder: Path, tmp_path: Path, *more: str) -> Result:
    recipe = tmp_path / "two.toml"
    recipe.write_text(RECIPE)
    app = typer.Typer()
    app.command()(train)
    places = ["--data", str(folder), "--out", str(tmp_path / "bundle"), "--checkpoints", str(tmp_path / "kept")]
    return CliRunner().invoke(app, [str(recipe), *places, *more])


def test_a_run_keeps_its_parameters_its_curve_and_its_manifest(folder: Path, tmp_path: Path) -> None:
    made = run(folder, tmp_path)
    assert made.exit_code == 0, made.stderr
    store = tmp_path / "kept" / "mlflow.db"
    with sqlite3.connect(store) as kept:
        parameters = dict(kept.execute("select key, value from params").fetchall())
        curve = kept.execute("select step, value from metrics where key = 'loss' order by step").fetchall()
        [status] = kept.execute("select status from runs").fetchone()
    assert parameters["model.dimensions"] == "16"
    assert parameters["seed"] == "0"
    assert [step for step, _ in curve] == [1, 2, 3]
    assert curve[-1][1] < curve[0][1]
    assert status == "FINISHED"
    [manifest] = (tmp_path / "kept" / "mlflow.files").rglob("manifest.json")
    assert json.loads(manifest.read_text())["name"] == "together"


def test_a_store_that_cannot_be_written_is_one_sentence_and_nothing_is_trained(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    made = run(folder, tmp_path, "--tracking", f"sqlite:///{tmp_path}/file/mlflow.db")
    assert made.exit_code == 73
    assert made.stderr.splitlines()[-1].endswith("--tracking off trains without.")
    assert not list((tmp_path / "kept").glob("*.pt"))


def test_one_setting_turns_it_off(folder: Path, tmp_path: Path) -> None:
    made = run(folder, tmp_path, "--tracking", "off")
    assert made.exit_code == 0, made.stderr
    assert not list(tmp_path.rglob("mlflow*"))
