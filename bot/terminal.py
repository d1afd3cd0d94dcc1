"""The conversation in a terminal: lines in, replies out, in colour for a person and as plain lines for a script.

Knows standard input and output and how a `Reply` looks in them; decides nothing and understands nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text as RichText

from bot.conversation.action import Verb
from bot.conversation.message import MAX_FILE, Command, Identity, Message, Origin, Place, Text
from bot.conversation.reply import Card, File, Reply
from bot.rendering import heading

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_LONGEST_LINE = 16 * 2**20
_IMPORT = re.compile(r"/\s?import\s+(?P<path>\S.*)", re.IGNORECASE)
_LEAVE = frozenset({"exit", "quit", "/exit", "/quit", "/q", ":q"})
_WELCOME = "Nextreel. Tell me what you watched, or ask “what next?” — “help” shows more, Ctrl-D leaves."
PROMPT = "› "
_BIDIRECTIONAL = (*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROL = {code: None for code in (*range(32), *range(127, 160), *_BIDIRECTIONAL) if code not in (9, 10)}

Handle = Callable[[Message], Awaitable[Reply]]


def printable(text: str) -> str:
    """The text without control characters, bidirectional ones too; tabs and line ends stay. So nothing steers the
    terminal."""
    return text.translate(_CONTROL)


def plain(reply: Reply) -> str:
    """The reply as plain lines: the text, a line a film, a line a choice, the footer."""
    lines = [reply.text] if reply.text else []
    for card in reply.cards:
        parts = (_heading(card), ", ".join(card.genres), card.reason)
        lines += [" · ".join(part for part in parts if part)]
    lines += [f"  {number}. {label}" for number, label in _numbered(reply)]
    if reply.footer:
        lines.append(reply.footer)
    return printable("\n".join(lines))


def styled(reply: Reply) -> RenderableType:
    """The reply for a person's terminal."""
    parts: list[RenderableType] = [RichText(printable(reply.text), style="bold" if reply.cards else "")]
    for card in reply.cards:
        heading = RichText(printable(_heading(card)), style="bold cyan")
        if card.genres:
            heading.append(printable("  " + ", ".join(card.genres)), style="not bold dim")
        parts.append(Padding(heading, (0, 0, 0, 1)))
        if card.reason:
            parts.append(Padding(RichText(printable(card.reason), style="italic"), (0, 0, 0, 4)))
    for number, label in _numbered(reply):
        choice = RichText(f"  {number}. ", style="bold cyan")
        choice.append(printable(label), style="not bold default")
        parts.append(choice)
    if reply.footer:
        parts.append(RichText(printable(reply.footer), style="dim"))
    return Group(*parts)


def _heading(card: Card) -> str:
    return f"{heading(card)} · {card.note}" if card.note else heading(card)


def _numbered(reply: Reply) -> Iterator[tuple[int, str]]:
    """The answers to a question, which are typed by number; what other buttons do is typed in words."""
    answers = (choice for choice in reply.choices if choice.action.verb is Verb.PICK)
    return ((number, choice.label) for number, choice in enumerate(answers, 1))


def converse(runner: asyncio.Runner, handle: Handle, user: str, stdin: TextIO, stdout: TextIO) -> int:
    """Talk until the input ends or the person leaves; returns the exit code.

    Ctrl-C returns `INTERRUPTED` at once: what was not confirmed was not kept. A reader that goes away ends it quietly.
    """
    for stream in (stdin, stdout):
        if isinstance(stream, TextIOWrapper):
            # A byte that is no text, or a sign that this terminal cannot show, is no reason to stop.
            stream.reconfigure(errors="replace")
    person = stdin.isatty() and stdout.isatty()
    console = Console(file=stdout, highlight=False, markup=False, emoji=False)
    lines = _typed(console) if person else _piped(stdin)
    identity = Identity("terminal", "", user)
    place = Place("terminal", "")
    try:
        if person:
            console.print(RichText(_WELCOME, style="bold"))
        for line in lines:
            if line.strip().lower() in _LEAVE:
                break
            message = _message(Origin(identity, place, uuid.uuid4().hex, datetime.now(UTC)), line)
            # A file that is not there is between the person and this machine.
            reply = Reply(message) if isinstance(message, str) else runner.run(_answer(handle, message))
            notes = "".join(f"\n{_save(file, Path.cwd())}" for file in reply.files)
            if person:
                console.print(styled(reply), RichText(notes))
            else:
                stdout.write(f"{plain(reply)}{notes}\n")
                stdout.flush()
    except KeyboardInterrupt:
        console.print()
        return INTERRUPTED
    return 0


def _message(origin: Origin, line: str) -> Message | str:
    """What a line says, with the file that `/import` names; a sentence when that can't be read."""
    found = _IMPORT.fullmatch(line.strip())
    if not found:
        return Text(origin, line)
    file = _read(_path(found["path"]))
    return file if isinstance(file, str) else Command(origin, "import", files=(file,))


def _path(typed: str) -> Path:
    """The path that was typed or dropped here: as it stands, or with the quotes and backslashes of a shell."""
    ways = [typed]
    with contextlib.suppress(ValueError):  # a quote that is never closed is part of the name
        ways.insert(0, " ".join(shlex.split(typed)))
    paths = [_at_home(Path(way)) for way in ways]
    return next((path for path in paths if _is_file(path)), paths[0])


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # the home of nobody
        return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _read(path: Path) -> File | str:
    """A file that a person hands over; a sentence when it is none, can't be read, or is too big."""
    shown = printable(str(path))
    try:
        if path.is_dir():
            return f"{shown} is a folder."
        if not path.is_file():
            return f"There is no file {shown}."
        with path.open("rb") as source:
            content = source.read(MAX_FILE + 1)
    except OSError as error:
        return f"{shown} can't be read: {error.strerror}."
    except ValueError:  # a name that no file can have
        return f"There is no file {shown}."
    if len(content) > MAX_FILE:
        return f"{shown} is too big: files of up to {MAX_FILE >> 20} MB are taken in."
    return File(path.name, "application/octet-stream", content)


async def _answer(handle: Handle, message: Message) -> Reply:
    return await handle(message)


def _typed(console: Console) -> Iterator[str]:
    """What a person types at the prompt, with line editing where the system has it."""
    with contextlib.suppress(ImportError):  # Windows has none
        import readline  # noqa: F401  (importing it is what gives input() its line editing)
    while True:
        try:
            yield input(PROMPT)
        except EOFError:
            console.print()
            return


def _piped(stdin: TextIO) -> Iterator[str]:
    """The lines of a pipe, whatever their bytes; what follows `_LONGEST_LINE` in a line is dropped."""
    source = getattr(stdin, "buffer", None)
    if not isinstance(source, BufferedReader):
        yield from stdin
        return
    while line := source.readline(_LONGEST_LINE):
        rest = line
        while not rest.endswith(b"\n") and (rest := source.readline(_LONGEST_LINE)):
            pass
        yield line.decode("utf-8", errors="replace")


def _save(file: File, folder: Path) -> str:
    """Write a file that came with a reply beside those already there, for its owner alone; returns the sentence to
    show."""
    stem, dot, suffix = file.name.rpartition(".")
    for attempt in range(1, 1000):
        name = file.name if attempt == 1 else f"{stem or file.name}-{attempt}{dot}{suffix}"
        try:
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as target:
                target.write(file.content)
        except FileExistsError:
            continue
        except OSError as error:
            return f"{name} could not be saved here: {error.strerror}."
        return f"Saved as {folder / name}."
    return f"{file.name} could not be saved here: too many files of that name."
