"""What Slack is told of the app: its manifest, with just the scopes, events, commands and shortcuts that the code uses.

Pure functions. A test holds it against the code and against Slack's own schema of manifests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.conversation.commands import Name
from bot.slack.answering import FOUND_SHORTCUT, LOG_SHORTCUT
from bot.slack.words import words

NAME = "Nextreel"

SCOPES: Mapping[str, str] = {
    "app_mentions:read": "hear mentions in channels it was invited to",
    "assistant:write": "say in the assistant that it is at work, and suggest what to ask",
    "chat:write": "answer",
    "commands": "have commands and shortcuts",
    "files:read": "take in the export that somebody sends",
    "files:write": "hand an export over",
    "im:history": "hear direct messages",
    "im:write": "begin a direct message, for what is private",
    "users:read": "know people's time zone, language and name",
}
"""What the app may do in a workspace, and what for."""

EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "assistant_thread_context_changed",
    "assistant_thread_started",
    "message.im",
    "tokens_revoked",
)
"""What the app is told of."""

COMMANDS = {f"/{Name.WATCHED.value}": "watched", f"/{Name.NEXT.value}": "next", "/nextreel": "nextreel"}
"""Commands, and what their words are kept under."""

SHORTCUTS = {FOUND_SHORTCUT: "message", LOG_SHORTCUT: "global"}
"""Shortcuts, and whether they belong to a message."""

EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH = "/slack/events", "/slack/install", "/slack/oauth_redirect"
"""Where Slack and browsers find the bot, under its public address."""


def manifest(public_url: str | None = None, *, socket_mode: bool = True) -> dict[str, Any]:
    """The app's manifest. Without Socket Mode, Slack sends everything to `public_url`, which is then needed."""
    address = None if socket_mode else f"{(public_url or '').rstrip('/')}{EVENTS_PATH}"
    at = {"request_url": address} if address else {}
    commands = [
        {
            "command": command,
            "description": words(f"app.{key}"),
            "usage_hint": words(f"app.{key}-hint"),
            "should_escape": True,
            **({"url": address} if address else {}),
        }
        for command, key in COMMANDS.items()
    ]
    shortcuts = [
        {
            "name": words(f"app.{name}"),
            "type": kind,
            "callback_id": name,
            "description": words(f"app.{name}-description"),
        }
        for name, kind in SHORTCUTS.items()
    ]
    prompts = [
        {"title": words(f"assistant.{key}-title"), "message": words(f"assistant.{key}")}
        for key in ("watched", "next", "like", "history")
    ]
    redirects = {"redirect_urls": [f"{public_url.rstrip('/')}{REDIRECT_PATH}"]} if public_url else {}
    return {
        "_metadata": {"major_version": 2, "minor_version": 0},
        "display_information": {
            "name": NAME,
            "description": words("app.description"),
            "long_description": words("app.long"),
            "background_color": "#8b1e3f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": NAME, "always_online": True},
            "shortcuts": shortcuts,
            "slash_commands": commands,
            "assistant_view": {"assistant_description": words("app.description"), "suggested_prompts": prompts},
        },
        "oauth_config": {**redirects, "scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**at, "bot_events": list(EVENTS)},
            "interactivity": {
                "is_enabled": True,
                **at,
                **({"message_menu_options_url": address} if address else {}),
            },
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }
