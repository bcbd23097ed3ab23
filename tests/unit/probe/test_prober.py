"""Probes of servers that break off, stall, flood, lie and babble, and what one channel means for the other."""

import asyncio
import base64
import io
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest

from fakes.certificates import Certificates
from fakes.dialogues import imap, mute, smtp
from fakes.hostile import CASES, STALLS, Case
from fakes.peer import ScriptedServer
from fakes.probing import LOOPS, PASSWORD, Password, assignment, dialer, look, mailbox, prober, run_on
from mailwatch.core import mailbox as m
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import ChannelReport, Evidence, Outcome, Phase, Report
from mailwatch.core.secret import Secret
from mailwatch.ports import SecretUnreadableError
from mailwatch.ports.watching import OpenSession
from mailwatch.probe import Resolver
from mailwatch.probe.failures import ImpairedError, TokenFailureError


def tolerate_servers(context: dict[str, Any]) -> None:
    """The fakes' own broken connections may stray; an exception or task that nobody looked at may not."""
    assert "never" not in str(context.get("message")), context


def fresh(case: Case) -> dict[str, Any]:
    """The quirks of *case*, unused: servers take answers off the lists."""
    return {step: list(quirk) if isinstance(quirk, list) else quirk for step, quirk in case.quirks.items()}


async def visit(case: Case, security: str, certificates: Certificates, *, sliced: bool = False) -> ChannelReport:
    quirks = fresh(case)
    script = (imap if case.protocol == "imap" else smtp)(quirks)
    async with ScriptedServer(script, tls=certificates.server() if security == "tls" else None, sliced=sliced).running() as server:
        scheme = case.protocol + ("s" if security == "tls" else "")
        box = mailbox(**{case.protocol: f"{scheme}://localhost:{server.port}"})
        return await look(box, dialer(certificates.ca_file), timeout_seconds=case.timeout_seconds)


def judge(case: Case, channel: ChannelReport) -> None:
    if case.cause is None:
        assert channel.outcome is Outcome.HEALTHY, channel
        assert channel.logged_in
        return
    assert channel.outcome is Outcome.FAILED, channel
    assert channel.evidence is not None
    assert diagnose(channel.evidence).cause is case.cause, channel.evidence
    assert case.phase in (None, channel.phase), channel
    assert case.words in channel.evidence.response


def identify(case: Case) -> str:
    return f"{case.protocol}-{case.name}"


@pytest.mark.parametrize("security", ["clear", "tls"])
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("case", CASES, ids=identify)
def test_a_hostile_server_gets_the_right_verdict(case: Case, loop: str, security: str, certificates: Certificates) -> None:
    judge(case, run_on(loop, lambda: visit(case, security, certificates), handler=tolerate_servers))


@pytest.mark.parametrize("security", ["clear", "tls"])
@pytest.mark.parametrize("loop", LOOPS)
def test_servers_that_fall_silent_or_drip_cost_the_time_there_is_and_no_more(
    loop: str, security: str, certificates: Certificates
) -> None:
    async def all_at_once() -> list[ChannelReport]:
        async with asyncio.timeout(120):  # the servers would go on for an hour
            return await asyncio.gather(*(visit(case, security, certificates) for case in STALLS))

    for case, channel in zip(STALLS, run_on(loop, all_at_once, handler=tolerate_servers), strict=True):
        judge(case, channel)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("case", [case for case in CASES if case.sliceable], ids=identify)
def test_a_reply_in_single_bytes_gets_the_same_verdict_as_in_one_piece(case: Case, loop: str, certificates: Certificates) -> None:
    judge(case, run_on(loop, lambda: visit(case, "clear", certificates, sliced=True), handler=tolerate_servers))


@pytest.mark.parametrize("loop", LOOPS)
def test_a_probe_can_be_cancelled_at_any_moment_and_leaves_nothing(loop: str, certificates: Certificates) -> None:
    async def cancel_after(server: ScriptedServer, turns: int) -> bool:
        probing = asyncio.ensure_future(look(mailbox(imap=f"imaps://localhost:{server.port}"), dialer(certificates.ca_file)))
        for _ in range(turns):
            await asyncio.sleep(0)
        probing.cancel()
        await asyncio.wait([probing])
        return probing.cancelled()

    async def all_turns() -> list[bool]:
        async with ScriptedServer(imap(), tls=certificates.server()).running() as server:
            return [await cancel_after(server, turns) for turns in range(0, 90, 3)]

    assert any(run_on(loop, all_turns, handler=lambda context: None))


