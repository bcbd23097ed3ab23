"""An identity provider in private: nanoidp with users whose mail lies in a Dovecot that asks it about every token.

It speaks the authorization code flow with PKCE, the device flow, client credentials, refresh with rotation, introspection (RFC 7662)
and revocation (RFC 7009), over plain HTTP on loopback.
"""

import http.cookiejar
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Self

from mailwatch.core.oauth import GrantKind, OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from servers.authority import Authority
from servers.dovecot import DOMAIN, Dovecot
from servers.process import ServerProcess, free_port, private_directory

CLIENT, CLIENT_SECRET = "mailwatch", "idp-client-secret"
ROBOT, ROBOT_SECRET = "u00003", "idp-robot-secret"  # signs in by itself; its name is that of the mailbox it may open
REDIRECT_URI = "http://127.0.0.1:9725/oauth/callback"
SCOPES = ("openid", "email", "mail", "offline_access")


class IdentityProvider:
    """One nanoidp below *root*; a context manager.  The users are `u00001` to `u00005`, passwords and addresses as in Dovecot."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "nanoidp", "--config", str(root), "--port", str(self.port)]
        self.process = ServerProcess("nanoidp", command, log=root / "nanoidp.log", grace_seconds=2.0)
        self.issued: dict[str, list[str]] = {}  # user -> tokens handed out to tests
        self._write()

    def __enter__(self) -> Self:
        self.process.start(self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def app(self, **changes: Any) -> OAuthApp:
        """mailwatch's registration here."""
        known = {
            "scopes": SCOPES,
            "authorize_url": f"{self.url}/authorize",
            "device_url": f"{self.url}/device_authorization",
            "revoke_url": f"{self.url}/revoke",
            "userinfo_url": f"{self.url}/userinfo",
        }
        return OAuthApp("idp", OAuthKind.CUSTOM, CLIENT, Secret(CLIENT_SECRET), f"{self.url}/token", **{**known, **changes})

    def robot(self) -> OAuthApp:
        """A client that signs in by itself (RFC 6749, 4.4)."""
        grant = GrantKind.CLIENT_CREDENTIALS
        return OAuthApp("robot", OAuthKind.CUSTOM, ROBOT, Secret(ROBOT_SECRET), f"{self.url}/token", ("mail",), grant=grant)

    # what owners do
    def consent(self, user: str) -> Secret:
        """*user* agrees: a refresh token."""
        form = {"grant_type": "password", "username": user, "password": f"pw-{user}", "scope": " ".join(SCOPES)}
        tokens = self._ask("/token", form)
        self.issued.setdefault(user, []).append(tokens["access_token"])
        return Secret(tokens["refresh_token"])

    def revoke(self, *tokens: str) -> None:
        """Whoever consented takes it back."""
        for token in tokens:
            self._ask("/revoke", {"token": token})

    def sign_in(self, authorize_url: str, user: str) -> dict[str, str]:
        """What a browser does: open the page, sign in as *user*; the query the browser is sent back with."""
        browser = Browser()
        page = browser.open(authorize_url)
        fields = {**page.fields, "username": user, "password": f"pw-{user}"}
        target = urllib.parse.urljoin(page.url, page.action)
        for _ in range(3):
            page = browser.open(target, fields)
            if page.location is not None:
                return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.location).query))
            fields, target = page.fields, urllib.parse.urljoin(page.url, page.action)
        raise AssertionError(page.text[:2000])

    def approve_device(self, user_code: str, user: str) -> None:
        """The person types *user_code* on another device and signs in."""
        browser = Browser()
        page = browser.open(f"{self.url}/device")
        form = {**page.fields, "user_code": user_code, "username": user, "password": f"pw-{user}", "action": "approve"}
        for _ in range(3):
            page = browser.open(urllib.parse.urljoin(page.url, page.action), {**page.fields, **form})
            if "form" not in page.text or "success" in page.text.lower() or "approved" in page.text.lower():
                return
        raise AssertionError(page.text[:2000])

    def introspect(self, token: str) -> dict[str, Any]:
        """What it says of *token*."""
        return self._ask("/introspect", {"token": token})

    def _ask(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        body = urllib.parse.urlencode({**form, "client_id": CLIENT, "client_secret": CLIENT_SECRET}).encode()
        with urllib.request.urlopen(f"{self.url}{path}", body, timeout=60) as response:
            return json.loads(response.read() or b"{}")

    def _write(self) -> None:
        post = {"token_endpoint_auth_method": "client_secret_post"}
        settings = {
            "config_version": 1,
            "server": {"host": "127.0.0.1", "port": self.port},
            "oauth": {
                "issuer": self.url,
                "audience": "mail",
                "refresh_token_rotation": True,
                "require_pkce": True,
                "scopes_supported": list(SCOPES),
                "clients": [
                    {"client_id": CLIENT, "client_secret": CLIENT_SECRET, "redirect_uris": [REDIRECT_URI], **post},
                    {"client_id": ROBOT, "client_secret": ROBOT_SECRET, **post},
                    {"client_id": "dovecot", "client_secret": "idp-dovecot-secret"},
                ],
            },
            "device_flow": {"polling_interval": 1},
            "session": {"enforce_password_check": True},
        }
        users = {name: {"password": f"pw-{name}", "email": f"{name}@{DOMAIN}"} for name in (f"u0000{n}" for n in range(1, 6))}
        # JSON is YAML
        (self.root / "settings.yaml").write_text(json.dumps(settings))
        (self.root / "users.yaml").write_text(json.dumps({"config_version": 1, "users": users}))


class Page(HTMLParser):
    """A page as far as a form is concerned, or where it sends the browser to."""

    def __init__(self, url: str, text: str, location: str | None) -> None:
        super().__init__()
        self.url, self.text, self.location = url, text, location
        self.action, self.fields = url, dict[str, str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form" and found.get("action"):
            self.action = str(found["action"])
        if tag == "input" and found.get("name"):
            self.fields[str(found["name"])] = found.get("value") or ""


class _Still(urllib.request.HTTPRedirectHandler):
    """Tells where it is sent to instead of going there."""

    def redirect_request(self, *_: object) -> None:
        return None


class Browser:
    """Keeps cookies, follows nothing by itself."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(
            _Still(), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), urllib.request.ProxyHandler({})
        )

    def open(self, url: str, form: Mapping[str, str] | None = None) -> Page:
        """The page at *url*, with *form* posted."""
        body = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            with self._opener.open(url, body, timeout=60) as response:
                return Page(url, response.read().decode(), None)
        except urllib.error.HTTPError as answer:
            with answer:
                headers: Message = answer.headers
                return Page(url, answer.read().decode(errors="replace"), headers.get("Location"))


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """A provider in a directory of its own."""
    with private_directory("identity") as root, IdentityProvider(root) as provider:
        yield provider


@contextmanager
def introspecting_dovecot(provider: IdentityProvider, authority: Authority) -> Iterator[Dovecot]:
    """A Dovecot that asks *provider* about every token: XOAUTH2 and OAUTHBEARER by `passdb oauth2`."""
    with private_directory("dovecot") as root:
        server = Dovecot(root, authority=authority)
        (root / "oauth2.conf").write_text(
            f"introspection_mode = post\nintrospection_url = http://dovecot:idp-dovecot-secret@127.0.0.1:{provider.port}/introspect\n"
            "username_attribute = sub\nactive_attribute = active\nactive_value = true\n"
        )
        with server:
            yield server
