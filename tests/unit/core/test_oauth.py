"""OAuth applications and grants as values."""

from urllib.parse import urlsplit

import pytest

from mailwatch.core.oauth import TOKEN_URLS, Grant, OAuthApp, OAuthKind
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
