"""Which alerts there are, from what is wrong: values in, values out.

One alert for each open incident and one for each group of mailboxes that wait for a person, by who must act and why; beside those,
where it is wanted, one for each mailbox that somebody with a name must mend.  Labels make the identity of an alert in Alertmanager:
they hold nothing that changes while the trouble lasts.  Counts, names and next steps are annotations.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from mailwatch.core.cause_texts import remedy_for, texts_for
from mailwatch.core.causes import Cause, Owner, profile_of
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import Scope, ScopeKind

#: An incident wakes somebody from this many mailboxes on …
_PAGE_MAILBOXES: Final = 10
#: … that are this share of their scope.
_PAGE_SHARE: Final = 0.2
#: Scopes whose failure is ours, and urgent however few mailboxes it took yet.
_OURS: Final = frozenset({ScopeKind.EGRESS, ScopeKind.OAUTH_APP})
_SCOPE_WORDS: Final = {
    ScopeKind.EGRESS: "our own network",
    ScopeKind.PROVIDER: "provider",
    ScopeKind.OAUTH_APP: "OAuth app",
    ScopeKind.ENDPOINT: "server",
    ScopeKind.DOMAIN: "domain",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that fires; what is in `labels` is what it is known by."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    since_at: datetime
    url: str = ""  #: where the page tells more

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """The identity: equal labels, same alert."""
        return tuple(sorted(self.labels.items()))


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """Blocked mailboxes outside of incidents that one owner must mend for one cause."""

    cause: Cause
    count: int
    since_at: datetime  #: since when the first of them waits


@dataclass(frozen=True, slots=True)
class WaitingMailbox:
    """One blocked mailbox that a named person must mend."""

    id: str  #: opaque
    cause: Cause
    provider: str
    since_at: datetime
    person: str = ""  #: whom to tell, as the mailbox's labels say; may be an address


@dataclass(frozen=True, slots=True)
class Wording:
    """How alerts are worded: labels that all have, and where the page is."""

    external_labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    page_url: str = ""  #: without a slash at its end; empty: alerts have no link


def incident_alerts(opened: Iterable[Incident], provider_of: Callable[[Scope], str], wording: Wording = Wording()) -> list[Alert]:
    """One alert for each open incident."""
    return [_incident_alert(each, provider_of(each.scope), wording) for each in opened if each.is_open]


def waiting_alerts(groups: Iterable[WaitingGroup], wording: Wording = Wording()) -> list[Alert]:
    """One alert for each group of mailboxes that wait for a person."""
    alerts = []
    for group in groups:
        if group.count <= 0:
            continue
        owner = profile_of(group.cause).owner
        labels = {"alertname": "MailwatchMailboxesNeedPerson", "owner": owner.value, "cause": group.cause.value}
        notes = {
            "summary": "Mailboxes wait for a person.",
            "description": f"{_mailboxes(group.count)} stopped by {group.cause.value}. {texts_for(group.cause).operator}",
            "next_step": _steps(group.cause),
            "count": str(group.count),
        }
        link = _link(wording, f"/mailboxes?state=blocked&cause={group.cause.value}")
        alerts.append(_alert(labels, "warning", notes, group.since_at, link, wording))
    return alerts


def mailbox_alerts(mailboxes: Sequence[WaitingMailbox], wording: Wording = Wording()) -> list[Alert]:
    """One alert for each mailbox whose own owner, or whose administrator, must act; what is ours to mend is told by group."""
    alerts = []
    for mailbox in mailboxes:
        owner = profile_of(mailbox.cause).owner
        if owner not in (Owner.MAILBOX_OWNER, Owner.TENANT_ADMIN):
            continue
        labels = {
            "alertname": "MailwatchMailboxNeedsPerson",
            "mailbox": mailbox.id,
            "owner": owner.value,
            "cause": mailbox.cause.value,
            "provider": mailbox.provider,
        }
        if mailbox.person:
            labels["person"] = mailbox.person
        notes = {
            "summary": "A mailbox waits for a person.",
            "description": texts_for(mailbox.cause).operator,
            "next_step": _steps(mailbox.cause, mailbox.provider),
        }
        link = _link(wording, f"/mailboxes/{mailbox.id}")
        alerts.append(_alert(labels, "warning", notes, mailbox.since_at, link, wording))
    return alerts


def is_urgent(incident: Incident) -> bool:
    """Whether it wakes somebody; what does not yet may, when more is known of it."""
    large = incident.affected >= _PAGE_MAILBOXES and incident.peak_share >= _PAGE_SHARE
    return large or incident.scope.kind in _OURS


def _incident_alert(incident: Incident, provider: str, wording: Wording) -> Alert:
    labels = {
        "alertname": "MailwatchIncident",
        "incident": incident.id,
        "provider": provider,
        "cause": incident.cause.value,
    }
    about = _SCOPE_WORDS[incident.scope.kind]
    name = "" if incident.scope.kind is ScopeKind.EGRESS else f" {incident.scope.name}"
    notes = {
        "summary": "Many mailboxes were disconnected by one cause.",
        "description": f"{_mailboxes(incident.affected)} disconnected at {about}{name}: {incident.cause.value}. "
        f"{texts_for(incident.cause).operator}",
        "next_step": _steps(incident.cause, provider),
        "count": str(incident.affected),
        "scope": incident.scope.kind.value,
        "name": incident.scope.name,
    }
    severity = "critical" if is_urgent(incident) else "warning"
    return _alert(labels, severity, notes, incident.opened_at, _link(wording, f"/incidents/{incident.id}"), wording)


def _alert(
    labels: Mapping[str, str], severity: str, notes: Mapping[str, str], since_at: datetime, url: str, wording: Wording
) -> Alert:
    # what the alert says of itself is never covered by a label of the configuration
    return Alert({**wording.external_labels, **labels, "severity": severity}, notes, since_at, url)


def _mailboxes(count: int) -> str:
    return "1 mailbox is" if count == 1 else f"{count} mailboxes are"


def _steps(cause: Cause, provider: str = "other") -> str:
    return " ".join(remedy_for(cause, provider))


def _link(wording: Wording, path: str) -> str:
    return f"{wording.page_url}{path}" if wording.page_url else ""
