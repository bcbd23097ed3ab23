"""`mailwatch check`: diagnose one mailbox now, phase by phase, with no configuration and no database."""

import asyncio
import sys
from dataclasses import dataclass
from enum import StrEnum, unique
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from mailwatch.cli.check_view import Checked, as_document, draw
from mailwatch.cli.opening import WallClock
from mailwatch.cli.output import CliError, ExitCode, ends_cleanly, say
from mailwatch.core import mailbox as m
from mailwatch.core.providers import provider_for_host
from mailwatch.core.secret import Secret
from mailwatch.ports import Assignment, MailwatchError

_ROUND_TRIP_SECONDS = 60.0


@unique
class CheckDepth(StrEnum):
    """How far the check goes."""

    LOGIN = "login"
    SUBMIT = "submit"
    ROUNDTRIP = "roundtrip"


@dataclass(frozen=True, slots=True)
class Given:
    """The secret of the check; implements `ports.Credential` and `probe.oauth.Tokens`."""

    secret: Secret
    generation: int = 1

    def password(self) -> Secret:
        """The password."""
        return self.secret

    async def access_token(self, mailbox: m.Mailbox, *, force: bool = False, refused: Secret | None = None) -> Secret:
        """The token; it cannot be renewed here."""
        from mailwatch.probe.failures import ImpairedError  # noqa: PLC0415  # the network's libraries load only when a check runs

        del mailbox
        if force or refused is not None:
            raise ImpairedError("token_not_renewable")
        return self.secret


@ends_cleanly
def check(
    address: Annotated[str, typer.Argument(help="The mailbox's address.")],
    imap: Annotated[str | None, typer.Option(help="imaps://HOST, imap+starttls://HOST, imap://HOST; :PORT may follow.")] = None,
    smtp: Annotated[str | None, typer.Option(help="smtps://HOST, smtp+starttls://HOST, smtp://HOST; :PORT may follow.")] = None,
    depth: Annotated[
        CheckDepth, typer.Option(help="login; submit: also an envelope, no message; roundtrip: send a message to itself.")
    ] = CheckDepth.LOGIN,
    username: Annotated[str | None, typer.Option(help="The login name (default: the address).", show_default=False)] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,  # noqa: FBT002  # a flag is a bool
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Read an OAuth access token from stdin.")] = False,  # noqa: FBT002  # as above
    ca_file: Annotated[Path | None, typer.Option(help="PEM file of the certificate authorities to trust.", readable=False)] = None,
    timeout: Annotated[float, typer.Option(min=1, max=600, help="Seconds for the whole check.")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON document.")] = False,  # noqa: FBT002  # as above
) -> None:
    """Diagnose one mailbox, phase by phase: exit 0 when it works, 1 when it does not.

    Private addresses are allowed here.  Without --imap and --smtp its servers are found from the address.
    """
    from mailwatch.cli.output import console, emit_json  # noqa: PLC0415  # beside its user

    if not m.is_address(address):
        raise CliError(f"{address!r} is no e-mail address, such as anna@example.org")
    endpoints = (_endpoint("--imap", imap, m.Protocol.IMAP), _endpoint("--smtp", smtp, m.Protocol.SMTP))
    secret = _secret(password_stdin=password_stdin, token_stdin=token_stdin)
    auth = m.AuthKind.OAUTH if token_stdin else m.AuthKind.PASSWORD
    checked = asyncio.run(_check(address, endpoints, username or address, auth, Given(secret), depth, ca_file, timeout))
    if as_json:
        emit_json(as_document(checked))
    else:
        draw(checked, console())
    if not checked.healthy:
        raise typer.Exit(ExitCode.UNHEALTHY)


async def _check(
    address: str,
    endpoints: tuple[m.Endpoint | None, m.Endpoint | None],
    username: str,
    auth: m.AuthKind,
    given: Given,
    depth: CheckDepth,
    ca_file: Path | None,
    timeout: float,  # noqa: ASYNC109  # it is a figure of the command line, handed on
) -> Checked:
    from mailwatch.probe import Dialer, EgressPolicy, NetworkProber, Resolver, make_ssl_context  # noqa: PLC0415  # slow to import

    clock = WallClock()
    resolver = Resolver()
    try:
        context = make_ssl_context(ca_file)
    except MailwatchError as error:
        denied = isinstance(error.__cause__, PermissionError)
        raise CliError(str(error), ExitCode.PERMISSION if denied else ExitCode.USAGE) from error
    imap, smtp = await _servers(address, endpoints, resolver)
    for endpoint in (imap, smtp):
        if endpoint is not None and endpoint.tls_mode is m.TlsMode.NONE:
            say(f"warning: {endpoint.url} has no TLS: the secret goes over the network readable to all on the way")
    if depth is CheckDepth.ROUNDTRIP and (imap is None or smtp is None):
        raise CliError("--depth roundtrip needs both an IMAP and an SMTP endpoint; give --imap and --smtp")
    server = imap or smtp
    provider = provider_for_host(server.host) if server is not None else "other"
    mailbox = m.Mailbox("mb_check", address, username, auth, imap, smtp, provider, clock.now())
    dialer = Dialer(resolver, EgressPolicy(allow_private_hosts=True, allowed_ports=None), context)
    prober = NetworkProber(dialer, given, clock, allow_cleartext=True)
    probe_depth = m.Depth.LOGIN if depth is CheckDepth.LOGIN else m.Depth.SUBMIT
    report = await prober.probe(Assignment(mailbox, given.generation, given, probe_depth, timeout))
    checked = Checked(mailbox, report)
    if depth is not CheckDepth.ROUNDTRIP or not checked.healthy:
        return checked
    from mailwatch.probe.roundtrip import RoundTrip  # noqa: PLC0415  # only this depth needs it

    return Checked(mailbox, report, await RoundTrip(dialer, clock).run(mailbox, given.secret, max(timeout, _ROUND_TRIP_SECONDS)))


async def _servers(
    address: str, endpoints: tuple[m.Endpoint | None, m.Endpoint | None], resolver: "object"
) -> tuple[m.Endpoint | None, m.Endpoint | None]:
    """The endpoints given, or those found from the address."""
    if any(endpoints):
        return endpoints
    from mailwatch.probe.discover import discover  # noqa: PLC0415  # only without URLs
    from mailwatch.probe.resolve import Resolver  # noqa: PLC0415  # as above

    assert isinstance(resolver, Resolver)
    found = await discover(address, resolver)
    if found.imap is None and found.smtp is None:
        domain = address.rpartition("@")[2]
        raise CliError(f"{domain}: no servers are known for this domain; give --imap imaps://HOST and --smtp smtps://HOST")
    say(f"servers found by {found.found_by}: {', '.join(one.url for one in (found.imap, found.smtp) if one)}")
    return found.imap, found.smtp


def _endpoint(option: str, url: str | None, protocol: m.Protocol) -> m.Endpoint | None:
    if url is None:
        return None
    try:
        return m.Endpoint.parse(url, protocol)
    except m.EndpointError as error:
        raise CliError(f"{option} {error}") from error


def _secret(*, password_stdin: bool, token_stdin: bool) -> Secret:
    """The secret from stdin, or asked for at the terminal; never from the command line, where `ps` would show it."""
    if password_stdin and token_stdin:
        raise CliError("--password-stdin and --token-stdin exclude each other")
    if password_stdin or token_stdin:
        text = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        text = getpass("Password: ")
    else:
        raise CliError("no secret: give it on stdin with --password-stdin or --token-stdin, or run at a terminal")
    if not text:
        raise CliError("the secret is empty")
    return Secret(text)
