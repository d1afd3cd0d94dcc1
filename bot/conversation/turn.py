"""One message being answered: what is known before it, and the changes and the reply that grow while it is acted on.

Knows the engine's and the store's values; does no input or output, so that acting can run in a thread and be done again
when something else changed meanwhile. What each intent does is in the modules named for it: `watching`, `wanting`,
`recommending`, `grouping`, `finding`, `recalling`, `adjusting`, `placing`, `linking`, `privacy`, `importing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.conversation.action import Verb
from bot.conversation.cards import choice
from bot.conversation.commands import film_of
from bot.conversation.context import Context, Details, Question, Swap, to_payload
from bot.conversation.dates import Exactness
from bot.conversation.intents import Asked, Intent, Reaction, State
from bot.conversation.message import Named, Place
from bot.conversation.own_films import meant_by, one_line, with_own
from bot.conversation.phrases import Phrases, Say
from bot.conversation.reply import Card, Choice, File, Reply, Visibility
from bot.conversation.telling import shown_title
from engine.films import Film, FilmId
from engine.recommender import Recommender
from engine.requests import Event, EventKind, Member, Request, Slate
from engine.titles import Certainty, Link, Match, TitleIndex
from storage.changes import (
    AddFilm,
    Change,
    GiveFeedback,
    JoinPerson,
    LeavePerson,
    LogWatch,
    MessageChanges,
    RateWatch,
    RemoveWatch,
    SetContext,
    SetPreference,
    TakeBackFeedback,
)
from storage.ids import new_film_id
from storage.portable.exporting import Everything
from storage.records import (
    AddedFilm,
    Ballot,
    Companion,
    FeedbackKind,
    IdentityKey,
    LinkOffer,
    MessageId,
    PersonId,
    Precision,
    Preference,
    Preferences,
    ShownSlate,
    SlateId,
    Snapshot,
    Watch,
    WatchState,
)
from storage.records import Visibility as AnswersSeen

_UNDOABLE = LogWatch | RemoveWatch | RateWatch | GiveFeedback | TakeBackFeedback | SetPreference
_GOOD, _BAD = 4.0, 2.0
"""Stars from which a watch counts as liked, and to which as disliked."""


@dataclass(frozen=True, slots=True)
class Habits:
    """The settings of the conversation: films a slate, how adventurous (0 to 1), how varied (0 to 1)."""

    slate_size: int = 5
    adventurousness: float = 0.3
    diversity: float = 0.3


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many days slates and answers are kept, and people who say nothing; None: for ever."""

    slates_days: int | None = None
    inactive_days: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was read from the store besides the snapshot, because the message refers to it."""

    undoable: MessageChanges | None = None
    """The last message that can be undone, or the one that a button names."""
    slate: tuple[PersonId, ShownSlate] | None = None
    """The slate that a button names, and whose it is."""
    offer: LinkOffer | None = None
    """Whom the code that was typed, or is being asked about, lets one join."""
    account: IdentityKey | None = None
    """Who says it."""
    accounts: tuple[IdentityKey, ...] = ()
    """The person's accounts, when the message is about them."""
    everything: Everything | None = None
    """All that is kept about the person, when that is what was asked."""
    companions: tuple[Companion, ...] = ()
    """Those whom the message, or the slate that it is about, is for besides the person."""
    ballot: Ballot | None = None
    """The vote that a button belongs to."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What files brought: how many watches, and the sentence that says so until it is known which of them are new."""

    watches: int
    sentence: str


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
    kept: Kept = Kept()
    files: tuple[File, ...] = ()
    server_zone: tzinfo | None = None
    told_zone: bool = False
    """Whether the platform told the person's time zone."""
    place: Place = field(default_factory=lambda: Place("", ""))
    administers: bool = False
    shows_buttons: bool = False
    people: tuple[Named, ...] = ()
    """Those whom the message names."""
    # What grows
    taken: list[Intent] = field(default_factory=list)
    """What the message was taken for in the end, an intent each."""
    changes: list[Change] = field(default_factory=list)
    logged: list[LogWatch] = field(default_factory=list)
    removed: set[int] = field(default_factory=set)
    dismissed: set[int] = field(default_factory=set)
    wanted: list[int] = field(default_factory=list)
    preferences: Preferences = field(default_factory=Preferences)
    usual: Habits = field(default_factory=Habits)
    taken_off: list[int] = field(default_factory=list)
    own_films: dict[int, Film] = field(default_factory=dict)
    _undone_films: dict[int, Film] = field(init=False, default_factory=dict)
    """Films of the person's own whose adding was undone: they have a name, and nothing else."""
    texts: list[str] = field(default_factory=list)
    cards: tuple[Card, ...] = ()
    choices: list[Choice] = field(default_factory=list)
    footers: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    asked_anew: bool = False
    in_mind: tuple[int, ...] = ()
    swaps: tuple[Swap, ...] = ()
    logged_by: int = 0
    listed: tuple[int, ...] = ()
    listed_by: int = 0
    shown: ShownSlate | None = None
    private: bool = False
    shared: bool = False
    """The reply is for others too, whatever the person set: a vote."""
    refused: bool = False
    """A button that did nothing, as it is not this person's."""
    others: tuple[Companion, ...] = ()
    """Those whom a slate is for, besides the person."""
    voting: bool = False
    """They vote on it."""
    ballot: SlateId | None = None
    """The vote that this message changes."""
    undo_of: tuple[int, ...] = ()
    """The slate whose button makes the change, to be shown again when it is undone."""
    erase: bool = False
    export: bool = False
    imported: Imported | None = None

    def __post_init__(self) -> None:
        self.questions = list(self.context.questions)
        self.in_mind, self.swaps, self.logged_by = self.context.in_mind, self.context.swaps, self.context.logged_by
        self.listed, self.listed_by = self.context.listed, self.context.listed_by
        if self.snapshot.place.adventurousness is not None:
            self.habits = replace(self.habits, adventurousness=self.snapshot.place.adventurousness)
        self.dismissed = set(self.snapshot.dismissed)
        self.wanted = list(self.snapshot.wanted)
        self.preferences, self.usual = self.snapshot.preferences, self.habits
        self._set_habits()
        self.own_films = {film.film_id: _film_of(film) for film in self.snapshot.added_films}
        self._undone_films = {film.film_id: _film_of(film) for film in self.snapshot.undone_films}
        self.shown = self.snapshot.last_slate

    # What is known

    @property
    def titles(self) -> TitleIndex:
        """What people type → films, in the person's language."""
        return self.engine.titles.told_by(self.phrases.telling)

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

    @property
    def members(self) -> list[Member]:
        """All whom a slate is for, as the engine sees them, the person first."""
        others = [Member(tuple(map(_event, one.history)), frozenset(map(FilmId, one.dismissed))) for one in self.others]
        return [self.member, *others]

    def slate(self, request: Request) -> Slate:
        """What the engine answers, or answered before."""
        if self.others:
            return self.engine.recommend(self.members, request)
        as_kept = not self.logged and not self.removed and self.dismissed == self.snapshot.dismissed
        if self.kept_slate and as_kept:
            return self.kept_slate(self.member, request)
        return self.engine.recommend([self.member], request)

    @property
    def is_another(self) -> bool:
        """Whether the person is another one now, about whom the snapshot says nothing: joined, left or erased."""
        return self.erase or any(isinstance(change, JoinPerson | LeavePerson) for change in self.changes)

    def film(self, film_id: int) -> Film:
        """The film of an id, of the catalogue's or the person's own; any other is shown by its number."""
        known = self.engine.catalog.film(film_id) or self.own_films.get(film_id) or self._undone_films.get(film_id)
        return known or Film(FilmId(film_id), f"film {film_id}", None)

    def knows(self, film_id: int) -> bool:
        """Whether the catalogue has that film, or it is the person's own."""
        return film_id in self.own_films or self.engine.catalog.film(film_id) is not None

    def films(self, film_ids: Sequence[int]) -> list[Film]:
        """The films of some ids."""
        return [self.film(film_id) for film_id in film_ids]

    def link(self, typed: str) -> Link:
        """The film that is meant by a title, of the catalogue's or the person's own, or the choices, or near misses.

        A platform whose fields complete titles sends a film's id instead.
        """
        film_id = film_of(typed)
        if film_id is not None and self.knows(film_id):
            return Link(typed, Certainty.CLEAR, (Match(FilmId(film_id), self.film(film_id).title, 1.0),))
        return with_own(self.titles.link(typed), tuple(self.own_films.values()))

    def link_all(self, typed: str) -> tuple[Link, ...]:
        """The films of a list; a title of the person's own is not taken apart."""
        own = tuple(self.own_films.values())
        if film_of(typed) is not None or (own and meant_by(typed, own)):
            return (self.link(typed),)
        return tuple(with_own(link, own) for link in self.titles.link_all(typed))

    def narrow(self, film_ids: Sequence[int], typed: str) -> list[int]:
        """The films that an answer means, of those that were asked about."""
        chosen = set(self.titles.narrow([FilmId(film_id) for film_id in film_ids], typed))
        own = [self.own_films[film_id] for film_id in film_ids if film_id in self.own_films]
        chosen |= {film.film_id for film in meant_by(typed, own)}
        chosen |= {film.film_id for film in own if film.year is not None and str(film.year) in typed.split()}
        return [film_id for film_id in film_ids if film_id in chosen]

    # What grows

    def take(self, intent: Intent) -> None:
        """What is being acted on is meant otherwise than it was understood: “Alien” answers no question."""
        if self.taken:
            self.taken[-1] = intent

    def log(self, change: LogWatch) -> None:
        """Keep a watch; what was watched is off the watchlist."""
        self.changes.append(change)
        self.logged.append(change)
        self.take_off(change.film_id)

    def take_off(self, film_id: int) -> None:
        """Take a film that was watched, or is not wanted any more, off the watchlist; the reply says so."""
        if film_id in self.wanted:
            self.unwant(film_id)
            self.taken_off.append(film_id)

    def want(self, film_id: int) -> None:
        """Put a film on the watchlist; it may be suggested again."""
        self.changes.append(GiveFeedback(film_id, FeedbackKind.WANTED))
        self.wanted.append(film_id)
        if film_id in self.dismissed:
            self.changes.append(TakeBackFeedback(film_id, FeedbackKind.DISMISSED))
            self.dismissed.discard(film_id)

    def unwant(self, film_id: int) -> None:
        """Take a film off the watchlist."""
        self.changes.append(TakeBackFeedback(film_id, FeedbackKind.WANTED))
        self.wanted.remove(film_id)

    def prefer(self, preference: Preference, value: str | float | bool | None) -> None:
        """Keep a setting; it holds for this message's reply already."""
        self.changes.append(SetPreference(preference, value))
        text = None if value is None else str(value)
        own = self.preferences
        match preference:
            case Preference.TIME_ZONE:
                self.preferences = replace(own, time_zone=text)
                if not self.told_zone:
                    self.moment = self.moment.astimezone(ZoneInfo(text) if text else self.server_zone)
            case Preference.LOCALE:
                self.preferences = replace(own, locale=text)
            case Preference.ADVENTUROUSNESS:
                self.preferences = replace(own, adventurousness=None if value is None else float(value))
                self._set_habits()
            case Preference.VISIBILITY:
                self.preferences = replace(own, visibility=AnswersSeen(text) if text else None)
            case Preference.GROUP_OPT_IN:
                self.preferences = replace(own, group_opt_in=bool(value))

    def _set_habits(self) -> None:
        own = self.preferences.adventurousness
        self.habits = self.usual if own is None else replace(self.usual, adventurousness=own)

    def own_id(self, title: str, year: int | None) -> int | None:
        """The person's own film of just that title and year."""
        return next((id_ for id_, film in self.own_films.items() if (film.title, film.year) == (title, year)), None)

    def own_film(self, title: str, year: int | None) -> int:
        """The person's own film of that title and year, added when they have none."""
        if (there := self.own_id(title, year)) is not None:
            return there
        added = AddedFilm(new_film_id(), title, year)
        self.changes.append(AddFilm(added))
        self.own_films[added.film_id] = _film_of(added)
        return added.film_id

    def tell(self, key: str, /, **gaps: object) -> None:
        """Say a sentence."""
        self.texts.append(self.say(key, **gaps))

    def hint(self, key: str, /, **gaps: object) -> None:
        """Say something in smaller print, once."""
        sentence = self.say(key, **gaps)
        if sentence not in self.footers:
            self.footers.append(sentence)

    def refuse(self, key: str, /, **gaps: object) -> None:
        """Say, to this person alone, why a button does nothing for them."""
        self.private = self.refused = True
        self.tell(key, **gaps)

    def hint_typing(self, key: str, /, **gaps: object) -> None:
        """Say in smaller print what may be typed, where nothing else shows it."""
        if not self.shows_buttons:
            self.hint(key, **gaps)

    def ask(self, question: Question) -> None:
        """Ask something; when several things are asked in one message, one after the other."""
        if not self.asked_anew:
            self.drop_questions()
        self.asked_anew = True
        self.questions.append(question)

    def drop_questions(self) -> None:
        """Something else begins: say which films were left unlogged, and stop asking."""
        if self.asked_anew:
            return  # said in the same message: both are answered
        open_films = [
            q.typed for q in self.questions if q.asked is Asked.WHICH_FILM and q.logs and not q.near and not q.wants
        ]
        if open_films:
            self.hint("left-open", titles=self.say.listed([f"“{shown_title(typed)}”" for typed in open_films]))
        self.questions = []

    def reply(self) -> Reply:
        """The answer as it has grown."""
        if self.taken_off:
            self.hint("off-watchlist", films=self.say.listed([film.label for film in self.films(self.taken_off)]))
        if any(isinstance(change, _UNDOABLE) for change in self.changes):
            self.choices.append(choice(self.say("undo-choice"), Verb.UNDO, self.message_id, *self.undo_of))
        always_private = self.preferences.visibility is AnswersSeen.PRIVATE and not self.shared
        return Reply(
            text="\n".join(self.texts),
            cards=self.cards,
            choices=tuple(self.choices),
            footer="\n".join(self.footers),
            visibility=Visibility.PRIVATE if self.private or always_private else Visibility.PUBLIC,
        )

    def context_change(self, minutes: int) -> SetContext | None:
        """What the conversation is about after this message; None when that is as before."""
        questions = tuple(self.questions)
        after = Context(
            questions=questions,
            asked_by=(self.message_id if self.asked_anew else self.context.asked_by) if questions else 0,
            in_mind=self.in_mind,
            swaps=self.swaps,
            logged_by=self.logged_by,
            listed=self.listed,
            listed_by=self.listed_by,
        )
        if after == self.context:
            return None
        if after == Context():
            return SetContext(None)
        return SetContext(to_payload(after), self.moment + timedelta(minutes=minutes))


def _film_of(added: AddedFilm) -> Film:
    return Film(FilmId(added.film_id), one_line(added.title), added.year)


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
