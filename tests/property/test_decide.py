"""The rules of the lifecycle under any story: reports of all kinds, time, crashes, people, our own broken network.

`MailboxLife` plays what the store and the worker do around the decisions, and checks after every step what must hold always.
"""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from builders import FAILURES, IMAP, NOW, SMTP, THROTTLED_WITH_HINT, TOKEN_ENDPOINT_DOWN, a_mailbox, a_report, a_standing
from mailwatch.core import acts
from mailwatch.core.budget import within
from mailwatch.core.causes import WIRE_CAUSES
from mailwatch.core.classify import diagnose
from mailwatch.core.decide import decide
from mailwatch.core.egress import Egress, may_be_ours
from mailwatch.core.evidence import BEFORE_LOGIN, ChannelReport, Evidence, Outcome, Phase
from mailwatch.core.lifecycle import LOGIN_STATES, SENDING_STATES, Effect, IllegalMoveError, State, Trigger
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.plan import plan
from mailwatch.core.policy import ConfirmPolicy, Policy, VerifyPolicy
from mailwatch.core.refusals import refuses_secret
from mailwatch.core.unfinished import unfinished

WORDS = {**FAILURES, "token endpoint down": TOKEN_ENDPOINT_DOWN, "throttled with a hint": THROTTLED_WITH_HINT}


def in_words(name):
    return WORDS[name]


REALISTIC = st.sampled_from(sorted(WORDS)).map(in_words)
ANY_EVIDENCE = st.builds(
    Evidence,
    protocol=st.sampled_from(["imap", "smtp", "oauth", "network"]),
    phase=st.one_of(st.none(), st.sampled_from(Phase)),
    response=st.text(max_size=80),
    exception=st.one_of(st.none(), st.sampled_from(["TimeoutError", "ConnectionResetError", "ssl.SSLError", "made.up.Error"])),
    errno=st.one_of(st.none(), st.integers(-20, 200)),
    verify_code=st.one_of(st.none(), st.integers(0, 100)),
    code=st.one_of(st.none(), st.integers(200, 599)),
    enhanced=st.one_of(st.none(), st.from_regex(r"[245]\.[0-7]\.[0-9]{1,3}", fullmatch=True)),
    status=st.one_of(st.none(), st.sampled_from(["NO", "BAD", "BYE"])),
    response_code=st.one_of(st.none(), st.sampled_from(["AUTHENTICATIONFAILED", "UNAVAILABLE", "OVERQUOTA", "ALERT", "EXPIRED"])),
    http_status=st.one_of(st.none(), st.integers(200, 599)),
    oauth_error=st.one_of(st.none(), st.sampled_from(["invalid_grant", "invalid_client", "temporarily_unavailable", "x"])),
    retry_after_seconds=st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
    session_worked=st.booleans(),
)
EVIDENCE = st.one_of(REALISTIC, REALISTIC, ANY_EVIDENCE)
OUTCOMES = st.sampled_from([*[Outcome.HEALTHY] * 4, *[Outcome.FAILED] * 4, Outcome.WITHHELD, Outcome.IMPAIRED])
POLICIES = {
    "default": Policy(),
    "hasty": Policy(verify=VerifyPolicy(2, 0.0, 1.0), confirm=ConfirmPolicy(1.0, 2.0, 60.0, 2)),
    "strict": Policy(interval_seconds=60.0, verify=VerifyPolicy(5, 900.0, 30.0)),
}


def longest_wait(policy):
    """No mailbox is ever due later than this, in seconds."""
    waits = (policy.interval_seconds, policy.recheck_seconds, policy.throttled.max_seconds, policy.max_hint_seconds)
    return 1.25 * max(waits) + 1


def a_channel(protocol, outcome, evidence, planned):
    """A channel as a prober that keeps to its plan would report it; the second value: whether a secret was refused."""
    if outcome is Outcome.FAILED and not planned.logs_in and evidence.phase not in BEFORE_LOGIN:
        outcome = Outcome.WITHHELD
    if outcome is Outcome.HEALTHY and not planned.logs_in:
        outcome = Outcome.WITHHELD
    if outcome is not Outcome.FAILED:
        impairment = "ca_store_empty" if outcome is Outcome.IMPAIRED else None
        return ChannelReport(protocol, outcome, Phase.GREETING, logged_in=outcome is Outcome.HEALTHY, impairment=impairment), False
    refused = evidence.phase is Phase.AUTH and refuses_secret(evidence, diagnose(evidence).cause)
    return ChannelReport(protocol, outcome, evidence.phase, evidence, rejected_logins=int(refused)), refused


