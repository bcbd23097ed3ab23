"""The IMAP dialogue, command by command, as the server hears it."""

import pytest

from fakes.dialogues import imap, mute
from fakes.peer import ScriptedServer
from fakes.probing import cut_short, dialer, look, mailbox
from mailwatch.core import mailbox as m
from mailwatch.core.evidence import Outcome, Phase

CAPABLE = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n"


async def hear(certificates, quirks=None, *, scheme="imaps", **options):
    """The report of a probe, and the names of the commands it sent."""
    script = imap(quirks, tls=certificates.server() if scheme == "imap+starttls" else None)
    async with ScriptedServer(script, tls=certificates.server() if scheme == "imaps" else None).running() as server:
        found = await look(mailbox(imap=f"{scheme}://localhost:{server.port}"), dialer(certificates.ca_file), **options)
    return found, [line.split()[1].decode().upper() for line in server.heard if len(line.split()) > 1]


async def test_a_healthy_login_is_one_login_one_folder_and_a_goodbye(certificates):
    found, heard = await hear(certificates)
    assert (found.outcome, found.logged_in) == (Outcome.HEALTHY, True)
    assert heard == ["AUTHENTICATE", "SELECT", "LOGOUT"]


async def test_capabilities_are_asked_for_only_when_the_greeting_did_not_tell(certificates):
    _, heard = await hear(certificates, {"greeting": b"* OK hello\r\n"})
    assert heard[0] == "CAPABILITY"
    _, heard = await hear(certificates, {"greeting": CAPABLE})
    assert "CAPABILITY" not in heard


async def test_a_server_is_looked_at_without_a_login(certificates):
    found, heard = await hear(certificates, depth=m.Depth.REACH)
    assert not found.logged_in
    assert heard == ["LOGOUT"]


async def test_starttls_comes_before_the_login(certificates):
    found, heard = await hear(certificates, scheme="imap+starttls")
    assert found.outcome is Outcome.HEALTHY
    assert heard.index("STARTTLS") < heard.index("AUTHENTICATE")
    assert found.certificate is not None


async def test_a_server_without_starttls_gets_no_secret(certificates):
    found, heard = await hear(certificates, {"greeting": CAPABLE}, scheme="imap+starttls")
    assert (found.outcome, found.phase) == (Outcome.FAILED, Phase.STARTTLS)
    assert not {"LOGIN", "AUTHENTICATE"} & set(heard)


async def test_a_server_that_takes_no_way_of_ours_gets_no_secret(certificates):
    only = b"* OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI LOGINDISABLED] hello\r\n"
    found, heard = await hear(certificates, {"greeting": only})
    assert found.evidence.exception == "MechanismUnsupportedError"
    assert "offered: GSSAPI" in found.evidence.response
    assert not {"LOGIN", "AUTHENTICATE"} & set(heard)


async def test_a_refusal_is_told_in_the_servers_words_and_not_tried_again(certificates):
    found, heard = await hear(certificates, {"AUTHENTICATE": b"{tag} NO [AUTHENTICATIONFAILED] Nope.\r\n"})
    assert (found.phase, found.evidence.response) == (Phase.AUTH, "NO [AUTHENTICATIONFAILED] Nope.")
    assert heard.count("AUTHENTICATE") + heard.count("LOGIN") == 1
    assert found.rejected_logins == 1


@pytest.mark.parametrize("goodbye", [b"{tag} BAD what\r\n", b"* BYE\r\n", b"* BYE see you\r\n", b"garbage\r\n"])
async def test_what_a_server_does_at_the_goodbye_says_nothing_of_the_mailbox(certificates, goodbye):
    found, _ = await hear(certificates, {"LOGOUT": goodbye})
    assert found.outcome is Outcome.HEALTHY


def heard(server, step):
    """Whether *server* has come to *step* of the dialogue."""
    return server.connections > 0 if step == "greeting" else step in str(server.heard)


@pytest.mark.parametrize(
    ("step", "quirks", "secret_sent"),
    [
        ("greeting", {"greeting": mute}, False),
        ("CAPABILITY", {"greeting": b"* OK hello\r\n", "CAPABILITY": mute}, False),
        ("AUTHENTICATE", {"AUTHENTICATE": mute}, True),
        ("LOGIN", {"greeting": b"* OK [CAPABILITY IMAP4rev1] hello\r\n", "LOGIN": mute}, True),
        ("SELECT", {"SELECT": mute}, True),
    ],
)
async def test_a_probe_that_is_cut_short_knows_whether_its_secret_had_left(certificates, step, quirks, secret_sent):
    async with ScriptedServer(imap(quirks), tls=certificates.server()).running() as server:
        box = mailbox(imap=f"imaps://localhost:{server.port}")
        sent = await cut_short(box, dialer(certificates.ca_file), lambda: heard(server, step))
    assert sent.secret is secret_sent is (heard(server, "AUTHENTICATE") or heard(server, "LOGIN"))
