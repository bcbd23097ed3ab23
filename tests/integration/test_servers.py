"""The tests' own servers do what other tests rely on."""

import asyncio
import base64
import imaplib
import smtplib
import socket
import ssl
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from servers.authority import Certificate
from servers.dovecot import Dovecot
from servers.fixtures import StartDovecot, StartPostfix
from servers.postfix import Postfix
from servers.postgres import Postgres
from servers.process import group_lives, listens, wait_until

pytestmark = pytest.mark.integration


def imap(server: Dovecot, user: str, password: str | None = None) -> imaplib.IMAP4_SSL:
    client = imaplib.IMAP4_SSL("localhost", server.imaps_port, ssl_context=ssl.create_default_context(cafile=server.ca_file))
    try:
        client.login(user, password or server.password(user))
    except imaplib.IMAP4.error:
        client.shutdown()
        raise
    return client


def messages(server: Dovecot, user: str) -> int:
    client = imap(server, user)
    count = int(client.select()[1][0] or 0)
    client.logout()
    return count


def smtp(server: Dovecot | Postfix) -> smtplib.SMTP_SSL:
    return smtplib.SMTP_SSL("localhost", server.submissions_port, context=ssl.create_default_context(cafile=server.ca_file))


def send(client: smtplib.SMTP, sender: str, recipient: str) -> None:
    client.sendmail(f"{sender}@mail.test", [f"{recipient}@mail.test"], "Subject: a test\r\n\r\nhello\r\n")


def test_users_log_in_with_and_without_their_domain(dovecot: Dovecot) -> None:
    for name in ("u00001", "u00001@mail.test"):
        client = imap(dovecot, name, "pw-u00001")
        assert client.select()[0] == "OK"
        client.logout()


def test_imap_offers_starttls(dovecot: Dovecot) -> None:
    client = imaplib.IMAP4("localhost", dovecot.imap_port)
    client.starttls(ssl.create_default_context(cafile=dovecot.ca_file))
    client.login("u00002", "pw-u00002")
    client.logout()


def test_a_new_password_holds_from_the_next_login_on(start_dovecot: StartDovecot) -> None:
    server = start_dovecot()
    for password in ("first", "secon", "third"):  # of one length, within one second
        server.set_password("u00001", password)
        imap(server, "u00001", password).logout()
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            imap(server, "u00001", "pw-u00001")
    server.forget_user("u00001")
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        imap(server, "u00001", "third")


def test_the_login_log_tells_accepted_from_refused(start_dovecot: StartDovecot) -> None:
    server = start_dovecot()
    imap(server, "u00001").logout()
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, "u00002", "wrong")
    with smtp(server) as client:
        client.ehlo()
        client.user, client.password = "u00003", "wrong"
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.auth("PLAIN", client.auth_plain)
    wait_until(lambda: len(server.login_log()) == 3, "three logins logged")
    assert [(one.user, one.protocol, one.accepted) for one in server.login_log()] == [
        ("u00001", "imap", True),
        ("u00002", "imap", False),
        ("u00003", "submission", False),
    ]
    assert (server.accepted(), server.rejected(), server.rejected("u00002")) == (1, 2, 1)
    assert server.rejected_by_user() == {"u00002": 1, "u00003": 1}


@pytest.mark.parametrize(
    ("user", "reply"),
    [
        ("suspended", r"\[CONTACTADMIN\] Account_suspended_for_abuse"),
        ("nologin", r"\[CONTACTADMIN\]"),
        ("elsewhere", r"\[AUTHENTICATIONFAILED\]"),
        ("nouserdb", "EOF"),
    ],
)
def test_each_faulty_user_shows_its_fault(dovecot: Dovecot, user: str, reply: str) -> None:
    with pytest.raises(imaplib.IMAP4.error, match=reply):
        imap(dovecot, user)


def test_broken_storage_shows_at_select(dovecot: Dovecot) -> None:
    client = imap(dovecot, "unstored")
    assert client.select()[0] == "NO"
    client.logout()


def test_a_full_mailbox_takes_no_more(start_dovecot: StartDovecot) -> None:
    server = start_dovecot(quota_bytes=3000)
    server.deliver("quota", size_bytes=1500)
    with pytest.raises(smtplib.SMTPDataError, match="Quota exceeded"):
        server.deliver("quota", size_bytes=3000)


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_logs_in_until_it_expires(dovecot: Dovecot, mechanism: str) -> None:
    def login(token: str) -> None:
        words = {
            "XOAUTH2": f"user=u00004\x01auth=Bearer {token}\x01\x01",
            "OAUTHBEARER": f"n,a=u00004,\x01host=localhost\x01auth=Bearer {token}\x01\x01",
        }
        client = imaplib.IMAP4_SSL("localhost", dovecot.imaps_port, ssl_context=ssl.create_default_context(cafile=dovecot.ca_file))
        first = iter([words[mechanism].encode()])
        try:
            client.authenticate(mechanism, lambda challenge: next(first, b"\x01"))
        except imaplib.IMAP4.error:
            client.shutdown()
            raise
        client.logout()

    login(dovecot.access_token("u00004"))
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        login(dovecot.access_token("u00004", valid_seconds=-30))


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_a_token_logs_in_at_submission_too(postfix: Postfix, mechanism: str) -> None:
    def login(server: Dovecot | Postfix, token: str) -> int:
        words = {
            "XOAUTH2": f"user=u00004\x01auth=Bearer {token}\x01\x01",
            "OAUTHBEARER": f"n,a=u00004,\x01host=localhost\x01auth=Bearer {token}\x01\x01",
        }
        with smtp(server) as client:
            client.ehlo()
            code, _ = client.docmd("AUTH", f"{mechanism} {base64.b64encode(words[mechanism].encode()).decode()}")
            return client.docmd("AQ==")[0] if code == 334 else code

    for server in (postfix, postfix.dovecot):
        assert login(server, postfix.dovecot.access_token("u00004")) == 235
        assert login(server, postfix.dovecot.access_token("u00004", valid_seconds=-30)) == 535


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        (Certificate.EXPIRED, 10),
        (Certificate.NOT_YET_VALID, 9),
        (Certificate.WRONG_NAME, 62),
        (Certificate.SELF_SIGNED, 18),
        (Certificate.UNTRUSTED, 20),
    ],
)
def test_each_faulty_certificate_is_refused_for_its_own_fault(
    start_dovecot: StartDovecot, certificate: Certificate, code: int
) -> None:
    server = start_dovecot(certificate=certificate)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        imap(server, "u00001")
    assert refused.value.verify_code == code


