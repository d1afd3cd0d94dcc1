"""From examples of what people say to the models of what words are about: `examples_of`, `learned`.

Examples are lines of `intent<TAB>text` beside the phrases of a language, and of `reaction<TAB>clause` for opinions,
where a film's name is written <film>; more of them, better ones, and `make learn` is all that it takes to understand
more. Who watched which film is learned from the same messages and from the cases of the tests, whose full parse says
which films are logged. Needs scipy (extra `train`); serving does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.conversation.cues import Cues
from bot.conversation.evidence import read_films
from bot.conversation.gist import BUCKETS, Gist, features, forget_models, to_arrays
from bot.conversation.grammar import Token, tokenize
from bot.conversation.intents import Reaction
from bot.conversation.loosely import INTENTS
from bot.conversation.phrases import phrases_for
from bot.conversation.spotting import Titles
from bot.conversation.understand import cleaned
from bot.evaluating.cases import Case, CaseError, read_cases
from engine import bundle

PHRASES = Path(__file__).parent.parent / "conversation" / "phrases"
RIDGE = 5e-7
"""Weight of the squared weights beside the mean loss."""
STEPS = 300
_WATCHED_RIDGE = 2e-5
"""The same for whether a film was watched, of which there are fewer examples."""

CASES = Path(__file__).parents[2] / "tests" / "conversation"
_NOT_LEARNED = frozenset({"held_back", "unseen", "inspired"})
"""Cases that nothing is learned from, so that they tell how well what was learned serves; and names of films that are
no cases."""
_WEIGHT = 3.0
"""How much a film of a case counts beside one of an example, which tells less surely whether it was watched."""
_BEFORE = frozenset({"answer", "correct", "react", "remove", "seen", "undo"})
"""What messages are about whose films are watched or not by what was said before."""

OPINIONS = frozenset(reaction.value for reaction in Reaction) | {"none"}
"""What a clause may say was thought of a film."""
_FILM = "<film>"
_OPINIONATED = frozenset({"react", "correct", "answer", "chat", "dismiss", "title", "unclear"})
"""What messages are about that may say what was thought in any words."""


@dataclass(frozen=True, slots=True)
class Example:
    """A message with one intent, or a clause with one opinion."""

    about: str
    text: str


def examples_of(language: str, kind: str = "examples", classes: frozenset[str] = INTENTS) -> tuple[Example, ...]:
    """The examples of a language; CaseError for a line that is none."""
    return parsed((PHRASES / f"{language}.{kind}.tsv").read_text(encoding="utf-8"), classes)


def parsed(text: str, classes: frozenset[str] = INTENTS) -> tuple[Example, ...]:
    """The examples of a text; CaseError for a line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        about, tab, said = line.partition("\t")
        if not tab or about not in classes or not said.strip():
            raise CaseError(f"line {number} of the examples is no {sorted(classes)[0]} … and text: {line[:60]}")
        found.append(Example(about, said))
    return tuple(found)


def read(text: str, titles: Titles, language: str) -> tuple[tuple[Token, ...], list[str]]:
    """The words of a message as the model sees them, and its skeleton."""
    phrases, said = phrases_for(language), cleaned(text)
    tokens, evidence = read_films(said, phrases.sentences.correct(tokenize(said)), phrases, titles)
    return tokens, evidence.skeleton


def read_clause(text: str, language: str) -> tuple[Token, ...]:
    """The words of a clause as the model sees them."""
    placed = text.replace(_FILM, " Filmfilm ")
    tokens = phrases_for(language).sentences.correct(tokenize(placed))
    return tuple(replace(token, is_film=token.raw == "Filmfilm") for token in tokens)


def learned(examples: Sequence[Example], titles: Titles, language: str) -> Gist:
    """The model that tells what these messages are about."""
    texts = [read(one.text, titles, language) for one in examples]
    return _fitted([one.about for one in examples], [features(*text) for text in texts])


def opinions_learned(examples: Sequence[Example], messages: Sequence[Example], titles: Titles, language: str) -> Gist:
    """The model that tells what these clauses say was thought. What is left of the clauses of `messages` about other
    things says nothing of the kind."""
    texts: list[Sequence[Token]] = [read_clause(one.text, language) for one in examples]
    about = [one.about for one in examples]
    known = {one.text.casefold() for one in examples}
    for message in messages:
        if message.about not in _OPINIONATED:
            for clause in _left_over(message.text, titles, language):
                if " ".join(token.raw for token in clause).casefold() not in known:
                    texts.append(clause)
                    about.append("none")
    return _fitted(about, [features(text, ()) for text in texts])


