"""The submission server, seen by the standard library's client and by hand."""

import base64

import pytest

from mailwatch.core.mailbox import Protocol, TlsMode
from mailwatch.sim import Fault, FaultKind

ANNA, BEN = "anna@hoster.example", "ben@hoster.example"


@pytest.mark.parametrize("mode", [TlsMode.IMPLICIT, TlsMode.STARTTLS])
async def test_mail_sent_to_oneself_arrives_in_the_inbox(world, client, mode):
    password = world.accounts[ANNA].password

    def use(smtp):
        assert smtp.has_extn("pipelining")
        assert smtp.has_extn("enhancedstatuscodes")
        smtp.login(ANNA, password)
        smtp.sendmail(ANNA, [ANNA, "stranger@elsewhere.example"], "Subject: round trip\r\nX-Probe: 7\r\n\r\n.dot\r\n")
        return smtp.quit()[0]

    assert await client.smtp("hoster", use, mode) == 221
    (message,) = world.accounts[ANNA].inbox.messages
    assert message.field_text("X-Probe") == "7"
    assert message.content.endswith(b"\r\n.dot\r\n")
    assert world["hoster"].ledger.submissions[ANNA] == 1


async def test_auth_is_offered_under_tls_only(world, client):
    got = await client.lines("hoster", Protocol.SMTP, b"EHLO x\r\nAUTH PLAIN AAA=\r\n", mode=TlsMode.STARTTLS)
    assert b"250 STARTTLS\r\n" in got
    assert b"AUTH" not in got.split(b"530")[0]
    assert b"530 5.7.0 Must issue a STARTTLS command first" in got
    assert not world["hoster"].ledger.logins


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_both_password_mechanisms_work(world, client, mechanism):
    password = world.accounts[ANNA].password

    def use(smtp):
        smtp.user, smtp.password = ANNA, password
        return smtp.auth(mechanism, getattr(smtp, f"auth_{mechanism.lower()}"))[0]

    assert await client.smtp("hoster", use) == 235


async def test_a_bad_token_gets_an_error_challenge_first(world, client):
    response = base64.b64encode(b"user=gina@google.example\x01auth=Bearer expired\x01\x01")
    got = await client.lines("google", Protocol.SMTP, b"EHLO x\r\nAUTH XOAUTH2 " + response + b"\r\n\r\n")
    assert b"334 eyJ" in got
    assert b"535-5.7.8 " in got
    assert b"535 5.7.8 " in got


async def test_mail_needs_a_login_and_a_recipient(client):
    got = await client.lines("hoster", Protocol.SMTP, b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nDATA\r\n")
    assert b"530 5.7.57" in got
    assert b"503 5.5.1" in got


async def test_a_sending_limit_shows_at_mail_and_not_at_the_login(world, client):
    await world.begin(Fault(FaultKind.SENDING_LIMIT, "hoster", addresses=frozenset({ANNA})))
    password = world.accounts[ANNA].password

    def use(smtp):
        smtp.login(ANNA, password)
        return smtp.mail(ANNA)

    code, words = await client.smtp("hoster", use)
    assert code == 550
    assert words.startswith(b"5.4.5")


async def test_smtp_auth_off_for_a_tenant_leaves_imap_and_other_tenants_alone(world, client):
    await world.begin(Fault(FaultKind.SMTP_AUTH_DISABLED, "hoster", domain="hoster.example"))
    code, words = await client.smtp_login(ANNA, "hoster")
    assert (code, words) == (535, "5.7.8 SMTP access is disabled for your account")
    assert await client.login(ANNA, "hoster") == "OK"
    assert (await client.smtp_login("yara@yahoo.example", "yahoo"))[0] == 235


async def test_a_421_ends_the_connection(world, client):
    await world.begin(Fault(FaultKind.MAINTENANCE, "hoster"))
    got = await client.lines("hoster", Protocol.SMTP, b"EHLO x\r\n")
    assert got.startswith(b"421 4.3.2 System going down for maintenance")
    assert b"250" not in got


async def test_nonsense_ends_after_ten_times(client):
    got = await client.lines("hoster", Protocol.SMTP, b"x\r\n" * 10)
    assert got.count(b"502 ") == 10
    assert b"421 4.7.0" in got
