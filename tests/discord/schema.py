"""Whether what the bot sends is what Discord takes: its own OpenAPI schema, and the limits that the schema lacks.

`DISCORD_OPENAPI` names the file (https://github.com/discord/discord-api-spec, MIT); without it, it is looked for
beside the checkout.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry, Resource

_BESIDE = Path(__file__).parents[3] / "shared" / "specs" / "discord-openapi.json"


def file() -> Path | None:
    """Where the schema lies; None when it is nowhere."""
    named = os.environ.get("DISCORD_OPENAPI")
    path = Path(named) if named else _BESIDE
    return path if path.is_file() else None


@cache
def _spec() -> dict[str, Any]:
    path = file()
    assert path is not None
    spec: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return spec


@cache
def _validator(path: str, method: str) -> Validator:
    """The validator of the body of a request."""
    registry: Registry[Any] = Registry().with_resource("urn:discord", Resource.opaque(_spec()))
    body = _spec()["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    absolute = json.loads(json.dumps(body).replace('"#/', '"urn:discord#/'))
    return Draft202012Validator(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **absolute}, registry=registry
    )


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Paths as patterns, those with fewest gaps first."""
    ordered = sorted(_spec()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path) for path in ordered]


def complaint(method: str, path: str, body: object) -> str | None:
    """What Discord's schema finds wrong with a request; None when it takes it. KeyError when it knows no such one."""
    found = next(
        (
            template
            for pattern, template in _paths()
            if pattern.fullmatch(path) and "requestBody" in _spec()["paths"][template].get(method.lower(), {})
        ),
        None,
    )
    if found is None:
        raise KeyError(f"{method} {path}")
    # As it is on the wire: discord.py's own values are numbers and texts there.
    sent = _with_texts(json.loads(json.dumps(body, default=str)))
    errors = list(_validator(found, method.lower()).iter_errors(sent))
    return None if not errors else f"{method} {found}: {_deepest(errors[0])}"


def _with_texts(sent: Any) -> Any:
    """The body with ids as texts: discord.py writes some as numbers, which Discord takes as well (discord-api-docs:
    reference, “Snowflakes”), and its schema does not."""
    if isinstance(sent, dict):
        for name in ("attachments", "message_reference"):
            parts = sent.get(name) or []
            for part in parts if isinstance(parts, list) else [parts]:
                part |= {key: str(part[key]) for key in ("id", "guild_id", "channel_id", "message_id") if key in part}
        sent = {key: str(value) if key == "recipient_id" else _with_texts(value) for key, value in sent.items()}
    return sent


def _deepest(error: Any) -> str:
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"


# What the schema does not hold


def over_limits(body: object) -> Iterator[str]:
    """What is over a limit of Discord's documentation, wherever it is in a body."""
    if isinstance(body, list):
        for inner in body:
            yield from over_limits(inner)
    if not isinstance(body, Mapping):
        return
    if "choices" in body and len(body["choices"] or ()) > 25:
        yield f"{len(body['choices'])} choices"
    for choice in body.get("choices") or ():
        if len(str(choice["name"])) > 100 or len(str(choice["value"])) > 100:
            yield f"a choice is too long: {choice}"
    if "type" not in body and len(body.get("content") or "") > 2000:
        yield "more than 2,000 characters of content"
    embeds = body.get("embeds") or ()
    if sum(len(json.dumps(embed, ensure_ascii=False)) for embed in embeds) > 6000:
        yield "more than 6,000 characters of embeds"
    if "components" in body and "type" not in body:
        yield from _over_components(body)
    for inner in body.values():
        yield from over_limits(inner)


def _over_components(message: Mapping[str, Any]) -> Iterator[str]:
    components = list(_walk(message["components"] or ()))
    ids = [component["custom_id"] for component in components if component.get("custom_id")]
    if len(ids) != len(set(ids)):
        yield f"two components of one id: {ids}"
    if any(not 1 <= len(one) <= 100 for one in ids):
        yield "an id of more than 100 characters"
    if any(len(component.get("label") or "") > 80 for component in components):
        yield "a label of more than 80 characters"
    if message.get("flags", 0) & 1 << 15:
        if len(components) > 40:
            yield f"{len(components)} components"
        if sum(len(component.get("content") or "") for component in components) > 4000:
            yield "more than 4,000 characters in components"
        if message.get("content") or message.get("embeds"):
            yield "content beside components"
    elif len(message["components"] or ()) > 5:
        yield "more than five rows"


def _walk(components: Any) -> Iterator[dict[str, Any]]:
    for component in components:
        yield component
        yield from _walk(component.get("components") or ())


def pings(body: object) -> Iterator[str]:
    """Messages that may mention somebody: those without `allowed_mentions`, or with any in it."""
    if isinstance(body, list):
        for inner in body:
            yield from pings(inner)
    if not isinstance(body, Mapping):
        return
    if ("content" in body or "components" in body) and "type" not in body:
        allowed = body.get("allowed_mentions")
        if allowed is None or allowed.get("parse") or allowed.get("users") or allowed.get("roles"):
            yield f"may mention: {allowed}"
        if allowed and allowed.get("replied_user"):
            yield "pings whom it replies to"
    for inner in body.values():
        yield from pings(inner)
