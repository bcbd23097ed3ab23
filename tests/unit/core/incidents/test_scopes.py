"""What mailboxes share."""

from builders import a_mailbox
from mailwatch.core.incidents.scopes import Scope, ScopeKind, Traits


def test_a_mailbox_is_in_its_provider_app_hosts_and_domain_the_broadest_first():
    traits = Traits("google", ("imap.gmail.com", "smtp.gmail.com"), "a.test", "app")
    assert list(traits.scopes()) == [
        Scope(ScopeKind.PROVIDER, "google"),
        Scope(ScopeKind.OAUTH_APP, "app"),
        Scope(ScopeKind.ENDPOINT, "imap.gmail.com"),
        Scope(ScopeKind.ENDPOINT, "smtp.gmail.com"),
        Scope(ScopeKind.DOMAIN, "a.test"),
    ]


def test_mailboxes_of_unlisted_hosts_share_no_provider():
    scopes = list(Traits("other", ("mail.a.test",), "a.test").scopes())
    assert scopes == [Scope(ScopeKind.ENDPOINT, "mail.a.test"), Scope(ScopeKind.DOMAIN, "a.test")]


def test_the_traits_of_a_mailbox_name_each_host_once():
    found = Traits.of(a_mailbox())
    assert len(set(found.endpoints)) == len(found.endpoints) > 0
    assert found.domain == a_mailbox().domain
