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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text as RichText

from bot.app import App
from bot.conversation.message import Identity, Origin, Place, Text
from bot.terminal import PROMPT, styled
from config.settings import PREFIX, Settings
from storage.tables import metadata

COLUMNS = 96
PICTURE = Path(__file__).parent / "conversation.svg"
CONVERSATION = ("I just watched Suspiria", "the 1977 one", "what next?", "why the second one?")
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


def data_map() -> str:
    """What every table of the database is about, how long it is kept, what its columns hold: a Markdown table."""
    rows = [
        (
            f"`{table.name}`",
            table.info["about"],
            table.info["kept"],
            "<br>".join(f"`{column.name}` {column.doc}" for column in table.columns),
        )
        for table in metadata.tables.values()
    ]
    return _table(("table", "what it is about", "kept", "columns"), *rows)


APPLICATION_ID = 10**17
"""A number where an application's own belongs."""


def discord_access() -> str:
    """What the bot asks of Discord, and the link that invites it: a Markdown table."""
    from bot.discord.bot import INTENTS, PERMISSIONS, SCOPES, install_link

    def listed(names: Iterable[str]) -> str:
        return ", ".join(f"`{name}`" for name in names)

    link = install_link(APPLICATION_ID).replace(str(APPLICATION_ID), "YOUR_APPLICATION_ID")
    return _table(
        ("", "what the bot asks for"),
        ("scopes, on a server", listed(SCOPES)),
        ("scopes, for a person's account", "`applications.commands`"),
        ("permissions, on a server", listed(name for name, asked in PERMISSIONS if asked)),
        ("gateway intents, none of them privileged", listed(name for name, asked in INTENTS if asked)),
        ("link that invites it", f"`{link}`"),
    )


def discord_commands() -> str:
    """Every command in Discord with its fields: a Markdown table."""
    from discord import app_commands

    from bot.discord.commands import COMMANDS

    rows: list[tuple[str, str]] = []
    for command in COMMANDS:
        if isinstance(command, app_commands.ContextMenu):
            rows.append((f"on a message: *{command.name}*", "logs the films that the message names"))
            continue
        single = list(command.walk_commands()) if isinstance(command, app_commands.Group) else [command]
        for one in single:
            if isinstance(one, app_commands.Command):
                fields = " ".join(f"`{field.display_name}`" for field in one.parameters)
                rows.append((" ".join(filter(None, [f"`/{one.qualified_name}`", fields])), str(one.description)))
    return _table(("command", ""), *rows)


def slack_access() -> str:
    """The scopes that the bot asks of Slack, and what for: a Markdown table."""
    from bot.slack.manifest import SCOPES

    return _table(("scope", "to"), *((f"`{scope}`", what) for scope, what in SCOPES.items()))


def slack_commands() -> str:
    """Every command and shortcut in Slack: a Markdown table."""
    from bot.slack.manifest import manifest

    features = manifest()["features"]
    commands = [
        (f"`{one['command']}` {one['usage_hint']}".replace("|", "\\|"), one["description"])
        for one in features["slash_commands"]
    ]
    places = {"message": "on a message", "global": "anywhere"}
    shortcuts = [(f"{places[one['type']]}: *{one['name']}*", one["description"]) for one in features["shortcuts"]]
    return _table(("command or shortcut", ""), *commands, *shortcuts)


def _wrapped(text: str) -> str:
    """Long lines broken as a terminal of `COLUMNS` would, continued under their beginning."""
    return "".join(
        textwrap.fill(line, COLUMNS, subsequent_indent="   ", break_long_words=False) + "\n"
        for line in text.splitlines()
    )


