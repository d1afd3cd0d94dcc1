"""What is not wanted, in words → tags, and films that carry them left out, said, kept and honest about it."""

import pytest

from bot.conversation.phrases import phrases_for
from bot.conversation.reply import Reply
from bot.conversation.tagging import parted, tags_of, unwanted_tags
from engine.recommender import Recommender
from tests.conversation.person import Person

GORE = {"gore", "bloody", "blood", "splatter"}


def tags_shown(ada: Person, reply: Reply) -> set[str]:
    films = [ada.recommender.catalog.film(card.film_id) for card in reply.cards]
    return {tag.casefold() for film in films if film for tag in film.tags}


@pytest.mark.parametrize(
    ("language", "said", "tags"),
    [
        ("en", "gory", {"gore", "bloody", "gruesome"}),
        ("en", "violent", {"violence", "violent", "brutal", "graphic violence"}),
        ("en", "zombies", {"zombies", "zombie", "zombie apocalypse", "undead"}),
        ("en", "spider", {"spiders"}),
        ("en", "Vampires", {"vampire", "vampires"}),
        ("en", "jump scares", {"jump scares"}),
        ("en", "historical", {"history", "historical"}),
        ("en", "dogs dying", {"dog dies", "animals die :("}),
        ("de", "blutig", {"gore", "bloody"}),
        ("es", "violenta", {"violence", "violent"}),
    ],
)
def test_a_word_is_all_tags_that_say_it(recommender: Recommender, language: str, said: str, tags: set[str]) -> None:
    assert tags <= set(unwanted_tags(said, phrases_for(language), recommender.catalog))


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("war", "anti-war"),
        ("gore", "gore-free"),
        ("scary", "not scary"),
        ("predictable", "unpredictable"),
        ("aliens", "alienation"),
    ],
)
def test_a_tag_that_says_otherwise_is_not_meant(recommender: Recommender, said: str, tag: str) -> None:
    assert tag in tags_of(recommender.catalog)
    assert tag not in unwanted_tags(said, phrases_for("en"), recommender.catalog)


def test_what_no_tag_says_is_no_tag(recommender: Recommender) -> None:
    assert unwanted_tags("zblorgy", phrases_for("en"), recommender.catalog) == ()
    assert unwanted_tags("", phrases_for("en"), recommender.catalog) == ()


@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_every_word_that_is_described_is_said_by_some_tag(recommender: Recommender, language: str) -> None:
    phrases = phrases_for(language)
    known = tags_of(recommender.catalog)
    assert len(phrases.described) >= 80
    assert [word for word, tags in phrases.described.items() if known.isdisjoint(tags)] == []


def test_several_words_are_parted() -> None:
    assert parted("zombies, vampires or ghosts", phrases_for("en")) == ["zombies", "vampires", "ghosts"]


async def test_unwanted_tags_are_left_out_said_and_kept_for_more(ada: Person) -> None:
    first = await ada.say("10 horror films, not too gory")
    assert first.text == "Horror, leaving out “gory”:"
    assert "people tagged so" in first.footer
    more = await ada.say("more")
    assert more.text == "More (Horror, leaving out “gory”):"
    for reply in (first, more):
        assert len(reply.cards) == 10
        assert not GORE & tags_shown(ada, reply)
    assert not {card.film_id for card in first.cards} & {card.film_id for card in more.cards}


async def test_films_much_like_those_left_out_come_later(ada: Person) -> None:
    plain = [card.film_id for card in (await ada.say("20 horror films")).cards]
    spared = [card.film_id for card in (await ada.say("give me 20 horror films without gore")).cards]
    catalog = ada.recommender.catalog
    untagged = [film_id for film_id in plain if (film := catalog.film(film_id)) and not GORE & set(film.tags)]
    assert [film_id for film_id in untagged if film_id not in spared]


async def test_several_unwanted_things_and_one_that_no_tag_knows(ada: Person) -> None:
    reply = await ada.say("horror but no zombies or vampires")
    assert reply.text == "Horror, leaving out “zombies” or “vampires”:"
    assert not {"zombies", "zombie", "vampires", "vampire"} & tags_shown(ada, reply)
    reply = await ada.say("horror, nothing too zblorgy")
    assert "I can't leave out “zblorgy” for sure" in reply.text
    assert len(reply.cards) == 5


async def test_a_film_is_still_a_film_to_leave_out(ada: Person) -> None:
    reply = await ada.say("a 70s horror but not Alien")
    assert "leaving out" not in reply.text
    assert "Alien" not in [card.title for card in reply.cards]


@pytest.mark.parametrize(
    ("language", "said", "text"),
    [
        ("de", "ein Thriller, aber nicht zu blutig", "Thriller, ohne „blutig“:"),
        ("es", "una comedia que no sea muy triste", "Comedia, sin «triste»:"),
    ],
)
async def test_in_other_languages_too(ada: Person, language: str, said: str, text: str) -> None:
    assert (await ada.say(said, locale=language)).text == text


async def test_unwanted_tags_that_leave_nothing_are_named(ada: Person) -> None:
    """*The Animatrix* alone is all of that, and is tagged gore."""
    wish = "recommend an action animation drama sci-fi film from 2003"
    assert [card.title for card in (await ada.say(wish)).cards] == ["The Animatrix"]
    empty = await ada.say(f"{wish} without gore")
    assert empty.cards == ()
    assert "Leave out " in empty.text
    assert "what you do not want to see" in empty.text
