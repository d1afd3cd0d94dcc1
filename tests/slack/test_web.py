"""The pages with which a workspace installs the app, when Slack is away."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
from slack_bolt.app.async_app import AsyncApp

from bot.slack.installations import Installations, States, new_key
from bot.slack.web import Web
from bot.slack.workspaces import Api
from config.settings import Settings
from storage.store import Store
from tests.servers import free_port


async def nothing(*_: object) -> None:
    """There is nothing to begin."""


async def test_an_installation_that_breaks_is_a_sentence(path: Path, store: Store, capsys) -> None:
    settings = Settings(slack_client_id="1.2", slack_client_secret="s", slack_port=free_port())
    api = Api("http://127.0.0.1:9/api/")
    stores = Installations(store.database, "1.2", new_key()), States(store.database)
    web = Web(settings, AsyncApp(signing_secret="s", token="xoxb-1"), api, nothing, stores)
    await web.start()
    try:
        state = await stores[1].async_issue()
        where = f"http://127.0.0.1:{settings.slack_port}/slack/oauth_redirect?code=a-secret&state={state}"
        headers = {"Cookie": f"slack-app-oauth-state={state}"}
        async with aiohttp.ClientSession() as session, session.get(where, headers=headers) as page:
            said = await page.text()
        assert page.status == 503
    finally:
        await web.close()
        await api.close()
    found = re.fullmatch(r"Something went wrong on my side.*\(([0-9a-f]{6})\)", said)
    log = "".join(capsys.readouterr())
    assert found
    assert found[1] in log
    assert "a-secret" not in log
