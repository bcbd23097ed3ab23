"""The JSON API, /api/v1: one module a resource."""

from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from mailwatch.web import process
from mailwatch.web.api import (
    acts,
    bulk,
    campaigns,
    consents,
    events,
    findings,
    incidents,
    mailboxes,
    maintenance,
    people,
    reading,
    webhooks,
)
from mailwatch.web.api.openapi import allowed_methods, document
from mailwatch.web.feed import Feed
from mailwatch.web.parameters import DeclaredOnly
from mailwatch.web.surface import Surface

#: In the order of the document.
ROUTERS: Final = (
    *(each.router for each in (mailboxes, acts, bulk, campaigns, events, reading, incidents, maintenance, findings)),
    *(each.router for each in (consents, webhooks, people)),
    process.reports,
)


def add_api(app: FastAPI, surface: Surface) -> None:
    """Mount every resource, the events' feed and the document."""
    for router in ROUTERS:
        app.include_router(router, dependencies=[DeclaredOnly])
    feed = Feed(surface.outbox, surface.log)
    app.state.feed = feed
    app.state.close_streams = feed.close
    app.state.allowed_methods = lambda path: allowed_methods(ROUTERS, path)
    app.add_api_route("/api/v1/openapi.json", _document, include_in_schema=False, dependencies=[process.LocalReader, DeclaredOnly])


async def _document(request: Request) -> JSONResponse:
    app: FastAPI = request.app
    if app.openapi_schema is None:
        app.openapi_schema = document(ROUTERS)
    return JSONResponse(app.openapi_schema, headers={"cache-control": "public, max-age=300"})
