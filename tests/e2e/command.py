"""How the tests run the real command, and how a run ended."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NEXTREEL = Path(sys.executable).parent / "nextreel"


@dataclass(frozen=True)
class Ran:
    """How a run of the command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]
"""Run `nextreel` with arguments, `typed=` text or bytes, and settings by name."""


def run_in(folder: Path, environment: dict[str, str], *arguments: str, typed: str | bytes = "") -> Ran:
    """Run `nextreel` in a folder, with exactly that environment."""
    done = subprocess.run(
        [NEXTREEL, *arguments],
        input=typed.encode() if isinstance(typed, str) else typed,
        env=environment,
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
