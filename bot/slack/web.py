"""Slack by HTTP: what it sends, verified by its signature, and the pages with which a workspace installs the app.

Knows aiohttp's server and slack-bolt's OAuth flow. Without Socket Mode everything comes this way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_internals import build_async_context
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot import failing
from bot.slack.events import PLATFORM
from bot.slack.installations import Installations, States
from bot.slack.manifest import EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH, SCOPES
from bot.slack.words import words
from bot.slack.workspaces import Api, code_of
from config.settings import Settings

MAX_REQUEST = 4 * 2**20
"""Bytes of a request; Slack's are far smaller."""
ENDING_SECONDS = 5.0

_log = structlog.get_logger(__name__)

Begin = Callable[[AsyncBoltContext, BoltResponse], Awaitable[None]]


class Web:
    """A server at the host and the port of the settings. `start` it, `close` it."""

    def __init__(
        self, settings: Settings, app: AsyncApp, api: Api, begin: Begin, stores: tuple[Installations, States] | None
    ) -> None:
        self._settings = settings
        self._app = app
        self._begin = begin
        routes = web.Application(client_max_size=MAX_REQUEST)
        if settings.slack_signing_secret and not settings.slack_app_token:
            routes.router.add_post(EVENTS_PATH, self._event)
        if stores:
            self._flow = _flow(settings, api, *stores)
            routes.router.add_get(INSTALL_PATH, self._install)
            routes.router.add_get(REDIRECT_PATH, self._installed)
        # What is asked for, and by whom, is nobody's business, so there is no access log.
        self._runner = web.AppRunner(routes, access_log=None, shutdown_timeout=ENDING_SECONDS)

    async def start(self) -> None:
        """Listen. OSError when that can't be."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.slack_host, self._settings.slack_port).start()

    async def close(self) -> None:
        """Take no more, and finish what was begun."""
        await self._runner.cleanup()

    async def _event(self, request: web.Request) -> web.StreamResponse:
        """Dispatch, acknowledge, begin."""
        asked = await _request_of(request)
        dispatched = await self._app.async_dispatch(asked)
        response = await to_aiohttp_response(dispatched)
        try:
            await response.prepare(request)
            await response.write_eof()
        except OSError as error:
            # The connection went; Slack sends it again, and it is known then.
            _log.warning("not acknowledged", error=type(error).__name__)
        finally:
            await self._begin(asked.context, dispatched)
        return response

    async def _install(self, request: web.Request) -> web.Response:
        return await _page(request, self._flow.handle_installation)

    async def _installed(self, request: web.Request) -> web.Response:
        return await _page(request, self._flow.handle_callback)


async def _page(request: web.Request, made: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]) -> web.Response:
    """A page for a browser; a sentence when it can't be made, as when Slack or the database is away."""
    try:
        return await to_aiohttp_response(await made(await to_bolt_request(request)))
    except Exception as error:  # noqa: BLE001 - whatever breaks, a person gets a sentence and the log gets the place
        number = failing.logged(PLATFORM, "page", error, code_of(error))
        return web.Response(status=503, text=words("sentences.failed", id=number))


async def _request_of(request: web.Request) -> AsyncBoltRequest:
    """What was sent, not verified yet. HTTPBadRequest for what can't be anything that Slack sends."""
    try:
        asked = await to_bolt_request(request)
        if not asked.body and asked.raw_body:
            # slack-bolt takes any form that has the word “payload” in it for one with such a field.
            asked.body = dict(parse_qsl(asked.raw_body, keep_blank_values=True))
            asked.context = build_async_context(AsyncBoltContext(), asked.body)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
        raise web.HTTPBadRequest from None
    return asked


def _flow(settings: Settings, api: Api, installations: Installations, states: States) -> AsyncOAuthFlow:
    secret = settings.slack_client_secret
    public = (settings.slack_public_url or "").rstrip("/")
    oauth = AsyncOAuthSettings(
        client_id=settings.slack_client_id,
        client_secret=secret.get_secret_value() if secret else "",
        scopes=list(SCOPES),
        user_scopes=[],
        redirect_uri=f"{public}{REDIRECT_PATH}" if public else None,
        install_path=INSTALL_PATH,
        redirect_uri_path=REDIRECT_PATH,
        installation_store=installations,
        installation_store_bot_only=True,
        state_store=states,
    )
    return AsyncOAuthFlow(client=api.client(None), settings=oauth)
