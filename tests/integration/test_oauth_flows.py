"""Consents from end to end: a real identity provider, and a real Dovecot that asks it about every token it is shown.

The clock of mailwatch is moved by hand; that of the servers is the machine's.
"""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from fakes.peer import Peer
from fakes.probing import dialer
from fakes.token_server import TokenServer, answer
from mailwatch.core.causes import Cause
from mailwatch.core.decide import decide
from mailwatch.core.evidence import Outcome
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind, Depth, Endpoint, Mailbox
from mailwatch.core.oauth import GrantKind, OAuthApp, OAuthKind
from mailwatch.core.policy import ConfirmPolicy, Policy, VerifyPolicy
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Standing
from mailwatch.desk.acts import Desk, Withdrawal
from mailwatch.desk.consents import Consents
from mailwatch.ports import Act, Assignment, NewMailbox
from mailwatch.ports.consents import ConsentState
from mailwatch.probe import NetworkProber, TokenEndpoint, TokenSource
from mailwatch.probe.consent import HttpConsentEndpoints
from mailwatch.probe.http import JudgedHttp
from mailwatch.probe.identity import ProofByLogin
from mailwatch.probe.token_endpoint import TokenReply
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from servers.authority import Authority
from servers.dovecot import Dovecot
from servers.fixtures import StartDovecot
from servers.identity import REDIRECT_URI, IdentityProvider, identity_provider, introspecting_dovecot
from servers.presence import need_dovecot
from servers.process import wait_until

pytestmark = pytest.mark.integration

ANN = Act("user:ann", "mailbox.reconnect")
BROWSER = "this-browser"
POLICY = Policy(
    timeout_seconds=60.0,
    depth=Depth.SUBMIT,
    confirm=ConfirmPolicy(min_seconds=1.0, max_seconds=2.0, secret_seconds=60.0),
    verify=VerifyPolicy(successes=2, min_seconds=10.0, spacing_seconds=5.0),
)


