"""Decisions inside a maintenance window, and about a mailbox that comes and goes."""

import random
from dataclasses import replace
from datetime import timedelta

from builders import FAILURES, NOW, SMTP, a_failure, a_mailbox, a_report, a_standing, healthy
from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.decide import decide
from mailwatch.core.lifecycle import State
from mailwatch.core.policy import FlapPolicy, Policy, VerifyPolicy

MAILBOX = a_mailbox()
WELL = a_report(healthy(), healthy(SMTP))
POLICY = Policy(verify=VerifyPolicy(successes=2, min_seconds=120.0, spacing_seconds=60.0))


def decided(standing, report, *, maintenance=False, now=NOW, policy=POLICY):
    return decide(MAILBOX, standing, report, policy, now, random.Random(1), maintenance=maintenance)


def through(standing, steps, *, maintenance=False, policy=POLICY):
    """The standing after (report, …) each taken when it is due, and the moment then."""
    now = standing.due_at
    for report in steps:
        standing = decided(standing, report, maintenance=maintenance, now=now, policy=policy).after
        now = standing.due_at
    return standing, now


def test_a_disconnection_inside_a_window_is_attributed_to_it_and_keeps_the_servers_words():
    standing, now = through(a_standing(due_at=NOW), [a_failure(FAILURES[Cause.CONNECTION_REFUSED])], maintenance=True)
    decision = decided(standing, a_failure(FAILURES[Cause.CONNECTION_REFUSED]), maintenance=True, now=now)
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
    decision = decided(a_standing(due_at=NOW), refused, maintenance=True)
    assert len(decision.after.rejected_at) == len(decision.refusals) == 1
    assert (decision.after.due_at - NOW).total_seconds() >= POLICY.confirm.secret_seconds


def test_after_the_window_it_is_verified_before_campaigns_go_on():
    failure = a_failure(FAILURES[Cause.CONNECTION_REFUSED])
    standing, now = through(a_standing(due_at=NOW), [failure, failure], maintenance=True)
    decision = decided(standing, WELL, now=now)
    assert decision.after.state is State.VERIFYING


def test_a_failure_after_the_window_has_its_own_cause():
    failure = a_failure(FAILURES[Cause.CONNECTION_REFUSED])
    standing, now = through(a_standing(due_at=NOW), [failure, failure], maintenance=True)
    assert decided(standing, failure, now=now).after.cause is Cause.CONNECTION_REFUSED


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
    for _ in range(POLICY.flap.episodes - 1):
        standing, now = episode(standing, now)
    since = now
    flapping, back = episode(standing, now)
    assert (back - since).total_seconds() >= POLICY.flap.calm_seconds
    assert len(flapping.episodes_at) == POLICY.flap.episodes


def test_one_outage_is_verified_as_soon_as_ever():
    _, back = episode(a_standing(due_at=NOW), NOW)
    assert (back - NOW).total_seconds() < POLICY.flap.calm_seconds


def test_episodes_of_long_ago_are_forgotten():
    policy = replace(POLICY, flap=FlapPolicy(episodes=2))
    standing, now = episode(a_standing(due_at=NOW), NOW)
    much_later = now + timedelta(seconds=2 * policy.flap.window_seconds)
    standing, back = episode(standing, much_later)
    assert len(standing.episodes_at) == 1
    assert (back - much_later).total_seconds() < policy.flap.calm_seconds


def test_a_longer_outage_is_remembered_for_the_ramp():
    standing, _ = episode(a_standing(due_at=NOW), NOW)
    assert standing.last_outage_seconds >= POLICY.verify.min_seconds


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