def picture(target: Path) -> None:
    """Draw `CONVERSATION` as a person's terminal shows it, as SVG in `target`."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")

    async def talk(folder: str) -> None:
        app = await App.open(Settings(data_dir=Path(folder)))
        try:
            for number, line in enumerate(CONVERSATION):
                origin = Origin(Identity("terminal", "", "me"), Place("terminal", ""), str(number), datetime.now(UTC))
                console.print(RichText(f"{PROMPT}{line}", style="bold green"))
                console.print(styled(await app.dialogue.handle(Text(origin, line))))
                console.print()
        finally:
            await app.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(talk(folder))
    target.write_text(console.export_svg(title="nextreel chat", unique_id="nextreel"), encoding="utf-8")


def _results(benchmark: str) -> dict[str, Any]:
    """A results file: its figures under “metrics”, and how, where and when they were measured."""
    run: dict[str, Any] = json.loads((RESULTS / f"{benchmark}.json").read_text(encoding="utf-8"))
    return run


def _metrics(benchmark: str) -> dict[str, float]:
    metrics: dict[str, float] = _results(benchmark)["metrics"]
    return metrics


def _table(*rows: Sequence[str]) -> str:
    """A Markdown table; the first row is its head."""
    head, *body = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))


SHOWN = ("hr@10", "ndcg@10")
RANKERS = {"": "the starter model", "ease/": "EASE", "item-knn/": "item-kNN", "popularity/": "popularity"}


def starter_figures() -> str:
    """How good the shipped model is beside its baselines, from `starter.json`: a Markdown table."""
    figures = _metrics("starter")
    rows = (
        (name, *(f"{figures[f'{prefix}{figure}']:.4f} ± {figures[f'{prefix}{figure}-se']:.4f}" for figure in SHOWN))
        for prefix, name in RANKERS.items()
    )
    return _table((f"{figures['people']:,.0f} people, each left out once", *map(str.upper, SHOWN)), *rows)


def starter_ratios() -> str:
    """The starter model's NDCG@10 against each baseline with its paired bootstrap interval, from `starter.json`."""
    figures = _metrics("starter")
    ratios = (
        (name, *(f"{figures[f'ratio/{prefix}ndcg@10{end}']:.2f}" for end in ("", "-low", "-high")))
        for prefix, name in RANKERS.items()
        if prefix
    )
    return _table(("NDCG@10 of the starter model ÷ that of", "ratio", "from", "to"), *ratios)


def newcomer_figures() -> str:
    """NDCG@10 for people who have told a few liked films in random order, from `starter.json`: a Markdown table."""
    figures = _metrics("starter")
    told = (1, 3, 5, 10)
    rows = (
        (name, *(f"{figures[f'{prefix}told-{count}/ndcg@10']:.4f}" for count in told))
        for prefix, name in RANKERS.items()
    )
    return _table(("NDCG@10 after being told", *(f"{count} film{'s' * (count > 1)}" for count in told)), *rows)


PUBLISHED = (
    ("SASRec, binary cross-entropy, one negative", 0.2500, 0.1341, "antklen/sasrec-bert4rec-recsys23"),
    ("BERT4Rec", 0.2843, 0.1537, "antklen/sasrec-bert4rec-recsys23"),
    ("gSASRec", 0.3003, 0.1726, "asash/gSASRec-pytorch"),
    ("SASRec of RecTools, softmax", 0.3058, 0.1779, "blondered/bert4rec_repro"),
    ("SASRec+, softmax over all films", 0.3152, 0.1821, "antklen/sasrec-bert4rec-recsys23"),
    ("SASRec+, softmax over 3,000 films", 0.3159, 0.1857, "antklen/sasrec-bert4rec-recsys23"),
)
"""HR@10 and NDCG@10 as their authors publish them for MovieLens 1M with 6,040 people, 3,416 films and 999,611 watches,
all films ranked but those seen before, and the repository that does so."""


def ml_1m_figures() -> str:
    """The recipe for MovieLens 1M beside baselines and published models, from `ml-1m.json`: a Markdown table."""
    figures = _metrics("ml-1m")
    names = ("hr@5", "hr@10", "hr@50", "ndcg@10", "mrr", "coverage@10")
    rows = []
    for prefix, label in {**RANKERS, "": "**the recipe `ml-1m`**"}.items():
        cells = []
        for name in names:
            error = figures.get(f"{prefix}{name}-se")
            cells.append(f"{figures[prefix + name]:.4f}" + (f" ± {error:.4f}" if error else ""))
        rows.append((label, *cells))
    published = [
        (f"{label} ([{source}](https://github.com/{source}))", "", f"{hits:.4f}", "", f"{gain:.4f}", "", "")
        for label, hits, gain, source in PUBLISHED
    ]
    return _table(("", "HR@5", "HR@10", "HR@50", "NDCG@10", "MRR", "coverage@10"), *rows, *published)


