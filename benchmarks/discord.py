"""How fast Discord is answered when many ask at once: `python -m benchmarks.discord` (or `make bench-discord`).

Runs the real `nextreel run` against a Discord on real sockets (`tests/discord/wire.py`) and sends it 200 interactions
in 5 seconds, from as many people: films logged, films asked for, type-ahead, histories, buttons. Prints how long each
waited to be acknowledged and to be answered, beside what is allowed, and writes `benchmarks/results/discord.json`. The
exit code is 1 when something does not hold.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load
from benchmarks.figures import Figure
from benchmarks.load import FILMS, Scale
from tests.discord.wire import Sent, Wire, code_of, shown

ACKNOWLEDGED_MS = 1000.0
"""Within which 99 of 100 interactions are acknowledged; Discord gives up after 3,000."""


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
    async with Wire() as wire, load.bot(wire.settings, folder, wire.connected):
        slate = await _warmed_up(wire)
        wire.interactions.clear()
        sent = await _sent(wire, scale, slate)
        with contextlib.suppress(TimeoutError):
            await wire.until(lambda: all(one.answered_at for one in wire.interactions.values()), 60)
    return Load(sent, load.watches(folder))


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
    sent: dict[str, list[Sent]] = {}
    async for number in load.evenly(scale):
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


def figures_of(found: Load) -> list[Figure]:
    """The waits beside what is allowed. One that got no answer has failed, as has one that got another answer than what
    it asked for."""
    everything = found.all
    acknowledged = [1000 * (one.acknowledged_at - one.at) for one in everything if one.acknowledged_at]
    answered = [1000 * (one.answered_at - one.at) for one in everything if one.answered_at]
    typed = [1000 * (one.acknowledged_at - one.at) for one in found.sent["typed"] if one.acknowledged_at]
    failed = sum(not is_as_expected(kind, one) for kind, several in found.sent.items() for one in several)
    return [
        Figure("interactions", len(everything)),
        *load.waits(acknowledged, answered, typed, ACKNOWLEDGED_MS),
        Figure("unacknowledged_interactions", len(everything) - len(acknowledged), 0),
        Figure("unanswered_interactions", len(everything) - len(answered), 0),
        Figure("failed_interactions", failed, 0),
        Figure("lost_watches", len(found.sent["watched"]) - found.kept, 0),
    ]


async def measured(scale: Scale, folder: Path) -> list[Figure]:
    """Run it in a folder of its own."""
    return figures_of(await run(scale, folder))


if __name__ == "__main__":
    load.main(
        "discord", __doc__ or "", measured, {"commands": "4 watched, 3 next, 1 typed, 1 history, 1 pressed of 10"}
    )
