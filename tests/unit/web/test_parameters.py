"""A parameter that no route declares is refused, with the one that was meant."""

import aiohttp
import pytest

from fakes.web import Daemon
from mailwatch.web.api import ROUTERS
from mailwatch.web.api.openapi import api_routes
from mailwatch.web.app import make_app
from mailwatch.web.server import WebServer, listen


@pytest.mark.parametrize(
    ("path", "wrong", "meant"),
    [
        ("/api/v1/mailboxes?lable=team%3Dt1", "lable", "did you mean label?"),
        ("/api/v1/mailboxes:count?lable=zzz", "lable", "did you mean label?"),
        ("/api/v1/incidents?opn=true", "opn", "did you mean open?"),
        ("/api/v1/mailboxes?State=blocked", "State", "did you mean state?"),
        ("/api/v1/status?verbose=1", "verbose", "this takes none"),
        ("/api/v1/openapi.json?x=1", "x", "this takes none"),
        ("/api/v1/mailboxes/mb_0000?zzz=1", "zzz", "this takes none"),
    ],
)
async def test_a_slip_in_a_name_does_not_read_the_whole_fleet(rig, path, wrong, meant):
    await rig.fill(2)
    status, headers, found = await rig.ask("GET", path, role="read")
    assert (status, found["code"]) == (422, "invalid")
    assert headers["Content-Type"].startswith("application/problem+json")
    (fault,) = found["errors"]
    assert (fault["field"], fault["in"]) == (wrong, "query")
    assert meant in fault["problem"]
    assert f"{wrong}: {fault['problem']}" == found["detail"]


async def test_what_is_nothing_like_any_name_is_told_them_all(rig):
    _, _, found = await rig.ask("GET", "/api/v1/transitions?x=1&x=2&limit=1", role="read")
    (fault,) = found["errors"]
    assert fault["problem"].startswith("there is no such parameter, only ")
    assert "limit" in fault["problem"]


async def test_every_route_of_the_document_refuses_what_it_does_not_declare(rig):
    for route in api_routes(ROUTERS):
        method, path = min(route.methods), route.path_format
        for name in ("mailbox", "campaign", "name", "session_id"):
            path = path.replace(f"{{{name}}}", "x")
        while "{" in path:
            path = f"{path.partition('{')[0]}1{path.partition('}')[2]}"
        status, _, found = await rig.ask(method, f"{path}?no_such_thing=1")
        assert status == 422, (method, path, found)
        assert found["errors"][0]["field"] == "no_such_thing", (method, path, found)


async def test_nothing_is_done_when_the_query_is_refused(rig):
    await rig.fill(1)
    assert (await rig.ask("POST", "/api/v1/mailboxes/mb_0000/disconnect?drry_run=1"))[0] == 422
    assert (await rig.ask("GET", "/api/v1/mailboxes/mb_0000"))[2]["state"] != "disconnected"


async def test_who_may_not_ask_is_told_no_names(rig):
    status, _, found = await rig.ask("GET", "/api/v1/mailboxes?lable=x", role=None)
    assert (status, found["code"]) == (401, "not_signed_in")
    status, _, found = await rig.ask("GET", "/api/v1/audit?lable=x", role="read")
    assert (status, found["code"]) == (403, "role_too_small")


async def test_a_node_that_only_probes_refuses_them_too(no_task_left_behind):
    server = WebServer(make_app(Daemon().probing()), listen("127.0.0.1:0"))
    server.start()
    async with aiohttp.ClientSession(server.url) as client, client.get("/api/v1/status?verbose=1") as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (422, "invalid")
    await server.stop()
