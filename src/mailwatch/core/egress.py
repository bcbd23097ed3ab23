"""Is it us?  Whether our own uplink works, judged from what the probes reach and from canaries.

While mailwatch's own network is broken, network causes change no state (rule 4).  A failure alone cannot tell "the provider is
down" from "we are offline"; what others saw *since the failing probe began* can:

* a canary, or any other endpoint, answered since: the uplink works;
* a canary failed, or endpoints of at least three providers failed and nothing answered in between: we are offline;
* otherwise it is unclear, and the failing mailbox is looked at once more before it counts.
"""

from datetime import datetime
from enum import StrEnum, unique

from mailwatch.core.causes import NETWORK_CAUSES, Cause
from mailwatch.core.evidence import Evidence, Phase


@unique
class Egress(StrEnum):
    """What is known of our own uplink."""

    UP = "up"
    DOWN = "down"
    UNCLEAR = "unclear"


def may_be_ours(evidence: Evidence, cause: Cause) -> bool:
    """Whether a broken uplink of our own would have looked the same; a target our own policy denies was never tried."""
    if evidence.exception == "TargetDeniedError":
        return False
    silent = evidence.http_status is None and evidence.oauth_error is None
    return cause in NETWORK_CAUSES or (cause is Cause.SERVER_UNAVAILABLE and evidence.phase is Phase.TOKEN and silent)


class EgressWatch:
    """Collects what was reached and what was not.  Holds no clock; moments come in."""

    def __init__(self, *, min_providers: int = 3) -> None:
        self.min_providers = min_providers
        self._latest: tuple[str, datetime] | None = None
        self._latest_other: tuple[str, datetime] | None = None  # the latest that was not at the endpoint of `_latest`
        self._failed: dict[str, datetime] = {}  # by provider, since the last answer of anybody
        self._canary: tuple[datetime, bool] | None = None

    def reached(self, endpoint: str, at: datetime) -> None:
        """*endpoint* answered: whatever it said, the uplink works."""
        if self._latest is not None and self._latest[0] != endpoint:
            self._latest_other = self._latest
        self._latest = (endpoint, at)
        self._failed.clear()
        if self._canary is not None and not self._canary[1] and at > self._canary[0]:
            self._canary = None  # what the canaries said is out of date

    def failed(self, provider: str, at: datetime) -> None:
        """An endpoint of *provider* could not be reached, for a cause a broken uplink would also give."""
        self._failed[provider] = at

    def canary(self, at: datetime, *, up: bool) -> None:
        """The canaries were tried, beginning at *at*."""
        self._canary = (at, up)
        if up:
            self._failed.clear()

    def verdict(self, endpoint: str, since: datetime) -> Egress:
        """What is known about the time after *since*, leaving *endpoint* itself aside."""
        if self._canary is not None and self._canary[0] >= since:
            return Egress.UP if self._canary[1] else Egress.DOWN
        other = self._latest_other if self._latest is not None and self._latest[0] == endpoint else self._latest
        if other is not None and other[1] >= since:
            return Egress.UP
        return Egress.DOWN if len(self._failed) >= self.min_providers else Egress.UNCLEAR

    def canary_knows(self, since: datetime) -> bool:
        """Whether the canaries were tried after *since*."""
        return self._canary is not None and self._canary[0] >= since

    @property
    def is_down(self) -> bool:
        """Whether an egress incident is open."""
        if self._canary is not None:
            return not self._canary[1]
        return len(self._failed) >= self.min_providers
