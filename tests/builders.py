"""Makes the values tests are about: mailboxes, standings, reports, and failures in the words of real servers.

Everything is well by default; a test names only what it is about.
"""

from datetime import UTC, datetime, timedelta

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import ChannelReport, Evidence, Outcome, Phase, Report
from mailwatch.core.lifecycle import State
from mailwatch.core.mailbox import AuthKind, Endpoint, Mailbox, Protocol
from mailwatch.core.refusals import refuses_secret
from mailwatch.core.standing import Standing
from mailwatch.ports import Claim

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
IMAP, SMTP = Protocol.IMAP, Protocol.SMTP

# What real servers and networks say, by the cause it stands for.
FAILURES = {
    Cause.DNS_FAILURE: Evidence("network", Phase.RESOLVE, exception="socket.gaierror", errno=-3),
    Cause.CONNECTION_REFUSED: Evidence("network", Phase.CONNECT, exception="ConnectionRefusedError", errno=111),
    Cause.CONNECTION_TIMEOUT: Evidence("network", Phase.CONNECT, exception="TimeoutError"),
    Cause.CONNECTION_DROPPED: Evidence("imap", Phase.SELECT, exception="ConnectionResetError", errno=104),
    Cause.SESSION_EXPIRED: Evidence(
        "imap", Phase.IDLE, "BYE Session expired, please login again.", status="BYE", session_worked=True
    ),
    Cause.TLS_CERTIFICATE_EXPIRED: Evidence(
        "network", Phase.TLS, "certificate has expired", exception="ssl.SSLCertVerificationError", verify_code=10
    ),
    Cause.PROTOCOL_ERROR: Evidence("imap", Phase.SELECT, "BAD Command syntax error", status="BAD"),
    Cause.SERVER_UNAVAILABLE: Evidence(
        "imap", Phase.AUTH, "NO [UNAVAILABLE] Temporary authentication failure.", status="NO", response_code="UNAVAILABLE"
    ),
    Cause.CONNECTION_LIMIT: Evidence("imap", Phase.AUTH, "NO [ALERT] Too many simultaneous connections. (Failure)", status="NO"),
    Cause.RATE_LIMITED: Evidence(
        "smtp", Phase.AUTH, "454 4.7.0 Too many login attempts, please try again later.", code=454, enhanced="4.7.0"
    ),
    Cause.INVALID_CREDENTIALS: Evidence(
        "imap", Phase.AUTH, "NO [AUTHENTICATIONFAILED] Authentication failed.", status="NO", response_code="AUTHENTICATIONFAILED"
    ),
    Cause.BASIC_AUTH_DISABLED: Evidence(
        "smtp",
        Phase.AUTH,
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        code=535,
        enhanced="5.7.139",
    ),
    Cause.OAUTH_TOKEN_EXPIRED: Evidence(
        "imap", Phase.AUTH, "NO SASL authentication failed", status="NO", challenge='{"status":"400"}'
    ),
    Cause.OAUTH_GRANT_REVOKED: Evidence(
        "oauth", Phase.TOKEN, "Token has been expired or revoked.", oauth_error="invalid_grant", http_status=400
    ),
    Cause.OAUTH_MISCONFIGURED: Evidence(
        "oauth", Phase.TOKEN, "The OAuth client was not found.", oauth_error="invalid_client", http_status=401
    ),
    Cause.ACCESS_DENIED: Evidence("imap", Phase.SELECT, "NO [NOPERM] Access denied", status="NO", response_code="NOPERM"),
    Cause.MAILBOX_FULL: Evidence("smtp", Phase.SUBMIT, "452 4.2.2 Mailbox full", code=452, enhanced="4.2.2"),
    Cause.UNKNOWN: Evidence("imap", Phase.SELECT, "NO xyzzy", status="NO"),
}
TOKEN_ENDPOINT_DOWN = Evidence("oauth", Phase.TOKEN, "Service Unavailable", http_status=503)
#: Exchange Online: a throttle that names its time, 299,961 ms.
THROTTLED_WITH_HINT = Evidence(
    "imap",
    Phase.SELECT,
    "BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds",
    status="BAD",
    retry_after_seconds=299.961,
)


def later(seconds):
    """The moment *seconds* after NOW."""
    return NOW + timedelta(seconds=seconds)


def a_mailbox(mailbox_id="mb_1", *, imap="imaps://imap.example.org", smtp="smtp+starttls://smtp.example.org", **changes):
    """A mailbox with both channels, on a host nobody listed."""
    values = {
        "address": f"{mailbox_id}@example.org",
        "username": f"{mailbox_id}@example.org",
        "auth": AuthKind.PASSWORD,
        "provider": "other",
        "created_at": NOW,
    } | changes
    return Mailbox(
        id=mailbox_id,
        imap=Endpoint.parse(imap) if imap else None,
        smtp=Endpoint.parse(smtp) if smtp else None,
        **values,
    )


def a_standing(state=State.CONNECTED, mailbox_id="mb_1", **changes):
    """A standing in *state* for an hour, due now; what was connected once is proven."""
    values = {"since_at": later(-3600), "due_at": NOW}
    if state is not State.PENDING:
        values |= {"last_success_at": later(-300), "proven": True}
    return Standing(mailbox_id, state, **(values | changes))


def healthy(protocol=IMAP, **changes):
    """A channel that worked, login included."""
    return ChannelReport(protocol, Outcome.HEALTHY, Phase.SELECT if protocol is IMAP else Phase.QUIT, logged_in=True, **changes)


def failed(failure, protocol=IMAP, **changes):
    """A channel that failed with *failure* (evidence or cause); a refused secret counts as the prober counts it."""
    evidence = FAILURES[failure] if isinstance(failure, Cause) else failure
    refused = evidence.phase is Phase.AUTH and refuses_secret(evidence, diagnose(evidence).cause)
    values = {"phase": evidence.phase, "evidence": evidence, "rejected_logins": int(refused)} | changes
    return ChannelReport(protocol, Outcome.FAILED, **values)


def withheld(protocol=IMAP, reason="budget"):
    """A channel that was reached, without a login."""
    return ChannelReport(protocol, Outcome.WITHHELD, Phase.GREETING, withheld_reason=reason)


def impaired(protocol=IMAP, impairment="ca_store_empty"):
    """A channel about which a fault of our own lets us say nothing."""
    return ChannelReport(protocol, Outcome.IMPAIRED, Phase.TLS, impairment=impairment)


def a_report(*channels, generation=1, at=NOW, took_seconds=1.0):
    """A report that ended at *at*; without channels both are well."""
    return Report(at - timedelta(seconds=took_seconds), at, generation, channels or (healthy(IMAP), healthy(SMTP)))


def a_failure(failure, *, generation=1, at=NOW):
    """A report in which IMAP failed with *failure*, and SMTP was well or was spared."""
    first = failed(failure)
    second = withheld(SMTP, "other_channel") if first.rejected_logins or first.phase is Phase.TOKEN else healthy(SMTP)
    return a_report(first, second, generation=generation, at=at)


def a_claim(mailbox=None, standing=None, *, lease="lease-1", now=NOW, seconds=60.0):
    """A claim on *mailbox*, fresh."""
    mailbox = mailbox or a_mailbox()
    return Claim(mailbox, standing or a_standing(mailbox_id=mailbox.id), None, lease, now + timedelta(seconds=seconds))
