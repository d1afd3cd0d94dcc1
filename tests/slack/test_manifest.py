"""The manifest: what Slack's own schema takes, and just what the code uses."""

from __future__ import annotations

import inspect
import json
import os
import re
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from bot.slack.answering import Answering
from bot.slack.manifest import COMMANDS, EVENTS, SCOPES, SHORTCUTS, manifest
from tests.e2e.command import Run

_BESIDE = Path(__file__).parents[3] / "shared" / "specs" / "slack-manifest.schema.2.0.0.json"
SCHEMA = Path(os.environ.get("SLACK_MANIFEST_SCHEMA", _BESIDE))

BY_HTTP = {"public_url": "https://films.example/", "socket_mode": False}

METHODS = {
    "assistant_threads_setStatus": "assistant:write",
    "assistant_threads_setSuggestedPrompts": "assistant:write",
    "assistant_threads_setTitle": "assistant:write",
    "chat_postEphemeral": "chat:write",
    "chat_postMessage": "chat:write",
    "chat_update": "chat:write",
    "conversations_open": "im:write",
    "files_upload_v2": "files:write",
    "users_info": "users:read",
    "auth_test": None,
    "apps_connections_open": None,  # by the app-level token, which has scopes of its own
    "views_open": None,
    "views_publish": None,
}
"""The calls there are, and the scope of a bot's token that each needs. (docs.slack.dev: reference/methods)"""

EVENT_SCOPES = {"app_mention": "app_mentions:read", "message.im": "im:history"}
"""What being told of an event needs; of the others, assistant_thread_… needs assistant:write."""


@pytest.mark.parametrize("options", [{}, {"public_url": "https://films.example"}, BY_HTTP])
def test_slacks_schema_takes_it(options: dict) -> None:
    if not SCHEMA.is_file():
        pytest.skip("Slack's manifest schema is not here; SLACK_MANIFEST_SCHEMA names the file")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    problems = [
        f"{list(error.absolute_path)}: {error.message}"
        for error in Draft7Validator(schema).iter_errors(manifest(**options))
    ]
    assert problems == []


def test_what_the_schema_takes_is_not_everything() -> None:
    if not SCHEMA.is_file():
        pytest.skip("Slack's manifest schema is not here; SLACK_MANIFEST_SCHEMA names the file")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    wrong = manifest()
    wrong["features"]["shortcuts"][0]["name"] = "Log films in this message"  # 25 characters
    assert not Draft7Validator(schema).is_valid(wrong)


def test_its_scopes_are_those_that_the_code_uses() -> None:
    source = "\n".join(
        file.read_text(encoding="utf-8") for file in files("bot.slack").iterdir() if file.name.endswith(".py")
    )
    called = set(re.findall(r"\b((?:assistant|chat|conversations|files|users|auth|apps|views)_\w+)(?=[(,])", source))
    called &= set(METHODS) | {
        name for name in called if name.startswith(("chat_", "conversations_", "files_", "users_"))
    }
    assert called == set(METHODS)
    needed = {scope for scope in METHODS.values() if scope}
    needed |= {scope for event, scope in EVENT_SCOPES.items() if event in EVENTS}
    needed |= {"commands"} if COMMANDS or SHORTCUTS else set()
    needed |= {"files:read"} if "url_private" in source else set()
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == set(SCOPES) == needed


def test_its_events_are_those_that_are_answered() -> None:
    asked = manifest()["settings"]["event_subscriptions"]["bot_events"]
    source = inspect.getsource(Answering)
    for event in asked:
        told = event.partition(".")[0]
        assert f'"{told}"' in source or told == "assistant_thread_context_changed", told


def test_its_commands_and_shortcuts_are_those_that_are_registered() -> None:
    features = manifest()["features"]
    assert [command["command"] for command in features["slash_commands"]] == list(COMMANDS)
    assert {one["callback_id"]: one["type"] for one in features["shortcuts"]} == SHORTCUTS
    assert all(command["should_escape"] for command in features["slash_commands"])


def test_each_way_has_its_addresses() -> None:
    by_socket, by_http = manifest(), manifest(**BY_HTTP)
    assert by_socket["settings"]["socket_mode_enabled"]
    assert "https://" not in json.dumps(by_socket)
    assert not by_http["settings"]["socket_mode_enabled"]
    address = "https://films.example/slack/events"
    assert by_http["settings"]["event_subscriptions"]["request_url"] == address
    assert by_http["settings"]["interactivity"]["message_menu_options_url"] == address
    assert {command["url"] for command in by_http["features"]["slash_commands"]} == {address}
    assert by_http["oauth_config"]["redirect_urls"] == ["https://films.example/slack/oauth_redirect"]


def test_the_command_prints_it(run: Run) -> None:
    ran = run("slack", "manifest")
    assert (ran.code, ran.err, json.loads(ran.out)) == (0, "", manifest())
    ran = run("slack", "manifest", "--http", NEXTREEL_SLACK_PUBLIC_URL="https://films.example")
    assert json.loads(ran.out) == manifest("https://films.example", socket_mode=False)
    for wrong in (("--http",), ("--http", "--url", "films.example")):
        ran = run("slack", "manifest", *wrong)
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (78, "", 1)
