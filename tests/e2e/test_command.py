"""The `nextreel` command itself: help, version, doctor, and commands that need more than is installed."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.e2e.command import Run


def test_version(run: Run) -> None:
    assert run("--version").out == f"nextreel {version('nextreel')}\n"


@pytest.mark.parametrize("command", ["chat", "train", "evaluate", "doctor"])
def test_help_of_every_command(run: Run, command: str) -> None:
    assert command in run("--help").out
    assert "Usage" in run(command, "--help").out


def test_python_m_bot_is_the_same_command(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "bot", "--version"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert shown.stdout == f"nextreel {version('nextreel')}\n"


def test_help_does_not_load_torch_or_onnxruntime() -> None:
    code = "import sys; from bot import cli; cli._add_commands_of_other_packages(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "onnxruntime", "sqlalchemy", "ibis"} & set(loaded)


def test_a_warm_start_loads_only_what_it_needs(run: Run) -> None:
    run("chat", typed="help\n")
    ran = run("chat", typed="help\n", PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rsplit("|", 1)[-1].strip() for line in ran.err.splitlines()}
    assert "onnxruntime" in loaded
    assert not {"torch", "dateparser", "alembic", "pandas", "pyarrow"} & loaded


def test_an_unknown_command_is_a_usage_error(run: Run) -> None:
    ran = run("dance")
    assert ran.code == 2
    assert "dance" in ran.err


def test_doctor_finds_a_new_user_well(run: Run, tmp_path: Path) -> None:
    ran = run("doctor")
    assert ran.code == 0
    assert "BAD" not in ran.out
    assert not (tmp_path / "data").exists()


def test_doctor_finds_a_new_database_elsewhere_well(run: Run, tmp_path: Path) -> None:
    ran = run("doctor", NEXTREEL_DATABASE_URL=f"sqlite:///{tmp_path}/elsewhere/films.db")
    assert (ran.code, ran.err) == (0, "")
    assert not (tmp_path / "elsewhere").exists()


def test_doctor_finds_a_user_with_a_history_well(run: Run) -> None:
    run("chat", typed="I watched Alien (1979)\n")
    ran = run("doctor")
    assert ran.code == 0
    assert "BAD" not in ran.out


def test_doctor_says_what_is_broken(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nextreel.db").write_bytes(b"no database" * 1000)
    (tmp_path / "bundle").mkdir()
    ran = run("doctor", NEXTREEL_BUNDLE=str(tmp_path / "bundle"))
    assert ran.code == 1
    bad = [line.split(":")[0] for line in ran.out.splitlines() if line.startswith("BAD")]
    assert bad == ["BAD  database", "BAD  model"]
    assert ran.err == ""


def test_names_of_an_operators_own_are_understood_and_counted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('[[alias]]\nnames = ["the Keanu classic"]\nfilm = "The Matrix (1999)"\n')
    assert "The Matrix (1999)" in run("chat", typed="watched the keanu classic\n", NEXTREEL_ALIASES="ours.toml").out
    examined = run("doctor", NEXTREEL_ALIASES="ours.toml")
    assert examined.code == 0
    assert "aliases: 1 from ours.toml" in examined.out


def test_names_that_mean_no_film_end_the_start_with_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('[[alias]]\nnames = ["Nemo"]\nfilm_id = 123456789\n')
    for command in ("chat", "doctor"):
        ran = run(command, typed="hello\n", NEXTREEL_ALIASES="ours.toml")
        said = ran.err if command == "chat" else ran.out
        assert ran.code == (78 if command == "chat" else 1)
        assert "ours.toml are wrong: alias 1 names film 123456789, which the catalogue does not have." in said
        assert "Traceback" not in ran.err
