"""The filter in a query and in a body is the same."""

from mailwatch.core.lifecycle import State
from mailwatch.web.api.filters import FilterGiven


def test_a_filter_says_what_it_was_told():
    which = FilterGiven.model_validate(
        {"state": ["inactive"], "provider": ["google"], "cause": ["dns_failure"], "label": ["team=a=b"], "campaign": "c", "q": "x"}
    ).which()
    assert (which.states, which.providers, which.causes) == (frozenset({State.INACTIVE}), {"google"}, {"dns_failure"})
    assert (which.labels, which.campaign, which.text, which.ids) == ({"team": "a=b"}, "c", "x", frozenset())


def test_an_empty_one_restricts_nothing():
    which = FilterGiven().which()
    assert (which.states, which.labels, which.text) == (frozenset(), None, "")
