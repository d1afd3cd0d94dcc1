"""What holds for every language that is spoken: complete sentences, known meanings, words around titles and days."""

import string
import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation.dates import day_of
from bot.conversation.intents import Asked, LogWatches, Situation
from bot.conversation.phrases import key_of, language_of, phrases_for, say_for, spoken_languages
from bot.conversation.understand import MEANINGS, understand
from engine.films import GENRES
from engine.recommender import Recommender
from tests.conversation.person import Person

MOMENT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
OTHERS = sorted(spoken_languages() - {"en"})


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_german_and_spanish_are_spoken_beside_english() -> None:
    assert spoken_languages() >= {"en", "de", "es"}
    assert [language_of(locale) for locale in ("de-AT", "es_MX", "ES", "fr", "en.say")] == [
        "de",
        "es",
        "es",
        "en",
        "en",
    ]


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_says_all_that_english_says_with_the_same_gaps(language: str) -> None:
    english, other = say_for("en").sentences, say_for(language).sentences
    assert other.keys() == english.keys()
    assert {key: gaps(said) for key, said in other.items()} == {key: gaps(said) for key, said in english.items()}


@pytest.mark.parametrize("language", sorted(spoken_languages()))
def test_what_is_split_has_all_its_parts(language: str) -> None:
    say = say_for(language)
    assert len(say("months").split()) == 12
    assert all(say.has(f"genre-{genre}") for genre in GENRES)


@pytest.mark.parametrize("language", OTHERS)
def test_a_group_of_phrases_has_a_meaning_and_a_genre_is_one_of_the_catalogues(language: str) -> None:
    phrases = phrases_for(language)
    assert phrases.sentences.labels <= MEANINGS.keys()
    assert {genre for genres in phrases.genres.values() for genre in genres} == set(GENRES)


@pytest.mark.parametrize(
    ("language", "words", "day", "exactness"),
    [
        ("de", "gestern Abend", date(2026, 11, 19), "day"),
        ("de", "am Freitagabend", date(2026, 11, 13), "day"),
        ("de", "letzten Mittwoch", date(2026, 11, 18), "day"),
        ("de", "vor fünf Tagen", date(2026, 11, 15), "day"),
        ("de", "vor fuenf Tagen", date(2026, 11, 15), "day"),
        ("de", "am 3. Mai", date(2026, 5, 3), "day"),
        ("de", "im März 2020", date(2020, 3, 1), "month"),
        ("de", "Maerz 2020", date(2020, 3, 1), "month"),
        ("de", "im Jahr 1999", date(1999, 1, 1), "year"),
        ("de", "neulich", None, "unknown"),
        ("de", "morgen", None, "unknown"),
        ("es", "anoche", date(2026, 11, 19), "day"),
        ("es", "el viernes pasado", date(2026, 11, 13), "day"),
        ("es", "el miércoles por la noche", date(2026, 11, 18), "day"),
        ("es", "hace cinco dias", date(2026, 11, 15), "day"),
        ("es", "el 3 de mayo de 2019", date(2019, 5, 3), "day"),
        ("es", "en marzo de 2020", date(2020, 3, 1), "month"),
        ("es", "en el año 1999", date(1999, 1, 1), "year"),
        ("es", "hace poco", None, "unknown"),
        ("es", "mañana", None, "unknown"),
    ],
)
def test_a_day(language: str, words: str, day: date | None, exactness: str) -> None:
    said = day_of(words, MOMENT, phrases_for(language), language)
    assert (said.day, said.exactness.value) == (day, exactness)


