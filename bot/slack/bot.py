"""The bot: connects, writes events down before it acknowledges them, hands them on, and ends in order.

Knows slack-bolt's app, Socket Mode and the settings that say which of Slack's ways is taken; HTTP is in `web`. What
people say is answered by `answering`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import time
from typing import Any, cast

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot import failing
from bot.slack import pages
from bot.slack.answering import Answering, Conversation
from bot.slack.events import PLATFORM, Body
from bot.slack.installations import Installations, States, WrongKeyError
from bot.slack.manifest import COMMANDS, EVENTS, SHORTCUTS
from bot.slack.web import Web
from bot.slack.workspaces import WENT_WRONG, Api, BotToken, Installed, OneWorkspace, Workspaces, code_of
from config.settings import PREFIX, Settings
from storage.inbox import Inbox, Received
from storage.records import MessageKey
from storage.store import Store

ENDING_SECONDS = 20.0
"""How long answers that were begun are waited for at the end."""

PING_SECONDS = 10.0
"""Between two looks whether a socket is alive, and between two tries to open one."""
ADDRESS_SECONDS = 15.0
"""After how long without a socket another address for one is asked for."""

_RECEIVED = "nextreel_received"
"""Under which a request carries what is to be answered once it is acknowledged."""
_BAD_TOKENS = {
    *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"),
    *("missing_scope", "no_permission"),
}

_log = structlog.get_logger(__name__)


class WrongSettingsError(Exception):
    """Slack can't be begun with these settings; the text is one sentence."""


class SlackAwayError(Exception):
    """Slack, or the address to listen at, can't be used; the text is one sentence."""


