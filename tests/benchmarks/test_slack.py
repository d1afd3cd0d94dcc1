"""The Slack benchmark, a smaller run of it: what must hold is a limit, and everything that is sent is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import slack
from benchmarks.load import QUICK
from tests.slack.wire import Sent

pytestmark = pytest.mark.alone


def sent(acknowledged: float | None, answered: float | None) -> Sent:
    return Sent("events_api", {}, 10.0, acknowledged, answered_at=answered)


def test_one_unanswered_event_or_lost_watch_is_over_its_limit() -> None:
    load = slack.Load({"watched": [sent(10.1, 10.2), sent(10.1, None)], "typed": [sent(10.05, 10.05)]}, kept=2, left=1)
    found = {figure.name: figure for figure in slack.figures_of(load)}
    for name in ("unanswered_events", "lost_watches", "left_events"):
        assert not found[name].holds, name
    assert found["unacknowledged_events"].holds
    assert round(found["acknowledged_p99_ms"].value) == 100


async def test_forty_in_two_seconds_are_acknowledged_in_time_and_none_is_lost(tmp_path: Path) -> None:
    found = {figure.name: figure for figure in slack.figures_of(await slack.run(QUICK, tmp_path))}
    assert found["events"].value == QUICK.events
    for name in ("unacknowledged", "unanswered", "failed", "left"):
        assert found[f"{name}_events"].holds, name
    assert found["lost_watches"].holds
    # Other tests, or other programs, may have the machine to themselves for a moment: Slack's own deadline holds.
    assert found["acknowledged_longest_ms"].value < 3000
