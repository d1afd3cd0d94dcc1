"""The workspaces that installed the app by OAuth: slack_sdk's store of installations, in our database, encrypted.

What is kept is the bot's token of each workspace, by Fernet under a key from the settings; who installed it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import TypeVar, cast

from cryptography.fernet import Fernet, InvalidToken
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from sqlalchemy import Connection, Engine
from structlog import get_logger

from bot.slack.workspaces import BotToken
from storage.database import Database

STATE_SECONDS = 600
"""How long an installation may take from its beginning to its end."""

_Result = TypeVar("_Result")

_log = get_logger(__name__)


class WrongKeyError(ValueError):
    """The key of the settings is none."""


def new_key() -> str:
    """A key for the tokens of installations."""
    return Fernet.generate_key().decode()


class _Joined:
    """What slack_sdk's stores take for an engine: the transaction that is under way."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self) -> AbstractContextManager[Connection]:
        """The transaction, which whoever began it ends."""
        return nullcontext(self._connection)

    connect = begin


class Installations(AsyncInstallationStore):
    """Installations of one application. Raises StorageError when the database does not answer.

    `key` is urlsafe base64 of 32 bytes; WrongKeyError for any other.
    """

    def __init__(self, database: Database, client_id: str, key: str) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise WrongKeyError from None
        self._database = database
        self._client_id = client_id

    async def async_save(self, installation: Installation) -> None:
        """Keep the bot's token; of the account that installed it, nothing."""
        await self.async_save_bot(installation.to_bot())

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a bot's token in the place of the one before."""
        kept = Bot(**bot.to_dict())
        kept.bot_token = self._encrypted(bot.bot_token) or ""
        kept.bot_refresh_token = self._encrypted(bot.bot_refresh_token)

        def save(store: SQLAlchemyInstallationStore) -> None:
            store.delete_bot(enterprise_id=bot.enterprise_id, team_id=bot.team_id)
            store.save_bot(kept)

        await self._write(save)

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """The bot of a workspace, or of its whole organisation; None where there is none, or under another key."""

        def find(store: SQLAlchemyInstallationStore) -> Bot | None:
            return store.find_bot(
                enterprise_id=enterprise_id, team_id=team_id, is_enterprise_install=is_enterprise_install
            )

        found = await self._database.read(lambda connection: find(self._store(connection)))
        if found is None:
            return None
        try:
            found.bot_token = self._decrypted(found.bot_token) or ""
            found.bot_refresh_token = self._decrypted(found.bot_refresh_token)
        except InvalidToken:
            _log.error("the token of an installation was encrypted with another key; it has to be installed again")
            return None
        return found

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """The bot is not there any more."""
        await self._write(lambda store: store.delete_bot(enterprise_id=enterprise_id, team_id=team_id))

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """Nothing is kept of an installation but the bot."""

    async def async_delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """The app is not there any more."""
        await self.async_delete_bot(enterprise_id=enterprise_id, team_id=team_id)

    # Where the app is

    async def token_of(self, enterprise: str | None, team: str) -> BotToken | None:
        """The token for a workspace; None where the app is not."""
        bot = await self.async_find_bot(enterprise_id=enterprise, team_id=team)
        if bot is None and enterprise:
            bot = await self.async_find_bot(enterprise_id=enterprise, team_id=None, is_enterprise_install=True)
        if bot is None or not bot.bot_token:
            return None
        return BotToken(bot.bot_token, bot.bot_user_id, bot.bot_id, bot.team_id or team)

    async def forget(self, enterprise: str | None, team: str) -> None:
        """The app is not there any more."""
        await self.async_delete_bot(enterprise_id=enterprise, team_id=team)

    async def _write(self, work: Callable[[SQLAlchemyInstallationStore], _Result]) -> _Result:
        return await self._database.write(lambda connection: work(self._store(connection)))

    def _store(self, connection: Connection) -> SQLAlchemyInstallationStore:
        return SQLAlchemyInstallationStore(self._client_id, cast(Engine, _Joined(connection)))

    def _encrypted(self, token: str | None) -> str | None:
        return self._fernet.encrypt(token.encode()).decode() if token else None

    def _decrypted(self, token: str | None) -> str | None:
        return self._fernet.decrypt(token.encode()).decode() if token else None


class States(AsyncOAuthStateStore):
    """The random words that installations begin and end with, each for one browser and once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def async_issue(self, *_: object, **__: object) -> str:
        """A new one; those that have run out go."""

        def issue(connection: Connection) -> str:
            store = self._store(connection)
            states = store.oauth_states
            now = datetime.now(UTC).replace(tzinfo=None)  # as slack_sdk keeps it
            connection.execute(states.delete().where(states.c.expire_at <= now))
            return store.issue()

        return await self._database.write(issue)

    async def async_consume(self, state: str) -> bool:
        """Whether it is one, and was not used before."""
        return await self._database.write(lambda connection: self._store(connection).consume(state))

    def _store(self, connection: Connection) -> SQLAlchemyOAuthStateStore:
        return SQLAlchemyOAuthStateStore(STATE_SECONDS, cast(Engine, _Joined(connection)))
