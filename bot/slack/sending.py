"""Puts replies where they belong: in a thread, in private, in the place of another message, and elsewhere when Slack
refuses that.

Knows which of Slack's ways to send reaches whom, and how often each may be used. Decides nothing that is said. What is
private is never sent where others see it.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from cachetools import LRUCache, TTLCache
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.conversation.reply import File, Reply, Visibility
from bot.slack.events import Where
from bot.slack.views import Rendered, rendered, said
from bot.slack.workspaces import Api, Workspace, tried

ANSWERS = 5
"""How often an address for answers may be used."""
ANSWER_SECONDS = 1800.0
"""For how long. (docs.slack.dev: interactivity/handling-user-interaction)"""

_log = structlog.get_logger(__name__)


class Sending:
    """Sends replies in all workspaces."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._used: TTLCache[str, int] = TTLCache(20_000, ANSWER_SECONDS)
        self._direct: LRUCache[tuple[str, str], str] = LRUCache(20_000)

    async def beside(
        self,
        workspace: Workspace,
        where: Where,
        reply: Reply,
        locale: str,
        *,
        more: Sequence[tuple[str, str]] = (),
        by_address: bool = False,
    ) -> None:
        """Send a reply as a message of its own; by the address for answers first where that reaches channels that the
        bot is not in; nothing for one that says nothing. Raises NotSentError when it can't be sent anywhere."""
        if reply.is_silent:
            return
        private = reply.visibility is Visibility.PRIVATE and not where.direct
        message = rendered(reply, more=more)
        sent = by_address and await self._answer(where, message, private=private)
        if not sent and where.channel:
            sent = await self._post(workspace, where, message, private=private)
        if not sent and not by_address:
            sent = await self._answer(where, message, private=private)
        if not sent and not await self._in_private(workspace, where.user, message):
            raise NotSentError
        await self.files(workspace, where, message.files, locale, private=private)

    async def in_place(self, workspace: Workspace, where: Where, reply: Reply) -> bool:
        """Put a reply in the place of the message whose button was pressed; False when that is not there any more."""
        message = rendered(reply)
        if where.held and where.channel and not (where.held_is_private and not where.direct):
            updated = await tried(
                lambda: workspace.client.chat_update(channel=where.channel, ts=where.held, **message.sending())
            )
            if updated:
                return True
        return await self._answer(where, message, private=where.held_is_private, replacing=True)

    async def sentence(self, workspace: Workspace, where: Where, key: str, locale: str, **gaps: str) -> None:
        """Say one of Slack's own sentences, to the person alone."""
        message = said(key, locale, **gaps)
        if await self._answer(where, message, private=not where.direct):
            return
        if not where.channel or not await self._post(workspace, where, message, private=not where.direct):
            await self._in_private(workspace, where.user, message)

    async def _post(self, workspace: Workspace, where: Where, message: Rendered, *, private: bool) -> bool:
        client = workspace.client
        if private:
            # In a thread that nobody has begun yet, Slack shows nobody what is for one person alone.
            thread = where.thread if where.spoken else None
            return await tried(
                lambda: client.chat_postEphemeral(
                    channel=where.channel, user=where.user, thread_ts=thread, **message.sending()
                )
            )
        return await tried(
            lambda: client.chat_postMessage(
                channel=where.channel,
                thread_ts=where.thread or None,
                unfurl_links=False,
                unfurl_media=False,
                **message.sending(),
            )
        )

    async def _answer(self, where: Where, message: Rendered, *, private: bool, replacing: bool = False) -> bool:
        """Send by the address for answers, as often as it may be used."""
        url = where.response_url
        if not url or self._used.get(url, 0) >= ANSWERS:
            return False
        self._used[url] = self._used.get(url, 0) + 1
        body: dict[str, object] = {
            **message.sending(),
            "response_type": "ephemeral" if private else "in_channel",
            "replace_original": replacing,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if where.thread and not replacing:
            body["thread_ts"] = where.thread
        webhook = AsyncWebhookClient(url, session=self._api.session, retry_handlers=self._api.retries())

        async def send() -> None:
            response = await webhook.send_dict(body)
            if response.status_code != 200:
                raise AnswerRefusedError(response.status_code)

        return await tried(send)

    async def _in_private(self, workspace: Workspace, user: str, message: Rendered) -> bool:
        """In a direct message, which is where a person always is."""
        return await self._post(workspace, Where(workspace.team, user, user), message, private=False)

    async def files(
        self, workspace: Workspace, where: Where, files: Sequence[File], locale: str, *, private: bool
    ) -> None:
        """Hand files over: where they were asked for, or in the direct messages when they are private."""
        if not files:
            return
        channel, thread = where.channel, where.thread or None
        if private or not channel:
            channel, thread = await self.direct_channel(workspace, where.user), None
        uploads = [{"content": file.content, "filename": file.name, "title": file.name} for file in files]
        sent = bool(channel) and await tried(
            lambda: workspace.client.files_upload_v2(file_uploads=uploads, channel=channel, thread_ts=thread)
        )
        if not sent or channel != where.channel:
            await self.sentence(workspace, where, "file-sent" if sent else "file-failed", locale)

    async def direct_channel(self, workspace: Workspace, user: str) -> str:
        """The channel of the bot's direct messages with somebody; empty where Slack does not say."""
        key = (workspace.team, user)
        if key not in self._direct:

            async def ask() -> None:
                answer = await workspace.client.conversations_open(users=user)
                self._direct[key] = str((answer.get("channel") or {}).get("id") or "")

            await tried(ask)
        return self._direct.get(key, "")


class NotSentError(Exception):
    """A reply could be sent nowhere."""


class AnswerRefusedError(OSError):
    """Slack did not take an answer: its address has run out."""

    def __init__(self, status: int) -> None:
        super().__init__(status, "an address for answers does not take any more")
