"""Acting on wishes: words → a request to the engine → a slate shown and kept; more of it, and why.

Knows the catalogue's tags and the slates shown. What the data can't answer is said, and the rest is answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any

from bot.conversation.action import Verb
from bot.conversation.cards import Standing, as_it_stands, ballot_cards, choice, slate_cards
from bot.conversation.intents import BareTitle, Dismiss, More, Recommend, Refining, Why, Wish
from bot.conversation.people import people_of
from bot.conversation.refining import may_be_refined, refined_wish, toned_down, years_of_age
from bot.conversation.reply import Audience, AudienceKind, Choice, Reply
from bot.conversation.slate_wish import SlateWish, from_kept, people_kept, people_known, to_kept
from bot.conversation.tagging import parted, split_tags, tags_said, unwanted_tags
from bot.conversation.telling import (
    WATCHERS,
    either,
    facts_in_words,
    labels,
    people_in_words,
    reason_in_words,
    shown_title,
    wish_in_words,
)
from bot.conversation.turn import Turn
from engine.films import Catalog, Film, FilmId
from engine.requests import MAX_COUNT, Pick, Reason, ReasonKind, Request, Slate
from engine.titles import Certainty
from storage.changes import GiveFeedback, ShowSlate
from storage.ids import new_id
from storage.records import FeedbackKind, PersonId, ShownPick, ShownSlate, SlateId

MAX_SLATE = 20
"""Films that one answer shows at most."""
BOLDER = 0.3
"""How much “more adventurous” adds to the dial of a slate."""
EXACT = 0.98
"""Similarity from which a name is as good as written out."""
_RATED = 20
"""Ratings from which a film's year counts for what is new."""


@lru_cache(maxsize=2)
def newest_year(catalog: Catalog) -> int:
    """The latest year of a film that people have rated."""
    rated = catalog.years[catalog.rating_counts >= _RATED]
    return int(rated.max() if len(rated) else catalog.years.max())


def shown_films(turn: Turn) -> list[int]:
    """The films of the list shown last, a slate or the watchlist, in their order."""
    return list(turn.listed) or ([pick.film_id for pick in turn.shown.picks] if turn.shown else [])


def places_of(turn: Turn, listed: Sequence[int], places: Sequence[int]) -> list[int]:
    """The films at some places of the list; says what is wrong when there are none there."""
    if not listed:
        turn.tell("no-slate")
        return []
    chosen = [listed[place - 1] for place in places if 1 <= place <= len(listed)]
    if len(chosen) < len(places):
        turn.tell("no-such-place" if len(listed) > 1 else "no-such-place-one", count=len(listed))
    return chosen


# Wishes


@dataclass(frozen=True, slots=True)
class _Asked:
    """A wish as the engine can take it, with the sentences about what it can't take."""

    wish: SlateWish
    notes: tuple[str, ...]
    lost: bool
    """All films to be like are unknown, and nothing else was asked."""
    nothing: bool
    """Nothing of what was asked is known."""


def recommend(turn: Turn, intent: Recommend) -> None:
    """Show a slate for a wish, or for the wish before it as this one changes it."""
    if intent.refines and turn.shown and not turn.listed and may_be_refined(turn.shown.shown_at, turn.moment):
        _refine(turn, intent.wish, intent.refines, turn.shown)
        return
    asked = _asked(turn, intent.wish)
    if asked.lost or (intent.bare and asked.nothing):
        turn.texts += asked.notes
        return
    wish = _surprising(turn, asked.wish) if intent.surprise else asked.wish
    _show(turn, wish, asked.notes)


def _surprising(turn: Turn, asked: SlateWish) -> SlateWish:
    """A wish that leaves out most of the films that fit it best, and those shown last: whom it surprises gets others
    than anybody else, and others every time."""
    request = asked.request
    shown = frozenset(pick.film_id for pick in turn.shown.picks) if turn.shown else frozenset()
    fitting = turn.slate(replace(request, count=MAX_COUNT, reasons=False)).picks
    left = [int(pick.film.film_id) for pick in fitting if pick.film.film_id not in shown]
    chance = Random(turn.message_id)  # noqa: S311 - films are no secret
    chosen = chance.sample(left, min(request.count, len(left)))
    return replace(asked, earlier=tuple({*shown, *left} - set(chosen)))


