"""What docs/slack.md says is so: scopes, commands, settings, exit codes and paths are those of the program."""

import re
from pathlib import Path

from bot.conversation.commands import ALIASES
from bot.exits import CONFIGURATION_ERROR, UNAVAILABLE
from bot.slack.manifest import COMMANDS, EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH, SCOPES, SHORTCUTS
from config.settings import PREFIX, Settings
from docs.generate import slack_access, slack_commands

PAGE = (Path(__file__).parents[2] / "docs" / "slack.md").read_text(encoding="utf-8")


def test_what_it_asks_for_is_what_the_manifest_asks_for() -> None:
    assert slack_access() in PAGE
    assert len(slack_access().splitlines()) == 2 + len(SCOPES)


def test_every_command_and_shortcut_is_there_and_no_other() -> None:
    assert slack_commands() in PAGE
    assert len(slack_commands().splitlines()) == 2 + len(COMMANDS) + len(SHORTCUTS)
    assert set(re.findall(r"`(/(?:watched|next\w*))\b", PAGE)) == set(COMMANDS)
    for name in re.findall(r"`/nextreel (\w+)[^`]*`", PAGE):
        assert name in ALIASES or name == "have", name


def test_settings_and_exit_codes_are_those_of_the_program() -> None:
    named = set(re.findall(rf"{PREFIX}(\w+)", PAGE))
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}
    assert {name.upper() for name in Settings.model_fields if name.startswith("slack_")} - named == {"SLACK_API_URL"}
    assert set(map(int, re.findall(r"exit code (\d+)", PAGE))) == {CONFIGURATION_ERROR, UNAVAILABLE}


def test_the_paths_are_those_that_are_listened_to() -> None:
    for path in (EVENTS_PATH, INSTALL_PATH, REDIRECT_PATH):
        assert f"`{path}`" in PAGE
