"""What Alertmanager is told by this node: open incidents and who waits for a person, after each evaluation.

Only the node that evaluates tells: two would contradict each other for as long as one of them is a look behind.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from mailwatch.core.causes import Cause, Owner, profile_of
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Scope
from mailwatch.daemon.parts import Alerting, Parts
from mailwatch.delivery.alertmanager import AlertPusher
from mailwatch.delivery.alerts import (
    WaitingGroup,
    WaitingMailbox,
    Wording,
    incident_alerts,
    is_urgent,
    mailbox_alerts,
    waiting_alerts,
)

#: Mailboxes with an alert of their own, those that were stopped last.
MOST_MAILBOXES: Final = 1000
#: The key of a mailbox's labels that names who is to be told of it.
PERSON: Final = "person"
_FINISH_SECONDS: Final = 2.0
_THEIRS: Final = frozenset(cause for cause in Cause if profile_of(cause).owner in (Owner.MAILBOX_OWNER, Owner.TENANT_ADMIN))


class Pushing:
    """`tell` after each evaluation, `forget` when another node does that; sends from tasks of its own.

    *page_url* tells where the page is; *provider_of* which provider a scope is at.
    """

    def __init__(
        self, parts: Parts, alerting: Alerting, *, page_url: Callable[[], str], provider_of: Callable[[Scope], str]
    ) -> None:
        self._store, self._clock = parts.store, parts.clock
        self._alerting = alerting
        self._page_url = page_url
        self._provider_of = provider_of
        self._told: dict[str, tuple[Incident, datetime]] = {}  # with when they were last open
        self._sending: asyncio.Task[None] | None = None
        self._pusher = AlertPusher(
            alerting.poster,
            alerting.urls,
            parts.clock,
            parts.log,
            parts.metrics,
            resend_seconds=alerting.resend_seconds,
            headers=alerting.headers,
        )

    def start(self) -> None:
        """Begin to send."""
        self._sending = asyncio.create_task(self._pusher.run(), name="alertmanager")

    async def stop(self) -> None:
        """Send the ends that are not told yet, as far as that goes; what still fires resolves by itself, or is told on."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            await self._pusher.finish(_FINISH_SECONDS)

    def forget(self) -> None:
        """Another node tells from now on."""
        self._told.clear()
        self._pusher.forget()

    async def tell(self, opened: Sequence[Incident], settle_seconds: float) -> None:
        """What is wrong now; raises MailwatchError.

        An incident that wakes nobody yet is told once it has been open for *settle_seconds*: by then each mailbox was looked at,
        and it is known how large it is.
        """
        wording = Wording(self._alerting.external_labels, self._page_url())
        now = self._clock.now()
        alerts = incident_alerts(self._incidents(opened, now, settle_seconds), self._provider_of, wording)
        waiting = await self._store.gauges.waiting(opened)
        alerts += waiting_alerts([WaitingGroup(cause, *found) for cause, found in waiting.items()], wording)
        if self._alerting.mailbox_alerts:
            alerts += mailbox_alerts(await self._mailboxes(opened), wording)
        self._pusher.update(alerts)

    def _incidents(self, opened: Sequence[Incident], now: datetime, settle_seconds: float) -> list[Incident]:
        """Those to be told: declared maintenance alerts nobody, and what has just ended lingers as it was."""
        for each in opened:
            told = each.id in self._told or (now - each.opened_at).total_seconds() >= self._wait(each, settle_seconds)
            if told and each.cause is not Cause.PLATFORM_MAINTENANCE:
                self._told[each.id] = (each, now)
        lingering = now - timedelta(seconds=self._alerting.linger_seconds)
        current = {each.id for each in opened}
        self._told = {
            key: (incident, open_at)
            for key, (incident, open_at) in self._told.items()
            if key in current or (open_at > lingering and incident.scope != EGRESS)
        }
        return [incident for incident, _ in self._told.values()]

    def _wait(self, incident: Incident, settle_seconds: float) -> float:
        """How long an incident must have been open to be told.

        That our own network is down the rules tell first, where there are rules, and last longest: what they say silences this.
        """
        if incident.scope == EGRESS:
            return self._alerting.resend_seconds
        return 0.0 if is_urgent(incident) else settle_seconds

    async def _mailboxes(self, opened: Sequence[Incident]) -> list[WaitingMailbox]:
        found = await self._store.gauges.stopped(opened, _THEIRS, MOST_MAILBOXES)
        return [
            WaitingMailbox(each.mailbox_id, each.cause, each.provider, each.since_at, each.labels.get(PERSON, "")) for each in found
        ]
