"""What a wish comes to that changes the one before it: `refined_wish`.

Knows the wish that the slate shown last came from and the films on it, and how a word of a language stands to genres
and tags. Shows nothing: that is `bot.conversation.recommending`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median_low

from bot.conversation.intents import Age, Refining, Wish
from bot.conversation.phrases import Phrases
from bot.conversation.slate_wish import SlateWish
from bot.conversation.tagging import tags_of, unwanted_tags
from engine.films import Catalog
from engine.requests import Request

REFINED_FOR = timedelta(hours=3)
"""How long after a slate was shown a wish may change it; later it is a wish of its own."""

Years = tuple[int | None, int | None]


def may_be_refined(shown_at: datetime, moment: datetime) -> bool:
    """Whether the slate is fresh enough for “something older” to be about it."""
    return moment - shown_at <= REFINED_FOR


def toned_down(wish: Wish, genres: Iterable[str], phrases: Phrases) -> tuple[str, ...]:
    """The words that only tone down what is wanted: “horror, but not too scary” is horror still."""
    wanted = set(genres)
    return tuple(word for word in wish.softer if wanted & set(phrases.genres.get(word, ())))


def refined_wish(
    before: SlateWish, wish: Wish, said: SlateWish, refining: Refining, years: Years, phrases: Phrases, catalog: Catalog
) -> SlateWish:
    """The wish before, changed by what was said, which is `wish` in words and `said` to the engine, and by `years`.

    What was said takes the place of what it contradicts; all else stays.
    """
    old, new = before.request, said.request
    softer = toned_down(wish, old.genres, phrases)
    kept_genres = {genre for word in softer for genre in phrases.genres.get(word, ())}
    unwanted = frozenset(wish.without_genres) - kept_genres
    genres = (frozenset() if refining is Refining.REPLACING and new.genres else old.genres) | new.genres
    # What is a genre already can only be had more of by its tags: “scarier” of horror.
    more_of = [word for word in wish.compared if old.genres & set(phrases.genres.get(word, ()))]
    by_tag = [word for word in more_of if word in tags_of(catalog)]
    # Neither “funnier” nor “less scary” outlives the comedies or the horror that it was said of.
    gone = (old.genres - genres) | unwanted
    kept_tags = [tag for tag in old.tags if gone.isdisjoint(phrases.genres.get(tag, ()))]
    wanted = tuple(dict.fromkeys((*kept_tags, *new.tags, *by_tag)))
    left_out = [word for word in before.left_out if gone.isdisjoint(phrases.genres.get(word, ()))]
    left_out += [*said.left_out, *softer]
    left_out = [word for word in dict.fromkeys(left_out) if word not in wish.compared and word not in new.tags]
    shunned = _tags(left_out, phrases, catalog)
    spared = {person.name for person in new.without_people}
    request = replace(
        old,
        count=wish.count or old.count,
        like=new.like or old.like,
        genres=genres - unwanted,
        without_genres=(old.without_genres - new.genres) | unwanted,
        years=years,
        without_years=tuple(dict.fromkeys((*old.without_years, *new.without_years))) if years == old.years else (),
        tags=tuple(tag for tag in wanted if tag not in shunned),
        people=new.people or tuple(person for person in old.people if person.name not in spared),
        without_people=tuple(dict.fromkeys((*old.without_people, *new.without_people))),
        without_tags=shunned,
        without=old.without | new.without,
        adventurousness=old.adventurousness if wish.adventurousness is None else new.adventurousness,
    )
    return SlateWish(request, before.earlier, tuple(left_out))


def _tags(words: Sequence[str], phrases: Phrases, catalog: Catalog) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for word in words for tag in unwanted_tags(word, phrases, catalog)))


def years_of_age(age: Age, request: Request, shown: Sequence[int], newest: int) -> Years:
    """Older or newer than the years asked for, else than most of the films shown, whose years are `shown`.

    Within what was asked for when it is open on that side: older than the films shown “since 1990”, but since 1990.
    """
    first, last = request.years
    middle = median_low(shown) if shown else newest - 10
    if age is Age.OLDER:
        if first is not None and last is not None:
            return None, first - 1
        until = middle - 1 if last is None else min(last, middle) - 1
        return (first if first is not None and first < until else None), until
    if first is not None and last is not None and last < newest:
        return last + 1, None
    since = middle + 1 if first is None else max(first, middle) + 1
    return min(since, newest), (last if last is not None and last > since else None)
