"""The table of known providers."""

import re

import pytest

from mailwatch.core import providers
from mailwatch.core.mailbox import Protocol, TlsMode
from mailwatch.core.providers import PACES, PROVIDERS, endpoints_for_domain, provider_for_host, provider_for_mail_exchanger


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.name)
def test_each_provider_can_be_a_label_and_its_endpoints_are_encrypted_and_its_own(provider: providers.Provider) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]*", provider.name)
    for endpoint, protocol in ((provider.imap, Protocol.IMAP), (provider.smtp, Protocol.SMTP)):
        if endpoint is None:
            continue
        assert endpoint.protocol is protocol
        assert endpoint.tls_mode is not TlsMode.NONE
        assert provider_for_host(endpoint.host) == provider.name


def test_names_domains_and_suffixes_belong_to_one_provider_each() -> None:
    table = list(PROVIDERS.values())
    for kind in ("domains", "mx"):
        owned = [name for provider in table for name in getattr(provider, kind)]
        assert len(owned) == len(set(owned)), kind
    assert set(PACES) == set(PROVIDERS)
    assert providers.OTHER not in PROVIDERS


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("imap.gmail.com", "google"),
        ("IMAP.GMAIL.COM.", "google"),
        ("smtp.office365.com", "microsoft"),
        ("smtp-mail.outlook.com", "microsoft"),
        ("imap.mail.eu-west-1.awsapps.com", "amazon-ses"),
        ("notgmail.com", "other"),
        ("gmail.com.evil.example", "other"),
        ("192.0.2.1", "other"),
        ("", "other"),
    ],
)
def test_a_host_belongs_to_the_provider_whose_domain_it_is_under(host: str, name: str) -> None:
    assert provider_for_host(host) == name


@pytest.mark.parametrize(
    ("exchanger", "name"),
    [
        ("aspmx.l.google.com", "google"),
        ("example-org.mail.protection.outlook.com", "microsoft"),
        ("mx00.kundenserver.de.", "ionos-de"),
        ("in1-smtp.messagingengine.com", "fastmail"),
    ],
)
def test_a_mail_exchanger_shows_the_provider_of_a_domain(exchanger: str, name: str) -> None:
    found = provider_for_mail_exchanger(exchanger)
    assert found is not None
    assert found.name == name


def test_a_mail_exchanger_of_ones_own_shows_nothing() -> None:
    assert provider_for_mail_exchanger("mx.example.org") is None


def test_addresses_of_a_provider_have_its_endpoints_and_others_none() -> None:
    found = endpoints_for_domain("Gmail.com")
    assert found is not None
    assert [endpoint.url for endpoint in found if endpoint] == ["imaps://imap.gmail.com:993", "smtps://smtp.gmail.com:465"]
    assert endpoints_for_domain("example.org") is None


def test_only_providers_known_to_count_by_account_may_be_asked_fast() -> None:
    assert not PACES["google"].per_address_bans
    assert not PACES["microsoft"].per_address_bans
    assert all(pace.per_address_bans for name, pace in PACES.items() if pace.logins_per_minute < 600)
