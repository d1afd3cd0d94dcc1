"""The real `nextreel run` by HTTP, and what Slack sends to it: requests with its signature."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.running import running
from tests.servers import free_port
from tests.slack.wire import SECRET, Wire


class Door:
    """What Slack does by HTTP."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self.session = session
        self.address = f"http://127.0.0.1:{port}"

    async def send(self, body: str, headers: dict[str, str], kind: str = "application/json") -> tuple[int, str]:
        """Send something; the status and what came back."""
        more = {"Content-Type": kind, **headers}
        async with self.session.post(f"{self.address}/slack/events", data=body.encode(), headers=more) as response:
            return response.status, await response.text()

    async def event(self, payload: dict[str, Any], **signing: Any) -> int:
        """Send an event, rightly signed unless something else is said."""
        body = json.dumps(payload)
        return (await self.send(body, Wire.signed(body, **signing)))[0]

    async def interact(self, payload: dict[str, Any]) -> tuple[int, str]:
        """Send a command or an interaction."""
        body = Wire.form(payload)
        return await self.send(body, Wire.signed(body), "application/x-www-form-urlencoded")


async def listening(port: int) -> None:
    """Wait until somebody listens."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def door(environment: dict[str, str], folder: Path) -> AsyncIterator[Door]:
    """The bot, and the way to it."""
    port = free_port()
    connected = asyncio.Event()

    async def wait() -> None:
        await listening(port)
        connected.set()

    waiting = asyncio.create_task(wait())
    settings = {**environment, "NEXTREEL_SLACK_SIGNING_SECRET": SECRET, "NEXTREEL_SLACK_PORT": str(port)}
    try:
        async with running(connected, settings, folder), aiohttp.ClientSession() as session:
            yield Door(session, port)
    finally:
        waiting.cancel()
