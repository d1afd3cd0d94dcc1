"""Slates for several people and votes on them, settings of a whole server, and which commands a platform was told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is new; no slate was for several before, and none was voted on."""
    op.add_column("slates", sa.Column("open_to_votes", sa.Boolean(), nullable=True))
    op.create_table(
        "slate_members",
        sa.Column("slate_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("vote", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["slate_id"], ["slates.slate_id"], name="fk_slate_members_slate_id_slates", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.person_id"], name="fk_slate_members_person_id_people", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slate_id", "person_id", name="pk_slate_members"),
    )
    op.create_index("ix_slate_members_person_id", "slate_members", ["person_id"])
    op.create_table(
        "place_settings",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("adventurousness", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("platform", "workspace", name="pk_place_settings"),
    )
    op.create_table(
        "registrations",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "application", name="pk_registrations"),
    )