def _refine(turn: Turn, wish: Wish, refining: Refining, shown: ShownSlate) -> None:
    """Show a slate for a wish that changes the one of the slate shown, without any film shown for it."""
    before, said = from_kept(shown.request), _asked(turn, wish)
    if said.nothing and wish.age is None:
        turn.texts += said.notes
        return
    years = before.request.years
    if wish.age:
        on_it = [film.year for film in turn.films([pick.film_id for pick in shown.picks]) if film.year]
        years = years_of_age(wish.age, before.request, on_it, newest_year(turn.engine.catalog))
    elif said.wish.request.years != (None, None):
        years = said.wish.request.years
    changed = refined_wish(before, wish, said.wish, refining, years, turn.phrases, turn.engine.catalog)
    earlier = (*before.earlier, *(pick.film_id for pick in shown.picks))
    _go_on_with(turn, shown)
    _show(turn, replace(changed, earlier=earlier), said.notes)


def _go_on_with(turn: Turn, shown: ShownSlate) -> None:
    """What was for several people is for those of them who still let their history be used."""
    if shown.members:
        turn.others = tuple(one for one in turn.fetched.companions if one.opted_in)


def open_lobby(turn: Turn, wish: Wish) -> tuple[SlateId, str] | None:
    """Keep a slate that has neither films nor people yet, but what it shall be; its number and that in words. None when
    it is said that the wish can't be."""
    asked = _asked(turn, wish)
    turn.texts += asked.notes
    if asked.lost:
        return None
    slate_id = SlateId(new_id())
    shown = ShownSlate(
        slate_id=slate_id,
        message_id=turn.message_id,
        bundle="",
        request=to_kept(asked.wish),
        picks=(),
        shown_at=turn.moment,
        open_to_votes=True,
    )
    turn.changes.append(ShowSlate(shown))
    return slate_id, wish_of(turn, shown)


def wish_of(turn: Turn, shown: ShownSlate) -> str:
    """What a slate was asked to be, in words."""
    return _in_words(turn, from_kept(shown.request), turn.usual.adventurousness)


def fill(turn: Turn, lobby: ShownSlate) -> bool:
    """Show the films of a slate that had none; whether there are any."""
    _show(turn, from_kept(lobby.request), ())
    return bool(turn.cards)


def is_title(turn: Turn, intent: Recommend) -> BareTitle | None:
    """The title that a wish of nothing but words is after all: “Like Water for Chocolate”; “horror” stays a wish."""
    wish = intent.wish
    plain_wish = (wish.genres or wish.adventurousness is not None) and not (wish.like or wish.names or wish.words)
    if not intent.bare or plain_wish or len(intent.bare) > 100:
        return None
    link = turn.titles.link(intent.bare)
    exact = link.certainty is not Certainty.UNKNOWN and link.matches[0].similarity >= EXACT
    return BareTitle(intent.bare) if exact else None


def recommend_like(turn: Turn, film_ids: Sequence[int], typed: str) -> None:
    """Show films like some films, or like what was typed when it is not settled which film that is."""
    known, notes = _likable(turn, film_ids)
    if known:
        _show(turn, SlateWish(replace(_usual(turn), like=known)), notes)
    elif film_ids:
        turn.texts += notes
    else:
        recommend(turn, Recommend(Wish(like=(typed,))))


def _likable(turn: Turn, film_ids: Sequence[int]) -> tuple[tuple[FilmId, ...], list[str]]:
    """The films that others can be like, and what is said of those of which no more than a title is known."""
    known = tuple(FilmId(film_id) for film_id in dict.fromkeys(film_ids) if turn.engine.catalog.film(film_id))
    strange = [turn.film(film_id).label for film_id in film_ids if film_id not in known]
    return known, [turn.say("only-title", films=turn.say.listed(strange))] if strange else []


