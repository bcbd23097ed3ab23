"""A session in IDLE: how each way of ending is seen, and that goodbye is said."""

import asyncio

import pytest

from fakes.dialogues import finish, flood, imap, mute, reset, then
from fakes.peer import ScriptedServer
from fakes.probing import PASSWORD, Password, assignment, dialer, mailbox, prober
from mailwatch.core import mailbox as m
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Phase
from mailwatch.core.secret import Secret
from mailwatch.ports import SecretUnreadableError
from mailwatch.probe import watch
from mailwatch.probe.imap_wire import MAX_LINES

IDLING = b"+ idling\r\n"


class Unreadable(Password):
    """A secret whose key is gone by the time the session ends."""

    def password(self):
        raise SecretUnreadableError("no such key")


class Keeping:
    """A keeper that hands what it got to the test."""

    def __init__(self):
        self.session, self.events = None, []

    def wants(self, mailbox):
        return True

    async def let_go(self, mailbox_id):
        self.events.append("let_go")

    def keep(self, mailbox, session):
        self.session = session


async def opened(server, certificates, **options):
    """The session that a healthy probe of *server* leaves open."""
    keeping = Keeping()
    box = mailbox(imap=f"imaps://localhost:{server.port}")
    await prober(dialer(certificates.ca_file), keeper=keeping).probe(assignment(box, **options))
    assert keeping.session is not None
    return keeping.session


async def ended(certificates, quirk, *, renew=3600.0, sliced=False, **options):
    """How a session ends whose server does *quirk* on IDLE, and what it heard."""
    quirks = {"IDLE": quirk} | options.pop("quirks", {})
    async with ScriptedServer(imap(quirks), tls=certificates.server(), sliced=sliced).running() as server:
        session = await opened(server, certificates, **options)
        evidence = await asyncio.wait_for(session.watch(lambda: renew), 20)
        return evidence, server.heard


@pytest.mark.parametrize(
    ("quirk", "cause"),
    [
        (then(IDLING + b"* BYE Session expired, please login again.\r\n", mute), Cause.SESSION_EXPIRED),
        (then(IDLING + b"* BYE Autologout; idle for too long\r\n", finish), Cause.SESSION_EXPIRED),
        (then(IDLING + b"* BYE [UNAVAILABLE] Server shutting down.\r\n", finish), None),
        (then(IDLING, finish), Cause.CONNECTION_DROPPED),
        (then(IDLING, reset), Cause.CONNECTION_DROPPED),
        (then(IDLING + b"HTTP/1.1 400 Bad Request\r\n", mute), Cause.PROTOCOL_ERROR),
        (then(IDLING + IDLING, mute), Cause.PROTOCOL_ERROR),
        (then(IDLING, flood(b"* 1 EXISTS\r\n" * 1000, 20)), Cause.PROTOCOL_ERROR),
        (then(IDLING + b"{tag} OK Idle completed.\r\n", mute), Cause.PROTOCOL_ERROR),
        (b"{tag} OK no, thanks\r\n", Cause.PROTOCOL_ERROR),
        (b"{tag} NO [UNAVAILABLE] Temporary failure\r\n", Cause.SERVER_UNAVAILABLE),
    ],
)
async def test_each_end_of_a_session_is_seen_and_named(certificates, quirk, cause):
    evidence, _ = await ended(certificates, quirk)
    assert evidence.phase is Phase.IDLE
    assert evidence.session_worked
    assert cause in (None, diagnose(evidence).cause), evidence


@pytest.mark.parametrize("sliced", [False, True], ids=["whole", "in single bytes"])
async def test_the_words_of_a_farewell_are_kept(certificates, sliced):
    evidence, _ = await ended(certificates, then(IDLING + b"* BYE Server closing idle connection.\r\n", finish), sliced=sliced)
    assert (evidence.status, evidence.response) == ("BYE", "BYE Server closing idle connection.")
    assert diagnose(evidence).cause is Cause.SESSION_EXPIRED


async def test_a_password_in_a_farewell_is_cut_out(certificates):
    evidence, _ = await ended(certificates, then(IDLING + b"* BYE bye, " + PASSWORD.encode() + b"\r\n", finish))
    assert PASSWORD not in evidence.response
    assert "***" in evidence.response


