"""Whether what the bot sends is what Slack takes: `slack_sdk.models`' own validation, and the limits that it lacks.

(docs.slack.dev: reference/block-kit, reference/views)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

BLOCKS = {"message": 50, "home": 100, "modal": 100}
TEXTS = {"plain_text": 3000, "mrkdwn": 3000}
RICH_TEXT = 6000
"""Characters of one rich text block that we take for safe; Slack says none."""


def complaints(method: str, body: Mapping[str, Any]) -> Iterator[str]:
    """What Slack would not take of a call, or of what is sent to an address for answers."""
    if method in {"chat.postMessage", "chat.postEphemeral", "chat.update", "answer"}:
        yield from message(body)
    elif method in {"views.open", "views.publish"}:
        shown = body["view"]
        yield from view(json.loads(shown) if isinstance(shown, str) else shown)
    elif method == "assistant.threads.setSuggestedPrompts":
        prompts = body["prompts"]
        if not 1 <= len(json.loads(prompts) if isinstance(prompts, str) else prompts) <= 4:
            yield "four prompts at most"


def message(body: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a message."""
    blocks = body.get("blocks") or []
    found = json.loads(blocks) if isinstance(blocks, str) else blocks
    if not body.get("text"):
        yield "a message with blocks has a text as well"
    if len(str(body.get("text"))) > 40_000:
        yield "a text has 40,000 characters at most"
    if re.search(r"<[@!#]", str(body.get("text"))):
        yield "somebody is mentioned"
    yield from _blocks(found, "message")


def view(shown: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a modal or the Home tab."""
    View(**shown).to_dict()
    for name in ("title", "submit", "close"):
        if len((shown.get(name) or {}).get("text", "")) > 24:
            yield f"the {name} has 24 characters at most"
    if len(shown.get("private_metadata") or "") > 3000:
        yield "private_metadata has 3,000 characters at most"
    yield from _blocks(shown["blocks"], shown["type"])


def _blocks(blocks: list[dict[str, Any]], surface: str) -> Iterator[str]:
    if not 1 <= len(blocks) <= BLOCKS[surface]:
        yield f"{len(blocks)} blocks"
    names = [block["block_id"] for block in blocks if block.get("block_id")]
    if len(names) != len(set(names)):
        yield "two blocks of one name"
    for parsed in Block.parse_all(blocks):
        parsed.to_dict()  # raises what slack_sdk finds wrong
    for block in blocks:
        yield from _block(block)


def _block(block: dict[str, Any]) -> Iterator[str]:
    kind = block["type"]
    if kind == "rich_text":
        parts = [part for part in _walk(block) if part.get("type") in {"text", "link"}]
        if sum(len(part.get("text", "")) for part in parts) > RICH_TEXT:
            yield "a very long rich text"
        if not parts or not all(part.get("text") for part in parts):
            yield "an empty text"
        if any(part["type"] == "link" and not part["url"].startswith("https://") for part in parts):
            yield "a link to somewhere else"
    for part in _walk(block):
        if part.get("type") in TEXTS and not 1 <= len(part["text"]) <= TEXTS[part["type"]]:
            yield f"a text of {len(part['text'])} characters"
        if part.get("type") == "mrkdwn":
            yield "markup"
    elements = block.get("elements") or []
    if kind == "actions":
        ids = [element["action_id"] for element in elements]
        if not 1 <= len(elements) <= 25 or len(ids) != len(set(ids)):
            yield "elements of an actions block"
    if kind == "context" and not 1 <= len(elements) <= 10:
        yield "elements of a context block"
    for element in _walk(block):
        yield from _element(element)


def _element(element: dict[str, Any]) -> Iterator[str]:
    if len(element.get("action_id") or "") > 255:
        yield "an action_id has 255 characters at most"
    if element.get("type") == "button" and (len(element["text"]["text"]) > 75 or len(element["value"]) > 2000):
        yield "a button is too long"
    options = element.get("options")
    most = {"overflow": 5, "checkboxes": 10}.get(str(element.get("type")), 100)
    if options is not None and not 1 <= len(options) <= most:
        yield f"{len(options)} options"
    for option in options or ():
        if len(option["text"]["text"]) > 75 or len(option["value"]) > (150 if most == 5 else 75):
            yield "an option is too long"


def _walk(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from _walk(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _walk(inner)
