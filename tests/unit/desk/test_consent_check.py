"""What is judged of the tokens a consent brought, and what of it may be stored."""

from dataclasses import replace

import pytest

from contract.fleet import oauth_mailbox
from mailwatch.core.oauth import OAuthApp, OAuthKind
from mailwatch.core.secret import Secret
from mailwatch.desk.consent_check import denial, told_names, unfit, without_addresses
from mailwatch.ports.consents import Tokens

BOX = oauth_mailbox(1).mailbox
APP = OAuthApp("outreach", OAuthKind.CUSTOM, "id", None, "https://login.example.org/token", ("openid", "mail"))
GOOD = Tokens(Secret("a"), 3600.0, Secret("r"), frozenset({"mail"}), "user1@example.org")


@pytest.mark.parametrize(
    "tokens",
    [
        GOOD,
        replace(GOOD, address="User1@EXAMPLE.org"),
        replace(GOOD, address="user1"),
        replace(GOOD, address="chief@example.org", aliases=frozenset({"user1@example.org"})),
        replace(GOOD, address=None),  # not told is not wrong: a login must show it
    ],
)
def test_tokens_of_the_mailbox_are_fit(tokens: Tokens) -> None:
    assert unfit(APP, BOX, tokens) is None


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (replace(GOOD, scopes=frozenset()), "mail is missing"),
        (replace(GOOD, refresh_token=None), "does not last"),
        (replace(GOOD, address="user2@example.org"), "give consent as user1@example.org"),
        (replace(GOOD, address="user1@example.org.evil.example"), "the account that signed in is user1@example.org.evil.example"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(tokens: Tokens, words: str) -> None:
    assert words in str(unfit(APP, BOX, tokens))


def test_aliases_of_nobody_are_nobody() -> None:
    assert told_names(replace(GOOD, address=None, aliases=frozenset({"x@example.org"}))) == ()


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("signed in as bob@example.org, not anna.b+x@mail.example.org", "signed in as b…@example.org, not a…@mail.example.org"),
        ("User account 'bob@x.org' from <b@y.org> does not exist", "User account 'b…@x.org' from <b…@y.org> does not exist"),
        ("no address @ all", "no address @ all"),
        ("a@b@c.org", "a…@c.org"),
    ],
)
def test_of_an_address_only_what_its_owner_knows_it_by_is_kept(words: str, kept: str) -> None:
    assert without_addresses(words) == kept


def test_an_error_of_the_provider_is_told_with_its_meaning_first() -> None:
    assert denial("access_denied", "") == "consent was not given at the provider; start again, and allow it there (access_denied)"
    assert denial("server_error", "boom").endswith("(server_error: boom)")
