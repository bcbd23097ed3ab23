"""The life of an incident: opened by a finding, grown by what fails in its scope, closed when the scope works again.

One root, one incident: a finding inside the scope of an open incident, or wider than it with the same failures, grows that incident
instead of opening another.  An incident that closes and comes back soon is the same one, reopened: a flapping provider tells once.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.detect import Finding
from mailwatch.core.incidents.scopes import EGRESS, Scope

#: From this share of failures on, a scope is down as a whole.
WHOLE_SHARE: Final = 0.5


@unique
class Change(StrEnum):
    """What became of an incident in one evaluation."""

    OPENED = "opened"
    GREW = "grew"
    CLOSED = "closed"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class LifePolicy:
    """When an incident is over; durations in seconds."""

    recovered: int = 3  #: so many that failed in it came back lately (or all of them) …
    relapse_share: float = 0.25  #: … and failures lately are at most this share of those that came back
    silent_seconds: float = 1800.0  #: nothing new for this long, and few still away: over, though nobody came back lately
    remainder_share: float = 0.2  #: so few of those that failed are left over by every outage
    least: int = 5  #: fewer than this never made an incident; where most are back, so few do not keep one open
    reopen_seconds: float = 1800.0  #: back within this time, it is the same incident


@dataclass(frozen=True, slots=True)
class Incident:
    """Many mailboxes, one root."""

    id: str
    scope: Scope
    cause: Cause
    opened_at: datetime
    last_failure_at: datetime
    failed: int  #: mailboxes that failed in it; 0 where our uplink is known to be down, and nobody is judged
    peak_share: float
    closed_at: datetime | None = None
    reopened: int = 0
    size: int = 0  #: mailboxes in its scope

    @property
    def affected(self) -> int:
        """How many mailboxes it takes: where most of what is looked at fails, those that nobody looked at since are no better."""
        return max(self.failed, round(self.size * self.peak_share)) if self.takes_all else self.failed

    @property
    def takes_all(self) -> bool:
        """Whether its scope is down as a whole, not in part."""
        return self.peak_share >= WHOLE_SHARE

    @property
    def is_open(self) -> bool:
        """Whether it still goes on."""
        return self.closed_at is None

    @property
    def version(self) -> int:
        """How often it was closed or came back: what an act on what was looked at insists on."""
        return 2 * self.reopened + (self.closed_at is not None)


@dataclass(frozen=True, slots=True)
class Signs:
    """What an open incident's scope showed lately: in the last minute or two."""

    fresh: int  #: mailboxes that failed newly
    failures: int  #: mailboxes that were looked at in vain, freshly failed ones and those of the incident
    recovered: int  #: mailboxes of the incident that worked again
    still_failing: int  #: mailboxes of the incident that have not
    last_failure_at: datetime | None = None
    usual_fresh: float = 0.0  #: how many mailboxes of the scope fail by themselves in such a time …
    usual_away: float = 0.0  #: … and how many are away for that at any moment

    @property
    def is_quiet(self) -> bool:
        """Whether hardly more fails newly than does by itself."""
        return self.fresh <= self.usual_fresh + 3 * math.sqrt(self.usual_fresh) + 1


@dataclass(frozen=True, slots=True)
class News:
    """One change of one incident."""

    change: Change
    incident: Incident


def advance(
    known: Collection[Incident],
    findings: Sequence[Finding],
    signs: Mapping[Scope, Signs],
    within: Mapping[Scope, Collection[Scope]],
    now: datetime,
    policy: LifePolicy = LifePolicy(),
) -> list[News]:
    """What changes now.  *known* holds open incidents and those closed within `reopen_seconds`.

    *within* tells for a scope the scopes that hold most of its mailboxes (a provider's host lies within the provider).
    New incidents get their id from scope and moment; the caller stores what is told.
    """
    news: list[News] = []
    told: set[str] = set()
    for finding in findings:
        each = _home(known, finding, within, now, policy)
        if each is None:
            news.append(News(Change.OPENED, _open(finding, now)))
        elif each.id not in told:
            told.add(each.id)
            # the window remembers an outage that is ending: what comes back now says more
            over = _watch(each, signs.get(each.scope), now, policy) if each.is_open else None
            news.append(over if over is not None and over.change is Change.CLOSED else _grow(each, finding, now))
    for each in known:
        if each.is_open and each.id not in told:
            step = _watch(each, signs.get(each.scope), now, policy)
            if step is not None:
                news.append(step)
    return news


