"""Probes of a real Dovecot: what its users' faults, its limits and a bad network look like."""

import asyncio

import pytest

from fakes.probing import Password, assignment, dialer, look, mailbox, prober
from fakes.proxy import FaultProxy, Faults
from mailwatch.core import mailbox as m
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import ChannelReport, Outcome, Phase
from mailwatch.core.secret import Secret
from servers.authority import Certificate
from servers.dovecot import Dovecot
from servers.fixtures import StartDovecot
from servers.process import wait_until

pytestmark = pytest.mark.integration


def box_at(server: Dovecot, user: str, scheme: str = "imaps", port: int | None = None, **changes: object) -> m.Mailbox:
    ports = {
        "imaps": server.imaps_port,
        "imap+starttls": server.imap_port,
        "smtps": server.submissions_port,
        "smtp+starttls": server.submission_port,
    }
    url = f"{scheme}://localhost:{port or ports[scheme]}"
    return mailbox(**{scheme[:4]: url}, address=f"{user}@mail.test", username=user, **changes)


async def probe(
    server: Dovecot, user: str, scheme: str = "imaps", *, password: str | None = None, **options: object
) -> ChannelReport:
    port = options.pop("port", None)
    secret = Password(password or server.password(user))
    return await look(
        box_at(server, user, scheme, port), dialer(server.ca_file), **{"credential": secret, "timeout_seconds": 60.0, **options}
    )


def cause_of(channel: ChannelReport) -> Cause:
    assert channel.evidence is not None, channel
    return diagnose(channel.evidence).cause


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls", "smtps", "smtp+starttls"])
async def test_a_good_mailbox_is_healthy_on_every_kind_of_endpoint(dovecot: Dovecot, scheme: str) -> None:
    channel = await probe(dovecot, "u00001", scheme, depth=m.Depth.SUBMIT)
    assert channel.outcome is Outcome.HEALTHY, channel
    assert channel.certificate is not None


async def test_a_secret_with_quotes_and_backslashes_logs_in(start_dovecot: StartDovecot) -> None:
    secret = 'a "b" \\c{3+}'
    server = start_dovecot(passwords={"quoter": secret})
    assert (await probe(server, "quoter", password=secret)).logged_in
    plain = start_dovecot(passwords={"quoter": secret}, mechanisms="login")  # no AUTH=PLAIN: the LOGIN command
    assert (await probe(plain, "quoter", password=secret)).logged_in


async def test_a_wrong_password_is_one_refused_login_over_both_channels(start_dovecot: StartDovecot) -> None:
    server = start_dovecot()
    box = mailbox(
        f"imaps://localhost:{server.imaps_port}",
        f"smtps://localhost:{server.submissions_port}",
        address="u00002@mail.test",
        username="u00002",
    )
    report = await prober(dialer(server.ca_file)).probe(assignment(box, credential=Password("wrong"), timeout_seconds=60.0))
    assert cause_of(report.channels[0]) is Cause.INVALID_CREDENTIALS
    assert report.channels[1].outcome is Outcome.WITHHELD
    assert report.rejected_logins == 1
    await asyncio.to_thread(wait_until, lambda: server.rejected("u00002") == 1, "the refused login in the server's log")


@pytest.mark.parametrize(
    ("user", "causes", "phase"),
    [
        ("suspended", {Cause.ACCOUNT_DISABLED}, Phase.AUTH),
        ("nologin", {Cause.ACCOUNT_DISABLED, Cause.PROTOCOL_DISABLED}, Phase.AUTH),
        ("elsewhere", {Cause.INVALID_CREDENTIALS, Cause.IP_BLOCKED}, Phase.AUTH),
        ("unstored", {Cause.SERVER_UNAVAILABLE}, Phase.SELECT),
        ("nouserdb", {Cause.CONNECTION_DROPPED, Cause.SERVER_UNAVAILABLE}, Phase.AUTH),
    ],
)
async def test_each_faulty_user_gets_the_verdict_of_its_fault(
    dovecot: Dovecot, user: str, causes: set[Cause], phase: Phase
) -> None:
    channel = await probe(dovecot, user)
    assert cause_of(channel) in causes, channel.evidence
    assert channel.phase is phase


