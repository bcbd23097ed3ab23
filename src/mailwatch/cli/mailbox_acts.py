"""`mailwatch mailbox disconnect|reconnect|probe|hold|release|remove`: what people do, each written to the audit log."""

import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum, unique
from pathlib import Path
from typing import Annotated

import typer

from mailwatch.cli.consenting import consenting
from mailwatch.cli.mailbox_show import AddressArgument
from mailwatch.cli.moments import moment
from mailwatch.cli.opening import ConfigOption, Opened, with_store
from mailwatch.cli.output import CliError, ExitCode, ends_cleanly, say
from mailwatch.cli.waiting import but_later
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import IllegalMoveError, State
from mailwatch.core.oauth import GrantKind
from mailwatch.desk.acts import Desk, HoldError, Withdraw, Withdrawal
from mailwatch.ports import Act, MailboxNotFoundError, MailboxView, MailwatchError

#: An act of the desk on one mailbox, by its id.
Doing = Callable[[Desk, str, Act], Awaitable[MailboxView]]

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
    _each(config, addresses, "mailbox.disconnect", Desk.disconnect)


@ends_cleanly
def reconnect(addresses: AddressesArgument, config: ConfigOption = None) -> None:
    """Try now; campaigns resume after verification."""
    _each(config, addresses, "mailbox.reconnect", Desk.reconnect)


@ends_cleanly
def probe(addresses: AddressesArgument, config: ConfigOption = None) -> None:
    """Look at it now instead of when it is due, within its login budget."""
    _each(config, addresses, "mailbox.probe", Desk.probe)


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

    async def begin(opened: Opened, desk: Desk, mailbox_id: str, act: Act) -> MailboxView:
        until_at = opened.clock.now() + timedelta(seconds=for_seconds) if for_seconds else end
        return await desk.hold(mailbox_id, act, Cause(reason.value), until_at)

    _each_opened(config, addresses, "mailbox.hold", begin)


@ends_cleanly
def release(addresses: AddressesArgument, config: ConfigOption = None) -> None:
    """End a hold; campaigns resume after verification."""
    _each(config, addresses, "mailbox.release", Desk.release)


def _each(config: Path | None, addresses: list[str], action: str, doing: Doing) -> None:
    async def do(_: Opened, desk: Desk, mailbox_id: str, act: Act) -> MailboxView:
        return await doing(desk, mailbox_id, act)

    _each_opened(config, addresses, action, do)


def _each_opened(
    config: Path | None, addresses: list[str], action: str, do: Callable[[Opened, Desk, str, Act], Awaitable[MailboxView]]
) -> None:
    """Do it to each; one that cannot be done stops none of the others, but with one that is not there nothing is done."""

    async def work(opened: Opened) -> int:
        desk, failed = Desk(opened.store, opened.clock), 0
        for before in await _found(opened, addresses):
            name = before.mailbox.address
            try:
                after = await do(opened, desk, before.mailbox.id, opened.act(action))
                say(f"{name}: {_moved(before.standing.state, after.standing.state)}{await but_later(opened, after)}")
            except (IllegalMoveError, MailboxNotFoundError, HoldError) as error:
                say(f"mailwatch: {name}: {error}")
                failed += 1
        return failed

    if with_store(config, work, keys=False):
        raise typer.Exit(ExitCode.USAGE)


async def _found(opened: Opened, addresses: list[str]) -> list[MailboxView]:
    """All of them; raises CliError with every one that is not there."""
    found, unknown = list[MailboxView](), list[str]()
    for address in addresses:
        try:
            found.append(await opened.store.find(address))
        except MailboxNotFoundError as error:
            unknown.append(str(error))
    if unknown:
        besides = "; nothing was done to the others" if found else ""
        raise CliError("\n  ".join(unknown) + besides)
    return found


def _moved(before: State, after: State) -> str:
    return f"{before} → {after}" if before is not after else f"is due now, and {after} until it was looked at"


@ends_cleanly
def remove(
    address: AddressArgument,
    yes: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address once more, instead of being asked.", show_default=False)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Delete a mailbox with its secrets and history, for good.  To keep them, disconnect it instead."""
    view, has_consent = with_store(config, lambda opened: _looked_at(opened, address), keys=False)
    _confirm(view.mailbox.address, yes)
    if not has_consent:
        with_store(config, lambda opened: _remove(opened, view, None), keys=False)
        said = ""
    else:
        said = _consent_told(_remove_with_consent(config, view))
    say(f"{view.mailbox.address} ({view.mailbox.id}) removed with its secrets and history{said}")


async def _looked_at(opened: Opened, address: str) -> tuple[MailboxView, bool]:
    """The mailbox, and whether its owner's consent is to be withdrawn: then its refresh token, and so the key ring, is needed."""
    view = await opened.store.find(address)
    app = opened.settings.oauth.get(view.mailbox.oauth_app or "")
    return view, app is not None and app.grant is GrantKind.CODE


def _remove_with_consent(config: Path | None, view: MailboxView) -> Withdrawal:
    """What became of its consent.  What keeps us from asking the provider keeps nobody from removing a mailbox."""

    async def withdrawing(opened: Opened) -> Withdrawal:
        async with consenting(opened) as way:
            return await _remove(opened, view, way.consents(str).withdrawal)  # nobody is sent back

    try:
        return with_store(config, withdrawing)
    except (CliError, MailwatchError) as error:
        say(f"note: the provider cannot be asked: {error}")
    return with_store(config, lambda opened: _remove(opened, view, None), keys=False)


async def _remove(
    opened: Opened, view: MailboxView, withdraws: Callable[[MailboxView], Awaitable[Withdraw | None]] | None
) -> Withdrawal:
    desk = Desk(opened.store, opened.clock, withdraws=withdraws)
    return await desk.remove_confirmed(view.mailbox.id, opened.act("mailbox.remove"))


def _consent_told(withdrawal: Withdrawal) -> str:
    if withdrawal is Withdrawal.DONE:
        return "; its consent was withdrawn at the provider"
    if withdrawal is Withdrawal.SHARED:
        return "; its consent was not withdrawn: another mailbox uses the same login, and would lose it too"
    return "; its consent was not withdrawn: the provider cannot or would not, and its owner can, among the apps of the account"


def _confirm(address: str, typed: str | None) -> None:
    if typed is None and not sys.stdin.isatty():
        raise CliError(f"no terminal to confirm on; to remove it for good add --yes {address}")
    if typed is None:
        say(f"This deletes {address}, its secrets and its history for good.  `mailwatch mailbox disconnect` keeps them.")
        typed = typer.prompt("Type the address to go on")
    if typed.strip().lower() != address.lower():
        raise CliError(f"{typed.strip()!r} is not {address}; nothing was removed")
