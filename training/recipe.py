"""A recipe: the TOML file that fully says how a bundle is trained.

Knows every setting, its type, default and meaning, and says in one sentence what is wrong with a file. Knows nothing of
how the settings are used.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from training.errors import TrainingError

SHIPPED = Path(__file__).parent / "recipes"


class RecipeError(TrainingError):
    """A recipe that cannot be read."""

    exit_code = 2


class Films(StrEnum):
    """Which films of a history are meant, by the person's own ratings."""

    LIKED = "liked"
    """At or above `sequences.liked_quantile` of the person's ratings."""
    MOST = "most"
    """At or above `sequences.most_quantile`."""
    ALL = "all"


class Similarity(StrEnum):
    """How a user vector and a film vector make a score."""

    COSINE = "cosine"
    """Cosine divided by `model.temperature`."""
    DOT = "dot"


class Positions(StrEnum):
    """How the model knows where in a history a film stands."""

    LEARNED = "learned"
    """A vector a place, counted from the end."""
    NONE = "none"
    """Only by what came before: attention that sees no future, and the blocks' convolutions."""


class Blocks(StrEnum):
    """What a block is made of."""

    PLAIN = "plain"
    """As in SASRec: attention and a GELU net four times as wide, dropout throughout."""
    GATED = "gated"
    """As in LiGR: what attention and a SwiGLU net twice as wide add is gated by what they add to; dropout on that
    alone, because dropout of attention weights would keep the processor from its fast attention."""


class Validation(StrEnum):
    """Whom training asks to find the best epoch."""

    PEOPLE = "people"
    """`validation_share` of the people, who are not trained on, for their last liked films."""
    LAST = "last"
    """Everybody, for the last film of the history, which alone is not trained on (leave-last-out)."""


class Start(StrEnum):
    """What the film table is before training."""

    RANDOM = "random"
    COOCCURRENCE = "co-occurrence"
    """Factors of which films the same people watch (see `training.cooccurrence`)."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Section):
    """One MovieLens folder of a recipe.

    `folder` is relative to the data folder. People are named `name:userId`; an empty name gives the bare user id.
    `drop_last_person` leaves out the highest user id: a file that was cut somewhere ends within that person.
    With `list_films` off, its films join the catalogue only where another source lists them.
    """

    folder: str = "."
    name: str = ""
    drop_last_person: bool = False
    list_films: bool = True


class DataSettings(_Section):
    """Where the data lies, and which films become the vocabulary."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1, strict=False)] = (Source(),)
    min_ratings: int = Field(3, ge=1)
    """A film needs this many ratings in training to be in the vocabulary."""
    until: date | None = Field(None, strict=False)
    """Only ratings before this day (UTC) are trained on, so that `evaluate` can ask for what came after; none: all."""
    licence: str = "MovieLens terms: non-commercial use, with attribution, under the same terms"

    @property
    def until_time(self) -> int | None:
        """`until` in seconds since 1970."""
        if self.until is None:
            return None
        return int(datetime.combine(self.until, time(), UTC).timestamp())

    @model_validator(mode="after")
    def _named_apart(self) -> DataSettings:
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("two sources have the same name, so their people could not be told apart")
        return self


class SequenceSettings(_Section):
    """What a history is made into."""

    liked_quantile: float = Field(0.7, ge=0, le=1)
    most_quantile: float = Field(0.3, ge=0, le=1)
    inputs: Annotated[Films, Field(strict=False)] = Films.MOST
    """What the encoder is fed."""
    targets: Annotated[Films, Field(strict=False)] = Films.LIKED
    """What the loss asks for; a film that is not fed cannot be asked for."""
    min_targets: int = Field(1, ge=1)
    """People with fewer targets are not trained on (the inspiration asks for 20)."""


