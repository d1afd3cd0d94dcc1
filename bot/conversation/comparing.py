"""Whether a wish changes the one before it: “something older”, “less scary”, “but not horror”, “a comedy instead”.

Pure functions of words: `refined` looks only at a message while a list is shown. What a changed wish comes to is
`bot.conversation.refining`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.conversation.grammar import Token
from bot.conversation.intents import (
    Age,
    BareTitle,
    Dismiss,
    Help,
    Intent,
    More,
    NotUnderstood,
    React,
    Recommend,
    Refining,
    Situation,
    Thanks,
    Wish,
)
from bot.conversation.phrases import Phrases, decade_of
from bot.conversation.spotting import Known
from bot.conversation.wish_words import compact
from bot.conversation.wishes import read_wish
from engine.titles import Certainty

_FEW = 6
"""Words up to which a message that only narrows a wish down is about the wish before."""
_LONGEST = 12
"""Words up to which what was not understood as a wish may be one that changes the last."""
_EXACT = 0.98
"""Similarity from which a name is as good as written out."""


def refined(
    intents: tuple[Intent, ...],
    said: str,
    tokens: Sequence[Token],
    phrases: Phrases,
    situation: Situation,
    known: Known | None,
) -> tuple[Intent, ...]:
    """The same intents, where the one wish of a message changes the wish that the list shown came from.

    What was taken for nothing in particular (“not so old”, “those are too slow”) is such a wish when its words compare.
    """
    if not situation.shown or situation.asked is not None:
        return intents
    wishes = [intent for intent in intents if isinstance(intent, Recommend)]
    if len(wishes) == 1:
        changed = _refining(wishes[0].wish, tokens, phrases)
        return tuple(changed if changed and intent is wishes[0] else intent for intent in intents)
    if wishes or len(intents) != 1 or not _may_compare(intents[0], tokens, situation, known):
        return intents
    wish = read_wish(tokens, said, phrases, tags=known.tags if known else None)
    changed = _refining(wish, tokens, phrases)
    told = all(_is_told(word, phrases, known) for word in (*wish.unwanted, *wish.without_films))
    return (changed,) if changed and told and _compares(changed.wish, tokens, phrases) else intents


def _may_compare(intent: Intent, tokens: Sequence[Token], situation: Situation, known: Known | None) -> bool:
    """Whether a message was taken for nothing that its words say for sure."""
    if sum(not token.is_mark for token in tokens) > _LONGEST or any(token.is_film for token in tokens):
        return False
    match intent:
        case BareTitle(text=text):
            link = known.titles.link(text) if known else None
            named = link and link.certainty is not Certainty.UNKNOWN and link.matches[0].similarity >= _EXACT
            return not named or text == text.lower()
        case React():
            return not situation.film_in_mind
        case Dismiss(places=(), film=None, every=False) | NotUnderstood(empty=False) | Help() | More() | Thanks():
            return True
    return False


def _is_told(word: str, phrases: Phrases, known: Known | None) -> bool:
    """Whether a word is one that films are described by."""
    return word in phrases.described or word in phrases.eras or bool(known and compact(word) in known.tags)


def _refining(wish: Wish, tokens: Sequence[Token], phrases: Phrases) -> Recommend | None:
    """The change that a wish is; None when it is a wish of its own."""
    words = [token.meant for token in tokens if not token.is_mark]
    cues = phrases.refining
    if wish.count and wish == Wish(count=wish.count):
        return Recommend(wish, refines=Refining.ADDING)  # “give me 10”
    age = None if _names_years(tokens, phrases) else _age(words, phrases)
    says = age is not None or replace(wish, count=None).says_something
    if not says or wish.like:
        return None
    begin = _begin(words, cues.get("leads", frozenset()))
    replaces = _starts(begin, cues.get("replacing", ())) or _ends(words, cues.get("instead", ()))
    adds = _starts(begin, cues.get("adding", ()))
    compared = {genre for word in wish.compared for genre in phrases.genres.get(word, ())}
    if not (replaces or adds) and (wish.names or set(wish.genres) - compared):
        return None
    if not (replaces or adds or age or _compares(wish, tokens, phrases) or _narrows(wish, words, phrases)):
        return None
    refining = Refining.REPLACING if replaces and wish.genres and not wish.compared else Refining.ADDING
    unwanted = tuple(word for word in wish.unwanted if age is None or word not in phrases.eras)
    return Recommend(replace(wish, age=age, unwanted=unwanted), refines=refining)


def _compares(wish: Wish, tokens: Sequence[Token], phrases: Phrases) -> bool:
    """Whether the words of a wish compare: “darker”, “less gory”, “too slow”, “more like the second”."""
    words = [token.meant for token in tokens if not token.is_mark]
    less = any(_has(words, cue) for cue in phrases.refining.get("less", ()))
    more = any(_has(words, cue) for cue in phrases.refining.get("more", ()))
    toned = less and bool(wish.unwanted or wish.softer or wish.without_genres or wish.without_films)
    raised = (less or more) and wish.adventurousness is not None
    raised = raised or any(
        _has(words, f"{cue} {said}") for cue in phrases.refining.get("more", ()) for said in wish.words
    )
    return bool(wish.age or wish.compared or toned or raised or (more and wish.like_places))


def _narrows(wish: Wish, words: Sequence[str], phrases: Phrases) -> bool:
    """Whether a few words say nothing but when films are from or what they are not: “from the 80s”, “no zombies”."""
    rest = replace(wish, years=(None, None), recent=None, adventurousness=None, count=None)
    rest = replace(rest, without_years=(), without_genres=(), without_films=(), unwanted=(), softer=())
    return rest == Wish() and len(words) <= _FEW and phrases.wishing.film_words.isdisjoint(words)


def _names_years(tokens: Iterable[Token], phrases: Phrases) -> bool:
    return any(
        decade_of(token.word, phrases.decades) is not None or (len(token.word) == 4 and token.word.isdigit())
        for token in tokens
    )


def _age(words: Sequence[str], phrases: Phrases) -> Age | None:
    """What is said of age, by the longest phrase: “not so old” is newer."""
    said = {cue: age for age in Age for cue in phrases.refining.get(age.value, ()) if _has(words, cue)}
    return said[max(said, key=len)] if said else None


def _begin(words: Sequence[str], leads: frozenset[str]) -> Sequence[str]:
    """The words behind those that say nothing: “ok but …”."""
    start = next((place for place, word in enumerate(words) if word not in leads), len(words))
    return words[start:]


def _has(words: Sequence[str], cue: str) -> bool:
    return f" {cue} " in f" {' '.join(words)} "


def _starts(words: Sequence[str], cues: Iterable[str]) -> bool:
    return any(f"{' '.join(words)} ".startswith(f"{cue} ") for cue in cues)


def _ends(words: Sequence[str], cues: Iterable[str]) -> bool:
    return any(f" {' '.join(words)}".endswith(f" {cue}") for cue in cues)
