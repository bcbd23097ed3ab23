"""The provider's side of a consent: what people are sent to, what comes for a code, and what a refusal means to them."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fakes.dialogues import reset
from fakes.probing import dialer
from fakes.token_server import TokenServer, answer
from mailwatch.core.oauth import ClientAuth, OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.ports.consents import ConsentError, DeviceStart, Tokens
from mailwatch.probe.consent import HttpConsentEndpoints
from mailwatch.probe.http import JudgedHttp

GOOGLE = OAuthApp(
    "g",
    OAuthKind.GOOGLE,
    "gid",
    Secret("s3cret"),
    "https://t.example/token",
    authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
)
MICROSOFT = OAuthApp(
    "m", OAuthKind.MICROSOFT, "mid", None, "https://t.example/token", authorize_url="https://login.microsoftonline.com/x/authorize"
)
CODE, VERIFIER = Secret("c0de-c4n4ry"), Secret("verifier-c4n4ry")
BACK = "https://mailwatch.example.org/oauth/callback"


def id_token(**claims: Any) -> str:
    parts = ({"alg": "RS256"}, {"aud": "id", **claims})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".signature"


def app_at(server: TokenServer, **changes: Any) -> OAuthApp:
    app = OAuthApp("app", OAuthKind.CUSTOM, "id", Secret("client-c4n4ry"), server.url, ("mail",))
    return replace(app, device_url=server.url, revoke_url=server.url, **changes)


@asynccontextmanager
async def endpoints(*answers: Any) -> AsyncIterator[tuple[HttpConsentEndpoints, TokenServer]]:
    async with TokenServer(*answers).running() as server:
        found = HttpConsentEndpoints(JudgedHttp(dialer(), allow_cleartext=True, timeout_seconds=20.0))
        try:
            yield found, server
        finally:
            await found.close()


async def exchange(answered: Any, **changes: Any) -> Tokens:
    async with endpoints(answered) as (found, server):
        return await found.exchange(app_at(server, **changes), code=CODE, verifier=VERIFIER, redirect_uri=BACK)


def asked_of(app: OAuthApp, **options: Any) -> dict[str, str]:
    url = HttpConsentEndpoints(JudgedHttp(dialer())).authorize_url(
        app, state="st4te", challenge="ch4llenge", redirect_uri=BACK, address="anna+x@example.org", **options
    )
    assert app.authorize_url is not None
    assert url.startswith(app.authorize_url)
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query, strict_parsing=True).items()}


def test_google_is_asked_for_a_consent_that_lasts() -> None:
    assert asked_of(GOOGLE) == {
        "response_type": "code",
        "client_id": "gid",
        "redirect_uri": BACK,
        "scope": "openid email https://mail.google.com/",
        "state": "st4te",
        "code_challenge": "ch4llenge",
        "code_challenge_method": "S256",
        "login_hint": "anna+x@example.org",
        "access_type": "offline",
        "prompt": "consent",
    }


def test_microsoft_is_asked_for_mail_by_full_names_and_for_lasting() -> None:
    asked = asked_of(MICROSOFT)
    assert asked["scope"].split()[-2:] == [
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        "https://outlook.office.com/SMTP.Send",
    ]
    assert "offline_access" in asked["scope"].split()
    assert "prompt" not in asked


def test_after_a_wrong_account_both_let_one_choose() -> None:
    assert asked_of(MICROSOFT, choose=True)["prompt"] == "select_account"
    assert asked_of(GOOGLE, choose=True)["prompt"] == "select_account consent"


def test_a_custom_server_is_asked_for_what_is_configured_and_nothing_else() -> None:
    app = OAuthApp(
        "c", OAuthKind.CUSTOM, "id", None, "https://t/token", ("mail", "openid"), authorize_url="https://a/auth?tenant=7"
    )
    asked = asked_of(app)
    assert (asked["scope"], asked["tenant"]) == ("mail openid", "7")
    assert "scope" not in asked_of(replace(app, scopes=()))


def test_where_nobody_can_be_sent_it_is_said() -> None:
    with pytest.raises(ConsentError, match="authorize_url"):
        asked_of(replace(GOOGLE, authorize_url=None))


async def test_the_code_travels_with_its_verifier_and_the_clients_secret() -> None:
    good = answer(200, {"access_token": "a", "expires_in": 3599, "refresh_token": "r", "scope": "mail openid"})
    async with endpoints(good) as (found, server):
        tokens = await found.exchange(app_at(server), code=CODE, verifier=VERIFIER, redirect_uri=BACK)
        assert server.forms == [
            {
                "grant_type": "authorization_code",
                "code": "c0de-c4n4ry",
                "redirect_uri": BACK,
                "code_verifier": "verifier-c4n4ry",
                "client_id": "id",
                "client_secret": "client-c4n4ry",
            }
        ]
    assert (tokens.access_token.reveal(), tokens.refresh_token.reveal(), tokens.lifetime_seconds) == ("a", "r", 3599.0)
    assert (tokens.scopes, tokens.address) == (frozenset({"mail", "openid"}), None)


async def test_how_long_the_consent_lasts_is_taken_over() -> None:
    async with endpoints(answer(200, {"access_token": "a", "refresh_token": "r", "refresh_token_expires_in": 604800})) as (
        found,
        server,
    ):
        tokens = await found.exchange(app_at(server), code=CODE, verifier=VERIFIER, redirect_uri=BACK)
    assert tokens.consent_seconds == 604_800.0


async def test_a_secret_may_travel_in_a_header_alone() -> None:
    async with endpoints(answer(200, {"access_token": "a"})) as (found, server):
        app = app_at(server, client_auth=ClientAuth.BASIC, client_id="i:d", client_secret=Secret("s/ x"))
        await found.exchange(app, code=CODE, verifier=VERIFIER, redirect_uri=BACK)
        assert "client_secret" not in server.forms[0]
        header = next(line for line in server._server.heard if line.lower().startswith(b"authorization"))
        # RFC 6749, 2.3.1: both are form-encoded first
        assert base64.b64decode(header.split()[-1]) == b"i%3Ad:s%2F+x"


async def test_scopes_that_are_not_named_are_those_asked_for() -> None:
    tokens = await exchange(answer(200, {"access_token": "a", "refresh_token": "r"}))
    assert tokens.scopes == frozenset({"mail"})


async def test_who_signed_in_is_read_from_the_id_token() -> None:
    good = {"access_token": "a", "refresh_token": "r", "id_token": id_token(email="anna@example.org", email_verified=True, sub="7")}
    tokens = await exchange(answer(200, good))
    assert (tokens.address, tokens.aliases) == ("anna@example.org", frozenset({"7"}))


async def test_who_signed_in_is_asked_for_where_the_id_token_does_not_tell() -> None:
    good = answer(200, {"access_token": "a-c4n4ry", "refresh_token": "r", "id_token": id_token(sub="7")})
    async with endpoints(good) as (found, server), TokenServer(answer(200, {"email": "anna@example.org"})).running() as me:
        tokens = await found.exchange(app_at(server, userinfo_url=me.url), code=CODE, verifier=VERIFIER, redirect_uri=BACK)
        assert tokens.address == "anna@example.org"
        assert b"Authorization: Bearer a-c4n4ry\r\n" in me._server.heard


@pytest.mark.parametrize("told", [answer(401, {"email": "bob@example.org"}), answer(200, b"<html>"), reset])
async def test_who_signed_in_is_unknown_where_userinfo_does_not_tell(told: Any) -> None:
    good = answer(200, {"access_token": "a", "refresh_token": "r"})
    async with endpoints(good) as (found, server), TokenServer(told).running() as me:
        tokens = await found.exchange(app_at(server, userinfo_url=me.url), code=CODE, verifier=VERIFIER, redirect_uri=BACK)
        assert tokens.address is None


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        (answer(400, {"error": "invalid_grant", "error_description": "Bad code c0de-c4n4ry"}), "run out or was used already"),
        (answer(401, {"error": "invalid_client", "error_description": "AADSTS7000222"}), "own registration .app."),
        (answer(400, {"error": "invalid_scope"}), "administrator must correct the scopes"),
        (answer(500, b"<html>oops client-c4n4ry</html>"), "the provider refused"),
        (answer(200, {"token_type": "Bearer"}), "the provider refused"),
        (answer(200, {"error": "x", "refresh_token": "r-c4n4ry", "error_description": "kept r-c4n4ry"}), "the provider refused"),
        (reset, "did not answer"),
    ],
)
async def test_a_refusal_says_what_it_means_and_never_shows_a_secret(answered: Any, words: str) -> None:
    with pytest.raises(ConsentError, match=words) as caught:
        await exchange(answered)
    assert "c4n4ry" not in str(caught.value)


async def test_cleartext_is_refused_before_anything_is_sent() -> None:
    async with TokenServer(answer(200, {})).running() as server:
        found = HttpConsentEndpoints(JudgedHttp(dialer()))
        with pytest.raises(ConsentError, match="use https"):
            await found.exchange(app_at(server), code=CODE, verifier=VERIFIER, redirect_uri=BACK)
        assert not server.forms


# --- devices ---

START = DeviceStart(Secret("device-c4n4ry"), "WDJB-MJHT", "https://x/device", 5.0, 900.0)


async def test_a_device_flow_begins_with_what_the_server_says() -> None:
    begun = {"device_code": "d", "user_code": "WDJB-MJHT", "verification_uri": "https://x/device", "expires_in": 900, "interval": 7}
    async with endpoints(answer(200, begun)) as (found, server):
        start = await found.start_device(app_at(server))
        assert server.forms == [{"client_id": "id", "scope": "mail", "client_secret": "client-c4n4ry"}]
    assert (start.device_code.reveal(), start.user_code, start.verification_url) == ("d", "WDJB-MJHT", "https://x/device")
    assert (start.interval_seconds, start.expires_in_seconds) == (7.0, 900.0)


async def test_a_provider_without_a_device_flow_says_so() -> None:
    async with endpoints(answer(200, {"user_code": "no device_code"})) as (found, server):
        with pytest.raises(ConsentError, match="device_url"):
            await found.start_device(replace(app_at(server), device_url=None))
        with pytest.raises(ConsentError, match="refused"):
            await found.start_device(app_at(server))


@pytest.mark.parametrize(
    ("answered", "wait"),
    [
        (answer(400, {"error": "authorization_pending"}), 5.0),
        (answer(400, {"error": "slow_down"}), 10.0),
        (reset, 10.0),
    ],
)
async def test_while_nobody_has_typed_the_code_one_waits(answered: Any, wait: float) -> None:
    async with endpoints(answered) as (found, server):
        assert await found.poll_device(app_at(server), START) == wait


async def test_once_it_is_typed_the_tokens_come() -> None:
    async with endpoints(answer(200, {"access_token": "a", "refresh_token": "r"})) as (found, server):
        tokens = await found.poll_device(app_at(server), START)
        assert isinstance(tokens, Tokens)
        assert server.forms[0]["device_code"] == "device-c4n4ry"
        assert server.forms[0]["grant_type"] == "urn:ietf:params:oauth:grant-type:device_code"


@pytest.mark.parametrize(
    ("error", "words"),
    [("access_denied", "allow it there"), ("expired_token", "not typed in time"), ("invalid_client", "own registration")],
)
async def test_what_ends_a_device_flow_is_told(error: str, words: str) -> None:
    async with endpoints(answer(400, {"error": error})) as (found, server):
        with pytest.raises(ConsentError, match=words):
            await found.poll_device(app_at(server), START)


# --- revocation ---


async def test_a_grant_is_revoked_where_the_provider_allows() -> None:
    async with endpoints(answer(200, b"")) as (found, server):
        assert await found.revoke(app_at(server), Secret("r"))
        assert server.forms == [
            {"token": "r", "token_type_hint": "refresh_token", "client_id": "id", "client_secret": "client-c4n4ry"}
        ]
        assert not await found.revoke(replace(app_at(server), revoke_url=None), Secret("r"))


@pytest.mark.parametrize("answered", [answer(400, {"error": "invalid_token"}), reset])
async def test_a_revocation_that_does_not_work_never_raises(answered: Any) -> None:
    async with endpoints(answered) as (found, server):
        assert not await found.revoke(app_at(server), Secret("r"))
