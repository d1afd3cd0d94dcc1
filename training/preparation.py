"""From the ratings of several sources to one long table in order, in Ibis: the same expressions on DuckDB and on Spark.

Knows tables of ratings, who is in two of them, and the order of a history. Knows no files (`training.files`), no
recipe and no engine: whatever backend the tables belong to does the work, out of core where it can.

The order is total (person, time, source, place in the file), so every engine gives the very same rows. It ends in one
long table and not in a list a person, because Spark cannot collect a list in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

MIN_DOUBLE_PAIRS = 10
"""Two people of two sets who share this many (film, second) pairs are one person; the later set's copy is dropped."""


@dataclass(frozen=True, slots=True)
class Rated:
    """The ratings of one source: `userId`, `movieId`, `rating`, `timestamp`, `row`. Without `timed`, the timestamps
    are only places in a history, by which nobody is known again. People are named `name:userId`, or `userId`."""

    table: ir.Table
    timed: bool = True
    name: str = ""
    drop_last_person: bool = False


def named(source: Rated) -> ir.Table:
    """`person` (text), `film`, `stars`, `time`, `row` of one source, without its last person where that is wanted."""
    table = source.table
    if source.drop_last_person:
        table = table.filter(table.userId < table.userId.max().as_scalar())
    prefix = f"{source.name}:" if source.name else ""
    return table.select(
        person=ibis.literal(prefix) + table.userId.cast("string"),
        film=table.movieId.cast("int64"),
        stars=table.rating.cast("float64"),
        time=table.timestamp.cast("int64"),
        row=table.row.cast("int64"),
    )


def joined(sources: Sequence[Rated]) -> ir.Table:
    """All sources' rows with `source`, their place among the sources; who is in two of them is kept once."""
    frames: list[ir.Table] = []
    timed: list[ir.Table] = []
    for place, source in enumerate(sources):
        frame = named(source).mutate(source=ibis.literal(place, "int64"))
        for earlier in timed if source.timed else ():
            pairs = earlier.join(frame, ["film", "time"]).group_by(["person", "person_right"])
            doubles = pairs.agg(pairs=ibis._.count()).filter(ibis._.pairs >= MIN_DOUBLE_PAIRS)
            frame = frame.anti_join(doubles, frame.person == doubles.person_right)
        frames.append(frame)
        if source.timed:
            timed.append(frame)
    return ibis.union(*frames) if len(frames) > 1 else frames[0]


def people(every: ir.Table) -> ir.Table:
    """`person` and `rows` (how many ratings) of everybody in the joined table, by name."""
    return every.group_by("person").agg(rows=ibis._.count()).order_by("person")


def long_table(every: ir.Table) -> ir.Table:
    """`person` (int64, the place of the name among all names), `film`, `stars`, `time`: one row a rating, everybody's
    history after the other's, each by time, ties by source and place in the file."""
    names = every.select("person").distinct()
    numbered = names.mutate(number=ibis.row_number().over(order_by=names.person))
    known = every.join(numbered, "person")
    ordered = known.select("number", "film", "stars", "time", "source", "row")
    ordered = ordered.order_by("number", "time", "source", "row")
    return ordered.select("film", "stars", "time", person=ordered.number.cast("int64"))
