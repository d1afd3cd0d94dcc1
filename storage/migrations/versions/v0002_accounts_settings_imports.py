"""History versions, settings, films of one's own, link codes, what was imported, and events of erased people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new; what was imported so far is known from the watches."""
    op.add_column("people", sa.Column("history_version", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE people SET history_version = version")
    op.create_index("ix_slates_shown_at", "slates", ["shown_at"])
    op.create_table(
        "imports",
        _row_id(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        _message("imports"),
        _person("imports"),
        sa.PrimaryKeyConstraint("row_id", name="pk_imports"),
    )
    op.create_index("ix_imports_message_id", "imports", ["message_id"])
    op.create_index("ix_imports_person_id_source_source_key", "imports", ["person_id", "source", "source_key"])
    op.execute(
        "INSERT INTO imports (person_id, source, source_key, message_id) SELECT person_id, source, source_key, "
        "message_id FROM watches WHERE source_key IS NOT NULL AND version_by = message_id ORDER BY row_id"
    )
    op.drop_index("ix_watches_source", "watches")
    # Of former versions nobody knows it any more: each counts as having said all that it holds.
    op.add_column("watches", sa.Column("says", sa.Integer(), nullable=False, server_default="7"))
    op.create_table(
        "preferences",
        _row_id(),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        _message("preferences"),
        _person("preferences"),
        sa.PrimaryKeyConstraint("row_id", name="pk_preferences"),
    )
    op.create_index("ix_preferences_message_id", "preferences", ["message_id"])
    op.create_index("ix_preferences_person_id", "preferences", ["person_id"])
    op.create_table(
        "added_films",
        sa.Column("film_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        _message("added_films"),
        _person("added_films"),
        sa.PrimaryKeyConstraint("film_id", name="pk_added_films"),
    )
    op.create_index("ix_added_films_message_id", "added_films", ["message_id"])
    op.create_index("ix_added_films_person_id", "added_films", ["person_id"])
    op.create_table(
        "link_codes",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _person("link_codes"),
        sa.PrimaryKeyConstraint("person_id", name="pk_link_codes"),
        sa.UniqueConstraint("code_hash", name="uq_link_codes_code_hash"),
    )
    op.create_table(
        "erased_events",
        sa.Column("event_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_hash", name="pk_erased_events"),
    )


def _row_id() -> sa.Column[int]:
    return sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _person(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_person_id_people"
    return sa.ForeignKeyConstraint(["person_id"], ["people.person_id"], name=name, ondelete="CASCADE")


def _message(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["message_id"], ["messages.message_id"], name=f"fk_{table}_message_id_messages")
