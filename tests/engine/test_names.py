"""How a name is read: its words, its keys, and the shorter names it goes by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.names import Standing, exact_key, forms, loose_key, loose_words, parts, trigrams_of, words


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Amélie", "amelie"),
        ("SMULTRONSTÄLLET", "smultronstallet"),
        ("Søstre, Łódź & Straße", "sostre lodz and strasse"),
        ("Pride & Prejudice", "pride and prejudice"),
        ("Romeo + Juliet", "romeo and juliet"),
        ("Schindler's List", "schindlers list"),
        ("Schindler’s List", "schindlers list"),
        ("Spider-Man", "spider man"),
        ("WALL·E", "wall e"),
        ("E.T. the Extra-Terrestrial", "et the extra terrestrial"),
        ("M*A*S*H", "mash"),
        ("L.A. Confidential", "la confidential"),
        ("Star Wars: Episode V - A", "star wars episode v a"),
        ("Alien³", "alien 3"),
        ("8½", "8 1 2"),
        ("[REC]²", "rec 2"),
        ("Брат 2", "брат 2"),
        ("千と千尋", "千と千尋"),
        ("$", ""),
    ],
)
def test_words_lose_case_accents_and_signs(name: str, read: str) -> None:
    assert " ".join(words(name)) == read


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("The Thing", "thing"),
        ("La Haine", "haine"),
        ("L'Avventura", "avventura"),
        ("Die Hard", "die hard"),
        ("L.A. Story", "la story"),
        ("A", "a"),
        ("The The", "the"),
        ("Rocky IV", "rocky 4"),
        ("The Godfather: Part II", "godfather 2"),
        ("Kill Bill: Vol. 1", "kill bill 1"),
        ("Ocean's Eleven", "oceans 11"),
        ("Twenty-One Grams", "21 grams"),
        ("I, Robot", "i robot"),
        ("The King and I", "king and 1"),
        ("Alien vs. Predator", "alien 5 predator"),
        ("Doctor Strange", "dr strange"),
        ("Part II", "part 2"),
    ],
)
def test_loose_words_lose_articles_and_write_numbers_in_digits(name: str, read: str) -> None:
    assert " ".join(loose_words(name)) == read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Spider-Man", "spiderman"),
        ("Se7en", "SE7EN"),
        ("WALL·E", "wall-e"),
        ("Fast & Furious", "fast and furious"),
        ("8 1/2", "8½"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert exact_key(one) == exact_key(other)


def test_a_name_of_signs_alone_is_its_own_key() -> None:
    assert exact_key("$") == "$"
    assert exact_key("🙂") != exact_key("$")


def test_parts_of_a_name_are_its_beginnings_and_its_subtitles() -> None:
    assert parts("Star Wars: Episode V - The Empire Strikes Back") == [
        (Standing.PART, "Star Wars"),
        (Standing.SUBTITLE, "Episode V The Empire Strikes Back"),
        (Standing.PART, "Star Wars Episode V"),
        (Standing.SUBTITLE, "The Empire Strikes Back"),
        (Standing.PART, "Star Wars The Empire Strikes Back"),
    ]
    assert parts("Dr. Strangelove or: How I Learned") == [
        (Standing.PART, "Dr. Strangelove"),
        (Standing.SUBTITLE, "How I Learned"),
    ]
    assert parts("Crouching Tiger, Hidden Dragon") == [(Standing.PART, "Crouching Tiger")]


@pytest.mark.parametrize("name", ["Alien", "Me, Myself & Irene", "3:10 to Yuma", "Face/Off", "Spider-Man"])
def test_a_name_without_subtitle_has_no_parts(name: str) -> None:
    assert parts(name) == []


def test_part_two_alone_names_nothing() -> None:
    assert [part for _, part in parts("The Godfather: Part II")] == ["The Godfather"]
    assert [part for _, part in parts("Avengers: Infinity War - Part II")] == [
        "Avengers",
        "Infinity War Part II",
        "Avengers Infinity War",
    ]


def test_no_form_of_a_film_has_the_key_of_another() -> None:
    of_film = forms(["Léon: The Professional", "The Professional", "Léon"], with_parts=True)
    keys = [form.key for form in of_film]
    assert len(keys) == len(set(keys))
    assert {form.key: form.standing for form in of_film}["leon"] is Standing.NAME


@given(st.text(max_size=60))
def test_keys_do_not_depend_on_case_or_surrounding_spaces(name: str) -> None:
    assert exact_key(f"  {name} ") == exact_key(name)
    if name.isascii():
        assert loose_key(name.upper()) == loose_key(name.lower())


@given(st.text(max_size=400))
def test_any_text_has_words_keys_and_trigrams(name: str) -> None:
    assert exact_key(name) or not name.split()
    assert all(0 <= gram < 1 << 21 for gram in trigrams_of(" ".join(loose_words(name))))
