"""Makes the generated parts of README.md and docs/: real output of the real command, a picture, measured figures.

`make docs` runs it through cog, `make lint` checks that nothing has gone stale. Knows the command, the
result files and how Markdown looks.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text as RichText

from bot.app import App
from bot.conversation.message import Identity, Origin, Place, Text
from bot.terminal import PROMPT, styled
from config.settings import PREFIX, Settings

COLUMNS = 96
RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"


@contextmanager
def _new_user() -> Iterator[dict[str, str]]:
    """The environment of somebody who has never used the program."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NEXTREEL_")}
        yield {**kept, "NEXTREEL_DATA_DIR": folder, "COLUMNS": str(COLUMNS), "NO_COLOR": "1", "TERM": "dumb"}


def _run(arguments: Sequence[str], environment: dict[str, str], typed: str = "") -> str:
    command = [sys.executable, "-m", "bot", *arguments]
    done = subprocess.run(command, input=typed, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def transcript(lines: Sequence[str]) -> str:
    """What the command answers a new user who types these lines, each in a run of its own: a Markdown block."""
    with _new_user() as environment:
        said = [f"› {line}\n{_wrapped(_run(['chat'], environment, line))}" for line in lines]
    return "```\n" + "\n".join(said) + "```"


def usage(*arguments: str) -> str:
    """The command's `--help`, as a Markdown block."""
    with _new_user() as environment:
        shown = _run([*arguments, "--help"], environment)
    body = "\n".join(line.rstrip() for line in shown.strip().splitlines())
    return f"```\n$ nextreel {' '.join([*arguments, '--help'])}\n{body}\n```"


def settings() -> str:
    """Every setting, as a Markdown table."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {'' if field.default_factory or field.default is None else field.default} "
        f"| {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | default | |", "|---|---|---|", *rows])


def _wrapped(text: str) -> str:
    """Long lines broken as a terminal of `COLUMNS` would, continued under their beginning."""
    return "".join(
        textwrap.fill(line, COLUMNS, subsequent_indent="   ", break_long_words=False) + "\n"
        for line in text.splitlines()
    )


def picture(lines: Sequence[str], target: Path) -> None:
    """Draw that conversation as a person's terminal shows it, as SVG in `target`."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")

    async def talk(folder: str) -> None:
        app = await App.open(Settings(data_dir=Path(folder)))
        try:
            for number, line in enumerate(lines):
                origin = Origin(Identity("terminal", "", "me"), Place("terminal", ""), str(number), datetime.now(UTC))
                console.print(RichText(f"{PROMPT}{line}", style="bold green"))
                console.print(styled(await app.dialogue.handle(Text(origin, line))))
                console.print()
        finally:
            await app.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(talk(folder))
    target.write_text(console.export_svg(title="nextreel chat", unique_id="nextreel"), encoding="utf-8")


def starter_figures() -> str:
    """How good the shipped model is beside its baselines, from `benchmarks/results/starter.json`: a Markdown table."""
    metrics = json.loads((RESULTS / "starter.json").read_text())["metrics"]
    names = {"": "Nextreel's starter model", "ease/": "EASE", "item-knn/": "item-kNN", "popularity/": "popularity"}
    rows = [
        f"| {name} | {metrics[f'{prefix}hr@10']:.3f} | {metrics[f'{prefix}ndcg@10']:.4f} |"
        for prefix, name in names.items()
    ]
    head = f"| {int(metrics['people']):,} people held out | HR@10 | NDCG@10 |"
    return "\n".join([head, "|---|---|---|", *rows])
