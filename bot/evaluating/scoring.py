"""Outcomes beside what was expected: what is wrong with each, and the figures over all of them.

Pure functions of cases and outcomes; knows no conversation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.evaluating.cases import Case, ExpectedWatch
from bot.evaluating.hearing import HeardWatch, Outcome

_ALIKE = {"seen": "log"}
"""“Saw it” after a film was named is a watch told and a film seen: what matters is what is logged."""
_ASIDES = frozenset({"chat", "mention"})
"""What may be passed over beside something to do."""
_RATING_SLACK = 0.25
"""Stars that a mark may be off: school grades have no exact place among them."""
_OLD_UNTIL, _MODERN_FROM = 1999, 2000
_WISHED_FILMS = ("like", "unlike")
_WISHED_WORDS = ("tags", "without", "people")


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, what came of it, and what is wrong with that, a word for each part (`does`, `logged`, …)."""

    case: Case
    outcome: Outcome
    wrong: tuple[str, ...]


def judge(case: Case, outcome: Outcome) -> Judged:
    """Compare every part that the case tells."""
    checks: tuple[tuple[str, Callable[[Case, Outcome], bool]], ...] = (
        ("does", _does),
        ("logged", _logged),
        ("removed", _removed),
        ("asked", _asked),
        ("films", _films),
        ("places", _places),
        ("wish", _wish),
        ("set", _set),
    )
    return Judged(case, outcome, tuple(name for name, right in checks if not right(case, outcome)))


def _does(case: Case, outcome: Outcome) -> bool:
    done = _telling([frozenset({_ALIKE.get(name, name)}) for name in outcome.does])
    wanted = _telling([frozenset(_ALIKE.get(name, name) for name in either) for either in case.does])
    return len(done) == len(wanted) and all(one <= either for one, either in zip(done, wanted, strict=True))


