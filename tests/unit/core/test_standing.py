"""Decisions as values."""

from builders import NOW, a_standing
from mailwatch.core import acts
from mailwatch.core.standing import Decision, Refusal


def test_a_transition_or_a_refused_login_must_be_durable_before_anything_else_happens():
    standing = a_standing()
    assert not Decision(standing, standing).urgent
    assert Decision(standing, standing, refusals=(Refusal("host", NOW),)).urgent
    assert acts.disconnect(standing, NOW, "me").urgent
