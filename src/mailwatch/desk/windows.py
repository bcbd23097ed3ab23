"""Declaring maintenance and ending it, with one meaning for the page, the API and the command line."""

import ipaddress
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailwatch.core.gates import OTHER_PROVIDER
from mailwatch.core.incidents.scopes import Scope, ScopeKind
from mailwatch.core.maintenance import Every, Window
from mailwatch.ports import Act, Clock, MailwatchError
from mailwatch.ports.maintenance import Maintenance

#: A window lasts from a minute to a week.
SHORTEST_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 7 * 86_400.0
#: It begins within a hundred years; a recurring one may have begun a year ago, and ends within twenty.
_BEGAN: Final = timedelta(days=366)
_BEGINS: Final = timedelta(days=36_600)
_RECURS: Final = timedelta(days=7320)
_PERIOD_SECONDS: Final = {Every.DAILY: 86_400.0, Every.WEEKLY: 7 * 86_400.0}
_LONGEST_TITLE: Final = 200
_LONGEST_NAME: Final = 255
_LABEL: Final = r"\w(?:[\w-]{0,61}\w)?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_PROVIDER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
#: So many names are offered in place of one that nobody has.
_NAMED: Final = 20
#: What maintenance can be declared for; our own uplink (ScopeKind.EGRESS) is everything.
SCOPE_KINDS: Final = tuple(kind for kind in ScopeKind if kind is not ScopeKind.EGRESS)


class WindowError(MailwatchError):
    """The window cannot be declared: what is wrong with `field` of what was wanted, and the cure; nothing was stored."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem = field, problem


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person declares; *starts_at* None is now, *scope* None everything."""

    title: str
    seconds: float
    starts_at: datetime | None = None
    scope: Scope | None = None
    every: Every = Every.ONCE
    zone: str = "UTC"
    until_at: datetime | None = None  #: no recurrence begins after this


@dataclass(frozen=True, slots=True)
class Declared:
    """What was declared."""

    window: Window
    mailboxes: int  #: how many it covers as the fleet is now
    warning: str | None = None  #: what the person who declared it should look at again


class Windows:
    """Acts on maintenance windows; each writes its row of the audit log in its own transaction."""

    def __init__(self, maintenance: Maintenance, clock: Clock) -> None:
        self._maintenance = maintenance
        self._clock = clock

    async def declare(self, wanted: Wanted, by: Act) -> Declared:
        """The window, stored; probing nodes heed it within seconds.  Raises WindowError.

        Mailboxes may be added to its scope later; while there is none, the answer warns, for it may be a slip of the pen.
        """
        now = self._clock.now()
        window = Window(
            id=f"mw_{secrets.token_hex(6)}",
            title=_title(wanted.title),
            scope=None if wanted.scope is None else scope_named(wanted.scope.kind, wanted.scope.name),
            starts_at=now if wanted.starts_at is None else wanted.starts_at,
            seconds=round(wanted.seconds),
            every=wanted.every,
            zone=wanted.zone,
            until_at=wanted.until_at,
            created_by=by.actor,
            created_at=now,
        )
        _check(window, now)
        covered, warning = await self._maintenance.covered(window.scope), None
        if window.scope is not None and not covered:
            nobody = _nobody(window.scope, await self._maintenance.names(window.scope.kind))
            if not _may_come(window.scope):
                raise WindowError("scope", nobody)
            warning = f"no mailbox there now: {nobody}"
        await self._maintenance.add(window, by)
        return Declared(window, covered, warning)

    async def end(self, window_id: str, by: Act) -> Window:
        """End it now, and for good: a recurring one comes no more.  Raises WindowNotFoundError."""
        return await self._maintenance.end(window_id, self._clock.now(), by)


def scope_named(kind: str, name: str) -> Scope:
    """The scope of *kind* and *name*, as mailboxes have it; raises WindowError."""
    if kind not in SCOPE_KINDS:
        kinds = ", ".join(f"{each}:NAME" for each in SCOPE_KINDS)
        raise WindowError("scope", f"write one of {kinds}; leave it out for everything")
    name = name.strip()
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise WindowError("scope", f"write the name of the {kind.replace('_', ' ')}, such as {kind}:NAME")
    if kind == ScopeKind.PROVIDER and name.lower() == OTHER_PROVIDER:
        raise WindowError("scope", "what stands for `other` shares nothing; declare it for each endpoint:HOST or domain:NAME")
    return Scope(ScopeKind(kind), name if kind == ScopeKind.OAUTH_APP else name.lower())


def _may_come(scope: Scope) -> bool:
    """Whether mailboxes may be added to a scope that has none: not where its name is none, or names what we should know."""
    if scope.kind is ScopeKind.ENDPOINT:
        return _HOST.fullmatch(scope.name) is not None or _is_address(scope.name)
    pattern = {ScopeKind.PROVIDER: _PROVIDER, ScopeKind.DOMAIN: _DOMAIN}.get(scope.kind)
    return pattern is not None and pattern.fullmatch(scope.name) is not None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _nobody(scope: Scope, names: Sequence[str]) -> str:
    """That a scope covers nothing, and what may have been meant: a slip of the pen would leave people alarmed at night."""
    known = [name for name in names if name != OTHER_PROVIDER]
    kind = scope.kind.replace("_", " ")
    if known:
        return f"no mailbox has the {kind} {scope.name!r}; those that mailboxes have: {', '.join(known[:_NAMED])}"
    hint = {ScopeKind.ENDPOINT: ", such as imap.example.org, without a port", ScopeKind.DOMAIN: ", what follows the @"}
    return f"no mailbox has the {kind} {scope.name!r}; write it as mailboxes have it{hint.get(scope.kind, '')}, or add them first"


def _title(text: str) -> str:
    title = text.strip()
    if not title:
        raise WindowError("title", "a title is needed: it is what people read beside the disconnections")
    if len(title) > _LONGEST_TITLE or not title.isprintable():
        raise WindowError("title", f"write at most {_LONGEST_TITLE} characters on one line")
    return title


def _check(window: Window, now: datetime) -> None:
    """Raises WindowError.  The bounds also keep the calendar's arithmetic small."""
    if not SHORTEST_SECONDS <= window.seconds <= LONGEST_SECONDS:
        raise WindowError("seconds", "it lasts from a minute to seven days; declare several for more")
    _check_zone(window.zone)
    if window.starts_at > now + _BEGINS:
        raise WindowError("starts_at", "it begins within a hundred years")
    _check_recurrence(window, now)
    if window.running(now) is None and window.next_start(now) is None:
        over = window.starts_at + timedelta(seconds=window.seconds)
        raise WindowError("starts_at", f"it would have ended at {over:%Y-%m-%d %H:%M:%S} UTC already; name a later start")


def _check_recurrence(window: Window, now: datetime) -> None:
    if window.every is Every.ONCE:
        if window.until_at is not None:
            raise WindowError("until_at", "it is for recurring windows; let this one recur daily or weekly too, or leave it out")
        return
    if window.seconds >= _PERIOD_SECONDS[window.every]:
        raise WindowError("seconds", f"a {window.every} window is shorter than what it recurs in, or it would never end")
    if window.starts_at < now - _BEGAN:
        raise WindowError("starts_at", "the first of a recurring window was a year ago at the most; name a later one")
    if window.until_at is not None and not window.starts_at <= window.until_at <= window.starts_at + _RECURS:
        raise WindowError("until_at", "it is after the start, by twenty years at the most")


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a directory of zones is no zone
        raise WindowError("zone", f"{zone[:40]!r} is no such time zone; write one such as Europe/Berlin, or UTC") from None
