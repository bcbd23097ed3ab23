"""One request for a page: who asks, of what, when; and what becomes of the request when that fails.

Handlers are plain functions of a `Visit`; `view` makes an endpoint of one, and turns the faults every page shares into pages.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailwatch.ports import MailboxNotFoundError, StoreUnavailableError
from mailwatch.ports.campaigns import CampaignNotFoundError
from mailwatch.ports.people import Role
from mailwatch.web.auth import Caller, caller_of, surface_of
from mailwatch.web.feed import Feed
from mailwatch.web.pages.rendering import Look, render
from mailwatch.web.surface import Surface

_MOST_FIELDS: Final = 20
_DIGITS: Final = 19  #: what a row number never has


class FormError(Exception):
    """What was posted is no form of ours."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with what every page needs."""

    request: Request
    surface: Surface
    caller: Caller | None
    now: datetime
    mark: int | None = None  #: the newest event when it began: what the page shows is no older

    def may(self, role: Role) -> bool:
        """Whether the caller's role includes *role*."""
        return self.caller is not None and self.caller.may(role)

    @property
    def root(self) -> str:
        """The path the application is reached under, behind a proxy; mostly empty."""
        return str(self.request.scope.get("root_path", ""))

    def to(self, path: str, status: int = 303) -> Response:
        """Send the browser to a page of ours."""
        return RedirectResponse(self.root + path, status, headers={"cache-control": "no-store"})

    async def form(self) -> Mapping[str, str]:
        """The fields of a posted form, each once; raises FormError for what no form of ours sends."""
        text = (await self.request.body()).decode("utf-8", "replace")
        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError as error:
            raise FormError from error

    def number(self, name: str) -> int | None:
        """A row number from the query; None when it is none."""
        text = self.request.query_params.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """The template in the frame, for this visitor."""
        return render(template, self._look(), status=status, now=self.now, **values)

    def problem(self, status: int, title: str, words: str) -> Response:
        """A page that says what went wrong and what to do."""
        return self.page("problem.html", status=status, title=title, words=words, here="")

    def _look(self) -> Look:
        told = self.surface.probing.status()
        return Look(
            name=self.caller.name if self.caller else None,
            may_act=self.may(Role.ACT),
            may_admin=self.may(Role.ADMIN),
            theme=self.request.cookies.get("mailwatch-theme", ""),
            sentence=str(told.get("sentence", "")),
            network_down=told.get("self_connectivity") == "down",
            needs_action=int(dict(told.get("states", {})).get("blocked", 0)),
            root=self.root,
            mark=self.mark,
        )


Answer = Callable[[Visit], Awaitable[Response]]


async def _newest(request: Request) -> int:
    feed: Feed = request.app.state.feed
    return await feed.newest()


def view(answer: Answer, *, public: bool = False) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of *answer*; who is not signed in is asked to, unless the page is *public*."""

    async def endpoint(request: Request) -> Response:
        surface = surface_of(request)
        visit = Visit(request, surface, None, surface.clock.now())
        try:
            caller = await caller_of(request)
            if caller is None and not public:
                return _to_sign_in(visit)
            mark = await _newest(request) if caller is not None else None
            return await answer(Visit(request, surface, caller, surface.clock.now(), mark))
        except (MailboxNotFoundError, CampaignNotFoundError):
            return visit.problem(404, "There is no such page", "What you look for was removed, or never was here.")
        except FormError:
            return visit.problem(400, "The form cannot be read", "Go back, reload the page, and try again.")
        except StoreUnavailableError as error:
            surface.log.warning("page.store_unavailable", error=type(error).__name__)
            return visit.problem(
                503,
                "The database does not answer",
                "Nothing is lost: mailwatch keeps what it learns and tries again. Reload this page in a few seconds.",
            )

    return endpoint


def local_path(text: str | None) -> str:
    """*text* where it is a path of this site, else the front page: nobody is led away by a link to the sign-in page."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or not text.isprintable() or " " in text:
        return "/"
    return text


def _to_sign_in(visit: Visit) -> Response:
    asked = visit.request.url
    path = asked.path.removeprefix(visit.root) + (f"?{asked.query}" if asked.query else "")
    return visit.to("/sign-in" + ("" if path == "/" or visit.request.method != "GET" else "?" + urlencode({"next": path})))
