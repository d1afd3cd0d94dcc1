"""Everything about a person as one zip, and back: for themselves, for their spreadsheet, and for another Nextreel.

`nextreel.json` holds what an import takes (`FIELDS` says what each field is), `watches.csv` and `watchlist.csv` have
the same for people, and `tables/` every row about the person of every table that leads to `people`, found by the
schema's foreign keys. What comes in is somebody's file: nothing of it is trusted, unpacked to disk, or repeated in a
sentence.
Knows no catalogue (`FilmName` is what the caller knows of a film) and nothing of how changes are applied.
"""

from __future__ import annotations

import csv
import io
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Connection, ForeignKey, MetaData, Select, Table, or_, select

from storage import reading
from storage.changes import AddFilm, Change, GiveFeedback, LogWatch, SetPreference
from storage.errors import StorageError
from storage.records import (
    FIRST_ADDED_FILM,
    AddedFilm,
    FeedbackKind,
    IdentityKey,
    PersonId,
    Precision,
    Preference,
    Preferences,
    Watch,
    WatchState,
)
from storage.tables import link_codes, metadata, people

FORMAT: Final = 1
"""The newest `nextreel.json` that is understood, and the one that is written."""

JSON_NAME: Final = "nextreel.json"

LEFT_OUT: Final = frozenset({link_codes.c.code_hash})
"""Columns that no export holds. A code is short enough to be found from its hash, and whoever has it may take over the
account for some minutes; an export is given to others more lightly than a password."""

MAX_ZIP: Final = 64 * 2**20
"""Bytes of the largest file that is opened."""
MAX_JSON: Final = 16 * 2**20
"""Bytes of the largest `nextreel.json`: twice what `MAX_WATCHES` take."""
MAX_WATCHES: Final = 20_000
"""Watches of one file: two a day for 27 years, and a second in which nobody else writes to an SQLite database."""
MAX_OPINIONS: Final = 10_000
"""Films of one file's watchlist, and as many not to be shown."""
MAX_ADDED_FILMS: Final = 1_000
MAX_REACTION: Final = 10_000
"""Characters."""
MAX_PROBLEMS: Final = 1_000
"""Entries that are named one by one."""

_MAX_MEMBERS: Final = 1_000
_MAX_SIGNS: Final = 1_000_000
"""Brackets and commas of the largest `nextreel.json`: twice what a full one has."""
_MAX_DIGITS: Final = 20

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet may run (https://owasp.org/www-community/attacks/CSV_Injection)."""

FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "": {
        "format": f"number of this format; this text describes {FORMAT}",
        "made_at": "when this export was made; every moment is ISO 8601 in UTC",
        "created_at": "when you first told something",
        "accounts": "how the platforms name you; an import does not look at them",
        "settings": "what you set yourself; null where you set nothing",
        "added_films": "films that you added because the catalogue lacks them",
        "watches": "what you watched, oldest first",
        "watchlist": "films that you want to watch, in the order in which you said so",
        "dismissed": "films that you do not want to be shown",
    },
    "accounts": {
        "platform": "discord, slack or terminal",
        "workspace": "the platform's number of the server or workspace, if it has one",
        "user": "the platform's number of your account; in the terminal a user name",
    },
    "settings": {
        "time_zone": "IANA name",
        "locale": "language as BCP 47 has it",
        "adventurousness": "0 prefers well-known films, 1 those under the radar",
        "visibility": "private or public: who sees answers where others are present",
        "group_opt_in": "true when your history may be used for a group; where you import it, you say that again",
    },
    "added_films": {
        "film_id": f"number of the film, from {FIRST_ADDED_FILM:,}; an import may give it another",
        "title": "its title",
        "year": "its year, or null",
    },
    "watches": {
        "film_id": "number of the film: MovieLens's, or that of a film you added",
        "title": "its title; for you, an import does not look at it, nor at the next three",
        "year": "its year, or null",
        "imdb_id": "its number at IMDb, or null",
        "tmdb_id": "its number at TMDB, or null",
        "watched_on": "first day of the period in which you watched it, or null when unknown",
        "precision": "how exactly that is known: day, month, year or unknown",
        "state": "finished, abandoned or rewatch",
        "rating": "0 to 5 stars, or null",
        "reaction": "what you said of it: loved, liked, …, or null",
        "told_at": "when you told it",
        "told_on": "the day that it then was for you, which places it in your history; null when watched_on is known",
        "source": "where it was learned: told, or the kind of file",
        "source_key": "the entry of that file; an entry is imported once, however often its file is",
    },
    "watchlist": {
        "film_id": "as for watches",
        "title": "as for watches",
        "year": "as for watches",
        "imdb_id": "as for watches",
        "tmdb_id": "as for watches",
    },
    "dismissed": {
        "film_id": "as for watches",
        "title": "as for watches",
        "year": "as for watches",
        "imdb_id": "as for watches",
        "tmdb_id": "as for watches",
    },
}
"""Every field of `nextreel.json`: of the document, and of the entries of each list in it."""

