"""What follows from a report: the seven rules of the lifecycle, one story each."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from builders import (
    FAILURES,
    IMAP,
    NOW,
    SMTP,
    THROTTLED_WITH_HINT,
    TOKEN_ENDPOINT_DOWN,
    a_failure,
    a_mailbox,
    a_report,
    a_standing,
    failed,
    healthy,
    impaired,
    later,
    withheld,
)
from mailwatch.core import acts
from mailwatch.core.causes import NETWORK_CAUSES, SECRET_REFUSALS, Cause, Disposition, profile_of
from mailwatch.core.decide import decide
from mailwatch.core.egress import Egress
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.impairments import impairment_of
from mailwatch.core.lifecycle import Effect, State, Trigger
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.plan import plan
from mailwatch.core.policy import FlapPolicy, Policy, VerifyPolicy
from mailwatch.core.standing import ChannelHealth, Refusal
from mailwatch.core.unfinished import unfinished

POLICY = Policy()
MAILBOX = a_mailbox()
REACHED = a_report(withheld(IMAP), withheld(SMTP))


def decided(standing, report, *, policy=POLICY, now=NOW, egress=Egress.UP, mailbox=MAILBOX, seed=1):
    return decide(mailbox, standing, report, policy, now, random.Random(seed), egress=egress)


def seconds_until_due(decision, now=NOW):
    return (decision.after.due_at - now).total_seconds()


def path(decision):
    return [row.to_state for row in decision.transitions]


def lived(standing, *reports, policy=POLICY, mailbox=MAILBOX):
    """The standing after *reports*, each made when the mailbox was due, and all rows on the way."""
    rows, now = [], standing.due_at
    for report in reports:
        decision = decided(standing, report, now=now, policy=policy, mailbox=mailbox)
        rows += decision.transitions
        standing, now = decision.after, decision.after.due_at
    return standing, rows


# --- success ---------------------------------------------------------------------------------------------------------------------


def test_the_first_success_connects_a_pending_mailbox():
    decision = decided(a_standing(State.PENDING), a_report())
    assert path(decision) == [State.CONNECTED]
    assert decision.after.proven
    assert decision.after.last_success_at == NOW


def test_a_success_of_a_connected_mailbox_makes_no_row_and_is_not_urgent():
    decision = decided(a_standing(), a_report())
    assert decision.transitions == ()
    assert not decision.urgent
    assert POLICY.interval_seconds <= seconds_until_due(decision) <= 1.02 * POLICY.interval_seconds


def test_a_suspicion_that_proves_false_ends_without_a_pause():
    suspect = decided(a_standing(), a_failure(Cause.CONNECTION_DROPPED)).after
    decision = decided(suspect, a_report(), now=suspect.due_at)
    assert path(decision) == [State.CONNECTED]
    assert decision.transitions[0].effects == frozenset()
    assert (decision.after.cause, decision.after.failures) == (None, 0)


def test_a_success_is_not_health_reconnecting_goes_to_verifying():
    decision = decided(a_standing(State.RECONNECTING, attempts=3), a_report())
    assert path(decision) == [State.VERIFYING]
    assert decision.after.clean_probes == 1
    assert decision.after.attempts == 3


def test_only_enough_clean_probes_over_enough_time_make_it_connected_and_resume_campaigns():
    standing, rows = lived(
        a_standing(State.RECONNECTING, cause=Cause.CONNECTION_TIMEOUT, down_since_at=later(-60)), *[a_report()] * 10
    )
    assert [row.to_state for row in rows] == [State.VERIFYING, State.CONNECTED]
    assert (rows[1].at - rows[0].at).total_seconds() >= POLICY.verify.min_seconds
    assert rows[1].effects == {Effect.RESUME_CAMPAIGNS}
    assert (standing.cause, standing.down_since_at) == (None, None)


@pytest.mark.parametrize("verify", [VerifyPolicy(5, 60.0, 10.0), VerifyPolicy(2, 600.0, 10.0), VerifyPolicy(3, 0.0, 1.0)])
def test_verification_asks_for_both_the_number_and_the_time(verify):
    policy = replace(POLICY, verify=verify)
    standing, now, clean = a_standing(State.RECONNECTING), NOW, 0
    while standing.state is not State.CONNECTED:
        standing = decided(standing, a_report(), policy=policy, now=now).after
        clean, last, now = clean + 1, now, standing.due_at
    assert clean >= verify.successes
    assert (last - NOW).total_seconds() >= verify.min_seconds


def test_a_mailbox_that_comes_and_goes_is_looked_at_every_interval_while_it_proves_itself():
    often = (later(-3600), later(-1800), later(-300))
    standing = a_standing(State.RECONNECTING, cause=Cause.CONNECTION_REFUSED, down_since_at=later(-300), episodes_at=often)
    now, waits = NOW, []
    while standing.state is not State.CONNECTED:
        standing = decided(standing, a_report(at=now), now=now).after
        waits.append((standing.due_at - now).total_seconds())
        now = standing.due_at
    assert max(waits) <= 1.1 * POLICY.interval_seconds
    assert (standing.since_at - NOW).total_seconds() >= POLICY.flap.calm_seconds


def test_a_failure_while_verifying_starts_verification_anew():
    standing, _ = lived(a_standing(State.RECONNECTING), a_report(), a_report(), a_failure(Cause.CONNECTION_DROPPED), a_report())
    assert (standing.state, standing.clean_probes) == (State.VERIFYING, 1)


def test_a_clock_that_was_set_back_a_day_does_not_prolong_verification():
    standing = a_standing(State.VERIFYING, clean_probes=2, verifying_since_at=later(86_400))
    decision = decided(standing, a_report())
    assert decision.after.state is State.VERIFYING
    assert seconds_until_due(decision) <= 1.1 * POLICY.verify.min_seconds
    assert decided(decision.after, a_report(), now=decision.after.due_at).after.state is State.CONNECTED


def test_backoff_starts_anew_only_after_survival():
    just_back = a_standing(attempts=5, since_at=later(-60))
    assert decided(just_back, a_report()).after.attempts == 5
    survived = a_standing(attempts=5, since_at=later(-POLICY.survival_seconds))
    assert decided(survived, a_report()).after.attempts == 0


def test_a_server_that_accepts_the_login_and_drops_it_is_tried_ever_more_rarely_and_never_called_connected():
    standing, waits = decided(a_standing(), a_failure(Cause.CONNECTION_DROPPED)).after, []
    for _ in range(20):
        now = standing.due_at
        standing = decided(standing, a_failure(Cause.CONNECTION_DROPPED), now=now).after
        waits.append((standing.due_at - now).total_seconds())
        assert standing.state is State.RECONNECTING
    assert waits[-1] >= POLICY.transient.max_seconds
    assert waits[0] < waits[3] < waits[8]


def test_a_mailbox_that_comes_and_goes_is_tried_ever_more_rarely_although_each_return_succeeds():
    standing, waits = a_standing(State.RECONNECTING), []
    for _ in range(8):
        standing = decided(standing, a_report(), now=standing.due_at).after
        now = standing.due_at
        standing = decided(standing, a_failure(Cause.CONNECTION_DROPPED), now=now).after
        waits.append((standing.due_at - now).total_seconds())
    assert waits[-1] >= POLICY.transient.max_seconds


def test_a_report_without_channels_is_no_success():
    report = replace(a_report(), channels=())
    assert decided(a_standing(State.PENDING), report).after.state is State.PENDING
    assert (
        decided(a_standing(State.RECONNECTING), report, mailbox=a_mailbox(imap=None, smtp=None)).after.state is State.RECONNECTING
    )


def test_one_healthy_channel_of_two_is_no_success():
    assert decided(a_standing(State.RECONNECTING), a_report(healthy(IMAP))).after.state is State.RECONNECTING


# --- failure and confirmation -------------------------------------------------------------------------------------------------------

MOST = sorted(set(FAILURES) - {Cause.SESSION_EXPIRED, Cause.OAUTH_GRANT_REVOKED, Cause.OAUTH_MISCONFIGURED})


@pytest.mark.parametrize("cause", MOST)
@pytest.mark.parametrize("state", [State.CONNECTED, State.PENDING])
def test_a_first_failure_is_a_suspicion_that_pauses_nothing(state, cause):
    decision = decided(a_standing(state), a_failure(cause))
    assert path(decision) == [State.SUSPECT]
    assert decision.transitions[0].effects == frozenset()
    assert decision.transitions[0].cause is cause
    assert decision.transitions[0].evidence == FAILURES[cause]


@pytest.mark.parametrize("cause", MOST)
def test_a_second_look_confirms(cause):
    standing, rows = lived(a_standing(), a_failure(cause), a_failure(cause))
    human = profile_of(cause).disposition is Disposition.HUMAN or cause in SECRET_REFUSALS  # those have spent their logins by now
    assert standing.state is (State.BLOCKED if human else State.RECONNECTING)
    assert Effect.PAUSE_CAMPAIGNS in rows[-1].effects
    assert (Effect.TELL_PERSON in rows[-1].effects) is human
    assert standing.down_since_at == rows[-1].at


@pytest.mark.parametrize("cause", MOST)
def test_the_second_look_is_soon_and_for_a_refused_secret_no_sooner_than_a_minute_later(cause):
    wait = seconds_until_due(decided(a_standing(), a_failure(cause)))
    gentle = cause in SECRET_REFUSALS or profile_of(cause).disposition is Disposition.THROTTLED
    low, high = (90.0, 112.5) if gentle else (15.0, 45.0)
    assert low <= wait <= high


def test_second_looks_are_spread():
    waits = {seconds_until_due(decided(a_standing(), a_failure(Cause.CONNECTION_TIMEOUT), seed=n)) for n in range(50)}
    assert max(waits) - min(waits) > 20


def test_one_blip_on_day_0_and_one_on_day_4_park_nobody():
    suspect = decided(a_standing(), a_failure(Cause.INVALID_CREDENTIALS)).after
    well = decided(suspect, a_report(), now=suspect.due_at).after
    again = decided(well, a_failure(Cause.INVALID_CREDENTIALS), now=later(4 * 86_400)).after
    assert (again.state, again.person_sightings) == (State.SUSPECT, 1)


def test_two_refusals_in_a_row_need_a_person():
    standing, _ = lived(a_standing(), *[a_failure(Cause.INVALID_CREDENTIALS)] * 2)
    assert standing.state is State.BLOCKED
    assert len(standing.rejected_at) == 2
    assert not plan(MAILBOX, standing, POLICY, standing.due_at).logs_in


def test_a_refusal_followed_by_another_trouble_is_retried():
    standing, _ = lived(a_standing(), a_failure(Cause.INVALID_CREDENTIALS), a_failure(Cause.CONNECTION_TIMEOUT))
    assert standing.state is State.RECONNECTING
    assert standing.person_sightings == 0


def test_a_first_refusal_that_spends_the_budget_needs_a_person_at_once():
    decision = decided(a_standing(rejected_at=(later(-3600),)), a_failure(Cause.INVALID_CREDENTIALS))
    assert path(decision) == [State.SUSPECT, State.BLOCKED]


@pytest.mark.parametrize("cause", [Cause.OAUTH_GRANT_REVOKED, Cause.OAUTH_MISCONFIGURED])
@pytest.mark.parametrize("state", [State.PENDING, State.CONNECTED, State.SUSPECT, State.RECONNECTING, State.VERIFYING])
def test_a_dead_grant_needs_a_person_at_once(state, cause):
    decision = decided(a_standing(state), a_failure(cause), mailbox=a_mailbox(auth=AuthKind.OAUTH))
    assert decision.after.state is State.BLOCKED
    assert decision.transitions[-1].effects >= {Effect.TELL_PERSON}


def test_a_token_endpoint_that_is_down_costs_no_grant_and_asks_no_person():
    standing, _ = lived(a_standing(), *[a_failure(TOKEN_ENDPOINT_DOWN)] * 12, mailbox=a_mailbox(auth=AuthKind.OAUTH))
    assert standing.state is State.RECONNECTING
    assert standing.cause is Cause.SERVER_UNAVAILABLE
    assert standing.rejected_at == ()


def test_a_certificate_on_the_way_to_the_token_endpoint_blocks_no_mailbox():
    evidence = replace(FAILURES[Cause.TLS_CERTIFICATE_EXPIRED], protocol="oauth", phase=Phase.TOKEN)
    standing, _ = lived(a_standing(), *[a_failure(evidence)] * 9, mailbox=a_mailbox(auth=AuthKind.OAUTH))
    assert standing.state is State.RECONNECTING


def test_unknown_alone_asks_a_person_only_after_few_tries():
    standing, seen = a_standing(), 0
    while standing.state is not State.BLOCKED:
        standing = decided(standing, a_failure(Cause.UNKNOWN), now=standing.due_at).after
        seen += 1
    assert seen == POLICY.confirm.unknown_tries


def test_unknown_on_a_first_sight_parks_nobody_however_many_failures_of_other_kinds_came_before():
    standing, _ = lived(a_standing(), *[a_failure(Cause.CONNECTION_TIMEOUT)] * 10, a_failure(Cause.UNKNOWN))
    assert standing.state is State.RECONNECTING


def test_unknown_does_not_make_the_next_refusal_a_second_one():
    standing, _ = lived(a_standing(), a_failure(Cause.UNKNOWN), a_failure(Cause.ACCESS_DENIED))
    assert standing.state is State.RECONNECTING
    assert standing.person_sightings == 1


@pytest.mark.parametrize("cause", [Cause.CONNECTION_LIMIT, Cause.RATE_LIMITED, Cause.MAILBOX_FULL])
def test_what_is_throttled_is_left_alone_for_long_and_asks_no_person(cause):
    standing, _ = lived(a_standing(), *[a_failure(cause)] * 6)
    assert standing.state is State.RECONNECTING
    decision = decided(a_standing(State.RECONNECTING), a_failure(cause))
    assert seconds_until_due(decision) >= POLICY.throttled.first_seconds


@pytest.mark.parametrize("state", [State.CONNECTED, State.SUSPECT, State.RECONNECTING, State.VERIFYING])
def test_no_try_comes_before_the_time_that_the_server_named(state):
    assert seconds_until_due(decided(a_standing(state), a_failure(THROTTLED_WITH_HINT))) >= 299.961


def test_a_named_quiet_time_longer_than_an_interval_is_no_suspicion_and_pauses_at_once():
    decision = decided(a_standing(), a_failure(replace(THROTTLED_WITH_HINT, retry_after_seconds=7200)))
    assert path(decision) == [State.SUSPECT, State.RECONNECTING]
    assert Effect.PAUSE_CAMPAIGNS in decision.transitions[-1].effects
    assert seconds_until_due(decision) >= 7200


def test_a_suspicion_lasts_no_longer_than_an_interval_whatever_an_overloaded_server_asks():
    decision = decided(a_standing(), a_failure(replace(TOKEN_ENDPOINT_DOWN, retry_after_seconds=86_400)))
    assert decision.after.state is State.SUSPECT
    assert seconds_until_due(decision) <= 1.25 * POLICY.interval_seconds


def test_a_hint_of_a_year_is_believed_for_a_day():
    decision = decided(a_standing(State.RECONNECTING), a_failure(replace(THROTTLED_WITH_HINT, retry_after_seconds=3e7)))
    assert seconds_until_due(decision) <= 1.25 * POLICY.max_hint_seconds


@pytest.mark.parametrize("hint", [-5.0, 0.0, float("nan"), float("inf")])
def test_no_hint_breaks_the_schedule(hint):
    for state in (State.CONNECTED, State.SUSPECT):
        wait = seconds_until_due(decided(a_standing(state), a_failure(replace(THROTTLED_WITH_HINT, retry_after_seconds=hint))))
        assert 0 < wait <= 1.25 * POLICY.max_hint_seconds


def test_an_announced_end_of_a_session_is_no_transition_and_is_looked_at_at_once():
    decision = decided(a_standing(), a_failure(Cause.SESSION_EXPIRED))
    assert (decision.transitions, decision.note) == ((), "planned")
    assert decision.after.channels == {}
    assert seconds_until_due(decision) <= 2


def test_announced_ends_and_nothing_else_are_a_failure():
    _, rows = lived(a_standing(), *[a_failure(Cause.SESSION_EXPIRED)] * 6)
    assert [row.to_state for row in rows][:2] == [State.SUSPECT, State.RECONNECTING]


# --- the two channels ---------------------------------------------------------------------------------------------------------------


def test_each_channel_keeps_its_own_health_and_cause():
    standing, _ = lived(a_standing(), a_report(healthy(IMAP), failed(Cause.BASIC_AUTH_DISABLED, SMTP)))
    assert standing.channels[IMAP].healthy
    assert standing.channels[SMTP] == ChannelHealth(healthy=False, since_at=NOW, cause=Cause.BASIC_AUTH_DISABLED)


def test_a_channel_keeps_the_moment_since_when_it_is_ill_though_its_cause_changes():
    standing, _ = lived(a_standing(), a_failure(Cause.CONNECTION_TIMEOUT), a_failure(Cause.CONNECTION_REFUSED))
    assert standing.channels[IMAP] == ChannelHealth(healthy=False, since_at=NOW, cause=Cause.CONNECTION_REFUSED)


@pytest.mark.parametrize(
    ("imap", "smtp", "speaks"),
    [
        (Cause.CONNECTION_TIMEOUT, Cause.BASIC_AUTH_DISABLED, Cause.BASIC_AUTH_DISABLED),
        (Cause.UNKNOWN, Cause.CONNECTION_TIMEOUT, Cause.CONNECTION_TIMEOUT),
        (Cause.CONNECTION_LIMIT, Cause.CONNECTION_TIMEOUT, Cause.CONNECTION_LIMIT),
        (Cause.ACCESS_DENIED, Cause.RATE_LIMITED, Cause.ACCESS_DENIED),
        (Cause.INVALID_CREDENTIALS, Cause.CONNECTION_REFUSED, Cause.INVALID_CREDENTIALS),
    ],
)
def test_what_needs_a_person_speaks_for_the_mailbox_then_what_needs_patience_and_unknown_last(imap, smtp, speaks):
    assert decided(a_standing(), a_report(failed(imap), failed(smtp, SMTP))).after.cause is speaks


# --- the login budget ---------------------------------------------------------------------------------------------------------------


def test_refused_logins_count_on_the_secret_and_on_the_host_that_refused():
    decision = decided(a_standing(), a_report(failed(Cause.BASIC_AUTH_DISABLED, SMTP), withheld(IMAP)))
    assert decision.after.rejected_at == (NOW,)
    assert decision.refusals == (Refusal("smtp.example.org", NOW),)
    assert decision.urgent


def test_an_access_token_that_was_renewed_during_the_probe_is_another_secret():
    twice = failed(Cause.OAUTH_TOKEN_EXPIRED, rejected_logins=2)
    decision = decided(a_standing(), a_report(twice, withheld(SMTP)), mailbox=a_mailbox(auth=AuthKind.OAUTH))
    assert len(decision.after.rejected_at) == 1
    assert len(decision.refusals) == 2
    well_in_the_end = replace(healthy(IMAP), rejected_logins=1)
    decision = decided(a_standing(), a_report(well_in_the_end, healthy(SMTP)), mailbox=a_mailbox(auth=AuthKind.OAUTH))
    assert decision.after.rejected_at == ()
    assert len(decision.refusals) == 1


def test_a_renewed_token_that_is_still_refused_leaves_campaigns_running_no_longer_than_the_second_look():
    mailbox = a_mailbox(auth=AuthKind.OAUTH)
    standing, _ = lived(a_standing(), *[a_report(failed(Cause.OAUTH_TOKEN_EXPIRED), withheld(SMTP))] * 2, mailbox=mailbox)
    assert standing.state is State.BLOCKED
    assert not plan(mailbox, standing, POLICY, standing.due_at).logs_in


@pytest.mark.parametrize("budget", [1, 2, 3, 10])
def test_a_renewed_token_that_goes_on_being_refused_needs_a_person_as_soon_as_no_login_is_left(budget):
    mailbox, standing = a_mailbox(auth=AuthKind.OAUTH), a_standing()
    policy = replace(POLICY, budget=replace(POLICY.budget, rejected_logins=budget))
    refused, rows = a_report(failed(Cause.OAUTH_TOKEN_EXPIRED), withheld(SMTP)), []
    for _ in range(min(budget, policy.confirm.unknown_tries)):
        now = standing.due_at
        assert plan(mailbox, standing, policy, now).logs_in
        assert standing.state is not State.BLOCKED
        decision = decided(standing, refused, now=now, mailbox=mailbox, policy=policy)
        standing, rows = decision.after, [*rows, *decision.transitions]
    assert standing.state is State.BLOCKED
    assert Effect.TELL_PERSON in rows[-1].effects
    assert (standing.since_at - NOW).total_seconds() < 3600


def test_a_refused_token_in_a_declared_window_or_on_the_way_to_its_endpoint_asks_no_person():
    mailbox, spent = a_mailbox(auth=AuthKind.OAUTH), a_standing(rejected_at=(later(-100),))
    refused = a_report(failed(Cause.OAUTH_TOKEN_EXPIRED), withheld(SMTP))
    declared = decide(mailbox, spent, refused, POLICY, NOW, random.Random(1), maintenance=True)
    assert declared.after.state is State.RECONNECTING
    no_endpoint = a_report(failed(TOKEN_ENDPOINT_DOWN, rejected_logins=1), withheld(SMTP))
    assert decided(spent, no_endpoint, mailbox=mailbox).after.state is not State.BLOCKED


@pytest.mark.parametrize("words", ["BAD Login failed", "BAD login incorrect", "NO [NOPERM] not you"])
def test_whatever_a_final_no_to_a_login_is_called_it_is_treated_like_a_refused_secret(words):
    evidence = Evidence("imap", Phase.AUTH, words, status=words.split()[0], response_code="NOPERM" if "[" in words else None)
    first = decided(a_standing(), a_report(failed(evidence), withheld(SMTP, "other_channel")))
    assert (len(first.after.rejected_at), first.after.proven, path(first)) == (1, False, [State.SUSPECT])
    assert seconds_until_due(first) >= POLICY.confirm.secret_seconds
    second = decided(first.after, a_report(failed(evidence), withheld(SMTP, "other_channel")), now=first.after.due_at)
    assert path(second) == [State.BLOCKED]


def test_without_a_login_left_a_failure_is_no_suspicion_but_counts_at_once():
    budgetless = a_standing(lost_at=(later(-20), later(-10)))
    busy = a_report(failed(Cause.SERVER_UNAVAILABLE), failed(Cause.SERVER_UNAVAILABLE, SMTP))
    assert path(decided(budgetless, busy)) == [State.SUSPECT, State.RECONNECTING]


def test_an_accepted_login_shows_that_lost_leases_were_harmless_even_if_the_other_channel_is_down():
    decision = decided(a_standing(lost_at=(later(-20),)), a_report(healthy(IMAP), failed(Cause.CONNECTION_REFUSED, SMTP)))
    assert decision.after.lost_at == ()


def test_a_look_without_login_clears_no_lost_lease():
    assert decided(a_standing(lost_at=(later(-20), later(-10))), REACHED).after.lost_at == (later(-20), later(-10))


def test_lost_leases_outside_the_window_are_forgotten():
    assert decided(a_standing(lost_at=(later(-90_000),)), a_failure(Cause.CONNECTION_REFUSED)).after.lost_at == ()


def test_a_spent_budget_means_looks_without_login_until_it_is_free_again():
    standing = a_standing(State.RECONNECTING, rejected_at=(later(-86_300), later(-80_000)))
    decision = decided(standing, REACHED)
    assert (decision.note, decision.transitions) == ("withheld", ())
    assert seconds_until_due(decision) == pytest.approx(100, abs=0.1)
    far = decided(a_standing(State.RECONNECTING, rejected_at=(later(-10), later(-5))), REACHED)
    assert seconds_until_due(far) <= 1.1 * POLICY.interval_seconds


@pytest.mark.parametrize("state", [State.PENDING, State.CONNECTED, State.RECONNECTING, State.VERIFYING])
def test_what_is_merely_reached_since_its_budget_is_spent_does_not_pass_for_watched(state):
    spent = a_standing(state, rejected_at=(later(-20), later(-10)))
    first = decided(spent, REACHED).after
    assert (first.state, first.impairment, first.impaired_since_at) == (state, "login_budget", NOW)
    again = decided(first, REACHED, now=later(3600)).after
    assert (again.impairment, again.impaired_since_at) == ("login_budget", NOW)
    assert "only reached, without a login" in impairment_of(again).sentence
    free = decided(again, a_report(at=later(90_000)), now=later(90_000)).after
    assert (free.impairment, free.impaired_since_at) == (None, None)


def test_a_login_that_is_withheld_for_the_other_channels_sake_hides_nothing():
    assert (
        decided(a_standing(State.RECONNECTING), a_report(healthy(IMAP), withheld(SMTP, "other_channel"))).after.impairment is None
    )


def test_a_persons_reconnect_after_two_refusals_goes_all_the_way_to_connected_when_the_secret_works_again():
    blocked, _ = lived(a_standing(), *[a_failure(Cause.INVALID_CREDENTIALS)] * 2)
    standing = acts.reconnect(blocked, blocked.due_at, "me").after
    for _ in range(6):
        planned = plan(MAILBOX, standing, POLICY, standing.due_at)
        assert planned.logs_in, f"{standing.state}: {planned.withheld_reason}"
        standing = decided(standing, a_report(), now=standing.due_at).after
    assert standing.state is State.CONNECTED


def test_a_persons_reconnect_survives_a_blip_of_the_network():
    blocked, _ = lived(a_standing(), *[a_failure(Cause.INVALID_CREDENTIALS)] * 2)
    standing = acts.reconnect(blocked, blocked.due_at, "me").after
    standing = decided(standing, a_failure(Cause.CONNECTION_TIMEOUT), now=standing.due_at).after
    assert plan(MAILBOX, standing, POLICY, standing.due_at).logs_in


def test_a_persons_reconnect_costs_one_refused_login_and_no_more():
    blocked, _ = lived(a_standing(), *[a_failure(Cause.INVALID_CREDENTIALS)] * 2)
    standing = acts.reconnect(blocked, blocked.due_at, "me").after
    decision = decided(standing, a_failure(Cause.INVALID_CREDENTIALS), now=standing.due_at)
    assert path(decision) == [State.BLOCKED]
    assert not decision.after.forced


def test_what_a_person_allowed_is_dropped_when_the_budget_allows_it_anyway():
    assert not decided(a_standing(State.RECONNECTING, forced=True), a_failure(Cause.CONNECTION_TIMEOUT)).after.forced


def test_a_refusal_makes_the_secret_unproven():
    assert not decided(a_standing(), a_failure(Cause.INVALID_CREDENTIALS)).after.proven
    assert decided(a_standing(), a_failure(Cause.CONNECTION_TIMEOUT)).after.proven


# --- our own network --------------------------------------------------------------------------------------------------------------

NETWORK = sorted(NETWORK_CAUSES & set(FAILURES))
WATCHED = [State.PENDING, State.CONNECTED, State.SUSPECT, State.RECONNECTING, State.VERIFYING, State.BLOCKED]


@pytest.mark.parametrize("cause", NETWORK)
@pytest.mark.parametrize("state", WATCHED)
def test_while_our_own_network_is_broken_network_causes_change_nothing(state, cause):
    standing = a_standing(state, clean_probes=1, channels={IMAP: ChannelHealth(healthy=True, since_at=later(-900))})
    decision = decided(standing, a_report(failed(cause), failed(cause, SMTP)), egress=Egress.DOWN)
    assert decision.transitions == ()
    assert decision.note == "egress_down"
    assert replace(decision.after, due_at=standing.due_at, last_probe_at=None) == standing
    assert 30 <= seconds_until_due(decision) <= 60


def test_a_token_endpoint_out_of_reach_of_our_broken_network_is_no_mailboxs_failure():
    silent = Evidence("oauth", Phase.TOKEN, "Cannot connect to host", exception="aiohttp.ClientConnectorError")
    decision = decided(a_standing(), a_failure(silent), egress=Egress.DOWN, mailbox=a_mailbox(auth=AuthKind.OAUTH))
    assert decision.transitions == ()


def test_a_servers_own_words_count_even_while_our_network_seems_broken():
    assert decided(a_standing(), a_failure(Cause.SERVER_UNAVAILABLE), egress=Egress.DOWN).after.state is State.SUSPECT


@pytest.mark.parametrize("state", [State.CONNECTED, State.PENDING])
def test_while_it_is_unclear_whose_fault_it_is_there_is_one_more_look_before_it_counts(state):
    first = decided(a_standing(state), a_failure(Cause.CONNECTION_TIMEOUT), egress=Egress.UNCLEAR)
    assert (first.transitions, first.note) == ((), "egress_unclear")
    assert seconds_until_due(first) <= 10
    second = decided(first.after, a_failure(Cause.CONNECTION_TIMEOUT), egress=Egress.UNCLEAR, now=first.after.due_at)
    assert path(second) == [State.SUSPECT]


# --- our own faults ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", WATCHED)
def test_a_fault_of_our_own_changes_no_state(state):
    standing = a_standing(state)
    decision = decided(standing, a_report(impaired(IMAP), impaired(SMTP)))
    assert decision.transitions == ()
    assert decision.note == "impaired: ca_store_empty"
    assert (decision.after.impairment, decision.after.impaired_since_at) == ("ca_store_empty", NOW)
    assert replace(decision.after, due_at=NOW, impairment=None, impaired_since_at=None) == standing


def test_a_mailbox_that_we_cannot_look_at_is_tried_ever_more_rarely_up_to_the_interval_and_does_not_pass_for_watched():
    standing, now, looks = a_standing(last_probe_at=later(-300)), NOW, 0
    while now < later(3 * 86_400):
        decision = decided(standing, a_report(impaired(IMAP, "secret_unreadable"), impaired(SMTP, "secret_unreadable")), now=now)
        assert decision.transitions == ()
        waited = (decision.after.due_at - now).total_seconds()
        assert POLICY.egress_retry_seconds <= waited <= 1.1 * POLICY.interval_seconds
        standing, now, looks = decision.after, decision.after.due_at, looks + 1
    assert looks <= 3 * 86_400 / POLICY.interval_seconds + 10
    assert standing.last_probe_at == later(-300)
    assert (standing.state, standing.impairment, standing.impaired_since_at) == (State.CONNECTED, "secret_unreadable", NOW)
    seen = decided(standing, a_report(at=now), now=now).after
    assert (seen.impairment, seen.impaired_since_at, seen.last_probe_at) == (None, None, now)


def test_half_a_look_does_not_pass_for_one_but_a_failure_does():
    half = decided(a_standing(last_probe_at=later(-300)), a_report(healthy(IMAP), impaired(SMTP, "cleartext_refused"))).after
    assert (half.last_probe_at, half.impairment) == (later(-300), "cleartext_refused")
    ill = decided(a_standing(last_probe_at=later(-300)), a_report(failed(Cause.CONNECTION_REFUSED), impaired(SMTP))).after
    assert (ill.last_probe_at, ill.impairment) == (NOW, "ca_store_empty")


def test_a_failure_of_one_channel_counts_though_the_other_could_not_be_judged():
    assert decided(a_standing(), a_report(failed(Cause.CONNECTION_REFUSED), impaired(SMTP))).after.state is State.SUSPECT


def test_one_channel_well_and_the_other_not_judged_is_no_success():
    assert decided(a_standing(State.RECONNECTING), a_report(healthy(IMAP), impaired(SMTP))).after.state is State.RECONNECTING


@pytest.mark.parametrize("generation", [1, 3])
@pytest.mark.parametrize("state", sorted(State))
def test_a_report_of_another_generation_changes_nothing(state, generation):
    standing = a_standing(state, generation=2)
    for report in (a_report(generation=generation), a_failure(Cause.INVALID_CREDENTIALS, generation=generation)):
        decision = decided(standing, report)
        assert (decision.after, decision.transitions, decision.note) == (standing, (), "outdated")


@pytest.mark.parametrize("state", [State.HELD, State.INACTIVE])
def test_a_report_on_a_mailbox_put_to_rest_meanwhile_changes_nothing(state):
    standing = a_standing(state, due_at=None)
    assert decided(standing, a_failure(Cause.INVALID_CREDENTIALS)).after == standing


# --- blocked -----------------------------------------------------------------------------------------------------------------------


def blocked_by(cause):
    standing, _ = lived(a_standing(), *[a_failure(cause)] * POLICY.confirm.unknown_tries)
    assert standing.state is State.BLOCKED
    return standing


@pytest.mark.parametrize("cause", [Cause.INVALID_CREDENTIALS, Cause.ACCESS_DENIED, Cause.UNKNOWN])
def test_what_is_stuck_at_the_login_or_behind_it_waits_for_a_person(cause):
    standing = blocked_by(cause)
    decision = decided(standing, REACHED, now=standing.due_at)
    assert (decision.after.state, decision.note) == (State.BLOCKED, "withheld")
    assert seconds_until_due(decision, standing.due_at) <= 1.1 * POLICY.recheck_seconds


def test_what_was_stuck_before_the_login_comes_back_by_itself_when_the_obstacle_is_gone():
    standing = blocked_by(Cause.TLS_CERTIFICATE_EXPIRED)
    still = decided(standing, a_report(failed(Cause.TLS_CERTIFICATE_EXPIRED), withheld(SMTP)), now=standing.due_at)
    assert (still.transitions, still.after.state) == ((), State.BLOCKED)
    gone = decided(still.after, REACHED, now=still.after.due_at)
    assert [row.trigger for row in gone.transitions] == [Trigger.OBSTACLE_CLEARED]
    assert gone.after.due_at == still.after.due_at
    assert gone.after.person_sightings == 0


def test_a_report_that_does_not_show_both_channels_clears_no_obstacle():
    standing = blocked_by(Cause.TLS_CERTIFICATE_EXPIRED)
    for channels in ((), (withheld(SMTP),)):
        assert decided(standing, replace(a_report(), channels=channels)).after.state is State.BLOCKED


def test_a_blocked_mailbox_does_not_become_well_by_any_report():
    assert decided(blocked_by(Cause.INVALID_CREDENTIALS), a_report()).after.state is State.BLOCKED


# --- back without a login left ---------------------------------------------------------------------------------------------------


def brought_back(cause=Cause.INVALID_CREDENTIALS, **changes):
    """What an incident's end brings back though its secret was refused as often as it may be."""
    spent = {"rejected_at": (later(-600), later(-300)), "stuck_phase": Phase.AUTH, "proven": False, "down_since_at": later(-300)}
    return acts.bring_back(a_standing(State.BLOCKED, cause=cause, **(spent | changes)), NOW).after


