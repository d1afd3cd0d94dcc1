"""The terminal: how a reply looks in it, and what it does with input of every kind."""

import asyncio
import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot import terminal
from bot.conversation.action import Action, Verb
from bot.conversation.message import MAX_FILE, Command, Message, Text
from bot.conversation.reply import Card, Choice, File, Reply
from engine.films import FilmId

SLATE = Reply(
    text="Tonight:",
    cards=(
        Card(FilmId(1), "Deep Red", 1975, ("Horror", "Mystery"), "because you watched Suspiria", 1),
        Card(FilmId(2), "Babylon 5", None, (), "", 2),
    ),
    choices=(Choice("More", Action(Verb.MORE, (7,))),),
    footer="Say “more”.",
)
QUESTION = Reply(
    text="Which Suspiria?",
    choices=(
        Choice("Suspiria (1977)", Action(Verb.PICK, (7, 1))),
        Choice("Suspiria (2017)", Action(Verb.PICK, (7, 2))),
    ),
)


def _styled(reply: Reply) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(terminal.styled(reply))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_slate_in_plain_lines_has_one_line_a_film() -> None:
    assert terminal.plain(SLATE).splitlines() == [
        "Tonight:",
        "1. Deep Red (1975) · Horror, Mystery · because you watched Suspiria",
        "2. Babylon 5",
        "Say “more”.",
    ]


def test_the_answers_to_a_question_are_numbered() -> None:
    assert terminal.plain(QUESTION).splitlines() == [
        "Which Suspiria?",
        "  1. Suspiria (1977)",
        "  2. Suspiria (2017)",
    ]


@pytest.mark.parametrize("reply", [SLATE, QUESTION])
def test_both_looks_say_the_same_words(reply: Reply) -> None:
    plain, styled = terminal.plain(reply), _styled(reply)
    words = [word for word in plain.replace("·", " ").split() if word]
    assert [word for word in words if word not in styled] == []


@given(st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    reply = Reply(text=text, cards=(Card(FilmId(1), text, None, (text,), text, 1),), footer=text)
    for shown in (terminal.plain(reply), _styled(reply)):
        assert not [c for c in shown if ord(c) < 32 and c not in "\t\n"]
        assert not [c for c in shown if 127 <= ord(c) < 160]


def _converse(lines: bytes, folder: Path) -> tuple[int, list[str], str]:
    """Run the loop on a pipe, with a handler that repeats what it is told; returns code, messages, output."""
    heard: list[str] = []

    async def repeat(message: Message) -> Reply:
        if isinstance(message, Command):
            heard.append(f"{message.name} {message.files[0].name} {len(message.files[0].content)}")
            return Reply("taken")
        assert isinstance(message, Text)
        heard.append(message.text)
        file = (File("me.csv", "text/csv", b"a,b\n"),) if "export" in message.text else ()
        return Reply(f"heard {len(message.text)}", files=file)

    source = folder / "input"
    source.write_bytes(lines)
    out = io.StringIO()
    with asyncio.Runner() as runner, source.open(encoding="utf-8") as stdin:
        code = terminal.converse(runner, repeat, "me", stdin, out)
    return code, heard, out.getvalue()


def test_every_piped_line_is_a_message_and_the_end_is_no_error(tmp_path: Path) -> None:
    code, heard, out = _converse("I saw Amélie\nwhat next?".encode(), tmp_path)
    assert (code, heard) == (0, ["I saw Amélie\n", "what next?"])
    assert out == "heard 13\nheard 10\n"


def test_bytes_that_are_no_text_still_get_an_answer(tmp_path: Path) -> None:
    code, heard, _ = _converse(b"\xff\xfe\x00 watched\n", tmp_path)
    assert code == 0
    assert "watched" in heard[0]


def test_a_line_of_many_megabytes_is_one_message(tmp_path: Path) -> None:
    code, heard, _ = _converse(b"a" * (40 * 2**20) + b"\nhelp\n", tmp_path)
    assert code == 0
    assert [len(text) for text in heard] == [16 * 2**20, 5]


@pytest.mark.parametrize("word", ["exit", "QUIT", "/quit"])
def test_leaving_by_a_word(word: str, tmp_path: Path) -> None:
    _, heard, _ = _converse(f"{word}\nhelp\n".encode(), tmp_path)
    assert heard == []


def test_a_file_is_saved_beside_those_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "me.csv").write_text("mine")
    _, _, out = _converse(b"export\n", tmp_path)
    assert (tmp_path / "me.csv").read_text() == "mine"
    assert (tmp_path / "me-2.csv").read_bytes() == b"a,b\n"
    assert "me-2.csv" in out


def test_only_its_owner_reads_a_saved_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o022)
    try:
        _converse(b"export\n", tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "me.csv").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "line",
    [
        "/import {folder}/my export.zip",
        '/import "{folder}/my export.zip"',
        "/import '{folder}/my export.zip'",
        "/import {folder}/my\\ export.zip",
        "/IMPORT   {folder}/my export.zip  ",
        "/import ~/my export.zip",
        "/import my export.zip",
        "/ import ./my export.zip",
    ],
)
def test_import_hands_the_file_over(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my export.zip").write_bytes(b"PK of 11 ..")
    _, heard, out = _converse(line.format(folder=tmp_path).encode(), tmp_path)
    assert (heard, out) == (["import my export.zip 11"], "taken\n")


def test_an_apostrophe_in_a_name_is_no_quote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ada's.zip").write_bytes(b"PK")
    assert _converse(b"/import ada's.zip", tmp_path)[1] == ["import ada's.zip 2"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nowhere.zip", "There is no file nowhere.zip."),
        (".", ". is a folder."),
        ("~nobody-of-that-name/x.zip", "There is no file ~nobody-of-that-name/x.zip."),
        ("x\x00y", "There is no file xy."),
        ("x" * 300, "can't be read: File name too long."),
        ("\x1b[31mred", "There is no file [31mred."),
        ("big.zip", f"big.zip is too big: files of up to {MAX_FILE >> 20} MB are taken in."),
        ("pipe", "There is no file pipe."),
    ],
)
def test_a_file_that_cannot_be_handed_over_is_a_sentence(
    path: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "big.zip").open("wb") as big:
        big.truncate(MAX_FILE + 1)
    os.mkfifo(tmp_path / "pipe")
    _, heard, out = _converse(f"/import {path}\nhelp\n".encode(), tmp_path)
    assert heard == ["help\n"]
    assert out.split("\n")[0].endswith(sentence)
    assert "\x1b" not in out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.zip").write_bytes(b"PK")
    (tmp_path / "secret.zip").chmod(0)
    _, heard, out = _converse(b"/import secret.zip", tmp_path)
    assert (heard, out) == ([], "secret.zip can't be read: Permission denied.\n")


@pytest.mark.parametrize("line", ["/import", "/import  ", "import x.zip", "/important x"])
def test_other_lines_are_typed(line: str, tmp_path: Path) -> None:
    assert _converse(line.encode(), tmp_path)[1] == [line]


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    environment = {**os.environ, "NEXTREEL_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "bot", "chat"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stdin is not None
        process.stdin.write(b"help\nhelp\n")
        process.stdin.close()
        assert process.stderr is not None
        errors = process.stderr.read()
    assert (process.returncode, errors) == (141, b"")
