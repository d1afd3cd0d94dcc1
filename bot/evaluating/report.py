"""All cases of some files examined, and the report of it: figures, intents, confusions."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.evaluating.cases import read_cases
from bot.evaluating.hearing import Listener
from bot.evaluating.mentions import LinkedMention, link_mentions, read_mentions
from bot.evaluating.scoring import Figures, Judged, by_intent, confusions, described, figures, judge
from engine import bundle
from engine.recommender import Recommender

MAX_CONFUSIONS = 15
"""Confusions that the report tells."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was examined."""

    judged: tuple[Judged, ...]
    mentions: tuple[LinkedMention, ...] = ()

    def of(self, source: str) -> Figures:
        """The figures of one file's cases."""
        return figures([one for one in self.judged if one.case.source == source])

    @property
    def mention_recall(self) -> float:
        """The share of mentions that are linked right, or to choices that hold the right film."""
        return sum(one.found for one in self.mentions) / len(self.mentions) if self.mentions else 1.0

    def told(self, *, wrong: bool = False) -> str:
        """The report in words; with `wrong` every case that came out otherwise than expected, too."""
        lines: list[str] = []
        for source in dict.fromkeys(one.case.source for one in self.judged):
            lines += [source, *(f"  {name:24}{value:10.4g}" for name, value in self.of(source).named().items())]
        lines += ["", f"{'intent':14}{'expected':>10}{'precision':>11}{'recall':>9}"]
        for name, found in by_intent(self.judged).items():
            lines.append(f"{name:14}{found.expected:10}{found.precision:11.3f}{found.recall:9.3f}")
        lines += ["", "taken for something else:"]
        lines += [f"  {wanted} → {done}: {times}" for wanted, done, times in confusions(self.judged)[:MAX_CONFUSIONS]]
        if self.mentions:
            lines += ["", f"film mentions in real chat linked: {self.mention_recall:.4f} of {len(self.mentions)}"]
        if wrong:
            lines += ["", "otherwise than expected:"]
            lines += [
                f"  {one.case.source}: “{one.case.say}” ({', '.join(one.wrong)}): {described(one.outcome)}"
                for one in self.judged
                if one.wrong
            ]
        return "\n".join(lines)


async def examined(files: Sequence[Path], mentions: Path | None = None, chat: Path | None = None) -> Report:
    """Type all cases of the files into conversations, and link the mentions where there is a chat.

    Raises `bot.evaluating.cases.CaseError` for a file that is not of the form, OSError for one that can't be read.
    """
    cases = [case for file in files for case in read_cases(file)]
    recommender = Recommender(bundle.load(bundle.STARTER, provider="cpu"), provider="cpu")
    linked = link_mentions(read_mentions(mentions), chat, recommender.titles) if mentions and chat else ()
    with tempfile.TemporaryDirectory() as folder:
        async with Listener(recommender, Path(folder) / "people.db") as listener:
            judged = [judge(case, await listener.outcome(case)) for case in cases]
    return Report(tuple(judged), linked)
