"""[campaigns], [webhooks.NAME]: what a disconnected mailbox means for campaigns, and who is told.

The defaults are those of `core.campaigns.CampaignPolicy`: one set of numbers, whether or not there is a file.
"""

from typing import Annotated, Final

from pydantic import Field

from mailwatch.config.references import Reference
from mailwatch.config.section import Section, Url
from mailwatch.core.campaigns import CampaignPolicy, Channel, Mode, PauseOn
from mailwatch.core.webhooks import EventType

_DEFAULTS: Final = CampaignPolicy()


class Campaigns(Section):
    """When campaigns pause for a mailbox, and how they come back."""

    mode: Annotated[Mode, Field(strict=False)] = Field(
        default=_DEFAULTS.mode,
        description='"enforce" pauses, "suggest" notes it and asks a person, "observe" only notes it: to get to know mailwatch.',
    )
    pause_on: Annotated[PauseOn, Field(strict=False)] = Field(
        default=_DEFAULTS.pause_on,
        description='"any" pauses a campaign when one of its mailboxes is away, "all" when none is left to send through.',
    )
    channel: Annotated[Channel, Field(strict=False)] = Field(
        default=_DEFAULTS.channel,
        description='Which loss counts: "any" channel the mailbox has (unread replies are a loss too), or "smtp" alone.',
    )
    brake_ratio: float = Field(
        default=_DEFAULTS.brake_ratio,
        gt=0,
        le=1,
        description="Pausing more than this share of the active campaigns within the window waits for a person: so much at once "
        "is more often a fault of the monitoring than of the mailboxes.",
    )
    brake_window_seconds: float = Field(default=_DEFAULTS.brake_window_seconds, ge=10, le=86_400, description="The brake's window.")
    brake_floor: int = Field(default=_DEFAULTS.brake_floor, ge=0, description="So few pauses in the window never need a person.")
    ramp_after_seconds: float = Field(
        default=_DEFAULTS.ramp_after_seconds,
        ge=0,
        description="A mailbox that was away for longer comes back in steps: providers distrust one that is silent and then "
        "sends at full rate.",
    )
    ramp_start_ratio: float = Field(
        default=_DEFAULTS.ramp_start_ratio, gt=0, le=1, description="The share of its usual volume a mailbox may send at first."
    )
    ramp_share: float = Field(
        default=_DEFAULTS.ramp_share, ge=0, le=10, description="The way back to the whole volume takes this share of the outage…"
    )
    ramp_max_seconds: float = Field(default=_DEFAULTS.ramp_max_seconds, ge=0, le=30 * 86_400, description="…and at most this.")


class Webhook(Section):
    """A receiver of events: mailboxes that change, campaigns that pause and resume. Messages are signed (Standard Webhooks)."""

    url: Url = Field(
        description="Where events are POSTed; redirects are not followed.", examples=["https://sender.example.org/mailwatch"]
    )
    secret: Reference = Field(
        description='What messages are signed with: "whsec_" and the base64 of 24 to 64 random bytes, such as from '
        '`echo "whsec_$(openssl rand -base64 32)"`.',
        examples=[{"credential": "sender-webhook"}],
    )
    previous_secret: Reference | None = Field(
        default=None,
        description="The secret before, while receivers change over: messages carry a signature of each.",
        examples=[{"credential": "sender-webhook-before"}],
    )
    events: Annotated[tuple[Annotated[EventType, Field(strict=False)], ...], Field(strict=False)] = Field(
        default=(), description="Only these types of events; none means all.", examples=[["campaign.paused", "campaign.resumed"]]
    )