def test_what_only_a_person_heals_and_has_no_login_left_is_told_again_and_not_retried_in_vain_for_a_day():
    decision = decided(brought_back(), REACHED)
    (row,) = decision.transitions
    assert (row.to_state, row.trigger, row.cause) == (State.BLOCKED, Trigger.PERSON_NEEDED, Cause.INVALID_CREDENTIALS)
    assert Effect.TELL_PERSON in row.effects
    assert seconds_until_due(decision) >= POLICY.recheck_seconds


def test_a_later_outage_does_not_hide_what_a_person_must_heal():
    decision = decided(brought_back(), a_report(failed(Cause.CONNECTION_TIMEOUT), withheld(SMTP)))
    assert (path(decision), decision.after.cause) == ([State.BLOCKED], Cause.INVALID_CREDENTIALS)


def test_a_suspicion_that_no_login_is_left_to_look_into_and_only_a_person_heals_is_told():
    standing = a_standing(
        State.SUSPECT,
        cause=Cause.INVALID_CREDENTIALS,
        stuck_phase=Phase.AUTH,
        proven=False,
        rejected_at=(later(-90),),
        lost_at=(later(-20),),
    )
    assert path(decided(standing, REACHED)) == [State.BLOCKED]


@pytest.mark.parametrize(
    "standing",
    [
        brought_back(rejected_at=(later(-600),)),
        replace(brought_back(), forced=True),
        brought_back(Cause.RATE_LIMITED),
        brought_back(Cause.TLS_CERTIFICATE_EXPIRED, stuck_phase=Phase.TLS),
    ],
    ids=["a login is left", "a person asked", "it heals by itself", "it failed before the login"],
)
def test_what_can_still_come_back_by_itself_goes_on(standing):
    assert path(decided(standing, REACHED)) == []


