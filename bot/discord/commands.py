"""The slash commands and the message command: their arguments in Discord's manner, handed on as they are.

Knows what Discord's fields look like; what they mean is the conversation's. Names and descriptions are in `words`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import discord
from discord import app_commands

from bot.conversation.commands import Name
from bot.conversation.message import MAX_FILE, Command, Message, Origin
from bot.discord.answering import file_of
from bot.discord.events import named
from bot.discord.translating import text
from engine.films import GENRES

Interaction = discord.Interaction[Any]
Choice = app_commands.Choice[str]
Person = discord.Member | discord.User | None
Ratio = app_commands.Range[float, 0.0, 1.0]

MAX_TEXT = 200
"""Characters of a field that is typed."""
Words = app_commands.Range[str, 1, MAX_TEXT]

PUBLIC = frozenset({Name.WATCHED, Name.NEXT, Name.LIKE, Name.WHY, Name.NIGHT, Name.UNDO, Name.HELP})
"""Commands whose answers others see as a rule; only a guess, for what Discord shows until there is an answer."""
SLOW = frozenset({Name.NIGHT, Name.EXPORT, Name.IMPORT, Name.FOUND})
"""Commands that are acknowledged at once, as their answers may take a while."""


def _words(key: str, **options: str) -> Callable[[Any], Any]:
    """Give a command's options their names and descriptions; `options` are keys by parameter."""

    def decorate(callback: Any) -> Any:
        renamed = {parameter: text(f"{key}.{option}.name") for parameter, option in options.items()}
        described = {parameter: text(f"{key}.{option}.description") for parameter, option in options.items()}
        return app_commands.describe(**described)(app_commands.rename(**renamed)(callback))

    return decorate


def _choices(key: str, values: Mapping[str, str]) -> list[Choice]:
    return [Choice(name=text(f"{key}.{word}"), value=value) for word, value in values.items()]


_GENRES = _choices("genre", {genre: genre for genre in GENRES})
_ADVENTURE = _choices("adventure", {"known": "0", "bold": "0.6", "radar": "0.9"})
_ANSWERS = _choices("answers", {"private": "private", "public": "public"})
_GROUPS = _choices("groups", {"on": "on", "off": "off"})
_LANGUAGES = _choices("language", {"en": "en", "de": "de", "es": "es"})


async def _ask(
    interaction: Interaction,
    name: Name,
    arguments: Mapping[str, object] | None = None,
    people: tuple[Person, ...] = (),
    file: discord.Attachment | None = None,
) -> None:
    """Hand a command on, with those of its arguments that were given."""
    given = {key: str(value) for key, value in (arguments or {}).items() if value is not None}
    others = named(person for person in people if person is not None and person.id != interaction.user.id)

    async def made(origin: Origin) -> Message:
        files = (await file_of(file),) if file else ()
        return Command(origin, name.value, given, files, others)

    await interaction.client.answering.command(interaction, made, private=name not in PUBLIC, slow=name in SLOW)


async def _film(interaction: Interaction, typed: str) -> list[Choice]:
    found: list[Choice] = await interaction.client.answering.complete(interaction, typed)
    return found


@app_commands.command(name=text("watched.name"), description=text("watched.description"))
@_words("watched", film="film", when="when", rating="rating", finished="finished")
@app_commands.autocomplete(film=_film)
async def _watched(
    interaction: Interaction,
    film: Words,
    when: Words | None = None,
    rating: Words | None = None,
    finished: bool | None = None,
) -> None:
    given = {"film": film, "when": when, "rating": rating, "finished": "no" if finished is False else None}
    await _ask(interaction, Name.WATCHED, given)


@app_commands.command(name=text("next.name"), description=text("next.description"))
@_words("next", like="like", genre="genre", years="years", adventure="adventure", together="with")
@app_commands.autocomplete(like=_film)
@app_commands.choices(genre=_GENRES, adventure=_ADVENTURE)
async def _next(
    interaction: Interaction,
    like: Words | None = None,
    genre: str | None = None,
    years: Words | None = None,
    adventure: str | None = None,
    together: discord.User | None = None,
) -> None:
    given = {"like": like, "genre": genre, "years": years, "adventure": adventure}
    await _ask(interaction, Name.NEXT, given, (together,))


@app_commands.command(name=text("similar.name"), description=text("similar.description"))
@_words("similar", film="film")
@app_commands.autocomplete(film=_film)
async def _similar(interaction: Interaction, film: Words) -> None:
    await _ask(interaction, Name.LIKE, {"film": film})


@app_commands.command(name=text("why.name"), description=text("why.description"))
@_words("why", film="film")
@app_commands.autocomplete(film=_film)
async def _why(interaction: Interaction, film: Words | None = None) -> None:
    await _ask(interaction, Name.WHY, {"film": film})


@app_commands.command(name=text("history.name"), description=text("history.description"))
@_words("history", search="search")
@app_commands.autocomplete(search=_film)
async def _history(interaction: Interaction, search: Words | None = None) -> None:
    await _ask(interaction, Name.HISTORY, {"film": search})


@app_commands.command(name=text("watchlist.name"), description=text("watchlist.description"))
@_words("watchlist", add="add", remove="remove")
@app_commands.autocomplete(add=_film, remove=_film)
async def _watchlist(interaction: Interaction, add: Words | None = None, remove: Words | None = None) -> None:
    await _ask(interaction, Name.WATCHLIST, {"add": add, "remove": remove})


