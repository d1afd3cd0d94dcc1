"""An export holds everything about its person and nothing else, and an import of it gives the same; hostile files do no
harm."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, ForeignKey, Integer, MetaData, Table, Text, event, insert

from storage import tables
from storage.changes import (
    AddFilm,
    Change,
    GiveFeedback,
    JoinPerson,
    LogWatch,
    OfferLink,
    RateWatch,
    RemoveWatch,
    SetPreference,
    ShowSlate,
    TakeBackFeedback,
    UndoMessage,
)
from storage.ids import code_hash, new_code, new_film_id, new_id
from storage.portable.exporting import LEFT_OUT, FilmName, about, to_zip
from storage.portable.form import FIELDS, FORMAT, MAX_ADDED_FILMS, MAX_WATCHES
from storage.portable.importing import (
    MAX_JSON,
    MAX_PROBLEMS,
    MAX_ZIP,
    Import,
    PortableError,
    from_zip,
)
from storage.records import (
    FIRST_ADDED_FILM,
    AddedFilm,
    FeedbackKind,
    IdentityKey,
    MessageId,
    MessageKey,
    PersonId,
    PlaceKey,
    Precision,
    Preference,
    ShownPick,
    ShownSlate,
    SlateId,
    Snapshot,
    Visibility,
    WatchState,
)
from storage.store import Store

ALIEN, HEAT, JAWS, PSYCHO = 1214, 6, 1387, 1219
NOON = datetime(2024, 5, 10, 12, tzinfo=UTC)
HERE = PlaceKey("terminal", "", "", "")
WANTED, DISMISSED = FeedbackKind.WANTED, FeedbackKind.DISMISSED
NAMES = {ALIEN: FilmName("Alien", 1979, "tt0078748", 348), HEAT: FilmName("Heat", 1995, "tt0113277", 949)}


def on(film: int, day: date, **more: object) -> LogWatch:
    return LogWatch(film, day, Precision.DAY, **more)  # type: ignore[arg-type]  # keywords of LogWatch


async def exported(talker) -> bytes:
    """The person's zip."""
    everything = await talker.store.everything(talker.identity)
    assert everything is not None
    return to_zip(everything, NAMES.get, NOON)


async def imported(talker, content: bytes) -> MessageId:
    """Apply a zip that has no problems, as one message."""
    found = from_zip(content)
    assert found.problems == ()
    return await talker.say(*found.changes)


def members(content: bytes) -> dict[str, bytes]:
    """The files of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def document_of(content: bytes) -> dict[str, list[dict[str, object]]]:
    """What is in `nextreel.json`."""
    found: dict[str, list[dict[str, object]]] = json.loads(members(content)["nextreel.json"])
    return found


def sheet(content: bytes, name: str) -> list[dict[str, str]]:
    """The rows of a table for spreadsheets."""
    return list(csv.DictReader(io.StringIO(members(content)[name].decode("utf-8-sig"), newline="")))


def portrait(snapshot: Snapshot) -> dict[str, object]:
    """What an import has to bring back of a person; added films by name: each person's have numbers of their own."""
    own = {film.film_id: (film.title, film.year) for film in snapshot.added_films}

    def named(film_id: int) -> object:
        return own[film_id] if film_id >= FIRST_ADDED_FILM else film_id

    return {
        "history": [
            (
                named(watch.film_id),
                *(watch.watched_on, watch.precision, watch.sorted_on, watch.state, watch.rating, watch.reaction),
                *(watch.told_at, watch.source),
            )
            for watch in snapshot.history
        ],
        "wanted": [named(film_id) for film_id in snapshot.wanted],
        "dismissed": {named(film_id) for film_id in snapshot.dismissed},
        "preferences": snapshot.preferences,
        "added": sorted(own.values(), key=str),
    }


def everything_but_versions(snapshot: Snapshot) -> tuple[object, ...]:
    """All that an import that changes nothing leaves as it was."""
    return (
        snapshot.history,
        snapshot.history_version,
        snapshot.wanted,
        snapshot.dismissed,
        snapshot.preferences,
        snapshot.added_films,
    )


