"""/api/v1/campaigns: the registry, links to mailboxes, pause and resume, the ledger of pauses; and /api/v1/brake."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Body, Query, Request
from pydantic import Field, Strict
from starlette.responses import Response

from mailwatch.core.campaigns import Campaign, CampaignState, Pause
from mailwatch.ports.campaigns import CampaignFilter, CampaignView
from mailwatch.web.api.answers import answer, next_link, wanted_version
from mailwatch.web.api.fields import (
    WHOLE,
    After,
    CampaignKey,
    CampaignPath,
    Cursor,
    Flag,
    Given,
    Here,
    IfMatch,
    Limit,
    MailboxPath,
    Moment,
    Shown,
    Words,
)
from mailwatch.web.auth import Actor, Reader, act_of
from mailwatch.web.problems import Problem
from mailwatch.web.surface import Surface

router = APIRouter(prefix="/api/v1", tags=["campaigns"])

MailboxKeys = Annotated[list[Annotated[str, Field(pattern=r"^[^\x00-\x20\x7f]{1,320}$")]], Field(max_length=500)]
Position = Annotated[str, Field(max_length=4096, pattern=r"^[^\x00]*$")]


class PauseShown(Shown):
    """One entry of the ledger; open until `lifted_at`.

    One that is not `in_force` is only noted: where `braked`, the brake holds it back until a person puts it in force.
    """

    id: int
    campaign: str
    mailbox: str | None
    address: str | None  #: of the mailbox; both are null where none pauses it, and once it was removed
    origin: str
    reason: str
    actor: str
    since_at: Moment
    in_force: bool
    braked: bool
    ready_at: Moment | None
    lifted_at: Moment | None
    lifted_by: str | None


class CampaignShown(Shown):
    """A campaign, and its open pauses; lists leave out `mailboxes`, and of many pauses some: `more_pauses` counts those."""

    id: str
    name: str
    state: str
    sender: str
    position: str
    version: int
    created_at: Moment
    updated_at: Moment
    mailboxes: list[str]
    pauses: list[PauseShown]
    more_pauses: int


class CampaignPage(Shown):
    """One page, by id."""

    campaigns: list[CampaignShown]
    next: str | None


class Pauses(Shown):
    """Entries of the ledger."""

    pauses: list[PauseShown]


class HeldBack(Shown):
    """Pauses that wait for a person; `campaigns` and `total` count all of them, `next` is the `after` of the next page."""

    campaigns: int
    total: int
    pauses: list[PauseShown]
    next: int | None


class NewCampaignGiven(Given):
    """A campaign to register; mailboxes by id or address."""

    id: CampaignKey
    name: Words
    sender: Words = ""
    position: Position = ""
    mailboxes: MailboxKeys = Field(default_factory=list)


class CampaignGiven(Given):
    """What is to change; keys left out stay as they are."""

    name: Words | None = None
    sender: Words | None = None
    position: Position | None = None
    finished: Flag | None = None


class MailboxesGiven(Given):
    """Mailboxes, by id or address."""

    mailboxes: Annotated[MailboxKeys, Field(min_length=1)]


class PauseGiven(Given):
    """Why, in a person's words."""

    reason: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class BrakeGiven(Given):
    """`expected` is the number of campaigns that was looked at (`campaigns` of `GET /api/v1/brake`); with another it is refused."""

    expected: Annotated[int, Strict(), Field(ge=0, le=2**31), WHOLE] | None = None


class Released(Shown):
    """How many campaigns were paused by it."""

    campaigns: int


def _pause(pause: Pause, addresses: Mapping[str, str]) -> PauseShown:
    return PauseShown(
        id=pause.id,
        campaign=pause.campaign_id,
        mailbox=pause.mailbox_id,
        address=addresses.get(pause.mailbox_id) if pause.mailbox_id else None,
        origin=pause.origin.value,
        reason=pause.reason,
        actor=pause.actor,
        since_at=pause.since_at,
        in_force=pause.in_force,
        braked=pause.braked,
        ready_at=pause.ready_at,
        lifted_at=pause.lifted_at,
        lifted_by=pause.lifted_by,
    )


async def _pauses(here: Surface, pauses: Iterable[Pause]) -> list[PauseShown]:
    """Entries of the ledger, with the addresses that their mailboxes have now."""
    listed = list(pauses)
    addresses = await here.campaigns.addresses(pause.mailbox_id for pause in listed if pause.mailbox_id)
    return [_pause(pause, addresses) for pause in listed]


