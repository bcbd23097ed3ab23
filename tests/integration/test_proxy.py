"""The daemon behind a reverse proxy that speaks TLS: for a real browser, and for those who forge what a proxy would tell."""

import http.client
import json
import re
import ssl
import time
import urllib.parse

import pytest
from playwright.sync_api import expect

from fakes.tls_proxy import TlsProxy
from integration.node import Node
from integration.operators import NAME, PASSWORD, Gallery, Program, browser_of, live, menu_of, ready, set_up, setup_url

pytest_plugins = ("browser",)
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.waiting]

ANA = "u00001@mail.test"
#: The proxy is one of loopback's addresses, and only this one is trusted; clients and forgers have others.
TRUSTED, CLIENT, STRANGER = "127.0.0.1", "127.0.0.7", "127.0.0.2"
#: (the path it is served under, whether the proxy takes that away before it passes a request on)
AT_THE_ROOT = pytest.param(("", True), id="at the root")
BELOW_A_PATH = pytest.param(("/watch/here", True), id="below a path")
PASSED_ON = pytest.param(("/watch", False), id="below a path that is passed on")
WEB = """
external_url = "{url}"
trusted_proxies = ["{trusted}/32"]
"""


@pytest.fixture
def prefix(way):
    """The path it is served under."""
    return way[0]


@pytest.fixture
def proxied(start_dovecot, authority, tmp_path, way):
    """(the node, the proxy in front of it)."""
    dovecot = start_dovecot()
    with TlsProxy(tmp_path / "proxy", authority, prefix=way[0], strips=way[1], source=TRUSTED) as proxy:
        web = WEB.format(url=proxy.url, trusted=TRUSTED)
        with Node(tmp_path / "node", dovecot.ca_file, interval=2, web=web) as node:
            proxy.target = node.url
            node.add_users(["u00001"], f"imaps://localhost:{dovecot.imaps_port}")
            node.start()
            yield node, proxy
            assert node.stop() == 0
            told = node.log.read_text()
            assert "request.failed" not in told
            assert "Traceback" not in told


class Client:
    """Speaks HTTP from an address of its own, with whatever headers it likes."""

    def __init__(self, port, source, *, tls=False, host=None):
        self._port, self._source, self._tls = port, source, tls
        self._host = host or f"127.0.0.1:{port}"

    def connection(self):
        """A new connection."""
        if not self._tls:
            return http.client.HTTPConnection("127.0.0.1", self._port, timeout=120, source_address=(self._source, 0))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # whom it trusts is not the question here
        return http.client.HTTPSConnection("127.0.0.1", self._port, timeout=120, source_address=(self._source, 0), context=context)

    def ask(self, method, path, body=None, **headers):
        """(status, headers, text); an underscore in a header's name is a hyphen."""
        connection = self.connection()
        try:
            connection.request(
                method, path, body, {"Host": self._host} | {name.replace("_", "-"): each for name, each in headers.items()}
            )
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def sign_in(self, path="/sign-in", *, name=NAME, password=PASSWORD, **headers):
        """(status, the cookie's header)."""
        form = urllib.parse.urlencode({"name": name, "password": password})
        headers = {"content_type": "application/x-www-form-urlencoded", "sec_fetch_site": "same-origin"} | headers
        status, answered, _ = self.ask("POST", path, form, **headers)
        return status, answered.get("set-cookie") or ""


@pytest.mark.parametrize("way", [AT_THE_ROOT, BELOW_A_PATH, PASSED_ON])
def test_a_browser_works_through_the_proxy(proxied, chromium, complaints, tmp_path, prefix):
    node, proxy = proxied
    pictures = Gallery(tmp_path / "pictures")
    node.wait(lambda: node.states() == {"connected": 1}, "the mailbox to be connected")
    assert setup_url(node).startswith(f"{proxy.url}/setup?key=")
    with browser_of(chromium, complaints, ignore_https_errors=True) as context:
        page = context.new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{proxy.url}/campaigns")
        assert page.url.startswith(f"{proxy.url}/sign-in?")
        set_up(page, node)
        assert page.url == f"{proxy.url}/mailboxes"
        (cookie,) = [each for each in context.cookies() if each["name"] != "mailwatch-theme"]
        assert (cookie["name"], cookie["path"], cookie["domain"]) == ("__Host-mailwatch", "/", "localhost")
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
        # what others do is shown while it happens: the stream comes through
        live(page)
        row = page.locator("tr[data-mailbox]")
        expect(row).to_contain_text("Connected")
        node.verb("mailbox", "hold", ANA, "--reason", "warmup_pause")
        expect(row).to_contain_text("On hold")
        node.verb("mailbox", "release", ANA)
        expect(row).to_contain_text("Connected")
        # and what the person does is done
        menu_of(page, ANA)
        page.get_by_role("menuitem", name="Disconnect mailbox").click()
        page.get_by_role("button", name="Disconnect", exact=True).click()
        expect(row).to_contain_text("Inactive")
        pictures.take(page, "through-the-proxy")
        for name in ("Incidents", "Campaigns", "Findings", "Audit", "Settings", "Mailboxes"):
            page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
            page.wait_for_url(f"{proxy.url}/{name.lower()}")
            ready(page)
        page.get_by_role("link", name=ANA).click()
        page.wait_for_url(f"{proxy.url}/mailboxes/mb_*")
        ready(page)
        expect(page.locator("#acts-done")).to_contain_text("mailbox.disconnect by user:ada from 127.0.0.1")
        assert [url for url in asked if not url.startswith(f"{proxy.url}/")] == []  # nothing outside of where it lives
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{proxy.url}/sign-in?bye=1")
        assert [each["name"] for each in context.cookies()] == []


