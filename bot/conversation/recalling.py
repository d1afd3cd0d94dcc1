"""Acting on what was kept: show the history, search it, take things back, take films out, forget everything."""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversation.context import Question
from bot.conversation.dates import Exactness, When, day_of
from bot.conversation.intents import Asked, History, Remove
from bot.conversation.telling import (
    day_in_words,
    labels,
    opinion_in_words,
    shown_title,
    wish_in_words,
)
from bot.conversation.turn import Turn, details_of
from engine.films import Film
from engine.requests import Request
from engine.titles import Certainty
from storage.changes import MessageChanges, RemoveWatch, UndoMessage
from storage.records import FeedbackKind, Precision, Watch, WatchState

MAX_LISTED = 20
"""Watches that one answer lists."""
_MAX_NAMED = 5
"""Films up to which they are named when something is taken back; more are counted."""


# History


def history(turn: Turn, intent: History) -> None:
    """List what was watched, the latest first; or search it for a film."""
    turn.private = True
    if intent.search:
        _search(turn, intent.search)
        return
    if intent.it:
        if turn.in_mind:
            _search(turn, turn.film(turn.in_mind[0]).label)
        else:
            turn.tell("history-of-what")
        return
    watches = list(reversed(turn.history))
    if not watches:
        turn.tell("history-none")
        return
    when = None
    if intent.when and (said := day_of(intent.when, turn.moment, turn.phrases, turn.language)).day:
        watches = [watch for watch in watches if _within(watch, said)]
        when = day_in_words(turn.say, said.day, said.exactness, turn.today)
    if intent.of:
        request = Request(genres=frozenset(intent.of.genres), years=intent.of.years)
        _list_of(turn, [watch for watch in watches if _is_of(turn.film(watch.film_id), request)], request, when)
        return
    if when:
        if not watches:
            turn.tell("history-none-then", when=when)
            return
        turn.tell("history-then" if len(watches) > 1 else "history-then-one", count=len(watches), when=when)
        _list(turn, watches)
        return
    turn.tell("history-total" if len(watches) > 1 else "history-total-one", count=len(watches))
    _list(turn, watches)
    turn.hint("history-footer")


def _is_of(film: Film, request: Request) -> bool:
    """Whether a film has the genres and is from the years asked about."""
    first, last = request.years
    return request.genres <= set(film.genres) and (
        request.years == (None, None) or (film.year is not None and (first or 0) <= film.year <= (last or film.year))
    )


def _list_of(turn: Turn, watches: Sequence[Watch], request: Request, when: str | None) -> None:
    """How many watches of such films there are, and which."""
    what = turn.say("list-comma").join(
        part for part in (wish_in_words(turn.say, request, (), request.adventurousness), when) if part
    )
    turn.tell("history-of" if watches else "history-none-of", what=what, count=len(watches))
    _list(turn, watches)


def _within(watch: Watch, said: When) -> bool:
    """Whether a watch falls into a time that was asked about."""
    if watch.watched_on is None or said.day is None:
        return False
    period = Precision(said.exactness.value)
    exact = watch.precision is Precision.DAY or watch.precision is period
    return exact and period.start(watch.watched_on) == period.start(said.day)


def _list(turn: Turn, watches: Sequence[Watch]) -> None:
    """The watches, those of a day in one line."""
    days: dict[str, list[str]] = {}
    for watch in watches[:MAX_LISTED]:
        days.setdefault(_when(turn, watch), []).append(_listed(turn, watch))
    for when, films in days.items():
        turn.tell("history-line", when=when, films=turn.say("list-comma").join(films))
    if len(watches) > MAX_LISTED:
        turn.tell("history-rest", count=len(watches) - MAX_LISTED)


def _when(turn: Turn, watch: Watch) -> str:
    """When it was watched; for an undated one, when it was told."""
    if watch.watched_on is None:
        told = day_in_words(turn.say, watch.sorted_on, Exactness.DAY, turn.today)
        return turn.say("when-told", when=told)
    details = details_of(watch)
    return day_in_words(turn.say, details.day, details.exactness, turn.today)


def _listed(turn: Turn, watch: Watch) -> str:
    details = details_of(watch)
    said = opinion_in_words(turn.say, details)
    if watch.state is not WatchState.FINISHED:
        said.insert(0, turn.say(f"detail-{watch.state.value}"))
    label = turn.film(watch.film_id).label
    return f"{label} [{', '.join(said)}]" if said else label


def _found(turn: Turn, typed: str) -> tuple[list[Watch], str | None]:
    """The watches of the films that a title may mean, and the label of the film when it is clear."""
    link = turn.link(typed)
    wanted = {int(match.film_id) for match in link.matches}
    watches = [watch for watch in turn.history if watch.film_id in wanted]
    if not watches:
        words = typed.casefold().strip(" ?!.")
        watches = [w for w in turn.history if words and words in turn.film(w.film_id).title.casefold()]
    clear = turn.film(link.matches[0].film_id).label if link.certainty is Certainty.CLEAR else None
    return watches, clear


