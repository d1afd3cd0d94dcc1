"""The picture of a training run: loss and validation over the epochs, as an SVG for the bundle's card.

Knows epochs and lines. Drawn by hand, so that training needs no plotting library for one picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from training.fit import Epoch

_WIDTH, _HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 56, 28, 36


def curve(epochs: Sequence[Epoch], best: int) -> str:
    """An SVG with the loss on the left axis, NDCG@10 of the validation people on the right one (where there are any),
    and a mark at the epoch that was kept."""
    losses = [epoch.loss for epoch in epochs]
    gains = [epoch.ndcg for epoch in epochs]
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    named = f'role="img" aria-label="{escape(_said(epochs, best))}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {named}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<path d="M{_LEFT},{_TOP}V{bottom}H{right}V{_TOP}" fill="none" stroke="#888"/>',
        '<g font-family="sans-serif" font-size="12">',
        f'<text x="{_LEFT}" y="18" fill="#b3541e">loss</text>',
        f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 6}" text-anchor="middle">epoch</text>',
        f'<text x="{_LEFT}" y="{bottom + 16}" text-anchor="middle">1</text>',
        f'<text x="{right}" y="{bottom + 16}" text-anchor="middle">{len(epochs)}</text>',
        *_axis(losses, _LEFT - 6, "end"),
        _line(losses, "#b3541e"),
    ]
    if all(map(math.isfinite, gains)):
        parts += [
            f'<text x="{right}" y="18" text-anchor="end" fill="#1e6fb3">NDCG@10 in validation</text>',
            *_axis(gains, right + 6, "start"),
            _line(gains, "#1e6fb3"),
        ]
        x, y = _places(gains)[best - 1]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#1e6fb3"/>')
    return "\n".join([*parts, "</g></svg>"]) + "\n"


def _said(epochs: Sequence[Epoch], best: int) -> str:
    said = f"loss from {epochs[0].loss:.3f} to {epochs[-1].loss:.3f} in {len(epochs)} epochs"
    kept = epochs[best - 1].ndcg
    return said if math.isnan(kept) else f"{said}; best NDCG@10 in validation {kept:.4f} in epoch {best}"


def _places(values: Sequence[float]) -> list[tuple[float, float]]:
    low, high = min(values), max(values)
    steps, span = max(1, len(values) - 1), (high - low) or 1.0
    across, down = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    return [(_LEFT + across * place / steps, _TOP + down * (high - value) / span) for place, value in enumerate(values)]


def _line(values: Sequence[float], colour: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _places(values))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _axis(values: Sequence[float], x: float, anchor: str) -> list[str]:
    """The lowest and the highest value, where they stand."""
    ends = ((max(values), _TOP + 4), (min(values), _HEIGHT - _BOTTOM + 4))
    return [f'<text x="{x}" y="{y}" text-anchor="{anchor}">{value:.3g}</text>' for value, y in ends]
