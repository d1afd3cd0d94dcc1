"""Acting on buttons: what each does, if it belongs to the person who pressed it.

Knows actions and whose they are: the first number of each names a slate or a message of theirs. A stranger is told so,
in private, and nothing happens.
"""

from __future__ import annotations

from dataclasses import replace

from bot.conversation.action import Action, Verb
from bot.conversation.cards import Standing
from bot.conversation.context import Details
from bot.conversation.grouping import close, join, start, vote
from bot.conversation.intents import Answer, AnswerKind, Asked, More, Why
from bot.conversation.recalling import remove_watches, undo
from bot.conversation.recommending import dismiss_films, more, recommend_like, slate_again, why
from bot.conversation.reply import Reply
from bot.conversation.turn import Turn
from bot.conversation.wanting import unwant_films, want_films, watchlist_again
from bot.conversation.watching import answer, answer_forget, log_films, swap, want_again
from storage.changes import MessageChanges, UndoMessage
from storage.records import FeedbackKind

SLATE_VERBS = frozenset({Verb.SEEN, Verb.SAVE, Verb.DISMISS, Verb.LIKE, Verb.WHY, Verb.MORE, Verb.BOLDER})
"""What a slate's buttons do; their first number is the slate."""
_WATCHLIST_VERBS = frozenset({Verb.WATCHED, Verb.UNSAVE})
_MARKING = frozenset({Verb.SEEN, Verb.SAVE, Verb.DISMISS})
"""What leaves a mark on the slate that it was pressed on."""
LIST_VERBS = SLATE_VERBS | _WATCHLIST_VERBS
"""What leaves the list there that it was pressed on; the reply stands beside it."""
BALLOT_VERBS = frozenset({Verb.VOTE, Verb.CLOSE, Verb.JOIN, Verb.START})
"""What is pressed by several people; their first number is the slate that they vote on, or join."""
_NUMBERS = {
    Verb.PICK: 2, Verb.SEEN: 2, Verb.SAVE: 2, Verb.DISMISS: 2, Verb.LIKE: 2, Verb.WHY: 2, Verb.MORE: 1,
    Verb.BOLDER: 1, Verb.VOTE: 2, Verb.CLOSE: 1, Verb.WATCHED: 2, Verb.UNSAVE: 2, Verb.UNDO: 1, Verb.UNLOG: 2,
    Verb.JOIN: 1, Verb.START: 1, Verb.SWAP: 3, Verb.FORGET: 1, Verb.KEEP: 1,
}  # fmt: skip


def is_well_formed(action: Action) -> bool:
    """Whether a button has as many numbers as what it does needs."""
    more = 1 if action.verb is Verb.UNDO else 0
    return _NUMBERS[action.verb] <= len(action.numbers) <= _NUMBERS[action.verb] + more


def slate_of(action: Action) -> int | None:
    """The slate that a button belongs to, or whose button made the change that it takes back."""
    if action.verb in SLATE_VERBS:
        return action.numbers[0]
    return action.numbers[1] if action.verb is Verb.UNDO and len(action.numbers) > 1 else None


def press(turn: Turn, action: Action) -> None:
    """Do what a button says, if it belongs to the person who pressed it."""
    if not is_well_formed(action):
        turn.refuse("button-gone")
    elif action.verb in SLATE_VERBS:
        _press_slate(turn, action)
    elif action.verb is Verb.VOTE:
        vote(turn, action)
    elif action.verb is Verb.CLOSE:
        close(turn)
    elif action.verb is Verb.JOIN:
        join(turn)
    elif action.verb is Verb.START:
        start(turn)
    elif action.verb in _WATCHLIST_VERBS:
        _press_watchlist(turn, action)
    elif action.verb in {Verb.PICK, Verb.FORGET, Verb.KEEP}:
        _press_answer(turn, action)
    else:
        _press_change(turn, action)


def _refuse(turn: Turn, *, owned_by_other: bool) -> None:
    turn.refuse("not-yours" if owned_by_other else "button-gone")


def pressed(turn: Turn, action: Action, reply_id: str | None, reply: Reply) -> Reply:
    """The reply to a button: in the place of the one that held it, unless that is a list, which stays and is brought
    up to date; nothing in the place of anything when the button was somebody else's."""
    if turn.refused:
        return reply
    undone = action.verb is Verb.UNDO and any(isinstance(change, UndoMessage) for change in turn.changes)
    slate = turn.fetched.slate
    if slate and slate[0] == turn.snapshot.person and (undone or action.verb in _MARKING):
        standing = _standing(turn, turn.fetched.undoable if undone else None)
        return replace(reply, updated=slate_again(turn, slate[1], standing, reply))
    if action.verb in _WATCHLIST_VERBS and turn.context.listed_by == action.numbers[0]:
        return replace(reply, updated=watchlist_again(turn, action.numbers[0], _standing(turn, None), reply))
    return reply if action.verb in LIST_VERBS else replace(reply, replaces=reply_id)


def _standing(turn: Turn, undone: MessageChanges | None) -> Standing:
    """Which films were watched, are wanted and are not, once what this message changes is kept."""
    watched = {watch.film_id for watch in turn.history} | {log.film_id for log in turn.logged}
    opinions = {FeedbackKind.WANTED: set(turn.wanted), FeedbackKind.DISMISSED: set(turn.dismissed)}
    if undone:
        watched |= {watch.film_id for watch in undone.removed}
        for given in undone.feedback:
            opinions[given.kind].discard(given.film_id)
        for taken in undone.feedback_taken_back:
            opinions[taken.kind].add(taken.film_id)
    return Standing(
        frozenset(watched), frozenset(opinions[FeedbackKind.WANTED]), frozenset(opinions[FeedbackKind.DISMISSED])
    )


def _press_slate(turn: Turn, action: Action) -> None:
    found = turn.fetched.slate
    if found is None or found[0] != turn.snapshot.person:
        _refuse(turn, owned_by_other=found is not None)
        return
    slate = found[1]
    turn.undo_of = (slate.slate_id,)
    if action.verb in {Verb.MORE, Verb.BOLDER}:
        more(turn, More(), slate, bolder=action.verb is Verb.BOLDER)
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
        if asked is not None and asked.person != turn.snapshot.person:
            turn.refuse("not-yours")
        else:
            turn.private = True
            turn.tell("question-over")
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
