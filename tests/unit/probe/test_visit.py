"""What a visit carries, and how it fails."""

import pytest

from mailwatch.core.evidence import Phase
from mailwatch.core.mailbox import Depth, Endpoint, Protocol
from mailwatch.probe.capture import Capture
from mailwatch.probe.redact import Redactor
from mailwatch.probe.trace import Trace
from mailwatch.probe.visit import Visit


def visit(url="imaps://imap.example.org"):
    capture = Capture(Protocol.IMAP, "other", Redactor())
    return Visit(Endpoint.parse(url), "ann@example.org", Depth.LOGIN, None, Trace(lambda: 0.0), capture)


@pytest.mark.parametrize(
    ("url", "secured"),
    [("imaps://i.example.org", True), ("imap+starttls://i.example.org", True), ("imap://i.example.org", False)],
)
def test_a_visit_is_secured_unless_its_endpoint_is_used_without_tls(url, secured):
    assert visit(url).secured is secured


def test_what_the_server_lacks_is_told_with_the_step_reached():
    one = visit()
    one.trace.enter(Phase.STARTTLS)
    error = one.lacking("STARTTLS is required, but the server does not offer it", "StartTlsUnavailableError")
    assert (error.evidence.phase, error.evidence.exception) == (Phase.STARTTLS, "StartTlsUnavailableError")
    assert "does not offer it" in error.evidence.response
    assert "offer" not in str(error)


def test_nothing_is_found_before_anybody_looked():
    assert (visit().certificate, visit().logged_in) == (None, False)
