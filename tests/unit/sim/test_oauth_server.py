"""The token endpoint over HTTPS."""

import asyncio
import base64
import urllib.error

import pytest

from mailwatch.sim import Fault, FaultKind

GINA, MIA = "gina@google.example", "mia@ms.example"


async def test_a_refresh_token_is_exchanged_for_an_access_token(world, client):
    status, document, _ = await client.token("google", world.consent(GINA))
    assert status == 200
    assert document["token_type"] == "Bearer"
    assert document["expires_in"] == 3600
    assert "refresh_token" not in document
    assert world["google"].ledger.refreshes[GINA] == 1


async def test_microsoft_rotates(world, client):
    first = world.consent(MIA)
    _, document, _ = await client.token("microsoft", first)
    assert document["refresh_token"] != first
    assert (await client.token("microsoft", document["refresh_token"]))[0] == 200


async def test_a_dead_grant_is_told_in_the_providers_words(world, client):
    google, microsoft = world.consent(GINA), world.consent(MIA)
    world.revoke(GINA)
    world.revoke(MIA)
    status, document, _ = await client.token("google", google)
    assert (status, document["error"]) == (400, "invalid_grant")
    assert "expired or revoked" in document["error_description"]
    _, document, _ = await client.token("microsoft", microsoft)
    assert "AADSTS700082" in document["error_description"]


async def test_a_wrong_client_secret_is_no_dead_grant(world, client):
    token = world.consent(MIA)
    status, document, _ = await client.token("microsoft", token, client_secret="wrong")
    assert (status, document["error"]) == (401, "invalid_client")
    assert "AADSTS7000222" in document["error_description"]
    assert (await client.token("microsoft", token))[0] == 200


async def test_a_client_may_show_its_secret_in_http_basic(world, client):
    app = world.oauth_app("google")
    basic = base64.b64encode(f"{app.client_id}:{app.client_secret.reveal()}".encode()).decode()
    body = f"grant_type=refresh_token&refresh_token={world.consent(GINA)}".encode()
    host, port = app.token_url.removeprefix("https://").removesuffix("/token").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=client.context)
    head = f"POST /token HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    answer = await reader.read()
    writer.transport.abort()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"access_token" in answer


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        (FaultKind.TOKEN_ERROR, 500, "internal_failure"),
        (FaultKind.TOKEN_HTML, 503, "<!DOCTYPE html>"),
        (FaultKind.TOKEN_THROTTLED, 429, "too_many_requests"),
        (FaultKind.TOKEN_EMPTY, 200, "Bearer"),
        (FaultKind.APP_SECRET_EXPIRED, 401, "invalid_client"),
        (FaultKind.GRANT_REVOKED, 400, "invalid_grant"),
    ],
)
async def test_each_token_fault_answers_in_its_way_and_leaves_the_grant_alone(world, client, kind, status, words):
    token = world.consent(GINA)
    fault = Fault(kind, "google", seconds=17)
    await world.begin(fault)
    got, document, headers = await client.token("google", token)
    assert got == status
    assert words in str(document)
    assert headers.get("Retry-After") == ("17" if kind is FaultKind.TOKEN_THROTTLED else None)
    await world.end(fault)
    assert "access_token" in (await client.token("google", token))[1]


async def test_a_hanging_endpoint_says_nothing(world, client):
    await world.begin(Fault(FaultKind.TOKEN_HANG, "google"))
    asking = asyncio.create_task(asyncio.wait_for(client.token("google", world.consent(GINA)), 0.4))
    with pytest.raises(TimeoutError):
        await asking
    await world["google"].stop()  # lets the client's thread end


async def test_an_outage_shuts_the_token_endpoint_too(world, client):
    token = world.consent(GINA)
    await world.begin(Fault(FaultKind.OUTAGE, "google"))
    with pytest.raises(urllib.error.URLError, match="refused"):
        await client.token("google", token)


async def test_other_paths_and_methods_are_refused(world, client):
    host, port = world["google"].token_url.removeprefix("https://").removesuffix("/token").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=client.context)
    writer.write(b"GET / HTTP/1.1\r\n\r\nGET /token HTTP/1.1\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.transport.abort()
    assert b"404 Not Found" in answer
    assert b"405 Method Not Allowed" in answer
