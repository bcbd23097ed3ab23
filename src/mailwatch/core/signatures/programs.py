"""What server programs say, by program: Dovecot, Postfix, Exim, Sendmail, qmail, Courier, Cyrus, Zimbra, hMailServer, Haraka,
Stalwart, Mox, DavMail, WildDuck and cPanel.  Wordings stand in the programs' sources.
"""

# ruff: noqa: RUF001  # DavMail speaks Russian too
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

DOVECOT: Final[tuple[Rule, ...]] = rules(
    "dovecot",
    "Dovecot source: src/login-common, src/imap, src/lib-storage",
    (
        "cleartext",
        Cause.TLS_REQUIRED,
        (
            "cleartext authentication disallowed|plaintext authentication disallowed|cleartext authentication not allowed"
            "|plaintext authentication not allowed"
        ),
    ),
    ("login_disabled", Cause.ACCOUNT_DISABLED, "login disabled for this user|user is disabled|account is temporarily disabled"),
    (
        "user_ip_limit",
        Cause.CONNECTION_LIMIT,
        "mail max userip connections|maximum number of connections from user ip exceeded|maximum number of connections",
    ),
    (
        "internal",
        Cause.SERVER_UNAVAILABLE,
        (
            "internal error occurred|temporary authentication failure|account is temporarily unavailable"
            "|temporary internal error|temporary login failure|internal login failure"
        ),
    ),
    ("auth_down", Cause.SERVER_UNAVAILABLE, "waiting for authentication process|authentication process to respond|auth process"),
    ("queue_full", Cause.SERVER_UNAVAILABLE, "connection queue full"),
    ("inactivity", Cause.CONNECTION_DROPPED, "disconnected for inactivity|disconnected inactivity|timeout while finishing login"),
    (
        "invalid_commands",
        Cause.PROTOCOL_ERROR,
        "error in imap command|too many invalid imap commands|too many invalid commands|first parameter in line",
    ),
    ("lock_timeout", Cause.SERVER_UNAVAILABLE, "timeout while waiting for lock"),
    ("virtual_folder", Cause.ACCESS_DENIED, "can't save messages to this virtual mailbox"),
    ("sort_limit", Cause.UNKNOWN, "requested sort would have taken too long"),
    ("shutting_down", Cause.SERVER_UNAVAILABLE, "server shutting down"),
    ("unknown_command", Cause.PROTOCOL_ERROR, "unknown command"),
    ("relay_failed", Cause.SERVER_UNAVAILABLE, "failed to establish relay connection"),
)

