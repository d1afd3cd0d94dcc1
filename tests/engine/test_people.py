"""Who made films and who plays in them: the facts that ship, names, and the films of a name that they tell apart."""

from pathlib import Path

import numpy as np
import pytest

from engine.bundle import Bundle
from engine.films import Catalog
from engine.people import SHIPPED, Credits, People, Person, Role, shipped
from engine.recommender import Recommender
from engine.requests import Event, Member, Request
from engine.titles import Certainty, TitleIndex

HEAT = Credits(6, 1995, ("Michael Mann",), ("Al Pacino", "Robert De Niro", "Val Kilmer"))
FARGO = Credits(608, 1996, ("Joel Coen", "Ethan Coen"), ("Frances McDormand", "William H. Macy"))
PARTS = Credits(9, 2001, ("Sofia Vergara-Díaz",), ("Sofia Vergara Diaz", "Tom Mann"), ("spanish", "black and white"))


@pytest.fixture
def people() -> People:
    return People.build([FARGO, HEAT, PARTS], {6: 400, 608: 300, 9: 2})


@pytest.fixture(scope="session")
def catalog(starter: Bundle) -> Catalog:
    return starter.catalog


@pytest.fixture(scope="session")
def titles(starter: Bundle) -> TitleIndex:
    return starter.titles


def labels(catalog: Catalog, film_ids: list[int]) -> list[str]:
    return [film.label for film_id in film_ids if (film := catalog.film(film_id))]


# The arrays


def test_the_credits_of_a_film_are_as_they_were_built(people: People) -> None:
    assert people.of(6, 1995) == HEAT
    assert people.of(608, 1996) == FARGO
    assert people.of(7, 1995) is None


def test_words_that_tell_a_film_are_kept_beside_them(people: People) -> None:
    assert people.told(9, 2001) == PARTS.told
    assert people.told(6, 1995) == people.told(7, 1995) == ()


def test_a_film_of_another_catalogue_with_the_same_number_has_none(people: People) -> None:
    assert people.of(6, 1986) is None


def test_spellings_of_a_name_are_one_person(people: People) -> None:
    found = people.of(9, 2001)
    assert found is not None
    assert found.directors[0] == found.cast[0]


def test_saved_and_loaded_they_are_the_same(people: People, tmp_path: Path) -> None:
    people.save(tmp_path)
    assert People.load(tmp_path).of(608, 1996) == FARGO


def test_arrays_that_do_not_fit_are_refused(people: People, tmp_path: Path) -> None:
    people.save(tmp_path)
    np.save(tmp_path / "years.npy", np.zeros(2, np.uint16))
    with pytest.raises(ValueError, match="do not fit"):
        People.load(tmp_path)


def test_where_nothing_was_installed_nobody_is_known() -> None:
    assert People.nobody().find("Kubrick") == ()


# Names


@pytest.mark.parametrize(
    ("name", "role", "found"),
    [
        ("Al Pacino", None, [("Al Pacino", Role.CAST)]),
        ("pacino", None, [("Al Pacino", Role.CAST)]),
        ("de niro", None, [("Robert De Niro", Role.CAST)]),
        ("Mann", None, [("Michael Mann", Role.DIRECTOR)]),
        ("Frances McDorman", None, [("Frances McDormand", Role.CAST)]),
        ("the Coens", None, []),
        ("Coens", Role.DIRECTOR, [("Ethan Coen", Role.DIRECTOR), ("Joel Coen", Role.DIRECTOR)]),
        ("Coen brothers", None, [("Ethan Coen", Role.DIRECTOR), ("Joel Coen", Role.DIRECTOR)]),
        ("Joel Coen", None, [("Joel Coen", Role.DIRECTOR)]),
        ("Robert", None, []),
        ("Nobody Atall", None, []),
        ("", None, []),
        ("?!", None, []),
        ("a b c d e f g h", None, []),
    ],
)
def test_who_is_meant_by_a_name(people: People, name: str, role: Role | None, found: list[tuple[str, Role]]) -> None:
    assert [(person.name, person.role) for person in people.find(name, role)] == found


