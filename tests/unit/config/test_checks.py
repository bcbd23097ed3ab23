"""Settings that contradict each other."""

import pytest

from mailwatch.config import Settings
from mailwatch.config.checks import contradictions


def problems(**sections):
    return [found.keys[0] for found in contradictions(Settings.model_validate(sections))]


def app(**changes):
    return {"client_id": "x", "kind": "microsoft", **changes}


def test_the_defaults_contradict_nothing():
    assert problems() == []


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"confirm": {"min_seconds": 46}}, ("confirm", "min_seconds")),
        ({"backoff": {"transient": {"first_seconds": 901}}}, ("backoff", "transient", "first_seconds")),
        ({"backoff": {"throttled": {"max_seconds": 1}}}, ("backoff", "throttled", "first_seconds")),
        ({"providers": {"a": {"hosts": ["x.y"]}, "b": {"hosts": ["x.y"]}}}, ("providers", "b", "hosts", 0)),
        ({"providers": {"a": {"domains": ["x.y", "x.y"]}}}, ("providers", "a", "domains", 1)),
        ({"providers": {"mine": {"burst": 1}}}, ("providers", "mine")),
        ({"oauth": {"a": {"client_id": "x"}}}, ("oauth", "a", "token_url")),
        ({"oauth": {"a": {"client_id": "x", "kind": "google", "tenant": "t"}}}, ("oauth", "a", "tenant")),
        ({"oauth": {"a": app(tenant="contoso", grant="client_credentials")}}, ("oauth", "a", "client_secret")),
        ({"oauth": {"a": app(client_secret={"env": "S"}, grant="client_credentials")}}, ("oauth", "a", "tenant")),
        ({"oauth": {"a": app(kind="google", grant="service_account")}}, ("oauth", "a", "service_account")),
        ({"oauth": {"a": app(kind="google", client_secret={"env": "S"}, grant="client_credentials")}}, ("oauth", "a", "grant")),
        ({"oauth": {"a": app(service_account={"env": "S"}, grant="service_account")}}, ("oauth", "a", "grant")),
    ],
)
def test_settings_that_do_not_go_together_are_found(sections, key):
    assert problems(**sections) == [key]


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:9725", "localhost:80", "127.9.9.9:65535", "0.0.0.0:1", "[::]:1"])
def test_any_address_may_be_listened_on_since_nothing_is_served_without_a_sign_in(listen):
    assert problems(web={"listen": listen}) == []


def test_a_known_provider_needs_no_hosts():
    assert problems(providers={"google": {"burst": 1}, "other": {"burst": 1}}) == []


def test_one_clean_probe_is_enough_when_no_time_is_asked_for():
    assert problems(verify={"successes": 1, "min_seconds": 0}) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant": "contoso", "client_secret": {"env": "S"}, "grant": "client_credentials"},
        {"kind": "google", "service_account": {"env": "S"}, "grant": "service_account"},
        {"kind": "google", "client_secret": {"env": "S"}},
    ],
)
def test_each_grant_stands_with_what_it_needs(changes):
    assert problems(oauth={"a": app(**changes)}) == []
