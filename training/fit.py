"""The training loop: from a recipe and data to a model, early-stopped and resumable.

Knows epochs, batches, the optimizer, validation people and checkpoints. Knows nothing of folders of ratings
(`training.datasets`), of the protocol's test people (`training.evaluate`) or of bundles (`training.export`).

Everything random comes from the seed and the epoch's number, and a checkpoint keeps torch's generator with the weights,
so a run that was stopped and taken up again ends with the very same weights as one that was not.
"""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.inference import left_padded_ids
from training.baselines import interactions
from training.cooccurrence import film_factors
from training.crew import ALONE, Crew
from training.datasets import Dataset, Ratings
from training.errors import TrainingError
from training.evaluate import ndcg, rank_of
from training.loss import full_softmax, sampled_softmax
from training.model import SASRec
from training.recipe import Recipe, Start, TrainingSettings, Validation
from training.sequences import (
    MIN_BEFORE,
    Question,
    Vocabulary,
    Window,
    last_liked,
    last_question,
    newcomer_windows,
    question,
    training_sequences,
    windows,
    without_last,
)  # fmt: skip

VALIDATION_TARGETS = 5
"""Last liked films that each validation person is asked for: one each would leave too much to chance."""

_CPU = torch.device("cpu")
_ASKED_AT_ONCE = 256
_LONGEST_GRADIENT = 1.0
_TABLES = frozenset({"films.weight", "positions"})
_CHECKPOINT_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch gave: mean `loss`, and `ndcg` of the validation people (not a number when there are none). Its
    training took `seconds`, the validation not among them; an epoch from before that was kept has 0."""

    number: int
    loss: float
    ndcg: float
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained model (in evaluation mode, on the CPU), its vocabulary, and how it came about.

    `people` are the indices of all whose ratings had a part in it, validation people included; `counts` int64[V] are
    the ratings of each film in training; `best` is the epoch that was kept.
    """

    model: SASRec
    vocabulary: Vocabulary
    counts: npt.NDArray[np.int64]
    people: npt.NDArray[np.int64]
    epochs: tuple[Epoch, ...]
    best: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands: the epoch (from 1), the batch of how many, and the epochs that are done."""

    epoch: int
    batch: int
    batches: int
    done: Sequence[Epoch]


Report = Callable[[Progress], None]


def fit(
    dataset: Dataset,
    recipe: Recipe,
    people: npt.NDArray[np.int64],
    *,
    seed: int,
    checkpoints: Path,
    fresh: bool = False,
    epochs: int | None = None,
    device: torch.device = _CPU,
    crew: Crew = ALONE,
    report: Report = lambda _: None,
) -> Fitted:
    """Train `recipe` on `people` (indices).

    With `epochs` None, a share of the people (those with enough watches) or everybody's last film is kept for
    validation, as the recipe says; training stops when that gains nothing for `patience` epochs, and the best epoch's
    weights are returned. With a number, all people are trained on for that many epochs: that is how a bundle ships,
    with the number that folds have found.

    `checkpoints` is the folder where the state is kept after every epoch, under a name that recipe, data, people and
    seed decide; a state found there is taken up unless `fresh`. Of a `crew` each process calls this alike; the first
    one keeps the state and reports. Raises TrainingError with a sentence.
    """
    run = _Run(dataset, recipe, people, seed, epochs, device, crew)
    kept = checkpoints / f"{recipe.name}-{run.fingerprint()}.pt"
    if fresh and crew.first:
        kept.unlink(missing_ok=True)
    crew.wait()
    run.resume(kept)
    while not run.finished:
        run.epoch(report if crew.first else lambda _: None)
        if crew.first:
            run.save(kept)
    return run.result()


class _Run:
    """One training run: what is fixed by recipe, data and seed, and what changes from epoch to epoch."""

    def __init__(
        self,
        dataset: Dataset,
        recipe: Recipe,
        people: npt.NDArray[np.int64],
        seed: int,
        epochs: int | None,
        device: torch.device = _CPU,
        crew: Crew = ALONE,
    ) -> None:
        self.device, self.crew = device, crew
        self.dataset, self.recipe, self.people, self.seed, self.fixed_epochs = dataset, recipe, people, seed, epochs
        ratings, settings = dataset.ratings, recipe.training
        rng = np.random.default_rng(seed)
        validated = np.zeros(0, np.int64)
        self.questions: list[Question] = []
        if epochs is None and settings.validation is Validation.LAST:
            ratings = without_last(dataset.ratings)
            shortened = np.diff(ratings.starts) < np.diff(dataset.ratings.starts)
            asked = [last_question(dataset.ratings, int(p), recipe.sequences) for p in people[shortened[people]]]
            self.questions = sorted(asked, key=lambda one: len(one.fed))  # padding is lost work
        elif epochs is None:
            able = [p for p in people if last_liked(ratings, p, recipe.sequences)]
            validated = rng.permutation(np.array(able, np.int64))[: round(len(people) * settings.validation_share)]
            if not len(validated):
                raise TrainingError(
                    f"Nobody has {MIN_BEFORE} watches before a liked film, so nothing can be validated on."
                )
            self.questions = _questions(ratings, validated, recipe)
        self.trained = np.setdiff1d(people, validated)
        self.vocabulary = Vocabulary.of(ratings, self.trained, recipe.data.min_ratings, dataset.catalog.film_ids)
        if len(self.vocabulary) < 2:
            raise TrainingError(f"No two films have {recipe.data.min_ratings} ratings: there is nothing to learn from.")
        self.sequences = training_sequences(ratings, self.trained, self.vocabulary, recipe.sequences)
        if not self.sequences:
            raise TrainingError(
                f"Nobody has {recipe.sequences.min_targets} films to ask for: there is nothing to learn from."
            )
        rows = [ratings.rows(p) for p in self.trained]
        indices = self.vocabulary.indices(np.concatenate([ratings.films[r] for r in rows]))
        self.counts = np.bincount(indices, minlength=len(self.vocabulary) + 1)[1:]

        torch.manual_seed(seed)
        self.model = SASRec(len(self.vocabulary), recipe.model, torch.from_numpy(self.counts))
        if settings.start is Start.COOCCURRENCE:
            watched = interactions((sequence.ids for sequence in self.sequences), len(self.vocabulary))
            films = film_factors(watched, recipe.model.dimensions, seed)
            with torch.no_grad():
                self.model.films.weight[1:] = torch.from_numpy(films)
        self.model.to(device)
        self.draw = self.model.fame().cpu()[1:].double().exp()
        self.optimizer = _optimizer(self.model, settings)
        self.average = _copied(self.model)
        self.best_weights = self.average
        self.done: list[Epoch] = []
        self.steps = 0

    @property
    def finished(self) -> bool:
        """Whether the last epoch was run, or the validation people have gained nothing for long enough."""
        settings = self.recipe.training
        if self.fixed_epochs is not None:
            return len(self.done) >= self.fixed_epochs
        stale = len(self.done) - self.best if self.done else 0
        return len(self.done) >= settings.epochs or stale >= settings.patience

    @property
    def best(self) -> int:
        """The number of the epoch that is kept."""
        if self.fixed_epochs is not None:
            return len(self.done)
        return max(self.done, key=lambda epoch: epoch.ndcg).number

    def epoch(self, report: Report) -> None:
        """One pass over everybody, then the validation."""
        number, settings, began = len(self.done) + 1, self.recipe.training, time.perf_counter()
        batches = list(self._batches(number))
        if self.crew.size > 1:
            # Each process leaves out values of its own, and the same again after a stop.
            torch.manual_seed(int(np.random.SeedSequence((self.seed, number, self.crew.rank)).generate_state(1)[0]))
        self.model.train()
        losses = []
        for place, batch in enumerate(batches):
            report(Progress(number, place, len(batches), self.done))
            epochs = self.fixed_epochs or settings.epochs
            done = (number - 1 + place / len(batches)) / epochs
            loss = self._step(batch, 1 - done if settings.decay else 1.0)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The loss is no longer a number (epoch {number}): the learning rate "
                    f"{settings.learning_rate:g} is probably too high for this recipe."
                )
            losses.append(loss)
        seconds = time.perf_counter() - began
        score = self._validated() if self.questions else math.nan
        self.done.append(Epoch(number, float(np.mean(losses)), score, seconds))
        if self.best == number:
            self.best_weights = _copied_weights(self.average) if settings.average else _copied(self.model)
        report(Progress(number, len(batches), len(batches), self.done))

    def _batches(self, number: int) -> Iterator[list[Window]]:
        """Windows of like length together (padding is lost work), in an order drawn for this epoch."""
        settings = self.recipe.training
        rng = np.random.default_rng((self.seed, number))
        length, options = self.recipe.model.length, {"drop_inputs": settings.drop_inputs, "shuffle": settings.shuffle}
        made = list(windows(self.sequences, length, rng, **options))
        made += newcomer_windows(self.sequences, length, rng, settings.newcomers)
        rng.shuffle(made)
        made.sort(key=lambda window: len(window.ids))
        batches = _filled(made, settings)
        return (batches[i] for i in rng.permutation(len(batches)))

    def _step(self, batch: Sequence[Window], left: float) -> float:
        """Learn from one batch; `left` is the share of the learning rate that the decay leaves."""
        settings = self.recipe.training
        self.optimizer.zero_grad()
        loss = self._learn(self.crew.share(batch), targets=sum(int(window.asked[1:].sum()) for window in batch))
        self.steps += 1
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * min(1.0, self.steps / max(1, settings.warmup_steps)) * left
        self.crew.add_gradients(self.model.parameters())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _LONGEST_GRADIENT)
        self.optimizer.step()
        if settings.average:
            # The first steps say little about where it will end: the average starts short.
            decay = min(settings.average, (1 + self.steps) / (10 + self.steps))
            for name, value in self.model.state_dict().items():
                self.average[name].lerp_(value, 1 - decay)
        return loss

    def _learn(self, batch: Sequence[Window], targets: int) -> float:
        """Gradients of the mean loss over all `targets` of a batch, from this process's part of it; that loss."""
        settings = self.recipe.training
        films = self.model.film_vectors()
        users, wanted = self._users(batch, films) if batch else (films[:0], torch.zeros(0, dtype=torch.int64))
        drawn = None
        if settings.negatives and settings.negatives < len(self.vocabulary):
            drawn = self.crew.as_first(torch.multinomial(self.draw, settings.negatives) + 1).to(self.device)
        if not batch:
            return self.crew.total(0.0)
        if drawn is not None:
            loss = sampled_softmax(users, films, wanted, drawn)
        else:
            loss = full_softmax(users, films, self.model.fame(), wanted)
        if self.crew.size > 1:
            loss = loss * (len(wanted) / targets)
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
        return self.crew.total(loss.item())

    def _users(self, batch: Sequence[Window], films: Tensor) -> tuple[Tensor, Tensor]:
        """User vectors float32[N, D] wherever a film is asked for, and those films int64[N]."""
        length = max(len(window.ids) for window in batch) - 1
        history = torch.zeros(len(batch), length, dtype=torch.int64)
        following = torch.zeros(len(batch), length, dtype=torch.int64)
        for row, window in enumerate(batch):
            count = len(window.ids) - 1
            history[row, :count] = torch.from_numpy(window.ids[:-1])
            following[row, :count] = torch.from_numpy(np.where(window.asked, window.ids, 0)[1:])
        places = following.flatten().nonzero().squeeze(1)
        users = self.model.after_each(history.to(self.device), films).flatten(0, 1)
        return users.index_select(0, places.to(self.device)), following.flatten()[places].to(self.device)

    def _validated(self) -> float:
        """What the first process finds, for all."""
        score = torch.tensor(self._validate() if self.crew.first else 0.0, dtype=torch.float64)
        return float(self.crew.as_first(score))

    @torch.no_grad()
    def _validate(self) -> float:
        """Mean NDCG@10 of the validation people's questions."""
        trained = _copied(self.model)
        if self.recipe.training.average:
            self.model.load_state_dict(self.average)
        self.model.eval()
        films, ranks = self.model.film_vectors(), []
        for start in range(0, len(self.questions), _ASKED_AT_ONCE):
            asked = self.questions[start : start + _ASKED_AT_ONCE]
            indices = [self.vocabulary.indices(one.fed) for one in asked]
            ids = left_padded_ids([found[found > 0] for found in indices], self.recipe.model.length)
            users = self.model(torch.from_numpy(ids.astype(np.int64)).to(self.device), films)[:, -1]
            scores = (users @ films.T + self.model.fame()).cpu().numpy()
            for row, one in zip(scores, asked, strict=True):
                target = int(self.vocabulary.indices(np.array([one.target]))[0])
                ranks.append(rank_of(row, target, self.vocabulary.indices(one.seen)))
        self.model.load_state_dict(trained)
        return float(ndcg(np.array(ranks, np.int64)).mean())

    def fingerprint(self) -> str:
        """Twelve hex digits that change with anything that decides the weights."""
        decided = {
            "recipe": self.recipe.fingerprint(),
            "data": self.dataset.data_hash,
            "people": hashlib.sha256(self.people.astype("<i8").tobytes()).hexdigest(),
            "seed": self.seed,
            "epochs": self.fixed_epochs,
            "torch": torch.__version__,
            "format": _CHECKPOINT_FORMAT,
        }
        return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:12]

    def save(self, path: Path) -> None:
        """Keep everything that the next epoch depends on; the file is whole or the one before."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "best": self.best_weights,
            "epochs": [(epoch.number, epoch.loss, epoch.ndcg, epoch.seconds) for epoch in self.done],
            "steps": self.steps,
            "torch_generator": torch.get_rng_state(),
        }
        if self.device.type == "cuda":
            state["cuda_generator"] = torch.cuda.get_rng_state(self.device)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".fresh")
        with fresh.open("wb") as file:  # torch would turn “no space left” into an error without a name
            torch.save(state, file)
        fresh.replace(path)

    def resume(self, path: Path) -> None:
        """Take up what `save` kept, if anything. Raises TrainingError for a file that is not that."""
        if not path.exists():
            return
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True, map_location=self.device)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.average, self.best_weights = state["average"], state["best"]
            self.done = [Epoch(*epoch) for epoch in state["epochs"]]
            self.steps = state["steps"]
            torch.set_rng_state(state["torch_generator"].cpu())
            if self.device.type == "cuda" and "cuda_generator" in state:
                torch.cuda.set_rng_state(state["cuda_generator"].cpu(), self.device)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, EOFError, pickle.UnpicklingError) as error:
            raise TrainingError(f"The checkpoint {path} cannot be read; start anew with --fresh.") from error

    def result(self) -> Fitted:
        """The best epoch's model."""
        self.model.load_state_dict(self.best_weights)
        self.model.cpu().eval()
        return Fitted(self.model, self.vocabulary, self.counts, self.people, tuple(self.done), self.best)


