"""Answers an event: acknowledge it in time, ask the conversation, send what it replies where that belongs.

Knows Discord's deadlines and what of it goes wrong: expired tokens, messages that were deleted, channels that may not
be written to, events that come twice. Decides nothing that is said.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

import aiohttp
import discord
import structlog

from bot import failing
from bot.conversation.action import Action, UnknownActionError
from bot.conversation.message import MAX_FILE, Complete, Message, Origin, Press, Text
from bot.conversation.reply import File, Reply, Visibility
from bot.discord.events import PLATFORM, guild_of, is_for, named_in, origin_of, origin_of_message, text_of
from bot.discord.views import Rendered, film_choices, rendered, said
from bot.rendering import heard_in, placed
from storage.records import PlaceSettings

GRACE = 0.3
"""Seconds that an answer may take before the event is acknowledged without one; Discord gives up after three."""
REMEMBERED = 10_000
"""Events that are known not to be answered again."""

_ALREADY_ACKNOWLEDGED = 40060
_GONE = {10062, 10015, 50027}
"""Unknown interaction, unknown webhook, invalid webhook token: the time to answer is over."""
_UNKNOWN_MESSAGE = 10008

_log = structlog.get_logger(__name__)

Interaction = discord.Interaction[Any]


class Conversation(Protocol):
    """What is asked for answers: `bot.conversation.dialogue.Dialogue`."""

    async def handle(self, message: Message) -> Reply:
        """The reply to a message."""


class _NotSentError(Exception):
    """What is private could not be sent in private."""


class Answering:
    """Answers the events of one bot; `finish` ends it."""

    def __init__(
        self, conversation: Conversation, place_settings: Callable[[str, str], Awaitable[PlaceSettings]]
    ) -> None:
        self._conversation = conversation
        self._place_settings = place_settings
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._ending = False

    async def finish(self, seconds: float) -> None:
        """Take nothing new, and finish what was begun, for so many seconds at most."""
        self._ending = True
        mine = asyncio.current_task()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while left := {task for task in self._under_way if task is not mine}:
            if loop.time() >= end:
                _log.warning("ended in the middle of answers", answers=len(left))
                return
            await asyncio.wait(left, timeout=end - loop.time())

    # What comes in

    async def command(
        self, interaction: Interaction, make: Callable[[Origin], Awaitable[Message]], *, private: bool, slow: bool
    ) -> None:
        """Answer a command. `private`: as far as is known before it is answered; `slow`: acknowledge it at once."""
        await self._guarded(interaction, self._commanded(interaction, make, private=private, slow=slow))

    async def press(self, interaction: Interaction, code: str) -> None:
        """Answer a button or a menu by its id."""
        await self._guarded(interaction, self._pressed(interaction, code))

    async def complete(self, interaction: Interaction, typed: str) -> list[discord.app_commands.Choice[str]]:
        """The films that what is typed may become."""
        return film_choices(await self._conversation.handle(Complete(origin_of(interaction), "film", typed)))

    async def message(self, message: discord.Message, me: discord.abc.User) -> None:
        """Answer a text that is said to the bot."""
        if not is_for(message, me) or self._ending or self._again(message.id):
            return
        await self._tracked(self._told(message, me))

    # One event

    async def _guarded(self, interaction: Interaction, answer: Coroutine[Any, Any, None]) -> None:
        """Answer an interaction once, whatever breaks."""
        if self._again(interaction.id):
            answer.close()
            return
        if self._ending:
            answer.close()
            await self.sorry(interaction, "restarting")
            return
        await self._tracked(self._caught(interaction, answer))

    async def _caught(self, interaction: Interaction, answer: Coroutine[Any, Any, None]) -> None:
        try:
            await answer
        except Exception as error:  # noqa: BLE001 - whatever breaks, a person gets a sentence and the log gets the place
            await self.sorry(interaction, "failed", id=logged("interaction", error))

    async def _commanded(
        self, interaction: Interaction, make: Callable[[Origin], Awaitable[Message]], *, private: bool, slow: bool
    ) -> None:
        async def answered() -> Reply:
            return await self._conversation.handle(await make(origin_of(interaction)))

        task = asyncio.ensure_future(answered())
        if slow or not await _in_time(task):
            await _acknowledged(interaction.response.defer(ephemeral=private, thinking=True))
        await self._respond(interaction, await task, deferred_private=private)

    async def _pressed(self, interaction: Interaction, code: str) -> None:
        origin = origin_of(interaction)
        held = interaction.message
        try:
            action = Action.decode(code)
        except UnknownActionError:
            # Of a program that knew other actions: the conversation says that it is too old.
            action = _NO_ACTION
        press = Press(origin, action, str(held.id) if held else None)
        task = asyncio.ensure_future(self._conversation.handle(press))
        if not await _in_time(task):
            await _acknowledged(interaction.response.defer())
        reply = await task
        held_by = Visibility.PRIVATE if held is None or _is_private(interaction, held) else Visibility.PUBLIC
        where = placed(reply, held_by)
        in_place = where.in_place
        if in_place is None or held is None or not await self._replaced(interaction, in_place, held):
            await self._respond(interaction, where.beside or reply)

    async def _told(self, message: discord.Message, me: discord.abc.User) -> None:
        origin = origin_of_message(message)
        try:
            if not await self._is_heard(origin):
                return
            files = await _files(message)
            answer = Text(origin, text_of(message, me), files, named_in(message, me))
            reply = await self._conversation.handle(answer)
            await self._reply(message, origin, reply)
        except Exception as error:  # noqa: BLE001 - whatever breaks, a person gets a sentence and the log gets the place
            number = logged("message", error)
            await _try(_answer_to(message, said("failed", origin.locale, id=number)))

    async def _is_heard(self, origin: Origin) -> bool:
        """Whether the bot answers in that channel; in a direct message always."""
        if not origin.place.workspace:
            return True
        return heard_in(origin.place, await self._place_settings(PLATFORM, origin.place.workspace))

    # What goes out

    async def _respond(self, interaction: Interaction, reply: Reply, *, deferred_private: bool | None = None) -> None:
        """Send a reply beside what is there; in the place of the “is thinking” of a deferred command.

        What is private is never sent where others see it.
        """
        private = reply.visibility is Visibility.PRIVATE
        message = rendered(reply)
        response = interaction.response
        try:
            if not response.is_done():
                await response.send_message(**message.sending(), ephemeral=private)
            elif response.type is not discord.InteractionResponseType.deferred_channel_message:
                await interaction.followup.send(**message.sending(), ephemeral=private)
            elif private is deferred_private:
                await interaction.edit_original_response(**_edited_in(message))
            else:
                # Who sees “is thinking” was guessed, and wrongly. Discord takes what is sent next for the answer to
                # that and shows it to the same people, unless there was one: so there is, for a moment.
                await interaction.edit_original_response(content="…", allowed_mentions=discord.AllowedMentions.none())
                await interaction.followup.send(**message.sending(), ephemeral=private)
                await _try(interaction.delete_original_response())
        except discord.HTTPException as error:
            if error.code == _ALREADY_ACKNOWLEDGED:
                _log.info("answered by another process")
            elif _is_over(error):
                await self._otherwise(interaction, message, private=private)
            else:
                raise

    async def _replaced(self, interaction: Interaction, reply: Reply, held: discord.Message) -> bool:
        """Put a reply in the place of the message whose button was pressed; False when that is not there any more."""
        layout = held.flags.components_v2
        editing = rendered(reply, layout=layout).editing(layout=layout)
        try:
            if interaction.response.is_done():
                await interaction.edit_original_response(**editing)
            else:
                await interaction.response.edit_message(**editing)
        except discord.HTTPException as error:
            if error.code == _ALREADY_ACKNOWLEDGED:
                _log.info("answered by another process")
                return True
            if _is_over(error):
                return False
            raise
        return True

    async def _otherwise(self, interaction: Interaction, message: Rendered, *, private: bool) -> None:
        """Where the time to answer is over: in the channel, or in a direct message when it is private."""
        _log.warning("too late to answer an interaction", private=private)
        channel = interaction.channel
        only_theirs = interaction.is_user_integration() and not interaction.is_guild_integration()
        may_be_there = not private and not only_theirs
        sent = False
        if may_be_there and isinstance(channel, discord.abc.Messageable):
            sent = await _try(channel.send(**message.sending()))
        if not sent:
            await _try(interaction.user.send(**message.sending()))

    async def _reply(self, message: discord.Message, origin: Origin, reply: Reply) -> None:
        """Answer a text where it was said; in a direct message where it is private and others are there."""
        answer = rendered(reply)
        if not origin.place.workspace or reply.visibility is Visibility.PUBLIC:
            if not await _try(_answer_to(message, answer)) and origin.place.workspace:
                await _try(message.author.send(**answer.sending()))
            return
        sent = await _try(message.author.send(**answer.sending()))
        await _try(_answer_to(message, said("private-sent" if sent else "private-refused", origin.locale)))

    async def sorry(self, interaction: Interaction, key: str, **gaps: str) -> None:
        """Say, to the person alone, that something did not work."""
        message = said(key, str(interaction.locale), **gaps)
        if interaction.response.is_done():
            await _try(interaction.followup.send(**message.sending(), ephemeral=True))
        else:
            await _try(interaction.response.send_message(**message.sending(), ephemeral=True))

    # What is under way

    def _again(self, event_id: int) -> bool:
        """Whether an event came before, to this process: Discord sends some anew after a lost connection."""
        if event_id in self._seen:
            return True
        self._seen[event_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

    async def _tracked(self, work: Coroutine[Any, Any, None]) -> None:
        """Do work that the bot does not end without; it goes on when whoever waits for it does not."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.shield(task)


