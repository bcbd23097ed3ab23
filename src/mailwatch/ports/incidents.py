"""The seams of correlation: what an evaluation reads, and where incidents and baselines rest."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.baseline import Baseline
from mailwatch.core.incidents.life import Incident
from mailwatch.core.incidents.picture import Recent
from mailwatch.core.incidents.scopes import Scope, Traits
from mailwatch.ports import Act, MailwatchError


class IncidentNotFoundError(MailwatchError):
    """No such incident."""


class IncidentOverError(MailwatchError):
    """It is over already: nothing was done.  *closed_at* is its end."""

    def __init__(self, incident_id: str, closed_at: datetime) -> None:
        super().__init__(f"{incident_id} is over since {closed_at:%Y-%m-%d %H:%M:%S} UTC")
        self.closed_at = closed_at


class Incidents(Protocol):
    """Incidents at rest."""

    async def hold(self, duty: str, now: datetime, seconds: float) -> bool:
        """Whether this node may do the *duty* that only one may do; it keeps it for *seconds* unless it asks again."""

    async def recent(self, since: datetime, lately: datetime, begun: Collection[datetime] = ()) -> Recent:
        """What failed since *since*, what is away, and what came back since *lately*.

        What is or was away is told apart by the moments *begun*: the latest of them that it failed at or after.
        """

    async def watched(self) -> Sequence[tuple[Traits, int]]:
        """How many watched mailboxes there are of each traits."""

    async def known(self, closed_since: datetime) -> Sequence[Incident]:
        """Open incidents, and those closed since *closed_since*."""

    async def save(self, incidents: Sequence[Incident]) -> None:
        """Store them as they are now, each with an event of what changed; what a person closed meanwhile stays closed."""

    async def close(self, incident_id: str, at: datetime, act: Act, *, version: int | None = None) -> Incident:
        """A person says it is over.

        Raises IncidentNotFoundError, campaigns.StaleError when *version* is no longer its own, IncidentOverError.
        """

    async def listed(self, before: str | None, limit: int, *, is_open: bool | None = None) -> Sequence[Incident]:
        """Incidents, newest first, all of them or only open or closed ones; *before* is the id of the last one seen."""

    async def find(self, incident_id: str) -> Incident | None:
        """One incident."""

    async def affected(self, incident: Incident, limit: int) -> tuple[Sequence[str], Sequence[str]]:
        """(mailbox ids, campaign ids): what failed in its scope while it was open."""

    async def baselines(self) -> Mapping[Scope, Baseline]:
        """What each scope shows by itself."""

    async def learn(self, learnt: Mapping[Scope, Baseline]) -> None:
        """Store what was learnt."""

    async def suspects(self, incident: Incident, limit: int) -> Sequence[str]:
        """Mailboxes of the incident's scope that wait for their second look."""

    async def hasten(self, incident: Incident, now: datetime) -> int:
        """Make due at once what waits in its scope for its next try: the place is back; how many that were."""

    async def waiting_for(self, incident: Incident, causes: Sequence[Cause], limit: int) -> Sequence[str]:
        """Blocked mailboxes of the incident's scope that one of *causes* stopped while it was open, the longest blocked first.

        Of one that is over, only what has been blocked since before its end: what was tried since and failed has had its turn.
        """
