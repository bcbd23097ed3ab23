"""Operators as a whole daemon has them: a program with a token, a person in a real browser, and pictures of what the person sees."""

import contextlib
import http.cookiejar
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from patience import PATIENT_TOASTS, WAIT_MILLISECONDS

NAME, PASSWORD = "ada", "correct-horse-battery-staple"


class Caller:
    """Asks the API of a node."""

    def __init__(self, node, opener, **headers):
        self._node, self._opener, self._headers = node, opener, headers

    def ask(self, method, path, body=None, **headers):
        """(status, document or text) of a request; an underscore in a header's name is a hyphen."""
        request = urllib.request.Request(
            self._node.url + path, method=method, data=json.dumps(body).encode() if body is not None else None
        )
        for name, value in ({"content_type": "application/json"} | self._headers | headers).items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with self._opener.open(request, timeout=60) as response:
                return response.status, _read(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _read(error)

    def get(self, path):
        """What is at *path*, which must be there."""
        status, document = self.ask("GET", path)
        assert status == 200, (path, status, document)
        return document

    def reason(self, mailbox, campaign=None):
        """Why the gate lets one send through *mailbox* now, or not."""
        query = f"?campaign={campaign}" if campaign else ""
        return self.ask("GET", f"/api/v1/mailboxes/{mailbox}/sending{query}")[1].get("reason")

    def stream(self, *, after=None):
        """What the event stream says until it has nothing new to say, or for a minute, as it came."""
        request = urllib.request.Request(f"{self._node.url}/api/v1/events")
        for name, value in (self._headers | ({} if after is None else {"last_event_id": str(after)})).items():
            request.add_header(name.replace("_", "-"), value)
        got, end = b"", time.monotonic() + 60
        with self._opener.open(request, timeout=60) as response:
            while b": nothing new" not in got and time.monotonic() < end and (piece := response.read1(65536)):
                got += piece
        return got.decode()


class Program(Caller):
    """What a sending platform's code, or a script, does: it asks the API with a token."""

    def __init__(self, node, *, role="act", name="sender"):
        self.token = node.verb("token", "create", name, "--role", role).strip()
        super().__init__(node, urllib.request.build_opener(), authorization=f"Bearer {self.token}")


class Person(Caller):
    """Somebody signed in, as a browser has them: by a session cookie."""

    def __init__(self, node, name, password):
        cookies = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        super().__init__(node, opener, sec_fetch_site="same-origin")
        form = urllib.parse.urlencode({"name": name, "password": password}).encode()
        with opener.open(urllib.request.Request(f"{node.url}/sign-in", form, {"sec-fetch-site": "same-origin"}), timeout=60):
            assert [cookie.name for cookie in cookies] == ["mailwatch"]


def _read(response):
    text = response.read().decode()
    return json.loads(text) if "json" in response.headers.get("content-type", "") and text else text


class Gallery:
    """Numbered pictures of a walk, for people to look at."""

    def __init__(self, folder):
        self._folder = folder
        self._folder.mkdir()
        self._number = 0

    def take(self, page, what):
        """Keep how the page looks now."""
        self._number += 1
        page.wait_for_timeout(250)  # what fades in has come
        # not by `path`: playwright would leave its thread for files behind
        (self._folder / f"{self._number:02}-{what}.png").write_bytes(page.screenshot())


@contextlib.contextmanager
def browser_of(chromium, complaints, **options):
    """A browser of somebody's own, with nobody signed in; what its pages complain of is heard."""
    context = chromium.new_context(**({"viewport": {"width": 1360, "height": 900}} | options))
    context.set_default_timeout(WAIT_MILLISECONDS)
    context.add_init_script(PATIENT_TOASTS)
    context.on("page", complaints.watch)
    try:
        yield context
    finally:
        context.close()


def ready(page):
    """The page, its scripts at work."""
    page.wait_for_selector("html[data-script]", state="attached")
    return page


def live(page):
    """The page, its stream of events open."""
    page.wait_for_selector("#stream[data-stream=open]", state="attached")
    return page


def menu_of(page, address):
    """Open the actions menu (⋮) of a row; the names of its entries."""
    page.get_by_role("button", name=f"Actions for {address}").click()
    page.get_by_role("menuitem").first.wait_for()
    return page.get_by_role("menuitem").all_inner_texts()


def setup_url(node):
    """Where the log says that the first account is made."""
    told = [json.loads(line) for line in node.log.read_text().splitlines() if '"setup.open"' in line]
    return told[-1]["url"]


def set_up(page, node, *, name=NAME, password=PASSWORD):
    """Make the first account, by the one-time link of the log; the page is the list of mailboxes afterwards."""
    page.goto(setup_url(node))
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password again").fill(password)
    page.get_by_role("button", name="Make account and sign in").click()
    page.wait_for_url("**/mailboxes")
    ready(page)
