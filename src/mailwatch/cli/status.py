"""`mailwatch status`: what the running daemon says of itself and of the fleet."""

import json
from http.client import HTTPConnection, HTTPException
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from mailwatch.cli.output import CliError, ExitCode, console, emit_json, ends_cleanly

_TIMEOUT_SECONDS = 5.0
#: Fleet states that are as they should be, or as somebody wants them.
_FINE = ("connected", "inactive", "held", "pending")


@ends_cleanly
def status(
    url: Annotated[str, typer.Option(help="Where the daemon serves HTTP.", envvar="MAILWATCH_URL")] = "http://127.0.0.1:9725",
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON document.")] = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """How the fleet is; exit 1 when a mailbox is not well or mailwatch itself is impaired, 69 when no daemon answers."""
    answer = _ask(url)
    states = answer["states"]
    unwell = {state: count for state, count in states.items() if state not in _FINE}
    if as_json:
        emit_json(answer)
    else:
        out = console()
        out.print(f"mailwatch {answer['version']} on {answer['node']}: {answer['sentence']}")
        for state, count in sorted(states.items(), key=lambda item: -item[1]):
            out.print(f"  {count:>8}  {state}")
        out.print(f"  {answer['due']} due, the oldest {answer['lag_seconds']:.1f} s late; {answer['in_flight']} probes in flight")
        if answer["self_connectivity"] != "up":
            out.print("  mailwatch's own network is down: no verdict is passed on any mailbox until it is back")
    if unwell or answer["self_connectivity"] != "up":
        raise typer.Exit(ExitCode.UNHEALTHY)


def _ask(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise CliError(f"--url {url!r}: an http:// URL is needed, such as http://127.0.0.1:9725")
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/api/v1/status")
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:  # noqa: PLR2004  # HTTP's OK
            raise CliError(f"{url}: the daemon answered {response.status}", ExitCode.TEMPORARY)
        answer: dict[str, Any] = json.loads(body)
    except (OSError, HTTPException, ValueError) as error:
        raise CliError(f"{url}: no daemon answers there ({error}); is `mailwatch run` running?", ExitCode.UNREACHABLE) from error
    else:
        return answer
    finally:
        connection.close()
