"""How fast Slack is answered when many ask at once: `python -m benchmarks.slack` (or `make bench-slack`).

Runs the real `nextreel run` against a Slack on real sockets (`tests/slack/wire.py`), in Socket Mode, and sends it 200
events in 5 seconds, from as many people: films logged by mention, films asked for by command and directly, type-ahead,
histories, buttons. Prints how long each waited to be acknowledged, which is after it was written down, and to be
answered, beside what is allowed, and writes `benchmarks/results/slack.json`. The exit code is 1 when something does not
hold.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import load
from benchmarks.figures import Figure
from benchmarks.load import FILMS, Scale
from tests.slack.wire import Sent, Wire, code_of, shown

ACKNOWLEDGED_MS = 1000.0
"""Within which 99 of 100 events are acknowledged; Slack gives up after 3,000."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of the events, by what they were."""

    sent: dict[str, list[Sent]]
    kept: int
    """Watches in the database."""
    left: int
    """Events in the database that nobody got to the end of."""

    @property
    def all(self) -> list[Sent]:
        """All events."""
        return [one for several in self.sent.values() for one in several]


async def run(scale: Scale, folder: Path) -> Load:
    """Start the bot, warm it up, send the load at an even pace, and end it."""
    async with Wire() as wire, load.bot(wire.settings, folder, wire.connected):
        await _warmed_up(wire)
        sent = await _sent(wire, scale, [await _slate(wire, number) for number in range(scale.events // 10)])
        everything = [one for several in sent.values() for one in several]
        with contextlib.suppress(TimeoutError):
            await wire.until(lambda: all(map(_is_over, everything)), 60)
    with contextlib.closing(sqlite3.connect(folder / "nextreel.db")) as database:
        (left,) = database.execute("SELECT COUNT(*) FROM inbox WHERE body IS NOT NULL").fetchone()
    return Load(sent, load.watches(folder), left)


def _is_over(one: Sent) -> bool:
    """Whether it was answered; type-ahead is by its acknowledgement."""
    return bool(one.answered_at or (one.ack and one.acknowledged_at))


async def _warmed_up(wire: Wire) -> None:
    """Whatever is loaded at the first use is loaded."""
    typed = await wire.type("U0WARM", "film", "alien")
    await wire.until(lambda: typed.acknowledged_at, 60)
    for text in ("I watched Heat", "what have I watched?"):
        asked = await wire.say("U0WARM", text, kind="message", channel="D0WARM")
        await wire.until(lambda asked=asked: asked.answered_at, 60)


async def _slate(wire: Wire, number: int) -> dict[str, Any]:
    """Films that somebody asked for, to press buttons on."""
    asked = await wire.command(f"U0OWNER{number}", "/next")
    await wire.until(lambda: asked.answered_at, 60)
    slate: dict[str, Any] = asked.answers[0]
    return slate


async def _sent(wire: Wire, scale: Scale, slates: list[dict[str, Any]]) -> dict[str, list[Sent]]:
    sent: dict[str, list[Sent]] = {}
    async for number in load.evenly(scale):
        user, film = f"U{number:08}", FILMS[number % len(FILMS)]
        match number % 10:
            case 0 | 1 | 2 | 3:
                kind, one = "watched", await wire.say(user, f"I watched {film}")
            case 4 | 5:
                kind, one = "next", await wire.command(user, "/next")
            case 6:
                kind, one = "direct", await wire.say(user, "what next?", kind="message", channel=f"D{number:08}")
            case 7:
                kind, one = "typed", await wire.type(user, "film", film[:4].lower())
            case 8:
                kind, one = "history", await wire.command(user, "/nextreel", "history")
            case _:
                owner, slate = number // 10, slates[number // 10]
                code = code_of(slate["blocks"], "Save")
                kind, one = "pressed", await wire.press(f"U0OWNER{owner}", code, slate)
        sent.setdefault(kind, []).append(one)
    return sent


def figures_of(found: Load) -> list[Figure]:
    """The waits beside what is allowed. An event that got no answer is lost."""
    everything = found.all
    acknowledged = [1000 * (one.acknowledged_at - one.at) for one in everything if one.acknowledged_at]
    answered = [1000 * ((one.answered_at or one.acknowledged_at or 0) - one.at) for one in everything if _is_over(one)]
    typed = [1000 * (one.acknowledged_at - one.at) for one in found.sent["typed"] if one.acknowledged_at]
    sorry = sum("went wrong" in shown(one.answers) for one in everything)
    return [
        Figure("events", len(everything)),
        *load.waits(acknowledged, answered, typed, ACKNOWLEDGED_MS),
        Figure("unacknowledged_events", len(everything) - len(acknowledged), 0),
        Figure("unanswered_events", len(everything) - len(answered), 0),
        Figure("failed_events", sorry, 0),
        Figure("left_events", found.left, 0),
        # One was told before, to warm up.
        Figure("lost_watches", len(found.sent["watched"]) + 1 - found.kept, 0),
    ]


async def measured(scale: Scale, folder: Path) -> list[Figure]:
    """Run it in a folder of its own."""
    return figures_of(await run(scale, folder))


if __name__ == "__main__":
    load.main(
        "slack",
        __doc__ or "",
        measured,
        {"events": "4 watches by mention, 2 /next, 1 direct message, 1 typed, 1 history, 1 pressed of 10"},
    )
