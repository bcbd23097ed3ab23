"""Templates and the headers every page goes out with.

Everything is escaped unless a function here made it (`Markup`).  No page holds script or style of its own, so that the policy can
forbid both: what a hostile server said, or a campaign is called, stays text.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from mailwatch.web.pages.assets import assets
from mailwatch.web.pages.moments import ago, shown, span, stamp
from mailwatch.web.pages.words import (
    OWNERS,
    PHASES,
    STATES,
    TRIGGERS,
    capital,
    cause_word,
    number_word,
    provider_word,
    scope_word,
)

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types mailwatch"
)
_NONE: Final = Markup("&ndash;")
_URL: Final = re.compile(r"https://[A-Za-z0-9./_%#-]*[A-Za-z0-9/_#-]")
HEADERS: Final = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What the frame around every page shows."""

    name: str | None  #: who is signed in
    may_act: bool
    may_admin: bool
    theme: str  #: light, dark, or empty: as the system likes it
    sentence: str  #: the fleet in one sentence
    network_down: bool
    needs_action: int
    root: str  #: the path the application is reached under, behind a proxy
    mark: int | None = None  #: the newest event when the page was begun; the stream goes on behind it


def icon(name: str, words: str = "") -> Markup:
    """The icon of the frame's set; with *words* it speaks for itself, else it is decoration."""
    if words:
        return Markup('<svg class="i" role="img" aria-label="{}"><use href="#i-{}"/></svg>').format(words, name)
    return Markup('<svg class="i" aria-hidden="true"><use href="#i-{}"/></svg>').format(name)


def moment(when: datetime | None, now: datetime) -> Markup:
    """A moment by its distance, with the exact time at hand; scripts keep it true and turn it to the reader's time zone."""
    if when is None:
        return _NONE
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp(when), shown(when), ago(when, now))


def exact(when: datetime | None) -> Markup:
    """A moment on the clock."""
    if when is None:
        return _NONE
    return Markup('<time class="exact" datetime="{}">{}</time>').format(stamp(when), shown(when))


def breakable(address: str) -> Markup:
    """An address that may be broken behind its @, where a column is too narrow for it."""
    return Markup("@<wbr>").join(address.split("@"))


def prose(text: str) -> Markup:
    """Our own sentences: `commands` in backquotes are set as such, addresses of pages become links."""
    parts = escape(text).split("`")
    coded = (Markup("<code>{}</code>").format(part) if place % 2 else _linked(part) for place, part in enumerate(parts))
    return Markup("").join(coded)


def _linked(text: Markup) -> Markup:
    # Escaped already, and a page's address as we write it holds nothing that would end the attribute.
    # (`str`: a Markup would escape what is put into it.)
    return Markup(_URL.sub(r'<a href="\g<0>" rel="noreferrer noopener">\g<0></a>', str(text)))  # noqa: S704  # see above


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parents[1] / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(asset=assets().url, icon=icon, STATES=STATES, PHASES=PHASES, TRIGGERS=TRIGGERS, OWNERS=OWNERS)
    environment.filters.update(
        moment=moment,
        exact=exact,
        prose=prose,
        breakable=breakable,
        span=span,
        cause=cause_word,
        provider=provider_word,
        number=number_word,
        scope=scope_word,
        capital=capital,
        stamp=stamp,
        shown=shown,
    )
    return environment


_ENVIRONMENT: Final = _environment()


def render(template: str, look: Look, *, status: int = 200, **values: Any) -> Response:
    """The template filled in, with the headers of a page."""
    body = _ENVIRONMENT.get_template(template).render(look=look, **values)
    return HTMLResponse(body, status, headers=HEADERS)
