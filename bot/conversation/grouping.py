"""Acting for several people: who is in, films for all of them, and a vote on which to watch.

Knows who is asked for and who has opted in: nobody's history is used for others who did not say so. Who may vote is
decided here, by the store's word; how many voted for what is said, never who.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from bot.conversation.action import Action, Verb
from bot.conversation.cards import ballot_cards, choice, votes_in_words
from bot.conversation.intents import Recommend, Together
from bot.conversation.recommending import fill, open_lobby, picks_of, recommend, wish_of
from bot.conversation.reply import Audience, AudienceKind, Choice, Reply, Visibility
from bot.conversation.telling import labels, shown_title
from bot.conversation.turn import Turn
from engine.films import Film
from storage.changes import MAX_MEMBERS, CloseVote, TakePart, Vote
from storage.records import Ballot, Preference, ShownSlate, SlateId

MAX_TOGETHER = MAX_MEMBERS - 1
"""People of one recommendation, the person who asks not counted."""


def recommend_together(turn: Turn, intent: Together) -> None:
    """Films that are new to all who are named and have opted in; with a vote, to choose one of them."""
    people = turn.people[:MAX_TOGETHER]
    willing = [one for one in turn.fetched.companions if one.opted_in and one.person != turn.snapshot.person]
    accounts = {one.account.user for one in turn.fetched.companions if one.opted_in}
    unwilling = [shown_title(named.name) for named in people if named.identity.user not in accounts]
    others_are_there = bool(turn.place.workspace)
    if not people and not (intent.vote and others_are_there):
        turn.private = True
        turn.tell("together-whom")
        return
    notes = [turn.say("together-unwilling", names=turn.say.listed(unwilling))] if unwilling else []
    if not willing and intent.vote and others_are_there:
        turn.texts += notes
        _ask_who_is_in(turn, intent)
        return
    if not willing:
        turn.texts += notes or [turn.say("together-whom")]
        turn.hint("together-opting")
        return
    turn.others = tuple(willing)
    turn.texts += notes
    turn.voting = intent.vote
    turn.shared = intent.vote
    recommend(turn, Recommend(intent.wish))


# Who is in


def _ask_who_is_in(turn: Turn, intent: Together) -> None:
    """A button for whoever wants to be in; films are chosen when the person who asks says so."""
    opened = open_lobby(turn, intent.wish)
    if opened is None:
        return
    slate_id, wish = opened
    turn.shared = True
    turn.texts.append(_who_is_in(turn, wish))
    turn.choices += _lobby_choices(turn, slate_id)
    turn.tell("lobby-alone")
    turn.hint("lobby-footer")


def _who_is_in(turn: Turn, wish: str) -> str:
    return turn.say("lobby-wish", wish=wish) if wish else turn.say("lobby")


def _lobby_choices(turn: Turn, slate_id: SlateId) -> tuple[Choice, ...]:
    join = Choice(turn.say("join-choice"), Action(Verb.JOIN, (slate_id,)), Audience(AudienceKind.ANYONE))
    return join, choice(turn.say("start-choice"), Verb.START, slate_id)


def join(turn: Turn) -> None:
    """Be in, or not any more. Whoever is in lets groups use their history: that is said beside the button."""
    ballot = turn.fetched.ballot
    if ballot is None:
        turn.refuse("button-gone")
        return
    is_in = turn.snapshot.person in ballot.votes
    if ballot.slate.picks or not ballot.slate.open_to_votes:
        turn.refuse("lobby-over")
    elif ballot.asker == turn.snapshot.person:
        turn.refuse("lobby-yours")
    elif not is_in and len(ballot.votes) >= MAX_MEMBERS:
        turn.refuse("lobby-full", count=MAX_MEMBERS)
    else:
        if not is_in and not turn.preferences.group_opt_in:
            turn.prefer(Preference.GROUP_OPT_IN, True)
        turn.changes.append(TakePart(ballot.slate.slate_id, not is_in))
        turn.shared, turn.ballot = True, ballot.slate.slate_id
        turn.tell("lobby-left" if is_in else "lobby-joined")


def start(turn: Turn) -> None:
    """Choose the films for those who are in, and let them vote."""
    ballot = turn.fetched.ballot
    if ballot is None:
        turn.refuse("button-gone")
        return
    if ballot.asker != turn.snapshot.person:
        turn.refuse("lobby-not-yours")
        return
    if ballot.slate.picks or not ballot.slate.open_to_votes:
        turn.refuse("lobby-over")
        return
    turn.others = tuple(one for one in turn.fetched.companions if one.opted_in)
    if not turn.others:
        turn.refuse("lobby-empty")
        return
    turn.voting = turn.shared = True
    if fill(turn, ballot.slate):
        turn.changes.append(CloseVote(ballot.slate.slate_id))
    else:
        turn.shared, turn.private, turn.refused = False, True, True  # the question who is in stays


def _lobby_reply(turn: Turn, ballot: Ballot, reply: Reply) -> Reply:
    """Who is in, in the place of the reply that showed it."""
    others = len(ballot.votes) - 1
    key = "lobby-alone" if others < 1 else "lobby-one" if others == 1 else "lobby-count"
    return Reply(
        text=f"{_who_is_in(turn, wish_of(turn, ballot.slate))}\n{turn.say(key, count=others)}",
        choices=_lobby_choices(turn, ballot.slate.slate_id),
        footer=turn.say("lobby-footer"),
        replaces=reply.replaces,
    )


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
    if not ballot.slate.picks:
        return _lobby_reply(turn, ballot, reply)
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
    others = labels(say, tied)
    tally = [f"{turn.film(film_id).label}: {votes_in_words(say, count)}" for film_id, count in votes.most_common()]
    return Reply(
        text=say(key, film=chosen.label, others=others, count=votes.get(chosen.film_id, 0), total=total),
        cards=tuple(replace(card, number=None, note="") for card in cards if card.film_id == chosen.film_id),
        footer="\n".join((say("votes-counted", count=count, total=total), *(tally if len(tally) > 1 else ()))),
        visibility=Visibility.PUBLIC,
        replaces=reply.replaces,
    )


def voters_of(ballot: Ballot, turn: Turn) -> Audience:
    """Who may vote, by how this platform names them."""
    platform = turn.place.platform
    users = tuple(account.user for account in ballot.accounts if account.platform == platform)
    return Audience(AudienceKind.NAMED, users)


def _chosen(turn: Turn, slate: ShownSlate, votes: Counter[int]) -> tuple[Film, list[Film]]:
    """The film with the most votes, and the others that have as many: then the one that suits all better is it."""
    most = max(votes.values(), default=0)
    first = [turn.film(pick.film_id) for pick in slate.picks if votes.get(pick.film_id, 0) == most]
    return first[0], first[1:] if most else []
