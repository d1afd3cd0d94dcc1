"""The `nextreel` command: reads the settings, starts what is asked, and turns known errors into sentences and codes.

`train`, `evaluate` and `data` come from the `training` package through entry points, so that nothing here knows it.
"""

from __future__ import annotations

import asyncio
import getpass
import io
import os
import sys
from collections.abc import Callable
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.exits import BROKEN_PIPE, CONFIGURATION_ERROR, UNAVAILABLE, WRONG_DATA, end, known_errors, read_settings
from bot.operations import db
from bot.set_up import slack
from config import logging as log
from config.settings import PREFIX, LogFormat, LogLevel

app = typer.Typer(
    name="nextreel",
    help="Tell it what you watched, ask what to watch next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


app.add_typer(db)
app.add_typer(slack)


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
    settings = read_settings()
    from bot import terminal
    from bot.app import App

    try:
        with known_errors():
            log_file = settings.log_file or settings.data_dir / "nextreel.log"
            log.configure(settings.log_level, settings.log_format, log_file)
            with asyncio.Runner() as runner:
                opened = runner.run(App.open(settings, limited=False))
                try:
                    # A stream that is closed at the start is None.
                    stdin, stdout = sys.stdin or io.StringIO(), sys.stdout or io.StringIO()
                    code = terminal.converse(runner, opened.dialogue.handle, user or _system_user(), stdin, stdout)
                    runner.run(opened.tidy())
                finally:
                    runner.run(opened.close())
    except KeyboardInterrupt:
        code = terminal.INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more at exit; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = BROKEN_PIPE
    raise typer.Exit(code)


@app.command()
def run() -> None:
    """Answer on every platform that has a token, until it is told to end."""
    settings = read_settings()
    from bot.running import PlatformError, has_platform, serve

    if not has_platform(settings):
        raise end(
            f"Set {PREFIX}DISCORD_TOKEN or {PREFIX}SLACK_BOT_TOKEN: there is no platform to answer on.",
            CONFIGURATION_ERROR,
        )
    with known_errors():
        log.configure(settings.log_level, settings.log_format, settings.log_file)
        try:
            asyncio.run(serve(settings))
        except PlatformError as error:
            raise end(str(error), CONFIGURATION_ERROR if error.configured else UNAVAILABLE) from None


@app.command()
def doctor() -> None:
    """Say in plain lines what is set up and what is not; exit code 1 when something is broken."""
    from bot.doctor import examine

    settings = read_settings()
    findings = asyncio.run(examine(settings))
    for finding in findings:
        mark = "ok " if finding.good else "BAD" if finding.needed else "-- "
        typer.echo(f"{mark}  {finding.subject}: {finding.sentence}")
    raise typer.Exit(0 if all(finding.good or not finding.needed for finding in findings) else 1)


@app.command()
def announce() -> None:
    """Tell the running bots, through Redis, to take over the bundle of the settings, if it is good.

    Bots that run on, on the platforms, hear it; `chat` does not: end it and start it again.
    """
    from bot.app import announce_bundle

    settings = read_settings()
    if settings.redis_url is None:
        raise end(f"Set {PREFIX}REDIS_URL: it is Redis that the running bots hear this through.", CONFIGURATION_ERROR)
    with known_errors():
        announced = asyncio.run(announce_bundle(settings))
    if announced.processes:
        processes = "1 process" if announced.processes == 1 else f"{announced.processes} processes"
        typer.echo(f"Announced: {announced.label}, to {processes}.")
    else:
        typer.echo("Nobody was listening.")


@app.command("evaluate-understanding")
def evaluate_understanding(
    cases: Annotated[list[Path], typer.Argument(help="YAML files of cases, as in tests/conversation.")],
    mentions: Annotated[Path | None, typer.Option(help="A YAML file of film mentions in a chat.")] = None,
    chat: Annotated[Path | None, typer.Option(help="The folder of that chat.")] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="Tell every case that came out otherwise, too.")] = False,
) -> None:
    """Type cases into conversations and report how well they were understood."""
    try:
        from bot.evaluating.report import examined
    except ModuleNotFoundError as error:
        if error.name != "yaml":
            raise
        raise end("Cases are YAML, which needs the package: pip install pyyaml.", CONFIGURATION_ERROR) from None
    from bot.evaluating.cases import CaseError

    log.configure(LogLevel.WARNING, LogFormat.CONSOLE, None)
    try:
        report = asyncio.run(examined(cases, mentions, chat))
    except (CaseError, OSError) as error:
        raise end(f"{str(error).removesuffix('.')}.", WRONG_DATA) from None
    typer.echo(report.told(wrong=wrong))


def _add_commands_of_other_packages() -> None:
    for entry in sorted(entry_points(group="nextreel.commands"), key=lambda e: e.name, reverse=True):
        command: Callable[..., Any] | typer.Typer = entry.load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(entry.name)(command)


def main() -> None:
    """Run the command."""
    _add_commands_of_other_packages()
    app(prog_name="nextreel")
