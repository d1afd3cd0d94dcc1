"""Cases typed into real conversations, and what came of each: `Listener`, `Outcome`.

Every case is a person of its own, in a real store, talking to the dialogue that serves people. An outcome is told in
the words of the cases: labels of films, days, stars. Knows nothing of what was expected.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from bot.conversation import intents as meant
from bot.conversation.context import from_payload
from bot.conversation.dialogue import Dialogue
from bot.conversation.message import Identity, Origin, Place, Text
from bot.conversation.people import people_of
from bot.conversation.turn import Turn
from bot.evaluating.cases import Case
from engine.recommender import Recommender
from engine.titles import Certainty
from storage.records import IdentityKey, MessageKey, PlaceKey, Precision, Snapshot, Watch
from storage.store import Store

MOMENT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
"""When everything is said: a Friday evening."""

_NAMES: Mapping[type[object], str] = {
    meant.LogWatches: "log",
    meant.React: "react",
    meant.Meant: "correct",
    meant.Undo: "undo",
    meant.Remove: "remove",
    meant.Recommend: "recommend",
    meant.More: "more",
    meant.Why: "why",
    meant.Seen: "seen",
    meant.Dismiss: "dismiss",
    meant.Want: "save",
    meant.Unwant: "unsave",
    meant.Watchlist: "watchlist",
    meant.History: "history",
    meant.Adjust: "set",
    meant.Settings: "settings",
    meant.Privacy: "privacy",
    meant.Export: "export",
    meant.Import: "import",
    meant.Forget: "forget",
    meant.LinkAccounts: "link",
    meant.UnlinkAccount: "unlink",
    meant.Help: "help",
    meant.Greeting: "chat",
    meant.Thanks: "chat",
    meant.Answer: "answer",
    meant.NotAWatch: "mention",
    meant.BareTitle: "title",
    meant.NotUnderstood: "unclear",
}
_PERIODS = {Precision.DAY: "%Y-%m-%d", Precision.MONTH: "%Y-%m", Precision.YEAR: "%Y"}


@dataclass(frozen=True, slots=True)
class HeardWatch:
    """A watch that is new, or described anew."""

    film: str
    when: str | None
    rating: float | None
    reaction: str | None
    how: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an utterance. `films`: the films that each name beside watches may mean, best first; `shown`: the
    list that stood there before; `choices`: of the questions that are open then, films that are choices."""

    does: tuple[str, ...]
    logged: tuple[HeardWatch, ...]
    removed: tuple[str, ...]
    asked: bool
    choices: tuple[tuple[str, ...], ...]
    films: tuple[tuple[str, ...], ...]
    places: tuple[int, ...]
    wish: Mapping[str, Any]
    set: Mapping[str, str]
    shown: tuple[str, ...]
    reply: str
    milliseconds: float
    """Of this thread, for the whole message."""


@dataclass(slots=True)
class Listener:
    """Types cases into conversations. Use it as an asynchronous context."""

    recommender: Recommender
    file: Path
    """Where the database of all these people is made."""
    _store: Store = field(init=False)
    _dialogue: Dialogue = field(init=False)
    _turn: Turn | None = field(init=False, default=None)

    async def __aenter__(self) -> Listener:
        self._store = await Store.open(f"sqlite:///{self.file}")
        self._dialogue = Dialogue(self._store, self.recommender, zone=UTC, heard=self._hear)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._dialogue.close()
        await self._store.close()

    def _hear(self, turn: Turn) -> None:
        self._turn = turn

    async def outcome(self, case: Case) -> Outcome:
        """Say all that was said before, then the case itself."""
        who = uuid.uuid4().hex
        moment = MOMENT - timedelta(minutes=len(case.after))
        for line in case.after:
            await self._say(who, line, moment, case.language)
            moment += timedelta(minutes=1)
        before = await self._snapshot(who, moment)
        shown = self._shown(before)
        began = time.perf_counter()
        reply = await self._say(who, case.say, moment, case.language)
        took = 1000 * (time.perf_counter() - began)
        after = await self._snapshot(who, moment)
        turn = self._turn
        if turn is None:
            raise AssertionError("the dialogue told of no turn")
        return Outcome(
            does=tuple(_NAMES[type(intent)] for intent in turn.taken),
            logged=tuple(self._heard(turn, watch) for watch in _new(before.history, after.history)),
            removed=tuple(
                turn.film(film_id).label for film_id in _films(before.history) if film_id not in _films(after.history)
            ),
            asked=turn.asked_anew,
            choices=tuple(self._labels(turn, question.choices) for question in turn.questions),
            films=tuple(found for intent in turn.taken for found in _named(turn, intent)),
            places=tuple(dict.fromkeys(place for intent in turn.taken for place in _places(intent, len(shown)))),
            wish=_wish(turn, turn.taken),
            set={
                intent.setting.value: _kept(turn, intent) for intent in turn.taken if isinstance(intent, meant.Adjust)
            },
            shown=self._labels(turn, shown),
            reply=reply,
            milliseconds=took,
        )

    async def _say(self, who: str, line: str, moment: datetime, language: str) -> str:
        origin = Origin(Identity("examined", "", who), Place("examined", "", who), uuid.uuid4().hex, moment, language)
        return (await self._dialogue.handle(Text(origin, line))).text

    async def _snapshot(self, who: str, moment: datetime) -> Snapshot:
        key = MessageKey("examined", "", uuid.uuid4().hex)
        return await self._store.read(IdentityKey("examined", "", who), PlaceKey("examined", "", who, ""), key, moment)

    @staticmethod
    def _shown(snapshot: Snapshot) -> tuple[int, ...]:
        if listed := from_payload(snapshot.context).listed:
            return listed
        return tuple(pick.film_id for pick in snapshot.last_slate.picks) if snapshot.last_slate else ()

    @staticmethod
    def _labels(turn: Turn, film_ids: Iterable[int]) -> tuple[str, ...]:
        return tuple(turn.film(film_id).label for film_id in film_ids)

    @staticmethod
    def _heard(turn: Turn, watch: Watch) -> HeardWatch:
        form = _PERIODS.get(watch.precision)
        return HeardWatch(
            film=turn.film(watch.film_id).label,
            when=watch.watched_on.strftime(form) if watch.watched_on and form else None,
            rating=watch.rating,
            reaction=watch.reaction,
            how=None if watch.state.value == "finished" else watch.state.value,
        )


