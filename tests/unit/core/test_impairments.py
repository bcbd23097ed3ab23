"""Every fault of our own has its words and its cure."""

import re
from pathlib import Path

import pytest

import mailwatch
from builders import NOW, a_standing
from mailwatch.core.impairments import IMPAIRMENTS, impairment_of
from mailwatch.core.lifecycle import State
from mailwatch.probe import capture

#: What `impairment_of_store` and others may give besides.
_NO_WORDS = {"internal"}


def test_every_fault_that_a_probe_can_name_has_its_words():
    sources = Path(mailwatch.__file__).parent.rglob("*.py")
    raised = {name for source in sources for name in re.findall(r'ImpairedError\(\s*"(\w+)"', source.read_text())}
    computed = {*capture._OURS.values(), *capture._OURS_CONNECTING.values()}
    assert len(raised) > 8
    assert (raised | computed | {"secret_unreadable", "mailbox_removed", "store_failing", "no_socket"}) - _NO_WORDS <= set(
        IMPAIRMENTS
    )


@pytest.mark.parametrize("name", sorted(IMPAIRMENTS))
def test_the_words_are_sentences_and_the_cure_is_there(name):
    words = IMPAIRMENTS[name]
    assert words.sentence.endswith(".")
    assert words.remedy
    assert all(step.endswith(".") for step in words.remedy)


@pytest.mark.parametrize("state", sorted(State))
def test_only_what_is_to_be_looked_at_is_told_to_be_unseen(state):
    found = impairment_of(a_standing(state, impairment="secret_unreadable", impaired_since_at=NOW))
    assert (found is None) is (state in (State.HELD, State.INACTIVE))
    assert impairment_of(a_standing(state)) is None


def test_a_fault_nobody_named_still_tells_where_to_look():
    found = impairment_of(a_standing(impairment="internal"))
    assert found is not None
    assert "probe.impaired" in found.remedy[0]