class TestRoundTrip:
    async def tell_all(self, talker) -> None:
        """A bit of everything, with order that only the moments of telling can give."""
        own = AddedFilm(new_film_id(), "My Aunt's Wedding", 2003)
        day = date(2024, 5, 2)
        await talker.say(on(JAWS, day), on(HEAT, day), on(ALIEN, day, rating=4.5, reaction="loved"))
        await talker.say(LogWatch(PSYCHO), LogWatch(ALIEN, date(1999, 7, 1), Precision.MONTH))
        await talker.say(on(HEAT, day, state=WatchState.REWATCH), on(HEAT, day, state=WatchState.REWATCH))
        await talker.say(LogWatch(JAWS, source="letterboxd", source_key="a/b", state=WatchState.ABANDONED))
        await talker.say(AddFilm(own), LogWatch(own.film_id, date(2003, 1, 1), Precision.YEAR))
        await talker.say(*(GiveFeedback(film, WANTED) for film in (HEAT, own.film_id, ALIEN)))
        await talker.say(GiveFeedback(JAWS, DISMISSED), SetPreference(Preference.TIME_ZONE, "Pacific/Auckland"))
        await talker.say(SetPreference(Preference.VISIBILITY, "public"), SetPreference(Preference.ADVENTUROUSNESS, 0.9))
        await talker.say(SetPreference(Preference.GROUP_OPT_IN, True), SetPreference(Preference.LOCALE, "de-AT"))

    async def test_a_stranger_has_no_export(self, ada) -> None:
        assert await ada.store.everything(ada.identity) is None

    async def test_another_person_gets_the_same(self, ada, ben) -> None:
        await self.tell_all(ada)
        await imported(ben, await exported(ada))
        assert portrait(await ben.read()) == portrait(await ada.read())
        assert (await ben.read()).preferences.visibility is Visibility.PUBLIC

    async def test_importing_twice_changes_nothing(self, ada, ben) -> None:
        await self.tell_all(ada)
        content = await exported(ada)
        await imported(ben, content)
        before = everything_but_versions(await ben.read())
        await imported(ben, content)
        assert everything_but_versions(await ben.read()) == before
        await imported(ben, await exported(ben))
        assert everything_but_versions(await ben.read()) == before

    async def test_importing_where_it_came_from_changes_nothing(self, ada) -> None:
        await self.tell_all(ada)
        before = everything_but_versions(await ada.read())
        await imported(ada, await exported(ada))
        assert everything_but_versions(await ada.read()) == before

    async def test_where_nothing_changes_there_is_nothing_to_undo(self, ada) -> None:
        last = await ada.say(LogWatch(ALIEN))
        await imported(ada, await exported(ada))
        everything = await ada.store.everything(ada.identity)
        assert await ada.store.last_undoable(everything.person) == last
        assert everything.rows["preferences"] == ()

    async def test_it_comes_back_by_way_of_another(self, ada, ben) -> None:
        await self.tell_all(ada)
        before = everything_but_versions(await ada.read())
        await imported(ben, await exported(ada))
        own = len((await ada.read()).added_films)
        found = from_zip(await exported(ben))
        # Ben's added film has a number of its own, which Ada does not know; everything else she has.
        await ada.say(*(change for change in found.changes if not isinstance(change, AddFilm | GiveFeedback)))
        assert everything_but_versions(await ada.read()) == before
        assert len((await ada.read()).added_films) == own

    async def test_what_was_removed_since_stays_removed(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        content = await exported(ada)
        (watch,) = (await ada.read()).history
        await ada.say(RemoveWatch(watch.watch_id))
        await imported(ada, content)
        assert await ada.films() == []

    async def test_an_import_is_undone_as_one(self, ada, ben) -> None:
        await self.tell_all(ada)
        await ben.say(LogWatch(HEAT))
        before = portrait(await ben.read())
        message = await imported(ben, await exported(ada))
        await ben.say(UndoMessage(message))
        assert portrait(await ben.read()) == before
        await imported(ben, await exported(ada))
        assert await ben.films() != [HEAT]

    async def test_one_who_has_watched_something_keeps_it(self, ada, ben) -> None:
        day = date(2024, 5, 2)
        await ada.say(on(HEAT, day, rating=2.0, reaction="disliked"), on(ALIEN, day), on(JAWS, date(2024, 5, 4)))
        await ben.say(on(HEAT, day, rating=5.0), on(PSYCHO, date(2024, 5, 3)))
        await imported(ben, await exported(ada))
        history = [(watch.film_id, watch.rating, watch.reaction) for watch in (await ben.read()).history]
        assert history == [(HEAT, 5.0, "disliked"), (ALIEN, None, None), (PSYCHO, None, None), (JAWS, None, None)]

    async def test_the_watchlist_goes_on_behind_ones_own(self, ada, ben) -> None:
        await ada.say(GiveFeedback(HEAT, WANTED), GiveFeedback(ALIEN, WANTED), GiveFeedback(JAWS, WANTED))
        await ben.say(GiveFeedback(ALIEN, WANTED), GiveFeedback(PSYCHO, WANTED))
        await imported(ben, await exported(ada))
        assert (await ben.read()).wanted == (ALIEN, PSYCHO, HEAT, JAWS)


class TestAddedFilms:
    async def add(self, talker, title: str = "Home Video") -> int:
        film_id = new_film_id()
        await talker.say(AddFilm(AddedFilm(film_id, title)), LogWatch(film_id), GiveFeedback(film_id, WANTED))
        return film_id

    async def test_each_person_has_an_own_one(self, ada, ben) -> None:
        hers = await self.add(ada)
        await imported(ben, await exported(ada))
        snapshot = await ben.read()
        (film,) = snapshot.added_films
        assert film.title == "Home Video"
        assert film.film_id != hers
        assert [watch.film_id for watch in snapshot.history] == [film.film_id]
        assert snapshot.wanted == (film.film_id,)
        assert [film.film_id for film in (await ada.read()).added_films] == [hers]

    async def test_it_stays_the_same_when_the_first_owner_is_gone(self, ada, ben) -> None:
        await self.add(ada)
        content = await exported(ada)
        await imported(ben, content)
        before = everything_but_versions(await ben.read())
        await ada.store.erase(ada.identity, None, ada.moment)
        await imported(ben, content)
        assert everything_but_versions(await ben.read()) == before

    async def test_many_people_may_import_it(self, ada, store) -> None:
        hers = await self.add(ada)
        content = await exported(ada)
        seen = {hers}
        for number in range(4):
            talker = type(ada)(store, identity=IdentityKey("terminal", "", f"reader {number}"))
            await imported(talker, content)
            before = everything_but_versions(await talker.read())
            await imported(talker, content)
            assert everything_but_versions(await talker.read()) == before
            seen.add((await talker.read()).added_films[0].film_id)
        assert len(seen) == 5

    async def test_two_at_once_each_get_one(self, ada, ben, store) -> None:
        await self.add(ada)
        content = await exported(ada)
        cid = type(ada)(store, identity=IdentityKey("terminal", "", "cid"))
        await asyncio.gather(imported(ben, content), imported(cid, content))
        films = [(await talker.read()).added_films[0] for talker in (ada, ben, cid)]
        assert {film.title for film in films} == {"Home Video"}
        assert len({film.film_id for film in films}) == 3

    async def test_it_is_known_after_two_accounts_were_joined(self, ada, ben) -> None:
        await self.add(ada)
        content = await exported(ada)
        await imported(ben, content)
        cid = type(ada)(ada.store, identity=IdentityKey("slack", "T1", "cid"))
        await cid.say(LogWatch(JAWS))
        code = new_code()
        await ben.say(OfferLink(code, ben.moment + timedelta(days=1)))
        cid.moment = ben.moment
        await cid.say(JoinPerson(code_hash(code)))
        before = everything_but_versions(await cid.read())
        await imported(cid, content)
        assert everything_but_versions(await cid.read()) == before

    async def test_two_of_one_name_stay_two(self, ada, ben) -> None:
        await self.add(ada)
        await self.add(ada)
        await imported(ben, await exported(ada))
        await imported(ben, await exported(ada))
        assert len((await ben.read()).added_films) == 2
        assert portrait(await ben.read()) == portrait(await ada.read())


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
days = st.dates(date(1990, 1, 1), date(2024, 5, 1)) | st.sampled_from([date(2024, 1, 1), date(1, 1, 1), date.max])
dated = st.just((None, Precision.UNKNOWN)) | st.tuples(
    days, st.sampled_from([Precision.DAY, Precision.MONTH, Precision.YEAR])
)
moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=13))]))
told = st.none() | moments.filter(lambda moment: 2 < moment.year < 9998)
films = st.integers(1, 5) | st.sampled_from([-2, -1, FIRST_ADDED_FILM - 1])
logs = st.builds(
    lambda film, when, state, rating, reaction, entry, told_at, told_on: (
        film,
        {
            "watched_on": when[0],
            "precision": when[1],
            "state": state,
            "rating": rating,
            "reaction": reaction,
            "source": "told" if entry is None else "file",
            "source_key": entry,
            "told_at": told_at,
            "told_on": told_on,
        },
    ),
    films,
    dated,
    st.sampled_from(WatchState),
    st.none() | st.floats(0, 5),
    st.none() | texts,
    st.none() | texts,
    told,
    st.none() | days,
)
opinions = st.tuples(films, st.sampled_from(FeedbackKind), st.booleans())
choices = st.sampled_from(
    [
        (Preference.TIME_ZONE, "Asia/Kathmandu"),
        (Preference.TIME_ZONE, None),
        (Preference.LOCALE, "en"),
        (Preference.ADVENTUROUSNESS, 1),
        (Preference.ADVENTUROUSNESS, 0.25),
        (Preference.VISIBILITY, "private"),
        (Preference.GROUP_OPT_IN, True),
        (Preference.GROUP_OPT_IN, False),
    ]
)
messages = st.lists(
    st.lists(logs, max_size=5)
    | st.lists(opinions, max_size=4)
    | st.lists(choices, max_size=2)
    | st.sampled_from(["undo", "remove", "rate"]),
    max_size=8,
)


