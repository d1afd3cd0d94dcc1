"""Utterances with their expected parse, out of YAML: `Case`, `read_cases`.

Knows the form that `tests/conversation/README.md` describes and refuses what is not of it, with the case that is wrong.
Knows no conversation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.conversation.loosely import INTENTS

_FIELDS = frozenset({"say", "after", "does", "logged", "removed", "asked", "films", "places", "wish", "set"})
_WATCH_FIELDS = frozenset({"film", "place", "when", "rating", "reaction", "how"})
_WISH_FIELDS = frozenset(
    [
        "count",
        "like",
        "unlike",
        "genres",
        "without_genres",
        "years",
        "era",
        "adventurous",
        "tags",
        "without",
        "people",
        "cannot",
    ]
)
_WHEN = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


class CaseError(ValueError):
    """A case is not of the form; the sentence names the file and what was said."""


@dataclass(frozen=True, slots=True)
class ExpectedWatch:
    """A watch that must be there afterwards: a film by its label, or a place on the list that was shown before."""

    film: str | None = None
    place: int | None = None
    when: str | None = None
    """`2026-11-19`, `2026-10` or `1999`."""
    rating: float | None = None
    reaction: str | None = None
    how: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One utterance. A field that is None says nothing about that part of the parse."""

    say: str
    language: str
    source: str
    """The file that it stands in, without its ending."""
    does: tuple[frozenset[str], ...] = ()
    """The intents in their order, each a set of which any is right."""
    after: tuple[str, ...] = ()
    logged: tuple[ExpectedWatch, ...] = ()
    removed: tuple[str, ...] | None = None
    asked: tuple[str, ...] | None = None
    films: tuple[str, ...] | None = None
    places: tuple[int, ...] | None = None
    wish: Mapping[str, Any] = field(default_factory=dict)
    set: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every film that the case names."""
        named = [watch.film for watch in self.logged if watch.film]
        for more in (self.removed, self.asked, self.films, self.wish.get("like"), self.wish.get("unlike")):
            named += more or ()
        return tuple(named)


def read_cases(file: Path) -> tuple[Case, ...]:
    """The cases of a file, whose name says the language when it is one of two letters (`de.yaml`), else English.

    CaseError when one is not of the form, OSError when the file can't be read.
    """
    import yaml

    language = file.stem if len(file.stem) == 2 else "en"
    try:
        listed = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CaseError(f"{file.name} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(listed, list):
        raise CaseError(f"{file.name} holds no list of cases")
    return tuple(_case(written, language, file.stem) for written in listed)


def _case(written: Any, language: str, source: str) -> Case:
    said = str(written.get("say", "")) if isinstance(written, Mapping) else str(written)

    def refuse(reason: str) -> CaseError:
        return CaseError(f"{source}: “{said}” {reason}")

    if not isinstance(written, Mapping) or "say" not in written or "does" not in written:
        raise refuse("needs `say` and `does`")
    _refuse_unknown(written, _FIELDS, refuse)
    does = tuple(frozenset(str(one).split("|")) for one in written["does"])
    for unknown in sorted(set().union(*does) - INTENTS):
        raise refuse(f"does `{unknown}`, which is no intent")
    wish = written.get("wish") or {}
    _refuse_unknown(wish, _WISH_FIELDS, refuse)
    logged = []
    for watch in written.get("logged") or ():
        _refuse_unknown(watch, _WATCH_FIELDS, refuse)
        when = watch.get("when")
        if when is not None and not _WHEN.fullmatch(str(when)):
            raise refuse(f"was watched {when}, which is no date")
        logged.append(ExpectedWatch(**{**watch, "when": None if when is None else str(when)}))
    return Case(
        say=said,
        language=language,
        source=source,
        does=does,
        after=_texts(written, "after") or (),
        logged=tuple(logged),
        removed=_texts(written, "removed"),
        asked=_texts(written, "asked"),
        films=_texts(written, "films"),
        places=tuple(written["places"]) if "places" in written else None,
        wish=wish,
        set={str(name): _text(value) for name, value in (written.get("set") or {}).items()},
    )


def _refuse_unknown(written: Mapping[str, object], known: frozenset[str], refuse: Any) -> None:
    for name in sorted(set(map(str, written)) - known):
        raise refuse(f"has `{name}`, which is no field")


def _texts(written: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    listed: Sequence[object] | None = written.get(name)
    return None if listed is None else tuple(map(str, listed))


def _text(value: object) -> str:
    """YAML reads `on` and `off` as true and false."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
