"""Ending an incident by hand, with one meaning for everybody who may: mailwatch sees the end of an outage by itself, but a person
may know better.
"""

from mailwatch.core.incidents.life import Incident
from mailwatch.ports import Act, Clock
from mailwatch.ports.incidents import Incidents


class Outages:
    """Acts on incidents; each writes its row of the audit log in its own transaction."""

    def __init__(self, incidents: Incidents, clock: Clock) -> None:
        self._incidents = incidents
        self._clock = clock

    async def close(self, incident_id: str, by: Act, *, version: int | None = None) -> Incident:
        """It is over: what waits for its next try is due at once, and what it had stopped is brought back by the node on duty.

        The circuit of its provider lets them through on its ramp, once canaries came through.  Where the outage goes on, fresh
        failures reopen it.  Raises IncidentNotFoundError, StaleError when *version* is no longer its own, IncidentOverError.
        """
        now = self._clock.now()
        closed = await self._incidents.close(incident_id, now, by, version=version)
        await self._incidents.hasten(closed, now)
        return closed
