"""Accounts on one machine: nothing but hashes is in the file.  What two do at once, tests/contract shows."""

import pytest

from contract.fleet import NOON, later
from mailwatch.ports import Act
from mailwatch.ports.people import AccountError, Role, Session, User
from mailwatch.store.people import SqlPeople

BY = Act("user:ada", "user.add")
ADA = User("ada", Role.ADMIN, NOON, "$argon2id$ada")


@pytest.fixture
def people(store, clock):
    return SqlPeople(store._database, clock)


async def test_a_refused_account_names_nothing_but_the_name(people):
    await people.add_user(ADA, BY)
    with pytest.raises(AccountError) as refused:
        await people.add_user(ADA, BY)
    assert str(refused.value) == "there is a user ada already"
    assert refused.value.__cause__ is None


async def test_to_make_the_last_admin_an_admin_again_is_no_loss(people):
    await people.add_user(ADA, BY)
    await people.set_user("ada", BY, role=Role.ADMIN)
    assert (await people.user("ada")).role is Role.ADMIN


async def test_accounts_outlive_the_process(people, store, clock):
    await people.add_user(ADA, BY)
    await people.add_session("cookie", Session("ada", Role.ADMIN, NOON, later(60)))
    again = SqlPeople(store._database, clock)
    assert await again.users() == [ADA]
    assert await again.session("cookie", NOON) == Session("ada", Role.ADMIN, NOON, later(60))
