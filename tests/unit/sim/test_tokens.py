"""Grants and tokens."""

import random

import pytest

from mailwatch.sim.tokens import TokenBook


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def book(clock, *, rotates=False):
    return TokenBook(clock, random.Random(1), prefix="t.", lifetime_seconds=60, rotates=rotates)


def test_a_refresh_brings_an_access_token_that_expires(clock):
    tokens = book(clock)
    issued = tokens.refresh(tokens.consent("anna@a.example"))
    assert issued is not None
    assert issued.expires_in_seconds == 60
    assert tokens.owner_of_access(issued.access_token) == "anna@a.example"
    clock.now = 60.0
    assert tokens.owner_of_access(issued.access_token) is None


def test_a_rotating_provider_hands_out_a_new_refresh_token_each_time(clock):
    tokens = book(clock, rotates=True)
    first = tokens.consent("anna@a.example")
    issued = tokens.refresh(first)
    assert issued is not None
    assert issued.refresh_token not in (None, first)
    assert tokens.refresh(issued.refresh_token) is not None


def test_a_provider_that_does_not_rotate_keeps_the_refresh_token(clock):
    tokens = book(clock)
    first = tokens.consent("anna@a.example")
    issued = tokens.refresh(first)
    assert issued is not None
    assert issued.refresh_token is None
    assert tokens.refresh(first) is not None


def test_reuse_kills_the_grant_only_where_the_provider_says_so(clock):
    tokens = book(clock, rotates=True)
    first = tokens.consent("anna@a.example")
    newest = tokens.refresh(first).refresh_token
    assert tokens.refresh(first) is not None
    tokens.reuse_revokes = True
    assert tokens.refresh(first) is None
    assert tokens.refresh(newest) is None


def test_a_revoked_consent_kills_its_tokens_and_no_others(clock):
    tokens = book(clock)
    anna, ben = tokens.consent("anna@a.example"), tokens.consent("ben@a.example")
    access = tokens.refresh(anna).access_token
    tokens.revoke("anna@a.example")
    assert tokens.refresh(anna) is None
    assert tokens.owner_of_access(access) is None
    assert tokens.refresh(ben) is not None


def test_an_expired_token_leaves_the_consent_alive(clock):
    tokens = book(clock)
    consent = tokens.consent("anna@a.example")
    access = tokens.refresh(consent).access_token
    tokens.expire("anna@a.example")
    assert tokens.owner_of_access(access) is None
    assert tokens.refresh(consent) is not None


def test_no_token_shows_in_a_repr(clock):
    tokens = book(clock, rotates=True)
    issued = tokens.refresh(tokens.consent("anna@a.example"))
    assert issued.access_token not in repr(issued)
    assert issued.refresh_token not in repr(issued)
