"""/api/v1/webhooks: where events go, the log of deliveries, sending one again, enabling an endpoint again."""

from enum import StrEnum, unique
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from mailwatch.ports.delivery import Delivery, Endpoint, Failing
from mailwatch.web.api.answers import answer, next_link
from mailwatch.web.api.fields import Before, Here, Limit, Moment, NamePath, Shown, Words
from mailwatch.web.auth import Admin, Reader, act_of
from mailwatch.web.problems import Problem

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])


@unique
class DeliveryState(StrEnum):
    """How far a delivery has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookShown(Shown):
    """An endpoint of the configuration, without what its URL may hide."""

    name: str
    host: str
    types: list[str]
    disabled: str | None  #: why nothing goes there
    failing_since_at: Moment | None  #: the moment of the oldest event that it refused and has not got
    last_error: str | None  #: of the youngest such event: a status, or why there was no answer


class Webhooks(Shown):
    """By name."""

    webhooks: list[WebhookShown]
    pending: int  #: deliveries that wait, all endpoints together


class DeliveryShown(Shown):
    """One event on its way to one endpoint."""

    id: int
    webhook: str
    event: str
    type: str
    content: dict[str, Any]
    at: Moment
    state: DeliveryState
    attempts: int
    due_at: Moment | None
    last_status: int | None
    last_error: str | None
    delivered_at: Moment | None


class Deliveries(Shown):
    """Newest first."""

    deliveries: list[DeliveryShown]
    next: int | None


def _webhook(endpoint: Endpoint, disabled: str | None, failing: Failing | None) -> WebhookShown:
    return WebhookShown(
        name=endpoint.name,
        host=urlsplit(endpoint.url).hostname or "",
        types=sorted(endpoint.types),
        disabled=disabled,
        failing_since_at=failing.since_at if failing else None,
        last_error=failing.last_error if failing else None,
    )


def _shown(delivery: Delivery) -> DeliveryShown:
    return DeliveryShown(
        id=delivery.id,
        webhook=delivery.endpoint,
        event=delivery.event.webhook_id,
        type=delivery.event.type,
        content=dict(delivery.event.content),
        at=delivery.event.at,
        state=DeliveryState(delivery.state),
        attempts=delivery.attempts,
        due_at=delivery.due_at,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        delivered_at=delivery.delivered_at,
    )


@router.get("", response_model=Webhooks, operation_id="list_webhooks")
async def list_webhooks(request: Request, _: Reader, here: Here) -> Response:
    """The endpoints of the configuration."""
    endpoints = here.endpoints()
    disabled, failing = await here.outbox.disabled(), await here.outbox.failing(endpoints)
    shown = [_webhook(endpoint, disabled.get(name), failing.get(name)) for name, endpoint in sorted(endpoints.items())]
    return answer(request, Webhooks(webhooks=shown, pending=await here.outbox.pending()))


@router.get("/deliveries", response_model=Deliveries, operation_id="list_deliveries")
async def list_deliveries(
    request: Request,
    _: Reader,
    here: Here,
    webhook: Annotated[Words | None, Query(description="Only of this endpoint.")] = None,
    state: Annotated[DeliveryState | None, Query(description="Only in this state.")] = None,
    before: Before = None,
    limit: Limit = 100,
) -> Response:
    """The log of deliveries."""
    found = await here.outbox.deliveries(webhook, state.value if state else None, before, limit)
    following = found[-1].id if len(found) == limit else None
    content = Deliveries(deliveries=[_shown(each) for each in found], next=following)
    return answer(request, content, headers=next_link(request, following, "before"))


@router.post("/deliveries/{delivery_id}/replay", status_code=202, operation_id="replay_delivery")
async def replay(request: Request, caller: Admin, here: Here, delivery_id: Annotated[int, Path(ge=1, le=2**53)]) -> Response:
    """Send it once more, now."""
    found = await here.outbox.deliveries(None, None, delivery_id + 1, 1)
    if not found or found[0].id != delivery_id:
        raise Problem("not_found", "no such delivery")
    await here.outbox.replay(delivery_id, act_of(request, caller, "delivery.replay"))
    here.wake(found[0].endpoint)
    return Response(status_code=202)


@router.post("/{name}/enable", status_code=204, operation_id="enable_webhook")
async def enable(request: Request, caller: Admin, here: Here, name: NamePath) -> Response:
    """Deliver there again, what waited included."""
    if name not in here.endpoints() and name not in await here.outbox.disabled():
        raise Problem("not_found", "no such webhook")
    await here.outbox.enable(name, act_of(request, caller, "webhook.enable"))
    here.wake(name)
    return Response(status_code=204)
