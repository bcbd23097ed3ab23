"""`mailwatch status`: what the running daemon says of itself and of the fleet."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from mailwatch.cli.daemon_url import UrlOption, url_of
from mailwatch.cli.nagios import Access, UnknownError, secret_in
from mailwatch.cli.opening import ConfigOption
from mailwatch.cli.output import CliError, ExitCode, emit_json, ends_cleanly

_TIMEOUT_SECONDS: Final = 5.0
_MAX_BYTES: Final = 1_048_576
_OK, _SERVER_ERROR = 200, 500
_SHUT: Final = (401, 403)
_PROBLEM: Final = "application/problem+json"
#: Fleet states that are as they should be, or as somebody wants them.
_FINE: Final = ("connected", "inactive", "held", "pending")
#: What the daemon's answer holds; by these it is told from that of any other server.
_FIELDS: Final = {
    "version": str,
    "node": str,
    "sentence": str,
    "states": dict,
    "due": int,
    "lag_seconds": int | float,
    "in_flight": int,
    "self_connectivity": str,
}


@ends_cleanly
def status(
    url: UrlOption = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", readable=False, help="A token of the role read, where the daemon asks for a right."),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(metavar="FILE", readable=False, help="PEM file of the certificate authorities to trust.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON document.")] = False,  # noqa: FBT002  # a flag is a bool
    config: ConfigOption = None,
) -> None:
    """Tell how the fleet is: exit 1 when a mailbox or mailwatch's own network is not well, 69 when no daemon answers."""
    try:
        token = None if token_file is None else secret_in("--token-file", token_file)
        answer = _ask(url_of(url, config), token, Access(ca_file=ca_file))
    except UnknownError as error:
        denied = isinstance(error.__cause__, PermissionError)
        raise CliError(str(error), ExitCode.PERMISSION if denied else ExitCode.USAGE) from error
    if as_json:
        emit_json(answer)
    else:
        for line in _lines(answer):
            typer.echo(line)
    if (
        answer["self_connectivity"] != "up"
        or answer.get("impaired")
        or any(count for state, count in answer["states"].items() if state not in _FINE)
    ):
        raise typer.Exit(ExitCode.UNHEALTHY)


def _lines(answer: dict[str, Any]) -> Iterator[str]:
    yield f"mailwatch {answer['version']} on {answer['node']}: {answer['sentence']}"
    for state, count in sorted(answer["states"].items(), key=lambda item: -item[1]):
        yield f"  {count:>8}  {state}"
    late = f", the oldest {answer['lag_seconds']:.1f} s late" if answer["due"] else ""
    yield f"  {answer['due']} due{late}; {answer['in_flight']} probes in flight"
    impaired = answer.get("impaired")
    for fault in impaired if isinstance(impaired, list) else ():
        yield f"  {fault['mailboxes']} cannot be looked at: {fault['reason']}: {fault['sentence']}"
    quiet = answer.get("quiet_hosts")
    for sentence in quiet if isinstance(quiet, list) else ():
        yield f"  {sentence}"
    too_slow = answer.get("too_slow")
    for crowd in too_slow if isinstance(too_slow, list) else ():
        yield f"  too slow for the interval: {crowd}"
    if answer["self_connectivity"] != "up":
        yield "  mailwatch's own network is down: no verdict is passed on any mailbox until it is back"


def _ask(url: str, token: str | None, access: Access) -> dict[str, Any]:
    """The daemon's answer; raises CliError, UnknownError."""
    connection, path = _connection(url, access)
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    try:
        connection.request("GET", f"{path}/api/v1/status", headers=headers)
        response = connection.getresponse()
        body = response.read(_MAX_BYTES)
    except (OSError, HTTPException) as error:
        raise CliError(f"{url}: no daemon answers there ({error}); is `mailwatch run` running?", ExitCode.UNREACHABLE) from error
    finally:
        connection.close()
    if response.status in _SHUT and response.headers.get_content_type() == _PROBLEM:
        cure = "give --token-file" if token is None else "is it the right token?"
        raise CliError(f"{url}: admits nobody without a right to it ({response.status}): {cure}", ExitCode.PERMISSION)
    if response.status >= _SERVER_ERROR:
        raise CliError(f"{url}: the daemon answered {response.status}; its log says why", ExitCode.TEMPORARY)
    answer = _parsed(body) if response.status == _OK else None
    if answer is None:
        raise CliError(
            f"{url}: something answers there ({response.status}), but not mailwatch; is the port the one of [web] listen?",
            ExitCode.UNREACHABLE,
        )
    return answer


def _connection(url: str, access: Access) -> tuple[HTTPConnection, str]:
    """A connection to the server of *url*, and the path below which it serves; raises CliError."""
    try:
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        if parts.scheme == "http" and parts.hostname:
            return HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS), path
        if parts.scheme == "https" and parts.hostname:
            return HTTPSConnection(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS, context=access.context()), path
    except ValueError:
        pass  # no port, or no address
    raise CliError(f"--url {url!r}: an http:// or https:// URL is needed, such as http://127.0.0.1:9725")


def _parsed(body: bytes) -> dict[str, Any] | None:
    """The answer, when it is one of mailwatch."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    if not isinstance(answer, dict) or not all(isinstance(answer.get(name), kind) for name, kind in _FIELDS.items()):
        return None
    return answer if all(isinstance(count, int) for count in answer["states"].values()) else None