@pytest.mark.parametrize(
    ("name", "role", "found"),
    [
        ("Kubrick", Role.DIRECTOR, "Stanley Kubrick"),
        ("scorcese", Role.DIRECTOR, "Martin Scorsese"),
        ("Quentin Tarrantino", None, "Quentin Tarantino"),
        ("Tom Hanks", Role.CAST, "Tom Hanks"),
        ("jackson", Role.DIRECTOR, "Peter Jackson"),
        ("almodovar", None, "Pedro Almodóvar"),
    ],
)
def test_the_people_who_ship_are_found(name: str, role: Role | None, found: str) -> None:
    assert [person.name for person in shipped().find(name, role)] == [found]


@pytest.mark.parametrize("name", ["Smith", "tom", "horror", "comedy", "something", "john smithee"])
def test_a_name_that_tells_nobody_finds_nobody(name: str) -> None:
    assert shipped().find(name) == ()


@pytest.mark.parametrize(
    ("name", "wanted", "role"),
    [
        ("Clint Eastwood", Role.DIRECTOR, Role.DIRECTOR),
        ("Clint Eastwood", Role.CAST, Role.CAST),
        ("Tom Cruise", Role.DIRECTOR, Role.CAST),
        ("Stanley Kubrick", Role.CAST, Role.DIRECTOR),
    ],
)
def test_a_role_that_somebody_never_had_is_not_theirs(name: str, wanted: Role, role: Role) -> None:
    assert [person.role for person in shipped().find(name, wanted)] == [role]


# What ships


def test_what_ships_is_small(catalog: Catalog) -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 5_000_000
    assert len(shipped().film_ids) > 15_000
    rows = catalog.rows_of(shipped().film_ids)
    assert (catalog.years[rows] == shipped()._arrays["years"]).all()


def test_nearly_all_well_known_films_have_a_director(catalog: Catalog) -> None:
    known = set(catalog.film_ids[catalog.rating_counts >= 20].tolist())
    directed = set(shipped().film_ids[shipped().directed > 0].tolist())
    assert len(known & directed) >= 0.97 * len(known)


# Films of one name


@pytest.mark.parametrize(
    ("typed", "film"),
    [
        ("Lynch's Dune", "Dune (1984)"),
        ("dune by villeneuve", "Dune (2021)"),
        ("Little Women (Greta Gerwig)", "Little Women (2019)"),
        ("The Parent Trap with Lindsay Lohan", "The Parent Trap (1998)"),
        ("planet of the apes with heston", "Planet of the Apes (1968)"),
        ("cape fear, the de niro one", "Cape Fear (1991)"),
        ("the Argento Suspiria", "Suspiria (1977)"),
        ("Cronenburg's The Fly", "The Fly (1986)"),
        ("True Grit Coens", "True Grit (2010)"),
        ("the Sinatra Ocean's Eleven", "Ocean's Eleven (1960)"),
    ],
)
def test_people_beside_a_title_settle_it(catalog: Catalog, titles: TitleIndex, typed: str, film: str) -> None:
    link = titles.link(typed)
    assert link.certainty is Certainty.CLEAR
    assert labels(catalog, [link.matches[0].film_id]) == [film]


@pytest.mark.parametrize("typed", ["Spielberg's Dune", "Dune with Brad Pitt", "The Man Who Knew Too Much, Hitchcock"])
def test_people_of_none_or_of_several_of_them_leave_a_question(titles: TitleIndex, typed: str) -> None:
    link = titles.link(typed)
    assert link.certainty is Certainty.AMBIGUOUS
    assert len(link.matches) > 1


def test_a_first_name_tells_nothing(titles: TitleIndex) -> None:
    assert titles.link("Dune with my friend Kyle").certainty is Certainty.UNKNOWN


