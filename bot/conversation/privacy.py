"""Acting on what is known about a person: say it in a few lines, and hand all of it over as a file.

Knows what is kept and for how long; what lies in the file is `storage.portable`'s.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.conversation.adjusting import settings_in_words
from bot.conversation.dates import Exactness
from bot.conversation.reply import File, Reply
from bot.conversation.telling import accounts_in_words, day_in_words
from bot.conversation.turn import Turn
from engine.films import Catalog
from storage.portable.exporting import Everything, FilmName, to_zip

ZIP = "application/zip"


def privacy(turn: Turn) -> None:
    """What is known, how long it is kept, and what can be done about it."""
    turn.private = True
    known = turn.fetched.everything
    if known is None:
        turn.tell("privacy-none")
    else:
        since = known.created_at.astimezone(turn.moment.tzinfo).date()
        turn.tell("privacy", since=day_in_words(turn.say, since, Exactness.DAY, turn.today))
        turn.texts += [f"  {line}" for line in _counts(turn, known)]
        turn.tell("settings")
        turn.texts += [f"  {line}" for line in settings_in_words(turn)]
    turn.tell("privacy-typed")
    turn.tell("privacy-slates" if turn.kept.slates_days else "privacy-slates-ever", days=turn.kept.slates_days)
    if turn.kept.inactive_days:
        turn.tell("privacy-inactive", days=turn.kept.inactive_days)
    turn.hint("privacy-footer")


def _counts(turn: Turn, known: Everything) -> list[str]:
    """Accounts, and how many there are of each thing that is kept."""
    say = turn.say
    accounts = "privacy-accounts" if len(known.accounts) > 1 else "privacy-account"
    counts = {
        "watches": len(known.history),
        "wanted": len(known.wanted),
        "dismissed": len(known.dismissed),
        "own": len(known.added_films),
        "lists": len(known.rows.get("slates", ())),
        "messages": len(known.rows.get("messages", ())),
    }
    told = [
        say(f"privacy-{what}" if count > 1 else f"privacy-{what}-one", count=f"{count:,}")
        for what, count in counts.items()
        if count
    ]
    return [say(accounts, accounts=accounts_in_words(say, known.accounts)), *told]


def export(turn: Turn) -> None:
    """Hand everything over, once what this message changes is kept."""
    turn.private = True
    if turn.snapshot.person is None and not turn.changes:
        turn.tell("nothing-to-export")
        return
    turn.export = True
    turn.tell("exported")
    turn.hint("export-footer")


def without_file(turn: Turn, reply: Reply) -> Reply:
    """The reply as it is kept, and given to a message that is delivered again: the file is made for one moment."""
    lines = [turn.say("export-again") if line == turn.say("exported") else line for line in reply.text.split("\n")]
    return replace(reply, text="\n".join(lines))


def export_file(known: Everything, catalog: Catalog, moment: datetime) -> File:
    """All that is known as a file, made at a moment; takes some hundred milliseconds."""

    def name(film_id: int) -> FilmName | None:
        film = catalog.film(film_id)
        return FilmName(film.title, film.year, film.imdb_id, film.tmdb_id) if film else None

    return File(f"nextreel-{moment.date().isoformat()}.zip", ZIP, to_zip(known, name, moment))
