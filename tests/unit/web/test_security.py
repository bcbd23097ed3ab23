"""The perimeter: hosts, other sites, proxies, headers - and a bug that shows nothing of itself."""

import aiohttp
import pytest
from yarl import URL

from fakes.web import PASSWORD, served
from mailwatch.ports import StoreUnavailableError
from mailwatch.ports.people import Role
from mailwatch.web.surface import WebSettings

BEHIND_A_PROXY = WebSettings(
    external_url="https://watch.example.org/mail",
    trusted_proxies=frozenset({"127.0.0.0/8", "10.0.0.5"}),
    host_names=frozenset({"inner"}),
)


@pytest.fixture
async def proxied(tmp_path, no_task_left_behind):
    async with served(tmp_path / "proxied.db", settings=BEHIND_A_PROXY) as rig:
        yield rig


async def signed_in(rig):
    """The headers of a signed-in browser."""
    from fakes.web import BY

    await rig.surface.accounts.add_user("ada", PASSWORD, Role.ADMIN, BY)
    cookie, _ = await rig.surface.accounts.sign_in("ada", PASSWORD)
    return {"Cookie": f"mailwatch={cookie}"}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9725", "localhost.evil.example", "a b", "127.0.0.1@evil.example"])
async def test_a_foreign_name_is_misdirected(rig, host):
    """A page at a name that its owner points to this machine is of the same origin to the browser."""
    status, _, problem = await rig.ask("POST", "/-/reload", headers={"Host": host, "Sec-Fetch-Site": "same-origin"})
    assert (status, problem["code"]) == (421, "misdirected")
    assert rig.daemon.reloads == 0
    assert (await rig.ask("GET", "/-/healthy", headers={"Host": host}))[0] == 200, "load balancers ask by any name"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:9725", "192.0.2.1"])
async def test_names_that_nobody_can_point_elsewhere_are_taken(rig, host):
    assert (await rig.ask("GET", "/api/v1/me", headers={"Host": host}))[0] == 200


async def test_names_of_the_configuration_are_taken(proxied):
    for host in ("watch.example.org", "WATCH.example.org:443", "inner:9725"):
        assert (await proxied.ask("GET", "/api/v1/me", headers={"Host": host}))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {},
    ],
)
async def test_a_browser_acts_for_this_very_site_alone(rig, headers):
    await rig.fill(1)
    cookie = await signed_in(rig)
    status, _, problem = await rig.ask("POST", "/api/v1/mailboxes/mb_0000/disconnect", role=None, headers={**cookie, **headers})
    assert (status, problem["code"]) == (403, "cross_site")
    assert (await rig.store.find("mb_0000")).standing.state == "pending"


@pytest.mark.parametrize("site", ["same-origin", "none", None])
async def test_the_page_itself_may_act(rig, site):
    await rig.fill(1)
    headers = await signed_in(rig) | ({"Sec-Fetch-Site": site} if site else {"Origin": rig.url})
    assert (await rig.ask("POST", "/api/v1/mailboxes/mb_0000/disconnect", role=None, headers=headers))[0] == 200
    row = next(row for row in await rig.surface.pages.audit(None, 9) if row.action == "mailbox.disconnect")
    assert (row.actor, row.origin) == ("user:ada", "127.0.0.1")


async def test_another_site_may_not_sign_anybody_in_or_reload(rig):
    for path in ("/sign-in", "/-/reload"):
        assert (await rig.ask("POST", path, role=None, headers={"Origin": "https://evil.example"}))[0] == 403


async def test_a_token_is_no_browsers_and_needs_no_sign_of_it(rig):
    await rig.fill(1)
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert (await rig.ask("POST", "/api/v1/mailboxes/mb_0000/probe", headers=headers))[0] == 200


async def test_every_answer_has_the_headers(rig):
    for path, role in (("/api/v1/me", "read"), ("/api/v1/me", None), ("/nowhere", None), ("/-/healthy", None), ("/", None)):
        _, headers, _ = await rig.ask("GET", path, role=role)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in headers
        assert "Server" not in headers


