"""Names and descriptions of commands: complete in every language, and as Discord takes them."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest

from bot.conversation.dialogue import Dialogue
from bot.conversation.phrases import say_for
from bot.discord.bot import Bot, fingerprint_of, payloads_of
from bot.discord.commands import COMMANDS
from bot.discord.translating import LANGUAGES, Translator
from bot.discord.words import sentence, word, words_in
from storage.store import Store

OTHERS = sorted(set(LANGUAGES.values()))
NAME = re.compile(r"[-_'\w]{1,32}")
ON_A_MESSAGE = "found.name"


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_word_with_its_gaps(language: str) -> None:
    english, other = words_in("en"), words_in(language)
    assert set(other) == set(english)
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", other[key])) == set(re.findall(r"\{\w+\}", text)), key


@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_names_and_descriptions_are_as_discord_takes_them(language: str) -> None:
    for key, text in words_in(language).items():
        if key == ON_A_MESSAGE:
            assert len(text) <= 32
        elif key.endswith(".name"):
            assert NAME.fullmatch(text), text
            assert text == text.lower()
        elif key.endswith(".description"):
            assert len(text) <= 100, text


def test_a_language_that_is_not_there_gets_english_sentences() -> None:
    assert word("sentences.failed", "fr") is None
    assert sentence("failed", "fr", id="1") == sentence("failed", "en-GB", id="1")
    assert sentence("failed", "de", id="1") != sentence("failed", "en", id="1")


async def test_discord_is_told_all_of_it(dialogue: Dialogue, store: Store) -> None:
    bot = Bot(dialogue, store)
    before = fingerprint_of(await payloads_of(bot.tree))
    await bot.tree.set_translator(Translator())
    translator = bot.tree.translator
    assert translator is not None
    for command in bot.tree.get_commands():
        told = await command.get_translated_payload(bot.tree, translator)
        assert set(told["name_localizations"]) == {locale.value for locale in LANGUAGES}
        assert told["contexts"] in ([0, 1, 2], [0])
        assert told["integration_types"] in ([0, 1], [0])
    told = await payloads_of(bot.tree)
    assert len(told) == len(COMMANDS)
    assert fingerprint_of(told) == fingerprint_of(told[::-1]) != before


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_said_of_movie_nights_servers_and_marks_is_said_in_every_language(language: str) -> None:
    file = files("bot.conversation.phrases").joinpath(f"{language}.say.toml")
    own, english = tomllib.loads(file.read_text(encoding="utf-8")), say_for("en").sentences
    parts = ("lobby", "night", "vote", "together", "server", "unread", "note-", "reason-group", "slate-group", "join",
             "start", "close", "found", "bolder", "help")  # fmt: skip
    wanted = {key for key in english if key.startswith(parts)}
    assert len(wanted) > 40
    assert wanted <= own.keys()
