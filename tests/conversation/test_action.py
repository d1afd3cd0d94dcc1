"""A button's text is the action, the whole action, and at most 100 characters."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.action import MAX_LENGTH, Action, UnknownActionError, Verb

ACTIONS = st.builds(Action, st.sampled_from(Verb), st.lists(st.integers(0, 2**62), max_size=3).map(tuple))


@given(ACTIONS)
def test_decoding_undoes_encoding(action: Action) -> None:
    text = action.encode()
    assert len(text) <= MAX_LENGTH
    assert text.isascii()
    assert Action.decode(text) == action


def test_an_action_reads_as_a_verb_and_numbers() -> None:
    assert Action(Verb.SEEN, (296, 2571)).encode() == "seen:296:2571"


@pytest.mark.parametrize("numbers", [(-1,), (10**18,) * 6, (2**63,)])
def test_what_does_not_fit_is_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="100 characters"):
        Action(Verb.SEEN, numbers).encode()


@pytest.mark.parametrize(
    "text", ["", "seen:", "seen:-1", "seen:1:", "dance:1", "seen:x", "SEEN:1", "seen:1\n", "a" * 200, f"seen:{2**63}"]
)
def test_another_text_is_no_action(text: str) -> None:
    with pytest.raises(UnknownActionError):
        Action.decode(text)


@given(st.text(max_size=120))
def test_any_text_decodes_or_is_refused(text: str) -> None:
    with contextlib.suppress(UnknownActionError):
        assert Action.decode(text).encode() == text
