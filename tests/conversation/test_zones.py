"""Time zones by the names that people use."""

import pytest

from bot.conversation.zones import place_in, zone_of


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("europe/paris", "Europe/Paris"),
        ("Atlantis", None),
    ],
)
def test_a_place_has_its_zone(name: str, zone: str | None) -> None:
    assert zone_of(name) == zone


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("we have moved to Chicago btw", "Chicago"), ("I am on New York time", "New York"), ("I am at home", None),
        ("London's my home now", "London"),
    ],
)  # fmt: skip
def test_the_place_in_a_sentence_is_found(said: str, place: str | None) -> None:
    assert place_in(said.split()) == place