@dataclass
class Teller:
    """Says what was drawn; films -1 and -2 are added ones of the person's own."""

    store: Store
    identity: IdentityKey
    own: dict[int, int]
    moment: datetime = NOON

    @classmethod
    def new(cls, store: Store) -> Teller:
        """Somebody new."""
        return cls(store, IdentityKey("terminal", "", str(new_id())), {-1: new_film_id(), -2: new_film_id()})

    async def say(self, *changes: Change) -> MessageId:
        """Handle a message."""
        self.moment += timedelta(minutes=1)
        key, message_id = MessageKey("terminal", "", str(new_id())), MessageId(new_id())
        await self.store.apply(
            self.identity, HERE, key, message_id, changes, "Done.", self.moment, expected_version=None
        )
        return message_id

    async def read(self) -> Snapshot:
        """What is known."""
        return await self.store.read(self.identity, HERE, MessageKey("terminal", "", str(new_id())), self.moment)

    async def tell(self, what: object) -> None:
        """Say one drawn message."""
        snapshot = await self.read()
        if what == "undo":
            if snapshot.person and (last := await self.store.last_undoable(snapshot.person)):
                await self.say(UndoMessage(last))
        elif what in ("remove", "rate"):
            if snapshot.history:
                watch_id = snapshot.history[-1].watch_id
                await self.say(RemoveWatch(watch_id) if what == "remove" else RateWatch(watch_id, 1.5, "meh"))
        elif isinstance(what, list):
            await self.say(*(self.change(*said) for said in what))

    def change(self, first: object, second: object, given: bool = True) -> Change:
        """One drawn change."""
        if isinstance(first, Preference):
            return SetPreference(first, second)  # type: ignore[arg-type]  # a value that was drawn for it
        film = self.own.get(first, first)  # type: ignore[call-overload]  # a number
        if isinstance(second, FeedbackKind):
            return GiveFeedback(film, second) if given else TakeBackFeedback(film, second)
        return LogWatch(film, **second)  # type: ignore[arg-type]  # keywords of LogWatch


async def check_round_trip(store: Store, drawn: Sequence[object]) -> None:
    """Tell everything that was drawn; then export ∘ import gives the same, and again gives nothing."""
    one, two = Teller.new(store), Teller.new(store)
    await one.say(*(AddFilm(AddedFilm(film_id, f"film {name}")) for name, film_id in one.own.items()))
    for what in drawn:
        await one.tell(what)
    before = await one.read()
    content = await exported(one)
    await imported(two, content)
    assert portrait(await two.read()) == portrait(before)
    after = everything_but_versions(await two.read())
    await imported(two, content)
    assert everything_but_versions(await two.read()) == after
    await imported(one, content)
    assert everything_but_versions(await one.read()) == everything_but_versions(before)


