"""TLS and basic auth in the form of Prometheus' exporter-toolkit: the `web.config.file` of node_exporter and its kin.

One file protects every exporter of a site alike (prometheus/exporter-toolkit, "docs/web-configuration.md").  What of it mailwatch
cannot honour is refused, never ignored: whoever writes a protection down must be able to trust that it is there.  `promtool check
web-config` accepts what this does.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from mailwatch.ports import MailwatchError
from mailwatch.web.basic_auth import is_bcrypt

_VERSIONS: Final = {
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_TOO_OLD: Final = ("TLS10", "TLS11")
_SECTIONS: Final = ("tls_server_config", "http_server_config", "basic_auth_users")
_TLS_KEYS: Final = ("cert_file", "key_file", "client_auth_type", "client_ca_file", "min_version", "max_version", "cipher_suites")
_HTTP_KEYS: Final = ("http2", "headers")
#: The headers that the toolkit lets operators set, and of some the only values (exporter-toolkit, web/handler.go).
_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
    "Content-Security-Policy": (),
}


class WebConfigError(MailwatchError):
    """The file cannot be honoured; the text names file, key and cure."""


@unique
class ClientAuth(StrEnum):
    """What is asked of clients, in the words of Go's crypto/tls."""

    NONE = "NoClientCert"
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRED = "RequireAndVerifyClientCert"


@dataclass(frozen=True, slots=True)
class TlsServer:
    """`tls_server_config`."""

    cert_file: Path
    key_file: Path
    client_auth: ClientAuth = ClientAuth.NONE
    client_ca_file: Path | None = None
    min_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    max_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: tuple[str, ...] = ()

    def context(self) -> ssl.SSLContext:
        """What to serve with; reads the files, raises WebConfigError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version, context.maximum_version = self.min_version, self.max_version
        try:
            context.load_cert_chain(self.cert_file, self.key_file, password=_no_password)
            if self.client_ca_file is not None:
                context.load_verify_locations(self.client_ca_file)
            if self.ciphers:
                context.set_ciphers(":".join(_openssl_name(suite) for suite in self.ciphers))
        except (OSError, ValueError) as error:
            # ssl.SSLError is an OSError; its text names no secret
            raise WebConfigError(f"tls_server_config: {self.cert_file}, {self.key_file}: {error}") from error
        modes = {ClientAuth.NONE: ssl.CERT_NONE, ClientAuth.IF_GIVEN: ssl.CERT_OPTIONAL, ClientAuth.REQUIRED: ssl.CERT_REQUIRED}
        context.verify_mode = modes[self.client_auth]
        return context


@dataclass(frozen=True, slots=True)
class ExporterConfig:
    """The whole file."""

    tls: TlsServer | None = None
    users: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)  #: name -> bcrypt hash
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  #: names in lower case


def read(path: Path) -> ExporterConfig:
    """The file at *path*; blocks, raises WebConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WebConfigError(f"{path}: {getattr(error, 'strerror', None) or 'it is no UTF-8 text'}") from error
    try:
        return parse(text, path.parent)
    except WebConfigError as error:
        raise WebConfigError(f"{path}: {error}") from error


def parse(text: str, folder: Path) -> ExporterConfig:
    """What *text* says; relative paths in it begin at *folder*.  Raises WebConfigError."""
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415  # no types there; and who has no such file does not pay for it

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)  # the error's own text would quote the file, hashes included
        place = f", line {mark.line + 1}" if mark is not None else ""
        raise WebConfigError(f"it is no YAML{place}") from None
    sections = _table(document if document is not None else {}, "the file", _SECTIONS)
    http = _table(sections.get("http_server_config") or {}, "http_server_config", _HTTP_KEYS)
    if http.get("http2", True) not in (True, False):
        raise WebConfigError("http_server_config.http2 must be true or false")
    tls = sections.get("tls_server_config")
    return ExporterConfig(
        tls=_tls(_table(tls, "tls_server_config", _TLS_KEYS), folder) if tls else None,
        users=MappingProxyType(_users(sections.get("basic_auth_users") or {})),
        headers=MappingProxyType(_headers(http.get("headers") or {})),
    )


