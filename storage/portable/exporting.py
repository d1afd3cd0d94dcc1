"""Everything about a person as one zip: for themselves, for their spreadsheet, and for another Nextreel.

`nextreel.json` holds what an import takes, `watches.csv` and `watchlist.csv` have the same for people, and `tables/`
every row about the person of every table that leads to `people`, found by the schema's foreign keys. Knows no
catalogue: `FilmName` is what the caller knows of a film.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, ForeignKey, MetaData, Select, Table, or_, select

from storage import reading
from storage.portable.form import FIELDS, FORMAT, JSON_NAME, MAX_ADDED_FILMS, MAX_OPINIONS, MAX_WATCHES
from storage.records import (
    AddedFilm,
    IdentityKey,
    PersonId,
    Precision,
    Preferences,
    Watch,
)
from storage.tables import link_codes, metadata, people

LEFT_OUT: Final = frozenset({link_codes.c.code_hash})
"""Columns that no export holds. A code is short enough to be found from its hash, and whoever has it may take over the
account for some minutes; an export is given to others more lightly than a password."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet may run (https://owasp.org/www-community/attacks/CSV_Injection)."""

Row = Mapping[str, object]


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
