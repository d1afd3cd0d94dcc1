"""What a sentence is about when no phrase reads it: `Gist`, learned from examples.

A linear model over the words of a sentence in ones, twos and threes, with films, days, marks and numbers as classes of
words; the probability of each intent comes out. It says what is meant at large, never which film or which day. Its
weights lie beside the phrases of its language and are made from the examples there by `make learn`. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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

_RATING = re.compile(r"\d+(?:[.,]\d+)?/\d+|\d+%|[★☆⭐½]+|[a-d][+-]", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LONG_RUN = re.compile(r"(.)\1{2,}")


@dataclass(frozen=True, slots=True)
class Gist:
    """The model of a language. `weights` float32[BUCKETS + 1, intents], the last row the bias."""

    intents: tuple[str, ...]
    weights: npt.NDArray[np.float32]

    def of(self, tokens: Sequence[Token], skeleton: Sequence[str], situation: Sequence[str] = ()) -> dict[str, float]:
        """The probability of each intent. `skeleton`: the cues and films of the message in their order; `situation`:
        words for what the conversation was about before."""
        rows = features(tokens, skeleton, situation)
        scores = self.weights[rows].sum(axis=0) / np.sqrt(len(rows)) + self.weights[BUCKETS]
        odds = np.exp(scores - scores.max())
        return dict(zip(self.intents, (odds / odds.sum()).tolist(), strict=True))


def features(tokens: Sequence[Token], skeleton: Sequence[str], situation: Sequence[str] = ()) -> npt.NDArray[np.intp]:
    """The rows of the weights that a sentence touches, at least one."""
    words = [_class_of(token) for token in tokens[:MAX_TOKENS]]
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


@lru_cache(maxsize=8)
def gist_for(language: str) -> Gist | None:
    """The model of a language; None when it has none."""
    source = files("bot.conversation.phrases").joinpath(f"{language}.gist.npz")
    if not source.is_file():
        return None
    with as_file(source) as path, np.load(path) as kept:
        weights = np.zeros((BUCKETS + 1, len(kept["intents"])), np.float32)
        weights[kept["rows"]] = kept["weights"].astype(np.float32) * kept["scale"]
        return Gist(tuple(map(str, kept["intents"])), weights)


def to_arrays(gist: Gist) -> Mapping[str, npt.NDArray[np.generic]]:
    """The model as it is kept: rows that say something, in bytes."""
    rows = np.flatnonzero(np.abs(gist.weights).max(axis=1) > 0)
    scale = np.float32(np.abs(gist.weights).max() / 127)
    return {
        "intents": np.array(gist.intents),
        "rows": rows.astype(np.int32),
        "weights": np.rint(gist.weights[rows] / scale).astype(np.int8),
        "scale": scale,
    }
