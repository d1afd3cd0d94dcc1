"""Time zones by the names that people use: `zone_of` a name, `place_in` a sentence.

Knows the IANA names, the places in them and cities that none is called after (`cities.toml`); no person, no setting.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from zoneinfo import available_timezones

_NO_PLACES = frozenset({"Factory", "localtime"})
_CONTINENTS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)
_LONGEST = 3
"""Words of a place's name."""


def zone_of(words: str) -> str | None:
    """The IANA zone of a name, whole (“europe/berlin”) or its place alone (“New York”); None when there is none."""
    return _zones().get(_place_key(words))


def place_in(words: Sequence[str]) -> str | None:
    """The first place of a sentence that a zone is called after, as it was typed."""
    for size in range(min(_LONGEST, len(words)), 0, -1):
        for start in range(len(words) - size + 1):
            name = " ".join(words[start : start + size]).removesuffix("'s").removesuffix("’s")
            if len(name) > 2 and zone_of(name):
                return name
    return None


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """Every zone by its name, and by its place alone where no other place is called so."""
    names = sorted(available_timezones() - _NO_PLACES)
    by_place: dict[str, list[str]] = {}
    for name in names:
        if name.startswith(_CONTINENTS):
            by_place.setdefault(_place_key(name.rsplit("/", 1)[1]), []).append(name)
    places = {place: zones[0] for place, zones in by_place.items() if len(zones) == 1}
    listed = tomllib.loads(files(__package__).joinpath("cities.toml").read_text(encoding="utf-8"))["cities"]
    cities = {_place_key(city): zone for zone, of in listed.items() if zone in names for city in of}
    return cities | places | {_place_key(name): name for name in names}


def _place_key(name: str) -> str:
    return " ".join(re.sub(r"[_\s]+", " ", name).split()).casefold()