def _filled(made: Sequence[Window], settings: TrainingSettings) -> list[list[Window]]:
    """Windows, ascending by length, in batches of `batch_size`, or of at most `batch_films` films with the padding."""
    batches: list[list[Window]] = []
    for window in made:
        size = len(batches[-1]) if batches else 0
        if settings.batch_films:
            full = (size + 1) * (len(window.ids) - 1) > settings.batch_films
        else:
            full = size == settings.batch_size
        if not batches or full:
            batches.append([])
        batches[-1].append(window)
    return batches


def _questions(ratings: Ratings, people: npt.NDArray[np.int64], recipe: Recipe) -> list[Question]:
    return [
        question(ratings, int(person), before, target, recipe.sequences)
        for person in people
        for before, target in last_liked(ratings, int(person), recipe.sequences, VALIDATION_TARGETS)
    ]


def _optimizer(model: SASRec, settings: TrainingSettings) -> torch.optim.AdamW:
    """AdamW; matrices of the blocks decay, the film table, positions, norms and biases do not."""
    blocks = {name for name, value in model.named_parameters() if value.ndim > 1 and name not in _TABLES}
    named = list(model.named_parameters())
    return torch.optim.AdamW(
        [
            {"params": [v for n, v in named if n in blocks], "weight_decay": settings.weight_decay},
            {"params": [v for n, v in named if n not in blocks], "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )


def _copied(model: SASRec) -> dict[str, Tensor]:
    return _copied_weights(model.state_dict())


def _copied_weights(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in weights.items()}
