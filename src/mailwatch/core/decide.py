"""What follows from a report: standing + report -> decision.  Pure; the seven rules of the lifecycle are kept here.

1. `connected` is left only through `suspect`; a second look confirms.
2. A success is not health: `reconnecting` goes to `verifying`, and backoff starts anew only after survival.
3. Refused logins are counted on the secret's budget and the host's.
4. While our own network is broken, network causes change nothing.
5. Blocked is entered only when a person is needed for sure: the same kind of refusal twice, a dead grant, or a spent budget.
   Where no second look is possible (no login left, or the server named a long quiet time) the first one counts.
6. A fault of mailwatch's own is never a mailbox's failure.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from mailwatch.core import backoff
from mailwatch.core.budget import free_again_at, refusals_left
from mailwatch.core.causes import NETWORK_CAUSES, Cause, Disposition, profile_of
from mailwatch.core.classify import diagnose
from mailwatch.core.egress import Egress, may_be_ours
from mailwatch.core.evidence import BEFORE_LOGIN, Evidence, Outcome, Phase, Report
from mailwatch.core.facts import refusals_of, with_report
from mailwatch.core.flapping import is_flapping, with_episode
from mailwatch.core.impairments import LOGIN_BUDGET
from mailwatch.core.lifecycle import LOGIN_STATES, State, Trigger
from mailwatch.core.mailbox import Mailbox, Protocol
from mailwatch.core.policy import Policy
from mailwatch.core.refusals import refuses_secret
from mailwatch.core.standing import Confidence, Decision, Diagnosis, Standing
from mailwatch.core.walk import Why, walk

#: Which failing channel speaks for the mailbox: what needs a person first, then what needs patience; `unknown` last.
_WEIGHT: Final = {
    Disposition.HUMAN: 0,
    Disposition.REFRESH: 1,
    Disposition.THROTTLED: 2,
    Disposition.TRANSIENT: 3,
    Disposition.PLANNED: 4,
}
#: A planned end is no failure, unless it is all that ever happens.
_PLANNED_IN_A_ROW: Final = 3
_BLOCKING_SIGHTINGS: Final = 2
#: The moves of a failure that counts (and needs no person), by the state it was met in.
_CONFIRMING: Final[Mapping[State, tuple[Trigger, ...]]] = MappingProxyType(
    {
        State.PENDING: (Trigger.PROBE_FAILED, Trigger.FAILURE_CONFIRMED),
        State.CONNECTED: (Trigger.PROBE_FAILED, Trigger.FAILURE_CONFIRMED),
        State.SUSPECT: (Trigger.FAILURE_CONFIRMED,),
        State.RECONNECTING: (),
        State.VERIFYING: (Trigger.PROBE_FAILED,),
    }
)


@dataclass(frozen=True, slots=True)
class _Failure:
    """The channel that speaks for a failed probe."""

    protocol: Protocol
    evidence: Evidence
    diagnosis: Diagnosis
    declared: bool = False  #: it fell into a maintenance window: that is its cause, whatever the server said

    @property
    def cause(self) -> Cause:
        return Cause.PLATFORM_MAINTENANCE if self.declared else self.diagnosis.cause

    @property
    def refuses_secret(self) -> bool:
        """Whether the server refused this very secret; a maintenance window changes nothing about that."""
        return refuses_secret(self.evidence, self.diagnosis.cause)

    @property
    def disposition(self) -> Disposition:
        if self.evidence.phase is Phase.TOKEN and self.cause in NETWORK_CAUSES:
            return Disposition.TRANSIENT  # on the way to the token endpoint: no owner of a mailbox can heal that
        return profile_of(self.cause).disposition


@dataclass(frozen=True, slots=True)
class _Situation:
    """All that a decision is made from."""

    mailbox: Mailbox
    known: Standing  #: the standing as it was
    before: Standing  #: the standing with this report's refusals and channels already in it
    policy: Policy
    now: datetime
    rng: random.Random
    failure: _Failure | None
    credential_age_seconds: int | None

    def later(self, seconds: float, jitter_ratio: float = 0.1) -> datetime:
        return self.now + timedelta(seconds=seconds * (1 + jitter_ratio * self.rng.random()))


def decide(
    mailbox: Mailbox,
    standing: Standing,
    report: Report,
    policy: Policy,
    now: datetime,
    rng: random.Random,
    *,
    egress: Egress = Egress.UP,
    maintenance: bool = False,
    credential_age_seconds: int | None = None,
) -> Decision:
    """What *report* changes in what we believe of *mailbox*; *maintenance*: a declared window covers it now."""
    if report.generation != standing.generation or standing.state in (State.INACTIVE, State.HELD):
        return Decision(standing, standing, note="outdated")
    diagnoses = {
        channel.protocol: diagnose(channel.evidence)
        for channel in report.channels
        if channel.evidence is not None and channel.outcome is Outcome.FAILED
    }
    refusals = refusals_of(mailbox, report, now)
    failure = _worst(report, diagnoses, declared=maintenance)
    updated = with_report(mailbox, standing, report, diagnoses, policy, now)
    situation = _Situation(mailbox, standing, updated, policy, now, rng, failure, credential_age_seconds)
    after, triggers, note = _outcome(situation, report, egress)
    after, transitions = walk(after, triggers, now, _why(situation))
    return Decision(standing, after, transitions, MappingProxyType(diagnoses), refusals, note)


def _why(s: _Situation) -> Why:
    """The words that go beside each transition."""
    if s.failure is None:
        return Why(credential_age_seconds=s.credential_age_seconds)
    return Why(s.failure.protocol, s.failure.diagnosis, s.failure.evidence, credential_age_seconds=s.credential_age_seconds)


def _outcome(s: _Situation, report: Report, egress: Egress) -> tuple[Standing, tuple[Trigger, ...], str | None]:
    """The next standing, the triggers that led there, and a note when nothing was decided."""
    if report.impairment is not None and s.failure is None:
        return replace(s.before, due_at=_unimpaired_at(s)), (), f"impaired: {report.impairment}"
    if s.failure is None:
        return _well_or_withheld(s, report)
    if egress is not Egress.UP and may_be_ours(s.failure.evidence, s.failure.diagnosis.cause):
        unclear = egress is Egress.UNCLEAR
        if not unclear or (s.before.failures == 0 and s.before.state in (State.CONNECTED, State.PENDING)):
            wait = s.policy.confirm.min_seconds / 3 if unclear else s.policy.egress_retry_seconds
            failures = s.before.failures + unclear
            after = replace(s.before, channels=s.known.channels, failures=failures, due_at=s.later(wait, 1.0))
            return after, (), f"egress_{egress}"
    if s.before.state is State.BLOCKED:
        return replace(s.before, due_at=s.later(s.policy.recheck_seconds)), (), None
    if s.failure.disposition is Disposition.PLANNED and s.before.failures < _PLANNED_IN_A_ROW:
        failures = s.before.failures + 1
        return replace(s.before, channels=s.known.channels, failures=failures, due_at=s.later(1.0, 1.0)), (), "planned"
    return _failed(s, s.failure)


def _unimpaired_at(s: _Situation) -> datetime:
    """When to look again after a fault of our own: soon at first, later after as long as it has lasted, up to the interval."""
    lasted = (s.now - (s.before.impaired_since_at or s.now)).total_seconds()
    soon = s.policy.egress_retry_seconds
    return s.later(soon, 1.0) if lasted <= soon else s.later(max(soon, min(lasted, s.policy.interval_seconds)))


def _well_or_withheld(s: _Situation, report: Report) -> tuple[Standing, tuple[Trigger, ...], str | None]:
    healthy = {channel.protocol for channel in report.channels if channel.outcome is Outcome.HEALTHY}
    wanted = {endpoint.protocol for endpoint in s.mailbox.endpoints}
    if healthy and healthy >= wanted and s.before.state in LOGIN_STATES:
        return _succeeded(s)
    if s.before.state is State.BLOCKED:
        if s.before.stuck_phase in BEFORE_LOGIN and {channel.protocol for channel in report.channels} >= wanted:
            after = replace(s.before, due_at=s.now, attempts=max(1, s.before.attempts), person_sightings=0)
            return after, (Trigger.OBSTACLE_CLEARED,), None
        return replace(s.before, due_at=s.later(s.policy.recheck_seconds)), (), "withheld"
    return _withheld(s)


def _withheld(s: _Situation) -> tuple[Standing, tuple[Trigger, ...], str | None]:
    """Reached, without a login."""
    if _waits_for_person(s):
        return _stopped_again(s), (Trigger.PERSON_NEEDED,), "withheld"
    free_at = free_again_at(s.before, s.policy.budget, s.now)
    due_at = min(s.later(s.policy.interval_seconds), max(free_at, s.later(s.policy.confirm.min_seconds)))
    after = replace(s.before, due_at=due_at)
    if _may_log_in(s):
        return after, (), "withheld"
    if s.before.state is State.SUSPECT:
        return _suspicion_without_login(s, after)
    return _unwatched(s, after), (), "withheld"


def _waits_for_person(s: _Situation) -> bool:
    """Whether it is retried in vain: what it was stopped for only a person heals, and no login is left that could show it healed.

    An incident's end may bring such a one back.  What fails before the login meanwhile does not explain it.
    """
    known, budget = s.known, s.policy.budget
    if known.state not in (State.SUSPECT, State.RECONNECTING) or known.cause is None or known.stuck_phase in BEFORE_LOGIN:
        return False
    if known.forced or refusals_left(known, budget, s.now) > 0:
        return False
    return profile_of(known.cause).disposition is Disposition.HUMAN


def _stopped_again(s: _Situation) -> Standing:
    return replace(_confirmed(s, s.before), due_at=s.later(s.policy.recheck_seconds))


def _unwatched(s: _Situation, after: Standing) -> Standing:
    """Reached for as long as the budget is spent, and that is no look: what is believed grows old, and must say so."""
    lasts = s.known.impairment == LOGIN_BUDGET
    return replace(after, impairment=LOGIN_BUDGET, impaired_since_at=s.known.impaired_since_at if lasts else s.now)


def _suspicion_without_login(s: _Situation, after: Standing) -> tuple[Standing, tuple[Trigger, ...], str | None]:
    """Reached, but no login may be sent for a long time: a suspicion must not last that long, campaigns run meanwhile."""
    if s.before.stuck_phase in BEFORE_LOGIN and s.before.last_success_at is not None:
        return replace(after, cause=None, failures=0, person_sightings=0, stuck_phase=None), (Trigger.PROBE_SUCCEEDED,), None
    return replace(_confirmed(s, after), attempts=s.before.attempts + 1), (Trigger.FAILURE_CONFIRMED,), "withheld"


def _may_log_in(s: _Situation) -> bool:
    return s.before.forced or refusals_left(s.before, s.policy.budget, s.now) > 0


def _succeeded(s: _Situation) -> tuple[Standing, tuple[Trigger, ...], str | None]:
    """Every channel worked, with a login."""
    before, verify = s.before, s.policy.verify
    well = replace(
        before,
        failures=0,
        person_sightings=0,
        last_success_at=s.now,
        proven=True,
        stuck_phase=None,
    )
    if before.state in (State.PENDING, State.SUSPECT, State.CONNECTED):
        stable = before.state is State.CONNECTED and s.now - before.since_at >= timedelta(seconds=s.policy.survival_seconds)
        well = replace(well, cause=None, attempts=0 if stable else before.attempts, due_at=s.later(s.policy.interval_seconds, 0.02))
        moved = before.state is not State.CONNECTED
        return well, (Trigger.PROBE_SUCCEEDED,) if moved else (), None
    if before.state is State.RECONNECTING:
        well = replace(well, clean_probes=1, verifying_since_at=s.now, due_at=s.later(verify.spacing_seconds))
        return well, (Trigger.PROBE_SUCCEEDED,), None
    clean = before.clean_probes + 1
    since_at = min(before.verifying_since_at or s.now, s.now)  # a clock that was set back must not prolong it
    proven_for = s.now - since_at
    missing = _proving_seconds(s) - proven_for.total_seconds()
    if clean >= verify.successes and missing <= 0:
        return (
            replace(
                well,
                cause=None,
                clean_probes=0,
                verifying_since_at=None,
                down_since_at=None,
                last_outage_seconds=_outage_seconds(before, s.now),
                returned_at=s.now,
                returned_after_seconds=_absence_seconds(before, s.now),
                due_at=s.later(s.policy.interval_seconds),
            ),
            (Trigger.VERIFIED,),
            None,
        )
    # one that comes and goes has half an hour to go: meanwhile it is looked at as often as all others
    rest = 0.0 if clean < verify.successes else min(missing, s.policy.interval_seconds)
    wait = max(verify.spacing_seconds, rest)
    return replace(well, clean_probes=clean, verifying_since_at=since_at, due_at=s.later(wait)), (), None


def _confirmed(s: _Situation, ill: Standing) -> Standing:
    """*ill*, disconnected from now on unless it is so already.

    Each disconnection counts towards flapping, and so does each return that did not last: who falls back while proving itself has
    come and gone once more.
    """
    comes_and_goes = ill.down_since_at is None or s.before.state is State.VERIFYING
    episodes_at = with_episode(ill, s.policy.flap, s.now) if comes_and_goes else ill.episodes_at
    return replace(ill, down_since_at=ill.down_since_at or s.now, episodes_at=episodes_at)


def _proving_seconds(s: _Situation) -> float:
    """How long a mailbox must prove itself: one that comes and goes, until it has been calm for long."""
    least = s.policy.verify.min_seconds
    return max(least, s.policy.flap.calm_seconds) if is_flapping(s.before, s.policy.flap, s.now) else least


def _outage_seconds(before: Standing, now: datetime) -> float:
    """How long sending was down, when it comes back: a person's disconnect or a hold before, in and after the outage counts too."""
    began = (each for each in (before.down_since_at, before.absent_since_at) if each is not None)
    return max(before.last_outage_seconds, *((now - each).total_seconds() for each in began), 0.0)