class MailboxLife(RuleBasedStateMachine):
    """One mailbox, from its addition on."""

    @initialize(
        policy=st.sampled_from(sorted(POLICIES)),
        auth=st.sampled_from(AuthKind),
        state=st.sampled_from([State.PENDING, State.CONNECTED]),
    )
    def begin(self, policy, auth, state):
        self.policy, self.now = POLICIES[policy], NOW
        self.mailbox = a_mailbox(auth=auth)
        self.standing = a_standing(state)
        self.history = []
        self.refused_at = []  # logins of this secret that were refused
        self.lost_at = []  # … that may have been: nobody saw the answer, and none was accepted since
        self.pardon = False  # a person's Reconnect that no refusal has used up yet
        self.clean_at = []  # clean probes in a row, of this secret
        self.paused = False
        self.absent_since = None  # the moment something stopped the sending through it

    # --- what happens around a decision --------------------------------------------------------------------------------------

    def accept(self, decision):
        """What the store does with a decision: one transaction."""
        before = self.standing
        assert decision.before == before
        self.standing = decision.after
        for row in decision.transitions:
            self.check_row(before, row)
            self.history.append(row)
            self.paused = (self.paused or Effect.PAUSE_CAMPAIGNS in row.effects) and Effect.RESUME_CAMPAIGNS not in row.effects
            self.check_absence(row)
            if row.to_state is State.RECONNECTING:
                self.clean_at = []
        return before

    def check_row(self, before, row):
        last = self.history[-1] if self.history else None
        assert row.version == (last.version if last else 0) + 1
        assert row.from_state is (last.to_state if last else before.state)
        assert row.from_state is not row.to_state
        if row.from_state is State.CONNECTED and row.actor == "mailwatch":
            assert row.to_state is State.SUSPECT
        if row.to_state is State.CONNECTED:
            assert row.from_state in {State.PENDING, State.SUSPECT, State.VERIFYING}
        if row.trigger is Trigger.VERIFIED:
            verify = self.policy.verify
            assert len(self.clean_at) >= max(2, verify.successes)
            assert (row.at - self.clean_at[0]).total_seconds() >= verify.min_seconds
        if row.from_state is State.BLOCKED and row.actor == "mailwatch":
            assert before.stuck_phase in BEFORE_LOGIN

    def check_absence(self, row):
        """Senders are told at least how long they were without it, whoever and whatever stopped it meanwhile."""
        if row.to_state not in SENDING_STATES:
            self.absent_since = self.absent_since or row.at
        elif self.absent_since is not None:
            assert self.standing.returned_at == row.at
            assert self.standing.returned_after_seconds >= (row.at - self.absent_since).total_seconds()
            self.absent_since = None

    def spend(self, count, ledger):
        """Count refused logins; beyond the budget only a person's act allows one."""
        for _ in range(count):
            recent = within([*self.refused_at, *self.lost_at], self.now, self.policy.budget.window_seconds)
            if len(recent) >= self.policy.budget.rejected_logins:
                assert self.pardon, "one refused login too many"
            ledger.append(self.now)
            self.pardon = False

    def settle(self, report, *, clean, forced):
        """What a look tells of the secret, beside its refusals."""
        if any(channel.logged_in for channel in report.channels) and not report.rejected_logins:
            self.lost_at = []  # accepted: the lost ones were harmless
        if clean and forced:
            self.refused_at, self.pardon = [], False  # a person said it is mended, and so do all servers

    # --- rules -----------------------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.standing.due_at is not None)
    @rule(
        outcomes=st.tuples(OUTCOMES, OUTCOMES),
        evidences=st.tuples(EVIDENCE, EVIDENCE),
        egress=st.sampled_from([*[Egress.UP] * 4, Egress.DOWN, Egress.UNCLEAR]),
        late=st.sampled_from([0.0, 0.0, 1.0, 3600.0]),
        seed=st.integers(0, 5),
    )
    def probe(self, outcomes, evidences, egress, late, seed):
        """The mailbox is due, claimed and probed as planned."""
        self.now = max(self.now, self.standing.due_at) + timedelta(seconds=late)
        if self.standing.state is State.HELD:
            self.accept(acts.hold_ended(self.standing, self.now))
            return
        planned = plan(self.mailbox, self.standing, self.policy, self.now)
        if self.standing.state is State.BLOCKED:
            assert not planned.logs_in
        report = self.reported(planned, outcomes, evidences)
        decision = decide(self.mailbox, self.standing, report, self.policy, self.now, random.Random(seed), egress=egress)
        clean = all(channel.outcome is Outcome.HEALTHY for channel in report.channels)
        spoiled = decision.note is not None
        if clean:
            self.clean_at.append(self.now)
        elif not spoiled:
            self.clean_at = []
        before = self.accept(decision)
        self.spend(sum(channel.rejected_logins for channel in report.channels), self.refused_at)
        self.settle(report, clean=clean, forced=before.forced)
        self.check_probe(before, report, decision, egress)

    def reported(self, planned, outcomes, evidences):
        channels, spared = [], False
        order = [planned.first, SMTP if planned.first is IMAP else IMAP]
        for protocol, outcome, evidence in zip(order, outcomes, evidences, strict=True):
            seen, refused = a_channel(protocol, Outcome.WITHHELD if spared else outcome, evidence, planned)
            channels.append(seen)
            spared = spared or refused  # a refused secret is not shown to the other server
        return a_report(*channels, generation=self.standing.generation, at=self.now)

    def check_probe(self, before, report, decision, egress):
        after = decision.after
        failures = [channel.evidence for channel in report.channels if channel.outcome is Outcome.FAILED]
        if report.impairment and not failures:
            assert decision.transitions == ()
            facts = {"due_at": None, "forced": False, "lost_at": (), "rejected_at": (), "channels": {}}
            facts |= {"impairment": None, "impaired_since_at": None}
            assert after.last_probe_at == before.last_probe_at, "a look that saw nothing passes for one"
            assert replace(after, **facts) == replace(before, **facts)
        if egress is Egress.DOWN and failures and all(may_be_ours(each, diagnose(each).cause) for each in failures):
            assert decision.transitions == ()
            assert after.channels == before.channels
            assert (after.failures, after.attempts, after.clean_probes) == (before.failures, before.attempts, before.clean_probes)
        if before.state is State.SUSPECT and decision.note is None:
            assert after.state is not State.SUSPECT, "a suspicion that nothing ends"
        assert not (after.forced and not before.forced)
        if Trigger.OBSTACLE_CLEARED not in {row.trigger for row in decision.transitions}:
            assert after.due_at > self.now, "probed in a circle without a pause"

    @precondition(lambda self: self.standing.state not in {State.HELD, State.INACTIVE})
    @rule(outcome=OUTCOMES, evidence=EVIDENCE, older=st.integers(1, 3))
    def a_late_report_of_an_older_secret_changes_nothing(self, outcome, evidence, older):
        planned = plan(self.mailbox, a_standing(), self.policy, self.now)
        seen, _ = a_channel(IMAP, outcome, evidence, planned)
        report = a_report(seen, generation=self.standing.generation - older, at=self.now)
        decision = decide(self.mailbox, self.standing, report, self.policy, self.now, random.Random(0))
        assert (decision.after, decision.transitions) == (self.standing, ())

    @precondition(lambda self: self.standing.due_at is not None and self.standing.state in LOGIN_STATES)
    @rule()
    def the_node_dies_during_the_probe(self):
        """The lease ends without a result: what the store then counts as a lost login."""
        self.now = max(self.now, self.standing.due_at) + timedelta(seconds=60)
        logs_in = plan(self.mailbox, self.standing, self.policy, self.now).logs_in
        self.standing = replace(self.standing, lost_at=(*self.standing.lost_at, self.now), forced=False)
        if logs_in:
            self.spend_lost()

    @precondition(lambda self: self.standing.due_at is not None and self.standing.state in LOGIN_STATES)
    @rule(evidence=EVIDENCE, reported=st.booleans())
    def a_bug_of_ours_loses_the_probe(self, evidence, reported):
        self.now = max(self.now, self.standing.due_at)
        planned = plan(self.mailbox, self.standing, self.policy, self.now)
        report = self.reported(planned, (Outcome.FAILED, Outcome.HEALTHY), (evidence, evidence)) if reported else None
        due_at = self.now + timedelta(seconds=900)
        decision = unfinished(self.mailbox, self.standing, planned, report, self.now, due_at)
        if decision is None:
            self.standing = replace(self.standing, due_at=due_at)
            return
        self.accept(decision)
        if report is None:
            self.spend_lost()
        else:
            self.spend(report.rejected_logins, self.refused_at)

    def spend_lost(self):
        """A login whose answer nobody saw: at worst it was refused, so it must have been within what may be refused."""
        self.spend(1, self.lost_at)

    @rule(seconds=st.one_of(st.floats(0, 600), st.floats(0, 100_000)))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(
        act=st.sampled_from(["disconnect", "reconnect", "release", "new_secret", "hold", "hold_without_end"]),
        hours=st.integers(1, 48),
    )
    def a_person_acts(self, act, hours):
        standing, now = self.standing, self.now
        try:
            if act == "hold":
                decision = acts.hold(standing, now, "me", acts.HOLD_REASONS[0], now + timedelta(hours=hours))
            elif act == "hold_without_end":
                decision = acts.hold(standing, now, "me", acts.HOLD_REASONS[1], None)
            elif act == "new_secret":
                standing = replace(standing, generation=standing.generation + 1, proven=False, rejected_at=(), lost_at=())
                decision = acts.new_secret(standing, now, "me")
                self.standing, self.refused_at, self.lost_at, self.clean_at, self.pardon = standing, [], [], [], False
            else:
                decision = getattr(acts, act)(standing, now, "me")
        except IllegalMoveError:
            return
        self.accept(decision)
        if act == "reconnect":
            self.pardon = True
        if act in {"reconnect", "release", "new_secret"} and self.standing.state in LOGIN_STATES:
            assert self.standing.due_at == now, "a recovery route that does not look now"

    # --- what holds always -------------------------------------------------------------------------------------------------------

    @invariant()
    def everything_is_due(self):
        standing = self.standing
        if standing.state is State.INACTIVE or (standing.state is State.HELD and standing.hold_until_at is None):
            assert standing.due_at is None
        else:
            limit = (
                standing.hold_until_at if standing.state is State.HELD else self.now + timedelta(seconds=longest_wait(self.policy))
            )
            assert standing.due_at is not None
            assert standing.due_at <= limit

    @invariant()
    def the_version_counts_the_transitions(self):
        assert self.standing.version == len(self.history)
        assert not self.history or self.history[-1].to_state is self.standing.state

    @invariant()
    def campaigns_are_paused_exactly_while_the_mailbox_cannot_be_trusted(self):
        trusted = self.standing.state in {State.CONNECTED, State.SUSPECT, State.PENDING}
        assert self.paused is not trusted

    @invariant()
    def what_is_connected_has_no_cause(self):
        if self.standing.state is State.CONNECTED:
            assert self.standing.cause is None
            assert self.standing.down_since_at is None

    @invariant()
    def the_standing_stays_small(self):
        assert len(self.standing.rejected_at) <= 20
        assert len(self.standing.channels) <= 2