def test_what_a_person_brought_back_and_was_accepted_survives_a_probe_that_is_cut_short():
    spent = a_standing(State.BLOCKED, cause=Cause.PROTOCOL_DISABLED, rejected_at=(later(-600), later(-300)), proven=False)
    standing, _ = lived(acts.reconnect(spent, NOW, "me").after, *[a_report()] * 8)
    now = standing.due_at
    assert (standing.state, standing.forced) == (State.CONNECTED, False)
    cut = unfinished(MAILBOX, standing, plan(MAILBOX, standing, POLICY, now), None, now, now).after
    assert plan(MAILBOX, cut, POLICY, now).logs_in


# --- suspicion without a login ------------------------------------------------------------------------------------------------------


def test_a_suspicion_raised_before_the_login_is_ended_by_a_look_without_one():
    standing = a_standing(State.SUSPECT, stuck_phase=Phase.CONNECT, lost_at=(later(-20), later(-10)), failures=1)
    decision = decided(standing, REACHED)
    assert path(decision) == [State.CONNECTED]
    assert decision.after.last_success_at == standing.last_success_at


def test_a_suspicion_that_cannot_be_looked_into_for_a_day_pauses_campaigns():
    standing = a_standing(State.SUSPECT, stuck_phase=Phase.SELECT, lost_at=(later(-20), later(-10)), cause=Cause.CONNECTION_DROPPED)
    decision = decided(standing, REACHED)
    assert path(decision) == [State.RECONNECTING]
    assert Effect.PAUSE_CAMPAIGNS in decision.transitions[0].effects


