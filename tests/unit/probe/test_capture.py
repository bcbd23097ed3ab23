"""From exceptions and replies to evidence."""

import errno
import ssl

import pytest

from mailwatch.core.evidence import Phase
from mailwatch.core.mailbox import Protocol
from mailwatch.ports import MailboxNotFoundError, MailwatchError, SecretUnreadableError, StoreUnavailableError
from mailwatch.probe.capture import Capture, impairment_of, impairment_of_store
from mailwatch.probe.failures import ConnectionClosedError, ImpairedError, ResolveError, ServerByeError
from mailwatch.probe.redact import Redactor


@pytest.fixture
def capture() -> Capture:
    return Capture(Protocol.SMTP, "google", Redactor())


def test_an_smtp_reply_keeps_its_lines_its_code_and_its_enhanced_code(capture: Capture) -> None:
    found = capture.smtp(Phase.AUTH, 535, "5.7.8 Username and Password not accepted.\n5.7.8  https://support.example - gsmtp")
    assert (found.code, found.enhanced, found.provider) == (535, "5.7.8", "google")
    assert found.response == "535 5.7.8 Username and Password not accepted. 5.7.8  https://support.example - gsmtp"
    assert capture.smtp(Phase.AUTH, 535, "no 5.7.8 here").enhanced is None


def test_an_imap_reply_keeps_its_status_code_and_alerts() -> None:
    found = Capture(Protocol.IMAP, "other", Redactor()).imap(
        Phase.AUTH, "NO", b"[AuthenticationFailed] no", alerts=b"[ALERT] read this"
    )
    assert (found.status, found.response_code) == ("NO", "AUTHENTICATIONFAILED")
    assert found.response == "NO [AuthenticationFailed] no [ALERT] read this"


@pytest.mark.parametrize(
    ("error", "exception", "number"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), "ConnectionResetError", 104),
        (TimeoutError(), "TimeoutError", None),
        (ConnectionClosedError(), "EOFError", None),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "OSError", 113),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "ssl.SSLError", None),
        (ResolveError("dns.resolver.NXDOMAIN", "x"), "dns.resolver.NXDOMAIN", None),
    ],
)
def test_an_error_of_the_network_is_told_by_its_class(
    capture: Capture, error: Exception, exception: str, number: int | None
) -> None:
    found = capture.error(Phase.GREETING, error)
    assert (found.protocol, found.exception, found.errno) == ("network", exception, number)


def test_a_bye_is_the_servers_own_word() -> None:
    found = Capture(Protocol.IMAP, "other", Redactor()).error(Phase.AUTH, ServerByeError(b"[UNAVAILABLE] later"))
    assert (found.protocol, found.status, found.response_code) == ("imap", "BYE", "UNAVAILABLE")


def test_a_handshake_that_takes_too_long_is_a_time_out(capture: Capture) -> None:
    assert (
        capture.error(Phase.TLS, ConnectionAbortedError("SSL handshake is taking longer than 10 seconds")).exception
        == "TimeoutError"
    )


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
def test_what_our_own_machine_lacks_is_never_the_peers_fault(capture: Capture, number: int) -> None:
    with pytest.raises(ImpairedError):
        capture.error(Phase.CONNECT, OSError(number, "x"))


def test_errors_of_connect_itself_are_ours_only_when_they_come_at_once() -> None:
    assert impairment_of(OSError(errno.EACCES, "x"), connecting=True) == "local_policy"
    assert impairment_of(OSError(errno.EACCES, "x")) is None
    assert impairment_of(OSError(errno.ENETUNREACH, "x"), connecting=True) == "network_unreachable"
    assert impairment_of(OSError(errno.EHOSTUNREACH, "x"), connecting=True) is None


def test_a_bug_is_raised_and_not_made_evidence(capture: Capture) -> None:
    with pytest.raises(ZeroDivisionError):
        capture.error(Phase.AUTH, ZeroDivisionError())


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (SecretUnreadableError(), "secret_unreadable"),
        (StoreUnavailableError(), "store_failing"),
        (MailboxNotFoundError(), "mailbox_removed"),
        (MailwatchError(), "internal"),
    ],
)
def test_faults_of_the_store_have_names(error: MailwatchError, name: str) -> None:
    assert impairment_of_store(error) == name
