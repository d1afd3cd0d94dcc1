"""The real `nextreel run` against a Discord on real sockets: it logs in, answers, survives what networks do, ends."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.discord.wire import CHANNEL, TOKEN, Wire, code_of, shown
from tests.e2e.command import NEXTREEL, Run
from tests.e2e.running import running, watches

ADA, BOB = "7000000000000000001", "7000000000000000002"


async def test_it_answers_and_survives(environment: dict[str, str], tmp_path: Path) -> None:
    environment["NEXTREEL_LOG_LEVEL"] = "debug"  # even then nothing that was said is in the log, and no token
    async with Wire() as wire:
        async with running(wire.connected, {**environment, **wire.settings}, tmp_path):
            assert wire.identified[0]["intents"] & (1 << 15 | 1 << 1 | 1 << 8) == 0  # none that is privileged
            (told,) = wire.asked("PUT", "/commands")
            assert {"watched", "next", "similar", "why", "history", "watchlist", "undo", "movienight", "settings",
                    "privacy", "help"} <= {command["name"] for command in told.body}  # fmt: skip

            watched = await wire.command(ADA, "watched", film="Alien")
            await wire.until(lambda: watched.answered_at)
            assert "Logged: Alien (1979)" in shown(wire.message_of(watched))

            typed = await wire.type(ADA, "watched", "film", "blade run")
            await wire.until(lambda: typed.answered_at)
            assert typed.callback["data"]["choices"][0] == {"name": "Blade Runner (1982)", "value": "film:541"}

            slate = await wire.command(ADA, "next")
            await wire.until(lambda: slate.answered_at)
            message = wire.message_of(slate)
            pressed = await wire.press(ADA, code_of(message, "Save"), message)
            await wire.until(lambda: pressed.answered_at)
            assert "On your watchlist" in shown(wire.message_of(pressed))

            said = await wire.say(BOB, "I just watched Heat")
            answer = (await wire.until(lambda: wire.asked("POST", f"/channels/{CHANNEL}/messages")))[0]
            assert "Logged: Heat (1995)" in shown(answer.body)
            assert str(answer.body["message_reference"]["message_id"]) == said

            # The connection breaks off; what is said meanwhile comes with the session that is taken up again.
            await wire.drop()
            twice = await wire.command(ADA, "watched", film="Jaws")
            await wire.until(lambda: wire.resumed)
            assert wire.resumed[0]["session_id"] == "session-1"
            await wire.until(lambda: twice.answered_at or wire.asked("POST", f"/channels/{CHANNEL}/messages")[1:])
            await wire.connected.wait()
            await wire.dispatch("INTERACTION_CREATE", twice.payload)
            assert len(wire.identified) == 1

            # Too many requests: the answer comes when it may.
            wire.limited.append(f"/channels/{CHANNEL}/messages")
            before = len(wire.asked("POST", f"/channels/{CHANNEL}/messages"))
            await wire.say(BOB, "what next?")
            sent = await wire.until(lambda: wire.asked("POST", f"/channels/{CHANNEL}/messages")[before + 1 :])
            assert sent[0].at - wire.asked("POST", f"/channels/{CHANNEL}/messages")[before].at >= 0.3
            assert not wire.limited
        assert watches(environment) == [1214, 6, 1387]

        # Another start: Discord knows the commands, buttons from before work, and what was delivered before is known.
        async with running(wire.connected, {**environment, **wire.settings}, tmp_path):
            again = await wire.press(ADA, code_of(message, "Seen it"), message)
            await wire.until(lambda: again.answered_at)
            assert "Marked as seen" in shown(wire.message_of(again))
            await wire.dispatch("INTERACTION_CREATE", twice.payload)
            final = await wire.command(ADA, "history")
            await wire.until(lambda: final.answered_at)
            assert shown(wire.message_of(final)).count("Jaws (1975)") == 1
            assert len(wire.asked("PUT", "/commands")) == 1
    log = (tmp_path / "log").read_text()
    assert TOKEN not in log
    assert "token-" not in log
    assert "answered" in log
    assert "Alien" not in log


async def test_what_was_begun_is_finished_when_it_is_told_to_end(environment: dict[str, str], tmp_path: Path) -> None:
    async with Wire() as wire:
        async with running(wire.connected, {**environment, **wire.settings}, tmp_path) as process:
            begun = [await wire.command(f"70000000000000001{n:02}", "watched", film="Alien") for n in range(12)]
            await wire.until(lambda: any(one.acknowledged_at for one in begun))
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 60)
        kept = len(watches(environment))
        confirmed = sum("Logged" in shown(wire.message_of(one)) for one in begun if one.answered_at)
        assert kept == confirmed > 0
        assert all(one.answered_at for one in begun if one.acknowledged_at)


def test_without_a_token_it_says_which_is_missing(run: Run) -> None:
    ran = run("run")
    assert (ran.code, ran.err) == (
        78,
        "Set NEXTREEL_DISCORD_TOKEN or NEXTREEL_SLACK_BOT_TOKEN: there is no platform to answer on.\n",
    )


@pytest.mark.parametrize(
    ("status", "code", "part"), [(401, 78, "NEXTREEL_DISCORD_TOKEN is wrong"), (None, 69, "can't be reached")]
)
async def test_a_discord_that_refuses_ends_it_with_a_sentence(
    environment: dict[str, str], tmp_path: Path, status: int | None, code: int, part: str
) -> None:
    async with Wire() as wire:
        settings = wire.settings
        if status is None:
            settings["NEXTREEL_DISCORD_API_URL"] = "http://127.0.0.1:9/api/v10"
        else:
            wire.refused = status
        process = await asyncio.create_subprocess_exec(
            NEXTREEL, "run", env={**environment, **settings}, cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == code
    last = err.decode().strip().splitlines()[-1]
    assert part in last
    assert TOKEN not in err.decode()
