"""Which answers to a login count as a refusal of its secret."""

import pytest

from mailwatch.core.causes import SECRET_REFUSALS, WIRE_CAUSES, Cause
from mailwatch.core.classify import diagnose
from mailwatch.core.evidence import Evidence, Phase
from mailwatch.core.refusals import refuses_secret


def counted(evidence):
    return refuses_secret(evidence, diagnose(evidence).cause)


def imap(words, code=None):
    return Evidence("imap", Phase.AUTH, words, status=words.split()[0], response_code=code)


def smtp(words, enhanced=None):
    return Evidence("smtp", Phase.AUTH, words, code=int(words[:3]), enhanced=enhanced)


@pytest.mark.parametrize(
    "evidence",
    [
        imap("BAD Login failed"),
        imap("BAD login incorrect"),
        imap("NO xyzzy"),
        imap("NO [NOPERM] x", "NOPERM"),
        imap("NO [NONEXISTENT] unknown user", "NONEXISTENT"),
        smtp("501 5.5.2 bad password", "5.5.2"),
        smtp("535 5.7.1 not authorized to send", "5.7.1"),
        smtp("554 5.7.1 access denied", "5.7.1"),
        smtp("550 5.1.1 user unknown", "5.1.1"),
        smtp("530 Access denied"),
    ],
    ids=lambda evidence: evidence.response,
)
def test_a_final_no_to_a_login_counts_whatever_it_is_taken_for(evidence):
    assert counted(evidence)


@pytest.mark.parametrize(
    "evidence",
    [
        imap("NO [UNAVAILABLE] Temporary authentication failure.", "UNAVAILABLE"),
        imap("NO [ALERT] Too many simultaneous connections. (Failure)"),
        imap("NO failed to open mailbox"),
        smtp("454 4.7.0 Too many login attempts, please try again later.", "4.7.0"),
        smtp("454 nope"),
        smtp("538 x"),
        smtp("535 5.7.3 Authentication unsuccessful, client IP not allowed", "5.7.3"),
        smtp("504 5.7.4 Unrecognized authentication type", "5.7.4"),
        Evidence("imap", Phase.AUTH, exception="ConnectionResetError"),
        Evidence("network", Phase.AUTH, exception="TimeoutError"),
    ],
    ids=lambda evidence: evidence.response or evidence.exception,
)
def test_a_server_that_did_not_look_at_the_secret_refused_none(evidence):
    assert not counted(evidence)


@pytest.mark.parametrize("cause", sorted(WIRE_CAUSES - SECRET_REFUSALS))
@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.AUTH])
def test_outside_the_login_only_words_about_the_secret_count(phase, cause):
    assert not refuses_secret(Evidence("imap", phase, "NO", status="NO"), cause)


def test_an_answer_nobody_understands_counts():
    assert refuses_secret(imap("NO ???"), Cause.UNKNOWN)
