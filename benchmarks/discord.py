"""How fast Discord is answered when many ask at once: `python -m benchmarks.discord` (or `make bench-discord`).

Runs the real `nextreel run` against a Discord on real sockets (`tests/discord/wire.py`) and sends it 200 interactions
in 5 seconds, from as many people: films logged, films asked for, type-ahead, histories, buttons. Prints how long each
waited to be acknowledged and to be answered, beside what is allowed, and writes `benchmarks/results/discord.json`. The
exit code is 1 when something does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure
from tests.discord.wire import Sent, Wire, code_of, shown

COMMAND = "python -m benchmarks.discord"
ACKNOWLEDGED_MS = 1000.0
"""Within which 99 of 100 interactions are acknowledged; Discord gives up after 3,000."""
COMPLETED_MS = 1000.0
"""The same for type-ahead, whose acknowledgement is its answer."""
FILMS = ("Alien", "Heat", "Jaws", "Fargo", "Casablanca", "Amadeus", "Rocky", "Ghostbusters", "Chinatown", "Gladiator")


@dataclass(frozen=True, slots=True)
class Scale:
    """How many interactions, in how many seconds."""

    interactions: int = 200
    seconds: float = 5.0


QUICK = Scale(interactions=40, seconds=2.0)
"""To see whether the benchmark itself works, and as a test."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of the interactions, by what they were."""

    sent: dict[str, list[Sent]]
    kept: int
    """Watches in the database."""

    @property
    def all(self) -> list[Sent]:
        """All interactions."""
        return [one for several in self.sent.values() for one in several]


async def run(scale: Scale, folder: Path) -> Load:
    """Start the bot, warm it up, send the load at an even pace, and end it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEXTREEL_")}
    async with Wire() as wire:
        environment = {
            **kept,
            **wire.settings,
            "NEXTREEL_DATA_DIR": str(folder),
            "NEXTREEL_PLACE_MESSAGES_PER_MINUTE": "0",
        }
        with (folder / "log").open("wb") as log:
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env=environment, stdout=log, stderr=log
            )
        try:
            await asyncio.wait_for(wire.connected.wait(), 60)
            slate = await _warmed_up(wire)
            wire.interactions.clear()
            load = await _sent(wire, scale, slate)
            with contextlib.suppress(TimeoutError):
                await wire.until(lambda: all(one.answered_at for one in wire.interactions.values()), 60)
        finally:
            bot.send_signal(signal.SIGTERM)
            await asyncio.wait_for(bot.wait(), 60)
    with contextlib.closing(sqlite3.connect(folder / "nextreel.db")) as database:
        (watches,) = database.execute("SELECT COUNT(*) FROM watches WHERE live IS 1").fetchone()
    return Load(load, watches)


async def _warmed_up(wire: Wire) -> dict[str, object]:
    """Whatever is loaded at the first use is loaded; a slate to press buttons on."""
    for begun in (
        await wire.type("1", "watched", "film", "alien"),
        await wire.command("1", "next"),
        await wire.command("1", "history"),
    ):
        await wire.until(lambda begun=begun: begun.answered_at, 60)
    asked = await wire.command("1", "next")
    await wire.until(lambda: asked.answered_at, 60)
    return wire.message_of(asked)


async def _sent(wire: Wire, scale: Scale, slate: dict[str, object]) -> dict[str, list[Sent]]:
    loop = asyncio.get_running_loop()
    sent: dict[str, list[Sent]] = {}
    begun = loop.time()
    for number in range(scale.interactions):
        await asyncio.sleep(max(0.0, begun + number * scale.seconds / scale.interactions - loop.time()))
        user, film = str(8_000_000 + number), FILMS[number % len(FILMS)]
        match number % 10:
            case 0 | 1 | 2 | 3:
                kind, one = "watched", await wire.command(user, "watched", film=film)
            case 4 | 5 | 6:
                kind, one = "next", await wire.command(user, "next")
            case 7:
                kind, one = "typed", await wire.type(user, "watched", "film", film[:4].lower())
            case 8:
                kind, one = "history", await wire.command(user, "history")
            case _:
                kind, one = "pressed", await wire.press("1", code_of(slate, "Why?"), dict(slate))
        sent.setdefault(kind, []).append(one)
    return sent


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def is_as_expected(kind: str, one: Sent) -> bool:
    """Whether an interaction was answered, and with what was asked for, not with an apology or something else."""
    if not one.answered_at:
        return False
    body = one.answers[-1] if one.answers else one.callback
    said = shown(body)
    match kind:
        case "watched":
            return f"Logged: {one.payload['data']['options'][0]['value']} (" in said
        case "next":
            return bool(re.search(r"\*\*5\. .+ \(\d{4}\)\*\*", said))
        case "typed":
            typed = one.payload["data"]["options"][0]["value"].lower()
            choices = (body.get("data") or {}).get("choices") or []
            return any(choice["name"].lower().startswith(typed) for choice in choices)
        case "history":
            return "I know of no film that you watched yet" in said
        case _:
            return bool(re.match(r".+ \(\d{4}\): \w", said))


def figures_of(load: Load) -> list[Figure]:
    """The waits beside what is allowed. One that got no answer has failed, as has one that got another answer than what
    it asked for."""
    everything = load.all
    acknowledged = [1000 * (one.acknowledged_at - one.at) for one in everything if one.acknowledged_at]
    answered = [1000 * (one.answered_at - one.at) for one in everything if one.answered_at]
    typed = [1000 * (one.acknowledged_at - one.at) for one in load.sent["typed"] if one.acknowledged_at]
    failed = sum(not is_as_expected(kind, one) for kind, several in load.sent.items() for one in several)
    return [
        Figure("interactions", len(everything)),
        Figure("acknowledged_p50_ms", _percentile(acknowledged, 0.5)),
        Figure("acknowledged_p99_ms", _percentile(acknowledged, 0.99), ACKNOWLEDGED_MS),
        Figure("acknowledged_longest_ms", max(acknowledged)),
        Figure("answered_p50_ms", _percentile(answered, 0.5)),
        Figure("answered_p99_ms", _percentile(answered, 0.99)),
        Figure("typeahead_p99_ms", _percentile(typed, 0.99), COMPLETED_MS),
        Figure("unacknowledged_interactions", len(everything) - len(acknowledged), 0),
        Figure("unanswered_interactions", len(everything) - len(answered), 0),
        Figure("failed_interactions", failed, 0),
        Figure("lost_watches", len(load.sent["watched"]) - load.kept, 0),
    ]


def main() -> None:
    """Run it, print and write; exit code 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer of everything, and no file: does it work at all?")
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else Scale()
    began_at = figures.commit()
    with tempfile.TemporaryDirectory() as folder:
        found = figures_of(asyncio.run(run(scale, Path(folder))))
    print(figures.table(found))
    if not arguments.quick:
        path = figures.write(
            "discord",
            command=COMMAND,
            settings={"seconds": scale.seconds, "commands": "4 watched, 3 next, 1 typed, 1 history, 1 pressed of 10"},
            metrics=figures.flat(found),
            measured_at=began_at,
        )
        print(f"\n{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    broken = [figure.name for figure in found if not figure.holds]
    if broken:
        sys.exit(f"does not hold: {', '.join(broken)}")


if __name__ == "__main__":
    main()
