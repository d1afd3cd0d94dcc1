"""The form of an export: its number, the file in it that an import reads, how much of it, and what each field holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from storage.records import FIRST_ADDED_FILM

FORMAT: Final = 1
"""The newest `nextreel.json` that is understood, and the one that is written."""

JSON_NAME: Final = "nextreel.json"

MAX_WATCHES: Final = 20_000
"""Watches of one file: two a day for 27 years, and a second in which nobody else writes to an SQLite database."""
MAX_OPINIONS: Final = 10_000
"""Films of one file's watchlist, and as many not to be shown."""
MAX_ADDED_FILMS: Final = 1_000

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
