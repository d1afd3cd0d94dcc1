"""Everything put together: limits, a new bundle while running, tidying, and Redis beside it."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.app import App, announce_bundle
from bot.conversation.dialogue import Dialogue
from bot.conversation.message import Identity, Origin, Place, Text
from bot.conversation.reply import Reply
from config.settings import Settings
from engine.bundle import BundleError
from tests.engine.small_bundle import write_small_bundle
from tests.servers import RedisServer

Open = Callable[..., Awaitable[App]]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens apps on one database and one bundle folder."""
    apps: list[App] = []
    write_small_bundle(tmp_path / "bundle")

    async def open_app(**settings: Any) -> App:
        app = await App.open(Settings(data_dir=tmp_path, bundle=tmp_path / "bundle", provider="cpu", **settings))
        apps.append(app)
        return app

    yield open_app
    for app in apps:
        await app.close()


async def say(app: App, text: str, user: str = "ada", channel: str = "films", moment: datetime | None = None) -> Reply:
    origin = Origin(
        Identity("test", "w", user), Place("test", "w", channel), uuid.uuid4().hex, moment or datetime.now(UTC)
    )
    return await app.dialogue.handle(Text(origin, text))


def bundle_of(app: App) -> str:
    return app.dialogue.recommender.bundle.label


class TestLimits:
    async def test_a_person_over_the_limit_is_told_to_wait_and_nothing_is_done(self, opened: Open) -> None:
        app = await opened(messages_per_minute=3)
        for film in ("Giallo Story 0", "Screwball Story 1", "Gunfight Story 3"):
            assert "Logged" in (await say(app, f"watched {film}")).text
        refused = await say(app, "watched Trenches Story 4")
        assert "seconds" in refused.text
        assert "Logged" in (await say(app, "watched Trenches Story 4", user="ben")).text
        told = await app.store.database.read(
            lambda connection: connection.exec_driver_sql("select count(*) from watches").scalar()
        )
        assert told == 4

    async def test_a_busy_place_is_told_to_wait_and_another_is_not(self, opened: Open) -> None:
        app = await opened(place_messages_per_minute=2)
        for user in ("ada", "ben"):
            await say(app, "help", user=user)
        assert "seconds" in (await say(app, "help", user="cyd")).text
        assert "seconds" not in (await say(app, "help", user="cyd", channel="elsewhere")).text

    async def test_no_limit_is_none(self, opened: Open) -> None:
        app = await opened(messages_per_minute=0, place_messages_per_minute=0)
        for _ in range(100):
            assert "seconds" not in (await say(app, "help")).text

    async def test_processes_count_together_through_redis(self, opened: Open, redis_server: RedisServer) -> None:
        one, two = [await opened(messages_per_minute=4, redis_url=redis_server.url) for _ in range(2)]
        for app in (one, two, one, two):
            assert "seconds" not in (await say(app, "help", user="dee")).text
        for app in (one, two):
            assert "seconds" in (await say(app, "help", user="dee")).text


