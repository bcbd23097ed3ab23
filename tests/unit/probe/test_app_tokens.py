"""Tokens of applications that sign in by themselves: one for many, fetched once, renewed in time, never stored."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from fakes.ports import FakeClock
from fakes.probing import dialer, mailbox
from fakes.token_server import TokenServer, answer
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.oauth import GrantKind, OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.probe.app_tokens import AppTokens
from mailwatch.probe.failures import ImpairedError, TokenFailureError
from mailwatch.probe.token_endpoint import TokenEndpoint

BOX = mailbox("imaps://imap.example.org", auth=AuthKind.OAUTH)
OTHER = replace(BOX, id="mb_other", username="bert@example.org")


def tokens(*names: str) -> list[bytes]:
    return [answer(200, {"access_token": name, "expires_in": 3600}) for name in names]


class Desk:
    def __init__(self, server: TokenServer) -> None:
        self.server, self.clock = server, FakeClock()
        self.told: list[tuple[str, str]] = []
        self.endpoint = TokenEndpoint(dialer(), allow_cleartext=True)
        self.source = AppTokens(self.clock, self.endpoint, lambda *news: self.told.append(news))
        self.app = OAuthApp(
            "m365",
            OAuthKind.MICROSOFT,
            "id",
            Secret("client-c4n4ry"),
            server.url,
            grant=GrantKind.CLIENT_CREDENTIALS,
        )

    async def get(self, box: Any = BOX, **options: Any) -> str:
        return (await self.source.access_token(self.app, box, **options)).reveal()


@asynccontextmanager
async def desk(*answers: Any, delay_seconds: float = 0.0) -> AsyncIterator[Desk]:
    async with TokenServer(*answers, delay_seconds=delay_seconds).running() as server:
        made = Desk(server)
        yield made
        await made.source.close()
        await made.endpoint.close()


async def test_one_token_serves_every_mailbox_of_the_application() -> None:
    async with desk(*tokens("one", "two"), delay_seconds=0.05) as place:
        given = await asyncio.gather(*(place.get(replace(BOX, id=f"mb_{n}", username=f"u{n}@example.org")) for n in range(50)))
        assert set(given) == {"one"}
        assert place.server.forms == [
            {
                "grant_type": "client_credentials",
                "client_id": "id",
                "client_secret": "client-c4n4ry",
                "scope": "https://outlook.office365.com/.default",
            }
        ]
        assert place.told == [("other", "renewed")]


async def test_it_is_renewed_before_it_runs_out() -> None:
    async with desk(*tokens("one", "two")) as place:
        assert await place.get() == "one"
        place.clock.advance(3299)
        assert await place.get() == "one"
        place.clock.advance(2)
        assert await place.get() == "two"


async def test_a_mailbox_that_may_not_be_opened_does_not_make_each_probe_fetch_another() -> None:
    async with desk(*tokens("one", "two")) as place:
        assert await place.get() == "one"
        with pytest.raises(ImpairedError, match="token_not_renewable"):
            await place.get(refused=Secret("one"))
        place.clock.advance(121)
        assert await place.get(refused=Secret("one")) == "two"
        assert await place.get(OTHER, refused=Secret("one")) == "two"
        assert len(place.server.forms) == 2


async def test_a_service_account_has_a_token_for_each_mailbox() -> None:
    key = {"client_email": "robot@p", "private_key": RSAKey.generate_key(2048).as_pem(private=True).decode()}
    async with desk(*tokens("anna", "bert")) as place:
        place.app = replace(
            place.app, kind=OAuthKind.GOOGLE, grant=GrantKind.SERVICE_ACCOUNT, service_account=Secret(json.dumps(key))
        )
        assert [await place.get(), await place.get(OTHER), await place.get()] == ["anna", "bert", "anna"]
        assert {form["grant_type"] for form in place.server.forms} == {"urn:ietf:params:oauth:grant-type:jwt-bearer"}
        assert all("client_secret" not in form for form in place.server.forms)


async def test_a_refusal_is_the_applications_and_echoes_no_assertion() -> None:
    words = "AADSTS7000222: The provided client secret keys for app 'x' are expired. client-c4n4ry"
    async with desk(answer(401, {"error": "invalid_client", "error_description": words})) as place:
        with pytest.raises(TokenFailureError) as caught:
            await place.get()
        assert diagnose(caught.value.evidence).cause is Cause.OAUTH_MISCONFIGURED
        assert "c4n4ry" not in repr(caught.value.evidence)
        assert place.told == [("other", "refused")]


async def test_a_failure_is_not_remembered() -> None:
    async with desk(answer(503, b""), *tokens("one")) as place:
        with pytest.raises(TokenFailureError):
            await place.get()
        assert await place.get() == "one"
        assert [result for _, result in place.told] == ["failed", "renewed"]


async def test_who_gives_up_does_not_take_the_token_from_the_others() -> None:
    async with desk(*tokens("one"), delay_seconds=0.1) as place:
        impatient, patient = asyncio.ensure_future(place.get()), asyncio.ensure_future(place.get(OTHER))
        await asyncio.sleep(0.02)
        impatient.cancel()
        assert await patient == "one"
        assert len(place.server.forms) == 1


async def test_what_has_run_out_is_forgotten() -> None:
    async with desk(*tokens("one", "two")) as place:
        place.app = replace(place.app, name="first")
        await place.get()
        place.clock.advance(7200)
        place.app = replace(place.app, name="second")
        await place.get()
        assert [name for name, _ in place.source._held] == ["second"]
