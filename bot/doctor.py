"""`nextreel doctor`: looks at each part as it is set up here and says how it is, in a sentence a part.

Opens what the bot would open, but makes no folder and no database.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from bot.app import load_recommender, open_cache
from config.settings import DOTENV, PREFIX, TOML, Settings
from engine.aliases import AliasError, read_aliases
from engine.bundle import BundleError
from engine.inference import choose_provider
from engine.recommender import Recommender
from engine.requests import Request
from storage.database import REVISION, check_not_newer, open_database
from storage.errors import NoDatabaseError, StorageError
from storage.sqlite import SqliteDatabase


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is as it should be, and a sentence about it; the bot runs without what is not
    `needed`."""

    subject: str
    good: bool
    sentence: str
    needed: bool = True


async def examine(settings: Settings) -> tuple[Finding, ...]:
    """All findings, in the order in which a start would meet them."""
    program = Finding("program", True, f"nextreel {version('nextreel')} on Python {platform.python_version()}.")
    kept = (await _database(settings), await _redis(settings))
    return (program, _sources(), _data_folder(settings), *kept, *_model(settings), _platforms(settings))


def _platforms(settings: Settings) -> Finding:
    """Whether there is anything for “nextreel run” to do; whether a token is good only the platform can say."""
    if settings.discord_token is None:
        sentence = f"none has a token; {PREFIX}DISCORD_TOKEN is Discord's. “nextreel chat” needs none."
        return Finding("platforms", False, sentence, needed=False)
    return Finding("platforms", True, "Discord has a token; “nextreel run” answers there.")


def _sources() -> Finding:
    files = [str(file) for file in (DOTENV, TOML) if file.exists()]
    variables = sorted(name for name in os.environ if name.startswith(PREFIX))
    said = ", ".join([*variables, *files])
    return Finding("settings", True, f"from {said}." if said else "all at their defaults.")


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    # `exists` raises where a folder above may not be entered; what cannot be seen counts as not there.
    existing = next(parent for parent in (folder, *folder.absolute().parents) if os.access(parent, os.F_OK))
    if not existing.is_dir():
        return Finding("data folder", False, f"{folder} can't be made: {existing} is a file.")
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding("data folder", False, f"{existing} can't be written; set {PREFIX}DATA_DIR to a folder that can.")
    return Finding("data folder", True, f"{folder}{'' if existing == folder else ' (made at the first start)'}.")


async def _database(settings: Settings) -> Finding:
    try:
        database = await open_database(settings.database, create=False, migrate=False)
        try:
            damage = await database.damage()
            revision = await database.revision()
            check_not_newer(revision or "", database.label)
        finally:
            await database.close()
    except NoDatabaseError as error:
        return Finding("database", True, f"{str(error).removesuffix('.')} (made at the first start).")
    except StorageError as error:
        return Finding("database", False, str(error))
    if damage:
        return Finding("database", False, f"{damage[0]}; “nextreel db check” says more.")
    # The quick look reads a file to its end; of a server it reads what it promises.
    looked = "is whole" if isinstance(database, SqliteDatabase) else "keeps its promises"
    found = f"its schema is {revision}" if revision else "it is empty"
    schema = "its schema is the newest" if revision == REVISION else f"{found}, a start makes it {REVISION}"
    return Finding("database", True, f"{database.label} opens and {looked}; {schema}.")


async def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        return Finding("Redis", True, "none is set; what it would hold stays in the process.")
    try:
        cache = open_cache(settings)
    except StorageError as error:
        return Finding("Redis", False, str(error))
    try:
        complaint = await cache.redis.complaint() if cache.redis else None
        label = cache.redis.label if cache.redis else ""
    finally:
        await cache.close()
    if complaint:
        return Finding("Redis", False, f"{complaint.removesuffix('.')}; the bot works without it.", needed=False)
    return Finding("Redis", True, f"{label} answers.")


def _aliases(settings: Settings, recommender: Recommender) -> Finding:
    shipped = f"{recommender.titles.alias_count:,} names that people use ship with it"
    if settings.aliases is None:
        return Finding("aliases", True, f"{shipped}; none of your own are set.")
    try:
        own = read_aliases(settings.aliases, recommender.titles, recommender.catalog)
    except AliasError as error:
        return Finding("aliases", False, str(error))
    return Finding("aliases", True, f"{len(own):,} from {settings.aliases}; {shipped}.")


def _model(settings: Settings) -> Iterator[Finding]:
    try:
        recommender = load_recommender(settings.model_copy(update={"aliases": None}))
    except BundleError as error:
        yield Finding("model", False, str(error))
        return
    slate = recommender.recommend((), Request(count=1))
    films = f"{len(recommender.catalog):,} films, {recommender.bundle.manifest.vocabulary:,} of them known to the model"
    yield Finding("model", bool(slate.picks), f"{recommender.bundle.label}: verified; {films}.")
    yield _aliases(settings, recommender)
    provider, reason = choose_provider(settings.provider.value)
    yield Finding("computing", True, f"on {provider.upper()}: {reason}.")
