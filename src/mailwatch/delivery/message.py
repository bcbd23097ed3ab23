"""The body of a webhook: `{"type", "timestamp", "data"}`, below 20 kB (Standard Webhooks 1.0, "Payload size")."""

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

from mailwatch.ports.delivery import Event

MOST_BYTES: Final = 20_000
_LONGEST_TEXT: Final = 500
_MOST_ITEMS: Final = 20


def body_of(event: Event) -> bytes:
    """The same bytes for every try of *event*.  Contents that are too long are shortened, and then say `"truncated": true`."""
    body = _written(event, event.content)
    if len(body) < MOST_BYTES:
        return body
    body = _written(event, {**_shortened(event.content), "truncated": True})
    if len(body) < MOST_BYTES:
        return body
    named = {"mailbox": event.mailbox_id, "campaign": event.campaign_id}
    return _written(event, {key: value for key, value in named.items() if value is not None} | {"truncated": True})


def _written(event: Event, content: Mapping[str, Any]) -> bytes:
    document = {"type": event.type, "timestamp": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "data": dict(content)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _shortened(content: Mapping[str, Any]) -> dict[str, Any]:
    short: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, str):
            short[key] = value[:_LONGEST_TEXT]
        elif isinstance(value, list | tuple):
            short[key] = list(value[:_MOST_ITEMS])
        elif not isinstance(value, Mapping):
            short[key] = value
    return short