def _usual(turn: Turn) -> Request:
    habits = turn.habits
    return Request(count=habits.slate_size, adventurousness=habits.adventurousness, diversity=habits.diversity)


def _asked(turn: Turn, wish: Wish) -> _Asked:
    notes: list[str] = []
    like, missing = _liked(turn, wish, notes)
    asked = people_of(wish, turn.engine.people, turn.engine.catalog, turn.phrases)
    wish = asked.wish
    tags = _tags(turn, wish, notes)
    without, left_out = _unwanted(turn, wish, notes)
    notes += [turn.say(f"can-not-{what}") for what in wish.unanswerable]
    first, last = wish.years
    if wish.recent is not None:
        first = newest_year(turn.engine.catalog) - wish.recent
    if first is not None and last is not None and first > last:
        first, last = last, first
    usual = _usual(turn)
    softer = toned_down(wish, wish.genres, turn.phrases)
    left_out += softer
    without_genres = set(wish.without_genres) - {g for word in softer for g in turn.phrases.genres[word]}
    request = replace(
        usual,
        count=min(max(wish.count or usual.count, 1), MAX_SLATE),
        like=like,
        genres=frozenset(wish.genres) - without_genres,
        without_genres=frozenset(without_genres),
        years=(first, last),
        without_years=wish.without_years,
        tags=tags,
        without_tags=_tags_of(turn, left_out),
        people=asked.people,
        without_people=asked.without,
        without=frozenset(without),
        adventurousness=usual.adventurousness if wish.adventurousness is None else wish.adventurousness,
    )
    nothing_else = replace(request, like=()) == replace(usual, count=request.count)
    nothing = nothing_else and not like and bool(notes)
    return _Asked(SlateWish(request, left_out=tuple(left_out)), tuple(notes), lost=missing and nothing, nothing=nothing)


def _liked(turn: Turn, wish: Wish, notes: list[str]) -> tuple[tuple[FilmId, ...], bool]:
    """The films to be like, and whether any is not known."""
    film_ids: list[int] = []
    missing = False
    for typed in wish.like:
        links = turn.link_all(typed)
        if len(links) == 1 and links[0].certainty is Certainty.UNKNOWN:
            links = tuple(link for part in _alternatives(turn, typed) for link in turn.link_all(part))
        for link in links:
            if link.certainty is Certainty.UNKNOWN:
                missing = True
                notes.append(turn.say("unknown-like", title=shown_title(link.text)))
                continue
            chosen = link.matches[0].film_id
            if link.certainty is Certainty.AMBIGUOUS:
                chosen = turn.engine.order(turn.member, [match.film_id for match in link.matches])[0]
                notes.append(turn.say("took-first", film=turn.film(chosen).label))
            film_ids.append(int(chosen))
    listed = shown_films(turn)
    film_ids += [listed[place - 1] for place in wish.like_places if 1 <= place <= len(listed)]
    if wish.like_places and not film_ids:
        missing = True
        notes.append(turn.say("no-such-place", count=len(listed)) if listed else turn.say("no-slate"))
    if wish.like_it:
        film_ids += turn.in_mind or (listed[:1] if len(listed) == 1 else ())
        if not turn.in_mind and not film_ids and turn.history:
            film_ids.append(turn.history[-1].film_id)
    known, strange = _likable(turn, film_ids)
    notes += strange
    return known, missing or bool(strange)


def _alternatives(turn: Turn, typed: str) -> list[str]:
    """“Alien or Heat” → both."""
    parts: list[list[str]] = [[]]
    for word in typed.split():
        if word.casefold() in turn.phrases.wishing.alternatives:
            parts.append([])
        else:
            parts[-1].append(word)
    return [" ".join(words) for words in parts if words]


def _tags(turn: Turn, wish: Wish, notes: list[str]) -> tuple[str, ...]:
    """The tags that the words of a wish are; says which are none."""
    tags: list[str] = []
    for name in wish.names:
        if said := tags_said(name.casefold(), turn.phrases, turn.engine.catalog):
            tags += said
        else:
            notes.append(turn.say("can-not-person", name=shown_title(name)))
    for words in wish.words:
        found, lost = split_tags(words, turn.phrases, turn.engine.catalog)
        tags += found
        if lost:
            notes.append(turn.say("can-not-words", words=shown_title(lost)))
    return tuple(dict.fromkeys(tags))


