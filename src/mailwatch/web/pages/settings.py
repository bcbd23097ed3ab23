"""Settings: users, tokens, webhooks with their delivery log, and the configuration in force.  Administrators only change them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from mailwatch.ports.people import Role
from mailwatch.web.pages.visits import Visit

_DELIVERIES: Final = 50
_STATES: Final = ("pending", "delivered", "failed")


async def settings(visit: Visit) -> Response:
    """`/settings`."""
    people, admin = visit.surface.people, visit.may(Role.ADMIN)
    endpoints, outbox = visit.surface.endpoints(), visit.surface.outbox
    return visit.page(
        "settings.html",
        here="settings",
        roles=list(Role),
        users=await people.users() if admin else (),
        tokens=await people.tokens() if admin else (),
        endpoints=[
            (name, urlsplit(endpoint.url).hostname or "", sorted(endpoint.types))  # the rest of the URL may be a secret
            for name, endpoint in sorted(endpoints.items())
        ],
        disabled=await outbox.disabled(),
        failing=await outbox.failing(endpoints),
        pending=await outbox.pending(),
        sections=list(sections(visit.surface.describe())) if admin else [],
    )


async def deliveries(visit: Visit) -> Response:
    """`/settings/deliveries`: the delivery log."""
    query = visit.request.query_params
    endpoint, state = query.get("endpoint") or None, query.get("state") or None
    state = state if state in _STATES else None
    rows = await visit.surface.outbox.deliveries(endpoint, state, visit.number("before"), _DELIVERIES + 1)
    shown = rows[:_DELIVERIES]
    kept = {name: text for name, text in (("endpoint", endpoint), ("state", state)) if text}
    return visit.page(
        "deliveries.html",
        here="settings",
        rows=shown,
        endpoints=sorted(visit.surface.endpoints()),
        endpoint=endpoint,
        state=state,
        states=_STATES,
        older=f"/settings/deliveries?{urlencode({**kept, 'before': shown[-1].id})}" if len(rows) > _DELIVERIES else None,
    )


def sections(described: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The configuration as tables: (name of the table, its keys with their settings), tables within tables by dotted names."""
    plain = [(name, _spelt(value)) for name, value in described.items() if not isinstance(value, Mapping)]
    if plain:
        yield "", plain
    for name, value in described.items():
        if isinstance(value, Mapping):
            for inner, pairs in sections(value):
                yield (f"{name}.{inner}" if inner else name), pairs


def _spelt(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(_spelt(each) for each in value) or "none"
    return "not set" if value is None or value == "" else str(value)
