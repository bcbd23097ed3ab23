"""What the process serves of itself: metrics, health, readiness, status, reload - with a whole surface, and without one."""

import contextlib
import os
from dataclasses import replace

import aiohttp
import bcrypt
import pytest

from fakes.ports import FakeLog
from fakes.web import Daemon
from mailwatch.web.app import make_app
from mailwatch.web.security import POLICY
from mailwatch.web.server import WebServer, listen
from mailwatch.web.web_config import WebConfigFile


@pytest.fixture
async def daemon():
    return Daemon()


@pytest.fixture
async def client(daemon, no_task_left_behind):
    """In front of a node that only probes."""
    server = WebServer(make_app(daemon.probing()), listen("127.0.0.1:0"))
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


async def test_the_headers_of_a_web_config_are_on_answers_as_they_are_then_but_loosen_no_guard_of_the_pages(tmp_path, daemon):
    path = tmp_path / "web.yml"

    def write(policy, step):
        given = {
            "Strict-Transport-Security": "max-age=60",
            "X-XSS-Protection": "0",
            "X-Frame-Options": "sameorigin",
            "Content-Security-Policy": policy,
        }
        path.write_text("http_server_config:\n  headers:\n" + "".join(f"    {name}: {text!r}\n" for name, text in given.items()))
        os.utime(path, ns=(step * 10**9, step * 10**9))

    write("default-src 'none'", 1)
    probing = replace(daemon.probing(), web_config=WebConfigFile(path, FakeLog()))
    server = WebServer(make_app(probing), listen("127.0.0.1:0"))
    server.start()
    names = ("Strict-Transport-Security", "X-XSS-Protection", "X-Frame-Options", "Content-Security-Policy")
    async with aiohttp.ClientSession(server.url) as session:

        async def told(place):
            async with session.get(place) as answer:
                return [answer.headers.get(name) for name in names]

        assert await told("/metrics") == ["max-age=60", "0", "sameorigin", "default-src 'none'"]
        assert await told("/") == ["max-age=60", "0", "DENY", POLICY]
        write("default-src 'self'", 2)
        assert (await told("/-/healthy"))[3] == "default-src 'self'"
    await server.stop()


@pytest.mark.parametrize("path", ["/-/ready", "/readyz"])
async def test_readiness_says_why_not(client, daemon, path):
    async with client.get(path) as answer:
        assert (answer.status, await answer.text()) == (200, "mailwatch is ready.\n")
    daemon.reason = "starting"
    async with client.get(path) as answer:
        assert (answer.status, await answer.text()) == (503, "not ready: starting\n")


@pytest.mark.parametrize("path", ["/-/healthy", "/livez"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_it_is_healthy_even_when_not_ready(client, daemon, path, method):
    daemon.reason = "starting"
    async with client.request(method, path) as answer:
        assert answer.status == 200


async def test_status_is_json_that_no_cache_keeps(client):
    async with client.get("/api/v1/status") as answer:
        assert (await answer.json())["states"] == {"connected": 3}
        assert answer.headers["Cache-Control"] == "no-store"


async def test_a_node_that_only_probes_has_a_landing_page_and_no_api(client):
    async with client.get("/") as answer:
        assert 'href="/metrics"' in await answer.text()
    async with client.get("/api/v1/mailboxes", headers={"Authorization": "Bearer mwt_x"}) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
async def test_a_reload_is_taken_from_tools_and_from_the_page_itself(client, daemon, method, headers):
    async with client.request(method, "/-/reload", headers=headers) as answer:
        assert (answer.status, await answer.text()) == (200, "reloaded\n")
    assert daemon.reloads == 1


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


@pytest.mark.parametrize(("method", "path"), [("GET", "/metrics"), ("GET", "/api/v1/status"), ("POST", "/-/reload")])
async def test_what_tells_of_the_daemon_is_open_to_this_machine_alone(rig, method, path):
    assert (await rig.ask(method, path, role=None))[0] == 200
    through_a_proxy = {"X-Forwarded-For": "192.0.2.9"}
    assert (await rig.ask(method, path, role=None, headers=through_a_proxy))[0] == 401
    assert (await rig.ask(method, path, role="admin", headers=through_a_proxy))[0] == 200
    for told in ({"X-Real-IP": "192.0.2.9"}, {"Via": "1.1 edge"}, {"X-Forwarded-Proto": "https"}, {"Forwarded": "for=192.0.2.9"}):
        assert (await rig.ask(method, path, role=None, headers=told))[0] == 401
    by_another_name = {"Host": "192.0.2.1:9725"}
    assert (await rig.ask(method, path, role=None, headers=by_another_name))[0] == 401


@pytest.fixture
def web_config(tmp_path):
    path = tmp_path / "web.yml"
    path.write_text(f"basic_auth_users:\n  prometheus: {bcrypt.hashpw(b'geheim', bcrypt.gensalt(4)).decode()}\n")
    return WebConfigFile(path, FakeLog())


@contextlib.asynccontextmanager
async def serving(surface):
    server = WebServer(make_app(surface), listen("127.0.0.1:0"))
    server.start()
    async with aiohttp.ClientSession(server.url) as session:
        yield session
    await server.stop()


async def status(session, path, headers=None):
    async with session.get(path, headers=headers) as answer:
        return answer.status


async def test_where_users_are_named_metrics_are_for_them_and_for_whom_mailwatch_knows_and_nothing_else_changes(
    rig, web_config, no_task_left_behind
):
    right = {"Authorization": aiohttp.encode_basic_auth("prometheus", "geheim")}
    wrong = {"Authorization": aiohttp.encode_basic_auth("prometheus", "falsch")}
    surface = replace(rig.surface, probing=replace(rig.surface.probing, web_config=web_config, render_mailboxes=rendered))
    async with serving(surface) as session:
        for path in ("/metrics", "/metrics/mailboxes"):
            assert await status(session, path) == 401
            assert await status(session, path, wrong) == 401
            assert await status(session, path, right) == 200
            assert await status(session, path, rig.bearer("read")) == 200
            assert await status(session, path, {**right, "X-Forwarded-For": "192.0.2.9"}) == 200
        assert await status(session, "/api/v1/status") == 200
        assert await status(session, "/api/v1/mailboxes", right) == 401
        assert await status(session, "/api/v1/status", {**right, "X-Forwarded-For": "192.0.2.9"}) == 401
        async with session.get("/metrics") as answer:
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")


async def rendered(which):
    words = [*sorted(which.states), *sorted(which.providers), which.campaign]
    return " ".join(words).encode(), "text/plain; version=0.0.4"


async def test_series_of_mailboxes_are_there_where_they_are_asked_for_and_take_filters(daemon, no_task_left_behind):
    async with serving(daemon.probing()) as session:
        assert await status(session, "/metrics/mailboxes") == 404
    async with serving(replace(daemon.probing(), render_mailboxes=rendered)) as session:
        async with session.get("/metrics/mailboxes?state=blocked&state=held&provider=google&campaign=c1") as answer:
            assert (answer.status, await answer.text()) == (200, "blocked held google c1")
        assert await status(session, "/metrics/mailboxes?state=none") == 422
        assert await status(session, "/metrics/mailboxes", {"X-Forwarded-For": "192.0.2.9"}) == 401
