"""Writes `benchmarks/results/<benchmark>.json`, the one place that documents take their figures from.

Knows the form of the file and how to describe this machine and this commit. Knows nothing of what is measured.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def write(
    benchmark: str,
    *,
    command: str,
    settings: Mapping[str, object],
    metrics: Mapping[str, float],
    folder: Path = RESULTS,
) -> Path:
    """Write the figures of one run and return the file's path.

    `command` is what to type to measure them again, `settings` whatever decides them, `metrics` a flat object from name
    to number. ValueError when a metric is not a finite number.
    """
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise ValueError(f"the figure {name} is {value}")
    figures = {
        "benchmark": benchmark,
        "command": command,
        "commit": commit(),
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": dict(settings),
        "metrics": {name: value if value == int(value) else float(f"{value:.6g}") for name, value in metrics.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{benchmark}.json"
    fresh = path.with_suffix(".json.part")
    fresh.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)
    return path


def commit() -> str:
    """The commit of the working tree, with “+changes” when tracked files differ from it; “unknown” outside git."""
    here = Path(__file__).parent
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=here, check=False).returncode != 0
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+changes" if changed else "")


def machine() -> str:
    """Processor, cores, memory, system and Python, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else math.nan
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown processor")