POSTFIX: Final[tuple[Rule, ...]] = rules(
    "postfix",
    "Postfix source: src/smtpd, postconf(5), Cyrus SASL",
    (
        "stress",
        Cause.SERVER_UNAVAILABLE,
        (
            "all server ports are busy|server configuration error|server configuration problem|queue file write error"
            "|server local data error"
        ),
    ),
    (
        "must_issue_starttls",
        Cause.TLS_REQUIRED,
        "must issue a starttls command first|must issue starttls|session encryption is required",
    ),
    ("starttls_missing", Cause.TLS_REQUIRED, "command not implemented", "starttls"),
    ("rules_too", Cause.PROTOCOL_ERROR, "i can break rules too"),
    ("auth_rate", Cause.RATE_LIMITED, "too many auth commands"),
    ("anvil_connections", Cause.CONNECTION_LIMIT, "too many connections from|too many concurrent"),
    (
        "anvil_rate",
        Cause.RATE_LIMITED,
        "connection rate limit exceeded|too much mail from|too many new tls sessions|too many recipients from",
    ),
    ("errors", Cause.RATE_LIMITED, "too many errors"),
    ("too_weak", Cause.MECHANISM_UNSUPPORTED, "mechanism too weak for this user"),
    (
        "no_mechanism",
        Cause.MECHANISM_UNSUPPORTED,
        "no worthy mechs|no worthy mechanism|no worthy mechanisms|no mechanism available",
    ),
    ("saslauthd", Cause.SERVER_UNAVAILABLE, "connect to saslauthd|saslauthd server"),
    ("sasl_generic", Cause.SERVER_UNAVAILABLE, "generic failure", "imap auth"),
    ("sasl_authorization", Cause.ACCESS_DENIED, "authorization failure", "imap auth"),
    (
        "sasl_protocol",
        Cause.PROTOCOL_ERROR,
        "protocol error during authentication|bad protocol cancel|sasl protocol error|failed mutual authentication",
        "auth",
    ),
    ("another_step", Cause.MFA_REQUIRED, "another step is needed in authentication"),
    ("already", Cause.PROTOCOL_ERROR, "already authenticated"),
    ("aborted", Cause.PROTOCOL_ERROR, "authentication aborted|authentication canceled|authentication cancelled"),
    ("not_owned", Cause.ACCESS_DENIED, "not owned by user|not owned by auth user|sender address rejected not owned"),
    ("reason_unavailable", Cause.INVALID_CREDENTIALS, "reason unavailable"),
    ("password_transition", Cause.MECHANISM_UNSUPPORTED, "one time use of a plaintext password"),
    ("not_logged_in", Cause.INVALID_CREDENTIALS, "sender address rejected not logged in|not logged in|local domain please sign in"),
    ("sender_domain", Cause.SENDING_BLOCKED, "sender address rejected domain not found"),
    ("sender_dns", Cause.SENDING_BLOCKED, "sender address rejected malformed dns"),
    ("helo", Cause.IP_BLOCKED, "helo command rejected"),
    (
        "client_host_rate",
        Cause.RATE_LIMITED,
        "client host rejected rate|client host rejected greylisted|client host rejected too many|client host rejected try again",
    ),
    ("client_host", Cause.IP_BLOCKED, "client host rejected|cannot find your hostname|cannot find your reverse hostname"),
    ("rbl", Cause.IP_BLOCKED, "client host blocked using|client blocked using", "!4xx"),
    ("address_unverified", Cause.SERVER_UNAVAILABLE, "unverified address", "4xx"),
    ("greylist", Cause.RATE_LIMITED, "greylisted|greylisting|grey rbl|postgrey|not yet authorized to deliver"),
    ("policy_refusal", Cause.SENDING_BLOCKED, "rejected for policy reasons", "data"),
    ("policy_connection", Cause.IP_BLOCKED, "connection refused for policy", "smtp reply"),
    ("james_sender", Cause.ACCESS_DENIED, "incorrect authentication for specified"),
    ("relay", Cause.ACCESS_DENIED, "relay access denied|relaying denied|unable to relay"),
    (
        "recipient_unknown",
        Cause.MAILBOX_MISSING,
        (
            "user unknown in|recipient address rejected user unknown|recipient address rejected domain not found"
            "|recipient address rejected undeliverable"
        ),
    ),
    ("policyd_quota", Cause.SENDING_LIMIT, "policy rejection quota exceeded"),
    ("recipient_policy", Cause.UNKNOWN, "recipient address rejected policy rejection"),
    ("content", Cause.SENDING_BLOCKED, "message content rejected|milter reject"),
    ("timeout", Cause.CONNECTION_DROPPED, "timeout exceeded|exceeds command time limit"),
    (
        "backend_lost",
        Cause.SERVER_UNAVAILABLE,
        "lost connection to mysql|lost connection to database|lost connection to the database|lost connection to ldap",
    ),
    ("lost", Cause.CONNECTION_DROPPED, "lost connection"),
    ("postscreen_later", Cause.SERVER_UNAVAILABLE, "service currently unavailable", "!5xx"),
    ("iredapd_auth", Cause.INVALID_CREDENTIALS, "smtp auth is required"),
    (
        "iredapd_throttle",
        Cause.SENDING_LIMIT,
        "throttling quota exceeded|ratelimit hostinger out ratelimit exceeded|out ratelimit exceeded",
    ),
)