def _search(turn: Turn, typed: str) -> None:
    watches, clear = _found(turn, typed)
    if not watches:
        if clear:
            turn.tell("history-not-found", film=clear)
        else:
            turn.tell("history-not-found-title", title=shown_title(typed))
        return
    told = []
    for watch in watches[-MAX_LISTED:]:
        said = "".join(f", {part}" for part in opinion_in_words(turn.say, details_of(watch)))
        film = turn.film(watch.film_id).label
        told.append(turn.say("history-found-one", film=film, when=_when(turn, watch), details=said))
    turn.tell("history-found", watches="; ".join(told))
    turn.in_mind = (watches[-1].film_id,)


def remove(turn: Turn, intent: Remove) -> None:
    """Take all watches of a film out of the history."""
    turn.private = True
    if not intent.film:
        turn.tell("remove-needs-film")
        return
    watches, clear = _found(turn, intent.film)
    film_ids = list(dict.fromkeys(watch.film_id for watch in watches))
    if not watches:
        if clear:
            turn.tell("not-in-history", film=clear)
        else:
            turn.tell("not-in-history-title", title=shown_title(intent.film))
        return
    if len(film_ids) > 1:
        turn.tell("dismiss-unclear", films=labels(turn.say, turn.films(film_ids)))
        return
    remove_watches(turn, watches)


def remove_watches(turn: Turn, watches: list[Watch]) -> None:
    """Take watches away, and say so."""
    for watch in watches:
        turn.changes.append(RemoveWatch(watch.watch_id))
        turn.removed.add(watch.watch_id)
    films = turn.films(list(dict.fromkeys(watch.film_id for watch in watches)))
    turn.tell("removed", films=labels(turn.say, films))


# Taking back


def is_last_change_in_mind(turn: Turn) -> bool:
    """Whether the films talked about are those that the last change was about."""
    changes = turn.fetched.undoable
    changed = {watch.film_id for watch in (*changes.logged, *changes.rated)} if changes else set()
    return bool(turn.in_mind or turn.context.questions) and set(turn.in_mind) <= changed


def take_back(turn: Turn) -> None:
    """Take back the last message: its changes, or, where it did no more than make the bot ask, the question."""
    changes = turn.fetched.undoable
    if turn.context.questions and (changes is None or turn.context.asked_by != changes.message_id):
        turn.tell("nothing-open")
    else:
        undo(turn)


def undo(turn: Turn) -> None:
    """Take back the last message's changes as one; said twice, one message further back."""
    changes = turn.fetched.undoable
    if changes is None or changes.person != turn.snapshot.person:
        turn.tell("nothing-to-undo")
        return
    if changes.undone:
        turn.tell("already-undone")
        return
    turn.changes.append(UndoMessage(changes.message_id))
    turn.removed.update(watch.watch_id for watch in changes.logged)
    turn.in_mind, turn.swaps, turn.logged_by = (), (), 0
    if turn.context.asked_by == changes.message_id:
        turn.questions = []
    turn.tell("undone", what="; ".join(_taken_back(turn, changes)) or turn.say("undone-undone"))
    turn.private = turn.private or bool(changes.preferences)


def _taken_back(turn: Turn, changes: MessageChanges) -> list[str]:
    """What undoing a message does, in words."""
    given, taken = changes.feedback, changes.feedback_taken_back
    logged, removed = (dict.fromkeys(w.film_id for w in of) for of in (changes.logged, changes.removed))
    retold = [film_id for film_id in logged if film_id in removed]
    wanted, dismissed = FeedbackKind.WANTED, FeedbackKind.DISMISSED
    parts = {
        "undone-retold": retold,
        "undone-logged": [film_id for film_id in logged if film_id not in retold],
        "undone-removed": [film_id for film_id in removed if film_id not in retold],
        "undone-rated": [watch.film_id for watch in changes.rated],
        "undone-feedback": [one.film_id for one in given if one.kind is dismissed],
        "undone-feedback-back": [one.film_id for one in taken if one.kind is dismissed],
        "undone-wanted": [one.film_id for one in given if one.kind is wanted],
        "undone-wanted-back": [one.film_id for one in taken if one.kind is wanted],
    }
    said = [_of_films(turn, key, list(dict.fromkeys(film_ids))) for key, film_ids in parts.items() if film_ids]
    if changes.preferences:
        names = dict.fromkeys(turn.say(f"setting-{setting.name.value}") for setting in changes.preferences)
        said.append(turn.say("undone-settings", settings=turn.say.listed(list(names))))
    return said


def _of_films(turn: Turn, key: str, film_ids: list[int]) -> str:
    """What is said of some films, by their names or, when they are many, by their number."""
    if len(film_ids) == 1:
        return turn.say(key, films=turn.film(film_ids[0]).label)
    if len(film_ids) > _MAX_NAMED:
        return turn.say(f"{key}-many", films=turn.say("films-counted", count=f"{len(film_ids):,}"))
    return turn.say(f"{key}-many", films=labels(turn.say, turn.films(film_ids)))


# Forgetting


def forget(turn: Turn) -> None:
    """Ask first: erasing can't be undone."""
    turn.private = True
    if turn.snapshot.person is None:
        turn.tell("nothing-to-forget")
        return
    turn.questions = []
    turn.ask(Question(Asked.FORGET))
