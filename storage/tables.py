"""The schema: every table, its keys and its indexes, for SQLite and PostgreSQL alike.

Whatever is about a person names the person and goes with them (`ON DELETE CASCADE`), so that erasing one row of
`people` erases everything. Every table says what it is `about` and how long it is `kept`, and every column what it
holds (`doc`): the data map of `docs/privacy.md` is made of that. Knows no queries; `migrations/` brings a database to
this state, and a test holds the two together.
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

from storage.records import FeedbackKind, Precision, Preference, WatchState

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


def _about(about: str, kept: str = "until the person is erased") -> dict[str, str]:
    return {"about": about, "kept": kept}


def _row_id() -> Column[int]:
    # SQLite counts up by itself only for the type INTEGER, which has 64 bits there.
    return Column(
        "row_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, doc="number of the row, in time order"
    )


def _person(*, primary_key: bool = False) -> Column[int]:
    return Column(
        "person_id",
        ForeignKey("people.person_id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
        doc="whose it is",
    )


def _message(name: str, doc: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, ForeignKey("messages.message_id"), nullable=nullable, index=True, doc=doc)


def _live() -> Column[bool]:
    return Column("live", Boolean, nullable=False, doc="whether it holds now, after all that was undone")


people = Table(
    "people",
    metadata,
    Column(
        "person_id", BigInteger, primary_key=True, autoincrement=False, doc="random number that stands for a person"
    ),
    Column("version", BigInteger, nullable=False, doc="how many of their messages were kept"),
    Column("history_version", BigInteger, nullable=False, doc="the message that last changed watches or feedback"),
    Column("created_at", UtcDateTime, nullable=False, doc="when they first told something"),
    info=_about("that somebody uses the bot", "until the person is erased, or inactive for longer than is set"),
)

identities = Table(
    "identities",
    metadata,
    Column("platform", Text, primary_key=True, doc="discord, slack or terminal"),
    Column("workspace", Text, primary_key=True, doc="the platform's number of the server or workspace, if it has one"),
    Column("user_id", Text, primary_key=True, doc="the platform's number of the user; in the terminal a user name"),
    _person(),
    Index(None, "person_id"),
    info=_about("how each platform names the person", "until it is unlinked or the person is erased"),
)

# Every message that was handled, with its reply. `version` is the person's after it, and orders them. A message is
# `in_force` unless the message that undid it (`undone_by`) is; so undoing an undo needs no journal.
messages = Table(
    "messages",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False, doc="random number of the message"),
    _person(),
    Column("platform", Text, nullable=False, doc="where it was said: platform"),
    Column("workspace", Text, nullable=False, doc="where it was said: server or workspace"),
    Column("event_id", Text, nullable=False, doc="the platform's number of the event, so that it is handled once"),
    Column("reply", Text, nullable=False, doc="what the bot answered; emptied when slates are no longer kept"),
    Column("handled_at", UtcDateTime, nullable=False, doc="when it was said"),
    Column("version", BigInteger, nullable=False, doc="its place among the person's messages"),
    Column("undoable", Boolean, nullable=False, doc="whether it changed anything that can be undone"),
    Column("in_force", Boolean, nullable=False, doc="whether it was not undone"),
    _message("undone_by", "the message that undid it", nullable=True),
    UniqueConstraint("platform", "workspace", "event_id"),
    Index(None, "person_id", "version"),
    info=_about("messages that changed something, with the bot's answer; never the text that was typed"),
)

# Every version of every watch: a change of rating adds one. `message_id` told of the watch, `version_by` made this
# version and said what `says` names of it (the rest is from before), `removed_by` took the watch away. `live` is what
# follows from which of these messages are in force: at most one version of a watch is live, and a history is its
# person's live versions, in the order of the first index.
watches = Table(
    "watches",
    metadata,
    _row_id(),
    Column("watch_id", BigInteger, nullable=False, doc="random number of the watch"),
    _person(),
    Column("film_id", BigInteger, nullable=False, doc="the film"),
    Column("watched_on", Date, doc="when it was watched: first day of the period"),
    Column("precision", _values(Precision), nullable=False, doc="how exactly that is known"),
    Column("sorted_on", Date, nullable=False, doc="the day that places it in the history"),
    Column("told_at", UtcDateTime, nullable=False, doc="when it was told"),
    Column("position", Integer, nullable=False, doc="its place in that message"),
    Column("state", _values(WatchState), nullable=False, doc="finished, abandoned or rewatch"),
    Column("rating", Float, doc="stars, 0 to 5"),
    Column("reaction", Text, doc="loved, liked, … as it was said"),
    Column("source", Text, nullable=False, doc="where it was learned: told, or the kind of file"),
    Column("source_key", Text, doc="the entry of that file"),
    _message("message_id", "the message that told of it"),
    _message("version_by", "the message that last changed it"),
    Column("says", Integer, nullable=False, doc="which of state, rating and reaction that message said"),
    _message("removed_by", "the message that took it away", nullable=True),
    _live(),
    Index("ix_watches_history", "person_id", "sorted_on", "told_at", "position", "watch_id"),
    Index("ix_watches_watch_id", "watch_id"),
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
    info=_about("films that the person watched, with everything said about them, and earlier versions of it"),
)

# Which entries of which files were taken in, whatever became of the watch: an import run twice changes nothing.
imports = Table(
    "imports",
    metadata,
    _row_id(),
    _person(),
    Column("source", Text, nullable=False, doc="the kind of file"),
    Column("source_key", Text, nullable=False, doc="the entry of that file"),
    _message("message_id", "the message that brought the file"),
    Index(None, "person_id", "source", "source_key"),
    info=_about("entries of files that were imported, so that an import run twice changes nothing"),
)

feedback = Table(
    "feedback",
    metadata,
    _row_id(),
    _person(),
    Column("film_id", BigInteger, nullable=False, doc="the film"),
    Column("kind", _values(FeedbackKind), nullable=False, doc="dismissed (not interested) or wanted (the watchlist)"),
    _message("message_id", "the message that said so"),
    _message("removed_by", "the message that took it back", nullable=True),
    _live(),
    Index(None, "person_id", "film_id"),
    info=_about("films that the person does not want to be shown, and the watchlist"),
)

# Every value that was ever set; of the live ones the last counts.
preferences = Table(
    "preferences",
    metadata,
    _row_id(),
    _person(),
    Column("name", _values(Preference), nullable=False, doc="which setting"),
    Column("value", JSON(none_as_null=True), doc="its value; nothing stands for the default"),
    _message("message_id", "the message that set it"),
    _live(),
    Index(None, "person_id"),
    info=_about("settings: time zone, language, adventurousness, private or public answers, group opt-in"),
)

added_films = Table(
    "added_films",
    metadata,
    Column("film_id", BigInteger, primary_key=True, autoincrement=False, doc="number of the film, from 1,000,000,000"),
    _person(),
    Column("title", Text, nullable=False, doc="its title"),
    Column("year", Integer, doc="its year"),
    _message("message_id", "the message that added it"),
    Index(None, "person_id"),
    info=_about("films that the catalogue lacks, added by the person, seen by nobody else"),
)

slates = Table(
    "slates",
    metadata,
    Column("slate_id", BigInteger, primary_key=True, autoincrement=False, doc="random number of the slate"),
    _person(),
    _message("message_id", "the message that it answered"),
    Column("platform", Text, nullable=False, doc="where it was shown: platform"),
    Column("workspace", Text, nullable=False, doc="where it was shown: server or workspace"),
    Column("channel", Text, nullable=False, doc="where it was shown: channel"),
    Column("thread", Text, nullable=False, doc="where it was shown: thread"),
    Column("bundle", Text, nullable=False, doc="the model that made it"),
    Column("request", JSON, nullable=False, doc="what was asked for: genres, years, …"),
    Column("shown_at", UtcDateTime, nullable=False, doc="when"),
    Column("open_to_votes", Boolean, doc="whether it is voted on now, or waits for people; else nothing"),
    Index("ix_slates_place", "person_id", "platform", "workspace", "channel", "thread", "shown_at"),
    Index(None, "shown_at"),
    info=_about("recommendations that the person was shown", "for as long as slates are set to be kept"),
)

slate_picks = Table(
    "slate_picks",
    metadata,
    Column("slate_id", ForeignKey("slates.slate_id", ondelete="CASCADE"), primary_key=True, doc="the slate"),
    Column("rank", Integer, primary_key=True, autoincrement=False, doc="its place, from 1"),
    Column("film_id", BigInteger, nullable=False, doc="the film"),
    Column("score", Float, nullable=False, doc="the model's score"),
    Column("reason", JSON, nullable=False, doc="why it was recommended"),
    info=_about("the films of those recommendations, with their reasons", "as long as their slate"),
)

slate_members = Table(
    "slate_members",
    metadata,
    Column("slate_id", ForeignKey("slates.slate_id", ondelete="CASCADE"), primary_key=True, doc="the slate"),
    _person(primary_key=True),
    Column("vote", BigInteger, doc="the film they voted for"),
    Index(None, "person_id"),
    info=_about("whom a recommendation for several was for, and how they voted", "as long as its slate"),
)

contexts = Table(
    "contexts",
    metadata,
    _person(primary_key=True),
    Column("platform", Text, primary_key=True, doc="where: platform"),
    Column("workspace", Text, primary_key=True, doc="where: server or workspace"),
    Column("channel", Text, primary_key=True, doc="where: channel"),
    Column("thread", Text, primary_key=True, doc="where: thread"),
    Column(
        "payload", JSON, nullable=False, doc="the bot's open questions with the titles they are about, films in mind"
    ),
    Column("expires_at", UtcDateTime, nullable=False, doc="until when"),
    info=_about("what a conversation is about right now", "for the minutes that are set"),
)

link_codes = Table(
    "link_codes",
    metadata,
    _person(primary_key=True),
    Column("code_hash", Text, nullable=False, unique=True, doc="SHA-256 of the one-time code"),
    Column("expires_at", UtcDateTime, nullable=False, doc="until when it works"),
    info=_about("a one-time code for linking another account", "until it is used, ten minutes at most"),
)

# Not about anybody: nobody can be told from the hash of a number that a platform gave an event.
erased_events = Table(
    "erased_events",
    metadata,
    Column(
        "event_hash",
        Text,
        primary_key=True,
        doc="SHA-256 of an event's number; or a mark, with a random number, that files are to be wiped",
    ),
    Column("expires_at", UtcDateTime, nullable=False, doc="until when a late second delivery is recognised"),
    info=_about(
        "that an event was handled for somebody who was erased since; names nobody",
        "for a day; a mark until it is done",
    ),
)

# Not about anybody: what a server's administrators set for all who are there. Who set it is not kept.
place_settings = Table(
    "place_settings",
    metadata,
    Column("platform", Text, primary_key=True, doc="which platform"),
    Column("workspace", Text, primary_key=True, doc="the platform's number of the server or workspace"),
    Column("channels", JSON, nullable=False, doc="numbers and names of the channels in which the bot answers"),
    Column("adventurousness", Float, doc="the usual adventurousness there, 0 to 1"),
    info=_about("what is set for a whole server; names nobody", "until the bot leaves the server"),
)

# Not about anybody.
registrations = Table(
    "registrations",
    metadata,
    Column("platform", Text, primary_key=True, doc="which platform"),
    Column("application", Text, primary_key=True, doc="the platform's number of the bot's application"),
    Column("fingerprint", Text, nullable=False, doc="SHA-256 of the commands that the platform was told"),
    info=_about("which commands a platform was told of last, so that it is told only when they changed", "for ever"),
)