TestMailboxLife = MailboxLife.TestCase
TestMailboxLife.settings = settings(deadline=None, stateful_step_count=50)


@given(
    st.sampled_from(sorted(set(State) - {State.HELD, State.INACTIVE})),
    st.lists(st.tuples(OUTCOMES, ANY_EVIDENCE, st.integers(0, 3), st.booleans()), max_size=2),
    st.sampled_from(Egress),
    st.integers(0, 3),
)
def test_any_report_gives_a_decision_and_never_an_exception(state, seen, egress, sightings):
    channels = tuple(
        ChannelReport(protocol, outcome, evidence.phase, evidence, rejected_logins=refused, logged_in=logged_in)
        for protocol, (outcome, evidence, refused, logged_in) in zip((IMAP, SMTP), seen, strict=False)
    )
    standing = a_standing(state, person_sightings=sightings)
    report = replace(a_report(), channels=channels)
    decision = decide(a_mailbox(), standing, report, Policy(), NOW, random.Random(1), egress=egress)
    assert (
        NOW < decision.after.due_at <= NOW + timedelta(seconds=longest_wait(Policy())) or decision.after.state is State.RECONNECTING
    )
    assert len(decision.refusals) == sum(channel.rejected_logins for channel in channels)
    assert all(diagnosis.cause in WIRE_CAUSES for diagnosis in decision.diagnoses.values())
    assert decision.after.version == len(decision.transitions)


