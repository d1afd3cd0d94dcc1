"""The Discord benchmark, a smaller run of it: what must hold is a limit, and everything that is sent is answered."""

from __future__ import annotations

from pathlib import Path

from benchmarks import discord
from benchmarks.load import QUICK
from tests.discord.wire import Sent


def sent(acknowledged: float | None, answered: float | None) -> Sent:
    return Sent({}, 10.0, acknowledged, answered, {"type": 4, "data": {"content": "Logged."}})


def test_one_unanswered_interaction_or_lost_watch_is_over_its_limit() -> None:
    load = discord.Load({"watched": [sent(10.1, 10.2), sent(10.1, None)], "typed": [sent(10.05, 10.05)]}, kept=1)
    found = {figure.name: figure for figure in discord.figures_of(load)}
    assert not found["unanswered_interactions"].holds
    assert not found["lost_watches"].holds
    assert found["unacknowledged_interactions"].holds
    assert round(found["acknowledged_p99_ms"].value) == 100


async def test_forty_in_two_seconds_are_acknowledged_in_time_and_none_is_lost(tmp_path: Path) -> None:
    found = {figure.name: figure for figure in discord.figures_of(await discord.run(QUICK, tmp_path))}
    assert found["interactions"].value == QUICK.events
    for name in ("unacknowledged", "unanswered", "failed"):
        assert found[f"{name}_interactions"].holds
    assert found["lost_watches"].holds
    # Other tests, or other programs, may have the machine to themselves for a moment: Discord's own deadline holds.
    assert found["acknowledged_longest_ms"].value < 3000
