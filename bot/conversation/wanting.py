"""Acting on the watchlist: show it, put films on it, take them off, say which of it to watch.

Knows films and places on lists. Logging a film takes it off by itself (`Turn.log`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.conversation.adding import ask_to_add
from bot.conversation.cards import Standing, as_it_stands, wanted_cards
from bot.conversation.context import Question
from bot.conversation.intents import Asked, BareTitle, Unwant, Want, Watchlist
from bot.conversation.own_films import MAX_OWN_TITLE
from bot.conversation.recommending import EXACT, places_of, shown_films
from bot.conversation.reply import Reply
from bot.conversation.telling import either, labels, shown_title
from bot.conversation.turn import Turn
from engine.films import FilmId
from engine.titles import Certainty, Link

MAX_NAMED = 10
"""Films up to which they are named when they are taken off; more are counted."""
PAGE = 10
"""Films of the watchlist that one answer shows."""


def watchlist(turn: Turn, intent: Watchlist) -> None:
    """Show the watchlist from its beginning, the oldest first, or what of it to watch next."""
    turn.private = True
    if not turn.wanted:
        turn.tell("watchlist-none")
        return
    if intent.search:
        if found := _wanted_of(turn, intent.search):
            turn.in_mind = tuple(found)
            turn.tell("watchlist-has", films=labels(turn.say, turn.films(found)))
        return
    turn.listed = ()
    if intent.best and len(turn.wanted) > 1:
        ordered = turn.engine.order(turn.member, [FilmId(film_id) for film_id in turn.wanted])
        turn.tell("watchlist-best")
        _show(turn, ordered[: turn.habits.slate_size])
        return
    turn.tell("watchlist-total" if len(turn.wanted) > 1 else "watchlist-total-one", count=len(turn.wanted))
    more_wanted(turn)


def more_wanted(turn: Turn) -> None:
    """The next films of the watchlist, after those shown."""
    turn.private = True
    left = [film_id for film_id in turn.wanted if film_id not in turn.listed]
    if not left:
        turn.tell("watchlist-end")
        return
    _show(turn, left[:PAGE])
    if len(left) > PAGE:
        turn.hint("watchlist-rest", count=len(left) - PAGE)


def watchlist_again(turn: Turn, message_id: int, standing: Standing, said: Reply) -> Reply:
    """The films of the watchlist that a message showed, as they stand after one of their buttons was pressed."""
    films = turn.films(turn.context.listed)
    cards = as_it_stands(turn.say, wanted_cards(turn.say, films, 1, message_id), standing)
    # What is on the watchlist no more has no button to take it off.
    gone = frozenset(film.film_id for film in films) - standing.wanted
    cards = tuple(replace(card, choices=()) if card.film_id in gone else card for card in cards)
    count = len(standing.wanted)
    key = "watchlist-total" if count > 1 else "watchlist-total-one" if count else "watchlist-empty"
    footer = "\n".join(part for part in (said.text, said.footer) if part)
    return replace(said, text=turn.say(key, count=count), cards=cards, footer=footer)


def _show(turn: Turn, film_ids: Sequence[int]) -> None:
    """Show films as cards, numbered on from those shown; what is said next of a number is about them."""
    turn.drop_questions()
    first = len(turn.listed) + 1
    turn.cards += wanted_cards(turn.say, turn.films(film_ids), first, turn.message_id)
    turn.listed, turn.listed_by = (*turn.listed, *film_ids), turn.message_id
    turn.in_mind = tuple(turn.listed) if len(turn.listed) == 1 else ()
    turn.hint_typing("watchlist-footer" if len(turn.listed) > 1 else "watchlist-footer-one")


# Putting on it


def is_title(turn: Turn, intent: Want) -> BareTitle | None:
    """The title that all of what was said is after all: “Save the Last Dance”."""
    if not intent.film or not intent.whole or len(intent.whole) > MAX_OWN_TITLE:
        return None
    link = turn.link(intent.whole)
    exact = link.certainty is not Certainty.UNKNOWN and link.matches[0].similarity >= EXACT
    return BareTitle(intent.whole) if exact else None


def want(turn: Turn, intent: Want) -> None:
    """Put films on the watchlist: of the list, or named, or the one that is talked about."""
    turn.private = turn.private or intent.quiet
    listed = shown_films(turn)
    if not turn.asked_anew and turn.questions and turn.questions[0].asked is Asked.WATCHED_OR_LIKE:
        turn.questions = []
    if intent.film:
        _want_named(turn, intent.film)
    elif intent.places:
        want_films(turn, places_of(turn, listed, intent.places))
    elif intent.every and (turn.in_mind or listed):
        done = turn.dismissed | {watch.film_id for watch in turn.history}
        left = [film_id for film_id in listed if film_id not in done]
        want_films(turn, turn.in_mind if len(turn.in_mind) > 1 else left or listed)
    elif turn.in_mind:
        want_films(turn, turn.in_mind)
    elif len(listed) > 1:
        turn.ask(Question(Asked.WHICH_SHOWN, choices=tuple(listed), wants=True))
    elif listed:
        want_films(turn, listed)
    else:
        turn.tell("want-what")


def want_instead(turn: Turn, places: Sequence[int]) -> bool:
    """Put films of the list on the watchlist in place of those of it just put there; whether there were any."""
    listed = shown_films(turn)
    before = [film_id for film_id in turn.in_mind if film_id in turn.wanted and film_id in listed]
    if not before or len(before) < len(turn.in_mind):
        return False
    chosen = places_of(turn, listed, places)
    if chosen:
        unwant_films(turn, [film_id for film_id in before if film_id not in chosen])
        want_films(turn, chosen)
    return True


def _want_named(turn: Turn, typed: str) -> None:
    """Films that were named: those that are clear at once, the others are asked about, one after the other."""
    sure: list[int] = []
    unknown: list[str] = []
    for link in turn.link_all(typed):
        if link.certainty is Certainty.CLEAR:
            sure.append(int(link.matches[0].film_id))
        elif link.matches:
            turn.ask(_question(turn, link))
        else:
            unknown.append(link.text)
    want_films(turn, sure)
    ask_to_add(turn, unknown, wants=True)


def _question(turn: Turn, link: Link) -> Question:
    ordered = turn.engine.order(turn.member, [match.film_id for match in link.matches])
    near = link.certainty is Certainty.UNKNOWN
    return Question(Asked.WHICH_FILM, link.text, tuple(map(int, ordered)), near=near, wants=True)


def want_films(turn: Turn, film_ids: Sequence[int]) -> None:
    """Put films on the watchlist, and say so."""
    film_ids = list(dict.fromkeys(film_ids))
    new = [film_id for film_id in film_ids if film_id not in turn.wanted]
    for film_id in new:
        turn.want(film_id)
    if new:
        turn.in_mind = tuple(new)
        turn.tell("wanted", films=labels(turn.say, turn.films(new)))
    elif film_ids:
        turn.tell("wanted-already", films=labels(turn.say, turn.films(film_ids)))


# Taking off


def unwant(turn: Turn, intent: Unwant) -> None:
    """Take films off the watchlist: of the list, or named, or the one that is talked about."""
    turn.private = turn.private or intent.quiet
    if not turn.wanted:
        turn.tell("watchlist-none")
        return
    listed = shown_films(turn)
    if intent.clear:
        chosen = list(turn.wanted)
    elif intent.film:
        chosen = _wanted_of(turn, intent.film)
    elif intent.places:
        chosen = places_of(turn, listed, intent.places)
    elif intent.every:
        chosen = list(turn.in_mind if len(turn.in_mind) > 1 else listed)
    elif turn.in_mind:
        chosen = list(turn.in_mind)
    else:
        turn.tell("unwant-what")
        return
    unwant_films(turn, chosen)


def _wanted_of(turn: Turn, typed: str) -> list[int]:
    """The film of the watchlist that words name; says which it may be, or that there is none."""
    matches = [int(match.film_id) for match in turn.link(typed).matches]
    found = [film_id for film_id in matches if film_id in turn.wanted]
    if not found:
        words = typed.casefold().strip(" ?!.")
        found = [w for w in turn.wanted if words and words in turn.film(w).title.casefold()]
    if len(found) > 1:
        turn.tell("dismiss-unclear", films=either(turn.say, [film.label for film in turn.films(found)]))
        return []
    if not found:
        turn.tell("not-wanted-title", title=shown_title(typed))
    return found


def unwant_films(turn: Turn, film_ids: Sequence[int]) -> None:
    """Take films off the watchlist, and say so."""
    film_ids = list(dict.fromkeys(film_ids))
    there = [film_id for film_id in film_ids if film_id in turn.wanted]
    for film_id in there:
        turn.unwant(film_id)
    if len(there) > MAX_NAMED:
        turn.tell("unwanted", films=turn.say("films-counted", count=len(there)))
    elif there:
        turn.tell("unwanted", films=labels(turn.say, turn.films(there)))
    elif film_ids:
        turn.tell("not-wanted", films=labels(turn.say, turn.films(film_ids)))