@pytest.mark.parametrize("failure", [*FAILURES.values(), TOKEN_ENDPOINT_DOWN], ids=lambda evidence: diagnose(evidence).cause)
@pytest.mark.parametrize("auth", AuthKind)
def test_whatever_failed_and_for_however_long_a_mailbox_heals_by_itself_or_by_one_act_of_a_person(failure, auth):
    mailbox, policy, rng = a_mailbox(auth=auth), Policy(), random.Random(3)
    standing = a_standing()

    def looked_at(standing, evidence):
        now = standing.due_at
        planned = plan(mailbox, standing, policy, now)
        outcome = Outcome.FAILED if evidence else Outcome.HEALTHY
        channels = [a_channel(protocol, outcome, evidence, planned)[0] for protocol in (IMAP, SMTP)]
        return decide(mailbox, standing, a_report(*channels, at=now), policy, now, rng).after

    while standing.due_at < NOW + timedelta(days=3):
        standing = looked_at(standing, failure)
    if standing.state is State.BLOCKED and standing.stuck_phase not in BEFORE_LOGIN:
        standing = acts.reconnect(standing, standing.due_at, "me").after
    healed_at = standing.due_at
    while standing.state is not State.CONNECTED and standing.due_at < healed_at + timedelta(days=2):
        standing = looked_at(standing, None)
    assert standing.state is State.CONNECTED
    assert standing.since_at - healed_at <= timedelta(hours=24, minutes=10)
