"""`nextreel slack …`: what one needs to make the app in Slack, for the people who run the bot."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bot.exits import CONFIGURATION_ERROR, end, read_settings
from config.settings import PREFIX

slack = typer.Typer(name="slack", help="Make the app in Slack: its manifest, and a key.", no_args_is_help=True)


@slack.command()
def manifest(
    http: Annotated[bool, typer.Option("--http", help="For HTTP instead of Socket Mode.")] = False,
    url: Annotated[str, typer.Option(help="Where Slack reaches the bot; by default the setting for it.")] = "",
) -> None:
    """Print the app's manifest, to be pasted at api.slack.com/apps under “From a manifest”."""
    from bot.slack.manifest import manifest as made

    public = url or read_settings().slack_public_url
    if http and not public:
        raise end(
            f"Set {PREFIX}SLACK_PUBLIC_URL or give --url: by HTTP, Slack must know where to send to.",
            CONFIGURATION_ERROR,
        )
    if public and not public.startswith(("http://", "https://")):
        raise end("The address must begin with https:// (or http://).", CONFIGURATION_ERROR)
    typer.echo(json.dumps(made(public, socket_mode=not http), indent=2, ensure_ascii=False))


@slack.command()
def key() -> None:
    """Print a new key that encrypts the tokens of workspaces, for NEXTREEL_SLACK_TOKEN_KEY."""
    from bot.slack.installations import new_key

    typer.echo(new_key())
