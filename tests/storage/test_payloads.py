"""Whatever is said comes back as it was said, and is never run: through every field, on both kinds of database.

What can't be kept is refused with ValueError before anything is written. The package's SQL holds no values either.
"""

from __future__ import annotations

import ast
import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import storage
from storage import tables
from storage.changes import (
    AddFilm,
    Change,
    GiveFeedback,
    LogWatch,
    OfferLink,
    RateWatch,
    SetContext,
    SetPreference,
    ShowSlate,
)
from storage.ids import code_hash, new_film_id, new_id
from storage.portable.exporting import FilmName, to_zip
from storage.portable.importing import from_zip
from storage.records import (
    MAX_KEY_BYTES,
    AddedFilm,
    FeedbackKind,
    IdentityKey,
    MessageId,
    MessageKey,
    PlaceKey,
    Preference,
    ShownPick,
    ShownSlate,
    SlateId,
)
from storage.store import Store
from tests.storage.conftest import ADA, HERE, NOON, Talker

NOISE = "".join(random.Random(1).choices([chr(sign) for sign in range(0x4E00, 0x9FFF)], k=350_000))  # 1 MB of UTF-8

PAYLOADS = {
    "sql comment": "'; DROP TABLE watches; --",
    "sql tautology": '" OR 1=1 --',
    "sql second statement": "Robert'); DELETE FROM people;--",
    "postgres": "$$; SELECT pg_sleep(100); $$ E'\\x27' ::text",
    "parameters": ":name %s %(name)s %% ? ?1 $1 @p {0} {} {a.b} \\",
    "like": "%_[]^",
    "redis": "\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    "markup": "<script>alert(1)</script> <@123> <!channel> @everyone *bold* [a](javascript:b) ||spoiler||",
    "escapes": "\x1b[31m\x07\r\n\t\x7f\x01",
    "formula": '=HYPERLINK("http://evil","a")',
    "path": "../../../etc/passwd",
    "json": '{"a": "\\u0000", "__proto__": {}}',
    "unicode": "żółć 🎬 \u202e rtl \u0301 \ufeff \uffff \U0010ffff",
    "nothing": "",
    "NUL": "a\0b",
    "half a pair": "a\ud83db",
    "long": "x" * 1_000_000,
    "long and dense": NOISE,
}

Field = Callable[[Talker, str], Awaitable[object]]


async def identity(talker: Talker, platform: str, workspace: str, user: str) -> object:
    """Say something as that account; the account as it is kept."""
    key = IdentityKey(platform, workspace, user)
    stranger = Talker(talker.store, identity=key)
    await stranger.say(LogWatch(1))
    person = (await stranger.read()).person
    assert person is not None
    (found,) = await talker.store.accounts(person)
    await talker.store.erase(key, None, NOON)
    return (found.platform, found.workspace, found.user)


async def place(talker: Talker, platform: str, workspace: str, channel: str, thread: str) -> object:
    """Say something there; what is kept of that place, and what is known there."""
    talker.place = PlaceKey(platform, workspace, channel, thread)
    await talker.say(SetContext({"here": True}, talker.moment + timedelta(hours=1)))
    await say_slate(talker, "starter-1", {}, {})
    snapshot = await talker.read()
    assert snapshot.context == {"here": True}
    assert snapshot.last_slate is not None
    talker.place = HERE
    rows = await table(talker.store, "contexts")
    return tuple(rows[-1][name] for name in ("platform", "workspace", "channel", "thread"))


async def event(talker: Talker, platform: str, workspace: str, event_id: str) -> object:
    """Deliver a message twice; its key as it is kept."""
    key = MessageKey(platform, workspace, event_id)
    assert (await talker.deliver(key, MessageId(new_id()), [LogWatch(1)], "Once.")).done
    assert not (await talker.deliver(key, MessageId(new_id()), [LogWatch(2)], "Twice.")).done
    rows = await table(talker.store, "messages")
    return next(
        tuple(row[name] for name in ("platform", "workspace", "event_id")) for row in rows if row["reply"] == "Once."
    )


async def reply(talker: Talker, text: str) -> object:
    key = talker.key()
    await talker.deliver(key, MessageId(new_id()), [LogWatch(1)], text)
    return (await talker.read(key)).earlier_reply


async def watch(talker: Talker, change: LogWatch, field: str) -> object:
    await talker.say(change)
    found: object = getattr((await talker.read()).history[-1], field)
    return found


