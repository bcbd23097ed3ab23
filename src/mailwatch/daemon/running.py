"""Run, reload, stop in stages.

Start: open the store, serve HTTP, start the jobs, then READY=1.  SIGHUP reloads: the new file is checked whole first, the old
configuration stays when it is bad; a storm of signals becomes one reload.  SIGTERM or SIGINT: claim nothing more, let probes in
flight finish, cancel what hangs, flush, leave - in under 20 s.  A second one ends the process at once, which loses nothing that
was acknowledged.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable
from typing import Any, Final

from fastapi import FastAPI

from mailwatch import __version__
from mailwatch.core.incidents.circuit import CircuitState
from mailwatch.daemon.mailbox_series import MailboxSeries
from mailwatch.daemon.offices import Offices
from mailwatch.daemon.parts import Parts, Role, Tuning
from mailwatch.daemon.pushing import Pushing
from mailwatch.daemon.reloading import Reloading
from mailwatch.daemon.upkeep import Upkeep
from mailwatch.monitor.circuits import Circuits
from mailwatch.monitor.clock_watch import ClockWatch
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.dispatcher import Dispatcher
from mailwatch.monitor.scheduler import Job, Scheduler
from mailwatch.monitor.shared_clock import SharedClock
from mailwatch.monitor.worker import Voices, Worker
from mailwatch.ports import MailwatchError, StoreUnavailableError
from mailwatch.telemetry.loop_lag import LoopLag
from mailwatch.telemetry.systemd import Progress, Watchdog
from mailwatch.web.app import make_app
from mailwatch.web.server import WebServer, listen
from mailwatch.web.surface import Probing

#: Grace for probes in flight at a stop; with the stages behind it the whole stop stays below 20 s.
DRAIN_SECONDS: Final = 10.0
#: For token refreshes under way, …
NETWORK_CLOSE_SECONDS: Final = 3.0
#: … and then for the last writes of the store and the answers HTTP still owes.
CLOSE_SECONDS: Final = 5.0
#: Between two reloads by signal, at the least.
RELOAD_SECONDS: Final = 1.0


class Daemon:
    """One node of mailwatch."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._tuning = parts.tuning
        self._started = False
        self._stop = asyncio.Event()
        self._hangup = asyncio.Event()
        self.shared_clock = SharedClock(parts.store.clock_skew_seconds, parts.log, parts.metrics.clock_skew)
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
        circuits = Circuits(parts.tuning.circuit, changed=self._circuit_changed)
        self.dispatcher = Dispatcher(
            store=parts.store,
            worker=self.worker,
            clock=parts.clock,
            policy=parts.tuning.policy,
            paces=parts.tuning.paces,
            other=parts.tuning.other,
            max_in_flight=parts.tuning.max_in_flight,
            circuits=circuits,
            in_flight_changed=parts.metrics.in_flight,
            put_off=parts.metrics.put_off,
            may_claim=lambda: self.shared_clock.agrees,
            **({} if parts.idle_watch is None else {"decided": parts.idle_watch.decided}),
        )
        self.scheduler = Scheduler(parts.log, store_failed=parts.metrics.store_failed)
        self.offices = Offices(parts, own_url=lambda: self.url, roused=self._rouse, called_off=self.dispatcher.call_off)
        self.upkeep = Upkeep(parts, self.worker, self.dispatcher, self.connectivity, circuits, told=self.offices.gate.stop_at)
        self.reloading = Reloading(parts, retune=self._retune, sentence=self.upkeep.sentence)
        self.pushing = (
            None
            if parts.alerting is None
            else Pushing(parts, parts.alerting, page_url=lambda: self.offices.public_url, provider_of=self.upkeep.watch.provider_of)
        )
        self._rousing: asyncio.Task[None] | None = None
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
            parts.store.observe(write_seconds=self._stored, dropped=self._dropped, moved=parts.metrics.moved)
            self.offices.retune(parts.tuning)
            await parts.store.open(daemon=self._probes)
            await parts.store.campaigns.reconcile()  # rules may have changed, or an upgrade brought campaigns, while it was down
            await self.upkeep.counts()
            await self.upkeep.missing_keys()
            await self.upkeep.impaired()
            await self._tell_keys()
            await self.upkeep.refusals()
            await self.upkeep.windows()
            if self._probes:
                await self.upkeep.crowds()
            await self.shared_clock.compare()
        except BaseException:
            listener.close()
            await self._close_parts()
            raise
        self._web = WebServer(self._application(), listener, web_config=parts.web_config)
        self._web.start()
        self.offices.start()
        if self.pushing is not None:
            self.pushing.start()
        for job in self._jobs():
            self.scheduler.add(job)
        self.scheduler.start()
        self._started = True
        parts.metrics.reloaded(ok=True, at=parts.clock.now())
        parts.log.info("daemon.started", version=__version__, url=self.url, mailboxes=self.upkeep.mailboxes)
        if self._serves:
            await self.offices.open_setup()
        parts.notifier.ready(self.upkeep.sentence())

    def _application(self) -> FastAPI:
        parts = self.parts
        series = None if parts.series is None else MailboxSeries(parts.store.pages, parts.clock, parts.series)
        probing = Probing(
            parts.metrics.render,
            self._not_ready,
            self.status,
            self.reload,
            render_mailboxes=None if series is None else series.render,
            web_config=parts.web_config,
        )
        return make_app(self.offices.surface(probing) if self._serves else probing)

    async def shutdown(self) -> None:
        """Stop in stages; each is bounded."""
        parts = self.parts
        parts.notifier.stopping()
        parts.log.info("daemon.stopping", in_flight=self.dispatcher.in_flight)
        # together: a receiver of webhooks that hangs takes nothing from the time of probes
        stopping = [self.offices.stop()] if self.pushing is None else [self.offices.stop(), self.pushing.stop()]
        if parts.idle_watch is not None:
            stopping.append(parts.idle_watch.close())
        cancelled, *_ = await asyncio.gather(self.dispatcher.stop(DRAIN_SECONDS), *stopping)
        self.scheduler.stop()
        await self._close("keys.not_left", parts.store.node_keys.leave(self._seat), CLOSE_SECONDS / 5)
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
        return await self.reloading.reload()

    def status(self) -> dict[str, Any]:
        """What `mailwatch status` shows."""
        return {
            "version": __version__,
            "node": self.parts.node,
            "in_flight": self.dispatcher.in_flight,
            "self_connectivity": "up" if self.connectivity.is_up else "down",
            "pending_rows": self.parts.store.pending,
            **self.upkeep.status(),
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
        beat, upkeep = self._progress["scheduler"].beat, self.upkeep
        serving = [Job("bulk", 1.0, self.offices.work_off)] if self._serves else []
        kept = [
            Job("campaigns", 15.0, self.reloading.catch_up),
            Job("impaired", 15.0, upkeep.impaired),
            Job("keys", 1.0, self._tell_keys),
        ]
        if not self._probes:
            return [
                Job("counts", 5.0, self._counts),
                *kept,
                Job("incidents", 5.0, upkeep.watch.look),
                Job("alive", 5.0, self._all_well),
                *serving,
            ]
        return [
            # The jitter keeps two nodes out of step: in step, the one a moment behind would find nothing left to claim.
            Job("tick", self.parts.tick_seconds, self._tick, jitter_seconds=0.4 * self.parts.tick_seconds, beat=beat),
            Job("counts", 5.0, self._counts),
            *kept,
            Job("clock", 15.0, self.shared_clock.compare),
            Job("refusals", 5.0, upkeep.refusals),
            Job("windows", 5.0, upkeep.windows),
            Job("incidents", upkeep.evaluation_seconds, self._incidents),
            Job("troubles", 15.0, upkeep.troubles),
            Job("canary", 15.0, self.connectivity.ask_canary),
            Job("sweep", 60.0, self._sweep),
            *([] if self.parts.idle_watch is None else [Job("watch", 1.0, self.parts.idle_watch.review)]),
            Job("retention", 6 * 3600.0, upkeep.prune, jitter_seconds=1800.0),
            *serving,
        ]

    @property
    def _probes(self) -> bool:
        return self.parts.role is not Role.WEB

    @property
    def _serves(self) -> bool:
        return self.parts.role is not Role.PROBE

    async def _tell_keys(self) -> None:
        await self.parts.store.node_keys.tell(self._seat)

    @property
    def _seat(self) -> str:
        """How the database tells this process from others: beside a probing node there may be one that serves HTTP alone."""
        return self.parts.node if self._probes else f"{self.parts.node} (web)"

    async def _all_well(self) -> None:
        """Where nothing is probed or written, a running scheduler is all the progress there is."""
        for progress in self._progress.values():
            progress.beat()

    def _stored(self, seconds: float) -> None:
        self.parts.metrics.stored(seconds)
        self._progress["writer"].beat()

    def _dropped(self, mailbox_id: str, error: BaseException) -> None:
        self.parts.metrics.store_failed()
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

    async def _incidents(self) -> None:
        """Look for incidents; the node that judges is the one that tells of them."""
        watch = self.upkeep.watch
        await watch.evaluate()
        if self.pushing is not None and watch.on_duty:
            await self.pushing.tell(watch.open, settle_seconds=self._tuning.policy.interval_seconds)
        elif self.pushing is not None:
            self.pushing.forget()

    async def _counts(self) -> None:
        await self.upkeep.counts()
        if self._started:
            self.parts.notifier.status(self.upkeep.sentence())

    def _rouse(self) -> None:
        """A person made a mailbox due at once: nobody waits for the next tick."""
        if self._probes and self._started and (self._rousing is None or self._rousing.done()):
            self._rousing = asyncio.create_task(self._tick_once(), name="roused")

    async def _tick_once(self) -> None:
        try:
            await self._tick()
        except MailwatchError:
            return  # the next tick tells

    def _circuit_changed(self, gate: str, state: CircuitState) -> None:
        self.parts.metrics.circuit_changed(gate, state)
        self.parts.log.info("circuit.changed", gate=gate, state=state)

    async def _clock_jumped(self, seconds: float) -> None:
        del seconds  # ahead or back: what is due is judged by the clock as it is now
        self.scheduler.rouse()
        if self._probes:
            await self.shared_clock.compare()
            await self._sweep()

    async def _sweep(self) -> None:
        if self.shared_clock.agrees:  # by a wrong clock, the leases of others would look as if nobody could hold them
            await self.upkeep.sweep()

    def _retune(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self.worker.policy = tuning.policy
        self.dispatcher.retune(tuning.policy, tuning.paces, tuning.other, tuning.max_in_flight)
        self.upkeep.retune(tuning)
        if self.parts.idle_watch is not None:
            self.parts.idle_watch.retune(tuning.watch, tuning.pace_of)
        self.offices.retune(tuning)

    def _terminate(self) -> None:
        if self._stop.is_set():
            os._exit(128 + signal.SIGTERM)  # a second signal: everything acknowledged is in the database already
        self._stop.set()

    def _connectivity_changed(self, up: bool) -> None:  # noqa: FBT001  # the callback's one fact
        self.parts.metrics.connectivity(up)
        if up:
            self.parts.log.info("egress.restored")
        else:
            self.parts.log.error("egress.lost", reason=self.connectivity.fault or "correlation")

    def _not_ready(self) -> str | None:
        if not self._started:
            return "starting"
        if self._stop.is_set():
            return "stopping"
        return "the database does not answer" if self.offices.gate.has_lost_its_source else None

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Type and place only: the context of a failed protocol may hold what was being sent."""
        exception = context.get("exception")
        self.parts.log.error(
            "loop.exception", exception=type(exception).__name__ if exception else None, message=str(context.get("message"))[:200]
        )
