"""The cases of `tests/conversation` typed into conversations: none of the figures gets worse unnoticed."""

import asyncio
import os
from pathlib import Path

import pytest

from benchmarks.understanding import HELD_BACK, TUNED, UNSEEN
from bot.evaluating.cases import CaseError, read_cases
from bot.evaluating.mentions import CHAT, link_mentions, read_mentions
from bot.evaluating.report import Report, examined
from engine import bundle

CASES = Path(__file__).parent.parent / "conversation"
CHAT_FOLDER = Path(os.environ.get("NEXTREEL_TEST_INSPIRED", CASES.parents[2] / "shared" / "data" / "inspired-dev"))
FILES = (HELD_BACK, UNSEEN, *TUNED)


@pytest.fixture(scope="module")
def report() -> Report:
    return asyncio.run(examined([CASES / f"{name}.yaml" for name in FILES]))


@pytest.mark.parametrize(
    ("source", "accuracy", "precision", "silence", "recall"),
    [
        ("held_back", 0.62, 0.88, 0.96, 0.80),
        ("unseen", 0.72, 0.90, 0.97, 0.87),
        ("watching", 0.81, 0.98, 0.98, 0.93),
        ("telling", 0.82, 0.98, 0.98, 0.92),
        ("asking", 0.85, 0.90, 0.99, 0.94),
        ("wishing", 0.90, 0.95, 0.99, 0.92),
        ("choosing", 0.90, 0.94, 0.98, 0.93),
        ("nasty", 0.66, 0.94, 0.96, 0.86),
        ("detail", 0.85, 0.96, 0.95, 0.94),
        ("mix", 0.88, 0.98, 0.98, 0.90),
        ("titles", 0.85, 0.96, 0.97, 0.95),
        ("names", 0.80, 0.95, 0.97, 0.91),
        ("traps", 0.80, 0.96, 0.98, 0.92),
        ("de", 0.99, 0.99, 0.99, 0.99),
        ("es", 0.99, 0.99, 0.99, 0.99),
    ],
)
def test_what_is_understood_is_no_less_than_it_was(
    report: Report, source: str, accuracy: float, precision: float, silence: float, recall: float
) -> None:
    figures = report.of(source)
    assert figures.cases >= 150
    assert figures.intent_accuracy >= accuracy
    assert figures.silent_log_precision >= precision
    assert figures.no_log_accuracy >= silence
    assert figures.title_recall >= recall
    assert figures.needless_questions <= 0.3


def test_a_report_tells_intents_and_confusions(report: Report) -> None:
    told = report.told(wrong=True)
    assert "intent-accuracy" in told
    assert "taken for something else:" in told
    assert "otherwise than expected:" in told


def test_no_message_breaks_the_conversation(report: Report) -> None:
    assert not [one.case.say for one in report.judged if "Something went wrong" in one.outcome.reply]


def test_a_case_that_is_not_of_the_form_is_named(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("- say: hello\n  does: [dance]\n", encoding="utf-8")
    with pytest.raises(CaseError, match="“hello” does `dance`"):
        read_cases(file)
    file.write_text("- say: hello\n  does: [chat]\n  logs: []\n", encoding="utf-8")
    with pytest.raises(CaseError, match="`logs`"):
        read_cases(file)


@pytest.mark.skipif(not (CHAT_FOLDER / CHAT).is_file(), reason="the INSPIRED chat is not there")
def test_film_names_in_real_chat_are_linked() -> None:
    mentions = read_mentions(CASES / "inspired.yaml")
    assert len(mentions) >= 300
    linked = link_mentions(mentions, CHAT_FOLDER, bundle.load(bundle.STARTER, provider="cpu").titles)
    assert sum(one.found for one in linked) / len(linked) >= 0.85