@pytest.mark.parametrize("loop", LOOPS)
def test_no_case_leaves_a_descriptor_behind(loop: str, certificates: Certificates) -> None:
    def descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    async def all_cases() -> tuple[int, int]:
        await visit(CASES[0], "tls", certificates)
        before = descriptors()
        for case in CASES:
            await visit(case, "tls", certificates)
        for _ in range(1200):
            if descriptors() <= before:
                break
            await asyncio.sleep(0.05)
        return before, descriptors()

    before, after = run_on(loop, all_cases, handler=tolerate_servers)
    assert after <= before


async def both(
    imap_quirks: dict[str, Any],
    smtp_quirks: dict[str, Any],
    *,
    tokens: Any = None,
    auth: m.AuthKind = m.AuthKind.PASSWORD,
    **changes: Any,
) -> tuple[Report, ScriptedServer, ScriptedServer]:
    """Probe a mailbox with both channels, in clear text on loopback."""
    async with ScriptedServer(imap(imap_quirks)).running() as one, ScriptedServer(smtp(smtp_quirks)).running() as two:
        box = mailbox(f"imap://127.0.0.1:{one.port}", f"smtp://127.0.0.1:{two.port}", auth)
        report = await prober(dialer(), tokens).probe(assignment(box, **changes))
        return report, one, two


def heard(server: ScriptedServer, word: bytes) -> int:
    return sum(word in line for line in server.heard)


NO = b"{tag} NO [AUTHENTICATIONFAILED] no\r\n"


async def test_a_refused_secret_is_not_shown_to_the_other_server() -> None:
    report, _, two = await both({"AUTHENTICATE": NO}, {})
    first, second = report.channels
    assert (first.outcome, first.rejected_logins) == (Outcome.FAILED, 1)
    assert (second.outcome, second.withheld_reason, second.rejected_logins) == (Outcome.WITHHELD, "other_channel", 0)
    assert heard(two, b"EHLO") == 1
    assert heard(two, b"AUTH") == 0


@pytest.mark.parametrize("words", [b"BAD Login failed", b"NO [NOPERM] not you", b"NO [NONEXISTENT] unknown user"])
async def test_a_final_no_counts_and_spares_the_other_server_whatever_its_words_are_taken_for(words: bytes) -> None:
    report, _, two = await both({"AUTHENTICATE": b"{tag} " + words + b"\r\n"}, {})
    assert [channel.rejected_logins for channel in report.channels] == [1, 0]
    assert report.channels[1].withheld_reason == "other_channel"
    assert heard(two, b"AUTH") == 0


@pytest.mark.parametrize("words", [b"501 5.5.2 bad password", b"535 5.7.1 not authorized", b"554 5.7.1 access denied"])
async def test_a_permanent_answer_to_a_login_by_smtp_counts_too(words: bytes) -> None:
    report, one, _ = await both({}, {"AUTH": words + b"\r\n"}, first=m.Protocol.SMTP)
    assert [channel.rejected_logins for channel in report.channels] == [0, 1]
    assert heard(one, b"AUTHENTICATE") == 0


async def test_the_channel_to_look_at_first_is_looked_at_first() -> None:
    report, one, _ = await both({}, {"AUTH": b"535 5.7.8 no\r\n"}, first=m.Protocol.SMTP)
    assert [channel.protocol for channel in report.channels] == [m.Protocol.IMAP, m.Protocol.SMTP]
    assert report.channels[0].outcome is Outcome.WITHHELD
    assert report.rejected_logins == 1
    assert heard(one, b"AUTHENTICATE") == 0


async def test_a_failure_that_is_no_refusal_leaves_the_other_channel_its_login() -> None:
    report, _, two = await both({"AUTHENTICATE": b"{tag} NO [UNAVAILABLE] later\r\n"}, {})
    assert report.rejected_logins == 0
    assert report.channels[1].outcome is Outcome.HEALTHY
    assert heard(two, b"AUTH PLAIN") == 1


