"""The page: server-rendered views of the fleet.  They read through the ports; acts go through the API.

`router` is all that the application needs; handlers find what they work with in `app.state.surface`.
"""

from typing import Final

from fastapi import APIRouter

from mailwatch.web.pages import campaigns, detail, doors, fleet, incidents, jobs, mailboxes, owners, settings, windows
from mailwatch.web.pages.assets import asset
from mailwatch.web.pages.visits import Answer, view

#: Pages for those signed in.
_PAGES: Final[tuple[tuple[str, Answer], ...]] = (
    ("/", mailboxes.front),
    ("/mailboxes", mailboxes.mailboxes),
    ("/mailboxes/rows", mailboxes.mailbox_rows),
    ("/mailboxes/{mailbox_id}", detail.mailbox),
    ("/incidents", incidents.incidents),
    ("/incidents/{incident_id:path}", incidents.incident),
    ("/maintenance", windows.maintenance),
    ("/campaigns", campaigns.campaigns),
    ("/campaigns/{campaign_id:path}", campaigns.campaign),
    ("/findings", fleet.findings),
    ("/audit", fleet.audit),
    ("/settings", settings.settings),
    ("/settings/deliveries", settings.deliveries),
    ("/jobs/{job_id}", jobs.job),
)
#: Pages for anybody, each with its own key or question.
_DOORS: Final[tuple[tuple[str, str, Answer], ...]] = (
    ("GET", "/sign-in", doors.sign_in),
    ("POST", "/sign-in", doors.do_sign_in),
    ("POST", "/sign-out", doors.sign_out),
    ("GET", "/setup", doors.setup),
    ("POST", "/setup", doors.do_setup),
    ("GET", "/reconnect", owners.reconnect),
    ("POST", "/reconnect", owners.do_reconnect),
    ("GET", "/oauth/callback", owners.callback),
)

router = APIRouter()
router.add_route("/static/{digest}/{name}", asset, methods=["GET"], include_in_schema=False)
for _path, _answer in _PAGES:
    router.add_route(_path, view(_answer), methods=["GET"], include_in_schema=False)
for _method, _path, _answer in _DOORS:
    router.add_route(_path, view(_answer, public=True), methods=[_method], include_in_schema=False)

__all__ = ["router"]
