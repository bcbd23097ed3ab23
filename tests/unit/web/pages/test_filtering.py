"""The filter in the address bar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import PageFilter
from mailwatch.web.pages.filtering import Wanted


def of(text):
    return Wanted.of(QueryParams(text))


def test_the_whole_filter_is_read_and_written_back():
    text = "state=blocked&provider=google&cause=mfa_required&label=team%3Dnorth&campaign=spring&q=anna"
    wanted = of(text)
    assert wanted.which == PageFilter(
        frozenset({State.BLOCKED}), frozenset({"google"}), frozenset({"mfa_required"}), {"team": "north"}, "spring", "anna"
    )
    assert wanted.link() == f"/mailboxes?{text}"
    assert wanted.link(cursor="next") == f"/mailboxes?{text}&cursor=next"


def test_what_cannot_be_meant_is_left_aside():
    assert of("state=asleep&provider=&q=%20&label=&unknown=1").which == PageFilter()
    assert not of("state=asleep").is_narrow


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("state=foo", ("There is no state “foo”, only ",)),
        ("state=blokced&state=blocked", ("There is no state “blokced”; perhaps “blocked” is meant.",)),
        ("lable=team%3Da", ("There is no filter “lable”; perhaps “label” is meant.",)),
        ("x=1&x=2", ("There is no filter “x”, only state, provider, cause, label, campaign, q.",)),
        ("state=&lable=&state=held&provider=none&cause=mfa_required&label=a%3Db&campaign=c&q=x&cursor=y&id=z", ()),
    ],
)
def test_what_is_left_aside_is_told(query, told):
    found = of(query).left_aside
    assert len(found) == len(told)
    assert all(sentence.startswith(beginning) for sentence, beginning in zip(found, told, strict=True))


def test_of_very_much_that_is_left_aside_some_is_told():
    assert len(of("&".join(f"state=no{number}" for number in range(100))).left_aside) == 5
    assert len(of("state=" + "y" * 5000).left_aside[0]) < 300


def test_a_counter_changes_the_states_alone():
    assert of("state=blocked&q=anna&cursor=x").with_states([State.HELD]) == "/mailboxes?state=held&q=anna"
    assert of("state=blocked").with_states(()) == "/mailboxes"


def test_each_chip_takes_its_own_filter_away():
    chips = dict(of("state=blocked&provider=google&q=anna").chips())
    assert chips == {
        "provider: Google": "/mailboxes?state=blocked&q=anna",
        "address contains “anna”": "/mailboxes?state=blocked&provider=google",
    }


def test_it_is_told_to_the_api_as_the_api_asks():
    assert of("state=blocked&label=a%3Db&q=x").as_json() == {
        "state": ["blocked"],
        "provider": [],
        "cause": [],
        "label": ["a=b"],
        "campaign": "",
        "q": "x",
    }


@given(
    st.lists(
        st.tuples(st.sampled_from(["state", "provider", "cause", "label", "campaign", "q", "cursor"]), st.text(max_size=20)),
        max_size=8,
    )
)
def test_any_query_is_read_and_what_is_written_back_means_the_same(pairs):
    wanted = Wanted.of(QueryParams(pairs))
    assert of(wanted.link().partition("?")[2]).which == wanted.which
