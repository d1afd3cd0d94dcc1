"""Every film of a unique name, said in a sentence: `python -m benchmarks.titles` (or `make bench-titles`).

Says “I watched …” with each title of the catalogue that no other film has, understands it and acts on it as the
dialogue does, and counts what came of it: the film is logged; asked about, among the choices; anything else is a
failure, by kind. Measures in the same run, on one core: linking a title, finding the names in a message, understanding
the messages of `tests/conversation` (the files that phrases are tuned on), and what the title index takes of memory.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks import figures
from benchmarks.figures import Figure
from bot.conversation.context import Context
from bot.conversation.dialogue import act
from bot.conversation.grammar import tokenize
from bot.conversation.intents import LogWatches, Situation
from bot.conversation.people import words_of_wishes
from bot.conversation.phrases import phrases_for, say_for
from bot.conversation.spotting import Known
from bot.conversation.tagging import compact_tags_of
from bot.conversation.turn import Fetched, Habits, Turn
from bot.conversation.understand import understand
from bot.evaluating.cases import read_cases
from engine import bundle
from engine.films import Catalog, Film
from engine.names import loose_key
from engine.recommender import Recommender
from engine.titles import TitleIndex, Words
from storage.records import MessageId, Snapshot

COMMAND = "python -m benchmarks.titles"
CARRIER = "I watched {title}"
LEAST = 0.985
"""Share of the titles that must be linked: logged, or among the choices of a question."""
LINK_MS, MESSAGE_MS, INDEX_MB = 5.0, 20.0, 120.0
CASES = Path(__file__).parent.parent / "tests" / "conversation"
TUNED = ("watching", "asking")
ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_MOMENT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
_SHOWN = 12
"""Titles of each kind of failure that are printed."""


class Came(StrEnum):
    """What came of a title in a sentence."""

    LOGGED = "logged"
    ASKED = "asked"
    ASKED_WITHOUT_IT = "asked-without-it"
    OTHER_LOGGED = "other-logged"
    NOT_A_WATCH = "not-a-watch"
    UNKNOWN = "unknown"


LINKED = frozenset({Came.LOGGED, Came.ASKED})


def unique_titles(catalog: Catalog) -> list[int]:
    """Rows of the films whose title is the name of no other, articles and numerals aside, nor what people call one."""
    rows_of: dict[str, set[int]] = defaultdict(set)
    for alias in Words.read().aliases:
        if (row := catalog.row_of(alias.film_id)) is not None:
            rows_of[alias.spaced.replace(" ", "")].add(row)
    for row in range(len(catalog)):
        for name in catalog.names_at(row):
            rows_of[loose_key(name)].add(row)
    return [row for row in range(len(catalog)) if rows_of[loose_key(catalog.names_at(row)[0])] == {row}]


def came_of(film: Film, recommender: Recommender, known: Known) -> Came:
    """What comes of a stranger's saying that they watched a film."""
    intents = understand(CARRIER.format(title=film.title), Situation(), "en", known)
    turn = Turn(
        engine=recommender,
        habits=Habits(),
        phrases=phrases_for("en"),
        say=say_for("en"),
        language="en",
        snapshot=Snapshot(None, 0),
        fetched=Fetched(),
        context=Context(),
        moment=_MOMENT,
        message_id=MessageId(1),
    )
    for intent in intents:
        act(turn, intent)
    logged = [log.film_id for log in turn.logged]
    choices = [film_id for question in turn.questions for film_id in question.choices]
    if logged:
        return Came.LOGGED if logged == [film.film_id] and not turn.questions else Came.OTHER_LOGGED
    if film.film_id in choices:
        return Came.ASKED
    if choices:
        return Came.ASKED_WITHOUT_IT
    return Came.UNKNOWN if any(isinstance(intent, LogWatches) for intent in intents) else Came.NOT_A_WATCH


@cache
def _opened() -> tuple[Recommender, Known]:
    recommender = Recommender(bundle.load(bundle.STARTER, provider="cpu", verify=False), provider="cpu")
    tags = words_of_wishes(compact_tags_of(recommender.catalog), recommender.people)
    return recommender, Known(recommender.titles, tags)


def _came_of_rows(rows: Sequence[int]) -> list[tuple[int, Came]]:
    recommender, known = _opened()
    return [(row, came_of(recommender.catalog.film_at(row), recommender, known)) for row in rows]


def said(rows: Sequence[int], processes: int) -> dict[int, Came]:
    """What came of each row's title, by as many processes."""
    parts = [rows[start : start + 200] for start in range(0, len(rows), 200)]
    if processes == 1:
        return dict(found for part in parts for found in _came_of_rows(part))
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return dict(found for part in pool.imap_unordered(_came_of_rows, parts) for found in part)


