"""How a reply looks in Slack: blocks within Slack's limits, and a plain text beside them.

Pure functions of a `Reply`. What people and the catalogue say stands in rich text and plain text, where Slack reads no
markup; in the text beside the blocks, which is what notifications show, it is escaped. Nothing in it is a mention.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    InteractiveElement,
    Option,
    OverflowMenuElement,
    PlainTextObject,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextListElement,
    RichTextSectionElement,
    StaticSelectElement,
)

from bot.conversation.action import Verb
from bot.conversation.commands import Name, film_value
from bot.conversation.reply import Card, Choice, File, Reply
from bot.rendering import LEAST_WANTED, by_verb, cut, heading, told_apart, with_commands
from bot.slack.words import words

MAX_BLOCKS = 50
MAX_BUTTONS = 25
"""Elements of one actions block."""
MAX_LABEL = 75
"""Characters of a button and of an option."""
MAX_OPTIONS = 100
MAX_TEXT = 3_000
"""Characters of one block; and, before it is escaped, of the text beside the blocks."""
MAX_TEXT_BLOCKS = 4
"""Blocks of the text above films; what is longer is cut. (docs.slack.dev: reference/block-kit)"""

BUTTONS_OF_A_FILM = 3
"""What is shown of what can be done with a film; the rest is in a menu beside it."""
_BUTTONS_A_ROW = 5
_MOST_OF_REASON = 300

_NAMES = {name.value: name.value if name in {Name.WATCHED, Name.NEXT} else f"nextreel {name.value}" for name in Name}
"""What commands are called in Slack, where an app's names are shared with all others."""

Text = RichTextElementParts.Text
Style = RichTextElementParts.TextStyle


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as Slack takes it: blocks, the text that stands for them, and files that go beside it."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]
    files: tuple[File, ...] = ()

    def sending(self) -> dict[str, Any]:
        """What `chat.postMessage` and its like take; nothing is unfurled or linked."""
        return {"text": self.text, "blocks": list(self.blocks)}


def rendered(reply: Reply, *, more: Sequence[tuple[str, str]] = ()) -> Rendered:
    """The reply as a message. `more` are buttons of the platform's own: labels and what they open."""
    files = reply.files + ((reply.picture,) if reply.picture else ())
    return Rendered(plain(reply), tuple(block.to_dict() for block in blocks_of(reply, MAX_BLOCKS, more=more)), files)


def plain(reply: Reply) -> str:
    """All that a reply says, escaped: for notifications, and for whoever is shown no blocks."""
    lines = [_said(reply.text), *map(_line, reply.cards), _said(reply.footer)]
    # Cut before it is escaped: half of a “&amp;” would be no escape.
    return escaped(cut("\n".join(line for line in lines if line), MAX_TEXT)) or "…"


def escaped(text: str) -> str:
    """A text in which Slack finds no link and no mention; it has no way to say that a `*` is one."""
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, name)
    return text


def _line(card: Card) -> str:
    return " · ".join(part for part in (heading(card), card.note, cut(card.reason, _MOST_OF_REASON)) if part)


def _said(text: str) -> str:
    return with_commands(text, _NAMES)


def blocks_of(reply: Reply, room: int, *, more: Sequence[tuple[str, str]] = ()) -> list[Block]:
    """A reply as at most so many blocks."""
    head = list(_paragraphs(_said(reply.text)))
    foot = _foot(reply, more)
    if reply.cards and foot:
        foot.insert(0, DividerBlock())
    cards = list(_cards(reply.cards, room - len(head) - len(foot)))
    return [*head, *cards, *foot] or [_rich([_section([Text(text="…")])])]


def _foot(reply: Reply, more: Sequence[tuple[str, str]]) -> list[Block]:
    foot: list[Block] = []
    if reply.footer:
        foot.append(_small(_said(reply.footer)))
    buttons = list(_buttons((*reply.choices, *more)))
    rows = range(0, min(len(buttons), MAX_BUTTONS), _BUTTONS_A_ROW)
    return foot + [ActionsBlock(elements=buttons[start : start + _BUTTONS_A_ROW]) for start in rows]


