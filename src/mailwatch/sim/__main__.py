"""`python -m mailwatch.sim`: the simulated providers as a process of their own, for tests and benchmarks.

Prints one JSON document (endpoints, CA file, OAuth clients, and with `--accounts` each mailbox with its secret, which are good
for nothing outside this process) and serves until it is ended.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailwatch.core.mailbox import AuthKind, Protocol, TlsMode
from mailwatch.sim import fleet, scripts
from mailwatch.sim.provider import Provider
from mailwatch.sim.script import Script, ScriptError
from mailwatch.sim.world import World


def _arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    known = [spec.name for spec in fleet.PROVIDERS]
    parser = argparse.ArgumentParser(prog="python -m mailwatch.sim", description="Simulated mail providers on loopback.")
    parser.add_argument("--providers", default=",".join(known), help=f"some of {','.join(known)}")
    parser.add_argument("--mailboxes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--script", default="calm", help="calm, demo, weather, or a file of JSON steps")
    parser.add_argument("--own-addresses", action="store_true", help="each provider on a loopback address of its own")
    parser.add_argument("--accounts", action="store_true", help="print the mailboxes and their secrets, too")
    chosen = parser.parse_args(arguments)
    chosen.providers = tuple(chosen.providers.split(","))
    for name in set(chosen.providers) - set(known):
        parser.error(f"there is no provider {name!r}; there are {', '.join(known)}")
    return chosen


def _script(name: str, seed: int, providers: tuple[str, ...]) -> Script:
    if name == "calm":
        return scripts.CALM
    if name == "demo":
        return scripts.demo(seed, providers)
    if name == "weather":
        return scripts.weather(seed, providers, start_seconds=5.0, until_seconds=86_400.0)
    return Script.from_json(Path(name).read_text(encoding="utf-8"))


def _describe(provider: Provider) -> dict[str, Any]:
    known: dict[str, Any] = {
        "imap": provider.endpoint(Protocol.IMAP).url,
        "imap_starttls": provider.endpoint(Protocol.IMAP, TlsMode.STARTTLS).url,
        "smtp": provider.endpoint(Protocol.SMTP).url,
        "smtp_starttls": provider.endpoint(Protocol.SMTP, TlsMode.STARTTLS).url,
        "auth": provider.spec.auth,
    }
    if provider.spec.auth is AuthKind.OAUTH:
        known |= {"token_url": provider.token_url, "client_id": provider.client_id, "client_secret": provider.client_secret}
    return known


def _accounts(world: World) -> list[dict[str, Any]]:
    return [
        {
            "address": new.mailbox.address,
            "imap": new.mailbox.imap.url if new.mailbox.imap else None,
            "smtp": new.mailbox.smtp.url if new.mailbox.smtp else None,
            "username": new.mailbox.username,
            "auth": new.mailbox.auth,
            "secret": new.secret.reveal() if new.secret else None,
            "oauth_app": new.mailbox.oauth_app,
            "provider": new.mailbox.provider,
        }
        for new in fleet.mailboxes(world, datetime.now(UTC))
    ]


async def _serve(chosen: argparse.Namespace) -> None:
    script = _script(chosen.script, chosen.seed, chosen.providers)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="mailwatch-sim-") as directory:
        async with World(Path(directory), seed=chosen.seed) as world:
            for spec in fleet.specs(chosen.providers, own_addresses=chosen.own_addresses):
                await world.add(spec)
            fleet.populate(world, chosen.mailboxes)
            document: dict[str, Any] = {
                "ca_file": str(world.ca_file),
                "providers": {name: _describe(provider) for name, provider in world.providers.items()},
            }
            if chosen.accounts:
                document["mailboxes"] = _accounts(world)
            sys.stdout.write(json.dumps(document) + "\n")
            sys.stdout.flush()
            playing = asyncio.create_task(world.play(script))
            await stop.wait()
            playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await playing
            totals = {name: provider.ledger.totals() for name, provider in world.providers.items()}
            sys.stdout.write(json.dumps({"totals": totals}) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the exit code."""
    try:
        asyncio.run(_serve(_arguments(arguments)))
    except (OSError, ScriptError) as error:
        sys.stderr.write(f"mailwatch.sim: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
