"""The real `nextreel run` by HTTP: signatures, replays, and workspaces that install the app themselves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.slack.installations import new_key
from tests.e2e.door import door
from tests.e2e.running import watches
from tests.slack.wire import BOT_TOKEN, SECRET, Wire, code_of, shown

ADA = "U0ADA"
ALIEN, HEAT = 1214, 6


async def test_what_is_rightly_signed_is_taken_and_nothing_else(environment: dict[str, str], tmp_path: Path) -> None:
    async with Wire() as wire:
        del (settings := wire.settings)["NEXTREEL_SLACK_APP_TOKEN"]
        async with door({**environment, **settings}, tmp_path) as slack:
            body = json.dumps({"type": "url_verification", "token": "t", "challenge": "open sesame"})
            assert "open sesame" in (await slack.send(body, Wire.signed(body)))[1]
            assert (await slack.send(body, {}))[0] == 401

            # A right signature; then wrong ones: of another secret, of another body, of long ago and of a time to come.
            mention = wire.message(ADA, "I watched Alien")
            assert await slack.event(mention) == 200
            said = (await wire.until(lambda: wire.called("chat.postMessage")))[0].body
            assert "Logged: Alien (1979)" in said["text"]
            heat = wire.message(ADA, "I watched Heat")
            assert await slack.event(heat, secret="another") == 401
            body = json.dumps(heat)
            assert (await slack.send(body, Wire.signed(json.dumps(mention))))[0] == 401
            for away in (-600, 600):
                assert await slack.event(heat, at=time.time() + away) == 401

            # The same request once more is a copy of somebody's; the same event signed anew is Slack's own second try.
            body = json.dumps(heat)
            headers = Wire.signed(body)
            assert (await slack.send(body, headers))[0] == 200
            assert (await slack.send(body, headers))[0] == 401
            assert await slack.event(heat, at=time.time() - 5) == 200
            await wire.until(lambda: len(wire.called("chat.postMessage")) == 2)

            # What is nothing that Slack sends, signed or not.
            for body in ("{", "[1]", '{"team": 7}', "payload=%5B"):
                assert (await slack.send(body, Wire.signed(body)))[0] < 500
                assert (await slack.send(body, {}))[0] in {400, 401}

            # A word that slack-bolt trips over.
            assert (await slack.interact(wire.command_payload(ADA, "/watched", "no film called Payload")))[0] == 200
            await wire.until(lambda: wire.called("answer"))

            # A command, a form with type-ahead in the acknowledgement, a button.
            assert (await slack.interact(wire.command_payload(ADA, "/watched")))[0] == 200
            await wire.until(lambda: wire.called("views.open"))
            suggested = wire.interaction("block_suggestion", ADA, action_id="film", block_id="film", value="blade ru")
            status, answer = await slack.interact(suggested)
            assert status == 200
            assert json.loads(answer)["options"][0]["value"] == "film:541"
            assert (await slack.interact(wire.command_payload(ADA, "/next")))[0] == 200
            slate = (await wire.until(lambda: wire.called("answer")[1:]))[0].body
            held = {**slate, "ts": "1.5"}
            assert (await slack.interact(wire.press_payload(ADA, code_of(slate["blocks"], "Save"), held)))[0] == 200
            updated = (await wire.until(lambda: wire.called("chat.update") or wire.called("answer")[2:]))[0].body
            assert "Saved" in shown(wire.decoded(updated)["blocks"])
        assert watches(environment) == [ALIEN, HEAT]
    log = (tmp_path / "log").read_text()
    for secret in (SECRET, BOT_TOKEN, "Alien", "Traceback"):
        assert secret not in log


async def test_any_workspace_installs_it_and_its_token_is_in_no_file(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async with Wire() as wire:
        settings = {
            "NEXTREEL_SLACK_CLIENT_ID": "123.456",
            "NEXTREEL_SLACK_CLIENT_SECRET": "client-secret-of-nobody",
            "NEXTREEL_SLACK_TOKEN_KEY": new_key(),
            "NEXTREEL_SLACK_API_URL": wire.settings["NEXTREEL_SLACK_API_URL"],
            "NEXTREEL_SLACK_PUBLIC_URL": "https://films.example",
        }
        async with door({**environment, **settings}, tmp_path) as slack:
            # Nobody knows that workspace yet.
            assert await slack.event(wire.message(ADA, "I watched Heat")) == 200

            async with slack.session.get(f"{slack.address}/slack/install") as page:
                html = await page.text()
                cookie = page.cookies["slack-app-oauth-state"].value
            link = urlsplit(re.findall(r'href="(https://slack.com/[^"]+)"', html)[0].replace("&amp;", "&"))
            query = parse_qs(link.query)
            assert "chat:write" in query["scope"][0]
            assert query["redirect_uri"] == ["https://films.example/slack/oauth_redirect"]
            assert query["state"] == [cookie]

            async def back(state: str, cookie: str) -> int:
                headers = {"Cookie": f"slack-app-oauth-state={cookie}"}
                where = f"{slack.address}/slack/oauth_redirect?code=1.2.3&state={state}"
                async with slack.session.get(where, headers=headers) as response:
                    return response.status

            assert await back(cookie, "another browser's") == 400
            assert not wire.called("oauth.v2.access")
            assert await back(cookie, cookie) == 200
            assert await back(cookie, cookie) == 401  # once
            assert wire.called("oauth.v2.access")[0].body["code"] == "1.2.3"

            assert await slack.event(wire.message(ADA, "I watched Alien")) == 200
            await wire.until(lambda: wire.called("chat.postMessage"))
            (database,) = (tmp_path / "data").glob("nextreel.db")
            with contextlib.closing(sqlite3.connect(database)) as connection:
                ((token,),) = connection.execute("SELECT bot_token FROM slack_bots").fetchall()
            assert BOT_TOKEN not in token
            for file in (tmp_path / "data").iterdir():
                assert BOT_TOKEN.encode() not in file.read_bytes()

            # It leaves, and what was kept goes with it.
            assert await slack.event(wire.event({"type": "app_uninstalled"})) == 200
            with contextlib.closing(sqlite3.connect(database)) as connection:
                for _ in range(200):
                    if not connection.execute("SELECT * FROM slack_bots").fetchall():
                        break
                    await asyncio.sleep(0.05)
                assert not connection.execute("SELECT * FROM slack_bots").fetchall()
        assert watches(environment) == [ALIEN]


@pytest.mark.parametrize("key", ["", "no key"])
async def test_a_key_that_is_none_is_a_sentence(environment: dict[str, str], run: Any, key: str) -> None:
    ran = await asyncio.to_thread(
        lambda: run(
            "run",
            NEXTREEL_SLACK_CLIENT_ID="1.2",
            NEXTREEL_SLACK_CLIENT_SECRET="s",
            NEXTREEL_SLACK_SIGNING_SECRET=SECRET,
            NEXTREEL_SLACK_TOKEN_KEY=key,
        )
    )
    assert ran.code == 78
    assert "NEXTREEL_SLACK_TOKEN_KEY" in ran.err.splitlines()[-1]
    assert "no key" not in ran.err
