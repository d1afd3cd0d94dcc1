"""What a file is that somebody takes for a copy of a database: of which kind, ours or not, and not newer than we are.

Knows how the files of both kinds begin, and nothing of how they are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from storage.database import REVISION, first_bytes, known_revision
from storage.errors import ForeignCopyError, ForeignDatabaseError, NewerDatabaseError

SQLITE: Final = b"SQLite format 3\0"
POSTGRESQL: Final = b"PGDMP"

_KINDS: Final = {SQLITE: "an SQLite database", POSTGRESQL: "a PostgreSQL database"}


def check_kind(copy: Path, wanted: bytes) -> None:
    """Raise ForeignCopyError unless the file begins as a copy of that kind of database does."""
    begin = first_bytes(copy, max(map(len, _KINDS)))
    found = next((magic for magic in _KINDS if begin.startswith(magic)), None)
    if found is None:
        raise ForeignCopyError(copy)
    if found != wanted:
        raise ForeignCopyError(
            copy, f"a copy of {_KINDS[found]}; it can't be put in the place of what {_KINDS[wanted]} holds"
        )


def check_revision(found: object, copy: Path) -> str:
    """The revision that was found in a copy. ForeignCopyError when it is none of ours."""
    try:
        return known_revision(found, str(copy))
    except ForeignDatabaseError:
        raise ForeignCopyError(copy) from None


def refuse_newer(revision: str, copy: Path) -> None:
    """Raise NewerDatabaseError for a copy that a newer program made."""
    if revision > REVISION:
        raise NewerDatabaseError(str(copy), "The file")
