"""What small platforms on real sockets have in common: they listen on a free port, keep what arrives with its time, and
let a test wait for it.

Knows aiohttp's server and no platform.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web


@dataclass
class Asked:
    """A request that arrived."""

    method: str
    path: str
    body: Any
    at: float


class Listening:
    """A server. Use it as an async context manager; `note` whatever somebody may be waiting for."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.port = 0
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    def routes(self, app: web.Application) -> None:
        """Add what it answers."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        self.routes(app)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def until(self, holds: Callable[[], Any], seconds: float = 60.0) -> Any:
        """Wait until something that changes with what arrives holds; what it is then."""

        async def wait() -> Any:
            async with self._changed:
                while not (found := holds()):
                    await self._changed.wait()
                return found

        return await asyncio.wait_for(wait(), seconds)

    def asked(self, method: str, part: str) -> list[Asked]:
        """The requests of a method whose path holds a text."""
        return [one for one in self.requests if one.method == method and part in one.path]

    async def note(self) -> None:
        """Something changed."""
        async with self._changed:
            self._changed.notify_all()
