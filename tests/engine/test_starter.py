"""The bundle that ships: whole, trained, within its size, and with the terms of its data."""

import json
from pathlib import Path

from engine import bundle

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "starter.json"
MAX_BYTES = 15_000_000


def test_it_is_trusted() -> None:
    assert bundle.load(bundle.STARTER).titles.link("Suspiria (1977)").matches[0].film_id == 4437


def test_it_holds_every_film() -> None:
    assert len(bundle.load(bundle.STARTER).catalog) == 86_537


def test_it_is_small_enough_to_ship() -> None:
    assert sum(file.stat().st_size for file in bundle.STARTER.rglob("*") if file.is_file()) <= MAX_BYTES


def test_it_says_how_it_was_trained_and_how_good_it_is() -> None:
    manifest = bundle.load(bundle.STARTER).manifest
    assert manifest.recipe["name"] == "starter"
    examined = json.loads(RESULTS.read_text(encoding="utf-8"))["metrics"]
    assert abs(manifest.metrics["ndcg@10"] - examined["ndcg@10"]) < 1e-4
    assert examined["ndcg@10"] > examined["item-knn/ndcg@10"]


def test_it_carries_the_terms_and_the_citation_of_its_data() -> None:
    notice = (bundle.STARTER / "NOTICE").read_text(encoding="utf-8")
    assert "Harper" in notice
    assert "The MovieLens Datasets: History and Context" in notice
    assert "commercial" in notice
