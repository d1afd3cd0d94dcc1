"""The commands: their names, and how a typed one is taken apart. Every intent that talk has, a command has too.

Knows names and arguments; what they mean is `bot.conversation.understand`'s, how platforms register them is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum


class Name(StrEnum):
    """A command; the comment says which named arguments it takes from platforms."""

    WATCHED = "watched"  # film, when, rating, finished
    NEXT = "next"  # wish, count, like, genre, years, adventure; or again; and the people of the message
    NIGHT = "movienight"  # the same, to vote on
    LIKE = "like"  # film
    WHY = "why"  # which
    SEEN = "seen"  # which
    DISMISS = "dismiss"  # which
    MORE = "more"  # count
    UNDO = "undo"
    HISTORY = "history"  # film
    REMOVE = "remove"  # film
    WATCHLIST = "watchlist"  # add, remove; or film
    WANT = "want"  # film
    UNWANT = "unwant"  # film
    SETTINGS = "settings"  # time_zone, language, adventurousness, answers, groups; or setting, value
    SERVER = "server"  # allow and allow_name, disallow, everywhere, adventurousness
    FOUND = "found"  # text: somebody's, with names of films in it
    PRIVACY = "privacy"
    EXPORT = "export"
    IMPORT = "import"  # and the files of the message
    LINK = "link"  # code
    UNLINK = "unlink"
    FORGET = "forget"
    HELP = "help"


ALIASES: Mapping[str, Name] = {
    **{name.value: name for name in Name},
    "log": Name.WATCHED,
    "watch": Name.WATCHED,
    "saw": Name.WATCHED,
    "recommend": Name.NEXT,
    "suggest": Name.NEXT,
    "similar": Name.LIKE,
    "skip": Name.DISMISS,
    "hide": Name.DISMISS,
    "diary": Name.HISTORY,
    "films": Name.HISTORY,
    "delete": Name.REMOVE,
    "wishlist": Name.WATCHLIST,
    "queue": Name.WATCHLIST,
    "save": Name.WANT,
    "bookmark": Name.WANT,
    "unsave": Name.UNWANT,
    "setting": Name.SETTINGS,
    "set": Name.SETTINGS,
    "preferences": Name.SETTINGS,
    "data": Name.PRIVACY,
    "connect": Name.LINK,
    "disconnect": Name.UNLINK,
    "forgetme": Name.FORGET,
    "start": Name.HELP,
    "commands": Name.HELP,
}

_FILM = re.compile(r"film:(\d{1,18})", re.ASCII)


def film_value(film_id: int) -> str:
    """A film as the value of an argument, for platforms whose fields complete what is typed: `film:296`."""
    return f"film:{film_id}"


def film_of(value: str) -> int | None:
    """The id of `film_value`'s text; None for any other."""
    found = _FILM.fullmatch(value.strip())
    return int(found[1]) if found else None


_TYPED = re.compile(r"/\s?([a-z]{2,12})(?:\s+|$)(.*)", re.IGNORECASE | re.DOTALL)


def taken_apart(text: str) -> tuple[Name | None, str] | None:
    """The command and the rest of a text that begins with a slash and a word; None when it is no command.

    The name is None for a command that there is not.
    """
    found = _TYPED.fullmatch(text.strip())
    return (ALIASES.get(found.group(1).lower()), found.group(2).strip()) if found else None
