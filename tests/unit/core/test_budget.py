"""The login budget of a secret and of a host."""

from datetime import timedelta

from builders import NOW, a_standing, later
from mailwatch.core.budget import HostBudget, free_again_at, refusals_left, within
from mailwatch.core.policy import BudgetPolicy

POLICY = BudgetPolicy()
HOST = "mail.example.org"


def test_a_moment_leaves_the_window_when_it_is_as_old_as_the_window():
    assert within([later(-600), later(-599)], NOW, 600) == (later(-599),)


def test_a_moment_ahead_of_a_clock_that_was_set_back_still_counts():
    assert within([later(3600)], NOW, 600) == (later(3600),)


def test_refused_and_lost_logins_share_one_budget_that_never_goes_below_nothing():
    assert refusals_left(a_standing(), POLICY, NOW) == 2
    assert refusals_left(a_standing(rejected_at=(NOW,), lost_at=(NOW,)), POLICY, NOW) == 0
    assert refusals_left(a_standing(rejected_at=(NOW,) * 5), POLICY, NOW) == 0


def test_the_next_login_is_free_when_enough_refusals_have_left_the_window():
    standing = a_standing(rejected_at=(later(-300), later(-200)), lost_at=(later(-100),))
    assert free_again_at(standing, POLICY, NOW) == later(-200) + timedelta(seconds=POLICY.window_seconds)
    assert refusals_left(standing, POLICY, free_again_at(standing, POLICY, NOW)) == 1


def test_with_budget_left_the_next_login_is_free_now():
    assert free_again_at(a_standing(rejected_at=(NOW,)), POLICY, NOW) == NOW


def test_a_strict_host_admits_no_more_logins_than_may_be_refused():
    hosts = HostBudget(POLICY)
    for _ in range(3):
        assert hosts.admits(HOST, NOW, proven=True, strict=True)
        hosts.start(HOST, proven=True)
    assert not hosts.admits(HOST, NOW, proven=True, strict=True)
    assert hosts.room(HOST, NOW) == 0


def test_an_unproven_secret_leaves_the_last_place_of_a_strict_host_to_proven_ones():
    hosts = HostBudget(POLICY)
    hosts.refuse(HOST, NOW)
    hosts.refuse(HOST, NOW)
    assert not hosts.admits(HOST, NOW, proven=False, strict=True)
    assert hosts.admits(HOST, NOW, proven=True, strict=True)


def test_a_host_that_allows_one_refusal_still_admits_an_unproven_secret():
    hosts = HostBudget(BudgetPolicy(host_rejected_logins=1))
    assert hosts.admits(HOST, NOW, proven=False, strict=True)


def test_at_a_provider_that_counts_by_account_proven_secrets_wait_for_nobody():
    hosts = HostBudget(POLICY)
    for _ in range(50):
        hosts.refuse(HOST, NOW)
    assert hosts.admits(HOST, NOW, proven=True, strict=False)
    assert not hosts.admits(HOST, NOW, proven=False, strict=False)


def test_unproven_logins_in_flight_count_as_if_refused_at_a_lenient_host_too():
    hosts = HostBudget(POLICY)
    for _ in range(3):
        assert hosts.admits(HOST, NOW, proven=False, strict=False)
        hosts.start(HOST, proven=False)
    assert not hosts.admits(HOST, NOW, proven=False, strict=False)


def test_a_login_that_ends_gives_its_place_back():
    hosts = HostBudget(POLICY)
    for proven in (False, True):
        hosts.start(HOST, proven=proven)
    assert hosts.room(HOST, NOW) == 1
    for proven in (False, True):
        hosts.finish(HOST, proven=proven)
    assert hosts.room(HOST, NOW) == 3
    assert hosts.admits(HOST, NOW, proven=False, strict=True)


def test_a_host_is_free_when_its_oldest_refusal_leaves_the_window():
    hosts = HostBudget(POLICY)
    assert hosts.free_at(HOST, NOW) == NOW
    hosts.refuse(HOST, later(-500))
    hosts.refuse(HOST, later(-10))
    assert hosts.free_at(HOST, NOW) == later(100)
    assert hosts.refused(HOST, later(100)) == 1
    assert hosts.refused(HOST, later(600)) == 0


