"""Logging: structlog in front of the standard library, so that our lines and our libraries' look the same.

Knows nothing of what is logged, only what never is: values under names that speak of secrets are masked, and passwords
in URLs.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.settings import LogFormat, LogLevel

LOG_BYTES = 5_000_000
"""A log file is begun anew when it is this large; the one before is kept beside it."""

_SECRET_WORDS = ("token", "secret", "password", "authorization", "database_url", "redis_url")
# Up to the last @ of the word: a password may hold a / or an @ that should have been escaped.
# The address of an answer to an interaction holds the token to give it.
_TOKEN_IN_PATH = re.compile(r"(/(?:webhooks|interactions)/\d+/)[^/\s?\"']+")
# So do the addresses of answers in Slack and of its sockets; and its tokens say what they are.
_SLACK_SECRET = re.compile(r"(hooks\.slack\.com/)[^\s\"']+|([?&]ticket=)[^&\s\"']+|\b(x(?:ox[a-z.]{1,8}|app)-)[\w-]+")
_PASSWORD_IN_URL = re.compile(r"(://[^\s/:]*:)\S+(?=@)")


class LogFileError(OSError):
    """The log file can't be written; the text is one sentence."""


def mask_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: masks the values whose name speaks of a secret, and passwords in URLs, however deep."""
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(name: object, value: object) -> object:
    if any(word in str(name).lower() for word in _SECRET_WORDS):
        return "***"
    match value:
        case str():
            plain = _SLACK_SECRET.sub(lambda found: f"{found[1] or found[2] or found[3]}***", value)
            return _TOKEN_IN_PATH.sub(r"\1***", _PASSWORD_IN_URL.sub(r"\1***", plain))
        case Mapping():
            return {key: _masked(key, inner) for key, inner in value.items()}
        case list():
            return [_masked("", inner) for inner in value]
        case tuple() | set() | frozenset():
            return tuple(_masked("", inner) for inner in value)
        case _:
            return value


class _PrivateFile(RotatingFileHandler):
    """A log file for its owner alone, also when it is begun anew."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):  # a device is everybody's
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
        return super()._open()


def configure(level: LogLevel, form: LogFormat, file: Path | None) -> None:
    """Send all logging to `file` (made 0600, in a folder made 0700) or, for None, to standard error.

    Raises LogFileError when the file can't be written.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(colors=file is None and sys.stderr.isatty())
    )
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handler = _PrivateFile(file, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
        except OSError as error:
            raise LogFileError(f"The log file {file} can't be written: {error.strerror or error}.") from None
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.value)
    for chatty in ("aiohttp", "alembic", "asyncio", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
