"""The model: padding changes nothing, the future is not seen, any length goes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.export import untrained
from training.loss import full_softmax, sampled_softmax
from training.model import SASRec
from training.recipe import ModelSettings, Similarity

SETTINGS = ModelSettings(
    dimensions=16, heads=4, blocks=2, length=12, dropout=0.3, similarity=Similarity.COSINE, fame=0.5
)
MODEL = untrained(30, SETTINGS)
HISTORIES = st.lists(st.integers(1, 30), min_size=1, max_size=12)


@torch.no_grad()
def user(history: list[int], padding: int = 0) -> torch.Tensor:
    return MODEL(torch.tensor([[0] * padding + history]))[0, -1]


@settings(deadline=None)
@given(HISTORIES, st.integers(0, 11))
def test_padding_never_changes_a_user_vector(history: list[int], padding: int) -> None:
    torch.testing.assert_close(user(history, min(padding, 12 - len(history))), user(history), atol=1e-5, rtol=1e-5)


@settings(deadline=None)
@given(HISTORIES, st.integers(1, 30))
def test_a_position_does_not_see_what_comes_after(history: list[int], last: int) -> None:
    with torch.no_grad():
        one = MODEL(torch.tensor([[*history[:-1], last]]))[0, :-1]
        other = MODEL(torch.tensor([history]))[0, :-1]
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)


def test_the_order_of_a_history_matters() -> None:
    assert not torch.allclose(user([1, 2, 3]), user([3, 2, 1]))


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
