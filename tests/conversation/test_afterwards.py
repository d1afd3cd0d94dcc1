"""What is said of films that earlier messages told is said of the right ones."""

import pytest

from tests.conversation.person import Person


async def watches(person: Person) -> dict[str, tuple[str | None, float | None, str | None]]:
    """By title: the day, the mark and the reaction of each watch."""
    known = (await person.snapshot()).history
    titles = [label.rpartition(" (")[0] for label in await person.history()]
    return {
        title: (watch.watched_on.isoformat() if watch.watched_on else None, watch.rating, watch.reaction)
        for title, watch in zip(titles, known, strict=True)
    }


@pytest.mark.parametrize(
    ("said", "heat", "ronin"),
    [
        ("loved the first, the second was just ok", ("2026-11-16", None, "loved"), ("2026-11-17", None, "fine")),
        ("the last one was great, 4 stars", ("2026-11-16", None, None), ("2026-11-17", 4.0, "liked")),
        ("Heat was wednesday", ("2026-11-18", None, None), ("2026-11-17", None, None)),
        ("the first was on wednesday actually", ("2026-11-18", None, None), ("2026-11-17", None, None)),
        ("Heat was a 3/5 and Ronin 5/5", ("2026-11-16", 3.0, None), ("2026-11-17", 5.0, None)),
        ("second: 4/5, first: 2/5", ("2026-11-16", 2.0, None), ("2026-11-17", 4.0, None)),
    ],
)
async def test_films_told_together_are_told_apart(
    ada: Person, said: str, heat: tuple[object, ...], ronin: tuple[object, ...]
) -> None:
    await ada.say("watched Heat on monday and Ronin on tuesday")
    await ada.say(said)
    assert await watches(ada) == {"Heat": heat, "Ronin": ronin}


async def test_a_film_told_earlier_is_corrected_by_its_name(ada: Person) -> None:
    await ada.say("watched Jaws on monday")
    await ada.say("watched Heat yesterday")
    await ada.say("no wait, Jaws was tuesday")
    assert {title: day for title, (day, *_) in (await watches(ada)).items()} == {
        "Jaws": "2026-11-17",
        "Heat": "2026-11-19",
    }


async def test_the_day_after_is_that_of_the_film_told_before(ada: Person) -> None:
    await ada.say("watched Jaws on monday")
    await ada.say("saw Heat the day after")
    assert (await watches(ada))["Heat"][0] == "2026-11-17"


@pytest.mark.parametrize(
    ("said", "rating"),
    [
        ("knock half a star off", 3.5),
        ("add half a star", 4.5),
        ("one more star for that", 5.0),
        ("take 2 stars off", 2.0),
    ],
)
async def test_a_mark_is_raised_and_lowered(ada: Person, said: str, rating: float) -> None:
    await ada.say("watched Heat, 4 stars")
    await ada.say(said)
    assert (await watches(ada))["Heat"][1] == rating


async def test_what_is_shown_is_pointed_at_where_nothing_was_logged_since(ada: Person) -> None:
    await ada.say("watched Heat and Ronin")
    await ada.say("what next?")
    await ada.say("the first one was boring")
    assert all(
        reaction is None for title, (_, _, reaction) in (await watches(ada)).items() if title in {"Heat", "Ronin"}
    )
