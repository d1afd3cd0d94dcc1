"""One message being answered: what is known before it, and the changes and the reply that grow while it is acted on.

Knows the engine's and the store's values; does no input or output, so that acting can run in a thread and be done again
when something else changed meanwhile. What each intent does is in `watching`, `recommending` and `recalling`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.conversation.action import Verb
from bot.conversation.cards import choice, picking, told_apart
from bot.conversation.context import Context, Details, Question, Swap, to_payload
from bot.conversation.dates import Exactness
from bot.conversation.intents import Asked, Reaction, State
from bot.conversation.phrases import Phrases, Say
from bot.conversation.reply import Card, Choice, Reply, Visibility
from bot.conversation.telling import shown_title
from engine.films import Film, FilmId
from engine.recommender import Recommender
from engine.requests import Event, EventKind, Member, Request, Slate
from engine.titles import TitleIndex
from storage.changes import (
    Change,
    GiveFeedback,
    LogWatch,
    MessageChanges,
    RateWatch,
    RemoveWatch,
    SetContext,
)
from storage.records import (
    MessageId,
    PersonId,
    Precision,
    ShownSlate,
    Snapshot,
    Watch,
    WatchState,
)

_GOOD, _BAD = 4.0, 2.0
"""Stars from which a watch counts as liked, and to which as disliked."""


@dataclass(frozen=True, slots=True)
class Habits:
    """The settings of the conversation: films a slate, how adventurous (0 to 1), how varied (0 to 1)."""

    slate_size: int = 5
    adventurousness: float = 0.3
    diversity: float = 0.3


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was read from the store besides the snapshot, because the message refers to it."""

    undoable: MessageChanges | None = None
    """The last message that can be undone, or the one that a button names."""
    slate: tuple[PersonId, ShownSlate] | None = None
    """The slate that a button names, and whose it is."""


KeptSlate = Callable[[Member, Request], Slate]
"""Asks for the slate of the history as the store has it, which may have been computed before."""


