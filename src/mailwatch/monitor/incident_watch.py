"""Correlation as a coarse job: reads what failed, opens, grows and closes incidents.

Only one node evaluates (a duty with a lease), one that sees well where there is such a one; every node follows the open incidents
for its gauges, and every node that probes for its circuits.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.baseline import Baseline, expected_share, learn
from mailwatch.core.incidents.circuit import CircuitPolicy
from mailwatch.core.incidents.detect import DetectPolicy, Finding, Group, Look, detect
from mailwatch.core.incidents.life import Change, Incident, LifePolicy, News, Signs, advance
from mailwatch.core.incidents.picture import FreshFailures, Recent, begins, by_scope, holders, is_of, signs_of, signs_of_uplink
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind, Traits
from mailwatch.core.maintenance import Window, covering
from mailwatch.core.providers import OTHER
from mailwatch.monitor.circuits import Circuits, gate_within, scope_of
from mailwatch.monitor.connectivity import Connectivity
from mailwatch.monitor.incident_returns import RETURN_SECONDS, Returns
from mailwatch.ports import Clock, EventLog
from mailwatch.ports.incidents import Incidents

#: Two intervals: each mailbox was looked at at least once.
WINDOW_INTERVALS: Final = 2.0
#: What counts as lately, in intervals: long enough for some retries, short enough to see the end of an outage.
LATELY_INTERVALS: Final = 0.4
#: How often the fleet is counted by scope, and the baselines are learnt.
COUNT_SECONDS: Final = 600.0
#: How old that count may be when an incident is opened on it: mailboxes are added, and first looks come in.
STALE_SECONDS: Final = 10.0
_DUTY: Final = "incidents"
#: Whoever sees well and has not the duty; without such a one even a node whose own uplink is broken goes on with it.
_STANDBY: Final = "incidents.standby"
_DUTY_SECONDS: Final = 60.0
#: So long after a look that found our own side to blame nobody is judged; each further one says it anew.
_DOUBT_SECONDS: Final = 60.0
#: How long what fails by itself is away, for the most part.
_USUAL_AWAY_SECONDS: Final = 1800.0
#: What a run of failures that opens a circuit says of its gate.
_TRIPPED_SHARE: Final = CircuitPolicy().trip_share


@dataclass(frozen=True, slots=True)
class WatchPolicy:
    """The numbers of the watch; durations in seconds."""

    interval_seconds: float = 300.0
    feeler_seconds: float = 1800.0  #: how often an incident is felt for that stopped all of its mailboxes
    detect: DetectPolicy = field(default_factory=DetectPolicy)
    life: LifePolicy = field(default_factory=LifePolicy)


class IncidentWatch:
    """Evaluates and remembers.  *bring_back(mailbox id)* makes a stopped mailbox due again, within its login budget;
    *confirm(mailbox id, cause)* takes a suspicion for confirmed; *windows* tells of declared maintenance.
    """

    def __init__(
        self,
        incidents: Incidents,
        connectivity: Connectivity,
        circuits: Circuits,
        clock: Clock,
        log: EventLog,
        *,
        policy: WatchPolicy,
        bring_back: Callable[[str], Awaitable[None]],
        confirm: Callable[[str, Cause], Awaitable[None]],
        changed: Callable[[Sequence[Incident]], None] = lambda _open: None,
        windows: Callable[[], Sequence[Window]] = tuple,
    ) -> None:
        self._policy = policy
        self._incidents = incidents
        self._connectivity = connectivity
        self._circuits = circuits
        self._clock = clock
        self._log = log
        self._returns = Returns(incidents, circuits, clock, bring_back=bring_back, confirm=confirm)
        self._changed = changed
        self._windows = windows
        self._sizes: Mapping[Scope, int] = {}
        self._holders: Mapping[Scope, Collection[Scope]] = {}
        self._baselines: Mapping[Scope, Baseline] = {}
        self._counted_at: float | None = None  # monotonic, as is the next
        self._learnt_at: float | None = None
        self._unexplained: Counter[Scope] = Counter()
        self._noted_to: datetime | None = None
        self._over: set[str] = set()  # incidents that were seen to be over while their circuit is on its ramp
        self._doubting = False
        self.open: Sequence[Incident] = ()
        self._on_duty = False

    @property
    def policy(self) -> WatchPolicy:
        """The numbers; may be replaced (reload), and then what waits for a person to mend something is tried soon."""
        return self._policy

    @policy.setter
    def policy(self, policy: WatchPolicy) -> None:
        self._policy = policy
        self._returns.feel_soon()

    @property
    def on_duty(self) -> bool:
        """Whether this node is the one that evaluates, as of its last look."""
        return self._on_duty

    async def evaluate(self) -> None:
        """One look; raises MailwatchError when the database cannot be read."""
        now = self._clock.now()
        known = await self._incidents.known(now - timedelta(seconds=max(RETURN_SECONDS, self.policy.life.reopen_seconds)))
        await self._count()
        self._on_duty = await self._takes_duty(now)
        if self._on_duty:
            known = await self._evaluate(known, now)
        self._follow(known)
        self._circuits.follow(self.open, self._clock.monotonic())
        self._doubt_ourselves()

    async def look(self) -> None:
        """Learn of the open incidents without evaluating: for nodes that only serve, and therefore have no circuits."""
        await self._count()
        self._follow(await self._incidents.known(self._clock.now()))

    async def _takes_duty(self, now: datetime) -> bool:
        """Whether this node evaluates now: not while its own uplink is broken, if another one sees well."""
        if not self._connectivity.watch.is_down:
            mine = await self._incidents.hold(_DUTY, now, _DUTY_SECONDS)
            if not mine:
                await self._incidents.hold(_STANDBY, now, _DUTY_SECONDS)
            return mine
        if await self._incidents.hold(_STANDBY, now, 0.0):
            return await self._incidents.hold(_DUTY, now, _DUTY_SECONDS)
        if self._on_duty:
            await self._incidents.hold(_DUTY, now, 0.0)  # given up: the other one has it with its next look
        return False

    def _doubt_ourselves(self) -> None:
        """While an incident blames our own side that only correlation could see, no failure is held against a mailbox."""
        if any(_is_detected(each) for each in self.open):
            self._connectivity.doubt(_DOUBT_SECONDS)
            self._doubting = True
        elif self._doubting:
            self._connectivity.doubt(0.0)
            self._doubting = False

    def provider_of(self, scope: Scope) -> str:
        """The provider that (nearly) all mailboxes of *scope* are at, `other` where there is none."""
        if scope.kind is ScopeKind.PROVIDER:
            return scope.name
        holders = self._holders.get(scope, ())
        return next((each.name for each in holders if each.kind is ScopeKind.PROVIDER), OTHER)

    def _follow(self, known: Sequence[Incident]) -> None:
        self.open = tuple(each for each in known if each.is_open)
        self._changed(self.open)

    async def _evaluate(self, known: Sequence[Incident], now: datetime) -> Sequence[Incident]:
        await self._learn()
        uplink, signs = self._uplink(known, now), {}
        if uplink is not None or self._connectivity.watch.is_down:
            news = [] if uplink is None else [uplink]  # while our own network is broken nobody else is judged
        else:
            window = timedelta(seconds=WINDOW_INTERVALS * self.policy.interval_seconds)
            begun = begins(each for each in known if each.is_open) | {now - window}
            recent = await self._incidents.recent(now - window, now - timedelta(seconds=self._lately_seconds), begun)
            known, overrun = self._overrun(known, recent, now)
            if self._are_new(findings := self._findings(known, recent, now), known) and await self._count(STALE_SECONDS):
                findings = self._findings(known, recent, now)
            signs = {each.scope: self._signs(each, recent, now) for each in known if each.is_open}
            news = self._judge(known, signs, findings, now)
            self._note(recent, known, news, now)
            said = {each.incident.id for each in news}
            news += [News(Change.GREW, each) for each in overrun if each.id not in said]
            news += self._widened(known, news)
        await self._incidents.save([each.incident for each in news])
        for step in news:
            await self._tell(step)
        changed = {step.incident.id: step.incident for step in news}
        after = [changed.pop(each.id, each) for each in known] + list(changed.values())
        for each in after:
            await self._returns.step(each, signs.get(each.scope), self.policy.feeler_seconds)
        return after

    @property
    def _lately_seconds(self) -> float:
        return max(10.0, LATELY_INTERVALS * self.policy.interval_seconds)

    def _signs(self, incident: Incident, recent: Recent, now: datetime) -> Signs:
        """What *incident* shows, beside what its scope shows by itself."""
        size, rate = self._sizes.get(incident.scope, 0), self._baselines.get(incident.scope, Baseline())
        return (signs_of_uplink if incident.scope == EGRESS else signs_of)(
            incident,
            recent,
            now,
            usual_fresh=size * expected_share(rate, self._lately_seconds),
            usual_away=size * expected_share(rate, _USUAL_AWAY_SECONDS),
        )

    def _findings(self, known: Sequence[Incident], recent: Recent, now: datetime) -> Sequence[Finding]:
        seconds = WINDOW_INTERVALS * self.policy.interval_seconds
        failed = [each for each in recent.fresh if _still_counts(each, known)]
        begin = now - timedelta(seconds=seconds)
        # what is away since before the window cannot fail newly: a share is of what was well
        away = by_scope((each.traits, each.count) for each in recent.failing if each.after is None or each.after < begin)
        well = {scope: size - away.get(scope, 0) for scope, size in self._sizes.items()}
        look = Look(
            [Group(each.traits, each.cause, each.count) for each in failed],
            {**well, **self._looked_at(failed)},
            {scope: expected_share(rate, seconds) for scope, rate in self._baselines.items()},
            expected_share(Baseline(), seconds),
        )
        return detect(look, self.policy.detect)

    def _looked_at(self, failed: Sequence[FreshFailures]) -> Mapping[Scope, int]:
        """Where only canaries look, no more than what tripped the circuit: of that most failed, of the fleet it is little."""
        totals = by_scope((each.traits, each.count) for each in failed)
        tripped = (scope_of(gate) for gate in self._circuits.limited() if self._circuits.is_open(gate))
        return {scope: min(self._sizes.get(scope, 0), math.ceil(totals[scope] / _TRIPPED_SHARE)) for scope in tripped}

    @staticmethod
    def _are_new(findings: Sequence[Finding], known: Sequence[Incident]) -> bool:
        """Whether one of them would open an incident: then shares must be of the fleet as it is now."""
        return not {finding.scope for finding in findings} <= {each.scope for each in known if each.is_open}

    def _judge(
        self, known: Sequence[Incident], signs: Mapping[Scope, Signs], findings: Sequence[Finding], now: datetime
    ) -> list[News]:
        """What changes; where our uplink was known to be down, what it knows of itself decides."""
        others = [each for each in known if each.scope != EGRESS or _is_detected(each)]
        life = replace(self.policy.life, least=self.policy.detect.min_failures)
        news = advance(others, findings, signs, self._holders, now, life)
        news = [replace(each, incident=self._measured(each.incident)) for each in news]
        return self._with_their_circuits(others, news, now)

    def _with_their_circuits(self, known: Sequence[Incident], news: Sequence[News], now: datetime) -> list[News]:
        """*news*, but no incident ends before its circuit lets all through: until then most of its mailboxes have not looked."""
        limited = self._circuits.limited()
        told = {each.incident.id: each for each in news}
        for each in known:
            gate, step = gate_within(each), told.get(each.id)
            if not each.is_open or self._circuits.is_open(gate):
                self._over.discard(each.id)  # over, or a relapse
            ends = step is not None and step.change is Change.CLOSED
            if gate in limited and step is not None and ends:
                del told[each.id]
                self._over.add(each.id)
            elif gate not in limited and not ends and each.id in self._over:
                told[each.id] = News(Change.CLOSED, replace(self._measured(each), closed_at=now))
        return list(told.values())

    def _measured(self, incident: Incident) -> Incident:
        """With the size of its scope; where nearly every look failed until only canaries were sent, it takes the whole of it.

        The share of fresh failures alone would stay small there: nobody else looks any more.
        """
        share = max(incident.peak_share, self._circuits.failing_share(gate_within(incident)))
        return replace(incident, size=self._sizes.get(incident.scope, incident.failed), peak_share=share)

    def _widened(self, known: Sequence[Incident], news: Sequence[News]) -> list[News]:
        """Open incidents nothing else is said of, that turn out to take their whole scope, or more of it than was known."""
        said = {each.incident.id for each in news}
        others = [each for each in known if each.is_open and each.id not in said and each.scope != EGRESS]
        wider = [(self._measured(each), each) for each in others]
        return [News(Change.GREW, now) for now, before in wider if now.takes_all and now.affected > before.affected]

    def _overrun(self, known: Sequence[Incident], recent: Recent, now: datetime) -> tuple[Sequence[Incident], Sequence[Incident]]:
        """*known*, and those of it that were declared maintenance until now and fail for a reason of their own since."""
        overrun: dict[str, Incident] = {}
        for each in known:
            cause = self._own_cause(each, recent, now) if each.is_open and each.cause is Cause.PLATFORM_MAINTENANCE else None
            if cause is not None:
                overrun[each.id] = replace(each, cause=cause)
                self._log.warning("incident.outlasts_maintenance", incident=each.id, cause=cause)
        return [overrun.get(each.id, each) for each in known], tuple(overrun.values())

    def _own_cause(self, incident: Incident, recent: Recent, now: datetime) -> Cause | None:
        """What most of those fail with that failed in *incident* and whose window is over, if they are enough for an incident."""
        causes: Counter[Cause] = Counter()
        looked: Counter[Cause] = Counter()
        windows = tuple(self._windows())
        for each in recent.failing:
            theirs = incident.scope in each.traits.scopes() and is_of(incident, each) and not each.blocked
            if theirs and each.cause is not None and covering(windows, each.traits, now) is None:
                causes[each.cause] += each.count
                looked[each.cause] += each.lately
        latest = max((cause for cause in causes if looked[cause]), key=lambda cause: (looked[cause], cause), default=incident.cause)
        enough = causes[latest] >= self.policy.detect.min_failures
        return latest if latest is not incident.cause and enough else None

    def _uplink(self, known: Sequence[Incident], now: datetime) -> News | None:
        """The incident of our own uplink follows what connectivity knows at once; one found by correlation ends by its signs."""
        current = next((each for each in known if each.scope == EGRESS and each.is_open), None)
        if not self._connectivity.watch.is_down:
            ends = current is not None and not _is_detected(current)
            return News(Change.CLOSED, replace(current, closed_at=now)) if current is not None and ends else None
        if current is not None:
            return None
        opened = Incident(f"inc_{now:%Y%m%d%H%M%S}_egress_own", EGRESS, Cause.LOCAL_NETWORK_DOWN, now, now, 0, 1.0)
        return News(Change.OPENED, opened)

    async def _count(self, seconds: float = COUNT_SECONDS) -> bool:
        """The fleet by scope, unless that was done within so many seconds."""
        now = self._clock.monotonic()
        if self._counted_at is not None and now - self._counted_at < seconds:
            return False
        watched = await self._incidents.watched()
        self._sizes, self._holders = await asyncio.to_thread(_picture, watched)
        self._counted_at = now
        return True

    async def _learn(self) -> None:
        """What the last span showed outside of incidents, now and then."""
        now, since = self._clock.monotonic(), self._learnt_at
        if since is not None and now - since < COUNT_SECONDS:
            return
        self._baselines = await self._incidents.baselines()
        if since is not None:
            learnt = {
                scope: learn(
                    self._baselines.get(scope, Baseline()), events=self._unexplained[scope], mailboxes=size, seconds=now - since
                )
                for scope, size in self._sizes.items()
                if scope in self._baselines or self._unexplained[scope]
            }
            await self._incidents.learn(learnt)
            self._baselines = {**self._baselines, **learnt}
        self._unexplained.clear()
        self._learnt_at = now

    def _note(self, recent: Recent, known: Sequence[Incident], news: Sequence[News], now: datetime) -> None:
        """Remember for the baselines what failed by itself since the last look."""
        troubled = {each.scope for each in known if each.is_open} | {each.incident.scope for each in news}
        for each in recent.fresh:
            scopes = tuple(each.traits.scopes())
            if (self._noted_to is None or each.last_at > self._noted_to) and not troubled.intersection(scopes):
                for scope in scopes:
                    self._unexplained[scope] += min(each.count, max(1, each.lately))
        self._noted_to = now

    async def _tell(self, news: News) -> None:
        incident = news.incident
        if news.change is Change.GREW:
            return
        say = self._log.warning if incident.is_open else self._log.info
        say(
            f"incident.{news.change}",
            incident=incident.id,
            scope=incident.scope.kind,
            name=incident.scope.name,
            cause=incident.cause,
            count=incident.failed,
        )
        if news.change is Change.CLOSED:
            self._over.discard(incident.id)
            await self._returns.ended(incident)


def _picture(watched: Sequence[tuple[Traits, int]]) -> tuple[Mapping[Scope, int], Mapping[Scope, Collection[Scope]]]:
    return by_scope(watched), holders(watched)


def _is_detected(incident: Incident) -> bool:
    """Whether it blames our own side though our uplink itself is not known to be down: then mailboxes failed in it."""
    return incident.scope == EGRESS and incident.failed > 0


def _still_counts(failure: FreshFailures, known: Sequence[Incident]) -> bool:
    """Whether a failure may speak for an incident: what one that has closed explained does not open it again."""
    scopes = set(failure.traits.scopes())
    return not any(
        each.closed_at is not None and failure.last_at <= each.closed_at and (each.scope == EGRESS or each.scope in scopes)
        for each in known
    )
