"""Is it us?  Whether our own side works (uplink, resolver, clock, CA store), judged from what probes reach and from canaries.

While a fault of our own is open, what it would explain changes no state (rule 4).  A failure alone cannot tell "the provider is
down" from "we are offline"; what others saw *since the failing probe began* can - others that would have failed as well:

* a connection made says nothing of certificates: a wrong clock or a broken CA store lets every one through and refuses every
  certificate, so only a certificate that was accepted elsewhere, or canaries that were looked at closely, are witnesses there;
* an address says nothing of name servers, so a canary that needs no name is no witness of them;
* a server in our own network says nothing of the way out: it vouches for such servers only.

Canaries that fail, fail until they answer.  Without any word of theirs, endpoints of at least three gates that failed with no
witness in between mean that it is us.  Otherwise it is unclear, and the failing mailbox is looked at once more before it counts.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Final

from mailwatch.core.causes import NETWORK_CAUSES, Cause
from mailwatch.core.evidence import Evidence, Phase


@unique
class Egress(StrEnum):
    """What is known of our own side."""

    UP = "up"
    DOWN = "down"
    UNCLEAR = "unclear"


@unique
class Matter(StrEnum):
    """What of our own may have failed a probe."""

    REACH = "reach"  #: the way to the server
    NAMES = "names"  #: the name servers
    TRUST = "trust"  #: clock and CA store, by which certificates are judged
    TIME = "time"  #: the clock, and nothing else: a token endpoint says that our assertion is not of its time


@unique
class Fault(StrEnum):
    """What of our own is broken."""

    UPLINK = "uplink"
    RESOLVER = "resolver"
    CLOCK = "clock"
    AUTHORITIES = "authorities"  #: the CA store, or somebody on the way who shows certificates of his own
    CERTIFICATES = "certificates"  #: clock or CA store: nothing tells which


@unique
class Opinion(StrEnum):
    """What a close look at the canaries says of a matter."""

    SOUND = "sound"
    UNKNOWN = "unknown"  #: they cannot tell
    RESOLVER = "resolver"
    CLOCK = "clock"
    AUTHORITIES = "authorities"


#: Causes that a wrong clock or a broken CA store gives.
CERTIFICATE_CAUSES: Final = frozenset({Cause.TLS_CERTIFICATE_EXPIRED, Cause.TLS_CERTIFICATE_UNTRUSTED})
#: How Google and Microsoft say that an assertion we made a moment ago is not of now (RFC 7523, 3: iat and exp).
_NOT_OF_NOW: Final = ("reasonable timeframe", "aadsts700024", "not within its valid time range")
#: So long a failure counts that nobody has seen again: its mailboxes may be gone.
_FORGOTTEN: Final = timedelta(seconds=600)
#: The same for a clock that a token endpoint called wrong: those who were told look again every half minute.
_TIME_FORGOTTEN: Final = timedelta(seconds=120)
#: A moment so far ahead was noted before the clock was set back.
_AHEAD: Final = timedelta(seconds=60)
_FAULTS: Final = {Matter.REACH: Fault.UPLINK, Matter.NAMES: Fault.RESOLVER, Matter.TRUST: Fault.CERTIFICATES}


def matter_of(evidence: Evidence, cause: Cause) -> Matter | None:
    """What of our own would have looked the same if it were broken; None: nothing."""
    if cause is Cause.OAUTH_MISCONFIGURED:
        said = f"{evidence.response} {evidence.oauth_description or ''}".lower()
        return Matter.TIME if evidence.phase is Phase.TOKEN and any(words in said for words in _NOT_OF_NOW) else None
    if cause in CERTIFICATE_CAUSES:
        return Matter.TRUST
    if cause is Cause.DNS_FAILURE:
        return Matter.NAMES
    silent = evidence.http_status is None and evidence.oauth_error is None
    ours = cause in NETWORK_CAUSES or (cause is Cause.SERVER_UNAVAILABLE and evidence.phase is Phase.TOKEN and silent)
    return Matter.REACH if ours else None


def may_be_ours(evidence: Evidence, cause: Cause) -> bool:
    """Whether a fault of our own side would have looked the same."""
    return matter_of(evidence, cause) is not None


class _Ledger:
    """Who was witness of one matter, and who failed since, by gate."""

    __slots__ = ("failed", "latest", "latest_other")

    def __init__(self) -> None:
        self.latest: tuple[str, datetime] | None = None
        self.latest_other: tuple[str, datetime] | None = None  # the latest that was not at the endpoint of `latest`
        self.failed: dict[str, datetime] = {}

    def reached(self, endpoint: str, at: datetime) -> None:
        if self.latest is not None and self.latest[0] != endpoint:
            self.latest_other = self.latest
        self.latest = (endpoint, at)
        self.failed.clear()

    def vouches(self, endpoint: str, since: datetime) -> bool:
        """Whether another than *endpoint* was a witness since."""
        other = self.latest_other if self.latest is not None and self.latest[0] == endpoint else self.latest
        return other is not None and other[1] >= since

    def forget(self, now: datetime) -> None:
        self.failed = {gate: at for gate, at in self.failed.items() if now - _FORGOTTEN < at < now + _AHEAD}
        if self.latest is not None and self.latest[1] > now + _AHEAD:
            self.latest = self.latest_other = None


class EgressWatch:
    """Collects what was reached and what was not.  Holds no clock; moments come in.

    *nearby*: at an address that is not of the public internet.
    """

    def __init__(self, *, min_gates: int = 3) -> None:
        self.min_gates = min_gates
        self._ledgers = {(matter, nearby): _Ledger() for matter in _FAULTS for nearby in (False, True)}
        self._canary: tuple[datetime, bool] | None = None
        self._opinions: dict[Matter, tuple[datetime, Opinion]] = {}
        self._accepted = False  # a certificate, ever
        self._sound = False  # the canaries' certificates, ever
        self._time_denied_at: datetime | None = None

    # --- what is seen ---

    def reached(self, endpoint: str, at: datetime, *, nearby: bool = False, accepted: bool = False, looked_up: bool = True) -> None:
        """*endpoint* answered, whatever it said; *accepted*: with a certificate that was found good; *looked_up*: by name."""
        self._accepted = self._accepted or accepted
        shown = {Matter.REACH: True, Matter.NAMES: looked_up, Matter.TRUST: accepted}
        for matter in (matter for matter, is_shown in shown.items() if is_shown):
            for ledger in self._vouched_for(matter, nearby=nearby):
                ledger.reached(endpoint, at)

    def _vouched_for(self, matter: Matter, *, nearby: bool) -> Iterator[_Ledger]:
        """Who is well out there shows that those in here are reached too; not the other way round."""
        yield self._ledgers[matter, True]
        if not nearby:
            yield self._ledgers[matter, False]

    def failed(self, gate: str, at: datetime, *, matter: Matter = Matter.REACH, nearby: bool = False) -> None:
        """An endpoint behind *gate* failed in a way that *matter* would explain."""
        if matter is Matter.TIME:
            self._time_denied_at = at
        else:
            self._ledgers[matter, nearby].failed[gate] = at

    def well(self, gate: str) -> None:
        """A probe behind *gate* met with nothing that may be ours: what it failed with before is over."""
        for ledger in self._ledgers.values():
            ledger.failed.pop(gate, None)

    def canary(self, at: datetime, *, up: bool) -> None:
        """The canaries were tried, beginning at *at*."""
        self._canary = (at, up)
        if up:
            self._clear(Matter.REACH)

    def opinion(self, matter: Matter, at: datetime, said: Opinion) -> None:
        """The canaries were looked at closely, beginning at *at*."""
        self._opinions[matter] = (at, said)
        if said is Opinion.SOUND:
            self._sound = self._sound or matter is Matter.TRUST
            self._clear(matter)

    def _clear(self, matter: Matter) -> None:
        for nearby in (False, True):
            self._ledgers[matter, nearby].failed.clear()

    def forget(self, now: datetime) -> None:
        """Let go of what is too old to count, and of what the clock noted before it was set back."""
        for ledger in self._ledgers.values():
            ledger.forget(now)
        if self._time_denied_at is not None and not now - _TIME_FORGOTTEN < self._time_denied_at < now + _AHEAD:
            self._time_denied_at = None
        if self._canary is not None and self._canary[1] and self._canary[0] > now + _AHEAD:
            self._canary = None
        self._opinions = {matter: each for matter, each in self._opinions.items() if each[0] <= now + _AHEAD}

    # --- what is concluded ---

    def verdict(self, endpoint: str, since: datetime, *, matter: Matter = Matter.REACH, nearby: bool = False) -> Egress:
        """What is known of *matter* in the time after *since*, leaving *endpoint* itself aside."""
        if matter is Matter.TIME or self._told() is not None:
            return Egress.DOWN
        if self.vouched(matter, since):
            return Egress.UP
        if self._ledgers[matter, nearby].vouches(endpoint, since):
            return Egress.UP
        return Egress.UNCLEAR if self.fault is None else Egress.DOWN

    def knows(self, matter: Matter, since: datetime) -> bool:
        """Whether the canaries were asked about *matter* after *since*."""
        said = self._canary if matter is Matter.REACH else self._opinions.get(matter)
        return said is not None and said[0] >= since

    def vouched(self, matter: Matter, since: datetime) -> bool:
        """Whether the canaries, asked after *since*, said that *matter* works."""
        return self.knows(matter, since) and self._vouch(matter)

    def _vouch(self, matter: Matter) -> bool:
        """Whether the canaries' last word is that *matter* works."""
        if matter is Matter.REACH:
            return self._canary is not None and self._canary[1]
        return matter in self._opinions and self._opinions[matter][1] is Opinion.SOUND

    def _told(self) -> Fault | None:
        """The fault that somebody told, whoever answers meanwhile."""
        if self._canary is not None and not self._canary[1]:
            return Fault.UPLINK
        if self._time_denied_at is not None:
            return Fault.CLOCK
        for _, said in self._opinions.values():
            # where only our own authorities are wanted ([network] ca_file), those of the internet are strangers for good
            strangers = said is Opinion.AUTHORITIES and self._accepted and not self._sound
            if said not in (Opinion.SOUND, Opinion.UNKNOWN) and not strangers:
                return Fault(said.value)
        return None

    @property
    def fault(self) -> Fault | None:
        """What of our own is broken; None: nothing that is known of."""
        told = self._told()
        if told is not None:
            return told
        for (matter, _), ledger in self._ledgers.items():
            if len(ledger.failed) >= self.min_gates and not self._vouch(matter):
                return _FAULTS[matter]
        return None

    @property
    def is_down(self) -> bool:
        """Whether an egress incident is open."""
        return self.fault is not None