PROGRAMS: Final[tuple[Rule, ...]] = rules(
    "program",
    "sources of Exim, Sendmail, qmail, Courier, Cyrus, Zimbra, hMailServer, Haraka, Stalwart, Mox, DavMail, WildDuck, cPanel",
    (
        "mail_loop",
        Cause.PROTOCOL_ERROR,
        "too many hops|is looping|mail loop|loop detected|routing loop|hop count exceeded|mail loops back",
    ),
    (
        "exim_verify",
        Cause.SENDING_BLOCKED,
        (
            "sender verify failed|verification failed for|verification failed while|postmaster verification failed"
            "|sender verify callout|sender callout"
        ),
    ),
    ("exim_timeout", Cause.CONNECTION_DROPPED, "command timeout|incoming data timeout|data timeout"),
    (
        "exim_errors",
        Cause.PROTOCOL_ERROR,
        "too many syntax or protocol errors|invalid helo|invalid ehlo|helo argument|ehlo argument",
    ),
    ("unconfigured_domain", Cause.ACCESS_DENIED, "unconfigured sending domain|unauthenticated senders not allowed"),
    ("exim_sync", Cause.PROTOCOL_ERROR, "smtp synchronization error|synchronization error"),
    ("exim_messages", Cause.RATE_LIMITED, "too many messages in this connection"),
    ("exim_auth_late", Cause.MECHANISM_UNSUPPORTED, "auth command used when not advertised"),
    ("exim_no_service", Cause.IP_BLOCKED, "smtp service not available", "5xx"),
    ("exim_temporary", Cause.SERVER_UNAVAILABLE, "temporary local problem|local configuration error|space shortage"),
    (
        "exim_relay_auth",
        Cause.INVALID_CREDENTIALS,
        "relay not permitted authentication required|please turn on smtp authentication",
    ),
    ("exim_not_now", Cause.SERVER_UNAVAILABLE, "unable to authenticate at present"),
    ("exim_lost", Cause.CONNECTION_DROPPED, "lost incoming connection"),
    ("cpanel_hourly", Cause.SENDING_LIMIT, "max emails per hour|max defers and failures per hour|max emails per"),
    ("sendmail_rdns", Cause.IP_BLOCKED, "ip name lookup failed|fix reverse dns"),
    ("sendmail_disk", Cause.SERVER_UNAVAILABLE, "insufficient disk space|mail system full|system storage"),
    ("qmail_no_host", Cause.MAILBOX_MISSING, "find any host named|find any host by that name|find any host", "submit 5xx"),
    ("qmail_controls", Cause.SERVER_UNAVAILABLE, "unable to read controls|qq trouble|qq out of|qq temporary"),
    ("qmail_rcpthosts", Cause.ACCESS_DENIED, "isn't in my list of allowed rcpthosts|not in my control"),
    ("qmail_badmailfrom", Cause.SENDING_BLOCKED, "badmailfrom"),
    ("qmail_no_mailbox", Cause.MAILBOX_MISSING, "no mailbox here by that name"),
    ("courier_maildir", Cause.MAILBOX_MISSING, "no such file or directory|maildir invalid", "imap"),
    ("courier_filters", Cause.SERVER_UNAVAILABLE, "mail filters temporarily unavailable"),
    ("courier_dns", Cause.DNS_FAILURE, "dns lookup failure|dns lookup error", "submit 4xx"),
    ("cyrus_partition", Cause.MAILBOX_MISSING, "unknown invalid partition", "imap"),
    ("cyrus_quota", Cause.MAILBOX_FULL, "over storage quota|over message quota"),
    (
        "cyrus_message",
        Cause.PROTOCOL_ERROR,
        (
            "message contains nul|message contains bare|message contains non ascii|message contains invalid header"
            "|no header body separator"
        ),
    ),
    ("sendmail_cipher", Cause.TLS_REQUIRED, "encryption too weak|due to lack of security"),
    ("cyrus_layer", Cause.TLS_REQUIRED, "only available under a layer|logindisabled"),
    ("cyrus_moved", Cause.SERVER_UNAVAILABLE, "moved to another server|system i o error"),
    ("zimbra_cleartext", Cause.TLS_REQUIRED, "cleartext logins disabled|cleartext login disabled"),
    ("zimbra_maintenance", Cause.SERVER_UNAVAILABLE, "account undergoing maintenance|undergoing maintenance|maintenance mode"),
    ("zimbra_inactive", Cause.ACCOUNT_DISABLED, "account is not active|account inactive"),
    ("hmail_auth_off", Cause.MECHANISM_UNSUPPORTED, "imap authenticate is not enabled|authentication not enabled"),
    ("hmail_tls", Cause.TLS_REQUIRED, "ssl tls connection is required"),
    ("hmail_stale_login", Cause.INVALID_CREDENTIALS, "login credentials no longer valid"),
    ("hmail_excess", Cause.PROTOCOL_ERROR, "excessive amount of data"),
    ("hmail_delivery", Cause.ACCESS_DENIED, "delivery is not allowed to this address"),
    ("haraka_ehlo", Cause.IP_BLOCKED, "ehlo denied"),
    ("haraka_bare_lf", Cause.PROTOCOL_ERROR, "bare line feed|bare lf|bare newline|bare cr"),
    ("haraka_denied", Cause.ACCESS_DENIED, "i cannot deliver mail for"),
    (
        "ssl_on_plain",
        Cause.TLS_HANDSHAKE_FAILED,
        (
            "tls 1 0 and 1 1 are not supported|tls 1 0 is not supported|tls version|ssl attempted over a non ssl|error in tls"
            " handshake|tls not available|tls handshake failed"
        ),
    ),
    ("stalwart_cleartext", Cause.TLS_REQUIRED, "disabled on the clear text port"),
    ("stalwart_open_too_long", Cause.CONNECTION_DROPPED, "session open for too long"),
    ("stalwart_transfer", Cause.RATE_LIMITED, "exceeded transfer quota"),
    ("stalwart_service", Cause.ACCESS_DENIED, "not authorized to use this service"),
    (
        "talk_too_soon",
        Cause.PROTOCOL_ERROR,
        (
            "you talk too soon|data before greeting|please try again speaking|too many protocol errors"
            "|too many unrecognized commands|too many nonmail commands"
        ),
    ),
    ("wildduck_select", Cause.RATE_LIMITED, "too many select commands"),
    ("mox_ports", Cause.MECHANISM_UNSUPPORTED, "only allowed on submission ports"),
    ("mox_bindings", Cause.INVALID_CREDENTIALS, "channel bindings do not match"),
    ("davmail_form", Cause.SERVER_UNAVAILABLE, "authentication form not found"),
    ("davmail_folder", Cause.MAILBOX_MISSING, "unable to get folder|unable to get mail folder"),
    ("davmail_network", Cause.CONNECTION_TIMEOUT, "all network interfaces down or host unreachable|host unreachable"),
    ("davmail_owa", Cause.SERVER_UNAVAILABLE, "to owa at|con owa|a owa|с owa|connect to owa"),
    ("oauth2_proxy", Cause.WEB_LOGIN_REQUIRED, "authentication request expired or was cancelled|request expired or was cancelled"),
    ("proton_bridge", Cause.INVALID_CREDENTIALS, "incorrect login credentials"),
    ("hiveminder_pro", Cause.PROTOCOL_DISABLED, "only available for pro users"),
    ("ironport_submit", Cause.IP_BLOCKED, "your access to submit messages|your access to this mail system has been rejected"),
    ("postal_from", Cause.ACCESS_DENIED, "from sender name is not valid"),
    ("dbmail_garbage", Cause.PROTOCOL_ERROR, "try rfc", "imap"),
    ("flags_limit", Cause.UNKNOWN, "flags in one mailbox supported"),
    ("folder_reserved", Cause.UNKNOWN, "folder name is reserved"),
)
