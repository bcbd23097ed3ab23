"""The OpenAPI 3.1 document: what FastAPI knows of the routes, with the problems, roles and keys it does not know of.

It is served at /api/v1/openapi.json and kept in docs/openapi.json; a test compares the two.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from mailwatch.web.auth import Needs
from mailwatch.web.problems import CODES, MEDIA_TYPE

ABOUT: Final = (
    "Watch, disconnect, reconnect and remove mailboxes; pause and resume campaigns; follow what happens. "
    "Errors are problems (RFC 9457), lists have keyset cursors, moments are RFC 3339 in UTC."
)
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": sorted(CODES)},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "in", "problem"],
                "properties": {"field": {"type": "string"}, "in": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
    },
}
_SCHEMES: Final[dict[str, Any]] = {
    "token": {"type": "http", "scheme": "bearer", "description": "`mailwatch token create`, or POST /api/v1/tokens."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "mailwatch",
        "description": "A signed-in browser; `__Host-mailwatch` over TLS.",
    },
}
_IDEMPOTENCY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of your own: the request is done once, and a repeat gets the first one's answer for a day.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def api_routes(routers: Iterable[APIRouter]) -> Iterator[APIRoute]:
    """The routes of the document."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                yield route


def allowed_methods(routers: Sequence[APIRouter], path: str) -> str:
    """The methods a path knows, as the Allow header of a 405 lists them (RFC 9110, 15.5.6)."""
    known = {method for route in api_routes(routers) if route.path_regex.match(path) for method in route.methods or ()}
    return ", ".join(sorted(known))


def need_of(dependant: Dependant) -> Needs | None:
    """What a route asks of its caller, as it declares it; None: nothing."""
    calls = [dependency.call for dependency in dependant.dependencies]
    return next((call for call in calls if isinstance(call, Needs)), None)


def document(routers: Sequence[APIRouter]) -> dict[str, Any]:
    """The whole document."""
    routes = list(api_routes(routers))
    spec = get_openapi(
        title="mailwatch",
        version="1",
        openapi_version="3.1.0",
        summary="The API of mailwatch.",
        description=ABOUT,
        license_info={"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        routes=routes,
    )
    schemas = spec["components"]["schemas"]
    for gone in ("HTTPValidationError", "ValidationError"):
        schemas.pop(gone, None)
    schemas["Problem"] = _PROBLEM
    spec["components"]["securitySchemes"] = _SCHEMES
    for route in routes:
        for method in sorted(route.methods or ()):
            _complete(spec["paths"][route.path_format][method.lower()], route, method)
    return spec


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    for parameter in operation.get("parameters", ()):
        _settle(parameter)
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {
        "description": "A problem.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    need = need_of(route.dependant)
    if need is not None:
        operation["security"] = [{"token": []}, {"session": []}, *([{}] if need.or_local else [])]
        operation["x-role"] = need.role.value
    if method == "GET" and route.operation_id not in ("follow_events", "may_send", "get_status"):
        operation["responses"]["304"] = {"description": "It is what If-None-Match names."}
    if method == "POST":
        operation.setdefault("parameters", []).append(_IDEMPOTENCY)


def _settle(parameter: dict[str, Any]) -> None:
    """A header or a query cannot be null: it is left out instead."""
    schema = parameter["schema"]
    kinds = [kind for kind in schema.pop("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        parameter["schema"] = {**kinds[0], **schema}
    elif kinds:
        schema["anyOf"] = kinds
