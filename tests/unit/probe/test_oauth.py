"""Access tokens: fetched once for all who ask, stored before use, and never a dead grant for a sick endpoint."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fakes.certificates import Certificates
from fakes.dialogues import finish, flood, reset
from fakes.grants import MemoryGrants
from fakes.probing import WallClock, dialer, mailbox, run_on
from fakes.token_server import TokenServer, answer
from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Phase
from mailwatch.core.mailbox import AuthKind
from mailwatch.core.oauth import Grant, GrantKind, OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.ports import ConsentMissingError, StoreUnavailableError
from mailwatch.probe.failures import ImpairedError, TokenFailureError
from mailwatch.probe.oauth import TokenSource
from mailwatch.probe.token_endpoint import TokenEndpoint

NOW = datetime.now(UTC)
OLD = Grant("mb_test", 1, 7, Secret("refresh-1"), Secret("access-1"), NOW + timedelta(hours=1))
STALE = replace(OLD, expires_at=NOW + timedelta(minutes=4))
BOX = mailbox(imap="imaps://imap.example.org", auth=AuthKind.OAUTH)
GOOD = answer(200, {"access_token": "access-2", "expires_in": 3600})
ROTATED = answer(200, {"access_token": "access-2", "expires_in": 3600, "refresh_token": "refresh-2"})
GONE = answer(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})


@asynccontextmanager
async def source(server: TokenServer, grants: MemoryGrants, *, timeout_seconds: float = 30.0) -> AsyncIterator[TokenSource]:
    app = OAuthApp("app", OAuthKind.CUSTOM, "client-id", Secret("client-c4n4ry"), server.url, ("mail",))
    endpoint = TokenEndpoint(dialer(), allow_cleartext=True, timeout_seconds=timeout_seconds)
    tokens = TokenSource({"app": app}, grants, WallClock(), endpoint)
    try:
        yield tokens
    finally:
        await tokens.close()


async def test_a_fresh_token_is_handed_out_without_a_word() -> None:
    async with TokenServer(GOOD).running() as server, source(server, MemoryGrants(OLD)) as tokens:
        assert (await tokens.access_token(BOX)).reveal() == "access-1"
        assert not server.forms


async def test_a_token_near_its_end_is_renewed_and_stored_before_it_is_used() -> None:
    grants = MemoryGrants(STALE)
    async with TokenServer(ROTATED).running() as server, source(server, grants) as tokens:
        assert (await tokens.access_token(BOX)).reveal() == "access-2"
        assert grants.grant.refresh_token.reveal() == "refresh-2"
        assert grants.grant.epoch == 8
        assert server.forms == [
            {
                "grant_type": "refresh_token",
                "refresh_token": "refresh-1",
                "client_id": "client-id",
                "client_secret": "client-c4n4ry",
                "scope": "mail",
            }
        ]


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"refresh_token_expires_in": 604_800}, 7),
        ({"refresh_token_expires_in": "86400"}, 1),
        ({"refresh_expires_in": 172_800}, 2),
        ({"refresh_expires_in": 0}, None),
        ({"refresh_token_expires_in": -5}, None),
        ({"refresh_token_expires_in": "soon"}, None),
        ({"refresh_token_expires_in": float("nan")}, None),
        ({"refresh_token_expires_in": 1e300}, None),
        ({"refresh_token_expires_in": [1]}, None),
        ({}, None),
    ],
)
async def test_the_end_of_a_consent_is_kept_where_the_provider_names_one(fields: dict[str, object], days: int | None) -> None:
    grants = MemoryGrants(STALE)
    said = answer(200, {"access_token": "access-2", "expires_in": 3600, **fields})
    async with TokenServer(said).running() as server, source(server, grants) as tokens:
        await tokens.access_token(BOX)
    ends_at = grants.grant.consent_ends_at
    assert (ends_at is None) == (days is None)
    if ends_at is not None and days is not None:
        assert timedelta() <= ends_at - NOW - timedelta(days=days) < timedelta(hours=1)


async def test_many_who_ask_at_once_cause_one_refresh() -> None:
    async with TokenServer(GOOD, delay_seconds=0.05).running() as server, source(server, MemoryGrants(STALE)) as tokens:
        given = await asyncio.gather(*(tokens.access_token(BOX) for _ in range(20)))
        assert {token.reveal() for token in given} == {"access-2"}
        assert len(server.forms) == 1


async def test_two_nodes_cause_one_refresh_and_both_get_the_new_token() -> None:
    grants = MemoryGrants(STALE)
    async with (
        TokenServer(ROTATED, delay_seconds=0.1).running() as server,
        source(server, grants) as one,
        source(server, grants) as two,
    ):
        given = await asyncio.gather(one.access_token(BOX), two.access_token(BOX))
        assert {token.reveal() for token in given} == {"access-2"}
        assert len(server.forms) == 1


async def test_a_refused_token_is_renewed_unless_a_newer_one_is_there() -> None:
    grants = MemoryGrants(OLD)
    async with TokenServer(GOOD).running() as server, source(server, grants) as tokens:
        assert (await tokens.access_token(BOX, force=True, refused=Secret("access-0"))).reveal() == "access-1"
        assert not server.forms
        assert (await tokens.access_token(BOX, force=True, refused=Secret("access-1"))).reveal() == "access-2"
        assert len(server.forms) == 1


async def test_the_rotated_token_is_stored_although_the_probe_gave_up() -> None:
    grants = MemoryGrants(STALE)
    async with TokenServer(ROTATED, delay_seconds=0.2).running() as server, source(server, grants) as tokens:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await tokens.access_token(BOX)
        await tokens.close()
        assert grants.grant.refresh_token.reveal() == "refresh-2"
        assert server.forms


async def test_a_store_that_fails_for_a_moment_does_not_lose_the_rotated_token() -> None:
    grants = MemoryGrants(STALE)
    grants.unavailable = 2
    async with TokenServer(ROTATED).running() as server, source(server, grants) as tokens:
        assert (await tokens.access_token(BOX)).reveal() == "access-2"
        assert grants.grant.refresh_token.reveal() == "refresh-2"


async def test_a_token_that_cannot_be_stored_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    grants = MemoryGrants(STALE)
    grants.unavailable = 99
    monkeypatch.setattr("mailwatch.probe.oauth._STORE_TRIES", 2)
    async with TokenServer(ROTATED).running() as server, source(server, grants) as tokens:
        with pytest.raises(StoreUnavailableError):
            await tokens.access_token(BOX)


async def test_a_dead_grant_is_told_in_the_endpoints_own_words_and_asked_once() -> None:
    grants = MemoryGrants(STALE)
    async with TokenServer(GONE).running() as server, source(server, grants) as tokens:
        with pytest.raises(TokenFailureError) as caught:
            await tokens.access_token(BOX)
        evidence = caught.value.evidence
        assert (evidence.oauth_error, evidence.http_status, evidence.phase) == ("invalid_grant", 400, Phase.TOKEN)
        assert diagnose(evidence).cause is Cause.OAUTH_GRANT_REVOKED
        assert len(server.forms) == 1
        assert (grants.lease, grants.abandoned) == (None, 1)


async def test_invalid_grant_after_somebody_else_rotated_is_tried_with_the_new_token() -> None:
    grants = MemoryGrants(STALE)

    async def rotate_behind_the_back(peer: Any) -> None:
        grants.grant, grants.lease = replace(grants.grant, refresh_token=Secret("refresh-9"), epoch=20), None
        await peer.say(GONE)

    async with TokenServer(rotate_behind_the_back, GOOD).running() as server, source(server, grants) as tokens:
        assert (await tokens.access_token(BOX)).reveal() == "access-2"
        assert [form["refresh_token"] for form in server.forms] == ["refresh-1", "refresh-9"]


async def test_invalid_grant_after_a_new_consent_is_no_dead_grant() -> None:
    grants = MemoryGrants(STALE)

    async def consent_behind_the_back(peer: Any) -> None:
        grants.grant, grants.lease = replace(OLD, generation=2, epoch=8, access_token=Secret("access-9")), None
        await peer.say(GONE)

    async with TokenServer(consent_behind_the_back, GOOD).running() as server, source(server, grants) as tokens:
        assert (await tokens.access_token(BOX)).reveal() == "access-9"
        assert len(server.forms) == 1


async def test_a_late_result_for_an_older_consent_is_not_used() -> None:
    grants = MemoryGrants(STALE)

    async def consent_behind_the_back(peer: Any) -> None:
        grants.grant, grants.lease = replace(OLD, generation=2, epoch=8, access_token=None, expires_at=None), None
        await peer.say(GOOD)

    async with TokenServer(consent_behind_the_back).running() as server, source(server, grants) as tokens:
        with pytest.raises(ImpairedError, match="token_refresh_pending"):
            await tokens.access_token(BOX)


@pytest.mark.parametrize(
    ("reply", "causes", "retry_after"),
    [
        (answer(500, b"oops"), {Cause.SERVER_UNAVAILABLE}, None),
        (answer(503, b"", Retry_After="120"), {Cause.SERVER_UNAVAILABLE}, 120.0),
        (answer(429, {"error": "slow_down"}, Retry_After="30"), {Cause.RATE_LIMITED}, 30.0),
        (answer(429, b"", Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), {Cause.RATE_LIMITED}, 0.0),
        (answer(200, b"<html><body>Sign in to the hotel's network</body></html>"), {Cause.SERVER_UNAVAILABLE}, None),
        (answer(200, {"token_type": "Bearer", "refresh_token": "refresh-c4n4ry"}), {Cause.SERVER_UNAVAILABLE}, None),
        (answer(200, b"[" * 100_000), {Cause.SERVER_UNAVAILABLE}, None),
        (answer(302, b"", Location="http://127.0.0.1:1/"), set(Cause) - {Cause.OAUTH_GRANT_REVOKED}, None),
        (
            answer(401, {"error": "invalid_client", "error_description": "client-c4n4ry refresh-1"}),
            {Cause.OAUTH_MISCONFIGURED},
            None,
        ),
        (b"garbage\r\n\r\n", {Cause.PROTOCOL_ERROR, Cause.SERVER_UNAVAILABLE}, None),
        (reset, {Cause.CONNECTION_DROPPED, Cause.SERVER_UNAVAILABLE}, None),
        (finish, {Cause.CONNECTION_DROPPED, Cause.SERVER_UNAVAILABLE}, None),
        (flood(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 65536, 8), {Cause.SERVER_UNAVAILABLE, Cause.CONNECTION_TIMEOUT}, None),
    ],
)
async def test_a_sick_endpoint_says_nothing_of_the_grant(reply: Any, causes: set[Cause], retry_after: float | None) -> None:
    grants = MemoryGrants(STALE)
    async with TokenServer(reply).running() as server, source(server, grants, timeout_seconds=8.0) as tokens:
        with pytest.raises(TokenFailureError) as caught:
            await tokens.access_token(BOX)
        evidence = caught.value.evidence
        assert evidence.phase is Phase.TOKEN
        assert diagnose(evidence).cause in causes, evidence
        assert evidence.retry_after_seconds == retry_after
        assert "c4n4ry" not in repr(evidence)
        assert grants.grant == STALE
        assert grants.lease is None


async def test_an_endpoint_that_is_not_there_is_a_fault_of_the_network(free_port: Any) -> None:
    server = TokenServer(GOOD)
    grants = MemoryGrants(STALE)
    app = OAuthApp("app", OAuthKind.CUSTOM, "client-id", None, f"http://127.0.0.1:{free_port()}/token")
    tokens = TokenSource({"app": app}, grants, WallClock(), TokenEndpoint(dialer(), allow_cleartext=True))
    with pytest.raises(TokenFailureError) as caught:
        await tokens.access_token(BOX)
    await tokens.close()
    assert diagnose(caught.value.evidence).cause is Cause.CONNECTION_REFUSED
    assert not server.forms


async def test_a_mute_endpoint_is_given_up() -> None:
    async with (
        TokenServer(GOOD, delay_seconds=30).running() as server,
        source(server, MemoryGrants(STALE), timeout_seconds=0.2) as tokens,
    ):
        with pytest.raises(TokenFailureError) as caught:
            await tokens.access_token(BOX)
        assert diagnose(caught.value.evidence).cause in {Cause.CONNECTION_TIMEOUT, Cause.SERVER_UNAVAILABLE}


async def test_an_endpoint_that_the_egress_policy_forbids_is_not_connected_to() -> None:
    async with TokenServer(GOOD).running() as server:
        app = OAuthApp("app", OAuthKind.CUSTOM, "client-id", None, server.url)
        endpoint = TokenEndpoint(dialer(allow_private_hosts=False), allow_cleartext=True)
        tokens = TokenSource({"app": app}, MemoryGrants(STALE), WallClock(), endpoint)
        with pytest.raises(ImpairedError, match="target_denied"):
            await tokens.access_token(BOX)
        await tokens.close()
        assert not server.forms


async def test_a_token_url_without_tls_is_our_own_fault() -> None:
    async with TokenServer(GOOD).running() as server:
        app = OAuthApp("app", OAuthKind.CUSTOM, "client-id", None, server.url)
        tokens = TokenSource({"app": app}, MemoryGrants(STALE), WallClock(), TokenEndpoint(dialer()))
        with pytest.raises(ImpairedError, match="cleartext_refused"):
            await tokens.access_token(BOX)
        await tokens.close()


async def test_an_unknown_app_is_our_own_fault() -> None:
    async with TokenServer(GOOD).running() as server, source(server, MemoryGrants(STALE)) as tokens:
        with pytest.raises(ImpairedError, match="oauth_app_unknown"):
            await tokens.access_token(replace(BOX, oauth_app="another"))


def test_tokens_come_over_verified_tls_on_uvloop_as_well(certificates: Certificates) -> None:
    async def test() -> None:
        server = TokenServer(GOOD, tls=certificates.server())
        async with server.running():
            app = OAuthApp("app", OAuthKind.CUSTOM, "client-id", None, server.url)
            tokens = TokenSource({"app": app}, MemoryGrants(STALE), WallClock(), TokenEndpoint(dialer(certificates.ca_file)))
            assert (await tokens.access_token(BOX)).reveal() == "access-2"
            await tokens.close()
            strict = TokenSource(
                {"app": app},
                MemoryGrants(STALE),
                WallClock(),
                TokenEndpoint(dialer(Certificates(certificates.ca_file.parent / "x").ca_file)),
            )
            with pytest.raises(TokenFailureError) as caught:
                await strict.access_token(BOX)
            await strict.close()
            assert caught.value.evidence.phase is Phase.TOKEN
            assert diagnose(caught.value.evidence).cause is Cause.TLS_CERTIFICATE_UNTRUSTED
            assert len(server.forms) == 1

    run_on("uvloop", test, handler=lambda context: None)


@pytest.mark.parametrize("slow", ["load", "begin_refresh"])
async def test_a_store_that_does_not_answer_is_our_own_fault(slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailwatch.probe.oauth._STORE_SECONDS", 0.01)

    class Stuck(MemoryGrants):
        async def load(self, mailbox_id: str) -> Grant:
            return await (asyncio.Event().wait() if slow == "load" else super().load(mailbox_id))  # type: ignore[return-value]  # never returns

        async def begin_refresh(self, mailbox_id: str, *, epoch: int, lease_seconds: float) -> str | None:
            del mailbox_id, epoch, lease_seconds
            await asyncio.Event().wait()
            return None

    async with TokenServer(GOOD).running() as server, source(server, Stuck(STALE)) as tokens:
        with pytest.raises(ImpairedError, match="store_failing"):
            await tokens.access_token(BOX)
        assert not server.forms


class NobodysGrants(MemoryGrants):
    """Nobody has signed in yet; what is asked of it is counted."""

    def __init__(self) -> None:
        super().__init__(OLD)
        self.asked = 0

    async def load(self, mailbox_id: str) -> Grant:
        self.asked += 1
        raise ConsentMissingError(f"no consent is stored for {mailbox_id}")


async def test_a_mailbox_nobody_has_signed_in_for_needs_a_person_and_is_no_fault_of_ours() -> None:
    async with TokenServer(GOOD).running() as server, source(server, NobodysGrants()) as tokens:
        with pytest.raises(TokenFailureError) as caught:
            await tokens.access_token(BOX)
        assert diagnose(caught.value.evidence).cause is Cause.OAUTH_GRANT_REVOKED
        assert "nobody has signed in" in caught.value.evidence.response
        assert not server.forms


async def test_an_application_that_signs_in_by_itself_asks_the_store_for_nothing() -> None:
    async with TokenServer(GOOD).running() as server:
        app = OAuthApp("app", OAuthKind.CUSTOM, "id", Secret("s"), server.url, ("mail",), grant=GrantKind.CLIENT_CREDENTIALS)
        grants = NobodysGrants()
        tokens = TokenSource({"app": app}, grants, WallClock(), TokenEndpoint(dialer(), allow_cleartext=True))
        given = await asyncio.gather(*(tokens.access_token(BOX) for _ in range(5)))
        await tokens.close()
        assert {token.reveal() for token in given} == {"access-2"}
        assert (len(server.forms), grants.asked) == (1, 0)
