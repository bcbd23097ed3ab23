"""Webhooks: the kinds of events there are, and where they go.

A webhook's secret is written as Standard Webhooks writes it: `whsec_` and the base64 of 24 to 64 bytes.
"""

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from mailwatch.core.secret import Secret

SECRET_PREFIX: Final = "whsec_"
LEAST_KEY_BYTES: Final = 24
MOST_KEY_BYTES: Final = 64


@unique
class EventType(StrEnum):
    """What can happen that others are told of."""

    MAILBOX_ADDED = "mailbox.added"
    MAILBOX_TRANSITIONED = "mailbox.transitioned"
    MAILBOX_CHANGED = "mailbox.changed"  #: the state is the same, but what a sender may rely on is not: the end of a hold, say
    MAILBOX_REMOVED = "mailbox.removed"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_CHANGED = "campaign.changed"
    CAMPAIGNS_BRAKED = "campaigns.braked"
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_CLOSED = "incident.closed"
    INCIDENT_REOPENED = "incident.reopened"
    MAINTENANCE_CHANGED = "maintenance.changed"  #: a window was declared, or ended by a person


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where events are sent to, from the configuration."""

    name: str
    url: str
    secrets: tuple[Secret, ...]  #: `whsec_…`; several while they are rotated
    types: frozenset[str] = frozenset()  #: empty: all


class WebhookSecretError(ValueError):
    """The text is no webhook secret; the error never holds it."""


def webhook_key(secret: Secret) -> bytes:
    """The key's bytes; raises WebhookSecretError."""
    text = secret.reveal().strip()
    if not text.startswith(SECRET_PREFIX):
        raise WebhookSecretError(f"it does not begin with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        # `from None`: the cause's text may hold a piece of the secret
        raise WebhookSecretError(f"what follows {SECRET_PREFIX} is not base64") from None
    if not LEAST_KEY_BYTES <= len(key) <= MOST_KEY_BYTES:
        raise WebhookSecretError(f"its key has {len(key)} bytes; {LEAST_KEY_BYTES} to {MOST_KEY_BYTES} are needed")
    return key
