"""The IMAP server, seen by the standard library's client and by hand."""

import asyncio
import base64

import pytest

from mailwatch.core.mailbox import Protocol, TlsMode
from mailwatch.sim import Fault, FaultKind

ANNA = "anna@hoster.example"


@pytest.mark.parametrize("mode", [TlsMode.IMPLICIT, TlsMode.STARTTLS])
async def test_a_login_and_a_select_work_on_both_ports(world, client, mode):
    password = world.accounts[ANNA].password

    def use(imap):
        assert "AUTH=PLAIN" in imap.capabilities
        assert "SASL-IR" in imap.capabilities
        imap.login(ANNA, password)
        assert imap.select("INBOX", readonly=True) == ("OK", [b"0"])
        assert imap.noop()[0] == "OK"
        return imap.logout()[0]

    assert await client.imap("hoster", use, mode) == "BYE"
    assert world["hoster"].ledger.accepted[ANNA] == 1


async def test_without_tls_no_login_is_taken(world, client):
    got = await client.lines("hoster", Protocol.IMAP, b"a1 LOGIN x y\r\na2 CAPABILITY\r\n", mode=TlsMode.STARTTLS)
    assert b"a1 NO [PRIVACYREQUIRED]" in got
    assert b"LOGINDISABLED" in got
    assert not world["hoster"].ledger.logins


async def test_a_password_in_a_literal_and_one_with_quotes_are_understood(world, client):
    world.set_password(ANNA, 'p "w\\')
    quoted = b'a1 LOGIN anna@hoster.example "p \\"w\\\\"\r\n'
    literal = b'a1 LOGIN anna@hoster.example {6}\r\np "w\\\x20\r\n'
    assert b"a1 OK" in await client.lines("hoster", Protocol.IMAP, quoted)
    world.set_password(ANNA, 'p "w\\ ')
    assert b"a1 OK" in await client.lines("hoster", Protocol.IMAP, literal)


async def test_authenticate_plain_works_with_and_without_an_initial_response(world, client):
    response = base64.b64encode(f"\0{ANNA}\0{world.accounts[ANNA].password}".encode())
    assert b"a1 OK" in await client.lines("hoster", Protocol.IMAP, b"a1 AUTHENTICATE PLAIN " + response + b"\r\n")
    got = await client.lines("hoster", Protocol.IMAP, b"a1 AUTHENTICATE PLAIN\r\n" + response + b"\r\n")
    assert b"+ \r\n" in got
    assert b"a1 OK" in got


@pytest.mark.parametrize(
    ("mechanism", "response"),
    [
        (b"XOAUTH2", b"user=%s\x01auth=Bearer %s\x01\x01"),
        (b"OAUTHBEARER", b"n,a=%s,\x01host=h\x01port=993\x01auth=Bearer %s\x01\x01"),
    ],
)
async def test_a_bad_token_gets_an_error_challenge_first_and_a_good_one_comes_in(world, client, mechanism, response):
    address = "gina@google.example"
    _, document, _ = await client.token("google", world.consent(address))
    for token, answer in ((b"expired", b""), (document["access_token"].encode(), None)):
        line = b"a1 AUTHENTICATE " + mechanism + b" " + base64.b64encode(response % (address.encode(), token)) + b"\r\n"
        got = await client.lines("google", Protocol.IMAP, line + (answer + b"\r\n" if answer is not None else b""))
        if answer is not None:
            assert b"+ eyJ" in got
            assert b"a1 NO [AUTHENTICATIONFAILED]" in got
        else:
            assert b"a1 OK" in got


async def test_an_oauth_account_takes_no_password(world, client):
    assert "LogonDenied-BasicAuthBlocked" in await client.login("mia@ms.example", "microsoft")


async def test_a_wrong_password_is_counted_and_the_session_goes_on(world, client):
    send = b"a1 LOGIN anna@hoster.example no\r\na2 NOOP\r\n"
    got = await client.lines("hoster", Protocol.IMAP, send)
    assert b"a1 NO [AUTHENTICATIONFAILED] Authentication failed." in got
    assert b"a2 OK" in got
    assert world["hoster"].ledger.rejected[ANNA] == 1


async def test_idle_tells_of_new_mail(world, client):
    password = world.accounts[ANNA].password.encode()
    send = b"a1 LOGIN anna@hoster.example " + password + b"\r\na2 SELECT INBOX\r\na3 IDLE\r\n"
    inbox = world.accounts[ANNA].inbox
    got = await client.lines("hoster", Protocol.IMAP, send, then=(b"+ idling", lambda: inbox.deliver(b"Subject: x\r\n\r\n")))
    assert b"+ idling" in got
    assert got.rstrip().endswith(b"* 1 EXISTS")


async def test_a_cut_session_hears_why(world, client):
    password = world.accounts[ANNA].password.encode()
    cut = []
    got = await client.lines(
        *("hoster", Protocol.IMAP, b"a1 LOGIN anna@hoster.example " + password + b"\r\na2 IDLE\r\n"),
        then=(b"+ idling", lambda: cut.append(world["hoster"].cut(Protocol.IMAP, "Server shutting down."))),
    )
    assert cut == [1]
    assert got.endswith(b"* BYE Server shutting down.\r\n")


async def test_too_many_sessions_of_one_account_are_refused(world, client):
    password = world.accounts[ANNA].password.encode()
    line = b"a1 LOGIN anna@hoster.example " + password + b"\r\n"
    answers = await asyncio.gather(*(client.lines("hoster", Protocol.IMAP, line) for _ in range(3)))
    assert sum(b"a1 OK" in answer for answer in answers) == 2
    assert sum(b"NO [LIMIT] Maximum number of connections" in answer for answer in answers) == 1
    assert world["hoster"].ledger.sessions[f"imap:{ANNA}"].peak == 2


async def test_nonsense_ends_after_ten_times(client):
    got = await client.lines("hoster", Protocol.IMAP, b"x\r\n" * 10)
    assert got.count(b" BAD ") == 10
    assert got.endswith(b"* BYE Too many invalid IMAP commands.\r\n")


async def test_a_throttle_after_the_login_names_its_hint(world, client):
    await world.begin(Fault(FaultKind.COMMANDS_THROTTLED, "microsoft", seconds=89.117))
    _, document, _ = await client.token("microsoft", world.consent("mia@ms.example"))
    response = base64.b64encode(f"user=mia@ms.example\x01auth=Bearer {document['access_token']}\x01\x01".encode())
    got = await client.lines("microsoft", Protocol.IMAP, b"a1 AUTHENTICATE XOAUTH2 " + response + b"\r\na2 SELECT INBOX\r\n")
    assert b"a2 BAD Request is throttled. Suggested Backoff Time: 89117 milliseconds\r\n* BYE Connection closed. 14" in got
