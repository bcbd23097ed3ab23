"""The SMTP dialogue, command by command, as the server hears it."""

import pytest

from fakes.dialogues import mute, smtp
from fakes.peer import ScriptedServer
from fakes.probing import assignment, cut_short, dialer, look, mailbox
from mailwatch.core import mailbox as m
from mailwatch.core.evidence import Outcome, Phase
from mailwatch.probe.smtp import SmtpProbe


async def hear(certificates, quirks=None, *, scheme="smtps", **options):
    """The report of a probe, and the lines it sent."""
    script = smtp(quirks, tls=certificates.server() if scheme == "smtp+starttls" else None)
    async with ScriptedServer(script, tls=certificates.server() if scheme == "smtps" else None).running() as server:
        found = await look(mailbox(smtp=f"{scheme}://localhost:{server.port}"), dialer(certificates.ca_file), **options)
    return found, [line.decode().strip() for line in server.heard if line.strip()]


def verbs(heard):
    return [line.split()[0].upper() for line in heard]


async def test_a_login_is_followed_by_a_sign_of_life_and_a_goodbye(certificates):
    found, heard = await hear(certificates)
    assert (found.outcome, found.logged_in) == (Outcome.HEALTHY, True)
    assert verbs(heard) == ["EHLO", "AUTH", "NOOP", "QUIT"]


async def test_an_envelope_is_offered_to_itself_and_taken_back(certificates):
    found, heard = await hear(certificates, depth=m.Depth.SUBMIT)
    assert found.outcome is Outcome.HEALTHY
    own = assignment(mailbox(smtp="smtps://localhost")).mailbox.address
    assert heard[2:5] == [f"MAIL FROM:<{own}>", f"RCPT TO:<{own}>", "RSET"]
    assert "DATA" not in verbs(heard)


async def test_a_server_is_looked_at_without_a_login(certificates):
    found, heard = await hear(certificates, depth=m.Depth.REACH)
    assert not found.logged_in
    assert verbs(heard) == ["EHLO", "QUIT"]


async def test_starttls_comes_before_the_login_and_extensions_are_asked_for_anew(certificates):
    found, heard = await hear(certificates, scheme="smtp+starttls")
    assert found.outcome is Outcome.HEALTHY
    assert verbs(heard)[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


async def test_a_server_without_starttls_gets_no_secret(certificates):
    found, heard = await hear(certificates, {"EHLO": b"250-test\r\n250 AUTH PLAIN\r\n"}, scheme="smtp+starttls")
    assert (found.outcome, found.phase) == (Outcome.FAILED, Phase.STARTTLS)
    assert "AUTH" not in verbs(heard)


async def test_a_server_that_takes_no_way_of_ours_gets_no_secret(certificates):
    found, heard = await hear(certificates, {"EHLO": b"250-test\r\n250 AUTH GSSAPI\r\n"})
    assert "offered: GSSAPI" in found.evidence.response
    assert "AUTH" not in verbs(heard)


async def test_a_refusal_is_told_in_the_servers_words_and_not_tried_again(certificates):
    found, heard = await hear(certificates, {"AUTH": b"535 5.7.8 Nope.\r\n"})
    assert (found.phase, found.evidence.code, found.evidence.enhanced) == (Phase.AUTH, 535, "5.7.8")
    assert verbs(heard).count("AUTH") == 1
    assert found.rejected_logins == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
async def test_a_sender_who_may_not_send_is_found_before_a_campaign_finds_out(certificates, step):
    found, _ = await hear(certificates, {step: b"550 5.7.60 may not send as this sender\r\n"}, depth=m.Depth.SUBMIT)
    assert (found.outcome, found.phase) == (Outcome.FAILED, Phase.SUBMIT)
    assert found.logged_in


@pytest.mark.parametrize("name", ["mail.example.org", "[192.0.2.1]", "a", "9.example"])
def test_a_domain_or_a_literal_is_what_we_call_ourselves(certificates, name):
    assert SmtpProbe(dialer(certificates.ca_file), name)._ehlo_name == name


@pytest.mark.parametrize("name", ["", "two words", "evil\r\nMAIL FROM:<x>", "-x", "ünï.example"])
def test_what_is_no_domain_is_never_sent_as_one(certificates, name):
    assert SmtpProbe(dialer(certificates.ca_file), name)._ehlo_name == "mailwatch"


def heard(server, step):
    """Whether *server* has come to *step* of the dialogue."""
    return server.connections > 0 if step == "greeting" else step in str(server.heard)


@pytest.mark.parametrize(("step", "secret_sent"), [("greeting", False), ("EHLO", False), ("AUTH", True), ("NOOP", True)])
async def test_a_probe_that_is_cut_short_knows_whether_its_secret_had_left(certificates, step, secret_sent):
    async with ScriptedServer(smtp({step: mute}), tls=certificates.server()).running() as server:
        box = mailbox(smtp=f"smtps://localhost:{server.port}")
        sent = await cut_short(box, dialer(certificates.ca_file), lambda: heard(server, step))
    assert sent.secret is secret_sent is heard(server, "AUTH")
