"""`nextreel chat` in a real terminal: a pseudo-terminal, keys and signals."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.e2e.command import NEXTREEL

PROMPT = "› "


@pytest.fixture
def screen(environment: dict[str, str], tmp_path: Path) -> Iterator["pexpect.spawn[str]"]:
    child = pexpect.spawn(
        str(NEXTREEL), ["chat"], env=environment, cwd=str(tmp_path), encoding="utf-8", timeout=60, dimensions=(40, 100)
    )
    child.expect_exact(PROMPT)
    yield child
    child.close(force=True)


def _code(screen: "pexpect.spawn[str]") -> int | None:
    screen.expect(pexpect.EOF)
    screen.close()
    return screen.exitstatus


def test_a_conversation(screen: "pexpect.spawn[str]") -> None:
    screen.sendline("I just watched Suspiria")
    screen.expect_exact("Suspiria (1977)")
    screen.expect_exact(PROMPT)
    screen.sendline("the 1977 one")
    screen.expect_exact("Suspiria (1977)")
    screen.expect_exact(PROMPT)
    screen.sendline("what next?")
    for number in range(1, 6):
        screen.expect(rf"{number}\. ")
    screen.expect_exact(PROMPT)


def test_bytes_that_are_no_text_get_an_answer(environment: dict[str, str], tmp_path: Path) -> None:
    strict = {**environment, "PYTHONIOENCODING": "utf-8:strict"}
    child = pexpect.spawn(str(NEXTREEL), ["chat"], env=strict, cwd=str(tmp_path), timeout=60, dimensions=(40, 100))
    child.expect_exact(PROMPT.encode())
    child.send(b"I watched Am\xe9lie\n")
    child.expect_exact(b"Am")
    child.expect_exact(PROMPT.encode())
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_ctrl_d_leaves(screen: "pexpect.spawn[str]") -> None:
    screen.sendeof()
    assert _code(screen) == 0


def test_ctrl_c_at_the_prompt_leaves_with_130(screen: "pexpect.spawn[str]") -> None:
    screen.sendintr()
    assert _code(screen) == 130
    assert "Traceback" not in (screen.before or "")


def test_ctrl_c_while_it_answers_leaves_with_130(screen: "pexpect.spawn[str]") -> None:
    screen.sendline("what next?")
    screen.kill(signal.SIGINT)
    assert _code(screen) == 130
    assert "Traceback" not in (screen.before or "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_what_was_confirmed_survives_a_kill(screen: "pexpect.spawn[str]", environment: dict[str, str]) -> None:
    screen.sendline("I watched Alien (1979)")
    screen.expect_exact("Alien (1979)")
    screen.expect_exact(PROMPT)
    screen.kill(signal.SIGKILL)
    history = pexpect.run(f"{NEXTREEL} chat", events={PROMPT: "/history\n\x04"}, env=environment, encoding="utf-8")
    assert "Alien (1979)" in str(history)
