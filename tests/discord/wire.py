"""A small Discord on real sockets: its HTTP API and its gateway, as far as a bot like ours speaks to them.

Follows discord-api-docs (`events/gateway`, `interactions/receiving-and-responding`, `topics/rate-limits`): the gateway
compresses its transport, counts what it sends, takes up a session again and sends what was missed; the API refuses a
second acknowledgement, and one that comes after three seconds. Everything that arrives is kept with its time.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web

TOKEN = "MTA.wire.token-of-nobody"
EPOCH = 1_420_070_400_000
ACK_SECONDS = 3.0
BOT, APPLICATION, GUILD, CHANNEL = (
    "1000000000000000001",
    "1000000000000000001",
    "2000000000000000001",
    "3000000000000000001",
)
API = "/api/v10"
_THINKING, _LATER = 5, 6
"""Callbacks that acknowledge without an answer."""


@dataclass
class Asked:
    """A request that arrived."""

    method: str
    path: str
    body: Any
    at: float


@dataclass
class Sent:
    """An interaction that was sent, and what came of it."""

    payload: dict[str, Any]
    at: float
    acknowledged_at: float | None = None
    answered_at: float | None = None
    callback: Any = None
    answers: list[Any] = field(default_factory=list)


class Wire:
    """The server. Use it as an async context manager; `connected` is set while a bot is."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.interactions: dict[str, Sent] = {}
        self.identified: list[dict[str, Any]] = []
        self.resumed: list[dict[str, Any]] = []
        self.connected = asyncio.Event()
        self.limited: list[str] = []
        """Paths whose next request is told to come later."""
        self.cut_off = 0
        """So many callbacks are taken, and the connection breaks off before that is said."""
        self.refused: int | None = None
        """The status with which the token is refused."""
        self._numbers = itertools.count(1)
        self._socket: web.WebSocketResponse | None = None
        self._compress: Any = None
        self._sequence = 0
        self._history: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_route("*", API + "/{path:.*}", self._api)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def _slowing(self) -> dict[str, str]:
        """What stands above the word that there were too many requests."""
        return {"Retry-After": "1", "X-RateLimit-Scope": "user", "Via": "1.1 wire"}

    @property
    def settings(self) -> dict[str, str]:
        """What the bot has to be told to come here."""
        return {
            "NEXTREEL_DISCORD_TOKEN": TOKEN,
            "NEXTREEL_DISCORD_API_URL": f"http://127.0.0.1:{self.port}{API}",
            "NEXTREEL_DISCORD_GATEWAY_URL": f"ws://127.0.0.1:{self.port}/gateway",
        }

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

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # What is sent

    def new_id(self) -> str:
        """A number as Discord makes them: it holds the time."""
        return str((int(time.time() * 1000) - EPOCH) << 22 | next(self._numbers) & 0xFFF)

    async def interact(self, user: str, kind: int, data: dict[str, Any], **more: Any) -> Sent:
        """Send an interaction (2: a command, 3: a component, 4: type-ahead)."""
        number = self.new_id()
        payload = {
            "id": number,
            "application_id": APPLICATION,
            "type": kind,
            "token": f"token-{number}",
            "version": 1,
            "guild_id": GUILD,
            "channel_id": CHANNEL,
            "channel": {"id": CHANNEL, "type": 0, "name": "films", "guild_id": GUILD, "permissions": "0"},
            "guild": {"id": GUILD, "locale": "en-US", "features": []},
            "member": {**_member(user), "permissions": "2147483647"},
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": "2147483647",
            "entitlements": [],
            "authorizing_integration_owners": {"0": GUILD},
            "context": 0,
            "attachment_size_limit": 10485760,
            "data": data,
            **more,
        }
        sent = Sent(payload, time.monotonic())
        self.interactions[number] = sent
        await self.dispatch("INTERACTION_CREATE", payload)
        return sent

    async def command(self, user: str, name: str, **options: str) -> Sent:
        """Use a slash command."""
        given = [{"name": key, "type": 3, "value": value} for key, value in options.items()]
        return await self.interact(user, 2, {"id": "9", "name": name, "type": 1, "options": given})

    async def type(self, user: str, name: str, option: str, typed: str) -> Sent:
        """Type into an option."""
        given = [{"name": option, "type": 3, "value": typed, "focused": True}]
        return await self.interact(user, 4, {"id": "9", "name": name, "type": 1, "options": given})

    async def press(self, user: str, code: str, message: dict[str, Any]) -> Sent:
        """Press a button of a message."""
        return await self.interact(user, 3, {"custom_id": code, "component_type": 2}, message=message)

    async def say(self, user: str, text: str, *, mention: bool = True) -> str:
        """Write a message; its id."""
        message = _message(self.new_id(), user, f"<@{BOT}> {text}" if mention else text)
        message |= {"guild_id": GUILD, "member": _member(user)}
        message["mentions"] = [{**_user(BOT, bot=True), "member": _member(BOT)}] if mention else []
        await self.dispatch("MESSAGE_CREATE", message)
        return str(message["id"])

    async def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """Send an event; while nobody is connected, when they take the session up again."""
        self._sequence += 1
        event = {"op": 0, "t": name, "s": self._sequence, "d": data}
        self._history.append(event)
        if self._socket is not None and self.connected.is_set():
            await self._send(event)

    async def drop(self) -> None:
        """Break the connection off, as networks do."""
        self.connected.clear()
        socket, self._socket = self._socket, None
        if socket is not None and socket._req is not None and socket._req.transport is not None:
            socket._req.transport.abort()

    # The gateway

    async def _send(self, event: dict[str, Any]) -> None:
        assert self._socket is not None
        raw = self._compress.compress(json.dumps(event).encode()) + self._compress.flush(zlib.Z_SYNC_FLUSH)
        await self._socket.send_bytes(raw)

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        assert request.query["v"] == "10"
        assert request.query["encoding"] == "json"
        assert request.query.get("compress") == "zlib-stream"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._socket, self._compress = socket, zlib.compressobj()
        await self._send({"op": 10, "d": {"heartbeat_interval": 20_000}})
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            await self._told(json.loads(message.data))
        if self._socket is socket:
            self.connected.clear()
            self._socket = None
        return socket

    async def _told(self, message: dict[str, Any]) -> None:
        match message["op"]:
            case 1:
                await self._send({"op": 11})
            case 2:
                assert message["d"]["token"] == TOKEN
                self.identified.append(message["d"])
                self._sequence, self._history = 0, []
                self.connected.set()
                await self.dispatch("READY", self._ready())
                await self.dispatch("GUILD_CREATE", _guild())
            case 6:
                self.resumed.append(message["d"])
                missed = message["d"]["seq"]
                while missed < len(self._history):  # more may be said while they are sent
                    await self._send(self._history[missed])
                    missed += 1
                self.connected.set()
                await self.dispatch("RESUMED", {})
        await self._note()

    def _ready(self) -> dict[str, Any]:
        return {
            "v": 10,
            "user": _user(BOT, bot=True),
            "guilds": [{"id": GUILD, "unavailable": True}],
            "session_id": "session-1",
            "resume_gateway_url": f"ws://127.0.0.1:{self.port}/gateway",
            "shard": [0, 1],
            "application": {"id": APPLICATION, "flags": 0},
        }

    # The API

    async def _api(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix(API)
        body = await _body(request)
        self.requests.append(Asked(request.method, path, body, time.monotonic()))
        if self.refused:
            return _json({"message": "401: Unauthorized", "code": 0}, self.refused)
        if path in self.limited:
            self.limited.remove(path)
            await self._note()
            slow = {"message": "You are being rate limited.", "retry_after": 0.3, "global": False}
            return _json(slow, 429, self._slowing)
        if "/interactions/" not in path and "/webhooks/" not in path:
            assert request.headers["Authorization"] == f"Bot {TOKEN}"
        answer = self._answer(request.method, path, body, request.query.get("with_response") in {"1", "true"})
        await self._note()
        if path.endswith("/callback") and self.cut_off and request.transport is not None:
            self.cut_off -= 1
            request.transport.abort()
        return answer

    def _answer(self, method: str, path: str, body: Any, with_response: bool) -> web.Response:
        match method, path.strip("/").split("/"):
            case "GET", ["users", "@me"]:
                return _json(_user(BOT, bot=True))
            case "GET", ["oauth2", "applications", "@me"]:
                return _json({**_APPLICATION, "owner": _user("5")})
            case "GET", ["gateway", "bot"]:
                limit = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
                return _json({"url": f"ws://127.0.0.1:{self.port}/gateway", "shards": 1, "session_start_limit": limit})
            case "PUT", ["applications", _, "commands"]:
                return _json([_command(number, one) for number, one in enumerate(body, 1)])
            case "POST", ["interactions", number, _, "callback"]:
                return self._callback(number, body, with_response)
            case "POST", ["channels", channel, "messages"]:
                return _json({**_message(self.new_id(), BOT, body.get("content") or ""), "channel_id": channel})
            case "POST", ["users", "@me", "channels"]:
                return _json({"id": "4", "type": 1, "recipients": [_user(str(body["recipient_id"]))]})
            case (("PATCH" | "POST"), ["webhooks", _, token, *_]):
                return self._after(token, body)
            case "DELETE", ["webhooks", *_]:
                return web.Response(status=204)
        return _json({"message": "404: Not Found", "code": 0}, 404)

    def _callback(self, number: str, body: dict[str, Any], with_response: bool) -> web.Response:
        sent = self.interactions.get(number)
        now = time.monotonic()
        if sent is None or now - sent.at > ACK_SECONDS:
            return _json({"message": "Unknown interaction", "code": 10062}, 404)
        if sent.acknowledged_at is not None:
            return _json({"message": "Interaction has already been acknowledged.", "code": 40060}, 400)
        sent.acknowledged_at, sent.callback = now, body
        if body["type"] not in {_THINKING, _LATER}:
            sent.answered_at = now
        if not with_response:
            return web.Response(status=204)
        held = self.message_of(sent)
        told = {"id": number, "type": sent.payload["type"], "response_message_id": held["id"]}
        return _json({"interaction": told, "resource": {"type": body["type"], "message": held}})

    def _after(self, token: str, body: Any) -> web.Response:
        sent = self.interactions.get(token.removeprefix("token-"))
        if sent is None or sent.acknowledged_at is None:
            return _json({"message": "Unknown Webhook", "code": 10015}, 404)
        sent.answers.append(body)
        sent.answered_at = sent.answered_at or time.monotonic()
        return _json(self.message_of(sent))

    def message_of(self, sent: Sent) -> dict[str, Any]:
        """The message that answers an interaction, as it was sent last."""
        body = sent.answers[-1] if sent.answers else sent.callback.get("data") or {}
        message = _message(str(int(sent.payload["id"]) + 1), BOT, body.get("content") or "")
        flags = body.get("flags") or (sent.callback.get("data") or {}).get("flags") or 0
        return {**message, "components": body.get("components") or [], "flags": flags}


class Terse(Wire):
    """A Discord that says no more than it must, or less: whatever our bot has no use for is not there.

    Its transport is not compressed, READY and interactions are short, messages of buttons have no components, what it
    takes is answered with nothing or next to nothing, servers are unknown, some events make no sense, and too many
    requests are told of without a `Via`.
    """

    @property
    def _slowing(self) -> dict[str, str]:
        return {"Retry-After": "1"}

    async def interact(self, user: str, kind: int, data: dict[str, Any], **more: Any) -> Sent:
        """Send an interaction with an id, a token, a user and what it is about."""
        number = self.new_id()
        told = {"id": number, "type": kind, "token": f"token-{number}", "data": data, "channel_id": CHANNEL}
        if message := more.get("message"):
            told["message"] = {"id": message["id"]}
        whose = {"guild_id": GUILD, "member": {"user": {"id": user, "username": "x"}, "permissions": "0"}}
        sent = Sent({**told, **(whose if int(user) % 2 else {"user": {"id": user, "username": "x"}})}, time.monotonic())
        self.interactions[number] = sent
        await self.dispatch("INTERACTION_CREATE", sent.payload)
        return sent

    async def say(self, user: str, text: str, *, mention: bool = True) -> str:
        """Write a message on a server that the bot was told nothing of."""
        message: dict[str, Any] = {"id": self.new_id(), "channel_id": CHANNEL, "guild_id": GUILD, "content": text}
        message |= {"author": {"id": user, "username": "x"}, "mentions": [{"id": BOT}] if mention else []}
        await self.dispatch("MESSAGE_CREATE", message)
        return str(message["id"])

    async def _send(self, event: dict[str, Any]) -> None:
        assert self._socket is not None
        if event.get("t") == "GUILD_CREATE":
            event = {**event, "d": {"id": GUILD}}  # which discord.py can't read
        await self._socket.send_str(json.dumps(event))

    def _ready(self) -> dict[str, Any]:
        url = f"ws://127.0.0.1:{self.port}/gateway?elsewhere=1"
        return {"v": 10, "user": {"id": BOT, "username": "x"}, "session_id": "session-1", "resume_gateway_url": url}

    def _answer(self, method: str, path: str, body: Any, with_response: bool) -> web.Response:
        answer = super()._answer(method, path, body, with_response=False)
        if answer.status >= 400:
            return answer
        match path.strip("/").split("/"):
            case ["gateway", "bot"]:
                return _json({"url": f"ws://127.0.0.1:{self.port}/gateway", "shards": 1})
            case ["applications", _, "commands"]:
                return _json([])
            case ["webhooks", *_]:
                return web.Response(status=204)
            case ["channels", _, "messages"]:
                return _json({"id": self.new_id()})
        return answer


def shown(body: Any) -> str:
    """All that a message's body says, wherever it stands."""
    if isinstance(body, dict):
        own = body.get("content")
        return "\n".join(filter(None, [own if isinstance(own, str) else "", *map(shown, body.values())])).replace(
            "\\", ""
        )
    return "\n".join(filter(None, map(shown, body))) if isinstance(body, list) else ""


def code_of(body: Any, label: str) -> str:
    """The id of the first button of that label in a message's body."""
    found = _buttons(body, label)
    return next(iter(found))


def _buttons(body: Any, label: str) -> list[str]:
    if isinstance(body, dict):
        own = [body["custom_id"]] if body.get("label") == label else []
        return own + [code for inner in body.values() for code in _buttons(inner, label)]
    return [code for inner in body for code in _buttons(inner, label)] if isinstance(body, list) else []


async def _body(request: web.Request) -> Any:
    if request.content_type == "multipart/form-data":
        form = await request.post()
        return json.loads(str(form["payload_json"]))
    raw = await request.read()
    return json.loads(raw) if raw else None


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # With `text` there would be a charset behind the content type, which discord.py does not take for JSON.
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers, content_type="application/json")


