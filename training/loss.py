"""The loss: softmax cross-entropy over all films, or over films drawn for the whole batch.

Knows user vectors, film vectors and the films that came next. Knows no model. The scores of users × films are never
there as a whole: some rows at a time are turned into their part of the loss and of the gradients at once, so they stay
in the processor's cache and memory does not grow with the vocabulary.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

_AT_ONCE = {"cpu": 2**22, "cuda": 2**27}
"""Scores that are held at once: on the processor what its last cache holds, on a GPU half a gigabyte."""
_ELSEWHERE = 2**24
_FEWEST_ROWS = 64


def full_softmax(users: Tensor, films: Tensor, fame: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of `targets` int64[N] (1…V) given `users` float32[N, D], `films` float32[V+1, D] and what
    fame adds to a film's score, float32[V+1]."""
    own = (users * F.embedding(targets, films)).sum(1) + fame[targets]
    return _softmax(users, films[1:], fame[1:], own, targets - 1)


def sampled_softmax(users: Tensor, films: Tensor, targets: Tensor, drawn: Tensor) -> Tensor:
    """The same over each row's target and the films `drawn` int64[K], none twice, shared by the batch: one product.

    Films are drawn in proportion to exp(fame). The correction for that (subtract the logarithm of the odds of being
    drawn: “logQ”) and the fame in the score are the same number with opposite signs, so neither appears here. A drawn
    film that is a row's own target does not count against it.
    """
    place = torch.full((len(films),), -1, device=films.device)
    place[drawn] = torch.arange(len(drawn), device=films.device)
    own = (users * F.embedding(targets, films)).sum(1)
    return _softmax(users, F.embedding(drawn, films), films.new_zeros(len(drawn)), own, place[targets])


def _softmax(users: Tensor, columns: Tensor, bias: Tensor, own: Tensor, place: Tensor) -> Tensor:
    loss: Tensor = _Softmax.apply(users, columns, bias, own, place)  # type: ignore[no-untyped-call]
    return loss


class _Softmax(torch.autograd.Function):
    """Mean over rows of log(exp(own) + Σ exp(users · columns + bias)) − own, the column at `place` (−1: none) left out.

    `users` float32[N, D], `columns` float32[K, D], `bias` float32[K] (has no gradient), `own` float32[N], `place`
    int64[N]. The gradients are found with the loss, as in cut cross-entropy (Wijmans et al. 2024, arXiv 2411.09009).
    """

    @staticmethod
    def forward(ctx: FunctionCtx, users: Tensor, columns: Tensor, bias: Tensor, own: Tensor, place: Tensor) -> Tensor:
        loss = users.new_zeros((), dtype=torch.float64)
        of_users, of_columns, of_own = torch.empty_like(users), torch.zeros_like(columns), torch.empty_like(own)
        rows = max(_FEWEST_ROWS, _AT_ONCE.get(users.device.type, _ELSEWHERE) // len(columns))
        for start in range(0, len(users), rows):
            part = slice(start, start + rows)
            scores = torch.addmm(bias, users[part], columns.T)  # (rows, K)
            itself = (place[part] >= 0).nonzero().squeeze(1)
            scores[itself, place[part][itself]] = -torch.inf
            highest = torch.maximum(scores.amax(1), own[part])
            scores.sub_(highest[:, None]).exp_()
            mine = (own[part] - highest).exp()
            total = scores.sum(1) + mine
            loss += (total.log() + highest - own[part]).sum()
            scores.mul_(1 / (total[:, None] * len(users)))
            torch.mm(scores, columns, out=of_users[part])
            of_columns.addmm_(scores.T, users[part])
            of_own[part] = (mine / total - 1) / len(users)
        ctx.save_for_backward(of_users, of_columns, of_own)
        return (loss / len(users)).to(users.dtype)

    @staticmethod
    def backward(ctx: FunctionCtx, scale: Tensor) -> tuple[Tensor | None, ...]:
        of_users, of_columns, of_own = ctx.saved_tensors  # type: ignore[attr-defined]
        return of_users * scale, of_columns * scale, None, of_own * scale, None
