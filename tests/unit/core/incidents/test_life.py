"""Incidents are opened, grown, closed and reopened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.incidents.detect import Finding
from mailwatch.core.incidents.life import Change, Incident, LifePolicy, Signs, advance
from mailwatch.core.incidents.picture import Failing, Recent, Recovered, signs_of
from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind, Traits

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


def lived(incident, show, hours, seconds=15):
    """When *incident* is over, in seconds, looked at every *seconds*; None: not within *hours*.  *show(t)*: its signs then."""
    for passed in range(0, round(hours * 3600), seconds):
        for news in advance([incident], [], {incident.scope: show(passed)}, {}, at(passed)):
            incident = news.incident
        if not incident.is_open:
            return passed
    return None


def test_mailboxes_that_wait_for_their_owners_since_months_do_not_keep_an_incident_open():
    """Ten failed and come back one every four minutes; three were blocked long before, and are looked at every half hour."""
    here = Traits("other", ("mail.a.test",), "a.test")
    incident = Incident("i", Scope(ScopeKind.DOMAIN, "a.test"), Cause.SERVER_UNAVAILABLE, NOW, NOW, 10, 0.1, size=100)
    back = [600 + 240 * number for number in range(10)]

    def show(now):
        away = sum(each > now for each in back)
        returned = sum(now - 120 < each <= now for each in back)
        failing = [Failing(here, 3, 0, Cause.OAUTH_GRANT_REVOKED, blocked=True), Failing(here, away, 0, after=NOW)]
        return signs_of(incident, Recent([], failing, [Recovered(here, returned, NOW)]), at(now))

    assert lived(incident, show, 96) is not None


def test_a_host_that_is_back_does_not_stay_closed_for_those_that_failed_long_before():
    """Thirty come back at once, eight have been retried in vain for months."""
    here = Traits("other", ("mail.a.test",), "a.test")
    incident = Incident("i", Scope(ScopeKind.ENDPOINT, "mail.a.test"), Cause.SERVER_UNAVAILABLE, NOW, NOW, 30, 0.75, size=40)

    def show(now):
        failing = [Failing(here, 8, 1 + 7 * (60 <= now < 180)), Failing(here, 30 if now < 60 else 0, 0, after=NOW)]
        recovered = [Recovered(here, 30 if 60 <= now < 180 else 0, NOW)]
        return signs_of(incident, Recent([], failing, recovered), at(now))

    assert lived(incident, show, 24) == 60


def test_a_few_that_are_retried_in_vain_do_not_keep_it_open_for_ever():
    shown = Signs(fresh=0, failures=2, recovered=0, still_failing=3)
    assert lived(opened(), lambda now: replace(shown, last_failure_at=at(now)), 1) == LifePolicy().silent_seconds


def test_many_that_are_retried_in_vain_do():
    shown = Signs(fresh=0, failures=2, recovered=0, still_failing=15)
    assert lived(opened(), lambda now: replace(shown, last_failure_at=at(now)), 24) is None


def test_of_a_small_one_two_that_are_left_do_not_keep_it_open():
    small = replace(opened(), failed=5, peak_share=0.1)
    assert lived(small, lambda _: Signs(0, 0, 0, 2), 1) == LifePolicy().silent_seconds
    assert lived(small, lambda _: Signs(0, 0, 0, 4), 1) is None


def test_one_that_took_its_whole_scope_is_over_when_most_are_back_for_it_stops_sending_through_all():
    whole, part = replace(opened(), failed=100, peak_share=0.9), replace(opened(), failed=100, peak_share=0.3)
    shown = Signs(fresh=0, failures=9, recovered=0, still_failing=45)
    assert lived(whole, lambda now: replace(shown, last_failure_at=at(now)), 1) == LifePolicy().silent_seconds
    assert lived(part, lambda now: replace(shown, last_failure_at=at(now)), 1) is None


def test_what_fails_by_itself_in_a_large_place_does_not_keep_its_incident_open():
    noise = Signs(fresh=5, failures=9, recovered=4, still_failing=60, usual_fresh=3.5, usual_away=50)
    large = replace(opened(), failed=200, peak_share=0.004)
    assert lived(large, lambda now: replace(noise, last_failure_at=at(now)), 1) == LifePolicy().silent_seconds
    # the same in a place where it is not usual
    assert lived(large, lambda now: replace(noise, usual_fresh=0, last_failure_at=at(now)), 24) is None


def test_what_comes_back_by_itself_in_a_large_place_does_not_end_its_incident():
    signs = {GOOGLE: Signs(fresh=0, failures=0, recovered=6, still_failing=150, usual_fresh=3.5)}
    assert advance([replace(opened(), failed=200)], [], signs, WITHIN, at(300)) == []


def test_who_failed_is_counted_once_however_often_it_is_looked_at():
    incident = opened()
    for passed in (15, 30, 45):
        shown = {GOOGLE: Signs(fresh=4, failures=4, recovered=0, still_failing=24, last_failure_at=at(passed))}
        (news,) = advance([incident], [], shown, WITHIN, at(passed))
        incident = news.incident
    assert incident.failed == 24


def test_a_clock_that_was_set_back_does_not_keep_it_open():
    ahead = replace(opened(), last_failure_at=at(86_400))
    assert lived(ahead, lambda _: Signs(0, 0, 0, 2), 2) == LifePolicy().silent_seconds


def test_a_single_domain_that_fails_does_not_bring_back_the_outage_of_its_whole_provider():
    domain = Scope(ScopeKind.DOMAIN, "a.test")
    closed = advance([opened()], [], {GOOGLE: Signs(0, 0, 20, 0)}, WITHIN, at(300))[0].incident
    (news,) = advance([closed], [finding(domain)], {}, {domain: [GOOGLE]}, at(600))
    assert (news.change, news.incident.scope) == (Change.OPENED, domain)


def test_a_relapse_is_told_by_whatever_names_the_same_mailboxes():
    closed = advance([opened()], [], {GOOGLE: Signs(0, 0, 20, 0)}, WITHIN, at(300))[0].incident
    (news,) = advance([closed], [finding(HOST)], {}, {HOST: [GOOGLE], GOOGLE: [HOST]}, at(600))
    assert (news.change, news.incident.id) == (Change.REOPENED, closed.id)


def test_our_own_uplinks_incident_that_is_over_is_not_brought_back_by_one_provider():
    closed = replace(opened(EGRESS), closed_at=at(300))
    (news,) = advance([closed], [finding()], {}, WITHIN, at(600))
    assert (news.change, news.incident.scope) == (Change.OPENED, GOOGLE)


def test_what_was_away_as_a_whole_and_comes_back_in_part_is_not_taken_as_a_whole():
    closed = advance([opened()], [], {GOOGLE: Signs(0, 0, 20, 0)}, WITHIN, at(300))[0].incident
    assert closed.takes_all
    (news,) = advance([closed], [finding(failed=20, observed=200)], {}, WITHIN, at(600))
    assert (news.change, news.incident.takes_all) == (Change.REOPENED, False)


def test_our_own_uplinks_incident_does_not_narrow_to_one_provider():
    (news,) = advance([opened(EGRESS)], [finding(failed=300, observed=400)], {}, WITHIN, at(15))
    assert news.incident.scope == EGRESS


@pytest.mark.parametrize(("failing", "is_over"), [(1, True), (2, False)])
def test_feelers_that_come_through_end_what_stopped_its_mailboxes_for_good(failing, is_over):
    ours = Traits("google", ("imap.gmail.com",), "x.test", "ours")
    scope = Scope(ScopeKind.OAUTH_APP, "ours")
    incident = Incident("i", scope, Cause.OAUTH_MISCONFIGURED, NOW, NOW, 5000, 1.0, size=5000)
    blocked = Failing(ours, 4995, 0, Cause.OAUTH_MISCONFIGURED, blocked=True, after=NOW)
    ill = Failing(ours, failing, failing, Cause.OAUTH_MISCONFIGURED, after=NOW)
    shown = signs_of(incident, Recent([], [blocked, ill], [Recovered(ours, 5 - failing, NOW)]), at(1800))
    news = advance([incident], [], {scope: shown}, {}, at(1800))
    assert any(each.change is Change.CLOSED for each in news) is is_over


def test_a_domain_that_is_away_as_a_whole_does_not_swallow_an_outage_of_a_part_of_its_provider():
    domain = Scope(ScopeKind.DOMAIN, "a.test")
    own = replace(opened(domain), peak_share=1.0)
    (news,) = advance([own], [finding(failed=150, observed=800)], {}, {domain: [GOOGLE]}, at(60))
    assert (news.change, news.incident.scope) == (Change.OPENED, GOOGLE)
    (news,) = advance([own], [finding(failed=39, observed=800)], {}, {domain: [GOOGLE]}, at(60))
    assert (news.change, news.incident.scope) == (Change.GREW, domain)
