"""The bot on SQLite alone, on SQLite with Redis, and on PostgreSQL with Redis: by settings only, the same to people."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e.command import NEXTREEL, Run
from tests.servers import PostgresServer, RedisServer

SAID = """I watched Alien (1979) and Heat (1995) yesterday, loved them
what next?
what next?
why the first one?
seen 2
undo
/history
"""


@pytest.fixture(params=["SQLite", "SQLite and Redis", "PostgreSQL and Redis"])
def set_up(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of a set-up."""
    settings = {}
    if "Redis" in request.param:
        settings["NEXTREEL_REDIS_URL"] = request.getfixturevalue("redis_server").url
    if "PostgreSQL" in request.param:
        settings["NEXTREEL_DATABASE_URL"] = request.getfixturevalue("postgres").new_database()
    return settings


def test_a_conversation_is_the_same_on_each(run: Run, set_up: dict[str, str], tmp_path: Path) -> None:
    plain = run("chat", typed=SAID, NEXTREEL_DATA_DIR=str(tmp_path / "plain"))
    ran = run("chat", typed=SAID, **set_up)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == plain.out
    assert "Alien (1979)" in run("chat", typed="/history\n", **set_up).out
    assert "BAD" not in run("doctor", **set_up).out


def test_what_is_confirmed_survives_a_kill_on_each(
    run: Run, environment: dict[str, str], set_up: dict[str, str], tmp_path: Path
) -> None:
    running = subprocess.Popen(
        [NEXTREEL, "chat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environment, **set_up},
        cwd=tmp_path,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(b"I watched Alien (1979)\n")
    running.stdin.flush()
    assert b"Logged" in running.stdout.readline()
    running.kill()
    running.communicate()
    assert run("chat", typed="/history\n", **set_up).out.count("Alien (1979)") == 1


def test_one_person_talks_to_two_processes(run: Run, set_up: dict[str, str]) -> None:
    run("chat", typed="I watched Suspiria\n", **set_up)
    answered = run("chat", typed="the 1977 one\nwhat next?\n", **set_up)
    assert "Logged: Suspiria (1977)" in answered.out
    again = run("chat", typed="what next?\nforget me\nyes\n/history\n", **set_up)
    assert answered.out.split("\n", 1)[1].splitlines()[1:6] == again.out.splitlines()[1:6]
    assert "Suspiria (1977)" not in again.out.splitlines()[-1]


def test_without_its_servers_it_says_so_or_goes_on(
    run: Run, postgres: PostgresServer, redis_server: RedisServer
) -> None:
    database = postgres.new_database()
    on_without_redis = {"NEXTREEL_DATABASE_URL": database, "NEXTREEL_REDIS_URL": "redis://127.0.0.1:1/0"}
    assert "Logged" in run("chat", typed="I watched Alien (1979)\n", **on_without_redis).out
    wrong = run("chat", NEXTREEL_DATABASE_URL="postgresql://nobody:hidden-word@127.0.0.1:1/none")
    assert wrong.code == 73
    assert len(wrong.err.splitlines()) == 1
    assert "hidden-word" not in wrong.err
