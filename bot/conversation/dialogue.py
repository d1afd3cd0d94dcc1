"""The conversation: a message in, a reply out. `Dialogue.handle` is all that platforms call.

Reads what is known, understands, acts, keeps all changes of the message in one transaction, and only then replies: what
a reply confirms is kept. Knows no platform. No exception text and nothing that people said reaches a log line.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from cachetools import TTLCache

from bot.conversation.action import Action, Verb
from bot.conversation.adjusting import adjust, settings
from bot.conversation.asking import put_question
from bot.conversation.cards import film_card
from bot.conversation.context import Context, Question, from_payload
from bot.conversation.finding import log_found
from bot.conversation.grouping import MAX_TOGETHER, ballot_reply, recommend_together
from bot.conversation.importing import counted, import_files
from bot.conversation.intents import (
    Adjust,
    AdjustPlace,
    Answer,
    Asked,
    BareTitle,
    Dismiss,
    Export,
    Forget,
    Greeting,
    Help,
    History,
    Import,
    Intent,
    LinkAccounts,
    LogFound,
    LogWatches,
    Meant,
    More,
    NotAWatch,
    NotUnderstood,
    Privacy,
    React,
    Recommend,
    Remove,
    Seen,
    Settings,
    Situation,
    Thanks,
    Together,
    Undo,
    UnlinkAccount,
    Unread,
    Unwant,
    Want,
    Watchlist,
    Why,
)
from bot.conversation.linking import MAX_CODE, link, unlink, without_code
from bot.conversation.message import Command, Complete, Message, Origin, Press, Text
from bot.conversation.people import words_of_wishes
from bot.conversation.phrases import language_of, phrases_for, say_for, spoken_languages
from bot.conversation.placing import adjust_place
from bot.conversation.pressing import (
    BALLOT_VERBS,
    SLATE_VERBS,
    is_well_formed,
    press,
    pressed,
    shown_again,
    slate_of,
)
from bot.conversation.privacy import export, export_file, privacy, without_file
from bot.conversation.recalling import (
    forget,
    history,
    is_last_change_in_mind,
    remove,
    take_back,
)
from bot.conversation.recommending import dismiss, is_title, more, recommend, why
from bot.conversation.reply import Reply, Visibility, from_json, to_json
from bot.conversation.spotting import Known
from bot.conversation.tagging import compact_tags_of
from bot.conversation.telling import shown_title
from bot.conversation.turn import Fetched, Habits, Kept, KeptSlate, Turn
from bot.conversation.understand import cleaned, spoken, understand, understand_command
from bot.conversation.wanting import is_title as is_wanted_title
from bot.conversation.wanting import more_wanted, unwant, want, want_instead, watchlist
from bot.conversation.watching import (
    answer,
    bare_title,
    log_watches,
    meant,
    not_a_watch,
    not_understood,
    react,
    seen,
)
from bot.slates import Slates
from engine.films import Film
from engine.recommender import Recommender
from engine.requests import Member, Request, Slate
from storage.errors import BusyError, ConflictError, StorageError
from storage.ids import code_hash, new_id
from storage.limits import WINDOW_SECONDS, RateLimits
from storage.records import (
    IdentityKey,
    MessageId,
    MessageKey,
    PlaceKey,
    ShownSlate,
    SlateId,
    Snapshot,
)
from storage.store import Store

_log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 6
"""Times that a message is answered anew because something else changed meanwhile."""

MAX_COMPLETIONS = 25
"""Films that type-ahead offers; what the strictest platform allows."""

_RECENT = 10
"""Watches told last that a message may be about."""
_ACTING_THREADS = 16
"""Messages that are acted on at the same time in this process; most of them wait for one another at the processor."""

_PLACES = 10_000
"""Places of which it is remembered that people were told to slow down there."""

_STARTS_ANEW = (LogWatches, More, Undo, Forget, Remove)
_ANSWERED_AT_ONCE = frozenset({Asked.FORGET, Asked.LINK, Asked.UNLINK})
"""Questions that end with whatever else is said: a later “yes” must not be theirs."""


@dataclass(frozen=True, slots=True)
class _Answering:
    """What answers a message, from its beginning to its end."""

    recommender: Recommender
    slates: Slates | None


class Dialogue:
    """One conversation for all people and places; stateless beside the store, so that any process may answer."""

    def __init__(
        self,
        store: Store,
        recommender: Recommender,
        *,
        slates: Slates | None = None,
        limits: RateLimits | None = None,
        zone: tzinfo | None = None,
        slate_size: int = 5,
        adventurousness: float = 0.3,
        diversity: float = 0.3,
        context_minutes: int = 60,
        kept: Kept | None = None,
        heard: Callable[[Turn], None] | None = None,
    ) -> None:
        """`slates` keeps what was computed, `limits` counts messages; `zone` is for people whose platform tells none
        (None: the server's); a context lasts `context_minutes`; `kept` is how long other things are kept, as people are
        told (None: for ever); `heard` is told what each message was taken for, by those who examine the conversation.
        `close` it: it has threads of its own."""
        self._store = store
        self._answering = _Answering(recommender, slates)
        self._limits = limits
        self._zone = zone
        self._habits = Habits(slate_size, adventurousness, diversity)
        self._context_minutes = context_minutes
        self._kept = kept or Kept()
        self._heard = heard
        # Messages of one person are answered one after the other; other processes are told apart by the version.
        self._turns: WeakValueDictionary[IdentityKey, asyncio.Lock] = WeakValueDictionary()
        # Where people were told to slow down within the last minute.
        self._slowed: TTLCache[PlaceKey, None] = TTLCache(_PLACES, WINDOW_SECONDS)
        # Acting may wait for a slate, which is computed in other threads: or all might wait and none compute.
        self._acting = ThreadPoolExecutor(_ACTING_THREADS, thread_name_prefix="acting")

    @property
    def recommender(self) -> Recommender:
        """The recommender that answers."""
        return self._answering.recommender

    def use(self, recommender: Recommender, slates: Slates | None) -> None:
        """Answer with another recommender from the next message on; those being answered go on with the old one."""
        self._answering = _Answering(recommender, slates)

    async def warm_up(self) -> None:
        """Load all that is else loaded at the first message of its kind, when many may wait for it at once."""
        await asyncio.to_thread(_warmed_up, self.recommender)

    def close(self) -> None:
        """Give the threads back."""
        self._acting.shutdown(wait=False)

    async def handle(self, message: Message) -> Reply:
        """Answer a message; never raises for what goes wrong in answering it.

        A message that changed anything is handled once: the same event id gets the same reply again.
        """
        started = time.perf_counter()
        say = say_for(language_of(message.origin.locale))
        try:
            reply = await self._answered(message)
        except BusyError as error:
            return _apology(message, say("busy", id=_logged(error, message, error.detail)))
        except StorageError as error:
            number = _logged(error, message, error.detail)
            return _apology(message, say("storage", sentence=str(error), id=number))
        except Exception as error:  # noqa: BLE001 - whatever breaks, a person gets a sentence and the log gets the place
            return _apology(message, say("failed", id=_logged(error, message, "")))
        _log.debug(
            "answered",
            kind=type(message).__name__,
            platform=message.origin.identity.platform,
            milliseconds=round(1000 * (time.perf_counter() - started), 1),
        )
        return reply

    async def _answered(self, message: Message) -> Reply:
        if isinstance(message, Complete):
            return await asyncio.to_thread(self._completed, message)
        origin = message.origin
        identity = IdentityKey(origin.identity.platform, origin.identity.workspace, origin.identity.user)
        if self._limits:
            place = PlaceKey(origin.place.platform, origin.place.workspace, origin.place.channel, origin.place.thread)
            if seconds := await self._limits.wait_for(identity, place):
                return self._slowed_down(message, place, seconds)
        turn = self._turns.setdefault(identity, asyncio.Lock())
        async with turn:
            for _ in range(MAX_ATTEMPTS - 1):
                try:
                    return await self._once(message, identity)
                except ConflictError:
                    continue
            return await self._once(message, identity)

    def _slowed_down(self, message: Text | Command | Press, place: PlaceKey, seconds: float) -> Reply:
        """That it is too much; to what was typed once a minute in a place, and nothing to the rest of it."""
        if isinstance(message, Text):
            if place in self._slowed:
                return Reply("")
            self._slowed[place] = None
        say = say_for(language_of(message.origin.locale))
        return _apology(message, say("slow-down", seconds=math.ceil(seconds)))

    async def _once(self, message: Text | Command | Press, identity: IdentityKey) -> Reply:
        """Read, act, keep; ConflictError when something else changed what was read."""
        answering = self._answering
        origin = message.origin
        place = PlaceKey(origin.place.platform, origin.place.workspace, origin.place.channel, origin.place.thread)
        key = MessageKey(origin.place.platform, origin.place.workspace, origin.event_id)
        snapshot = await self._store.read(identity, place, key, origin.moment)
        language = language_of(snapshot.preferences.locale or origin.locale)
        if snapshot.earlier_reply is not None:
            return _earlier(snapshot.earlier_reply, language)
        moment = origin.moment.astimezone(self._zone_of(origin, snapshot))
        context = from_payload(snapshot.context)
        intents, spoken_in = await asyncio.to_thread(
            _intents, message, snapshot, context, language, answering.recommender
        )
        fetched = await self._fetched(message, intents, snapshot, context, identity)
        loop = asyncio.get_running_loop()
        kept_slate = _kept_slate(loop, answering.slates, snapshot)
        acting = partial(self._acted, message, intents, snapshot, fetched, context, moment, spoken_in)
        turn = await loop.run_in_executor(self._acting, acting, answering.recommender, kept_slate)
        if self._heard:
            self._heard(turn)
        reply = turn.reply()
        if isinstance(message, Press):
            reply = pressed(turn, message.action, message.reply_id, reply)
        if turn.erase:
            person = await self._store.erase(identity, key, moment)
            if answering.slates and person is not None:
                await answering.slates.forget(person)
            if person is None or await self._store.wipe():
                return reply
            return replace(reply, text=f"{reply.text}\n{turn.say('traces-left')}")
        changes = list(turn.changes)
        aside = isinstance(message, Command) and message.aside
        if not aside and (about := turn.context_change(self._context_minutes)):
            changes.append(about)
        if not changes:
            return await self._with_file(reply, turn, identity)
        kept = to_json(without_code(turn, without_file(turn, reply) if turn.export else reply))
        applied = await self._store.apply(
            identity, place, key, turn.message_id, changes, kept, turn.moment, expected_version=snapshot.version
        )
        if applied.earlier_reply is not None:
            return _earlier(applied.earlier_reply, language)
        return await self._finished(reply, turn, identity)

    async def _finished(self, reply: Reply, turn: Turn, identity: IdentityKey) -> Reply:
        """The reply to changes that are kept, with what is only known now; they are confirmed whatever happens here."""
        try:
            if turn.imported and (changes := await self._store.message_changes(turn.message_id)):
                reply = counted(turn, turn.imported, reply, changes)
            if turn.ballot and (ballot := await self._store.ballot(turn.ballot)):
                # Others may have voted at the same moment: shown is how it stands now.
                reply = ballot_reply(turn, ballot, reply)
            return await self._with_file(reply, turn, identity)
        except StorageError as error:
            _log.warning("reply not completed", error=type(error).__name__, detail=error.detail)
            return replace(reply, text=f"{reply.text}\n{turn.say('export-failed')}") if turn.export else reply

    async def _with_file(self, reply: Reply, turn: Turn, identity: IdentityKey) -> Reply:
        """The reply with everything about the person, when that was asked for; the store never keeps that file."""
        known = await self._store.everything(identity) if turn.export else None
        if known is None:
            return reply
        file = await asyncio.to_thread(export_file, known, turn.engine.catalog, turn.moment)
        return replace(reply, files=(*reply.files, file))

    def _zone_of(self, origin: Origin, snapshot: Snapshot) -> tzinfo | None:
        """The zone that the platform tells, else the person's own, else the server's."""
        for name in (origin.time_zone, snapshot.preferences.time_zone):
            if zone := _known_zone(name):
                return zone
        return self._zone

    async def _fetched(
        self,
        message: Text | Command | Press,
        intents: tuple[Intent, ...],
        snapshot: Snapshot,
        context: Context,
        identity: IdentityKey,
    ) -> Fetched:
        """What the message refers to beyond the snapshot."""
        asked = context.questions[0] if context.questions else None
        fetched = Fetched(account=identity)
        code = next((intent.code for intent in intents if isinstance(intent, LinkAccounts)), "")
        hashed = code_hash(code) if 0 < len(code) <= MAX_CODE else ""
        if not code and asked and asked.asked is Asked.LINK:
            hashed = asked.typed
        if hashed:
            fetched = replace(fetched, offer=await self._store.link_offer(hashed, message.origin.moment))
        of_accounts = any(isinstance(intent, UnlinkAccount | Forget) for intent in intents)
        if snapshot.person is not None and (of_accounts or (asked and asked.asked is Asked.UNLINK)):
            fetched = replace(fetched, accounts=await self._store.accounts(snapshot.person))
        if any(isinstance(intent, Privacy) for intent in intents):
            fetched = replace(fetched, everything=await self._store.everything(identity))
        if isinstance(message, Press):
            return await self._fetched_of(message.action, snapshot, fetched)
        if any(isinstance(intent, Together) for intent in intents):
            accounts = [
                IdentityKey(one.identity.platform, one.identity.workspace, one.identity.user)
                for one in message.people[:MAX_TOGETHER]
            ]
            others = [account for account in dict.fromkeys(accounts) if account != identity]
            fetched = replace(fetched, companions=await self._store.companions(others))
        elif snapshot.last_slate and any(map(_goes_on, intents)):
            fetched = await self._with_companions(snapshot.last_slate, snapshot, fetched)
        if snapshot.person is not None and any(isinstance(intent, Undo) for intent in intents):
            last = await self._store.last_undoable(snapshot.person)
            return replace(fetched, undoable=None if last is None else await self._store.message_changes(last))
        return fetched

    async def _fetched_of(self, action: Action, snapshot: Snapshot, fetched: Fetched) -> Fetched:
        """What a button refers to: a slate, the vote on one, or what a message changed."""
        if not is_well_formed(action):
            return fetched
        if action.verb in BALLOT_VERBS:
            ballot = await self._store.ballot(SlateId(action.numbers[0]))
            fetched = replace(fetched, ballot=ballot)
            starts = action.verb is Verb.START and ballot and ballot.asker == snapshot.person
            return await self._with_companions(ballot.slate, snapshot, fetched) if ballot and starts else fetched
        if slate_id := slate_of(action):
            fetched = replace(fetched, slate=await self._store.slate(SlateId(slate_id)))
        if action.verb in SLATE_VERBS:
            ours = fetched.slate and fetched.slate[0] == snapshot.person and fetched.slate[1]
            return await self._with_companions(ours, snapshot, fetched) if ours else fetched
        return replace(fetched, undoable=await self._store.message_changes(MessageId(action.numbers[0])))

    async def _with_companions(self, slate: ShownSlate, snapshot: Snapshot, fetched: Fetched) -> Fetched:
        """What was fetched, with those whom a slate was for besides the person."""
        if not slate.members or snapshot.person is None:
            return fetched
        return replace(fetched, companions=await self._store.companions_of(slate, snapshot.person))

    def _acted(
        self,
        message: Text | Command | Press,
        intents: tuple[Intent, ...],
        snapshot: Snapshot,
        fetched: Fetched,
        context: Context,
        moment: datetime,
        language: str,
        recommender: Recommender,
        kept_slate: KeptSlate | None,
    ) -> Turn:
        """Everything that takes computing, without input or output."""
        turn = Turn(
            engine=recommender,
            habits=self._habits,
            phrases=phrases_for(language),
            say=say_for(language),
            language=language,
            snapshot=snapshot,
            fetched=fetched,
            context=context,
            moment=moment,
            message_id=MessageId(new_id()),
            kept_slate=kept_slate,
            kept=self._kept,
            files=() if isinstance(message, Press) else message.files,
            server_zone=self._zone,
            told_zone=message.origin.time_zone == str(moment.tzinfo),
            place=message.origin.place,
            administers=message.origin.administers,
            shows_buttons=message.origin.shows_buttons,
            people=() if isinstance(message, Press) else message.people,
        )
        if isinstance(message, Press):
            press(turn, message.action)
        for intent in intents:
            if turn.is_another:
                turn.tell("say-the-rest")
                break
            act(turn, intent)
        put_question(turn)
        own = snapshot.preferences.locale
        if language != language_of(own or message.origin.locale) and not (own or turn.preferences.locale):
            turn.hint("spoken-otherwise")
        return turn

    def _completed(self, message: Complete) -> Reply:
        """Type-ahead: the films that what is typed may become, as cards."""
        if message.field != "film":
            return Reply("")
        typed, recommender = cleaned(message.typed), self.recommender
        found = recommender.titles.complete(typed, MAX_COMPLETIONS) if typed else ()
        films: list[Film] = [film for f in found if (film := recommender.catalog.film(f))]
        return Reply("", cards=tuple(film_card(film) for film in films), visibility=Visibility.PRIVATE)


def _kept_slate(loop: asyncio.AbstractEventLoop, slates: Slates | None, snapshot: Snapshot) -> KeptSlate | None:
    """How a thread asks for the slate of a history as it is kept."""
    person = snapshot.person
    if slates is None or person is None:
        return None

    def ask(member: Member, request: Request) -> Slate:
        asking = slates.recommend(person, snapshot.history_version, member, request)
        return asyncio.run_coroutine_threadsafe(asking, loop).result()

    return ask


def _intents(
    message: Text | Command | Press, snapshot: Snapshot, context: Context, language: str, recommender: Recommender
) -> tuple[tuple[Intent, ...], str]:
    """What a message means, and the language that it is in."""
    question = context.questions[0] if context.questions else None
    told = [swapped.film_id for swapped in context.swaps]
    earlier = sorted(snapshot.history, key=lambda watch: watch.told_at)[-_RECENT:]
    recent = (*(watch.film_id for watch in earlier if watch.film_id not in told), *told)
    situation = Situation(
        asked=question.asked if question else None,
        choices=_choices(question) if question else 0,
        shown=len(context.listed) or (len(snapshot.last_slate.picks) if snapshot.last_slate else 0),
        film_in_mind=bool(context.in_mind),
        just_logged=any(swapped.film_id in context.in_mind for swapped in context.swaps),
        recent=tuple(film.title for film_id in recent if (film := recommender.catalog.film(film_id))),
        told=sum(recommender.catalog.film(film_id) is not None for film_id in told),
        watchlist=bool(context.listed),
    )
    match message:
        case Text():
            known = _known(recommender)
            language = spoken(message.text, situation, language, known)
            intents = understand(message.text, situation, language, known)
            if message.files and intents == (NotUnderstood(empty=True),):
                return (Import(),), language
        case Command():
            intents = understand_command(message.name, message.arguments, situation, language)
        case Press():
            return (), language
    return (tuple(map(_together, intents)) if message.people else intents), language


def _known(recommender: Recommender) -> Known:
    return Known(recommender.titles, words_of_wishes(compact_tags_of(recommender.catalog), recommender.people))


def _warmed_up(recommender: Recommender) -> None:
    """Do once in each language what messages do: read words, a day and a title, and choose films."""
    known = _known(recommender)
    for language in sorted(spoken_languages()):
        say_for(language)
        telling = phrases_for(language).telling
        understand("Alien 3/5/2019, Heat", Situation(), language, known)
        recommender.titles.told_by(telling).link("Alien")
    recommender.titles.complete("alien", 1)
    recommender.recommend([Member()], Request(count=1))


def _goes_on(intent: Intent) -> bool:
    """Whether an intent goes on with the wish of the slate shown last."""
    return isinstance(intent, More) or (isinstance(intent, Recommend) and intent.refines is not None)


def _together(intent: Intent) -> Intent:
    """A wish said where people are named is for them, too."""
    if not isinstance(intent, Recommend):
        return intent
    return Together(replace(intent.wish, unanswerable=tuple(w for w in intent.wish.unanswerable if w != "group")))


def _choices(question: Question) -> int:
    """How many choices a question has, beside “none of these”."""
    two = {Asked.WATCHED_OR_LIKE, Asked.ADD_FILM, Asked.LINK, Asked.UNLINK}
    return 2 if question.asked in two else len(question.choices)


def _known_zone(name: str | None) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        _log.warning("unknown time zone", zone=name[:40])
        return None


def _earlier(kept: str, language: str) -> Reply:
    """What was replied to the same message before; only that it was, when the reply is not kept any more."""
    return from_json(kept) if kept else Reply(say_for(language)("handled-before"), visibility=Visibility.PRIVATE)


def act(turn: Turn, intent: Intent) -> None:
    """Do what one intent means."""
    at_once = bool(turn.questions) and turn.questions[0].asked in _ANSWERED_AT_ONCE
    if not turn.asked_anew and (isinstance(intent, _STARTS_ANEW) or (at_once and not isinstance(intent, Answer))):
        turn.drop_questions()
    turn.taken.append(intent)
    match intent:
        case LogWatches():
            log_watches(turn, intent)
        case React():
            react(turn, intent)
        case Recommend():
            if intent.again and shown_again(turn):
                return
            title = is_title(turn, intent)
            if title:
                bare_title(turn, title)
            else:
                recommend(turn, intent)
        case Together():
            recommend_together(turn, intent)
        case LogFound():
            log_found(turn, intent)
        case Unread():
            turn.tell(f"unread-{intent.argument}", value=shown_title(intent.value))
        case AdjustPlace():
            adjust_place(turn, intent)
        case Why():
            why(turn, intent)
        case Seen():
            seen(turn, intent)
        case Dismiss():
            if intent.off and turn.listed:
                unwant(turn, Unwant(intent.places))
            elif intent.instead and want_instead(turn, intent.places):
                turn.take(Want(intent.places))
            else:
                dismiss(turn, intent)
        case More():
            if turn.listed:
                more_wanted(turn)
            else:
                more(turn, intent)
        case Undo():
            if intent.that and not is_last_change_in_mind(turn):
                dismiss(turn, Dismiss())
            else:
                take_back(turn)
        case History():
            history(turn, intent)
        case Remove():
            remove(turn, intent)
        case Watchlist():
            watchlist(turn, intent)
        case Want():
            title = is_wanted_title(turn, intent)
            if title:
                bare_title(turn, title)
            else:
                want(turn, intent)
        case Unwant():
            unwant(turn, intent)
        case Settings():
            settings(turn, intent)
        case Adjust():
            adjust(turn, intent)
        case Privacy():
            privacy(turn)
        case Export():
            export(turn)
        case Import():
            import_files(turn)
        case LinkAccounts():
            link(turn, intent)
        case UnlinkAccount():
            unlink(turn)
        case Meant():
            meant(turn, intent)
        case Forget():
            forget(turn)
        case Help(who=True):
            turn.tell("who")
        case Help():
            turn.tell("help")
            if not turn.shows_buttons:
                turn.tell("help-commands")
        case Greeting():
            turn.tell("greeting")
        case Thanks():
            turn.tell(intent.said.value)
        case Answer():
            answer(turn, intent)
        case NotAWatch():
            not_a_watch(turn, intent)
        case BareTitle():
            bare_title(turn, intent)
        case NotUnderstood():
            not_understood(turn, intent)


# When something goes wrong


def _apology(message: Message, sentence: str) -> Reply:
    """That something did not work: where it was typed for all to see, or else to the person alone."""
    return Reply(sentence, visibility=Visibility.PUBLIC if isinstance(message, Text) else Visibility.PRIVATE)


def _logged(error: Exception, message: Message, detail: str) -> str:
    """Log where it broke, under a short id that the person is told too; never what was said."""
    number = secrets.token_hex(3)
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    _log.error(
        "message failed",
        id=number,
        kind=type(message).__name__,
        platform=message.origin.identity.platform,
        error=type(error).__name__,
        detail=detail,
        where=[f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    )
    return number
