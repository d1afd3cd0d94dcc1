"""The store: read a person's snapshot, apply one message's changes in one transaction, erase a person.

Every promise about keeping is kept here and in `applying`: all or nothing, once, and confirmed only after the commit.
Knows no models and no platforms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from storage import reading
from storage.applying import Handling, make
from storage.changes import Change, MessageChanges, ShowSlate
from storage.database import Database, open_database
from storage.errors import ConflictError
from storage.ids import new_id
from storage.portable import exporting
from storage.portable.exporting import Everything
from storage.records import (
    Applied,
    Ballot,
    Companion,
    IdentityKey,
    LinkOffer,
    MessageId,
    MessageKey,
    PersonId,
    PlaceKey,
    PlaceSettings,
    ShownSlate,
    SlateId,
    Snapshot,
    check_texts,
)
from storage.retention import WIPED_AT_ONCE, Tidied, erase, tidy, wipe, wipe_patiently
from storage.tables import identities, messages, people, place_settings, registrations, slates


class Store:
    """What is kept, in an open database. `close` it. Safe to use from many tasks, and beside other processes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._wiping = asyncio.Lock()

    @classmethod
    async def open(cls, where: str | Path, *, create: bool = True) -> Store:
        """The store at a URL or in an SQLite file, brought to the newest schema; see `open_database`."""
        return cls(await open_database(where, create=create))

    async def close(self) -> None:
        """Give the connections back."""
        await self.database.close()

    async def read(self, identity: IdentityKey, place: PlaceKey, message: MessageKey, moment: datetime) -> Snapshot:
        """What is known about a person, as of one moment; of the context only what has not run out at `moment`."""
        return await self.database.read(
            lambda connection: reading.snapshot(connection, identity, place, message, moment)
        )

    async def apply(
        self,
        identity: IdentityKey,
        place: PlaceKey,
        message: MessageKey,
        message_id: MessageId,
        changes: Sequence[Change],
        reply: str,
        moment: datetime,
        *,
        expected_version: int | None,
    ) -> Applied:
        """Make all changes of a message and keep its reply, in one transaction; when this returns, they are kept.

        A message handled before changes nothing; its earlier reply comes back. The person is created when new. An
        undated watch counts as told on the day of `moment` in its own time zone. Raises ConflictError when the person's
        version is not `expected_version` or a change names what is not there any more, BusyError when the database is
        in use for too long, and StorageError; each leaves everything as it was. ValueError for what can't be kept.
        """
        check_texts(reply)
        for change in changes:
            if isinstance(change, ShowSlate) and change.slate.message_id != message_id:
                raise ValueError("a slate is shown by the message that keeps it")

        def handle(connection: Connection) -> Applied:
            person, version = _next_version(connection, identity, moment)
            # Asked for once the person is locked: whoever handles the same message at this moment is done by then.
            earlier = reading.earlier_reply(connection, message, person)
            if earlier is not None:
                raise _HandledBeforeError(earlier)
            if expected_version is not None and version != expected_version + 1:
                raise ConflictError(detail=f"the person is at version {version - 1}, not {expected_version}")
            connection.execute(
                insert(messages).values(
                    message_id=message_id,
                    person_id=person,
                    platform=message.platform,
                    workspace=message.workspace,
                    event_id=message.event_id,
                    reply=reply,
                    handled_at=moment,
                    version=version,
                    undoable=False,
                    in_force=True,
                )
            )
            made = make(Handling(connection, person, identity, place, message_id, moment), changes)
            if made.undoable:
                connection.execute(update(messages).where(messages.c.message_id == message_id).values(undoable=True))
            if made.history:
                connection.execute(
                    update(people).where(people.c.person_id == person).values(history_version=message_id)
                )
            return Applied(done=True)

        try:
            return await self.database.write(handle)
        except _HandledBeforeError as before:
            return Applied(done=False, earlier_reply=before.reply)

    async def slate(self, slate_id: SlateId) -> tuple[PersonId, ShownSlate] | None:
        """A slate that was shown, and to whom."""
        return await self.database.read(lambda connection: reading.slate(connection, slates.c.slate_id == slate_id))

    async def message_changes(self, message_id: MessageId) -> MessageChanges | None:
        """What a handled message changed, whose it was and what it was answered; None when it is unknown."""
        return await self.database.read(lambda connection: reading.message_changes(connection, message_id))

    async def last_undoable(self, person: PersonId) -> MessageId | None:
        """The person's last message whose changes are in force, not counting undos; so undoing twice goes back two."""
        return await self.database.read(lambda connection: reading.last_undoable(connection, person))

    async def link_offer(self, code_hash: str, moment: datetime) -> LinkOffer | None:
        """Whom the one-time code of a hash lets one join at that moment; None when it is none, used up or over."""
        return await self.database.read(lambda connection: reading.link_offer(connection, code_hash, moment))

    async def accounts(self, person: PersonId) -> tuple[IdentityKey, ...]:
        """The accounts that are linked to a person."""
        return await self.database.read(lambda connection: reading.accounts(connection, person))

    async def ballot(self, slate_id: SlateId) -> Ballot | None:
        """The vote on a slate; None when there never was one."""
        return await self.database.read(lambda connection: reading.ballot(connection, slate_id))

    async def companions(self, accounts: Sequence[IdentityKey]) -> tuple[Companion, ...]:
        """Those whom a recommendation is to be for, as of one moment; nothing of one who has not opted in."""
        return await self.database.read(
            lambda connection: tuple(reading.companion(connection, account) for account in accounts)
        )

    async def companions_of(self, slate: ShownSlate, asker: PersonId) -> tuple[Companion, ...]:
        """Whom a slate was for, besides the person who asked for it, each as they are now."""

        def read(connection: Connection) -> tuple[Companion, ...]:
            others = [person for person in slate.members if person != asker]
            accounts = [next(iter(reading.accounts(connection, person)), None) for person in others]
            return tuple(reading.companion(connection, account) for account in accounts if account)

        return await self.database.read(read)

    async def place_settings(self, platform: str, workspace: str) -> PlaceSettings:
        """What is set for all in a server or workspace."""
        return await self.database.read(lambda connection: reading.settings_of(connection, platform, workspace))

    async def forget_place(self, platform: str, workspace: str) -> None:
        """Forget what was set for a server or workspace: the bot is not there any more."""
        there = (place_settings.c.platform == platform, place_settings.c.workspace == workspace)

        def forget(connection: Connection) -> None:
            connection.execute(delete(place_settings).where(*there))

        await self.database.write(forget)

    async def registered(self, platform: str, application: str) -> str | None:
        """The fingerprint of the commands that a platform was told of last; None when it was told none."""
        return await self.database.read(lambda connection: reading.registered(connection, platform, application))

    async def register(self, platform: str, application: str, fingerprint: str) -> None:
        """Keep which commands a platform was told of."""
        this = {"platform": platform, "application": application}

        def keep(connection: Connection) -> None:
            connection.execute(delete(registrations).where(*(registrations.c[k] == v for k, v in this.items())))
            connection.execute(insert(registrations).values(**this, fingerprint=fingerprint))

        await self.database.write(keep)

    async def erase(self, identity: IdentityKey, message: MessageKey | None, moment: datetime) -> PersonId | None:
        """Remove everything about a person, all accounts; who that was, None for a stranger.

        `message` asked for it: it is not handled again when it comes twice, and neither are those of the last day.
        When this returns, it is done for everybody who reads. Traces in the files are what `wipe` is for; that they
        are still there is kept with the rest, so `tidy` finds them too, whatever breaks off in between.
        """
        erased: PersonId | None = None  # when it is done again since a commit got no answer, nobody is found any more

        def forget(connection: Connection) -> None:
            nonlocal erased
            person = _lock_person(connection, identity)
            if person is None or (message and reading.earlier_reply(connection, message) is not None):
                return  # nobody, or done before by this message; whoever began anew since then stays
            erase(connection, [person], moment, [message] if message else [])
            erased = person

        await self.database.write(forget)
        return erased

    async def wipe(self) -> bool:
        """Leave no trace in the files of those who were erased; False when that is left to `tidy`.

        It is when others keep it from being done, or when the files are so large that it would take long.
        """
        return await wipe(self.database, self._wiping, most=WIPED_AT_ONCE)

    async def everything(self, identity: IdentityKey) -> Everything | None:
        """All that is kept about a person, as of one moment, for an export; None for a stranger."""
        return await self.database.read(lambda connection: exporting.everything(connection, identity))

    async def tidy(self, moment: datetime, *, slates_days: int | None, inactive_days: int | None) -> Tidied:
        """Delete what need not be kept any longer at `moment`, and wipe the files; see `retention.tidy`."""
        tidied = await tidy(self.database, moment, slates_days=slates_days, inactive_days=inactive_days)
        return replace(tidied, wiped=await wipe_patiently(self.database, self._wiping))


