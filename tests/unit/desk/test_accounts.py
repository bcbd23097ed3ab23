"""Accounts: the first user, signing in and out, links that work once, tokens that are shown once."""

import asyncio
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from fakes.web import BY, PASSWORD, QUICK
from mailwatch.core.secret import Secret
from mailwatch.desk.accounts import Accounts, TooManyAttemptsError
from mailwatch.desk.passwords import Passwords
from mailwatch.ports.people import AccountError, Role


@pytest.fixture
def accounts(rig):
    return rig.surface.accounts


async def ada(accounts):
    return await accounts.add_user("ada", PASSWORD, Role.ADMIN, BY)


async def test_the_first_user_is_made_by_the_set_up_link_and_only_once(accounts):
    former, link = await accounts.setup_link(), await accounts.setup_link()
    with pytest.raises(AccountError):
        await accounts.sign_up_first(former, "eve", PASSWORD)
    results = await asyncio.gather(
        *(accounts.sign_up_first(link, name, PASSWORD) for name in ("ada", "eve")), return_exceptions=True
    )
    (cookie, session) = next(result for result in results if not isinstance(result, Exception))
    assert session.role is Role.ADMIN
    assert (await accounts.session_of(cookie)).user == session.user
    assert sum(isinstance(result, AccountError) for result in results) == 1
    with pytest.raises(AccountError):
        await accounts.sign_up_first(link, "eve", PASSWORD)
    with pytest.raises(AccountError, match="users already"):
        await accounts.setup_link()


async def test_a_refused_password_leaves_the_set_up_link_good(accounts):
    link = await accounts.setup_link()
    with pytest.raises(AccountError, match="characters"):
        await accounts.sign_up_first(link, "ada", Secret("short"))
    assert (await accounts.sign_up_first(link, "ada", PASSWORD))[1].user == "ada"


async def test_signing_in_and_out(accounts, rig):
    await ada(accounts)
    cookie, session = await accounts.sign_in("ada", PASSWORD)
    assert (await accounts.session_of(cookie)).role is Role.ADMIN
    assert await accounts.session_of("another") is None
    from mailwatch.desk.passwords import hashed

    await accounts.sign_out(hashed(cookie))
    assert await accounts.session_of(cookie) is None
    cookie, _ = await accounts.sign_in("ada", PASSWORD)
    rig.clock.advance((session.expires_at - session.created_at).total_seconds())
    assert await accounts.session_of(cookie) is None


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(accounts):
    await ada(accounts)
    told = set()
    for name, password in (("ada", Secret("wrong password 1")), ("eve", PASSWORD)):
        with pytest.raises(AccountError) as caught:
            await accounts.sign_in(name, password)
        told.add(str(caught.value))
    assert told == {"the name or the password is wrong"}


async def test_guessing_is_slowed_down_by_name_and_by_address(accounts, rig):
    await ada(accounts)
    for _ in range(5):
        with pytest.raises(AccountError, match="wrong"):
            await accounts.sign_in("ada", Secret("a wrong password"), origin="192.0.2.1")
    with pytest.raises(TooManyAttemptsError) as caught:
        await accounts.sign_in("ADA", PASSWORD, origin="192.0.2.2")
    rig.clock.advance(caught.value.retry_seconds)
    assert (await accounts.sign_in("ada", PASSWORD, origin="192.0.2.2"))[1].user == "ada"
    for number in range(10):
        with pytest.raises(AccountError):
            await accounts.sign_in(f"user{number}", PASSWORD, origin="192.0.2.3")
    with pytest.raises(TooManyAttemptsError):
        await accounts.sign_in("another", PASSWORD, origin="192.0.2.3")


async def test_a_sign_in_link_works_once_and_not_after_its_end(accounts, rig):
    await ada(accounts)
    link = await accounts.sign_in_link("ada", BY)
    assert (await accounts.link(link)).subject == "ada"
    assert (await accounts.redeem(link))[1].user == "ada"
    with pytest.raises(AccountError):
        await accounts.redeem(link)
    late = await accounts.sign_in_link("ada", BY)
    rig.clock.advance(1800)
    with pytest.raises(AccountError):
        await accounts.redeem(late)
    with pytest.raises(AccountError, match="no user"):
        await accounts.sign_in_link("eve", BY)


async def test_a_link_of_another_kind_signs_nobody_in(accounts):
    link = await accounts.setup_link()
    with pytest.raises(AccountError):
        await accounts.redeem(link)
    assert await accounts.link(link) is not None, "a look, or a wrong use, must not use it up"


