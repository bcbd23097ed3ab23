"""What Gmail and Google Workspace say (support.google.com/a/answer/3726730 "SMTP errors and codes",
support.google.com/mail/answer/7126229 "IMAP limits", developers.google.com/identity/protocols/oauth2).
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

GOOGLE: Final[tuple[Rule, ...]] = rules(
    "google",
    "support.google.com/a/answer/3726730",
    ("app_password", Cause.APP_PASSWORD_REQUIRED, "application specific password required|invalidsecondfactor"),
    (
        "web_login",
        Cause.WEB_LOGIN_REQUIRED,
        (
            "log in via your web browser|log in with your web browser|weblogin required|weblogin|webloginrequired"
            "|web login required|sign in via your web browser"
        ),
    ),
    ("login_attempts", Cause.RATE_LIMITED, "too many login attempts"),
    ("less_secure", Cause.BASIC_AUTH_DISABLED, "less secure app|less secure apps"),
    (
        "imap_off",
        Cause.PROTOCOL_DISABLED,
        "account is not enabled for imap use|imap access is disabled for your domain|imap access is disabled",
    ),
    ("connections", Cause.CONNECTION_LIMIT, "too many simultaneous connections"),
    ("bandwidth", Cause.RATE_LIMITED, "command or bandwidth limits|bandwidth limits|account exceeded command"),
    ("throttled", Cause.RATE_LIMITED, "success throttled|throttled", "imap"),
    (
        "account_disabled",
        Cause.ACCOUNT_DISABLED,
        "account has been disabled|email account that you tried to reach is disabled|account is disabled",
    ),
    ("lockdown", Cause.RATE_LIMITED, "lockdown in sector 4|account locked down", "imap"),
    (
        "unsolicited_rate",
        Cause.RATE_LIMITED,
        (
            "temporarily rate limited|unusual rate of unsolicited mail|unusual rate of mail|receiving mail too quickly"
            "|receiving mail at a rate"
        ),
    ),
    (
        "daily_limit",
        Cause.SENDING_LIMIT,
        (
            "daily user sending limit exceeded|daily user sending quota exceeded|daily sending quota exceeded|daily smtp relay"
            "|sending limit exceeded|email quota exceeded|reached a limit for sending mail"
        ),
    ),
    ("relay_ip", Cause.IP_BLOCKED, "invalid credentials for relay|ip not in whitelist|using to send mail is not authorized"),
    (
        "spam_ip",
        Cause.SENDING_BLOCKED,
        "is likely unsolicited mail|likely suspicious|low reputation of the sending domain",
    ),
    ("content_security", Cause.SENDING_BLOCKED, "illegal attachment|blocked because its content presents|potential security issue"),
    (
        "unauthenticated_mail",
        Cause.SENDING_BLOCKED,
        (
            "sender is unauthenticated|unauthenticated email from|did not pass|requires all senders to authenticate|does not have"
            " authentication"
            "|dkim authentication|alignment"
        ),
        "smtp !auth",
    ),
    ("ptr", Cause.IP_BLOCKED, "does not have a ptr record|ptr record|reverse dns|missing a ptr"),
    ("mail_policy", Cause.SENDING_BLOCKED, "has a policy that prohibited the mail|email policy"),
    ("rcpt_tls", Cause.TLS_REQUIRED, "tls required for rcpt domain|wasn't sent over a tls connection|sent over a tls"),
    ("relay_denied", Cause.ACCESS_DENIED, "mail relay denied"),
    ("no_such_user", Cause.MAILBOX_MISSING, "email account that you tried to reach does not exist|nosuchuser"),
    ("recipient_domain", Cause.MAILBOX_MISSING, "weren't able to find the recipient domain"),
    ("transaction_size", Cause.PROTOCOL_ERROR, "domain policy size per transaction exceeded"),
    ("identity_change", Cause.PROTOCOL_ERROR, "no identity changes permitted"),
    ("unauthenticated_commands", Cause.PROTOCOL_ERROR, "too many unauthenticated commands"),
    ("missing_from", Cause.PROTOCOL_ERROR, "missing a valid address in the from|multiple addresses in from|messages missing"),
    ("rfc_breach", Cause.PROTOCOL_ERROR, "rfc 5322|rfc 2822|see rfc 2821|rfc 5321 address", "submit"),
    ("some_unfetched", Cause.UNKNOWN, "some messages could not be fetched"),
    ("system_error", Cause.SERVER_UNAVAILABLE, "temporary system problem|system error"),
)
