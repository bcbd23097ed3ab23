"""What words mean about services switched off, accounts closed, and servers in trouble.

The last part of `meanings.STRONG`, whose form it has.
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

ACCOUNT: Final[tuple[Rule, ...]] = rules(
    "words",
    "lexicon",
    # services switched off
    ("mechanism", Cause.MECHANISM_UNSUPPORTED, "MECHANISM UNSUPPORTED|UNKNOWN -CERT -MESSAGE", "!token"),
    (
        "oauth_not_there",
        Cause.MECHANISM_UNSUPPORTED,
        (
            "OAUTH NOT|UNSUPPORTED|DISABLED SUPPORTED|ENABLED|FEATURE|ALLOWED|UNSUPPORTED|DISABLED -TOKEN -PASSWORD -BASIC -USER"
            " -ACCOUNT -REQUIRED -FAIL -UNAUTHORIZED -SCOPE -IMAP -POP -SMTP -IP -CLIENTAPP"
        ),
        "auth",
    ),
    ("login_disabled", Cause.TLS_REQUIRED, "LOGIN DISABLED -ACCOUNT -USER -COMMAND -DOMAIN", "imap misuse"),
    (
        "login_disabled_here",
        Cause.TLS_REQUIRED,
        "LOGIN DISABLED -ACCOUNT -USER -COMMAND -DOMAIN -IMAP -POP -MAILBOX -LOCKED -TEMPORARY -MAINTENANCE",
        "auth imap",
    ),
    (
        "login_not_here",
        Cause.TLS_REQUIRED,
        "LOGIN NOT ALLOWED HERE -ACCOUNT -USER -DOMAIN -IMAP -POP -MAILBOX -IP -HOST -COUNTRY",
        "auth imap",
    ),
    ("login_command_off", Cause.MECHANISM_UNSUPPORTED, "COMMAND DISABLED -ACCOUNT -TLS", "auth"),
    (
        "mechanism_off",
        Cause.MECHANISM_UNSUPPORTED,
        "MECHANISM DISABLED|DENIED -ACCOUNT -USER -PASSWORD -CERT -MESSAGE -BASIC -TLS -IMAP -POP -SMTP -IP",
        "auth",
    ),
    ("no_common_mechanism", Cause.MECHANISM_UNSUPPORTED, "MECHANISM FAIL SUPPORTED -USER -ACCOUNT -PASSWORD", "auth"),
    ("mechanism_not_there", Cause.MECHANISM_UNSUPPORTED, "MECHANISM UNAVAILABLE -TEMPORARY -LATER -USER -ACCOUNT", "auth !4xx"),
    ("mechanism_wrong", Cause.MECHANISM_UNSUPPORTED, "MECHANISM WRONG -PASSWORD -USER -CREDENTIAL -MESSAGE -BASIC", "auth"),
    (
        "mechanism_not",
        Cause.MECHANISM_UNSUPPORTED,
        "MECHANISM NOT SUPPORTED|ALLOWED|ENABLED|EXIST|FEATURE -MESSAGE -ACCOUNT",
        "!token",
    ),
    ("auth_not_offered", Cause.MECHANISM_UNSUPPORTED, "AUTH UNSUPPORTED -USER -ACCOUNT", "!token"),
    (
        "auth_not_available",
        Cause.MECHANISM_UNSUPPORTED,
        "AUTH NOT SUPPORTED|ENABLED|FEATURE|ALLOWED -USER -ACCOUNT -LATER -TEMPORARY -IP -TLS -RELAY -SENDER",
        "!token",
    ),
    (
        "protocol_access_denied",
        Cause.PROTOCOL_DISABLED,
        "IMAP|POP|SMTP DENIED ACCESS|USER|ACCOUNT -IP -COUNTRY -TLS -RELAY -LOGIN",
        "auth",
    ),
    ("protocol_sold", Cause.PROTOCOL_DISABLED, "IMAP|POP|SMTP LICENCE -TLS -LOCKED -EXPIRED", "auth"),
    (
        "protocol_for_some",
        Cause.PROTOCOL_DISABLED,
        "IMAP|POP|SMTP ONLY FEATURE|ALLOWED|ENABLED|LICENCE -TLS -IP -MECHANISM -RELAY",
        "auth",
    ),
    (
        "protocol_off",
        Cause.PROTOCOL_DISABLED,
        "IMAP|POP|SMTP DISABLED|LOCKED -COMMAND -MECHANISM -TLS -RELAY",
        "!token !bye !early",
    ),
    (
        "protocol_not_enabled",
        Cause.PROTOCOL_DISABLED,
        "IMAP|POP|SMTP NOT ENABLED|ALLOWED|ACCESS|FEATURE -COMMAND -MECHANISM -TLS -IP -RELAY",
        "!token !early !data",
    ),
    (
        "protocol_to_enable",
        Cause.PROTOCOL_DISABLED,
        "IMAP|POP|SMTP ENABLED -TLS -MECHANISM -PASSWORD -LATER",
        "!submit !early !bye !token",
    ),
    (
        "protocol_not_for_this_account",
        Cause.PROTOCOL_DISABLED,
        "IMAP|POP|SMTP UNAVAILABLE ACCOUNT|USER|LICENCE -TEMPORARY -LATER -BACKEND -TLS",
        "auth !4xx",
    ),
    # the account
    ("domain_locked", Cause.ACCOUNT_DISABLED, "DOMAIN LOCKED|DISABLED -SENDING -SENDER -IP -BLACKLIST -MESSAGE", "!early !token"),
    (
        "folder_deleted",
        Cause.MAILBOX_MISSING,
        "MAILBOX|FOLDER DELETED -NOT -MESSAGE -FULL -QUOTA -USER -ACCOUNT",
        "imap session !bye",
    ),
    ("mailbox_held", Cause.SERVER_UNAVAILABLE, "MAILBOX|FOLDER LOCKED -ACCOUNT -USER -UNKNOWN", "imap session !bye"),
    ("account_locked", Cause.ACCOUNT_DISABLED, "ACCOUNT|USER LOCKED|DISABLED -SENDING -TOKEN"),
    (
        "address_locked",
        Cause.ACCOUNT_DISABLED,
        "ALIAS LOCKED|DISABLED -SENDING -SENDER -IP -HOST -MESSAGE -DENIED",
        "!session !token !early",
    ),
    ("mailbox_locked", Cause.ACCOUNT_DISABLED, "MAILBOX LOCKED|DISABLED -SENDING -TOKEN", "!session"),
    (
        "account_revoked",
        Cause.ACCOUNT_DISABLED,
        "ACCOUNT|USER|MAILBOX REVOKED|SHUTDOWN -TOKEN -CERT -SYSTEM -SESSION",
        "!session !bye !token",
    ),
    ("no_licence", Cause.ACCOUNT_DISABLED, "LICENCE NOT|WRONG|REQUIRED -IMAP -POP -SMTP", "auth"),
    ("account_blocked", Cause.ACCOUNT_DISABLED, "ACCOUNT|USER|MAILBOX BLOCKED -SENDING -SENDER -IP -MESSAGE -RECIPIENT"),
    ("account_expired", Cause.ACCOUNT_DISABLED, "ACCOUNT|USER|DOMAIN|LICENCE EXPIRED -PASSWORD -TOKEN"),
    ("account_inactive", Cause.ACCOUNT_DISABLED, "ACCOUNT|USER NOT ENABLED -IMAP -SMTP -POP"),
    ("domain_inactive", Cause.ACCOUNT_DISABLED, "DOMAIN|MAILBOX NOT ENABLED -IMAP -SMTP -POP -SENDING -TLS -MECHANISM", "auth"),
    (
        "suspended",
        Cause.ACCOUNT_DISABLED,
        "SUSPENDED -IP -HOST -SENDING -MAINTENANCE -IMAP -POP -SMTP -TLS -MECHANISM",
        "auth !4xx",
    ),
    ("compromised", Cause.ACCOUNT_DISABLED, "COMPROMISED ACCOUNT|MAILBOX|USER|PASSWORD -SENDING -IP", "submit"),
    (
        "auth_off",
        Cause.MECHANISM_UNSUPPORTED,
        "AUTH DISABLED -ACCOUNT -USER -LOCKED -MAILBOX -DOMAIN -TLS -IP -PASSWORD -TEMPORARY",
        "auth",
    ),
    ("login_off", Cause.ACCOUNT_DISABLED, "LOGIN|AUTH DISABLED|LOCKED -MECHANISM -TLS -IP", "auth"),
    ("resolver_there", Cause.DNS_FAILURE, "RESOLVE FAIL|ERROR|TIMEOUT -REVERSE -IP -HOST -SENDER -DMARC -BLACKLIST", "submit 4xx"),
    (
        "wrong_secret",
        Cause.INVALID_CREDENTIALS,
        "PASSWORD|CREDENTIAL WRONG -MANY -LATER -TEMPORARY -IP -TLS -ENABLED -MECHANISM -TOKEN -EXPIRED -FREQUENT",
        "auth imap !misuse",
    ),
    ("relay_refused", Cause.ACCESS_DENIED, "RELAY DENIED|NOT|BLOCKED -AUTH -SPAM -IP -HOST -FULL -LATER", "rcpt 5xx !misuse"),
    # the server's own troubles
    ("maintenance", Cause.SERVER_UNAVAILABLE, "MAINTENANCE -SENDING"),
    (
        "not_connected",
        Cause.CONNECTION_REFUSED,
        (
            "CONNECTING FAIL|NOT|ERROR -TIMEOUT -DROPPED -RESOLVE -CERT -TLS -MANY -LIMIT -CONCURRENT -DENIED -PASSWORD"
            " -UNAVAILABLE -TEMPORARY -TOKEN -TRANSFER"
        ),
        "!reply !token",
    ),
    (
        "back_end_not_connected",
        Cause.SERVER_UNAVAILABLE,
        (
            "CONNECTING FAIL|NOT|ERROR -IP -HOST -CERT -TLS -MANY -LIMIT -CONCURRENT -PASSWORD -ALLOWED -BLOCKED -BLACKLIST"
            " -TOKEN -COUNTRY -ACCOUNT -ALIAS"
        ),
        "imap reply !token",
    ),
    ("temporary", Cause.SERVER_UNAVAILABLE, "TEMPORARY ERROR|FAIL|UNAVAILABLE|INTERNAL|BUSY -SPAM -BLOCKED -POLICY"),
    ("internal", Cause.SERVER_UNAVAILABLE, "INTERNAL ERROR -WRONG -SYNTAX -PASSWORD -DENIED"),
    ("busy", Cause.SERVER_UNAVAILABLE, "BUSY SYSTEM|LATER|TEMPORARY|MANY|EXCEED"),
    ("shutdown", Cause.SERVER_UNAVAILABLE, "SHUTDOWN SYSTEM|LATER|MAINTENANCE"),
    ("client_barred", Cause.IP_BLOCKED, "BLOCKED SYSTEM|IP|HOST|ALIAS -USER -MAINTENANCE -DMARC", "greeting reply"),
    (
        "not_available_now",
        Cause.SERVER_UNAVAILABLE,
        "SYSTEM NOT AVAILABLE -IP -MECHANISM -ACCOUNT -USER -IMAP -POP -SMTP -ONLY -TLS",
    ),
    (
        "mailbox_unavailable_now",
        Cause.SERVER_UNAVAILABLE,
        "MAILBOX|RECIPIENT UNAVAILABLE -FULL -QUOTA -DISABLED -LOCKED",
        "submit 4xx",
    ),
    (
        "unavailable_from_there",
        Cause.IP_BLOCKED,
        "UNAVAILABLE IP|COUNTRY -LATER -TEMPORARY -BACKEND -MAINTENANCE -ERROR",
        "auth reply !4xx",
    ),
    ("unavailable", Cause.SERVER_UNAVAILABLE, "SYSTEM|AUTH|FOLDER UNAVAILABLE -IP -NOREASON"),
    (
        "no_login_now",
        Cause.SERVER_UNAVAILABLE,
        "NOTNOW LOGIN|AUTH NOT -IMAP -POP -SMTP -ACCOUNT -USER -PASSWORD -WRONG -ENABLED -DENIED -IP -BLOCKED -MECHANISM -TLS",
        "auth",
    ),
    ("not_now", Cause.SERVER_UNAVAILABLE, "NOTNOW NOT|FAIL -BLOCKED -BLACKLIST -IP -HOST", "greeting 4xx"),
    (
        "refused_before_login",
        Cause.IP_BLOCKED,
        "AUTH FAIL|DENIED|NOT -TEMPORARY -SYSTEM",
        "greeting 5xx",
    ),
    (
        "refused_at_greeting",
        Cause.IP_BLOCKED,
        "DENIED|BLOCKED|POLICY -COMMAND -ARGUMENT -SYNTAX -SEQUENCE -TLS -CONCURRENT -MANY -LIMIT -RATE -LATER -BUSY -SYSTEM",
        "greeting reply",
    ),
)