def test_whatever_was_told_comes_back(url: str, kind: str) -> None:
    with asyncio.Runner() as runner:
        store = runner.run(Store.open(url))

        @settings(
            max_examples=100 if kind == "sqlite" else 25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        @given(messages)
        def law(drawn: list[object]) -> None:
            runner.run(check_round_trip(store, drawn))

        try:
            law()
        finally:
            runner.run(store.close())


class TestExport:
    async def tell(self, talker) -> bytes:
        """Some watches, a watchlist, and their zip."""
        await talker.say(
            on(ALIEN, date(1979, 9, 6), rating=5.0, reaction="loved"),
            LogWatch(HEAT, date(1996, 2, 1), Precision.MONTH),
            LogWatch(PSYCHO, date(1999, 1, 1), Precision.YEAR, WatchState.ABANDONED),
            LogWatch(JAWS),
        )
        await talker.say(GiveFeedback(HEAT, WANTED), GiveFeedback(JAWS, WANTED), GiveFeedback(PSYCHO, DISMISSED))
        return await exported(talker)

    async def test_it_has_a_file_for_each_purpose(self, ada) -> None:
        names = list(members(await self.tell(ada)))
        assert names[:4] == ["README.txt", "nextreel.json", "watches.csv", "watchlist.csv"]
        nobodys = {"erased_events", "inbox", "place_settings", "registrations", "slack_bots", "slack_oauth_states"}
        assert set(names[4:]) == {f"tables/{table}.csv" for table in tables.metadata.tables if table not in nobodys}

    async def test_it_is_the_same_each_time(self, ada) -> None:
        await ada.say(*(GiveFeedback(film, DISMISSED) for film in (4096, 8, 1)))
        content = await self.tell(ada)
        assert content == await exported(ada)
        assert [entry["film_id"] for entry in document_of(content)["dismissed"]] == [1, 8, PSYCHO, 4096]

    async def test_the_json_has_each_field_that_is_described_and_no_other(self, ada) -> None:
        await ada.say(AddFilm(AddedFilm(new_film_id(), "Home Video", 2003)))
        document = document_of(await self.tell(ada))
        assert list(document) == list(FIELDS[""])
        for part in FIELDS.keys() - {"", "settings"}:
            for entry in document[part]:
                assert list(entry) == list(FIELDS[part]), part
        assert list(document["settings"]) == list(FIELDS["settings"])
        assert document["format"] == FORMAT

    async def test_the_text_beside_it_describes_every_field(self, ada) -> None:
        lines = members(await self.tell(ada))["README.txt"].decode().splitlines()
        for fields in FIELDS.values():
            for name, meaning in fields.items():
                assert any(line.split() == [name, *meaning.split()] for line in lines), name
        assert max(map(len, lines)) <= 120

    async def test_the_json_says_what_was_told_and_when(self, ada) -> None:
        ada.moment = datetime(2024, 5, 10, 23, 30, tzinfo=timezone(-timedelta(hours=8)))
        await ada.say(LogWatch(HEAT, rating=3.7, reaction="“grand”"))
        content = await exported(ada)
        (watch,) = (await ada.read()).history
        (entry,) = document_of(content)["watches"]
        assert entry == {
            "film_id": HEAT,
            "title": "Heat",
            "year": 1995,
            "imdb_id": "tt0113277",
            "tmdb_id": 949,
            "watched_on": None,
            "precision": "unknown",
            "state": "finished",
            "rating": 3.7,
            "reaction": "“grand”",
            "told_at": "2024-05-11T07:31:00+00:00",
            "told_on": "2024-05-10",
            "source": "told",
            "source_key": f"nextreel:{watch.watch_id}",
        }
        assert "“grand”" in members(content)["nextreel.json"].decode()

    async def test_watches_are_a_table_with_names_and_dates_as_they_are_known(self, ada) -> None:
        rows = sheet(await self.tell(ada), "watches.csv")
        shown = [(row["title"], row["year"], row["watched_on"], row["rating"], row["state"]) for row in rows]
        assert shown == [
            ("", "", "", "", "finished"),  # a film that the caller knows no name of
            ("", "", "1999", "", "abandoned"),
            ("Heat", "1995", "1996-02", "", "finished"),
            ("Alien", "1979", "1979-09-06", "5.0", "finished"),
        ]
        assert rows[3]["imdb_id"] == "tt0078748"

    async def test_the_watchlist_is_a_table_in_its_order(self, ada) -> None:
        assert [row["title"] for row in sheet(await self.tell(ada), "watchlist.csv")] == ["Heat", ""]

    async def test_the_tables_have_earlier_versions_too(self, ada) -> None:
        await ada.say(LogWatch(ALIEN, rating=2.0))
        (watch,) = (await ada.read()).history
        await ada.say(RateWatch(watch.watch_id, 5.0))
        rows = sheet(await exported(ada), "tables/watches.csv")
        assert [(row["rating"], row["live"]) for row in rows] == [("2.0", "false"), ("5.0", "true")]

    async def test_it_holds_nothing_of_others(self, ada, ben) -> None:
        await ben.say(LogWatch(JAWS, reaction="zebra"), reply="zebra")
        await ben.say(SetPreference(Preference.LOCALE, "rm"), AddFilm(AddedFilm(new_film_id(), "zebra")))
        content = await self.tell(ada)
        theirs = await ben.read()
        for name, text in members(content).items():
            assert b"zebra" not in text, name
            assert str(theirs.person).encode() not in text, name
            assert b"ben" not in text, name

    async def test_it_leaves_out_what_would_let_others_in(self, ada) -> None:
        code = new_code()
        await ada.say(OfferLink(code, ada.moment + timedelta(minutes=10)))
        rows = sheet(await exported(ada), "tables/link_codes.csv")
        assert [list(row) for row in rows] == [["person_id", "expires_at"]]
        assert {column.name for column in LEFT_OUT} == {"code_hash"}

    @pytest.mark.parametrize("first", list("=+-@\t\r\n＝＋－＠"))
    async def test_no_cell_is_a_formula(self, ada, first) -> None:
        evil = f"{first}HYPERLINK(\"http://evil\",'x')\n=1;=2,=3"
        own = AddedFilm(new_film_id(), evil)
        await ada.say(AddFilm(own), LogWatch(own.film_id, reaction=evil), GiveFeedback(own.film_id, WANTED), reply=evil)
        content = await exported(ada)
        found = 0
        for name in members(content):
            if name.endswith(".csv"):
                for row in sheet(content, name):
                    assert not [cell for cell in row.values() if cell.startswith(first)], name
                    found += list(row.values()).count(f"'{evil}")
        assert found == 6  # title, reaction, title; reply, title, reaction
        assert document_of(content)["watches"][0]["reaction"] == evil

    async def test_numbers_below_zero_stay_numbers_and_json_stays_json(self, ada) -> None:
        message_id = MessageId(new_id())
        pick = ShownPick(1, ALIEN, -0.5, {"half": "\ud83d"})  # JSON takes half a pair, UTF-8 does not
        shown = ShownSlate(SlateId(new_id()), message_id, "starter-1", {}, (pick,), ada.moment)
        await ada.deliver(ada.key(), message_id, [ShowSlate(shown)], "Here.")
        (row,) = sheet(await exported(ada), "tables/slate_picks.csv")
        assert (row["score"], json.loads(row["reason"])) == ("-0.5", {"half": "\ud83d"})

    async def test_names_with_anything_in_them_are_written(self, ada) -> None:
        await ada.say(LogWatch(ALIEN))
        everything = await ada.store.everything(ada.identity)
        content = to_zip(everything, lambda _: FilmName("A\ud800B, “C”\r\n\0"), NOON)
        assert from_zip(content).problems == ()
        assert len(sheet(content, "watches.csv")) == 1

    async def test_five_thousand_films_are_read_at_once(self, ada) -> None:
        start = date(2010, 1, 1)
        await ada.say(*(on(film, start + timedelta(days=film % 4000), rating=4.0) for film in range(5000)))
        statements: list[str] = []

        def count(_connection, _cursor, statement, *_more) -> None:
            statements.append(statement)

        event.listen(Engine, "before_cursor_execute", count)
        content = await exported(ada)
        event.remove(Engine, "before_cursor_execute", count)
        assert len(document_of(content)["watches"]) == 5000
        # The history, the rows of the table, and what keeps films of one's own.
        assert len([one for one in statements if "FROM watches" in one]) == 3
        assert len(statements) < 30


class TestTables:
    def schema(self) -> MetaData:
        """People, and tables that lead to them or do not."""
        schema = MetaData()
        Table("people", schema, Column("person_id", Integer, primary_key=True))
        Table(
            "diaries", schema, Column("diary", Integer, primary_key=True), Column("who", ForeignKey("people.person_id"))
        )
        Table("pages", schema, Column("page", Integer, primary_key=True), Column("diary", ForeignKey("diaries.diary")))
        Table("notes", schema, Column("note", Text, primary_key=True), Column("page", ForeignKey("pages.page")))
        Table("weather", schema, Column("day", Text, primary_key=True))
        return schema

    def test_whatever_leads_to_people_is_about_them(self) -> None:
        assert [table.name for table in about(PersonId(1), self.schema())] == ["people", "diaries", "pages", "notes"]

    async def test_a_new_table_is_in_the_export_by_itself(self, ada, ben) -> None:
        await ada.say(LogWatch(ALIEN))
        await ben.say(LogWatch(ALIEN))
        persons = [(await talker.read()).person for talker in (ada, ben)]
        letters = Table(
            "letters",
            tables.metadata,
            Column("letter", Integer, primary_key=True, autoincrement=False),
            Column("to", ForeignKey("people.person_id", ondelete="CASCADE")),
            Column("text", Text),
        )
        stamps = Table(
            "stamps",
            tables.metadata,
            Column("letter", ForeignKey("letters.letter", ondelete="CASCADE"), primary_key=True),
            Column("motif", Text),
        )
        rows = [{"letter": number, "to": person, "text": f"dear {number}"} for number, person in enumerate(persons)]
        try:
            for table in (letters, stamps):
                await ada.store.database.write(table.create)
            await ada.store.database.write(lambda connection: connection.execute(insert(letters), rows))
            picture = [{"letter": number, "motif": f"owl {number}"} for number in range(2)]
            await ada.store.database.write(lambda connection: connection.execute(insert(stamps), picture))
            content = await exported(ada)
            assert [row["text"] for row in sheet(content, "tables/letters.csv")] == ["dear 0"]
            assert [row["motif"] for row in sheet(content, "tables/stamps.csv")] == ["owl 0"]
        finally:
            for table in (stamps, letters):
                await ada.store.database.write(table.drop)
                tables.metadata.remove(table)


def zipped(document: object, name: str = "nextreel.json", **more: object) -> bytes:
    """A zip with that JSON."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text, **more)  # type: ignore[arg-type]  # keywords of writestr
    return buffer.getvalue()


def watch(**more: object) -> dict[str, object]:
    """A good entry, or one with something else in it."""
    return {
        "film_id": ALIEN,
        "watched_on": None,
        "precision": "unknown",
        "state": "finished",
        "rating": None,
        "reaction": None,
        "told_at": "2024-05-10T12:00:00+00:00",
        "told_on": None,
        "source": "told",
        "source_key": "nextreel:1",
        **more,
    }


def with_watches(*entries: object) -> Import:
    """What a file with those watches asks for."""
    return from_zip(zipped({"format": 1, "watches": list(entries)}))


def refused(content: bytes) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(PortableError) as error:
        from_zip(content)
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


class TestBadEntries:
    @pytest.mark.parametrize(
        ("bad", "why"),
        [
            ({"film_id": "1214"}, "its film_id is no whole number"),
            ({"film_id": 1214.0}, "its film_id is no whole number"),
            ({"film_id": True}, "its film_id is no whole number"),
            ({"film_id": None}, "its film_id is no whole number"),
            ({"film_id": -1}, "a film's id is a number of 63 bits"),
            ({"film_id": 2**63}, "its film is none of the added films in this file"),
            ({"film_id": 10**5000}, "its film_id is no whole number"),
            ({"film_id": FIRST_ADDED_FILM}, "its film is none of the added films in this file"),
            ({"watched_on": "yesterday", "precision": "day"}, "its watched_on is no date"),
            ({"watched_on": "2024-02-30", "precision": "day"}, "its watched_on is no date"),
            ({"watched_on": 20240502, "precision": "day"}, "its watched_on is no date"),
            ({"watched_on": "2024-05-02"}, "a watch has a date exactly when its precision is known"),
            ({"precision": "day"}, "a watch has a date exactly when its precision is known"),
            ({"precision": "hour"}, "its precision is none of day, month, year, unknown"),
            ({"precision": None}, "its precision is none of day, month, year, unknown"),
            ({"precision": []}, "its precision is none of day, month, year, unknown"),
            ({"state": {"finished": 1}}, "its state is none of finished, abandoned, rewatch"),
            ({"rating": "5"}, "its rating is no number"),
            ({"rating": True}, "its rating is no number"),
            ({"rating": 5.1}, "a rating runs from 0 to 5, not 5.1"),
            ({"rating": float("nan")}, "a rating runs from 0 to 5, not nan"),
            ({"rating": float("inf")}, "a rating runs from 0 to 5, not inf"),
            ({"rating": -float("inf")}, "a rating runs from 0 to 5, not -inf"),
            ({"rating": 10**400}, "a rating runs from 0 to 5, not nan"),
            ({"reaction": ["loved"]}, "its reaction is no text"),
            ({"reaction": "a\0b"}, "a text holds no NUL and no lone surrogate"),
            ({"reaction": "\ud83d"}, "a text holds no NUL and no lone surrogate"),
            ({"reaction": "x" * 1_000_000}, "its reaction has more than 10,000 characters"),
            ({"told_at": None}, "its told_at is no moment with a time zone"),
            ({"told_at": "2024-05-10"}, "its told_at is no moment with a time zone"),
            ({"told_at": "2024-05-10T12:00:00"}, "its told_at is no moment with a time zone"),
            ({"told_at": "0001-01-01T00:00:00+14:00"}, "its told_at is no moment with a time zone"),
            ({"told_at": 1715342400}, "its told_at is no moment with a time zone"),
            ({"told_on": "2024"}, "its told_on is no date"),
            ({"source": None}, "its source is no text"),
            ({"source_key": None}, "its source_key is no text"),
            ({"source_key": "\0"}, "a text holds no NUL and no lone surrogate"),
            ({"source_key": "é" * 1300}, "a key has at most 2400 bytes"),
        ],
    )
    def test_one_is_named_by_its_place_and_the_rest_is_taken(self, bad: dict[str, object], why: str) -> None:
        good = [watch(), watch(film_id=HEAT, source_key="nextreel:3")]
        entries = ", ".join(_raw(entry) for entry in (good[0], watch(**bad), good[1]))
        found = from_zip(zipped(f'{{"format": 1, "watches": [{entries}]}}'.encode()))
        assert found.problems == (f"Watch 2: {why}.",)
        assert [change.film_id for change in found.changes if isinstance(change, LogWatch)] == [ALIEN, HEAT]

    @pytest.mark.parametrize("entry", [None, 1, "film", [], [1], True])
    def test_an_entry_is_an_object(self, entry: object) -> None:
        assert with_watches(entry).problems == ("Watch 1: it is no object.",)

    def test_every_list_has_its_own_numbers(self) -> None:
        document = {
            "format": 1,
            "added_films": [{"film_id": FIRST_ADDED_FILM + 1, "title": "Good"}, {"film_id": 5, "title": "Bad"}],
            "watches": [watch(film_id=FIRST_ADDED_FILM + 1), 7],
            "watchlist": [{"film_id": HEAT}, {"film_id": FIRST_ADDED_FILM + 2}],
            "dismissed": [{}, {"film_id": JAWS}],
            "settings": {"time_zone": "Mars/Olympus", "locale": ["en"], "adventurousness": 0.5, "colour": "red"},
        }
        found = from_zip(zipped(document))
        assert found.problems == (
            "Added film 2: added films have ids from 1000000000.",
            "Watch 2: it is no object.",
            "Watchlist entry 2: its film is none of the added films in this file.",
            "Dismissed film 1: its film_id is no whole number.",
            "Setting time_zone: it can't have that value.",
            "Setting locale: it can't have that value.",
        )
        assert found.changes[:1] == (AddFilm(AddedFilm(FIRST_ADDED_FILM + 1, "Good")),)
        assert found.changes[2:] == (
            GiveFeedback(HEAT, WANTED),
            GiveFeedback(JAWS, DISMISSED),
            SetPreference(Preference.ADVENTUROUSNESS, 0.5),
        )

    @pytest.mark.parametrize("title", ["", " ", "x" * 301, "\0", "\ud800", None, 7])
    def test_an_added_film_has_a_title(self, title: object) -> None:
        found = from_zip(zipped({"format": 1, "added_films": [{"film_id": FIRST_ADDED_FILM, "title": title}]}))
        assert found.changes == ()
        assert len(found.problems) == 1

    @pytest.mark.parametrize("year", [1700, 10**30, "1999", 1999.5, float("nan")])
    def test_an_added_film_has_a_year_or_none(self, year: object) -> None:
        film = {"film_id": FIRST_ADDED_FILM, "title": "Home Video", "year": year}
        assert len(from_zip(zipped({"format": 1, "added_films": [film]})).problems) == 1

    @pytest.mark.parametrize("name", ["watches", "watchlist", "dismissed", "added_films", "settings"])
    @pytest.mark.parametrize("value", [7, "all", True, 0.5])
    def test_what_should_hold_entries_and_does_not_is_said(self, name: str, value: object) -> None:
        (problem,) = from_zip(zipped({"format": 1, name: value})).problems
        assert problem.startswith(f"{name} could not be read")

    def test_nothing_that_the_file_says_is_repeated(self) -> None:
        mark = "@everyone <b>"
        entries = [watch(**{field: mark}) for field in watch() if field not in ("reaction", "source", "source_key")]
        found = from_zip(zipped({"format": 1, mark: 1, "watches": entries, "settings": {"time_zone": mark, mark: 1}}))
        assert len(found.problems) == len(entries) + 1
        assert mark not in "".join(found.problems)

    def test_of_very_many_the_first_are_named(self) -> None:
        problems = with_watches(*[7] * (MAX_PROBLEMS + 500)).problems
        assert len(problems) == MAX_PROBLEMS + 1
        assert problems[-1] == "500 more entries could not be read."

    def test_an_empty_export_asks_for_nothing(self) -> None:
        assert from_zip(zipped({"format": 1})) == Import((), ())


def _raw(entry: dict[str, object]) -> str:
    """JSON as others may write it: with numbers of any length."""
    long = {field: value for field, value in entry.items() if isinstance(value, int) and value > 10**30}
    text = json.dumps({field: f"#{field}" if field in long else value for field, value in entry.items()})
    for field, value in long.items():
        text = text.replace(f'"#{field}"', "1" + "0" * (5000 if value > 10**1000 else 400))
    return text


class TestHostileFiles:
    @pytest.mark.parametrize(
        "content", [b"", b"PK", b"PK\x03\x04" + b"\0" * 100, b"PK\x05\x06" + b"\0" * 18, b"%PDF-1.7", b"\xff" * 100_000]
    )
    def test_what_is_no_zip_is_refused(self, content: bytes) -> None:
        assert refused(content).startswith("That file is no export of Nextreel")

    @pytest.mark.parametrize(
        "document",
        [b"", b"{", b"nextreel", b"\xff\xfe", b"null", b"[]", b"7", b'"format"', b"{}", b'{"format": null}',
         b'{"format": true}', b'{"format": "1"}', b'{"format": 0}', b'{"format": 1.0}', b'{"format": NaN}',
         b"[" * 100_000, b'{"a":' * 100_000, b'{"format": 1, "a": ' + b"[" * 5000 + b"]" * 5000 + b"}"],
    )  # fmt: skip
    def test_what_is_no_json_of_ours_is_refused(self, document: bytes) -> None:
        assert refused(zipped(document)).startswith("That file is no export of Nextreel")

    def test_one_of_a_newer_program_is_refused_for_that(self) -> None:
        assert refused(zipped({"format": FORMAT + 1})) == (
            "That export was made by a newer Nextreel; please update this one."
        )

    def test_json_with_a_mark_of_its_encoding_is_taken(self) -> None:
        assert from_zip(zipped(b'\xef\xbb\xbf{"format": 1}')) == Import((), ())

    @pytest.mark.parametrize(
        "name", ["../../nextreel.json", "/etc/nextreel.json", "C:\\x/nextreel.json", "my export/nextreel.json"]
    )
    def test_a_path_is_but_a_name(self, name: str, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert from_zip(zipped({"format": 1}, name)) == Import((), ())
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["nextreel.json.exe", "xnextreel.json", "nextreel.json/", "NEXTREEL.JSON"])
    def test_another_name_is_not_ours(self, name: str) -> None:
        assert "does not hold one nextreel.json" in refused(zipped({"format": 1}, name))

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_two_of_the_same_are_refused(self) -> None:
        buffer = io.BytesIO(zipped({"format": 1}))
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.writestr("nextreel.json", "{}")
        assert "does not hold one nextreel.json" in refused(buffer.getvalue())

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_ways_of_packing_are_refused(self, method: int) -> None:
        assert "packed in another way" in refused(zipped({"format": 1}, compress_type=method))

    def test_an_encrypted_one_is_refused(self) -> None:
        content = bytearray(zipped({"format": 1}))
        content[6] |= 1
        content[content.index(b"PK\x01\x02") + 8] |= 1
        assert "encrypted" in refused(bytes(content))

    def test_a_bomb_does_not_go_off(self) -> None:
        bomb = zipped(b'{"format": 1, "a": "' + b"0" * 300_000_000 + b'"}')
        assert len(bomb) < 400_000
        self.refused_cheaply(bomb, f"more than {MAX_JSON // 2**20} MB")

    def test_a_bomb_that_lies_about_its_size_does_not_go_off(self) -> None:
        bomb = bytearray(zipped(b'{"format": 1, "a": "' + b"0" * 300_000_000 + b'"}'))
        for at in (22, bomb.index(b"PK\x01\x02") + 24):
            bomb[at : at + 4] = (1000).to_bytes(4, "little")
        self.refused_cheaply(bytes(bomb), "")

    @pytest.mark.parametrize("entry", [b"[],", b"{},", b'[[[""]]],', b'"ab",', b"1.5,"])
    def test_json_that_takes_far_more_room_than_its_text_is_refused(self, entry: bytes) -> None:
        many = entry * (MAX_JSON // len(entry) - 100)
        self.refused_cheaply(zipped(b'{"format": 1, "watches": [' + many + b"7]}"), "too many entries")

    def test_a_directory_of_very_many_names_is_not_read(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for number in range(20_000):
                archive.writestr(str(number), b"")
        self.refused_cheaply(buffer.getvalue(), "too many files")

    def test_a_very_large_file_is_not_opened(self) -> None:
        assert "too large" in refused(b"PK\x03\x04" + b"\0" * MAX_ZIP)

    def refused_cheaply(self, content: bytes, sentence: str) -> None:
        """Refused in little memory and time."""
        tracemalloc.start()
        begun = time.perf_counter()
        said = refused(content)
        took = time.perf_counter() - begun
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sentence in said
        assert peak < 4 * MAX_JSON
        assert took < 5

    def test_two_hundred_thousand_watches_are_cut_to_what_one_message_may_hold(self) -> None:
        entry = json.dumps(watch(), separators=(",", ":")).encode()
        begun = time.perf_counter()
        found = from_zip(zipped(b'{"format":1,"watches":[' + b",".join([entry[:-1] + b"}"] * 80_000) + b"]}"))
        assert len(found.changes) == MAX_WATCHES
        assert found.problems == ("watches from 20,001 to 80,000 were left out: one file has at most 20,000.",)
        assert time.perf_counter() - begun < 10
        assert "more than 16 MB" in refused(zipped(b'{"format":1,"watches":[' + b",".join([entry] * 200_000) + b"]}"))

    def test_so_are_opinions_and_added_films(self) -> None:
        own = [{"film_id": FIRST_ADDED_FILM + number, "title": "x"} for number in range(MAX_ADDED_FILMS + 1)]
        found = from_zip(zipped({"format": 1, "added_films": own, "watchlist": [{"film_id": 1}] * 10_500}))
        assert len(found.changes) == MAX_ADDED_FILMS + 10_000
        assert len(found.problems) == 2

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_a_damaged_zip_is_refused_or_read(self, data: st.DataObject) -> None:
        content = bytearray(zipped({"format": 1, "watches": [watch()]}))
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(content) - 1))
            content[at : at + 1] = data.draw(st.binary(max_size=3))
        try:
            assert len(from_zip(bytes(content)).changes) <= 1
        except PortableError as error:
            assert str(error).endswith(".")  # noqa: PT017 (either is right)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def _entries(good: dict[str, Callable[[], st.SearchStrategy[object]]]) -> st.SearchStrategy[object]:
    """Lists of entries, in which each field is right, wrong or missing."""
    fields = {field: right() | json_values for field, right in good.items()}
    return st.lists(
        st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields) | json_values, max_size=4
    )


def _film_ids() -> st.SearchStrategy[object]:
    return st.sampled_from([1, 2, 2**31, FIRST_ADDED_FILM, FIRST_ADDED_FILM + 1, 2**63 - 1, 2**63, -1])


def _dates() -> st.SearchStrategy[object]:
    return st.none() | st.dates().map(date.isoformat)


documents = st.fixed_dictionaries(
    {"format": st.just(1)},
    optional={
        "added_films": _entries(
            {
                "film_id": _film_ids,
                "title": lambda: st.text(max_size=5),
                "year": lambda: st.none() | st.integers(1790, 2210),
            }
        ),
        "watches": _entries(
            {
                "film_id": _film_ids,
                "watched_on": _dates,
                "precision": lambda: st.sampled_from([*Precision]),
                "state": lambda: st.sampled_from([*WatchState]),
                "rating": lambda: st.none() | st.floats(0, 5) | st.integers(0, 5),
                "reaction": lambda: st.none() | st.text(max_size=5),
                "told_at": lambda: st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
                "told_on": _dates,
                "source": lambda: st.text(max_size=5),
                "source_key": lambda: st.text(max_size=5) | st.integers().map(lambda number: f"nextreel:{number}"),
            }
        ),
        "watchlist": _entries({"film_id": _film_ids}),
        "dismissed": _entries({"film_id": _film_ids}),
        "settings": json_values | st.fixed_dictionaries({}, optional={name.value: json_values for name in Preference}),
    },
)


def test_whatever_a_file_holds_can_be_applied_and_exported_again(url: str, kind: str) -> None:
    """The law of hostile content: no document makes `from_zip`, `apply` or an export of that fail."""

    async def check(store: Store, document: object) -> None:
        teller = Teller.new(store)
        found = from_zip(zipped(json.dumps(document).encode()))
        await teller.say(*found.changes)
        before = everything_but_versions(await teller.read())
        await teller.say(*found.changes)
        assert everything_but_versions(await teller.read()) == before
        assert from_zip(await exported(teller)).problems == ()

    with asyncio.Runner() as runner:
        store = runner.run(Store.open(url))

        @settings(max_examples=150 if kind == "sqlite" else 50, deadline=None, suppress_health_check=list(HealthCheck))
        @given(documents)
        def law(document: object) -> None:
            runner.run(check(store, document))

        try:
            law()
        finally:
            runner.run(store.close())
