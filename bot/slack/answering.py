"""Answers an event that is written down: asks the conversation, and has what it replies sent where that belongs.

Knows what each kind of event asks for, and what of Slack goes wrong. An event is answered once, in the order in which
its person did things; one that a process did not get to the end of is taken up again. Decides nothing that is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from weakref import WeakValueDictionary

import structlog
from cachetools import TTLCache

from bot import failing
from bot.conversation.commands import Name
from bot.conversation.message import MAX_FILE, Command, Complete, Identity, Message, Named, Origin, Press, Text
from bot.conversation.phrases import language_of, say_for
from bot.conversation.reply import File, Reply, Visibility
from bot.rendering import action_of, cut, heard_in, placed
from bot.slack import pages
from bot.slack.events import (
    PLATFORM,
    Asked,
    Body,
    Profile,
    Where,
    arguments_of,
    asked_in,
    enterprise_of,
    identity_of,
    is_for_us,
    key_of,
    mentioned_in,
    origin_of,
    team_of,
    text_of,
    texts_in,
    user_of,
    where_of,
)
from bot.slack.pages import Form, Home, own_of
from bot.slack.sending import NotSentError, Sending
from bot.slack.views import film_options
from bot.slack.words import words
from bot.slack.workspaces import WENT_WRONG, Api, People, Workspace, Workspaces, code_of, tried
from storage.errors import StorageError
from storage.inbox import Inbox, Received
from storage.records import PlaceSettings

LOOKED_EVERY = 4.0
"""Seconds between two signs of life, and looks for what others left; well below the inbox's lease."""
ASKED_AT_ONCE = 4
"""Messages that are being answered at the same moment; more would not be answered sooner, and would keep what comes
from being acknowledged."""
PROFILE_FOR_A_FORM = 1.5
"""Seconds that are waited for Slack to say who somebody is before a form is opened: that has to be within three."""
MAX_FILES = 5
MAX_NAMED = 25
"""People named in one message of whom Slack is asked who they are: it is asked for each, and so often a minute only."""
MAX_TITLE = 60
"""Characters of an assistant thread's title."""

_log = structlog.get_logger(__name__)

LOG_SHORTCUT, FOUND_SHORTCUT = "log", "found"
"""What the shortcuts are called among us: a form from anywhere, and the films of a message."""


class Conversation(Protocol):
    """What is asked for answers: `bot.conversation.dialogue.Dialogue`."""

    async def handle(self, message: Message) -> Reply:
        """The reply to a message."""


class Places(Protocol):
    """What is set for whole workspaces: `storage.store.Store`."""

    async def place_settings(self, platform: str, workspace: str) -> PlaceSettings:
        """What is set for all there."""

    async def forget_place(self, platform: str, workspace: str) -> None:
        """The bot is not there any more."""


@dataclass(frozen=True, slots=True)
class Event:
    """What is being answered: the event with everything that is known about it."""

    body: Body
    workspace: Workspace
    where: Where
    profile: Profile
    moment: datetime

    @property
    def locale(self) -> str:
        """The person's language."""
        return self.profile.locale

    def origin(self, where: Where | None = None, part: str = "") -> Origin:
        """Who says it, where."""
        return origin_of(self.body, self.profile, self.moment, where or self.where, part=part)