def _absence_seconds(before: Standing, now: datetime) -> float:
    """How long senders were without it.

    An outage soon after a longer one is part of that: as long as it has not been back for as long as it was away, its return is
    still that of the longer one.
    """
    outage = _outage_seconds(before, now)
    if before.returned_at is None:
        return outage
    back_for = ((before.absent_since_at or before.down_since_at or before.since_at) - before.returned_at).total_seconds()
    return max(outage, before.returned_after_seconds) if back_for < before.returned_after_seconds else outage


def _failed(s: _Situation, failure: _Failure) -> tuple[Standing, tuple[Trigger, ...], str | None]:
    """A channel failed, and it is the mailbox's or its provider's doing."""
    if _waits_for_person(s):
        return _stopped_again(s), (Trigger.PERSON_NEEDED,), None
    before = s.before
    first = before.state in (State.CONNECTED, State.PENDING)
    ill = replace(
        before,
        cause=failure.cause,
        failures=before.failures + 1,
        person_sightings=_sightings(before, failure),
        clean_probes=0,
        verifying_since_at=None,
        stuck_phase=failure.evidence.phase,
        proven=before.proven and not failure.refuses_secret,
        last_outage_seconds=0.0 if first else before.last_outage_seconds,
    )
    if _needs_person(s, failure, ill.person_sightings):
        due_at = s.later(s.policy.recheck_seconds)
        ill = replace(_confirmed(s, ill), forced=False, due_at=due_at)
        return ill, (Trigger.PROBE_FAILED, Trigger.PERSON_NEEDED) if first else (Trigger.PERSON_NEEDED,), None
    if first and _can_look_again(s, failure):
        return replace(ill, due_at=_confirm_at(s, failure)), (Trigger.PROBE_FAILED,), None
    ill = replace(_confirmed(s, ill), attempts=before.attempts + 1)
    return replace(ill, due_at=_retry_at(s, failure, ill.attempts)), _CONFIRMING[before.state], None


