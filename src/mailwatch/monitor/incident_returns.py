"""What an incident stopped, and how it comes back: hastened with the first signs, felt for where only people end it, brought back
for good when it is over.

All of it is read from the database again in each round, so that a node that dies between two loses nothing.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.belonging import stops_with
from mailwatch.core.incidents.life import Incident, Signs
from mailwatch.core.incidents.scopes import ScopeKind
from mailwatch.monitor.circuits import Circuits, gate_within
from mailwatch.ports import Clock
from mailwatch.ports.incidents import Incidents

#: So long after its end what an incident stopped is looked for, so that none of many thousands is left behind.
RETURN_SECONDS: Final = 86_400.0
#: How many stopped mailboxes are tried at once to see whether an incident that only people end is over: more than must come back
#: for that, since one or two may be ill of their own.
_FEELERS: Final = 5
#: Where feelers came through and none failed, the next follow so soon.
_QUICK_FEELER_SECONDS: Final = 60.0
_RETURNS_AT_ONCE: Final = 500
_CONFIRMED_AT_ONCE: Final = 200
_OURS: Final = {
    ScopeKind.OAUTH_APP: frozenset({Cause.OAUTH_MISCONFIGURED}),
    ScopeKind.EGRESS: frozenset({Cause.IP_BLOCKED}),
}


class Returns:
    """*bring_back(mailbox id)* makes a stopped mailbox due again, within its login budget; *confirm(mailbox id, cause)* takes a
    suspicion for confirmed.
    """

    def __init__(
        self,
        incidents: Incidents,
        circuits: Circuits,
        clock: Clock,
        *,
        bring_back: Callable[[str], Awaitable[None]],
        confirm: Callable[[str, Cause], Awaitable[None]],
    ) -> None:
        self._incidents = incidents
        self._circuits = circuits
        self._clock = clock
        self._bring_back = bring_back
        self._confirm = confirm
        self._felt_at: dict[str, float] = {}  # monotonic
        self._hastened: set[str] = set()  # incidents whose circuit is on its ramp
        self._done: set[str] = set()  # incidents that are over and have nobody left to bring back

    def feel_soon(self) -> None:
        """A person may have mended something: try with the next round what waits for that."""
        self._felt_at = dict.fromkeys(self._felt_at, float("-inf"))

    async def step(self, incident: Incident, signs: Signs | None, feeler_seconds: float) -> None:
        """One round for one incident, open or closed."""
        if incident.is_open:
            self._done.discard(incident.id)
            await self._hasten(incident)
            await self._confirm_suspects(incident)
            await self._feel(incident, signs, feeler_seconds)
        elif incident.id not in self._done:
            await self._return_stopped(incident)

    async def ended(self, incident: Incident) -> None:
        """It is over: what waits for its next try is due at once."""
        self._felt_at.pop(incident.id, None)
        self._hastened.discard(incident.id)
        await self._incidents.hasten(incident, self._clock.now())

    async def _return_stopped(self, incident: Incident) -> None:
        """Some of what it had stopped for good, until nothing is left; the pace of each gate is the dispatcher's.

        Never one that has a fault of its own: that waits for its person, as the alerts say.
        """
        left = await self._incidents.waiting_for(incident, sorted(_stopped_by(incident)), _RETURNS_AT_ONCE)
        for mailbox_id in left:
            await self._bring_back(mailbox_id)
        if not left:
            self._done.add(incident.id)

    async def _hasten(self, incident: Incident) -> None:
        """What failed last waits longest by its own backoff; once canaries came through it comes first, on the ramp."""
        if not self._circuits.is_returning(gate_within(incident)):
            self._hastened.discard(incident.id)
        elif incident.id not in self._hastened:
            self._hastened.add(incident.id)
            await self._incidents.hasten(incident, self._clock.now())

    async def _confirm_suspects(self, incident: Incident) -> None:
        """While only canaries look, nobody's suspicion would ever be confirmed by a look of its own."""
        gate = gate_within(incident)
        if gate is None or gate not in self._circuits.limited():
            return
        for mailbox_id in await self._incidents.suspects(incident, _CONFIRMED_AT_ONCE):
            await self._confirm(mailbox_id, incident.cause)

    async def _feel(self, incident: Incident, signs: Signs | None, feeler_seconds: float) -> None:
        """Where an incident has stopped its mailboxes for good, a few are tried now and then: only so its end can be seen."""
        now = self._clock.monotonic()
        # one that was open before this node was there may have been mended by what started it
        is_new = self._clock.now() - incident.opened_at < timedelta(seconds=_QUICK_FEELER_SECONDS)
        since = self._felt_at.setdefault(incident.id, now if is_new else float("-inf"))
        mending = signs is not None and signs.recovered > 0 and signs.failures == 0
        if now - since < (min(_QUICK_FEELER_SECONDS, feeler_seconds) if mending else feeler_seconds):
            return
        self._felt_at[incident.id] = now
        for mailbox_id in await self._incidents.waiting_for(incident, sorted(_stopped_by(incident)), _FEELERS):
            await self._bring_back(mailbox_id)


def _stopped_by(incident: Incident) -> frozenset[Cause]:
    """What *incident* stops for good and its end heals: of what is ours also what it did not begin with.

    That is a dead client secret of its application, and our own address where our uplink was to blame.
    """
    return stops_with(incident) | _OURS.get(incident.scope.kind, frozenset())
