"""The loss: softmax cross-entropy over all films, or over films drawn for the whole batch.

Knows user vectors, film vectors and the films that came next. Knows no model.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def full_softmax(users: Tensor, films: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of `targets` int64[N] (1…V) given `users` float32[N, D] and `films` float32[V+1, D]."""
    return F.cross_entropy(users @ films[1:].T, targets - 1)


def sampled_softmax(users: Tensor, films: Tensor, targets: Tensor, negatives: int) -> Tensor:
    """The same over `negatives` films drawn evenly, shared by the batch (“shared negatives”: one product, not N).

    A drawn film that is a row's own target does not count against it.
    """
    drawn = torch.randint(1, len(films), (negatives,), device=users.device)
    own = (users * films[targets]).sum(1, keepdim=True)
    others = (users @ films[drawn].T).masked_fill(drawn[None, :] == targets[:, None], float("-inf"))
    return F.cross_entropy(torch.cat([own, others], 1), torch.zeros_like(targets))