def _milliseconds(calls: Iterable[Callable[[], object]]) -> list[float]:
    """What each call takes of the processor, the least of three: other programs have the machine too."""
    taken = []
    for call in calls:
        times = []
        for _ in range(3):
            start = time.thread_time()
            call()
            times.append(1000 * (time.thread_time() - start))
        taken.append(min(times))
    return taken


def _percentiles(name: str, times: Sequence[float], limit: float | None) -> Iterator[Figure]:
    for share in (50, 99):
        yield Figure(f"{name}_p{share}_ms", float(np.percentile(times, share)), limit)


def speed(titles: TitleIndex, known: Known, films: Sequence[Film]) -> Iterator[Figure]:
    """Linking the titles of these films, as they are and with a slip; and reading the tuned messages."""
    typed = [film.title for film in films]
    # Made anew for each measuring: the index remembers the names that it has compared.
    yield from _percentiles("titles/link", _milliseconds([lambda t=t: titles.link(t) for t in typed]), LINK_MS)
    slips = [_with_slip(title) for title in typed]
    yield from _percentiles("titles/link_misspelt", _milliseconds([lambda t=t: titles.link(t) for t in slips]), LINK_MS)
    cases = [case for name in TUNED for case in read_cases(CASES / f"{name}.yaml")]
    pieces = [[token.raw for token in tokenize(case.say)] for case in cases]
    yield from _percentiles("titles/named_in", _milliseconds([lambda p=p: titles.named_in(p) for p in pieces]), LINK_MS)

    def read(say: str, after: int) -> Callable[[], object]:
        situation = Situation(shown=5 * bool(after))
        return lambda: understand(say, situation, "en", known)

    times = _milliseconds([read(case.say, len(case.after)) for case in cases])
    yield from _percentiles("messages/understand", times, MESSAGE_MS)
    yield Figure("messages/understand_longest_ms", max(times))
    yield Figure("messages/understood_messages", float(len(cases)))


def _with_slip(title: str) -> str:
    """A title with two letters in its middle in the wrong order."""
    middle = len(title) // 2
    return title[: middle - 1] + title[middle : middle + 1] + title[middle - 1 : middle] + title[middle + 1 :]


def index_memory() -> float:
    """Megabytes that the title index adds to a process that has the catalogue, once it has been used all over."""
    code = """
import random
from benchmarks.engine import resident
from engine import bundle
opened = bundle.load(bundle.STARTER, verify=False, provider="cpu")
catalog = opened.catalog
names = [catalog.film_at(row).title for row in range(len(catalog))]
before = resident()
for name in random.Random(7).sample(names, 3000):
    opened.titles.link(name[:-1]); opened.titles.named_in(name.split())
print((resident() - before) / 2**20)
"""
    return float(subprocess.check_output([sys.executable, "-c", code], text=True))


def main() -> None:
    """Say, measure, print and keep the figures."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="so many titles by chance, not all")
    parser.add_argument("--processes", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    arguments = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_CORE.items()):
        os.execve(
            sys.executable, [sys.executable, "-m", "benchmarks.titles", *sys.argv[1:]], {**os.environ, **ONE_CORE}
        )
    recommender, known = _opened()
    catalog = recommender.catalog
    rows = unique_titles(catalog)
    unique = len(rows)
    timed = [catalog.film_at(row) for row in random.Random(3).sample(rows, 2_000)]
    found = [*speed(recommender.titles, known, timed), Figure("titles/index_mb", index_memory(), INDEX_MB)]
    if arguments.sample:
        rows = sorted(random.Random(11).sample(rows, min(arguments.sample, unique)))
    came = said(rows, arguments.processes)
    kinds = Counter(came.values())
    metrics = figures.flat(found) | {
        "titles/films": float(len(catalog)),
        "titles/unique": float(unique),
        "titles/said": float(len(came)),
        "titles/linked": sum(kinds[kind] for kind in LINKED) / len(came),
        "titles/linked-least": LEAST,
        **{f"titles/{kind.value}": kinds[kind] / len(came) for kind in Came},
    }
    print(figures.table(found))
    for kind in Came:
        print(f"{kind.value:20}{kinds[kind]:>8}{kinds[kind] / len(came):>10.4%}")
        if kind not in LINKED:
            shown = [catalog.film_at(row).label for row, one in came.items() if one is kind]
            print("   ", json.dumps(random.Random(5).sample(shown, min(_SHOWN, len(shown))), ensure_ascii=False))
    command = f"{COMMAND} --sample {arguments.sample}" if arguments.sample else COMMAND
    settings = {"carrier": CARRIER, "threads": 1, "tuned": list(TUNED)}
    print(figures.write("titles", command=command, settings=settings, metrics=metrics))


if __name__ == "__main__":
    main()
