"""Writes `benchmarks/results/<benchmark>.json`, the one place that documents take their figures from.

Knows the form of the file, how figures stand beside their limits, and how to describe this machine and this commit.
Knows nothing of what is measured.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that was measured, and the most that it may be. `name` ends with the unit: `sqlite/read_p99_ms`."""

    name: str
    value: float
    limit: float | None = None

    @property
    def limit_name(self) -> str:
        """How the limit is called in the file: `sqlite/read_p99_limit_ms`."""
        step, _, unit = self.name.rpartition("_")
        return f"{step}_limit_{unit}"

    @property
    def holds(self) -> bool:
        """Whether it is within its limit, if it has one."""
        return self.limit is None or self.value <= self.limit


def flat(measured: Iterable[Figure]) -> dict[str, float]:
    """The figures as the file has them, each limit after what it limits."""
    metrics: dict[str, float] = {}
    for figure in measured:
        metrics[figure.name] = figure.value
        if figure.limit is not None:
            metrics[figure.limit_name] = figure.limit
    return metrics


def table(measured: Iterable[Figure]) -> str:
    """The figures beside their limits, for the terminal."""
    lines = [f"{'':54}{'here':>12}{'at most':>12}"]
    for figure in measured:
        limit = "" if figure.limit is None else f"{figure.limit:>12,.6g}  {'' if figure.holds else 'OVER'}"
        lines.append(f"{figure.name:54}{figure.value:>12,.4g}{limit}".rstrip())
    return "\n".join(lines)


def say_where(path: Path) -> None:
    """Print where a file was written, from here if it lies below."""
    print(f"\n{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def exit_unless_held(measured: Iterable[Figure]) -> None:
    """End the process with code 1, naming the figures that are over their limits, if any is."""
    broken = [figure.name for figure in measured if not figure.holds]
    if broken:
        sys.exit(f"does not hold: {', '.join(broken)}")


def write(
    benchmark: str,
    *,
    command: str,
    settings: Mapping[str, object],
    metrics: Mapping[str, float],
    measured_at: str | None = None,
    folder: Path = RESULTS,
) -> Path:
    """Write the figures of one run and return the file's path.

    `command` is what to type to measure them again, `settings` whatever decides them, `metrics` a flat object from name
    to number, `measured_at` the `commit` when a long run began. ValueError when a metric is not a finite number.
    """
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise ValueError(f"the figure {name} is {value}")
    figures = {
        "benchmark": benchmark,
        "command": command,
        "commit": measured_at or commit(),
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