@pytest.mark.parametrize(
    ("title", "answer", "film"),
    [
        ("King Kong", "peter jackson's", "King Kong (2005)"),
        ("King Kong", "the jackson one", "King Kong (2005)"),
        ("King Kong", "the one with Jessica Lange", "King Kong (1976)"),
        ("Little Women", "the winona ryder one, dear", "Little Women (1994)"),
        ("Little Women", "winona rider", "Little Women (1994)"),
        ("Hairspray", "john waters!!", "Hairspray (1988)"),
        ("Solaris", "oh, the soviet one of course", "Solaris (1972)"),
        ("Planet of the Apes", "2001, sadly", "Planet of the Apes (2001)"),
        ("King Kong", "the black and white one", "King Kong (1933)"),
        ("Insomnia", "the norwegian one", "Insomnia (1997)"),
        ("Metropolis", "the silent one", "Metropolis (1927)"),
    ],
)
def test_people_answer_which_film(catalog: Catalog, titles: TitleIndex, title: str, answer: str, film: str) -> None:
    choices = [match.film_id for match in titles.link(title).matches]
    assert labels(catalog, list(titles.narrow(choices, answer))) == [film]


@pytest.mark.parametrize("answer", ["Peter", "jeff", "the soviet one", "dear", "The New World", "Steven Spielberg"])
def test_what_is_nobody_of_them_answers_nothing(titles: TitleIndex, answer: str) -> None:
    choices = [match.film_id for match in titles.link("King Kong").matches]
    assert titles.narrow(choices, answer) == ()


# Slates


@pytest.mark.parametrize(
    "members",
    [(), (Member((Event(296),), frozenset({2571})),)],
    ids=["a stranger", "a history"],  # type: ignore[arg-type]
)
def test_a_slate_of_somebodys_films_holds_no_others(shipped: Recommender, members: tuple[Member, ...]) -> None:
    kubrick = Person("Stanley Kubrick", Role.DIRECTOR)
    slate = shipped.recommend(members or (Member(),), Request(people=(kubrick,)))
    assert len(slate.picks) == 5
    for pick in slate.picks:
        found = shipped.people.of(pick.film.film_id, pick.film.year or 0)
        assert found is not None
        assert "Stanley Kubrick" in found.directors
        assert pick.reason.people == (kubrick,)


def test_films_with_more_of_the_people_come_first(shipped: Recommender) -> None:
    both = (Person("Tom Hanks", Role.CAST), Person("Meg Ryan", Role.CAST))
    first = shipped.recommend([Member()], Request(people=both)).picks[0]
    assert first.reason.people == both


def test_films_of_somebody_unwanted_are_left_out(shipped: Recommender) -> None:
    wanted, unwanted = Person("Drew Barrymore", Role.CAST), Person("Adam Sandler", Role.CAST)
    theirs = set(shipped.people.films_of(unwanted))
    both = shipped.recommend([Member()], Request(count=50, people=(wanted,)))
    without = shipped.recommend([Member()], Request(count=50, people=(wanted,), without_people=(unwanted,)))
    assert theirs & {pick.film.film_id for pick in both.picks}
    assert without.picks
    assert not theirs & {pick.film.film_id for pick in without.picks}


def test_films_that_a_tag_gives_to_somebody_unwanted_are_left_out(shipped: Recommender) -> None:
    unwanted = Person("Clint Eastwood", Role.CAST)
    slate = shipped.recommend([Member()], Request(count=50, genres=frozenset({"Western"}), without_people=(unwanted,)))
    assert slate.picks
    assert not any("clint eastwood" in map(str.casefold, pick.film.tags) for pick in slate.picks)


def test_somebody_without_films_gives_an_empty_slate(shipped: Recommender) -> None:
    request = Request(people=(Person("Nobody Atall", Role.CAST),))
    assert shipped.recommend([Member()], request).picks == ()