def ml_1m_verdict() -> str:
    """How the recipe for MovieLens 1M stands against the best published figures, from `ml-1m.json`: a sentence."""
    figures = _metrics("ml-1m")
    best = {"hr@10": max(hits for _, hits, _, _ in PUBLISHED), "ndcg@10": max(gain for _, _, gain, _ in PUBLISHED)}
    seeds = f"{figures['seeds']:.0f} seed{'s' * (figures['seeds'] > 1)}"
    said = [
        f"{name.upper()} {'is above' if figures[name] > value else 'falls short of'} the best published one by "
        f"{abs(figures[name] - value):.4f}, {abs(figures[name] - value) / figures[f'{name}-se']:.1f} standard errors"
        for name, value in best.items()
    ]
    return textwrap.fill(f"By {seeds}, {'; '.join(said)}.", 120)


def ml_1m_seeds() -> str:
    """Each seed of the recipe for MovieLens 1M, from `ml-1m.json`: a Markdown table."""
    figures = _metrics("ml-1m")
    seeds = [name.removesuffix("/epoch") for name in figures if name.endswith("/epoch")]
    rows = [
        (
            seed.removeprefix("seed-"),
            *(f"{figures[f'{seed}/{name}']:.4f}" for name in ("hr@10", "ndcg@10", "validation/ndcg@10")),
            f"{figures[f'{seed}/epoch']:.0f}",
        )
        for seed in seeds
    ]
    if len(seeds) > 1:
        rows.append(("mean", *(f"{figures[name]:.4f} (sd {figures[f'{name}-sd']:.4f})" for name in SHOWN), "", ""))
    return _table(("seed", "HR@10", "NDCG@10", "NDCG@10 in validation", "epoch"), *rows)


def ml_1m_ablation() -> str:
    """What each change of the recipe gave in a short training, from `ml-1m-ablation.json`: a Markdown table."""
    figures = _metrics("ml-1m-ablation")
    tried = {n.removesuffix("/validation-ndcg@10"): v for n, v in figures.items() if n.endswith("/validation-ndcg@10")}
    whole = tried["the recipe"]
    rows = ((name, f"{value:.4f}", "" if value == whole else f"{value - whole:+.4f}") for name, value in tried.items())
    return _table(("", "NDCG@10 in validation", "against the recipe"), *rows)


def data_figures() -> str:
    """What preparing 32 million ratings took, beside its budget, from `data.json`: a Markdown table and a sentence."""
    return _beside_budget("data", {"minutes": "minutes", "peak-gb": "memory at its peak, GB"})


def shape_figures() -> str:
    """What an epoch took at the shape of MovieLens 32M, from `ml-32m-shape.json`: a Markdown table and a sentence."""
    return _beside_budget("ml-32m-shape", {"epoch-minutes": "minutes an epoch", "peak-gb": "memory at its peak, GB"})


TRAINERS = {"ours": "ours", "rectools": "RecTools", "replay": "RePlay"}


def training_speed() -> str:
    """Our training beside other libraries', from `training-speed.json`: a Markdown table."""
    figures = _metrics("training-speed")
    rows = []
    for name, label in TRAINERS.items():
        ratios = [figures.get(f"vs-{name}{by}") for by in ("", "-cpu")]
        row = (f"{figures[f'{name}/sequences-per-second']:.0f}", f"{figures[f'{name}/cpu-seconds']:.1f}")
        shown = (f"{ratio:.2f}" if ratio else "" for ratio in ratios)
        rows.append((label, *row, *shown, f"{figures[f'parameters/{name}']:,.0f}"))
    head = ("", "histories a second", "processor, s an epoch", "ours is faster by", "by processor", "parameters")
    return _table(head, *rows)


def training_speed_settings() -> str:
    """On how much, and how busy the machine was, from `training-speed.json`: a sentence."""
    run = _results("training-speed")
    done, figures = run["settings"]["speed"], run["metrics"]
    said = (
        f"{done['people']:,} people, the last {done['length'] + 1} films of each, {done['threads']} "
        f"thread{'s' * (done['threads'] > 1)} each, the middle one of {figures['rounds']:.0f} epochs; other programs "
        f"kept {figures['speed/other-load']:.1f} processes waiting for the processor or running when it began."
    )
    return textwrap.fill(said, 120)


