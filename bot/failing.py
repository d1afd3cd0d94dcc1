"""What breaks on a platform, in the log: where it broke, under a short id that the person is told too; never what was
said, and no exception's text, which may hold it."""

from __future__ import annotations

import secrets
import traceback

import structlog

_log = structlog.get_logger(__name__)


def logged(platform: str, kind: str, error: BaseException, code: str | int = 0) -> str:
    """Log where something broke; the short id. `code` is the platform's own for it."""
    number = secrets.token_hex(3)
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    _log.error(
        f"{platform} event failed",
        id=number,
        kind=kind,
        error=type(error).__name__,
        code=code,
        where=[f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    )
    return number
