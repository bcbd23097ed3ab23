"""Why a mailbox failed: evidence in, diagnosis out.  Pure and total: any evidence gives a cause of the closed set.

The order, from what says most to what says least (docs/classification.md):
numbers that cannot be misread (certificate, AADSTS, OAuth error, HTTP status), wordings of known servers, decisive codes, what
words mean in any language, other codes, weaker words, the class of a reply code in its place, the exception's class, the phase.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from math import isnan
from typing import Final

from mailwatch.core.causes import PROFILES, Cause, Disposition, Owner
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.hints import MAX_SECONDS, seconds_named
from mailwatch.core.replies import Reading, parted, read
from mailwatch.core.reply_codes import Verdict, decisive_code, imap_status, plain_code, reply_code, vague_code
from mailwatch.core.signatures import PHRASES
from mailwatch.core.signatures.meanings import STRONG, WEAK
from mailwatch.core.signatures.meanings_network import NETWORK, TOKEN
from mailwatch.core.signatures.network_codes import CARRIERS, ERRNO, EXCEPTIONS, cause_of_verify_code
from mailwatch.core.signatures.oauth_codes import AADSTS, AADSTS_GENERAL, AADSTS_NAMES, DESCRIPTIONS, ERRORS
from mailwatch.core.signatures.rule import PLACES, Rule, rules
from mailwatch.core.standing import Confidence, Diagnosis
from mailwatch.core.wordings import LANGUAGES, Hit, Ideas, Lexicon, MeaningTable, PhraseIndex, ideas_in

_HIGH, _MEDIUM, _LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
_TOKEN, _AUTH, _EARLY, _SUBMIT = PLACES["token"], PLACES["auth"], PLACES["early"], PLACES["submit"]
_REPLY, _MISUSE = PLACES["reply"], PLACES["misuse"]
_OK: Final = 200  # RFC 9110, 15.3.1
#: Causes by which a live session that announces its end is merely over.
_ENDS: Final = frozenset({Cause.CONNECTION_DROPPED, Cause.CONNECTION_TIMEOUT})
#: What no 503 and no BAD means, whatever words stand beside it: the server blames the command, not us or the message.
_NOT_BY_MISUSE: Final = frozenset({Cause.IP_BLOCKED, Cause.CONNECTION_DROPPED, Cause.SESSION_EXPIRED})
_NOT_BY_SEQUENCE: Final = frozenset({Cause.ACCESS_DENIED, Cause.SENDING_BLOCKED, Cause.MAILBOX_MISSING})
#: What a token endpoint may mean by `invalid_grant` when its description says so.
_BEHIND_A_GRANT: Final = frozenset({Cause.MFA_REQUIRED, Cause.ACCOUNT_DISABLED, Cause.RATE_LIMITED, Cause.INVALID_CREDENTIALS})
#: What an error of a token endpoint may mean when its description says otherwise.
_VAGUE_ERRORS: Final = frozenset(
    {None, Cause.OAUTH_GRANT_REVOKED, Cause.ACCESS_DENIED, Cause.OAUTH_MISCONFIGURED, Cause.WEB_LOGIN_REQUIRED}
)


class Classifier:
    """The tables, ready to be searched.

    `without` leaves groups of wordings out and `phrases` replaces them all, to measure what is understood without them.
    """

    def __init__(self, without: Iterable[str] = (), phrases: Iterable[Rule] = PHRASES) -> None:
        left_out = frozenset(without)
        self._lexicon = Lexicon(LANGUAGES)
        self._phrases = PhraseIndex(rule for rule in phrases if rule.group not in left_out)
        self._descriptions = PhraseIndex(rules("oauth", "RFC 6749, 5.2", *DESCRIPTIONS))
        self._strong = MeaningTable(STRONG, self._lexicon)
        self._weak = MeaningTable(WEAK, self._lexicon)
        self._network = MeaningTable(NETWORK, self._lexicon)
        self._token = MeaningTable(TOKEN, self._lexicon)
        self._behind_a_grant = MeaningTable((rule for rule in TOKEN if rule.cause in _BEHIND_A_GRANT), self._lexicon)

    def diagnose(self, evidence: Evidence) -> Diagnosis:
        """The cause of *evidence*; see the module."""
        reading = read(evidence)
        cause, rule, quote, confidence = self._decide(reading)
        if evidence.session_worked and cause in _ENDS and (reading.status == "BYE" or reading.code in {221, 421, 451}):
            cause, rule = Cause.SESSION_EXPIRED, "session.announced_end"
        if cause is Cause.INVALID_CREDENTIALS and (confidence is not _HIGH or rule.startswith("rfc")) and _offered_token(reading):
            cause, rule = Cause.OAUTH_TOKEN_EXPIRED, "sasl.token_refused"
        if confidence is _MEDIUM and _code_agrees(reading, cause):
            confidence = _HIGH
        return Diagnosis(cause, rule, quote, confidence, _retry_after(evidence, cause))

    def _decide(self, reading: Reading) -> Verdict:
        for step in _BY_NUMBER:
            verdict = step(reading)
            if verdict is not None:
                return verdict
        if reading.place & _TOKEN or reading.oauth_error:
            verdict = self._of_token_endpoint(reading)
            if verdict is not None:
                return verdict
        hit = self._phrases.find(reading)
        if hit is not None:
            return _quoted(reading, hit, _HIGH)
        verdict = _of_the_network(reading)
        if verdict is not None:
            return verdict
        reading = parted(reading)
        ideas = ideas_in(self._lexicon, reading.tokens)
        return (
            decisive_code(reading)
            or (self._of_words(reading, ideas, self._network) if _of_own_stack(reading) else None)
            or (self._of_words(reading, ideas, self._token) if reading.place & _TOKEN else None)
            or self._of_words(reading, ideas, self._strong)
            or plain_code(reading)
            or self._of_words(reading, ideas, self._weak)
            or (self._of_words(reading, ideas, self._network) if not reading.place & (_REPLY | _TOKEN) else None)
            or _fallback(reading)
        )

    @staticmethod
    def _of_words(reading: Reading, ideas: Ideas, table: MeaningTable) -> Verdict | None:
        hit = table.find(ideas, reading.place)
        if hit is None or _contradicted(reading, hit[0]):
            return None
        return _quoted(reading, hit, _MEDIUM)

    def _of_token_endpoint(self, reading: Reading) -> Verdict | None:
        """RFC 6749, 5.2: the description where it says more, else the error; a page or a bare status says nothing of the grant."""
        hit = self._descriptions.find(reading)
        error = reading.oauth_error
        general = next((number for number in reading.aadsts if number in AADSTS_GENERAL), None)
        if general is not None:
            error = f"aadsts{general}"
        known = AADSTS_GENERAL[general] if general is not None else ERRORS.get(error) if error else None
        if hit is not None and known in _VAGUE_ERRORS:
            return _quoted(reading, hit, _HIGH)
        if known is Cause.OAUTH_GRANT_REVOKED:  # it is also said for what the person or the account has to do
            meant = self._behind_a_grant.find(ideas_in(self._lexicon, reading.tokens), reading.place)
            if meant is not None:
                return _quoted(reading, meant, _MEDIUM)
        if known is not None and error is not None:
            return known, f"oauth.{error.replace(' ', '_')}", _literal(reading, error), _HIGH
        status = reading.evidence.http_status
        if "<html" in reading.text[:200].lower() or (status == _OK and not reading.evidence.exception):
            return Cause.SERVER_UNAVAILABLE, "oauth.no_answer", _head(reading), _MEDIUM
        return None


def _contradicted(reading: Reading, rule: Rule) -> bool:
    """Whether the reply code says that the cause of *rule*, found in the words, cannot be."""
    if not reading.place & _MISUSE:
        return False
    if rule.need_place & _MISUSE and reading.code is not None:
        return False  # the rule is written for such codes
    if reading.code != 503 and (reading.enhanced or "").startswith("5.7."):  # noqa: PLR2004  # RFC 5321, 4.2.2: bad sequence
        return False  # RFC 3463, 3.8: a matter of policy, whatever number stands before it
    return rule.cause in _NOT_BY_MISUSE or (
        rule.cause in _NOT_BY_SEQUENCE and (reading.code in {503, 555} or reading.status == "BAD")
    )


def _code_agrees(reading: Reading, cause: Cause) -> bool:
    """Whether a code that says what happened says the same as the words; at a token endpoint such codes mean nothing."""
    if reading.place & _TOKEN or not (reading.enhanced or reading.response_code):
        return False
    said = plain_code(reading)
    return said is not None and said[0] is cause


def _quoted(reading: Reading, hit: Hit, confidence: Confidence) -> Verdict:
    rule, first, last = hit
    return rule.cause, rule.id, reading.text[reading.spans[first][0] : reading.spans[last][1]], confidence


def _literal(reading: Reading, wanted: str) -> str:
    """*wanted* as it stands in the text, else itself."""
    at = reading.text.lower().find(wanted.lower())
    return reading.text[at : at + len(wanted)] if at >= 0 else wanted


def _head(reading: Reading) -> str:
    evidence = reading.evidence
    return reading.text[:80].strip() or str(evidence.http_status or reading.code or evidence.exception or "")


#: What mailwatch's own dialogue found out: the words beside it may be a banner's and decide nothing.
_FINDINGS: Final = frozenset(
    {"ProtocolViolationError", "StartTlsUnavailableError", "TlsRequiredError", "MechanismUnsupportedError"}
)


def _finding(reading: Reading) -> Verdict | None:
    name = reading.exception
    if name not in _FINDINGS:
        return None
    return EXCEPTIONS[name], f"finding.{name}", _head(reading) or name, _HIGH


def _certificate(reading: Reading) -> Verdict | None:
    number = reading.evidence.verify_code
    if not number:
        return None
    return cause_of_verify_code(number), f"openssl.verify_{number}", _head(reading) or str(number), _HIGH


def _aadsts(reading: Reading) -> Verdict | None:
    for number in reversed(reading.aadsts):  # the first of several is the envelope, the last the reason
        if number in AADSTS:
            return AADSTS[number], f"microsoft.aadsts_{number}", _literal(reading, f"AADSTS{number}"), _HIGH
    if not reading.aadsts and reading.place & _TOKEN:
        for token, span in zip(reading.tokens, reading.spans, strict=True):
            if token in AADSTS_NAMES and AADSTS_NAMES[token] in AADSTS:
                number = AADSTS_NAMES[token]
                return AADSTS[number], f"microsoft.aadsts_{number}", reading.text[span[0] : span[1]], _HIGH
    return None


#: AD FS answers 500 to what the person or the application did wrong, too, and tells it by a number of its own.
_DIRECTORY_ERROR: Final = re.compile(r"\bMSIS\d{4}\b")


def _http(reading: Reading) -> Verdict | None:
    """A token endpoint that is overloaded or broken says nothing about the grant."""
    status = reading.evidence.http_status
    if status is None or not (reading.place & _TOKEN or reading.evidence.protocol == "oauth"):
        return None
    if status == 429:  # noqa: PLR2004  # RFC 6585, 4
        return Cause.RATE_LIMITED, "http.429", _literal(reading, "429"), _HIGH
    if status in {408, 425} or (status >= 500 and _DIRECTORY_ERROR.search(reading.text) is None):  # noqa: PLR2004  # RFC 9110, 15.6
        return Cause.SERVER_UNAVAILABLE, f"http.{status}", _literal(reading, str(status)), _HIGH
    return None


#: The head of a TLS record (RFC 8446, 5.1: alert or handshake, version 3.x), as bytes or as clients write them.
_TLS_RECORD: Final = re.compile(
    r"(?:\\x1[56]|[\x15\x16]|\\u001[56])(?:\\x03|\x03|\\u0003)(?:\\x0[0-4]|[\x00-\x04]|\\u000[0-4]|\\0)"
)


def _tls_record(reading: Reading) -> Verdict | None:
    """A TLS record where words of a mail server should stand: the two sides do not agree whether to encrypt."""
    text = reading.text
    if reading.place & _REPLY:
        return None  # a server that quotes it in its reply speaks in the clear
    if "\\x" not in text and "\\u00" not in text and "\x03" not in text:
        return None
    if _TLS_RECORD.search(text) is None:
        return None
    return Cause.TLS_HANDSHAKE_FAILED, "tls.record", _head(reading), _HIGH


_CHALLENGES: Final = {"400": Cause.OAUTH_TOKEN_EXPIRED, "401": Cause.OAUTH_TOKEN_EXPIRED, "403": Cause.OAUTH_MISCONFIGURED}


def _challenge(reading: Reading) -> Verdict | None:
    """RFC 7628, 3.2.2: `status` of the error challenge."""
    status = reading.challenge
    if status is None:
        return None
    cause = _CHALLENGES.get(status) or ERRORS.get(status) or Cause.OAUTH_TOKEN_EXPIRED
    if cause is Cause.OAUTH_GRANT_REVOKED:
        cause = Cause.OAUTH_TOKEN_EXPIRED  # the refresh token is not known at this place: only the access token was shown
    return cause, f"sasl.challenge_{status[:24].replace(' ', '_') or 'other'}", _literal(reading, status) or _head(reading), _HIGH


_BY_NUMBER: Final[tuple[Callable[[Reading], Verdict | None], ...]] = (
    _finding,
    _certificate,
    _tls_record,
    _aadsts,
    _http,
    _challenge,
)


def _fallback(reading: Reading) -> Verdict:
    """The class of the code in its place, the exception, the phase."""
    return (
        vague_code(reading)
        or reply_code(reading)
        or _error_number(reading)
        or _exception(reading)
        or _carrier(reading)
        or imap_status(reading)
        or _http_refusal(reading)
        or _phase(reading)
    )


#: How Python writes the number into the text, whatever the language of the words behind it.
_WRITTEN_NUMBER: Final = re.compile(r"\[(?:Errno|WinError) (-?\d{1,6})\]|\((?:os error|errno ?=) ?(\d{1,6}) ?\)|errno: (-\d{1,6})")


def _error_number(reading: Reading) -> Verdict | None:
    number = reading.evidence.errno
    if (reading.exception or "").startswith("SSL"):
        return None  # OpenSSL counts for itself
    if number is None and ("rror " in reading.text or "rrno" in reading.text):
        written = _WRITTEN_NUMBER.search(reading.text)
        number = int(written[1] or written[2] or written[3]) if written else None
    cause = ERRNO.get(number) if number is not None else None
    return None if cause is None else (cause, f"errno.{number}", _head(reading) or str(number), _HIGH)


def _of_own_stack(reading: Reading) -> bool:
    """Whether our own network stack speaks, and not a server."""
    return (reading.evidence.protocol == "network" or reading.own_stack) and not reading.place & _REPLY


def _of_the_network(reading: Reading) -> Verdict | None:
    """What the network stack says by number or class, when no server spoke."""
    return None if reading.place & PLACES["reply"] else _error_number(reading) or _exception(reading)


def _carrier(reading: Reading) -> Verdict | None:
    name = reading.exception
    if name is None or name not in CARRIERS:
        return None
    return CARRIERS[name], f"exception.{name}", _head(reading) or name, _LOW


def _exception(reading: Reading) -> Verdict | None:
    name = reading.exception
    if name is None or name not in EXCEPTIONS:
        return None
    cause = EXCEPTIONS[name]
    if cause is Cause.CONNECTION_DROPPED and name.startswith("SSL") and reading.evidence.phase in {Phase.TLS, Phase.STARTTLS}:
        cause = Cause.TLS_HANDSHAKE_FAILED
    return cause, f"exception.{name}", _head(reading) or name, _MEDIUM


#: The SASL mechanisms that show an access token (RFC 7628; Google's XOAUTH2).
_TOKEN_MECHANISM: Final = re.compile(r"\b(?:xoauth2?|oauthbearer|oauth2? (?=authentication|login|bearer))\b", re.IGNORECASE)


def _offered_token(reading: Reading) -> bool:
    """Whether the refusal was of an access token: the text names the mechanism, and no password."""
    text = reading.text
    return "auth" in text.lower() and _TOKEN_MECHANISM.search(text) is not None and "assword" not in text


_REFUSED: Final = range(400, 500)  # RFC 9110, 15.5: the client erred


def _http_refusal(reading: Reading) -> Verdict | None:
    """A token endpoint that refuses without an OAuth error: address or application are wrong, the grant is not judged."""
    status = reading.evidence.http_status
    if status is not None and status >= _REFUSED.stop:
        return Cause.SERVER_UNAVAILABLE, f"http.{status}", _head(reading) or str(status), _LOW
    if status not in _REFUSED or not (reading.place & _TOKEN or reading.evidence.protocol == "oauth"):
        return None
    return Cause.OAUTH_MISCONFIGURED, f"http.{status}", _head(reading) or str(status), _LOW


_BY_PHASE: Final = {
    Phase.RESOLVE: Cause.DNS_FAILURE,
    Phase.CONNECT: Cause.CONNECTION_TIMEOUT,
    Phase.TLS: Cause.TLS_HANDSHAKE_FAILED,
}


def _phase(reading: Reading) -> Verdict:
    """An exception of unknown class and no words: the phase in which it came is all there is."""
    phase = reading.evidence.phase
    if phase in _BY_PHASE and (reading.exception or reading.text):
        return _BY_PHASE[phase], f"phase.{phase}", _head(reading), _LOW
    return Cause.UNKNOWN, "unknown", _head(reading), _LOW


def _retry_after(evidence: Evidence, cause: Cause) -> float | None:
    """The wait that the server names: Retry-After, or in words; only where waiting heals."""
    named = evidence.retry_after_seconds
    if named is not None:
        return None if isnan(named) else max(0.0, min(named, MAX_SECONDS))
    if PROFILES[cause].disposition is Disposition.THROTTLED or cause in {Cause.SERVER_UNAVAILABLE, Cause.UNKNOWN}:
        return seconds_named(evidence.response)
    return None


@lru_cache(maxsize=1)
def _standard() -> Classifier:
    """The tables are built on first use: importing them costs nothing to verbs that classify nothing."""
    return Classifier()


def diagnose(evidence: Evidence) -> Diagnosis:
    """The cause of *evidence*, the rule that found it and the words that decided; never raises, never a platform cause."""
    return _standard().diagnose(evidence)


def owner_of(diagnosis: Diagnosis) -> Owner:
    """Who must act: the cause's owner, unless the rule says better (a resolver that does not answer is ours)."""
    if diagnosis.cause is Cause.DNS_FAILURE and diagnosis.rule in {
        "errno.-3",
        "exception.NoNameservers",
        "exception.LifetimeTimeout",
    }:
        return Owner.US
    return PROFILES[diagnosis.cause].owner
