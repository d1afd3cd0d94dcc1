"""The real `nextreel run` against a Discord on real sockets: it logs in, answers, survives what networks do, ends."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.discord.wire import CHANNEL, TOKEN, Terse, Wire, code_of, shown
from tests.e2e.command import NEXTREEL, Run
from tests.e2e.running import running, watches

pytestmark = pytest.mark.alone

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


async def test_a_discord_that_says_no_more_than_it_must_is_answered(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Discord adds and leaves out fields as it likes; one that is missing ends no answer, and never the bot."""
    channel = f"/channels/{CHANNEL}/messages"
    async with Terse() as wire:
        async with running(wire.connected, {**environment, **wire.settings}, tmp_path):
            assert len(wire.asked("PUT", "/commands")) == 1
            for user in (ADA, BOB):  # on a server, and in a direct message
                watched = await wire.command(user, "watched", film="Alien")
                await wire.until(lambda one=watched: one.answered_at)
                assert "Logged: Alien (1979)" in shown(wire.message_of(watched))
                slate = await wire.command(user, "next")
                await wire.until(lambda one=slate: one.answered_at)
                message = wire.message_of(slate)
                pressed = await wire.press(user, code_of(message, "Save"), message)
                await wire.until(lambda one=pressed: one.answered_at)
                assert "On your watchlist" in shown(wire.message_of(pressed))
                old = await wire.press(user, "a-button-of-before", message)
                await wire.until(lambda one=old: one.answered_at)
                assert "too old" in shown(wire.message_of(old))
            night = await wire.command(ADA, "movienight")  # acknowledged at once, answered later
            await wire.until(lambda: night.answered_at)
            assert "Who is in?" in shown(night.answers)

            wire.limited.append(channel)
            await wire.say(BOB, "I just watched Heat")
            answers = await wire.until(lambda: wire.asked("POST", channel)[1:])
            assert "Logged: Heat (1995)" in shown(answers[0].body)
            await wire.drop()
            again = await wire.command(ADA, "watched", film="Jaws")
            await wire.until(lambda: wire.resumed and again.answered_at)
            assert len(wire.identified) == 1
        assert watches(environment) == [1214, 1214, 6, 1387]
        assert len(wire.asked("POST", channel)) == 2
    assert "Traceback" not in (tmp_path / "log").read_text()


async def test_an_answer_is_there_once_when_the_connection_breaks_off_while_it_is_taken(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async with Wire() as wire, running(wire.connected, {**environment, **wire.settings}, tmp_path):
        first = await wire.command(ADA, "history")  # which takes longer than those that follow
        await wire.until(lambda: first.answered_at)
        wire.cut_off = 1
        watched = await wire.command(ADA, "watched", film="Alien")
        await wire.until(lambda: len(wire.asked("POST", f"{watched.payload['token']}/callback")) == 2)
        wire.cut_off = 1
        night = await wire.command(ADA, "movienight")  # whose acknowledgement is taken, as far as Discord knows
        await wire.until(lambda: night.answers)
        assert "Logged: Alien (1979)" in shown(wire.message_of(watched))
        assert len(watched.answers) == (watched.callback["type"] == 5)  # a busy machine may have put it off
        assert night.callback["type"] == 5
        assert len(night.answers) == 1
        assert "Who is in?" in shown(night.answers)


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
