"""Logging: one file, readable by machines, without secrets."""

import json
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from config.logging import LogFileError, configure
from config.settings import LogFormat, LogLevel


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_our_lines_and_the_librarys_look_the_same(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "nextreel.log"
    configure(LogLevel.INFO, LogFormat.JSON, file)
    structlog.get_logger("bot").info("answered", short_id="ab12")
    logging.getLogger("engine").info("provider %s", "CPU")
    ours, theirs = (json.loads(line) for line in file.read_text().splitlines())
    assert ours["event"] == "answered"
    assert ours["short_id"] == "ab12"
    assert theirs["event"] == "provider CPU"
    assert set(theirs) == set(ours) - {"short_id"}


def test_only_its_owner_reads_the_log(tmp_path: Path) -> None:
    file = tmp_path / "nextreel.log"
    file.touch(mode=0o644)
    configure(LogLevel.INFO, LogFormat.JSON, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_secrets_are_masked(tmp_path: Path) -> None:
    file = tmp_path / "nextreel.log"
    configure(LogLevel.INFO, LogFormat.JSON, file)
    structlog.get_logger().info("start", discord_token="hunter2", database_url="postgresql://me:hunter2@db")
    structlog.get_logger().info("away", redis_url="redis://:hunter2@db", where="redis://:hunter2@db/0")
    logging.getLogger("redis").warning("no answer from %s", "rediss://default:hunter2@cache:6379")
    said = file.read_text()
    assert "hunter2" not in said
    assert "rediss://default:***@cache:6379" in said


def test_only_its_owner_reads_the_log_that_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.logging.LOG_BYTES", 1000)
    before = os.umask(0o022)
    try:
        configure(LogLevel.INFO, LogFormat.JSON, tmp_path / "nextreel.log")
        for number in range(50):
            structlog.get_logger().info("answered", number=number)
    finally:
        os.umask(before)
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert files == {"nextreel.log": 0o600, "nextreel.log.1": 0o600}


@pytest.mark.parametrize(
    "value",
    [
        {"token": "hunter2"},
        {"headers": [("Authorization", "x"), {"Authorization": "hunter2"}]},
        ["a", ("redis://:hunter2@db", 1)],
        {"deep": {"deeper": {"redis://:hunter2@db", "b"}}},
        "postgresql://me:hun/ter2/hunter2@db/nextreel",
        "postgresql://me:hun@hunter2@db/nextreel",
        "postgresql://me@there:hunter2@db/nextreel",
        "to https://hooks.slack.com/commands/T1/1/hunter2",
        "Cannot connect to wss://wss-primary.slack.com/link/?ticket=hunter2&app_id=1",
        "Bearer xoxb-1-hunter2",
        "xoxe.xoxb-1-hunter2 and xapp-1-hunter2",
    ],
)
@pytest.mark.parametrize("form", LogFormat)
def test_no_secret_is_hidden_from_the_mask(value: object, form: LogFormat, tmp_path: Path) -> None:
    configure(LogLevel.INFO, form, tmp_path / "nextreel.log")
    structlog.get_logger().info("start", options=value, count=3)
    structlog.get_logger().info("start %s", value)
    said = (tmp_path / "nextreel.log").read_text()
    assert "hunter2" not in said
    assert "***" in said
    assert said.count("start") == 2


def test_what_is_no_secret_stays_as_it_is(tmp_path: Path) -> None:
    configure(LogLevel.INFO, LogFormat.JSON, tmp_path / "nextreel.log")
    kept = {"films": [1, 2.5, None, True], "where": "https://somewhere:8080/path", "mail": "a@b"}
    structlog.get_logger().info("start", kept=kept)
    assert json.loads((tmp_path / "nextreel.log").read_text())["kept"] == kept


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogFileError, match=r"can't be written: .*\.$"):
        configure(LogLevel.INFO, LogFormat.JSON, tmp_path / "file" / "nextreel.log")
