"""What can go wrong with the store: types with one plain sentence for a person and a detail for the log.

Knows the exceptions of the database drivers and nothing of what was being done; no detail ever holds what people said.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_FULL = "The disk is full, so nothing can be kept until there is room again."
_READ_ONLY = "The database can only be read, so nothing can be kept."
_UNREADABLE = "The disk of the database can't be read or written."
_NO_CONNECTION = "The server of the database has no connection left; please try again in a moment."
_FAILED = "The database could not do that."
_UNKEEPABLE = "That holds a character or a number that can't be kept."

_SQLITE_SENTENCES = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_NOTADB: "The file of the database is not a database.",
    sqlite3.SQLITE_CANTOPEN: "The database can't be opened; its folder must exist and be writable.",
    sqlite3.SQLITE_IOERR: _UNREADABLE,
}

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRES_SENTENCES = {
    "22000": _UNKEEPABLE,  # what asyncpg refuses to send
    "22003": _UNKEEPABLE,  # a number that is too big
    "22021": _UNKEEPABLE,  # a character that its encoding lacks, U+0000 among them
    "22P05": _UNKEEPABLE,
    "25006": _READ_ONLY,
    "28000": "The database does not let that user in.",
    "28P01": "The database does not accept that user and password.",
    "3D000": "There is no such database on the server; make it first, with createdb.",
    "42501": "The database's user may not do that; it must own the database or its tables.",
    "53100": _FULL,
    "58030": _UNREADABLE,
    "58P01": _UNREADABLE,
}
# A lock or a statement that took too long, and transactions in each other's way.
_POSTGRES_BUSY = frozenset({"40001", "40P01", "55P03", "57014"})
# A row or an index that can't be right.
_POSTGRES_DAMAGED = frozenset({"XX001", "XX002"})
# The server shuts down or starts; class 08 is about the connection itself.
_POSTGRES_AWAY = frozenset({"25P03", "57P01", "57P02", "57P03", "57P05"})

DRIVER_ERRORS: Final = (SQLAlchemyError, sqlite3.Error, OSError, OverflowError, UnicodeError)
"""What a driver raises, within SQLAlchemy's errors or past them."""


class StorageError(Exception):
    """Something can't be kept or read; the text is one sentence for a person, `detail` is for the log."""

    def __init__(self, sentence: str, *, detail: str = "", state: str = "") -> None:
        super().__init__(sentence)
        self.detail = detail
        self.state = state
        """PostgreSQL's SQLSTATE, where that is what it comes from."""


class WrongUrlError(StorageError):
    """The URL of the database is none that we can use; `expected` says what it should do, never what it is."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"The database URL is wrong: it should {expected}.")
        self.expected = expected


class NoDatabaseError(StorageError):
    """There is no database yet, and it was not to be made."""


class DamagedError(StorageError):
    """The database, or a copy of it, is not whole."""

    def __init__(self, what: str = "The database", *, detail: str) -> None:
        super().__init__(f"{what} is damaged; put back a copy of it from before.", detail=detail)


class ForeignDatabaseError(StorageError):
    """The database belongs to another program."""

    def __init__(self, label: str) -> None:
        super().__init__(f"The database {label} belongs to another program.")


class ForeignCopyError(ForeignDatabaseError):
    """A file is no copy that can be put back here; `what` says what it is."""

    def __init__(self, path: Path, what: str = "no copy of a database of Nextreel") -> None:
        StorageError.__init__(self, f"The file {path} is {what}.")


class NewerDatabaseError(StorageError):
    """The database, or a copy of it, was made by a newer version of this program."""

    def __init__(self, label: str, what: str = "The database") -> None:
        super().__init__(f"{what} {label} was made by a newer Nextreel; please update this one.")


class BusyError(StorageError):
    """The database was in use by others for longer than we wait; nothing was changed, and trying again may work."""

    sentence = "The database is busy, so that could not be done; please try again in a moment."

    def __init__(self, sentence: str = "", *, detail: str = "", state: str = "") -> None:
        super().__init__(sentence or self.sentence, detail=detail, state=state)


class AwayError(BusyError):
    """The database could not be reached for longer than we wait; nothing was changed, and trying again may work."""

    sentence = "The database can't be reached, so that could not be done; please try again in a moment."


class UnsureError(StorageError):
    """The connection was lost while a transaction was committed, and with no other it could not be found out about."""

    def __init__(self, *, detail: str = "") -> None:
        super().__init__(
            "The database went away just then; once it is back, please look whether that was kept.", detail=detail
        )


class ConflictError(StorageError):
    """What the changes were computed from is no longer so; nothing was changed: read again and try again."""

    def __init__(self, *, detail: str) -> None:
        super().__init__("Something else changed at the same moment; please try that again.", detail=detail)


def translated(error: Exception) -> StorageError:
    """The error of ours that says what an error of a driver means.

    Drivers may put values into their messages. Only those of SQLite's library are repeated, which has none in its own.
    """
    if isinstance(error, PoolTimeoutError):
        return BusyError(detail="no connection became free")
    said = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    if isinstance(said, sqlite3.Error):
        return _from_sqlite(said)
    cause = said if said is error else said.__cause__ or said  # asyncpg's own, which SQLAlchemy gives another type
    state = getattr(cause, "sqlstate", None) or ""
    detail = " ".join(filter(None, [type(cause).__name__, state, getattr(cause, "constraint_name", None)]))
    if isinstance(cause, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return AwayError(detail=detail, state=state)
    if isinstance(cause, ValueError | OverflowError):
        return StorageError(_UNKEEPABLE, detail=detail)
    return from_state(state, detail)


def from_state(state: str, detail: str) -> StorageError:
    """The error of ours for an SQLSTATE."""
    if state in _POSTGRES_BUSY:
        return BusyError(detail=detail, state=state)
    if state == "53300":
        return AwayError(_NO_CONNECTION, detail=detail, state=state)
    if state in _POSTGRES_AWAY or state.startswith("08"):
        return AwayError(detail=detail, state=state)
    if state in _POSTGRES_DAMAGED:
        return DamagedError(detail=detail)
    return StorageError(_POSTGRES_SENTENCES.get(state, _FAILED), detail=detail, state=state)


def _from_sqlite(error: sqlite3.Error) -> StorageError:
    detail = f"{type(error).__name__}: {error}"
    # The low byte is the kind of an SQLite error; the rest refines it (https://www.sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BusyError(detail=detail)
    if code == sqlite3.SQLITE_CORRUPT:
        return DamagedError(detail=detail)
    return StorageError(_SQLITE_SENTENCES.get(code, _FAILED), detail=detail)
