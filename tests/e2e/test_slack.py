"""The real `nextreel run` against a Slack on real sockets: it connects, answers, survives what networks do, ends."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path

import pytest

from tests.e2e.command import NEXTREEL, Run
from tests.e2e.running import running, watches
from tests.slack import limits
from tests.slack.wire import APP_TOKEN, BOT_TOKEN, Sent, Wire, code_of, shown

pytestmark = pytest.mark.alone

ADA, BOB = "U0ADA", "U0BOB"
ALIEN, HEAT, JAWS, BLADE_RUNNER = 1214, 6, 1387, 541


async def answer(wire: Wire, sent: Sent, seconds: float = 60.0) -> dict:
    """What an envelope was answered first."""
    await wire.until(lambda: sent.answered_at, seconds)
    assert sent.acknowledged_at
    return sent.answers[0]


def examined(wire: Wire) -> None:
    """All that was sent is within Slack's limits."""
    for asked in wire.requests:
        assert not list(limits.complaints(asked.method, asked.body)), (asked.method, asked.body)


async def test_it_answers_and_survives(environment: dict[str, str], tmp_path: Path) -> None:
    environment["NEXTREEL_LOG_LEVEL"] = "debug"  # even then nothing that was said is in the log, and no token
    async with Wire() as wire:
        environment |= wire.settings
        async with running(wire.connected, environment, tmp_path):
            # A mention is answered in its thread; told of by two routes, once.
            mention = wire.message(ADA, "I just watched Alien")
            sent = await wire.send("events_api", mention)
            twin = wire.event({**mention["event"], "type": "message", "channel_type": "channel"})
            again = await wire.send("events_api", twin)
            said = await answer(wire, sent)
            assert "Logged: Alien (1979), today" in shown(said["blocks"])
            assert "Logged: Alien (1979)" in said["text"]
            assert said["thread_ts"] == mention["event"]["ts"]
            await wire.until(lambda: again.acknowledged_at)

            # A direct message; bots are not answered, nor what was changed, nor joins.
            for more in ({"bot_id": "B1"}, {"subtype": "message_changed"}, {"subtype": "channel_join"}):
                quiet = await wire.say(ADA, "I watched Jaws", kind="message", channel="D0ADA", **more)
                await wire.until(lambda quiet=quiet: quiet.acknowledged_at)
            sent = await wire.say(ADA, "what next?", kind="message", channel="D0ADA")
            slate = await answer(wire, sent)
            assert "thread_ts" not in slate
            seen = code_of(slate["blocks"], "Seen it")

            # A button: the message is updated; it works once more from the same message, which changes nothing.
            pressed = await wire.press(ADA, seen, slate, "D0ADA")
            await wire.until(lambda: wire.called("chat.update"))
            assert pressed.acknowledged_at
            assert " · Seen" in shown(wire.messages["D0ADA", slate["ts"]]["blocks"])

            # Commands; somebody else's button answers that somebody alone.
            sent = await wire.command(ADA, "/next", "90s horror")
            public = await answer(wire, sent)
            assert public["response_type"] == "in_channel"
            assert "Horror, 1990s" in shown(public["blocks"])
            stranger = await wire.press(BOB, code_of(public["blocks"], "Save"), public)
            await wire.until(lambda: wire.called("chat.postEphemeral"))
            (refusal,) = wire.called("chat.postEphemeral")
            assert refusal.body["user"] == BOB
            assert "belongs to someone else" in refusal.body["text"]
            assert stranger.acknowledged_at
            sent = await wire.command(ADA, "/nextreel", "history")
            private = await answer(wire, sent)
            assert private["response_type"] == "ephemeral"
            assert "Alien (1979)" in shown(private["blocks"])

            # A form: type-ahead over the whole catalogue, and what is entered is logged.
            sent = await wire.command(ADA, "/watched")
            opened = await wire.until(lambda: wire.called("views.open"))
            typed = await wire.type(ADA, "film", "blade run")
            await wire.until(lambda: typed.acknowledged_at)
            assert typed.ack["options"][0] == {
                "text": {"type": "plain_text", "text": "Blade Runner (1982)", "emoji": False},
                "value": f"film:{BLADE_RUNNER}",
            }
            film, stars = {"selected_option": typed.ack["options"][0]}, {"selected_option": {"value": "4.5"}}
            view = opened[0].body["view"]
            await wire.submit(ADA, view, film=film, rating=stars, when={"selected_date": "2020-05-01"})
            said = await answer(wire, sent)
            assert "Logged: Blade Runner (1982), 1 May 2020, 4.5 of 5 stars" in shown(said["blocks"])

            # A shortcut on somebody's message.
            sent = await wire.shortcut(BOB, "found", "Tonight: “Heat (1995)” &amp; popcorn with <@U0ADA|ada>")
            said = await answer(wire, sent)
            assert "Logged: Heat (1995)" in shown(said["blocks"])
            assert said["response_type"] == "ephemeral"

            # The Home tab.
            await wire.send("events_api", wire.event({"type": "app_home_opened", "user": ADA, "channel": "D0ADA",
                                                      "tab": "home"}))  # fmt: skip
            home = (await wire.until(lambda: wire.called("views.publish")))[0].body["view"]
            for part in ("Recently watched", "Blade Runner (1982)", "What next", "Settings", "America/New_York"):
                assert part in shown(home["blocks"])
            await wire.press_home(ADA, code_of(home["blocks"], "Save"), home)
            home = (await wire.until(lambda: wire.called("views.publish")[1:]))[0].body["view"]
            assert "On your watchlist" in shown(home["blocks"])

            # Everything about her, in private.
            await wire.command(ADA, "/nextreel", "export")
            await wire.until(lambda: wire.called("files.completeUploadExternal"))
            assert wire.called("files.completeUploadExternal")[0].body["channel_id"] == "D0ADA"
            with zipfile.ZipFile(io.BytesIO(next(iter(wire.files.values())))) as archive:
                assert b"Blade Runner" in archive.read("watches.csv")

            # Too many requests: the answer comes when it may.
            wire.limited.append("chat.postMessage")
            before = len(wire.called("chat.postMessage"))
            sent = await wire.say(BOB, "I watched Jaws")
            assert "Logged: Jaws" in shown((await answer(wire, sent))["blocks"])
            refused, taken = wire.called("chat.postMessage")[before:]
            assert taken.at - refused.at >= 1.0

            # The socket is replaced; what was not acknowledged comes again.
            await wire.replace_socket()
            await wire.until(wire.connected.is_set)
            assert wire.connections == 2
            await wire.again(sent)
            sent = await wire.say(BOB, "what have I watched?")
            await wire.until(lambda: len(wire.called("chat.postEphemeral")) == 2)
            assert wire.called("chat.postEphemeral")[1].body["text"].count("Jaws (1975)") == 1
        kept = watches(environment)
        assert sorted(film for film in kept if film in {ALIEN, HEAT, JAWS, BLADE_RUNNER}) == sorted(
            [ALIEN, HEAT, JAWS, BLADE_RUNNER]
        )
        assert len(kept) == 5

        # Another start: buttons from before work, and what was delivered before is known.
        async with running(wire.connected, environment, tmp_path):
            await wire.again(next(one for one in wire.envelopes.values() if one.payload is mention))
            await wire.press(ADA, code_of(slate["blocks"], "Not for me"), slate, "D0ADA")
            await wire.until(lambda: len(wire.called("chat.update")) == 2)
        assert watches(environment) == kept
        examined(wire)
    log = (tmp_path / "log").read_text()
    for secret in (BOT_TOKEN, APP_TOKEN, "ticket-of-nobody", "verification-token", "/answers/", "Alien", "Blade"):
        assert secret not in log, secret
    assert "answered" in log


