"""`mailwatch maintenance add|list|end`: declared windows in which disconnections are expected, and alert nobody."""

from datetime import datetime
from typing import Annotated, Any, Final

import typer

from mailwatch.cli.moments import moment, shown, span, stamp
from mailwatch.cli.opening import ConfigOption, JsonOption, Opened, with_store
from mailwatch.cli.output import CliError, emit_json, ends_cleanly, say
from mailwatch.cli.scopes import scope_of, shown_scope
from mailwatch.core.maintenance import Every, Window
from mailwatch.desk.windows import LONGEST_SECONDS, Declared, Wanted, WindowError, Windows
from mailwatch.ports.maintenance import WindowNotFoundError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
_LONGEST_MINUTES: Final = int(LONGEST_SECONDS / 60)
#: The options that say the fields of a window.
_OPTIONS: Final = {"starts_at": "--start", "seconds": "--minutes", "zone": "--zone", "until_at": "--until", "scope": "--scope"}


@app.command("add")
@ends_cleanly
def add(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What is done, for those who read it at night.")],
    minutes: Annotated[int, typer.Option(min=1, max=_LONGEST_MINUTES, help="How long it lasts.")],
    start: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Its start, such as 2026-12-01T02:00:00+01:00; now if left out.")
    ] = None,
    scope: Annotated[
        str | None, typer.Option(metavar="KIND:NAME", help="provider, endpoint, domain or oauth_app; everything if left out.")
    ] = None,
    every: Annotated[Every, typer.Option(help="How often it comes.")] = Every.ONCE,
    zone: Annotated[str, typer.Option(help="Whose wall clock a recurring window keeps to, such as Europe/Berlin.")] = "UTC",
    until: Annotated[str | None, typer.Option(metavar="MOMENT", help="No recurrence begins after this.")] = None,
    config: ConfigOption = None,
) -> None:
    """Declare a maintenance window."""
    wanted = Wanted(
        title=title,
        seconds=60.0 * minutes,
        starts_at=moment(start, "--start") if start else None,
        scope=scope_of(scope) if scope else None,
        every=every,
        zone=zone,
        until_at=moment(until, "--until") if until else None,
    )

    async def work(opened: Opened) -> Declared:
        return await Windows(opened.store.maintenance, opened.clock).declare(wanted, opened.act("maintenance.add"))

    try:
        declared = with_store(config, work, keys=False)
    except WindowError as error:
        raise CliError(f"{_OPTIONS.get(error.field, error.field)}: {error.problem}") from None
    window = declared.window
    covers = "1 mailbox" if declared.mailboxes == 1 else f"{declared.mailboxes} mailboxes"
    say(f"{window.id}: {_told(window, window.created_at or window.starts_at)}; it covers {covers}")
    if declared.warning is not None:
        say(f"warning: {declared.warning}; if that is a slip: `mailwatch maintenance end {window.id}`")


@app.command("list")
@ends_cleanly
def list_windows(
    ended: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,  # noqa: FBT002  # a flag is a bool
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """List maintenance windows that run or will run."""

    async def work(opened: Opened) -> tuple[list[Window], datetime]:
        now = opened.clock.now()
        store = opened.store.maintenance
        return list(await store.all(1000) if ended else await store.windows(now)), now

    windows, now = with_store(config, work, keys=False)
    if as_json:
        emit_json({"windows": [window_json(window, now) for window in windows]})
        return
    for window in windows:
        typer.echo(f"{window.id}  {_told(window, now)}")
    if not windows:
        say("no maintenance is declared; `mailwatch maintenance add` declares some")


@app.command("end")
@ends_cleanly
def end(
    window_id: Annotated[str, typer.Argument(metavar="ID", help="The window, as `maintenance list` names it.")],
    config: ConfigOption = None,
) -> None:
    """End a window now, and for good: a recurring one comes no more."""

    async def work(opened: Opened) -> Window:
        return await Windows(opened.store.maintenance, opened.clock).end(window_id, opened.act("maintenance.end"))

    try:
        window = with_store(config, work, keys=False)
    except WindowNotFoundError as error:
        raise CliError(str(error)) from None
    say(f"{window.id} ended: {window.title}")


def window_json(window: Window, now: datetime) -> dict[str, Any]:
    """A window for programs."""
    running = window.running(now)
    return {
        "id": window.id,
        "title": window.title,
        "scope": None if window.scope is None else {window.scope.kind.value: window.scope.name},
        "starts_at": stamp(window.starts_at),
        "seconds": window.seconds,
        "every": window.every.value,
        "zone": window.zone,
        "until_at": stamp(window.until_at),
        "running_until_at": stamp(running[1]) if running else None,
        "next_start_at": stamp(window.next_start(now)),
        "created_by": window.created_by,
        "ended_at": stamp(window.ended_at),
    }


def _told(window: Window, now: datetime) -> str:
    rhythm = "" if window.every is Every.ONCE else f", {window.every} ({window.zone})"
    running, following = window.running(now), window.next_start(now)
    if running is not None:
        when = f"running until {shown(running[1])}"
    elif following is not None:
        when = f"starts {shown(following)}"
    else:
        when = "over"
    return f"{window.title} - {shown_scope(window.scope)}, {span(window.seconds)}{rhythm}; {when}"
