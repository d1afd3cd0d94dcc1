"""How a reply looks in Discord: text with buttons, or a list of films in components, within Discord's limits.

Pure functions of a `Reply`. A reply without films is ordinary text; one with films, or one that takes the place of
such a message, is laid out in components, which Discord never turns back into text. Nothing that people or the
catalogue say is taken for markup or a mention.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord import app_commands, ui

from bot.conversation.action import Verb
from bot.conversation.cards import short
from bot.conversation.commands import film_value
from bot.conversation.reply import Card, Choice, File, Reply
from bot.discord.buttons import ActionButton, ActionMenu
from bot.discord.words import ENGLISH, sentence, word, words_in
from bot.rendering import by_verb, cut, heading, with_fewer_choices, without

MAX_CONTENT = 2_000
MAX_LAYOUT_TEXT = 4_000
"""Characters of all texts of one layout together."""
MAX_COMPONENTS = 40
MAX_BUTTONS = 25
MAX_BUTTONS_BELOW_FILMS = 20
"""So that a text, all films' texts and four menus still have room among the components."""
MAX_CHOICES = 25
"""Choices of type-ahead, and options of a menu."""
MAX_NAME = 100
MAX_LABEL = 80
MAX_MENUS = 4
FEW = 3
"""Films that have a button for everything; of more, the least wanted one would come and go with the others."""
MAX_TITLE = 60
"""Characters of a line that stands above films as a title; a longer one is a sentence."""
MAX_FILES = 10
MAX_FILE_NAME = 260
"""(discord-api-docs: resources/message, components/reference, interactions/application-commands)"""

ACCENT = discord.Colour(0x8B1E3F)
_A_ROW = 5
_FRAME = 2
"""Components around a list: the container and the text above."""

