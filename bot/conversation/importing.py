"""Acting on files that come with a message: what they hold is taken in as one message's changes.

Knows which formats there are (`READERS`; another one is another entry) and what a file may not do: it adds, and neither
takes away nor overrules what the person said here. What a format's entries mean is its reader's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bot.conversation.message import MAX_FILE
from bot.conversation.own_films import one_line
from bot.conversation.reply import File, Reply
from bot.conversation.telling import shown_title
from bot.conversation.turn import Imported, Turn
from storage.changes import AddFilm, Change, GiveFeedback, LogWatch, MessageChanges, SetPreference
from storage.portable.importing import MAX_PROBLEMS, Import, PortableError, from_zip
from storage.records import FeedbackKind, Preference

NAMED_PROBLEMS = 5
"""Entries that could not be read, of which so many are named."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A format: which files are of it, and what one of them asks for. `read` raises PortableError with a sentence."""

    knows: Callable[[File], bool]
    read: Callable[[bytes], Import]


READERS: Sequence[Reader] = (Reader(lambda file: file.content.startswith(b"PK"), from_zip),)
"""The formats, by what a file looks like; the first that knows it reads it."""


def import_files(turn: Turn) -> None:
    """Take in the files of the message."""
    turn.private = True
    if not turn.files:
        turn.tell("import-needs-file")
        return
    read = [found for file in turn.files if (found := _read(turn, file)) is not None]
    problems = [problem for found in read for problem in found.problems]
    changes = [change for found in read for change in _taken_in(turn, found.changes)]
    watches = sum(isinstance(change, LogWatch) for change in changes)
    if changes:
        turn.drop_questions()
        turn.changes += changes
        sentence = turn.say("import-taken" if watches != 1 else "import-taken-one", count=f"{watches:,}")
        turn.imported = Imported(watches, sentence)
        turn.texts.append(sentence)
    elif read and not problems:
        turn.tell("import-empty")
    if problems:
        turn.tell("import-problems")
        turn.texts += [f"  {one_line(problem)}" for problem in problems[:NAMED_PROBLEMS]]
    if len(problems) > NAMED_PROBLEMS:
        key = "import-problems-rest" if len(problems) <= MAX_PROBLEMS else "import-problems-many"
        turn.tell(key, count=f"{len(problems) - NAMED_PROBLEMS:,}")


def _read(turn: Turn, file: File) -> Import | None:
    """What a file asks for; says why when it can't be read."""
    name = shown_title(file.name)
    reader = next((reader for reader in READERS if reader.knows(file)), None)
    if len(file.content) > MAX_FILE:
        turn.tell("import-too-big", name=name, megabytes=MAX_FILE >> 20)
    elif reader is None:
        turn.tell("import-unknown", name=name)
    else:
        try:
            return reader.read(file.content)
        except PortableError as error:
            turn.tell("import-failed", name=name, sentence=str(error))
    return None


def _taken_in(turn: Turn, changes: Iterable[Change]) -> list[Change]:
    """The changes of a file, as far as a file may: it overrules no setting, and consent is given by saying so here."""
    taken: list[Change] = []
    merged: dict[int, int] = {}
    for change in changes:
        match change:
            case AddFilm(film=film):
                title = one_line(film.title)
                there = turn.own_id(title, film.year)
                if there is not None and film.film_id not in turn.own_films:
                    merged[film.film_id] = there
                else:
                    taken.append(change)
            case LogWatch() | GiveFeedback():
                taken.append(replace(change, film_id=merged.get(change.film_id, change.film_id)))
            case SetPreference(name=Preference.GROUP_OPT_IN):
                if change.value and not turn.preferences.group_opt_in:
                    turn.hint("import-consent")
            case SetPreference():
                if getattr(turn.preferences, change.name.value) is None:
                    taken.append(change)
            case _:
                taken.append(change)
    return taken


# Once it is kept


def counted(turn: Turn, imported: Imported, reply: Reply, changes: MessageChanges) -> Reply:
    """The reply with what was new and what was known, now that the store has said so."""
    say = turn.say
    count, new = imported.watches, max(0, len(changes.logged) - len(turn.logged))
    told = []
    if 0 < new < count:
        told.append(say("import-counted", count=f"{count:,}", new=f"{new:,}", known=f"{count - new:,}"))
    elif count:
        key = "import-all-new" if new else "import-all-known"
        told.append(say(key if count > 1 else f"{key}-one", count=f"{count:,}"))
    others = {
        "import-wanted": sum(given.kind is FeedbackKind.WANTED for given in changes.feedback),
        "import-dismissed": sum(given.kind is FeedbackKind.DISMISSED for given in changes.feedback),
        "import-settings": len(changes.preferences),
    }
    more = [say(key if count > 1 else f"{key}-one", count=f"{count:,}") for key, count in others.items() if count]
    if more:
        told.append(say("import-more", what=say.listed(more)))
    if not told:
        told.append(say("import-nothing-new"))
    lines = [" ".join(told) if line == imported.sentence else line for line in reply.text.split("\n")]
    changed = changes.logged or changes.rated or changes.feedback or changes.preferences
    return replace(reply, text="\n".join(lines), choices=reply.choices if changed else ())
