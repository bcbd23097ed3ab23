"""Certificates good and wrong, STARTTLS stripped and injected, and a store of authorities that is empty."""

import ssl
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.certificates import OUTDATED, Certificates
from fakes.dialogues import finish, imap, mute, reset, smtp
from fakes.peer import ScriptedServer
from fakes.probing import LOOPS, dialer, look, mailbox, run_on
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import ChannelReport, Outcome, Phase
from mailwatch.probe import tls
from mailwatch.probe.resolve import Resolver
from mailwatch.probe.tls import CaStoreError, make_ssl_context

SECURE = [("imap", "imaps"), ("imap", "imap+starttls"), ("smtp", "smtps"), ("smtp", "smtp+starttls")]


async def visit(
    scheme: str, script: Any, context: ssl.SSLContext | None, certificates: Certificates, **options: Any
) -> tuple[ChannelReport, list[bytes]]:
    async with ScriptedServer(script, tls=context).running() as server:
        box = mailbox(**{scheme[:4]: f"{scheme}://localhost:{server.port}"})
        return await look(box, dialer(certificates.ca_file), **options), server.heard


def good(scheme: str, context: ssl.SSLContext) -> tuple[Any, ssl.SSLContext | None]:
    """A good server's script for *scheme*, and the context of its listener."""
    maker = imap if scheme.startswith("imap") else smtp
    return (maker(tls=context), None) if "starttls" in scheme else (maker(), context)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("_", "scheme"), SECURE)
@pytest.mark.parametrize(
    ("fault", "cause", "code"),
    [
        ("good", None, None),
        ("whole_chain", None, None),
        ("tls_1_2_only", None, None),
        ("expired", Cause.TLS_CERTIFICATE_EXPIRED, 10),
        ("not_yet_valid", Cause.TLS_CERTIFICATE_EXPIRED, 9),
        ("wrong_host", Cause.TLS_CERTIFICATE_UNTRUSTED, 62),
        ("name_only_in_subject", Cause.TLS_CERTIFICATE_UNTRUSTED, 62),
        ("stranger", Cause.TLS_CERTIFICATE_UNTRUSTED, 20),
        ("incomplete_chain", Cause.TLS_CERTIFICATE_UNTRUSTED, 20),
        ("wildcard_of_others", Cause.TLS_CERTIFICATE_UNTRUSTED, 62),
        ("stranger_with_its_root", Cause.TLS_CERTIFICATE_UNTRUSTED, 19),
        ("expired_issuer", Cause.TLS_CERTIFICATE_EXPIRED, 10),
        ("issued_by_a_server", Cause.TLS_CERTIFICATE_UNTRUSTED, 79),
        ("for_clients_only", Cause.TLS_CERTIFICATE_UNTRUSTED, 26),
        ("weak_key", Cause.TLS_CERTIFICATE_UNTRUSTED, 66),
    ],
)
def test_a_certificate_gets_its_verdict(
    fault: str, cause: Cause | None, code: int | None, _: str, scheme: str, loop: str, certificates: Certificates
) -> None:
    script, listener = good(scheme, certificates.server(fault))
    channel, heard = run_on(loop, lambda: visit(scheme, script, listener, certificates), handler=lambda context: None)
    if cause is None:
        assert channel.outcome is Outcome.HEALTHY, channel
        assert channel.certificate is not None
        assert channel.certificate.not_after_at > datetime.now(UTC)
        assert channel.certificate.endpoint.startswith("localhost:")
        return
    assert channel.evidence is not None
    assert channel.evidence.verify_code == code
    assert channel.phase is Phase.TLS
    assert diagnose(channel.evidence).cause is cause
    assert not any(b"AUTH" in line for line in heard)


NAMED = [
    # the mailbox's host, the certificate's names, the verify code; none: it fits
    ("127.0.0.1", ["127.0.0.1"], None),
    ("localhost", ["127.0.0.1"], 62),
    ("localhost.", ["localhost"], None),  # the dot at the end is DNS's, and no part of the name
    ("127.0.0.1", ["localhost"], 64),
    ("a.mail.test", ["*.mail.test"], None),
    ("A.Mail.Test", ["*.mail.test"], None),
    ("a.b.mail.test", ["*.mail.test"], 62),  # RFC 9525, 6.3: a wildcard stands for one label
    ("mail.test", ["*.mail.test"], 62),
    ("b\u00fccher.test", ["xn--bcher-kva.test"], None),
    ("xn--bcher-kva.test", ["b\u00fccher.test"], None),
    ("\u043f\u043e\u0447\u0442\u0430.test", ["xn--80a1acny.test"], None),
    ("imap.b\u00fccher.test", ["*.xn--bcher-kva.test"], None),
    ("b\u00fccher.test", ["bucher.test"], 62),
    ("p\u0430ypal.test", ["paypal.test"], 62),  # a Cyrillic letter that looks like the Latin one
]