async def test_an_event_whose_answer_was_killed_is_answered_by_the_next(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async with Wire() as wire:
        environment |= wire.settings
        async with running(wire.connected, environment, tmp_path) as process:
            wire.limited += ["users.info"] * 9  # so that none is answered before it is killed
            sent = [await wire.say(f"U0P{number}", "I watched Heat") for number in range(8)]
            await wire.until(lambda: all(one.acknowledged_at for one in sent))
            process.kill()
            await process.wait()
        assert not any(one.answered_at for one in sent)
        wire.limited.clear()
        wire.connected.clear()
        async with running(wire.connected, environment, tmp_path):
            for one in sent:
                assert "Logged: Heat (1995)" in shown((await answer(wire, one))["blocks"])
            await wire.again(sent[0])
        assert watches(environment) == [HEAT] * 8


async def test_the_assistant_says_that_it_is_at_work_and_nothing_depends_on_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async with Wire() as wire:
        environment |= wire.settings
        thread = {"user_id": ADA, "channel_id": "D0ADA", "thread_ts": wire.ts(), "context": {}}
        async with running(wire.connected, environment, tmp_path):
            started = {"type": "assistant_thread_started", "assistant_thread": thread, "event_ts": "1.0"}
            await wire.send("events_api", wire.event(started))
            await wire.until(lambda: wire.called("assistant.threads.setSuggestedPrompts"))
            sent = await wire.say(
                ADA, "something like Alien", kind="message", channel="D0ADA", thread_ts=thread["thread_ts"]
            )
            slate = await answer(wire, sent)
            assert slate["thread_ts"] == thread["thread_ts"]
            (status,) = wire.called("assistant.threads.setStatus")
            assert status.body["status"] == "is looking through the films …"
            (title,) = wire.called("assistant.threads.setTitle")
            assert title.body["title"] == "something like Alien"
            wire.refused |= {"assistant.threads.setStatus": "missing_scope"}
            sent = await wire.say(ADA, "why 2", kind="message", channel="D0ADA", thread_ts=thread["thread_ts"])
            assert "Alien (1979)" in shown((await answer(wire, sent))["blocks"])


async def test_what_was_begun_is_finished_when_it_is_told_to_end(environment: dict[str, str], tmp_path: Path) -> None:
    async with Wire() as wire:
        environment |= wire.settings
        async with running(wire.connected, environment, tmp_path) as process:
            begun = [await wire.command(f"U0Q{n:02}", "/watched", "Alien") for n in range(12)]
            await wire.until(lambda: any(one.acknowledged_at for one in begun))
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 60) == 0
        confirmed = sum("Logged" in shown(one.answers) for one in begun)
        assert confirmed > 0
        assert len(watches(environment)) >= confirmed
        assert all(one.answered_at for one in begun if one.acknowledged_at)


