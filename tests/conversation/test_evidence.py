"""What a message holds is found wherever it stands in it."""

import pytest

from bot.conversation.evidence import Evidence, read_films
from bot.conversation.grammar import tokenize
from bot.conversation.intents import LogWatches, Reaction, State
from bot.conversation.phrases import phrases_for
from engine.recommender import Recommender


def evidence(said: str, recommender: Recommender) -> Evidence:
    phrases = phrases_for("en")
    _, found = read_films(said, phrases.sentences.correct(tokenize(said)), phrases, recommender.titles)
    return found


def watch(film: str, when: str | None = None, **more: object) -> LogWatches:
    return LogWatches(film, film, when=when, firm=True, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "watches"),
    [
        ("my boyfriend made me watch Heat last night and annoyingly i loved it",
         [watch("Heat", "last night", reaction=Reaction.LOVED)]),
        ("In Bruges 9/10 (monday), Zodiac 8/10 (tuesday)",
         [watch("In Bruges", "monday", rating=4.5), watch("Zodiac", "tuesday", rating=4.0)]),
        ("Jaws & Paddington 2, both yesterday", [watch("Jaws\nPaddington 2", "yesterday")]),
        ("Gave up on Tenet after an hour", [watch("Tenet", state=State.ABANDONED)]),
        ("rewatch of Blade Runner on Wednesday", [watch("Blade Runner", "on Wednesday", state=State.REWATCH)]),
        ("Fargo. Five stars from me.", [watch("Fargo", rating=5.0)]),
        ("watched Heat on monday and Fargo the night after",
         [watch("Heat", "on monday"), watch("Fargo", "the night after on monday")]),
        ("saw Heat, Fargo and Jaws, 4, 3 and 5 stars",
         [watch("Heat", rating=4.0), watch("Fargo", rating=3.0), watch("Jaws", rating=5.0)]),
        ("got through Heat and Jaws, gave up on Fargo", [watch("Heat\nJaws"), watch("Fargo", state=State.ABANDONED)]),
        ("saw Heat and Jaws, the first was boring, 2 stars",
         [watch("Heat", rating=2.0, reaction=Reaction.DISLIKED), watch("Jaws")]),
        ("started Fargo on monday, couldn't finish it", [watch("Fargo", "on monday", state=State.ABANDONED)]),
        ("I was in a terrible mood. Then I put on Fargo", [watch("Fargo")]),
        ("everyone at work hates Fargo. I saw it yesterday", [watch("Fargo", "yesterday")]),
        ("Heat 3/5, Jaws 4/5, all watched on sunday",
         [watch("Heat", "on sunday", rating=3.0), watch("Jaws", "on sunday", rating=4.0)]),
    ],
)  # fmt: skip
def test_watches_are_put_together(said: str, watches: list[LogWatches], recommender: Recommender) -> None:
    assert list(evidence(said, recommender).watches()) == watches


@pytest.mark.parametrize(
    "said",
    [
        "my sister watched Jaws yesterday", "I have still not seen Jaws", "if I had seen Jaws I'd know",
        "the trailer for Jaws came on", "started Jaws last night", "I want to see Jaws",
        'he said "I just watched Jaws" and hung up',
    ],
)  # fmt: skip
def test_what_this_person_did_not_watch_is_told(said: str, recommender: Recommender) -> None:
    assert evidence(said, recommender).vetoes()


def test_a_longer_title_is_not_cut_to_a_known_one(recommender: Recommender) -> None:
    (one,) = evidence("watched Aliens Stole My Grandmother", recommender).watches()
    assert one.films == "Aliens Stole My Grandmother"


def test_of_two_days_a_denied_one_does_not_count(recommender: Recommender) -> None:
    assert evidence("wednesday, not tuesday!", recommender).when(last=True) == "wednesday"
    assert evidence("not monday, tuesday", recommender).when(last=True) == "tuesday"


@pytest.mark.parametrize(
    "said",
    [
        "everyone kept quoting Office Space so I gave in and watched it on Sunday",
        "I hadn't seen Chinatown until last night",
        "my brother slept through Andrei Rublev. I watched every minute",
    ],
)
def test_a_watch_may_be_told_after_all(said: str, recommender: Recommender) -> None:
    assert [one.firm for one in evidence(said, recommender).watches()] == [True]


@pytest.mark.parametrize(
    "said",
    ["hubby finished Gladiator last night", "frozen peas on my knee, saw the physio yesterday"],
)
def test_what_may_be_no_watch_is_asked_about(said: str, recommender: Recommender) -> None:
    assert all(one.doubtful or not one.firm for one in evidence(said, recommender).watches())


def test_what_was_learned_tells_a_watch_from_a_plan(recommender: Recommender) -> None:
    watched, planned = (
        evidence(said, recommender).odds(at, at + 1)
        for said, at in (("watched Zodiac last night", 1), ("I want to see Zodiac tomorrow", 4))
    )
    assert watched > 0.9
    assert planned < 0.3
