"""The life of an incident: opened by a finding, grown by what fails in its scope, closed when the scope works again.

One root, one incident: a finding inside the scope of an open incident, or wider than it with the same failures, grows that incident
instead of opening another.  An incident that closes and comes back soon is the same one, reopened: a flapping provider tells once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.detect import Finding
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind

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
    silent_seconds: float = 1800.0  #: no failure at all for this long, and few still away: over, though nobody came back lately
    remainder_share: float = 0.2  #: so few of those that failed are left over by every outage
    reopen_seconds: float = 1800.0  #: back within this time, it is the same incident


@dataclass(frozen=True, slots=True)
class Incident:
    """Many mailboxes, one root."""

    id: str
    scope: Scope
    cause: Cause
    opened_at: datetime
    last_failure_at: datetime
    failed: int  #: mailboxes that failed in it so far
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


@dataclass(frozen=True, slots=True)
class Signs:
    """What an open incident's scope showed lately: in the last minute or two."""

    fresh: int  #: mailboxes that failed newly
    failures: int  #: probes that failed, fresh and repeated
    recovered: int  #: mailboxes of the incident that worked again
    still_failing: int  #: mailboxes of the incident that have not
    last_failure_at: datetime | None = None


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
    holders = {scope, EGRESS, *within.get(scope, ())}
    for each in sorted(recent, key=lambda one: (not one.is_open, one.scope != scope)):
        if each.scope in holders or (
            each.is_open and each.scope.kind is not ScopeKind.EGRESS and scope in within.get(each.scope, ())
        ):
            return each
    return None


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
    wider = finding.scope != incident.scope and finding.failed > incident.failed and finding.share >= incident.peak_share / 2
    grown = replace(
        incident,
        scope=finding.scope if wider and incident.is_open else incident.scope,
        last_failure_at=now,
        failed=max(incident.failed, finding.failed),
        peak_share=max(incident.peak_share, finding.share),
    )
    if incident.is_open:
        return News(Change.GREW, grown)
    return News(Change.REOPENED, replace(grown, closed_at=None, reopened=incident.reopened + 1))


def _watch(incident: Incident, signs: Signs | None, now: datetime, policy: LifePolicy) -> News | None:
    if signs is None:
        return None
    latest = max(incident.last_failure_at, signs.last_failure_at or incident.last_failure_at)
    if _is_over(signs, incident.failed, latest, now, policy):
        return News(Change.CLOSED, replace(incident, last_failure_at=latest, closed_at=now))
    if latest > incident.last_failure_at or signs.fresh:
        return News(Change.GREW, replace(incident, failed=incident.failed + signs.fresh, last_failure_at=latest))
    return None


def _is_over(signs: Signs, failed: int, latest: datetime, now: datetime, policy: LifePolicy) -> bool:
    """Whether those that failed come back, and hardly anybody fails any more.

    Judged by what returns, not by silence alone: after its first minutes a partial outage has no fresh failures either, and what
    waits for a dead client secret is silent for as long as that is dead.
    """
    few = signs.still_failing <= policy.remainder_share * failed
    if few and now - latest >= timedelta(seconds=policy.silent_seconds):
        return True
    enough = signs.recovered >= policy.recovered or (signs.recovered > 0 and signs.still_failing == 0)
    return enough and signs.failures <= policy.relapse_share * signs.recovered