async def test_a_new_password_or_role_ends_the_sessions(accounts):
    await ada(accounts)
    await accounts.add_user("bob", PASSWORD, Role.READ, BY)
    cookie, _ = await accounts.sign_in("bob", PASSWORD)
    await accounts.set_password("bob", Secret("a second password"), BY)
    assert await accounts.session_of(cookie) is None
    with pytest.raises(AccountError):
        await accounts.change_password("bob", PASSWORD, Secret("a third password"), BY)
    await accounts.change_password("bob", Secret("a second password"), Secret("a third password"), BY)
    await accounts.sign_in("bob", Secret("a third password"))


async def test_the_last_admin_stays(accounts):
    await ada(accounts)
    with pytest.raises(AccountError, match="last admin"):
        await accounts.remove_user("ada", BY)
    with pytest.raises(AccountError, match="last admin"):
        await accounts.set_role("ada", Role.READ, BY)
    await accounts.add_user("bob", None, Role.ADMIN, BY)
    await accounts.remove_user("ada", BY)


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 65, "a/b", "a\nb"])
async def test_a_name_is_plain(accounts, name):
    with pytest.raises(AccountError, match="name"):
        await accounts.add_user(name, PASSWORD, Role.READ, BY)
    with pytest.raises(AccountError, match="name"):
        await accounts.create_token(name, Role.READ, None, BY)


async def test_a_hash_is_renewed_when_parameters_grow(accounts, rig):
    await ada(accounts)
    stronger = Accounts(rig.store.people, rig.clock, passwords=Passwords(PasswordHasher(2, 16, 1)))
    before = (await rig.store.people.user("ada")).password_hash
    await stronger.sign_in("ada", PASSWORD)
    after = (await rig.store.people.user("ada")).password_hash
    assert before != after
    assert not Passwords(PasswordHasher(2, 16, 1)).is_outdated(after)
    assert QUICK.check_needs_rehash(after)


async def test_a_token_is_known_by_its_text_until_it_ends_or_is_revoked(accounts, rig):
    token, text = await accounts.create_token("sender", Role.ACT, 1, BY)
    assert text.startswith("mwt_")
    known = await accounts.token_of(text)
    assert replace(known, last_used_at=None) == token
    assert await accounts.token_of(text.removeprefix("mwt_")) is None
    assert await accounts.token_of("mwt_" + "x" * 43) is None
    with pytest.raises(AccountError, match="already"):
        await accounts.create_token("sender", Role.READ, None, BY)
    rig.clock.advance(86_400)
    assert await accounts.token_of(text) is None
    _, again = await accounts.create_token("sender", Role.READ, None, BY)
    await accounts.revoke_token("sender", BY)
    assert await accounts.token_of(again) is None
    with pytest.raises(AccountError, match="no token"):
        await accounts.revoke_token("tok_none", BY)


@pytest.mark.parametrize("days", [0, -1, 3651])
async def test_a_token_lasts_a_sensible_time(accounts, days):
    with pytest.raises(AccountError, match="days"):
        await accounts.create_token("x", Role.READ, days, BY)


async def test_no_secret_of_a_person_is_in_the_database(accounts, rig, tmp_path):
    await ada(accounts)
    cookie, _ = await accounts.sign_in("ada", PASSWORD)
    _, token = await accounts.create_token("sender", Role.ACT, None, BY)
    link = await accounts.sign_in_link("ada", BY)
    await rig.store.flush()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("mailwatch.db*"))
    assert not [secret for secret in (PASSWORD.reveal(), cookie, token, link) if secret.encode() in kept]


async def test_a_token_named_like_the_id_of_another_does_not_save_that_one(accounts):
    real, text = await accounts.create_token("sender", Role.READ, None, BY)
    _, decoy = await accounts.create_token(real.id, Role.READ, None, BY)
    await accounts.revoke_token(real.id, BY)
    assert await accounts.token_of(text) is None
    assert await accounts.token_of(decoy) is not None


@pytest.mark.parametrize("name", ["\0", "", "a b", "ada\n"])
async def test_what_can_be_nobodys_name_is_not_looked_up_and_is_refused_like_any_other(accounts, monkeypatch, name):
    async def asked(*_):
        raise AssertionError

    monkeypatch.setattr(accounts._people, "user", asked)
    with pytest.raises(AccountError, match="the name or the password is wrong"):
        await accounts.sign_in(name, PASSWORD)


async def test_a_password_set_while_the_old_one_is_hashed_anew_stays(accounts):
    await ada(accounts)
    await accounts.sign_in("ada", PASSWORD)
    passwords = accounts._passwords
    passwords._hasher = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    whole = passwords.hash

    async def overtaken(password):
        passwords.hash = whole
        await accounts.set_password("ada", Secret("quite another password"), BY)
        return await whole(password)

    passwords.hash = overtaken
    await accounts.sign_in("ada", PASSWORD)
    await accounts.sign_in("ada", Secret("quite another password"))
