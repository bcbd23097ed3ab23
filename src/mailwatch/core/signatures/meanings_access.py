"""What words mean about the order of commands, the server's back end, certificates, encryption and the ways to log in.

The first part of `meanings.STRONG`, whose form it has.
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

ACCESS: Final[tuple[Rule, ...]] = rules(
    "words",
    "lexicon",
    # how long a session may last, and who may have one
    ("lifetime_over", Cause.CONNECTION_DROPPED, "LIFETIME -ACCOUNT -USER -MAINTENANCE", "imap bye"),
    ("lifetime_over_smtp", Cause.CONNECTION_DROPPED, "LIFETIME EXCEED|LIMIT|CLOSING -MESSAGE -MAINTENANCE", "smtp 4xx"),
    (
        "session_closed_after",
        Cause.CONNECTION_DROPPED,
        "SESSION CLOSING DURATION -MAINTENANCE -SHUTDOWN -UNAVAILABLE -BUSY -ERROR",
        "session bye",
    ),
    ("too_slow", Cause.CONNECTION_DROPPED, "TOOSLOW -COMMAND", "imap bye"),
    ("message_set", Cause.PROTOCOL_ERROR, "MSGSET WRONG|SYNTAX", "imap session"),
    # the order of commands, and encryption asked for in it
    ("starttls_state", Cause.PROTOCOL_ERROR, "ALREADY|SYNTAX|SEQUENCE|DUPLICATE -MAILBOX", "starttls reply"),
    (
        "starttls_off",
        Cause.TLS_REQUIRED,
        "NOT|UNSUPPORTED SUPPORTED|ENABLED|ALLOWED|UNSUPPORTED -TEMPORARY -FAIL",
        "starttls reply",
    ),
    ("starttls_not_there", Cause.TLS_REQUIRED, "NOT|UNSUPPORTED FEATURE|SUPPORTED -TEMPORARY -HANDSHAKE", "starttls reply !4xx"),
    ("starttls_certificate", Cause.TLS_CERTIFICATE_UNTRUSTED, "CERT VERIFY FAIL|NOT|WRONG|ERROR -EXPIRED", "starttls reply"),
    ("starttls_failed", Cause.TLS_HANDSHAKE_FAILED, "FAIL|ERROR|UNAVAILABLE|TEMPORARY", "starttls reply"),
    ("syntax_of_command", Cause.PROTOCOL_ERROR, "SYNTAX -DOMAIN", "misuse"),
    ("argument_of_command", Cause.PROTOCOL_ERROR, "ARGUMENT WRONG|NOT|MANY|UNKNOWN|UNSUPPORTED|REQUIRED", "misuse"),
    (
        "done_already",
        Cause.PROTOCOL_ERROR,
        "ALREADY AUTH|TLS|LOGIN -CONNECTIONS -MANY -LIMIT -EXCEED -LOCKED -CONCURRENT -EXPIRED -REVOKED -BUSY",
        "reply !token",
    ),
    ("no_recipients", Cause.PROTOCOL_ERROR, "NORCPT", "submit !rcpt"),
    ("must_log_in", Cause.INVALID_CREDENTIALS, "AUTHREQ -TLS -DMARC -MECHANISM -DOMAIN -SPAM", "submit reply"),
    ("pop_first", Cause.INVALID_CREDENTIALS, "POPFIRST FIRST|REQUIRED|AUTHREQ|RELAY -DISABLED -ENABLED", "submit reply"),
    (
        "fetch_first",
        Cause.INVALID_CREDENTIALS,
        "FETCHFIRST FIRST -DISABLED -ENABLED -REVERSE -DNSRECORD -HOST -IP -SIZE -VIRUS -CONTENT",
        "submit reply",
    ),
    ("took_too_long", Cause.SERVER_UNAVAILABLE, "TOOSLOW", "imap session reply !bye"),
    ("other_language", Cause.PROTOCOL_ERROR, "SPEAK IMAP|SMTP|PROTOCOL", "reply"),
    ("overfed", Cause.PROTOCOL_ERROR, "OVERFEED -BANDWIDTH -PER", "reply"),
    (
        "login_first",
        Cause.PROTOCOL_ERROR,
        "AUTH|LOGIN NOT|REQUIRED|UNAUTHENTICATED -FAIL -TLS -TOKEN -ALLOWED -DENIED",
        "imap session !bye",
    ),
    ("auth_broken_off", Cause.PROTOCOL_ERROR, "AUTH ABORTED -ACCOUNT -USER -SENDING", "auth"),
    ("auth_out_of_turn", Cause.PROTOCOL_ERROR, "AUTH|TLS NOT DURING -PASSWORD -USER", "misuse"),
    ("nothing_selected", Cause.PROTOCOL_ERROR, "SELECTED NOT|REQUIRED|SELECTED", "imap"),
    # what stands behind the server fails
    ("not_opened", Cause.SERVER_UNAVAILABLE, "OPENFAIL -UNKNOWN -EXIST -DENIED -PERMISSION -CONNECTION", "reply !rcpt"),
    ("held", Cause.SERVER_UNAVAILABLE, "HELD -DISABLED -CONNECTION -SENDING -DENIED", "reply !bye"),
    (
        "backend",
        Cause.SERVER_UNAVAILABLE,
        (
            "BACKEND FAIL|UNAVAILABLE|ERROR|TIMEOUT|DROPPED|NOANSWER -EXIST -UNKNOWN -BLACKLIST -WRONG -DENIED -SENDER -REVERSE -IP"
            " -SPAM -FULL -REQUIRED -PASSWORD"
        ),
        "reply",
    ),
    # certificates and TLS
    (
        "own_certificate_wanted",
        Cause.TLS_REQUIRED,
        "CERT REQUIRED|CLIENTAPP -EXPIRED -WRONG -VERIFY -REVOKED -UNKNOWN -HANDSHAKE -DENIED -ERROR -FAIL",
        "reply",
    ),
    ("certificate_expired", Cause.TLS_CERTIFICATE_EXPIRED, "CERT EXPIRED"),
    ("certificate_untrusted", Cause.TLS_CERTIFICATE_UNTRUSTED, "CERT WRONG|VERIFY|REVOKED|UNKNOWN|DENIED -REQUIRED"),
    ("certificate_trouble", Cause.TLS_CERTIFICATE_UNTRUSTED, "CERT ERROR|FAIL|NOT -HANDSHAKE", "reply"),
    ("handshake", Cause.TLS_HANDSHAKE_FAILED, "TLS HANDSHAKE -TIMEOUT"),
    ("tls_too_old", Cause.TLS_HANDSHAKE_FAILED, "TLSOLD NOT|UNSUPPORTED|DISABLED -CERT", "reply"),
    ("tls_newer_wanted", Cause.TLS_HANDSHAKE_FAILED, "TLSOLD REQUIRED NEWER -CERT", "reply"),
    # what a person has to do at the provider's site
    ("app_password", Cause.APP_PASSWORD_REQUIRED, "APPSPECIFIC", "!submit !token"),
    ("password_expired", Cause.PASSWORD_EXPIRED, "PASSWORD EXPIRED -TOKEN -SECRET_OF_APP -CERT -REFRESHTOKEN", "!submit"),
    ("password_change", Cause.PASSWORD_EXPIRED, "PASSWORD CHANGE -SENDING -SPAM -SECRET_OF_APP", "!submit !token"),
    ("terms", Cause.WEB_LOGIN_REQUIRED, "TERMS ACCEPT", "auth"),
    ("password_logins_off", Cause.BASIC_AUTH_DISABLED, "BASIC DISABLED|BLOCKED|DENIED|NOT|UNSUPPORTED|LOCKED", "!submit"),
    ("passwords_off", Cause.BASIC_AUTH_DISABLED, "PASSWORD AUTH DISABLED|UNSUPPORTED -USER -ACCOUNT -TLS", "!submit"),
    ("passwords_for_oauth", Cause.BASIC_AUTH_DISABLED, "OAUTH PASSWORD NOT|DISABLED|UNSUPPORTED -WRONG -TOKEN", "auth"),
    ("oauth_only", Cause.BASIC_AUTH_DISABLED, "OAUTH ONLY -TOKEN -UNSUPPORTED", "auth"),
    ("oauth_wanted", Cause.BASIC_AUTH_DISABLED, "OAUTH REQUIRED -TOKEN -UNSUPPORTED -MECHANISM -FAIL", "auth"),
    ("second_factor", Cause.MFA_REQUIRED, "MFA", "!submit"),
    ("captcha", Cause.WEB_LOGIN_REQUIRED, "CAPTCHA", "auth"),
    ("browser_alone", Cause.PROTOCOL_DISABLED, "CONFINED|ONLY WEBMAIL -VERIFY -PASSWORD -SUSPICIOUS -TERMS -SENDING", "auth"),
    (
        "browser_to_approve",
        Cause.WEB_LOGIN_REQUIRED,
        "BROWSER APPROVE -FAIL -WRONG -PASSWORD -ENABLED -SENDING -IMAP -POP -SMTP -APPSPECIFIC",
        "auth",
    ),
    ("webmail_first", Cause.WEB_LOGIN_REQUIRED, "WEBMAIL FIRST LOGIN|VERIFY -PASSWORD -APPSPECIFIC -DISABLED -IMAP -POP", "auth"),
    ("browser", Cause.WEB_LOGIN_REQUIRED, "BROWSER LOGIN|VERIFY|ACTIVITY -ENABLED -PASSWORD -SENDING -IMAP -POP -SMTP", "auth"),
    ("confirm_person", Cause.WEB_LOGIN_REQUIRED, "VERIFY ITSYOU -FAIL -WRONG -MFA -CERT", "auth"),
    ("confirm_account", Cause.WEB_LOGIN_REQUIRED, "VERIFY ACCOUNT|LOGIN|MAILBOX -FAIL -SENDER -PASSWORD", "auth"),
    ("suspicious_login", Cause.WEB_LOGIN_REQUIRED, "SUSPICIOUS LOGIN|ACTIVITY|ATTEMPT -SENDING -LOCKED -MESSAGE -MANY", "auth"),
    ("token_dead", Cause.OAUTH_TOKEN_EXPIRED, "TOKEN EXPIRED|WRONG|REVOKED|UNKNOWN|FAIL -PASSWORD -USER", "auth"),
    ("read_only", Cause.ACCESS_DENIED, "READONLY", "imap session !bye"),
    ("our_side", Cause.SERVER_UNAVAILABLE, "OURSIDE ERROR|FAIL|INTERNAL", "reply"),
    ("no_answer", Cause.CONNECTION_TIMEOUT, "NOANSWER -ALLOWED", "!reply !token"),
    ("idle_end", Cause.CONNECTION_DROPPED, "IDLE -ACCOUNT -USER", "bye"),
    ("greet_first", Cause.PROTOCOL_ERROR, "GREETFIRST -AUTH", "reply"),
    ("link_broken", Cause.CONNECTION_DROPPED, "LINK ERROR|FAIL|DROPPED -TLS -CERT -CLOSING -SYSTEM", "smtp reply"),
    ("link_lost", Cause.CONNECTION_DROPPED, "LOSTLINK -TLS -CERT -SYSTEM -BACKEND -TIMEOUT", "smtp 4xx"),
    ("link_broken_here", Cause.CONNECTION_DROPPED, "LINK ERROR|FAIL|DROPPED|CLOSING -TLS -CERT -TIMEOUT", "imap !reply"),
    ("criteria", Cause.MFA_REQUIRED, "CRITERIA NOT|FAIL", "auth"),
    (
        "no_right_to_log_in",
        Cause.ACCESS_DENIED,
        "RIGHT NOT|DENIED LOGIN|ACCESS|USER -PASSWORD -IMAP -POP -SMTP -SENDING -SENDER -IP",
        "auth",
    ),
    ("elsewhere", Cause.SERVER_UNAVAILABLE, "ELSEWHERE", "imap auth"),
    # encryption first
    ("not_in_the_clear", Cause.TLS_REQUIRED, "CLEAR AUTH|LOGIN|PASSWORD|CONNECTING NOT|FAIL|DENIED", "auth"),
    ("tls_unavailable", Cause.TLS_HANDSHAKE_FAILED, "TLS UNAVAILABLE|TEMPORARY"),
    ("tls_first", Cause.TLS_REQUIRED, "TLS REQUIRED|DISABLED|DENIED -CERT -HANDSHAKE -UNSUPPORTED -APPSPECIFIC"),
    ("tls_to_turn_on", Cause.TLS_REQUIRED, "TLS ENABLED -NOT -CERT -HANDSHAKE -UNSUPPORTED -FAIL -IMAP -POP -ACCOUNT", "auth"),
    ("tls_only", Cause.TLS_REQUIRED, "TLS NOT ALLOWED -CERT -HANDSHAKE"),
)