class TestNewBundle:
    async def test_it_answers_from_the_next_message_on(self, opened: Open, tmp_path: Path) -> None:
        app = await opened()
        await say(app, "watched Giallo Story 0")
        write_small_bundle(tmp_path / "next", version="2")
        (tmp_path / "bundle").rename(tmp_path / "old")
        (tmp_path / "next").rename(tmp_path / "bundle")
        assert await app.take_over()
        assert bundle_of(app) == "small 2"
        assert (await say(app, "what next?")).cards

    async def test_a_bad_one_is_refused_and_the_old_one_goes_on(self, opened: Open, tmp_path: Path) -> None:
        app = await opened()
        (tmp_path / "bundle" / "scorer.onnx").write_bytes(b"no graph")
        assert not await app.take_over()
        assert bundle_of(app) == "small 1"
        await say(app, "watched Giallo Story 0")
        assert (await say(app, "what next?")).cards

    async def test_every_process_hears_of_it(self, opened: Open, tmp_path: Path, redis_server: RedisServer) -> None:
        apps = [await opened(redis_url=redis_server.url) for _ in range(2)]
        for app in apps:
            app.go_on()
        shutil.rmtree(tmp_path / "bundle")
        write_small_bundle(tmp_path / "bundle", version="2")

        async def all_have_it() -> None:
            while not all(bundle_of(app) == "small 2" for app in apps):
                # Who begins to listen later than this is told by the next one.
                announced = await announce_bundle(apps[0].settings)
                assert announced.label == "small 2"
                assert announced.processes <= 2
                await asyncio.sleep(0.1)

        await asyncio.wait_for(all_have_it(), 20)

    async def test_it_is_said_how_many_hear_of_it(self, opened: Open, redis_server: RedisServer) -> None:
        app = await opened(redis_url=redis_server.url)
        assert (await announce_bundle(app.settings)).processes == 0
        app.go_on()
        for _ in range(200):
            if (await announce_bundle(app.settings)).processes:
                break
            await asyncio.sleep(0.05)
        assert (await announce_bundle(app.settings)).processes == 1

    async def test_one_that_breaks_in_an_unknown_way_is_not_the_last_that_is_heard(
        self, opened: Open, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app = await opened(redis_url=redis_server.url)
        tried = 0

        async def break_down() -> bool:
            nonlocal tried
            tried += 1
            raise RuntimeError("what somebody said")

        monkeypatch.setattr(App, "take_over", lambda _: break_down())
        with capture_logs() as logged:
            app.go_on()
            async with asyncio.timeout(10):
                while tried < 2:
                    await announce_bundle(app.settings)
                    await asyncio.sleep(0.05)
        broke = [line for line in logged if line["log_level"] == "error"]
        assert {line["error"] for line in broke} == {"RuntimeError"}
        assert "somebody" not in str(broke)

    async def test_a_bad_one_is_not_announced(self, opened: Open, tmp_path: Path, redis_server: RedisServer) -> None:
        app = await opened(redis_url=redis_server.url)
        (tmp_path / "bundle" / "scorer.onnx").write_bytes(b"no graph")
        with pytest.raises(BundleError):
            await announce_bundle(app.settings)


class TestTidying:
    async def test_what_need_not_be_kept_goes_in_the_background(self, opened: Open) -> None:
        app = await opened(keep_slates_days=30, keep_inactive_days=90)
        now = datetime.now(UTC)
        await say(app, "watched Giallo Story 0", moment=now - timedelta(days=40))
        await say(app, "what next?", moment=now - timedelta(days=40))
        await say(app, "watched Giallo Story 0", user="long-gone", moment=now - timedelta(days=100))

        async def count(table: str) -> Any:
            return await app.store.database.read(
                lambda connection: connection.exec_driver_sql(f"select count(*) from {table}").scalar()
            )

        assert (await count("slates"), await count("people")) == (1, 2)
        app.go_on()
        for _ in range(500):
            if (await count("slates"), await count("people")) == (0, 1):
                break
            await asyncio.sleep(0.02)
        assert (await count("slates"), await count("people")) == (0, 1)
        assert await count("watches") == 1


class TestRestore:
    async def test_no_slate_is_of_a_history_that_was_taken_back(
        self, opened: Open, tmp_path: Path, redis_server: RedisServer
    ) -> None:
        app = await opened(redis_url=redis_server.url)
        computing = Dialogue(app.store, app.dialogue.recommender)

        async def films(dialogue: Dialogue) -> list[int]:
            origin = Origin(
                Identity("test", "w", "ada"), Place("test", "w", "films"), uuid.uuid4().hex, datetime.now(UTC)
            )
            return [card.film_id for card in (await dialogue.handle(Text(origin, "what next?"))).cards]

        await say(app, "watched Giallo Story 0")
        before = await films(app.dialogue)
        await app.store.database.backup(tmp_path / "copy")
        await say(app, "watched Gunfight Story 3")
        after = await films(app.dialogue)
        assert after != before
        await app.store.database.restore(tmp_path / "copy")
        assert await films(app.dialogue) == before
        await say(app, "watched Space Travel Story 2")
        now = await films(app.dialogue)
        assert now == await films(computing)
        assert now not in (before, after)
        computing.close()

    async def test_what_breaks_once_is_tried_again(self, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bot.app.TIDIED_EVERY", 0.01)
        app = await opened(keep_slates_days=30)
        await say(app, "watched Giallo Story 0", moment=datetime.now(UTC) - timedelta(days=40))
        await say(app, "what next?", moment=datetime.now(UTC) - timedelta(days=40))
        settings = app.settings
        app.settings = settings.model_copy(update={"keep_slates_days": 10**9})  # no moment is so long ago
        with capture_logs() as logged:
            app.go_on()
            for _ in range(500):
                if logged:
                    app.settings = settings
                if any(line["event"] == "tidied" for line in logged):
                    break
                await asyncio.sleep(0.01)
        assert (logged[0]["log_level"], logged[0]["error"]) == ("error", "OverflowError")
        assert logged[-1]["event"] == "tidied"


class TestRedisAway:
    async def test_it_opens_and_answers(self, opened: Open) -> None:
        app = await opened(redis_url="redis://127.0.0.1:1/0")
        app.go_on()
        assert "Logged" in (await say(app, "watched Giallo Story 0")).text
        assert (await say(app, "what next?")).cards
