"""Scopes as people type them."""

import pytest

from mailwatch.cli.output import CliError
from mailwatch.cli.scopes import scope_of, shown_scope
from mailwatch.core.incidents.scopes import Scope, ScopeKind


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("provider:google", Scope(ScopeKind.PROVIDER, "google")),
        ("domain: Example.ORG ", Scope(ScopeKind.DOMAIN, "example.org")),
        ("endpoint:imap.example.org", Scope(ScopeKind.ENDPOINT, "imap.example.org")),
        ("oauth_app:Outreach", Scope(ScopeKind.OAUTH_APP, "Outreach")),
    ],
)
def test_a_scope_is_a_kind_and_a_name(text, scope):
    assert scope_of(text) == scope


@pytest.mark.parametrize("text", ["", "google", "provider:", "planet:mars", "egress:own"])
def test_anything_else_names_the_cure(text):
    with pytest.raises(CliError, match="provider:NAME"):
        scope_of(text)


def test_it_is_shown_as_it_is_typed():
    assert shown_scope(Scope(ScopeKind.DOMAIN, "example.org")) == "domain:example.org"
    assert shown_scope(None) == "everything"
