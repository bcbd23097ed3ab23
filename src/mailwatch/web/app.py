"""The HTTP surface: what is served, and from whom it is taken.

`/metrics` is rendered off the loop by whoever is plugged in; everything else answers from memory.  Unsafe methods are refused
when a browser says that another site asked (Fetch Metadata, with Origin as the older sign).
"""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

_LANDING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>mailwatch</title>
<h1>mailwatch</h1><ul><li><a href="/metrics">Metrics</a></li><li><a href="/-/ready">Readiness</a></li>
<li><a href="/api/v1/status">Status (JSON)</a></li></ul></html>"""


@dataclass(frozen=True, slots=True)
class Surface:
    """What the web asks of the rest of the daemon."""

    render_metrics: Callable[[str], Awaitable[tuple[bytes, str]]]  #: Accept header -> body, content type
    not_ready: Callable[[], str | None]  #: why the daemon is not ready, or None
    status: Callable[[], Mapping[str, Any]]
    reload: Callable[[], Awaitable[str | None]]  #: what is wrong with the new configuration, or None


def make_app(surface: Surface) -> Starlette:
    """The application."""

    async def metrics(request: Request) -> Response:
        body, content_type = await surface.render_metrics(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("mailwatch is healthy.\n")

    async def ready(_: Request) -> Response:
        reason = surface.not_ready()
        return PlainTextResponse(
            "mailwatch is ready.\n" if reason is None else f"not ready: {reason}\n", 200 if reason is None else 503
        )

    async def reload(request: Request) -> Response:
        if _is_cross_site(request):
            return PlainTextResponse("another site may not ask for this\n", 403)
        fault = await surface.reload()
        return PlainTextResponse(
            "reloaded\n" if fault is None else f"not reloaded, the old configuration stays:\n{fault}\n",
            200 if fault is None else 500,
        )

    async def status(_: Request) -> Response:
        return JSONResponse(dict(surface.status()), headers={"cache-control": "no-store"})

    async def landing(_: Request) -> Response:
        return HTMLResponse(_LANDING, headers={"content-security-policy": "default-src 'none'; frame-ancestors 'none'"})

    return Starlette(
        routes=[
            Route("/", landing),
            Route("/metrics", metrics),
            Route("/-/healthy", healthy),
            Route("/livez", healthy),
            Route("/-/ready", ready),
            Route("/readyz", ready),
            Route("/-/reload", reload, methods=["POST", "PUT"]),
            Route("/api/v1/status", status),
        ]
    )


def _is_cross_site(request: Request) -> bool:
    """Whether a browser asks for another site - by what it says, or because it was led here by a name (DNS rebinding)."""
    if not _is_own_name(request.url.hostname or ""):
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _is_own_name(host: str) -> bool:
    """An address or `localhost`: what a foreign name server cannot point here."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return True
