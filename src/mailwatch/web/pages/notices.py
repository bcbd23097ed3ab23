"""What many mailboxes have in common just now: open incidents and running maintenance, for banners, rows and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailwatch.core.incidents.belonging import belongs
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.scopes import EGRESS, Traits
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.maintenance import Window
from mailwatch.core.sending import Permit, Reason
from mailwatch.ports import MailboxView
from mailwatch.web.pages.visits import Visit


@dataclass(frozen=True, slots=True)
class Part:
    """A mailbox inside an open incident."""

    incident: Incident
    closed: Permit | None  #: sending through it is closed for the incident's sake alone; None: its own state decides


@dataclass(frozen=True, slots=True)
class Notices:
    """What is open and what runs now."""

    incidents: tuple[Incident, ...] = ()
    windows: tuple[tuple[Window, datetime], ...] = ()  #: with the end of the occurrence that runs
    canary_seconds: float | None = None  #: None: circuits are switched off

    def part_of(self, visit: Visit, view: MailboxView) -> Part | None:
        """The incident the mailbox is in, where that tells something of it: it is away, or only its incident stops it."""
        incident = self.incident_of(view.mailbox)
        if incident is None:
            return None
        permit = visit.surface.gate.answer(view.mailbox.id)
        if permit.reason is Reason.INCIDENT:
            return Part(incident, permit)
        return Part(incident, None) if belongs(view.standing, incident) else None

    def incident_of(self, mailbox: Mailbox) -> Incident | None:
        """The open incident whose scope holds it; where there are several, one that takes its whole scope."""
        scopes = {EGRESS, *Traits.of(mailbox).scopes()} if self.incidents else set()
        inside = [each for each in self.incidents if each.scope in scopes]
        return max(inside, key=lambda each: each.takes_all, default=None)

    def windows_of(self, mailbox: Mailbox) -> list[tuple[Window, datetime]]:
        """The running windows that cover it."""
        traits = Traits.of(mailbox)
        return [(window, ends_at) for window, ends_at in self.windows if window.covers(traits)]


async def notices_of(visit: Visit) -> Notices:
    """What is open and what runs as the page is made."""
    surface, now = visit.surface, visit.now
    known: Sequence[Incident] = await surface.incidents.known(now) if surface.incidents is not None else ()
    declared: Sequence[Window] = await surface.maintenance.windows(now) if surface.maintenance is not None else ()
    return Notices(
        tuple(sorted((each for each in known if each.is_open), key=lambda each: (-each.affected, each.id))),
        tuple((window, running[1]) for window in declared if (running := window.running(now)) is not None),
        surface.canary_seconds,
    )