def _telling(does: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """Without what asks for nothing beside what does."""
    telling = [either for either in does if not either <= _ASIDES] or list(does[:1])
    return [either for place, either in enumerate(telling) if place == 0 or either != telling[place - 1]]


def _logged(case: Case, outcome: Outcome) -> bool:
    if any("undo" in either for either in case.does) and not case.logged:
        return True  # what comes back by undoing is not told anew
    left = list(outcome.logged)
    for wanted in case.logged:
        found = next((watch for watch in left if _same(wanted, watch, outcome.shown)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _film_of(wanted: ExpectedWatch, shown: Sequence[str]) -> str | None:
    if wanted.place is not None:
        return shown[wanted.place - 1] if 1 <= wanted.place <= len(shown) else None
    return wanted.film


def _same(wanted: ExpectedWatch, watch: HeardWatch, shown: Sequence[str]) -> bool:
    told = (watch.film, watch.reaction, watch.how) == (_film_of(wanted, shown), wanted.reaction, wanted.how)
    # A date that is not worth a `when` may be kept roughly, never to the day.
    vague = wanted.when is None and watch.when is not None and len(watch.when) < len("2026-11-20")
    rated = (
        wanted.rating is not None and watch.rating is not None and abs(wanted.rating - watch.rating) <= _RATING_SLACK
    )
    return told and (watch.when == wanted.when or vague) and (rated or watch.rating is wanted.rating)


def _removed(case: Case, outcome: Outcome) -> bool:
    return case.removed is None or sorted(case.removed) == sorted(outcome.removed)


def _asked(case: Case, outcome: Outcome) -> bool:
    if case.asked is None:
        return True  # a question instead of a watch shows in what is logged
    offered = {film for choices in outcome.choices for film in choices}
    return set(case.asked) <= offered


def _films(case: Case, outcome: Outcome) -> bool:
    if case.films is None:
        return True
    left = list(outcome.films)
    for wanted in case.films:
        found = next((films for films in left if wanted in films), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _places(case: Case, outcome: Outcome) -> bool:
    return sorted(case.places or ()) == sorted(outcome.places)


def _wish(case: Case, outcome: Outcome) -> bool:
    wanted, told = dict(case.wish), dict(outcome.wish)
    for name in _WISHED_FILMS:
        films, found = list(wanted.pop(name, None) or ()), list(told.pop(name, None) or ())
        if len(films) != len(found) or not all(film in choices for film, choices in zip(films, found, strict=True)):
            return False
    for name in _WISHED_WORDS:
        if _words(wanted.pop(name, None)) != _words(told.pop(name, None)):
            return False
    for name in ("genres", "without_genres", "cannot"):
        if set(wanted.pop(name, None) or ()) != set(told.pop(name, None) or ()):
            return False
    era = wanted.pop("era", None)
    if era in {"old", "modern"}:
        first, last = told.pop("years", None) or (None, None)
        recent = told.pop("era", None) == "recent"
        if era == "old" and not (first is None and last is not None and last <= _OLD_UNTIL):
            return False
        if era == "modern" and not (recent or (last is None and first is not None and first >= _MODERN_FROM)):
            return False
    elif era != told.pop("era", None):
        return False
    return wanted == told


def _words(listed: Sequence[object] | None) -> set[str]:
    """Single words, without endings: which words make one tag is the catalogue's, and how they are joined."""
    return {
        re.sub(r"(?:ies|y|e?s)$", "", word)
        for text in listed or ()
        for word in re.findall(r"\w+", str(text).lower().replace("-", " "))
    }


def _set(case: Case, outcome: Outcome) -> bool:
    return dict(case.set) == dict(outcome.set)


# Figures


@dataclass(frozen=True, slots=True)
class Figures:
    """What all judged cases come to; shares from 0 to 1. Names are those of `benchmarks/results/understanding.json`."""

    cases: int
    intent_accuracy: float
    silent_log_precision: float
    no_log_accuracy: float
    title_recall: float
    needless_questions: float
    silently_logged: int
    nothing_to_log: int
    films: int

    def named(self) -> dict[str, float]:
        """The figures by name."""
        return {
            "cases": self.cases,
            "intent-accuracy": self.intent_accuracy,
            "silent-log-precision": self.silent_log_precision,
            "silently-logged": self.silently_logged,
            "no-log-accuracy": self.no_log_accuracy,
            "nothing-to-log": self.nothing_to_log,
            "title-recall-own": self.title_recall,
            "films": self.films,
            "needless-questions": self.needless_questions,
        }


def figures(judged: Sequence[Judged]) -> Figures:
    """The figures of some cases; a share of nothing is 1 (0 for questions)."""
    logged = [(watch.film, one) for one in judged for watch in one.outcome.logged if not _undoes(one.case)]
    right = sum(film in _expected(one.case, one.outcome) for film, one in logged)
    nothing = [one for one in judged if not one.case.logged and not _undoes(one.case)]
    silent = sum(not one.outcome.logged for one in nothing)
    named = [(film, one) for one in judged for film in one.case.labels if film not in (one.case.removed or ())]
    linked = sum(film in _linked(one.outcome) for film, one in named)
    clear = [(film, one) for one in judged for film in _expected(one.case, one.outcome)]
    asked = sum(
        film not in {watch.film for watch in one.outcome.logged}
        and any(film in choices for choices in one.outcome.choices)
        for film, one in clear
    )
    return Figures(
        cases=len(judged),
        intent_accuracy=_share(sum(not one.wrong for one in judged), len(judged)),
        silent_log_precision=_share(right, len(logged)),
        no_log_accuracy=_share(silent, len(nothing)),
        title_recall=_share(linked, len(named)),
        needless_questions=asked / len(clear) if clear else 0.0,
        silently_logged=len(logged),
        nothing_to_log=len(nothing),
        films=len(named),
    )


def _undoes(case: Case) -> bool:
    return any("undo" in either for either in case.does)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _expected(case: Case, outcome: Outcome) -> list[str]:
    return [film for wanted in case.logged if (film := _film_of(wanted, outcome.shown))]


def _linked(outcome: Outcome) -> set[str]:
    """Every film that the bot took from an utterance, or offers as a choice."""
    found = {watch.film for watch in outcome.logged}
    found |= {film for choices in (*outcome.choices, *outcome.films) for film in choices}
    for name in _WISHED_FILMS:
        found |= {film for choices in outcome.wish.get(name, ()) for film in choices}
    return found


@dataclass(frozen=True, slots=True)
class OfIntent:
    """How well one intent is told from the others."""

    expected: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Of what was taken for it, what is it."""
        return _share(self.right, self.found)

    @property
    def recall(self) -> float:
        """Of what is it, what was taken for it."""
        return _share(self.right, self.expected)


def by_intent(judged: Sequence[Judged]) -> dict[str, OfIntent]:
    """Every intent that was expected or found, the most expected first."""
    expected, found, right = Counter[str](), Counter[str](), Counter[str]()
    for one in judged:
        wanted, done = _bags(one)
        expected += wanted
        found += done
        right += wanted & done
    names = sorted({*expected, *found}, key=lambda name: (-expected[name], name))
    return {name: OfIntent(expected[name], found[name], right[name]) for name in names}


def confusions(judged: Sequence[Judged]) -> list[tuple[str, str, int]]:
    """What was taken for what, the most frequent first; “–” where there was nothing on that side."""
    counted = Counter[tuple[str, str]]()
    for one in judged:
        wanted, done = _bags(one)
        missing, extra = sorted((wanted - done).elements()), sorted((done - wanted).elements())
        for place in range(max(len(missing), len(extra))):
            pair = (missing[place : place + 1] or ["–"])[0], (extra[place : place + 1] or ["–"])[0]
            counted[pair] += 1
    return [(wanted, done, times) for (wanted, done), times in counted.most_common()]


def _bags(one: Judged) -> tuple[Counter[str], Counter[str]]:
    """Which intents were expected (of two that are right the one that was found) and which found."""
    done = Counter(_ALIKE.get(name, name) for name in one.outcome.does)
    wanted = Counter[str]()
    for either in one.case.does:
        names = sorted(_ALIKE.get(name, name) for name in either)
        wanted[next((name for name in names if name in done), names[0])] += 1
    return wanted, done


def described(outcome: Outcome) -> Mapping[str, Any]:
    """An outcome in the words of a case, for those who look at what went wrong."""
    told: dict[str, Any] = {"does": list(outcome.does)}
    if outcome.logged:
        told["logged"] = [
            {name: value for name in HeardWatch.__dataclass_fields__ if (value := getattr(watch, name)) is not None}
            for watch in outcome.logged
        ]
    parts = {
        "removed": outcome.removed,
        "asked": outcome.choices if outcome.asked else (),
        "films": outcome.films,
        "places": outcome.places,
        "wish": outcome.wish,
        "set": outcome.set,
    }
    return told | {name: value for name, value in parts.items() if value}