def _unwanted(turn: Turn, wish: Wish, notes: list[str]) -> tuple[list[FilmId], list[str]]:
    """The films that a wish leaves out, and the words that tags know; says which words they do not know."""
    film_ids: list[FilmId] = []
    words = list(wish.unwanted)
    for typed in wish.without_films:
        parts = parted(typed, turn.phrases)
        if typed == typed.lower() and all(unwanted_tags(part, turn.phrases, turn.engine.catalog) for part in parts):
            words += parts
            continue
        links = turn.titles.link_all(typed)
        if all(link.certainty is not Certainty.UNKNOWN for link in links):
            film_ids += [match.film_id for link in links for match in link.matches[:1]]
        else:
            words.append(typed)
    known = {word: unwanted_tags(word, turn.phrases, turn.engine.catalog) for word in dict.fromkeys(words)}
    notes += [turn.say("can-not-leave-out", words=shown_title(word)) for word, tags in known.items() if not tags]
    return film_ids, [word for word, tags in known.items() if tags]


def _tags_of(turn: Turn, words: Sequence[str]) -> tuple[str, ...]:
    """The tags that say any of some words, which are not wanted."""
    tags = (tag for word in words for tag in unwanted_tags(word, turn.phrases, turn.engine.catalog))
    return tuple(dict.fromkeys(tags))


# Slates


def _in_words(turn: Turn, wish: SlateWish, usual: float) -> str:
    return wish_in_words(turn.say, wish.request, turn.films(list(wish.request.like)), usual, wish.left_out)


def _show(turn: Turn, asked: SlateWish, notes: Sequence[str], *, more: bool = False) -> None:
    """Ask the engine and show the slate, without what was shown for the same wish before."""
    request = replace(asked.request, without=asked.request.without | frozenset(map(FilmId, asked.earlier)))
    slate = _with_watchers(turn, turn.slate(request)) if turn.others else turn.slate(request)
    wish = _in_words(turn, asked, turn.habits.adventurousness)
    turn.drop_questions()
    if not slate.picks:
        turn.texts += notes
        _tell_empty(turn, request, wish, more=more)
        return
    slate_id = SlateId(new_id())
    turn.texts += notes
    if turn.voting:
        _show_ballot(turn, slate, slate_id)
    else:
        turn.texts.append(_opening(turn, wish, stranger=_is_stranger(turn), more=more))
        turn.cards = slate_cards(turn.say, slate.picks, slate_id)
    tagged = sum(not set(request.tags).isdisjoint(tag.casefold() for tag in pick.film.tags) for pick in slate.picks)
    if request.tags and tagged < len(slate.picks):
        turn.hint("some-tagged" if tagged else "none-tagged", tags=either(turn.say, request.tags), count=tagged)
    if len(slate.picks) < request.count:
        turn.hint(
            "slate-short-people" if request.people else "slate-short", people=people_in_words(turn.say, request.people)
        )
    elif not turn.voting:
        turn.choices += _further(turn, slate_id, request)
    if request.without_tags:
        turn.hint("left-out-tagged")
    if not turn.voting:
        footer = "slate-footer" if len(slate.picks) > 2 else "slate-footer-one"
        if _is_stranger(turn):
            turn.hint("slate-footer-first")
        else:
            turn.hint_typing(footer)
    shown = ShownSlate(
        slate_id=slate_id,
        message_id=turn.message_id,
        bundle=slate.bundle,
        request=to_kept(asked),
        picks=tuple(
            ShownPick(rank, int(pick.film.film_id), pick.score, _reason_kept(pick))
            for rank, pick in enumerate(slate.picks, 1)
        ),
        shown_at=turn.moment,
        members=_member_ids(turn),
        open_to_votes=True if turn.voting else None,
    )
    turn.changes.append(ShowSlate(shown))
    turn.shown = shown
    turn.listed, turn.listed_by = (), 0
    turn.in_mind = (int(slate.picks[0].film.film_id),) if len(slate.picks) == 1 else ()