class MovedClock:
    """The machine's clock, and what was added to it by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead.total_seconds()


@dataclass
class Place:
    """mailwatch around one mailbox: store, probes, consents."""

    provider: IdentityProvider
    dovecot: Dovecot
    store: SqlStore
    clock: MovedClock
    apps: dict[str, OAuthApp]
    tokens: TokenSource
    consents: Consents
    refreshes: list[str] = field(default_factory=list)

    async def add(self, user: str, secret: Secret | None, app: str = "idp", mechanism: str | None = None) -> str:
        box = Mailbox(
            f"mb_{user}",
            f"{user}@mail.test",
            f"{user}@mail.test",
            AuthKind.OAUTH,
            Endpoint.parse(f"imaps://localhost:{self.dovecot.imaps_port}"),
            Endpoint.parse(f"smtps://localhost:{self.dovecot.submissions_port}"),
            "other",
            self.clock.now(),
            oauth_app=app,
        )
        await self.store.add([NewMailbox(box, secret)], ANN, first_due_at=lambda _index: self.clock.now())
        return box.id

    async def standing(self, mailbox_id: str) -> Standing:
        return (await self.store.find(mailbox_id)).standing

    async def probe(self, mailbox_id: str) -> Standing:
        """Wait until the mailbox is due, and look at it as the daemon does."""
        due_at = (await self.standing(mailbox_id)).due_at
        assert due_at is not None
        self.clock.ahead += max(due_at - self.clock.now(), timedelta())
        (claim,) = await self.store.claim_due(self.clock.now(), 1, 60.0)
        prober = NetworkProber(dialer(self.dovecot.ca_file), self.tokens, self.clock)
        assignment = Assignment(
            claim.mailbox, claim.standing.generation, claim.credential, POLICY.depth, POLICY.timeout_seconds, refusals_left=2
        )
        if claim.standing.state is State.BLOCKED:
            assignment = replace(assignment, depth=Depth.REACH)
        report = await prober.probe(assignment)
        assert all(channel.outcome is not Outcome.IMPAIRED for channel in report.channels), report
        decision = decide(claim.mailbox, claim.standing, report, POLICY, self.clock.now(), random.Random(7))
        await self.store.record(claim, decision)
        await self.store.flush()
        return await self.standing(mailbox_id)

    async def until(self, mailbox_id: str, state: State, tries: int = 8) -> Standing:
        for _ in range(tries):
            standing = await self.probe(mailbox_id)
            if standing.state is state:
                return standing
        raise AssertionError(await self.standing(mailbox_id))

    async def access_token(self, mailbox_id: str) -> str:
        token = (await self.store.grants.load(mailbox_id)).access_token
        assert token is not None
        return token.reveal()

    async def grant_taken_back(self, mailbox_id: str) -> None:
        """The owner ends mailwatch's access in the provider's settings: every token of the grant is dead."""
        grant = await self.store.grants.load(mailbox_id)
        await asyncio.to_thread(self.provider.revoke, grant.refresh_token.reveal(), await self.access_token(mailbox_id))


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as running:
        yield running


@pytest.fixture(scope="module")
def dovecot(provider: IdentityProvider, authority: Authority) -> Iterator[Dovecot]:
    need_dovecot()
    with introspecting_dovecot(provider, authority) as running:
        yield running


@pytest.fixture
def dovecot_with_keys(start_dovecot: StartDovecot) -> Dovecot:
    """One that checks tokens by a key of its own, without asking."""
    return start_dovecot()


@pytest.fixture
async def place(provider: IdentityProvider, dovecot: Dovecot, tmp_path: Path) -> AsyncIterator[Place]:
    url, clock = f"sqlite:///{tmp_path / 'mailwatch.db'}", MovedClock()
    await migrate(url)
    store = SqlStore(url, Vault(KeyRing.generate()), clock, node="test")
    await store.open()
    apps = {"idp": provider.app(), "robot": provider.robot()}
    refreshes: list[str] = []
    tokens = TokenSource(
        apps,
        store.grants,
        clock,
        TokenEndpoint(dialer(), allow_cleartext=True),
        told=lambda _provider, result: refreshes.append(result),
    )
    http = JudgedHttp(dialer(), allow_cleartext=True)
    consents = Consents(
        apps,
        HttpConsentEndpoints(http),
        store.consents,
        store,
        clock,
        lambda: REDIRECT_URI,
        people=store.people,
        grants=store.grants,
        proof=ProofByLogin(dialer(dovecot.ca_file), clock),
    )
    yield Place(provider, dovecot, store, clock, apps, tokens, consents, refreshes)
    await tokens.close()
    await http.close()
    await store.close()


async def test_a_revoked_grant_blocks_the_mailbox_and_a_consent_in_the_browser_brings_it_back(place: Place) -> None:
    box = await place.add("u00001", await asyncio.to_thread(place.provider.consent, "u00001"))
    assert (await place.probe(box)).state is State.CONNECTED

    await place.grant_taken_back(box)
    blocked = await place.until(box, State.BLOCKED)
    assert blocked.cause is Cause.OAUTH_GRANT_REVOKED

    session, url = await place.consents.begin(box, ANN, browser=BROWSER)
    back = await asyncio.to_thread(place.provider.sign_in, url, "u00001")
    stored = await place.consents.finish(back["state"], BROWSER, code=back["code"])
    assert stored.state is ConsentState.STORED, stored
    assert (await place.standing(box)).state is State.RECONNECTING

    fresh = await place.access_token(box)
    before = len(place.refreshes)
    connected = await place.until(box, State.CONNECTED)
    assert connected.generation == blocked.generation + 1
    assert connected.last_outage_seconds > 0
    assert place.refreshes[before:] == []  # the token that came with the consent was the one Dovecot took
    assert (await asyncio.to_thread(place.provider.introspect, fresh))["active"]
    assert session.mailbox_id == box


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
async def test_dovecot_takes_the_new_token_by_either_mechanism(
    mechanism: str, place: Place, provider: IdentityProvider, authority: Authority
) -> None:
    with introspecting_dovecot(provider, authority) as server:
        server.restart_with(mechanisms=mechanism)
        at_it = replace(place, dovecot=server)
        box = await at_it.add("u00002", await asyncio.to_thread(provider.consent, "u00002"))
        assert (await at_it.probe(box)).state is State.CONNECTED
        await asyncio.to_thread(wait_until, lambda: server.login_log("u00002"), "the login in the server's log")
        assert {one.mechanism.lower() for one in server.login_log("u00002")} == {mechanism}


async def test_each_refresh_rotates_and_the_newest_is_stored_before_it_is_used(place: Place) -> None:
    first = await asyncio.to_thread(place.provider.consent, "u00001")
    box = await place.add("u00001", first)
    seen = [first.reveal()]
    for _ in range(3):
        await place.probe(box)
        seen.append((await place.store.grants.load(box)).refresh_token.reveal())
        place.clock.ahead += timedelta(hours=2)
    assert len(set(seen)) == 4
    assert (await place.standing(box)).state is State.CONNECTED


async def test_killed_with_a_new_token_in_hand_it_asks_for_a_consent_and_for_nothing_else(place: Place) -> None:
    """The window that is left: the provider has rotated, and the process ends before the answer is stored."""
    box = await place.add("u00001", await asyncio.to_thread(place.provider.consent, "u00001"))
    await place.probe(box)
    grant = await place.store.grants.load(box)
    assert await place.store.grants.begin_refresh(box, epoch=grant.epoch, lease_seconds=30.0)
    lost = TokenEndpoint(dialer(), allow_cleartext=True)
    assert isinstance(await lost.refresh(place.apps["idp"], grant.refresh_token, "other"), TokenReply)
    await lost.close()
    place.clock.ahead += timedelta(hours=2)  # the access token has run out, the lease of the dead process too
    assert (await place.until(box, State.BLOCKED)).cause is Cause.OAUTH_GRANT_REVOKED

    _, url = await place.consents.begin(box, ANN, browser=BROWSER)
    back = await asyncio.to_thread(place.provider.sign_in, url, "u00001")
    await place.consents.finish(back["state"], BROWSER, code=back["code"])
    await place.until(box, State.CONNECTED)


async def test_the_wrong_account_is_refused_and_the_old_consent_lives_on(place: Place) -> None:
    box = await place.add("u00001", await asyncio.to_thread(place.provider.consent, "u00001"))
    _, url = await place.consents.begin(box, ANN, browser=BROWSER)
    back = await asyncio.to_thread(place.provider.sign_in, url, "u00002")
    refused = await place.consents.finish(back["state"], BROWSER, code=back["code"])
    assert refused.state is ConsentState.FAILED
    assert "u00002@mail.test" in str(refused.error)
    assert (await place.probe(box)).state is State.CONNECTED


async def test_without_a_word_of_who_it_was_dovecot_itself_tells(place: Place) -> None:
    place.apps["idp"] = place.provider.app(userinfo_url=None)
    box = await place.add("u00001", await asyncio.to_thread(place.provider.consent, "u00001"))
    ends = []
    for user in ("u00002", "u00001"):
        _, url = await place.consents.begin(box, ANN, browser=BROWSER)
        back = await asyncio.to_thread(place.provider.sign_in, url, user)
        ends.append(await place.consents.finish(back["state"], BROWSER, code=back["code"]))
    assert [end.state for end in ends] == [ConsentState.FAILED, ConsentState.STORED]
    assert "does not open u00001@mail.test" in str(ends[0].error)


async def test_a_code_is_good_for_one_exchange_and_only_with_its_verifier(place: Place) -> None:
    box = await place.add("u00001", await asyncio.to_thread(place.provider.consent, "u00001"))
    _, url = await place.consents.begin(box, ANN, browser=BROWSER)
    back = await asyncio.to_thread(place.provider.sign_in, url, "u00001")
    _, other = await place.consents.begin(box, ANN, browser=BROWSER)  # the first flow is over with this
    state = re.search(r"[?&]state=([^&]+)", other)
    assert state is not None
    refused = await place.consents.finish(state[1], BROWSER, code=back["code"])  # the code of the other flow: PKCE says no
    assert refused.state is ConsentState.FAILED
    assert "the sign-in had run out or was used already" in str(refused.error)


async def test_the_device_flow_brings_a_mailbox_in_from_a_terminal(place: Place) -> None:
    box = await place.add("u00004", Secret("never-good"))
    session = await place.consents.begin_device(box, ANN)
    assert session.user_code is not None
    place.clock.ahead += timedelta(seconds=2)
    assert (await place.consents.poll_device(session.id)).state is ConsentState.WAITING
    await asyncio.to_thread(place.provider.approve_device, session.user_code, "u00004")
    await asyncio.sleep(1.1)  # the provider minds its interval by its own clock
    place.clock.ahead += timedelta(seconds=10)
    assert (await place.consents.poll_device(session.id)).state is ConsentState.STORED
    assert (await place.probe(box)).state is State.CONNECTED


async def test_an_application_that_signs_in_by_itself_needs_nothing_stored(place: Place) -> None:
    box = await place.add("u00003", None, app="robot")
    for _ in range(2):
        assert (await place.probe(box)).state is State.CONNECTED
    assert place.refreshes == ["renewed"]


async def test_a_removed_mailboxs_grant_is_dead_at_the_provider(place: Place) -> None:
    box = await place.add("u00005", await asyncio.to_thread(place.provider.consent, "u00005"))
    await place.probe(box)
    refresh_token = (await place.store.grants.load(box)).refresh_token.reveal()
    desk = Desk(place.store, place.clock, withdraws=place.consents.withdrawal)
    assert await desk.remove_confirmed(box, Act("user:ann", "mailbox.remove")) is Withdrawal.DONE
    assert not (await asyncio.to_thread(place.provider.introspect, refresh_token))["active"]


async def test_a_service_account_opens_each_mailbox_with_a_signed_assertion(place: Place, dovecot_with_keys: Dovecot) -> None:
    """The endpoint checks signature, issuer, audience and times as Google's does, and gives a token of the mailbox named in `sub`."""
    key = RSAKey.generate_key(2048)
    public = RSAKey.import_key(key.as_pem(private=False))
    subjects: list[str] = []

    async def check(peer: Peer) -> None:
        form = server.forms[-1]
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        token = jwt.decode(form["assertion"], public, algorithms=["RS256"])
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": "robot@project.iam.gserviceaccount.com"},
            aud={"essential": True, "value": server.url},
            scope={"essential": True, "value": "https://mail.google.com/"},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(token.claims)
        assert token.header["kid"] == "key-1"
        subjects.append(token.claims["sub"])
        user = token.claims["sub"].partition("@")[0]
        await peer.say(answer(200, {"access_token": dovecot_with_keys.access_token(user), "expires_in": 3600}))

    server = TokenServer(check)
    account = {
        "client_email": "robot@project.iam.gserviceaccount.com",
        "private_key": key.as_pem(private=True).decode(),
        "private_key_id": "key-1",
    }
    async with server.running():
        app = OAuthApp(
            "workspace",
            OAuthKind.GOOGLE,
            "1",
            None,
            server.url,
            grant=GrantKind.SERVICE_ACCOUNT,
            service_account=Secret(json.dumps(account)),
        )
        tokens = TokenSource({"workspace": app}, place.store.grants, place.clock, TokenEndpoint(dialer(), allow_cleartext=True))
        at_it = replace(place, dovecot=dovecot_with_keys, tokens=tokens)
        for user in ("u00006", "u00007"):
            box = await at_it.add(user, None, app="workspace")
            for _ in range(2):
                assert (await at_it.probe(box)).state is State.CONNECTED
        await tokens.close()
    assert subjects == ["u00006@mail.test", "u00007@mail.test"]
