"""The words of every kind of fault."""

import pytest
from pydantic import ValidationError

from mailwatch.config import Settings
from mailwatch.config.wording import as_toml, words


def told(**sections):
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(sections)
    return [" \u2014 ".join(words(error)) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("sections", "text"),
    [
        ({"web": {"lisen": 1}}, 'unknown key "lisen" in [web] \u2014 did you mean "listen"?'),
        ({"probng": {}}, 'unknown section "probng" \u2014 did you mean "probing"?'),
        (
            {"web": {"interval_seconds": 1}},
            'unknown key "interval_seconds" in [web] \u2014 "interval_seconds" belongs into [probing]',
        ),
        ({"log": {"zzz": 1}}, 'unknown key "zzz" in [log] \u2014 known here: level, format'),
        ({"log": {"level": "Inf"}}, 'log.level must be one of "debug", "info", "warning", "error" \u2014 did you mean "info"?'),
        (
            {"log": {"level": 3}},
            'log.level must be one of "debug", "info", "warning", "error" \u2014 write one of them, such as "debug"',
        ),
        ({"probing": {"interval_seconds": "5"}}, "probing.interval_seconds must be a number \u2014 such as interval_seconds = 300"),
        (
            {"probing": {"interval_seconds": True}},
            "probing.interval_seconds must be a number \u2014 such as interval_seconds = 300",
        ),
        (
            {"probing": {"interval_seconds": float("nan")}},
            "probing.interval_seconds must be a finite number \u2014 such as interval_seconds = 300",
        ),
        (
            {"probing": {"interval_seconds": 0.5}},
            "probing.interval_seconds must be at least 1 \u2014 such as interval_seconds = 300",
        ),
        ({"probing": {"max_in_flight": 1.5}}, "probing.max_in_flight must be a whole number \u2014 such as max_in_flight = 1000"),
        ({"verify": {"successes": 101}}, "verify.successes must be at most 100 \u2014 such as successes = 3"),
        ({"verify": {"spacing_seconds": 0}}, "verify.spacing_seconds must be more than 0 \u2014 such as spacing_seconds = 45"),
        (
            {"network": {"allow_cleartext": "yes"}},
            "network.allow_cleartext must be true or false \u2014 such as allow_cleartext = false",
        ),
        (
            {"network": {"canaries": "a:1"}},
            'network.canaries must be a list \u2014 such as canaries = ["one.one.one.one:443", "dns.google:443"]',
        ),
        (
            {"network": {"canaries": [3]}},
            'network.canaries[0] must be a text in quotes \u2014 such as canaries = ["one.one.one.one:443", "dns.google:443"]',
        ),
        ({"network": {"canaries": ["a"]}}, 'network.canaries[0]: "a" is not host:port \u2014 such as one.example.org:443'),
        (
            {"network": {"allowed_networks": ["10.0.0.1/8"]}},
            'network.allowed_networks[0]: "10.0.0.1/8" is not a network in CIDR form \u2014 such as 10.20.0.0/16',
        ),
        ({"web": 3}, "web must be a table \u2014 see config.example.toml"),
        (
            {"oauth": {"a": {}}},
            'key "client_id" is missing in [oauth.a] \u2014 add it, such as client_id = "00000000-0000-0000-0000-000000000000"',
        ),
        (
            {"oauth": {"A b": {"client_id": "x"}}},
            'oauth.A b: "A b" is not a name of lower-case letters, digits, _ and - \u2014 such as google',
        ),
    ],
)
def test_each_kind_of_fault_has_its_words(sections, text):
    assert told(**sections) == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [(300.0, "300"), (0.25, "0.25"), (True, "true"), ('a"b', '"a\\"b"'), ((1, "x"), '[1, "x"]'), ({"a": 1}, "{ a = 1 }")],
)
def test_values_are_written_as_toml(value, text):
    assert as_toml(value) == text
