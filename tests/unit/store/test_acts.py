"""What an act is made of before it is written: sealed secrets, and nothing twice.  What is written, tests/contract shows."""

from datetime import timedelta

import pytest

from contract.fleet import NOON, oauth_mailbox, password_mailbox
from mailwatch.core.mailbox import AuthKind
from mailwatch.ports import MailboxExistsError, NewMailbox
from mailwatch.store import Vault
from mailwatch.store.acts import sealed_newcomers, secret_field


def at(index):
    return NOON + timedelta(seconds=index)


def test_a_consent_and_a_password_are_different_fields():
    assert {kind: secret_field(kind) for kind in AuthKind} == {AuthKind.PASSWORD: "password", AuthKind.OAUTH: "refresh_token"}


def test_secrets_are_sealed_for_their_own_mailbox_and_field(keyring):
    vault = Vault(keyring)
    one, two = sealed_newcomers([password_mailbox(1), oauth_mailbox(2)], vault, at)
    assert "password-1" not in one.sealed
    assert vault.open("secrets", "mb_0001", "password", one.sealed).reveal() == "password-1"
    assert vault.open("secrets", "mb_0002", "refresh_token", two.sealed).reveal() == "refresh-2"
    assert (one.kid, one.due_at, two.due_at) == (vault.active, at(0), at(1))


def test_a_mailbox_without_a_secret_gets_none(keyring):
    (one,) = sealed_newcomers([NewMailbox(password_mailbox(1).mailbox, None)], Vault(keyring), at)
    assert one.sealed is None


def test_an_address_given_twice_is_refused_in_any_case_of_its_letters(keyring):
    twice = [password_mailbox(1, address="Ann@example.org"), password_mailbox(2, address="ann@EXAMPLE.org")]
    with pytest.raises(MailboxExistsError, match=r"given twice: ann@example\.org"):
        sealed_newcomers(twice, Vault(keyring), at)


def test_of_very_many_twins_only_some_are_named(keyring):
    many = [password_mailbox(number % 30) for number in range(60)]
    with pytest.raises(MailboxExistsError, match=r"user\d+@example.org and 10 more$"):
        sealed_newcomers(many, Vault(keyring), at)
