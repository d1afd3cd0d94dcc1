"""How well the bot understands what people say: `python -m benchmarks.understanding`.

Types every case of `tests/conversation` into a conversation of its own and compares what came of it; the held-back
cases apart, which nothing was tuned on. With `--inspired`, links the film mentions of real chat too.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from benchmarks.figures import write
from bot.evaluating.report import Report, examined
from config import logging as log
from config.settings import LogFormat, LogLevel

CASES = Path(__file__).parent.parent / "tests" / "conversation"
TUNED = (
    "watching",
    "telling",
    "asking",
    "wishing",
    "choosing",
    "nasty",
    "traps",
    "titles",
    "names",
    "detail",
    "mix",
    "de",
    "es",
)
HELD_BACK, UNSEEN = "held_back", "unseen"
"""Sets that nothing is tuned on; the second was written after the first had been measured often."""
MENTIONS = CASES / "inspired.yaml"
LEAST = {
    "intent-accuracy": 0.97,
    "silent-log-precision": 0.99,
    "no-log-accuracy": 0.995,
    "title-recall-own": 0.95,
    "title-recall-inspired": 0.88,
}


def metrics(report: Report) -> dict[str, float]:
    """The figures of the held-back cases by their own names, of the other files by name of file, each with its goal."""
    figures: dict[str, float] = dict(report.of(HELD_BACK).named())
    figures |= {f"{name}-least": least for name, least in LEAST.items()}
    for name in (UNSEEN, *TUNED):
        figures |= {f"{name}/{figure}": value for figure, value in report.of(name).named().items()}
    if report.mentions:
        figures["title-recall-inspired"] = report.mention_recall
        figures["mentions-inspired"] = len(report.mentions)
    else:
        del figures["title-recall-inspired-least"]
    return figures


def main() -> None:
    """Examine, print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inspired", type=Path, help="the folder of the INSPIRED chat (dev.tsv)")
    chat = parser.parse_args().inspired
    log.configure(LogLevel.WARNING, LogFormat.CONSOLE, None)
    files = [CASES / f"{name}.yaml" for name in (HELD_BACK, UNSEEN, *TUNED)]
    report = asyncio.run(examined(files, MENTIONS if chat else None, chat))
    figures = metrics(report)
    command = "python -m benchmarks.understanding" + (" --inspired FOLDER" if chat else "")
    print(report.told())
    print(write("understanding", command=command, settings={"held-back": HELD_BACK}, metrics=figures))


if __name__ == "__main__":
    main()
