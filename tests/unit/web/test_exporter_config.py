"""The exporter-toolkit's web configuration: what is honoured, and what is refused because it could not be."""

import shutil
import ssl
import subprocess

import bcrypt
import pytest
import trustme

from mailwatch.web.exporter_config import ClientAuth, WebConfigError, parse, read
from servers.presence import need_program

HASHED = bcrypt.hashpw(b"geheim", bcrypt.gensalt(4)).decode()


@pytest.fixture
def folder(tmp_path):
    """A certificate with its key, and an authority for clients."""
    authority = trustme.CA()
    server = authority.issue_cert("localhost")
    server.private_key_pem.write_to_path(tmp_path / "server.key")
    server.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path


TLS = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n"
WHOLE = (
    TLS
    + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  min_version: TLS12\n  max_version: TLS13\n"
    + "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256]\n"
    + "http_server_config:\n  http2: true\n  headers:\n    X-Frame-Options: deny\n"
    + f"basic_auth_users:\n  prometheus: {HASHED}\n"
)


def test_an_empty_file_asks_for_nothing(tmp_path):
    config = parse("", tmp_path)
    assert (config.tls, dict(config.users)) == (None, {})


def test_a_whole_file_is_understood(folder):
    config = parse(WHOLE, folder)
    assert config.tls.cert_file == folder / "server.pem"
    assert config.tls.client_auth is ClientAuth.REQUIRED
    assert dict(config.users) == {"prometheus": HASHED}
    assert dict(config.headers) == {"x-frame-options": "deny"}
    assert HASHED not in repr(config)


def test_a_blank_header_is_none(tmp_path):
    assert dict(parse("http_server_config: {headers: {Content-Security-Policy: ''}}", tmp_path).headers) == {}


def test_it_makes_a_context_that_does_what_it_says(folder):
    context = parse(WHOLE, folder).tls.context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    names = {cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"}
    assert names == {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"}
    assert parse(TLS, folder).tls.context().verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "no YAML, line"),
        ("- a", "a table of keys"),
        ("tls: {}", "tls is not known"),
        ("tls_server_config: {cert_file: a}", "key_file is missing"),
        (TLS + "  client_ca: x", "client_ca is not known"),
        (TLS + "  client_auth_type: RequireAnyClientCert", "client_auth_type"),
        (TLS + "  client_auth_type: RequireAndVerifyClientCert", "go together"),
        (TLS + "  client_ca_file: ca.pem", "go together"),
        (TLS + "  min_version: TLS10", "RFC 8996"),
        (TLS + "  min_version: 1.2", "one of TLS12, TLS13"),
        (TLS + "  min_version: TLS13\n  max_version: TLS12", "swap them"),
        (TLS + "  cipher_suites: all", "a list of names"),
        ("tls_server_config: {cert_file: 1, key_file: b}", "must be a path"),
        ("basic_auth_users: {ana: geheim}", "basic_auth_users.ana is no bcrypt hash"),
        ("basic_auth_users: {'a:b': x}", "no colon"),
        ("basic_auth_users: [a]", "a table of keys"),
        ("http_server_config: {http2: maybe}", "true or false"),
        ("http_server_config: {headers: {X-XSS-Protection: 1}}", "texts of one line"),
        ('http_server_config: {headers: {X-XSS-Protection: "a\\nb: c"}}', "texts of one line"),
        ("http_server_config: {headers: {Server: geheim}}", "Server is not known"),
        ("http_server_config: {headers: {X-Frame-Options: DENY}}", "one of deny, sameorigin"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_key_and_cure(tmp_path, text, words):
    with pytest.raises(WebConfigError, match=words) as refused:
        parse(text, tmp_path)
    assert "geheim" not in str(refused.value)


def test_a_file_that_is_broken_shows_no_hash(tmp_path):
    (tmp_path / "web.yml").write_text(f"basic_auth_users:\n  ana: {HASHED}\n  bob: [\n")
    with pytest.raises(WebConfigError) as refused:
        read(tmp_path / "web.yml")
    assert str(tmp_path / "web.yml") in str(refused.value)
    assert HASHED not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(WebConfigError, match="No such file"):
        read(tmp_path / "none.yml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WebConfigError, match="UTF-8"):
        read(tmp_path / "binary")


@pytest.mark.parametrize("missing", ["server.pem", "server.key"])
def test_a_certificate_that_cannot_be_read_is_told_when_it_is_used(folder, missing):
    (folder / missing).write_text("no PEM")
    with pytest.raises(WebConfigError, match=missing):
        parse(TLS, folder).tls.context()


def test_promtool_accepts_what_this_accepts(folder):
    need_program("promtool", "prometheus")
    (folder / "web.yml").write_text(WHOLE)
    read(folder / "web.yml")
    done = subprocess.run(
        [shutil.which("promtool"), "check", "web-config", folder / "web.yml"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
