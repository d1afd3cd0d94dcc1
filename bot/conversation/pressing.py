"""Acting on buttons: what each does, if it belongs to the person who pressed it.

Knows actions and whose they are: the first number of each names a slate or a message of theirs. A stranger is told so,
in private, and nothing happens.
"""

from __future__ import annotations

from bot.conversation.action import Action, Verb
from bot.conversation.context import Details
from bot.conversation.intents import Answer, AnswerKind, Asked, More, Why
from bot.conversation.recalling import remove_watches, undo
from bot.conversation.recommending import dismiss_films, more, recommend_like, why
from bot.conversation.turn import Turn
from bot.conversation.wanting import unwant_films, want_films
from bot.conversation.watching import answer, answer_forget, log_films, swap, want_again

SLATE_VERBS = frozenset({Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.LIKE, Verb.WHY, Verb.MORE})
"""What a slate's buttons do; their first number is the slate."""
_WATCHLIST_VERBS = frozenset({Verb.WATCHED, Verb.UNSAVE})
LIST_VERBS = SLATE_VERBS | _WATCHLIST_VERBS
"""What leaves the list there that it was pressed on; the reply stands beside it."""
_NUMBERS = {
    Verb.PICK: 2, Verb.SEEN: 2, Verb.SAVE: 2, Verb.DISMISS: 2, Verb.LIKE: 2, Verb.WHY: 2, Verb.MORE: 1,
    Verb.WATCHED: 2, Verb.UNSAVE: 2, Verb.UNDO: 1, Verb.UNLOG: 2, Verb.SWAP: 3, Verb.FORGET: 1, Verb.KEEP: 1,
}  # fmt: skip


def is_well_formed(action: Action) -> bool:
    """Whether a button has as many numbers as what it does needs."""
    return len(action.numbers) == _NUMBERS[action.verb]


def press(turn: Turn, action: Action) -> None:
    """Do what a button says, if it belongs to the person who pressed it."""
    if not is_well_formed(action):
        turn.private = True
        turn.tell("button-gone")
    elif action.verb in SLATE_VERBS:
        _press_slate(turn, action)
    elif action.verb in _WATCHLIST_VERBS:
        _press_watchlist(turn, action)
    elif action.verb in {Verb.PICK, Verb.FORGET, Verb.KEEP}:
        _press_answer(turn, action)
    else:
        _press_change(turn, action)


def _refuse(turn: Turn, *, owned_by_other: bool) -> None:
    turn.private = True
    turn.tell("not-yours" if owned_by_other else "button-gone")


def _press_slate(turn: Turn, action: Action) -> None:
    found = turn.fetched.slate
    if found is None or found[0] != turn.snapshot.person:
        _refuse(turn, owned_by_other=found is not None)
        return
    slate = found[1]
    if action.verb is Verb.MORE:
        more(turn, More(), slate)
        return
    film_id = action.numbers[1]
    places = [pick.rank for pick in slate.picks if pick.film_id == film_id]
    if not places:
        _refuse(turn, owned_by_other=False)
        return
    match action.verb:
        case Verb.SEEN:
            log_films(turn, [film_id], Details(), sentence="seen")
        case Verb.SAVE:
            want_films(turn, [film_id])
        case Verb.DISMISS:
            dismiss_films(turn, [film_id])
        case Verb.LIKE:
            recommend_like(turn, [film_id], "")
        case _:
            why(turn, Why(tuple(places)), slate)


def _press_watchlist(turn: Turn, action: Action) -> None:
    """A film of the watchlist that a message showed: seen, or off the list."""
    message, film_id = turn.fetched.undoable, action.numbers[1]
    turn.private = True
    if message is None or message.person != turn.snapshot.person:
        _refuse(turn, owned_by_other=message is not None)
    elif film_id not in turn.wanted:
        turn.tell("not-wanted", films=turn.film(film_id).label)
    elif action.verb is Verb.WATCHED:
        log_films(turn, [film_id], Details(), sentence="seen")
    else:
        unwant_films(turn, [film_id])


def _press_answer(turn: Turn, action: Action) -> None:
    """An answer by button: to the question that is open, asked by the message that the button names."""
    if action.numbers[0] != turn.context.asked_by or not turn.questions:
        asked = turn.fetched.undoable
        stranger = asked is not None and asked.person != turn.snapshot.person
        turn.private = True
        turn.tell("not-yours" if stranger else "question-over")
        return
    if action.verb is Verb.PICK:
        answer(turn, Answer(AnswerKind.PLACE, action.numbers[1]))
    elif turn.questions[0].asked is Asked.FORGET:
        answer_forget(turn, yes=action.verb is Verb.FORGET)
    else:
        _refuse(turn, owned_by_other=False)


def _press_change(turn: Turn, action: Action) -> None:
    """Undo, or another film in place of one that was logged."""
    message = turn.fetched.undoable
    if message is None or message.person != turn.snapshot.person:
        _refuse(turn, owned_by_other=message is not None)
        return
    if action.verb is Verb.UNDO:
        undo(turn)
        return
    film_id = action.numbers[1]
    told = [w for w in turn.history if w.message_id == message.message_id and w.film_id == film_id]
    if not told:
        turn.tell("already-undone")
    elif action.verb is Verb.UNLOG:
        remove_watches(turn, told)
        for watch in told:
            want_again(turn, watch)
    elif turn.knows(action.numbers[2]):
        swap(turn, told[-1], action.numbers[2])
    else:
        _refuse(turn, owned_by_other=False)