def training_to_best() -> str:
    """How long RecTools trains to its best figure and ours to the same, from `training-speed.json`: a sentence."""
    run = _results("training-speed")
    done, found = run["settings"]["best"], run["metrics"]
    said = (
        f"RecTools' default SASRec trained for {found['rectools-seconds-to-best']:.0f} s, "
        f"{found['rectools-best/epoch']:.0f} epochs, to its best NDCG@10 of the last films, "
        f"{found['rectools-best/ndcg@10']:.4f}; the recipe `ml-1m` was at {found['ours/ndcg@10']:.4f} after "
        f"{found['seconds-to-rectools-best']:.0f} s, in epoch {found['ours/epoch']:.0f} ({done['people']:,} people, "
        f"histories of at most {done['length']} films, {done['threads']} thread{'s' * (done['threads'] > 1)}, RecTools "
        f"with batches of {done['batch_size']} histories; validation, by our evaluator for both, is not counted)."
    )
    return textwrap.fill(said, 120)


def metric_checks() -> str:
    """Our figures beside RecTools' for the same made-up slates, from `metrics.json`: a Markdown table."""
    figures = _metrics("metrics")
    names = [name.removesuffix("/ours") for name in figures if name.endswith("/ours")]
    rows = [(f"`{name}`", f"{figures[f'{name}/ours']:.6g}", f"{figures[f'{name}/rectools']:.6g}") for name in names]
    return _table(("", "ours", "RecTools"), *rows)


def _beside_budget(benchmark: str, named: Mapping[str, str]) -> str:
    """Figures beside the budget in the settings of their run, and how busy the machine was with other work."""
    run = _results(benchmark)
    figures, budget = run["metrics"], run["settings"]["budget"]
    rows = [(label, f"{figures[name]:.2f}", f"{budget[name]:g}") for name, label in named.items()]
    said = (
        f"It used the processor for {figures['cpu-minutes']:.1f} minutes in all; other programs kept "
        f"{figures['other-load']:.1f} processes waiting for it or running when it began."
    )
    return f"{_table(('', 'here', 'at most'), *rows)}\n\n{textwrap.fill(said, 120)}"


def budgets() -> str:
    """Every budget beside what was measured, from `engine.json`: a Markdown table."""
    run = _results("engine")
    figures: dict[str, float] = run["metrics"]
    rows = []
    for name, limit in figures.items():
        step, found, unit = name.partition("_limit_")
        if found:
            measured = figures[f"{step}_{unit}"]
            shown = {"ms": "ms", "s": "s", "mb": "MB"}[unit]
            verdict = "" if measured <= limit else "over"
            rows.append(
                (step.replace("/", ": ").replace("_", " "), f"{measured:.3g} {shown}", f"{limit:.3g} {shown}", verdict)
            )
    return f"On {run['machine']}:\n\n" + _table(("step", "here", "limit", ""), *rows)


def ran(benchmark: str) -> str:
    """Where and when a benchmark was run, as a line."""
    run = _results(benchmark)
    return f"`{run['command']}` on {run['machine']}, {run['date'][:10]}, commit {run['commit'][:10]}:"


def measured(benchmark: str, columns: Mapping[str, str], *rows: tuple[str, str]) -> str:
    """Figures of a benchmark beside their limits: a Markdown table.

    A row and a column, each under its heading, together name a figure: `history_read_p99_ms` in `sqlite/{}`. A cell
    stays empty where there is none; KeyError when a whole row does.
    """
    figures = _metrics(benchmark)
    body = []
    for heading, row in rows:
        names = [column.format(row) for column in columns.values()]
        if not figures.keys() & set(names):
            raise KeyError(row)
        body.append((heading, *(_with_limit(name, figures) if name in figures else "" for name in names)))
    return _table(("", *columns), *body)


def _with_limit(name: str, figures: Mapping[str, float]) -> str:
    step, _, unit = name.rpartition("_")
    limit = figures.get(f"{step}_limit_{unit}")
    shown = _shown(figures[name], unit)
    if limit is None:
        return shown
    return f"{shown} ({'at most' if figures[name] <= limit else 'over'} {_shown(limit, unit)})"


def _shown(value: float, unit: str) -> str:
    """A number with its unit, where the unit is one of measuring; what is counted is in the heading."""
    number = f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{max(value, 0.001):.3g}"
    return f"{number} {unit}" if unit in ("ms", "s", "bytes") else number


if __name__ == "__main__":
    picture(PICTURE)
