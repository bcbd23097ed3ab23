"""The body of a webhook: its form, and that it stays small."""

import json

from fakes.outbox import an_event
from mailwatch.delivery.message import MOST_BYTES, body_of


def test_a_body_has_type_timestamp_and_data():
    assert json.loads(body_of(an_event(state="paused", sentence="né"))) == {
        "type": "campaign.paused",
        "timestamp": "2026-03-01T12:00:00Z",
        "data": {"state": "paused", "sentence": "né"},
    }


def test_the_same_event_has_the_same_bytes_at_every_try():
    assert body_of(an_event()) == body_of(an_event())


def test_long_contents_are_shortened_and_say_so():
    body = body_of(an_event(campaign="c1", sentence="ö" * 30_000, ramp=[{"ratio": 1}] * 9_000, deep={"x": "y" * 30_000}))
    shown = json.loads(body)["data"]
    assert len(body) < MOST_BYTES
    assert (shown["campaign"], shown["truncated"], len(shown["ramp"])) == ("c1", True, 20)
    assert shown["sentence"].startswith("ööö")


def test_contents_that_stay_too_long_are_left_out_but_for_what_they_are_about():
    body = body_of(an_event(**{f"key{number}": "x" * 500 for number in range(100)}))
    assert json.loads(body)["data"] == {"mailbox": "mb_1", "campaign": "c1", "truncated": True}


def test_characters_that_are_none_do_not_break_it():
    assert json.loads(body_of(an_event(sentence="a\ud800b")))["data"]["sentence"] == "a?b"
