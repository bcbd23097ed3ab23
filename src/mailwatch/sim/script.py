"""Faults over time: what goes wrong at which provider, when, for whom, for how long - and what heals it.

A script is data, so that a test, a benchmark and the demo can be read, and written as JSON:

    [{"at": 5, "kind": "outage", "provider": "hoster-a", "duration": 10},
     {"at": 8, "kind": "change_password", "provider": "yahoo", "count": 2}]
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any, Final

from mailwatch.core.mailbox import Protocol
from mailwatch.sim.faults import FaultKind


class ScriptError(ValueError):
    """The script cannot be read; the text names the step and what would be right."""


@unique
class ActionKind(StrEnum):
    """Things done once, that stay done."""

    CHANGE_PASSWORD = "change_password"
    REVOKE_GRANT = "revoke_grant"
    EXPIRE_TOKENS = "expire_tokens"
    CUT_SESSIONS = "cut_sessions"
    HEAL = "heal"  #: all of the provider's faults end


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a script."""

    at_seconds: float
    kind: FaultKind | ActionKind
    provider: str
    duration_seconds: float | None = None  #: of a fault; None = to the end
    domain: str | None = None
    addresses: frozenset[str] = field(default_factory=frozenset)
    count: int | None = None  #: this many mailboxes, picked by the world's seed among those no other step has picked
    share: float = 1.0
    protocol: Protocol | None = None
    seconds: float | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """Steps in the order of their time."""

    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, steps: Iterable[Step]) -> "Script":
        """A script of *steps*, sorted."""
        return cls(tuple(sorted(steps, key=lambda step: step.at_seconds)))

    @classmethod
    def from_json(cls, text: str) -> "Script":
        """The script that *text* spells; raises ScriptError."""
        try:
            rows: Any = json.loads(text)
        except ValueError as error:
            raise ScriptError(f"the script is no JSON: {error}") from error
        if not isinstance(rows, list):
            raise ScriptError("the script must be a list of steps")
        return cls.of(_step(number, row) for number, row in enumerate(rows, 1))

    @property
    def providers(self) -> frozenset[str]:
        """The providers it speaks of."""
        return frozenset(step.provider for step in self.steps)


_KEYS: Final = {
    "at": "at_seconds",
    "duration": "duration_seconds",
    "kind": "kind",
    "provider": "provider",
    "domain": "domain",
    "addresses": "addresses",
    "count": "count",
    "share": "share",
    "protocol": "protocol",
    "seconds": "seconds",
    "words": "words",
}


def kind_of(name: str) -> FaultKind | ActionKind:
    """The fault or action called *name*; raises ScriptError."""
    for kinds in (FaultKind, ActionKind):
        if name in set(kinds):
            return kinds(name)
    known: Sequence[str] = sorted([*FaultKind, *ActionKind])
    raise ScriptError(f"{name!r} is no fault; there are {', '.join(known)}")


def _step(number: int, row: Any) -> Step:
    if not isinstance(row, dict) or not {"at", "kind", "provider"} <= row.keys():
        raise ScriptError(f"step {number}: `at`, `kind` and `provider` are needed")
    unknown = sorted(row.keys() - _KEYS.keys())
    if unknown:
        raise ScriptError(f"step {number}: unknown {', '.join(unknown)}; there are {', '.join(_KEYS)}")
    fields: dict[str, Any] = {_KEYS[key]: value for key, value in row.items()}
    try:
        fields["kind"] = kind_of(fields["kind"])
        fields["addresses"] = frozenset(fields.get("addresses", ()))
        if fields.get("protocol") is not None:
            fields["protocol"] = Protocol(fields["protocol"])
        return Step(**fields)
    except (TypeError, ValueError) as error:
        raise ScriptError(f"step {number}: {error}") from error