def check(settings: Settings) -> None:
    """Raise WrongSettingsError for settings that do not go together."""

    def needs(name: str, given: object, what: str, *others: str) -> None:
        if not given:
            said = " or ".join(f"{PREFIX}{other}" for other in others)
            raise WrongSettingsError(f"{PREFIX}{name} is set, and {what} needs {said} as well.")

    if settings.slack_bot_token and settings.slack_client_id:
        raise WrongSettingsError(
            f"Set either {PREFIX}SLACK_BOT_TOKEN, for one workspace, or {PREFIX}SLACK_CLIENT_ID, for any; not both."
        )
    by = settings.slack_app_token or settings.slack_signing_secret
    if not settings.slack_bot_token and not settings.slack_client_id:
        given = "SLACK_APP_TOKEN" if settings.slack_app_token else "SLACK_SIGNING_SECRET"
        needs(given, None, "speaking in Slack", "SLACK_BOT_TOKEN", "SLACK_CLIENT_ID")
    if settings.slack_bot_token:
        needs("SLACK_BOT_TOKEN", by, "hearing from Slack", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
    else:
        needs("SLACK_CLIENT_ID", by, "hearing from Slack", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
        needs("SLACK_CLIENT_ID", settings.slack_client_secret, "OAuth", "SLACK_CLIENT_SECRET")
        needs("SLACK_CLIENT_ID", settings.slack_token_key, "keeping tokens", "SLACK_TOKEN_KEY")


class Bot:
    """The bot in Slack. `run` it until it is closed; `close` finishes what it has begun."""

    def __init__(self, conversation: Conversation, store: Store, settings: Settings) -> None:
        # What they tell at their most talkative is all that people say.
        self._bolts, self._sdks = _quiet("slack_bolt", logging.ERROR), _quiet("slack_sdk", logging.WARNING)
        self._conversation = conversation
        self._store = store
        self._settings = settings
        self._inbox = Inbox(store.database)
        self._closing = asyncio.Event()
        self._answering: Answering | None = None

    async def run(self) -> None:
        """Connect and answer. Raises WrongSettingsError and SlackAwayError."""
        settings = self._settings
        api = Api(settings.slack_api_url)
        socket: Socket | None = None
        web: Web | None = None
        beside: list[asyncio.Task[None]] = []
        try:
            workspaces = Workspaces(api, await self._installed(api))
            answering = Answering(self._conversation, self._inbox, self._store, workspaces, api)
            self._answering = answering
            app = self._app(workspaces, answering)
            if (settings.slack_signing_secret and not settings.slack_app_token) or settings.slack_client_id:
                web = Web(settings, app, api, self._begin, self._oauth_stores())
                await self._listening(web)
            beside.append(asyncio.create_task(answering.run()))
            if settings.slack_app_token:
                token = settings.slack_app_token.get_secret_value()
                socket = Socket(app, token, api, self._begin, self._sdks)
                opened = await _asked(socket.open, "SLACK_APP_TOKEN")
                beside.append(asyncio.create_task(socket.run(str(opened["url"]))))
            closing = asyncio.create_task(self._closing.wait())
            await asyncio.wait({closing, *beside}, return_when=asyncio.FIRST_COMPLETED)
            closing.cancel()
            for task in beside:
                if task.done():
                    task.result()
        finally:
            if socket:
                await socket.close_async()  # type: ignore[no-untyped-call]
            if web:
                await web.close()
            if self._answering:
                self._answering.take_nothing_new()
                await self._answering.finish(ENDING_SECONDS)
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await api.close()

    async def close(self) -> None:
        """Take nothing new, finish what was begun, then leave."""
        self._closing.set()

    # Beginning

    async def _installed(self, api: Api) -> Installed:
        """Where the app is: in the workspace of a token, once Slack says whose it is, or wherever it was installed."""
        settings = self._settings
        if not settings.slack_bot_token:
            return self._installations()
        token = settings.slack_bot_token.get_secret_value()
        known = await _asked(api.client(token).auth_test, "SLACK_BOT_TOKEN")
        me = BotToken(token, str(known["user_id"]), str(known.get("bot_id") or ""), str(known.get("team_id") or ""))
        _log.info("slack knows the bot", workspace=me.team)
        return OneWorkspace(me)

    def _installations(self) -> Installations:
        settings = self._settings
        key = settings.slack_token_key.get_secret_value() if settings.slack_token_key else ""
        try:
            return Installations(self._store.database, settings.slack_client_id or "", key)
        except WrongKeyError:
            raise WrongSettingsError(
                f"The setting {PREFIX}SLACK_TOKEN_KEY is wrong: “nextreel slack key” makes one."
            ) from None

    def _oauth_stores(self) -> tuple[Installations, States] | None:
        return (self._installations(), States(self._store.database)) if self._settings.slack_client_id else None

    async def _listening(self, web: Web) -> None:
        try:
            await web.start()
        except OSError as error:
            where = f"{self._settings.slack_host}:{self._settings.slack_port}"
            raise SlackAwayError(f"There is no listening at {where} for Slack ({type(error).__name__}).") from None
        _log.info("listens for slack", port=self._settings.slack_port)

    # What comes in

    def _app(self, workspaces: Workspaces, answering: Answering) -> AsyncApp:
        """What tells requests apart: each is written down first, and acknowledged by having been."""
        secret = self._settings.slack_signing_secret

        async def write_down(
            body: Body,
            context: AsyncBoltContext,
            resp: BoltResponse,
            next: Callable[[], Awaitable[None]],  # noqa: A002 (bolt's name)
        ) -> BoltResponse:
            if received := await answering.accept(body):
                context[_RECEIVED] = received
            await next()
            return resp

        async def complete(ack: AsyncAck, body: Body) -> None:
            await ack(options=await answering.complete(body))

        app = AsyncApp(
            name=PLATFORM,
            logger=self._bolts,
            signing_secret=secret.get_secret_value() if secret else "",
            authorize=cast(Any, _Authorizing(workspaces)),  # bolt takes what it does not say it takes
            before_authorize=self._refuse_replays,
            raise_error_for_unhandled_request=True,
        )
        app.error(self._broke)
        first: list[Callable[..., Awaitable[Any]]] = [write_down]
        for event in EVENTS:
            app.event(event.partition(".")[0], middleware=first)(_acknowledge)
        for command in COMMANDS:
            app.command(command, middleware=first)(_acknowledge)
        for shortcut in SHORTCUTS:
            app.shortcut(shortcut, middleware=first)(_acknowledge)
        for form in pages.Form:
            app.view(form.value, middleware=first)(_acknowledge)
        app.action(re.compile(""), middleware=first)(_acknowledge)
        for field in (pages.FILM_FIELD, pages.LIKE_FIELD):
            app.options(field)(complete)
        return app

    async def _refuse_replays(
        self,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[None]],  # noqa: A002 (bolt's name)
    ) -> BoltResponse:
        """What comes by HTTP under a signature that was taken in before is somebody else's copy."""
        signature = _first_of(req.headers.get("x-slack-signature"))
        if req.mode == "socket_mode" or not signature:
            await next()
            return resp
        key = MessageKey(PLATFORM, "signature", signature)
        seen = await self._inbox.write_down(key, None, datetime.now(UTC))
        if seen is None:
            _log.warning("a request came again under the same signature, and is refused")
            return BoltResponse(status=401, body={"error": "replayed request"})
        req.context["nextreel_signature"] = seen
        await next()
        return resp

    async def _begin(self, context: AsyncBoltContext, response: BoltResponse) -> None:
        """What was written down and acknowledged is answered; what could not be may come again."""
        received = context.get(_RECEIVED)
        if isinstance(received, Received) and self._answering:
            self._answering.begin(received)
        signature = context.get("nextreel_signature")
        if response.status >= 500 and isinstance(signature, Received):
            await self._inbox.forget(signature)

    async def _broke(self, error: Exception) -> BoltResponse:
        """What breaks before an event is written down is not acknowledged, so that Slack sends it again."""
        if isinstance(error, BoltUnhandledRequestError):
            return BoltResponse(status=200, body="")
        failing.logged(PLATFORM, "request", error, code_of(error))
        return BoltResponse(status=503, body="")


class _Authorizing(AsyncAuthorize):
    """Finds the token for what comes in, without asking Slack for each."""

    def __init__(self, workspaces: Workspaces) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._workspaces = workspaces

    async def __call__(self, *, enterprise_id: str | None, team_id: str | None, **_: object) -> AuthorizeResult | None:
        """The token; None for a workspace without the app."""
        found = await self._workspaces.find(enterprise_id, team_id or "")
        if found is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_id=found.bot_id,
            bot_user_id=found.bot_user,
            bot_token=found.client.token,
        )


