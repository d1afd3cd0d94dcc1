"""What the store should know, worked out plainly: every message and all that was ever said is kept in lists, and what
holds now is worked out anew from them each time it is asked for.

A message is in force unless the one that last undid it is. A watch is there when the message that told of it is in
force and none that removed it is; of its state, rating and reaction holds what a message in force said last. Opinions
likewise; of settings in force the last holds. A film of one's own counts when the message that added it is in force, or
a watch or an opinion that is there is about it. Knows no SQL.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from storage.changes import (
    AddFilm,
    Change,
    GiveFeedback,
    JoinPerson,
    LeavePerson,
    LogWatch,
    OfferLink,
    RateWatch,
    RemoveWatch,
    SetPreference,
    TakeBackFeedback,
    UndoMessage,
)
from storage.ids import code_hash
from storage.records import FeedbackKind, MessageId, MessageKey, Precision, Preference, Visibility, WatchId, WatchState

_serial = itertools.count()


@dataclass(eq=False)
class Told:
    """A message."""

    message_id: MessageId
    key: MessageKey
    reply: str
    moment: datetime
    undone_by: Told | None = None
    undoable: bool = False
    serial: int = field(default_factory=_serial.__next__)

    @property
    def in_force(self) -> bool:
        return self.undone_by is None or not self.undone_by.in_force


@dataclass(frozen=True)
class Said:
    """What a message said of a watch; None for what it did not."""

    by: Told
    state: WatchState | None
    rating: float | None
    reaction: str | None


@dataclass(eq=False)
class Seen:
    """A watch, with all that was ever said of it."""

    told: Told
    film_id: int
    watched_on: date | None
    precision: Precision
    sorted_on: date
    told_at: datetime
    position: int
    source: str
    source_key: str | None
    said: list[Said]
    removed_by: list[Told] = field(default_factory=list)
    watch_id: WatchId | None = None
    """The store's, once it is known."""
    serial: int = field(default_factory=_serial.__next__)

    @property
    def there(self) -> bool:
        return self.told.in_force and not any(message.in_force for message in self.removed_by)

    @property
    def now(self) -> Said:
        """What was said last of each thing, by messages in force."""
        in_force = [said for said in self.said if said.by.in_force]
        return Said(
            in_force[-1].by,
            next((said.state for said in reversed(in_force) if said.state is not None), None),
            next((said.rating for said in reversed(in_force) if said.rating is not None), None),
            next((said.reaction for said in reversed(in_force) if said.reaction is not None), None),
        )

    def is_same_day(self, other: Seen) -> bool:
        """Whether they are one watch by their day."""
        rewatch = WatchState.REWATCH in (self.now.state, other.now.state)
        return not rewatch and self._day == other._day

    @property
    def _day(self) -> tuple[int, Precision, date]:
        return (self.film_id, self.precision, self.sorted_on)

    def is_same_entry(self, other: Seen) -> bool:
        """Whether they are one watch by the entry of a file, one's own exports included."""
        if self.source_key is not None and self.source_key == other.source_key:
            return self.source == other.source or self.source_key.startswith("nextreel:")
        return f"nextreel:{self.watch_id}" == other.source_key or f"nextreel:{other.watch_id}" == self.source_key

    def shown(self) -> tuple[object, ...]:
        """All of it that a reader sees."""
        return (
            self.watch_id,
            self.film_id,
            self.watched_on,
            self.precision,
            self.now.state,
            self.now.rating,
            self.now.reaction,
            self.source,
            self.source_key,
            self.told_at,
            self.told.message_id,
            self.sorted_on,
        )


@dataclass(eq=False)
class Opinion:
    """What was said about a film without watching it."""

    given: Told
    film_id: int
    kind: FeedbackKind
    taken_back: list[Told] = field(default_factory=list)
    serial: int = field(default_factory=_serial.__next__)

    @property
    def there(self) -> bool:
        return self.given.in_force and not any(message.in_force for message in self.taken_back)


@dataclass(eq=False)
class Set:
    """A setting that was made."""

    by: Told
    name: Preference
    value: object
    serial: int = field(default_factory=_serial.__next__)


