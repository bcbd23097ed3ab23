"""`mailwatch campaign …`: which campaigns there are, what they send through, why they are paused, and the brake."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from mailwatch.cli.campaign_words import campaign_json, campaign_lines, outcome, pause_json, pause_lines, span_json, table
from mailwatch.cli.mailbox_show import addresses_of
from mailwatch.cli.moments import moment, shown
from mailwatch.cli.opening import ConfigOption, JsonOption, Opened, with_store
from mailwatch.cli.output import CliError, emit_json, ends_cleanly, say
from mailwatch.core.campaigns import Campaign, CampaignState, Pause, campaign_id_fault
from mailwatch.core.paused_spans import paused_spans
from mailwatch.ports.campaigns import (
    CampaignExistsError,
    CampaignFilter,
    CampaignNotFoundError,
    CampaignOverError,
    CampaignView,
)
from mailwatch.ports.pages import CountDiffersError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
T = TypeVar("T")
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)

CampaignArgument = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")]
MailboxesArgument = Annotated[list[str], typer.Argument(metavar="ADDRESS…", help="The mailboxes: addresses or ids.")]


def _with_campaigns(config: Path | None, work: Callable[[Opened], Awaitable[T]]) -> T:
    """Run *work* with the store opened; a campaign that is not there, is there already, or is finished, is a wrong usage."""
    try:
        return with_store(config, work, keys=False)
    except (CampaignNotFoundError, CampaignExistsError, CountDiffersError, CampaignOverError) as error:
        raise CliError(str(error)) from None


@app.command("list")
@ends_cleanly
def list_campaigns(
    state: Annotated[
        list[CampaignState] | None, typer.Option(help="Only these states; may be given again.", show_default=False)
    ] = None,
    mailbox: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Only those that send through it.", show_default=False)
    ] = None,
    text: Annotated[str, typer.Option(help="Only where id, name or sender hold this text.", show_default=False)] = "",
    after: Annotated[str | None, typer.Option(help="Begin behind this campaign id.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at the most.")] = 100,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """List campaigns, and who paused those that are paused."""

    async def work(opened: Opened) -> list[CampaignView]:
        mailbox_id = None if mailbox is None else (await opened.store.find(mailbox)).mailbox.id
        which = CampaignFilter(frozenset(state or ()), mailbox_id, text, after, limit + 1)
        return list(await opened.store.campaigns.list(which))

    views = _with_campaigns(config, work)
    more, views = views[limit - 1].campaign.id if len(views) > limit else None, views[:limit]
    if as_json:
        emit_json({"campaigns": [campaign_json(view) for view in views], "next": more})
        return
    for line in table(views):
        typer.echo(line)
    if more:
        typer.echo(f"more follow: --after {more}", err=True)


@app.command("show")
@ends_cleanly
def show(campaign: CampaignArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002  # a flag is a bool
    """Show one campaign: its mailboxes, and every open pause with who lifts it."""

    async def work(opened: Opened) -> tuple[CampaignView, datetime, dict[str, str]]:
        view = await opened.store.campaigns.find(campaign)
        return view, opened.clock.now(), await addresses_of(opened, view.campaign.mailboxes)

    view, now, addresses = _with_campaigns(config, work)
    if as_json:
        emit_json({**campaign_json(view), "addresses": addresses})
        return
    for line in campaign_lines(view, now, addresses):
        typer.echo(line)


@app.command("add")
@ends_cleanly
def add(
    campaign: CampaignArgument,
    mailboxes: Annotated[
        list[str] | None, typer.Option("--mailbox", metavar="ADDRESS", help="It sends through this; may be given again.")
    ] = None,
    name: Annotated[str, typer.Option(help="What people call it (default: its id).", show_default=False)] = "",
    sender: Annotated[str, typer.Option(help="The sender's own reference.", show_default=False)] = "",
    config: ConfigOption = None,
) -> None:
    """Register a campaign of the sender's."""
    if (cure := campaign_id_fault(campaign)) is not None:
        raise CliError(f"{campaign[:40]!r} cannot be the id of a campaign; {cure}")

    async def work(opened: Opened) -> CampaignView:
        now = opened.clock.now()
        ids = await _ids(opened, mailboxes or [])
        new = Campaign(campaign, name or campaign, CampaignState.ACTIVE, now, now, sender=sender, mailboxes=tuple(ids))
        await opened.store.campaigns.add(new, opened.act("campaign.add"))
        return await opened.store.campaigns.find(campaign)

    _tell(_with_campaigns(config, work))


@app.command("link")
@ends_cleanly
def link(campaign: CampaignArgument, mailboxes: MailboxesArgument, config: ConfigOption = None) -> None:
    """Let it send through these mailboxes too; one that is away pauses it at once."""

    async def work(opened: Opened) -> CampaignView:
        return await opened.store.campaigns.link(campaign, await _ids(opened, mailboxes), opened.act("campaign.link"))

    _tell(_with_campaigns(config, work))


