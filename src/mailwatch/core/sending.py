"""May a sender send through this mailbox now?  The one answer, for the API, the page and the command line alike.

An answer has a `reason` from a closed set for code, and a sentence for people.  Where nothing is known, nothing is allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final, Protocol

from mailwatch.core.campaigns import CampaignPolicy, CampaignState
from mailwatch.core.cause_texts import texts_for, told_in
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import SENDING_STATES, State
from mailwatch.core.ramp import allowance_ratio, ramp_seconds


@unique
class Reason(StrEnum):
    """Why the answer is what it is."""

    CONNECTED = "connected"  #: allowed, all of it
    SUSPECT = "suspect"  #: allowed; a failure was seen and is being confirmed
    RAMPING = "ramping"  #: allowed, in part: back after a long outage
    PARTLY_CONNECTED = "partly_connected"  #: allowed: what is lost does not count for sending (`campaigns.channel`)
    PENDING = "pending"
    RECONNECTING = "reconnecting"
    VERIFYING = "verifying"
    BLOCKED = "blocked"
    HELD = "held"
    INACTIVE = "inactive"
    INCIDENT = "incident"  #: its provider or server is down; the mailbox itself was not looked at since
    CAMPAIGN_PAUSED = "campaign_paused"  #: the mailbox may send, this campaign may not
    CAMPAIGN_FINISHED = "campaign_finished"
    UNKNOWN_MAILBOX = "unknown_mailbox"
    GATE_STALE = "gate_stale"  #: mailwatch itself has not heard of changes for too long


@dataclass(frozen=True, slots=True)
class Permit:
    """The answer."""

    allowed: bool
    reason: Reason
    until_at: datetime | None  #: when the answer may change by itself: the next attempt, the end of a hold or of a ramp
    allowance_ratio: float  #: the share of the usual volume, 0 to 1; 0 where it is not allowed
    sentence: str
    cause: str | None = None  #: why the mailbox is disconnected, from the closed set


class SendingFacts(Protocol):
    """What the answer is made of; `ports.campaigns.SendingChange` has them."""

    @property
    def state(self) -> str:
        """The mailbox's state."""

    @property
    def cause(self) -> str | None:
        """Why it is in it."""

    @property
    def since_at(self) -> datetime:
        """Since when it is; for one that sends again, when it came back."""

    @property
    def until_at(self) -> datetime | None:
        """The next attempt, or the end of a hold."""

    @property
    def outage_seconds(self) -> float:
        """How long the last outage was."""

    @property
    def sends(self) -> bool:
        """Whether it sends in spite of its state."""


_WORDS: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.PENDING: "The mailbox was added and not yet looked at.",
        State.RECONNECTING: "The mailbox is disconnected; mailwatch keeps trying to bring it back.",
        State.VERIFYING: "The mailbox was reached again and is proving itself.",
        State.BLOCKED: "The mailbox is disconnected and needs a person.",
        State.HELD: "The mailbox is on hold.",
        State.INACTIVE: "The mailbox was disconnected by an operator. It can be reconnected at any time.",
    }
)
#: States from which a mailbox may go on sending when what it lost does not count.
_PARTLY: Final = frozenset({State.RECONNECTING, State.VERIFYING})


def refusal(reason: Reason, sentence: str, *, until_at: datetime | None = None, cause: str | None = None) -> Permit:
    """An answer that allows nothing."""
    return Permit(allowed=False, reason=reason, until_at=until_at, allowance_ratio=0.0, sentence=sentence, cause=cause)


UNKNOWN: Final = refusal(Reason.UNKNOWN_MAILBOX, "There is no such mailbox.")
STALE: Final = refusal(
    Reason.GATE_STALE,
    "mailwatch does not know the present state of its mailboxes: its database cannot be read. Ask again in a few seconds.",
)
PAUSED: Final = refusal(Reason.CAMPAIGN_PAUSED, "The campaign is paused; the mailbox itself may send.")
FINISHED: Final = refusal(Reason.CAMPAIGN_FINISHED, "The campaign is finished.")


def permit(facts: SendingFacts, now: datetime, policy: CampaignPolicy, campaign_state: str | None = None) -> Permit:
    """Whether the mailbox of *facts* may be sent through at *now*.

    *campaign_state* is the state of the campaign that asks, where it is known not to run; None asks for the mailbox alone.
    """
    state = State(facts.state)
    if state not in SENDING_STATES and not (facts.sends and state in _PARTLY):
        return _refused(state, facts, now)
    if campaign_state == CampaignState.PAUSED:
        return PAUSED
    if campaign_state == CampaignState.FINISHED:
        return FINISHED
    return _allowed(state, facts, now, policy)


def at_incident(cause: Cause) -> Permit:
    """The answer for a mailbox whose whole provider or server an incident has taken."""
    words = (
        f"Its provider or mail server has an incident; mailwatch looks at it gently until it is back. {texts_for(cause).operator}"
    )
    return refusal(Reason.INCIDENT, words, cause=cause.value)


def _refused(state: State, facts: SendingFacts, now: datetime) -> Permit:
    words = [_WORDS[state]]
    if facts.cause is not None and state is not State.INACTIVE:
        words.append(told_in(Cause(facts.cause), state))
    # A moment that has passed tells nobody when to ask again: the attempt is under way.
    until_at = facts.until_at if facts.until_at is not None and facts.until_at > now else None
    return refusal(Reason(state.value), " ".join(words), until_at=until_at, cause=facts.cause)


def _allowed(state: State, facts: SendingFacts, now: datetime, policy: CampaignPolicy) -> Permit:
    if state in _PARTLY:
        return _whole(
            Reason.PARTLY_CONNECTED, "The mailbox has lost a channel that does not count for sending; it may send.", facts
        )
    ratio = allowance_ratio(facts.outage_seconds, (now - facts.since_at).total_seconds(), policy)
    if ratio < 1.0:
        return Permit(
            allowed=True,
            reason=Reason.RAMPING,
            until_at=facts.since_at + timedelta(seconds=ramp_seconds(facts.outage_seconds, policy)),
            allowance_ratio=ratio,
            sentence=f"Back after a long outage: to protect its reputation it may send {int(100 * ratio)}% of its usual volume.",
        )
    if state is State.SUSPECT:
        return _whole(Reason.SUSPECT, "A failure was seen and is being confirmed; until then the mailbox may send.", facts)
    return _whole(Reason.CONNECTED, "The mailbox works; it may send.", facts)


def _whole(reason: Reason, sentence: str, facts: SendingFacts) -> Permit:
    return Permit(allowed=True, reason=reason, until_at=None, allowance_ratio=1.0, sentence=sentence, cause=facts.cause)
