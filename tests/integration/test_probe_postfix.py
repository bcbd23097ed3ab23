"""Probes of a real Postfix, and round trips through it into a real Dovecot."""

import asyncio

import pytest

from fakes.probing import Password, WallClock, assignment, dialer, look, mailbox, prober
from mailwatch.core import mailbox as m
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import ChannelReport, Outcome, Phase
from mailwatch.core.secret import Secret
from mailwatch.probe.roundtrip import Arrival, RoundTrip
from servers.fixtures import StartPostfix
from servers.postfix import Postfix
from servers.process import wait_until

pytestmark = pytest.mark.integration


async def probe(
    server: Postfix, user: str, scheme: str = "smtps", *, password: str | None = None, **options: object
) -> ChannelReport:
    port = server.submissions_port if scheme == "smtps" else server.submission_port
    box = mailbox(smtp=f"{scheme}://localhost:{port}", address=f"{user}@mail.test", username=user)
    secret = Password(password or f"pw-{user}")
    return await look(box, dialer(server.ca_file), **{"credential": secret, "timeout_seconds": 60.0, **options})


def cause_of(channel: ChannelReport) -> Cause:
    assert channel.evidence is not None, channel
    return diagnose(channel.evidence).cause


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize("depth", [m.Depth.LOGIN, m.Depth.SUBMIT])
async def test_a_good_mailbox_may_submit(postfix: Postfix, scheme: str, depth: m.Depth) -> None:
    channel = await probe(postfix, "u00001", scheme, depth=depth)
    assert channel.outcome is Outcome.HEALTHY, channel
    assert channel.logged_in


async def test_a_wrong_password_is_refused_once(start_postfix: StartPostfix) -> None:
    server = start_postfix()
    channel = await probe(server, "u00002", password="wrong")
    assert cause_of(channel) is Cause.INVALID_CREDENTIALS, channel.evidence
    assert (channel.evidence and channel.evidence.code, channel.rejected_logins) == (535, 1)
    await asyncio.to_thread(wait_until, lambda: server.rejected() == 1, "the refused login in the server's log")


async def test_a_refused_envelope_is_told_in_its_phase_and_is_no_refused_login(start_postfix: StartPostfix) -> None:
    server = start_postfix(submission_settings={"smtpd_recipient_restrictions": "reject"})
    channel = await probe(server, "u00001", depth=m.Depth.SUBMIT)
    assert channel.phase is Phase.SUBMIT
    assert channel.logged_in
    assert channel.rejected_logins == 0
    assert channel.outcome is Outcome.FAILED


async def test_a_server_without_a_key_cannot_start_tls(start_postfix: StartPostfix) -> None:
    server = start_postfix(settings={"smtpd_tls_security_level": "none"}, submission_settings={"smtpd_tls_security_level": "none"})
    channel = await probe(server, "u00001", "smtp+starttls")
    assert cause_of(channel) is Cause.TLS_REQUIRED, channel.evidence
    assert not channel.logged_in


async def test_a_message_to_oneself_arrives_and_is_deleted(postfix: Postfix) -> None:
    dovecot = postfix.dovecot
    box = mailbox(
        f"imaps://localhost:{dovecot.imaps_port}",
        f"smtps://localhost:{postfix.submissions_port}",
        address="u00005@mail.test",
        username="u00005",
    )
    trip = await RoundTrip(dialer(postfix.ca_file), WallClock()).run(box, Secret("pw-u00005"), 120.0)
    assert (trip.arrival, trip.evidence) == (Arrival.INBOX, None)
    assert trip.seconds > 0
    report = await prober(dialer(postfix.ca_file)).probe(assignment(box, credential=Password("pw-u00005"), timeout_seconds=60.0))
    said = [line.text for channel in report.channels for line in channel.conversation]
    assert "* 0 EXISTS" in said


async def test_a_message_that_is_not_accepted_is_told_with_the_servers_words(start_postfix: StartPostfix) -> None:
    server = start_postfix(submission_settings={"smtpd_recipient_restrictions": "reject"})
    box = mailbox(
        f"imaps://localhost:{server.dovecot.imaps_port}",
        f"smtps://localhost:{server.submissions_port}",
        address="u00001@mail.test",
        username="u00001",
    )
    trip = await RoundTrip(dialer(server.ca_file), WallClock()).run(box, Secret("pw-u00001"), 60.0)
    assert trip.arrival is Arrival.FAILED
    assert trip.evidence is not None
    assert trip.evidence.phase is Phase.SUBMIT


async def test_a_message_that_does_not_arrive_is_lost(start_postfix: StartPostfix) -> None:
    server = start_postfix(settings={"virtual_transport": "discard:"})
    box = mailbox(
        f"imaps://localhost:{server.dovecot.imaps_port}",
        f"smtps://localhost:{server.submissions_port}",
        address="u00001@mail.test",
        username="u00001",
    )
    trip = await RoundTrip(dialer(server.ca_file), WallClock()).run(box, Secret("pw-u00001"), 12.0)
    assert (trip.arrival, trip.evidence) == (Arrival.LOST, None)