@app_commands.command(name=text("undo.name"), description=text("undo.description"))
async def _undo(interaction: Interaction) -> None:
    await _ask(interaction, Name.UNDO)


@app_commands.command(name=text("movienight.name"), description=text("movienight.description"))
@_words(
    "movienight",
    first="with",
    second="with2",
    third="with3",
    fourth="with4",
    fifth="with5",
    sixth="with6",
    genre="genre",
    years="years",
    adventure="adventure",
)
@app_commands.choices(genre=_GENRES, adventure=_ADVENTURE)
async def _movienight(
    interaction: Interaction,
    first: discord.User | None = None,
    second: discord.User | None = None,
    third: discord.User | None = None,
    fourth: discord.User | None = None,
    fifth: discord.User | None = None,
    sixth: discord.User | None = None,
    genre: str | None = None,
    years: Words | None = None,
    adventure: str | None = None,
) -> None:
    given = {"genre": genre, "years": years, "adventure": adventure}
    await _ask(interaction, Name.NIGHT, given, (first, second, third, fourth, fifth, sixth))


@app_commands.command(name=text("settings.name"), description=text("settings.description"))
@_words(
    "settings",
    time_zone="time_zone",
    language="language",
    adventurousness="adventurousness",
    answers="answers",
    groups="groups",
)
@app_commands.choices(language=_LANGUAGES, answers=_ANSWERS, groups=_GROUPS)
async def _settings(
    interaction: Interaction,
    time_zone: Words | None = None,
    language: str | None = None,
    adventurousness: Ratio | None = None,
    answers: str | None = None,
    groups: str | None = None,
) -> None:
    given = {
        "time_zone": time_zone,
        "language": language,
        "adventurousness": adventurousness,
        "answers": answers,
        "groups": groups,
    }
    await _ask(interaction, Name.SETTINGS, given)


_privacy = app_commands.Group(name=text("privacy.name"), description=text("privacy.description"))


@_privacy.command(name=text("privacy.see.name"), description=text("privacy.see.description"))
async def _see(interaction: Interaction) -> None:
    await _ask(interaction, Name.PRIVACY)


@_privacy.command(name=text("privacy.export.name"), description=text("privacy.export.description"))
async def _export(interaction: Interaction) -> None:
    await _ask(interaction, Name.EXPORT)


@_privacy.command(name=text("privacy.import.name"), description=text("privacy.import.description"))
@_words("privacy", file="import-file")
async def _import(interaction: Interaction, file: discord.Attachment) -> None:
    if file.size > MAX_FILE:
        await interaction.client.answering.sorry(interaction, "too-big", name=file.filename[:MAX_TEXT])
    else:
        await _ask(interaction, Name.IMPORT, file=file)


@_privacy.command(name=text("privacy.erase.name"), description=text("privacy.erase.description"))
async def _erase(interaction: Interaction) -> None:
    await _ask(interaction, Name.FORGET)


_account = app_commands.Group(name=text("account.name"), description=text("account.description"))


@_account.command(name=text("account.link.name"), description=text("account.link.description"))
@_words("account", code="link-code")
async def _link(interaction: Interaction, code: Words | None = None) -> None:
    await _ask(interaction, Name.LINK, {"code": code})


@_account.command(name=text("account.unlink.name"), description=text("account.unlink.description"))
async def _unlink(interaction: Interaction) -> None:
    await _ask(interaction, Name.UNLINK)


SERVER_PERMISSIONS = discord.Permissions(manage_guild=True)
"""What one must be allowed to do on a server to be shown the command that sets it up."""


@app_commands.command(name=text("server.name"), description=text("server.description"))
@_words(
    "server",
    allow="allow",
    disallow="disallow",
    everywhere="everywhere",
    adventurousness="adventurousness",
)
@app_commands.default_permissions(SERVER_PERMISSIONS)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
async def _server(
    interaction: Interaction,
    allow: discord.TextChannel | discord.Thread | None = None,
    disallow: discord.TextChannel | discord.Thread | None = None,
    everywhere: bool | None = None,
    adventurousness: Ratio | None = None,
) -> None:
    given = {
        "allow": allow.id if allow else None,
        "allow_name": allow.name if allow else None,
        "disallow": disallow.id if disallow else None,
        "everywhere": "yes" if everywhere else None,
        "adventurousness": adventurousness,
    }
    await _ask(interaction, Name.SERVER, given)


@app_commands.command(name=text("help.name"), description=text("help.description"))
async def _help(interaction: Interaction) -> None:
    await _ask(interaction, Name.HELP)


@app_commands.context_menu(name=text("found.name"))
async def _found(interaction: Interaction, message: discord.Message) -> None:
    parts = [message.content, *(embed.description or "" for embed in message.embeds)]
    await _ask(interaction, Name.FOUND, {"text": "\n".join(part for part in parts if part)})


COMMANDS: tuple[app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu, ...] = (
    _watched, _next, _similar, _why, _history, _watchlist, _undo, _movienight, _settings, _privacy, _account, _server,
    _help, _found,
)  # fmt: skip
"""All commands of the bot."""