def test_a_mailbox_that_never_logged_in_is_not_connected_by_a_look_without_login():
    standing = a_standing(State.SUSPECT, stuck_phase=Phase.CONNECT, lost_at=(later(-20), later(-10)), last_success_at=None)
    assert decided(standing, REACHED).after.state is State.RECONNECTING


# --- purity ------------------------------------------------------------------------------------------------------------------------


def test_the_same_arguments_give_the_same_decision():
    report = a_failure(Cause.CONNECTION_TIMEOUT)
    assert decided(a_standing(), report, seed=7) == decided(a_standing(), report, seed=7)


def test_the_age_of_the_credential_is_written_beside_the_transition():
    decision = decide(
        MAILBOX, a_standing(), a_failure(Cause.INVALID_CREDENTIALS), POLICY, NOW, random.Random(1), credential_age_seconds=77
    )
    assert decision.transitions[0].credential_age_seconds == 77


UNANSWERED = Evidence("imap", Phase.AUTH, "Connection lost", exception="ConnectionResetError", errno=104)


def test_a_login_that_gets_no_answer_counts_on_the_budget_of_a_secret_that_was_never_accepted():
    standing = a_standing(State.RECONNECTING, proven=False, cause=Cause.CONNECTION_DROPPED)
    decision = decide(a_mailbox(smtp=None), standing, a_report(failed(UNANSWERED)), Policy(), NOW, random.Random(1))
    assert decision.after.lost_at == (NOW,)
    again = decide(a_mailbox(smtp=None), decision.after, a_report(failed(UNANSWERED)), Policy(), NOW, random.Random(1))
    assert plan(a_mailbox(smtp=None), again.after, Policy(), NOW).logs_in is False


