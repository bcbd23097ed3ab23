"""OAuth applications and grants as values."""

from urllib.parse import urlsplit

import pytest

from mailwatch.core.oauth import (
    TOKEN_URLS,
    Grant,
    GrantKind,
    OAuthApp,
    OAuthKind,
    ServiceAccountKey,
    challenge_of,
    consent_scopes,
    mail_scopes,
    missing_scopes,
    same_login,
)
from mailwatch.core.secret import Secret


@pytest.mark.parametrize("kind", sorted(set(OAuthKind) - {OAuthKind.CUSTOM}))
def test_the_token_endpoint_of_a_known_kind_is_reached_over_tls_only(kind):
    assert urlsplit(TOKEN_URLS[kind]).scheme == "https"


def test_a_custom_kind_has_no_endpoint_of_its_own():
    assert OAuthKind.CUSTOM not in TOKEN_URLS


def test_neither_app_nor_grant_shows_a_secret():
    app = OAuthApp("main", OAuthKind.GOOGLE, "id", Secret("s3cret-app"), "https://token.example.org")
    grant = Grant("mb_1", 1, 1, Secret("s3cret-refresh"), Secret("s3cret-access"))
    assert "s3cret" not in f"{app!r} {grant!r} {app} {grant}"


def an_app(kind: OAuthKind = OAuthKind.CUSTOM, **changes: object) -> OAuthApp:
    return OAuthApp("app", kind, "id", None, "https://login.example.org/token", **changes)


def test_people_are_asked_for_mail_and_for_who_they_are() -> None:
    assert consent_scopes(an_app(OAuthKind.GOOGLE)) == ("openid", "email", "https://mail.google.com/")
    asked = consent_scopes(an_app(OAuthKind.MICROSOFT))
    assert {"openid", "offline_access", "https://outlook.office.com/IMAP.AccessAsUser.All"} < set(asked)
    assert consent_scopes(an_app(scopes=("openid", "mail"))) == ("openid", "mail")
    assert consent_scopes(an_app()) == ()


def test_an_application_that_signs_in_by_itself_asks_microsoft_for_all_it_was_given() -> None:
    app = an_app(OAuthKind.MICROSOFT, grant=GrantKind.CLIENT_CREDENTIALS)
    assert mail_scopes(app) == ("https://outlook.office365.com/.default",)
    assert not app.needs_consent


def test_a_scope_that_was_unticked_is_missing_however_the_others_are_spelled() -> None:
    app = an_app(OAuthKind.MICROSOFT)
    assert missing_scopes(app, ["HTTPS://outlook.office.com/imap.accessasuser.all"]) == ("https://outlook.office.com/SMTP.Send",)
    assert missing_scopes(app, mail_scopes(app)) == ()
    assert missing_scopes(an_app(scopes=("openid", "email", "mail")), ["mail"]) == ()
    assert missing_scopes(an_app(OAuthKind.GOOGLE), ["https://mail.google.com"]) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Anna@Example.org", "anna@example.org", True),
        ("anna.b@example.org", "annab@example.org", False),
        ("anna.b@gmail.com", "annab@googlemail.com", True),
        ("u00001", "U00001", True),
        ("anna@example.org", "anna@example.com", False),
    ],
)
def test_the_same_login_may_be_spelled_in_several_ways(one: str, other: str, same: bool) -> None:
    assert same_login(one, other) is same


def test_the_challenge_is_that_of_the_standards_example() -> None:
    # RFC 7636, appendix B
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("canary", "not JSON"),
        ('["canary"]', "not a JSON object"),
        ('{"private_key": "canary"}', "no client_email in it"),
        ('{"client_email": "canary", "private_key": ""}', "no private_key in it"),
        ('{"client_email": "a", "private_key": "canary"}', "private_key is not in PEM form"),
    ],
)
def test_a_wrong_service_account_key_is_told_without_quoting_it(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        ServiceAccountKey.parse(Secret(text))
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
