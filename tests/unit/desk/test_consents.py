"""Consents: one use, one browser, ten minutes; nothing is stored that is not the mailbox's own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from contract.fleet import SetClock, add, oauth_mailbox, password_mailbox
from fakes.consents import MemoryLinks, MemorySessions, ScriptedProvider, ToldProof
from mailwatch.core import acts
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.core.oauth import GrantKind, OAuthApp, OAuthKind, challenge_of
from mailwatch.core.secret import Secret
from mailwatch.desk.acts import Desk, Withdrawal
from mailwatch.desk.consents import OWNER, Consents
from mailwatch.ports import Act, NewMailbox
from mailwatch.ports.consents import ConsentError, ConsentState, Tokens
from mailwatch.store import KeyRing, SqlStore, Vault, migrate
from mailwatch.store.engine import Attempt
from mailwatch.store.schema import audit

ANN = Act("user:ann", "mailbox.reconnect", "192.0.2.7")
BROWSER = "cookie-of-this-browser"
APP = OAuthApp(
    "outreach", OAuthKind.CUSTOM, "id", Secret("client"), "https://login.example.org/token", ("mail",), authorize_url="https://x"
)
BOX = "mb_0001"
GOOD = Tokens(Secret("access-2"), 3600.0, Secret("refresh-2"), frozenset({"mail"}), "User1@Example.org")


@dataclass
class Office:
    """A desk with a real store behind it."""

    store: SqlStore
    clock: SetClock
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    sessions: MemorySessions = field(default_factory=MemorySessions)
    links: MemoryLinks = field(default_factory=MemoryLinks)
    proof: ToldProof = field(default_factory=ToldProof)
    roused: list[bool] = field(default_factory=list)
    apps: dict[str, OAuthApp] = field(default_factory=lambda: {"outreach": APP})

    @property
    def consents(self) -> Consents:
        return Consents(
            self.apps,
            self.provider,
            self.sessions,
            self.store,
            self.clock,
            lambda: "https://mailwatch.example.org/oauth/callback",
            people=self.links,
            grants=self.store.grants,
            proof=self.proof,
            roused=lambda: self.roused.append(True),
        )

    async def begun(self, browser: str = BROWSER) -> str:
        """The state of a flow just begun."""
        await self.consents.begin(BOX, ANN, browser=browser)
        return str(self.provider.asked[-1]["state"])

    async def state(self) -> State:
        return (await self.store.find(BOX)).standing.state

    async def refresh_token(self) -> str:
        return (await self.store.grants.load(BOX)).refresh_token.reveal()

    async def audited(self) -> list[tuple[str, str, str]]:
        async def work(attempt: Attempt) -> list[tuple[str, str, str]]:
            rows = await attempt.connection.execute(select(audit.c.actor, audit.c.action, audit.c.origin).order_by(audit.c.id))
            return [tuple(row) for row in rows]

        return await self.store._database.read(work)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    url, clock = f"sqlite:///{tmp_path / 'mailwatch.db'}", SetClock()
    await migrate(url)
    store = SqlStore(url, Vault(KeyRing.generate()), clock, node="test")
    await store.open()
    await add(store, oauth_mailbox(1), password_mailbox(2))
    yield Office(store, clock)
    await store.close()


async def test_the_person_is_sent_to_the_provider_with_a_challenge_and_the_address(office: Office) -> None:
    session, url = await office.consents.begin(BOX, ANN, browser=BROWSER)
    asked = office.provider.asked[-1]
    assert url.endswith(str(asked["state"]))
    assert (asked["address"], asked["choose"]) == ("user1@example.org", False)
    assert (session.state, session.mailbox_id, session.actor) == (ConsentState.WAITING, BOX, "user:ann")
    assert session.expires_at - session.created_at == timedelta(minutes=10)
    assert office.sessions.acts == [Act("user:ann", "consent.begin", "192.0.2.7")]


async def test_a_good_consent_is_stored_and_the_mailbox_tried_at_once(office: Office) -> None:
    state = await office.begun()
    office.provider.answers = [GOOD]
    session = await office.consents.finish(state, BROWSER, code="c0de", origin="192.0.2.7")
    assert session.state is ConsentState.STORED
    assert (await office.consents.find(session.id)).state is ConsentState.STORED
    grant = await office.store.grants.load(BOX)
    assert (grant.generation, grant.refresh_token.reveal(), grant.access_token.reveal()) == (2, "refresh-2", "access-2")
    assert (await office.store.find(BOX)).standing.due_at == office.clock.now()
    assert office.roused
    assert ("user:ann", "consent.stored", "192.0.2.7") in await office.audited()


async def test_the_verifier_sent_is_that_of_the_challenge(office: Office) -> None:
    state = await office.begun()
    office.provider.answers = [GOOD]
    await office.consents.finish(state, BROWSER, code="c0de")
    sent = office.provider.exchanged[0]
    assert challenge_of(sent["verifier"]) == office.provider.asked[0]["challenge"]
    assert sent["redirect_uri"] == office.provider.asked[0]["redirect_uri"]
    assert 43 <= len(sent["verifier"]) <= 128


async def test_of_two_tabs_that_come_back_with_one_state_only_one_exchanges(office: Office) -> None:
    state = await office.begun()
    office.provider.answers = [GOOD, GOOD]
    consents = office.consents
    ends = await asyncio.gather(*(consents.finish(state, BROWSER, code="c0de") for _ in range(2)), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["ConsentError", "ConsentSession"]
    assert len(office.provider.exchanged) == 1


async def test_another_browser_cannot_finish_and_does_not_use_the_flow_up(office: Office) -> None:
    state = await office.begun()
    with pytest.raises(ConsentError, match="another browser"):
        await office.consents.finish(state, "cookie-of-a-thief", code="c0de")
    office.provider.answers = [GOOD]
    assert (await office.consents.finish(state, BROWSER, code="c0de")).state is ConsentState.STORED


async def test_a_flow_that_took_too_long_is_over(office: Office) -> None:
    state = await office.begun()
    office.clock.pass_seconds(601)
    with pytest.raises(ConsentError, match="took too long"):
        await office.consents.finish(state, BROWSER, code="c0de")
    assert not office.provider.exchanged


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (replace(GOOD, address="bob@example.org"), "the account that signed in is bob@example.org, and this mailbox is user1@"),
        (replace(GOOD, scopes=frozenset({"openid"})), "mail is missing"),
        (replace(GOOD, refresh_token=None), "no refresh token"),
        (ConsentError("the sign-in had run out"), "the sign-in had run out"),
    ],
)
async def test_what_is_not_right_is_refused_with_nothing_stored(office: Office, tokens: Tokens | Exception, words: str) -> None:
    state = await office.begun()
    office.provider.answers = [tokens]
    session = await office.consents.finish(state, BROWSER, code="c0de", origin="192.0.2.7")
    assert session.state is ConsentState.FAILED
    assert words in str(session.error)
    assert await office.refresh_token() == "refresh-1"
    assert await office.state() is State.PENDING
    assert office.sessions.acts[-1] == Act("user:ann", "consent.refused", "192.0.2.7")
    assert not office.provider.revoked


async def test_the_address_of_a_stranger_is_shown_once_and_never_stored(office: Office) -> None:
    state = await office.begun()
    office.provider.answers = [replace(GOOD, address="bob@example.org")]
    shown = await office.consents.finish(state, BROWSER, code="c0de")
    stored = await office.consents.find(shown.id)
    assert "bob@example.org" in str(shown.error)
    assert "b…@example.org" in str(stored.error)
    assert "bob" not in str(stored.error)


async def test_after_a_wrong_account_the_provider_is_told_to_let_one_choose(office: Office) -> None:
    state = await office.begun()
    office.provider.answers = [replace(GOOD, address="bob@example.org")]
    await office.consents.finish(state, BROWSER, code="c0de")
    await office.begun()
    assert office.provider.asked[-1]["choose"] is True


async def test_the_login_name_or_an_alias_will_do(office: Office) -> None:
    office.provider.answers = [
        replace(GOOD, address="USER1"),
        replace(GOOD, address="u1@elsewhere.example", aliases=frozenset({"user1@example.org"})),
    ]
    for _ in range(2):
        assert (await office.consents.finish(await office.begun(), BROWSER, code="c0de")).state is ConsentState.STORED


async def test_where_the_provider_does_not_tell_who_it_was_a_login_does(office: Office) -> None:
    untold = replace(GOOD, address=None)
    office.provider.answers = [untold, untold]
    office.proof.words = "AUTHENTICATE failed"
    refused = await office.consents.finish(await office.begun(), BROWSER, code="c0de")
    assert refused.state is ConsentState.FAILED
    assert "does not open user1@example.org" in str(refused.error)
    assert await office.refresh_token() == "refresh-1"
    office.proof.words = None
    assert (await office.consents.finish(await office.begun(), BROWSER, code="c0de")).state is ConsentState.STORED
    assert office.proof.shown == ["user1@example.org"] * 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("access_denied", "consent was not given"),
        ("consent_required", "administrator"),
        ("temporarily_unavailable", "try again in a few minutes"),
        ("x\r\ny", "refused"),
        (None, "no code came back"),
    ],
)
async def test_a_provider_that_sends_back_an_error_ends_the_flow_with_its_meaning(
    office: Office, error: str | None, words: str
) -> None:
    session = await office.consents.finish(await office.begun(), BROWSER, error=error, description="because <b>")
    assert session.state is ConsentState.FAILED
    assert words in str(session.error)
    assert "\n" not in str(session.error)
    assert not office.provider.exchanged


async def test_a_blocked_mailbox_goes_to_verification_and_so_does_an_inactive_one(office: Office) -> None:
    await office.store.change(BOX, lambda s: acts.disconnect(s, office.clock.now(), "user:ann"), ANN)
    assert await office.state() is State.INACTIVE
    office.provider.answers = [GOOD]
    await office.consents.finish(await office.begun(), BROWSER, code="c0de")
    assert await office.state() is State.RECONNECTING
    path = [(t.from_state, t.trigger, t.to_state) for _, t in await office.store.history(BOX)]
    assert path[-1] == (State.INACTIVE, acts.Trigger.RECONNECT, State.RECONNECTING)


async def test_a_hold_outlives_a_consent(office: Office) -> None:
    hold = Cause.WARMUP_PAUSE
    await office.store.change(BOX, lambda s: acts.hold(s, office.clock.now(), "user:ann", hold, None), ANN)
    office.provider.answers = [GOOD]
    await office.consents.finish(await office.begun(), BROWSER, code="c0de")
    assert await office.state() is State.HELD
    assert await office.refresh_token() == "refresh-2"


async def test_a_mailbox_removed_meanwhile_gets_nothing(office: Office) -> None:
    state = await office.begun()
    await office.store.remove(BOX, ANN)
    office.provider.answers = [GOOD]
    session = await office.consents.finish(state, BROWSER, code="c0de")
    assert (session.state, session.error) == (ConsentState.FAILED, "the mailbox was removed meanwhile; nothing was stored")
    assert not office.provider.exchanged


async def test_a_link_of_a_removed_mailbox_leads_nowhere(office: Office) -> None:
    key = await office.consents.reconnect_link(BOX, ANN)
    await office.store.remove(BOX, ANN)
    assert await office.consents.mailbox_of_link(key) is None
    with pytest.raises(ConsentError, match="used already or has run out"):
        await office.consents.begin_by_link(key, browser=BROWSER)


@pytest.mark.parametrize(
    ("mailbox", "apps", "words"),
    [
        ("mb_0002", {"outreach": APP}, "logs in with a password"),
        (BOX, {}, "which the configuration does not have"),
        (BOX, {"outreach": replace(APP, grant=GrantKind.CLIENT_CREDENTIALS)}, "signs in by itself"),
    ],
)
async def test_who_has_no_consent_to_give_is_told_so(office: Office, mailbox: str, apps: dict[str, OAuthApp], words: str) -> None:
    office.apps = apps
    with pytest.raises(ConsentError, match=words):
        await office.consents.begin(mailbox, ANN, browser=BROWSER)


# --- devices ---


async def test_a_device_flow_is_asked_about_no_faster_than_the_provider_wants(office: Office) -> None:
    consents = office.consents
    session = await consents.begin_device(BOX, ANN)
    assert (session.user_code, session.verification_url) == ("WDJB-MJHT", "https://login.example.org/device")
    office.provider.answers = [5.0, 10.0, GOOD]
    for _ in range(25):
        office.clock.pass_seconds(1)
        after = await consents.poll_device(session.id)
        if after.state is not ConsentState.WAITING:
            break
    assert office.provider.polled == [5.0, 5.0, 10.0]  # at 5, 10 and 20 s
    assert (await consents.poll_device(session.id)).state is ConsentState.STORED
    assert await office.refresh_token() == "refresh-2"


async def test_many_who_poll_one_device_flow_ask_once(office: Office) -> None:
    consents = office.consents
    session = await consents.begin_device(BOX, ANN)
    office.provider.answers = [GOOD]
    office.clock.pass_seconds(6)
    ends = await asyncio.gather(*(consents.poll_device(session.id) for _ in range(5)))
    assert {end.state for end in ends} == {ConsentState.STORED}
    assert len(office.provider.polled) == 1


async def test_a_device_flow_that_is_denied_or_runs_out_ends(office: Office) -> None:
    consents = office.consents
    denied, late = await consents.begin_device(BOX, ANN), await consents.begin_device(BOX, ANN)
    office.provider.answers = [ConsentError("consent was not given at the provider")]
    office.clock.pass_seconds(6)
    assert (await consents.poll_device(denied.id)).state is ConsentState.FAILED
    office.clock.pass_seconds(600)
    over = await consents.poll_device(late.id)
    assert (over.state, over.error) == (ConsentState.FAILED, "the code was not typed in time; start again")


async def test_a_flow_begun_elsewhere_is_looked_up_and_an_unknown_one_is_none(office: Office) -> None:
    session = await office.consents.begin_device(BOX, ANN)
    assert (await office.consents.poll_device(session.id)).state is ConsentState.WAITING
    assert await office.consents.poll_device("oas_unknown") is None


# --- the owner's link ---


async def test_the_owners_link_begins_one_flow_for_one_mailbox(office: Office) -> None:
    consents = office.consents
    key = await consents.reconnect_link(BOX, ANN)
    assert office.links.acts == [Act("user:ann", "consent.link", "192.0.2.7")]
    assert (await consents.mailbox_of_link(key)).id == BOX
    session, _ = await consents.begin_by_link(key, browser=BROWSER, origin="198.51.100.9")
    assert (session.mailbox_id, session.actor) == (BOX, OWNER)
    assert await consents.mailbox_of_link(key) is None
    with pytest.raises(ConsentError, match="used already"):
        await consents.begin_by_link(key, browser=BROWSER)


async def test_a_link_runs_out(office: Office) -> None:
    key = await office.consents.reconnect_link(BOX, ANN)
    office.clock.pass_seconds(8 * 86_400)
    assert await office.consents.mailbox_of_link(key) is None


async def test_an_owner_who_chose_the_wrong_account_gets_a_second_chance(office: Office) -> None:
    consents = office.consents
    session, _ = await consents.begin_by_link(await consents.reconnect_link(BOX, ANN), browser=BROWSER)
    office.provider.answers = [replace(GOOD, address="bob@example.org"), GOOD]
    failed = await consents.finish(str(office.provider.asked[-1]["state"]), BROWSER, code="c0de")
    again = await consents.second_chance(failed)
    session, _ = await consents.begin_by_link(again, browser=BROWSER)
    stored = await consents.finish(str(office.provider.asked[-1]["state"]), BROWSER, code="c0de")
    assert stored.state is ConsentState.STORED
    assert await consents.second_chance(stored) is None
    assert await consents.second_chance(replace(failed, actor="user:ann")) is None
    assert session.mailbox_id == BOX


# --- removal ---


async def removed(office: Office) -> Withdrawal:
    desk = Desk(office.store, office.clock, withdraws=office.consents.withdrawal)
    return await desk.remove_confirmed(BOX, ANN)


@pytest.fixture
def revocable(office: Office) -> Office:
    office.apps = {"outreach": replace(APP, revoke_url="https://login.example.org/revoke")}
    return office


async def test_a_removed_mailboxs_consent_is_revoked_with_its_present_token(revocable: Office) -> None:
    assert await removed(revocable) is Withdrawal.DONE
    assert revocable.provider.revoked == ["refresh-1"]


async def test_a_consent_that_another_mailbox_lives_by_is_left_alone(revocable: Office) -> None:
    """At Google a revocation ends the grant of the whole account."""
    await add(revocable.store, oauth_mailbox(3, username="User1"))
    assert await removed(revocable) is Withdrawal.SHARED
    assert revocable.provider.revoked == []


async def test_also_one_that_uses_the_same_client_under_another_name(revocable: Office) -> None:
    app = revocable.apps["outreach"]
    revocable.apps |= {"warmup": replace(app, name="warmup"), "other": replace(app, name="other", client_id="another")}
    for number, (app_name, told) in enumerate({"other": Withdrawal.DONE, "warmup": Withdrawal.SHARED}.items(), 3):
        other = replace(oauth_mailbox(number, username="user1").mailbox, oauth_app=app_name)
        await add(revocable.store, NewMailbox(other, None))
        withdraw = await revocable.consents.withdrawal(await revocable.store.find(BOX))
        assert withdraw is not None
        assert await withdraw() is told


async def test_where_the_provider_has_no_way_nothing_is_withdrawn(office: Office) -> None:
    assert await removed(office) is Withdrawal.NONE
    assert office.provider.revoked == []


@pytest.mark.parametrize("change", [{"grant": GrantKind.SERVICE_ACCOUNT}, {"name": "another"}])
async def test_what_gave_no_consent_has_none_to_withdraw(revocable: Office, change: dict[str, object]) -> None:
    app = replace(revocable.apps["outreach"], **change)
    revocable.apps = {app.name: app}
    assert await removed(revocable) is Withdrawal.NONE


async def test_a_provider_that_refuses_is_told(revocable: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refusing(*_: object) -> bool:
        return False

    monkeypatch.setattr(revocable.provider, "revoke", refusing)
    assert await removed(revocable) is Withdrawal.FAILED
