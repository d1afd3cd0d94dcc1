"""The Discord benchmark, a smaller run of it: what must hold is a limit, and everything that is sent is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import discord
from benchmarks.load import QUICK
from tests.discord.wire import Sent

pytestmark = pytest.mark.alone


def sent(acknowledged: float | None, answered: float | None, content: str = "Logged: Alien (1979).") -> Sent:
    asked = {"data": {"options": [{"value": "Alien"}]}}
    choices = [{"name": "Alien (1979)", "value": "film:1214"}]
    return Sent(asked, 10.0, acknowledged, answered, {"type": 4, "data": {"content": content, "choices": choices}})


def test_one_unanswered_interaction_or_lost_watch_is_over_its_limit() -> None:
    load = discord.Load({"watched": [sent(10.1, 10.2), sent(10.1, None)], "typed": [sent(10.05, 10.05)]}, kept=1)
    found = {figure.name: figure for figure in discord.figures_of(load)}
    assert not found["unanswered_interactions"].holds
    assert not found["lost_watches"].holds
    assert found["unacknowledged_interactions"].holds
    assert round(found["acknowledged_p99_ms"].value) == 100


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("watched", "Logged: Alien (1979)."),
        ("next", "A first choice:\n**5. Alien (1979)**"),
        ("history", "I know of no film that you watched yet."),
        ("pressed", "Alien (1979): because you watched Heat (1995)."),
    ],
)
def test_whatever_was_answered_otherwise_than_expected_failed(kind: str, content: str) -> None:
    for said in (content, "That is more than I can keep up with.", "Something went wrong on my side. (a1b2c3)", ""):
        load = discord.Load({"watched": [], "typed": [sent(10.1, 10.2)], kind: [sent(10.1, 10.2, said)]}, kept=1)
        found = {figure.name: figure.value for figure in discord.figures_of(load)}
        assert found["failed_interactions"] == (said != content), said


async def test_forty_in_two_seconds_are_acknowledged_in_time_and_none_is_lost(tmp_path: Path) -> None:
    found = {figure.name: figure for figure in discord.figures_of(await discord.run(QUICK, tmp_path))}
    assert found["interactions"].value == QUICK.events
    for name in ("unacknowledged", "unanswered", "failed"):
        assert found[f"{name}_interactions"].holds
    assert found["lost_watches"].holds
    # Other tests, or other programs, may have the machine to themselves for a moment: Discord's own deadline holds.
    assert found["acknowledged_longest_ms"].value < 3000