async def test_where_the_password_cannot_be_read_any_more_no_word_is_kept(certificates):
    async with ScriptedServer(
        imap({"IDLE": then(IDLING + b"* BYE " + PASSWORD.encode() + b"\r\n", finish)}), tls=certificates.server()
    ).running() as server:
        session = await opened(server, certificates)
        session._assignment = assignment(mailbox(imap="imaps://localhost"), credential=Unreadable())
        evidence = await asyncio.wait_for(session.watch(lambda: 3600.0), 20)
    assert evidence.response == "***"
    assert diagnose(evidence).cause in Cause


async def test_what_looks_like_a_token_in_a_farewell_is_cut_out(certificates):
    token = "ya29.a0AfH6SMBxyz0123456789-_abcdef"

    class Tokens:
        async def access_token(self, mailbox, *, force=False, refused=None):
            return Secret(token)

    quirks = {"IDLE": then(IDLING + b"* BYE token " + token.encode() + b" has expired\r\n", finish)}
    async with ScriptedServer(imap(quirks), tls=certificates.server()).running() as server:
        keeping = Keeping()
        box = mailbox(imap=f"imaps://localhost:{server.port}", auth=m.AuthKind.OAUTH)
        await prober(dialer(certificates.ca_file), Tokens(), keeper=keeping).probe(assignment(box, credential=None))
        evidence = await asyncio.wait_for(keeping.session.watch(lambda: 3600.0), 20)
    assert evidence.response == "BYE token *** has expired"


async def test_a_peer_that_answers_no_more_is_noticed(certificates, monkeypatch):
    monkeypatch.setattr(watch, "ANSWER_SECONDS", 0.2)
    evidence, heard = await ended(certificates, then(IDLING, mute), renew=0.1)
    assert diagnose(evidence).cause is Cause.CONNECTION_TIMEOUT
    assert sum(b" IDLE" in line for line in heard) == 1


async def test_silence_is_broken_again_and_again_and_chatter_is_counted_anew_each_time(certificates):
    most = MAX_LINES // 2 + 100
    quirks = {"PAYLOAD": b"* 1 EXISTS\r\n" * most + b"{tag} OK done\r\n"}
    async with ScriptedServer(imap({"IDLE": IDLING, **quirks}), tls=certificates.server()).running() as server:
        # the password went with AUTHENTICATE: only DONE is a line that was asked for
        session = await opened(server, certificates)
        watching = asyncio.create_task(session.watch(lambda: 0.02))
        while sum(b" IDLE" in line for line in server.heard) < 6 and not watching.done():
            await asyncio.sleep(0.01)
        assert not watching.done()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        session.drop()


async def test_goodbye_is_said_before_the_session_is_closed(certificates):
    async with ScriptedServer(imap({"IDLE": IDLING}), tls=certificates.server()).running() as server:
        session = await opened(server, certificates)
        watching = asyncio.create_task(session.watch(lambda: 3600.0))
        while not any(b" IDLE" in line for line in server.heard):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await session.leave()
        heard = [line.split()[-1] for line in server.heard if line.strip()]
    assert heard[-3:] == [b"IDLE", b"DONE", b"LOGOUT"]


async def test_a_session_that_never_idled_is_only_logged_out(certificates):
    async with ScriptedServer(imap(), tls=certificates.server()).running() as server:
        session = await opened(server, certificates)
        await session.leave()
        assert server.heard[-1].split()[-1] == b"LOGOUT"


@pytest.mark.parametrize("quirk", [then(IDLING, mute), mute])
async def test_a_deaf_server_holds_no_goodbye_up(certificates, quirk, monkeypatch):
    monkeypatch.setattr(watch, "GOODBYE_SECONDS", 0.2)
    async with ScriptedServer(imap({"IDLE": quirk}), tls=certificates.server()).running() as server:
        session = await opened(server, certificates)
        watching = asyncio.create_task(session.watch(lambda: 3600.0))
        await asyncio.sleep(0.1)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await asyncio.wait_for(session.leave(), 20)
        assert session._wire.transport.is_closing()


async def test_a_session_that_is_left_in_the_middle_of_a_renewal_says_done_once(certificates):
    async def answers_late(peer):
        await asyncio.sleep(0.3)
        await peer.say(peer.server.heard[-2].split(b" ")[0] + b" OK done\r\n")

    async with ScriptedServer(imap({"IDLE": IDLING, "PAYLOAD": answers_late}), tls=certificates.server()).running() as server:
        session = await opened(server, certificates)
        watching = asyncio.create_task(session.watch(lambda: 0.01))
        while b"DONE\r\n" not in server.heard:
            await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await session.leave()
        assert server.heard.count(b"DONE\r\n") == 1
        assert server.heard[-1].split()[-1] == b"LOGOUT"
