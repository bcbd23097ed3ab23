"""The seam of declared maintenance windows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.maintenance import Window
from mailwatch.ports import Act, MailwatchError


class WindowNotFoundError(MailwatchError):
    """No such maintenance window."""


class Maintenance(Protocol):
    """Windows at rest.  Each act is audited in its own transaction."""

    async def add(self, window: Window, act: Act) -> None:
        """Declare it."""

    async def windows(self, now: datetime) -> Sequence[Window]:
        """Windows that run or will run, by their start."""

    async def all(self, limit: int, *, before: str | None = None) -> Sequence[Window]:
        """All there ever were, newest declaration first; *before* is the id of the last one seen."""

    async def covered(self, scope: Scope | None) -> int:
        """How many mailboxes *scope* holds now; None: all there are."""

    async def names(self, kind: ScopeKind) -> Sequence[str]:
        """The providers or OAuth apps that mailboxes have, in order; nothing of other kinds."""

    async def end(self, window_id: str, at: datetime, act: Act) -> Window:
        """End it for good at *at*; raises WindowNotFoundError."""
