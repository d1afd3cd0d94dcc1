"""A zip that an export made, read into changes.

It is somebody's file: nothing of it is trusted, unpacked to disk, or repeated in a sentence. Knows nothing of how
changes are applied.
"""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, TypeVar

from storage.changes import AddFilm, Change, GiveFeedback, LogWatch, SetPreference
from storage.errors import StorageError
from storage.portable.form import FORMAT, JSON_NAME, MAX_ADDED_FILMS, MAX_OPINIONS, MAX_WATCHES
from storage.records import (
    FIRST_ADDED_FILM,
    AddedFilm,
    FeedbackKind,
    Precision,
    Preference,
    WatchState,
)

MAX_ZIP: Final = 64 * 2**20
"""Bytes of the largest file that is opened."""
MAX_JSON: Final = 16 * 2**20
"""Bytes of the largest `nextreel.json`: twice what `MAX_WATCHES` take."""
MAX_REACTION: Final = 10_000
"""Characters."""
MAX_PROBLEMS: Final = 1_000
"""Entries that are named one by one."""

_MAX_MEMBERS: Final = 1_000
_MAX_SIGNS: Final = 1_000_000
"""Brackets and commas of the largest `nextreel.json`: twice what a full one has."""
_MAX_DIGITS: Final = 20


class PortableError(StorageError):
    """A file is no export of ours; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Import:
    """What a file asks for, to be applied as one message, and a sentence for each entry that could not be read."""

    changes: tuple[Change, ...]
    problems: tuple[str, ...]


def from_zip(content: bytes) -> Import:
    """What an export asks for. Whatever the file holds, PortableError with one sentence is all that this raises.

    An added film keeps its number in the changes; where that is somebody else's, `apply` gives it another one. Takes a
    second for a large file: call it in a thread.
    """
    document = _parsed(_member(content))
    problems = _Problems()
    films = {
        change.film.film_id: change
        for change in _entries(document, "added_films", "Added film", MAX_ADDED_FILMS, _added_film, problems)
    }
    known = films.keys()
    watches = _entries(document, "watches", "Watch", MAX_WATCHES, lambda entry: _watch(entry, known), problems)
    wanted = _opinions(document, "watchlist", "Watchlist entry", FeedbackKind.WANTED, known, problems)
    dismissed = _opinions(document, "dismissed", "Dismissed film", FeedbackKind.DISMISSED, known, problems)
    settings = _settings(document, problems)
    return Import((*films.values(), *watches, *wanted, *dismissed, *settings), problems.sentences())


class _Problems:
    """Sentences about entries that could not be read; of very many, the first."""

    def __init__(self) -> None:
        self._sentences: list[str] = []
        self._more = 0

    def add(self, sentence: str) -> None:
        """One more."""
        if len(self._sentences) < MAX_PROBLEMS:
            self._sentences.append(sentence)
        else:
            self._more += 1

    def sentences(self) -> tuple[str, ...]:
        """All of them, with how many more there are."""
        more = [f"{self._more:,} more entries could not be read."] if self._more else []
        return (*self._sentences, *more)


_Entry = Mapping[str, object]
_Read = TypeVar("_Read")

_NO_EXPORT: Final = "That file is no export of Nextreel: {}."


def _member(content: bytes) -> bytes:
    """The bytes of `nextreel.json` in a zip, wherever it lies in there; nothing else is unpacked."""
    if len(content) > MAX_ZIP:
        raise PortableError(f"That file is too large: an export has at most {MAX_ZIP // 2**20} MB.")
    # A directory of millions of names fits into a small file, and is read as a whole.
    if content.count(b"PK\x01\x02") > _MAX_MEMBERS:
        raise PortableError(_NO_EXPORT.format("it holds too many files"))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = [member for member in archive.infolist() if member.filename.split("/")[-1] == JSON_NAME]
            if len(found) != 1:
                raise PortableError(_NO_EXPORT.format(f"it does not hold one {JSON_NAME}"))
            # Others can be told to take any amount of memory.
            if found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or found[0].flag_bits & 1:
                raise PortableError(_NO_EXPORT.format("it is encrypted or packed in another way"))
            with archive.open(found[0]) as member:
                text = member.read(MAX_JSON + 1)  # what the directory says of its size may be wrong
    except _ZIP_ERRORS as error:
        raise PortableError(_NO_EXPORT.format("it is no whole zip file"), detail=type(error).__name__) from None
    if len(text) > MAX_JSON:
        raise PortableError(f"That export is too large: its {JSON_NAME} has more than {MAX_JSON // 2**20} MB.")
    return text


_ZIP_ERRORS: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
    OverflowError, IndexError,
)  # fmt: skip
"""What the standard library raises on a zip that somebody made by hand."""


def _parsed(text: bytes) -> _Entry:
    # A list of empty lists takes twenty times its text.
    if sum(text.count(sign) for sign in (b"{", b"[", b",")) > _MAX_SIGNS:
        raise PortableError(_NO_EXPORT.format(f"its {JSON_NAME} holds too many entries"))
    try:
        document = json.loads(text.decode("utf-8-sig"), parse_int=_parsed_int)
    except (ValueError, RecursionError) as error:
        raise PortableError(_NO_EXPORT.format(f"its {JSON_NAME} is no JSON"), detail=type(error).__name__) from None
    found = document.get("format") if isinstance(document, dict) else None
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise PortableError(_NO_EXPORT.format(f"its {JSON_NAME} has no number of its format"))
    if found > FORMAT:
        raise PortableError("That export was made by a newer Nextreel; please update this one.")
    checked: _Entry = document
    return checked


def _parsed_int(digits: str) -> int | float:
    # Very long ones take very long, and are nothing that we know.
    return int(digits) if len(digits) <= _MAX_DIGITS else math.nan


def _entries(
    document: _Entry, field: str, place: str, most: int, read: Callable[[_Entry], _Read], problems: _Problems
) -> list[_Read]:
    """What could be read of a list; everything else becomes a problem that names its place, counted from 1."""
    listed = document.get(field)
    if listed is None:
        return []
    if not isinstance(listed, list):
        problems.add(f"{field} could not be read: it is no list.")
        return []
    entries = []
    for number, entry in enumerate(listed[:most], 1):
        try:
            if not isinstance(entry, dict):
                raise ValueError("it is no object")
            entries.append(read(entry))
        except ValueError as error:
            problems.add(f"{place} {number}: {error}.")
    if len(listed) > most:
        problems.add(f"{field} from {most + 1:,} to {len(listed):,} were left out: one file has at most {most:,}.")
    return entries


def _added_film(entry: _Entry) -> AddFilm:
    year = None if entry.get("year") is None else _whole(entry, "year")
    return AddFilm(AddedFilm(_whole(entry, "film_id"), _text(entry, "title"), year))


def _watch(entry: _Entry, added: Container[int]) -> LogWatch:
    reaction = None if entry.get("reaction") is None else _text(entry, "reaction")
    if reaction is not None and len(reaction) > MAX_REACTION:
        raise ValueError(f"its reaction has more than {MAX_REACTION:,} characters")
    watched_on = _day(entry, "watched_on")
    return LogWatch(
        film_id=_film(entry, added),
        watched_on=watched_on,
        precision=_one_of(Precision, entry, "precision"),
        state=_one_of(WatchState, entry, "state"),
        rating=_rating(entry),
        reaction=reaction,
        source=_text(entry, "source"),
        source_key=_text(entry, "source_key"),
        told_at=_moment(entry, "told_at"),
        told_on=None if watched_on else _day(entry, "told_on"),
    )


def _opinions(
    document: _Entry, field: str, place: str, kind: FeedbackKind, added: Container[int], problems: _Problems
) -> list[GiveFeedback]:
    def read(entry: _Entry) -> GiveFeedback:
        return GiveFeedback(_film(entry, added), kind)

    return _entries(document, field, place, MAX_OPINIONS, read, problems)


def _settings(document: _Entry, problems: _Problems) -> list[SetPreference]:
    settings = document.get("settings")
    if settings is None:
        return []
    if not isinstance(settings, dict):
        problems.add("settings could not be read: they are no object.")
        return []
    read = []
    for name in Preference:
        value = settings.get(name.value)
        if value is None:
            continue
        try:
            if not isinstance(value, str | float | int):
                raise ValueError("it is neither a text nor a number")
            read.append(SetPreference(name, value))
        except ValueError:
            problems.add(f"Setting {name.value}: it can't have that value.")
    return read


def _film(entry: _Entry, added: Container[int]) -> int:
    film_id = _whole(entry, "film_id")
    if film_id >= FIRST_ADDED_FILM and film_id not in added:
        raise ValueError("its film is none of the added films in this file")
    return film_id


def _whole(entry: _Entry, field: str) -> int:
    value = entry.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"its {field} is no whole number")
    return value


def _rating(entry: _Entry) -> float | None:
    value = entry.get("rating")
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("its rating is no number")
    return float(value)


def _text(entry: _Entry, field: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str):
        raise ValueError(f"its {field} is no text")
    return value


_Kind = TypeVar("_Kind", bound=StrEnum)


def _one_of(kinds: type[_Kind], entry: _Entry, field: str) -> _Kind:
    value = entry.get(field)
    if not isinstance(value, str) or value not in set(kinds):
        raise ValueError(f"its {field} is none of {', '.join(kinds)}")
    return kinds(value)


def _day(entry: _Entry, field: str) -> date | None:
    if entry.get(field) is None:
        return None
    try:
        return date.fromisoformat(_text(entry, field))
    except ValueError:
        raise ValueError(f"its {field} is no date") from None


def _moment(entry: _Entry, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(entry, field))
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"its {field} is no moment with a time zone") from None