@dataclass(eq=False)
class Person:
    """Everything about somebody."""

    version: int = 0
    history_version: int = 0
    messages: list[Told] = field(default_factory=list)
    watches: list[Seen] = field(default_factory=list)
    entries: list[tuple[Told, tuple[str, str]]] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)
    settings: list[Set] = field(default_factory=list)
    films: dict[int, Told] = field(default_factory=dict)
    """The films of their own, with the message that added each."""
    code: tuple[str, datetime] | None = None

    def history(self) -> list[Seen]:
        """The watches, in order."""
        there = [seen for seen in self.watches if seen.there]
        return sorted(there, key=lambda seen: (seen.sorted_on, seen.told_at, seen.position, seen.watch_id))

    def about(self, kind: FeedbackKind) -> list[int]:
        """The films of such opinions, in the order in which they were given."""
        return list(dict.fromkeys(one.film_id for one in self.opinions if one.there and one.kind is kind))

    def added(self) -> set[int]:
        """The films of their own that count."""
        named = {one.film_id for one in (*self.watches, *self.opinions) if one.there}
        return {film_id for film_id, told in self.films.items() if told.in_force or film_id in named}

    def preferences(self) -> dict[Preference, object]:
        """The settings that hold."""
        return {one.name: one.value for one in self.settings if one.by.in_force}

    def last_undoable(self) -> Told | None:
        """The message that “undo” takes back."""
        return next((told for told in reversed(self.messages) if told.undoable and told.in_force), None)

    def undoing(self) -> list[Told]:
        """The messages that undid others."""
        return [told for told in self.messages if any(other.undone_by is told for other in self.messages)]

    def shown(self) -> tuple[object, ...]:
        """All that recommendations depend on."""
        return ([seen.shown() for seen in self.history()], *(self.about(kind) for kind in FeedbackKind))


@dataclass
class Did:
    """What a message did."""

    logged: list[Seen]
    rated: list[Seen]
    removed: list[Seen]
    given: list[tuple[int, FeedbackKind]]
    taken_back: list[tuple[int, FeedbackKind]]
    settings: list[tuple[Preference, object]]
    undid: list[MessageId]


class World:
    """All persons, by the names of their accounts."""

    def __init__(self, accounts: Sequence[str]) -> None:
        self.persons: dict[str, Person | None] = dict.fromkeys(accounts)
        self.erased: set[MessageKey] = set()

    def everybody(self) -> list[Person]:
        """Every person once."""
        return list(dict.fromkeys(person for person in self.persons.values() if person))

    def accounts(self, person: Person) -> list[str]:
        """The accounts of a person."""
        return [name for name, other in self.persons.items() if other is person]

    def earlier_reply(self, key: MessageKey, account: str) -> str | None:
        """The reply to a message that was handled before; empty when it was erased, or was somebody else's."""
        whose = {told.key: (person, told.reply) for person in self.everybody() for told in person.messages}
        if key in whose:
            person, reply = whose[key]
            return reply if person is self.persons[account] else ""
        return "" if key in self.erased else None

    def tell(self, account: str, told: Told, changes: Sequence[Change]) -> None:
        """Handle a message that has not been handled before; all of it can be done."""
        person = self.persons[account] or Person()
        self.persons[account] = person
        person.version += 1
        person.messages.append(told)
        changed = False
        for position, change in enumerate(changes):
            if isinstance(change, LeavePerson):
                person.messages.remove(told)
                person = self.persons[account] = Person(version=1, messages=[told])
            elif isinstance(change, JoinPerson):
                self._join(person, told, change.code_hash)
                changed = True
            else:
                changed |= _change(person, told, change, position)
        if changed:
            person.history_version = told.message_id

    def offered_by(self, hashed: str, moment: datetime) -> Person | None:
        """Who offered the code of that hash, if it works."""
        offers = (person for person in self.everybody() if person.code and code_hash(person.code[0]) == hashed)
        return next((person for person in offers if person.code and person.code[1] > moment), None)

    def erase(self, account: str, key: MessageKey, moment: datetime) -> None:
        """Forget a person but for the keys of what may be delivered again."""
        person = self.persons[account]
        if person is not None:
            recent = {told.key for told in person.messages if told.moment > moment - timedelta(days=1)}
            self.erased |= recent | {key}
            self.persons.update(dict.fromkeys(self.accounts(person)))

    def did(self, told: Told) -> Did:
        """What a message did."""
        watches = [seen for person in self.everybody() for seen in person.watches]
        opinions = [one for person in self.everybody() for one in person.opinions]
        settings = [one for person in self.everybody() for one in person.settings]
        messages = [one for person in self.everybody() for one in person.messages]
        return Did(
            logged=[seen for seen in watches if seen.told is told],
            rated=[seen for seen in watches if seen.told is not told and any(s.by is told for s in seen.said)],
            removed=[seen for seen in watches if told in seen.removed_by],
            given=list(dict.fromkeys((one.film_id, one.kind) for one in opinions if one.given is told)),
            taken_back=[(one.film_id, one.kind) for one in opinions if told in one.taken_back],
            settings=[(one.name, one.value) for one in settings if one.by is told],
            undid=[one.message_id for one in messages if one.undone_by is told],
        )

    def _join(self, person: Person, told: Told, hashed: str) -> None:
        other = self.offered_by(hashed, told.moment)
        assert other is not None
        assert other is not person
        ours = person.history()
        for theirs in [seen for seen in other.watches if seen.there]:
            same_day = (seen for seen in ours if seen.is_same_day(theirs))
            same_entry = (seen for seen in ours if seen.is_same_entry(theirs))
            if (kept := next(itertools.chain(same_day, same_entry), None)) is not None:
                theirs.removed_by.append(kept.told)
                before = kept.now
                for said in [said for said in theirs.said if said.by.in_force]:
                    rating = said.rating if before.rating is None else None
                    _say(said.by, kept, None, rating, said.reaction if before.reaction is None else None)
        person.watches = sorted(person.watches + other.watches, key=lambda one: one.serial)
        person.opinions = sorted(person.opinions + other.opinions, key=lambda one: one.serial)
        both = person.preferences(), other.preferences()
        person.settings = sorted(person.settings + other.settings, key=lambda one: one.serial)
        if len({bool(values.get(Preference.GROUP_OPT_IN)) for values in both}) == 2:
            person.settings.append(Set(told, Preference.GROUP_OPT_IN, False))
        if len({values.get(Preference.VISIBILITY) == Visibility.PRIVATE for values in both}) == 2:
            person.settings.append(Set(told, Preference.VISIBILITY, Visibility.PRIVATE))
        person.entries += other.entries
        person.messages.remove(told)
        in_order = sorted([*person.messages, *other.messages], key=lambda one: one.moment)
        person.messages = [*in_order, told]
        person.films |= other.films
        person.version += other.version
        person.code = None
        for name in self.accounts(other):
            self.persons[name] = person


