"""Network faults, certificates, bans and limits of a provider, seen from outside."""

import asyncio
import smtplib
import ssl

import pytest

from mailwatch.core.mailbox import Protocol, TlsMode
from mailwatch.sim import Fault, FaultKind

ANNA = "anna@hoster.example"


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.OUTAGE])
async def test_a_shut_provider_refuses_and_is_back_when_the_fault_ends(world, client, kind):
    fault = Fault(kind, "hoster")
    await world.begin(fault)
    with pytest.raises(ConnectionRefusedError):
        await client.login(ANNA, "hoster")
    await world.end(fault)
    assert await client.login(ANNA, "hoster") == "OK"


async def test_refusing_smtp_leaves_imap_alone(world, client):
    await world.begin(Fault(FaultKind.REFUSE, "hoster", protocol=Protocol.SMTP))
    with pytest.raises(ConnectionRefusedError):
        await client.smtp_login(ANNA, "hoster")
    assert await client.login(ANNA, "hoster") == "OK"


@pytest.mark.parametrize("kind", [FaultKind.DROP_ON_ACCEPT, FaultKind.RESET])
async def test_a_dropped_connection_ends_before_any_word(world, client, kind):
    await world.begin(Fault(kind, "hoster"))
    with pytest.raises((ConnectionResetError, ssl.SSLError, OSError)):
        await client.login(ANNA, "hoster")
    assert not world["hoster"].ledger.logins


async def test_drop_after_login_accepts_the_secret_first(world, client):
    await world.begin(Fault(FaultKind.DROP_AFTER_LOGIN, "hoster"))
    password = world.accounts[ANNA].password.encode()
    await client.lines("hoster", Protocol.IMAP, b"a1 LOGIN anna@hoster.example " + password + b"\r\n")
    assert world["hoster"].ledger.accepted[ANNA] == 1


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.CERTIFICATE_EXPIRED, 10),
        (FaultKind.CERTIFICATE_SELF_SIGNED, 18),
        (FaultKind.CERTIFICATE_UNTRUSTED, 20),
        (FaultKind.CERTIFICATE_WRONG_HOST, 64),
    ],
)
@pytest.mark.parametrize("mode", [TlsMode.IMPLICIT, TlsMode.STARTTLS])
async def test_a_bad_certificate_is_shown_on_both_ports_and_the_good_one_comes_back(world, client, kind, code, mode):
    fault = Fault(kind, "hoster")
    await world.begin(fault)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        await client.smtp("hoster", smtplib.SMTP.noop, mode)
    assert refused.value.verify_code == code
    await world.end(fault)
    assert (await client.smtp("hoster", smtplib.SMTP.noop, mode))[0] == 250


async def test_five_refused_logins_ban_the_address(world, client):
    await world.begin(Fault(FaultKind.BAN, "hoster"))
    for _ in range(5):
        assert "AUTHENTICATIONFAILED" in await client.login(ANNA, "hoster", "wrong")
    endpoint = world["hoster"].endpoint(Protocol.IMAP)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await asyncio.open_connection(endpoint.host, endpoint.port, ssl=client.context)
    assert world["hoster"].ledger.rejected[ANNA] == 5


async def test_a_share_strikes_the_same_mailboxes_over_both_protocols(world, client):
    fault = Fault(FaultKind.ACCOUNT_DISABLED, "hoster", share=0.5, seed=3)
    await world.begin(fault)
    for address in (ANNA, "ben@hoster.example"):
        struck = fault.draw(address) < 0.5
        assert ((await client.login(address, "hoster")) != "OK") is struck
        assert ((await client.smtp_login(address, "hoster"))[0] != 235) is struck


async def test_a_login_delay_only_delays(world, client):
    await world.begin(Fault(FaultKind.LOGIN_DELAY, "hoster", seconds=0.01))
    assert await client.login(ANNA, "hoster") == "OK"


async def test_an_account_of_another_provider_is_unknown_here(world, client):
    assert "AUTHENTICATIONFAILED" in await client.login("yara@yahoo.example", "hoster")


async def test_connections_are_counted_and_let_go(world, client):
    await client.login(ANNA, "hoster")
    gauge = world["hoster"].ledger.connections
    async with asyncio.timeout(60):
        while gauge.now:
            await asyncio.sleep(0.01)
    assert gauge.peak == 1
