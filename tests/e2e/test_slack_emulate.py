"""The real `nextreel run` against a Web API that we did not write: emulate (npm), which keeps threads, messages
and views, and checks tokens, scopes and triggers.

It has no events and no interactions; those come from here, by HTTP. It reads nothing from an address's query, where
slack_sdk puts what it asks of people and files.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.slack.manifest import SCOPES
from tests.e2e.door import door, listening
from tests.e2e.running import watches
from tests.servers import free_port
from tests.slack.wire import BOT_TOKEN, Wire, code_of, shown

PACKAGE = "emulate@0.7.0"
ADAS_TOKEN = "xoxp-ada"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, installed for these tests alone."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm and Node.js 20 are not installed, which emulate runs on")
    folder = tmp_path_factory.mktemp("emulate")
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm could not fetch {PACKAGE} within two minutes")
    if done.returncode:
        pytest.skip(f"npm could not fetch {PACKAGE}: {done.stderr.strip().splitlines()[0] if done.stderr else ''}")
    return folder / "node_modules" / ".bin" / "emulate"


@dataclass
class Emulated:
    """The workspace, as its people see it."""

    session: aiohttp.ClientSession
    address: str

    async def call(self, method: str, token: str = ADAS_TOKEN, **given: Any) -> dict[str, Any]:
        """Call a method as somebody; it goes well."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.post(f"{self.address}/api/{method}", json=given, headers=headers) as response:
            answer: dict[str, Any] = await response.json()
        assert answer["ok"], (method, answer)
        return answer

    async def looked(self, tab: str) -> str:
        """What its page of messages or of views shows."""
        async with self.session.get(f"{self.address}/", params={"tab": tab}) as response:
            return await response.text()

    async def user(self, name: str) -> str:
        """Somebody's number."""
        members = (await self.call("users.list"))["members"]
        return next(str(one["id"]) for one in members if one["name"] == name)

    async def thread(self, channel: str, ts: str, replies: int) -> list[dict[str, Any]]:
        """The replies in a thread, once there are so many."""
        for _ in range(300):
            messages: list[dict[str, Any]] = (await self.call("conversations.replies", channel=channel, ts=ts))[
                "messages"
            ]
            if len(messages) > replies:
                return messages[1:]
            await asyncio.sleep(0.1)
        raise AssertionError(messages)


def _seed(folder: Path) -> Path:
    """A workspace with a channel and a person, where the bot may do just what its manifest asks for."""
    file = folder / "emulate.json"
    every = ["chat:write", "channels:read", "channels:history", "users:read"]
    slack = {
        "team": {"name": "Film Club", "domain": "film-club"},
        "users": [{"name": "ada", "real_name": "Ada"}, {"name": "nextreel", "real_name": "Nextreel"}],
        "channels": [{"name": "films"}],
        "strict_scopes": True,
        "tokens": [
            {"token": BOT_TOKEN, "type": "bot", "user": "nextreel", "scopes": list(SCOPES), "app_id": "A1"},
            {"token": ADAS_TOKEN, "user": "ada", "scopes": every},
        ],
    }
    file.write_text(json.dumps({"slack": slack}), encoding="utf-8")
    return file


@pytest.fixture
def port(program: Path, tmp_path: Path) -> Iterator[int]:
    """Where it listens."""
    free = free_port()
    command = [str(program), "start", "--service", "slack", "--port", str(free), "--seed", str(_seed(tmp_path))]
    with (tmp_path / "emulate.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
    try:
        yield free
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
async def emulated(port: int) -> AsyncIterator[Emulated]:
    await asyncio.wait_for(listening(port), 60)
    async with aiohttp.ClientSession() as session:
        yield Emulated(session, f"http://127.0.0.1:{port}")


async def test_threads_updates_and_views(environment: dict[str, str], tmp_path: Path, emulated: Emulated) -> None:
    payloads = Wire()  # what events look like; nothing listens
    settings = {"NEXTREEL_SLACK_BOT_TOKEN": BOT_TOKEN, "NEXTREEL_SLACK_API_URL": f"{emulated.address}/api/"}
    ada, me = await emulated.user("ada"), await emulated.user("nextreel")
    channels = (await emulated.call("conversations.list"))["channels"]
    channel = next(one["id"] for one in channels if one["name"] == "films")
    async with door({**environment, **settings}, tmp_path) as slack:

        async def said(text: str) -> str:
            """Write a message with a mention, of which Slack tells the bot; its time."""
            mention = f"<@{me}> {text}"
            posted = await emulated.call("chat.postMessage", channel=channel, text=mention)
            event = payloads.message(ada, text, channel=channel, ts=posted["ts"], event_ts=posted["ts"])
            event["event"]["text"] = mention
            assert await slack.event(event) == 200
            return str(posted["ts"])

        # A thread.
        ts = await said("I just watched Alien")
        (reply,) = await emulated.thread(channel, ts, 1)
        assert "Logged: Alien (1979)" in reply["text"]
        assert reply["thread_ts"] == ts

        # An update of the message whose button is pressed, in its thread; nothing is added.
        ts = await said("what next?")
        (slate,) = await emulated.thread(channel, ts, 1)
        pressed = payloads.press_payload(ada, code_of(slate["blocks"], "Save"), slate, channel)
        assert (await slack.interact(pressed))[0] == 200
        for _ in range(300):
            (slate,) = await emulated.thread(channel, ts, 1)
            if "Saved" in shown(slate["blocks"]) or "watchlist" in shown(slate["blocks"]):
                break
            await asyncio.sleep(0.1)
        assert "On your watchlist" in shown(slate["blocks"])
        assert slate.get("edited")

        # A form, opened by a trigger that is good once.
        trigger = (await emulated.call("views.generateTriggerId", BOT_TOKEN, user_id=ada))["trigger_id"]
        command = {**payloads.command_payload(ada, "/watched", channel=channel), "trigger_id": trigger}
        assert (await slack.interact(command))[0] == 200
        await _until(emulated, "views", "Log a film")

        # The Home tab.
        opened = payloads.event({"type": "app_home_opened", "user": ada, "tab": "home", "channel": "D1"})
        assert await slack.event(opened) == 200
        page = await _until(emulated, "views", "home")
        assert "No App Home views have been published." not in page
    assert len(watches(environment)) == 1
    log = (tmp_path / "log").read_text()
    assert "missing_scope" not in log
    assert "event failed" not in log


async def _until(emulated: Emulated, tab: str, part: str) -> str:
    for _ in range(300):
        page = await emulated.looked(tab)
        if part in page:
            return page
        await asyncio.sleep(0.1)
    raise AssertionError(page)
