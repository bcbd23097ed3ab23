"""Variables over the file."""

import pytest

from mailwatch.config.environment import override, variable
from mailwatch.config.faults import Origin


def overridden(data=None, **environ):
    data = {} if data is None else data
    origins, faults = override(data, {f"MAILWATCH_{name}": text for name, text in environ.items()})
    assert not faults
    return data, origins


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("PROBING__INTERVAL_SECONDS", "60", {"probing": {"interval_seconds": 60}}),
        ("BACKOFF__TRANSIENT__FACTOR", "1.5", {"backoff": {"transient": {"factor": 1.5}}}),
        ("NETWORK__ALLOW_CLEARTEXT", "true", {"network": {"allow_cleartext": True}}),
        ("NETWORK__CANARIES", '["a:1", "b:2"]', {"network": {"canaries": ["a:1", "b:2"]}}),
        ("LOG__LEVEL", "debug", {"log": {"level": "debug"}}),
        ("LOG__LEVEL", '"debug"', {"log": {"level": "debug"}}),
        ("OAUTH__APP__CLIENT_ID", "0123", {"oauth": {"app": {"client_id": "0123"}}}),
        ("OAUTH__APP__CLIENT_ID", "123", {"oauth": {"app": {"client_id": "123"}}}),
        ("STORE__URL", "sqlite:///x", {"store": {"url": "sqlite:///x"}}),
        ("LOG__LEVEL", "x\ny = 1", {"log": {"level": "x\ny = 1"}}),
        ("SECRETS__KEYRING", '{ file = "/k" }', {"secrets": {"keyring": {"file": "/k"}}}),
        ("SECRETS__KEYRING__ENV", "RING", {"secrets": {"keyring": {"env": "RING"}}}),
        ("SECRETS__KEYRING__COMMAND", '["pass", "x"]', {"secrets": {"keyring": {"command": ["pass", "x"]}}}),
    ],
)
def test_a_variable_sets_its_key(name, text, expected):
    assert overridden(**{name: text})[0] == expected


def test_a_variable_wins_over_the_file_and_leaves_the_rest():
    data, origins = overridden({"web": {"listen": "a:1"}, "log": {"format": "json"}}, WEB__LISTEN="b:2")
    assert data == {"web": {"listen": "b:2"}, "log": {"format": "json"}}
    assert origins == {("web", "listen"): Origin("$MAILWATCH_WEB__LISTEN")}


def test_a_reference_of_another_kind_replaces_the_files():
    data, _ = overridden({"secrets": {"keyring": {"credential": "keyring"}}}, SECRETS__KEYRING__FILE="/k")
    assert data["secrets"]["keyring"] == {"file": "/k"}


def test_names_with_dashes_are_found_as_the_file_spells_them():
    data, _ = overridden({"providers": {"my-host": {"burst": 1}}}, PROVIDERS__MY_HOST__BURST="2")
    assert data == {"providers": {"my-host": {"burst": 2}}}


@pytest.mark.parametrize("name", ["CONFIG", "URL", "LOG_LEVEL"])
def test_variables_without_two_underscores_are_none_of_this(name):
    assert overridden(**{name: "x"}) == ({}, {})


def test_other_programs_variables_are_left_alone():
    assert override({}, {"OTHER__KEY": "1", "PATH": "/bin"}) == ({}, [])


@pytest.mark.parametrize("name", ["PROBING__DEPTH__X", "WEB__", "WEB____LISTEN", "SECRETS__KEYRING__FILE__X"])
def test_a_name_that_leads_nowhere_is_told(name):
    _, faults = override({}, {f"MAILWATCH_{name}": "1"})
    assert [str(fault.origin) for fault in faults] == [f"$MAILWATCH_{name}"]


def test_a_variable_over_something_that_is_no_table_replaces_it():
    assert overridden({"web": 3}, WEB__LISTEN="b:2")[0] == {"web": {"listen": "b:2"}}


def test_the_variable_of_a_key_can_be_told():
    assert variable(("providers", "my-host", "burst")) == "MAILWATCH_PROVIDERS__MY_HOST__BURST"
