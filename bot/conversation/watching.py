"""Acting on what was watched: log it, ask which film, take answers, note what was thought of it.

Knows titles and watches; a film is logged without a question only when its title is clear (DESIGN, “The conversation”).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.conversation.action import Verb
from bot.conversation.adding import added, ask_to_add, may_be_added
from bot.conversation.cards import choice
from bot.conversation.context import Details, Question, Swap
from bot.conversation.dates import Exactness, day_of
from bot.conversation.intents import (
    Answer,
    AnswerKind,
    Asked,
    BareTitle,
    LogWatches,
    Meant,
    NotAWatch,
    NotUnderstood,
    NotWatched,
    React,
    Reaction,
    Seen,
    State,
)
from bot.conversation.linking import answer_link, answer_unlink
from bot.conversation.phrases import key_of, number_of
from bot.conversation.ratings import MAX_STARS
from bot.conversation.recommending import EXACT, places_of, recommend_like, shown_films
from bot.conversation.telling import (
    day_in_words,
    details_in_words,
    genres_in_words,
    opinion_in_words,
    people_in_words,
    shown_title,
)
from bot.conversation.turn import Turn, details_of, log_of
from bot.conversation.wanting import want_films
from engine.films import Film
from engine.names import loose_key, loose_words
from engine.people import Person, Role
from engine.titles import Certainty, Link
from storage.changes import LogWatch, RateWatch, RemoveWatch
from storage.records import FeedbackKind, Watch

_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]{1,200})[\"“”„«»]")
_NUMERAL = re.compile(r"(?:part\s+)?(?:[ivx]{1,5}|\d{1,2})", re.IGNORECASE)
_ANSWER_WORDS = 4
"""Words up to which what answers nothing is taken for an answer that was not understood."""
_TITLE_LIKE = 0.8
"""Similarity from which a message of nothing but words may be a title."""
_NEAR_TITLE = 0.83
"""The same for a name that was not typed quite so."""
_NAMED_CAST = 3
"""Actors of a film that are named."""
_MAX_NAMED = 5
"""Films of a name that is near to what was typed, at most."""


def log_watches(turn: Turn, intent: LogWatches) -> None:
    """Log the clear films at once and ask about the others, one after the other."""
    details = Details(state=intent.state, rating=intent.rating, reaction=intent.reaction)
    films, when = intent.films, intent.when
    if not films:
        turn.tell("command-needs-film")
        return
    named = _longer_title(turn, intent)
    if named and not _is_list(turn, films):
        # “Black Friday” is a film; what looked like a day was part of its name.
        rest = intent.whole.partition(named)[2].strip(" ,.!")
        films, when = named, rest if key_of(rest) in turn.phrases.days else None
        state = State.FINISHED if details.state is State.REWATCH else details.state  # “You Again”
        details = replace(details, rating=None, state=state)
    if when:
        said = day_of(_beside(turn, when), turn.moment, turn.phrases, turn.language)
        details = replace(details, day=said.day, exactness=said.exactness)
        if said.in_future:
            turn.hint("future-date")
    sure: list[Link] = []
    unknown: list[str] = []
    for link in links_of(turn, films):
        if link.certainty is Certainty.CLEAR and not _in_doubt(intent, link, turn):
            sure.append(link)
        elif link.matches:
            turn.ask(_question(turn, link, details))
        else:
            unknown.append(link.text)
    film_ids = [int(link.matches[0].film_id) for link in sure]
    if intent.opinion:
        film_ids = _rate_known(turn, film_ids, details)
    log_films(turn, film_ids, details)
    for link in sure:
        if link.runner_up is not None and any(log.film_id == link.matches[0].film_id for log in turn.logged):
            _show_runner_up(turn, int(link.matches[0].film_id), int(link.runner_up))
    ask_to_add(turn, unknown, details)


def _beside(turn: Turn, when: str) -> str:
    """“The day after” with the day of the watch told last, which it is told by."""
    last = max(turn.history, key=lambda watch: watch.told_at, default=None)
    if key_of(when) not in turn.phrases.days_beside or last is None or last.watched_on is None:
        return when
    return f"{when} {last.watched_on.isoformat()}"


def _longer_title(turn: Turn, intent: LogWatches) -> str | None:
    """The title that goes on into what looked like a day or a mark, wholly or by a word or two; else None.

    A number stays with the day: “Jaws two years ago” is not Jaws 2.
    """
    whole, films = intent.whole, intent.films
    words = [word for word in whole.partition(films)[2].split() if any(map(str.isalnum, word))]

    def numeral(word: str) -> bool:
        return number_of(word.casefold(), turn.phrases.numbers) is not None

    ends = [
        " ".join((films, *words[:count])) for count in (2, 1) if count < len(words) and not numeral(words[count - 1])
    ]
    longer = [text for text in (whole, *ends) if loose_key(text) != loose_key(films)]
    return next((text for text in longer if _is_title(turn, text, parted=True)), None)


def _rate_known(turn: Turn, film_ids: Sequence[int], details: Details) -> list[int]:
    """Add an opinion to the last watches of the films that are known; returns the others."""
    known = {watch.film_id: watch for watch in turn.history if watch.film_id in film_ids}
    for watch in known.values():
        change = log_of(watch.film_id, details)
        turn.changes.append(RateWatch(watch.watch_id, change.rating, change.reaction))
    if known:
        words = turn.say.listed(opinion_in_words(turn.say, details))
        turn.tell("rated", films=turn.say.listed([turn.film(f).label for f in known]), details=words)
        turn.in_mind = tuple(known)
    return [film_id for film_id in film_ids if film_id not in known]


def _in_doubt(intent: LogWatches, link: Link, turn: Turn) -> bool:
    name = turn.film(link.matches[0].film_id).title
    part_of_series = link.text != intent.films and _NUMERAL.fullmatch(link.text) is not None  # “… Part II and III”
    everyday = key_of(link.text) in turn.phrases.around.everyday and link.text == link.text.lower()
    return intent.doubtful or everyday or part_of_series or (intent.questioned and not name.endswith("?"))


def _is_title(turn: Turn, text: str, *, parted: bool = False) -> bool:
    """Whether words are just the name of a film; `parted`: in as many words, for “Juno on” is not Junoon."""
    if len(text) > 100 or "\n" in text:
        return False
    names = [match.name for match in turn.link(text).matches if loose_key(match.name) == loose_key(text)]
    return any(not parted or len(loose_words(name)) == len(loose_words(text)) for name in names)


def _is_list(turn: Turn, text: str) -> bool:
    return len(turn.link_all(text)) > 1


def links_of(turn: Turn, text: str) -> tuple[Link, ...]:
    """The films of a phrase: what stands in quotation marks, or else as `TitleIndex.link_all` parts it."""
    quoted = _QUOTED.findall(text)
    if quoted and sum(map(len, quoted)) * 2 > len(text):
        return tuple(turn.link(title) for title in quoted)
    return turn.link_all(text)


def _question(turn: Turn, link: Link, details: Details) -> Question:
    film_ids = [match.film_id for match in link.matches]
    called = {match.film_id for match in link.matches if loose_key(match.name) == loose_key(link.text)}
    ordered = sorted(turn.engine.order(turn.member, film_ids), key=lambda film_id: film_id not in called)
    near = link.certainty is Certainty.UNKNOWN
    return Question(Asked.WHICH_FILM, link.text, tuple(map(int, ordered)), details, near=near)


def _show_runner_up(turn: Turn, film_id: int, other_id: int) -> None:
    other = turn.film(other_id)
    if other.label == turn.film(film_id).label:
        return
    turn.swaps = tuple(
        replace(swapped, other_id=other_id) if swapped.film_id == film_id else swapped for swapped in turn.swaps
    )
    key = "not-the-other" if other.year else "not-the-other-yearless"
    turn.tell(key, film=other.label, year=other.year)
    label = turn.say("swap-choice", film=other.label)
    turn.choices.append(choice(label, Verb.SWAP, turn.message_id, film_id, other_id))


def log_films(turn: Turn, film_ids: Sequence[int], details: Details, *, sentence: str = "logged") -> None:
    """Log films that are sure, and confirm them; what was logged for that day already is said."""
    new: list[int] = []
    wanted: set[int] = set()
    for film_id in dict.fromkeys(film_ids):
        change = log_of(film_id, details)
        known = change.known_in(turn.history, turn.moment)
        if known is None:
            new.append(film_id)
        else:
            _log_again(turn, known, change)
            continue
        wanted |= {film_id} & set(turn.wanted)
        turn.log(change)
    if not new:
        if film_ids:
            turn.in_mind = tuple(film_ids)
        return
    earlier = turn.swaps if turn.logged_by == turn.message_id else ()
    turn.in_mind, turn.logged_by = tuple(new), turn.message_id
    turn.swaps = (*earlier, *(Swap(film_id, wanted=film_id in wanted) for film_id in new))
    films = turn.films(new)
    said = details_in_words(turn.say, details, turn.today)
    if sentence == "seen":
        turn.tell("seen-one", films=turn.say.listed([film.label for film in films]), details=said)
    elif len(films) == 1:
        turn.tell("logged-one", film=films[0].label, details=said)
    else:
        turn.tell("logged-many", count=len(films), films=turn.say.listed([f.label for f in films]), details=said)


def _log_again(turn: Turn, known: Watch, change: LogWatch) -> None:
    turn.take_off(known.film_id)
    film = turn.film(known.film_id)
    when = _when(turn, known)
    if change.rating is None and change.reaction is None and change.state is known.state:
        turn.tell("logged-again", film=film.label, when=when, title=film.title)
        return
    turn.changes.append(change)
    turn.tell("logged-added", film=film.label, when=when)


def _when(turn: Turn, watch: Watch) -> str:
    details = details_of(watch)
    if details.exactness is Exactness.UNKNOWN:
        details = replace(details, day=watch.sorted_on, exactness=Exactness.DAY)
    return day_in_words(turn.say, details.day, details.exactness, turn.today)


# Answers


def answer(turn: Turn, intent: Answer) -> None:
    """Take an answer to the open question; words that answer nothing are read as something new."""
    if not turn.questions:
        turn.tell("nothing-open")
        return
    question = turn.questions[0]
    match question.asked:
        case Asked.WHICH_FILM:
            _answer_which(turn, question, intent)
        case Asked.WATCHED_OR_LIKE:
            _answer_bare(turn, question, intent)
        case Asked.WHICH_SHOWN:
            _answer_shown(turn, question, intent)
        case Asked.ADD_FILM:
            _answer_add(turn, question, intent)
        case Asked.LINK | Asked.UNLINK:
            _answer_accounts(turn, question, intent)
        case Asked.FORGET:
            answer_forget(turn, yes=intent.kind is AnswerKind.YES)
            if intent.kind is AnswerKind.WORDS:
                bare_title(turn, BareTitle(intent.text))


def answer_forget(turn: Turn, *, yes: bool) -> None:
    """Erase after a yes; keep everything after anything else."""
    turn.questions, turn.private = [], True
    turn.erase = yes
    turn.tell("forgotten" if yes else "kept")


def _settled(turn: Turn) -> None:
    """The open question is answered; the next one is put."""
    turn.questions = turn.questions[1:]
    turn.asked_anew = bool(turn.questions)


def _answer_which(turn: Turn, question: Question, intent: Answer) -> None:
    chosen = _chosen(turn, question, intent)
    if chosen is None:
        _settled(turn)
        if intent.kind is AnswerKind.CANCEL and question.logs:
            turn.tell("cancelled-wanted" if question.wants else "cancelled", title=shown_title(question.typed))
        else:
            _none_of_these(turn, question)
    elif len(chosen) == 1 or (chosen and intent.kind is AnswerKind.ALL):
        _settled(turn)
        if question.wants:
            want_films(turn, chosen)
        elif question.logs:
            log_films(turn, chosen, _with_day(turn, question.details, intent))
        else:
            turn.ask(Question(Asked.WATCHED_OR_LIKE, question.typed, tuple(chosen)))
    elif chosen:
        turn.questions[0] = replace(question, choices=tuple(chosen))
        turn.asked_anew = True
    elif intent.kind is AnswerKind.WORDS and _starts_anew(turn, question, intent.text):
        turn.drop_questions()
        bare_title(turn, BareTitle(intent.text))
    else:
        told = _with_day(turn, question.details, intent)
        if told == question.details:
            turn.tell("which-again")
        turn.questions[0] = replace(question, details=told)
        turn.asked_anew = True


def _with_day(turn: Turn, details: Details, intent: Answer) -> Details:
    """What was said about a watch, with what the answer adds."""
    if intent.when:
        said = day_of(intent.when, turn.moment, turn.phrases, turn.language)
        details = replace(details, day=said.day, exactness=said.exactness)
    return replace(
        details,
        rating=details.rating if intent.rating is None else intent.rating,
        reaction=intent.reaction or details.reaction,
        state=intent.state or details.state,
    )


def _none_of_these(turn: Turn, question: Question) -> None:
    """None of the films was meant: offer to keep the title all the same, where it was to be kept."""
    if not question.logs:
        turn.tell("nothing-open")
        return
    title = shown_title(question.typed)
    turn.tell("none-wanted" if question.wants else "none", title=title)
    if may_be_added(question.typed):
        offer = Question(Asked.ADD_FILM, question.typed, details=question.details, wants=question.wants)
        turn.questions.insert(0, offer)
        turn.asked_anew = True


def _answer_add(turn: Turn, question: Question, intent: Answer) -> None:
    """“Log it anyway”: the film and its watch, in one message."""
    kind, place = intent.kind, intent.place
    yes = {AnswerKind.YES, AnswerKind.WATCHED, AnswerKind.ANYWAY}
    if kind in yes or (kind is AnswerKind.PLACE and place == 1):
        _settled(turn)
        film_id = added(turn, question)
        if question.wants:
            want_films(turn, [film_id])
        else:
            log_films(turn, [film_id], _with_day(turn, question.details, intent))
        turn.hint("only-yours", film=turn.film(film_id).label)
    elif kind is AnswerKind.WORDS:
        turn.questions = []
        bare_title(turn, BareTitle(intent.text))
    else:
        _settled(turn)
        turn.tell("nothing-open")


def _answer_accounts(turn: Turn, question: Question, intent: Answer) -> None:
    """Link or unlink after a yes, by word or by number; after anything else leave all as it is."""
    turn.questions = []
    yes = intent.kind is AnswerKind.YES or (intent.kind is AnswerKind.PLACE and intent.place == 1)
    (answer_link if question.asked is Asked.LINK else answer_unlink)(turn, question, yes=yes)
    if intent.kind is AnswerKind.WORDS:
        bare_title(turn, BareTitle(intent.text))


def _chosen(turn: Turn, question: Question, intent: Answer) -> list[int] | None:
    """The films that an answer means: none of them (None), or those that fit; empty when it fits nothing."""
    choices = list(question.choices)
    match intent.kind:
        case AnswerKind.NONE | AnswerKind.CANCEL:
            return None
        case AnswerKind.PLACE:
            if intent.place == len(choices) + 1:
                return None
            return choices[intent.place - 1 : intent.place] if intent.place >= 1 else []
        case AnswerKind.ALL:
            return choices
        case AnswerKind.YES | AnswerKind.WATCHED:
            return choices if len(choices) == 1 else []
        case AnswerKind.WORDS:
            return turn.narrow(choices, intent.text)
        case AnswerKind.SIMILAR | AnswerKind.ANYWAY:
            return []


def _starts_anew(turn: Turn, question: Question, text: str) -> bool:
    """Whether words that answer nothing are a title of their own, or too many to be an answer."""
    link = turn.link(text)
    is_title = link.certainty is not Certainty.UNKNOWN and link.matches[0].similarity >= EXACT
    words = text.casefold().split()
    points = any(word in turn.phrases.pointing.ones for word in words)
    return is_title or question.near or (len(words) > _ANSWER_WORDS and not points)


def _answer_bare(turn: Turn, question: Question, intent: Answer) -> None:
    kind, place = intent.kind, intent.place
    if kind in {AnswerKind.YES, AnswerKind.WATCHED} or (kind is AnswerKind.PLACE and place == 1):
        _settled(turn)
        if question.choices:
            log_films(turn, question.choices, _with_day(turn, Details(), intent))
        else:
            log_watches(turn, LogWatches(question.typed, question.typed, when=intent.when))
    elif kind is AnswerKind.SIMILAR or (kind is AnswerKind.PLACE and place == 2):
        _settled(turn)
        recommend_like(turn, question.choices, question.typed)
    elif kind is AnswerKind.WORDS and not question.choices and _narrowed(turn, question, intent.text):
        turn.asked_anew = True
    elif kind is AnswerKind.WORDS:
        turn.questions = []
        bare_title(turn, BareTitle(intent.text))
    else:
        _settled(turn)
        turn.tell("nothing-open")


def _narrowed(turn: Turn, question: Question, text: str) -> bool:
    """“The 1977 one” after “Suspiria: did you watch it?” settles which film is talked about."""
    link = turn.link(question.typed)
    chosen = turn.narrow([match.film_id for match in link.matches], text)
    if len(chosen) != 1:
        return False
    turn.questions[0] = replace(question, choices=tuple(chosen))
    turn.in_mind = tuple(chosen)
    return True


def _answer_shown(turn: Turn, question: Question, intent: Answer) -> None:
    chosen = _chosen(turn, question, intent)
    if chosen is None:
        _settled(turn)
        turn.tell("nothing-open")
    elif not chosen and intent.kind is AnswerKind.WORDS:
        turn.questions = []
        bare_title(turn, BareTitle(intent.text))
    elif not chosen:
        turn.tell("which-again")
        turn.asked_anew = True
    else:
        _settled(turn)
        if question.wants:
            want_films(turn, chosen)
        else:
            log_films(turn, chosen, question.details, sentence="seen")


# Films of the slate, and what was thought


def seen(turn: Turn, intent: Seen) -> None:
    """“Seen 2”, “seen it”: log films that were shown or talked about."""
    details = Details(state=intent.state or State.FINISHED, rating=intent.rating, reaction=intent.reaction)
    if intent.when:
        said = day_of(intent.when, turn.moment, turn.phrases, turn.language)
        details = replace(details, day=said.day, exactness=said.exactness)
    listed = shown_films(turn)
    if intent.places or intent.every:
        places = intent.places or tuple(range(1, len(listed) + 1))
        chosen = places_of(turn, listed, places)
        if chosen:
            log_films(turn, chosen, details, sentence="seen")
    elif turn.in_mind:
        log_films(turn, turn.in_mind, details, sentence="logged")
    elif len(listed) == 1:
        log_films(turn, listed, details, sentence="seen")
    elif listed:
        turn.ask(Question(Asked.WHICH_SHOWN, choices=tuple(listed), details=details))
    else:
        turn.tell("seen-what")


def react(turn: Turn, intent: React) -> None:
    """Note what was thought of the films logged last, or of the one that is being asked about."""
    details = Details(rating=intent.rating, reaction=intent.reaction)
    talked_of = turn.in_mind
    turn.in_mind = _told_as(turn, intent.of) or talked_of
    fresh = [log for log in turn.logged if log.film_id in turn.in_mind]
    if fresh:
        for log in fresh:
            said = log_of(log.film_id, details)
            better = replace(
                log,
                rating=said.rating if said.rating is not None else log.rating,
                reaction=said.reaction or log.reaction,
                state=log.state if intent.state is None else type(log.state)(intent.state.value),
            )
            turn.changes[turn.changes.index(log)] = better
            turn.logged[turn.logged.index(log)] = better
        rated = [log.film_id for log in fresh]
    else:
        rated = []
        for film_id in () if _asking_which(turn) else turn.in_mind:
            watches = [watch for watch in turn.history if watch.film_id == film_id]
            if watches and intent.state is not None:
                _retell(turn, watches[-1], replace(details, state=intent.state))
                rated.append(film_id)
            elif watches and (intent.rating is not None or intent.reaction is not None):
                change = log_of(film_id, details)
                turn.changes.append(RateWatch(watches[-1].watch_id, change.rating, change.reaction))
                rated.append(film_id)
    if not fresh and _asking_which(turn):
        question = turn.questions[0]
        told = Details(
            question.details.day,
            question.details.exactness,
            intent.state or question.details.state,
            question.details.rating if intent.rating is None else intent.rating,
            intent.reaction or question.details.reaction,
        )
        turn.questions[0] = replace(question, details=told)
        turn.asked_anew = True
        return
    turn.in_mind = talked_of or turn.in_mind
    words = opinion_in_words(turn.say, details)
    if intent.state is not None:
        words.append(turn.say(f"detail-{intent.state.value}"))
    if rated:
        films = turn.say.listed([film.label for film in turn.films(rated)])
        turn.tell("rated", films=films, details=turn.say.listed(words))
    else:
        turn.tell("rate-what")


def _told_as(turn: Turn, title: str) -> tuple[int, ...]:
    """The film of a title that was told last; none when there is none."""
    named = [watch for watch in turn.history if turn.film(watch.film_id).title == title]
    return (max(named, key=lambda watch: watch.told_at).film_id,) if title and named else ()


def _retell(turn: Turn, watch: Watch, details: Details) -> None:
    """Keep a watch as it is told now: what is new in `details`, and the rest as it was."""
    was = details_of(watch)
    told = Details(
        details.day or was.day,
        details.exactness if details.day else was.exactness,
        details.state if details.state is not State.FINISHED else was.state,
        was.rating if details.rating is None else details.rating,
        details.reaction or was.reaction,
    )
    turn.removed.add(watch.watch_id)
    turn.changes.append(RemoveWatch(watch.watch_id))
    turn.log(log_of(watch.film_id, told))
    turn.logged_by = turn.message_id


def _asking_which(turn: Turn) -> bool:
    return bool(turn.questions) and turn.questions[0].asked is Asked.WHICH_FILM and turn.questions[0].logs


# Another film was meant


def meant(turn: Turn, intent: Meant) -> None:
    """“No, the 1953 one”: change the film logged last for another one; “it was yesterday”: or what was told of it."""
    if not intent.text:
        _correct_details(turn, intent)
        return
    logged = [
        w for w in turn.history if w.message_id == turn.logged_by and w.film_id in {s.film_id for s in turn.swaps}
    ]
    if turn.questions and not logged:
        replied = Answer(AnswerKind.WORDS, 0, intent.text, intent.when, intent.rating, intent.reaction, intent.state)
        turn.take(replied)
        answer(turn, replied)
        return
    if not logged:
        log_watches(turn, LogWatches(intent.text, intent.text, doubtful=True))
        return
    for watch in reversed(logged):
        other = _namesake(turn, watch.film_id, intent.text)
        if other is not None:
            swap(turn, watch, other)
            return
        if _is_that(turn, watch.film_id, intent.text):
            turn.tell("swap-same", film=turn.film(watch.film_id).label)
            return
    watch = logged[-1]
    link = turn.link(intent.text)
    if _points(turn, intent.text) or not link.matches:
        turn.tell("which-again")
    elif link.certainty is Certainty.CLEAR:
        swap(turn, watch, int(link.matches[0].film_id))
    else:
        turn.removed.add(watch.watch_id)
        turn.changes.append(RemoveWatch(watch.watch_id))
        turn.ask(_question(turn, link, details_of(watch)))


def _correct_details(turn: Turn, intent: Meant) -> None:
    """Another day, mark, reaction or manner of the films told last."""
    film_ids = _told_as(turn, intent.of) or turn.in_mind or ((turn.history[-1].film_id,) if turn.history else ())
    told = [next((w for w in reversed(turn.history) if w.film_id == film_id), None) for film_id in film_ids]
    watches = [watch for watch in told if watch is not None]
    details = Details(state=intent.state or State.FINISHED, rating=intent.rating, reaction=intent.reaction)
    if intent.by is not None and watches and watches[-1].rating is not None:
        details = replace(details, rating=min(MAX_STARS, max(0.0, watches[-1].rating + intent.by)))
    if intent.when:
        said = day_of(intent.when, turn.moment, turn.phrases, turn.language)
        details = replace(details, day=said.day, exactness=said.exactness)
        if said.in_future:
            turn.hint("future-date")
    if not watches or details == Details():
        turn.tell("rate-what" if not watches else "which-again")
        return
    for watch in watches:
        _retell(turn, watch, details)
    films = turn.say.listed([film.label for film in turn.films(list(film_ids))])
    turn.tell("corrected", films=films, details=details_in_words(turn.say, details, turn.today))
    turn.in_mind = tuple(film_ids)


def _points(turn: Turn, text: str) -> bool:
    """Whether words point at a film without naming it: “the old one”."""
    return text.casefold().split()[-1:] == [turn.say("one")]


def _namesake(turn: Turn, film_id: int, text: str) -> int | None:
    """The other film of the same name that words tell: “the 1953 one”, “the remake”; None when they tell none."""
    film = turn.film(film_id)
    others = [turn.film(swapped.other_id).film_id for swapped in turn.swaps if swapped.film_id == film_id]
    chosen = turn.narrow([other for other in others if other != film.film_id], text)
    if len(chosen) == 1:
        return chosen[0]
    words = " ".join(word for word in text.split() if word.casefold() not in {turn.say("one"), turn.say("the")})
    link = turn.link(f"{words} {film.title}")
    if link.certainty is not Certainty.CLEAR or not link.matches or link.matches[0].film_id == film_id:
        return None
    alike = {loose_key(name) for name in (film.title, *film.alternatives)}
    return int(link.matches[0].film_id) if loose_key(link.matches[0].name) in alike else None


def _is_that(turn: Turn, film_id: int, text: str) -> bool:
    """Whether words tell the film that was logged from the others of its name: “the Carpenter one”."""
    others = [swapped.other_id for swapped in turn.swaps if swapped.film_id == film_id and swapped.other_id]
    return bool(others) and turn.narrow([film_id, *others], text) == [film_id]


def swap(turn: Turn, watch: Watch, film_id: int) -> None:
    """Log another film in place of a watch, with all that was said about it."""
    was_wanted = film_id in turn.wanted
    turn.removed.add(watch.watch_id)
    turn.changes.append(RemoveWatch(watch.watch_id))
    want_again(turn, watch)
    turn.log(log_of(film_id, details_of(watch)))
    turn.in_mind, turn.logged_by = (film_id,), turn.message_id
    turn.swaps = (Swap(film_id, watch.film_id, was_wanted),)
    turn.tell("swapped", film=turn.film(film_id).label, other=turn.film(watch.film_id).label)


def want_again(turn: Turn, watch: Watch) -> None:
    """Put a film that was not watched after all back on the watchlist, if the message that logged it took it off."""
    changes = turn.fetched.undoable
    taken_back = changes.feedback_taken_back if changes and changes.message_id == watch.message_id else ()
    by_button = any(t.film_id == watch.film_id and t.kind is FeedbackKind.WANTED for t in taken_back)
    just_now = watch.message_id == turn.logged_by and any(s.film_id == watch.film_id and s.wanted for s in turn.swaps)
    if (by_button or just_now) and watch.film_id not in turn.wanted:
        turn.want(watch.film_id)


# Titles that are no watch


def bare_title(turn: Turn, intent: BareTitle) -> None:
    """Nothing but a title: ask whether it was watched; or say that no such film is known."""
    turn.take(intent)
    swapped = _swap_by_words(turn, intent.text)
    if swapped:
        return
    text = intent.text
    if intent.whole and intent.whole != text and _is_title(turn, intent.whole):
        text = intent.whole
    links = [link for link in links_of(turn, text) if link.matches]
    if text.strip().isdecimal() and not any(_is_known(turn, link) for link in links):
        turn.take(NotUnderstood(text))
        turn.tell("no-place", number=text.strip())
        return
    plain = text.rstrip(" .!?")
    everyday = plain in turn.phrases.around.everyday or (plain.islower() and plain in turn.phrases.usual)
    if everyday and not any(_is_known(turn, link) for link in links):
        not_understood(turn, NotUnderstood(text))
        return
    known = [link for link in links if link.certainty is not Certainty.UNKNOWN and _likely(link)]
    if known and len(known) == len(links):
        clear = tuple(int(link.matches[0].film_id) for link in known if link.certainty is Certainty.CLEAR)
        choices = clear if len(clear) == len(known) else ()
        if intent.fond and choices and not _rate_known(turn, choices, Details(reaction=Reaction.LOVED)):
            return  # “I love The Matrix”, which was watched
        turn.ask(Question(Asked.WATCHED_OR_LIKE, text, choices))
        turn.in_mind = choices
    elif near := [match.film_id for link in links for match in link.matches if match.similarity >= _NEAR_TITLE]:
        ordered = turn.engine.order(turn.member, near[:_MAX_NAMED])
        turn.ask(Question(Asked.WHICH_FILM, text, tuple(map(int, ordered)), logs=False))
    else:
        not_understood(turn, NotUnderstood(text))


def _is_known(turn: Turn, link: Link) -> bool:
    """Whether people know a film of that name."""
    return any(turn.titles.is_known(turn.film(match.film_id).rating_count) for match in link.matches)


def _likely(link: Link) -> bool:
    return link.matches[0].similarity >= _TITLE_LIKE


def _swap_by_words(turn: Turn, text: str) -> bool:
    """“The 1953 one” right after a film was logged that has a namesake."""
    for swapped in turn.swaps:
        watch = next((w for w in turn.history if w.film_id == swapped.film_id and w.message_id == turn.logged_by), None)
        if watch is None or not swapped.other_id:
            continue
        if turn.narrow([swapped.other_id], text) and not turn.narrow([swapped.film_id], text):
            turn.take(Meant(text))
            swap(turn, watch, swapped.other_id)
            return True
    return False


def not_understood(turn: Turn, intent: NotUnderstood) -> None:
    """Say so in one sentence, with an example."""
    turn.take(intent)
    if intent.empty:
        turn.tell("empty-message")
    elif intent.text.startswith("/"):
        turn.tell("unknown-command")
    elif intent.text and len(intent.text) <= 2 * _MAX_SHOWN:
        turn.tell("not-understood-title", text=shown_title(intent.text))
    else:
        turn.tell("not-understood")


_MAX_SHOWN = 60


def not_a_watch(turn: Turn, intent: NotAWatch) -> None:
    """A film was named and nothing is logged: a short honest sentence."""
    if intent.otherwise and any(_is_title(turn, text) for text in (intent.otherwise.films, intent.otherwise.whole)):
        turn.drop_questions()
        turn.take(intent.otherwise)
        log_watches(turn, intent.otherwise)
        return
    film_name = intent.film
    if intent.kind is NotWatched.QUESTION and not film_name and len(turn.in_mind) == 1:
        film_name = turn.film(turn.in_mind[0]).label  # “who's in it?”
    link = turn.link(film_name) if film_name else None
    if link is None or link.certainty is Certainty.UNKNOWN or not _likely(link):
        turn.tell(f"not-{intent.kind.value}-unknown")
        return
    if link.certainty is Certainty.AMBIGUOUS:
        name = turn.film(link.matches[0].film_id).title
        many = "-many" if intent.kind is NotWatched.PLAN else ""
        turn.in_mind = ()  # “save it” is then about none of those before
        turn.tell(f"not-{intent.kind.value}{many}", film=name, title=name, facts="")
        return
    film = turn.film(link.matches[0].film_id)
    turn.in_mind = (int(film.film_id),)
    facts = ""
    if intent.kind is NotWatched.QUESTION and int(film.film_id) in turn.own_films:
        turn.tell("only-title", films=film.label)
        return
    if intent.kind is NotWatched.QUESTION:
        facts = "".join(turn.say("facts-people", people=people) for people in _made_by(turn, film))
        genres = genres_in_words(turn.say, film.genres)
        if genres:
            key = "facts-rated" if film.rating_count else "facts-genres"
            facts += turn.say(key, genres=genres, count=f"{film.rating_count:,}")
    turn.tell(f"not-{intent.kind.value}", film=film.label, title=film.title, facts=facts)


def _made_by(turn: Turn, film: Film) -> list[str]:
    """Who directed a film and who plays in it, in words; nothing where that is not known."""
    known = turn.engine.people.of(int(film.film_id), film.year or 0)
    if known is None:
        return []
    cast = [Person(name, Role.CAST) for name in known.cast[:_NAMED_CAST]]
    listed = ([Person(name, Role.DIRECTOR) for name in known.directors], cast)
    return [people_in_words(turn.say, people) for people in listed if people]
