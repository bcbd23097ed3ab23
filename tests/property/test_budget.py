"""The budgets under any interleaving of logins, answers and restarts."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from builders import NOW, a_standing, later
from mailwatch.core.budget import HostBudget, free_again_at, refusals_left
from mailwatch.core.policy import BudgetPolicy

POLICY = BudgetPolicy()
HOST = "mail.example.org"
MOMENTS = st.lists(st.floats(-100_000, 0).map(later), max_size=8)


class StrictHost(RuleBasedStateMachine):
    """Logins at one host that bans by address: a node starts what is admitted, answers come in any order, the node may restart."""

    def __init__(self):
        super().__init__()
        self.now = NOW
        self.budget = HostBudget(POLICY)
        self.stored = []
        self.flying = []

    @rule(proven=st.booleans(), asked=st.booleans())
    def start(self, proven, asked):
        admitted = self.budget.admits(HOST, self.now, proven=proven, strict=True, asked=asked)
        shut_until = self.budget.shut_until(HOST, self.now, proven=proven, strict=True, asked=asked)
        assert not (admitted and shut_until)
        assert shut_until is None or self.now < shut_until <= self.now + timedelta(seconds=POLICY.host_window_seconds)
        if admitted:
            self.budget.start(HOST, proven=proven, asked_at=self.now if asked else None)
            self.flying.append(proven)

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 10), refused=st.booleans())
    def answer(self, which, refused):
        proven = self.flying.pop(which % len(self.flying))
        self.budget.finish(HOST, proven=proven)
        if refused:
            self.stored.append(self.now)
            self.budget.refuse(HOST, self.now)

    @rule(seconds=st.floats(0.1, 700))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule()
    def learn(self):
        """The periodic look at the store, which knows what this node knows and more."""
        self.budget.learn({HOST: [at for at in self.stored if at > self.now - timedelta(seconds=600)]})

    @precondition(lambda self: not self.flying)
    @rule()
    def restart(self):
        """A new process knows only what the store tells."""
        self.budget = HostBudget(POLICY)
        self.learn()

    @invariant()
    def no_window_sees_more_refusals_than_the_limit(self):
        for end in self.stored:
            window = [at for at in self.stored if end - timedelta(seconds=600) < at <= end]
            assert len(window) <= POLICY.host_rejected_logins

    @invariant()
    def what_is_in_flight_could_all_be_refused(self):
        recent = sum(1 for at in self.stored if at > self.now - timedelta(seconds=600))
        assert recent + len(self.flying) <= POLICY.host_rejected_logins

    @invariant()
    def room_is_what_is_left(self):
        recent = sum(1 for at in self.stored if at > self.now - timedelta(seconds=600))
        assert self.budget.room(HOST, self.now) == POLICY.host_rejected_logins - recent - len(self.flying)


TestStrictHost = StrictHost.TestCase
TestStrictHost.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


@given(st.lists(st.tuples(st.booleans(), st.floats(1, 200)), max_size=80))
def test_unproven_secrets_alone_never_take_the_last_place(story):
    budget, now = HostBudget(POLICY), NOW
    for refused, seconds in story:
        if budget.admits(HOST, now, proven=False, strict=True):
            budget.start(HOST, proven=False)
            budget.finish(HOST, proven=False)
            if refused:
                budget.refuse(HOST, now)
        assert budget.admits(HOST, now, proven=True, strict=True), "bad secrets stop the watching of good ones"
        now += timedelta(seconds=seconds)


@given(MOMENTS, MOMENTS)
def test_learning_twice_is_learning_once(seen, told):
    once, twice = HostBudget(POLICY), HostBudget(POLICY)
    for budget in (once, twice):
        for at in sorted(seen):
            budget.refuse(HOST, at)
        budget.learn({HOST: told})
    twice.learn({HOST: told})
    assert once.refused(HOST, NOW) == twice.refused(HOST, NOW)
    assert once.free_at(HOST, NOW) == twice.free_at(HOST, NOW)


@given(MOMENTS, MOMENTS, st.booleans())
def test_at_the_moment_named_free_there_is_a_login_left_and_before_it_there_is_none(rejected, lost, proven):
    standing = a_standing(rejected_at=tuple(rejected), lost_at=tuple(lost), proven=proven)
    free_at = free_again_at(standing, POLICY, NOW)
    assert refusals_left(standing, POLICY, free_at) >= 1
    assert free_at == NOW or refusals_left(standing, POLICY, free_at - timedelta(microseconds=1)) == 0


@given(MOMENTS)
def test_the_budget_only_grows_while_nothing_happens(rejected):
    standing = a_standing(rejected_at=tuple(rejected))
    left = [refusals_left(standing, POLICY, later(hours * 3600)) for hours in range(0, 30, 3)]
    assert left == sorted(left)
    assert left[-1] == POLICY.rejected_logins
