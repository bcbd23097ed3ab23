"""The closed set of causes of a disconnection, and what each means for the one who must act.

The spelling here is *the* spelling everywhere: database, JSON, metric labels, logs, TOML.  The words a person reads (sentences,
remedies) live in `cause_texts`; what decides a cause from a reply lives in `classify` and `signatures`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final


@unique
class Category(StrEnum):
    """The group a customer is told about."""

    INFRASTRUCTURE = "infrastructure"  #: our own platform
    TECHNICAL = "technical"  #: network, provider, server
    AUTHENTICATION = "authentication"
    ACCOUNT = "account"
    PROTECTIVE = "protective"
    OPERATOR = "operator"


@unique
class Disposition(StrEnum):
    """What heals it."""

    TRANSIENT = "transient"  #: retry with backoff
    THROTTLED = "throttled"  #: retry only after a long quiet time, or the time the server names
    REFRESH = "refresh"  #: renew the access token, then retry at once
    HUMAN = "human"  #: retrying cannot heal it and may lock the account: stop
    PLANNED = "planned"  #: not a disconnection at all: reconnect silently, no transition


@unique
class Owner(StrEnum):
    """Who must act."""

    NOBODY = "nobody"
    US = "us"  #: the platform's operators
    MAILBOX_OWNER = "mailbox_owner"
    TENANT_ADMIN = "tenant_admin"
    PROVIDER = "provider"


@unique
class Scope(StrEnum):
    """What else probably fails with it."""

    MAILBOX = "mailbox"
    DOMAIN = "domain"
    PROVIDER = "provider"
    OAUTH_APP = "oauth_app"
    EGRESS = "egress"  #: our own address or uplink


@unique
class Cause(StrEnum):
    """Why a mailbox is disconnected."""

    DNS_FAILURE = "dns_failure"
    CONNECTION_REFUSED = "connection_refused"
    CONNECTION_TIMEOUT = "connection_timeout"
    CONNECTION_DROPPED = "connection_dropped"
    SESSION_EXPIRED = "session_expired"
    TLS_CERTIFICATE_EXPIRED = "tls_certificate_expired"
    TLS_CERTIFICATE_UNTRUSTED = "tls_certificate_untrusted"
    TLS_HANDSHAKE_FAILED = "tls_handshake_failed"
    TLS_REQUIRED = "tls_required"
    PROTOCOL_ERROR = "protocol_error"
    SERVER_UNAVAILABLE = "server_unavailable"
    CONNECTION_LIMIT = "connection_limit"
    RATE_LIMITED = "rate_limited"
    IP_BLOCKED = "ip_blocked"
    INVALID_CREDENTIALS = "invalid_credentials"
    APP_PASSWORD_REQUIRED = "app_password_required"
    BASIC_AUTH_DISABLED = "basic_auth_disabled"
    WEB_LOGIN_REQUIRED = "web_login_required"
    PASSWORD_EXPIRED = "password_expired"
    MECHANISM_UNSUPPORTED = "mechanism_unsupported"
    OAUTH_TOKEN_EXPIRED = "oauth_token_expired"
    OAUTH_GRANT_REVOKED = "oauth_grant_revoked"
    OAUTH_MISCONFIGURED = "oauth_misconfigured"
    MFA_REQUIRED = "mfa_required"
    PROTOCOL_DISABLED = "protocol_disabled"
    ACCOUNT_DISABLED = "account_disabled"
    ACCESS_DENIED = "access_denied"
    MAILBOX_FULL = "mailbox_full"
    MAILBOX_MISSING = "mailbox_missing"
    SENDING_LIMIT = "sending_limit"
    SENDING_BLOCKED = "sending_blocked"
    UNKNOWN = "unknown"
    # Decided by mailwatch itself, never by a server's words.
    LOCAL_NETWORK_DOWN = "local_network_down"
    PLATFORM_MAINTENANCE = "platform_maintenance"
    PROCESSING_BACKLOG = "processing_backlog"
    WARMUP_PAUSE = "warmup_pause"
    ANOMALY_PAUSE = "anomaly_pause"
    STRATEGIC_PAUSE = "strategic_pause"
    OPERATOR_DISCONNECT = "operator_disconnect"


@dataclass(frozen=True, slots=True)
class CauseProfile:
    """What a cause means: who acts, what heals it, how far it probably reaches."""

    category: Category
    disposition: Disposition
    owner: Owner
    scope: Scope


_T, _A, _C = Category.TECHNICAL, Category.AUTHENTICATION, Category.ACCOUNT
_D, _O, _S = Disposition, Owner, Scope

PROFILES: Final[Mapping[Cause, CauseProfile]] = MappingProxyType(
    {
        Cause.DNS_FAILURE: CauseProfile(_T, _D.TRANSIENT, _O.PROVIDER, _S.DOMAIN),
        Cause.CONNECTION_REFUSED: CauseProfile(_T, _D.TRANSIENT, _O.PROVIDER, _S.PROVIDER),
        Cause.CONNECTION_TIMEOUT: CauseProfile(_T, _D.TRANSIENT, _O.PROVIDER, _S.PROVIDER),
        Cause.CONNECTION_DROPPED: CauseProfile(_T, _D.TRANSIENT, _O.PROVIDER, _S.PROVIDER),
        Cause.SESSION_EXPIRED: CauseProfile(_T, _D.PLANNED, _O.NOBODY, _S.MAILBOX),
        Cause.TLS_CERTIFICATE_EXPIRED: CauseProfile(_T, _D.HUMAN, _O.PROVIDER, _S.PROVIDER),
        Cause.TLS_CERTIFICATE_UNTRUSTED: CauseProfile(_T, _D.HUMAN, _O.PROVIDER, _S.PROVIDER),
        Cause.TLS_HANDSHAKE_FAILED: CauseProfile(_T, _D.TRANSIENT, _O.PROVIDER, _S.PROVIDER),
        Cause.TLS_REQUIRED: CauseProfile(_T, _D.HUMAN, _O.US, _S.PROVIDER),
        Cause.PROTOCOL_ERROR: CauseProfile(_T, _D.HUMAN, _O.US, _S.PROVIDER),
        Cause.SERVER_UNAVAILABLE: CauseProfile(_T, _D.TRANSIENT, _O.PROVIDER, _S.PROVIDER),
        Cause.CONNECTION_LIMIT: CauseProfile(_T, _D.THROTTLED, _O.US, _S.MAILBOX),
        Cause.RATE_LIMITED: CauseProfile(_T, _D.THROTTLED, _O.US, _S.PROVIDER),
        Cause.IP_BLOCKED: CauseProfile(_T, _D.HUMAN, _O.US, _S.EGRESS),
        Cause.INVALID_CREDENTIALS: CauseProfile(_A, _D.HUMAN, _O.MAILBOX_OWNER, _S.MAILBOX),
        Cause.APP_PASSWORD_REQUIRED: CauseProfile(_A, _D.HUMAN, _O.MAILBOX_OWNER, _S.MAILBOX),
        Cause.BASIC_AUTH_DISABLED: CauseProfile(_A, _D.HUMAN, _O.TENANT_ADMIN, _S.DOMAIN),
        Cause.WEB_LOGIN_REQUIRED: CauseProfile(_A, _D.HUMAN, _O.MAILBOX_OWNER, _S.MAILBOX),
        Cause.PASSWORD_EXPIRED: CauseProfile(_A, _D.HUMAN, _O.MAILBOX_OWNER, _S.MAILBOX),
        Cause.MECHANISM_UNSUPPORTED: CauseProfile(_A, _D.HUMAN, _O.US, _S.PROVIDER),
        Cause.OAUTH_TOKEN_EXPIRED: CauseProfile(_A, _D.REFRESH, _O.NOBODY, _S.MAILBOX),
        Cause.OAUTH_GRANT_REVOKED: CauseProfile(_A, _D.HUMAN, _O.MAILBOX_OWNER, _S.MAILBOX),
        Cause.OAUTH_MISCONFIGURED: CauseProfile(_A, _D.HUMAN, _O.US, _S.OAUTH_APP),
        Cause.MFA_REQUIRED: CauseProfile(_A, _D.HUMAN, _O.MAILBOX_OWNER, _S.MAILBOX),
        Cause.PROTOCOL_DISABLED: CauseProfile(_C, _D.HUMAN, _O.TENANT_ADMIN, _S.DOMAIN),
        Cause.ACCOUNT_DISABLED: CauseProfile(_C, _D.HUMAN, _O.TENANT_ADMIN, _S.MAILBOX),
        Cause.ACCESS_DENIED: CauseProfile(_C, _D.HUMAN, _O.TENANT_ADMIN, _S.MAILBOX),
        Cause.MAILBOX_FULL: CauseProfile(_C, _D.THROTTLED, _O.MAILBOX_OWNER, _S.MAILBOX),
        Cause.MAILBOX_MISSING: CauseProfile(_C, _D.HUMAN, _O.TENANT_ADMIN, _S.MAILBOX),
        Cause.SENDING_LIMIT: CauseProfile(_C, _D.THROTTLED, _O.NOBODY, _S.MAILBOX),
        Cause.SENDING_BLOCKED: CauseProfile(_C, _D.HUMAN, _O.US, _S.DOMAIN),
        Cause.UNKNOWN: CauseProfile(_T, _D.TRANSIENT, _O.US, _S.MAILBOX),
        Cause.LOCAL_NETWORK_DOWN: CauseProfile(Category.INFRASTRUCTURE, _D.TRANSIENT, _O.US, _S.EGRESS),
        Cause.PLATFORM_MAINTENANCE: CauseProfile(Category.INFRASTRUCTURE, _D.TRANSIENT, _O.US, _S.EGRESS),
        Cause.PROCESSING_BACKLOG: CauseProfile(Category.INFRASTRUCTURE, _D.TRANSIENT, _O.US, _S.EGRESS),
        Cause.WARMUP_PAUSE: CauseProfile(Category.PROTECTIVE, _D.HUMAN, _O.US, _S.MAILBOX),
        Cause.ANOMALY_PAUSE: CauseProfile(Category.PROTECTIVE, _D.HUMAN, _O.US, _S.MAILBOX),
        Cause.STRATEGIC_PAUSE: CauseProfile(Category.PROTECTIVE, _D.HUMAN, _O.US, _S.MAILBOX),
        Cause.OPERATOR_DISCONNECT: CauseProfile(Category.OPERATOR, _D.HUMAN, _O.US, _S.MAILBOX),
    }
)

#: Causes that only mailwatch itself decides; the classifier never returns them.
PLATFORM_CAUSES: Final = frozenset(
    {
        Cause.LOCAL_NETWORK_DOWN,
        Cause.PLATFORM_MAINTENANCE,
        Cause.PROCESSING_BACKLOG,
        Cause.WARMUP_PAUSE,
        Cause.ANOMALY_PAUSE,
        Cause.STRATEGIC_PAUSE,
        Cause.OPERATOR_DISCONNECT,
    }
)

#: Causes the classifier may return.
WIRE_CAUSES: Final = frozenset(Cause) - PLATFORM_CAUSES

#: Causes our own broken uplink would also produce: they change no state while an egress incident is open (rule 4).
NETWORK_CAUSES: Final = frozenset(
    {
        Cause.DNS_FAILURE,
        Cause.CONNECTION_REFUSED,
        Cause.CONNECTION_TIMEOUT,
        Cause.CONNECTION_DROPPED,
        Cause.TLS_HANDSHAKE_FAILED,
        Cause.TLS_CERTIFICATE_EXPIRED,
        Cause.TLS_CERTIFICATE_UNTRUSTED,
    }
)

#: Causes by which a server refuses this very secret: each such answer counts on the login budget.
SECRET_REFUSALS: Final = frozenset(
    {
        Cause.INVALID_CREDENTIALS,
        Cause.APP_PASSWORD_REQUIRED,
        Cause.BASIC_AUTH_DISABLED,
        Cause.WEB_LOGIN_REQUIRED,
        Cause.PASSWORD_EXPIRED,
        Cause.OAUTH_TOKEN_EXPIRED,
        Cause.OAUTH_GRANT_REVOKED,
        Cause.OAUTH_MISCONFIGURED,
        Cause.MFA_REQUIRED,
        Cause.ACCOUNT_DISABLED,
        Cause.PROTOCOL_DISABLED,
    }
)


def profile_of(cause: Cause) -> CauseProfile:
    """What *cause* means; total over the closed set."""
    return PROFILES[cause]