def test_a_login_that_gets_no_answer_is_no_mark_against_a_proven_secret():
    standing = a_standing(State.RECONNECTING, proven=True, cause=Cause.CONNECTION_DROPPED)
    decision = decide(a_mailbox(smtp=None), standing, a_report(failed(UNANSWERED)), Policy(), NOW, random.Random(1))
    assert decision.after.lost_at == ()


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.TLS, Phase.GREETING, Phase.SELECT])
def test_a_connection_lost_before_or_after_the_login_is_no_unanswered_login(phase):
    standing = a_standing(State.RECONNECTING, proven=False, cause=Cause.CONNECTION_DROPPED)
    evidence = Evidence("imap", phase, exception="ConnectionResetError", errno=104)
    assert decide(a_mailbox(smtp=None), standing, a_report(failed(evidence)), Policy(), NOW, random.Random(1)).after.lost_at == ()


# --- in a maintenance window, and coming and going -------------------------------------------------------------------------------

WELL = a_report(healthy(), healthy(SMTP))
QUICK = Policy(verify=VerifyPolicy(successes=2, min_seconds=120.0, spacing_seconds=60.0))


def judged(standing, report, *, maintenance=False, now=NOW, policy=QUICK):
    return decide(MAILBOX, standing, report, policy, now, random.Random(1), maintenance=maintenance)


