"""Logging: one file, readable by machines, without secrets."""

import json
import logging
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


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogFileError, match=r"can't be written: .*\.$"):
        configure(LogLevel.INFO, LogFormat.JSON, tmp_path / "file" / "nextreel.log")
