"""A campaign and its pauses in a person's words, and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from mailwatch.cli.moments import shown, span, stamp
from mailwatch.core.campaigns import ITSELF, Campaign, CampaignState, Pause, PauseOrigin
from mailwatch.core.evidence import clean
from mailwatch.core.paused_spans import PausedSpan
from mailwatch.ports.campaigns import CampaignView

_HEADINGS: Final = ("ID", "NAME", "STATE", "PAUSED BY", "REASON", "SINCE")
_ORIGINS: Final = {
    PauseOrigin.AUTOMATIC: "mailwatch, until the mailbox is verified",
    PauseOrigin.OPERATOR: "an operator's disconnect; a person resumes it once the mailbox is verified",
    PauseOrigin.PERSON: "a person; only a person resumes it",
}


def campaign_json(view: CampaignView) -> dict[str, Any]:
    """A campaign beside its open pauses."""
    campaign = view.campaign
    return {
        "id": campaign.id,
        "name": campaign.name,
        "sender": campaign.sender,
        "position": campaign.position,
        "state": campaign.state.value,
        "version": campaign.version,
        "mailboxes": list(campaign.mailboxes),
        "created_at": stamp(campaign.created_at),
        "updated_at": stamp(campaign.updated_at),
        "pauses": [pause_json(pause) for pause in view.pauses],
        "more_pauses": view.more_pauses,
    }


def pause_json(pause: Pause) -> dict[str, Any]:
    """One entry of the ledger."""
    return {
        "id": pause.id,
        "campaign": pause.campaign_id,
        "mailbox": pause.mailbox_id,
        "origin": pause.origin.value,
        "reason": pause.reason,
        "actor": pause.actor,
        "since_at": stamp(pause.since_at),
        "in_force": pause.in_force,
        "braked": pause.braked,
        "ready_at": stamp(pause.ready_at),
        "lifted_at": stamp(pause.lifted_at),
        "lifted_by": pause.lifted_by,
    }


def span_json(campaign_id: str, paused: PausedSpan) -> dict[str, Any]:
    """One paused span, as the export has it; moments alone, so that the same question has the same answer tomorrow."""
    seconds = None if paused.until_at is None else (paused.until_at - paused.since_at).total_seconds()
    return {
        "campaign": campaign_id,
        "since_at": stamp(paused.since_at),
        "until_at": stamp(paused.until_at),
        "seconds": seconds,
        "reasons": list(paused.reasons),
        "mailboxes": list(paused.mailboxes),
    }


def table(views: Sequence[CampaignView]) -> Iterator[str]:
    """Campaigns for eyes, one a line."""
    rows = [_HEADINGS, *(_cells(view) for view in views)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cells(view: CampaignView) -> tuple[str, ...]:
    campaign = view.campaign
    first = min((pause for pause in view.pauses if pause.in_force), key=lambda pause: pause.since_at, default=None)
    if first is None or campaign.state is not CampaignState.PAUSED:
        return clean(campaign.id), clean(campaign.name), campaign.state.value, "-", "-", "-"
    since = first.since_at.strftime("%Y-%m-%d %H:%M")
    return clean(campaign.id), clean(campaign.name), campaign.state.value, _pauser(first), clean(first.reason), since


def _pauser(pause: Pause) -> str:
    """Who paused it: what a person's hold or disconnect of a mailbox brought about is that person's doing."""
    by_itself = pause.origin is not PauseOrigin.AUTOMATIC or pause.actor == ITSELF
    return pause.origin.value if by_itself else clean(pause.actor)


def campaign_lines(view: CampaignView, now: datetime, addresses: Mapping[str, str]) -> Iterator[str]:
    """One campaign for eyes; what its sender wrote is cleaned of what could command a terminal.  *addresses* by mailbox id."""
    campaign = view.campaign
    yield f"{clean(campaign.name)} ({clean(campaign.id)})"
    yield f"  state      {campaign.state}"
    yield f"  sender     {clean(campaign.sender) or '-'}"
    yield f"  position   {clean(campaign.position) or '-'}"
    yield f"  mailboxes  {', '.join(_named(each, addresses) for each in campaign.mailboxes) or 'none'}"
    for pause in view.pauses:
        yield from pause_lines(pause, now, addresses)


def _named(mailbox_id: str, addresses: Mapping[str, str]) -> str:
    return f"{addresses[mailbox_id]} ({mailbox_id})" if mailbox_id in addresses else mailbox_id


def pause_lines(pause: Pause, now: datetime, addresses: Mapping[str, str]) -> Iterator[str]:
    """One open pause for eyes; *addresses* by mailbox id."""
    about = f"mailbox {_named(pause.mailbox_id, addresses)}" if pause.mailbox_id else "the campaign itself"
    held = "" if pause.in_force else f"not in force: {'held back by the brake' if pause.braked else 'noted only'}; "
    yield f"  {'paused' if pause.in_force else 'noted':<10} {about}: {clean(pause.reason)}"
    lasted = span((now - pause.since_at).total_seconds())
    yield f"  {'':<10} {held}by {clean(pause.actor)}, since {shown(pause.since_at)} ({lasted})"
    if pause.ready_at is not None:
        yield f"  {'':<10} ready since {shown(pause.ready_at)}: `mailwatch campaign resume {pause.campaign_id}` lets it go on"
    elif pause.in_force:
        yield f"  {'':<10} lifted by {_ORIGINS[pause.origin]}"


def outcome(campaign: Campaign, pauses: Sequence[Pause]) -> str:
    """What became of a campaign, in one line."""
    if campaign.state is not CampaignState.PAUSED:
        return f"{campaign.id}: {campaign.state}"
    away = sorted({pause.mailbox_id for pause in pauses if pause.in_force and pause.mailbox_id})
    return f"{campaign.id}: paused" + (f"; waits for {', '.join(away)}" if away else "")
