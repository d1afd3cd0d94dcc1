"""`nextreel train` and `nextreel evaluate`, as they are typed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from engine import bundle
from training.cli import evaluate, train

APP = typer.Typer()
APP.command()(train)
APP.command()(evaluate)

RECIPE = """
name = "tiny"
version = "1"
[sequences]
inputs = "all"
targets = "all"
[model]
dimensions = 16
heads = 2
blocks = 1
length = 10
similarity = "cosine"
fame = 0.5
[training]
epochs = {epochs}
negatives = 20
start = "co-occurrence"
"""


def typed(*arguments: object) -> Result:
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE.format(epochs=2), encoding="utf-8")
    return path


def test_a_bundle_is_trained_and_asked_about_strangers(folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    out, kept = tmp_path / "bundle", tmp_path / "checkpoints"
    made = typed("train", recipe_file, "--data", folder, "--out", out, "--checkpoints", kept, "--fold", 0)
    assert made.exit_code == 0, made.stderr
    assert not made.stdout
    assert "epoch 2: loss" in made.stderr
    assert bundle.load(out, provider="cpu").manifest.metrics["validation/ndcg@10"] >= 0
    asked = typed("evaluate", out, "--data", folder)
    assert asked.exit_code == 0, asked.stderr
    assert json.loads(asked.stdout)["people"] > 0
    assert "had a part in training and are not asked" in asked.stderr


def test_a_bundle_of_the_past_is_asked_about_what_came_after(folder: Path, tmp_path: Path) -> None:
    recipe, out = tmp_path / "past.toml", tmp_path / "bundle"
    # The made-up people rated from 2001-09-09 on, ten thousand seconds after each other.
    text = RECIPE.format(epochs=2).replace("[sequences]", "[data]\nmin_ratings = 1\nuntil = 2001-09-14\n[sequences]")
    recipe.write_text(text, "utf-8")
    late = shutil.copytree(folder, tmp_path / "late")
    with (late / "ratings.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{person},{40 - person % 4},5.0,1100000000\n" for person in range(1, 31))
    made = typed("train", recipe, "--data", late, "--out", out, "--checkpoints", tmp_path / "kept")
    assert made.exit_code == 0, made.stderr
    asked = typed("evaluate", out, "--data", late)
    assert asked.exit_code == 0, asked.stderr
    found = json.loads(asked.stdout)
    assert found["people"] >= 30
    assert {"recent-popularity/ndcg@10", "top-5-accuracy", "novelty@10", "diversity@10", "hr@5-low"} <= set(found)
    assert found["ndcg@10-low"] <= found["ndcg@10"] <= found["ndcg@10-high"]


def test_nobody_is_asked_who_was_trained_on(folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    made = typed("train", recipe_file, "--data", folder, "--out", out, "--checkpoints", tmp_path, "--epochs", 1)
    assert made.exit_code == 0, made.stderr
    asked = typed("evaluate", out, "--data", folder)
    assert asked.exit_code == 65
    assert not asked.stdout
    assert "was trained on all" in asked.stderr


def test_people_it_was_trained_on_are_known_again_when_they_have_rated_more(
    folder: Path, recipe_file: Path, tmp_path: Path
) -> None:
    out, grown = tmp_path / "bundle", shutil.copytree(folder, tmp_path / "grown")
    made = typed("train", recipe_file, "--data", folder, "--out", out, "--checkpoints", tmp_path, "--epochs", 1)
    assert made.exit_code == 0, made.stderr
    with (grown / "ratings.csv").open("a", encoding="utf-8") as file:
        file.write("1,41,3,2000000000\n")
    asked = typed("evaluate", out, "--data", grown)
    assert (asked.exit_code, asked.stdout) == (65, "")
    assert "was trained on all" in asked.stderr


def test_nobody_is_asked_where_a_bundle_does_not_say_whom_it_was_trained_on(
    folder: Path, recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "bundle"
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("training.publish.PEOPLE_FILE", "something_else.npy")
        made = typed("train", recipe_file, "--data", folder, "--out", out, "--checkpoints", tmp_path, "--epochs", 1)
    assert made.exit_code == 0, made.stderr
    asked = typed("evaluate", out, "--data", folder)
    assert (asked.exit_code, asked.stdout) == (65, "")
    assert "does not say whom it was trained on" in asked.stderr


def test_wrong_arguments_are_one_sentence_and_their_code(folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    unknown = typed("train", "nope", "--data", folder, "--out", tmp_path / "b")
    assert (unknown.exit_code, unknown.stderr.count("\n")) == (2, 1)
    no_data = typed("train", recipe_file, "--data", tmp_path / "nowhere", "--out", tmp_path / "b")
    assert no_data.exit_code == 65
    assert no_data.stderr.endswith("nowhere.\n")
    no_bundle = typed("evaluate", tmp_path / "nothing", "--data", folder)
    assert (no_bundle.exit_code, no_bundle.stderr.count("\n")) == (65, 1)


def test_a_folder_that_is_no_bundle_is_not_replaced_and_nothing_is_trained(
    folder: Path, recipe_file: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "letter.txt").write_text("mine", encoding="utf-8")
    made = typed("train", recipe_file, "--data", folder, "--out", precious, "--checkpoints", tmp_path)
    assert (made.exit_code, made.stderr.count("\n")) == (65, 1)
    assert (precious / "letter.txt").read_text(encoding="utf-8") == "mine"


def test_a_place_that_cannot_be_written_is_one_sentence(folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    made = typed(
        "train",
        recipe_file,
        "--data",
        folder,
        "--out",
        tmp_path / "file" / "bundle",
        "--checkpoints",
        tmp_path / "kept",
    )
    assert made.exit_code == 73
    assert "Traceback" not in made.stderr


def test_a_full_disk_is_one_sentence(folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    kept, full = tmp_path / "kept", Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    command = ["train", recipe_file, "--data", folder, "--out", tmp_path / "b", "--checkpoints", kept]
    assert typed(*command).exit_code == 0
    [state] = kept.glob("*.pt")
    state.unlink()
    state.with_suffix(".fresh").symlink_to(full)
    made = typed(*command)
    assert made.exit_code == 73
    assert "No space left" in made.stderr


def test_without_the_training_libraries_it_says_what_to_install(
    recipe_file: Path, folder: Path, tmp_path: Path
) -> None:
    program = textwrap.dedent("""
        import sys
        sys.modules["torch"] = None  # as if it were not installed
        from bot.__main__ import main
        sys.argv[0] = "nextreel"
        main()
    """)
    arguments = ["train", recipe_file, "--data", folder, "--out", tmp_path / "b"]
    done = subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 69
    assert "pip install 'nextreel[cpu,train]'" in done.stderr
    helped = subprocess.run([sys.executable, "-c", program, "train", "--help"], capture_output=True, text=True)
    assert helped.returncode == 0


def test_ctrl_c_keeps_what_was_done_and_the_same_command_goes_on(folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "long.toml"
    recipe.write_text(RECIPE.format(epochs=10_000).replace("[training]", "[training]\npatience = 10_000"), "utf-8")
    command = [sys.executable, "-m", "bot", "train", str(recipe), "--data", str(folder), "--out", str(tmp_path / "b")]
    running = subprocess.Popen([*command, "--checkpoints", str(tmp_path)], stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    lines = iter(running.stderr.readline, "")
    assert any(line.startswith("epoch 3:") for line in lines)
    running.send_signal(signal.SIGINT)
    rest = running.stderr.read()
    assert running.wait(timeout=60) == 130
    assert rest.rstrip().endswith("the same command goes on from there.")
    again = subprocess.Popen([*command, "--checkpoints", str(tmp_path)], stderr=subprocess.PIPE, text=True)
    assert again.stderr is not None
    first = next(line for line in iter(again.stderr.readline, "") if line.startswith("epoch"))
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=60)
    assert int(first.removeprefix("epoch ").partition(":")[0]) >= 3


@pytest.mark.parametrize("option", ["--out", "--checkpoints"])
def test_a_place_that_cannot_be_written_is_said_before_anything_is_read(
    folder: Path, recipe_file: Path, tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").write_text("")
    places = {"--out": tmp_path / "bundle", "--checkpoints": tmp_path / "checkpoints"}
    places[option] = tmp_path / "file" / "inside"
    asked = typed("train", recipe_file, "--data", folder, *(word for pair in places.items() for word in pair))
    assert (asked.exit_code, asked.stdout, asked.stderr.count("\n")) == (73, "", 1)
    assert "file" in asked.stderr


def test_a_run_that_is_killed_at_any_moment_ends_as_one_that_was_not(folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE.format(epochs=12).replace("[training]", "[training]\npatience = 12"), "utf-8")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert typed("train", recipe, "--data", folder, "--out", whole, "--checkpoints", tmp_path / "a").exit_code == 0
    command = ["train", str(recipe), "--data", str(folder), "--out", str(killed), "--checkpoints", str(tmp_path / "b")]
    # In one thread, as here: several add up in another order, which differs in the last bit.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    running = subprocess.Popen(
        [sys.executable, "-m", "bot", *command], stderr=subprocess.PIPE, text=True, env=os.environ | threads
    )
    assert running.stderr is not None
    assert any(line.startswith("epoch 1:") for line in iter(running.stderr.readline, ""))
    time.sleep(random.random() * 0.2)  # in an epoch, in its validation or while its state is written
    running.kill()
    running.communicate(timeout=60)
    assert not killed.exists()
    assert typed(*command).exit_code == 0
    for name in ("film_table.npy", "encoder.onnx", "MODEL_CARD.md"):
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), name


def test_a_gpu_that_is_not_there_is_one_sentence(folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    made = typed("train", recipe_file, "--data", folder, "--out", tmp_path / "b", "--device", "cuda")
    assert (made.exit_code, made.stdout, made.stderr.count("\n")) == (69, "", 1)
    assert made.stderr.startswith("There is no GPU to train on")


def test_a_loss_that_is_no_number_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    wild = tmp_path / "wild.toml"
    wild.write_text(RECIPE.format(epochs=5) + "learning_rate = 1e30\nwarmup_steps = 0\n", "utf-8")
    made = typed("train", wild, "--data", folder, "--out", tmp_path / "b", "--checkpoints", tmp_path)
    assert made.exit_code == 65
    assert made.stderr.splitlines()[-1].startswith("The loss is no longer a number")
    assert not (tmp_path / "b").exists()


def test_a_malformed_folder_is_one_sentence_and_nothing_is_trained(
    folder: Path, recipe_file: Path, tmp_path: Path
) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    with (broken / "ratings.csv").open("a", encoding="utf-8") as file:
        file.write("1,2,lots,3\n")
    made = typed("train", recipe_file, "--data", broken, "--out", tmp_path / "b", "--checkpoints", tmp_path / "kept")
    assert made.exit_code == 65
    assert "Traceback" not in made.stderr
    assert made.stderr.splitlines()[-1].endswith("expected a number from 0 to 5 for rating, found 'lots'.")
    assert not list((tmp_path / "kept").iterdir())