async def rating(talker: Talker, text: str) -> object:
    change = LogWatch(1)
    await talker.say(change)
    (kept,) = (await talker.read()).history
    await talker.say(RateWatch(kept.watch_id, reaction=text))
    return (await talker.read()).history[0].reaction


async def title(talker: Talker, text: str) -> object:
    await talker.say(AddFilm(AddedFilm(new_film_id(), text)))
    return (await talker.read()).added_films[0].title


async def context(talker: Talker, text: str) -> object:
    await talker.say(SetContext({"said": text, text: [text]}, talker.moment + timedelta(hours=1)))
    found = (await talker.read()).context
    assert found == {"said": text, text: [text]}
    return text


async def say_slate(talker: Talker, bundle: str, request: dict[str, object], reason: dict[str, object]) -> ShownSlate:
    """Show a slate; how it is kept."""
    message_id = MessageId(new_id())
    slate = ShownSlate(SlateId(new_id()), message_id, bundle, request, (ShownPick(1, 1, 1.0, reason),), talker.moment)
    await talker.deliver(MessageKey("terminal", "", str(new_id())), message_id, [ShowSlate(slate)], "Here.")
    found = await talker.store.slate(slate.slate_id)
    assert found is not None
    assert found[1] == slate
    return found[1]


async def bundle(talker: Talker, text: str) -> object:
    return (await say_slate(talker, text, {}, {})).bundle


async def request(talker: Talker, text: str) -> object:
    return (await say_slate(talker, "starter-1", {"genre": text, text: 1}, {})).request["genre"]


async def reason(talker: Talker, text: str) -> object:
    return (await say_slate(talker, "starter-1", {}, {"because": text, text: 1})).picks[0].reason["because"]


async def code(talker: Talker, text: str) -> object:
    await talker.say(OfferLink(text, talker.moment + timedelta(hours=1)))
    offer = await talker.store.link_offer(code_hash(text), talker.moment)
    assert offer is not None
    (row,) = await table(talker.store, "link_codes")
    assert re.fullmatch("[0-9a-f]{64}", str(row["code_hash"]))
    return text


def preference(name: Preference) -> Field:
    """A field that is a setting."""

    async def keep(talker: Talker, text: str) -> object:
        await talker.say(SetPreference(name, text))
        return getattr((await talker.read()).preferences, name.value)

    return keep


FIELDS: dict[str, Field] = {
    "identity.platform": lambda talker, text: identity(talker, text, "w", "u"),
    "identity.workspace": lambda talker, text: identity(talker, "p", text, "u"),
    "identity.user": lambda talker, text: identity(talker, "p", "w", text),
    "place.platform": lambda talker, text: place(talker, text, "", "", ""),
    "place.workspace": lambda talker, text: place(talker, "", text, "", ""),
    "place.channel": lambda talker, text: place(talker, "", "", text, ""),
    "place.thread": lambda talker, text: place(talker, "", "", "", text),
    "event.platform": lambda talker, text: event(talker, text, "w", "e"),
    "event.workspace": lambda talker, text: event(talker, "p", text, "e"),
    "event.event_id": lambda talker, text: event(talker, "p", "w", text),
    "reply": reply,
    "reaction": lambda talker, text: watch(talker, LogWatch(1, reaction=text), "reaction"),
    "reaction said later": rating,
    "source": lambda talker, text: watch(talker, LogWatch(1, source=text, source_key="k"), "source"),
    "source_key": lambda talker, text: watch(talker, LogWatch(1, source_key=text), "source_key"),
    "title": title,
    "context": context,
    "bundle": bundle,
    "request": request,
    "reason": reason,
    "code": code,
    **{f"setting {name}": preference(name) for name in Preference},
}
KEYS = {name for name in FIELDS if name.startswith(("identity", "place", "event", "source"))}
"""What is looked for by an index, which takes no text of a megabyte."""
SAID_BEFORE = {"reaction said later"}
"""Where something else has to be said first, and is kept."""


async def table(store: Store, name: str) -> list[dict[str, object]]:
    """The rows of a table."""
    found = tables.metadata.tables[name]
    rows = await store.database.read(
        lambda connection: connection.execute(select(found).order_by(*found.primary_key.columns)).all()
    )
    return [dict(row._mapping) for row in rows]


