"""What we believe of a mailbox, and how a belief changes: standing, transition, decision.

A decision is a value: the shell (`monitor.worker`, `store`) carries it out in one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique
from types import MappingProxyType

from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.lifecycle import Effect, State, Trigger
from mailwatch.core.mailbox import Protocol


@unique
class Confidence(StrEnum):
    """How sure a diagnosis is."""

    HIGH = "high"  #: a code or a documented wording decided
    MEDIUM = "medium"  #: words decided
    LOW = "low"  #: the fallback of a code's class


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The cause of one failure, the rule that found it and the words that decided."""

    cause: Cause
    rule: str
    quote: str
    confidence: Confidence
    retry_after_seconds: float | None = None  #: when the server named a time


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """What we believe of one channel."""

    healthy: bool
    since_at: datetime
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What we believe of a mailbox.  `version` counts its transitions; writes are compare-and-set on it."""

    mailbox_id: str
    state: State
    since_at: datetime
    due_at: datetime | None  #: when it is looked at next; None only for inactive, and held without an end
    version: int = 0
    generation: int = 1  #: of the credential; a new secret or consent starts a new one
    cause: Cause | None = None
    channels: Mapping[Protocol, ChannelHealth] = field(default_factory=lambda: MappingProxyType({}))
    failures: int = 0  #: failed probes in a row
    attempts: int = 0  #: reconnections since the mailbox last proved stable: the backoff's exponent
    person_sightings: int = 0  #: failures in a row that only a person can heal
    clean_probes: int = 0  #: successes in a row while verifying
    verifying_since_at: datetime | None = None
    down_since_at: datetime | None = None  #: when the running disconnection was confirmed
    absent_since_at: datetime | None = None  #: since when nothing is sent through it, whoever stopped it; None while it sends
    stuck_phase: Phase | None = None  #: where it failed last; a blocked mailbox is watched up to there without a login
    last_probe_at: datetime | None = None  #: of the last look that said something of it; a fault of our own says nothing
    last_success_at: datetime | None = None
    proven: bool = False  #: this generation's secret was accepted when it was last tried
    rejected_at: tuple[datetime, ...] = ()  #: refused logins of this generation inside the budget's window
    lost_at: tuple[datetime, ...] = ()  #: leases of this generation that ended without a result: each may have been a refusal
    forced: bool = False  #: a person asked: one login may be refused beyond the automatic budget
    hold_reason: str | None = None
    hold_until_at: datetime | None = None
    episodes_at: tuple[datetime, ...] = ()  #: when it was lately found disconnected; several in short order are flapping
    returned_at: datetime | None = None  #: when the last outage was over for senders, and …
    returned_after_seconds: float = 0.0  #: … how long they had been without it: the ramp of its return
    impairment: str | None = None  #: the fault of mailwatch's own that kept the last look from seeing all of it, and …
    impaired_since_at: datetime | None = None  #: … since when one does
    last_outage_seconds: float = 0.0  #: from the confirmation of the last disconnection to its verified end


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state, as a row for ever."""

    mailbox_id: str
    version: int  #: of the standing after it
    at: datetime
    from_state: State
    to_state: State
    trigger: Trigger
    cause: Cause | None = None
    protocol: Protocol | None = None  #: the channel that decided
    diagnosis: Diagnosis | None = None
    evidence: Evidence | None = None
    generation: int = 1
    actor: str = "mailwatch"  #: who or what did it
    effects: frozenset[Effect] = frozenset()
    credential_age_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A login refused by *host* for its secret (or lost with its lease): it counts on the host's budget."""

    host: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a report or a person's act."""

    before: Standing
    after: Standing
    transitions: tuple[Transition, ...] = ()
    diagnoses: Mapping[Protocol, Diagnosis] = field(default_factory=lambda: MappingProxyType({}))
    refusals: tuple[Refusal, ...] = ()
    note: str | None = None  #: why nothing changed, when that needs a word: egress_down, impaired, withheld

    @property
    def urgent(self) -> bool:
        """Whether it must be durable before anything else happens.

        A transition; a login that was refused; and a login that was accepted after a lost one, since until that is stored the
        lost one counts as a refusal, and the next crash could be the one that stops the logins for a day.
        """
        return bool(self.transitions or self.refusals or (self.before.lost_at and not self.after.lost_at))
