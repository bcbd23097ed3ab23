"""What a report adds to a standing whatever is decided."""

from dataclasses import replace

from builders import FAILURES, IMAP, NOW, SMTP, a_failure, a_mailbox, a_report, a_standing, failed, healthy, later, withheld
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


def test_each_refused_login_is_noted_with_the_host_that_refused():
    report = a_report(replace(failed(FAILURES[Cause.INVALID_CREDENTIALS]), rejected_logins=1), withheld(SMTP))
    assert [refusal.host for refusal in refusals_of(MAILBOX, report, NOW)] == ["imap.example.org"]
    assert updated(a_standing(), report).rejected_at == (NOW,)


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
