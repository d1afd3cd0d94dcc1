"""Workspaces that installed the app: the token is there when it is asked for, and in no file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from sqlalchemy import MetaData, select

from bot.slack.installations import Installations, States, WrongKeyError, new_key
from storage import tables

CLIENT, KEY = "123.456", new_key()


def installation(team: str | None = "T1", token: str = "xoxb-secret", **more: object) -> Installation:
    given = {"bot_id": "B1", "bot_user_id": "U0BOT", "team_name": "Film Club", "bot_scopes": "chat:write,commands"}
    return Installation(
        app_id="A1",
        team_id=team,
        user_id="U0INSTALLER",
        bot_token=token,
        **{**given, **more},  # type: ignore[arg-type]
    )


@pytest.fixture
def installations(store) -> Installations:
    return Installations(store.database, CLIENT, KEY)


async def rows(store) -> str:
    return await store.database.read(lambda connection: repr(connection.execute(select(tables.slack_bots)).all()))


async def test_a_token_is_found_where_it_was_installed_alone(installations) -> None:
    await installations.async_save(installation())
    found = await installations.token_of(None, "T1")
    assert (found.token, found.bot_user, found.bot_id, found.team) == ("xoxb-secret", "U0BOT", "B1", "T1")
    assert await installations.token_of(None, "T2") is None
    assert await installations.token_of("E1", "T1") is None


async def test_it_is_encrypted_and_who_installed_it_is_not_kept(installations, store) -> None:
    await installations.async_save(installation(bot_refresh_token="xoxe-refresh", user_token="xoxp-theirs"))
    kept = await rows(store)
    for secret in ("xoxb-secret", "xoxe-refresh", "xoxp-theirs", "U0INSTALLER"):
        assert secret not in kept
    assert "Film Club" in kept
    bot = await installations.async_find_bot(enterprise_id=None, team_id="T1")
    assert (bot.bot_token, bot.bot_refresh_token) == ("xoxb-secret", "xoxe-refresh")


async def test_it_needs_the_key_that_it_was_kept_with(installations, store) -> None:
    await installations.async_save(installation())
    assert await Installations(store.database, CLIENT, new_key()).token_of(None, "T1") is None
    for wrong in ("", "short", "x" * 44):
        with pytest.raises(WrongKeyError):
            Installations(store.database, CLIENT, wrong)


async def test_installing_again_replaces_it_and_leaving_takes_it_away(installations, store) -> None:
    await installations.async_save(installation())
    await installations.async_save(installation(token="xoxb-newer"))
    assert (await installations.token_of(None, "T1")).token == "xoxb-newer"
    assert (await rows(store)).count("Film Club") == 1
    await installations.forget(None, "T1")
    assert await installations.token_of(None, "T1") is None
    assert await rows(store) == "[]"


async def test_an_organisation_has_it_in_all_its_workspaces(installations) -> None:
    await installations.async_save(installation(None, enterprise_id="E1", is_enterprise_install=True))
    assert (await installations.token_of("E1", "T7")).team == "T7"
    assert await installations.token_of(None, "T7") is None


async def test_a_state_is_good_once(store) -> None:
    states = States(store.database)
    state = await states.async_issue()
    assert await states.async_consume(state)
    assert not await states.async_consume(state)
    assert not await states.async_consume("made up")


async def test_states_that_have_run_out_go(store) -> None:
    states = tables.slack_oauth_states
    long_ago = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    await store.database.write(lambda c: c.execute(states.insert().values(state="old", expire_at=long_ago)))
    issued = await States(store.database).async_issue()
    kept = await store.database.read(lambda connection: connection.scalars(select(states.c.state)).all())
    assert list(kept) == [issued]


def test_our_tables_are_those_that_slack_sdk_asks() -> None:
    for ours, theirs in (
        (tables.slack_bots, SQLAlchemyInstallationStore.build_bots_table(MetaData(), "slack_bots")),
        (
            tables.slack_oauth_states,
            SQLAlchemyOAuthStateStore.build_oauth_states_table(MetaData(), "slack_oauth_states"),
        ),
    ):
        assert {column.name: column.nullable for column in ours.columns} == {
            column.name: column.nullable for column in theirs.columns
        }
