"""The seams around campaigns: the registry and the pause ledger, and the sending gate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailwatch.core.campaigns import Campaign, CampaignState, Pause
from mailwatch.ports import Act, MailwatchError


class CampaignNotFoundError(MailwatchError):
    """No such campaign."""


class CampaignExistsError(MailwatchError):
    """A campaign with this id is there already."""


class StaleError(MailwatchError):
    """What was to be changed has changed meanwhile (If-Match): look again, then decide."""


class CampaignOverError(MailwatchError):
    """The campaign is finished: nothing of it can be paused or resumed."""


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """Which campaigns; empty fields do not restrict."""

    states: frozenset[CampaignState] = frozenset()
    mailbox_id: str | None = None
    text: str = ""  #: part of the id, the name or the sender's reference
    after: str | None = None  #: keyset cursor: campaign id
    limit: int = 100


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign beside its open pauses."""

    campaign: Campaign
    pauses: tuple[Pause, ...]
    more_pauses: int = 0  #: how many open ones a list leaves out


class Campaigns(Protocol):
    """The registry of campaigns and their pause ledger.  Each act is audited in its own transaction, with the events it makes.

    One that is given a *version* the campaign is no longer at raises StaleError.
    """

    async def add(self, campaign: Campaign, act: Act) -> Campaign:
        """Register it, linked to its mailboxes (ids); raises CampaignExistsError, MailboxNotFoundError."""

    async def find(self, campaign_id: str) -> CampaignView:
        """One campaign with all its mailboxes; raises CampaignNotFoundError."""

    async def list(self, which: CampaignFilter) -> Sequence[CampaignView]:
        """A page of campaigns, by id; their mailboxes are left out."""

    async def amend(
        self,
        campaign_id: str,
        act: Act,
        *,
        name: str | None = None,
        sender: str | None = None,
        position: str | None = None,
        finished: bool | None = None,
        version: int | None = None,
    ) -> Campaign:
        """Change what is not None; *version* that no longer holds raises StaleError."""

    async def link(self, campaign_id: str, mailbox_ids: Sequence[str], act: Act, *, version: int | None = None) -> CampaignView:
        """Let it send through these mailboxes too; one that is away pauses it at once."""

    async def unlink(self, campaign_id: str, mailbox_ids: Sequence[str], act: Act, *, version: int | None = None) -> CampaignView:
        """No longer send through these; pauses for them are lifted."""

    async def pause(self, campaign_id: str, reason: str, act: Act, *, version: int | None = None) -> CampaignView:
        """A person's own pause, which nothing but a person lifts; raises CampaignOverError."""

    async def resume(self, campaign_id: str, act: Act, *, version: int | None = None) -> CampaignView:
        """Lift what a person may lift: a person's pauses, and an operator's whose mailbox works again or is removed.

        Pauses for mailboxes that are away now stay.  Raises CampaignOverError.
        """

    async def resumable(self, mailbox_id: str) -> Sequence[Campaign]:
        """The campaigns that an operator's disconnect of this mailbox paused and that wait for a person since it is verified."""

    async def held_back(self, after: int = 0, limit: int = 1000) -> Sequence[Pause]:
        """Open pauses not in force: suggested, observed, or held back by the brake; in order of their numbers, above *after*."""

    async def held_back_counts(self) -> tuple[int, int]:
        """How many campaigns have such pauses, and how many pauses that are."""

    async def release_brake(self, act: Act, *, expected: int | None = None) -> int:
        """A person says: pause them.  Puts all held-back pauses in force; how many campaigns that paused.

        Raises pages.CountDiffersError when they are not of *expected* campaigns.
        """

    async def spans(self, campaign_id: str, since: datetime, until: datetime) -> Sequence[Pause]:
        """The ledger's entries that touch the span, oldest first: what the campaign's own metrics may leave out."""

    async def addresses(self, mailbox_ids: Iterable[str]) -> Mapping[str, str]:
        """The addresses of these mailboxes by their ids, to tell pauses by; one that was removed is left out."""

    async def counts(self) -> Mapping[tuple[CampaignState, str], int]:
        """Campaigns by state and, where paused, by the origin of the oldest open pause in force (`none` where they are not)."""


@dataclass(frozen=True, slots=True)
class SendingChange:
    """What the sending gate must know of one mailbox; `removed` says it is gone."""

    mailbox_id: str
    address_key: str  #: lower case; the gate answers for either
    state: str
    cause: str | None
    since_at: datetime  #: since when it is in its state; for one that sends, since when it is back
    until_at: datetime | None  #: the next attempt, or the end of a hold
    outage_seconds: float  #: how long the last outage was, for the ramp
    sends: bool  #: a mailbox that only lost a channel which does not count still sends
    removed: bool = False
    gate: str = ""  #: core.gates: what an incident can take as a whole


class SendingSource(Protocol):
    """Where the gate learns of every mailbox, and of every change, whichever node or command line made it."""

    async def all_sending(self, after: str | None, limit: int) -> Sequence[SendingChange]:
        """A page of all mailboxes by id."""

    async def sending_since(self, mark: int, limit: int) -> tuple[int, Sequence[SendingChange]]:
        """What changed since *mark* (a row number of events), and the new mark; with mark -1: the newest mark and nothing."""

    async def paused_campaigns(self) -> Mapping[str, str]:
        """Every campaign that does not run, with its state: with those long finished, very many."""

    async def campaigns_since(self, mark: int) -> Mapping[str, str]:
        """The present states of the campaigns that events behind *mark* (a row number) speak of, those that run included."""