_NO_ACTION = Action.decode("more")
"""An action without its numbers, which the conversation finds too old."""


async def _in_time(task: asyncio.Task[Reply]) -> bool:
    done, _ = await asyncio.wait({task}, timeout=GRACE)
    return bool(done)


async def _acknowledged(ack: Awaitable[object]) -> None:
    """Acknowledge, and go on whatever comes of it: what is told may be kept, and is said by another way."""
    await _try(ack)


def _is_over(error: discord.HTTPException) -> bool:
    """Whether there is nothing left to answer there: the time is over, or somebody deleted the message."""
    return error.code in {*_GONE, _UNKNOWN_MESSAGE} or error.status == 401


def _edited_in(message: Rendered) -> dict[str, Any]:
    """What takes the place of “is thinking”, files and all."""
    sending = message.sending()
    if "files" in sending:
        sending["attachments"] = sending.pop("files")
    return sending


def _is_private(interaction: Interaction, held: discord.Message) -> bool:
    return held.flags.ephemeral or (interaction.guild_id is None and interaction.context.dm_channel)


async def _answer_to(message: discord.Message, answer: Rendered) -> object:
    reference = discord.MessageReference.from_message(message, fail_if_not_exists=False)
    return await message.channel.send(**answer.sending(), reference=reference, mention_author=False)


async def _try(sending: Awaitable[object]) -> bool:
    """Whether something could be sent; why not is for the log."""
    try:
        await sending
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        code = error.code if isinstance(error, discord.HTTPException) else 0
        _log.warning("not sent", error=type(error).__name__, code=code)
        return False
    return True


async def _files(message: discord.Message) -> tuple[File, ...]:
    """The files that came with a message, as far as they are not too big to be looked at."""
    if guild_of(message) is not None and not message.content:
        return ()
    return tuple([await file_of(file) for file in message.attachments[:5] if file.size <= MAX_FILE])


async def file_of(attachment: discord.Attachment) -> File:
    """A file that somebody sent."""
    return File(attachment.filename, attachment.content_type or "application/octet-stream", await attachment.read())


def logged(kind: str, error: BaseException) -> str:
    """Log where something broke, under a short id that the person is told too; never what was said."""
    return failing.logged(PLATFORM, kind, error, error.code if isinstance(error, discord.HTTPException) else 0)