@dataclass(slots=True)
class Turn:
    """One message. `moment` is in the person's time zone."""

    engine: Recommender
    habits: Habits
    phrases: Phrases
    say: Say
    language: str
    snapshot: Snapshot
    fetched: Fetched
    context: Context
    moment: datetime
    message_id: MessageId
    kept_slate: KeptSlate | None = None
    # What grows
    changes: list[Change] = field(default_factory=list)
    logged: list[LogWatch] = field(default_factory=list)
    removed: set[int] = field(default_factory=set)
    dismissed: set[int] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    cards: tuple[Card, ...] = ()
    choices: list[Choice] = field(default_factory=list)
    footers: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    asked_anew: bool = False
    in_mind: tuple[int, ...] = ()
    swaps: tuple[Swap, ...] = ()
    logged_by: int = 0
    shown: ShownSlate | None = None
    private: bool = False
    erase: bool = False

    def __post_init__(self) -> None:
        self.questions = list(self.context.questions)
        self.in_mind, self.swaps, self.logged_by = self.context.in_mind, self.context.swaps, self.context.logged_by
        self.dismissed = set(self.snapshot.dismissed)
        self.shown = self.snapshot.last_slate

    # What is known

    @property
    def titles(self) -> TitleIndex:
        """What people type → films."""
        return self.engine.titles

    @property
    def today(self) -> date:
        """The person's day."""
        return self.moment.date()

    @property
    def history(self) -> tuple[Watch, ...]:
        """The watches kept before this message and not taken away by it, oldest first."""
        return tuple(watch for watch in self.snapshot.history if watch.watch_id not in self.removed)

    @property
    def member(self) -> Member:
        """The person as the engine sees them, this message's watches included."""
        events = [(watch.sorted_on, _event(watch)) for watch in self.history]
        events += [(log.starts_on() or self.today, _event(log)) for log in self.logged]
        events.sort(key=lambda dated: dated[0])
        return Member(tuple(event for _, event in events), frozenset(map(FilmId, self.dismissed)))

    def slate(self, request: Request) -> Slate:
        """What the engine answers, or answered before."""
        as_kept = not self.logged and not self.removed and self.dismissed == self.snapshot.dismissed
        if self.kept_slate and as_kept:
            return self.kept_slate(self.member, request)
        return self.engine.recommend([self.member], request)

    def film(self, film_id: int) -> Film:
        """The film of an id; one that this bundle's catalogue lacks is shown by its number."""
        return self.engine.catalog.film(film_id) or Film(FilmId(film_id), f"film {film_id}", None)

    def films(self, film_ids: tuple[int, ...] | list[int]) -> list[Film]:
        """The films of some ids."""
        return [self.film(film_id) for film_id in film_ids]

    # What grows

    def tell(self, key: str, /, **gaps: object) -> None:
        """Say a sentence."""
        self.texts.append(self.say(key, **gaps))

    def hint(self, key: str, /, **gaps: object) -> None:
        """Say something in smaller print, once."""
        sentence = self.say(key, **gaps)
        if sentence not in self.footers:
            self.footers.append(sentence)

    def ask(self, question: Question) -> None:
        """Ask something; when several things are asked in one message, one after the other."""
        if not self.asked_anew:
            self.drop_questions()
        self.asked_anew = True
        self.questions.append(question)

    def drop_questions(self) -> None:
        """Something else begins: say which films were left unlogged, and stop asking."""
        if self.asked_anew:
            self.questions = []
            return
        open_films = [q.typed for q in self.questions if q.asked is Asked.WHICH_FILM and q.logs and not q.near]
        if open_films:
            self.hint("left-open", titles=self.say.listed([f"“{shown_title(typed)}”" for typed in open_films]))
        self.questions = []

    def reply(self) -> Reply:
        """The answer, with the first open question when one was asked anew."""
        if self.asked_anew and self.questions:
            self._put(self.questions[0])
        if any(isinstance(change, LogWatch | RemoveWatch | RateWatch | GiveFeedback) for change in self.changes):
            self.choices.append(choice(self.say("undo-choice"), Verb.UNDO, self.message_id))
        return Reply(
            text="\n".join(self.texts),
            cards=self.cards,
            choices=tuple(self.choices),
            footer="\n".join(self.footers),
            visibility=Visibility.PRIVATE if self.private else Visibility.PUBLIC,
        )

    def _put(self, question: Question) -> None:
        """Put a question into words and choices."""
        say, typed = self.say, shown_title(question.typed).rstrip("?!., ")
        films = self.films(question.choices)
        match question.asked:
            case Asked.FORGET:
                count = len(self.snapshot.history)
                self.tell("forget-ask" if count > 1 else "forget-ask-one" if count else "forget-ask-none", count=count)
                self.choices.append(choice(say("forget-choice"), Verb.FORGET, self.message_id))
                self.choices.append(choice(say("keep-choice"), Verb.KEEP, self.message_id))
                return
            case Asked.WATCHED_OR_LIKE:
                many = "-many" if len(films) > 1 else ""
                named = say.listed([film.label for film in films]) or typed
                self.tell(f"bare{many}", films=named)
                labels = [say(f"bare-watched{many}-choice"), say(f"bare-like{many}-choice")]
            case Asked.WHICH_SHOWN:
                self.tell("seen-which")
                labels = [*told_apart(films), say("none-choice")]
            case Asked.WHICH_FILM:
                if not question.logs:
                    self.tell("bare-near")
                elif question.near:
                    self.tell("which-near", title=typed)
                elif len(films) == 1:
                    self.tell("which-one-choice", film=films[0].label)
                else:
                    same = {film.title for film in films}
                    self.tell("which", title=films[0].title if len(same) == 1 else typed)
                labels = [*told_apart(films), say("none-choice")]
        self.choices += picking(labels, self.message_id)

    def context_change(self, minutes: int) -> SetContext | None:
        """What the conversation is about after this message; None when that is as before."""
        questions = tuple(self.questions)
        after = Context(
            questions=questions,
            asked_by=(self.message_id if self.asked_anew else self.context.asked_by) if questions else 0,
            in_mind=self.in_mind,
            swaps=self.swaps,
            logged_by=self.logged_by,
        )
        if after == self.context:
            return None
        if after == Context():
            return SetContext(None)
        return SetContext(to_payload(after), self.moment + timedelta(minutes=minutes))


def details_of(watch: Watch) -> Details:
    """What is known about a kept watch, apart from its film."""
    return Details(
        watch.watched_on,
        Exactness(watch.precision.value),
        State(watch.state.value),
        watch.rating,
        Reaction(watch.reaction) if watch.reaction in set(Reaction) else None,
    )


def log_of(film_id: int, details: Details) -> LogWatch:
    """The change that keeps a watch."""
    return LogWatch(
        film_id=film_id,
        watched_on=details.day,
        precision=Precision(details.exactness.value),
        state=WatchState(details.state.value),
        rating=details.rating,
        reaction=details.reaction.value if details.reaction else None,
    )


def _event(watch: Watch | LogWatch) -> Event:
    """A watch as the model may be told it."""
    liked = watch.reaction in {Reaction.LOVED, Reaction.LIKED} or (watch.rating or 0) >= _GOOD
    disliked = watch.reaction in {Reaction.DISLIKED, Reaction.HATED} or (
        watch.rating is not None and watch.rating <= _BAD
    )
    if watch.state is WatchState.ABANDONED:
        kind = EventKind.ABANDONED
    elif disliked:
        kind = EventKind.DISLIKED
    elif watch.state is WatchState.REWATCH:
        kind = EventKind.REWATCHED
    else:
        kind = EventKind.LIKED if liked else EventKind.WATCHED
    return Event(FilmId(watch.film_id), kind)