def _shown(campaign: Campaign, pauses: list[PauseShown], more_pauses: int = 0) -> CampaignShown:
    return CampaignShown(
        id=campaign.id,
        name=campaign.name,
        state=campaign.state.value,
        sender=campaign.sender,
        position=campaign.position,
        version=campaign.version,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
        mailboxes=list(campaign.mailboxes),
        pauses=pauses,
        more_pauses=more_pauses,
    )


async def _whole(
    request: Request, here: Surface, view: CampaignView, *, status: int = 200, location: str | None = None
) -> Response:
    headers = {"location": location} if location else None
    shown = _shown(view.campaign, await _pauses(here, view.pauses))
    return answer(request, shown, version=view.campaign.version, status=status, headers=headers)


async def _ids(here: Surface, mailboxes: list[str]) -> list[str]:
    """The ids of mailboxes named by id or address; raises MailboxNotFoundError."""
    return list(await here.store.ids_of(mailboxes))


async def _version(here: Surface, campaign: str, if_match: str | None) -> int | None:
    """The version that an act insists on; raises CampaignNotFoundError."""
    return None if if_match is None else wanted_version(if_match, (await here.campaigns.find(campaign)).campaign.version)


@router.get("/campaigns", response_model=CampaignPage, operation_id="list_campaigns")
async def list_campaigns(
    request: Request,
    _: Reader,
    here: Here,
    state: Annotated[list[CampaignState], Query(description="Only these states.", max_length=3)] = [],  # noqa: B006  # FastAPI's way
    mailbox: Annotated[Words | None, Query(description="Only those that send through this mailbox (id).")] = None,
    q: Annotated[Words, Query(description="Part of the id, the name or the sender's reference.")] = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """A page of campaigns."""
    which = CampaignFilter(frozenset(state), mailbox, q, cursor, limit + 1)
    views = list(await here.campaigns.list(which))
    following = views[limit - 1].campaign.id if len(views) > limit else None
    pauses = iter(await _pauses(here, (pause for view in views[:limit] for pause in view.pauses)))
    shown = [_shown(view.campaign, list(islice(pauses, len(view.pauses))), view.more_pauses) for view in views[:limit]]
    content = CampaignPage(campaigns=shown, next=following)
    return answer(request, content, headers=next_link(request, following))


@router.post("/campaigns", response_model=CampaignShown, status_code=201, operation_id="add_campaign")
async def add_campaign(request: Request, caller: Actor, here: Here, given: NewCampaignGiven) -> Response:
    """Register a campaign; one whose mailboxes are away is paused from the start."""
    now = here.clock.now()
    campaign = Campaign(
        id=given.id,
        name=given.name,
        state=CampaignState.ACTIVE,
        created_at=now,
        updated_at=now,
        sender=given.sender,
        position=given.position,
        mailboxes=tuple(await _ids(here, given.mailboxes)),
    )
    added = await here.campaigns.add(campaign, act_of(request, caller, "campaign.add"))
    view = await here.campaigns.find(added.id)
    return await _whole(request, here, view, status=201, location=f"/api/v1/campaigns/{quote(added.id, safe='')}")


@router.post("/campaigns/{campaign}/links", response_model=CampaignShown, operation_id="link_campaign")
async def link(
    request: Request, caller: Actor, here: Here, campaign: CampaignPath, given: MailboxesGiven, if_match: IfMatch = None
) -> Response:
    """Let it send through these mailboxes too."""
    version, ids = await _version(here, campaign, if_match), await _ids(here, given.mailboxes)
    return await _whole(
        request, here, await here.campaigns.link(campaign, ids, act_of(request, caller, "campaign.link"), version=version)
    )


@router.delete("/campaigns/{campaign}/links/{mailbox}", response_model=CampaignShown, operation_id="unlink_campaign")
async def unlink(
    request: Request, caller: Actor, here: Here, campaign: CampaignPath, mailbox: MailboxPath, if_match: IfMatch = None
) -> Response:
    """No longer send through this mailbox; what paused it for that is lifted."""
    version, ids = await _version(here, campaign, if_match), await _ids(here, [mailbox])
    return await _whole(
        request, here, await here.campaigns.unlink(campaign, ids, act_of(request, caller, "campaign.unlink"), version=version)
    )


@router.post("/campaigns/{campaign}/pause", response_model=CampaignShown, operation_id="pause_campaign")
async def pause(
    request: Request, caller: Actor, here: Here, campaign: CampaignPath, given: PauseGiven, if_match: IfMatch = None
) -> Response:
    """Pause it; nothing but a person resumes it."""
    version, act = await _version(here, campaign, if_match), act_of(request, caller, "campaign.pause")
    return await _whole(request, here, await here.campaigns.pause(campaign, given.reason, act, version=version))


@router.post("/campaigns/{campaign}/resume", response_model=CampaignShown, operation_id="resume_campaign")
async def resume(request: Request, caller: Actor, here: Here, campaign: CampaignPath, if_match: IfMatch = None) -> Response:
    """Lift what a person may lift; pauses for mailboxes that are away now stay."""
    version, act = await _version(here, campaign, if_match), act_of(request, caller, "campaign.resume")
    return await _whole(request, here, await here.campaigns.resume(campaign, act, version=version))


@router.get("/campaigns/{campaign}/spans", response_model=Pauses, operation_id="get_paused_spans")
async def spans(
    request: Request,
    _: Reader,
    here: Here,
    campaign: CampaignPath,
    since: Annotated[Moment, Query(description="RFC 3339.")],
    until: Annotated[Moment, Query(description="RFC 3339; after `since`.")],
) -> Response:
    """When it was paused, from `since` to `until`: what its own metrics may leave out."""
    if until <= since:
        raise Problem("unfit", "until must be after since")
    await here.campaigns.find(campaign)
    found = await here.campaigns.spans(campaign, since, until)
    return answer(request, Pauses(pauses=await _pauses(here, found)))


@router.get("/mailboxes/{mailbox}/resumable", response_model=CampaignPage, operation_id="list_resumable_campaigns")
async def resumable(request: Request, _: Reader, here: Here, mailbox: MailboxPath) -> Response:
    """Campaigns that a person's disconnect of this mailbox paused, and that wait for a person since it works again."""
    view = await here.store.find(mailbox)
    found = await here.campaigns.resumable(view.mailbox.id)
    return answer(request, CampaignPage(campaigns=[_shown(each, []) for each in found], next=None))


@router.get("/brake", response_model=HeldBack, operation_id="get_brake")
async def held_back(request: Request, _: Reader, here: Here, after: After = 0, limit: Limit = 100) -> Response:
    """Pauses that are noted but not in force: observed, suggested, or too many at once; and how many there are of them all."""
    found = await here.campaigns.held_back(after, limit + 1)
    campaigns, pauses = await here.campaigns.held_back_counts()
    more = found[limit - 1].id if len(found) > limit else None
    shown = HeldBack(campaigns=campaigns, total=pauses, pauses=await _pauses(here, found[:limit]), next=more)
    return answer(request, shown, headers=next_link(request, more, "after"))


@router.post("/brake:release", response_model=Released, operation_id="release_brake")
async def release_brake(
    request: Request, caller: Actor, here: Here, given: Annotated[BrakeGiven | None, Body()] = None
) -> Response:
    """Pause them all."""
    expected = None if given is None else given.expected
    released = await here.campaigns.release_brake(act_of(request, caller, "brake.release"), expected=expected)
    return answer(request, Released(campaigns=released))


@router.get("/campaigns/{campaign}", response_model=CampaignShown, operation_id="get_campaign")
async def get_campaign(request: Request, _: Reader, here: Here, campaign: CampaignPath) -> Response:
    """One campaign with its mailboxes and what pauses it."""
    return await _whole(request, here, await here.campaigns.find(campaign))


@router.patch("/campaigns/{campaign}", response_model=CampaignShown, operation_id="amend_campaign")
async def amend_campaign(
    request: Request, caller: Actor, here: Here, campaign: CampaignPath, given: CampaignGiven, if_match: IfMatch = None
) -> Response:
    """Change its name, its sender's reference or its position, or say that it is finished."""
    await here.campaigns.amend(
        campaign,
        act_of(request, caller, "campaign.amend"),
        name=given.name,
        sender=given.sender,
        position=given.position,
        finished=given.finished,
        version=await _version(here, campaign, if_match),
    )
    return await _whole(request, here, await here.campaigns.find(campaign))
