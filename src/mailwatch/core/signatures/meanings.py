"""What combinations of ideas mean, in any language of the lexicon; the first that holds decides.

A row wants its ideas near one another (`A|B` is either, `-A` must not occur at all). `STRONG` is read before the codes of a
reply, because these words say more than a code's class; `WEAK` is read after them, because they only repeat what a code says
better.
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.meanings_access import ACCESS
from mailwatch.core.signatures.meanings_account import ACCOUNT
from mailwatch.core.signatures.meanings_limits import LIMITS
from mailwatch.core.signatures.meanings_sending import SENDING
from mailwatch.core.signatures.rule import Rule, rules

#: The order decides: what stands in the way of a login, how much is too much, what may not be sent, what is switched off.
STRONG: Final[tuple[Rule, ...]] = (*ACCESS, *LIMITS, *SENDING, *ACCOUNT)

WEAK: Final[tuple[Rule, ...]] = rules(
    "words",
    "lexicon",
    ("relay", Cause.ACCESS_DENIED, "RELAY DENIED|NOT|BLOCKED -AUTH"),
    ("auth_to_turn_on", Cause.INVALID_CREDENTIALS, "AUTH ENABLED -NOT", "submit reply"),
    ("auth_first", Cause.INVALID_CREDENTIALS, "AUTH REQUIRED", "!early !imap"),
    ("domain_unverified", Cause.ACCESS_DENIED, "DOMAIN VERIFY NOT|REQUIRED|MANY|EXIST", "auth"),
    ("auth_first_imap", Cause.PROTOCOL_ERROR, "AUTH|LOGIN FIRST -ENABLED -TLS -BROWSER", "imap"),
    ("password_wrong", Cause.INVALID_CREDENTIALS, "PASSWORD WRONG", "auth"),
    ("auth_later", Cause.SERVER_UNAVAILABLE, "AUTH|LOGIN|CREDENTIAL FAIL|ERROR|NOT", "auth 4xx"),
    ("credentials", Cause.INVALID_CREDENTIALS, "CREDENTIAL EXPIRED|WRONG -BADREQUEST"),
    ("sender_not_owned", Cause.ACCESS_DENIED, "SENDER NOT OWNED|ALLOWED|EXIST", "submit"),
    ("no_such_user_at_login", Cause.INVALID_CREDENTIALS, "USER|MAILBOX|ACCOUNT UNKNOWN|EXIST", "auth"),
    ("folder_format", Cause.SERVER_UNAVAILABLE, "MAILBOX SYNTAX", "imap session !misuse"),
    ("bad_folder", Cause.MAILBOX_MISSING, "MAILBOX|FOLDER WRONG -SYNTAX", "imap session !misuse"),
    ("unauthorized", Cause.ACCESS_DENIED, "UNAUTHORIZED -RELAY", "submit"),
    ("no_such_mailbox", Cause.MAILBOX_MISSING, "USER|MAILBOX|RECIPIENT|FOLDER|ACCOUNT|ALIAS UNKNOWN -SENDER", "!auth !greeting"),
    (
        "mailbox_not_there",
        Cause.MAILBOX_MISSING,
        "USER|MAILBOX|RECIPIENT|FOLDER|ACCOUNT|ALIAS NOT EXIST -SENDER",
        "!auth !greeting",
    ),
    ("mailbox_later", Cause.SERVER_UNAVAILABLE, "MAILBOX|RECIPIENT|USER UNAVAILABLE|LATER|TEMPORARY", "submit 4xx"),
    (
        "bad_recipient",
        Cause.MAILBOX_MISSING,
        "MAILBOX|RECIPIENT WRONG|DISABLED|UNAVAILABLE|DENIED -SENDER -POLICY",
        "submit !policy",
    ),
    (
        "auth_failed_at_rcpt",
        Cause.INVALID_CREDENTIALS,
        "AUTH|LOGIN FAIL|ERROR -DMARC -SENDER -SPAM -IP -HOST -DOMAIN -MESSAGE -RECIPIENT -TEMPORARY -TLS -RELAY -LATER",
        "rcpt 5xx !misuse",
    ),
    (
        "auth_failed_at_mail",
        Cause.INVALID_CREDENTIALS,
        "AUTH|LOGIN FAIL|ERROR -DMARC -SENDER -SPAM -IP -HOST -DOMAIN -MESSAGE -TEMPORARY -TLS -RELAY -LATER -POLICY",
        "mail 5xx !misuse",
    ),
    (
        "no_such_user_at_rcpt",
        Cause.MAILBOX_MISSING,
        (
            "USER|RECIPIENT|ALIAS|MAILBOX|ACCOUNT|DOMAIN NOT|WRONG|UNKNOWN|UNAVAILABLE -ALLOWED -RELAY -AUTH -PERMISSION"
            " -SENDER -LATER -TEMPORARY -IP"
        ),
        "rcpt 5xx !misuse",
    ),
    ("not_there", Cause.MAILBOX_MISSING, "NOT EXIST -SENDER -RELAY -AUTH -HOST", "submit 5xx !mail"),
    ("domain_missing", Cause.MAILBOX_MISSING, "DOMAIN NOT EXIST -SENDER", "submit"),
    ("sender_blocked", Cause.SENDING_BLOCKED, "SENDER BLOCKED -DENIED", "submit"),
    ("sender_wrong", Cause.ACCESS_DENIED, "SENDER WRONG|DENIED|UNKNOWN", "submit"),
    ("wrong_user_at_data", Cause.MAILBOX_MISSING, "USER|RECIPIENT WRONG -SENDER -AUTH -PASSWORD", "data 5xx !policy"),
    ("message_rejected", Cause.SENDING_BLOCKED, "MESSAGE DENIED|BLOCKED -TEMPORARY -SYNTAX", "submit !rcpt"),
    (
        "unknown_at_submission",
        Cause.MAILBOX_MISSING,
        "UNKNOWN -COMMAND -SENDER -AUTH -SYNTAX -ARGUMENT -PROTOCOL -SYSTEM -ERROR",
        "submit 5xx !misuse",
    ),
    (
        "login_refused",
        Cause.INVALID_CREDENTIALS,
        "PASSWORD|USER|LOGIN|AUTH|CREDENTIAL WRONG|FAIL|DENIED -SENDER -RECIPIENT -TOKEN -COMMAND -SYNTAX",
        "auth !4xx !misuse",
    ),
    (
        "login_refused_out_of_class",
        Cause.INVALID_CREDENTIALS,
        "PASSWORD|LOGIN|AUTH|CREDENTIAL WRONG|FAIL -COMMAND -SYNTAX -SEQUENCE -ARGUMENT -PROTOCOL -NOT -ALREADY -DECODING",
        "auth smtp misuse",
    ),
    ("no_rights", Cause.ACCESS_DENIED, "PERMISSION|ACCESS DENIED|NOT|FAIL -LATER -TOKEN"),
    ("not_allowed", Cause.ACCESS_DENIED, "SENDER|USER|SENDING|RECIPIENT|ACCOUNT|DOMAIN NOT|DENIED ALLOWED|DENIED"),
    ("try_later_closing", Cause.SERVER_UNAVAILABLE, "LATER CLOSING -TIMEOUT -IDLE -LOGIN"),
    ("timed_out_here", Cause.CONNECTION_TIMEOUT, "TIMEOUT CONNECTION -SESSION -IDLE -LOGOUT -CLOSING -DROPPED", "!reply"),
    ("announced_end", Cause.CONNECTION_DROPPED, "TIMEOUT|IDLE|LOGOUT CLOSING|SESSION|CONNECTION|LOGOUT"),
    ("connection_timed_out", Cause.CONNECTION_TIMEOUT, "TIMEOUT CONNECTION|SYSTEM|ERROR", "!bye"),
    ("closing", Cause.CONNECTION_DROPPED, "CLOSING|DROPPED CONNECTION|SESSION|LINK"),
    ("unknown_error", Cause.UNKNOWN, "UNKNOWNERROR", "reply !auth"),
    ("relay_at_rcpt", Cause.ACCESS_DENIED, "RELAY", "rcpt 5xx"),
    (
        "recipient_unverified",
        Cause.ACCESS_DENIED,
        "RECIPIENT|ALIAS VERIFY REQUIRED|ONLY -NOT -FAIL -SENDER -TEMPORARY -UNKNOWN",
        "rcpt 5xx",
    ),
    (
        "address_refused",
        Cause.MAILBOX_MISSING,
        "ALIAS DENIED -POLICY -RELAY -SENDER -IP -HOST -PERMISSION -ALLOWED -USER -ACCESS -MESSAGE -SPAM",
        "rcpt 5xx !policy",
    ),
    ("policy_at_rcpt", Cause.ACCESS_DENIED, "POLICY|DENIED", "rcpt 5xx"),
    ("concurrent_limit", Cause.CONNECTION_LIMIT, "CONCURRENT LIMIT|EXCEED", "4xx"),
    ("commands", Cause.PROTOCOL_ERROR, "COMMAND WRONG|UNKNOWN|UNSUPPORTED|NOT|SYNTAX|SEQUENCE|MANY|DISABLED"),
    ("syntax", Cause.PROTOCOL_ERROR, "SYNTAX"),
    ("arguments", Cause.PROTOCOL_ERROR, "ARGUMENT WRONG|NOT|MANY"),
    ("sequence", Cause.PROTOCOL_ERROR, "SEQUENCE COMMAND|WRONG|ERROR"),
    ("violation", Cause.PROTOCOL_ERROR, "PROTOCOL ERROR|WRONG|NOT|BREACH"),
    ("other_service", Cause.PROTOCOL_ERROR, "POP|SMTP", "early imap"),
    ("other_service_here", Cause.PROTOCOL_ERROR, "IMAP|POP", "early smtp !reply"),
    ("wait_a_while", Cause.RATE_LIMITED, "WAITING DURATION -TIMEOUT -ERROR -INTERNAL", "submit 4xx"),
    ("again_in_a_while", Cause.RATE_LIMITED, "AGAININ DURATION -TEMPORARY -UNAVAILABLE -INTERNAL -SYSTEM -TIMEOUT -MAINTENANCE"),
    ("in_the_clear", Cause.TLS_REQUIRED, "CLEAR", "auth !reply"),
    ("try_later", Cause.SERVER_UNAVAILABLE, "LATER -NOT"),
    ("try_later_not", Cause.SERVER_UNAVAILABLE, "LATER ERROR|FAIL|UNAVAILABLE"),
    ("trouble", Cause.SERVER_UNAVAILABLE, "SYSTEM ERROR|FAIL|UNAVAILABLE|BUSY|SHUTDOWN -DENIED"),
    ("folder_change_refused", Cause.ACCESS_DENIED, "ALLOWED NOT FOLDER|MAILBOX|MAILACTION", "imap session !misuse"),
    (
        "folder_forbids",
        Cause.ACCESS_DENIED,
        "NOT MAILACTION FOLDER|MAILBOX -ERROR -INTERNAL -UNAVAILABLE -TEMPORARY -UNKNOWN -EXIST -SYNTAX -FULL -QUOTA",
        "imap session",
    ),
    ("folder_trouble", Cause.SERVER_UNAVAILABLE, "FAIL|ERROR FOLDER|MAILBOX", "imap session !reply"),
    ("session_trouble", Cause.SERVER_UNAVAILABLE, "FAIL|ERROR", "imap session reply !misuse !bye"),
    ("denied_in_session", Cause.ACCESS_DENIED, "DENIED -TEMPORARY -LATER", "imap session reply !misuse !bye"),
    ("unavailable_alone", Cause.SERVER_UNAVAILABLE, "UNAVAILABLE|BUSY|MAINTENANCE -USER -RECIPIENT -MAILBOX"),
)
