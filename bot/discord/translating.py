"""Names and descriptions of commands in other languages, for discord.py's translator.

Knows which of Discord's locales speak which language of `words`.
"""

from __future__ import annotations

from discord import Locale, app_commands

from bot.discord.words import word, words_in

LANGUAGES = {Locale.german: "de", Locale.spain_spanish: "es", Locale.latin_american_spanish: "es"}


def text(key: str) -> app_commands.locale_str:
    """The English words of a key, to be translated when Discord is told of the commands."""
    return app_commands.locale_str(words_in("en")[key], key=key)


class Translator(app_commands.Translator):
    """Looks words up by their keys."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: Locale,
        context: app_commands.TranslationContextTypes,  # noqa: ARG002 (discord.py's signature)
    ) -> str | None:
        """The words in that language; None leaves the English ones."""
        language = LANGUAGES.get(locale)
        key = string.extras.get("key")
        return word(key, language) if language and isinstance(key, str) else None
