"""A small Slack on real sockets: its Web API, Socket Mode and addresses for answers, as far as our bot uses them.

Follows docs.slack.dev (`apis/events-api/using-socket-mode`, `interactivity/handling-user-interaction`,
`apis/web-api/rate-limits`): an envelope that is not acknowledged is sent again, a socket is told to go before it goes,
an address for answers takes five. Everything that arrives is kept with its time.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.wires import Asked, Listening

BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-1-wire-token-of-nobody", "xapp-1-wire-token-of-nobody", "wire-signing-secret"
TEAM, APP, CHANNEL, BOT_USER, BOT = "T0WIRE", "A0WIRE", "C0FILMS", "U0NEXTREEL", "B0NEXTREEL"
ANSWERS = 5


@dataclass
class Sent:
    """An envelope that was sent, and what came of it."""

    kind: str
    payload: dict[str, Any]
    at: float
    acknowledged_at: float | None = None
    ack: Any = None
    times: int = 1
    answered_at: float | None = None
    answers: list[Any] = field(default_factory=list)
    """What was sent to its address for answers, its channel's thread or its person since."""


class Wire(Listening):
    """The server; `connected` is set while a bot is."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: dict[str, Sent] = {}
        self.connected = asyncio.Event()
        self.connections = 0
        self.limited: list[str] = []
        """Methods whose next call is told to come later."""
        self.refused: dict[str, str] = {}
        """Methods that are refused, and Slack's word for why."""
        self.tickets: set[str] = set()
        """Of the addresses of sockets that were given out: each is good once."""
        self.turns_away = 0
        """How many that want a socket are yet to be told that there is none."""
        self.acknowledges = True
        """Whether acknowledgements reach it."""
        self.users: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.messages: dict[str, dict[str, Any]] = {}
        """Messages by channel and time, as they were sent or changed last."""
        self._numbers = itertools.count(1)
        self._sockets: list[web.WebSocketResponse] = []
        self._answers: dict[str, Sent] = {}

    def routes(self, app: web.Application) -> None:
        """The API, the sockets, the addresses for answers, and files."""
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/socket", self._socket)
        app.router.add_post("/answers/{number}", self._answer)
        app.router.add_post("/upload/{number}", self._upload)
        app.router.add_get("/files/{name}", self._download)

    @property
    def settings(self) -> dict[str, str]:
        """What the bot has to be told to come here."""
        return {
            "NEXTREEL_SLACK_BOT_TOKEN": BOT_TOKEN,
            "NEXTREEL_SLACK_APP_TOKEN": APP_TOKEN,
            "NEXTREEL_SLACK_API_URL": f"{self.address}/api/",
        }

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def called(self, method: str) -> list[Asked]:
        """The calls of a method."""
        return [one for one in self.requests if one.method == method]

    # What is sent

    async def send(self, kind: str, payload: dict[str, Any]) -> Sent:
        """Send an envelope: `events_api`, `slash_commands` or `interactive`."""
        number = f"env-{next(self._numbers)}"
        sent = self.envelopes[number] = self.expect(payload, kind)
        await self._deliver(number, sent)
        return sent

    def expect(self, payload: dict[str, Any], kind: str = "") -> Sent:
        """Take answers to a payload, by whichever way it is sent."""
        sent = Sent(kind, payload, time.monotonic())
        if url := str(payload.get("response_url") or ""):
            self._answers[url.rsplit("/", 1)[-1]] = sent
        return sent

    async def again(self, sent: Sent) -> None:
        """Send an envelope once more, as when its acknowledgement got lost."""
        number = next(known for known, one in self.envelopes.items() if one is sent)
        sent.times += 1
        await self._deliver(number, sent)

    async def _deliver(self, number: str, sent: Sent) -> None:
        envelope = {
            "envelope_id": number,
            "type": sent.kind,
            "payload": sent.payload,
            "accepts_response_payload": sent.kind != "events_api",
        }
        if sent.kind == "events_api":
            envelope |= {"retry_attempt": sent.times - 1, "retry_reason": "timeout" if sent.times > 1 else ""}
        await self._sockets[-1].send_json(envelope)

    def event(self, event: dict[str, Any]) -> dict[str, Any]:
        """The payload of an event."""
        number = f"Ev{next(self._numbers):08}"
        return {
            "token": "verification-token-of-nobody",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": event,
            "type": "event_callback",
            "event_id": number,
            "event_time": int(time.time()),
            "authorizations": [
                {"enterprise_id": None, "team_id": TEAM, "user_id": BOT_USER, "is_bot": True,
                 "is_enterprise_install": False}
            ],
        }  # fmt: skip

    def message(self, user: str, text: str, *, kind: str = "app_mention", channel: str = CHANNEL, **more: Any) -> Any:
        """The payload of a message; a mention names the bot."""
        said = f"<@{BOT_USER}> {text}" if kind == "app_mention" else text
        event = {"type": kind, "user": user, "team": TEAM, "text": said, "ts": self.ts(), "channel": channel}
        if kind == "message":
            event |= {"channel_type": "im"}
        return self.event({**event, "event_ts": event["ts"], **more})

    async def say(self, user: str, text: str, **more: Any) -> Sent:
        """Mention the bot in a channel, or write to it (`kind="message"`, `channel="D…"`)."""
        return await self.send("events_api", self.message(user, text, **more))

    def command_payload(self, user: str, command: str, text: str = "", channel: str = CHANNEL) -> dict[str, Any]:
        """The payload of a slash command."""
        return {
            "token": "verification-token-of-nobody",
            "team_id": TEAM,
            "team_domain": "film-club",
            "channel_id": channel,
            "channel_name": "films",
            "user_id": user,
            "user_name": user.lower(),
            "command": command,
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": self._answer_url(),
            "trigger_id": self._trigger(),
        }

    async def command(self, user: str, command: str, text: str = "", channel: str = CHANNEL) -> Sent:
        """Use a slash command."""
        return await self.send("slash_commands", self.command_payload(user, command, text, channel))

    def interaction(self, kind: str, user: str, **more: Any) -> dict[str, Any]:
        """The payload of an interaction."""
        return {
            "type": kind,
            "team": {"id": TEAM, "domain": "film-club"},
            "enterprise": None,
            "is_enterprise_install": False,
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
            "api_app_id": APP,
            "token": "verification-token-of-nobody",
            "trigger_id": self._trigger(),
            **more,
        }

    def press_payload(self, user: str, code: str, message: dict[str, Any], channel: str = CHANNEL) -> dict[str, Any]:
        """The payload of a button that is pressed, or of what is chosen from a menu."""
        ephemeral = bool(message.get("ephemeral"))
        container = {"type": "message", "message_ts": message["ts"], "channel_id": channel, "is_ephemeral": ephemeral}
        held = {} if ephemeral else {"message": {**message, "user": BOT_USER, "bot_id": BOT}}
        return self.interaction(
            "block_actions", user, container=container, channel={"id": channel, "name": "films"},
            actions=[self._action(message["blocks"], code)], response_url=self._answer_url(), **held,
        )  # fmt: skip

    async def press(self, user: str, code: str, message: dict[str, Any], channel: str = CHANNEL) -> Sent:
        """Press a button of a message, or choose from one of its menus."""
        return await self.send("interactive", self.press_payload(user, code, message, channel))

    def _action(self, blocks: Any, code: str) -> dict[str, Any]:
        element = element_of(blocks, code)
        chosen = {"selected_option": {"value": code}} if element["type"] != "button" else {"value": code}
        return {"action_id": element["action_id"], "type": element["type"], "action_ts": self.ts(), **chosen}

    async def press_home(self, user: str, code: str, view: dict[str, Any]) -> Sent:
        """Press a button of the Home tab."""
        payload = self.interaction(
            "block_actions", user, container={"type": "view", "view_id": "V1"},
            view={"id": "V1", "team_id": TEAM, "hash": "1", **view}, actions=[self._action(view["blocks"], code)],
        )  # fmt: skip
        return await self.send("interactive", payload)

    async def type(self, user: str, field_name: str, typed: str) -> Sent:
        """Type into a field of a form."""
        container = {"type": "view", "view_id": "V1"}
        payload = self.interaction(
            "block_suggestion", user, container=container, action_id=field_name, block_id=field_name, value=typed,
            view={"id": "V1", "type": "modal", "callback_id": "log"},
        )  # fmt: skip
        return await self.send("interactive", payload)

    async def submit(self, user: str, view: dict[str, Any], **entered: dict[str, Any]) -> Sent:
        """Send a form off, with the state of its fields."""
        known = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
        assert set(entered) <= known
        state = {"values": {name: {name: value} for name, value in entered.items()}}
        sent = {**view, "id": "V1", "hash": "1", "team_id": TEAM, "app_installed_team_id": TEAM, "state": state}
        return await self.send("interactive", self.interaction("view_submission", user, view=sent, response_urls=[]))

    async def shortcut(self, user: str, callback_id: str, text: str | None = None) -> Sent:
        """Use a shortcut, on a message that says something or from anywhere."""
        if text is None:
            return await self.send(
                "interactive", self.interaction("shortcut", user, callback_id=callback_id, action_ts=self.ts())
            )
        message = {"type": "message", "user": "U0SOMEBODY", "ts": self.ts(), "text": text, "team": TEAM}
        payload = self.interaction(
            "message_action", user, callback_id=callback_id, message=message, message_ts=message["ts"],
            channel={"id": CHANNEL, "name": "films"}, response_url=self._answer_url(), action_ts=self.ts(),
        )  # fmt: skip
        return await self.send("interactive", payload)

    def ts(self) -> str:
        """The time of a message, which is its name."""
        return f"{int(time.time())}.{next(self._numbers):06}"

    def _answer_url(self) -> str:
        return f"{self.address}/answers/{next(self._numbers)}"

    def _trigger(self) -> str:
        return f"{next(self._numbers)}.{next(self._numbers)}.trigger"

    async def replace_socket(self) -> None:
        """Tell the bot that its socket is about to go."""
        self.connected.clear()
        await self._sockets[-1].send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})

    # The sockets

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        if (ticket := request.query["ticket"]) not in self.tickets:
            raise web.HTTPForbidden
        self.tickets.remove(ticket)
        if self.turns_away:
            self.turns_away -= 1
            await self.note()
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        self.connections += 1
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": APP}})
        self.connected.set()
        await self.note()
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            told = json.loads(message.data)
            sent = self.envelopes[told["envelope_id"]]
            if self.acknowledges and sent.acknowledged_at is None:
                sent.acknowledged_at, sent.ack = time.monotonic(), told.get("payload")
            await self.note()
        if socket is self._sockets[-1]:
            self.connected.clear()
        return socket

    # The API

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        body = await _body(request)
        self.requests.append(Asked(method, request.path, body, time.monotonic()))
        try:
            if method in self.limited:
                self.limited.remove(method)
                headers = {"Retry-After": "1"}
                return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
            if method in self.refused:
                return web.json_response({"ok": False, "error": self.refused[method]})
            expected = {"apps.connections.open": APP_TOKEN, "oauth.v2.access": None}.get(method, BOT_TOKEN)
            if expected and request.headers.get("Authorization") != f"Bearer {expected}":
                return web.json_response({"ok": False, "error": "invalid_auth"})
            return web.json_response({"ok": True, **self._result(method, body)})
        finally:
            await self.note()

    def _result(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "auth.test":
                return {"team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT, "team": "Film Club"}
            case "apps.connections.open":
                self.tickets.add(ticket := f"ticket-of-nobody-{next(self._numbers)}")
                return {"url": f"ws://127.0.0.1:{self.port}/socket?ticket={ticket}"}
            case "users.info":
                return {"user": {**_user(body["user"]), **self.users.get(body["user"], {})}}
            case "chat.postMessage":
                return self._posted(body)
            case "chat.update":
                self.messages.setdefault((body["channel"], body["ts"]), {}).update(self.decoded(body))
                self._answers_first(
                    body, lambda sent: (sent.payload.get("container") or {}).get("message_ts") == body["ts"]
                )
                return {"channel": body["channel"], "ts": body["ts"]}
            case "chat.postEphemeral":
                self._answers_first(body, lambda sent: _user_of(sent.payload) == body["user"])
                return {"message_ts": self.ts()}
            case "conversations.open":
                return {"channel": {"id": f"D{body['users'][1:]}"}}
            case "files.getUploadURLExternal":
                number = str(next(self._numbers))
                return {"upload_url": f"{self.address}/upload/{number}", "file_id": f"F{number}"}
            case "files.completeUploadExternal":
                return {"files": json.loads(body["files"]) if isinstance(body["files"], str) else body["files"]}
            case "oauth.v2.access":
                return {
                    "app_id": APP, "access_token": BOT_TOKEN, "token_type": "bot", "scope": "chat:write",
                    "bot_user_id": BOT_USER, "team": {"id": TEAM, "name": "Film Club"}, "enterprise": None,
                    "authed_user": {"id": "U0INSTALLER"}, "is_enterprise_install": False,
                }  # fmt: skip
        return {}

    def _posted(self, body: dict[str, Any]) -> dict[str, Any]:
        ts = self.ts()
        message = {**self.decoded(body), "ts": ts}
        self.messages[body["channel"], ts] = message

        def is_asked(sent: Sent) -> bool:
            event = sent.payload.get("event") or {}
            begun = event.get("thread_ts") or event.get("ts")
            by_person = bool(event) and not event.get("bot_id") and not event.get("subtype")
            return by_person and (body["channel"], body.get("thread_ts") or begun) == (event.get("channel"), begun)

        self._answers_first(message, is_asked)
        return {"channel": body["channel"], "ts": ts, "message": message}

    def _answers_first(self, message: dict[str, Any], is_asked: Callable[[Sent], bool]) -> None:
        """Note what was sent as the answer to the first that waits for such a one."""
        for sent in self.envelopes.values():
            if sent.answered_at is None and is_asked(sent):
                sent.answered_at = time.monotonic()
                sent.answers.append(message)
                return

    async def _answer(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        body = json.loads(await request.text())
        self.requests.append(Asked("answer", request.path, body, time.monotonic()))
        sent = self._answers.get(number)
        if sent is None or len(sent.answers) >= ANSWERS:
            return web.Response(status=404, text="used_url")
        ephemeral = body.get("response_type", "ephemeral") == "ephemeral"
        sent.answers.append({**body, "ts": self.ts(), "ephemeral": ephemeral})
        sent.answered_at = sent.answered_at or time.monotonic()
        await self.note()
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post() if request.content_type == "multipart/form-data" else None
        part = next(iter(form.values())) if form else await request.read()
        self.files[request.match_info["number"]] = part if isinstance(part, bytes) else part.file.read()  # type: ignore[union-attr]
        await self.note()
        return web.Response(text="OK")

    async def _download(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {BOT_TOKEN}"
        return web.Response(body=self.files[request.match_info["name"]], content_type="application/zip")

    @staticmethod
    def decoded(body: dict[str, Any]) -> dict[str, Any]:
        """A message as it was sent, with its blocks as such."""
        blocks = body.get("blocks")
        return {**body, "blocks": json.loads(blocks) if isinstance(blocks, str) else blocks or []}

    @staticmethod
    def decoded_view(body: dict[str, Any]) -> dict[str, Any]:
        """A view as it was opened or published."""
        view = body["view"]
        found: dict[str, Any] = json.loads(view) if isinstance(view, str) else view
        return found

    # HTTP

    @staticmethod
    def signed(body: str, *, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
        """The headers of a request by HTTP, signed by Slack's rules."""
        stamp = str(int(time.time() if at is None else at))
        digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    @staticmethod
    def form(payload: dict[str, Any]) -> str:
        """An interaction's or a command's body by HTTP."""
        return urlencode({"payload": json.dumps(payload)} if "command" not in payload else payload)


async def _body(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        found: dict[str, Any] = json.loads(await request.text() or "{}")
        return found
    return {**request.query, **{key: str(value) for key, value in (await request.post()).items()}}


def _user_of(payload: dict[str, Any]) -> str:
    user = payload.get("user") or payload.get("user_id") or (payload.get("event") or {}).get("user")
    return str(user["id"] if isinstance(user, dict) else user)


def _user(number: str) -> dict[str, Any]:
    return {
        "id": number,
        "team_id": TEAM,
        "name": number.lower(),
        "real_name": number,
        "tz": "America/New_York",
        "locale": "en-US",
        "is_admin": False,
        "is_owner": False,
        "is_bot": False,
        "profile": {"display_name": number[1:].capitalize()},
    }


def shown(message: Any) -> str:
    """All that blocks say, in the order in which they stand."""
    if isinstance(message, dict):
        own = message.get("text")
        inner = "".join(shown(value) for key, value in message.items() if key != "text" or isinstance(value, dict))
        end = "\n" if message.get("type") in {"rich_text_section", "context", "button", "header"} else ""
        return (own if isinstance(own, str) and message.get("type") else "") + inner + end
    return "".join(map(shown, message)) if isinstance(message, list | tuple) else ""


def elements_of(blocks: Any) -> list[dict[str, Any]]:
    """All that can be pressed."""
    if isinstance(blocks, dict):
        own = [blocks] if blocks.get("action_id") else []
        return own + [one for inner in blocks.values() for one in elements_of(inner)]
    return [one for inner in blocks for one in elements_of(inner)] if isinstance(blocks, list | tuple) else []


def codes_of(blocks: Any) -> dict[str, str]:
    """What can be pressed or chosen: labels by what they do."""
    found = {}
    for element in elements_of(blocks):
        if element["type"] == "button":
            found[element["value"]] = element["text"]["text"]
        for option in element.get("options") or ():
            found[option["value"]] = option["text"]["text"]
    return found


def code_of(blocks: Any, label: str) -> str:
    """What the first button or option of that label does."""
    return next(code for code, known in codes_of(blocks).items() if known == label)


def element_of(blocks: Any, code: str) -> dict[str, Any]:
    """The button, or the menu, that does something."""
    return next(
        one
        for one in elements_of(blocks)
        if one.get("value") == code or code in [option["value"] for option in one.get("options") or ()]
    )
