"""Slack's payloads as messages to the conversation: who, where, which event, and texts without Slack's own marks.

Pure functions of JSON. Asks Slack nothing: what only Slack knows of a person (`bot.slack.workspaces`) is handed in.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.conversation.commands import Name, taken_apart
from bot.conversation.message import Identity, Origin, Place
from storage.records import MessageKey

PLATFORM = "slack"
Body = Mapping[str, Any]

_HEARD = {None, "file_share", "thread_broadcast"}
"""Kinds of messages that people write; others tell of changes."""
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_MARKED = re.compile(r"<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>")
_CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|([^>]*))?>")


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack knows of a person."""

    name: str = ""
    time_zone: str | None = None
    locale: str = "en"
    administers: bool = False
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Where:
    """Where an event came from, and so where its answer belongs; without a channel it is a page of the person's own.

    `thread` is the thread that an answer goes to, `spoken` whether the event itself was in it; `response_url` takes
    answers for half an hour; `held` is the message whose button was pressed.
    """

    team: str
    channel: str
    user: str
    thread: str = ""
    spoken: bool = False
    response_url: str = ""
    held: str = ""
    held_is_private: bool = False
    direct: bool = False
    """Only the person and the bot are there. Two people's direct messages are called alike, and commands and buttons
    reach those too: there it is only said once Slack has been asked."""

    @property
    def may_be_direct(self) -> bool:
        """Whether it is to be asked."""
        return self.channel.startswith("D") and not self.direct


def team_of(body: Body) -> str:
    """The workspace in which the app is that an event is for."""
    for known in body.get("authorizations") or ():
        if known.get("team_id"):
            return str(known["team_id"])
    view = body.get("view") or {}
    team = body.get("team") or {}
    found = body.get("team_id") or view.get("app_installed_team_id") or team.get("id")
    return str(found or (body.get("user") or {}).get("team_id") or enterprise_of(body) or "")


def enterprise_of(body: Body) -> str | None:
    """The organisation of an event, where there is one."""
    for known in body.get("authorizations") or ():
        if known.get("enterprise_id"):
            return str(known["enterprise_id"])
    found = body.get("enterprise_id") or (body.get("enterprise") or {}).get("id")
    return str(found) if found else None


def user_of(body: Body) -> str:
    """Who did something."""
    event = body.get("event")
    if event is not None:
        return str(event.get("user") or (event.get("assistant_thread") or {}).get("user_id") or "")
    user = body.get("user")
    return str(user.get("id") or "") if isinstance(user, Mapping) else str(body.get("user_id") or "")


def identity_of(body: Body) -> Identity:
    """How Slack names whoever did something: their own workspace's, also where two share a channel."""
    event, user = body.get("event") or {}, body.get("user")
    own = user.get("team_id") if isinstance(user, Mapping) else None
    own = own or event.get("user_team") or event.get("source_team") or team_of(body)
    return Identity(PLATFORM, str(own), user_of(body))


def key_of(body: Body) -> MessageKey:
    """What an event is known by, whichever way and however often it comes.

    A message is its channel and its time: a mention in it is told as two events.
    """
    event = body.get("event")
    if event is not None:
        if event.get("type") in {"message", "app_mention"} and event.get("ts"):
            number = f"{event.get('channel')}:{event['ts']}"
        else:
            number = str(body.get("event_id"))
    else:
        view = body.get("view") or {}
        number = str(body.get("trigger_id") or f"{view.get('id')}:{view.get('hash')}")
    return MessageKey(PLATFORM, team_of(body), f"{body.get('type', 'command')}:{number}" if event is None else number)


def is_for_us(body: Body) -> bool:
    """Whether there is anything to answer: a person's message to the bot, and whatever is no message."""
    event = body.get("event")
    if event is None:
        return True
    if event.get("type") not in {"message", "app_mention"}:
        return bool(event.get("type") != "app_home_opened" or event.get("tab", "home") == "home")
    person = bool(event.get("user")) and not event.get("bot_id") and not event.get("bot_profile")
    direct = event.get("type") == "app_mention" or event.get("channel_type") == "im"
    return person and direct and event.get("subtype") in _HEARD