@pytest.mark.parametrize("way", [AT_THE_ROOT, PASSED_ON])
def test_forgers_are_not_believed(proxied, prefix):
    node, proxy = proxied
    node.verb("user", "add", NAME, "--role", "admin", "--password-stdin", text=f"{PASSWORD}\n")
    token = Program(node, role="admin", name="script").token
    place = urllib.parse.urlsplit(proxy.url).netloc
    through = Client(proxy.port, CLIENT, tls=True, host=place)
    direct = Client(node.port, STRANGER)
    good = {"authorization": f"Bearer {token}"}
    forged = {
        "x_forwarded_for": "198.51.100.9",
        "x_forwarded_proto": "https",
        "x_forwarded_host": place,
        "forwarded": "for=198.51.100.9",
    }

    def origin():
        """Where the newest act came from, as the audit log has it."""
        return json.loads(direct.ask("GET", "/api/v1/audit?limit=1", **good)[2])["audit"][0]["origin"]

    def act(client, path="", **headers):
        status, _, said = client.ask("POST", f"{path}/api/v1/mailboxes/{ANA}/probe", **good, **headers)
        assert status == 200, said
        return origin()

    # who acts: as the trusted proxy tells it, without what the client wrote before; from anybody else, the peer itself
    assert act(through, prefix) == CLIENT
    assert act(through, prefix, x_forwarded_for="198.51.100.9") == CLIENT
    assert act(through, prefix, x_forwarded_for=f"198.51.100.9, {TRUSTED}") == CLIENT
    assert act(direct, **forged) == STRANGER
    # the host: only names of its own, whoever tells them
    for host in ("evil.example", f"evil.example:{proxy.port}", "localhost.evil.example", "localhost@evil.example"):
        assert Client(node.port, STRANGER, host=host).ask("GET", "/sign-in")[0] == 421
        assert Client(proxy.port, CLIENT, tls=True, host=host).ask("GET", f"{prefix}/sign-in")[0] in (400, 421)
    status, headers, text = direct.ask("GET", "/mailboxes", x_forwarded_host="evil.example", x_forwarded_proto="https")
    assert (status, "evil.example" in text + str(headers)) == (303, False)
    assert "strict-transport-security" not in headers
    # the scheme: a cookie for TLS alone is given over TLS alone
    status, cookie = through.sign_in(f"{prefix}/sign-in")
    assert (status, cookie.partition("=")[0]) == (303, "__Host-mailwatch")
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert through.ask("GET", f"{prefix}/sign-in")[1]["strict-transport-security"]
    session = cookie.partition(";")[0]
    status, plain = direct.sign_in(**{key: each for key, each in forged.items() if key != "x_forwarded_host"})
    assert (status, plain.partition("=")[0], "secure" in plain.lower()) == (303, "mailwatch", False)
    # that a session came from another site's page is noticed behind the proxy too
    url = f"{prefix}/api/v1/mailboxes/{ANA}/probe"
    origins = {"https://evil.example": 403, f"http://{place}": 403, f"https://{place}": 200, "null": 403}
    assert {each: through.ask("POST", url, cookie=session, origin=each)[0] for each in origins} == origins
    sites = {"cross-site": 403, "same-site": 403, "same-origin": 200}
    assert {each: through.ask("POST", url, cookie=session, sec_fetch_site=each)[0] for each in sites} == sites
    # what is open to this machine alone is not open to all who come through the proxy on it
    assert node.get("/metrics")[0] == 200
    for path in ("/metrics", "/api/v1/status"):
        assert through.ask("GET", prefix + path)[0] == 401
        assert through.ask("GET", prefix + path, x_forwarded_for="127.0.0.1")[0] == 401
        assert through.ask("GET", prefix + path, **good)[0] == 200
        assert direct.ask("GET", path, x_forwarded_for="127.0.0.1")[0] == 401
    # links for others are made of the name that the configuration gives
    said = node.verb("user", "sign-in-link", NAME)
    assert said.startswith(f"{proxy.url}/sign-in?key=")
    # guesses are counted by who makes them: another forged address for each does not help
    for client, path in ((through, f"{prefix}/sign-in"), (direct, "/sign-in")):
        tries = [
            client.sign_in(path, name=f"nobody{number}", password="wrong", x_forwarded_for=f"198.51.100.{number}")[0]
            for number in range(40)
        ]
        assert 429 in tries, tries
        assert set(tries[tries.index(429) :]) <= {429, 403}


@pytest.mark.parametrize("way", [AT_THE_ROOT])
def test_events_come_through_one_by_one(proxied, prefix):
    node, proxy = proxied
    token = Program(node, role="read", name="reader").token
    client = Client(proxy.port, CLIENT, tls=True, host=urllib.parse.urlsplit(proxy.url).netloc)
    node.wait(lambda: node.states() == {"connected": 1}, "the mailbox to be connected")
    connection = client.connection()
    headers = {"Host": urllib.parse.urlsplit(proxy.url).netloc, "Authorization": f"Bearer {token}"}
    connection.request("GET", f"{prefix}/api/v1/events", headers=headers)
    stream = connection.getresponse()
    assert (stream.status, stream.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    assert stream.headers["cache-control"] == "no-cache"
    told = []
    for verb in ("disconnect", "reconnect"):
        node.verb("mailbox", verb, ANA)
        end = time.monotonic() + 120
        while time.monotonic() < end:
            line = stream.readline().decode()
            if found := re.match(r"data: (.*)", line):
                told.append(json.loads(found[1]))
                if told[-1].get("type") == "mailbox.transitioned":
                    break
    connection.close()
    moves = [(event["data"]["from"], event["data"]["to"]) for event in told if event["type"] == "mailbox.transitioned"]
    assert moves == [("connected", "inactive"), ("inactive", "reconnecting")]
