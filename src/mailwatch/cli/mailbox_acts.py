"""`mailwatch mailbox disconnect|reconnect|hold|release|remove`: what people do, each written to the audit log."""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum, unique
from pathlib import Path
from typing import Annotated

import typer

from mailwatch.cli.mailbox_show import AddressArgument
from mailwatch.cli.moments import moment, shown
from mailwatch.cli.opening import ConfigOption, Opened, with_store
from mailwatch.cli.output import CliError, ExitCode, ends_cleanly, say
from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import IllegalMoveError
from mailwatch.core.standing import Decision, Standing
from mailwatch.ports import MailboxNotFoundError

#: A pure decision, given the standing, the moment and who asks.
Act = Callable[[Standing, datetime, str], Decision]

AddressesArgument = Annotated[list[str], typer.Argument(metavar="ADDRESS…", help="The mailboxes: addresses or ids.")]


@unique
class HoldReason(StrEnum):
    """What a hold may give as its reason."""

    WARMUP_PAUSE = Cause.WARMUP_PAUSE.value
    ANOMALY_PAUSE = Cause.ANOMALY_PAUSE.value
    STRATEGIC_PAUSE = Cause.STRATEGIC_PAUSE.value


@ends_cleanly
def disconnect(addresses: AddressesArgument, config: ConfigOption = None) -> None:
    """Stop probing, keep everything; reconnect undoes it."""
    _each(config, addresses, "disconnect", acts.disconnect)


@ends_cleanly
def reconnect(addresses: AddressesArgument, config: ConfigOption = None) -> None:
    """Try now; campaigns resume after verification."""
    _each(config, addresses, "reconnect", acts.reconnect)


@ends_cleanly
def hold(
    addresses: AddressesArgument,
    reason: Annotated[HoldReason, typer.Option(help="Why.")],
    until: Annotated[str | None, typer.Option(help="Its end: 2026-12-01, or 2026-12-01T08:00:00Z.", show_default=False)] = None,
    for_seconds: Annotated[int | None, typer.Option(min=1, help="Its length in seconds.", show_default=False)] = None,
    config: ConfigOption = None,
) -> None:
    """Pause for protection; without an end it lasts until it is released."""
    if until and for_seconds:
        raise CliError("--until and --for-seconds: choose one")
    end = moment(until, "--until") if until else None

    def decide(standing: Standing, now: datetime, actor: str) -> Decision:
        until_at = now + timedelta(seconds=for_seconds) if for_seconds else end
        if until_at is not None and until_at <= now:
            raise CliError(f"--until: {shown(until_at)} has passed")
        return acts.hold(standing, now, actor, Cause(reason.value), until_at)

    _each(config, addresses, "hold", decide)


@ends_cleanly
def release(addresses: AddressesArgument, config: ConfigOption = None) -> None:
    """End a hold; campaigns resume after verification."""
    _each(config, addresses, "release", acts.release)


def _each(config: Path | None, addresses: list[str], action: str, decide: Act) -> None:
    """Do it to each; one that cannot be done stops none of the others."""

    async def work(opened: Opened) -> int:
        failed = 0
        for address in addresses:
            try:
                say(await _one(opened, address, action, decide))
            except (IllegalMoveError, MailboxNotFoundError) as error:
                say(f"mailwatch: {address}: {error}")
                failed += 1
        return failed

    if with_store(config, work, keys=False):
        raise typer.Exit(ExitCode.USAGE)


async def _one(opened: Opened, address: str, action: str, decide: Act) -> str:
    view = await opened.store.find(address)
    now = opened.clock.now()
    decision = await opened.store.change(view.mailbox.id, lambda standing: decide(standing, now, opened.actor), opened.act(action))
    return f"{view.mailbox.address}: {decision.before.state} → {decision.after.state}"


@ends_cleanly
def remove(
    address: AddressArgument,
    yes: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address once more, instead of being asked.", show_default=False)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Delete a mailbox with its secrets and history, for good.  To keep them, disconnect it instead."""

    async def work(opened: Opened) -> str:
        view = await opened.store.find(address)
        _confirm(view.mailbox.address, yes)
        await opened.store.remove(view.mailbox.id, opened.act("remove"))
        return f"{view.mailbox.address} ({view.mailbox.id}) removed with its secrets and history"

    say(with_store(config, work, keys=False))


def _confirm(address: str, typed: str | None) -> None:
    if typed is None and not sys.stdin.isatty():
        raise CliError(f"no terminal to confirm on; to remove it for good add --yes {address}")
    if typed is None:
        say(f"This deletes {address}, its secrets and its history for good.  `mailwatch mailbox disconnect` keeps them.")
        typed = typer.prompt("Type the address to go on")
    if typed.strip().lower() != address.lower():
        raise CliError(f"{typed.strip()!r} is not {address}; nothing was removed")
