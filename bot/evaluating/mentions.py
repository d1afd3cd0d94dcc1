"""Film names cut out of real chat, by row and place, and whether they are linked: `Mention`, `link_mentions`.

The chat itself is not ours to ship: the set holds numbers, and the text is read from the folder that somebody has.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.evaluating.cases import CaseError
from engine.films import FilmId
from engine.titles import Certainty, TitleIndex

CHAT = "dev.tsv"
"""The file of the INSPIRED data set (Hayati et al., EMNLP 2020) that the mentions are places in."""


@dataclass(frozen=True, slots=True)
class Mention:
    """The words `text[start:end]` of a row of the chat, and the films of which any may be meant."""

    row: int
    start: int
    end: int
    films: frozenset[int]


@dataclass(frozen=True, slots=True)
class LinkedMention:
    """A mention, its words, and what they were linked to."""

    mention: Mention
    words: str
    certainty: Certainty
    film_ids: tuple[FilmId, ...]

    @property
    def found(self) -> bool:
        """Whether the right film was linked, or is among the choices."""
        offered = self.film_ids[:1] if self.certainty is Certainty.CLEAR else self.film_ids
        return not self.mention.films.isdisjoint(offered)


def read_mentions(file: Path) -> tuple[Mention, ...]:
    """The mentions of a file: `{row: 17, start: 24, end: 30, film: 2571}`, or `films: [id, id]`."""
    import yaml

    try:
        return tuple(
            Mention(one["row"], one["start"], one["end"], frozenset(one.get("films") or (one["film"],)))
            for one in yaml.safe_load(file.read_text(encoding="utf-8"))
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise CaseError(f"{file.name} is no list of mentions: {' '.join(str(error).split())[:200]}") from None


def link_mentions(mentions: Sequence[Mention], chat: Path, titles: TitleIndex) -> tuple[LinkedMention, ...]:
    """Link each mention by its words alone. OSError without the chat; CaseError when the places are not of it."""
    with (chat / CHAT).open(encoding="utf-8", newline="") as file:
        rows = [row["text"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    linked = []
    for mention in mentions:
        words = rows[mention.row][mention.start : mention.end] if mention.row < len(rows) else ""
        if not words:
            raise CaseError(f"{chat / CHAT} has no row {mention.row} of that length")
        link = titles.link(words)
        linked.append(LinkedMention(mention, words, link.certainty, tuple(match.film_id for match in link.matches)))
    return tuple(linked)
