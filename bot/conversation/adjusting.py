"""Acting on settings: show them in plain words, and set them to what words say.

Knows what a setting may be; wrong values get a sentence with an example. What a setting does is elsewhere: the zone and
the language of a message in `dialogue`, who sees replies in `turn`, the usual adventurousness in `recommending`.
"""

from __future__ import annotations

import re

from bot.conversation.intents import Adjust, Setting, Settings
from bot.conversation.phrases import is_spoken, key_of
from bot.conversation.telling import shown_title
from bot.conversation.turn import Turn
from bot.conversation.zones import zone_of
from storage.records import Preference, Visibility

STEP = 0.2
"""How much “more adventurous” adds."""
_NUMBER = re.compile(r"(-?\d{0,4}(?:[.,]\d{1,4})?)\s*(%?)")
_LEVELS = {"low": 0.0, "medium": 0.5, "high": 0.9}
_NAMES = frozenset({Setting.TIME_ZONE, Setting.LOCALE})
"""Settings whose values are names."""
_CODE = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{2,8}){0,3})", re.IGNORECASE)
MAX_VALUE = 60
"""Characters of a value that are read."""

Value = str | float | bool | None


class _WrongValueError(ValueError):
    """The setting can't be that."""


def settings(turn: Turn, intent: Settings) -> None:
    """Show all settings, in plain words."""
    turn.private = True
    if intent.strange:
        turn.tell("settings-strange", text=shown_title(intent.strange))
    else:
        turn.tell("settings")
        turn.texts += [f"  {line}" for line in settings_in_words(turn)]
    turn.hint_typing("settings-footer")


def settings_in_words(turn: Turn) -> list[str]:
    """What each setting is, a line each."""
    return [_in_words(turn, preference) for preference in Preference]


def _in_words(turn: Turn, preference: Preference) -> str:
    """What a setting is, after what this message changed; where the person said nothing, what holds without it."""
    say, own = turn.say, turn.preferences
    match preference:
        case Preference.TIME_ZONE:
            used = shown_title(str(turn.moment.tzinfo))
            if turn.told_zone:
                own_zone = say("time-zone-own", zone=own.time_zone) if own.time_zone else ""
                return say("time-zone-told", zone=used, own=own_zone)
            return say("time-zone-is" if own.time_zone else "time-zone-usual", zone=own.time_zone or used)
        case Preference.LOCALE:
            return say("locale-is", language=_language(turn, own.locale)) if own.locale else say("locale-usual")
        case Preference.ADVENTUROUSNESS:
            value = turn.habits.adventurousness
            key = "adventurousness-usual" if own.adventurousness is None else "adventurousness-is"
            return say(key, value=f"{value:.2f}".rstrip("0").rstrip("."))
        case Preference.VISIBILITY:
            return say("visibility-private" if own.visibility is Visibility.PRIVATE else "visibility-public")
        case Preference.GROUP_OPT_IN:
            return say("group-on" if own.group_opt_in else "group-off")


def _language(turn: Turn, locale: str) -> str:
    """“German (de-AT)”."""
    code = re.split(r"[-_]", locale, maxsplit=1)[0].lower()
    name = next((name for name, known in turn.phrases.languages.items() if known == code), None)
    return turn.say("locale-named", name=name.capitalize(), code=locale) if name else locale


# Setting


def adjust(turn: Turn, intent: Adjust) -> None:
    """Set a setting; or say what is wrong with the value, with an example."""
    turn.private = True
    preference = Preference(intent.setting.value)
    words = intent.value[:MAX_VALUE]
    known = turn.phrases.setting_words.get(key_of(words), words)
    if known != "default" and intent.setting in _NAMES:
        known = words  # “no” is Norwegian
    try:
        value = None if known == "default" else _value(turn, intent.setting, known)
    except _WrongValueError:
        turn.tell(f"wrong-{intent.setting.value}", value=shown_title(intent.value))
        return
    before = getattr(turn.preferences, preference.value)
    if value == (before or None if isinstance(before, bool) else before):
        turn.tell("setting-as-before", setting=_in_words(turn, preference))
        return
    turn.prefer(preference, value)
    turn.tell("setting-set", setting=_in_words(turn, preference))
    if preference is Preference.LOCALE and value is not None and not is_spoken(str(value)):
        turn.tell("locale-unspoken")


def _value(turn: Turn, setting: Setting, words: str) -> Value:
    """What the words mean for that setting."""
    match setting:
        case Setting.TIME_ZONE:
            return _zone(words)
        case Setting.LOCALE:
            return _locale(turn, words)
        case Setting.ADVENTUROUSNESS:
            return _adventurousness(turn, words)
        case Setting.VISIBILITY if words in set(Visibility):
            return words
        case Setting.GROUP_OPT_IN if words in {"on", "off"}:
            return True if words == "on" else None
    raise _WrongValueError


def _zone(words: str) -> str:
    found = zone_of(words)
    if found is None:
        raise _WrongValueError
    return found


def _locale(turn: Turn, words: str) -> str:
    """The code of a language, by its name or as it is."""
    if named := turn.phrases.languages.get(key_of(words)):
        return named
    code = _CODE.fullmatch(words)
    if code is None or code[1].lower() not in turn.phrases.languages.values():
        raise _WrongValueError
    return code[1].lower() + code[2].replace("_", "-")


def _adventurousness(turn: Turn, words: str) -> float:
    """From 0 to 1; a percentage, a level in a word, or a step from what it is."""
    if words in {"more", "less"}:
        step = STEP if words == "more" else -STEP
        return min(1.0, max(0.0, round(turn.habits.adventurousness + step, 2)))
    if words in _LEVELS:
        return _LEVELS[words]
    number = _NUMBER.fullmatch(words)
    if number is None or not number[1].strip("-.,"):
        raise _WrongValueError
    value = float(number[1].replace(",", ".")) / (100 if number[2] else 1)
    if not 0 <= value <= 1:
        raise _WrongValueError
    return round(value, 2)