def _tls(given: Mapping[str, Any], folder: Path) -> TlsServer:
    for name in ("cert_file", "key_file"):
        if not given.get(name):
            raise WebConfigError(f"tls_server_config.{name} is missing: a certificate and its key are both needed")
    auth = _client_auth(given)
    lowest, highest = (
        _version(given.get(name, default), name) for name, default in (("min_version", "TLS12"), ("max_version", "TLS13"))
    )
    if lowest > highest:
        raise WebConfigError("tls_server_config.min_version is higher than max_version: swap them")
    suites = given.get("cipher_suites") or []
    if not isinstance(suites, list) or not all(isinstance(suite, str) for suite in suites):
        raise WebConfigError("tls_server_config.cipher_suites must be a list of names")
    authority = given.get("client_ca_file")
    return TlsServer(
        cert_file=_path(given, "cert_file", folder),
        key_file=_path(given, "key_file", folder),
        client_auth=auth,
        client_ca_file=_path(given, "client_ca_file", folder) if authority else None,
        min_version=lowest,
        max_version=highest,
        ciphers=tuple(suites),
    )


def _client_auth(given: Mapping[str, Any]) -> ClientAuth:
    text = given.get("client_auth_type") or ClientAuth.NONE.value
    try:
        auth = ClientAuth(text)
    except ValueError:
        wanted = ", ".join(ClientAuth)
        raise WebConfigError(
            f"tls_server_config.client_auth_type {text!r}: one of {wanted} is needed; certificates are verified or not asked for"
        ) from None
    if (auth is ClientAuth.NONE) != (not given.get("client_ca_file")):
        raise WebConfigError(
            "tls_server_config.client_ca_file and client_auth_type go together: one without the other protects nothing"
        )
    return auth


def _version(text: object, name: str) -> ssl.TLSVersion:
    if text in _TOO_OLD:
        raise WebConfigError(f"tls_server_config.{name} {text}: broken since RFC 8996; TLS12 or TLS13 is needed")
    if not isinstance(text, str) or text not in _VERSIONS:
        raise WebConfigError(f"tls_server_config.{name} {text!r}: one of {', '.join(_VERSIONS)} is needed")
    return _VERSIONS[text]


def _users(given: object) -> dict[str, str]:
    users = {}
    for name, hashed in _table(given, "basic_auth_users", None).items():
        if not name or ":" in name:
            raise WebConfigError("basic_auth_users: a name is not empty and has no colon in it (RFC 7617)")
        if not isinstance(hashed, str) or not is_bcrypt(hashed):
            # what stands there may be the password itself: it is not shown
            raise WebConfigError(f"basic_auth_users.{name} is no bcrypt hash: make one with `htpasswd -nBC 10 {name}`")
        users[name] = hashed
    return users


def _headers(given: object) -> dict[str, str]:
    headers = _table(given, "http_server_config.headers", tuple(_HEADERS))
    for name, value in headers.items():
        if not isinstance(value, str) or not value.isprintable() or not value.isascii():
            raise WebConfigError("http_server_config.headers: values are texts of one line, in ASCII")
        if value and _HEADERS[name] and value not in _HEADERS[name]:
            raise WebConfigError(f"http_server_config.headers.{name}: one of {', '.join(_HEADERS[name])} is needed")
    return {name.lower(): value for name, value in headers.items() if value}  # unset if blank


def _table(given: object, name: str, known: tuple[str, ...] | None) -> dict[str, Any]:
    if not isinstance(given, dict) or not all(isinstance(key, str) for key in given):
        raise WebConfigError(f"{name} must be a table of keys and values")
    for key in given:
        if known is not None and key not in known:
            raise WebConfigError(f"{name}: {key} is not known or not supported; known are {', '.join(known)}")
    return given


def _path(given: Mapping[str, Any], name: str, folder: Path) -> Path:
    path = given[name]
    if not isinstance(path, str):
        raise WebConfigError(f"tls_server_config.{name} must be a path")
    return folder / path


def _openssl_name(suite: str) -> str:
    """Go's name of a TLS 1.2 suite as OpenSSL has it: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 -> ECDHE-RSA-AES128-GCM-SHA256."""
    name = suite.removeprefix("TLS_").replace("_WITH_", "_")
    name = name.replace("AES_128", "AES128").replace("AES_256", "AES256")
    # Go's list leaves the hash of ChaCha's suites away in older names
    return name.replace("CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305").replace("_", "-")


def _no_password() -> str:
    """An encrypted key would make OpenSSL ask at the terminal."""
    raise ValueError("the key is encrypted; a key without a passphrase is needed")
