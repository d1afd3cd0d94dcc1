"""Answers an event: acknowledge it in time, ask the conversation, send what it replies where that belongs.

Knows Discord's deadlines and what of it goes wrong: expired tokens, messages that were deleted, channels that may not
be written to, events that come twice. Decides nothing that is said.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import discord
import structlog

from bot import failing
from bot.conversation.message import MAX_FILE, Complete, Message, Origin, Press, Text
from bot.conversation.reply import File, Reply, Visibility
from bot.discord.events import PLATFORM, guild_of, is_for, named_in, origin_of, origin_of_message, text_of
from bot.discord.tolerance import FILE_LIMIT
from bot.discord.views import Rendered, film_choices, rendered, said, within, without_files
from bot.rendering import action_of, heard_in, placed
from storage.records import PlaceSettings

GRACE = 0.3
"""Seconds that an answer may take before the event is acknowledged without one; Discord gives up after three."""
REMEMBERED = 10_000
"""Events that are known not to be answered again."""

_ALREADY_ACKNOWLEDGED = 40060
_GONE = {10062, 10015, 50027}
"""Unknown interaction, unknown webhook, invalid webhook token: the time to answer is over."""
_UNKNOWN_MESSAGE = 10008
_TOO_LARGE = 40005
_OUT_OF_ORDER = 500
"""The status from which it is Discord that is out of order."""
_PAUSE = 0.5
"""Seconds after which something is sent once more when the connection broke."""
_PATIENCE = 10.0
"""Seconds that are waited for at most when there were too many requests."""

_log = structlog.get_logger(__name__)

Interaction = discord.Interaction[Any]


class Conversation(Protocol):
    """What is asked for answers: `bot.conversation.dialogue.Dialogue`."""

    async def handle(self, message: Message) -> Reply:
        """The reply to a message."""


class _NotSentError(Exception):
    """What is private could not be sent in private."""


@dataclass(frozen=True, slots=True)
class _Deferred:
    """That an interaction was acknowledged without an answer, as far as is known: Discord may have taken that although
    the connection broke."""

    thinking: bool
    """“is thinking” is shown; else nothing changes until there is an answer."""
    private: bool = False
    """It is shown to the person alone."""


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
        if not is_for(message, me) or self._again(message.id):
            return
        if self._ending:
            restarting = said("restarting", origin_of_message(message).locale)
            await _try(lambda: _answer_to(message, restarting))
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
        deferred = None
        if slow or not await _in_time(task):
            deferred = _Deferred(thinking=True, private=private)
            await _acknowledged(lambda: interaction.response.defer(ephemeral=private, thinking=True))
        await self._respond(interaction, await task, deferred)

    async def _pressed(self, interaction: Interaction, code: str) -> None:
        origin = origin_of(interaction)
        held = interaction.message
        press = Press(origin, action_of(code), str(held.id) if held else None)
        task = asyncio.ensure_future(self._conversation.handle(press))
        deferred = None
        if not await _in_time(task):
            deferred = _Deferred(thinking=False)
            await _acknowledged(interaction.response.defer)
        reply = await task
        held_by = Visibility.PRIVATE if held is None or _is_private(interaction, held) else Visibility.PUBLIC
        where = placed(reply, held_by)
        in_place = where.in_place
        if in_place is None or held is None or not await self._replaced(interaction, in_place, held, deferred):
            await self._respond(interaction, where.beside or reply, deferred)

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
            await _try(lambda: _answer_to(message, said("failed", origin.locale, id=number)))

    async def _is_heard(self, origin: Origin) -> bool:
        """Whether the bot answers in that channel; in a direct message always."""
        if not origin.place.workspace:
            return True
        return heard_in(origin.place, await self._place_settings(PLATFORM, origin.place.workspace))

    # What goes out

    async def _respond(self, interaction: Interaction, reply: Reply, deferred: _Deferred | None) -> None:
        """Send a reply beside what is there; in the place of the “is thinking” of a deferred command.

        What is private is never sent where others see it.
        """
        private = reply.visibility is Visibility.PRIVATE
        locale = str(interaction.locale)
        reply = within(reply, interaction.filesize_limit, locale)
        message = rendered(reply, locale=locale)
        try:
            await self._responded(interaction, message, deferred, private=private)
        except discord.HTTPException as error:
            if _is_over(error) or error.status >= _OUT_OF_ORDER:
                await self._otherwise(interaction, message, private=private)
            elif _is_too_big(error) and reply.files:
                unsent = rendered(without_files(reply, locale), locale=locale)
                await self._responded(interaction, unsent, deferred, private=private)
            else:
                raise
        except (aiohttp.ClientError, OSError):
            await self._otherwise(interaction, message, private=private)

    async def _responded(
        self, interaction: Interaction, message: Rendered, deferred: _Deferred | None, *, private: bool
    ) -> None:
        response = interaction.response
        if not response.is_done():
            try:
                await _patiently(lambda: response.send_message(**message.sending(), ephemeral=private))
            except discord.HTTPException as error:
                if error.code != _ALREADY_ACKNOWLEDGED:
                    raise
                if deferred is None:
                    # This process asked for nothing before: another one has it, or this very answer got there although
                    # the connection broke.
                    _log.info("answered already")
                    return
                # That it was acknowledged is all that is known: the answer is still to come.
            else:
                return
        if deferred is None or not deferred.thinking:
            await _patiently(lambda: interaction.followup.send(**message.sending(), ephemeral=private))
        elif private is deferred.private:
            await _patiently(lambda: interaction.edit_original_response(**_edited_in(message)))
        else:
            # Who sees “is thinking” was guessed, and wrongly. Discord takes what is sent next for the answer to that
            # and shows it to the same people, unless there was one: so there is, for a moment.
            none = discord.AllowedMentions.none()
            await _patiently(lambda: interaction.edit_original_response(content="…", allowed_mentions=none))
            await _patiently(lambda: interaction.followup.send(**message.sending(), ephemeral=private))
            await _try(interaction.delete_original_response)

    async def _replaced(
        self, interaction: Interaction, reply: Reply, held: discord.Message, deferred: _Deferred | None
    ) -> bool:
        """Put a reply in the place of the message whose button was pressed; False when that is not there any more."""
        layout = held.flags.components_v2
        message = rendered(reply, layout=layout, locale=str(interaction.locale))
        try:
            if not interaction.response.is_done():
                try:
                    await _patiently(lambda: interaction.response.edit_message(**message.editing(layout=layout)))
                except discord.HTTPException as error:
                    if error.code != _ALREADY_ACKNOWLEDGED:
                        raise
                    if deferred is None:
                        _log.info("answered already")
                        return True
                else:
                    return True
            await _patiently(lambda: interaction.edit_original_response(**message.editing(layout=layout)))
        except discord.HTTPException as error:
            if _is_over(error):
                return False
            raise
        return True

    async def _otherwise(self, interaction: Interaction, message: Rendered, *, private: bool) -> None:
        """Where the way to answer is closed: in the channel, or in a direct message when it is private."""
        _log.warning("an interaction can't be answered in its place", private=private)
        channel = interaction.channel
        only_theirs = interaction.is_user_integration() and not interaction.is_guild_integration()
        may_be_there = not private and not only_theirs
        sent = False
        if may_be_there and isinstance(channel, discord.abc.Messageable):
            there = channel.send
            sent = await _try(lambda: there(**message.sending(), nonce=str(interaction.id)))
        if not sent:
            await _try(lambda: interaction.user.send(**message.sending(), nonce=str(interaction.id)))

    async def _reply(self, message: discord.Message, origin: Origin, reply: Reply) -> None:
        """Answer a text where it was said; in a direct message where it is private and others are there."""
        if reply.is_silent:
            return
        answer = rendered(within(reply, FILE_LIMIT, origin.locale), locale=origin.locale)

        def in_private() -> Awaitable[object]:
            return message.author.send(**answer.sending(), nonce=str(message.id))

        if not origin.place.workspace or reply.visibility is Visibility.PUBLIC:
            if not await _try(lambda: _answer_to(message, answer)) and origin.place.workspace:
                await _try(in_private)
            return
        note = said("private-sent" if await _try(in_private) else "private-refused", origin.locale)
        await _try(lambda: _answer_to(message, note))

    async def sorry(self, interaction: Interaction, key: str, **gaps: str) -> None:
        """Say, to the person alone, that something did not work."""
        message = said(key, str(interaction.locale), **gaps)
        response = interaction.response
        if response.is_done() or not await _try(lambda: response.send_message(**message.sending(), ephemeral=True)):
            await _try(lambda: interaction.followup.send(**message.sending(), ephemeral=True))

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


async def _in_time(task: asyncio.Task[Reply]) -> bool:
    done, _ = await asyncio.wait({task}, timeout=GRACE)
    return bool(done)


async def _acknowledged(acknowledge: Callable[[], Awaitable[object]]) -> None:
    """Acknowledge, and go on whatever comes of it: what is told may be kept, and is said by another way."""
    await _try(acknowledge)


def _is_over(error: discord.HTTPException) -> bool:
    """Whether there is nothing left to answer there: the time is over, or somebody deleted the message."""
    return error.code in {*_GONE, _UNKNOWN_MESSAGE} or error.status == 401


def _is_too_big(error: discord.HTTPException) -> bool:
    return error.status == 413 or error.code == _TOO_LARGE


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
    # Discord takes one message of a nonce: what is sent once more, by this process or another, is there once.
    options: dict[str, Any] = {"reference": reference, "mention_author": False, "nonce": str(message.id)}
    return await message.channel.send(**answer.sending(), **options)


async def _try(send: Callable[[], Awaitable[object]]) -> bool:
    """Whether something could be sent; why not is for the log."""
    try:
        await _patiently(send)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        code = error.code if isinstance(error, discord.HTTPException) else 0
        _log.warning("not sent", error=type(error).__name__, code=code)
        return False
    return True


async def _patiently(send: Callable[[], Awaitable[object]]) -> None:
    """Send something, and once more where the connection broke, or where there were too many requests and discord.py
    does not wait by itself (as it takes answers without a `Via` for a ban)."""
    try:
        await _taken(send)
        return
    except discord.HTTPException as error:
        wait = _retry_after(error)
        if wait is None:
            raise
    except (aiohttp.ClientError, OSError):
        wait = _PAUSE
    await asyncio.sleep(wait)
    await _taken(send)


async def _taken(send: Callable[[], Awaitable[object]]) -> None:
    """Send something. What Discord says of what it took is of no use here: it may lack what discord.py reads."""
    try:
        await send()
    except (KeyError, TypeError) as error:
        _log.warning("sent, and answered in another form", error=type(error).__name__)


def _retry_after(error: discord.HTTPException) -> float | None:
    """After how many seconds something may be sent once more; None when that is not said, or too long."""
    if error.status != 429:
        return None
    try:
        seconds = float(error.response.headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _PATIENCE else None


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
