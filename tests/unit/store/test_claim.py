"""The lease as it travels with a claim.  Whom a claim takes, tests/contract shows."""

import pytest

from contract.fleet import NOON, filled, later
from mailwatch.store.claim import MAX_CLAIM, Wish, handed_out, taken_apart


@pytest.mark.parametrize("changes", [0, 1, 2**31])
@pytest.mark.parametrize("token", ["boot.0123", "with/slash.1"])
def test_a_lease_is_taken_apart_as_it_was_put_together(token, changes):
    assert taken_apart(handed_out(token, changes)) == (token, changes)


def test_a_wish_is_for_anybody_unless_it_says_so():
    wish = Wish(NOON, 10)
    assert (wish.excluding, wish.room) == ((), None)


async def test_a_claim_asks_sqlite_for_no_more_than_it_can_bind(store):
    await filled(store, 3)
    assert len(await store.claim_due(later(), MAX_CLAIM * 100, 60)) == 3


async def test_leases_of_one_claim_end_together_and_name_its_node(store):
    await filled(store, 2)
    claims = await store.claim_due(later(), 2, 60)
    assert {claim.lease_until_at for claim in claims} == {later(6)}
    assert len({taken_apart(claim.lease)[0] for claim in claims}) == 1
