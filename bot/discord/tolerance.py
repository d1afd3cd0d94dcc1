"""What Discord sends in another form than discord.py reads: a field that is not there ends no answer, nor the bot.

Knows which fields discord.py insists on and this bot has no use for. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import discord
from discord.webhook.async_ import AsyncWebhookAdapter, async_context

FILE_LIMIT = 10 * 2**20
"""Bytes of a file that everybody may send (discord-api-docs: reference, “Uploading Files”)."""

_USER: Mapping[str, Any] = {"username": "", "discriminator": "0", "avatar": None, "global_name": None}
_MEMBER: Mapping[str, Any] = {"roles": (), "joined_at": None, "flags": 0, "deaf": False, "mute": False}
_MESSAGE: Mapping[str, Any] = {
    "type": 0, "content": "", "timestamp": "2015-05-13T00:00:00+00:00", "edited_timestamp": None, "tts": False,
    "mention_everyone": False, "mentions": (), "mention_roles": (), "attachments": (), "embeds": (), "pinned": False,
    "components": (), "flags": 0,
}  # fmt: skip
_READY: Mapping[str, Any] = {"guilds": [], "shard": [0, 1]}
_INTERACTION: Mapping[str, Any] = {"version": 1, "attachment_size_limit": FILE_LIMIT}

Reader = Callable[[Any], Any]


def whole_user(user: Mapping[str, Any]) -> dict[str, Any]:
    """A user with all that is read of one."""
    return {**_USER, **user}


def whole_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message with all that is read of one."""
    whole = _filled(_MESSAGE, message)
    if isinstance(whole.get("author"), Mapping):
        whole["author"] = whole_user(whole["author"])
    if isinstance(whole.get("member"), Mapping):
        whole["member"] = _filled(_MEMBER, whole["member"])
    whole["mentions"] = [whole_user(user) for user in whole["mentions"]]
    return whole


def whole_interaction(interaction: Mapping[str, Any], application: int | None) -> dict[str, Any]:
    """An interaction with all that is read of one."""
    whole = {"application_id": str(application or 0), **_filled(_INTERACTION, interaction)}
    for name, make in (("user", whole_user), ("member", _whole_member), ("message", whole_message)):
        if isinstance(whole.get(name), Mapping):
            whole[name] = make(whole[name])
    if isinstance(whole.get("message"), dict):
        whole["message"].setdefault("channel_id", whole.get("channel_id") or "0")
        whole["message"].setdefault("author", {**_USER, "id": whole["application_id"], "bot": True})
    return whole


def _whole_member(member: Mapping[str, Any]) -> dict[str, Any]:
    return _filled(_MEMBER, {**member, "user": whole_user(member.get("user") or {})})


def _filled(usual: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and what is usual where nothing is."""
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in usual.items()}
    return found | dict(given)


def tolerant(readers: dict[str, Reader], application: Callable[[], int | None], broke: Callable[[str], None]) -> None:
    """Let discord.py's readers of events take what lacks something, and go on after what they can't read.

    Without it, whatever a reader raises ends the connection and with it the bot. `broke` is told the event's name,
    while the exception is being handled.
    """

    def one(name: str, read: Reader) -> Reader:
        def reading(data: Any) -> Any:
            try:
                if name == "INTERACTION_CREATE":
                    data = whole_interaction(data, application())
                elif name == "MESSAGE_CREATE":
                    data = whole_message(data)
                elif name == "READY":
                    data = {**_READY, **data, "user": whole_user(data["user"])}
                return read(data)
            except Exception:  # noqa: BLE001 - whatever it is, the next event may be one that can be read
                broke(name)

        return reading

    for name, read in list(readers.items()):
        readers[name] = one(name, read)


class _Callbacks(AsyncWebhookAdapter):
    """Answers to interactions, whose own answers nobody looks at: the message that was made may be missing in them."""

    def create_interaction_response(self, interaction_id: int, token: str, **options: Any) -> Any:
        """As discord.py's; what comes back names the interaction, whatever Discord says."""
        asked = super().create_interaction_response(interaction_id, token, **options)

        async def told() -> dict[str, Any]:
            await asked
            return {"interaction": {"id": str(interaction_id), "type": 0}}

        return told()


def take_any_callback() -> None:
    """From here on, in this task and those that it begins, any answer to a callback will do."""
    async_context.set(_Callbacks())  # type: ignore[no-untyped-call]


def is_on(message: discord.Message | None, custom_id: str) -> bool:
    """Whether a message holds what was pressed: discord.py drops the press of what it does not find there."""
    if message is None:
        return False
    view = discord.ui.LayoutView if message.flags.components_v2 else discord.ui.View
    items = view.from_message(message, timeout=None).walk_children()
    return any(getattr(item, "custom_id", None) == custom_id for item in items)