async def test_over_tls_browsers_are_told_to_stay_there(proxied):
    _, headers, _ = await proxied.ask("GET", "/api/v1/me", headers={"Host": "watch.example.org"})
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_a_trusted_proxy_names_the_client_and_nobody_else_can(proxied, rig):
    chain = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 10.0.0.5", "X-Forwarded-Proto": "https"}
    await proxied.fill(1)
    await proxied.ask("POST", "/api/v1/mailboxes/mb_0000/disconnect", headers=chain)
    assert (await proxied.surface.pages.audit(None, 1))[0].origin == "198.51.100.7", "what stands before it, anybody can write"
    await rig.fill(1)
    await rig.ask("POST", "/api/v1/mailboxes/mb_0000/disconnect", headers=chain)
    assert (await rig.surface.pages.audit(None, 1))[0].origin == "127.0.0.1"


@pytest.mark.parametrize("forwarded", ["", "unknown", "198.51.100.7, unknown"])
async def test_a_chain_that_is_none_is_the_proxy_itself(proxied, forwarded):
    await proxied.fill(1)
    await proxied.ask("POST", "/api/v1/mailboxes/mb_0000/disconnect", headers={"X-Forwarded-For": forwarded})
    assert (await proxied.surface.pages.audit(None, 1))[0].origin == "127.0.0.1"


async def test_the_cookie_over_tls_is_bound_to_the_host(proxied):
    cookie = (await signed_in(proxied))["Cookie"].partition("=")[2]
    asked = {"Host": "watch.example.org"}
    assert (await proxied.ask("GET", "/api/v1/me", role=None, headers={**asked, "Cookie": f"__Host-mailwatch={cookie}"}))[0] == 200
    assert (await proxied.ask("GET", "/api/v1/me", role=None, headers={**asked, "Cookie": f"mailwatch={cookie}"}))[0] == 401


async def test_a_forwarded_host_is_looked_at_too(proxied):
    headers = {"X-Forwarded-Host": "evil.example"}
    assert (await proxied.ask("GET", "/api/v1/me", headers=headers))[0] == 421


async def test_a_bug_shows_nothing_of_itself_and_is_logged(rig, monkeypatch):
    async def broken(*_, **__):
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(type(rig.store), "find", broken)
    status, headers, problem = await rig.ask("GET", "/api/v1/mailboxes/mb_1")
    assert (status, problem["code"]) == (500, "internal")
    assert "hunter2" not in str(problem)
    assert headers["X-Content-Type-Options"] == "nosniff"
    (fields,) = rig.log.named("request.failed")
    assert (fields["method"], fields["path"]) == ("GET", "/api/v1/mailboxes/mb_1")


async def test_a_database_that_is_away_is_503_and_no_bug(rig, monkeypatch):
    async def away(*_, **__):
        raise StoreUnavailableError("the database /var/lib/mailwatch/mailwatch.db is locked")

    monkeypatch.setattr(type(rig.store), "find", away)
    status, _, problem = await rig.ask("GET", "/api/v1/mailboxes/mb_1")
    assert (status, problem["code"]) == (503, "unavailable")
    assert "/var/lib" not in str(problem)
    assert not rig.log.named("request.failed")


async def test_a_database_that_is_away_before_the_caller_is_known_is_503_too(rig, monkeypatch):
    async def away(*_, **__):
        raise StoreUnavailableError("the database is locked")

    monkeypatch.setattr(rig.surface.accounts, "token_of", away)
    assert (await rig.ask("GET", "/api/v1/me"))[0] == 503


async def test_no_web_socket_is_spoken(rig):
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await rig.client.ws_connect("/api/v1/events", headers=rig.bearer())


@pytest.mark.parametrize("path", ["/mailboxes/%00", "/audit?mailbox=%00", "/sign-in?next=a%00"])
async def test_a_url_with_what_no_database_can_hold_is_refused(rig, path):
    async with rig.client.get(URL(rig.url + path, encoded=True), headers=rig.bearer()) as answer:
        assert answer.status == 400