class Answering:
    """Answers the events of one process: `begin` one that is written down, `run` beside it, `finish` at the end."""

    def __init__(
        self, conversation: Conversation, inbox: Inbox, places: Places, workspaces: Workspaces, api: Api
    ) -> None:
        self._conversation = conversation
        self._inbox = inbox
        self._places = places
        self._workspaces = workspaces
        self._api = api
        self._people = People()
        self._sending = Sending(api)
        self._ending = False
        self._held: dict[int, Received] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(ASKED_AT_ONCE)
        # What one person does is answered in its order.
        self._turns: WeakValueDictionary[Identity, asyncio.Lock] = WeakValueDictionary()
        self._titled: TTLCache[tuple[str, str], bool] = TTLCache(10_000, 24 * 3600.0)
        self._without_assistant: TTLCache[str, bool] = TTLCache(1_000, 3600.0)

    # What comes in

    async def accept(self, body: Body) -> Received | None:
        """Write an event down, to be acknowledged after; None when it is known, or there is nothing to answer.

        Raises StorageError when it can't be kept: then it is not to be acknowledged.
        """
        if not is_for_us(body):
            return None
        # The verification token is a secret of old, and nothing asks for it.
        kept = {name: value for name, value in body.items() if name != "token"}
        return await self._inbox.write_down(key_of(body), kept, datetime.now(UTC))

    def begin(self, received: Received) -> None:
        """Answer an event that this process holds."""
        if self._ending:
            return
        self._held[received.receipt] = received
        task = asyncio.create_task(self._answered(received))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def complete(self, body: Body) -> list[dict[str, Any]]:
        """The films that what is typed into a field may become, as options; not written down, as nothing changes."""
        typed = str(body.get("value") or "")
        locale = self._people.known(team_of(body), user_of(body)).locale  # Slack does not say it here
        origin = origin_of(body, Profile(locale=locale), datetime.now(UTC), where_of(body))
        # Not in the row of the others: somebody is typing.
        return film_options(await self._conversation.handle(Complete(origin, "film", typed)), typed, locale)

    async def run(self) -> None:
        """Give signs of life, and take up what others did not get to the end of, for as long as this runs."""
        while True:
            try:
                now = datetime.now(UTC)
                await self._inbox.renew(self._held.values(), now)
                for received in () if self._ending else await self._inbox.take_up(now):
                    _log.info("takes up an event that was not answered")
                    self.begin(received)
            except StorageError as error:
                _log.warning("inbox not looked into", error=type(error).__name__, detail=error.detail)
            await asyncio.sleep(LOOKED_EVERY)

    def take_nothing_new(self) -> None:
        """Leave what comes from now on to others, or to the next start: it is written down."""
        self._ending = True

    async def finish(self, seconds: float) -> None:
        """Finish what was begun, for so many seconds at most; what is left is taken up by others, or later."""
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=seconds)
            if left:
                _log.warning("ended in the middle of answers", answers=len(left))
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    # One event

    async def _answered(self, received: Received) -> None:
        body = received.body
        try:
            turn = self._turns.setdefault(identity_of(body), asyncio.Lock())
            async with turn:
                await self._answer(received)
            await self._inbox.answered(received)
        except NotSentError:
            # The lease runs out, and it is tried again: what was changed is kept, and the reply with it.
            _log.warning("an answer could not be sent")
            self._workspaces.look_again(enterprise_of(body), team_of(body))
        except StorageError as error:
            _log.warning("event not ticked off", error=type(error).__name__, detail=error.detail)
        finally:
            self._held.pop(received.receipt, None)

    async def _ask(self, message: Message) -> Reply:
        """The conversation's reply, when it is this message's turn: what else comes is to be acknowledged meanwhile."""
        async with self._room:
            return await self._conversation.handle(message)

    async def _answer(self, received: Received) -> None:
        body, team, enterprise = received.body, team_of(received.body), enterprise_of(received.body)
        kind = _kind_of(body)
        if kind in {"app_uninstalled", "tokens_revoked"}:
            await self._left(kind, body, enterprise, team)
            return
        workspace = await self._workspaces.find(enterprise, team)
        if workspace is None:
            _log.warning("an event of a workspace without the app")
            return
        where, locale = where_of(body), "en"
        try:
            profile = await self._people.profile(
                workspace, user_of(body), PROFILE_FOR_A_FORM if _opens_a_form(kind, body) else None
            )
            locale = profile.locale
            if where.may_be_direct and where.channel == await self._sending.direct_channel(workspace, where.user):
                where = replace(where, direct=True, held_is_private=True)
            event = Event(body, workspace, where, profile, received.received_at)
            if answer := self._answers().get(kind):
                await answer(event)
        except NotSentError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever breaks, a person gets a sentence and the log gets the place
            number = failing.logged(PLATFORM, kind, error, code_of(error))
            if user_of(body):
                await self._sending.sentence(workspace, where, "failed", locale, id=number)

    def _answers(self) -> Mapping[str, Callable[[Event], Awaitable[None]]]:
        return {
            "app_mention": self._told,
            "message": self._told,
            "app_home_opened": self._home_opened,
            "assistant_thread_started": self._assistant_started,
            "command": self._commanded,
            "block_actions": self._pressed,
            "view_submission": self._entered,
            "message_action": self._found,
            "shortcut": self._shortcut,
        }

    # Texts

    async def _told(self, event: Event) -> None:
        said, where = event.body["event"], event.where
        origin = event.origin()
        if not where.direct and not heard_in(
            origin.place, await self._places.place_settings(PLATFORM, origin.place.workspace)
        ):
            return
        text, people = await self._read(event, str(said.get("text") or ""))
        files = await self._files(event, said.get("files") or ()) if text or where.direct else ()
        thinking = asyncio.create_task(self._assist(event, text)) if where.direct and where.thread else None
        try:
            reply = await self._ask(Text(origin, text, files, people))
        finally:
            at_work = bool(thinking and await thinking)  # or a late “is thinking” would stay
        await self._sending.beside(event.workspace, where, reply, event.locale)
        if at_work and reply.is_silent:  # a message would have ended it
            await self._status(event, "")

    async def _read(self, event: Event, text: str) -> tuple[str, tuple[Named, ...]]:
        """What is said, and whom it names."""
        me = event.workspace.bot_user
        named = [user for user in mentioned_in(text) if user not in {me, user_of(event.body)}]
        known = await self._people.profiles(event.workspace, named[:MAX_NAMED])
        own = identity_of(event.body).workspace
        people = tuple(
            Named(Identity(PLATFORM, own, user), p.name or user) for user, p in known.items() if not p.is_bot
        )
        return text_of(text, me, lambda user: known[user].name if user in known else ""), people

    async def _files(self, event: Event, files: Any) -> tuple[File, ...]:
        """The files that came with a message, as far as they are not too big to be looked at."""
        return tuple([got for file in files[:MAX_FILES] if (got := await self._file(event.workspace, file))])

    async def _file(self, workspace: Workspace, file: Mapping[str, Any]) -> File | None:
        url = str(file.get("url_private_download") or file.get("url_private") or "")
        if not self._api.is_slacks(url) or int(file.get("size") or 0) > MAX_FILE:
            return None
        try:
            headers = {"Authorization": f"Bearer {workspace.client.token}"}
            async with self._api.session.get(url, headers=headers, allow_redirects=False) as response:
                content = await response.content.read(MAX_FILE + 1) if response.status == 200 else b""
                while response.status == 200 and len(content) <= MAX_FILE:
                    if not (more := await response.content.read(MAX_FILE + 1 - len(content))):
                        break
                    content += more
        except WENT_WRONG as error:
            _log.warning("a file could not be fetched", error=type(error).__name__)
            return None
        if not 0 < len(content) <= MAX_FILE:
            return None
        return File(str(file.get("name") or "file"), str(file.get("mimetype") or "application/octet-stream"), content)

    # The assistant: nothing depends on it

    async def _assist(self, event: Event, text: str) -> bool:
        """Say in an assistant's thread that it is being looked into, and call the thread after what is said first;
        whether that is said there now."""
        client, where = event.workspace.client, event.where
        if where.team in self._without_assistant:
            return False
        there = await self._status(event, words("assistant.thinking", event.locale))
        if not there:
            self._without_assistant[where.team] = True
        elif text and (where.channel, where.thread) not in self._titled:
            self._titled[where.channel, where.thread] = True
            title = cut(" ".join(text.split()), MAX_TITLE)
            await tried(
                lambda: client.assistant_threads_setTitle(channel_id=where.channel, thread_ts=where.thread, title=title)
            )
        return there

    async def _status(self, event: Event, status: str) -> bool:
        """Say what the bot is at in an assistant's thread, or nothing any more; False where there is no assistant."""
        client, where = event.workspace.client, event.where
        return await tried(
            lambda: client.assistant_threads_setStatus(channel_id=where.channel, thread_ts=where.thread, status=status)
        )

    async def _assistant_started(self, event: Event) -> None:
        client, where, locale = event.workspace.client, event.where, event.locale
        self._without_assistant.pop(where.team, None)
        await self._sending.beside(event.workspace, where, Reply(say_for(language_of(locale))("greeting")), locale)
        prompts = [
            {"title": words(f"assistant.{key}-title", locale), "message": words(f"assistant.{key}", locale)}
            for key in ("watched", "next", "like", "history")
        ]
        title = words("assistant.prompts", locale)
        await tried(
            lambda: client.assistant_threads_setSuggestedPrompts(
                channel_id=where.channel, thread_ts=where.thread, title=title, prompts=prompts
            )
        )

    # Commands, shortcuts, forms

    async def _commanded(self, event: Event) -> None:
        text, people = await self._read(event, str(event.body.get("text") or ""))
        asked = asked_in(str(event.body["command"]), text)
        if asked.name is Name.WATCHED and not asked.rest and await self._opened(event, Form.LOG):
            return
        if asked.name is None:
            message: Message = Text(event.origin(), asked.rest, (), people)
        else:
            if asked.name is Name.SERVER:  # channels by their numbers, which reading takes away
                asked = asked_in(str(event.body["command"]), str(event.body.get("text") or ""))
            message = Command(event.origin(), str(asked.name), arguments_of(asked), (), people)
        reply = await self._ask(message)
        more: list[tuple[str, str]] = []
        if asked.name is Name.SETTINGS and not asked.rest:
            more = [(words("home.change", event.locale), pages.opens(Form.SETTINGS))]
        if asked.name is Name.HELP:
            reply = replace(reply, footer=words("sentences.commands", event.locale))
        await self._sending.beside(event.workspace, event.where, reply, event.locale, more=more, by_address=True)

    async def _found(self, event: Event) -> None:
        if event.body.get("callback_id") != FOUND_SHORTCUT:
            return
        text, _ = await self._read(event, texts_in(event.body.get("message") or {}))
        reply = await self._ask(Command(event.origin(), Name.FOUND.value, {"text": text}))
        await self._sending.beside(event.workspace, event.where, reply, event.locale, by_address=True)

    async def _shortcut(self, event: Event) -> None:
        if event.body.get("callback_id") == LOG_SHORTCUT and not await self._opened(event, Form.LOG):
            await self._sending.sentence(event.workspace, event.where, "no-modal", event.locale)

    async def _opened(self, event: Event, which: Form) -> bool:
        """Open a form; False when there is no more time for that."""
        from_home = _is_home(event.body)
        shown: Reply | None = None
        if which is Form.SETTINGS:
            shown = await self._ask(Command(event.origin(part="form"), Name.SETTINGS.value, aside=True))
        view = pages.form(which, event.locale, event.where, shown=shown, from_home=from_home)
        trigger = str(event.body.get("trigger_id") or "")
        return await tried(lambda: event.workspace.client.views_open(trigger_id=trigger, view=view))

    async def _entered(self, event: Event) -> None:
        form = pages.entered(event.body)
        taken = form.where or event.where
        where = replace(taken, team=event.where.team, user=event.where.user)
        command = Command(event.origin(where), pages.COMMAND_OF[form.form].value, form.given)
        reply = await self._ask(command)
        if form.from_home:
            await self._show_home(event, reply)
        else:
            await self._sending.beside(event.workspace, where, reply, event.locale, by_address=True)

    # Buttons

    async def _pressed(self, event: Event) -> None:
        code = _code_of(event.body)
        own = own_of(code)
        if own and own[0] == pages.OPENS:
            if not await self._opened(event, Form(own[1])):
                await self._sending.sentence(event.workspace, event.where, "no-modal", event.locale)
            return
        if own:
            message: Message = Command(event.origin(), own[1])
        else:
            message = Press(event.origin(), action_of(code), event.where.held or None)
        reply = await self._ask(message)
        if _is_home(event.body):
            await self._show_home(event, reply)
            return
        held_by = Visibility.PRIVATE if event.where.held_is_private else Visibility.PUBLIC
        where = placed(reply, held_by)
        if where.in_place and await self._sending.in_place(event.workspace, event.where, where.in_place):
            return
        await self._sending.beside(event.workspace, event.where, where.beside or reply, event.locale)

    # The Home tab

    async def _home_opened(self, event: Event) -> None:
        await self._show_home(event, None)

    async def _show_home(self, event: Event, came: Reply | None) -> None:
        """Show the Home tab as it stands, with what came of a button pressed there."""
        client, user, page = event.workspace.client, event.where.user, replace(event.where, channel="", thread="")
        asked: list[Reply] = []
        for name, given in ((Name.HISTORY, {}), (Name.NEXT, {"again": "yes"}), (Name.SETTINGS, {})):
            origin = event.origin(page, part=f"home-{name.value}")
            asked.append(await self._ask(Command(origin, name.value, given, aside=True)))
        history, slate, settings = asked
        shown = Home(history, slate, settings, _notice(came, slate) if came else None)
        await client.views_publish(user_id=user, view=pages.home(shown, event.locale))
        if came:
            await self._sending.files(event.workspace, page, came.files, event.locale, private=True)

    # Leaving

    async def _left(self, kind: str, body: Body, enterprise: str | None, team: str) -> None:
        """The app was taken out of a workspace; what was set there goes with it."""
        if kind == "tokens_revoked" and not (body["event"].get("tokens") or {}).get("bot"):
            return
        await self._workspaces.forget(enterprise, team)
        await self._places.forget_place(PLATFORM, team)


