"""What words are about when no phrase reads them: `Gist`, learned from examples.

There are three for a language: what a sentence is about (its intent), what a clause says was thought of a film, and
whether this person watched a film that is named. Each is a linear model over the words of a sentence in ones, twos and
threes, with films, days, marks and numbers as kinds of words; the probability of each class comes out. It says what is
meant at large, never which film or which day. Its weights lie beside the phrases of its language and are made by
`make learn` from the examples there, the last one from the cases of the tests too. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from itertools import pairwise
from zlib import crc32

import numpy as np
import numpy.typing as npt

from bot.conversation.grammar import Token

BUCKETS = 1 << 15
"""Rows of weights; features share rows by their hash."""
MAX_BONES = 30
MAX_TOKENS = 60
"""Words and marks that are looked at."""

_MARKS = frozenset(".,!?;:\n()\"“”'’—–-…/*&+#@")
"""Marks that are looked at; pictures say much to people and little to so small a model."""
_RATING = re.compile(r"\d+(?:[.,]\d+)?/\d+|\d+%|[★☆⭐½]+|[a-d][+-]", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ENDS = frozenset(".!?\n;")
THIS = "<this>"
"""The film in question, whatever it is called."""
_LONG_NAME = 3
"""Words from which a name is a long one."""
_LONG_RUN = re.compile(r"(.)\1{2,}")


@dataclass(frozen=True, slots=True)
class Gist:
    """One model. `weights` float32[BUCKETS + 1, classes], the last row the bias."""

    classes: tuple[str, ...]
    weights: npt.NDArray[np.float32]

    def of(
        self, tokens: Sequence[Token], skeleton: Sequence[str] = (), situation: Sequence[str] = ()
    ) -> dict[str, float]:
        """The probability of each class. `skeleton`: the cues and films of the message in their order; `situation`:
        words for what the conversation was about before."""
        return self.of_rows(features(tokens, skeleton, situation))

    def of_rows(self, rows: npt.NDArray[np.intp]) -> dict[str, float]:
        """The probability of each class where these rows of the weights are touched."""
        scores = self.weights[rows].sum(axis=0) / np.sqrt(len(rows)) + self.weights[BUCKETS]
        odds = np.exp(scores - scores.max())
        return dict(zip(self.classes, (odds / odds.sum()).tolist(), strict=True))


def features(tokens: Sequence[Token], skeleton: Sequence[str], situation: Sequence[str] = ()) -> npt.NDArray[np.intp]:
    """The rows of the weights that a sentence touches, at least one."""
    words = [_class_of(token) for token in tokens[:MAX_TOKENS] if not token.is_mark or token.raw in _MARKS]
    framed = ["<", *words, ">"]
    said = {*words, *(f"{a} {b}" for a, b in pairwise(framed))}
    said |= {f"{a} {b} {c}" for a, b, c in zip(framed, framed[1:], framed[2:], strict=False)}
    said |= {f"^{word}" for word in framed[1:4]}
    said |= {f"…{word[:4]}" for word in words if len(word) > 5}
    said |= {f"{min(len(words), 12) // 2} long", f"{min(words.count('<film>'), 2)} films"}
    bones = ["[", *skeleton[:MAX_BONES], "]"]
    said |= {f"_{a}_{b}" for a, b in pairwise(bones)}
    said |= {f"_{a}_{b}_{c}" for a, b, c in zip(bones, bones[1:], bones[2:], strict=False)}
    said |= {f"_{bone}" for bone in bones}
    # What was before tells little alone and much beside the first word.
    said |= {f"@{word}" for word in situation}
    said |= {f"@{word} {first}" for word in situation for first in words[:2]}
    return _rows(said)


def features_around(
    tokens: Sequence[Token], place: int, skeleton: Sequence[str], *, everyday: bool
) -> npt.NDArray[np.intp]:
    """The rows that a film touches: the words, and the cues, before and behind it, in its sentence and in others, and
    how it was typed, but not what it is called. `skeleton`: as for `features`, with `THIS` where the film stands;
    `everyday`: whether its name is made of everyday words."""
    near = range(max(0, place - MAX_TOKENS // 2), min(len(tokens), place + MAX_TOKENS // 2))
    words = [
        THIS if at == place else _class_of(tokens[at])
        for at in near
        if at == place or not tokens[at].is_mark or tokens[at].raw in _MARKS
    ]
    said = {f"={one}" for one in _sided(words)} | {f"_{one}" for one in _sided(skeleton)}
    film = tokens[place]
    said.add(f"{film.raw[:1].isupper()} {min(len(film.word.split()), _LONG_NAME)} {everyday}")
    return _rows(said)


def _sided(row: Sequence[str]) -> Iterator[str]:
    """Words in ones and twos, and on which side of the film they stand, twice as far in another sentence."""
    at = row.index(THIS)
    first = max((place for place in range(at) if row[place] in _ENDS), default=-1)
    last = min((place for place in range(at, len(row)) if row[place] in _ENDS), default=len(row))
    framed = ["[", *row, "]"]
    for place in range(len(row) + 1):
        one, two = framed[place], framed[place + 1]
        side = "=" if at in (place - 1, place) else "<" if place < at else ">"
        side *= 2 if place <= first or place > last else 1
        yield f"{side} {one} {two}"
        if place - 1 != at:
            yield f"{side} {one}"


def _rows(said: Iterable[str]) -> npt.NDArray[np.intp]:
    return np.array(sorted({crc32(one.encode("utf-8", "surrogatepass")) % BUCKETS for one in said}), np.intp)


def _class_of(token: Token) -> str:
    """A word as the model sees it."""
    if token.is_film:
        return "<film>"
    if _RATING.fullmatch(token.raw):
        return "<mark>"
    if _YEAR.fullmatch(token.word):
        return "<year>"
    if _NUMBER.fullmatch(token.word):
        return "<number>"
    word = token.meant
    return _LONG_RUN.sub(r"\1\1", word) if len(word) > 3 else word


def gist_for(language: str) -> Gist | None:
    """What sentences of a language are about; None when it has no such model."""
    return _model(f"{language}.gist.npz")


def watched_for(language: str) -> Gist | None:
    """Whether this person watched a film that is named: “yes” or “no”; None when the language has no such model."""
    return _model(f"{language}.watched.npz")


def opinions_for(language: str) -> Gist | None:
    """What clauses of a language say was thought of a film: a reaction each, and “none”; None when it has no model."""
    return _model(f"{language}.opinions.npz")


@lru_cache(maxsize=16)
def _model(name: str) -> Gist | None:
    source = files("bot.conversation.phrases").joinpath(name)
    if not source.is_file():
        return None
    with as_file(source) as path, np.load(path) as kept:
        weights = np.zeros((BUCKETS + 1, len(kept["classes"])), np.float32)
        weights[kept["rows"]] = kept["weights"].astype(np.float32) * kept["scale"]
        return Gist(tuple(map(str, kept["classes"])), weights)


def forget_models() -> None:
    """Read the models anew when they are needed next."""
    _model.cache_clear()


def to_arrays(gist: Gist) -> Mapping[str, npt.NDArray[np.generic]]:
    """The model as it is kept: rows that say something, in bytes."""
    rows = np.flatnonzero(np.abs(gist.weights).max(axis=1) > 0)
    scale = np.float32(np.abs(gist.weights).max() / 127)
    return {
        "classes": np.array(gist.classes),
        "rows": rows.astype(np.int32),
        "weights": np.rint(gist.weights[rows] / scale).astype(np.int8),
        "scale": scale,
    }