def _sightings(before: Standing, failure: _Failure) -> int:
    """How often in a row a failure of this kind was seen that may need a person; `unknown` is a kind of its own."""
    unknown = failure.cause is Cause.UNKNOWN
    if failure.disposition not in (Disposition.HUMAN, Disposition.REFRESH) and not unknown:
        return 0
    same = before.cause is not None and profile_of(before.cause).disposition is failure.disposition
    return before.person_sightings + 1 if same and unknown is (before.cause is Cause.UNKNOWN) else 1


def _needs_person(s: _Situation, failure: _Failure, sightings: int) -> bool:
    if failure.disposition is Disposition.HUMAN:
        return sightings >= _BLOCKING_SIGHTINGS or _is_final(s, failure)
    if failure.disposition is not Disposition.REFRESH and failure.cause is not Cause.UNKNOWN:
        return False
    # `unknown`, and a token that is refused though it was renewed: few tries, then a person; at once when none is left.
    return sightings >= s.policy.confirm.unknown_tries or (failure.refuses_secret and not _may_log_in(s))


def _is_final(s: _Situation, failure: _Failure) -> bool:
    """No second look is due: the token endpoint said so in so many words, or another login would break the budget."""
    answered = failure.evidence.oauth_error is not None or failure.evidence.http_status is not None
    if answered and failure.evidence.phase is Phase.TOKEN and failure.diagnosis.confidence is Confidence.HIGH:
        return True
    return failure.refuses_secret and not _may_log_in(s)


