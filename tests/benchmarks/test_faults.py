"""The faults benchmark: what must hold is a limit, and the command fails when it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from benchmarks import faults, figures
from tests.storage.faults import Kept
from tests.storage.redis_faults import Figures


def test_one_lost_or_doubled_watch_is_over_its_limit() -> None:
    found = {figure.name: figure for figure in faults.kept("sqlite/killed", Kept(confirmed=200, lost=1, doubled=0))}
    assert found["sqlite/killed_confirmed_watches"].value == 200
    assert not found["sqlite/killed_lost_watches"].holds
    assert found["sqlite/killed_doubled_watches"].holds


def test_a_scenario_in_which_nothing_was_confirmed_shows_nothing() -> None:
    with pytest.raises(RuntimeError, match="nothing was confirmed"):
        faults.kept("sqlite/killed", Kept(0, 0, 0))


def test_a_fault_of_redis_adds_what_messages_took_longer_than_before() -> None:
    found = Figures(messages=300, failed=0, calm_p50=2.0, p50=3.0, p99=153.0, longest=202.0, seconds_to_recover=0.5)
    added = {figure.name: figure for figure in faults.redis_figures("redis_paused", found)}
    assert added["redis_paused/added_p99_ms"].value == 151
    assert not added["redis_paused/added_p99_ms"].holds
    assert added["redis_paused/added_longest_ms"].value == 200
    assert added["redis_paused/failed_replies"].holds


@pytest.fixture
def log() -> Iterator[None]:
    """The log of the command is its own."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(("lost", "code"), [(0, None), (1, "does not hold: sqlite/killed_lost_watches")])
def test_the_command_fails_when_something_does_not_hold(
    lost: int, code: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [figures.Figure("sqlite/killed_lost_watches", lost, 0)]
    monkeypatch.setattr(faults, "measure", lambda _: (found, {"disk full": "The disk is full."}))
    monkeypatch.setattr("sys.argv", ["faults", "--quick"])
    if code is None:
        faults.main()
    else:
        with pytest.raises(SystemExit) as ended:
            faults.main()
        assert ended.value.code == code
    assert "disk full: The disk is full." in capsys.readouterr().out