Row = Mapping[str, object]


class PortableError(StorageError):
    """A file is no export of ours; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class FilmName:
    """How a film is called, as far as the caller knows."""

    title: str
    year: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is kept about a person, as of one moment; `rows` has it once more, as it lies in the tables."""

    person: PersonId
    accounts: tuple[IdentityKey, ...]
    created_at: datetime
    history: tuple[Watch, ...]
    wanted: tuple[int, ...]
    dismissed: frozenset[int]
    preferences: Preferences
    added_films: tuple[AddedFilm, ...]
    rows: Mapping[str, tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class Import:
    """What a file asks for, to be applied as one message, and a sentence for each entry that could not be read."""

    changes: tuple[Change, ...]
    problems: tuple[str, ...]


# Out

_FILM_COLUMNS: Final = ("title", "year", "imdb_id", "tmdb_id")
_WATCH_COLUMNS: Final = ("title", "year", "watched_on", "rating", "reaction", "state", "told_at", "imdb_id", "tmdb_id")
_NAMELESS: Final = FilmName("")

_SHOWN_LETTERS: Final = {Precision.DAY: 10, Precision.MONTH: 7, Precision.YEAR: 4, Precision.UNKNOWN: 0}
"""As much of a date as is known."""

_dumped: Final = json.JSONEncoder(ensure_ascii=False).encode


def everything(connection: Connection, identity: IdentityKey) -> Everything | None:
    """All that is kept about a person; None for a stranger. The connection sees one state."""
    found = connection.execute(
        select(people.c.person_id, people.c.created_at).where(
            people.c.person_id == reading.person_of(identity).scalar_subquery()
        )
    ).first()
    if found is None:
        return None
    person = PersonId(found.person_id)
    dismissed, wanted = reading.opinions_of(connection, person)
    return Everything(
        person=person,
        accounts=reading.accounts(connection, person),
        created_at=found.created_at,
        history=reading.history(connection, person),
        wanted=wanted,
        dismissed=dismissed,
        preferences=reading.preferences_of(connection, person),
        added_films=reading.added_films_of(connection, person),
        rows={table.name: _rows(connection, table, theirs) for table, theirs in about(person, metadata).items()},
    )


def about(person: PersonId, schema: MetaData) -> dict[Table, ColumnElement[bool]]:
    """Every table from which foreign keys lead to `people`, and which of its rows are about a person.

    A table that names people says so itself; of another, those rows are that belong to one that is about the person.
    """
    root = schema.tables[people.name]
    found: dict[Table, ColumnElement[bool]] = {root: root.c.person_id == person}
    nearest = [root]
    while nearest:
        further: dict[Table, ColumnElement[bool]] = {}
        for table in schema.sorted_tables:
            keys = sorted(table.foreign_keys, key=lambda key: key.parent.name)
            ways = [
                key.parent == person if table_of(key) is root else key.parent.in_(_keys(key, found[table_of(key)]))
                for key in keys
                if table_of(key) in nearest
            ]
            if ways and table not in found:
                further[table] = or_(*ways)
        found |= further
        nearest = list(further)
    return {table: found[table] for table in schema.sorted_tables if table in found}


def table_of(key: ForeignKey) -> Table:
    """The table that a foreign key leads to."""
    table = key.column.table
    if not isinstance(table, Table):
        raise TypeError("a foreign key leads to a table")
    return table


def _keys(key: ForeignKey, which: ColumnElement[bool]) -> Select[tuple[object]]:
    return select(key.column).where(which)


def _rows(connection: Connection, table: Table, which: ColumnElement[bool]) -> tuple[Row, ...]:
    columns = [column for column in table.columns if column not in LEFT_OUT]
    rows = connection.execute(select(*columns).where(which).order_by(*table.primary_key.columns))
    return tuple(dict(row._mapping) for row in rows)


def to_zip(everything: Everything, name: Callable[[int], FilmName | None], moment: datetime) -> bytes:
    """The export of a person, made at `moment`: the same bytes each time for the same arguments.

    `name` says how a film of the catalogue is called. Takes some hundred milliseconds: call it in a thread.
    """
    own = {film.film_id: FilmName(film.title, film.year) for film in everything.added_films}
    names = {film_id: own.get(film_id) or name(film_id) for film_id in _films(everything)}
    members = {
        "README.txt": _readme(),
        JSON_NAME: _json(everything, names, moment),
        "watches.csv": _csv(_WATCH_COLUMNS, [_watch_cells(watch, names) for watch in reversed(everything.history)]),
        "watchlist.csv": _csv(_FILM_COLUMNS, [_film_cells(names[film_id]) for film_id in everything.wanted]),
    }
    for table, rows in everything.rows.items():
        columns = [column.name for column in metadata.tables[table].columns if column not in LEFT_OUT]
        members[f"tables/{table}.csv"] = _csv(columns, [[row[column] for column in columns] for row in rows])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in members.items():
            member = zipfile.ZipInfo(path, moment.astimezone(UTC).timetuple()[:6])
            member.external_attr = 0o600 << 16
            # Half a surrogate pair can only be in a value of JSON, whose way to write it this is.
            content = text.encode("utf-8", "backslashreplace")
            archive.writestr(member, content, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _films(everything: Everything) -> set[int]:
    return {watch.film_id for watch in everything.history} | set(everything.wanted) | everything.dismissed


def _json(everything: Everything, names: Mapping[int, FilmName | None], moment: datetime) -> str:
    preferences = everything.preferences
    document: dict[str, object] = {
        "format": FORMAT,
        "made_at": _moment_text(moment),
        "created_at": _moment_text(everything.created_at),
        "accounts": [asdict(account) for account in everything.accounts],
        "settings": {**asdict(preferences), "group_opt_in": preferences.group_opt_in or None},
        "added_films": [asdict(film) for film in everything.added_films],
        "watches": [_watch_entry(watch, names) for watch in everything.history],
        "watchlist": [_film_entry(film_id, names) for film_id in everything.wanted],
        "dismissed": [_film_entry(film_id, names) for film_id in sorted(everything.dismissed)],
    }
    return "{\n" + ",\n".join(f"{_dumped(name)}: {_lines(value)}" for name, value in document.items()) + "\n}\n"


def _watch_entry(watch: Watch, names: Mapping[int, FilmName | None]) -> dict[str, object]:
    return {
        **_film_entry(watch.film_id, names),
        "watched_on": watch.watched_on.isoformat() if watch.watched_on else None,
        "precision": watch.precision,
        "state": watch.state,
        "rating": watch.rating,
        "reaction": watch.reaction,
        "told_at": _moment_text(watch.told_at),
        "told_on": None if watch.watched_on else watch.sorted_on.isoformat(),
        "source": watch.source,
        "source_key": watch.source_key if watch.source_key is not None else f"nextreel:{watch.watch_id}",
    }


def _film_entry(film_id: int, names: Mapping[int, FilmName | None]) -> dict[str, object]:
    return {"film_id": film_id, **asdict(names[film_id] or _NAMELESS)}


def _lines(value: object) -> str:
    """JSON, a list with one entry a line, so that people and their tools can read it."""
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(map(_dumped, value)) + "\n]"
    return _dumped(value)


def _watch_cells(watch: Watch, names: Mapping[int, FilmName | None]) -> list[object]:
    title, year, *ids = _film_cells(names[watch.film_id])
    watched_on = watch.watched_on.isoformat()[: _SHOWN_LETTERS[watch.precision]] if watch.watched_on else None
    return [title, year, watched_on, watch.rating, watch.reaction, watch.state, watch.told_at, *ids]


def _film_cells(film: FilmName | None) -> list[object]:
    known = film or _NAMELESS
    return [known.title, known.year, known.imdb_id, known.tmdb_id]


def _csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table for spreadsheets, which take a text for UTF-8 by its first sign."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: object) -> str | float | None:
    """A value as people read it; a text that a spreadsheet would run begins with an apostrophe."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        return "true" if value else "false"
    elif value is None or isinstance(value, int | float):
        return value
    elif isinstance(value, datetime):
        return _moment_text(value)
    elif isinstance(value, date):
        return value.isoformat()
    else:
        text = _dumped(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _readme() -> str:
    described = []
    for part, fields in FIELDS.items():
        described.append(f"\n{part or JSON_NAME}\n")
        described += [f"  {field:<15} {what}\n" for field, what in fields.items()]
    return _README + "".join(described)


_README: Final = f"""\
This is everything that Nextreel keeps about you.

{JSON_NAME}    what an import takes: your watches, watchlist, settings and added films
watches.csv      what you watched, newest first, for a spreadsheet
watchlist.csv    what you want to watch
tables/*.csv     every row about you, as it lies in the database, earlier versions of what you changed included

Give the whole file to /import, of this or another Nextreel. What is known there already stays as it is: importing
twice changes nothing. What was said of a film there, and what is set there, counts for more than what this file says.
Of one file, an import takes the first {MAX_WATCHES:,} watches, {MAX_OPINIONS:,} films of each list and
{MAX_ADDED_FILMS:,} added films.

Left out is one thing only: the scrambled form of a code for linking accounts (it works for ten minutes, and whoever
reads it here could become you). A text in a .csv that a spreadsheet might take for a formula begins with an apostrophe.
{JSON_NAME} has every text as it is.

The fields of {JSON_NAME} (UTF-8; fields that are not listed here are ignored):
"""


# In


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
