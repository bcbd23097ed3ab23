"""Scripts as JSON."""

import json

import pytest

from mailwatch.core.mailbox import Protocol
from mailwatch.sim import ActionKind, FaultKind, Script, Step
from mailwatch.sim.script import ScriptError


def test_steps_are_read_with_all_their_fields_and_sorted():
    rows = [
        {"at": 8, "kind": "change_password", "provider": "yahoo", "count": 2},
        {
            "at": 5,
            "kind": "outage",
            "provider": "a",
            "duration": 10,
            "protocol": "smtp",
            "share": 0.5,
            "addresses": ["x@a.example"],
        },
    ]
    first, second = Script.from_json(json.dumps(rows)).steps
    assert first == Step(5, FaultKind.OUTAGE, "a", 10, protocol=Protocol.SMTP, share=0.5, addresses=frozenset({"x@a.example"}))
    assert (second.kind, second.count) == (ActionKind.CHANGE_PASSWORD, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("{}", "list of steps"),
        ('[{"at": 1}]', "step 1: `at`, `kind` and `provider`"),
        ('[{"at": 1, "kind": "explode", "provider": "a"}]', "'explode' is no fault"),
        ('[{"at": 1, "kind": "outage", "provider": "a", "colour": 1}]', "unknown colour"),
        ('[{"at": 1, "kind": "outage", "provider": "a", "protocol": "pop"}]', "step 1"),
    ],
)
def test_what_is_wrong_with_a_script_is_said_with_its_step(text, words):
    with pytest.raises(ScriptError, match=words):
        Script.from_json(text)
