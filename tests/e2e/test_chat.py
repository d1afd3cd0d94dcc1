"""`nextreel chat` in a pipe: the whole bot, the starter bundle, a real SQLite file."""

import re
import shlex
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.e2e.command import NEXTREEL, Run

SLATE_LINE = re.compile(r"^(\d+)\. (.+) · .+", re.MULTILINE)


def test_a_watch_and_what_next(run: Run) -> None:
    ran = run("chat", typed="I just watched Suspiria (1977)\nwhat next?\n")
    assert (ran.code, ran.err) == (0, "")
    confirmation, slate = ran.out.split("\n", 1)
    assert "Suspiria (1977)" in confirmation
    films = SLATE_LINE.findall(slate)
    assert [number for number, _ in films] == ["1", "2", "3", "4", "5"]
    assert "Suspiria (1977)" not in [film for _, film in films]


@pytest.mark.parametrize("answer", ["the 1977 one", "1977", "the first", "1"])
def test_which_one(run: Run, answer: str) -> None:
    asked = run("chat", typed="I just watched Suspiria\n")
    assert re.search(r"^  1\. Suspiria \(1977\)$", asked.out, re.MULTILINE)
    assert re.search(r"^  2\. Suspiria \(2017\)$", asked.out, re.MULTILINE)
    answered = run("chat", typed=f"{answer}\nwhat have I watched?\n")
    assert "Suspiria (1977)" in answered.out.splitlines()[0]
    assert "Suspiria (2017)" not in answered.out


def test_history_persists_between_runs(run: Run) -> None:
    run("chat", typed="I watched Alien (1979) and Aliens (1986)\n")
    assert {"Alien (1979)", "Aliens (1986)"} <= set(re.findall(r"Aliens? \(\d+\)", run("chat", typed="/history\n").out))


def test_two_people_on_one_machine_do_not_share_a_history(run: Run) -> None:
    run("chat", "--user", "one", typed="I watched Alien (1979)\n")
    run("chat", "--user", "two", typed="I watched Heat (1995)\n")
    one, two = (run("chat", "--user", user, typed="/history\n").out for user in ("one", "two"))
    assert ("Alien (1979)" in one, "Heat (1995)" in one) == (True, False)
    assert ("Alien (1979)" in two, "Heat (1995)" in two) == (False, True)


@pytest.mark.parametrize(
    "command",
    [
        *("/watched Alien (1979)", "/next", "/like Alien (1979)", "/why", "/seen", "/dismiss 1", "/more", "/history"),
        *("/remove Alien", "/watchlist", "/want Alien", "/unwant Alien", "/settings", "/settings private", "/privacy"),
        *("/export", "/import", "/link", "/link ABCD-EFGH", "/unlink", "/undo", "/forget", "/help"),
    ],
)
def test_every_intent_is_a_command_too(run: Run, command: str) -> None:
    ran = run("chat", typed=f"{command}\n")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.strip()


def test_undo_takes_the_message_back(run: Run) -> None:
    run("chat", typed="I watched Heat (1995)\nI watched Alien (1979)\nundo\n")
    history = run("chat", typed="/history\n").out
    assert "Heat (1995)" in history
    assert "Alien (1979)" not in history


def test_the_watchlist_from_one_run_to_the_next(run: Run) -> None:
    run("chat", typed="add Heat (1995) to my watchlist\nsave Alien (1979)\n")
    shown = run("chat", typed="my watchlist\nwatched Heat (1995)\nmy watchlist\nundo\n").out
    assert re.findall(r"^(\d)\. (\w+ \(\d+\))", shown, re.MULTILINE) == [
        ("1", "Heat (1995)"), ("2", "Alien (1979)"), ("1", "Alien (1979)"),
    ]  # fmt: skip
    assert "Heat (1995) is back on your watchlist" in shown


def test_settings_hold_from_one_run_to_the_next(run: Run) -> None:
    run("chat", typed="/settings time zone Asia/Tokyo\n/settings adventurousness 0.9\n")
    shown = run("chat", typed="/settings\n").out
    assert "Asia/Tokyo" in shown
    assert "Adventurousness: 0.9" in shown


def test_a_film_that_nobody_knows_is_kept(run: Run) -> None:
    run("chat", typed="I watched Zzyzx Qwfpgj Luyarst (1999) last night\n1\n")
    history = run("chat", typed="/history\n").out
    assert "yesterday: Zzyzx Qwfpgj Luyarst (1999)" in history
    assert "Zzyzx" not in run("chat", "--user", "another", typed="/history\nwhat next?\n").out


