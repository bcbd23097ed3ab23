"""Mailboxes, endpoints and addresses."""

import pytest

from builders import IMAP, SMTP, a_mailbox
from mailwatch.core.mailbox import Endpoint, EndpointError, TlsMode, is_address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("imaps://mail.example.org", Endpoint(IMAP, "mail.example.org", 993, TlsMode.IMPLICIT)),
        ("imap+starttls://mail.example.org", Endpoint(IMAP, "mail.example.org", 143, TlsMode.STARTTLS)),
        ("imap://mail.example.org", Endpoint(IMAP, "mail.example.org", 143, TlsMode.NONE)),
        ("smtps://mail.example.org", Endpoint(SMTP, "mail.example.org", 465, TlsMode.IMPLICIT)),
        ("smtp+starttls://mail.example.org", Endpoint(SMTP, "mail.example.org", 587, TlsMode.STARTTLS)),
        ("smtp://mail.example.org", Endpoint(SMTP, "mail.example.org", 25, TlsMode.NONE)),
        (" IMAPS://Mail.Example.ORG:1993/ ", Endpoint(IMAP, "mail.example.org", 1993, TlsMode.IMPLICIT)),
        ("imaps://mail.example.org.", Endpoint(IMAP, "mail.example.org", 993, TlsMode.IMPLICIT)),
        ("imaps://[::1]:1993", Endpoint(IMAP, "::1", 1993, TlsMode.IMPLICIT)),
        ("smtps://192.0.2.1", Endpoint(SMTP, "192.0.2.1", 465, TlsMode.IMPLICIT)),
        ("imaps://bücher.example", Endpoint(IMAP, "xn--bcher-kva.example", 993, TlsMode.IMPLICIT)),
    ],
)
def test_a_url_names_an_endpoint(url, expected):
    assert Endpoint.parse(url) == expected


@pytest.mark.parametrize("url", ["imaps://mail.example.org:993", "imaps://[::1]:993", "smtp+starttls://192.0.2.1:587"])
def test_an_endpoint_writes_its_own_url(url):
    assert Endpoint.parse(url).url == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://mail.example.org", "the scheme must be one of imaps"),
        ("mail.example.org", "the scheme must be one of"),
        ("", "the scheme must be one of"),
        ("imaps://", "a host name or IP address is needed"),
        ("imaps://-bad.example", "a host name or IP address is needed"),
        ("imaps://a b", "a host name or IP address is needed"),
        ("imaps://" + "a" * 64 + ".example", "a host name or IP address is needed"),
        ("imaps://" + ".".join(["a" * 60] * 5), "a host name or IP address is needed"),
        ("imaps://mail.example.org:0", "a host name or IP address is needed"),
        ("imaps://mail.example.org:65536", "the port must be a number from 1 to 65535"),
        ("imaps://mail.example.org:imap", "the port must be a number from 1 to 65535"),
        ("imaps://mail.example.org/INBOX", "nothing may follow"),
        ("imaps://mail.example.org?x=1", "nothing may follow"),
        ("imaps://a\u2025b.example", "a host name|is no host name"),
        ("imaps://[::1", "this is no URL"),
        ("imaps://a\u2100b.example", "this is no URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_the_cure(url, words):
    with pytest.raises(EndpointError, match=words):
        Endpoint.parse(url)


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(EndpointError) as caught:
        Endpoint.parse("imaps://user:hunter2@mail.example.org")
    assert "hunter2" not in str(caught.value)


def test_the_scheme_must_fit_the_channel_asked_for():
    with pytest.raises(EndpointError, match="smtps"):
        Endpoint.parse("imaps://mail.example.org", SMTP)
    assert Endpoint.parse("imaps://mail.example.org", IMAP).protocol is IMAP


def test_endpoints_come_imap_first_and_only_those_there_are():
    assert [endpoint.protocol for endpoint in a_mailbox().endpoints] == [IMAP, SMTP]
    assert [endpoint.protocol for endpoint in a_mailbox(imap=None).endpoints] == [SMTP]


def test_the_domain_is_what_follows_the_last_at_in_lower_case():
    assert a_mailbox(address='"a@b"@Example.ORG').domain == "example.org"


@pytest.mark.parametrize("text", ["a@b.example", "ü@bücher.example", "first.last+tag@sub.example.org", "o'neil@example.org"])
def test_addresses(text):
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@example.org",
        "a@",
        "a b@example.org",
        "a@b\n",
        "a@b@c",
        "<a@b>",
        "a,b@c",
        "a" * 65 + "@b.example",
        "a@" + "b" * 260,
    ],
)
def test_no_addresses(text):
    assert not is_address(text)
