"""SASL responses as clients send them."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailwatch.sim.dialects import Dialect
from mailwatch.sim.sasl import MECHANISMS, MalformedSaslError, decode, error_challenge, parse


def test_plain_has_three_parts():
    attempt = parse("PLAIN", b"\0anna@a.example\0p w")
    assert (attempt.username, attempt.secret, attempt.is_token) == ("anna@a.example", "p w", False)


def test_xoauth2_names_user_and_token():
    attempt = parse("XOAUTH2", b"user=anna@a.example\x01auth=Bearer ya29.x\x01\x01")
    assert (attempt.username, attempt.secret, attempt.is_token) == ("anna@a.example", "ya29.x", True)


def test_oauthbearer_names_the_user_in_its_header():
    attempt = parse("OAUTHBEARER", b"n,a=anna@a.example,\x01host=mail.example\x01port=993\x01auth=Bearer tok\x01\x01")
    assert (attempt.username, attempt.secret, attempt.is_token) == ("anna@a.example", "tok", True)


def test_a_single_equals_sign_is_an_empty_response():
    assert decode("=") == b""


@given(st.sampled_from(MECHANISMS), st.binary(max_size=60))
def test_whatever_a_client_sends_is_an_attempt_or_malformed(mechanism, response):
    with contextlib.suppress(MalformedSaslError):
        assert parse(mechanism, response).username is not None


@pytest.mark.parametrize("text", ["***", "abc", b"\xff"])
def test_what_is_no_base64_is_malformed(text):
    with pytest.raises(MalformedSaslError):
        decode(text)


@pytest.mark.parametrize("dialect", Dialect)
def test_the_error_challenge_is_json_with_a_status(dialect):
    for mechanism in ("XOAUTH2", "OAUTHBEARER"):
        assert json.loads(base64.b64decode(error_challenge(mechanism, dialect)))["status"] in ("400", "401", "invalid_token")


def test_no_secret_shows_in_a_repr():
    assert "hidden" not in repr(parse("PLAIN", b"\0anna@a.example\0hidden"))