def _is_stranger(turn: Turn) -> bool:
    """Whether nothing that any of those asked for has watched is a film of the catalogue."""
    return all(turn.engine.catalog.row_of(event.film_id) is None for one in turn.members for event in one.history)


def _further(turn: Turn, slate_id: int, request: Request) -> list[Choice]:
    """The buttons for more of the same, and for more of what is less known."""
    found = [choice(turn.say("more-choice"), Verb.MORE, slate_id)]
    if request.adventurousness < 1:
        found.append(choice(turn.say("bolder-choice"), Verb.BOLDER, slate_id))
    return found


def _member_ids(turn: Turn) -> tuple[PersonId, ...]:
    """Who a slate for several is for; the store adds the person who asks, who may be new."""
    return tuple(one.person for one in turn.others if one.person is not None)


def _with_watchers(turn: Turn, slate: Slate) -> Slate:
    """A slate for several, whose reasons say how many of them watched what they name; never who."""
    watched = [{event.film_id for event in one.history} for one in turn.members]

    def counted(reason: Reason) -> Reason:
        if reason.kind is not ReasonKind.BECAUSE_WATCHED or not reason.films:
            return reason
        count = sum(reason.films[0].film_id in films for films in watched)
        return replace(reason, evidence={**(reason.evidence or {}), WATCHERS: float(count)})

    return replace(slate, picks=tuple(replace(pick, reason=counted(pick.reason)) for pick in slate.picks))


def _show_ballot(turn: Turn, slate: Slate, slate_id: SlateId) -> None:
    """Films to vote on, with a button for each of those who may, and one to end it for the person who asks."""
    accounts = [one.account.user for one in turn.others]
    if turn.fetched.account:
        accounts.insert(0, turn.fetched.account.user)
    voters = Audience(AudienceKind.NAMED, tuple(accounts))
    turn.tell("night", count=len(turn.members))
    turn.cards = ballot_cards(turn.say, slate.picks, slate_id, {}, voters, still_open=True)
    turn.choices.append(choice(turn.say("close-choice"), Verb.CLOSE, slate_id))
    turn.hint("votes-so-far", count=0, total=len(turn.members))


def picks_of(turn: Turn, shown: ShownSlate) -> list[Pick]:
    """The films of a slate as they were shown, with their reasons."""
    picks = []
    for pick in shown.picks:
        kept: dict[str, Any] = dict(pick.reason)
        films = tuple(turn.films(kept.get("films") or []))
        reason = Reason(
            ReasonKind(kept.get("kind", ReasonKind.FACTS)),
            films,
            tuple(kept.get("facts") or ()),
            kept.get("evidence"),
            people_known(kept.get("people")),
        )
        picks.append(Pick(turn.film(pick.film_id), pick.score, reason))
    return picks


def slate_again(turn: Turn, shown: ShownSlate, standing: Standing, said: Reply) -> Reply:
    """A slate as it stands after one of its buttons was pressed, with what that did in its footer."""
    asked = from_kept(shown.request)
    wish = _in_words(turn, asked, turn.usual.adventurousness)
    cards = as_it_stands(turn.say, slate_cards(turn.say, picks_of(turn, shown), shown.slate_id), standing)
    full = len(shown.picks) >= asked.request.count
    return replace(
        said,
        text=_opening(turn, wish, stranger=False, more=bool(asked.earlier)),
        cards=cards,
        choices=(*(_further(turn, shown.slate_id, asked.request) if full else ()), *said.choices),
        footer="\n".join(part for part in (said.text, said.footer) if part),
    )


def _opening(turn: Turn, wish: str, *, stranger: bool, more: bool) -> str:
    if turn.others and not more:
        count = len(turn.members)
        return turn.say("slate-group-wish", wish=wish, count=count) if wish else turn.say("slate-group", count=count)
    if more:
        return turn.say("slate-more-wish", wish=wish) if wish else turn.say("slate-more")
    if wish:
        return turn.say("slate-wish", wish=wish)
    return turn.say("slate-first" if stranger else "slate-for-you")


