"""`nextreel db …`: the database looked at, brought up to date, copied and put back, for the people who run the bot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.exits import CANNOT_STORE, end, known_errors, read_settings

if TYPE_CHECKING:
    from storage.database import Database

db = typer.Typer(name="db", help="Look after the database: upgrade, check, back up, restore.", no_args_is_help=True)


@db.command()
def current() -> None:
    """Say which schema the database has and which this program needs."""

    async def look(database: Database) -> None:
        from storage.database import REVISION, check_not_newer

        revision = await database.revision()
        check_not_newer(revision or "", database.label)
        if revision is None:
            typer.echo(f"{database.label}: empty; this program makes {REVISION}.")
        elif revision == REVISION:
            typer.echo(f"{database.label}: {revision}, the newest.")
        else:
            typer.echo(f"{database.label}: {revision}; “nextreel db upgrade” or the next start makes it {REVISION}.")

    _with_database(look)


@db.command()
def upgrade() -> None:
    """Bring the database to the newest schema; a start does that, too."""

    async def bring(database: Database) -> None:
        before = await database.revision()
        await database.upgrade()
        after = await database.revision()
        said = f"already {after}, the newest" if before == after else f"{before or 'empty'} before, {after} now"
        typer.echo(f"{database.label}: {said}.")

    _with_database(bring, create=True)


@db.command()
def check() -> None:
    """Read everything and say what is wrong; exit code 1 when something is."""

    async def look(database: Database) -> None:
        from storage.database import REVISION, check_not_newer

        found = await database.damage(deep=True)
        revision = await database.revision()
        if (revision or "") < REVISION:
            found += (f"its schema is {revision or 'empty'}, not {REVISION}; run “nextreel db upgrade”",)
        for problem in found:
            typer.echo(f"{database.label}: {problem}")
        check_not_newer(revision or "", database.label)
        if found:
            raise typer.Exit(1)
        typer.echo(f"{database.label}: whole, its schema is {revision}, the newest.")

    _with_database(look)


@db.command()
def backup(
    target: Annotated[
        Path | None, typer.Argument(help="File to make; by default one with the time in backups/ in the data folder.")
    ] = None,
) -> None:
    """Copy the database to a file while the bot runs on. The copy keeps what people erase later: delete old ones."""
    settings = read_settings()
    chosen = target or settings.data_dir / "backups" / f"nextreel-{datetime.now().astimezone():%Y%m%d-%H%M%S}.backup"

    async def copy(database: Database) -> None:
        if target is None:
            try:
                chosen.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            except OSError as error:
                reason = (error.strerror or "unknown reason").lower()
                raise end(f"The folder {chosen.parent} can't be made: {reason}.", CANNOT_STORE) from None
        await database.backup(chosen)
        typer.echo(f"{database.label}: copied to {chosen}, and the copy is whole.")

    _with_database(copy)


@db.command()
def restore(
    source: Annotated[Path, typer.Argument(help="File that “nextreel db backup” made.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the place of what the database holds now. Stop the bot first; what came since is lost."""
    ask = not yes

    async def prepare() -> None:
        nonlocal ask
        from storage.sqlite import check_copy  # of a file alone it is seen that it is not there

        ask = False
        await check_copy(source)

    async def put_back(database: Database) -> None:
        if ask and not typer.confirm(f"Replace everything in {database.label} by {source}?"):
            raise typer.Exit(1)
        await database.restore(source)
        typer.echo(f"{database.label}: restored from {source}.")

    _with_database(put_back, create=True, before_making=prepare)


def _with_database(
    work: Callable[[Database], Awaitable[None]],
    *,
    create: bool = False,
    before_making: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Do something with the database of the settings, as it is; where there is none, `before_making` may raise."""
    settings = read_settings()

    async def run() -> None:
        from storage.database import open_database
        from storage.errors import NoDatabaseError

        try:
            database = await open_database(settings.database, create=create and not before_making, migrate=False)
        except NoDatabaseError:
            if before_making is None:
                raise
            await before_making()
            database = await open_database(settings.database, migrate=False)
        try:
            await work(database)
        finally:
            await database.close()

    with known_errors():
        asyncio.run(run())
