"""`nextreel doctor`: looks at each part as it is set up here and says how it is, in a sentence a part.

Opens what the bot would open, but makes no folder and no database.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from bot.app import load_recommender
from config.settings import DOTENV, PREFIX, TOML, Settings
from engine.bundle import BundleError
from engine.inference import choose_provider
from engine.requests import Request
from storage.errors import NoDatabaseError, StorageError
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, whether it is as it should be, and a sentence about it."""

    subject: str
    good: bool
    sentence: str


async def examine(settings: Settings) -> tuple[Finding, ...]:
    """All findings, in the order in which a start would meet them."""
    program = Finding("program", True, f"nextreel {version('nextreel')} on Python {platform.python_version()}.")
    return (program, _sources(), _data_folder(settings), await _database(settings), *_model(settings))


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
        store = await Store.open(settings.database, create=False)
        try:
            damage = await store.database.damage()
        finally:
            await store.close()
    except NoDatabaseError as error:
        return Finding("database", True, f"{str(error).removesuffix('.')} (made at the first start).")
    except StorageError as error:
        return Finding("database", False, str(error))
    if damage:
        return Finding("database", False, f"it is damaged ({damage[0]}); put back a copy of it from before.")
    return Finding("database", True, "it opens, its schema is the newest, and it is whole.")


def _model(settings: Settings) -> Iterator[Finding]:
    try:
        recommender = load_recommender(settings)
    except BundleError as error:
        yield Finding("model", False, str(error))
        return
    slate = recommender.recommend((), Request(count=1))
    films = f"{len(recommender.catalog):,} films, {recommender.bundle.manifest.vocabulary:,} of them known to the model"
    yield Finding("model", bool(slate.picks), f"{recommender.bundle.label}: verified; {films}.")
    provider, reason = choose_provider(settings.provider.value)
    yield Finding("computing", True, f"on {provider.upper()}: {reason}.")