def test_what_the_store_tells_twice_counts_once_and_adds_to_what_was_seen_here():
    hosts = HostBudget(POLICY)
    hosts.refuse(HOST, later(-5))
    told = {HOST: [later(-20), later(-5)], "other.example.org": [later(-1), later(-1)]}
    hosts.learn(told)
    hosts.learn(told)
    assert hosts.refused(HOST, NOW) == 2
    assert hosts.refused("other.example.org", NOW) == 2
    assert hosts.free_at(HOST, NOW) == later(580)


def test_asking_about_hosts_leaves_nothing_behind():
    budget = HostBudget(BudgetPolicy())
    budget.refuse("once.example", NOW)
    for number in range(50):
        assert budget.admits(f"h{number}.example", NOW, proven=False, strict=True)
        assert budget.admits(f"h{number}.example", NOW, proven=False, strict=False)
        assert budget.room(f"h{number}.example", NOW) > 0
    assert budget.refused("once.example", NOW + timedelta(days=1)) == 0
    assert (len(budget._flying), len(budget._unproven), len(budget._refused)) == (0, 0, 0)


def test_hosts_that_refused_as_many_as_they_may_are_exhausted_until_the_first_is_long_ago():
    hosts = HostBudget(POLICY)
    for seconds in range(POLICY.host_rejected_logins):
        assert hosts.exhausted(NOW) == frozenset()
        hosts.refuse(HOST, later(seconds))
    hosts.refuse("other.example.org", NOW)
    assert hosts.exhausted(later(10)) == {HOST}
    assert hosts.exhausted(later(POLICY.host_window_seconds)) == frozenset()


def test_a_clock_that_was_set_back_shuts_a_host_for_one_window_and_not_until_the_clock_is_there_again():
    hosts, told = HostBudget(POLICY), [later(86_400 + second) for second in range(POLICY.host_rejected_logins)]
    for moment in told:
        hosts.refuse(HOST, moment)
    assert not hosts.admits(HOST, NOW, proven=True, strict=True)
    assert hosts.free_at(HOST, NOW) == later(POLICY.host_window_seconds)
    opened = []
    for second in range(0, 90_000, 5):  # the store goes on telling of them, and a day later they are there again
        now = later(second)
        hosts.learn({HOST: [moment for moment in told if moment > now - timedelta(seconds=POLICY.host_window_seconds)]})
        if hosts.admits(HOST, now, proven=True, strict=True):
            opened.append(second)
    assert opened == list(range(int(POLICY.host_window_seconds), 90_000, 5))
    assert not hosts.refused(HOST, later(90_000))


def test_a_new_process_after_the_clock_was_set_back_learns_of_the_same_refusals_once():
    hosts, told = HostBudget(POLICY), [later(7200), later(7200)]
    for second in range(0, 30, 5):
        hosts.learn({HOST: told})
        assert hosts.refused(HOST, later(second)) == 2
    hosts.refuse(HOST, later(30))
    assert hosts.refused(HOST, later(31)) == POLICY.host_rejected_logins
    hosts.learn({HOST: told})
    assert hosts.refused(HOST, later(-3600)) == POLICY.host_rejected_logins, "set back once more"
    hosts.learn({HOST: told})
    assert hosts.refused(HOST, later(-3599)) == POLICY.host_rejected_logins


def test_once_in_a_window_a_persons_act_uses_the_last_place_and_the_limit_stays():
    hosts = HostBudget(POLICY)
    hosts.refuse(HOST, NOW)
    hosts.refuse(HOST, NOW)
    assert hosts.admits(HOST, NOW, proven=False, strict=True, asked=True)
    hosts.start(HOST, proven=False, asked_at=NOW)
    hosts.finish(HOST, proven=False)
    assert not hosts.admits(HOST, later(10), proven=False, strict=True, asked=True), "the next place is for the proven"
    assert hosts.admits(HOST, later(10), proven=True, strict=True)
    hosts.refuse(HOST, NOW)
    assert not hosts.admits(HOST, later(10), proven=True, strict=True, asked=True)


def test_an_act_that_needs_no_last_place_uses_none_up():
    hosts = HostBudget(POLICY)
    hosts.start(HOST, proven=False, asked_at=NOW)
    hosts.finish(HOST, proven=False)
    for _ in range(2):
        hosts.refuse(HOST, NOW)
    assert hosts.admits(HOST, later(10), proven=False, strict=True, asked=True)