class Socket(AsyncSocketModeHandler):
    """Socket Mode: a request is acknowledged first, and then what it asks is begun."""

    def __init__(
        self,
        app: AsyncApp,
        token: str,
        api: Api,
        begin: Callable[[AsyncBoltContext, BoltResponse], Awaitable[None]],
        log: logging.Logger,
    ) -> None:
        self._token = token
        self._web_client = api.client(None)
        self._begin = begin
        super().__init__(app, token, log, self._web_client, ping_interval=PING_SECONDS)

    async def open(self) -> Any:
        """Ask for a socket's address: before `run`, as that would ask for ever, whatever Slack says."""
        return await self._web_client.apps_connections_open(app_token=self._token)

    async def run(self, address: str) -> None:
        """Connect, first to that address, and stay connected."""
        self.client.wss_uri = address
        connecting = asyncio.create_task(self._connect())
        try:
            while True:
                await asyncio.sleep(ADDRESS_SECONDS)
                if not await self.client.is_connected():
                    # The client tries the same address for ever, but each is good for a while and for one socket.
                    self.client.wss_uri = None
        finally:
            connecting.cancel()

    async def _connect(self) -> None:
        await self.connect_async()  # type: ignore[no-untyped-call]
        if not self.client.closed:
            _log.info("connected to slack")

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        """Dispatch, acknowledge, begin."""
        request = AsyncBoltRequest(mode="socket_mode", body=req.payload, headers=build_headers(req))
        response = await self.app.async_dispatch(request)
        try:
            await send_async_response(client, req, response, time())
        except WENT_WRONG as error:
            # The socket went; Slack sends it again, and it is known then.
            _log.warning("not acknowledged", error=type(error).__name__)
        await self._begin(request.context, response)


def _quiet(name: str, least: int) -> logging.Logger:
    """A library's log, from what is at least so important on."""
    library = logging.getLogger(name)
    library.setLevel(max(least, library.getEffectiveLevel()))
    return library


async def _acknowledge(ack: AsyncAck) -> None:
    await ack()


def _first_of(values: Any) -> str:
    """The first of a header's values."""
    return str(next(iter(values or ()), ""))


async def _asked(call: Callable[[], Awaitable[Any]], setting: str) -> Any:
    """What Slack answers at the beginning; or a sentence of what is wrong."""
    try:
        return await call()
    except SlackApiError as error:
        code = code_of(error)
        if code in _BAD_TOKENS:
            raise WrongSettingsError(
                f"The setting {PREFIX}{setting} is wrong: Slack does not take that token ({code})."
            ) from None
        raise SlackAwayError(f"Slack can't be used now ({code or 'no answer'}).") from None
    except WENT_WRONG as error:
        raise SlackAwayError(f"Slack can't be reached ({type(error).__name__}).") from None