@app.command("unlink")
@ends_cleanly
def unlink(campaign: CampaignArgument, mailboxes: MailboxesArgument, config: ConfigOption = None) -> None:
    """No longer send through these mailboxes; pauses for them are lifted."""

    async def work(opened: Opened) -> CampaignView:
        return await opened.store.campaigns.unlink(campaign, await _ids(opened, mailboxes), opened.act("campaign.unlink"))

    _tell(_with_campaigns(config, work))


@app.command("pause")
@ends_cleanly
def pause(
    campaign: CampaignArgument,
    reason: Annotated[str, typer.Option(help="Why, in your words.", show_default=False)],
    config: ConfigOption = None,
) -> None:
    """Pause it by hand; nothing but `resume` lifts that."""
    if not reason.strip():
        raise CliError("--reason: say why, for whoever finds it paused")

    async def work(opened: Opened) -> CampaignView:
        return await opened.store.campaigns.pause(campaign, reason.strip(), opened.act("campaign.pause"))

    _tell(_with_campaigns(config, work))


@app.command("resume")
@ends_cleanly
def resume(campaign: CampaignArgument, config: ConfigOption = None) -> None:
    """Lift what a person may lift; it goes on once none of its mailboxes is away."""

    async def work(opened: Opened) -> CampaignView:
        return await opened.store.campaigns.resume(campaign, opened.act("campaign.resume"))

    _tell(_with_campaigns(config, work))


@app.command("spans")
@ends_cleanly
def spans(
    campaign: CampaignArgument,
    since: Annotated[str | None, typer.Option(help="From when: 2026-11-01, or 2026-11-01T08:00:00Z.", show_default=False)] = None,
    until: Annotated[str | None, typer.Option(help="Until when (default: now).", show_default=False)] = None,
    entries: Annotated[bool, typer.Option("--entries", help="The ledger's entries instead, one by one.")] = False,  # noqa: FBT002  # a flag is a bool
    config: ConfigOption = None,
) -> None:
    """Export when it was paused, as JSON lines: what its metrics may leave out."""
    begin = moment(since, "--since") if since else _FIRST

    async def work(opened: Opened) -> list[dict[str, object]]:
        from mailwatch.config.policy import to_campaign_policy  # noqa: PLC0415  # pydantic is slow to import: verbs that need it pay

        end = moment(until, "--until") if until else opened.clock.now()
        if end <= begin:
            raise CliError(f"--until {shown(end)} is not after --since {shown(begin)}")
        view = await opened.store.campaigns.find(campaign)
        ledger = await opened.store.campaigns.spans(campaign, begin, end)
        if entries:
            return [pause_json(entry) for entry in ledger]
        policy = to_campaign_policy(opened.settings)
        return [span_json(campaign, one) for one in paused_spans(ledger, view.campaign.mailboxes, policy, begin, end)]

    for line in _with_campaigns(config, work):
        emit_json(line)


@app.command("brake")
@ends_cleanly
def brake(
    release: Annotated[bool, typer.Option("--release", help="Put the pauses that are held back in force.")] = False,  # noqa: FBT002  # a flag is a bool
    expected: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Only if the pauses are of so many campaigns, as you saw them.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,  # noqa: FBT002  # a flag is a bool
) -> None:
    """Show the pauses that wait for a person's word (suggested, or held back by the brake), or give it."""
    if expected is not None and not release:
        raise CliError("--expected goes with --release")
    if release:

        async def let_go(opened: Opened) -> int:
            return await opened.store.campaigns.release_brake(opened.act("brake.release"), expected=expected)

        count = _with_campaigns(config, let_go)
        say(f"{count} {'campaign' if count == 1 else 'campaigns'} paused")
        return

    async def work(opened: Opened) -> tuple[list[dict[str, object]], list[str]]:
        held, now = await _held_back(opened), opened.clock.now()
        addresses = await addresses_of(opened, [one.mailbox_id for one in held if one.mailbox_id])
        lines = [line for one in held for line in (one.campaign_id, *pause_lines(one, now, addresses))]
        return [pause_json(one) for one in held], lines

    documents, lines = _with_campaigns(config, work)
    if as_json:
        emit_json({"held_back": documents})
        return
    for line in lines or ["nothing is held back"]:
        typer.echo(line)
    if documents:
        number = len({document["campaign"] for document in documents})
        typer.echo(f"`mailwatch campaign brake --release --expected {number}` pauses them", err=True)


async def _held_back(opened: Opened) -> list[Pause]:
    held = list[Pause]()
    while page := await opened.store.campaigns.held_back(held[-1].id if held else 0):
        held += page
    return held


async def _ids(opened: Opened, addresses: list[str]) -> list[str]:
    return [(await opened.store.find(address)).mailbox.id for address in addresses]


def _tell(view: CampaignView) -> None:
    say(outcome(view.campaign, view.pauses))
