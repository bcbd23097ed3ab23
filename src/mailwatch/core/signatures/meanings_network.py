"""What words mean where no mail server speaks: our own network stack, and a token endpoint; in the form of `meanings`."""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

#: What a network stack says when no server spoke.
NETWORK: Final[tuple[Rule, ...]] = rules(
    "network",
    "lexicon",
    ("other_service", Cause.PROTOCOL_ERROR, "OTHERSERVICE -RESOLVE", "greeting"),
    ("certificate_expired", Cause.TLS_CERTIFICATE_EXPIRED, "CERT EXPIRED"),
    ("certificate", Cause.TLS_CERTIFICATE_UNTRUSTED, "CERT NOT|WRONG|FAIL|UNKNOWN|VERIFY|REVOKED|DENIED|ERROR|HOST -REQUIRED"),
    ("name_mismatch", Cause.TLS_CERTIFICATE_UNTRUSTED, "HOST OWNED NOT -RESOLVE"),
    ("starttls_not_offered", Cause.TLS_REQUIRED, "TLS NOT SUPPORTED|FEATURE|ENABLED -HANDSHAKE"),
    ("http_trouble", Cause.SERVER_UNAVAILABLE, "GATEWAY"),
    ("no_mechanism", Cause.MECHANISM_UNSUPPORTED, "MECHANISM|AUTH NOT|UNSUPPORTED SUPPORTED|UNSUPPORTED|EXIST|FEATURE"),
    ("tls", Cause.TLS_HANDSHAKE_FAILED, "TLS|HANDSHAKE FAIL|ERROR|HANDSHAKE|NOT|WRONG|UNSUPPORTED -TIMEOUT -DROPPED"),
    ("own_proxy", Cause.UNKNOWN, "OWNPROXY FAIL|DENIED|UNSUPPORTED|AUTH|WRONG -TIMEOUT -RESOLVE"),
    ("resolve", Cause.DNS_FAILURE, "RESOLVE FAIL|ERROR|NOT|UNKNOWN|LATER|TEMPORARY|TIMEOUT"),
    ("timeout", Cause.CONNECTION_TIMEOUT, "TIMEOUT -LOGIN -AUTH -IDLE"),
    ("dropped", Cause.CONNECTION_DROPPED, "DROPPED|CLOSING -LOGIN -AUTH"),
    ("not_connected", Cause.CONNECTION_REFUSED, "CONNECTION|CONNECTING FAIL|NOT|DENIED -LOGIN -AUTH -MANY -LIMIT -TRANSFER"),
    ("unreachable", Cause.CONNECTION_TIMEOUT, "UNAVAILABLE -TEMPORARY -AUTH -LOGIN"),
    ("read_failed", Cause.CONNECTION_DROPPED, "TRANSFER FAIL|ERROR -LOGIN -AUTH"),
    ("greeting_wrong", Cause.PROTOCOL_ERROR, "GREETING WRONG|SYNTAX|NOT -TIMEOUT -DROPPED"),
    ("garbage", Cause.PROTOCOL_ERROR, "SYNTAX|GREETING WRONG|ERROR|FAIL|SYNTAX"),
)

#: What a token endpoint says in words alone.
TOKEN: Final[tuple[Rule, ...]] = rules(
    "token",
    "lexicon",
    ("gateway", Cause.SERVER_UNAVAILABLE, "GATEWAY"),
    ("second_factor", Cause.MFA_REQUIRED, "MFA"),
    ("throttled", Cause.RATE_LIMITED, "THROTTLE"),
    ("too_many", Cause.RATE_LIMITED, "MANY|RATE ATTEMPT|LIMIT|EXCEED"),
    ("grant_type", Cause.OAUTH_MISCONFIGURED, "GRANTTYPE"),
    ("no_json", Cause.SERVER_UNAVAILABLE, "JSONWORD FAIL|ERROR|SYNTAX|NOT|WRONG|UNKNOWN"),
    ("refresh_token", Cause.OAUTH_GRANT_REVOKED, "REFRESHTOKEN EXPIRED|WRONG|REVOKED|UNKNOWN|NOT|LOCKED|USED"),
    ("token", Cause.OAUTH_GRANT_REVOKED, "TOKEN EXPIRED|REVOKED"),
    ("session_ended", Cause.OAUTH_GRANT_REVOKED, "SESSION EXPIRED|LOCKED|REVOKED|CLOSING -CONNECTION -ACCOUNT -TIMEOUT"),
    ("access_withdrawn", Cause.OAUTH_GRANT_REVOKED, "ACCESS|ACCEPT|APPROVE REVOKED -CLIENTAPP -ACCOUNT"),
    ("token_unusable", Cause.OAUTH_GRANT_REVOKED, "TOKEN WRONG|UNKNOWN -SYNTAX -JSONWORD -CLIENTAPP -SECRET_OF_APP -SCOPE"),
    ("consent", Cause.OAUTH_MISCONFIGURED, "ACCEPT|SCOPE NOT|REQUIRED|WRONG|UNKNOWN|DENIED"),
    ("client", Cause.OAUTH_MISCONFIGURED, "SECRET_OF_APP|CLIENTAPP WRONG|EXPIRED|UNKNOWN|DENIED|NOT|DISABLED|REQUIRED|FAIL"),
    ("account", Cause.ACCOUNT_DISABLED, "ACCOUNT|USER LOCKED|DISABLED|BLOCKED|SPAM -REVOKED -IP"),
    ("password", Cause.INVALID_CREDENTIALS, "PASSWORD|CREDENTIAL WRONG|FAIL -TOKEN -CHANGE -REVOKED"),
    ("temporary", Cause.SERVER_UNAVAILABLE, "TEMPORARY|INTERNAL|SYSTEM ERROR|FAIL|UNAVAILABLE|BUSY"),
    (
        "no_new_token",
        Cause.OAUTH_GRANT_REVOKED,
        (
            "TOKEN NEWTOKEN NOT|FAIL -TIMEOUT -CONNECTION -CONNECTING -TEMPORARY -LATER -RESOLVE -UNAVAILABLE -BUSY -DROPPED"
            " -TLS -CERT -SYNTAX -GATEWAY"
        ),
    ),
    ("request_failed", Cause.SERVER_UNAVAILABLE, "ATTEMPT FAIL|ERROR"),
)
