"""[incidents]: what may be said there, and that its defaults are those of the decisions."""

import pytest
from pydantic import ValidationError

from mailwatch.config.correlating import Incidents
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.detect import DetectPolicy


def test_an_empty_section_decides_as_the_core_does():
    section = Incidents()
    assert (section.min_failures, section.min_share) == (DetectPolicy().min_failures, DetectPolicy().min_share)
    assert (section.circuits, section.canary_seconds) == (True, CircuitPolicy().canary_seconds)


@pytest.mark.parametrize(
    "fields", [{"min_failures": 3}, {"min_share": 1.0}, {"min_share": 0.01}, {"circuits": False}, {"canary_seconds": 300.0}]
)
def test_what_makes_sense_is_taken(fields):
    assert Incidents(**fields).model_dump(include=set(fields)) == fields


@pytest.mark.parametrize(
    "fields",
    [
        {"min_failures": 2},  # two mailboxes that fail are two mailboxes
        {"min_failures": 5.5},
        {"min_share": 0.0},
        {"min_share": 1.1},
        {"circuits": "no"},
        {"canary_seconds": 0.5},
        {"canary_seconds": float("nan")},
        {"canaries": 3},
    ],
)
def test_what_would_open_incidents_for_nothing_or_knock_without_pause_is_refused(fields):
    with pytest.raises(ValidationError):
        Incidents(**fields)