def test_connections_of_one_user_are_limited_when_asked_for(start_dovecot: StartDovecot) -> None:
    server = start_dovecot(max_userip_connections=1)
    first = imap(server, "u00001")
    with pytest.raises(imaplib.IMAP4.error, match=r"\[LIMIT\]"):
        imap(server, "u00001")
    first.logout()


def test_a_stopped_server_comes_back_on_its_ports_with_its_mail(start_dovecot: StartDovecot) -> None:
    server = start_dovecot()
    server.deliver("u00001")
    server.stop()
    assert not any(map(listens, server.ports))
    server.start()
    assert messages(server, "u00001") == 1


def test_options_change_while_accounts_stay(start_dovecot: StartDovecot) -> None:
    server = start_dovecot()
    server.set_password("u00001", "another")
    server.restart_with(greeting="Changed.")
    client = imap(server, "u00001")
    assert b"Changed." in client.welcome
    client.logout()


def test_a_frozen_server_keeps_connections_and_says_nothing(start_dovecot: StartDovecot) -> None:
    server = start_dovecot()
    server.process.freeze()
    try:
        with socket.create_connection(("127.0.0.1", server.imap_port), timeout=0.3) as client, pytest.raises(TimeoutError):
            client.recv(1)
    finally:
        server.process.thaw()
    imap(server, "u00001").logout()


def test_dovecot_takes_submissions_and_delivers_them(start_dovecot: StartDovecot) -> None:
    server = start_dovecot()
    with smtp(server) as client:
        client.login("u00001", "pw-u00001")
        send(client, "u00001", "u00002")
    wait_until(lambda: messages(server, "u00002") == 1, "delivery")


def test_postfix_takes_submissions_and_delivers_them(postfix: Postfix) -> None:
    recipient = "u00007"
    with smtp(postfix) as client:
        client.login("u00006", "pw-u00006")
        send(client, "u00006", recipient)
    with smtplib.SMTP("localhost", postfix.submission_port) as client:
        client.starttls(context=ssl.create_default_context(cafile=postfix.ca_file))
        client.login("u00006", "pw-u00006")
        send(client, "u00006", recipient)
    wait_until(lambda: messages(postfix.dovecot, recipient) == 2, "delivery")
    wait_until(lambda: postfix.accepted("u00006") == 2, "both senders logged")


def test_postfix_refuses_what_it_should(start_postfix: StartPostfix) -> None:
    server = start_postfix()
    with smtp(server) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(client, "u00001", "u00002")
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login("u00001", "wrong")
        assert refused.value.smtp_code == 535
    wait_until(lambda: server.dovecot.rejected("u00001") == server.rejected() > 0, "the refusal logged by both")


def test_postfix_settings_can_be_overridden_and_it_comes_back(start_postfix: StartPostfix) -> None:
    server = start_postfix(settings={"smtpd_banner": "mail.test tried"})
    with smtp(server) as client:
        assert client.noop()[0] == 250
    server.stop()
    assert not listens(server.submissions_port)
    server.restart_with(settings={"soft_bounce": "yes"}, certificate=Certificate.EXPIRED)
    with pytest.raises(ssl.SSLCertVerificationError):
        smtp(server)


def test_dovecot_hands_submissions_to_postfix_where_it_has_no_relay(
    start_dovecot: StartDovecot, start_postfix: StartPostfix
) -> None:
    dovecot = start_dovecot(with_relay=False)
    start_postfix(dovecot)
    with smtp(dovecot) as client:
        client.login("u00001", "pw-u00001")
        send(client, "u00001", "u00002")
    wait_until(lambda: messages(dovecot, "u00002") == 1, "delivery")


async def scalar(url: str, statement: str) -> object:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(sa.text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


async def test_each_database_is_fresh(postgres: Postgres) -> None:
    with postgres.database() as first, postgres.database() as second:
        await scalar(first, "create table t (n int)")
        assert await scalar(first, "select count(*) from information_schema.tables where table_name = 't'") == 1
        assert await scalar(second, "select count(*) from information_schema.tables where table_name = 't'") == 0


async def test_the_database_url_is_for_sqlalchemy_with_asyncpg(postgres_url: str) -> None:
    assert postgres_url.startswith("postgresql+asyncpg://")
    assert await scalar(postgres_url, "select 1") == 1


async def test_postgres_survives_a_crash_with_what_was_committed(start_postgres: Callable[..., Postgres]) -> None:
    server = await asyncio.to_thread(start_postgres)
    with server.database() as url:
        await scalar(url, "create table t (n int)")
        await asyncio.to_thread(server.crash)
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await scalar(url, "select 1")
        await asyncio.to_thread(server.start)
        assert await scalar(url, "select count(*) from t") == 0


def test_nothing_of_a_server_is_left(start_dovecot: StartDovecot) -> None:
    server = start_dovecot()
    pid = server.process.pid
    assert group_lives(pid)
    server.stop()
    assert not group_lives(pid)
