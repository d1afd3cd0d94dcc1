"""`nextreel run`: every platform that has a token, in one process, until it is told to end.

Knows which settings belong to which platform and how each is started and ended; a new platform is one more entry of
`platforms`.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from bot.app import App
from config.settings import PREFIX, Settings

_log = structlog.get_logger(__name__)


class PlatformError(Exception):
    """A platform can't be used; the text is one sentence. `configured`: a setting is wrong, not the platform away."""

    def __init__(self, sentence: str, *, configured: bool) -> None:
        super().__init__(sentence)
        self.configured = configured


@dataclass(frozen=True, slots=True)
class Platform:
    """Something that runs until it is closed."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]
    close: Callable[[], Coroutine[Any, Any, None]]


def has_platform(settings: Settings) -> bool:
    """Whether any platform has a token."""
    return bool(settings.discord_token) or has_slack(settings)


def has_slack(settings: Settings) -> bool:
    """Whether anything is set that only an answer in Slack needs; whether that is enough, is checked."""
    return any(
        (settings.slack_bot_token, settings.slack_client_id, settings.slack_app_token, settings.slack_signing_secret)
    )


def platforms(app: App) -> list[Platform]:
    """The platforms that have a token."""
    found = [_discord(app)] if app.settings.discord_token else []
    return [*found, _slack(app)] if has_slack(app.settings) else found


async def serve(settings: Settings) -> None:
    """Run all platforms until a signal says to end, or one of them can't go on (PlatformError).

    Raises what `App.open` raises, each one sentence for a person.
    """
    if has_slack(settings):
        _check_slack(settings)
    app = await App.open(settings)
    try:
        await app.dialogue.warm_up()
        app.go_on()
        await _run(platforms(app))
    finally:
        await app.close()


async def _run(started: list[Platform]) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    tasks = {asyncio.create_task(platform.run()): platform for platform in started}
    waiting = asyncio.create_task(ending.wait())
    try:
        await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        _log.info("ending", platforms=[platform.name for platform in started])
        await asyncio.gather(*(platform.close() for platform in started))
        await asyncio.gather(*tasks)
    finally:
        waiting.cancel()
        for task in tasks:
            task.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _discord(app: App) -> Platform:
    # Imported only where it runs: the terminal starts without it.
    import aiohttp
    import discord

    from bot.discord.bot import Addresses, Bot

    settings = app.settings
    token = settings.discord_token.get_secret_value() if settings.discord_token else ""
    bot = Bot(app.dialogue, app.store, Addresses(settings.discord_api_url, settings.discord_gateway_url))

    async def run() -> None:
        try:
            await bot.start(token)
        except discord.LoginFailure:
            raise PlatformError(
                f"The setting {PREFIX}DISCORD_TOKEN is wrong: Discord knows no bot of that token.", configured=True
            ) from None
        except discord.PrivilegedIntentsRequired:
            raise PlatformError("Discord does not allow this bot the events it asks for.", configured=True) from None
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise PlatformError(f"Discord can't be reached ({type(error).__name__}).", configured=False) from None
        except (KeyError, TypeError, ValueError) as error:
            sentence = f"What answers there does not answer as Discord does ({type(error).__name__})."
            raise PlatformError(sentence, configured=settings.discord_api_url is not None) from None

    return Platform("discord", run, bot.close)


def _slack(app: App) -> Platform:
    # Imported only where it runs: the terminal starts without it.
    from bot.slack.bot import Bot, SlackAwayError, WrongSettingsError

    bot = Bot(app.dialogue, app.store, app.settings)

    async def run() -> None:
        try:
            await bot.run()
        except WrongSettingsError as error:
            raise PlatformError(str(error), configured=True) from None
        except SlackAwayError as error:
            raise PlatformError(str(error), configured=False) from None

    return Platform("slack", run, bot.close)


def _check_slack(settings: Settings) -> None:
    from bot.slack.bot import WrongSettingsError, check

    try:
        check(settings)
    except WrongSettingsError as error:
        raise PlatformError(str(error), configured=True) from None
