"""The server's own words inside what a client program says of them: whoever pastes a log line pastes the client's words too.

`imap_open(): Couldn't open stream {…}. …`, `SMTP Error (535): …`, `Command: AUTHENTICATE …; response: #2# [NO, …]`,
`Expected response code 250 but got code "535", with message "535 5.7.8 …"`: the words around the reply are the client's, say
little, and would be read as if the server had said them.  What stands inside decides; nothing here knows a client by name, only
the forms in which a reply is handed on.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Inner:
    """Where a server's own words stand in a text, and what stands with them."""

    start: int = 0
    end: int | None = None  #: None: up to the end of the text
    code: int | None = None  #: SMTP reply code
    enhanced: str | None = None  #: SMTP enhanced status code
    status: str | None = None  #: IMAP NO, BAD, BYE
    own_stack: bool = False  #: no server speaks: the client hands on an error of its own network stack as if one did


NOTHING: Final = Inner()

#: Gateways and mail libraries that dress an error of their own network stack as a reply.
_OWN_VOICE: Final = re.compile(r"unable to handle request:|\b(?:JavaMail|Jakarta Mail) Exception:|\bBYE (?=[\w.]{1,80}Exception: )")
#: A reply code: no port, no year, no part of a number or name (RFC 5321, 4.2.1: the second digit is 0 to 5; 57x is in use).
_CODE: Final = re.compile(
    r"(?<![\w.:/=@$#+-])([45][0-57]\d)(?![\w/@]|\.\d|:\d)['\")\]]*[:,]?\s*b?[-#('\"]*(?:([45]\.\d{1,3}\.\d{1,3})(?![\w.]))?"
)
#: What stands before a reply code that is none of the client's own numbers.
_BEFORE_CODE: Final = re.compile(
    r"(?:code|error|errors|said|says|message|response|responded|server|replied|reply|returned|status|failed|rejected|refused|smtp"
    r"|with|got|received|login|data|command|detail|[:(\['\"|>*=-]|^)[\s:=('\"\[]*\Z",
    re.IGNORECASE,
)
_LEAD: Final = 24  #: how many signs before a code are looked at
_ENHANCED: Final = re.compile(r"(?<![\w.])([45]\.\d{1,3}\.\d{1,3})(?![\w.])[:\s]*")
_STATUS: Final = re.compile(
    r"(?<![\w-])(NO|BAD|BYE)\b(?=['\"]?[\s,:;\])\[(]|['\"]?\Z|\.\s)['\",:;\])]{0,3}\s{0,2}(?:response|received|reply)?\b"
)
#: What introduces the words of a server that are handed on without code or status.
_MARKER: Final = re.compile(
    r"\b(?P<not>unexpected |invalid |bad |no |empty |unknown )?(?:(?:server|remote|smtp|imap|mail)[\w ]{0,12} )?"
    r"(?:response(?: was)?|responded(?: with)?|replied(?: with)?|said|says|message|reason(?: given)?(?: by server)?|answer(?:ed)?"
    r"|to (?:imap|smtp|mail|the|remote) server)"
    r":\s",
    re.IGNORECASE,
)
#: How async-imap for Rust tells a status: no response: code: None, info: Some("…").
_TOLD: Final = re.compile(r"\b(no|bad|bye) response: code: (?:None|Some\(\w+\)), info: ", re.IGNORECASE)
#: What RFC 5321 (4.2.2) words for a code, said before the reason itself.
_BOILERPLATE: Final = re.compile(
    r"requested (?:mail )?action (?:not taken|aborted)(?:: (?:mailbox (?:unavailable|not found|name not allowed)))?", re.IGNORECASE
)
_REASON_WORDS: Final = 3  #: so many words make a reason
_WORDS: Final = re.compile(r"[^\W\d_]{2,}")
#: What a client writes before all it tells: "SMTP Error: ".
_TITLE: Final = re.compile(r"(?:(?:smtp|imap|pop3?|mail|e-?mail|host\d)\s){1,2}(?:error|failure)[:\s]\s?", re.IGNORECASE)
#: c-client tells every try before the last; that the server hung up at last is no more than its end.
_SPEC: Final = re.compile(r"\{[\w.-]{1,253}:\d{1,5}[^{}\s]{0,80}\}[^\s.]{0,80}\.\s")
#: A server's answer to the command it names, below what the client makes of it.
_COMMAND_FAILED: Final = re.compile(r"(?<=[\s:.])(?:LOGIN|AUTHENTICATE) failed[.!]?\s*\Z")
_RETRYING: Final = "Retrying "
_HUNG_UP: Final = "[CLOSED]"


