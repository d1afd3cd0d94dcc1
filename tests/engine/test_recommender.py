"""What is on a slate, and what never is."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.films import GENRES, FilmId
from engine.recommender import UNLIKED, Recommender
from engine.requests import Event, EventKind, Member, ReasonKind, Request, Slate
from tests.engine.small_bundle import FILMS, KNOWN, MAX_LENGTH, TAGS, film_id

films = st.integers(0, FILMS - 1).map(film_id).map(FilmId)
events = st.builds(Event, films, st.sampled_from(list(EventKind)))
members = st.builds(Member, st.lists(events, max_size=3 * MAX_LENGTH).map(tuple), st.frozensets(films, max_size=5))
genres = st.frozensets(st.sampled_from(GENRES), max_size=2)
years = st.tuples(*[st.none() | st.integers(1925, 2025)] * 2)
requests = st.builds(
    Request,
    count=st.integers(1, 50),
    like=st.lists(films, max_size=3).map(tuple),
    genres=genres,
    without_genres=genres,
    years=years,
    tags=st.lists(st.sampled_from([*TAGS, "no such tag"]), max_size=2).map(tuple),
    without_tags=st.lists(st.sampled_from([*TAGS, "no such tag"]), max_size=2).map(tuple),
    without=st.frozensets(films, max_size=20),
    include_seen=st.booleans(),
    adventurousness=st.floats(0, 1),
    diversity=st.floats(0, 1),
    reasons=st.booleans(),
)


def watched(*numbers: int, kind: EventKind = EventKind.WATCHED) -> Member:
    return Member(tuple(Event(FilmId(film_id(n)), kind) for n in numbers))


def ids(slate: Slate) -> list[int]:
    return [pick.film.film_id for pick in slate.picks]


@settings(max_examples=200, deadline=None)
@given(st.lists(members, max_size=3), requests)
def test_a_slate_keeps_every_promise(recommender: Recommender, given_members: list[Member], request: Request) -> None:
    slate = recommender.recommend(given_members, request)
    shown = ids(slate)
    assert len(shown) == len(set(shown)) <= request.count
    assert not set(shown) & {*request.without, *request.like}
    for member in given_members:
        assert not set(shown) & member.dismissed
        if not request.include_seen:
            assert not set(shown) & {event.film_id for event in member.history}
    first, last = request.years
    for pick in slate.picks:
        assert request.genres <= set(pick.film.genres)
        assert not request.without_genres & set(pick.film.genres)
        assert not set(request.without_tags) & set(pick.film.tags)
        if request.years != (None, None):
            assert pick.film.year is not None
            assert (first or 0) <= pick.film.year <= (last or 9999)
        assert np.isfinite(pick.score)
    scores = [pick.score for pick in slate.picks]
    assert scores == sorted(scores, reverse=True)
    assert slate.bundle == "small 1"


def test_films_like_those_of_an_unwanted_tag_come_later(recommender: Recommender) -> None:
    """Half of the giallos carry their tag; the others lie beside them in the model."""
    plain = recommender.recommend([], Request(count=20))
    spared = recommender.recommend([], Request(count=20, without_tags=("Giallo",)))

    def giallos(slate: Slate) -> int:
        return sum("Horror" in pick.film.genres for pick in slate.picks)

    assert giallos(spared) < giallos(plain)
    assert len(spared.picks) == 20
    assert all("giallo" not in pick.film.tags for pick in spared.picks)


@settings(max_examples=30, deadline=None)
@given(given_request=requests, data=st.data())
def test_the_shipped_bundle_keeps_them_too(shipped: Recommender, given_request: Request, data: st.DataObject) -> None:
    catalog = shipped.catalog
    numbers = data.draw(st.lists(st.integers(0, len(catalog) - 1), max_size=70))
    member = Member(tuple(Event(FilmId(int(catalog.film_ids[n]))) for n in numbers))
    slate = shipped.recommend([member], given_request)
    assert len(slate.picks) <= given_request.count
    for pick in slate.picks:
        assert given_request.genres <= set(pick.film.genres)
        assert given_request.include_seen or pick.film.film_id not in {event.film_id for event in member.history}


@settings(max_examples=60, deadline=None)
@given(st.lists(members, max_size=2), requests)
def test_the_same_question_has_the_same_answer(
    recommender: Recommender, given_members: list[Member], request: Request
) -> None:
    assert recommender.recommend(given_members, request) == recommender.recommend(given_members, request)


@settings(max_examples=60, deadline=None)
@given(members, st.frozensets(st.sampled_from(GENRES), max_size=1), years)
def test_a_slate_is_short_only_when_the_whole_catalogue_has_no_more(
    recommender: Recommender, member: Member, wanted: frozenset[str], between: tuple[int | None, int | None]
) -> None:
    slate = recommender.recommend([member], Request(count=20, genres=wanted, years=between))
    hidden = {event.film_id for event in member.history} | member.dismissed
    first, last = (between[0] or 0), (between[1] or 9999)
    possible = [
        film
        for film in recommender.catalog
        if film.film_id not in hidden and wanted <= set(film.genres) and first <= (film.year or 0) <= last
    ]
    assert len(slate.picks) == min(20, len(possible))


@pytest.mark.parametrize("length", [0, 1, 2, MAX_LENGTH - 1, MAX_LENGTH, MAX_LENGTH + 1, 5 * MAX_LENGTH])
def test_histories_of_any_length_are_answered(recommender: Recommender, length: int) -> None:
    member = watched(*(7 * n % 200 for n in range(length)))
    assert len(recommender.recommend([member], Request(count=5)).picks) == 5


def test_only_the_last_films_are_told_to_the_model_and_all_stay_seen(recommender: Recommender) -> None:
    last = range(100, 100 + MAX_LENGTH)
    whole, cut = watched(*range(50), *last), watched(*last)
    without = frozenset(FilmId(film_id(n)) for n in range(50))
    assert ids(recommender.recommend([whole], Request(count=10, diversity=0))) == ids(
        recommender.recommend([cut], Request(count=10, diversity=0, without=without))
    )


@pytest.mark.parametrize("kind", sorted(UNLIKED))
def test_what_was_disliked_or_abandoned_is_seen_but_says_nothing_of_taste(
    recommender: Recommender, kind: EventKind
) -> None:
    liked = watched(0, 5, 10)
    also = Member((*liked.history, *watched(3, kind=kind).history))
    expected = recommender.recommend([liked], Request(without=frozenset({FilmId(film_id(3))})))
    assert ids(recommender.recommend([also], Request())) == ids(expected)


def test_films_the_model_never_met_are_seen_but_skipped(recommender: Recommender) -> None:
    known, unknown = watched(0, 5), watched(0, 5, KNOWN + 5)
    assert ids(recommender.recommend([unknown], Request(count=10))) == ids(
        recommender.recommend([known], Request(count=10))
    )
    only = recommender.recommend([watched(KNOWN + 5)], Request(count=50, genres=frozenset({"Horror"})))
    assert film_id(KNOWN + 5) not in ids(only)


def test_a_film_that_the_catalogue_does_not_hold_is_no_trouble(recommender: Recommender) -> None:
    member = Member((Event(FilmId(1_000_000_001)), *watched(0).history), frozenset({FilmId(1_000_000_002)}))
    assert len(recommender.recommend([member], Request(like=(FilmId(1_000_000_003),))).picks) == 5
    assert recommender.similar(FilmId(1_000_000_003)).picks == ()
    assert recommender.why([member], FilmId(1_000_000_003), Request()) == ()


def test_people_get_more_of_the_kind_they_watch(recommender: Recommender) -> None:
    slate = recommender.recommend([watched(3, 8, 13)], Request(count=5, diversity=0))
    assert sum("Western" in pick.film.genres for pick in slate.picks) >= 4


def test_a_first_slate_is_well_known_and_of_several_kinds(recommender: Recommender) -> None:
    picks = recommender.recommend([Member()], Request(count=5)).picks
    assert len({pick.film.genres for pick in picks}) >= 3
    assert min(pick.film.rating_count for pick in picks) > 50


def test_the_dial_leads_from_the_well_known_to_the_little_known(recommender: Recommender) -> None:
    counts = [
        np.median([p.film.rating_count for p in recommender.recommend([m], Request(10, adventurousness=a)).picks])
        for m in (watched(0, 5, 10), Member())
        for a in (0.0, 0.3, 1.0)
    ]
    assert counts[0] > counts[1] >= counts[2]
    assert counts[3] >= counts[4] > counts[5]


def test_diversity_brings_in_other_kinds(recommender: Recommender) -> None:
    kinds = [
        len({pick.film.genres for pick in recommender.recommend([watched(0, 5)], Request(10, diversity=d)).picks})
        for d in (0.0, 1.0)
    ]
    assert kinds[0] < kinds[1]


def test_wanted_tags_come_first_and_never_empty_a_slate(recommender: Recommender) -> None:
    picks = recommender.recommend([watched(1, 2)], Request(count=5, tags=("gunfight",), diversity=0)).picks
    assert all("gunfight" in pick.film.tags for pick in picks)
    assert len(recommender.recommend([watched(1, 2)], Request(count=5, tags=("no such tag",))).picks) == 5


def test_too_few_known_films_are_followed_by_the_rest_of_the_catalogue(recommender: Recommender) -> None:
    unknown = {film_id(n) for n in range(KNOWN, FILMS)}
    seen = watched(*(n for n in range(KNOWN) if n % 5 == 3))
    picks = recommender.recommend([seen], Request(count=5, genres=frozenset({"Western"}))).picks
    assert len(picks) == 5
    assert all(pick.film.film_id in unknown for pick in picks)
    assert {pick.reason.kind for pick in picks} <= {ReasonKind.SHARED, ReasonKind.FACTS}


def test_films_like_one_are_of_its_kind_and_never_the_film_itself(recommender: Recommender) -> None:
    slate = recommender.similar(FilmId(film_id(8)), 5)
    assert film_id(8) not in ids(slate)
    assert sum("Western" in pick.film.genres for pick in slate.picks) >= 4


def test_films_like_one_that_the_model_never_met_go_by_what_it_is(recommender: Recommender) -> None:
    number = next(n for n in range(KNOWN, FILMS) if n % 5 == 3)
    slate = recommender.similar(FilmId(film_id(number)), 5)
    assert sum("Western" in pick.film.genres for pick in slate.picks) >= 4
    assert {pick.reason.kind for pick in slate.picks} <= {ReasonKind.SHARED, ReasonKind.FACTS, ReasonKind.POPULAR}


def test_a_group_is_told_nothing_that_any_of_it_has_seen(recommender: Recommender) -> None:
    group = [watched(0, 5, 10), watched(3, 8, 13), Member()]
    shown = set(ids(recommender.recommend(group, Request(count=50))))
    assert not shown & {film_id(n) for n in (0, 5, 10, 3, 8, 13)}


def test_members_of_a_group_may_come_in_any_order(recommender: Recommender) -> None:
    group = [watched(0, 5, 10), watched(3, 8, 13), watched(1)]
    assert ids(recommender.recommend(group, Request())) == ids(recommender.recommend(group[::-1], Request()))


def test_choices_are_ordered_by_history_and_by_fame(recommender: Recommender) -> None:
    western, horror, unheard = FilmId(film_id(203)), FilmId(film_id(200)), FilmId(1_000_000_009)
    assert recommender.order(watched(3, 8, 13), [unheard, horror, western])[0] == western
    assert recommender.order(watched(0, 5, 10), [unheard, western, horror])[0] == horror
    famous, obscure = FilmId(film_id(0)), FilmId(film_id(290))
    assert recommender.order(Member(), [obscure, famous]) == (famous, obscure)


def test_concurrent_people_get_their_own_answers(recommender: Recommender) -> None:
    asked = [([watched(*range(n % 20, n % 20 + n % 9))], Request(count=1 + n % 7)) for n in range(60)]
    alone = [ids(recommender.recommend(*question)) for question in asked]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda question: ids(recommender.recommend(*question)), asked))
    assert together == alone


def test_a_genre_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="Giallo"):
        Request(genres=frozenset({"Giallo"}))


def find(shipped: Recommender, title: str, year: int) -> FilmId:
    return next(film.film_id for film in shipped.catalog if film.title == title and film.year == year)


def test_the_shipped_bundle_answers_as_a_film_lover_would(shipped: Recommender) -> None:
    alien, aliens = find(shipped, "Alien", 1979), find(shipped, "Aliens", 1986)
    slate = shipped.similar(alien)
    assert slate.picks[0].film.film_id == aliens
    assert slate.picks[0].reason.kind is ReasonKind.LIKE
    assert all({"Sci-Fi", "Horror", "Thriller"} & set(pick.film.genres) for pick in slate.picks)
    seventies = shipped.recommend([Member()], Request(count=5, genres=frozenset({"Horror"}), years=(1970, 1979)))
    assert {"Alien (1979)", "The Exorcist (1973)"} <= {pick.film.label for pick in seventies.picks}


def test_the_shipped_bundle_finds_westerns_of_the_thirties(shipped: Recommender) -> None:
    slate = shipped.recommend([Member()], Request(count=5, genres=frozenset({"Western"}), years=(1930, 1939)))
    assert len(slate.picks) == 5
