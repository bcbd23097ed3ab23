"""The model read as a list of keys."""

import pytest

from mailwatch.config.reaching import Provider
from mailwatch.config.settings import Settings
from mailwatch.config.shape import NAME, Key, all_keys, find, sections
from mailwatch.config.watching import ThrottledCurve


def test_all_sections_are_found_with_their_paths():
    paths = dict(sections())
    assert paths[()] is Settings
    assert paths["providers", NAME] is Provider
    assert paths["backoff", "throttled"] is ThrottledCurve


def test_no_two_keys_share_a_path():
    paths = [key.path for key in all_keys()]
    assert len(paths) == len(set(paths)) > 40


@pytest.mark.parametrize(
    ("path", "text", "secret", "listed"),
    [
        (("log", "level"), True, False, False),
        (("store", "url"), True, False, False),
        (("store", "password"), False, True, False),
        (("secrets", "keyring"), False, True, False),
        (("network", "canaries"), False, False, True),
        (("network", "ca_file"), True, False, False),
        (("probing", "interval_seconds"), False, False, False),
        (("oauth", "any", "scopes"), False, False, True),
    ],
)
def test_a_key_knows_what_it_holds(path, text, secret, listed):
    key = find(path)
    assert isinstance(key, Key)
    assert (key.is_text, key.is_secret, key.is_list) == (text, secret, listed)


def test_a_path_into_a_value_finds_its_key():
    key = find(("providers", "x", "hosts", 3))
    assert isinstance(key, Key)
    assert key.path == ("providers", "x", "hosts")


@pytest.mark.parametrize("path", [("nothing",), ("web", "nothing"), ("providers", "x", "nothing")])
def test_what_is_not_there_is_not_found(path):
    assert find(path) is None
