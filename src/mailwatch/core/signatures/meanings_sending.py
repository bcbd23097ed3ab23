"""What words mean about messages that may not be sent.

The third part of `meanings.STRONG`, whose form it has.
"""

from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.signatures.rule import Rule, rules

SENDING: Final[tuple[Rule, ...]] = rules(
    "words",
    "lexicon",
    (
        "breach_of_policy",
        Cause.SENDING_BLOCKED,
        "POLICY|SPAM|CONTENT|SENDER BREACH -IP -HOST -RELAY -RATE -LIMIT -QUOTA -PROTOCOL -SYNTAX -TEMPORARY -TLS -HEADERWORD",
        "submit !rcpt",
    ),
    (
        "refused_by_policy",
        Cause.SENDING_BLOCKED,
        "POLICY DENIED|BLOCKED -IP -HOST -RELAY -USER -RECIPIENT -SENDER -TLS -TEMPORARY",
        "data",
    ),
    (
        "attachment",
        Cause.SENDING_BLOCKED,
        "ATTACHMENT DENIED|BLOCKED|SYNTAX|ALLOWED|SUSPICIOUS|WRONG|POLICY -SIZE -ENCODING -TOOBIG",
        "submit",
    ),
    ("address_syntax", Cause.PROTOCOL_ERROR, "ALIAS|RECIPIENT|SENDER SYNTAX -SPAM -ENCODING -EXIST -UNKNOWN", "submit 5xx"),
    ("address_form", Cause.PROTOCOL_ERROR, "SENDER|RECIPIENT WRONG PROTOCOL -SPAM -DMARC", "submit 5xx"),
    ("virus", Cause.SENDING_BLOCKED, "VIRUS -UNAVAILABLE -TEMPORARY"),
    ("spam", Cause.SENDING_BLOCKED, "SPAM -TEMPORARY", "smtp !early"),
    (
        "spam_for_now",
        Cause.RATE_LIMITED,
        "SPAM TEMPORARY DENIED|BLOCKED|FAIL|LATER|WAITING -BACKEND -ERROR -UNAVAILABLE -IP -HOST -INTERNAL -DMARC",
        "smtp 4xx !early",
    ),
    ("sender_authentication", Cause.SENDING_BLOCKED, "DMARC", "!auth"),
    (
        "sending_service_off",
        Cause.PROTOCOL_DISABLED,
        "SMTP DISABLED -SPAM -SUSPICIOUS -BLOCKED -MECHANISM -TLS -COMMAND -RELAY -IP -COUNTRY",
        "auth",
    ),
    ("sending_barred", Cause.SENDING_BLOCKED, "SENDING BLOCKED|LOCKED|DISABLED|SUSPICIOUS -IP", "!token"),
    ("reputation", Cause.SENDING_BLOCKED, "REPUTATION", "submit"),
    (
        "content",
        Cause.SENDING_BLOCKED,
        "CONTENT|MESSAGE BLOCKED|DENIED|POLICY -TEMPORARY -LATER -RELAY -USER -RECIPIENT -SENDER -TLS -SYNTAX",
        "submit !rcpt",
    ),
    ("may_not_send", Cause.ACCESS_DENIED, "NOT ALLOWED SENDING -DMARC -SPAM -RATE -LIMIT -TOKEN -CONNECTION -TLS", "smtp !early"),
    ("sending_not_set_up", Cause.ACCESS_DENIED, "SENDING NOT ENABLED -RATE -LIMIT -SPAM -SUSPICIOUS -BLOCKED", "submit"),
    ("only_to_oneself", Cause.ACCESS_DENIED, "ONLY SENDING OWNED -TLS -RATE -LIMIT", "submit"),
    ("sender_must_match", Cause.ACCESS_DENIED, "SENDER OWNED REQUIRED|NOT", "submit"),
    ("session_over", Cause.CONNECTION_DROPPED, "SESSION|CONNECTION TIMEOUT|IDLE -VERIFY", "reply !token"),
    ("sender_not_ours", Cause.ACCESS_DENIED, "SENDER NOT OURDOMAIN", "submit"),
    ("unwanted", Cause.ACCESS_DENIED, "UNWANTED NOT|DENIED|BLOCKED -IP -HOST -DOMAIN -SPAM -MANY -LIMIT", "rcpt"),
    ("sender_domain_unlisted", Cause.SENDING_BLOCKED, "SENDER|DOMAIN NOT DNSRECORD -RECIPIENT", "mail"),
    ("closed_list", Cause.ACCESS_DENIED, "LISTWORD NOT|ONLY|DENIED|ALLOWED USER|SENDER|ALLOWED -BLACKLIST -IP -HOST", "rcpt"),
    ("sender_domain_missing", Cause.SENDING_BLOCKED, "SENDER DOMAIN UNKNOWN|EXIST|WRONG -SYNTAX -OWNED -ALLOWED", "submit"),
)
