"""The consent page: a click on Allow is a code, good once, for who has the verifier."""

import asyncio
import base64
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from mailwatch.core.oauth import challenge_of
from servers.identity import Browser

GINA, MIA = "gina@google.example", "mia@ms.example"
BACK = "http://127.0.0.1:9725/oauth/callback"
VERIFIER = "v" * 64


def url_of(world, provider, **changes):
    app = world.oauth_app(provider)
    asked = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": BACK,
        "scope": "mail offline_access",
        "state": 'st4te"><script>',
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        "login_hint": GINA,
    }
    return f"{app.authorize_url}?{urllib.parse.urlencode(asked | changes)}"


async def press(world, provider, decision, account=None, **changes):
    """Where the browser is sent after a click: the query; or the page when it is sent nowhere."""

    def run():
        browser = Browser()
        page = browser.open(url_of(world, provider, **changes))
        fields = {**page.fields, "decision": decision}
        if account is not None:
            fields["account"] = account
        after = browser.open(urllib.parse.urljoin(page.url, page.action), fields)
        return after if after.location is None else dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(after.location).query))

    return await asyncio.to_thread(run)


async def exchange(client, provider, code, **changes):
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": BACK} | changes
    return await client.token(provider, "", **form)


async def test_one_click_brings_tokens_that_open_the_mailbox(world, client):
    back = await press(world, "google", "allow")
    assert back["state"] == 'st4te"><script>'
    status, document, _ = await exchange(client, "google", back["code"])
    assert (status, document["scope"]) == (200, "mail offline_access")
    assert world["google"].tokens.owner_of_access(document["access_token"]) == GINA
    assert (await client.token("google", document["refresh_token"]))[0] == 200


async def test_the_id_token_tells_who_clicked(world, client):
    back = await press(world, "microsoft", "allow", MIA)
    _, document, _ = await exchange(client, "microsoft", back["code"])
    claims = document["id_token"].split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["email"] == MIA


async def test_deny_brings_the_standards_error(world):
    back = await press(world, "google", "deny")
    assert (back["error"], back["state"]) == ("access_denied", 'st4te"><script>')


@pytest.mark.parametrize("account", ["nobody@google.example", MIA])
async def test_an_account_that_is_not_here_is_told_and_may_be_corrected(world, account):
    page = await press(world, "google", "allow", account)
    assert "no such account here" in page.text
    assert page.fields["state"] == 'st4te"><script>'
    assert "<script>" not in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "stranger"},
        {"redirect_uri": "javascript:alert(1)"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
    ],
)
async def test_a_request_that_is_not_as_it_should_be_sends_nobody_back(world, changes):
    page = await asyncio.to_thread(Browser().open, url_of(world, "google", **changes))
    assert page.location is None
    assert "form" not in page.text


@pytest.mark.parametrize(
    "changes", [{"code_verifier": "w" * 64}, {"redirect_uri": "http://127.0.0.1:9725/"}, {"code_verifier": ""}]
)
async def test_a_code_is_no_good_without_its_verifier_and_place(world, client, changes):
    back = await press(world, "google", "allow")
    status, document, _ = await exchange(client, "google", back["code"], **changes)
    assert (status, document["error"]) == (400, "invalid_grant")


async def test_a_code_is_good_once(world, client):
    back = await press(world, "google", "allow")
    assert [(await exchange(client, "google", back["code"]))[0] for _ in range(2)] == [200, 400]


async def test_a_consent_taken_back_by_request_is_dead(world, client):
    token = world.consent(GINA)
    app = world.oauth_app("google")
    assert app.revoke_url is not None

    def revoke(secret):
        form = {"token": token, "client_id": app.client_id, "client_secret": secret}
        try:
            with urllib.request.urlopen(app.revoke_url, urllib.parse.urlencode(form).encode(), context=client.context) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert await asyncio.to_thread(revoke, "wrong") == 401
    assert (await client.token("google", token))[0] == 200
    assert await asyncio.to_thread(revoke, app.client_secret.reveal()) == 200
    assert (await client.token("google", token))[1]["error"] == "invalid_grant"


async def test_tokens_are_never_handed_out_in_clear(world):
    page = world.oauth_app("google").authorize_url.replace("/authorize", "/token")
    found = await asyncio.to_thread(Browser().open, page, {"grant_type": "refresh_token", "refresh_token": world.consent(GINA)})
    assert "access_token" not in found.text
