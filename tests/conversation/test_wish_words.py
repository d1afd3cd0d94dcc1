"""Which words of a message say what films are wished for, and which tell of something else."""

import pytest

from bot.conversation.intents import Recommend, Situation, Wish
from bot.conversation.people import words_of_wishes
from bot.conversation.phrases import phrases_for
from bot.conversation.spotting import Known
from bot.conversation.tagging import compact_tags_of, tags_said
from bot.conversation.understand import understand
from engine.recommender import Recommender


def wished(recommender: Recommender, said: str) -> Wish:
    known = Known(recommender.titles, words_of_wishes(compact_tags_of(recommender.catalog), recommender.people))
    (intent,) = understand(said, Situation(), "en", known)
    assert isinstance(intent, Recommend)
    return intent.wish


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("the baby is asleep and the sofa is mine. what shall i watch", Wish()),
        ("work's been brutal all week and honestly i just wanna see a good western", Wish(genres=("Western",))),
        ("horror without gore please, my heart can't take it", Wish(genres=("Horror",), unwanted=("gore",))),
        ("no romance please, i want revenge", Wish(without_genres=("Romance",), words=("revenge",))),
        ("what should i watch with my mum, she hates violence", Wish(unwanted=("violence",), unanswerable=("group",))),
        ("my dad can't stand westerns or war films, recommend us something", Wish(without_genres=("Western", "War"))),
        ("four of us tonight, we want a comedy", Wish(genres=("Comedy",), unanswerable=("group",))),
        ("hit me with six obscure scifi flicks", Wish(count=6, genres=("Sci-Fi",), adventurousness=0.95)),
        ("something with robots", Wish(words=("robots",))),
        ("something like heat, with robots", Wish(like=("heat",), words=("robots",))),
        ("i want something zany and devastating", Wish(words=("zany", "devastating"))),
        ("samurai films, nothing newer than 1970", Wish(years=(None, 1970), words=("samurai",))),
    ],
)
def test_a_wish_is_read_clause_by_clause(recommender: Recommender, said: str, wish: Wish) -> None:
    assert wished(recommender, said) == wish


def test_a_word_that_is_no_tag_is_the_best_known_of_those_that_say_as_much(recommender: Recommender) -> None:
    said = tags_said("cosy", phrases_for("en"), recommender.catalog)
    assert said == ("feel-good", "heartwarming")
    assert tags_said("zblorgy", phrases_for("en"), recommender.catalog) == ()
