"""A new user of the real command: a fresh data folder, an empty place to start in."""

import os
from pathlib import Path

import pytest

from tests.e2e.command import Ran, Run, run_in


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a new user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEXTREEL_")}
    return {**kept, "NEXTREEL_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path), "TERM": "xterm"}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run the command as that user."""

    def run(*arguments: str, typed: str | bytes = "", **settings: str) -> Ran:
        return run_in(tmp_path, {**environment, **settings}, *arguments, typed=typed)

    return run
