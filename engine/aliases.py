"""Names that people use for films and the catalogue does not, from a file of an operator's: `read_aliases`.

Knows the form of the file and says in a sentence what is wrong with it. `titles.toml` holds those that ship.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.films import Catalog, Film, FilmId
from engine.names import loose_words
from engine.titles import Alias, Certainty, TitleIndex

MAX_ALIASES = 50_000
"""Names that one file may hold: all of them are looked through for every misspelt title."""
MAX_NAME = 200
"""Characters of a name."""

_FIELDS = {"names", "film_id", "film"}


class AliasError(ValueError):
    """A file of aliases can't be used; the text is one sentence that names the file and what is wrong in it."""


def read_aliases(file: Path, titles: TitleIndex, catalog: Catalog) -> tuple[Alias, ...]:
    """The aliases of a file of `[[alias]]` tables, each with `names` and a `film_id`, a `film` (“Title (Year)”), or
    both. AliasError when the file is not there, is not of that form, or names a film that `catalog` does not have."""
    try:
        data: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise AliasError(f"The aliases in {file} can't be read: {error.strerror or type(error).__name__}.") from None
    except UnicodeDecodeError:
        raise AliasError(f"The aliases in {file} are not a text file in UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise AliasError(f"The aliases in {file} are not valid TOML: {_in_one_line(str(error))}.") from None
    tables = data.pop("alias", [])
    if data:
        raise AliasError(f"The aliases in {file} are wrong: “{_in_one_line(min(data))}” is no “[[alias]]”.")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise AliasError(f"The aliases in {file} are wrong: “alias” is not a list of tables, “[[alias]]” each.")
    found: list[Alias] = []
    for number, table in enumerate(tables, 1):
        try:
            found += _aliases_of(table, titles, catalog)
        except ValueError as error:
            raise AliasError(f"The aliases in {file} are wrong: alias {number} {error}.") from None
    if len(found) > MAX_ALIASES:
        raise AliasError(f"The aliases in {file} are {len(found):,} names; {MAX_ALIASES:,} are possible.")
    return tuple(dict.fromkeys(found))


def _aliases_of(table: Mapping[str, Any], titles: TitleIndex, catalog: Catalog) -> Iterator[Alias]:
    """The aliases of one table; ValueError, as the end of a sentence, when it is wrong."""
    if strange := sorted(set(table) - _FIELDS):
        raise ValueError(f"has “{_in_one_line(strange[0])}”, which means nothing")
    names = table.get("names")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError("has no “names”, a list of texts")
    film = _film_of(table, titles, catalog)
    for name in names:
        spaced = " ".join(loose_words(name))
        if not spaced or len(name) > MAX_NAME:
            raise ValueError(f"has the name “{_in_one_line(name)}”, which nobody can type")
        yield Alias(spaced, film.film_id)


def _film_of(table: Mapping[str, Any], titles: TitleIndex, catalog: Catalog) -> Film:
    film_id, label = table.get("film_id"), table.get("film")
    if film_id is None and label is None:
        raise ValueError("names no film: it needs a “film_id” or a “film”")
    if label is not None and not (isinstance(label, str) and label.strip()):
        raise ValueError('has a “film” that is no text, such as "Alien (1979)"')
    if film_id is None:
        return _film_called(str(label), titles, catalog)
    if not isinstance(film_id, int) or isinstance(film_id, bool):
        raise ValueError("has a “film_id” that is no whole number")
    film = catalog.film(FilmId(film_id)) if 0 <= film_id < 2**31 else None
    if film is None:
        raise ValueError(f"names film {film_id}, which the catalogue does not have")
    if label is not None and film.film_id != (called := _film_called(label, titles, catalog)).film_id:
        raise ValueError(f"names film {film_id}, which is {film.label}, and {called.label}")
    return film


def _film_called(label: str, titles: TitleIndex, catalog: Catalog) -> Film:
    """The film of a title and a year, as the catalogue or as a person writes it; ValueError unless it is just one."""
    link = titles.link(label)
    films = [film for match in link.matches if (film := catalog.film(match.film_id))]
    just = [film for film in films if film.label.casefold() == label.strip().casefold()]
    if link.certainty is Certainty.CLEAR and link.matches[0].similarity > _SAME_NAME and label.rstrip().endswith(")"):
        just = just or films[:1]
    shown = _in_one_line(label)
    if len(just) > 1:
        ids = " and ".join(str(film.film_id) for film in just)
        raise ValueError(f"names “{shown}”, which are films {ids}: say which by “film_id”")
    if not just:
        near = f" (it has “{films[0].label}”)" if films else ""
        raise ValueError(f"names “{shown}”, which the catalogue does not have{near}")
    return just[0]


_SAME_NAME = 0.97
"""Likeness of a name that differs by its article or its numerals alone."""


def _in_one_line(text: str) -> str:
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
