"""What Exchange Online, Outlook.com and Exchange Server say (learn.microsoft.com: "SMTP AUTH client submission", "Email non-
delivery reports in Exchange Online", "Exchange Online limits"; the source of IMAP's short texts is the server itself).
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

MICROSOFT: Final[tuple[Rule, ...]] = rules(
    "microsoft",
    "learn.microsoft.com/exchange: SMTP AUTH, NDR codes, limits, throttling",
    ("smtp_auth_tenant", Cause.PROTOCOL_DISABLED, "smtpclientauthentication is disabled for the tenant"),
    ("smtp_auth_mailbox", Cause.PROTOCOL_DISABLED, "smtpclientauthentication is disabled for the mailbox|smtpclientauthentication"),
    ("security_defaults", Cause.BASIC_AUTH_DISABLED, "security defaults policy|security defaults", "!token"),
    (
        "basic_auth_blocked",
        Cause.BASIC_AUTH_DISABLED,
        (
            "basicauthblocked|logondenied basicauthblocked|basic authentication is disabled|basic authentication is not supported"
            "|basic auth is disabled|modern authentication required"
        ),
    ),
    ("mechanism_refused", Cause.BASIC_AUTH_DISABLED, "provided authentication mechanism is not supported"),
    (
        "user_locked",
        Cause.ACCOUNT_DISABLED,
        "user credentials were incorrect or the account is locked|account is locked|user is locked|the user is locked",
    ),
    ("user_disabled", Cause.ACCOUNT_DISABLED, "accountdisabled|user account is disabled|account is disabled by your org admin"),
    (
        "federation_down",
        Cause.SERVER_UNAVAILABLE,
        "federated sts service was unreachable|sts service was unreachable|federated sts url",
    ),
    (
        "account_issue",
        Cause.ACCOUNT_DISABLED,
        "account has an issue|account has issues|account has a problem|issue with your account|problem with your account",
        "auth",
    ),
    (
        "protocol_by_policy",
        Cause.PROTOCOL_DISABLED,
        "policy does not allow imap|policy does not allow pop|policy does not allow smtp|policy does not permit imap",
        "auth",
    ),
    (
        "conditional_access",
        Cause.MFA_REQUIRED,
        (
            "blocked by conditional access|conditional access policy|access policy|did not meet the criteria|does not meet the"
            " criteria"
        ),
        "auth",
    ),
    (
        "bad_password",
        Cause.INVALID_CREDENTIALS,
        "the user credentials were incorrect|user credentials were incorrect|invalidcredentials|logondenied",
    ),
    ("password_expired", Cause.PASSWORD_EXPIRED, "the user password has expired|passwordexpired|password has expired"),
    (
        "web_verification",
        Cause.WEB_LOGIN_REQUIRED,
        "account is blocked login to your account|via a web browser|to verify your identity|verify your identity",
    ),
    ("not_connected", Cause.MAILBOX_MISSING, "user is authenticated but not connected", "imap"),
    ("backend_gone", Cause.SERVER_UNAVAILABLE, "server unavailable|proxynotauthenticated|backend server is unavailable", "imap"),
    ("throttled_backoff", Cause.RATE_LIMITED, "request is throttled|suggested backoff time|throttled suggested"),
    ("token_failed", Cause.OAUTH_TOKEN_EXPIRED, "command error 10|accesstokenexpired|token is expired", "imap"),
    ("command_argument", Cause.PROTOCOL_ERROR, "command argument error|command error", "imap"),
    ("outlook_connections", Cause.CONNECTION_LIMIT, "rp 003"),
    ("outlook_rate", Cause.RATE_LIMITED, "rp 001|rp 002"),
    ("suspicious_address", Cause.RATE_LIMITED, "access denied please try again later"),
    ("bye_connections", Cause.CONNECTION_LIMIT, "connection is closed 10", "imap bye"),
    ("concurrent_sending", Cause.CONNECTION_LIMIT, "concurrent connections limit exceeded|concurrent connections has exceeded"),
    (
        "submission_rate",
        Cause.RATE_LIMITED,
        (
            "message submission rate for this client has exceeded|submission rate|recipient thread limit exceeded|tenant has"
            " exceeded threshold"
            "|storedrv deliver recipient thread limit"
        ),
    ),
    (
        "recipient_limit",
        Cause.SENDING_LIMIT,
        (
            "submission quota exceeded|submissionquotaexceeded|reached your daily limit for message recipients|recipient rate limit"
            "|external recipient rate limit|exceeded the daily limit|mapiexceptionsubmissionquotaexceeded|messaging limits"
            "|tenant external recipient rate limit"
        ),
    ),
    ("trial_limit", Cause.SENDING_LIMIT, "trial tenants|trial tenant"),
    (
        "send_as",
        Cause.ACCESS_DENIED,
        (
            "sendasdenied|senddenied|sendasdeniedexception|permissions to send as this sender|not allowed to send as|send on"
            " behalf of"
            "|permission to send as|mapiexceptionsendasdenied"
        ),
    ),
    (
        "bad_outbound_sender",
        Cause.SENDING_BLOCKED,
        (
            "outboundspamexception|wascl useraction verdict|bad outbound sender|suspected of sending spam|traffic not accepted"
            " from this ip|blocked from sending|outbound spam"
            "|tenant has been blocked|your organization has been|organization is blocked|high risk pool|spam abuse detected from"
            " ip range"
            "|tenant is blocked|restricted from sending"
        ),
    ),
    (
        "banned_ip",
        Cause.IP_BLOCKED,
        (
            "banned sending ip|weren't sent please contact your internet service provider|sc 001|dy 001|dy 002|ou 001|ou 002|sc"
            " 002|sc 003|sc 004|part of"
            " their network is on our block list|spam abuse detected|ip is blocked"
        ),
    ),
    (
        "mapi_full",
        Cause.MAILBOX_FULL,
        "mapiexceptionshutoffquotaexceeded|shutoffquotaexceeded|quotaexceededexception|quotaexceeded",
    ),
    (
        "recipient_unknown",
        Cause.MAILBOX_MISSING,
        "recipientnotfound|not found by smtp address lookup|resolver adr recipnotfound|exrecipnotfound",
    ),
    (
        "recipient_disabled",
        Cause.ACCOUNT_DISABLED,
        "mailbox disabled not accepting messages|mailboxdisabledexception|accountdisabledexception",
    ),
    (
        "not_authenticated",
        Cause.INVALID_CREDENTIALS,
        "client was not authenticated|client not authenticated|client was not authenticated to send",
    ),
    (
        "group_senders",
        Cause.ACCESS_DENIED,
        (
            "sendernotauthenticatedforgroup|restrictedtorecipientspermission"
            "|resolver rst|notauthorizedexception|notauthorized|rst notauthorized"
        ),
    ),
    ("bad_helo", Cause.PROTOCOL_ERROR, "access denied bad helo"),
    (
        "store_offline",
        Cause.SERVER_UNAVAILABLE,
        (
            "mapiexceptionmailboxinaccessible|mapiexceptionmdboffline|mailboxoffline|mapiexceptionlogonfailed|mailboxinaccessible"
            "|mapiexceptionnetworkerror|mapiexceptiontimeout|storageunavailable|mailboxinfostale|mailboxcrossserverconnection"
            "|connectionfailedtransientexception|storagetransientexception|mailboxinsiteFailover|wrongserverexception"
        ),
    ),
    (
        "resources",
        Cause.SERVER_UNAVAILABLE,
        "insufficient system resources|temporary server error|cross premises|proxy session setup failed",
    ),
)