def _tell_empty(turn: Turn, request: Request, wish: str, *, more: bool) -> None:
    """Say which part of a wish leaves nothing, and so what to leave out."""
    if more:
        turn.tell("empty-more")
        return
    parts: list[tuple[str, Request]] = []
    if request.years != (None, None) or request.without_years:
        parts.append(("filter-years", replace(request, years=(None, None), without_years=())))
    if request.genres:
        parts.append(("filter-genres", replace(request, genres=frozenset())))
    if request.without_tags:
        parts.append(("filter-tags", replace(request, without_tags=())))
    if request.people:
        parts.append(("filter-people", replace(request, people=())))
    if request.without_people:
        parts.append(("filter-without-people", replace(request, without_people=())))
    if request.without_genres:
        parts.append(("filter-without", replace(request, without_genres=frozenset())))
    helping = [turn.say(key) for key, wider in parts if _holds_something(turn, wider)]
    if helping:
        turn.tell("empty-loosen", wish=wish, filter=either(turn.say, helping))
    elif parts:
        turn.tell("empty-all", wish=wish)
    else:
        turn.tell("empty")


def _holds_something(turn: Turn, request: Request) -> bool:
    slate: Slate = turn.engine.recommend(turn.members, replace(request, count=1, reasons=False))
    return bool(slate.picks)


def _reason_kept(pick: Pick) -> Mapping[str, object]:
    reason = pick.reason
    return {
        "kind": reason.kind.value,
        "films": [int(film.film_id) for film in reason.films],
        "facts": list(reason.facts),
        "evidence": dict(reason.evidence or {}),
        "people": people_kept(reason.people),
    }


def more(turn: Turn, intent: More, shown: ShownSlate | None = None, *, bolder: bool = False) -> None:
    """The next films of the same wish, without those shown for it; `bolder`: of what is less known."""
    slate = shown or turn.shown
    if slate is None:
        recommend(turn, Recommend(Wish(count=intent.count)))
        return
    asked = from_kept(slate.request)
    request = asked.request
    if intent.count:
        request = replace(request, count=min(intent.count, MAX_SLATE))
    if bolder:
        dial = round(min(1.0, request.adventurousness + BOLDER), 2)
        request = replace(request, adventurousness=dial)
    _go_on_with(turn, slate)
    earlier = (*asked.earlier, *(pick.film_id for pick in slate.picks))
    _show(turn, replace(asked, request=request, earlier=earlier), (), more=True)


# Why


def why(turn: Turn, intent: Why, shown: ShownSlate | None = None) -> None:
    """All true reasons for a film of the slate, in a sentence; for a film that was not shown, what speaks for it."""
    slate = shown or (None if turn.listed else turn.shown)
    listed = [pick.film_id for pick in slate.picks] if slate else list(turn.listed)
    if intent.film:
        _why_named(turn, intent.film, listed)
        return
    if not listed:
        turn.tell("no-slate")
        return
    places = [place for place in intent.places if 1 <= place <= len(listed)]
    if len(places) < len(intent.places):
        turn.tell("no-such-place" if len(listed) > 1 else "no-such-place-one", count=len(listed))
        return
    if not places and len(listed) > 1:
        kept = dict.fromkeys(listed)
        for number, film_id in enumerate(kept, 1):
            reasons = _reasons(turn, film_id, slate)
            words = reason_in_words(turn.say, reasons[0]) if reasons else turn.say("reason-facts-none")
            turn.tell("why-all", number=number, film=turn.film(film_id).label, reason=words)
        return
    for place in places or [1]:
        _why(turn, listed[place - 1], slate)


def _why(turn: Turn, film_id: int, slate: ShownSlate | None) -> None:
    turn.in_mind = (film_id,)
    if turn.engine.catalog.film(film_id) is None:
        turn.tell("only-title", films=turn.film(film_id).label)
        return
    turn.texts.append(_told(turn, "why", film_id, _reasons(turn, film_id, slate)))


