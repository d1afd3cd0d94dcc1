"""The open question put into words and choices.

Knows what each kind of question is asked with; what an answer does is in the modules that ask.
"""

from __future__ import annotations

from bot.conversation.action import Verb
from bot.conversation.cards import choice, picking, told_apart
from bot.conversation.context import Question
from bot.conversation.intents import Asked
from bot.conversation.own_films import title_and_year
from bot.conversation.telling import accounts_in_words, shown_title
from bot.conversation.turn import Turn
from engine.films import Film, FilmId


def put_question(turn: Turn) -> None:
    """Put the first of the open questions, when one was asked anew."""
    if not turn.asked_anew or not turn.questions:
        return
    question = turn.questions[0]
    match question.asked:
        case Asked.FORGET:
            _put_forget(turn)
            return
        case Asked.WATCHED_OR_LIKE:
            labels = _put_bare(turn, question)
        case Asked.WHICH_SHOWN:
            turn.tell("want-which" if question.wants else "seen-which")
            labels = _films_or_none(turn, question)
        case Asked.WHICH_FILM:
            _put_which(turn, question)
            labels = _films_or_none(turn, question)
        case Asked.ADD_FILM:
            labels = _put_add(turn, question)
        case Asked.LINK:
            labels = _put_link(turn)
        case Asked.UNLINK:
            others = [account for account in turn.fetched.accounts if account != turn.fetched.account]
            turn.tell("unlink-ask", others=accounts_in_words(turn.say, others))
            labels = [turn.say("unlink-choice"), turn.say("unlink-not-choice")]
    turn.choices += picking(labels, turn.message_id)


def _films_or_none(turn: Turn, question: Question) -> list[str]:
    return [*told_apart(turn.films(question.choices)), turn.say("none-choice")]


def _typed(question: Question) -> str:
    return shown_title(question.typed).rstrip("?!., ")


def _put_forget(turn: Turn) -> None:
    count = len(turn.snapshot.history)
    turn.tell("forget-ask" if count > 1 else "forget-ask-one" if count else "forget-ask-none", count=count)
    if len(turn.fetched.accounts) > 1:
        turn.tell("forget-accounts", accounts=accounts_in_words(turn.say, turn.fetched.accounts))
    turn.choices.append(choice(turn.say("forget-choice"), Verb.FORGET, turn.message_id))
    turn.choices.append(choice(turn.say("keep-choice"), Verb.KEEP, turn.message_id))


def _put_bare(turn: Turn, question: Question) -> list[str]:
    films = turn.films(question.choices)
    many = "-many" if len(films) > 1 else ""
    turn.tell(f"bare{many}", films=turn.say.listed([film.label for film in films]) or _typed(question))
    return [turn.say(f"bare-watched{many}-choice"), turn.say(f"bare-like{many}-choice")]


def _put_which(turn: Turn, question: Question) -> None:
    films = turn.films(question.choices)
    if not question.logs:
        turn.tell("bare-near")
    elif question.near:
        turn.tell("which-near", title=_typed(question))
    elif len(films) == 1:
        turn.tell("which-one-choice", film=films[0].label)
    else:
        same = {film.title for film in films}
        turn.tell("which", title=films[0].title if len(same) == 1 else _typed(question))


def _put_add(turn: Turn, question: Question) -> list[str]:
    title, year = title_and_year(question.typed)
    kept = Film(FilmId(0), shown_title(title), year).label
    wanted = "-wanted" if question.wants else ""
    turn.tell(f"add-ask{wanted}", title=kept)
    return [turn.say(f"add-choice{wanted}", title=kept), turn.say("add-not-choice")]


def _put_link(turn: Turn) -> list[str]:
    count = len(turn.snapshot.history)
    others = turn.fetched.offer.identities if turn.fetched.offer else ()
    key = "link-ask" if count > 1 else "link-ask-one" if count else "link-ask-none"
    turn.tell(key, count=count, others=accounts_in_words(turn.say, others))
    return [turn.say("link-choice"), turn.say("link-not-choice")]
