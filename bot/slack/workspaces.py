"""The workspaces in which the app is: whose token speaks there, and what Slack knows of the people there.

Knows Slack's Web API as far as it says who is who. What is known is looked up again after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
import structlog
from cachetools import TTLCache
from slack_sdk.errors import SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.events import Profile

API = "https://slack.com/api/"
PROFILE_SECONDS = 3600.0
UNKNOWN_SECONDS = 60.0
"""How long it is taken for granted what Slack said of a person, and that it said nothing."""
WORKSPACE_SECONDS = 300.0
CALL_SECONDS = 30
"""How long one call may take."""
RATE_LIMITED_TIMES = 4
"""How often a call waits for as long as Slack tells it to."""

WENT_WRONG = (SlackClientError, aiohttp.ClientError, asyncio.TimeoutError, OSError)
"""What a call may end with, whoever is to blame."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace that has the app: the bot's numbers there, and a client that speaks with its token."""

    team: str
    bot_user: str
    bot_id: str
    client: AsyncWebClient = field(repr=False)


class Installed(Protocol):
    """Where the app is installed: by one token from the settings, or by OAuth."""

    async def token_of(self, enterprise: str | None, team: str) -> BotToken | None:
        """The token for a workspace; None where the app is not."""

    async def forget(self, enterprise: str | None, team: str) -> None:
        """The app is not there any more."""


@dataclass(frozen=True, slots=True)
class BotToken:
    """A bot's token, and what it is called where it is for."""

    token: str = field(repr=False)
    bot_user: str
    bot_id: str
    team: str


class Api:
    """Slack's Web API over one set of connections. `close` it."""

    def __init__(self, address: str | None) -> None:
        self._address = address or API
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))

    def client(self, token: str | None) -> AsyncWebClient:
        """A client that waits when it is told to, and tries again when Slack is out of order."""
        return AsyncWebClient(
            token=token,
            base_url=self._address,
            session=self.session,
            timeout=CALL_SECONDS,
            retry_handlers=self.retries(),
            user_agent_prefix="nextreel",
        )

    def retries(self) -> list[AsyncRetryHandler]:
        """What a call that did not go well waits for."""
        return [
            AsyncRateLimitErrorRetryHandler(max_retry_count=RATE_LIMITED_TIMES),
            AsyncConnectionErrorRetryHandler(max_retry_count=2),
            AsyncServerErrorRetryHandler(max_retry_count=2),
        ]

    def is_slacks(self, url: str) -> bool:
        """Whether a token may be shown to an address: it is Slack's, or the one that stands for it."""
        return url.startswith(("https://files.slack.com/", self._address.removesuffix("api/")))

    async def close(self) -> None:
        """Close the connections."""
        await self.session.close()


class OneWorkspace:
    """The workspace of the token in the settings."""

    def __init__(self, token: BotToken) -> None:
        self._token = token

    async def token_of(self, enterprise: str | None, team: str) -> BotToken | None:  # noqa: ARG002 (of all the same)
        """The token."""
        return self._token

    async def forget(self, enterprise: str | None, team: str) -> None:
        """Nothing is kept: the token stands in the settings."""


class Workspaces:
    """The workspaces, as far as they were looked up."""

    def __init__(self, api: Api, installed: Installed) -> None:
        self._api = api
        self._installed = installed
        self._found: TTLCache[tuple[str | None, str], Workspace] = TTLCache(1_000, WORKSPACE_SECONDS)

    async def find(self, enterprise: str | None, team: str) -> Workspace | None:
        """A workspace; None where the app is not."""
        found = self._found.get((enterprise, team))
        if found is None:
            known = await self._installed.token_of(enterprise, team)
            if known is None:
                return None
            found = Workspace(team or known.team, known.bot_user, known.bot_id, self._api.client(known.token))
            self._found[enterprise, team] = found
        return found

    def look_again(self, enterprise: str | None, team: str) -> None:
        """What is known of a workspace may be wrong: the app was installed there anew, by another process."""
        self._found.pop((enterprise, team), None)

    async def forget(self, enterprise: str | None, team: str) -> None:
        """The app was taken out of a workspace."""
        self.look_again(enterprise, team)
        await self._installed.forget(enterprise, team)


class People:
    """What Slack says of people: names, time zones, languages, who administers the workspace."""

    def __init__(self) -> None:
        self._known: TTLCache[tuple[str, str], Profile] = TTLCache(20_000, PROFILE_SECONDS)
        self._unknown: TTLCache[tuple[str, str], Profile] = TTLCache(20_000, UNKNOWN_SECONDS)
        self._asking: dict[tuple[str, str], asyncio.Task[Profile]] = {}

    async def profile(self, workspace: Workspace, user: str, seconds: float | None = None) -> Profile:
        """What is known of somebody; nothing in particular when Slack does not say, or not in so many seconds."""
        key = (workspace.team, user)
        if not user:
            return Profile()
        if known := self._known.get(key) or self._unknown.get(key):
            return known
        if key not in self._asking:
            self._asking[key] = asyncio.create_task(self._asked(workspace, key))
        try:
            return await asyncio.wait_for(asyncio.shield(self._asking[key]), seconds)
        except TimeoutError:
            return Profile()

    def known(self, team: str, user: str) -> Profile:
        """The same, without asking."""
        return self._known.get((team, user)) or Profile()

    async def profiles(self, workspace: Workspace, users: Iterable[str]) -> dict[str, Profile]:
        """The same of several."""
        asked = list(dict.fromkeys(users))
        found = await asyncio.gather(*(self.profile(workspace, user) for user in asked))
        return dict(zip(asked, found, strict=True))

    async def _asked(self, workspace: Workspace, key: tuple[str, str]) -> Profile:
        try:
            answer = await workspace.client.users_info(user=key[1], include_locale=True)
            self._known[key] = found = _profile(answer.get("user") or {}, workspace.team)
        except WENT_WRONG as error:
            _log.warning("slack does not say who somebody is", error=type(error).__name__, code=code_of(error))
            self._unknown[key] = found = Profile()
        finally:
            del self._asking[key]
        return found


def _profile(user: dict[str, Any], team: str) -> Profile:
    # In a channel that workspaces share there are people of others, who administer those.
    teams = {str(user.get("team_id") or team), *((user.get("enterprise_user") or {}).get("teams") or ())}
    shown = user.get("profile") or {}
    name = shown.get("display_name") or user.get("real_name") or shown.get("real_name") or user.get("name") or ""
    return Profile(
        name=str(name),
        time_zone=str(user["tz"]) if user.get("tz") else None,
        locale=str(user.get("locale") or "en"),
        administers=bool(user.get("is_admin") or user.get("is_owner")) and team in teams,
        is_bot=bool(user.get("is_bot")),
    )


def code_of(error: BaseException) -> str:
    """Slack's own word for what went wrong (`channel_not_found`), which holds nothing that was said; else nothing."""
    # What comes from whatever stands between us and Slack is no JSON.
    data = getattr(getattr(error, "response", None), "data", None)
    return str(data.get("error") or "")[:60] if isinstance(data, dict) else ""


async def tried(call: Callable[[], Awaitable[object]]) -> bool:
    """Whether a call went well; why not is for the log."""
    try:
        await call()
    except WENT_WRONG as error:
        _log.warning("not sent", error=type(error).__name__, code=code_of(error))
        return False
    return True