async def visit_named(
    host: str, scheme: str, script: Any, context: ssl.SSLContext | None, certificates: Certificates, hosts: Path
) -> ChannelReport:
    """A probe of a server that is known as *host*, whatever that is."""
    known = host.encode("idna").decode("ascii").lower().rstrip(".")
    hosts.write_text(f"127.0.0.1 {known}\n")
    async with ScriptedServer(script, tls=context).running() as server:
        box = mailbox(**{scheme[:4]: f"{scheme}://{host}:{server.port}"})
        return await look(box, dialer(certificates.ca_file, resolver=Resolver([], hosts_file=hosts)))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("scheme", ["imaps", "smtp+starttls"])
@pytest.mark.parametrize(("host", "names", "code"), NAMED)
def test_a_name_fits_by_its_labels_in_every_alphabet(
    host: str, names: list[str], code: int | None, scheme: str, loop: str, certificates: Certificates, tmp_path: Path
) -> None:
    script, listener = good(scheme, certificates.server_of(*names))
    hosts = tmp_path / "hosts"
    channel = run_on(loop, lambda: visit_named(host, scheme, script, listener, certificates, hosts), handler=lambda context: None)
    if code is None:
        assert channel.outcome is Outcome.HEALTHY, channel
        return
    assert channel.evidence is not None
    assert (channel.phase, channel.evidence.verify_code) == (Phase.TLS, code)
    assert diagnose(channel.evidence).cause is Cause.TLS_CERTIFICATE_UNTRUSTED


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("host", "name", "code"), [("127.0.0.1", "127.0.0.1", 64), ("a.mail.test", "*.*.test", 62)])
def test_what_is_no_name_but_stands_in_its_place_names_nobody(
    host: str, name: str, code: int, loop: str, certificates: Certificates, tmp_path: Path
) -> None:
    script, listener = good("imaps", certificates.server_of_literal_name(name))
    hosts = tmp_path / "hosts"
    channel = run_on(loop, lambda: visit_named(host, "imaps", script, listener, certificates, hosts), handler=lambda context: None)
    assert channel.evidence is not None
    assert channel.evidence.verify_code == code
    assert diagnose(channel.evidence).cause is Cause.TLS_CERTIFICATE_UNTRUSTED


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("_", "scheme"), SECURE)
def test_a_self_signed_certificate_is_not_trusted(
    _: str, scheme: str, loop: str, certificates: Certificates, tmp_path: Path
) -> None:
    from servers.authority import Authority, Certificate

    chain, key = Authority().issue(Certificate.SELF_SIGNED).write(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    script, listener = good(scheme, context)
    channel, _heard = run_on(loop, lambda: visit(scheme, script, listener, certificates), handler=lambda context: None)
    assert channel.evidence is not None
    assert channel.evidence.verify_code == 18
    assert diagnose(channel.evidence).cause is Cause.TLS_CERTIFICATE_UNTRUSTED


STRIPPED = [
    ("imap", {"greeting": b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"}, Cause.TLS_REQUIRED),
    ("imap", {"STARTTLS": b"{tag} NO not now\r\n"}, Cause.TLS_REQUIRED),
    ("imap", {"STARTTLS": b"{tag} BAD what?\r\n"}, Cause.TLS_REQUIRED),
    ("imap", {"STARTTLS": b"{tag} OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"}, Cause.PROTOCOL_ERROR),
    ("imap", {"STARTTLS": b"{tag} OK go\r\n* OK [CAPA"}, Cause.PROTOCOL_ERROR),
    ("imap", {"STARTTLS": b"+ go on\r\n"}, Cause.PROTOCOL_ERROR),
    ("imap", {"greeting": b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"}, Cause.PROTOCOL_ERROR),
    ("smtp", {"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n"}, Cause.TLS_REQUIRED),
    ("smtp", {"STARTTLS": b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n"}, Cause.PROTOCOL_ERROR),
    ("smtp", {"STARTTLS": b"220 go\r\n25"}, Cause.PROTOCOL_ERROR),
]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("name", "quirks", "cause"), STRIPPED)
def test_no_byte_of_a_secret_leaves_when_starttls_is_stripped_or_injected(
    name: str, quirks: dict[str, bytes], cause: Cause, loop: str, certificates: Certificates
) -> None:
    context = certificates.server()
    script = (imap if name == "imap" else smtp)(quirks, tls=context)
    channel, heard = run_on(
        loop, lambda: visit(f"{name}+starttls", script, None, certificates, timeout_seconds=60), handler=lambda context: None
    )
    assert channel.evidence is not None
    assert diagnose(channel.evidence).cause is cause, channel.evidence
    assert not any(b"AUTH" in line or b"LOGIN" in line for line in heard), heard


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("reply", [b"454 4.7.0 TLS not available due to local problem\r\n", b"421 4.3.0 busy\r\n"])
def test_a_server_that_cannot_start_tls_now_is_unavailable(reply: bytes, loop: str, certificates: Certificates) -> None:
    script = smtp({"STARTTLS": reply}, tls=certificates.server())
    channel, _ = run_on(loop, lambda: visit("smtp+starttls", script, None, certificates))
    assert channel.evidence is not None
    assert channel.phase is Phase.STARTTLS
    assert channel.evidence.code == int(reply[:3])


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("scheme", ["imaps", "smtps"])
@pytest.mark.parametrize("fault", OUTDATED)
def test_a_server_of_old_tls_versions_or_weak_ciphers_only_fails_the_handshake(
    fault: str, scheme: str, loop: str, certificates: Certificates
) -> None:
    script, listener = good(scheme, certificates.server(fault))
    channel, _ = run_on(loop, lambda: visit(scheme, script, listener, certificates), handler=lambda context: None)
    assert channel.evidence is not None
    assert channel.phase is Phase.TLS
    assert diagnose(channel.evidence).cause in {Cause.TLS_HANDSHAKE_FAILED, Cause.CONNECTION_DROPPED}, channel.evidence


@pytest.mark.parametrize("fault", OUTDATED)
def test_such_servers_lack_nothing_else(fault: str, certificates: Certificates) -> None:
    client = make_ssl_context(certificates.ca_file)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        client.minimum_version = ssl.TLSVersion.TLSv1
    client.set_ciphers("ALL:eNULL:@SECLEVEL=0")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        certificates.server(fault).wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    assert ends[0].version() in {version.name.replace("_", ".") for version in OUTDATED[fault][:2]}


async def plain_banner(peer: Any) -> None:
    await peer.say(b"220 no TLS here\r\n")
    await peer.line()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("act", "causes"),
    [
        (plain_banner, {Cause.TLS_HANDSHAKE_FAILED}),
        (reset, {Cause.CONNECTION_DROPPED, Cause.TLS_HANDSHAKE_FAILED}),
        (finish, {Cause.CONNECTION_DROPPED, Cause.TLS_HANDSHAKE_FAILED}),
        (mute, {Cause.CONNECTION_TIMEOUT}),
    ],
)
@pytest.mark.parametrize("scheme", ["imaps", "smtps"])
def test_a_handshake_that_breaks_off_is_told_in_the_tls_phase(
    scheme: str, act: Any, causes: set[Cause], loop: str, certificates: Certificates
) -> None:
    channel, _ = run_on(loop, lambda: visit(scheme, act, None, certificates, timeout_seconds=2.0), handler=lambda context: None)
    assert channel.evidence is not None
    assert channel.phase is Phase.TLS
    assert diagnose(channel.evidence).cause in causes, channel.evidence


async def test_what_was_said_in_clear_text_is_forgotten(certificates: Certificates) -> None:
    quirks = {
        "greeting": b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=XOAUTH2] hi\r\n",
        "STARTTLS": b"* OK [ALERT] call this number\r\n{tag} OK go\r\n",
        "AUTHENTICATE": b"{tag} NO no\r\n",
    }
    channel, heard = await visit("imap+starttls", imap(quirks, tls=certificates.server()), None, certificates)
    assert channel.evidence is not None
    assert "call this number" not in channel.evidence.response
    assert any(b"CAPABILITY" in line for line in heard)
    assert any(b"AUTHENTICATE PLAIN" in line for line in heard)


def test_an_empty_store_of_authorities_is_refused_with_the_cure(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("")
    with pytest.raises(CaStoreError, match=r"ca\.pem.*PEM"):
        make_ssl_context(empty)
    with pytest.raises(CaStoreError, match="missing"):
        make_ssl_context(tmp_path / "missing.pem")


def test_an_empty_system_store_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with pytest.raises(CaStoreError, match="ca-certificates"):
        make_ssl_context()


def test_the_settings_of_the_context_are_explicit(certificates: Certificates) -> None:
    context = make_ssl_context(certificates.ca_file)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.hostname_checks_common_name
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert not context.verify_flags & ssl.VerifyFlags.VERIFY_X509_STRICT


def test_asyncio_takes_small_buffers() -> None:
    tls.shrink_buffers()
    import asyncio.sslproto

    assert asyncio.sslproto.SSLProtocol.max_size == 16 * 1024


def test_a_certificate_without_fields_is_no_certificate() -> None:
    assert tls._name(()) == ""
    assert tls._name(((("organizationName", "Org"),), (("commonName", "cn"),))) == "cn, Org"
