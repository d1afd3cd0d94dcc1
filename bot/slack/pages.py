"""What Slack shows beside messages: the Home tab and modals, as JSON; and what somebody entered into a modal.

Pure functions. Fields carry the names of the conversation's arguments; what they mean is the conversation's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    CheckboxesElement,
    DatePickerElement,
    DividerBlock,
    ExternalDataSelectElement,
    HeaderBlock,
    InputBlock,
    InputInteractiveElement,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.views import View

from bot.conversation.commands import Name
from bot.conversation.phrases import language_of, say_for
from bot.conversation.reply import Reply
from bot.rendering import cut
from bot.slack.events import Body, Where
from bot.slack.views import blocks_of, label_of, option
from bot.slack.words import words
from engine.films import GENRES

MAX_HOME_BLOCKS = 100
MAX_SECTION = 12
"""Blocks of each part of the Home tab but its films."""
RECENT = 6
"""Lines of the history that the Home tab shows."""
MAX_PRIVATE = 3_000
"""Characters that a modal takes along. (docs.slack.dev: reference/views)"""

FILM_FIELD = "film"
LIKE_FIELD = "like"
MAX_TYPED = 200


class Form(StrEnum):
    """A modal."""

    LOG = "log"
    WISH = "wish"
    SETTINGS = "settings"


COMMAND_OF = {Form.LOG: Name.WATCHED, Form.WISH: Name.NEXT, Form.SETTINGS: Name.SETTINGS}
"""Which command a form has the arguments of."""

OPENS = "open"
ASKS = "ask"
"""What buttons of the platform's own do, before what: `open:log` a form, `ask:privacy` a command."""


def opens(form: Form) -> str:
    """The id of a button that opens a form."""
    return f"{OPENS}:{form.value}"


def asks(name: Name) -> str:
    """The id of a button that gives a command without arguments."""
    return f"{ASKS}:{name.value}"


def own_of(code: str) -> tuple[str, str] | None:
    """What a button of the platform's own does, and with what; None for one of the conversation's."""
    kind, _, what = code.partition(":")
    known = {OPENS: Form, ASKS: Name}.get(kind)
    return (kind, what) if known is not None and what in {one.value for one in known} else None


# The Home tab


@dataclass(frozen=True, slots=True)
class Home:
    """What the Home tab shows: replies of the conversation, each in its place."""

    history: Reply
    slate: Reply
    settings: Reply
    notice: Reply | None = None
    """What came of a button pressed there."""


def home(page: Home, locale: str) -> dict[str, Any]:
    """The Home tab, for `views.publish`."""
    notice = blocks_of(page.notice, 3 * MAX_SECTION) if page.notice else []
    first, *watches = page.history.text.split("\n")
    recent = "\n".join([first, *(f"  {line}" for line in watches[:RECENT])])
    history = [
        HeaderBlock(text=_title(words("home.watched", locale))),
        *blocks_of(Reply(recent), MAX_SECTION),
        ActionsBlock(
            elements=[
                _button(words("home.log", locale), opens(Form.LOG), style="primary"),
                _button(words("home.watchlist", locale), asks(Name.WATCHLIST)),
            ]
        ),
        DividerBlock(),
    ]
    settings = [
        HeaderBlock(text=_title(words("home.settings", locale))),
        *blocks_of(page.settings, MAX_SECTION),
        ActionsBlock(elements=[_button(words("home.change", locale), opens(Form.SETTINGS))]),
        DividerBlock(),
        HeaderBlock(text=_title(words("home.privacy", locale))),
        *blocks_of(Reply(say_for(language_of(locale))("privacy-typed")), MAX_SECTION),
        ActionsBlock(
            elements=[
                _button(words("home.known", locale), asks(Name.PRIVACY)),
                _button(words("home.export", locale), asks(Name.EXPORT)),
                _button(words("home.forget", locale), asks(Name.FORGET), style="danger"),
            ]
        ),
    ]
    room = MAX_HOME_BLOCKS - len(notice) - len(history) - len(settings) - 3
    slate = [
        HeaderBlock(text=_title(words("home.next", locale))),
        *blocks_of(page.slate, room, more=[(words("home.wish", locale), opens(Form.WISH))]),
        DividerBlock(),
    ]
    shown: list[Block] = [*notice, *([DividerBlock()] if notice else []), *history, *slate, *settings]
    return View(type="home", blocks=_each_known(shown)).to_dict()


def _each_known(blocks: Iterable[Block]) -> list[Block]:
    """The blocks, each under a name of its own, so that Slack makes none up and ids are told apart."""
    known = []
    for number, block in enumerate(blocks):
        block.block_id = f"b{number}"
        known.append(block)
    return known


def _title(text: str) -> PlainTextObject:
    return PlainTextObject(text=cut(text, 150), emoji=False)


def _button(label: str, code: str, style: str | None = None) -> ButtonElement:
    return ButtonElement(action_id=code, value=code, text=label_of(label), style=style)


# Modals


