"""The bot: logs in, tells Discord of its commands when they changed, hands events on, and ends in order.

Knows discord.py's client, intents and addresses. One process may hold all shards; what people say is answered by
`answering`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import structlog
import yarl
from discord import app_commands
from discord.ext import commands

from bot.discord.answering import Answering, Conversation, logged
from bot.discord.buttons import ITEMS, is_known
from bot.discord.commands import COMMANDS
from bot.discord.events import PLATFORM
from bot.discord.tolerance import is_on, take_any_callback, tolerant
from bot.discord.translating import Translator
from storage.errors import StorageError
from storage.store import Store

ENDING_SECONDS = 20.0
"""How long answers that were begun are waited for at the end."""

INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
"""What Discord is asked to tell: none of it is privileged. Texts come in direct messages, with mentions of the bot and
in replies that ping it (discord-api-docs: gateway/you-might-not-need-a-privileged-intent)."""

SCOPES = ("bot", "applications.commands")
"""OAuth2 scopes of the link that invites the bot to a server."""

PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, send_messages_in_threads=True, read_message_history=True, attach_files=True
)
"""What the bot needs on a server to answer mentions there; commands need none of it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where Discord is; None for Discord's own."""

    api: str | None = None
    gateway: str | None = None


def install_link(application_id: int) -> str:
    """The link with which a server's owner invites the bot."""
    return discord.utils.oauth_url(application_id, permissions=PERMISSIONS, scopes=SCOPES)


class Bot(commands.AutoShardedBot):
    """The bot in Discord. `start` it with a token; `close` finishes what it has begun."""

    def __init__(self, conversation: Conversation, store: Store, addresses: Addresses | None = None) -> None:
        # It has no voice, and needs no warning that it can't have one.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        # What it tells at its most talkative is all that people say, and the tokens of their interactions.
        discords = logging.getLogger("discord")
        discords.setLevel(max(logging.INFO, discords.getEffectiveLevel()))
        self._gateway = addresses.gateway if addresses else None
        if addresses and addresses.api:
            discord.http.Route.BASE = addresses.api.rstrip("/")
        if self._gateway:
            discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(self._gateway)
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        self._store = store
        self.answering = Answering(conversation, store.place_settings)
        for command in COMMANDS:
            self.tree.add_command(command)
        tolerant(self._connection.parsers, lambda: self.application_id, self._unread)

    async def setup_hook(self) -> None:
        """What is done once, between logging in and connecting."""
        take_any_callback()
        self.add_dynamic_items(*ITEMS)
        await self.tree.set_translator(Translator())
        await self._tell_of_commands()

    async def _tell_of_commands(self) -> None:
        """Tell Discord of the commands, unless it was told of the very same before."""
        number = self.application_id or 0  # known since logging in
        application = str(number)
        payloads = await payloads_of(self.tree)
        fingerprint = fingerprint_of(payloads)
        try:
            if await self._store.registered(PLATFORM, application) == fingerprint:
                return
            # As `tree.sync` does; but what Discord makes of them is of no use here, and need not be read.
            await self.http.bulk_upsert_global_commands(number, payload=payloads)
            await self._store.register(PLATFORM, application, fingerprint)
        except (discord.DiscordException, StorageError, aiohttp.ClientError, OSError) as error:
            # What Discord knows from before goes on working.
            logged("commands", error)
            return
        _log.info("discord was told of the commands", commands=len(COMMANDS))

    async def launch_shards(self) -> None:
        """Connect all shards; where a gateway is set, to that one rather than the one that Discord names."""
        if self._gateway and self.shard_count is None:
            try:
                self.shard_count, _, _ = await self.http.get_bot_gateway()
            except (discord.GatewayNotFound, KeyError):
                self.shard_count = 1
        await super().launch_shards()

    async def close(self) -> None:
        """Finish what was begun, then leave."""
        if not self.is_closed():
            await self.answering.finish(ENDING_SECONDS)
        await super().close()

    async def on_ready(self) -> None:
        """Say in the log that it is there."""
        _log.info("connected to discord", servers=len(self.guilds), shards=len(self.shards))

    async def on_shard_connect(self, shard_id: int) -> None:
        """Where a gateway is set, sessions are taken up again there too."""
        shard = self.get_shard(shard_id)
        if self._gateway and shard is not None:
            shard._parent.ws.gateway = yarl.URL(self._gateway)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """A button of another program of this bot, or on a message that came without it: discord.py lets both go
        unanswered."""
        data: Mapping[str, Any] = interaction.data or {}
        custom_id = str(data.get("custom_id", ""))
        pressed = interaction.type is discord.InteractionType.component
        if pressed and not (is_known(custom_id) and is_on(interaction.message, custom_id)):
            chosen = data.get("values") or [custom_id]
            await self.answering.press(interaction, str(chosen[0]))

    async def on_message(self, message: discord.Message, /) -> None:
        """A text; those that are said to the bot are answered."""
        if self.user is not None and message.author.id != self.user.id:
            await self.answering.message(message, self.user)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """What was set for a server goes with the bot."""
        await self._store.forget_place(PLATFORM, str(guild.id))

    def _unread(self, event: str) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            logged(event, error)

    async def on_error(self, event_method: str, /, *_arguments: Any, **_options: Any) -> None:
        """Whatever breaks in an event that nobody waits for an answer to."""
        error = sys.exc_info()[1]
        if error is not None:
            logged(event_method, error)


class Tree(app_commands.CommandTree[Bot]):
    """The commands, with what is said when one breaks before it gets to `answering`.

    In this order: one that Discord still shows and that is gone, one whose options changed, anything else.
    """

    async def on_error(self, interaction: discord.Interaction[Bot], error: app_commands.AppCommandError, /) -> None:
        """Say so, to the person alone, with a short id that the log has too."""
        answering = interaction.client.answering
        if isinstance(error, app_commands.CommandNotFound):
            await answering.sorry(interaction, "command-gone")
        elif isinstance(error, app_commands.CommandSignatureMismatch):
            await answering.sorry(interaction, "command-changed")
        else:
            await answering.sorry(interaction, "failed", id=logged("command", error))


async def payloads_of(tree: app_commands.CommandTree[Any]) -> list[Any]:
    """All that Discord is told of the commands."""
    translator = tree.translator
    return [
        command.to_dict(tree) if translator is None else await command.get_translated_payload(tree, translator)
        for command in tree._get_all_commands(guild=None)
    ]


def fingerprint_of(payloads: Sequence[Any]) -> str:
    """SHA-256 of what Discord is told, in whatever order."""
    told = sorted(json.dumps(payload, sort_keys=True, default=str) for payload in payloads)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
