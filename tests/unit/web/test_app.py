"""What is served, and from whom it is taken; over a real socket."""

import contextlib

import aiohttp
import pytest

from mailwatch.web.app import Surface, make_app
from mailwatch.web.server import WebServer, listen


class Daemon:
    """What the surface asks of the rest of the daemon."""

    def __init__(self):
        self.reason = None
        self.fault = None
        self.reloads = 0
        self.accepted = []

    async def metrics(self, accept):
        self.accepted.append(accept)
        return b"mailwatch_up 1\n", "text/plain; version=1.0.0; charset=utf-8"

    async def reload(self):
        self.reloads += 1
        return self.fault


@pytest.fixture
async def daemon():
    return Daemon()


@pytest.fixture
async def client(daemon, no_task_left_behind):
    surface = Surface(daemon.metrics, lambda: daemon.reason, lambda: {"mailboxes": {"connected": 3}}, daemon.reload)
    server = WebServer(make_app(surface), listen("127.0.0.1:0"))
    server.start()
    async with aiohttp.ClientSession(server.url) as session:
        yield session
    await server.stop()


async def test_metrics_are_rendered_for_the_accept_header_of_the_scraper(client, daemon):
    async with client.get("/metrics", headers={"Accept": "application/openmetrics-text"}) as answer:
        assert answer.status == 200
        assert await answer.text() == "mailwatch_up 1\n"
        assert answer.headers["Content-Type"] == "text/plain; version=1.0.0; charset=utf-8"
    assert daemon.accepted == ["application/openmetrics-text"]


@pytest.mark.parametrize("path", ["/-/ready", "/readyz"])
async def test_readiness_says_why_not(client, daemon, path):
    async with client.get(path) as answer:
        assert (answer.status, await answer.text()) == (200, "mailwatch is ready.\n")
    daemon.reason = "starting"
    async with client.get(path) as answer:
        assert (answer.status, await answer.text()) == (503, "not ready: starting\n")


@pytest.mark.parametrize("path", ["/-/healthy", "/livez"])
async def test_it_is_healthy_even_when_not_ready(client, daemon, path):
    daemon.reason = "starting"
    async with client.get(path) as answer:
        assert answer.status == 200


async def test_status_is_json_that_no_cache_keeps(client):
    async with client.get("/api/v1/status") as answer:
        assert await answer.json() == {"mailboxes": {"connected": 3}}
        assert answer.headers["Cache-Control"] == "no-store"


async def test_the_landing_page_runs_no_script_and_fits_in_no_frame(client):
    async with client.get("/") as answer:
        assert 'href="/metrics"' in await answer.text()
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
async def test_a_reload_is_taken_from_tools_and_from_the_page_itself(client, daemon, method, headers):
    async with client.request(method, "/-/reload", headers=headers) as answer:
        assert (answer.status, await answer.text()) == (200, "reloaded\n")
    assert daemon.reloads == 1


async def test_a_reload_is_taken_from_a_page_of_the_same_origin_in_an_old_browser(client, daemon):
    async with client.post("/-/reload", headers={"Origin": str(client._base_url).rstrip("/")}) as answer:
        assert answer.status == 200
    assert daemon.reloads == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
async def test_a_reload_that_another_site_asks_for_is_refused(client, daemon, headers):
    async with client.post("/-/reload", headers=headers) as answer:
        assert answer.status == 403
    assert daemon.reloads == 0


async def test_a_link_cannot_reload(client, daemon):
    async with client.get("/-/reload") as answer:
        assert answer.status == 405
    assert daemon.reloads == 0


async def test_a_broken_configuration_is_told_and_the_old_one_stays(client, daemon):
    daemon.fault = "line 3: no such key"
    async with client.post("/-/reload") as answer:
        assert answer.status == 500
        assert "line 3: no such key" in await answer.text()


async def test_what_is_not_there_is_404_and_tells_nothing_of_the_server(client):
    async with client.get("/api/v1/secrets") as answer:
        assert answer.status == 404
        assert "Server" not in answer.headers


async def test_many_ask_at_once(client):
    async with contextlib.AsyncExitStack() as stack:
        answers = [await stack.enter_async_context(client.get("/-/healthy")) for _ in range(20)]
        assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9725"])
async def test_a_reload_through_a_foreign_name_is_refused(client, daemon, host):
    """A page at a name that its owner points to this machine is of the same origin to the browser."""
    async with client.post("/-/reload", headers={"Host": host, "Sec-Fetch-Site": "same-origin"}) as answer:
        assert answer.status == 403
