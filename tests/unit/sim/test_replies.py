"""The words of each fault mean to mailwatch's classifier what the fault is."""

import re

import pytest

from mailwatch.core.causes import Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.mailbox import Protocol
from mailwatch.sim.dialects import Dialect
from mailwatch.sim.faults import Fault, FaultKind, Stage, stage_of
from mailwatch.sim.replies import severs, words_for

K = FaultKind
MEANING = {
    K.OVERLOADED: Cause.SERVER_UNAVAILABLE,
    K.MAINTENANCE: Cause.SERVER_UNAVAILABLE,
    K.CONNECTION_LIMIT: Cause.CONNECTION_LIMIT,
    K.LOGIN_THROTTLED: Cause.RATE_LIMITED,
    K.COMMANDS_THROTTLED: Cause.RATE_LIMITED,
    K.TEMPORARY_AUTH_FAILURE: Cause.SERVER_UNAVAILABLE,
    K.WRONG_SECRET: Cause.INVALID_CREDENTIALS,
    K.EVERYBODY_REFUSED: Cause.INVALID_CREDENTIALS,
    K.APP_PASSWORD_REQUIRED: Cause.APP_PASSWORD_REQUIRED,
    K.BASIC_AUTH_DISABLED: Cause.BASIC_AUTH_DISABLED,
    K.WEB_LOGIN_REQUIRED: Cause.WEB_LOGIN_REQUIRED,
    K.ACCOUNT_DISABLED: Cause.ACCOUNT_DISABLED,
    K.PASSWORD_EXPIRED: Cause.PASSWORD_EXPIRED,
}
IMAP_ONLY = {K.IMAP_DISABLED: Cause.PROTOCOL_DISABLED}
SMTP_ONLY = {K.SMTP_AUTH_DISABLED: Cause.PROTOCOL_DISABLED, K.QUOTA_FULL: Cause.MAILBOX_FULL, K.SENDING_LIMIT: Cause.SENDING_LIMIT}
PHASES = {Stage.GREETING: Phase.GREETING, Stage.LOGIN: Phase.AUTH, Stage.SESSION: Phase.SELECT, Stage.SUBMISSION: Phase.SUBMIT}
CASES = [
    (protocol, kind, dialect, cause)
    for protocol, table in ((Protocol.IMAP, MEANING | IMAP_ONLY), (Protocol.SMTP, MEANING | SMTP_ONLY))
    for kind, cause in table.items()
    for dialect in Dialect
]


def evidence_of(text, protocol, kind):
    """The reply as a probe would report it."""
    phase = PHASES[stage_of(kind)]
    if protocol is Protocol.SMTP and phase is Phase.SELECT:
        phase = Phase.SUBMIT
    if protocol is Protocol.SMTP:
        enhanced = re.match(r"\d{3}[ -](\d\.\d+\.\d+)", text)
        joined = " ".join(line[4:].strip() for line in text.split("\n"))
        return Evidence("smtp", phase, f"{text[:3]} {joined}", code=int(text[:3]), enhanced=enhanced[1] if enhanced else None)
    line = text.split("\n")[0]
    status, _, rest = line.removeprefix("* ").partition(" ")
    code = re.match(r"\[([A-Z]+)", rest)
    return Evidence("imap", phase, line.removeprefix("* "), status=status, response_code=code[1] if code else None)


@pytest.mark.parametrize(("protocol", "kind", "dialect", "cause"), CASES, ids=str)
def test_the_words_are_understood_as_the_fault_they_stand_for(protocol, kind, dialect, cause):
    text = words_for(kind, protocol, dialect, host="mail.example", address="anna@a.example")
    assert diagnose(evidence_of(text, protocol, kind)).cause is cause, text


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("kind", [kind for kind in FaultKind if stage_of(kind) in PHASES])
def test_every_fault_has_well_formed_words_in_every_dialect(protocol, dialect, kind):
    text = words_for(kind, protocol, dialect, host="mail.example", address="anna@a.example")
    assert "{" not in text
    if protocol is Protocol.SMTP and kind is not K.GARBAGE:
        *first, last = text.split("\n")
        assert all(re.match(r"[45]\d\d-", line) for line in first)
        assert re.match(r"[45]\d\d ", last)


def test_a_hint_names_the_seconds_asked_for():
    fault = Fault(K.COMMANDS_THROTTLED, "x", seconds=299.961)
    words = words_for(fault, Protocol.IMAP, Dialect.MICROSOFT, host="h", address="")
    assert "299961 milliseconds" in words
    assert diagnose(evidence_of(words, Protocol.IMAP, K.COMMANDS_THROTTLED)).retry_after_seconds == pytest.approx(299.961)


def test_a_faults_own_words_come_first():
    assert (
        words_for(Fault(K.OVERLOADED, "x", words="* BYE moved"), Protocol.IMAP, Dialect.GOOGLE, host="h", address="")
        == "* BYE moved"
    )


def test_a_421_and_a_bye_end_the_connection_and_a_refused_password_does_not():
    assert severs(K.LOGIN_THROTTLED, "421 4.7.0 slow down")
    assert severs(K.LOGIN_THROTTLED, "BAD throttled\n* BYE Connection closed. 14")
    assert not severs(K.WRONG_SECRET, "535 5.7.8 no")
