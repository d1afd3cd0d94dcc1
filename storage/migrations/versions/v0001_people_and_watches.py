"""People, identities, handled messages, watches, feedback, slates and context: the first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "people",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_people"),
    )
    op.create_table(
        "contexts",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name="fk_contexts_person_id_people", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "platform", "workspace", "channel", "thread", name="pk_contexts"),
    )
    op.create_table(
        "identities",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name="fk_identities_person_id_people", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("platform", "workspace", "user_id", name="pk_identities"),
    )
    op.create_index("ix_identities_person_id", "identities", ["person_id"])
    op.create_table(
        "messages",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("undoable", sa.Boolean(), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name="fk_messages_person_id_people", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["undone_by"], ["messages.message_id"], name="fk_messages_undone_by_messages"),
        sa.PrimaryKeyConstraint("message_id", name="pk_messages"),
        sa.UniqueConstraint("platform", "workspace", "event_id", name="uq_messages_platform_workspace_event_id"),
    )
    op.create_index("ix_messages_person_id_version", "messages", ["person_id", "version"])
    op.create_index("ix_messages_undone_by", "messages", ["undone_by"])
    op.create_table(
        "feedback",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("film_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("removed_by", sa.BigInteger(), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.message_id"], name="fk_feedback_message_id_messages"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name="fk_feedback_person_id_people", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["removed_by"], ["messages.message_id"], name="fk_feedback_removed_by_messages"),
        sa.PrimaryKeyConstraint("row_id", name="pk_feedback"),
    )
    op.create_index("ix_feedback_message_id", "feedback", ["message_id"])
    op.create_index("ix_feedback_person_id_film_id", "feedback", ["person_id", "film_id"])
    op.create_index("ix_feedback_removed_by", "feedback", ["removed_by"])
    op.create_table(
        "slates",
        sa.Column("slate_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("bundle", sa.Text(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.message_id"], name="fk_slates_message_id_messages"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name="fk_slates_person_id_people", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slate_id", name="pk_slates"),
    )
    op.create_index("ix_slates_message_id", "slates", ["message_id"])
    op.create_index(
        "ix_slates_place", "slates", ["person_id", "platform", "workspace", "channel", "thread", "shown_at"]
    )
    op.create_table(
        "watches",
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("watch_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("film_id", sa.BigInteger(), nullable=False),
        sa.Column("watched_on", sa.Date(), nullable=True),
        sa.Column("precision", sa.String(16), nullable=False),
        sa.Column("sorted_on", sa.Date(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("rating", sa.Float(), nullable=True),
        sa.Column("reaction", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("version_by", sa.BigInteger(), nullable=False),
        sa.Column("removed_by", sa.BigInteger(), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.message_id"], name="fk_watches_message_id_messages"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name="fk_watches_person_id_people", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["removed_by"], ["messages.message_id"], name="fk_watches_removed_by_messages"),
        sa.ForeignKeyConstraint(["version_by"], ["messages.message_id"], name="fk_watches_version_by_messages"),
        sa.PrimaryKeyConstraint("row_id", name="pk_watches"),
    )
    op.create_index("ix_watches_history", "watches", ["person_id", "sorted_on", "told_at", "position", "watch_id"])
    op.create_index("ix_watches_message_id", "watches", ["message_id"])
    op.create_index("ix_watches_removed_by", "watches", ["removed_by"])
    op.create_index(
        "ix_watches_source",
        "watches",
        ["person_id", "source", "source_key"],
        sqlite_where=sa.text("source_key IS NOT NULL"),
        postgresql_where=sa.text("source_key IS NOT NULL"),
    )
    op.create_index("ix_watches_version_by", "watches", ["version_by"])
    op.create_index("ix_watches_watch_id", "watches", ["watch_id"])
    op.create_index(
        "uq_watches_day",
        "watches",
        ["person_id", "film_id", "precision", "sorted_on"],
        unique=True,
        sqlite_where=sa.text("live IS 1 AND state != 'rewatch'"),
        postgresql_where=sa.text("live IS true AND state != 'rewatch'"),
    )
    op.create_index(
        "uq_watches_live",
        "watches",
        ["watch_id"],
        unique=True,
        sqlite_where=sa.text("live IS 1"),
        postgresql_where=sa.text("live IS true"),
    )
    op.create_table(
        "slate_picks",
        sa.Column("slate_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("film_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["slate_id"], ["slates.slate_id"], name="fk_slate_picks_slate_id_slates", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slate_id", "rank", name="pk_slate_picks"),
    )