@pytest.mark.parametrize(
    ("settings", "code", "part"),
    [
        ({"NEXTREEL_SLACK_BOT_TOKEN": "xoxb-wrong"}, 78, "NEXTREEL_SLACK_BOT_TOKEN is wrong"),
        ({"NEXTREEL_SLACK_APP_TOKEN": "xapp-wrong"}, 78, "NEXTREEL_SLACK_APP_TOKEN is wrong"),
        ({"NEXTREEL_SLACK_APP_TOKEN": ""}, 78, "NEXTREEL_SLACK_APP_TOKEN or NEXTREEL_SLACK_SIGNING_SECRET as well"),
        ({"NEXTREEL_SLACK_API_URL": "http://127.0.0.1:9/api/"}, 69, "can't be reached"),
    ],
)
async def test_a_slack_that_refuses_ends_it_with_a_sentence(
    environment: dict[str, str], tmp_path: Path, settings: dict[str, str], code: int, part: str
) -> None:
    async with Wire() as wire:
        process = await asyncio.create_subprocess_exec(
            NEXTREEL, "run", env={**environment, **wire.settings, **settings}, cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == code
    assert part in err.decode().strip().splitlines()[-1]
    assert "xoxb-" not in err.decode()
    assert "xapp-" not in err.decode()
    assert "Traceback" not in err.decode()


def test_settings_that_do_not_go_together_are_a_sentence(run: Run) -> None:
    for settings, part in (
        ({"NEXTREEL_SLACK_CLIENT_ID": "1.2", "NEXTREEL_SLACK_SIGNING_SECRET": "s"}, "NEXTREEL_SLACK_CLIENT_SECRET"),
        ({"NEXTREEL_SLACK_CLIENT_ID": "1.2", "NEXTREEL_SLACK_BOT_TOKEN": "xoxb-1"}, "not both"),
        ({"NEXTREEL_SLACK_APP_TOKEN": "xapp-1"}, "NEXTREEL_SLACK_BOT_TOKEN or NEXTREEL_SLACK_CLIENT_ID as well"),
        ({"NEXTREEL_SLACK_SIGNING_SECRET": "s"}, "NEXTREEL_SLACK_BOT_TOKEN or NEXTREEL_SLACK_CLIENT_ID as well"),
        ({"NEXTREEL_SLACK_BOT_TOKEN": "", "NEXTREEL_DISCORD_TOKEN": ""}, "there is no platform to answer on"),
    ):
        ran = run("run", **settings)
        assert ran.code == 78
        assert part in ran.err
        assert len(ran.err.splitlines()) == 1