async def test_too_many_connections_are_a_limit_and_no_refusal(start_dovecot: StartDovecot) -> None:
    server = start_dovecot(max_userip_connections=1)
    import imaplib
    import ssl

    def occupy() -> imaplib.IMAP4_SSL:
        client = imaplib.IMAP4_SSL("localhost", server.imaps_port, ssl_context=ssl.create_default_context(cafile=server.ca_file))
        client.login("u00003", server.password("u00003"))
        return client

    holder = await asyncio.to_thread(occupy)
    channel = await probe(server, "u00003")
    await asyncio.to_thread(holder.logout)
    assert cause_of(channel) is Cause.CONNECTION_LIMIT, channel.evidence
    assert channel.rejected_logins == 0


class Tokens:
    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)

    async def access_token(self, mailbox: m.Mailbox, *, force: bool = False, refused: Secret | None = None) -> Secret:
        if force:
            self.tokens.pop(0)
        return Secret(self.tokens[0])


@pytest.mark.parametrize("mechanisms", ["xoauth2", "oauthbearer"])
async def test_an_expired_token_is_renewed_and_both_channels_log_in(start_dovecot: StartDovecot, mechanisms: str) -> None:
    server = start_dovecot(mechanisms=f"plain {mechanisms}")
    box = mailbox(
        f"imaps://localhost:{server.imaps_port}",
        f"smtps://localhost:{server.submissions_port}",
        m.AuthKind.OAUTH,
        address="u00004@mail.test",
        username="u00004",
    )
    tokens = Tokens(server.access_token("u00004", valid_seconds=-60), server.access_token("u00004"))
    task = assignment(box, credential=None, timeout_seconds=60.0, refusals_left=2)
    report = await prober(dialer(server.ca_file), tokens).probe(task)
    assert [channel.outcome for channel in report.channels] == [Outcome.HEALTHY, Outcome.HEALTHY], report
    assert report.rejected_logins == 1


async def test_a_certificate_that_has_expired_is_told(start_dovecot: StartDovecot) -> None:
    server = start_dovecot(certificate=Certificate.EXPIRED)
    assert cause_of(await probe(server, "u00001")) is Cause.TLS_CERTIFICATE_EXPIRED


async def test_a_stopped_server_refuses_and_is_well_again_after_its_return(start_dovecot: StartDovecot) -> None:
    server = start_dovecot()
    server.stop()
    assert cause_of(await probe(server, "u00001")) is Cause.CONNECTION_REFUSED
    server.start()
    assert (await probe(server, "u00001")).outcome is Outcome.HEALTHY


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
async def test_a_slow_line_in_slivers_is_slower_and_healthy(dovecot: Dovecot, scheme: str) -> None:
    port = dovecot.imaps_port if scheme == "imaps" else dovecot.imap_port
    async with FaultProxy(port, Faults(latency_seconds=0.02, bytes_per_second=125_000, slice_bytes=100)).running() as proxy:
        assert (await probe(dovecot, "u00001", scheme, port=proxy.port)).outcome is Outcome.HEALTHY


@pytest.mark.parametrize("passed", [0, 100, 1500, 2200, 2600, 2900, 3200])
@pytest.mark.parametrize("fault", ["reset_after_bytes", "end_after_bytes"])
async def test_a_line_cut_anywhere_is_a_dropped_connection_in_a_named_step(dovecot: Dovecot, fault: str, passed: int) -> None:
    async with FaultProxy(dovecot.imaps_port, Faults(slice_bytes=64, **{fault: passed})).running() as proxy:
        channel = await probe(dovecot, "u00001", port=proxy.port)
        if channel.outcome is Outcome.HEALTHY:
            assert channel.phase is Phase.QUIT  # it was cut behind the last step that matters
            return
        assert cause_of(channel) in {Cause.CONNECTION_DROPPED, Cause.TLS_HANDSHAKE_FAILED}, channel.evidence
        assert channel.phase in set(Phase) - {Phase.RESOLVE, Phase.QUIT}


async def test_a_line_gone_dead_ends_with_the_time(dovecot: Dovecot) -> None:
    async with FaultProxy(dovecot.imaps_port, Faults(slice_bytes=64, mute_after_bytes=2000)).running() as proxy:
        channel = await probe(dovecot, "u00001", port=proxy.port, timeout_seconds=1.0)
        assert cause_of(channel) is Cause.CONNECTION_TIMEOUT
