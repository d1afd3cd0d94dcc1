"""The schema: every table, its keys and its indexes, for SQLite and PostgreSQL alike.

Whatever is about a person names the person and goes with them (`ON DELETE CASCADE`), so that erasing one row of
`people` erases everything. Knows no queries; `migrations/` brings a database to this state, and a test holds the two
together.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Enum,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from storage.records import FeedbackKind, Precision, WatchState

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: takes any aware datetime and gives it back in UTC, aware. ValueError for a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        if value is None:
            return None
        # SQLite keeps no time zone: what was bound in UTC comes back naive.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _values(kinds: type[StrEnum]) -> Enum:
    return Enum(kinds, native_enum=False, length=16, values_callable=lambda enum: [kind.value for kind in enum])


def _row_id() -> Column[int]:
    # SQLite counts up by itself only for the type INTEGER, which has 64 bits there.
    return Column("row_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _person(*, primary_key: bool = False) -> Column[int]:
    return Column(
        "person_id", ForeignKey("people.person_id", ondelete="CASCADE"), primary_key=primary_key, nullable=False
    )


def _message(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, ForeignKey("messages.message_id"), nullable=nullable, index=True)


people = Table(
    "people",
    metadata,
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    _person(),
    Index(None, "person_id"),
)

# Every message that was handled, with its reply. `version` is the person's after it, and orders them. A message is
# `in_force` unless the message that undid it (`undone_by`) is; so undoing an undo needs no journal.
messages = Table(
    "messages",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    _person(),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("reply", Text, nullable=False),
    Column("handled_at", UtcDateTime, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("undoable", Boolean, nullable=False),
    Column("in_force", Boolean, nullable=False),
    _message("undone_by", nullable=True),
    UniqueConstraint("platform", "workspace", "event_id"),
    Index(None, "person_id", "version"),
)

# Every version of every watch: a change of rating adds one. `message_id` told of the watch, `version_by` made this
# version, `removed_by` took the watch away. `live` is what follows from which of these messages are in force: at most
# one version of a watch is live, and a history is its person's live versions, in the order of the first index.
watches = Table(
    "watches",
    metadata,
    _row_id(),
    Column("watch_id", BigInteger, nullable=False),
    _person(),
    Column("film_id", BigInteger, nullable=False),
    Column("watched_on", Date),
    Column("precision", _values(Precision), nullable=False),
    Column("sorted_on", Date, nullable=False),
    Column("told_at", UtcDateTime, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", _values(WatchState), nullable=False),
    Column("rating", Float),
    Column("reaction", Text),
    Column("source", Text, nullable=False),
    Column("source_key", Text),
    _message("message_id"),
    _message("version_by"),
    _message("removed_by", nullable=True),
    Column("live", Boolean, nullable=False),
    Index("ix_watches_history", "person_id", "sorted_on", "told_at", "position", "watch_id"),
    Index("ix_watches_watch_id", "watch_id"),
    Index(
        "ix_watches_source",
        "person_id",
        "source",
        "source_key",
        sqlite_where=text("source_key IS NOT NULL"),
        postgresql_where=text("source_key IS NOT NULL"),
    ),
    Index(
        "uq_watches_live",
        "watch_id",
        unique=True,
        sqlite_where=text("live IS 1"),
        postgresql_where=text("live IS true"),
    ),
    # The same film on the same day is one watch.
    Index(
        "uq_watches_day",
        "person_id",
        "film_id",
        "precision",
        "sorted_on",
        unique=True,
        sqlite_where=text("live IS 1 AND state != 'rewatch'"),
        postgresql_where=text("live IS true AND state != 'rewatch'"),
    ),
)

feedback = Table(
    "feedback",
    metadata,
    _row_id(),
    _person(),
    Column("film_id", BigInteger, nullable=False),
    Column("kind", _values(FeedbackKind), nullable=False),
    _message("message_id"),
    _message("removed_by", nullable=True),
    Column("live", Boolean, nullable=False),
    Index(None, "person_id", "film_id"),
)

slates = Table(
    "slates",
    metadata,
    Column("slate_id", BigInteger, primary_key=True, autoincrement=False),
    _person(),
    _message("message_id"),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("shown_at", UtcDateTime, nullable=False),
    Index("ix_slates_place", "person_id", "platform", "workspace", "channel", "thread", "shown_at"),
)

slate_picks = Table(
    "slate_picks",
    metadata,
    Column("slate_id", ForeignKey("slates.slate_id", ondelete="CASCADE"), primary_key=True),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("film_id", BigInteger, nullable=False),
    Column("score", Float, nullable=False),
    Column("reason", JSON, nullable=False),
)

contexts = Table(
    "contexts",
    metadata,
    _person(primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("workspace", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("thread", Text, primary_key=True),
    Column("payload", JSON, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
