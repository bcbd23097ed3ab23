"""Settings that contradict each other."""

import pytest

from mailwatch.config import Settings
from mailwatch.config.checks import contradictions


def problems(**sections):
    return [found.keys[0] for found in contradictions(Settings.model_validate(sections))]


def test_the_defaults_contradict_nothing():
    assert problems() == []


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"confirm": {"min_seconds": 46}}, ("confirm", "min_seconds")),
        ({"backoff": {"transient": {"first_seconds": 901}}}, ("backoff", "transient", "first_seconds")),
        ({"backoff": {"throttled": {"max_seconds": 1}}}, ("backoff", "throttled", "first_seconds")),
        ({"web": {"listen": "0.0.0.0:1"}}, ("web", "listen")),
        ({"web": {"listen": "[::]:1"}}, ("web", "listen")),
        ({"web": {"listen": "mail.example.org:1"}}, ("web", "listen")),
        ({"providers": {"a": {"hosts": ["x.y"]}, "b": {"hosts": ["x.y"]}}}, ("providers", "b", "hosts", 0)),
        ({"providers": {"a": {"domains": ["x.y", "x.y"]}}}, ("providers", "a", "domains", 1)),
        ({"providers": {"mine": {"burst": 1}}}, ("providers", "mine")),
        ({"oauth": {"a": {"client_id": "x"}}}, ("oauth", "a", "token_url")),
        ({"oauth": {"a": {"client_id": "x", "kind": "google", "tenant": "t"}}}, ("oauth", "a", "tenant")),
    ],
)
def test_settings_that_do_not_go_together_are_found(sections, key):
    assert problems(**sections) == [key]


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:9725", "localhost:80", "127.9.9.9:65535"])
def test_loopback_may_be_listened_on(listen):
    assert problems(web={"listen": listen}) == []


def test_a_known_provider_needs_no_hosts():
    assert problems(providers={"google": {"burst": 1}, "other": {"burst": 1}}) == []


def test_one_clean_probe_is_enough_when_no_time_is_asked_for():
    assert problems(verify={"successes": 1, "min_seconds": 0}) == []
