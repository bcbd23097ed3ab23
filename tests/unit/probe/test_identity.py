"""Who signed in: what an ID token tells, and what a login shows."""

import base64
import json
from typing import Any

import pytest

from fakes.dialogues import imap
from fakes.peer import ScriptedServer
from fakes.probing import WallClock, dialer, mailbox
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.oauth import OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.probe.identity import ProofByLogin, login_names


def app(kind: OAuthKind) -> OAuthApp:
    return OAuthApp("app", kind, "id", None, "https://t.example/token")


def token(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"aud": "id", **claims}).encode()).decode().rstrip("=")
    return f"e30.{body}.x"


@pytest.mark.parametrize(
    ("kind", "claims", "names"),
    [
        (OAuthKind.GOOGLE, {"email": "a@x.org", "email_verified": True, "sub": "7"}, ("a@x.org",)),
        (OAuthKind.GOOGLE, {"email": "a@x.org", "email_verified": False}, ()),
        (OAuthKind.MICROSOFT, {"preferred_username": "a@x.org", "email": "b@x.org"}, ("a@x.org", "b@x.org")),
        (OAuthKind.CUSTOM, {"email": "a@x.org", "sub": "u7", "preferred_username": "victim@x.org"}, ("a@x.org", "u7")),
        (OAuthKind.CUSTOM, {"sub": "a@x.org"}, ("a@x.org",)),
        (OAuthKind.CUSTOM, {"sub": "7"}, ()),
        (OAuthKind.CUSTOM, {"email": "a@x.org\r\nEvil: 1"}, ()),
        (OAuthKind.GOOGLE, {"email": ["a@x.org"]}, ()),
        (OAuthKind.GOOGLE, {"email": "a@x.org", "aud": "another-client"}, ()),
        (OAuthKind.GOOGLE, {"email": "a@x.org", "aud": ["other", "id"]}, ("a@x.org",)),
    ],
)
def test_only_claims_that_their_owner_cannot_choose_name_a_login(
    kind: OAuthKind, claims: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert login_names(app(kind), token(**claims)) == names


@pytest.mark.parametrize("told", [None, 7, "", "a.b", "a.!!!.c", "a.e30", "a.W10.c", "a..c", "e30.bm90IGpzb24.c"])
def test_what_is_no_id_token_tells_nothing(told: object) -> None:
    assert login_names(app(OAuthKind.GOOGLE), told) == ()


async def proof(quirks: dict[str, Any]) -> str | None:
    async with ScriptedServer(imap(quirks)).running() as server:
        box = mailbox(f"imap://127.0.0.1:{server.port}", auth=AuthKind.OAUTH)
        found = await ProofByLogin(dialer(), WallClock(), allow_cleartext=True).refusal(box, Secret("token-c4n4ry"))
        assert server.connections == 1  # a refused token is shown once: there is no other to try
        return found


async def test_a_token_that_logs_in_is_proved() -> None:
    assert await proof({}) is None


async def test_a_token_that_is_refused_is_told_in_the_servers_words() -> None:
    words = await proof({"AUTHENTICATE": b"{tag} NO [AUTHENTICATIONFAILED] token-c4n4ry is not yours\r\n"})
    assert words is not None
    assert "is not yours" in words
    assert "c4n4ry" not in words


async def test_a_server_that_cannot_be_asked_proves_nothing() -> None:
    box = mailbox("imap://127.0.0.1:1", auth=AuthKind.OAUTH)
    assert await ProofByLogin(dialer(), WallClock(), allow_cleartext=True).refusal(box, Secret("t")) is not None
    assert await ProofByLogin(dialer(), WallClock()).refusal(box, Secret("t")) == "its mail server could not be asked just now"
