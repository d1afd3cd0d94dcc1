"""The model: padding changes nothing, the future is not seen, any length goes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from training.export import untrained
from training.loss import full_softmax, sampled_softmax
from training.model import Convolution, Dropout, SASRec
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


@pytest.mark.parametrize("model", [MODEL, gated()], ids=["positions", "convolution"])
def test_padding_may_stand_behind_the_films(model: SASRec) -> None:
    with torch.no_grad():
        behind = model.after_each(torch.tensor([[4, 9, 2, 0, 0], [7, 1, 3, 8, 5]]))
        before = model(torch.tensor([[0, 0, 4, 9, 2], [7, 1, 3, 8, 5]]))
    torch.testing.assert_close(behind[0, :3], before[0, 2:])
    torch.testing.assert_close(behind[1], before[1])


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    ones, drop = torch.ones(1000, 333, requires_grad=True), Dropout(0.3)
    dropped = drop(ones)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)
    dropped.sum().backward()
    assert torch.equal(ones.grad, dropped)
    assert torch.equal(drop.eval()(ones), ones)


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


@pytest.mark.parametrize("rows", [1, 50, 5000])
def test_the_loss_and_its_gradients_are_those_of_a_softmax_in_one_piece(rows: int) -> None:
    torch.manual_seed(0)
    users, films = torch.randn(rows, 8, requires_grad=True), torch.randn(401, 8, requires_grad=True)
    fame, targets, drawn = torch.randn(401), torch.randint(1, 401, (rows,)), torch.randperm(400)[:300] + 1
    own = (users * films[targets]).sum(1, keepdim=True)
    others = (users @ films[drawn].T).masked_fill(drawn == targets[:, None], -torch.inf)
    in_one_piece = (
        F.cross_entropy(users @ films[1:].T + fame[1:], targets - 1),
        F.cross_entropy(torch.cat([own, others], 1), torch.zeros_like(targets)),
    )
    in_parts = full_softmax(users, films, fame, targets), sampled_softmax(users, films, targets, drawn)
    for one, other in zip(in_parts, in_one_piece, strict=True):
        torch.testing.assert_close(one, other)
        for found, right in zip(
            torch.autograd.grad(3 * one, (users, films)), torch.autograd.grad(3 * other, (users, films)), strict=True
        ):
            torch.testing.assert_close(found, right, atol=1e-6, rtol=1e-4)