def test_everything_out_and_in_again(run: Run, tmp_path: Path) -> None:
    told = "I watched Alien (1979) in 1999\nI watched Zzyzx Qwfpgj (2001) last night\n1\nsave Heat (1995)\n"
    exported = run("chat", "--user", "one", typed=told + "/export\n").out
    (name,) = [file.name for file in tmp_path.glob("nextreel-*.zip")]
    assert f"Saved as {tmp_path / name}." in exported
    imported = run("chat", "--user", "two", typed=f"/import {name}\n/import ~/{name}\n/history\n/watchlist\n").out
    assert "2 watches, all new." in imported
    assert "2 watches: I knew them all." in imported
    assert "yesterday: Zzyzx Qwfpgj (2001)" in imported
    assert "1999: Alien (1979)" in imported
    assert "Heat (1995)" in imported


def test_two_people_become_one_and_two_again(run: Run) -> None:
    run("chat", "--user", "one", typed="I watched Alien (1979)\n")
    code = re.findall(r"/link (\w{4}-\w{4})", run("chat", "--user", "one", typed="/link\n").out)[0]
    joined = run("chat", "--user", "two", typed=f"I watched Heat (1995)\n/link {code}\n1\n/history\n").out
    assert "  1. Yes, I made it: join them" in joined
    assert "Joined: this account and the terminal (one) share one history now." in joined
    assert {"Alien (1979)", "Heat (1995)"} <= set(re.findall(r"\w+ \(\d+\)", joined.split("Joined", 1)[1]))
    alone = run("chat", "--user", "two", typed=f"/link {code}\n/unlink\nyes\n/history\n").out
    assert "That code does not work" in alone
    assert "I know of no film that you watched yet" in alone
    assert "Heat (1995)" in run("chat", "--user", "one", typed="/history\n").out


def test_forget_me_leaves_nothing_in_the_file(run: Run, tmp_path: Path) -> None:
    run("chat", typed="I watched Alien (1979)\nwhat next?\nforget me\nyes\n")
    with sqlite3.connect(tmp_path / "data" / "nextreel.db") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}
    kept = {name: count for name, count in rows.items() if count}
    # That messages of the last day were handled is known by a hash of their numbers.
    assert kept.pop("erased_events", 0) <= 4
    assert kept == {"alembic_version": 1}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="an empty line"),
        pytest.param(b"   \t ", id="blanks"),
        pytest.param(b"film " * 200_000, id="a megabyte of words"),
        pytest.param(b"a" * 1_000_000, id="a megabyte without a space"),
        pytest.param(b"\x00\x01\x1b[2J\x1b]0;x\x07", id="control characters"),
        pytest.param("🎬🍿😱".encode(), id="emoji only"),
        pytest.param(b"\xff\xfe\xfa", id="no text at all"),
        pytest.param(b"I watched Zzyzx Qwfpgj Luyarst", id="a film that does not exist"),
    ],
)
def test_bad_input_gets_one_clear_answer_and_nothing_is_lost(run: Run, line: bytes) -> None:
    ran = run("chat", typed=b"I watched Alien (1979)\n" + line + b"\nhelp\n")
    assert (ran.code, ran.err) == (0, "")
    assert "\x1b" not in ran.out
    assert "Traceback" not in ran.out
    assert 3 <= len(ran.out.splitlines()) < 30
    assert run("chat", typed="/history\n").out.count("Alien (1979)") == 1


def test_a_place_that_knows_only_ascii_still_gets_an_answer(run: Run) -> None:
    ran = run("chat", typed="frobnicate the quux\n", PYTHONIOENCODING="ascii")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.strip().isascii()


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_stream_that_is_closed_is_no_error(environment: dict[str, str], tmp_path: Path, closed: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {shlex.quote(str(NEXTREEL))} chat {closed}"],
        input=b"help\n",
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_no_input_at_all_is_no_error(run: Run) -> None:
    ran = run("chat", typed="")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_data_folder_that_cannot_be_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = run("chat", typed="help\n", NEXTREEL_DATA_DIR=str(tmp_path / "file" / "data"))
    assert ran.code == 73
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1


def test_a_database_that_is_none_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nextreel.db").write_bytes(b"this is not a database at all, really" * 100)
    ran = run("chat", typed="help\n")
    assert ran.code == 73
    assert len(ran.err.splitlines()) == 1


def test_a_bundle_that_is_none_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("chat", typed="help\n", NEXTREEL_BUNDLE=str(tmp_path / "empty"))
    assert ran.code == 78
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1


def test_a_database_url_that_is_none_of_ours_is_a_wrong_setting(run: Run) -> None:
    ran = run("chat", NEXTREEL_DATABASE_URL="mysql+aiomysql://me:hunter2@host/films")
    assert ran.code == 78
    assert "NEXTREEL_DATABASE_URL" in ran.err
    assert "hunter2" not in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_wrong_setting_is_one_sentence(run: Run) -> None:
    ran = run("chat", NEXTREEL_SLATE_SIZE="many")
    assert ran.code == 78
    assert "NEXTREEL_SLATE_SIZE" in ran.err
    assert len(ran.err.splitlines()) == 1
