"""What a reply says, read once: its codes, its place in a session, and its words as tokens with their places in the text.

Servers and libraries hand over replies in many wrappings ("Data: [b'…']", "command: FETCH => …", multi-line SMTP, tagged IMAP
lines). A reading undoes them: fields that the evidence lacks are taken from the text, and what is no word of the server (codes,
addresses, host names, links) becomes no token.
"""

import base64
import binascii
import json
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.signatures.mail_codes import DECISIVE_IMAP_CODES, IMAP_CODES
from mailwatch.core.signatures.network_codes import STATUSES
from mailwatch.core.signatures.oauth_codes import ERRORS
from mailwatch.core.signatures.rule import PLACES
from mailwatch.core.wrappings import inside, past_boilerplate

_IDEOGRAPH: Final = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9d"
_MAILBOX_SPEC: Final = r"\{[\w.-]{1,253}:\d{1,5}[^{}\s]{0,80}\}"  # c-client: {host:993/imap/ssl}
_TOKEN: Final = re.compile(
    rf"(?P<skip>{_MAILBOX_SPEC}"
    r"|[a-z]{2,8}://[^\s>\"']*"  # links: their words are the provider's, not about this failure
    r"|[^\s@<>()\"']{1,64}@[^\s<>()\"',:;]{1,255}"  # addresses
    r"|(?<![\w:/.])(?:/[\w.+-]{1,64}){2,16}"  # paths: their parts are names
    r"|(?<![\w.])[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){2,8}\b"  # host names, IP addresses, enhanced codes
    r"|(?<![\w])[245]\d\d-(?=\D|$)"  # a continued SMTP line
    r"|\bb')"  # Python's way of writing bytes
    rf"|[{_IDEOGRAPH}]"
    rf"|[^\W_{_IDEOGRAPH}]+(?:['\u2019][^\W\d_]+)?"
)
_SMTP: Final = re.compile(r"\s*\(?([2-5]\d\d)(?:, ?b?['\"]|[ -]+|$)#?(?:([245]\.\d{1,3}\.\d{1,3})\b)?")
_QMAIL: Final = re.compile(r"\(#([245]\.\d{1,3}\.\d{1,3})\)")
_IMAP: Final = re.compile(r"\s*(?:[*+.]|[A-Za-z]{0,8}[0-9.]{0,10}|[A-Za-z0-9]{1,12})[ ]?(OK|NO|BAD|BYE|PREAUTH)\b[ ,]?(?![a-z])")
_RESPONSE_CODE: Final = re.compile(r"\[([A-Z][A-Z0-9-]{2,24})(?: [^\]\[]{0,80})?\]")
_AADSTS: Final = re.compile(r"AADSTS(\d{4,9})")
_BASE64: Final = re.compile(r"(?:^|[ +:'\"])(eyJ[A-Za-z0-9+/]{8,}={0,2})")
_RECEIVED: Final = re.compile(r'"?(NO|BAD|BYE)"? received')  # imap_tools: Response status "OK" expected, but "NO" received
_BLOCKLISTS: Final = frozenset(
    [
        "spamhaus",
        "sorbs",
        "spamcop",
        "barracudacentral",
        "abuseat",
        "uceprotect",
        "mailspike",
        "dnsbl",
        "rbl",
        "bl",
        "zen",
        "sbl",
        "xbl",
        "pbl",
        "cbl",
        "psbl",
        "abusix",
        "ahbl",
        "dronebl",
        "gbudb",
        "manitu",
        "njabl",
        "spamcannibal",
        "spamrats",
        "wpbl",
    ]
)
_NAME_LISTS: Final = frozenset({"uribl", "surbl", "dbl", "rhsbl"})  #: blocklists of domain names, not of addresses
#: A link that leads to a blocklist's page about an address.
_LISTING: Final = re.compile(r"(?<![a-z])(?:dnsbl|rbl|block-?list|black-?list)", re.IGNORECASE)
_SPF_PAGE: Final = re.compile(r"\bopen-?spf\b", re.IGNORECASE)  #: the page that tells why a sender failed SPF
_FOLD: Final = str.maketrans({"ł": "l", "ı": "i", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "’": "'"})  # noqa: RUF001  # these letters are meant
_ELIDED: Final = 4  #: a French word of so many signs with its article is too short to be cut
_AUTH_PHASES: Final = frozenset({Phase.AUTH})
_SESSION_PHASES: Final = frozenset({Phase.SELECT, Phase.IDLE})
_MISUSE: Final = frozenset({500, 501, 503, 555})  # RFC 5321, 4.2.2: syntax, arguments, sequence, parameters
_EARLY_PHASES: Final = frozenset({Phase.RESOLVE, Phase.CONNECT, Phase.TLS, Phase.GREETING, Phase.STARTTLS})


@lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """*word* in lower case and without accents, so that "Désactivé" and "desactive" are one word."""
    folded = word.casefold().translate(_FOLD)
    if folded[1:2] == "'" and folded[0] in "ld" and len(folded) > _ELIDED:
        folded = folded[2:]  # French: l'authentification
    if folded.isascii():
        return folded
    return "".join(sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign)) or folded


def words_of(text: str) -> list[str]:
    """The folded tokens of *text*, without their places."""
    return [fold(match[0]) for match in _TOKEN.finditer(text) if match["skip"] is None]


@dataclass(frozen=True, slots=True)
class Reading:
    """One piece of evidence, taken apart."""

    evidence: Evidence
    text: str  #: the words that are read: of the reply, or of the token endpoint's description
    place: int  #: bits of `signatures.rule.PLACES`
    tokens: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()  #: where each token stands in `text`
    code: int | None = None
    enhanced: str | None = None
    status: str | None = None
    response_code: str | None = None
    challenge: str | None = None  #: `status` of a SASL error challenge
    oauth_error: str | None = None
    aadsts: tuple[int, ...] = ()
    exception: str | None = None  #: the class, without its module
    own_stack: bool = False  #: a client hands on an error of its own network stack as if a server had spoken


def _document(text: str) -> dict[str, Any] | None:
    """The JSON object that *text* is, if it is one."""
    stripped = text.strip()
    if not stripped.startswith("{"):
        return None
    try:
        found = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def decode_challenge(text: str) -> str | None:
    """The JSON of a SASL error challenge in base64 (RFC 7628, 3.2.2), if *text* holds one."""
    match = _BASE64.search(text)
    if match is None:
        return None
    try:
        return base64.b64decode(match[1] + "=" * (-len(match[1]) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None


_PLACE_OF_PHASE: Final = {
    **dict.fromkeys(_AUTH_PHASES, PLACES["auth"]),
    **dict.fromkeys(_SESSION_PHASES, PLACES["session"]),
    **dict.fromkeys(_EARLY_PHASES, PLACES["early"]),
    Phase.GREETING: PLACES["early"] | PLACES["greeting"],
    Phase.STARTTLS: PLACES["early"] | PLACES["starttls"],
    Phase.SUBMIT: PLACES["submit"],
    Phase.TOKEN: PLACES["token"],
}
_COMMANDS: Final = frozenset({"mail", "rcpt", "data"})


_IPV4: Final = re.compile(r"(?<![\d.])(?!127\.)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")


def _place(evidence: Evidence, code: int | None, enhanced: str | None, status: str | None) -> int:
    phase = Phase.TOKEN if evidence.protocol == "oauth" and evidence.phase is None else evidence.phase
    bits = PLACES.get(evidence.protocol, 0) | (_PLACE_OF_PHASE.get(phase, 0) if phase else 0)
    if evidence.command in _COMMANDS:
        bits |= PLACES[evidence.command]
    if evidence.response.count(".") > 2 and _IPV4.search(evidence.response):  # noqa: PLR2004  # an address has three dots
        bits |= PLACES["ipv4"]
    return bits | _place_of_codes(code, enhanced, status)


def _place_of_codes(code: int | None, enhanced: str | None, status: str | None) -> int:
    bits = 0
    leading = str(code)[0] if code is not None else (enhanced or " ")[0]
    if leading in "45":
        bits |= PLACES[f"{leading}xx"]
    if code is not None or status is not None:
        bits |= PLACES["reply"]
    if enhanced is not None and enhanced[1:4] == ".7.":
        bits |= PLACES["policy"]
    if status == "BYE":
        bits |= PLACES["bye"]
    if code in _MISUSE or status == "BAD":
        bits |= PLACES["misuse"]
    return bits


def _smtp_codes(evidence: Evidence) -> tuple[int | None, str | None, int]:
    """Reply code, enhanced code, and where the words begin; 0 when the text does not begin with a reply."""
    code, enhanced, start = evidence.code, evidence.enhanced, 0
    if evidence.protocol in {"smtp", "network"}:
        match = _SMTP.match(evidence.response)
        if match is not None:
            code, enhanced, start = code or int(match[1]), enhanced or match[2], match.end()
        if enhanced is None and "(#" in evidence.response:
            found = _QMAIL.search(evidence.response)
            enhanced = found[1] if found else None
    return code, enhanced, start


def _tokens(text: str, start: int, end: int, bar: tuple[int, int] | None) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    tokens, spans = [], []
    for match in _TOKEN.finditer(text, start, end):
        span = match.span()
        if bar is not None and bar[0] <= span[0] < bar[1]:
            continue
        if match.lastgroup == "skip":
            token = _stand_in(match[0])
            if token is None:
                continue
        else:
            token = fold(match[0])
        tokens.append(token)
        spans.append(span)
    return tuple(tokens), tuple(spans)


def _stand_in(skipped: str) -> str | None:
    """The token that stands for an address (`@`), a blocklist or a page about SPF; nothing for other links, host names, codes."""
    if "@" in skipped and "://" not in skipped:
        return "@"
    parts = skipped.lower().split(".")
    if not _NAME_LISTS.isdisjoint(parts):
        return "uribl"
    if not _BLOCKLISTS.isdisjoint(parts) or ("://" in skipped and _LISTING.search(skipped)):
        return "dnsbl"
    return "spf" if _SPF_PAGE.search(skipped) else None


def _error_of(document: dict[str, Any]) -> str | None:
    """`error` of a token endpoint's JSON; Google's APIs nest it."""
    error = document.get("error", document.get("errorCode", document.get("status")))
    if isinstance(error, dict):
        error = error.get("status") or error.get("errorId") or error.get("code")
    return str(error) if isinstance(error, str | int) else None


_ERROR_WORD: Final = re.compile(r"\b[a-z]{3,16}(?:_[a-z]{2,16}){1,4}\b")  # an OAuth error stands in other words: "invalid_grant: …"
_LOOSE_ERROR: Final = re.compile(r"['\"]?error['\"]?\s*[:=]\s*u?['\"]?([A-Za-z_]{4,40})")


def _imap_fields(evidence: Evidence, text: str, code: int | None) -> tuple[str | None, str | None, int, tuple[int, int] | None]:
    """Status, response code, where the words begin, and the span of the response code."""
    status, response_code, start, bar = evidence.status, evidence.response_code, 0, None
    if evidence.protocol in {"imap", "network"} and code is None:
        match = _IMAP.match(text)
        if match is not None:
            status, start = status or match[1], match.end()
        elif "received" in text:
            wrapped = _RECEIVED.search(text)
            status = status or (wrapped[1] if wrapped else None)
    if evidence.protocol != "smtp" and "[" in text:
        for found in _RESPONSE_CODE.finditer(text):
            if found[1] in IMAP_CODES or found[1] in DECISIVE_IMAP_CODES:
                response_code, bar = response_code or found[1], found.span()
                break
    return status, response_code.upper() if response_code else None, start, bar


def _oauth_fields(evidence: Evidence, text: str) -> tuple[str | None, str | None]:
    """`status` of a SASL error challenge, and `error` of a token endpoint."""
    error, challenge = evidence.oauth_error, None
    spoken = evidence.challenge or (decode_challenge(text) if "eyJ" in text else None)
    if spoken is not None:
        shown = _document(spoken)
        challenge = str(shown.get("status", "")) if shown else spoken
    document = _document(text) if "{" in text else None
    if document is not None and "status" in document and "error" not in document:
        challenge = challenge or str(document["status"])
    elif document is not None:
        error = error or _error_of(document)
    elif error is None and "error" in text and ("invalid_" in text or evidence.phase is Phase.TOKEN):
        loose = _LOOSE_ERROR.search(text)
        error = loose[1] if loose else None
    if (
        (error is None or error.lower() not in ERRORS)
        and document is None
        and challenge is None
        and (evidence.phase is Phase.TOKEN or evidence.protocol == "oauth")
    ):
        error = next((word for word in _ERROR_WORD.findall(text) if word in ERRORS), error)
    return challenge.strip().lower() if challenge else None, error.lower() if error else None


_JOINED: Final = re.compile(r"[a-z][A-Z][a-z]")
_PART: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def parted(reading: Reading) -> Reading:
    """*reading* with words such as WebLoginRequired taken apart, for meanings; phrases are written with them whole."""
    if _JOINED.search(reading.text) is None:
        return reading
    tokens, spans = [], []
    for token, (first, last) in zip(reading.tokens, reading.spans, strict=True):
        parts = list(_PART.finditer(reading.text, first, last)) if _JOINED.search(reading.text, first, last) else []
        if len(parts) > 1 and len(token) > 1:
            tokens += [fold(part[0]) for part in parts]
            spans += [part.span() for part in parts]
        tokens.append(token)
        spans.append((first, last))
    return replace(reading, tokens=tuple(tokens), spans=tuple(spans))


def read(evidence: Evidence) -> Reading:
    """*evidence* taken apart; total."""
    text = evidence.response or evidence.oauth_description or evidence.challenge or ""
    code, enhanced, smtp_start = _smtp_codes(evidence)
    status, response_code, imap_start, bar = _imap_fields(evidence, text, code)
    challenge, oauth_error = _oauth_fields(evidence, text)
    start = max(smtp_start, imap_start)
    end = text.find("* BYE", start + 1) if status in {"NO", "BAD"} else -1  # what the server did after it had answered
    own_stack = False
    if not start or status in {"BYE", "BAD"}:
        inner = inside(text, evidence.protocol, code, bare=not start)
        start, end = inner.start or start, inner.end or end
        code, enhanced = code or inner.code, enhanced or inner.enhanced
        own_stack = inner.own_stack
        status = None if own_stack else status or inner.status
        response_code = response_code if inner.end is None or (bar is not None and inner.start <= bar[0] < inner.end) else None
    exception = evidence.exception.rpartition(".")[2].rpartition(":")[2] if evidence.exception else None
    if exception is not None and not own_stack:
        status = status or STATUSES.get(exception)
    if code is not None:
        start = past_boilerplate(text, start)
    tokens, spans = _tokens(text, start, end if end > 0 else len(text), bar)
    described = text if evidence.oauth_description is None else f"{text} {evidence.oauth_description}"
    return Reading(
        evidence=evidence,
        text=text,
        place=_place(evidence, code, enhanced, status),
        tokens=tokens,
        spans=spans,
        code=code,
        enhanced=enhanced,
        status=status,
        response_code=response_code,
        challenge=challenge,
        oauth_error=oauth_error,
        aadsts=tuple(int(number) for number in _AADSTS.findall(described)) if "AADSTS" in described else (),
        exception=exception,
        own_stack=own_stack,
    )
