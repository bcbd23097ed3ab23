"""What a reload changes: which keys are different, and which of them the running daemon cannot take over."""

from collections.abc import Iterator
from typing import Final

from mailwatch.config.faults import KeyPath, spell
from mailwatch.config.listing import values
from mailwatch.config.settings import Settings
from mailwatch.config.shape import NAME

#: What takes effect on a reload, with all below it; everything else is part of what the daemon is built from.
RELOADED: Final[tuple[KeyPath, ...]] = (
    ("probing",),
    ("confirm",),
    ("verify",),
    ("backoff",),
    ("budget",),
    ("blocked",),
    ("providers",),
    ("oauth", NAME, "client_secret_expires"),
    ("incidents",),
    ("campaigns",),
    ("webhooks",),
    ("retention",),
    ("log", "level"),
)


def changed(old: Settings, new: Settings) -> Iterator[KeyPath]:
    """The keys whose values differ, those included that only one of the two has."""
    before, after = dict(values(old)), dict(values(new))
    for path in dict.fromkeys((*before, *after)):
        if before.get(path) != after.get(path):
            yield path


def told(old: Settings, new: Settings) -> tuple[list[str], list[str]]:
    """The changed keys that take effect at once, and those that need a restart, as a person writes them."""
    live: list[str] = []
    restart: list[str] = []
    for path in changed(old, new):
        is_live = any(_is_below(path, top) for top in RELOADED)
        (live if is_live else restart).append(spell(path))
    return live, restart


def _is_below(path: KeyPath, top: KeyPath) -> bool:
    return len(path) >= len(top) and all(wanted in (NAME, part) for part, wanted in zip(path, top, strict=False))