class _HandledBeforeError(Exception):
    """Ends the transaction of a message that was handled before, with nothing changed."""

    def __init__(self, reply: str) -> None:
        super().__init__()
        self.reply = reply


def _next_version(connection: Connection, identity: IdentityKey, moment: datetime) -> tuple[PersonId, int]:
    """The person, made when new and locked until the end of the transaction, and their version after this message."""
    # SQLite has one writer at a time; PostgreSQL locks the row, and gives the newest version of it.
    found = connection.execute(
        select(people.c.person_id, people.c.version)
        .where(people.c.person_id == reading.person_of(identity).scalar_subquery())
        .with_for_update()
    ).first()
    if found is None:
        person = PersonId(new_id())
        connection.execute(insert(people).values(person_id=person, version=1, history_version=0, created_at=moment))
        connection.execute(
            insert(identities).values(
                platform=identity.platform, workspace=identity.workspace, user_id=identity.user, person_id=person
            )
        )
        return person, 1
    person, version = PersonId(found.person_id), found.version + 1
    connection.execute(update(people).where(people.c.person_id == person).values(version=version))
    return person, version


def _lock_person(connection: Connection, identity: IdentityKey) -> PersonId | None:
    """The person of an account, locked until the end of the transaction; None for a stranger."""
    while True:
        person = connection.scalar(reading.person_of(identity))
        if person is None:
            return None
        connection.execute(select(people.c.person_id).where(people.c.person_id == person).with_for_update())
        # Whoever held the lock before may have joined them with somebody, or taken the account out.
        if connection.scalar(reading.person_of(identity)) == person:
            return PersonId(person)
