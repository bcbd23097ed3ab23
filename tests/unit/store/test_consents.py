"""Consents on one machine: no verifier is in the file in clear, nor in what fails.  Who gets a flow, tests/contract shows."""

import pytest

from contract.fleet import NOON, add, later, oauth_mailbox
from mailwatch.core.secret import Secret
from mailwatch.ports import SecretUnreadableError
from mailwatch.ports.consents import ConsentSession, ConsentState
from mailwatch.store import KeyRing, Vault
from mailwatch.store.consents import SqlConsents

FLOW = ConsentSession("oas_1", "mb_0001", "outreach", ConsentState.WAITING, NOON, later(10), "user:ada")


async def begun(store, ring, clock):
    await add(store, oauth_mailbox(1))
    consents = SqlConsents(store._database, Vault(ring), clock)
    await consents.begin(FLOW, state_hash="state", browser_hash="browser", verifier=Secret("verifier-canary"))
    return consents


async def test_a_verifier_is_never_in_the_file(store, keyring, clock, path):
    consents = await begun(store, keyring, clock)
    await consents.take("state", "browser", NOON)
    assert b"verifier-canary" not in b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


async def test_without_its_key_a_flow_is_not_used_up(store, keyring, clock):
    await begun(store, keyring, clock)
    stranger = SqlConsents(store._database, Vault(KeyRing.generate()), clock)
    with pytest.raises(SecretUnreadableError) as unreadable:
        await stranger.take("state", "browser", NOON)
    assert "canary" not in str(unreadable.value)
    taken = await SqlConsents(store._database, Vault(keyring), clock).take("state", "browser", NOON)
    assert taken[1].reveal() == "verifier-canary"
