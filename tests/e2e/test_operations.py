"""`nextreel db` and `nextreel announce`, on the real database of the real command."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest
import redis

from tests.e2e.command import NEXTREEL, Run
from tests.servers import PostgresServer, RedisServer


@pytest.mark.parametrize("command", ["current", "upgrade", "check", "backup", "restore"])
def test_each_is_explained(run: Run, command: str) -> None:
    assert command in run("db", "--help").out
    assert "Usage" in run("db", command, "--help").out


@pytest.mark.parametrize("command", [("current",), ("check",), ("backup",)])
def test_without_a_database_each_says_so_and_makes_none(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    ran = run("db", *command)
    assert ran.code == 73
    assert ran.err == f"There is no database at {tmp_path}/data/nextreel.db yet.\n"
    assert not (tmp_path / "data" / "nextreel.db").exists()


def test_a_backup_of_a_bot_that_runs_is_put_back(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    running = subprocess.Popen(
        [NEXTREEL, "chat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=tmp_path
    )
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(b"I watched Alien (1979)\n")
    running.stdin.flush()
    assert b"Alien (1979)" in running.stdout.readline()
    copied = run("db", "backup", "kept.backup")
    assert (copied.code, copied.err) == (0, "")
    assert stat.S_IMODE((tmp_path / "kept.backup").stat().st_mode) == 0o600
    running.stdin.write(b"I watched Heat (1995)\n")
    running.communicate()
    assert run("db", "backup", "kept.backup").code == 73  # nothing is overwritten
    refused = run("db", "restore", "kept.backup", typed="n\n")
    assert refused.code == 1
    assert "Heat (1995)" in run("chat", typed="/history\n").out
    assert run("db", "restore", "kept.backup", "--yes").code == 0
    history = run("chat", typed="/history\n").out
    assert "Alien (1979)" in history
    assert "Heat (1995)" not in history
    assert run("db", "check").code == 0


def test_a_backup_without_a_name_is_found_in_the_data_folder(run: Run, tmp_path: Path) -> None:
    run("db", "upgrade")
    assert run("db", "backup").code == 0
    (made,) = (tmp_path / "data" / "backups").iterdir()
    assert run("db", "restore", str(made), "--yes").code == 0


def test_what_is_no_backup_is_refused_and_nothing_changes(run: Run, tmp_path: Path) -> None:
    run("chat", typed="I watched Alien (1979)\n")
    (tmp_path / "not-one").write_bytes(b"no database" * 1000)
    for name in ("not-one", "not-there"):
        ran = run("db", "restore", name, "--yes")
        assert ran.code == 73
        assert ran.err.strip().count("\n") == 0
        assert "Traceback" not in ran.err
    assert "Alien (1979)" in run("chat", typed="/history\n").out


def test_a_refused_restore_makes_no_database(run: Run, tmp_path: Path) -> None:
    run("db", "upgrade", NEXTREEL_DATA_DIR="elsewhere")
    run("db", "backup", "good", NEXTREEL_DATA_DIR="elsewhere")
    for name in ("newer", "foreign"):
        shutil.copy(tmp_path / "good", tmp_path / name)
    with sqlite3.connect(tmp_path / "newer") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0009'")
    with sqlite3.connect(tmp_path / "foreign") as connection:
        connection.execute("DROP TABLE alembic_version")
    (tmp_path / "damaged").write_bytes((tmp_path / "good").read_bytes()[:-5000])
    (tmp_path / "text").write_text("no database")
    (tmp_path / "dumped").write_bytes(b"PGDMP and so on")
    expected = {
        "newer": "The file newer was made by a newer Nextreel; please update this one.",
        "foreign": "The file foreign is no copy of a database of Nextreel.",
        "damaged": "The file damaged is damaged; put back a copy of it from before.",
        "text": "The file text is no copy of a database of Nextreel.",
        "dumped": "The file dumped is a copy of a PostgreSQL database; it can't be put in the place of what"
        " an SQLite database holds.",
        "not-there": "There is no file not-there.",
    }
    said = {name: run("db", "restore", name, "--yes") for name in expected}
    assert {name: ran.err for name, ran in said.items()} == {name: f"{line}\n" for name, line in expected.items()}
    assert {ran.code for ran in said.values()} == {73}
    assert not (tmp_path / "data").exists()
    assert run("db", "restore", "good").code == 0  # and nobody is asked: there is nothing to lose
    assert run("db", "check").code == 0


def test_options_of_an_sqlite_url_are_refused(run: Run, tmp_path: Path) -> None:
    ran = run("chat", typed="help\n", NEXTREEL_DATABASE_URL=f"sqlite:///{tmp_path}/kept.db?mode=ro")
    assert ran.code == 78
    assert ran.err.startswith("The setting NEXTREEL_DATABASE_URL is wrong: it should end with the name of the file")
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "kept.db").exists()


def test_an_older_database_is_brought_up_to_date_by_command(run: Run, tmp_path: Path) -> None:
    run("db", "upgrade")
    file = tmp_path / "data" / "nextreel.db"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = run("chat", typed="help\n")
    assert newer.code == 73
    assert "newer Nextreel" in newer.err
    for command in ("current", "check", "upgrade"):
        ran = run("db", command)
        assert (ran.code, ran.out, ran.err) == (73, "", newer.err)
    examined = run("doctor")
    assert examined.code == 1
    assert f"BAD  database: {newer.err}" in examined.out


def test_check_says_what_is_damaged(run: Run, tmp_path: Path) -> None:
    run("chat", typed="I watched Alien (1979)\n")
    file = tmp_path / "data" / "nextreel.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE watches SET person_id = person_id + 1")
    ran = run("db", "check")
    assert ran.code == 1
    assert "watches" in ran.out


def test_postgres_is_copied_and_put_back(run: Run, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    settings = {"NEXTREEL_DATABASE_URL": url}
    assert "empty" in run("db", "current", **settings).out
    run("chat", typed="I watched Alien (1979)\n", **settings)
    assert run("db", "check", **settings).code == 0
    copied = run("db", "backup", "kept.backup", **settings)
    assert (copied.code, copied.err) == (0, "")
    run("chat", typed="I watched Heat (1995)\n", **settings)
    assert run("db", "restore", "kept.backup", "--yes", **settings).code == 0
    assert "keeps its promises; its schema is the newest" in run("doctor", **settings).out
    run("db", "upgrade")
    run("db", "backup", "of-sqlite")
    refused = run("db", "restore", "of-sqlite", "--yes", **settings)
    assert refused.code == 73
    assert refused.err.startswith("The file of-sqlite is a copy of an SQLite database; it can't be put in")
    history = run("chat", typed="/history\n", **settings).out
    assert ("Alien (1979)" in history, "Heat (1995)" in history) == (True, False)


def test_a_bundle_is_announced_or_it_is_said_why_not(run: Run, redis_server: RedisServer) -> None:
    assert run("announce").code == 78
    away = run("announce", NEXTREEL_REDIS_URL="redis://127.0.0.1:1/0")
    assert away.code == 73
    assert away.err.startswith("Redis at 127.0.0.1:1 can't be reached")
    assert away.err.endswith("; so nobody was told.\n")
    assert run("announce", NEXTREEL_REDIS_URL="http://somewhere").code == 78
    told = run("announce", NEXTREEL_REDIS_URL=redis_server.url)
    assert (told.code, told.out) == (0, "Nobody was listening.\n")
    with redis.Redis.from_url(redis_server.url) as listening, listening.pubsub() as ears:
        ears.subscribe("nextreel:0:news")
        ears.get_message(timeout=5)
        told = run("announce", NEXTREEL_REDIS_URL=redis_server.url)
        assert (told.code, told.out) == (0, "Announced: starter 1, to 1 process.\n")
        listening.config_set("requirepass", "hunter2")
        try:
            kept_out = run("announce", NEXTREEL_REDIS_URL=redis_server.url.replace("//", "//:hunter3@"))
            place = f"127.0.0.1:{redis_server.port}"
            assert kept_out.code == 73
            assert kept_out.err == f"Redis at {place} does not accept the password; so nobody was told.\n"
        finally:
            listening.config_set("requirepass", "")
