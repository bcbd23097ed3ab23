"""What a report adds to a standing whatever is decided: refused logins, the moment of the probe, each channel's health.  Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from mailwatch.core.budget import refusals_left, within
from mailwatch.core.causes import Cause
from mailwatch.core.evidence import ChannelReport, Outcome, Phase, Report
from mailwatch.core.mailbox import AuthKind, Mailbox, Protocol
from mailwatch.core.policy import Policy
from mailwatch.core.standing import ChannelHealth, Diagnosis, Refusal, Standing

#: How a login that gets no answer ends.
_SILENCE: Final = frozenset({Cause.CONNECTION_DROPPED, Cause.CONNECTION_TIMEOUT, Cause.SESSION_EXPIRED})


def refusals_of(mailbox: Mailbox, report: Report, now: datetime) -> tuple[Refusal, ...]:
    """The refused logins of *report*, by the host that refused."""
    hosts = {endpoint.protocol: endpoint.host for endpoint in mailbox.endpoints}
    return tuple(Refusal(hosts[channel.protocol], now) for channel in report.channels for _ in range(channel.rejected_logins))


def with_report(
    mailbox: Mailbox, standing: Standing, report: Report, diagnoses: Mapping[Protocol, Diagnosis], policy: Policy, now: datetime
) -> Standing:
    """The standing with what is a fact whatever is decided: refused logins, the moment of the look, each channel's health."""
    refused = sum(_refused(mailbox, channel) for channel in report.channels)
    accepted = not refused and any(_accepted(channel) for channel in report.channels)
    # a person said that it is mended, and every server says so too: what was refused before says nothing of this secret any more
    pardoned = standing.forced and accepted and _all_accepted(mailbox, report)
    window = policy.budget.window_seconds
    lost_at = () if accepted else _spent(standing.lost_at, now, window)
    if not (accepted or standing.proven) and any(_is_unanswered(channel, diagnoses) for channel in report.channels):
        lost_at = (*lost_at, now)
    updated = replace(
        standing,
        last_probe_at=now if _says_something(report) else standing.last_probe_at,
        impairment=report.impairment,
        impaired_since_at=None if report.impairment is None else (standing.impaired_since_at or now),
        proven=standing.proven and not refused,
        rejected_at=() if pardoned else (*_spent(standing.rejected_at, now, window), *(now,) * refused),
        lost_at=lost_at,
        channels=_channels(standing.channels, report, diagnoses, now),
    )
    if standing.forced and (refused or refusals_left(updated, policy.budget, now) > 0):
        return replace(updated, forced=False)  # what a person allowed is spent, or not needed any more
    return updated


def _spent(moments: tuple[datetime, ...], now: datetime, window_seconds: float) -> tuple[datetime, ...]:
    """Those of *moments* that still count; any ahead of *now*, of a clock that was set back, count for one window from now."""
    return tuple(min(moment, now) for moment in within(moments, now, window_seconds)) if moments else ()


def _says_something(report: Report) -> bool:
    """Whether it was looked at: a look that a fault of our own cut short must not pass for one, or nobody would miss them."""
    return report.impairment is None or any(channel.outcome is Outcome.FAILED for channel in report.channels)


def _refused(mailbox: Mailbox, channel: ChannelReport) -> int:
    """How often the channel refused the secret that counts.

    An access token that had expired and was renewed during the probe is another secret: only what the last one met counts.
    """
    if mailbox.auth is AuthKind.PASSWORD:
        return channel.rejected_logins
    return 0 if _accepted(channel) else min(1, channel.rejected_logins)


def _is_unanswered(channel: ChannelReport, diagnoses: Mapping[Protocol, Diagnosis]) -> bool:
    """Whether the secret went out and no word on it came back: it may have been refused.

    It counts like a lost lease, for secrets that were never accepted; one that is proven is more probably right than the silence
    of an authentication server is a refusal, and a provider's bad quarter of an hour must not stop its logins for a day.
    """
    evidence = channel.evidence
    if evidence is None or evidence.phase is not Phase.AUTH or channel.logged_in or channel.rejected_logins:
        return False
    wordless = evidence.code is None and evidence.status in (None, "BYE")
    return wordless and diagnoses[channel.protocol].cause in _SILENCE


def _accepted(channel: ChannelReport) -> bool:
    return channel.outcome is Outcome.HEALTHY or (channel.logged_in and channel.outcome is Outcome.FAILED)


def _all_accepted(mailbox: Mailbox, report: Report) -> bool:
    wanted = {endpoint.protocol for endpoint in mailbox.endpoints}
    return wanted <= {channel.protocol for channel in report.channels if _accepted(channel)}


def _channels(
    known: Mapping[Protocol, ChannelHealth], report: Report, diagnoses: Mapping[Protocol, Diagnosis], now: datetime
) -> Mapping[Protocol, ChannelHealth]:
    changed: dict[Protocol, ChannelHealth] = {}
    for channel in report.channels:
        if channel.outcome not in (Outcome.HEALTHY, Outcome.FAILED):
            continue
        seen = _health(channel, diagnoses, now)
        before = known.get(channel.protocol)
        if before is None or (before.healthy, before.cause) != (seen.healthy, seen.cause):
            changed[channel.protocol] = (
                seen if before is None or before.healthy != seen.healthy else replace(before, cause=seen.cause)
            )
    return MappingProxyType({**known, **changed}) if changed else known


def _health(channel: ChannelReport, diagnoses: Mapping[Protocol, Diagnosis], now: datetime) -> ChannelHealth:
    if channel.outcome is Outcome.HEALTHY:
        return ChannelHealth(healthy=True, since_at=now)
    return ChannelHealth(healthy=False, since_at=now, cause=diagnoses[channel.protocol].cause)
