"""Maintenance windows: declared times in which disconnections are expected, once or on a calendar.

A recurring window keeps to the wall clock of its time zone: one at 01:00 in Berlin stays at 01:00 across a change to summer time.
A start that such a change skips comes as much later as the clocks are set ahead: 02:30 becomes 03:30 (RFC 5545,
3.3.5: the offset from before the gap counts).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, unique
from typing import Final
from zoneinfo import ZoneInfo

from mailwatch.core.incidents.scopes import Scope, Traits


@unique
class Every(StrEnum):
    """How often a window comes."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"


_PERIOD: Final = {Every.DAILY: timedelta(days=1), Every.WEEKLY: timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Window:
    """One declared maintenance; *scope* None covers everything."""

    id: str
    title: str
    scope: Scope | None
    starts_at: datetime  #: of the first
    seconds: float
    every: Every = Every.ONCE
    zone: str = "UTC"
    until_at: datetime | None = None  #: no recurrence begins after this
    created_by: str = ""
    created_at: datetime | None = None
    ended_at: datetime | None = None  #: a person ended it early, for good

    def covers(self, traits: Traits) -> bool:
        """Whether a mailbox of these traits is in its scope."""
        return self.scope is None or self.scope in traits.scopes()

    def running(self, now: datetime) -> tuple[datetime, datetime] | None:
        """(start, end) of the occurrence that is running at *now*, if one is."""
        number = self._latest(now)
        if number is None or (self.ended_at is not None and now >= self.ended_at):
            return None
        start = self._nth(number)
        end = start + timedelta(seconds=self.seconds)
        return (start, end) if now < end else None

    def next_start(self, now: datetime) -> datetime | None:
        """When it begins next, after *now*; None when it never does again."""
        if self.ended_at is not None and self.ended_at <= now:
            return None
        if now < self.starts_at:
            return self.starts_at
        latest = self._latest(now)
        if latest is None or self.every is Every.ONCE:
            return None
        following = self._nth(latest + 1)
        return following if self.until_at is None or following <= self.until_at else None

    def _latest(self, now: datetime) -> int | None:
        """Which occurrence is the newest that has begun by *now*."""
        if now < self.starts_at:
            return None
        if self.every is Every.ONCE:
            return 0
        # two hours on top: a change of the clock may have moved it that much; a guess too high is taken back
        number = int((now - self.starts_at + timedelta(hours=2)) / _PERIOD[self.every]) + 1
        while number > 0 and (self._nth(number) > now or (self.until_at is not None and self._nth(number) > self.until_at)):
            number -= 1
        return number

    def _nth(self, number: int) -> datetime:
        """The start of an occurrence: the same time on the wall clock, so many periods later."""
        if number == 0:
            return self.starts_at
        zone = ZoneInfo(self.zone)
        wall = self.starts_at.astimezone(zone).replace(tzinfo=None) + number * _PERIOD[self.every]
        # a wall time that a change of the clock skips is read with the offset from before it: 02:30 becomes 03:30
        return wall.replace(tzinfo=zone).astimezone(UTC)


def covering(windows: tuple[Window, ...], traits: Traits, now: datetime) -> Window | None:
    """The window that covers a mailbox of these traits now, the one that ends last; None if there is none."""
    running = [(found[1], window.id, window) for window in windows if window.covers(traits) and (found := window.running(now))]
    return max(running)[2] if running else None
