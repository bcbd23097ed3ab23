"""The store on SQLAlchemy: SQLite for one machine, PostgreSQL for many nodes (ports.Store).

This module only plugs the parts together; `claim`, `record`, `acts` and `reads` hold the statements, `engine` the transactions.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from mailwatch.core.campaigns import CampaignPolicy, loses_sending
from mailwatch.core.evidence import Report
from mailwatch.core.mailbox import AuthKind, Mailbox
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Decision, Standing
from mailwatch.ports import Act, Claim, Clock, MailwatchError, NewMailbox, Recorded, SecretUnreadableError
from mailwatch.store import acts, reads
from mailwatch.store.address import parse_address
from mailwatch.store.campaigns import SqlCampaigns
from mailwatch.store.canaries import check_keys, require_key
from mailwatch.store.claim import Lease, Wish, claim_due, reclaim, release_token
from mailwatch.store.consents import SqlConsents
from mailwatch.store.engine import Attempt, Database, require_file
from mailwatch.store.findings import SqlFindings
from mailwatch.store.gauges import SqlGauges
from mailwatch.store.grants import SqlGrants
from mailwatch.store.group import GroupCommit, Urgent
from mailwatch.store.guard import FileGuard, hold_node
from mailwatch.store.incidents import SqlIncidents
from mailwatch.store.jobs import SqlJobs
from mailwatch.store.keeping import Keeping
from mailwatch.store.maintenance import SqlMaintenance
from mailwatch.store.outbox import SqlOutbox
from mailwatch.store.pages import SqlPages
from mailwatch.store.people import SqlPeople
from mailwatch.store.record import Waiting, details_of, postponement_of, record_group, result_of, write_batch
from mailwatch.store.removal import remove, shares_login
from mailwatch.store.sending import SqlSending
from mailwatch.store.sweep import rescue
from mailwatch.store.upgrade import check_revision
from mailwatch.store.vault import Vault, key_of
from mailwatch.store.watching import SqlWatching
from mailwatch.store.writer import WriteBehind

#: The longest window any login budget looks back on is a day.
_REFUSALS_KEPT: Final = timedelta(days=2)


class SqlStore(Keeping):
    """Everything that must outlive the process, in one SQL database."""

    def __init__(
        self,
        url: str,
        vault: Vault,
        clock: Clock,
        *,
        node: str,
        password: Secret | None = None,
        write_behind_rows: int = 200,
        write_behind_seconds: float = 0.5,
    ) -> None:
        self._address = parse_address(url, password)
        super().__init__(Database(self._address), vault, clock)
        self._node = node
        self._boot = secrets.token_hex(8)
        self._on_moved: Callable[[str, Decision], None] = _unheard
        self._unhanded: set[str] = set()  # tokens of claims nobody got: cancelled, or their commit failed
        self._writer = WriteBehind(self._write_batch, rows=write_behind_rows, seconds=write_behind_seconds)
        self._group = GroupCommit(self._write_group)
        self._guard: FileGuard | None = None
        self._node_connection: AsyncConnection | None = None
        self.campaign_policy = CampaignPolicy()  #: by what campaigns are paused; a reload puts another in its place
        self.grants = SqlGrants(self._database, vault, clock)
        self.campaigns = SqlCampaigns(self._database, clock, lambda: self.campaign_policy)
        self.outbox = SqlOutbox(self._database, clock)
        self.people = SqlPeople(self._database, clock)
        self.consents = SqlConsents(self._database, vault, clock)
        self.pages = SqlPages(self._database)
        self.jobs = SqlJobs(self._database, clock)
        self.sending = SqlSending(self._database, lambda: self.campaign_policy)
        self.incidents = SqlIncidents(self._database, node=node)
        self.maintenance = SqlMaintenance(self._database, clock)
        self.gauges = SqlGauges(self._database)
        self.findings = SqlFindings(self._database)
        self.watching = SqlWatching(self._database, clock, node=node, flush=self.flush)

    # --- life ---

    async def open(self, *, daemon: bool = False) -> None:
        """Connect and check file, schema and keys; raises SchemaError, StoreUnavailableError, SecretUnreadableError.

        As *daemon*, also be the only one on this SQLite file (or of this node name on PostgreSQL), and take back the leases of
        an earlier life, each counted as a lost login.
        """
        require_file(self._address)
        self._database.remember_file()
        try:
            if daemon:
                await self._hold()
            await check_revision(self._database)
            await check_keys(self._database, self._vault)
            if daemon:
                await self.reclaim_own_leases(self._clock.now())
        except BaseException:
            await self._disconnect()
            raise
        self._writer.start()

    async def close(self) -> None:
        """Flush what is written behind, and disconnect; raises StoreUnavailableError when it cannot be written."""
        try:
            await self._group.close()
            await self._writer.close()
        finally:
            await self._disconnect()

    async def _hold(self) -> None:
        if self._address.path is not None:
            guard = FileGuard(self._address.path)
            guard.hold()
            self._guard = guard
        else:
            self._node_connection = await self._database.session()
            await hold_node(self._node_connection, self._node)

    async def _disconnect(self) -> None:
        if self._node_connection is not None:
            with suppress(Exception):  # it may have died with the server; closing is all that is left to do
                await self._node_connection.invalidate()
                await self._node_connection.close()
            self._node_connection = None
        await self._database.close()
        if self._guard is not None:
            self._guard.release()
            self._guard = None

    async def reclaim_own_leases(self, now: datetime) -> int:
        """Take back the leases of this node's earlier life, each counted as a lost login; how many there were."""
        node = None if self._address.is_sqlite else self._node  # on SQLite there is no other node

        async def work(attempt: Attempt) -> int:
            return await reclaim(attempt, node=node, boot=self._boot, now=now)

        total = 0
        while some := await self._database.write(work):
            total += some
        return total

    # --- the path of a probe ---

    async def claim_due(
        self,
        now: datetime,
        limit: int,
        lease_seconds: float,
        *,
        excluding: Collection[str] = (),
        room: Callable[[str], int] | None = None,
    ) -> Sequence[Claim]:
        """Up to *limit* due mailboxes, oldest first, leased to this node; none whose gate is in *excluding*.

        Of each gate at most *room* of it; crowds at full gates are looked behind.
        """
        wish = Wish(now, limit, excluding, room)
        token = f"{self._boot}.{secrets.token_hex(6)}"
        asked_at = self._clock.monotonic()

        def begin() -> Lease:
            waited = self._clock.monotonic() - asked_at
            return Lease(token, self._node, now + timedelta(seconds=waited + lease_seconds))

        orphans = tuple(self._unhanded)

        async def work(attempt: Attempt) -> Sequence[Claim]:
            for orphan in orphans:
                await release_token(attempt, orphan)
            return await claim_due(attempt, self._vault, begin, wish)

        try:
            claims = await self._database.write(work)
        except BaseException:
            # cancelled, or the commit got no answer: the rows may be leased, and the next claim gives them back
            self._unhanded.add(token)
            raise
        self._unhanded.difference_update(orphans)
        return claims

    async def record(self, claim: Claim, decision: Decision) -> Recorded:
        """Carry *decision* out.  Urgent ones are durable when this returns; others are written behind."""
        if not decision.urgent and not loses_sending(decision.before, decision.after, self.campaign_policy):
            await self._writer.put(result_of(claim, decision))
            return Recorded.STORED

        return await self._group.put(claim, decision)

    async def keep_details(self, claim: Claim, report: Report) -> None:
        """Keep for the page how long the phases took, once an hour, and the last failed conversation.  Written behind."""
        details = details_of(claim, report)
        if details is not None:
            await self._writer.put(details)

    async def _write_group(self, group: Sequence[Urgent]) -> Sequence[Recorded]:
        async def work(attempt: Attempt) -> Sequence[Recorded]:
            return await record_group(attempt, group, self.campaign_policy)

        return await self._database.write(work)

    async def postpone(self, claim: Claim, due_at: datetime) -> None:
        """Give the lease back without a result that counts: the mailbox is due again at *due_at*.  Written behind."""
        await self._writer.put(postponement_of(claim, due_at))

    async def flush(self) -> None:
        """Write out everything written behind; raises StoreUnavailableError, and then it still waits."""
        await self._writer.flush()

    async def _write_batch(self, batch: Sequence[Waiting]) -> None:
        async def work(attempt: Attempt) -> None:
            await write_batch(attempt, batch)

        await self._database.write(work)

    async def refusals_since(self, since: datetime) -> Mapping[str, Sequence[datetime]]:
        """Refused or lost logins by host, over all nodes, oldest first."""

        async def work(attempt: Attempt) -> Mapping[str, Sequence[datetime]]:
            return await reads.refusals_since(attempt, since)

        return await self._database.read(work)

    # --- gauges of the write-behind ---

    @property
    def pending(self) -> int:
        """Results that wait to be written."""
        return self._writer.pending

    @property
    def dropped(self) -> int:
        """Results the database refused for what was in them."""
        return self._writer.dropped

    def observe(
        self,
        *,
        write_seconds: Callable[[float], None] | None = None,
        dropped: Callable[[str, BaseException], None] | None = None,
        moved: Callable[[str, Decision], None] | None = None,
    ) -> None:
        """Be told the duration of each batch, each result that was refused (mailbox id, error), what acts moved (its provider)."""
        self._writer.on_write_seconds = write_seconds
        self._writer.on_dropped = dropped
        self._on_moved = moved or _unheard

    # --- what people do ---

    def _doing(self, act: Act) -> acts.Doing:
        return acts.Doing(act, self._clock.now(), secrets.token_hex(12), self.campaign_policy)

    async def _written_first(self, mailbox_id: str) -> None:
        """What the last probe found comes before what a person decides upon it."""
        if self._writer.holds(mailbox_id):
            with suppress(MailwatchError):  # then the act itself will tell
                await self._writer.flush()

    async def add(self, mailboxes: Sequence[NewMailbox], act: Act, *, first_due_at: Callable[[int], datetime]) -> Sequence[str]:
        """Add all or none; the ids.  *first_due_at* spreads the first look (called with the index). Raises MailboxExistsError."""
        newcomers = acts.sealed_newcomers(mailboxes, self._vault, first_due_at)
        doing = self._doing(act)

        async def work(attempt: Attempt) -> None:
            for kid in {newcomer.kid for newcomer in newcomers if newcomer.sealed is not None}:
                await require_key(attempt, self._vault, kid)
            await acts.add(attempt, newcomers, doing)

        if newcomers:
            await self._database.write(work)
        return [newcomer.mailbox.id for newcomer in newcomers]

    async def change(self, mailbox_id: str, decide: Callable[[Standing], Decision], act: Act) -> Decision:
        """Apply a pure decision to the standing as it is now, with an audit row, in one transaction."""
        await self._written_first(mailbox_id)
        return await self._apply(act, lambda attempt, doing: acts.change(attempt, mailbox_id, decide, doing))

    async def set_secret(self, mailbox_id: str, secret: Secret, decide: Callable[[Standing], Decision], act: Act) -> Decision:
        """Store a new secret as a new generation and apply *decide* to the standing of that generation.

        The secret that is stored already is no new generation, and starts no new budget.
        """
        await self._written_first(mailbox_id)
        used: set[str] = set()

        def is_stored(auth: AuthKind, sealed: str) -> bool:
            with suppress(SecretUnreadableError):  # what cannot be read any more is to be replaced
                return self._vault.open("secrets", mailbox_id, acts.secret_field(auth), sealed) == secret
            return False

        def seal(auth: AuthKind) -> tuple[str, str]:
            sealed = self._vault.seal("secrets", mailbox_id, acts.secret_field(auth), secret)
            used.add(key_of(sealed))
            return key_of(sealed), sealed

        async def apply(attempt: Attempt, doing: acts.Doing) -> Decision:
            used.clear()
            decision = await acts.set_secret(attempt, mailbox_id, seal, decide, doing, is_stored=is_stored)
            for kid in used:
                await require_key(attempt, self._vault, kid)
            return decision

        return await self._apply(act, apply)

    async def _apply(self, act: Act, apply: acts.Apply) -> Decision:
        doing = self._doing(act)
        last: Decision | None = None

        async def work(attempt: Attempt) -> Decision:
            nonlocal last
            if last is not None and await acts.done_already(attempt, doing):
                return last
            doing.moved.clear()
            last = await apply(attempt, doing)
            return last

        decision = await self._database.write(work)
        for provider, moved in doing.moved:
            self._on_moved(provider, moved)
        return decision

    async def remove(self, mailbox_id: str, act: Act, *, version: int | None = None, scrub: bool = True) -> None:
        """Delete the mailbox and all of its data, for good; the audit log keeps the id only."""
        doing = self._doing(act)

        async def work(attempt: Attempt) -> None:
            await remove(attempt, mailbox_id, doing, version)

        await self._database.write(work)
        self._writer.forget(mailbox_id)  # not before: a removal that is refused must cost no result, and so no lease
        if scrub:
            await self._database.scrub()

    async def scrub(self) -> None:
        """Leave nothing of deleted rows in the database's files: after removals that did not do so themselves."""
        await self._database.scrub()

    async def shares_login(self, mailbox: Mailbox, oauth_apps: Collection[str]) -> bool:
        """Whether another mailbox of these applications may log in as the same account as *mailbox* (removed or not)."""

        async def work(attempt: Attempt) -> bool:
            return await shares_login(attempt, mailbox, oauth_apps)

        return await self._database.read(work)

    async def rescue(self, now: datetime, *, steady: datetime, patient: datetime, lease: datetime) -> int:
        """Make due what would wait beyond these moments (`sweep`); how many mailboxes that were."""

        async def work(attempt: Attempt) -> int:
            return await rescue(attempt, now, steady=steady, patient=patient, lease=lease)

        return await self._database.write(work)

    async def prune(self, before: datetime, *, audit_before: datetime | None = None) -> int:
        """Delete history older than *before* and audit older than *audit_before* (None: the same); how many rows went.

        Each mailbox keeps its latest transition, and logins refused within two days stay whatever is asked.  Pauses lifted and
        events delivered before *before* go too.
        """
        refusals_before = min(before, self._clock.now() - _REFUSALS_KEPT)
        gone = await reads.prune(self._database, before, audit_before or before, refusals_before)
        return gone + await self.outbox.prune_events(before)


def _unheard(_provider: str, _decision: Decision) -> None:
    """Nobody counts."""