def form(
    which: Form, locale: str, where: Where, *, shown: Reply | None = None, from_home: bool = False
) -> dict[str, Any]:
    """A modal, which knows where its answer belongs; `shown` stands above its fields."""
    fields = {Form.LOG: _log_fields, Form.WISH: _wish_fields, Form.SETTINGS: _settings_fields}[which]
    above = blocks_of(Reply(shown.text), MAX_SECTION) if shown else []
    private = json.dumps({"where": asdict(where), "home": from_home}, separators=(",", ":"))
    return View(
        type="modal",
        callback_id=which.value,
        title=PlainTextObject(text=words(f"modal.{which.value}", locale)[:24], emoji=False),
        submit=PlainTextObject(text=words(f"modal.submit-{which.value}", locale)[:24], emoji=False),
        close=PlainTextObject(text=words("modal.cancel", locale)[:24], emoji=False),
        private_metadata=private if len(private) <= MAX_PRIVATE else "",
        blocks=[*above, *fields(locale)],
    ).to_dict()


def _log_fields(locale: str) -> Iterator[Block]:
    yield _field(FILM_FIELD, words("modal.film", locale), _film_select(FILM_FIELD, locale), needed=True)
    yield _field("when", words("modal.when", locale), DatePickerElement(action_id="when"))
    stars = {f"{half / 2:g}": f"{half / 2:g}" for half in range(10, 0, -1)}
    rating = _select("rating", words("modal.rating-hint", locale), stars)
    yield _field("rating", words("modal.rating", locale), rating)
    unfinished = CheckboxesElement(action_id="finished", options=[option(words("modal.abandoned", locale), "no")])
    yield _field("finished", words("modal.state", locale), unfinished)


def _wish_fields(locale: str) -> Iterator[Block]:
    say = say_for(language_of(locale))
    yield _field(LIKE_FIELD, words("modal.like", locale), _film_select(LIKE_FIELD, locale))
    genres = {genre: _capitalised(say(f"genre-{genre}")) for genre in GENRES}
    yield _field("genre", words("modal.genre", locale), _select("genre", words("modal.genre-hint", locale), genres))
    typed = PlainTextInputElement(
        action_id="years", max_length=MAX_TYPED, placeholder=label_of(words("modal.years-hint", locale))
    )
    yield _field("years", words("modal.years", locale), typed)
    dials = {"0": "known", "0.6": "bold", "0.9": "radar"}
    how = _select("adventure", words("modal.adventure-hint", locale), _worded(dials, locale))
    yield _field("adventure", words("modal.adventure", locale), how)


def _settings_fields(locale: str) -> Iterator[Block]:
    dials = {"default": "adventure-hint", "0": "known", "0.6": "bold", "0.9": "radar"}
    for name, label, values in (
        ("language", "language", {"en": "en", "de": "de", "es": "es"}),
        ("adventurousness", "adventure", dials),
        ("answers", "answers", {"private": "private", "public": "public"}),
        ("groups", "groups", {"on": "on", "off": "off"}),
    ):
        select = _select(name, words("modal.unchanged", locale), _worded(values, locale))
        yield _field(name, words(f"modal.{label}", locale), select)


def _worded(values: Mapping[str, str], locale: str) -> dict[str, str]:
    return {value: words(f"modal.{key}", locale) for value, key in values.items()}


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _field(name: str, label: str, element: InputInteractiveElement, *, needed: bool = False) -> InputBlock:
    return InputBlock(
        block_id=name, label=PlainTextObject(text=label, emoji=False), element=element, optional=not needed
    )


def _select(name: str, hint: str, values: Mapping[str, str]) -> StaticSelectElement:
    return StaticSelectElement(
        action_id=name,
        placeholder=label_of(hint),
        options=[option(label, value) for value, label in values.items()],
    )


def _film_select(name: str, locale: str) -> ExternalDataSelectElement:
    return ExternalDataSelectElement(
        action_id=name, placeholder=label_of(words("modal.film-hint", locale)), min_query_length=1
    )


# What was entered


@dataclass(frozen=True, slots=True)
class Entered:
    """A form that was sent off: which, what was entered by the names of arguments, and where its answer belongs."""

    form: Form
    given: Mapping[str, str]
    where: Where | None
    from_home: bool


def entered(body: Body) -> Entered:
    """What somebody entered. ValueError for a form that there is not."""
    view = body.get("view") or {}
    which = Form(str(view.get("callback_id")))
    given: dict[str, str] = {}
    for fields in ((view.get("state") or {}).get("values") or {}).values():
        for name, field in fields.items():
            if value := _entered(field):
                given[str(name)] = value
    where, from_home = _taken_along(str(view.get("private_metadata") or ""))
    return Entered(which, given, where, from_home)


def _entered(field: Mapping[str, Any]) -> str:
    chosen = field.get("selected_option") or next(iter(field.get("selected_options") or ()), None)
    value = chosen.get("value") if chosen else field.get("selected_date") or field.get("value")
    return str(value)[:MAX_TYPED] if value else ""


def _taken_along(private: str) -> tuple[Where | None, bool]:
    try:
        known = json.loads(private)
        return Where(**known["where"]), bool(known["home"])
    except (ValueError, KeyError, TypeError):
        return None, False
