"""The examination itself: what Discord would not take is found, by its schema and by the limits beside it."""

from __future__ import annotations

import pytest

from tests.discord import schema

needs_schema = pytest.mark.skipif(
    schema.file() is None, reason="Discord's OpenAPI schema is not here; DISCORD_OPENAPI says where it is"
)
CALLBACK = "/interactions/1/token/callback"
MESSAGES = "/channels/1/messages"


@needs_schema
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (MESSAGES, {"embeds": [{"title": "x" * 300}]}),
        (MESSAGES, {"embeds": [{"title": "x"}] * 11}),
        (MESSAGES, {"content": 7}),
        (CALLBACK, {"type": 8, "data": {"choices": [{"name": "x", "value": "y"}] * 30}}),
    ],
)
def test_the_schema_refuses_what_discord_refuses(path: str, body: object) -> None:
    assert schema.complaint("POST", path, body)


@needs_schema
def test_the_schema_takes_what_discord_takes_and_knows_no_other_address() -> None:
    assert schema.complaint("POST", MESSAGES, {"content": "hello", "allowed_mentions": {"parse": []}}) is None
    with pytest.raises(KeyError):
        schema.complaint("POST", "/nowhere", {})


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"name": "x", "value": "y"}] * 26},
        {"choices": [{"name": "x" * 101, "value": "y"}]},
        {"content": "x" * 2001},
        {"embeds": [{"description": "x" * 4000}, {"description": "x" * 2001}]},
        {"components": [{"type": 1, "components": [{"custom_id": "a:1"}, {"custom_id": "a:1"}]}]},
        {"components": [{"type": 17, "components": [{"type": 10, "content": "x" * 4001}]}], "flags": 1 << 15},
        {"components": [{"type": 10, "content": "x"}] * 41, "flags": 1 << 15},
    ],
)
def test_what_is_over_a_limit_is_found(body: object) -> None:
    assert list(schema.over_limits({"data": body}))


def test_a_message_that_may_ping_is_found() -> None:
    assert list(schema.pings({"content": "@everyone"}))
    assert list(schema.pings({"data": {"content": "x", "allowed_mentions": {"parse": ["users"]}}}))
    assert not list(schema.pings({"content": "x", "allowed_mentions": {"parse": [], "replied_user": False}}))
