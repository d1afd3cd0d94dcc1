"""The model: padding changes nothing, the future is not seen, any length goes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.export import untrained
from training.loss import full_softmax, sampled_softmax
from training.model import Convolution, SASRec
from training.recipe import Blocks, ModelSettings, Positions, Similarity

SETTINGS = ModelSettings(
    dimensions=16, heads=4, blocks=2, length=12, dropout=0.3, similarity=Similarity.COSINE, fame=0.5
)
GATED = SETTINGS.model_copy(update={"block": Blocks.GATED, "convolution": 3, "positions": Positions.NONE})
MODEL = untrained(30, SETTINGS)


def gated() -> SASRec:
    """With a convolution that mixes: an untrained one lets each place be itself."""
    model = untrained(30, GATED)
    for block in model.blocks:
        block.convolution.weight.data.normal_(generator=torch.Generator().manual_seed(0))
    return model


MODELS = st.sampled_from([MODEL, gated()])
HISTORIES = st.lists(st.integers(1, 30), min_size=1, max_size=12)


@torch.no_grad()
def user(history: list[int], padding: int = 0, model: SASRec = MODEL) -> torch.Tensor:
    return model(torch.tensor([[0] * padding + history]))[0, -1]


@settings(deadline=None)
@given(MODELS, HISTORIES, st.integers(0, 11))
def test_padding_never_changes_a_user_vector(model: SASRec, history: list[int], padding: int) -> None:
    padded = user(history, min(padding, 12 - len(history)), model)
    torch.testing.assert_close(padded, user(history, 0, model), atol=1e-5, rtol=1e-5)


@settings(deadline=None)
@given(MODELS, HISTORIES, st.integers(1, 30))
def test_a_position_does_not_see_what_comes_after(model: SASRec, history: list[int], last: int) -> None:
    with torch.no_grad():
        one = model(torch.tensor([[*history[:-1], last]]))[0, :-1]
        other = model(torch.tensor([history]))[0, :-1]
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("model", [MODEL, gated()], ids=["positions", "convolution"])
def test_the_order_of_a_history_matters(model: SASRec) -> None:
    assert not torch.allclose(user([1, 2, 3], 0, model), user([2, 1, 3], 0, model))


def test_a_convolution_weighs_the_places_before() -> None:
    layer = Convolution(2, 1)
    with torch.no_grad():
        layer.weight[:] = torch.tensor([[1.0], [10.0]])
        assert layer(torch.tensor([[[1.0], [2.0], [3.0]]])).flatten().tolist() == [1, 12, 23]


def test_an_empty_history_gives_numbers() -> None:
    assert torch.isfinite(user([], padding=5)).all()


def test_cosine_vectors_are_one_long() -> None:
    with torch.no_grad():
        assert MODEL.film_vectors()[1:].norm(dim=1) == pytest.approx(1.0)
        assert not MODEL.film_vectors()[0].any()


def test_fame_is_the_logarithm_of_ratings_around_its_mean() -> None:
    model = SASRec(2, SETTINGS, torch.tensor([1, 100]))
    assert model.fame().tolist() == pytest.approx([0, -0.5 * 2.302585, 0.5 * 2.302585])


def test_sampled_softmax_over_every_film_once_is_full_softmax_with_the_fame_taken_out() -> None:
    users, films = torch.randn(5, 8), torch.randn(11, 8)
    targets = torch.tensor([1, 5, 10, 3, 3])
    full = full_softmax(users, films, torch.zeros(11), targets)
    torch.testing.assert_close(sampled_softmax(users, films, targets, torch.arange(1, 11)), full)
