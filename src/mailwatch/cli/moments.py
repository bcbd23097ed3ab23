"""Moments and durations as people type and read them."""

from datetime import UTC, datetime

from mailwatch.cli.output import CliError


def moment(text: str, option: str) -> datetime:
    """The moment that *text* (RFC 3339, or a date alone) names; without an offset it is UTC.  Raises CliError naming *option*."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CliError(f"{option} {text!r}: a moment is needed, such as 2026-11-01 or 2026-11-01T08:00:00Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def shown(when: datetime | None) -> str:
    """A moment for eyes: to the second, UTC."""
    return "-" if when is None else when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def stamp(when: datetime | None) -> str | None:
    """A moment for JSON (RFC 3339)."""
    return None if when is None else when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def span(seconds: float) -> str:
    """A duration for eyes, in its two largest units: `3 d 4 h`."""
    left = max(0, int(seconds))
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"
