"""What can be pressed: a button and a menu whose ids say all that they do, so that they work after a restart.

Knows the ids alone; what is pressed goes to the bot's `answering`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot.conversation.action import Action, Verb

if TYPE_CHECKING:
    from bot.discord.bot import Bot

_ACTION = re.compile(r"[a-z]+(?:-[a-z]+)*(?::\d{1,19})+", re.ASCII)
_MENU = re.compile(r"menu-of-(?P<verb>[a-z]+)", re.ASCII)


class ActionButton(ui.DynamicItem[ui.Button[Any]], template=_ACTION):
    """A button that does an action."""

    def __init__(self, action: Action, label: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary) -> None:
        super().__init__(ui.Button(label=label, style=style, custom_id=action.encode()))

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        item: ui.Item[Any],
        _match: re.Match[str],
        /,
    ) -> ActionButton:
        """The button that was pressed; whatever its id says, it is answered."""
        made = cls.__new__(cls)
        ui.DynamicItem.__init__(made, item)
        return made

    async def callback(self, interaction: discord.Interaction[Bot]) -> None:  # type: ignore[override]
        """Hand it on."""
        await interaction.client.answering.press(interaction, self.custom_id)


class ActionMenu(ui.DynamicItem[ui.Select[Any]], template=_MENU):
    """A menu of the same thing to do with one of several films, where there is no room for a button each."""

    def __init__(self, verb: Verb, label: str, options: Mapping[str, str]) -> None:
        listed = [discord.SelectOption(label=name[:100], value=code) for code, name in options.items()]
        super().__init__(ui.Select(custom_id=f"menu-of-{verb.value}", placeholder=label, options=listed))

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        item: ui.Item[Any],
        _match: re.Match[str],
        /,
    ) -> ActionMenu:
        """The menu that was used."""
        made = cls.__new__(cls)
        ui.DynamicItem.__init__(made, item)
        return made

    async def callback(self, interaction: discord.Interaction[Bot]) -> None:  # type: ignore[override]
        """Hand on what was chosen."""
        await interaction.client.answering.press(interaction, next(iter(self.item.values), ""))


def is_known(custom_id: str) -> bool:
    """Whether discord.py finds one of `ITEMS` by an id."""
    return bool(_ACTION.fullmatch(custom_id) or _MENU.fullmatch(custom_id))


ITEMS: tuple[type[ui.DynamicItem[Any]], ...] = (ActionButton, ActionMenu)
"""What the bot has to know to find what was pressed."""