class ModelSettings(_Section):
    """The shape of the SASRec."""

    dimensions: int = Field(128, ge=2, le=1024)
    heads: int = Field(8, ge=1)
    blocks: int = Field(2, ge=1, le=16)
    length: int = Field(50, ge=1, le=1024)
    """Films of a history that are read, the last ones."""
    dropout: float = Field(0.2, ge=0, lt=1)
    attention_dropout: bool = True
    """Plain blocks leave out attention weights as well, as in SASRec; where they do not, the processor's fast attention
    serves."""
    block: Annotated[Blocks, Field(strict=False)] = Blocks.PLAIN
    convolution: int = Field(0, ge=0, le=64)
    """Films up to and with its own that each place of a block's input is mixed from, each dimension by weights of its
    own (a causal depthwise convolution); 0: none."""
    positions: Annotated[Positions, Field(strict=False)] = Positions.LEARNED
    similarity: Annotated[Similarity, Field(strict=False)] = Similarity.DOT
    temperature: float = Field(0.07, gt=0)
    """For cosine only."""
    fame: float = Field(0.0, ge=0, le=1)
    """A score is the similarity + fame · log(ratings in training): what most people watch next is no matter of taste,
    and the vectors need not say it."""

    @model_validator(mode="after")
    def _heads_divide(self) -> ModelSettings:
        if self.dimensions % self.heads:
            raise ValueError(f"{self.dimensions} dimensions do not divide among {self.heads} heads")
        return self


class TrainingSettings(_Section):
    """How it is trained, and when that ends."""

    epochs: int = Field(60, ge=1)
    patience: int = Field(8, ge=1)
    """Epochs without a better NDCG@10 of the validation people before training stops."""
    validation: Annotated[Validation, Field(strict=False)] = Validation.PEOPLE
    validation_share: float = Field(0.1, gt=0, lt=0.5)
    batch_size: int = Field(64, ge=1)
    """Windows in a batch."""
    batch_films: int = Field(0, ge=0)
    """Films in a batch at most, padding included, instead of `batch_size`: batches of short windows have more of them,
    so that every step learns from as much; 0: `batch_size` counts."""
    learning_rate: float = Field(1e-3, gt=0)
    decay: bool = False
    """The learning rate falls in a straight line from the first step to 0 at the end of the last of the `epochs`."""
    weight_decay: float = Field(0.01, ge=0)
    warmup_steps: int = Field(100, ge=0)
    negatives: int = Field(0, ge=0)
    """Films drawn for the softmax, shared by the batch, in proportion to (ratings in training) to the power of
    `model.fame`; 0: all films."""
    drop_inputs: float = Field(0.0, ge=0, lt=1)
    """Each window loses a share of its films, drawn anew from 0 to this every epoch: short and broken histories."""
    shuffle: float = Field(0.0, ge=0, le=1)
    """This share of the windows loses its order: for people who tell what they watched in no order at all."""
    newcomers: int = Field(0, ge=0)
    """So many times an epoch, some of each person's liked films are asked for in random order: for people who begin by
    telling a few films that they like."""
    average: float = Field(0.0, ge=0, lt=1)
    """Decay of the exponential average of the weights that is validated and shipped; 0: the weights themselves."""
    start: Annotated[Start, Field(strict=False)] = Start.RANDOM


class Recipe(_Section):
    """Everything that decides what a bundle will be, beside the data and the seed."""

    name: str = Field(min_length=1)
    version: str = Field(min_length=1)
    data: DataSettings = DataSettings()
    sequences: SequenceSettings = SequenceSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()

    def fingerprint(self) -> str:
        """Twelve hex digits that change with any setting that is not its default: what was trained before a setting
        existed stays valid when it is added."""
        decided = self.model_dump(mode="json", exclude_defaults=True)
        return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:12]


def shipped() -> tuple[str, ...]:
    """The names of the recipes that come with the program."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def read(recipe: str) -> Recipe:
    """The recipe of that name, or in that file. Raises RecipeError with one sentence."""
    path = SHIPPED / f"{recipe}.toml" if recipe in shipped() else Path(recipe)
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise RecipeError(
            f"There is no recipe “{recipe}”: name a TOML file, or one of {', '.join(shipped())}."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe {path} cannot be read.") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"The recipe {path} is not TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the recipe"
        if first["type"] == "extra_forbidden":
            raise RecipeError(f"The recipe {path} has a setting that does not exist: {where}.") from error
        if first["type"] == "missing":
            raise RecipeError(f"The recipe {path} does not say {where}.") from error
        message = first["msg"].removeprefix("Value error, ")
        raise RecipeError(f"In the recipe {path}, {where} is not right: {message[0].lower()}{message[1:]}.") from error


def from_manifest(stored: Mapping[str, JsonValue]) -> Recipe:
    """The recipe that a bundle's manifest carries. Raises RecipeError when there is none that can be understood."""
    try:
        return Recipe.model_validate_json(json.dumps(dict(stored)))
    except ValidationError as error:
        raise RecipeError("The bundle does not say by which recipe it was trained.") from error
