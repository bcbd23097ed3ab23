"""What operators, senders and their programs are served by: desk, bulk actions, accounts, consents, sending gate, webhooks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from mailwatch.daemon.parts import Parts, Tuning
from mailwatch.delivery.deliverer import Deliverer
from mailwatch.desk.accounts import Accounts
from mailwatch.desk.acts import Desk
from mailwatch.desk.bulk import Bulk
from mailwatch.desk.consents import Consents
from mailwatch.desk.newcomers import Newcomers
from mailwatch.desk.quiet_hosts import QuietHosts
from mailwatch.desk.sending import SendingGate
from mailwatch.web.surface import Probing, Surface

#: For webhooks under way at a stop.
DELIVERY_SECONDS: Final = 3.0
_CALLBACK: Final = "/oauth/callback"
#: Of several nodes one works bulk actions off; another takes over when it was silent for so long.
_BULK_DUTY: Final = "bulk"
_BULK_SECONDS: Final = 30.0


class Offices:
    """Built once for a daemon; `start` and `stop` run what works by itself.

    *own_url* tells where HTTP is served; *roused* is called when an act made a mailbox due at once, *called_off* (mailbox id) when
    one is not to be looked at any more.
    """

    def __init__(
        self, parts: Parts, *, own_url: Callable[[], str], roused: Callable[[], None], called_off: Callable[[str], None]
    ) -> None:
        self._parts = parts
        self._own_url = own_url
        self._tuning = parts.tuning
        self._roused = roused
        store, clock, outside = parts.store, parts.clock, parts.outside
        self.gate = SendingGate(store.sending, clock, parts.tuning.campaigns, parts.log)
        self.accounts = Accounts(store.people, clock, session_seconds=parts.web.session_seconds)
        self.consents = self._consents()
        withdraws = self.consents.withdrawal if self.consents else None
        self.desk = Desk(store, clock, withdraws=withdraws, roused=self._acted, called_off=called_off)
        self.bulk = Bulk(store.jobs, self.desk, store.pages, clock)
        self.deliverer = (
            None
            if outside is None
            else Deliverer(store.outbox, outside.poster, parts.tuning.webhooks, clock, parts.rng, parts.log, parts.metrics)
        )
        self._duties: list[asyncio.Task[None]] = []

    def _consents(self) -> Consents | None:
        parts, outside = self._parts, self._parts.outside
        if outside is None or outside.consents is None or not outside.apps:
            return None
        return Consents(
            outside.apps,
            outside.consents,
            parts.store.consents,
            parts.store,
            parts.clock,
            lambda: self.public_url + _CALLBACK,
            people=parts.store.people,
            grants=parts.store.grants,
            proof=outside.proof,
            roused=self._acted,
        )

    @property
    def public_url(self) -> str:
        """How a browser reaches the page, without a slash at its end."""
        return (self._parts.web.external_url or self._own_url()).rstrip("/")

    def surface(self, probing: Probing) -> Surface:
        """All that the API and the page work with."""
        parts = self._parts
        store = parts.store
        return Surface(
            probing=probing,
            store=store,
            pages=store.pages,
            campaigns=store.campaigns,
            outbox=store.outbox,
            people=store.people,
            jobs=store.jobs,
            desk=self.desk,
            bulk=self.bulk,
            accounts=self.accounts,
            consents=self.consents,
            gate=self.gate,
            clock=parts.clock,
            log=parts.log,
            settings=parts.web,
            rng=parts.rng,
            describe=parts.describe,
            newcomers=Newcomers(store, parts.clock, lambda: self._tuning.settings),
            endpoints=lambda: self._tuning.webhooks,
            wake=self._wake,
            certificates=parts.metrics.certificates.expiries,
            findings=store.findings,
            incidents=store.incidents,
            maintenance=store.maintenance,
            quiet_hosts=QuietHosts(store, parts.clock, lambda: self._tuning),
        )

    def start(self) -> None:
        """Let the gate follow and the webhooks go out."""
        running: list[Awaitable[None]] = [self.gate.run()]
        if self.deliverer is not None:
            running.append(self.deliverer.run())
        self._duties = [asyncio.ensure_future(duty) for duty in running]

    async def stop(self) -> None:
        """End both; webhooks under way get a few seconds, what is cut off is sent again later."""
        if self.deliverer is not None:
            await self.deliverer.stop(DELIVERY_SECONDS)
        for duty in self._duties:
            duty.cancel()
        await asyncio.gather(*self._duties, return_exceptions=True)

    def retune(self, tuning: Tuning) -> None:
        """New rules for campaigns and new webhooks after a reload."""
        self._tuning = tuning
        self._parts.store.campaign_policy = tuning.campaigns
        self.gate.reload(tuning.campaigns)
        if self.deliverer is not None:
            self.deliverer.endpoints = tuning.webhooks

    async def work_off(self) -> None:
        """Do some of the bulk actions that wait, unless another node does."""
        store = self._parts.store
        if await store.jobs.unfinished() and await store.incidents.hold(_BULK_DUTY, self._parts.clock.now(), _BULK_SECONDS):
            await self.bulk.run_waiting()

    async def open_setup(self) -> None:
        """While there is no user, tell the machine's operator where the first one is made; the link works once."""
        if not await self._parts.store.people.user_count():
            link = f"{self.public_url}/setup?key={await self.accounts.setup_link()}"
            self._parts.log.warning("setup.open", url=link)

    def _wake(self, webhook: str) -> None:
        if self.deliverer is not None:
            self.deliverer.wake(webhook)

    def _acted(self) -> None:
        self.gate.rouse()
        if self.deliverer is not None:
            self.deliverer.rouse()
        self._roused()
