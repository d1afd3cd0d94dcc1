"""What can go wrong with the store: types with one plain sentence for a person and a detail for the log.

Knows the exceptions of the database drivers and nothing of what was being done; no detail ever holds what people said.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_SQLITE_SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk is full, so nothing can be kept until there is room again.",
    sqlite3.SQLITE_READONLY: "The database can only be read, so nothing can be kept.",
    sqlite3.SQLITE_CORRUPT: "The database is damaged; put back a copy of it from before.",
    sqlite3.SQLITE_NOTADB: "The file of the database is not a database.",
    sqlite3.SQLITE_CANTOPEN: "The database can't be opened; its folder must exist and be writable.",
    sqlite3.SQLITE_IOERR: "The disk of the database can't be read or written.",
}


class StorageError(Exception):
    """Something can't be kept or read; the text is one sentence for a person, `detail` is for the log."""

    def __init__(self, sentence: str, *, detail: str = "") -> None:
        super().__init__(sentence)
        self.detail = detail


class WrongUrlError(StorageError):
    """The URL of the database is none that we can use; `expected` says what it should do, never what it is."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"The database URL is wrong: it should {expected}.")
        self.expected = expected


class NoDatabaseError(StorageError):
    """There is no database yet, and it was not to be made."""


class BusyError(StorageError):
    """The database was in use by others for longer than we wait; nothing was changed, and trying again may work."""

    def __init__(self, *, detail: str = "") -> None:
        super().__init__(
            "The database is busy, so that could not be done; please try again in a moment.", detail=detail
        )


class ConflictError(StorageError):
    """What the changes were computed from is no longer so; nothing was changed: read again and try again."""

    def __init__(self, *, detail: str) -> None:
        super().__init__("Something else changed at the same moment; please try that again.", detail=detail)


def translated(error: SQLAlchemyError) -> StorageError:
    """The error of ours that says what an error of the database means."""
    if isinstance(error, PoolTimeoutError):
        return BusyError(detail="no connection became free")
    cause = error.orig if isinstance(error, DBAPIError) else error
    detail = f"{type(cause).__name__}: {cause}"
    # The low byte is the kind of an SQLite error; the rest refines it (https://www.sqlite.org/rescode.html).
    code = (
        cause.sqlite_errorcode & 0xFF if isinstance(cause, sqlite3.Error) and hasattr(cause, "sqlite_errorcode") else 0
    )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BusyError(detail=detail)
    return StorageError(_SQLITE_SENTENCES.get(code, "The database could not do that."), detail=detail)