def through(standing, steps, *, maintenance=False, policy=QUICK):
    """The standing after (report, …) each taken when it is due, and the moment then."""
    now = standing.due_at
    for report in steps:
        standing = judged(standing, report, maintenance=maintenance, now=now, policy=policy).after
        now = standing.due_at
    return standing, now


def test_a_disconnection_inside_a_window_is_attributed_to_it_and_keeps_the_servers_words():
    standing, now = through(a_standing(due_at=NOW), [a_failure(FAILURES[Cause.CONNECTION_REFUSED])], maintenance=True)
    decision = judged(standing, a_failure(FAILURES[Cause.CONNECTION_REFUSED]), maintenance=True, now=now)
    (row,) = decision.transitions
    assert (row.to_state, row.cause) == (State.RECONNECTING, Cause.PLATFORM_MAINTENANCE)
    assert row.diagnosis.cause is Cause.CONNECTION_REFUSED


def test_what_needs_a_person_outside_of_it_waits_inside_of_it():
    failure = a_failure(FAILURES[Cause.INVALID_CREDENTIALS])
    standing, _ = through(a_standing(due_at=NOW), [failure, failure, failure], maintenance=True)
    assert (standing.state, standing.cause) == (State.RECONNECTING, Cause.PLATFORM_MAINTENANCE)