def _why_named(turn: Turn, typed: str, listed: Sequence[int]) -> None:
    link = turn.link(typed)
    candidates = [int(match.film_id) for match in link.matches]
    if shown := next((film_id for film_id in candidates if film_id in listed), None):
        _why(turn, shown, turn.shown)
    elif link.certainty is Certainty.CLEAR and turn.engine.catalog.film(candidates[0]) is None:
        turn.tell("only-title", films=turn.film(candidates[0]).label)
    elif link.certainty is Certainty.CLEAR:
        film_id = candidates[0]
        turn.texts.append(_told(turn, "why-not-listed", film_id, _reasons(turn, film_id, None)))
    else:
        turn.tell("why-which" if listed else "no-slate")


def _reasons(turn: Turn, film_id: int, slate: ShownSlate | None) -> tuple[Reason, ...]:
    request = from_kept(slate.request).request if slate else _usual(turn)
    member = turn.member
    others = tuple(event for event in member.history if event.film_id != film_id)  # no film is a reason for itself
    return turn.engine.why([replace(member, history=others)], FilmId(film_id), request)


def _told(turn: Turn, key: str, film_id: int, reasons: Sequence[Reason]) -> str:
    """All reasons in a few sentences: what speaks for the film, and then what it is."""
    film = turn.film(film_id).label
    facts = [facts_in_words(turn.say, reason.facts) for reason in reasons if reason.kind is ReasonKind.FACTS]
    words = [reason_in_words(turn.say, reason) for reason in reasons if reason.kind is not ReasonKind.FACTS]
    if not words:
        return turn.say(key, film=film, reasons=facts[0] if facts else turn.say("reason-facts-none"))
    told = turn.say(key, film=film, reasons=turn.say("why-join").join(dict.fromkeys(words)))
    return " ".join([told, *(turn.say("why-facts", facts=fact) for fact in facts)])


# Not interested


def dismiss(turn: Turn, intent: Dismiss) -> None:
    """Never suggest a film again: one of the slate, or one that was named."""
    listed = shown_films(turn)
    if intent.film:
        link = turn.link(intent.film)
        candidates = [int(match.film_id) for match in link.matches]
        chosen = [film_id for film_id in candidates if film_id in listed][:1]
        if not chosen and link.certainty is Certainty.AMBIGUOUS:
            turn.tell("dismiss-unclear", films=either(turn.say, [film.label for film in turn.films(candidates)]))
            return
        if not chosen and link.certainty is Certainty.UNKNOWN:
            turn.tell("unknown", title=shown_title(intent.film))
            return
        dismiss_films(turn, chosen or candidates[:1])
        return
    if intent.places:
        chosen = [listed[place - 1] for place in intent.places if 1 <= place <= len(listed)]
        if len(chosen) < len(intent.places):
            key = "no-slate" if not listed else "no-such-place" if len(listed) > 1 else "no-such-place-one"
            turn.tell(key, count=len(listed))
        dismiss_films(turn, chosen)
    elif intent.every:
        dismiss_films(turn, listed)
    elif turn.in_mind and set(turn.in_mind) <= {*listed}:
        dismiss_films(turn, turn.in_mind)
    elif len(listed) == 1:
        dismiss_films(turn, listed)
    else:
        turn.tell("dismiss-which" if listed else "no-slate")


def dismiss_films(turn: Turn, film_ids: Sequence[int]) -> None:
    """Keep that films are not wanted, and say so."""
    new = [film_id for film_id in dict.fromkeys(film_ids) if film_id not in turn.dismissed]
    turn.changes += [GiveFeedback(film_id, FeedbackKind.DISMISSED) for film_id in new]
    turn.dismissed.update(new)
    for film_id in film_ids:
        turn.take_off(film_id)
    if new:
        turn.tell("dismissed", films=_either_labels(turn, turn.films(new)))
    elif film_ids:
        turn.tell("dismissed-already", films=_either_labels(turn, turn.films(list(film_ids))))


def _either_labels(turn: Turn, films: Sequence[Film]) -> str:
    return labels(turn.say, films) if len(films) == 1 else either(turn.say, [film.label for film in films])
