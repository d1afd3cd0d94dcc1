"""Migrations: how a database of any earlier revision becomes one of the newest.

One small file a revision in `versions/`, numbered, written by hand after the shape of the one before. A new one also
moves `storage.database.REVISION`; a test compares the outcome with `storage.tables` and says what differs.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from storage.errors import NewerDatabaseError


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration of this folder; `env.py` migrates `connection` within its transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, label: str) -> None:
    """Bring a database to the newest revision. NewerDatabaseError when it is newer than this program."""
    try:
        command.upgrade(configuration(connection), "head")
    except CommandError as error:
        raise NewerDatabaseError(label) from error
