"""Run, reload, stop in stages.

Start: open the store, serve HTTP, start the jobs, then READY=1.  SIGHUP reloads: the new file is checked whole first, the old
configuration stays when it is bad; a storm of signals becomes one reload.  SIGTERM or SIGINT: claim nothing more, let probes in
flight finish, cancel what hangs, flush, leave - in under 20 s.  A second one ends the process at once, which loses nothing that
was acknowledged.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from mailwatch import __version__
from mailwatch.core.lifecycle import State
from mailwatch.daemon.parts import Parts, Role, Tuning
from mailwatch.monitor.clock_watch import ClockWatch
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.dispatcher import LEASE_MARGIN_SECONDS, Dispatcher
from mailwatch.monitor.scheduler import Job, Scheduler
from mailwatch.monitor.worker import Voices, Worker
from mailwatch.ports import MailwatchError, StoreUnavailableError
from mailwatch.telemetry.loop_lag import LoopLag
from mailwatch.telemetry.systemd import Progress, Watchdog
from mailwatch.web.app import Surface, make_app
from mailwatch.web.server import WebServer, listen

#: Grace for probes in flight at a stop; with the stages behind it the whole stop stays below 20 s.
DRAIN_SECONDS: Final = 10.0
#: For token refreshes under way, …
NETWORK_CLOSE_SECONDS: Final = 3.0
#: … and then for the last writes of the store and the answers HTTP still owes.
CLOSE_SECONDS: Final = 5.0
#: Between two reloads by signal, at the least.
RELOAD_SECONDS: Final = 1.0
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
        self._reloading = asyncio.Lock()
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
        # Before READY=1: whoever signals as soon as the daemon is ready must not meet the default of SIGHUP, which kills.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._terminate)
        loop.add_signal_handler(signal.SIGHUP, self._hangup.set)
        await self.start()
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
            await parts.store.open(daemon=self._probes)
            await self._refresh_counts()
            await self._learn_refusals()
        except BaseException:
            listener.close()
            await self._close_parts()
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
        await self._close_parts()
        parts.log.info("daemon.stopped", cancelled=cancelled)

    async def _close_parts(self) -> None:
        """Flush and close; what cannot be closed is told, and holds nobody up.

        The network comes first: a token that was rotated a moment ago must still reach the store.
        """
        parts = self.parts
        if parts.close is not None:
            await self._close("network.not_closed", parts.close(), NETWORK_CLOSE_SECONDS)
        closing = [self._close("store.not_closed", parts.store.close())]
        if self._web is not None:
            closing.append(self._close("web.not_closed", self._web.stop()))
        await asyncio.gather(*closing)

    async def _close(self, fault: str, closing: Awaitable[None], seconds: float = CLOSE_SECONDS) -> None:
        try:
            await asyncio.wait_for(closing, timeout=seconds)
        except Exception as error:  # noqa: BLE001  # whatever it is, the rest is to be closed all the same
            self.parts.log.error(fault, exception=type(error).__name__)

    async def reload(self) -> str | None:
        """Read the configuration anew; what is wrong with it, or None when it is in force."""
        if self.parts.reload is None:
            return "this daemon was started without a configuration file"
        async with self._reloading:  # by a signal and over HTTP at once: the file that was read last is the one in force
            self.parts.notifier.reloading()
            try:
                fault = await self._reload(self.parts.reload)
            finally:
                self.parts.notifier.ready(self._sentence())
        return fault

    async def _reload(self, read: Callable[[], Awaitable[Tuning]]) -> str | None:
        parts = self.parts
        fault: str | None = None
        try:
            self._retune(await read())
            parts.log.info("config.reloaded")
        except MailwatchError as error:
            fault = str(error)
            parts.log.error("config.not_reloaded", error=fault)
        except Exception as error:  # a bug must not end the answering of signals
            fault = f"mailwatch could not read it: {type(error).__name__}; the log has more"
            parts.log.error("config.not_reloaded", error=fault, exc_info=error)
        parts.metrics.reloaded(ok=fault is None, at=parts.clock.now())
        return fault

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
        clocks = ClockWatch(self.parts.clock, self.parts.log, self._clock_jumped, self.connectivity.alive)
        duties = [asyncio.create_task(duty) for duty in (lag.run(), watchdog.run(), clocks.run(), self._reloads())]
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
            await asyncio.sleep(RELOAD_SECONDS)  # all signals that come meanwhile are one more reload

    def _jobs(self) -> list[Job]:
        beat = self._progress["scheduler"].beat
        if not self._probes:
            return [Job("counts", 5.0, self._refresh_counts), Job("alive", 5.0, self._all_well)]
        return [
            # The jitter keeps two nodes out of step: in step, the one a moment behind would find nothing left to claim.
            Job("tick", self.parts.tick_seconds, self._tick, jitter_seconds=0.4 * self.parts.tick_seconds, beat=beat),
            Job("counts", 5.0, self._refresh_counts),
            Job("refusals", 5.0, self._learn_refusals),
            Job("canary", 15.0, self.connectivity.ask_canary),
            Job("sweep", 60.0, self._sweep),
            Job("retention", 6 * 3600.0, self._prune, jitter_seconds=1800.0),
        ]

    @property
    def _probes(self) -> bool:
        return self.parts.role is not Role.WEB

    async def _all_well(self) -> None:
        """Where nothing is probed or written, a running scheduler is all the progress there is."""
        for progress in self._progress.values():
            progress.beat()

    def _stored(self, seconds: float) -> None:
        self.parts.metrics.stored(seconds)
        self._progress["writer"].beat()

    def _dropped(self, mailbox_id: str, error: BaseException) -> None:
        self.parts.log.error("result.not_stored", mailbox=mailbox_id, exception=type(error).__name__)

    async def _tick(self) -> None:
        # In flight below the cap means that probes end - also when the tick fills their places at once.
        least = self.dispatcher.in_flight
        try:
            await self.dispatcher.tick()
        except StoreUnavailableError:
            # The database is away, and no restart brings it back: what waits to be written would only be lost by one.
            for part in self._progress.values():
                part.beat()
            raise
        least = min(least, self.dispatcher.in_flight)
        if least < max(1, self._tuning.max_in_flight):
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

    async def _clock_jumped(self, seconds: float) -> None:
        del seconds  # ahead or back: what is due is judged by the clock as it is now
        self.scheduler.rouse()
        if self._probes:
            await self._sweep()

    async def _sweep(self) -> None:
        """Nothing may wait for a moment that its state does not allow."""
        policy, now = self._tuning.policy, self.parts.clock.now()
        round_seconds = max(policy.interval_seconds, 1.25 * policy.confirm.secret_seconds, policy.verify.min_seconds)
        longest = max(policy.max_hint_seconds, policy.throttled.max_seconds, policy.recheck_seconds)
        rescued = await self.parts.store.rescue(
            now,
            steady=now + timedelta(seconds=2 * round_seconds),
            patient=now + timedelta(seconds=2 * longest),
            lease=now + timedelta(seconds=10 * (policy.timeout_seconds + LEASE_MARGIN_SECONDS)),
        )
        if rescued:
            self.parts.log.warning("mailboxes.rescued", count=rescued)

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