def test_refused_secrets_count_inside_a_window_too():
    report = a_failure(FAILURES[Cause.INVALID_CREDENTIALS])
    refused = replace(report, channels=tuple(replace(channel, rejected_logins=1) for channel in report.channels[:1]))
    decision = judged(a_standing(due_at=NOW), refused, maintenance=True)
    assert len(decision.after.rejected_at) == len(decision.refusals) == 1
    assert (decision.after.due_at - NOW).total_seconds() >= QUICK.confirm.secret_seconds


def test_after_the_window_it_is_verified_before_campaigns_go_on():
    failure = a_failure(FAILURES[Cause.CONNECTION_REFUSED])
    standing, now = through(a_standing(due_at=NOW), [failure, failure], maintenance=True)
    decision = judged(standing, WELL, now=now)
    assert decision.after.state is State.VERIFYING


def test_a_failure_after_the_window_has_its_own_cause():
    failure = a_failure(FAILURES[Cause.CONNECTION_REFUSED])
    standing, now = through(a_standing(due_at=NOW), [failure, failure], maintenance=True)
    assert judged(standing, failure, now=now).after.cause is Cause.CONNECTION_REFUSED


def episode(standing, now):
    """Down, confirmed, back and verified: the standing and the moment after it."""
    failure = a_failure(FAILURES[Cause.CONNECTION_REFUSED])
    standing = replace(standing, due_at=now)
    standing, now = through(standing, [failure, failure])
    while standing.state is not State.CONNECTED:
        standing, now = through(standing, [WELL])
    return standing, now


