"""From examples of what people say to the model of what sentences are about: `examples_of`, `learned`.

Examples are lines of `intent<TAB>text` beside the phrases of a language; more of them, better ones, and `make learn`
is all that it takes to understand more. Needs scipy (extra `train`); serving does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.conversation.evidence import Evidence
from bot.conversation.gist import BUCKETS, Gist, features, to_arrays
from bot.conversation.grammar import Token, tokenize
from bot.conversation.loosely import INTENTS
from bot.conversation.phrases import phrases_for
from bot.conversation.spotting import Titles, spotted
from bot.conversation.understand import cleaned
from bot.evaluating.cases import CaseError
from engine import bundle

PHRASES = Path(__file__).parent.parent / "conversation" / "phrases"
RIDGE = 5e-7
"""Weight of the squared weights beside the mean loss."""
STEPS = 300


@dataclass(frozen=True, slots=True)
class Example:
    """A message with one intent."""

    intent: str
    text: str


def examples_of(language: str) -> tuple[Example, ...]:
    """The examples of a language; CaseError for a line that is none."""
    return parsed((PHRASES / f"{language}.examples.tsv").read_text(encoding="utf-8"))


def parsed(text: str) -> tuple[Example, ...]:
    """The examples of a text; CaseError for a line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        intent, tab, said = line.partition("\t")
        if not tab or intent not in INTENTS or not said.strip():
            raise CaseError(f"line {number} of the examples is no intent and text: {line[:60]}")
        found.append(Example(intent, said))
    return tuple(found)


def read(text: str, titles: Titles, language: str) -> tuple[tuple[Token, ...], list[str]]:
    """The words of a message as the model sees them, and its skeleton."""
    phrases, said = phrases_for(language), cleaned(text)
    tokens = spotted(phrases.sentences.correct(tokenize(said)), phrases, titles)
    return tokens, Evidence(said, tokens, phrases, titles).skeleton


def learned(examples: Sequence[Example], titles: Titles, language: str, *, ridge: float = RIDGE) -> Gist:
    """The model that tells these examples apart best: logistic regression by L-BFGS, the same for the same examples."""
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix

    intents = tuple(sorted({example.intent for example in examples}))
    rows = [features(*read(example.text, titles, language)) for example in examples]
    values = np.concatenate([np.full(len(row), 1 / np.sqrt(len(row))) for row in rows])
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    touched, columns = np.unique(np.concatenate(rows), return_inverse=True)
    inputs = csr_matrix((values, columns, starts), shape=(len(rows), len(touched)))
    wanted = np.zeros((len(examples), len(intents)))
    wanted[np.arange(len(examples)), [intents.index(example.intent) for example in examples]] = 1.0
    # Each intent counts by the root of how often it is there: rare ones are not drowned.
    counts = wanted.sum(axis=0)
    importance = (wanted / np.sqrt(counts)).sum(axis=1)
    importance /= importance.sum()
    size = len(touched)
    shape = (size + 1, len(intents))

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        scores = inputs @ weights[:size] + weights[size]
        scores -= scores.max(axis=1, keepdims=True)
        odds = np.exp(scores)
        odds /= odds.sum(axis=1, keepdims=True)
        cost = -(importance * np.log((odds * wanted).sum(axis=1) + 1e-12)).sum() + ridge * (weights[:size] ** 2).sum()
        error = (odds - wanted) * importance[:, None]
        slope = np.vstack([inputs.T @ error + 2 * ridge * weights[:size], error.sum(axis=0, keepdims=True)])
        return float(cost), slope.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    weights = np.zeros((BUCKETS + 1, len(intents)), np.float32)
    weights[[*touched, BUCKETS]] = found.x.reshape(shape)
    return Gist(intents, weights)


def main() -> None:
    """Learn each language that has examples, and keep what was learned beside its phrases."""
    titles = bundle.load(bundle.STARTER, provider="cpu").titles
    for language in sorted(file.name.partition(".")[0] for file in PHRASES.glob("*.examples.tsv")):
        examples = examples_of(language)
        kept: dict[str, Any] = dict(to_arrays(learned(examples, titles, language)))
        np.savez_compressed(PHRASES / f"{language}.gist.npz", **kept)
        print(f"{language}: learned from {len(examples)} examples")


if __name__ == "__main__":
    main()