def _change(person: Person, told: Told, change: Change, position: int) -> bool:
    """Whether the history or the feedback are others now."""
    watches = {seen.watch_id: seen for seen in person.watches}
    match change:
        case LogWatch():
            new = _log(person, told, change, position)
        case RateWatch():
            new = _say(told, watches[change.watch_id], None, change.rating, change.reaction)
        case RemoveWatch():
            watches[change.watch_id].removed_by.append(told)
            new = True
        case GiveFeedback():
            new = change.film_id not in person.about(change.kind)
            if new:
                person.opinions.append(Opinion(told, change.film_id, change.kind))
        case TakeBackFeedback():
            there = [one for one in person.opinions if one.there and one.kind is change.kind]
            there = [one for one in there if one.film_id == change.film_id]
            for one in there:
                one.taken_back.append(told)
            new = bool(there)
        case UndoMessage():
            return _undo(person, told, change.message_id)
        case SetPreference():
            if person.preferences().get(change.name) != change.value:
                person.settings.append(Set(told, change.name, change.value))
                told.undoable = True
            return False
        case AddFilm():
            if not (added := person.films.get(change.film.film_id)) or not added.in_force:
                person.films[change.film.film_id] = told
            return False
        case OfferLink():
            person.code = (change.code, change.expires_at)
            return False
        case _:
            return False
    told.undoable |= new
    return new


def _log(person: Person, told: Told, change: LogWatch, position: int) -> bool:
    if change.source_key is not None:
        if _is_taken(person, change.source, change.source_key):
            return False
        person.entries.append((told, (change.source, change.source_key)))
    watched_on = change.watched_on
    if watched_on and change.precision is Precision.MONTH:
        watched_on = date(watched_on.year, watched_on.month, 1)
    if watched_on and change.precision is Precision.YEAR:
        watched_on = date(watched_on.year, 1, 1)
    told_at = change.told_at or told.moment
    seen = Seen(
        told,
        change.film_id,
        watched_on,
        change.precision,
        watched_on or change.told_on or told_at.date(),
        told_at,
        position,
        change.source,
        change.source_key,
        [Said(told, change.state, change.rating, change.reaction)],
    )
    for known in person.watches:
        if known.there and known.is_same_day(seen):
            if change.source_key is None:
                return _say(told, known, change.state, change.rating, change.reaction)
            rating = change.rating if known.now.rating is None else None
            return _say(told, known, None, rating, change.reaction if known.now.reaction is None else None)
    person.watches.append(seen)
    return True


def _is_taken(person: Person, source: str, key: str) -> bool:
    own = re.fullmatch(r"nextreel:(\d+)", key)
    if own and any(seen.watch_id == int(own[1]) and seen.told.in_force for seen in person.watches):
        return True
    return any(told.in_force and (source, key) == entry for told, entry in person.entries)


def _say(told: Told, seen: Seen, state: WatchState | None, rating: float | None, reaction: str | None) -> bool:
    before = seen.now
    new = Said(
        told,
        None if state is before.state else state,
        None if rating == before.rating else rating,
        None if reaction == before.reaction else reaction,
    )
    if new == Said(told, None, None, None):
        return False
    seen.said.append(new)
    return True


def _undo(person: Person, told: Told, message_id: MessageId) -> bool:
    shown = person.shown()
    before = [seen for seen in person.watches if seen.there]
    (target,) = [message for message in person.messages if message.message_id == message_id]
    target.undone_by = told
    there = [seen for seen in before if seen.there]
    for seen in [seen for seen in person.watches if seen.there and seen not in before]:
        if any(seen.is_same_day(other) or _is_same_key(seen, other) for other in there):
            seen.removed_by.append(told)
        else:
            there.append(seen)
    return person.shown() != shown


def _is_same_key(one: Seen, other: Seen) -> bool:
    return one.source_key is not None and (one.source, one.source_key) == (other.source, other.source_key)