def _films(history: Sequence[Watch]) -> dict[int, None]:
    return dict.fromkeys(watch.film_id for watch in history)


def _new(before: Sequence[Watch], after: Sequence[Watch]) -> list[Watch]:
    """The watches that were not there, or not as they are now, in the order in which they were told."""

    def told(watch: Watch) -> tuple[object, ...]:
        return (watch.film_id, watch.watched_on, watch.precision, watch.rating, watch.reaction, watch.state)

    known = {told(watch) for watch in before}
    return sorted((watch for watch in after if told(watch) not in known), key=lambda watch: watch.watch_id)


def _named(turn: Turn, intent: meant.Intent) -> list[tuple[str, ...]]:
    """The films that an intent names, or means by “it”, apart from watches and wishes."""
    typed: str | None
    match intent:
        case meant.Why(film=typed) | meant.Dismiss(film=typed) | meant.Want(film=typed) | meant.Unwant(film=typed):
            pass
        case meant.History(search=typed) | meant.Watchlist(search=typed):
            pass
        case meant.Remove(film=typed) | meant.NotAWatch(film=typed) | meant.BareTitle(text=typed):
            pass
        case _:
            return []
    if typed:
        return _linked(turn, (typed,))
    points = isinstance(intent, meant.Want | meant.Unwant | meant.Dismiss) or (
        isinstance(intent, meant.History) and intent.it
    )
    return [(turn.film(film_id).label,) for film_id in turn.context.in_mind] if points else []


def _linked(turn: Turn, typed: Iterable[str]) -> list[tuple[str, ...]]:
    return [
        tuple(turn.film(match.film_id).label for match in link.matches[: 1 if link.certainty is Certainty.CLEAR else 5])
        for text in typed
        for link in turn.link_all(text)
    ]


def _places(intent: meant.Intent, listed: int) -> tuple[int, ...]:
    match intent:
        case meant.Recommend(wish=wish):
            return wish.like_places
        case meant.Dismiss() | meant.Want() | meant.Unwant() if listed == 1 and not (intent.places or intent.film):
            return (1,)
        case meant.Dismiss() | meant.Want() | meant.Unwant():
            return tuple(range(1, listed + 1)) if intent.every and not intent.places else intent.places
        case meant.Why():
            every = not intent.places and intent.film is None
            return tuple(range(1, listed + 1)) if every else intent.places
    return ()


def _kept(turn: Turn, intent: meant.Adjust) -> str:
    """What a setting was set to, as far as it was: the words otherwise."""
    value = getattr(turn.preferences, intent.setting.value)
    if intent.setting is meant.Setting.ADVENTUROUSNESS and value is not None:
        return "more" if value > turn.usual.adventurousness else "less"
    return {True: "on", False: "off"}.get(value, str(value)) if value is not None else intent.value


def _wish(turn: Turn, intents: Sequence[meant.Intent]) -> dict[str, Any]:
    """The wish in the words of the cases, of more films their number; what was not said is not there."""
    counts = [intent.count for intent in intents if isinstance(intent, meant.More) and intent.count]
    told: dict[str, Any] = {"count": counts[-1]} if counts else {}
    for wish in (intent.wish for intent in intents if isinstance(intent, meant.Recommend)):
        shown = turn.shown.request.get("like") if turn.shown and wish.like_it else None
        in_mind = [Listener._labels(turn, [film_id]) for film_id in shown] if isinstance(shown, list) else []
        asked = people_of(wish, turn.engine.people, turn.engine.catalog, turn.phrases)
        told |= {
            name: value
            for name, value in {
                "count": wish.count,
                "like": _linked(turn, wish.like) + in_mind,
                "unlike": _linked(turn, asked.wish.without_films),
                "genres": sorted(wish.genres),
                "without_genres": sorted(wish.without_genres),
                "years": None if wish.years == (None, None) else list(wish.years),
                "era": None if wish.recent is None else "recent",
                "adventurous": _adventurous(turn, wish.adventurousness),
                "tags": list(asked.wish.words),
                "without": list(wish.unwanted),
                "people": [*wish.names, *asked.names],
                "cannot": sorted(wish.unanswerable),
            }.items()
            if value not in (None, [])
        }
    return told


def _adventurous(turn: Turn, value: float | None) -> str | None:
    if value is None:
        return None
    return "more" if value > turn.usual.adventurousness else "less"
