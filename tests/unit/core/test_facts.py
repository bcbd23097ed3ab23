"""What a report adds to a standing whatever is decided."""

from dataclasses import replace

from builders import (
    FAILURES,
    IMAP,
    NOW,
    SMTP,
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
from mailwatch.core.budget import free_again_at
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.facts import refusals_of, with_report
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.policy import Policy

MAILBOX = a_mailbox()


def updated(standing, report, mailbox=MAILBOX, now=NOW):
    diagnoses = {channel.protocol: diagnose(channel.evidence) for channel in report.channels if channel.evidence}
    return with_report(mailbox, standing, report, diagnoses, Policy(), now)


def test_the_moment_of_the_probe_is_noted():
    assert updated(a_standing(), a_report(healthy(), healthy(SMTP))).last_probe_at == NOW


def test_a_look_that_a_fault_of_our_own_prevented_is_no_look():
    report = a_report(impaired(IMAP, "secret_missing"), impaired(SMTP, "secret_missing"))
    first = updated(a_standing(last_probe_at=later(-300)), report)
    again = updated(first, report, now=later(60))
    assert (again.last_probe_at, again.impairment, again.impaired_since_at) == (later(-300), "secret_missing", NOW)


def test_each_refused_login_is_noted_with_the_host_that_refused():
    report = a_report(replace(failed(FAILURES[Cause.INVALID_CREDENTIALS]), rejected_logins=1), withheld(SMTP))
    assert [refusal.host for refusal in refusals_of(MAILBOX, report, NOW)] == ["imap.example.org"]
    assert updated(a_standing(), report).rejected_at == (NOW,)


def test_refusals_ahead_of_a_clock_that_was_set_back_count_for_one_window_and_not_until_the_clock_is_there_again():
    ahead = a_standing(rejected_at=(later(-60), later(72_000)), lost_at=(later(72_000),))
    after = updated(ahead, a_report(withheld(IMAP), withheld(SMTP)))
    assert (after.rejected_at, after.lost_at) == ((later(-60), NOW), (NOW,))
    assert free_again_at(after, Policy().budget, NOW) <= later(86_400)


def test_an_access_token_renewed_on_the_way_is_no_refused_secret():
    channel = replace(healthy(), rejected_logins=1)
    oauth = a_mailbox(auth=AuthKind.OAUTH)
    assert updated(a_standing(), a_report(channel, healthy(SMTP)), oauth).rejected_at == ()


def test_a_channel_that_was_not_judged_keeps_its_health():
    known = updated(a_standing(), a_report(healthy(), healthy(SMTP)))
    after = updated(known, a_report(failed(FAILURES[Cause.SERVER_UNAVAILABLE]), withheld(SMTP)), now=later(60))
    assert not after.channels[IMAP].healthy
    assert after.channels[SMTP] == known.channels[SMTP]


def test_a_channels_health_keeps_the_moment_it_began():
    first = updated(a_standing(), a_failure(FAILURES[Cause.SERVER_UNAVAILABLE]))
    again = updated(first, a_failure(FAILURES[Cause.SERVER_UNAVAILABLE]), now=later(300))
    assert again.channels[IMAP].since_at == NOW


def test_what_a_person_took_for_mended_and_every_server_accepts_forgets_what_was_refused_before():
    spent = a_standing(rejected_at=(later(-900), later(-600)), forced=True)
    after = updated(spent, a_report(healthy(), healthy(SMTP)))
    assert (after.rejected_at, after.forced) == ((), False)
    unasked = replace(spent, forced=False)
    assert updated(unasked, a_report(healthy(), healthy(SMTP))).rejected_at == spent.rejected_at


def test_one_server_that_accepts_it_is_not_every_server():
    spent = a_standing(rejected_at=(later(-900), later(-600)), forced=True)
    for other in (failed(Cause.CONNECTION_REFUSED, SMTP), withheld(SMTP)):
        after = updated(spent, a_report(healthy(), other))
        assert (after.rejected_at, after.forced) == (spent.rejected_at, True)


def test_a_refused_secret_is_not_proven_whatever_the_other_channel_says():
    report = a_report(failed(Cause.CONNECTION_REFUSED), replace(failed(FAILURES[Cause.UNKNOWN], SMTP), rejected_logins=1))
    assert updated(a_standing(), report).proven is False
