"""What is wrong with a configuration: every fault at once, each with its place and its cure.

A fault reads like a compiler's message: `mailwatch.toml:7:1: unknown key "portt" in [web] - did you mean "port"?`.  The text never
holds a value that could be a secret.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, unique

#: A key's path: table names, key names and indices of arrays.
KeyPath = tuple[str | int, ...]


@unique
class Exit(IntEnum):
    """What the process ends with (sysexits.h); `RestartPreventExitStatus=78` keeps systemd from looping on a bad file."""

    PERMISSION = 77
    CONFIGURATION = 78


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a place in the file, or a variable of the environment."""

    source: str  #: the file as it was named, or `$MAILWATCH_…`
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where, and what to do about it."""

    origin: Origin
    key: KeyPath  #: empty when the fault is not one key's
    problem: str
    cure: str

    def __str__(self) -> str:
        text = f"{self.origin}: {self.problem}"
        return f"{text} \u2014 {self.cure}" if self.cure else text

    def as_json(self) -> dict[str, str | int | None]:
        """The fault for `--json`."""
        return {
            "source": self.origin.source,
            "line": self.origin.line,
            "column": self.origin.column,
            "key": spell(self.key),
            "problem": self.problem,
            "cure": self.cure,
        }


class ConfigError(Exception):
    """The configuration cannot be used; `faults` are all that is wrong with it, in the order of the file."""

    def __init__(self, faults: Sequence[Fault], exit_code: Exit = Exit.CONFIGURATION) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)
        self.exit_code = exit_code


def spell(path: KeyPath) -> str:
    """A key path as a person writes it: `providers.google.hosts[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def table(path: KeyPath) -> str:
    """How a message names the table of *path*: `[web]`, or the top level."""
    return f"[{spell(path)}]" if path else "the top level"