def _small(text: str) -> ContextBlock:
    """Smaller print."""
    return ContextBlock(elements=[PlainTextObject(text=cut(text, MAX_TEXT // 2), emoji=False)])


# Text


def _paragraphs(text: str) -> Iterator[Block]:
    """A text as blocks; lines that are set in are a list."""
    left = cut(text, MAX_TEXT * MAX_TEXT_BLOCKS // 2)
    lines: list[str] = []
    size = 0
    for line in (part for whole in left.split("\n") for part in _in_parts(whole)):
        if lines and size + len(line) > MAX_TEXT:
            yield _paragraph(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    if any(line.strip() for line in lines):
        yield _paragraph(lines)


def _in_parts(line: str) -> Iterator[str]:
    for start in range(0, max(len(line), 1), MAX_TEXT - 100):
        yield line[start : start + MAX_TEXT - 100]


def _paragraph(lines: Sequence[str]) -> RichTextBlock:
    elements: list[RichTextElement] = []
    said: list[str] = []
    listed: list[str] = []
    for line in lines:
        is_listed = line.startswith("  ") and bool(line.strip())
        if is_listed and said:
            elements += _written(said)
            said = []
        if not is_listed and listed:
            elements.append(_list(listed))
            listed = []
        (listed if is_listed else said).append(line.strip() if is_listed else line)
    if listed:
        elements.append(_list(listed))
    return _rich(elements + _written(said))


def _written(lines: Sequence[str]) -> list[RichTextElement]:
    """Lines that are no list; Slack refuses a message in which there is a text of nothing."""
    return [_section([Text(text="\n".join(lines))])] if any(line.strip() for line in lines) else []


def _rich(elements: Sequence[RichTextElement]) -> RichTextBlock:
    return RichTextBlock(elements=list(elements))


def _section(parts: Sequence[RichTextElement]) -> RichTextSectionElement:
    return RichTextSectionElement(elements=list(parts))


def _list(items: Sequence[str]) -> RichTextListElement:
    return RichTextListElement(style="bullet", elements=[_section([Text(text=item)]) for item in items])


# Films


def _cards(cards: Sequence[Card], room: int) -> Iterator[Block]:
    """Films with their buttons; where there is no room for them, the films together and menus below."""
    with_buttons = sum(1 + bool(card.choices) for card in cards)
    if with_buttons <= room:
        for card in cards:
            yield _rich([_section(list(_film(card)))])
            if card.choices:
                yield ActionsBlock(elements=list(_of_film(card)))
        return
    menus = list(by_verb(cards).values())[: max(min(len(by_verb(cards)), room - 1), 0)]
    per_block = -(-len(cards) // max(room - bool(menus), 1))
    for start in range(0, len(cards), per_block):
        parts = [
            part
            for number, card in enumerate(cards[start : start + per_block])
            for part in (*([Text(text="\n\n")] if number else ()), *_film(card))
        ]
        yield _rich([_section(parts)])
    if menus:
        yield ActionsBlock(elements=[_menu(choices) for choices in menus[:MAX_BUTTONS]])


def _film(card: Card) -> Iterator[RichTextElement]:
    """A film's heading, why it is there, and where to read about it."""
    yield Text(text=cut(heading(card), 150), style=Style(bold=True))
    if card.note:
        yield Text(text=f" · {cut(card.note, 150)}")
    if card.reason:
        yield Text(text=f"\n{cut(card.reason, _MOST_OF_REASON)}", style=Style(italic=True))
    genres = cut(", ".join(card.genres), 150)
    if genres or card.links:
        yield Text(text=f"\n{genres}")
    for place, (name, url) in enumerate(card.links):
        if genres or place:
            yield Text(text=" · ")
        yield RichTextElementParts.Link(url=url, text=cut(name, MAX_LABEL))


def _of_film(card: Card) -> Iterator[InteractiveElement]:
    choices = _each_once(card.choices)
    # What is least wanted is in the menu on every film, also where there would be room, so that they all look alike.
    shown = [choice for choice in choices if choice.action.verb not in LEAST_WANTED][:BUTTONS_OF_A_FILM]
    rest = [choice for choice in choices if choice not in shown]
    if len(rest) < 2 or not shown:
        shown, rest = choices[: BUTTONS_OF_A_FILM + 1], choices[BUTTONS_OF_A_FILM + 1 :]
    yield from _buttons(shown)
    if rest:
        options = [option(one.label, one.action.encode()) for one in rest[:5]]
        yield OverflowMenuElement(action_id=f"menu:{rest[0].action.encode()}", options=options)


def _buttons(choices: Iterable[Choice | tuple[str, str]]) -> Iterator[ButtonElement]:
    """A button for each choice; Slack takes no two of the same id in one block."""
    seen: set[str] = set()
    for place, choice in enumerate(choices):
        label, code = (choice.label, choice.action.encode()) if isinstance(choice, Choice) else choice
        if code in seen:
            continue
        seen.add(code)
        yield ButtonElement(
            action_id=code,
            value=code,
            text=label_of(label),
            style=_style(choice, place) if isinstance(choice, Choice) else None,
        )


def label_of(text: str) -> PlainTextObject:
    """A short text in which `:film_frames:` is no picture."""
    return PlainTextObject(text=cut(text, MAX_LABEL) or "…", emoji=False)


def option(label: str, value: str) -> Option:
    """One entry of a menu."""
    return Option(value=value, text=label_of(label))


def _style(choice: Choice, place: int) -> str | None:
    match choice.action.verb:
        case Verb.FORGET:
            return "danger"
        case Verb.VOTE:
            return "primary"
        case Verb.PICK if place == 0:  # the likeliest answer is the first
            return "primary"
        case _:
            return None


def _each_once(choices: Iterable[Choice]) -> list[Choice]:
    return list({choice.action.encode(): choice for choice in choices}.values())


def _menu(choices: Sequence[tuple[Card, Choice]]) -> StaticSelectElement:
    """A menu of the same thing to do with one of several films."""
    options = {choice.action.encode(): heading(card) for card, choice in choices}
    return StaticSelectElement(
        action_id=f"menu:{choices[0][1].action.encode()}",
        placeholder=label_of(choices[0][1].label),
        options=[option(name, code) for code, name in list(options.items())[:MAX_OPTIONS]],
    )


# Type-ahead


def film_options(reply: Reply, typed: str, locale: str) -> list[dict[str, Any]]:
    """The films of a reply as options of a field; what is typed, where no film is called so."""
    options = [option(name, film_value(card.film_id)) for card, name in told_apart(reply.cards)]
    if not options and typed.strip():
        shown = words("sentences.typed", locale, typed=cut(typed.strip(), 50))
        options = [option(shown, typed.strip()[:MAX_LABEL])]
    return [one.to_dict() for one in options[:MAX_OPTIONS]]


def said(key: str, locale: str, **gaps: str) -> Rendered:
    """A sentence of Slack's own."""
    return rendered(Reply(words(f"sentences.{key}", locale, **gaps)))
