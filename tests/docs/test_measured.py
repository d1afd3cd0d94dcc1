"""Tables of figures: each figure in its cell, beside its limit, and none left out unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import figures
from docs import generate
from docs.generate import measured, ran

COLUMNS = {"SQLite": "sqlite/{}", "PostgreSQL": "postgresql/{}"}


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose figures lie where documents take them from."""
    found = [
        figures.Figure("sqlite/read_p99_ms", 4.256, 5.0),
        figures.Figure("postgresql/read_p99_ms", 6.0, 5.0),
        figures.Figure("sqlite/file_bytes", 791.6),
        figures.Figure("sqlite/killed_times", 1200),
        figures.Figure("sqlite/lost_watches", 0, 0),
        figures.Figure("postgresql/back_s", 0.0000137),
    ]
    figures.write(
        "storage",
        command="make it",
        settings={},
        metrics=figures.flat(found),
        measured_at="0123456789ab",
        folder=tmp_path,
    )
    monkeypatch.setattr(generate, "RESULTS", tmp_path)


def test_figures_stand_beside_their_limits() -> None:
    rows = [("read", "read_p99_ms"), ("room", "file_bytes"), ("kills", "killed_times"), ("… lost", "lost_watches")]
    assert measured("storage", COLUMNS, *rows, ("back", "back_s")).splitlines() == [
        "|  | SQLite | PostgreSQL |",
        "| --- | --- | --- |",
        "| read | 4.26 ms (at most 5 ms) | 6 ms (over 5 ms) |",
        "| room | 792 bytes |  |",
        "| kills | 1,200 |  |",
        "| … lost | 0 (at most 0) |  |",
        "| back |  | 0.001 s |",
    ]


def test_a_row_without_figures_is_noticed() -> None:
    with pytest.raises(KeyError, match="raed"):
        measured("storage", COLUMNS, ("read", "raed_p99_ms"))


def test_a_run_is_told_with_its_command_and_commit() -> None:
    assert ran("storage").startswith("`make it` on ")
    assert ran("storage").endswith("commit 0123456789:")
