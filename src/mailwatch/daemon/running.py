"""Run, reload, stop in stages.

Start: open the store, serve HTTP, start the jobs, then READY=1.  SIGHUP reloads: the new file is checked whole first, the old
configuration stays when it is bad; a storm of signals becomes one reload.  SIGTERM or SIGINT: claim nothing more, let probes in
flight finish, cancel what hangs, flush, leave - in under 20 s.  A second one ends the process at once, which loses nothing that
was acknowledged.
"""

import asyncio
import os
import signal
from datetime import timedelta
from typing import Any, Final

from mailwatch import __version__
from mailwatch.core.lifecycle import State
from mailwatch.daemon.parts import Parts, Tuning
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.dispatcher import Dispatcher
from mailwatch.monitor.scheduler import Job, Scheduler
from mailwatch.monitor.worker import Voices, Worker
from mailwatch.ports import MailwatchError
from mailwatch.telemetry.loop_lag import LoopLag
from mailwatch.telemetry.systemd import Progress, Watchdog
from mailwatch.web.app import Surface, make_app
from mailwatch.web.server import WebServer, listen

#: Grace for probes in flight at a stop; with the stages behind it the whole stop stays below 20 s.
DRAIN_SECONDS: Final = 10.0
_DAY: Final = timedelta(days=1)


