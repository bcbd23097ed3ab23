"""What the codes of a reply mean, from the decisive to the class of a bare number: a part of `classify`.

Each function gives the verdict of one kind of code, or None when it says nothing; the order in which they are asked is
`classify`'s.
"""

from collections.abc import Mapping
from typing import Final

from mailwatch.core.causes import Cause
from mailwatch.core.evidence import Phase
from mailwatch.core.replies import Reading
from mailwatch.core.signatures.mail_codes import (
    DECISIVE_ENHANCED,
    DECISIVE_IMAP_CODES,
    ENHANCED,
    IMAP_CODES,
    REPLY_CODES,
    REPLY_CODES_BY_PLACE,
    VAGUE_ENHANCED,
)
from mailwatch.core.signatures.rule import PLACES
from mailwatch.core.standing import Confidence

Verdict = tuple[Cause, str, str, Confidence]  #: cause, rule, quote, confidence

#: What a permanent refusal by a number that nobody knows means in its place (RFC 5321, 4.3.2: 554 to DATA; RFC 4954, 6: 535).
_REFUSED_THERE: Final = (("data", Cause.SENDING_BLOCKED), ("auth", Cause.INVALID_CREDENTIALS))


def _of_enhanced(table: Mapping[str, Cause], enhanced: str) -> Cause | None:
    """The cause of *enhanced* with its class, or of its subject and detail in any class."""
    return table.get(enhanced) or table.get(f"x{enhanced[1:]}")


def decisive_code(reading: Reading) -> Verdict | None:
    """The cause of a code that no wording beside it can turn into another."""
    if reading.enhanced:
        cause = _of_enhanced(DECISIVE_ENHANCED, reading.enhanced)
        if cause is not None:
            return cause, f"rfc3463.{reading.enhanced}", reading.enhanced, Confidence.HIGH
    named = reading.response_code
    if named is not None and named in DECISIVE_IMAP_CODES:
        return DECISIVE_IMAP_CODES[named], f"rfc5530.{named.lower()}", named, Confidence.HIGH
    if reading.code == 538:  # noqa: PLR2004  # RFC 2554: encryption required for the mechanism
        return Cause.TLS_REQUIRED, "rfc4954.538", "538", Confidence.HIGH
    return None


def plain_code(reading: Reading) -> Verdict | None:
    """The cause of a code that says what happened; read when the words did not."""
    if reading.enhanced:
        cause = _of_enhanced(ENHANCED, reading.enhanced)
        if reading.code == 530 and cause is Cause.PROTOCOL_ERROR:  # noqa: PLR2004  # RFC 4954, 6: 530 wants a login whatever x.5 says
            cause = None
        elif reading.code == 504 and cause is Cause.PROTOCOL_ERROR and reading.place & PLACES["auth"]:  # noqa: PLR2004  # RFC 4954, 4
            cause = Cause.MECHANISM_UNSUPPORTED
        elif reading.code == 501 and reading.enhanced in {"5.1.3", "5.1.7"}:  # noqa: PLR2004  # RFC 3463, 3.2: address syntax
            cause = Cause.PROTOCOL_ERROR
        if cause is not None:
            return cause, f"rfc3463.{reading.enhanced}", reading.enhanced, Confidence.HIGH
    code = reading.response_code
    if code == "LIMIT" and reading.place & PLACES["auth"]:
        return Cause.RATE_LIMITED, "rfc5530.limit", code, Confidence.HIGH
    if code and IMAP_CODES.get(code, Cause.UNKNOWN) is not Cause.UNKNOWN:
        return IMAP_CODES[code], f"rfc5530.{code.lower()}", code, Confidence.HIGH
    return None


def vague_code(reading: Reading) -> Verdict | None:
    """The cause of an enhanced code that says "other" or "policy"."""
    cause = _of_enhanced(VAGUE_ENHANCED, reading.enhanced) if reading.enhanced else None
    if cause is Cause.MAILBOX_MISSING and reading.place & PLACES["mail"]:
        return None  # the address that is not liked is ours
    return None if cause is None else (cause, f"rfc3463.{reading.enhanced}", str(reading.enhanced), Confidence.LOW)


def reply_code(reading: Reading) -> Verdict | None:
    """The cause of a bare reply code in its place, and of its class (RFC 5321, 4.2.1)."""
    code = reading.code
    if code is None:
        return None
    for place in ("starttls", "early", "auth", "mail", "rcpt", "data", "submit"):
        if place == "rcpt" and (reading.enhanced or "").startswith("5.7."):
            continue  # a matter of policy, not of a missing mailbox
        if reading.place & PLACES[place] and (place, code) in REPLY_CODES_BY_PLACE:
            return REPLY_CODES_BY_PLACE[place, code], f"rfc5321.{code}_{place}", str(code), Confidence.LOW
    cause = REPLY_CODES.get(code)
    if cause is None and code // 100 == 5:  # noqa: PLR2004  # RFC 5321, 4.2.1
        cause = next((refused for place, refused in _REFUSED_THERE if reading.place & PLACES[place]), None)
    if cause is None:
        cause = Cause.SERVER_UNAVAILABLE if code // 100 == 4 else Cause.UNKNOWN  # noqa: PLR2004  # RFC 5321, 4.2.1
    return cause, f"rfc5321.{code}", str(code), Confidence.LOW


def imap_status(reading: Reading) -> Verdict | None:
    """The cause of a bare BAD, BYE or NO in its place (RFC 9051, 7.1)."""
    if reading.status == "BAD":
        return Cause.PROTOCOL_ERROR, "rfc9051.bad", "BAD", Confidence.LOW
    if reading.evidence.phase is Phase.STARTTLS and reading.status == "NO":
        return Cause.TLS_HANDSHAKE_FAILED, "rfc9051.no_to_starttls", "NO", Confidence.LOW
    if reading.evidence.phase is Phase.GREETING and reading.status == "BYE":
        return Cause.SERVER_UNAVAILABLE, "rfc9051.bye_at_greeting", "BYE", Confidence.LOW
    if reading.status == "BYE":
        return Cause.CONNECTION_DROPPED, "rfc9051.bye", "BYE", Confidence.LOW
    if reading.status == "NO" and reading.place & PLACES["auth"]:
        return Cause.INVALID_CREDENTIALS, "rfc9051.no_to_login", "NO", Confidence.LOW
    return None
