"""Discord's events as messages to the conversation: who, where, when, in which language; and a text without the bot's
own mention.

Knows discord.py's objects; asks Discord nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import discord

from bot.conversation.message import Identity, Named, Origin, Place

PLATFORM = "discord"
_MENTION = re.compile(r"<@!?(\d+)>")


def identity_of(user: discord.abc.User) -> Identity:
    """How Discord names somebody: the same in every server."""
    return Identity(PLATFORM, "", str(user.id))


def place_of(guild_id: int | None, channel_id: int | None, channel: object) -> Place:
    """Where something is said; a thread is one of its channel."""
    workspace = str(guild_id or "")
    if isinstance(channel, discord.Thread):
        return Place(PLATFORM, workspace, str(channel.parent_id), str(channel.id))
    return Place(PLATFORM, workspace, str(channel_id or ""))


def origin_of(interaction: discord.Interaction[Any]) -> Origin:
    """Who used a command or pressed a button, where, in which language."""
    return Origin(
        identity_of(interaction.user),
        place_of(interaction.guild_id, interaction.channel_id, interaction.channel),
        str(interaction.id),
        datetime.now(UTC),
        locale=str(interaction.locale),
        shows_buttons=True,
        administers=interaction.guild_id is not None and interaction.permissions.manage_guild,
    )


def origin_of_message(message: discord.Message) -> Origin:
    """Who wrote a message, and where; of the language only the server's is known."""
    guild = message.guild
    member = message.author if isinstance(message.author, discord.Member) else None
    return Origin(
        identity_of(message.author),
        place_of(guild_of(message), message.channel.id, message.channel),
        str(message.id),
        datetime.now(UTC),
        locale=str(guild.preferred_locale) if guild else "en",
        shows_buttons=True,
        administers=bool(guild and member and member.guild_permissions.manage_guild),
    )


def guild_of(message: discord.Message) -> int | None:
    """The id of the server where a message was written, also of one that discord.py has not loaded; None for a direct
    message."""
    return message.guild.id if message.guild else getattr(message.channel, "guild_id", None)


def is_for(message: discord.Message, me: discord.abc.User) -> bool:
    """Whether a message is said to the bot: in a direct message, with a mention, or as a reply that pings it."""
    if message.author.bot or message.type not in {discord.MessageType.default, discord.MessageType.reply}:
        return False
    mentioned = {*message.raw_mentions, *(user.id for user in message.mentions)}
    return guild_of(message) is None or me.id in mentioned


def text_of(message: discord.Message, me: discord.abc.User) -> str:
    """What is said, without the bot's mention; others are named rather than mentioned."""
    names = {str(user.id): user.display_name for user in message.mentions}
    names[str(me.id)] = ""
    return _MENTION.sub(lambda found: names.get(found[1], ""), message.content).strip()


def named_in(message: discord.Message, me: discord.abc.User) -> tuple[Named, ...]:
    """The people whom a message mentions, the bot and its author not counted."""
    return named(user for user in message.mentions if user.id not in {me.id, message.author.id})


def named(users: Iterable[discord.abc.User | None]) -> tuple[Named, ...]:
    """People as the conversation names them, each once; bots are none."""
    people = {user.id: user for user in users if user is not None and not user.bot}
    return tuple(Named(identity_of(user), user.display_name) for user in people.values())