def watched_learned(cases: Sequence[Case], messages: Sequence[Example], titles: Titles, language: str) -> Gist:
    """The model that tells whether this person watched a film that is named: all those that a case logs or asks about,
    and all of messages about watches."""
    about: list[str] = []
    rows: list[npt.NDArray[np.intp]] = []
    weights: list[float] = []

    def learn(touched: npt.NDArray[np.intp], weight: float, *, watched: bool) -> None:
        about.append("yes" if watched else "no")
        rows.append(touched)
        weights.append(weight)

    for case in cases:
        if case.language == language and not _BEFORE.intersection(*case.does[:1]):
            films = {match.film_id for label in watched_in(case) for match in titles.link(label).matches[:1]}
            for name, touched in films_seen(case.say, titles, language):
                meant = {match.film_id for match in titles.link(name).matches}
                learn(touched, _WEIGHT, watched=bool(meant & films))
    for message in messages:
        if message.about not in _BEFORE:
            for _, touched in films_seen(message.text, titles, language):
                learn(touched, 1.0, watched=message.about == "log")
    return _fitted(about, rows, weights, _WATCHED_RIDGE)


def watched_in(case: Case) -> tuple[str, ...]:
    """The films that this person watched, those that the bot asks about too."""
    asked = case.asked or () if any("log" in either for either in case.does) else ()
    return (*(watch.film for watch in case.logged if watch.film), *asked)


def films_seen(text: str, titles: Titles, language: str) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
    """The films that a message names, and what is seen of each."""
    phrases, said = phrases_for(language), cleaned(text)
    tokens, evidence = read_films(said, phrases.sentences.correct(tokenize(said)), phrases, titles)
    for place, token in enumerate(tokens):
        if token.is_film:
            yield said[token.start : token.end], evidence.features(place, place + 1)


def learned_cases() -> tuple[Case, ...]:
    """The cases of the tests that may be learned from."""
    files = sorted(file for file in CASES.glob("*.yaml") if file.stem not in _NOT_LEARNED)
    return tuple(case for file in files for case in read_cases(file))


def _left_over(text: str, titles: Titles, language: str) -> Iterator[list[Token]]:
    """The words of a message's clauses that an opinion would be looked for in."""
    phrases, said = phrases_for(language), cleaned(text)
    tokens, _ = read_films(said, phrases.sentences.correct(tokenize(said)), phrases, titles)
    for places in Cues(said, tokens, phrases).clauses():
        yield [tokens[place] for place in places]


def _fitted(
    about: Sequence[str],
    rows: Sequence[npt.NDArray[np.intp]],
    weights: Sequence[float] | None = None,
    ridge: float = RIDGE,
) -> Gist:
    """The model that tells examples apart best: logistic regression by L-BFGS, the same for the same examples. `rows`:
    what each touches; `weights`: how much it counts."""
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix

    classes = tuple(sorted(set(about)))
    values = np.concatenate([np.full(len(row), 1 / np.sqrt(len(row))) for row in rows])
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    touched, columns = np.unique(np.concatenate(rows), return_inverse=True)
    inputs = csr_matrix((values, columns, starts), shape=(len(rows), len(touched)))
    wanted = np.zeros((len(about), len(classes)))
    wanted[np.arange(len(about)), [classes.index(one) for one in about]] = 1.0
    # Each class counts by the root of how often it is there: rare ones are not drowned.
    counts = wanted.sum(axis=0)
    importance = (wanted / np.sqrt(counts)).sum(axis=1)
    if weights is not None:
        importance *= np.array(weights)
    importance /= importance.sum()
    size = len(touched)
    shape = (size + 1, len(classes))

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
    fitted = np.zeros((BUCKETS + 1, len(classes)), np.float32)
    fitted[[*touched, BUCKETS]] = found.x.reshape(shape)
    return Gist(classes, fitted)


def main() -> None:
    """Learn each language that has examples, opinions first, and keep what was learned beside its phrases."""
    cases = learned_cases()
    titles = bundle.load(bundle.STARTER, provider="cpu").titles
    for file in sorted(PHRASES.glob("*.opinions.tsv")):
        language = file.name.partition(".")[0]
        clauses = examples_of(language, "opinions", OPINIONS)
        forget_models()
        (PHRASES / f"{language}.opinions.npz").unlink(missing_ok=True)
        learnt = opinions_learned(clauses, examples_of(language), titles, language)
        _keep(f"{language}.opinions.npz", learnt, len(clauses))
    forget_models()  # what sentences are about is learned with these opinions
    for file in sorted(PHRASES.glob("*.examples.tsv")):
        language = file.name.partition(".")[0]
        messages = examples_of(language)
        _keep(f"{language}.gist.npz", learned(messages, titles, language), len(messages))
        watched = watched_learned(cases, messages, titles, language)
        _keep(f"{language}.watched.npz", watched, len(cases) + len(messages))


def _keep(name: str, gist: Gist, examples: int) -> None:
    arrays: dict[str, Any] = dict(to_arrays(gist))
    np.savez_compressed(PHRASES / name, **arrays)
    print(f"{name}: learned from {examples} examples")


if __name__ == "__main__":
    main()
