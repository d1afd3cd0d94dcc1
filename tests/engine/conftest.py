"""Bundles that the engine's tests run on: a small one with graphs that can be worked out, and the one that ships."""

from pathlib import Path

import pytest

from engine import bundle
from engine.bundle import STARTER, Bundle
from engine.recommender import Recommender
from tests.engine.small_bundle import write_small_bundle


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small bundle; it is read, never changed."""
    folder = tmp_path_factory.mktemp("bundles") / "small"
    write_small_bundle(folder)
    return folder


@pytest.fixture(scope="session")
def small(small_folder: Path) -> Bundle:
    """The small bundle, verified."""
    return bundle.load(small_folder, provider="cpu")


@pytest.fixture(scope="session")
def starter() -> Bundle:
    """The bundle that ships, verified."""
    return bundle.load(STARTER, provider="cpu")


@pytest.fixture(scope="session")
def recommender(small: Bundle) -> Recommender:
    """A recommender on the small bundle."""
    return Recommender(small, provider="cpu")


@pytest.fixture(scope="session")
def shipped(starter: Bundle) -> Recommender:
    """A recommender on the bundle that ships."""
    return Recommender(starter, provider="cpu")
