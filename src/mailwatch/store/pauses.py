"""A campaign and its open pauses inside a transaction: changed in memory, and its state drawn from them.

Everything that pauses or resumes goes through a `Book`, so that there is one place where a campaign's state follows from its open
pauses, and where that makes an event.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from mailwatch.core.campaigns import ITSELF, Campaign, CampaignPolicy, CampaignState, Pause, PauseOrigin, pauses_it
from mailwatch.core.ramp import ramp_points
from mailwatch.core.webhooks import EventType
from mailwatch.store.events import Note, stamp


@dataclass(frozen=True, slots=True)
class Because:
    """A pause to enter: the entry without its number and its campaign."""

    mailbox_id: str | None
    origin: PauseOrigin
    reason: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Beyond:
    """What of a campaign's open pauses and links was not read one by one: a campaign may have thousands, and one moves."""

    other: Pause | None = None  #: one of the pauses in force
    itself: bool = False  #: whether there is one in force for no mailbox that is there
    automatic: bool = False  #: whether mailwatch itself made one of those in force
    away: int = 0  #: for how many mailboxes there is one in force; more than one is counted only where all must be away
    mailboxes: int = 0  #: links; counted only where all must be away


_NOTHING: Final = Beyond()


class Book:
    """One campaign and its open pauses.  Each change is followed by `settle`, which draws the campaign's state from them.

    It holds those that were `read` and counts the others (`beyond`): what is done to *all* pauses needs all of them read.
    """

    def __init__(self, campaign: Campaign, policy: CampaignPolicy) -> None:
        self.campaign = campaign
        self.open: dict[int, Pause] = {}
        self.mailboxes: set[str] = set()  #: its links, where the policy asks for them
        self.before = campaign
        self.beyond = _NOTHING
        self.touched: dict[int, Pause] = {}  #: entries to write; those with a number below 0 are new
        self.notes: list[Note] = []
        self._policy = policy
        self._lifted: list[Pause] = []
        self._of: dict[str, Pause] = {}  # the open ones by mailbox
        # of the open ones in force: for a mailbox, for none, made by mailwatch itself
        self._away = self._itself = self._automatic = 0

    @property
    def is_paused(self) -> bool:
        """Whether it is paused now."""
        return self.campaign.state is CampaignState.PAUSED

    @property
    def is_finished(self) -> bool:
        """Whether nothing pauses it any more."""
        return self.campaign.state is CampaignState.FINISHED

    @property
    def is_settled(self) -> bool:
        """Whether its state is what its pauses say."""
        return self.is_finished or self._says_paused() == self.is_paused

    @property
    def is_automatic(self) -> bool:
        """Whether mailwatch itself made one of the pauses in force."""
        return self._automatic > 0 or self.beyond.automatic

    def of(self, mailbox_id: str) -> Pause | None:
        """The open pause for a mailbox."""
        return self._of.get(mailbox_id)

    def would_pause(self, because: Because) -> bool:
        """Whether entering it in force, or putting in force what is noted of that mailbox, would pause a campaign that runs."""
        if self.campaign.state is not CampaignState.ACTIVE:
            return False
        return self._says_paused(itself=because.mailbox_id is None, more=because.mailbox_id is not None)

    def _says_paused(self, *, itself: bool = False, more: bool = False) -> bool:
        away = self._away + self.beyond.away + more
        return pauses_it(
            itself=itself or self._itself > 0 or self.beyond.itself,
            away=away,
            working=len(self.mailboxes) + self.beyond.mailboxes - away,
            policy=self._policy,
        )

    def read(self, pause: Pause) -> None:
        """An open pause, as it is stored."""
        self.open[pause.id] = pause
        self._count(pause, 1)
        if pause.mailbox_id is not None:
            self._of[pause.mailbox_id] = pause

    def _forget(self, pause: Pause) -> None:
        del self.open[pause.id]
        self._count(pause, -1)
        if pause.mailbox_id is not None:
            del self._of[pause.mailbox_id]

    def _count(self, pause: Pause, step: int) -> None:
        if pause.in_force:
            self._away += step * (pause.mailbox_id is not None)
            self._itself += step * (pause.mailbox_id is None)
            self._automatic += step * (pause.origin is PauseOrigin.AUTOMATIC and pause.actor == ITSELF)

    def enter(self, because: Because, *, in_force: bool, braked: bool = False) -> None:
        """A new open pause; *braked*: it is not in force because the brake holds it back."""
        pause = Pause(
            id=-1 - len(self.touched),
            campaign_id=self.campaign.id,
            mailbox_id=because.mailbox_id,
            origin=because.origin,
            reason=because.reason,
            actor=because.actor,
            since_at=because.at,
            in_force=in_force,
            braked=braked,
        )
        self.read(pause)
        self.touched[pause.id] = pause

    def amend(self, pause: Pause) -> None:
        """Put *pause* in the place of the open one with its number."""
        before = self.open[pause.id]
        if pause != before:
            self._forget(before)
            self.read(pause)
            self.touched[pause.id] = pause

    def lift(self, pause: Pause, at: datetime, by: str) -> None:
        """End an open pause; never before it began, however the clock was set."""
        lifted = replace(pause, lifted_at=max(at, pause.since_at), lifted_by=by)
        self.touched[pause.id] = lifted
        self._forget(self.open[pause.id])
        if lifted.in_force:
            self._lifted.append(lifted)

    def lift_where(self, which: Callable[[Pause], bool], at: datetime, by: str) -> bool:
        """End the open pauses that are so; whether there were any."""
        some = [pause for pause in self.open.values() if which(pause)]
        for pause in some:
            self.lift(pause, at, by)
        return bool(some)

    def settle(self, at: datetime) -> None:
        """Draw the state from the open pauses; a change of it makes an event and a new version."""
        if self.is_settled:
            self._lifted.clear()
            return
        paused = not self.is_paused
        note = self._paused_note(at) if paused else self._resumed_note(at)
        self.campaign = replace(
            self.campaign,
            state=CampaignState.PAUSED if paused else CampaignState.ACTIVE,
            version=self.campaign.version + 1,
            updated_at=at,
            paused_since_at=at if paused else None,
        )
        self.notes.append(note)
        self._lifted.clear()

    def change(self, at: datetime, what: str, **fields: Any) -> None:
        """Set fields of the campaign itself, with an event that tells *what* was done."""
        self.put(at, **fields)
        self.announce(at, what)

    def put(self, at: datetime, **fields: Any) -> None:
        """Set fields of the campaign itself: a new version of it."""
        self.campaign = replace(self.campaign, **fields, version=self.campaign.version + 1, updated_at=at)

    def announce(self, at: datetime, what: str) -> None:
        """An event that tells *what* was done."""
        campaign = self.campaign
        content = {"campaign": campaign.id, "state": campaign.state.value, "change": what, "version": campaign.version}
        self.notes.append(Note(EventType.CAMPAIGN_CHANGED, at, content, campaign_id=campaign.id))

    def finish(self, at: datetime, by: str) -> None:
        """The sender is done with it: its pauses end, and nothing pauses it any more."""
        for pause in list(self.open.values()):
            self.amend(replace(pause, by_finish=True))
        self.lift_where(lambda _: True, at, by)
        self._lifted.clear()
        self.change(at, "finished", state=CampaignState.FINISHED, paused_since_at=None)

    def enforce(self, at: datetime, by: str) -> bool:
        """Put in force what was held back, as *by* wishes; whether that paused the campaign."""
        ran = not self.is_paused
        for pause in [each for each in self.open.values() if not each.in_force]:
            self.amend(replace(pause, in_force=True, braked=False, since_at=at, actor=by))
        self.settle(at)
        return ran and self.is_paused

    def _paused_note(self, at: datetime) -> Note:
        known = [pause for pause in self.open.values() if pause.in_force]
        known += [self.beyond.other] if self.beyond.other is not None else []
        decisive = max(known, key=lambda pause: (pause.since_at, -pause.id))
        cause = {"reason": decisive.reason} if decisive.origin is PauseOrigin.PERSON else {"cause": decisive.reason}
        content = {
            "campaign": self.campaign.id,
            "state": CampaignState.PAUSED.value,
            "mailbox": decisive.mailbox_id,
            **cause,
            "origin": decisive.origin.value,
            "since": stamp(at),
            "position": self.campaign.position,
            "version": self.campaign.version + 1,
        }
        return Note(EventType.CAMPAIGN_PAUSED, at, content, decisive.mailbox_id, self.campaign.id)

    def _resumed_note(self, at: datetime) -> Note:
        last = max(self._lifted, key=lambda pause: (pause.since_at, pause.id), default=None)
        since = self.campaign.paused_since_at or at
        content = {
            "campaign": self.campaign.id,
            "state": CampaignState.ACTIVE.value,
            "mailbox": last.mailbox_id if last else None,
            "origin": last.origin.value if last else None,
            "since": stamp(at),
            "position": self.campaign.position,
            "ramp": [
                {"after_seconds": point.after_seconds, "ratio": point.ratio}
                for point in ramp_points(_outage_seconds(self._lifted), self._policy)
            ],
            "paused_seconds": max(0.0, (at - since).total_seconds()),
            "version": self.campaign.version + 1,
        }
        return Note(EventType.CAMPAIGN_RESUMED, at, content, last.mailbox_id if last else None, self.campaign.id)


def _outage_seconds(lifted: Iterable[Pause]) -> float:
    """How long the longest outage among *lifted* was; a person's own pause is none."""
    return max(
        (
            ((pause.ready_at or pause.lifted_at or pause.since_at) - pause.since_at).total_seconds()
            for pause in lifted
            if pause.origin is not PauseOrigin.PERSON
        ),
        default=0.0,
    )
