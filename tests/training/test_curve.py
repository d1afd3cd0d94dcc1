"""The picture of a run is well-formed, shows every epoch, and says in words what it shows."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

from training.curve import curve
from training.fit import Epoch

SVG = "{http://www.w3.org/2000/svg}"


def test_loss_and_validation_are_drawn_and_the_kept_epoch_is_marked() -> None:
    drawn = ET.fromstring(curve([Epoch(1, 5.0, 0.1), Epoch(2, 4.0, 0.3), Epoch(3, 3.5, 0.2)], best=2))
    lines = [line.attrib["points"].split() for line in drawn.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [3, 3]
    heights = [[float(point.split(",")[1]) for point in points] for points in lines]
    assert heights[0] == sorted(heights[0])  # down the page as the loss falls
    [mark] = drawn.iter(f"{SVG}circle")
    assert float(mark.attrib["cy"]) == min(heights[1])
    assert drawn.attrib["aria-label"] == (
        "loss from 5.000 to 3.500 in 3 epochs; best NDCG@10 in validation 0.3000 in epoch 2"
    )


def test_without_validation_the_loss_stands_alone() -> None:
    drawn = ET.fromstring(curve([Epoch(1, 5.0, math.nan)], best=1))
    assert len(list(drawn.iter(f"{SVG}polyline"))) == 1
    assert not list(drawn.iter(f"{SVG}circle"))
