"""A mailbox and its history in a tired person's words, and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mailwatch.cli.moments import shown, span, stamp
from mailwatch.core.cause_texts import remedy_for, told_in
from mailwatch.core.evidence import Evidence, clean
from mailwatch.core.impairments import impairment_of
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import Mailbox, Protocol
from mailwatch.core.quiet_hosts import QuietHost
from mailwatch.core.standing import Standing, Transition
from mailwatch.ports import MailboxView

_WHAT: Final[Mapping[Trigger, str]] = {
    Trigger.PROBE_SUCCEEDED: "a probe succeeded",
    Trigger.PROBE_FAILED: "a probe failed",
    Trigger.FAILURE_CONFIRMED: "the failure was seen again; it is retried automatically",
    Trigger.PERSON_NEEDED: "the failure was seen again, and only a person can set it right",
    Trigger.VERIFIED: "it proved itself: enough clean probes over enough time",
    Trigger.OBSTACLE_CLEARED: "what stood in the way is gone",
    Trigger.BROUGHT_BACK: "the incident that had stopped it is over, or is being felt for: it is tried again",
    Trigger.NEW_SECRET: "a new secret was stored",
    Trigger.RECONNECT: "a person asked for a reconnection",
    Trigger.DISCONNECT: "a person disconnected it",
    Trigger.HOLD: "it was put on hold",
    Trigger.RELEASE: "the hold was released",
    Trigger.HOLD_ENDED: "the hold reached its end",
}
_NEXT: Final[Mapping[State, str]] = {
    State.PENDING: "waits for its first look",
    State.CONNECTED: "works; looked at on schedule",
    State.SUSPECT: "a failure is being confirmed; campaigns still run",
    State.RECONNECTING: "disconnected; mailwatch keeps trying by itself, campaigns are paused",
    State.VERIFYING: "reached again; proving itself before campaigns resume",
    State.BLOCKED: "needs a person; no login is tried until then",
    State.HELD: "on hold; nothing is probed until it is released or the hold ends",
    State.INACTIVE: "disconnected by an operator; nothing is probed",
}


def view_json(view: MailboxView) -> dict[str, Any]:
    """A mailbox beside its standing, without any secret."""
    mailbox, standing = view.mailbox, view.standing
    return {
        "id": mailbox.id,
        "address": mailbox.address,
        "username": mailbox.username,
        "auth": mailbox.auth.value,
        "oauth_app": mailbox.oauth_app,
        "imap": mailbox.imap.url if mailbox.imap else None,
        "smtp": mailbox.smtp.url if mailbox.smtp else None,
        "provider": mailbox.provider,
        "campaigns": list(mailbox.campaigns),
        "labels": dict(mailbox.labels),
        "created_at": stamp(mailbox.created_at),
        **_standing_json(standing),
    }


def _standing_json(standing: Standing) -> dict[str, Any]:
    return {
        "state": standing.state.value,
        "cause": standing.cause.value if standing.cause else None,
        "since_at": stamp(standing.since_at),
        "due_at": stamp(standing.due_at),
        "last_probe_at": stamp(standing.last_probe_at),
        "last_success_at": stamp(standing.last_success_at),
        "down_since_at": stamp(standing.down_since_at),
        "hold_reason": standing.hold_reason,
        "hold_until_at": stamp(standing.hold_until_at),
        "failures": standing.failures,
        "attempts": standing.attempts,
        "rejected_logins": len(standing.rejected_at),
        "impairment": standing.impairment,
        "impaired_since_at": stamp(standing.impaired_since_at),
        "channels": {
            protocol.value: {"healthy": health.healthy, "cause": health.cause, "since_at": stamp(health.since_at)}
            for protocol, health in standing.channels.items()
        },
    }


def view_lines(view: MailboxView, latest: Transition | None, quiet: QuietHost | None = None) -> Iterator[str]:
    """One mailbox for eyes; *latest* is its last change of state, *quiet* the host that its next look waits for."""
    mailbox, standing = view.mailbox, view.standing
    yield f"{mailbox.address} ({mailbox.id})"
    yield f"  state      {standing.state}: {_NEXT[standing.state]}"
    yield f"  since      {shown(standing.since_at)}"
    if standing.cause:
        yield f"  cause      {standing.cause}: {told_in(standing.cause, standing.state)}"
        if standing.state is State.BLOCKED:
            yield from _steps(remedy_for(standing.cause, mailbox.provider))
    if (impaired := impairment_of(standing)) is not None:
        yield f"  not seen   {impaired.sentence} So since {shown(standing.impaired_since_at)}."
        yield from _steps(impaired.remedy)
    if standing.hold_reason:
        end = shown(standing.hold_until_at) if standing.hold_until_at else "it is released"
        yield f"  hold       {standing.hold_reason}, until {end}"
    for protocol, health in standing.channels.items():
        yield f"  {protocol:<10} {'works' if health.healthy else f'fails: {health.cause}'}, since {shown(health.since_at)}"
    yield f"  next look  {shown(standing.due_at) if standing.due_at else 'none'}"
    if quiet is not None:
        yield f"  waits      {quiet.sentence}"
    yield f"  last look  {shown(standing.last_probe_at)}; last success {shown(standing.last_success_at)}"
    yield from _static_lines(mailbox)
    if latest is not None:
        yield "  latest change"
        yield from (f"  {line}" for line in story_lines([latest]))


def _steps(remedy: Sequence[str]) -> Iterator[str]:
    for number, step in enumerate(remedy, 1):
        yield f"  {'what to do' if number == 1 else '':<10} {number}. {step}"


def _static_lines(mailbox: Mailbox) -> Iterator[str]:
    yield f"  login      {mailbox.username}, by {mailbox.auth}" + (f" ({mailbox.oauth_app})" if mailbox.oauth_app else "")
    yield f"  servers    {', '.join(endpoint.url for endpoint in mailbox.endpoints)}; provider {mailbox.provider}"
    if mailbox.campaigns:
        yield f"  campaigns  {', '.join(mailbox.campaigns)}"
    if mailbox.labels:
        yield f"  labels     {', '.join(f'{key}={value}' for key, value in mailbox.labels.items())}"


def story_json(step: Transition) -> dict[str, Any]:
    """One change of state."""
    return {
        "version": step.version,
        "at": stamp(step.at),
        "from": step.from_state.value,
        "to": step.to_state.value,
        "trigger": step.trigger.value,
        "cause": step.cause.value if step.cause else None,
        "protocol": step.protocol.value if step.protocol else None,
        "actor": step.actor,
        "effects": sorted(step.effects),
        "generation": step.generation,
        "credential_age_seconds": step.credential_age_seconds,
        "diagnosis": _diagnosis_json(step),
        "evidence": _evidence_json(step.evidence),
    }


def _diagnosis_json(step: Transition) -> dict[str, Any] | None:
    if step.diagnosis is None:
        return None
    diagnosis = step.diagnosis
    return {"cause": diagnosis.cause, "rule": diagnosis.rule, "quote": diagnosis.quote, "confidence": diagnosis.confidence}


def _evidence_json(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    return {
        "protocol": evidence.protocol,
        "phase": evidence.phase,
        "response": evidence.response,
        "exception": evidence.exception,
        "code": evidence.code,
        "enhanced": evidence.enhanced,
        "response_code": evidence.response_code,
        "oauth_error": evidence.oauth_error,
    }


def story_lines(steps: Sequence[Transition]) -> Iterator[str]:
    """Changes of state for eyes: when, from what to what, why, and the server's own words."""
    for number, step in enumerate(steps):
        lasted = f"  (for {span((steps[number + 1].at - step.at).total_seconds())})" if number + 1 < len(steps) else ""
        yield f"  {shown(step.at)}  {step.from_state} → {step.to_state}{lasted}"
        yield f"    {_WHAT[step.trigger]}{_by(step)}"
        if step.cause:
            yield f"    cause: {step.cause}{_where(step)}"
            yield f"    {told_in(step.cause, step.to_state)}"
        if step.evidence is not None:
            yield f"    {_said(step.evidence)}"


def _by(step: Transition) -> str:
    return "" if step.actor == "mailwatch" else f", by {step.actor}"


def _where(step: Transition) -> str:
    phase = step.evidence.phase if step.evidence and step.evidence.phase else None
    channel = "IMAP" if step.protocol is Protocol.IMAP else "SMTP" if step.protocol is Protocol.SMTP else None
    return f" at {channel} {phase or ''}".rstrip() if channel else ""


def _said(evidence: Evidence) -> str:
    # cleaned when it was stored; once more, since it goes to a terminal
    words = clean(evidence.response)
    if words:
        return f"the server said: “{words}”"
    if evidence.oauth_error:
        return f"the token endpoint said: {clean(evidence.oauth_error)} {clean(evidence.oauth_description or '')}".rstrip()
    return f"nothing was said; the connection failed with {evidence.exception or 'no error of its own'}"
