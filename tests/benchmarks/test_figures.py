"""Figures have one form, and no figure is written that is not a number."""

import json
from pathlib import Path

import pytest

from benchmarks import figures


def test_figures_say_what_made_them_and_where(tmp_path: Path) -> None:
    path = figures.write(
        "speed",
        command="make bench",
        settings={"threads": 1},
        metrics={"a/ms": 1.23456789},
        folder=tmp_path / "results",
    )
    written = json.loads(path.read_text())
    assert path.name == "speed.json"
    assert set(written) == {"benchmark", "command", "commit", "machine", "date", "settings", "metrics"}
    assert written["benchmark"] == "speed"
    assert written["command"] == "make bench"
    assert written["settings"] == {"threads": 1}
    assert written["metrics"] == {"a/ms": 1.23457}
    assert all(isinstance(written[key], str) and written[key] for key in ("commit", "machine", "date"))
    assert [entry.name for entry in path.parent.iterdir()] == ["speed.json"]


def test_a_limit_is_named_after_what_it_limits() -> None:
    measured = [figures.Figure("sqlite/read_p99_ms", 6.0, 5.0), figures.Figure("sqlite/lost_watches", 0, 0)]
    assert figures.flat([*measured, figures.Figure("told_s", 1.5)]) == {
        "sqlite/read_p99_ms": 6.0,
        "sqlite/read_p99_limit_ms": 5.0,
        "sqlite/lost_watches": 0,
        "sqlite/lost_limit_watches": 0,
        "told_s": 1.5,
    }
    assert [figure.holds for figure in measured] == [False, True]
    _, read, lost = figures.table(measured).splitlines()
    assert read.split() == ["sqlite/read_p99_ms", "6", "5", "OVER"]
    assert lost.split() == ["sqlite/lost_watches", "0", "0"]


def test_a_long_run_is_of_the_commit_at_which_it_began(tmp_path: Path) -> None:
    path = figures.write("speed", command="", settings={}, metrics={}, measured_at="abc", folder=tmp_path)
    assert json.loads(path.read_text())["commit"] == "abc"


def test_what_is_no_number_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = figures.write("speed", command="make bench", settings={}, metrics={"a": 1.0}, folder=tmp_path)
    before = path.read_text()
    with pytest.raises(ValueError, match="the figure b is nan"):
        figures.write("speed", command="make bench", settings={}, metrics={"b": float("nan")}, folder=tmp_path)
    assert path.read_text() == before
