"""Moments and durations as a tired person reads them; every page shows them this way."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_UNITS: Final[Sequence[tuple[int, str]]] = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_FEW: Final = 10


def stamp(when: datetime) -> str:
    """RFC 3339, to the second: what machines and the `datetime` attribute read."""
    return when.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def shown(when: datetime) -> str:
    """To the minute, UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def span(seconds: float) -> str:
    """A duration in its largest unit, and the next one where hours or days are few: `12 d`, `1 d 4 h`, `5 h 59 min`, `12 min`."""
    left = max(0, round(seconds))
    for place, (size, unit) in enumerate(_UNITS):
        number, rest = divmod(left, size)
        if not number and unit != "s":
            continue
        if number < _FEW and size > _UNITS[-2][0]:
            smaller, name = _UNITS[place + 1]
            if rest // smaller:
                return f"{number} {unit} {rest // smaller} {name}"
        return f"{number} {unit}"
    return "0 s"


def ago(when: datetime, now: datetime) -> str:
    """How long it is past or ahead: `12 min ago`, `in 4 min`, `now`."""
    seconds = (now - when).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"
