"""Storing a consent: the standing it leads to, a database that is busy, and the first access token."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from contract.fleet import NOON, SetClock
from fakes.grants import MemoryGrants
from mailwatch.core.causes import Cause
from mailwatch.core.lifecycle import State
from mailwatch.core.oauth import Grant
from mailwatch.core.secret import Secret
from mailwatch.core.standing import Decision, Standing
from mailwatch.desk.consent_keeping import ConsentKeeping, consented
from mailwatch.ports import Act, StoreUnavailableError
from mailwatch.ports.consents import ConsentError, ConsentSession, ConsentState, Tokens

SESSION = ConsentSession("oas_1", "mb_1", "outreach", ConsentState.EXCHANGING, NOON, NOON + timedelta(minutes=10), "user:ann")
TOKENS = Tokens(Secret("access-2"), 3600.0, Secret("refresh-2"), frozenset({"mail"}), "anna@example.org")


@dataclass
class BusyStore:
    """Keeps one secret, after `busy` refusals."""

    busy: int = 0
    acts: list[Act] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    async def set_secret(self, mailbox_id, secret, decide, act) -> Decision:
        if self.busy:
            self.busy -= 1
            raise StoreUnavailableError("the database is locked")
        self.secrets.append(secret.reveal())
        self.acts.append(act)
        return decide(Standing(mailbox_id, State.BLOCKED, NOON, None))


def grants(refresh_token: str = "refresh-2") -> MemoryGrants:
    return MemoryGrants(Grant("mb_1", 2, 5, Secret(refresh_token)))


async def keep(store: BusyStore, kept: MemoryGrants | None, tokens: Tokens = TOKENS) -> None:
    await ConsentKeeping(store, kept, SetClock()).keep(SESSION, tokens, "192.0.2.7")


async def test_the_consent_is_stored_and_the_access_token_with_it() -> None:
    store, kept = BusyStore(), grants()
    await keep(store, kept)
    assert (store.secrets, store.acts) == (["refresh-2"], [Act("user:ann", "consent.stored", "192.0.2.7")])
    assert (kept.grant.access_token, kept.grant.expires_at) == (Secret("access-2"), NOON + timedelta(hours=1))
    assert kept.grant.refresh_token == Secret("refresh-2")


async def test_the_end_of_the_consent_is_stored_with_the_access_token() -> None:
    kept = grants()
    await keep(BusyStore(), kept, replace(TOKENS, consent_seconds=604_800.0))
    assert kept.grant.consent_ends_at == NOON + timedelta(days=7)


async def test_a_database_that_is_busy_for_a_moment_loses_no_consent() -> None:
    store = BusyStore(busy=2)
    await keep(store, None)
    assert store.secrets == ["refresh-2"]


async def test_a_database_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailwatch.desk.consent_keeping._TRIES", 1)
    with pytest.raises(StoreUnavailableError):
        await keep(BusyStore(busy=9), None)


async def test_the_access_token_of_a_consent_that_was_replaced_meanwhile_is_dropped() -> None:
    kept = grants("refresh-3")
    await keep(BusyStore(), kept)
    assert kept.grant.access_token is None


async def test_a_refresh_that_began_at_once_keeps_its_lease() -> None:
    kept = grants()
    assert await kept.begin_refresh("mb_1", epoch=5, lease_seconds=30)
    await keep(BusyStore(), kept)
    assert kept.grant.access_token is None


async def test_without_a_refresh_token_there_is_nothing_to_store() -> None:
    store = BusyStore()
    with pytest.raises(ConsentError):
        await keep(store, None, replace(TOKENS, refresh_token=None))
    assert not store.secrets


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.PENDING, State.PENDING),
        (State.CONNECTED, State.CONNECTED),
        (State.SUSPECT, State.SUSPECT),
        (State.RECONNECTING, State.RECONNECTING),
        (State.VERIFYING, State.VERIFYING),
        (State.BLOCKED, State.RECONNECTING),
        (State.INACTIVE, State.RECONNECTING),
        (State.HELD, State.HELD),
    ],
)
def test_a_consent_brings_back_all_but_what_is_held(before: State, after: State) -> None:
    cause = Cause.OPERATOR_DISCONNECT if before is State.INACTIVE else Cause.OAUTH_GRANT_REVOKED
    standing = Standing("mb_1", before, NOON - timedelta(days=1), None, version=4, cause=cause)
    decision = consented(standing, NOON, "user:ann")
    assert (decision.before, decision.after.state) == (standing, after)
    assert decision.after.due_at == (None if before is State.HELD else NOON)
    assert [transition.version for transition in decision.transitions] == list(range(5, 5 + len(decision.transitions)))
    assert decision.after.version == 4 + len(decision.transitions)