#: What a BYE says that only ends the connection, and gives no reason.
_FAREWELL: Final = frozenset(
    {"imap", "server", "connection", "session", "is", "was", "the", "now", "by", "host", "out", "off"}
    | {"bye", "goodbye", "good", "closed", "closing", "close", "logging", "logged", "logout"}
    | {"disconnecting", "disconnected", "terminating", "terminated"}
)
_BYE: Final = re.compile(r"\s\* BYE\b")


def inside(text: str, protocol: str, code: int | None, *, bare: bool = True) -> Inner:
    """The server's own words in *text* of *protocol*; the whole text when nothing wraps them.

    *code* is the reply code where it is known already; *bare* is false when the text begins as a reply does.
    """
    own = _OWN_VOICE.search(text) if "xception:" in text or "handle request:" in text else None
    if own is not None:
        return Inner(start=own.end(), own_stack=True)
    if not bare:
        return NOTHING
    if protocol == "smtp" or (protocol == "network" and code is None):
        found = _of_smtp(text, code, strict=protocol == "network")
        if found is not None:
            return found
    if protocol == "imap":
        found = _of_imap(text)
        if found is not None:
            return found
    if protocol in {"smtp", "imap"}:
        return _marked(text)
    return NOTHING


def _of_smtp(text: str, code: int | None, *, strict: bool) -> Inner | None:
    """The code that best looks like a reply's: with an enhanced code, else before words, else any."""
    best: re.Match[str] | None = None
    rank = 0
    for match in _CODE.finditer(text):
        if code is not None and int(match[1]) != code:
            continue
        worth = 3 if match[2] else 2 if _spoken(text, match) else 1
        if worth < 3 and _BEFORE_CODE.search(text[max(0, match.start() - _LEAD) : match.start()]) is None:  # noqa: PLR2004  # the best worth
            continue
        if worth > rank:
            best, rank = match, worth
    if best is None or (strict and rank < 3):  # noqa: PLR2004  # the best worth
        enhanced = None if strict else _ENHANCED.search(text)
        if enhanced is None:
            return None
        return Inner(start=_start(text, enhanced.end()), enhanced=enhanced[1], code=code)
    enhanced_code = best[2]
    if enhanced_code is None:
        loose = _ENHANCED.search(text)
        enhanced_code = loose[1] if loose else None
    return Inner(start=_start(text, best.end()), code=int(best[1]), enhanced=enhanced_code)


def _spoken(text: str, match: re.Match[str]) -> bool:
    """Whether words follow the code as they do in a reply: after a blank or a hyphen."""
    return text[match.end(1) : match.end(1) + 1] in {" ", "-"} and text[match.end() : match.end() + 1].isalpha()


def _of_imap(text: str) -> Inner | None:
    if _RETRYING in text and _HUNG_UP in text:
        start, end = text.index(_RETRYING), text.index(_HUNG_UP)
        if start < end:
            return Inner(start=start, end=end, status="NO")
    spec = _SPEC.search(text) if "{" in text else None
    if spec is not None:
        return Inner(start=_start(text, spec.end()))
    if text.isupper():
        return None
    farewell = _BYE.search(text)
    if farewell is not None and _reason_before(text, farewell):
        return Inner(end=farewell.start(), status="BYE")
    match = _STATUS.search(text) or _TOLD.search(text)
    if match is not None:
        return Inner(start=_start(text, match.end()), status=match[1].upper())
    failed = _COMMAND_FAILED.search(text) if "onnect" in text else None
    return None if failed is None else Inner(start=failed.start(), status="NO")


def _reason_before(text: str, bye: re.Match[str]) -> bool:
    """Whether the reason stands before a BYE that gives none; a client's own words end with a colon."""
    before = text[: bye.start()].rstrip()
    said = _WORDS.findall(text[bye.end() :].lower())
    if before.endswith(":") or _STATUS.search(before) is not None:
        return False
    return _FAREWELL.issuperset(said) and _WORDS.search(before) is not None


def past_boilerplate(text: str, start: int) -> int:
    """Where the reason begins in a reply whose words begin at *start*: behind the words of RFC 5321, if others follow them."""
    match = _BOILERPLATE.match(text, start)
    return match.end() if match is not None and len(_WORDS.findall(text, match.end())) >= _REASON_WORDS else start


def _marked(text: str) -> Inner:
    match = _MARKER.search(text)
    if match is None or match["not"]:
        match = _TITLE.match(text)
    return NOTHING if match is None else Inner(start=_start(text, match.end()))


def _start(text: str, at: int) -> int:
    """*at* when words follow there; else 0, for the words stand before the code."""
    return at if _WORDS.search(text, at) is not None else 0
