"""Acting for several people: films for all of them, and a vote on which to watch.

Knows who is asked for and who has opted in: nobody's history is used for others who did not say so. Who may vote is
decided here, by the store's word; how many voted for what is said, never who.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from bot.conversation.action import Action, Verb
from bot.conversation.cards import ballot_cards, choice
from bot.conversation.intents import Recommend, Together
from bot.conversation.recommending import picks_of, recommend
from bot.conversation.reply import Audience, AudienceKind, Reply, Visibility
from bot.conversation.telling import shown_title
from bot.conversation.turn import Turn
from engine.films import Film
from storage.changes import CloseVote, Vote
from storage.records import Ballot, ShownSlate

MAX_TOGETHER = 10
"""People of one recommendation, the person who asks not counted."""


def recommend_together(turn: Turn, intent: Together) -> None:
    """Films that are new to all who are named and have opted in; with a vote, to choose one of them."""
    people = turn.people[:MAX_TOGETHER]
    willing = [one for one in turn.fetched.companions if one.opted_in and one.person != turn.snapshot.person]
    accounts = {one.account.user for one in turn.fetched.companions if one.opted_in}
    unwilling = [shown_title(named.name) for named in people if named.identity.user not in accounts]
    if not people:
        turn.private = True
        turn.tell("together-whom")
        return
    notes = [turn.say("together-unwilling", names=turn.say.listed(unwilling))] if unwilling else []
    if not willing:
        turn.texts += notes or [turn.say("together-whom")]
        turn.hint("together-opting")
        return
    turn.others = tuple(willing)
    turn.texts += notes
    turn.voting = intent.vote
    turn.shared = intent.vote
    recommend(turn, Recommend(intent.wish))


# Voting


def vote(turn: Turn, action: Action) -> None:
    """Vote for a film, if one is among those who were asked, and the vote is open."""
    ballot = turn.fetched.ballot
    person = turn.snapshot.person
    if ballot is None:
        turn.refuse("button-gone")
    elif person is None or person not in ballot.votes:
        turn.refuse("vote-not-yours")
    elif not ballot.slate.open_to_votes:
        turn.refuse("vote-over")
    elif action.numbers[1] not in {pick.film_id for pick in ballot.slate.picks}:
        turn.refuse("button-gone")
    else:
        turn.changes.append(Vote(ballot.slate.slate_id, action.numbers[1]))
        turn.shared, turn.ballot = True, ballot.slate.slate_id
        turn.tell("voted", film=turn.film(action.numbers[1]).label)


def close(turn: Turn) -> None:
    """End a vote that this person asked for, and say what came of it."""
    ballot = turn.fetched.ballot
    if ballot is None:
        turn.refuse("button-gone")
    elif ballot.asker != turn.snapshot.person:
        turn.refuse("vote-not-yours-to-end")
    elif not ballot.slate.open_to_votes:
        turn.refuse("vote-over")
    else:
        turn.changes.append(CloseVote(ballot.slate.slate_id))
        turn.shared, turn.ballot = True, ballot.slate.slate_id
        turn.tell("vote-closed")


def ballot_reply(turn: Turn, ballot: Ballot, reply: Reply) -> Reply:
    """How a vote stands, or what came of it, in the place of the reply that showed it."""
    say = turn.say
    votes = Counter(film_id for film_id in ballot.votes.values() if film_id is not None)
    still_open = bool(ballot.slate.open_to_votes)
    voters = voters_of(ballot, turn)
    picks = picks_of(turn, ballot.slate)
    cards = ballot_cards(say, picks, ballot.slate.slate_id, votes, voters, still_open=still_open)
    count, total = sum(votes.values()), len(ballot.votes)
    if still_open:
        return Reply(
            text=say("night", count=total),
            cards=cards,
            choices=(choice(say("close-choice"), Verb.CLOSE, ballot.slate.slate_id),),
            footer=say("votes-so-far", count=count, total=total),
            replaces=reply.replaces,
        )
    chosen, tied = _chosen(turn, ballot.slate, votes)
    key = "night-result-tied" if tied else "night-result" if votes else "night-result-none"
    return Reply(
        text=say(key, film=chosen.label, count=votes.get(chosen.film_id, 0), total=total),
        cards=tuple(replace(card, number=None, note="") for card in cards if card.film_id == chosen.film_id),
        footer=say("votes-counted", count=count, total=total),
        visibility=Visibility.PUBLIC,
        replaces=reply.replaces,
    )


def voters_of(ballot: Ballot, turn: Turn) -> Audience:
    """Who may vote, by how this platform names them."""
    platform = turn.place.platform
    users = tuple(account.user for account in ballot.accounts if account.platform == platform)
    return Audience(AudienceKind.NAMED, users)


def _chosen(turn: Turn, slate: ShownSlate, votes: Counter[int]) -> tuple[Film, bool]:
    """The film with the most votes, and whether another has as many: then the one that suits all better is it."""
    most = max(votes.values(), default=0)
    first = [pick.film_id for pick in slate.picks if votes.get(pick.film_id, 0) == most]
    return turn.film(first[0]), len(first) > 1 and most > 0
