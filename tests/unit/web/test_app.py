"""The application as a whole: API, pages, and nothing of the framework's own."""

from fakes.web import Daemon
from mailwatch.web.app import make_app


async def test_the_documentation_pages_that_load_scripts_from_elsewhere_are_not_there(rig):
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await rig.ask("GET", path))[0] == 404
    status, _, document = await rig.ask("GET", "/api/v1/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")


async def test_there_is_a_page(rig):
    async with rig.client.get("/", headers={"Accept": "text/html"}) as answer:
        assert "text/html" in answer.headers["Content-Type"]


async def test_a_node_that_only_probes_gets_an_application_too():
    assert make_app(Daemon().probing()).state.probing is not None