async def test_a_probe_without_a_login_sends_no_secret_and_says_why() -> None:
    report, one, two = await both({}, {}, depth=m.Depth.REACH, withheld_reason="budget")
    assert {channel.withheld_reason for channel in report.channels} == {"budget"}
    assert {channel.outcome for channel in report.channels} == {Outcome.WITHHELD}
    assert heard(one, b"AUTHENTICATE") == heard(two, b"AUTH") == 0


async def test_a_login_and_an_envelope_is_as_far_as_it_goes() -> None:
    report, _, two = await both({}, {}, depth=m.Depth.SUBMIT)
    assert report.channels[1].outcome is Outcome.HEALTHY
    verbs = [line.split(b" ")[0].strip() for line in two.heard if line.strip()]
    assert verbs == [b"EHLO", b"AUTH", b"MAIL", b"RCPT", b"RSET", b"QUIT"]
    assert b"MAIL FROM:<anna@example.org>\r\n" in two.heard


async def test_a_mute_server_leaves_the_other_channel_its_time() -> None:
    report, _, _ = await both({"greeting": mute}, {}, timeout_seconds=4.0)
    assert report.channels[0].outcome is Outcome.FAILED
    assert report.channels[1].outcome is Outcome.HEALTHY


async def test_an_endpoint_without_tls_is_refused_before_anything_is_sent() -> None:
    async with ScriptedServer(imap()).running() as server:
        box = mailbox(imap=f"imap://127.0.0.1:{server.port}")
        report = await prober(dialer(), allow_cleartext=False).probe(assignment(box))
        assert report.impairment == "cleartext_refused"
        assert server.connections == 0


class Unreadable:
    generation = 1

    def password(self) -> Secret:
        raise SecretUnreadableError("key k1 is missing")


@pytest.mark.parametrize(("credential", "impairment"), [(None, "secret_missing"), (Unreadable(), "secret_unreadable")])
async def test_a_secret_that_cannot_be_had_is_our_own_fault(credential: Any, impairment: str) -> None:
    report, one, _ = await both({}, {}, credential=credential)
    assert [channel.impairment for channel in report.channels] == [impairment, impairment]
    assert one.connections == 0


@pytest.mark.parametrize("secret", ["a\0b", "a\r\nb DELETE INBOX"])
async def test_a_secret_that_would_split_a_command_is_not_sent(secret: str) -> None:
    quirks = {"greeting": b"* OK [CAPABILITY IMAP4rev1] hi\r\n"}  # the LOGIN command, whose strings cannot hold everything
    async with ScriptedServer(imap(quirks)).running() as server:
        channel = await look(mailbox(imap=f"imap://127.0.0.1:{server.port}"), dialer(), credential=Password(secret))
        assert channel.impairment == "secret_unsendable"
        assert not heard(server, b"LOGIN")
        assert not heard(server, b"DELETE")


async def test_capabilities_told_in_the_greeting_are_not_asked_again() -> None:
    _, one, _ = await both({}, {})
    assert [line.split(b" ")[1].strip() for line in one.heard if b" " in line] == [b"AUTHENTICATE", b"SELECT", b"LOGOUT"]