async def everything(store: Store) -> dict[str, list[dict[str, object]]]:
    """All that is in the database."""
    return {name: await table(store, name) for name in tables.metadata.tables}


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_a_text_comes_back_or_is_refused_before_anything_is_written(store: Store, payload: str) -> None:
    text = PAYLOADS[payload]
    ben = Talker(store, identity=IdentityKey("terminal", "", "ben"))
    await ben.say(LogWatch(1, reaction="grand"), GiveFeedback(2, FeedbackKind.WANTED))
    before = await everything(store)
    refused = set()
    for name, field in FIELDS.items():
        talker = Talker(store, identity=IdentityKey("terminal", "", f"ada {name}"))
        try:
            came_back = await field(talker, text)
        except ValueError:
            refused.add(name)
            assert name in SAID_BEFORE or await everything(store) == before, name
        else:
            assert came_back == text or (isinstance(came_back, tuple) and text in came_back), name
        await store.erase(talker.identity, None, NOON)
        await store.database.write(lambda connection: connection.execute(tables.erased_events.delete()))
        assert await everything(store) == before, name
    assert refused - {f"setting {name}" for name in Preference} == refusals(payload)


def refusals(payload: str) -> set[str]:
    """The fields that can't hold a payload; no setting can hold any."""
    match payload:
        case "NUL" | "half a pair":
            return set(FIELDS) - {"context", "request", "reason", "code"} - {f"setting {name}" for name in Preference}
        case "long" | "long and dense":
            return KEYS | {"title"}
        case "nothing":
            return {"title"}
    return set()


async def test_a_refusal_writes_nothing(store: Store, ada: Talker) -> None:
    """A change that can't be made is refused as such, so that it can't be the second of two that are half made."""
    await ada.say(LogWatch(1))
    before = await everything(store)
    for bad in ("\0", "\ud800"):
        makers: list[Callable[[], Change]] = [
            lambda bad=bad: LogWatch(2, reaction=bad),
            lambda bad=bad: LogWatch(2, source=bad),
            lambda bad=bad: LogWatch(2, source_key=bad),
            lambda bad=bad: RateWatch(1, reaction=bad),  # type: ignore[arg-type]  # any number
            lambda bad=bad: AddFilm(AddedFilm(new_film_id(), bad)),
            *(lambda bad=bad, name=name: SetPreference(name, bad) for name in Preference),
        ]
        for maker in makers:
            with pytest.raises(ValueError):  # noqa: PT011 (whatever it says)
                maker()
        with pytest.raises(ValueError, match="NUL"):
            await ada.say(LogWatch(2), reply=bad)
        for kind in (IdentityKey, MessageKey):
            with pytest.raises(ValueError, match="NUL"):
                kind("terminal", "", bad)
    assert await everything(store) == before