def _user(number: str, *, bot: bool = False) -> dict[str, Any]:
    return {
        "id": number,
        "username": f"user-{number}",
        "discriminator": "0",
        "avatar": None,
        "global_name": None,
        "bot": bot,
    }


def _member(user: str) -> dict[str, Any]:
    return {
        "user": _user(user),
        "roles": [],
        "joined_at": "2024-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
        "nick": None,
    }


def _message(number: str, author: str, content: str) -> dict[str, Any]:
    return {
        "id": number,
        "channel_id": CHANNEL,
        "author": _user(author, bot=author == BOT),
        "content": content,
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
        "flags": 0,
        "components": [],
    }


def _command(number: int, told: dict[str, Any]) -> dict[str, Any]:
    return {"description": "", **told, "id": str(number), "application_id": APPLICATION, "version": "1"}


def _guild() -> dict[str, Any]:
    return {
        "id": GUILD,
        "name": "Film Club",
        "owner_id": "5",
        "roles": [{"id": GUILD, "name": "@everyone", "permissions": "2147483647", "position": 0, "color": 0,
                   "hoist": False, "managed": False, "mentionable": False, "flags": 0}],
        "emojis": [], "stickers": [], "features": [], "members": [_member(BOT)], "threads": [], "presences": [],
        "voice_states": [], "stage_instances": [], "guild_scheduled_events": [], "soundboard_sounds": [],
        "channels": [{"id": CHANNEL, "type": 0, "name": "films", "position": 0, "permission_overwrites": []}],
        "member_count": 2, "large": False, "unavailable": False, "preferred_locale": "en-US",
        "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0,
        "nsfw_level": 0, "premium_tier": 0, "system_channel_flags": 0, "afk_timeout": 300,
        "joined_at": "2024-01-01T00:00:00+00:00", "premium_progress_bar_enabled": False,
    }  # fmt: skip


_APPLICATION = {
    "id": APPLICATION,
    "name": "Nextreel",
    "icon": None,
    "description": "",
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "00",
    "flags": 0,
    "team": None,
}