class Daemon:
    """One node of mailwatch."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._tuning = parts.tuning
        self._counts: dict[tuple[str, State], int] = {}
        self._due: tuple[int, float] = (0, 0.0)
        self._started = False
        self._stop = asyncio.Event()
        self._hangup = asyncio.Event()
        self.connectivity = Connectivity(parts.clock, parts.canary, self._connectivity_changed)
        self.worker = Worker(
            store=parts.store,
            prober=parts.prober,
            connectivity=self.connectivity,
            policy=parts.tuning.policy,
            clock=parts.clock,
            rng=parts.rng,
            voices=Voices(parts.metrics, parts.log, parts.live),
        )
        self.dispatcher = Dispatcher(
            store=parts.store,
            worker=self.worker,
            clock=parts.clock,
            policy=parts.tuning.policy,
            paces=parts.tuning.paces,
            other=parts.tuning.other,
            max_in_flight=parts.tuning.max_in_flight,
            in_flight_changed=parts.metrics.in_flight,
        )
        self.scheduler = Scheduler(parts.log)
        self._progress = {
            name: Progress(name, limit) for name, limit in (("scheduler", 30.0), ("prober", 120.0), ("writer", 120.0))
        }
        self._web: WebServer | None = None

    @property
    def url(self) -> str:
        """Where HTTP is served; only while running."""
        return self._web.url if self._web is not None else ""

    async def run(self) -> None:
        """Until a signal or `stop`; raises MailwatchError when it cannot start."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._unhandled)
        await self.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._terminate)
        loop.add_signal_handler(signal.SIGHUP, self._hangup.set)
        try:
            await self._serve()
        finally:
            await self.shutdown()

    def stop(self) -> None:
        """Ask a running daemon to end."""
        self._stop.set()

    async def start(self) -> None:
        """Everything up to READY=1."""
        parts = self.parts
        listener = listen(parts.listen)
        try:
            parts.store.observe(write_seconds=self._stored, dropped=self._dropped)
            await parts.store.open(daemon=True)
            await self._refresh_counts()
            await self._learn_refusals()
        except BaseException:
            listener.close()
            raise
        self._web = WebServer(make_app(Surface(parts.metrics.render, self._not_ready, self.status, self.reload)), listener)
        self._web.start()
        for job in self._jobs():
            self.scheduler.add(job)
        self.scheduler.start()
        self._started = True
        parts.metrics.reloaded(ok=True, at=parts.clock.now())
        parts.log.info("daemon.started", version=__version__, url=self.url, mailboxes=sum(self._counts.values()))
        parts.notifier.ready(self._sentence())

    async def shutdown(self) -> None:
        """Stop in stages; each is bounded."""
        parts = self.parts
        parts.notifier.stopping()
        parts.log.info("daemon.stopping", in_flight=self.dispatcher.in_flight)
        cancelled = await self.dispatcher.stop(DRAIN_SECONDS)
        self.scheduler.stop()
        try:
            await asyncio.wait_for(parts.store.close(), timeout=5.0)
        except (TimeoutError, MailwatchError) as error:
            parts.log.error("store.not_closed", exception=type(error).__name__)
        if self._web is not None:
            await self._web.stop()
        if parts.close is not None:
            await asyncio.wait_for(parts.close(), timeout=2.0)
        parts.log.info("daemon.stopped", cancelled=cancelled)

    async def reload(self) -> str | None:
        """Read the configuration anew; what is wrong with it, or None when it is in force."""
        parts = self.parts
        if parts.reload is None:
            return "this daemon was started without a configuration file"
        parts.notifier.reloading()
        try:
            tuning = await parts.reload()
        except MailwatchError as error:
            parts.metrics.reloaded(ok=False, at=parts.clock.now())
            parts.log.error("config.not_reloaded", error=str(error))
            return str(error)
        finally:
            parts.notifier.ready(self._sentence())
        self._retune(tuning)
        parts.metrics.reloaded(ok=True, at=parts.clock.now())
        parts.log.info("config.reloaded")
        return None

    def status(self) -> dict[str, Any]:
        """What `mailwatch status` shows."""
        states: dict[str, int] = {}
        for (_, state), count in self._counts.items():
            states[state] = states.get(state, 0) + count
        due, lag = self._due
        return {
            "version": __version__,
            "node": self.parts.node,
            "states": states,
            "due": due,
            "lag_seconds": round(lag, 3),
            "in_flight": self.dispatcher.in_flight,
            "self_connectivity": "up" if self.connectivity.is_up else "down",
            "pending_rows": self.parts.store.pending,
            "sentence": self._sentence(),
        }

    async def _serve(self) -> None:
        """Wait for signals; reload on SIGHUP."""
        lag = LoopLag(self.parts.metrics.loop_lag)
        watchdog = Watchdog(self.parts.notifier, list(self._progress.values()))
        duties = [asyncio.create_task(lag.run()), asyncio.create_task(watchdog.run()), asyncio.create_task(self._reloads())]
        try:
            await self._stop.wait()
        finally:
            for duty in duties:
                duty.cancel()
            await asyncio.gather(*duties, return_exceptions=True)

    async def _reloads(self) -> None:
        while True:
            await self._hangup.wait()
            self._hangup.clear()
            await self.reload()

    def _jobs(self) -> list[Job]:
        beat = self._progress["scheduler"].beat
        return [
            # The jitter keeps two nodes out of step: in step, the one a moment behind would find nothing left to claim.
            Job("tick", self.parts.tick_seconds, self._tick, jitter_seconds=0.4 * self.parts.tick_seconds, beat=beat),
            Job("counts", 5.0, self._refresh_counts),
            Job("refusals", 5.0, self._learn_refusals),
            Job("canary", 15.0, self.connectivity.ask_canary),
            Job("retention", 6 * 3600.0, self._prune, jitter_seconds=1800.0),
        ]

    def _stored(self, seconds: float) -> None:
        self.parts.metrics.stored(seconds)
        self._progress["writer"].beat()

    def _dropped(self, mailbox_id: str, error: BaseException) -> None:
        self.parts.log.error("result.not_stored", mailbox=mailbox_id, exception=type(error).__name__)

    async def _tick(self) -> None:
        before = self.dispatcher.in_flight
        await self.dispatcher.tick()
        # In flight below the cap means that probes end; at the cap, only a probe that ended since the last tick does.
        if self.dispatcher.in_flight < max(1, self._tuning.max_in_flight) or self.dispatcher.in_flight < before:
            self._progress["prober"].beat()
        if self.parts.store.pending == 0:
            self._progress["writer"].beat()

    async def _refresh_counts(self) -> None:
        parts = self.parts
        self._counts = dict(await parts.store.counts())
        watched = sum(count for (_, state), count in self._counts.items() if state is not State.INACTIVE)
        self.dispatcher.fleet_size(watched)
        due, oldest_at = await parts.store.due_count(parts.clock.now())
        lag = max(0.0, (parts.clock.now() - oldest_at).total_seconds()) if oldest_at is not None else 0.0
        self._due = (due, lag)
        parts.metrics.set_mailboxes(self._counts)
        parts.metrics.set_due(due, lag)
        parts.metrics.pending_rows(parts.store.pending)
        if self._started:
            parts.notifier.status(self._sentence())

    async def _learn_refusals(self) -> None:
        window = timedelta(seconds=self._tuning.policy.budget.host_window_seconds)
        self.dispatcher.hosts.learn(await self.parts.store.refusals_since(self.parts.clock.now() - window))

    async def _prune(self) -> None:
        transitions, audit = self._tuning.retention_days
        now = self.parts.clock.now()
        removed = await self.parts.store.prune(now - transitions * _DAY, audit_before=now - audit * _DAY)
        self.parts.log.info("history.pruned", rows=removed)

    def _retune(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self.worker.policy = tuning.policy
        self.dispatcher.retune(tuning.policy, tuning.paces, tuning.other, tuning.max_in_flight)

    def _terminate(self) -> None:
        if self._stop.is_set():
            os._exit(128 + signal.SIGTERM)  # a second signal: everything acknowledged is in the database already
        self._stop.set()

    def _connectivity_changed(self, up: bool) -> None:  # noqa: FBT001  # the callback's one fact
        self.parts.metrics.connectivity(up)
        say = self.parts.log.info if up else self.parts.log.error
        say("egress.restored" if up else "egress.lost")

    def _not_ready(self) -> str | None:
        if not self._started:
            return "starting"
        return "stopping" if self._stop.is_set() else None

    def _sentence(self) -> str:
        """One line for a person: what the fleet looks like now."""
        by_state = {state: sum(n for (_, s), n in self._counts.items() if s is state) for state in State}
        words = ", ".join(f"{count} {state}" for state, count in by_state.items() if count)
        return (words or "no mailboxes") + ("" if self.connectivity.is_up else "; own network is down, no verdicts")

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Type and place only: the context of a failed protocol may hold what was being sent."""
        exception = context.get("exception")
        self.parts.log.error(
            "loop.exception", exception=type(exception).__name__ if exception else None, message=str(context.get("message"))[:200]
        )
