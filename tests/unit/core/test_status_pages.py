"""Where providers tell of their own outages."""

from urllib.parse import urlsplit

import pytest

from mailwatch.core.incidents.scopes import EGRESS, Scope, ScopeKind
from mailwatch.core.providers import PACES
from mailwatch.core.status_pages import STATUS_PAGES, status_page_of


def test_every_entry_is_of_a_known_provider_and_a_secure_page():
    assert set(STATUS_PAGES) <= set(PACES)
    for url in STATUS_PAGES.values():
        parts = urlsplit(url)
        assert (parts.scheme, bool(parts.hostname), parts.query, parts.fragment) == ("https", True, "", "")


def test_a_provider_and_its_servers_have_the_same_page():
    page = STATUS_PAGES["google"]
    assert status_page_of(Scope(ScopeKind.PROVIDER, "google")) == page
    assert status_page_of(Scope(ScopeKind.ENDPOINT, "imap.gmail.com")) == page


@pytest.mark.parametrize(
    "scope",
    [
        EGRESS,
        Scope(ScopeKind.PROVIDER, "other"),
        Scope(ScopeKind.ENDPOINT, "imap.example.org"),
        Scope(ScopeKind.DOMAIN, "gmail.com"),
        Scope(ScopeKind.OAUTH_APP, "google"),
    ],
)
def test_what_is_no_providers_has_none(scope):
    assert status_page_of(scope) is None
