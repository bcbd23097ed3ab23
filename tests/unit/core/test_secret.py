"""A secret never shows itself."""

import copy
import json
import pickle

import pytest

from mailwatch.core.secret import Secret

TEXT = "correct horse battery staple"


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format, "{!r:>20}".format, lambda s: f"{s}", lambda s: "%s".__mod__((s,)), lambda s: f"{[s]}"]
)
def test_no_way_of_printing_shows_it(show):
    assert TEXT not in show(Secret(TEXT))
    assert "***" in show(Secret(TEXT))


def test_only_reveal_tells_it():
    assert Secret(TEXT).reveal() == TEXT


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy, hash, json.dumps, lambda s: {s}])
def test_it_refuses_to_be_copied_pickled_hashed_or_made_json(leak):
    with pytest.raises(TypeError) as caught:
        leak(Secret(TEXT))
    assert TEXT not in str(caught.value)


def test_equal_texts_are_equal_secrets_and_nothing_else_is():
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT


def test_an_empty_secret_is_false():
    assert not Secret("")
    assert Secret("x")


def test_it_has_no_dictionary_to_look_into():
    with pytest.raises(TypeError):
        vars(Secret(TEXT))