_COMMANDS = {
    "export": "privacy export",
    "import": "privacy import",
    "forget": "privacy erase",
    "link": "account link",
    "unlink": "account unlink",
}
"""Commands that are called otherwise in Discord than where they are typed."""
_NAMED = ("privacy import", "account link", "settings", "history", "help", "privacy", "movienight", *_COMMANDS)
"""Commands that sentences name, the longer names first."""
_COMMAND = re.compile(rf"(?<=[“„\"«]/)({'|'.join(_NAMED)})\b")
_MARKUP = re.compile(r"([\\*_~|`<>\[\]])")
_INDENTED = re.compile(r"^ {2,}(?=\S)", re.MULTILINE)
_AT_LINE_START = re.compile(r"^(\s*)([#+-])", re.MULTILINE)
_STYLES = {
    Verb.FORGET: discord.ButtonStyle.danger,
    Verb.VOTE: discord.ButtonStyle.primary,
    Verb.MORE: discord.ButtonStyle.primary,
    Verb.JOIN: discord.ButtonStyle.success,
    Verb.START: discord.ButtonStyle.primary,
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as Discord takes it: either `content` with an ordinary view, or a layout, which holds all text."""

    content: str | None
    view: ui.View | None
    layout: ui.LayoutView | None
    files: tuple[File, ...] = ()

    def sending(self) -> dict[str, Any]:
        """What a method of discord.py's that sends takes. Files are opened anew at each call."""
        more: dict[str, Any] = {"allowed_mentions": discord.AllowedMentions.none()}
        if self.files:
            more["files"] = [discord.File(io.BytesIO(file.content), file.name[-MAX_FILE_NAME:]) for file in self.files]
        if self.layout is not None:
            return {"view": self.layout, **more}
        if self.view is not None:
            more["view"] = self.view
        return {"content": self.content, **more}

    def editing(self, *, layout: bool) -> dict[str, Any]:
        """What a method of discord.py's that edits takes; whatever was there before goes. `layout`: that was one."""
        none = discord.AllowedMentions.none()
        if self.layout is not None:
            before: dict[str, Any] = {} if layout else {"content": None, "embeds": []}
            return {**before, "view": self.layout, "allowed_mentions": none}
        return {"content": self.content, "embeds": [], "view": self.view, "allowed_mentions": none}


def rendered(reply: Reply, *, layout: bool = False, locale: str = ENGLISH) -> Rendered:
    """The reply as a message; as a `layout` in any case where it takes the place of one. `locale` is of whoever reads
    it, who knows commands by their names there. Needs a running loop."""
    files = reply.files + ((reply.picture,) if reply.picture else ())
    text = _plain(reply, locale)
    if layout or reply.cards or len(text) > MAX_CONTENT:
        return Rendered(None, None, _laid_out(reply, locale), files[:MAX_FILES])
    buttons = list(_buttons(reply.choices, set()))[:MAX_BUTTONS]
    view: ui.View | None = None
    if buttons:
        view = ui.View(timeout=None)
        for button in buttons:
            view.add_item(button)
        view.stop()  # so that discord.py keeps none of it: what is pressed is found by its id
    return Rendered(text or "…", view, None, files[:MAX_FILES])


def _plain(reply: Reply, locale: str) -> str:
    return "\n".join(part for part in (escaped(reply.text, locale), _small(reply.footer, locale)) if part)


def escaped(text: str, locale: str = ENGLISH) -> str:
    """A text that Discord shows as it is: no markup, no link, no mention; with commands by their names there."""
    said = _COMMAND.sub(lambda found: _name_of(_COMMANDS.get(found[1], found[1]), locale), text)
    said = _MARKUP.sub(r"\\\1", said)
    said = _AT_LINE_START.sub(r"\1\\\2", said)
    said = _INDENTED.sub("- ", said)
    for live, dead in (("@everyone", "@\u200beveryone"), ("@here", "@\u200bhere"), ("://", ":\u200b//")):
        said = said.replace(live, dead)
    return said


def _name_of(command: str, locale: str) -> str:
    """What Discord calls a command, or a command of a group, for somebody of a locale: “datenschutz export”."""
    group, _, own = command.partition(" ")
    keys = [f"{group}.name", *([f"{group}.{own}.name"] if own else [])]
    return " ".join(word(key, locale) or words_in(ENGLISH)[key] for key in keys)


def _small(text: str, locale: str) -> str:
    return "\n".join(f"-# {escaped(line, locale)}" for line in text.split("\n") if line.strip())


def _buttons(choices: Iterable[Choice], there: set[str]) -> Iterator[ActionButton]:
    """A button for each choice; Discord takes no two of the same id in one message: those that are `there` grow."""
    for place, choice in enumerate(choices):
        code = choice.action.encode()
        if code not in there:
            there.add(code)
            style = _STYLES.get(choice.action.verb, discord.ButtonStyle.secondary)
            if choice.action.verb is Verb.PICK and place == 0:  # the likeliest answer is the first
                style = discord.ButtonStyle.primary
            yield ActionButton(choice.action, cut(choice.label, MAX_LABEL), style)


# Layouts


def _laid_out(reply: Reply, locale: str) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=ACCENT)
    there: set[str] = set()
    buttons = list(_buttons(reply.choices, there))[: MAX_BUTTONS_BELOW_FILMS if reply.cards else MAX_BUTTONS]
    rows = [buttons[start : start + _A_ROW] for start in range(0, len(buttons), _A_ROW)]
    footed = bool(reply.cards) and bool(rows)
    taken = _FRAME + footed + bool(reply.footer) + sum(1 + len(row) for row in rows)
    room = MAX_COMPONENTS - taken - 2 * len(reply.cards)
    few = len(reply.cards) <= FEW
    cards = with_fewer_choices(reply.cards if few else without(reply.cards, Verb.LIKE), room)
    footer = cut(_small(reply.footer, locale), MAX_LAYOUT_TEXT // 8)
    head = cut(escaped(reply.text, locale), MAX_LAYOUT_TEXT // 3 if reply.cards else MAX_LAYOUT_TEXT - len(footer))
    texts = _texts(reply.cards, MAX_LAYOUT_TEXT - len(footer) - len(head) - 1)
    title = "### " if head and len(head) <= MAX_TITLE and "\n" not in head and reply.cards else ""
    box.add_item(ui.TextDisplay(title + (head or "…")))
    if cards is not None:
        for card, text in zip(cards, texts, strict=True):
            box.add_item(ui.TextDisplay(text))
            if row := list(_buttons(card.choices[:_A_ROW], there)):
                box.add_item(ui.ActionRow(*row))
    else:
        # Too many films for buttons each: a menu for each thing that can be done.
        menus = list(by_verb(reply.cards).values())[:MAX_MENUS]
        apart = len(texts) + 2 * len(menus) + taken <= MAX_COMPONENTS
        for text in texts if apart else ["\n".join(texts)]:
            box.add_item(ui.TextDisplay(text))
        for choices in menus:
            box.add_item(ui.ActionRow(_menu(choices)))
    if footed:
        box.add_item(ui.Separator())
    if footer:
        box.add_item(ui.TextDisplay(footer))
    for row in rows:
        box.add_item(ui.ActionRow(*row))
    view.add_item(box)
    view.stop()
    return view


def _menu(choices: Sequence[tuple[Card, Choice]]) -> ActionMenu:
    label = choices[0][1].label
    options = {choice.action.encode(): short(heading(card), MAX_NAME) for card, choice in choices[:MAX_CHOICES]}
    return ActionMenu(choices[0][1].action.verb, cut(f"{label} …", MAX_NAME), options)


def _texts(cards: Sequence[Card], room: int) -> list[str]:
    """What stands with each film, shortened on all alike until it fits: first the links go, then the genres, then
    reasons are cut."""
    for links, genres, reason in ((True, True, 300), (False, True, 300), (False, False, 150), (False, False, 40)):
        texts = [_text(card, links=links, genres=genres, reason=reason) for card in cards]
        if sum(len(text) + 1 for text in texts) <= room:
            return texts
    each = max(room // max(len(cards), 1) - 1, 20)
    return [cut(text, each) for text in texts]


def _text(card: Card, *, links: bool, genres: bool, reason: int) -> str:
    title = f"**{escaped(short(heading(card), 150))}**"
    lines = [f"{title} · {escaped(card.note)}" if card.note else title]
    if card.reason:
        lines.append(f"*{escaped(cut(card.reason, reason))}*")
    facts = [escaped(", ".join(card.genres))] if genres and card.genres else []
    if links:
        facts += [f"[{escaped(name)}]({url})" for name, url in card.links]
    if facts:
        lines.append("-# " + " · ".join(facts))
    return "\n".join(lines)


# Files


def within(reply: Reply, room: int, locale: str) -> Reply:
    """The reply with files of at most `room` bytes: those that are bigger in parts, and a sentence on how to put them
    together; without them where there would be too many parts."""
    big = [file for file in reply.files if len(file.content) > room]
    if not big:
        return reply
    files = tuple(part for file in reply.files for part in _in_parts(file, room))
    if len(files) > MAX_FILES:
        return without_files(reply, locale)
    notes = [sentence("file-parts", locale, name=file.name) for file in big]
    return replace(reply, files=files, footer="\n".join(filter(None, [*notes, reply.footer])))


def without_files(reply: Reply, locale: str) -> Reply:
    """What is said instead of a reply whose files Discord does not take."""
    return replace(reply, text=sentence("file-refused", locale), files=(), footer="")


def _in_parts(file: File, room: int) -> Iterator[File]:
    if len(file.content) <= room:
        yield file
        return
    for number, start in enumerate(range(0, len(file.content), room), 1):
        part = file.content[start : start + room]
        yield File(f"{file.name}.{number:02}", "application/octet-stream", part)


# Type-ahead


def film_choices(reply: Reply) -> list[app_commands.Choice[str]]:
    """The films of a reply as choices of a field, told apart by genres where title and year are the same."""
    cards = reply.cards[:MAX_CHOICES]
    names = [heading(card) for card in cards]
    return [
        app_commands.Choice(
            name=_told_apart(name, card) if names.count(name) > 1 else short(name, MAX_NAME),
            value=film_value(card.film_id),
        )
        for card, name in zip(cards, names, strict=True)
    ]


def _told_apart(name: str, card: Card) -> str:
    genres = ", ".join(card.genres[:2])
    return f"{short(name, MAX_NAME - len(genres) - 3)} – {genres}" if genres else short(name, MAX_NAME)


def said(key: str, locale: str, **gaps: str) -> Rendered:
    """A sentence of Discord's own."""
    return rendered(Reply(sentence(key, locale, **gaps)), locale=locale)
