"""Acting on what holds for a whole server or workspace: where the bot answers, how adventurous it usually is.

Knows who may set it only as far as the platform says so; who set it is not kept.
"""

from __future__ import annotations

from dataclasses import replace

from bot.conversation.intents import AdjustPlace
from bot.conversation.telling import shown_title
from bot.conversation.turn import Turn
from storage.changes import SetPlace
from storage.records import MAX_CHANNELS, PlaceSettings


def adjust_place(turn: Turn, intent: AdjustPlace) -> None:
    """Set what holds for all who are there, or show it; for those who may alone."""
    turn.private = True
    if not turn.place.workspace:
        turn.tell("server-nowhere")
        return
    if not turn.administers:
        turn.tell("server-not-yours")
        return
    settings = turn.snapshot.place
    channels = dict(settings.channels)
    if intent.everywhere:
        channels = {}
    if intent.disallow:
        channels.pop(intent.disallow, None)
    if intent.allow and len(channels) < MAX_CHANNELS:
        channels[intent.allow] = shown_title(intent.allow_name) or intent.allow
    changed = replace(settings, channels=channels)
    if intent.adventurousness:
        value = _dial(intent.adventurousness)
        if value is None and intent.adventurousness != "default":
            turn.tell("unread-adventure", value=shown_title(intent.adventurousness))
        else:
            changed = replace(changed, adventurousness=value)
    if changed != settings:
        turn.changes.append(SetPlace(changed))
    turn.tell("server-set" if changed != settings else "server")
    turn.texts += [f"  {line}" for line in _in_words(turn, changed)]


def _in_words(turn: Turn, settings: PlaceSettings) -> list[str]:
    say = turn.say
    named = [f"#{name}" for name in settings.channels.values()]
    channels = say("server-channels", channels=say.listed(named)) if named else say("server-everywhere")
    value = settings.adventurousness
    usual = turn.usual.adventurousness if value is None else value
    key = "server-adventurousness-usual" if value is None else "server-adventurousness"
    return [channels, say(key, value=f"{usual:.2f}".rstrip("0").rstrip("."))]


def _dial(words: str) -> float | None:
    try:
        value = float(words.replace(",", "."))
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None
