"""The coarse jobs of a daemon: what is counted, swept, pruned and learnt again and again, one job each."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from mailwatch.core import acts
from mailwatch.core.campaigns import Mode
from mailwatch.core.causes import Cause
from mailwatch.core.crowding import Crowd, crowds, least_crowd
from mailwatch.core.gates import OTHER_PROVIDER, gate_of_host
from mailwatch.core.impairments import sentence_of
from mailwatch.core.incidents.life import Incident
from mailwatch.core.lifecycle import IllegalMoveError, State
from mailwatch.core.oauth import GrantKind
from mailwatch.core.providers import provider_for_host
from mailwatch.core.quiet_hosts import QuietHost, quiet_hosts
from mailwatch.core.standing import Decision, Standing
from mailwatch.daemon.parts import Parts, Role, Tuning
from mailwatch.monitor.circuits import Circuits, gate_within
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.dispatcher import LEASE_MARGIN_SECONDS, Dispatcher
from mailwatch.monitor.incident_watch import IncidentWatch, WatchPolicy
from mailwatch.monitor.worker import Worker
from mailwatch.ports import Act, MailboxNotFoundError

_DAY: Final = timedelta(days=1)
#: How long bulk actions that have ended are kept with their results.
_JOB_DAYS: Final = 30
#: So long before a consent ends its owner is asked for a new one; those of some apps last no more than a week.
_CONSENT_WARNING: Final = timedelta(days=3)
_CONFIRMED: Final = Act("mailwatch", "incident.confirmed")
_BROUGHT_BACK: Final = Act("mailwatch", "incident.ended")


class Upkeep:
    """Keeps gauges, budgets, incidents, windows and history in order.  `tuning` may be replaced (reload).

    *told* hears which gates an incident has taken as a whole, with its cause.
    """

    def __init__(
        self,
        parts: Parts,
        worker: Worker,
        dispatcher: Dispatcher,
        connectivity: Connectivity,
        circuits: Circuits,
        *,
        told: Callable[[Mapping[str, Cause]], None] = lambda _gates: None,
    ) -> None:
        self._told = told
        self.tuning = parts.tuning
        self._parts = parts
        self._worker = worker
        self._dispatcher = dispatcher
        self._connectivity = connectivity
        self._circuits = circuits
        self._counts: dict[tuple[str, State], int] = {}
        self._crowds: Sequence[Crowd] = ()
        self._due: tuple[int, float] = (0, 0.0)
        self._impaired: Mapping[str, int] = {}
        self._put_off_to = parts.clock.now()
        self.watch = IncidentWatch(
            parts.store.incidents,
            connectivity,
            circuits,
            parts.clock,
            parts.log,
            policy=self._watch_policy(),
            bring_back=self._bring_back,
            confirm=self._confirm,
            changed=self._incidents_changed,
            windows=lambda: self._worker.windows,
        )
        self._tell_app_secrets()

    def retune(self, tuning: Tuning) -> None:
        """New numbers after a reload."""
        self.tuning = tuning
        self.watch.policy = self._watch_policy()
        self._circuits.policy = tuning.circuit
        self._tell_app_secrets()

    def _watch_policy(self) -> WatchPolicy:
        policy = self.tuning.policy
        return WatchPolicy(policy.interval_seconds, policy.recheck_seconds, detect=self.tuning.detect)

    @property
    def evaluation_seconds(self) -> float:
        """How often incidents are looked for: a few times an interval, so that an outage is told well within two."""
        return max(1.0, min(15.0, self.tuning.policy.interval_seconds / 10))

    @property
    def _round_seconds(self) -> float:
        """How long a mailbox that is well, suspected or proving itself may go without a look."""
        policy = self.tuning.policy
        return max(policy.interval_seconds, 1.25 * policy.confirm.secret_seconds, policy.verify.min_seconds)

    @property
    def mailboxes(self) -> int:
        """How many mailboxes there are."""
        return sum(self._counts.values())

    @property
    def watched(self) -> int:
        """How many of them are probed."""
        return sum(count for (_, state), count in self._counts.items() if state is not State.INACTIVE)

    # --- gauges ---

    def _tell_app_secrets(self) -> None:
        """When the client secrets end, as the configuration says."""
        apps = self.tuning.settings.oauth.items()
        expiries = {name: app.client_secret_expires for name, app in apps if app.client_secret_expires is not None}
        self._parts.metrics.set_app_secrets(expiries)

    async def counts(self) -> None:
        """What is where, and what waits."""
        parts = self._parts
        self._counts = dict(await parts.store.counts())
        self._dispatcher.fleet_size(self.watched)
        now = parts.clock.now()
        due, oldest_at = await parts.store.due_count(now, excluding=self._circuits.limited())
        self._due = (due, max(0.0, (now - oldest_at).total_seconds()) if oldest_at is not None else 0.0)
        parts.metrics.set_mailboxes(self._counts)
        if parts.role is not Role.WEB:  # a node that does not probe has no circuits, and cannot tell what waits on purpose
            parts.metrics.set_due(*self._due)
        parts.metrics.pending_rows(parts.store.pending)
        parts.metrics.log_bytes(parts.store.log_bytes())
        parts.metrics.set_campaigns(await parts.store.campaigns.counts())

    async def impaired(self) -> None:
        """What mailwatch cannot look at, for a fault of its own."""
        found = await self._parts.store.impaired()
        self._parts.metrics.set_impaired(found)
        by_reason: Counter[str] = Counter()
        for (_, reason), number in found.items():
            by_reason[reason] += number
        self._impaired = by_reason

    async def missing_keys(self) -> None:
        """Tell at the start which stored secrets nobody can open: each of their mailboxes would tell it one by one."""
        if missing := await self._parts.store.unopenable():
            self._parts.log.error(
                "keys.missing",
                key=" ".join(sorted(missing)),
                count=sum(missing.values()),
                reason="the key ring does not hold the keys that these secrets are sealed with; "
                "put back the ring that does, from its copy, and restart",
            )

    async def put_off(self) -> None:
        """Count the looks that fell due where no login may be sent: each once, by the node that judges."""
        since, self._put_off_to = self._put_off_to, self._parts.clock.now()
        if self.watch.on_duty and (gates := self._dispatcher.shut()):
            self._parts.metrics.put_off(await self._parts.store.gauges.fell_due(gates, since, self._put_off_to))

    async def troubles(self) -> None:
        """What somebody may have to look into."""
        parts, now = self._parts, self._parts.clock.now()
        gauges = parts.store.gauges
        waiting = await gauges.waiting(self.watch.open)
        parts.metrics.set_waiting({cause: number for cause, (number, _) in waiting.items()})
        parts.metrics.set_flapping(await gauges.flapping(self.tuning.policy.flap, now))
        parts.metrics.set_paused_longest(await gauges.paused_longest(now))
        limited = self._circuits.limited()
        stale = await gauges.stale(now, self._round_seconds, excluding=limited) if self._connectivity.is_up else 0
        parts.metrics.set_stale(stale)
        asks = parts.store.campaign_policy.mode is not Mode.OBSERVE
        parts.metrics.set_held_back((await parts.store.campaigns.held_back_counts())[0] if asks else 0)
        ending = await gauges.consents_ending(now, now + _CONSENT_WARNING)
        asked = [name for name, app in self.tuning.settings.oauth.items() if app.grant is GrantKind.CODE]
        parts.metrics.set_consents_ending({name: ending.get(name, 0) for name in asked})
        disabled = await parts.store.outbox.disabled()
        parts.metrics.set_webhooks({name: name in disabled for name in self.tuning.webhooks})

    def _incidents_changed(self, opened: Sequence[Incident]) -> None:
        self._parts.metrics.set_incidents(opened, self.watch.provider_of)
        self._told({gate: each.cause for each in opened if each.takes_all and (gate := gate_within(each)) is not None})

    # --- budgets, windows, incidents ---

    async def refusals(self) -> None:
        """Learn of the logins that any node saw refused."""
        window = timedelta(seconds=self.tuning.policy.budget.host_window_seconds)
        self._dispatcher.hosts.learn(await self._parts.store.refusals_since(self._parts.clock.now() - window))
        await self.put_off()

    async def windows(self) -> None:
        """Learn of declared maintenance."""
        self._worker.windows = tuple(await self._parts.store.maintenance.windows(self._parts.clock.now()))

    async def _bring_back(self, mailbox_id: str) -> None:
        """Make a mailbox due that an incident had stopped for good; its login budget holds."""
        now = self._parts.clock.now()
        try:
            await self._parts.store.change(mailbox_id, lambda standing: acts.bring_back(standing, now), _BROUGHT_BACK)
        except (IllegalMoveError, MailboxNotFoundError):
            return  # a person was quicker

    async def _confirm(self, mailbox_id: str, cause: Cause) -> None:
        """Take a suspicion for confirmed that an incident explains."""
        now, policy = self._parts.clock.now(), self.tuning.policy
        due_at = now + timedelta(seconds=policy.transient.first_seconds * (1 + self._parts.rng.random()))

        def confirmed(standing: Standing) -> Decision:
            return acts.confirm(standing, now, cause, due_at, policy.flap)

        try:
            await self._parts.store.change(mailbox_id, confirmed, _CONFIRMED)
        except (IllegalMoveError, MailboxNotFoundError):
            return  # a probe was quicker

    # --- history ---

    async def sweep(self) -> None:
        """Nothing may wait for a moment that its state does not allow."""
        policy, now = self.tuning.policy, self._parts.clock.now()
        longest = max(policy.max_hint_seconds, policy.throttled.max_seconds, policy.recheck_seconds)
        rescued = await self._parts.store.rescue(
            now,
            steady=now + timedelta(seconds=2 * self._round_seconds),
            patient=now + timedelta(seconds=2 * longest),
            lease=now + timedelta(seconds=10 * (policy.timeout_seconds + LEASE_MARGIN_SECONDS)),
        )
        if rescued:
            self._parts.log.warning("mailboxes.rescued", count=rescued)
        await self.crowds()

    async def crowds(self) -> None:
        """Find the gates whose mailboxes are more than their pace can look at within the interval; each is logged once."""
        tuning, known = self.tuning, {crowd.gate for crowd in self._crowds}
        interval_seconds = tuning.policy.interval_seconds
        least = least_crowd(tuning.paces, tuning.other, interval_seconds)
        watched = await self._parts.store.watched_by_gate(least) if self.watched > least else {}
        self._crowds = crowds(watched, lambda gate: tuning.paces.get(gate, tuning.other), interval_seconds)
        for crowd in self._crowds:
            if crowd.gate not in known:
                self._parts.log.warning("pace.too_slow", gate=crowd.gate, count=crowd.mailboxes, reason=str(crowd))

    async def prune(self) -> None:
        """Forget what is older than the retention, and what has ended of sessions, links and bulk actions."""
        transitions, audit = self.tuning.retention_days
        now, store = self._parts.clock.now(), self._parts.store
        removed = await store.prune(now - transitions * _DAY, audit_before=now - audit * _DAY)
        removed += await store.people.tidy(now)
        removed += await store.jobs.prune(now - _JOB_DAYS * _DAY)
        self._parts.log.info("history.pruned", rows=removed)

    # --- words ---

    def status(self) -> dict[str, Any]:
        """What `mailwatch status` shows of the fleet."""
        states: dict[str, int] = {}
        for (_, state), count in self._counts.items():
            states[state] = states.get(state, 0) + count
        due, lag = self._due
        return {
            "states": states,
            "due": due,
            "lag_seconds": round(lag, 3),
            "impaired": [
                {"reason": reason, "mailboxes": number, "sentence": sentence_of(reason)}
                for reason, number in sorted(self._impaired.items())
            ],
            "quiet_hosts": [each.sentence for each in self._quiet_hosts()],
            "too_slow": [str(crowd) for crowd in self._crowds],
            "incidents": [f"{each.scope.kind}:{each.scope.name} {each.cause}" for each in self.watch.open],
            "sentence": self.sentence(),
        }

    def _quiet_hosts(self) -> list[QuietHost]:
        def is_strict(host: str) -> bool:
            provider = provider_for_host(host)
            return self.tuning.pace_of(gate_of_host(host) if provider == OTHER_PROVIDER else provider).per_address_bans

        return quiet_hosts(self._dispatcher.hosts, self._parts.clock.now(), is_strict)

    def sentence(self) -> str:
        """One line for a person: what the fleet looks like now."""
        by_state = {state: sum(n for (_, s), n in self._counts.items() if s is state) for state in State}
        words = ", ".join(f"{count} {state}" for state, count in by_state.items() if count) or "no mailboxes"
        if unseen := sum(self._impaired.values()):
            words += f"; {unseen} cannot be looked at"
        if not self._connectivity.is_up:
            return f"{words}; own network is down, no verdicts"
        troubled = [each.scope.name for each in self.watch.open]
        return f"{words}; incident at {', '.join(troubled[:3])}" if troubled else words
