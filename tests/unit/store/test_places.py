"""Cursors: what one names is found again, and what is none is refused."""

import base64
import json
from datetime import timedelta

import pytest

from contract.fleet import NOON
from mailwatch.ports.pages import ORDER
from mailwatch.store.places import Place


@pytest.mark.parametrize("rank", range(len(ORDER)))
def test_a_cursor_names_its_place_to_the_microsecond(rank):
    place = Place(rank, NOON + timedelta(microseconds=1), "mb_0f")
    assert Place.parse(place.text) == place


def test_a_cursor_can_stand_in_a_url_as_it_is():
    texts = [Place(7, NOON + timedelta(seconds=seconds), f"mb_{seconds}?>").text for seconds in range(50)]
    assert all(set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") for text in texts)


def cursor(*parts):
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base 64!",
        cursor(),
        cursor(1, 2),
        cursor(len(ORDER), 1, "mb_1"),
        cursor(-1, 1, "mb_1"),
        cursor(True, 1, "mb_1"),
        cursor(1, 1.5, "mb_1"),
        cursor(1, 10**30, "mb_1"),
        cursor(1, 1, None),
        cursor(1, 1, "mb_\0"),
        cursor(1, 1, "mb_\ud800"),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b"\xff\xff").decode(),
    ],
)
def test_what_is_no_cursor_is_refused_with_the_cure(text):
    with pytest.raises(ValueError, match="begin with the first page"):
        Place.parse(text)


def test_the_highest_place_is_shown_first():
    first = Place(0, NOON, "mb_1")
    behind = [Place(0, NOON, "mb_0"), Place(0, NOON - timedelta(microseconds=1), "mb_2"), Place(1, NOON + timedelta(1), "mb_2")]
    assert all(place.order < first.order for place in behind)
