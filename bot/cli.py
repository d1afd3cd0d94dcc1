"""The `nextreel` command: reads the settings, starts what is asked, and turns known errors into sentences and codes.

`train` and `evaluate` come from the `training` package through entry points, so that nothing here knows it.
"""

from __future__ import annotations

import asyncio
import getpass
import io
import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points, version
from typing import Annotated, Any

import typer

from config import logging as log
from config import settings as configuration

CONFIGURATION_ERROR = configuration.SettingsError.exit_code
"""A setting or a bundle is wrong (EX_CONFIG)."""
CANNOT_STORE = 73
"""The data folder or the database can't be used (EX_CANTCREAT)."""
BROKEN_PIPE = 141
"""Whoever read the output went away, as shells have it (128 + SIGPIPE)."""

app = typer.Typer(
    name="nextreel",
    help="Tell it what you watched, ask what to watch next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nextreel {version('nextreel')}")
        raise typer.Exit


@app.callback()
def _options(
    shown: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Tell it what you watched, ask what to watch next."""


def _end(sentence: str, code: int) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(code)


def _settings() -> configuration.Settings:
    try:
        return configuration.load()
    except configuration.SettingsError as error:
        raise _end(str(error), CONFIGURATION_ERROR) from None


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for this user, as in some containers
        return "local"


@app.command()
def chat(
    user: Annotated[str, typer.Option(help="Whose history it is; by default your name on this machine.")] = "",
) -> None:
    """Talk about films in the terminal; plain lines when input or output is piped."""
    settings = _settings()
    from bot import terminal
    from bot.app import App
    from engine.bundle import BundleError
    from storage.errors import StorageError, WrongUrlError

    try:
        log.configure(settings.log_level, settings.log_format, settings.log_file or settings.data_dir / "nextreel.log")
        with asyncio.Runner() as runner:
            opened = runner.run(App.open(settings))
            try:
                # A stream that is closed at the start is None.
                stdin, stdout = sys.stdin or io.StringIO(), sys.stdout or io.StringIO()
                code = terminal.converse(runner, opened.dialogue.handle, user or _system_user(), stdin, stdout)
            finally:
                runner.run(opened.close())
    except BundleError as error:
        raise _end(str(error), CONFIGURATION_ERROR) from None
    except WrongUrlError as error:
        sentence = f"The setting {configuration.PREFIX}DATABASE_URL is wrong: it should {error.expected}."
        raise _end(sentence, CONFIGURATION_ERROR) from None
    except (StorageError, log.LogFileError) as error:
        raise _end(str(error), CANNOT_STORE) from None
    except KeyboardInterrupt:
        code = terminal.INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more at exit; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BROKEN_PIPE
    raise typer.Exit(code)


@app.command()
def doctor() -> None:
    """Say in plain lines what is set up and what is not; exit code 1 when something is broken."""
    from bot.doctor import examine

    settings = _settings()
    findings = asyncio.run(examine(settings))
    for finding in findings:
        typer.echo(f"{'ok ' if finding.good else 'BAD'}  {finding.subject}: {finding.sentence}")
    raise typer.Exit(0 if all(finding.good for finding in findings) else 1)


def _add_commands_of_other_packages() -> None:
    for entry in sorted(entry_points(group="nextreel.commands"), key=lambda e: e.name, reverse=True):
        command: Callable[..., Any] = entry.load()
        app.command(entry.name)(command)


def run() -> None:
    """Run the command."""
    _add_commands_of_other_packages()
    app()
