"""Campaigns and why they are paused: the values, and the pure rules of the pause ledger.

A campaign is the sender's; mailwatch keeps its id, an opaque position and which mailboxes it sends through.  It is paused by
*pauses*, entries of a ledger: each says who or what paused it, for which mailbox, why, since when, and when it was lifted.  Whether
a campaign runs is never decided by hand: it follows from its open pauses (`is_paused`).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Final

from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.mailbox import Protocol
from mailwatch.core.standing import Standing

#: What an id of a campaign is made of: it stands in paths of the API, and in lists that ; divides.
CAMPAIGN_ID: Final = r"^[^\x00-\x1f\x7f;/]{1,200}$"
_LONGEST_ID: Final = 200


def campaign_id_fault(text: str) -> str | None:
    """The cure for a *text* that cannot be the id of a campaign; None for one that can."""
    if re.fullmatch(CAMPAIGN_ID, text):
        return None
    if not text.strip():
        return "give the sender's id of the campaign, such as spring-2026"
    if len(text) > _LONGEST_ID:
        return f"an id has at most {_LONGEST_ID} characters"
    return "write it without /, ; and control characters, such as spring-2026"


@unique
class CampaignState(StrEnum):
    """Whether the sender may go on with a campaign."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"  #: the sender said so; nothing pauses or resumes it any more


@unique
class PauseOrigin(StrEnum):
    """Who paused: it decides who may lift the pause."""

    AUTOMATIC = "automatic"  #: mailwatch, for a mailbox that is disconnected or held: lifted by verification
    OPERATOR = "operator"  #: a person disconnected or removed a mailbox: once it is verified, a person is offered to resume
    PERSON = "person"  #: a person paused the campaign itself: only a person lifts it


@unique
class Mode(StrEnum):
    """What mailwatch does when a mailbox's campaigns should pause."""

    OBSERVE = "observe"  #: note it in the ledger, pause nothing
    SUGGEST = "suggest"  #: note it and ask a person
    ENFORCE = "enforce"  #: pause, under the brake


@unique
class PauseOn(StrEnum):
    """How many of a campaign's mailboxes must be away before it pauses."""

    ANY = "any"
    ALL = "all"


@unique
class Channel(StrEnum):
    """Which loss counts: any channel the mailbox has, or sending alone."""

    ANY = "any"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class CampaignPolicy:
    """The numbers of `[campaigns]`; durations in seconds."""

    mode: Mode = Mode.ENFORCE
    pause_on: PauseOn = PauseOn.ANY
    channel: Channel = Channel.ANY
    brake_ratio: float = 0.3  #: pausing more than this share of the active campaigns within the window needs a person
    brake_window_seconds: float = 600.0
    brake_floor: int = 10  #: fewer pauses than this in the window never need one
    ramp_after_seconds: float = 3600.0  #: an outage shorter than this needs no ramp
    ramp_start_ratio: float = 0.25  #: the allowance right after a longer outage
    ramp_share: float = 0.25  #: the ramp lasts this share of the outage …
    ramp_max_seconds: float = 86_400.0  #: … and at most this


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign, as far as mailwatch needs to know it."""

    id: str
    name: str
    state: CampaignState
    created_at: datetime
    updated_at: datetime
    sender: str = ""  #: the sender's own reference
    position: str = ""  #: opaque: where the sender stopped; it alone understands it
    version: int = 1
    mailboxes: tuple[str, ...] = ()  #: ids of the mailboxes it sends through, where they were asked for
    paused_since_at: datetime | None = None  #: since when it is paused; None where it is not


@dataclass(frozen=True, slots=True)
class Pause:
    """One entry of the ledger.  It is open until `lifted_at`."""

    id: int
    campaign_id: str
    mailbox_id: str | None  #: None: the campaign itself, or a mailbox since removed
    origin: PauseOrigin
    reason: str  #: a cause, or a person's words
    actor: str
    since_at: datetime
    in_force: bool  #: False: noted only - observed, suggested, or held back by the brake
    ready_at: datetime | None = None  #: an operator's pause whose mailbox is verified again: a person may resume
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    braked: bool = False  #: not in force because the brake held it back: a person puts it in force
    by_finish: bool = False  #: lifted because the campaign was finished: a person's own comes back with the campaign


@unique
class Turn(StrEnum):
    """What a mailbox's change of state means for its campaigns."""

    PAUSE = "pause"
    LIFT = "lift"  #: verified: automatic pauses end, an operator's become ready


