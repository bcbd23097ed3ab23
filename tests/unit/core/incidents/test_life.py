"""Incidents are opened, grown, closed and reopened."""

from datetime import UTC, datetime, timedelta

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.detect import Finding
from mailwatch.core.incidents.life import Change, LifePolicy, Signs, advance
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOGLE = Scope(ScopeKind.PROVIDER, "google")
HOST = Scope(ScopeKind.ENDPOINT, "imap.gmail.com")
WITHIN = {HOST: [GOOGLE]}


def finding(scope=GOOGLE, failed=20, observed=40, cause=Cause.SERVER_UNAVAILABLE):
    return Finding(scope, failed, observed, 100.0, {cause: failed})


def opened(scope=GOOGLE):
    (news,) = advance([], [finding(scope)], {}, WITHIN, NOW)
    return news.incident


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def test_a_finding_opens_an_incident_with_its_cause():
    (news,) = advance([], [finding()], {}, WITHIN, NOW)
    assert (news.change, news.incident.cause, news.incident.failed) == (Change.OPENED, Cause.SERVER_UNAVAILABLE, 20)
    assert news.incident.is_open


def test_our_own_uplinks_incident_is_told_as_ours():
    (news,) = advance([], [finding(EGRESS, cause=Cause.CONNECTION_TIMEOUT)], {}, {}, NOW)
    assert news.incident.cause is Cause.LOCAL_NETWORK_DOWN


def test_the_same_finding_again_grows_it():
    (news,) = advance([opened()], [finding(failed=35)], {}, WITHIN, at(15))
    assert (news.change, news.incident.failed) == (Change.GREW, 35)
    assert news.incident.id == opened().id


def test_a_finding_inside_an_open_incident_opens_no_other():
    (news,) = advance([opened()], [finding(HOST)], {}, WITHIN, at(15))
    assert (news.change, news.incident.scope) == (Change.GREW, GOOGLE)


def test_an_incident_that_turns_out_wider_keeps_its_id_and_widens():
    first = opened(HOST)
    (news,) = advance([first], [finding(GOOGLE, failed=200, observed=400)], {}, WITHIN, at(15))
    assert (news.change, news.incident.id, news.incident.scope) == (Change.GREW, first.id, GOOGLE)


def test_while_our_uplink_is_down_nothing_else_is_opened():
    (news,) = advance([opened(EGRESS)], [finding(GOOGLE)], {}, WITHIN, at(15))
    assert (news.change, news.incident.scope) == (Change.GREW, EGRESS)


def test_it_closes_when_those_that_failed_come_back():
    signs = {GOOGLE: Signs(fresh=0, failures=1, recovered=8, still_failing=12)}
    (news,) = advance([opened()], [], signs, WITHIN, at(300))
    assert (news.change, news.incident.closed_at) == (Change.CLOSED, at(300))


def test_silence_alone_does_not_close_it():
    signs = {GOOGLE: Signs(fresh=0, failures=0, recovered=0, still_failing=20)}
    assert advance([opened()], [], signs, WITHIN, at(600)) == []


def test_it_closes_after_half_an_hour_without_any_failure_when_few_are_left():
    signs = {GOOGLE: Signs(fresh=0, failures=0, recovered=0, still_failing=2)}
    (news,) = advance([opened()], [], signs, WITHIN, at(LifePolicy().silent_seconds))
    assert news.change is Change.CLOSED


def test_while_most_wait_for_people_it_stays_open_however_silent():
    signs = {GOOGLE: Signs(fresh=0, failures=0, recovered=0, still_failing=18)}
    assert advance([opened()], [], signs, WITHIN, at(10 * LifePolicy().silent_seconds)) == []


def test_while_many_still_fail_a_few_that_return_do_not_close_it():
    signs = {GOOGLE: Signs(fresh=0, failures=10, recovered=5, still_failing=15, last_failure_at=at(290))}
    (news,) = advance([opened()], [], signs, WITHIN, at(300))
    assert (news.change, news.incident.last_failure_at) == (Change.GREW, at(290))


def test_one_that_comes_back_soon_is_the_same_one():
    closed = advance([opened()], [], {GOOGLE: Signs(0, 0, 20, 0)}, WITHIN, at(300))[0].incident
    (news,) = advance([closed], [finding()], {}, WITHIN, at(600))
    assert (news.change, news.incident.id, news.incident.reopened) == (Change.REOPENED, closed.id, 1)
    assert news.incident.is_open


def test_one_that_comes_back_much_later_is_another():
    closed = advance([opened()], [], {GOOGLE: Signs(0, 0, 20, 0)}, WITHIN, at(300))[0].incident
    (news,) = advance([closed], [finding()], {}, WITHIN, at(7200))
    assert news.change is Change.OPENED
    assert news.incident.id != closed.id


def test_an_outage_soon_after_declared_maintenance_is_none_of_that():
    (news,) = advance([], [finding(cause=Cause.PLATFORM_MAINTENANCE)], {}, WITHIN, NOW)
    closed = advance([news.incident], [], {GOOGLE: Signs(0, 0, 20, 0)}, WITHIN, at(300))[0].incident
    (news,) = advance([closed], [finding()], {}, WITHIN, at(600))
    assert (news.change, news.incident.cause) == (Change.OPENED, Cause.SERVER_UNAVAILABLE)