@pytest.mark.parametrize(("scheme", "cause"), [("imap", Cause.TLS_REQUIRED), ("imaps", Cause.MECHANISM_UNSUPPORTED)])
async def test_a_disabled_login_is_respected(scheme: str, cause: Cause, certificates: Certificates) -> None:
    quirks = {"greeting": b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n"}
    tls = certificates.server() if scheme == "imaps" else None
    async with ScriptedServer(imap(quirks), tls=tls).running() as server:
        channel = await look(mailbox(imap=f"{scheme}://localhost:{server.port}"), dialer(certificates.ca_file))
        assert channel.evidence is not None
        assert diagnose(channel.evidence).cause is cause
        assert not heard(server, b"LOGIN")


# OAuth

EXPIRED = base64.b64encode(b'{"status":"401","schemes":"bearer"}')
IMAP_EXPIRED = {
    "AUTHENTICATE": [b"+ " + EXPIRED + b"\r\n", b"{tag} OK in\r\n"],
    "CHALLENGE": b"{tag} NO Authentication failed.\r\n",
}


class FakeTokens:
    """Hands out t1, t2, …; counts forced renewals."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.forced = 0
        self.failure = failure

    async def access_token(self, mailbox: m.Mailbox, *, force: bool = False, refused: Secret | None = None) -> Secret:
        self.forced += force
        if self.failure is not None and force:
            raise self.failure
        return Secret(f"token-c4n4ry-{1 + self.forced}")


def always_expired() -> dict[str, Any]:
    return {"AUTHENTICATE": b"+ " + EXPIRED + b"\r\n", "CHALLENGE": b"{tag} NO Authentication failed.\r\n"}


async def test_an_expired_token_is_renewed_once_and_tried_once_more_on_a_new_connection() -> None:
    seen = {"n": 0}

    async def authenticate(peer: Any) -> None:
        seen["n"] += 1
        tag = peer.server.heard[-1].split(b" ")[0]
        if seen["n"] == 1:
            await peer.say(b"+ " + EXPIRED + b"\r\n")
            await peer.line()
            await peer.say(tag + b" NO failed\r\n")
        else:
            await peer.say(tag + b" OK in\r\n")

    tokens = FakeTokens()
    report, one, two = await both(
        {"AUTHENTICATE": authenticate}, {}, tokens=tokens, auth=m.AuthKind.OAUTH, credential=None, refusals_left=2
    )
    assert [channel.outcome for channel in report.channels] == [Outcome.HEALTHY, Outcome.HEALTHY]
    assert (tokens.forced, one.connections, report.rejected_logins) == (1, 2, 1)
    renewed = base64.b64encode(b"user=anna@example.org\1auth=Bearer token-c4n4ry-2\1\1")
    assert heard(one, renewed) == heard(two, renewed) == 1


async def test_a_token_is_renewed_but_not_tried_again_when_the_budget_is_spent() -> None:
    tokens = FakeTokens()
    report, one, two = await both(always_expired(), {}, tokens=tokens, auth=m.AuthKind.OAUTH, credential=None, refusals_left=1)
    assert (tokens.forced, one.connections, report.rejected_logins) == (1, 1, 1)
    assert report.channels[0].evidence is not None
    assert diagnose(report.channels[0].evidence).cause is Cause.OAUTH_TOKEN_EXPIRED
    assert "401" in (report.channels[0].evidence.challenge or "")
    assert report.channels[1].outcome is Outcome.WITHHELD
    assert not heard(two, b"AUTH")


async def test_a_token_refused_twice_is_refused_for_good() -> None:
    tokens = FakeTokens()
    report, one, two = await both(always_expired(), {}, tokens=tokens, auth=m.AuthKind.OAUTH, credential=None, refusals_left=5)
    assert (tokens.forced, one.connections, report.rejected_logins) == (1, 2, 2)
    assert not heard(two, b"AUTH")


async def test_the_reason_why_no_token_can_be_had_is_the_verdict() -> None:
    dead = Evidence("oauth", Phase.TOKEN, '{"error":"invalid_grant"}', oauth_error="invalid_grant", http_status=400)
    tokens = FakeTokens(TokenFailureError(dead))
    report, _, two = await both(always_expired(), {}, tokens=tokens, auth=m.AuthKind.OAUTH, credential=None, refusals_left=2)
    assert report.channels[0].evidence == dead
    assert report.channels[0].phase is Phase.TOKEN
    assert not heard(two, b"AUTH")


@pytest.mark.parametrize("impairment", ["store_failing", "token_refresh_pending", "oauth_app_unknown"])
async def test_a_renewal_that_a_fault_of_our_own_prevents_blames_nobody_but_the_refused_login_counts(impairment: str) -> None:
    tokens = FakeTokens(ImpairedError(impairment))
    report, _, two = await both(always_expired(), {}, tokens=tokens, auth=m.AuthKind.OAUTH, credential=None, refusals_left=2)
    first = report.channels[0]
    assert (first.outcome, first.impairment, first.evidence, first.rejected_logins) == (Outcome.IMPAIRED, impairment, None, 1)
    assert first.conversation
    assert not heard(two, b"AUTH")


async def test_a_token_that_is_the_only_one_there_is_was_refused() -> None:
    tokens = FakeTokens(ImpairedError("token_not_renewable"))
    report, _, _ = await both(always_expired(), {}, tokens=tokens, auth=m.AuthKind.OAUTH, credential=None, refusals_left=2)
    first = report.channels[0]
    assert (first.outcome, first.impairment, first.rejected_logins) == (Outcome.FAILED, None, 1)
    assert first.evidence is not None
    assert diagnose(first.evidence).cause is Cause.OAUTH_TOKEN_EXPIRED


async def test_a_token_endpoint_that_is_too_slow_to_renew_is_what_is_told() -> None:
    class Slow(FakeTokens):
        async def access_token(self, mailbox: m.Mailbox, *, force: bool = False, refused: Secret | None = None) -> Secret:
            if force:
                await asyncio.sleep(60)
            return await super().access_token(mailbox, force=force, refused=refused)

    report, _, _ = await both(always_expired(), {}, tokens=Slow(), auth=m.AuthKind.OAUTH, credential=None, timeout_seconds=4.0)
    first = report.channels[0]
    assert (first.outcome, first.phase, first.rejected_logins) == (Outcome.FAILED, Phase.TOKEN, 1)
    assert first.evidence is not None
    assert diagnose(first.evidence).cause is Cause.CONNECTION_TIMEOUT


class NoToken:
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def access_token(self, mailbox: m.Mailbox, *, force: bool = False, refused: Secret | None = None) -> Secret:
        raise self.error


async def test_without_a_token_one_channel_tells_and_the_other_is_only_reached() -> None:
    evidence = Evidence("oauth", Phase.TOKEN, "HTTP 503", http_status=503)
    report, one, two = await both({}, {}, tokens=NoToken(TokenFailureError(evidence)), auth=m.AuthKind.OAUTH, credential=None)
    assert report.channels[0].evidence == evidence
    assert report.channels[1].withheld_reason == "other_channel"
    assert (one.connections, two.connections) == (0, 1)


async def test_a_token_that_we_cannot_read_is_our_own_fault() -> None:
    report, _, _ = await both({}, {}, tokens=NoToken(ImpairedError("store_failing")), auth=m.AuthKind.OAUTH, credential=None)
    assert report.impairment == "store_failing"


# secrets

TOKEN = 'tok"en\\c4n4ry-0123456789'


def encodings(username: str, secret: str) -> list[str]:
    payloads = [
        secret,
        f"\0{username}\0{secret}",
        f"user={username}\1auth=Bearer {secret}\1\1",
        f"n,a={username},\1auth=Bearer {secret}\1\1",
    ]
    quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
    return [secret, quoted, *(base64.b64encode(text.encode()).decode() for text in payloads)]


def echo_everything(peer_line: bytes) -> bytes:
    return peer_line.replace(b"\r", b"").replace(b"\n", b"")


async def echo(peer: Any) -> None:
    """A server that repeats what it was sent, and its decoded form, in every reply."""
    line = peer.server.heard[-1].strip()
    words = line.split(b" ")
    decoded = (
        b"".join(base64.b64decode(word + b"==", validate=False) for word in words[-1:]).replace(b"\0", b" ").replace(b"\1", b" ")
    )
    raw = line[len(words[0]) + 1 :]
    if peer.server.speaks == "imap":
        await peer.say(
            b"* NO [ALERT] " + raw + b"\r\n" + words[0] + b" NO [X-" + words[-1][:40] + b"] " + raw + b" " + decoded + b"\r\n"
        )
    else:
        await peer.say(b"535-5.7.8 " + raw + b"\r\n535 5.7.8 " + decoded + b" " + words[-1] + b"\r\n")


def wrong_tag_echo() -> Any:
    async def act(peer: Any) -> None:
        await peer.say(b"ZZZ1 OK " + peer.server.heard[-1])

    return act


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("auth", list(m.AuthKind))
def test_no_form_of_a_secret_is_kept_or_logged_whatever_servers_echo(auth: m.AuthKind, loop: str) -> None:
    secret = PASSWORD if auth is m.AuthKind.PASSWORD else TOKEN
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name in ("aioimaplib", "aioimaplib.aioimaplib", "asyncio", "aiosmtplib"):
        logging.getLogger(name).setLevel(logging.DEBUG)

    class Constant:
        async def access_token(self, mailbox: m.Mailbox, *, force: bool = False, refused: Secret | None = None) -> Secret:
            return Secret(TOKEN)

    async def one(name: str, quirks: dict[str, Any]) -> str:
        async with ScriptedServer((imap if name == "imap" else smtp)(quirks)).running() as server:
            server.speaks = name
            box = mailbox(**{name: f"{name}://127.0.0.1:{server.port}"}, auth=auth)
            changes = {"credential": Password(secret), "timeout_seconds": 0.5}
            try:
                return repr(await prober(dialer(), Constant()).probe(assignment(box, **changes)))
            except Exception:
                return traceback.format_exc()

    login_only = b"* OK [CAPABILITY IMAP4rev1] hi\r\n"
    challenge = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=OAUTHBEARER] hi\r\n"

    async def all_of_them() -> list[str]:
        asyncio.get_running_loop().set_debug(True)
        cases: list[tuple[str, dict[str, Any]]] = [
            ("imap", {"AUTHENTICATE": echo}),
            ("imap", {"greeting": login_only, "LOGIN": echo}),
            ("imap", {"greeting": login_only, "LOGIN": wrong_tag_echo()}),
            ("imap", {"AUTHENTICATE": wrong_tag_echo()}),
            ("imap", {"AUTHENTICATE": mute}),
            ("imap", {"greeting": challenge, "AUTHENTICATE": b"+ \r\n", "PAYLOAD": echo}),
            ("smtp", {"AUTH": echo}),
            ("smtp", {"EHLO": b"250-x\r\n250 AUTH LOGIN OAUTHBEARER\r\n", "AUTH": b"334 \r\n", "PAYLOAD": echo}),
            ("smtp", {"AUTH": mute}),
        ]
        cases += [(case.protocol, fresh(case)) for case in CASES if case.sliceable]
        return [await one(name, quirks) for name, quirks in cases]

    try:
        texts = run_on(loop, all_of_them, handler=lambda context: log.write(repr(context)))
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    everything = "\n".join([*texts, log.getvalue()])
    assert len(texts) > 50
    for form in encodings("anna@example.org", secret):
        assert form not in everything, form
    assert "***" in everything


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (b"{tag} NO [REFERRAL imap://elsewhere.test/] try the other one\r\n", Cause.SERVER_UNAVAILABLE),
        (b"{tag} OK [REFERRAL imap://elsewhere.test/] welcome, better there\r\n", None),
        (b"* BYE [REFERRAL imap://elsewhere.test/] we have moved\r\n", Cause.SERVER_UNAVAILABLE),
    ],
)
def test_a_server_that_sends_us_to_another_host_is_not_obeyed(
    reply: bytes, cause: Cause | None, loop: str, certificates: Certificates
) -> None:
    """RFC 2221: a referral would have us show the secret to a host that nobody named."""
    asked: list[str] = []

    class Asked(Resolver):
        async def addresses(self, host: str) -> tuple[str, ...]:
            asked.append(host)
            return await super().addresses(host)

    async def sent_elsewhere() -> ChannelReport:
        async with ScriptedServer(imap({"AUTHENTICATE": reply}), tls=certificates.server()).running() as server:
            box = mailbox(imap=f"imaps://localhost:{server.port}")
            channel = await look(box, dialer(certificates.ca_file, resolver=Asked([])), timeout_seconds=60)
            assert server.connections == 1
            return channel

    channel = run_on(loop, sent_elsewhere, handler=tolerate_servers)
    assert asked == ["localhost"]
    assert (channel.evidence and diagnose(channel.evidence).cause) == cause


# --- sessions left open


class Keeping:
    """A keeper that wants every session, or none; *events* tells what it was asked and given."""

    def __init__(self, *, wanted: bool = True) -> None:
        self.wanted = wanted
        self.events: list[str] = []
        self.kept: list[OpenSession] = []

    def wants(self, mailbox: m.Mailbox) -> bool:
        self.events.append(f"wants {mailbox.id}")
        return self.wanted

    async def let_go(self, mailbox_id: str) -> None:
        self.events.append(f"let go {mailbox_id}")

    def keep(self, mailbox: m.Mailbox, session: OpenSession) -> None:
        self.events.append(f"keep {mailbox.id}")
        self.kept.append(session)
        session.drop()


async def kept_or_left(
    keeping: Keeping | None, certificates: Certificates, *, imap_quirks: Any = None, smtp_quirks: Any = None, **options: Any
) -> tuple[Report, list[bytes]]:
    """The report of a probe of both channels, and what the IMAP server heard."""
    tls = certificates.server()
    async with (
        ScriptedServer(imap(imap_quirks), tls=tls).running() as first,
        ScriptedServer(smtp(smtp_quirks), tls=tls).running() as second,
    ):
        box = mailbox(f"imaps://localhost:{first.port}", f"smtps://localhost:{second.port}")
        report = await prober(dialer(certificates.ca_file), keeper=keeping).probe(assignment(box, **options))
    return report, [line.split()[1] for line in first.heard if len(line.split()) > 1]


async def test_the_session_of_a_healthy_probe_is_left_open_for_who_wants_it(certificates: Certificates) -> None:
    keeping = Keeping()
    report, heard = await kept_or_left(keeping, certificates)
    assert [channel.outcome for channel in report.channels] == [Outcome.HEALTHY, Outcome.HEALTHY]
    assert keeping.events == ["let go mb_test", "wants mb_test", "keep mb_test"]
    assert heard == [b"AUTHENTICATE", b"SELECT"]


@pytest.mark.parametrize("first", list(m.Protocol))
async def test_where_another_channel_fails_the_session_is_ended(first: m.Protocol, certificates: Certificates) -> None:
    keeping = Keeping()
    report, heard = await kept_or_left(keeping, certificates, smtp_quirks={"AUTH": b"454 4.7.0 later\r\n"}, first=first)
    assert [channel.outcome for channel in report.channels] == [Outcome.HEALTHY, Outcome.FAILED]
    assert not keeping.kept
    assert heard == [b"AUTHENTICATE", b"SELECT", b"LOGOUT"]


@pytest.mark.parametrize(
    ("keeping", "quirks"),
    [
        (None, {}),
        (Keeping(wanted=False), {}),
        (Keeping(), {"greeting": b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n", "AUTHENTICATE": b"{tag} OK in\r\n"}),
        (Keeping(), {"AUTHENTICATE": b"{tag} OK [CAPABILITY IMAP4rev1] in\r\n"}),
    ],
    ids=["nobody keeps", "not wanted", "no IDLE", "no IDLE after the login"],
)
async def test_without_a_keeper_or_idle_a_session_is_ended_as_ever(
    keeping: Keeping | None, quirks: Any, certificates: Certificates
) -> None:
    report, heard = await kept_or_left(keeping, certificates, imap_quirks=quirks)
    assert [channel.outcome for channel in report.channels] == [Outcome.HEALTHY, Outcome.HEALTHY]
    assert keeping is None or not keeping.kept
    assert heard == [b"AUTHENTICATE", b"SELECT", b"LOGOUT"]


async def test_a_look_without_a_login_leaves_nothing_open(certificates: Certificates) -> None:
    keeping = Keeping()
    _, heard = await kept_or_left(keeping, certificates, depth=m.Depth.REACH)
    assert not keeping.kept
    assert heard == [b"LOGOUT"]


async def test_a_probe_that_is_cut_short_leaves_nothing_open(certificates: Certificates) -> None:
    keeping, tls = Keeping(), certificates.server()
    async with (
        ScriptedServer(imap(), tls=tls).running() as first,
        ScriptedServer(smtp({"AUTH": mute}), tls=tls).running() as second,
    ):
        box = mailbox(f"imaps://localhost:{first.port}", f"smtps://localhost:{second.port}")
        probing = asyncio.create_task(prober(dialer(certificates.ca_file), keeper=keeping).probe(assignment(box)))
        while not any(line.startswith(b"AUTH") for line in second.heard):
            await asyncio.sleep(0.01)
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
        while first.heard[-1] != b"":  # the server sees the end of the connection
            await asyncio.sleep(0.01)
    assert not keeping.kept
