"""Acting on accounts: make a one-time code, join the person who made one, take an account out again.

Knows codes and accounts. A code is a key to a history, so that it is told in private, works for a few minutes and once,
and is never used without a yes. Only its hash is kept: by the store, and by the question until it is answered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.conversation.context import Question
from bot.conversation.intents import Asked, LinkAccounts
from bot.conversation.reply import Reply
from bot.conversation.telling import accounts_in_words
from bot.conversation.turn import Turn
from storage.changes import JoinPerson, LeavePerson, OfferLink
from storage.ids import code_hash, new_code

CODE_MINUTES = 10
"""How long a code works."""
MAX_CODE = 40
"""Characters up to which what was typed is looked at as a code."""
_GROUP = 4
"""Signs of a code that are shown together."""


def link(turn: Turn, intent: LinkAccounts) -> None:
    """Give a code for another account; or, with a code, ask whether to join the one that made it."""
    turn.private = True
    if not intent.code:
        code = new_code()
        turn.changes.append(OfferLink(code, turn.moment + timedelta(minutes=CODE_MINUTES)))
        turn.texts.append(_code_told(turn, code))
    elif _told_why_not(turn):
        turn.hint("link-footer")
    else:
        turn.questions = []
        turn.ask(Question(Asked.LINK, code_hash(intent.code)))


def _code_told(turn: Turn, code: str) -> str:
    shown = "-".join(code[place : place + _GROUP] for place in range(0, len(code), _GROUP))
    return turn.say("link-code", code=shown, minutes=CODE_MINUTES)


def without_code(turn: Turn, reply: Reply) -> Reply:
    """The reply as it is kept, and given to a message that is delivered again: a code is told once and never kept."""
    text = reply.text
    for change in turn.changes:
        if isinstance(change, OfferLink):
            text = text.replace(_code_told(turn, change.code), turn.say("link-code-again"))
    return replace(reply, text=text)


def _told_why_not(turn: Turn) -> bool:
    """Say why a code lets this account join nobody, if it does not."""
    offer = turn.fetched.offer
    if offer is None:
        turn.tell("link-no-code", minutes=CODE_MINUTES)
    elif offer.person == turn.snapshot.person:
        already = turn.fetched.account in offer.identities and len(offer.identities) > 1
        turn.tell("link-same" if already else "link-own-code")
    else:
        return False
    return True


def answer_link(turn: Turn, question: Question, *, yes: bool) -> None:
    """Join after a yes, if the code still works."""
    turn.private = True
    if not yes:
        turn.tell("not-linked")
    elif not _told_why_not(turn) and turn.fetched.offer:
        turn.changes.append(JoinPerson(question.typed))
        turn.in_mind, turn.swaps, turn.logged_by = (), (), 0
        turn.listed, turn.listed_by = (), 0
        turn.tell("linked", others=accounts_in_words(turn.say, turn.fetched.offer.identities))


def unlink(turn: Turn) -> None:
    """Ask first: the account begins anew, and its history stays with the others."""
    turn.private = True
    if len(turn.fetched.accounts) < 2:
        turn.tell("unlink-only")
        return
    turn.questions = []
    turn.ask(Question(Asked.UNLINK, _name(turn)))


def _name(turn: Turn) -> str:
    account = turn.fetched.account
    return "" if account is None else f"{account.platform} {account.workspace} {account.user}"


def answer_unlink(turn: Turn, question: Question, *, yes: bool) -> None:
    """Take the account out after a yes of its own: another of the same person was not asked."""
    turn.private = True
    if question.typed != _name(turn):
        turn.tell("nothing-open")
    elif not yes:
        turn.tell("not-unlinked")
    elif len(turn.fetched.accounts) < 2:
        turn.tell("unlink-only")
    else:
        turn.changes.append(LeavePerson())
        turn.in_mind, turn.swaps, turn.logged_by = (), (), 0
        turn.listed, turn.listed_by = (), 0
        others = [account for account in turn.fetched.accounts if account != turn.fetched.account]
        turn.tell("unlinked", others=accounts_in_words(turn.say, others))
