"""What words mean about how much and how often: connections, logins, messages, space; and about addresses that are refused.

The second part of `meanings.STRONG`, whose form it has.
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

LIMITS: Final[tuple[Rule, ...]] = rules(
    "words",
    "lexicon",
    ("busy_now", Cause.SERVER_UNAVAILABLE, "BUSY SYSTEM -USER", "4xx early"),
    (
        "bad_recipients_from_account",
        Cause.SENDING_BLOCKED,
        "RECIPIENT|ALIAS|MISTAKES MANY WRONG|UNKNOWN ACCOUNT|YOURS -EXCEED -LOGIN",
        "submit 5xx",
    ),
    ("too_many_errors", Cause.RATE_LIMITED, "MANY ERROR -RECIPIENT -CONNECTION -MESSAGE -SYNTAX -AUTH -LOGIN -LOCKED -IP", "smtp"),
    ("too_many_mistakes", Cause.RATE_LIMITED, "MANY MISTAKES -AUTH -LOGIN -LOCKED -IP -SYNTAX -RECIPIENT", "smtp"),
    (
        "too_many_commands",
        Cause.PROTOCOL_ERROR,
        "MANY COMMAND|PROTOCOL WRONG|UNKNOWN|UNAUTHENTICATED|UNSUPPORTED|ERROR -AUTH -MESSAGE",
    ),
    ("ip_barred_early", Cause.IP_BLOCKED, "IP BLOCKED -FREQUENT -RATE -THROTTLE -CONNECTION -BUSY", "greeting 5xx"),
    (
        "blocked_at_greeting",
        Cause.IP_BLOCKED,
        (
            "CONNECTION|ACCESS|IP BLOCKED|DENIED|REPUTATION|POLICY -HOST -COMMAND -ARGUMENT -SYNTAX -SEQUENCE -GREETFIRST -TLS"
            " -MANY -LIMIT -RATE -CONCURRENT"
        ),
        "greeting misuse",
    ),
    ("listed_at_greeting", Cause.IP_BLOCKED, "BLACKLIST|REPUTATION -COMMAND -ARGUMENT -SYNTAX -SEQUENCE", "greeting misuse"),
    ("users_online", Cause.CONNECTION_LIMIT, "MANY USER|CONNECTIONS ONLINE -ATTEMPT -FAIL -MESSAGE -RECIPIENT -PASSWORD", "reply"),
    (
        "users_online_early",
        Cause.CONNECTION_LIMIT,
        "MANY|LIMIT USER|CONNECTIONS -ATTEMPT -FAIL -MESSAGE -RECIPIENT -UNKNOWN",
        "greeting reply",
    ),
    ("ip_check", Cause.IP_BLOCKED, "IPCHECK FAIL|ERROR|NOT|DENIED -TEMPORARY -LATER -INTERNAL"),
    ("too_many_kept", Cause.MAILBOX_FULL, "MANY MESSAGE KEPT -SENDING -RECEIVING -CONNECTION -SPAM -RATE -PER", "rcpt"),
    (
        "connections_at_login",
        Cause.CONNECTION_LIMIT,
        (
            "CONNECTION CONCURRENT|MANY|LIMIT|EXCEED -ATTEMPT -RATE -FREQUENT -TIMEOUT -BANDWIDTH -DROPPED -BLACKLIST -IDLE"
            " -MISTAKES -LIFETIME"
        ),
        "auth",
    ),
    (
        "from_some_addresses",
        Cause.IP_BLOCKED,
        "CONFINED ALIAS|IP|HOST|COUNTRY -CONNECTION -MANY -PER -RATE -EXCEED -CONCURRENT -SENDER -MESSAGE -SENDING",
        "auth",
    ),
    ("connections_throttled", Cause.RATE_LIMITED, "CONNECTION THROTTLE -CONCURRENT", "smtp"),
    ("messages_a_connection", Cause.RATE_LIMITED, "MESSAGE CONNECTION|SESSION LIMIT|EXCEED|MANY -CONCURRENT"),
    (
        "connections",
        Cause.CONNECTION_LIMIT,
        (
            "CONNECTION CONCURRENT|MANY|LIMIT|EXCEED -ATTEMPT -MESSAGE -RATE -FREQUENT -TIMEOUT -BANDWIDTH -DROPPED"
            " -BLACKLIST -IDLE -MISTAKES -LIFETIME"
        ),
    ),
    ("operations_at_once", Cause.CONNECTION_LIMIT, "CONCURRENT MANY|LIMIT|EXCEED -TIMEOUT -MESSAGE", "imap"),
    ("duplicate", Cause.PROTOCOL_ERROR, "DUPLICATE RECIPIENT|SENDER|COMMAND|HEADERWORD -SPAM", "submit"),
    (
        "receives_too_much",
        Cause.RATE_LIMITED,
        "RECEIVING MANY|PER|LIMIT|EXCEED|FREQUENT MESSAGE -QUOTA -SIZE -CONNECTION",
        "submit",
    ),
    ("messages_a_minute", Cause.RATE_LIMITED, "MINUTELY MESSAGE|SENDING MANY|LIMIT|EXCEED", "smtp !early"),
    (
        "messages_a_period",
        Cause.SENDING_LIMIT,
        "PER MESSAGE|SENDING|RECIPIENT -CONNECTION -LOGIN -BANDWIDTH -SIZE -IP",
        "smtp !early",
    ),
    ("attempts_a_period", Cause.RATE_LIMITED, "PER ATTEMPT|LOGIN|AUTH|CONNECTION|COMMAND|IP -TIMEOUT -MESSAGE -SENDING -TOKEN"),
    ("connections_allowed", Cause.CONNECTION_LIMIT, "CONNECTIONS ALLOWED|ALREADY -NOT -IP -DENIED -HOST -MESSAGE -TLS"),
    (
        "concurrent_logins",
        Cause.CONNECTION_LIMIT,
        "CONCURRENT LOGIN|USER|SESSION|AUTH MANY|LIMIT|EXCEED|DENIED|NOT -MESSAGE -TIMEOUT",
    ),
    (
        "mailbox_over_limit",
        Cause.MAILBOX_FULL,
        "MAILBOX EXCEED -CONNECTION -RATE -FREQUENT -SENDING -PER -LOGIN -ATTEMPT -THROTTLE -DAILY -CONCURRENT",
    ),
    ("too_many_bad_recipients", Cause.RATE_LIMITED, "BADRCPTS MANY -ACCOUNT -YOURS -SENDING", "smtp"),
    ("too_many_recipients", Cause.SENDING_LIMIT, "RECIPIENT MANY|LIMIT|EXCEED -CONNECTION -FULL -QUOTA -RATE -SPAM"),
    (
        "encoding",
        Cause.PROTOCOL_ERROR,
        "ENCODING NOT|REQUIRED|UNSUPPORTED|WRONG|DENIED|SYNTAX|ALLOWED -SPAM -AUTH -VIRUS -CONTENT -BUSY",
        "submit",
    ),
    ("undecodable", Cause.PROTOCOL_ERROR, "DECODING FAIL|ERROR|NOT|WRONG -BUSY -TEMPORARY -LATER -TOKEN", "reply !token !4xx"),
    (
        "party_missing",
        Cause.PROTOCOL_ERROR,
        "ABSENT SENDER|RECIPIENT -SPAM -DMARC -VERIFY -UNKNOWN -REVERSE -DNSRECORD -HOST -POLICY -DOMAIN",
        "data",
    ),
    ("header_wrong", Cause.PROTOCOL_ERROR, "HEADERWORD LACKING -SPAM -DMARC -POLICY -BLACKLIST -SUSPICIOUS", "data"),
    ("headers_too_many", Cause.PROTOCOL_ERROR, "HEADERWORD EXCEED|MANY -SPAM", "data"),
    ("loop", Cause.PROTOCOL_ERROR, "LOOP -SPAM -AUTH", "submit"),
    (
        "too_big",
        Cause.PROTOCOL_ERROR,
        "TOOBIG -QUOTA -MAILBOX -FULL -TIMEOUT -IDLE -SESSION -CONNECTION -PASSWORD -PER",
        "reply !auth !early",
    ),
    ("size", Cause.PROTOCOL_ERROR, "SIZE EXCEED|LIMIT MESSAGE -FULL -QUOTA -DAILY -RATE", "submit"),
    (
        "server_disk_full",
        Cause.SERVER_UNAVAILABLE,
        "SERVERDISK FULL|NOT|EXCEED -MAILBOX -USER -ACCOUNT -RECIPIENT -FOLDER",
        "smtp 4xx !rcpt",
    ),
    ("mailbox_full", Cause.MAILBOX_FULL, "MAILBOX|USER|ACCOUNT|FOLDER|RECIPIENT FULL -BANDWIDTH -SUPPORTED -ENABLED"),
    ("daily_limit_of_reading", Cause.RATE_LIMITED, "DAILY|PER LIMIT|QUOTA EXCEED", "imap"),
    ("daily_limit", Cause.SENDING_LIMIT, "DAILY LIMIT|EXCEED SENDING|MESSAGE|RECIPIENT -LOGIN -AUTH -CONNECTION -TIMEOUT"),
    ("daily_limit_short", Cause.SENDING_LIMIT, "DAILY LIMIT EXCEED -LOGIN -AUTH -CONNECTION -TIMEOUT -TOKEN", "submit"),
    ("sending_limit", Cause.SENDING_LIMIT, "SENDING LIMIT -RATE -THROTTLE -LOGIN -SIZE -FREQUENT"),
    ("bandwidth", Cause.RATE_LIMITED, "BANDWIDTH LIMIT|EXCEED|QUOTA"),
    ("your_quota", Cause.SENDING_LIMIT, "YOURS QUOTA|LIMIT -STORE -FULL -RATE -CONNECTION -SIZE -LOGIN -IP", "submit"),
    (
        "over_quota",
        Cause.MAILBOX_FULL,
        "QUOTA EXCEED|FULL|BREACH -SENDING -RATE -DAILY -BANDWIDTH -THROTTLE -CONNECTION -CONCURRENT",
    ),
    ("disk_full_there", Cause.SERVER_UNAVAILABLE, "DISK FULL -MAILBOX -USER -ACCOUNT -RECIPIENT -QUOTA -FOLDER", "smtp 4xx"),
    ("disk_full", Cause.MAILBOX_FULL, "DISK FULL"),
    ("country", Cause.IP_BLOCKED, "COUNTRY BLOCKED|DENIED|NOT|LOCKED|DISABLED", "!token"),
    ("literal_listed", Cause.IP_BLOCKED, "BLACKLIST -URILIST -DOMAIN -CONTENT -NOTLISTED", "submit ipv4"),
    ("literal_on_a_list", Cause.IP_BLOCKED, "LISTED -NOT -MESSAGE -URILIST -DOMAIN", "submit ipv4"),
    (
        "literal_blocked",
        Cause.IP_BLOCKED,
        "BLOCKED -CONTENT -DOMAIN -SENDER -USER -ACCOUNT -RECIPIENT -VIRUS -RATE -FREQUENT -THROTTLE -DMARC -LATER",
        "submit 5xx ipv4",
    ),
    ("link_listed", Cause.SENDING_BLOCKED, "URILIST -IP -HOST -CONNECTION", "submit"),
    ("message_listed", Cause.SENDING_BLOCKED, "BLACKLIST MESSAGE|ALIAS|RECIPIENT -IP -HOST -CONNECTION", "data"),
    ("sender_listed", Cause.SENDING_BLOCKED, "BLACKLIST SENDER|DOMAIN|CONTENT -IP -HOST", "submit"),
    ("address_listed", Cause.SENDING_BLOCKED, "BLACKLIST MAILADDRESS -IP -HOST -CONNECTION", "mail"),
    ("ip_listed", Cause.IP_BLOCKED, "BLACKLIST -NOTLISTED"),
    ("ip_refused", Cause.IP_BLOCKED, "IP BLOCKED|DENIED|LOCKED|REPUTATION|SPAM -FREQUENT -RATE -THROTTLE -DMARC"),
    ("ip_not_allowed", Cause.IP_BLOCKED, "IP NOT ALLOWED -RATE -THROTTLE -DMARC"),
    ("host_refused", Cause.IP_BLOCKED, "HOST BLOCKED|DENIED|REPUTATION -USER -RELAY -ARGUMENT -SYNTAX -DMARC"),
    ("not_on_whitelist", Cause.IP_BLOCKED, "WHITELIST NOT IP|HOST"),
    ("reputation_at_greeting", Cause.IP_BLOCKED, "REPUTATION", "early"),
    ("spam_at_greeting", Cause.IP_BLOCKED, "SPAM BLOCKED|DENIED", "early"),
    ("reverse_dns", Cause.IP_BLOCKED, "REVERSE NOT|FAIL|REQUIRED|WRONG"),
    ("ip_unresolved", Cause.IP_BLOCKED, "IP NOT RESOLVE|DNSRECORD -BACKEND -RECIPIENT -TEMPORARY", "submit 5xx"),
    ("host_unlisted", Cause.IP_BLOCKED, "HOST NOT DNSRECORD -DOMAIN -RECIPIENT -TEMPORARY", "submit 5xx"),
    ("throttle", Cause.RATE_LIMITED, "THROTTLE"),
    ("rate_limit", Cause.RATE_LIMITED, "RATE LIMIT|EXCEED|MANY"),
    ("too_frequent", Cause.RATE_LIMITED, "FREQUENT -NOT"),
    (
        "wait_to_log_in",
        Cause.RATE_LIMITED,
        "WAITING LOGIN|AUTH|ATTEMPT -UNAVAILABLE -ERROR -MAINTENANCE -SYSTEM -BACKEND -TEMPORARY",
        "auth",
    ),
    ("too_many_attempts", Cause.RATE_LIMITED, "MANY ATTEMPT -SYNTAX -CONCURRENT"),
    ("too_many_wrong", Cause.RATE_LIMITED, "MANY WRONG PASSWORD|LOGIN|AUTH -SYNTAX", "!submit"),
    (
        "barred_for_a_while",
        Cause.RATE_LIMITED,
        "LOGIN|ATTEMPT|AUTH BLOCKED|LOCKED|WAITING DURATION -ACCOUNT -USER -IP -MFA",
        "auth",
    ),
    ("attempts_limit", Cause.RATE_LIMITED, "ATTEMPT|AUTH|LOGIN EXCEED|LIMIT -SYNTAX -SENDING -SIZE"),
    (
        "too_many_messages",
        Cause.SENDING_LIMIT,
        "MANY MESSAGE -CONNECTION -SPAM -QUOTA -LOGIN -RECIPIENT -SYNTAX -RATE -FREQUENT -ATTEMPT -BUSY -IP",
        "submit",
    ),
    ("messages_limit", Cause.SENDING_LIMIT, "MESSAGE MANY|LIMIT|EXCEED -CONNECTION -SIZE -SPAM -QUOTA -LOGIN", "smtp !early"),
)
