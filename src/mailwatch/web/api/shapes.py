"""A mailbox and its changes as the API shows them; never a secret."""

from collections.abc import Mapping, Sequence
from typing import Final

from mailwatch.core.cause_texts import remedy_for, told_in
from mailwatch.core.causes import profile_of
from mailwatch.core.evidence import Evidence
from mailwatch.core.impairments import impairment_of
from mailwatch.core.lifecycle import MOVES, State, Trigger
from mailwatch.core.quiet_hosts import QuietHost
from mailwatch.core.standing import Standing, Transition
from mailwatch.ports import MailboxView
from mailwatch.web.api.fields import Moment, Shown

_ACTS: Final[Mapping[str, Trigger]] = {
    "disconnect": Trigger.DISCONNECT,
    "reconnect": Trigger.RECONNECT,
    "hold": Trigger.HOLD,
    "release": Trigger.RELEASE,
}


class ChannelShown(Shown):
    """What is believed of IMAP or SMTP."""

    healthy: bool
    since_at: Moment
    cause: str | None


class ImpairmentShown(Shown):
    """A fault of mailwatch's own that keeps it from looking at the mailbox."""

    name: str
    since_at: Moment | None
    sentence: str
    remedy: list[str]  #: steps that heal it


class MailboxShown(Shown):
    """A mailbox and how it is."""

    id: str
    address: str
    username: str
    auth: str
    oauth_app: str | None
    imap: str | None
    smtp: str | None
    provider: str
    labels: dict[str, str]
    campaigns: list[str]
    created_at: Moment
    state: str
    cause: str | None
    disposition: str | None  #: what heals the cause
    owner: str | None  #: who must act
    sentence: str | None  #: the cause, for operators
    remedy: list[str]  #: steps that heal it
    since_at: Moment
    due_at: Moment | None
    waits_until_at: Moment | None  #: when its host may see logins again; of one mailbox alone, null in lists
    waits_for: str | None  #: the same for operators: which host it waits for, and why
    last_probe_at: Moment | None
    last_success_at: Moment | None
    down_since_at: Moment | None
    hold_reason: str | None
    hold_until_at: Moment | None
    failures: int
    attempts: int
    rejected_logins: int
    channels: dict[str, ChannelShown]
    impairment: ImpairmentShown | None  #: what is shown is old: mailwatch itself is not able to look
    generation: int
    version: int  #: of the standing: what If-Match looks at
    actions: list[str]  #: what may be done now


def mailbox_shown(view: MailboxView, campaigns: Sequence[str] = (), quiet: QuietHost | None = None) -> MailboxShown:
    """A mailbox with the ids of its campaigns, and the host that its next look waits for."""
    mailbox, standing = view.mailbox, view.standing
    profile = None if standing.cause is None else profile_of(standing.cause)
    return MailboxShown(
        id=mailbox.id,
        address=mailbox.address,
        username=mailbox.username,
        auth=mailbox.auth.value,
        oauth_app=mailbox.oauth_app,
        imap=mailbox.imap.url if mailbox.imap else None,
        smtp=mailbox.smtp.url if mailbox.smtp else None,
        provider=mailbox.provider,
        labels=dict(mailbox.labels),
        campaigns=list(campaigns),
        created_at=mailbox.created_at,
        state=standing.state.value,
        cause=standing.cause.value if standing.cause else None,
        disposition=profile.disposition.value if profile else None,
        owner=profile.owner.value if profile else None,
        sentence=told_in(standing.cause, standing.state) if standing.cause else None,
        remedy=list(remedy_for(standing.cause, mailbox.provider)) if standing.cause else [],
        since_at=standing.since_at,
        due_at=standing.due_at,
        waits_until_at=quiet.until_at if quiet else None,
        waits_for=quiet.sentence if quiet else None,
        last_probe_at=standing.last_probe_at,
        last_success_at=standing.last_success_at,
        down_since_at=standing.down_since_at,
        hold_reason=standing.hold_reason,
        hold_until_at=standing.hold_until_at,
        failures=standing.failures,
        attempts=standing.attempts,
        rejected_logins=len(standing.rejected_at),
        channels=_channels(standing),
        impairment=_impairment(standing),
        generation=standing.generation,
        version=standing.version,
        actions=actions_of(standing.state),
    )


def _channels(standing: Standing) -> dict[str, ChannelShown]:
    return {
        protocol.value: ChannelShown(healthy=health.healthy, since_at=health.since_at, cause=health.cause)
        for protocol, health in standing.channels.items()
    }


def _impairment(standing: Standing) -> ImpairmentShown | None:
    words = impairment_of(standing)
    if words is None or standing.impairment is None:
        return None
    since_at, remedy = standing.impaired_since_at, list(words.remedy)
    return ImpairmentShown(name=standing.impairment, since_at=since_at, sentence=words.sentence, remedy=remedy)


def actions_of(state: State) -> list[str]:
    """What may be done to a mailbox in *state*, in the words of the API's paths."""
    found = [word for word, trigger in _ACTS.items() if trigger in MOVES[state]]
    return found + ([] if state in (State.HELD, State.INACTIVE) else ["probe"]) + ["remove"]


class EvidenceShown(Shown):
    """The server's own words, secrets cut out before they were stored."""

    protocol: str
    phase: str | None
    response: str
    exception: str | None
    code: int | None
    enhanced: str | None
    response_code: str | None
    oauth_error: str | None


class DiagnosisShown(Shown):
    """The rule that found the cause, and the words that decided."""

    cause: str
    rule: str
    quote: str
    confidence: str


class TransitionShown(Shown):
    """One change of state."""

    id: int
    mailbox: str
    version: int
    at: Moment
    from_state: str
    to_state: str
    trigger: str
    cause: str | None
    protocol: str | None
    actor: str
    generation: int
    diagnosis: DiagnosisShown | None
    evidence: EvidenceShown | None


def transition_shown(number: int, step: Transition) -> TransitionShown:
    """A change of state with its row number."""
    diagnosis = step.diagnosis
    return TransitionShown(
        id=number,
        mailbox=step.mailbox_id,
        version=step.version,
        at=step.at,
        from_state=step.from_state.value,
        to_state=step.to_state.value,
        trigger=step.trigger.value,
        cause=step.cause.value if step.cause else None,
        protocol=step.protocol.value if step.protocol else None,
        actor=step.actor,
        generation=step.generation,
        diagnosis=None
        if diagnosis is None
        else DiagnosisShown(cause=diagnosis.cause, rule=diagnosis.rule, quote=diagnosis.quote, confidence=diagnosis.confidence),
        evidence=_evidence(step.evidence),
    )


def _evidence(evidence: Evidence | None) -> EvidenceShown | None:
    if evidence is None:
        return None
    return EvidenceShown(
        protocol=evidence.protocol,
        phase=evidence.phase,
        response=evidence.response,
        exception=evidence.exception,
        code=evidence.code,
        enhanced=evidence.enhanced,
        response_code=evidence.response_code,
        oauth_error=evidence.oauth_error,
    )
