"""Passwords are hashed slowly, random secrets quickly, and bad ones are refused with the reason."""

import pytest

from fakes.web import PASSWORD, QUICK
from mailwatch.core.secret import Secret
from mailwatch.desk.passwords import Passwords, check_new_password, hashed, new_secret
from mailwatch.ports.people import AccountError


async def test_a_password_matches_its_own_hash_alone():
    passwords = Passwords(QUICK)
    stored = await passwords.hash(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert await passwords.matches(PASSWORD, stored)
    assert not await passwords.matches(Secret("another password"), stored)
    assert await passwords.hash(PASSWORD) != stored


async def test_nobody_has_a_password_and_a_damaged_hash_is_nobodys():
    passwords = Passwords(QUICK)
    assert not await passwords.matches(PASSWORD, None)
    assert not await passwords.matches(PASSWORD, "not a hash")


async def test_a_hash_of_weaker_parameters_is_outdated():
    weak = await Passwords(QUICK).hash(PASSWORD)
    assert Passwords().is_outdated(weak)
    assert not Passwords(QUICK).is_outdated(weak)
    assert not Passwords().is_outdated("not a hash")


@pytest.mark.parametrize("password", ["short", "x" * 257, "ada-lovelace-1", "aaaaaaaaaaaaaaaa", "abababababababab"])
def test_a_bad_password_is_refused(password):
    with pytest.raises(AccountError) as caught:
        check_new_password(Secret(password), "ada-lovelace")
    assert password not in str(caught.value)


def test_a_long_one_is_taken_whatever_it_is_made_of():
    check_new_password(Secret("correct horse battery staple"), "ada")
    check_new_password(Secret("пароль из многих букв"), "ada")


def test_random_secrets_are_long_different_and_found_by_their_hash():
    one, other = new_secret("mwt_"), new_secret("mwt_")
    assert one.startswith("mwt_")
    assert one != other
    assert len(one) >= 47
    assert hashed(one) != hashed(other)
    assert len(hashed(one)) == 64
