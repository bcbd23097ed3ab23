"""The seams of the outbox: events written with what they tell of, and their deliveries to webhooks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from mailwatch.core import webhooks
from mailwatch.ports import Act, MailwatchError

#: Where events are sent to; a value of the core, since the configuration makes it.
Endpoint = webhooks.Endpoint


class HttpError(MailwatchError):
    """No HTTP answer: not reached, refused by the egress policy, too slow.  The text is fit for a delivery log."""


class DeliveryNotFoundError(MailwatchError):
    """No such delivery: its event is older than what is kept."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an HTTP server answered; at most 64 KiB of the body."""

    status: int
    headers: Mapping[str, str]  #: lower-case names
    body: bytes


class HttpPoster(Protocol):
    """POSTs through the judged dialer: the address connected to is the one the egress policy allowed; no redirects."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, timeout_seconds: float) -> HttpAnswer:
        """The answer; raises HttpError."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, durable together with it.  `id` grows; it is the cursor of the event stream."""

    id: int
    at: datetime
    type: str  #: such as mailbox.transitioned, mailbox.removed, campaign.paused, campaign.resumed, campaigns.braked
    mailbox_id: str | None
    campaign_id: str | None
    content: Mapping[str, Any]  #: the `data` of a webhook

    @property
    def webhook_id(self) -> str:
        """The stable id a receiver may know it by again."""
        return f"evt_{self.id}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: int
    event: Event
    endpoint: str  #: name of the [webhooks.NAME]
    attempts: int
    state: str  #: pending, delivered, failed
    due_at: datetime | None
    last_status: int | None = None
    last_error: str | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failing:
    """An endpoint that does not take what is sent to it."""

    since_at: datetime  #: of the oldest event that it refused and has not got
    last_error: str  #: of the youngest such event: a status, or why there was no answer; never a body or a URL


class Outbox(Protocol):
    """Events and deliveries at rest; claimed under leases, so that any number of nodes may deliver."""

    async def events(self, after: int, limit: int) -> Sequence[Event]:
        """Events with a higher id, oldest first."""

    async def newest(self) -> int:
        """The id of the newest event; 0 when there is none."""

    async def fan_out(self, endpoints: Mapping[str, frozenset[str]], limit: int) -> int:
        """Make a delivery for each new event and each endpoint (name -> wanted types, empty: all); how many events that were."""

    async def claim_deliveries(
        self, now: datetime, limit: int, lease_seconds: float, *, excluding: frozenset[str]
    ) -> Sequence[Delivery]:
        """Due deliveries, oldest first, leased; none to the endpoints in *excluding* or to disabled ones.

        Of each endpoint at most a few at a time, so that a hanging one takes no place from the others.
        """

    async def delivered(self, delivery: Delivery, status: int) -> None:
        """It was taken."""

    async def put_off(self, delivery: Delivery, due_at: datetime | None, status: int | None, error: str) -> None:
        """It was not; try again at *due_at*, or give up when that is None."""

    async def disable(self, endpoint: str, reason: str) -> None:
        """Nothing more goes there (410 Gone) until a person enables it again."""

    async def enable(self, endpoint: str, act: Act) -> None:
        """Deliver again, what waited included."""

    async def disabled(self) -> Mapping[str, str]:
        """Disabled endpoints with the reason."""

    async def failing(self, endpoints: Iterable[str]) -> Mapping[str, Failing]:
        """Those of *endpoints* for which tried events wait, or whose youngest tried one was given up."""

    async def deliveries(self, endpoint: str | None, state: str | None, before: int | None, limit: int) -> Sequence[Delivery]:
        """The delivery log, newest first."""

    async def replay(self, delivery_id: int, act: Act) -> None:
        """Send it once more, now; raises DeliveryNotFoundError."""

    async def pending(self) -> int:
        """Deliveries and events that wait."""

    async def prune_events(self, before: datetime) -> int:
        """Delete events (with their ended deliveries) older than *before*."""
