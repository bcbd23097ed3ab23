"""How browsers reach mailwatch's page: what owners' links and the redirects of providers are made of."""

from typing import Final

from mailwatch.config import Settings

#: Where providers send browsers back to after a consent; it has to be registered with each of them.
CALLBACK: Final = "/oauth/callback"
RECONNECT: Final = "/reconnect"


def page_url(settings: Settings, path: str = "") -> str:
    """The URL of *path* on the page, from outside if the configuration says how it is reached from there."""
    web = settings.web
    if web.external_url is not None:
        return web.external_url.rstrip("/") + path
    host = f"[{web.host}]" if ":" in web.host else web.host
    return f"http://{host}:{web.port}{path}"
