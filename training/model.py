"""The model: SASRec (Kang and McAuley 2018), top to bottom, and what a recipe may put in its place.

A history of film indices goes in, one user vector a position comes out; a score is the dot product of a user vector
and a film vector, plus what the film's fame adds. Pre-norm blocks, learned positions counted from the end, one film
table for input and output; a recipe may have the blocks gated (LiGR: Borisyuk et al. 2024, arXiv 2407.13218), a causal
convolution before each attention (as in Primer: So et al. 2021), and no positions. Knows no people, no files and no
training loop. `training.export` writes the same arithmetic as ONNX graphs.

Histories are left-padded with 0, and padding never changes a result: positions count from the last film, and within the
model the films stand first, so that attention that sees no future sees no padding either, without a mask.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.recipe import Blocks, ModelSettings, Positions, Similarity

NORM_EPSILON = 1e-5


_SHADES = 256


class Dropout(nn.Module):
    """Sets a share of the values to 0 in training and scales the others up, as torch's own does.

    On the processor torch draws a number for every value, which costs more than the matrix products beside it; here one
    draw of 64 bits decides over eight values, so the share is the nearest multiple of 1/256.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.share:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.share)
        left_out = round(self.share * _SHADES)
        count = x.numel()
        drawn = torch.empty(-(-count // 8), dtype=torch.int64).random_(-(2**63), None).view(torch.uint8)[:count]
        kept = (drawn >= left_out).to(x.dtype).mul_(_SHADES / (_SHADES - left_out))
        return x * kept.view_as(x)


class Convolution(nn.Module):
    """Each place as a sum of itself and the places before it, weighted a dimension at a time: float32[B, L, D] → the
    same. `weight` float32[K, D]: row k is for k places before; at the start each place is itself alone."""

    def __init__(self, width: int, dimensions: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width, dimensions))
        with torch.no_grad():
            self.weight[0] = 1

    def forward(self, x: Tensor) -> Tensor:
        mixed = x * self.weight[0]
        for back in range(1, min(len(self.weight), x.shape[1])):
            mixed = mixed + F.pad(x[:, :-back], (0, 0, back, 0)) * self.weight[back]
        return mixed


class Block(nn.Module):
    """Attention and a feed-forward net, each behind a layer norm and around a residual: float32[B, L, D] → the same."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        dimensions, gated = settings.dimensions, settings.block is Blocks.GATED
        self.heads = settings.heads
        self.attention_dropout = 0.0 if gated or not settings.attention_dropout else settings.dropout
        self.norm_1 = nn.LayerNorm(dimensions, eps=NORM_EPSILON)
        self.query_key_value = nn.Linear(dimensions, 3 * dimensions)
        self.mixed = nn.Linear(dimensions, dimensions)
        self.norm_2 = nn.LayerNorm(dimensions, eps=NORM_EPSILON)
        self.wide = nn.Linear(dimensions, 4 * dimensions)
        self.narrow = nn.Linear((2 if gated else 4) * dimensions, dimensions)
        self.drop = Dropout(settings.dropout)
        self.gates = nn.ModuleList([nn.Linear(dimensions, dimensions) for _ in range(2)]) if gated else None
        self.convolution = Convolution(settings.convolution, dimensions) if settings.convolution else None

    def forward(self, x: Tensor) -> Tensor:
        batch, length, dimensions = x.shape
        normed = self.norm_1(x)
        if self.convolution is not None:
            normed = self.convolution(normed)
        parts = self.query_key_value(normed).view(batch, length, 3, self.heads, dimensions // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (B, H, L, D/H)
        dropout = self.attention_dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True, dropout_p=dropout)
        added: Tensor = self.drop(self.mixed(seen.transpose(1, 2).reshape(batch, length, dimensions)))
        if self.gates is None:
            x = x + added
            added = self.drop(self.narrow(self.drop(F.gelu(self.wide(self.norm_2(x))))))
            return x + added
        x = x + added * torch.sigmoid(self.gates[0](x))
        opening, content = self.wide(self.norm_2(x)).chunk(2, dim=-1)
        added = self.drop(self.narrow(F.silu(opening) * content))
        return x + added * torch.sigmoid(self.gates[1](x))


class SASRec(nn.Module):
    """`vocabulary` films, index 1…V; 0 is padding. `counts` int64[V] are the ratings of each (none: all the same)."""

    def __init__(self, vocabulary: int, settings: ModelSettings, counts: Tensor | None = None) -> None:
        super().__init__()
        dimensions = settings.dimensions
        self.settings = settings
        self.films = nn.Embedding(vocabulary + 1, dimensions, padding_idx=0)
        learned = settings.positions is Positions.LEARNED
        self.positions = nn.Parameter(torch.randn(settings.length, dimensions) * 0.02) if learned else None
        self.blocks = nn.ModuleList([Block(settings) for _ in range(settings.blocks)])
        self.norm = nn.LayerNorm(dimensions, eps=NORM_EPSILON)
        self.out = nn.Linear(dimensions, dimensions)
        self.drop = Dropout(settings.dropout)
        logs = torch.zeros(vocabulary) if counts is None else counts.clamp_min(1).log()
        self.log_counts: Tensor
        self.register_buffer("log_counts", torch.cat([torch.zeros(1), logs - logs.mean()]).float())
        with torch.no_grad():
            self.films.weight.normal_(std=dimensions**-0.5)
            self.films.weight[0] = 0

    @property
    def input_scale(self) -> float:
        """Film vectors are about one long; the blocks work on vectors about √D long."""
        return math.sqrt(self.settings.dimensions)

    def film_vectors(self) -> Tensor:
        """float32[V+1, D], as scored against: unit vectors when the similarity is a cosine; row 0 is zeros."""
        if self.settings.similarity is Similarity.COSINE:
            return F.normalize(self.films.weight, dim=-1, eps=1e-6)
        return self.films.weight

    def fame(self) -> Tensor:
        """float32[V+1]: what is added to each film's score, 0 for one of middling fame."""
        return self.settings.fame * self.log_counts

    def forward(self, history: Tensor, vectors: Tensor | None = None) -> Tensor:
        """User vectors float32[B, L', D] after each film of `history` int64[B, L'], left-padded, 1 ≤ L' ≤ L; what
        stands at padding means nothing.

        `vectors` replaces `film_vectors()`: a table that saved the caller from computing it twice, or another one.
        """
        length = history.shape[1]
        padding = (history == 0).sum(1, keepdim=True)  # (B, 1)
        places = torch.arange(length, device=history.device)
        films_first = history.gather(1, (places + padding) % length)
        users = self.after_each(films_first, vectors)
        back = ((places - padding) % length)[:, :, None]
        return users.gather(1, back.expand_as(users))

    def after_each(self, films_first: Tensor, vectors: Tensor | None = None) -> Tensor:
        """The same for histories that have their padding behind the films: how training asks, where nearly every place
        is asked for. `vectors` as in `forward`."""
        length = films_first.shape[1]
        films = F.embedding(films_first, self.film_vectors() if vectors is None else vectors)
        x = films * self.input_scale
        if self.positions is not None:
            count = (films_first > 0).sum(1, keepdim=True)  # (B, 1)
            from_last = count - 1 - torch.arange(length, device=films_first.device)  # (B, L'); below 0 at padding
            x = x + F.embedding(len(self.positions) - 1 - from_last.clamp_min(0), self.positions) * self.input_scale
        x = self.drop(x)
        for block in self.blocks:
            x = block(x)
        user: Tensor = self.out(self.norm(x))
        if self.settings.similarity is Similarity.COSINE:
            return F.normalize(user, dim=-1, eps=1e-6) / self.settings.temperature
        return user
