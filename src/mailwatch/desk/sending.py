"""The sending gate: the one truth for senders, answered from memory for every mailbox.

It reads all mailboxes once, follows the changes of every node and command line, and looks through all of them again and again, so
that a change nobody told of is found too.  While its source is silent for too long it allows nothing rather than something old.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from mailwatch.core.campaigns import CampaignPolicy, CampaignState
from mailwatch.core.causes import Cause
from mailwatch.core.sending import STALE, UNKNOWN, Permit, at_incident, permit
from mailwatch.desk.sending_table import SendingTable
from mailwatch.ports import Clock, EventLog, MailwatchError
from mailwatch.ports.campaigns import SendingChange, SendingSource

FOLLOW_SECONDS: Final = 0.25
#: So old an answer may be, and no older.
STALE_SECONDS: Final = 10.0
#: Rows at a time: some ten milliseconds of work, so that probes go on between two pages.
PAGE: Final = 500
#: The patrol looks through all mailboxes, so many this often: 100,000 take some seven minutes.
PATROL_PAGE: Final = 250
PATROL_SECONDS: Final = 1.0


class SendingGate:
    """Answers whether a mailbox may be sent through.  `run` keeps it true; `answer` never waits."""

    def __init__(self, source: SendingSource, clock: Clock, policy: CampaignPolicy, log: EventLog) -> None:
        self.policy = policy  #: may be exchanged while it runs
        self._source = source
        self._clock = clock
        self._log = log
        self._table = SendingTable()
        self._campaigns: dict[str, str] = {}  # those that do not run
        self._campaigns_mark = -1  # the events up to here are in them; below 0: read them all
        self._stopped: Mapping[str, Cause] = {}
        self._mark = -1  # below 0: nothing is loaded
        self._newest = -1  # the mark that was last read, also where not all before it could be taken over
        self._fresh_at: float | None = None  # monotonic; of the last moment at which what is here was what the source had
        self._told_stale = False
        self._rules = 0  # counts `reload`: what was asked for before the last one says nothing of what is true now
        self._pushed: set[str] = set()  # applied while the source was being read: what is read is older
        self._patrol_after: str | None = None
        self._patrol_at = 0.0
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._table)

    # --- answers ---

    @property
    def is_stale(self) -> bool:
        """Whether it has not heard of its source for so long (or not at all) that it answers nothing."""
        return self._fresh_at is None or self._clock.monotonic() - self._fresh_at > STALE_SECONDS

    @property
    def has_lost_its_source(self) -> bool:
        """Whether it once heard of its source, and has not for too long."""
        return self._fresh_at is not None and self.is_stale

    def answer(self, id_or_address: str, campaign_id: str | None = None) -> Permit:
        """Whether the mailbox may be sent through now, for the campaign if one is named; a few microseconds."""
        if self.is_stale:
            return STALE
        facts = self._table.find(id_or_address)
        if facts is None:
            return UNKNOWN
        campaign_state = None if campaign_id is None else self._campaigns.get(campaign_id)
        answer = permit(facts, self._clock.now(), self.policy, campaign_state)
        cause = self._stopped.get(facts.gate) if answer.allowed else None
        return answer if cause is None else at_incident(cause)

    def stop_at(self, gates: Mapping[str, Cause]) -> None:
        """Allow nothing through these gates: an incident, of that cause, has taken each as a whole."""
        self._stopped = gates

    # --- staying true ---

    def apply(self, change: SendingChange) -> None:
        """Take over a change that this process has just stored, before it is read back."""
        self._table.put(change)
        self._pushed.add(change.mailbox_id)

    def reload(self, policy: CampaignPolicy) -> None:
        """Answer by *policy* from now on.

        Where it changes which loss counts for sending, everything is read anew, and nothing is allowed until it is: what is here
        was judged by the old rule.
        """
        judged_anew = policy.channel is not self.policy.channel
        self.policy = policy
        if judged_anew:
            self._rules += 1
            self._mark, self._fresh_at = -1, None
            self._wake.set()

    def rouse(self) -> None:
        """Something was changed by this process: look now."""
        self._wake.set()

    async def run(self) -> None:
        """Load, and follow for ever; faults of the source are told once and tried again."""
        while True:
            try:
                await self.follow()
            except MailwatchError as error:
                self._tell_stale(str(error))
            except Exception as error:  # noqa: BLE001  # a gate that died of one bad row would let senders send for ever
                self._log.error("gate.crashed", exception=type(error).__name__, exc_info=error)
                self._tell_stale("see gate.crashed")
            self._wake.clear()
            try:
                async with asyncio.timeout(FOLLOW_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def follow(self) -> None:
        """Bring it up to date once: load it if it is empty, else what changed and a page of the patrol."""
        began_at, rules = self._clock.monotonic(), self._rules
        while self._mark < 0 or await self._step():
            if self._mark < 0:
                await self.load()
        await self._follow_campaigns()
        if rules != self._rules:
            return  # the next round answers for the new rules
        self._heard(began_at)
        if began_at - self._patrol_at >= PATROL_SECONDS:
            self._patrol_at = began_at
            await self._patrol()

    async def load(self) -> None:
        """Read everything anew; until it is done, what was there before answers."""
        began_at, rules = self._clock.monotonic(), self._rules
        # The mark comes first: what changes while the pages are read is followed from there.
        mark, _ = await self._source.sending_since(-1, PAGE)
        table, after = SendingTable(), None
        while page := await self._source.all_sending(after, PAGE):
            for change in page:
                table.put(change)
            after = page[-1].mailbox_id
            await asyncio.sleep(0)  # a long list in small pieces: probes go on between them
        paused = dict(await self._source.paused_campaigns())
        if rules != self._rules:
            return  # read in part by the old rules: read it again
        self._campaigns_mark, self._campaigns = mark, paused
        self._table, self._mark, self._newest = table, mark, mark
        self._patrol_after, self._patrol_at = None, began_at
        self._log.info("gate.loaded", mailboxes=len(table), seconds=round(self._clock.monotonic() - began_at, 3))

    async def _step(self) -> bool:
        """A batch of changes; whether more may follow."""
        self._pushed.clear()
        before, rules = self._mark, self._rules
        mark, changes = await self._source.sending_since(before, PAGE)
        if rules != self._rules:
            return True
        if mark < before:
            self._mark = -1  # an older database was put in place
            return True
        self._newest = mark
        if self._take(changes):
            self._mark = mark
        return self._mark != before

    def _take(self, changes: Sequence[SendingChange]) -> bool:
        """Put them in; False when one was passed over, because this process has stored a newer one meanwhile: read it again."""
        passed_over = False
        for change in changes:
            if change.mailbox_id in self._pushed:
                passed_over = True
            else:
                self._table.put(change)
        return not passed_over

    async def _follow_campaigns(self) -> None:
        """What events spoke of since; all of them only now and then, for those long finished are many."""
        reached = self._newest
        if self._campaigns_mark < 0:
            self._campaigns = dict(await self._source.paused_campaigns())
        elif self._campaigns_mark != reached:
            for campaign_id, state in (await self._source.campaigns_since(self._campaigns_mark)).items():
                if state == CampaignState.ACTIVE:
                    self._campaigns.pop(campaign_id, None)
                else:
                    self._campaigns[campaign_id] = state
        self._campaigns_mark = reached

    async def _patrol(self) -> None:
        """Look through the next page; at the end of a round, forget what no page had."""
        if self._patrol_after is None:
            self._table.begin_round()
        self._pushed.clear()
        page = await self._source.all_sending(self._patrol_after, PATROL_PAGE)
        self._take(page)
        self._patrol_after = page[-1].mailbox_id if page else None
        if self._patrol_after is None:
            self._table.end_round()
            self._campaigns_mark = -1

    # --- health ---

    def _heard(self, at: float) -> None:
        self._fresh_at = at
        if self._told_stale:
            self._told_stale = False
            self._log.info("gate.restored", mailboxes=len(self._table))

    def _tell_stale(self, why: str) -> None:
        if not self._told_stale:
            self._told_stale = True
            self._log.warning("gate.source_lost", reason=why)
