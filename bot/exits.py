"""How the `nextreel` command ends: exit codes, and known errors as one sentence on standard error.

Knows which error is whose fault; nothing of what was being done.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from config import settings as configuration

CONFIGURATION_ERROR = configuration.SettingsError.exit_code
"""A setting or a bundle is wrong (EX_CONFIG)."""
WRONG_DATA = 65
"""A file that was given is not of its form (EX_DATAERR)."""
CANNOT_STORE = 73
"""The data folder or the database can't be used (EX_CANTCREAT)."""
UNAVAILABLE = 69
"""A platform can't be reached (EX_UNAVAILABLE)."""
BROKEN_PIPE = 141
"""Whoever read the output went away, as shells have it (128 + SIGPIPE)."""


def end(sentence: str, code: int) -> typer.Exit:
    """Say why it ends; to be raised."""
    typer.echo(sentence, err=True)
    return typer.Exit(code)


def read_settings() -> configuration.Settings:
    """The settings; one that is wrong ends the command with its sentence."""
    try:
        return configuration.load()
    except configuration.SettingsError as error:
        raise end(str(error), CONFIGURATION_ERROR) from None


@contextmanager
def known_errors() -> Iterator[None]:
    """End with a sentence and a code for what is known to go wrong with bundle, aliases, database, Redis and log."""
    from config.logging import LogFileError
    from engine.aliases import AliasError
    from engine.bundle import BundleError
    from storage.errors import StorageError, WrongUrlError
    from storage.redis import WrongRedisUrlError

    try:
        yield
    except (BundleError, AliasError) as error:
        raise end(str(error), CONFIGURATION_ERROR) from None
    except WrongUrlError as error:
        raise end(_wrong("DATABASE_URL", error.expected), CONFIGURATION_ERROR) from None
    except WrongRedisUrlError as error:
        raise end(_wrong("REDIS_URL", error.expected), CONFIGURATION_ERROR) from None
    except (StorageError, LogFileError) as error:
        raise end(str(error), CANNOT_STORE) from None


def _wrong(setting: str, expected: str) -> str:
    return f"The setting {configuration.PREFIX}{setting} is wrong: it should {expected}."
