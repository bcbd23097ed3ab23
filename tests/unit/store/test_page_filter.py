"""Conditions of a filter: values of a person go in as parameters, and an empty filter asks for nothing."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from mailwatch.core.lifecycle import State
from mailwatch.ports.pages import PageFilter
from mailwatch.store.page_filter import candidates, kept, named, of_mailbox, of_standing, storable, unkept
from mailwatch.store.schema import standings

EVERYTHING = PageFilter(
    states=frozenset({State.HELD}),
    providers=frozenset({"pro'vider"}),
    causes=frozenset({"cau'se"}),
    labels={"k'ey": "val'ue"},
    campaign="camp'aign",
    text="te'xt",
)


@pytest.mark.parametrize(("dialect", "position"), [(sqlite, "instr("), (postgresql, "strpos(")])
def test_each_database_is_asked_in_its_own_words_and_no_value_is_in_them(dialect, position):
    asked = str(named(select(standings.c.state), EVERYTHING).compile(dialect=dialect.dialect()))
    assert asked.count(position) == 3
    assert "'" not in asked.replace("'{'", "").replace("','", "")


def test_an_empty_filter_asks_for_nothing():
    assert (of_standing(PageFilter()), of_mailbox(PageFilter()), candidates(PageFilter())) == ([], [], None)
    assert "WHERE" not in str(named(select(standings.c.state), PageFilter()))


def test_states_can_be_left_aside():
    only_states = PageFilter(states=frozenset({State.HELD}))
    assert of_standing(only_states, states=False) == []
    assert len(of_standing(only_states)) == 1


def test_the_candidates_of_a_campaign_are_found_from_its_links_alone():
    assert "FROM campaign_links" in str(candidates(PageFilter(campaign="spring")))
    assert "mailboxes" not in str(candidates(PageFilter(campaign="spring")))
    assert "JOIN mailboxes" in str(candidates(PageFilter(campaign="spring", text="a")))


@pytest.mark.parametrize(("text", "can"), [("", True), ("ü\U0001f600\n", True), ("a\0b", False), ("a\udfff", False)])
def test_what_no_database_can_hold_is_known(text, can):
    assert storable(text) is can


def test_a_filter_that_was_kept_is_the_same_without_its_ids():
    assert unkept(kept(EVERYTHING)) == EVERYTHING
    assert unkept(kept(replace(EVERYTHING, ids=frozenset({"mb_1"})))) == EVERYTHING
    assert kept(PageFilter(ids=frozenset({"mb_1"}))) is None
    assert unkept(None) is None