async def test_a_key_as_long_as_allowed_is_kept_on_every_database(store: Store) -> None:
    """The longest text, the hardest to make shorter, in every key that an index holds."""
    chance = random.Random(3)
    for parts in (1, 2, 3, 4):
        texts = [
            "".join(chance.choices("0123456789abcdefghijklmnopqrstuvwxyz+/", k=MAX_KEY_BYTES // parts))
            for _ in range(parts)
        ]
        first, second, third, fourth = (texts + [""] * 3)[:4]
        user, where = IdentityKey(first, second, third), PlaceKey(first, second, third, fourth)
        talker = Talker(store, identity=user if parts < 4 else ADA, place=where)
        await talker.deliver(
            MessageKey(first, second, third),
            MessageId(new_id()),
            [
                LogWatch(parts, source=first if parts == 2 else "", source_key=second),
                SetContext({"a": 1}, NOON + timedelta(days=1)),
            ],
            "Done.",
        )
        await say_slate(talker, "starter-1", {}, {})
        snapshot = await talker.read(MessageKey("terminal", "", "another"))
        assert snapshot.context == {"a": 1}
        assert snapshot.last_slate is not None
    with pytest.raises(ValueError, match="bytes"):
        IdentityKey("", "", "x" * (MAX_KEY_BYTES + 1))


def check_every_text_is_exported(content: bytes, text: str) -> None:
    """The import of an export has the text as it was."""
    found = from_zip(content)
    assert found.problems == ()
    (log,) = [change for change in found.changes if isinstance(change, LogWatch)]
    assert (log.reaction, log.source, log.source_key) == (text, text, text)


def test_any_text_comes_back_through_all_fields_at_once(url: str, kind: str) -> None:
    async def check(store: Store, text: str) -> None:
        talker = Talker(store, IdentityKey(text, text, text), PlaceKey(text, text, text, text))
        key, message_id = MessageKey(text, text, text), MessageId(new_id())
        pick = ShownPick(1, 1, 1.0, {"r": text})
        slate = ShownSlate(SlateId(new_id()), message_id, text, {"q": text, text: 1}, (pick,), NOON)
        watched = LogWatch(1, reaction=text, source=text, source_key=text)
        told = SetContext({"c": text, text: 2}, NOON + timedelta(hours=1))
        await talker.deliver(key, message_id, [watched, ShowSlate(slate), told], text)
        snapshot = await talker.read(key)
        (kept,) = snapshot.history
        assert (kept.reaction, kept.source, kept.source_key) == (text, text, text)
        assert (snapshot.earlier_reply, snapshot.last_slate) == (text, slate)
        assert snapshot.context == {"c": text, text: 2}
        exported = await store.everything(talker.identity)
        assert exported is not None
        check_every_text_is_exported(to_zip(exported, lambda _: FilmName(text), NOON), text)
        await store.erase(talker.identity, None, NOON)
        assert (await talker.read(key)).person is None

    with asyncio.Runner() as runner:
        store = runner.run(Store.open(url))

        @settings(max_examples=40, deadline=None)
        @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
        def law(text: str) -> None:
            runner.run(check(store, text))

        try:
            law()
        finally:
            runner.run(store.close())


PACKAGE = Path(storage.__file__).parent
SQL_WORD = re.compile(
    r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|DROP|CREATE|ALTER|TRUNCATE|COPY|ATTACH|PRAGMA|VACUUM|BEGIN|LOCK|SET)\b"
)
RUNS_TEXT = {"text", "exec_driver_sql", "literal_column", "DDL", "executescript"}
RUNS_ANYTHING = {"execute", "executemany", "scalar", "scalars"}

ALLOWED = {
    # Names and numbers of the program's own: PRAGMA, SET and LOCK take no parameters, and a table's name never is one.
    ("sqlite.py", "check"),
    ("sqlite.py", "int(database.BUSY_SECONDS * 1000)"),
    ("sqlite.py", "pragma"),
    ("sqlite.py", "wanted"),
    ("sqlite.py", "begin"),
    ("postgres.py", "quoted"),
    ("dumps.py", "lock_seconds"),
    ("dumps.py", "tables"),
}


def built_sql(tree: ast.AST) -> Iterator[str]:
    """What a module puts into texts with SQL in them, and what it runs that is not written there."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values) if _has_sql(values):
                put_in = [part.value for part in values if isinstance(part, ast.FormattedValue)]
                yield from (ast.unparse(value) for value in put_in if not _is_constant(value))
            case ast.BinOp(left=left, op=ast.Mod() | ast.Add(), right=right) if _has_sql([left, right]):
                yield ast.unparse(right)
            case ast.Call(func=ast.Attribute(attr="format" | "format_map" | "replace", value=value)) if _has_sql(
                [value]
            ):
                yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr="join"), args=[ast.List(elts=parts) | ast.Tuple(elts=parts)]) if (
                _has_sql(parts)
            ):
                yield ast.unparse(node)
            case ast.Call(args=[first, *_]) if _name(node.func) in RUNS_TEXT:
                if not _is_constant(first) and not isinstance(first, ast.JoinedStr):
                    yield ast.unparse(first)
            case ast.Call(args=[ast.BinOp() as first, *_]) if _name(node.func) in RUNS_ANYTHING:
                yield ast.unparse(first)


def _is_constant(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id.isupper())


def _has_sql(parts: list[ast.expr]) -> bool:
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(SQL_WORD.search(text) for text in texts)


def _name(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def test_no_sql_is_built_from_values() -> None:
    found = {
        (file.relative_to(PACKAGE).as_posix(), built)
        for file in PACKAGE.rglob("*.py")
        for built in built_sql(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    "line",
    [
        "connection.execute(text(f'SELECT * FROM watches WHERE reaction = {said}'))",
        "connection.exec_driver_sql('DELETE FROM people WHERE person_id = ' + person)",
        "cursor.execute('UPDATE people SET version = %s' % version)",
        "query = 'SELECT 1 FROM {}'.format(name)",
        "connection.execute(text(query))",
        "select(literal_column(name))",
        "connection.execute(' '.join(['DROP TABLE', name]))",
    ],
)
def test_sql_that_is_built_from_values_would_be_found(line: str) -> None:
    assert list(built_sql(ast.parse(line)))
