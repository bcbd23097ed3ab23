"""Campaigns: the list, one campaign with its pause ledger, and what the brake holds back."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from mailwatch.core.campaigns import CampaignState, Pause, PauseOrigin
from mailwatch.core.causes import Cause
from mailwatch.ports import MailboxView
from mailwatch.ports.campaigns import CampaignFilter
from mailwatch.ports.pages import PageFilter
from mailwatch.web.pages.visits import Visit
from mailwatch.web.pages.words import cause_word

_ROWS: Final = 100
_LEDGER_SPAN: Final = timedelta(days=90)
_LEDGER_ROWS: Final = 100
_MAILBOX_ROWS: Final = 200


async def campaigns(visit: Visit) -> Response:
    """`/campaigns`."""
    query, source = visit.request.query_params, visit.surface.campaigns
    states = frozenset(CampaignState(text) for text in query.getlist("state") if text in list(CampaignState))
    text = query.get("q", "").strip()[:200]
    found = await source.list(CampaignFilter(states=states, text=text, after=query.get("after") or None, limit=_ROWS + 1))
    shown = found[:_ROWS]
    kept = [*(("state", state.value) for state in states), *((("q", text),) if text else ())]
    return visit.page(
        "campaigns.html",
        here="campaigns",
        views=shown,
        numbers=_numbers(await source.counts()),
        states=states,
        text=text,
        narrow=bool(states or text or query.get("after")),
        next_link=f"/campaigns?{urlencode([*kept, ('after', shown[-1].campaign.id)])}" if len(found) > _ROWS else None,
        held_back=(await source.held_back_counts())[0],
    )


async def campaign(visit: Visit) -> Response:
    """`/campaigns/{id}`."""
    source = visit.surface.campaigns
    view = await source.find(visit.request.path_params["campaign_id"])
    ledger = list(await source.spans(view.campaign.id, visit.now - _LEDGER_SPAN, visit.now))[::-1]
    wanted = dict.fromkeys(
        [*view.campaign.mailboxes[:_MAILBOX_ROWS], *(pause.mailbox_id for pause in view.pauses if pause.mailbox_id)]
    )
    mailboxes = await _mailboxes(visit, list(wanted))
    return visit.page(
        "campaign.html",
        here="campaigns",
        campaign=view.campaign,
        pauses=view.pauses,
        mailboxes=mailboxes,
        more=max(0, len(view.campaign.mailboxes) - _MAILBOX_ROWS),
        ledger=ledger[:_LEDGER_ROWS],
        liftable=liftable(view.pauses),
        reason_of=reason_of,
    )


def _numbers(counts: Mapping[tuple[CampaignState, str], int]) -> dict[CampaignState, int]:
    return {state: sum(number for (each, _), number in counts.items() if each is state) for state in CampaignState}


async def _mailboxes(visit: Visit, ids: Sequence[str]) -> dict[str, MailboxView]:
    which = PageFilter(ids=frozenset(ids[:_MAILBOX_ROWS]))
    return {view.mailbox.id: view for view in (await visit.surface.pages.page(which, None, _MAILBOX_ROWS)).rows} if ids else {}


def liftable(pauses: Sequence[Pause]) -> int:
    """How many open pauses a person may lift now: a person's own, and an operator's whose mailbox works again or is removed."""
    return sum(
        pause.origin is PauseOrigin.PERSON or (pause.origin is PauseOrigin.OPERATOR and pause.ready_at is not None)
        for pause in pauses
    )


def reason_of(pause: Pause) -> str:
    """Why it is paused: a cause by its name, a person's words as they are."""
    return cause_word(pause.reason) if pause.reason in list(Cause) else pause.reason
