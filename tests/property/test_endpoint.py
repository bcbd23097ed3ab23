"""Endpoints from any text."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailwatch.core.mailbox import Endpoint, EndpointError, Protocol, TlsMode, is_address

LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)
HOSTS = st.one_of(
    st.lists(LABELS, min_size=1, max_size=4).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda ip: ip.compressed),
)
ENDPOINTS = st.builds(Endpoint, st.sampled_from(Protocol), HOSTS, st.integers(1, 65_535), st.sampled_from(TlsMode))


@given(ENDPOINTS)
def test_what_an_endpoint_writes_it_reads_back(endpoint):
    assert Endpoint.parse(endpoint.url) == endpoint
    assert Endpoint.parse(endpoint.url, endpoint.protocol) == endpoint


@given(
    st.one_of(
        st.text(), st.text().map(lambda text: f"imaps://{text}"), st.from_regex(r"(imap|smtp)s?(\+starttls)?://.*", fullmatch=True)
    )
)
def test_any_text_is_an_endpoint_or_a_clear_error(text):
    try:
        endpoint = Endpoint.parse(text)
    except EndpointError:
        pass  # any other error would fail the test
    else:
        assert Endpoint.parse(endpoint.url) == endpoint
        assert 1 <= endpoint.port <= 65_535
        assert endpoint.host.isascii()
        assert not set(endpoint.host) & set("/@\\ \r\n\t\0\"'<>")


@given(st.text(min_size=1), st.text(min_size=1))
def test_an_error_about_a_password_never_repeats_it(user, password):
    secret = f"pw-{password.encode().hex() if password.isprintable() else 'x'}"
    with pytest.raises(EndpointError) as caught:
        Endpoint.parse(f"imaps://{user.encode('utf-8', 'replace').hex()}:{secret}@mail.example.org")
    assert secret not in str(caught.value)


@given(st.text())
def test_no_address_holds_what_could_break_a_header_or_a_command(text):
    if is_address(text):
        assert text.count("@") == 1
        assert not set(text) & set(' \r\n\0<>"(),:;\\')
