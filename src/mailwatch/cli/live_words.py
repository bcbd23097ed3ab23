"""The words and signs of the live view: states, causes and changes as a newcomer would say them."""

from datetime import datetime
from typing import Final

from mailwatch.core.cause_texts import texts_for
from mailwatch.core.causes import Cause, Disposition, Owner, profile_of
from mailwatch.core.lifecycle import State, Trigger
from mailwatch.core.standing import Transition

#: A sign beside each state's word, so that colour is never needed to tell them apart.
SIGNS: Final = {
    State.CONNECTED: "✔",
    State.SUSPECT: "?",
    State.RECONNECTING: "↻",
    State.VERIFYING: "◐",
    State.BLOCKED: "✖",
    State.HELD: "‖",
    State.INACTIVE: "○",
    State.PENDING: "·",
}
#: For terminals that know ASCII only.
ASCII_SIGNS: Final = {
    State.CONNECTED: "+",
    State.SUSPECT: "?",
    State.RECONNECTING: "@",
    State.VERIFYING: "%",
    State.BLOCKED: "X",
    State.HELD: "=",
    State.INACTIVE: "o",
    State.PENDING: ".",
}
COLOURS: Final = {
    State.CONNECTED: "green",
    State.SUSPECT: "yellow",
    State.RECONNECTING: "dark_orange",
    State.VERIFYING: "cyan",
    State.BLOCKED: "red",
    State.HELD: "magenta",
    State.INACTIVE: "bright_black",
    State.PENDING: "bright_black",
}
#: Each cause in a few words, for narrow places.
BRIEFS: Final = {
    Cause.DNS_FAILURE: "name not found",
    Cause.CONNECTION_REFUSED: "connection refused",
    Cause.CONNECTION_TIMEOUT: "no answer",
    Cause.CONNECTION_DROPPED: "connection dropped",
    Cause.SESSION_EXPIRED: "session ended",
    Cause.TLS_CERTIFICATE_EXPIRED: "certificate expired",
    Cause.TLS_CERTIFICATE_UNTRUSTED: "certificate not trusted",
    Cause.TLS_HANDSHAKE_FAILED: "TLS failed",
    Cause.TLS_REQUIRED: "TLS demanded",
    Cause.PROTOCOL_ERROR: "speaks another protocol",
    Cause.SERVER_UNAVAILABLE: "server unavailable",
    Cause.CONNECTION_LIMIT: "too many connections",
    Cause.RATE_LIMITED: "throttled",
    Cause.IP_BLOCKED: "our address blocked",
    Cause.INVALID_CREDENTIALS: "password refused",
    Cause.APP_PASSWORD_REQUIRED: "app password needed",
    Cause.BASIC_AUTH_DISABLED: "passwords switched off",
    Cause.WEB_LOGIN_REQUIRED: "browser login needed",
    Cause.PASSWORD_EXPIRED: "password expired",
    Cause.MECHANISM_UNSUPPORTED: "login method not offered",
    Cause.OAUTH_TOKEN_EXPIRED: "access token expired",
    Cause.OAUTH_GRANT_REVOKED: "consent revoked",
    Cause.OAUTH_MISCONFIGURED: "OAuth app misconfigured",
    Cause.MFA_REQUIRED: "second factor needed",
    Cause.PROTOCOL_DISABLED: "IMAP or SMTP turned off",
    Cause.ACCOUNT_DISABLED: "account disabled",
    Cause.ACCESS_DENIED: "access denied",
    Cause.MAILBOX_FULL: "mailbox full",
    Cause.MAILBOX_MISSING: "mailbox missing",
    Cause.SENDING_LIMIT: "sending limit reached",
    Cause.SENDING_BLOCKED: "sending blocked",
    Cause.UNKNOWN: "unknown words",
    Cause.LOCAL_NETWORK_DOWN: "our own network is down",
    Cause.PLATFORM_MAINTENANCE: "our own maintenance",
    Cause.PROCESSING_BACKLOG: "our own backlog",
    Cause.WARMUP_PAUSE: "paused for warm-up",
    Cause.ANOMALY_PAUSE: "paused for an anomaly",
    Cause.STRATEGIC_PAUSE: "paused on purpose",
    Cause.OPERATOR_DISCONNECT: "disconnected by operator",
}
_OWNERS: Final = {
    Owner.MAILBOX_OWNER: "owner",
    Owner.TENANT_ADMIN: "admin",
    Owner.US: "us",
    Owner.PROVIDER: "provider",
    Owner.NOBODY: "nobody",
}
_BY_TRIGGER: Final = {
    Trigger.NEW_SECRET: "new secret from the owner, trying it",
    Trigger.RECONNECT: "Reconnect was pressed, trying again",
    Trigger.OBSTACLE_CLEARED: "the obstacle is gone, trying again",
    Trigger.BROUGHT_BACK: "the incident is over or felt for, trying again",
}
_WELL_AFTER: Final = {State.VERIFYING: "verified, sending may go on", State.SUSPECT: "false alarm, all well"}
_MINUTE: Final = 60
_HOUR: Final = 3600


def why(cause: Cause | None, *, brief: bool = False) -> str:
    """What *cause* means: the first sentence for operators without its full stop, or a few words."""
    if cause is None:
        return ""
    return BRIEFS[cause] if brief else texts_for(cause).operator.partition(". ")[0].rstrip(".")


def who(cause: Cause | None) -> str:
    """Who must act, in one word."""
    return _OWNERS[profile_of(cause).owner] if cause is not None else "us"


def lasting(seconds: float) -> str:
    """A duration in at most four characters."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    return f"{whole // _MINUTE}m" if whole < _HOUR else f"{whole // _HOUR}h"


def next_look(state: State, cause: Cause | None, due_at: datetime | None, now: datetime) -> str:
    """When mailwatch tries again, or who has to act first."""
    if state is State.BLOCKED:
        return f"by {who(cause)}"
    if due_at is None:
        return ""
    seconds = (due_at - now).total_seconds()
    return "now" if seconds < 1 else f"in {lasting(seconds)}"


def told(transition: Transition, *, brief: bool = False) -> str:
    """What a change means, as one clause."""
    by_person = _BY_TRIGGER.get(transition.trigger)
    if by_person is not None:
        return by_person
    cause, to = transition.cause, transition.to_state
    if to in (State.SUSPECT, State.RECONNECTING, State.BLOCKED):
        return f"{why(cause, brief=brief)}{', ' if brief else ' - '}{_outlook(to, cause)}"
    if to is State.CONNECTED:
        return _WELL_AFTER.get(transition.from_state, "well")
    return "reached again, now proving it" if to is State.VERIFYING else str(transition.trigger).replace("_", " ")


def _outlook(to: State, cause: Cause | None) -> str:
    if to is State.SUSPECT:
        return "looking again"
    if to is State.BLOCKED:
        return f"waits for {who(cause)}"
    patient = cause is not None and profile_of(cause).disposition is Disposition.THROTTLED
    return "pausing, then retrying" if patient else "retrying"
