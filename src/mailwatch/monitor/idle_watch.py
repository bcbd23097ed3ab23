"""The IDLE watch: sessions that healthy probes left open, and what follows when one ends (RFC 2177).

A watched mailbox costs no login of its own.  Its session is let go before the mailbox is probed again, when it is no longer
connected or no longer as it was, and when the daemon stops.  A session that ends by itself makes the mailbox due at once - or as
soon as pacing allows - and nothing else: the ordinary probe gives the verdict.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Evidence
from mailwatch.core.gates import gate_of
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import Mailbox
from mailwatch.core.pacing import Pace
from mailwatch.core.standing import Decision, Standing
from mailwatch.core.watching import EarlyLooks, WatchRules
from mailwatch.ports import Claim, Clock, EventLog, MailwatchError
from mailwatch.ports.watching import EarlyLook, OpenSession, WatchedMailboxes, WatchedStanding, WatchMeter

#: Sessions that end together are told to the store together.
GATHER_SECONDS: Final = 0.1
#: How often those are sorted out that were passed over: they may be the whole fleet.
SORT_SECONDS: Final = 30.0
#: How long a stop waits for the tasks whose connections it has just closed.
CLOSE_SECONDS: Final = 1.0
#: A mailbox that was not taken for want of room is forgotten after so many intervals without a probe here.
_INTERVALS_REMEMBERED: Final = 2.0


@dataclass(slots=True, eq=False)
class _Watched:
    """An open session, and the belief it rests on; until its probe is decided there is none, and it only waits."""

    mailbox: Mailbox
    session: OpenSession
    opened: float  # monotonic
    known: Standing | None = None
    task: asyncio.Task[None] | None = None


class IdleWatch:
    """Implements ports.watching.Keeper.  `retune` puts other rules in force; *pace_of* tells how fast a gate may be looked at."""

    def __init__(
        self,
        *,
        mailboxes: WatchedMailboxes,
        meter: WatchMeter,
        log: EventLog,
        clock: Clock,
        rng: random.Random,
        rules: WatchRules,
        pace_of: Callable[[str], Pace],
    ) -> None:
        self._mailboxes = mailboxes
        self._meter = meter
        self._log = log
        self._clock = clock
        self._rng = rng
        self._rules = rules
        self._pace_of = pace_of
        self._sessions: dict[str, _Watched] = {}
        self._passed_over: dict[str, float] = {}  # since when there was no room for it
        self._early: dict[str, EarlyLook] = {}
        self._looks = EarlyLooks()
        self._telling: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._full_told = False
        self._sorted_at = float("-inf")
        self._closed = False

    @property
    def open(self) -> int:
        """How many sessions are open."""
        return len(self._sessions)

    # --- what the prober asks (ports.watching.Keeper) ---

    def wants(self, mailbox: Mailbox) -> bool:
        """Whether the session of *mailbox* shall be left open: it carries a label that is watched, and there is room."""
        if self._closed or not self._rules.wants(mailbox):
            return False
        if len(self._sessions) < self._rules.most:
            return True
        self._pass_over(mailbox)
        return False

    async def let_go(self, mailbox_id: str) -> None:
        """End the session of this mailbox, if any, before it is probed."""
        watched = self._take_out(mailbox_id)
        if watched is not None:
            await self._leave(watched)

    def keep(self, mailbox: Mailbox, session: OpenSession) -> None:
        """Take *session* over; it is watched once `decided` tells that its mailbox is connected."""
        old = self._take_out(mailbox.id)
        if old is not None:
            self._in_background(self._leave(old))
        watched = _Watched(mailbox, session, self._clock.monotonic())
        if self._closed:
            session.drop()
        elif len(self._sessions) >= self._rules.most:
            self._pass_over(mailbox)
            self._in_background(self._leave(watched))
        else:
            self._sessions[mailbox.id] = watched
            self._passed_over.pop(mailbox.id, None)
            self._count()

    # --- what the daemon tells ---

    def decided(self, claim: Claim, decision: Decision | None) -> None:
        """The probe of *claim* is over; *decision* None: nothing came of it."""
        mailbox_id = claim.mailbox.id
        connected = decision is not None and decision.after.state is State.CONNECTED
        if not connected:
            self._passed_over.pop(mailbox_id, None)
        watched = self._sessions.get(mailbox_id)
        if watched is None or watched.task is not None:
            return
        if decision is None or not connected:
            self._dismiss(watched)
            return
        watched.known = decision.after
        watched.task = asyncio.create_task(self._sit(watched), name=f"watch {mailbox_id}")

    async def review(self) -> None:
        """Let go of what was stopped, changed or removed meanwhile, or is being probed by another node; raises MailwatchError."""
        await self._tell_store()
        self._forget_passed_over()
        looked_at = [(watched, watched.known) for watched in self._sessions.values() if watched.known is not None]
        if not looked_at:
            return
        found = await self._mailboxes.standings([watched.mailbox.id for watched, _ in looked_at])
        for watched, known in looked_at:
            mailbox_id = watched.mailbox.id
            if self._sessions.get(mailbox_id) is watched and not _goes_on(known, found.get(mailbox_id)):
                self._dismiss(watched)

    def retune(self, rules: WatchRules, pace_of: Callable[[str], Pace]) -> None:
        """Other rules after a reload: what they do not want, or have no room for, is let go."""
        self._rules, self._pace_of = rules, pace_of
        self._full_told = False
        for place, watched in enumerate(list(self._sessions.values())):
            if place >= rules.most or not rules.wants(watched.mailbox):
                self._dismiss(watched)
        self._passed_over.clear()
        self._count()

    async def close(self) -> None:
        """Drop every session at once; nothing is taken over from now on."""
        self._closed = True
        tasks = {watched.task for watched in self._sessions.values() if watched.task is not None}
        for watched in self._sessions.values():
            watched.session.drop()
        self._sessions.clear()
        if self._telling is not None:  # what it would tell, the next start finds out by itself
            tasks.add(self._telling)
        for task in tasks:
            task.cancel()
        tasks |= self._leaving
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._count()

    # --- one session ---

    async def _sit(self, watched: _Watched) -> None:
        """Wait for the end of a session; not reached when it is let go."""
        try:
            evidence = await watched.session.watch(lambda: self._rules.renew_seconds)
        except Exception as error:  # noqa: BLE001  # a bug of ours costs the watch of one mailbox, and no more
            self._log.error("watch.crashed", mailbox=watched.mailbox.id, exception=type(error).__name__, exc_info=error)
            watched.session.drop()
            if self._sessions.get(watched.mailbox.id) is watched:
                del self._sessions[watched.mailbox.id]
                self._count()
            return
        if self._sessions.get(watched.mailbox.id) is watched:
            del self._sessions[watched.mailbox.id]
            self._count()
            self._ended(watched, evidence)

    def _ended(self, watched: _Watched, evidence: Evidence) -> None:
        """A session ended by itself: told, and the mailbox is looked at soon."""
        mailbox, now = watched.mailbox, self._clock.monotonic()
        diagnosis = diagnose(evidence)
        self._meter.watch_ended(diagnosis.cause)
        gate = gate_of(mailbox)
        wait = self._looks.wait_seconds(mailbox.id, gate, self._pace_of(gate), now=now, rng=self._rng)
        self._log.info(
            "watch.ended",
            mailbox=mailbox.id,
            provider=mailbox.provider,
            cause=diagnosis.cause,
            rule=diagnosis.rule,
            quote=evidence.response,
            exception=evidence.exception,
            seconds=round(now - watched.opened, 3),
        )
        if watched.known is not None:
            due_at = self._clock.now() + timedelta(seconds=wait)
            self._early[mailbox.id] = EarlyLook(mailbox.id, watched.known.version, due_at)
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_soon(), name="watch: early looks")

    async def _tell_soon(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        try:
            await self._tell_store()
        except MailwatchError as error:  # the next review tries again
            self._log.error("watch.not_told", error=str(error), count=len(self._early))

    async def _tell_store(self) -> None:
        """Make due sooner what has ended; what cannot be written stays for the next time."""
        while self._early:
            looks = dict(self._early)
            await self._mailboxes.advance(list(looks.values()))
            for mailbox_id, look in looks.items():
                if self._early.get(mailbox_id) is look:
                    del self._early[mailbox_id]

    def _take_out(self, mailbox_id: str) -> _Watched | None:
        self._early.pop(mailbox_id, None)  # whatever made it due, it is being looked at
        watched = self._sessions.pop(mailbox_id, None)
        if watched is not None:
            self._count()
        return watched

    def _dismiss(self, watched: _Watched) -> None:
        """Let go of a session, without anybody waiting for it."""
        del self._sessions[watched.mailbox.id]
        self._count()
        self._in_background(self._leave(watched))

    async def _leave(self, watched: _Watched) -> None:
        try:
            if watched.task is not None:
                watched.task.cancel()
                await asyncio.wait({watched.task})
            await watched.session.leave()
        finally:
            watched.session.drop()

    def _in_background(self, leaving: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(leaving, name="watch: goodbye")
        self._leaving.add(task)  # the loop alone would not keep it
        task.add_done_callback(self._leaving.discard)

    # --- how many ---

    def _pass_over(self, mailbox: Mailbox) -> None:
        self._passed_over[mailbox.id] = self._clock.monotonic()
        self._count()
        if not self._full_told:
            self._full_told = True
            self._log.warning("watch.full", count=self._rules.most, reason="all others are only probed; see [probing] watch_max")

    def _forget_passed_over(self) -> None:
        """Those that were not probed here for long are gone, inactive, or another node's."""
        now = self._clock.monotonic()
        if not self._passed_over or now - self._sorted_at < SORT_SECONDS:
            return
        self._sorted_at, since = now, now - _INTERVALS_REMEMBERED * self._rules.interval_seconds
        self._passed_over = {mailbox_id: at for mailbox_id, at in self._passed_over.items() if at >= since}
        self._full_told = self._full_told and bool(self._passed_over)
        self._count()

    def _count(self) -> None:
        self._meter.set_watched(len(self._sessions), len(self._passed_over))


def _goes_on(known: Standing, found: WatchedStanding | None) -> bool:
    """Whether a mailbox is still as it was when its session was opened, and nobody else looks or has looked at it."""
    if found is None or found.elsewhere:
        return False
    if (found.state, found.version, found.generation) != (State.CONNECTED, known.version, known.generation):
        return False
    # None, or a moment before: the result of our own probe is not written yet
    return found.last_probe_at is None or known.last_probe_at is None or found.last_probe_at <= known.last_probe_at
