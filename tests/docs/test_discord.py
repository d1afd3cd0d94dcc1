"""docs/discord.md asks for just what the code asks for: intents, scopes, permissions, the link, commands, settings."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import discord

from bot.conversation.phrases import say_for
from bot.discord.bot import INTENTS, PERMISSIONS, SCOPES, install_link
from bot.discord.commands import COMMANDS, SERVER_PERMISSIONS
from bot.discord.words import sentence
from bot.exits import CONFIGURATION_ERROR, UNAVAILABLE
from config.settings import PREFIX, Settings
from docs.generate import APPLICATION_ID, discord_access, discord_commands

PAGE = (Path(__file__).parents[2] / "docs" / "discord.md").read_text(encoding="utf-8")


def test_what_it_asks_for_is_what_the_code_asks_for() -> None:
    assert discord_access() in PAGE
    for name, asked in INTENTS:
        assert asked is (f"`{name}`" in discord_access()), name
    for name, asked in PERMISSIONS:
        assert asked is (f"`{name}`" in discord_access()), name
    assert all(f"`{scope}`" in discord_access() for scope in SCOPES)


def test_no_intent_of_it_is_privileged() -> None:
    privileged = discord.Intents(members=True, presences=True, message_content=True)
    assert INTENTS.value & privileged.value == 0


def test_the_link_is_the_one_of_the_code() -> None:
    link = install_link(APPLICATION_ID).replace(str(APPLICATION_ID), "YOUR_APPLICATION_ID")
    assert link in PAGE
    assert f"permissions={PERMISSIONS.value}" in link
    assert "scope=bot+applications.commands" in link


def test_every_command_is_there_and_no_other() -> None:
    assert discord_commands() in PAGE
    names = {command.qualified_name for command in COMMANDS}
    assert set(re.findall(r"`/(\w+)", PAGE)) <= names
    assert {"watched", "next", "similar", "why", "history", "watchlist", "undo", "movienight", "settings", "privacy",
            "help", "server", "account"} < names  # fmt: skip


def test_the_command_for_administrators_is_theirs() -> None:
    assert SERVER_PERMISSIONS.manage_guild
    (server,) = [command for command in COMMANDS if command.qualified_name == "server"]
    assert not isinstance(server, discord.app_commands.ContextMenu)
    assert server.default_permissions == SERVER_PERMISSIONS


def test_settings_and_exit_codes_are_those_of_the_program() -> None:
    named = set(re.findall(rf"{PREFIX}(\w+)", PAGE))
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}
    assert set(map(int, re.findall(r"exit code (\d+)", PAGE))) == {CONFIGURATION_ERROR, UNAVAILABLE}


def test_the_addresses_that_it_names_are_taken_as_they_are() -> None:
    api, gateway = (re.search(rf"`({scheme}://127[^`]+)`", PAGE) for scheme in ("http", "ws"))
    assert api is not None
    assert gateway is not None
    settings = Settings(discord_api_url=api[1], discord_gateway_url=gateway[1])
    assert (settings.discord_api_url, settings.discord_gateway_url) == (api[1], gateway[1])
    assert urlsplit(api[1]).path == urlsplit(discord.http.Route.BASE).path


def test_the_buttons_and_options_that_it_names_are_there() -> None:
    say = say_for("en")
    for key in ("join-choice", "start-choice"):
        assert f"**{say(key)}**" in " ".join(PAGE.split())
    assert f"“{say('slow-down', seconds=1).partition('.')[0]}”" in PAGE
    assert sentence("failed", "en", id="a1b2c3").partition(".")[0] in PAGE