def test_a_mailbox_that_comes_and_goes_stays_away_until_it_was_calm_for_long():
    standing, now = a_standing(due_at=NOW), NOW
    for _ in range(QUICK.flap.episodes - 1):
        standing, now = episode(standing, now)
    since = now
    flapping, back = episode(standing, now)
    assert (back - since).total_seconds() >= QUICK.flap.calm_seconds
    assert len(flapping.episodes_at) == QUICK.flap.episodes


def test_one_outage_is_verified_as_soon_as_ever():
    _, back = episode(a_standing(due_at=NOW), NOW)
    assert (back - NOW).total_seconds() < QUICK.flap.calm_seconds


def test_episodes_of_long_ago_are_forgotten():
    policy = replace(QUICK, flap=FlapPolicy(episodes=2))
    standing, now = episode(a_standing(due_at=NOW), NOW)
    much_later = now + timedelta(seconds=2 * policy.flap.window_seconds)
    standing, back = episode(standing, much_later)
    assert len(standing.episodes_at) == 1
    assert (back - much_later).total_seconds() < policy.flap.calm_seconds


def test_a_longer_outage_is_remembered_for_the_ramp():
    standing, _ = episode(a_standing(due_at=NOW), NOW)
    assert standing.last_outage_seconds >= QUICK.verify.min_seconds


def test_the_time_a_person_kept_it_disconnected_counts_for_the_ramp():
    gone = acts.disconnect(a_standing(due_at=NOW), NOW, "cli:root").after
    back = acts.reconnect(gone, NOW + timedelta(days=14), "cli:root").after
    while back.state is not State.CONNECTED:
        back, _ = through(back, [WELL])
    assert back.last_outage_seconds >= 14 * 86_400


def test_senders_are_told_when_it_came_back_and_from_how_long_an_absence():
    standing, now = episode(a_standing(due_at=NOW), NOW)
    assert standing.returned_at <= now
    assert standing.returned_after_seconds == standing.last_outage_seconds


def test_a_short_outage_soon_after_a_long_one_is_part_of_it():
    long_ago = NOW - timedelta(hours=1)
    back = a_standing(due_at=NOW, returned_at=long_ago, returned_after_seconds=14 * 86_400.0)
    again, _ = episode(back, NOW)
    assert again.returned_after_seconds == 14 * 86_400.0
    much_later, _ = episode(again, NOW + timedelta(days=15))
    assert much_later.returned_after_seconds < 86_400


def test_a_suspicion_that_was_false_changes_nothing_about_the_return():
    back = a_standing(due_at=NOW, returned_at=NOW - timedelta(hours=1), returned_after_seconds=86_400.0)
    suspect, now = through(back, [a_failure(FAILURES[Cause.CONNECTION_REFUSED])])
    well, _ = through(replace(suspect, due_at=now), [WELL])
    assert (well.state, well.returned_at, well.returned_after_seconds) == (State.CONNECTED, back.returned_at, 86_400.0)


@pytest.mark.parametrize("seed", range(5))
def test_a_place_that_is_up_and_down_every_few_seconds_makes_no_storm_of_absences(seed):
    """Each probe falls into a good or a bad moment by chance, for a day."""
    chance, standing, now, lost_at = random.Random(seed), a_standing(due_at=NOW), NOW, []
    failure = a_failure(FAILURES[Cause.CONNECTION_REFUSED])
    while now < NOW + timedelta(days=1):
        decision = judged(standing, chance.choice([WELL, failure]), now=now)
        if standing.down_since_at is None and decision.after.down_since_at is not None:
            lost_at.append(now)
        standing, now = decision.after, decision.after.due_at
    assert lost_at, "nothing happened: the test shows nothing"
    assert all(sum(since <= at < since + timedelta(hours=1) for at in lost_at) <= QUICK.flap.episodes for since in lost_at)


def test_a_return_that_does_not_last_counts_towards_flapping():
    verifying = a_standing(State.VERIFYING, down_since_at=later(-600), verifying_since_at=later(-60), clean_probes=1)
    decision = decided(verifying, a_failure(FAILURES[Cause.CONNECTION_REFUSED]))
    assert decision.after.episodes_at == (NOW,)
    assert decision.after.down_since_at == later(-600)
    again = decided(decision.after, a_failure(FAILURES[Cause.CONNECTION_REFUSED]), now=later(60))
    assert again.after.episodes_at == (NOW,)  # the same absence