#: The states a mailbox's campaigns are paused in.
PAUSING_STATES: Final = frozenset({State.RECONNECTING, State.VERIFYING, State.BLOCKED, State.HELD, State.INACTIVE})
#: Of these, the ones a mailbox may yet send in when what it lost does not count.
_RETURNING: Final = frozenset({State.RECONNECTING, State.VERIFYING})
_STOPS: Final = frozenset({Trigger.DISCONNECT, Trigger.HOLD})
#: The actor of what mailwatch does by itself; every other actor is a person, or a program on a person's behalf.
ITSELF: Final = "mailwatch"


def turn_of(after: Standing, trigger: Trigger, policy: CampaignPolicy) -> Turn | None:
    """What the move by *trigger* into *after* asks of the mailbox's campaigns; None: nothing.

    With `channel = smtp` a mailbox that only IMAP has lost goes on sending; losing SMTP later pauses (`loses_sending`).
    """
    if after.state is State.CONNECTED:
        return Turn.LIFT
    return Turn.PAUSE if trigger in _STOPS or is_away(after, policy) else None


def is_away(standing: Standing, policy: CampaignPolicy) -> bool:
    """Whether campaigns must not send through a mailbox of this *standing*: disconnected, held, or not yet verified again."""
    if standing.state not in PAUSING_STATES:
        return False
    if policy.channel is Channel.ANY or standing.state not in _RETURNING:
        return True
    return not _smtp_never_failed(standing)


def _smtp_never_failed(standing: Standing) -> bool:
    """Whether SMTP worked before this outage and all through it: what failed in it must be verified first.

    An outage that a person's disconnect or a hold began (`last_outage_seconds` tells) says nothing of SMTP.
    """
    smtp, down_at = standing.channels.get(Protocol.SMTP), standing.down_since_at
    if smtp is None or not smtp.healthy or down_at is None or standing.last_outage_seconds > 0:
        return False
    return smtp.since_at <= down_at


def loses_sending(before: Standing, after: Standing, policy: CampaignPolicy) -> bool:
    """Whether a mailbox that still sent while disconnected has now lost SMTP too, without a change of state."""
    if policy.channel is Channel.ANY or before.state is not after.state:
        return False
    return is_away(after, policy) and not is_away(before, policy)


def origin_of(trigger: Trigger) -> PauseOrigin:
    """Who pauses when *trigger* moves a mailbox out of sending."""
    return PauseOrigin.OPERATOR if trigger is Trigger.DISCONNECT else PauseOrigin.AUTOMATIC


def origin_in(state: State) -> PauseOrigin:
    """Who pauses a campaign that is linked to a mailbox which is away in *state* already."""
    return PauseOrigin.OPERATOR if state is State.INACTIVE else PauseOrigin.AUTOMATIC


def reason_of(standing: Standing) -> str:
    """What a pause for a mailbox of this *standing* gives as its reason: the cause, where one is known."""
    return standing.cause.value if standing.cause is not None else standing.state.value


def is_paused(open_pauses: Sequence[Pause], mailboxes: Collection[str], policy: CampaignPolicy) -> bool:
    """Whether a campaign that sends through *mailboxes* (ids) is paused by its *open_pauses*.

    A person's pause always holds, and so does one whose mailbox was removed; of the others one is enough, or it takes one for each
    mailbox (`pause_on = all`).
    """
    in_force = [pause for pause in open_pauses if pause.in_force]
    away = {pause.mailbox_id for pause in in_force if pause.mailbox_id is not None}
    itself = any(pause.mailbox_id is None for pause in in_force)
    return pauses_it(itself=itself, away=len(away), working=len(set(mailboxes) - away), policy=policy)


def pauses_it(*, itself: bool, away: int, working: int, policy: CampaignPolicy) -> bool:
    """`is_paused` by numbers, of pauses in force.

    *itself*: whether there is one for no mailbox that is there; *away*: for how many mailboxes there is one; *working*: how many
    of the campaign's mailboxes have none, which counts where all must be away.
    """
    return itself or (away > 0 and (policy.pause_on is PauseOn.ANY or working <= 0))


def brakes(pausing: int, paused_lately: int, active: int, policy: CampaignPolicy) -> bool:
    """Whether pausing *pausing* more campaigns now would be too many at once to do without a person (DESIGN, rule 7).

    *paused_lately* were paused automatically within the window, *active* still run.
    """
    if pausing + paused_lately <= policy.brake_floor:
        return False
    return pausing + paused_lately > policy.brake_ratio * (active + paused_lately)
