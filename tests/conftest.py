"""Servers that are started once for all tests that need them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.servers import MissingServerError, PostgresServer, RedisServer, Server


def _started(kind: type[Server]) -> Iterator[Server]:
    try:
        server = kind()
    except MissingServerError as error:
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server."""
    yield from _started(PostgresServer)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis server."""
    yield from _started(RedisServer)