def _can_look_again(s: _Situation, failure: _Failure) -> bool:
    """Whether a second look is possible soon: a login is left (or none is needed), and the server named no long quiet time."""
    if failure.disposition is Disposition.THROTTLED and _hint_seconds(s, failure) > s.policy.interval_seconds:
        return False
    return failure.evidence.phase in BEFORE_LOGIN or _may_log_in(s)


def _hint_seconds(s: _Situation, failure: _Failure) -> float:
    return min(failure.diagnosis.retry_after_seconds or 0.0, s.policy.max_hint_seconds)


def _confirm_at(s: _Situation, failure: _Failure) -> datetime:
    """When to take the second look: after the server's own hint, and gently where a login or a throttle is at stake."""
    confirm = s.policy.confirm
    gentle = failure.disposition is Disposition.THROTTLED or failure.refuses_secret
    low, high = (confirm.secret_seconds, 1.25 * confirm.secret_seconds) if gentle else (confirm.min_seconds, confirm.max_seconds)
    hint = min(_hint_seconds(s, failure), s.policy.interval_seconds)
    return s.now + backoff.spread(max(low, hint), max(high, 1.25 * hint), s.rng)


def _retry_at(s: _Situation, failure: _Failure, attempt: int) -> datetime:
    policy = s.policy.throttled if failure.disposition is Disposition.THROTTLED else s.policy.transient
    wait = backoff.delay(policy, attempt, s.rng, hint_seconds=_hint_seconds(s, failure))
    if failure.refuses_secret:
        wait = max(wait, timedelta(seconds=s.policy.confirm.secret_seconds))
    return s.now + wait


def _worst(report: Report, diagnoses: Mapping[Protocol, Diagnosis], *, declared: bool) -> _Failure | None:
    """The failing channel that speaks for the mailbox."""
    failures = [
        _Failure(channel.protocol, channel.evidence, diagnoses[channel.protocol], declared)
        for channel in report.channels
        if channel.outcome is Outcome.FAILED and channel.evidence is not None
    ]
    return min(failures, key=lambda f: (f.cause is Cause.UNKNOWN, not f.refuses_secret, _WEIGHT[f.disposition]), default=None)