def _home(
    known: Collection[Incident], finding: Finding, within: Mapping[Scope, Collection[Scope]], now: datetime, policy: LifePolicy
) -> Incident | None:
    """The incident that the failures of *finding* belong to; an outage after declared maintenance is none of that."""
    scope, planned = finding.scope, finding.cause is Cause.PLATFORM_MAINTENANCE
    lately = now - timedelta(seconds=policy.reopen_seconds)
    recent = [
        each
        for each in known
        if each.closed_at is None or (each.closed_at >= lately and (each.cause is Cause.PLATFORM_MAINTENANCE) is planned)
    ]
    for each in sorted(recent, key=lambda one: (not one.is_open, one.scope != scope)):
        if each.scope == scope or (_holds(each, finding, within) if each.is_open else _is_as_wide(each, scope, within)):
            return each
    return None


def _holds(incident: Incident, finding: Finding, within: Mapping[Scope, Collection[Scope]]) -> bool:
    """Whether *finding* is of an open *incident*, that is wider or narrower than it.

    A domain that fails as a whole does not explain that a part of its provider fails besides: that is another outage.
    """
    if incident.scope == EGRESS or incident.scope in within.get(finding.scope, ()):
        return True
    is_about_it = finding.share >= incident.peak_share / 2 or finding.failed < 2 * incident.failed
    return finding.scope in within.get(incident.scope, ()) and is_about_it


def _is_as_wide(incident: Incident, scope: Scope, within: Mapping[Scope, Collection[Scope]]) -> bool:
    """Whether *scope* holds the same mailboxes: a single domain that fails does not bring back its whole provider's outage."""
    return incident.scope in within.get(scope, ()) and scope in within.get(incident.scope, ())


def _open(finding: Finding, now: datetime) -> Incident:
    return Incident(
        id=f"inc_{now:%Y%m%d%H%M%S}_{finding.scope.kind}_{finding.scope.name}",
        scope=finding.scope,
        cause=Cause.LOCAL_NETWORK_DOWN if finding.scope == EGRESS else finding.cause,
        opened_at=now,
        last_failure_at=now,
        failed=finding.failed,
        peak_share=finding.share,
    )


def _grow(incident: Incident, finding: Finding, now: datetime) -> News:
    if not incident.is_open:
        # how much it takes is seen anew: a provider that was away as a whole may come back with a part of it ill
        again = replace(incident, closed_at=None, reopened=incident.reopened + 1, last_failure_at=now, peak_share=finding.share)
        return News(Change.REOPENED, replace(again, failed=max(incident.failed, finding.failed)))
    wider = (
        EGRESS not in (incident.scope, finding.scope)
        and finding.scope != incident.scope
        and finding.failed > incident.failed
        and finding.share >= incident.peak_share / 2
    )
    grown = replace(
        incident,
        scope=finding.scope if wider else incident.scope,
        last_failure_at=now,
        failed=max(incident.failed, finding.failed),
        peak_share=max(incident.peak_share, finding.share),
    )
    return News(Change.GREW, grown)


def _watch(incident: Incident, signs: Signs | None, now: datetime, policy: LifePolicy) -> News | None:
    if signs is None:
        return None
    few = _are_few(signs, incident, policy)
    latest = min(incident.last_failure_at, now)  # a clock that was set back must not keep it open
    if not (few and signs.is_quiet):
        latest = max(latest, signs.last_failure_at or latest)
    if _is_over(signs, policy) or (few and now - latest >= timedelta(seconds=policy.silent_seconds)):
        return News(Change.CLOSED, replace(incident, last_failure_at=latest, closed_at=now))
    if latest != incident.last_failure_at or signs.still_failing > incident.failed:
        return News(Change.GREW, replace(incident, failed=max(incident.failed, signs.still_failing), last_failure_at=latest))
    return None


def _are_few(signs: Signs, incident: Incident, policy: LifePolicy) -> bool:
    """Whether no more are left over than any outage leaves, and than are away there at any time.

    One that took its whole scope stops sending through all of it: it is over when most are back.
    """
    still, failed = signs.still_failing, incident.failed
    share = 1 - WHOLE_SHARE if incident.takes_all else policy.remainder_share
    return still <= share * failed + signs.usual_away or (still < policy.least and 2 * still <= failed)


def _is_over(signs: Signs, policy: LifePolicy) -> bool:
    """Whether those that failed come back, and hardly anybody fails any more.

    Judged by what returns, not by silence alone: after its first minutes a partial outage has no fresh failures either, and what
    waits for a dead client secret is silent for as long as that is dead.
    """
    by_itself = signs.usual_fresh
    enough = signs.recovered - by_itself >= policy.recovered or (signs.recovered > 0 and signs.still_failing == 0)
    return enough and signs.failures - by_itself <= policy.relapse_share * signs.recovered
