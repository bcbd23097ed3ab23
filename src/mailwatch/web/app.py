"""The HTTP application: the process' own routes, the API below /api/v1, and the pages.

From the outside in: `security.Perimeter`, `web_config.FileHeaders` where there is such a file, `limits.Throttle`,
`limits.BodyLimit`, `idempotency.Once`, the routes.
"""

from importlib import import_module
from importlib.util import find_spec

from fastapi import FastAPI

from mailwatch import __version__
from mailwatch.web import process
from mailwatch.web.auth import Strangers, TokenMemory
from mailwatch.web.idempotency import Once
from mailwatch.web.limits import BodyLimit, Throttle
from mailwatch.web.parameters import DeclaredOnly
from mailwatch.web.problems import install
from mailwatch.web.security import Perimeter
from mailwatch.web.surface import Probing, Surface, WebSettings
from mailwatch.web.web_config import FileHeaders

_PAGES = "mailwatch.web.pages"


def make_app(surface: Surface | Probing) -> FastAPI:
    """The application; of a node without database access (Probing alone) it is what the process tells of itself."""
    app = FastAPI(
        title="mailwatch",
        version=__version__,
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    install(app)
    if isinstance(surface, Probing):
        app.state.probing = surface
        app.include_router(process.router)
        app.include_router(process.reports, dependencies=[DeclaredOnly])
        app.add_api_route("/", process.landing, include_in_schema=False)
        _add_headers(app, surface)
        app.add_middleware(Perimeter, settings=WebSettings())
    else:
        _fill(app, surface)
    return app


def _fill(app: FastAPI, surface: Surface) -> None:
    from mailwatch.web.api import add_api  # noqa: PLC0415  # a node that only probes does not pay for it

    settings = surface.settings
    app.state.surface = surface
    app.state.probing = surface.probing
    app.state.tokens = TokenMemory(surface.clock)
    app.state.strangers = Strangers(settings.requests_per_minute, surface.clock)
    app.include_router(process.router)
    add_api(app, surface)
    if find_spec(_PAGES) is not None and (router := getattr(import_module(_PAGES), "router", None)) is not None:
        app.include_router(router)
    else:
        app.add_api_route("/", process.landing, include_in_schema=False)
    # the last added is the outermost
    app.add_middleware(Once)
    app.add_middleware(BodyLimit, most_bytes=settings.max_body_bytes, seconds=settings.body_seconds)
    app.add_middleware(Throttle, requests_per_minute=settings.requests_per_minute, clock=surface.clock)
    _add_headers(app, surface.probing)
    app.add_middleware(Perimeter, settings=settings, log=surface.log)


def _add_headers(app: FastAPI, probing: Probing) -> None:
    if probing.web_config is not None:
        app.add_middleware(FileHeaders, file=probing.web_config)