@pytest.mark.parametrize(
    ("language", "text", "films"),
    [
        ("de", "Alien und Aliens", ["Alien (1979)", "Aliens (1986)"]),
        ("de", "sowohl Heat als auch Fargo", ["Heat (1995)", "Fargo (1996)"]),
        ("de", "Rocky II und III", ["Rocky II (1979)", "Rocky III (1982)"]),
        ("de", "Suspiria von 1977", ["Suspiria (1977)"]),
        ("de", "Suspiria aus dem Jahr 2018", ["Suspiria (2017)"]),
        ("de", "das alte Suspiria", ["Suspiria (1977)"]),
        ("de", "Pride and Prejudice", ["Pride & Prejudice (2005)"]),
        ("es", "Alien y Aliens", ["Alien (1979)", "Aliens (1986)"]),
        ("es", "Y tu mamá también y Volver", ["And Your Mother Too (2001)", "Volver (2006)"]),
        ("es", "Suspiria, la de 1977", ["Suspiria (1977)"]),
        ("es", "la Suspiria original", ["Suspiria (1977)"]),
    ],
)
def test_titles_are_told_in_the_words_of_the_language(
    recommender: Recommender, language: str, text: str, films: list[str]
) -> None:
    links = recommender.titles.told_by(phrases_for(language).telling).link_all(text)
    found = [recommender.catalog.film(link.matches[0].film_id) for link in links if link.matches]
    assert [film.label for film in found if film] == films


@pytest.mark.parametrize(
    ("language", "text", "film"),
    [("de", "das Remake", "Suspiria (2017)"), ("de", "der aus den 70ern", "Suspiria (1977)"),
     ("es", "la nueva", "Suspiria (2017)"), ("es", "la de los setenta", "Suspiria (1977)")],
)  # fmt: skip
def test_an_answer_tells_films_of_one_name_apart(recommender: Recommender, language: str, text: str, film: str) -> None:
    titles = recommender.titles.told_by(phrases_for(language).telling)
    both = [match.film_id for match in titles.link("Suspiria").matches]
    chosen = [recommender.catalog.film(film_id) for film_id in titles.narrow(both, text)]
    assert [one.label for one in chosen if one] == [film]


def test_words_of_another_language_are_not_taken_for_words_around_titles(recommender: Recommender) -> None:
    assert recommender.titles.told_by(phrases_for("en").telling) is recommender.titles
    assert len(recommender.titles.link_all("Alien und Aliens")) == 1


def test_letters_that_are_also_written_in_another_way_are_understood_either_way() -> None:
    for said in ("für Kinder", "fuer Kinder"):
        assert phrases_for("de").genres[key_of(said)] == ("Children",)
    for said in ("rückgängig", "rueckgaengig"):
        assert understand(said, Situation(), "de") == understand("undo", Situation(), "de")


def test_a_word_of_a_title_is_no_slip_of_a_word_of_the_language() -> None:
    for language, said in (("de", "Alien gesehen"), ("es", "vi Tenet")):
        (watched,) = understand(said, Situation(), language)
        assert isinstance(watched, LogWatches)
        assert watched.films in {"Alien", "Tenet"}


@pytest.mark.parametrize(
    ("said", "locale", "greeting"),
    [("sprich Deutsch", "de", "Hallo!"), ("habla español", "es", "¡Hola!"), ("speak German", "de", "Hallo!")],
)
async def test_a_language_is_asked_for_in_english_or_in_itself(
    ada: Person, said: str, locale: str, greeting: str
) -> None:
    await ada.say(said)
    assert (await ada.snapshot()).preferences.locale == locale
    assert (await ada.say("hallo" if locale == "de" else "hola")).text.startswith(greeting)
    await ada.say("speak English please")
    assert (await ada.say("hi")).text.startswith("Hello!")


@pytest.mark.parametrize("language", OTHERS)
@given(text=st.text(max_size=200), asked=st.sampled_from([None, *Asked]), shown=st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_any_text_means_something(language: str, text: str, asked: Asked | None, shown: int) -> None:
    assert understand(text, Situation(asked, shown, shown), language)


@pytest.mark.parametrize("language", OTHERS)
def test_a_long_message_is_read_in_bounded_time(language: str) -> None:
    watched = phrases_for(language).watched
    understand(watched, Situation(), language)
    started = time.thread_time()
    for said in (f"{watched} " * 50_000, f"{watched} a, " * 50_000, "Alien y und a ich no que nicht " * 20_000):
        assert understand(said, Situation(shown=5), language)
    assert time.thread_time() - started < 10  # a bound that only a runaway breaks, not a measurement
