"""Signatures of webhooks, as Standard Webhooks 1.0 has them: HMAC-SHA256 over `id.timestamp.body`, one for each secret.

Several secrets are in force while one is exchanged for another: the receiver takes the message when any signature fits.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from mailwatch import __version__
from mailwatch.core.webhooks import Endpoint, webhook_key

USER_AGENT: Final = f"mailwatch/{__version__}"


def signed_headers(endpoint: Endpoint, message_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The headers of one try; the time-stamp is that of the try, so that a receiver may refuse what was recorded and replayed."""
    timestamp = str(int(now.timestamp()))
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (hmac.digest(webhook_key(secret), content, hashlib.sha256) for secret in endpoint.secrets)
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }
