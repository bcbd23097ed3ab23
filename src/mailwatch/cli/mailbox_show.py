"""`mailwatch mailbox list|show|history`: what there is, how one is, and how it came to be so."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Final

import typer

from mailwatch.cli.mailbox_words import story_json, story_lines, view_json, view_lines
from mailwatch.cli.moments import stamp
from mailwatch.cli.opening import ConfigOption, JsonOption, Opened, with_store
from mailwatch.cli.output import CliError, emit_json, ends_cleanly
from mailwatch.cli.waiting import quiet_host
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.core.quiet_hosts import QuietHost
from mailwatch.core.standing import Transition
from mailwatch.ports import MailboxFilter, MailboxView
from mailwatch.ports.pages import PageFilter

_PAGE: Final = 500
#: Mailboxes asked for by their ids, in one query.
_AT_ONCE: Final = 200
_HEADINGS: Final = ("ID", "ADDRESS", "PROVIDER", "STATE", "CAUSE", "SINCE")

AddressArgument = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox: its address or id.")]


@ends_cleanly
def list_mailboxes(
    state: Annotated[list[State] | None, typer.Option(help="Only these states; may be given again.", show_default=False)] = None,
    provider: Annotated[
        list[str] | None, typer.Option(help="Only these providers; may be given again.", show_default=False)
    ] = None,
    cause: Annotated[list[Cause] | None, typer.Option(help="Only these causes; may be given again.", show_default=False)] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only with this label; given again, with all of them.", show_default=False),
    ] = None,
    campaign: Annotated[str, typer.Option(help="Only those this campaign sends through.", show_default=False)] = "",
    text: Annotated[str, typer.Option(help="Only addresses that hold this text.", show_default=False)] = "",
    after: Annotated[str | None, typer.Option(help="Begin behind this mailbox id.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """List mailboxes and how they are."""
    which = PageFilter(
        states=frozenset(state or ()),
        providers=frozenset(provider or ()),
        causes=frozenset(each.value for each in cause or ()),
        labels=dict(_label(each) for each in label or ()) or None,
        campaign=campaign,
        text=text,
    )

    async def work(opened: Opened) -> list[MailboxView]:
        return await _views(opened, await opened.store.pages.ids(which, after, limit + 1))

    views = with_store(config, work, keys=False)
    more, views = views[limit - 1].mailbox.id if len(views) > limit else None, views[:limit]
    if as_json:
        emit_json({"mailboxes": [view_json(view) for view in views], "next": more})
        return
    for line in _lines(views):
        typer.echo(line)
    if more:
        typer.echo(f"more follow: --after {more}", err=True)


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise CliError(f"--label {text!r}: KEY=VALUE is needed, such as team=north")
    return key, value


async def _views(opened: Opened, ids: Sequence[str]) -> list[MailboxView]:
    """The mailboxes of these ids, in their order; what is removed meanwhile is left out."""
    found = dict[str, MailboxView]()
    for start in range(0, len(ids), _AT_ONCE):
        some = frozenset(ids[start : start + _AT_ONCE])
        page = await opened.store.pages.page(PageFilter(ids=some), None, len(some))
        found |= {view.mailbox.id: view for view in page.rows}
    return [found[each] for each in ids if each in found]


async def addresses_of(opened: Opened, ids: Sequence[str]) -> dict[str, str]:
    """The address of each of these mailboxes, by id."""
    return {view.mailbox.id: view.mailbox.address for view in await _views(opened, list(dict.fromkeys(ids)))}


def _lines(views: list[MailboxView]) -> Iterator[str]:
    """A table as wide as it needs to be: an address cut off would be of no use to whoever reads or pipes it."""
    rows = [_HEADINGS, *(_cells(view) for view in views)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cells(view: MailboxView) -> tuple[str, ...]:
    mailbox, standing = view.mailbox, view.standing
    since = standing.since_at.strftime("%Y-%m-%d %H:%M")
    return mailbox.id, mailbox.address, mailbox.provider, standing.state.value, standing.cause or "-", since


@ends_cleanly
def show(address: AddressArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002  # a flag is a bool
    """Show one mailbox: how it is, since when, why, and what comes next."""

    async def work(opened: Opened) -> tuple[MailboxView, Transition | None, QuietHost | None]:
        view = await opened.store.find(address)
        latest = None
        async for step in _steps(opened, view.mailbox.id):
            latest = step
        return view, latest, await quiet_host(opened, view)

    view, latest, quiet = with_store(config, work, keys=False)
    if as_json:
        waits = {"waits_until_at": stamp(quiet.until_at) if quiet else None, "waits_for": quiet.sentence if quiet else None}
        emit_json({**view_json(view), **waits, "latest": story_json(latest) if latest else None})
        return
    for line in view_lines(view, latest, quiet):
        typer.echo(line)


@ends_cleanly
def history(
    address: AddressArgument,
    limit: Annotated[int, typer.Option(min=1, help="The latest so many changes.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """Tell the story of one mailbox: when it changed, from what to what, why, and in whose words."""

    async def work(opened: Opened) -> tuple[MailboxView, list[Transition]]:
        view = await opened.store.find(address)
        return view, [step async for step in _steps(opened, view.mailbox.id)]

    view, steps = with_store(config, work, keys=False)
    if as_json:
        emit_json(
            {"mailbox": view.mailbox.id, "address": view.mailbox.address, "history": [story_json(step) for step in steps[-limit:]]}
        )
        return
    typer.echo(f"{view.mailbox.address} ({view.mailbox.id}), now {view.standing.state}")
    if not steps:
        typer.echo("  nothing has happened yet")
    if len(steps) > limit:
        typer.echo(f"  … {len(steps) - limit} earlier changes; --limit {len(steps)} shows all")
    for line in story_lines(steps[-limit:]):
        typer.echo(line)


async def _steps(opened: Opened, mailbox_id: str) -> AsyncIterator[Transition]:
    after = 0
    while page := await opened.store.history(mailbox_id, after=after, limit=_PAGE):
        for _, step in page:
            yield step
        after = page[-1][0]


async def all_views(opened: Opened, which: MailboxFilter) -> AsyncIterator[MailboxView]:
    """Every mailbox of *which*, page by page."""
    page = await opened.store.list(replace(which, limit=_PAGE))
    while page:
        for view in page:
            yield view
        page = await opened.store.list(replace(which, limit=_PAGE, after=page[-1].mailbox.id))
