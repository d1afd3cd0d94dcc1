"""What can go wrong in training, as one sentence for a person and an exit code for the command. Imports nothing."""

from __future__ import annotations

from typing import ClassVar


class TrainingError(Exception):
    """Training, export or evaluation that cannot go on; `str(error)` is one sentence."""

    exit_code: ClassVar[int] = 65
    """EX_DATAERR: what was given cannot be used."""
