"""What a log line may hold: an allow-list of fields, and values made safe.

A deny-list forgets; so a field that nobody listed is dropped and counted.  Values are cleaned of what could break a line or a
terminal, secrets print as ***, objects nobody foresaw show their type only, and tracebacks name places, never values.
"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from itertools import islice
from traceback import extract_tb
from types import TracebackType
from typing import Any, Final

from mailwatch.core.evidence import clean
from mailwatch.core.secret import Secret

#: Every field a line may have.  A new one is added here by whoever logs it; a test holds the program to it.
ALLOWED: Final = frozenset(
    {
        *("event", "level", "at", "part", "library", "message", "error", "exception", "traceback", "reason", "count", "seconds"),
        *("mailbox", "provider", "protocol", "phase", "endpoint", "host", "oauth_app", "generation", "due_at"),
        *("state", "from_state", "to_state", "trigger", "cause", "rule", "quote", "confidence", "attempts"),
        *("lease", "node", "job", "rows", "mailboxes", "in_flight", "cancelled", "pending", "version", "url", "signal"),
        *("key", "origin", "path", "impairment", "result", "limit_seconds", "lag_seconds", "changed", "restart_needed"),
        *("method", "gate", "incident", "scope", "name"),
    }
)
MAX_TEXT: Final = 1024
MAX_ITEMS: Final = 32
MAX_DEPTH: Final = 2
MAX_FRAMES: Final = 24
MASK: Final = "***"

# What libraries could print of a login: SASL payloads, IMAP LOGIN, HTTP credentials, passwords in URLs and in key=value pairs.
_SECRET: Final = re.compile(
    r"""(?ix)
    (?P<auth> \b (?-i:AUTH (?:ENTICATE)? \s+ [A-Z0-9-]+) \s+ ) \S+
    | (?P<login> \b (?-i:LOGIN) \s+ (?:"(?:\\.|[^"])*"|\S+) \s+ ) (?:"(?:\\.|[^"])*"|\S+)
    | (?P<http> \b (?:Bearer|Basic) \s+ ) [A-Za-z0-9._~+/=-]{8,}
    | (?P<url> \b [a-z][a-z0-9+.-]* :// [^\s/@:]* : ) [^\s/@]+ (?=@)
    | (?P<pair> \b (?:passw(?:or)?d|(?:client_)?secret|(?:access_|refresh_)?token|assertion|auth) ["']? \s* [=:] \s* ["']? )
      [^\s"'&,;)}]+
    | (?<![A-Za-z0-9+/_=-]) (?! (?-i:(?:/[a-z0-9_-]{1,31})+) (?![A-Za-z0-9+/_=-]) )  # a path in lower case is none
      (?=[A-Za-z0-9+/_=-]*[0-9+/=]) [A-Za-z0-9+/_=-]{48,}
    """
)


def redact(text: str) -> str:
    """*text* without what looks like a secret."""
    return _SECRET.sub(lambda found: f"{found[found.lastgroup] if found.lastgroup else ''}{MASK}", text)


def safe(value: Any, depth: int = 0) -> Any:
    """A value as a log line may show it."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)  # JSON knows no infinity
    if isinstance(value, str | bytes):
        return redact(clean(value, MAX_TEXT))
    if isinstance(value, Mapping | list | tuple | set | frozenset) and depth < MAX_DEPTH:
        return _items(value, depth + 1)
    return _object(value)


def _items(value: Mapping[Any, Any] | Iterable[Any], depth: int) -> Any:
    if isinstance(value, Mapping):
        return {redact(clean(str(key), 64)): safe(item, depth) for key, item in islice(value.items(), MAX_ITEMS)}
    return [safe(item, depth) for item in islice(value, MAX_ITEMS)]


def _object(value: object) -> Any:
    match value:
        case Secret():
            return MASK
        case datetime():
            return value.isoformat()
        case Enum():
            return safe(value.value)
        case BaseException():
            return _name(type(value))
        case _:
            # Not its repr: nobody knows what that shows.
            return f"<{_name(type(value))}>"


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def places(error: BaseException) -> list[str]:
    """Where an exception and those behind it came from: types, modules, lines, functions; no text, no locals."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(lines) < MAX_FRAMES:
        seen.add(id(current))
        lines.append(_name(type(current)))
        lines += _frames(current.__traceback__)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return lines[:MAX_FRAMES]


def _frames(traceback: TracebackType | None) -> list[str]:
    # The source lines are left out too: some hold literals.
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(traceback)]
    return frames[-MAX_FRAMES // 2 :]


class FieldFilter:
    """The structlog processor that keeps lines to the above, and counts what it leaves out."""

    def __init__(self) -> None:
        self.dropped = 0  #: fields left out since the start

    def __call__(self, _logger: Any, _method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The line's fields, in their order."""
        kept: dict[str, Any] = {}
        for name, value in fields.items():
            if name == "exc_info":
                if isinstance(value, BaseException):
                    kept["traceback"] = places(value)
            elif name in ALLOWED:
                kept[name] = safe(value)
            else:
                self.dropped += 1
        return kept
