"""The loss: softmax cross-entropy over all films, or over films drawn for the whole batch.

Knows user vectors, film vectors and the films that came next. Knows no model.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def full_softmax(users: Tensor, films: Tensor, fame: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of `targets` int64[N] (1…V) given `users` float32[N, D], `films` float32[V+1, D] and what
    fame adds to a film's score, float32[V+1]."""
    return F.cross_entropy(users @ films[1:].T + fame[1:], targets - 1)


def sampled_softmax(users: Tensor, films: Tensor, targets: Tensor, drawn: Tensor) -> Tensor:
    """The same over each row's target and the films `drawn` int64[K], shared by the batch: one product, not N.

    Films are drawn in proportion to exp(fame). The correction for that (subtract the logarithm of the odds of being
    drawn: “logQ”) and the fame in the score are the same number with opposite signs, so neither appears here. A drawn
    film that is a row's own target does not count against it.
    """
    own = (users * films[targets]).sum(1, keepdim=True)
    others = (users @ films[drawn].T).masked_fill(drawn[None, :] == targets[:, None], float("-inf"))
    return F.cross_entropy(torch.cat([own, others], 1), torch.zeros_like(targets))