def where_of(body: Body) -> Where:
    """Where an event came from."""
    team, user = team_of(body), user_of(body)
    event = body.get("event")
    if event is not None:
        return _where_said(team, user, event)
    if "command" in body:
        return Where(team, str(body.get("channel_id") or ""), user, response_url=str(body.get("response_url") or ""))
    container, message = body.get("container") or {}, body.get("message") or {}
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
    thread = message.get("thread_ts") or container.get("thread_ts") or ""
    return Where(
        team,
        str(channel),
        user,
        thread=str(thread),
        spoken=bool(thread),
        response_url=str(body.get("response_url") or ""),
        held=str(container.get("message_ts") or message.get("ts") or ""),
        held_is_private=bool(container.get("is_ephemeral")),
    )


def _where_said(team: str, user: str, event: Body) -> Where:
    assistant = event.get("assistant_thread") or {}
    channel = str(event.get("channel") or assistant.get("channel_id") or "")
    own = str(event.get("thread_ts") or assistant.get("thread_ts") or "")
    direct = event.get("channel_type") == "im" or bool(assistant)
    return Where(
        team,
        channel,
        user,
        thread=own or ("" if direct else str(event.get("ts") or "")),
        spoken=bool(own),
        direct=direct,
    )


def origin_of(body: Body, profile: Profile, moment: datetime, where: Where, *, part: str = "") -> Origin:
    """Who says something where; `part` tells apart what one event asks."""
    key = key_of(body)
    # A channel is one conversation, whichever of its threads an answer stands in: films that a command shows outside
    # of all threads can be asked about in one. In direct messages each thread is a conversation, with the assistant.
    thread = where.thread if where.direct else ""
    return Origin(
        identity_of(body),
        Place(PLATFORM, key.workspace, where.channel or f"@{where.user}", thread),
        f"{key.event_id}:{part}" if part else key.event_id,
        moment,
        locale=profile.locale,
        time_zone=profile.time_zone,
        administers=profile.administers,
        shows_buttons=True,
    )


# Texts


def mentioned_in(text: str) -> tuple[str, ...]:
    """The users whom a text mentions, each once."""
    return tuple(dict.fromkeys(found[1] for found in _MENTION.finditer(text)))


def text_of(text: str, me: str, name_of: Callable[[str], str]) -> str:
    """What is said: without the bot's own mention, with people by their names and links by what they show."""

    def shown(found: re.Match[str]) -> str:
        kind, target, label = found.groups()
        if kind == "@":
            return "" if target == me else name_of(target) or label or ""
        return f"#{label or target}" if kind == "#" else label or target

    return html.unescape(_MARKED.sub(shown, text)).strip()


def texts_in(message: Body) -> str:
    """All that a message says, also in what is attached to it."""
    parts = [str(message.get("text") or "")]
    parts += [str(one.get("text") or one.get("fallback") or "") for one in message.get("attachments") or ()]
    return "\n".join(part for part in parts if part)


# Commands


@dataclass(frozen=True, slots=True)
class Asked:
    """A command as somebody typed it; without a name it is talk."""

    name: Name | None
    rest: str


def asked_in(command: str, text: str) -> Asked:
    """What a slash command asks: `/watched Alien`, or the word after `/nextreel`."""
    if command.removeprefix("/") == Name.WATCHED:
        return Asked(Name.WATCHED, text.strip())
    if command.removeprefix("/") == Name.NEXT:
        return Asked(Name.NEXT, text.strip())
    if not text.strip():
        return Asked(Name.HELP, "")
    found = taken_apart(f"/{text.strip().removeprefix('/')}")
    name, rest = found if found else (None, "")
    return Asked(name, rest) if name else Asked(None, text.strip())


def arguments_of(asked: Asked) -> dict[str, str]:
    """The words of a command as the conversation takes them."""
    if asked.name is Name.SERVER:
        return dict(_of_server(asked.rest))
    if not asked.rest:
        return {}
    return {"wish" if asked.name in {Name.NEXT, Name.NIGHT} else "text": asked.rest}


def _of_server(rest: str) -> Iterator[tuple[str, str]]:
    """“allow #films”, “disallow #films”, “everywhere”, “adventurousness 0.7”."""
    word, _, value = rest.partition(" ")
    channel = _CHANNEL.search(value)
    if word in {"allow", "disallow"} and channel:
        yield word, channel[1]
        if word == "allow":
            yield "allow_name", channel[2] or channel[1]
    elif word == "everywhere":
        yield "everywhere", "yes"
    elif word == "adventurousness" and value.strip():
        yield "adventurousness", value.strip()
