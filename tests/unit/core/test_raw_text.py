"""Evidence from words alone, and from rows of the corpus's form."""

import pytest

from mailwatch.core.evidence import Phase
from mailwatch.core.raw_text import RowError, evidence_of_row, evidence_of_text


@pytest.mark.parametrize(
    ("text", "protocol", "phase"),
    [
        ("535 5.7.8 x", "smtp", Phase.AUTH),
        ("550 5.7.1 Authentication from your country is blocked", "smtp", Phase.AUTH),
        ("550 5.1.1 x", "smtp", Phase.SUBMIT),
        ("421 x", "smtp", None),
        ("a1 NO Login failed", "imap", Phase.AUTH),
        ("* BYE x", "imap", None),
        ("+ eyJzdGF0dXMiOiI0MDEifQ==", "imap", Phase.AUTH),
        ('{"status":"401"}', "imap", Phase.AUTH),
        ('{"error":"x"}', "oauth", Phase.TOKEN),
        ("<html>", "oauth", Phase.TOKEN),
        ("connect ECONNREFUSED", "network", None),
    ],
)
def test_protocol_and_phase_are_guessed_from_the_form(text, protocol, phase):
    evidence = evidence_of_text(text)
    assert (evidence.protocol, evidence.phase) == (protocol, phase)


@pytest.mark.parametrize(
    ("text", "exception", "words"),
    [
        ("TimeoutError", "TimeoutError", ""),
        ("ssl.SSLError: [SSL] x", "ssl.SSLError", "[SSL] x"),
        ("ConnectionResetError(104, 'gone')", "ConnectionResetError", "104, 'gone"),
        ("Traceback (most recent call last):\n  File\nOSError: [Errno 113] x", "OSError", "[Errno 113] x"),
        ("imaplib.IMAP4.abort: socket error: EOF", "imaplib.IMAP4.abort", "socket error: EOF"),
        ("535 Error: x", None, "535 Error: x"),
    ],
)
def test_exceptions_are_told_from_their_words(text, exception, words):
    evidence = evidence_of_text(text)
    assert (evidence.exception, evidence.response) == (exception, words)


def test_errno_is_read_from_the_text_but_not_windows_numbers():
    assert evidence_of_text("[Errno 111] x").errno == 111
    assert evidence_of_text("[WinError 10061] x").errno is None


def test_what_is_told_is_not_guessed():
    evidence = evidence_of_text("550 x", protocol="smtp", phase=Phase.GREETING, provider="gmail")
    assert (evidence.phase, evidence.provider) == (Phase.GREETING, "gmail")
    assert evidence_of_text("550 x", protocol="imap").phase is None


def test_a_row_becomes_evidence():
    evidence = evidence_of_row(
        {
            "protocol": "SMTP",
            "stage": "rcpt",
            "provider": "gmail",
            "code": "550",
            "enhanced": "5.1.1",
            "response": "550 5.1.1 x\n",
            "extra": [],
        }
    )
    assert (evidence.protocol, evidence.phase, evidence.code, evidence.response) == ("smtp", Phase.SUBMIT, 550, "550 5.1.1 x")


@pytest.mark.parametrize(("stage", "worked"), [("idle", True), ("noop", True), ("login", False), ("", False), ("nonsense", False)])
def test_the_stage_tells_whether_the_session_had_worked(stage, worked):
    assert evidence_of_row({"stage": stage}).session_worked is worked


def test_an_empty_row_is_evidence_of_nothing():
    evidence = evidence_of_row({})
    assert (evidence.response, evidence.phase, evidence.provider) == ("", None, "other")


@pytest.mark.parametrize(
    "row",
    [{"response": 5}, {"code": "five"}, {"code": True}, {"http_status": []}, {"exception": {}}, {"stage": 1}, {"protocol": 1}],
)
def test_a_known_key_of_the_wrong_kind_is_named(row):
    with pytest.raises(RowError, match=next(iter(row))):
        evidence_of_row(row)