def _kind_of(body: Body) -> str:
    event = body.get("event")
    if event is not None:
        return str(event.get("type"))
    return "command" if "command" in body else str(body.get("type"))


def _code_of(body: Body) -> str:
    """What the button does that was pressed, or the option that was chosen."""
    pressed = next(iter(body.get("actions") or ()), None) or {}
    chosen = pressed.get("selected_option") or {}
    return str(chosen.get("value") or pressed.get("value") or pressed.get("action_id") or "")


def _opens_a_form(kind: str, body: Body) -> bool:
    match kind:
        case "command":
            return asked_in(str(body["command"]), str(body.get("text") or "")) == Asked(Name.WATCHED, "")
        case "block_actions":
            return (own_of(_code_of(body)) or ("", ""))[0] == pages.OPENS
        case _:
            return kind == "shortcut"


def _is_home(body: Body) -> bool:
    return bool((body.get("view") or {}).get("type") == "home")


def _notice(came: Reply, slate: Reply) -> Reply | None:
    """What came of a button on the Home tab, as far as the films below do not show it already."""
    shown = came.updated or came
    if not shown.cards or [card.film_id for card in shown.cards] != [card.film_id for card in slate.cards]:
        return shown
    return Reply(came.text, choices=came.choices) if came.updated else None
